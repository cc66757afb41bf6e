"""Symmetries, labels and rules that prune the search, against the constructor and whole lists."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.theory.action import Action, Vertex, multiplicities
from fieldtheory.theory.engine.contraction import symmetries
from fieldtheory.theory.engine.table import Table
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field
from tests.strategies import general_actions, plain_actions, replicated_actions

PHI4 = Action.phi(4, coupling="g")
MIXED = Action.phi(3, "h") + Action.phi(4, "g")
PSI = Field("psi", conjugate="psi_bar")
ENDS = st.lists(st.sampled_from(["phi", "psi", "psi_bar", "r"]), max_size=3).map(tuple)


# -- symmetries -----------------------------------------------------------------------------------


def built(diagram):
    """The same by the constructor, which finds canonical form and symmetry from the lines alone."""
    return replace(diagram, edges=diagram.edges[::-1])


def symmetries_are_found_again(action, legs, order, **rules):
    return all(
        d == built(d) and d.symmetry == built(d).symmetry
        for d in diagrams(action, legs, order=order, **rules)
    )


@settings(max_examples=40, deadline=None)
@given(plain_actions())
def test_symmetries_are_those_of_the_constructor(action):
    legs = (action.fields[0].name,) * 2
    assert symmetries_are_found_again(action, legs, 2)
    assert symmetries_are_found_again(action, legs, 2, unlabelled=True)


def test_a_conjugate_may_come_first_in_the_alphabet():
    psi = Field("psi", conjugate="anti")
    action = Action((psi,), (Vertex("g", [("psi", "psi", "anti", "anti")]),))
    assert list(diagrams(action, ("psi", "anti"), order=1))
    assert symmetries_are_found_again(action, ("psi", "anti"), 2)


@settings(max_examples=60, deadline=None)
@given(general_actions(), ENDS)
def test_symmetries_of_any_fields_are_those_of_the_constructor(action, legs):
    assert symmetries_are_found_again(action, legs, 2)
    assert symmetries_are_found_again(action, legs, 2, unlabelled=True)


@settings(max_examples=60, deadline=None)
@given(general_actions(), ENDS)
def test_what_is_left_out_early_is_what_would_be_left_out_late(action, legs):
    """Rules that prune the search, against the whole list."""
    everything = list(diagrams(action, legs, order=2))
    assert len(set(everything)) == len(everything)
    for unlabelled in (False, True):
        every = set(diagrams(action, legs, order=2, unlabelled=unlabelled))
        asked = {
            "connected": {d for d in every if d.is_connected},
            "one_particle_irreducible": {d for d in every if d.is_one_particle_irreducible},
        }
        for rule, kept in asked.items():
            listed = list(diagrams(action, legs, order=2, unlabelled=unlabelled, **{rule: True}))
            assert len(listed) == len(kept)
            assert set(listed) == kept
        tied = diagrams(action, legs, order=2, unlabelled=unlabelled, vacuum_bubbles=False)
        assert set(tied) == {d for d in every if not d.has_vacuum_bubble}


@settings(max_examples=40, deadline=None)
@given(replicated_actions())
def test_symmetries_of_strands_are_those_of_the_constructor(action):
    assert symmetries_are_found_again(action, ("phi", "phi"), 2)
    assert symmetries_are_found_again(action, ("phi", "r", "phi"), 2, unlabelled=True)


@settings(max_examples=30, deadline=None)
@given(plain_actions())
def test_each_class_comes_once(action):
    found = list(diagrams(action, legs=(action.fields[0].name,) * 2, order=2))
    assert len(set(found)) == len(found)


# -- labels and orders ----------------------------------------------------------------------------


def test_unlabelled_merges_what_legs_told_apart():
    labelled = list(diagrams(PHI4, legs=4, order=2, connected=True))
    free = list(diagrams(PHI4, legs=4, order=2, connected=True, unlabelled=True))
    assert len(free) < len(labelled)
    assert 24 * sum(Fraction(1, d.symmetry) for d in free) == sum(
        Fraction(1, d.symmetry) for d in labelled
    )


def test_order_is_a_sum_over_loops():
    by_order = set(diagrams(PHI4, legs=2, order=3, connected=True))
    assert by_order == set(diagrams(PHI4, legs=2, loops=3))


@settings(max_examples=40, deadline=None)
@given(plain_actions() | replicated_actions(), st.integers(1, 3), st.booleans())
def test_what_is_pruned_early_is_what_a_filter_leaves_out(action, number, unlabelled):
    """Connected lists are made by another way (beads on lines) than full ones."""
    ask = {"legs": (action.quantum[0].name,) * number, "order": 2, "unlabelled": unlabelled}
    full = {d: d.symmetry for d in diagrams(action, **ask)}
    linked = {d: d.symmetry for d in diagrams(action, **ask, connected=True)}
    tight = {d: d.symmetry for d in diagrams(action, **ask, one_particle_irreducible=True)}
    assert linked == {d: s for d, s in full.items() if d.is_connected}
    assert tight == {d: s for d, s in full.items() if d.is_one_particle_irreducible}


THREADED = Action(
    (Field("phi"), Field("r", background=True), PSI),
    (
        Vertex("g", [("phi", "phi", "phi", "r", "r")]),
        Vertex("h", [("phi", "phi", "psi", "psi_bar")]),
        Vertex("k", [("phi", "phi", "phi", "psi", "psi_bar")]),
    ),
)


@pytest.mark.parametrize(
    "legs", [("phi",), ("phi",) * 3, ("psi", "psi_bar"), ("phi", "phi"), ("phi", "psi", "psi_bar")]
)
def test_beads_of_other_fields(legs):
    """Beads with background legs; vertices whose other legs have arrows are no beads."""
    for order in (1, 2):
        full = [d for d in diagrams(THREADED, legs, order=order) if d.is_connected]
        found = list(diagrams(THREADED, legs, order=order, connected=True))
        assert len(found) == len(full)
        assert {d: d.symmetry for d in found} == {built(d): built(d).symmetry for d in full}


@settings(max_examples=40, deadline=None)
@given(general_actions(), ENDS)
def test_legs_without_labels_share_the_sum_of_those_with(action, legs):
    labelled = sum(Fraction(1, d.symmetry) for d in diagrams(action, legs, order=2))
    free = sum(Fraction(1, d.symmetry) for d in diagrams(action, legs, order=2, unlabelled=True))
    assert labelled == free * multiplicities(legs)


@pytest.mark.parametrize("legs", [("phi",) * 4, ("psi", "psi", "psi_bar", "psi_bar")])
def test_the_search_itself_obeys_the_sum_rule(legs):
    """Joined legs included: 1/symmetry adds up to pairings over numberings."""
    action = THREADED
    table = Table(action)
    numbers = tuple(legs.count(name) for name in table.legs)
    found = symmetries(table, (0,) * len(action.vertices), numbers)
    assert sum(Fraction(1, symmetry) for _, symmetry in found) == Fraction(
        3 if "phi" in legs else 2, multiplicities(legs)
    )


def test_beads_weigh_one_over_symmetry():
    for legs, loops in ((2, 3), (3, 2), (4, 1), (5, 0)):
        for d in diagrams(MIXED, legs=legs, loops=loops):
            assert (d, d.symmetry) == (built(d), built(d).symmetry)
