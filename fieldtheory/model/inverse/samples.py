"""Learning curves asked backwards: how many samples does an error need?

Two more questions of this kind have files of their own: where two curves cross (`crossover`), and
which ridge is best (`bestridge`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.inverse.scan import Scan, narrow, valley
from fieldtheory.model.question import Model
from fieldtheory.model.task import Task

MOST = 10**7


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
        names = ("asked", "samples", "lowest", "highest", "predicted", "uncertainty", "rises")
        plain = {name: getattr(self, name) for name in (*names, "looked", "method", "question")}
        return {
            **plain,
            "sizes": [int(n) for n in self.sizes],
            "errors": self.errors.tolist(),
            "uncertainties": self.uncertainties.tolist(),
        }

    def picture(self) -> Picture:
        """The curve with its band, and the place where it reaches the error."""
        seen = self.sizes >= 1
        curve = Line(self.method, self.sizes[seen], self.errors[seen], self.uncertainties[seen])
        ends = frozen([self.sizes[seen].min(), self.sizes[seen].max()])
        level = Line(f"error {self.asked:g}", ends, frozen([self.asked] * 2))
        lines: tuple[Line, ...] = (curve, level)
        if self.samples:
            at = Line(f"N = {self.samples}", frozen([self.samples]), frozen([self.predicted]), None)
            lines = (*lines, Line(at.label, at.x, at.y, points=True))
        return Picture(self.question, "samples", "mean squared test error", lines, ("x", "y"))

    def __str__(self) -> str:
        high = f"more than {self.looked}" if self.highest is None else str(self.highest)
        lines = [
            self.question,
            f"error {self.asked:g} needs {self.samples} samples, between {self.lowest} and {high}",
            f"method {self.method}: there {self.predicted:.4g} +- {self.uncertainty:.2g}",
        ]
        if not self.samples:
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
    method   of `predict`, and so are `options`
    most     the largest number of samples to consider

    Raises `InvalidInput` for an error that is zero or negative, and `OutOfRegime` if no number of
    samples up to `most` is enough; it says how low the error gets.

    >>> from fieldtheory.model.network import Network
    >>> network, task = Network(depth=4), Task.sphere(dimension=50, target=[0, 0.5, 0.5])
    >>> print(samples_for(network, task, error=0.3))
    relu NTK, depth 4, weight variance 1, bias variance 1; power per degree [0, 0.5, 0.5] on S^49, \
|x| = 1, label noise 0, ridge 0
    error 0.3 needs 1620 samples, between 16... and 16...
    method planar: there 0.3 +- ...
    """
    asked = checks.number("error", error)
    if asked <= 0:
        raise InvalidInput(
            f"error = {error}: finite data never bring it to zero; give a number above zero, below "
            "the power of the target"
        )
    scan = Scan(model, task, method, checks.count("most", most, least=1), options)
    power = scan.power
    if asked >= power:
        return _nothing_needed(scan, asked, power)
    for _ in scan.chunks():
        if _first(scan, asked, 0.0) is not None and _first(scan, asked, 1.0) is not None:
            break
    found = _first(scan, asked, 0.0)
    if found is None:
        raise OutOfRegime(_never(scan, asked))
    highest = _first(scan, asked, 1.0)
    lowest = _lowest(scan, asked, found)
    rises = _rises(scan, asked, found)
    sizes, errors, spread = scan.table()
    at = scan.at([found])
    return SamplesFor(
        asked=asked,
        samples=found,
        lowest=lowest,
        highest=highest,
        predicted=float(at[0][0]),
        uncertainty=float(at[1][0]),
        rises=rises,
        looked=int(sizes[-1]),
        method=method,
        question=scan.question,
        sizes=sizes,
        errors=errors,
        uncertainties=spread,
    )


def _nothing_needed(scan: Scan, asked: float, power: float) -> SamplesFor:
    table = scan.at([1])
    return SamplesFor(
        asked,
        0,
        0,
        0,
        power,
        0.0,
        None,
        1,
        scan.method,
        scan.question,
        np.ones(1),
        *table,
    )


def _first(scan: Scan, asked: float, sign: float) -> int | None:
    """The smallest N at which error + sign * uncertainty is at most `asked`."""

    def level(sizes: Iterable[float]) -> Array:
        errors, spread = scan.at(sizes)
        return errors + sign * spread

    return _below(level, asked, scan.table()[0])


def _rises(scan: Scan, asked: float, found: int) -> int | None:
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


def _lowest(scan: Scan, asked: float, found: int) -> int:
    """The smallest N from which on, up to `found`, error - uncertainty is at most `asked`."""
    sizes, errors, spread = scan.table()
    above = sizes[(errors - spread > asked) & (sizes < found)]

    def reached(at: Iterable[float]) -> Any:
        error, spread = scan.at(at)
        return error - spread <= asked

    return narrow(reached, int(above[-1]), found) if above.size else 1


def _never(scan: Scan, asked: float) -> str:
    sizes, errors, _ = scan.table()
    if not sizes.size:
        return f"error {asked:g}: {scan.reason}"
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
