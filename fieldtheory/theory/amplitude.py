r"""Feynman rules: from a diagram to a SymPy expression, and sums of many in zero dimensions.

.. math::  \langle \phi \cdots \phi \rangle = \sum_{\text{diagrams}}
           \frac{\text{amplitude}}{\text{symmetry}}

In zero dimensions an amplitude is a monomial in couplings, propagators and backgrounds. Sums are
kept as exact numbers by monomial and become one SymPy expression at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from functools import cmp_to_key, lru_cache
from typing import NamedTuple

import sympy as sp

from fieldtheory.ground.checks import choice
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import replica
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.expression import symbolic
from fieldtheory.theory.field import Field
from fieldtheory.theory.momentum import combination, momenta, symbols

FORMS = ("zero", "position", "momentum")

Monomial = frozenset[tuple[sp.Expr, int]]  # factors and their powers


def amplitude(
    diagram: Diagram,
    form: str = "zero",
    at: Iterable[sp.Expr | str] | None = None,
    amputated: bool = False,
) -> sp.Expr:
    """The value of a diagram by the Feynman rules, without 1/symmetry and replica weight.

    form  "zero": the zero-dimensional theory, a product of couplings, propagators and background
          values. "position": propagators G(x, y) and backgrounds r(x), every vertex integrated
          over its place (each integral is over the input measure). "momentum": propagators G(k),
          conservation solved, an integral d^d k/(2 pi)^d for each loop; every connected piece
          without background legs stands for its value times (2 pi)^d delta(sum of its p).
    at    the places, or the momenta, of the external legs: x_1, x_2, ... or p_1, p_2, ... (all
          incoming) unless given. The last momentum of a piece is minus the sum of the others.
    amputated   leave out the propagators of the external legs; in position form delta(x, z) says
          where they were.

    A real line is even: its places are sorted, its momentum has a canonical sign. For a complex
    field G_psi(x, y) = <psi(x) psi_bar(y)>, a mixed G_A_phi(x, y) = <A(x) phi(y)>, and their
    momentum runs from y to x. A propagator that is a symbol gives the function its own name.

    Raises InvalidInput for an unknown form, a number of places other than the legs', names that
    occur twice, and amputating a line that joins two legs.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> tadpole, = diagrams(Action.phi(4, coupling="g"), legs=2, order=1, connected=True)
    >>> amplitude(tadpole)
    -g
    >>> amplitude(tadpole, form="position")
    -g*Integral(G_phi(x_1, z_1)*G_phi(x_2, z_1)*G_phi(z_1, z_1), z_1)
    >>> amplitude(tadpole, form="momentum", amputated=True)
    -g*Integral(G_phi(k_1), k_1)
    """
    choice("form", form, FORMS)
    places = None if at is None else tuple(symbolic("at", place) for place in at)
    if places is not None and len(places) != len(diagram.legs):
        raise InvalidInput(
            f"at = {places}: {len(places)} places for {len(diagram.legs)} legs; give one per leg"
        )
    if amputated and any(end < 0 for _, end, _ in diagram.edges):
        raise InvalidInput(
            f"{diagram!r} has a line from leg to leg: there is no vertex to amputate it at. Ask "
            "for it with amputated=False"
        )
    if form == "zero":
        return product_of(monomial(diagram, amputated))
    if form == "position":
        return _position(diagram, places or symbols("x", len(diagram.legs)), amputated)
    return _momentum(diagram, places, amputated)


def total(found: Iterable[Diagram], amputated: bool = False) -> sp.Expr:
    """The sum of amplitude * replica weight / symmetry in zero dimensions.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> total(diagrams(Action.phi(4, coupling="g"), legs=2, order=2, connected=True))
    2*g**2/3
    """
    sums: dict[tuple[Monomial, Monomial], Fraction] = {}
    for diagram in found:
        key = monomial(diagram, amputated), frozenset(replica.free_sums(diagram).items())
        sums[key] = sums.get(key, Fraction(0)) + Fraction(1, diagram.symmetry)
    terms = [
        sp.Rational(weight.numerator, weight.denominator) * product_of(rules) * product_of(sums_)
        for (rules, sums_), weight in sums.items()
    ]
    return sp.expand(sp.Add(*terms))


def coupling(diagram: Diagram) -> sp.Expr:
    """The product of the rules of the vertices."""
    return product_of(frozenset(Counter(v.coupling for v in diagram.vertices).items()))


def background_ends(diagram: Diagram) -> tuple[tuple[int, str], ...]:
    """Where the background enters: (vertex, field), and (-1, field), ... for external legs."""
    return tuple((diagram.vertex_of(end), name) for end, name in diagram.background_legs)


def two_point_name(field: Field) -> str:
    """The name of the field's propagator as a function: its symbol, or G_<field>."""
    named = isinstance(field.propagator, sp.Symbol)
    return str(field.propagator) if named else f"G_{field.name}"


# -- zero dimensions ------------------------------------------------------------------------------


def monomial(diagram: Diagram, amputated: bool = False) -> Monomial:
    """Couplings, propagators and backgrounds of a diagram with their powers."""
    powers: Counter[sp.Expr] = Counter(vertex.coupling for vertex in diagram.vertices)
    inner = Counter(name for a, _, name in diagram.edges if a >= 0 or not amputated)
    for name, times in inner.items():
        powers[diagram.line(name)[2]] += times
    if any(field.background for field in diagram.fields):
        powers.update(sp.Symbol(name) for _, name in diagram.background_legs)
    return frozenset(powers.items())


@lru_cache(maxsize=4096)
def product_of(factors: Monomial) -> sp.Expr:
    """The monomial as an expression."""
    return sp.Mul(*(base**power for base, power in factors))


# -- space ----------------------------------------------------------------------------------------


class _Kind(NamedTuple):
    """A kind of line as a function: G(first, second)."""

    function: str
    starts_first: bool  # whether an edge of that name has the first end at its start
    even: bool  # whether the two ends are alike


def _kind(diagram: Diagram, name: str) -> _Kind:
    here, there, value = diagram.line(name)
    field = diagram.field(here)
    if {here, there} == set(field.line):
        first = field.line[0]
        return _Kind(two_point_name(field), here == first, field.line[0] == field.line[1])
    first, second = sorted((here, there))
    function = str(value) if isinstance(value, sp.Symbol) else f"G_{first}_{second}"
    return _Kind(function, here == first, first == second)


@lru_cache(maxsize=4096)
def _two_point(function: str, first: sp.Expr, second: sp.Expr, even: bool) -> sp.Expr:
    ends = sorted((first, second), key=sp.default_sort_key) if even else (first, second)
    return sp.Function(function)(*ends)


@lru_cache(maxsize=4096)
def _function(name: str, argument: sp.Expr) -> sp.Expr:
    return sp.Function(name)(argument)


def _position(diagram: Diagram, places: tuple[sp.Expr, ...], amputated: bool) -> sp.Expr:
    inner = symbols("z", len(diagram.vertices))
    kinds = {name: _kind(diagram, name) for name in {edge.field for edge in diagram.edges}}
    factors = []
    for a, b, name in diagram.vertex_edges:
        start = places[-a - 1] if a < 0 else inner[a]
        end = places[-b - 1] if b < 0 else inner[b]
        kind = kinds[name]
        if amputated and a < 0:
            factors.append(_two_point("delta", start, end, False))
        elif kind.starts_first:
            factors.append(_two_point(kind.function, start, end, kind.even))
        else:
            factors.append(_two_point(kind.function, end, start, kind.even))
    for end, name in background_ends(diagram):
        factors.append(_function(name, places[-end - 1] if end < 0 else inner[end]))
    return _integrated(coupling(diagram), factors, inner, places)


def _momentum(diagram: Diagram, at: tuple[sp.Expr, ...] | None, amputated: bool) -> sp.Expr:
    found = momenta(diagram, at)
    kinds = {name: _kind(diagram, name) for name in {edge.field for edge in diagram.edges}}
    factors = []
    for (a, _, name), flow in zip(diagram.edges, found.routing.lines, strict=True):
        kind = kinds[name]
        if amputated and a < 0:
            continue
        leading = next((sign for sign in flow if sign), 1)
        if leading < 0 if kind.even else kind.starts_first:
            flow = tuple(-sign for sign in flow)
        factors.append(_function(kind.function, combination(flow, found.names)))
    for (_, name), momentum in zip(diagram.background_legs, found.background, strict=True):
        factors.append(_function(name, momentum))
    return _integrated(coupling(diagram), factors, found.free, found.legs)


def _integrated(
    front: sp.Expr, factors: list[sp.Expr], over: tuple[sp.Symbol, ...], places: Iterable[sp.Expr]
) -> sp.Expr:
    """front times the integral of the factors; the names integrated over must be free."""
    taken = front.free_symbols.union(*(place.free_symbols for place in places))
    if twice := sorted(str(symbol) for symbol in taken.intersection(over)):
        raise InvalidInput(
            f"{twice[0]} is integrated over and is also a coupling or the place of a leg: give "
            "that one another name"
        )
    integrand = _product(factors)
    return front * (sp.Integral(integrand, *over) if over else integrand)


def _product(factors: list[sp.Expr]) -> sp.Expr:
    """The product of functions: equal to `sp.Mul` of them, which spends its time on finding the
    order of its arguments anew; here each pair is compared once."""
    powers = [_power(base, times) for base, times in Counter(factors).items()]
    return sp.Mul(*sorted(powers, key=_IN_ORDER), evaluate=False)


@lru_cache(maxsize=4096)
def _power(base: sp.Expr, times: int) -> sp.Expr:
    return base**times


@lru_cache(maxsize=1 << 16)
def _compare(one: sp.Expr, other: sp.Expr) -> int:
    return int(one.compare(other))


_IN_ORDER = cmp_to_key(_compare)
