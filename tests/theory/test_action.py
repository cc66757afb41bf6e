"""Actions: canonical, additive, and clear about what they refuse."""

import pytest
import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.expression import expression_from_data, expression_to_data
from fieldtheory.theory.field import Field, Propagator

g, h = sp.symbols("g h")


def test_phi_has_the_rule_minus_g():
    (vertex,) = Action.phi(4, coupling="g").vertices
    assert vertex.coupling == -g
    assert vertex.strands == (("phi",) * 4,)
    assert vertex.symmetry == 24


@pytest.mark.parametrize(
    ("strands", "symmetry"),
    [
        ([("phi",) * 4], 24),
        ([("phi", "phi"), ("phi", "phi")], 8),
        ([("r", "zeta"), ("zeta", "zeta")], 2),
        ([("r", "r"), ("r", "r"), ("r", "r")], 48),
        ([("a", "b", "b"), ("a", "b", "b"), ("c",)], 8),
    ],
)
def test_symmetry_of_a_vertex(strands, symmetry):
    assert Vertex(g, strands).symmetry == symmetry


def test_order_of_legs_and_strands_does_not_matter():
    assert Vertex(g, [("b", "a"), ("c",)]) == Vertex(g, [("c",), ("a", "b")])


def test_actions_add():
    total = Action.phi(4, "g") + Action.phi(3, "h")
    assert total == Action.phi(3, "h") + Action.phi(4, "g")
    assert len(total.vertices) == 2
    assert hash(total) == hash(Action.phi(3, "h") + Action.phi(4, "g"))


def test_equal_vertices_merge_and_cancel():
    (vertex,) = (Action.phi(4, "g") + Action.phi(4, h)).vertices
    assert vertex.coupling == -g - h
    assert (Action.phi(4, g) + Action.phi(4, -g)).vertices == ()


def test_printing_shows_the_action():
    assert str(Action.phi(4, -g)) == "S = phi**2/2 - g*phi**4/24"
    spins = Action((Field("n", index=sp.Symbol("M")),), (Vertex(-g, [("n", "n")] * 2),))
    assert str(spins) == "S = n**2/2 + g*[n**2]*[n**2]/8"


def test_legs_by_number_or_name():
    assert Action.phi(4).leg_names(3) == ("phi",) * 3
    assert Action.phi(4).leg_names(0) == ()


TWO = (Field("a"), Field("b"))
R = Field("r", background=True)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: Action.phi(0), "power"),
        (lambda: Action.phi(2.5), "power"),
        (lambda: Action.phi(4, coupling=0), "no vertex"),
        (lambda: Action.phi(4, coupling=0.1), "floats are not exact"),
        (lambda: Action.phi(4, coupling="__import__('os')"), "nothing|symbol"),
        (lambda: Action.phi(4, coupling=True), "coupling"),
        (lambda: Vertex(g, []), "at least one strand"),
        (lambda: Vertex(g, [()]), "at least one leg"),
        (lambda: Vertex(g, [("phi",)], order=0), "order of a vertex"),
        (lambda: Action((Field("phi", 0),)), "cannot propagate"),
        (lambda: Action((Field("a"), Field("b", 0)), (), (Propagator("a", "a", 2),)), "own"),
        (lambda: Action(TWO, (), (Propagator("a", "b", 0),)), "zero"),
        (lambda: Action(TWO, (), (Propagator("a", "b", 1), Propagator("b", "a", 2))), "twice"),
        (lambda: Action(TWO, (), (Propagator("a", "c", 1),)), "unknown field 'c'"),
        (
            lambda: Action((Field("a"), Field("b", index=h)), (), (Propagator("a", "b", 1),)),
            "index",
        ),
        (
            lambda: Action((Field("a"), R), (), (Propagator("a", "r", 1),)),
            "background fields do not",
        ),
        (lambda: Field("psi", conjugate="psi"), "another name"),
        (lambda: Field("psi", background=True, conjugate="psi_bar"), "two background fields"),
        (lambda: Field("psi", conjugate="psi bar"), "identifier"),
        (lambda: Action((Field("a", conjugate="b"), Field("b"))), "twice"),
        (lambda: Action.o_n(3), "even power"),
        (lambda: Action.o_n(components=2), "name of a symbol"),
        (lambda: Action.o_n().replicate(), "already"),
        (lambda: Action.phi(4).replicate(3), "name of a symbol"),
        (lambda: Field("2phi"), "identifier"),
        (lambda: Field("phi", index="M"), "counts"),
        (lambda: Action(()), "at least one field"),
        (lambda: Action((Field("a"), Field("a", 2))), "twice"),
        (lambda: Action(TWO, (Vertex(g, [("c",)]),)), "does not have"),
        (lambda: Action((Field("a"), Field("b", index=h)), (Vertex(g, [("a", "b")]),)), "mixes"),
        (lambda: Action(TWO).leg_names(2), "one name per leg"),
        (lambda: Action(TWO).leg_names(("a", "c")), "unknown field 'c'"),
        (lambda: Action.phi(4).leg_names(-1), "legs"),
        (lambda: Action.phi(4).field("psi"), "unknown field"),
    ],
)
def test_bad_input_is_refused_with_advice(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        wrong()


@pytest.mark.parametrize(
    "expression",
    [g, -g / 2, sp.Symbol("eta", positive=True) * h**-3 + sp.Rational(2, 7), (g + h) ** 2],
)
def test_expressions_survive_as_data(expression):
    assert expression_from_data(expression_to_data(expression)) == expression


def test_expressions_that_are_not_algebra_are_refused():
    with pytest.raises(InvalidInput, match="plain data"):
        expression_to_data(sp.sin(g))
    with pytest.raises(InvalidInput, match="plain data"):
        expression_to_data(sp.Symbol("n", integer=True))
    with pytest.raises(InvalidInput, match="not an expression"):
        expression_from_data("g**9**9")


def test_adding_something_else_is_a_type_error():
    with pytest.raises(TypeError):
        Action.phi(4) + 1


def test_lines_are_every_two_point_function():
    fields = (Field("x", "C"), Field("y", 0), Field("psi", "S", conjugate="psi_bar"), R)
    mixed = (Propagator("y", "x", "D"), Propagator("psi", "psi", "F"))
    action = Action(fields, (), mixed)
    assert [(line.first, line.second, line.names) for line in action.lines] == [
        ("psi", "psi_bar", ("psi", "psi_bar")),
        ("x", "x", ("x", "x")),
        ("psi", "psi", ("psi-psi", "psi-psi")),
        ("x", "y", ("x-y", "y-x")),
    ]
    assert action.leg_types == ("psi", "psi_bar", "x", "y")
    assert action.field("psi_bar") is action.field("psi")


def test_an_action_with_mixed_propagators_shows_its_free_part():
    response = Action((Field("x", "C"), Field("y", 0)), (), (Propagator("x", "y", "R"),))
    assert str(response) == "S = -C*y**2/(2*R**2) + x*y/R"
    singular = Action((Field("x"), Field("y")), (), (Propagator("x", "y", 1),))
    assert str(singular) == "S = [<x x> = 1, <y y> = 1, <x y> = 1]"


def test_o_n_with_one_component_is_phi_to_that_power():
    for power in (2, 4, 6, 8):
        (vertex,) = Action.o_n(power).vertices
        (plain,) = Action.phi(power).vertices
        assert sp.Rational(1, vertex.symmetry) * vertex.coupling == plain.coupling / plain.symmetry


def test_replicas_share_nothing_until_something_couples_them():
    """Two strands without index are one sum over replicas; the term itself stays the same."""
    square = Action((Field("phi"),), (Vertex("w", [("phi", "phi"), ("phi", "phi")]),))
    (copied,) = square.replicate("M").vertices
    assert copied.strands == (("phi",) * 4,)
    assert copied.coupling / copied.symmetry == sp.Symbol("w") / 8
    assert square.replicate("M").field("phi").index == sp.Symbol("M")
