"""Power series: every operation against mpmath's Taylor coefficients, and against algebra."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.model.averages.jet import JET, Jet, arccos, arcsin, exp, power, sqrt
from tests.tolerance import agree, rounding

ORDER = 12
POINTS = np.array([-0.8, -0.1, 0.0, 0.35, 0.9])
SCALE = np.array([1.0, 0.5, 1.0, 2.0, 0.3])

FORMULAS = {
    "square root": (lambda x, xp: xp.sqrt(2 + x), lambda x: mpmath.sqrt(2 + x)),
    "exponential": (lambda x, xp: xp.exp(x), mpmath.exp),
    "arccos": (lambda x, xp: xp.arccos(x / 2), lambda x: mpmath.acos(x / 2)),
    "arcsin": (lambda x, xp: xp.arcsin(x / 3), lambda x: mpmath.asin(x / 3)),
    "quotient": (lambda x, xp: (1 + x) / (3 - x), lambda x: (1 + x) / (3 - x)),
    "reciprocal": (lambda x, xp: 2.0 / (3 - x), lambda x: 2 / (3 - x)),
    "powers": (lambda x, xp: x**5 - x**0 + 2 * x**1, lambda x: x**5 - 1 + 2 * x),
    "nested": (
        lambda x, xp: xp.exp(xp.sqrt(2 - x * x)),
        lambda x: mpmath.exp(mpmath.sqrt(2 - x * x)),
    ),
}


def taylor(function, point, scale):
    with mpmath.workdps(60):
        series = mpmath.taylor(function, mpmath.mpf(point), ORDER)
        return [float(c * mpmath.mpf(scale) ** n) for n, c in enumerate(series)]


@pytest.mark.parametrize("name", FORMULAS)
def test_taylor_coefficients(name):
    ours, theirs = FORMULAS[name]
    found = ours(Jet.variable(POINTS, SCALE, ORDER), JET).coefficients
    truth = np.array([taylor(theirs, x, s) for x, s in zip(POINTS, SCALE, strict=True)]).T
    size = np.maximum.accumulate(np.abs(truth)[::-1])[::-1] + 1
    assert agree(found, truth, rounding(size))
    assert not agree(found[:-1], truth[1:], rounding(size[1:]))  # shifted by one order


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=5), st.floats(0.5, 2))
def test_algebra(tail, head):
    a = Jet(np.array([head, *tail])[:, None])
    same = [
        (a * (1 / a), a * 0 + 1),
        (sqrt(a) * sqrt(a), a),
        (power(a, 3), a**3),
        (a - 1, -(1 - a)),
        (a / 2, a * 0.5),
        ((a + 1) * (a - 1), a**2 - 1),
    ]
    for left, right in same:
        scale = np.abs(left.coefficients).max() + (1 + max(map(abs, tail))) ** 5 / head**5
        assert agree(left.coefficients, right.coefficients, rounding(scale, 10))


def test_order_zero_is_arithmetic():
    x = Jet.variable(np.array([0.5]), np.array([1.0]), 0)
    for ours, theirs in ((arccos, np.arccos), (arcsin, np.arcsin), (exp, np.exp), (sqrt, np.sqrt)):
        assert agree(ours(x).coefficients, [[theirs(0.5)]], rounding(1.0))


def test_numbers_pass_through():
    for ours, theirs in ((arccos, np.arccos), (arcsin, np.arcsin), (exp, np.exp), (sqrt, np.sqrt)):
        assert agree(ours(np.float64(0.5)), theirs(0.5), rounding(1.0))


def test_numpy_scalars_defer_to_the_series():
    x = Jet.variable(np.array([0.5]), np.array([1.0]), 1)
    assert (np.float64(2) * x).coefficients.tolist() == [[1.0], [2.0]]
    assert (np.float64(2) - x).coefficients.tolist() == [[1.5], [-1.0]]


NUMPY = {
    "exp": np.exp,
    "sqrt": lambda x: np.sqrt(2 + x),
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "square": np.square,
    "negative": np.negative,
    "arrays on the left": lambda x: np.array(3.0) * x + np.float64(1) - (np.ones(1) - x) / 2,
    "array over series": lambda x: np.float64(2.0) / (2 + x),
}
SPELLED = {
    "exp": JET.exp,
    "sqrt": lambda x: JET.sqrt(2 + x),
    "arcsin": JET.arcsin,
    "arccos": JET.arccos,
    "square": lambda x: x * x,
    "negative": lambda x: 0 - x,
    "arrays on the left": lambda x: 3 * x + 1 - (1 - x) / 2,
    "array over series": lambda x: 2 / (2 + x),
}


@pytest.mark.parametrize("name", NUMPY)
def test_numpy_knows_series(name):
    x = Jet.variable(np.array([0.2, -0.4]), np.ones(2), 6)
    found = NUMPY[name](x)
    assert isinstance(found, Jet)
    assert agree(found.coefficients, SPELLED[name](x).coefficients, rounding(10.0))


@pytest.mark.parametrize("function", [np.tanh, np.abs, lambda x: np.maximum(x, 1)])
def test_numpy_says_what_it_does_not_know(function):
    with pytest.raises(TypeError):
        function(Jet.variable(np.array([0.2]), np.ones(1), 2))


@pytest.mark.parametrize("exponent", [-2, -1, -0.5, 0.5, 1.5, 0, 1, 2, 5])
def test_powers_of_any_kind(exponent):
    """At one point with scale one the coefficients are binomial: (1/2 + h)^a."""
    x = Jet.variable(np.array([0.5]), np.ones(1), 6)
    truth = [float(mpmath.binomial(exponent, n)) * 0.5 ** (exponent - n) for n in range(7)]
    assert agree((x**exponent).coefficients[:, 0], truth, rounding(1e4))


def test_batches_have_axes_of_their_own():
    points = np.linspace(-0.5, 0.5, 6)
    flat = Jet.variable(points, np.ones(6), 5)
    grid = Jet.variable(points.reshape(2, 3), np.ones((2, 3)), 5)
    for formula in (
        lambda x: x * JET.exp(x) / (2 + x),
        lambda x: JET.arccos(x) * JET.sqrt(1 - x * x),
        lambda x: np.array(0.5) * x**3,
    ):
        found, truth = formula(grid).coefficients, formula(flat).coefficients
        assert agree(found.reshape(6, 6), truth, rounding(10.0))
