"""The non-linearities against the standard library and the complex step."""

import math

import numpy as np
import pytest
from scipy.special import erf as complex_erf

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.activation import ACTIVATIONS, activation
from tests.tolerance import agree, rounding

POINTS = np.linspace(-3.0, 3.0, 61)
BY_HAND = {"relu": lambda z: z if z > 0 else 0.0, "erf": math.erf}


def complex_step(name, z):
    """The slope without subtraction: exact to rounding where the function is analytic."""
    step = 1e-30
    if name == "erf":
        return complex_erf(z + 1j * step).imag / step
    return np.where(z > 0, 1.0, 0.0)


@pytest.mark.parametrize("phi", ACTIVATIONS, ids=lambda phi: phi.name)
def test_values_and_slopes(phi):
    assert agree(phi(POINTS), [BY_HAND[phi.name](z) for z in POINTS], rounding(1))
    assert agree(phi.derivative(POINTS), complex_step(phi.name, POINTS), rounding(1))


def test_the_check_rejects_a_slope_without_its_factor():
    spoilt = activation("erf").derivative(POINTS) / 2
    assert not agree(spoilt, complex_step("erf", POINTS), rounding(1))


def test_an_unknown_name_is_refused_with_a_hint():
    with pytest.raises(InvalidInput, match="did you mean 'relu'"):
        activation("rulu")
