r"""The zero-dimensional theory, where a path integral is an integral: the judge of enumeration.

.. math::  \langle \phi^n \rangle_0 = (n-1)!! \, G^{n/2}

Everything is an exact series in the order of the vertices. Nothing here knows of diagrams:
exponentials are expanded, Gaussian moments are inserted, and the sum over replicas is done by
deciding which strands share an index, with M a symbol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from math import comb, factorial, prod
from typing import Any

import sympy as sp

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action

Powers = tuple[int, ...]  # of each quantum field
Strands = tuple[tuple[Powers, int], ...]  # distinct strands and how many of each
Series = tuple[sp.Expr, ...]  # coefficient of order 0, 1, 2, ...


def moment(
    action: Action, legs: Any = 2, order: int = 1, replicas: tuple[int, ...] | None = None
) -> Series:
    """The unnormalised expectation: orders 0, 1, ..., `order` of the integral of legs exp(-S).

    >>> moment(Action.phi(4, coupling="g"), legs=0, order=2)
    (1, -g/8, 35*g**2/384)
    """
    names, where = _legs(action, legs, replicas)
    integral = _Integral(action, names, where)
    orders = range(count("order", order) + 1)
    return tuple(sp.expand(integral.coefficient(at)) for at in orders)


def correlator(
    action: Action, legs: Any = 2, order: int = 1, replicas: tuple[int, ...] | None = None
) -> sp.Expr:
    """The normalised expectation of the legs, summed through `order`.

    >>> correlator(Action.phi(4, coupling="g"), legs=2, order=2)
    2*g**2/3 - g/2 + 1
    """
    names, where = _legs(action, legs, replicas)
    return sp.expand(sp.Add(*_normalised(action, names, where, order)))


def cumulant(
    action: Action, legs: Any = 2, order: int = 1, replicas: tuple[int, ...] | None = None
) -> sp.Expr:
    """The connected expectation summed through `order`; without legs, the logarithm of Z.

    >>> cumulant(Action.phi(4, coupling="g"), legs=0, order=2)
    g**2/12 - g/8
    """
    names, where = _legs(action, legs, replicas)
    if not names:
        return sp.expand(sp.Add(*_logarithm(moment(action, (), order))))
    total = [sp.S.Zero] * (order + 1)
    for blocks in _set_partitions(list(range(len(names)))):
        sign = (-1) ** (len(blocks) - 1) * factorial(len(blocks) - 1)
        parts = [
            _normalised(
                action, tuple(names[n] for n in block), tuple(where[n] for n in block), order
            )
            for block in blocks
        ]
        total = [sum_ + sign * term for sum_, term in zip(total, _product(parts), strict=True)]
    return sp.expand(sp.Add(*total))


def _legs(
    action: Action, legs: Any, replicas: tuple[int, ...] | None
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    names = action.leg_names(legs)
    where = (0,) * len(names) if replicas is None else tuple(replicas)
    if len(where) != len(names):
        raise InvalidInput(f"replicas = {replicas}: give one number for each of {len(names)} legs")
    return names, where


# -- series, as tuples of coefficients ----------------------------------------------------------


def _product(parts: list[Series]) -> Series:
    result = parts[0]
    for part in parts[1:]:
        result = tuple(
            sp.expand(sp.Add(*(result[a] * part[n - a] for a in range(n + 1))))
            for n in range(len(result))
        )
    return result


def _quotient(above: Series, below: Series) -> Series:
    result: list[sp.Expr] = []
    for n, value in enumerate(above):
        known = sp.Add(*(result[a] * below[n - a] for a in range(n)))
        result.append(sp.expand(value - known))  # below[0] is 1: the free theory is normalised
    return tuple(result)


def _logarithm(series: Series) -> Series:
    """n W_n = n Z_n - sum_a a W_a Z_(n-a)."""
    result: list[sp.Expr] = [sp.S.Zero]
    for n in range(1, len(series)):
        known = sp.Add(*(a * result[a] * series[n - a] for a in range(1, n)))
        result.append(sp.expand(series[n] - known / n))
    return tuple(result)


def _normalised(
    action: Action, names: tuple[str, ...], where: tuple[int, ...], order: int
) -> Series:
    above = moment(action, names, order, where)
    return _quotient(above, moment(action, (), order))


def _set_partitions(items: list[int]) -> Iterator[list[list[int]]]:
    if not items:
        yield []
        return
    for rest in _set_partitions(items[1:]):
        yield [[items[0]], *rest]
        for n, block in enumerate(rest):
            yield [*rest[:n], [items[0], *block], *rest[n + 1 :]]


# -- the integral itself --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Integral:
    """exp(sum of vertices) times the external legs, against the Gaussian measure."""

    action: Action
    legs: tuple[str, ...]
    where: tuple[int, ...]

    @cached_property
    def fields(self) -> list[str]:
        return [field.name for field in self.action.quantum]

    def powers(self, names: tuple[str, ...]) -> Powers:
        return tuple(names.count(name) for name in self.fields)

    def background(self, names: tuple[str, ...]) -> sp.Expr:
        return sp.Mul(*(sp.Symbol(name) for name in names if name not in self.fields))

    def coefficient(self, order: int) -> sp.Expr:
        """Expand the exponential: every multiset of vertices of that total order."""
        terms = []
        vertices = self.action.vertices
        for times in _multisets([vertex.order for vertex in vertices], order):
            factor = sp.Mul(
                *(
                    (vertex.coupling * self.background(vertex.legs) / vertex.symmetry) ** n
                    / factorial(n)
                    for vertex, n in zip(vertices, times, strict=True)
                )
            )
            strands: Counter[tuple[str, ...]] = Counter()
            for vertex, n in zip(vertices, times, strict=True):
                for strand in vertex.strands:
                    strands[strand] += n
            terms.append(factor * self.average(strands))
        return self.background(self.legs) * sp.Add(*terms)

    def average(self, strands: Counter[tuple[str, ...]]) -> sp.Expr:
        """The Gaussian average of the product of strands and legs, index by index."""
        value = sp.S.One
        for index in sorted({field.index for field in self.action.fields}, key=str):
            inside = {field.name for field in self.action.fields if field.index == index}
            here = Counter({self.powers(s): 0 for s in strands if s[0] in inside})
            for strand, times in strands.items():
                if strand[0] in inside:
                    here[self.powers(strand)] += times
            legs = [
                (name, place)
                for name, place in zip(self.legs, self.where, strict=True)
                if name in inside and name in self.fields
            ]
            value *= self.of_index(index, here, legs)
        return value

    def of_index(
        self, index: sp.Symbol | None, strands: Counter[Powers], legs: list[tuple[str, int]]
    ) -> sp.Expr:
        """Average over the fields of one index (None: a single copy)."""
        packed = tuple(sorted((powers, times) for powers, times in strands.items() if times))
        variances = tuple(self.action.field(name).propagator for name in self.fields)
        if index is None:
            total = [self.powers(tuple(name for name, _ in legs))]
            total += [tuple(times * power for power in powers) for powers, times in packed]
            return _gaussian(tuple(map(sum, zip(*total, strict=True))), variances)
        fixed = [
            self.powers(tuple(name for name, at in legs if at == place))
            for place in sorted({place for _, place in legs})
        ]
        return _shared(packed, tuple(fixed), index, variances)


def _shared(
    strands: Strands, fixed: tuple[Powers, ...], index: sp.Symbol, variances: Any
) -> sp.Expr:
    """Sum over the ways strands share indices: with the replica of some external legs (`fixed`),
    or in free groups, which take M - fixed different values, one group after another."""
    if fixed:
        return sp.Add(
            *(
                ways
                * _gaussian(_total(part, fixed[0]), variances)
                * _shared(rest, fixed[1:], index, variances).subs(index, index - 1)
                for part, rest, ways in _splits(strands)
            )
        )
    value = sp.S.Zero
    for groups, number in enumerate(_free(strands, variances)):
        value += number * sp.ff(index, groups)
    return sp.expand_func(value)


@cache
def _free(strands: Strands, variances: Any) -> tuple[sp.Expr, ...]:
    """By number of groups: sum over set partitions of the strands, a Gaussian moment per group."""
    if not strands:
        return (sp.S.One,)
    (powers, times), rest = strands[0], strands[1:]
    others = rest if times == 1 else ((powers, times - 1), *rest)
    totals: dict[int, sp.Expr] = {}
    for part, left, ways in _splits(others):
        value = _gaussian(_total(part, powers), variances)
        for groups, number in enumerate(_free(left, variances) if value != 0 else ()):
            totals[groups + 1] = totals.get(groups + 1, sp.S.Zero) + ways * value * number
    return tuple(totals.get(n, sp.S.Zero) for n in range(1 + max(totals, default=0)))


def _splits(strands: Strands) -> Iterator[tuple[Strands, Strands, int]]:
    """Every way to split a multiset in two, with the number of ways to choose the first part."""
    for taken in product(*(range(times + 1) for _, times in strands)):
        pairs = list(zip(strands, taken, strict=True))
        part = tuple((powers, n) for (powers, _), n in pairs if n)
        rest = tuple((powers, times - n) for (powers, times), n in pairs if times > n)
        yield part, rest, prod(comb(times, n) for (_, times), n in pairs)


def _total(strands: Strands, start: Powers) -> Powers:
    rows = [start, *(tuple(times * p for p in powers) for powers, times in strands)]
    return tuple(map(sum, zip(*rows, strict=True)))


def _gaussian(powers: Powers, variances: tuple[sp.Expr, ...]) -> sp.Expr:
    """(p-1)!! G^(p/2) for each field, zero if a power is odd."""
    if any(power % 2 for power in powers):
        return sp.S.Zero
    return sp.Mul(
        *(
            sp.factorial2(power - 1) * variance ** (power // 2)
            for power, variance in zip(powers, variances, strict=True)
        )
    )


def _multisets(orders: list[int], total: int) -> Iterator[tuple[int, ...]]:
    if not orders:
        yield from [()] if total == 0 else []
        return
    for times in range(total // orders[0] + 1):
        for rest in _multisets(orders[1:], total - times * orders[0]):
            yield (times, *rest)
