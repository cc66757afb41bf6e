"""Mehler's expansion: sums, derivatives by variance and correlation, remainders, errors."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import erf, ndtr

from fieldtheory.model.activation import activation
from fieldtheory.model.averages import expansion as module
from fieldtheory.model.averages.dual import Dual, world
from fieldtheory.model.averages.expansion import Expansion, average, expansion, polynomial
from fieldtheory.model.averages.jet import JET, Jet
from fieldtheory.model.averages.mehler import Mehler
from fieldtheory.model.kernel import REAL
from fieldtheory.model.measures.projection import NUDGE
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum
from tests.oracles import gaussians
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding

TANH = Mehler("tanh", np.tanh, lambda z: 1 / np.cosh(z) ** 2)
RAMP = Mehler("ramp", lambda z: np.maximum(z, 0.0), lambda z: 1.0 * (z > 0))
SHIFTED = Mehler("shifted", lambda z: np.maximum(z - 0.5, 0.0), lambda z: 1.0 * (z > 0.5))
SHAKEN = SimpleNamespace(**{**vars(REAL), "clip": lambda p, *ends: np.clip(p, *ends) * (1 - NUDGE)})
P = np.array([-0.9, -0.3, 0.0, 0.5, 0.95])


def truth(q, p):
    return np.array([gaussians.pair(np.tanh, q, each) for each in p])


@pytest.mark.parametrize("q", [0.05, 0.5, 1.0])
def test_tanh_is_the_integral(q):
    """The trapezium rule of the oracle is exact to rounding for tanh up to variances about one."""
    assert agree(TANH.covariance(q, P, REAL), truth(q, P), rounding(1.0))


@pytest.mark.parametrize("q", [0.3, 1.0])
def test_derivatives_by_variance_and_correlation(q):
    """Complex step in the oracle, where the variance and the correlation become complex."""
    step = 1e-30
    for p in (-0.4, 0.3, 0.8):
        by_q = gaussians.pair(np.tanh, q + 1j * step, p).imag / step
        by_p = gaussians.pair(np.tanh, q, p + 1j * step).imag / step
        at = np.array([p])
        found = TANH.covariance(Dual(q, (1.0, 0.0)), Dual(at, (0 * at, 1 + 0 * at)), world(REAL))
        assert agree(found.tangents[0], by_q, rounding(1.0))
        assert agree(found.tangents[1], by_p, rounding(1.0))
        assert not agree(found.tangents[0], by_p, rounding(1.0))
        slope = TANH.slope_covariance(q, at, REAL)
        assert agree(slope, by_p / q, rounding(1.0))


def check_slopes():
    """d/dq and d/dp of the slope covariance by differences; the step's own error is known."""
    q, p, h = 0.8, np.array([0.6]), 1e-4
    found = TANH.slope_covariance(Dual(q, (1.0, 0.0)), Dual(p, (0 * p, 1 + 0 * p)), world(REAL))
    for n, (dq, dp) in enumerate(((h, 0.0), (0.0, h))):
        ends = [TANH.slope_covariance(q + s * dq, p + s * dp, REAL) for s in (1, -1, 2, -2)]
        slope = (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * h)
        assert agree(found.tangents[n], slope, rounding(1 / h))


def test_derivatives_of_the_slopes():
    check_slopes()


@pytest.mark.parametrize(
    ("where", "old", "new"),
    [
        (Expansion.variance_series, "k * a + np.sqrt", "np.sqrt"),
        (Expansion.variance_series, "(k + 1) * (k + 2)", "(k + 1) * (k + 1)"),
        (Expansion.variance_series, "a[:, 2:]", "a[:, :-2]"),
        (Expansion._derived, "np.arange(1.0, c.shape[1])", "np.arange(0.0, c.shape[1] - 1)"),
        (average, "order + 1", "order"),
    ],
)
def test_the_check_rejects_spoilt_derivatives(monkeypatch, where, old, new):
    spoil(monkeypatch, where, old, new)
    if where is average:
        monkeypatch.setattr("fieldtheory.model.averages.mehler.average", module.average)
    assert not survives(check_slopes)


def test_one_input_seen_twice_needs_no_expansion():
    step = 1e-30
    q = Dual(0.7, (1.0,))
    found = TANH.covariance(q, 1.0, world(REAL))
    z = np.arange(-10, 10.01, 0.05)
    weight = np.exp(-(z**2) / 2) / np.sum(np.exp(-(z**2) / 2))
    exact = weight @ np.tanh(np.sqrt(0.7 + 1j * step) * z) ** 2
    assert agree(found.value, exact.real, rounding(1.0))
    assert agree(found.tangents[0], exact.imag / step, rounding(1.0))
    series = expansion(TANH.function, "tanh", TANH.slope, 0.7)
    assert agree(series.coefficients[0] @ series.coefficients[0], exact.real, rounding(1.0))


def test_variances_broadcast_against_correlations():
    q = np.array([[0.2], [1.0], [3.0]])
    together = TANH.covariance(q, P, REAL)
    assert together.shape == (3, P.size)
    for row, each in zip(together, q[:, 0], strict=True):
        assert agree(row, TANH.covariance(each, P, REAL), rounding(1.0))


@pytest.mark.parametrize("terms", [1, 2, 3, 7, 30])
def test_polynomials_of_series(terms):
    """Blocks against Horner with the same numbers, series by series."""
    rng = np.random.default_rng(terms)
    c, p = rng.uniform(0, 1, terms), Jet(rng.uniform(-0.5, 0.5, (6, 4)))
    direct = Jet(np.zeros((6, 4)))
    for a in c[::-1]:
        direct = direct * p + a
    for kept in (c, np.where(np.arange(terms) % 2, c, 0), np.where(np.arange(terms) % 2, 0, c)):
        direct = Jet(np.zeros((6, 4)))
        for a in kept[::-1]:
            direct = direct * p + a
        found = polynomial(kept[None, :], p, ())
        assert agree(found.coefficients, direct.coefficients, rounding(10.0))


def test_what_a_kink_leaves_out():
    """A ramp from 1/2 on: averages of one input from the normal distribution."""
    found = SHIFTED(1.0)
    assert found.coefficients.shape[1] >= 2048
    assert 1e-8 < found.neglected < 1e-5
    assert TANH(1.0).neglected == 0.0
    assert TANH(1.0).parity == -1
    # p = 1 is exact in spite of it, and so is the slope there, if it is known
    above = ndtr(-0.5)
    square = 1.25 * above - 0.5 * np.exp(-0.125) / np.sqrt(2 * np.pi)
    assert agree(SHIFTED.covariance(1.0, 1.0, REAL), square, rounding(1.0))
    assert agree(average(found, 1.0, np.array([1.0]), REAL, 0), square, rounding(1.0))
    assert agree(average(found, 1.0, np.array([1.0]), REAL, 1), above, rounding(1.0))


def test_a_shaken_world_shows_what_is_lost():
    """Coefficients move by their rounding, and the remainder goes: see `projection`."""
    p = np.array([0.5, 0.9999])
    smooth = TANH.covariance(1.0, p, SHAKEN) - TANH.covariance(1.0, p, REAL)
    assert np.all(smooth > 0)
    assert agree(smooth, 0.0, rounding(1.0))
    kinked = SHIFTED.covariance(1.0, p, SHAKEN) - SHIFTED.covariance(1.0, p, REAL)
    assert abs(kinked[1]) > rounding(1000.0)
    assert TANH.covariance(1.0, 1.0, SHAKEN) == TANH.covariance(1.0, 1.0, REAL)


@pytest.mark.parametrize("kernel", ["nngp", "ntk"])
@pytest.mark.parametrize("whole", [False, True])
def test_the_errors_of_a_spectrum_hold_with_an_expansion(monkeypatch, kernel, whole):
    """A function with a kink, and a smooth one, against closed forms, within stated errors; also
    where the kink is not taken out first."""
    if whole:
        monkeypatch.setattr(module.bend, "bend", lambda function: 0.0)
    module._expansion.cache_clear()
    for name, function, slope in (
        ("relu", RAMP.function, RAMP.slope),
        ("erf", erf, lambda z: 2 / np.sqrt(np.pi) * np.exp(-(z**2))),
    ):
        ours = Network(3, activation(function, slope=slope, name="mine"), 1.5, 0.2, kernel)
        theirs = Network(3, name, 1.5, 0.2, kernel)
        found = spectrum(ours.on_sphere(6, "dimension"), 6)
        exact = spectrum(theirs.on_sphere(6, "dimension"), 6, degrees=found.eigenvalues.size - 1)
        assert found.eigenvalues.size >= (3 if whole and name == "relu" else 40)
        budget = found.errors + exact.errors
        assert agree(found.eigenvalues, exact.eigenvalues, budget)
        assert ("leaves out" in found.name) == (whole and name == "relu")
    module._expansion.cache_clear()


def test_power_series_of_a_network_with_tanh():
    """Depth 2 without bias: b_k are the squared Hermite coefficients, by the oracle's integrals."""
    import mpmath

    kernel = Network(2, "tanh", 1.0, 0.0, "nngp").on_sphere(5, "dimension")
    b = kernel.power_series(7)
    for k in range(8):
        truth = gaussians.overlap(mpmath.tanh, 1.0, k) ** 2
        assert agree(b[k], truth, rounding(1.0))
    assert np.all(b[::2] == 0)
    assert isinstance(TANH.covariance(1.0, Jet.variable(P, 1 + 0 * P, 3), JET), Jet)
