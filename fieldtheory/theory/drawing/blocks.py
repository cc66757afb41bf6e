"""Blocks of a diagram, and what hangs on its vertices, as curves.

A block of two vertices is a fan of arcs; a larger one is a circle (`circle.py`). What hangs on a
vertex of a block - legs, lines to itself, further blocks - points outwards and is drawn first, so
that the circle can be made large enough to carry it.
"""

from __future__ import annotations

from cmath import phase, rect
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import pi, sin, sqrt
from typing import NamedTuple

from fieldtheory.theory.drawing.circle import Lines, Ring, inside, relaxed, ring
from fieldtheory.theory.drawing.curves import Arc, Motion, clipped, gap, loop, reverse, trace
from fieldtheory.theory.drawing.part import Part
from fieldtheory.theory.drawing.sketch import Block, Sketch, pairs

Angles = Mapping[int, float]

BRIDGE = 0.8  # the shortest single line between two blocks
STUB = 0.4  # a background leg
SELF = 0.3  # the radius of a line from a vertex to itself
APART = 0.14  # between things that have nothing to do with each other
LEAN = 0.5  # how far chords lean inwards, from straight (0) to at right angles to the circle (1)
ROUND = 0.45 * pi  # a half-angle at a vertex from which on a circle fits


# -- what hangs on a vertex -----------------------------------------------------------------------


class Item(NamedTuple):
    """One thing on a vertex: "leg", "cross" or "loop" with its number, a "block", or a "bridge",
    which is a block of one line. Legs, crosses and bridges leave the vertex as a single line."""

    kind: str
    number: int = 0
    line: int = 0
    block: Block = ()

    @property
    def thin(self) -> bool:
        """Whether it leaves the vertex as a single line."""
        return self.kind in ("leg", "cross", "bridge")


class Slot(NamedTuple):
    """The direction of an item and the half-angle it may take at the vertex."""

    direction: float
    opening: float


def items(sketch: Sketch, vertex: int, parent: Block | None) -> tuple[list[Item], list[Item]]:
    """What hangs on a vertex apart from `parent`: things that carry external legs, others."""
    outer = [Item("leg", leg, line) for leg, line in sketch.legs_of.get(vertex, ())]
    inner: list[Item] = []
    for block in sketch.around(vertex):
        if block != parent:
            carries = any(sketch.leads(v, block) for v in block if v != vertex)
            kind = "bridge" if is_bridge(sketch, block) else "block"
            (outer if carries else inner).append(Item(kind, block=block))
    inner += [Item("loop", number) for number in sketch.loops_of(vertex)]
    inner += [Item("cross", n) for n, cross in enumerate(sketch.crosses) if cross.vertex == vertex]
    if parent is None and not outer:  # nothing tells left from right: all alike, all round
        return inner, []
    return outer, inner


def hang(sketch: Sketch, vertex: int, parent: Block | None, room: float = pi / 2) -> Part:
    """Everything on a vertex that `parent`, behind it, is not part of: the vertex at the origin,
    the things within the angle `room` on either side of the positive x axis. A room of pi means
    that behind the vertex there is but a single line."""
    part = Part({vertex: 0j})
    bridges: list[tuple[Block, Motion]] = []
    outer, inner = items(sketch, vertex, parent)
    for item, slot in _slots(outer, inner, None if parent is None else room):
        turn = rect(1, slot.direction)
        motion = Motion(turn, 0, abs(slot.direction) > pi / 2)  # what is on top stays on top
        if item.kind == "bridge":
            bridges.append((item.block, motion))
        elif item.kind == "block":
            part.take(block_part(sketch, item.block, vertex, slot.opening).moved(motion))
        elif item.kind == "leg":
            part.legs[item.number] = (0j, turn, item.line)
        elif item.kind == "loop":
            part.curves[item.number] = loop(0j, slot.direction, SELF, slot.opening)
        else:
            part.crosses[item.number] = (Arc(0j, STUB * turn),)
    for block, motion in bridges:
        part.take(_bridge(sketch, block, part, vertex, motion))
    return part


def is_bridge(sketch: Sketch, block: Block) -> bool:
    """Whether a block is a single line."""
    return len(block) == 2 and len(sketch.bundles[block[0], block[1]]) == 1


def _bridge(sketch: Sketch, block: Block, part: Part, vertex: int, motion: Motion) -> Part:
    """A line from a vertex at the origin and all that hangs on its end; the line is long enough
    to keep that off the part which is there already."""
    other = block[0] + block[1] - vertex
    far = hang(sketch, other, block, pi).moved(motion)
    there, length = part.trace(), BRIDGE
    while gap([z + length * motion.factor for z in far.trace()], there) < APART:
        length += 0.1
    far = far.moved(Motion(1, length * motion.factor))
    far.points[vertex] = 0j
    far.draw(sketch, vertex, other, [0.0])
    return far


def _slots(outer: list[Item], inner: list[Item], room: float | None) -> list[tuple[Item, Slot]]:
    """Directions: things with legs evenly, the others in the widest gaps between them; `room` is
    None when nothing is behind, and then the first thing points to the left."""
    fixed = _evenly(len(outer), room)
    if room is None:
        outer = outer[::-1]
        edges = [fixed[-1] - 2 * pi, *fixed] if fixed else []
    else:
        edges = [-room, *fixed, room]
    last = len(edges) - 1
    walls = [room not in (None, pi) and n in (0, last) for n in range(last + 1)]
    ends = [2 - 0.5 * (walls[n] + walls[n + 1]) for n in range(last)]
    shares = [0] * max(0, last)
    for _ in inner:  # of equal gaps the upper one
        wide = [(edges[n + 1] - edges[n]) / (shares[n] + ends[n]) for n in range(last)]
        shares[max(range(last), key=lambda n: (round(wide[n], 6), n))] += 1
    places = list(zip(fixed, outer, strict=True))
    rest = iter(inner)
    for n, share in enumerate(shares):
        step = (edges[n + 1] - edges[n]) / (share - 1 + ends[n]) if share else 0.0
        first = edges[n] + step * (0.5 if walls[n] else 1.0)
        places += [(first + step * k, next(rest)) for k in range(share)]
    places.sort(key=lambda place: place[0])
    return [(item, Slot(phi, _opening(places, n, room))) for n, (phi, item) in enumerate(places)]


def _evenly(number: int, room: float | None) -> list[float]:
    """Even directions: all round from the left, on all sides of a line, or within the room."""
    if room is None:
        return [pi - 2 * pi * n / number for n in reversed(range(number))]
    if room == pi:
        return [2 * pi * (n + 1) / (number + 1) - pi for n in range(number)]
    return [room * ((2 * n + 1) / number - 1) for n in range(number)]


def _opening(places: list[tuple[float, Item]], n: int, room: float | None) -> float:
    """The half-angle of item n that keeps it off its neighbours."""
    here, free = places[n][0], pi / 2
    for m in (n - 1, n + 1):
        if room is not None and not 0 <= m < len(places):
            between, thin = room - abs(here), room == pi
            if not thin:
                free = min(free, between)
                continue
        elif len(places) == 1:
            continue
        else:
            other, item = places[m % len(places)]
            between = (here - other if m < n else other - here) % (2 * pi)
            thin = item.thin
        if thin:
            free = min(free, between if between >= pi / 2 else between - 0.1 * pi)
        else:
            free = min(free, 0.44 * between)
    return free


# -- blocks ---------------------------------------------------------------------------------------


def block_part(sketch: Sketch, block: Block, entry: int, opening: float) -> Part:
    """A block, not a bridge, and all that hangs on it, except on `entry`, which is at the origin.

    The block extends along the positive x axis and leaves the origin within the half-angle
    `opening`; it stays on that side of the origin unless the opening is pi.
    """
    if len(block) > 2:
        return _circle(sketch, block, entry, opening)
    other = block[0] + block[1] - entry
    number = len(sketch.bundles[block[0], block[1]])
    part = hang(sketch, other, block).moved(Motion(1, 1))
    part.points[entry] = 0j
    part.draw(sketch, entry, other, spread(number, min(opening, pi / 2), -min(opening, pi / 2)))
    return part


def spread(number: int, first: float, last: float) -> list[float]:
    """Bends of parallel lines, evenly from the first to the last; of a single one the mean.

    >>> spread(3, 1.0, -1.0)
    [1.0, 0.0, -1.0]
    """
    if number == 1:
        return [(first + last) / 2]
    return [first + (last - first) * n / (number - 1) for n in range(number)]


def _circle(sketch: Sketch, block: Block, entry: int, opening: float) -> Part:
    inner_of = set(block)
    lines = {ab: len(n) for ab, n in sketch.bundles.items() if inner_of.issuperset(ab)}
    ports = [v for v in block if v != entry and sketch.leads(v, block)]
    busy = [v for v in block if v not in (entry, *ports) and any(items(sketch, v, block))]
    found = ring(lines, [entry, *ports], busy)
    children = {v: hang(sketch, v, block) for v in found.outer[1:]}
    radius, angles = _angles(found.outer, children, ports, len(block))
    while opening <= pi / 2 and _reach(children, angles, radius) < APART:
        radius *= 1.1
    middle = radius if opening > ROUND else radius / sin(opening)
    part = Part({v: middle + rect(radius, angle) for v, angle in angles.items()})
    part.points[entry] = 0j
    _draw_sides(sketch, part, angles, opening)
    sides = {(min(ab), max(ab)) for ab in pairs(found.outer)}
    chords = {ab: number for ab, number in lines.items() if ab not in sides}
    if found.inner:
        _place_inside(part, found, lines, chords)
        _draw_sides(sketch, part, angles, opening)  # again, now that it is known what is beside
    for v, child in children.items():
        part.take(child.moved(Motion(rect(1, angles[v]), part.points[v])))
    _draw_chords(sketch, part, chords, {} if found.inner else angles)
    for v in found.inner:
        _fit(sketch, part, v, block)
    return part


def _angles(
    outer: Sequence[int], children: Mapping[int, Part], ports: Sequence[int], size: int
) -> tuple[float, dict[int, float]]:
    """The radius, and where on the circle each vertex stands, clockwise from the left; one port
    stands opposite the entry, more are drawn apart. The circle is so large that what hangs on it
    has room."""
    reach = [0.0, *(max(abs(z.imag) for z in children[v].trace()) for v in outer[1:])]
    widths = [a + b for a, b in zip(reach, [*reach[1:], reach[0]], strict=True)]
    needs = [1.0 + 0.6 * width for width in widths]
    stops = [0, *(n for n, v in enumerate(outer) if v in ports), len(outer)]
    spans = list(pairwise(stops))
    even = 1.0 if len(ports) == 1 else 0.5
    angles: dict[int, float] = {}
    angle, radius = pi, max(0.5, 0.29 * sqrt(size + 0.5))
    for low, high in spans:
        share = sum(needs[low:high])
        whole = 2 * pi * (even / len(spans) + (1 - even) * share / sum(needs))
        for n in range(low, high):
            angles[outer[n]] = angle
            step = whole * needs[n] / share
            angle -= step
            if widths[n]:
                radius = max(radius, (widths[n] + APART) / (2 * sin(min(step, pi) / 2)))
    return radius, angles


def _reach(children: Mapping[int, Part], angles: Angles, radius: float) -> float:
    """How far to the left what hangs on the circle reaches; the entry is at 0."""
    places = (
        radius + rect(1, angles[v]) * (radius + z) for v in children for z in children[v].trace()
    )
    return min(place.real for place in places)


def _draw_sides(sketch: Sketch, part: Part, angles: Angles, opening: float) -> None:
    """Lines between neighbours on the circle (which runs clockwise): along it when single,
    otherwise a lens, or a fan from the circle to the chord when the lens would be too wide."""
    outer = list(angles)
    for n, (a, b) in enumerate(pairs(outer)):
        if (min(a, b), max(a, b)) not in sketch.bundles:
            continue
        number = len(sketch.bundles[min(a, b), max(a, b)])
        bend = (angles[a] - (angles[b] if n + 1 < len(outer) else -pi)) / 2
        chord = part.points[b] - part.points[a]
        if opening <= ROUND and n == 0:
            bend = opening - phase(chord)
        elif opening <= ROUND and n == len(outer) - 1:
            bend = opening + phase(-chord)
        low = high = bend
        if number > 1 and bend > 0.42 * pi:
            low = 0.0 if number == 2 else -0.25 * pi
        elif number > 1:
            wide = min(clipped(bend, 0.18 * pi, 0.25 * pi), 0.45 * _beside(sketch, part, a, b))
            low, high = -wide, max(wide, bend) if number == 2 else wide + 0.05 * pi
        part.draw(sketch, a, b, spread(number, high, low))


def _beside(sketch: Sketch, part: Part, a: int, b: int) -> float:
    """The angle between the side from a to b and the line next to it, at either end."""
    found = pi
    for here, there in ((a, b), (b, a)):
        along = part.points[there] - part.points[here]
        for other in sketch.neighbours[here]:
            if other != there and other in part.points:
                found = min(found, abs(phase((part.points[other] - part.points[here]) / along)))
    return found


def _place_inside(part: Part, found: Ring, lines: Lines, chords: Lines) -> None:
    """The vertices inside the circle, given its sides."""
    part.points |= inside(lines, found, part.points)
    free = set(found.inner)
    walls = [half[:2] for curve in part.curves.values() for half in curve[0].halves()]
    walls += [(part.points[a], part.points[b]) for a, b in chords if not free & {a, b}]
    moving = {ab: number for ab, number in chords.items() if free & set(ab)}
    part.points = relaxed(moving, part.points, found.inner, walls)


def _draw_chords(sketch: Sketch, part: Part, chords: Lines, angles: Angles) -> None:
    """Lines across the circle: leaning inwards where all vertices stand on the circle (`angles`),
    otherwise straight; parallel ones as wide apart as the others allow."""
    order = sorted(chords, key=lambda ab: chords[ab])
    lean = dict.fromkeys(order, 0.0)
    for a, b in order if angles else ():
        between = (angles[a] - angles[b]) % (2 * pi)
        lean[a, b] = -LEAN * (pi - between) / 2
    straight = {(a, b): (Arc(part.points[a], part.points[b], lean[a, b]),) for a, b in order}
    for n, (a, b) in enumerate(order):
        curves = [*part.curves.values(), *(straight[ab] for ab in order[n + 1 :])]
        others = [*part.points.values(), *(z for curve in curves for z in trace(curve))]
        best = (-1.0, 0.0)
        for wide in (0.3, 0.25, 0.2, 0.15, 0.1) if chords[a, b] > 1 else (0.0,):
            arcs = [straight[a, b][0]._replace(bend=lean[a, b] + s * wide * pi) for s in (1, -1)]
            near = [arc.at(t) for arc in arcs for t in (0.3, 0.4, 0.5, 0.6, 0.7)]
            best = max(best, (min(gap(near, others), APART), wide))
        wide = best[1] * pi
        part.draw(sketch, a, b, spread(chords[a, b], lean[a, b] + wide, lean[a, b] - wide))


def _fit(sketch: Sketch, part: Part, vertex: int, block: Block) -> None:
    """Hang things on a vertex inside the circle, in the gap that leaves most room for them."""
    if not any(items(sketch, vertex, block)):
        return
    here = part.points[vertex]
    headings = sorted(_headings(part, vertex))
    gaps = [
        ((b - a) % (2 * pi) or 2 * pi, a)
        for a, b in zip(headings, [*headings[1:], headings[0]], strict=True)
    ]
    others = [z for z in part.trace() if abs(z - here) > APART]
    tries = []
    for wide, low in gaps:
        child = hang(sketch, vertex, block, min(pi / 2, 0.42 * wide))
        for scale in (1.0, 0.8, 0.6, 0.45, 0.35):
            moved = child.moved(Motion(rect(scale, low + wide / 2), here))
            clear = gap([z for z in moved.trace() if abs(z - here) > APART], others)
            tries.append(((min(clear, 0.7 * APART), scale, wide), moved))
    part.take(max(tries, key=lambda tried: tried[0])[1])


def _headings(part: Part, vertex: int) -> list[float]:
    """The directions in which lines leave a vertex."""
    here, found = part.points[vertex], []
    for curve in part.curves.values():
        for run in (curve, reverse(curve)):
            if abs(run[0].start - here) < 1e-9:
                found.append(run[0].heading(0) % (2 * pi))
    return found
