"""Crossing-connected words: closed forms against every listed word, exactly."""

from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import prod

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fieldtheory.compiler.program import compile_expression
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory import laws
from fieldtheory.theory.samples import words
from tests.oracles.crossings import Series, connected_words
from tests.tolerance import agree, rounding

PAIRS = ((1, 2), (1, 3), (2, 3))
LONGEST = 12
STEPS = sp.symbols("v12 v13 v23", real=True)
small = st.fractions(min_value=-1, max_value=1, max_denominator=12)
positive = st.fractions(min_value=Fraction(1, 12), max_value=1, max_denominator=12)


def symbols(samples):
    """T-matrices, then propagators."""
    pairs = [pair for pair in PAIRS if max(pair) <= samples]
    return [words.visit(n + 1) for n in range(samples)], [words.line(*pair) for pair in pairs]


@cache
def every_word(samples, length):
    return tuple(connected_words(samples, length))


def listed(samples, length, ends, t, c):
    """The sum over words of that length from letter to letter: (-1)^(n-1) t..t c..c."""
    total = Fraction(0)
    for text in every_word(samples, length):
        if (text[0], text[-1]) == ("abc"[ends[0]], "abc"[ends[1]]):
            term = Fraction((-1) ** (length - 1))
            for letter in text:
                term *= t["abc".index(letter)]
            for a, b in pairwise(text):
                term *= c[tuple(sorted(("abc".index(a) + 1, "abc".index(b) + 1)))]
            total += term
    return total


def expanded(expression, t_symbols, c_symbols, t, c):
    """In powers of a factor common to all propagators: word length minus one."""
    steps = [Series([0, value, *[0] * (LONGEST - 2)]) for value in c]
    heads = [Series([value, *[0] * (LONGEST - 1)]) for value in t]
    function = sp.lambdify([*t_symbols, *c_symbols], expression, modules=[{}])
    return function(*heads, *steps).terms


@pytest.mark.parametrize("ends", [(0, 0), (0, 1), (1, 0), (1, 1)])
@settings(max_examples=5)
@given(t=st.lists(positive, min_size=2, max_size=2), c=small)
def test_two_samples_are_the_listed_words(ends, t, c):
    found = expanded(words.connected(2)[ends], *symbols(2), t, [c])
    truth = [listed(2, n, ends, t, {(1, 2): c}) for n in range(1, LONGEST + 1)]
    assert found == truth


THREE = [(i, j) for i in range(3) for j in range(3)]
T = [Fraction(1, 2), Fraction(2, 3), Fraction(3, 5)]
C = [Fraction(1, 3), Fraction(-3, 4), Fraction(5, 7)]


@pytest.mark.parametrize("ends", THREE)
def test_three_samples_are_the_listed_words(ends):
    found = expanded(words.connected(3)[ends], *symbols(3), T, C)
    steps = dict(zip(PAIRS, C, strict=True))
    shorter = [0] * 5 + [listed(3, n, ends, T, steps) for n in range(6, LONGEST)]
    assert found[: LONGEST - 1] == shorter


@pytest.mark.slow
@pytest.mark.parametrize("ends", [(0, 0), (0, 1)])
def test_three_samples_are_the_listed_words_far_out(ends):
    found = expanded(words.connected(3)[ends], *symbols(3), T, C)
    assert found[LONGEST - 1] == listed(3, LONGEST, ends, T, dict(zip(PAIRS, C, strict=True)))


def test_the_shortest_words_by_hand():
    """From x to y in six runs: xyzxzy, xzxyzy, xzyxzy, xzyzxy, each in three and two steps."""
    t, (xy, xz, yz) = symbols(3)
    found = expanded(words.connected(3)[0, 1], t, [xy, xz, yz], t, [xy, xz, yz])[5]
    assert sp.expand(found + 4 * sp.prod(t) ** 2 * xy * xz**2 * yz**2) == 0


def test_the_quoted_two_sample_laws_are_the_derived_ones():
    t1, c, u = sp.symbols("t1 c u", positive=True)
    alike = {words.visit(1): t1, words.visit(2): t1, words.line(1, 2): c}
    for law, ends in ((laws.WORDS_TOGETHER, (0, 0)), (laws.WORDS_APART, (0, 1))):
        derived = words.connected(2)[ends].subs(alike, simultaneous=True)
        assert sp.cancel(derived - law.statement.subs(u, (t1 * c) ** 2)) == 0


# -- the three-sample laws ----------------------------------------------------------------------

LAWS = {(0, 0): words.THREE_TOGETHER, (0, 1): words.THREE_APART}


@cache
def dimensionless(ends):
    """The derived sum with t = 1: c is v."""
    heads, steps = symbols(3)
    ones = dict.fromkeys(heads, 1) | dict(zip(steps, STEPS, strict=True))
    return words.connected(3)[ends].subs(ones, simultaneous=True)


@pytest.mark.slow
@pytest.mark.parametrize("ends", LAWS)
def test_the_laws_are_the_derived_sums_identically(ends):
    assert sp.cancel(sp.together(LAWS[ends].statement - dimensionless(ends))) == 0


@pytest.mark.parametrize("ends", LAWS)
@settings(max_examples=20)
@given(v=st.lists(small, min_size=3, max_size=3))
def test_the_laws_are_the_derived_sums(ends, v):
    assume(all(abs(step) < 1 for step in v))
    a, b, c = v
    assume(1 - a * a - b * b - c * c + 2 * a * b * c != 0)
    assert exact(LAWS[ends].statement, at(*v)) == exact(dimensionless(ends), at(*v))


@given(t=st.lists(positive, min_size=3, max_size=3), c=st.lists(small, min_size=3, max_size=3))
@settings(max_examples=10)
def test_visits_scale_out(t, c):
    """w_ij = sqrt(t_i t_j) f(v): here with t_i squares, so that everything is rational."""
    v = [x * t[i - 1] * t[j - 1] for x, (i, j) in zip(c, PAIRS, strict=True)]
    here = {f"t{n + 1}": root**2 for n, root in enumerate(t)}
    here |= {f"c{i}{j}": x for x, (i, j) in zip(c, PAIRS, strict=True)}
    assume(all(abs(step) < 1 for step in v))
    assume(1 - sum(x * x for x in v) + 2 * prod(v) != 0)
    for (i, j), law in LAWS.items():
        value = exact(words.connected(3)[i, j], here)
        assert value == t[i] * t[j] * exact(law.statement, at(*v))


def exact(expression, values):
    """A rational expression in Fractions, for values of its symbols by name."""
    if expression.is_Symbol:
        return values[expression.name]
    if expression.is_Rational:
        return Fraction(int(expression.p), int(expression.q))
    if expression.is_Pow:
        return exact(expression.base, values) ** int(expression.exp)
    parts = [exact(part, values) for part in expression.args]
    return sum(parts) if expression.is_Add else prod(parts)


def at(*steps):
    return dict(zip((v.name for v in STEPS), steps, strict=True))


def mutants(expression):
    """Each argument of a sum or product with its sign turned, doubled, or left out."""
    for part in set(sp.preorder_traversal(expression)):
        if isinstance(part, sp.Add | sp.Mul):
            for argument in part.args:
                for spoilt in (-argument, 2 * argument, sp.Integer(part.is_Mul)):
                    swapped = part.func(*(spoilt if a == argument else a for a in part.args))
                    yield expression.xreplace({part: swapped})


@pytest.mark.parametrize("ends", LAWS)
def test_every_mutant_is_rejected(ends):
    point = at(Fraction(3, 7), Fraction(-2, 5), Fraction(5, 8))
    truth = exact(dimensionless(ends), point)
    statement = LAWS[ends].statement
    found = 0
    for mutant in set(mutants(statement)) - {statement}:
        found += 1
        try:
            value = exact(mutant, point)
        except ZeroDivisionError:  # it has none
            value = None
        assert value != truth, mutant
    assert found > 50


def nearby(size, draw):
    """The cosines between three points on a sphere, about `size`; any small numbers are allowed."""
    if size < 0.3:
        return draw.uniform(-size, size, 3)
    first, second = np.arccos(size) * draw.uniform(0.3, 1.7, 2)
    turn = np.cos(draw.uniform(0, np.pi)) * np.sin(first) * np.sin(second)
    return np.cos(first), np.cos(second), np.cos(first) * np.cos(second) + turn


@pytest.mark.parametrize("ends", LAWS)
def test_no_digits_cancel(ends):
    """Compiled, from steps of 0.001 to 0.99. The derived form itself would lose all of them."""
    program = compile_expression("law", LAWS[ends].statement, [str(v) for v in STEPS])
    precise = [sp.lambdify(STEPS, dimensionless(e), "mpmath") for e in LAWS]
    draw = np.random.default_rng(0)
    for size, lost in ((1e-3, 1e4), (0.1, 10), (0.5, 10), (0.9, 1e3), (0.99, 1e6)):
        for _ in range(20):
            v = nearby(size, draw)
            with mpmath.workdps(60):
                truth = [float(f(*map(mpmath.mpf, v))) for f in precise]
            budget = rounding(sum(map(abs, truth)), operations=lost)
            assert agree(program(*v), truth[ends[1]], budget)


def test_nothing_is_divided_by_a_step():
    for law in LAWS.values():
        assert law.statement.subs(dict.fromkeys(STEPS, 0)) == 0
        assert law.statement.subs(STEPS[0], 0).is_finite is not False


# -- how it is built, and bad input ---------------------------------------------------------------


def test_words_that_visit_exactly_some_samples():
    """By inclusion-exclusion they add up to all words."""
    heads, _ = symbols(2)
    every = words.visiting((1, 2))
    total = sum((every[part] for part in every), sp.zeros(2))
    medium = sp.Matrix([[1 / heads[0], words.line(1, 2)], [words.line(1, 2), 1 / heads[1]]])
    assert sp.simplify(total - medium.inv()) == sp.zeros(2)


def test_one_word():
    t, c = sp.symbols("t c")
    assert words.value((0, 1, 0), lambda _: t, lambda *_: c) == c**2 * t**3
    assert words.value((0, 0), lambda _: Fraction(1, 2), lambda *_: Fraction(3)) == Fraction(-3, 4)


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        (lambda: words.connected(4), OutOfRegime, "1 to 3 samples"),
        (lambda: words.connected(0), InvalidInput, "at least 1"),
        (lambda: words.connected(1.5), InvalidInput, "whole number"),
    ],
)
def test_bad_input(wrong, kind, says):
    with pytest.raises(kind, match=says):
        wrong()
