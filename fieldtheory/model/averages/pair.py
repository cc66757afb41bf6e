r"""Gaussian averages of any function at two variances, as series in the correlation.

.. math:: \langle \phi(u)\phi(v) \rangle = \sum_k a_k(q)\, a_k(r)\, p^k, \qquad
          \sqrt{q r}\, \langle \phi'(u)\phi'(v) \rangle
          = \sum_k k\, a_k(q)\, a_k(r)\, p^{k-1}

for u of variance q, v of variance r, and correlation p: Mehler's expansion (`expansion`) at each. A
kink at zero is taken out of both in closed form. What the listed terms leave is put on the next
power, as the mean of what they leave at q and at r.
"""

from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.averages import bend
from fieldtheory.model.averages.expansion import Expansion
from fieldtheory.model.averages.mehler import Mehler


class Pair:
    """One function at the variances q and r, which broadcast; both averages in one pass.

    >>> cube = Pair(Mehler("cube", lambda z: z**3), 1.0, 4.0)
    >>> [round(float(each), 12) for each in cube.at(0.5, np)]  # (9 p + 6 p^3) (q r)^(3/2)
    [42.0, 54.0]
    """

    def __init__(self, function: Mehler, q: Any, r: Any) -> None:
        self.shapes = np.shape(q), np.shape(r)
        # flat, so that one input has one expansion, be it in a row or in a column
        self.left, self.right = (function(np.atleast_1d(np.ravel(each))) for each in (q, r))
        self.mean = np.sqrt(np.multiply(q, r))
        self.last: Any = None

    def at(self, p: Any, xp: Any) -> tuple[Any, Any]:
        """<phi(u) phi(v)> and <phi'(u) phi'(v)>, of the shape to which q, r and p broadcast."""
        if self.last is None or self.last[0] is not p:
            value, slope = self._series(p)
            if c := self.left.bend:
                value = value + c**2 * bend.average(self.mean, p, xp, 0)
                slope = slope + c**2 * bend.average(self.mean, p, xp, 1)
            self.last = p, (value, slope / self.mean)
        found: tuple[Any, Any] = self.last[1]
        return found

    def _series(self, p: Any) -> tuple[Any, Any]:
        """The sums over the listed terms and the rest, by Horner's rule over the gaps."""
        terms = self._terms()
        ladder: dict[int, Any] = {1: p}
        value, slope = 0.0 * p, 0.0 * p
        before = terms[-1][0]
        for power, term in [*reversed(terms), (0, None)]:
            if gap := before - power:
                if gap not in ladder:
                    ladder[gap], ladder[gap - 1] = p**gap, p ** (gap - 1)
                slope = slope * ladder[gap]
                slope = slope + (gap * ladder[gap - 1] if gap > 1 else 1.0) * value
                value = value * ladder[gap]
            if term is not None:
                value = value + term
            before = power
        return value, slope

    def _terms(self) -> list[tuple[int, Any]]:
        """Powers in increasing order, and what multiplies each."""
        both = self.left, self.right
        count = max(each.coefficients.shape[1] for each in both)
        (a, kink_a), (b, kink_b) = (
            _padded(each, count, shape) for each, shape in zip(both, self.shapes, strict=True)
        )
        terms: list[tuple[int, Any]] = []
        # every second one is zero where there is a parity
        there = [np.any(each.reshape(count, -1), axis=1) for each in (a, b)]
        for k in np.flatnonzero(there[0] | there[1]):
            term = a[k] * b[k]
            if self.left.bend:
                term = term + a[k] * kink_b[k] + kink_a[k] * b[k]
            terms.append((int(k), term))
        rest = [_rest(each, shape) for each, shape in zip(both, self.shapes, strict=True)]
        if power := max(power for power, _ in rest):
            terms.append((power, (rest[0][1] + rest[1][1]) / 2))
        return terms or [(0, 0.0)]


def _padded(found: Expansion, count: int, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """The coefficients of the smooth part and of the kink, `count` each, (count, *shape of q)."""
    smooth = np.zeros((len(found.variances), count))
    smooth[:, : found.coefficients.shape[1]] = found.coefficients
    kinked = found.bend * bend.coefficients(found.variances, count)
    return smooth.T.reshape(count, *shape), kinked.T.reshape(count, *shape)


def _rest(found: Expansion, shape: tuple[int, ...]) -> tuple[int, Any]:
    """The power that stands for the terms not listed, 0 if none is needed, and its coefficient."""
    series = found.series(0)
    if series.shape[1] <= found.coefficients.shape[1]:
        return 0, 0.0
    return series.shape[1] - 1, series[:, -1].reshape(shape)
