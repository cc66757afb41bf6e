"""Results draw themselves, and a notebook shows what they print."""

from dataclasses import dataclass

import pytest

from fieldtheory.ground.arrays import frozen
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed


@dataclass(frozen=True)
class Point(Pictured, Printed):
    y: float

    def picture(self):
        return Picture("a < b", "x", "y", (Line("y", frozen([1.0]), frozen([self.y])),))

    def __str__(self):
        return f"0 < {self.y}"


def test_a_notebook_shows_escaped_text():
    assert Point(2.0)._repr_html_() == "<pre>0 &lt; 2.0</pre>"


def test_plotting_draws_the_picture_on_the_given_axes():
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes = figure.subplots()
    assert Point(2.0).plot(axes) is axes
    assert axes.lines[0].get_ydata().tolist() == [2.0]


def test_a_result_without_a_picture_cannot_be_made():
    class Blank(Pictured):
        pass

    with pytest.raises(TypeError, match="picture"):
        Blank()
