"""What the columns of a curve are: degrees, kinds of modes, or on data octaves of modes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.modes import Spectral

LEFT = "in no mode"


@dataclass(frozen=True)
class Parts:
    """Consecutive modes taken together: where each group starts, and its name.

    >>> octaves(5).names, octaves(5).summed(np.arange(1.0, 6.0)).tolist()
    (('mode 1', 'modes 2-3', 'modes 4-5'), [1.0, 5.0, 9.0])
    """

    starts: Sequence[int]
    names: tuple[str, ...]

    def summed(self, values: Array) -> Array:
        """Sums over each group along the last axis."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=-1))

    def averaged(self, values: Array, weights: Array) -> Array:
        """Means over each group along the last axis, weighted; plain where all weights vanish."""
        weight = self.summed(weights)
        empty = np.repeat(weight == 0, np.diff([*self.starts, values.shape[-1]]))
        weights = np.where(empty, 1.0, weights)
        return np.asarray(self.summed(values * weights) / self.summed(weights))


def kinds(modes: Spectral) -> tuple[str, ...]:
    """Names of the kinds of modes: degrees, wave vectors, or indices."""
    labels = getattr(modes, "labels", range(modes.eigenvalues.size))
    return tuple(f"mode {label}" for label in labels)


def octaves(count: int) -> Parts:
    """Modes 1, 2-3, 4-7, 8-15, ..., counted from the largest eigenvalue."""
    starts = [2**k - 1 for k in range(int(count).bit_length())]
    ends = [*starts[1:], count]
    names = [
        f"mode {a + 1}" if b == a + 1 else f"modes {a + 1}-{b}"
        for a, b in zip(starts, ends, strict=True)
    ]
    return Parts(starts, tuple(names))
