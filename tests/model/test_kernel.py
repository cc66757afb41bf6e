"""Kernels: values, power series, positivity, and the messages of bad questions."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.activation import ACTIVATIONS
from fieldtheory.model.kernel import Kernel, standard_kernel
from fieldtheory.model.measures.precise import precise_spectrum
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum
from tests.oracles.closed_forms import gaussian
from tests.tolerance import agree, rounding

STANDARD = [
    standard_kernel("rbf", length=0.7),
    standard_kernel("laplace", length=1.3),
    standard_kernel("matern", smoothness=1.5),
    standard_kernel("matern", smoothness=2.5, radius=2.0),
    standard_kernel("polynomial", degree=3, offset=0.5),
]


def gram(kernel, dimension, seed, points=12):
    x = np.random.default_rng(seed).standard_normal((points, dimension))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return kernel(np.clip(x @ x.T, -1, 1))


networks = st.builds(
    Network,
    depth=st.integers(1, 6),
    activation=st.sampled_from([each.name for each in ACTIVATIONS if each.slope_covariance]),
    weight_variance=st.floats(0.2, 2),
    bias_variance=st.sampled_from([0.0, 0.1, 2.0]),
    kernel=st.sampled_from(["ntk", "nngp"]),
    residual=st.sampled_from([0.0, 0.5, -1.0]),
    input_bias=st.booleans(),
    trained=st.sampled_from(["all", "first", "last"]),
    train_biases=st.booleans(),
)


@given(networks, st.sampled_from([2, 3, 10]), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_kernels_of_networks_are_positive(network, d, seed):
    matrix = gram(network.on_sphere(d), d, seed)
    assert agree(matrix, matrix.T, rounding(matrix.max()))
    assert np.linalg.eigvalsh(matrix)[0] >= -rounding(matrix.max(), 12)


@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.sampled_from([0.0, 0.3]))
@settings(max_examples=15)
def test_kernels_of_callables_are_positive(seed, depth, bias):
    """Also where the expansion leaves something out: what it keeps is positive term by term."""
    for function in (np.abs, np.tanh, lambda z: np.clip(z, -0.5, 1)):
        matrix = gram(Network(depth, function, 1.5, bias, "nngp").on_sphere(4), 4, seed)
        assert np.linalg.eigvalsh(matrix)[0] >= -rounding(matrix.max(), 12)


@pytest.mark.parametrize("kernel", STANDARD, ids=str)
@pytest.mark.parametrize("d", [2, 3, 10])
def test_standard_kernels_are_positive(kernel, d):
    matrix = gram(kernel, d, seed=1)
    assert np.linalg.eigvalsh(matrix)[0] >= -rounding(matrix.max(), 12)


def test_positivity_can_be_violated():
    """What the two tests above would say of a kernel that is not one."""
    matrix = gram(Kernel("spoilt", lambda t, xp: 1 - t), 3, seed=1)
    assert np.linalg.eigvalsh(matrix)[0] < -rounding(matrix.max(), 12)


def test_standard_kernels_as_printed():
    t = np.linspace(-1, 1, 9)
    r = np.sqrt(2 - 2 * t)
    truth = {
        0: np.exp(-(r**2) / (2 * 0.7**2)),
        1: np.exp(-r / 1.3),
        2: (1 + np.sqrt(3) * r) * np.exp(-np.sqrt(3) * r),
        3: (1 + np.sqrt(5) * 2 * r + 5 * (2 * r) ** 2 / 3) * np.exp(-np.sqrt(5) * 2 * r),
        4: (0.5 + t) ** 3,
    }
    for number, values in truth.items():
        assert agree(STANDARD[number](t), values, rounding(3.0))
    half = standard_kernel("matern", smoothness=0.5, length=1.3)
    assert agree(half(t), truth[1], rounding(1.0))


@pytest.mark.parametrize("d", [2, 3, 10, 50])
@pytest.mark.parametrize("length", [0.5, 1.0, 5.0])
def test_rbf_spectrum_is_a_bessel_function(d, length):
    found = spectrum(standard_kernel("rbf", length=length), d, degrees=15)
    with mpmath.workdps(40):
        truth = np.array([float(gaussian(d, l, length)) for l in range(16)])
    assert agree(found.eigenvalues, truth, rounding(truth))
    assert agree(found.eigenvalues, truth, found.errors)
    assert not agree(found.eigenvalues, truth * (1 + 1e-11), rounding(truth))


@pytest.mark.parametrize("kernel", STANDARD[:1] + STANDARD[4:], ids=str)
def test_power_series_sum_to_the_kernel(kernel):
    b = kernel.power_series(60)
    for t in (-0.5, 0.1, 0.8):
        assert agree(np.polynomial.polynomial.polyval(t, b), kernel(t), rounding(kernel.trace))
    assert np.all(b >= 0)


def test_power_series_of_a_network_against_mpmath():
    """Depth 2, first layer t: t E'[0] + ... written out by hand."""
    kernel = Network(2, "relu", 1.0, 0.0, "nngp").on_sphere(4, "dimension")

    def ramp(t):
        return (mpmath.sqrt(1 - t**2) + t * (mpmath.pi - mpmath.acos(t))) / (2 * mpmath.pi)

    with mpmath.workdps(40):
        truth = np.array([float(c) for c in mpmath.taylor(ramp, 0, 14)])
    assert agree(kernel.power_series(14), truth, rounding(1.0))


@pytest.mark.parametrize("t", [1.1, -2.0, np.nan, [0.0, np.inf]])
def test_cosines_outside_the_interval_are_refused(t):
    with pytest.raises(InvalidInput, match="cosines must lie in"):
        STANDARD[0](t)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_trace_must_be_positive(value):
    with pytest.raises(InvalidInput, match="positive finite number"):
        _ = Kernel("bad", lambda t, xp: value + 0 * t).trace


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "rbg"}, "did you mean 'rbf'"),
        ({"name": "rbf", "length": 0}, "length = 0 is not positive"),
        ({"name": "rbf", "length": -1}, "length = -1"),
        ({"name": "matern", "smoothness": 2}, r"choose 0.5, 1.5 or 2.5"),
        ({"name": "polynomial", "degree": 1.5}, "degree = 1.5"),
        ({"name": "polynomial", "offset": -1}, "offset = -1 is negative"),
        ({"name": "laplace", "radius": np.nan}, "radius = nan"),
    ],
)
def test_bad_questions(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        standard_kernel(**arguments)


def test_printing():
    assert str(STANDARD[0]) == "rbf, length 0.7"


T = np.linspace(-1, 1, 9)
FIRST = Kernel("linear", lambda t, xp: 0.5 * t + 0.2)


def test_kernels_add_and_multiply():
    rbf, power = STANDARD[0], STANDARD[4]
    both = 2 * rbf + power * FIRST + 0.5
    assert agree(both(T), 2 * rbf(T) + power(T) * FIRST(T) + 0.5, rounding(10.0))
    assert both.name == f"{rbf} * 2 + {power} * linear + 0.5"
    assert str((rbf + power) * 3) == f"({rbf} + {power}) * 3"
    series = both.power_series(12)
    parts = 2 * rbf.power_series(12) + (power * FIRST).power_series(12)
    parts[0] += 0.5
    assert agree(series, parts, rounding(10.0))
    found = spectrum(both, 5, degrees=6)
    alone = [spectrum(each, 5, degrees=6) for each in (2 * rbf, power * FIRST)]
    total = alone[0].eigenvalues + alone[1].eigenvalues
    total[0] += 0.5
    assert agree(found.eigenvalues, total, rounding(10.0))


@pytest.mark.parametrize("kernel", ["ntk", "nngp"])
def test_layers_compose_to_a_network(kernel):
    """Layer upon layer by `through` is the network of those layers."""
    below, tangent = Kernel("input", lambda t, xp: 1.5 * t / 5 + 0.3), None
    tangent = below if kernel == "ntk" else None
    for _ in range(2):
        options = {"weight_variance": 1.5, "bias_variance": 0.3}
        above = below.through("gelu", **options)
        tangent = below.through("gelu", **options, tangent=tangent) if tangent else None
        below = above
    truth = Network(3, "gelu", 1.5, 0.3, kernel).on_sphere(5)
    found = tangent or below
    assert agree(found(T), truth(T), rounding(3.0))
    assert agree(found.power_series(9), truth.power_series(9), rounding(3.0))
    assert "gelu of gelu of input" in str(found)


def test_a_layer_over_any_kernel_is_positive():
    kernel = standard_kernel("laplace").through("relu", bias_variance=0.1, residual=0.5)
    matrix = gram(kernel, 3, seed=2)
    assert np.linalg.eigvalsh(matrix)[0] >= -rounding(matrix.max(), 12)
    assert agree(kernel.trace, 0.5 + 0.1 + 0.25, rounding(1.0))


def test_a_kernel_from_a_function_of_t():
    plain = Kernel.of(lambda t: np.exp(t - 1) + 0.1 * np.sqrt(2 + t), name="mine")
    spelled = Kernel("spelled", lambda t, xp: xp.exp(t - 1) + 0.1 * xp.sqrt(2 + t))
    assert agree(plain.power_series(10), spelled.power_series(10), rounding(1.0))
    truth = spectrum(spelled, 6, degrees=4).eigenvalues
    assert agree(spectrum(plain, 6, degrees=4).eigenvalues, truth, rounding(truth))
    # functions that know nothing of power series: the plain road, and its errors
    rough = Kernel.of(lambda t: np.cosh(t) + np.maximum(t, -2), name="rough")
    found = spectrum(rough, 6, degrees=3)
    exact = spectrum(Kernel("x", lambda t, xp: (xp.exp(t) + xp.exp(-t)) / 2 + t), 6, degrees=3)
    assert agree(found.eigenvalues, exact.eigenvalues, found.errors + exact.errors)


def test_a_picture_of_a_kernel():
    (line,) = FIRST.picture().lines
    assert agree(line.y, 0.5 * line.x + 0.2, rounding(1.0))


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda: FIRST + "rbf", "a number combined with a kernel"),
        (lambda: -2 * FIRST, "is negative"),
        (lambda: FIRST.through("rely"), "did you mean 'relu'"),
        (lambda: FIRST.through("relu", weight_variance=0), "not positive"),
        (lambda: FIRST.through("relu", bias_variance=-1), "negative"),
        (lambda: FIRST.through("step", tangent=FIRST), "jumps"),
        (lambda: Kernel.of(lambda t: 1.0), r"returned shape \(\)"),
        (lambda: Kernel.of(lambda t: t + 1j), "complex128"),
        (lambda: Kernel.of(lambda t: np.where(t > 0.9, np.inf, t)), "not finite at t = 1"),
        (
            lambda: precise_spectrum(Kernel.of(lambda t: 2 - np.arccos(t)), 4, 2),
            "known in float64 only",
        ),
    ],
)
def test_bad_compositions(question, message):
    with pytest.raises(InvalidInput, match=message):
        question()


def test_what_is_no_kernel_is_told_how_to_become_one():
    network = Network(2)
    with pytest.raises(InvalidInput, match=r"combine network\.on_sphere"):
        network + standard_kernel("rbf")
    with pytest.raises(InvalidInput, match=r"np\.exp, not math\.exp"):
        Kernel.of(math.exp)
    for asked in (spectrum, lambda kernel, d: precise_spectrum(kernel, d, 1)):
        for wrong in (network, np.exp):
            with pytest.raises(InvalidInput, match=r"network\.on_sphere\(dimension\), Kernel\.of"):
                asked(wrong, 5)
    with pytest.raises(OutOfRegime, match="a kink or a jump away from t = 1"):
        spectrum(Kernel.of(np.abs), 4)
    assert str(sum([standard_kernel("rbf"), standard_kernel("laplace")])).startswith("rbf, length")
