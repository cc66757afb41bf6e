"""Loop momenta: conservation at every vertex solved, one free momentum for each loop.

Momentum enters a graph at some of its nodes and is conserved at every node; so, in each connected
piece, one of the entering momenta is minus the sum of the others. What is left free runs round the
loops: one momentum along each line outside a spanning tree. Of the breadth-first trees of a piece
the one is taken that gives the shortest list of line momenta, and loop momenta are turned round
where that saves a minus sign.

A momentum, a sum of terms with coefficients -1, 0 and 1, is kept as one whole number in base 4
with these digits; its sign is the sign of its first term.

Conventions: external momenta p_1, p_2, ... come in at the legs, background momenta q_1, ... at the
vertices, f(x) = integral of f(q) exp(i q x); every integral over a momentum is d^d k/(2 pi)^d.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.diagram import Diagram

Momentum = tuple[int, ...]  # coefficients of the loop momenta, then of those that enter


@dataclass(frozen=True)
class Momenta:
    """The momenta of a diagram, conservation solved.

    diagram  the diagram.
    routing  its momenta as coefficients, of what `names` lists.
    names    loop momenta, then those of the legs, then those of the background legs.
    """

    diagram: Diagram
    routing: Routing
    names: tuple[sp.Expr, ...]

    @property
    def lines(self) -> tuple[sp.Expr, ...]:
        """Along each of the diagram's edges, from start to end."""
        return tuple(combination(momentum, self.names) for momentum in self.routing.lines)

    @property
    def legs(self) -> tuple[sp.Expr, ...]:
        """Coming in at each external leg."""
        entries = self.routing.entries[: len(self.diagram.legs)]
        return tuple(combination(momentum, self.names) for momentum in entries)

    @property
    def background(self) -> tuple[sp.Expr, ...]:
        """Coming in at each background leg, in the order of `Diagram.background_legs`."""
        entries = self.routing.entries[len(self.diagram.legs) :]
        return tuple(combination(momentum, self.names) for momentum in entries)

    @property
    def loops(self) -> tuple[sp.Expr, ...]:
        """k_1, k_2, ..., one for each loop."""
        return self.names[: self.routing.loops]

    @property
    def free(self) -> tuple[sp.Expr, ...]:
        """What is integrated over: the loops and the background momenta that are not fixed."""
        legs = len(self.diagram.legs)
        left = (n for n in self.routing.free if n >= legs)
        return self.loops + tuple(self.names[self.routing.loops + n] for n in left)


def momenta(diagram: Diagram, at: tuple[sp.Expr, ...] | None = None) -> Momenta:
    """The momentum of every line of a diagram, in terms of those that are independent.

    at  the momenta of the external legs, all incoming; p_1, p_2, ... unless given. In a connected
        piece the last leg's is minus the sum of the others', whatever is given for it. Where a
        piece has background legs their momenta take it up: the last of them is fixed, the others
        are integrated over.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> *_, sunset = diagrams(Action.phi(4), order=2, connected=True)
    >>> momenta(sunset).lines
    (p_1, -p_1, -k_1 - k_2 + p_1, k_1, k_2)
    """
    found = routing(diagram)
    legs = len(diagram.legs)
    outer = symbols("p", legs) if at is None else tuple(at)
    names = (*symbols("k", found.loops), *outer, *symbols("q", len(found.entries) - legs))
    return Momenta(diagram, found, names)


def routing(diagram: Diagram) -> Routing:
    """The momenta of a diagram as whole numbers: entries are its legs, then its background legs."""
    nodes = [*range(len(diagram.vertices)), *range(-1, -len(diagram.legs) - 1, -1)]
    entries = [*range(-1, -len(diagram.legs) - 1, -1)]
    entries += [diagram.vertex_of(end) for end, _ in diagram.background_legs]
    return routed(nodes, [(a, b) for a, b, _ in diagram.vertex_edges], entries)


@lru_cache(maxsize=256)
def symbols(letter: str, number: int) -> tuple[sp.Symbol, ...]:
    """k_1, k_2, ..."""
    return tuple(sp.Symbol(f"{letter}_{n + 1}") for n in range(number))


@lru_cache(maxsize=4096)
def combination(coefficients: Momentum, names: tuple[sp.Expr, ...]) -> sp.Expr:
    """The sum of what is named, with these coefficients."""
    terms = zip(coefficients, names, strict=True)
    return sp.Add(*(name if sign > 0 else -name for sign, name in terms if sign))


@dataclass(frozen=True)
class Routing:
    """Momenta as tuples of coefficients -1, 0, 1: of the loop momenta, then of those that enter.

    loops    the number of loop momenta.
    lines    of each line, along it from start to end.
    entries  what enters at each place: in every piece the last one is minus the sum of the others.
    """

    loops: int
    lines: tuple[Momentum, ...]
    entries: tuple[Momentum, ...]

    @property
    def free(self) -> tuple[int, ...]:
        """The entries that conservation leaves free, numbered from 0."""
        return tuple(n for n, momentum in enumerate(self.entries) if momentum[self.loops + n])


def routed(
    nodes: Iterable[int], lines: Sequence[tuple[int, int]], entries: Sequence[int]
) -> Routing:
    """Momenta for a graph of `lines` (start, end) between `nodes`.

    entries  the node at which each external momentum comes in, a node as often as needed.

    Raises InvalidInput for a line or an entry at a node that is not there.

    >>> bubble = routed([0, 1], [(0, 1), (0, 1)], entries=[0, 1])
    >>> bubble.lines                                # k_1 + p_1 one way, k_1 the other
    ((1, 1, 0), (-1, 0, 0))
    """
    graph = _Graph(tuple(nodes), tuple(lines), tuple(entries))
    pieces = graph.pieces()
    loops = len(graph.lines) - len(graph.nodes) + len(pieces)
    width = loops + len(graph.entries)
    units = [1 << 2 * place for place in reversed(range(width))]
    ones = sum(units)
    entering = _conserved(graph, pieces, units[loops:])
    inflow = dict.fromkeys(graph.entries, 0)
    for node, momentum in zip(graph.entries, entering, strict=True):
        inflow[node] += momentum
    flows = [0] * len(graph.lines)
    spare = iter(units[:loops])
    for piece in pieces:
        inside = {line for node in piece for line, _ in graph.around[node]}
        chords = len(inside) - len(piece) + 1
        own = [next(spare) for _ in range(chords)]
        roots = [node for node in piece if node >= 0] or piece[:1]
        found = (graph.flows(root, own, inflow) for root in roots)
        best = min(found, key=lambda flow: sum(_terms(m, ones) for m in flow.values()))
        for line, momentum in best.items():
            flows[line] = momentum
    flows = _turned(flows, units[:loops], ones)
    return Routing(
        loops,
        tuple(_digits(momentum, width) for momentum in flows),
        tuple(_digits(momentum, width) for momentum in entering),
    )


class _Graph:
    """Nodes, lines and entries, and what is found by walking along them."""

    def __init__(
        self, nodes: tuple[int, ...], lines: tuple[tuple[int, int], ...], entries: tuple[int, ...]
    ) -> None:
        self.nodes, self.lines, self.entries = nodes, lines, entries
        self.around: dict[int, list[tuple[int, int]]] = {node: [] for node in nodes}
        for line, (a, b) in enumerate(self.lines):
            for node, other in ((a, b), (b, a)):
                if node not in self.around:
                    raise InvalidInput(f"line {line} ends at node {node}, which is not in the list")
                self.around[node].append((line, other))
        if missing := [node for node in self.entries if node not in self.around]:
            raise InvalidInput(f"momentum enters at node {missing[0]}, which is not in the list")

    def pieces(self) -> list[list[int]]:
        """The nodes of each connected piece."""
        left = dict.fromkeys(self.nodes)
        found = []
        while left:
            piece = self.tree(next(iter(left)))[0]
            for node in piece:
                del left[node]
            found.append(piece)
        return found

    def tree(self, root: int) -> tuple[list[int], dict[int, tuple[int, int]]]:
        """Nodes in the order a breadth-first walk meets them; the line to, and the node, before."""
        order, before = [root], {root: (-1, root)}
        for node in order:
            for line, other in self.around[node]:
                if other not in before:
                    before[other] = line, node
                    order.append(other)
        return order, before

    def flows(self, root: int, units: list[int], entering: dict[int, int]) -> dict[int, int]:
        """The momentum of every line in the piece of `root`, by the tree that starts there."""
        order, before = self.tree(root)
        taken = {line for line, _ in before.values()}
        inflow = {node: entering.get(node, 0) for node in order}
        spare = iter(units)
        flow: dict[int, int] = {}
        for node in order:
            for line, _ in self.around[node]:
                if line not in taken and line not in flow:
                    start, end = self.lines[line]
                    flow[line] = unit = next(spare)
                    inflow[start] -= unit
                    inflow[end] += unit
        for node in reversed(order[1:]):
            line, parent = before[node]
            flow[line] = inflow[node] if self.lines[line][0] == node else -inflow[node]
            inflow[parent] += inflow[node]
        return flow


def _conserved(graph: _Graph, pieces: list[list[int]], units: list[int]) -> list[int]:
    """What enters where; the last entry of each piece takes out all that came in."""
    piece_of = {node: n for n, piece in enumerate(pieces) for node in piece}
    of_piece: dict[int, list[int]] = {}
    for entry, node in enumerate(graph.entries):
        of_piece.setdefault(piece_of[node], []).append(entry)
    entering = list(units)
    for found in of_piece.values():
        entering[found[-1]] = -sum(units[entry] for entry in found[:-1])
    return entering


def _turned(flows: list[int], units: list[int], ones: int) -> list[int]:
    """Loop momenta reversed, one after another, as long as that saves minus signs; the sign of a
    whole momentum does not count."""
    better = True
    while better:
        better = False
        for unit in units:
            saved, turned = 0, {}
            for line, old in enumerate(flows):
                if digit := _digit(old, unit, ones):
                    turned[line] = new = old - 2 * digit * unit
                    saved += _minuses(abs(old), ones) - _minuses(abs(new), ones)
            if saved > 0:
                better = True
                for line, new in turned.items():
                    flows[line] = new
    return flows


# -- whole numbers with digits -1, 0, 1 in base 4 -------------------------------------------------


def _digit(number: int, unit: int, ones: int) -> int:
    """The digit at the place of `unit`."""
    return ((number + ones) // unit & 3) - 1


@lru_cache(maxsize=4096)
def _digits(number: int, width: int) -> Momentum:
    """All of them, the first place first."""
    shifted = number + sum(1 << 2 * place for place in range(width))
    return tuple((shifted >> 2 * place & 3) - 1 for place in reversed(range(width)))


def _terms(number: int, ones: int) -> int:
    """How many digits are not zero."""
    return ((number + ones ^ ones) & ones).bit_count()


def _minuses(number: int, ones: int) -> int:
    """How many digits are -1."""
    changed = number + ones ^ ones  # digits -1, 0, 1 become 1, 0, 3
    return (changed & ones).bit_count() - (changed & 2 * ones).bit_count()
