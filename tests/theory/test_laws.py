"""Quoted formulas, each against an oracle that knows nothing of it, and each spoilt once."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from fieldtheory.ground.law import Law
from fieldtheory.theory import laws
from tests.oracles.quadrature import gaussian_pair, ramp_pair, sphere_average
from tests.tolerance import agree, rounding

LAWS = [value for value in vars(laws).values() if isinstance(value, Law)]
PAIRS = [(0.3, 0.9), (1.0, 0.0), (1.0, -0.7), (2.5, 0.4), (0.05, -0.2)]


def slope_of_erf(z):
    return 2 / np.sqrt(np.pi) * np.exp(-(z**2))


ORACLES = {
    laws.RELU_COVARIANCE: lambda q, p: ramp_pair(q, p, 1),
    laws.RELU_SLOPE: lambda q, p: ramp_pair(q, p, 0),
    laws.ERF_COVARIANCE: lambda q, p: gaussian_pair(erf, q, p),
    laws.ERF_SLOPE: lambda q, p: gaussian_pair(slope_of_erf, q, p),
}


def values(law, **numbers):
    symbols = {s: numbers[s.name] for s in law.statement.free_symbols}
    return float(law.statement.subs(symbols))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_a_law_is_complete(law):
    assert law.statement.free_symbols  # builds, and names every symbol, or raises
    assert law.name
    assert law.holds
    assert law.source.text
    assert law.source.url
    assert law.name in str(law)


@pytest.mark.parametrize("law", ORACLES, ids=lambda law: law.name)
def test_layer_laws_are_gaussian_averages(law):
    truth = [ORACLES[law](q, p) for q, p in PAIRS]
    found = [values(law, q=q, p=p) for q, p in PAIRS]
    assert agree(found, truth, rounding(1.0))


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


@pytest.mark.parametrize("law", ORACLES, ids=lambda law: law.name)
def test_the_oracle_rejects_every_mutant(law):
    truth = {pair: ORACLES[law](*pair) for pair in PAIRS}
    found = 0
    for mutant in mutants(law.statement):
        function = sp.lambdify(sp.symbols("q p", positive=True), mutant)
        with np.errstate(all="ignore"):
            spoilt = [complex(function(np.complex128(q), np.complex128(p))) for q, p in PAIRS]
        assert not agree(spoilt, list(truth.values()), rounding(1.0)), mutant
        found += 1
    assert found >= 6


def test_layers_add_bias_and_tangent():
    numbers = {"sw2": 2.0, "sb2": 0.3, "average": 0.7, "slope": 0.4, "tangent": 5.0}
    covariance = values(laws.LAYER_COVARIANCE, **numbers)
    assert agree(covariance, 1.7, rounding(1.7))
    tangent = values(laws.LAYER_TANGENT, **numbers, covariance=covariance)
    assert agree(tangent, 1.7 + 5 * 0.8, rounding(5.7))


@given(st.floats(0.01, 2), st.floats(0.01, 0.9))
def test_words_are_sums_of_words(t1, c):
    """x y x y ...: each run of a letter gives t1, each change of letter -c between the runs."""
    c = c / t1  # so that u = (t1 c)^2 < 1
    even = sum(t1 * (-c * t1) ** changes for changes in range(3, 2000, 2))
    odd = sum(t1 * (-c * t1) ** changes for changes in range(4, 2000, 2))
    numbers = {"t1": t1, "c": c, "u": (t1 * c) ** 2}
    apart, together = (values(law, **numbers) for law in (laws.WORDS_APART, laws.WORDS_TOGETHER))
    assert agree(apart, even, rounding(t1, 10))
    assert agree(together, odd, rounding(t1, 10))


@pytest.mark.parametrize("law", [laws.WORDS_APART, laws.WORDS_TOGETHER], ids=lambda law: law.name)
def test_the_words_reject_every_mutant(law):
    t1, c = 0.7, 1.1
    first = 3 if law is laws.WORDS_APART else 4
    truth = sum(t1 * (-c * t1) ** changes for changes in range(first, 2000, 2))
    numbers = {"t1": t1, "c": c, "u": (t1 * c) ** 2}
    found = 0
    for mutant in mutants(law.statement):
        spoilt = mutant.subs({s: numbers[s.name] for s in mutant.free_symbols})
        assert not agree(complex(spoilt), truth, rounding(1.0)), mutant
        found += 1
    assert found >= 4


@pytest.mark.parametrize("d", [2, 3, 10])
@pytest.mark.parametrize(("l", "s"), [(0, 0), (0, 2), (1, 0), (2, 1), (3, 3)])
def test_power_eigenvalues_by_rodrigues(d, l, s):
    """lam_l[t^n] = n!/(n-l)! / (2^l (a)_l) E[t^(n-l) (1 - t^2)^l] with a = (d-1)/2."""
    n = 2 * s + l
    moment = sphere_average(d, lambda t: t ** (n - l) * (1 - t**2) ** l)
    factor = sp.ff(n, l) / (2**l * sp.rf(sp.Rational(d - 1, 2), l))
    found = np.exp(float(sp.N(laws.POWER_EIGENVALUE.statement.subs(_numbers(d, l, s)))))
    truth = float(factor) * float(moment)
    assert agree(found, truth, rounding(truth, 3))
    wrong = np.exp(float(sp.N(laws.POWER_EIGENVALUE.statement.subs(_numbers(d, l, s + 1)))))
    assert (d, l, s) == (2, 0, 0) or not agree(wrong, truth, rounding(truth, 3))


def _numbers(d, l, s):
    return dict(zip(sp.symbols("d l s", positive=True), (d, l, s), strict=True))


def modes(name, numbers):
    return {laws.mode(name).base[n]: value for n, value in enumerate(numbers)}


def planar(law, kappa=0.3):
    lam, deg, power = (1.0, 0.2, 0.01), (1, 3, 5), (0.5, 1.0, 2.0)
    scalars = {"kappa": kappa, "s2": 0.1, "N": 4.0, "gamma": 0.25, "noise": 0.6, "risk": 0.9}
    statement = law.statement.subs(sp.Symbol("L", integer=True), 2).doit()
    statement = statement.subs(modes("lam", lam) | modes("deg", deg) | modes("G", power))
    return statement.subs({s: scalars[s.name] for s in statement.free_symbols if s.name in scalars})


def test_planar_laws_add_up():
    """Written again with plain numbers: learnt fractions 1/(1 + kappa/lam)."""
    learnt = [1 / (1 + 0.3 / lam) for lam in (1.0, 0.2, 0.01)]
    deg, power = (1, 3, 5), (0.5, 1.0, 2.0)
    rows = list(zip(learnt, deg, power, strict=True))
    samples = sum(n * L for L, n, _ in rows) + 0.1 / 0.3
    bias = sum((1 - L) ** 2 * G for L, _, G in rows)
    assert agree(float(planar(laws.SELF_CONSISTENT)), samples, rounding(samples))
    assert agree(float(planar(laws.GAMMA)), sum(n * L**2 for L, n, _ in rows) / 4, rounding(1.0))
    assert agree(float(planar(laws.BIAS)), bias, rounding(1.0))
    assert agree(float(planar(laws.PLANAR_ERROR)), (bias + 0.15) / 0.75, rounding(1.0))


def test_modes_of_the_planar_error_add_up():
    """With risk = error + noise, bias and variance of every degree sum to the error."""
    deg = (1, 3, 5)
    lam, kappa, noise, samples = (1.0, 0.2, 0.01), 0.3, 0.6, 4
    learnt = [x / (x + kappa) for x in lam]
    gamma = sum(n * L**2 for n, L in zip(deg, learnt, strict=True)) / samples
    bias = sum((1 - L) ** 2 * G for L, G in zip(learnt, (0.5, 1.0, 2.0), strict=True))
    error = (bias + gamma * noise) / (1 - gamma)
    statement = laws.PLANAR_MODE_ERROR.statement
    l = sp.Symbol("l", integer=True)
    total = 0
    for n in range(3):
        term = statement.subs(l, n)
        term = term.subs(modes("lam", lam) | modes("deg", deg) | modes("G", (0.5, 1.0, 2.0)))
        numbers = {"kappa": kappa, "N": samples, "risk": error + noise}
        total += float(
            term.subs({s: numbers[s.name] for s in term.free_symbols if s.name in numbers})
        )
    assert agree(total, error, rounding(error))


def test_renormalised_ridge_keeps_the_trace():
    b = (0.5, 0.25, 0.125)
    found = values(laws.RENORMALISED_RIDGE, s2=0.1, K1=1.0, kept=sum(b))
    assert agree(found, 0.1 + 0.125, rounding(1.0))
