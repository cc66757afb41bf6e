"""A kink at zero: found, taken out, and put back in closed form."""

import mpmath
import numpy as np
import pytest

from fieldtheory.model.activation import activation
from fieldtheory.model.averages import bend, expansion
from fieldtheory.model.averages.dual import Dual, world
from fieldtheory.model.averages.expansion import Expansion
from fieldtheory.model.averages.jet import JET, Jet
from fieldtheory.model.averages.mehler import Mehler
from fieldtheory.model.kernel import REAL
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum
from tests.oracles import gaussians
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding

P = np.array([-1.0, -0.999, -0.6, 0.0, 0.3, 0.99, 0.9999, 1.0])
FUNCTIONS = {
    "absolute": (np.abs, 1.0),
    "ramp": (lambda u: np.maximum(u, 0.0), 0.5),
    "mirrored": (lambda u: np.maximum(-3 * u, 0.5 * u), 1.75),
    "ramp and wave": (lambda u: np.maximum(u, 0.0) + np.cos(3 * u), 0.5),
    "exponential unit": (lambda u: np.where(u > 0, 2 * u, np.expm1(np.minimum(u, 0))), 0.5),
    "narrow": (lambda u: np.abs(u) / (1 + 100 * u**2), 1.0),
    "smooth": (np.tanh, 0.0),
    "curved at zero": (lambda u: u * np.abs(u), 0.0),
    "kink elsewhere": (lambda u: np.abs(u - 0.7), 0.0),
    "jump": (lambda u: 1.0 * (u > 0), 0.0),
    "jump and kink": (lambda u: np.abs(u) + np.sign(u), 0.0),
    "vertical": (lambda u: np.sqrt(np.abs(u)), 0.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_kink_is_found(name):
    function, size = FUNCTIONS[name]
    assert agree(bend.bend(function), size, rounding(1.0, 10))


def check_coefficients():
    found = bend.coefficients(np.array([1.0, 4.0]), 9)
    truth = [gaussians.overlap(mpmath.fabs, 1.0, k, breaks=(0,)) for k in range(9)]
    assert agree(found, np.outer([1, 2], truth), rounding(1.0))


def test_coefficients_of_the_absolute_value():
    check_coefficients()


def covariance(q, p):
    """<phi(u) phi(v)> for phi = 2 |u| + cos u; of its three terms the mixed one is an integral."""
    angles = 2 * q / mpmath.pi * (mpmath.sqrt(1 - p * p) + p * mpmath.asin(p))
    waves = mpmath.exp(-q) * mpmath.cosh(q * p)
    root = mpmath.sqrt(q)
    half = mpmath.quad(
        lambda z: root * z * mpmath.cos(p * root * z) * mpmath.npdf(z), mpmath.linspace(0, 16, 9)
    )
    return 4 * angles + waves + 8 * mpmath.exp(-q * (1 - p * p) / 2) * half


def bent(u):
    return 2 * np.abs(u) + np.cos(u)


def check_averages():
    """Values, slopes, and derivatives by variance and correlation, up to correlations near one."""
    expansion._expansion.cache_clear()
    phi, q, p = Mehler("bent", bent), 0.8, np.array([-0.9, 0.2, 0.999])
    moved = phi.covariance(Dual(q, (1.0, 0.0)), Dual(p, (0.0, 1.0)), world(REAL))
    slopes = phi.slope_covariance(q, p, REAL)
    with mpmath.workdps(25):
        for n, each in enumerate(p):
            at = mpmath.mpf(q), mpmath.mpf(each)
            by_variance, by_correlation = (
                float(mpmath.diff(covariance, at, order)) for order in ((1, 0), (0, 1))
            )
            assert agree(moved.value[n], float(covariance(*at)), rounding(8.0))
            assert agree(moved.tangents[0][n], by_variance, rounding(8.0))
            assert agree(moved.tangents[1][n], by_correlation, rounding(8.0))
            assert agree(slopes[n], by_correlation / q, rounding(8.0))


def test_averages_of_a_function_with_a_kink():
    check_averages()


@pytest.mark.parametrize(
    ("function", "old", "new", "check"),
    [
        (bend.coefficients, "(k - 1)", "(k + 1)", check_coefficients),
        (bend.coefficients, "np.sqrt(variances)", "variances", check_coefficients),
        (bend.average, "q * generated", "generated", check_averages),
        (expansion.average, "found.bend**2", "found.bend", check_averages),
        (Expansion.variance_series, "+ self.kinked * a)", ")", check_averages),
        (Expansion.variance_series, "(a + self.kinked)", "a", check_averages),
    ],
)
def test_a_spoilt_average_is_seen(monkeypatch, function, old, new, check):
    inside = function is expansion.average
    spoil(monkeypatch, function, old, new)
    if inside:
        monkeypatch.setattr("fieldtheory.model.averages.mehler.average", expansion.average)
    assert not survives(check)


@pytest.mark.parametrize("slope", [-1.0, 0.0, 0.3])
def test_a_callable_is_as_good_as_a_name(slope):
    """Values and slopes to rounding at every correlation, and the same spectrum as fast a way."""
    ours = activation(lambda u: np.maximum(u, slope * u), name="mine")
    theirs = activation("leaky_relu", slope=slope)
    for q in (0.3, np.array([[0.5], [2.0]])):
        for mine, closed in (
            (ours.covariance(q, P, REAL), theirs.covariance(q, P, REAL)),
            (ours.slope_covariance(q, P, REAL), theirs.slope_covariance(q, P, REAL)),
        ):
            assert agree(mine, closed, rounding(2.0))
    t = np.array([-0.5, 0.2, 0.9])
    series = [
        phi.covariance(0.7, Jet.variable(t, 1 + 0 * t, 9), JET).coefficients
        for phi in (ours, theirs)
    ]
    assert agree(*series, rounding(np.abs(series[1]) + 1))
    found, exact = (spectrum(Network(3, phi).on_sphere(3), 3, degrees=60) for phi in (ours, theirs))
    assert agree(found.eigenvalues, exact.eigenvalues, found.errors + exact.errors)
    assert np.all(found.errors <= 1e-9 * exact.eigenvalues)


def test_a_kink_and_a_curve_within_the_stated_errors(monkeypatch):
    """The scaled exponential unit, whose curvature jumps too, with and without taking it out."""
    phi = activation(lambda u: np.where(u > 0, u, 1.67 * np.expm1(np.minimum(u, 0))), name="selu")
    kernel = Network(3, phi).on_sphere(10, "dimension")
    found = spectrum(kernel, 10, degrees=6)
    monkeypatch.setattr(bend, "bend", lambda function: 0.0)
    expansion._expansion.cache_clear()
    worse = spectrum(kernel, 10, degrees=6)
    expansion._expansion.cache_clear()
    assert agree(found.eigenvalues, worse.eigenvalues, found.errors + worse.errors)
    assert np.all(found.errors < 1e-9 * found.eigenvalues)
    assert np.any(worse.errors > 1e-9 * worse.eigenvalues)
