"""Learning curves asked backwards: how many samples does an error need?

Two more questions of this kind have files of their own: where two curves cross (`crossover`), and
which ridge is best (`bestridge`).
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.inverse.scan import Curve, Scan, checked, narrow, refine, valley
from fieldtheory.model.question import Model
from fieldtheory.model.task import Task

MOST = 10**7
NEAR = 64  # sizes looked at where none is needed
AROUND = 10  # times the answer: how far its picture goes, and down to what part of it


@dataclass(frozen=True, eq=False)
class SamplesFor(Pictured, Printed):
    """The smallest number of samples whose predicted error is at most the one asked for.

    asked        the mean squared error asked for
    samples      N; 0 if the error is no smaller than the power of the target
    lowest       from there on error - uncertainty is at most `asked`
    highest      the smallest number at which error + uncertainty is; None if there is none up to
                 `looked`
    predicted    the error at N, and `uncertainty` of the prediction there
    rises        the next number of samples at which the curve is above `asked` again, as after a
                 double descent; None if it was not seen up to `looked`
    looked       the largest number of samples that was looked at
    sizes, errors, uncertainties   the curve, where it was computed
    """

    asked: float
    samples: int
    lowest: int
    highest: int | None
    predicted: float
    uncertainty: float
    rises: int | None
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
        return vars(self) | {
            "sizes": [int(n) for n in self.sizes],
            "errors": self.errors.tolist(),
            "uncertainties": self.uncertainties.tolist(),
        }

    def _shown(self) -> tuple[int, int]:
        """The sizes near enough to the answer: a decade on both sides, if there is one."""
        last = max(self.looked, 2)
        if not self.samples:
            return 1, last
        top = self.looked if self.highest is None else max(self.highest, self.rises or 0)
        return max(self.lowest // AROUND, 1), min(max(AROUND * top, 2), last)

    def picture(self) -> Picture:
        """The curve with its band near the place where it reaches the error."""
        low, high = self._shown()
        seen = (self.sizes >= low) & (self.sizes <= high)
        ends = np.union1d([low, high], self.sizes[seen])
        lines = [Line(f"error {self.asked:g}", frozen(ends), frozen(0 * ends + self.asked))]
        if np.any(seen):
            columns = (self.sizes, self.errors, self.uncertainties)
            x, error, band = (frozen(column[seen]) for column in columns)
            lines.insert(0, Line(self.method, x, error, band))
        if self.samples:
            at = frozen([self.samples]), frozen([self.predicted])
            lines.append(Line(f"N = {self.samples}", *at, points=True))
        title, y = self.question, "mean squared test error"
        return Picture(title, "samples", y, tuple(lines), ("x", "y"))

    def __str__(self) -> str:
        high = f"more than {self.looked}" if self.highest is None else str(self.highest)
        sure = f"between {self.lowest} and {high}"
        if self.lowest == self.highest:
            sure = "decided to the sample"
        lines = [
            self.question,
            f"error {self.asked:g} needs {self.samples} samples, {sure}",
            f"method {self.method}: there {self.predicted:.4g} +- {self.uncertainty:.2g}",
        ]
        if not self.samples:
            lines[1] = f"error {self.asked:g} needs no samples"
            lines[2] = "the target's own power is no larger: predicting zero is as good"
        if self.rises is not None:
            lines.append(f"the curve is not monotonic: above that error again at {self.rises}")
        return "\n".join(lines)


def samples_for(
    model: Model,
    task: Task,
    error: float,
    *,
    method: str = "planar",
    most: int = MOST,
    **options: Any,
) -> SamplesFor:
    """How many samples a model needs to reach a mean squared error on a task.

    The predicted curve is computed on a grid, two sizes an octave, and then closed in on, to the
    smallest whole N. A curve need not fall everywhere: the first N is returned, valleys between
    the sizes of the grid are searched too, and `rises` says if the curve comes back.

    error    clean mean squared error, the test label's own noise not counted
    method   of `predict`, and so are `options`: order, clusters, ensemble, keep, memory
    most     the largest number of samples to consider

    Raises `InvalidInput` for an error that is zero or negative and for an unknown option, and
    `OutOfRegime` if no number of samples up to `most` is enough; it says how low the error gets.

    >>> from fieldtheory.model.network import Network
    >>> network, task = Network(depth=4), Task.sphere(dimension=50, target=[0, 0.5, 0.5])
    >>> print(samples_for(network, task, error=0.3))
    relu NTK, depth 4, weight variance 1, bias variance 1; power per degree [0, 0.5, 0.5] on S^49, \
|x| = 1, label noise 0, ridge 0
    error 0.3 needs 1620 samples, between 16... and 16...
    method planar: there 0.3 +- ...
    """
    checked("samples_for", options, ("error", "most"))
    asked = checks.number("error", error)
    if asked <= 0:
        raise InvalidInput(
            f"error = {error}: finite data never bring it to zero; give a number above zero, below "
            "the power of the target"
        )
    scan = Scan(model, task, method, most, options)
    if asked >= scan.power:
        near = Scan(model, task, method, min(NEAR, scan.most), options)
        with suppress(OutOfRegime):  # none are needed, whether or not there is a prediction
            near.explore()
        return _answer(near, asked, 0, 0)
    scan.explore(lambda: all(n is not None for n in _ends(scan.guessed(), asked)))
    refine([scan], lambda guesses: _sought(guesses[0], asked))
    found = _first(scan, asked, 0.0)
    if found is None:  # guessed too low
        scan.explore()
        found = _first(scan, asked, 0.0)
    if found is None:
        raise OutOfRegime(_never(scan, asked))
    return _answer(scan, asked, found, _first(scan, asked, 1.0))


def _answer(scan: Scan, asked: float, found: int, highest: int | None) -> SamplesFor:
    error, spread = scan.at([found]) if found else (np.array([scan.power]), np.zeros(1))
    lowest, rises = _lowest(scan, asked, found), _rises(scan, asked, found)
    sizes, errors, uncertainties = scan.table()
    return SamplesFor(
        asked=asked,
        samples=found,
        lowest=lowest,
        highest=highest,
        predicted=float(error[0]),
        uncertainty=float(spread[0]),
        rises=rises,
        looked=int(max(sizes, default=0)),
        method=scan.method,
        question=scan.question,
        sizes=sizes,
        errors=errors,
        uncertainties=uncertainties,
    )


def _ends(curve: Curve, asked: float) -> tuple[int | None, int | None]:
    return _first(curve, asked, 0.0), _first(curve, asked, 1.0)


def _sought(curve: Curve, asked: float) -> set[int]:
    """All sizes that make the answer, and those just after them."""
    found, highest = _ends(curve, asked)
    if found is None:
        return set()
    all_of_them = (found, highest, _lowest(curve, asked, found), _rises(curve, asked, found))
    return {n + 1 for n in all_of_them if n} | {n for n in all_of_them if n}


def _first(scan: Curve, asked: float, sign: float) -> int | None:
    """The smallest N at which error + sign * uncertainty is at most `asked`."""

    def level(sizes: Iterable[float]) -> Array:
        errors, spread = scan.at(sizes)
        return errors + sign * spread

    return _below(level, asked, scan.table()[0])


def _rises(scan: Curve, asked: float, found: int) -> int | None:
    """The smallest N beyond `found` at which the error is above `asked`."""
    sizes = scan.table()[0]
    above = np.nextafter(-asked, -np.inf)  # -error <= this: error > asked
    return _below(lambda at: -scan.at(at)[0], above, sizes[sizes >= found])


def _below(level: Callable[[Iterable[float]], Array], asked: float, sizes: Array) -> int | None:
    """The smallest N with level(N) at most `asked`; valleys between the sizes are searched too."""

    def reached(at: Iterable[float]) -> Any:
        return level(at) <= asked

    values = level(sizes)
    for i, n in enumerate(sizes):
        before = int(sizes[i - 1]) if i else 0
        if values[i] <= asked:
            return narrow(reached, before, int(n))
        if 0 < i < len(sizes) - 1 and values[i] < min(values[i - 1], values[i + 1]):
            bottom = valley(level, before, int(sizes[i + 1]))
            if reached([bottom])[0]:
                return narrow(reached, before, bottom)
    return None


def _lowest(scan: Curve, asked: float, found: int) -> int:
    """The smallest N from which on, up to `found`, error - uncertainty is at most `asked`."""
    sizes, errors, spread = scan.table()
    above = sizes[(errors - spread > asked) & (sizes < found)]

    def reached(at: Iterable[float]) -> Any:
        error, spread = scan.at(at)
        return error - spread <= asked

    if not above.size:
        return min(1, found)
    last = int(above[-1])
    return narrow(reached, last, int(min(sizes[sizes > last].min(), found)))


def _never(scan: Scan, asked: float) -> str:
    sizes, errors, _ = scan.table()
    best = int(np.argmin(errors))
    text = (
        f"error {asked:g} is not reached with up to {int(sizes[-1])} samples: there it is "
        f"{errors[-1]:.4g}"
    )
    if best != len(sizes) - 1:
        text += f", lowest {errors[best]:.4g} at {int(sizes[best])}"
    if scan.floor > 0:
        text += (
            f"; {scan.floor:.4g} of the target's power is in no mode of this kernel and stays, "
            "whatever the samples: choose another network"
        )
    elif scan.reason:
        text += f"; beyond: {scan.reason}"
    else:
        text += "; raise `most`, lower the ridge (see best_ridge), or choose another network"
    return text
