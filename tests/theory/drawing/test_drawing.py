"""Drawings as text: sound SVG, styles and arrows, sheets, TikZ-Feynman that hangs together."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.drawing import Cross, Leg, Line, Sketch, as_svg, as_tikz, sheet, svg, tikz
from fieldtheory.theory.drawing.curves import Arc
from fieldtheory.theory.drawing.layout import layout
from fieldtheory.theory.drawing.sketch import ARROWS, STYLES
from tests.oracles import geometry
from tests.oracles.mutation import spoil, survives

ROOT = Path(__file__).parents[3]
DIGITS = 0.02  # SVG coordinates have two decimals
TWO = (Leg("x1"), Leg("x2"))
SUNSET = Sketch(2, TWO, (Line(-1, 0), Line(-2, 1), Line(0, 1), Line(0, 1), Line(0, 1)))
TADPOLE = Sketch(1, TWO, (Line(-1, 0), Line(-2, 0), Line(0, 0)))
BUBBLE = Sketch(2, TWO, (Line(-1, 0), Line(-2, 1), Line(0, 1), Line(0, 1)))
BRIDGE = Sketch(2, TWO, (Line(-1, 0), Line(-2, 1), Line(0, 1)))
SAMPLES = [
    Sketch(0),
    Sketch(1),
    Sketch(0, TWO, (Line(-1, -2),)),
    SUNSET,
    TADPOLE,
    Sketch(1, (Leg("x1"), Leg("x2", "dotted")), (Line(-1, 0), Line(0, 0)), (Cross(0, "wiggly"),)),
    Sketch(3, (), (Line(0, 1, "wiggly"), Line(1, 2, "dashed-plain", ">"), Line(0, 2, "dotted"))),
    Sketch(
        2, (Leg(""), Leg("")), (Line(-1, 0), Line(-2, 1), Line(0, 1, "plain", "<>"), Line(0, 1))
    ),
    Sketch(1, (), (Line(0, 0, "plain", ">"),) * 3),
]


def restyled(sketch, style, arrow="", line=2):
    lines = list(sketch.lines)
    lines[line] = lines[line]._replace(style=style, arrow=arrow)
    return Sketch(sketch.vertices, sketch.legs, tuple(lines), sketch.crosses)


# -- SVG ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sketch", SAMPLES)
def test_svg_is_sound_and_accessible(sketch):
    picture = geometry.Picture(svg(sketch))
    root = picture.root
    assert root.tag == f"{geometry.SVG}svg"
    assert root.get("role") == "img"
    assert root[0].tag == f"{geometry.SVG}title"
    assert picture.title
    left, top, right, bottom = picture.box
    assert (right - left, bottom - top) == (float(root.get("width")), float(root.get("height")))
    colours = {node.get(name) for node in root.iter() for name in ("stroke", "fill")}
    assert colours <= {None, "none", "currentColor"}
    drawn = [*picture.dots, *(z for path in picture.paths for z in path)]
    drawn += [place for _, place in picture.labels]
    assert all(left < z.real < right and top < z.imag < bottom for z in drawn)


@pytest.mark.parametrize("sketch", SAMPLES[2:])
def test_svg_is_tight(sketch):
    """The box ends a few pixels from the outermost thing; a label is about as wide as its text."""
    picture = geometry.Picture(svg(sketch))
    reach = [z for path in picture.paths for z in path] + picture.dots
    for text, place in picture.labels:
        half = 4 * len(text)
        reach += [place + half - 14j, place - half + 5j]
    left, top, right, bottom = picture.box
    reals, imags = [z.real for z in reach], [z.imag for z in reach]
    for slack in (min(reals) - left, right - max(reals), min(imags) - top, bottom - max(imags)):
        assert slack < 14


def test_the_empty_diagram_says_so():
    picture = geometry.Picture(svg(Sketch(0)))
    assert picture.labels[0][0] == picture.title == "empty diagram"
    assert "empty diagram" in tikz(Sketch(0))


def test_the_title_is_given_or_says_what_there_is():
    assert geometry.Picture(svg(TADPOLE)).title == "Feynman diagram with 2 legs, 1 vertex, 3 lines"
    assert geometry.Picture(svg(TADPOLE, "a < b & c")).title == "a < b & c"


def test_labels_are_written_as_text():
    nasty = Sketch(0, (Leg("<script>&"), Leg("phi12")), (Line(-1, -2),))
    assert [text for text, _ in geometry.Picture(svg(nasty)).labels] == ["phi12", "<script>&"]


def test_a_leg_without_label_has_none():
    bare = Sketch(0, (Leg(""), Leg("")), (Line(-1, -2),))
    assert geometry.Picture(svg(bare)).labels == []
    assert "{}" not in tikz(bare)


def test_dashes_and_dots():
    dashes = [geometry.Picture(svg(restyled(SUNSET, style))).dashes[2] for style in STYLES]
    assert dashes[0] == dashes[STYLES.index("wiggly")] == ""
    assert len(set(dashes)) == 3


def test_a_wave_goes_both_ways_about_its_curve_and_ends_on_it():
    plain = geometry.Picture(svg(SUNSET)).paths[2]
    wave = geometry.Picture(svg(restyled(SUNSET, "wiggly"))).paths[2]
    assert abs(wave[0] - plain[0]) + abs(wave[-1] - plain[-1]) < DIGITS
    away = abs(wave - (plain[0] + plain[-1]) / 2) - abs(plain[-1] - plain[0]) / 2
    assert abs(max(away) - as_svg.AMPLITUDE) < 0.1
    assert abs(min(away) + as_svg.AMPLITUDE) < 0.1
    changes = np.sum(np.diff(np.sign(away[abs(away) > 0.1])) != 0)
    assert changes >= 9  # at least five waves in a half circle


def head(sketch):
    """Where the only arrow points, as a unit, and the middle of it."""
    (tip, one, two), *more = geometry.Picture(svg(sketch)).heads
    assert not more
    base = (one + two) / 2
    return (tip - base) / abs(tip - base), (tip + base) / 2


@pytest.mark.parametrize(("arrow", "sign"), [(">", 1), ("<", -1)])
def test_arrows_point_along_or_against_their_line(arrow, sign):
    for line in (0, 1, 2):
        path = geometry.Picture(svg(BRIDGE)).paths[line]
        unit, at = head(restyled(BRIDGE, "plain", arrow, line))
        assert abs(unit - sign * (path[-1] - path[0]) / abs(path[-1] - path[0])) < DIGITS
        assert abs(at - (path[0] + path[-1]) / 2) < 1.0


def test_an_arrow_on_a_loop_sits_opposite_the_vertex():
    picture = geometry.Picture(svg(restyled(TADPOLE, "plain", ">")))
    far = picture.paths[2][np.argmax(abs(picture.paths[2] - picture.dots[0]))]
    unit, at = head(restyled(TADPOLE, "plain", ">"))
    assert abs(at - far) < 1.0
    assert abs(abs(unit.real) - 1) < DIGITS


def test_two_arrows_part_or_meet():
    for arrow, sign in (("<>", 1), ("><", -1)):
        picture = geometry.Picture(svg(restyled(SUNSET, "plain", arrow, 3)))
        one, two = sorted(picture.heads, key=lambda head: head[0].real)
        outwards = (one[0] - one[1]).real < 0 < (two[0] - two[1]).real
        assert outwards == (sign == 1)


def test_a_mixed_line_changes_its_style_half_way():
    picture = geometry.Picture(svg(restyled(TADPOLE, "plain-dashed")))
    one, two = picture.paths[2:4]
    assert picture.dashes[2:4] == ["", as_svg.DASHES["dashed"].split('"')[1]]
    loop = geometry.Picture(svg(TADPOLE)).paths[2]
    far = loop[np.argmax(abs(loop - loop[0]))]
    assert abs(one[0] - loop[0]) + abs(one[-1] - far) < 2 * DIGITS
    assert abs(two[0] - far) + abs(two[-1] - loop[0]) < 2 * DIGITS


def test_background_legs_end_in_a_cross():
    sketch = Sketch(1, (Leg("x1"), Leg("x2", "plain")), (Line(-1, 0), Line(0, 0)), (Cross(0),))
    picture = geometry.Picture(svg(sketch))
    assert len(picture.paths) == 2 + 2 * 2
    for stub, cross in (picture.paths[2:4], picture.paths[4:6]):
        assert abs(cross.mean() - stub[-1]) < 0.5


# -- sheets ---------------------------------------------------------------------------------------


def test_a_sheet_keeps_its_pictures_apart_and_captions_below():
    sketches = [SUNSET, TADPOLE, BUBBLE, TADPOLE, SUNSET, Sketch(0)]
    captions = ["1/6", "1/2", "1/2", "<&>", "1/24", "1"]
    picture = geometry.Picture(sheet(sketches, captions, columns=3))
    found = [(text, at) for text, at in picture.labels if text in captions]
    assert [text for text, _ in found] == captions
    rows = sorted({round(at.imag) for _, at in found})
    columns = sorted({round(at.real) for _, at in found})
    assert (len(rows), len(columns)) == (2, 3)
    left, _, right, bottom = picture.box
    cell = (right - left) / 3
    for path in picture.paths:
        assert int(path.real.min() / cell) == int(path.real.max() / cell)
        assert not any(path.imag.min() < row - 10 < path.imag.max() for row in rows)
    assert bottom > rows[-1]


def test_a_sheet_may_go_without_captions_and_be_empty():
    assert geometry.Picture(sheet([SUNSET] * 5)).title == "5 Feynman diagrams"
    assert geometry.Picture(sheet([])).title == "no diagrams"
    assert geometry.Picture(sheet(iter([SUNSET]), title="one")).title == "one"


def test_a_sheet_refuses_what_does_not_fit():
    with pytest.raises(InvalidInput, match="2 captions for 1 diagrams"):
        sheet([SUNSET], ["a", "b"])
    with pytest.raises(InvalidInput, match="columns"):
        sheet([SUNSET], columns=0)


# -- the sketch -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1,), "vertices"),
        ((1, (), ((0, 1),)), "a line from 0 to 1"),
        ((1, (("x1",),), ((-2, 0),)), "a line from -2 to 0"),
        ((1, (("x1",),)), "leg 'x1' has 0 lines"),
        ((1, (("x1",),), ((-1, 0), (0, -1))), "leg 'x1' has 2 lines"),
        ((1, (("x1", "plain"),), ((-1, 0),)), "leg 'x1' has 1 lines"),
        ((1, (), ((0, 0, "dashd"),)), "did you mean 'dashed'"),
        ((1, (), ((0, 0, "plain-"),)), "style"),
        ((1, (), ((0, 0, "plain", "->"),)), "arrow"),
        ((1, (), (), ((1,),)), "a cross at 1"),
        ((1, (), (), ((0, "green"),)), "style"),
    ],
)
def test_a_sketch_refuses_what_cannot_be_drawn(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        Sketch(*arguments)


def test_the_same_sketch_has_the_same_drawing_in_every_process():
    code = (
        "from fieldtheory.theory.drawing import *;"
        "from tests.theory.drawing.test_drawing import SAMPLES;"
        "print(sheet(SAMPLES), *map(tikz, SAMPLES))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


# -- TikZ-Feynman ---------------------------------------------------------------------------------

VERTEX = re.compile(r"\\vertex (?:\[[^]]*\] )?\((\w+)\) at \((-?[\d.]+), (-?[\d.]+)\)(?: \{.*\})?;")
EDGE = re.compile(r"  \((\w+)\) -- \[([^]]*)\] \((\w+)\),")
KNOWN = {
    *("plain", "fermion", "anti fermion", "scalar", "charged scalar", "anti charged scalar"),
    *("ghost", "photon", "charged boson", "anti charged boson"),
}


def read(text):
    """The vertices and edges of a TikZ-Feynman picture, every line accounted for."""
    assert text.count("{") == text.count("}")
    lines = text.splitlines()
    assert lines[:2] == [r"\begin{tikzpicture}", r"\begin{feynman}"]
    assert lines[-2:] == [r"\end{feynman}", r"\end{tikzpicture}"]
    places, edges = {}, []
    for line in lines[2:-2]:
        if found := VERTEX.fullmatch(line):
            assert found[1] not in places
            places[found[1]] = complex(float(found[2]), float(found[3]))
        elif found := EDGE.fullmatch(line):
            assert {found[1], found[3]} <= set(places)
            style, *options = found[2].split(", ")
            assert style in KNOWN
            edges.append((found[1], found[3], style, options))
        elif found := re.fullmatch(r"\\vertex \[dot[^]]*\] at \((\w+)\) \{\};", line):
            assert found[1] in places
        else:
            assert line in (r"\diagram* {", "};", r"\node at (0, 0) {empty diagram};")
    return places, edges


@pytest.mark.parametrize("sketch", SAMPLES)
def test_tikz_declares_what_it_uses_and_draws_every_line(sketch):
    places, edges = read(tikz(sketch))
    joints = [name for name in places if name.startswith("j")]
    stubs = len(sketch.crosses) + sum(bool(leg.background) for leg in sketch.legs)
    assert len(edges) == len(sketch.lines) + len(joints) + stubs
    assert sum(name.startswith("z") for name in places) == sketch.vertices
    if sketch.nodes:
        found = layout(sketch)
        for node, place in found.points.items():
            name = f"z{node + 1}" if node >= 0 else f"x{-node}"
            assert abs(places[name] - as_tikz.UNIT * place) < DIGITS


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("arrow", ARROWS)
def test_tikz_knows_every_style_and_arrow(style, arrow):
    _, edges = read(tikz(restyled(SUNSET, style, arrow)))
    assert len(edges) == 5 + (len(arrow) == 2)


def test_a_loop_has_one_arrow_in_tikz():
    _, edges = read(tikz(restyled(TADPOLE, "plain", ">")))
    assert [style for _, _, style, _ in edges] == ["plain", "plain", "fermion", "plain"]


def bends(text):
    """How far the middle of each bent edge lies from the middle of the arc it stands for."""
    places, edges = read(text)
    for start, end, _, options in edges:
        given = dict(option.rsplit("=", 1) for option in options if "=" in option)
        for side, sign in (("bend left", 1), ("bend right", -1)):
            if side in given:
                bend = sign * np.radians(float(given[side]))
                chord = places[end] - places[start]
                # TikZ: control points at 0.3915 of the chord, times looseness
                reach = 0.3915 * float(given["looseness"]) * chord
                one = places[start] + reach * np.exp(1j * bend)
                two = places[end] - reach * np.exp(-1j * bend)
                middle = (places[start] + 3 * one + 3 * two + places[end]) / 8
                yield abs(middle - Arc(places[start], places[end], bend).at(0.5)) / abs(chord)


def test_tikz_bends_are_circular_arcs():
    found = [*bends(tikz(SUNSET)), *bends(tikz(TADPOLE)), *bends(tikz(SAMPLES[-1]))]
    assert len(found) > 5
    assert max(found) < DIGITS


def test_tikz_labels_are_escaped():
    text = tikz(Sketch(0, (Leg(r"a_{b}\%"), Leg("x12")), (Line(-1, -2),)))
    assert r"{a\_\{b\}\textbackslash{}\%}" in text
    assert r"{\(x_{12}\)}" in text


# -- mutants --------------------------------------------------------------------------------------

MUTANTS = [
    (as_svg, "_arcs", "int(arc.bend > 0)", "int(arc.bend < 0)", "shape"),
    (as_svg, "_stroke", "heading += pi", "heading += 0", "arrow"),
    (as_svg, "_arcs", "(2 * sin(arc.bend))", "sin(arc.bend)", "shape"),
    (as_tikz, "_bend", "/ 0.3915", "/ 0.5", "bend"),
    (as_tikz, "_bend", "bend > 0", "bend < 0", "bend"),
]


@pytest.mark.parametrize(("module", "name", "old", "new", "check"), MUTANTS)
def test_spoilt_drawings_are_caught(monkeypatch, module, name, old, new, check):
    def shape():
        path = geometry.Picture(svg(SUNSET)).paths[2]
        assert path.imag.mean() < path[0].imag
        middle = (path[0] + path[-1]) / 2
        assert np.ptp(abs(path - middle)) < DIGITS

    def arrow():
        test_arrows_point_along_or_against_their_line("<", -1)

    def bend():
        test_tikz_bends_are_circular_arcs()
        edges = read(tikz(SUNSET))[1]
        upper = [edge for edge in edges if any("left" in option for option in edge[3])]
        drawn = layout(SUNSET).curves[2][0]
        assert (upper[0][:2] == ("z1", "z2")) == (drawn.bend > 0)
        assert edges[2][3][0].startswith("bend left")

    checks = {"shape": shape, "arrow": arrow, "bend": bend}
    assert survives(checks[check])
    spoil(monkeypatch, getattr(module, name), old, new)
    assert not survives(checks[check])
