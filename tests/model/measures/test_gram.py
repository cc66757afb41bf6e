"""The matrix of a kernel on data: entry by entry, at any lengths, and within its memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.kernel import Kernel, standard_kernel
from fieldtheory.model.measures import gram as module
from fieldtheory.model.measures.gram import BLOCK, Pairs, gram, normalised
from fieldtheory.model.mlp import MLP
from fieldtheory.model.network import Network
from tests.oracles.measures import two_variances, two_variances_kinked
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding, sampling


def cloud(points, d, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return scale * rng.standard_normal((points, d)) * rng.uniform(0.3, 2, (points, 1))


def ball(a, b, c):
    return np.exp(-(a + b - 2 * c) / 2)


# Every entry --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 192, 300])
def test_entries_are_those_of_the_kernel(size):
    x, y = cloud(size, 3), cloud(5, 3, seed=1)
    distances = np.sum((x[:, None] - y[None]) ** 2, axis=-1)
    assert agree(gram(ball, x, y), np.exp(-distances / 2), rounding(1))
    whole = gram(ball, x)
    assert agree(whole, np.exp(-np.sum((x[:, None] - x[None]) ** 2, -1) / 2), rounding(1))
    assert np.array_equal(whole, whole.T)
    assert np.all(np.diag(whole) == 1.0)


@pytest.mark.parametrize("norm", ["unit", "dimension"])
@pytest.mark.parametrize("kernel", ["ntk", "nngp"])
def test_a_network_on_a_sphere_is_its_kernel_of_the_cosine(norm, kernel):
    net, x = Network(3, "erf", 1.3, 0.2, kernel), normalised(cloud(40, 6), norm)
    t = normalised(x, "unit") @ normalised(x, "unit").T
    np.fill_diagonal(t, 1.0)
    on = net.on_sphere(6, norm)
    assert agree(gram(net, x), on(np.clip(t, -1, 1)), rounding(on.trace, 10))
    assert np.all(np.diag(gram(net, x)) == on.trace)


def test_a_kernel_of_the_cosine_takes_any_one_radius():
    x, kernel = normalised(cloud(20, 4), "unit"), standard_kernel("rbf", length=0.7)
    assert agree(gram(kernel, 5 * x), gram(kernel, x), rounding(1, 100))


SERIES = [
    standard_kernel("rbf", length=1.0),
    standard_kernel("polynomial", degree=5),
    Network(4).on_sphere(64),
    Network(4, "erf", 2.0, 0.1).on_sphere(64, "dimension"),
    Network(12, weight_variance=2, bias_variance=0).on_sphere(3),
]
PLAIN = [
    standard_kernel("rbf", length=0.02),  # too sharp for a series of fifty terms
    Kernel("kink", lambda t, xp: 1 + xp.sqrt(t**2)),
    Kernel("float64 alone", lambda t, xp: np.asarray(t * 1.0, dtype=float, order="C") ** 2),
]


@pytest.mark.parametrize("kernel", SERIES + PLAIN, ids=str)
def test_a_series_in_the_angle_is_the_kernel(kernel):
    """Away from t = 1, where the kernel's own float64 is right."""
    t = np.cos(np.linspace(0.1, np.pi, 60)).reshape(6, 10)
    found = module._of_cosine(kernel, module.remembering())(1, 1, t)
    assert agree(found, kernel(t), rounding(kernel.trace))


@pytest.mark.parametrize("kernel", SERIES, ids=str)
def test_a_series_is_used(kernel, monkeypatch):
    used = []
    true = module._summed
    monkeypatch.setattr(module, "_summed", lambda s, t: used.append(len(s)) or true(s, t))
    module._of_cosine(kernel, module.remembering())(1, 1, np.eye(2))
    assert used[-1] in module.TERMS


# Any lengths --------------------------------------------------------------------------------------


def by_averages(net, average, slope, x, y):
    """The layer recursion of one pair of inputs, every average by brute force."""
    d = len(x)
    q, r, c = ((net.weight_variance * v / d + net.bias_variance) for v in (x @ x, y @ y, x @ y))
    theta = c
    for _ in range(net.depth - 1):
        p = min(c / np.sqrt(q * r), 1.0)
        moved = [average(q, r, p), average(q, q, 1.0), average(r, r, 1.0)]
        grown = net.weight_variance * slope(q, r, p)
        c, q, r = (net.weight_variance * v + net.bias_variance for v in moved)
        theta = c + theta * grown
    return theta if net.kernel == "ntk" else c


@pytest.mark.parametrize("kernel", ["ntk", "nngp"])
def test_erf_at_two_lengths(kernel):
    from scipy.special import erf

    def slope(z):
        return 2 / np.sqrt(np.pi) * np.exp(-(z**2))

    net, x = Network(3, "erf", 1.7, 0.3, kernel), cloud(4, 3)
    found = gram(net, x)
    for a, b in [(0, 1), (2, 3), (1, 1)]:
        truth = by_averages(
            net,
            lambda q, r, p: two_variances(erf, q, r, p),
            lambda q, r, p: two_variances(slope, q, r, p),
            x[a],
            x[b],
        )
        assert agree(found[a, b], truth, rounding(truth, 1000))


@pytest.mark.parametrize("kernel", ["ntk", "nngp"])
def test_relu_at_two_lengths(kernel):
    net, x = Network(2, "relu", 1.7, 0.3, kernel), cloud(3, 3)
    truth = by_averages(
        net,
        lambda q, r, p: two_variances_kinked(lambda z: max(z, 0), 1, q, r, p),
        lambda q, r, p: two_variances_kinked(lambda z: float(z > 0), 0, q, r, p),
        x[0],
        x[2],
    )
    assert agree(gram(net, x)[0, 2], truth, rounding(truth, 10))


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_a_wide_network_has_this_covariance(activation):
    """Random networks of one hidden layer: the second layer's covariance, by sampling."""
    net, x = Network(2, activation, 1.5, 0.4, "nngp"), cloud(3, 4)
    rng, outputs = np.random.default_rng(1), []
    for _ in range(4000):
        weights = [rng.standard_normal((64, 4)), rng.standard_normal((1, 64))]
        biases = [rng.standard_normal(64), rng.standard_normal(1)]
        outputs.append(MLP(activation, 1.5, 0.4, weights, biases).forward(x))
    f = np.array(outputs)
    products = f[:, :, None] * f[:, None, :]
    se = products.std(axis=0, ddof=1) / np.sqrt(len(f))
    assert agree(products.mean(axis=0), gram(net, x), sampling(se))


@given(st.integers(0, 2**31), st.sampled_from(["relu", "erf"]), st.floats(0.01, 10.0))
def test_every_gram_is_positive(seed, activation, scale):
    net, x = Network(3, activation, 1.2, 0.1), cloud(12, 3, seed, scale)
    K = gram(net, x)
    assert np.linalg.eigvalsh(K)[0] >= -rounding(np.trace(K))
    assert agree(gram(net, np.vstack([x[3:], x[:3]]))[:9, :9], K[3:, 3:], rounding(np.trace(K)))


OPTIONS = [
    {"activation": "leaky_relu(0.2)"},
    {"activation": "sin"},
    {"activation": "cos", "kernel": "nngp"},
    {"activation": "identity"},
    {"activation": "step", "kernel": "nngp"},
    {"residual": 0.7},
    {"weight_variance": [1.0, 2.0, 0.5], "bias_variance": [0.1, 0.2, 0.3]},
    {"input_bias": False},
    {"trained": "first"},
    {"trained": "last"},
    {"train_biases": False, "activation": "erf"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_option_serves_at_every_length(options):
    """On the sphere it is the network's own kernel; and a common factor of all lengths is a weight
    variance of the first layer, where no bias is."""
    net, x = Network(3, **options), normalised(cloud(20, 5))
    on = net.on_sphere(5, "dimension")
    both = module._Layers(net, 5, module.remembering())
    t = np.linspace(-1, 1, 9)
    assert agree(both(5.0, 5.0, 5 * t), on(t), rounding(on.trace, 100))
    K = gram(net, np.vstack([x, 0.3 * x]))
    assert np.linalg.eigvalsh(K)[0] >= -rounding(np.trace(K), 10)
    assert agree(K[:20, :20], gram(net, x), rounding(np.max(K), 10**5))


WAVES = [("sin", np.sin), ("cos", np.cos), ("identity", lambda z: z)]


@pytest.mark.parametrize(("name", "function"), WAVES)
def test_smooth_averages_at_two_lengths(name, function):
    net, x = Network(2, name, 1.7, 0.3, "nngp"), cloud(3, 3)
    c = 1.7 * x @ x.T / 3 + 0.3
    q, r = c[0, 0], c[1, 1]
    truth = 1.7 * two_variances(function, q, r, c[0, 1] / np.sqrt(q * r)) + 0.3
    assert agree(gram(net, x)[0, 1], truth, rounding(truth, 100))


def test_leaky_averages_at_two_lengths():
    net, x = Network(2, "leaky_relu(0.2)", 1.7, 0.3, "nngp"), cloud(3, 3)
    c = 1.7 * x @ x.T / 3 + 0.3
    q, r = c[0, 0], c[1, 1]
    p = c[0, 1] / np.sqrt(q * r)
    truth = 1.7 * two_variances_kinked(lambda z: max(z, 0.2 * z), 1, q, r, p) + 0.3
    assert agree(gram(net, x)[0, 1], truth, rounding(truth, 100))


def test_both_roads_meet_on_the_sphere():
    """Lengths that differ in the seventh digit take the general road."""
    x = normalised(cloud(30, 5))
    moved = x * (1 + 2e-7 * np.arange(30)[:, None] / 30)
    for activation in ("relu", "erf", "gelu"):
        net = Network(4, activation, 1.1, 0.2)
        one, other = gram(net, x), gram(net, moved)
        assert not np.array_equal(one, other)
        assert np.max(np.abs(one - other)) <= 1e-5 * np.max(one)


# Memory -------------------------------------------------------------------------------------------


def test_a_matrix_keeps_within_its_memory():
    x, net = normalised(cloud(1500, 8)), Network(4)
    tracemalloc.start()
    K = gram(net, x, memory=8 * 1500**2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= K.nbytes + 32 * 8 * BLOCK**2
    with pytest.raises(InvalidInput, match=r"takes 1\.8e\+07 bytes, allowed are 1\.8e\+06"):
        gram(net, x, memory=8 * 1500 * 150)


# Bad input ----------------------------------------------------------------------------------------

X = [[1.0, 2.0], [2.0, 0.5]]


@pytest.mark.parametrize(
    ("model", "inputs", "error", "why"),
    [
        (ball, [[1.0, np.nan]], InvalidInput, r"inputs\[0, 1\] = nan: every entry"),
        (ball, [[1.0, np.inf]], InvalidInput, "must be finite"),
        (ball, [1.0, 2.0], InvalidInput, "shape"),
        (ball, [], InvalidInput, "shape"),
        (ball, [["a"]], InvalidInput, "array of numbers"),
        (Kernel("k", lambda t, xp: t), X, InvalidInput, "different lengths: divide"),
        (lambda a, b, c: c[:1], X, None, ""),
        (lambda a, b, c: np.ones(7), X, InvalidInput, r"shape \(2, 2\) .*\(7,\).*: give"),
        (lambda t: t, X, InvalidInput, r"fails .*positional.*: give a function \(a, b, c\)"),
        (lambda a, b, c: c / 0 if c.ndim else c, X, InvalidInput, "not finite"),
        ("rbf", X, InvalidInput, "give a Network, a Kernel, or a function"),
        (Network(2, bias_variance=0), [[0.0, 0.0], [1.0, 2.0]], InvalidInput, "no bias"),
    ],
)
def test_wrong_questions(model, inputs, error, why):
    if error is None:
        assert gram(model, inputs).shape == (2, 2)
        return
    with np.errstate(all="ignore"), pytest.raises(error, match=why):
        gram(model, inputs)


def test_other_refusals():
    with pytest.raises(InvalidInput, match="2 features, others 3"):
        gram(ball, X, [[1.0, 2.0, 3.0]])
    with pytest.raises(InvalidInput, match=r"inputs\[1\] is zero"):
        normalised([[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(InvalidInput, match="unknown input_norm"):
        normalised(X, "one")
    for jumpy in (lambda z: np.clip(z, -1, 1), np.sign, lambda z: np.tanh(1e4 * z)):
        with pytest.raises(OutOfRegime, match=r"away from zero, or varies too fast.*: divide"):
            gram(Network(2, jumpy, kernel="nngp"), X)


def test_an_option_the_recursion_does_not_know_is_refused(monkeypatch):
    """A network whose kernel on the sphere is another one, as an unknown option would make it."""
    other = Kernel("other", lambda t, xp: 2 + t)
    monkeypatch.setattr(Network, "on_sphere", lambda self, d, norm: other)
    with pytest.raises(OutOfRegime, match="inputs of one length only"):
        gram(Network(2), X)


# Mutants ------------------------------------------------------------------------------------------


def right():
    """Erf at two lengths by the textbook's arcsine, and a symmetric matrix of the true diagonal."""
    net, x = Network(2, "erf", 1.0, 0.0, "nngp"), cloud(300, 2)
    K, c = module.gram(net, x), x @ x.T / 2
    a = 1 + 2 * np.diag(c)
    truth = 2 / np.pi * np.arcsin(2 * c / np.sqrt(a[:, None] * a))
    assert agree(K, truth, rounding(1, 10))
    t = np.cos(np.linspace(0, np.pi, 40)).reshape(5, 8)
    wave = Kernel("wave", lambda t, xp: xp.exp(t))
    assert agree(module._of_cosine(wave, module.REAL)(1, 1, t), np.exp(t), rounding(3))
    linear = module.gram(Network(1, weight_variance=2.0, bias_variance=0.0), x)
    assert agree(linear, 2 * c, rounding(np.max(np.abs(c)), 10))


@pytest.mark.parametrize(
    ("function", "good", "spoiled"),
    [
        (module._erf_mean, "2 * q * r", "q * r"),
        (module._erf_mean, "1 + np.sqrt(", "2 + np.sqrt("),
        (module._erf_mean, "q + r + 2", "q + 2"),
        (gram, "out[columns, rows] = block.T", "out[columns, rows] = -block.T"),
        (gram, "block + block.T", "block + 0 * block.T"),
        (Pairs.diagonal, "_squares(x)", "np.sqrt(_squares(x))"),
    ],
)
def test_mutants(monkeypatch, function, good, spoiled):
    assert survives(right)
    spoil(monkeypatch, function, good, spoiled)
    monkeypatch.setitem(module.EQUAL_VARIANCE, "erf", module._erf_mean)
    with np.errstate(all="ignore"):
        assert not survives(right)
