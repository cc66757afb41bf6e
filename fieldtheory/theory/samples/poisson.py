r"""From a Poisson to a fixed number of samples, and back, to any order.

A quantity F(eta) of the grand-canonical ensemble is the average over N ~ Poisson(eta) of F_N. It
reads F(eta) = e^{-eta} e^{eta E} F_N at N = 0 with E: N -> N + 1, so with d = d/deta

.. math::  F_N = (1 + d)^N F |_{\eta = 0} = e^{N(\log(1 + d) - d)} F |_{\eta = N}
               = F - \tfrac{N}{2} F'' + \tfrac{N}{3} F''' + \Bigl(\tfrac{N^2}{8}
                 - \tfrac{N}{4}\Bigr) F'''' + \dots

and, with d = d/dN this time, its inverse

.. math::  F(\eta) = e^{\eta (e^d - 1 - d)} F_N |_{N = \eta}.

Orders are counted as in the learning series: a derivative is one order of 1/eta, a factor of N
takes one back. A term N^p d^j is of order j - p, and since p <= j/2 an order k ends at 2 k
derivatives. On polynomials of degree k + 1 in N, order k is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import sympy as sp

from fieldtheory.ground.checks import choice, count
from fieldtheory.ground.errors import InvalidInput

N = sp.Symbol("N", positive=True)
ENSEMBLES = ("poisson", "fixed")


class Term(NamedTuple):
    """number * N^power * d^derivatives; `order` is derivatives - power."""

    number: sp.Rational
    power: int
    derivatives: int

    @property
    def order(self) -> int:
        """The power of 1/eta the term costs."""
        return self.derivatives - self.power


@cache
def weight(derivatives: int, to: str = "fixed") -> sp.Poly:
    r"""What multiplies the derivative of that order: a polynomial in N of degree derivatives / 2.

    to  "fixed": from the Poisson average to exactly N samples,
        sum_i C(N, i) (-N)^{j - i} / (j - i)!, a Charlier polynomial;
        "poisson": from N to the average, the central moment of a Poisson number over j!.

    >>> [weight(j).as_expr() for j in range(5)]
    [1, 0, -N/2, N/3, N**2/8 - N/4]
    >>> [weight(j, to="poisson").as_expr() for j in range(5)]
    [1, 0, N/2, N/6, N**2/8 + N/24]
    """
    size = count("derivatives", derivatives)
    direct = choice("to", to, ENSEMBLES) == "fixed"
    # j w_j = N sum_m m l_m w_{j - m}, from the logarithmic derivative of e^{N l}
    total = sp.Poly(int(size == 0), N)
    for m in range(2, size + 1):
        slope = sp.Integer(-1) ** (m + 1) if direct else 1 / sp.factorial(m - 1)
        total += weight(size - m, to) * sp.Poly(slope * N / size, N)
    return total


def terms(order: int, to: str = "fixed") -> tuple[Term, ...]:
    """The terms of exactly that order in 1/eta, fewest derivatives first.

    >>> [str(t.number * N**t.power) + f" d^{t.derivatives}" for t in terms(2)]
    ['N/3 d^3', 'N**2/8 d^4']
    """
    order = count("order", order)
    found = (
        Term(weight(power + order, to).coeff_monomial(N**power), power, power + order)
        for power in range(order + 1)
    )
    return tuple(term for term in found if term.number != 0)


def correction(order: int, to: str = "fixed") -> sp.Expr:
    """The operator through `order` written on F0, F1, F2, ..., symbols for F and its derivatives:
    ready to compile.

    >>> correction(2)
    F0 - F2*N/2 + F3*N/3 + F4*N**2/8
    """
    return moved(sp.symbols(f"F:{2 * count('order', order) + 1}"), N, order, to)


def moved(derivatives: Sequence[Any], samples: Any, order: int, to: str = "fixed") -> Any:
    """The quantity in the other ensemble through `order`, from its derivatives.

    derivatives  F, F', F'', ... at eta = `samples`, through the 2 * order-th: SymPy expressions
                 or exact numbers.
    samples      the number of samples N, or the mean eta if to = "poisson".

    Raises InvalidInput when derivatives are missing.

    >>> moved([12, 7, 2], samples=3, order=1)       # the average of N^2, eta^2 + eta, at eta = 3
    9
    """
    needed = 2 * count("order", order) + 1
    if len(derivatives) < needed:
        raise InvalidInput(
            f"order = {order} takes {needed} numbers, F and its derivatives through the "
            f"{needed - 1}th; got {len(derivatives)}. Pass zeros if those vanish"
        )
    return sum(
        (
            term.number * samples**term.power * derivatives[term.derivatives]
            for at in range(int(order) + 1)
            for term in terms(at, to)
        ),
        start=sp.S.Zero,
    )


def fixed(expression: sp.Expr, mean: sp.Symbol, order: int) -> sp.Expr:
    """A Poisson average F(eta) at exactly eta samples, through `order`; the answer is a function
    of the same symbol, which now is the number of samples.

    mean  the symbol eta; derivatives are taken with everything else held fixed.

    >>> eta = sp.Symbol("eta")
    >>> fixed(eta**3 + 3 * eta**2 + eta, eta, order=2)       # the third moment of a Poisson number
    eta**3
    """
    return _applied(expression, mean, order, "fixed")


def poisson(expression: sp.Expr, samples: sp.Symbol, order: int) -> sp.Expr:
    """A function F_N of the number of samples, averaged over a Poisson number of them, through
    `order`; the answer is a function of the same symbol, which now is the mean.

    >>> poisson(N**3, N, order=2)
    N**3 + 3*N**2 + N
    """
    return _applied(expression, samples, order, "poisson")


def _applied(expression: sp.Expr, at: sp.Symbol, order: int, to: str) -> sp.Expr:
    if not isinstance(expression, sp.Expr) or not isinstance(at, sp.Symbol):
        raise InvalidInput(
            f"cannot differentiate {expression!r} with respect to {at!r}: give a SymPy expression "
            "and a symbol"
        )
    derivatives = [expression]
    for _ in range(2 * count("order", order)):
        derivatives.append(sp.diff(derivatives[-1], at))
    return sp.expand(moved(derivatives, at, order, to))


def graded(
    orders: Sequence[sp.Expr], mean: sp.Symbol, order: int, to: str = "fixed"
) -> tuple[sp.Expr, ...]:
    """The terms of order 0, 1, ..., `order` in the other ensemble, from those in this one.

    orders  the terms of a series in 1/eta, as functions of the symbol `mean`.

    Raises InvalidInput when a term up to `order` is missing.

    >>> eta, s2 = sp.symbols("eta s2")
    >>> graded((s2 / eta, 0), eta, order=1)                  # at fixed s2 / eta, of order 0
    (s2/eta, -s2/eta**2)
    """
    order = count("order", order)
    if len(orders) <= order:
        raise InvalidInput(
            f"order = {order} needs the terms of order 0 to {order}, got {len(orders)}"
        )
    found = []
    for total in range(order + 1):
        parts = (
            term.number * mean**term.power * sp.diff(orders[total - at], mean, term.derivatives)
            for at in range(total + 1)
            for term in terms(at, to)
        )
        found.append(sp.Add(*parts))
    return tuple(found)
