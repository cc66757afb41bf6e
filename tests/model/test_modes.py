"""Modes of any measure: correct on arrival, honest about their tail."""

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model import planar
from fieldtheory.model.modes import Modes
from fieldtheory.model.spectrum import Spectrum
from tests.tolerance import agree, rounding


def test_the_tail_is_what_is_not_listed():
    modes = Modes.of([1.0, 0.25], [1, 4], trace=3.0)
    assert modes.tail == 1.0
    assert modes.tail_eigenvalue == 0.25
    assert Modes.of([1.0, 0.25], [1, 4]).tail == 0.0
    assert Modes.of([0.0], [1], trace=2.0).tail_eigenvalue == 2.0


def test_modes_serve_where_a_spectrum_does():
    """The planar theory needs eigenvalues and counts alone."""
    lam, N = [0.3, 0.05, 0.004], np.array([5.0, 20.0])
    on_sphere = Spectrum.of(lam, dimension=5)
    anywhere = Modes.of(lam, on_sphere.multiplicities)
    kappas = [planar.effective_ridge(each, N, 0.1) for each in (on_sphere, anywhere)]
    assert agree(*kappas, rounding(kappas[0]))


def test_modes_explain_themselves():
    modes = Modes.of([1.0, 0.25, *[0.01] * 20], [1, 10**30, *[1] * 20], name="<demo>")
    text = str(modes)
    assert text.splitlines()[0] == "modes of <demo> on any measure"
    assert "1" + "0" * 30 in text
    assert "and 10 more" in text
    assert "&lt;demo&gt;" in modes._repr_html_()
    plain = modes.to_dict()
    assert plain["multiplicities"][1] == "1" + "0" * 30
    assert plain["eigenvalues"] == modes.eigenvalues.tolist()
    picture = modes.picture()
    assert [line.label for line in picture.lines] == ["multiplicity x eigenvalue", "eigenvalue"]
    assert len(Modes.of([1.0]).picture().lines) == 1
    with pytest.raises(ValueError, match="read-only"):
        modes.eigenvalues[0] = 2


@pytest.mark.parametrize(
    ("eigenvalues", "counts", "trace", "why"),
    [
        ([1.0, -0.1], [1, 1], None, "negative"),
        ([np.nan], [1], None, "finite"),
        ([], [], None, "shape"),
        ([1.0], [0], None, "whole number, at least 1"),
        ([1.0], [1.5], None, "whole number"),
        ([1.0], [1], 0.5, "more than the trace"),
        ([0.0], [1], None, "trace = 0.0 is not positive"),
    ],
)
def test_wrong_modes_are_refused(eigenvalues, counts, trace, why):
    with pytest.raises(InvalidInput, match=why):
        Modes.of(eigenvalues, counts, trace=trace)


def test_lists_of_different_length_are_refused():
    with pytest.raises(InvalidInput, match="2 eigenvalues, 1 multiplicities, 2 labels, 2 errors"):
        Modes(np.ones(2), (1,), 3.0, ("a", "b"), np.zeros(2), "k", "m")
