r"""Wilson's renormalisation group at one loop: momentum shells, from the engine's diagrams.

The modes in the shell between Lambda e^{-dl} and Lambda are integrated out, lengths are rescaled
so that Lambda = 1 again, and the field so that (grad phi)^2 keeps its factor. With a sharp shell
and slow external momenta every inner line of a one-loop diagram is 1/(1 + r), r = m^2, so

.. math::  \frac{dg_p}{d\ell} = \Bigl(d - p\,\frac{d-2}{2}\Bigr) g_p
           - \sum_{\substack{\text{one loop, 1PI}\\ p \text{ legs}}}
             \frac{\text{rules} \times O(n)\text{ factor}}{\text{symmetry}\,(1+r)^{\text{lines}}}

Couplings are in units of the shell's area K_d = S_d/(2 pi)^d: g_p stands for K_d^(p/2 - 1) g_p. At
one loop the field has no anomalous dimension; couplings that the action does not have are dropped.

Source: K. Wilson and J. Kogut, Phys. Rep. 12, 75 (1974); F. Wegner and A. Houghton, Phys. Rev. A 8,
401 (1973), whose equation for the whole potential this expands.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import replica
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.amplitude import coupling as rules
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.expression import symbolic
from fieldtheory.theory.flows.flow import Flow

r = sp.Symbol("r")


def shell_flow(action: Action, dimension: Any = "d") -> Flow:
    """The one-loop flow of the mass r and of every coupling of an action, towards the infrared.

    action     one real field, plain or O(n); every vertex has at least three legs and its own
               coupling, such as Action.o_n(4) + Action.o_n(6, coupling="h").
    dimension  d: a symbol's name, a number or an expression such as 4 - eps.

    Raises InvalidInput for another kind of action.

    >>> print(shell_flow(Action.phi(4)))
    dr/dl = g/(2*(r + 1)) + 2*r
    dg/dl = -3*g**2/(2*(r + 1)**2) - g*(d - 4)
    """
    d = symbolic("dimension", dimension)
    legs, couplings = _checked(action)
    betas = [2 * r - _sum(action, 2, loops=1)]  # the rule of a mass is -r
    for power, coupling in zip(legs, couplings, strict=True):
        canonical = sp.expand(d - sp.Rational(power, 2) * (d - 2)) * coupling
        per_coupling = sp.diff(_sum(action, power, loops=0), coupling)
        betas.append(canonical + _sum(action, power, loops=1) / per_coupling)
    return Flow((r, *couplings), tuple(map(_by_coupling, betas)))


def _sum(action: Action, legs: int, loops: int) -> sp.Expr:
    """The amputated one-particle irreducible diagrams, all legs in the same component."""
    found = diagrams(action, legs, loops=loops, one_particle_irreducible=True)
    return sp.Add(
        *(
            rules(diagram)
            * replica.weight(diagram)
            / diagram.symmetry
            * (1 + r) ** (-len(diagram.vertices) * loops)  # one loop: as many lines as vertices
            for diagram in found
        )
    )


def _by_coupling(beta: sp.Expr) -> sp.Expr:
    """Terms with the same powers of the propagator gathered, each factored."""
    gathered = sp.collect(sp.expand(beta, deep=False), 1 + r)
    return sp.Add(*map(sp.factor, sp.Add.make_args(gathered)))


def _checked(action: Action) -> tuple[list[int], list[sp.Symbol]]:
    """The legs and the coupling of every vertex."""
    legs = [len(vertex.legs) for vertex in action.vertices]
    couplings = [_coupling(vertex) for vertex in action.vertices]
    names = {str(coupling) for coupling in couplings}
    (field, *others) = action.fields
    real = not others and not field.background and field.conjugate is None
    if not (real and legs and min(legs) > 2 and len(set(legs)) == len(legs) == len(names - {"r"})):
        raise InvalidInput(
            f"shell_flow of {action}: give one real field and, for each number of legs from three "
            "up, at most one vertex with a coupling of its own, not called r, as in "
            "Action.o_n(4) + Action.o_n(6, coupling='h')"
        )
    return legs, couplings


def _coupling(vertex: Vertex) -> sp.Symbol:
    """The symbol a rule is a multiple of."""
    rule = vertex.coupling
    if len(rule.free_symbols) == 1:
        (symbol,) = rule.free_symbols
        if (rule / symbol).is_number:
            return symbol
    raise InvalidInput(f"shell_flow: the rule {rule} is no number times one symbol; write it so")
