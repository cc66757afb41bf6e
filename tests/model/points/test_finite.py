"""A finite measure and its words: what is accepted, and the pieces by plain sums."""

from itertools import pairwise

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.points.finite import Measure, Thirds, Words
from tests.oracles.crossings import connected_words
from tests.tolerance import agree, asymptotic, rounding

MU = np.array([0.6, 0.4])
KERNEL = np.array([[1.0, 0.3], [0.3, 0.7]])


def words(clusters, ridge=5.0, eta=1.5):
    measure = Measure.of(KERNEL, MU)
    return Words(measure, eta, ridge, KERNEL, clusters, Thirds.of(measure, clusters, None))


def by_words(clusters, ridge=5.0, eta=1.5, longest=11):
    """Every listed word of up to so many runs, at every place of its samples; and the last ones."""
    t, total, last = 1 / (ridge + np.diag(KERNEL)), np.zeros((2, 2)), np.zeros((2, 2))
    for number in range(1, clusters + 1):
        for length in range(1, longest + 1):
            last = np.zeros((2, 2))
            for text in connected_words(number, length):
                for places in np.ndindex(*[2] * number):
                    at = [places["abc".index(letter)] for letter in text]
                    value = np.prod([eta * MU[place] for place in places])
                    value *= np.prod(t[at]) * np.prod([-KERNEL[a, b] for a, b in pairwise(at)])
                    # the letters of a word are interchangeable: each set of samples is met once
                    symmetry = np.prod(np.arange(1, number + 1))
                    last[at[0], at[-1]] += value / symmetry
            total += last
    return total, last


@pytest.mark.parametrize("clusters", [1, 2, 3])
def test_the_self_energy_is_a_sum_of_words(clusters):
    total, last = by_words(clusters, longest=9)
    found = words(clusters).self_energy
    assert agree(found, total, asymptotic(np.max(np.abs(last))) + rounding(1.0))
    if clusters > 1:
        assert not agree(words(clusters - 1).self_energy, total, asymptotic(np.max(np.abs(last))))


@pytest.mark.parametrize("clusters", [1, 2, 3])
@pytest.mark.parametrize("ridge", [0.0, 1.0])
def test_the_response_is_the_slope_of_the_self_energy(clusters, ridge):
    measure, step = Measure.of(KERNEL, MU), 1e-6
    thirds = Thirds.of(measure, clusters, None)
    moved = np.array([[0.2, -0.1], [-0.1, 0.3]])

    def at(scale):
        C = KERNEL + scale * moved
        return Words(measure, 1.5, 0.4 + scale * ridge, C, clusters, thirds).self_energy

    here = Words(measure, 1.5, 0.4, KERNEL, clusters, thirds)
    found = here.response(moved, ridge)
    truth = (at(step) - at(-step)) / (2 * step)
    assert agree(found, truth, asymptotic(1e-7))
    assert not agree(1.01 * found, truth, asymptotic(1e-7))


def test_the_propagator():
    D = np.array([[2.0, -0.1], [-0.1, 1.0]])
    found = Measure.of(KERNEL).propagator(D)
    assert agree(found, np.linalg.inv(np.linalg.inv(KERNEL) + D), rounding(1.0, 10))
    assert np.all(np.isnan(Measure.of(KERNEL).propagator(-5 * np.eye(2))))


def test_a_kernel_of_low_rank():
    vector = np.array([1.0, -2.0, 0.5])
    measure = Measure.of(np.outer(vector, vector))
    assert measure.factor.shape == (3, 1)
    D = np.diag([1.0, 2.0, 3.0])
    exact = np.outer(vector, vector) / (1 + vector @ D @ vector)
    assert agree(measure.propagator(D), exact, rounding(1.0, 10))


@pytest.mark.parametrize(
    ("kernel", "weights", "says"),
    [
        (np.ones(3), None, "square matrix"),
        (np.ones((2, 3)), None, "square matrix"),
        (np.array([[1.0, np.nan], [0.0, 1.0]]), None, "finite square"),
        (np.array([[1.0, 0.5], [0.2, 1.0]]), None, "not symmetric"),
        (np.array([[1.0, 2.0], [2.0, 1.0]]), None, "none may be negative"),
        (np.zeros((2, 2)), None, "not all zero"),
        (np.eye(2), [1.0], "one for each"),
        (np.eye(2), [0.0, 0.0], "not all zero"),
        (np.eye(2), [1.0, -1.0], "negative"),
    ],
)
def test_what_is_no_measure(kernel, weights, says):
    with pytest.raises(InvalidInput, match=says):
        Measure.of(kernel, weights)


def test_it_cannot_be_changed():
    measure = Measure.of(KERNEL, [3, 2])
    assert agree(measure.weights, MU, rounding(1.0))
    with pytest.raises(ValueError, match="read-only"):
        measure.kernel[0, 0] = 2.0
