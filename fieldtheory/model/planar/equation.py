r"""All non-crossing diagrams: the self-consistent theory, and how far it can be trusted.

.. math:: N = \sum_l \deg_l L_l + \frac{s_2}{\kappa}, \qquad
          L_l = \frac{\lambda_l}{\lambda_l+\kappa}

The formulas are laws (`theory.laws`); here is the solver, for one spectrum or for many. Where the
samples just suffice for the modes that are learnt, the two sides of the equation agree in their
leading digits and what is sought stands in the last ones. So the modes above kappa are counted
by what they lack, and their number is taken from N, which is exact:

.. math:: \Bigl(N - \sum_{\lambda_l > \kappa} \deg_l\Bigr)
          + \sum_{\lambda_l > \kappa} \deg_l (1 - L_l)
          = \sum_{\lambda_l \le \kappa} \deg_l L_l + \frac{s_2}{\kappa}

With the bracket on the side where it is positive, one side only rises with kappa and the other
only falls; the logarithm of their ratio has a slope between 1/2 and 2 in log(kappa), so kappa
keeps its relative accuracy for any spectrum, ridge and number of samples.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fieldtheory.compiler import generated as law
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.modes import Spectral

STEPS = 200
BLOCK = 15_000  # numbers in one array: more make the allocator ask the system for memory each time
START = 0.6  # between the bounds, where ordinary spectra have their root
NEAR = 1e-8  # a last step of Newton's method this small leaves an error of its square
TINY = float(np.finfo(float).tiny)
KAPPA_AT_LEAST, KAPPA_AT_MOST = 1e-140, 1e140  # beyond, squares leave the range of float64


def effective_ridge(spectrum: Spectral, samples: Array, ridge: float) -> Array:
    """kappa at every number of samples: the root of the self-consistent equation.

    `ridge` is the whole of it: the task's own plus the tail of the spectrum.

    Raises `OutOfRegime` without a ridge at or beyond the number of modes, where the training error
    is zero at any kappa, where kappa leaves the range of float64, and if the iteration does not
    converge.

    >>> from fieldtheory.model.spectrum import Spectrum
    >>> one = Spectrum.of([1.0], dimension=3)
    >>> effective_ridge(one, np.array([2.0]), ridge=1.0).round(12).tolist()
    [0.707106781187]
    """
    lam, deg = spectrum.eigenvalues, spectrum.counts
    _refuse_overdetermined(modes_of(lam, deg), samples, ridge)
    kappa = solve(lam, deg, samples, np.asarray(ridge))
    if np.any(beyond_floats(kappa)):
        worst = int(np.argmax(beyond_floats(kappa)))
        raise OutOfRegime(
            f"samples = {samples[worst]:.0f}, ridge {ridge:g}: the effective ridge is "
            f"{kappa[worst]:.1e}, whose square leaves the range of float64 (allowed: "
            f"{KAPPA_AT_LEAST:g} to {KAPPA_AT_MOST:g}). Eigenvalues fall that low here: pass a "
            "larger ridge or fewer samples, or rescale the kernel"
        )
    return kappa


def modes_of(eigenvalues: Array, counts: Array) -> Array:
    """Number of modes that can be learnt, shape (...)."""
    total: Array = np.sum(np.where(eigenvalues > 0, counts, 0.0), axis=-1)
    return total


def beyond_floats(kappa: Array) -> npt.NDArray[np.bool_]:
    """Where kappa is no number to square."""
    return np.asarray(~((kappa >= KAPPA_AT_LEAST) & (kappa <= KAPPA_AT_MOST)))


def _refuse_overdetermined(modes: Array, samples: Array, ridge: float) -> None:
    if ridge == 0 and np.max(samples) >= modes:
        raise OutOfRegime(
            f"samples = {np.max(samples):.0f} with ridge 0 and only {modes:.0f} modes that "
            "float64 tells from zero: beyond their number the data fix every mode and no effective "
            "ridge exists. Pass a ridge > 0, fewer samples, or a kernel with more modes"
        )


def solve(eigenvalues: Array, counts: Array, samples: Array, ridge: Array) -> Array:
    """kappa of one spectrum or of many: shape (..., sizes).

    eigenvalues  (..., degrees) zero or positive
    counts       (degrees,) modes of each degree
    samples      (sizes,) or (..., sizes); a root exists if there is a ridge or modes left over
    ridge        (...) the whole of it

    Newton's method in log(kappa), inside a bracket that it may not leave. Raises `OutOfRegime` if
    it does not converge, and says how far it came.
    """
    lam, s2 = eigenvalues[..., None, :], np.asarray(ridge)[..., None]
    size = max(1, BLOCK // eigenvalues.size)
    parts = [
        _root(lam, counts, samples[..., n : n + size], s2)
        for n in range(0, samples.shape[-1], size)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)


def _root(lam: Array, counts: Array, samples: Array, s2: Array) -> Array:
    low, high = _bracket(lam, counts, samples, s2)
    kappa = START * high + (1 - START) * low
    for _ in range(STEPS):
        sides = _sides(lam, counts, samples, s2, kappa)
        up, down = (np.maximum(side, TINY) for side in sides[:2])  # one may have underflown
        step = (np.log(down) - np.log(up)) / (sides.rises / up + sides.falls / down)
        low, high = np.where(step >= 0, kappa, low), np.where(step <= 0, kappa, high)
        wanted = kappa * np.exp(np.clip(step, -700, 700))
        near = np.abs(step) <= NEAR
        inside = near | ((wanted > low) & (wanted < high))
        kappa = np.where(inside, wanted, np.sqrt(low) * np.sqrt(high))
        if np.all(near):
            return kappa
    raise OutOfRegime(
        f"effective_ridge did not converge in {STEPS} steps; log kappa still moves by "
        f"{np.max(np.abs(step)):.1e}. Raise the ridge"
    )


class _Sides(NamedTuple):
    """Both sides of the equation, and by how much log(kappa) makes them rise and fall."""

    rising: Array
    falling: Array
    rises: Array
    falls: Array


def _sides(lam: Array, deg: Array, samples: Array, s2: Array, kappa: Array) -> _Sides:
    k = kappa[..., None]
    learnt = lam > k
    part = np.minimum(lam, k) / (lam + k)  # 1 - L of what is learnt, L of the rest
    short, other = deg * part, 1 - part
    above = np.where(learnt, short, 0.0)
    below, bare = short - above, s2 / kappa
    left = samples - np.sum(np.where(learnt, deg, 0.0), axis=-1)
    return _Sides(
        np.sum(above, axis=-1) + np.maximum(left, 0),
        np.sum(below, axis=-1) + bare - np.minimum(left, 0),
        np.einsum("...l,...l->...", above, other),
        np.einsum("...l,...l->...", below, other) + bare,
    )


def _bracket(lam: Array, deg: Array, samples: Array, s2: Array) -> tuple[Array, Array]:
    r"""Bounds of kappa from min(lam, kappa) / 2 <= lam kappa / (lam + kappa) <= min(lam, kappa).

    The upper one is the smallest of :math:`(s_2 + \sum_{l \notin S} \deg_l \lambda_l) / (N -
    \sum_{l \in S} \deg_l)` over sets S of leading modes, the lower one the same with N and s2
    doubled. Without a ridge the smallest eigenvalue bounds it too.
    """
    order = np.argsort(-lam, axis=-1)
    sizes = np.broadcast_to(deg, lam.shape)
    lam, deg = (np.take_along_axis(each, order, axis=-1) for each in (lam, sizes))
    none = np.zeros((*lam.shape[:-1], 1))
    taken = np.concatenate([none, np.cumsum(deg, axis=-1)], axis=-1)
    rest = np.concatenate([none, np.cumsum((deg * lam)[..., ::-1], axis=-1)], axis=-1)[..., ::-1]

    def bound(times: float) -> Array:
        left = times * samples[..., None] - taken
        over = np.where(left > 0, left, 1.0)
        found = np.where(left > 0, (times * s2[..., None] + rest) / over, np.inf)
        least: Array = np.min(found, axis=-1)
        return least

    smallest = np.min(np.where(lam > 0, lam, np.inf), axis=-1)
    spare = np.sum(np.where(lam > 0, deg, 0.0), axis=-1) / samples - 1
    low = np.maximum(bound(2.0), s2 / samples)
    low = np.maximum(low, np.where(spare > 0, smallest * spare, 0.0))
    slack = 16 * float(np.finfo(float).eps)  # the bounds are rounded too
    return low * (1 - slack), bound(1.0) * (1 + slack)


def unspent(eigenvalues: Array, counts: Array, samples: Array, kappa: Array) -> Array:
    r"""1 - gamma at the root, shape (..., sizes), without cancellation.

    .. math:: N (1 - \gamma) = \sum_l \deg_l L_l (1 - L_l) + \Bigl(N - \sum_l \deg_l L_l\Bigr)
    """
    sides = _sides(eigenvalues[..., None, :], counts, samples, np.zeros(1), kappa)
    found: Array = (sides.rises + sides.falls + (sides.rising - sides.falling)) / samples
    return found


class Fractions(NamedTuple):
    """L and 1 - L, shape (..., sizes, degrees): lam and kappa in parts of their sum.

    Laws of one degree depend on lam / kappa alone, so they are asked with these, whose squares stay
    in the range of float64.
    """

    learnt: Array
    missing: Array

    @staticmethod
    def of(eigenvalues: Array, kappa: Array) -> "Fractions":
        """At eigenvalues (..., degrees) and kappa (..., sizes)."""
        lam, k = eigenvalues[..., None, :], kappa[..., None]
        whole = lam + k
        return Fractions(lam / whole, k / whole)

    def bias(self, power: Array) -> Array:
        """Error of the mean predictor per degree, shape (..., sizes, degrees)."""
        found: Array = law.planar_bias(self.learnt[..., None], power[:, None], self.missing)
        return found

    def spread(self, counts: Array, samples: Array) -> Array:
        """Variance per degree in parts of error and noise; its sum over degrees is gamma."""
        learnt, each = self.learnt[..., None], np.expand_dims(samples, -1)
        found: Array = law.planar_gamma(learnt, counts[:, None], each, self.missing)
        return found


def mode_errors(
    spectrum: Spectral, power: Array, samples: Array, kappa: Array, noise: float
) -> tuple[Array, Array]:
    r"""Bias and variance per degree, each of shape (sizes, degrees).

    .. math:: \text{error} + v = \frac{\sum_l G_l (1 - L_l)^2 + v}{1 - \gamma}
    """
    lam, deg = spectrum.eigenvalues, spectrum.counts
    size, parts = max(1, BLOCK // lam.size), []
    for n in range(0, samples.size, size):
        N, k = samples[n : n + size], kappa[n : n + size]
        split = Fractions.of(lam, k)
        bias = split.bias(power)
        risk = (np.sum(bias, axis=-1) + noise) / unspent(lam, deg, N, k)
        parts.append((bias, risk[:, None] * split.spread(deg, N)))
    biases, variances = (np.concatenate(each) for each in zip(*parts, strict=True))
    return biases, variances
