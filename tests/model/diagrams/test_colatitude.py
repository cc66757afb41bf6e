"""Quadrature and interpolation in the angle between two samples, against exact averages."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import roots_legendre

from fieldtheory.model.diagrams.colatitude import (
    Stencil,
    azimuths,
    colatitudes,
    gauss,
    interlaced,
    measure,
    rests,
)
from tests.oracles.spherical import count, harmonic
from tests.tolerance import agree, asymptotic, rounding


@pytest.mark.parametrize("d", [2, 3, 4, 7, 50, 1000, 10**4])
def test_moments_of_the_measure(d):
    """E[t^2] = 1/d, E[t^4] = 3/(d(d+2)), and harmonics are orthogonal."""
    points = 4 * (50 + int(2 * np.sqrt(d)))
    t, w = np.cos(colatitudes(points)), measure(d, points)
    assert agree(w @ t**2, 1 / d, rounding(1 / d, 10))
    assert agree(w @ t**4, 3 / (d * (d + 2)), rounding(3 / d**2, 10))
    assert agree(w @ t**3, 0, rounding(1.0))
    P = 1 - rests(d, 4, colatitudes(points))
    norms = (P * w) @ P.T
    typical = np.array([count(d, l) ** -0.5 for l in range(4)])
    known = typical + 1e-3  # digits of 1 - P_l are not digits of a small P_l
    assert agree(norms, np.diag(typical**2), rounding(np.outer(known, known), 10))


@pytest.mark.parametrize("d", [2, 3, 5, 30])
@given(theta=st.floats(0.01, 3.1))
def test_rests_are_one_minus_a_harmonic(d, theta):
    found = rests(d, 8, np.array([theta]))[:, 0]
    truth = [1 - harmonic(d, l, np.cos(theta)) for l in range(8)]
    assert agree(found, truth, rounding(1.0, 10))


@pytest.mark.parametrize("theta", [1e-8, 1e-4, 0.3])
def test_rests_keep_their_digits_near_coincidence(theta):
    """Where one minus a harmonic cancels; in three dimensions, to fifty digits by mpmath."""
    found = rests(3, 30, np.array([theta]))[:, 0]
    with mpmath.workdps(50):
        exact = [1 - mpmath.legendre(l, mpmath.cos(mpmath.mpf(theta))) for l in range(30)]
    assert agree(found, np.array([float(x) for x in exact]), rounding(found, 10))


def test_no_node_is_a_coincidence():
    for points in (4, 64, 4096):
        assert 0 < colatitudes(points)[0] < colatitudes(points)[-1] < np.pi


@pytest.mark.parametrize("points", [3, 8, 20])
def test_gauss_rules_are_exact(points):
    """For the Legendre measure they are SciPy's; for any measure, polynomials to 2 n - 1."""
    x, w = roots_legendre(200)
    for size, rule in zip((points, points + 1), interlaced(x, w, points), strict=True):
        for part, truth, one in zip(rule, roots_legendre(size), gauss(x, w, size), strict=True):
            assert agree(part, truth, rounding(1.0, 10))
            assert agree(part, one, rounding(1.0, 10))
    draw = np.random.default_rng(points)
    x, w = draw.uniform(-1, 1, 300), draw.random(300)
    nodes, weights = gauss(x, w, points)
    for power in range(2 * points):
        assert agree(weights @ nodes**power, w @ x**power, rounding(w.sum(), 10))
    assert not agree(weights @ nodes ** (2 * points), w @ x ** (2 * points), rounding(1e-4))


@pytest.mark.parametrize("d", [2, 3, 4, 5, 9, 100, 10**4])
def test_azimuths(d):
    """An angle on S^(d-2): its cosine has the moments 1/(d-1), 3/((d-1)(d+1)), odd ones none."""
    haversine, w = azimuths(d, 12)
    cosine = 1 - 2 * haversine
    assert agree(np.sum(w), 1, rounding(1.0))
    assert agree(w @ cosine, 0, rounding(1.0))
    assert agree(w @ cosine**2, 1 / (d - 1), rounding(1 / (d - 1), 10))
    assert agree(w @ cosine**4, 3 / ((d - 1) * (d + 1)), rounding(3 / (d - 1) ** 2, 10))


@pytest.mark.parametrize("shape", [lambda x: np.cos(3 * x), lambda x: x**2, np.sin])
def test_interpolation(shape):
    """Sixth order in the spacing: a doubled grid gains a factor of sixty-four."""
    targets = np.linspace(0, np.pi, 301)
    errors = []
    for points in (40, 80, 160):
        found = Stencil.at(targets, points)(shape(colatitudes(points)))
        errors.append(np.max(np.abs(found - shape(targets))))
    assert errors[2] < errors[1] / 30 < errors[0] / 900
    assert agree(errors[0], 0, asymptotic((np.pi / 40) ** 6 * 1e3))


def test_the_transpose_of_interpolation():
    draw = np.random.default_rng(0)
    targets, points = draw.uniform(0, np.pi, (3, 4, 5)), 32
    stencil = Stencil.at(targets, points)
    values, weights = draw.standard_normal(points), draw.standard_normal((3, 4, 5))
    both = np.sum(weights * stencil(values), axis=(1, 2))
    assert agree(stencil.collected(weights, points) @ values, both, rounding(10.0))
    turned = stencil.swapped().collected(weights.swapaxes(0, 1), points)
    assert agree(turned @ values, np.sum(weights * stencil(values), axis=(0, 2)), rounding(10.0))
    flat = Stencil.at(targets[0, 0], points)
    assert agree(flat.matrix(points) @ values, flat(values), rounding(10.0))
