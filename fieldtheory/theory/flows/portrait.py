"""Pictures of flows: beta against one coupling, or the field of directions of two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import hypot, nan
from typing import NamedTuple

import sympy as sp

from fieldtheory.ground.arrays import frozen
from fieldtheory.ground.picture import Line, Picture

Values = tuple[sp.Expr, ...]
Box = Mapping[int, tuple[sp.Expr, sp.Expr]]
FINE, COARSE = 100, 16  # steps along the axis of one coupling, of two
# a stroke and two barbs, in cells of the grid, along the flow and across it; nan lifts the pen
ARROW = ((0.0, 0.0), (0.7, 0.0), (0.5, 0.12), (0.7, 0.0), (0.5, -0.12), (nan, nan))


class Field(NamedTuple):
    """What is drawn: betas of some couplings, per unit of time, towards the infrared or not."""

    couplings: Values
    betas: Values
    time: str
    infrared: bool


def picture(flow: Field, fixed: Iterable[Values], box: Box) -> Picture:
    """The picture of a flow with numbers for its parameters and at most two couplings."""
    fixed = sorted(fixed, key=str)
    sides = [box.get(n) or _around(values) for n, values in enumerate(_columns(flow, fixed))]
    inside = [
        values
        for values in fixed
        if all(low <= v <= high for v, (low, high) in zip(values, sides, strict=True))
    ]
    draw = _beta if len(sides) == 1 else _field
    lines = [draw(flow, sides)]
    if inside:
        columns = [
            frozen([float(value) for value in column]) for column in zip(*inside, strict=True)
        ]
        heights = columns[1] if len(columns) == 2 else frozen([0.0] * len(inside))
        lines.append(Line("fixed points", columns[0], heights, points=True))
    names = [str(coupling) for coupling in flow.couplings]
    other = names[1] if len(names) == 2 else f"d{names[0]} / d({flow.time})"
    return Picture(f"flow of {' and '.join(names)}", names[0], other, tuple(lines))


def _columns(flow: Field, fixed: list[Values]) -> list[list[sp.Expr]]:
    return [[values[n] for values in fixed] for n in range(len(flow.couplings))]


def _around(values: list[sp.Expr]) -> tuple[sp.Expr, sp.Expr]:
    """Zero and every fixed point, with a margin."""
    known = [sp.Rational(str(sp.N(value, 6))) for value in values if value.is_number]
    low, high = min([*known, sp.S.Zero]), max([*known, sp.S.Zero])
    margin = (high - low) / 4 or sp.S.One
    return low - margin, high + margin


def _steps(side: tuple[sp.Expr, sp.Expr], steps: int) -> list[sp.Expr]:
    low, high = side
    return [low + (high - low) * sp.Rational(n, steps) for n in range(steps + 1)]


def _beta(flow: Field, sides: list[tuple[sp.Expr, sp.Expr]]) -> Line:
    grid = _steps(sides[0], FINE)
    heights = [_at(flow.betas[0], flow.couplings, (g,)) for g in grid]
    return Line("beta", frozen([float(g) for g in grid]), frozen(heights))


def _field(flow: Field, sides: list[tuple[sp.Expr, sp.Expr]]) -> Line:
    """An arrow at every point of a grid, towards the infrared; one broken line, so that all share
    a colour."""
    widths = [float(high - low) / COARSE for low, high in sides]
    sign = 1 if flow.infrared else -1
    x: list[float] = []
    y: list[float] = []
    for first in _steps(sides[0], COARSE):
        for second in _steps(sides[1], COARSE):
            betas = [_at(beta, flow.couplings, (first, second)) for beta in flow.betas]
            across, up = (sign * beta / width for beta, width in zip(betas, widths, strict=True))
            length = hypot(across, up)
            if length > 0:  # nan, at a pole of beta, is not
                for along, aside in ARROW:
                    x.append(float(first) + (along * across - aside * up) / length * widths[0])
                    y.append(float(second) + (along * up + aside * across) / length * widths[1])
    return Line("towards the infrared", frozen(x), frozen(y))


def _at(beta: sp.Expr, couplings: Values, values: Values) -> float:
    number = beta.xreplace(dict(zip(couplings, values, strict=True)))
    return float(number) if number.is_finite else nan
