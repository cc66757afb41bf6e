"""From diagrams to drawings: which line style a field has, where arrows point, what stands below.

Every field has a style of its own, the same in all pictures of a sheet: plain, dashed, wiggly,
dotted, complex fields first. The line of a complex field has an arrow from psi_bar to psi, a mixed
one changes its style half-way. External legs are called x1, x2, ... unless they may be exchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from fieldtheory.theory import drawing
from fieldtheory.theory.drawing import Cross, Leg, Line, Sketch
from fieldtheory.theory.engine.arrangement import Edge
from fieldtheory.theory.field import Field

STYLES = ("plain", "dashed", "wiggly", "dotted")

Styles = Mapping[str, str]


class Drawn(Protocol):
    """What is drawn: a `Diagram`."""

    @property
    def fields(self) -> tuple[Field, ...]: ...
    @property
    def vertices(self) -> Sequence[Any]: ...
    @property
    def legs(self) -> tuple[str, ...]: ...
    @property
    def labelled(self) -> bool: ...
    @property
    def symmetry(self) -> int: ...
    @property
    def vertex_edges(self) -> tuple[Edge, ...]: ...
    @property
    def background_legs(self) -> Iterator[tuple[int, str]]: ...
    def vertex_of(self, end: int) -> int: ...
    def line(self, name: str) -> tuple[str, str, Any]: ...


def styles_of(fields: Iterable[Field]) -> dict[str, str]:
    """The style of every leg: of complex fields first, then of real ones, capitals last; when
    there are more fields than styles the last one is used again.

    >>> styles_of([Field("A"), Field("phi")])
    {'phi': 'plain', 'A': 'dashed'}
    """
    ordered = sorted(
        set(fields), key=lambda f: (f.background, f.conjugate is None, f.name[0].isupper(), f.name)
    )
    last = len(STYLES) - 1
    return {
        leg: STYLES[min(n, last)]
        for n, field in enumerate(ordered)
        for leg in dict.fromkeys(field.legs)
    }


def sketch(diagram: Drawn, styles: Styles | None = None) -> Sketch:
    """What has to be drawn of a diagram; `styles` as from `styles_of`, of its fields unless given.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> tadpole, = diagrams(Action.phi(4), legs=2, order=1, connected=True)
    >>> [(line.start, line.end) for line in sketch(tadpole).lines]
    [(-1, 0), (-2, 0), (0, 0)]
    """
    styles = styles_of(diagram.fields) if styles is None else styles
    towards = {field.name: True for field in diagram.fields if field.conjugate is not None}
    towards |= {str(f.conjugate): False for f in diagram.fields if f.conjugate is not None}
    ends = list(diagram.background_legs)
    bare = {end: styles[name] for end, name in ends if end < 0}
    return Sketch(
        len(diagram.vertices),
        tuple(
            Leg(f"x{n + 1}" if diagram.labelled else "", bare.get(-n - 1, ""))
            for n in range(len(diagram.legs))
        ),
        tuple(
            Line(a, b, _style(diagram, name, styles), _arrow(diagram, name, towards))
            for a, b, name in diagram.vertex_edges
        ),
        tuple(Cross(diagram.vertex_of(end), styles[name]) for end, name in ends if end >= 0),
    )


def picture(diagram: Drawn) -> str:
    """One diagram as an SVG.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> picture(next(diagrams(Action.phi(4), order=1, connected=True))).count("<path")
    3
    """
    return drawing.svg(sketch(diagram))


def latex(diagram: Drawn) -> str:
    r"""The same drawing for LaTeX with \usepackage[compat=1.1.0]{tikz-feynman}.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> print(latex(next(diagrams(Action.phi(4), order=0))).splitlines()[-4])
      (x1) -- [plain] (x2),
    """
    return drawing.tikz(sketch(diagram))


def sheet(
    found: Iterable[Drawn], captions: Sequence[str] | None = None, columns: int | None = None
) -> str:
    """Diagrams side by side as one SVG, the weight 1/symmetry of each below it.

    captions  texts in the place of the weights; () for none.
    columns   how many side by side.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> found = list(diagrams(Action.phi(4), legs=2, order=2, connected=True))
    >>> [weight in sheet(found) for weight in ("1/4", "1/6")]
    [True, True]
    """
    diagrams = list(found)
    fields = {field for diagram in diagrams for field in diagram.fields}
    styles = styles_of(fields)
    if captions is None:
        captions = [weight(diagram.symmetry) for diagram in diagrams]
    said = f"{len(diagrams)} Feynman diagrams; {legend(fields)}" if len(fields) > 1 else ""
    return drawing.sheet([sketch(one, styles) for one in diagrams], captions, columns, said)


def weight(symmetry: int, indices: str = "1") -> str:
    """The weight of a diagram, with the index sums of a replicated one.

    >>> weight(1), weight(4), weight(2, "n**2")
    ('1', '1/4', 'n^2/2')
    """
    return indices.replace("**", "^") + (f"/{symmetry}" if symmetry > 1 else "")


def legend(fields: Iterable[Field]) -> str:
    """Which field has which style.

    >>> legend([Field("A"), Field("phi")])
    'phi plain, A dashed'
    """
    known = list(fields)
    names = {field.name for field in known}
    return ", ".join(f"{leg} {style}" for leg, style in styles_of(known).items() if leg in names)


def _style(diagram: Drawn, name: str, styles: Styles) -> str:
    first, second, _ = diagram.line(name)
    one, other = styles[first], styles[second]
    return one if one == other else f"{one}-{other}"


def _arrow(diagram: Drawn, name: str, towards: Mapping[str, bool]) -> str:
    """It points to where psi is and away from where psi_bar is, at either end that has one."""
    first, second, _ = diagram.line(name)
    heads = ""
    if first in towards:
        heads += "<" if towards[first] else ">"
    if second in towards:
        heads += ">" if towards[second] else "<"
    return heads if heads in ("<>", "><") else heads[:1]
