"""External legs get their labels: orbit by orbit, no two outcomes isomorphic.

Graphs come from `contraction` with legs that are free to move. A label goes to one free leg of
each orbit of the symmetry group, and the group shrinks to the stabiliser of that leg: the order of
the group over the size of the orbit. In connected diagrams much of the work is left out before it
starts: a vertex that holds labelled legs and two ends of a plain line is a *bead* on that line, so
the graph without its beads is found first (there are few) and each bead, which its labels make
unique, is threaded onto one line of each orbit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from fieldtheory.theory.engine.canonical import orbits, placed
from fieldtheory.theory.engine.contraction import State, symmetries
from fieldtheory.theory.engine.table import COUNT, DIGIT, Table

Content = tuple[int, ...]


class Graph(NamedTuple):
    """A graph on the way to a diagram; `generators` those of its group that move nodes, `form` its
    canonical places and sorted pairs where they are known."""

    species: list[int]
    loops: list[int]  # per view
    free: list[int]  # external legs without labels, per view
    labels: list[int]  # one bit for each external leg and view: leg * number of views + view
    pairs: dict[tuple[int, int], int]
    symmetry: int
    generators: list[list[int]]
    form: tuple[list[int], list[int]] | None = None

    def has_joined_legs(self, table: Table) -> bool:
        """Whether some external legs are joined directly."""
        return bool(self.species) and self.species[-1] >= len(table.species)

    def placed(self, table: Table) -> tuple[list[int], list[int], list[list[int]]]:
        """Canonical places, sorted pairs and the generators of the group."""
        colours = list(zip(self.species, self.free, self.labels, self.loops, strict=True))
        if table.has_arrows:
            pairs = [(a, b, kind, table.turned(kind)) for (a, b), kind in self.pairs.items()]
        else:
            pairs = [(a, b, kind, kind) for (a, b), kind in self.pairs.items()]
        found = placed(colours, pairs, table.bits)
        return found.place, found.certificate, found.generators

    def with_group(self, table: Table) -> Graph:
        """The same with its own generators."""
        place, codes, generators = self.placed(table)
        return self._replace(generators=generators, form=(place, codes))

    def settled(self, table: Table) -> Graph:
        """The same after a change that made the group smaller: a trivial one stays so."""
        return self.with_group(table) if self.generators else self


class Bead(NamedTuple):
    """A vertex with labelled legs and two ends of a line seen by `view`."""

    species: int
    view: int
    labels: int  # one bit for each external leg
    marks: int  # as in Graph.labels


def graph_of(table: Table, state: State, symmetry: int) -> Graph:
    """A finished state, its group not asked for. A pair of external legs joined directly is a node
    of its own, after all others: its species is the number of species plus the view."""
    nodes, mask = len(state.nodes), (1 << table.bits) - 1
    lines = [v for v, times in enumerate(table.digits(state.joined)) for _ in range(times)]
    species = [table.species_of(node) for node in state.nodes]
    free = [table.stubs(node) for node in state.nodes]
    ends = [(1 << DIGIT * v) + (1 << DIGIT * table.views[v].back) for v in lines]
    return Graph(
        species + [len(table.species) + v for v in lines],
        [node & (table.link - 1) for node in state.nodes] + [0] * len(lines),
        free + ends,
        [0] * (nodes + len(lines)),
        {divmod(code >> table.bits, nodes): code & mask for code in state.pairs},
        symmetry,
        [],
        None if lines else (list(range(nodes)), list(state.pairs)),
    )


def labelled(table: Table, content: Content, legs: Sequence[int]) -> Iterator[Graph]:
    """Every graph of that vertex content with the legs, given by their kinds, held fixed."""
    connected = table.rules.connected or table.rules.irreducible
    bare = Table(table.action, table.rules, chained=False) if connected and legs else table
    cores = _Cores(bare, needs_groups=bool(legs))
    every = range(len(legs))
    for beads, rest in _threadings(table, content, legs) if connected else [((), content)]:
        held = sum(bead.labels for bead in beads)
        kept = [n for n in every if not held >> n & 1]
        ring = beads and not any(
            times * table.action.valence(vertex)
            for times, vertex in zip(rest, table.action.vertices, strict=True)
        )
        if ring and kept:
            continue
        found: Iterable[Graph] = (
            [_ring(table, beads[0])] if ring else cores.of(rest, [legs[n] for n in kept])
        )
        for n in kept:
            found = _each(found, _with_label, table, n, legs[n])
        for bead in beads[1:] if ring else beads:
            found = _each(found, _with_bead, table, bead)
        yield from found


def _each(
    graphs: Iterable[Graph], change: Callable[..., Iterator[Graph]], table: Table, *what: Any
) -> Iterator[Graph]:
    """What becomes of each graph, as they come."""
    for graph in graphs:
        yield from change(table, graph, *what)


class _Cores:
    """Graphs without labels, each found once however often they are asked for."""

    def __init__(self, table: Table, needs_groups: bool) -> None:
        self.table, self.needs_groups = table, needs_groups
        self.made: dict[tuple[Content, Content], list[Graph]] = {}
        self.coming: dict[tuple[Content, Content], Iterator[tuple[State, int]]] = {}

    def of(self, content: Content, legs: Sequence[int]) -> Iterator[Graph]:
        numbers = tuple(list(legs).count(f) for f in range(len(self.table.legs)))
        key = content, numbers
        if key not in self.made:
            self.made[key] = []
            self.coming[key] = symmetries(self.table, content, numbers)
        made, at = self.made[key], 0
        while True:
            if at == len(made):
                state = next(self.coming[key], None)
                if state is None:
                    return
                graph = graph_of(self.table, *state)
                made.append(graph.with_group(self.table) if self.needs_groups else graph)
            yield made[at]
            at += 1


def _threadings(
    table: Table, content: Content, legs: Sequence[int], start: int = 0, held: int = 0
) -> Iterator[tuple[tuple[Bead, ...], Content]]:
    """Ways to choose beads, and the vertices that are left; labels before `start` are decided.
    A bead holds no legs but those that are contracted with their own kind."""
    while start < len(legs) and held >> start & 1:
        start += 1
    if start == len(legs):
        yield (), content
        return
    yield from _threadings(table, content, legs, start + 1, held)
    if not table.plain[legs[start]]:
        return
    later = [n for n in range(start + 1, len(legs)) if not held >> n & 1]
    for number, species in enumerate(table.species):
        if not content[species.kind] or len(table.action.vertices[species.kind].strands) > 1:
            continue
        rest = tuple(times - (k == species.kind) for k, times in enumerate(content))
        for leg, times in enumerate(species.legs):
            wanted = [n - 2 * (f == leg) for f, n in enumerate(species.legs)]
            whole = zip(species.legs, table.plain, strict=True)
            if times < 2 or sum(wanted) == 0 or not all(plain or not n for n, plain in whole):
                continue
            for others in combinations(later, sum(wanted) - 1):
                chosen = [legs[start], *(legs[n] for n in others)]
                if [chosen.count(f) for f in range(len(wanted))] == wanted:
                    labels = sum(1 << n for n in (start, *others))
                    marks = sum(_mark(table, n, legs[n]) for n in (start, *others))
                    bead = Bead(number, table.around[leg][0], labels, marks)
                    for beads, last in _threadings(table, rest, legs, start + 1, held | labels):
                        yield (bead, *beads), last


def _mark(table: Table, label: int, leg: int) -> int:
    """The bit of a leg contracted with its own kind."""
    return 1 << label * len(table.views) + table.around[leg][0]


def _ring(table: Table, bead: Bead) -> Graph:
    """A bead whose two lines are one: where a graph of nothing but beads begins."""
    symmetry = 2 * table.background[bead.species]
    return Graph([bead.species], [1 << DIGIT * bead.view], [0], [bead.marks], {}, symmetry, [])


def _with_label(table: Table, graph: Graph, label: int, leg: int) -> Iterator[Graph]:
    """Label one free leg of each orbit: a free leg of that kind hangs on a strand by some view."""
    orbit = orbits(len(graph.free), graph.generators)
    for v in (table.views[out].back for out in table.around[leg]):
        shift = DIGIT * v
        places = [n for n, word in enumerate(graph.free) if word >> shift & COUNT]
        named = [orbit[n] for n in places]
        seen = set()
        for n in places:
            if orbit[n] not in seen:
                seen.add(orbit[n])
                free, labels = graph.free.copy(), graph.labels.copy()
                size = named.count(orbit[n]) * (free[n] >> shift & COUNT)
                free[n] -= 1 << shift
                labels[n] |= 1 << label * len(table.views) + v
                left = graph.symmetry // size
                changed = graph._replace(free=free, labels=labels, symmetry=left, form=None)
                yield changed.settled(table)


def _with_bead(table: Table, graph: Graph, bead: Bead) -> Iterator[Graph]:
    """Thread the bead onto one line of each orbit."""
    shift, unit, new = DIGIT * bead.view, 1 << DIGIT * bead.view, len(graph.species)
    places = [*graph.pairs.items(), *(((n, n), word) for n, word in enumerate(graph.loops))]
    lines = [(pair, times) for pair, kind in places if (times := kind >> shift & COUNT)]
    for (a, b), times, size in _line_orbits(lines, graph.generators):
        pairs, loops = graph.pairs.copy(), graph.loops.copy()
        if a == b:
            loops[a] -= unit
            pairs[a, new] = 2 * unit
        else:
            pairs[a, b] -= unit
            if not pairs[a, b]:
                del pairs[a, b]
            pairs[a, new] = pairs[b, new] = unit
        yield Graph(
            [*graph.species, bead.species],
            [*loops, 0],
            [*graph.free, 0],
            [*graph.labels, bead.marks],
            pairs,
            graph.symmetry // (size * times) * table.background[bead.species],
            [[*g, new] for g in graph.generators],
        ).settled(table)


def _line_orbits(
    lines: list[tuple[tuple[int, int], int]], generators: list[list[int]]
) -> Iterator[tuple[tuple[int, int], int, int]]:
    """One pair of nodes of each orbit, how many lines join it, and how many pairs are like it."""
    if not generators:
        for pair, times in lines:
            yield pair, times, 1
        return
    number = {pair: n for n, (pair, _) in enumerate(lines)}
    images = [[number[min(g[a], g[b]), max(g[a], g[b])] for (a, b), _ in lines] for g in generators]
    name = orbits(len(lines), images)
    for n, (pair, times) in enumerate(lines):
        if name[n] == n:  # an orbit is named by its first member
            yield pair, times, name.count(n)
