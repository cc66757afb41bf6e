r"""Learning curves on a finite measure, beyond the planar theory: successive orders, fixed samples.

The pool is what samples are drawn from, with replacement, and what the error is averaged over. All
of it follows from the second moment M_xy = mean of h_x h_y, h = f* - g, summed over the outputs,
which is one linear response: the error is sum_x mu_x M_xx, and in the mode phi_i of the kernel on
the pool it is

.. math:: \sum_{xy} \mu_x \phi_i(x)\, M_{xy}\, \phi_i(y) \mu_y

Orders: planar diagrams (`dressed`); one place at a time, exactly; and pairs of places (`placed`).
Pairs hold all words of two samples, and those of more on two places, so that a training set as
large as the pool, or no ridge, is no difficulty. Words of three samples are there as well
(`dressed`), and words of two for places that coincide.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.diagrams.fixed import FIRST, MARGIN
from fieldtheory.model.memory import Memory, Work
from fieldtheory.model.points import along, dressed, placed
from fieldtheory.model.points.along import Columns, Known, Rows, Solved
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.points.states import NODES

TOLERANCE = 1e-8  # of one node
FINE, FEW = 1e-9, 20  # that of one with fewer samples than this
ENSEMBLES = ("fixed", "poisson")
MEMORY = 6e9  # bytes that a curve may take
MATRICES = 60  # of the size of the kernel matrix, alive at once
FULL = 12.0  # samples at one place from which places are not taken together
CROWDED = 1.0  # samples at one place from which counts have one more node
ALONE = 0.25  # of the error, that pairs may do to it
TINY = 1e-300
STEPS = 2  # down to fewer samples, where pairs have no solution from nothing
RATIO = 0.25  # of what triples of places do to what pairs do, relative


@dataclass(frozen=True, eq=False)
class Pooled:
    """Errors on a finite measure, at each number of samples; summed over outputs.

    error          (sizes,) mean squared error; label noise enters by what it does to f*
    bias           (sizes,) the part of it that the mean over datasets has
    mode_bias      (sizes, modes) that part in each mode of the kernel on the pool, falling
    mode_variance  (sizes, modes) the rest of the error in each mode
    learnability   (sizes, modes) what the mean over datasets of f* has of a target that is the mode
    power          (modes,) of the target in each mode, its mean square in all; modes of eigenvalue
                   zero, which nothing is learnt of, are the last
    kappa          (sizes,) the effective ridge per sample
    posterior      (sizes,) mean posterior variance where the error is taken
    orders         (3, sizes) error with planar diagrams, as published, whatever the ensemble; with
                   one place at a time, as much changed by the ensemble as `error`; and `error`.
                   Planar diagrams that have no solution repeat the next
    remainder      (sizes,) estimate of all that `error` leaves out, with its sign
    ensemble       (sizes,) what the second order from a random to a fixed number adds to `error`
    reached        (sizes,) places, or samples, in the largest diagrams; 1 where those asked for
                   have no solution, or none that is smooth in the number of samples
    """

    error: Array
    bias: Array
    mode_bias: Array
    mode_variance: Array
    learnability: Array
    power: Array
    kappa: Array
    posterior: Array
    orders: Array
    remainder: Array
    ensemble: Array
    reached: Array

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, frozen(getattr(self, field.name)))

    @property
    def planar(self) -> Array:
        """(sizes,) the error of the planar diagrams alone."""
        return np.asarray(self.orders[0])


def pooled(
    measure: Measure,
    target: Array,
    samples: Sequence[int] | Array,
    ridge: float,
    noise: float = 0.0,
    *,
    clusters: int = 2,
    ensemble: str = "fixed",
    thirds: Sequence[int] | None = None,
    memory: Memory | None = None,
) -> Pooled:
    """The learning curve of `target` on a finite measure.

    target    its values at the points, (points,) or (points, outputs)
    noise     variance of the label noise of each output, afresh in every sample
    clusters  2: pairs of places; 1: planar diagrams alone; 3: words of up to three samples, with
              `thirds` as in `dressed.solve`
    ensemble  "fixed" number of samples, or "poisson"
    memory    keeps solutions of this question, and finds them again

    Raises `InvalidInput` for a target of another length than the measure, and `OutOfRegime` for
    what `dressed.solve` cannot be asked, and for more points than memory allows.

    >>> points = Measure.of(np.exp(-0.5 * np.subtract.outer(np.arange(6), np.arange(6)) ** 2.0))
    >>> curve = pooled(points, np.array([1.0, 1, 1, -1, -1, -1]), [4, 6], ridge=0.3)
    >>> curve.error.round(3).tolist(), curve.planar.round(3).tolist()
    ([0.324, 0.212], [0.299, 0.178])
    """
    N, g, s2, variance = opened(measure, target, samples, (ridge, noise))
    fixed = checks.choice("ensemble", ensemble, ENSEMBLES) == "fixed"
    most, _ = dressed.allowed(measure, s2, clusters, thirds)
    affordable(measure.weights.size)
    crowded = N.max() * np.exp(MARGIN) * measure.weights.max() > CROWDED
    asked = _Pool(measure, g, s2, variance, thirds, NODES + int(crowded))
    question = measure.kernel, measure.weights, g, N, s2, variance, most, thirds, ensemble
    distinct, work = placed.coincident(measure) is None, Work(memory, "pool", *question)
    work.expect(2 * along.few(N).size + FIRST + 1)
    known = Known(asked.place)
    single = along.roughly(N, known, asked.lowest, ("one place", work))
    instead = None if most == 1 else single
    planar = along.roughly(N, Known(asked.plane), asked.lowest, ("planar", work), instead)
    best = asked.rows(work, most, known if distinct and most == 2 else None)
    read = along.fixed if fixed else along.poisson
    # where every place is there many times over, one at a time is all there is to say
    last = np.inf if most == 1 else FULL / float(measure.weights.max())
    found = along.along(N, best, read, last=last)
    found = along.filled(found, N, asked.rows(work, 1, known if most > 1 else None))
    work.end()
    return asked.curve(found, N, np.where(found.solved, most, 1), (planar, single))


def opened(
    measure: Measure,
    target: Array,
    samples: Sequence[int] | Array,
    variances: tuple[float, float],
) -> tuple[Array, Array, float, float]:
    """A question as it is worked on: numbers of samples, target, ridge and noise; or why it cannot
    be."""
    ridge, noise = variances
    return (
        checks.sizes("samples", samples),
        outputs(target, measure.weights.size),
        checks.variance("ridge", ridge),
        checks.variance("noise", noise),
    )


def tolerance(samples: float) -> float:
    """Of one node. Steps to a fixed number of samples are the larger the fewer these are, and take
    derivatives, which multiply what a node is off by."""
    return FINE if samples < FEW else TOLERANCE


def outputs(target: Array, points: int) -> Array:
    """A target as columns, one for each output.

    Raises `InvalidInput` unless it is finite, with one value for each point.
    """
    g = np.array(target, dtype=float)
    g = g[:, None] if g.ndim == 1 else g
    if g.ndim != 2 or not g.size or not np.all(np.isfinite(g)):
        raise InvalidInput(f"target has shape {g.shape}: give finite values, (points, outputs)")
    if len(g) != points:
        raise InvalidInput(
            f"target has {len(g)} values, the measure {points} points: give one each"
        )
    return g


def affordable(points: int) -> None:
    """Raises `OutOfRegime` for more points than memory allows, before any is taken."""
    needed = 8.0 * MATRICES * points**2
    if needed > MEMORY:
        most = int((MEMORY / 8 / MATRICES) ** 0.5)
        raise OutOfRegime(
            f"a curve on {points} points takes {needed / 1e9:.1f} GB, allowed are "
            f"{MEMORY / 1e9:.0f}: give at most {most} of them, drawn at random, or use the method "
            "'planar', which asks for the spectrum alone"
        )


def remaining(error: Array, single: Array, reached: Array, learnt: Array) -> Array:
    """What triples of places, quadruples and so on do to the error: a geometric series. Where no
    pairs are known, a share of it, or the largest part that is learnt of any mode: where nothing
    is, diagrams add nothing."""
    gap = np.log(np.where((error > 0) & (single > 0), error / np.maximum(single, TINY), 1.0))
    alone = np.minimum(ALONE, np.max(np.abs(learnt), axis=1))
    return np.asarray(error * np.where(reached > 1, np.expm1(gap * RATIO / (1 - RATIO)), alone))


@dataclass(frozen=True, eq=False)
class _Pool:
    """What is asked at any number of samples."""

    measure: Measure
    target: Array
    ridge: float
    noise: float
    thirds: Sequence[int] | None
    nodes: int

    def words(self, eta: float, clusters: int, start: Array | None = None) -> dressed.Dressed:
        """The theory of words of so many samples."""
        return dressed.solve(
            self.measure,
            eta,
            self.ridge,
            clusters=clusters,
            thirds=self.thirds,
            start=start,
            tolerance=tolerance(eta),
        )

    def places(self, eta: float, clusters: int, start: Array | None = None) -> placed.Placed:
        """The theory of so many places at a time."""
        return placed.often(
            self.measure,
            eta,
            self.ridge,
            clusters=clusters,
            start=start,
            tolerance=tolerance(eta),
            nodes=self.nodes,
        )

    def plane(self, eta: float, start: Array | None) -> dressed.Dressed:
        """Planar diagrams."""
        return self.words(eta, 1, start)

    def place(self, eta: float, start: Array | None) -> placed.Placed:
        """One place at a time."""
        return self.places(eta, 1, start)

    def rows(self, work: Work, clusters: int, known: Known[Any] | None) -> Rows[Any]:
        """The columns at any number of samples: of places, from what is known of one at a time, or
        of words."""

        def places(eta: float) -> placed.Placed:
            assert known is not None
            found: placed.Placed = known.started(
                lambda n, start: self.places(n, clusters, start), eta, STEPS
            )
            return found

        def words(eta: float) -> dressed.Dressed:
            return self.words(eta, clusters)

        name, solve = ("samples", words) if known is None else ("places", places)
        return Rows(f"{clusters} {name}", solve, self.columns, work, (0, 1))

    def lowest(self, found: Solved) -> float:
        """The total error where the self-energy is diagonal."""
        own = np.sum(found.residual(self.target) ** 2, axis=1)
        after = along.local(found.here, own, -self.noise * self.target.shape[1])[1]
        return float(self.measure.weights @ after)

    def columns(self, found: Solved) -> Array:
        """Total error, loop s2 + C_xx, error of each mode, mean residual of each output in each
        mode, and 1 - learnability of each mode."""
        mu, (_, U) = self.measure.weights, self.measure.modes
        shape = np.sqrt(mu)[:, None] * U
        q = found.residual(self.target)
        answer = found.answer(-(q @ q.T), -self.noise * q.shape[1])
        mean, there = shape.T @ q, found.propagator @ shape
        modes = np.sum(mean**2, axis=1) + np.einsum("xi,xi->i", there, answer @ there)
        loop = self.ridge + mu @ np.diag(found.propagator)
        left = unlearnt(found, there, U / np.where(mu > 0, np.sqrt(mu), 1)[:, None])
        # the modes are all there is, so that the error is their sum
        return np.concatenate([[np.sum(modes), loop], modes, mean.ravel(), left])

    def curve(self, found: Columns, N: Array, reached: Array, lower: tuple[Array, Array]) -> Pooled:
        """The curve from its columns."""
        points, several = self.target.shape
        values, total = found.values, found.values[:, 0]
        modes, mean, left = np.split(values[:, 2:], [points, points * (1 + several)], axis=1)
        bias = np.sum(mean.reshape(len(values), points, several) ** 2, axis=2)
        # modes are interpolated each for itself; they share what their sum is off by
        single = lower[1] * found.ratio
        modes = modes * (total / np.sum(modes, axis=1))[:, None]
        return Pooled(
            error=total,
            bias=bias.sum(axis=1),
            mode_bias=bias,
            mode_variance=modes - bias,
            learnability=1 - left,
            power=power(self.measure, self.target),
            kappa=values[:, 1] / N,
            posterior=values[:, 1] - self.ridge,
            orders=np.stack([lower[0], single, total]),
            remainder=remaining(total, single, reached, 1 - left),
            ensemble=found.shift,
            reached=reached,
        )


def power(measure: Measure, target: Array) -> Array:
    """(modes,) of a target in the modes of the kernel on the measure, summed over outputs."""
    root = np.sqrt(measure.weights)[:, None]
    return np.asarray(np.sum((measure.modes[1].T @ (root * target)) ** 2, axis=1))


def unlearnt(found: Solved, there: Array, shape: Array) -> Array:
    """(modes,) what the mean over datasets of f* lacks of a target that is the mode: of modes
    `shape` over the points, `there` being what C makes of their weighted transposes."""
    return np.asarray(1 - np.einsum("xi,xi->i", there, found.self_energy @ shape))
