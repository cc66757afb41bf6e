r"""Two ridge regressions on the same data at complex ridges, in the planar theory; and the contours
that make filters of the kernel matrix out of them.

A filter is a sum of resolvents along a contour around the negative axis,

.. math:: q(K + w) = \frac{1}{2\pi i} \int \frac{ds}{s}\, e^{st} (K + w + s)^{-1}, \qquad
          q(z) = \frac{1 - e^{-tz}}{z}

and (1 + hs)^k for e^{st} is gradient descent of step h. The planar covariance of the residuals of
two ridge regressions, at ridges z and z', summed over modes, is

.. math:: E(z, z') = S + \frac{\gamma (S + \nu)}{1 - \gamma}, \quad
          S = \sum_i \frac{G_i \kappa\kappa'}{(\lambda_i + \kappa)(\lambda_i + \kappa')}, \quad
          \gamma = \frac1N \sum_i \frac{\deg_i \lambda_i^2}{(\lambda_i + \kappa)(\lambda_i +
          \kappa')}, \quad N = \sum_i \frac{\deg_i \lambda_i}{\lambda_i + \kappa} + \frac z\kappa

Times kappa, the right side of the last equation maps the upper half plane strictly into itself: for
each z there it has exactly one kappa there.

Symbols: lam eigenvalue, deg multiplicity, G power, nu variance of the labels' noise, w ridge and
tail together, N samples.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.modes import Spectral
from fieldtheory.model.planar import equation as planar

FEW = 128  # updates up to which the contour of gradient descent is a circle
GROWTH = 4.0  # log of what a circle's largest weight grows to
TURN = 0.8  # radians by which a ridge is turned at a time
STEPS = 30
CLOSE = 1e-9  # a last step of Newton's method this small leaves an error of its square
Complex = npt.NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Contour:
    """Nodes in the upper half plane, one row for each time.

    f_t is twice the real part of the sum of `weight` times the ridge regression with `shift` added
    to its ridge.
    """

    shift: Complex
    weight: Complex

    @staticmethod
    def flow(times: Array, nodes: int) -> "Contour":
        """The parabola s = mu (1 + iu)^2 of Weideman and Trefethen, Math. Comp. 76 (2007) 1341,
        for times above zero: an error of 8^-nodes.

        >>> one = Contour.flow(np.array([2.0]), 16)  # q(z) at z = 1
        >>> round(float(2 * np.sum(one.weight / (1 + one.shift)).real), 12)
        0.864664716763
        """
        turn, mu, spacing = _parabola(times, nodes)
        s = mu * turn**2
        return Contour(s, spacing / np.pi * np.exp(s * times[:, None]) / turn)

    @staticmethod
    def descent(counts: Array, step: float, nodes: int) -> "Contour":
        """The same for log(1 + step s); for a few updates a circle of 1 + step s."""
        if np.all(counts > FEW):
            turn, mu, spacing = _parabola(counts, nodes)
            sigma = mu * turn**2
            grown = np.expm1(sigma).astype(np.complex128)
            weight = spacing / np.pi * mu * turn * np.exp((counts[:, None] + 1) * sigma) / grown
            return Contour(grown / step, weight)
        most = max(float(np.max(counts)), 4.0)
        half = int(np.ceil(most * nodes / GROWTH))
        angle = np.pi * (np.arange(half) + 0.5) / half
        grown = np.asarray(np.exp(GROWTH / most + 1j * angle)[None, :], dtype=complex)
        weight = grown ** (counts[:, None] + 1) / (grown - 1) / (2 * half)
        return Contour(np.broadcast_to((grown - 1) / step, weight.shape), weight)


def _parabola(times: Array, nodes: int) -> tuple[Complex, Array, float]:
    """1 + iu, mu of each time, and the spacing of u."""
    spacing = 3 / nodes
    turn = np.asarray(1 + 1j * spacing * (np.arange(nodes) + 0.5), dtype=complex)
    return turn[None, :], np.pi * nodes / (12 * times[:, None]), spacing


def filtered(
    spectrum: Spectral, power: Array, samples: float, noise: float, ridge: float, contour: Contour
) -> tuple[Array, Array]:
    """The fraction of each mode that the mean predictor leaves, (times, kinds), and the variance of
    the predictor, (times,), both planar; `ridge` is the whole of it."""
    lam, deg, weight = spectrum.eigenvalues, spectrum.counts, contour.weight
    z = ridge + contour.shift
    kappa = complex_ridge(spectrum, samples, z)[..., None]
    share, rest = lam / (lam + kappa), kappa / (lam + kappa)
    left = 2 * np.real(np.einsum("tm,tmk->tk", weight, rest))
    variance = np.zeros(len(weight))
    for other in (np.positive, np.conj):  # the second node in the upper or lower half plane
        others = [other(part).swapaxes(1, 2) for part in (share, rest)]
        gamma = (share * deg) @ others[0] / samples
        unspent = ((share * deg) @ others[1] + z[..., None] / kappa) / samples  # 1 - gamma
        signal = (rest * power) @ others[1]
        spread = gamma * (signal + noise) / unspent
        variance += 2 * np.real(np.einsum("tm,tmn,tn->t", weight, spread, other(weight)))
    return left, variance


def complex_ridge(spectrum: Spectral, samples: float, ridge: Complex) -> Complex:
    """kappa in the upper half plane, for ridges there, not too near the negative axis.

    Starts on the positive axis, at |ridge|, and follows kappa as the ridge turns to its place. By
    the lemma of Schwarz and Pick log(kappa) moves hardly more than log(ridge), so that Newton's
    method has little to do; its equation is that of `planar`, in the logarithm of two sides.

    Raises `OutOfRegime` if it does not converge.

    >>> from fieldtheory.model.modes import Modes
    >>> kappa = complex_ridge(Modes.of([1.0]), 2.0, np.array([2j]))
    >>> (1 / (1 + kappa) + 2j / kappa).round(12).tolist()
    [(2+0j)]
    """
    lam, deg = spectrum.eigenvalues, spectrum.counts
    size, angle = np.abs(ridge), np.angle(ridge)
    found = planar.solve(lam, deg, np.array([samples]), size)[..., 0].astype(complex)
    turns = int(np.ceil(np.max(angle, initial=0.0) / TURN))
    for turn in range(1, turns + 1):
        z = size * np.exp(1j * angle * turn / turns)
        found = _followed(lam, deg, samples, z, found)
    return found


def _followed(lam: Array, deg: Array, samples: float, z: Complex, kappa: Complex) -> Complex:
    """Newton's method in log(kappa) from a kappa near by."""
    for _ in range(STEPS):
        k = kappa[..., None]
        learnt, whole = lam > np.abs(k), lam + k
        short = deg * (np.where(learnt, k, lam) / whole)  # 1 - L of what is learnt, L of the rest
        width = short * (np.where(learnt, lam, k) / whole)
        left = samples - np.sum(np.where(learnt, deg, 0.0), axis=-1)
        rising = np.sum(np.where(learnt, short, 0), axis=-1) + np.maximum(left, 0)
        falling = np.sum(np.where(learnt, 0, short), axis=-1) + z / kappa - np.minimum(left, 0)
        rises = np.sum(np.where(learnt, width, 0), axis=-1)
        falls = np.sum(np.where(learnt, 0, width), axis=-1) + z / kappa
        step = np.log(falling / rising) / (rises / rising + falls / falling)
        kappa = kappa * np.exp(step)
        if np.all(np.abs(step) < CLOSE):
            return np.asarray(kappa)
    raise OutOfRegime(
        f"complex_ridge did not converge in {STEPS} steps, {samples:g} samples; log kappa still "
        f"moves by {np.max(np.abs(step)):.1e}. Raise the ridge"
    )


def largest_eigenvalue(spectrum: Spectral, samples: float, ridge: float = 0.0) -> float:
    r"""The largest eigenvalue of K + ridge, in the planar theory: gradient descent with a step h
    converges where h times it is below 2.

    It ends the support of the density of eigenvalues: where kappa, continued to negative numbers,
    has N = sum_i deg lam^2 / (lam + kappa)^2. A mode of its own, as that of the mean, has its
    eigenvalue overestimated: the planar theory blurs it.

    >>> from fieldtheory.model.modes import Modes
    >>> round(largest_eigenvalue(Modes.of([0.1], multiplicities=[40]), 10.0), 6)  # Marchenko-Pastur
    9.0
    """
    from scipy.optimize import brentq

    lam, deg = spectrum.eigenvalues, spectrum.counts
    top = float(np.max(lam))
    if top == 0:
        return ridge

    def excess(u: float) -> float:
        return float(np.log(np.sum(deg * (lam / (top - lam + top * np.exp(u))) ** 2) / samples))

    low = float(np.log(np.sum(deg[lam == top]) / samples)) / 2
    high = float(np.log(np.sum(deg) / samples)) / 2
    kappa = -top * (1 + np.exp(brentq(excess, low - 1, high + 1, xtol=1e-14)))
    return float(ridge - samples * kappa + np.sum(deg * lam * kappa / (lam + kappa)))
