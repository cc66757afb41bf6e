"""Writes stages as NumPy source.

Common parts are shared over the whole program, whatever their axis, and appear just before their
first use. Sums and products of many terms are written in pieces, because Python's own compiler
gives up on very long ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sympy as sp
from sympy.printing.numpy import SciPyPrinter
from sympy.printing.precedence import PRECEDENCE

from fieldtheory.compiler.stages import NUMBER, Stages

CHUNK = 200  # terms of a sum or product in one line
MANY = 2000  # terms in all, beyond which only whole equal parts are shared: the search is quadratic
CODE = {
    "sum": "xp.sum({}, axis=-1)",
    "function": "xp.matmul({}, P)",
    "coefficient": "xp.matmul({}, P.T)",
    "local": "{}",
    "ones": "xp.ones_like({})",
    "unit": "xp.where(xp.arange({0}.shape[-1]) == 0, 1.0, 0.0)",
}


class _Printer(SciPyPrinter):  # type: ignore[misc]
    """Functions are looked up in `xp`, so the same source serves NumPy and mpmath."""

    def _module_format(self, fqn: str, register: bool = True) -> str:
        return "xp." + fqn.rsplit(".", 1)[-1]

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        base, power = expr.args
        if power.is_Integer and power < 0:  # x**(-2.0) is slow and not exact in mpmath
            return f"(1/{self.parenthesize(1 / expr, PRECEDENCE['Pow'])})"
        if power.is_Integer and 3 <= power <= 6 and base.is_Symbol:  # pow is slow
            return "(" + "*".join([self._print(base)] * int(power)) + ")"
        return str(super()._print_Pow(expr, rational))


class Emitter:
    """The lines of one function: the stages, then `return` with one value or several."""

    def __init__(self, stages: Stages, outputs: Iterable[sp.Expr]) -> None:
        self.stages = stages
        self.outputs = list(outputs)
        self.print = _Printer({"fully_qualified_modules": True}).doprint
        self.done: set[sp.Symbol] = set()
        self.lifted: set[sp.Symbol] = set()
        bodies = [row.body for row in stages.rows] + self.outputs
        bases = [
            p.base
            for p in set().union(*(body.atoms(sp.Pow) for body in bodies))
            if p.exp.is_Integer and abs(p.exp) > 2
        ]
        self.shared, reduced = _common_parts(stages, bodies, sorted(bases, key=str))
        self.bodies = reduced[: len(bodies)]

    def lines(self) -> Iterator[str]:
        """The body of the function."""
        for row, body in zip(self.stages.rows, self.bodies, strict=False):
            vector = self.stages.axis(row.body) != NUMBER
            text = yield from self._text(body, vector)
            yield f"{row.result} = {CODE[row.how].format(text)}"
        texts = []
        for output, body in zip(self.outputs, self.bodies[len(self.stages.rows) :], strict=True):
            text = yield from self._text(body, self.stages.axis(output) != NUMBER)
            texts.append(text)
        yield "return " + ", ".join(texts)

    def _text(self, body: sp.Expr, vector: bool) -> Any:
        """The formula as text; yields the lines it needs first."""
        while True:
            body, pieces = self._chunked(body)
            for symbol, piece in pieces:
                yield from self._define(symbol, piece)
            if not pieces:
                break
        yield from self._needed(body)
        if vector:
            body = yield from self._lift(body)
        return self.print(body)

    def _needed(self, body: sp.Expr) -> Iterator[str]:
        for symbol in sorted(body.free_symbols, key=str):
            if symbol in self.shared and symbol not in self.done:
                yield from self._define(symbol, self.shared[symbol])

    def _define(self, symbol: sp.Symbol, value: sp.Expr) -> Iterator[str]:
        self.done.add(symbol)
        vector = self._axis(value) != NUMBER
        text = yield from self._text(value, vector)
        yield f"{symbol} = {text}"

    def _axis(self, body: sp.Expr) -> str:
        """The axis of a reduced formula; notes that of each common part it meets."""
        for symbol in body.free_symbols:
            if symbol in self.shared and symbol not in self.stages.axes:
                self.stages.axes[symbol] = self._axis(self.shared[symbol])
        return self.stages.axis(body)

    def _lift(self, body: sp.Expr) -> Any:
        """Numbers get a last axis of length one where they meet an array."""
        self._axis(body)
        names = {}
        for symbol in sorted(body.free_symbols, key=str):
            if self.stages.axes.get(symbol, NUMBER) == NUMBER:
                names[symbol] = sp.Symbol(f"{symbol}_", **symbol.assumptions0)
                if symbol not in self.lifted:
                    self.lifted.add(symbol)
                    yield f"{symbol}_ = xp.expand_dims({symbol}, -1)"
        return body.xreplace(names)

    def _chunked(self, body: sp.Expr) -> tuple[sp.Expr, list[tuple[sp.Symbol, sp.Expr]]]:
        """The formula with pieces of its longest sums and products replaced by symbols."""
        parts_of = dict.fromkeys(sp.preorder_traversal(body))  # in a fixed order, once each
        long = [e for e in parts_of if isinstance(e, sp.Add | sp.Mul) and len(e.args) > CHUNK]
        innermost = [e for e in long if not any(e != o and e.has(o) for o in long)]
        pieces, names = [], {}
        for whole in innermost:
            parts = []
            for start in range(0, len(whole.args), CHUNK):
                symbol = self.stages.fresh("c")
                piece = whole.func(*whole.args[start : start + CHUNK])
                self._axis(piece)
                self.stages.axes[symbol] = self.stages.axis(piece)
                pieces.append((symbol, piece))
                parts.append(symbol)
            names[whole] = whole.func(*parts)
        return body.xreplace(names), pieces


def _common_parts(
    stages: Stages, bodies: list[sp.Expr], bases: list[sp.Expr]
) -> tuple[dict[sp.Symbol, sp.Expr], list[sp.Expr]]:
    """Common parts by symbol, and the formulas in terms of them. Bases of powers are listed once
    more, so that each becomes a common part and its powers products."""

    def fresh() -> Iterator[sp.Symbol]:
        while True:
            yield stages.fresh("c")

    terms = sum(len(e.args) for body in bodies for e in body.atoms(sp.Add, sp.Mul))
    searched: list[Any] | None = None if terms <= MANY else []
    shared, reduced = sp.cse(
        [*bodies, *bases], symbols=fresh(), optimizations=searched, order="canonical"
    )
    return dict(shared), reduced
