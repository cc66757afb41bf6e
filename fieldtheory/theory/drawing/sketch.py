"""What a drawing needs to know of a Feynman diagram, and how the diagram falls into blocks.

Vertices are 0, 1, 2, ... and external legs -1, -2, ...; a line joins two of them in a style.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, cast

from fieldtheory.ground.checks import choice, count
from fieldtheory.ground.errors import InvalidInput

STYLES = ("plain", "dashed", "dotted", "wiggly")
ARROWS = ("", ">", "<", "<>", "><")
EMPTY = "empty diagram"

Block = tuple[int, ...]


class Leg(NamedTuple):
    """An external leg: its label, and the style of a background leg, which ends on a cross of its
    own and has no line ("" for every other leg)."""

    label: str
    background: str = ""


class Line(NamedTuple):
    """A line between two vertices (0, 1, ...) or external legs (-1, -2, ...).

    style   one of STYLES, or two joined by a hyphen: from `start` to the middle in the first and
            on to `end` in the second (a mixed propagator).
    arrow   "" none, ">" from start to end, "<" from end to start, "<>" from the middle outwards,
            "><" from both ends to the middle.
    """

    start: int
    end: int
    style: str = "plain"
    arrow: str = ""


class Cross(NamedTuple):
    """A background leg of a vertex: a short line in a style that ends in a cross."""

    vertex: int
    style: str = "plain"


@dataclass(frozen=True)
class Sketch:
    """The plain data of one drawing.

    vertices  how many there are.
    legs      the external legs -1, -2, ... in order; each is the end of exactly one line, a
              background leg of none.
    lines     every propagator.
    crosses   the background legs of the vertices.

    Raises InvalidInput for a line without its ends, a leg with no or several lines, an unknown
    style.

    >>> Sketch(1, (Leg("x1"), Leg("x2")), (Line(-1, 0), Line(-2, 0), Line(0, 0))).pieces
    ((-2, -1, 0),)
    """

    vertices: int
    legs: tuple[Leg, ...] = ()
    lines: tuple[Line, ...] = ()
    crosses: tuple[Cross, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", count("vertices", self.vertices))
        object.__setattr__(self, "legs", tuple(Leg(*leg) for leg in self.legs))
        object.__setattr__(self, "lines", tuple(Line(*line) for line in self.lines))
        object.__setattr__(self, "crosses", tuple(Cross(*cross) for cross in self.crosses))
        nodes = set(self.nodes)
        for line in self.lines:
            if not {line.start, line.end} <= nodes:
                raise InvalidInput(
                    f"a line from {line.start} to {line.end}: there are {self.vertices} vertices "
                    f"0, 1, ... and {len(self.legs)} legs -1, -2, ..."
                )
            choice("arrow", line.arrow, ARROWS)
        for cross in self.crosses:
            if cross.vertex not in nodes or cross.vertex < 0:
                raise InvalidInput(f"a cross at {cross.vertex}: choose a vertex 0, 1, ...")
        styles = [style for line in self.lines for style in line.style.split("-")]
        styles += [cross.style for cross in self.crosses]
        styles += [leg.background for leg in self.legs if leg.background]
        for style in styles:
            choice("style", style, STYLES)
        ends = [end for line in self.lines for end in line[:2]]
        for n, leg in enumerate(self.legs):
            if ends.count(-n - 1) != (0 if leg.background else 1):
                raise InvalidInput(
                    f"leg {leg.label!r} has {ends.count(-n - 1)} lines: a leg has one, a leg of "
                    "the background none"
                )

    @property
    def nodes(self) -> tuple[int, ...]:
        """Legs, last first, then vertices."""
        return tuple(range(-len(self.legs), self.vertices))

    @cached_property
    def pieces(self) -> tuple[tuple[int, ...], ...]:
        """The connected pieces as sorted nodes: pieces with legs first, the first leg first."""
        found = {node: {node} for node in self.nodes}
        for line in self.lines:
            a, b = found[line.start], found[line.end]
            if a is not b:
                a |= b
                found.update(dict.fromkeys(b, a))
        unique = {id(piece): tuple(sorted(piece)) for piece in found.values()}
        return tuple(sorted(unique.values(), key=_first))

    @cached_property
    def bundles(self) -> dict[tuple[int, int], tuple[int, ...]]:
        """The numbers of the lines between each two different vertices."""
        found: dict[tuple[int, int], list[int]] = {}
        for number, line in enumerate(self.lines):
            a, b = sorted(line[:2])
            if 0 <= a < b:
                found.setdefault((a, b), []).append(number)
        styled = self.lines
        return {ab: tuple(sorted(n, key=lambda i: styled[i][2:])) for ab, n in found.items()}

    @cached_property
    def neighbours(self) -> tuple[tuple[int, ...], ...]:
        """The vertices around each vertex."""
        around: list[set[int]] = [set() for _ in range(self.vertices)]
        for a, b in self.bundles:
            around[a].add(b)
            around[b].add(a)
        return tuple(tuple(sorted(others)) for others in around)

    @cached_property
    def blocks(self) -> tuple[tuple[int, ...], ...]:
        """Maximal sets of at least two vertices that no single vertex holds together, sorted."""
        import networkx

        graph = networkx.Graph(sorted(self.bundles))
        found = cast("Iterable[set[int]]", networkx.biconnected_components(graph))
        return tuple(sorted(tuple(sorted(block)) for block in found))

    def around(self, vertex: int) -> tuple[tuple[int, ...], ...]:
        """The blocks a vertex belongs to."""
        return tuple(block for block in self.blocks if vertex in block)

    @cached_property
    def legs_of(self) -> dict[int, list[tuple[int, int]]]:
        """(leg, line) for each vertex that has external legs, in the order of the legs."""
        found: dict[int, list[tuple[int, int]]] = {}
        for number, line in enumerate(self.lines):
            a, b = sorted(line[:2])
            if a < 0 <= b:
                found.setdefault(b, []).append((a, number))
        return {v: sorted(legs, reverse=True) for v, legs in found.items()}

    def loops_of(self, vertex: int) -> list[int]:
        """The lines from a vertex to itself."""
        return [n for n, line in enumerate(self.lines) if line.start == line.end == vertex]

    def leads(self, vertex: int, parent: tuple[int, ...] | None) -> list[int]:
        """The external legs that hang on a vertex, directly or through blocks other than
        `parent`, the first first."""
        found = [leg for leg, _ in self.legs_of.get(vertex, ())]
        for block in self.around(vertex):
            if block != parent:
                for other in block:
                    if other != vertex:
                        found += self.leads(other, block)
        return sorted(found, reverse=True)

    def centre(self, piece: Iterable[int]) -> tuple[int, ...]:
        """The vertex, as (v,), or the block in the middle of the legs of a piece, or of
        everything when the piece has no legs.

        Vertices and blocks form a tree; branches that carry no leg are cut off, then its outermost
        nodes are peeled away until one is left or two, a block before a vertex.
        """
        vertices = [node for node in piece if node >= 0]
        blocks = [block for block in self.blocks if block[0] in vertices]
        nodes: list[tuple[int, ...]] = [*((v,) for v in vertices), *blocks]
        tree: dict[tuple[int, ...], set[tuple[int, ...]]] = {node: set() for node in nodes}
        for block in blocks:
            for v in block:
                tree[block].add((v,))
                tree[(v,)].add(block)
        wanted = {(v,) for v in vertices if v in self.legs_of}
        while wanted and (bare := [n for n in tree if len(tree[n]) < 2 and n not in wanted]):
            _peel(tree, bare[:1])
        while len(tree) > 2:
            _peel(tree, [node for node in tree if len(tree[node]) == 1])
        return max(tree, key=lambda node: (len(node), [-v for v in node]))


def _peel(tree: dict[tuple[int, ...], set[tuple[int, ...]]], ends: list[tuple[int, ...]]) -> None:
    for end in ends:
        for other in tree.pop(end):
            tree[other].discard(end)


def _first(piece: tuple[int, ...]) -> tuple[bool, int]:
    """Sort key: the first leg, then the first vertex."""
    legs = [-node for node in piece if node < 0]
    return (False, min(legs)) if legs else (True, piece[0])


def pairs(cycle: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Neighbours on a cycle."""
    ring = list(cycle)
    return zip(ring, ring[1:] + ring[:1], strict=True)


def symbol(label: str) -> tuple[str, str]:
    """("x", "1") of "x1"; (label, "") of anything else.

    >>> symbol("x12"), symbol("1/4")
    (('x', '12'), ('1/4', ''))
    """
    name = label.rstrip("0123456789")
    return (name, label[len(name) :]) if name.isalpha() else (label, "")
