r"""Exact power series in the order of the vertices, or in several couplings at once.

A *grade* is a tuple of whole numbers: (n,) for order n, or (a, b) for g^a h^b. A series keeps the
grades inside a box, 0 <= grade <= box; what leaves it never comes back, so sums, products,
quotients and logarithms of truncated series are exact. Coefficients are polynomials with
exact numbers (SymPy's sparse rings), not expression trees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.polys.rings import PolyElement, PolyRing, sring

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action, Vertex

Grade = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Series:
    """sum of coefficient(grade) times the couplings to that grade."""

    ring: PolyRing
    box: Grade
    terms: Mapping[Grade, PolyElement] = field(default_factory=dict)

    def __getitem__(self, grade: Grade) -> PolyElement:
        return self.terms.get(grade, self.ring.zero)

    def with_terms(self, terms: Mapping[Grade, PolyElement]) -> Series:
        """Another series in the same ring and box."""
        return Series(self.ring, self.box, {grade: c for grade, c in terms.items() if c})

    def map(self, change: Callable[[PolyElement], PolyElement]) -> Series:
        """`change` done to every coefficient."""
        return self.with_terms({grade: change(c) for grade, c in self.terms.items()})

    def times(self, factor: Any) -> Series:
        """The series with every coefficient multiplied by a number or polynomial."""
        return self.map(lambda c: c * factor)

    def one(self) -> Series:
        """The constant series 1."""
        return self.with_terms({(0,) * len(self.box): self.ring.one})

    def __add__(self, other: Series) -> Series:
        total = dict(self.terms)
        for grade, c in other.terms.items():
            total[grade] = total.get(grade, self.ring.zero) + c
        return self.with_terms(total)

    def __mul__(self, other: Series) -> Series:
        total: dict[Grade, PolyElement] = {}
        for one, c in self.terms.items():
            for two, d in other.terms.items():
                grade = plus(one, two)
                if within(grade, self.box):
                    total[grade] = total.get(grade, self.ring.zero) + c * d
        return self.with_terms(total)

    def quotient(self, below: Series) -> Series:
        """self / below, for a series `below` that starts with 1."""
        found: dict[Grade, PolyElement] = {}
        for grade in grades(self.box):
            known = sum((c * below[minus(grade, a)] for a, c in found.items()), self.ring.zero)
            found[grade] = self[grade] - known
        return self.with_terms(found)

    def logarithm(self) -> Series:
        """The logarithm W of a series Z that starts with 1: n W_n = n Z_n - sum_a a W_a Z_(n-a),
        where n and a are total orders."""
        found: dict[Grade, PolyElement] = {}
        for grade in grades(self.box):
            if total := sum(grade):
                known = sum(
                    (sum(a) * c * self[minus(grade, a)] for a, c in found.items()), self.ring.zero
                )
                found[grade] = self[grade] - known.quo_ground(self.ring.domain(total))
        return self.with_terms(found)

    def up_to(self, total: int) -> Series:
        """The terms of total order `total` at most."""
        return self.with_terms({grade: c for grade, c in self.terms.items() if sum(grade) <= total})

    def by_order(self) -> tuple[sp.Expr, ...]:
        """The terms of total order 0, 1, 2, ... as expressions."""
        totals = [self.ring.zero] * (sum(self.box) + 1)
        for grade, c in self.terms.items():
            totals[sum(grade)] += c
        return tuple(map(expression, totals))

    def total(self) -> sp.Expr:
        """Everything, as one expanded expression."""
        return expression(sum(self.terms.values(), self.ring.zero))


def expression(polynomial: PolyElement) -> sp.Expr:
    """A polynomial as an expanded expression."""
    return sp.expand(polynomial.as_expr())  # generators such as 1/(a + b) may combine


def polynomials(expressions: list[sp.Expr]) -> tuple[PolyRing, list[PolyElement]]:
    """The expressions as elements of one ring over a field, which they span."""
    ring, found = sring([*expressions, sp.Dummy()])  # a dummy: a ring must have a generator
    ring = ring.clone(domain=ring.domain.get_field())
    return ring, [element.set_ring(ring) for element in found[:-1]]


# -- grades ---------------------------------------------------------------------------------------


def plus(one: Grade, other: Grade) -> Grade:
    """The sum of two grades."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


def minus(one: Grade, other: Grade) -> Grade:
    """Their difference; it may be negative."""
    return tuple(a - b for a, b in zip(one, other, strict=True))


def within(grade: Grade, box: Grade) -> bool:
    """Whether no part of the grade exceeds the box's."""
    return all(a <= b for a, b in zip(grade, box, strict=True))


def grades(box: Grade) -> Iterator[Grade]:
    """Every grade of the box, smaller ones before larger ones.

    >>> list(grades((1, 2)))
    [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    """
    if not box:
        yield ()
        return
    for first in range(box[0] + 1):
        for rest in grades(box[1:]):
            yield (first, *rest)


# -- what an order means --------------------------------------------------------------------------

Order = int | tuple[tuple[str, int], ...]  # a total order, or powers of couplings, sorted


def asked_order(order: Any) -> Order:
    """An order as it was asked for, checked: a number, or a mapping from couplings to powers.

    >>> asked_order({"h": 1, "g": 2})
    (('g', 2), ('h', 1))
    """
    if isinstance(order, Mapping):
        if not order:
            raise InvalidInput("order = {} names no coupling: give powers, as in {'g': 2, 'h': 1}")
        return tuple(sorted((str(c), count(f"order of {c}", n)) for c, n in order.items()))
    return count("order", order)


def graded(action: Action, order: Order) -> tuple[Grade, tuple[tuple[Vertex, Grade], ...]]:
    """The box of an order, and the vertices that count with their grades. With powers of
    couplings, vertices without any of them or with other symbols in their rule are left out."""
    if isinstance(order, int):
        return (order,), tuple((vertex, (vertex.order,)) for vertex in action.vertices)
    symbols = {s.name: s for vertex in action.vertices for s in vertex.coupling.free_symbols}
    for name, _ in order:
        if name not in symbols:
            raise InvalidInput(
                f"order names the coupling {name!r}, which is in no vertex: the symbols in the "
                f"rules of the vertices are {', '.join(sorted(symbols)) or '(none)'}"
            )
    named = [symbols[name] for name, _ in order]
    powers = [(vertex, _powers(vertex.coupling, named)) for vertex in action.vertices]
    return tuple(n for _, n in order), tuple(
        (vertex, grade)
        for vertex, grade in powers
        if any(grade) and vertex.coupling.free_symbols <= set(named)
    )


def _powers(rule: sp.Expr, named: list[sp.Symbol]) -> Grade:
    """The powers of the named couplings in a rule."""
    if rule.is_polynomial(*named):
        first, *others = sp.Poly(rule, *named).monoms()
        if not others:
            return tuple(first)
    raise InvalidInput(
        f"the rule {rule} is not a monomial in {', '.join(map(str, named))}: its order in them is "
        "not defined; write the vertex as several, or give the order as one number"
    )
