r"""Certainty, dimension, fit and evidence on given points, pairs of places exactly.

All of it follows from the self-energy S of `placed`: tr K A = tr S C, y^T A y = g^T (S - S C S) g,
the determinant from the functional of `evidence`, and the squared residuals of the training set are
minus the derivative of y^T A y by the ridge,

.. math:: \langle |y - f|^2 \rangle = - s_2^2\, q^T \frac{dS}{ds_2} q, \qquad q = (1 + K S)^{-1} g

Noise of variance v adds v tr A to the fit. Points drawn with replacement ("pool") may be there many
times, so tr A has a 1/s2; of points that are there at most once ("unseen") tr A = tr (S - S C S).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams.fixed import Chosen, Smooth, pieces
from fieldtheory.model.labelled import Labelled
from fieldtheory.model.observed import FIELDS, Observables
from fieldtheory.model.points import along, evidence, placed, pool
from fieldtheory.model.points.along import Known
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.points.placed import Placed
from fieldtheory.model.points.pool import ALONE, CROWDED, ENSEMBLES, FULL, RATIO, TOLERANCE
from fieldtheory.model.points.states import NODES

Reader = Callable[[Smooth, Array], tuple[Array, Array]]
MARGIN = 1.5  # times the estimate of what triples of places and more do


def observed(
    data: Labelled,
    matrix: Array,
    samples: Sequence[int] | Array,
    ridge: float,
    noise: float = 0.0,
    *,
    ensemble: str = "fixed",
) -> Observables:
    """The averages over training sets drawn from labelled points, as these are tested: with
    replacement from all, or without; the posterior variance is that of all points, or of the
    others.

    matrix, samples, ridge, noise, ensemble  as in `unseen.on_data`

    Uncertainties: what pairs of places changed, continued as a geometric series, as for the error;
    and the second order from a random to a fixed number of samples.

    Raises `OutOfRegime` without a ridge where points may be drawn twice, which leaves no finite
    evidence; for points that coincide; and as `pooled` and `unseen` do.

    >>> data = Labelled([[0.0], [1.0], [2.0]], [1.0, 0.0, -1.0])
    >>> found = observed(data, np.eye(3), [2], ridge=0.1)  # two points, or one of them twice:
    >>> truth = 2 / 3 * 2 / 1.1 + 1 / 3 * 2 / 2.1
    >>> bool(abs(found.effective_dimension[0] - truth) < found.uncertainties["effective_dimension"])
    True
    """
    chance = checks.choice("ensemble", ensemble, ENSEMBLES)
    pool.affordable(len(np.asarray(matrix)))
    measure = Measure.of(matrix)
    N, g = checks.sizes("samples", samples), pool.outputs(data.labels, measure.weights.size)
    question = measure, g, checks.variance("ridge", ridge), checks.variance("noise", noise)
    asked: _Drawn = _Often(*question) if data.tested == "pool" else _Once(*question)
    asked.check(N, chance)
    if (same := placed.coincident(measure)) is not None:
        raise OutOfRegime(
            f"points {same[0]} and {same[1]} are one to the kernel, and have no pair of places: "
            "give such a point once, or ask for the method 'planar'"
        )
    single, pairs = asked.curve(N, 1, chance), asked.curve(N, 2, chance)
    values = np.where(pairs.solved[:, None], pairs.values, single.values)
    doubts = _doubts(values, single, pairs)
    return Observables.of(N, values, doubts, outputs=g.shape[1], method="crossing")


def refuse_repeated(ridge: float, points: int) -> None:
    """Raises `OutOfRegime` for points drawn with replacement and no ridge."""
    if ridge == 0:
        raise OutOfRegime(
            f"ridge 0 and {points} points drawn with replacement: a point drawn twice makes "
            "log det (K + ridge) minus infinity. Pass ridge > 0, or tested='unseen', which draws "
            "each point once"
        )


def _doubts(values: Array, single: "_Curve", pairs: "_Curve") -> Array:
    """What triples of places and more may change, and the ensemble's second order; where there are
    no pairs, a share of the number itself, and of the dimension instead of the determinant."""
    scale = np.abs(values)
    scale[:, FIELDS.index("log_determinant")] = scale[:, FIELDS.index("effective_dimension")]
    step = np.abs(values - single.values) * RATIO / (1 - RATIO)
    more = MARGIN * np.where(pairs.solved[:, None], step, ALONE * scale)
    second = np.where(pairs.solved[:, None], pairs.second, single.second)
    return np.asarray(more + np.abs(second))


def _positive(smooth: Smooth, sizes: Array, values: Array, second: Array) -> tuple[Array, Array]:
    """Where the steps to a fixed number lead below zero what is not, the random number's value, and
    all of the step in doubt."""
    plain = smooth.poisson(sizes)
    lost = smooth.logarithmic & (values <= 0)
    return np.where(lost, plain, values), np.where(lost, values - plain, second)


@dataclass(frozen=True, eq=False)
class _Curve:
    """(sizes, FIELDS) averages, residuals summed; what the second order of the ensemble is of them;
    and which sizes have a solution."""

    values: Array
    second: Array
    solved: Chosen


@dataclass(frozen=True, eq=False)
class _Drawn(ABC):
    """What is asked at any number of samples."""

    measure: Measure
    target: Array
    ridge: float
    noise: float

    @abstractmethod
    def check(self, sizes: Array, ensemble: str) -> None:
        """Raises for what has no answer."""

    @abstractmethod
    def solve(self, eta: float, clusters: int, start: Array | None) -> Placed:
        """The theory of so many places at a time, at one mean number."""

    @abstractmethod
    def columns(self, found: Placed, samples: float) -> Array:
        """(FIELDS,) averages, residuals summed."""

    @abstractmethod
    def ends(self, clusters: int) -> tuple[float, float]:
        """A number of samples that no solution reaches, and one beyond which none is asked for."""

    @abstractmethod
    def read(self, ensemble: str) -> Reader:
        """The ensemble."""

    def curve(self, sizes: Array, clusters: int, ensemble: str) -> _Curve:
        """At all sizes; one place at a time is answered one by one where it is not smooth."""
        known = Known(lambda eta, start: self.solve(eta, clusters, start))

        def row(eta: float) -> Array:
            with suppress(OutOfRegime):
                return self.columns(known(eta), eta)
            return np.full(len(FIELDS), np.nan)

        def rows(eta: Array, _: Array | None) -> tuple[Array, Array]:
            return np.array([row(float(n)) for n in eta]), np.zeros((eta.size, 1))

        (most, last), read = self.ends(clusters), self.read(ensemble)
        values = np.zeros((sizes.size, len(FIELDS)))
        second, solved = np.zeros_like(values), np.zeros(sizes.size, dtype=bool)
        asked = np.flatnonzero(sizes <= last)
        for smooth, inside in pieces(rows, sizes[asked], most, along.ACCURACY):
            these = asked[inside]
            values[these], second[these] = _positive(
                smooth, sizes[these], *read(smooth, sizes[these])
            )
            solved[these] = True
        if clusters == 1:
            for i in np.flatnonzero(~solved):
                values[i] = self.columns(known(float(sizes[i])), float(sizes[i]))
        return _Curve(values, second, solved)

    @property
    def variance(self) -> float:
        """Of the noise, summed over the outputs."""
        return float(self.noise * self.target.shape[1])


@dataclass(frozen=True, eq=False)
class _Often(_Drawn):
    """Drawn with replacement."""

    def check(self, sizes: Array, ensemble: str) -> None:
        refuse_repeated(self.ridge, self.measure.weights.size)

    def solve(self, eta: float, clusters: int, start: Array | None) -> Placed:
        nodes = NODES + int(eta * self.measure.weights.max() > CROWDED)
        return placed.often(
            self.measure,
            eta,
            self.ridge,
            clusters=clusters,
            start=start,
            tolerance=TOLERANCE,
            nodes=nodes,
        )

    def columns(self, found: Placed, samples: float) -> Array:
        mu, s2, C, S = self.measure.weights, self.ridge, found.propagator, found.self_energy
        mean = samples * mu
        dimension = evidence.trace_of_product(found)
        trace = (samples - dimension) / s2
        moved, q = found.answer(np.zeros_like(C), 1.0), found.residual(self.target)
        residuals = -(s2**2) * np.sum(q * (moved @ q))
        residuals += self.variance * s2 * (trace + np.sum((C - C @ S @ C) * moved))
        fit = evidence.data_fit(found, self.target) + self.variance * trace
        logs = evidence.log_determinant(found, self.measure) + evidence.repeated(found, mean, s2)
        return np.array([mu @ np.diag(C), dimension, residuals, fit, logs])

    def ends(self, clusters: int) -> tuple[float, float]:
        # where every place is there many times over, one at a time is all there is to say
        return np.inf, np.inf if clusters == 1 else FULL / float(self.measure.weights.max())

    def read(self, ensemble: str) -> Reader:
        return along.fixed if ensemble == "fixed" else along.poisson


@dataclass(frozen=True, eq=False)
class _Once(_Drawn):
    """Drawn without replacement; the posterior variance is that of the others."""

    def check(self, sizes: Array, ensemble: str) -> None:
        points = self.measure.weights.size
        checks.choice("ensemble", ensemble, ("fixed",))
        if sizes.max() >= points:
            raise OutOfRegime(
                f"{sizes.max():g} samples of {points} points, tested on the others: there are "
                f"none. Ask for at most {points - 1}"
            )

    def solve(self, eta: float, clusters: int, start: Array | None) -> Placed:
        return placed.once(
            self.measure, eta, self.ridge, clusters=clusters, start=start, tolerance=TOLERANCE
        )

    def columns(self, found: Placed, samples: float) -> Array:
        C, S = found.propagator, found.self_energy
        W = -S @ C
        W[np.diag_indices_from(W)] += 1
        q = found.residual(self.target)
        second = q @ q.T + self.variance * (W.T @ W)
        moved = self._to_the_ridge(found).answer(np.zeros_like(C), 1.0)
        fit = evidence.data_fit(found, self.target) + self.variance * np.sum(W * S)
        return np.array(
            [
                np.mean(found.sites.empty),
                evidence.trace_of_product(found),
                -(self.ridge**2) * np.sum(second * moved),
                fit,
                evidence.log_determinant(found, self.measure),
            ]
        )

    def ends(self, clusters: int) -> tuple[float, float]:
        return float(self.measure.weights.size), np.inf

    def read(self, ensemble: str) -> Reader:
        # the first column is a mean over the places that are not there
        return along.once(self.measure.weights.size, plain=1)

    @staticmethod
    def _to_the_ridge(found: Placed) -> Placed:
        """The same, with the ridge for a source."""
        sites, states = found.sites, found.sites.states
        moved = replace(states, kick=states.v)  # u is the ridge where v is 1
        near, guess = (sites.close, sites.pairs.A) if sites.clusters > 1 else (None, None)
        return replace(found, sites=replace(sites, states=moved, near=near, guess=guess))
