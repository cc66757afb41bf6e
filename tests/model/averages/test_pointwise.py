"""The functions themselves, far out and at zero; values and slopes are in test_activation."""

import numpy as np
import pytest

from fieldtheory.model.averages import pointwise
from tests.tolerance import agree, rounding


def test_far_out():
    z = np.array([-800.0, -40.0, 40.0, 800.0])
    assert agree(pointwise.gelu(z), [0, 0, 40, 800], rounding(800.0))
    assert agree(pointwise.gelu_slope(z), [0, 0, 1, 1], rounding(1.0))
    assert pointwise.tanh_slope(np.array([300.0]))[0] > 0  # 1 - tanh^2 would be zero
    assert agree(pointwise.tanh_slope(z), 0.0, rounding(1.0))


@pytest.mark.parametrize("degree", [-1, 0, 1, 5, 20])
def test_hermite_polynomials(degree):
    z = np.linspace(-3, 3, 13)
    found = pointwise.hermite(degree)(z)
    if degree < 0:
        assert np.all(found == 0)
        return
    basis = np.polynomial.hermite_e.HermiteE.basis(degree)
    from math import factorial, sqrt

    truth = basis(z) / sqrt(factorial(degree))
    assert agree(found, truth, rounding(np.abs(truth).max()))
