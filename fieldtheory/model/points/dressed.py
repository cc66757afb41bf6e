r"""The self-consistent theory on a finite measure: C = (K^-1 + D)^-1 with D the words on C.

The squared error of a target g is

.. math:: q^T \Bigl( \mu + \frac{dD}{dJ} \Bigr) q, \qquad q = (1 + K D)^{-1} g

with -q the mean of h = f* - g, and J the source of (J/2) sum_x mu_x h_x^2 in the loss; label noise
v adds v dC/ds2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.diagrams.solver import Rows, fixed_points
from fieldtheory.model.points.finite import Measure, Thirds, Words
from fieldtheory.model.points.product import SMALL, Sandwich, sandwiched
from fieldtheory.model.points.settle import settled

CLUSTERS = (1, 2, 3)
TOLERANCE = 1e-10
COINCIDENT = 1e-13  # a gap below it is two inputs that are one
CROWDED = 0.98  # the planar part of a step is not amplified beyond 1 / (1 - this)
POWERS, TINY = 12, 1e-12
BISECTIONS = 60
_NONE = frozen(np.zeros((0, 0)))
GROUPS = 4  # into which third places are parted to see how much their choice matters


def solve(
    measure: Measure,
    samples: float,
    ridge: float,
    *,
    clusters: int = 2,
    thirds: Sequence[int] | None = None,
    start: Array | None = None,
    tolerance: float = TOLERANCE,
) -> "Dressed":
    """The dressed propagator of a finite measure at one mean number of samples.

    clusters   samples in the largest diagrams: 1 planar, 2 or 3 crossing
    thirds     with clusters = 3: places of the third samples, drawn at random with the weights of
               the measure, to spare the sum over all; `Dressed.third_error` is what it costs
    start      the self-energy of a nearby solution
    tolerance  of the self-energy and of responses, relative to the largest entry

    Raises `OutOfRegime` where the third samples take too much memory, where a ridge of zero leaves
    the sums without meaning, and where no self-consistent solution is found.

    >>> points = Measure.of(np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> found = solve(points, 3.0, ridge=0.2)
    >>> round(float(found.error(np.array([1.0, -1.0]))), 6)
    0.395242
    """
    eta, s2 = checks.positive("samples", samples), checks.variance("ridge", ridge)
    most, chosen = allowed(measure, s2, clusters, thirds)
    D = planar(measure, eta, s2) if start is None else start
    for number in range(2 if start is None else most, most + 1):
        if number > 1 or start is not None:
            D = _converged(Words(measure, eta, s2, _NONE, number, chosen), D, tolerance)
    words = Words(measure, eta, s2, measure.propagator(D), most, chosen)
    return Dressed(words, frozen(D), tolerance)


def allowed(
    measure: Measure, ridge: float, clusters: int, thirds: Sequence[int] | None = None
) -> tuple[int, Thirds]:
    """The clusters and the third samples of a question, or why it cannot be asked: see `solve`."""
    most = checks.count("clusters", clusters, least=1)
    if most not in CLUSTERS:
        raise InvalidInput(f"clusters = {clusters}: give 1 (planar), 2 or 3")
    _refuse_coincident(measure, ridge, most)
    return most, Thirds.of(measure, most, thirds)


def planar(measure: Measure, samples: float, ridge: float) -> Array:
    """The self-energy of all planar diagrams, diagonal: D_xx = eta mu_x t_x.

    Raises `OutOfRegime` without a ridge at as many samples as there are modes, or more.
    """
    nothing = Thirds.of(measure, 1, None)

    def step(D: Array, _: Rows) -> Array:
        C = measure.propagator(np.diag(D[0]))
        if not np.isfinite(C[0, 0]):
            return np.full_like(D, np.nan)
        words = Words(measure, samples, ridge, C, 1, nothing)
        off = samples * measure.weights * words.visit - D[0]
        return np.asarray(D + off + Loops.of(words).follow(off))

    def name(_: int) -> str:
        return f"planar diagrams on {measure.weights.size} points, {samples:g} samples"

    if ridge == 0 and samples >= measure.values.size:
        raise OutOfRegime(
            f"ridge 0 and {samples:g} samples of {measure.values.size} modes: planar diagrams have "
            "no solution there. Pass ridge > 0, ask for fewer samples, or use pairs of places"
        )
    start = measure.weights / uniform(measure, samples, ridge)
    found = fixed_points(step, start[None], name, tolerance=TOLERANCE, positive=True)
    return np.diag(found.values[0])


def uniform(measure: Measure, samples: float, ridge: float) -> float:
    """kappa of the planar theory as if all places were alike, by bisection in its logarithm."""
    lam = measure.modes[0]
    low, high = -800.0, float(np.log((np.sum(lam) + ridge) / samples))
    for _ in range(BISECTIONS):
        kappa = np.exp((low + high) / 2)
        # without a ridge and with more samples than modes, kappa is zero
        many = np.sum(lam / (lam + kappa)) + (ridge / kappa if ridge else 0.0) > samples
        low, high = ((low + high) / 2, high) if many else (low, (low + high) / 2)
    return float(np.exp(high))


def _refuse_coincident(measure: Measure, ridge: float, clusters: int) -> None:
    size = np.sqrt(np.diag(measure.kernel))
    if ridge > 0 or clusters == 1:
        return
    if clusters == 3:
        raise OutOfRegime(
            "three-sample diagrams on a finite measure need a ridge: two samples at one place are "
            "one sample without it. Pass ridge > 0, or clusters = 2"
        )
    likeness = measure.kernel / np.where(size > 0, size, 1)[:, None] / np.where(size > 0, size, 1)
    likeness = likeness - np.diag(np.diag(likeness))
    if np.max(np.abs(likeness)) > 1 - COINCIDENT:
        x, y = np.unravel_index(np.argmax(np.abs(likeness)), likeness.shape)
        raise OutOfRegime(
            f"ridge 0, and points {x} and {y} are one to the kernel: give such points once, with "
            "the sum of their weights, or pass ridge > 0"
        )


def _converged(asked: Words, start: Array, tolerance: float) -> Array:
    """The self-energy of what is asked, from that of a nearby problem."""
    name = f"diagrams of {asked.clusters} samples on {len(start)} points, {asked.samples:g} samples"

    def at(C: Array) -> Words:
        return replace(asked, propagator=C)

    return converged(asked.measure, at, start, name, tolerance)


class Functional(Protocol):
    """A self-energy as a function of the propagator.

    loop_weights  (points,) minus the derivative of its planar part at x by C_xx
    """

    @property
    def propagator(self) -> Array:
        """(points, points) C."""

    @property
    def self_energy(self) -> Array:
        """(points, points)."""

    @property
    def loop_weights(self) -> Array:
        """(points,)."""

    def response(self, moved: Array, source: float) -> Array:
        """Its first-order change when C moves, and a source beside."""


def converged(
    measure: Measure,
    at: Callable[[Array], Functional],
    start: Array,
    name: str,
    tolerance: float,
) -> Array:
    """The self-energy that is the one `at` its own propagator, from a nearby one.

    Raises `OutOfRegime` where none is found.
    """
    loops: Loops | None = None

    def change(D: Array) -> Array:
        nonlocal loops
        C = measure.propagator(D)
        if not np.isfinite(C[0, 0]) or np.min(np.diag(C)) <= 0:
            return np.full_like(D, np.nan)
        here = at(C)
        if loops is None:
            loops = Loops.of(here)
        return loops.answered(here.self_energy - D)

    return settled(change, start, name, tolerance=tolerance)


@dataclass(frozen=True, eq=False)
class Loops:
    """The planar loops: a change of D moves C_xx, to which t_x answers, again and again.

    squares, weights  C_xy^2, and how much t_x answers
    factors           of 1 - weights squares
    """

    squares: Array
    weights: Array
    factors: tuple[Array, Any]

    @staticmethod
    def of(here: Functional) -> "Loops":
        from scipy.linalg import lu_factor

        squares, weights = here.propagator * here.propagator, here.loop_weights
        loops = weights[:, None] * squares
        loops *= -min(1.0, CROWDED / _largest(loops))
        loops[np.diag_indices_from(loops)] += 1
        factors = lu_factor(loops, overwrite_a=True, check_finite=False)
        return Loops(squares, weights, factors)

    def answered(self, residual: Array) -> Array:
        """The residual and what its diagonal brings about."""
        found = residual.copy()
        found[np.diag_indices_from(found)] += self.follow(np.diag(residual))
        return found

    def follow(self, own: Array) -> Array:
        """(points,) what a change of the diagonal brings about."""
        from scipy.linalg import lu_solve

        direct = self.weights * (self.squares @ own)
        return np.asarray(lu_solve(self.factors, direct, check_finite=False))


def _largest(matrix: Array) -> float:
    """A bound on the largest eigenvalue of a matrix of positive entries (Collatz, Wielandt)."""
    x = np.ones(len(matrix))
    for _ in range(POWERS):
        x = matrix @ x + TINY * np.max(matrix @ x)
        x /= np.max(x)
    return float(np.max(matrix @ x / x))


def locally(here: Functional, by: Array, source: float) -> Array:
    """(points,) `responded` where the self-energy is diagonal: one linear system."""
    loops = here.loop_weights[:, None] * here.propagator * here.propagator
    direct = np.diag(here.response(by, source))
    return np.asarray(np.linalg.solve(np.eye(len(loops)) - loops, direct))


def responded(
    here: Functional, loops: Loops, by: Array, source: float, asked: tuple[str, float]
) -> Array:
    """The change of the self-energy when sources change C by `by` and it by `source`, C answering
    to all of it; `asked` is what to call it, and the tolerance.

    Raises `OutOfRegime` where none is found.
    """
    found = loops.answered(here.response(by, source))
    for small in (SMALL, 0.0):  # what few digits have found is looked at with all of them
        image = Sandwich(here.propagator, small)

        def change(moved: Array, image: Sandwich = image) -> Array:
            return loops.answered(here.response(by - image(moved), source) - moved)

        found = settled(change, found, asked[0], tolerance=asked[1])
    return found


@dataclass(frozen=True, eq=False)
class Dressed:
    """The dressed propagator of a finite measure, and what follows from it.

    words        the propagator and the words on it
    self_energy  (points, points) D
    """

    words: Words
    self_energy: Array
    tolerance: float = TOLERANCE

    @property
    def here(self) -> Words:
        """The self-energy as a function of the propagator."""
        return self.words

    @property
    def propagator(self) -> Array:
        """(points, points) C, the posterior covariance."""
        return self.words.propagator

    def residual(self, target: Array) -> Array:
        """(points, ...) (1 + K D)^-1 g, minus the mean of f* - g."""
        return np.asarray(target - self.propagator @ (self.self_energy @ target))

    def answer(self, by: Array, source: float = 0.0) -> Array:
        """The change of D, self-consistently, when sources change C by `by` and s2 moves by
        `source`."""
        words = self.words
        if words.clusters == 1:
            return np.diag(locally(words, by, source))
        name = f"response of the diagrams on {len(by)} points, {words.samples:g} samples"
        return responded(words, self.loops, by, source, (name, self.tolerance))

    @cached_property
    def loops(self) -> Loops:
        """What planar loops do to a change of D."""
        return Loops.of(self.words)

    @cached_property
    def gain(self) -> Array:
        """(points, points) mu + dD/dJ."""
        source = np.diag(self.words.measure.weights)
        return np.asarray(source + self.answer(-self.propagator @ source @ self.propagator))

    def error(self, target: Array) -> Array:
        """The squared error of each target, (points,) or (points, targets), without label noise."""
        q = self.residual(target)
        return np.asarray(np.sum(q * (self.gain @ q), axis=0))

    def second_moment(self, target: Array, noise: float = 0.0) -> Array:
        """(points, points) mean over datasets of h(x) h(y), h = f* - g, summed over the targets,
        (points,) or (points, targets), each with label noise of that variance."""
        q, C = self.residual(target), self.propagator
        columns = q.reshape(len(q), -1)
        own = columns @ columns.T
        return np.asarray(own + sandwiched(C, self.answer(-own, -noise * columns.shape[1])))

    @cached_property
    def noise(self) -> Array:
        """(points, points) the covariance that label noise of variance 1 adds."""
        C = self.propagator
        return np.asarray(-C @ self.answer(np.zeros_like(C), 1.0) @ C)

    def third_error(self, target: Array) -> float:
        """The standard error that drawing `thirds` leaves in the error, summed over targets:
        the spread between four parts of them, each solved for on its own.

        Raises `InvalidInput` for fewer than eight.
        """
        words = self.words
        places = words.thirds.places
        if places.size < 2 * GROUPS:
            raise InvalidInput(
                f"{places.size} third places: give at least {2 * GROUPS} to see what their choice "
                "does"
            )
        found = []
        for part in range(GROUPS):
            shares = words.thirds.shares[part::GROUPS]
            some = Thirds(places[part::GROUPS], frozen(shares / shares.sum()))
            D = _converged(replace(words, thirds=some), self.self_energy, self.tolerance)
            again = replace(words, thirds=some, propagator=words.measure.propagator(D))
            found.append(float(np.sum(Dressed(again, frozen(D), self.tolerance).error(target))))
        return float(np.std(found, ddof=1) / np.sqrt(GROUPS))
