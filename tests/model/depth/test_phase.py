"""Critical lines and points: independent root finding, published numbers, limits."""

import math

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.depth import phase
from fieldtheory.model.depth.criticality import RepeatedLayer
from fieldtheory.model.depth.phase import (
    critical_point,
    critical_weight_variance,
    phase_diagram,
    susceptibility_line,
)
from tests.oracles import depth
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding

LINES = [("tanh", 0.1, (2.0, 0.8)), ("erf", 0.1, (1.5, 0.6)), ("tanh", 0.01, (1.3, 0.3))]
SLOW = [LINES[0], *(pytest.param(line, marks=pytest.mark.slow) for line in LINES[1:])]


LAST_PLACE = 0.5e-8  # half a unit of the last digit the book prints


def check(name, bias, guess):
    weight, _ = depth.critical(name, bias, guess)
    assert agree(critical_weight_variance(name, bias), weight, rounding(weight))


@pytest.mark.parametrize("setting", SLOW, ids=str)
def test_the_critical_line_by_newton_in_two_unknowns(setting):
    check(*setting)
    name, bias, _ = setting
    found = RepeatedLayer(name, critical_weight_variance(name, bias), bias).fixed_point()
    assert found.phase == "critical"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(chi - skip) / slopes", "chi / square"),
        ("q * (1 - skip) - weights * square", "q - weights * growth"),
        ("q * (1 - skip)", "2 * q"),
    ],
)
def test_the_oracle_rejects_mutants(monkeypatch, old, new):
    spoil(monkeypatch, phase._on_line, old, new)
    assert not survives(lambda: check(*LINES[0]))


def test_critical_weights_without_bias_by_hand():
    """1 / phi'(0)^2, and 2 for ReLU."""
    for name, truth in (("tanh", 1.0), ("erf", math.pi / 4), ("relu", 2.0), ("identity", 1.0)):
        assert agree(critical_weight_variance(name), truth, rounding(truth))
    assert agree(critical_weight_variance("leaky_relu(0.5)"), 2 / 1.25, rounding(2.0))


@pytest.mark.slow
def test_gelu_has_the_critical_point_of_the_book():
    """Roberts, Yaida, Hanin, arXiv:2106.10165: (1.98305826, 0.17292239); and by Newton here."""
    weight, bias, q = critical_point("gelu")
    assert agree((weight, bias), (1.98305826, 0.17292239), LAST_PLACE)
    truth = depth.both_critical("gelu", (2.0, 0.2, 3.5))
    assert agree((weight, bias, q), truth, rounding(10.0, 10))


def test_other_points_where_both_are_one():
    assert critical_point("relu") == (2.0, 0.0, 1.0)
    weight, bias, q = critical_point("tanh")
    assert agree((weight, bias, q), (1.0, 0.0, 0.0), rounding(1.0))


@pytest.mark.parametrize("name", ["tanh", "erf", "gelu", "relu", "sin(1.0)"])
@pytest.mark.parametrize("chi", [0.6, 1.0])
@pytest.mark.parametrize("residual", [0.0, 0.4])
def test_every_point_of_a_line_is_on_it(name, chi, residual):
    if name == "relu" and residual and chi == 1.0:
        return check_point(susceptibility_line(name, chi, residual=residual), name, chi, residual)
    line = susceptibility_line(name, chi, residual=residual, variances=np.geomspace(0.1, 10, 9))
    return check_point(line, name, chi, residual)


def check_point(line, name, chi, residual):
    for q, weight, bias in zip(
        line.variance, line.weight_variance, line.bias_variance, strict=True
    ):
        layer = RepeatedLayer(name, weight, bias, residual)
        assert agree(layer.chi(q).perp, chi, rounding(1.0))
        assert agree(layer.variance(q), q, rounding(q, 10))
        assert bias >= 0


def test_a_diagram():
    found = phase_diagram("tanh", chi=[0.5, 1.0, 1.5], bias_variance=0.5)
    picture = found.picture()
    assert [line.label for line in picture.lines] == ["chi = 0.5", "critical", "chi = 1.5"]
    assert picture.title.startswith("phase diagram of tanh")
    assert [row.split()[0] for row in str(found).splitlines()[2:]] == ["0.5", "1", "1.5"]
    assert [line["chi"] for line in found.to_dict()["lines"]] == [0.5, 1.0, 1.5]
    for line in found.lines:
        assert np.all(line.bias_variance <= 0.5)
    # ReLU is critical at one point, drawn as a point
    (relu,) = phase_diagram("relu", chi=[1.0]).picture().lines
    assert relu.points
    assert agree(relu.y, 2.0, rounding(2.0))


@pytest.mark.parametrize(
    ("question", "kind", "message"),
    [
        (lambda: critical_weight_variance("relu", 0.1), OutOfRegime, "with bias variance 0.1"),
        (lambda: critical_weight_variance("gelu"), OutOfRegime, "with bias variance 0"),
        (lambda: critical_weight_variance("tanh", -1), InvalidInput, "negative"),
        (lambda: critical_point("cos"), OutOfRegime, "never one together"),
        (lambda: critical_point("step"), InvalidInput, "jumps"),
        (lambda: susceptibility_line("tanh", 0.0), InvalidInput, "chi = 0"),
        (lambda: susceptibility_line("relu", 1.5), OutOfRegime, "no stable fixed point"),
        (lambda: phase_diagram("relu", [1.5]), OutOfRegime, "no stable fixed point"),
        (lambda: phase_diagram("tanh", []), InvalidInput, "chi has shape"),
    ],
)
def test_bad_questions(question, kind, message):
    with pytest.raises(kind, match=message):
        question()
