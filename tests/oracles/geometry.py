"""Judges of pictures: SVG text is read back into points, and points are measured.

Nothing of the package is used: paths are parsed from the text, arcs are drawn again from their
end points, radius and flags, crossings and distances are counted on polylines.
"""

import re
from xml.etree import ElementTree

import numpy as np

SVG = "{http://www.w3.org/2000/svg}"
PIECES = 47  # of an arc; odd, so that halves are no end points
NOISE = 1e-6  # of an area in square pixels: lines that touch or lie along each other do not cross


class Picture:
    """What one SVG document draws: `paths` as arrays of complex points (y downwards), `dots`,
    `labels` as (text, point), `box` as (left, top, right, bottom)."""

    def __init__(self, text):
        root = ElementTree.fromstring(text)
        self.root = root
        left, top, width, height = map(float, root.get("viewBox").split())
        self.box = (left, top, left + width, top + height)
        self.title = root.findtext(f"{SVG}title")
        self.paths, self.dots, self.labels, self.dashes, self.heads = [], [], [], [], []
        self._collect(root, 0j)

    def _collect(self, node, shift):
        if found := re.match(r"translate\(([-\d.]+) ([-\d.]+)\)", node.get("transform", "")):
            shift += complex(float(found[1]), float(found[2]))
        tag = node.tag.removeprefix(SVG)
        if tag == "path":
            self.paths.append(points(node.get("d")) + shift)
            self.dashes.append(node.get("stroke-dasharray", ""))
        elif tag == "circle":
            self.dots.append(complex(float(node.get("cx")), float(node.get("cy"))) + shift)
        elif tag == "text":
            where = complex(float(node.get("x")), float(node.get("y"))) + shift
            self.labels.append(("".join(node.itertext()), where))
        elif tag == "polygon":
            pairs = [pair.split(",") for pair in node.get("points").split()]
            self.heads.append([complex(float(x), float(y)) + shift for x, y in pairs])
        for child in node:
            self._collect(child, shift)


def points(path):
    """The points of a path of M, L and A commands."""
    words = path.split()
    found, here, at = [], None, 0
    while at < len(words):
        command = words[at]
        if command in "ML":
            here = complex(float(words[at + 1]), float(words[at + 2]))
            start = found[-1][-1] if command == "L" else here
            found.append(np.linspace(start, here, PIECES + 1) if command == "L" else [here])
            at += 3
        else:
            assert command == "A", command
            rx, ry, turn, large, sweep, x, y = map(float, words[at + 1 : at + 8])
            assert rx == ry
            assert turn == 0
            there = complex(x, y)
            found.append(arc(here, there, rx, (large == 1, sweep == 1)))
            here, at = there, at + 8
            continue
    return np.concatenate([np.asarray(part, complex) for part in found])


def arc(start, end, radius, flags):
    """Points of the SVG arc with flags (large, sweep): sweep means growing angle, y downwards."""
    large, sweep = flags
    chord = end - start
    height = np.sqrt(max(radius**2 - abs(chord) ** 2 / 4, 0.0)) * 1j * chord / abs(chord)
    tries = []
    for centre in ((start + end) / 2 + height, (start + end) / 2 - height):
        turn = np.angle((end - centre) / (start - centre))
        turn = turn % (2 * np.pi) if sweep else -(-turn % (2 * np.pi))
        tries.append(((abs(turn) > np.pi) != large, centre, turn))
    _, centre, turn = min(tries, key=lambda found: found[0])
    return centre + (start - centre) * np.exp(1j * turn * np.linspace(0, 1, PIECES + 1))


def crossings(one, two, shared, clear):
    """How often two polylines cross, further than `clear` from every shared end."""
    a, b = one[:-1, None], one[1:, None]
    c, d = two[None, :-1], two[None, 1:]

    def turn(u, v):
        return (u.conj() * v).imag

    sides = turn(b - a, c - a) * turn(b - a, d - a), turn(d - c, a - c) * turn(d - c, b - c)
    hit = (sides[0] < -NOISE) & (sides[1] < -NOISE)
    for end in shared:
        hit &= (abs(a - end) > clear) & (abs(b - end) > clear)
    return int(hit.sum())


def distance(point, path):
    """The distance of a point from a polyline."""
    a, b = path[:-1], path[1:]
    line = b - a
    part = ((point - a) * line.conj()).real / np.maximum(abs(line) ** 2, 1e-12)
    return float(abs(point - a - line * np.clip(part, 0, 1)).min())


def apart(one, two, shared, clear):
    """The smallest distance between two polylines, further than `clear` from shared ends."""
    for end in shared:
        one, two = one[abs(one - end) > clear], two[abs(two - end) > clear / 2]
    if not one.size or not two.size:
        return np.inf
    return float(abs(one[:, None] - two[None, :]).min())


def is_outside(point, others):
    """Whether a line through the point has all the others on one side: not in their hull."""
    angles = np.sort(np.angle(np.asarray(others) - point))
    return bool(np.diff([*angles, angles[0] + 2 * np.pi]).max() > np.pi)
