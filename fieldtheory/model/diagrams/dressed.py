r"""The self-consistent theory on a finite measure: C = (K^-1 + D)^-1 with D the words on C.

The squared error of a target g is

.. math:: q^T \Bigl( \mu + \frac{dD}{dJ} \Bigr) q, \qquad q = (1 + K D)^{-1} g

with -q the mean of h = f* - g, and J the source of (J/2) sum_x mu_x h_x^2 in the loss; label noise
v adds v dC/ds2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.diagrams.finite import Measure, Thirds, Words
from fieldtheory.model.diagrams.solver import Rows, fixed_points

CLUSTERS = (1, 2, 3)
TOLERANCE = 1e-10
COINCIDENT = 1e-13  # a gap below it is two inputs that are one
CROWDED = 0.98  # the planar part of a step is not amplified beyond 1 / (1 - this)
POWERS, TINY = 12, 1e-12
BISECTIONS = 60
GROUPS = 4  # into which third places are parted to see how much their choice matters


def solve(
    measure: Measure,
    samples: float,
    ridge: float,
    *,
    clusters: int = 2,
    thirds: Sequence[int] | None = None,
    start: Array | None = None,
) -> "Dressed":
    """The dressed propagator of a finite measure at one mean number of samples.

    clusters  samples in the largest diagrams: 1 planar, 2 or 3 crossing
    thirds    with clusters = 3: places of the third samples, drawn at random with the weights of
              the measure, to spare the sum over all; `Dressed.third_error` is what it costs
    start     the self-energy of a nearby solution

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
    for number in range(2 if start is None else max(most, 2), most + 1):
        D = _converged(measure, eta, s2, number, chosen, D)
    words = Words(measure, eta, s2, measure.propagator(D), most, chosen)
    return Dressed(words, frozen(D))


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
    """The self-energy of all planar diagrams, diagonal: D_xx = eta mu_x t_x."""
    nothing = Thirds.of(measure, 1, None)

    def step(D: Array, _: Rows) -> Array:
        C = measure.propagator(np.diag(D[0]))
        words = Words(measure, samples, ridge, C, 1, nothing)
        found = samples * measure.weights * words.visit
        return D + np.diag(_amplified(words, np.diag(found - D[0])))

    def name(_: int) -> str:
        return f"planar diagrams on {measure.weights.size} points, {samples:g} samples"

    start = measure.weights / _uniform(measure, samples, ridge)
    found = fixed_points(step, start[None], name, tolerance=TOLERANCE, positive=True)
    return np.diag(found.values[0])


def _uniform(measure: Measure, samples: float, ridge: float) -> float:
    """kappa of the planar theory as if all places were alike, by bisection in its logarithm."""
    lam = np.linalg.svd(np.sqrt(measure.weights)[:, None] * measure.factor, compute_uv=False) ** 2
    low, high = -800.0, float(np.log((np.sum(lam) + ridge) / samples))
    for _ in range(BISECTIONS):
        kappa = np.exp((low + high) / 2)
        many = np.sum(lam / (lam + kappa)) + ridge / kappa > samples
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


def _converged(
    measure: Measure, eta: float, ridge: float, clusters: int, thirds: Thirds, start: Array
) -> Array:
    shape = start.shape

    def step(flat: Array, _: Rows) -> Array:
        D = flat.reshape(shape)
        words = Words(measure, eta, ridge, measure.propagator(D), clusters, thirds)
        return np.asarray((D + _amplified(words, words.self_energy - D)).reshape(1, -1))

    def name(_: int) -> str:
        return f"diagrams of {clusters} samples on {len(start)} points, {eta:g} samples"

    found = fixed_points(step, start.reshape(1, -1), name, tolerance=TOLERANCE)
    D = found.values.reshape(shape)
    return (D + D.T) / 2


def _amplified(words: Words, residual: Array) -> Array:
    """What a change of D becomes after the planar loops C_xx have answered it, again and again."""
    C = words.propagator
    if not np.all(np.isfinite(C)):
        return np.full_like(C, np.nan)
    weight = (words.samples * words.measure.weights * words.visit**2)[:, None]
    answered = weight[:, 0] * np.sum((C @ residual) * C, axis=1)
    loops = weight * C**2
    loops *= min(1.0, CROWDED / _largest(loops))
    return np.asarray(residual + np.diag(np.linalg.solve(np.eye(len(C)) - loops, answered)))


def _largest(matrix: Array) -> float:
    """A bound on the largest eigenvalue of a matrix of positive entries (Collatz, Wielandt)."""
    x = np.ones(len(matrix))
    for _ in range(POWERS):
        x = matrix @ x + TINY * np.max(matrix @ x)
        x /= np.max(x)
    return float(np.max(matrix @ x / x))


@dataclass(frozen=True, eq=False)
class Dressed:
    """The dressed propagator of a finite measure, and what follows from it.

    words        the propagator and the words on it
    self_energy  (points, points) D
    """

    words: Words
    self_energy: Array

    @property
    def propagator(self) -> Array:
        """(points, points) C, the posterior covariance."""
        return self.words.propagator

    def residual(self, target: Array) -> Array:
        """(points, ...) (1 + K D)^-1 g, minus the mean of f* - g."""
        return np.asarray(target - self.propagator @ (self.self_energy @ target))

    def answer(self, by: Array, ridge: float = 0.0) -> Array:
        """The change of D, self-consistently, when sources change C by `by` and s2 moves by
        `ridge`."""
        C, words, shape = self.propagator, self.words, by.shape

        def step(flat: Array, _: Rows) -> Array:
            dD = flat.reshape(shape)
            found = words.response(by - C @ dD @ C, ridge)
            return np.asarray((dD + _amplified(words, found - dD)).reshape(1, -1))

        def name(_: int) -> str:
            return f"response of the diagrams on {len(C)} points, {words.samples:g} samples"

        found = fixed_points(step, np.zeros((1, C.size)), name, tolerance=TOLERANCE)
        return found.values.reshape(shape)

    @cached_property
    def gain(self) -> Array:
        """(points, points) mu + dD/dJ."""
        source = np.diag(self.words.measure.weights)
        return np.asarray(source + self.answer(-self.propagator @ source @ self.propagator))

    def error(self, target: Array) -> Array:
        """The squared error of each target, (points,) or (points, targets), without label noise."""
        q = self.residual(target)
        return np.asarray(np.sum(q * (self.gain @ q), axis=0))

    def second_moment(self, target: Array) -> Array:
        """(points, points) mean over datasets of h(x) h(y), h = f* - g, of one target."""
        q, C = self.residual(target), self.propagator
        own = np.outer(q, q)
        return np.asarray(own + C @ self.answer(-own) @ C)

    @cached_property
    def noise(self) -> Array:
        """(points, points) the covariance that label noise of variance 1 adds."""
        C = self.propagator
        return np.asarray(-C @ self.answer(np.zeros_like(C), ridge=1.0) @ C)

    def third_error(self, target: Array) -> float:
        """The standard error that drawing `thirds` leaves in the error of one target: the spread
        between four parts of them, each solved for on its own.

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
            D = _converged(words.measure, words.samples, words.ridge, 3, some, self.self_energy)
            C = words.measure.propagator(D)
            again = Words(words.measure, words.samples, words.ridge, C, 3, some)
            found.append(float(Dressed(again, frozen(D)).error(target)))
        return float(np.std(found, ddof=1) / np.sqrt(GROUPS))
