"""The learning series in 1/samples through third order, and the paper's renormalised kernel.

Every order is derived: the diagrams of `theory.learning`, compiled to sums over degrees and
averages over one angle on the sphere, or to products of matrices on finitely many points.
"""

from dataclasses import dataclass
from math import lgamma

import numpy as np

from fieldtheory.compiler import generated as series
from fieldtheory.compiler.generated import log_power_eigenvalue, renormalised_ridge
from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.kernel import Kernel, checked
from fieldtheory.model.measures.sphere import multiplicity
from fieldtheory.model.modes import Spectral
from fieldtheory.model.series import points as on_points
from fieldtheory.model.series import sphere as on_sphere
from fieldtheory.model.series.ensemble import by_order
from fieldtheory.model.series.points import MEMORY, Points
from fieldtheory.model.spectrum import (
    FORGOTTEN,
    MULTIPLICITY_AT_MOST,
    Spectrum,
    forgetful,
    variation,
)
from fieldtheory.model.spectrum import spectrum as spectrum_of

ORDERS = 3  # the highest order
HOLDS, ENDS = 0.3, 1.0  # of what further orders add, relative to the error; of the loop parameter
GROWN = 0.8  # ratio of successive orders beyond which there is no geometric series to sum
ENSEMBLES = ("fixed", "poisson")
KEEP_AT_MOST = 1024  # powers of a trimmed kernel: a second's work, which grows as their square
ROUNDING = 1e-12  # to which the coefficients of a power series are known, relative to the largest


class _Logarithms:
    """The functions `log_power_eigenvalue` needs."""

    log, gammaln = staticmethod(np.log), staticmethod(np.vectorize(lgamma))


@dataclass(frozen=True, eq=False)
class Expansion:
    """The series of the squared error, order by order.

    bias        (orders, sizes, modes) each order's term of the squared mean residual
    variance    (orders, sizes, modes) and of the variance over data sets, label noise included
    samples     (sizes,) N
    loop        (sizes,) C(x, x) / s2, what the series expands in
    order       the highest order of the answer; the next one, if it is there, is its error estimate

    The terms may have any sign. `error`, and `regime` with it, raise `OutOfRegime` where their sum
    is negative.
    """

    bias: Array
    variance: Array
    samples: Array
    loop: Array
    order: int

    def __post_init__(self) -> None:
        for name in ("bias", "variance", "samples", "loop"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def terms(self) -> Array:
        """(orders, sizes) what each order adds to the error."""
        return np.asarray((self.bias + self.variance).sum(axis=-1))

    @property
    def error(self) -> Array:
        """(sizes,) through `order`."""
        found = np.asarray(self.terms[: self.order + 1].sum(axis=0))
        if np.any(found < 0):
            raise self._negative(found)
        return found

    def _negative(self, error: Array) -> OutOfRegime:
        """A squared error below zero is no answer, whatever its uncertainty. All sizes are refused:
        a curve at fewer than were asked for would answer another question."""
        N, n = self.samples, int(np.argmin(error))
        first, last = N[error < 0].min(), N[error < 0].max()
        sides = [f"N <= {N[first > N].max():.0f}"] if np.any(first > N) else []
        sides += [f"N >= {N[last < N].min():.0f}"] if np.any(last < N) else []
        usable = f"it is positive at {' and '.join(sides)}. Ask for these sizes, " if sides else ""
        return OutOfRegime(
            f"order {self.order} of the series in 1/samples is far out of its regime: at N = "
            f"{N[n]:.0f}, c0/s2 = {self.loop[n]:.2g}, its squared error is negative: "
            f"{error[n]:.3g}, where order 0 alone is {self.terms[0][n]:.3g}; "
            f"{usable or 'ask for '}order 0 or 1, a larger ridge, or method 'crossing'"
        )

    @property
    def uncertainty(self) -> Array:
        """(sizes,) the next order and, in geometric continuation, all others: twice a / (1 - q),
        with a the sum of the sizes of all parts of the next order and q the largest ratio of two
        successive ones. Beyond the highest order a is the last times 4 q, for ratios grow."""
        sizes = np.abs(self.bias).sum(axis=-1) + np.abs(self.variance).sum(axis=-1)
        if len(sizes) == 1:
            return np.asarray(sizes[0])
        ratio = np.divide(sizes[1:], sizes[:-1], out=np.ones_like(sizes[1:]), where=sizes[:-1] > 0)
        q = np.max(ratio, axis=0)
        known = len(sizes) > self.order + 1
        following = sizes[self.order + 1] if known else sizes[-1] * 4 * q
        return np.asarray(2 * following / (1 - np.minimum(q, GROWN)))

    @property
    def regime(self) -> str:
        """In words, whether the answer holds: by what further orders add to the error, and by a
        loop parameter below one, without which the orders estimate nothing."""
        error, unsure = self.error, self.uncertainty
        doubt = np.divide(unsure, error, out=np.where(unsure > 0, np.inf, 0.0), where=error > 0)
        n, loop = int(np.argmax(doubt)), float(np.max(self.loop))
        worst, small = float(doubt[n]), loop < ENDS
        falls = worst < HOLDS and small
        verdict = "holds" if falls else "marginal" if worst < 1 else "OUT OF ITS REGIME"
        where = f" at N = {self.samples[n]:.0f}" if doubt.size > 1 else ""
        should = "" if small else " and should be below 1"
        advice = "" if falls else "; use 'crossing' or a larger ridge"
        return (
            f"order {self.order} in 1/samples; further orders are estimated at {_share(worst)}"
            f"{where}: {verdict}; c0/s2 is at most {loop:.2g}{should}{advice}"
        )


def _share(of_error: float) -> str:
    """A part of the error in words.

    >>> _share(1.346), _share(0.008), _share(1e-7)
    ('up to 130 % of the error', 'up to 0.8 % of the error', 'less than 0.001 % of the error')
    """
    if of_error >= 10:
        return "more than ten times the error"
    if of_error < 1e-5:
        return "less than 0.001 % of the error"
    return f"up to {float(f'{100 * of_error:.2g}'):g} % of the error"


def expand(
    spectrum: Spectral,
    power: Array,
    samples: Array,
    ridge: float,
    noise: float,
    *,
    order: int,
    ensemble: str,
) -> tuple[Array, Array, Array]:
    """Bias and variance per degree, each (sizes, degrees); loop parameter c0 / s2, (sizes,).

    Order 0 is the equivalent kernel; each order adds its diagrams and, for a fixed number of
    samples, takes back what the Poisson average had put in. Their sum is the squared error
    truncated at the order. Raises what `expansion` raises.
    """
    loop = _loop(spectrum, samples, ridge, order)
    how = {"order": _order(order), "ensemble": checks.choice("ensemble", ensemble, ENSEMBLES)}
    with np.errstate(all="ignore"):  # what is not a number is refused
        terms = on_sphere.terms(spectrum, power, samples, ridge, noise, **how)
        bias, variance = by_order(terms, samples, ensemble)
    found = _checked(bias, variance, samples, loop, order)
    return found.bias.sum(axis=0), found.variance.sum(axis=0), loop


def expansion(
    spectrum: Spectral,
    power: Array,
    samples: Array,
    ridge: float,
    noise: float,
    *,
    order: int,
    ensemble: str,
) -> Expansion:
    """The same order by order, with the next order as its error estimate.

    spectrum  eigenvalues and multiplicities; from order 2 on it must be of the sphere
    power     (degrees,) G_l of the target
    samples   (sizes,) N, or the Poisson mean

    Raises `OutOfRegime` for ridge 0, where the series has no small parameter, for an order beyond
    `ORDERS`, for modes of another measure from order 2 on, and where the terms leave the range of
    floats.

    >>> spectrum = Spectrum.of([0.4, 0.05, 0.01], dimension=6)
    >>> found = expansion(spectrum, np.array([0, 0.5, 0.5]), np.array([40.0]), 4.0, 0.0,
    ...                   order=2, ensemble="fixed")
    >>> found.terms[:, 0].round(5).tolist()
    [0.63545, 0.04705, -0.00067, -0.00026]
    """
    loop = _loop(spectrum, samples, ridge, order)
    how = {"ensemble": checks.choice("ensemble", ensemble, ENSEMBLES)}
    most = ORDERS if isinstance(spectrum, Spectrum) else 1
    highest = max(min(_order(order) + 1, most), order)
    with np.errstate(all="ignore"):  # what is not a number is refused
        terms = on_sphere.terms(spectrum, power, samples, ridge, noise, order=highest, **how)
        bias, variance = by_order(terms, samples, ensemble)
    return _checked(bias, variance, samples, loop, order)


def expand_points(
    points: Points,
    samples: Array,
    ridge: float,
    noise: float,
    *,
    order: int,
    ensemble: str,
    following: bool = True,
    memory: float = MEMORY,
) -> Expansion:
    """The series on a finite measure: samples are drawn from P points with replacement, and the
    error is averaged over all of them, in each mode of the kernel there.

    points  eigenvalues, modes, weights and target
    noise   variance of the label noise, summed over the outputs
    following  whether to compute the next order as well, as the error estimate; it takes the most
    memory  bytes the P x P arrays may take

    What the target has in no mode listed stays an error beside this one. Raises `OutOfRegime` for
    ridge 0, an order beyond `ORDERS`, too little memory, and terms beyond the range of floats.
    """
    if ridge <= 0:
        raise _without_ridge(order)
    how = {"ensemble": checks.choice("ensemble", ensemble, ENSEMBLES), "memory": memory}
    highest = min(_order(order) + following, ORDERS)
    with np.errstate(all="ignore"):  # what is not a number is refused
        terms = on_points.terms(points, samples, ridge, noise, order=highest, **how)
        bias, variance = by_order(terms, samples, ensemble)
    lam = points.eigenvalues
    loop = np.sum(lam / (ridge + samples[:, None] * lam), axis=1)
    return _checked(bias, variance, samples, loop, order)


def _order(order: int) -> int:
    clean = checks.count("order", order)
    if clean > ORDERS:
        raise OutOfRegime(
            f"order = {order}: the compiled series reaches order {ORDERS}. Ask for 0 to {ORDERS}, "
            "or use 'crossing', which sums classes of diagrams to all orders"
        )
    return clean


def _loop(spectrum: Spectral, samples: Array, ridge: float, order: int) -> Array:
    if ridge <= 0:
        raise _without_ridge(order)
    lam, deg = spectrum.eigenvalues, spectrum.counts
    return np.asarray(series.loop_parameter(lam, deg, samples, np.float64(ridge)))


def _without_ridge(order: int) -> OutOfRegime:
    name = "the equivalent kernel, order 0," if order == 0 else f"order {order}"
    return OutOfRegime(
        f"{name} of the series in 1/samples expands in the kernel over the ridge, and the ridge is "
        "0. Pass ridge > 0, or use method 'crossing' or 'planar'; 'renormalised' trims a network "
        "or a kernel, and what it trims is a ridge"
    )


def _checked(bias: Array, variance: Array, samples: Array, loop: Array, order: int) -> Expansion:
    """The expansion, if it consists of numbers."""
    if not np.all(np.isfinite(bias + variance)):
        raise OutOfRegime(
            f"the loop parameter c0 / s2 is {np.max(loop):.2g} and should be below 1: the terms of "
            "the series leave the range of floats. Pass a larger ridge, or use method 'crossing'"
        )
    return Expansion(bias, variance, samples, loop, order)


def renormalise(kernel: Kernel, dimension: int, keep: int, ridge: float) -> tuple[Spectrum, float]:
    """The trimmed kernel: powers t^q with q <= keep, and the ridge that the others become.

    Raises `OutOfRegime` for more powers than `KEEP_AT_MOST`, for a kernel that forgets its inputs
    or has no power series at t = 0, and for one whose trimmed part is not positive.

    >>> from fieldtheory.model.network import Network
    >>> kernel = Network(depth=4).on_sphere(50)
    >>> trimmed, ridge = renormalise(kernel, dimension=50, keep=3, ridge=0.0)
    >>> round(ridge, 5), round(float(trimmed.eigenvalues[1]), 9)
    (0.01873, 0.000727389)
    """
    dimension, keep = checks.count("dimension", dimension, least=2), checks.count("keep", keep)
    _refuse_long(dimension, keep)
    b = _powers(checked(kernel), dimension, keep)
    if not np.any(b):
        raise OutOfRegime(
            f"{kernel.name}: cut at keep = {keep} nothing is left, for its powers begin beyond. "
            "Give a larger keep, or use method 'crossing'"
        )
    lam, doubt = np.zeros(keep + 1), np.zeros(keep + 1)
    for l in range(keep + 1):
        s = np.arange((keep - l) // 2 + 1)
        weights = np.exp(log_power_eigenvalue(dimension, l, s, xp=_Logarithms))
        lam[l] = np.sum(b[l::2] * weights)
        doubt[l] = ROUNDING * np.max(np.abs(b)) * np.sum(weights)
    kept, whole = float(np.sum(b)), kernel.trace
    # Coefficients of both signs cancel: what ROUNDING of the largest makes of an eigenvalue, or of
    # the rest, is not told from zero.
    rest = whole - kept if abs(whole - kept) > ROUNDING * max(whole, np.sum(np.abs(b))) else 0.0
    if np.any(lam < -doubt) or rest < 0:
        raise _not_positive(kernel, keep, lam, rest)
    trimmed = Spectrum.of(np.maximum(lam, 0.0), dimension)
    return trimmed, float(renormalised_ridge(ridge, whole, whole - rest))


def _powers(kernel: Kernel, dimension: int, keep: int) -> Array:
    """The coefficients of its power series, if there are any."""
    constant = variation(kernel) <= FORGOTTEN
    if constant:
        spectrum_of(kernel, dimension)  # refuses what float64 cannot tell from a constant
    with np.errstate(all="ignore"):  # what is not a number is refused
        b = kernel.power_series(keep)
    if np.all(np.isfinite(b)):
        return b
    if constant:
        raise forgetful(kernel, dimension)
    raise OutOfRegime(
        f"{kernel.name} has no power series in the cosine at 0: it has a kink there, or is a "
        "function whose operations are not known to series (see Kernel.of). Use method 'crossing' "
        "or 'planar', which need its values alone"
    )


def _refuse_long(dimension: int, keep: int) -> None:
    if keep > KEEP_AT_MOST:
        raise OutOfRegime(
            f"keep = {keep}: a trimmed kernel has powers up to t^{KEEP_AT_MOST} (and at least the "
            f"target's degree). Give keep <= {KEEP_AT_MOST}; what lies beyond is a ridge anyhow"
        )
    if multiplicity(dimension, keep) > MULTIPLICITY_AT_MOST:
        raise OutOfRegime(
            f"keep = {keep} in dimension {dimension}: multiplicities leave the range of float64. "
            "Give a smaller keep"
        )


def _not_positive(kernel: Kernel, keep: int, lam: Array, rest: float) -> OutOfRegime:
    l = int(np.argmin(lam))
    left = f"eigenvalue {lam[l]:.3g} at degree {l}" if lam[l] < 0 else f"{rest:.3g} for the ridge"
    return OutOfRegime(
        f"{kernel.name}: the power series of this kernel has negative coefficients, so cutting it "
        f"at keep = {keep} leaves no kernel ({left}): use method 'crossing', or another keep"
    )
