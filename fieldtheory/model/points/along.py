r"""A theory on a finite measure along a whole curve: solved at few numbers of samples.

Averages over a random number of samples are smooth in the logarithm of its mean (`fixed`). Every
solution starts from the ones nearby. From a Poisson to a fixed number see `fixed`; where each of P
points is taken once with probability p = m/P, the number has the central moments a = m(1 - p),
b = a(1 - 2p) and c = 3 a^2 + a(1 - 6 p(1 - p)), and at m = N

.. math:: F_N = F - \frac{a}{2} F^{(2)} - \frac{b}{6} F^{(3)} - \frac{c}{24} F^{(4)}
          + \frac{a}{2} \Bigl( (1 - 2p) F^{(3)} + \frac{a}{2} F^{(4)} - \frac{1}{P} F^{(2)} \Bigr)
          + \dots
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.polynomial import chebyshev

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams.fixed import Chosen, Smooth, pieces
from fieldtheory.model.points.dressed import Functional, locally

ACCURACY = 1e-3  # of half the nodes; all of them are better by about as much again
NEIGHBOURS = 4  # solved nodes that the next one starts from
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

    def second_moment(self, target: Array, noise: float = 0.0) -> Array:
        """(points, points) mean of h(x) h(y)."""


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
        start = self.near(samples)
        try:
            solved = self.solve(samples, start)
        except OutOfRegime:
            if start is None:
                raise
            solved = self.solve(samples, None)
        place = float(np.log(samples))
        if place not in self.places:
            self.places.append(place)
            S = solved.self_energy
            # diagonal are all, or none; these are positive, over many orders
            self.found.append(S if np.any(S[0, 1:]) else np.log(np.diag(S)))
        return solved

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


def along(
    sizes: Array,
    known: Known[Of],
    columns: Callable[[Of], Array],
    read: Callable[[Smooth, Array], tuple[Array, Array]],
    most: float = np.inf,
    last: float = np.inf,
) -> Columns:
    """The columns of a solution at all sizes, the first of them to `ACCURACY`.

    read   from the interpolation to sizes: `poisson`, `fixed` or `once`
    most   a number of samples where there is none; last  beyond which none is asked for
    """
    width = 1

    def evaluate(eta: Array, _: Array | None) -> tuple[Array, Array]:
        nonlocal width
        rows: list[Array] = []
        for n in eta:
            rows.append(np.zeros(0))
            with suppress(OutOfRegime):
                rows[-1] = columns(known(float(n)))
                width = max(width, rows[-1].size)
        none = np.full(width, np.nan)
        return np.array([row if row.size else none for row in rows]), np.zeros((len(rows), 1))

    asked = np.flatnonzero(sizes <= last)
    parts = pieces(evaluate, sizes[asked], most, ACCURACY)
    values, shift = np.zeros((sizes.size, width)), np.zeros(sizes.size)
    ratio = np.ones(sizes.size)
    solved: Chosen = np.zeros(sizes.size, dtype=bool)
    for smooth, inside in parts:
        these = asked[inside]
        values[these], second = read(smooth, sizes[these])
        shift[these] = second[:, 0]
        ratio[these] = values[these, 0] / smooth.poisson(sizes[these])[:, 0]
        solved[these] = True
    return Columns(values, shift, ratio, solved)


def filled(
    found: Columns, sizes: Array, known: Known[Of], columns: Callable[[Of], Array]
) -> Columns:
    """Sizes without a solution get that of another theory, as at a random number of samples."""
    left = np.flatnonzero(~found.solved)
    if not left.size:
        return found
    rows = np.array([columns(known(float(sizes[i]))) for i in left])
    values = np.zeros((sizes.size, rows.shape[1]))
    values[left] = rows
    if left.size < sizes.size:
        values[found.solved] = found.values[found.solved]
    return replace(found, values=values)


def roughly(
    sizes: Array,
    known: Known[Of],
    value: Callable[[Of], float],
    otherwise: Array | None = None,
) -> Array:
    """A positive number at each size: one by one, or many from a polynomial in the logarithms; the
    numbers `otherwise`, if there are any, should there be no solution or none above zero."""
    low, high, nodes = np.log(sizes.min()), np.log(sizes.max()), sizes
    if sizes.size > FEW:
        turn = np.cos(np.pi * np.arange(FEW) / (FEW - 1))[::-1]
        nodes = np.exp(low + (high - low) * (1 + turn) / 2)
    try:
        found = np.array([value(known(float(n))) for n in nodes])
    except OutOfRegime:
        if otherwise is None:
            raise
        return otherwise
    if np.any(found <= 0) and otherwise is not None:
        return otherwise
    if sizes.size <= FEW:
        return found
    series = chebyshev.Chebyshev.fit(np.log(nodes), np.log(found), FEW - 1, [low, high])
    return np.asarray(np.exp(series(np.log(sizes))))


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
        value, *rates = _rates(smooth, sizes)
        first = rates[0] / N
        second = (rates[1] - rates[0]) / N**2
        third = (rates[2] - 3 * rates[1] + 2 * rates[0]) / N**3
        fourth = (rates[3] - 6 * rates[2] + 11 * rates[1] - 6 * rates[0]) / N**4
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


def _rates(smooth: Smooth, sizes: Array) -> list[Array]:
    """Values and the first four derivatives by log eta."""
    half = (smooth.high - smooth.low) / 2
    place = (np.log(sizes) - smooth.low) / half - 1
    p = []
    for order in range(5):
        slope = chebyshev.chebder(smooth.coefficients, order, scl=1 / half)
        p.append(chebyshev.chebvander(place, len(slope) - 1) @ slope)
    grown = [
        np.ones_like(p[0]),
        p[1],
        p[2] + p[1] ** 2,
        p[3] + 3 * p[1] * p[2] + p[1] ** 3,
        p[4] + 4 * p[1] * p[3] + 3 * p[2] ** 2 + 6 * p[1] ** 2 * p[2] + p[1] ** 4,
    ]
    value = smooth.poisson(sizes)
    return [np.where(smooth.logarithmic, value * g, q) for g, q in zip(grown, p, strict=True)]
