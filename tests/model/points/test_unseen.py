"""Unseen points, against every subset of a small pool."""

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.labelled import Labelled
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.points.pool import pooled
from fieldtheory.model.points.unseen import on_data, unseen
from tests.oracles import subsets
from tests.tolerance import agree, asymptotic, rounding

PLACES = np.random.default_rng(0).standard_normal((9, 2))
KERNEL = np.exp(-0.5 * np.sum((PLACES[:, None] - PLACES) ** 2, axis=-1)) + 0.05 * np.eye(9)
TARGET = np.stack([np.sign(PLACES[:, 0]) + 0.3, PLACES[:, 1]], axis=1)


@pytest.mark.parametrize(("ridge", "noise"), [(0.0, 0.0), (0.1, 0.2), (1.0, 0.2)])
def test_a_fixed_number_of_points(ridge, noise):
    sizes = [3, 5, 7]
    found = unseen(KERNEL, TARGET, sizes, ridge, noise)
    truth = np.array([subsets.unseen(KERNEL, TARGET, n, ridge, noise) for n in sizes])
    error, bias, posterior = truth.T
    assert agree(found.bias, bias, 0.03 * bias)
    assert agree(found.posterior, posterior, 0.03 * posterior)
    # of so few points the series in their number is what limits; two orders of it are taken
    assert agree(found.error, error, asymptotic(0.04 * error))
    assert np.all(np.abs(found.ensemble) < 0.1 * error)
    assert agree(found.error, np.sum(found.mode_bias + found.mode_variance, axis=1), rounding(2))
    assert np.all(found.reached == 2)


def test_no_samples_to_speak_of_and_nearly_all():
    """One of nine points teaches little; with eight, the ninth is what it is."""
    low, high = unseen(KERNEL, TARGET, [1, 8], 0.1).error
    assert low > 2 * high
    exact = subsets.unseen(KERNEL, TARGET, 8, 0.1, 0.0)[0]
    assert agree(high, exact, asymptotic(0.05 * exact))


def test_labelled_points_are_asked_as_they_are_tested():
    for tested in ("pool", "unseen"):
        data = Labelled(PLACES, TARGET, "test", tested)
        found = on_data(data, KERNEL, [3], 0.2, 0.1)
        if tested == "pool":
            other = pooled(Measure.of(KERNEL), TARGET, [3], 0.2, 0.1)
        else:
            other = unseen(KERNEL, TARGET, [3], 0.2, 0.1)
        assert agree(found.error, other.error, rounding(1.0))


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        (lambda: unseen(KERNEL, TARGET, [9], 0.1), OutOfRegime, "at most 8"),
        (lambda: unseen(KERNEL, TARGET[:4], [2], 0.1), InvalidInput, "4 values"),
        (lambda: unseen(KERNEL, TARGET, [2], 0.1, -1), InvalidInput, "negative"),
        (lambda: unseen(KERNEL, TARGET, [2], 0.1, clusters=3), OutOfRegime, "pairs of places"),
        (
            lambda: on_data(
                Labelled(PLACES, TARGET, "test", "unseen"), KERNEL, [2], 0.1, ensemble="poisson"
            ),
            OutOfRegime,
            "without replacement",
        ),
    ],
)
def test_bad_questions(wrong, kind, says):
    with pytest.raises(kind, match=says):
        wrong()
