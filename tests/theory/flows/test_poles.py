"""Pole parts against massless integrals by Gamma functions, with every subdivergence subtracted."""

import pytest
import sympy as sp

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.theory.flows.poles import POLES, TABLE, canonical, eps, pole
from tests.oracles import poles as oracle

BY_HAND = {"tetrahedron": oracle.tetrahedron, "eye with two pupils": oracle.eye_with_two_pupils}


def truth(entry):
    by_hand = BY_HAND.get(entry.law.name)
    found = by_hand() if by_hand else oracle.counterterm(entry.graph)
    return found.subs(oracle.e, eps)


@pytest.mark.parametrize("entry", POLES, ids=lambda entry: entry.law.name)
def test_pole_parts(entry):
    assert sp.expand(entry.law.statement - truth(entry)) == 0


@pytest.mark.parametrize("entry", POLES, ids=lambda entry: entry.law.name)
def test_every_coefficient_counts(entry):
    for term in sp.Add.make_args(entry.law.statement):
        for spoilt in (-term, 2 * term, 0):
            assert sp.expand(entry.law.statement - term + spoilt - truth(entry)) != 0


def test_the_poles_of_products_are_products():
    """Graphs that share one vertex: KR'(A B) = -KR'(A) KR'(B)."""
    poles = {entry.law.name: entry.law.statement for entry in POLES}
    bubble, chain = poles["bubble"], poles["chain of two bubbles"]
    assert sp.expand(chain + bubble**2) == 0
    assert sp.expand(poles["chain of three bubbles"] + bubble * chain) == 0
    assert sp.expand(poles["bubble and eye in a chain"] + bubble * poles["eye"]) == 0


def test_the_table_is_complete_and_canonical():
    assert len(TABLE) == len(POLES)
    assert all(entry.graph == canonical(entry.graph) for entry in POLES)
    assert [entry.loops for entry in POLES] == sorted(entry.loops for entry in POLES)


def test_laws_are_complete():
    for entry in POLES:
        assert entry.law.statement.free_symbols == {eps}
        assert entry.law.source.url.startswith("https://")
        assert entry.law.name in str(entry)


def test_a_graph_that_is_not_there():
    with pytest.raises(OutOfRegime, match="through 3 loops"):
        pole([(0, 0)])
