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

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.modes import Spectral

STEPS = 200
BLOCK = 25_000  # numbers in one array: more make the allocator ask the system for memory each time
START = 0.75  # of the way between the bounds in log(kappa): there ordinary spectra have their root
NEAR = 1e-5  # a last step of Halley's method this small leaves an error of its cube
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
    if ridge == 0:
        _refuse_overdetermined(modes_of(lam, deg), samples)
    kappa = solve(lam, deg, samples, np.asarray(ridge))
    if beyond_floats(kappa).any():
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


def _refuse_overdetermined(modes: Array, samples: Array) -> None:
    if np.max(samples) >= modes:
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

    Halley's method in log(kappa), inside a bracket that it may not leave. Raises `OutOfRegime` if
    it does not converge, and says how far it came.
    """
    s2 = np.asarray(ridge)[..., None]
    shape = np.broadcast(eigenvalues[..., 0], s2[..., 0], samples[..., 0]).shape
    modes = _Falling.of(eigenvalues, counts, shape)
    size = max(1, BLOCK // modes.lam.size)
    parts = [
        _root(modes, samples[..., n : n + size], s2) for n in range(0, samples.shape[-1], size)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)


def _root(modes: "_Falling", samples: Array, s2: Array) -> Array:
    low, high = modes.bracket(samples, s2)
    kappa: Array = low ** (1 - START) * high**START
    for _ in range(STEPS):
        step = modes.sides(samples, s2, kappa).step()
        wanted, near = kappa * np.exp(step), np.abs(step) <= NEAR
        if near.all():
            return wanted
        low, high = np.where(step >= 0, kappa, low), np.where(step <= 0, kappa, high)
        inside = near | ((wanted > low) & (wanted < high))
        kappa = np.where(inside, wanted, np.sqrt(low) * np.sqrt(high))
    raise OutOfRegime(
        f"effective_ridge did not converge in {STEPS} steps; log kappa still moves by "
        f"{np.max(np.abs(step)):.1e}. Raise the ridge"
    )


class _Sides(NamedTuple):
    """The side that rises with log(kappa) and the one that falls, (..., sizes, 2); how fast they
    do; and their second derivative."""

    value: Array
    slope: Array
    bend: Array

    def step(self) -> Array:
        """What Halley's method adds to log(kappa), at most twice what Newton's would."""
        value = np.maximum(self.value, TINY)  # one may have underflown
        log, slope = np.log(value), self.slope / value
        bend = self.bend / value - slope * slope
        slopes, bends = slope[..., 0] + slope[..., 1], bend[..., 0] - bend[..., 1]
        newton = (log[..., 1] - log[..., 0]) / slopes
        step = newton / np.maximum(1 + newton * bends / (2 * slopes), 0.5)
        found: Array = np.minimum(np.maximum(step, -700), 700)
        return found


class _Falling(NamedTuple):
    """Degrees by falling eigenvalue, (..., degrees + 2).

    The first has no modes and the last no eigenvalue, so that every kappa has degrees on both of
    its sides.
    """

    lam: Array
    deg: Array
    modes: Array  # of the degrees so far

    @staticmethod
    def of(eigenvalues: Array, counts: Array, shape: tuple[int, ...]) -> "_Falling":
        """In the `shape` of all that is asked, without the sizes."""
        if not (eigenvalues[..., 1:] <= eigenvalues[..., :-1]).all():
            order = np.argsort(-eigenvalues, axis=-1)
            eigenvalues, counts = np.take_along_axis(eigenvalues, order, axis=-1), counts[order]
        lam, deg = np.zeros((2, *shape, eigenvalues.shape[-1] + 2))
        lam[..., 1:-1], deg[..., 1:-1] = eigenvalues, counts
        lam[..., 0] = lam[..., 1]
        return _Falling(lam, deg, deg.cumsum(axis=-1))

    def sides(self, samples: Array, s2: Array, kappa: Array) -> _Sides:
        """Both sides of the equation at kappa (..., sizes)."""
        lam, k, bare = self.lam[..., None, :], kappa[..., None], s2 / kappa
        part = np.minimum(lam, k)
        part /= lam + k  # 1 - L of what is learnt, L of the rest
        learnt = lam.shape[-1] - 1 - _smaller(self.lam[..., :0:-1], kappa)
        left = samples - _at(self.modes, learnt)
        edges = np.arange(0, part.size, lam.shape[-1]).repeat(2)
        edges[1::2] += learnt.ravel() + 1
        each = part * self.deg[..., None, :]

        def sums() -> Array:
            found: Array = np.add.reduceat(each.ravel(), edges).reshape(*kappa.shape, 2)
            return found

        value = sums()
        each *= part
        slope = value - sums()
        each *= part
        bend = 2 * sums() + 3 * slope - 2 * value
        for side in (value, slope, bend):
            side[..., 1] += bare
        value[..., 0] += np.maximum(left, 0)
        value[..., 1] -= np.minimum(left, 0)
        return _Sides(value, slope, bend)

    def bracket(self, samples: Array, s2: Array) -> tuple[Array, Array]:
        r"""Bounds of kappa from min(1, lam / kappa) / 2 <= L <= min(1, lam / kappa).

        .. math:: m(\kappa) = \sum_l \deg_l \min(1, \lambda_l / \kappa) + s_2 / \kappa

        falls, and kappa lies between where it is 2 N and where it is N. There :math:`\kappa = (s_2
        + \sum_{l \notin S} \deg_l \lambda_l) / (m - \sum_{l \in S} \deg_l)`, with S the degrees
        whose eigenvalue has a smaller m. Without a ridge the smallest eigenvalue bounds it too.
        """
        lam, size = self.lam[..., 1:-1], samples.shape[-1]
        rest = (self.deg * self.lam)[..., ::-1].cumsum(axis=-1)[..., ::-1] + s2
        with np.errstate(all="ignore"):  # eigenvalues of zero, or far below the ridge
            m = self.modes[..., :-2] + rest[..., 1:-1] / lam
        m = np.maximum(m, self.modes[..., 1:-1])  # or rounding might leave nothing below
        N = np.concatenate([2 * samples, samples], axis=-1)
        learnt = _smaller(m, N)
        both = _at(rest, learnt + 1) / (N - _at(self.modes, learnt))
        low, high = np.maximum(both[..., :size], s2 / samples), both[..., size:]
        if not low.all():
            smallest = np.min(lam, where=lam > 0, initial=np.inf, axis=-1, keepdims=True)
            modes = np.sum(self.deg[..., 1:-1], where=lam > 0, axis=-1, keepdims=True)
            low = np.maximum(low, np.maximum(smallest * (modes / samples - 1), TINY))
        slack = 16 * float(np.finfo(float).eps)  # the bounds are rounded too
        return low * (1 - slack), high * (1 + slack)


def _smaller(rising: Array, values: Array) -> npt.NDArray[np.intp]:
    """How many numbers of a row are smaller than each of the values."""
    if rising.ndim == 1:
        return np.asarray(rising.searchsorted(values))
    return np.asarray(np.count_nonzero(rising[..., None, :] < values[..., None], axis=-1))


def _at(rows: Array, places: npt.NDArray[np.intp]) -> Array:
    """Numbers of each row."""
    return rows[places] if rows.ndim == 1 else np.take_along_axis(rows, places, axis=-1)


def unspent(eigenvalues: Array, counts: Array, samples: Array, kappa: Array) -> Array:
    """1 - gamma at the root, shape (..., sizes); see `Fractions`."""
    return Fractions.of(eigenvalues, kappa).unspent(counts, samples)


class Fractions(NamedTuple):
    r"""L and 1 - L, shape (..., sizes, degrees): lam and kappa in parts of their sum.

    The laws of one degree depend on lam / kappa alone; these have squares in the range of float64.

    .. math:: \text{bias}_l = G_l (1 - L_l)^2, \qquad \gamma_l = \deg_l L_l^2 / N

    Their sums are the laws `BIAS` and `GAMMA` of `theory.laws`.
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
        found: Array = power * self.missing**2
        return found

    def spread(self, counts: Array, samples: Array) -> Array:
        """Variance per degree in parts of error and noise; its sum over degrees is gamma."""
        found: Array = counts / samples[..., None] * self.learnt**2
        return found

    def unspent(self, counts: Array, samples: Array) -> Array:
        r"""1 - gamma at the root, shape (..., sizes), without cancellation.

        .. math:: N (1 - \gamma) = \sum_l \deg_l L_l (1 - L_l)
                  + \Bigl(N - \sum_l \deg_l L_l\Bigr)
        """
        part = np.minimum(self.learnt, self.missing)
        above = (self.learnt > self.missing) * counts
        left = samples - above.sum(axis=-1)
        left += 2 * np.vecdot(part, above) - np.vecdot(part, counts)
        np.multiply(self.learnt, self.missing, out=part)
        found: Array = (np.vecdot(part, counts) + left) / samples
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
        N, split = samples[n : n + size], Fractions.of(lam, kappa[n : n + size])
        bias, variance = split.bias(power), split.spread(deg, N)
        variance *= ((np.sum(bias, axis=-1) + noise) / split.unspent(deg, N))[:, None]
        parts.append((bias, variance))
    if len(parts) == 1:
        return parts[0]
    biases, variances = (np.concatenate(each) for each in zip(*parts, strict=True))
    return biases, variances
