r"""One large fixed point: Anderson's method on a matrix, with little memory and few passes over it.

As `solver`, which takes many small problems at once; here the unknown is one matrix of millions of
entries, so that every copy counts. Sources as there.
"""

from collections.abc import Callable

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams.solver import DEPENDENT, GROWTH, SHORTEST

MEMORY = 6
STEPS = 300


def settled(
    change: Callable[[Array], Array], start: Array, name: str, *, tolerance: float = 1e-10
) -> Array:
    """Where `change` vanishes: x + change(x) is the next guess, improved by what was learnt.

    change     of an array like `start`; NaN where x is no sensible guess
    tolerance  of the change, relative to the largest entry of x

    Raises `OutOfRegime` if it does not converge, with how far it came.

    >>> settled(lambda x: np.cos(x) - x, np.ones(1), "cosine").round(10).tolist()
    [0.7390851332]
    """
    search = _Search(np.array(start, dtype=float))
    for steps in range(1, STEPS + 1):  # noqa: B007
        if search.take(change(search.x), tolerance):
            return search.x
        if search.damping < SHORTEST:
            break
    raise OutOfRegime(
        f"{name}: no self-consistent solution found in {steps} steps; the last relative change is "
        f"{search.shortest / _size(search.best):.1e}, wanted {tolerance:.0e}. Raise the ridge, ask "
        "for fewer samples, or use a method of fewer diagrams"
    )


def _size(x: Array) -> float:
    return float(np.max(np.abs(x))) or 1.0


class _Search:
    """Where the iteration stands, and what its last steps taught."""

    def __init__(self, start: Array) -> None:
        self.x = self.best = start
        self.shortest, self.damping = np.inf, 1.0
        self.before: tuple[Array, Array] | None = None
        self._forget()

    def _forget(self) -> None:
        self.moves: list[Array] = []
        self.changes: list[Array] = []
        self.products = np.zeros((0, 0))  # of the changes with each other

    def _learn(self, move: Array, change: Array) -> None:
        self.moves = [*self.moves, move][-MEMORY:]
        self.changes = [*self.changes, change][-MEMORY:]
        new = np.array([float(old.ravel() @ change.ravel()) for old in self.changes])
        size = len(new)
        kept = self.products[-(size - 1) :, -(size - 1) :] if size > 1 else np.zeros((0, 0))
        self.products = np.zeros((size, size))
        self.products[:-1, :-1] = kept
        self.products[-1] = self.products[:, -1] = new

    def take(self, change: Array, tolerance: float) -> bool:
        """Move; whether there is no need to."""
        length = float(np.max(np.abs(change)))
        if not length <= GROWTH * self.shortest or length == np.inf:
            self.x, self.damping, self.before = self.best, self.damping / 2, None
            self._forget()
            return False
        if length < self.shortest:
            self.best, self.shortest = self.x, length
        if length <= tolerance * _size(self.x):
            return True
        if self.before is not None:
            self._learn(self.x - self.before[0], change - self.before[1])
        self.before = self.x, change
        self.x = self._next(change)
        return False

    def _next(self, change: Array) -> Array:
        """x + r - (dX + dR) q with q the least squares solution of dR q = r."""
        found = self.x + self.damping * change
        if not self.changes:
            return found
        scale = np.sqrt(np.diag(self.products))
        scale = np.where(scale > 0, scale, 1.0)
        normal = self.products / scale / scale[:, None]
        inverse = np.linalg.pinv(normal, rcond=DEPENDENT, hermitian=True)
        along = np.array([float(part.ravel() @ change.ravel()) for part in self.changes])
        share = inverse @ (along / scale) / scale
        part = np.empty_like(found)
        for q, move, other in zip(share, self.moves, self.changes, strict=True):
            found -= np.multiply(move, q, out=part)
            found -= np.multiply(other, q * self.damping, out=part)
        return found
