"""From Poisson to fixed and back: exact on polynomials, and against sums over every dataset."""

from fractions import Fraction
from itertools import pairwise
from math import comb, factorial

import numpy as np
import pytest
import sympy as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sympy.functions.combinatorial.numbers import stirling

from fieldtheory.compiler.program import compile_expression
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import learning
from fieldtheory.theory.samples import poisson
from fieldtheory.theory.samples.poisson import N
from tests.oracles import poisson as brute
from tests.tolerance import agree, asymptotic, rounding

eta = learning.eta
HIGHEST = 6
polynomials = st.lists(st.fractions(-3, 3, max_denominator=9), min_size=1, max_size=HIGHEST + 2)


def polynomial(numbers, at):
    return sum(
        (sp.Rational(c.numerator, c.denominator) * at**k for k, c in enumerate(numbers)), sp.S.Zero
    )


def averaged(numbers, mean):
    """Over a Poisson number: E[N^k] = sum_j S(k, j) eta^j, S counting partitions into blocks."""
    return sum(
        (
            sp.Rational(c.numerator, c.denominator) * stirling(k, j) * mean**j
            for k, c in enumerate(numbers)
            for j in range(k + 1)
        ),
        sp.S.Zero,
    )


# -- exactly --------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=8)  # it is linear in the numbers
@given(polynomials)
@example([Fraction(1)] * (HIGHEST + 2))
def test_polynomials_of_degree_seven_are_exact_at_order_six(numbers):
    truth = sp.expand(polynomial(numbers, eta))
    assert poisson.fixed(averaged(numbers, eta), eta, HIGHEST) == truth
    assert poisson.poisson(polynomial(numbers, N), N, HIGHEST) == sp.expand(averaged(numbers, N))


@pytest.mark.parametrize("order", range(HIGHEST + 1))
def test_each_order_is_needed(order):
    """Degree order + 1 is exact at that order, and at no lower one."""
    numbers = [Fraction(0)] * (order + 1) + [Fraction(1)]
    mixture = averaged(numbers, eta)
    found = [poisson.fixed(mixture, eta, at) == eta ** (order + 1) for at in range(order + 1)]
    assert found == [False] * order + [True]


@pytest.mark.slow
@settings(max_examples=6)
@given(polynomials)
@example([Fraction(1)] * (HIGHEST + 2))
def test_there_and_back(numbers):
    start = sp.expand(polynomial(numbers, N))
    assert poisson.fixed(poisson.poisson(start, N, HIGHEST), N, HIGHEST) == start


@pytest.mark.parametrize("derivatives", range(13))
@pytest.mark.parametrize("number", [0, 1, 2, 5, 17])
def test_weights_are_charlier_polynomials(derivatives, number):
    """The coefficient of d^j in (1 + d)^N e^{-N d}, multiplied out."""
    truth = sum(
        Fraction(comb(number, i) * (-number) ** (derivatives - i), factorial(derivatives - i))
        for i in range(derivatives + 1)
    )
    found = poisson.weight(derivatives).eval(number)
    assert Fraction(int(found.p), int(found.q)) == truth


@pytest.mark.parametrize("derivatives", range(9))
def test_weights_of_the_average_are_central_moments(derivatives):
    mean = sp.Symbol("mean")
    central = sum(
        comb(derivatives, k) * (-mean) ** (derivatives - k) * stirling(k, j) * mean**j
        for k in range(derivatives + 1)
        for j in range(k + 1)
    )
    found = poisson.weight(derivatives, to="poisson").as_expr().subs(N, mean)
    assert sp.expand(found - central / factorial(derivatives)) == 0


@pytest.mark.slow
def test_a_power_of_a_probability():
    """F_N = (1 + t)^N has F = e^(t eta): in powers of t through the order kept."""
    t = sp.Symbol("t")
    total = poisson.moved([t**j for j in range(2 * HIGHEST + 1)], N, HIGHEST) * sp.exp(t * N)
    short = sp.series(sp.expand_power_exp(total) - (1 + t) ** N, t, 0, HIGHEST + 2)
    assert sp.expand(sp.simplify(short.removeO())) == 0


def test_printed_terms():
    """F - (N/2) F'' + (N/3) F''' + (N^2/8) F'''' - ..."""
    assert poisson.terms(0) == ((1, 0, 0),)
    assert poisson.terms(1) == ((sp.Rational(-1, 2), 1, 2),)
    assert poisson.terms(2) == ((sp.Rational(1, 3), 1, 3), (sp.Rational(1, 8), 2, 4))
    for order in range(HIGHEST + 1):
        found = poisson.terms(order)
        assert all(term.order == order for term in found)
        assert max(term.derivatives for term in found) == 2 * order


# -- graded series -------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_graded_terms_are_those_of_the_learning_series(order):
    functions = tuple(sp.Function(f"F{n}")(eta) for n in range(order + 1))
    found = poisson.graded(functions, eta, order)
    assert sp.expand(sp.Add(*found) - learning.fixed(functions, order)) == 0


def test_graded_and_back():
    orders = (eta**3, 2 * eta**2, eta, sp.S.One, sp.S.Zero)
    there = poisson.graded(orders, eta, 4)
    assert tuple(map(sp.expand, poisson.graded(there, eta, 4, to="poisson"))) == orders
    assert there != orders


# -- against every dataset -----------------------------------------------------------------------

MU = np.array([0.4, 0.6])
KERNEL = np.array([[1.0, 0.3], [0.3, 0.7]])
TARGET = np.array([1.0, -0.5])


def fixed_errors(numbers, s2):
    return np.array(
        [
            brute.averages(*brute.fixed_counts(MU, int(n)), MU, KERNEL, TARGET, s2)["error"]
            for n in numbers
        ]
    )


def poisson_derivatives(samples, s2, highest):
    """d/deta of a Poisson average is the average of the finite difference, again and again."""
    last = int(samples + 14 * np.sqrt(samples) + 30)
    truth = fixed_errors(range(last + highest + 1), s2)
    weights = brute.poisson.pmf(np.arange(last + 1), samples)
    return truth, [float(weights @ np.diff(truth, n)[: last + 1]) for n in range(highest + 1)]


def residuals(samples):
    """What the operator leaves of the error at fixed N, at fixed s2/N, order by order."""
    truth, derivatives = poisson_derivatives(samples, 0.3 * samples, 2 * 4)
    program = [
        compile_expression(
            "moved",
            poisson.correction(order),
            sorted(map(str, poisson.correction(order).free_symbols)),
        )
        for order in range(5)
    ]
    values = {f"F{n}": value for n, value in enumerate(derivatives)} | {"N": float(samples)}
    return [
        abs(one(**{name: values[name] for name in one.inputs}) - truth[samples]) for one in program
    ]


def test_the_error_at_a_fixed_number_of_samples():
    """Twice the samples: what is left after order k falls by 2^(k + 1)."""
    few, many = residuals(64), residuals(128)
    for order in range(4):
        slope = np.log2(few[order] / many[order])
        assert agree(slope, order + 1, asymptotic(0.125)), (order, slope)
    assert all(a > 50 * b for a, b in pairwise(many))


# -- mutants ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(2, 7))
@pytest.mark.parametrize("factor", [-1, 0, 2, sp.Rational(1, 2)])
def test_a_spoilt_weight_is_rejected(monkeypatch, at, factor):
    true = poisson.weight

    def spoilt(derivatives, to="fixed"):
        return true(derivatives, to) * (factor if derivatives == at else 1)

    monkeypatch.setattr(poisson, "weight", spoilt)
    numbers = [Fraction(0)] * 6 + [Fraction(1)]
    assert poisson.fixed(averaged(numbers, eta), eta, 5) != eta**6


# -- numbers, bad input --------------------------------------------------------------------------


def test_numbers_go_in_too():
    third = [Fraction(57), Fraction(46), Fraction(24), Fraction(6), 0]  # eta^3 + 3 eta^2 + eta at 3
    assert poisson.moved(third, 3, order=2) == 27
    back = poisson.moved([27, 27, 18, 6, 0], 3, order=2, to="poisson")
    assert back == 57


def test_compiled_numbers_round():
    program = compile_expression("moved", poisson.correction(1), ["F0", "F2", "N"])
    assert agree(program(12.0, 2.0, 3.0), 9.0, rounding(9.0))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: poisson.moved([1, 2], 3, order=1), "takes 3 numbers"),
        (lambda: poisson.graded((eta,), eta, order=1), "got 1"),
        (lambda: poisson.fixed("eta", eta, 1), "SymPy expression"),
        (lambda: poisson.fixed(eta, "eta", 1), "symbol"),
        (lambda: poisson.weight(-1), "derivatives"),
        (lambda: poisson.weight(2, to="canonical"), "choose one of"),
        (lambda: poisson.terms(1.5), "whole number"),
    ],
)
def test_bad_input(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        wrong()
