"""Functions of log eta from as few nodes as tell the others.

`fixed.interpolate` asks for nine Chebyshev nodes at first, and for eight more at a time. On points
each of them is a solution of seconds or minutes, and a curve of few sizes hardly bends: three of
the nine are found first, then two more, then four at a time. As soon as those before foretell the
new ones, and the answers that are read off, all other nodes are taken from their interpolation.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.polynomial import chebyshev

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.model.diagrams.colatitude import Indices
from fieldtheory.model.diagrams.fixed import FIRST, Smooth

FORETOLD = 3e-3  # relative; all nodes together are better by about as much again
MANY, ENOUGH, OTHERS = 13, 1e-3, 5e-3  # of so many, the first function and all that count
STRIDES, LATER = (4, 2, 1), (2, 1)  # among the first nodes, and among those that follow


class Nodes:
    """`evaluate` of `fixed.interpolate`, without solutions to start from.

    row       from a mean to functions of it; empty where they have no value
    answers   what is read off an interpolation in the end
    counted   the functions that must be foretold
    expect    told how many nodes are asked for next
    """

    def __init__(
        self,
        row: Callable[[float], Array],
        answers: Callable[[Smooth], Array],
        counted: Sequence[int] = (0,),
        expect: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.row, self.answers, self.expect = row, answers, expect
        self.counted = list(counted)
        self.width = 1
        self._begin()

    def _begin(self) -> None:
        self.eta, self.rows = np.zeros(0), np.zeros((0, 1))
        self.broken = False
        self.last: Smooth | None = None
        self.curve: Smooth | None = None

    def __call__(self, eta: Array, _: Array | None) -> tuple[Array, Array]:
        """(functions, nothing), a row for each mean; NaN where there is no value."""
        if eta.size > FIRST:
            self._begin()
        found: dict[int, Array] = {}
        for group in _groups(eta, STRIDES if eta.size > FIRST else LATER):
            if self.curve is None:
                self.expect(group.size)
                found |= {int(i): self.row(float(eta[i])) for i in group}
                self._learn(eta[group], [found[int(i)] for i in group])
        return self._whole(eta, found), np.zeros((eta.size, 1))

    def _learn(self, eta: Array, rows: list[Array]) -> None:
        """Look whether these nodes were foretold. A piece with a hole is left to `pieces`."""
        self.width = max(self.width, *(row.size for row in rows))
        self.broken = self.broken or not all(row.size for row in rows)
        if self.broken:
            return
        new, before = np.array(rows), self.last
        self.eta = np.concatenate([self.eta, eta])
        self.rows = np.vstack([self.rows, new]) if before else new
        self.last = through(self.eta, self.rows)
        if before is not None and self._foretold(before, self.last, eta, new):
            self.curve = self.last

    def _foretold(self, before: Smooth, after: Smooth, eta: Array, new: Array) -> bool:
        """Whether these nodes were, and the answers would be the same without them. Answers take
        derivatives: where nodes are foretold to many digits, or there are many, more of them would
        add but the noise of each, which is above rounding as pairs turn from near to far."""
        old = before.poisson(eta)
        nodes, first = self._off(old, new), float(np.max(np.abs(old[:, 0] / new[:, 0] - 1)))
        if self.eta.size >= MANY and first <= ENOUGH and nodes <= OTHERS:
            return True
        if nodes > FORETOLD:
            return False
        return nodes <= FORETOLD**2 or self._off(*map(self.answers, (before, after))) <= FORETOLD

    def _off(self, old: Array, new: Array) -> float:
        """How far the old are from the new, relative."""
        one, two = old[:, self.counted], new[:, self.counted]
        if np.any(two == 0):
            return np.inf
        return float(np.max(np.abs(one / two - 1), initial=0.0))

    def _whole(self, eta: Array, found: dict[int, Array]) -> Array:
        if self.curve is None:
            none = np.full(self.width, np.nan)
            return np.array([found[i] if found[i].size else none for i in range(eta.size)])
        values = self.curve.poisson(eta)
        for i, row in found.items():
            values[i] = row
        return values


def _groups(eta: Array, strides: Sequence[int]) -> list[Indices]:
    """Nodes in the order in which they are found."""
    rising, left = np.argsort(eta), np.ones(eta.size, dtype=bool)
    groups = []
    for stride in strides:
        groups.append(rising[::stride][left[::stride]])
        left[::stride] = False
    return groups


def through(eta: Array, rows: Array) -> Smooth:
    """The polynomials in log eta through these rows, or through their logarithms where all of a
    column are positive.

    >>> eta = np.array([1.0, 2.0, 4.0])
    >>> through(eta, eta[:, None] ** 1.5).poisson(np.array([3.0])).round(12).tolist()
    [[5.196152422707]]
    """
    place = np.log(eta)
    low, high = float(place.min()), float(place.max())
    logarithmic = np.all(rows > 0, axis=0)
    values = np.where(logarithmic, np.log(np.where(logarithmic, rows, 1.0)), rows)
    inside = 2 * (place - low) / (high - low) - 1
    found = chebyshev.chebfit(inside, values, eta.size - 1)
    return Smooth(low, high, frozen(found), logarithmic, 0.0)
