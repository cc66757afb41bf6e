"""A predicted learning curve asked for piece by piece, and searches on whole numbers of samples."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.predict import predict
from fieldtheory.model.question import Model, modes_of, name_of
from fieldtheory.model.task import Task

PER_OCTAVE = 2  # sizes of the first grid
OCTAVES = 7  # predicted in one call, with one spectrum
INSIDE = 14  # sizes that a bracket is cut with in one call
OPTIONS = ("method", "order", "clusters", "ensemble", "keep", "memory")  # of `predict`
STEPS = 4.0  # by which the distances from a guessed size grow, and
FARTHEST = 0.05  # how far they go, as a part of the size
ROUNDS = 2  # of guessing: the second is mostly right to the sample


def checked(asker: str, options: Collection[str], own: tuple[str, ...]) -> None:
    """Refuse what neither `asker` nor `predict` knows, by the name of `asker`."""
    for name in options:
        checks.choice(f"argument of {asker}", name, (*own, *OPTIONS))


class Curve(Protocol):
    """What a search needs: errors and uncertainties at any sizes, and those already there."""

    def at(self, sizes: Iterable[float]) -> tuple[Array, Array]: ...

    def table(self) -> tuple[Array, Array, Array]: ...


class Scan:
    """The curve of one model on one task, computed where it was asked for and remembered.

    On the sphere the spectrum is found once for every few octaves of samples, with many more modes
    than samples. `stop` is the smallest size that was refused and `reason` what was said; no size
    beyond `most` is asked for.
    """

    def __init__(
        self, model: Model, task: Task, method: str, most: int, options: Mapping[str, Any]
    ) -> None:
        self.model, self.task, self.method, self.options = model, task, method, options
        self.most = checks.count("most", most, least=1)
        if task.on_data and task.labelled.tested == "unseen":
            self.most = min(self.most, task.labelled.points - 1)
        self.stop: int | None = None
        self.reason = ""
        self.floor = 0.0
        self._known: dict[int, tuple[float, float]] = {}
        self._models: dict[int, Model] = {}
        self._planar: dict[int, float] = {}

    @property
    def question(self) -> str:
        """What is asked, in words."""
        return f"{name_of(self.model)}; {self.task}"

    @cached_property
    def power(self) -> float:
        """Mean square of the target: the error before anything is learnt."""
        target = self.task.target
        return self.task.labelled.scale if self.task.on_data else float(np.sum(target.power))  # type: ignore[union-attr]

    def explore(self, enough: Callable[[], bool] = lambda: False) -> None:
        """Compute the grid, a few octaves at a time, until it is enough, up to `most` or to where
        predictions end. Raises `OutOfRegime` if there are none at all."""
        steps = np.arange(0.0, np.log2(self.most), 1 / PER_OCTAVE)
        grid = sorted({*np.rint(2.0**steps).astype(int).tolist(), self.most})
        size = len(grid) if self.task.on_data else OCTAVES * PER_OCTAVE
        for start in range(0, len(grid), size):
            self._ask(grid[start : start + size])
            if self.stop is not None:
                self._close_in()
            if not self._known:
                told = name_of(self.model) in self.reason  # a refusal may begin with the name
                raise OutOfRegime(self.reason if told else f"{self.question}: {self.reason}")
            if self.stop is not None or enough():
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

    def guessed(self) -> Curve:
        """A quick stand-in for searches that only want to know where to look."""
        return Guess(self) if self.method == "crossing" and len(self._known) > 1 else self

    def look_around(self, guessed: Iterable[int]) -> None:
        """Predict the guessed sizes and some near them, in one call for all that are near."""
        known, near = self._known, {m for n in guessed for m in (n - 1, n) if m > 0}
        if near <= set(known):
            return
        wanted = set(near)
        for n in near:
            count = int(np.log(max(FARTHEST * n, 1.0)) / np.log(STEPS)) + 1
            steps = np.rint(STEPS ** np.arange(count)).astype(int).tolist()
            wanted |= {n + side * step for step in steps for side in (-1, 1)}
        inside = sorted(n for n in wanted - set(known) if min(known) < n < max(known))
        for _, some in groupby(inside, self._chunk):
            self._ask(list(some))

    def planar(self, sizes: Iterable[float]) -> Array:
        """The planar error at the sizes."""
        wanted = [int(n) for n in sizes]
        missing = sorted(set(wanted) - set(self._planar))
        if missing:
            curve = predict(self._model(missing[-1]), self.task, missing, method="planar")
            self._planar.update(zip(missing, curve.error.tolist(), strict=True))
        return np.array([self._planar[n] for n in wanted])

    def _ask(self, sizes: list[int]) -> None:
        """Predict; if some size is refused, find the first that is."""
        sizes = [n for n in sizes if n not in self._known]
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
        chunk = self._chunk(samples)
        if chunk not in self._models:
            top = min(2 ** ((chunk + 1) * OCTAVES), self.most)
            self._models[chunk] = modes_of(self.model, self.task, float(top))
        return self._models[chunk]

    def _chunk(self, samples: int) -> int:
        return int(np.log2(samples)) // OCTAVES if self.task.on_sphere else 0


class Guess:
    """A curve between its known sizes: the planar one, times what they say about the ratio.

    It is quick, and says where to look: no answer is built on it.
    """

    def __init__(self, scan: Scan) -> None:
        self._scan, self._table = scan, scan.table()

    def table(self) -> tuple[Array, Array, Array]:
        """What is known of the curve itself."""
        return self._table

    def at(self, sizes: Iterable[float]) -> tuple[Array, Array]:
        """Guessed errors and uncertainties."""
        wanted = np.array([*sizes], dtype=float)
        error = self._scan.planar(wanted) * self._ratios[0](np.log(wanted))
        return error, error * self._ratios[1](np.log(wanted))

    @cached_property
    def _ratios(self) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
        from scipy.interpolate import PchipInterpolator

        sizes, errors, spread = self._table
        above = np.maximum(self._scan.planar(sizes), np.finfo(float).tiny)
        shares = spread / np.maximum(errors, np.finfo(float).tiny)
        return PchipInterpolator(np.log(sizes), errors / above), PchipInterpolator(
            np.log(sizes), shares
        )


def refine(scans: Collection[Scan], search: Callable[[list[Curve]], Iterable[int]]) -> None:
    """Let `search` find its sizes on guesses, and predict around them, each scan in a call or two.

    The search itself then finds nearly all it needs among the sizes that are known.
    """
    for _ in range(ROUNDS):
        guesses = [scan.guessed() for scan in scans]
        if not all(isinstance(guess, Guess) for guess in guesses):
            return
        found = set(search(guesses))
        for scan in scans:
            scan.look_around(found)


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
