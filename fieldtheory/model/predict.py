"""From a network and a task to a learning curve."""

from collections.abc import Sequence

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model import answers
from fieldtheory.model.curve import LearningCurve
from fieldtheory.model.memory import Memory
from fieldtheory.model.planar import equation as theory
from fieldtheory.model.question import Model, Question, modes_of
from fieldtheory.model.series.perturbative import ORDERS
from fieldtheory.model.task import Task

ANSWERS = {
    "crossing": answers.crossing,
    "planar": answers.planar,
    "perturbative": answers.perturbative,
    "equivalent-kernel": answers.equivalent,
    "renormalised": answers.renormalised,
}
METHODS = tuple(ANSWERS)
ENSEMBLES = ("fixed", "poisson")
CLUSTERS = (1, 2, 3, 4)


def predict(
    model: Model,
    task: Task,
    samples: Sequence[int] | int,
    *,
    method: str = "crossing",
    order: int = 1,
    clusters: int | None = None,
    ensemble: str = "fixed",
    keep: int = 3,
    memory: Memory | None = None,
) -> LearningCurve:
    """The learning curve of a network (or a kernel, or a spectrum) on a task.

    method    "crossing": planar diagrams and those where up to `clusters` samples are visited in
              turn, self-consistent, with the fixed-N correction;
              "planar": all non-crossing diagrams, self-consistent, the published form at N samples;
              "equivalent-kernel": the leading order in 1/N at fixed N / ridge;
              "perturbative": through `order` (0 to 3) in 1/N;
              "renormalised": the same for the kernel trimmed at the power `keep`, the rest of it
              added to the ridge, as in arXiv:1906.05301
    clusters  of "crossing": 2, 3 or 4 (1 is planar); left out, 3, or 2 where three would take
              over about five seconds, judged by the work it is and not by a clock. On given
              points: places at a time, and 2 if left out
    ensemble  "fixed" number of samples or "poisson"; "planar" uses it for its error estimate alone
    memory    of "crossing" on given points, which takes minutes for many: keeps what is finished,
              finds it again and is told how far it is, as practice.remembered.Remembered

    The tail of the spectrum beyond the listed degrees is added to the ridge. Raises `InvalidInput`
    for a malformed question and `OutOfRegime` where the method cannot answer.

    >>> from fieldtheory.model.network import Network
    >>> network = Network(depth=4, activation="relu", weight_variance=1, bias_variance=1)
    >>> task = Task.sphere(dimension=50, target=[0, 0.5, 0.5])
    >>> predict(network, task, [100, 400, 1600], method="planar").error.round(4).tolist()
    [0.7024, 0.4972, 0.3021]
    """
    checks.choice("method", method, METHODS)
    if checks.count("order", order) > ORDERS:
        raise InvalidInput(f"order = {order}: the compiled series reaches order {ORDERS}")
    if clusters is not None and checks.count("clusters", clusters) not in CLUSTERS:
        raise InvalidInput(f"clusters = {clusters}: give 1 (planar), 2, 3 or 4")
    if not isinstance(task, Task):
        raise InvalidInput(
            f"task = {task!r:.60}: give a Task, as Task.sphere(dimension=5, target='x0')"
        )
    question = Question(
        model,
        task,
        checks.sizes("samples", samples),
        "planar" if method == "crossing" and clusters == 1 else method,
        order,
        clusters,
        checks.choice("ensemble", ensemble, ENSEMBLES),
        checks.count("keep", keep),
        memory,
    )
    return ANSWERS[question.method](question)


def quick_error(model: Model, task: Task, samples: int) -> float:
    """The planar error alone, for searches: a faster spectrum and no estimate of its own error."""
    modes = modes_of(model, task, samples, accurate=False)
    given, n = task.function.power, np.array([float(samples)])
    power = np.concatenate([given, np.zeros(modes.eigenvalues.size - given.size)])
    kappa = theory.effective_ridge(modes, n, task.ridge + modes.tail)
    bias, variance = theory.mode_errors(modes, power, n, kappa, task.noise * task.outputs)
    return float(np.sum(bias + variance))
