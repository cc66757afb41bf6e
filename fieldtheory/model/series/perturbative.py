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
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.modes import Spectral
from fieldtheory.model.series import points as on_points
from fieldtheory.model.series import sphere as on_sphere
from fieldtheory.model.series.ensemble import by_order
from fieldtheory.model.series.points import MEMORY, Points
from fieldtheory.model.spectrum import Spectrum

ORDERS = 3  # the highest order
HOLDS, ENDS = 0.3, 1.0  # of the estimated relative error, and of the loop parameter
GROWN = 0.8  # ratio of successive orders beyond which there is no geometric series to sum
ENSEMBLES = ("fixed", "poisson")


class _Logarithms:
    """The functions `log_power_eigenvalue` needs."""

    log, gammaln = staticmethod(np.log), staticmethod(np.vectorize(lgamma))


@dataclass(frozen=True, eq=False)
class Expansion:
    """The series of the squared error, order by order.

    bias        (orders, sizes, modes) each order's term of the squared mean residual
    variance    (orders, sizes, modes) and of the variance over data sets, label noise included
    loop        (sizes,) C(x, x) / s2, what the series expands in
    order       the highest order of the answer; the next one, if it is there, is its error estimate
    """

    bias: Array
    variance: Array
    loop: Array
    order: int

    def __post_init__(self) -> None:
        for name in ("bias", "variance", "loop"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def terms(self) -> Array:
        """(orders, sizes) what each order adds to the error."""
        return np.asarray((self.bias + self.variance).sum(axis=-1))

    @property
    def error(self) -> Array:
        """(sizes,) through `order`."""
        return np.asarray(self.terms[: self.order + 1].sum(axis=0))

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
        """In words, where the answer holds."""
        error = np.abs(self.error)
        doubt = np.divide(self.uncertainty, error, out=np.full_like(error, np.inf), where=error > 0)
        worst, loop = float(np.max(doubt)), float(np.max(self.loop))
        falls = worst < HOLDS and loop < ENDS
        verdict = "holds" if falls else "marginal" if worst < 1 else "OUT OF ITS REGIME"
        advice = "" if falls else "; use 'crossing' or a larger ridge"
        return (
            f"order {self.order} in 1/samples, needs c0/s2 << 1, here at most {loop:.2g}: "
            f"{verdict}; estimated error at most {100 * worst:.2g} %{advice}"
        )


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
    loop = _loop(spectrum, samples, ridge)
    how = {"order": _order(order), "ensemble": checks.choice("ensemble", ensemble, ENSEMBLES)}
    with np.errstate(all="ignore"):  # what is not a number is refused
        terms = on_sphere.terms(spectrum, power, samples, ridge, noise, **how)
        bias, variance = by_order(terms, samples, ensemble)
    found = _checked(bias, variance, loop, order)
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
    loop = _loop(spectrum, samples, ridge)
    how = {"ensemble": checks.choice("ensemble", ensemble, ENSEMBLES)}
    most = ORDERS if isinstance(spectrum, Spectrum) else 1
    highest = max(min(_order(order) + 1, most), order)
    with np.errstate(all="ignore"):  # what is not a number is refused
        terms = on_sphere.terms(spectrum, power, samples, ridge, noise, order=highest, **how)
        bias, variance = by_order(terms, samples, ensemble)
    return _checked(bias, variance, loop, order)


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
        raise _without_ridge()
    how = {"ensemble": checks.choice("ensemble", ensemble, ENSEMBLES), "memory": memory}
    highest = min(_order(order) + following, ORDERS)
    with np.errstate(all="ignore"):  # what is not a number is refused
        terms = on_points.terms(points, samples, ridge, noise, order=highest, **how)
        bias, variance = by_order(terms, samples, ensemble)
    lam = points.eigenvalues
    loop = np.sum(lam / (ridge + samples[:, None] * lam), axis=1)
    return _checked(bias, variance, loop, order)


def _order(order: int) -> int:
    clean = checks.count("order", order)
    if clean > ORDERS:
        raise OutOfRegime(
            f"order = {order}: the compiled series reaches order {ORDERS}. Ask for 0 to {ORDERS}, "
            "or use 'crossing', which sums classes of diagrams to all orders"
        )
    return clean


def _loop(spectrum: Spectral, samples: Array, ridge: float) -> Array:
    if ridge <= 0:
        raise _without_ridge()
    lam, deg = spectrum.eigenvalues, spectrum.counts
    return np.asarray(series.loop_parameter(lam, deg, samples, np.float64(ridge)))


def _without_ridge() -> OutOfRegime:
    return OutOfRegime(
        "the perturbative series expands in the kernel over the ridge, and the ridge is 0. "
        "Pass ridge > 0, or use method 'crossing' or 'planar'; 'renormalised' trims a network, "
        "which makes its own ridge"
    )


def _checked(bias: Array, variance: Array, loop: Array, order: int) -> Expansion:
    """The expansion, if it consists of numbers."""
    if not np.all(np.isfinite(bias + variance)):
        raise OutOfRegime(
            f"the loop parameter c0 / s2 is {np.max(loop):.2g} and should be below 1: the terms of "
            "the series leave the range of floats. Pass a larger ridge, or use method 'crossing'"
        )
    return Expansion(bias, variance, loop, order)


def renormalise(kernel: Kernel, dimension: int, keep: int, ridge: float) -> tuple[Spectrum, float]:
    """The trimmed kernel: powers t^q with q <= keep, and the ridge that the others become.

    >>> from fieldtheory.model.network import Network
    >>> kernel = Network(depth=4).on_sphere(50)
    >>> trimmed, ridge = renormalise(kernel, dimension=50, keep=3, ridge=0.0)
    >>> round(ridge, 5), round(float(trimmed.eigenvalues[1]), 9)
    (0.01873, 0.000727389)
    """
    b = kernel.power_series(keep)
    lam = np.zeros(keep + 1)
    for l in range(keep + 1):
        s = np.arange((keep - l) // 2 + 1)
        lam[l] = np.sum(b[l::2] * np.exp(log_power_eigenvalue(dimension, l, s, xp=_Logarithms)))
    trimmed = Spectrum.of(lam, dimension)
    return trimmed, float(renormalised_ridge(ridge, kernel.trace, np.sum(b)))
