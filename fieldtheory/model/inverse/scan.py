"""A predicted learning curve asked for piece by piece, and searches on whole numbers of samples."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.predict import predict
from fieldtheory.model.question import Model, modes_of, name_of
from fieldtheory.model.task import Task

PER_OCTAVE = 2  # sizes of the first grid
OCTAVES = 7  # predicted in one call, with one spectrum
INSIDE = 14  # sizes that a bracket is cut with in one call


class Scan:
    """The curve of one model on one task, computed where it was asked for and remembered.

    On the sphere the spectrum is found once for every few octaves of samples, with many more modes
    than samples. `stop` is the smallest size that was refused and `reason` what was said.
    """

    def __init__(
        self, model: Model, task: Task, method: str, most: int, options: Mapping[str, Any]
    ) -> None:
        self.model, self.task, self.method, self.options = model, task, method, options
        unseen = task.on_data and task.labelled.tested == "unseen"
        self.most = min(most, task.labelled.points - 1) if unseen else most
        self.stop: int | None = None
        self.reason = ""
        self.floor = 0.0
        self._known: dict[int, tuple[float, float]] = {}
        self._models: dict[int, Model] = {}

    @property
    def question(self) -> str:
        """What is asked, in words."""
        return f"{name_of(self.model)}; {self.task}"

    @cached_property
    def power(self) -> float:
        """Mean square of the target: the error before anything is learnt."""
        target = self.task.target
        return self.task.labelled.scale if self.task.on_data else float(np.sum(target.power))  # type: ignore[union-attr]

    def chunks(self) -> Iterator[None]:
        """Compute the grid, a few octaves at a time, up to `most` or to where predictions end."""
        steps = np.arange(0.0, np.log2(self.most), 1 / PER_OCTAVE)
        grid = sorted({*np.rint(2.0**steps).astype(int).tolist(), self.most})
        size = len(grid) if self.task.on_data else OCTAVES * PER_OCTAVE
        for start in range(0, len(grid), size):
            self._ask(grid[start : start + size])
            if self.stop is not None:
                self._close_in()
            yield
            if self.stop is not None:
                return

    def at(self, sizes: Iterable[float]) -> tuple[Array, Array]:
        """Error and uncertainty at the sizes. Raises `OutOfRegime` where one has no answer."""
        wanted = [int(n) for n in sizes]
        missing = sorted(set(wanted) - set(self._known))
        if missing:
            self._ask(missing)
        if lost := [n for n in wanted if n not in self._known]:
            raise OutOfRegime(f"no prediction at {lost[0]} samples: {self.reason}")
        both = np.array([self._known[n] for n in wanted]).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def table(self) -> tuple[Array, Array, Array]:
        """All sizes known so far, in order, with errors and uncertainties."""
        sizes = sorted(self._known)
        values = np.array([self._known[n] for n in sizes]).reshape(-1, 2)
        return np.array(sizes, dtype=float), values[:, 0], values[:, 1]

    def _ask(self, sizes: list[int]) -> None:
        """Predict; if some size is refused, find the first that is."""
        if self.stop is not None:
            sizes = [n for n in sizes if n < self.stop]
        if not sizes:
            return
        try:
            curve = predict(
                self._model(sizes[-1]), self.task, sizes, method=self.method, **self.options
            )
        except OutOfRegime as error:
            if len(sizes) == 1:
                self.stop, self.reason = sizes[0], str(error)
                return
            half = len(sizes) // 2
            self._ask(sizes[:half])
            self._ask(sizes[half:])
            return
        pairs = zip(curve.error.tolist(), curve.uncertainty.tolist(), strict=True)
        self._known.update(zip(sizes, pairs, strict=True))
        dead = curve.learnability[-1] == 0
        self.floor = float(np.sum(curve.mode_bias[-1], where=dead))

    def _close_in(self) -> None:
        """The largest size below `stop` that has an answer."""
        assert self.stop is not None
        low = max(self._known, default=0)
        while self.stop - low > 1:
            middle = (low + self.stop) // 2
            self._ask([middle])
            low = middle if middle in self._known else low

    def _model(self, samples: int) -> Model:
        """The model's spectrum, good for so many samples; on data the model itself."""
        if not self.task.on_sphere:
            return self.model
        chunk = int(np.log2(samples)) // OCTAVES
        if chunk not in self._models:
            top = min(2 ** ((chunk + 1) * OCTAVES), self.most)
            self._models[chunk] = modes_of(self.model, self.task, float(top))
        return self._models[chunk]


def narrow(holds: Callable[[list[int]], Any], low: int, high: int) -> int:
    """The smallest N in (low, high] at which `holds` is seen true, given that it is at `high`."""
    while high - low > 1:
        inside = _between(low, high)
        true = np.flatnonzero(holds(inside))
        if true.size:
            first = int(true[0])
            low, high = (inside[first - 1] if first else low), inside[first]
        else:
            low = inside[-1]
    return high


def valley(values: Callable[[list[int]], Array], low: int, high: int) -> int:
    """The N in [low, high] with the smallest value, if there is one valley."""
    while high - low > 2:
        inside = [low, *_between(low, high), high]
        best = int(np.argmin(values(inside)))
        low, high = inside[max(best - 1, 0)], inside[min(best + 1, len(inside) - 1)]
    last = list(range(low, high + 1))
    return last[int(np.argmin(values(last)))]


def _between(low: int, high: int) -> list[int]:
    inside = np.rint(np.linspace(low, high, INSIDE + 2)[1:-1]).astype(int).tolist()
    return sorted({n for n in inside if low < n < high}) or [(low + high) // 2]
