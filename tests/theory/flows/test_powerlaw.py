"""Power laws: amplitudes against exact sums, exponents against slopes and the literature."""

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory.flows.powerlaw import NO_RIDGE, N, PowerLaw, kappa, mellin, s2, v
from tests.tolerance import agree, asymptotic, rounding

LAST = 20_000


def total(summand):
    """sum_n summand(n): 2 10^4 terms, then the integral from half-way to the next one."""
    modes = np.arange(1, LAST + 1, dtype=float)
    start = np.log(LAST + 0.5)
    rest, _ = quad(lambda u: summand(np.exp(u)) * np.exp(u), start, start + 100, limit=200)
    return float(np.sum(summand(modes)) + rest)


def sums(a, b, k):
    """sum L, sum L^2 and sum (1 - L)^2 g^2, from eigenvalues, term by term."""

    def learnt(n):
        return 1 / (1 + k * n ** (1 + a))

    return (
        total(learnt),
        total(lambda n: learnt(n) ** 2),
        total(lambda n: (1 - learnt(n)) ** 2 * n ** -(1.0 + b)),
    )


def test_mellin_integrals():
    for power in (1, 2):
        for s in (0.3, 0.8):

            def integrand(u, s=s, p=power):
                return np.exp(s * u) / (1 + np.exp(u)) ** p

            truth = sum(quad(integrand, *ends)[0] for ends in ((-200, 0), (0, 200)))
            found = float(mellin(power)(sp.Rational(str(s))))
            assert agree(found, truth, rounding(truth, 100))


def spoilt(value):
    return value * 2, -value


@pytest.mark.parametrize("a", [sp.Rational(1, 2), sp.Integer(1), sp.Integer(2)])
@pytest.mark.parametrize("small", [1e-3, 1e-5])
def test_learnt_modes(a, small):
    """Euler and Maclaurin: the sum from 1 is the integral from 0 less half of its value 1 at 0."""
    law = PowerLaw(a)
    learnt, twice, _ = sums(float(a), float(a), small)
    for expression, truth in ((law.learnt, learnt), (law.learnt_twice, twice)):
        value = float(expression.subs(kappa, small))
        assert agree(value, truth, asymptotic(0.5))
        assert agree(value - 0.5, truth, asymptotic(small))
        assert not any(agree(wrong, truth, asymptotic(0.5)) for wrong in spoilt(value))


# a, b: matched, rougher, smoother, at saturation, beyond
PAIRS = [(1, 1), (1, "1/2"), (1, 3), (1, 4), (1, 6), ("1/2", 2), (2, 8)]


def neglected(a, b, k):
    """The next term of sum (1 - L)^2 g^2 for small k: k^(b/alpha) and k^2, k^3, ... compete."""
    alpha = 1 + a
    power = b / alpha
    if power == 2:
        return k**2
    if power < 2:
        return k**2 * abs(float(mpmath.zeta(1 + b - 2 * alpha)))
    if power == 3:
        return 2 * k**3 * (1 + np.log(1 / k) / alpha)
    return k**power * np.pi * abs((1 - power) / np.sin(np.pi * power)) / alpha


@pytest.mark.parametrize(("a", "b"), PAIRS)
@pytest.mark.parametrize("small", [1e-2, 1e-3, 1e-4])
def test_bias(a, b, small):
    law = PowerLaw(sp.Rational(a), sp.Rational(b))
    numbers = float(law.a), float(law.b), small
    truth = sums(*numbers)[2]
    value = float(law.bias.subs(kappa, small))
    assert agree(value, truth, asymptotic(neglected(*numbers)) + rounding(truth, 100))
    if small == 1e-4:
        assert not any(agree(w, truth, asymptotic(neglected(*numbers))) for w in spoilt(value))


def curve(law, size, ridge, noise):
    """The planar error itself, kappa by bisection on exact sums."""
    a, b = float(law.a), float(law.b)

    def balance(u):
        learnt = total(lambda n: 1 / (1 + np.exp(u) * n ** (1 + a)))
        return learnt + ridge / np.exp(u) - size

    k = np.exp(brentq(balance, np.log(1e-14), np.log(10.0)))
    learnt, twice, bias = sums(a, b, k)
    gamma = twice / size
    return (bias + gamma * noise) / (1 - gamma), learnt


CURVES = [
    PowerLaw(1),
    PowerLaw(1, 3),
    PowerLaw(2, 1),
    PowerLaw(1, 6),
    PowerLaw(1, 1, NO_RIDGE),
    PowerLaw(1, sp.Rational(1, 2), NO_RIDGE),
    PowerLaw(1, 6, NO_RIDGE),
]


@pytest.mark.parametrize("law", CURVES, ids=str)
@pytest.mark.parametrize("noise", [0.0, 0.25])
def test_learning_curves(law, noise):
    """Relative corrections are of order (modes learnt / N) at a ridge, (1 / N) without one."""
    ridge = 0.0 if law.growth == NO_RIDGE else 1.0
    gaps = []
    for size in (64.0, 1024.0):
        truth, learnt = curve(law, size, ridge, noise)
        found = float(law.error.subs({N: size, s2: ridge, v: noise}))
        small = 1 / size if law.growth == NO_RIDGE else learnt / size
        slack = 1 + 2 * float(law.effective_b)  # the power of kappa a relative shift is raised to
        gaps.append(abs(found / truth - 1))
        assert agree(found, truth, asymptotic(truth * slack * (small + 1 / learnt)))
    assert gaps[1] < gaps[0] / 2 or gaps[1] < 1 / 1024


@pytest.mark.parametrize("law", CURVES, ids=str)
@pytest.mark.parametrize("noise", [0, 1])
def test_exponents_are_those_of_the_amplitudes(law, noise):
    bias = law.error.subs(v, 0)
    curve = bias if noise == 0 else law.error - bias
    slope = sp.limit(sp.log(curve.subs(N, 4 * N) / curve) / sp.log(4), N, sp.oo)
    assert sp.simplify(slope + (law.noise_exponent if noise else law.bias_exponent)) == 0


def test_matched_target_at_fixed_ridge():
    a = sp.Symbol("a", positive=True)
    assert sp.simplify(PowerLaw(a).error_exponent - a / (1 + a)) == 0
    assert sp.simplify(PowerLaw(a).noise_exponent - a / (1 + a)) == 0
    assert PowerLaw(a, growth=NO_RIDGE).kappa_exponent == 1 + a
    assert PowerLaw(a, growth=NO_RIDGE).noise_exponent == 0


rates = st.integers(1, 16)


@given(rates, rates)
def test_the_four_regimes_of_the_literature(one, two):
    """Cui et al., arXiv:2105.15004: capacity alpha, source r, ridge per sample n^-l. Noiseless
    exponents 2 alpha min(r, 1) without ridge and 2 l min(r, 1) with one, noisy ones 0 and
    (alpha - l)/alpha; the optimum 2 alpha min(r, 1) / (1 + 2 alpha min(r, 1)) is Caponnetto's and
    De Vito's. A fixed ridge is l = 1."""
    a, b = sp.Rational(one, 4), sp.Rational(two, 4)
    alpha, source = 1 + a, sp.Min(b / (2 * (1 + a)), 1)
    bare, fixed = PowerLaw(a, b, NO_RIDGE), PowerLaw(a, b)
    assert bare.error_exponent == 2 * alpha * source
    assert fixed.error_exponent == 2 * source
    assert fixed.noise_exponent == (alpha - 1) / alpha
    best = 2 * alpha * source / (1 + 2 * alpha * source)
    assert fixed.optimal_exponent == best
    at_best = PowerLaw(a, b, fixed.optimal_growth)
    assert at_best.noisy_error_exponent == best
    for off in (sp.Rational(1, 50), -sp.Rational(1, 50)):
        other = PowerLaw(a, b, fixed.optimal_growth + off)
        assert other.noisy_error_exponent < best


def test_regimes_are_named():
    assert PowerLaw(1).regime == "ridge"
    assert PowerLaw(1, 6, NO_RIDGE).regime == "data, saturated"
    assert str(PowerLaw(1, 2, NO_RIDGE)).endswith("no ridge")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PowerLaw(0), "needs a > 0"),
        (lambda: PowerLaw(1, -1), "needs b > 0"),
        (lambda: PowerLaw("a"), "declare a symbol positive"),
        (lambda: PowerLaw(0.5), "floats are not exact"),
        (lambda: PowerLaw(1, 1, 1), "learns nothing"),
        (lambda: PowerLaw(1, sp.Symbol("b", positive=True)).bias, "is open"),
        (lambda: PowerLaw(1, 1, -1).error, "border|ridge and loops are alike"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises((InvalidInput, OutOfRegime), match=message):
        make()
