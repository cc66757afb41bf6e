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


def options_by_hand(network, t):
    """The recursion with every option spelled out, for activations with averages by hand."""
    depth, s2 = network.depth, network.residual**2
    weights, biases = network.weights, network.biases
    same, other = weights[0] + biases[0], weights[0] * t + biases[0]
    trained = [network.trained == "all"] * depth
    if network.trained != "all":
        trained[0 if network.trained == "first" else -1] = True

    def own(layer, average):
        bias = biases[layer] if network.train_biases else 0
        return trained[layer] * (weights[layer] * average + bias)

    tangent = own(0, t)
    for layer in range(1, depth):
        skip = s2 if layer < depth - 1 else 0
        product, slope = averages(network.activation, same, other / same)
        square, _ = averages(network.activation, same, 1.0)
        tangent = tangent * (weights[layer] * slope + skip) + own(layer, product)
        other = weights[layer] * product + biases[layer] + skip * other
        same = weights[layer] * square + biases[layer] + skip * same
    return tangent if network.kernel == "ntk" else other


OPTIONS = [
    {"residual": 0.7},
    {"residual": -1.0, "input_bias": False},
    {"weight_variance": (0.5, 1.5, 2.0, 1.0), "bias_variance": (0.0, 0.3, 0.1, 0.2)},
    {"train_biases": False},
    {"trained": "first"},
    {"trained": "first", "train_biases": False, "residual": 0.5},
    {"trained": "last"},
    {"trained": "last", "train_biases": False},
]


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("kernel", ["ntk", "nngp"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options(options, kernel, activation):
    network = Network(4, activation, **{"bias_variance": 0.3, **options}, kernel=kernel)
    found = network.on_sphere(6, "dimension")(np.array(COSINES))
    truth = [options_by_hand(network, t) for t in COSINES]
    assert agree(found, truth, rounding(10.0))
    plain = Network(4, activation, bias_variance=0.3, kernel=kernel)
    other = plain.on_sphere(6, "dimension")(np.array(COSINES))
    told_apart = kernel == "ntk" or bool(set(options) - {"trained", "train_biases"})
    assert agree(other, truth, rounding(10.0)) is not told_apart


def test_parts_of_the_tangent_kernel_add_up():
    """What each layer adds is a positive part of the whole; the last layer adds the covariance."""
    t = np.linspace(-1, 1, 11)

    def kernel(**options):
        return Network(2, "erf", 1.5, 0.3, **options).on_sphere(5)(t)

    whole = kernel()
    assert agree(kernel(trained="first") + kernel(trained="last"), whole, rounding(3.0))
    assert agree(kernel(trained="last"), kernel(kernel="nngp"), rounding(3.0))


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_limits_of_the_options(depth):
    t = np.linspace(-1, 1, 11)
    plain = Network(depth, "erf", 1.5, 0.3)
    same = Network(depth, "erf", (1.5,) * depth, [0.3] * depth, residual=0.0)
    assert plain.plain
    assert not same.plain
    assert agree(plain.on_sphere(5)(t), same.on_sphere(5)(t), rounding(10.0))
    no_bias = Network(depth, "erf", 1.5, 0.3, input_bias=False)
    listed = Network(depth, "erf", 1.5, (0.0, *(0.3,) * (depth - 1)))
    assert agree(no_bias.on_sphere(5)(t), listed.on_sphere(5)(t), rounding(10.0))
    if depth <= 2:  # no hidden layer with another below it: nothing to connect
        assert agree(
            Network(depth, "erf", 1.5, 0.3, residual=1.0).on_sphere(5)(t),
            plain.on_sphere(5)(t),
            rounding(10.0),
        )


def test_variances_may_be_arrays():
    listed = Network(2, weight_variance=[1.0, 2.0], bias_variance=0.5)
    assert listed == Network(2, weight_variance=np.array([1.0, 2.0]), bias_variance=np.array(0.5))
    assert listed.weight_variance == (1.0, 2.0)
    assert hash(listed) == hash(Network(2, weight_variance=(1, 2), bias_variance=0.5))


def test_a_jump_may_train_its_last_layer():
    found = Network(2, "step", 2.0, 0.1, trained="last").on_sphere(5, "dimension")(0.0)
    p = 0.1 / 2.1
    truth = 2.0 * (math.pi - math.acos(p)) / (2 * math.pi) + 0.1
    assert agree(found, truth, rounding(1.0))


def test_callables_are_activations():
    t = np.linspace(-1, 1, 7)
    ours = Network(3, np.tanh, 1.2, 0.1)
    assert agree(ours.on_sphere(5)(t), Network(3, "tanh", 1.2, 0.1).on_sphere(5)(t), rounding(2.0))
    assert str(ours).startswith("tanh NTK, depth 3")
    assert ours == Network(3, np.tanh, 1.2, 0.1)
    assert Network(2, "leaky_relu(0.1)").activation == "leaky_relu(0.1)"
    assert Network(2, "sin").activation == "sin"


def test_what_is_left_out_is_said():
    kinked = Network(2, lambda z: np.maximum(z, 0.1 * z - 0.5), 1.2, 0.1, "nngp")
    assert 0 < kinked.neglected(1) < 1e-5
    assert "the expansion leaves out" in kinked.on_sphere(5).name
    assert "leaves out" not in Network(2, "tanh", 1.2, 0.1).on_sphere(5).name


def test_names():
    every = Network(
        3,
        "gelu",
        [1, 2, 3],
        0.5,
        residual=0.5,
        input_bias=False,
        trained="last",
        train_biases=False,
    )
    assert str(every) == (
        "gelu NTK, depth 3, weight variance 1, 2, 3, bias variance 0.5, residual 0.5, "
        "no input bias, only the last layer trained, biases not trained"
    )
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
        ({"depth": 3, "weight_variance": [1, 2]}, "weight_variance has 2 entries for 3 layers"),
        ({"depth": 2, "bias_variance": (1, -2)}, r"bias_variance\[1\] = -2 is negative"),
        ({"depth": 2, "weight_variance": "2"}, "weight_variance = '2'"),
        ({"depth": 2, "weight_variance": [1, [2]]}, r"weight_variance\[1\]"),
        ({"depth": 2, "residual": math.nan}, "residual = nan"),
        ({"depth": 2, "trained": "frist"}, "did you mean 'first'"),
        ({"depth": 2, "input_bias": 1}, "input_bias = 1: give True or False"),
        ({"depth": 2, "train_biases": "no"}, "train_biases = 'no'"),
        ({"depth": 2, "activation": "step"}, "jumps, so its tangent kernel is infinite"),
        ({"depth": 2, "activation": lambda z: z[:1]}, "must act on each entry"),
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
