"""Taylor coefficients against Cauchy's integral, exact for what has no pole nearby."""

import numpy as np
import pytest

from fieldtheory.model.series.taylor import FUNCTIONS, Taylor
from tests.tolerance import agree, rounding

N, RADIUS, TURNS = np.array([3.0, 40.0]), 0.2, 64
LAM = np.array([0.5, 0.1, 0.0])


def program(eta, xp):
    """What generated programs do, in short."""
    eta_ = xp.expand_dims(eta, -1)
    line = LAM * 0.7 / (eta_ * LAM + 0.7)
    total = xp.sum(line**3, axis=-1)
    square = xp.expand_dims(line, -1) * xp.expand_dims(line, -2)
    turned = xp.matmul(square + LAM, xp.swapaxes(square, -1, -2))
    number = xp.sum(xp.diagonal(turned, axis1=-2, axis2=-1), axis=-1)
    return (1 - eta) * total / (2 + eta) - number * total**2 + 3 / eta - eta**4 / 7


@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_coefficients_are_those_of_cauchy(count):
    found = program(Taylor.samples(N, count), FUNCTIONS).coefficients
    turn = np.exp(2j * np.pi * np.arange(TURNS) / TURNS)[:, None]
    values = np.fft.fft(program(N * (1 + RADIUS * turn), np), axis=0) / TURNS
    for k in range(count):
        scale = np.abs(values[0]) / RADIUS**k
        assert agree(found[k], values[k].real / RADIUS**k, rounding(scale, 10))
        assert not agree(found[k] * 1.001, values[k].real / RADIUS**k, rounding(scale, 10))


def test_one_coefficient_is_the_value():
    assert agree(program(Taylor.samples(N, 1), FUNCTIONS).coefficients[0], program(N, np), 0.0)
