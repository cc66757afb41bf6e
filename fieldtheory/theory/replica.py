"""Replica strands: the polynomial in M of a diagram, and its limit M -> 0.

A propagator of an indexed field is diagonal, <phi_a phi_b> = delta_ab G, so strands joined by
propagators carry one index. An index that reaches an external leg is fixed by it; every other one
is summed freely and gives a factor M: for O(M) vector fields this is the colour polynomial. On a
strand of background legs only the sum is free from the start.
"""

from __future__ import annotations

from itertools import pairwise

import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.diagram import Diagram, pieces


def lines(diagram: Diagram) -> tuple[frozenset[int], ...]:
    """The index lines: sets of strands (0, 1, ...) and external legs (-1, -2, ...) that share one
    replica index. Strands and legs of plain fields belong to none."""
    ends = [
        *(s for s, strand in enumerate(diagram.strands) if _index(diagram, strand[0])),
        *(-n - 1 for n, name in enumerate(diagram.legs) if _index(diagram, name)),
    ]
    joined = [(a, b) for a, b, name in diagram.edges if _index(diagram, name)]
    return pieces(ends, joined)


def weight(diagram: Diagram) -> sp.Expr:
    """The product of free index sums, a polynomial in the number of replicas.

    >>> from fieldtheory.theory.action import Action, Field, Vertex
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> spin = Field("phi", index=sp.Symbol("M"))
    >>> action = Action((spin,), (Vertex("g", [("phi", "phi"), ("phi", "phi")]),))
    >>> [(weight(d), d.symmetry) for d in diagrams(action, legs=2, order=1, connected=True)]
    [(1, 1), (M, 2)]
    """
    factors = [
        _index(diagram, diagram.strands[next(iter(line))][0])
        for line in lines(diagram)
        if min(line) >= 0
    ]
    return sp.Mul(*factors)


def limit(diagram: Diagram) -> sp.Expr:
    """The weight at M -> 0: one if every index is tied to an external leg, else zero.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> [limit(d) for d in diagrams(Action.phi(4), order=1, connected=True)]
    [1]
    """
    return sp.S.One if all(min(line) < 0 for line in lines(diagram)) else sp.S.Zero


def same_replica(diagram: Diagram, one: int, other: int) -> bool:
    """Whether external legs `one` and `other` (1, 2, ...) carry the same replica index.

    Raises InvalidInput for a leg the diagram does not have.
    """
    for leg in (one, other):
        if not 1 <= leg <= len(diagram.legs):
            raise InvalidInput(f"leg {leg}: the diagram has legs 1 to {len(diagram.legs)}")
    return any(-one in line and -other in line for line in lines(diagram))


def respects(diagram: Diagram, replicas: tuple[int, ...]) -> bool:
    """Whether the diagram contributes when leg n lies in replica `replicas[n]`: an index line
    cannot join legs of different replicas."""
    legs = [sorted(-end for end in line if end < 0) for line in lines(diagram)]
    return all(replicas[a - 1] == replicas[b - 1] for line in legs for a, b in pairwise(line))


def _index(diagram: Diagram, name: str) -> sp.Symbol | None:
    return diagram.field(name).index
