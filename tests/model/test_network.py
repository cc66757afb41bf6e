"""Networks: the layer recursion against plain loops and Monte Carlo, limits, and bad questions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.network import Network
from tests.oracles.quadrature import gaussian_pair, ramp_pair
from tests.tolerance import agree, rounding, sampling

COSINES = [-0.8, 0.0, 0.3, 0.95]


def averages(activation, q, p):
    if activation == "relu":
        return ramp_pair(q, p, 1), ramp_pair(q, p, 0)

    def slope(z):
        return 2 / math.sqrt(math.pi) * np.exp(-(z**2))

    return gaussian_pair(erf, q, p), gaussian_pair(slope, q, p)


def by_hand(network, t, first):
    """The recursion of the docstring on 2x2 Gaussians, no correlation in sight."""
    sw2, sb2 = network.weight_variance, network.bias_variance
    same, other = sw2 * first + sb2, sw2 * first * t + sb2
    tangent = other
    for _ in range(network.depth - 1):
        product, slope = averages(network.activation, same, other / same)
        if network.activation == "relu":
            same = sw2 * same / 2 + sb2
        else:
            same = sw2 * 2 / math.pi * math.asin(2 * same / (1 + 2 * same)) + sb2
        other = sw2 * product + sb2
        tangent = other + tangent * sw2 * slope
    return tangent if network.kernel == "ntk" else other


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("kernel", ["ntk", "nngp"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_recursion(activation, kernel, depth):
    network = Network(depth, activation, 1.7, 0.2, kernel)
    for norm, first in (("unit", 1 / 6), ("dimension", 1.0)):
        found = network.on_sphere(6, norm)(np.array(COSINES))
        truth = [by_hand(network, t, first) for t in COSINES]
        assert agree(found, truth, rounding(10.0))
        assert not agree(
            found, [by_hand(network, t, 1.01 * first) for t in COSINES], rounding(10.0)
        )


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_a_wide_random_network_has_this_covariance(activation):
    """One hidden layer drawn at random: the mean of phi(u) phi(v) over many units."""
    rng, d, draws = np.random.default_rng(3), 4, 400_000
    x = np.zeros((2, d))
    x[0, 0], x[1, :2] = 1.0, (0.6, 0.8)
    network = Network(2, activation, 1.5, 0.3, "nngp")
    before = rng.standard_normal((draws, d)) @ x.T * math.sqrt(1.5 / d)
    before += math.sqrt(0.3) * rng.standard_normal((draws, 1))
    after = np.maximum(before, 0) if activation == "relu" else erf(before)
    products = 1.5 * after[:, 0] * after[:, 1] + 0.3
    error = products.std(ddof=1) / math.sqrt(draws)
    found = network.on_sphere(d)(0.6)
    assert agree(found, products.mean(), sampling(error))
    spoilt = Network(2, activation, 1.6, 0.3, "nngp").on_sphere(d)(0.6)
    assert not agree(spoilt, products.mean(), sampling(error))


@given(st.floats(-1, 1), st.floats(0.1, 5), st.floats(0, 3), st.sampled_from(["ntk", "nngp"]))
def test_depth_one_is_linear(t, sw2, sb2, kernel):
    found = Network(1, "relu", sw2, sb2, kernel).on_sphere(7)(t)
    assert agree(found, sw2 * t / 7 + sb2, rounding(sw2 + sb2))


@given(st.integers(1, 12), st.floats(0.1, 3), st.floats(-1, 1))
def test_relu_without_bias_is_homogeneous(depth, sw2, t):
    """K scales as the square of the inputs."""
    network = Network(depth, "relu", sw2, 0.0)
    small, large = (network.on_sphere(9, norm)(t) for norm in ("unit", "dimension"))
    assert agree(9 * small, large, rounding(large, 10 * depth))


@pytest.mark.parametrize("depth", [10, 100])
@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_deep_networks_are_finite_and_maximal_at_one(activation, depth):
    values = Network(depth, activation, 1.5, 0.1).on_sphere(10)(np.linspace(-1, 1, 101))
    assert np.all(np.isfinite(values))
    assert np.all(values <= values[-1] * (1 + rounding(1.0)))


def test_names():
    assert str(Network(4)) == "relu NTK, depth 4, weight variance 1, bias variance 1"
    assert Network(4.0) == Network(4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 0}, "depth = 0: give a whole number, at least 1"),
        ({"depth": 2.5}, r"depth = 2\.5"),
        ({"depth": math.nan}, "depth = nan"),
        ({"depth": 2, "weight_variance": -1}, "weight_variance = -1"),
        ({"depth": 2, "weight_variance": 0}, "weight_variance = 0 is not positive"),
        ({"depth": 2, "weight_variance": math.nan}, "weight_variance = nan"),
        ({"depth": 2, "bias_variance": -0.1}, r"bias_variance = -0\.1 is negative"),
        ({"depth": 2, "bias_variance": math.inf}, "bias_variance = inf"),
        ({"depth": 2, "activation": "rely"}, "unknown activation 'rely'.*did you mean 'relu'"),
        ({"depth": 2, "kernel": "nkt"}, "unknown kernel 'nkt'.*choose one of ntk, nngp"),
    ],
)
def test_bad_questions(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        Network(**arguments)


@pytest.mark.parametrize("d", [1, 0, -3, 2.5, True])
def test_bad_dimensions(d):
    with pytest.raises(InvalidInput, match="dimension"):
        Network(2).on_sphere(d)


def test_bad_norm():
    with pytest.raises(InvalidInput, match="unknown input_norm"):
        Network(2).on_sphere(3, "euclid")
