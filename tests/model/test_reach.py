"""How far predictions reach: finite numbers, or an error that says what to change; never NaN."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.activation import KNOWN
from fieldtheory.model.batch import spectra
from fieldtheory.model.depth.criticality import depth_flow
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.measures.projection import by_harmonics
from fieldtheory.model.measures.sphere import multiplicity
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.spectrum import spectrum
from fieldtheory.model.task import Task
from tests.tolerance import agree, rounding

QUICK = [name for name in KNOWN if name != "tanh"]  # tanh is averaged anew in every layer


def powers(low, high):
    """Numbers whose logarithms are even."""
    return st.floats(low, high).map(lambda x: 10.0**x)


def networks(names, deepest):
    either = {
        "depth": st.integers(1, deepest),
        "activation": st.sampled_from(names),
        "kernel": st.sampled_from(["ntk", "nngp"]),
        "weight_variance": st.one_of(st.sampled_from([1.0, 2.0]), powers(-3, 1)),
        "bias_variance": st.one_of(st.just(0.0), st.floats(0, 3)),
        "residual": st.one_of(st.just(0.0), st.floats(-2, 2)),
        "input_bias": st.booleans(),
        "trained": st.sampled_from(["all", "first", "last"]),
        "train_biases": st.booleans(),
    }
    return st.fixed_dictionaries(either)


TASKS = st.fixed_dictionaries(
    {
        "dimension": st.one_of(st.sampled_from([2, 3]), powers(0.4, 4).map(int)),
        "target": st.just([0.0, 0.5, 0.5]),
        "noise": st.one_of(st.just(0.0), powers(-6, 1)),
        "ridge": st.one_of(st.sampled_from([0.0, 1e6]), powers(-12, 6)),
        "input_norm": st.sampled_from(["unit", "dimension"]),
    }
)
SIZES = st.lists(powers(0, 7).map(int), min_size=1, max_size=3)


def is_answered(network, task, sizes):
    """Finite and positive, or out of the regime; the question and the kernel are sound."""
    if network["activation"] == "step" and network["depth"] > 1:
        network = {**network, "kernel": "nngp"}  # it has no tangent kernel
    try:
        curve = predict(Network(**network), Task.sphere(**task), sizes, method="planar")
    except OutOfRegime:
        return
    for found in (curve.error, curve.kappa, curve.bias, curve.variance, curve.uncertainty):
        assert np.all(np.isfinite(found))
        assert np.all(np.asarray(found) >= 0)


@settings(max_examples=5, deadline=None, derandomize=True)
@given(networks(QUICK, 20), TASKS, SIZES)
def test_every_question_has_an_answer(network, task, sizes):
    is_answered(network, task, sizes)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, derandomize=True)
@given(networks(QUICK, 100), TASKS, SIZES)
def test_every_question_to_a_deep_network_has_an_answer(network, task, sizes):
    is_answered(network, task, sizes)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (Network(100, "hermite(2)", 2.0), "layer 9 of 100 the variance.*reduce weight_variance"),
        (Network(100, "hermite(5)", 2.0, 1.0), "beyond any float.*reduce weight_variance"),
        (Network(100, "relu", 1e-3, 0.0), "layer 43 of 100 the variance.*raise weight_variance"),
        (Network(100, "sin", 1e-3, 0.0), "layer 47 of 100 the variance.*raise weight_variance"),
        (Network(60, "sin(60)", 4.0, 0.0), "layer 38 of 60 the kernel.*reduce weight_variance"),
        (Network(3, "hermite(0)", trained="first"), "layer 2 of 3 the kernel is 0.0e"),
    ],
)
def test_variances_that_leave_the_floats(network, words):
    """The error names the layer, one network at a time or many."""
    with pytest.raises(OutOfRegime, match=words):
        network.on_sphere(10, "dimension")
    with pytest.raises(OutOfRegime, match=words):
        spectra([Network(2), network], 10, 3, input_norm="dimension")
    if "kernel" not in words:
        with pytest.raises(OutOfRegime, match="layer"):
            depth_flow(network, 10, input_norm="dimension")


def test_variances_of_a_network_are_those_of_its_parts():
    network = Network(6, "gelu", 1.7, 0.3, "nngp")
    parts = [Network(n, "gelu", 1.7, 0.3, "nngp").on_sphere(7).trace for n in range(1, 7)]
    assert agree(network.variances(7), parts, rounding(1.0))


def test_deep_gelu_grows_like_relu():
    """Its variance is 1e60 and more here, where the printed average is 0/0."""
    gelu, relu = (
        Network(100, name, 8.0, 0.0, "nngp").on_sphere(30, "dimension") for name in ("gelu", "relu")
    )
    t = np.array([-0.9, 0.0, 0.5])
    assert agree(gelu(t) / gelu.trace, relu(t) / relu.trace, rounding(1.0, 1e9))


def test_a_sine_of_almost_nothing_is_linear():
    """But for the first layer: variances fall to 1e-60, where their exponentials are one."""
    network = Network(20, "sin", 1e-3, 0.0, "nngp")
    found = spectrum(network.on_sphere(10), 10, degrees=3)
    assert agree(found.counts @ found.eigenvalues, found.trace, rounding(found.trace))
    assert 0 < found.counts[3] * found.eigenvalues[3] < found.trace / 1e6
    assert found.eigenvalues[0] == found.eigenvalues[2] == 0.0


@pytest.mark.parametrize("dimension", [3, 146, 1139, 1368, 3147, 9809])
def test_the_stated_rounding_holds_in_high_dimension(dimension):
    """A linear kernel: whatever is found beyond degree one is rounding, and said to be."""
    last = max(l for l in range(44) if multiplicity(dimension, l) < 1e280)
    truth = np.zeros(last + 1)
    truth[:2] = 1.0, 1 / dimension
    linear = Kernel("1 + t", lambda t, xp: 1 + t)
    found, errors = by_harmonics(linear, dimension, last)
    assert np.all(np.abs(found - truth) <= errors)
    batch = spectra([Network(1, kernel="nngp")], dimension, last, input_norm="dimension")
    assert np.all(np.abs(batch.eigenvalues[0] - truth) <= batch.errors[0])
    assert batch.eigenvalues[0, 2:].max() == 0.0


def test_a_peak_is_not_called_forgetfulness():
    chaotic = Network(100, "leaky_relu(-0.64)", 1.0, 2.0, trained="first", train_biases=False)
    with pytest.raises(OutOfRegime, match=r"loses its digits over many layers.*reduce the depth"):
        spectrum(chaotic.on_sphere(10), 10)
    peak = Kernel.of(lambda t: 1 + np.exp(-1e7 * (1 - t)), name="peak")
    with pytest.raises(OutOfRegime, match=r"steeply.*tells all inputs apart"):
        spectrum(peak, 10)
    needle = Network(76, "sin(2.42)", 0.002, 0.0, "nngp", residual=-1.15)
    with pytest.raises(OutOfRegime, match="no more than its mean"):  # its sign is not known
        spectrum(needle.on_sphere(10, "dimension"), 10)
    with pytest.raises(OutOfRegime, match="no more than its mean"):  # all eigenvalues underflow
        spectrum(Network(20, "hermite(3)", 1.0, 0.0, trained="last").on_sphere(74, "dimension"), 74)
