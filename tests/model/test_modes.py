"""Modes of any measure: correct on arrival, honest about their tail."""

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.modes import Modes
from fieldtheory.model.planar import equation as planar
from fieldtheory.model.spectrum import Spectrum
from tests.oracles.mutation import spoil, survives
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


def check_the_balance():
    """Masses multiplicity * eigenvalue, tail and picture of one list, counted by hand."""
    errors = np.array([0.0, 1e-3])
    modes = Modes(np.array([1.0, 0.25]), (1, 4), 3.0, ("a", "b"), errors, "k", "m")
    assert modes.counts.tolist() == [1.0, 4.0]
    assert modes.tail == 1.0
    assert modes.tail_eigenvalue == 0.25
    masses, eigenvalues = modes.picture().lines
    assert masses.y.tolist() == [1.0, 1.0]
    assert eigenvalues.y.tolist() == [1.0, 0.25]
    assert Modes.of([1.0, 0.25], [1, 4]).trace == 2.0
    # what is left is 0.002, no more than half of what four uncertain modes may hold
    unsure = Modes(np.array([1.0, 0.25]), (1, 4), 2.002, ("a", "b"), errors, "k", "m")
    assert unsure.tail == 0.0
    sure = Modes(np.array([1.0, 0.25]), (1, 4), 2.002, ("a", "b"), errors, "k", "m", 1e-3)
    assert agree(sure.tail, 0.002, rounding(2.0))


def refused(why, *arguments):
    try:
        Modes(*arguments, "k", "m")
    except InvalidInput as refusal:
        return why in str(refusal)
    return False


def check_the_trace():
    """Four modes of 1/4 fit into a trace of one, and no more does; an error is forgiven."""
    lam, none, why = np.array([0.25]), np.zeros(1), "more than the trace"
    assert not refused(why, lam, (4,), 1.0, ("a",), none)
    assert refused(why, lam, (5,), 1.0, ("a",), none)
    assert not refused(why, lam, (5,), 1.0, ("a",), none + 0.06)
    assert refused(why, lam, (5,), 1.0, ("a",), none + 0.04)


def check_the_refusals():
    one = np.ones(1)
    assert refused("2 labels", one, (1,), 3.0, ("a", "b"), one)
    assert refused("2 errors", one, (1,), 3.0, ("a",), np.zeros(2))


def test_the_balance_of_modes():
    check_the_balance()
    check_the_trace()
    check_the_refusals()


MUTANTS = [
    ("tail", "self.counts * self.eigenvalues", "self.eigenvalues", check_the_balance),
    ("tail", "self.trace - float(", "float(", check_the_balance),
    ("tail", "self.counts @ self.errors", "np.sum(self.errors)", check_the_balance),
    ("tail", "+ unsure", "", check_the_balance),
    ("tail", "else self.sum_error", "else 0.1", check_the_balance),
    ("tail_eigenvalue", "self.tail)", "0.0)", check_the_balance),
    ("counts", "float(n)", "float(n + 1)", check_the_balance),
    ("picture", "self.counts[seen] * lam", "lam", check_the_balance),
    ("picture", "max(self.multiplicities) > 1", "False", check_the_balance),
    ("__post_init__", "self.counts @ lam", "np.sum(lam)", check_the_trace),
    ("__post_init__", "self.counts @ errors", "np.sum(errors)", check_the_trace),
    ("__post_init__", "+ float(", "- float(", check_the_trace),
    ("__post_init__", "listed > trace *", "listed < trace *", check_the_trace),
    ("__post_init__", "errors.size, len(counts)", "len(counts)", check_the_refusals),
    ("__post_init__", "len(counts), len(self.labels)}", "len(counts)}", check_the_refusals),
]


def spoilt(monkeypatch, name, old, new):
    """A property that is computed once has to be told its name again."""
    member = vars(Modes)[name]
    spoil(monkeypatch, getattr(member, "func", member), old, new)
    if hasattr(member, "func"):
        vars(Modes)[name].__set_name__(Modes, name)


@pytest.mark.parametrize(("name", "old", "new", "check"), MUTANTS)
def test_spoilt_modes_are_seen(monkeypatch, name, old, new, check):
    spoilt(monkeypatch, name, old, new)
    assert not survives(check)


@pytest.mark.parametrize("name", ["tail", "tail_eigenvalue", "counts", "picture", "__post_init__"])
def test_spoiling_nothing_is_not_seen(monkeypatch, name):
    spoilt(monkeypatch, name, "self) ->", "self ) ->")
    for check in (check_the_balance, check_the_trace, check_the_refusals):
        assert survives(check)
