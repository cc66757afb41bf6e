r"""Feynman rules: from a diagram to a SymPy expression, and the correlator as their sum.

.. math::  \langle \phi \cdots \phi \rangle = \sum_{\text{diagrams}}
           \frac{\text{amplitude}}{\text{symmetry}}
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from fieldtheory.ground.checks import choice, count
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import replica
from fieldtheory.theory.action import Action, Field
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.enumeration import diagrams

FORMS = ("zero", "position")


def amplitude(
    diagram: Diagram, form: str = "zero", at: tuple[sp.Symbol, ...] | None = None
) -> sp.Expr:
    """The value of a diagram by the Feynman rules, without 1/symmetry and replica weight.

    form  "zero": the zero-dimensional theory, a product of couplings, propagators and background
          values. "position": propagators G(x, y) and backgrounds r(x), every vertex integrated
          over its place (each integral is over the input measure).
    at    in position form, the places of the external legs; x_1, x_2, ... unless given.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> tadpole, = diagrams(Action.phi(4, coupling="g"), legs=2, order=1, connected=True)
    >>> amplitude(tadpole)
    -g
    >>> amplitude(tadpole, form="position")
    -g*Integral(G_phi(x_1, z_1)*G_phi(x_2, z_1)*G_phi(z_1, z_1), z_1)
    """
    if choice("form", form, FORMS) == "zero":
        return _zero(diagram)
    places = at or tuple(sp.Symbol(f"x_{n + 1}") for n in range(len(diagram.legs)))
    if len(places) != len(diagram.legs):
        raise InvalidInput(
            f"at = {places}: {len(places)} places for {len(diagram.legs)} legs; give one per leg"
        )
    return _position(diagram, places)


def coupling(diagram: Diagram) -> sp.Expr:
    """The product of the rules of the vertices."""
    return sp.Mul(*(vertex.coupling for vertex in diagram.vertices))


def background_ends(diagram: Diagram) -> tuple[tuple[int, str], ...]:
    """Where the background enters: (vertex, field), and (-1, field), ... for external legs."""
    background = {field.name for field in diagram.fields if field.background}
    inner = [
        (owner, name)
        for owner, strand in zip(diagram.owners, diagram.strands, strict=True)
        for name in strand
        if name in background
    ]
    outer = [(-n - 1, name) for n, name in enumerate(diagram.legs) if name in background]
    return (*inner, *outer)


def two_point_name(field: Field) -> str:
    """The name of the field's propagator as a function: its symbol, or G_<field>."""
    named = isinstance(field.propagator, sp.Symbol)
    return str(field.propagator) if named else f"G_{field.name}"


def _zero(diagram: Diagram) -> sp.Expr:
    lines = [diagram.field(name).propagator for _, _, name in diagram.edges]
    ends = [sp.Symbol(name) for _, name in background_ends(diagram)]
    return sp.Mul(coupling(diagram), *lines, *ends)


def _position(diagram: Diagram, places: tuple[sp.Symbol, ...]) -> sp.Expr:
    inner = [sp.Symbol(f"z_{v + 1}") for v in range(len(diagram.vertices))]

    def place(end: int) -> sp.Symbol:
        return places[-end - 1] if end < 0 else inner[end]

    lines = [
        sp.Function(two_point_name(diagram.field(name)))(
            *sorted((place(a), place(b)), key=sp.default_sort_key)
        )
        for a, b, name in diagram.vertex_edges
    ]
    ends = [sp.Function(name)(place(v)) for v, name in background_ends(diagram)]
    integrand = sp.Mul(*lines, *ends)
    if inner:
        integrand = sp.Integral(integrand, *inner)
    return coupling(diagram) * integrand


def correlator(
    action: Action,
    legs: Any = 2,
    order: int = 1,
    *,
    connected: bool = False,
    replicas: tuple[int, ...] | None = None,
) -> sp.Expr:
    """The normalised expectation of the legs through `order`, in zero dimensions.

    Pieces without external legs have been divided out. `connected` gives the cumulant. In a
    replicated action `replicas` says in which replica each leg lies, as in (0, 1); all in the same
    one unless given. Raises what `diagrams` raises.

    >>> correlator(Action.phi(4, coupling="g"), legs=2, order=2)
    2*g**2/3 - g/2 + 1
    """
    names = action.leg_names(legs)
    where = (0,) * len(names) if replicas is None else tuple(replicas)
    if len(where) != len(names):
        raise InvalidInput(f"replicas = {replicas}: give one number for each of {len(names)} legs")
    if not names:
        return sp.S.One
    terms = [
        amplitude(diagram) * replica.weight(diagram) / diagram.symmetry
        for at in range(count("order", order) + 1)
        for diagram in diagrams(action, names, order=at, connected=connected, vacuum_bubbles=False)
        if replica.respects(diagram, where)
    ]
    return sp.expand(sp.Add(*terms))
