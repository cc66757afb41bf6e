import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.task import Task
from fieldtheory.practice.draw import draw, draw_points, unit_vectors
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


def test_several_outputs_share_their_inputs():
    both = draw(Task.sphere(4, ["x0", "x1*x2"], noise=0.0), 50, np.random.default_rng(1))
    assert agree(both.labels[:, 0], both.inputs[:, 0], rounding(1))
    assert agree(both.labels[:, 1], both.inputs[:, 1] * both.inputs[:, 2], rounding(1))
    assert both.components.shape == (3, 50, 2)
    noisy = draw(Task.sphere(4, ["x0", "x0"], noise=1.0), 5_000, np.random.default_rng(1))
    two = noisy.labels - noisy.components.sum(axis=0)
    assert agree(np.mean(two[:, 0] * two[:, 1]), 0, sampling(5_000**-0.5))


def points(tested, noise=0.0):
    return Task.data(np.eye(8)[:, :7] + 1, np.arange(8.0), noise, tested=tested)


def test_points_with_replacement_and_without():
    rng = np.random.default_rng(0)
    seen = np.zeros(8)
    for _ in range(500):
        drawn = draw_points(points("pool"), 6, rng)
        seen[drawn.points] += drawn.times
        assert drawn.times.sum() == 6
        assert drawn.tested.size == 8
        assert agree(drawn.labels[:, 0], drawn.points, rounding(8))
    share = 1 / 8
    assert agree(seen / 3000, share, sampling(np.sqrt(share * (1 - share) / 3000)))
    drawn = draw_points(points("unseen"), 6, rng)
    assert sorted([*drawn.points, *drawn.tested]) == list(range(8))


def test_noise_is_fresh_in_every_sample():
    """Of k samples at one point, the mean label has variance noise / k."""
    rng, off, times = np.random.default_rng(0), [], []
    for _ in range(400):
        drawn = draw_points(points("pool", 0.25), 16, rng)
        off += (drawn.labels[:, 0] - drawn.points).tolist()
        times += drawn.times.tolist()
    scaled = np.array(off) * np.sqrt(times)
    assert agree(scaled.var(), 0.25, sampling(0.25 * np.sqrt(2 / scaled.size)))


def test_what_cannot_be_drawn():
    with pytest.raises(OutOfRegime, match="at most 7"):
        draw_points(points("unseen"), 8, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="no measure to draw fresh inputs from"):
        draw(points("pool"), 3, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="no given points"):
        draw_points(Task.sphere(3, "x0"), 3, np.random.default_rng(0))
