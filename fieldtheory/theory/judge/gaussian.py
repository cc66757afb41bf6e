r"""Gaussian averages, exactly: moments by Isserlis' theorem and sums over replicas.

.. math::  \langle x_i \, f(x) \rangle = m_i \langle f \rangle
           + \sum_j C_{ij} \langle \partial_j f \rangle

for x = m + fluctuations of covariance C. A complex field is two variables, psi and psi_bar, of
which only the product has an average; a response field has a vanishing variance of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from math import factorial, prod

from sympy.polys.rings import PolyElement

from fieldtheory.theory.judge.graded import minus

Powers = tuple[int, ...]  # of each variable
Times = tuple[int, ...]  # how often each kind of strand occurs


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Variables with these means and covariances, polynomials of one ring."""

    means: tuple[PolyElement, ...]
    covariance: tuple[tuple[PolyElement, ...], ...]
    unit: PolyElement
    _known: dict[Powers, PolyElement] = field(default_factory=dict, repr=False)

    def moment(self, powers: Powers) -> PolyElement:
        """The average of the product of the variables to these powers.

        >>> from sympy import QQ, ring
        >>> R, C = ring("C", QQ)
        >>> Gaussian((R.zero,), ((C,),), R.one).moment((6,))
        15*C**3
        """
        if powers not in self._known:
            self._known[powers] = self._reduced(powers)
        return self._known[powers]

    def _reduced(self, powers: Powers) -> PolyElement:
        i = next((i for i, power in enumerate(powers) if power), None)
        if i is None:
            return self.unit
        fewer = _lowered(powers, i)
        value = self.means[i] * self.moment(fewer) if self.means[i] else 0 * self.unit
        for j, covariance in enumerate(self.covariance[i]):
            if covariance and fewer[j]:
                value += fewer[j] * covariance * self.moment(_lowered(fewer, j))
        return value


def _lowered(powers: Powers, i: int) -> Powers:
    return (*powers[:i], powers[i] - 1, *powers[i + 1 :])


@dataclass(frozen=True, eq=False)
class Copies:
    r"""Independent copies of the variables, among which strands distribute themselves.

    A strand is a product of variables of one copy, summed over the copies. With F(t) the average
    of exp(sum_s t_s strand_s) over one copy, the average over all is F(t)^copies: a polynomial in
    the number of copies, which may be a symbol.

    strands  the powers of the variables in each kind of strand.
    legs     the powers of the variables that stand in the (single) copy besides.
    copies   their number; legs ask for 1.
    """

    gaussian: Gaussian
    strands: tuple[Powers, ...]
    legs: Powers
    copies: PolyElement
    _known: dict[Times, PolyElement] = field(default_factory=dict, repr=False)

    def coefficient(self, times: Times) -> PolyElement:
        """The coefficient of t^times in F(t)^copies."""
        if times not in self._known:
            single = self.copies == 1
            self._known[times] = self._one(times) if single else self._power(times)
        return self._known[times]

    def _one(self, times: Times) -> PolyElement:
        powers = self.legs
        for strand, n in zip(self.strands, times, strict=True):
            powers = tuple(p + n * q for p, q in zip(powers, strand, strict=True))
        moment = self.gaussian.moment(powers)
        return moment.quo_ground(moment.ring.domain(prod(map(factorial, times))))

    def _power(self, times: Times) -> PolyElement:
        """|n| P_n = sum_a (copies |a| - |n - a|) F_a P_(n-a), from F P' = copies F' P."""
        total = sum(times)
        if not total:
            return self.gaussian.unit
        value = 0 * self.gaussian.unit
        for part in below(times):
            size = sum(part)
            if size and (single := self._one(part)):
                rest = self.coefficient(minus(times, part))
                value += (size * self.copies - (total - size)) * single * rest
        return value.quo_ground(value.ring.domain(total))


@dataclass(frozen=True, eq=False)
class Groups:
    """Several groups of copies, over all of which the strands are summed."""

    groups: tuple[Copies, ...]
    _known: dict[tuple[int, Times], PolyElement] = field(default_factory=dict, repr=False)

    def coefficient(self, times: Times, first: int = 0) -> PolyElement:
        """The coefficient of t^times in the product over the groups from the `first` on."""
        here = self.groups[first]
        if first + 1 == len(self.groups):
            return here.coefficient(times)
        key = first, times
        if key not in self._known:
            value = 0 * here.gaussian.unit
            for part in below(times):
                if factor := here.coefficient(part):
                    value += factor * self.coefficient(minus(times, part), first + 1)
            self._known[key] = value
        return self._known[key]


def below(times: Times) -> Iterator[Times]:
    """Every part of a multiset."""
    return product(*(range(n + 1) for n in times))
