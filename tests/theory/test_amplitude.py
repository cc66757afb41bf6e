"""Feynman rules in zero dimensions and in position space."""

import pytest
import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action, Field, Vertex
from fieldtheory.theory.amplitude import amplitude, correlator
from fieldtheory.theory.enumeration import diagrams

g, h, D = sp.symbols("g h D")


def test_the_house_example():
    assert correlator(Action.phi(4, coupling="g"), legs=2, order=2) == 2 * g**2 / 3 - g / 2 + 1


def test_propagators_and_backgrounds_enter_in_zero_dimensions():
    fields = (Field("phi", "D"), Field("r", background=True))
    action = Action(fields, (Vertex(-g, [("phi", "phi", "r", "r")]),))
    (line,) = diagrams(action, legs=2, order=1, connected=True)
    assert line.symmetry == 2
    assert amplitude(line) == -g * D**2 * sp.Symbol("r") ** 2


def test_position_space_has_one_integral_per_vertex():
    sunset = list(diagrams(Action.phi(4, "g"), legs=2, order=2, connected=True))[-1]
    value = amplitude(sunset, form="position")
    x1, x2, z1, z2 = sp.symbols("x_1 x_2 z_1 z_2")
    G = sp.Function("G_phi")
    assert value == g**2 * sp.Integral(G(x1, z1) * G(x2, z2) * G(z1, z2) ** 3, z1, z2)


def test_two_point_functions_are_symmetric():
    (line,) = diagrams(Action.phi(4), legs=2, order=0)
    x, y = sp.symbols("x y")
    assert amplitude(line, "position", (x, y)) == amplitude(line, "position", (y, x))


def test_the_propagator_names_the_function():
    action = Action((Field("phi", "C"),), (Vertex(h, [("phi",) * 3]),))
    (line,) = diagrams(action, legs=2, order=0)
    assert str(amplitude(line, "position")) == "C(x_1, x_2)"


def test_a_tree_is_exact():
    """<phi phi phi> at first order of phi^3 is minus the coupling."""
    assert correlator(Action.phi(3, "h"), legs=3, order=1, connected=True) == -h


def test_correlators_without_legs_are_one():
    assert correlator(Action.phi(4), legs=0, order=2) == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda d: amplitude(d, form="momentum"), "unknown form"),
        (lambda d: amplitude(d, "position", (g,)), "one per leg"),
        (lambda d: correlator(Action.phi(4), order=-1), "order"),
        (lambda d: correlator(Action.phi(4), 2, 1, replicas=(0, 1, 2)), "one number for each"),
    ],
)
def test_bad_input(wrong, says):
    diagram = next(diagrams(Action.phi(4), legs=2, order=0))
    with pytest.raises(InvalidInput, match=says):
        wrong(diagram)
