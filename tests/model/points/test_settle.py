"""One large fixed point: it converges where it should, and says so where it cannot."""

import numpy as np
import pytest

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.points.settle import settled
from tests.tolerance import agree, rounding


def test_a_linear_problem_with_a_slope_beyond_one():
    """x -> A x + b with eigenvalues of A to -3: plain iteration runs away, this does not."""
    draw = np.random.default_rng(0)
    turn = np.linalg.qr(draw.standard_normal((5, 5)))[0]
    A, b = turn * np.array([-3, -1.5, 0.2, 0.5, 0.8]) @ turn.T, draw.standard_normal((5, 4))
    found = settled(lambda x: A @ x + b - x, np.zeros((5, 4)), "linear", tolerance=1e-12)
    assert agree(found, np.linalg.solve(np.eye(5) - A, b), rounding(np.max(np.abs(found)), 100))


def test_it_steps_back_from_where_there_is_nothing():
    """log x - x + 3 has NaN below zero; the start is far from the root."""

    def change(x):
        with np.errstate(invalid="ignore"):
            return np.log(x) + 3 - x

    found = settled(change, np.array([0.9]), "root", tolerance=1e-13)
    assert agree(found, np.log(found) + 3, rounding(5.0))


def test_what_does_not_converge_is_said():
    with pytest.raises(OutOfRegime, match="nothing there: no self-consistent solution"):
        settled(lambda x: 1 + x**2, np.ones((2, 2)), "nothing there")
    with pytest.raises(OutOfRegime, match="no self-consistent solution"):
        settled(lambda x: np.full_like(x, np.nan), np.ones(2), "never")
