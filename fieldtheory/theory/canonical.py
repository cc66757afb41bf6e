"""One name for each isomorphism class: colour refinement, then individualisation.

A graph is given as one sortable colour per node and, for each node, its links {neighbour: kind}
(kind a positive integer, symmetric). The search refines the colouring until equal colours see equal
surroundings, splits the first smallest class that is left by singling out each of its nodes in turn
and keeps the smallest certificate. Leaves with equal certificates differ by an automorphism; the
ones found so far spare the search every branch they carry into one already seen, and the sizes of
their orbits multiply to the order of the group (orbit-stabiliser).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

Links = Sequence[Mapping[int, int]]
Certificate = tuple[tuple[tuple[int, int], ...], ...]


class Canonical(NamedTuple):
    """Nodes in canonical order, and the order of the automorphism group."""

    order: tuple[int, ...]
    automorphisms: int


def canonical(colours: Sequence[Any], links: Links) -> Canonical:
    """The canonical order of the nodes of a coloured graph.

    >>> square = [{1: 1, 3: 1}, {0: 1, 2: 1}, {1: 1, 3: 1}, {0: 1, 2: 1}]
    >>> canonical([0, 0, 0, 0], square).automorphisms
    8
    """
    _, order, automorphisms = _Search(links).run(_ranked(colours), ())
    return Canonical(order, automorphisms)


def strand_order(
    colours: Sequence[Any], owners: Sequence[int], edges: Mapping[tuple[int, int, int], int]
) -> Canonical:
    """`canonical` for strands: `owners` says which strands make one vertex, `edges` counts the
    lines (start, end, field number) between strands. Lines from a strand to itself colour it."""
    links: list[dict[int, int]] = [{} for _ in colours]
    loops: list[list[tuple[int, int]]] = [[] for _ in colours]
    for (a, b, field), times in edges.items():
        if a == b:
            loops[a].append((field, times))
        else:
            links[a][b] = links[b][a] = links[a].get(b, 0) + (times << (1 + 6 * field))
    strands: dict[int, list[int]] = {}
    for node, owner in enumerate(owners):
        strands.setdefault(owner, []).append(node)
    for nodes in strands.values():
        for a, b in combinations(nodes, 2):
            links[a][b] = links[b][a] = links[a].get(b, 0) + 1
    for found in loops:
        found.sort()
    return canonical(list(zip(colours, map(tuple, loops), strict=True)), links)


def _ranked(values: Sequence[Any]) -> list[int]:
    rank = {value: place for place, value in enumerate(sorted(set(values)))}
    return [rank[value] for value in values]


class _Search:
    """One search; it remembers the automorphisms it met."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self.found: list[tuple[int, ...]] = []

    def run(
        self, colours: list[int], fixed: tuple[int, ...]
    ) -> tuple[Certificate, tuple[int, ...], int]:
        """Smallest certificate, its node order, and the automorphisms that fix `fixed`."""
        colours = self.refined(colours)
        cell = _first_smallest_class(colours)
        if not cell:
            return self.leaf(colours)
        seen: dict[int, tuple[Certificate, tuple[int, ...], int]] = {}
        for node in cell:
            orbit = self.orbits(fixed)
            if any(orbit[node] == orbit[other] for other in seen):
                continue
            split = [2 * colour for colour in colours]
            split[node] -= 1
            branch = self.run(_ranked(split), (*fixed, node))
            for other in seen.values():
                if other[0] == branch[0]:
                    self.remember(other[1], branch[1])
                    break
            seen[node] = branch
        best = min(seen, key=lambda node: seen[node][0])
        orbit = self.orbits(fixed)
        certificate, order, automorphisms = seen[best]
        size = sum(orbit[node] == orbit[best] for node in cell)
        return certificate, order, automorphisms * size

    def refined(self, colours: list[int]) -> list[int]:
        classes = len(set(colours))
        while classes < len(colours):
            seen = [
                (colours[node], sorted((kind, colours[other]) for other, kind in links.items()))
                for node, links in enumerate(self.links)
            ]
            colours = _ranked([(colour, tuple(around)) for colour, around in seen])
            before, classes = classes, len(set(colours))
            if classes == before:
                break
        return colours

    def leaf(self, colours: list[int]) -> tuple[Certificate, tuple[int, ...], int]:
        order = tuple(sorted(range(len(colours)), key=colours.__getitem__))
        certificate = tuple(
            tuple(sorted((colours[other], kind) for other, kind in self.links[node].items()))
            for node in order
        )
        return certificate, order, 1

    def remember(self, one: tuple[int, ...], other: tuple[int, ...]) -> None:
        image = [0] * len(one)
        for a, b in zip(one, other, strict=True):
            image[a] = b
        self.found.append(tuple(image))

    def orbits(self, fixed: tuple[int, ...]) -> list[int]:
        """Each node's orbit, named by a member, under what is known to fix `fixed`."""
        name = list(range(len(self.links)))
        for image in self.found:
            if all(image[node] == node for node in fixed):
                for a, b in enumerate(image):
                    if name[a] != name[b]:
                        old, new = name[a], name[b]
                        name = [new if other == old else other for other in name]
        return name


def _first_smallest_class(colours: list[int]) -> list[int]:
    """The nodes of the smallest class of several nodes, the lowest colour first."""
    classes: dict[int, list[int]] = {}
    for node, colour in enumerate(colours):
        classes.setdefault(colour, []).append(node)
    several = [(len(nodes), colour) for colour, nodes in classes.items() if len(nodes) > 1]
    return classes[min(several)[1]] if several else []
