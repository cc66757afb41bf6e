"""Drawing data for a task: inputs, labels, and an explicit target where only its power is given."""

from dataclasses import dataclass

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.model.task import Task

CENTRES = 64  # bumps in an explicit target of given power


@dataclass(frozen=True, eq=False)
class Sample:
    """Drawn data.

    inputs      (samples + tests, d) unit vectors, test points last
    labels      (samples,) g(x) + noise
    components  (degrees, samples + tests) the harmonic components g_l at all inputs
    """

    inputs: Array
    labels: Array
    components: Array


def draw(task: Task, samples: int, rng: np.random.Generator, tests: int = 0) -> Sample:
    """`samples` labelled points and `tests` further points, uniform on the sphere.

    >>> from fieldtheory.model.task import Task
    >>> task = Task.sphere(dimension=3, target="x0")
    >>> sample = draw(task, 4, np.random.default_rng(0), tests=2)
    >>> sample.inputs.shape, sample.labels.shape, sample.components.shape
    ((6, 3), (4,), (2, 6))
    """
    size = checks.count("samples", samples, least=1)
    inputs = unit_vectors(size + checks.count("tests", tests), task.dimension, rng)
    target = task.target
    if target.components:
        components = target.components_at(inputs)
    else:
        centres = unit_vectors(CENTRES, task.dimension, rng)
        components = target.realise(centres, rng.standard_normal(CENTRES)).components_at(inputs)
    noise = np.sqrt(task.noise) * rng.standard_normal(size)
    return Sample(inputs, components[:, :size].sum(axis=0) + noise, components)


def unit_vectors(count: int, dimension: int, rng: np.random.Generator) -> Array:
    """(count, dimension) points uniform on the unit sphere."""
    points = rng.standard_normal((count, dimension))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points
