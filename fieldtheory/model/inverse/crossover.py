"""Where the predicted learning curves of two models cross."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.inverse.scan import Curve, Scan, checked, narrow, refine
from fieldtheory.model.question import Model, name_of
from fieldtheory.model.task import Task

UNDECIDED = {  # by method: what else to do where uncertainties are larger than the difference
    "planar": 'planar is not sure enough to decide: method="crossing" takes longer and is surer',
    "": "the uncertainties are too large to decide",
}

ROUNDING = 1e-11  # of the error: two models this near are the same


@dataclass(frozen=True)
class Crossing:
    """Where two predicted curves change places.

    samples  the smallest N from which on the other model is better
    error    of both, there (the mean of the two)
    better   the model that is better from there on: "first" or "second"
    lowest, highest   the numbers of samples around it between which the two differ by less than the
             sum of their uncertainties; None if that reaches the end of what was looked at, and
             both `samples` if the crossing is decided to the sample
    """

    samples: int
    error: float
    better: str
    lowest: int | None
    highest: int | None


@dataclass(frozen=True, eq=False)
class Crossovers(Pictured, Printed):
    """All crossings of two learning curves, between 1 and `looked` samples.

    names     of the two models
    at_start  which is better with one sample: "first", "second", or "neither" if they differ by no
              more than the sum of their uncertainties
    crossings in the order of N
    sizes, errors, uncertainties   both curves, (sizes,) and (2, sizes)
    """

    names: tuple[str, str]
    at_start: str
    crossings: tuple[Crossing, ...]
    looked: int
    method: str
    question: str
    sizes: Array
    errors: Array
    uncertainties: Array

    def __post_init__(self) -> None:
        for name in ("sizes", "errors", "uncertainties"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def decided(self) -> bool:
        """Whether the two are surely apart somewhere, and on both sides of all crossings.

        Two models that are the same at every number of samples are not apart, and not decided.
        """
        apart = np.abs(np.diff(self.errors, axis=0)[0]) > np.sum(self.uncertainties, axis=0)
        open_end = any(None in (c.lowest, c.highest) for c in self.crossings)
        return bool(np.any(apart)) and not open_end

    @property
    def same(self) -> bool:
        """Whether the two have the same error, to rounding, at every number of samples."""
        return not np.any(_rounded(*self.errors))

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data."""
        return vars(self) | {
            "names": list(self.names),
            "crossings": [dict(vars(crossing)) for crossing in self.crossings],
            "sizes": [int(n) for n in self.sizes],
            "errors": self.errors.tolist(),
            "uncertainties": self.uncertainties.tolist(),
        }

    def picture(self) -> Picture:
        """Both curves with their bands, and the crossings."""
        lines = [
            Line(name, self.sizes, self.errors[k], self.uncertainties[k])
            for k, name in enumerate(self.names)
        ]
        if self.crossings:
            n, e = zip(*((c.samples, c.error) for c in self.crossings), strict=True)
            lines.append(Line("crossing", frozen(n), frozen(e), points=True))
        title, y = self.question, "mean squared test error"
        return Picture(title, "samples", y, tuple(lines), ("x", "y"))

    def __str__(self) -> str:
        lines = [f"first:  {self.names[0]}", f"second: {self.names[1]}", self.question]
        if self.same:
            lines.append("the same at every number of samples")
            return "\n".join(lines)
        start = f"the {self.at_start} is better"
        if self.at_start == "neither":
            start = "neither is surely better"
        lines.append(f"with one sample {start}")
        for c in self.crossings:
            low = "1" if c.lowest is None else str(c.lowest)
            high = f"more than {self.looked}" if c.highest is None else str(c.highest)
            sure = f"undecided between {low} and {high}"
            if c.lowest == c.highest == c.samples:
                sure = "decided to the sample"
            lines.append(
                f"from {c.samples} samples on the {c.better}, at error {c.error:.4g}; {sure}"
            )
        if not self.crossings:
            lines.append(f"no crossing up to {self.looked} samples")
        if not self.decided:
            lines.append(UNDECIDED.get(self.method, UNDECIDED[""]))
        return "\n".join(lines)


def crossover(
    first: Model,
    second: Model,
    task: Task,
    *,
    method: str = "planar",
    most: int = 10**5,
    **options: Any,
) -> Crossovers:
    """The numbers of samples at which two models change places on a task.

    The difference of the predicted errors is computed at two sizes an octave; every change of sign
    is closed in on, to the smallest whole N. Two crossings closer than a factor 1.4 may be missed.

    method   of `predict`, and so are `options`: order, clusters, ensemble, keep, memory
    most     the largest number of samples to look at

    Raises `InvalidInput` for an unknown option, `OutOfRegime` if one of the models cannot be
    predicted at all.

    >>> from fieldtheory.model.spectrum import Spectrum
    >>> smooth, rough = Spectrum.of([0.5, 0.1, 0.001], 4), Spectrum.of([0.1, 0.1, 0.05], 4)
    >>> task = Task.sphere(dimension=4, target=[0, 0.5, 0.05], noise=0.1, ridge=0.01)
    >>> found = crossover(smooth, rough, task)
    >>> found.at_start, [(c.samples, c.better) for c in found.crossings]
    ('second', [(8, 'first')])
    """
    checked("crossover", options, ("most",))
    scans = [Scan(model, task, method, most, options) for model in (first, second)]
    for scan in scans:
        scan.explore()
    refine(scans, _sought)
    crossings = _crossings(scans)
    sizes = _common(scans)
    start, doubt = _difference(scans, sizes[:1])
    better = "second" if start[0] > 0 else "first"
    both = [scan.at(sizes) for scan in scans]
    return Crossovers(
        names=(name_of(first), name_of(second)),
        at_start=better if abs(start[0]) > doubt[0] else "neither",
        crossings=crossings,
        looked=int(sizes[-1]),
        method=method,
        question=str(task),
        sizes=sizes,
        errors=np.array([e for e, _ in both]),
        uncertainties=np.array([u for _, u in both]),
    )


def _common(curves: Sequence[Curve]) -> Array:
    """The sizes where both are known."""
    first, second = (curve.table()[0] for curve in curves)
    return np.intersect1d(first, second)


def _rounded(first: Array, second: Array) -> Array:
    """The difference, zero where it is one of rounding."""
    apart = first - second
    return np.where(np.abs(apart) > ROUNDING * np.abs(first), apart, 0.0)


def _difference(curves: Sequence[Curve], sizes: Iterable[float]) -> tuple[Array, Array]:
    (e1, u1), (e2, u2) = (curve.at(sizes) for curve in curves)
    return _rounded(e1, e2), u1 + u2


def _crossings(curves: Sequence[Curve]) -> tuple[Crossing, ...]:
    """One for each change of sign between known sizes."""
    sizes = _common(curves)
    ahead = _difference(curves, sizes)[0] > 0
    return tuple(_span(curves, sizes, int(i)) for i in np.flatnonzero(np.diff(ahead)))


def _sought(curves: Sequence[Curve]) -> set[int]:
    """All sizes that make the answer, and those just after them."""
    spans = _crossings(curves)
    found = {n for c in spans for n in (c.samples, c.lowest, c.highest) if n}
    return found | {n + 1 for n in found}


def _span(curves: Sequence[Curve], sizes: Array, start: int) -> Crossing:
    """The crossing between sizes[start] and sizes[start + 1], and how sure it is."""
    difference, doubt = _difference(curves, sizes)
    after = bool(difference[start + 1] > 0)

    def changed(at: Iterable[float]) -> Any:
        return (_difference(curves, at)[0] > 0) == after

    def unsure(at: Iterable[float]) -> Any:
        apart, doubt = _difference(curves, at)
        return np.abs(apart) <= doubt

    found = narrow(changed, int(sizes[start]), int(sizes[start + 1]))
    lowest: int | None = found
    highest: int | None = found
    before, at = unsure([found - 1, found])
    known = np.union1d(sizes, [found - 1, found]).astype(int)
    sure = sizes[np.abs(difference) > doubt].astype(int)
    below, above = sure[sure < found], sure[sure > found]
    if before:
        last = int(below[-1]) if below.size else 0
        lowest = narrow(unsure, last, int(known[known > last][0])) if below.size else None
    if at:
        last = int(above[0]) if above.size else 0
        doubted = int(known[known < last][-1]) if above.size else 0
        highest = narrow(lambda n: ~unsure(n), doubted, last) - 1 if above.size else None
    return Crossing(
        samples=found,
        error=float(np.mean([curve.at([found])[0][0] for curve in curves])),
        better="second" if after else "first",
        lowest=lowest,
        highest=highest,
    )
