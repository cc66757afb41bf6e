r"""Diagrams on a homogeneous space: sums over harmonic degrees and averages over the angle.

On the sphere, the circle, a torus a two-point function is a coefficient f_l per degree, or its
values at every angle,

.. math::  f(t) = \sum_l \deg(l)\, f_l\, P_l(t), \qquad f_l = \int dt\; P_l(t) f(t),

where an integral over t is the average over the angle of two random points, and P_l(1) = 1. The
steps of `seriesparallel` turn a diagram into such sums and averages.

A background r = -(1 + eta K/s2)^-1 g carries the target: r_l = -s2/(eta lam_l + s2) g_l. With one
background in a diagram the result is the coefficient of g_l. Two of them can be averaged over the
symmetry group of the space, because the rest of the diagram does not change when the target is
moved; what is left is a line between them, in which G_l = sum_m g_lm^2 is the target's power:

.. math::  \overline{g_l(x) g_{l'}(y)} = \delta_{ll'} G_l P_l(t), \qquad
           (rr)_l = \Bigl(\frac{s_2}{\eta\lambda_l + s_2}\Bigr)^2 \frac{G_l}{\deg(l)} .
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory.amplitude import background_ends, coupling, two_point_name
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.seriesparallel import (
    GIVEN,
    PARALLEL,
    SERIES,
    Line,
    Number,
    Reduction,
    Strand,
    reduced,
)

l, j, L = sp.symbols("l j L", integer=True)
t = sp.Symbol("t", real=True)
lam, deg, G = sp.IndexedBase("lam"), sp.IndexedBase("deg"), sp.IndexedBase("G")
P = sp.Function("P")

Rule = Callable[[sp.Expr], sp.Expr]  # a degree -> the coefficient of a given line
TARGET, LEG = "target", "x"


def learning_rules(eta: sp.Symbol, s2: sp.Symbol) -> dict[str, Rule]:
    """The propagator C and the background r of the learning action, per degree.

    >>> eta, s2 = sp.symbols("eta s2")
    >>> learning_rules(eta, s2)["C"](l)
    s2*lam[l]/(eta*lam[l] + s2)
    """
    return {
        "C": lambda degree: lam[degree] * s2 / (eta * lam[degree] + s2),
        "r": lambda degree: -s2 / (eta * lam[degree] + s2),
    }


def line_name(diagram: Diagram, edge: str) -> tuple[str, bool]:
    """The name of a line's two-point function, and whether the line runs from its first argument
    to its second."""
    here, there, value = diagram.line(edge)
    field = diagram.field(here)
    if {here, there} == set(field.line):
        return two_point_name(field), here == field.line[0]
    first, second = sorted((here, there))
    name = str(value) if isinstance(value, sp.Symbol) else f"G_{first}_{second}"
    return name, here == first


def reduction(diagram: Diagram, *, per_degree: bool = False) -> Reduction:
    """The diagram by series and parallel steps, couplings and symmetry left out.

    One leg and one background: a line from the leg to the target. Two legs: set equal and
    integrated over, so that a number is left; with `per_degree` they stay apart, and the line
    between them has the coefficients A_l of the two-point function, whose trace is
    sum_l deg(l) A_l. A piece without legs is a number.

    Raises OutOfRegime, naming the diagram, for what does not reduce, for more than two background
    legs (their average needs more than the power of the target) and for more than two legs.

    >>> from fieldtheory.theory import learning
    >>> print(reduction(learning.mean(order=1).diagrams[0]))
    loop[C] . C@r
    """
    legs, ends = len(diagram.legs), background_ends(diagram)
    if len(ends) > 2 or legs > 2 or (legs + len(ends)) % 2:
        raise OutOfRegime(
            f"{diagram!r} has {legs} external and {len(ends)} background legs: sums over degrees "
            "are for none, one of each, or up to two of each kind. Evaluate it on a finite measure "
            "(compiler.plan.contraction)"
        )
    apart = per_degree and legs == 2

    def place(end: int) -> str:
        if end >= 0:
            return f"z{end + 1}"
        return f"{LEG}{-end}" if apart else LEG

    strands = [
        Strand(place(a), place(b), Line.given(line_name(diagram, name)[0]))
        for a, b, name in diagram.vertex_edges
    ]
    places = {place(v) for v in range(len(diagram.vertices))}
    terminals: tuple[str, ...] = (place(-1), place(-2)) if apart else ()
    if len(ends) == 2:
        (one, first), (two, second) = ends
        pair = " ".join(sorted((first, second)))
        strands.append(Strand(place(one), place(two), Line.given(f"<{pair}>")))
    elif ends:
        terminals = (LEG, TARGET)
        strands.append(Strand(place(ends[0][0]), TARGET, Line.given(ends[0][1])))
    places |= {place(-n - 1) for n in range(legs)} - set(terminals)
    found = reduced(strands, places, terminals, f"diagram {diagram!r}")
    if terminals and found.line is None:
        raise OutOfRegime(
            f"diagram {diagram!r} does not join {' and '.join(terminals)}, so it has no value per "
            "degree: ask for connected diagrams, or for legs set equal"
        )
    return found


def reduce(diagram: Diagram, eta: sp.Symbol, s2: sp.Symbol, *, per_degree: bool = False) -> sp.Expr:
    """Couplings times the sums over degrees and averages over the angle of a learning diagram.

    One leg: the coefficient of g_l. Two legs: set equal and integrated over, a number; with
    `per_degree` what degree l has of it, l = 0, ..., L. Raises what `reduction` raises.
    """
    found = reduction(diagram, per_degree=per_degree)
    value = coupling(diagram) * written(found, learning_rules(eta, s2))
    return deg[l] * value if per_degree and len(diagram.legs) == 2 else value


def written(found: Reduction, rules: Mapping[str, Rule]) -> sp.Expr:
    """A reduction as a SymPy expression; a line between terminals as its coefficient at degree l.

    rules  for every propagator and background its coefficient as a function of the degree; the
           joined line of two backgrounds follows from theirs.

    Raises InvalidInput for a line without a rule.

    >>> loop = Reduction((Number("loop", Line.given("C")),), None, ())
    >>> written(loop, {"C": lambda degree: lam[degree]})
    Sum(deg[j]*lam[j], (j, 0, L))
    """
    writer = _Writer(rules)
    factors = [writer.number(number) for number in found.numbers]
    line = [writer.coefficient(found.line, l)] if found.line else []
    return sp.Mul(*factors, *line)


class _Writer:
    """Lines as coefficients and as functions. A bound index is numbered by the height of what it
    binds, which is above every height within: no two of them meet."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self.rules = rules

    def number(self, number: Number) -> sp.Expr:
        line = number.line
        index, angle = _index(line.height), _angle(line.height)
        if number.how == "loop":
            return sp.Sum(deg[index] * self.coefficient(line, index), (index, 0, L))
        if line.how == PARALLEL:
            return sp.Integral(self.function(line, angle), angle)
        return self.coefficient(line, sp.S.Zero)

    def coefficient(self, line: Line, degree: sp.Expr) -> sp.Expr:
        if line.how == GIVEN:
            return self._given(line.name, degree)
        if line.how == SERIES:
            return sp.Mul(*(self.coefficient(part, degree) for part in line.parts))
        angle = _angle(line.height)
        return sp.Integral(P(degree, angle) * self.function(line, angle), angle)

    def function(self, line: Line, angle: sp.Symbol) -> sp.Expr:
        if line.how == PARALLEL:
            return sp.Mul(*(self.function(part, angle) for part in line.parts))
        index = _index(line.height)
        summand = deg[index] * self.coefficient(line, index) * P(index, angle)
        return sp.Sum(summand, (index, 0, L))

    def _given(self, name: str, degree: sp.Expr) -> sp.Expr:
        names = name.strip("<>").split()
        if missing := [one for one in names if one not in self.rules]:
            known = ", ".join(self.rules) or "none"
            raise InvalidInput(f"no rule for the line {missing[0]!r}: there are rules for {known}")
        value = sp.Mul(*(self.rules[one](degree) for one in names))
        return value * G[degree] / deg[degree] if len(names) == 2 else value


def _index(height: int) -> sp.Symbol:
    return j if height == 0 else sp.Symbol(f"j_{height}", integer=True)


def _angle(height: int) -> sp.Symbol:
    return t if height <= 1 else sp.Symbol(f"t_{height}", real=True)
