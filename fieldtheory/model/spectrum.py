"""The spectrum of a zonal kernel: one eigenvalue per degree, each with its own error."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.kernel import Kernel, checked
from fieldtheory.model.measures.projection import by_harmonics, by_series
from fieldtheory.model.measures.sphere import multiplicity, zonal
from fieldtheory.model.network import Layers

RESOLVED = 1e-6  # the largest relative error of an eigenvalue that is kept
DOUBTFUL = 1e-9  # relative error of the accurate road beyond which the plain one is asked too
DIMENSION_AT_MOST = 10**7  # beyond it the measure is narrower than the nodes are close
RUN = 8  # degrees lost one after the other that end the list
MODES = 1e7  # far more modes than samples: what lies beyond them acts as ridge
STEEP = 0.99  # a cosine: a kernel that falls by half before it is a peak next to t = 1
EPS = float(np.finfo(float).eps)
FORGOTTEN = 1e-6  # relative variation of a kernel below which it is called constant
DEGREES_AT_LEAST, DEGREES_AT_MOST = 48, 4096
SERIES_AT_MOST = 64, 256  # degrees up to which the accurate series is used: unasked, when asked
MULTIPLICITY_AT_MOST = 1e280  # beyond it a multiplicity leaves the range of float64


@dataclass(frozen=True, eq=False)
class Spectrum(Pictured, Printed):
    """Eigenvalues lam_l of a kernel on S^(dimension - 1), degree l = 0, 1, ...

    `eigenvalues` and `errors` have one entry per degree; `errors` bounds the absolute error of each
    (quadrature and rounding). `trace` is K(1); what the listed degrees leave of it is `tail`, which
    every prediction folds into the ridge. `precise` holds decimal strings when more than float64
    was asked for.

    >>> spectrum = Spectrum.of([0.3, 0.05, 0.004], dimension=5)
    >>> spectrum.multiplicities, round(spectrum.trace, 3)
    ((1, 5, 14), 0.606)
    """

    dimension: int
    eigenvalues: Array
    errors: Array
    trace: float
    name: str = "given eigenvalues"
    precise: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checks.count("dimension", self.dimension, least=2)
        lam = checks.powers("eigenvalues", self.eigenvalues)
        errors = checks.powers("errors", self.errors)
        if lam.shape != errors.shape:
            raise InvalidInput(
                f"{lam.size} eigenvalues but {errors.size} errors: give one for each"
            )
        if not np.any(lam > 0):
            raise InvalidInput("every eigenvalue is zero: such a kernel learns nothing")
        object.__setattr__(self, "eigenvalues", frozen(lam))
        object.__setattr__(self, "errors", frozen(errors))
        if self.trace < np.sum(self.counts * lam) - 1e-9 * self.trace:
            raise InvalidInput(
                f"sum of multiplicity * eigenvalue = {np.sum(self.counts * lam):g} exceeds "
                f"K(1) = {self.trace:g}: the kernel is not positive"
            )

    @staticmethod
    def of(eigenvalues: Sequence[float] | Array, dimension: int) -> "Spectrum":
        """A spectrum given by its eigenvalues, exact and without a tail."""
        lam = checks.powers("eigenvalues", eigenvalues)
        d = checks.count("dimension", dimension, least=2)
        if any(multiplicity(d, l) > MULTIPLICITY_AT_MOST for l in range(lam.size)):
            raise InvalidInput(
                f"{lam.size} degrees in dimension {d}: multiplicities leave the range of float64; "
                "give fewer degrees"
            )
        counts = [float(multiplicity(d, l)) for l in range(lam.size)]
        return Spectrum(d, lam, np.zeros_like(lam), float(np.dot(counts, lam)))

    @cached_property
    def multiplicities(self) -> tuple[int, ...]:
        """Number of modes of each degree, exact."""
        return tuple(multiplicity(self.dimension, l) for l in range(self.eigenvalues.size))

    @cached_property
    def counts(self) -> Array:
        """The multiplicities as floats."""
        return frozen([float(n) for n in self.multiplicities])

    @cached_property
    def tail(self) -> float:
        """K(1) minus the listed degrees: the variance of everything not resolved."""
        rest = self.trace - float(np.sum(self.counts * self.eigenvalues))
        rounding = 8 * EPS * self.trace
        return rest if rest > rounding + float(np.sum(self.counts * self.errors)) else 0.0

    @cached_property
    def tail_eigenvalue(self) -> float:
        """An upper bound of any eigenvalue in the tail."""
        next_degree = float(multiplicity(self.dimension, self.eigenvalues.size))
        return min(float(self.eigenvalues[self.eigenvalues > 0][-1]), self.tail / next_degree)

    def kernel(self) -> Kernel:
        """The kernel sum_l deg(l) lam_l P_l(t), without the tail."""
        coefficients = self.counts * self.eigenvalues
        return Kernel(self.name, lambda t, xp: zonal(self.dimension, coefficients, t))

    def to_dict(self) -> dict[str, Any]:
        """The spectrum as plain data; multiplicities, exact, as strings."""
        return {
            "dimension": self.dimension,
            "eigenvalues": self.eigenvalues.tolist(),
            "errors": self.errors.tolist(),
            "multiplicities": [str(n) for n in self.multiplicities],
            "tail": self.tail,
            "trace": self.trace,
            "name": self.name,
            "version": __version__,
            **({"precise": list(self.precise)} if self.precise else {}),
        }

    def picture(self) -> Picture:
        """Each degree's eigenvalue, and its share multiplicity * eigenvalue of K(1)."""
        seen = np.flatnonzero(self.eigenvalues > 0)
        lam, counts, degrees = self.eigenvalues[seen], self.counts[seen], seen.astype(float)
        lines = (
            Line("multiplicity x eigenvalue", degrees, counts * lam, points=True),
            Line("eigenvalue", degrees, lam, points=True),
        )
        title = f"spectrum of {self.name} on S^{self.dimension - 1}"
        return Picture(title, "degree", "part of K(1)", lines, logarithmic=("y",))

    def __str__(self) -> str:
        values = self.precise or tuple(f"{lam:.10e}" for lam in self.eigenvalues)
        wide = max(16, *map(len, values))
        rows = [
            f"{l:>6d}  {n!s:>24s}  {value:<{wide}s}  {self._relative(l):>8s}"
            for l, (n, value) in enumerate(zip(self.multiplicities, values, strict=True))
        ]
        shown = rows if len(rows) <= 24 else [*rows[:20], f"{'...':>6s}", *rows[-3:]]
        return "\n".join(
            [
                f"spectrum of {self.name} on S^{self.dimension - 1}",
                f"{'degree':>6s}  {'multiplicity':>24s}  {'eigenvalue':<{wide}s}  rel. error",
                *shown,
                f"K(1) = {self.trace:.10g}, of which beyond these degrees {self.tail:.4g}",
            ]
        )

    def _relative(self, l: int) -> str:
        if self.eigenvalues[l] == 0:
            return "zero" if self.errors[l] == 0 else f"<{self.errors[l]:.0e}"
        return f"{self.errors[l] / self.eigenvalues[l]:.0e}"


def spectrum(
    kernel: Kernel,
    dimension: int,
    degrees: int | None = None,
    modes: float = MODES,
    accurate: bool = True,
) -> Spectrum:
    r"""Eigenvalues of a zonal kernel in float64, with a bound on the error of each.

    .. math:: \lambda_l = E_t[K(t) P_l(t)]

    Without `degrees` it lists at least 48 degrees and then as many as hold `modes` modes, at most
    4096, ending where float64 loses an eigenvalue (relative error above 1e-6). With `degrees` the
    eigenvalues 0 .. degrees are returned, or `OutOfRegime` says how far float64 reaches. How the
    eigenvalues are found is told in `projection`: `accurate=False` takes its faster road, ample
    for searches. `precise_spectrum` gives more digits.

    Raises `InvalidInput` for what is no `Kernel`, and for one that is not positive or not finite.

    >>> kernel = Kernel("linear", lambda t, xp: 1 + t)
    >>> spectrum(kernel, dimension=4, degrees=1).eigenvalues.round(12).tolist()
    [1.0, 0.25]
    """
    checked(kernel)
    d = checks.count("dimension", dimension, least=2)
    wanted = checks.count("degrees", degrees) if degrees is not None else None
    if d > DIMENSION_AT_MOST or (wanted or 0) > DEGREES_AT_MOST:
        raise OutOfRegime(
            f"dimension {d}, degrees {degrees}: quadrature reaches dimension {DIMENSION_AT_MOST} "
            f"and degree {DEGREES_AT_MOST}; ask for less"
        )
    last = _last_degree(d, modes, wanted)
    lam, errors = _project(kernel, d, last, SERIES_AT_MOST[wanted is not None] if accurate else -1)
    keep = _resolved(lam, errors)
    if not np.any(errors < RESOLVED * np.abs(lam)):  # of either sign
        _refuse_unresolved(kernel, d)
    _refuse_negative(kernel, lam[: keep + RUN], errors[: keep + RUN])
    if keep <= 1 < lam.size or not np.any(lam[:keep] > errors[:keep]):
        _refuse_unresolved(kernel, d)
    if wanted is not None and wanted > last:
        raise OutOfRegime(
            f"dimension {d}, degree {wanted}: the multiplicity leaves the range of float64 beyond "
            f"degree {last}; ask for at most that degree"
        )
    if wanted is not None and keep <= wanted and np.any(lam[keep:] > errors[keep:]):
        raise OutOfRegime(
            f"spectrum of {kernel.name}, dimension {d}: float64 resolves the eigenvalues up to "
            f"degree {keep - 1}, degree {wanted} was asked; ask precise_spectrum for more digits"
        )
    keep = keep if wanted is None else wanted + 1
    lam, errors = lam[:keep], errors[:keep]
    lost = lam <= errors  # not distinguishable from zero: its share stays in the tail
    return Spectrum(d, np.where(lost, 0.0, lam), errors, kernel.trace, kernel.name)


def _project(kernel: Kernel, dimension: int, last: int, series: int) -> tuple[Array, Array]:
    """The accurate road where it is affordable and open, else the plain one; or each where it is
    the better of the two: on the circle the ends carry weight, and series break down there."""
    better, best = np.zeros(last + 1), np.full(last + 1, np.inf)
    if last <= series:
        better, best = by_series(kernel, dimension, last)
        if np.all(best <= DOUBTFUL * np.abs(better)):
            return better, best
    lam, errors = by_harmonics(kernel, dimension, last)
    lam, errors = np.where(errors < best, lam, better), np.minimum(errors, best)
    if not np.all(np.isfinite(errors)):
        raise InvalidInput(f"kernel {kernel.name!r} is not finite at every cosine in [-1, 1]")
    return lam, errors


def _refuse_negative(kernel: Kernel, lam: Array, errors: Array) -> None:
    if np.any(lam < -errors):
        l = int(np.flatnonzero(lam < -errors)[0])
        raise InvalidInput(
            f"kernel {kernel.name!r} is not positive: eigenvalue {lam[l]:.3e} at degree {l}"
        )


def variation(kernel: Kernel) -> float:
    """|K(1) - K(0)| / K(1): by how much of itself it differs between inputs at right angles."""
    return abs(kernel.trace - float(kernel(0.0))) / kernel.trace


def _refuse_unresolved(kernel: Kernel, dimension: int) -> None:
    """A kernel that hardly depends on its inputs has no spectrum that float64 could see, nor one
    that is a mean and a peak narrower than any harmonic."""
    spread = variation(kernel)
    near = abs(kernel.trace - float(kernel(STEEP))) / kernel.trace
    if spread > FORGOTTEN and near < spread / 2:
        raise OutOfRegime(
            f"{kernel.name}, dimension {dimension}: float64 knows no eigenvalue to {RESOLVED:g} of "
            "itself. The kernel has a kink or a jump away from t = 1 and -1, or is cut short (an "
            "activation of your own that jumps), or loses its digits over many layers: write it in "
            'parts that are smooth, take an activation with a closed form, like "step", or reduce '
            "the depth"
        )
    if spread > FORGOTTEN:
        advice = "Such a kernel tells all inputs apart, as noise would: take a longer length"
        if isinstance(kernel.function, Layers):
            advice = (
                "So deep a network tells all inputs apart, as noise would: reduce the depth or the "
                "weight variance, or move towards criticality (see depth_flow)"
            )
        raise OutOfRegime(
            f"{kernel.name}, dimension {dimension}: K falls so steeply next to t = 1 (by "
            f"{spread:.1g} K(1) at right angles) that float64 resolves no more than its mean. "
            f"{advice}"
        )
    if spread > 0:
        raise forgetful(kernel, dimension)


def forgetful(kernel: Kernel, dimension: int) -> OutOfRegime:
    """What is said of a kernel that float64 cannot tell from a constant."""
    advice = "Such a kernel forgets its inputs: take a shorter length, or less of a constant"
    if isinstance(kernel.function, Layers):
        relu = kernel.function.network.phi.name == "relu"
        critical = "; ReLU: weight_variance 2, bias_variance 0" if relu else ""
        advice = (
            "So deep a network forgets its inputs: reduce the depth or the bias, or move towards "
            f"criticality (see depth_flow{critical})"
        )
    most = max(variation(kernel), EPS)
    return OutOfRegime(
        f"{kernel.name}, dimension {dimension}: over the sphere it varies by no more than "
        f"{most:.1g} of itself, and float64 resolves only its mean. {advice}; precise_spectrum has "
        "the digits"
    )


def _last_degree(dimension: int, modes: float, wanted: int | None) -> int:
    total, l = 0, 0
    while multiplicity(dimension, l) < MULTIPLICITY_AT_MOST:
        total += multiplicity(dimension, l)
        enough = (l >= DEGREES_AT_LEAST and total >= modes) or l >= DEGREES_AT_MOST
        if enough if wanted is None else l == wanted:
            return l
        l += 1
    return l - 1


def _resolved(lam: Array, errors: Array) -> int:
    """Number of leading degrees to keep: up to the first run of RUN that float64 loses.

    Isolated losses are kept: kernels with a parity have true zeros at every second degree.
    """
    good = np.flatnonzero(errors <= RESOLVED * lam)
    if good.size == 0:
        return 0
    gaps = np.flatnonzero(np.diff(good) > RUN)
    return int(good[gaps[0]] if gaps.size else good[-1]) + 1
