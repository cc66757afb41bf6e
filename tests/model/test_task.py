"""Tasks: built from text or from power, checked at the door."""

import json
import math

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.network import Network
from fieldtheory.model.target import Target
from fieldtheory.model.task import Task
from tests.tolerance import agree, rounding


def test_from_text_and_from_power():
    text = Task.sphere(50, "x0 + 0.5*x0*x1", noise=0.01, ridge=0.1)
    assert agree(text.target.power, [0, 1 / 50, 0.25 / (50 * 52)], rounding(1.0))
    power = Task.sphere(50, [0, 0.5, 0.5])
    assert power.target.power.tolist() == [0.0, 0.5, 0.5]
    assert (power.noise, power.ridge, power.dimension, power.radius) == (0.0, 0.0, 50, 1.0)
    assert Task(Target.from_power([1.0], 3)).dimension == 3


def test_the_radius_the_network_sees():
    assert Task.sphere(9, [0, 1.0], input_norm="dimension").radius == 3.0


def test_printing():
    text = str(Task.sphere(50, "x0", noise=0.01, ridge=0.1))
    assert text == "x0 on S^49, |x| = 1, label noise 0.01, ridge 0.1"
    assert "power per degree [0, 0.5]" in str(Task.sphere(5, [0, 0.5], input_norm="dimension"))
    assert "|x| = sqrt(d)" in str(Task.sphere(5, [0, 0.5], input_norm="dimension"))


@pytest.mark.parametrize(
    "value",
    [
        Task.sphere(3, "x0 + x1*x2", 0.1),
        Task.sphere(3, ["x0", "x1"], ridge=0.1),
        Task.modes([0, 1, 2]),
        Task.data([[1.0, 0.0], [0.0, 1.0]], [1.0, -1.0]),
        Network(3, np.tanh, weight_variance=[2, 1, 1]),
        Network(2).on_sphere(3),
    ],
)
def test_plain_data(value):
    plain = json.loads(json.dumps(value.to_dict(), allow_nan=False))
    assert plain == value.to_dict()
    assert {"target", "activation", "kernel"} & set(plain)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"noise": -0.1}, r"noise = -0\.1 is negative"),
        ({"noise": math.nan}, "noise = nan"),
        ({"ridge": -1}, "ridge = -1 is negative"),
        ({"ridge": "0"}, "ridge = '0'"),
        ({"input_norm": "units"}, "unknown input_norm 'units'.*did you mean 'unit'"),
        ({"dimension": 1}, "dimension = 1: give a whole number, at least 2"),
        ({"dimension": 2.5}, r"dimension = 2\.5"),
        ({"target": "x0 - x0"}, "is zero on the sphere: nothing to learn"),
        ({"target": [0.0, 0.0]}, "is zero on the sphere: nothing to learn"),
        ({"target": "x0 + y"}, "'y', which is not a coordinate"),
        ({"target": "x7"}, "dimension 5 has x0 .. x4"),
        ({"target": [0, -1.0]}, "is negative"),
        ({"target": "__import__('os').system('true')"}, "functions are not known"),
        ({"target": "9**9**9"}, "power of a power"),
        ({"target": ""}, "nothing is written"),
        ({"target": None}, "target = None: give a polynomial"),
        ({"target": 3}, "target = 3: give a polynomial .* as text .'3' if it is a constant"),
        ({"target": np.array(3.0)}, "give a polynomial"),
    ],
)
def test_bad_questions(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        Task.sphere(**{"dimension": 5, "target": "x0", **arguments})
