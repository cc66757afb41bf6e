"""C M C for one symmetric matrix M after another: what answering to a source spends its time on.

Of the second product one half is the other's mirror image. And a small change of M needs few
digits: where M has moved by a part d of its largest entry, the product moves by what numbers of 24
bits know to d 2^-24.
"""

from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array

STRIP = 128  # rows at a time of the half that is computed
SMALL = 0.02


def sandwiched(C: Any, M: Any) -> Any:
    """C M C of symmetric matrices, in the precision they have.

    >>> C, M = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[0.0, 1.0], [1.0, 1.0]])
    >>> sandwiched(C, M).tolist()
    [[5.0, 10.0], [10.0, 15.0]]
    """
    half, found = C @ M, np.empty_like(C)
    for first in range(0, len(C), STRIP):
        rows = slice(first, first + STRIP)
        found[rows, : first + STRIP] = half[rows] @ C[:, : first + STRIP]
        found[:first, rows] = found[rows, :first].T
    return found


class Sandwich:
    """C M C for matrices M that come closer and closer to one.

    small  a change of M that needs half the digits, relative to its largest entry
    """

    def __init__(self, C: Array, small: float = SMALL) -> None:
        self.C, self.size, self.small = C, float(np.max(np.abs(C))) or 1.0, small
        self.short = (C / self.size).astype(np.float32)
        self.at: Array | None = None
        self.found = np.zeros_like(C)

    def __call__(self, M: Array) -> Array:
        """All digits at first and after a large change of M."""
        step = None if self.at is None else M - self.at
        length = np.inf if step is None else float(np.max(np.abs(step)))
        if step is None or not length <= self.small * float(np.max(np.abs(M))):
            self.found = sandwiched(self.C, M)
        elif length > 0:
            step /= length
            few = sandwiched(self.short, step.astype(np.float32))
            self.found = self.found + np.multiply(few, length * self.size**2, dtype=np.float64)
        self.at = M
        return self.found
