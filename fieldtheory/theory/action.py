r"""Actions: what the theory is made of.

.. math::  S = \tfrac12 \sum_i \phi_i G_i^{-1} \phi_i
               - \sum_v \lambda_v \, \frac{\text{product of the legs of } v}{|\mathrm{Aut}(v)|}

The coupling of a vertex is its *Feynman rule*, sign included: S = phi^2/2 + g phi^4/4! has the
rule -g. A vertex is a multiset of *strands*; the legs of one strand share one replica (or colour)
index, which is summed over. |Aut(v)| counts the permutations of equal legs within a strand and of
equal strands, so that a rule never carries a factorial.

    phi^4                   one strand   (phi phi phi phi)
    (phi . phi)^2, O(M)     two strands  (phi phi) (phi phi)
    a classical source r    one strand   (r zeta)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import factorial, prod
from typing import Any

import sympy as sp

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput

Strand = tuple[str, ...]


def multiplicities(items: Iterable[Any]) -> int:
    """The number of permutations of `items` that exchange equal ones only.

    >>> multiplicities("aab")
    2
    """
    return prod(factorial(times) for times in Counter(items).values())


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


@dataclass(frozen=True)
class Field:
    """A real scalar field.

    name        the field's name, an identifier.
    propagator  its two-point function: the number or expression used in zero dimensions; a symbol
                also names the function in position space.
    background  a classical field: it is a given function, its legs are not contracted.
    index       None, or the symbol M that counts the replicas (colours) of the field.

    >>> Field("phi")
    Field(name='phi', propagator=1, background=False, index=None)
    """

    name: str
    propagator: Any = 1
    background: bool = False
    index: sp.Symbol | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise InvalidInput(f"field name {self.name!r}: give an identifier such as 'phi'")
        if self.index is not None and not isinstance(self.index, sp.Symbol):
            raise InvalidInput(
                f"field {self.name!r}: index = {self.index!r}; give the symbol that counts "
                "the replicas, sympy.Symbol('M'), or None"
            )
        propagator = symbolic(f"propagator of field {self.name!r}", self.propagator)
        if propagator == 0:
            raise InvalidInput(
                f"field {self.name!r} has propagator 0 and cannot propagate: give its two-point "
                "function, or make it a background field"
            )
        object.__setattr__(self, "propagator", propagator)
        object.__setattr__(self, "background", bool(self.background))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON."""
        return {
            "name": self.name,
            "propagator": expression_to_data(self.propagator),
            "background": self.background,
            "index": None if self.index is None else expression_to_data(self.index),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Field:
        """The field `to_dict` wrote."""
        index = None if data["index"] is None else expression_from_data(data["index"])
        propagator = expression_from_data(data["propagator"])
        return cls(data["name"], propagator, data["background"], index)


@dataclass(frozen=True)
class Vertex:
    """An interaction: its Feynman rule, its strands, and the order it counts for.

    >>> vertex = Vertex("g", [("phi", "phi"), ("phi", "phi")])
    >>> vertex.symmetry          # 2! 2! within the strands, 2! between them
    8
    """

    coupling: Any
    strands: Any
    order: int = 1

    def __post_init__(self) -> None:
        coupling = symbolic("coupling", self.coupling)
        if coupling == 0:
            raise InvalidInput("a vertex with coupling 0 is no vertex: leave it out")
        strands = tuple(sorted(tuple(sorted(strand)) for strand in self.strands))
        if not strands or not all(strands):
            raise InvalidInput(
                f"vertex {coupling} has strands {strands!r}: each vertex needs at least one "
                "strand, each strand at least one leg, as in [('phi', 'phi', 'phi', 'phi')]"
            )
        object.__setattr__(self, "coupling", coupling)
        object.__setattr__(self, "strands", strands)
        object.__setattr__(self, "order", count("order of a vertex", self.order, least=1))

    @cached_property
    def symmetry(self) -> int:
        """|Aut|: permutations of equal legs in a strand and of equal strands."""
        return multiplicities(self.strands) * prod(map(multiplicities, self.strands))

    @cached_property
    def legs(self) -> Strand:
        """The field of every leg."""
        return tuple(name for strand in self.strands for name in strand)

    @cached_property
    def sort_key(self) -> tuple[int, tuple[Strand, ...], str]:
        """Vertices are sorted by order, then legs, then rule."""
        return self.order, self.strands, sp.srepr(self.coupling)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON."""
        strands = [list(strand) for strand in self.strands]
        coupling = expression_to_data(self.coupling)
        return {"coupling": coupling, "strands": strands, "order": self.order}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Vertex:
        """The vertex `to_dict` wrote."""
        return cls(expression_from_data(data["coupling"]), data["strands"], data["order"])


@dataclass(frozen=True)
class Action:
    """A free part (one propagator per field) and vertices. Actions add.

    >>> Action.phi(3, coupling="h") + Action.phi(4, coupling="g")
    S = phi**2/2 + h*phi**3/6 + g*phi**4/24
    """

    fields: tuple[Field, ...]
    vertices: tuple[Vertex, ...] = ()

    def __post_init__(self) -> None:
        fields = tuple(sorted(set(self.fields), key=lambda field: field.name))
        names = [field.name for field in fields]
        if twice := [name for name in names if names.count(name) > 1]:
            raise InvalidInput(
                f"field {twice[0]!r} is given twice with different properties: give it once"
            )
        if not fields:
            raise InvalidInput("an action needs at least one field, got none")
        object.__setattr__(self, "fields", fields)
        for vertex in self.vertices:
            self._check(vertex)
        object.__setattr__(self, "vertices", _merged(self.vertices))

    def _check(self, vertex: Vertex) -> None:
        known = {field.name: field for field in self.fields}
        if unknown := sorted(set(vertex.legs) - set(known)):
            raise InvalidInput(
                f"vertex {vertex.coupling} has a leg of field {unknown[0]!r}, which the action "
                f"does not have: its fields are {', '.join(known)}"
            )
        for strand in vertex.strands:
            if len({known[name].index for name in strand}) > 1:
                raise InvalidInput(
                    f"strand {strand} of vertex {vertex.coupling} mixes fields with different "
                    "replica indices: the legs of a strand share one index"
                )

    @classmethod
    def phi(cls, power: int, coupling: Any = "g") -> Action:
        """One real field with S = phi^2/2 + coupling phi^power / power!.

        >>> Action.phi(4, coupling="g")
        S = phi**2/2 + g*phi**4/24
        """
        power = count("power", power, least=1)
        rule = -symbolic("coupling", coupling)
        return cls((Field("phi"),), (Vertex(rule, [("phi",) * power]),))

    def __add__(self, other: Action) -> Action:
        if not isinstance(other, Action):
            return NotImplemented
        return Action(self.fields + other.fields, self.vertices + other.vertices)

    def field(self, name: str) -> Field:
        """The field of that name."""
        for field in self.fields:
            if field.name == name:
                return field
        known = ", ".join(field.name for field in self.fields)
        raise InvalidInput(f"unknown field {name!r}: the fields of the action are {known}")

    def leg_names(self, legs: Any) -> tuple[str, ...]:
        """External legs as field names; a number stands for legs of the only quantum field.

        >>> Action.phi(4).leg_names(2)
        ('phi', 'phi')
        """
        if isinstance(legs, tuple | list) and all(isinstance(name, str) for name in legs):
            return tuple(self.field(name).name for name in legs)
        names = [field.name for field in self.quantum]
        if len(names) != 1 and legs != 0:
            raise InvalidInput(
                f"legs = {legs!r} does not say which fields: the quantum fields of the action are "
                f"{', '.join(names) or '(none)'}; give one name per leg, as in legs=('phi', 'phi')"
            )
        return tuple(names[:1]) * count("legs", legs)

    def valence(self, vertex: Vertex) -> int:
        """The number of its legs that are contracted: those of quantum fields."""
        return sum(not self.field(name).background for name in vertex.legs)

    @property
    def quantum(self) -> tuple[Field, ...]:
        """The fields that propagate."""
        return tuple(field for field in self.fields if not field.background)

    @property
    def is_replicated(self) -> bool:
        """Whether any field carries a replica index."""
        return any(field.index is not None for field in self.fields)

    def __str__(self) -> str:
        free = sp.Add(
            *(sp.Symbol(f.name) ** 2 / (2 * f.propagator) for f in self.quantum), evaluate=False
        )
        terms = [str(free)]
        terms += [_term(vertex, self) for vertex in self.vertices]
        return "S = " + " + ".join(terms).replace("+ -", "- ")

    __repr__ = __str__


def _term(vertex: Vertex, action: Action) -> str:
    """The term of S that a vertex stands for; [..] is a strand summed over its replica index."""
    parts = []
    for strand in vertex.strands:
        word = "*".join(
            name if times == 1 else f"{name}**{times}" for name, times in Counter(strand).items()
        )
        parts.append(word if action.field(strand[0]).index is None else f"[{word}]")
    text = f"{sp.sstr(-vertex.coupling)}*{'*'.join(parts)}"
    return text if vertex.symmetry == 1 else f"{text}/{vertex.symmetry}"


def _merged(vertices: Iterable[Vertex]) -> tuple[Vertex, ...]:
    """Rules of equal legs and order add; what cancels is gone."""
    rules: dict[tuple[tuple[Strand, ...], int], sp.Expr] = {}
    for vertex in vertices:
        key = (vertex.strands, vertex.order)
        rules[key] = rules.get(key, sp.S.Zero) + vertex.coupling
    kept = [Vertex(rule, *key) for key, rule in rules.items() if rule != 0]
    return tuple(sorted(kept, key=lambda vertex: vertex.sort_key))


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
