import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.task import Task
from fieldtheory.practice.draw import draw, unit_vectors
from tests.tolerance import agree, rounding, sampling


def test_inputs_are_uniform_on_the_sphere():
    x = unit_vectors(20_000, 5, np.random.default_rng(0))
    assert agree((x**2).sum(axis=1), 1, rounding(1))
    assert agree(x.mean(axis=0), 0, sampling(np.sqrt(1 / 5 / 20_000)))
    fourth = 3 / (5 * 7)  # E[x0^4] on S^4
    assert agree((x[:, 0] ** 4).mean(), fourth, sampling((x[:, 0] ** 4).std() / np.sqrt(20_000)))


def test_labels_are_the_target_plus_noise_of_the_stated_variance():
    task = Task.sphere(4, "x0 - 2*x1*x2", noise=0.25)
    sample = draw(task, 20_000, np.random.default_rng(1))
    x = sample.inputs
    noise = sample.labels - (x[:, 0] - 2 * x[:, 1] * x[:, 2])
    assert agree(noise.mean(), 0, sampling(0.5 / np.sqrt(20_000)))
    assert agree(noise.var(), 0.25, sampling(0.25 * np.sqrt(2 / 20_000)))


def test_without_noise_labels_are_the_target():
    sample = draw(Task.sphere(4, "x0 - 2*x1*x2"), 50, np.random.default_rng(1))
    x = sample.inputs
    assert agree(sample.labels, x[:, 0] - 2 * x[:, 1] * x[:, 2], rounding(4))


def test_a_power_is_realised_by_a_function_of_that_power():
    task = Task.sphere(6, [0.0, 0.5, 0.25])
    sample = draw(task, 1, np.random.default_rng(2), tests=50_000)
    squares = sample.components[:, 1:] ** 2
    spread = squares.std(axis=1) / np.sqrt(50_000)
    assert agree(squares.mean(axis=1), [0, 0.5, 0.25], sampling(spread))


def test_nothing_to_draw_is_refused():
    with pytest.raises(InvalidInput, match="at least 1"):
        draw(Task.sphere(4, "x0"), 0, np.random.default_rng(0))
