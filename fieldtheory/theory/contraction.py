"""Wick contraction strand by strand: partial graphs, merged when isomorphic.

A state is a partial graph in canonical form, external legs without labels (`labelling` tells them
apart afterwards). All open legs of one field on one of its strands are contracted at once, with
every choice of partners; as the strand depends on the canonical form alone, each complete
contraction of the numbered legs is counted exactly once, whatever states it passed through. A
component is finished before the next is begun, so that closed disconnected pieces are seen at once.

Nodes (strands) and pairs are packed as in `table`, so that canonical order puts the strand with the
fewest open legs after the closed ones: it is the next to be contracted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial, prod
from typing import NamedTuple

from fieldtheory.theory.canonical import placed
from fieldtheory.theory.table import COUNT, DIGIT, Species, Table, half_edges

Pairs = dict[tuple[int, int], int]
Drawn = tuple[int, ...]


class State(NamedTuple):
    """A partial graph; with the vertex content it says what is left to contract."""

    nodes: tuple[int, ...]
    pairs: tuple[int, ...]  # (a * number of nodes + b << bits) + lines per field
    joined: int  # external legs joined directly, per field
    legs: int  # external legs left, per field


def symmetries(
    table: Table, content: tuple[int, ...], legs: tuple[int, ...]
) -> Iterator[tuple[State, int]]:
    """Finished graphs and the orders of their symmetry groups, external legs free to move: the
    number of ways to number everything over the number of Wick contractions."""
    total = prod(factorial(times) for times in legs) * prod(
        factorial(times) * vertex.symmetry**times
        for times, vertex in zip(content, table.action.vertices, strict=True)
    )
    for state, ways in contracted(table, content, legs).items():
        yield state, total // ways


def contracted(table: Table, content: tuple[int, ...], legs: tuple[int, ...]) -> dict[State, int]:
    """Finished graphs (vertices without quantum legs left out) and the number of Wick contractions
    of each; `legs` is the number of external legs per quantum field."""
    free = half_edges(table.action, content) + sum(legs)
    start = State((), (), 0, sum(times << DIGIT * f for f, times in enumerate(legs)))
    pending: list[dict[State, int]] = [{} for _ in range(free + 1)]
    pending[free][start] = 1
    for left in range(free, 0, -1):  # every step lowers the number of free legs
        for state, ways in pending[left].items():
            for partial, more in _Step(table, content, state).children():
                child = partial.canonical(table)
                grown = pending[left - 2 * partial.contracted]
                grown[child] = grown.get(child, 0) + ways * more
        pending[left] = {}
    return pending[0]


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

    def canonical(self, table: Table) -> State:
        pairs = [(a, b, kind) for (a, b), kind in self.pairs.items()]
        found = placed(self.nodes, pairs, table.bits)
        return State(tuple(sorted(self.nodes)), tuple(found.certificate), self.joined, self.legs)


class _Step:
    """What can become of a state: the open legs of one field on one strand are contracted."""

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

    def children(self) -> Iterator[tuple[_Partial, int]]:
        """Partial graphs that may still become a wanted diagram, and the ways to each."""
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
        opened = table.digits(base.nodes[first] >> table.open_at)
        field = next(f for f, times in enumerate(opened) if times)
        for (kinds, partners), ways in self.choices(first, field, opened[field]).items():
            child = self.joined(first, field, kinds, partners)
            if not self.hopeless(child, kinds):
                yield child, ways

    def from_leg(self) -> Iterator[tuple[_Partial, int]]:
        """A component begins at its first external leg."""
        table, legs = self.table, self.table.digits(self.base.legs)
        field = next(f for f, times in enumerate(legs) if times)
        unit = 1 << DIGIT * field
        if legs[field] > 1 and not table.rules.irreducible:
            child = self.base.copy()
            child.legs -= 2 * unit
            child.joined += unit
            child.contracted = 1
            if not self.hopeless(child, ()):
                yield child, legs[field] - 1
        for kind, species in self.offered(field):
            child = self.base.copy()
            first = len(child.nodes) + species.offset
            child.add(table.fresh[kind], table.link)
            child.nodes[first] += (unit << table.width) - table.leg(field)
            child.legs -= unit
            child.contracted = 1
            if not self.hopeless(child, (kind,)):
                yield child, self.left[kind] * species.times * species.legs[field]

    def offered(self, field: int) -> list[tuple[int, Species]]:
        """Strands of untouched vertices that have a leg of `field`."""
        return [(s.kind, s) for s in self.table.species if self.left[s.kind] and s.legs[field]]

    def choices(self, first: int, field: int, times: int) -> dict[tuple[Drawn, Drawn], int]:
        """The ways to contract `times` legs of a node: {(untouched vertices drawn in, partners of
        the legs, sorted): ways}. An external leg counts as partner -1."""
        table, offered, first_new = self.table, self.offered(field), len(self.base.nodes)
        shift = table.open_at + DIGIT * field
        stubs = table.digits(self.base.legs)[field]
        known = [(n, c) for n, x in enumerate(self.base.nodes) if (c := x >> shift & COUNT)]
        known = [(n, c) for n, c in known if n != first]
        if stubs:
            known.append((-1, stubs))
        done: dict[tuple[Drawn, Drawn], int] = {}
        level: dict[tuple[int, Drawn, Drawn], int] = {(times, (), ()): 1}  # legs left first
        while level:
            grown: dict[tuple[int, Drawn, Drawn], int] = {}
            for (legs, kinds, partners), ways in level.items():
                found = [(kinds, n, free) for n, c in known if (free := c - partners.count(n)) > 0]
                place = first_new
                for kind in kinds:
                    for node in table.fresh[kind]:
                        if (free := (node >> shift & COUNT) - partners.count(place)) > 0:
                            found.append((kinds, place, free))
                        place += 1
                for kind, species in offered:
                    if more := self.left[kind] - kinds.count(kind):
                        more *= species.times * species.legs[field]
                        found.append(((*kinds, kind), place + species.offset, more))
                if legs > 1:
                    found.append((kinds, first, legs - 1))
                for drawn, partner, more in found:
                    rest = legs - 1 - (partner == first)
                    chosen = tuple(sorted((*partners, partner)))
                    if rest:
                        key = (rest, drawn, chosen)
                        grown[key] = grown.get(key, 0) + ways * more
                    else:
                        done[drawn, chosen] = done.get((drawn, chosen), 0) + ways * more
            level = grown
        return done

    def joined(
        self, first: int, field: int, kinds: tuple[int, ...], partners: tuple[int, ...]
    ) -> _Partial:
        """The partial graph after that choice."""
        table, child = self.table, self.base.copy()
        for kind in kinds:
            child.add(table.fresh[kind], table.link)
        leg, unit = table.leg(field), 1 << DIGIT * field
        nodes, pairs = child.nodes, child.pairs
        for partner in partners:
            nodes[first] -= leg
            if partner == first:
                nodes[first] += unit - leg
            elif partner < 0:
                nodes[first] += unit << table.width
                child.legs -= unit
            else:
                nodes[partner] -= leg
                pair = (partner, first) if partner < first else (first, partner)
                pairs[pair] = pairs.get(pair, 0) + unit
        child.contracted = len(partners)
        return child

    def hopeless(self, child: _Partial, kinds: tuple[int, ...]) -> bool:
        """Whether no wanted diagram can come of it."""
        table, rules = self.table, self.table.rules
        shift = table.open_at + table.width
        opened = [node >> shift for node in child.nodes]
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
