from fractions import Fraction

import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory import learning
from fieldtheory.theory.action import Action
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.listing import Listing, named_action, named_series


def test_a_name_is_its_action():
    assert named_action("phi4") == Action.phi(4, coupling="g")
    assert named_action(" phi4 + phi3") == Action.phi(3, "g3") + Action.phi(4, "g4")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "give phi3"),
        ("phi", "give phi3"),
        ("phi0", "give phi3"),
        ("phi03", "give phi3"),
        ("phi100", "give phi3"),
        ("phi\u0663", "give phi3"),
        ("phi4+", "give phi3"),
        ("phi4+phi4", "twice"),
        ("phi1+phi2+phi3+phi4+phi5", "5 vertices: give at most 4"),
        ("phi^2/2 + g*phi^4/4!", "text form .* arrives in a later version"),
        ("__import__('os')", "give phi3"),
        ("phi4" * 10_000, "40000 characters"),
    ],
)
def test_other_texts_are_refused(text, why):
    with pytest.raises(InvalidInput, match=why):
        named_action(text)


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


def test_series_by_name():
    assert named_series("covariance", 1) == learning.covariance(1)
    with pytest.raises(InvalidInput, match="later version"):
        named_series("evidence")
    with pytest.raises(InvalidInput, match="did you mean 'mean'"):
        named_series("maen")
    with pytest.raises(OutOfRegime, match="up to order"):
        named_series("mean", 4)
