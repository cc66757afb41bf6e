"""The sum rule: diagrams over their symmetries add up to the zero-dimensional theory."""

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings

from fieldtheory.theory import replica, zero
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.amplitude import total
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field
from tests.strategies import general_actions, plain_actions, replicated_actions

g, M = sp.symbols("g M")
PHI4 = Action.phi(4, coupling="g")
PSI = ("psi", "psi_bar")


def same(one, other):
    return sp.expand(one - other) == 0


def summed(action, legs, order, replicas=None, **wanted):
    """The sum over diagrams of amplitude, replica weight and 1/symmetry through an order."""
    return total(
        diagram
        for at in range(order + 1)
        for diagram in diagrams(action, legs, order=at, **wanted)
        if replicas is None or replica.respects(diagram, replicas)
    )


def sum_rule(action, legs, order, replicas=None):
    where = (action, legs, order, replicas)
    assert same(summed(*where, vacuum_bubbles=False), zero.correlator(*where))
    assert same(summed(*where, connected=True), zero.cumulant(*where))
    irreducible = summed(*where, one_particle_irreducible=True)
    assert same(irreducible, zero.irreducible(*where, amputated=False))


@pytest.mark.parametrize(
    ("action", "legs", "order"),
    [
        (PHI4, 2, 4),
        (PHI4, 4, 3),
        (Action.phi(3), 1, 5),
        (Action.phi(3), 3, 5),
        (Action.phi(3, "h") + PHI4, 2, 3),
        (Action.phi(6), 2, 2),
    ],
)
def test_diagrams_sum_to_the_integral(action, legs, order):
    sum_rule(action, legs, order)
    assert same(summed(action, legs, order), sp.Add(*zero.moment(action, legs, order)))


@pytest.mark.parametrize(("power", "legs"), [(4, 2), (4, 4), (3, 2), (3, 3)])
@pytest.mark.parametrize("loops", [1, 2, 3, 4, 5])
def test_irreducible_diagrams_through_five_loops(power, legs, loops):
    """A 1PI diagram of V vertices obeys (power - 2) V = 2 (loops - 1) + legs."""
    action, vertices = Action.phi(power, g), (2 * (loops - 1) + legs) // (power - 2)
    found = diagrams(action, legs, loops=loops, one_particle_irreducible=True)
    total = sum(Fraction(1, d.symmetry) for d in found) * (-1) ** vertices
    truth = sp.Poly(zero.irreducible(action, legs, vertices), g).coeff_monomial(g**vertices)
    assert total == Fraction(int(truth.p), int(truth.q))


@settings(max_examples=30, deadline=None)
@given(plain_actions())
def test_diagrams_of_random_actions_sum_to_the_integral(action):
    one, other = action.fields[0].name, action.fields[-1].name
    for legs in [(one,), (one, other), (one, other, other)]:
        sum_rule(action, legs, 2)
    assert same(summed(action, (), 2, connected=True), zero.free_energy(action, 2))


@settings(max_examples=30, deadline=None)
@given(general_actions())
def test_diagrams_of_general_actions_sum_to_the_integral(action):
    """Real, complex, response and background fields, mixed and anomalous propagators."""
    for legs in [("phi",), ("psi", "psi_bar"), ("phi", "psi")]:
        sum_rule(action, legs, 2)


@settings(max_examples=30, deadline=None)
@given(replicated_actions())
def test_replicated_diagrams_sum_to_the_integral_with_m_symbolic(action):
    for legs, replicas in [(("phi",), (0,)), (("phi", "phi"), (0, 0)), (("phi", "phi"), (0, 1))]:
        sum_rule(action, legs, 2, replicas)
    assert same(summed(action, (), 2, connected=True), zero.free_energy(action, 2))


@pytest.mark.parametrize("replicas", [(0, 0), (0, 1)])
def test_complex_replicas_sum_to_the_integral(replicas):
    """U(M): g (psi_bar . psi)^2, and a real field that couples to it."""
    fields = (Field("psi", "G", index=M, conjugate="psi_bar"), Field("phi", "D"))
    both = Action(fields, (Vertex("g", [PSI, PSI]), Vertex("h", [PSI, ("phi",)])))
    sum_rule(both, PSI, 2, replicas)


def test_the_sum_rule_rejects_a_wrong_symmetry():
    truth = sp.Poly(zero.correlator(PHI4, 2, 2), g)
    assert Fraction(str(truth.coeff_monomial(g**2))) == Fraction(2, 3)
    for wrong in ([4, 4, 12], [4, 4, 3], [4, 6], [2, 4, 6], [4, 4, 4, 6]):
        assert sum(Fraction(1, s) for s in wrong) != Fraction(2, 3)
