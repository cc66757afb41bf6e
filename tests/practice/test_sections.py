"""Sections of a spec: every option of a network, and which keys of a task go together."""

from dataclasses import fields

import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.activation import KNOWN
from fieldtheory.model.network import Network
from fieldtheory.practice import ask
from fieldtheory.practice.spec import load, structure

SMALL = {"network": {}, "task": {"dimension": 5}}


def faults(table):
    with pytest.raises(InvalidInput) as caught:
        structure(table)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Networks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*KNOWN, "leaky_relu(0.1)", "sin(2)", "hermite(3)", " cos(.5) "])
def test_every_activation_is_a_network(name):
    kind = {"kernel": "nngp"} if name == "step" else {}
    spec = structure({**SMALL, "network": {"activation": name, **kind}})
    assert ask.model_of(spec) == Network(4, name.strip(), **kind)
    flags = {"network.activation": name, "task.dimension": "5", "tune.activation": f"erf,{name}"}
    assert load(None, flags).tune.activation == ("erf", name.strip())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("relu(2)", "takes no parameter"),
        ("sin(-1)", "not positive"),
        ("sin(x)", "one number in the brackets"),
        ("hermite(2.5)", "whole number"),
        ("leaky_relu(nan)", "one finite number"),
        ("leeky_relu(0.1)", 'did you mean "leaky_relu"'),
        ("relu(", "unknown activation"),
    ],
)
def test_activations_that_are_none(name, why):
    for table in ({"network": {"activation": name}}, {**SMALL, "tune": {"activation": [name]}}):
        message = faults({**SMALL, **table})
        assert why in message
        assert "faults" not in message


def test_every_option_of_a_network():
    options = {
        "depth": 3,
        "activation": "erf",
        "weight_variance": (2.0, 1.5, 1.0),
        "bias_variance": (0.0, 0.5, 1.0),
        "kernel": "ntk",
        "residual": -0.5,
        "input_bias": False,
        "trained": "last",
        "train_biases": False,
    }
    network = Network(**options)
    assert set(options) == {item.name for item in fields(Network)}
    assert ask.model_of(structure({**SMALL, "network": options})) == network
    flags = {f"network.{name}": str(value).lower().strip("()") for name, value in options.items()}
    assert ask.model_of(load(None, {**flags, "task.dimension": "5"})) == network
    for word in ("yes", "1", "True"):
        with pytest.raises(InvalidInput, match="expected true or false"):
            load(None, {**flags, "network.input_bias": word})


# Data ---------------------------------------------------------------------------------------------

DIGITS = {"network": {}, "task": {"data": "digits"}}


@pytest.mark.parametrize(
    ("task", "why"),
    [
        ({"data": "digit"}, r'got "digit", did you mean "digits"\?'),
        ({"data": "points.txt"}, r"ends in \.csv"),
        ({"data": 3}, "got 3"),
        ({"data": "digits", "dimension": 5}, r"task\.dimension: task\.data brings its own"),
        ({"data": "digits", "target": "x0"}, r"task\.target: task\.data brings its own"),
        ({"data": "diabetes", "outputs": "parity"}, "only the digits have a parity"),
        ({"data": "digits", "outputs": "classes"}, "labels in a file"),
        ({"data": "digits", "label_columns": 2}, "it is for a file"),
        ({"data": "digits", "points": 1}, "at least 2"),
        ({"data": "digits", "tested": "fresh"}, "one of pool, unseen"),
        ({"dimension": 5, "points": 9}, r"task\.points: it needs task\.data"),
        ({"dimension": 5, "tested": "pool"}, r"task\.tested: it needs task\.data"),
    ],
)
def test_data_and_spheres_do_not_mix(task, why):
    with pytest.raises(InvalidInput, match=why) as caught:
        structure({"network": {}, "task": task})
    assert "faults" not in str(caught.value)


def test_data_have_no_degrees():
    table = {"task": DIGITS["task"], "spectrum": {"eigenvalues": [1]}}
    assert "belong to a sphere" in faults(table)
    assert structure(DIGITS).task.dimension is None
