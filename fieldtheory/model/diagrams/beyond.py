"""A learning curve beyond the planar theory: successive orders, the ensemble, what is left out.

The planar theory has diagrams of one sample at a time, then come two and three at a time
(`crossing`). Each order is a self-consistent theory of its own; the gaps between them shrink, and
tell how large the next ones are (`continued`). One sample and two need no series (`few`).

Where the highest modes are single ones and just being learnt (a handful of samples, or few
dimensions without a ridge), an order may have no solution, or one that is no small change of the
order before. There the curve stays with the order before, and says so: `Beyond.reached`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams import continued, neglected
from fieldtheory.model.diagrams.cluster import nodes
from fieldtheory.model.diagrams.crossing import Solution, solve
from fieldtheory.model.diagrams.few import MOST, few, has_mean
from fieldtheory.model.diagrams.fixed import WIDEST, Chosen, Smooth, Unsmooth, interpolate, pieces
from fieldtheory.model.diagrams.fourth import sites as sets_of_four
from fieldtheory.model.diagrams.medium import grid
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.spectrum import Spectrum

RATIO = 5e-4  # to which the effect of third and fourth samples is interpolated
NEGLIGIBLE = 1e-6  # effect of second samples below which third ones are not looked for
SMALL = ((0.5, 1e3), (0.5, 3.0))  # what two, then more, samples may do to the error as a factor
TAMED = 0.3  # the part of the error that the second order from Poisson to fixed may be
TORN = 1e-2  # the part of the error by which the sum of its parts may miss it
UNEVEN = 1e-3  # the part of the error below minus which no degree's variance may be


@dataclass(frozen=True, eq=False)
class Beyond:
    """Errors beyond the planar theory at each number of samples.

    bias, variance  (sizes, degrees) what each degree adds to the error; variance counts datasets
                    and label noise
    learnability    (sizes, degrees) 1 - C_l/lam_l of the highest order
    kappa           (sizes,) (s2 + c(1)) / samples, the effective ridge per sample
    orders          (clusters, sizes) total error with diagrams of 1, 2, ... samples at a time; an
                    order that is not reached repeats the one before
    reached         (sizes,) samples in the largest diagrams: 1 to 4
    resummed        (sizes,) what the continued series of the last three orders adds to the last
    remainder       (sizes,) size of what is left of all higher orders, zero or positive
    ensemble        (sizes,) what the second order from Poisson to fixed adds to the total
    unresolved      (sizes,) part of s2 + c(1) in degrees that were not let cross
    """

    bias: Array
    variance: Array
    learnability: Array
    kappa: Array
    orders: Array
    reached: Array
    resummed: Array
    remainder: Array
    ensemble: Array
    unresolved: Array

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def error(self) -> Array:
        """(sizes,) mean squared test error."""
        return np.asarray(self.orders[-1] + self.resummed)


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
    """The curve with crossing diagrams of up to `clusters` samples, 2 to 4, and all lower orders.

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
    asked = samples if noise or np.any(power) else samples[:0]  # no error without either
    for two, inside in pieces(question.two, asked, question.most):
        found.enter(2, two, inside)
        some = samples[inside & ~found.planar]
        factors = (question.three_over_two, question.four_over_two)
        for order, over in zip(range(3, clusters + 1), factors, strict=False):
            for factor, within in pieces(over, some, question.most, RATIO):
                if factor.low < two.low or factor.high > two.high:
                    try:
                        two = interpolate(question.two, factor.low, factor.high)
                    except Unsmooth:  # beyond the sizes themselves
                        continue
                curve = two.joined(factor, question.higher)
                found.enter(order, curve, np.isin(samples, some[within]))
    return found.finished()


def cost(spectrum: Spectrum, samples: Array, clusters: int) -> float:
    """Operations that `beyond` needs at these sizes: a billion take a core about a second.

    Within a factor of three where the curve is as smooth as usual; more where pieces of it have to
    be tried again (a few samples, few dimensions, ranges beyond a million). The counts of nodes and
    of steps to a solution are typical ones, measured.

    >>> lines = Spectrum.of([0.5, 0.1, 0.02], dimension=4)
    >>> [round(cost(lines, np.array([10.0, 1000.0]), k) / 1e9, 2) for k in (2, 3)]
    [0.05, 0.59]
    """
    resolved, points = grid(spectrum)
    polar, turning = nodes(spectrum.dimension)
    spread = float(np.log(np.max(samples) / np.min(samples)))
    parts = max(1, int(np.ceil(spread / WIDEST)))
    two = 5e7 + 20 * 5.5 * points * (2 * resolved + 100)  # nodes, steps, degrees at the angles
    if clusters == 2:
        return parts * two
    sites = polar * (polar + 1) * turning
    three = 800 * sites + 2 * polar * (9e4 + 100 * points)
    total = parts * (2 * two + 20 * three)
    if clusters == 4:
        total += parts * 25 * (three + 4.5e4 * sets_of_four(spectrum.dimension))
    return total


PARTS = 2  # of the error: of the target, of the label noise
TOTAL, PLANAR, WHOLE, LOOP, UNRESOLVED, FURTHER = 0, 1, 3, 5, 6, 7  # columns of `_Question.two`


class _Arrays:
    """The planar curve at first; better orders are entered where they hold."""

    def __init__(self, question: "_Question", samples: Array, clusters: int, ensemble: str) -> None:
        self.question, self.samples, self.ensemble = question, samples, ensemble
        spectrum, power, noise = question.spectrum, question.power, question.noise
        kappa = effective_ridge(spectrum, samples, question.ridge)
        bias, variance = mode_errors(spectrum, power, samples, kappa, noise)
        parts = question.planar(samples, kappa)
        gap = neglected.crossing(spectrum, power, samples, kappa)
        self.parts = np.repeat(parts.T[:, None], clusters, axis=1)  # part, order, size
        self.totals = np.sum(self.parts, axis=0)
        self.arrays = {
            "bias": bias,
            "variance": variance,
            "learnability": spectrum.eigenvalues / (spectrum.eigenvalues + kappa[:, None]),
            "kappa": kappa,
            "reached": np.ones_like(samples),
            "resummed": np.zeros_like(samples),
            "remainder": 2 * np.abs(gap) * np.sum(parts, axis=1),
            "ensemble": neglected.poisson(spectrum, power, samples, question.ridge, noise),
            "unresolved": np.zeros_like(samples),
        }

    @property
    def planar(self) -> Chosen:
        """Where second samples do nothing worth a look for third ones."""
        before, after = self.parts[:, 0], self.parts[:, 1]
        still = np.abs(after - before) <= NEGLIGIBLE * np.abs(before)
        return np.asarray(np.all(still, axis=0) & (self.arrays["reached"] == 2))

    def enter(self, order: int, curve: Smooth, chosen: Chosen) -> None:
        """The curve of that order at the chosen sizes, where it makes sense."""
        into, samples, power = self.arrays, self.samples[chosen], self.question.power
        average = curve.poisson(samples)
        found, correction = average, np.zeros_like(average)
        if self.ensemble == "fixed":
            found, correction = curve.fixed(samples)
        bias = power * found[:, FURTHER + power.size :] ** 2
        variance = found[:, FURTHER : FURTHER + power.size] - bias
        held = np.abs(correction[:, TOTAL]) < TAMED * found[:, TOTAL]
        held &= np.min(variance, axis=1) > -UNEVEN * found[:, TOTAL]
        missed = np.sum(bias + variance, axis=1) - found[:, TOTAL]
        held &= np.abs(missed) < TORN * found[:, TOTAL]
        average, found, correction = average[held], found[held], correction[held]
        samples, chosen = samples[held], chosen & np.isin(self.samples, samples[held])
        left = found[:, FURTHER + power.size :]
        into["bias"][chosen], into["variance"][chosen] = bias[held], variance[held]
        into["learnability"][chosen] = 1 - left
        into["kappa"][chosen] = average[:, LOOP] / samples
        into["unresolved"][chosen] = average[:, UNRESOLVED]
        into["ensemble"][chosen] = correction[:, TOTAL]
        into["reached"][chosen] = order
        if order == 2:
            self.parts[:, 0, chosen] = found[:, PLANAR : PLANAR + PARTS].T
            self.totals[0, chosen] = np.sum(self.parts[:, 0, chosen], axis=0)
        self.parts[:, order - 1 :, chosen] = found[:, None, WHOLE : WHOLE + PARTS].T
        self.totals[order - 1 :, chosen] = found[:, TOTAL]

    def finished(self) -> Beyond:
        """The series continued, and what is left of it."""
        into, totals = self.arrays, self.totals
        if len(totals) >= 3:
            into["reached"][self.planar] = len(totals)
        into["orders"] = totals
        torn = np.abs(np.sum(self.parts, axis=0) - totals) > TORN * np.abs(totals)
        whole = np.any(torn, axis=0) | np.any(self.parts < 0, axis=(0, 1))
        for order in range(2, len(totals) + 1):
            last = slice(max(order - 3, 0), order)
            reached = into["reached"] == order
            into["remainder"][reached] = 0
            self._continue(reached & whole, totals[last])
            for part in self.parts[:, last]:
                self._continue(reached & ~whole, part)
        summed = np.sum(into["bias"] + into["variance"], axis=1)
        share = (into["orders"][-1] + into["resummed"]) / np.where(summed > 0, summed, 1)
        into["bias"], into["variance"] = (share[:, None] * into[k] for k in ("bias", "variance"))
        for size, number in enumerate(self.samples):
            if self.ensemble == "fixed" and number <= MOST:
                self._exactly(size)
        return Beyond(**into)

    def _exactly(self, size: int) -> None:
        """One sample or two, without a series."""
        into, question, number = self.arrays, self.question, int(self.samples[size])
        spectrum, given = question.spectrum, (question.ridge, question.noise)
        if not has_mean(spectrum.dimension, number, *given):
            return
        exact = few(spectrum, question.power, number, *given)
        for name, values in exact._asdict().items():
            into[name][size] = values
        into["orders"][1:, size] = np.sum(exact.bias + exact.variance)
        loop = question.ridge + (spectrum.counts * spectrum.eigenvalues) @ (1 - exact.learnability)
        into["kappa"][size] = loop / number
        into["reached"][size] = len(into["orders"])
        for name in ("resummed", "remainder", "ensemble", "unresolved"):
            into[name][size] = 0

    def _continue(self, chosen: Chosen, orders: Array) -> None:
        """One part of the error where it has come that far, or all of it where its parts cannot be
        told apart; no noise adds nothing."""
        where = np.flatnonzero(chosen & np.all(orders > 0, axis=0))
        orders = orders[:, where]
        value = orders[-1]
        if len(orders) == 3:
            step = value * np.expm1(continued.rest(orders))
            self.arrays["resummed"][where] += step
            value = value + step
        more = continued.left(orders, self.question.spectrum.dimension)
        self.arrays["remainder"][where] += value * np.expm1(more)


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

    def planar(self, eta: Array, kappa: Array) -> Array:
        """(sizes, parts) the planar error of the target, and what label noise adds."""
        clean = np.sum(mode_errors(self.spectrum, self.power, eta, kappa, 0.0), axis=(0, -1))
        noisy = mode_errors(self.spectrum, 0 * self.power, eta, kappa, self.noise)
        return np.stack([clean, np.sum(noisy, axis=(0, -1))], axis=1)

    def two(self, eta: Array, start: Array | None) -> tuple[Array, Array]:
        """Total error of two samples, both parts of the planar error and of this one, s2 + c(1),
        unresolved part, error per degree, C_l/lam_l; and the self-energies."""
        return _row_by_row(self._two, eta, start)

    def three_over_two(self, eta: Array, start: Array | None) -> tuple[Array, Array]:
        """What three samples do to each of these: as a factor, to errors of parts and of degrees as
        a share of the total, for their sign may change."""
        return _row_by_row(partial(self._over_two, 3), eta, start)

    def four_over_two(self, eta: Array, start: Array | None) -> tuple[Array, Array]:
        """The same of four."""
        return _row_by_row(partial(self._over_two, 4), eta, start)

    def higher(self, two: Array, change: Array) -> Array:
        """The values of three or four samples, from `two` and what they do to these."""
        found = two * change
        for some in (slice(PLANAR, LOOP), slice(FURTHER, FURTHER + self.power.size)):
            found[:, some] = two[:, some] + change[:, some] * two[:, :1]
        return found

    def _two(self, eta: Array, start: Array | None) -> tuple[Array, Array]:
        planar = self.planar(eta, effective_ridge(self.spectrum, eta, self.ridge))
        D, answers = self._split(start)
        solution = solve(self.spectrum, eta, self.ridge, start=D)
        (total, *others), answers = self._columns(solution, answers)
        held = _held(total[:, 0] / np.sum(planar, axis=1), SMALL[0])
        if start is not None and not np.all(held):  # on a branch that does not begin at the planar
            return self._two(eta, None)
        values = np.hstack([total, planar, *others])
        return np.where(held, values, np.nan), np.hstack([solution.self_energy, answers])

    def _over_two(self, clusters: int, eta: Array, start: Array | None) -> tuple[Array, Array]:
        before, after = (None, None) if start is None else np.split(start, 2, axis=1)
        (D, answers), (higher, further) = self._split(before), self._split(after)
        two = solve(self.spectrum, eta, self.ridge, start=D)
        more = two.with_thirds(higher, clusters=clusters)
        below, answers = self._columns(two, answers)
        above, further = self._columns(more, further)
        total, *_ = below
        pairs = tuple(zip(above, below, strict=True))
        ratios = [np.where(b > 0, a / np.where(b > 0, b, 1), 1) for a, b in pairs]
        changes = [(a - b) / total for a, b in pairs]
        planar = np.zeros((len(eta), PARTS))
        columns = [ratios[0], planar, changes[1], *ratios[2:4], changes[4], ratios[5]]
        values = np.hstack(columns)
        found = [two.self_energy, answers, more.self_energy, further]
        return np.where(_held(values[:, 0], SMALL[1]), values, np.nan), np.hstack(found)

    def _split(self, start: Array | None) -> tuple[Array | None, Array | None]:
        """Self-energies, and answers to the target and to the noise one below the other."""
        if start is None:
            return None, None
        D, *answers = np.split(start, 2 + bool(self.noise), axis=1)
        return D, np.vstack(answers)

    def _columns(self, solution: Solution, start: Array | None) -> tuple[tuple[Array, ...], Array]:
        """The columns of `two` but for the planar ones; and the answers, side by side."""
        found = solution.errors(self.power, noisy=bool(self.noise), start=start)
        clean, noisy = found.error, self.noise * found.noise
        parts = np.stack([np.sum(clean, axis=-1), np.sum(noisy, axis=-1)], axis=1)
        total, unresolved = np.sum(parts, axis=1, keepdims=True), solution.unresolved[:, None]
        loop, left = solution.state.loop, solution.residual_share
        answers = np.hstack(np.split(found.answers, 1 + bool(self.noise)))
        return (total, parts, loop, unresolved, clean + noisy, left), answers


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
