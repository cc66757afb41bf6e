r"""Ultraviolet power counting: the superficial degree, divergent subdiagrams and their forests.

With propagators k^-power and vertices without derivatives, a diagram of I internal lines and L
loops in d dimensions grows at large loop momenta as its superficial degree of divergence

.. math::  \omega = d \, L - \text{power} \cdot I .

A subdiagram is a set of internal lines, as in the theorem of Bogoliubov, Parasiuk, Hepp and
Zimmermann: two choices of lines between the same vertices are two subdiagrams. *Proper* ones are
connected, 1PI (no single line of theirs disconnects them) and have at least one loop.

A diagram is given by plain data: the number of vertices and the lines, pairs (a, b) of vertices
0, 1, ... and external legs -1, -2, ...; a line is named by its position among all lines.

Sources: S. Weinberg, Phys. Rev. 118, 838 (1960); W. Zimmermann, Commun. Math. Phys. 15, 208 (1969);
J. C. Collins, Renormalization (Cambridge University Press, 1984), chapter 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import sympy as sp

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.engine.topology import Line, marks

Forest = tuple["Subdiagram", ...]


class Subdiagram(NamedTuple):
    """A connected 1PI part of a diagram: the positions of its lines, and its loops."""

    lines: frozenset[int]
    loops: int

    def superficial_degree(self, dimension: Any, power: Any = 2) -> Any:
        """Its superficial degree of divergence.

        >>> Subdiagram(frozenset([0, 1]), loops=1).superficial_degree(4)
        0
        """
        return superficial_degree(dimension, self.loops, len(self.lines), power)


def superficial_degree(dimension: Any, loops: int, lines: int, power: Any = 2) -> Any:
    """The superficial degree of divergence, dimension * loops - power * lines.

    dimension   of momentum space: a whole number, a Fraction or a SymPy expression.
    loops       independent loops.
    lines       internal lines; external ones are stubs without propagator.
    power       propagators fall off as k^-power: 2 for phi, 4 for a k^4 kinetic term.

    Zero is a logarithmic divergence, 2 a quadratic one. Raises InvalidInput for a float.

    >>> superficial_degree(4, loops=2, lines=3)      # the sunset of phi^4
    2
    >>> superficial_degree(4 - 2 * sp.Symbol("epsilon"), loops=1, lines=2)
    -2*epsilon
    """
    dimension, power = _exact("dimension", dimension), _exact("power", power)
    found = dimension * count("loops", loops) - power * count("lines", lines)
    return sp.expand(found) if isinstance(found, sp.Expr) else found


def _exact(name: str, value: Any) -> Any:
    """`value`, a whole number, a Fraction or a SymPy expression."""
    plain = isinstance(value, int | Fraction) and not isinstance(value, bool)
    if plain or (isinstance(value, sp.Expr) and not value.has(sp.Float)):
        return value
    raise InvalidInput(
        f"{name} = {value!r}: give a whole number, a Fraction or a SymPy expression (floats are "
        "not exact)"
    )


def _known(name: str, value: Any) -> Any:
    """`value`, exact and a real number."""
    clean = _exact(name, value)
    if isinstance(clean, sp.Expr) and not (clean.is_number and clean.is_real):
        raise InvalidInput(
            f"{name} = {value}: whether a subdiagram diverges is known for real numbers only; give "
            "one, such as the whole number that the theory is expanded about"
        )
    return clean


def subdiagrams(vertices: int, lines: Sequence[Line]) -> tuple[Subdiagram, ...]:
    """All proper subdiagrams: connected 1PI sets of internal lines with at least one loop, the set
    of all internal lines left out. In the order of their loops, then of their lines.

    The sunset, lines 1, 2, 3 between two vertices, has three one-loop subdiagrams:

    >>> [sorted(sub.lines) for sub in subdiagrams(2, [(-1, 0), (0, 1), (0, 1), (0, 1), (1, -2)])]
    [[1, 2], [1, 3], [2, 3]]
    """
    everything = frozenset(n for n, (a, b) in enumerate(lines) if a >= 0 <= b)
    found = sorted(_irreducible(vertices, lines), key=lambda sub: (sub.loops, sorted(sub.lines)))
    return tuple(sub for sub in found if sub.lines != everything)


def divergent_subdiagrams(
    vertices: int, lines: Sequence[Line], dimension: Any, power: Any = 2
) -> tuple[Subdiagram, ...]:
    """The proper subdiagrams whose superficial degree is zero or more, in the order of
    `subdiagrams`. With none of them a diagram converges if its own degree is negative.

    Raises InvalidInput when dimension or power is not a real number.

    >>> sunset = [(-1, 0), (0, 1), (0, 1), (0, 1), (1, -2)]
    >>> len(divergent_subdiagrams(2, sunset, 4)), len(divergent_subdiagrams(2, sunset, 3))
    (3, 0)
    """
    dimension, power = _known("dimension", dimension), _known("power", power)
    return tuple(
        sub for sub in subdiagrams(vertices, lines) if sub.superficial_degree(dimension, power) >= 0
    )


def forests(lines: Sequence[Line], subdiagrams: Sequence[Subdiagram]) -> Iterator[Forest]:
    """Every forest: a set of these subdiagrams of which any two are nested or disjoint, that is,
    one has all lines of the other, or they have no vertex in common. The empty one comes first.

    Zimmermann's forest formula sums over them, with a factor 1 - t for the whole diagram if that
    diverges itself.

    >>> sunset = [(-1, 0), (0, 1), (0, 1), (0, 1), (1, -2)]
    >>> parts = divergent_subdiagrams(2, sunset, 4)
    >>> [len(forest) for forest in forests(sunset, parts)]     # they overlap: one at a time
    [0, 1, 1, 1]
    """
    touched = [frozenset(v for n in sub.lines for v in lines[n]) for sub in subdiagrams]

    def fit(one: int, other: int) -> bool:
        small, large = subdiagrams[one].lines, subdiagrams[other].lines
        nested = small <= large or large <= small
        return nested or not touched[one] & touched[other]

    friends = [
        [other for other in range(one + 1, len(subdiagrams)) if fit(one, other)]
        for one in range(len(subdiagrams))
    ]

    def grown(forest: Forest, candidates: list[int]) -> Iterator[Forest]:
        yield forest
        for n in candidates:
            rest = [other for other in friends[n] if other in candidates]
            yield from grown((*forest, subdiagrams[n]), rest)

    yield from grown((), list(range(len(subdiagrams))))


def _irreducible(vertices: int, lines: Sequence[Line]) -> Iterator[Subdiagram]:
    """Every connected 1PI set of internal lines with a loop, the largest first.

    Such a set, unless it is a whole 1PI piece, can be given one more loop: some path leaves it and
    comes back to it. So it is found among the larger ones by taking out one line, and with it all
    lines that then lie on no loop. In marks (`topology.marks`): the momentum through the line is
    set to zero by adding its mark to every mark that has its lowest bit, and what has mark 0 then
    is out.
    """
    start = {n: mark for n, mark in enumerate(marks(vertices, lines)) if mark}
    level = {frozenset(part): part for part in _parts(start, lines)}
    loops = {found: _loops(found, lines) for found in level}
    while level:
        smaller: dict[frozenset[int], dict[int, int]] = {}
        for found, part in level.items():
            yield Subdiagram(found, loops[found])
            for mark in set(part.values()):
                lowest = mark & -mark
                left = {n: m ^ mark if m & lowest else m for n, m in part.items()}
                left = {n: m for n, m in left.items() if m}
                if left and frozenset(left) not in smaller and len(_parts(left, lines)) == 1:
                    smaller[frozenset(left)] = left
                    loops[frozenset(left)] = loops[found] - 1
        level = smaller


def _loops(found: frozenset[int], lines: Sequence[Line]) -> int:
    """The independent loops of a connected set of lines."""
    return len(found) - len({vertex for n in found for vertex in lines[n]}) + 1


def _parts(part: dict[int, int], lines: Sequence[Line]) -> list[dict[int, int]]:
    """The connected parts of a set of lines."""
    groups: list[tuple[int, dict[int, int]]] = []  # the vertices as a bit mask, and the lines
    for n, mark in part.items():
        a, b = lines[n]
        mask, merged = 1 << a | 1 << b, {n: mark}
        rest = []
        for group in groups:
            if group[0] & mask:
                mask, merged = mask | group[0], group[1] | merged
            else:
                rest.append(group)
        groups = [*rest, (mask, merged)]
    return [group for _, group in groups]
