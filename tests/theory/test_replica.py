"""Replica strands: the polynomial in M against the published table and against O(M) colours."""

import json
from pathlib import Path

import pytest
import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import learning, replica
from fieldtheory.theory.action import Action, Field, Vertex
from fieldtheory.theory.amplitude import amplitude
from fieldtheory.theory.enumeration import diagrams

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
    total = sp.expand(
        sp.Add(
            *(
                amplitude(d) * replica.weight(d) / d.symmetry
                for d in diagrams(square(), legs=0, order=order, connected=True)
            )
        )
    )
    symbols = {"M": M, "g": -r}  # the table subtracts its background
    expected = sp.S.Zero
    for monomial, number in TABLE["replica"]["w"][str(order)].items():
        powers = [factor.split("^") for factor in monomial.split("*")]
        term = sp.Mul(*(symbols[name] ** int(power) for name, power in powers))
        expected += sp.Rational(number) * term * lam**order
    assert sp.expand(total - expected) == 0


def test_the_limit_per_replica():
    """d/dM log Z at M = 0 is lam (1/4 + g^2/2) at first order."""
    weights = [
        amplitude(d) * replica.weight(d) / d.symmetry
        for d in diagrams(square(), legs=0, order=1, connected=True)
    ]
    assert sp.expand(sp.diff(sp.Add(*weights), M).subs(M, 0)) == lam / 4 + lam * r**2 / 2


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
