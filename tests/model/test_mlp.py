"""A finite network: derivatives against brute force, its mean tangent kernel against quadrature."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf as complex_erf

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.mlp import MLP
from tests.tolerance import agree, asymptotic, rounding, sampling


def draw(depth, width, dimension, activation="erf", variances=(1.5, 0.3), seed=0):
    rng = np.random.default_rng(seed)
    sizes = (dimension, *(width,) * (depth - 1), 1)
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    weights = tuple(rng.standard_normal(shape) for shape in shapes)
    biases = tuple(rng.standard_normal(out) for out, _ in shapes)
    return MLP(activation, *variances, weights, biases)


def rows(count, dimension, seed=1):
    x = np.random.default_rng(seed).standard_normal((count, dimension))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


# --- derivatives ---------------------------------------------------------------------------------


def plain_output(net, vector, x):
    """One input, one unit at a time; complex parameters allowed."""
    at, h = 0, list(x)
    for layer in range(net.depth):
        out, fan_in = net.weights[layer].shape
        w, b = vector[at : at + out * fan_in], vector[at + out * fan_in :][:out]
        at += out * fan_in + out
        z = [
            math.sqrt(net.weight_variance / fan_in)
            * sum(w[i * fan_in + j] * h[j] for j in range(fan_in))
            + math.sqrt(net.bias_variance) * b[i]
            for i in range(out)
        ]
        relu = net.activation == "relu"
        h = [(u if u.real > 0 else 0 * u) if relu else complex_erf(u) for u in z]
    return z[0]


def complex_step_jacobian(net, x):
    step = 1e-30
    table = np.empty((len(x), net.parameters))
    for p in range(net.parameters):
        moved = net.vector.astype(complex)
        moved[p] += 1j * step
        table[:, p] = [plain_output(net, moved, row).imag / step for row in x]
    return table


shapes = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 4))


@settings(max_examples=20, deadline=None)
@given(shapes, st.sampled_from(["relu", "erf"]), st.integers(0, 10**6))
def test_forward_and_jacobian_are_the_complex_step(shape, activation, seed):
    net, x = draw(*shape, activation, seed=seed), rows(2, shape[2], seed)
    outputs = [plain_output(net, net.vector, row).real for row in x]
    assert agree(net.forward(x), outputs, rounding(np.abs(outputs).max() + 1, 10))
    truth = complex_step_jacobian(net, x)
    assert agree(net.jacobian(x), truth, rounding(np.abs(truth).max(), 10))


@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_products_need_no_jacobian(activation, depth):
    net, x, x2 = draw(depth, 7, 3, activation), rows(5, 3), rows(4, 3, seed=2)
    j, j2 = net.jacobian(x), net.jacobian(x2)
    rng = np.random.default_rng(3)
    residual, tangent = rng.standard_normal(5), rng.standard_normal(net.parameters)
    scale = np.abs(j @ j.T).max()
    assert agree(net.tangent_kernel(x), j @ j.T, rounding(scale))
    assert agree(net.tangent_kernel(x, x2), j @ j2.T, rounding(scale))
    assert agree(net.gradient(x, residual), residual @ j, rounding(scale))
    assert agree(net.sweep(x).push(tangent), j @ tangent, rounding(scale, 10))
    without_biases = j @ j.T - net.bias_variance  # forgets the bias of the last layer
    assert not agree(net.tangent_kernel(x), without_biases, rounding(scale))


def test_a_large_batch_is_the_same_in_blocks(monkeypatch):
    net, x = draw(3, 6, 3), rows(50, 3)
    whole = net.forward(x)
    monkeypatch.setattr("fieldtheory.model.mlp.BLOCK_NUMBERS", 6 * 8)
    assert agree(net.forward(x), whole, rounding(np.abs(whole).max()))


# --- the infinite network ------------------------------------------------------------------------

GRID = np.linspace(-7.0, 7.0, 561)
WEIGHT = np.exp(-(GRID**2) / 2) * (GRID[1] - GRID[0]) / math.sqrt(2 * math.pi)
PLAIN = {
    "relu": (lambda z: z * (z > 0), lambda z: 1.0 * (z > 0)),
    "erf": (np.vectorize(math.erf), lambda z: 2 * np.exp(-z * z) / math.sqrt(math.pi)),
}


def gaussian_average(function, q, q2, s):
    """Average of function(u) function(v) over a correlated pair, by a trapezium on a square."""
    u = math.sqrt(q) * GRID
    v = s / math.sqrt(q) * GRID[:, None] + math.sqrt(max(q2 - s * s / q, 0.0)) * GRID[None, :]
    return float(WEIGHT @ (function(u) * (function(v) @ WEIGHT)))


def infinite_tangent_kernel(x, y, *, depth, activation, weight_variance, bias_variance, slope=1.0):
    """The layer recursion for one pair; `slope` spoils it for the mutant."""
    phi, dphi = PLAIN[activation]
    first = [weight_variance * a @ b / len(x) + bias_variance for a, b in ((x, x), (y, y), (x, y))]
    q, q2, s = first
    tangent = s
    for _ in range(depth - 1):
        tangent *= slope * weight_variance * gaussian_average(dphi, q, q2, s)
        pairs = ((q, q, q), (q2, q2, q2), (q, q2, s))
        q, q2, s = (weight_variance * gaussian_average(phi, *p) + bias_variance for p in pairs)
        tangent += s
    return tangent


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "erf"])
@pytest.mark.parametrize("depth", [2, 3])
def test_the_mean_tangent_kernel_is_the_infinite_one(activation, depth):
    width, variances, x = 512, (1.5, 0.3), rows(3, 4)
    kernels = np.array(
        [draw(depth, width, 4, activation, variances, seed).tangent_kernel(x) for seed in range(60)]
    )
    mean, error = kernels.mean(axis=0), kernels.std(axis=0, ddof=1) / math.sqrt(len(kernels))
    setting = {
        "depth": depth,
        "activation": activation,
        "weight_variance": variances[0],
        "bias_variance": variances[1],
    }

    def table(**spoilt):
        return np.array(
            [[infinite_tangent_kernel(a, b, **setting, **spoilt) for b in x] for a in x]
        )

    truth = table()
    budget = sampling(error) + asymptotic(depth * truth.max() / width)
    assert agree(mean, truth, budget)
    assert not agree(mean, table(slope=1.2), budget)


# --- bad input -----------------------------------------------------------------------------------


def test_values_are_frozen():
    net = draw(2, 3, 2)
    for array in (net.vector, *net.weights, *net.biases):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0
    mine = np.zeros(net.parameters)
    moved = net.with_parameters(mine)
    mine[:] = 1.0
    assert agree(moved.vector, 0.0, 0.0)


@pytest.mark.parametrize(
    ("weights", "biases", "match"),
    [
        (([[1.0, 2.0]], [[1.0, 1.0]]), ([0.0], [0.0]), "do not chain"),
        (([[1.0], [2.0]],), ([0.0, 0.0],), "do not chain"),
        ((), (), "do not chain"),
        (([[1.0, 2.0]],), ([0.0, 1.0],), "biases of sizes"),
        (([1.0, 2.0],), ([0.0],), "give 2 axes"),
        (([[math.nan]],), ([0.0],), "not finite"),
        (([[1.0], [1.0, 2.0]],), ([0.0],), "rows of equal length"),
    ],
)
def test_layers_that_do_not_fit_are_refused(weights, biases, match):
    with pytest.raises(InvalidInput, match=match):
        MLP("relu", 1.0, 1.0, weights, biases)


def test_bad_questions_are_refused():
    net = draw(2, 3, 2)
    for x, match in (
        ([1.0, 2.0], "one a row"),
        ([[1.0]], "dimension 2"),
        ([[1.0, math.inf]], r"x\[0, 1\]"),
        ([["a", "b"]], "give numbers"),
        (np.empty((0, 2)), "shape"),
    ):
        with pytest.raises(InvalidInput, match=match):
            net.forward(x)
    with pytest.raises(InvalidInput, match="one number for each row"):
        net.gradient([[1.0, 0.0]], [1.0, 2.0])
    with pytest.raises(InvalidInput, match=r"takes \(13,\)"):
        net.with_parameters([1.0])
    with pytest.raises(InvalidInput, match="negative"):
        MLP("relu", -1.0, 1.0, ([[1.0]],), ([0.0],))
    with pytest.raises(InvalidInput, match="use tangent_kernel"):
        draw(3, 512, 2).jacobian(rows(600, 2))
