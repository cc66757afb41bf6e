r"""Early stopping: the test error along gradient flow or gradient descent, in the planar theory.

.. math:: \frac{df_t}{dt} = k^T (y - f_t(X)) - s_2 f_t, \quad f_0 = 0: \qquad
          f_t = k^T q_t(K + s_2)\, y, \quad q_t(z) = \frac{1 - e^{-tz}}{z}

A filter of the kernel matrix is a sum of ridge regressions at complex ridges, and the planar theory
knows the covariance of any two of these: `resolvent`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured
from fieldtheory.ground.version import __version__
from fieldtheory.model.diagrams import continued, featureless, neglected
from fieldtheory.model.diagrams.crossing import solve
from fieldtheory.model.modes import Spectral, aligned
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.planar.resolvent import FEW, Contour, filtered, largest_eigenvalue
from fieldtheory.model.spectrum import Spectrum

Complex = npt.NDArray[np.complex128]
NODES = 16, 12  # in the upper half plane: of the answer, and of the check
NEGLIGIBLE = 1e-13
FAR = 60 * np.log(10)  # beyond, powers of kappa leave the range of float64
ENTRIES = 2_000_000  # complex numbers of one array at a time
SHOWN = 12
RIDGES = 8  # at which crossing diagrams are asked for, at most
LATER = 3.0  # times a time: flow leaves less of a mode, e^-x, than ridge regression does, 1/(1 + x)
FACTOR = 1e3  # by which they may change it, or it is not believed


@dataclass(frozen=True, eq=False)
class StoppedCurve(Pictured):
    """Mean squared test error against the time of training, for each number of samples.

    samples      (sizes,) N
    times        (times,) of gradient flow at unit rate, or numbers of updates of gradient descent
    bias         (sizes, times) error of the mean predictor
    variance     (sizes, times) variance over datasets and label noise
    learnt       (sizes, times, kinds) fraction of each kind of mode that the mean predictor has
    uncertainty  (sizes, times) estimate of the error of the prediction itself
    step         learning rate of gradient descent; 0 for gradient flow

    The errors are clean: the noise of the test label is not counted.
    """

    samples: Array
    times: Array
    bias: Array
    variance: Array
    learnt: Array
    uncertainty: Array
    step: float
    version: str = __version__

    def __post_init__(self) -> None:
        shape = (self.samples.size, self.times.size)
        for name in ("samples", "times", "bias", "variance", "learnt", "uncertainty"):
            array = frozen(getattr(self, name))
            if array.ndim > 1 and array.shape[:2] != shape:
                raise InvalidInput(f"{name} has shape {array.shape}, expected {shape}")
            if not np.all(np.isfinite(array)):
                raise InvalidInput(f"{name} is not finite: the contour integral broke down")
            object.__setattr__(self, name, array)

    @property
    def error(self) -> Array:
        """(sizes, times) mean squared test error."""
        return np.asarray(self.bias + self.variance)

    @property
    def best_time(self) -> Array:
        """(sizes,) of the times asked, the one of least error."""
        return np.asarray(self.times[np.argmin(self.error, axis=-1)])

    @property
    def best_error(self) -> Array:
        """(sizes,) the error there."""
        return np.asarray(np.min(self.error, axis=-1))

    def to_dict(self) -> dict[str, Any]:
        """The curve as plain data."""
        arrays = ("times", "error", "bias", "variance", "uncertainty", "best_time", "best_error")
        return {
            "samples": [int(n) if n.is_integer() else float(n) for n in self.samples],
            **{name: getattr(self, name).tolist() for name in arrays},
            "step": self.step,
            "version": self.version,
        }

    def picture(self) -> Picture:
        """Error against time, one line for each number of samples."""
        seen = self.times > 0  # a logarithmic axis has no zero
        rows = zip(self.samples, self.error, self.uncertainty, strict=True)
        lines = tuple(
            Line(f"{n:g} samples", self.times[seen], error[seen], spread=spread[seen])
            for n, error, spread in rows
        )
        return Picture(
            "early stopping; all non-crossing diagrams",
            self._clock,
            "mean squared test error",
            lines,
            logarithmic=("x", "y"),
        )

    @property
    def _clock(self) -> str:
        return f"updates of step {self.step:g}" if self.step else "time"

    def _rows(self) -> list[tuple[str, ...]]:
        pick = np.unique(np.linspace(0, self.times.size - 1, SHOWN).astype(int))
        head = (cell for n in self.samples for cell in (f"N = {n:g}", "+-"))
        rows = [(self._clock, *head)]
        for k in pick:
            pairs = zip(self.error[:, k], self.uncertainty[:, k], strict=True)
            cells = (cell for error, off in pairs for cell in (f"{error:.4g}", f"{off:.1g}"))
            rows.append((f"{self.times[k]:.6g}", *cells))
        rows.append(("best", *(cell for t in self.best_time for cell in (f"at {t:.4g}", ""))))
        return rows

    def _head(self) -> str:
        error = np.where(self.error > 0, self.error, 1)
        worst = 100 * float(np.max(self.uncertainty / error))
        return f"early stopping: all non-crossing diagrams; estimated error at most {worst:.2g} %"

    def __str__(self) -> str:
        return "\n".join([self._head(), *aligned(self._rows())])

    def _repr_html_(self) -> str:
        head, *body = self._rows()
        top = "".join(f"<th>{cell}</th>" for cell in head)
        lines = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body
        )
        return f"<p>{self._head()}</p><table><tr>{top}</tr>{lines}</table>"


def stopped(
    spectrum: Spectral,
    power: Array,
    samples: Array,
    ridge: float,
    noise: float,
    times: Array,
    *,
    step: float = 0.0,
) -> StoppedCurve:
    """The planar test error along training, at any times.

    power    (kinds,) of the target in each kind of mode
    samples  (sizes,) N
    ridge    the task's own; the tail of the spectrum is added here
    noise    variance of the labels' noise
    times    (times,) of gradient flow at unit rate on 1/2 sum (f - y)^2 + ridge/2 |f|^2, zero or
             positive; with `step` numbers of updates
    step     learning rate of gradient descent instead of gradient flow

    `uncertainty` adds what the contour integral, crossing diagrams and the change from a Poisson to
    a fixed number of samples may be; the last two are those of ridge regression at a ridge larger
    by 1/time, which learns about as much. On the sphere the crossing diagrams are also summed, at
    eight such ridges, and what they do there counts where it is more.

    Raises `InvalidInput` for a malformed question and `OutOfRegime` for a step beyond which descent
    diverges.

    >>> from fieldtheory.model.modes import Modes
    >>> modes, power = Modes.of([0.5, 0.02], multiplicities=[1, 20]), np.array([1.0, 1.0])
    >>> curve = stopped(modes, power, np.array([10.0]), 0.0, 0.1, np.array([0, 1, 10, 100]))
    >>> curve.error.round(4).tolist(), curve.best_time.tolist()
    ([[2.0, 0.8714, 0.6865, 0.7043]], [10.0])
    """
    question = _Question(
        spectrum,
        checks.powers("power", power),
        checks.variance("ridge", ridge) + spectrum.tail,
        checks.variance("noise", noise),
        checks.powers("times", times),
        checks.variance("step", step),
    )
    N = checks.powers("samples", samples)
    question.check(N)
    answer = [question.at(float(n), NODES[0]) for n in N]
    again = [question.at(float(n), NODES[1]) for n in N]
    left, bias, variance = (np.array(part) for part in zip(*answer, strict=True))
    numerical = np.abs(bias + variance - np.array([row[1] + row[2] for row in again]))
    unsure = numerical + question.left_out(N) * (bias + variance)
    return StoppedCurve(N, question.times, bias, variance, 1 - left, unsure, question.step)


@dataclass(frozen=True, eq=False)
class _Question:
    """What is asked at any number of samples."""

    spectrum: Spectral
    power: Array
    ridge: float
    noise: float
    times: Array
    step: float

    def check(self, samples: Array) -> None:
        """Raises for what has no answer."""
        kinds, t = self.spectrum.eigenvalues.size, self.times
        if np.any(samples == 0) or self.power.size != kinds:
            raise InvalidInput(
                f"samples {samples.tolist()}, power of length {self.power.size}: give sizes above "
                f"0 and one power for each of the {kinds} eigenvalues"
            )
        if not np.any(t > 0):
            raise InvalidInput(f"times = {t.tolist()}: give at least one above 0")
        scaled = t[t > 0] * (self.step or 1.0) * self.spectrum.trace
        if np.max(np.abs(np.log(scaled))) > FAR:
            raise OutOfRegime(
                f"times {t[t > 0].min():g} to {t.max():g}, kernel of trace "
                f"{self.spectrum.trace:g}: give times whose product with it is between 1e-60 and "
                "1e60"
            )
        if self.step:
            ends = [largest_eigenvalue(self.spectrum, float(n), self.ridge) for n in samples]
            self._check_updates(max(ends))

    def _check_updates(self, largest: float) -> None:
        counts, step = self.times, self.step
        if np.any(counts != np.round(counts)):
            raise InvalidInput("times are numbers of updates, as a step is given: whole numbers")
        if step * largest >= 2:
            raise OutOfRegime(
                f"step = {step:g}: gradient descent diverges, as the largest eigenvalue of the "
                f"kernel matrix is about {largest:.4g}. Pass a step below {2 / largest:.4g}"
            )
        swing = max(step * largest - 1, 0.0)
        if np.any(swing ** counts[counts > FEW] > NEGLIGIBLE):
            raise OutOfRegime(
                f"step = {step:g}: the highest modes still swing after {FEW} updates. Pass a step "
                f"below {(1 + NEGLIGIBLE ** (1 / FEW)) / largest:.4g}, or at most {FEW} updates"
            )

    def at(self, samples: float, nodes: int) -> tuple[Array, Array, Array]:
        """Fraction left of each mode, (times, kinds); bias and variance, (times,)."""
        kinds = self.power.size
        left, bias = np.ones((self.times.size, kinds)), np.full(self.times.size, self.power.sum())
        variance = np.zeros(self.times.size)
        for rows in self._batches(nodes):
            times = self.times[rows]
            if self.step:
                contour = Contour.descent(times, self.step, nodes)
            else:
                contour = Contour.flow(times, nodes)
            rest, variance[rows] = filtered(
                self.spectrum, self.power, samples, self.noise, self.ridge, contour
            )
            left[rows], bias[rows] = rest, rest**2 @ self.power
        return left, bias, variance

    def _batches(self, nodes: int) -> list[npt.NDArray[np.intp]]:
        """Indices of times, above zero, that share a kind of contour and fit into memory."""
        if self.step:
            few = np.flatnonzero((self.times > 0) & (self.times <= FEW))
            batches = [few[k : k + 1] for k in range(few.size)]
            rest = np.flatnonzero(self.times > FEW)
        else:
            batches, rest = [], np.flatnonzero(self.times > 0)
        size = max(1, ENTRIES // (nodes * self.power.size))
        return batches + [rest[k : k + size] for k in range(0, rest.size, size)]

    def left_out(self, samples: Array) -> Array:
        """(sizes, times) estimate of what the planar theory leaves out, relative to the error."""
        found = np.zeros((samples.size, self.times.size))
        modes, power = self.spectrum, self.power
        spread = power if np.any(power) else modes.counts * modes.eigenvalues
        for k in np.flatnonzero(self.times > 0):
            ridge = self._as_late(self.times[k])
            kappa = effective_ridge(modes, samples, ridge)
            bias, variance = mode_errors(modes, power, samples, kappa, self.noise)
            total = np.sum(bias + variance, axis=-1)
            change = neglected.poisson(modes, power, samples, ridge, self.noise)
            if isinstance(modes, Spectrum):
                words = neglected.crossing(modes, spread, samples, kappa)
            else:
                words = featureless.crossing(modes, spread, samples, kappa)
            found[:, k] = np.abs(change) / np.where(total > 0, total, 1) + 2 * np.abs(words)
        if isinstance(modes, Spectrum):
            found = np.maximum(found, self._crossed(modes, samples))
        return found

    def _as_late(self, time: float) -> float:
        """The ridge at which regression has learnt about as much as training after that time."""
        return self.ridge + 1 / (time * (self.step or 1.0))

    def _crossed(self, spectrum: Spectrum, samples: Array) -> Array:
        """(sizes, times) what crossing diagrams do to the error of that ridge regression, relative:
        at a few times, and between them by the logarithm of time."""
        at = np.flatnonzero(self.times > 0)
        some = at[np.argsort(self.times[at])]
        some = some[np.unique(np.linspace(0, some.size - 1, RIDGES).astype(int))]
        asked, late = (self.power, self.noise, samples), LATER * self.times[some]
        found = np.array([crossed_share(spectrum, *asked, self._as_late(t)) for t in late])
        share = np.zeros((samples.size, self.times.size))
        for row, values in zip(share, found.T, strict=True):
            row[at] = np.interp(np.log(self.times[at]), np.log(self.times[some]), values)
        return share


def crossed_share(
    spectrum: Spectrum, power: Array, noise: float, samples: Array, ridge: float
) -> Array:
    """(sizes,) what crossing diagrams do to the planar error of ridge regression, as a share of it:
    those of two samples, and all higher ones as far as these tell. What the noise adds goes the
    other way, and counts on its own; 0 where they have no solution.

    >>> line, N = Spectrum.of([0.3, 0.1, 0.02], dimension=4), np.array([10.0, 20.0])
    >>> crossed_share(line, np.array([0, 1.0, 1.0]), 0.0, N, 0.05).round(2).tolist()
    [0.23, 0.7]
    """
    try:
        solution = solve(spectrum, samples, ridge)
        parts = solution.error(power), noise * solution.noise
    except OutOfRegime:
        each = range(samples.size if samples.size > 1 else 0)
        rows = [crossed_share(spectrum, power, noise, samples[i : i + 1], ridge) for i in each]
        return np.concatenate(rows) if rows else np.zeros(samples.size)
    kappa = effective_ridge(spectrum, samples, ridge)
    change, total = np.zeros(samples.size), np.zeros(samples.size)
    for part, target, variance in zip(parts, (power, 0 * power), (0.0, noise), strict=True):
        planar = np.sum(mode_errors(spectrum, target, samples, kappa, variance), axis=(0, -1))
        crossed = np.sum(part, axis=-1)
        some = (planar > 0) & (crossed > planar / FACTOR) & (crossed < planar * FACTOR)
        orders = np.where(some, [planar, crossed], 1.0)
        more = orders[1] * np.expm1(continued.left(orders, spectrum.dimension))
        change += np.where(some, np.abs(crossed - planar) + more, 0.0)
        total += planar
    return np.asarray(change / np.where(total > 0, total, 1))
