"""Where the vertices, legs and lines of a Feynman diagram are drawn.

Every line is a chain of circular arcs. A connected diagram is drawn block by block (`blocks.py`)
from its middle outwards, then turned until its first legs are on the left and its last on the
right, with the bulk on top. Disconnected pieces stand side by side. Points are complex numbers,
y upwards; a one-loop bubble has diameter 1.
"""

from __future__ import annotations

from cmath import phase, rect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, pi

from fieldtheory.theory.drawing.blocks import STUB, block_part, hang, is_bridge
from fieldtheory.theory.drawing.circle import rim
from fieldtheory.theory.drawing.curves import Arc, Curve, Motion, beyond, gap, hull, reverse
from fieldtheory.theory.drawing.part import Part
from fieldtheory.theory.drawing.sketch import Line, Sketch

LEG = 0.6  # the shortest external leg
MARGIN = 0.25  # how far a leg reaches beyond the rest
BARE = 1.2  # a line between two legs
BETWEEN = 0.6  # disconnected pieces, without their labels
LETTER = 0.16  # of a label


@dataclass(frozen=True)
class Layout:
    """A drawn diagram.

    points   the places of vertices 0, 1, ... and of the outer ends of legs -1, -2, ...
    curves   of each line, from its start to its end.
    crosses  of each background leg of a vertex, from the vertex to its cross.
    stubs    of each external leg of the background, from its label to its cross.
    """

    points: Mapping[int, complex]
    curves: tuple[Curve, ...]
    crosses: tuple[Curve, ...]
    stubs: Mapping[int, Curve]


def layout(sketch: Sketch) -> Layout:
    """The drawing of a sketch; the same sketch has the same drawing.

    >>> sunset = Sketch(2, (("x1",), ("x2",)), ((-1, 0), (-2, 1), (0, 1), (0, 1), (0, 1)))
    >>> found = layout(sunset)
    >>> found.points[-1].real < found.points[0].real < found.points[1].real < found.points[-2].real
    True
    """
    whole = Part()
    stubs: dict[int, Curve] = {}
    apart = BETWEEN + 2 * LETTER * max((len(leg.label) for leg in sketch.legs), default=0)
    for piece in sketch.pieces:
        part = _bare(sketch, piece) if piece[-1] < 0 else _upright(sketch, piece)
        shift = 0j
        if whole.points:
            shift = _right(whole) + apart + _right(part.moved(Motion(-1))) + 0j
        part = part.moved(Motion(1, shift))
        if part.crosses and piece[-1] < 0:  # a background leg: not one of a vertex
            stubs[piece[0]] = part.crosses[0]
            part = Part(part.points)
        whole.take(part)
    curves = tuple(whole.curves[n] for n in range(len(sketch.lines)))
    return Layout(
        whole.points, curves, tuple(whole.crosses[n] for n in range(len(sketch.crosses))), stubs
    )


def _right(part: Part) -> float:
    return max(z.real for z in part.trace())


def _bare(sketch: Sketch, piece: Sequence[int]) -> Part:
    """A line between two legs, or an external leg of the background."""
    if len(piece) == 1:
        return Part({piece[0]: 0j}, crosses={0: (Arc(0j, STUB + 0j),)})
    last, first = piece
    points = {first: 0j, last: BARE + 0j}
    number, line = next((n, l) for n, l in enumerate(sketch.lines) if first in (l.start, l.end))
    return Part(points, {number: (Arc(points[line.start], points[line.end]),)})


def _upright(sketch: Sketch, piece: Sequence[int]) -> Part:
    """A piece with vertices: drawn from its middle outwards, turned, its legs dealt and ended."""
    middle = sketch.centre(piece)
    entry = _entry(sketch, middle) if len(middle) > 1 else middle[0]
    if len(middle) == 1 or is_bridge(sketch, middle):
        part = hang(sketch, entry, None)
    else:
        part = block_part(sketch, middle, entry, pi)
        part.take(hang(sketch, entry, middle).moved(Motion(-1, 0, mirror=True)))
    wanted = {leg: rect(1, slot(-leg - 1, len(sketch.legs))) for leg in part.legs}
    part = part.moved(_turn(part, wanted) if part.legs else _balance(part))
    _deal(part, wanted)
    _end(part, sketch.lines)
    return part


def _entry(sketch: Sketch, block: Sequence[int]) -> int:
    """The vertex of a block that stands on the left: that of the first leg."""
    whole = tuple(block)
    ports = {v: legs[0] for v in block if (legs := sketch.leads(v, whole))}
    if ports:
        return max(ports, key=lambda v: ports[v])
    inner = set(block)
    return rim({ab: len(n) for ab, n in sketch.bundles.items() if inner.issuperset(ab)})[0]


def slot(number: int, legs: int) -> float:
    """The direction in which external leg `number` (from 0) would best point: the first half to
    the left, the others to the right, each from top to bottom.

    >>> [round(slot(n, 4) / pi, 2) for n in range(4)]
    [0.75, 1.25, 0.25, -0.25]
    """
    left = max(1, legs // 2)
    if number < left:
        return pi - _fanned(number, left)
    return _fanned(number - left, legs - left)


def _fanned(number: int, legs: int) -> float:
    return 0.0 if legs == 1 else pi / 4 - number * pi / 2 / (legs - 1)


# -- turning --------------------------------------------------------------------------------------


def _sites(part: Part) -> dict[complex, list[int]]:
    """The legs of each place that has some, the first first."""
    found: dict[complex, list[int]] = {}
    for leg in sorted(part.legs, reverse=True):
        found.setdefault(part.legs[leg][0], []).append(leg)
    return found


def _turn(part: Part, wanted: Mapping[int, complex]) -> Motion:
    """The motion after which the legs point best where they are wanted: two legs level, of more
    as many as possible along an axis; the bulk on top, the first leg on the left."""
    sites = _sites(part)
    first = part.legs[max(part.legs)][0]
    trace = part.trace()
    centre = sum(sites, 0j) / len(sites)

    def worth(motion: Motion) -> tuple[float, float]:
        fit = 0.0
        for at, here in sites.items():
            units = [motion.heading(part.legs[leg][1]) for leg in here]
            wants = [wanted[leg] for leg in here]
            away = motion.point(at) - motion.point(centre)
            for unit, want in zip(_matched(units, wants), wants, strict=True):
                fit += ((len(here) * unit + away) * want.conjugate()).real
            axis = phase(_mean(units)) / (pi / 4)
            fit += 0.15 * (round(axis, 6) % 1 == 0) + 0.1 * (round(axis, 6) % 2 == 0)
        fit -= 0.1 * (motion.point(first) - motion.point(centre)).real
        height = sum(motion.point(z).imag for z in trace) / len(trace)
        return round(fit, 6), round(height, 6)

    return max(_turns(part, wanted), key=worth)


def _turns(part: Part, wanted: Mapping[int, complex]) -> Iterator[Motion]:
    """Motions worth trying."""
    legs = sorted(part.legs, reverse=True)
    for mirror in (False, True):
        flip = Motion(1, 0, mirror)
        places = [flip.point(part.legs[leg][0]) for leg in legs]
        units = [flip.heading(part.legs[leg][1]) for leg in legs]
        if len(legs) == 1:
            yield Motion(wanted[legs[0]] / units[0], 0, mirror)
        elif len(legs) == 2:
            across = places[1] + LEG * units[1] - places[0] - LEG * units[0]
            yield Motion(abs(across) / across, 0, mirror)
        else:
            sites = _sites(part)
            step = {1: pi / len(legs), 2: pi / 2}.get(len(sites), pi / 4)
            for here in sites.values():
                lean = phase(_mean([units[legs.index(leg)] for leg in here]))
                turns = range(round(2 * pi / step))
                yield from (Motion(rect(1, k * step - lean), 0, mirror) for k in turns)


def _mean(units: Sequence[complex]) -> complex:
    """The sum of directions; the first where they cancel."""
    total = sum(units, 0j)
    return total if abs(total) > 1e-6 else units[0]


def _matched(units: Sequence[complex], wants: Sequence[complex]) -> list[complex]:
    """The directions dealt out so that each is nearest to what is wanted, keeping their order
    round the clock.

    >>> _matched([1j, -1 + 0j], [-1 + 0j, 1j])
    [(-1+0j), 1j]
    """
    ordered = sorted(units, key=phase)
    places = sorted(range(len(wants)), key=lambda n: phase(wants[n]))
    best, dealt = -inf, list(units)
    for turn in range(len(units)):
        trial = [0j] * len(units)
        for n, place in enumerate(places):
            trial[place] = ordered[(n + turn) % len(units)]
        fit = sum((u * want.conjugate()).real for u, want in zip(trial, wants, strict=True))
        if fit > best + 1e-6:
            best, dealt = fit, trial
    return dealt


def _balance(part: Part) -> Motion:
    """The motion after which a piece without legs is as symmetrical as possible between left and
    right, and then between top and bottom, and not on its head."""
    marks = list(part.points.values())
    arcs = [arc for curve in part.curves.values() for arc in curve]
    marks += [z for arc in arcs for z in (arc.at(0.5), arc.end)]
    marks = [z for n, z in enumerate(marks) if gap([z], marks[:n]) > 1e-6]
    centre = sum(marks, 0j) / len(marks)
    spokes = {round(phase(z - centre), 6) for z in marks if abs(z - centre) > 1e-6}
    turns = [1 + 0j, *(rect(1, pi / 2 - angle) for angle in sorted(spokes))]

    def worth(turn: complex) -> tuple[float, float, float]:
        turned = [turn * (z - centre) for z in marks]
        sides = sum(gap([-z.conjugate()], turned) for z in turned)
        ends = sum(gap([z.conjugate()], turned) for z in turned)
        top, bottom = max(z.imag for z in turned), min(z.imag for z in turned)
        return round(sides, 3), round(ends, 3), round(-(top + bottom), 3)

    return Motion(min(turns, key=worth))


# -- legs -----------------------------------------------------------------------------------------


def _deal(part: Part, wanted: Mapping[int, complex]) -> None:
    """Exchange the legs of one place so that each points nearest to where it is wanted."""
    for at, here in _sites(part).items():
        units = [part.legs[leg][1] for leg in here]
        for leg, unit in zip(here, _matched(units, [wanted[n] for n in here]), strict=True):
            part.legs[leg] = (at, unit, part.legs[leg][2])


def _end(part: Part, lines: Sequence[Line]) -> None:
    """Give every external leg its end, outside everything else."""
    corners = hull(part.trace())
    for leg, (at, unit, number) in part.legs.items():
        length = LEG
        while beyond(at + length * unit, corners) < MARGIN:
            length += 0.05
        part.points[leg] = at + length * unit
        curve = (Arc(part.points[leg], at),)
        part.curves[number] = curve if lines[number].start == leg else reverse(curve)
