"""Every diagram once: against brute-force Wick pairings and against published counts."""

import json
from fractions import Fraction
from itertools import combinations_with_replacement
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Symbol, expand

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import learning, zero
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.amplitude import amplitude
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field, Propagator
from tests.oracles import wick
from tests.strategies import general_actions

TABLE = json.loads((Path(__file__).parents[1] / "reference" / "diagrams.json").read_text())
PHI4 = Action.phi(4, coupling="g")
MIXED = Action.phi(3, "h") + Action.phi(4, "g")
YUKAWA = Action((Field("phi"), Field("A")), (Vertex("g", [("phi", "phi", "A")]),))


def test_the_house_example():
    found = list(diagrams(PHI4, legs=2, order=2, connected=True))
    assert [d.symmetry for d in found] == [4, 4, 6]


# -- Wick's theorem by brute force, diagram by diagram -------------------------------------------


def by_content(action, legs, order):
    """{vertex content: {class: symmetry}} from the engine."""
    found = {}
    for diagram in diagrams(action, legs=legs, order=order):
        content = tuple(sorted(vertex.strands for vertex in diagram.vertices))
        found.setdefault(content, {})[wick.of_diagram(diagram)] = diagram.symmetry
    return found


def by_hand(action, legs, order):
    """The same from the oracle, for every multiset of vertices of that order."""
    names = action.leg_names(legs)
    background = [field.name for field in action.fields if field.background]
    lines = {(line.first, line.second) for line in action.lines}
    found = {}
    for number in range(order + 1):
        for chosen in combinations_with_replacement(action.vertices, number):
            if sum(vertex.order for vertex in chosen) == order:
                content = tuple(sorted(vertex.strands for vertex in chosen))
                found[content] = wick.classes(content, names, background, lines)
    return {content: classes for content, classes in found.items() if classes}


PSI = Field("psi", conjugate="psi_bar")
QUARTIC = Vertex("g", [("psi", "psi", "psi_bar", "psi_bar")])
COMPLEX = Action((PSI,), (QUARTIC,))
CUBIC = Action((PSI,), (Vertex("h", [("psi",) * 3]), Vertex("k", [("psi_bar",) * 3])))
CHARGED = Action((PSI, Field("A")), (Vertex("e", [("psi", "psi_bar", "A")]),))
PAIRED = Action((PSI,), (QUARTIC,), (Propagator("psi", "psi", "F"),))
MIXING = Action(
    (Field("phi"), Field("A")),
    (Vertex("g", [("phi", "phi", "A")]),),
    (Propagator("phi", "A", "D"),),
)
RESPONSE = Action(
    (Field("x", "C"), Field("y", 0)),
    (Vertex("g", [("y", "x", "x", "x")]), Vertex("h", [("y", "y", "x")])),
    (Propagator("x", "y", "R"),),
)
REVERSED = Action(
    (Field("psi", conjugate="anti"),), (Vertex("g", [("psi", "psi", "psi", "anti")]),)
) + Action((Field("psi", conjugate="anti"),), (Vertex("h", [("psi", "anti", "anti")]),))
N = Symbol("N")
COLOURED = Action(
    (Field("psi", conjugate="psi_bar", index=N), Field("r", background=True, index=N)),
    (Vertex("g", [("psi", "psi_bar"), ("psi", "psi_bar")]), Vertex("j", [("r", "psi", "psi")])),
)


def agrees_with_wick(action, legs, order):
    return by_content(action, legs, order) == by_hand(action, legs, order)


CASES = {
    "phi4 vacuum": (PHI4, 0, 3),
    "phi4 propagator": (PHI4, 2, 2),
    "phi4 four legs": (PHI4, 4, 2),
    "phi3 vacuum": (Action.phi(3), 0, 4),
    "phi3 one leg": (Action.phi(3), 1, 3),
    "phi3 propagator": (Action.phi(3), 2, 2),
    "mixed": (MIXED, 2, 2),
    "phi6": (Action.phi(6), 2, 1),
    "two fields": (YUKAWA, ("phi", "phi"), 2),
    "two fields, four vertices": (YUKAWA, (), 4),
    "learning, one leg": (learning.action(2), 1, 2),
    "learning, two legs": (learning.action(1), 2, 2),
    "complex, vacuum": (COMPLEX, (), 3),
    "complex, propagator": (COMPLEX, ("psi", "psi_bar"), 2),
    "complex, four legs": (COMPLEX, ("psi", "psi", "psi_bar", "psi_bar"), 1),
    "complex, cubic": (CUBIC, ("psi", "psi_bar"), 2),
    "charge that is not conserved": (COMPLEX, ("psi", "psi"), 2),
    "charged, propagator": (CHARGED, ("psi", "psi_bar"), 2),
    "charged, photon": (CHARGED, ("A", "A"), 2),
    "charged, vertex": (CHARGED, ("psi", "psi_bar", "A"), 3),
    "charged, vacuum": (CHARGED, (), 4),
    "paired": (PAIRED, ("psi", "psi"), 2),
    "mixing": (MIXING, ("phi", "A"), 2),
    "mixing, vacuum": (MIXING, (), 2),
    "response": (RESPONSE, ("x", "y"), 2),
    "response, two points": (RESPONSE, ("x", "x"), 2),
    "conjugate named first": (REVERSED, ("psi", "anti"), 2),
    "coloured": (COLOURED, ("psi", "psi_bar"), 2),
    "coloured, vacuum": (COLOURED, (), 2),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_engine_is_wick(case):
    assert agrees_with_wick(*case)


FURTHER = {
    "phi4": (PHI4, 2, 3),
    "phi3": (Action.phi(3), 2, 4),
    "mixed": (MIXED, 2, 3),
    "phi6": (Action.phi(6), 2, 2),
    "learning": (learning.action(2), 2, 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", FURTHER.values(), ids=FURTHER.keys())
def test_engine_is_wick_further(case):
    assert agrees_with_wick(*case)


ENDS = st.lists(st.sampled_from(["phi", "psi", "psi_bar", "r"]), max_size=3).map(tuple)


@settings(max_examples=60, deadline=None)
@given(general_actions(), ENDS)
def test_engine_is_wick_for_any_fields(action, legs):
    assert agrees_with_wick(action, legs, 2)


def test_wick_rejects_a_spoiled_list():
    """A wrong symmetry, a diagram twice under another name, a diagram missing: all are seen."""
    honest = by_content(PHI4, 2, 2)
    ((content, found),) = honest.items()
    slow = by_hand(PHI4, 2, 2)[content]
    for name in found:
        assert found | {name: 2 * found[name]} != slow
        assert {other: found[other] for other in found if other != name} != slow


# -- published counts -----------------------------------------------------------------------------

QUICK = 100  # rows with more diagrams than this are left to the full proof


def action_of(valences):
    total = Action.phi(valences[0], f"g{valences[0]}")
    for power in valences[1:]:
        total = total + Action.phi(power, f"g{power}")
    return total


def rows():
    found = []
    for family in TABLE["families"]:
        for loops, number, total in family["rows"]:
            marks = [pytest.mark.slow] if number > QUICK else []
            name = f"{family['id']}-{loops}"
            found.append(pytest.param(family, loops, number, total, id=name, marks=marks))
    return found


@pytest.mark.parametrize(("family", "loops", "number", "total"), rows())
def test_published_families(family, loops, number, total):
    found = list(
        diagrams(
            action_of(family["valences"]),
            legs=family["legs"],
            loops=loops,
            connected=True,
            one_particle_irreducible=family["one_particle_irreducible"],
            unlabelled=family["leg_labels"] == "unlabelled",
        )
    )
    assert len(found) == number
    assert sum(Fraction(1, d.symmetry) for d in found) == Fraction(total)
    assert all(d.loops == loops for d in found)


LEGS = {"vacuum": (), "<phi phi>": ("phi", "phi"), "<A A>": ("A", "A")}


@pytest.mark.parametrize(("what", "loops", "number", "total"), TABLE["two_fields"]["rows"])
def test_published_two_fields(what, loops, number, total):
    legs = LEGS[what.rsplit(" ", 1)[0]]
    found = list(
        diagrams(YUKAWA, legs=legs, loops=loops, one_particle_irreducible=what.endswith("1PI"))
    )
    assert len(found) == number
    assert sum(Fraction(1, d.symmetry) for d in found) == Fraction(total)


# -- edges of the question ------------------------------------------------------------------------


def test_odd_legs_give_nothing():
    assert list(diagrams(PHI4, legs=3, order=2)) == []
    assert list(diagrams(YUKAWA, legs=("phi",), order=3)) == []


def test_order_zero_is_free():
    assert len(list(diagrams(PHI4, legs=4, order=0))) == 3
    assert [d.edges for d in diagrams(PHI4, legs=2, loops=0)] == [((-1, -2, "phi"),)]
    assert list(diagrams(PHI4, legs=2, loops=0, one_particle_irreducible=True)) == []
    assert len(list(diagrams(PHI4, legs=0, order=0))) == 1
    assert list(diagrams(PHI4, legs=0, order=0, connected=True)) == []


def test_it_is_lazy_and_repeats_itself():
    stream = diagrams(PHI4, legs=2, order=2)
    assert next(stream) == next(diagrams(PHI4, legs=2, order=2))
    assert list(diagrams(MIXED, 2, order=3)) == list(diagrams(MIXED, 2, order=3))


def test_background_only_vertices_stand_alone():
    r, phi = Field("r", background=True), Field("phi")
    action = Action((r, phi), (Vertex("g", [("r", "r")]), Vertex("h", [("phi",) * 4])))
    assert sorted(d.symmetry for d in diagrams(action, legs=0, order=1)) == [2, 8]
    assert len(list(diagrams(action, legs=2, order=1, connected=True))) == 1
    assert [d.symmetry for d in diagrams(action, legs=0, order=2)].count(2 * 2 * 2) == 1


SOURCE = Action((Field("phi"),), (Vertex("j", [("phi",)]), Vertex("g", [("phi",) * 4])))


TEN = sum((Action.phi(k, f"g{k}") for k in range(4, 13)), start=Action.phi(3, "g3"))
INERT = Action(
    (Field("phi"), Field("r", background=True)),
    tuple(Vertex(f"g{n}", [("r",) * n]) for n in range(1, 11)),
)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: diagrams(TEN, order=40), "half-edges"),
        (lambda: diagrams(INERT, legs=0, order=40), "choices"),
        (lambda: diagrams(PHI4, order=10**9), "more than"),
        (lambda: diagrams(PHI4, order=-1), "at least 0"),
        (lambda: diagrams(PHI4, loops=-1), "at least 0"),
        (lambda: diagrams(PHI4, order=1.5), "whole number"),
        (lambda: diagrams(PHI4), "exactly one"),
        (lambda: diagrams(PHI4, order=1, loops=1), "exactly one"),
        (lambda: diagrams(PHI4, legs=("psi",), order=1), "unknown field"),
        (lambda: diagrams(PHI4, legs=-2, order=1), "legs"),
        (lambda: diagrams(YUKAWA, legs=2, order=1), "one name per leg"),
        (lambda: diagrams(Action((Field("phi"),)), order=1), "no vertex"),
        (lambda: diagrams(PHI4, order=30), "half-edges"),
        (lambda: diagrams(PHI4, legs=2, loops=40), "half-edges"),
        (lambda: diagrams(PHI4, legs=38, order=0), "at least as many"),
        (lambda: diagrams(SOURCE, loops=1), "without end"),
    ],
)
def test_bad_input_is_refused_before_any_work(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        wrong()


def test_mass_insertions_sit_on_lines():
    """A two-leg vertex: at order n the propagator is one chain of n insertions, of symmetry one;
    beside phi^4 the connected lists obey the zero-dimensional sum rule."""
    mass = Action((Field("phi"),), (Vertex("m", [("phi", "phi")]),))
    for order in range(4):
        found = list(diagrams(mass, legs=2, order=order, connected=True))
        assert [d.symmetry for d in found] == [1]
    both = mass + PHI4
    found = [d for order in range(4) for d in diagrams(both, legs=2, order=order, connected=True)]
    total = sum(amplitude(d) / d.symmetry for d in found)
    assert expand(total - zero.cumulant(both, 2, 3)) == 0
