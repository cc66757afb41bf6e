"""Couplings and propagators as exact expressions: what may be one, and how it is kept as data."""

from __future__ import annotations

from typing import Any

import sympy as sp

from fieldtheory.ground.errors import InvalidInput


def symbolic(name: str, value: Any) -> sp.Expr:
    """`value` as a SymPy expression: a plain identifier names a symbol, nothing is parsed.

    >>> symbolic("coupling", "g")
    g
    """
    if isinstance(value, sp.Expr):
        return value
    if isinstance(value, str) and value.isidentifier():
        return sp.Symbol(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return sp.Integer(value)
    raise InvalidInput(
        f"{name} = {value!r}: give a symbol's name such as 'g', a whole number or a SymPy "
        "expression (floats are not exact: use sympy.Rational)"
    )


def expression_to_data(expression: sp.Expr) -> Any:
    """A sum, product or power of symbols and rationals as nested lists: read back without parsing.

    >>> expression_to_data(-sp.Symbol("g"))
    ['*', ['number', '-1'], ['symbol', 'g', False]]
    """
    if isinstance(expression, sp.Rational):
        return ["number", str(expression)]
    if isinstance(expression, sp.Symbol):
        positive = bool(expression.is_positive)
        if expression == sp.Symbol(expression.name, positive=positive or None):
            return ["symbol", expression.name, positive]
    for sign, kind in (("+", sp.Add), ("*", sp.Mul), ("^", sp.Pow)):
        if isinstance(expression, kind):
            return [sign, *(expression_to_data(part) for part in expression.args)]
    raise InvalidInput(
        f"cannot write {expression!r} as plain data: only sums, products and powers of plain or "
        "positive symbols and rational numbers can be"
    )


def expression_from_data(data: Any) -> sp.Expr:
    """The expression `expression_to_data` wrote."""
    match data:
        case ["number", str(text)]:
            return sp.Rational(text)
        case ["symbol", str(name), bool(positive)]:
            return sp.Symbol(name, positive=positive or None)
        case ["+", *parts]:
            return sp.Add(*map(expression_from_data, parts))
        case ["*", *parts]:
            return sp.Mul(*map(expression_from_data, parts))
        case ["^", base, power]:
            return sp.Pow(expression_from_data(base), expression_from_data(power))
        case _:
            raise InvalidInput(f"{data!r} is not an expression written by to_dict")
