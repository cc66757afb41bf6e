"""Finite networks trained as a spec asks, beside their kernel and the prediction."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.curve import LearningCurve
from fieldtheory.model.network import Network
from fieldtheory.model.question import kernel_of
from fieldtheory.model.task import Task
from fieldtheory.practice.draw import draw
from fieldtheory.practice.sections import TrainSection
from fieldtheory.practice.solving import solve
from fieldtheory.practice.train import Trained, train


@dataclass(frozen=True, eq=False)
class Training(Pictured, Printed):
    """Trained networks, one for each number of samples, beside what is said about them.

    curve             the prediction of `[predict]`
    networks          (sizes,) the trained networks
    error             (sizes,) mean squared error of each on `tests` fresh points
    regression_error  (sizes,) of kernel regression on the same data and points
    """

    curve: LearningCurve
    networks: tuple[Trained, ...]
    error: Array
    regression_error: Array
    tests: int
    seed: int
    version: str = __version__

    @property
    def converged(self) -> bool:
        """Whether every network reached the minimum of its loss."""
        return all(network.converged for network in self.networks)

    def to_dict(self) -> dict[str, Any]:
        """The errors and how they were reached, as plain data."""
        return {
            "samples": [int(n) for n in self.curve.samples],
            "error": self.error.tolist(),
            "regression_error": self.regression_error.tolist(),
            "predicted": self.curve.error.tolist(),
            "uncertainty": self.curve.uncertainty.tolist(),
            "method": self.curve.method,
            "converged": [network.converged for network in self.networks],
            "steps": [network.steps for network in self.networks],
            "remaining": [network.remaining for network in self.networks],
            "width": self.networks[0].width,
            "tests": self.tests,
            "seed": self.seed,
            "question": self.curve.question,
            "version": self.version,
        }

    def picture(self) -> Picture:
        """The predicted curve and the two errors as points."""
        x = self.curve.samples
        width = self.networks[0].width
        points = (
            Line(f"trained, width {width}", x, self.error, points=True),
            Line("regression, same data", x, self.regression_error, points=True),
        )
        picture = self.curve.picture()
        return picture + Picture(picture.title, picture.x, picture.y, points)

    def __str__(self) -> str:
        columns = zip(
            self.curve.samples,
            self.error,
            self.regression_error,
            self.curve.error,
            self.networks,
            strict=True,
        )
        rows = [
            f"{n:>7.0f}  {e:>9.4g}  {r:>10.4g}  {p:>9.4g}  {net.steps:>6d}  "
            f"{'converged' if net.converged else 'NOT converged: raise max_steps'}"
            for n, e, r, p, net in columns
        ]
        return "\n".join(
            [
                self.curve.question,
                f"one network of width {self.networks[0].width} at each size, seed {self.seed}, "
                f"error on {self.tests} fresh points",
                f"regression: the kernel on the same data; predicted: {self.curve.method}",
                f"{'samples':>7s}  {'trained':>9s}  {'regression':>10s}  {'predicted':>9s}  "
                f"{'steps':>6s}",
                *rows,
            ]
        )


def trained_beside(
    curve: LearningCurve, network: Network, task: Task, seed: int, asked: TrainSection
) -> Training:
    """One network for each size of a predicted curve, on the data of the first draws of a seed."""
    runs = [_trained(network, task, int(size), seed, asked) for size in curve.samples]
    networks, errors, others = zip(*runs, strict=True)
    return Training(curve, networks, frozen(errors), frozen(others), asked.tests, seed)


def _trained(
    network: Network, task: Task, size: int, seed: int, asked: TrainSection
) -> tuple[Trained, float, float]:
    """A trained network, its error, and that of regression on the same points."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(size, 0)))
    sample = draw(task, size, rng, tests=asked.tests)
    x, truth = sample.inputs, sample.components[:, size:].sum(axis=0)
    trained = train(
        network,
        task.radius * x[:size],
        sample.labels,
        width=asked.width,
        rng=rng,
        ridge=task.ridge,
        tolerance=asked.tolerance,
        max_steps=asked.max_steps,
    )
    found = trained.predict(task.radius * x[size:])
    kernel = kernel_of(network, task)
    weights = solve(kernel(_cosines(x[:size], x[:size])), task.ridge, sample.labels)
    expected = kernel(_cosines(x[size:], x[:size])) @ weights
    return trained, float(np.mean((found - truth) ** 2)), float(np.mean((expected - truth) ** 2))


def _cosines(x: Array, y: Array) -> Array:
    """Of unit vectors, rounding past one taken back."""
    cosines: Array = np.clip(x @ y.T, -1, 1)
    return cosines
