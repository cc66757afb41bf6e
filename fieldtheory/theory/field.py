"""Fields and their propagators: the free part of an action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.expression import expression_from_data, expression_to_data, symbolic


@dataclass(frozen=True)
class Field:
    """A scalar field, real or complex.

    name        the field's name, an identifier.
    propagator  its two-point function <phi phi>, or <psi psi_bar>: the number or expression used
                in zero dimensions; a symbol also names the function in position space. 0 where
                only a mixed propagator joins the field to others (a response field).
    background  a classical field: it is a given function, its legs are not contracted.
    index       None, or the symbol M that counts the replicas (colours) of the field.
    conjugate   None for a real field, or the name of the complex conjugate.

    >>> Field("psi", conjugate="psi_bar").legs
    ('psi', 'psi_bar')
    """

    name: str
    propagator: Any = 1
    background: bool = False
    index: sp.Symbol | None = None
    conjugate: str | None = None

    def __post_init__(self) -> None:
        for name in self.legs:
            if not isinstance(name, str) or not name.isidentifier():
                raise InvalidInput(f"field name {name!r}: give an identifier such as 'phi'")
        if self.conjugate is not None and (self.background or self.name == self.conjugate):
            raise InvalidInput(
                f"field {self.name!r} with conjugate {self.conjugate!r}: a complex field "
                "propagates and its conjugate has another name; for a complex background give two "
                "background fields"
            )
        if self.index is not None and not isinstance(self.index, sp.Symbol):
            raise InvalidInput(
                f"field {self.name!r}: index = {self.index!r}; give the symbol that counts "
                "the replicas, sympy.Symbol('M'), or None"
            )
        propagator = symbolic(f"propagator of field {self.name!r}", self.propagator)
        object.__setattr__(self, "propagator", propagator)
        object.__setattr__(self, "background", bool(self.background))

    @property
    def legs(self) -> tuple[str, ...]:
        """The names of its legs: one for a real field, two for a complex one."""
        return (self.name,) if self.conjugate is None else (self.name, self.conjugate)

    @property
    def line(self) -> tuple[str, str]:
        """The legs its own propagator joins."""
        return self.legs[0], self.legs[-1]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON."""
        return {
            "name": self.name,
            "propagator": expression_to_data(self.propagator),
            "background": self.background,
            "index": None if self.index is None else expression_to_data(self.index),
            "conjugate": self.conjugate,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Field:
        """The field `to_dict` wrote."""
        index = None if data["index"] is None else expression_from_data(data["index"])
        propagator = expression_from_data(data["propagator"])
        return cls(data["name"], propagator, data["background"], index, data.get("conjugate"))


@dataclass(frozen=True)
class Propagator:
    """A two-point function <first second> = value between two kinds of leg.

    >>> Propagator("phi", "A", "D")
    Propagator(first='A', second='phi', value=D)
    """

    first: str
    second: str
    value: Any

    def __post_init__(self) -> None:
        first, second = sorted((self.first, self.second))
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "second", second)
        value = symbolic(f"propagator of {first!r} and {second!r}", self.value)
        object.__setattr__(self, "value", value)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON."""
        value = expression_to_data(self.value)
        return {"first": self.first, "second": self.second, "value": value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Propagator:
        """The propagator `to_dict` wrote."""
        return cls(data["first"], data["second"], expression_from_data(data["value"]))


class Line(NamedTuple):
    """A kind of line of an action: the legs it joins, its names as seen from either end (see
    `diagram.Edge`), and its two-point function <first second>."""

    first: str
    second: str
    names: tuple[str, str]
    value: sp.Expr

    @property
    def is_directed(self) -> bool:
        """Whether its ends differ."""
        return self.first != self.second


def lines_of(fields: Iterable[Field], propagators: Iterable[Propagator]) -> tuple[Line, ...]:
    """Every kind of line: the fields' own propagators, then the mixed ones."""
    own = [
        Line(*f.line, f.line, f.propagator)
        for f in fields
        if not f.background and f.propagator != 0
    ]
    mixed = [
        Line(p.first, p.second, (f"{p.first}-{p.second}", f"{p.second}-{p.first}"), p.value)
        for p in propagators
    ]
    return (*own, *mixed)
