"""Pictures: added, drawn, saved; bad paths refused before any work."""

import sys

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, MissingExtra
from fieldtheory.ground.picture import Line, Picture, Span, check_path

X = np.array([1.0, 10.0, 100.0])


def picture(points=False, spread=None, logarithmic=("x", "y")):
    line = Line("one", X, 1 / X, spread=spread, points=points)
    return Picture("a title", "samples", "error", (line,), logarithmic)


def test_pictures_add():
    both = picture() + picture(points=True)
    assert [line.points for line in both.lines] == [False, True]
    assert both.title == "a title"


@pytest.mark.parametrize("points", [False, True])
def test_drawing_shows_what_was_given(points):
    axes = picture(points=points, spread=0.1 / X).draw()
    drawn = axes.get_lines()[0]
    assert drawn.get_xdata().tolist() == X.tolist()
    assert drawn.get_ydata().tolist() == (1 / X).tolist()
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("samples", "error")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one"]


def test_regions_are_shaded_and_named_once():
    region = Picture("", "", "", (), shaded=(Span("learnt", 1, 10), Span("", 20, 30)))
    both = picture() + region
    assert both.shaded == region.shaded
    axes = both.draw()
    shaded = [(patch.get_x(), patch.get_width()) for patch in axes.patches]
    assert shaded == [(1, 9), (20, 10)]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["learnt", "one"]


def test_a_band_stays_on_a_logarithmic_axis():
    axes = picture(spread=10 / X).draw()
    vertices = axes.collections[0].get_paths()[0].vertices
    assert vertices[:, 1].min() > 0


def test_drawing_on_given_axes_returns_them():
    axes = picture().draw()
    assert (picture(points=True)).draw(axes) is axes


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "PNG"])
def test_saving(tmp_path, ending):
    path = tmp_path / f"curve.{ending}"
    picture().save(path)
    assert path.stat().st_size > 1000


@pytest.mark.parametrize("name", ["curve.txt", "curve", ".png/", "curve.jpg"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(InvalidInput, match=r"end the name in \.png, \.svg, \.pdf"):
        check_path(tmp_path / name)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="there is no folder"):
        picture().save(tmp_path / "nowhere" / "curve.png")


def test_an_unwritable_path_is_refused(tmp_path):
    (tmp_path / "curve.png").mkdir()
    with pytest.raises(InvalidInput, match="cannot be written"):
        picture().save(tmp_path / "curve.png")


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    with pytest.raises(MissingExtra, match=r"fieldtheory\[plot\]"):
        picture().draw()
