"""The averages of a function in floats, at one input, and where it has too few digits."""

import mpmath
import numpy as np
import pytest
from scipy.special import ndtr

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.averages.mehler import Mehler
from fieldtheory.model.kernel import REAL
from tests.tolerance import agree, rounding

WAVE = Mehler("wave", np.sin)


def test_at_one_input_and_at_two():
    q = 0.7
    assert agree(WAVE.covariance(q, 1.0, REAL), (1 - np.exp(-2 * q)) / 2, rounding(1.0))
    assert agree(WAVE.slope_covariance(q, 1.0, REAL), (1 + np.exp(-2 * q)) / 2, rounding(1.0))
    p = np.array([-0.5, 0.2])
    assert agree(WAVE.covariance(q, p, REAL), np.exp(-q) * np.sinh(q * p), rounding(1.0))
    assert agree(WAVE.slope_covariance(q, p, REAL), np.exp(-q) * np.cosh(q * p), rounding(1.0))


def test_a_slope_that_is_known_is_used_at_one_input():
    """For a kink away from zero; one at zero is taken out and needs no slope."""
    told = Mehler("ramp", lambda z: np.maximum(z - 0.5, 0), lambda z: 1.0 * (z > 0.5))
    alone = Mehler("ramp", lambda z: np.maximum(z - 0.5, 0))
    assert agree(told.slope_covariance(1.0, 1.0, REAL), ndtr(-0.5), rounding(1.0))
    assert not agree(alone.slope_covariance(1.0, 1.0, REAL), ndtr(-0.5), rounding(1.0))
    ramp = Mehler("ramp", lambda z: np.maximum(z, 0))
    assert agree(ramp.slope_covariance(1.0, 1.0, REAL), 0.5, rounding(1.0))


def test_more_digits_need_the_formula():
    with pytest.raises(InvalidInput, match="float64 only"):
        WAVE(mpmath.mpf(1))
    precise = Mehler("wave", np.sin, precise=lambda z, mp: mp.sin(z))
    assert agree(float(precise(mpmath.mpf(1)).square[0]), (1 - np.exp(-2)) / 2, rounding(1.0))
