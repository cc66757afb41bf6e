r"""The self-consistent theory on a finite measure, place by place: pairs of places exactly.

As `dressed`, with the self-energy of `sites`: training sets are told by how often they have each
place. Two questions:

- `often`: samples are drawn with replacement, a Poisson number of each place. The mean over data
  sets of h h^T, h = f* - g, is Q + C (dS) C with Q = q q^T, q = (1 + K S)^-1 g, and dS the answer
  of S to a change - Q of C and to a change of the ridge by minus the noise.
- `once`: each place is there once or not. With J a source that acts where a place is not there,

.. math:: E\Bigl[\sum_{x \text{ not there}} h_x^2\Bigr] = q^T \frac{dS}{dJ} q

  Noise e of variance v at every place is part of the target there: it adds v W W^T, W = 1 - C S, to
  Q, and is no part of the error, v for each place that is not there.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams.solver import Rows, fixed_points
from fieldtheory.model.points.dressed import (
    TOLERANCE,
    Loops,
    converged,
    locally,
    responded,
    uniform,
)
from fieldtheory.model.points.finite import Measure, inverted
from fieldtheory.model.points.pairs import Near, Three
from fieldtheory.model.points.product import sandwiched
from fieldtheory.model.points.sites import Sites
from fieldtheory.model.points.states import NODES, States, held

COINCIDENT = 1e-6  # of one minus the cosine of two places that are one
CLUSTERS = (1, 2)
ROUGH = 1e-2  # tolerance of a self-energy that is only started from
LEAST = 1e-3  # of K_xx that C_xx is taken to be, for a first guess


def coincident(measure: Measure) -> tuple[int, int] | None:
    """Two places that are one to the kernel, if there are any."""
    size = np.sqrt(np.diag(measure.kernel))
    size = np.where(size > 0, size, 1.0)
    likeness = np.abs(measure.kernel / size[:, None] / size)
    np.fill_diagonal(likeness, 0.0)
    first, second = np.unravel_index(int(np.argmax(likeness)), likeness.shape)
    close = likeness[first, second] > 1 - COINCIDENT
    return (int(first), int(second)) if close else None


def often(
    measure: Measure,
    samples: float,
    ridge: float,
    *,
    clusters: int = 2,
    start: Array | None = None,
    tolerance: float = TOLERANCE,
    nodes: int = NODES,
) -> "Placed":
    """A Poisson number of samples, drawn with replacement.

    clusters  places taken together: 1 or 2
    nodes     that stand for all counts of one or more, see `states`
    others    as in `dressed.solve`

    Raises `OutOfRegime` for places that coincide, and where no solution is found.

    >>> points = Measure.of(np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> found = often(points, 3.0, ridge=0.2)
    >>> moment = found.second_moment(np.array([1.0, -1.0]))
    >>> round(float(np.mean(np.diag(moment))), 6)
    0.442642
    """
    eta, s2 = checks.positive("samples", samples), checks.variance("ridge", ridge)
    scale = _scale(measure, eta, s2)
    states = States.often(eta * measure.weights, s2, scale, nodes)
    asked = f"{measure.weights.size} places, {eta:g} samples", tolerance
    return _solved(measure, states, clusters, (start, s2 + scale), asked)


def _scale(measure: Measure, samples: float, ridge: float) -> float:
    """The usual size of C_xx: of planar diagrams if all places were alike, and never zero."""
    loop = samples * uniform(measure, samples, ridge) - ridge
    return max(loop, LEAST * float(np.mean(np.diag(measure.kernel))))


def once(
    measure: Measure,
    samples: float,
    ridge: float,
    *,
    clusters: int = 2,
    start: Array | None = None,
    tolerance: float = TOLERANCE,
) -> "Placed":
    """Each place taken at most once, with probability samples / points; as `often`.

    >>> points = Measure.of(np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> found = once(points, 1.0, ridge=0.2)
    >>> round(found.unseen(np.array([1.0, -1.0])), 6)
    1.503472
    """
    eta, s2 = checks.positive("samples", samples), checks.variance("ridge", ridge)
    points = measure.weights.size
    if eta >= points:
        raise OutOfRegime(
            f"{eta:g} samples of {points} points, tested on the others: there are none. Ask for "
            f"fewer samples than points"
        )
    states = States.once(points, eta / points, s2)
    asked = f"{points} places, {eta:g} samples", tolerance
    return _solved(measure, states, clusters, (start, s2 + _scale(measure, eta, s2)), asked)


def _solved(
    measure: Measure,
    states: States,
    clusters: int,
    start: tuple[Array | None, float],
    asked: tuple[str, float],
) -> "Placed":
    """From a self-energy nearby, or else from one place at a time and the usual size of s2 + C_xx;
    asked is what to call it, and the tolerance."""
    most = int(checks.choice("clusters", str(clusters), tuple(map(str, CLUSTERS))))
    if most > 1 and (same := coincident(measure)) is not None:
        raise OutOfRegime(
            f"points {same[0]} and {same[1]} are one to the kernel, and have no pair of places: "
            "give such a point once"
        )
    S = start[0]
    if S is None or most == 1:
        own = np.full(len(states.share[0]), 1 / start[1])
        if S is not None:
            own = Sites(measure.propagator(S), states, 1).alone
        # a first guess of pairs need not be exact
        exact = asked if most == 1 else (asked[0], max(asked[1], ROUGH))
        S = np.diag(_alone(measure, states, own, exact))
    if most == 1:
        return Placed(Sites(measure.propagator(S), states, 1), frozen(S), asked[1])
    follow = _Follow(states)
    S = converged(measure, follow.at, S, f"pairs of {asked[0]}", asked[1])
    return Placed(follow.last, frozen(S), asked[1])


def _alone(measure: Measure, states: States, start: Array, asked: tuple[str, float]) -> Array:
    """(points,) the self-energy of one place at a time.

    The unknown is a_x, which lies between 1/K_xx, of a place whose neighbours are never there, and
    (K^-1)_xx; with r = 1/S it is m/(1 - r m), m the diagonal of (K + r)^-1.
    """

    least = 1 / np.diag(measure.kernel)

    def step(a: Array, _: Rows) -> Array:
        r = held(np.maximum(a[0], least), states)
        m = np.diag(inverted(measure.kernel + np.diag(r)))
        return np.asarray(m / (1 - r * m))[None]

    def name(_: int) -> str:
        return f"one place at a time of {asked[0]}"

    start = np.maximum(start, least)
    found = fixed_points(step, start[None], name, tolerance=asked[1], positive=True)
    return np.asarray(1 / held(found.values[0], states))


class _Follow:
    """The self-energy of pairs at one propagator after the other, each starting where the last one
    ended; the pairs taken exactly are those of the first."""

    def __init__(self, states: States) -> None:
        self.states = states
        self.near: Near | None = None
        self.guess: Three | None = None
        self.last: Sites

    def at(self, C: Array) -> Sites:
        """At this propagator."""
        self.last = Sites(C, self.states, 2, self.near, self.guess)
        self.near, found = self.last.close, self.last.pairs.A
        self.guess = found if np.all(np.isfinite(found[0])) else None
        return self.last


@dataclass(frozen=True, eq=False)
class Placed:
    """The dressed propagator, and what follows from it.

    sites        the propagator and the states of the places
    self_energy  (points, points) S
    """

    sites: Sites
    self_energy: Array
    tolerance: float

    @property
    def here(self) -> Sites:
        """The self-energy as a function of the propagator."""
        return self.sites

    @property
    def propagator(self) -> Array:
        """(points, points) C, the mean of the posterior covariance."""
        return self.sites.propagator

    @cached_property
    def loops(self) -> Loops:
        """What loops at one place do to a change of S."""
        return Loops.of(self.sites)

    def residual(self, target: Array) -> Array:
        """(points, ...) (1 + K S)^-1 g, minus the mean of f* - g."""
        return np.asarray(target - self.propagator @ (self.self_energy @ target))

    def answer(self, by: Array, source: float) -> Array:
        """The change of S when sources change C by `by`, and it by `source`."""
        if self.sites.clusters == 1:
            return np.diag(locally(self.sites, by, source))
        name = f"response of pairs of {len(by)} places"
        return responded(self.sites, self.loops, by, source, (name, self.tolerance))

    def second_moment(self, target: Array, noise: float = 0.0) -> Array:
        """(points, points) of `often`: mean of h(x) h(y), summed over targets, with label noise."""
        q, C = self.residual(target), self.propagator
        columns = q.reshape(len(q), -1)
        own = columns @ columns.T
        return np.asarray(own + sandwiched(C, self.answer(-own, -noise * columns.shape[1])))

    @cached_property
    def gain(self) -> Array:
        """(points, points) of `once`: dS/dJ."""
        return self.answer(np.zeros_like(self.propagator), 1.0)

    def unseen(self, target: Array, noise: float = 0.0) -> float:
        """Of `once`: mean over data sets of the sum of h^2 over the places that are not there."""
        q = self.residual(target).reshape(len(target), -1)
        total = float(np.sum(q * (self.gain @ q)))
        if noise:
            W = -self.propagator @ self.self_energy
            W[np.diag_indices_from(W)] += 1
            empty = float(np.sum(self.sites.states.share[0]))
            total += noise * q.shape[1] * (float(np.sum(W * (self.gain @ W))) - empty)
        return total
