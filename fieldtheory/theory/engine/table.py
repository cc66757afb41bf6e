"""The action as small integers: what the inner loops of the diagram engine work with.

A line has two ends, and a *view* is a line seen from one of them: a line between equal legs has one
view, a line between different legs (psi and psi_bar, or two fields that mix) has two. Numbers per
kind of leg, or per view, are packed into one integer, one `DIGIT` each. A strand in a partial
graph, from the highest bits down, is

    open legs in all | open legs per kind | species | external legs per view | self-loops per view

and a pair of strands is its number of lines per view, as the strand that is named first sees them,
with a digit above them when both belong to one vertex.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import factorial, prod
from typing import NamedTuple

from fieldtheory.theory.action import Action, multiplicities

DIGIT = 6  # bits: no count reaches 64
COUNT = (1 << DIGIT) - 1
SPECIES = 16  # bits


class Rules(NamedTuple):
    """Which diagrams are wanted."""

    connected: bool = False
    irreducible: bool = False
    labelled: bool = True
    vacuum: bool = True


EVERYTHING = Rules()


class Species(NamedTuple):
    """One of the distinct strands of a vertex type."""

    kind: int
    strand: tuple[str, ...]
    times: int  # how many of the vertex's strands are like it
    offset: int  # the first of them
    legs: tuple[int, ...]  # per kind of leg


class View(NamedTuple):
    """A line seen from one end."""

    here: int  # the kind of leg at this end
    there: int  # and at the other
    name: str
    back: int  # the view from the other end


@dataclass(frozen=True)
class Table:
    """The action as small integers."""

    action: Action
    rules: Rules = EVERYTHING
    chained: bool = True  # False leaves out strands of external legs and two lines of one kind

    @cached_property
    def legs(self) -> tuple[str, ...]:
        """The kinds of leg that are contracted."""
        return self.action.leg_types

    @cached_property
    def views(self) -> list[View]:
        """The first view of a line comes before the second."""
        found: list[View] = []
        for line in self.action.lines:
            here, there, at = self.legs.index(line.first), self.legs.index(line.second), len(found)
            if line.is_directed:
                found.append(View(here, there, line.names[0], at + 1))
                found.append(View(there, here, line.names[1], at))
            else:
                found.append(View(here, here, line.names[0], at))
        return found

    @cached_property
    def around(self) -> list[list[int]]:
        """The views from each kind of leg."""
        return [
            [v for v, view in enumerate(self.views) if view.here == leg]
            for leg in range(len(self.legs))
        ]

    @cached_property
    def plain(self) -> list[bool]:
        """Whether a kind of leg is contracted with its own kind only."""
        return [
            [self.views[v].there for v in views] == [leg] for leg, views in enumerate(self.around)
        ]

    @cached_property
    def has_arrows(self) -> bool:
        """Whether some line has two views."""
        return any(view.back != v for v, view in enumerate(self.views))

    @cached_property
    def species(self) -> list[Species]:
        """Sorted as vertices and their strands are."""
        return [
            Species(
                kind,
                strand,
                vertex.strands.count(strand),
                vertex.strands.index(strand),
                tuple(strand.count(name) for name in self.legs),
            )
            for kind, vertex in enumerate(self.action.vertices)
            for strand in sorted(set(vertex.strands))
        ]

    @cached_property
    def strands(self) -> list[list[int]]:
        """The species of each strand, per vertex type."""
        number = {(s.kind, s.strand): n for n, s in enumerate(self.species)}
        return [
            [number[kind, strand] for strand in vertex.strands]
            for kind, vertex in enumerate(self.action.vertices)
        ]

    @cached_property
    def fresh(self) -> list[list[int]]:
        """The nodes of an untouched vertex, per vertex type."""
        return [
            [
                sum(n * self.leg(f) for f, n in enumerate(self.species[s].legs))
                + (s << self.species_at)
                for s in strands
            ]
            for strands in self.strands
        ]

    @cached_property
    def background(self) -> list[int]:
        """Exchanges of equal background legs, per species."""
        return [
            multiplicities(name for name in s.strand if name not in self.legs) for s in self.species
        ]

    @cached_property
    def width(self) -> int:
        """The bits of one digit per view."""
        return DIGIT * len(self.views)

    @cached_property
    def species_at(self) -> int:
        return 2 * self.width

    @cached_property
    def open_at(self) -> int:
        return self.species_at + SPECIES

    @cached_property
    def total_at(self) -> int:
        """Where a node's number of open legs begins."""
        return self.open_at + DIGIT * len(self.legs)

    @cached_property
    def link(self) -> int:
        """The kind of a pair of strands of one vertex; a digit above the lines."""
        return 1 << self.width

    @cached_property
    def single(self) -> frozenset[int]:
        """The kinds of pairs that one line joins, and nothing else."""
        return frozenset(1 << DIGIT * v for v in range(len(self.views)))

    @cached_property
    def bits(self) -> int:
        several = any(len(vertex.strands) > 1 for vertex in self.action.vertices)
        return max(self.width + DIGIT * several, 1)

    def leg(self, kind: int) -> int:
        """An open leg of that kind in a node."""
        return 1 << self.total_at | 1 << self.open_at + DIGIT * kind

    def species_of(self, node: int) -> int:
        return (node >> self.species_at) & ((1 << SPECIES) - 1)

    def stubs(self, node: int) -> int:
        """The external legs of a node, per view."""
        return (node >> self.width) & (self.link - 1)

    def digits(self, word: int) -> list[int]:
        """The numbers of lines in a word, per view."""
        return [(word >> DIGIT * v) & COUNT for v in range(len(self.views))]

    def opened(self, node: int) -> list[int]:
        """The open legs of a node, per kind."""
        return [(node >> self.open_at + DIGIT * f) & COUNT for f in range(len(self.legs))]

    @cached_property
    def _turned(self) -> dict[int, int]:
        return {}

    def turned(self, kind: int) -> int:
        """The lines of a pair as the other end sees them."""
        if not self.has_arrows:
            return kind
        found = self._turned.get(kind)
        if found is None:
            found = kind & ~(self.link - 1)
            for view, times in zip(self.views, self.digits(kind), strict=True):
                found += times << DIGIT * view.back
            self._turned[kind] = found
        return found

    def exchanges(self, kind: int) -> int:
        """The permutations of the lines between two strands."""
        return prod(map(factorial, self.digits(kind & (self.link - 1))))

    def turns(self, loops: int) -> int:
        """The permutations of the lines from a strand to itself, flips included: a line between
        different legs cannot be flipped."""
        return prod(
            factorial(times) << (times if view.back == v else 0)
            for v, (view, times) in enumerate(zip(self.views, self.digits(loops), strict=True))
        )

    @cached_property
    def barren(self) -> dict[tuple[int, int], bool]:
        """Whether a strand of that species and external legs is not wanted; filled on the way."""
        return {}

    def is_barren(self, node: int) -> bool:
        """Whether no wanted diagram has this closed node: its other legs are too few."""
        key = self.species_of(node), self.stubs(node)
        if key not in self.barren:
            species = self.species[key[0]]
            lines = list(species.legs)
            for view, times in zip(self.views, self.digits(key[1]), strict=True):
                lines[view.here] -= times
            alone = len(self.action.vertices[species.kind].strands) == 1
            dangling = self.rules.irreducible and sum(lines) == 1
            whole = zip(species.legs, self.plain, strict=True)
            chain = not self.chained and key[1] and sum(lines) == 2 == max(lines)
            bead = chain and all(plain or not n for n, plain in whole)
            self.barren[key] = bool(alone and (dangling or bead))
        return self.barren[key]


def half_edges(action: Action, content: tuple[int, ...]) -> int:
    return sum(
        times * action.valence(vertex)
        for times, vertex in zip(content, action.vertices, strict=True)
    )
