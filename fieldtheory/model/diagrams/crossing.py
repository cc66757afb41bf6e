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
from fieldtheory.model.diagrams.fourth import SHARE, Fourth, FourthSlope
from fieldtheory.model.diagrams.medium import DEGREES, Modes, State
from fieldtheory.model.diagrams.solver import Found, Rows, fixed_points
from fieldtheory.model.planar.equation import effective_ridge
from fieldtheory.model.spectrum import Spectrum

CLUSTERS = (2, 3, 4)
TOLERANCE = 1e-11
CIRCLE = {3: 1e-6, 4: SHARE}  # ridge over s2 + c(1) below which so many samples diverge there
CROWDED = 0.95  # the planar part of a step is not amplified beyond 1 / (1 - this)


def two_apart(state: State) -> tuple[Array, Array]:
    """a(t) of two samples, and its derivative by the gap."""
    s = 1 - state.gap
    turns = s * s / (state.gap * (2 - state.gap))  # s^2 / (1 - s^2)
    words = -state.samples * (s * turns)
    return words, state.samples * (turns * (3 + 2 * turns))


def self_energy(modes: Modes, state: State, thirds: Sequence[Third | Fourth] = ()) -> Array:
    """D of all words on the propagators of `state`: (rows, columns)."""
    words = modes.weights * two_apart(state)[0]
    both = np.einsum("ij,ij->i", state.gap, words)[:, None]
    bracket = 1 + both - modes.projected(words)
    for row, third in enumerate(thirds):
        gap = state.gap[row]
        more = third.words(float(state.samples[row, 0]), gap)
        bracket[row] += third.bracket(more, third.gaps(gap), modes.columns)
    return np.asarray(state.samples / state.loop * bracket)


@dataclass(frozen=True, eq=False)
class Response:
    """How the self-energy D of some rows answers to a change of their propagators.

    slope  (rows, nodes) of a(t) by the gap, with the weight of the node
    own    (rows, nodes) of gap a(t), likewise
    thirds the linearised third samples, one for each row; empty for two-sample diagrams
    """

    modes: Modes
    state: State
    D: Array
    slope: Array
    own: Array
    thirds: Sequence[Slope | FourthSlope] = ()

    @staticmethod
    def of(solution: "Solution") -> "Response":
        modes, state = solution.modes, solution.state
        words, slope = two_apart(state)
        slope = modes.weights * slope
        own = state.gap * slope + modes.weights * words
        return Response(modes, state, solution.self_energy, slope, own, solution.slopes)

    @cached_property
    def square(self) -> Array:
        """(rows, degrees) C_l^2."""
        return np.asarray(self.state.propagator**2)

    @cached_property
    def shares(self) -> tuple[Array, Array]:
        """What the planar loop gives back, see `_shares`."""
        return _shares(self.modes, self.state)

    def rows(self, chosen: Rows) -> "Response":
        """Some of the rows, in any order and number."""
        state = self.state
        parts = (state.samples, state.propagator, state.loop, state.gap)
        some = State(*(part[chosen] for part in parts))
        thirds = [self.thirds[int(row)] for row in chosen] if self.thirds else ()
        D, slope, own = (part[chosen] for part in (self.D, self.slope, self.own))
        return Response(self.modes, some, D, slope, own, thirds)

    def __call__(self, moved: Array, ridge: Array) -> Array:
        """The change of D to first order when C_l moves by `moved` and s2 by `ridge`, (rows, 1)."""
        modes, state = self.modes, self.state
        loop = ridge + np.sum(modes.spectrum.counts * moved, axis=-1, keepdims=True)
        gap = (ridge + modes.gap(moved) - state.gap * loop) / state.loop
        both = np.einsum("ij,ij->i", self.own, gap)[:, None]
        bracket = both - modes.projected(self.slope * gap)
        for row, third in enumerate(self.thirds):
            bracket[row] += third.bracket(gap[row], modes.columns)
        return np.asarray((state.samples * bracket - self.D * loop) / state.loop)

    def planar(self, by: Array, ridge: Array) -> Array:
        """(rows, 1) what every degree of D would answer to a source without crossing diagrams."""
        state = self.state
        loop = ridge + np.sum(self.modes.spectrum.counts * by, axis=-1, keepdims=True)
        return np.asarray(-state.samples / state.loop**2 * loop / self.shares[1])

    def solved(self, by: Array, ridge: Array, start: Array) -> Array:
        """The self-consistent change of D, when sources change C_l by `by` and s2 by `ridge`."""
        last = np.arange(len(by)), self

        def step(dD: Array, rows: Rows) -> Array:
            nonlocal last
            if len(rows) != len(last[0]):  # some have converged
                last = rows, self.rows(rows)
            here = last[1]
            moved = by[rows] - here.square * here.modes.spread(dD)
            return dD + _amplified(here(moved, ridge[rows]) - dD, *here.shares)

        samples = self.state.samples[:, 0]
        return fixed_points(
            step,
            start,
            lambda row: f"response of the crossing diagrams, {samples[row]:g} samples",
            tolerance=TOLERANCE,
        ).values


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
    clusters  samples in the largest crossing diagrams, 2, 3 or 4
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
    return two if clusters == 2 else two.with_thirds(start, clusters=clusters)


def _checked(clusters: int, degrees: int) -> None:
    if checks.count("clusters", clusters) not in CLUSTERS:
        raise InvalidInput(
            f"clusters = {clusters}: crossing diagrams are summed for 2, 3 or 4 samples; 1 is the "
            "planar theory"
        )
    checks.count("degrees", degrees, least=2)


def _converged(
    modes: Modes, samples: Array, start: Array, thirds: tuple[Third | Fourth, ...]
) -> Found:
    def step(D: Array, rows: Rows) -> Array:
        state = State.at(modes, samples[rows], D)
        found = self_energy(modes, state, [thirds[row] for row in rows] if thirds else ())
        return D + _amplified(found - D, *_shares(modes, state))

    number = 2 if not thirds else 4 if isinstance(thirds[0], Fourth) else 3
    return fixed_points(
        step,
        start,
        lambda row: f"crossing diagrams of {number} samples, {samples[row]:g} samples",
        tolerance=TOLERANCE,
        positive=True,
    )


def _amplified(residual: Array, share: Array, spare: Array) -> Array:
    """What a change of D becomes after the planar loop c(1) has answered it, again and again."""
    return np.asarray(residual + np.einsum("ij,ij->i", share, residual)[:, None] / spare)


def _shares(modes: Modes, state: State) -> tuple[Array, Array]:
    """What the planar loop gives back of a change of each column of D, and one minus their sum."""
    C, strength = state.propagator, state.samples / state.loop**2
    share = modes.gathered(strength * modes.spectrum.counts * C**2)
    return share, 1 - np.minimum(np.sum(share, axis=-1, keepdims=True), CROWDED)


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
    thirds: tuple[Third | Fourth, ...] = ()

    @property
    def self_energy(self) -> Array:
        """(sizes, columns) D_l, the last column for every degree beyond the resolved ones."""
        return self.found.values

    @cached_property
    def state(self) -> State:
        return State.at(self.modes, self.samples, self.found.values)

    def with_thirds(
        self, start: Array | None = None, finer: float = 1.0, clusters: int = 3
    ) -> "Solution":
        """The solution with the diagrams of three samples too, and of four if asked for; `self` is
        the one with two, and says where the other samples matter.

        start  self-energies of a nearby solution; without it, those with two
        finer  times as many nodes as usual for the integrals over the other samples

        Raises `OutOfRegime` on the circle almost without a ridge, and where no self-consistent
        solution is found.
        """
        modes = self.modes
        d, begin = modes.spectrum.dimension, self.self_energy if start is None else start
        if d == 2 and np.any(modes.ridge < CIRCLE[clusters] * self.state.loop):
            raise OutOfRegime(
                f"diagrams of {clusters} samples on the circle with ridge {modes.ridge:g}: samples "
                "that nearly coincide diverge there. Pass a ridge of at least "
                f"{CIRCLE[clusters] * float(np.max(self.state.loop)):.0e}, "
                f"or clusters = {clusters - 1}"
            )
        gap = self.state.gap
        thirds: tuple[Third | Fourth, ...]
        thirds = three = Third.each(d, modes.resolved, modes.weights, gap, finer)
        if clusters == 4:
            rows = zip(three, gap, strict=True)
            thirds = tuple(Fourth.of(one, d, modes.resolved, row, finer) for one, row in rows)
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
    def slopes(self) -> tuple[Slope | FourthSlope, ...]:
        """The linearised third samples."""
        rows = zip(self.thirds, self.samples, self.state.gap, strict=False)
        return tuple(third.linear(float(n), gap) for third, n, gap in rows)

    def answer(self, by: Array, ridge: float = 0.0) -> Array:
        """The change of D_l, self-consistently, when sources change C_l by `by` and s2 moves by
        `ridge`: (sizes, degrees)."""
        sources = np.full((len(by), 1), ridge)
        found = Response.of(self).solved(by, sources, np.zeros_like(self.self_energy))
        return self.modes.spread(found)

    @cached_property
    def gain(self) -> Array:
        """(sizes, degrees) 1 + dD_l/dJ, J the same at every degree: power G_l of the target costs
        the total error G_l (C_l/lam_l)^2 times it."""
        return 1 + self.answer(-(self.propagator**2))

    def error(self, power: Array) -> Array:
        """(sizes, degrees) the squared error that each degree carries without label noise."""
        return self.errors(power, noisy=False).error

    @cached_property
    def noise(self) -> Array:
        """(sizes, degrees) the variance that label noise of variance 1 adds to each degree."""
        return self.errors(np.zeros(self.propagator.shape[1])).noise

    def errors(self, power: Array, noisy: bool = True, start: Array | None = None) -> "Errors":
        """Both at once.

        noisy  whether label noise is asked for
        start  answers of a nearby solution, `Errors.answers`
        """
        counts, sizes = self.modes.spectrum.counts, len(self.samples)
        own = np.asarray(power * self.residual_share**2)
        by = -own / counts
        ridge = np.zeros((sizes, 1))
        respond = Response.of(self)
        if noisy:
            by, ridge = np.concatenate([by, 0 * by]), np.concatenate([ridge, ridge + 1])
            respond = respond.rows(np.tile(np.arange(sizes), 2))
        planar = respond.planar(by, ridge)
        answers = np.ones((len(by), self.modes.columns)) if start is None else start
        found = respond.solved(by, ridge, planar * answers)
        answers = found / np.where(planar == 0, 1, planar)
        change = np.split(self.modes.spread(found), 1 + noisy)
        weak = counts * self.propagator**2
        noise = -weak * change[1] if noisy else np.zeros_like(own)
        return Errors(own + weak * change[0], noise, answers)


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors of each degree, and how the self-energies answered.

    error    (sizes, degrees) without label noise
    noise    (sizes, degrees) what label noise of variance 1 adds; 0 where it was not asked for
    answers  (1 or 2 times sizes, columns) the change of D_l over the planar one, first for the
             target, then for label noise
    """

    error: Array
    noise: Array
    answers: Array
