"""Replica strands: the polynomial in M against the published table and against O(M) colours."""

import json
from pathlib import Path

import pytest
import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import learning, replica
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.amplitude import total
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field, Propagator
from fieldtheory.theory.generating import free_energy

TABLE = json.loads((Path(__file__).parents[1] / "reference" / "diagrams.json").read_text())
M, lam = sp.symbols("M lam")
r = sp.Symbol("r")
PAIRS = [("phi", "phi"), ("r", "phi"), ("r", "r")]


def square():
    """exp((lam/8) [sum_a (phi_a + r)^2]^2): every rule is lam."""
    fields = (Field("phi", index=M), Field("r", background=True, index=M))
    vertices = [Vertex(lam, [a, b]) for n, a in enumerate(PAIRS) for b in PAIRS[n:]]
    return Action(fields, tuple(vertices))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_published_table(order):
    symbols = {"M": M, "g": -r}  # the table subtracts its background
    expected = sp.S.Zero
    for monomial, number in TABLE["replica"]["w"][str(order)].items():
        powers = [factor.split("^") for factor in monomial.split("*")]
        term = sp.Mul(*(symbols[name] ** int(power) for name, power in powers))
        expected += sp.Rational(number) * term * lam**order
    found = free_energy(square(), order) - free_energy(square(), order - 1)
    assert sp.expand(found - expected) == 0


def published_limit(orders):
    """lam^k (2k-1)!! (1/(4k) + r^2/2), summed."""
    return sp.expand(
        sum(
            lam**k * sp.factorial2(2 * k - 1) * (sp.Rational(1, 4 * k) + r**2 / 2)
            for k in range(1, orders + 1)
        )
    )


def test_the_limit_per_replica():
    """d/dM log Z at M = 0."""
    assert replica.derivative(free_energy(square(), 4), "M") == published_limit(4)


def test_the_limit_rejects_a_wrong_power_of_m():
    """Half or twice the index lines of any one diagram changes the answer."""
    found = list(diagrams(square(), legs=0, order=1, connected=True))
    truth = published_limit(1)
    values = [total([d]) for d in found]
    assert replica.derivative(sp.Add(*values), M) == truth
    for place, value in enumerate(values):
        for wrong in (value * M, sp.expand(value / M)):
            spoiled = sp.Add(*values[:place], wrong, *values[place + 1 :])
            if wrong.has(M) and M in sp.expand(value).free_symbols and value.coeff(M, 1) != 0:
                assert replica.derivative(spoiled, M) != truth


def test_copies_without_coupling_are_copies():
    """M free copies: log Z is M times that of one."""
    one = Action.phi(4) + Action.phi(3, "h")
    copies = one.replicate("M")
    assert sp.expand(free_energy(copies, 3) - M * free_energy(one, 3)) == 0
    assert replica.derivative(free_energy(copies, 3)) == free_energy(one, 3)


def test_random_mass_by_its_average():
    """exp(-m phi^2/2), m Gaussian of variance w: the average of -log(1 + m)/2, moment by moment."""
    w, m = sp.symbols("w m")
    fields = (Field("phi", index=M),)
    action = Action(fields, (Vertex(w, [("phi", "phi"), ("phi", "phi")]),))
    logarithm = sp.Poly((-sp.log(1 + m) / 2).series(m, 0, 7).removeO(), m)
    moments = [sp.factorial2(k - 1) * w ** (k // 2) if k % 2 == 0 else 0 for k in range(7)]
    average = sum(c * moments[k] for (k,), c in logarithm.terms())
    assert sp.expand(replica.derivative(free_energy(action, 3)) - average) == 0


def test_complex_and_mixed_lines_carry_the_index():
    """A closed line of a complex field is one sum; so is one of a response field."""
    n = sp.Symbol("n")
    psi = Field("psi", index=n, conjugate="psi_bar")
    bubble = Action((psi,), (Vertex("g", [("psi", "psi_bar")] * 2),))
    weights = {replica.weight(d) for d in diagrams(bubble, (), order=1)}
    assert weights == {n, n**2}
    fields = (Field("phi", index=n), Field("phit", 0, index=n))
    pair = Action(fields, (Vertex("g", [("phi", "phit")] * 2),), (Propagator("phi", "phit", "R"),))
    weights = {replica.weight(d) for d in diagrams(pair, (), order=1)}
    assert weights == {n, n**2}
    assert all(
        replica.same_replica(d, 1, 2)
        for d in diagrams(pair, ("phi", "phit"), order=1, connected=True)
    )


@pytest.mark.parametrize(
    ("expression", "index"), [(1 / M, "M"), (M**2, 3), (sp.sqrt(M), M), ("M*M", M)]
)
def test_a_derivative_needs_a_polynomial(expression, index):
    with pytest.raises(InvalidInput, match=r"symbol"):
        replica.derivative(expression, index)


def test_colour_factor_of_the_vector_model():
    """One-loop self-energy of (g/8)(phi.phi)^2: M/2 from the closed line, 1 from the open one."""
    action = Action((Field("phi", index=M),), (Vertex("g", [("phi", "phi")] * 2),))
    found = diagrams(action, legs=2, order=1, connected=True)
    assert sp.Add(*(replica.weight(d) / d.symmetry for d in found)) == M / 2 + 1


def test_plain_diagrams_weigh_one():
    for diagram in diagrams(Action.phi(4), legs=2, order=2):
        assert replica.weight(diagram) == 1
        assert replica.limit(diagram) == 1
        assert not replica.same_replica(diagram, 1, 2)


def test_limit_is_the_weight_at_zero():
    for diagram in diagrams(learning.action(2), legs=2, order=2):
        assert replica.limit(diagram) == replica.weight(diagram).subs(M, 0)


def test_same_replica():
    action = learning.action(1)
    for diagram in diagrams(action, legs=2, order=1, connected=True):
        strand_of = {a: b for a, b, _ in diagram.edges if a < 0}
        joined = strand_of[-1] == strand_of[-2] or any(
            {a, b} == {strand_of[-1], strand_of[-2]} for a, b, _ in diagram.edges
        )
        assert replica.same_replica(diagram, 1, 2) == joined
        assert replica.same_replica(diagram, 1, 1)
        assert replica.respects(diagram, (0, 1)) == (not joined)
        assert replica.respects(diagram, (5, 5))


def test_a_leg_that_is_not_there():
    diagram = next(diagrams(Action.phi(4), legs=2, order=1))
    with pytest.raises(InvalidInput, match="legs 1 to 2"):
        replica.same_replica(diagram, 1, 3)
