"""Wick's theorem by brute force: every pairing of numbered legs, grouped by trying every renaming.

An end is (place, leg) with place (vertex, strand) or (LEG, number), an item of a picture a pair
of ends. `lines` lists the pairs of legs that have a propagator; without it, equal legs have. Slow
and obvious; nothing here is shared with the engine.
"""

from collections import Counter
from fractions import Fraction
from itertools import permutations, product
from math import factorial

LEG = -1  # in the place of a vertex


def pairings(ends, lines=None):
    """All ways to join legs that have a propagator in pairs."""
    if not ends:
        yield ()
        return
    (place, leg), rest = ends[0], ends[1:]
    for n, (_, other) in enumerate(rest):
        if leg == other if lines is None else (leg, other) in lines or (other, leg) in lines:
            for more in pairings(rest[:n] + rest[n + 1 :], lines):
                yield (((place, leg), rest[n]), *more)


def picture(edges):
    """Edges without order, each with its ends in one order."""
    return tuple(sorted(tuple(sorted(edge)) for edge in edges))


def renamings(vertices):
    """Every permutation of equal vertices and, inside each, of equal strands."""
    places = [(v, s) for v, strands in enumerate(vertices) for s in range(len(strands))]
    for order in permutations(range(len(vertices))):
        if any(vertices[v] != vertices[order[v]] for v in range(len(vertices))):
            continue
        inner = [
            [
                p
                for p in permutations(range(len(strands)))
                if all(strands[s] == strands[p[s]] for s in range(len(strands)))
            ]
            for strands in vertices
        ]
        for choice in product(*inner):
            yield {(v, s): (order[v], choice[v][s]) for v, s in places}


def copies(edges, vertices):
    """All renamed copies of a picture; the smallest of them is the name of its class."""
    return {
        picture([(new.get(place, place), leg) for place, leg in edge] for edge in edges)
        for new in renamings(vertices)
    }


def classes(vertices, legs, background=(), lines=None):
    """{name of the class: symmetry} for vertices given as tuples of strands of leg names."""
    ends = [((LEG, n), name) for n, name in enumerate(legs) if name not in background]
    ends += [
        ((v, s), name)
        for v, strands in enumerate(vertices)
        for s, strand in enumerate(strands)
        for name in strand
        if name not in background
    ]
    raw = Counter(picture(edges) for edges in pairings(ends, lines))
    ways = Counter()
    for edges in list(raw):
        if edges in raw:
            alike = copies(edges, vertices)
            ways[min(alike)] += sum(raw.pop(other, 0) for other in alike)
    group = 1
    for strands, times in Counter(vertices).items():
        group *= factorial(times) * leg_permutations(strands) ** times
    found = {name: Fraction(group, times) for name, times in ways.items()}
    assert all(symmetry.denominator == 1 for symmetry in found.values())
    return {name: int(symmetry) for name, symmetry in found.items()}


def leg_permutations(strands):
    """Permutations of the legs of one vertex that keep its strands: by trying all strand orders."""
    kept = sum(
        all(strands[s] == strands[p[s]] for s in range(len(strands)))
        for p in permutations(range(len(strands)))
    )
    for strand in strands:
        for name in set(strand):
            kept *= factorial(strand.count(name))
    return kept


def of_diagram(diagram):
    """The name of the class a Diagram value belongs to, vertices sorted as `classes` gets them."""
    sizes = [vertex.strands for vertex in diagram.vertices]
    order = sorted(range(len(sizes)), key=lambda v: sizes[v])
    rank = {v: place for place, v in enumerate(order)}
    flat = [(rank[v], s) for v, strands in enumerate(sizes) for s in range(len(strands))]
    end = [lambda n: (LEG, -n - 1), lambda n: flat[n]]
    edges = []
    for a, b, name in diagram.edges:
        here, there, _ = diagram.line(name)
        edges.append(((end[a >= 0](a), here), (end[b >= 0](b), there)))
    return min(copies(edges, [sizes[v] for v in order]))
