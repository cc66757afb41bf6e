"""Measured learning curves: kernel regression, or trained networks, on freshly drawn data."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.measures.sphere import zonal
from fieldtheory.model.network import Network
from fieldtheory.model.question import Model, kernel_of, modes_of
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.task import Task
from fieldtheory.practice.draw import Sample, draw
from fieldtheory.practice.resampled import Resampled, ResampledDescent
from fieldtheory.practice.solving import solve
from fieldtheory.practice.store import Store
from fieldtheory.practice.train import train

WAYS = ("regression", "gradient-descent")
THREADS_FROM = 500  # samples from which a factorisation gains from a second BLAS thread


@dataclass(frozen=True, eq=False)
class Measurement(Pictured, Printed):
    """A measured learning curve.

    samples  (sizes,) N
    runs     (sizes, draws) the test error of every draw of the data
    by       "regression" or "gradient-descent"
    seed     of the data; every (N, draw) has a stream of its own
    """

    samples: Array
    runs: Array
    by: str
    seed: int
    question: str
    version: str = __version__

    @property
    def draws(self) -> int:
        """Number of draws at each size."""
        return int(self.runs.shape[1])

    @property
    def error(self) -> Array:
        """(sizes,) mean squared test error."""
        mean: Array = np.mean(self.runs, axis=1)
        return mean

    @property
    def standard_error(self) -> Array:
        """(sizes,) of that mean over draws."""
        spread: Array = np.std(self.runs, axis=1, ddof=1) / np.sqrt(self.draws)
        return spread

    def to_dict(self) -> dict[str, Any]:
        """The measurement as plain data."""
        return {
            "samples": [int(n) for n in self.samples],
            "error": self.error.tolist(),
            "standard_error": self.standard_error.tolist(),
            "draws": self.draws,
            "seed": self.seed,
            "by": self.by,
            "question": self.question,
            "version": self.version,
        }

    def picture(self) -> Picture:
        """The points with their standard errors."""
        label = f"measured by {self.by}, {self.draws} draws"
        points = Line(label, self.samples, self.error, self.standard_error, points=True)
        title, axis = self.question, "mean squared test error"
        return Picture(title, "samples", axis, (points,), logarithmic=("x", "y"))

    def __str__(self) -> str:
        rows = [
            f"{n:>8.0f}  {e:>10.4g}  {s:>10.2g}"
            for n, e, s in zip(self.samples, self.error, self.standard_error, strict=True)
        ]
        head = f"{'samples':>8s}  {'error':>10s}  {'std. error':>10s}"
        tail = f"measured by {self.by}, {self.draws} draws, seed {self.seed}"
        return "\n".join([self.question, tail, head, *rows])


def measure(
    model: Model,
    task: Task,
    samples: Sequence[int] | int,
    *,
    draws: int = 20,
    rng: int | np.random.Generator = 0,
    by: str = "regression",
    width: int = 512,
    tests: int = 2000,
    label_scale: float = 1.0,
    store: str | PathLike[str] | None = None,
    progress: bool | None = None,
) -> Measurement:
    r"""The test error on data drawn afresh, `draws` times at each number of samples.

    by "regression"        f = k^T (K + ridge)^{-1} y exactly, the error integrated exactly over
                           the sphere: with a = (K + ridge)^{-1} y

                           .. math:: E = a^T K^{(2)} a - 2 \sum_l \lambda_l\, a^T g_l(X)
                                     + \sum_l G_l , \quad
                                     K^{(2)} = \sum_l \lambda_l^2 \deg_l P_l
    by "gradient-descent"  networks of `width` trained to convergence (`train`), the error on
                           `tests` fresh points. Finite networks learn features, more so with a
                           small ridge: a small `label_scale` keeps them near their kernel

    A power-per-degree target is realised anew in every draw. On a task of labelled points the
    training set is drawn from these, and the error is the mean over the points that the task is
    tested on, all or unseen ones; points drawn several times count as one sample of their mean
    label and of ridge / times, also where the ridge is zero. Of several outputs errors add.

    `rng` is a seed or a Generator that supplies one. With `store` finished draws are kept in that
    file and found again after an interrupt. `progress` shows a bar always, never, or (None) at a
    terminal.

    Raises `InvalidInput` for malformed input and `OutOfRegime` where the kernel matrix is singular
    or training does not converge.

    >>> network = Network(depth=2, activation="erf")
    >>> task = Task.sphere(dimension=5, target="x0", ridge=0.1)
    >>> measure(network, task, samples=[20], draws=2, rng=0).runs.shape
    (1, 2)
    """
    sizes = checks.sizes("samples", samples)
    checks.choice("by", by, WAYS)
    draws = checks.count("draws", draws, least=2)
    seed = _seed(rng)
    runner: _Regression | _Descent | Resampled | ResampledDescent
    if by == "regression" and task.on_data:
        runner = Resampled(model, task)
    elif by == "regression":
        runner = _Regression(kernel_of(model, task), modes_of(model, task, sizes.max()), task)
    elif task.on_data:
        runner = ResampledDescent(_network(model), task, width, label_scale)
    else:
        runner = _Descent(_network(model), task, width, tests, label_scale)
    question = f"{runner.name}; {task}"
    settings = {"question": question, "by": by, "seed": seed, **runner.settings}
    kept = Store(store, settings)
    runs = np.empty((sizes.size, draws))
    todo = [(i, k) for i in range(sizes.size) for k in range(draws)]
    hidden = None if progress is None else not progress
    with kept, tqdm(todo, desc="measuring", unit=" draws", disable=hidden, leave=False) as bar:
        for i, k in bar:
            size = int(sizes[i])
            stream = np.random.SeedSequence(seed, spawn_key=(size, k))
            runs[i, k] = kept.get_or(f"{size}/{k}", lambda n=size, s=stream: runner(n, s))  # type: ignore[misc]
    return Measurement(frozen(sizes), frozen(runs), by, seed, question)


def _seed(rng: int | np.random.Generator) -> int:
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    return checks.count("rng", rng)


def _network(model: Model) -> Network:
    if isinstance(model, Network):
        return model
    raise InvalidInput(
        "by='gradient-descent' trains a network: give a Network, not a kernel or a spectrum"
    )


class _Regression:
    """One draw of kernel regression and its exact test error."""

    def __init__(self, kernel: Kernel, modes: Spectrum, task: Task) -> None:
        self.kernel, self.modes, self.task = kernel, modes, task
        self.name = kernel.name
        self.settings: dict[str, Any] = {}
        self.square = _square(modes)

    def __call__(self, size: int, stream: np.random.SeedSequence) -> float:
        with threadpool_limits(None if size >= THREADS_FROM else 1):
            return self.error(draw(self.task, size, np.random.default_rng(stream)))

    def error(self, sample: Sample) -> float:
        """a^T K2 a - 2 sum_l lam_l a^T g_l + sum_l G_l."""
        cosines = sample.inputs @ sample.inputs.T
        np.clip(cosines, -1, 1, out=cosines)  # rounding of unit vectors
        a = solve(self.kernel(cosines), self.task.ridge, sample.labels)
        G = self.task.function.power
        parts = np.sum((sample.components * a).reshape(G.size, -1), axis=1)
        overlap = self.modes.eigenvalues[: G.size] @ parts
        return float(np.sum(a * (self.square(cosines) @ a)) - 2 * overlap + G.sum())


def _square(modes: Spectrum) -> Any:
    """K2(t) = sum_l lam_l^2 deg_l P_l(t), cut where the rest is below rounding."""
    weights = modes.eigenvalues**2 * modes.counts
    rest = np.cumsum(weights[::-1])[::-1]
    needed = int(np.sum(rest > 1e-17 * rest[0]))
    if needed <= CHEBYSHEV:
        return lambda t: zonal(modes.dimension, weights[:needed], t)
    # analytic in the angle: a Chebyshev series in theta needs far fewer terms than degrees
    theta = np.polynomial.chebyshev.chebpts1(4 * CHEBYSHEV)
    values = zonal(modes.dimension, weights[:needed], np.cos(np.pi / 2 * (1 + theta)))
    series = np.polynomial.chebyshev.chebfit(theta, values, 2 * CHEBYSHEV)
    return lambda t: np.polynomial.chebyshev.chebval(2 / np.pi * np.arccos(t) - 1, series)


CHEBYSHEV = 48


class _Descent:
    """One draw of a trained network and its error on fresh points."""

    def __init__(
        self, network: Network, task: Task, width: int, tests: int, label_scale: float
    ) -> None:
        self.network, self.task = network, task
        if task.outputs > 1:
            raise InvalidInput(
                f"{task.outputs} outputs: a trained network has one. Give one target, or measure "
                "by regression"
            )
        self.width = checks.count("width", width, least=1)
        self.tests = checks.count("tests", tests, least=1)
        self.label_scale = checks.positive("label_scale", label_scale)
        self.name = f"{network}, width {self.width}"
        self.settings = {"tests": self.tests, "label_scale": self.label_scale}

    def __call__(self, size: int, stream: np.random.SeedSequence) -> float:
        task, rng = self.task, np.random.default_rng(stream)
        sample = draw(task, size, rng, tests=self.tests)
        x = task.radius * sample.inputs
        trained = train(
            self.network,
            x[:size],
            sample.labels,
            width=self.width,
            ridge=task.ridge,
            rng=rng,
            label_scale=self.label_scale,
            progress=False,
        )
        if not trained.converged:
            raise OutOfRegime(f"training on {size} samples did not converge:\n{trained}")
        truth = sample.components[:, size:].sum(axis=0)
        return float(np.mean((trained.predict(x[size:]) - truth) ** 2))
