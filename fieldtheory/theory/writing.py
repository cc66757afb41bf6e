"""From graphs of integers to `Diagram` values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fieldtheory.theory.action import Field, Vertex
from fieldtheory.theory.diagram import Diagram, Edge
from fieldtheory.theory.labelling import Graph
from fieldtheory.theory.table import Table


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
        return [n for n, name in enumerate(self.legs) if name in self.table.fields]

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
        }

    def fields(self, vertices: tuple[Vertex, ...]) -> tuple[Field, ...]:
        """Only the fields that occur, so that a diagram does not depend on the rest of S."""
        used = {name for vertex in vertices for name in vertex.legs} | set(self.legs)
        return tuple(field for field in self.table.action.fields if field.name in used)

    @cached_property
    def edges(self) -> dict[tuple[int, int, int], tuple[Edge, ...]]:
        """Edges by their ends and kind; diagrams share them, which spares time and memory."""
        return {}

    def between(self, a: int, b: int, kind: int) -> tuple[Edge, ...]:
        """The lines of that kind between a and b."""
        key = a, b, kind
        found = self.edges.get(key)
        if found is None:
            named = zip(self.table.fields, self.table.digits(kind), strict=True)
            found = tuple(Edge(a, b, name) for name, times in named for _ in range(times))
            self.edges[key] = found
        return found

    def stub(self, number: int, end: int) -> Edge:
        """The line of leg `number`, counted from 0."""
        found = self.edges.get((~number, end, 0))
        if found is None:
            found = (Edge(~number, end, self.legs[number]),)
            self.edges[~number, end, 0] = found
        return found[0]

    def diagram(self, graph: Graph) -> Diagram:
        """The graph as a value."""
        if not self.is_plain or graph.has_joined_legs(self.table):
            return self.constructed(graph)
        bits, nodes = self.table.bits, len(graph.species)
        place, codes = graph.form or graph.placed(bits)[:2]
        inner = [(*divmod(code >> bits, nodes), code & ((1 << bits) - 1)) for code in codes]
        inner += [(p, p, loops) for p, loops in zip(place, graph.loops, strict=True) if loops]
        inner.sort()
        edges = [self.stub(number, end) for number, end in sorted(self.ends(graph, place))]
        for a, b, kind in inner:
            edges += self.between(a, b, kind)
        return Diagram.arranged(self.parts, tuple(edges), graph.symmetry)

    def ends(self, graph: Graph, place: list[int]) -> Iterator[tuple[int, int]]:
        """Each leg that has a line and the place where it ends; legs without labels are dealt out
        from the first place to the last."""
        if self.table.rules.labelled:
            for end, labels in zip(place, graph.labels, strict=True):
                if labels:
                    for n, number in enumerate(self.numbers):
                        if labels >> n & 1:
                            yield number, end
        elif any(graph.free):
            names = self.table.fields
            dealt = {m: iter([n for n in self.numbers if self.legs[n] == m]) for m in names}
            for end, stubs in sorted(zip(place, graph.free, strict=True)):
                for name, times in zip(names, self.table.digits(stubs), strict=True):
                    yield from ((next(dealt[name]), end) for _ in range(times))

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
            edges += self.between(new[a], new[b], kind & (table.link - 1))
        for node, n in new.items():
            edges += self.between(n, n, graph.loops[node])
        edges += self.outer(graph, new)
        return Diagram(
            self.fields(tuple(vertices)),
            tuple(vertices),
            self.legs,
            tuple(edges),
            table.rules.labelled,
        )

    def outer(self, graph: Graph, new: dict[int, int]) -> list[Edge]:
        """The lines of external legs; those without labels take the next number of their field."""
        numbers, names = self.numbers, self.table.fields
        free = {name: [n for n in numbers if self.legs[n] == name] for name in names}
        edges = []
        for node, (species, stubs) in enumerate(zip(graph.species, graph.free, strict=True)):
            mine = [number for n, number in enumerate(numbers) if graph.labels[node] >> n & 1]
            for name, times in zip(names, self.table.digits(stubs), strict=True):
                mine += [free[name].pop(0) for _ in range(times)]
            if species >= len(self.table.species):
                edges.append(Edge(~mine[0], ~mine[1], self.legs[mine[0]]))
            else:
                edges += [Edge(~number, new[node], self.legs[number]) for number in mine]
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
