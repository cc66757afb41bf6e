"""A learning curve beyond the planar theory: successive orders, the ensemble, what is left out.

The planar theory has diagrams of one sample at a time, then come two and three at a time
(`crossing`). Each order is a self-consistent theory of its own; the gaps between them shrink, and
tell how large the next one is.

Where the highest modes are single ones and just being learnt (a handful of samples, or few
dimensions without a ridge), an order may have no solution, or one that is no small change of the
order before. There the curve stays with the order before, and says so: `Beyond.reached`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams import neglected
from fieldtheory.model.diagrams.crossing import Solution, solve
from fieldtheory.model.diagrams.fixed import Chosen, Smooth, interpolate, pieces
from fieldtheory.model.planar import effective_ridge, mode_errors
from fieldtheory.model.spectrum import Spectrum

RATIO = 1e-3  # to which the effect of third samples is interpolated
SMALL = ((0.5, 12.0), (0.5, 3.0))  # what two, then three, samples may do to the error as a factor
TAMED = 0.3  # the part of the error that the second order from Poisson to fixed may be
SLOWEST = 0.5  # ratio of successive gaps beyond which nothing is said about their sum
USUAL = {2: 0.7}  # that ratio where only one gap is known: the dimensions that need a larger one,
OTHERWISE = 0.35  # and all others


@dataclass(frozen=True, eq=False)
class Beyond:
    """Errors beyond the planar theory at each number of samples.

    bias, variance  (sizes, degrees) of the highest order; variance counts datasets and label noise
    learnability    (sizes, degrees) 1 - C_l/lam_l
    kappa           (sizes,) (s2 + c(1)) / samples, the effective ridge per sample
    orders          (clusters, sizes) total error with diagrams of 1, 2, ... samples at a time; an
                    order that is not reached repeats the one before
    reached         (sizes,) samples in the largest diagrams: 1, 2 or 3
    remainder       (sizes,) estimate of all higher orders together, with its sign
    ensemble        (sizes,) what the second order from Poisson to fixed adds to the total
    unresolved      (sizes,) part of s2 + c(1) in degrees that were not let cross
    """

    bias: Array
    variance: Array
    learnability: Array
    kappa: Array
    orders: Array
    reached: Array
    remainder: Array
    ensemble: Array
    unresolved: Array

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def error(self) -> Array:
        """(sizes,) mean squared test error."""
        return np.asarray(self.orders[-1])


def beyond(
    spectrum: Spectrum,
    power: Array,
    samples: Array,
    ridge: float,
    noise: float,
    *,
    clusters: int = 2,
    ensemble: str = "fixed",
) -> Beyond:
    """The curve with crossing diagrams of up to `clusters` samples, 2 or 3, and all lower orders.

    ridge     the whole of it: the task's own plus the tail of the spectrum
    noise     variance of the labels' noise
    ensemble  "fixed" number of samples, or "poisson"

    Raises `OutOfRegime` without a ridge at or beyond the number of modes.

    >>> line = Spectrum.of([0.3, 0.1, 0.02], dimension=4)
    >>> curve = beyond(line, np.array([0, 1.0, 1.0]), np.array([10.0, 20.0]), 0.05, 0.0)
    >>> curve.orders.round(4).tolist()
    [[0.6549, 0.0737], [0.7789, 0.1016]]
    """
    question = _Question(spectrum, power, ridge, noise)
    found = _Arrays(question, samples, clusters, ensemble)
    for two, inside in pieces(question.two, samples, question.most):
        found.enter(2, two, inside)
        some = samples[inside] if clusters == 3 else samples[:0]
        for factor, within in pieces(question.three_over_two, some, question.most, RATIO):
            if (factor.low, factor.high) != (two.low, two.high):
                two = interpolate(question.two, factor.low, factor.high)
            found.enter(3, two.times(factor), np.isin(samples, some[within]))
    return Beyond(**found.arrays)


class _Arrays:
    """The planar curve at first; better orders are entered where they hold."""

    def __init__(self, question: "_Question", samples: Array, clusters: int, ensemble: str) -> None:
        self.question, self.samples, self.ensemble = question, samples, ensemble
        spectrum, power, noise = question.spectrum, question.power, question.noise
        kappa = effective_ridge(spectrum, samples, question.ridge)
        bias, variance = mode_errors(spectrum, power, samples, kappa, noise)
        error = np.sum(bias + variance, axis=-1)
        gap = neglected.crossing(spectrum, power, samples, kappa)
        self.arrays = {
            "bias": bias,
            "variance": variance,
            "learnability": spectrum.eigenvalues / (spectrum.eigenvalues + kappa[:, None]),
            "kappa": kappa,
            "orders": np.repeat(error[None], clusters, axis=0),
            "reached": np.ones_like(samples),
            "remainder": 2 * gap * error,
            "ensemble": neglected.poisson(spectrum, power, samples, question.ridge, noise),
            "unresolved": np.zeros_like(samples),
        }

    def enter(self, order: int, curve: Smooth, chosen: Chosen) -> None:
        """The curve of that order at the chosen sizes."""
        into, samples = self.arrays, self.samples[chosen]
        average = curve.poisson(samples)
        found, correction = average, np.zeros_like(average)
        if self.ensemble == "fixed":
            found, correction = curve.fixed(samples)
            held = np.abs(correction[:, 0]) < TAMED * found[:, 0]
            average, found, correction = average[held], found[held], correction[held]
            samples, chosen = samples[held], chosen & np.isin(self.samples, samples[held])
        degrees = self.question.power.size
        left = found[:, -degrees:]
        into["bias"][chosen] = self.question.power * left**2
        into["variance"][chosen] = found[:, -2 * degrees : -degrees] - into["bias"][chosen]
        into["learnability"][chosen] = 1 - left
        into["kappa"][chosen] = average[:, 2] / samples
        into["unresolved"][chosen] = average[:, 3]
        into["ensemble"][chosen] = correction[:, 0]
        into["reached"][chosen] = order
        if order == 2:
            into["orders"][0, chosen] = found[:, 1]
        into["orders"][order - 1 :, chosen] = found[:, 0]
        logarithms = np.log(into["orders"][:order, chosen])
        usual = USUAL.get(self.question.spectrum.dimension, OTHERWISE)
        into["remainder"][chosen] = found[:, 0] * np.expm1(_continued(logarithms, usual))


def _continued(logarithms: Array, usual: float) -> Array:
    """The sum of all further gaps: a geometric series (Aitken), of a ratio of at most SLOWEST; gaps
    that change sign are given the last one's."""
    gaps = np.diff(logarithms, axis=0)
    if len(gaps) == 1:
        return np.asarray(gaps[0] * usual / (1 - usual))
    ratio = gaps[1] / np.where(gaps[0] == 0, 1, gaps[0])
    ratio = np.minimum(np.abs(ratio), SLOWEST)
    return np.asarray(gaps[1] * ratio / (1 - ratio))


@dataclass(frozen=True, eq=False)
class _Question:
    """What is asked at any number of samples; NaN where an order does not hold."""

    spectrum: Spectrum
    power: Array
    ridge: float
    noise: float

    @property
    def most(self) -> float:
        """The number of samples that no interpolation may reach."""
        spectrum = self.spectrum
        if self.ridge > 0:
            return np.inf
        return float(np.sum(spectrum.counts[spectrum.eigenvalues > 0]))

    def two(self, eta: Array, start: Array | None) -> tuple[Array, Array]:
        """Total error of two samples and of the planar theory, s2 + c(1), unresolved part, error
        per degree, C_l/lam_l; and the self-energies."""
        return _row_by_row(self._two, eta, start)

    def three_over_two(self, eta: Array, start: Array | None) -> tuple[Array, Array]:
        """What three samples do to each of these, as a factor."""
        return _row_by_row(self._three_over_two, eta, start)

    def _two(self, eta: Array, start: Array | None) -> tuple[Array, Array]:
        kappa = effective_ridge(self.spectrum, eta, self.ridge)
        planar = np.sum(
            mode_errors(self.spectrum, self.power, eta, kappa, self.noise), axis=(0, -1)
        )
        solution = solve(self.spectrum, eta, self.ridge, start=start)
        total, *others = self._columns(solution)
        held = _held(total[:, 0] / planar, SMALL[0])
        values = np.hstack([total, planar[:, None], *others])
        return np.where(held, values, np.nan), np.array(solution.self_energy)

    def _three_over_two(self, eta: Array, start: Array | None) -> tuple[Array, Array]:
        two = solve(self.spectrum, eta, self.ridge)
        three = two.with_thirds(start)
        pairs = zip(self._columns(three), self._columns(two), strict=True)
        total, *others = (np.where(b > 0, a / np.where(b > 0, b, 1), 1) for a, b in pairs)
        values = np.hstack([total, np.ones_like(total), *others])
        return np.where(_held(total[:, 0], SMALL[1]), values, np.nan), np.array(three.self_energy)

    def _columns(self, solution: Solution) -> tuple[Array, ...]:
        modes = solution.error(self.power)
        if self.noise:
            modes = modes + self.noise * solution.noise
        total, unresolved = np.sum(modes, axis=-1), solution.unresolved
        left = solution.residual_share
        return total[:, None], solution.state.loop, unresolved[:, None], modes, left


def _held(factor: Array, between: tuple[float, float]) -> np.ndarray[Any, Any]:
    return ((factor > between[0]) & (factor < between[1]))[:, None]


def _row_by_row(
    evaluate: Callable[[Array, Array | None], tuple[Array, Array]],
    eta: Array,
    start: Array | None,
) -> tuple[Array, Array]:
    """All at once, or, if some have no solution, one after the other to see which."""
    try:
        return evaluate(eta, start)
    except OutOfRegime:
        if len(eta) == 1:
            raise
    rows: list[tuple[Array, Array] | None] = []
    for i in range(len(eta)):
        try:
            rows.append(evaluate(eta[i : i + 1], None if start is None else start[i : i + 1]))
        except OutOfRegime:
            rows.append(None)
    first = next((row for row in rows if row is not None), None)
    if first is None:
        return np.full((len(eta), 1), np.nan), np.full((len(eta), 1), np.nan)
    lost = np.full_like(first[0], np.nan), np.full_like(first[1], np.nan)
    kept = [lost if row is None else row for row in rows]
    return np.vstack([row[0] for row in kept]), np.vstack([row[1] for row in kept])
