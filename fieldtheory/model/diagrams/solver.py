r"""Many fixed points x = g(x) at once, one a row: Anderson's method with safeguards.

From the last steps :math:`r_k = g(x_k) - x_k` the next point is the combination whose step, were g
linear, would be the smallest (Anderson 1965; on a linear problem it is GMRES). A row whose step
grows is put back to the best point it has seen, forgets what it learnt, and goes on in shorter
steps. A row that stops improving above the tolerance is an error, with the numbers; never a NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import OutOfRegime

STEPS = 300
MEMORY = 8
GROWTH = 3.0  # a step so much longer than the shortest one seen is a step in the wrong direction
REACH = 4.0  # a positive quantity changes by no more than this factor in one step
DEPENDENT = 1e-13  # squared sine of the angle between old steps that count as one
SHORTEST = 1e-3  # damping below which a row has failed
Rows = np.ndarray[tuple[int], np.dtype[np.intp]]


@dataclass(frozen=True, eq=False)
class Found:
    """Fixed points (rows, size), the relative length of the last step of each, and the steps."""

    values: Array
    residual: Array
    steps: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))
        object.__setattr__(self, "residual", frozen(self.residual))


def fixed_points(
    step: Callable[[Array, Rows], Array],
    start: Array,
    name: Callable[[int], str],
    *,
    tolerance: float = 1e-12,
    positive: bool = False,
) -> Found:
    """The fixed points of `step`, one for each row of `start`.

    step       step(x, rows) is g(x) for the listed rows of the problem
    name       what to call a row in a message
    tolerance  of the step, relative to the largest entry of its row
    positive   keep every entry above zero on the way

    Raises `OutOfRegime` for a row that does not converge, with how far it came.

    >>> cosine = fixed_points(lambda x, rows: np.cos(x), np.ones((1, 1)), str)
    >>> cosine.values.round(12).tolist()
    [[0.739085133215]]
    """
    search = _Search(start, positive)
    for steps in range(1, STEPS + 1):
        rows = search.active
        residual = step(search.x[rows], rows) - search.x[rows]
        if not search.take(rows, residual, tolerance):
            return Found(search.x, search.relative(), steps)
        failed = search.failed()
        if failed is not None:
            break
    relative = search.relative()
    row = int(np.argmax(relative)) if failed is None else failed
    raise OutOfRegime(
        f"{name(row)}: no self-consistent solution found in {steps} steps; the last relative "
        f"change is {relative[row]:.1e}, wanted {tolerance:.0e}. Raise the ridge, ask for "
        "fewer samples, or use a method of fewer diagrams"
    )


class _Search:
    """Where every row stands, and what its last steps taught."""

    def __init__(self, start: Array, positive: bool) -> None:
        rows = len(start)
        self.positive = positive
        self.x = np.array(start, dtype=float)
        self.best = self.x.copy()
        self.shortest = np.full(rows, np.inf)
        self.damping = np.ones(rows)
        self.active: Rows = np.arange(rows)
        self.points = np.zeros((rows, MEMORY, self.x.shape[1]))
        self.changes = np.zeros_like(self.points)  # of the residual; zeros are not used
        self.slot = 0
        self.before: tuple[Array, Array] | None = None  # x and residual, NaN where there is none

    def take(self, rows: Rows, residual: Array, tolerance: float) -> bool:
        """Move every row; whether any is left to move."""
        x = self.x[rows]
        length = np.max(np.abs(residual), axis=1)
        length = np.where(np.isfinite(length), length, np.inf)
        worse = ~(length <= GROWTH * self.shortest[rows]) | np.isinf(length)
        better = length < self.shortest[rows]
        self.best[rows[better]] = x[better]
        self.shortest[rows] = np.minimum(self.shortest[rows], length)
        self._retreat(rows[worse])
        self._learn(rows[~worse], x[~worse], residual[~worse])
        left = worse | ~(length <= tolerance * np.max(np.abs(x), axis=1))
        moving = rows[~worse & left]
        self.x[moving] = self._moved(moving, residual[~worse & left])
        self.active = rows[left]
        return bool(np.any(left))

    def relative(self) -> Array:
        """The shortest step of each row over the largest entry of the row."""
        size = np.max(np.abs(self.best), axis=1)
        return np.asarray(self.shortest / np.where(size > 0, size, 1))

    def failed(self) -> int | None:
        """A row whose steps have become too short."""
        gone = np.flatnonzero(self.damping < SHORTEST)
        return int(gone[0]) if gone.size else None

    def _retreat(self, rows: Rows) -> None:
        self.x[rows] = self.best[rows]
        self.damping[rows] /= 2
        self.points[rows] = self.changes[rows] = 0
        if self.before is not None:
            self.before[0][rows] = np.nan

    def _learn(self, rows: Rows, x: Array, residual: Array) -> None:
        if self.before is None:
            self.before = np.full_like(self.x, np.nan), np.zeros_like(self.x)
        known = np.isfinite(self.before[0][rows, :1])
        self.slot = (self.slot + 1) % MEMORY
        for store, now, old in zip(
            (self.points, self.changes), (x, residual), self.before, strict=True
        ):
            store[rows, self.slot] = np.where(known, now - old[rows], 0.0)
            old[rows] = now

    def _moved(self, rows: Rows, residual: Array) -> Array:
        """x + r - (dX + dR) q with q the least squares solution of dR q = r."""
        changes, points = self.changes[rows], self.points[rows]
        length = np.linalg.norm(changes, axis=2, keepdims=True)
        scale = np.where(length > 0, length, 1.0)
        changes, points = changes / scale, points / scale
        normal = np.linalg.pinv(changes @ changes.swapaxes(1, 2), rcond=DEPENDENT, hermitian=True)
        share = normal @ (changes @ residual[..., None])
        along = residual - (changes.swapaxes(1, 2) @ share)[..., 0]
        moved = self.x[rows] + self.damping[rows, None] * along
        moved = moved - (points.swapaxes(1, 2) @ share)[..., 0]
        if self.positive:
            moved = np.clip(moved, self.x[rows] / REACH, self.x[rows] * REACH)
        return np.asarray(moved)
