r"""The Legendre transform of an exact series: from connected to one-particle irreducible.

.. math::  \Gamma(\phi_c) = \tfrac12 \phi_c C^{-1} \phi_c - \Gamma_1(\phi_c) , \qquad
           \Gamma_1(\phi_c) = \tilde W(\phi) + \tfrac12 \Gamma_1' C \, \Gamma_1' , \quad
           \phi = \phi_c - C \, \Gamma_1'(\phi_c)

where W~(phi) = log <exp V(phi + fluctuations)> is the logarithm of the integral about the
classical field phi, V the vertices and C the covariance. The right side needs Gamma_1 to one order
less than the left side gets it, so it is solved by going round; C is never inverted.

Copies that are not singled out have the same classical field chi by symmetry: of w copies each
feels the force (d Gamma_1 / d chi) / w, an exact division of polynomials.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from sympy.polys.rings import PolyElement

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action
from fieldtheory.theory.judge.graded import Order, Series
from fieldtheory.theory.judge.integral import OTHERS, Place, Theory

Shift = tuple[PolyElement, Series]  # a classical field, and what is added to it


@dataclass(frozen=True, eq=False)
class Irreducible:
    """Gamma_1: it generates the one-particle irreducible diagrams.

    theory   the theory about classical fields.
    symbols  the classical field of each leg type of each place.
    series   Gamma_1, polynomials in the classical fields.
    """

    theory: Theory
    symbols: dict[tuple[Place, str], sp.Symbol]
    series: Series

    def derivative(self, legs: Iterable[tuple[Place, str]], amputated: bool) -> Series:
        """The derivative with respect to the classical fields of the legs; or, when they are not
        amputated, of those that a line joins to them, times the line."""
        found, theory = self.series, self.theory
        for place, name in legs:
            index = theory.indices[place[0]]
            names = theory.legs_of(index)
            row = theory.covariance(index)[names.index(name)]
            if amputated:
                row = tuple(theory.ring.one * (other == name) for other in names)
            total = found.with_terms({})
            for other, factor in zip(names, row, strict=True):
                slope = _slope(found, theory.polynomial(self.symbols[place, other]))
                total = total + slope.times(factor)
            found = total
        return found

    def at_zero(self, series: Series) -> Series:
        """The series where every classical field vanishes."""
        ring = self.theory.ring
        places = [ring.index(self.theory.polynomial(s)) for s in self.symbols.values()]

        def constant(c: PolyElement) -> PolyElement:
            return ring.from_dict({m: n for m, n in c.items() if not any(m[i] for i in places)})

        return series.map(constant)

    def kernel(self, index: int) -> sp.Matrix:
        """C^-1 for the leg types of the index of that number.

        Raises InvalidInput if C has no inverse.
        """
        rows = self.theory.covariance(self.theory.indices[index])
        matrix = sp.Matrix(len(rows), len(rows), [c.as_expr() for row in rows for c in row])
        determinant = sp.cancel(matrix.det())
        if determinant == 0:
            names = ", ".join(self.theory.legs_of(self.theory.indices[index]))
            raise InvalidInput(
                f"the two-point functions {matrix.tolist()} of {names} have determinant 0: without "
                "an inverse there is no effective action; `irreducible` needs none"
            )
        return (matrix.adjugate() / determinant).applyfunc(sp.cancel)

    def free(self) -> sp.Expr:
        """phi_c C^-1 phi_c / 2, summed over the copies. Raises InvalidInput as `kernel` does."""
        total = sp.S.Zero
        for place, symbols in self.theory.classical:
            fields = sp.Matrix(len(symbols), 1, symbols)
            for value in fields.T * self.kernel(place[0]) * fields:
                total += self.theory.copies(place).as_expr() * value / 2
        return total


@lru_cache(maxsize=64)
def generating(action: Action, order: Order, singled: tuple[Place, ...]) -> Irreducible:
    """Gamma_1, with classical fields of their own in the places singled out."""
    plain = Theory(action, order)
    places = set(singled)
    for number, index in enumerate(plain.indices):
        places.add((number, 0 if index is None else OTHERS))
    symbols = {
        (place, name): sp.Dummy(name)
        for place in sorted(places)
        for name in plain.legs_of(plain.indices[place[0]])
    }
    classical = {
        place: tuple(s for (at, _), s in symbols.items() if at == place) for place in places
    }
    theory = Theory(action, order, tuple(sorted(classical.items(), key=lambda item: item[0])))
    return Irreducible(theory, symbols, _solved(theory))


def _solved(theory: Theory) -> Series:
    """Gamma_1, from the equation it solves."""
    connected = theory.integral({}).logarithm()
    found = connected.with_terms({})
    for order in range(1, sum(theory.box) + 1):
        found = _improved(theory, connected, found).up_to(order)
    return found


def _improved(theory: Theory, connected: Series, found: Series) -> Series:
    """The right side of the equation for Gamma_1, one order better than `found`."""
    shifts: list[Shift] = []
    total = connected.with_terms({})
    for place, symbols in theory.classical:
        fields = [theory.polynomial(symbol) for symbol in symbols]
        copies = theory.copies(place)
        forces = [_force(found, variable, copies) for variable in fields]
        for n, row in enumerate(theory.covariance(theory.indices[place[0]])):
            drift = connected.with_terms({})
            for covariance, force in zip(row, forces, strict=True):
                drift = drift + force.times(-covariance)
            shifts.append((fields[n], drift))
            total = total + (forces[n] * drift).times(-copies / 2)
    return total + _displaced(connected, shifts)


def _slope(series: Series, variable: PolyElement) -> Series:
    return series.map(lambda c: c.diff(variable))


def _force(found: Series, variable: PolyElement, copies: PolyElement) -> Series:
    """The derivative of Gamma_1 with respect to the field of one of several equal copies."""
    return _slope(found, variable).map(lambda c: c.exquo(copies))


def _displaced(series: Series, shifts: list[Shift]) -> Series:
    """Taylor's theorem: the series with its classical fields shifted, all at once."""
    if not shifts:
        return series
    (variable, shift), rest = shifts[0], shifts[1:]
    total, power, times = series.with_terms({}), series.one(), 0
    while series.terms and power.terms:
        total = total + power * _displaced(series, rest)
        times += 1
        series = _slope(series, variable)
        power = (power * shift).times(series.ring.one / times)
    return total
