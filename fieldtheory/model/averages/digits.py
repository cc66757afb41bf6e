r"""Mehler's expansion to any number of digits, for activations analytic near the real line.

The trapezium rule over the whole line converges geometrically then. Its step is halved until the
coefficients exhaust <phi^2> to the precision of the context (Parseval), as they cannot unless the
rule is exact to it. With x = sqrt(q) z and a_k = <phi(x) He_k(z)> / sqrt(k!), the polynomials come
from the three-term recurrence in whole numbers, rescaled by powers of two; even and odd degrees
apart, so that a function with a parity costs half.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import log, pi, sqrt
from typing import Any

import numpy as np

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.averages.expansion import Expansion
from fieldtheory.model.averages.whole import back, bits_of, whole

FIRST, LAST = 2, 7  # the step is 2^-2 .. 2^-7 standard deviations
DEGREES_AT_MOST = 20_000
TELLING = 32  # degrees from which their fall is told
SPARE = 2  # digits that the sum over many terms loses to rounding
KEPT = 64
Precise = Callable[[Any, Any], Any]


def precise_expansion(function: Precise, name: str, q: Any) -> Expansion:
    """The expansion at the variance q, a number of mpmath; `function(z, context)` computes phi.

    Raises `OutOfRegime` for a function that is not analytic, or varies too fast.
    """
    return _expansion(function, name, q, q.context.dps, q.context)


@lru_cache(maxsize=KEPT)
def _expansion(function: Precise, name: str, q: Any, digits: int, context: Any) -> Expansion:
    width = sqrt(2 * digits * log(10))  # e^(-width^2/2) is 10^-digits
    power, needed = FIRST, 0.0
    while power <= LAST and needed < DEGREES_AT_MOST:
        degrees = _degrees(power, width)
        rule = _Rule(function, q, power, int(sqrt(2) * width * 1.1 * 2**power) + 1, context)
        found, rest = rule.coefficients(degrees, context.mpf(10) ** (SPARE - digits))
        if found is not None:
            square = np.array([rule.square])
            return Expansion(np.array([q]), found[None, :], None, square, None, None, ())
        # for an analytic function what is left falls as e^(-c sqrt(k)): how far it must go is then
        # known early, and an estimate that keeps growing means a function that is not
        if degrees >= TELLING:
            before, needed = needed, degrees * (digits * log(10) / -min(rest, -1e-3)) ** 2
            if before and needed > 2 * before:
                break
        power += 1
        while power < LAST and _degrees(power, width) < 1.05 * needed:
            power += 1
    raise OutOfRegime(
        f"activation {name!r} at variance {context.nstr(q, 5)}: its Hermite coefficients do not "
        f"reach {digits} digits. It is not analytic, or varies too fast: ask for fewer digits, or "
        "for a float64 spectrum"
    )


def _degrees(power: int, width: float) -> int:
    """The polynomials that the rule with step 2^-power resolves."""
    return min(DEGREES_AT_MOST, int(max(2.0, pi * 2**power - width / 2) ** 2))


class _Rule:
    """The trapezium rule with step 2^-power on z = 0, step, ..., the values at +z and -z."""

    def __init__(self, function: Precise, q: Any, power: int, count: int, context: Any) -> None:
        self.context, self.power = context, power
        self.bits = bits_of(context)
        self.steps = np.array(range(count + 1), object)
        z = [context.ldexp(context.mpf(k), -power) for k in range(count + 1)]
        density = np.array([context.exp(-x * x / 2) for x in z])
        density[0] /= 2  # it is met from both sides
        density = density / (2 * density.sum())
        up, down = (
            np.array([function(sign * context.sqrt(q) * x, context) for x in z]) for sign in (1, -1)
        )
        self.square = (up**2 + down**2) @ density
        self.even = whole(up + down, self.bits, context)
        self.odd = whole(up - down, self.bits, context)
        # far out the recurrence grows by e^(z^2/4): the density needs as many digits again
        self.density = whole(density, 2 * self.bits, context)

    def coefficients(self, degrees: int, goal: Any) -> tuple[Any, float]:
        """a_0, a_1, ... until their squares leave `goal` of <phi^2>, or None if `degrees` do not;
        and the logarithm of what they leave."""
        context, rest, found = self.context, self.square, []
        chains = self._chain(0, self.even), self._chain(1, self.odd)
        for k in range(degrees):
            found.append(next(chains[k % 2], context.zero))
            rest = rest - found[-1] ** 2
            if abs(rest) < goal * self.square:
                return np.array(found), float(context.log(goal))
        return None, float(context.log(abs(rest) / self.square))

    def _chain(self, k: int, part: Any) -> Iterator[Any]:
        """a_k, a_(k+2), ... from the even or the odd part of the values; nothing if that is zero.

        He_{k+2} = (z^2 - 2 k - 1) He_k - k (k - 1) He_{k-2}
        """
        if not np.any(part):
            return
        context, power = self.context, 2 * self.power
        squares, before = self.steps**2, 0 * self.density
        now = self.steps * self.density >> self.power if k else self.density
        factorial = context.one  # k! / 4^s, while `now` is He_k / 2^s times the density
        while True:
            total = back(int(part @ now), 3 * self.bits, context)
            yield total / context.sqrt(factorial)
            above = (squares - (2 * k + 1 << power)) * now >> power
            before, now = now, above - k * (k - 1) * before
            factorial *= (k + 1) * (k + 2)
            k += 2
            if factorial > 4:
                shift = int(context.log(factorial, 4))
                before, now = before >> shift, now >> shift
                factorial = context.ldexp(factorial, -2 * shift)
