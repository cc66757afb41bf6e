"""From graphs of integers to `Diagram` values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fieldtheory.theory.action import Vertex, multiplicities
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.engine.arrangement import Edge
from fieldtheory.theory.engine.labelling import Graph
from fieldtheory.theory.engine.table import Table
from fieldtheory.theory.field import Field, Propagator


@dataclass(frozen=True)
class Writer:
    """Writes the diagrams of one vertex content.

    Where every vertex is one strand, places in the graph's canonical form are the places in the
    diagram's, so nothing has to be found again; other graphs pass through the constructor.
    """

    table: Table
    content: tuple[int, ...]
    legs: tuple[str, ...]  # in the order in which they are numbered

    @cached_property
    def numbers(self) -> list[int]:
        """The places among the legs, 0, 1, ..., of those that have a line."""
        return [n for n, name in enumerate(self.legs) if name in self.table.legs]

    @cached_property
    def inert(self) -> list[int]:
        """The vertex type of each vertex without quantum legs: graphs leave them out."""
        action = self.table.action
        return [
            kind
            for kind, vertex in enumerate(action.vertices)
            for _ in range(self.content[kind] if action.valence(vertex) == 0 else 0)
        ]

    @cached_property
    def idle(self) -> int:
        """Exchanges of external background legs, where legs have no labels."""
        lineless = [name for name in self.legs if name not in self.table.legs]
        return 1 if self.table.rules.labelled else multiplicities(lineless)

    @cached_property
    def is_plain(self) -> bool:
        used = zip(self.content, self.table.action.vertices, strict=True)
        return not self.inert and all(len(v.strands) == 1 for times, v in used if times)

    @cached_property
    def parts(self) -> dict[str, Any]:
        """What all plain diagrams share; vertices stand in the order of their types."""
        vertices = tuple(
            vertex
            for times, vertex in zip(self.content, self.table.action.vertices, strict=True)
            for _ in range(times)
        )
        labelled = self.table.rules.labelled
        return {
            "fields": self.fields(vertices),
            "vertices": vertices,
            "legs": self.legs,
            "labelled": labelled,
            "propagators": (),
        }

    def fields(self, vertices: tuple[Vertex, ...]) -> tuple[Field, ...]:
        """Only the fields that occur, so that a diagram does not depend on the rest of S."""
        used = {name for vertex in vertices for name in vertex.legs} | set(self.legs)
        return tuple(f for f in self.table.action.fields if not used.isdisjoint(f.legs))

    @cached_property
    def edges(self) -> dict[tuple[int, int, int], tuple[Edge, ...]]:
        """Edges by their ends and kind; diagrams share them, which spares time and memory."""
        return {}

    def between(self, a: int, b: int, kind: int) -> tuple[Edge, ...]:
        """The lines of that kind, as a sees them, between a and b."""
        key = a, b, kind
        found = self.edges.get(key)
        if found is None:
            seen = zip(self.table.views, self.table.digits(kind), strict=True)
            found = tuple(Edge(a, b, view.name) for view, times in seen for _ in range(times))
            self.edges[key] = found
        return found

    def stub(self, number: int, end: int, view: int) -> Edge:
        """The line of leg `number`, counted from 0, to a node that sees it by `view`."""
        found = self.edges.get((~number, end, view))
        if found is None:
            views = self.table.views
            found = (Edge(~number, end, views[views[view].back].name),)
            self.edges[~number, end, view] = found
        return found[0]

    def diagram(self, graph: Graph) -> Diagram:
        """The graph as a value."""
        if not self.is_plain or graph.has_joined_legs(self.table):
            return self.constructed(graph)
        bits, nodes = self.table.bits, len(graph.species)
        place, codes = graph.form or graph.placed(self.table)[:2]
        inner = [(*divmod(code >> bits, nodes), code & ((1 << bits) - 1)) for code in codes]
        inner += [(p, p, loops) for p, loops in zip(place, graph.loops, strict=True) if loops]
        inner.sort()
        edges = [self.stub(*end) for end in sorted(self.ends(graph, place))]
        for a, b, kind in inner:
            edges += self.between(a, b, kind)
        parts = self.parts
        if self.table.action.propagators:
            parts = {**parts, "propagators": self.mixed(edges)}
        return Diagram.arranged(parts, tuple(edges), graph.symmetry * self.idle)

    def mixed(self, edges: Iterable[Edge]) -> tuple[Propagator, ...]:
        """The mixed propagators that occur."""
        used = {name for _, _, name in edges}
        found = zip(self.table.action.lines[::-1], self.table.action.propagators[::-1])  # noqa: B905
        return tuple(p for line, p in found if not used.isdisjoint(line.names))[::-1]

    def ends(self, graph: Graph, place: list[int]) -> Iterator[tuple[int, int, int]]:
        """(leg, place where it ends, view from there) for each leg that has a line; legs without
        labels are dealt out from the first place to the last."""
        views, kinds = self.table.views, self.table.legs
        if self.table.rules.labelled:
            for end, labels in zip(place, graph.labels, strict=True):
                while labels:
                    bit = (labels & -labels).bit_length() - 1
                    number, view = divmod(bit, len(views))
                    yield self.numbers[number], end, view
                    labels &= labels - 1
        elif any(graph.free):
            dealt = [iter([n for n in self.numbers if self.legs[n] == name]) for name in kinds]
            for end, stubs in sorted(zip(place, graph.free, strict=True)):
                for v, times in enumerate(self.table.digits(stubs)):
                    yield from ((next(dealt[views[v].there]), end, v) for _ in range(times))

    def constructed(self, graph: Graph) -> Diagram:
        """The same by way of the constructor, for graphs of any make."""
        table, order = self.table, self.by_vertex(graph)
        new = {node: n for n, node in enumerate(order)}
        strands = [table.species[graph.species[node]] for node in order]
        kinds = [s.kind for s in strands]
        vertices: list[Vertex] = []
        while kinds:
            vertices.append(table.action.vertices[kinds[0]])
            kinds = kinds[len(vertices[-1].strands) :]
        vertices += [table.action.vertices[kind] for kind in self.inert]
        edges: list[Edge] = []
        for (a, b), kind in graph.pairs.items():
            lines = kind & (table.link - 1)
            if new[a] > new[b]:
                a, b, lines = b, a, table.turned(lines)
            edges += self.between(new[a], new[b], lines)
        for node, n in new.items():
            edges += self.between(n, n, graph.loops[node])
        edges += self.outer(graph, new)
        return Diagram(
            self.fields(tuple(vertices)),
            tuple(vertices),
            self.legs,
            tuple(edges),
            table.rules.labelled,
            self.mixed(edges),
        )

    def outer(self, graph: Graph, new: dict[int, int]) -> list[Edge]:
        """The lines of external legs."""
        ends: dict[int, list[tuple[int, int]]] = {}
        for number, node, view in self.ends(graph, list(range(len(graph.species)))):
            ends.setdefault(node, []).append((number, view))
        edges = []
        for node, legs in ends.items():
            if graph.species[node] >= len(self.table.species):
                (one, _), (other, view) = sorted(legs)
                edges.append(Edge(~one, ~other, self.table.views[view].name))
            else:
                edges += [self.stub(number, new[node], view) for number, view in legs]
        return edges

    def by_vertex(self, graph: Graph) -> list[int]:
        """The strands, vertex after vertex, each vertex's in their order."""
        link, last = self.table.link, len(self.table.species)
        together: dict[int, list[int]] = {n: [n] for n, s in enumerate(graph.species) if s < last}
        for (a, b), kind in graph.pairs.items():
            if kind >= link and together[a] is not together[b]:
                together[a] += together[b]
                for node in together[b]:
                    together[node] = together[a]
        order: list[int] = []
        for node in list(together):
            if node == min(together[node]):
                order += sorted(together[node], key=lambda n: (graph.species[n], n))
        return order
