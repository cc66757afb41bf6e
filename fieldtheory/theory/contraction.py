"""Wick contraction leg by leg: partial graphs, merged when isomorphic.

A state is a partial graph in canonical form. Its first open leg is contracted with every partner;
as the choice depends on the canonical form alone, each complete contraction of the numbered legs is
counted exactly once, whatever states it passed through. A component is finished before the next is
begun, so that closed disconnected pieces are seen at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from fieldtheory.theory.action import Action, Field, Vertex
from fieldtheory.theory.canonical import strand_order
from fieldtheory.theory.diagram import Diagram, Edge, bridges


class Rules(NamedTuple):
    """Which diagrams are wanted."""

    connected: bool = False
    irreducible: bool = False
    labelled: bool = True
    vacuum: bool = True


EVERYTHING = Rules()


def half_edges(action: Action, content: tuple[int, ...]) -> int:
    return sum(
        times * action.valence(vertex)
        for times, vertex in zip(content, action.vertices, strict=True)
    )


class _Node(NamedTuple):
    """A strand that has been reached."""

    kind: int  # vertex type
    strand: int  # which of the distinct strands of that type
    vertex: int
    open: tuple[int, ...]  # legs still to contract, per quantum field
    legs: tuple[int, ...]  # kinds of external legs that end here


class _State(NamedTuple):
    """A partial graph; with the vertex content it says what is left to contract."""

    nodes: tuple[_Node, ...]
    edges: tuple[tuple[int, int, int, int], ...]  # start, end, field, how many
    lines: tuple[tuple[int, int], ...]  # external legs joined directly
    legs: tuple[int, ...]  # external legs left, per kind


@dataclass(frozen=True)
class Table:
    """The action as small integers."""

    action: Action
    legs: tuple[str, ...]
    rules: Rules

    @cached_property
    def leg_names(self) -> tuple[str, ...]:
        """The external legs; without labels their order means nothing and is sorted."""
        return self.legs if self.rules.labelled else tuple(sorted(self.legs))

    @cached_property
    def fields(self) -> list[str]:
        return [field.name for field in self.action.quantum]

    @cached_property
    def strands(self) -> list[list[tuple[str, ...]]]:
        """Per vertex type its strands, equal ones side by side."""
        return [list(vertex.strands) for vertex in self.action.vertices]

    @cached_property
    def leg_kinds(self) -> list[tuple[int, int]]:
        """(field number, how many) per kind of external leg: labelled legs are each a kind."""
        quantum = [self.fields.index(name) for name in self.legs if name in self.fields]
        if self.rules.labelled:
            return [(field, 1) for field in quantum]
        return sorted(Counter(quantum).items())

    def fresh(self, kind: int, vertex: int) -> list[_Node]:
        """The strands of an untouched vertex."""
        strands = self.strands[kind]
        return [
            _Node(
                kind,
                strands.index(strand),
                vertex,
                tuple(strand.count(name) for name in self.fields),
                (),
            )
            for strand in strands
        ]

    def diagram(self, state: _State) -> Diagram:
        """A finished state as a value."""
        owned: dict[int, list[int]] = {}
        for place, node in enumerate(state.nodes):
            owned.setdefault(node.vertex, []).append(place)
        new: dict[int, int] = {}
        vertices = []
        for places in owned.values():
            vertices.append(self.action.vertices[state.nodes[places[0]].kind])
            for place in sorted(places, key=lambda p: state.nodes[p].strand):
                new[place] = len(new)
        ends = self._leg_numbers()
        edges = [
            Edge(new[a], new[b], self.fields[f])
            for a, b, f, times in state.edges
            for _ in range(times)
        ]
        edges += [
            Edge(ends[leg].pop(0), new[place], self.fields[self.leg_kinds[leg][0]])
            for place, node in enumerate(state.nodes)
            for leg in node.legs
        ]
        edges += [
            Edge(ends[a].pop(0), ends[b].pop(0), self.fields[self.leg_kinds[a][0]])
            for a, b in state.lines
        ]
        return Diagram(
            self.action_fields(vertices),
            tuple(vertices),
            self.leg_names,
            tuple(edges),
            self.rules.labelled,
        )

    def _leg_numbers(self) -> list[list[int]]:
        """Per kind of leg the numbers -1, -2, ... of its legs."""
        names = enumerate(self.leg_names)
        quantum = [(-n - 1, name) for n, name in names if name in self.fields]
        if self.rules.labelled:
            return [[number] for number, _ in quantum]
        return [
            [number for number, name in quantum if name == self.fields[field]]
            for field, _ in self.leg_kinds
        ]

    def action_fields(self, vertices: list[Vertex]) -> tuple[Field, ...]:
        """Only the fields that occur, so that a diagram does not depend on the rest of S."""
        used = {name for vertex in vertices for name in vertex.legs} | set(self.legs)
        return tuple(field for field in self.action.fields if field.name in used)


def contracted(table: Table, content: tuple[int, ...]) -> dict[_State, int]:
    """Finished partial graphs and the number of Wick contractions of each."""
    action = table.action
    inert = [
        kind
        for kind, vertex in enumerate(action.vertices)
        for _ in range(content[kind] if action.valence(vertex) == 0 else 0)
    ]
    nodes = [node for number, kind in enumerate(inert) for node in table.fresh(kind, number)]
    start = _State((), (), (), tuple(times for _, times in table.leg_kinds))
    states = {_normal(nodes, Counter(), start): 1}
    total = half_edges(action, content) + sum(times for _, times in table.leg_kinds)
    for _ in range(total // 2):
        grown: dict[_State, int] = {}
        for state, ways in states.items():
            for child, more in _children(table, content, state):
                grown[child] = grown.get(child, 0) + ways * more
        states = grown
    return states


class _End(NamedTuple):
    """A half-edge that may be contracted: at a node, at an untouched vertex, or an external leg."""

    ways: int
    node: int = -1
    kind: int = -1
    strand: int = -1
    leg: int = -1


def _children(
    table: Table, content: tuple[int, ...], state: _State
) -> Iterator[tuple[_State, int]]:
    """Contract the first open leg with every possible partner."""
    left = _untouched(table, content, state)
    nodes, legs = list(state.nodes), list(state.legs)
    first = next((place for place, node in enumerate(nodes) if any(node.open)), -1)
    leg = -1
    if first < 0:
        started = bool(nodes or state.lines)
        if started and (table.rules.connected or (not table.rules.vacuum and not any(legs))):
            return
        leg = next((kind for kind, times in enumerate(legs) if times), -1)
        if leg < 0:
            kind = next(kind for kind, times in enumerate(left) if times)
            first, left[kind] = len(nodes), left[kind] - 1
            nodes += table.fresh(kind, _new_vertex(nodes))
            first += next(n for n, node in enumerate(nodes[first:]) if any(node.open))
    if leg >= 0:
        field = table.leg_kinds[leg][0]
        legs[leg] -= 1
    else:
        field = next(f for f, times in enumerate(nodes[first].open) if times)
        nodes[first] = _with_less(nodes[first], field)
    taken = state._replace(nodes=tuple(nodes), legs=tuple(legs))
    for end in _ends(table, nodes, left, legs, field):
        child = _joined(table, taken, (first, leg, field), end)
        if not (table.rules.irreducible and _doomed(child)):
            yield child, end.ways


def _untouched(table: Table, content: tuple[int, ...], state: _State) -> list[int]:
    """How many vertices of each type have not been reached."""
    used = Counter(kind for _, kind in {(node.vertex, node.kind) for node in state.nodes})
    return [times - used[kind] for kind, times in enumerate(content)]


def _new_vertex(nodes: list[_Node]) -> int:
    return 1 + max((node.vertex for node in nodes), default=-1)


def _with_less(node: _Node, field: int) -> _Node:
    opened = tuple(times - (f == field) for f, times in enumerate(node.open))
    return node._replace(open=opened)


def _ends(
    table: Table, nodes: list[_Node], left: list[int], legs: list[int], field: int
) -> Iterator[_End]:
    """Every partner of a half-edge of `field`, and in how many ways it can be had."""
    for place, node in enumerate(nodes):
        if node.open[field]:
            yield _End(node.open[field], node=place)
    for kind, times in enumerate(left):
        if times:
            for strand, number in Counter(table.strands[kind]).items():
                ways = times * number * strand.count(table.fields[field])
                if ways:
                    yield _End(ways, kind=kind, strand=table.strands[kind].index(strand))
    for leg, times in enumerate(legs):
        if times and table.leg_kinds[leg][0] == field:
            yield _End(times, leg=leg)


def _joined(table: Table, state: _State, start: tuple[int, int, int], end: _End) -> _State:
    """The state after one more contraction, in canonical form; `start` is (node, leg, field), of
    which node or leg is -1, and has been taken off the open legs already."""
    place, leg, field = start
    nodes, legs, lines = list(state.nodes), list(state.legs), list(state.lines)
    edges = Counter({(a, b, f): times for a, b, f, times in state.edges})
    other = end.node
    if end.kind >= 0:
        other = len(nodes) + end.strand
        nodes += table.fresh(end.kind, _new_vertex(nodes))
    if end.leg >= 0:
        legs[end.leg] -= 1
    else:
        nodes[other] = _with_less(nodes[other], field)
    if leg >= 0 and end.leg >= 0:
        lines.append((min(leg, end.leg), max(leg, end.leg)))
    elif leg >= 0 or end.leg >= 0:
        node, kind = (other, leg) if leg >= 0 else (place, end.leg)
        ended = tuple(sorted((*nodes[node].legs, kind)))
        nodes[node] = nodes[node]._replace(legs=ended)
    else:
        edges[min(place, other), max(place, other), field] += 1
    return _normal(nodes, edges, _State((), (), tuple(sorted(lines)), tuple(legs)))


def _normal(nodes: list[_Node], edges: Counter[tuple[int, int, int]], rest: _State) -> _State:
    """The canonical form of a partial graph."""
    colours = [(node.kind, node.strand, node.open, node.legs) for node in nodes]
    order = strand_order(colours, [node.vertex for node in nodes], edges).order
    new = {old: place for place, old in enumerate(order)}
    vertices: dict[int, int] = {}
    named = [
        nodes[old]._replace(vertex=vertices.setdefault(nodes[old].vertex, len(vertices)))
        for old in order
    ]
    lines = sorted(
        (min(new[a], new[b]), max(new[a], new[b]), field, times)
        for (a, b, field), times in edges.items()
    )
    return rest._replace(nodes=tuple(named), edges=tuple(lines))


def _doomed(state: _State) -> bool:
    """Whether some line is sure to stay a bridge: nothing is open on one of its sides."""
    if state.lines:
        return True
    count_of = _new_vertex(list(state.nodes))
    opened = [0] * count_of
    for node in state.nodes:
        opened[node.vertex] += sum(node.open)
    owner = [node.vertex for node in state.nodes]
    pairs = [(owner[a], owner[b]) for a, b, _, times in state.edges for _ in range(times)]
    total = sum(opened)
    for side in bridges(count_of, pairs):
        inside = sum(opened[v] for v in range(count_of) if side >> v & 1)
        if inside in (0, total):
            return True
    return False
