"""One name for each isomorphism class: colour refinement, then individualisation.

A graph is given as one colour per node and a list of pairs (a, b, kind, back) with a != b: what a
sees in b and what b sees in a, positive integers that are equal where no line has a direction. The
search refines the colouring until equal colours see equal surroundings,
splits the first smallest class that is left by singling out each of its nodes in turn and keeps
the smallest certificate. Leaves with equal certificates differ by an automorphism; the ones found
so far spare the search every branch they carry into one already seen, and the sizes of their orbits
multiply to the order of the group (orbit-stabiliser).

What a node sees is one integer: digit c, `bits` wide, adds up the kinds of its links to colour c.
Comparing such integers compares the digits from the highest down, so the outcome does not depend on
the width as long as no digit overflows: kinds that count things may use any wide enough packing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

Pair = tuple[int, int, int, int]
Certificate = list[int]


class Canonical(NamedTuple):
    """Nodes in canonical order, and the order of the automorphism group."""

    order: tuple[int, ...]
    automorphisms: int


class Placed(NamedTuple):
    """The canonical place of each node, the pairs in these places as sorted integers
    (a * nodes + b << bits) + kind with a < b, the order of the group and permutations that
    generate it."""

    place: list[int]
    certificate: Certificate
    automorphisms: int
    generators: list[list[int]]


def canonical(colours: Sequence[Any], links: Sequence[Mapping[int, int]]) -> Canonical:
    """The canonical order of the nodes of a graph: `links` is {neighbour: kind} for each node, the
    kind as this node sees it; both must list each other.

    >>> square = [{1: 1, 3: 1}, {0: 1, 2: 1}, {1: 1, 3: 1}, {0: 1, 2: 1}]
    >>> canonical([0, 0, 0, 0], square).automorphisms
    8
    """
    pairs = [
        (a, b, kind, links[b][a])
        for a, near in enumerate(links)
        for b, kind in near.items()
        if a < b
    ]
    largest = max((kind for near in links for kind in near.values()), default=1)
    found = placed(colours, pairs, (largest * len(colours)).bit_length())
    order = sorted(range(len(colours)), key=found.place.__getitem__)
    return Canonical(tuple(order), found.automorphisms)


def placed(colours: Sequence[Any], pairs: Sequence[Pair], bits: int) -> Placed:
    """The canonical form of a graph; each kind, times the number of nodes, fits into `bits`.

    >>> placed([0, 1, 0], [(0, 1, 1, 1), (1, 2, 1, 1)], 4).automorphisms
    2
    >>> placed([0, 1, 0], [(0, 1, 1, 2), (1, 2, 1, 2)], 4).automorphisms  # an arrow along the line
    1
    """
    distinct = sorted(set(colours))
    rank = dict(zip(distinct, range(len(distinct)), strict=True))
    ranks = [rank[colour] for colour in colours]
    search = _Search(len(ranks), pairs, bits)
    ranks, classes = search.refined(ranks, len(distinct))
    if classes == len(ranks):  # most graphs: nothing is left to choose
        return Placed(ranks, search.certificate(ranks), 1, [])
    certificate, place, automorphisms = search.run(ranks, ())
    return Placed(place, certificate, automorphisms, search.found)


@lru_cache(maxsize=256)
def _digits(nodes: int, bits: int) -> tuple[list[int], list[int]]:
    """The unit of digit c, and the colour c above all digits."""
    return [1 << bits * c for c in range(nodes)], [c << bits * nodes for c in range(nodes)]


class _Search:
    """One search; it remembers the automorphisms it met."""

    def __init__(self, nodes: int, pairs: Sequence[Pair], bits: int) -> None:
        self.nodes, self.pairs, self.bits = nodes, pairs, bits
        self.units, self.tops = _digits(nodes, bits)
        self.found: list[list[int]] = []

    def refined(self, colours: list[int], classes: int) -> tuple[list[int], int]:
        """The coarsest stable colouring below `colours`, 0 to classes - 1, and its classes."""
        units, tops = self.units, self.tops
        while classes < self.nodes:
            seen = [tops[colour] for colour in colours]
            for a, b, kind, back in self.pairs:
                seen[a] += kind * units[colours[b]]
                seen[b] += back * units[colours[a]]
            distinct = sorted(set(seen))
            if len(distinct) == classes:
                break
            classes = len(distinct)
            rank = dict(zip(distinct, range(classes)))  # noqa: B905 (the innermost loop)
            colours = [rank[key] for key in seen]
        return colours, classes

    def run(self, colours: list[int], fixed: tuple[int, ...]) -> tuple[Certificate, list[int], int]:
        """Smallest certificate, its places, and how many automorphisms fix `fixed`."""
        cell = _first_smallest_class(colours)
        if not cell:
            return self.certificate(colours), colours, 1
        seen: dict[int, tuple[Certificate, list[int], int]] = {}
        for node in cell:
            orbit = self.orbits(fixed)
            if any(orbit[node] == orbit[other] for other in seen):
                continue
            split = [c + (c >= colours[node]) for c in colours]  # the node below its old class
            split[node] -= 1
            branch = self.run(self.refined(split, 1 + max(split))[0], (*fixed, node))
            for other in seen.values():
                if other[0] == branch[0]:
                    self.remember(other[1], branch[1])
                    break
            seen[node] = branch
        best = min(seen, key=lambda node: seen[node][0])
        orbit = self.orbits(fixed)
        certificate, place, automorphisms = seen[best]
        size = sum(orbit[node] == orbit[best] for node in cell)
        return certificate, place, automorphisms * size

    def certificate(self, place: list[int]) -> Certificate:
        """The pairs, as sorted integers."""
        nodes, bits = self.nodes, self.bits
        codes = []
        for a, b, kind, back in self.pairs:
            a, b = place[a], place[b]
            codes.append(
                (a * nodes + b << bits) + kind if a < b else (b * nodes + a << bits) + back
            )
        codes.sort()
        return codes

    def remember(self, one: list[int], other: list[int]) -> None:
        """Two leaves with one certificate: what is in the same place goes to each other."""
        holder = [0] * len(other)
        for node, place in enumerate(other):
            holder[place] = node
        self.found.append([holder[place] for place in one])

    def orbits(self, fixed: tuple[int, ...]) -> list[int]:
        """Each node's orbit, named by a member, under what is known to fix `fixed`."""
        return orbits(self.nodes, [g for g in self.found if all(g[node] == node for node in fixed)])


def orbits(nodes: int, generators: Sequence[Sequence[int]]) -> list[int]:
    """Each node's orbit under the group the permutations generate, named by a member.

    >>> orbits(4, [[1, 0, 2, 3]])
    [0, 0, 2, 3]
    """
    name = list(range(nodes))
    for image in generators:
        for a, b in enumerate(image):
            if name[a] != name[b]:
                old, new = max(name[a], name[b]), min(name[a], name[b])
                name = [new if other == old else other for other in name]
    return name


def _first_smallest_class(colours: list[int]) -> list[int]:
    """The nodes of the smallest class of several nodes, the lowest colour first."""
    sizes = [0] * len(colours)
    for colour in colours:
        sizes[colour] += 1
    several = [size for size in sizes if size > 1]
    if not several:
        return []
    wanted = sizes.index(min(several))
    return [node for node, colour in enumerate(colours) if colour == wanted]
