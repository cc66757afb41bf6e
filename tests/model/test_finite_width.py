"""Wide random networks against their infinite-width kernels, option by option, by Monte Carlo."""

import numpy as np
import pytest

from fieldtheory.model.activation import activation
from fieldtheory.model.network import Network
from tests.oracles.finite_width import kernels
from tests.tolerance import agree, sampling

DIMENSION, COSINE = 5, 0.4
OPTIONS = {
    "depth 1": {"depth": 1},
    "depth 2": {"depth": 2},
    "depth 3": {"depth": 3},
    "depth 4, residual": {"depth": 4, "residual": 0.8},
    "layer-wise": {"weight_variance": (0.7, 2.0, 1.4), "bias_variance": (0.5, 0.0, 1.0)},
    "no input bias": {"input_bias": False},
    "biases not trained": {"train_biases": False},
    "only the first": {"trained": "first"},
    "only the last": {"trained": "last", "train_biases": False},
    "residual, first": {"depth": 4, "residual": -0.6, "trained": "first", "input_bias": False},
}
ACTIVATIONS = ["relu", "leaky_relu(0.3)", "erf", "tanh", "gelu", "sin(1.3)", "cos(0.7)"]
ACTIVATIONS += ["hermite(2)", "identity", "step", "softplus"]


def softplus():
    return activation(
        lambda z: np.logaddexp(0, z), slope=lambda z: 1 / (1 + np.exp(-z)), name="softplus"
    )


def measured(network, width, draws, seed=0):
    """Mean and standard error of both kernels over independent networks."""
    rng = np.random.default_rng(seed)
    x = np.zeros((DIMENSION, 2))
    x[0] = 1.0, COSINE
    x[1, 1] = np.sqrt(1 - COSINE**2)
    phi = network.phi
    both = [
        kernels(
            rng,
            phi.function,
            phi.slope,
            x * np.sqrt(DIMENSION),
            depth=network.depth,
            width=width,
            weights=network.weights,
            biases=network.biases,
            residual=network.residual,
            trained=network.trained,
            both=network.train_biases,
        )
        for _ in range(draws)
    ]
    table = np.array(both)
    return table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(draws) + 1e-15


def predicted(network, kernel):
    options = {**vars(network), "kernel": kernel}
    return Network(**options).on_sphere(DIMENSION, "dimension")(COSINE)


def build(options):
    base = {"depth": 3, "activation": "erf", "weight_variance": 1.5, "bias_variance": 0.3}
    return Network(**{**base, **options})


def check(network, width=300, draws=60):
    mean, error = measured(network, width, draws)
    kinds = ("nngp", "ntk") if network.phi.slope_covariance else ("nngp",)
    for n, kind in enumerate(kinds):
        assert agree(predicted(network, kind), mean[n], sampling(error[n])), kind
    return mean, error


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option(name):
    check(build(OPTIONS[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation(name):
    phi = softplus() if name == "softplus" else activation(name)
    kernel = "nngp" if name == "step" else "ntk"
    check(build({"activation": phi, "kernel": kernel}), width=600, draws=120)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("phi", ["relu", "gelu"])
def test_every_option_with_other_activations(name, phi):
    check(build({**OPTIONS[name], "activation": phi}), width=500, draws=80)


@pytest.mark.parametrize("name", [n for n in OPTIONS if not n.startswith("depth ") or "," in n])
def test_the_measurement_tells_the_options_apart(name):
    """Each network against the prediction for the one without its options: never mistaken."""
    network = build(OPTIONS[name])
    depth = network.depth
    plain = Network(depth, "erf", 1.5, 0.3)
    mean, error = measured(network, 300, 60)
    mistaken = [
        agree(predicted(plain, kind), mean[n], sampling(error[n]))
        for n, kind in enumerate(("nngp", "ntk"))
    ]
    assert not all(mistaken)
