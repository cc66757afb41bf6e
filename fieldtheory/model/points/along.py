r"""A theory on a finite measure along a whole curve: solved at few numbers of samples.

Averages over a random number of samples are smooth in the logarithm of its mean (`fixed`, `nodes`).
Solutions of one place at a time start from the ones nearby, and all others from these: so they are
the same in any order, and a curve that was interrupted goes on exactly.

From a Poisson to a fixed number see `fixed`; where each of P points is taken once with probability
p = m/P, the number has the central moments a = m(1 - p), b = a(1 - 2p) and
c = 3 a^2 + a(1 - 6 p(1 - p)), and at m = N

.. math:: F_N = F - \frac{a}{2} F^{(2)} - \frac{b}{6} F^{(3)} - \frac{c}{24} F^{(4)}
          + \frac{a}{2} \Bigl( (1 - 2p) F^{(3)} + \frac{a}{2} F^{(4)} - \frac{1}{P} F^{(2)} \Bigr)
          + \dots
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams.fixed import Chosen, Smooth, pieces
from fieldtheory.model.memory import Work
from fieldtheory.model.points.dressed import Functional, locally
from fieldtheory.model.points.nodes import Nodes, through

ACCURACY = 1e-3  # of half the nodes; all of them are better by about as much again
NEIGHBOURS = 4  # solved nodes that the next one starts from
DOWN = 0.85  # to a mean where a solution is easier to find
FEW = 9  # sizes that are answered one by one, or nodes of a curve that need not be exact


class Solved(Protocol):
    """A solution at one mean number of samples."""

    @property
    def here(self) -> Functional:
        """The self-energy as a function of the propagator."""

    @property
    def propagator(self) -> Array:
        """(points, points) C."""

    @property
    def self_energy(self) -> Array:
        """(points, points)."""

    def residual(self, target: Array) -> Array:
        """(points, ...) minus the mean of f* - g."""

    def answer(self, by: Array, source: float) -> Array:
        """(points, points) what the self-energy answers to a change of C and to a source."""


Of = TypeVar("Of", bound=Solved)


@dataclass(frozen=True, eq=False)
class Columns:
    """What is found along a curve.

    values  (sizes, columns)
    shift   (sizes,) the second order of the ensemble in the first column
    ratio   (sizes,) what the ensemble does to the first column in all, as a factor
    solved  which sizes have a solution that is smooth in their number
    """

    values: Array
    shift: Array
    ratio: Array
    solved: Chosen


class Known(Generic[Of]):
    """Solutions, each starting from those that were found nearby.

    solve  from a mean number of samples and a self-energy nearby, None at first
    """

    def __init__(self, solve: Callable[[float, Array | None], Of]) -> None:
        self.solve = solve
        self.places: list[float] = []
        self.found: list[Array] = []

    def __call__(self, samples: float) -> Of:
        """A solution from those nearby, or without them where that leads nowhere."""
        solved: Of = self.started(self.solve, samples)
        S = solved.self_energy
        # diagonal are all, or none; these are positive, over many orders
        self.learn(samples, S if np.any(S[0, 1:]) else np.log(np.diag(S)))
        return solved

    def learn(self, samples: float, found: Array) -> None:
        """A self-energy, or the logarithm of its diagonal if that is all of it."""
        place = float(np.log(samples))
        if place not in self.places:
            self.places.append(place)
            self.found.append(found)

    def started(
        self, solve: Callable[[float, Array | None], Any], samples: float, steps: int = 0
    ) -> Any:
        """Another theory's solution from these, or without them where that leads nowhere; or from
        its own solution at fewer samples, and that from one at fewer still, so many times."""
        start = self.near(samples)
        for first in (start, None) if start is not None else (None,):
            with suppress(OutOfRegime):
                return solve(samples, first)
        if not steps:
            return solve(samples, None)  # and says what is wrong
        below = self.started(solve, DOWN * samples, steps - 1)
        return solve(samples, below.self_energy)

    def near(self, samples: float) -> Array | None:
        """Interpolated in log samples from the nearest ones; None as long as there are few."""
        if len(self.places) < 2:
            return None
        place, at = np.log(samples), np.array(self.places)
        some = np.argsort(np.abs(at - place))[:NEIGHBOURS]
        if np.abs(at[some[0]] - place) > np.ptp(at[some]):
            some = some[:1]  # too far out for a polynomial
        total = np.zeros_like(self.found[0])
        for i in some:
            others = at[some[some != i]]
            total = total + np.prod((place - others) / (at[i] - others)) * self.found[i]
        return np.diag(np.exp(total)) if total.ndim == 1 else total


@dataclass(frozen=True, eq=False)
class Rows(Generic[Of]):
    """What is asked of a theory at any mean number of samples, each for itself.

    name     of the theory, for a memory
    solve    from a mean number of samples
    columns  from a solution to numbers
    work     keeps them, and counts
    counted  the numbers that must be accurate along a curve
    """

    name: str
    solve: Callable[[float], Of]
    columns: Callable[[Of], Array]
    work: Work
    counted: tuple[int, ...] = (0,)

    def __call__(self, samples: float) -> Array:
        """The numbers at this mean. Raises `OutOfRegime` where there is no solution."""
        row = self.found(samples)
        return row if row.size else self.columns(self.solve(samples))

    def found(self, samples: float) -> Array:
        """The numbers at this mean, none where there is no solution."""
        return self.work.part(f"{self.name} at {samples!r}", lambda: self._tried(samples))

    def _tried(self, samples: float) -> Array:
        with suppress(OutOfRegime):
            return self.columns(self.solve(samples))
        return np.zeros(0)


def along(
    sizes: Array,
    rows: Rows[Of],
    read: Callable[[Smooth, Array], tuple[Array, Array]],
    most: float = np.inf,
    last: float = np.inf,
) -> Columns:
    """The columns of a theory at all sizes, those that count to `ACCURACY`.

    read   from the interpolation to sizes: `poisson`, `fixed` or `once`
    most   a number of samples where there is none; last  beyond which none is asked for
    """
    asked = np.flatnonzero(sizes <= last)

    def answers(smooth: Smooth) -> Array:
        inside = (sizes >= np.exp(smooth.low)) & (sizes <= np.exp(smooth.high)) & (sizes <= last)
        return read(smooth, sizes[inside])[0]

    nodes = Nodes(rows.found, answers, rows.counted, rows.work.expect)
    parts = pieces(nodes, sizes[asked], most, ACCURACY)
    values, shift = np.zeros((sizes.size, nodes.width)), np.zeros(sizes.size)
    ratio = np.ones(sizes.size)
    solved: Chosen = np.zeros(sizes.size, dtype=bool)
    for smooth, inside in parts:
        these = asked[inside]
        values[these], second = read(smooth, sizes[these])
        shift[these] = second[:, 0]
        ratio[these] = values[these, 0] / smooth.poisson(sizes[these])[:, 0]
        solved[these] = True
    return Columns(values, shift, ratio, solved)


def filled(found: Columns, sizes: Array, rows: Rows[Of]) -> Columns:
    """Sizes without a solution get that of another theory, as at a random number of samples."""
    left = np.flatnonzero(~found.solved)
    if not left.size:
        return found
    rows.work.expect(left.size)
    instead = np.array([rows(float(sizes[i])) for i in left])
    values = np.zeros((sizes.size, instead.shape[1]))
    values[left] = instead
    if left.size < sizes.size:
        values[found.solved] = found.values[found.solved]
    return replace(found, values=values)


def few(sizes: Array) -> Array:
    """The means at which `roughly` solves: all of them, or some that the others follow from."""
    if sizes.size <= FEW:
        return sizes
    low, high = np.log(sizes.min()), np.log(sizes.max())
    turn = np.cos(np.pi * np.arange(FEW) / (FEW - 1))[::-1]
    return np.asarray(np.exp(low + (high - low) * (1 + turn) / 2))


def roughly(
    sizes: Array,
    known: Known[Of],
    value: Callable[[Of], float],
    kept: tuple[str, Work],
    otherwise: Array | None = None,
) -> Array:
    """A positive number at each size, of a theory whose self-energy is diagonal: one by one, or
    many from a polynomial in the logarithms; the numbers `otherwise`, if there are any, should
    there be no solution or none above zero. `kept` is the name of the theory, and where it is."""
    name, work = kept

    def solved(samples: float) -> Array:
        found = known(samples)
        return np.append(np.log(np.diag(found.self_energy)), value(found))

    def number(samples: float) -> float:
        row = work.part(f"{name} at {samples!r}", lambda: solved(samples))
        known.learn(samples, row[:-1])
        return float(row[-1])

    nodes = few(sizes)
    try:
        found = np.array([number(float(n)) for n in nodes])
    except OutOfRegime:
        if otherwise is None:
            raise
        return otherwise
    if np.any(found <= 0) and otherwise is not None:
        return otherwise
    if sizes.size <= FEW:
        return found
    return np.asarray(through(nodes, found[:, None]).poisson(sizes)[:, 0])


def local(here: Functional, own: Array, source: float) -> tuple[Array, Array]:
    """Where the self-energy is diagonal: its answer when C_xx moves by - own and under a source,
    and what own becomes by that; (points,) each."""
    answer = locally(here, np.diag(-own), source)
    return answer, np.asarray(own + here.propagator**2 @ answer)


# -- ensembles ------------------------------------------------------------------------------------


def poisson(smooth: Smooth, sizes: Array) -> tuple[Array, Array]:
    """At these means."""
    found = smooth.poisson(sizes)
    return found, np.zeros_like(found)


def fixed(smooth: Smooth, sizes: Array) -> tuple[Array, Array]:
    """At fixed numbers drawn with replacement."""
    return smooth.fixed(sizes)


def once(points: int, plain: int) -> Callable[[Smooth, Array], tuple[Array, Array]]:
    """At fixed numbers drawn without replacement. Columns are means over the places that are not
    there, whose sum is what has an expansion; from the column `plain` on they are not."""

    def read(smooth: Smooth, sizes: Array) -> tuple[Array, Array]:
        N = sizes[:, None]
        p = N / points
        a, free = N * (1 - p), 1 - 2 * p
        value, first, second, third, fourth = smooth.slopes(sizes)
        means = np.arange(value.shape[1]) < plain
        # derivatives of (points - m) F, over points - m
        second, third, fourth = (
            high - order * means * low / (points - N)
            for order, low, high in ((2, first, second), (3, second, third), (4, third, fourth))
        )
        spread = 3 * a**2 + a * (1 - 6 * p * (1 - p))
        correction = a / 2 * (free * third + a / 2 * fourth - second / points)
        correction = correction - a * free / 6 * third - spread / 24 * fourth
        return value - a / 2 * second + correction, correction

    return read
