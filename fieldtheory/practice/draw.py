"""Drawing data for a task: inputs, labels, and an explicit target where only its power is given."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.target import Target, VectorTarget
from fieldtheory.model.task import Task

CENTRES = 64  # bumps in an explicit target of given power
Indices = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, eq=False)
class Sample:
    """Data drawn on the sphere. Of several outputs, the last axis is the output.

    inputs      (samples + tests, d) unit vectors, test points last
    labels      (samples,) g(x) + noise
    components  (degrees, samples + tests) the harmonic components g_l at all inputs
    """

    inputs: Array
    labels: Array
    components: Array


def draw(task: Task, samples: int, rng: np.random.Generator, tests: int = 0) -> Sample:
    """`samples` labelled points and `tests` further points, uniform on the sphere.

    Raises `InvalidInput` for a task that is not on the sphere.

    >>> task = Task.sphere(dimension=3, target="x0")
    >>> sample = draw(task, 4, np.random.default_rng(0), tests=2)
    >>> sample.inputs.shape, sample.labels.shape, sample.components.shape
    ((6, 3), (4,), (2, 6))
    """
    size, target = checks.count("samples", samples, least=1), task.target
    if not isinstance(target, Target | VectorTarget):
        raise InvalidInput(
            f"{target}: there is no measure to draw fresh inputs from. Give Task.sphere, or "
            "labelled points with Task.data"
        )
    inputs = unit_vectors(size + checks.count("tests", tests), task.dimension, rng)
    if isinstance(target, VectorTarget):
        components = _several(target, inputs, rng)
    else:
        components = _values(target, inputs, rng)
    clean = components[:, :size].sum(axis=0)
    noise = np.sqrt(task.noise) * rng.standard_normal(clean.shape)
    return Sample(inputs, clean + noise, components)


def _values(target: Target, inputs: Array, rng: np.random.Generator) -> Array:
    """(degrees, points), of a function of that power where only the power is given."""
    if target.components:
        return target.components_at(inputs)
    centres = unit_vectors(CENTRES, target.dimension, rng)
    return target.realise(centres, rng.standard_normal(CENTRES)).components_at(inputs)


def _several(target: VectorTarget, inputs: Array, rng: np.random.Generator) -> Array:
    """(degrees, points, outputs)."""
    found = np.zeros((target.power.size, len(inputs), len(target.outputs)))
    for k, one in enumerate(target.outputs):
        values = _values(one, inputs, rng)
        found[: len(values), :, k] = values
    return found


def unit_vectors(count: int, dimension: int, rng: np.random.Generator) -> Array:
    """(count, dimension) points uniform on the unit sphere."""
    points = rng.standard_normal((count, dimension))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points


@dataclass(frozen=True, eq=False)
class Drawn:
    """A training set drawn from labelled points.

    order   (samples,) which point each sample is
    noisy   (samples, outputs) its label, noise added
    points  (distinct,) the points that are there; times how often, labels the means
    tested  the points that the error is averaged over
    """

    order: Indices
    noisy: Array
    points: Indices
    times: Array
    labels: Array
    tested: Indices


def draw_points(task: Task, samples: int, rng: np.random.Generator) -> Drawn:
    """`samples` of the points of a task on data, as it is tested: with replacement and tested on
    all points, or without and tested on the others.

    Raises `InvalidInput` for a task without points, and `OutOfRegime` where none are left.

    >>> line = Task.data([[0.0], [1.0], [2.0]], [1.0, 2.0, 3.0], tested="unseen")
    >>> found = draw_points(line, 2, np.random.default_rng(0))
    >>> found.times.tolist(), found.tested.size
    ([1.0, 1.0], 1)
    """
    where, size = task.labelled, checks.count("samples", samples, least=1)
    if where.tested == "pool":
        order = rng.integers(0, where.points, size)
    elif size < where.points:
        order = rng.permutation(where.points)[:size]
    else:
        raise OutOfRegime(
            f"{size} samples of {where.points} points, tested on the others: there are none. Ask "
            f"for at most {where.points - 1}, or for tested='pool'"
        )
    spread = np.sqrt(task.noise) * rng.standard_normal((size, task.outputs))
    noisy = where.labels[order] + spread
    points, which, times = np.unique(order, return_inverse=True, return_counts=True)
    labels = np.zeros((points.size, task.outputs))
    np.add.at(labels, which, noisy)
    everywhere = np.arange(where.points)
    tested = everywhere if where.tested == "pool" else np.setdiff1d(everywhere, order)
    return Drawn(order, noisy, points, times.astype(float), labels / times[:, None], tested)
