r"""Beyond planar: the self-consistent theory of crossing diagrams, on the sphere.

Two samples x, y visited in turn, x y x y ..., are the first diagrams the planar theory leaves out;
three samples the next. All of them sum in closed form. With the dressed propagator

.. math:: C_l = \frac{1}{1/\lambda_l + D_l}, \quad c(t) = \sum_l \deg_l C_l P_l(t), \quad
          s(t) = \frac{c(t)}{s_2 + c(1)}

the self-energy of degree l is

.. math:: D_l = \frac{\eta}{s_2 + c(1)} \Bigl( 1 + E_t\bigl[ (P_l(t) - s(t))\, a(t) \bigr] \Bigr),
          \qquad a(t) = -\frac{\eta s^3}{1 - s^2} + \dots

where a(t) sums the crossing-connected words from a sample to one at the cosine t (three samples:
`cluster`). Words that come back to where they began need no formula of their own: the last run of
such a word merges with the first one, so each is a word to another sample with one more step, -s.
Near t = 1 the two parts nearly cancel; they are kept together, as (1 - s) - (1 - P_l), and so even
a ridge of zero does no harm.

The squared error is the response to a source: add (J/2) int h^2 to the loss, and its minimum moves
by half the error. D is the derivative of a functional of C, so the response is symmetric: power
G_l of the target acts as the source G_l / (deg_l lam_l^2), and degree l then carries the error

.. math:: \deg_l C_l^2 \Bigl( \frac{G_l}{\deg_l \lambda_l^2} + \delta D_l \Bigr)

Symbols: eta mean number of samples, s2 ridge, lam eigenvalue, deg multiplicity. Here and in
`cluster`, "gap" is 1 - s, "rest" is 1 - P_l.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.diagrams.cluster import Slope, Third
from fieldtheory.model.diagrams.colatitude import measure, rests_on_grid
from fieldtheory.model.diagrams.solver import Found, Rows, fixed_points
from fieldtheory.model.planar.equation import effective_ridge
from fieldtheory.model.spectrum import Spectrum

DEGREES = 512  # degrees that cross; those beyond are planar, and enter through c(1) alone
CLUSTERS = (2, 3)
TOLERANCE = 1e-11
CIRCLE = 1e-6  # ridge over s2 + c(1) below which three samples on the circle diverge
CROWDED = 0.95  # the planar part of a step is not amplified beyond 1 / (1 - this)


def grid(spectrum: Spectrum, degrees: int = DEGREES) -> tuple[int, int]:
    """How many degrees are resolved, and at how many angles."""
    resolved = min(degrees, spectrum.eigenvalues.size)
    return resolved, 4 * (48 + resolved + int(2 * np.sqrt(spectrum.dimension)))


@dataclass(frozen=True, eq=False)
class Modes:
    """A spectrum, a ridge, and the quadrature in t: what does not depend on the samples."""

    spectrum: Spectrum
    ridge: float
    rest: Array
    weights: Array

    @staticmethod
    def of(spectrum: Spectrum, ridge: float, degrees: int = DEGREES) -> "Modes":
        d, (resolved, points) = spectrum.dimension, grid(spectrum, degrees)
        return Modes(spectrum, ridge, rests_on_grid(d, resolved, points), measure(d, points))

    @property
    def resolved(self) -> int:
        return len(self.rest)

    @property
    def columns(self) -> int:
        """Entries of D: one for each resolved degree, one for all others if there are any."""
        return self.resolved + (self.resolved < self.spectrum.eigenvalues.size)

    def spread(self, D: Array) -> Array:
        """D at every degree of the spectrum."""
        missing = self.spectrum.eigenvalues.size - D.shape[-1]
        if not missing:
            return D
        last = np.repeat(D[..., -1:], missing, axis=-1)
        return np.concatenate([D, last], axis=-1)

    def gathered(self, values: Array) -> Array:
        """The sum over the degrees that share a column."""
        found = values[..., : self.columns].copy()
        if self.columns > self.resolved:
            found[..., -1] = np.sum(values[..., self.resolved :], axis=-1)
        return found

    def gap(self, values: Array) -> Array:
        """sum_l deg_l values_l (1 - P_l(t)) at the nodes; beyond the resolved degrees P_l is 0."""
        weighted = self.spectrum.counts * values
        beyond = np.sum(weighted[..., self.resolved :], axis=-1, keepdims=True)
        found: Array = weighted[..., : self.resolved] @ self.rest + beyond
        return found

    def projected(self, values: Array) -> Array:
        """E_t[(1 - P_l) values], one for each column."""
        weighted = values * self.weights
        found = weighted @ self.rest.T
        if self.columns > self.resolved:
            whole = np.sum(weighted, axis=-1, keepdims=True)
            found = np.concatenate([found, whole], axis=-1)
        return np.asarray(found)


@dataclass(frozen=True, eq=False)
class State:
    """The dressed propagator of some rows, and what the words are made of.

    samples (rows, 1) eta, propagator (rows, degrees) C_l, loop (rows, 1) s2 + c(1),
    gap (rows, nodes) 1 - s(t) to relative accuracy
    """

    samples: Array
    propagator: Array
    loop: Array
    gap: Array

    @staticmethod
    def at(modes: Modes, samples: Array, D: Array) -> "State":
        lam = modes.spectrum.eigenvalues
        C = lam / (1 + lam * modes.spread(D))
        loop = modes.ridge + np.sum(modes.spectrum.counts * C, axis=-1, keepdims=True)
        return State(samples[:, None], C, loop, (modes.ridge + modes.gap(C)) / loop)

    def rows(self, chosen: Rows) -> "State":
        """Some of the rows."""
        parts = (self.samples, self.propagator, self.loop, self.gap)
        return State(*(part[chosen] for part in parts))


def two_apart(state: State) -> tuple[Array, Array]:
    """a(t) of two samples, and its derivative by the gap."""
    s, square = 1 - state.gap, state.gap * (2 - state.gap)  # square is 1 - s^2
    words = -state.samples * s**3 / square
    slope = state.samples * s**2 * (3 * square + 2 * s**2) / square**2
    return words, slope


def self_energy(modes: Modes, state: State, thirds: Sequence[Third] = ()) -> Array:
    """D of all words on the propagators of `state`: (rows, columns)."""
    words, _ = two_apart(state)
    both = np.sum(modes.weights * state.gap * words, axis=-1, keepdims=True)
    bracket = 1 + both - modes.projected(words)
    for row, third in enumerate(thirds):
        gap = state.gap[row]
        more = third.words(float(state.samples[row, 0]), gap)
        bracket[row] += third.bracket(more, third.gaps(gap), modes.columns)
    return np.asarray(state.samples / state.loop * bracket)


def response(
    modes: Modes, state: State, D: Array, moved: Array, ridge: float, slopes: Sequence[Slope] = ()
) -> Array:
    """The first-order change of the self-energy D of `state` when C_l moves by `moved` and s2 by
    `ridge`."""
    words, slope = two_apart(state)
    loop = ridge + np.sum(modes.spectrum.counts * moved, axis=-1, keepdims=True)
    gap = (ridge + modes.gap(moved) - state.gap * loop) / state.loop
    both = np.sum(modes.weights * (state.gap * slope + words) * gap, axis=-1, keepdims=True)
    bracket = both - modes.projected(slope * gap)
    for row, third in enumerate(slopes):
        bracket[row] += third.bracket(gap[row], modes.columns)
    return np.asarray((state.samples * bracket - D * loop) / state.loop)


def solve(
    spectrum: Spectrum,
    samples: Array,
    ridge: float,
    *,
    clusters: int = 2,
    degrees: int = DEGREES,
    start: Array | None = None,
) -> "Solution":
    """The dressed propagators of the sphere at every mean number of samples.

    ridge     the whole of it: the task's own plus the tail of the spectrum
    clusters  samples in the largest crossing diagrams, 2 or 3
    degrees   how many of them cross; those beyond are planar, see `Solution.unresolved`
    start     self-energies of a nearby solution, `Solution.self_energy`

    Raises `InvalidInput` for other clusters, `OutOfRegime` without a ridge at or beyond the number
    of modes and where no self-consistent solution is found.

    >>> line = Spectrum.of([0.5, 0.1, 0.02], dimension=4)
    >>> found = solve(line, np.array([20.0]), ridge=0.1)
    >>> found.propagator.round(5).tolist()
    [[0.01193, 0.01058, 0.00726]]
    """
    _checked(clusters, degrees)
    kappa = effective_ridge(spectrum, samples, ridge)
    modes = Modes.of(spectrum, ridge, degrees)
    planar = np.repeat(1 / kappa[:, None], modes.columns, axis=1)
    found = _converged(modes, samples, planar if start is None else start, ())
    two = Solution(modes, frozen(samples), found)
    return two if clusters == 2 else two.with_thirds(start)


def _checked(clusters: int, degrees: int) -> None:
    if checks.count("clusters", clusters) not in CLUSTERS:
        raise InvalidInput(
            f"clusters = {clusters}: crossing diagrams are summed for 2 or 3 samples; 1 is the "
            "planar theory"
        )
    checks.count("degrees", degrees, least=2)


def _converged(modes: Modes, samples: Array, start: Array, thirds: tuple[Third, ...]) -> Found:
    def step(D: Array, rows: Rows) -> Array:
        state = State.at(modes, samples[rows], D)
        found = self_energy(modes, state, [thirds[row] for row in rows] if thirds else ())
        return D + _amplified(modes, state, found - D)

    number = 3 if thirds else 2
    return fixed_points(
        step,
        start,
        lambda row: f"crossing diagrams of {number} samples, {samples[row]:g} samples",
        tolerance=TOLERANCE,
        positive=True,
    )


def _amplified(modes: Modes, state: State, residual: Array) -> Array:
    """What a change of D becomes after the planar loop c(1) has answered it, again and again."""
    C = state.propagator
    share = modes.gathered(state.samples / state.loop**2 * modes.spectrum.counts * C**2)
    gamma = np.minimum(np.sum(share, axis=-1, keepdims=True), CROWDED)
    return np.asarray(residual + np.sum(share * residual, axis=-1, keepdims=True) / (1 - gamma))


@dataclass(frozen=True, eq=False)
class Solution:
    """Dressed propagators at every mean number of samples, and what follows from them.

    modes    the spectrum, the ridge and the quadrature
    samples  (sizes,) eta
    found    the self-energies, with residuals and the number of iterations
    thirds   where the third samples were, one for each size; empty for two-sample diagrams
    """

    modes: Modes
    samples: Array
    found: Found
    thirds: tuple[Third, ...] = ()

    @property
    def self_energy(self) -> Array:
        """(sizes, columns) D_l, the last column for every degree beyond the resolved ones."""
        return self.found.values

    @cached_property
    def state(self) -> State:
        return State.at(self.modes, self.samples, self.found.values)

    def with_thirds(self, start: Array | None = None, finer: float = 1.0) -> "Solution":
        """The solution with the diagrams of three samples too; `self` is the one with two, and
        says where the third samples matter.

        start  self-energies of a nearby solution with three; without it, those with two
        finer  times as many nodes as usual for the integral over the third sample

        Raises `OutOfRegime` on the circle almost without a ridge, and where no self-consistent
        solution is found.
        """
        modes = self.modes
        d, begin = modes.spectrum.dimension, self.self_energy if start is None else start
        if d == 2 and np.any(modes.ridge < CIRCLE * self.state.loop):
            raise OutOfRegime(
                f"three-sample diagrams on the circle with ridge {modes.ridge:g}: three samples "
                "that nearly coincide diverge there. Pass a ridge of at least "
                f"{CIRCLE * float(np.max(self.state.loop)):.0e}, or clusters = 2"
            )
        thirds = tuple(
            Third.of(d, modes.resolved, modes.weights, gap, finer) for gap in self.state.gap
        )
        return Solution(modes, self.samples, _converged(modes, self.samples, begin, thirds), thirds)

    @property
    def propagator(self) -> Array:
        """(sizes, degrees) C_l, the posterior variance of one mode."""
        return self.state.propagator

    @property
    def residual_share(self) -> Array:
        """(sizes, degrees) C_l / lam_l: the mean residual of degree l is -g_l times it."""
        return np.asarray(
            1 / (1 + self.modes.spectrum.eigenvalues * self.modes.spread(self.self_energy))
        )

    @property
    def posterior_variance(self) -> Array:
        """(sizes,) sum_l deg_l C_l."""
        return np.asarray(self.state.loop[:, 0] - self.modes.ridge)

    @property
    def unresolved(self) -> Array:
        """(sizes,) the part of s2 + c(1) in degrees that were not let cross."""
        beyond = (self.modes.spectrum.counts * self.propagator)[:, self.modes.resolved :]
        return np.asarray(np.sum(beyond, axis=-1) / self.state.loop[:, 0])

    @cached_property
    def slopes(self) -> tuple[Slope, ...]:
        """The linearised third samples."""
        rows = zip(self.thirds, self.samples, self.state.gap, strict=False)
        return tuple(third.linear(float(n), gap) for third, n, gap in rows)

    def answer(self, by: Array, ridge: float = 0.0) -> Array:
        """The change of D_l, self-consistently, when sources change C_l by `by` and s2 moves by
        `ridge`: (sizes, degrees)."""
        modes, slopes = self.modes, self.slopes

        def change(dD: Array, rows: Rows) -> Array:
            C = self.propagator[rows]
            return np.asarray(by[rows] - C**2 * modes.spread(dD))

        def step(dD: Array, rows: Rows) -> Array:
            state, D = self.state.rows(rows), self.self_energy[rows]
            some = [slopes[row] for row in rows] if slopes else ()
            found = response(modes, state, D, change(dD, rows), ridge, some)
            return dD + _amplified(modes, state, found - dD)

        start = np.zeros_like(self.self_energy)
        found = fixed_points(
            step,
            start,
            lambda row: f"response of the crossing diagrams, {self.samples[row]:g} samples",
            tolerance=TOLERANCE,
        )
        return modes.spread(found.values)

    @cached_property
    def gain(self) -> Array:
        """(sizes, degrees) 1 + dD_l/dJ, J the same at every degree: power G_l of the target costs
        the total error G_l (C_l/lam_l)^2 times it."""
        return 1 + self.answer(-(self.propagator**2))

    def error(self, power: Array) -> Array:
        """(sizes, degrees) the squared error that each degree carries without label noise."""
        counts = self.modes.spectrum.counts
        own = np.asarray(power * self.residual_share**2)
        return np.asarray(own + counts * self.propagator**2 * self.answer(-own / counts))

    @cached_property
    def noise(self) -> Array:
        """(sizes, degrees) the variance that label noise of variance 1 adds to each degree."""
        counts, nothing = self.modes.spectrum.counts, np.zeros_like(self.propagator)
        return np.asarray(-counts * self.propagator**2 * self.answer(nothing, ridge=1.0))
