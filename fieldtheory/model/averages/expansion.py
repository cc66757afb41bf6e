r"""Covariances of any activation as power series in the correlation: Mehler's expansion.

.. math:: \langle \phi(u)\phi(v) \rangle = \sum_k a_k(q)^2 p^k, \qquad
          q \langle \phi'(u)\phi'(v) \rangle = \sum_k k\, a_k(q)^2 p^{k-1}

so that the slope of the activation is not needed, and with it the derivatives with respect to q,

.. math:: 2 q\, \partial_q a_k = k\, a_k + \sqrt{(k+1)(k+2)}\; a_{k+2}

The series ends where coefficients fall below rounding, at the latest after `TERMS`. What is then
left of <phi^2>, the remainder, is put on the next power: p = 1 is exact, and in between the error
is below the remainder. Where a kernel is evaluated to learn what its own formula loses (see
`projection`), the remainder is left out and every coefficient is moved by its rounding error, so
that both are part of the errors a spectrum states.

A kink at zero is taken out first, as c |u| (`bend`); a_k are then the coefficients of what remains,
kappa_k those of |u|, and

.. math:: \langle \phi(u)\phi(v) \rangle = c^2 \langle |u| |v| \rangle
          + \sum_k (a_k^2 + 2 c\, \kappa_k a_k)\, p^k
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.averages import bend
from fieldtheory.model.averages.dual import Dual
from fieldtheory.model.averages.jet import Jet
from fieldtheory.model.averages.quadrature import EPS, nodes
from fieldtheory.model.averages.whole import horner

FIRST_TERMS, TERMS = 64, 2048
SPARE = 8  # coefficients below rounding that end the series
KEPT = 512  # expansions remembered: a few for each layer of a deep network
Function = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Expansion:
    """Hermite coefficients of phi(sqrt(q) z) - c |sqrt(q) z|, for one variance or several.

    `coefficients` has shape (variances, terms), degree 0 first, and `rounding` bounds the error of
    each. `variances`, `square` = <phi^2>, `growth` = d<phi^2>/dq and `slope_square` = <phi'^2>
    (None unless the slope is known), all of the whole phi, have shape (variances,). `shape` is that
    of q as it was given, `bend` is c.
    For many digits the entries are numbers of mpmath.
    """

    variances: Any
    coefficients: Any
    rounding: Any
    square: Any
    growth: Any
    slope_square: Any
    shape: tuple[int, ...]
    bend: float = 0.0

    @cached_property
    def kinked(self) -> Any:
        """The coefficients of c |u|, as many as are listed."""
        if not self.bend:
            return np.zeros_like(self.coefficients)
        return self.bend * bend.coefficients(self.variances, self.coefficients.shape[1])

    @cached_property
    def terms(self) -> Any:
        """The coefficients of p^k, but for those of c^2 <|u| |v|>."""
        return self.coefficients * (self.coefficients + 2 * self.kinked)

    @cached_property
    def remainder(self) -> Any:
        """What the listed terms leave of <phi^2>, for each variance."""
        rest = self.square - self.bend**2 * self.variances - np.sum(self.terms, axis=1)
        return np.where(np.abs(rest) > 16 * EPS * self.square, rest, 0.0)

    @cached_property
    def neglected(self) -> float:
        """The remainder as a fraction of <phi^2>, at the worst of the variances."""
        return float(np.max(np.abs(self.remainder) / self.square))

    @cached_property
    def parity(self) -> int:
        """-1 if only odd powers occur, +1 if only even ones, else 0."""
        even, odd = (bool(np.any(self.coefficients[:, first::2])) for first in (0, 1))
        return int(even) - int(odd)

    def series(self, order: int, shaken: bool = False) -> Any:
        """Coefficients in p of the `order`-th derivative of the covariance with respect to p."""
        if not shaken:
            return self._derived(self.terms, order, self.remainder)
        error = self.rounding[:, None]
        moved = self.terms + error * (2 * np.abs(self.coefficients + self.kinked) + error)
        if self.parity:
            moved[:, (self.parity + 1) // 2 :: 2] = 0.0
        return self._derived(moved, order, None)

    def variance_series(self, order: int) -> Any:
        """The same for its derivative with respect to the variance, p held."""
        a, k = self.coefficients, np.arange(float(self.coefficients.shape[1]))
        above = np.zeros_like(a)
        above[:, :-2] = a[:, 2:]
        moving = k * a + np.sqrt((k + 1) * (k + 2)) * above  # 2 q times their derivative
        c = ((a + self.kinked) * moving + self.kinked * a) / self.variances[:, None]
        rest = self.growth - self.bend**2 - np.sum(c, axis=1)
        return self._derived(c, order, rest * (self.remainder != 0))

    def _derived(self, c: Any, order: int, rest: Any) -> Any:
        """Coefficients of the derivative, `rest` being what belongs on the next power."""
        if rest is not None and np.any(rest != 0):
            power = c.shape[1] + (c.shape[1] % 2 == (self.parity == -1)) * bool(self.parity)
            longer = np.zeros((len(c), power + 1), c.dtype)
            longer[:, : c.shape[1]] = c
            longer[:, power] = rest
            if order == 1 and self.slope_square is not None and rest is self.remainder:
                slopes = self.variances * (self.slope_square - self.bend**2)
                longer[:, power] = (slopes - c @ np.arange(c.shape[1])) / power
            c = longer
        for _ in range(order):
            c = c[:, 1:] * np.arange(1.0, c.shape[1])
        return c if c.shape[1] else np.zeros((len(c), 1))


@dataclass(frozen=True, eq=False)
class Moments:
    """<phi^2> and its derivative by the variance, of the shape of q as it was given."""

    square: Any
    growth: Any

    def at(self, q: Any) -> Any:
        """<phi^2>, with whatever derivatives q carries."""
        return q.scaled(self.square, self.growth) if isinstance(q, Dual) else self.square


def moments(function: Function, name: str, q: Any) -> Moments:
    """The two averages, without an expansion; remembered."""
    given = np.asarray(q, dtype=float)
    return _moments(function, name, given.tobytes(), given.shape)


@lru_cache(maxsize=KEPT)
def _moments(function: Function, name: str, data: bytes, shape: tuple[int, ...]) -> Moments:
    variances = np.frombuffer(data).copy()
    rule = nodes(function, name, variances, 0)
    if not np.all(rule.square > 0):
        raise InvalidInput(f"{name!r} is zero at every input: it passes nothing on")
    square, growth = rule.square.reshape(shape), rule.growth(variances).reshape(shape)
    return Moments(square if shape else float(square), growth if shape else float(growth))


def expansion(function: Function, name: str, slope: Function | None, q: Any) -> Expansion:
    """The expansion at one variance or an array of them; remembered."""
    given = np.asarray(q, dtype=float)
    return _expansion(function, name, slope, given.tobytes(), given.shape)


@lru_cache(maxsize=KEPT)
def _expansion(
    function: Function, name: str, slope: Function | None, data: bytes, shape: tuple[int, ...]
) -> Expansion:
    variances = np.frombuffer(data).copy()
    terms, c = FIRST_TERMS, bend.bend(function)
    while True:
        rule = nodes(function, name, variances, terms)
        kinked = c * np.sqrt(variances)[:, None] * np.abs(rule.z)
        a, square = replace(rule, values=rule.values - kinked).coefficients(terms), rule.square
        if not np.all(square > 0):
            raise InvalidInput(f"{name!r} is zero at every input: it passes nothing on")
        rounding = 8 * EPS * np.sqrt(square)
        told = np.any(np.abs(a) > rounding[:, None], axis=0)
        used = int(np.max(np.flatnonzero(told), initial=0)) + 1
        if used <= terms - SPARE or terms >= TERMS:
            break
        terms *= 2
    slopes = np.ravel(moments(slope, f"slope of {name}", variances).square) if slope else None
    growth = rule.growth(variances)
    return Expansion(variances, a[:, :used], rounding, square, growth, slopes, shape, c)


def average(found: Expansion, q: Any, p: Any, xp: Any, order: int) -> Any:
    """The `order`-th derivative of the covariance by p, with whatever derivatives q and p carry."""
    at = p.value if isinstance(p, Dual) else p
    same = isinstance(at, float)  # the two inputs are one: p = 1, nothing is lost
    shaken = not same and xp.clip(xp.one, -1, 1) != xp.one
    total = polynomial(found.series(order, shaken), at, found.shape)
    if isinstance(p, Dual):
        total = p.scaled(total, polynomial(found.series(order + 1, shaken), at, found.shape))
    if isinstance(q, Dual):
        total = total + q.scaled(0.0, polynomial(found.variance_series(order), at, found.shape))
    return total + found.bend**2 * bend.average(q, p, xp, order) if found.bend else total


def polynomial(coefficients: Any, p: Any, shape: tuple[int, ...]) -> Any:
    """sum_k c_k p^k; `coefficients` has shape (variances, terms), `shape` broadcasts against p."""
    for first in (0, 1):
        if coefficients.shape[1] > 2 and not np.any(coefficients[:, 1 - first :: 2]):
            half = polynomial(coefficients[:, first::2], p * p, shape)
            return half * p if first else half
    rows = [row.reshape(shape) if shape else row[0] for row in coefficients.T]
    if coefficients.dtype == object:
        return horner(rows, p, rows[0].context)
    if isinstance(p, Jet):
        return _blocks(rows, p)
    total = rows[-1] + 0 * p
    for row in rows[-2::-1]:
        total = total * p + row
    return total


def _blocks(rows: list[Any], p: Jet) -> Jet:
    """Paterson and Stockmeyer: 2 sqrt(n) products of series instead of n."""
    size = max(1, round(len(rows) ** 0.5))
    powers = [p**0, p]
    while len(powers) <= size:
        powers.append(powers[-1] * p)
    total: Jet | None = None
    for start in reversed(range(0, len(rows), size)):
        part = np.zeros_like(p.coefficients)
        for row, each in zip(rows[start : start + size], powers, strict=False):
            part += row * each.coefficients
        total = Jet(part) if total is None else total * powers[size] + Jet(part)
    assert total is not None
    return total
