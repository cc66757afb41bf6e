"""Gaussian averages of activations: every closed form is an integral, and no mutant of it is."""

from functools import cache

import mpmath
import numpy as np
import pytest
import sympy as sp
from scipy.special import erf, ndtr

from fieldtheory.theory import averages
from tests.oracles import gaussians
from tests.tolerance import agree, rounding

PAIRS = [(0.3, 0.9), (1.0, 0.0), (1.0, -0.7), (2.5, 0.4), (0.05, -0.2)]
SLOPES = (0.1, 1.7, -0.4)
FREQUENCIES = (0.5, 1.0, 2.0)


def normal(z):
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def leaky(a):
    return lambda z: z if z > 0 else a * z


def leaky_slope(a):
    return lambda z: mpmath.mpf(1) if z > 0 else mpmath.mpf(a)


def step(z):
    return mpmath.mpf(z > 0)


SMOOTH = {
    averages.ERF_COVARIANCE: erf,
    averages.ERF_SLOPE: lambda z: 2 / np.sqrt(np.pi) * np.exp(-(z**2)),
    averages.GELU_COVARIANCE: lambda z: z * ndtr(z),
    averages.GELU_SLOPE: lambda z: ndtr(z) + z * normal(z),
    averages.IDENTITY_COVARIANCE: lambda z: z,
}
WAVES = {averages.SINE_COVARIANCE: np.sin, averages.COSINE_COVARIANCE: np.cos}
KINKED = {
    averages.LEAKY_COVARIANCE: (leaky, 1),
    averages.LEAKY_SLOPE: (leaky_slope, 0),
}


def cases(law):
    """Numbers for the symbols of a law, and the integral they must give."""
    for q, p in PAIRS:
        if law in SMOOTH:
            yield {"q": q, "p": p}, gaussians.pair(SMOOTH[law], q, p)
        elif law in WAVES:
            for a in FREQUENCIES:
                wave = WAVES[law]
                yield {"q": q, "p": p, "a": a}, gaussians.pair(lambda z, a=a: wave(a * z), q, p)  # noqa: B023
        elif law in KINKED:
            make, power = KINKED[law]
            for a in SLOPES:
                truth = gaussians.homogeneous_pair(make(a), q, p, power)
                yield {"q": q, "p": p, "a": a}, truth
        else:
            yield {"q": q, "p": p}, gaussians.homogeneous_pair(step, q, p, 0)


LAWS = [*SMOOTH, *WAVES, *KINKED, averages.STEP_COVARIANCE]


@cache
def known(law):
    return tuple(cases(law))


def evaluate(expression, numbers):
    symbols = sorted(expression.free_symbols, key=str)
    function = compiled(expression, tuple(symbols))
    with np.errstate(all="ignore"):
        return complex(function(*(np.complex128(numbers[s.name]) for s in symbols)))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_a_closed_form_is_an_integral(law):
    for numbers, truth in known(law):
        assert agree(evaluate(law.statement, numbers), truth, rounding(1.0, 10)), numbers


@cache
def compiled(expression, symbols):
    return sp.lambdify(symbols, expression)


def mutants(expression):
    """Signs, factors of two and dropped terms, in every sum and product of an expression."""
    for part in sp.preorder_traversal(expression):
        if isinstance(part, (sp.Add, sp.Mul)):
            for argument in part.args:
                for spoilt in (-argument, 2 * argument, sp.Integer(part.is_Mul)):
                    swapped = part.func(*(spoilt if a == argument else a for a in part.args))
                    mutant = expression.xreplace({part: swapped})
                    if mutant != expression:
                        yield mutant


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_no_mutant_of_it_is(law):
    found = 0
    truth = [truth for _, truth in known(law)]
    for mutant in mutants(law.statement):
        values = [evaluate(mutant, numbers) for numbers, _ in known(law)]
        assert not agree(values, truth, rounding(1.0, 10)), mutant
        found += 1
    assert found >= 4


@pytest.mark.parametrize("n", [0, 1, 2, 3, 6])
def test_hermite_pairings_add_up(n):
    """Summed over patterns, the average of h_n(u) h_n(v); each is a count of Wick pairings."""
    h = np.polynomial.hermite_e.HermiteE.basis(n)
    for q, p in PAIRS:
        truth = gaussians.pair(h, q, p) / float(sp.factorial(n))
        total = 0.0
        for loops in range(n // 2 + 1):
            lines = n - 2 * loops
            ways = sp.factorial(n) / (sp.factorial(lines) * sp.factorial(loops) ** 2)
            numbers = {"q": q, "p": p, "ways": ways, "lines": lines, "loops": loops}
            statement = averages.HERMITE_PAIRING.statement
            total += float(statement.subs({s: numbers[s.name] for s in statement.free_symbols}))
        assert agree(total, truth, rounding(max(1.0, abs(truth)), 100))
        shaken = total * (1 + rounding(1.0, 1000)) + rounding(1.0, 1000)
        assert not agree(shaken, truth, rounding(max(1.0, abs(truth)), 100))


def test_mehler_sums_to_the_covariance():
    """For z^3 = He_3 + 3 He_1 by hand: 6 p^3 + 9 p at q = 1."""
    k = sp.Symbol("k", integer=True)
    statement = averages.MEHLER.statement
    for p in (-0.7, 0.2, 1.0):
        squares = {0: 0, 1: 9, 2: 0, 3: 6}
        terms = [
            statement.function.subs(k, order).subs(sp.Symbol("p", positive=True), p)
            for order in squares
        ]
        base = sp.IndexedBase("a", real=True)
        total = sum(
            float(term.subs(base[order] ** 2, squares[order]).subs(base[order], 0))
            for order, term in enumerate(terms)
        )
        assert agree(total, gaussians.pair(lambda z: z**3, 1.0, p), rounding(15.0, 10))
