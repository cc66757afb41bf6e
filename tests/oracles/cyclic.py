"""Graphs of two-point functions on a ring of n points, by brute force and in Fractions.

The ring is a homogeneous space: f(x, y) = f(x - y). A graph is a list of (place, place, values),
one even function a line; its value is the average over all placements of the product of its lines.
"""

from fractions import Fraction
from itertools import product
from math import prod


def average(points, lines, places, fixed=()):
    """The average over `places` of the product; `fixed` places are given as pairs."""
    places = sorted(places)
    total = Fraction(0)
    for where in product(range(points), repeat=len(places)):
        at = dict(zip(places, where, strict=True)) | dict(fixed)
        total += prod(values[(at[a] - at[b]) % points] for a, b, values in lines)
    return total / points ** len(places)


def has_four_joined(lines):
    """Whether four disjoint connected sets of places are joined each with each: such a graph, and
    no other, is not series-parallel. All assignments of places to sets are tried."""
    nodes = sorted({end for line in lines for end in line[:2]})
    pairs = {frozenset(line[:2]) for line in lines if line[0] != line[1]}
    for sets in product(range(5), repeat=len(nodes)):
        four = [[n for n, s in zip(nodes, sets, strict=True) if s == k] for k in range(4)]
        whole = all(_connected(members, pairs) for members in four)
        if whole and all(_joined(four[i], four[k], pairs) for i in range(4) for k in range(i)):
            return True
    return False


def _connected(members, pairs):
    if not members:
        return False
    seen, fresh = {members[0]}, [members[0]]
    while fresh:
        node = fresh.pop()
        near = {m for m in members if frozenset((m, node)) in pairs} - seen
        seen |= near
        fresh += near
    return len(seen) == len(members)


def _joined(some, others, pairs):
    return any(frozenset((a, b)) in pairs for a in some for b in others)
