"""Replica strands: the polynomial in M of a diagram, and its limit M -> 0.

A propagator of an indexed field is diagonal, <phi_a phi_b> = delta_ab G, so strands joined by
propagators carry one index. An index that reaches an external leg is fixed by it; every other one
is summed freely and gives a factor M: for O(M) vector fields this is the colour polynomial. On a
strand of background legs only the sum is free from the start.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.engine.topology import pieces
from fieldtheory.theory.expression import symbolic


def lines(diagram: Diagram) -> tuple[frozenset[int], ...]:
    """The index lines: sets of strands (0, 1, ...) and external legs (-1, -2, ...) that share one
    replica index. Strands and legs of plain fields belong to none."""
    index = _indices(diagram)
    if not index:
        return ()
    ends = [
        *(s for s, strand in enumerate(diagram.strands) if strand[0] in index),
        *(-n - 1 for n, name in enumerate(diagram.legs) if name in index),
    ]
    inside = set(ends)
    return pieces(ends, [(a, b) for a, b, _ in diagram.edges if a in inside])


def free_sums(diagram: Diagram) -> Counter[sp.Symbol]:
    """How many sums over each index no external leg fixes.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> [free_sums(d) for d in diagrams(Action.o_n(4, "n"), legs=0, order=1)]
    [Counter({n: 1}), Counter({n: 2})]
    """
    index = _indices(diagram)
    return Counter(
        index[diagram.strands[min(line)][0]] for line in lines(diagram) if min(line) >= 0
    )


def weight(diagram: Diagram) -> sp.Expr:
    """The product of free index sums, a polynomial in the number of replicas.

    >>> from fieldtheory.theory.action import Action, Vertex
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> from fieldtheory.theory.field import Field
    >>> spin = Field("phi", index=sp.Symbol("M"))
    >>> action = Action((spin,), (Vertex("g", [("phi", "phi"), ("phi", "phi")]),))
    >>> [(weight(d), d.symmetry) for d in diagrams(action, legs=2, order=1, connected=True)]
    [(1, 1), (M, 2)]
    """
    return sp.Mul(*(index**times for index, times in free_sums(diagram).items()))


def limit(diagram: Diagram) -> sp.Expr:
    """The weight at M -> 0: one if every index is tied to an external leg, else zero.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> [limit(d) for d in diagrams(Action.phi(4), order=1, connected=True)]
    [1]
    """
    return sp.S.One if all(min(line) < 0 for line in lines(diagram)) else sp.S.Zero


def derivative(expression: sp.Expr, index: Any = "M") -> sp.Expr:
    r"""d/dM at M = 0 of a polynomial in the number of replicas: for W = log Z the average of log z
    over the disorder the replicas share,

    .. math::  \overline{\log z} = \left. \frac{d}{dM} \log \overline{z^M} \right|_{M = 0}

    index  the symbol, or its name.

    Raises InvalidInput for what is no polynomial in it.

    >>> M, w = sp.symbols("M w")
    >>> derivative(M * w / 4 + M**2 * w / 8, "M")
    w/4
    """
    symbol = symbolic("index", index)
    expression = symbolic("expression", expression)
    if not isinstance(symbol, sp.Symbol) or not expression.is_polynomial(symbol):
        raise InvalidInput(
            f"d/d{index} at 0 of {expression}: give the symbol that counts the replicas and a "
            "polynomial in it, such as free_energy(action, order)"
        )
    return sp.expand(sp.diff(expression, symbol).subs(symbol, 0))


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


def _indices(diagram: Diagram) -> dict[str, sp.Symbol]:
    """The index of every kind of leg that carries one."""
    return {
        name: field.index
        for field in diagram.fields
        if field.index is not None
        for name in field.legs
    }
