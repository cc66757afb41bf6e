"""Diagrams: a value whose canonical form is its identity.

The strands of all vertices are numbered 0, 1, 2, ... vertex after vertex; external legs are
-1, -2, ... in the order of `legs`. A line is an `Edge(start, end, field)` with start <= end.
A plain vertex has one strand, so there strands and vertices are the same thing. Background legs
end on the background: no line leaves them. Two diagrams are equal exactly when one is a
relabelling of the other, labelled legs held fixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING, Any, NamedTuple

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Field, Vertex, multiplicities
from fieldtheory.theory.canonical import placed

if TYPE_CHECKING:
    import networkx as nx


class Edge(NamedTuple):
    """A propagator between two strands (0, 1, ...) or external legs (-1, -2, ...)."""

    start: int
    end: int
    field: str


@dataclass(frozen=True, repr=False)
class Diagram:
    """A Feynman diagram.

    fields    every field that occurs.
    vertices  the vertices; their strands, in order, carry the numbers 0, 1, 2, ...
    legs      the field of each external leg -1, -2, ...; a background field's leg has no line.
    edges     (start, end, field) for each propagator.
    labelled  whether the legs are held fixed (True) or may be permuted among themselves.

    Raises InvalidInput when a strand or a leg does not have the lines its fields ask for.

    >>> phi, quartic = Field("phi"), Vertex("g", [("phi",) * 4])
    >>> tadpole = Diagram((phi,), (quartic,), ("phi", "phi"),
    ...                   ((-1, 0, "phi"), (-2, 0, "phi"), (0, 0, "phi")))
    >>> tadpole.symmetry, tadpole.loops
    (2, 1)
    """

    fields: tuple[Field, ...]
    vertices: tuple[Vertex, ...]
    legs: tuple[str, ...]
    edges: tuple[Edge, ...]
    labelled: bool = True

    def __post_init__(self) -> None:
        _check(self)
        vertices, edges, symmetry = _canonical_form(self)
        fields = tuple(sorted(set(self.fields), key=lambda field: field.name))
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "vertices", vertices)
        legs = tuple(self.legs) if self.labelled else tuple(sorted(self.legs))
        object.__setattr__(self, "legs", legs)
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "_symmetry", symmetry)
        for stale in ("owners", "strands"):  # computed on the way, with the old numbers
            self.__dict__.pop(stale, None)

    @classmethod
    def arranged(cls, parts: Mapping[str, Any], edges: tuple[Edge, ...], symmetry: int) -> Diagram:
        """A diagram whose parts are known to be in canonical form, with its symmetry: nothing is
        checked and nothing computed. `parts` holds fields, vertices, legs and labelled."""
        diagram = object.__new__(cls)
        diagram.__dict__.update(parts, edges=edges, _symmetry=symmetry)
        return diagram

    # -- what it is -------------------------------------------------------------------------------

    @property
    def symmetry(self) -> int:
        """The order of the automorphism group: permutations of half-edges (and, when the legs are
        not labelled, of legs) that leave the diagram as it is. Its weight is 1/symmetry."""
        value: int = self.__dict__["_symmetry"]
        return value

    @property
    def order(self) -> int:
        """The power-counting orders of the vertices, added."""
        return sum(vertex.order for vertex in self.vertices)

    @cached_property
    def owners(self) -> tuple[int, ...]:
        """The vertex each strand belongs to."""
        return tuple(v for v, vertex in enumerate(self.vertices) for _ in vertex.strands)

    @cached_property
    def strands(self) -> tuple[tuple[str, ...], ...]:
        """The fields of each strand."""
        return tuple(strand for vertex in self.vertices for strand in vertex.strands)

    def field(self, name: str) -> Field:
        """The field of that name."""
        return next(field for field in self.fields if field.name == name)

    @cached_property
    def components(self) -> tuple[frozenset[int], ...]:
        """The connected pieces, as sets of vertices (0, 1, ...) and legs (-1, -2, ...)."""
        nodes = [*range(len(self.vertices)), *(-n - 1 for n in range(len(self.legs)))]
        return pieces(nodes, [(a, b) for a, b, _ in self.vertex_edges])

    @cached_property
    def vertex_edges(self) -> tuple[Edge, ...]:
        """The lines between vertices instead of strands."""
        return tuple(Edge(self.vertex_of(a), self.vertex_of(b), f) for a, b, f in self.edges)

    def vertex_of(self, end: int) -> int:
        """The vertex that owns strand `end`; a leg stays itself."""
        return end if end < 0 else self.owners[end]

    @property
    def loops(self) -> int:
        """Independent closed loops: lines - nodes + connected pieces."""
        nodes = len(self.vertices) + len(self.legs)
        return len(self.edges) - nodes + len(self.components)

    @property
    def is_connected(self) -> bool:
        """In one piece, legs included; the empty diagram is not."""
        return len(self.components) == 1

    @property
    def has_vacuum_bubble(self) -> bool:
        """Whether some piece has no external leg."""
        return any(min(piece) >= 0 for piece in self.components)

    @cached_property
    def is_one_particle_irreducible(self) -> bool:
        """Connected, at least one vertex, and no single internal line whose cut disconnects it;
        external legs are stubs and are not cut."""
        inner = [(a, b) for a, b, _ in self.vertex_edges if a >= 0]
        connected = self.is_connected and bool(self.vertices)
        return connected and not any(bridges(len(self.vertices), inner))

    @property
    def graph(self) -> nx.MultiGraph[int]:
        """A networkx MultiGraph of vertices 0, 1, ... and legs -1, -2, ...; vertices carry
        `coupling` and `strands`, legs `leg`, lines `field` and `strands` (their two ends)."""
        import networkx

        graph: nx.MultiGraph[int] = networkx.MultiGraph()
        for v, vertex in enumerate(self.vertices):
            graph.add_node(v, coupling=vertex.coupling, strands=vertex.strands)
        for n, name in enumerate(self.legs):
            graph.add_node(-n - 1, leg=name)
        for a, b, name in self.edges:
            graph.add_edge(self.vertex_of(a), self.vertex_of(b), field=name, strands=(a, b))
        return graph

    # -- as data and as text ----------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON; `from_dict` reads it back."""
        return {
            "fields": [field.to_dict() for field in self.fields],
            "vertices": [vertex.to_dict() for vertex in self.vertices],
            "legs": list(self.legs),
            "edges": [list(edge) for edge in self.edges],
            "labelled": self.labelled,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Diagram:
        """The diagram `to_dict` wrote."""
        return cls(
            fields=tuple(Field.from_dict(field) for field in data["fields"]),
            vertices=tuple(Vertex.from_dict(vertex) for vertex in data["vertices"]),
            legs=tuple(data["legs"]),
            edges=tuple(Edge(*edge) for edge in data["edges"]),
            labelled=data["labelled"],
        )

    def place(self, end: int) -> str:
        """The name of a line's end: x1, x2, ... legs; z1, z2, ... vertices, with a letter for the
        strand where a vertex has several."""
        if end < 0:
            return f"x{-end}"
        vertex = self.owners[end]
        letter = chr(ord("a") + end - self.owners.index(vertex))
        return f"z{vertex + 1}" + (letter if len(self.vertices[vertex].strands) > 1 else "")

    def __str__(self) -> str:
        lines = [f"{self.place(a)}-{self.place(b)}" for a, b, _ in self.edges]
        lines += [f"{self.place(strand)}-{name}" for strand, name in _background_legs(self)]
        lines += [
            f"{self.place(-n - 1)}-{name}"
            for n, name in enumerate(self.legs)
            if self.field(name).background
        ]
        return " ".join(lines) or "(empty)"

    def __repr__(self) -> str:
        loops = f"{self.loops} loop" + ("" if self.loops == 1 else "s")
        return f"<Diagram {self}; order {self.order}, {loops}, symmetry {self.symmetry}>"


def _background_legs(diagram: Diagram) -> Iterator[tuple[int, str]]:
    background = {field.name for field in diagram.fields if field.background}
    for number, strand in enumerate(diagram.strands):
        yield from ((number, name) for name in strand if name in background)


def _check(diagram: Diagram) -> None:
    """Every strand and every leg has exactly the lines its fields ask for."""
    fields = {field.name: field for field in diagram.fields}
    used = {name for strand in diagram.strands for name in strand} | set(diagram.legs)
    used |= {name for _, _, name in diagram.edges}
    if unknown := sorted(used - set(fields)):
        raise InvalidInput(f"the diagram uses field {unknown[0]!r}: add it to its fields")
    asked: Counter[tuple[int, str]] = Counter()
    for number, strand in enumerate(diagram.strands):
        asked.update((number, name) for name in strand if not fields[name].background)
    for number, name in enumerate(diagram.legs):
        asked.update([(-number - 1, name)] if not fields[name].background else [])
    given: Counter[tuple[int, str]] = Counter()
    for start, end, name in diagram.edges:
        given.update([(start, name), (end, name)])
    for end, name in sorted(asked.keys() | given.keys()):
        if asked[end, name] != given[end, name]:
            where = f"leg {end}" if end < 0 else f"strand {end}"
            raise InvalidInput(
                f"{where} has {asked[end, name]} legs of field {name!r} but {given[end, name]} "
                f"lines of it end there: each leg takes one line (a loop on one strand takes two)"
            )


def _canonical_form(
    diagram: Diagram,
) -> tuple[tuple[Vertex, ...], tuple[Edge, ...], int]:
    """Vertices and edges in canonical order, and the symmetry."""
    names = sorted(field.name for field in diagram.fields)
    number = {name: n for n, name in enumerate(names)}
    digit = max(6, (len(diagram.edges) + len(diagram.strands)).bit_length())  # per field
    inner: Counter[tuple[int, int, int]] = Counter()
    outer: dict[int, list[tuple[int, int]]] = {}
    pairs: Counter[tuple[int, int]] = Counter()
    stubs = [0] * len(diagram.strands)
    loops = [0] * len(diagram.strands)
    lines: list[Edge] = []
    for a, b, name in diagram.edges:
        a, b = min(a, b), max(a, b)
        if a >= 0:
            inner[a, b, number[name]] += 1
            if a == b:
                loops[a] += 1 << digit * number[name]
            else:
                pairs[a, b] += 1 << digit * number[name]
        elif b >= 0:
            outer.setdefault(b, []).append((-a if diagram.labelled else 0, number[name]))
            stubs[b] += 1 << (-a - 1 if diagram.labelled else digit * number[name])
        else:
            lines.append(Edge(b, a, name))
    for a, b in combinations(range(len(stubs)), 2):
        if diagram.owners[a] == diagram.owners[b]:
            pairs[a, b] += 1 << digit * len(names)  # above the lines of every field
    colours = [
        (diagram.vertices[owner].sort_key, strand, stubs[s], loops[s])
        for s, (owner, strand) in enumerate(zip(diagram.owners, diagram.strands, strict=True))
    ]
    found = placed(colours, [(*ab, k) for ab, k in pairs.items()], digit * (len(names) + 1))
    vertices, new = _renumbered(diagram, found.place)
    edges = [
        Edge(min(new[a], new[b]), max(new[a], new[b]), names[f]) for a, b, f in inner.elements()
    ]
    edges += _leg_edges(diagram, new, lines)
    symmetry = found.automorphisms * _line_symmetry(inner) * _leg_symmetry(diagram, outer, lines)
    return vertices, tuple(sorted(edges, key=_edge_key)), symmetry


def _edge_key(edge: Edge) -> tuple[int, int, int, int, str]:
    """Legs first, in the order of their labels, then lines between vertices."""
    return (edge.start >= 0, abs(edge.start), edge.end >= 0, abs(edge.end), edge.field)


def _renumbered(diagram: Diagram, place: list[int]) -> tuple[tuple[Vertex, ...], dict[int, int]]:
    """Vertices in the order in which canonical order first meets them; new strand numbers."""
    owned: dict[int, list[int]] = {}
    for strand in sorted(range(len(place)), key=place.__getitem__):
        owned.setdefault(diagram.owners[strand], []).append(strand)
    new: dict[int, int] = {}
    for strands in owned.values():
        for strand in sorted(strands, key=lambda s: (diagram.strands[s], place[s])):
            new[strand] = len(new)
    return tuple(diagram.vertices[owner] for owner in owned), new


def _leg_edges(diagram: Diagram, new: dict[int, int], lines: list[Edge]) -> list[Edge]:
    """Lines that end on external legs; legs without labels are dealt out in canonical order."""
    if diagram.labelled:
        stubs = [(min(a, b), max(a, b), f) for a, b, f in diagram.edges if min(a, b) < 0]
        return [Edge(a, new[b], f) if b >= 0 else Edge(b, a, f) for a, b, f in stubs]
    free: dict[str, list[int]] = {}
    for n, name in enumerate(sorted(diagram.legs)):
        free.setdefault(name, []).append(-n - 1)
    stubs = [(min(a, b), max(a, b), f) for a, b, f in diagram.edges if min(a, b) < 0 <= max(a, b)]
    ends = sorted((new[b], f) for _, b, f in stubs)
    dealt = [Edge(free[f].pop(0), end, f) for end, f in ends]
    return dealt + [
        Edge(free[f].pop(0), free[f].pop(0), f) for _, _, f in sorted(lines, key=lambda e: e.field)
    ]


def _line_symmetry(inner: Counter[tuple[int, int, int]]) -> int:
    """Exchanges of parallel lines, exchanges and flips of lines from a strand to itself."""
    symmetry = 1
    for (a, b, _), times in inner.items():
        symmetry *= factorial(times) * (2**times if a == b else 1)
    return symmetry


def _leg_symmetry(
    diagram: Diagram, outer: dict[int, list[tuple[int, int]]], lines: list[Edge]
) -> int:
    """Exchanges of background legs on a strand and of external legs without labels."""
    background = {field.name for field in diagram.fields if field.background}
    symmetry = 1
    for strand in diagram.strands:
        symmetry *= multiplicities(name for name in strand if name in background)
    if not diagram.labelled:
        symmetry *= multiplicities(name for name in diagram.legs if name in background)
        symmetry *= multiplicities(e.field for e in lines) * 2 ** len(lines)
        for ends in outer.values():
            symmetry *= multiplicities(ends)
    return symmetry


def pieces(nodes: Iterable[int], pairs: Iterable[tuple[int, int]]) -> tuple[frozenset[int], ...]:
    """The connected pieces of a graph.

    >>> pieces([0, 1, 2], [(0, 2)])
    (frozenset({0, 2}), frozenset({1}))
    """
    found = {node: {node} for node in nodes}
    for a, b in pairs:
        if found[a] is not found[b]:
            found[a] |= found[b]
            for node in found[b]:
                found[node] = found[a]
    unique = {id(piece): frozenset(piece) for piece in found.values()}
    return tuple(unique.values())


def bridges(nodes: int, pairs: Iterable[tuple[int, int]]) -> Iterator[int]:
    """One side, as a bit mask of nodes, of every line whose removal disconnects the graph.

    >>> [bin(side) for side in bridges(3, [(0, 1), (0, 1), (1, 2)])]
    ['0b100']
    """
    around: list[Counter[int]] = [Counter() for _ in range(nodes)]
    for a, b in pairs:
        if a != b:
            around[a][b] += 1
            around[b][a] += 1
    depth = [-1] * nodes
    found: list[int] = []

    def visit(node: int, parent: int, level: int) -> tuple[int, int]:
        """The highest level reached from below `node`, and the nodes below it."""
        depth[node] = level
        low, mask = level, 1 << node
        for other, times in around[node].items():
            if depth[other] < 0:
                below, side = visit(other, node, level + 1)
                if below > level and times == 1:
                    found.append(side)
                low, mask = min(low, below), mask | side
            elif other != parent or times > 1:
                low = min(low, depth[other])
        return low, mask

    for root in range(nodes):
        if depth[root] < 0:
            visit(root, -1, 0)
    return iter(found)
