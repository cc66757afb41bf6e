"""A search for the network of the smallest planar error: a screen in one call, then descents.

Both work on cells, a depth and an activation each, and in the logarithms of the two variances.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.network import Network
from fieldtheory.model.planar.many import Predictions, predict_many
from fieldtheory.model.task import Task

SCREEN = 16  # Sobol points in each cell
STEPS = 30  # of one descent
CHANGE = 1e-9  # of the logarithm of the error, relative: a descent that gains less ends
WALL = 1e3  # logarithm of the error of a network that has none
Range = tuple[float, float]
Cell = tuple[int, str]


@dataclass(frozen=True)
class Trial:
    """One network that was asked about, and its planar error (infinite out of regime)."""

    network: Network
    error: float


class Search:
    """The trials so far, and the two steps that add to them."""

    def __init__(self, task: Task, samples: int, kernel: str, bounds: tuple[Range, Range]) -> None:
        self.task, self.samples, self.kernel, self.bounds = task, samples, kernel, bounds
        self.trials: list[Trial] = []
        self.best: dict[Cell, Trial] = {}
        self.refusal = ""
        self.tick: Callable[[int], Any] = lambda count: None

    def ask(self, rows: Sequence[tuple[Cell, Array]], gradients: bool = False) -> Predictions:
        """Predict networks at points in the logarithms of the variances, and remember them."""
        networks = []
        for (depth, name), point in rows:
            weight, bias = (float(v) for v in np.exp(point))
            networks.append(Network(depth, name, weight, bias, self.kernel))
        found = predict_many(networks, self.task, self.samples, gradients=gradients)
        for (cell, _), network, error in zip(rows, networks, found.error[:, 0], strict=True):
            trial = Trial(network, float(error))
            self.trials.append(trial)
            self.best[cell] = min(self.best.get(cell, trial), trial, key=lambda each: each.error)
        self.refusal = found.refusals[-1][2] if found.refusals else self.refusal
        self.tick(len(networks))
        return found

    def leaders(self, count: int) -> list[Trial]:
        """The best trials of different cells. Raises `OutOfRegime` if there is none."""
        ranked = sorted(self.best.values(), key=lambda trial: trial.error)
        kept = [trial for trial in ranked[:count] if np.isfinite(trial.error)]
        if not kept:
            raise OutOfRegime(
                f"none of {len(self.trials)} networks can be predicted at {self.samples} samples; "
                f"the last refusal was: {self.refusal}"
            )
        return kept

    def screen(self, cells: Sequence[Cell]) -> list[Cell]:
        """A few well-spread points in each cell; the cells, the best first."""
        points = _spread(self.bounds)
        self.ask([(cell, point) for cell in cells for point in points])
        return sorted(cells, key=lambda cell: self.best[cell].error)

    def polish(self, cell: Cell) -> None:
        """Descend from the best screened point; the trials remember what is found."""
        from scipy.optimize import minimize

        start = self.best[cell]
        if not 0 < start.error < np.inf:
            return
        minimize(  # type: ignore[call-overload]
            lambda point: self._log_error(cell, point),
            np.log([start.network.weight_variance, start.network.bias_variance]),
            jac=True,
            method="L-BFGS-B",
            bounds=self.bounds,
            options={"maxiter": STEPS, "ftol": CHANGE},
        )

    def _log_error(self, cell: Cell, point: Array) -> tuple[float, Array]:
        """The logarithm of the error, and its gradient; a wall where there is no answer."""
        found = self.ask([(cell, point)], gradients=True)
        error = float(found.error[0, 0])
        if found.gradient is None or not 0 < error < np.inf:
            return (WALL if error > 0 else -WALL), np.zeros(2)
        return float(np.log(error)), found.gradient[0, 0, :2] * np.exp(point) / error


def _spread(bounds: tuple[Range, Range]) -> list[Array]:
    """Sobol points in the box; one point if it has no size."""
    from scipy.stats import qmc

    low, high = (np.array(ends) for ends in zip(*bounds, strict=True))
    unit = qmc.Sobol(d=2, scramble=False).random(SCREEN) if np.any(high > low) else [[0.0, 0.0]]
    return [low + (high - low) * np.asarray(row) for row in unit]
