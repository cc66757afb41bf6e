"""Trajectories against solutions in closed form."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.running import PRECISION, trajectory
from fieldtheory.plot import draw
from fieldtheory.theory.flows.flow import Flow
from tests.tolerance import agree, asymptotic

eps, g, h, r = sp.symbols("eps g h r")
LOGISTIC = Flow("g", eps * g - g**2)


@settings(max_examples=20)
@given(st.floats(0.01, 3), st.floats(0.1, 1), st.floats(-2, 5))
def test_one_coupling(start, small, until):
    """g = eps / (1 + (eps/g_0 - 1) exp(-eps l)), unless that has run away."""
    if until == 0:
        until = 1.0
    growth = np.exp(-small * np.linspace(0, until, 11))
    below = 1 + (small / start - 1) * growth
    if np.min(below) < 0.05:
        return
    found = trajectory(LOGISTIC, {"g": start}, until, at={"eps": small}, points=11)
    truth = small / below
    assert agree(found["g"], truth, asymptotic(PRECISION * 1e3 * np.max(truth / below)))


def test_two_couplings_and_a_marginal_one():
    """A rotation, beside a coupling that does not run."""
    flow = Flow("g h r", [h, -g, 0])
    found = trajectory(flow, {"g": 1, "h": 0, "r": 3}, 3.0)
    assert agree(found["g"], np.cos(found.scale), asymptotic(1e3 * PRECISION))
    assert agree(found["h"], -np.sin(found.scale), asymptotic(1e3 * PRECISION))
    assert set(found["r"]) == {3.0}
    assert found.end["r"] == 3.0


def test_there_and_back():
    there = trajectory(LOGISTIC, {"g": 0.1}, 4, at={"eps": 0.3})
    back = trajectory(LOGISTIC, there.end, -4, at={"eps": 0.3})
    assert agree(back.end["g"], 0.1, asymptotic(1e3 * PRECISION))


def test_names_need_not_be_identifiers():
    odd, lam = sp.Symbol("g^2/4 pi"), sp.Symbol("lambda")
    found = trajectory(Flow([odd], [lam * odd]), {odd: 1}, 1, at={"lambda": 2})
    assert agree(found.end["g^2/4 pi"], np.exp(2), asymptotic(1e3 * PRECISION))


def test_it_shows_itself():
    flow = Flow("g h", [g, -h])
    found = trajectory(flow, {"g": 0.1, "h": 1}, 1)
    assert "0.271828" in str(found)
    assert draw(flow, found).get_ylabel() == "h"
    single = trajectory(LOGISTIC, {"g": 0.1}, 1, at={"eps": 1})
    assert single.plot().get_xlabel() == "l"
    with pytest.raises(InvalidInput, match="unknown coupling 'q'"):
        single["q"]


@pytest.mark.slow
def test_running_away():
    """dg/dl = g^2 from 1 leaves at l = 1."""
    with pytest.raises(OutOfRegime, match=r"at l = (1|0\.99999\d*), before until = 2"):
        trajectory(Flow("g", g**2), {"g": 1}, 2)


@pytest.mark.slow
def test_poles_are_not_crossed():
    """dr/dl = -1/(1 + r)^2 from 0 meets r = -1 at l = 1/3, and the even power hides the sign."""
    with pytest.raises(OutOfRegime, match=r"pole of its betas at l = 0\.3333"):
        trajectory(Flow("r", -1 / (1 + r) ** 2), {"r": 0}, 1)
    flow = Flow("r g", [-1, 1 / (1 + r)])
    with pytest.raises(OutOfRegime, match=r"pole of its betas at l = (1|0\.9999)"):
        trajectory(flow, {"r": 0, "g": 0}, 3)
    with pytest.raises(OutOfRegime, match="starts on a pole"):
        trajectory(Flow("r", -1 / (1 + r) ** 2), {"r": -1}, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": {}}, r"missing \['g'\]"),
        ({"start": {"g": 1, "h": 1}}, r"unknown \['h'\]"),
        ({"start": {"g": "1"}}, r"start\[g\]"),
        ({"at": None}, r"missing \['eps'\]"),
        ({"at": {"eps": float("inf")}}, "finite"),
        ({"until": 0}, "until = 0"),
        ({"points": 1}, "at least 2"),
    ],
)
def test_what_is_refused(arguments, message):
    question = {"start": {"g": 0.1}, "until": 1, "at": {"eps": 1}, **arguments}
    with pytest.raises(InvalidInput, match=message):
        trajectory(LOGISTIC, **question)
