"""What a drawing is told of a diagram: lines, styles, arrows, captions."""

from xml.etree import ElementTree

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.theory import gallery
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field, Propagator

PSI = Field("psi", conjugate="psi_bar")
YUKAWA = Action.read("psi*psi_bar + phi^2/2 + y*psi*psi_bar*phi")


def lines(diagram):
    return [tuple(line) for line in gallery.sketch(diagram).lines]


def test_the_lines_are_those_of_the_diagram():
    for diagram in diagrams(Action.o_n(4), legs=2, order=2):
        assert lines(diagram) == [(a, b, "plain", "") for a, b, _ in diagram.vertex_edges]


def test_arrows_run_from_psi_bar_to_psi():
    """<psi(x1) psi_bar(x2)>: a particle is made at x2 and ends at x1."""
    (bare,) = diagrams(YUKAWA, legs=("psi", "psi_bar"), order=0)
    assert lines(bare) == [(-1, -2, "plain", "<")]
    rainbow = next(diagrams(YUKAWA, ("psi", "psi_bar"), order=2, one_particle_irreducible=True))
    assert sorted(lines(rainbow)) == [
        (-2, 1, "plain", ">"),
        (-1, 0, "plain", "<"),
        (0, 1, "dashed", ""),
        (0, 1, "plain", "<"),
    ]


@given(st.integers(0, 4).filter(lambda n: n % 2 == 0), st.data())
def test_charge_flows_through_every_vertex(order, data):
    """As many arrows in as out, wherever a line with an arrow ends in the middle of a diagram."""
    found = list(diagrams(YUKAWA, legs=("psi", "psi_bar"), order=order, connected=True))
    diagram = data.draw(st.sampled_from(found))
    flow = dict.fromkeys(range(len(diagram.vertices)), 0)
    for a, b, style, arrow in lines(diagram):
        assert (arrow != "") == (style == "plain")
        if arrow:
            start, end = (a, b) if arrow == ">" else (b, a)
            for vertex, sign in ((start, -1), (end, 1)):
                if vertex >= 0:
                    flow[vertex] += sign
    assert set(flow.values()) <= {0}


@pytest.mark.parametrize(
    ("legs", "style", "arrow"),
    [
        (("psi", "psi"), "plain", "<>"),
        (("psi_bar", "psi_bar"), "plain", "><"),
        (("phi", "psi"), "dashed-plain", ">"),
    ],
)
def test_mixed_lines(legs, style, arrow):
    """Towards psi and away from psi_bar at either end; the style changes in the middle."""
    mixed = (Propagator("psi", "psi", 1), Propagator("psi_bar", "psi_bar", 1))
    action = Action((PSI, Field("phi")), (), (*mixed, Propagator("phi", "psi", "D")))
    (bare,) = diagrams(action, legs=legs, order=0)
    assert lines(bare) == [(-1, -2, style, arrow)]


def test_background_legs_are_crosses():
    fields = (Field("phi"), Field("r", background=True))
    action = Action(fields, (Vertex("g", [("phi", "phi", "r")]),))
    (found,) = diagrams(action, legs=("phi", "phi"), order=1, connected=True)
    assert [tuple(cross) for cross in gallery.sketch(found).crosses] == [(0, "dashed")]
    (bare,) = (d for d in diagrams(action, legs=("r",), order=0))
    assert [tuple(leg) for leg in gallery.sketch(bare).legs] == [("x1", "plain")]


def test_styles():
    fields = [Field("A"), Field("phi"), PSI, Field("chi"), Field("xi"), Field("r", background=True)]
    assert gallery.styles_of(fields) == {
        "psi": "plain",
        "psi_bar": "plain",
        "chi": "dashed",
        "phi": "wiggly",
        "xi": "dotted",
        "A": "dotted",
        "r": "dotted",
    }
    assert gallery.legend([PSI, Field("phi")]) == "psi plain, phi dashed"


def test_legs_without_labels():
    (found,) = diagrams(Action.phi(4), order=1, connected=True, unlabelled=True)
    assert [leg.label for leg in gallery.sketch(found).legs] == ["", ""]


def test_a_sheet_is_one_picture():
    found = list(diagrams(YUKAWA, legs=("psi", "psi_bar"), order=2, connected=True))
    svg = gallery.sheet(found)
    root = ElementTree.fromstring(svg)
    texts = ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")]
    assert sorted(texts) == sorted(["x1", "x2", "1"] * 2)
    assert "psi plain, phi dashed" in svg
    assert gallery.sheet(found, ["first", "second"]).count(">first<") == 1
    assert "<svg" in gallery.sheet([])


def test_weights():
    assert [gallery.weight(*given) for given in ((1,), (6,), (1, "n"), (8, "n**3"))] == [
        "1",
        "1/6",
        "n",
        "n^3/8",
    ]


def test_a_style_is_one_in_all_pictures_of_a_sheet():
    """<A> without phi has a style of its own alone, beside others the one it has there."""
    phi, a = Field("phi"), Field("A")
    bare = Diagram((a,), (), ("A", "A"), ((-2, -1, "A"),))
    both = Action((phi, a), (Vertex(-sp.Symbol("g"), [("A", "phi", "phi")]),))
    (loop,) = diagrams(both, legs=("A", "A"), order=2, one_particle_irreducible=True)
    assert "dasharray" not in gallery.sheet([bare])
    assert gallery.sheet([bare, loop]).count("dasharray") == 3
