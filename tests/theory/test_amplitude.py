"""Feynman rules in zero dimensions, in position space and in momentum space."""

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import replica
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.amplitude import amplitude, background_ends, coupling, total
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field, Propagator
from fieldtheory.theory.momentum import momenta
from tests.oracles import lattice
from tests.strategies import general_actions, plain_actions

g, h, D = sp.symbols("g h D")
k1, k2, p1, p2 = sp.symbols("k_1 k_2 p_1 p_2")
x1, x2, z1, z2 = sp.symbols("x_1 x_2 z_1 z_2")
G = sp.Function("G_phi")
PHI4 = Action.phi(4, "g")
YUKAWA = Action(
    (Field("A", "D"), Field("psi", conjugate="psi_bar")), (Vertex("e", [("A", "psi", "psi_bar")]),)
)
RESPONSE = Action(
    (Field("phi", "C"), Field("phit", 0)),
    (Vertex("b", [("phit", "phi", "phi")]),),
    (Propagator("phi", "phit", "R"),),
)


# -- zero dimensions ------------------------------------------------------------------------------


def test_propagators_and_backgrounds_enter_in_zero_dimensions():
    fields = (Field("phi", "D"), Field("r", background=True))
    action = Action(fields, (Vertex(-g, [("phi", "phi", "r", "r")]),))
    (line,) = diagrams(action, legs=2, order=1, connected=True)
    assert line.symmetry == 2
    assert amplitude(line) == -g * D**2 * sp.Symbol("r") ** 2
    assert amplitude(line, amputated=True) == -g * sp.Symbol("r") ** 2
    assert coupling(line) == -g
    assert background_ends(line) == ((0, "r"), (0, "r"))


def test_mixed_propagators_enter_in_zero_dimensions():
    """One loop of b phit phi^2/2: the response function has one correlation in it, the correlation
    function two."""
    C, R, b = sp.symbols("C R b")
    for legs, expected in [
        (("phi", "phit"), b**2 * C * R**3),
        (("phi", "phi"), b**2 * C**2 * R**2),
    ]:
        found = diagrams(RESPONSE, legs, order=2, connected=True)
        assert {amplitude(d) for d in found} == {expected}


@settings(max_examples=20, deadline=None)
@given(general_actions())
def test_a_sum_is_the_sum_of_its_terms(action):
    found = list(diagrams(action, (), order=2))
    plain = [amplitude(d) * replica.weight(d) / d.symmetry for d in found]
    assert total(found) == sp.expand(sp.Add(*plain))


def test_the_sum_of_nothing_is_zero():
    assert total([]) == 0


# -- position -------------------------------------------------------------------------------------


def test_position_space_has_one_integral_per_vertex():
    sunset = list(diagrams(PHI4, legs=2, order=2, connected=True))[-1]
    value = amplitude(sunset, form="position")
    assert value == g**2 * sp.Integral(G(x1, z1) * G(x2, z2) * G(z1, z2) ** 3, z1, z2)


def test_two_point_functions_are_symmetric():
    (line,) = diagrams(PHI4, legs=2, order=0)
    x, y = sp.symbols("x y")
    assert amplitude(line, "position", (x, y)) == amplitude(line, "position", ("y", "x"))


def test_complex_two_point_functions_are_ordered():
    """G_psi(x, y) = <psi(x) psi_bar(y)>, whichever leg comes first."""
    x, y = sp.symbols("x y")
    G_psi = sp.Function("G_psi")
    (line,) = diagrams(YUKAWA, legs=("psi", "psi_bar"), order=0)
    assert amplitude(line, "position", (x, y)) == G_psi(x, y)
    (line,) = diagrams(YUKAWA, legs=("psi_bar", "psi"), order=0)
    assert amplitude(line, "position", (x, y)) == G_psi(y, x)


def test_mixed_two_point_functions_are_ordered():
    x, y = sp.symbols("x y")
    for names, places in [(("phi", "phit"), (x, y)), (("phit", "phi"), (y, x))]:
        (line,) = diagrams(RESPONSE, legs=names, order=0)
        assert amplitude(line, "position", (x, y)) == sp.Function("R")(*places)
    action = Action((Field("a"), Field("b")), (), (Propagator("b", "a", 2),))
    (line,) = diagrams(action, legs=("b", "a"), order=0)
    assert amplitude(line, "position", (x, y)) == sp.Function("G_a_b")(y, x)


def test_the_propagator_names_the_function():
    action = Action((Field("phi", "C"),), (Vertex(h, [("phi",) * 3]),))
    (line,) = diagrams(action, legs=2, order=0)
    assert str(amplitude(line, "position")) == "C(x_1, x_2)"


def test_amputated_places_are_where_the_lines_were():
    tadpole, *_ = diagrams(PHI4, legs=2, order=1, connected=True)
    delta = sp.Function("delta")
    value = amplitude(tadpole, "position", amputated=True)
    assert value == -g * sp.Integral(delta(x1, z1) * delta(x2, z1) * G(z1, z1), z1)


# -- momentum -------------------------------------------------------------------------------------


def test_tadpole_and_sunset_by_hand():
    G = sp.Function("G_phi")
    (tadpole,) = diagrams(PHI4, legs=2, order=1, connected=True)
    assert amplitude(tadpole, "momentum") == -g * sp.Integral(G(p1) ** 2 * G(k1), k1)
    *_, sunset = diagrams(PHI4, legs=2, order=2, connected=True)
    expected = g**2 * sp.Integral(G(p1) ** 2 * G(k1) * G(k2) * G(k1 + k2 - p1), k1, k2)
    assert amplitude(sunset, "momentum") == expected
    expected = g**2 * sp.Integral(G(k1) * G(k2) * G(k1 + k2 - p1), k1, k2)
    assert amplitude(sunset, "momentum", amputated=True) == expected


def test_one_loop_four_point_function_by_hand():
    channels = {
        amplitude(d, "momentum", amputated=True)
        for d in diagrams(PHI4, legs=4, loops=1, one_particle_irreducible=True)
    }
    p3 = sp.Symbol("p_3")
    assert channels == {
        g**2 * sp.Integral(G(k1) * G(k1 + p), k1) for p in (p1 + p2, p1 + p3, p2 + p3)
    }


def test_a_tree_has_no_integral():
    (tree,) = diagrams(Action.phi(3, "h"), legs=3, order=1, connected=True)
    assert amplitude(tree, "momentum") == -h * G(p1) * G(p2) * G(p1 + p2)
    p, q, r = sp.symbols("p q r")
    assert amplitude(tree, "momentum", (p, q, r)) == -h * G(p) * G(q) * G(p + q)


def test_momentum_runs_along_the_arrow():
    """Into the diagram at psi_bar, out of it at psi."""
    (line,) = diagrams(YUKAWA, legs=("psi_bar", "psi"), order=0)
    assert amplitude(line, "momentum") == sp.Function("G_psi")(p1)
    (line,) = diagrams(YUKAWA, legs=("psi", "psi_bar"), order=0)
    assert amplitude(line, "momentum") == sp.Function("G_psi")(-p1)


def test_an_external_field_takes_up_the_momentum():
    fields = (Field("phi"), Field("r", background=True))
    r, q1 = sp.Function("r"), sp.Symbol("q_1")
    action = Action(fields, (Vertex(g, [("phi", "r", "r")]),))
    (source,) = diagrams(action, legs=1, order=1)
    assert amplitude(source, "momentum") == g * sp.Integral(G(p1) * r(q1) * r(-p1 - q1), q1)


# -- both are one another's Fourier transform, exactly, on a ring of three points -----------------

EVEN = {"G_phi", "D_phi", "D_chi", "C", "D", "F_psi_psi"}


def forms_agree(diagram, seed, amputated=False, spoil=lambda value: value):
    """Momenta are drawn that are conserved in every piece that no background reaches."""
    ring = lattice.Ring(seed, EVEN)
    legs = sp.symbols(f"p_1:{len(diagram.legs) + 1}")
    places = sp.symbols(f"x_1:{len(diagram.legs) + 1}")
    drawn = {p: ring.random.randrange(lattice.SIZE) for p in legs}
    at = [ring.residue(momentum, drawn) for momentum in momenta(diagram).legs]
    ends = {end for end, _ in background_ends(diagram)}
    closed = sum(piece.isdisjoint(ends) for piece in diagram.components)
    space = ring.from_places(amplitude(diagram, "position", None, amputated), places, at)
    value = spoil(amplitude(diagram, "momentum", None, amputated))
    momentum = ring.from_momenta(value, legs, at)
    return (space - momentum * lattice.SIZE**closed) % lattice.PRIME == 0


CASES = [
    (PHI4, ("phi", "phi"), 2),
    (Action.phi(3, "h"), ("phi",) * 3, 3),
    (Action.o_n(4, "n"), ("phi", "phi"), 2),
    (YUKAWA, ("psi", "psi_bar"), 2),
    (YUKAWA, ("psi_bar", "A", "psi"), 3),
    (RESPONSE, ("phi", "phit"), 2),
    (RESPONSE, ("phi", "phi"), 2),
]


@pytest.mark.parametrize(("action", "legs", "order"), CASES)
def test_momentum_is_the_fourier_transform_of_position(action, legs, order):
    found = list(diagrams(action, legs, order=order, vacuum_bubbles=False))
    assert found
    for seed, diagram in enumerate(found[:12]):
        assert forms_agree(diagram, seed), diagram
        if all(end >= 0 for _, end, _ in diagram.edges):
            assert forms_agree(diagram, seed, amputated=True), diagram


@settings(max_examples=25, deadline=None)
@given(st.one_of(plain_actions(), general_actions()), st.integers(0, 2), st.data())
def test_forms_of_random_theories_agree(action, legs, data):
    known = [name for field in action.fields for name in field.legs]
    names = tuple(data.draw(st.sampled_from(known)) for _ in range(legs))
    small = (d for d in diagrams(action, names, order=2) if len(d.vertices) < 4 and d.loops < 5)
    for seed, diagram in zip(range(4), small, strict=False):
        assert forms_agree(diagram, seed), diagram


def test_the_ring_rejects_every_reversed_momentum():
    """Reverse one term anywhere in the momentum form of a diagram with arrows."""
    diagram = next(
        d
        for d in diagrams(YUKAWA, ("psi", "psi_bar"), order=2, connected=True)
        if not d.has_self_loop
    )
    value = amplitude(diagram, "momentum")
    assert forms_agree(diagram, 0)
    spoiled = 0
    for function in value.atoms(sp.core.function.AppliedUndef):
        (momentum,) = function.args
        for term in momentum.as_ordered_terms():
            wrong = function.func(momentum - 2 * term)
            if function.func.__name__ in EVEN and len(momentum.as_ordered_terms()) == 1:
                continue
            spoil = {function: wrong}
            assert not forms_agree(diagram, 0, spoil=lambda v, s=spoil: v.xreplace(s))
            spoiled += 1
    assert spoiled >= 3


def test_products_are_in_the_order_of_sympy():
    for diagram in diagrams(Action.phi(3) + PHI4, legs=2, order=3, connected=True):
        for form in ("position", "momentum"):
            for integral in amplitude(diagram, form).atoms(sp.Integral):
                assert sp.Mul(*sp.Mul.make_args(integral.function)) == integral.function


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda d: amplitude(d, form="momenta"), "did you mean 'momentum'"),
        (lambda d: amplitude(d, "position", (g,)), "one per leg"),
        (lambda d: amplitude(d, "position", ("x", 0.5)), "floats are not exact"),
        (lambda d: amplitude(d, "position", (sp.Symbol("z_1"), x2)), "z_1 is integrated over"),
        (lambda d: amplitude(d, "momentum", (k1, p2)), "k_1 is integrated over"),
    ],
)
def test_bad_input(wrong, says):
    diagram = next(diagrams(PHI4, legs=2, order=1, connected=True))
    with pytest.raises(InvalidInput, match=says):
        wrong(diagram)


def test_a_bare_line_cannot_be_amputated():
    (line,) = diagrams(PHI4, legs=2, order=0)
    for form in ("zero", "position", "momentum"):
        with pytest.raises(InvalidInput, match="no vertex to amputate"):
            amplitude(line, form, amputated=True)
