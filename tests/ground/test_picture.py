"""Pictures: added, drawn, saved; bad paths refused before any work."""

import sys
from itertools import pairwise

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, MissingExtra
from fieldtheory.ground.picture import Line, Picture, Span, check_path
from tests.tolerance import agree, rounding

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
    """Cut a decade below the curve, whatever it reaches down to; on another axis it is not cut."""
    for spread, kept in ((10 / X, 0.9 / X), (0.5 / X, 0.5 / X)):
        axes = picture(spread=spread).draw()
        low, high = axes.collections[0].get_datalim(axes.transData).intervaly
        assert agree(low, (1 / X - kept).min(), rounding(1.0))
        assert agree(high, (1 / X + spread).max(), rounding(10.0))
        bars = picture(points=True, spread=spread).draw().collections[-1].get_segments()
        assert agree([bar[0][1] for bar in bars], 1 / X - kept, rounding(1.0))
    plain = picture(spread=10 / X, logarithmic=()).draw().collections[0]
    assert plain.get_datalim(plain.axes.transData).ymin == -9


def test_a_line_of_one_point_can_be_seen():
    one = Line("one", X[:1], X[:1], spread=X[:1])
    dot, _, (bar,) = Picture("", "x", "y", (one,)).draw().containers[0]
    assert dot.get_marker() == "o"
    assert bar.get_segments()[0][:, 1].tolist() == [0.0, 2.0]


@pytest.mark.parametrize(
    ("low", "high"),
    [(33, 38), (1e6, 1.5e7), (20, 500), (3, 9000), (10, 1e5), (3e-6, 8e-4)],
)
def test_a_logarithmic_axis_can_be_read(low, high):
    """Three labels or more, and none upon another; plain numbers where they are short."""
    x = np.geomspace(low, high, 12)
    axes = Picture("", "samples", "error", (Line("one", x, x),), ("x", "y")).draw()
    axes.figure.draw_without_rendering()
    for axis, side in ((axes.xaxis, 0), (axes.yaxis, 1)):
        ends = axis.get_view_interval()
        labels = [
            tick.label1
            for which in (axis.get_major_ticks(), axis.get_minor_ticks())
            for tick in which
            if tick.label1.get_text() and ends[0] <= tick.get_loc() <= ends[1]
        ]
        boxes = sorted(label.get_window_extent().get_points()[:, side].tolist() for label in labels)
        assert len(labels) >= 3
        assert all(left[1] + 2 < right[0] for left, right in pairwise(boxes))
        if 1e-4 <= low < high < 1e6:
            assert not any("times" in label.get_text() for label in labels)


def test_a_curve_of_few_points_shows_them():
    for size, marker in ((3, "o"), (11, "o"), (12, "None")):
        x = np.arange(1.0, size + 1)
        (line,) = Picture("", "x", "y", (Line("one", x, x),)).draw().get_lines()
        assert (line.get_marker(), line.get_linestyle()) == (marker, "-")


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
