"""Lines as strokes: curves in one style with at most one arrow."""

from __future__ import annotations

from typing import NamedTuple

from fieldtheory.theory.drawing.curves import Curve, halved
from fieldtheory.theory.drawing.sketch import Line


class Stroke(NamedTuple):
    """A curve in one style, with at most one arrow, ">" along it or "<" against it."""

    curve: Curve
    style: str
    arrow: str


def strokes(line: Line, curve: Curve) -> list[Stroke]:
    """A line as one stroke, or as two where its style or its direction changes in the middle."""
    first, _, last = line.style.partition("-")
    if not last and len(line.arrow) < 2:
        return [Stroke(curve, first, line.arrow)]
    one, two = halved(curve)
    heads = {"": ("", ""), ">": ("", ">"), "<": ("<", ""), "<>": ("<", ">"), "><": (">", "<")}
    return [
        Stroke(one, first, heads[line.arrow][0]),
        Stroke(two, last or first, heads[line.arrow][1]),
    ]
