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
    (psi psi_bar)^2         one strand   (psi psi psi_bar psi_bar)

A *leg* is named by its field; a complex field has two kinds, psi and psi_bar, which its line joins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import factorial, prod
from typing import Any

import sympy as sp

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import spelling
from fieldtheory.theory.expression import expression_from_data, expression_to_data, symbolic
from fieldtheory.theory.field import Field, Line, Propagator, lines_of

Strand = tuple[str, ...]


def multiplicities(items: Iterable[Any]) -> int:
    """The number of permutations of `items` that exchange equal ones only.

    >>> multiplicities("aab")
    2
    """
    return prod(factorial(times) for times in Counter(items).values())


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
    """A free part (the propagators) and vertices. Actions add.

    fields       the fields, each with its own propagator.
    vertices     the interactions.
    propagators  those between different fields, and others that no field has of its own.

    >>> Action.phi(3, coupling="h") + Action.phi(4, coupling="g")
    S = phi**2/2 + h*phi**3/6 + g*phi**4/24
    """

    fields: tuple[Field, ...]
    vertices: tuple[Vertex, ...] = ()
    propagators: tuple[Propagator, ...] = ()

    def __post_init__(self) -> None:
        fields = tuple(sorted(set(self.fields), key=lambda field: field.name))
        names = [name for field in fields for name in field.legs]
        if twice := [name for name in names if names.count(name) > 1]:
            raise InvalidInput(
                f"field {twice[0]!r} is given twice with different properties: give it once"
            )
        if not fields:
            raise InvalidInput("an action needs at least one field, got none")
        object.__setattr__(self, "fields", fields)
        mixed = tuple(sorted(set(self.propagators), key=lambda p: (p.first, p.second)))
        object.__setattr__(self, "propagators", mixed)
        self._check_propagators()
        for vertex in self.vertices:
            self._check(vertex)
        object.__setattr__(self, "vertices", _merged(self.vertices))

    def _check_propagators(self) -> None:
        seen: set[tuple[str, str]] = set()
        for p in self.propagators:
            first, second = self.field(p.first), self.field(p.second)
            pair = f"<{p.first} {p.second}>"
            if first.background or second.background or first.index != second.index:
                raise InvalidInput(
                    f"propagator {pair}: background fields do not propagate, and two fields mix "
                    "only when they carry the same replica index"
                )
            if p.value == 0 or (p.first, p.second) in seen or self._is_own(p.first, p.second):
                raise InvalidInput(
                    f"propagator {pair} is zero, given twice, or the field's own: give each "
                    "non-zero one once, a field's own with the field"
                )
            seen.add((p.first, p.second))
        joined = {name for line in self.lines for name in (line.first, line.second)}
        if bare := [name for name in self.leg_types if name not in joined]:
            raise InvalidInput(
                f"field {bare[0]!r} has propagator 0 and cannot propagate: give its two-point "
                "function or a mixed one, or make it a background field"
            )

    def _is_own(self, first: str, second: str) -> bool:
        return sorted(self.field(first).line) == sorted((first, second))

    def _check(self, vertex: Vertex) -> None:
        known = {name: field for field in self.fields for name in field.legs}
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

    @classmethod
    def o_n(cls, power: int = 4, components: Any = "n", coupling: Any = "g") -> Action:
        r"""The O(n) model, S = phi.phi/2 + coupling (phi.phi)^(power/2) / power!.

        components  the symbol that counts the components; results are polynomials in it.

        >>> Action.o_n()
        S = phi**2/2 + g*[phi**2]*[phi**2]/24
        """
        power = count("power", power, least=2)
        if power % 2:
            raise InvalidInput(f"power = {power}: (phi.phi)^(power/2) needs an even power")
        field = Field("phi", index=_index("components", components))
        pairs = [("phi", "phi")] * (power // 2)
        unit = Vertex(1, pairs)
        rule = -symbolic("coupling", coupling) * sp.Rational(unit.symmetry, factorial(power))
        return cls((field,), (Vertex(rule, pairs),))

    @classmethod
    def read(cls, text: str, fields: tuple[str, ...] | None = None) -> Action:
        """The action a person writes; nothing in `text` is evaluated.

        A name whose square stands with a number only, phi^2/2, is a real field; psi*psi_bar a
        complex one; other names are couplings, unless they are among `fields`.

        >>> Action.read("phi^2/2 + g*phi^4/4! + h*phi^3/3!")
        S = phi**2/2 + h*phi**3/6 + g*phi**4/24
        """
        spelled = spelling.read(text, fields)
        return cls(
            tuple(Field(*field) for field in spelled.fields),
            tuple(Vertex(*vertex) for vertex in spelled.vertices),
            tuple(Propagator(*propagator) for propagator in spelled.propagators),
        )

    def replicate(self, replicas: Any = "M") -> Action:
        r"""The action of M independent copies, sum_a S[phi_a]; add what couples them.

        >>> copies = Action.phi(4).replicate("M")
        >>> disorder = Vertex("w", [("phi", "phi"), ("phi", "phi")])
        >>> Action(copies.fields, (*copies.vertices, disorder))
        S = phi**2/2 - w*[phi**2]*[phi**2]/8 + g*[phi**4]/24
        """
        if self.is_replicated:
            raise InvalidInput(
                f"{self} has replicated fields already: only an action without indices can be "
                "replicated"
            )
        index = _index("replicas", replicas)
        fields = tuple(replace(field, index=index) for field in self.fields)
        return Action(fields, tuple(map(_one_strand, self.vertices)), self.propagators)

    def __add__(self, other: Action) -> Action:
        if not isinstance(other, Action):
            return NotImplemented
        return Action(
            self.fields + other.fields,
            self.vertices + other.vertices,
            self.propagators + other.propagators,
        )

    def field(self, name: str) -> Field:
        """The field that has a leg of that name."""
        for field in self.fields:
            if name in field.legs:
                return field
        known = ", ".join(name for field in self.fields for name in field.legs)
        raise InvalidInput(f"unknown field {name!r}: the fields of the action are {known}")

    @cached_property
    def leg_types(self) -> tuple[str, ...]:
        """The names of legs that are contracted, sorted."""
        return tuple(sorted(name for field in self.quantum for name in field.legs))

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Every kind of line: the fields' own propagators, then the mixed ones."""
        return lines_of(self.fields, self.propagators)

    def leg_names(self, legs: Any) -> tuple[str, ...]:
        """External legs by name; a number stands for legs of the only quantum field.

        >>> Action.phi(4).leg_names(2)
        ('phi', 'phi')
        """
        if isinstance(legs, tuple | list) and all(isinstance(name, str) for name in legs):
            for name in legs:
                self.field(name)
            return tuple(legs)
        names = self.leg_types
        if len(names) != 1 and legs != 0:
            raise InvalidInput(
                f"legs = {legs!r} does not say which fields: the quantum fields of the action are "
                f"{', '.join(names) or '(none)'}; give one name per leg, as in legs=('phi', 'phi')"
            )
        return names[:1] * count("legs", legs)

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
        free = _mixed_free_part(self) if self.propagators else _free_part(self)
        terms = [str(free)] if free != 0 else []
        terms += [_term(vertex, self) for vertex in self.vertices]
        return "S = " + " + ".join(terms).replace("+ -", "- ")

    __repr__ = __str__


def _index(name: str, symbol: Any) -> sp.Symbol:
    """A symbol that counts replicas or components."""
    found = symbolic(name, symbol)
    if not isinstance(found, sp.Symbol):
        raise InvalidInput(
            f"{name} = {symbol!r}: give the name of a symbol, such as 'n'; put in a number for it "
            "when the result is known"
        )
    return found


def _one_strand(vertex: Vertex) -> Vertex:
    """The same term with all legs on one strand: equal where strands carry no index."""
    one = Vertex(1, [vertex.legs], vertex.order)
    return replace(one, coupling=vertex.coupling * sp.Rational(one.symmetry, vertex.symmetry))


def _free_part(action: Action) -> sp.Expr:
    """The sum of phi^2/(2 G), or psi psi_bar/G, not rearranged."""
    terms = [
        sp.Mul(*map(sp.Symbol, f.line)) / ((1 if f.conjugate else 2) * f.propagator)
        for f in action.quantum
    ]
    return sp.Add(*terms, evaluate=False)


def _mixed_free_part(action: Action) -> sp.Expr:
    """Half the quadratic form of the inverse of the matrix of two-point functions."""
    number = {name: n for n, name in enumerate(action.leg_types)}
    matrix = sp.zeros(len(number), len(number))
    for line in action.lines:
        a, b = number[line.first], number[line.second]
        matrix[a, b] = matrix[b, a] = line.value
    legs = sp.Matrix([sp.Symbol(name) for name in number])
    if sp.expand(matrix.det()) == 0:
        known = ", ".join(f"<{a} {b}> = {value}" for a, b, _, value in action.lines)
        return sp.Symbol(f"[{known}]")
    return sp.expand(sp.cancel((legs.T * matrix.inv() * legs)[0] / 2))


def _term(vertex: Vertex, action: Action) -> str:
    """The term of S that a vertex stands for; [..] is a strand summed over its replica index."""
    parts = []
    for strand in vertex.strands:
        word = "*".join(
            name if times == 1 else f"{name}**{times}" for name, times in Counter(strand).items()
        )
        parts.append(word if action.field(strand[0]).index is None else f"[{word}]")
    number, rule = (-vertex.coupling / vertex.symmetry).as_coeff_Mul()
    factors = [f"({rule})" if rule.is_Add else str(rule)] if rule != 1 else []
    if abs(number.p) != 1:
        factors.insert(0, str(abs(number.p)))
    sign = "-" if number < 0 else ""
    return sign + "*".join([*factors, *parts]) + ("" if number.q == 1 else f"/{number.q}")


def _merged(vertices: Iterable[Vertex]) -> tuple[Vertex, ...]:
    """Rules of equal legs and order add; what cancels is gone."""
    rules: dict[tuple[tuple[Strand, ...], int], sp.Expr] = {}
    for vertex in vertices:
        key = (vertex.strands, vertex.order)
        rules[key] = rules.get(key, sp.S.Zero) + vertex.coupling
    kept = [Vertex(rule, *key) for key, rule in rules.items() if rule != 0]
    return tuple(sorted(kept, key=lambda vertex: vertex.sort_key))
