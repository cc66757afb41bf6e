from fractions import Fraction

import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory import learning
from fieldtheory.theory.action import Action
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.listing import (
    Listing,
    listed,
    named_action,
    named_series,
    written_legs,
    written_order,
)


def test_a_name_is_its_action():
    assert named_action("phi4") == Action.phi(4, coupling="g")
    assert named_action(" phi4 + phi3") == Action.phi(3, "g3") + Action.phi(4, "g4")
    assert named_action("on4") == Action.o_n(4, components="n", coupling="g")
    assert named_action("phi^2/2 + g*phi^4/4!") == Action.phi(4)
    assert named_action("phi*chi + chi^2", ["phi"]).leg_types == ("chi", "phi")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "give phi3"),
        ("phi", "give phi3"),
        ("phi0", "give phi3"),
        ("phi03", "give phi3"),
        ("phi100", "give phi3"),
        ("on", "give phi3"),
        ("on100", "give phi3"),
        ("on3", "even power"),
        ("phi\u0663", "give phi3"),
        ("phi4+", "give phi3"),
        ("phi4+phi4", "twice"),
        ("__import__('os')", "functions are not known"),
        ("phi4" * 10_000, "40000 characters"),
    ],
)
def test_other_texts_are_refused(text, why):
    with pytest.raises(InvalidInput, match=why) as caught:
        named_action(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "legs"),
    [("2", 2), (" 0", 0), ("40", 40), ("phi", ("phi",)), ("psi, psi_bar", ("psi", "psi_bar"))],
)
def test_legs(text, legs):
    assert written_legs(text, 40) == legs


@pytest.mark.parametrize(
    "text", ["", " ", "-1", "41", "2.0", "1e1", "\u0663", ",", "phi,,phi", "a-b"]
)
def test_wrong_legs(text):
    with pytest.raises(InvalidInput, match="from 0 to 40, or names of fields as in phi,phi"):
        written_legs(text, 40)


@pytest.mark.parametrize(
    ("text", "order"),
    [("2", 2), ("0 ", 0), ("g=2", {"g": 2}), (" g = 2 , h=0", {"g": 2, "h": 0})],
)
def test_orders(text, order):
    assert written_order(text, 40) == order


@pytest.mark.parametrize(
    "text", ["", "-1", "41", "g", "g=", "g=41", "g=1,g=1", "g=1,", "g==1", "2=2"]
)
def test_wrong_orders(text):
    with pytest.raises(InvalidInput, match="one for each coupling as in g=2,h=1"):
        written_order(text, 40)


def test_asked_in_words():
    assert list(listed("phi4", order="2", connected=True)) == list(
        diagrams(Action.phi(4), order=2, connected=True)
    )
    assert list(listed("phi3", "phi,phi", loops=1)) == list(diagrams(Action.phi(3), loops=1))
    with pytest.raises(InvalidInput, match="exactly one"):
        listed("phi4")


def test_a_listing_counts_what_it_lists():
    found = list(diagrams(Action.phi(4), legs=2, order=2))
    listing = Listing.of(found)
    assert listing.diagrams == tuple(found)
    assert listing.count == len(found)
    assert listing.weight == sum(Fraction(1, d.symmetry) for d in found)
    assert Listing.of(found, keep=False).to_dict().keys() == {"count", "sum_inverse_symmetry"}
    rows = str(listing).splitlines()
    assert len(rows) == 2 + len(found)
    assert str(Listing.of(found[:1])).startswith("1 diagram,")
    assert str(Listing.of([])) == "0 diagrams, sum of 1/symmetry 0"


def test_the_entries_of_a_listing():
    action = named_action("phi^2/2 + A^2/2 + g*phi^2*A/2 + h*A^3/3!")
    found = list(diagrams(action, legs=("phi", "phi"), order=2, connected=True))
    for diagram, entry in zip(found, Listing.of(found).to_dict()["diagrams"], strict=True):
        assert entry["symmetry"] == diagram.symmetry
        kinds = sorted(diagram.graph.edges(data="field"))
        lines = zip(entry["edges"], entry["fields"], strict=True)
        assert sorted((*sorted(ends), name) for ends, name in lines) == sorted(
            (*sorted(ends), name) for *ends, name in kinds
        )
        rules = [str(vertex.coupling) for vertex in diagram.vertices]
        assert entry["couplings"] == rules
        assert "replica_weight" not in entry
    rows = str(Listing.of(found)).splitlines()[2:]
    assert any("; phi " in row for row in rows)


def test_a_listing_shows_index_sums():
    found = list(diagrams(Action.o_n(4), order=1, connected=True))
    entries = Listing.of(found).to_dict()["diagrams"]
    assert [entry["replica_weight"] for entry in entries] == ["1", "n"]
    rows = str(Listing.of(found)).splitlines()[1:]
    assert [row.split()[2] for row in rows] == ["indices", "1", "n"]


def test_series_by_name():
    assert named_series("covariance", 1) == learning.covariance(1)
    assert named_series("evidence", 1) == learning.evidence(1)
    assert named_series("posterior-variance", 1) == learning.posterior_variance(1)
    assert named_series("label-noise", 1) == learning.label_noise(1)
    with pytest.raises(InvalidInput, match="did you mean 'mean'"):
        named_series("maen")
    with pytest.raises(OutOfRegime, match="up to order"):
        named_series("mean", 5)
