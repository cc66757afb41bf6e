"""Feynman diagrams as SVG pictures.

The strokes take the colour of the text around them, so a picture is readable on light and dark.
"""

from __future__ import annotations

from cmath import rect
from collections.abc import Iterable, Sequence
from math import ceil, pi, sin, sqrt
from typing import NamedTuple
from xml.sax.saxutils import escape

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.drawing.curves import Arc, Curve, along
from fieldtheory.theory.drawing.layout import Layout, layout
from fieldtheory.theory.drawing.sketch import EMPTY, Sketch, symbol
from fieldtheory.theory.drawing.strokes import Stroke, strokes

UNIT = 48.0  # pixels in the diameter of a bubble
DOT = 2.6
TEXT = 13.0
LETTER = 0.56 * TEXT  # the width of one
PAD = 4.0
WAVE, AMPLITUDE = 9.0, 2.4
DASHES = {"dashed": ' stroke-dasharray="5 3.5"', "dotted": ' stroke-dasharray="0 4"'}


class Box(NamedTuple):
    """The smallest upright rectangle around something, in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


def svg(sketch: Sketch, title: str = "") -> str:
    """The picture of one diagram, a whole SVG document.

    `title` is read out to those who cannot see it; without one it says what there is.

    >>> sunset = Sketch(2, (("x1",), ("x2",)), ((-1, 0), (-2, 1), (0, 1), (0, 1), (0, 1)))
    >>> svg(sunset).count("<path")
    5
    """
    elements, box = _picture(sketch)
    return _document(elements, _padded(box), title or _described(sketch))


def sheet(
    sketches: Iterable[Sketch],
    captions: Sequence[str] = (),
    columns: int | None = None,
    title: str = "",
) -> str:
    """Many diagrams in a grid, all to one scale, each with a caption below it.

    captions  one for each sketch, such as "1/4", or none.
    columns   how many side by side; without it about as many as fill a page.

    Raises InvalidInput when there are captions, but not one for each sketch, or no column.
    """
    pictures = [_picture(sketch) for sketch in sketches]
    if captions and len(captions) != len(pictures):
        raise InvalidInput(
            f"{len(captions)} captions for {len(pictures)} diagrams: give one for each, or none"
        )
    if not pictures:
        return svg(Sketch(0), title or "no diagrams")
    if columns is None:
        columns = min(len(pictures), 8, ceil(1.3 * sqrt(len(pictures))))
    columns = count("columns", columns, least=1)
    letters = max((len(caption) for caption in captions), default=0)
    width = max(*(box.width for _, box in pictures), LETTER * letters) + 6 * PAD
    below = 1.6 * TEXT if captions else 0.0
    cells, top = [], 0.0
    for first in range(0, len(pictures), columns):
        row = pictures[first : first + columns]
        height = max(box.height for _, box in row) + 6 * PAD
        for column, (elements, box) in enumerate(row):
            x, y = (column + 0.5) * width, top + height / 2
            dx, dy = x - (box.left + box.right) / 2, y - (box.top + box.bottom) / 2
            cells += [f'<g transform="translate({_n(dx)} {_n(dy)})">', *elements, "</g>"]
            if captions:
                cells.append(_text(x, top + height + 0.5 * TEXT, captions[first + column]))
        top += height + below
    box = Box(0, 0, min(columns, len(pictures)) * width, top)
    return _document(cells, box, title or f"{len(pictures)} Feynman diagrams")


def _document(elements: Sequence[str], box: Box, title: str) -> str:
    size = f"{_n(box.width)} {_n(box.height)}"
    width, height = size.split()
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" '
            f'height="{height}" viewBox="{_n(box.left)} {_n(box.top)} {size}">',
            f"<title>{escape(title)}</title>",
            '<g fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" '
            f'stroke-linejoin="round" font-family="serif" font-size="{_n(TEXT)}">',
            *elements,
            "</g>",
            "</svg>",
        ]
    )


def _described(sketch: Sketch) -> str:
    if not sketch.nodes:
        return EMPTY
    numbers = {"leg": len(sketch.legs), "vertex": sketch.vertices, "line": len(sketch.lines)}
    plural = {"leg": "legs", "vertex": "vertices", "line": "lines"}
    said = [f"{n} {word if n == 1 else plural[word]}" for word, n in numbers.items()]
    return f"Feynman diagram with {', '.join(said)}"


def _picture(sketch: Sketch) -> tuple[list[str], Box]:
    """The elements of a diagram and the box around them."""
    if not sketch.nodes:
        return [_text(0, 0, EMPTY)], _around(0, 0, len(EMPTY))
    found = layout(sketch)
    elements = []
    for line, curve in zip(sketch.lines, found.curves, strict=True):
        for stroke in strokes(line, curve):
            elements += _stroke(stroke)
    crossed = [
        (curve, cross.style) for curve, cross in zip(found.crosses, sketch.crosses, strict=True)
    ]
    crossed += [(curve, sketch.legs[-leg - 1].background) for leg, curve in found.stubs.items()]
    for curve, style in crossed:
        elements += [*_stroke(Stroke(curve, style, "")), _cross(curve[-1])]
    boxes = [_bounds(curve) for curve in (*found.curves, *(curve for curve, _ in crossed))]
    for node, place in sorted(found.points.items()):
        x, y = _xy(place)
        boxes.append(Box(x - DOT, y - DOT, x + DOT, y + DOT))
        if node >= 0:
            elements.append(_dot(x, y))
        elif label := sketch.legs[-node - 1].label:
            x, y = _label_place(place, _outwards(found, node), label)
            elements.append(_text(x, y, label))
            boxes.append(_around(x, y, len(label)))
    return elements, _union(boxes)


def _outwards(found: Layout, leg: int) -> float:
    """The direction that leads away from the end of a leg."""
    place = found.points[leg]
    for curve in (*found.curves, *found.stubs.values()):
        if abs(curve[0].start - place) < 1e-9:
            return curve[0].heading(0) + pi
        if abs(curve[-1].end - place) < 1e-9:
            return curve[-1].heading(1)
    raise AssertionError("every leg has a line or a stub")


def _label_place(place: complex, direction: float, label: str) -> tuple[float, float]:
    """The middle of a label that stands just beyond a point."""
    away = rect(1, direction)
    half = LETTER * len(label) / 2 + 3, 0.5 * TEXT + 2
    x, y = _xy(place)
    return x + away.real * half[0], y - away.imag * half[1]


def _stroke(stroke: Stroke) -> list[str]:
    path = _wave(stroke.curve) if stroke.style == "wiggly" else _arcs(stroke.curve)
    elements = [f'<path d="{path}"{DASHES.get(stroke.style, "")}/>']
    if stroke.arrow:
        place, heading = along(stroke.curve, 0.5)
        if stroke.arrow == "<":
            heading += pi
        points = [place + rect(r / UNIT, heading + a) for r, a in ((5, 0), (5, 2.5), (5, -2.5))]
        corners = " ".join(",".join(map(_n, _xy(z))) for z in points)
        elements.append(f'<polygon points="{corners}" fill="currentColor" stroke="none"/>')
    return elements


def _arcs(curve: Curve) -> str:
    words = ["M", *map(_n, _xy(curve[0].start))]
    for arc in curve:
        end = map(_n, _xy(arc.end))
        if abs(arc.bend) < 1e-6:
            words += ["L", *end]
        else:
            radius = _n(UNIT * abs((arc.end - arc.start) / (2 * sin(arc.bend))))
            large, sweep = int(abs(arc.bend) > pi / 2), int(arc.bend > 0)
            words += ["A", radius, radius, "0", str(large), str(sweep), *end]
    return " ".join(words)


def _wave(curve: Curve) -> str:
    """A sine of whole waves along the curve."""
    waves = max(2, round(UNIT * sum(arc.length for arc in curve) / WAVE))
    points = []
    for k in range(12 * waves + 1):
        place, heading = along(curve, k / (12 * waves))
        aside = AMPLITUDE / UNIT * sin(2 * pi * k / 12)
        points.append(" ".join(map(_n, _xy(place + rect(1, heading + pi / 2) * aside))))
    return "M " + " L ".join(points)


def _cross(arc: Arc) -> str:
    heading, words = arc.heading(1), []
    for turn in (pi / 4, -pi / 4):
        ends = [arc.end + rect(s * 4 / UNIT, heading + turn) for s in (-1, 1)]
        words += ["M", *map(_n, _xy(ends[0])), "L", *map(_n, _xy(ends[1]))]
    return f'<path d="{" ".join(words)}"/>'


def _dot(x: float, y: float) -> str:
    where = f'cx="{_n(x)}" cy="{_n(y)}" r="{_n(DOT)}"'
    return f'<circle {where} fill="currentColor" stroke="none"/>'


def _text(x: float, y: float, label: str) -> str:
    """Text centred on a point; digits after letters are set lower."""
    name, digits = symbol(label)
    inner = escape(name)
    if digits:
        inner = f'<tspan font-style="italic">{inner}</tspan>'
        inner += f'<tspan dy="3" font-size="{_n(0.75 * TEXT)}">{digits}</tspan>'
    return (
        f'<text x="{_n(x)}" y="{_n(y + 0.35 * TEXT)}" text-anchor="middle" '
        f'fill="currentColor" stroke="none">{inner}</text>'
    )


def _around(x: float, y: float, letters: int) -> Box:
    wide, high = LETTER * letters / 2, 0.6 * TEXT
    return Box(x - wide, y - high, x + wide, y + high)


def _bounds(curve: Curve) -> Box:
    """The box around a curve, waves and arrows included."""
    points = [_xy(arc.at(k / 32)) for arc in curve for k in range(33)]
    extra = AMPLITUDE + 1
    return Box(
        min(x for x, _ in points) - extra,
        min(y for _, y in points) - extra,
        max(x for x, _ in points) + extra,
        max(y for _, y in points) + extra,
    )


def _union(boxes: Sequence[Box]) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return Box(min(left), min(top), max(right), max(bottom))


def _padded(box: Box) -> Box:
    return Box(box.left - PAD, box.top - PAD, box.right + PAD, box.bottom + PAD)


def _xy(place: complex) -> tuple[float, float]:
    return UNIT * place.real, -UNIT * place.imag


def _n(value: float) -> str:
    """A number with two decimals at most, without a minus before a zero."""
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")
