"""Curves on a finite measure, against sums over all datasets."""

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.diagrams.finite import Measure
from fieldtheory.model.diagrams.pool import pooled
from tests.oracles.poisson import averages, fixed_counts, label_noise, poisson_counts
from tests.tolerance import agree, asymptotic, rounding

PLACES = np.linspace(-2, 2, 4)
KERNEL = np.exp(-0.5 * (PLACES[:, None] - PLACES) ** 2)
MU = np.array([0.3, 0.3, 0.2, 0.2])
TARGET = np.array([1.0, -0.5, 0.3, 0.8])
RIDGE, NOISE = 1.0, 0.1


def truth(counts, weights):
    found = averages(counts, weights, MU, KERNEL, TARGET, RIDGE)
    noise = MU @ np.diag(label_noise(counts, weights, KERNEL, RIDGE, NOISE))
    return found["error"] + noise, MU @ found["mean"] ** 2


def test_a_fixed_number():
    """Each order is closer; what the second order of the ensemble leaves is of its own size."""
    for n in (3, 6):
        error, bias = truth(*fixed_counts(MU, n))
        off = []
        for clusters in (1, 2, 3):
            found = pooled(Measure.of(KERNEL, MU), TARGET, [n], RIDGE, NOISE, clusters=clusters)
            off.append(abs(found.error[0] / error - 1))
            assert found.reached[0] == clusters
        assert off[1] < 0.5 * off[0]
        assert off[2] < 0.5 * off[0]
        assert agree(found.error[0], error, asymptotic(0.02 * error))
        assert agree(found.bias[0], bias, asymptotic(0.02 * bias))
        assert agree(found.planar[0], error * (1 - off[0]), rounding(error, 10))


def test_a_poisson_number():
    for eta in (1, 3):
        error, _ = truth(*poisson_counts(MU, float(eta)))
        off = []
        for clusters in (1, 2, 3):
            found = pooled(
                Measure.of(KERNEL, MU),
                TARGET,
                [eta],
                RIDGE,
                NOISE,
                clusters=clusters,
                ensemble="poisson",
            )
            off.append(abs(found.error[0] / error - 1))
        assert off[2] < off[1] < off[0]
        assert not np.any(found.ensemble)


def test_where_an_order_has_no_solution():
    """Hardly a ridge, some more samples than points: the planar theory is what remains."""
    measure = Measure.of(KERNEL)
    found = pooled(measure, TARGET, [2, 15], 1e-3, clusters=3)
    assert found.reached[1] == 1
    assert agree(found.error[1], found.planar[1], rounding(1.0))
    assert np.all(np.isfinite(found.error))


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        (lambda m: pooled(m, np.ones(3), [2], 0.1), InvalidInput, "3 values, the measure 4"),
        (lambda m: pooled(m, TARGET, [0], 0.1), InvalidInput, "at least 1"),
        (lambda m: pooled(m, TARGET, [2], -0.1), InvalidInput, "negative"),
        (lambda m: pooled(m, TARGET, [2], 0.1, ensemble="grand"), InvalidInput, "fixed, poisson"),
        (lambda m: pooled(m, TARGET, [2], 0.1, clusters=5), InvalidInput, "2 or 3"),
        (lambda m: pooled(m, TARGET, [2], 0.0, clusters=3), OutOfRegime, "need a ridge"),
    ],
)
def test_bad_questions(wrong, kind, says):
    with pytest.raises(kind, match=says):
        wrong(Measure.of(KERNEL))
