"""Truncated series in several couplings, against SymPy's expansion of the same expressions."""

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.field import Field
from fieldtheory.theory.judge import graded
from fieldtheory.theory.judge.graded import Series, asked_order, expression, grades, polynomials
from tests.oracles.mutation import spoil, survives

g, h, t, D = sp.symbols("g h t D")
BOX = (2, 1)
RING, (POLY_D,) = polynomials([D])


@st.composite
def series(draw, first=None):
    """Random coefficients c + d D at g^a h^b."""
    number = st.integers(-3, 3)
    terms = {grade: draw(number) + draw(number) * POLY_D for grade in grades(BOX)}
    if first is not None:
        terms[0, 0] = RING(first)
    return Series(RING, BOX).with_terms(terms)


def spelled(found):
    """As an expression in g and h."""
    terms = found.terms.items()
    return sp.Add(*(c.as_expr() * g ** grade[0] * h ** grade[1] for grade, c in terms))


def cut(value):
    """The same expression without what is outside the box."""
    terms = sp.Poly(sp.expand(value), g, h).terms()
    return sp.Add(*(c * g**a * h**b for (a, b), c in terms if a <= BOX[0] and b <= BOX[1]))


def same(one, other):
    return sp.expand(one - other) == 0


@settings(max_examples=15, deadline=None)
@given(series(), series(), series(first=1))
def test_series_are_truncated_expressions(one, other, unit):
    a, b, c = map(spelled, (one, other, unit))
    assert same(spelled(one + other), a + b)
    assert same(spelled(one * other), cut(a * b))
    assert same(cut(spelled(one.quotient(unit)) * c), a)
    small = c - 1
    taylor = small - small**2 / 2 + small**3 / 3  # fourth powers are outside the box
    assert same(spelled(unit.logarithm()), cut(taylor))
    assert same(one.total(), sp.Add(*one.by_order()))
    assert same(one.by_order()[1], one[1, 0].as_expr() + one[0, 1].as_expr())


def test_the_numbers_may_be_any_expressions():
    """Inverses, roots, exponentials and i are generators or numbers; they combine in the end."""
    values = [1 / (g + h), g + h, sp.sqrt(2) * g, sp.exp(h) / 3, sp.I * g, sp.Rational(1, 2), g / h]
    _, found = polynomials(values)
    assert [expression(p) for p in found] == [sp.expand(value) for value in values]
    assert expression(found[2] ** 2) == 2 * g**2
    assert expression(found[4] * found[4]) == -(g**2)
    assert sp.simplify(expression(found[0] * found[1])) == 1


def two_couplings(*rules):
    legs = [("phi",) * (n + 3) for n in range(len(rules))]
    return Action((Field("phi"),), tuple(Vertex(r, [s]) for r, s in zip(rules, legs, strict=True)))


def test_orders_of_vertices():
    action = two_couplings(g**2 * h / 3, -g, h * t, 5)
    box, found = graded.graded(action, asked_order({"g": 4, "h": 2}))
    assert box == (4, 2)
    assert {len(v.legs): grade for v, grade in found} == {3: (2, 1), 4: (1, 0)}
    box, found = graded.graded(action, asked_order(3))
    assert box == (3,)
    assert [grade for _, grade in found] == [(1,)] * 4


@pytest.mark.parametrize(
    ("rule", "order", "words"),
    [
        (g + h, {"g": 1}, "not a monomial"),
        (1 / g, {"g": 1}, "not a monomial"),
        (sp.sqrt(g), {"g": 1}, "not a monomial"),
        (g, {"k": 1}, "in no vertex"),
        (g, {"g": -1}, "at least 0"),
        (g, {}, "names no coupling"),
        (g, -1, "at least 0"),
    ],
)
def test_bad_orders(rule, order, words):
    with pytest.raises(InvalidInput, match=words):
        graded.graded(two_couplings(rule), asked_order(order))


def checks():
    one = Series(RING, BOX).with_terms({(0, 0): RING(2), (1, 0): POLY_D, (0, 1): 3 + POLY_D})
    unit = Series(RING, BOX).with_terms({(0, 0): RING(1), (1, 0): POLY_D - 2, (1, 1): RING(5)})
    test_series_are_truncated_expressions.hypothesis.inner_test(one, one, unit)
    test_orders_of_vertices()


def test_nothing_spoiled_is_not_caught():
    assert survives(checks)


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        (Series.__mul__, "plus(one, two)", "max(one, two)"),
        (Series.__mul__, "within(grade, self.box)", "True"),
        (Series.quotient, "self[grade] - known", "self[grade] + known"),
        (Series.logarithm, "sum(a) * c", "c"),
        (Series.logarithm, "self.ring.domain(total)", "self.ring.domain(1)"),
        (Series.logarithm, "self[grade] - known", "self[grade] + known"),
        (Series.by_order, "totals[sum(grade)]", "totals[grade[0]]"),
        (graded.graded, "<= set(named)", ">= set()"),
        (graded.graded, "if any(grade) and", "if"),
    ],
)
def test_mutants_are_caught(monkeypatch, function, old, new):
    spoil(monkeypatch, function, old, new)
    assert not survives(checks)
