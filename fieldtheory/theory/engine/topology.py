"""What a diagram looks like, its fields forgotten: connection, irreducibility, tadpoles.

A diagram is given by plain data: the number of `vertices` (0, 1, ...), the number of external
`legs` (-1, -2, ...) and its `lines`, pairs (a, b) of these numbers. A line between two vertices is
*internal*, also when a = b (a self-loop); a line that ends on a leg is a stub and is never cut. A
leg without line (of a background field) is a piece of its own. Nothing is checked: these are inner
loops, `Diagram` has checked its lines.

All of it rests on one number per internal line, its *mark*: bit c says whether the line lies on
independent loop c, that is, whether loop momentum c runs through it. Momentum conservation then
says which cuts disconnect: a line with mark 0 alone (a bridge), two lines exactly when their marks
are equal. Lines parallel to another one and self-loops have marks of their own: no bridges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

Line = tuple[int, int]


def pieces(nodes: Iterable[int], pairs: Iterable[Line]) -> tuple[frozenset[int], ...]:
    """The connected pieces of a graph.

    >>> pieces([0, 1, 2], [(0, 2)])
    (frozenset({0, 2}), frozenset({1}))
    """
    found = {node: {node} for node in nodes}
    for a, b in pairs:
        if found[a] is not found[b]:
            found[a] |= found[b]
            for node in found[b]:
                found[node] = found[a]
    unique = {id(piece): frozenset(piece) for piece in found.values()}
    return tuple(unique.values())


def bridges(nodes: int, pairs: Iterable[Line]) -> Iterator[int]:
    """One side, as a bit mask of nodes, of every line whose removal disconnects the graph.

    >>> [bin(side) for side in bridges(3, [(0, 1), (0, 1), (1, 2)])]
    ['0b100']
    """
    forest = _Forest.of(nodes, list(pairs))
    below = [1 << node for node in range(nodes)]
    for node, parent in forest.upwards():
        below[parent] |= below[node]
        if not forest.marks[forest.via[node]]:
            yield below[node]


def marks(vertices: int, lines: Sequence[Line]) -> list[int]:
    """The mark of each line: bit c is set where independent loop c runs through it. There are as
    many bits as loops; lines that end on legs, and bridges, have mark 0.

    >>> marks(2, [(-1, 0), (0, 1), (0, 1), (0, 1), (1, -2)])
    [0, 3, 1, 2, 0]
    """
    inner = [n for n, (a, b) in enumerate(lines) if a >= 0 <= b]
    found = [0] * len(lines)
    forest = _Forest.of(vertices, [lines[n] for n in inner])
    for n, mark in zip(inner, forest.marks, strict=True):
        found[n] = mark
    return found


def is_connected(vertices: int, legs: int, lines: Iterable[Line]) -> bool:
    """In one piece, legs included; the empty diagram is not.

    >>> is_connected(1, 2, [(-1, 0), (-2, 0), (0, 0)]), is_connected(1, 2, [(-1, -2), (0, 0)])
    (True, False)
    """
    nodes = vertices + legs
    near = [0] * nodes  # legs -1, -2, ... take the places from the end
    for a, b in lines:
        near[a] |= 1 << b % nodes
        near[b] |= 1 << a % nodes
    seen, fresh = 1, nodes and near[0] & ~1
    while fresh:
        seen |= fresh
        found = 0
        while fresh:
            lowest = fresh & -fresh
            found |= near[lowest.bit_length() - 1]
            fresh ^= lowest
        fresh = found & ~seen
    return seen == (1 << nodes) - 1


def is_one_particle_irreducible(vertices: int, legs: int, lines: Iterable[Line]) -> bool:
    """Connected, at least one vertex, and no single internal line whose cut disconnects it (1PI).
    A single vertex is, with or without self-loops; a bare line is not. qgraf calls it `onepi`.

    >>> is_one_particle_irreducible(2, 2, [(-1, 0), (0, 1), (0, 1), (1, -2)])
    True
    """
    inner, stubs = _sorted_out(lines)
    forest = _Forest.of(vertices, inner)
    return forest.is_tree and len(stubs) == legs and 0 not in forest.marks


def is_two_particle_irreducible(vertices: int, legs: int, lines: Iterable[Line]) -> bool:
    """1PI, and no two internal lines whose cut, both at once, disconnects it (2PI).

    Without legs these are the diagrams of the 2PI effective action: no line of theirs carries a
    self-energy. With legs it is irreducibility in every channel, and a vertex that its legs leave
    with two lines can be cut off: no cubic diagram with legs and loops is 2PI. Nothing disconnects
    at a self-loop.

    >>> is_two_particle_irreducible(2, 2, [(-1, 0), (0, 1), (0, 1), (0, 1), (1, -2)])
    True
    >>> is_two_particle_irreducible(2, 2, [(-1, 0), (-2, 0), (0, 1), (0, 1), (1, 1)])
    False

    Source: J. M. Cornwall, R. Jackiw, E. Tomboulis, Phys. Rev. D 10, 2428 (1974).
    """
    inner, stubs = _sorted_out(lines)
    forest = _Forest.of(vertices, inner)
    if not forest.is_tree or len(stubs) != legs or 0 in forest.marks:
        return False
    return len(set(forest.marks)) == len(inner)


def has_self_loop(vertices: int, legs: int, lines: Iterable[Line]) -> bool:
    """Whether some line begins and ends on one vertex. qgraf's `nosnail` leaves these diagrams out,
    and those that have a tadpole as well.

    >>> has_self_loop(1, 2, [(-1, 0), (-2, 0), (0, 0)])
    True
    """
    return any(a == b for a, b in lines)


def has_tadpole(vertices: int, legs: int, lines: Iterable[Line]) -> bool:
    """Whether cutting some single internal line splits off a part without external legs.

    In a piece without external legs every bridge does. The line carries no momentum, whatever the
    legs carry. A self-loop is no tadpole in this sense, whatever the name of the one-loop
    self-energy of phi^4: see `has_self_loop`. It is what qgraf's `notadpole` leaves out.

    >>> has_tadpole(2, 2, [(-1, 0), (-2, 0), (0, 1), (1, 1)])
    True
    >>> has_tadpole(1, 2, [(-1, 0), (-2, 0), (0, 0)])
    False

    Source: P. Nogueira, J. Comput. Phys. 105, 279 (1993), and the options of his qgraf.
    """
    return any(one == 0 or other == 0 for one, other in separated_legs(vertices, lines))


def has_leg_insertion(vertices: int, legs: int, lines: Iterable[Line]) -> bool:
    """Whether some external leg carries a self-energy: cutting some single internal line separates
    exactly one external leg from all others, of which there is at least one. Diagrams without are
    *amputated*; qgraf calls them `onshell`.

    In a two-point function every internal line between the legs is such a line, as it separates
    one leg from the other: a chain of two self-energies has an insertion, and amputated
    diagrams are the 1PI ones and those whose only bridges lead to tadpoles. Legs are counted piece
    by piece; the only leg of a piece has nothing to be separated from (see `has_tadpole`).

    >>> fish = [(0, 1), (0, 1)]
    >>> has_leg_insertion(2, 2, [(-1, 0), *fish, (1, -2)])
    False
    >>> has_leg_insertion(4, 2, [(-1, 0), *fish, (1, 2), (2, 3), (2, 3), (3, -2)])
    True

    Source: P. Nogueira, J. Comput. Phys. 105, 279 (1993), and the options of his qgraf.
    """
    return any(min(sides) == 1 for sides in separated_legs(vertices, lines))


def separated_legs(vertices: int, lines: Iterable[Line]) -> Iterator[Line]:
    """For each internal line whose cut disconnects its piece, the external legs on either side.

    >>> list(separated_legs(2, [(-1, 0), (-2, 0), (0, 1), (-3, 1)]))
    [(1, 2)]
    """
    inner, stubs = _sorted_out(lines)
    forest = _Forest.of(vertices, inner)
    if 0 not in forest.marks:
        return
    below = [0] * vertices
    for vertex in stubs:
        below[vertex] += 1
    for node, parent in forest.upwards():
        below[parent] += below[node]
    for node, _ in forest.upwards():
        if not forest.marks[forest.via[node]]:
            yield below[node], below[forest.root[node]] - below[node]


def _sorted_out(lines: Iterable[Line]) -> tuple[list[Line], list[int]]:
    """The internal lines, and the vertex of each external leg that has one."""
    inner, stubs = [], []
    for a, b in lines:
        if a >= 0 <= b:
            inner.append((a, b))
        elif a >= 0 or b >= 0:
            stubs.append(a if a >= 0 else b)
    return inner, stubs


class _Forest(NamedTuple):
    """One spanning tree for each piece, and the marks of the lines with respect to it."""

    order: list[int]  # vertices, each after its parent
    parent: list[int]  # -1 for a root
    via: list[int]  # the line to the parent, -1 for a root
    root: list[int]
    marks: list[int]

    @classmethod
    def of(cls, vertices: int, lines: Sequence[Line]) -> _Forest:
        around: list[list[Line]] = [[] for _ in range(vertices)]
        for n, (a, b) in enumerate(lines):
            around[a].append((b, n))
            around[b].append((a, n))
        order: list[int] = []
        parent, via, root = [-1] * vertices, [-1] * vertices, [-1] * vertices
        for start in range(vertices):
            if root[start] < 0:
                root[start] = start
                reached = [start]
                for node in reached:  # grows while it is read
                    for other, n in around[node]:
                        if root[other] < 0:
                            root[other], parent[other], via[other] = start, node, n
                            reached.append(other)
                order += reached
        forest = cls(order, parent, via, root, [0] * len(lines))
        forest.mark(lines)
        return forest

    @property
    def is_tree(self) -> bool:
        """Whether there is exactly one piece."""
        return self.parent.count(-1) == 1

    def upwards(self) -> Iterator[tuple[int, int]]:
        """Every vertex that is no root with its parent, each after everything below it."""
        for node in reversed(self.order):
            if self.parent[node] >= 0:
                yield node, self.parent[node]

    def mark(self, lines: Sequence[Line]) -> None:
        """A line outside the trees closes a loop, which runs through the tree lines above just one
        of its ends."""
        tree = set(self.via)
        ends, bit = [0] * len(self.via), 1
        for n, (a, b) in enumerate(lines):
            if n not in tree:
                self.marks[n] = bit
                ends[a] ^= bit
                ends[b] ^= bit
                bit <<= 1
        for node, parent in self.upwards():
            self.marks[self.via[node]] = ends[node]
            ends[parent] ^= ends[node]
