"""The judge itself, judged by integrals; then the sum rule for the diagrams of random theories."""

from fractions import Fraction
from math import factorial

import pytest
import sympy as sp
from hypothesis import given, settings

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import zero
from fieldtheory.theory.action import Action, Field, Vertex
from fieldtheory.theory.amplitude import correlator
from tests.strategies import plain_actions, replicated_actions

g, M = sp.symbols("g M")
PHI4 = Action.phi(4, coupling="g")


def gaussian_integral(power):
    x = sp.Symbol("x", real=True)
    weight = sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
    return sp.integrate(x**power * weight, (x, -sp.oo, sp.oo))


@pytest.mark.parametrize("power", [0, 2, 4, 5])
def test_moments_are_integrals(power):
    quartic = [gaussian_integral(power + 4 * n) / (sp.factorial(n) * 24**n) for n in range(3)]
    assert zero.moment(PHI4, legs=power, order=2) == tuple(
        (-g) ** n * value for n, value in enumerate(quartic)
    )


def test_the_logarithm_of_the_partition_function():
    exact = sp.log(1 - g / 8 + sp.Rational(35, 384) * g**2).series(g, 0, 3).removeO()
    assert sp.expand(zero.cumulant(PHI4, legs=0, order=2) - exact) == 0


def test_a_source_shifts_the_free_field():
    """S = phi^2/2 - j phi: <phi> = j, <phi phi> = 1 + j^2, nothing else is connected."""
    j = sp.Symbol("j")
    action = Action((Field("phi"),), (Vertex(j, [("phi",)]),))
    assert zero.correlator(action, legs=1, order=3) == j
    assert zero.correlator(action, legs=2, order=3) == 1 + j**2
    assert zero.cumulant(action, legs=2, order=3) == 1


@pytest.mark.parametrize(("p", "q"), [(1, 0), (2, 0), (3, 0), (0, 2), (1, 2), (2, 2), (1, 4)])
def test_replica_sums_are_the_vector_average(p, q):
    """E[(phi.phi)^p (u.phi)^q] = (q-1)!! M^(q/2) (M+q)(M+q+2)...(M+q+2p-2), u = (1, ..., 1)."""
    strands = [("phi", "phi")] * p + [("r", "phi")] * q
    fields = (Field("phi", index=M), Field("r", background=True, index=M))
    vertex = Vertex("c", strands)
    _, first = zero.moment(Action(fields, (vertex,)), legs=(), order=1)
    ladder = sp.prod([M + q + 2 * k for k in range(p)])
    value = sp.factorial2(q - 1) * M ** (q // 2) * ladder * sp.Symbol("r") ** q
    assert sp.expand(first - sp.Symbol("c") * value / vertex.symmetry) == 0


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_replica_sums_at_whole_m_are_several_fields(copies):
    """M = 2 replicas with legs in them are two fields, written out."""
    replicated = Action(
        (Field("p", index=M),), (Vertex("a", [("p", "p")] * 2), Vertex("b", [("p",) * 3]))
    )
    names = [f"p{n}" for n in range(copies)]
    pairs = [(one, other) for one in names for other in names]
    quartic = [
        Vertex(sp.Symbol("a") / 8 * _aut(one, other), [(one, one, other, other)])
        for one, other in pairs
    ]
    cubic = [Vertex("b", [(name,) * 3]) for name in names]
    plain = Action(tuple(Field(name) for name in names), tuple(quartic + cubic))
    for legs in [("p0", "p0"), ("p0",)]:
        ours = zero.correlator(replicated, ("p",) * len(legs), 2)
        assert sp.expand(ours.subs(M, copies) - zero.correlator(plain, legs, 2)) == 0


def _aut(one, other):
    return 24 if one == other else 4


# -- the sum rule ----------------------------------------------------------------------------------


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
    assert correlator(action, legs, order) == zero.correlator(action, legs, order)
    connected = correlator(action, legs, order, connected=True)
    assert connected == zero.cumulant(action, legs, order)


@settings(max_examples=40, deadline=None)
@given(plain_actions())
def test_diagrams_of_random_actions_sum_to_the_integral(action):
    one, other = action.fields[0].name, action.fields[-1].name
    for legs in [(one,), (one, other), (one, other, other)]:
        assert correlator(action, legs, 2) == zero.correlator(action, legs, 2)
        connected = correlator(action, legs, 2, connected=True)
        assert connected == zero.cumulant(action, legs, 2)


@settings(max_examples=40, deadline=None)
@given(replicated_actions())
def test_replicated_diagrams_sum_to_the_integral_with_m_symbolic(action):
    for legs, replicas in [(("phi",), (0,)), (("phi", "phi"), (0, 0)), (("phi", "phi"), (0, 1))]:
        ours = correlator(action, legs, 2, replicas=replicas)
        assert sp.expand(ours - zero.correlator(action, legs, 2, replicas)) == 0
        connected = correlator(action, legs, 2, replicas=replicas, connected=True)
        assert sp.expand(connected - zero.cumulant(action, legs, 2, replicas)) == 0


def test_the_sum_rule_rejects_a_wrong_symmetry():
    truth = sp.Poly(zero.correlator(PHI4, 2, 2), g)
    assert Fraction(str(truth.coeff_monomial(g**2))) == Fraction(2, 3)
    for wrong in ([4, 4, 12], [4, 4, 3], [4, 6], [2, 4, 6], [4, 4, 4, 6]):
        assert sum(Fraction(1, s) for s in wrong) != Fraction(2, 3)


def test_partition_functions_count_every_pairing():
    """At order n the unnormalised average is (4n-1)!! over the numbering of vertices and legs."""
    for n, value in enumerate(zero.moment(PHI4, legs=0, order=3)):
        assert value == (-g) ** n * sp.factorial2(4 * n - 1) / (factorial(n) * 24**n)


def test_bad_input():
    with pytest.raises(InvalidInput, match="at least 0"):
        zero.moment(PHI4, 2, order=-1)
    with pytest.raises(InvalidInput, match="one number for each"):
        zero.moment(PHI4, 2, 1, replicas=(0,))
    with pytest.raises(InvalidInput, match="unknown field"):
        zero.correlator(PHI4, ("psi",), 1)
