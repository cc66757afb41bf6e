"""Errors at any ridge, by any method of `predict`, and the search for the lowest of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams.fixed import FORETOLD
from fieldtheory.model.predict import predict
from fieldtheory.model.question import Model
from fieldtheory.model.task import Task

FAR = 8  # decades from where the search begins
NEAR_ZERO = 6  # decades below the trace, where it begins if no ridge is best in the planar theory
FINEST = 16  # to which part of a decade a bracket is closed in on, before a parabola takes over
STEPS = (FINEST, FINEST // 4, 1)
EXACT = 1e-10  # of the error: what the planar theory, or a series, can tell apart
TOLD = 2 * FORETOLD  # likewise of crossing diagrams, which are interpolated
QUICK = 2  # samples at a time in diagrams that search


class Errors:
    """Errors and uncertainties at a ridge, of all sizes in one prediction; remembered.

    told    the part of an error below which a difference means nothing
    """

    def __init__(
        self, model: Model, task: Task, sizes: Array, method: str, options: Mapping[str, Any]
    ) -> None:
        self._model, self._task, self.sizes = model, task, sizes
        self._method, self._options = method, dict(options)
        self._known: dict[float, tuple[Array, Array]] = {}
        self.told = TOLD if method == "crossing" else EXACT

    def at(self, ridge: float) -> tuple[Array, Array]:
        """(sizes,) errors and uncertainties; infinite where there is no prediction."""
        if ridge not in self._known:
            self._known[ridge] = self.some(list(range(self.sizes.size)), ridge)
        return self._known[ridge]

    def some(self, chosen: list[int], ridge: float) -> tuple[Array, Array]:
        """The same at some of the sizes, by their places."""
        try:
            return self.asked(chosen, ridge)
        except OutOfRegime:
            if len(chosen) == 1:
                return np.array([np.inf]), np.array([np.inf])
        each = [self.some([place], ridge) for place in chosen]
        errors, spread = zip(*each, strict=True)
        return np.concatenate(errors), np.concatenate(spread)

    def asked(self, chosen: list[int], ridge: float) -> tuple[Array, Array]:
        """The same, where a refusal of `predict` is passed on."""
        given = replace(self._task, ridge=ridge)
        sizes = [int(self.sizes[place]) for place in chosen]
        curve = predict(self._model, given, sizes, method=self._method, **self._options)
        return curve.error, curve.uncertainty

    def quick(self) -> "Errors":
        """A cheaper method to search with: diagrams of no more than two samples at a time."""
        clusters = self._options.get("clusters")
        few = clusters is not None and checks.count("clusters", clusters) <= QUICK
        if self._method != "crossing" or few or (self._task.on_data and clusters is None):
            return self
        options = self._options | {"clusters": QUICK}
        return Errors(self._model, self._task, self.sizes, self._method, options)

    def lowest(self, place: int, start: float, trace: float) -> tuple[float, str]:
        """The ridge of the lowest error at one size, and at which edge of the search it is.

        Ridges are whole steps of a sixteenth of a decade, so that sizes share what they ask. From
        `start` the search walks downhill by decades, then by smaller steps.
        """
        middle = round(np.log10(start or trace * 10.0**-NEAR_ZERO)) * FINEST
        ends = middle - FAR * FINEST, middle + FAR * FINEST
        best = middle
        for step in STEPS:
            best = self._downhill(place, best, step, ends)
        worth = self._error(place, best) * (1 + self.told)
        zero = float(self.at(0.0)[0][place])
        if zero <= worth < np.inf:
            return 0.0, "zero"
        vertex = None if best in ends else self._vertex(place, best)
        if vertex is None:  # at an end, or flat
            for end, edge in zip(ends, ("smallest", "largest"), strict=True):
                if self._error(place, end) <= worth:
                    return 10.0 ** (end / FINEST), edge
        return 10.0 ** ((best + (vertex or 0.0)) / FINEST), ""

    def _error(self, place: int, step: int) -> float:
        return float(self.at(10.0 ** (step / FINEST))[0][place])

    def _downhill(self, place: int, best: int, step: int, ends: tuple[int, int]) -> int:
        """From `best` to where a step to either side does not lower the error, as far as told;
        upwards where nothing is predicted."""
        while True:
            around = [k for k in (best, best + step, best - step) if ends[0] <= k <= ends[1]]
            lowest = min(around, key=lambda k: self._error(place, k))
            if not np.isfinite(self._error(place, lowest)) and best + step <= ends[1]:
                lowest = best + step
            elif not self._error(place, lowest) < self._error(place, best) * (1 - self.told):
                return best
            best = lowest

    def _vertex(self, place: int, best: int) -> float | None:
        """Of the parabola through the best ridge and its neighbours, in steps from it; None where
        no parabola can be told."""
        low, here, high = (self._error(place, best + side) for side in (-1, 0, 1))
        bend = low - 2 * here + high
        if not (np.isfinite(bend) and bend > self.told * here):
            return None
        return float(np.clip((low - high) / (2 * bend), -1, 1))
