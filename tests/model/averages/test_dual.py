"""Forward mode against the complex step: every operation and every function."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.model.averages.dual import Dual, world
from fieldtheory.model.averages.jet import JET, Jet
from fieldtheory.model.kernel import REAL
from tests.tolerance import agree, rounding

STEP = 1e-30
FORMULAS = {
    "sums": lambda x, xp: 3 - (x + 2) - x + (1 - x) * 2,
    "products": lambda x, xp: x * x * 3 * x,
    "quotients": lambda x, xp: 2 / x + x / 7 + x / (1 + x),
    "powers": lambda x, xp: x**0 + x**1 + x**3 + 5 * x**7,
    "array first": lambda x, xp: np.array(2.0) * x + np.array(1.0) - x,
    "sqrt": lambda x, xp: xp.sqrt(1 + x),
    "exp": lambda x, xp: xp.exp(-x * x),
    "arcsin": lambda x, xp: xp.arcsin(x / 2),
    "arccos": lambda x, xp: xp.arccos(x / 3) * x,
}


@pytest.mark.parametrize("name", FORMULAS)
@given(st.floats(0.05, 0.95))
def test_derivatives(name, x):
    formula = FORMULAS[name]
    found = formula(Dual(x, (1.0, -2.0)), world(REAL))
    complex_ = formula(x + 1j * STEP, REAL)
    scale = 10 + abs(complex_.imag / STEP)
    assert agree(found.value, complex_.real, rounding(scale))
    assert agree(found.tangents[0], complex_.imag / STEP, rounding(scale))
    assert agree(found.tangents[1], -2 * complex_.imag / STEP, rounding(2 * scale))
    assert not agree(found.tangents[1], 2 * complex_.imag / STEP, rounding(2 * scale))


def test_numbers_without_tangents_stay_numbers():
    assert world(REAL).sqrt(4.0) == 2.0
    assert world(REAL).clip(2.0, -1, 1) == 1.0


def test_clipping_keeps_away_from_the_singular_end():
    clipped = world(REAL).clip(Dual(np.array([1.0, -2.0]), (np.ones(2),)), -1, 1)
    slopes = world(REAL).arccos(clipped).tangents[0]
    assert np.all(np.isfinite(slopes))
    assert agree(clipped.value, [1.0, -1.0], rounding(1.0))


def test_dual_numbers_of_power_series():
    """d/da of the series of exp(a x) at a = 1 is that of x exp(x)."""
    x = Jet.variable(np.array([0.3]), np.ones(1), 6)
    found = world(JET).exp(Dual(x, (x,)))
    assert agree(found.tangents[0].coefficients, (x * JET.exp(x)).coefficients, rounding(1.0))
