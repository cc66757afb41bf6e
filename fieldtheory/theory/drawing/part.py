"""A drawn part of a diagram: places of vertices and curves of lines, in its own plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fieldtheory.theory.drawing.curves import Arc, Curve, Motion, reverse, trace
from fieldtheory.theory.drawing.sketch import Sketch


@dataclass
class Part:
    """A drawn part of a diagram: the places of vertices, the curves of lines and background legs
    by number, and for each external leg its vertex's place, its direction and its line."""

    points: dict[int, complex] = field(default_factory=dict)
    curves: dict[int, Curve] = field(default_factory=dict)
    crosses: dict[int, Curve] = field(default_factory=dict)
    legs: dict[int, tuple[complex, complex, int]] = field(default_factory=dict)

    def moved(self, motion: Motion) -> Part:
        """The part mirrored, turned, scaled and shifted."""
        return Part(
            {v: motion.point(z) for v, z in self.points.items()},
            {n: motion.curve(curve) for n, curve in self.curves.items()},
            {n: motion.curve(curve) for n, curve in self.crosses.items()},
            {n: (motion.point(z), motion.heading(u), k) for n, (z, u, k) in self.legs.items()},
        )

    def take(self, other: Part) -> None:
        """Add everything of another part."""
        self.points |= other.points
        self.curves |= other.curves
        self.crosses |= other.crosses
        self.legs |= other.legs

    def trace(self) -> list[complex]:
        """Points on everything but the external legs that have no end yet."""
        points = list(self.points.values())
        for curve in (*self.curves.values(), *self.crosses.values()):
            points += trace(curve)
        return points

    def draw(self, sketch: Sketch, a: int, b: int, bends: Sequence[float]) -> None:
        """The lines between two placed vertices, the first with the first bend from a to b."""
        numbers = sketch.bundles[min(a, b), max(a, b)]
        for number, bend in zip(numbers, bends, strict=True):
            curve = (Arc(self.points[a], self.points[b], bend),)
            self.curves[number] = curve if sketch.lines[number].start == a else reverse(curve)
