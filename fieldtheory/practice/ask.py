"""From a question written down (`Spec`) to networks, tasks and answers: one function a verb."""

from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.version import __version__
from fieldtheory.model.curve import LearningCurve
from fieldtheory.model.kernel import Kernel, standard_kernel
from fieldtheory.model.measures.precise import precise_spectrum
from fieldtheory.model.network import Network
from fieldtheory.model.predict import Model, kernel_of, predict
from fieldtheory.model.spectrum import Spectrum, spectrum
from fieldtheory.model.task import Task
from fieldtheory.practice.compare import Comparison, compare
from fieldtheory.practice.draw import draw
from fieldtheory.practice.regression import Measurement, measure, solve
from fieldtheory.practice.spec import (
    MeasureSection,
    PredictSection,
    Spec,
    TrainSection,
    TuneSection,
)
from fieldtheory.practice.train import Trained, train
from fieldtheory.practice.tune import Space, Tuned, tune

DEGREES = 10  # of a spectrum to many digits, when nobody says how many
DIGITS = 25

Path = str | PathLike[str] | None


def model_of(spec: Spec) -> Model:
    """The network, kernel or spectrum that the spec describes.

    >>> from fieldtheory.practice.spec import load
    >>> print(model_of(load(None, {"network.depth": "3", "task.dimension": "5"})))
    relu NTK, depth 3, weight variance 1, bias variance 1
    """
    if spec.network is not None:
        given = spec.network
        return Network(
            given.depth,
            given.activation,
            given.weight_variance,
            given.bias_variance,
            given.kernel,
        )
    if spec.spectrum is not None:
        return Spectrum.of(spec.spectrum.eigenvalues, spec.task.dimension)
    return _standard(spec)


def _standard(spec: Spec) -> Kernel:
    spec.need("kernel")
    given = spec.kernel
    assert given is not None
    return standard_kernel(
        given.name,
        length=given.length,
        smoothness=given.smoothness,
        degree=given.degree,
        offset=given.offset,
        radius=1.0 if spec.task.input_norm == "unit" else spec.task.dimension**0.5,
    )


def task_of(spec: Spec) -> Task:
    """The task that the spec describes; it must have a target or the power per degree."""
    spec.need("task.target|task.power")
    given = spec.task
    target = given.power if given.target is None else given.target
    assert target is not None
    return Task.sphere(
        given.dimension,
        target,
        given.label_noise,
        ridge=given.ridge,
        input_norm=given.input_norm,
    )


def spectrum_of(spec: Spec, degrees: int | None = None, digits: int | None = None) -> Spectrum:
    """The spectrum on the sphere of the task; to `digits` digits in `precise` when asked.

    Raises `InvalidInput` when eigenvalues are given and more are asked.
    """
    model, d = model_of(spec), spec.task.dimension
    if isinstance(model, Spectrum):
        if degrees is not None or digits is not None:
            raise InvalidInput(
                "degrees and digits are for eigenvalues that are computed: the spec gives "
                "[spectrum]; give [network] or [kernel] instead"
            )
        return model
    kernel = model if isinstance(model, Kernel) else model.on_sphere(d, spec.task.input_norm)
    if digits is None:
        return spectrum(kernel, d, degrees)
    return precise_spectrum(kernel, d, DEGREES if degrees is None else degrees, digits)


def prediction(spec: Spec) -> LearningCurve:
    """What `[predict]` asks."""
    asked = spec.predict or PredictSection()
    return predict(
        model_of(spec),
        task_of(spec),
        asked.samples,
        method=asked.method,
        order=asked.order,
        ensemble=asked.ensemble,
        keep=asked.keep,
    )


def measurement(spec: Spec, store: Path = None) -> Measurement:
    """What `[measure]` asks, at the samples of `[predict]`; finished draws are kept in `store`."""
    asked, network = spec.measure or MeasureSection(), spec.train or TrainSection()
    return measure(
        model_of(spec),
        task_of(spec),
        (spec.predict or PredictSection()).samples,
        draws=asked.draws,
        rng=asked.seed,
        by=asked.by,
        width=network.width,
        tests=network.tests,
        store=store,
    )


def comparison(spec: Spec, store: Path = None) -> Comparison:
    """The prediction (first: it may refuse) beside the measurement."""
    curve = prediction(spec)
    return compare(curve, measurement(spec, store))


def tuning(spec: Spec) -> Tuned:
    """What `[tune]` asks; the spec's network is the one to beat.

    Raises `InvalidInput` when the spec has a kernel or a spectrum in its place.
    """
    asked, default = spec.tune or TuneSection(), model_of(spec)
    if not isinstance(default, Network):
        raise InvalidInput("tune searches for a network: give [network], the one to beat")
    space = Space(asked.depth, asked.weight_variance, asked.bias_variance, asked.activation)
    return tune(task_of(spec), asked.samples, space, default=default)


@dataclass(frozen=True, eq=False)
class Training:
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

    def plot(self, axes: Any = None) -> Any:
        """Draw them with matplotlib; returns the axes."""
        return self.picture().draw(axes)

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


def training(spec: Spec) -> Training:
    """Train one network of `[train]` for each of the samples of `[predict]`.

    Data and initialisation are those of draw 0 of `measurement` by gradient descent with the same
    seed. Raises `InvalidInput` when the spec has no network to train.
    """
    network, task = model_of(spec), task_of(spec)
    if not isinstance(network, Network):
        raise InvalidInput("train needs a network: give [network], not a kernel or a spectrum")
    curve = prediction(spec)
    seed = (spec.measure or MeasureSection()).seed
    asked = spec.train or TrainSection()
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
