"""Where the predicted learning curves of two models cross."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.inverse.scan import Scan, narrow
from fieldtheory.model.question import Model, name_of
from fieldtheory.model.task import Task


@dataclass(frozen=True)
class Crossing:
    """Where two predicted curves change places.

    samples  the smallest N from which on the other model is better
    error    of both, there (the mean of the two)
    better   the model that is better from there on: "first" or "second"
    lowest, highest   the numbers of samples around it between which the two differ by less than the
             sum of their uncertainties; None if that reaches the end of what was looked at
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
    at_start  which is better with one sample: "first" or "second"
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

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data."""
        names = ("at_start", "looked", "method", "question")
        return {
            **{name: getattr(self, name) for name in names},
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
        lines.append(f"with one sample the {self.at_start} is better")
        for c in self.crossings:
            low = "1" if c.lowest is None else str(c.lowest)
            high = f"more than {self.looked}" if c.highest is None else str(c.highest)
            lines.append(
                f"from {c.samples} samples on the {c.better}, at error {c.error:.4g}; "
                f"undecided between {low} and {high}"
            )
        if not self.crossings:
            lines.append(f"no crossing up to {self.looked} samples")
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

    Raises `OutOfRegime` if one of them cannot be predicted at all.

    >>> from fieldtheory.model.spectrum import Spectrum
    >>> smooth, rough = Spectrum.of([0.5, 0.1, 0.001], 4), Spectrum.of([0.1, 0.1, 0.05], 4)
    >>> task = Task.sphere(dimension=4, target=[0, 0.5, 0.05], noise=0.1, ridge=0.01)
    >>> found = crossover(smooth, rough, task)
    >>> found.at_start, [(c.samples, c.better) for c in found.crossings]
    ('second', [(8, 'first')])
    """
    limit = checks.count("most", most, least=1)
    scans = [Scan(model, task, method, limit, options) for model in (first, second)]
    for scan in scans:
        for _ in scan.chunks():
            pass
        if not scan.table()[0].size:
            raise OutOfRegime(f"{scan.question}: {scan.reason}")
    sizes = np.intersect1d(scans[0].table()[0], scans[1].table()[0])
    difference = _difference(scans, sizes)[0]
    spans = [_span(scans, sizes, int(i)) for i in np.flatnonzero(np.diff(difference > 0))]
    sizes = np.intersect1d(scans[0].table()[0], scans[1].table()[0])
    both = [scan.at(sizes) for scan in scans]
    return Crossovers(
        names=(name_of(first), name_of(second)),
        at_start="second" if difference[0] > 0 else "first",
        crossings=tuple(spans),
        looked=int(sizes[-1]),
        method=method,
        question=str(task),
        sizes=sizes,
        errors=np.array([e for e, _ in both]),
        uncertainties=np.array([u for _, u in both]),
    )


def _difference(scans: list[Scan], sizes: Iterable[float]) -> tuple[Array, Array]:
    (e1, u1), (e2, u2) = (scan.at(sizes) for scan in scans)
    return e1 - e2, u1 + u2


def _span(scans: list[Scan], sizes: Array, start: int) -> Crossing:
    """The crossing between sizes[start] and sizes[start + 1], and how sure it is."""
    difference, doubt = _difference(scans, sizes)
    after = bool(difference[start + 1] > 0)

    def changed(at: Iterable[float]) -> Any:
        return (_difference(scans, at)[0] > 0) == after

    def unsure(at: Iterable[float]) -> Any:
        apart, doubt = _difference(scans, at)
        return np.abs(apart) <= doubt

    found = narrow(changed, int(sizes[start]), int(sizes[start + 1]))
    lowest: int | None = found
    highest: int | None = found
    if unsure([found])[0]:
        sure = sizes[np.abs(difference) > doubt].astype(int)
        below, above = sure[sure < found], sure[sure > found]
        lowest = narrow(unsure, int(below[-1]), found) if below.size else None
        highest = narrow(lambda at: ~unsure(at), found, int(above[0])) - 1 if above.size else None
    return Crossing(
        samples=found,
        error=float(np.mean([scan.at([found])[0][0] for scan in scans])),
        better="second" if after else "first",
        lowest=lowest,
        highest=highest,
    )
