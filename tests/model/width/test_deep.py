"""Deep networks of finite width: one hidden layer, products of Wishart matrices, drawn networks."""

import numpy as np
import pytest
import sympy as sp

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.measures.gram import gram
from fieldtheory.model.network import Network
from fieldtheory.model.width.correction import fourth_cumulant, width_correction
from fieldtheory.model.width.deep import random_kernel
from fieldtheory.model.width.tensors import Tensors
from fieldtheory.theory.width import CUMULANTS, A, R, S, correction
from fieldtheory.theory.width import b as response
from fieldtheory.theory.width import n as width
from tests.oracles.deep_network import fourth_moments, kernels, linear_posterior, posterior_mean
from tests.tolerance import agree, asymptotic, rounding, sampling

X = np.array([[1.0, 0.2], [-0.5, 1.0], [0.3, 0.3]])
DATA = np.array([[1.0], [-0.3]]), np.array([1.0, -0.8]), np.array([[1.0], [-0.5], [2.0]])


def network(name, depth):
    weights, biases = [1.5] + [2.0] * (depth - 1), [0.3] + [0.1] * (depth - 1)
    return Network(depth, name, weights, biases, kernel="nngp")


def linear(depth):
    return Network(depth, "identity", weight_variance=1.0, bias_variance=0.0, kernel="nngp")


@pytest.mark.parametrize("name", ["erf", "tanh"])
def test_one_hidden_layer_is_the_known_case(name):
    """The cumulant, and all first orders of the posterior, to rounding."""
    net = network(name, 2)
    x, y, z = DATA
    kernel = random_kernel(net, X)
    truth = fourth_cumulant(net, X)
    assert agree(kernel.fourth, truth, rounding(np.max(truth), 100))
    assert not np.any(kernel.shift)
    known = width_correction(net, x, y, z, 20, ridge=0.2)
    found = Tensors(random_kernel(net, np.concatenate([x, z])), y, 0.2)
    for mine, theirs in (
        (found.mean, known.infinite),
        (found.first(), known.first),
        (found.variance, known.variance),
        (found.variance_first(), known.variance_first),
        (found.evidence_first(), known.evidence_first),
    ):
        assert agree(mine, theirs, rounding(1.0, 1000))


def test_the_engine_at_one_data_point():
    """The test point on the data point: R = ridge A. At second order, all that has two vertices."""
    s2, point = 0.3, np.array([[0.8]])
    kernel = random_kernel(network("erf", 4), point)
    found = Tensors(random_kernel(network("erf", 4), point[[0, 0]]), np.array([1.4]), s2)
    K, U, shift = kernel.mean[0, 0], kernel.fourth[0, 0, 0, 0], kernel.shift[0, 0]
    fourth, *others = CUMULANTS
    numbers = {
        fourth: U,
        S: shift,
        A: 1 / (K + s2),
        R: s2 / (K + s2),
        response: 1.4 / (K + s2),
        width: 1,
    }
    numbers |= dict.fromkeys(others, 0)
    for value, formula in (
        (found.first()[0], correction("mean", 1, shift=True)),
        (found.joined().sum(axis=0)[0], correction("mean", 2, shift=True)),
        (found.variance_first()[0], correction("covariance", 1, shift=True)),
        (found.evidence_first(), correction("evidence", 1, shift=True)),
    ):
        truth = float(sp.N(formula.subs(numbers)))
        assert agree(value, truth, rounding(1.0, 1e4))
        spoilt = float(sp.N(formula.subs({**numbers, S: -shift})))
        assert not agree(value, spoilt, rounding(1.0, 1e4))


@pytest.mark.parametrize("depth", [2, 3, 5, 9])
def test_deep_linear_networks(depth):
    """E f^4 = 3 (1 + 2/n)^(depth - 1) at one input, and nothing shifts."""
    found = random_kernel(linear(depth), np.array([[1.0], [-0.5]]))
    scale = 6.0 * (depth - 1)
    assert agree(found.fourth[0, 0, 0, 0], scale, rounding(scale, 1000))
    assert agree(found.fourth[0, 1, 1, 1], -scale / 8, rounding(scale, 1000))
    assert agree(found.shift, 0.0, rounding(scale, 1e4))
    assert not agree(found.fourth[0, 0, 0, 0], scale + 3, asymptotic(1.0))


@pytest.mark.parametrize(("ridge", "label"), [(0.1, 1.0), (0.3, 2.0), (1.0, 0.5)])
def test_the_exact_posterior_of_a_deep_linear_network(ridge, label):
    """What is left falls as 1/n^2, and the estimate of it holds."""
    x, y = [[1.0]], [label]
    rest = []
    for n in (100, 200):
        found = width_correction(linear(4), x, y, x, n, ridge=ridge)
        left = linear_posterior(n, 3, label, ridge) - found.mean[0]
        assert abs(left) <= found.uncertainty[0]
        rest.append(n**2 * left)
    assert agree(rest[0], rest[1], asymptotic(0.1 * rest[1]))


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_moments_of_drawn_networks(name):
    """Three hidden layers of 32 units: E[f f f f] and E[f f] but for terms in 1/n^2."""
    n, net = 32, network(name, 4)
    found = random_kernel(net, X)
    drawn = kernels(np.random.default_rng(1), net.phi, X, n, (net.weights, net.biases), 8_000)
    first = found.fourth[0, 0, 0, 0] / (3 * n * found.mean[0, 0] ** 2)
    small = first**2 / 3  # of a product of three Wishart matrices, (1 + 2/n)^3, the next order
    for a, b, c, d in ((0, 0, 0, 0), (0, 0, 1, 1), (0, 1, 1, 2), (0, 1, 2, 2)):
        K = found.mean + found.shift / n
        truth = fourth_moments(drawn, a, b, c, d)
        mine = fourth_moments(K[None], a, b, c, d)[0] + found.fourth[a, b, c, d] / n
        budget = sampling(truth.std() / np.sqrt(truth.size)) + asymptotic(small * abs(mine))
        assert agree(mine, truth.mean(), budget)
        if a == d:  # spoilt: U forgotten
            assert not agree(mine - found.fourth[a, b, c, d] / n, truth.mean(), budget)
    moved = drawn.mean(axis=0) - found.mean
    error = sampling(drawn.std(axis=0) / np.sqrt(len(drawn)))
    assert agree(found.shift / n, moved, error + asymptotic(small * np.abs(found.mean)))


@pytest.mark.parametrize("name", ["erf", "relu"])
def test_the_posterior_of_three_layers(name):
    """Depth three, drawn and weighted: the first order is right, and its error bar holds."""
    (x, y, z), n = DATA, 16
    net = network(name, 3)
    every = np.concatenate([x, z])
    found = width_correction(net, x, y, z, n, ridge=0.2)
    drawn = kernels(np.random.default_rng(2), net.phi, every, n, (net.weights, net.biases), 40_000)
    mean, error = posterior_mean(drawn, y, 0.2)
    assert agree(found.mean, mean, sampling(error) + found.uncertainty)
    left, before = np.abs(found.mean - mean), np.abs(found.infinite - mean)
    assert np.all(left < before / 3)


def test_kernels_of_infinite_width_and_layers_of_other_widths():
    net = network("gelu", 4)
    found = random_kernel(net, X)
    assert agree(found.mean, gram(net, X), rounding(np.max(found.mean), 1000))
    wide = random_kernel(linear(4), np.array([[1.0]]), widths=[1.0, 2.0, 4.0])
    assert agree(wide.fourth, 6 * (1 + 1 / 2 + 1 / 4), rounding(10.0, 1000))
    x, y, z = DATA
    found = width_correction(network("erf", 3), x, y, z, [20, 10**9], ridge=0.2)
    assert found.width == 20
    assert "width 20, 1000000000" in found.question


def test_inputs_that_nearly_coincide():
    """The curvature of a ReLU kernel is infinite where two inputs meet; what it does is not."""
    near = np.array([[1.0, 0.2], [1.0, 0.2 + 1e-7], [-0.5, 1.0]])
    same = random_kernel(network("relu", 4), near[[0, 0, 2]])
    found = random_kernel(network("relu", 4), near)
    assert agree(found.shift, same.shift, asymptotic(1e-5))
    assert agree(found.fourth, same.fourth, asymptotic(1e-5 * np.max(same.fourth)))


def test_what_deep_networks_cannot_be_asked():
    x, y, z = DATA
    net = network("erf", 3)
    found = width_correction(net, x, y, z, 20, ridge=0.2)
    assert found.second is None
    assert found.to_dict()["second"] is None
    assert "estimated" in found.regime
    with pytest.raises(OutOfRegime, match="one hidden layer"):
        _ = found.through_second
    with pytest.raises(OutOfRegime, match="65 points"):
        width_correction(net, np.ones((64, 1)), np.ones(64), [[1.0]], 20, ridge=0.2)
    with pytest.raises(OutOfRegime, match="jumps"):
        width_correction(Network(3, "step", kernel="nngp"), x, y, z, 20, ridge=0.2)
    with pytest.raises(InvalidInput, match="residual"):
        fourth_cumulant(Network(3, "erf", kernel="nngp", residual=0.5), X)
    with pytest.raises(InvalidInput, match="3 entries for 2 hidden layers"):
        width_correction(net, x, y, z, [10, 10, 10], ridge=0.2)
