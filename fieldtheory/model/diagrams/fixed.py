r"""From a Poisson to a fixed number of samples, along a whole curve.

Averages over a Poisson number of samples are smooth in the logarithm of its mean eta. They are
found at Chebyshev nodes, twice as many until the last interpolation foretold the new nodes, and

.. math:: F_N = F - \frac{N}{2} F'' + \frac{N}{3} F''' + \frac{N^2}{8} F'''' - \dots
          \quad\text{at}\quad \eta = N

takes the derivatives of the interpolation. The first term is of relative order 1/N, the other two
1/N^2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.polynomial import chebyshev

from fieldtheory.ground.arrays import Array, frozen

FIRST, LAST = 8, 64  # intervals between nodes
WIDEST = 6.0  # of log eta in one piece
FORETOLD = 1e-5
HELPED, NOISE = 2.0, 0.05  # how much twice the nodes must help where they are off by less than this
TRIES = 24  # of an interpolation, in all pieces of a curve
MARGIN = 0.4  # of log eta beyond the first and the last size
CLOSE = 0.1  # of log eta between a size and a mean above it that has no value
ORDERS = 5  # derivatives 0 .. 4
Chosen = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, eq=False)
class Smooth:
    """Functions of log eta by their Chebyshev coefficients on [low, high].

    coefficients (order + 1, functions) of each function, or of its logarithm where `logarithmic`
    foretold  how far the interpolation with half the nodes was off, relative
    """

    low: float
    high: float
    coefficients: Array
    logarithmic: Chosen
    foretold: float

    def times(self, other: "Smooth") -> "Smooth":
        """The product of the logarithmic functions with those of `other`, on the same range; other
        functions stay as they are."""
        both = self.logarithmic & other.logarithmic
        terms = max(len(self.coefficients), len(other.coefficients))
        total = np.zeros((terms, both.size))
        total[: len(self.coefficients)] = self.coefficients
        total[: len(other.coefficients)] += np.where(both, other.coefficients, 0)
        foretold = self.foretold + other.foretold
        return Smooth(self.low, self.high, frozen(total), self.logarithmic, foretold)

    def poisson(self, samples: Array) -> Array:
        """Their values at the Poisson means `samples`: (sizes, functions)."""
        found = self._derivative(samples, 0)
        return np.where(self.logarithmic, np.exp(np.where(self.logarithmic, found, 0)), found)

    def fixed(self, samples: Array) -> tuple[Array, Array]:
        """Their values at fixed numbers of samples, and the second-order part of these."""
        value, *rates = self._rates(samples)
        N = samples[:, None]
        second = rates[1] - rates[0]
        third = rates[2] - 3 * rates[1] + 2 * rates[0]
        fourth = rates[3] - 6 * rates[2] + 11 * rates[1] - 6 * rates[0]
        correction = third / (3 * N**2) + fourth / (8 * N**2)
        return value - second / (2 * N) + correction, correction

    def _rates(self, samples: Array) -> list[Array]:
        """Values and the first four derivatives by log eta."""
        p = [self._derivative(samples, k) for k in range(ORDERS)]
        grown = [
            np.ones_like(p[0]),
            p[1],
            p[2] + p[1] ** 2,
            p[3] + 3 * p[1] * p[2] + p[1] ** 3,
            p[4] + 4 * p[1] * p[3] + 3 * p[2] ** 2 + 6 * p[1] ** 2 * p[2] + p[1] ** 4,
        ]
        value = self.poisson(samples)
        return [np.where(self.logarithmic, value * g, q) for g, q in zip(grown, p, strict=True)]

    def _derivative(self, samples: Array, order: int) -> Array:
        half = (self.high - self.low) / 2
        place = (np.log(samples) - self.low) / half - 1
        slope = chebyshev.chebder(self.coefficients, order, scl=1 / half)
        return np.asarray(chebyshev.chebvander(place, len(slope) - 1) @ slope)


class Unsmooth(Exception):
    """No interpolation: `broken` are the means where the function has no value, if any; `improving`
    tells whether more nodes still helped, so that a shorter range is worth a try."""

    def __init__(self, broken: Array, improving: bool = False) -> None:
        super().__init__(broken, improving)
        self.broken, self.improving = broken, improving


def interpolate(
    evaluate: Callable[[Array, Array | None], tuple[Array, Array]],
    low: float,
    high: float,
    accuracy: float = FORETOLD,
) -> Smooth:
    """`evaluate` as a smooth function of log eta on [low, high].

    evaluate  (eta, start) to (functions, solutions), one a row; start holds solutions interpolated
              at eta, or None at first. The first function is the one whose accuracy counts; NaN
              where there is no solution
    accuracy  to which half the nodes must foretell the others, relative; all together are then
              better by about as much again, unless `evaluate` itself is not

    Raises `Unsmooth` where there is no solution, and where 64 intervals do not suffice.
    """
    values, solutions = _defined(evaluate, _nodes(low, high, FIRST), None)
    intervals, before, off = FIRST, np.inf, np.inf
    while intervals < LAST and not _noisy(before, off):
        intervals *= 2
        new = _nodes(low, high, intervals)[1::2]
        coarse = _fitted(low, high, values, 0.0)
        start = _fitted(low, high, solutions, 0.0).poisson(new)
        more, others = _defined(evaluate, new, start)
        before, off = off, float(np.max(np.abs(coarse.poisson(new)[:, 0] / more[:, 0] - 1)))
        values, solutions = _woven(values, more), _woven(solutions, others)
        if off <= accuracy:
            return _fitted(low, high, values, off)
    raise Unsmooth(np.zeros(0), not _noisy(before, off))


def _noisy(before: float, off: float) -> bool:
    """Whether twice the nodes did not help where they should have."""
    return before < NOISE and off > before / HELPED


def _defined(
    evaluate: Callable[[Array, Array | None], tuple[Array, Array]], eta: Array, start: Array | None
) -> tuple[Array, Array]:
    values, solutions = evaluate(eta, start)
    broken = eta[~np.all(np.isfinite(values), axis=1)]
    if broken.size:
        raise Unsmooth(broken)
    return values, solutions


def pieces(
    evaluate: Callable[[Array, Array | None], tuple[Array, Array]],
    samples: Array,
    most: float = np.inf,
    accuracy: float = FORETOLD,
) -> tuple[tuple[Smooth, Chosen], ...]:
    """`evaluate` interpolated piece by piece, and which sizes each piece is for.

    A piece is at most a factor of e^WIDEST wide, is halved where the function is not smooth, and
    ends before means where it has no value. Sizes that are in no piece, and those of pieces that no
    number of nodes makes smooth or that come after TRIES others, are left out.

    most  a mean where it is known to have no value
    """
    found: list[tuple[Smooth, Chosen]] = []
    left: list[tuple[Chosen, float, float]] = [(samples > 0, 0.0, most)]  # sizes between two holes
    tries = 0
    while left and tries < TRIES:
        inside, below, above = left.pop()
        some = samples[inside]
        if not some.size:
            continue
        spread = float(np.log(some.max() / some.min()))
        middle = np.sqrt(some.min() * some.max())
        halves = [inside & (samples > middle), inside & (samples <= middle)]
        if spread > WIDEST:
            left += [(half, below, above) for half in halves]
            continue
        tries += 1
        try:
            piece = interpolate(evaluate, *_ends(some, above), accuracy)
            found.append((piece, inside))
        except Unsmooth as failed:
            if failed.broken.size:
                left += _between([below, *np.sort(failed.broken), above], samples, inside, most)
            elif failed.improving and spread > 0:
                left += [(half, below, above) for half in halves]
    return tuple(found)


def _ends(samples: Array, above: float) -> tuple[float, float]:
    """log eta somewhat beyond the smallest and the largest size, halfway to a hole above."""
    high = min(np.log(samples.max()) + MARGIN, np.log((samples.max() + above) / 2))
    return float(np.log(samples.min()) - MARGIN), float(high)


def _between(
    holes: list[float], samples: Array, inside: Chosen, most: float
) -> list[tuple[Chosen, float, float]]:
    """The sizes between two holes: well above the one, where an order has just begun to hold, and
    not too close below the other; a known end needs no distance."""
    return [
        (
            inside
            & (samples > a * np.exp(2 * MARGIN))
            & (samples < (b if b == most else b / np.exp(CLOSE))),
            a,
            b,
        )
        for a, b in pairwise(holes)
    ]


def _nodes(low: float, high: float, intervals: int) -> Array:
    turn = np.pi * np.arange(intervals + 1) / intervals
    return np.asarray(np.exp(low + (high - low) * np.sin(turn / 2) ** 2))


def _woven(old: Array, new: Array) -> Array:
    found = np.empty((len(old) + len(new), old.shape[1]))
    found[::2], found[1::2] = old, new
    return found


def _fitted(low: float, high: float, values: Array, foretold: float) -> Smooth:
    from scipy.fft import dct

    logarithmic = np.all(values > 0, axis=0)
    rows = np.where(logarithmic, np.log(np.where(logarithmic, values, 1)), values)
    coefficients = dct(rows[::-1], type=1, axis=0) / (len(rows) - 1)
    coefficients[[0, -1]] /= 2
    return Smooth(low, high, frozen(coefficients), logarithmic, foretold)
