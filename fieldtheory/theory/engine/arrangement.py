"""The canonical form of a diagram: what is checked and computed when one is made by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from math import factorial
from typing import NamedTuple

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Vertex, multiplicities
from fieldtheory.theory.engine.canonical import placed
from fieldtheory.theory.field import Field, Propagator, lines_of


class Edge(NamedTuple):
    """A propagator between two strands (0, 1, ...) or external legs (-1, -2, ...). It starts at
    the leg of lower number, or at the lower strand.

    field  the line's name seen from `start`: a real field's name; for a complex field the leg at
           the start, "psi" or "psi_bar"; for a mixed propagator the legs at start and end, "A-phi".
    """

    start: int
    end: int
    field: str


class Arranged(NamedTuple):
    """Vertices, legs and edges in canonical order, and the order of the symmetry group."""

    vertices: tuple[Vertex, ...]
    legs: tuple[str, ...]
    edges: tuple[Edge, ...]
    symmetry: int


class Views:
    """The kinds of line of a diagram, by their names."""

    def __init__(self, fields: tuple[Field, ...], propagators: tuple[Propagator, ...]) -> None:
        self.legs = {name for field in fields for name in field.legs}
        self.background = {field.name for field in fields if field.background}
        self.lines = {n: line for line in lines_of(fields, propagators) for n in line.names}
        self.number = {name: n for n, name in enumerate(self.lines)}

    def back(self, name: str) -> str:
        """The name of a line as its end sees it."""
        names = self.lines[name].names
        return names[1] if name == names[0] else names[0]

    def ends(self, name: str) -> tuple[str, str]:
        """The legs at the start and the end of a line of that name."""
        line = self.lines[name]
        return (line.first, line.second) if name == line.names[0] else (line.second, line.first)

    def turned(self, edge: Edge) -> Edge:
        """The same line, told from its first end, legs -1, -2, ... before strands 0, 1, ...; within
        a strand, by its first name."""
        a, b, name = edge
        if name not in self.lines:
            raise InvalidInput(
                f"line {tuple(edge)}: the lines of the diagram's fields are "
                f"{', '.join(self.lines) or '(none)'}; add what is missing to its fields or "
                "propagators"
            )
        if (a >= 0, abs(a)) > (b >= 0, abs(b)):
            return Edge(b, a, self.back(name))
        return Edge(a, b, self.lines[name].names[0]) if a == b else edge


views_of = lru_cache(maxsize=256)(Views)


class Parts:
    """The parts of a diagram as they were given."""

    def __init__(
        self,
        views: Views,
        vertices: tuple[Vertex, ...],
        legs: tuple[str, ...],
        edges: tuple[Edge, ...],
        labelled: bool,
    ) -> None:
        self.views, self.vertices, self.labelled = views, vertices, labelled
        self.legs = tuple(legs) if labelled else tuple(sorted(legs))
        self.owners = [v for v, vertex in enumerate(vertices) for _ in vertex.strands]
        self.strands = [strand for vertex in vertices for strand in vertex.strands]
        used = {name for strand in self.strands for name in strand} | set(legs)
        if unknown := sorted(used - views.legs):
            raise InvalidInput(f"the diagram uses field {unknown[0]!r}: add it to its fields")
        self.edges = [views.turned(Edge(*edge)) for edge in edges]

    def check(self) -> None:
        """Every strand and every leg has exactly the lines its fields ask for."""
        quantum = self.views.legs - self.views.background
        asked: Counter[tuple[int, str]] = Counter()
        for number, strand in enumerate(self.strands):
            asked.update((number, name) for name in strand if name in quantum)
        for number, name in enumerate(self.legs):
            asked.update([(-number - 1, name)] if name in quantum else [])
        given: Counter[tuple[int, str]] = Counter()
        for start, end, name in self.edges:
            here, there = self.views.ends(name)
            given.update([(start, here), (end, there)])
        for end, name in sorted(asked.keys() | given.keys()):
            if asked[end, name] != given[end, name]:
                where = f"leg {end}" if end < 0 else f"strand {end}"
                raise InvalidInput(
                    f"{where} has {asked[end, name]} legs of field {name!r} but "
                    f"{given[end, name]} lines of it end there: each leg takes one line (a loop on "
                    "one strand takes two)"
                )

    def arranged(self) -> Arranged:
        """The canonical form. Raises InvalidInput for legs without line or lines without leg."""
        self.check()
        number, views = self.views.number, len(self.views.number)
        digit = max(6, (len(self.edges) + len(self.strands)).bit_length())  # per view
        inner: Counter[Edge] = Counter()
        outer: dict[int, list[tuple[int, int]]] = {}
        pairs: dict[tuple[int, int], list[int]] = {}  # as the first and as the second see it
        stubs = [0] * len(self.strands)
        loops = [0] * len(self.strands)
        lines: list[Edge] = []
        for edge in self.edges:
            a, b, name = edge
            if a >= 0 and a == b:
                loops[a] += 1 << digit * number[name]
            elif a >= 0:
                seen = pairs.setdefault((a, b), [0, 0])
                seen[0] += 1 << digit * number[name]
                seen[1] += 1 << digit * number[self.views.back(name)]
            elif b >= 0:
                v = number[self.views.back(name)]
                outer.setdefault(b, []).append((-a if self.labelled else 0, v))
                stubs[b] += 1 << ((-a - 1) * views + v if self.labelled else digit * v)
            else:
                lines.append(edge)
            if a >= 0:
                inner[edge] += 1
        for a, b in combinations(range(len(stubs)), 2):
            if self.owners[a] == self.owners[b]:
                seen = pairs.setdefault((a, b), [0, 0])
                seen[:] = [word + (1 << digit * views) for word in seen]  # above all lines
        colours = [
            (self.vertices[owner].sort_key, strand, stubs[s], loops[s])
            for s, (owner, strand) in enumerate(zip(self.owners, self.strands, strict=True))
        ]
        found = placed(
            colours,
            [(a, b, seen[0], seen[1]) for (a, b), seen in pairs.items()],
            digit * (views + 1),
        )
        vertices, new = self.renumbered(found.place)
        edges = [self.views.turned(Edge(new[a], new[b], name)) for a, b, name in inner.elements()]
        edges += self.leg_edges(new, lines)
        symmetry = found.automorphisms * self.line_symmetry(inner)
        symmetry *= self.leg_symmetry(outer, lines)
        ordered = tuple(sorted(edges, key=self.edge_key))
        return Arranged(vertices, self.legs, ordered, symmetry)

    def edge_key(self, edge: Edge) -> tuple[int, int, int, int, int]:
        """Legs first, in the order of their labels, then lines between vertices."""
        start, end, name = edge
        return (start >= 0, abs(start), end >= 0, abs(end), self.views.number[name])

    def renumbered(self, place: list[int]) -> tuple[tuple[Vertex, ...], dict[int, int]]:
        """Vertices in the order in which canonical order first meets them; new strand numbers."""
        owned: dict[int, list[int]] = {}
        for strand in sorted(range(len(place)), key=place.__getitem__):
            owned.setdefault(self.owners[strand], []).append(strand)
        new: dict[int, int] = {}
        for strands in owned.values():
            for strand in sorted(strands, key=lambda s: (self.strands[s], place[s])):
                new[strand] = len(new)
        return tuple(self.vertices[owner] for owner in owned), new

    def leg_edges(self, new: dict[int, int], lines: list[Edge]) -> Iterator[Edge]:
        """Lines that end on external legs; legs without labels are dealt out in canonical order."""
        stubs = [edge for edge in self.edges if edge.start < 0 <= edge.end]
        if self.labelled:
            yield from (Edge(a, new[b], name) for a, b, name in stubs)
            yield from lines
            return
        free: dict[str, list[int]] = {}
        for n, name in enumerate(self.legs):
            free.setdefault(name, []).append(-n - 1)
        ends = sorted(
            (new[b], self.views.number[self.views.back(name)], name) for _, b, name in stubs
        )
        for end, _, name in ends:
            yield Edge(free[self.views.ends(name)[0]].pop(0), end, name)
        for name in sorted(min(e.field, self.views.back(e.field)) for e in lines):
            one, other = (free[leg].pop(0) for leg in self.views.ends(name))
            yield self.views.turned(Edge(one, other, name))

    def line_symmetry(self, inner: Counter[Edge]) -> int:
        """Exchanges of parallel lines, and flips of lines from a strand to itself."""
        symmetry = 1
        for (a, b, name), times in inner.items():
            flips = 2**times if a == b and self.views.back(name) == name else 1
            symmetry *= factorial(times) * flips
        return symmetry

    def leg_symmetry(self, outer: dict[int, list[tuple[int, int]]], lines: list[Edge]) -> int:
        """Exchanges of background legs on a strand and of external legs without labels."""
        background, symmetry = self.views.background, 1
        for strand in self.strands:
            symmetry *= multiplicities(name for name in strand if name in background)
        if not self.labelled:
            symmetry *= multiplicities(name for name in self.legs if name in background)
            same = [min(e.field, self.views.back(e.field)) for e in lines]
            symmetry *= multiplicities(same)
            symmetry *= 2 ** sum(self.views.back(name) == name for name in same)
            for ends in outer.values():
                symmetry *= multiplicities(ends)
        return symmetry
