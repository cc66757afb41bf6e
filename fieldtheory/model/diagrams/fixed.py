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
MARGIN = 0.4  # of log eta beyond the first and the last size
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
        long, short = sorted((self.coefficients, other.coefficients), key=len, reverse=True)
        total = long.copy()
        total[: len(short)] += short
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
    """No interpolation: `broken` are the means where the function has no value, if any."""

    def __init__(self, broken: Array) -> None:
        super().__init__(broken)
        self.broken = broken


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
    intervals = FIRST
    while intervals < LAST:
        intervals *= 2
        new = _nodes(low, high, intervals)[1::2]
        coarse = _fitted(low, high, values, 0.0)
        start = _fitted(low, high, solutions, 0.0).poisson(new)
        more, others = _defined(evaluate, new, start)
        off = float(np.max(np.abs(coarse.poisson(new)[:, 0] / more[:, 0] - 1)))
        values, solutions = _woven(values, more), _woven(solutions, others)
        if off <= accuracy:
            return _fitted(low, high, values, off)
    raise Unsmooth(np.zeros(0))


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
    keeps its distance from means where it has no value. Sizes that are in no piece are left out.

    most  a mean where it is known to have no value
    """
    found: list[tuple[Smooth, Chosen]] = []
    left: list[Chosen] = [samples > 0]
    holes = np.array([0.0, most])
    while left:
        inside = left.pop()
        chosen = np.log(samples[inside])
        if not chosen.size:
            continue
        middle = (chosen.min() + chosen.max()) / 2
        halves = [inside & (np.log(samples) > middle), inside & (np.log(samples) <= middle)]
        if np.ptp(chosen) > WIDEST:
            left += halves
            continue
        high = min(chosen.max() + MARGIN, float(np.log((samples[inside].max() + most) / 2)))
        try:
            found.append((interpolate(evaluate, chosen.min() - MARGIN, high, accuracy), inside))
        except Unsmooth as failed:
            if failed.broken.size:
                holes = np.sort(np.concatenate([holes, failed.broken]))
                left += [inside & part for part in _between(holes, samples, most)]
            elif np.ptp(chosen) > 0:
                left += halves
    return tuple(found)


def _between(holes: Array, samples: Array, most: float) -> list[Chosen]:
    """The sizes between two holes and away from them; a known end needs no distance."""
    away = np.exp(2 * MARGIN)
    return [
        (samples > a * away) & (samples < (b if b == most else b / away))
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
