r"""The text form of an action: from what a person writes to fields, propagators and vertices.

    phi^2/2 + g*phi^4/4! + h*phi^3/3!          a real field and two interactions
    psi*psi_bar + u*(psi*psi_bar)^2/4          a complex field
    phi^2/2 + chi^2/2 + phi*chi/3 + j*chi      two fields that mix, and a source

    name                 is
    phi  in  c phi^2     a real field, <phi phi> = 1/(2c): its square stands with a number alone
    psi  in  c psi psi_bar   a complex field, <psi psi_bar> = 1/c
    any other            a coupling, unless it is said to be a field

Terms of two fields with a number alone are the quadratic form S = v Q v / 2 and its inverse the
propagators, <v v> = 1/Q: exact, mixed and anomalous ones included. All other terms are vertices,

.. math::  S = \dots + c \, g \prod_i \phi_i^{n_i}
           \quad\Rightarrow\quad \text{rule } -c \, g \prod_i n_i!

of an order that is the degree in the couplings, at least 1. What is read is plain data, fit for
`Field`, `Vertex` and `Propagator`; nothing in the text is ever evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import combinations_with_replacement
from math import factorial, prod
from typing import NamedTuple

import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.polynomial import Monomial, Polynomial
from fieldtheory.ground.reader import polynomial

LEGS = 20  # kinds of leg of one action
VERTICES = 200
BAR = "_bar"

Form = dict[tuple[str, str], Fraction]


class SpelledField(NamedTuple):
    """The arguments of a `Field`, in its order; the text form knows no replica index."""

    name: str
    propagator: sp.Rational
    background: bool = False
    replicas: None = None
    conjugate: str | None = None


class SpelledVertex(NamedTuple):
    """The arguments of a `Vertex`, in its order."""

    coupling: sp.Expr
    strands: tuple[tuple[str, ...], ...]
    order: int


class SpelledPropagator(NamedTuple):
    """The arguments of a `Propagator`, in its order."""

    first: str
    second: str
    value: sp.Rational


class Spelled(NamedTuple):
    """What a text says."""

    fields: tuple[SpelledField, ...]
    vertices: tuple[SpelledVertex, ...]
    propagators: tuple[SpelledPropagator, ...]


def read(text: str, fields: Iterable[str] | None = None) -> Spelled:
    """The fields, vertices and mixed propagators written in `text`, which may begin with "S =".

    fields  names that are fields although their square does not stand in the text with a number
            alone, such as a response field.

    Raises InvalidInput for what is no polynomial, for a text in which nothing propagates, for a
    field whose quadratic form is singular, for a term without a field, and for absurd sizes.

    >>> read("phi^2/2 + g*phi^4/4!").vertices[0]
    SpelledVertex(coupling=-g, strands=(('phi', 'phi', 'phi', 'phi'),), order=1)
    >>> read("phi*chi + chi^2/2", fields=["phi"]).propagators
    (SpelledPropagator(first='chi', second='phi', value=1),)
    """
    terms = polynomial(_bare(text)).terms
    pairs = _pairs(terms)
    legs = _legs(terms, pairs, _given(fields))
    form: Form = {}
    vertices = []
    for monomial, coefficient in terms.items():
        strand = tuple(name for name, power in monomial if name in legs for _ in range(power))
        couplings = tuple(factor for factor in monomial if factor[0] not in legs)
        if not strand:
            raise InvalidInput(_constant(monomial, coefficient, legs))
        if len(strand) == 2 and not couplings:
            form[strand[0], strand[1]] = coefficient
        else:
            vertices.append(_vertex(coefficient, strand, couplings))
    if len(vertices) > VERTICES:
        raise InvalidInput(f"{len(vertices)} vertices: give an action of at most {VERTICES}")
    propagators = _inverse(legs, form)
    return Spelled(
        tuple(_fields(legs, pairs, propagators)), tuple(vertices), _others(pairs, propagators)
    )


# -- the text, and which of its names are fields -------------------------------------------------


def _bare(text: str) -> str:
    """The text without `S =`, in its place, so that places in messages stay right."""
    if not isinstance(text, str):
        raise InvalidInput(f"an action is given as text like 'phi^2/2 + g*phi^4/4!', not {text!r}")
    if not text.strip():
        raise InvalidInput("the action is empty: write one like 'phi^2/2 + g*phi^4/4!'")
    if found := re.search(r"[\[\]<>;]", text):
        raise InvalidInput(
            f"{found[0]!r} is not part of the text form: for replica or colour indices use "
            "Action.o_n or .replicate(), for a mixed propagator write its quadratic term, as in "
            "phi^2/2 + chi^2/2 + phi*chi/3"
        )
    return re.sub(r"^\s*S\s*=", lambda found: " " * len(found[0]), text)


def _given(fields: Iterable[str] | None) -> frozenset[str]:
    names = () if fields is None else fields
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise InvalidInput(f"fields = {fields!r}: give a list of names, as in ('phi', 'chi')")
    return frozenset(names)


def _pairs(terms: Iterable[Monomial]) -> dict[str, str]:
    """Complex fields: psi -> psi_bar for every product of the two with a number alone."""
    pairs = {m[0][0]: m[1][0] for m in terms if [power for _, power in m] == [1, 1]}
    pairs = {name: other for name, other in pairs.items() if other == name + BAR}
    if both := sorted(set(pairs) & set(pairs.values())):
        raise InvalidInput(
            f"{both[0]} is the conjugate of {both[0].removesuffix(BAR)} and has a conjugate of its "
            "own: rename one of the fields"
        )
    return pairs


def _legs(
    terms: Iterable[Monomial], pairs: dict[str, str], given: frozenset[str]
) -> tuple[str, ...]:
    """The names of all kinds of leg, sorted."""
    squares = {m[0][0] for m in terms if [power for _, power in m] == [2]}
    legs = tuple(sorted(squares | given | set(pairs) | set(pairs.values())))
    if not legs:
        raise InvalidInput(
            "nothing propagates: no name stands squared with a number alone. Write the free part "
            "as well, as in phi^2/2 + g*phi^4/4! or psi*psi_bar + u*psi^2*psi_bar^2/4"
        )
    if len(legs) > LEGS:
        raise InvalidInput(f"{len(legs)} kinds of legs: give an action with at most {LEGS}")
    return legs


# -- vertices --------------------------------------------------------------------------------------


def _vertex(coefficient: Fraction, strand: tuple[str, ...], couplings: Monomial) -> SpelledVertex:
    """Minus the term of S, times the permutations of equal legs."""
    symbols = [sp.Symbol(name) ** power for name, power in couplings]
    number = -coefficient * prod(factorial(strand.count(name)) for name in set(strand))
    rule = sp.Mul(sp.Rational(number.numerator, number.denominator), *symbols)
    return SpelledVertex(rule, (strand,), max(1, sum(power for _, power in couplings)))


def _constant(monomial: Monomial, coefficient: Fraction, legs: tuple[str, ...]) -> str:
    written = str(Polynomial({monomial: coefficient}))
    shown = written if len(written) <= 60 else written[:57] + "..."
    if not monomial:
        return f"the term {shown} is a constant, which changes no diagram: leave it out"
    return (
        f"the term {shown} has none of the fields {', '.join(legs)}: write the free part of its "
        "field too, as in phi^2/2, or leave a constant out"
    )


# -- propagators -----------------------------------------------------------------------------------


def _inverse(legs: tuple[str, ...], form: Form) -> Form:
    """The inverse of the quadratic form Q of S = v Q v / 2, by elimination in exact numbers.

    >>> _inverse(("phi",), {("phi", "phi"): Fraction(1, 2)})
    {('phi', 'phi'): Fraction(1, 1)}
    """
    size = len(legs)
    rows = [[Fraction(0)] * size + [Fraction(i == k) for k in range(size)] for i in range(size)]
    for (first, second), coefficient in form.items():
        rows[legs.index(first)][legs.index(second)] += coefficient
        rows[legs.index(second)][legs.index(first)] += coefficient
    done = 0
    for column in range(size):
        pivot = next((row for row in range(done, size) if rows[row][column]), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        rows[done] = [entry / rows[done][column] for entry in rows[done]]
        for row in range(size):
            if row != done and (factor := rows[row][column]):
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[done], strict=True)]
        done += 1
    if done < size:  # the row that vanished says of which combination there is no term
        raise InvalidInput(_singular(legs, rows[done][size:]))
    pairs = combinations_with_replacement(range(size), 2)
    return {(legs[i], legs[k]): rows[i][size + k] for i, k in pairs}


def _singular(legs: tuple[str, ...], null: list[Fraction]) -> str:
    combination: dict[Monomial, Fraction] = {
        ((leg, 1),): part for leg, part in zip(legs, null, strict=True) if part
    }
    names = [monomial[0][0] for monomial in combination]
    if len(names) == 1:
        return (
            f"field {names[0]!r} has no propagator: no term of two fields and a number alone "
            f"holds it; write one, as in {names[0]}^2/2"
        )
    return (
        f"fields {', '.join(names)} have no propagators: their quadratic form is singular, it "
        f"does not change along {Polynomial(combination)}; add a quadratic term"
    )


def _fields(
    legs: tuple[str, ...], pairs: dict[str, str], propagators: Form
) -> Iterator[SpelledField]:
    for name in legs:
        if name not in pairs.values():
            conjugate = pairs.get(name)
            own = propagators[name, conjugate or name]
            yield SpelledField(name, _rational(own), conjugate=conjugate)


def _others(pairs: dict[str, str], propagators: Form) -> tuple[SpelledPropagator, ...]:
    """Those that no field has of its own."""
    conjugates = set(pairs.values())
    own = {(name, pairs.get(name, name)) for name, _ in propagators if name not in conjugates}
    return tuple(
        SpelledPropagator(*ends, _rational(value))
        for ends, value in propagators.items()
        if value and ends not in own
    )


def _rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)
