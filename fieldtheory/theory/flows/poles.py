r"""Pole parts of the diagrams of phi^4 theory in d = 4 - eps, through three loops: quoted laws.

KR'(graph) is the pole part in eps of a massless diagram once its subdivergences are subtracted. A
diagram that diverges logarithmically has a KR' that knows neither momenta nor masses, so the graph
of its inner lines is all that matters; of the self-energies the coefficient of p^2 is listed.
The unit of each loop is 1/(8 pi^2):

.. math::  \int \frac{d^dk}{(2\pi)^d} \to \frac{1}{8\pi^2} \int\!, \qquad
           K \text{ of the bubble } = \frac1\varepsilon

Massless tadpoles have no scale and vanish; a mass is an insertion, a vertex of two legs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations
from types import MappingProxyType
from typing import Any

import sympy as sp

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.ground.law import Law, Reference

Graph = tuple[tuple[int, int], ...]

eps = sp.Symbol("eps")
KLEINERT = Reference(
    "Kleinert and Schulte-Frohlinde, Critical Properties of phi^4-Theories, World Scientific 2001",
    "https://doi.org/10.1142/4733",
    "pole terms of the diagrams, there per 1/(4 pi)^2",
)


@dataclass(frozen=True, eq=False)
class Pole:
    """KR' of one graph of inner lines, pairs of vertices 0, 1, ..."""

    graph: Graph
    law: Law

    @property
    def loops(self) -> int:
        """Lines - vertices + 1."""
        return len(self.graph) - max(map(max, self.graph))

    def __str__(self) -> str:
        return f"{self.law.statement}   {self.law.name}"


def canonical(lines: Iterable[tuple[int, int]]) -> Graph:
    """The smallest way to number the vertices of a small graph.

    >>> canonical([(2, 0), (0, 2), (1, 0)])
    ((0, 1), (0, 1), (0, 2))
    """
    lines = tuple(lines)
    nodes = sorted({node for line in lines for node in line})
    return min(
        tuple(sorted((min(new[a], new[b]), max(new[a], new[b])) for a, b in lines))
        for image in permutations(range(len(nodes)))
        for new in [dict(zip(nodes, image, strict=True))]
    )


def _pole(name: str, lines: str, write: Callable[[], Any], quadratic: bool = False) -> Pole:
    """The lines are spelt "01 01 02"."""
    graph = canonical((int(pair[0]), int(pair[1])) for pair in lines.split())
    part = "coefficient of p^2 in the pole part" if quadratic else "pole part"
    law = Law(
        name,
        write,
        {"eps": "4 - d"},
        f"{part} of the massless graph {lines}, subdivergences subtracted, 1/(8 pi^2) per loop",
        KLEINERT,
    )
    return Pole(graph, law)


POLES = (
    _pole("bubble", "01 01", lambda: 1 / eps),
    _pole("sunset", "01 01 01", lambda: -1 / (8 * eps), quadratic=True),
    _pole("chain of two bubbles", "01 01 12 12", lambda: -1 / eps**2),
    _pole("eye", "01 01 02 12", lambda: -1 / (2 * eps**2) + 1 / (4 * eps)),
    _pole(
        "sunset with a dressed vertex",
        "01 01 02 02 12",
        lambda: 1 / (12 * eps**2) - 1 / (48 * eps),
        quadratic=True,
    ),
    _pole("chain of three bubbles", "01 01 12 12 23 23", lambda: 1 / eps**3),
    _pole(
        "bubble and eye in a chain",
        "01 01 02 03 23 23",
        lambda: 1 / (2 * eps**3) - 1 / (4 * eps**2),
    ),
    _pole(
        "eye in an eye",
        "01 01 02 03 12 23",
        lambda: 1 / (6 * eps**3) - 1 / (4 * eps**2) + 1 / (6 * eps),
    ),
    _pole(
        "eye with two pupils",
        "01 01 02 03 12 13",
        lambda: 1 / (3 * eps**3) - 1 / (3 * eps**2) + 1 / (12 * eps),
    ),
    _pole(
        "eye with a chain of bubbles",
        "01 01 02 02 13 23",
        lambda: 1 / (3 * eps**3) - 1 / (6 * eps**2) - 1 / (12 * eps),
    ),
    _pole(
        "square of two bubbles",
        "01 01 02 13 23 23",
        lambda: 1 / (3 * eps**3) - 1 / (6 * eps**2) - 1 / (12 * eps),
    ),
    _pole("sunset in a bubble", "01 01 01 02 13 23", lambda: 1 / (12 * eps**2) - 3 / (32 * eps)),
    _pole("tetrahedron", "01 02 03 12 13 23", lambda: sp.zeta(3) / (2 * eps)),
)
HIGHEST = max(pole.loops for pole in POLES)
TABLE: Mapping[Graph, Pole] = MappingProxyType({pole.graph: pole for pole in POLES})


def pole(lines: Iterable[tuple[int, int]]) -> Pole:
    """The pole part of the graph with these inner lines.

    Raises OutOfRegime for a graph that is not in the table.

    >>> print(pole([(5, 7), (7, 5)]))
    1/eps   bubble
    """
    graph = canonical(lines)
    if graph not in TABLE:
        raise OutOfRegime(
            f"no pole part of the graph {graph} is tabulated: the table holds phi^4 graphs without "
            f"lines from a vertex to itself, through {HIGHEST} loops; add a Pole to POLES"
        )
    return TABLE[graph]
