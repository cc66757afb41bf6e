r"""Learning diagrams on a homogeneous space: sums over harmonic degrees.

On the sphere every two-point function is a coefficient per degree. Two steps are enough for the
first orders:

- series: an inner point with two lines joins them, the coefficients multiply;
- loop: a line from a point to itself is the number  sum_j deg_j f_j.

A line that ends on the background ends on the target: r_l = -s2/(eta lam_l + s2) g_l. A piece that
joins two targets is  sum_l G_l f_l. Two lines between the same points would need a product of
functions of the angle: `reduce` says so and names the diagram.
"""

from __future__ import annotations

from typing import NamedTuple

import sympy as sp

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.theory.amplitude import background_ends, coupling
from fieldtheory.theory.diagram import Diagram

l, j, L = sp.symbols("l j L", integer=True)
lam, deg, G = sp.IndexedBase("lam"), sp.IndexedBase("deg"), sp.IndexedBase("G")

TARGET = -1000  # a line's end on the target; every other end is a place


class _Line(NamedTuple):
    start: int
    end: int
    coefficient: sp.Expr  # per degree, in terms of lam[l]


def reduce(diagram: Diagram, eta: sp.Symbol, s2: sp.Symbol) -> sp.Expr:
    """Couplings times the sums over degrees. One leg: the coefficient of g_l; two legs: set equal
    and integrated over. Raises OutOfRegime when series and loops do not suffice."""
    lines = _lines(diagram, eta, s2)
    inner = {end for line in lines for end in line[:2] if end >= 0}
    if len(diagram.legs) == 2:
        inner.add(-1)
    factors: list[sp.Expr] = []
    while inner:
        lines = _loops(lines, factors)
        place = next((p for p in sorted(inner) if _lines_at(lines, p) in (0, 2)), None)
        if place is None:
            raise OutOfRegime(
                f"diagram {diagram!r} has lines in parallel: it does not reduce to sums over "
                "degrees by series and loop steps. Evaluate it on a finite measure, or ask for "
                "a lower order"
            )
        inner.remove(place)
        lines = _joined(lines, place)
    factors += [_closed(line) for line in lines]
    return coupling(diagram) * sp.Mul(*factors)


def _lines(diagram: Diagram, eta: sp.Symbol, s2: sp.Symbol) -> list[_Line]:
    """Propagators and backgrounds as lines between vertices 0, 1, ..., legs and the target; both
    of two legs sit at place -1."""
    propagator = lam[l] * s2 / (eta * lam[l] + s2)
    residual = -s2 / (eta * lam[l] + s2)
    drawn = [_Line(max(a, -1), max(b, -1), propagator) for a, b, _ in diagram.vertex_edges]
    return drawn + [_Line(max(end, -1), TARGET, residual) for end, _ in background_ends(diagram)]


def _lines_at(lines: list[_Line], place: int) -> int:
    return sum((line.start == place) + (line.end == place) for line in lines)


def _loops(lines: list[_Line], factors: list[sp.Expr]) -> list[_Line]:
    """Take out lines from a place to itself, each a number."""
    kept = []
    for line in lines:
        if line.start == line.end >= -1:
            body = (deg[l] * line.coefficient).subs(l, j)
            factors.append(sp.Sum(body, (j, 0, L)))
        else:
            kept.append(line)
    return kept


def _joined(lines: list[_Line], place: int) -> list[_Line]:
    """The two lines at a place become one: a convolution."""
    meeting = [line for line in lines if place in line[:2]]
    if not meeting:
        return lines  # the integral over a place nothing depends on is one
    ends = [line.end if line.start == place else line.start for line in meeting]
    united = _Line(ends[0], ends[1], meeting[0].coefficient * meeting[1].coefficient)
    return [line for line in lines if place not in line[:2]] + [united]


def _closed(line: _Line) -> sp.Expr:
    """What is left: target to target is a number, leg to target the coefficient of g_l."""
    if line.start == line.end == TARGET:
        return sp.Sum(G[l] * line.coefficient, (l, 0, L))
    return line.coefficient
