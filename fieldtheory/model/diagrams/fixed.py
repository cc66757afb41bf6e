r"""From a Poisson to a fixed number of samples, along a whole curve.

Averages over a Poisson number of samples are smooth in the logarithm of its mean eta. They are
found at Chebyshev nodes, eight more at a time (in van der Corput's order, so that any number of
them interpolates well), until the interpolation foretells the new ones, and

.. math:: F_N = F - \frac{N}{2} F'' + \frac{N}{3} F''' + \frac{N^2}{8} F'''' - \dots
          \quad\text{at}\quad \eta = N

takes the derivatives of the interpolation. The first term is of relative order 1/N, the other two
1/N^2.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.polynomial import chebyshev

from fieldtheory.ground.arrays import Array, frozen

FIRST, LAST = 8, 64  # intervals between nodes
WIDEST = 6.0  # of log eta in one piece
FORETOLD = 1e-5
SQUARED = 3.0  # times the square of it: what all nodes together may be off by
PLATEAU = 3.0  # times those in the middle: what stands out of coefficients that no longer fall
FALLEN = 10.0  # by which the second half of them falls if they do
HOPELESS = 80  # nodes that would be needed, from which on a piece is rather halved
HELPED, NOISE = 2.0, 0.05  # what the last 16 nodes must help where they are off by less than this
LITTLE = (
    10.0  # what they help where the wanted accuracy is reached and more are not worth their cost
)
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

    def joined(self, other: "Smooth", combine: Callable[[Array, Array], Array]) -> "Smooth":
        """What `combine` makes of the values of both, on the range of `other`, which lies within
        this one."""
        terms = 3 * max(len(self.coefficients), len(other.coefficients)) // 2
        places = -np.cos(np.pi * np.arange(terms + 1) / terms)
        eta = np.exp(other.low + (other.high - other.low) * (1 + places) / 2)
        values = combine(self.poisson(eta), other.poisson(eta))
        return _fitted((other.low, other.high), places, values, self.foretold + other.foretold)

    def chopped(self) -> "Smooth":
        """Without the last coefficients, should half of them no longer fall: they are the noise of
        the nodes, which the fourth derivative multiplies by the eighth power of their number."""
        falling = np.maximum.accumulate(np.abs(self.coefficients)[::-1], axis=0)[::-1]
        middle = falling[len(falling) // 2]
        kept = (falling > PLATEAU * middle) | (middle > FALLEN * falling[-2])
        return replace(self, coefficients=frozen(np.where(kept, self.coefficients, 0.0)))

    def poisson(self, samples: Array) -> Array:
        """Their values at the Poisson means `samples`: (sizes, functions)."""
        found = self._derivative(samples, 0)
        return np.where(self.logarithmic, np.exp(np.where(self.logarithmic, found, 0)), found)

    def fixed(self, samples: Array) -> tuple[Array, Array]:
        """Their values at fixed numbers of samples, and the second-order part of these."""
        value, _, second, third, fourth = self.slopes(samples)
        N = samples[:, None]
        correction = N / 3 * third + N**2 / 8 * fourth
        return value - N / 2 * second + correction, correction

    def slopes(self, samples: Array) -> list[Array]:
        """Values and the first four derivatives by eta."""
        N, (value, *rates) = samples[:, None], self._rates(samples)
        return [
            value,
            rates[0] / N,
            (rates[1] - rates[0]) / N**2,
            (rates[2] - 3 * rates[1] + 2 * rates[0]) / N**3,
            (rates[3] - 6 * rates[2] + 11 * rates[1] - 6 * rates[0]) / N**4,
        ]

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
    tells whether more nodes still helped, so that a shorter range is worth a try; `near`
    interpolates the solutions that were found."""

    def __init__(self, broken: Array, improving: bool = False, near: Smooth | None = None) -> None:
        super().__init__(broken, improving)
        self.broken, self.improving, self.near = broken, improving, near


def interpolate(
    evaluate: Callable[[Array, Array | None], tuple[Array, Array]],
    low: float,
    high: float,
    accuracy: float = FORETOLD,
    near: Smooth | None = None,
) -> Smooth:
    """`evaluate` as a smooth function of log eta on [low, high].

    evaluate  (eta, start) to (functions, solutions), one a row; start holds solutions interpolated
              at eta, or None at first. The first function is the one whose accuracy counts; NaN
              where there is no solution
    accuracy  to which the last interpolation must foretell the new nodes, relative; as errors have
              shrunk on the way, its square is then within reach of all nodes together, unless
              `evaluate` itself is not as smooth
    near      solutions on a range that holds this one, to start from

    Raises `Unsmooth` where there is no solution, and where 64 intervals do not suffice.
    """
    batches, off = _batches(), _Off(accuracy)
    places, values = batches[0], np.zeros((0, 0))
    for count, batch in enumerate(batches):
        eta = np.exp(low + (high - low) * (1 + batch) / 2)
        start = None if near is None else near.poisson(eta)
        more, others = evaluate(eta, start)
        broken = eta[~np.all(np.isfinite(more), axis=1)]
        if broken.size:
            raise Unsmooth(broken, near=near)
        if count == 0:
            values, solutions = more, others
        else:
            coarse = _fitted((low, high), places, values, 0.0)
            off.add(float(np.max(np.abs(coarse.poisson(eta)[:, 0] / more[:, 0] - 1))), len(places))
            places = np.concatenate([places, batch])
            values, solutions = np.vstack([values, more]), np.vstack([solutions, others])
            if off.settled or (off.small and len(places) == LAST + 1):
                return _fitted((low, high), places, values, off.now).chopped()
        near = _fitted((low, high), places, solutions, 0.0)
        if off.hopeless:
            break
    raise Unsmooth(np.zeros(0), not off.noisy, near)


class _Off:
    """How far each interpolation was off at the next nodes, relative, and what follows from it."""

    def __init__(self, accuracy: float) -> None:
        self.accuracy, self.wanted = accuracy, SQUARED * accuracy**2
        self.found: list[float] = []
        self.nodes = 0

    def add(self, off: float, nodes: int) -> None:
        """That of an interpolation with so many nodes."""
        self.found.append(max(off, np.finfo(float).tiny))
        self.nodes = nodes

    @property
    def now(self) -> float:
        return self.found[-1]

    @property
    def small(self) -> bool:
        return self.now <= self.accuracy

    @property
    def rate(self) -> float:
        """The factor by which eight nodes help; no better than on the way from one to here."""
        usual = float(self.now ** (FIRST / self.nodes))
        last = self.now / self.found[-2] if len(self.found) > 1 else 1.0
        return min(max(usual, last), 1.0)

    @property
    def noisy(self) -> bool:
        """Whether the last sixteen nodes did not help where they should have."""
        if len(self.found) < 3:
            return False
        before = self.found[-3]
        return before < NOISE and self.now > before / HELPED

    @property
    def settled(self) -> bool:
        """Small, and soon as small as wanted, or near the accuracy of the function itself."""
        slow = len(self.found) > 2 and self.now > self.found[-3] / LITTLE
        return self.small and (self.now * self.rate <= self.wanted or slow)

    @property
    def hopeless(self) -> bool:
        """Noisy, or in need of far too many nodes."""
        if len(self.found) < 3:
            return False
        rate = min(float(np.sqrt(self.now / self.found[-3])), 1 - 1e-9)
        steps = np.log(self.wanted / self.now) / np.log(rate)
        return self.noisy or bool(self.nodes + FIRST * steps > HOPELESS)


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
    left = [_Range(samples > 0, 0.0, most)]
    tries = 0
    while left and tries < TRIES:
        here = left.pop()
        some = samples[here.inside]
        if not some.size:
            continue
        spread = float(np.log(some.max() / some.min()))
        if spread > WIDEST:
            left += here.halves(samples, None)
            continue
        tries += 1
        try:
            piece = interpolate(evaluate, *_ends(some, here.above), accuracy, here.near)
            found.append((piece, here.inside))
        except Unsmooth as failed:
            if failed.broken.size:
                left += here.between(np.sort(failed.broken), samples, most)
            elif failed.improving and spread > 0:
                left += here.halves(samples, failed.near)
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Range:
    """Sizes between two means without a value, and solutions to start from."""

    inside: Chosen
    below: float
    above: float
    near: Smooth | None = None

    def halves(self, samples: Array, near: Smooth | None) -> list["_Range"]:
        """The larger and the smaller sizes."""
        some = samples[self.inside]
        upper = samples > np.sqrt(some.min() * some.max())
        parts = (self.inside & upper, self.inside & ~upper)
        return [_Range(part, self.below, self.above, near) for part in parts]

    def between(self, broken: Array, samples: Array, most: float) -> list["_Range"]:
        """The sizes between two holes: well above the one, where an order has just begun to hold,
        and not too close below the other; a known end needs no distance."""
        holes = pairwise([self.below, *broken, self.above])
        return [
            _Range(
                self.inside
                & (samples > a * np.exp(2 * MARGIN))
                & (samples < (b if b == most else b / np.exp(CLOSE))),
                a,
                b,
            )
            for a, b in holes
        ]


def _ends(samples: Array, above: float) -> tuple[float, float]:
    """log eta somewhat beyond the smallest and the largest size, halfway to a hole above."""
    high = min(np.log(samples.max()) + MARGIN, np.log((samples.max() + above) / 2))
    return float(np.log(samples.min()) - MARGIN), float(high)


@cache
def _batches() -> tuple[Array, ...]:
    """Chebyshev nodes on [-1, 1], at most eight intervals' worth at a time; all together are those
    of `LAST` intervals."""
    turns, intervals = [np.arange(FIRST + 1) / FIRST], FIRST
    while intervals < LAST:
        intervals *= 2
        odd = np.arange(1, intervals, 2) / intervals
        order = [0]
        while len(order) < odd.size // FIRST:  # van der Corput's: bits in reverse
            order = [2 * i for i in order] + [2 * i + 1 for i in order]
        turns += [odd[i :: len(order)] for i in order]
    return tuple(frozen(-np.cos(np.pi * turn)) for turn in turns)


def _fitted(between: tuple[float, float], places: Array, values: Array, foretold: float) -> Smooth:
    """Through values at `places` on [-1, 1].

    The logarithm of what nearly vanishes somewhere is not smooth: that is taken as it is, should
    its last coefficients be smaller than those of the logarithm, beside its smallest value.
    """
    basis = chebyshev.chebvander(places, len(places) - 1)
    logarithmic = np.all(values > 0, axis=0)
    rows = np.where(logarithmic, np.log(np.where(logarithmic, values, 1)), values)
    coefficients = np.linalg.solve(basis, rows)
    last = slice(3 * len(places) // 4, None)
    rough = np.max(np.abs(coefficients[last]), axis=0, initial=0.0) * np.min(values, axis=0)
    some = np.flatnonzero(logarithmic)
    plain = np.linalg.solve(basis, values[:, some])
    better = np.max(np.abs(plain[last]), axis=0, initial=0.0) < rough[some]
    coefficients[:, some[better]] = plain[:, better]
    logarithmic[some[better]] = False
    return Smooth(*between, frozen(coefficients), logarithmic, foretold)
