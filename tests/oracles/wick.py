"""Wick's theorem by brute force: every pairing of numbered legs, grouped by trying every renaming.

An item of a picture is (end, end, field) with ends (vertex, strand) or ("leg", number). Slow and
obvious; nothing here is shared with the engine.
"""

from collections import Counter
from fractions import Fraction
from itertools import permutations, product
from math import factorial


def pairings(ends):
    """All ways to join equal fields in pairs; ends are (place, field)."""
    if not ends:
        yield ()
        return
    (place, field), rest = ends[0], ends[1:]
    for n, (other, its_field) in enumerate(rest):
        if its_field == field:
            for more in pairings(rest[:n] + rest[n + 1 :]):
                yield ((place, other, field), *more)


def picture(edges):
    """Edges without direction or order."""
    return tuple(sorted(((*sorted((a, b), key=str), f) for a, b, f in edges), key=str))


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


def smallest(edges, vertices):
    """One name for all renamed copies of a picture."""
    names = (
        picture((new.get(a, a), new.get(b, b), f) for a, b, f in edges)
        for new in renamings(vertices)
    )
    return min(names, key=str)


def classes(vertices, legs, background=()):
    """{name of the class: symmetry} for vertices given as tuples of strands of field names."""
    ends = [(("leg", n), name) for n, name in enumerate(legs)]
    ends += [
        ((v, s), name)
        for v, strands in enumerate(vertices)
        for s, strand in enumerate(strands)
        for name in strand
        if name not in background
    ]
    raw = Counter(picture(edges) for edges in pairings(ends))
    ways = Counter()
    for edges, times in raw.items():
        ways[smallest(edges, vertices)] += times
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
    end = [lambda n: ("leg", -n - 1), lambda n: flat[n]]
    edges = [(end[a >= 0](a), end[b >= 0](b), f) for a, b, f in diagram.edges]
    return smallest(edges, [sizes[v] for v in order])
