"""Circular arcs in the plane: the strokes every drawn line of a diagram is made of.

Points are complex numbers, y upwards; angles are radians, anticlockwise.
"""

from __future__ import annotations

from cmath import exp, phase, rect
from collections.abc import Iterable, Sequence
from math import cos, inf, pi, sin
from typing import NamedTuple

STRAIGHT = 1e-9  # a bend below this is none


class Arc(NamedTuple):
    """A circular arc from `start` to `end`; `bend` is the angle by which it leaves its chord to
    the left, and by which it comes back: 0 is straight, pi/2 a half circle.

    >>> top = Arc(0j, 1 + 0j, pi / 2)
    >>> print(f"{top.at(0.5):.3f}")
    0.500+0.500j
    """

    start: complex
    end: complex
    bend: float = 0.0

    @property
    def length(self) -> float:
        """The length along the arc."""
        chord = abs(self.end - self.start)
        return chord if abs(self.bend) < STRAIGHT else chord * self.bend / sin(self.bend)

    def at(self, part: float) -> complex:
        """The point after that part (0 to 1) of the length."""
        chord, bend = self.end - self.start, self.bend
        if abs(bend) < STRAIGHT:
            return self.start + part * chord
        turned = exp(1j * bend) - exp(1j * bend * (1 - 2 * part))
        return self.start + chord * turned / (2j * sin(bend))

    def heading(self, part: float) -> float:
        """The direction of travel after that part of the length."""
        return phase(self.end - self.start) + self.bend * (1 - 2 * part)

    @property
    def reversed(self) -> Arc:
        """The same arc, run backwards."""
        return Arc(self.end, self.start, -self.bend)

    def halves(self) -> tuple[Arc, Arc]:
        """The arc cut in the middle."""
        middle = self.at(0.5)
        return Arc(self.start, middle, self.bend / 2), Arc(middle, self.end, self.bend / 2)


class Motion(NamedTuple):
    """Mirror in the x axis (or not), then multiply by `factor`, then add `shift`."""

    factor: complex = 1
    shift: complex = 0
    mirror: bool = False

    def point(self, z: complex) -> complex:
        """The moved point."""
        return self.factor * (z.conjugate() if self.mirror else z) + self.shift

    def heading(self, unit: complex) -> complex:
        """The moved direction."""
        turned = self.factor * (unit.conjugate() if self.mirror else unit)
        return turned / abs(turned)

    def curve(self, arcs: Iterable[Arc]) -> Curve:
        """The moved arcs."""
        sign = -1 if self.mirror else 1
        return tuple(Arc(self.point(a), self.point(b), sign * bend) for a, b, bend in arcs)


Curve = tuple[Arc, ...]


def reverse(curve: Curve) -> Curve:
    """The same curve, run backwards."""
    return tuple(arc.reversed for arc in reversed(curve))


def trace(curve: Curve, step: float = 0.06) -> list[complex]:
    """Points along the curve, about `step` apart, both ends included."""
    points = [curve[0].start]
    for arc in curve:
        parts = max(2, round(arc.length / step))
        points += [arc.at((k + 1) / parts) for k in range(parts)]
    return points


def along(curve: Curve, part: float) -> tuple[complex, float]:
    """The point after that part (0 to 1) of the length, and the direction of travel there."""
    left = part * sum(arc.length for arc in curve)
    for arc in curve[:-1]:
        if left <= arc.length:
            return arc.at(left / arc.length), arc.heading(left / arc.length)
        left -= arc.length
    return curve[-1].at(left / curve[-1].length), curve[-1].heading(left / curve[-1].length)


def halved(curve: Curve) -> tuple[Curve, Curve]:
    """The curve cut in the middle of its length."""
    left = sum(arc.length for arc in curve) / 2
    for n, arc in enumerate(curve):
        if left <= arc.length * (1 + STRAIGHT):
            part = min(1.0, left / arc.length)
            middle = arc.at(part)
            first = Arc(arc.start, middle, arc.bend * part)
            last = Arc(middle, arc.end, arc.bend * (1 - part))
            tail = (last,) if abs(arc.end - middle) > STRAIGHT else ()
            return (*curve[:n], first), (*tail, *curve[n + 1 :])
        left -= arc.length
    raise AssertionError("half a length lies within the length")


def loop(vertex: complex, direction: float, radius: float, opening: float) -> Curve:
    """A line from a vertex to itself: a circle that touches the vertex, or, where the half-angle
    `opening` at the vertex is below pi/2, a drop: two straight lines tangent to a circle."""
    if opening > 0.45 * pi:
        far = vertex + rect(2 * radius, direction)
        return Arc(vertex, far, -pi / 2), Arc(far, vertex, -pi / 2)
    reach = radius / sin(opening)
    tangent = reach * cos(opening)
    right = vertex + rect(tangent, direction - opening)
    left = vertex + rect(tangent, direction + opening)
    far = vertex + rect(reach + radius, direction)
    turn = (pi / 2 + opening) / 2
    return Arc(vertex, right), Arc(right, far, -turn), Arc(far, left, -turn), Arc(left, vertex)


def hull(points: Iterable[complex]) -> list[complex]:
    """The corners of the convex hull, anticlockwise.

    >>> hull([0, 2, 2 + 2j, 2j, 1 + 1j])
    [0, 2, (2+2j), 2j]
    """
    ordered = sorted(set(points), key=lambda z: (z.real, z.imag))
    if len(ordered) < 3:
        return ordered

    def half(sequence: Iterable[complex]) -> list[complex]:
        corners: list[complex] = []
        for z in sequence:
            while len(corners) > 1 and cross(corners[-1] - corners[-2], z - corners[-1]) <= 0:
                corners.pop()
            corners.append(z)
        return corners[:-1]

    return half(ordered) + half(reversed(ordered))


def cross(a: complex, b: complex) -> float:
    """The signed area spanned by two vectors."""
    return a.real * b.imag - a.imag * b.real


def beyond(point: complex, corners: Sequence[complex]) -> float:
    """The distance of a point from a convex polygon (corners anticlockwise), negative inside.

    >>> square = [0, 2, 2 + 2j, 2j]
    >>> beyond(5 + 6j, square), beyond(1 + 0.5j, square)
    (5.0, -0.5)
    """
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    away = min(abs(point - nearest(point, a, b)[0]) for a, b in sides)
    outside = len(corners) < 3 or any(cross(point - a, b - a) > 0 for a, b in sides)
    return away if outside else -away


def nearest(point: complex, a: complex, b: complex) -> tuple[complex, float]:
    """The point of the segment from a to b nearest to `point`, and how far along it lies."""
    line = b - a
    part = ((point - a) * line.conjugate()).real / (abs(line) ** 2 or 1.0)
    part = clipped(part, 0.0, 1.0)
    return a + line * part, part


def gap(first: Iterable[complex], second: Sequence[complex]) -> float:
    """The smallest distance between two sets of points."""
    return min((abs(a - b) for a in first for b in second), default=inf)


def clipped(value: float, low: float, high: float) -> float:
    """`value`, or the nearer end of the interval."""
    return min(max(value, low), high)
