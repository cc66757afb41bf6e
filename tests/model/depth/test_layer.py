"""One layer: its parts, the two inputs that are one, and what it refuses."""

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.activation import activation
from fieldtheory.model.averages import dual
from fieldtheory.model.averages.dual import Dual
from fieldtheory.model.depth import layer
from fieldtheory.model.depth.layer import Dense, State
from fieldtheory.model.kernel import REAL
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding

P = np.array([-0.5, 0.0, 0.9])
ERF = activation("erf")


def test_a_layer_by_hand():
    q, sigma, theta = 1.5, 1.5 * P, np.array([0.1, 0.7, 2.0])
    dense = Dense(0.8, 0.2, 0.5)
    after = layer.hidden(State(sigma, theta, q), ERF, dense, REAL)
    product = 2 / np.pi * np.arcsin(2 * sigma / (1 + 2 * q))
    slope = 4 / np.pi / np.sqrt((1 + 2 * q) ** 2 - 4 * sigma**2)
    assert agree(after.sigma, 0.8 * product + 0.2 + 0.25 * sigma, rounding(3.0))
    own = 0.8 * product + 0.2
    assert agree(after.theta, theta * (0.8 * slope + 0.25) + own, rounding(3.0))
    assert agree(after.q, 1.6 / np.pi * np.arcsin(3 / 4) + 0.2 + 0.25 * q, rounding(3.0))


@pytest.mark.parametrize(
    ("weights", "biases", "truth"),
    [
        (True, True, 0.8 * 0.3 + 0.2),
        (True, False, 0.8 * 0.3),
        (False, True, 0.2),
        (False, False, 0),
    ],
)
def test_what_is_trained_in_the_first_layer(weights, biases, truth):
    dense = Dense(0.8, 0.2, train_weights=weights, train_biases=biases)
    state = layer.first(np.array(1.5), 5, dense, REAL, tangent=True)
    assert agree(state.theta, truth, rounding(1.0))
    assert agree(state.sigma, 0.44, rounding(1.0))
    assert layer.first(np.array(1.5), 5, dense, REAL, tangent=False).theta is None


@pytest.mark.parametrize("name", ["relu", "gelu", "tanh", "sin", "hermite(3)"])
def test_one_input_seen_twice(name):
    """The same as t = 1, and with derivatives by the variances that stay finite."""
    phi, dense = activation(name), Dense(1.2, 0.3)
    twice = layer.first_same(4, dense, REAL, True)
    assert twice.sigma is twice.q
    once = layer.first(np.array(1.0), 4, dense, REAL, True)
    for _ in range(3):
        once, twice = (layer.hidden(state, phi, dense, REAL) for state in (once, twice))
    assert twice.sigma is twice.q
    assert agree(once.sigma, twice.sigma, rounding(3.0))
    assert agree(once.theta, twice.theta, rounding(30.0))
    moving = Dense(Dual(1.2, (1.0,)), 0.3)
    world = dual.world(REAL)
    state = layer.hidden(layer.first_same(4, moving, world, True), phi, moving, world)
    assert np.all(np.isfinite(state.theta.tangents[0]))


def test_jumps():
    step = activation("step")
    layer.refuse_jump(step, tangent=False)
    layer.refuse_jump(ERF, tangent=True)
    with pytest.raises(InvalidInput, match=r"infinite: take kernel=\"nngp\""):
        layer.refuse_jump(step, tangent=True)


MUTANTS = [
    (layer.hidden, "_around(dense, theta, above)", "above"),
    (layer.hidden, "_around(dense, state.sigma, branch)", "branch"),
    (layer.hidden, "layer_tangent(dense.weight_variance,", "layer_tangent(1.0,"),
    (layer.hidden, "_around(dense, q, top)", "top"),
    (layer._dense, "dense.bias_variance, average", "0.0, average"),
    (layer._own, "dense.train_weights else 0.0", "dense.train_biases else 0.0"),
    (layer._own, "dense.train_biases else 0.0", "dense.train_weights else 0.0"),
    (layer._own, "return whole", "return 0.0 * whole"),
    (layer._correlation, "state.sigma / state.q", "state.sigma"),
]


def every_check():
    test_a_layer_by_hand()
    for case in test_what_is_trained_in_the_first_layer.pytestmark[0].args[1]:
        test_what_is_trained_in_the_first_layer(*case)


@pytest.mark.parametrize(("where", "old", "new"), MUTANTS)
def test_the_checks_reject_mutants(monkeypatch, where, old, new):
    assert survives(every_check)
    spoil(monkeypatch, where, old, new)
    assert not survives(every_check)
