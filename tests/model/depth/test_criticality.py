"""Layers as a flow: fixed points by root finding, limits, asymptotics, bad questions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.activation import activation
from fieldtheory.model.depth import criticality
from fieldtheory.model.depth.criticality import RepeatedLayer, averages, depth_flow
from fieldtheory.model.network import Network
from tests.oracles import depth, gaussians
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, asymptotic, rounding

SETTINGS = [
    ("tanh", 1.5, 0.1, 0.5),
    ("tanh", 2.5, 0.1, 1.1),
    ("erf", 2.0, 0.1, 1.0),
    ("erf", 0.7, 0.3, 0.5),
    ("relu", 1.2, 0.4, 1.0),
    ("gelu", 1.5, 0.3, 0.6),
]


def check(name, weight, bias, guess):
    found = RepeatedLayer(name, weight, bias).fixed_point()
    q, perp, parallel = depth.fixed_point(name, weight, bias, guess)
    assert agree(found.variance, q, rounding(q))
    assert agree(found.chi.perp, perp, rounding(1.0))
    assert agree(found.chi.parallel, parallel, rounding(1.0))
    return found


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_fixed_points_by_independent_root_finding(setting):
    found = check(*setting)
    assert found.phase == ("chaotic" if found.chi.perp > 1 else "ordered")
    assert agree(found.variance_length, -1 / math.log(found.chi.parallel), rounding(100.0))
    if found.phase == "ordered":
        assert found.correlation == 1.0
        assert agree(found.correlation_length, -1 / math.log(found.chi.perp), rounding(100.0))


@pytest.mark.parametrize(
    ("where", "old", "new"),
    [
        (RepeatedLayer.chi, "self.weight_variance * slopes", "slopes"),
        (RepeatedLayer.chi, "self.weight_variance * growth", "self.weight_variance * slopes"),
        (RepeatedLayer._still, "/ x - 1", "/ x - 1.01"),
        (averages, "phi.slope_covariance(q, 1.0", "phi.slope_covariance(q, 0.9"),
    ],
)
def test_the_oracle_rejects_mutants(monkeypatch, where, old, new):
    spoil(monkeypatch, where, old, new)
    assert not survives(lambda: [check(*setting) for setting in SETTINGS[:2]])


def test_the_correlation_of_a_chaotic_network():
    """p* = the map of p*, with the two-dimensional integral of the oracle; and its slope."""
    found = RepeatedLayer("tanh", 2.5, 0.1).fixed_point()
    q, p = found.variance, found.correlation
    again = (2.5 * gaussians.pair(np.tanh, q, p) + 0.1) / q
    assert agree(again, p, rounding(1.0, 10))
    slope = 2.5 * gaussians.pair(np.tanh, q, p + 1e-30j).imag / 1e-30 / q
    assert agree(found.slope, slope, rounding(1.0, 10))
    assert 0 < p < 1
    assert found.slope < 1 < found.chi.perp


@pytest.mark.parametrize(
    ("name", "weight", "f"),
    [("tanh", 1.2, np.tanh), ("tanh", 1.5, np.tanh), ("sin", 1.5, np.sin)],
)
def test_odd_networks_without_bias_end_at_right_angles(name, weight, f):
    """p = -1 is a fixed point too, but nothing flows there: 0 it is, and the slope there."""
    found = RepeatedLayer(name, weight, 0.0).fixed_point()
    assert found.correlation == 0.0
    slope = weight * gaussians.pair(f, found.variance, 1e-30j).imag / 1e-30 / found.variance
    assert agree(found.slope, slope, rounding(1.0, 10))
    assert found.phase == "chaotic"
    assert found.to_dict()["correlation_length"] == -1 / math.log(found.slope)


def test_a_variance_that_grows_slowly_without_end():
    """GELU at weight variance 2 gains its bias variance at every layer: rounding is no end."""
    found = RepeatedLayer("gelu", 2.0, 0.2).fixed_point()
    assert (found.variance, found.correlation, found.phase) == (math.inf, 1.0, "critical")


@given(st.sampled_from(["tanh", "erf", "gelu", "relu"]), st.floats(0.2, 1.5), st.floats(0.01, 1.0))
@settings(max_examples=25)
def test_iterating_the_map_ends_at_the_fixed_point(name, weight, bias):
    layer = RepeatedLayer(name, weight, bias)
    found, q = layer.fixed_point(), 1.0
    for _ in range(300):
        q = float(layer.variance(q))
    left = abs(found.chi.parallel) ** 300
    assert agree(q, found.variance, rounding(found.variance, 10) + asymptotic(left * q))


def test_limits_of_the_flow():
    linear = RepeatedLayer("identity", 0.5, 0.25).fixed_point()
    assert agree(linear.variance, 0.5, rounding(1.0))
    assert linear.chi.perp == linear.chi.parallel == 0.5
    grown = RepeatedLayer("relu", 3.0, 0.5).fixed_point()
    assert (grown.variance, grown.phase) == (math.inf, "chaotic")
    gone = RepeatedLayer("tanh", 0.5, 0.0).fixed_point()
    assert (gone.variance, gone.phase) == (0.0, "ordered")
    still = RepeatedLayer("relu", 2.0, 0.0).fixed_point(start=3.0)
    assert (still.variance, still.phase) == (3.0, "critical")
    assert still.correlation_length == math.inf
    assert RepeatedLayer("tanh", 1.0, 0.0).fixed_point().phase == "critical"


def test_a_residual_connection_slows_the_flow():
    """With z <- s z + W phi(z) + b the variance of a linear network is 1 / (1 - s^2 - sw2) sb2."""
    found = RepeatedLayer("identity", 0.3, 0.2, residual=0.5).fixed_point()
    assert agree(found.variance, 0.2 / (1 - 0.25 - 0.3), rounding(1.0))
    assert agree(found.chi.perp, 0.55, rounding(1.0))


@pytest.mark.slow
def test_tanh_at_criticality_falls_as_one_over_twice_the_depth():
    """q = 1 / (2 l) up to terms of order log(l) / l^2, which must shrink."""
    layer, q, wrong = RepeatedLayer("tanh", 1.0, 0.0), 1.0, []
    for count in range(1, 4001):
        q = float(layer.variance(q))
        if count in (250, 1000, 4000):
            neglected = math.log(count) / count
            wrong.append(2 * count * q - 1)
            assert agree(2 * count * q, 1.0, asymptotic(neglected))
    assert abs(wrong[2]) < abs(wrong[1]) / 2 < abs(wrong[0]) / 4
    assert not agree(count * q, 1.0, asymptotic(neglected))


def test_the_flow_of_a_network():
    network = Network(5, "erf", (1.5, 2.0, 1.0, 0.5, 1.0), 0.2, residual=0.5)
    flow = depth_flow(network, 6, cosine=0.3, input_norm="dimension")
    for layers in range(1, 6):
        part = Network(
            layers, "erf", network.weights[:layers], 0.2, "nngp", residual=0.5
        ).on_sphere(6, "dimension")
        if layers in (1, 2, 5):  # the last layer of a network has no connection around it
            assert agree(flow.variances[layers - 1], part.trace, rounding(3.0)) == (layers != 2)
    assert flow.chi.perp.shape == (4,)
    assert np.all(np.abs(flow.correlations) <= 1)
    assert flow.variances.size == flow.correlations.size == 5
    slope = 2.0 * activation("erf").slope_covariance(flow.variances[0], 1.0) + 0.25
    assert agree(flow.chi.perp[0], slope, rounding(1.0))


def test_a_flow_converges_at_the_predicted_rate():
    """The distance of the correlation from p* shrinks by `slope` at every layer."""
    found = RepeatedLayer("tanh", 1.5, 0.1).fixed_point()
    flow = depth_flow(Network(40, "tanh", 1.5, 0.1, "nngp"), 5, input_norm="dimension")
    away = 1 - flow.correlations
    neglected = away[-2]  # the next term of the map is of this relative size
    assert agree(away[-1] / away[-2], found.slope, asymptotic(neglected))
    assert agree(flow.variances[-1], found.variance, rounding(1.0, 10))


@given(st.floats(0.01, 50), st.sampled_from(["cos(3.0)", "relu", "hermite(3)"]))
def test_the_variance_cannot_oscillate(q, name):
    """d<phi^2>/dq = <phi^2 (z^2 - 1)> / 2q is at least -<phi^2> / 2q."""
    chi = RepeatedLayer(name, 1.0, 0.0).chi(q).parallel
    assert chi >= -float(RepeatedLayer(name, 1.0, 0.0).variance(q)) / (2 * q) - rounding(1.0)


def test_pictures_and_printing():
    flow = depth_flow(Network(20, "relu", 2.0, 0.0), 10)
    assert [line.label for line in flow.picture().lines] == [
        "variance",
        "correlation of two inputs",
    ]
    assert "layer  variance" in str(flow)
    assert "..." in str(flow)
    assert len(str(depth_flow(Network(1), 10)).splitlines()) == 3
    text = str(RepeatedLayer("relu", 1.0, 0.5).fixed_point())
    assert text == (
        "ordered: variance 1, correlation 1, chi_perp 0.5, chi_parallel 0.5, "
        "correlation length 1.443 layers"
    )


def test_kinks_have_susceptibilities_and_jumps_have_none():
    assert agree(RepeatedLayer(np.abs, 1.0, 0.0).chi(2.0).parallel, 1.0, rounding(1.0))
    with pytest.raises(InvalidInput, match="jumps: its slope has no Gaussian average"):
        RepeatedLayer("step", 1.0, 0.0).chi(1.0)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda: RepeatedLayer("rely", 1.0), "did you mean 'relu'"),
        (lambda: RepeatedLayer("relu", -1.0), "weight_variance = -1"),
        (lambda: RepeatedLayer("relu", 1.0, -1.0), "bias_variance = -1"),
        (lambda: RepeatedLayer("relu", 1.0).fixed_point(0.0), "start = 0"),
        (lambda: depth_flow(Network(2), 5, cosine=2), "cosine = 2"),
        (lambda: depth_flow(Network(2, "step", kernel="nngp"), 5), "jumps"),
    ],
)
def test_bad_questions(question, message):
    with pytest.raises(InvalidInput, match=message):
        question()


def test_the_module_has_no_search_beyond_its_range():
    assert criticality.SMALLEST < 1e-9 < 1e9 < criticality.LARGEST
