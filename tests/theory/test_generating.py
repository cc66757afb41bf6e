"""Correlators, free energies and effective actions: against the zero-dimensional integral, and by
one route against another."""

from itertools import combinations_with_replacement

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import zero
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.amplitude import total
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field, Propagator
from fieldtheory.theory.generating import (
    correlator,
    cumulant,
    effective_action,
    free_energy,
    irreducible,
    shifted,
    vertex_function,
)
from tests.strategies import general_actions, plain_actions, replicated_actions

g, h, j, n, M, t = sp.symbols("g h j n M t")
phi_c, psi_c, psi_bar_c = sp.symbols("phi_c psi_c psi_bar_c")
PHI4 = Action.phi(4, "g")
MIXTURE = Action.phi(3, "h") + PHI4
COMPLEX = Action(
    (Field("psi", "S", conjugate="psi_bar"),), (Vertex(-g, [("psi", "psi", "psi_bar", "psi_bar")]),)
)
RESPONSE = Action(
    (Field("phi", "C"), Field("phit", 0)),
    (Vertex("b", [("phit", "phi", "phi")]), Vertex("c", [("phit", "phit", "phi")])),
    (Propagator("phi", "phit", "R"),),
)
COUPLED = Action(
    (Field("a", 2), Field("b", 3)), (Vertex("u", [("a", "a", "b")]),), (Propagator("a", "b", 1),)
)
SOURCED = Action((Field("phi"), Field("r", background=True)), (Vertex(g, [("phi", "r")]),))
PLAIN = [PHI4, MIXTURE, COMPLEX, RESPONSE, COUPLED]


def same(one, other):
    return sp.expand(one - other) == 0


# -- correlators and cumulants --------------------------------------------------------------------


def test_the_house_example():
    assert correlator(PHI4, legs=2, order=2) == 2 * g**2 / 3 - g / 2 + 1


def test_a_tree_is_exact():
    """<phi phi phi> at first order of phi^3 is minus the coupling."""
    assert cumulant(Action.phi(3, "h"), legs=3, order=1) == -h


def test_correlators_without_legs():
    assert correlator(PHI4, legs=0, order=2) == 1
    assert cumulant(PHI4, legs=0, order=2) == free_energy(PHI4, order=2)


@settings(max_examples=25, deadline=None)
@given(st.one_of(plain_actions(), general_actions(), replicated_actions()), st.data())
def test_sums_over_diagrams_are_the_integral(action, data):
    leg = st.sampled_from([name for field in action.fields for name in field.legs])
    names = tuple(data.draw(leg) for _ in range(2))
    assert same(correlator(action, names, 2), zero.correlator(action, names, 2))
    assert same(cumulant(action, names, 2), zero.cumulant(action, names, 2))
    assert same(free_energy(action, 2), zero.free_energy(action, 2))


@pytest.mark.parametrize("where", [(0, 0, 0, 0), (0, 0, 1, 1), (3, 1, 1, 3), (0, 1, 2, 0)])
def test_legs_lie_in_replicas(where):
    action = Action.o_n(4, "n")
    for connected in (False, True):
        ours = correlator(action, 4, 2, connected=connected, replicas=where)
        judge = zero.cumulant if connected else zero.correlator
        assert same(ours, judge(action, 4, 2, where))


def test_orders_in_several_couplings():
    powers = {"g": 1, "h": 2}
    assert same(correlator(MIXTURE, 2, powers), zero.correlator(MIXTURE, 2, powers))
    by_order = sp.Poly(correlator(MIXTURE, 2, 3), g, h)
    by_power = sp.Poly(correlator(MIXTURE, 2, powers), g, h)
    for power in [(0, 0), (1, 0), (0, 2), (1, 2)]:
        assert by_power.coeff_monomial(power) == by_order.coeff_monomial(power)


# -- the free energy ------------------------------------------------------------------------------


def test_a_source_alone():
    """log of the integral of exp(-phi^2/(2 G) + j phi) is G j^2/2."""
    action = Action((Field("phi", "G"),), (Vertex(j, [("phi",)]),))
    assert free_energy(action, order=4) == j**2 * sp.Symbol("G") / 2


def test_a_mass_alone():
    """-log(1 + m)/2, the determinant."""
    m = sp.Symbol("m")
    action = Action((Field("phi"),), (Vertex(-m, [("phi", "phi")]),))
    assert same(free_energy(action, 5), (-sp.log(1 + m) / 2).series(m, 0, 6).removeO())


def test_the_vector_model():
    assert same(free_energy(Action.o_n(4, "n"), 3), zero.free_energy(Action.o_n(4, "n"), 3))
    one = free_energy(Action.o_n(4, "n"), 3).subs(n, 1)
    assert same(one, free_energy(PHI4, 3))


# -- the effective action -------------------------------------------------------------------------


def judged(action, order):
    """The Legendre transform of the integral."""
    return zero.effective_action(action, order)


@pytest.mark.parametrize("action", [*PLAIN, Action.o_n(4, "n")], ids=str)
def test_it_is_the_legendre_transform(action):
    assert same(effective_action(action, 2), judged(action, 2))


@settings(max_examples=20, deadline=None)
@given(st.one_of(plain_actions(), general_actions(), replicated_actions()))
def test_it_is_the_legendre_transform_of_random_theories(action):
    try:
        expected = judged(action, 2)
    except InvalidInput:  # no free action has these propagators
        with pytest.raises(InvalidInput, match="determinant 0"):
            effective_action(action, 2)
    else:
        assert same(effective_action(action, 2), expected)


@settings(max_examples=20, deadline=None)
@given(st.one_of(plain_actions(), general_actions(), replicated_actions()), st.data())
def test_vertex_functions_of_random_theories(action, data):
    legs = tuple(data.draw(st.sampled_from(action.leg_types)) for _ in range(2))
    where = data.draw(st.sampled_from([(0, 0), (0, 1)])) if action.is_replicated else None
    ours = irreducible(action, legs, 2, replicas=where)
    assert same(ours, zero.irreducible(action, legs, 2, where))


def test_amputated_diagrams_are_the_vertex_function():
    for legs in (1, 2, 3):
        found = (
            diagram
            for order in range(3)
            for diagram in diagrams(MIXTURE, legs, order=order, one_particle_irreducible=True)
        )
        assert same(total(found, amputated=True), irreducible(MIXTURE, legs, 2))


def test_legendre_by_hand():
    """phi = W'(J) put into J phi - W(J), to sixth order in the source."""
    J, order, most = sp.Symbol("J"), 2, 6
    found = [cumulant(PHI4, legs=k, order=order) for k in range(most + 1)]
    W = sum(c * J**k / sp.factorial(k) for k, c in enumerate(found))
    J_of = phi_c
    for _ in range(most):  # solve W'(J) = phi_c order by order
        wrong = sp.expand(sp.diff(W, J).subs(J, J_of) - phi_c)
        J_of = truncated(J_of - wrong, order, most)
    gamma = truncated(J_of * phi_c - W.subs(J, J_of), order, most - 2)
    assert same(gamma, truncated(effective_action(PHI4, order), order, most - 2))


def truncated(expression, order, powers):
    kept = sp.Poly(sp.expand(expression), g, phi_c).as_dict()
    return sum(c * g**a * phi_c**b for (a, b), c in kept.items() if a <= order and b <= powers)


@pytest.mark.parametrize("action", PLAIN, ids=str)
def test_its_derivatives_are_the_vertex_functions(action):
    """Route two: 1PI diagrams with legs instead of a background."""
    gamma = effective_action(action, 2)
    symbols = {leg: sp.Symbol(f"{leg}_c") for leg in action.leg_types}
    at_zero = dict.fromkeys(symbols.values(), 0)
    for number in (1, 2, 3, 4):
        for legs in combinations_with_replacement(action.leg_types, number):
            derivative = sp.diff(gamma, *(symbols[leg] for leg in legs)).subs(at_zero)
            assert same(vertex_function(action, legs, 2), derivative), legs
            assert same(vertex_function(action, legs, 2), zero.vertex_function(action, legs, 2))


def test_a_uniform_field_counts_every_choice_of_components():
    """d^4 Gamma/d phi_c^4 sums the components of four legs: all alike, in pairs, ..."""
    action = Action.o_n(4, "n")
    gamma = effective_action(action, 2)
    second, fourth = (sp.diff(gamma, phi_c, k).subs(phi_c, 0) for k in (2, 4))
    apart = vertex_function(action, 2, 2, replicas=(0, 1))
    assert same(second, n * vertex_function(action, 2, 2) + n * (n - 1) * apart)
    alike = vertex_function(action, 4, 2)
    pairs = vertex_function(action, 4, 2, replicas=(0, 0, 1, 1))
    assert same(fourth, n * alike + 3 * n * (n - 1) * pairs)
    assert vertex_function(action, 4, 2, replicas=(0, 1, 2, 3)) == 0


def test_the_self_energy_makes_the_propagator():
    """<phi phi> = 1/(1 - Sigma) where nothing else is connected, in phi^4."""
    self_energy = irreducible(PHI4, 2, 3)
    full = (1 / (1 - self_energy)).series(g, 0, 4).removeO()
    assert same(full, cumulant(PHI4, 2, 3))


# -- loops ----------------------------------------------------------------------------------------


def test_two_loops_by_hand():
    """S + log(S'')/2 + g G^2/8 - (g phi)^2 G^3/12 with G = 1/S''."""
    curved = 1 + g * phi_c**2 / 2
    tree = phi_c**2 / 2 + g * phi_c**4 / 24
    two = g / (8 * curved**2) - (g * phi_c) ** 2 / (12 * curved**3)
    found = effective_action(PHI4, loops=2)
    assert sp.simplify(found - tree - sp.log(curved) / 2 - two) == 0


@pytest.mark.parametrize(
    "action",
    [MIXTURE, COMPLEX, pytest.param(RESPONSE, marks=pytest.mark.slow), COUPLED],
    ids=str,
)
def test_loops_and_orders_are_one_series(action):
    """At order 2 a vertex of four legs makes three loops at most."""
    by_loops = effective_action(action, loops=3)
    couplings = {s for vertex in action.vertices for s in vertex.coupling.free_symbols}
    graded = by_loops.subs({s: t * s for s in couplings}, simultaneous=True)
    series = sum(sp.diff(graded, t, power).subs(t, 0) / sp.factorial(power) for power in range(3))
    assert sp.cancel(sp.expand(series) - effective_action(action, 2)) == 0


def test_quadratic_vertices_are_resummed():
    """A mass in phi^4: the same as a propagator 1/(1 + m)."""
    m = sp.Symbol("m")
    massive = PHI4 + Action((Field("phi"),), (Vertex(-m, [("phi", "phi")]),))
    other = Action((Field("phi", 1 / (1 + m)),), PHI4.vertices)
    one, two = effective_action(massive, loops=2), effective_action(other, loops=2)
    assert sp.simplify(sp.diff(one - two, phi_c)) == 0
    assert sp.simplify((one - two).subs(phi_c, 0) - sp.log(1 + m) / 2) == 0


def test_the_free_theory():
    assert effective_action(Action((Field("phi", "G"),)), loops=4) == phi_c**2 / 2 / sp.Symbol("G")


# -- the split, and what is refused ---------------------------------------------------------------


def test_the_split_action_is_the_action_of_the_sum():
    """Every vertex, multiplied out: phi -> phi + r, without the terms linear in phi."""
    action = Action(
        (Field("phi", index=M),), (Vertex("c", [("phi", "phi"), ("phi", "phi", "phi")]),)
    )
    a, b = sp.symbols("phi r")
    for strands in shifted(action, {"phi": "r"}).vertices:
        assert strands.coupling == sp.Symbol("c")
    written = sum(
        sp.Mul(*(a if leg == "phi" else b for leg in v.legs)) / v.symmetry
        for v in shifted(action, {"phi": "r"}).vertices
    )
    whole = sp.expand((a + b) ** 5 / 12)
    assert same(written, whole - 5 * a * b**4 / 12)


def test_classical_fields_can_be_named():
    named = effective_action(PHI4, 1, fields={"phi": "u"})
    assert same(named, effective_action(PHI4, 1).subs(phi_c, sp.Symbol("u")))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: correlator(PHI4, order=-1), "order"),
        (lambda: correlator(PHI4, 2, 1, replicas=(0, 1, 2)), "one number for each"),
        (lambda: effective_action(PHI4), "exactly one of them"),
        (lambda: effective_action(PHI4, 1, loops=1), "exactly one of them"),
        (lambda: effective_action(PHI4, loops=-1), "loops"),
        (lambda: effective_action(Action.o_n(4), loops=1), "give order= instead"),
        (lambda: effective_action(PHI4, 1, fields={"phi": "g"}), "'g': that name is in use"),
        (lambda: effective_action(PHI4, 1, fields={"chi": "g"}), "fields names 'chi'"),
        (lambda: irreducible(RESPONSE, ("r",)), "unknown field"),
        (lambda: irreducible(SOURCED, ("r",)), "background field"),
        (lambda: vertex_function(PHI4, 2, 1, replicas=(0,)), "one number for each"),
        (
            lambda: effective_action(
                Action((Field("a"), Field("b")), (), (Propagator("a", "b", 1),)), 0
            ),
            "determinant 0",
        ),
    ],
)
def test_bad_input(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        wrong()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_spoiled_terms_are_rejected(order):
    """The judge sees every coefficient: change any one and the sum rule fails."""
    value, truth = free_energy(MIXTURE, order), zero.free_energy(MIXTURE, order)
    for term in value.as_ordered_terms():
        for factor in (-1, 2, sp.Rational(1, 2)):
            assert not same(value + (factor - 1) * term, truth)
