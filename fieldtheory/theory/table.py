"""The action as small integers: what the inner loops of the diagram engine work with.

Numbers per quantum field are packed into one integer, one `DIGIT` for each field. A strand in a
partial graph, from the highest bits down, is

    open legs in all | open legs per field | species | external legs per field | self-loops

and a pair of strands is its number of lines per field, with a digit above them when both belong to
one vertex.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from fieldtheory.theory.action import Action

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
    legs: tuple[int, ...]  # per quantum field


@dataclass(frozen=True)
class Table:
    """The action as small integers."""

    action: Action
    rules: Rules = EVERYTHING
    chained: bool = True  # False leaves out strands of external legs and two lines of one field

    @cached_property
    def fields(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.action.quantum)

    @cached_property
    def species(self) -> list[Species]:
        """Sorted as vertices and their strands are."""
        return [
            Species(
                kind,
                strand,
                vertex.strands.count(strand),
                vertex.strands.index(strand),
                tuple(strand.count(name) for name in self.fields),
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
    def width(self) -> int:
        """The bits of one digit per field."""
        return DIGIT * len(self.fields)

    @cached_property
    def species_at(self) -> int:
        return 2 * self.width

    @cached_property
    def open_at(self) -> int:
        return self.species_at + SPECIES

    @cached_property
    def link(self) -> int:
        """The kind of a pair of strands of one vertex; a digit above the lines."""
        return 1 << self.width

    @cached_property
    def single(self) -> frozenset[int]:
        """The kinds of pairs that one line joins, and nothing else."""
        return frozenset(1 << DIGIT * f for f in range(len(self.fields)))

    @cached_property
    def bits(self) -> int:
        several = any(len(vertex.strands) > 1 for vertex in self.action.vertices)
        return max(self.width + DIGIT * several, 1)

    def leg(self, field: int) -> int:
        """An open leg of `field` in a node."""
        return (1 << self.width | 1 << DIGIT * field) << self.open_at

    def species_of(self, node: int) -> int:
        return (node >> self.species_at) & ((1 << SPECIES) - 1)

    def stubs(self, node: int) -> int:
        """The external legs of a node, per field."""
        return (node >> self.width) & (self.link - 1)

    def digits(self, word: int) -> list[int]:
        return [(word >> DIGIT * f) & COUNT for f in range(len(self.fields))]

    @cached_property
    def barren(self) -> dict[tuple[int, int], bool]:
        """Whether a strand of that species and external legs is not wanted; filled on the way."""
        return {}

    def is_barren(self, node: int) -> bool:
        """Whether no wanted diagram has this closed node: its other legs are too few."""
        key = self.species_of(node), self.stubs(node)
        if key not in self.barren:
            species, stubs = self.species[key[0]], self.digits(key[1])
            lines = [a - b for a, b in zip(species.legs, stubs, strict=True)]
            alone = len(self.action.vertices[species.kind].strands) == 1
            dangling = self.rules.irreducible and sum(lines) == 1
            chain = not self.chained and any(stubs) and sum(lines) == 2 == max(lines)
            self.barren[key] = alone and (dangling or chain)
        return self.barren[key]


def half_edges(action: Action, content: tuple[int, ...]) -> int:
    return sum(
        times * action.valence(vertex)
        for times, vertex in zip(content, action.vertices, strict=True)
    )
