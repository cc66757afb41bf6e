"""One block of a diagram on a circle: who stands on it, in which order, and where the rest goes.

As many vertices as a planar drawing allows stand on the circle. A vertex inside begins in the
middle of its neighbours and of the faces around it, each face in the middle of its corners: with
the corners on the circle held fixed, this barycentric drawing of a triangulation has no crossing
(W. T. Tutte, How to draw a graph, Proc. London Math. Soc. 13 (1963) 743). From there it walks
away from whatever is too near. Where no planar drawing has the needed vertices outside, all stand
on the circle in an order with few crossings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import gcd, inf
from typing import TYPE_CHECKING, NamedTuple, cast

from fieldtheory.theory.drawing.curves import nearest

if TYPE_CHECKING:
    import networkx as nx

HUB = -1  # joined to every vertex on the circle
SWEEPS, TRIES = 10, 4  # of the walk downhill
PULL = 12.0  # of a line on its ends, against the push between strangers
TINY = 1e-9
STARTS = (1, 3, 7)  # strides of the orders from which crossings are reduced

Lines = Mapping[tuple[int, int], int]
Segment = tuple[complex, complex]


class Ring(NamedTuple):
    """`outer` in the order round the circle; `inner` the others; `faces` the faces inside."""

    outer: tuple[int, ...]
    inner: tuple[int, ...] = ()
    faces: tuple[tuple[int, ...], ...] = ()


def ring(lines: Lines, needed: Sequence[int], busy: Sequence[int] = ()) -> Ring:
    """The order round the circle of a block in which no vertex holds the others together.

    lines   how many lines join each pair of its vertices.
    needed  vertices that must be on the circle, the first as the first.
    busy    vertices that are better on it than others, since something hangs on them.

    >>> mercedes = {(0, 1): 1, (0, 2): 1, (0, 3): 1, (1, 2): 1, (1, 3): 1, (2, 3): 1}
    >>> ring(mercedes, [2, 3]).inner
    (1,)
    """
    import networkx

    first = rim(lines, needed[0], busy) if len(needed) == 1 else ()
    others = sorted({v for ab in lines for v in ab} - {*needed, *busy, *first})
    wanted = list(dict.fromkeys((*needed, *first, *busy, *others)))
    graph: nx.Graph[int] = networkx.Graph(list(lines))
    embedding: nx.PlanarEmbedding[int] | None = None
    outside: set[int] = set()
    for number, vertex in enumerate(wanted):
        graph.add_edge(HUB, vertex)
        if (found := _embedded(graph)) is not None:
            embedding = found
            outside.add(vertex)
        elif number < len(needed):
            break
        else:
            graph.remove_edge(HUB, vertex)
    if embedding is None or not outside.issuperset(needed):
        return Ring(_rotated(_circular(lines, wanted, len(needed)), needed[0]))
    outer = _rotated(tuple(embedding.neighbors_cw_order(HUB)), needed[0])
    return Ring(outer, tuple(v for v in wanted if v not in outside), _faces(embedding))


def rim(lines: Lines, through: int | None = None, busy: Iterable[int] = ()) -> tuple[int, ...]:
    """The face of a planar drawing with most vertices, busy ones counting three times; all
    vertices when there is no such drawing."""
    import networkx

    embedding = _embedded(networkx.Graph(list(lines)))
    if embedding is None:
        return tuple(sorted({v for ab in lines for v in ab}))
    heavy = set(busy)
    faces = [face for face in _faces(embedding) if through is None or through in face]
    return max(faces, key=lambda face: len(face) + 2 * len(heavy.intersection(face)))


def _embedded(graph: nx.Graph[int]) -> nx.PlanarEmbedding[int] | None:
    """The lines around each vertex in the order of a planar drawing, if there is one."""
    import networkx

    planar, embedding = networkx.check_planarity(graph)
    return cast("nx.PlanarEmbedding[int]", embedding) if planar else None


def _faces(embedding: nx.PlanarEmbedding[int]) -> tuple[tuple[int, ...], ...]:
    seen: set[tuple[int, int]] = set()
    faces = [
        tuple(embedding.traverse_face(a, b, seen))
        for a, b in sorted(embedding.edges)
        if (a, b) not in seen
    ]
    return tuple(face for face in faces if HUB not in face)


def _rotated(order: tuple[int, ...], first: int) -> tuple[int, ...]:
    start = order.index(first)
    return order[start:] + order[:start]


# -- on the circle --------------------------------------------------------------------------------


def crossings(order: Sequence[int], lines: Lines) -> int:
    """How many pairs of chords cross when the vertices stand on a circle in that order.

    >>> crossings([0, 1, 2, 3], {(0, 2): 1, (1, 3): 2, (0, 1): 1})
    2
    """
    place = {v: n for n, v in enumerate(order)}
    chords = [(*sorted((place[a], place[b])), times) for (a, b), times in lines.items()]
    return sum(
        m * n for (a, b, m), (c, d, n) in combinations(chords, 2) if a < c < b < d or c < a < d < b
    )


def _circular(lines: Lines, wanted: Sequence[int], needed: int) -> tuple[int, ...]:
    """An order with few crossings and few gaps: from several starts every vertex is moved to its
    best place until none gains."""
    count = len(wanted)

    def cost(order: Sequence[int]) -> tuple[float, int]:
        place = {v: n for n, v in enumerate(order)}
        steps = [abs(place[a] - place[b]) for a, b in lines]
        gaps = count - sum(step in (1, count - 1) for step in steps)
        # two needed vertices stand opposite each other: not all the others on one side
        one_sided = abs(2 * ((place[wanted[1]] - place[wanted[0]]) % count) - count)
        uneven = max(0, one_sided - 2) / 2 if needed == 2 else 0
        chords = sum(min(step, count - step) for step in steps)
        return crossings(order, lines) + gaps + uneven, chords

    found = []
    for stride in STARTS:
        if gcd(stride, count) == 1:
            order = [wanted[n * stride % count] for n in range(count)]
            lowest, improved = cost(order), True
            while improved:
                improved = False
                for vertex in wanted:
                    rest = [v for v in order if v != vertex]
                    tries = [[*rest[:n], vertex, *rest[n:]] for n in range(count)]
                    least, best = min((cost(trial), n) for n, trial in enumerate(tries))
                    if least < lowest:
                        lowest, order, improved = least, tries[best], True
            found.append((lowest, order))
    return tuple(min(found)[1])


# -- inside the circle ----------------------------------------------------------------------------


def inside(lines: Lines, found: Ring, fixed: Mapping[int, complex]) -> dict[int, complex]:
    """Barycentric places of the vertices inside, those of the circle being fixed."""
    unknown = [*found.inner, *range(-2, -2 - len(found.faces), -1)]
    row = {node: n for n, node in enumerate(unknown)}
    springs = [*lines, *((-2 - n, c) for n, face in enumerate(found.faces) for c in face)]
    matrix = [[0.0] * len(row) for _ in row]
    right = [0j] * len(row)
    for a, b in springs:
        for here, there in ((a, b), (b, a)):
            if here in row:
                matrix[row[here]][row[here]] += 1
                if there in row:
                    matrix[row[here]][row[there]] -= 1
                else:
                    right[row[here]] += fixed[there]
    solution = _solved(matrix, right)
    return {vertex: solution[row[vertex]] for vertex in found.inner}


def _solved(matrix: list[list[float]], right: list[complex]) -> list[complex]:
    """Gauss elimination; the matrix is diagonally dominant, so no pivot is sought."""
    size = len(right)
    for k in range(size):
        for i in range(k + 1, size):
            factor = matrix[i][k] / matrix[k][k]
            if factor:
                for j in range(k, size):
                    matrix[i][j] -= factor * matrix[k][j]
                right[i] -= factor * right[k]
    solution = [0j] * size
    for k in reversed(range(size)):
        rest = sum((matrix[k][j] * solution[j] for j in range(k + 1, size)), 0j)
        solution[k] = (right[k] - rest) / matrix[k][k]
    return solution


def relaxed(
    lines: Lines, places: Mapping[int, complex], free: Sequence[int], walls: Sequence[Segment]
) -> dict[int, complex]:
    """Places in which the free vertices keep clear of each other and of lines they do not end on.

    Each in turn walks downhill in the sum of 1/distance^2 between vertices and between vertices
    and foreign lines, with a weak spring along each line; a step is shorter than the distances
    that it changes, so that no vertex ever crosses a line.

    lines   how many straight lines join each pair with a free vertex.
    walls   pieces of the fixed lines.

    >>> found = relaxed({(0, 2): 1, (1, 2): 1}, {0: -1, 1: 1, 2: 0.5}, [2], [(-1j, 1 - 1j)])
    >>> abs(found[2]) < 0.4
    True
    """
    found = dict(places)
    corners = [z for wall in walls for z in wall]
    pull = PULL / max(abs(a - b) / 2 for a in corners for b in corners) ** 4
    around = {v: [a + b - v for a, b in lines if v in (a, b)] for v in free}
    for _ in range(SWEEPS):
        for vertex in free:
            fixed = [*walls, *((found[a], found[b]) for a, b in lines if vertex not in (a, b))]
            here = found.pop(vertex)
            ends = {k: found[k] for k in around[vertex]}
            energy, force, least = _energy(here, (ends, found, fixed), pull)
            step, best = 0.4 * least, here
            for _ in range(TRIES):
                there = here + step * force / (abs(force) or 1.0)
                if _energy(there, (ends, found, fixed), pull)[0] < energy:
                    best = there
                    break
                step /= 2.5
            found[vertex] = best
    return found


def _energy(
    here: complex,
    rest: tuple[Mapping[int, complex], Mapping[int, complex], Sequence[Segment]],
    pull: float,
) -> tuple[float, complex, float]:
    """The energy of a vertex at `here`, the force on it, and the smallest distance that counts.

    rest    the ends of its lines, all other vertices, the lines of others.
    """
    ends, others, fixed = rest
    pushes = [(here - z, 1.0) for z in others.values()]
    pushes += [(here - nearest(here, a, b)[0], 1.0) for a, b in fixed]
    energy, force = 0.0, 0j
    for k, end in ends.items():
        energy += pull * abs(end - here) ** 2
        force += 2 * pull * (end - here)
        for j, z in others.items():
            if j != k:
                foot, part = nearest(z, here, end)
                pushes.append((foot - z, 1 - part))
    least = inf
    for distance, share in pushes:
        size = abs(distance) or TINY
        energy += size**-2
        force += 2 * share * distance / size**4
        least = min(least, size)
    return energy, force, least
