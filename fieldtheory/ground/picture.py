"""A picture as data: results describe it, this file draws it with matplotlib (optional extra)."""

import os
from dataclasses import dataclass, replace
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput, MissingExtra

FORMATS = ("png", "svg", "pdf")
LEAST = 0.1  # of a curve: where a band or a bar that reaches further down is cut, on a log axis
LONG = 3000  # a logarithmic axis from here on is marked by its decades alone
FEW = 12  # a curve of fewer points shows where they are
SHAPE: dict[str, Any] = {"figsize": (7, 4.5), "layout": "constrained"}


@dataclass(frozen=True, eq=False)
class Line:
    """One curve: a line with a band of half-width `spread`, or points with error bars.

    `x`, `y` and `spread` have the same length; `label` goes into the legend.
    """

    label: str
    x: Array
    y: Array
    spread: Array | None = None
    points: bool = False


@dataclass(frozen=True)
class Span:
    """A shaded region low <= x <= high; an empty `label` stays out of the legend."""

    label: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Picture:
    """Curves on one pair of axes, over shaded regions.

    `title`, `x` and `y` are texts, `logarithmic` names the axes ("x", "y") with a logarithmic
    scale. Pictures add: both sets of curves on the axes of the first.
    """

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    logarithmic: tuple[str, ...] = ()
    shaded: tuple[Span, ...] = ()

    def __add__(self, other: "Picture") -> "Picture":
        """Both sets of curves on the axes of the first."""
        return replace(self, lines=self.lines + other.lines, shaded=self.shaded + other.shaded)

    def draw(self, axes: Any = None) -> Any:
        """Draw on matplotlib axes and return them.

        Without `axes` a pyplot figure is opened, which a notebook shows by itself and a script
        with `matplotlib.pyplot.show()`.
        """
        if axes is None:
            axes = _matplotlib("pyplot").figure(**SHAPE).subplots()
        for span in self.shaded:
            label = span.label or "_"  # matplotlib leaves out labels that begin so
            axes.axvspan(span.low, span.high, color="0.5", alpha=0.2, linewidth=0, label=label)
        for number, line in enumerate(self.lines):
            _draw_line(axes, line, f"C{number}", "y" in self.logarithmic)
        axes.set(xlabel=self.x, ylabel=self.y)
        axes.set_title(self.title.replace("; ", "\n"), fontsize="small", wrap=True)
        for name in self.logarithmic:
            getattr(axes, f"set_{name}scale")("log")
            _readable(getattr(axes, f"{name}axis"))
        if "x" not in self.logarithmic and all(_whole(line.x) for line in self.lines):
            axes.xaxis.get_major_locator().set_params(integer=True)  # there is no degree 2.5
        axes.grid(which="major", alpha=0.3)
        axes.legend()
        return axes

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture to a .png, .svg or .pdf file.

        Raises `InvalidInput` for another ending or a path that cannot be written.
        """
        target = check_path(path)
        figure = _matplotlib("figure").Figure(**SHAPE)  # not pyplot's: nothing is left open
        self.draw(figure.subplots())
        try:
            figure.savefig(target, dpi=150)
        except OSError as error:
            raise InvalidInput(f"cannot write the picture {target}: {error.strerror}") from None


def check_path(path: str | PathLike[str]) -> Path:
    """The path of a picture, refused before any work if it cannot be written."""
    target = Path(path)
    if target.suffix.lstrip(".").lower() not in FORMATS:
        raise InvalidInput(f"picture {str(path)!r}: end the name in .{', .'.join(FORMATS)}")
    if not target.parent.is_dir():
        raise InvalidInput(f"picture {str(path)!r}: there is no folder {str(target.parent)!r}")
    if target.is_dir() or not os.access(target if target.exists() else target.parent, os.W_OK):
        raise InvalidInput(f"picture {str(path)!r} cannot be written: choose another place")
    return target


def _matplotlib(part: str) -> Any:
    try:
        return import_module(f"matplotlib.{part}")
    except ImportError:
        raise MissingExtra(
            "drawing needs matplotlib: install it with  pip install 'fieldtheory[plot]'"
        ) from None


def _whole(x: Array) -> bool:
    numbers = np.asarray(x)
    return numbers.size > 1 and np.array_equal(numbers, np.round(numbers))


def _readable(axis: Any) -> None:
    """Ticks of a logarithmic axis of up to three decades or so: between the decades too, and 200
    and 0.5 rather than 2 x 10^2 and 5 x 10^-1. A longer one has its decades, as matplotlib has it.
    """
    from matplotlib import ticker

    low, high = axis.get_view_interval()
    if high / low >= LONG:
        return
    if high / low < 2:
        axis.set_major_locator(ticker.MaxNLocator(6, steps=[1, 2, 5, 10]))
    else:
        between = ((6, (1, 1.5, 2, 3, 4, 5, 6, 8)), (20, (1, 2, 3, 5, 7)), (LONG, (1, 2, 5)))
        subs = next(subs for most, subs in between if high / low < most)
        axis.set_major_locator(ticker.LogLocator(subs=subs))
    if low >= 1e-4 and high <= 1e6:
        axis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    else:
        always = (np.inf, np.inf)
        axis.set_major_formatter(ticker.LogFormatterSciNotation(minor_thresholds=always))
    axis.set_minor_formatter(ticker.NullFormatter())


def _draw_line(axes: Any, line: Line, colour: str, logarithmic: bool) -> None:
    """A band down to zero would stretch a logarithmic axis over all decades there are, and say
    nothing: it is cut a decade below its curve. A line of one point has no length and is drawn as
    points are."""
    y = np.asarray(line.y)
    bars = None if line.spread is None else np.array([line.spread, line.spread])  # down and up
    if bars is not None and logarithmic:
        bars[0] = np.minimum(bars[0], (1 - LEAST) * np.abs(y))
    if line.points or y.size == 1:
        axes.errorbar(line.x, y, yerr=bars, fmt="o", color=colour, capsize=3, label=line.label)
        return
    marker = "o" if y.size < FEW else None
    axes.plot(line.x, y, color=colour, label=line.label, marker=marker, markersize=4)
    if bars is not None:
        axes.fill_between(line.x, y - bars[0], y + bars[1], color=colour, alpha=0.2, linewidth=0)
