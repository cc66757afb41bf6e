r"""The ridge that makes the predicted error smallest.

If the target were drawn from the Gaussian process of the kernel, with power G_i = c deg_i lam_i in
every mode, Bayes' rule says which ridge is best: the label noise divided by c. For any other target
the best ridge makes up for what the prior gets wrong, and has to be searched for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.planar import equation as planar
from fieldtheory.model.predict import predict
from fieldtheory.model.question import Model, Question, modes_of, name_of
from fieldtheory.model.task import Task

DECADES_BELOW, DECADES_ABOVE = 12, 8  # of the trace, and of samples times the trace
PER_DECADE = 4
DECADES_NEAR, DECADES_FAR = 6, 8  # from the planar optimum, where another method looks
FINE, COARSE = 1e-9, 1e-2  # to which log(ridge) is found, planar and by other methods


@dataclass(frozen=True, eq=False)
class BestRidge(Pictured, Printed):
    """The best ridge at each number of samples, and what it is worth.

    samples      (sizes,) N
    ridge        (sizes,) the best one; 0 if that is best
    error        (sizes,) predicted error there, and its `uncertainty`
    without      (sizes,) error at ridge zero; None where it cannot be predicted
    own, at_own  the ridge of the task, and (sizes,) the error there; None likewise
    edge         (sizes,) "" or, if the optimum is not inside the range that was searched, "zero":
                 no ridge is best (the tail of the spectrum may be too much of one already),
                 "smallest": the smaller the better, but zero has no prediction, and "largest": the
                 larger the better, nothing is worth learning
    """

    samples: Array
    ridge: Array
    error: Array
    uncertainty: Array
    without: tuple[float | None, ...]
    own: float
    at_own: tuple[float | None, ...]
    edge: tuple[str, ...]
    method: str
    question: str

    def __post_init__(self) -> None:
        for name in ("samples", "ridge", "error", "uncertainty"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data."""
        return {
            "samples": [int(n) for n in self.samples],
            **{k: getattr(self, k).tolist() for k in ("ridge", "error", "uncertainty")},
            "error_without_ridge": list(self.without),
            "own_ridge": self.own,
            "error_at_own_ridge": list(self.at_own),
            "edge": list(self.edge),
            "method": self.method,
            "question": self.question,
        }

    def picture(self) -> Picture:
        """The error with the best ridge, with none, and with the task's own."""
        lines = [Line("best ridge", self.samples, self.error, self.uncertainty)]
        for label, values in (("no ridge", self.without), (f"ridge {self.own:g}", self.at_own)):
            known = [k for k, value in enumerate(values) if value is not None]
            if known and label != "ridge 0":
                errors = frozen([values[k] for k in known])
                lines.append(Line(label, frozen(self.samples[known]), errors))
        title, y = self.question, "mean squared test error"
        return Picture(title, "samples", y, tuple(lines), ("x", "y"))

    def __str__(self) -> str:
        lines = [self.question, f"method {self.method}"]
        for k, n in enumerate(self.samples):
            others = [
                f"{label} {value:.4g}"
                for label, value in (
                    ("with none", self.without[k]),
                    (f"with {self.own:g}", self.at_own[k] if self.own else None),
                )
                if value is not None
            ]
            edge = f" ({self.edge[k]} of those searched)" if self.edge[k] == "largest" else ""
            edge = f" ({self.edge[k]} searched)" if self.edge[k] == "smallest" else edge
            lines.append(
                f"{n:.0f} samples: ridge {self.ridge[k]:.6g}{edge}, error {self.error[k]:.4g} +- "
                f"{self.uncertainty[k]:.2g}" + "".join(f", {other}" for other in others)
            )
        return "\n".join(lines)


def best_ridge(
    model: Model,
    task: Task,
    samples: Sequence[int] | int,
    *,
    method: str = "planar",
    by: str = "error",
    **options: Any,
) -> BestRidge:
    r"""The ridge that minimises the predicted error, at each number of samples.

    The planar error is computed on a grid of ridges, from far below the smallest that matters to
    far above the largest, and at zero; Brent's method in log(ridge) then closes in on the lowest.
    Other methods of `predict` start from there. The task's own ridge is only compared with.

    by   "error", or "evidence": the ridge of the largest (planar) log evidence, which a user can
         find without test data, and the error there. The two agree if the prior is right, also in
         its scale

    Raises `OutOfRegime` if the method has no prediction at any ridge.

    >>> from fieldtheory.model.spectrum import Spectrum
    >>> lam, deg = [0.3, 0.05, 0.004], [1, 5, 14]
    >>> prior = [2 * n * value for n, value in zip(deg, lam, strict=True)]      # c = 2
    >>> task = Task.sphere(dimension=5, target=prior, noise=0.1)
    >>> best_ridge(Spectrum.of(lam, dimension=5), task, [10, 100]).ridge.round(6).tolist()
    [0.05, 0.05]
    """
    sizes = checks.sizes("samples", samples)
    fast = modes_of(model, task, float(sizes.max())) if task.on_sphere else model
    question = Question(fast, task, sizes, "planar", 1, None, "fixed", 3)

    def answer(n: float, ridge: float) -> tuple[float, float] | None:
        given = replace(task, ridge=ridge)
        try:
            curve = predict(fast, given, [int(n)], method=method, **options)
        except OutOfRegime:
            return None
        return float(curve.error[0]), float(curve.uncertainty[0])

    evidence = checks.choice("by", by, ("error", "evidence")) == "evidence"
    unseen = task.on_data and task.labelled.tested == "unseen"
    exact = evidence or (method == "planar" and not unseen)
    rows = []
    for n in sizes:
        start, edge = _planar_best(question, float(n), evidence)
        if not exact:
            start, edge = _closer(partial(answer, float(n)), start, question.modes.trace)
        found = answer(n, start)
        if found is None:
            predict(fast, replace(task, ridge=start), [int(n)], method=method, **options)
            raise OutOfRegime(f"no prediction at {n:.0f} samples")
        bare, own = answer(n, 0.0), answer(n, task.ridge)
        rows.append((start, *found, bare and bare[0], own and own[0], edge))
    ridge, error, spread, without, at_own, edges = zip(*rows, strict=True)
    return BestRidge(
        samples=sizes,
        ridge=np.array(ridge),
        error=np.array(error),
        uncertainty=np.array(spread),
        without=without,
        own=task.ridge,
        at_own=at_own,
        edge=edges,
        method=f"{method}, by the evidence" if evidence else method,
        question=f"{name_of(model)}; {task}",
    )


def _planar_best(question: Question, n: float, evidence: bool) -> tuple[float, str]:
    """The ridge of the smallest planar error, or of the largest evidence, and at which edge."""
    modes, sizes = question.modes, np.array([n])

    def error(ridge: float) -> float:
        kappa = planar.effective_ridge(modes, sizes, ridge + modes.tail)
        both = planar.mode_errors(modes, question.power, sizes, kappa, question.noise)
        return float(np.sum(both[0] + both[1]))

    def surprise(ridge: float) -> float:
        at = replace(question.task, ridge=ridge)
        curve = predict(question.model, at, [int(n)], method="planar")
        return -float(curve.observables["log_evidence"][0])

    low = np.log10(modes.trace) - DECADES_BELOW
    high = np.log10(modes.trace * n) + DECADES_ABOVE
    grid = 10.0 ** np.linspace(low, high, int((high - low) * PER_DECADE) + 1)
    cost = surprise if evidence else error
    values = [cost(ridge) for ridge in grid]
    best = int(np.argmin(values))
    if best == len(grid) - 1:
        return float(grid[best]), "largest"
    if best == 0:
        smallest = float(grid[0])
        return (smallest, "smallest") if evidence else _at_zero(error, smallest, values[0])
    return _brent(cost, float(grid[best - 1]), float(grid[best + 1]), FINE), ""


def _at_zero(error: Callable[[float], float], smallest: float, there: float) -> tuple[float, str]:
    try:
        return (0.0, "zero") if error(0.0) <= there else (smallest, "")
    except OutOfRegime:
        return smallest, "smallest"


def _brent(error: Callable[[float], float], low: float, high: float, accuracy: float) -> float:
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda u: error(float(np.exp(u))),
        bounds=(np.log(low), np.log(high)),
        method="bounded",
        options={"xatol": accuracy},
    )
    return float(np.exp(found.x))


def _closer(
    answer: Callable[[float], tuple[float, float] | None], start: float, trace: float
) -> tuple[float, str]:
    """The best ridge by another method, looked for around the planar one, decade by decade."""

    def error(ridge: float) -> float:
        found = answer(ridge)
        return np.inf if found is None else found[0]

    middle = start or trace * 10.0 ** (-DECADES_NEAR)
    values = {k: error(middle * 10.0**k) for k in (-1, 0, 1)}
    for _ in range(DECADES_FAR):
        best = min(values, key=lambda k: values[k])
        if min(values) < best < max(values):
            low, high = (middle * 10.0 ** (best + side) for side in (-1, 1))
            return _brent(error, low, high, COARSE), ""
        beyond = best - 1 if best == min(values) else best + 1
        values[beyond] = error(middle * 10.0**beyond)
    best = min(values, key=lambda k: values[k])
    if best > 0:
        return middle * 10.0**best, "largest"
    zero = answer(0.0)
    if zero is not None and zero[0] <= values[best]:
        return 0.0, "zero"
    return middle * 10.0**best, "smallest"
