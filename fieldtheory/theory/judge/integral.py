r"""The integral of the zero-dimensional theory, as an exact series.

.. math::  Z = \Big\langle \exp \sum_v \lambda_v \frac{\text{legs of } v}{|\mathrm{Aut}(v)|}
               \Big\rangle_0 , \qquad \langle a\, b \rangle_0 = C_{ab}

The exponential is expanded, and Gaussian moments are inserted, index by index: fields without an
index are one copy, replicated ones M copies, of which some are singled out by external legs. The
fields may fluctuate about classical values. Nothing here knows of diagrams.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import factorial, prod
from typing import Any, TypeAlias

import sympy as sp
from sympy.polys.rings import PolyElement, PolyRing

from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.judge.gaussian import Copies, Gaussian, Groups, Powers, Times
from fieldtheory.theory.judge.graded import (
    Grade,
    Order,
    Series,
    graded,
    minus,
    polynomials,
)

Place = tuple[int, int]  # number of the index, and replica: OTHERS for those not singled out
OTHERS = -1
Index: TypeAlias = sp.Symbol | None  # of a field
Means = tuple[sp.Symbol, ...]


@dataclass(frozen=True)
class Theory:
    """An action and the order through which its integral is wanted.

    classical  for each place where the fields fluctuate about classical values, one symbol per
               leg type of that index, in the order of `legs_of`.
    """

    action: Action
    order: Order
    classical: tuple[tuple[Place, Means], ...] = ()
    _integrals: dict[Any, Series] = field(default_factory=dict, compare=False, repr=False)
    _groups_known: dict[Any, Copies] = field(default_factory=dict, compare=False, repr=False)
    _gaussians: dict[Any, Gaussian] = field(default_factory=dict, compare=False, repr=False)

    # -- the pieces, as polynomials ---------------------------------------------------------------

    @cached_property
    def _graded(self) -> tuple[Grade, tuple[tuple[Vertex, Grade], ...]]:
        return graded(self.action, self.order)

    @property
    def box(self) -> Grade:
        """The largest grade that is kept."""
        return self._graded[0]

    @cached_property
    def _values(self) -> list[sp.Expr]:
        """What the action is made of."""
        action = self.action
        return [
            *(v.coupling for v in action.vertices),
            *(line.value for line in action.lines),
            *(sp.Symbol(f.name) for f in action.fields if f.background),
            *(f.index for f in action.fields if f.index is not None),
        ]

    @property
    def symbols(self) -> set[sp.Symbol]:
        """The symbols of the action: in couplings and propagators, background fields, indices."""
        return set().union(*(value.free_symbols for value in self._values))

    @cached_property
    def _embedded(self) -> tuple[PolyRing, dict[sp.Expr, PolyElement]]:
        fields = [symbol for _, symbols in self.classical for symbol in symbols]
        values = [*self._values, *fields]
        ring, found = polynomials(values)
        return ring, dict(zip(values, found, strict=True))

    @property
    def ring(self) -> PolyRing:
        """The ring of all coefficients."""
        return self._embedded[0]

    def polynomial(self, value: sp.Expr) -> PolyElement:
        """A coupling, propagator, background field, index or classical field in the ring."""
        return self._embedded[1][value]

    @cached_property
    def indices(self) -> tuple[Index, ...]:
        """The indices of the fields; None for fields without."""
        return tuple(sorted({field.index for field in self.action.fields}, key=sp.srepr))

    def copies(self, place: Place) -> PolyElement:
        """How many copies a place stands for: one, or all that are not singled out."""
        if place[1] != OTHERS:
            return self.ring.one
        single = [at for at, _ in self.classical if at[0] == place[0] and at != place]
        return self.polynomial(self.indices[place[0]]) - len(single)

    def place(self, leg: str, replica: int) -> Place:
        """Where a leg in a replica stands; fields without an index have one place."""
        index = self.action.field(leg).index
        return self.indices.index(index), 0 if index is None else replica

    def legs_of(self, index: Index) -> tuple[str, ...]:
        """The leg types that carry an index."""
        return tuple(n for n in self.action.leg_types if self.action.field(n).index == index)

    def covariance(self, index: Index) -> tuple[tuple[PolyElement, ...], ...]:
        """<a b> for every pair of leg types of an index."""
        known = {}
        for line in self.action.lines:
            value = self.polynomial(line.value)
            known[line.first, line.second] = known[line.second, line.first] = value
        names = self.legs_of(index)
        return tuple(tuple(known.get((a, b), self.ring.zero) for b in names) for a in names)

    @cached_property
    def strands(self) -> dict[Index, tuple[Powers, ...]]:
        """Every kind of strand of an index: the powers of its leg types."""
        kinds: dict[Index, set[Powers]] = {index: set() for index in self.indices}
        for vertex in self.action.vertices:
            for strand in vertex.strands:
                index = self.action.field(strand[0]).index
                kinds[index].add(self.powers(index, strand))
        return {index: tuple(sorted(found)) for index, found in kinds.items()}

    def powers(self, index: Index, names: tuple[str, ...]) -> Powers:
        """How often each leg type of an index occurs."""
        return tuple(names.count(name) for name in self.legs_of(index))

    def background(self, names: tuple[str, ...]) -> PolyElement:
        """The product of the background fields among some legs."""
        found = [n for n in names if self.action.field(n).background]
        return prod((self.polynomial(sp.Symbol(n)) for n in found), start=self.ring.one)

    # -- the expansion ----------------------------------------------------------------------------

    @cached_property
    def expansion(self) -> tuple[tuple[Grade, PolyElement, tuple[Times, ...]], ...]:
        """Every multiset of vertices inside the box: its grade, its coefficient (times the
        factorials of its strands), and how often it has each kind of strand, index by index."""
        box, vertices = self._graded
        rules = [self._rule(vertex) for vertex, _ in vertices]
        strands = [self._strands(vertex) for vertex, _ in vertices]
        found = []
        for times in _multisets(tuple(grade for _, grade in vertices), box):
            factor, grade = self.ring.one, (0,) * len(box)
            counts = [[0] * len(self.strands[index]) for index in self.indices]
            for n, rule, kinds, (_, one) in zip(times, rules, strands, vertices, strict=True):
                factor *= (rule**n).quo_ground(self.ring.domain(factorial(n)))
                grade = tuple(a + n * b for a, b in zip(grade, one, strict=True))
                for index, kind in kinds:
                    counts[index][kind] += n
            factor *= prod(factorial(n) for row in counts for n in row)
            found.append((grade, factor, tuple(map(tuple, counts))))
        return tuple(found)

    def _rule(self, vertex: Vertex) -> PolyElement:
        """Rule over symmetry, with the background legs."""
        rule = self.polynomial(vertex.coupling) * self.background(vertex.legs)
        return rule.quo_ground(self.ring.domain(vertex.symmetry))

    def _strands(self, vertex: Vertex) -> list[tuple[int, int]]:
        """For each strand the number of its index, and of its kind among the index's."""
        found = []
        for strand in vertex.strands:
            index = self.action.field(strand[0]).index
            kind = self.strands[index].index(self.powers(index, strand))
            found.append((self.indices.index(index), kind))
        return found

    # -- the integral -----------------------------------------------------------------------------

    def integral(self, legs: Mapping[Place, tuple[str, ...]]) -> Series:
        """The integral of exp(-S) times the legs that stand at each place."""
        key = tuple(sorted((at, names) for at, names in legs.items() if names))
        if key not in self._integrals:
            self._integrals[key] = self._integral(dict(key))
        return self._integrals[key]

    def _integral(self, legs: Mapping[Place, tuple[str, ...]]) -> Series:
        blocks = [self._groups(index, legs) for index in self.indices]
        total: dict[Grade, PolyElement] = {}
        for grade, factor, kinds in self.expansion:
            value = factor
            for block, times in zip(blocks, kinds, strict=True):
                value = value and value * block.coefficient(times)
            total[grade] = total.get(grade, self.ring.zero) + value
        return Series(self.ring, self.box).with_terms(total)

    def _groups(self, index: Index, legs: Mapping[Place, tuple[str, ...]]) -> Groups:
        """The copies that are singled out, one by one, and the others together."""
        number = self.indices.index(index)
        places = {at for at in (*legs, *dict(self.classical)) if at[0] == number}
        places = {at for at in places if at[1] != OTHERS} if index else {(number, 0)}
        groups = [self._copies(at, legs.get(at, ()), self.ring.one) for at in sorted(places)]
        if index is not None:
            others = self.polynomial(index) - len(places)
            groups.append(self._copies((number, OTHERS), (), others))
        return Groups(tuple(groups))

    def _copies(self, place: Place, names: tuple[str, ...], number: PolyElement) -> Copies:
        index, means = self.indices[place[0]], dict(self.classical).get(place)
        key = index, means, tuple(sorted(names)), number
        if key not in self._groups_known:
            self._groups_known[key] = Copies(
                self._gaussian(index, means),
                self.strands[index],
                self.powers(index, names),
                number,
            )
        return self._groups_known[key]

    def _gaussian(self, index: Index, means: Means | None) -> Gaussian:
        key = index, means
        if key not in self._gaussians:
            covariance = self.covariance(index)
            values = (self.ring.zero,) * len(covariance)
            if means is not None:
                values = tuple(map(self.polynomial, means))
            self._gaussians[key] = Gaussian(values, covariance, self.ring.one)
        return self._gaussians[key]


def _multisets(orders: tuple[Grade, ...], box: Grade) -> Iterator[tuple[int, ...]]:
    """How often to take each vertex so that the grades stay inside the box."""
    if not orders:
        yield ()
        return
    times = 0
    while min(box) >= 0:
        for rest in _multisets(orders[1:], box):
            yield (times, *rest)
        times, box = times + 1, minus(box, orders[0])
