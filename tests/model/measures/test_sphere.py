"""Harmonics: counting, orthogonality, the addition theorem and the quadrature in the angle."""

from itertools import islice
from math import comb

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.measures.sphere import (
    angles,
    equal_angles,
    harmonics,
    legendre,
    multiplicity,
    weights,
    zonal,
)
from tests.oracles.quadrature import gegenbauer, sphere_average
from tests.tolerance import agree, rounding

DIMENSIONS = [2, 3, 5, 10, 50, 1000]


@pytest.mark.parametrize("d", [2, 3, 4, 7, 50])
def test_multiplicities_count_polynomials(d):
    """Harmonics of degree l and l-2, l-4, ... make all homogeneous polynomials of degree l."""
    for l in range(12):
        total = sum(multiplicity(d, k) for k in range(l, -1, -2))
        assert total == comb(l + d - 1, l)


def test_multiplicities_are_exact_where_floats_are_not():
    l, d = 400, 1000
    above = (2 * l + d - 2) * comb(l + d - 2, l)
    assert above % (l + d - 2) == 0
    assert multiplicity(d, l) == above // (l + d - 2)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_polynomials_agree_with_mpmath(d):
    t = np.array([-0.9, -0.3, 0.0, 0.2, 0.7])
    found = legendre(d, 12, t)
    with mpmath.workdps(40):
        truth = [[float(gegenbauer(d, l, mpmath.mpf(x))) for x in t] for l in range(13)]
    assert agree(found, truth, rounding(1.0))
    assert not agree(found[1:], truth[:-1], rounding(1.0))  # one degree off


@pytest.mark.parametrize("d", DIMENSIONS)
def test_the_ends(d):
    ends = legendre(d, 20, np.array([1.0, -1.0]))
    assert agree(ends[:, 0], 1.0, rounding(1.0))
    assert agree(ends[:, 1], (-1.0) ** np.arange(21), rounding(1.0))


@pytest.mark.parametrize("d", [2, 3, 10, 50])
def test_orthogonality_under_the_quadrature(d):
    points = 128
    p, w = legendre(d, 10, np.cos(angles(points))), weights(d, points)
    gram = (p * w) @ p.T
    truth = np.diag([1 / multiplicity(d, l) for l in range(11)])
    assert agree(gram, truth, rounding(1.0))


@pytest.mark.parametrize("d", [2, 3, 4, 9, 100, 1000])
def test_weights_are_the_measure(d):
    """Moments of one coordinate: E[t^2] = 1/d, E[t^4] = 3/(d (d + 2)); even in t; of sum one."""
    points = 512
    t, w = np.cos(angles(points)), weights(d, points)
    assert agree(w.sum(), 1.0, rounding(1.0))
    assert agree(w @ t**2, 1 / d, rounding(1 / d))
    assert agree(w @ t**4, 3 / (d * (d + 2)), rounding(3 / (d * (d + 2)), 3))
    assert agree(w @ t, 0.0, rounding(1.0))
    assert not agree(w @ t**2, 1 / (d + 1), rounding(1 / d))


@pytest.mark.parametrize("d", [20, 50, 1000])
def test_equal_steps_do_in_many_dimensions(d):
    """Moments of one coordinate, and a square root that is singular at one end."""
    theta, w = equal_angles(d, int(4 * np.sqrt(d)) + 32)
    t = np.cos(theta)
    assert agree(w @ t**4, 3 / (d * (d + 2)), rounding(3 / (d * (d + 2)), 3))
    assert agree(w @ t**3, 0.0, rounding(1 / d))
    fine = weights(d, 2048) @ np.sqrt(1 - np.cos(angles(2048)))
    assert agree(w @ np.sqrt(1 - t), fine, rounding(1.0))
    # where the measure does not vanish fast enough at the ends, they do not
    t, w = np.cos(equal_angles(3, 128)[0]), equal_angles(3, 128)[1]
    assert not agree(w @ t**4, 1 / 5, rounding(1.0))


def test_weights_agree_with_mpmath_on_a_singular_function():
    """sqrt(1 - t) is smooth in the angle, so the rule must still be exact."""
    truth = float(sphere_average(3, lambda t: mpmath.sqrt(1 - t)))
    found = weights(3, 256) @ np.sqrt(1 - np.cos(angles(256)))
    assert agree(found, truth, rounding(truth))


@given(st.sampled_from([2, 3, 6]), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_the_addition_theorem_makes_positive_matrices(d, l, seed):
    """deg(l) P_l(x.y) = sum_m Y_lm(x) Y_lm(y): a Gram matrix of rank deg(l)."""
    x = np.random.default_rng(seed).standard_normal((9, d))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    matrix = legendre(d, l, np.clip(x @ x.T, -1, 1))[l]
    values = np.linalg.eigvalsh(matrix)
    assert values[0] >= -rounding(9.0)
    above = np.count_nonzero(values > 1e3 * rounding(9.0))
    assert above <= multiplicity(d, l)


def test_zonal_sums_the_series():
    t, a = np.linspace(-1, 1, 7), np.array([0.3, -1.0, 2.0, 0.5])
    truth = sum(c * p for c, p in zip(a, islice(harmonics(6, t), 4), strict=True))
    assert agree(zonal(6, a, t), truth, rounding(4.0))


def test_halving_the_nodes_keeps_them():
    assert agree(angles(64)[::2], angles(32), rounding(np.pi))


@pytest.mark.parametrize(("d", "l"), [(1, 0), (0, 2), (3, -1), (2.5, 1), (True, 1)])
def test_bad_questions(d, l):
    with pytest.raises(InvalidInput, match="whole number"):
        multiplicity(d, l)
