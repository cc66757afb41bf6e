"""Wick contraction strand by strand: partial graphs, each isomorphism class visited once.

A state is a partial graph in canonical form, external legs without labels (`labelling` tells them
apart afterwards). All open legs of one kind on one of its strands are contracted at once, with
every choice of partners. The search goes depth first and never enters a state twice, so finished
graphs stream out as they are found, each once; the order of its symmetry group comes with the
canonical form. A component is finished before the next is begun, so that closed disconnected pieces
are seen at once.

Nodes (strands) and pairs are packed as in `table`, so that canonical order puts the strand with the
fewest open legs after the closed ones: it is the next to be contracted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial, prod
from typing import NamedTuple

from fieldtheory.theory.engine.canonical import placed
from fieldtheory.theory.engine.table import COUNT, DIGIT, Species, Table, half_edges

Pairs = dict[tuple[int, int], int]
Drawn = tuple[int, ...]


class State(NamedTuple):
    """A partial graph; with the vertex content it says what is left to contract."""

    nodes: tuple[int, ...]
    pairs: tuple[int, ...]  # (a * number of nodes + b << bits) + lines per view, a < b
    joined: int  # external legs joined directly, per view
    legs: int  # external legs left, per kind


def symmetries(
    table: Table, content: tuple[int, ...], legs: tuple[int, ...]
) -> Iterator[tuple[State, int]]:
    """Finished graphs (vertices without quantum legs left out) and the orders of their symmetry
    groups, external legs free to move; `legs` is the number of external legs per kind."""
    free = half_edges(table.action, content) + sum(legs)
    state = State((), (), 0, sum(times << DIGIT * f for f, times in enumerate(legs)))
    inert = prod(
        factorial(times) * vertex.symmetry**times
        for times, vertex in zip(content, table.action.vertices, strict=True)
        if table.action.valence(vertex) == 0
    )
    if not free:
        yield state, inert
        return
    seen: set[State] = set()
    path = [(_Step(table, content, state).children(), free)]
    while path:
        children, left = path[-1]
        partial = next(children, None)
        if partial is None:
            path.pop()
            continue
        state, automorphisms = partial.canonical(table)
        if state in seen:
            continue
        seen.add(state)
        rest = left - 2 * partial.contracted
        if rest:
            path.append((_Step(table, content, state).children(), rest))
        else:
            yield state, inert * automorphisms * _exchanges(table, state)


def _exchanges(table: Table, state: State) -> int:
    """The symmetries of a finished graph that move no strand."""
    mask, total = table.link - 1, table.turns(state.joined)
    for code in state.pairs:
        total *= table.exchanges(code & mask)
    for node in state.nodes:
        total *= table.exchanges(table.stubs(node)) * table.turns(node & mask)
        total *= table.background[table.species_of(node)]
    return total


@dataclass
class _Partial:
    """A partial graph while it changes, not in canonical form."""

    nodes: list[int]
    pairs: Pairs
    joined: int
    legs: int
    contracted: int = 0  # lines since the last canonical form

    def copy(self) -> _Partial:
        return _Partial(self.nodes.copy(), self.pairs.copy(), self.joined, self.legs)

    def add(self, fresh: list[int], link: int) -> None:
        """An untouched vertex."""
        first = len(self.nodes)
        self.nodes += fresh
        for b in range(first, len(self.nodes)):
            for a in range(first, b):
                self.pairs[a, b] = link

    def canonical(self, table: Table) -> tuple[State, int]:
        """The state, and the order of the group of its strands."""
        if table.has_arrows:
            pairs = [(a, b, kind, table.turned(kind)) for (a, b), kind in self.pairs.items()]
        else:
            pairs = [(a, b, kind, kind) for (a, b), kind in self.pairs.items()]
        found = placed(self.nodes, pairs, table.bits)
        state = State(tuple(sorted(self.nodes)), tuple(found.certificate), self.joined, self.legs)
        return state, found.automorphisms


class _Step:
    """What can become of a state: the open legs of one kind on one strand are contracted."""

    def __init__(self, table: Table, content: tuple[int, ...], state: State) -> None:
        self.table = table
        nodes, mask = len(state.nodes), (1 << table.bits) - 1
        pairs = {divmod(code >> table.bits, nodes): code & mask for code in state.pairs}
        self.base = _Partial(list(state.nodes), pairs, state.joined, state.legs)
        found = [0] * len(table.species)
        for node in state.nodes:
            found[table.species_of(node)] += 1
        self.left = [  # untouched vertices of each type
            times - found[table.strands[kind][0]] // table.species[table.strands[kind][0]].times
            if any(node >> table.open_at for node in table.fresh[kind])
            else 0
            for kind, times in enumerate(content)
        ]

    def children(self) -> Iterator[_Partial]:
        """Partial graphs that may still become a wanted diagram."""
        base, table = self.base, self.table
        first = next((n for n, node in enumerate(base.nodes) if node >> table.open_at), -1)
        if first < 0 and base.legs:
            yield from self.from_leg()
            return
        if first < 0:  # a component without external legs
            if not (table.rules.vacuum or table.rules.connected or table.rules.irreducible):
                return
            kind = next(kind for kind, times in enumerate(self.left) if times)
            self.left[kind] -= 1
            first = len(base.nodes)
            base.add(table.fresh[kind], table.link)
            first += next(n for n, node in enumerate(table.fresh[kind]) if node >> table.open_at)
        opened = table.opened(base.nodes[first])
        leg = next(f for f, times in enumerate(opened) if times)
        for kinds, partners in self.choices(first, leg, opened):
            child = self.joined(first, leg, kinds, partners)
            if not self.hopeless(child, kinds):
                yield child

    def from_leg(self) -> Iterator[_Partial]:
        """A component begins at its first external leg."""
        table, width = self.table, self.table.width
        legs = [(self.base.legs >> DIGIT * f) & COUNT for f in range(len(table.legs))]
        leg = next(f for f, times in enumerate(legs) if times)
        for v in table.around[leg]:
            there, back = table.views[v].there, table.views[v].back
            if legs[there] > (there == leg) and not table.rules.irreducible:
                child = self.base.copy()
                child.legs -= (1 << DIGIT * leg) + (1 << DIGIT * there)
                child.joined += 1 << DIGIT * min(v, back)
                child.contracted = 1
                if not self.hopeless(child, ()):
                    yield child
            for kind, species in self.offered(there):
                child = self.base.copy()
                first = len(child.nodes) + species.offset
                child.add(table.fresh[kind], table.link)
                child.nodes[first] += (1 << width + DIGIT * back) - table.leg(there)
                child.legs -= 1 << DIGIT * leg
                child.contracted = 1
                if not self.hopeless(child, (kind,)):
                    yield child

    def offered(self, leg: int) -> list[tuple[int, Species]]:
        """Strands of untouched vertices that have such a leg."""
        return [(s.kind, s) for s in self.table.species if self.left[s.kind] and s.legs[leg]]

    def open_partners(self, first: int, there: int) -> list[tuple[int, int]]:
        """Where else a leg of kind `there` is open, and how many; -1 is outside."""
        shift = self.table.open_at + DIGIT * there
        known = [(n, c) for n, x in enumerate(self.base.nodes) if (c := x >> shift & COUNT)]
        outside = self.base.legs >> DIGIT * there & COUNT
        return [(n, c) for n, c in known if n != first] + ([(-1, outside)] if outside else [])

    def choices(self, first: int, leg: int, opened: list[int]) -> list[tuple[Drawn, Drawn]]:
        """The ways to contract all open legs of one kind on a node: the untouched vertices drawn
        in, and partner * number of views + view for each leg, sorted."""
        table, views, first_new = self.table, len(self.table.views), len(self.base.nodes)
        around = []
        for v in table.around[leg]:
            there = table.views[v].there
            own = 0 if there == leg else opened[there]
            shift = table.open_at + DIGIT * there
            around.append(
                (v, there, shift, self.open_partners(first, there), self.offered(there), own)
            )
        done: dict[tuple[Drawn, Drawn], None] = {}
        level: dict[tuple[int, Drawn, Drawn], None] = {(opened[leg], (), ()): None}
        while level:
            grown: dict[tuple[int, Drawn, Drawn], None] = {}
            for legs, kinds, partners in level:
                found = []
                for v, there, shift, known, offered, own in around:
                    for n, c in known:
                        if c > partners.count(n * views + v):
                            found.append((kinds, n * views + v, 1))
                    place = first_new
                    for kind in kinds:
                        for node in table.fresh[kind]:
                            code = place * views + v
                            if (node >> shift & COUNT) > partners.count(code):
                                found.append((kinds, code, 1))
                            place += 1
                    for kind, species in offered:
                        if self.left[kind] > kinds.count(kind):
                            code = (place + species.offset) * views + v
                            found.append(((*kinds, kind), code, 1))
                    if there == leg and legs > 1:
                        found.append((kinds, first * views + v, 2))
                    elif own > partners.count(first * views + v):
                        found.append((kinds, first * views + v, 1))
                for drawn, code, used in found:
                    chosen = tuple(sorted((*partners, code)))
                    if legs > used:
                        grown[legs - used, drawn, chosen] = None
                    else:
                        done[drawn, chosen] = None
            level = grown
        return list(done)

    def joined(
        self, first: int, leg: int, kinds: tuple[int, ...], partners: tuple[int, ...]
    ) -> _Partial:
        """The partial graph after that choice."""
        table, child = self.table, self.base.copy()
        for kind in kinds:
            child.add(table.fresh[kind], table.link)
        nodes, pairs, mine = child.nodes, child.pairs, table.leg(leg)
        for code in partners:
            partner, v = divmod(code, len(table.views))
            _, there, _, back = table.views[v]
            nodes[first] -= mine
            if partner == first:
                nodes[first] += (1 << DIGIT * min(v, back)) - table.leg(there)
            elif partner < 0:
                nodes[first] += 1 << table.width + DIGIT * v
                child.legs -= 1 << DIGIT * there
            else:
                nodes[partner] -= table.leg(there)
                pair = (first, partner)  # what comes before `first` is closed
                pairs[pair] = pairs.get(pair, 0) + (1 << DIGIT * v)
        child.contracted = len(partners)
        return child

    def hopeless(self, child: _Partial, kinds: tuple[int, ...]) -> bool:
        """Whether no wanted diagram can come of it."""
        table, rules = self.table, self.table.rules
        opened = [node >> table.total_at for node in child.nodes]
        free, left = sum(opened), sum(self.left) - len(kinds)
        if not free and (left or child.legs) and (rules.connected or rules.irreducible):
            return True
        if rules.irreducible and left and free < 2:
            return True
        if rules.irreducible or not table.chained:
            for node, times in zip(child.nodes, opened, strict=True):
                if not times and table.is_barren(node):
                    return True
        return rules.irreducible and has_lasting_bridge(opened, child.pairs, table.single)


def has_lasting_bridge(opened: list[int], pairs: Pairs, single: frozenset[int]) -> bool:
    """Whether cutting some single line leaves a side on which nothing is open: no further
    contraction can go around it; `single` are the kinds of pairs that one line joins.

    >>> has_lasting_bridge([1, 0, 0], {(0, 1): 1, (1, 2): 2}, single=frozenset([1]))
    True
    """
    near: list[list[tuple[int, int]]] = [[] for _ in opened]
    for (a, b), kind in pairs.items():
        near[a].append((b, kind))
        near[b].append((a, kind))
    depth = [0] * len(opened)
    total = sum(opened)

    def visit(node: int, parent: int, level: int) -> tuple[int, int]:
        """The highest level reached from below `node`, and what is open there; -1 to give up."""
        depth[node] = low = level
        inside = opened[node]
        for other, kind in near[node]:
            if not depth[other]:
                below, more = visit(other, node, level + 1)
                bridge = below > level and kind in single
                if below < 0 or (bridge and (more == 0 or more == total)):
                    return -1, 0
                inside += more
                low = min(low, below)
            elif other != parent:
                low = min(low, depth[other])
        return low, inside

    return any(not depth[n] and visit(n, -1, 1)[0] < 0 for n in range(len(opened)))
