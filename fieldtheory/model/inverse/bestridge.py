r"""The ridge that makes the predicted error smallest.

If the target were drawn from the Gaussian process of the kernel, with power G_i = c deg_i lam_i in
every mode, Bayes' rule says which ridge is best: the label noise divided by c. For any other target
the best ridge makes up for what the prior gets wrong, and has to be searched for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.inverse.ridges import EXACT, QUICK, Errors
from fieldtheory.model.inverse.scan import checked
from fieldtheory.model.planar import equation as planar
from fieldtheory.model.predict import predict
from fieldtheory.model.question import Model, Question, modes_of, name_of
from fieldtheory.model.task import Task

DECADES_BELOW, DECADES_ABOVE = 12, 8  # of the trace, and of samples times the trace
PER_DECADE = 4
FINE = 1e-9  # to which log(ridge) is found where the error is planar


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

    def _others(self, none: str, own: str) -> dict[str, tuple[float | None, ...]]:
        """What the best is compared with, by its name."""
        return {none: self.without} | ({f"{own} {self.own:g}": self.at_own} if self.own else {})

    def picture(self) -> Picture:
        """The error with the best ridge, with none, and with the task's own."""
        lines = [Line("best ridge", self.samples, self.error, self.uncertainty)]
        for label, values in self._others("no ridge", "ridge").items():
            known = [k for k, value in enumerate(values) if value is not None]
            if known:
                errors = frozen([values[k] for k in known])
                lines.append(Line(label, frozen(self.samples[known]), errors))
        title, y = self.question, "mean squared test error"
        return Picture(title, "samples", y, tuple(lines), ("x", "y"))

    def __str__(self) -> str:
        lines = [self.question, f"method {self.method}"]
        for k, n in enumerate(self.samples):
            others = [
                f", {label} {values[k]:.4g}"
                for label, values in self._others("with none", "with").items()
                if values[k] is not None
            ]
            edge = f" ({self.edge[k]} searched)" if self.edge[k] in ("smallest", "largest") else ""
            lines.append(
                f"{n:.0f} samples: ridge {self.ridge[k]:.6g}{edge}, error {self.error[k]:.4g} +- "
                f"{self.uncertainty[k]:.2g}{''.join(others)}"
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
    Other methods of `predict` search downhill from there, to a hundredth of log(ridge) or so, and
    "crossing" with diagrams of two samples at a time: more come in at the ridge that is found, and
    the `method` of the result says so. Where a ridge lowers the error by no more than the
    method can tell, the answer is zero. The task's own ridge is only compared with.

    by   "error", or "evidence": the ridge of the largest (planar) log evidence, which a user can
         find without test data, and the error there. The two agree if the prior is right, also in
         its scale
    options   of `predict`: order, clusters, ensemble, keep, memory

    Raises `InvalidInput` for an unknown option, and `OutOfRegime` if the method has no prediction
    at any ridge.

    >>> from fieldtheory.model.spectrum import Spectrum
    >>> lam, deg = [0.3, 0.05, 0.004], [1, 5, 14]
    >>> prior = [2 * n * value for n, value in zip(deg, lam, strict=True)]      # c = 2
    >>> task = Task.sphere(dimension=5, target=prior, noise=0.1)
    >>> best_ridge(Spectrum.of(lam, dimension=5), task, [10, 100]).ridge.round(6).tolist()
    [0.05, 0.05]
    """
    checked("best_ridge", options, ("samples", "by"))
    sizes = checks.sizes("samples", samples)
    fast = modes_of(model, task, float(sizes.max())) if task.on_sphere else model
    question = Question(fast, task, sizes, "planar", 1, None, "fixed", 3)
    evidence = checks.choice("by", by, ("error", "evidence")) == "evidence"
    unseen = task.on_data and task.labelled.tested == "unseen"
    errors = Errors(fast, task, sizes, method, options)
    found = [_planar_best(question, float(n), evidence) for n in sizes]
    searched = ""
    if not (evidence or (method == "planar" and not unseen)):
        quick, trace = errors.quick(), question.modes.trace
        found = [quick.lowest(k, start, trace) for k, (start, _) in enumerate(found)]
        searched = f", the ridge searched with clusters = {QUICK}" if quick is not errors else ""
    ridge, error, spread, edges = _settled(errors, found, task.ridge, keep=evidence)
    return BestRidge(
        samples=sizes,
        ridge=ridge,
        error=error,
        uncertainty=spread,
        without=_known(errors.at(0.0)[0]),
        own=task.ridge,
        at_own=_known(errors.at(task.ridge)[0]),
        edge=edges,
        method=f"{method}, by the evidence" if evidence else f"{method}{searched}",
        question=f"{name_of(model)}; {task}",
    )


def _settled(
    errors: Errors, found: list[tuple[float, str]], own: float, keep: bool
) -> tuple[Array, Array, Array, tuple[str, ...]]:
    """Ridges, errors, uncertainties and edges, by the method that was asked for.

    Zero or the task's own ridge takes the place of one that does not lower the error, unless the
    ridge was found by another measure (`keep`).
    """
    ridge = np.array([ridge for ridge, _ in found])
    edges = [edge for _, edge in found]
    error, spread = np.empty(ridge.size), np.empty(ridge.size)
    for value in np.unique(ridge):
        same = np.flatnonzero(ridge == value)
        every = same.size == ridge.size
        error[same], spread[same] = errors.at(value) if every else errors.some(same.tolist(), value)
    for value, edge in () if keep else ((own, ""), (0.0, "zero")):
        there, doubt = errors.at(value)
        better = there <= error * (1 + errors.told) if value == 0 else there < error
        for k in np.flatnonzero(better & np.isfinite(there)):
            ridge[k], error[k], spread[k], edges[k] = value, there[k], doubt[k], edge
    for k in np.flatnonzero(~np.isfinite(error))[:1]:
        errors.asked([int(k)], float(ridge[k]))  # which is refused, and says why
    return ridge, error, spread, tuple(edges)


def _known(errors: Array) -> tuple[float | None, ...]:
    return tuple(value if np.isfinite(value) else None for value in errors.tolist())


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
    values = np.array([cost(ridge) for ridge in grid])
    best = int(np.argmin(values))
    worth = float(values[best] + EXACT * abs(values[best]))  # no better than this is no better
    if not evidence and _at_zero(error) <= worth:
        return 0.0, "zero"
    if values[0] <= worth:
        return float(grid[0]), "smallest"
    if best == len(grid) - 1:
        return float(grid[best]), "largest"
    return _brent(cost, float(grid[best - 1]), float(grid[best + 1]), FINE), ""


def _at_zero(error: Callable[[float], float]) -> float:
    try:
        return error(0.0)
    except OutOfRegime:
        return np.inf


def _brent(error: Callable[[float], float], low: float, high: float, accuracy: float) -> float:
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda u: error(float(np.exp(u))),
        bounds=(np.log(low), np.log(high)),
        method="bounded",
        options={"xatol": accuracy},
    )
    return float(np.exp(found.x))
