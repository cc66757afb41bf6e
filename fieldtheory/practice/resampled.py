"""Draws from a data set: regression, or trained networks, on some of its points.

A training set has some points several times. With ridge s2, k samples of one point are one sample
of ridge s2/k whose label is their mean; in the limit of no ridge it is one sample with that label.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from fieldtheory.ground import checks
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.network import Network
from fieldtheory.model.question import Model, matrix_of, name_of
from fieldtheory.model.task import Task
from fieldtheory.practice.draw import Drawn, draw_points
from fieldtheory.practice.solving import solve
from fieldtheory.practice.train import train

THREADS_FROM = 500  # samples from which a factorisation gains from a second BLAS thread


def settings_of(model: Model, task: Task) -> dict[str, Any]:
    """What tells this data set, and a kernel without a name, from others."""
    found: dict[str, Any] = {"data": task.labelled.fingerprint}
    if isinstance(model, np.ndarray | list):
        matrix = np.ascontiguousarray(model, dtype=float)
        found["kernel"] = sha256(matrix.tobytes()).hexdigest()[:16]
    return found


class Resampled:
    """One draw of kernel regression on data and its error, exact: one kernel matrix serves all."""

    def __init__(self, model: Model, task: Task) -> None:
        self.task, self.name = task, name_of(model)
        self.matrix = matrix_of(model, task)
        self.settings = settings_of(model, task)

    def __call__(self, size: int, stream: np.random.SeedSequence) -> float:
        with threadpool_limits(None if size >= THREADS_FROM else 1):
            return self.error(draw_points(self.task, size, np.random.default_rng(stream)))

    def error(self, drawn: Drawn) -> float:
        """The mean over the tested points of (f - y)^2, summed over the outputs."""
        there, tested = drawn.points, drawn.tested
        inside = self.matrix[np.ix_(there, there)]
        weights = solve(inside, self.task.ridge / drawn.times, drawn.labels)
        answer = self.matrix[np.ix_(tested, there)] @ weights
        off = answer - self.task.labelled.labels[tested]
        return float(np.sum(off**2) / tested.size)


@dataclass(frozen=True, eq=False)
class ResampledDescent:
    """One draw of a network trained on data, and its error on the tested points.

    Raises `InvalidInput` for labels of several outputs: a trained network has one.
    """

    network: Network
    task: Task
    width: int
    label_scale: float

    def __post_init__(self) -> None:
        checks.count("width", self.width, least=1)
        checks.positive("label_scale", self.label_scale)
        if self.task.outputs > 1:
            raise InvalidInput(
                f"{self.task.outputs} outputs: a trained network has one. Give one column of the "
                "labels, or measure by regression"
            )

    @property
    def name(self) -> str:
        """Of the model in print."""
        return f"{self.network}, width {self.width}"

    @property
    def settings(self) -> dict[str, Any]:
        """What tells this measurement from others."""
        return {"label_scale": self.label_scale, **settings_of(self.network, self.task)}

    def __call__(self, size: int, stream: np.random.SeedSequence) -> float:
        rng, where = np.random.default_rng(stream), self.task.labelled
        drawn = draw_points(self.task, size, rng)
        trained = train(
            self.network,
            where.inputs[drawn.order],
            drawn.noisy[:, 0],
            width=self.width,
            ridge=self.task.ridge,
            rng=rng,
            label_scale=self.label_scale,
            progress=False,
        )
        if not trained.converged:
            raise OutOfRegime(f"training on {size} samples did not converge:\n{trained}")
        off = trained.predict(where.inputs[drawn.tested]) - where.labels[drawn.tested, 0]
        return float(np.mean(off**2))
