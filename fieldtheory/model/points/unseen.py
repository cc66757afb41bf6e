r"""Learning curves on unseen points: N of P points are trained on, the others tested on.

The honest question of a data set. Each place is taken or not, `placed.once`; the error follows from
the response to a source at the places that are not there. It is asked of a random number of points,
mean N, and brought to N exactly (`along.once`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams.fixed import FIRST
from fieldtheory.model.labelled import Labelled
from fieldtheory.model.memory import Memory, Work
from fieldtheory.model.points import along, placed
from fieldtheory.model.points.along import Columns, Known, Rows
from fieldtheory.model.points.few import MOST, exactly
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.points.pool import (
    STEPS,
    Pooled,
    affordable,
    opened,
    pooled,
    power,
    remaining,
    tolerance,
    unlearnt,
)


def unseen(
    kernel: Array,
    target: Array,
    samples: Sequence[int] | Array,
    ridge: float,
    noise: float = 0.0,
    *,
    clusters: int = 2,
    memory: Memory | None = None,
) -> Pooled:
    """The learning curve of `target` on the points that a training set leaves.

    kernel    its matrix on the points
    target    (points,) or (points, outputs)
    noise     variance of the label noise of each output; the test is against the target itself
    clusters  places taken together: 1 or 2
    memory    keeps solutions of this question, and finds them again

    Of the mean residual and its modes only those places count that are not there; the variance is
    shared out among modes as the planar theory does, by the square of what is learnt of each. The
    orders are: one place at a time, the same once more, and pairs.

    Raises `InvalidInput` for what does not fit, and `OutOfRegime` for as many samples as points or
    more, for points that coincide, and for more points than memory allows.

    >>> line = np.exp(-0.5 * np.subtract.outer(np.arange(6), np.arange(6)) ** 2.0)
    >>> curve = unseen(line, np.array([1.0, 1, 1, -1, -1, -1]), [2, 4], ridge=0.3)
    >>> curve.error.round(3).tolist()
    [0.749, 0.521]
    """
    affordable(len(np.asarray(kernel)))
    if clusters not in placed.CLUSTERS:
        raise OutOfRegime(
            f"clusters = {clusters} on unseen points: pairs of places are the most there. Leave it "
            "out, or test on the pool"
        )
    measure = Measure.of(kernel)
    points = measure.weights.size
    N, g, s2, variance = opened(measure, target, samples, (ridge, noise))
    if N.max() >= points:
        raise OutOfRegime(
            f"{N.max():g} samples of {points} points, tested on the others: there are none. Ask "
            f"for at most {points - 1}"
        )
    asked = _Unseen(measure, g, s2, variance)
    most = clusters
    work = Work(memory, "unseen", measure.kernel, g, N, s2, variance, most)
    work.expect(along.few(N).size + FIRST + 1)
    known = Known(asked.place)
    single = along.roughly(N, known, asked.lowest, ("one place", work))
    read = along.once(points, plain=2 + g.size)
    found = along.along(N, asked.rows(work, most, known), read, points)
    found = along.filled(found, N, asked.rows(work, 1, known))
    work.end()
    return asked.curve(found, np.where(found.solved, most, 1), single)


def on_data(
    data: Labelled,
    matrix: Array,
    samples: Sequence[int] | Array,
    ridge: float,
    noise: float = 0.0,
    *,
    clusters: int = 2,
    ensemble: str = "fixed",
    thirds: Sequence[int] | None = None,
    memory: Memory | None = None,
) -> Pooled:
    """The learning curve of labelled points, as they are tested: `pooled`, or `unseen`.

    matrix    of the kernel on the points
    clusters, ensemble, thirds, memory  as in `pooled`; unseen points know pairs of places at most,
              and a fixed number of samples

    One sample and two are summed over all training sets.

    Raises `OutOfRegime` for another ensemble or more clusters on unseen points, and as these do.

    >>> data = Labelled([[0.0], [1.0], [2.0]], [1.0, 0.0, -1.0], tested="unseen")
    >>> on_data(data, np.eye(3), [1, 2], ridge=0.1).error.round(4).tolist()
    [0.6667, 0.6667]
    """
    fixed = ensemble == "fixed"
    if data.tested == "pool":
        curve = pooled(
            Measure.of(matrix),
            data.labels,
            samples,
            ridge,
            noise,
            clusters=clusters,
            ensemble=ensemble,
            thirds=thirds,
            memory=memory,
        )
    elif fixed:
        curve = unseen(matrix, data.labels, samples, ridge, noise, clusters=clusters, memory=memory)
    else:
        raise OutOfRegime(
            f"ensemble = {ensemble!r} on unseen points: drawn without replacement there is no such "
            "number. Leave it 'fixed', or test on the pool"
        )
    N = checks.sizes("samples", samples)
    if fixed and clusters > 1 and N.min() <= MOST:
        return exactly(curve, Measure.of(matrix), data, N, ridge, noise)
    return curve


@dataclass(frozen=True, eq=False)
class _Unseen:
    """What is asked at any number of samples."""

    measure: Measure
    target: Array
    ridge: float
    noise: float

    def places(self, eta: float, clusters: int, start: Array | None = None) -> placed.Placed:
        """The theory of so many places at a time."""
        question = self.measure, eta, self.ridge
        return placed.once(*question, clusters=clusters, start=start, tolerance=tolerance(eta))

    def place(self, eta: float, start: Array | None) -> placed.Placed:
        """One place at a time."""
        return self.places(eta, 1, start)

    def rows(self, work: Work, clusters: int, known: Known[placed.Placed]) -> Rows[placed.Placed]:
        """The columns at any number of samples, from what is known of one place at a time."""

        def solve(eta: float) -> placed.Placed:
            found: placed.Placed = known.started(
                lambda n, start: self.places(n, clusters, start), eta, STEPS
            )
            return found

        counted = 0, 1, 2 + self.target.size
        return Rows(f"{clusters} places", solve, self.columns, work, counted)

    def lowest(self, found: placed.Placed) -> float:
        """The error per place that is not there, where the self-energy is diagonal."""
        gain = along.local(found.here, np.zeros(len(self.target)), 1.0)[0]
        total = np.sum(gain @ found.residual(self.target) ** 2)
        if self.noise:
            W = np.eye(len(gain)) - found.propagator * np.diag(found.self_energy)
            spread = np.sum(gain @ W**2) - np.sum(found.sites.states.share[0])
            total += self.noise * self.target.shape[1] * spread
        return float(total / np.sum(found.sites.states.share[0]))

    def columns(self, found: placed.Placed) -> Array:
        """Means over the places that are not there, of the error, of the posterior variance and of
        the residual of each output in each mode; 1/kappa; 1 - learnability of each mode."""
        C, S, U = found.propagator, found.self_energy, self.measure.modes[1]
        empty, share = found.sites.empty, np.sum(found.sites.states.share[0])
        left = found.residual(self.target) * (empty / np.diag(C))[:, None]
        mean = U.T @ left / np.sqrt(len(C))
        lack = unlearnt(found, C @ U, U)
        total = found.unseen(self.target, self.noise) / share
        return np.concatenate([[total, np.mean(empty)], mean.ravel(), [np.trace(S)], lack])

    def curve(self, found: Columns, reached: Array, single: Array) -> Pooled:
        """The curve from its columns."""
        points, several = self.target.shape
        error, posterior, rest = found.values[:, 0], found.values[:, 1], found.values[:, 2:]
        mean, trace, left = np.split(rest, [points * several, points * several + 1], axis=1)
        bias = np.sum(mean.reshape(len(mean), points, several) ** 2, axis=2)
        learnt = (1 - left) ** 2
        variance = (error - bias.sum(axis=1))[:, None] * learnt / np.sum(learnt, axis=1)[:, None]
        single = single * found.ratio
        return Pooled(
            error=error,
            bias=bias.sum(axis=1),
            mode_bias=bias,
            mode_variance=variance,
            learnability=1 - left,
            power=power(self.measure, self.target),
            kappa=1 / trace[:, 0],
            posterior=posterior,
            orders=np.stack([single, single, error]),
            remainder=remaining(error, single, reached, 1 - left),
            ensemble=found.shift,
            reached=reached,
        )
