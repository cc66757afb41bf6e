r"""A SymPy expression as stages: element-wise formulas, each followed by one contraction.

Values have an axis: a number; an array over degrees; an array over the nodes of the angle. Four
contractions lead from one to another, and their derivatives are again among them, so what is
differentiated stays a list of stages:

- sum:          a number, the sum over the last axis;
- function:     f(t) = sum_l x_l P_l(t), from degrees to the angle;
- coefficient:  sum_t x_t P_l(t), from the angle to degrees;
- local:        none: the element-wise formula itself, kept because several others use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import NamedTuple

import sympy as sp
from sympy.core.function import AppliedUndef

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.homogeneous import P

NUMBER, DEGREES, ANGLES = "number", "degrees", "angles"
WEIGHTS, FUNCTIONS = sp.Symbol("w"), sp.Symbol("P")
LEADS_TO = {"sum": NUMBER, "function": ANGLES, "coefficient": DEGREES}


class Stage(NamedTuple):
    """result = contraction(body), the body an element-wise formula in earlier results."""

    result: sp.Symbol
    how: str
    body: sp.Expr


class Stages:
    """The stages of an expression, in an order in which each knows what it needs.

    axes     the axis of every symbol: inputs and results.
    inputs   the names the expression needs.
    output   the last formula, in terms of inputs and results.
    """

    def __init__(self, expression: sp.Expr, degree: sp.Symbol) -> None:
        self.source = expression
        self.axes: dict[sp.Symbol, str] = {}
        self.inputs: set[str] = set()
        self.rows: list[Stage] = []
        self._known: dict[tuple[str, sp.Expr], sp.Symbol] = {}
        self._taken = {s.name for s in expression.free_symbols if isinstance(s, sp.Symbol)}
        self._counts = {how: count() for how in (*LEADS_TO, "local", "ones", "unit", "c")}
        if outside := _free_angles(expression):
            raise InvalidInput(
                f"cannot compile {expression}: the angle {sorted(map(str, outside))} is "
                "not integrated over"
            )
        for entry in sorted(expression.atoms(sp.Indexed), key=str):
            self._input(sp.Symbol(entry.base.label.name), DEGREES)
        self.output = self._lower(expression, degree)

    # -- naming -----------------------------------------------------------------------------------

    def fresh(self, how: str) -> sp.Symbol:
        """A symbol whose name occurs nowhere else."""
        while True:
            name = f"{how}{next(self._counts[how])}"
            if name not in self._taken:
                self._taken.add(name)
                return sp.Symbol(name)

    def axis(self, expression: sp.Expr) -> str:
        """The axis of an element-wise formula."""
        found = {self.axes.get(s, NUMBER) for s in expression.free_symbols} - {NUMBER}
        if len(found) > 1:
            raise InvalidInput(
                f"cannot compile {self.source}: {expression} mixes arrays over degrees with "
                "functions of the angle; write sums and integrals around single products"
            )
        return found.pop() if found else NUMBER

    def add(self, how: str, body: sp.Expr, axis: str) -> sp.Symbol:
        """The result of a stage; the same stage is entered once."""
        if (how, body) not in self._known:
            result = self.fresh(how)
            self.axes[result] = LEADS_TO.get(how, axis)
            self.rows.append(Stage(result, how, body))
            self._known[how, body] = result
        return self._known[how, body]

    def summed(self, body: sp.Expr, axis: str) -> sp.Symbol:
        """The sum of a formula over the last axis, which it may not depend on."""
        return self.add("sum", self.spread(body, axis), axis)

    def spread(self, body: sp.Expr, axis: str) -> sp.Expr:
        """The formula with that axis, even if it is the same all along it."""
        return body if self.axis(body) == axis else body * self.leaf("ones", axis)

    def leaf(self, kind: str, axis: str) -> sp.Symbol:
        """An array of ones, or ("unit") one that is one at degree 0 and zero elsewhere."""
        arrays = [s for s, at in self.axes.items() if at == axis and s.name in self.inputs]
        if not arrays:
            raise InvalidInput(
                f"cannot compile {self.source}: no array tells how many {axis} there are"
            )
        return self.add(kind, min(arrays, key=lambda s: str(s.name)), axis)

    def _input(self, symbol: sp.Symbol, axis: str) -> sp.Symbol:
        if self.axes.setdefault(symbol, axis) != axis:
            raise InvalidInput(f"compile: {symbol} is both a number and an array; rename one")
        self.inputs.add(symbol.name)
        return symbol

    # -- from an expression -----------------------------------------------------------------------

    def _lower(self, e: sp.Expr, index: sp.Symbol | None) -> sp.Expr:
        """The formula at degree `index`, its sums and integrals replaced by results."""
        if isinstance(e, sp.Sum):
            return self._sum(e)
        if isinstance(e, sp.Integral):
            return self._integral(e, index)
        if isinstance(e, sp.Indexed):
            return self._indexed(e, index)
        if isinstance(e, AppliedUndef) and e.func == P:
            return e
        if isinstance(e, sp.Symbol):
            if e == index:
                raise InvalidInput(
                    f"cannot compile {self.source}: it uses the degree {e} as a number; pass an "
                    "array of degrees instead"
                )
            if any(e.name == s.name and s != e for s in self.axes):
                raise InvalidInput(f"compile: two different symbols are called {e}; rename one")
            return self._input(e, NUMBER)
        if not e.args:
            return e
        terms = _merged(e.args) if isinstance(e, sp.Add) else e.args
        return e.func(*(self._lower(a, index) for a in terms))

    def _indexed(self, e: sp.Indexed, index: sp.Symbol | None) -> sp.Expr:
        array = self._input(sp.Symbol(e.base.label.name), DEGREES)
        if e.indices == (index,):
            return array
        if e.indices == (0,):
            return self.summed(array * self.leaf("unit", DEGREES), DEGREES)
        where = ", ".join(map(str, e.indices))
        raise InvalidInput(
            f"cannot compile {self.source}: its terms also depend on {e}, and an array may be read "
            f"at the degree {index} or at 0, not at {where}"
        )

    def _sum(self, e: sp.Sum) -> sp.Expr:
        (index, *bounds), *more = e.limits
        if more:
            raise InvalidInput(f"cannot compile {e}: nest single sums instead")
        if len(bounds) != 2 or bounds[0] != 0 or not isinstance(bounds[1], sp.Symbol):
            raise InvalidInput(
                f"cannot compile {e}: sums run over all degrees, from 0 to a symbol such as L"
            )
        body = self._lower(e.function, index)
        functions = body.atoms(AppliedUndef)
        if not functions:
            return self.summed(body, DEGREES)
        rest = self._without(body, functions, index)
        return self.add("function", self.spread(rest, DEGREES), DEGREES)

    def _integral(self, e: sp.Integral, index: sp.Symbol | None) -> sp.Expr:
        (_, *bounds), *more = e.limits
        if more or bounds:
            raise InvalidInput(f"cannot compile {e}: integrals are over one angle, without limits")
        body = self._lower(e.function, index)
        functions = body.atoms(AppliedUndef)
        rest = self._without(body, functions, index) if functions else body
        factors = sp.Mul.make_args(rest)
        inside = [f for f in factors if self.axis(f) == ANGLES]
        front = sp.Mul(*(f for f in factors if self.axis(f) != ANGLES))
        if not functions and not inside:
            return rest  # the weights sum to one
        weight = self._input(WEIGHTS, ANGLES)
        how = "coefficient" if functions else "sum"
        return front * self.add(how, weight * sp.Mul(*inside), ANGLES)

    def _without(self, body: sp.Expr, functions: set[sp.Expr], index: sp.Symbol | None) -> sp.Expr:
        """body / P(index, t), if every term holds that as a factor and no other function P."""
        (one, *others) = functions
        slot = sp.Dummy()
        opened = body.xreplace({one: slot})
        rest = sp.diff(opened, slot)
        if others or one.args[0] != index or rest.has(slot) or opened.xreplace({slot: 0}) != 0:
            raise InvalidInput(
                f"cannot compile {self.source}: {sorted(map(str, functions))} must be one factor "
                f"P({index}, t) of its sum or integral"
            )
        self._input(FUNCTIONS, "matrix")
        return rest


def _free_angles(e: sp.Expr) -> set[sp.Symbol]:
    """Angles no integral binds; SymPy counts the variable of an integral without limits as free."""
    if isinstance(e, AppliedUndef):
        return {e.args[1]} if e.func == P else set()
    inside: set[sp.Symbol] = set().union(*map(_free_angles, e.args))
    return inside - set(e.variables) if isinstance(e, sp.Integral) else inside


def _merged(terms: Iterable[sp.Expr]) -> Iterator[sp.Expr]:
    """Terms of a sum in which integrals with P_l(t) that have the same cofactor become one: the
    contraction is linear, and dearer than what stands in it."""
    t = sp.Dummy("t", real=True)
    groups: dict[tuple[sp.Expr, sp.Expr], list[sp.Expr]] = {}
    for term in terms:
        number, product = term.as_coeff_Mul()
        factors = sp.Mul.make_args(product)
        found = [(f, p) for f in factors if (p := _opened(f)) is not None]
        if len(found) != 1:
            yield term
            continue
        ((one, p),) = found
        cofactor = sp.Mul(*(f for f in factors if f != one))
        rest = (one.function / p).xreplace({p.args[1]: t})
        groups.setdefault((cofactor, p.args[0]), []).append(number * rest)
    for (cofactor, degree), rests in groups.items():
        yield cofactor * sp.Integral(P(degree, t) * sp.Add(*rests), t)


def _opened(factor: sp.Expr) -> sp.Expr | None:
    """The factor P(l, t) of an integral over t, if it has one."""
    if not isinstance(factor, sp.Integral):
        return None
    (angle,) = factor.variables[:1]
    for p in sp.Mul.make_args(factor.function):
        if isinstance(p, AppliedUndef) and p.func == P and p.args[1] == angle:
            return p
    return None


# -- derivatives ----------------------------------------------------------------------------------


def differentiate(stages: Stages, by: Iterable[sp.Symbol]) -> list[sp.Expr]:
    """Derivatives of the output, a number, with respect to inputs: one formula each, an array for
    an array. Enters the stages they need. This is the chain rule from the output backwards:
    the derivative of every contraction is another contraction, that of a formula SymPy's."""
    adjoint: dict[sp.Symbol, sp.Expr] = {}
    wanted = set(by)
    needs = _leading_to(stages, wanted)

    def spread(body: sp.Expr, cotangent: sp.Expr, axis: str) -> None:
        for symbol in sorted(body.free_symbols & needs, key=lambda s: str(s)):
            share = cotangent * sp.diff(body, symbol)
            if axis != NUMBER and stages.axes.get(symbol, NUMBER) == NUMBER:
                share = stages.summed(share, axis)
            adjoint[symbol] = adjoint.get(symbol, sp.S.Zero) + share

    forward = list(stages.rows)
    spread(stages.output, sp.S.One, NUMBER)
    for result, how, body in reversed(forward):
        cotangent = adjoint.get(result, sp.S.Zero)
        if cotangent == 0 or how in ("ones", "unit"):
            continue
        axis = stages.axis(body)
        if how == "function":
            cotangent = stages.add("coefficient", stages.spread(cotangent, ANGLES), ANGLES)
        elif how == "coefficient":
            cotangent = stages.add("function", stages.spread(cotangent, DEGREES), DEGREES)
        elif not cotangent.is_Atom:
            cotangent = stages.add("local", cotangent, stages.axis(cotangent))
        spread(body, cotangent, axis)
    return [_shaped(stages, adjoint.get(symbol, sp.S.Zero), symbol) for symbol in by]


def _leading_to(stages: Stages, wanted: set[sp.Symbol]) -> set[sp.Symbol]:
    """The inputs asked for and every result that depends on them."""
    found = set(wanted)
    for stage in stages.rows:
        if stage.body.free_symbols & found:
            found.add(stage.result)
    return found


def _shaped(stages: Stages, value: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    axis = stages.axes.get(symbol, NUMBER)
    return value if axis == NUMBER else stages.spread(value, axis)
