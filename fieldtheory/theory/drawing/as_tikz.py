"""Feynman diagrams as TikZ-Feynman text."""

from __future__ import annotations

from collections.abc import Sequence
from math import degrees, sin, tan

from fieldtheory.theory.drawing.curves import Arc
from fieldtheory.theory.drawing.layout import layout
from fieldtheory.theory.drawing.sketch import EMPTY, Sketch, symbol
from fieldtheory.theory.drawing.strokes import Stroke, strokes

UNIT = 1.5  # centimetres in the diameter of a bubble
EDGES = {
    ("plain", ""): "plain",
    ("plain", ">"): "fermion",
    ("plain", "<"): "anti fermion",
    ("dashed", ""): "scalar",
    ("dashed", ">"): "charged scalar",
    ("dashed", "<"): "anti charged scalar",
    ("dotted", ""): "ghost",
    ("dotted", ">"): "ghost, with arrow=0.5",
    ("dotted", "<"): "ghost, with reversed arrow=0.5",
    ("wiggly", ""): "photon",
    ("wiggly", ">"): "charged boson",
    ("wiggly", "<"): "anti charged boson",
}


def tikz(sketch: Sketch) -> str:
    r"""The same drawing as TikZ-Feynman text, with every vertex at its place, so that any LaTeX
    sets it: \usepackage[compat=1.1.0]{tikz-feynman}.

    >>> print(tikz(Sketch(0, (("x1",), ("x2",)), ((-1, -2),))))
    \begin{tikzpicture}
    \begin{feynman}
    \vertex (x1) at (0, 0) {\(x_{1}\)};
    \vertex (x2) at (1.8, 0) {\(x_{2}\)};
    \diagram* {
      (x1) -- [plain] (x2),
    };
    \end{feynman}
    \end{tikzpicture}
    """
    found = layout(sketch)
    text = _Tikz()
    for node in sorted(found.points, key=lambda node: (node >= 0, abs(node))):
        label = sketch.legs[-node - 1].label if node < 0 else ""
        text.vertex(_name(node), found.points[node], f" {{{_tex(label)}}}" if label else "")
    for line, curve in zip(sketch.lines, found.curves, strict=True):
        text.line(strokes(line, curve), _name(line.start), _name(line.end))
    crossed = [
        (c.vertex, c.style, curve) for c, curve in zip(sketch.crosses, found.crosses, strict=True)
    ]
    crossed += [(leg, sketch.legs[-leg - 1].background, c) for leg, c in found.stubs.items()]
    for number, (node, style, curve) in enumerate(crossed):
        text.vertex(f"c{number + 1}", curve[-1].end, " {}", "[crossed dot, minimum size=2mm] ")
        text.line([Stroke(curve, style, "")], _name(node), f"c{number + 1}")
    if not sketch.nodes:
        text.vertices.append(f"\\node at (0, 0) {{{EMPTY}}};")
    dots = [
        f"\\vertex [dot, minimum size=1.2mm] at ({_name(v)}) {{}};" for v in range(sketch.vertices)
    ]
    edges = ["\\diagram* {", *text.edges, "};"] if text.edges else []
    head, tail = (
        ["\\begin{tikzpicture}", "\\begin{feynman}"],
        ["\\end{feynman}", "\\end{tikzpicture}"],
    )
    return "\n".join([*head, *text.vertices, *edges, *dots, *tail])


class _Tikz:
    """Vertices and edges as they are written down."""

    def __init__(self) -> None:
        self.vertices: list[str] = []
        self.edges: list[str] = []
        self.joints = 0

    def vertex(self, name: str, place: complex, text: str = "", style: str = "") -> None:
        x, y = _n(UNIT * place.real), _n(UNIT * place.imag)
        self.vertices.append(f"\\vertex {style}({name}) at ({x}, {y}){text};")

    def line(self, parts: Sequence[Stroke], start: str, end: str) -> None:
        """Strokes one after another; joints between arcs become vertices of their own."""
        arcs: list[tuple[Arc, str]] = []
        for curve, style, arrow in parts:
            longest = max(range(len(curve)), key=lambda n: round(curve[n].length, 6))
            arcs += [(a, EDGES[style, arrow * (n == longest)]) for n, a in enumerate(curve)]
        for number, (arc, style) in enumerate(arcs):
            to = end
            if number + 1 < len(arcs):
                self.joints += 1
                to = f"j{self.joints}"
                self.vertex(to, arc.end)
            self.edges.append(f"  ({start}) -- [{style}{_bend(arc.bend)}] ({to}),")
            start = to


def _name(node: int) -> str:
    return f"z{node + 1}" if node >= 0 else f"x{-node}"


def _bend(bend: float) -> str:
    """The options of a circular arc: TikZ places the control points at 0.3915 of the chord times
    the looseness, a circular arc has them at (2/3) tan(bend/2)/sin(bend) of the chord."""
    if abs(bend) < 1e-6:
        return ""
    loose = 2 / 3 * tan(bend / 2) / sin(bend) / 0.3915
    side = "left" if bend > 0 else "right"
    return f", bend {side}={_n(abs(degrees(bend)))}, looseness={_n(loose)}"


def _tex(label: str) -> str:
    """A label for LaTeX: x1 as a symbol with an index, anything else as text."""
    name, digits = symbol(label)
    if digits:
        return f"\\({name}_{{{digits}}}\\)"
    special = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
    return "".join(special.get(c, f"\\{c}" if c in "{}$&#%_" else c) for c in label)


def _n(value: float) -> str:
    """A number with three decimals at most."""
    return f"{round(value, 3) + 0.0:.3f}".rstrip("0").rstrip(".")
