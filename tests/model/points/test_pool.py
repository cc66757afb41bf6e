"""Curves on a finite measure, against sums over all datasets."""

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.points import pool
from fieldtheory.model.points.dressed import solve
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.points.pool import pooled
from tests.oracles.poisson import (
    averages,
    fixed_counts,
    label_noise,
    poisson_counts,
    posterior_variance,
)
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
        assert agree(found.orders[2], found.error, rounding(1.0))
        lowest = solve(Measure.of(KERNEL, MU), n, RIDGE, clusters=1)
        planar = MU @ np.diag(lowest.second_moment(TARGET, NOISE))
        assert agree(found.planar[0], planar, asymptotic(1e-7))
        assert abs(found.orders[1, 0] / error - 1) < off[0]


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
        assert off[1] < off[2] < off[0]  # pairs of places hold words of any number of samples
        assert off[1] < 1e-4
        assert not np.any(found.ensemble)


def test_where_an_order_has_no_solution():
    """Hardly a ridge, some more samples than points: words of three samples have no solution, one
    place at a time is what remains; pairs of places have, and are right."""
    measure, sizes = Measure.of(KERNEL), [2, 15]
    found = pooled(measure, TARGET, sizes, 1e-3, clusters=3)
    assert found.reached[1] == 1
    assert np.all(np.isfinite(found.error))
    counts, weights = fixed_counts(np.full(4, 0.25), 15)
    exact = averages(counts, weights, np.full(4, 0.25), KERNEL, TARGET, 1e-3)["error"]
    pairs = pooled(measure, TARGET, sizes, 1e-3)
    assert pairs.reached[1] == 2
    assert agree(pairs.error[1], exact, asymptotic(0.03 * exact))
    assert found.planar[1] < 1e-3 * exact < found.error[1]
    assert agree(found.remainder[1], 0.25 * found.error[1], rounding(1.0))
    assert abs(pairs.remainder[1]) < 0.1 * pairs.error[1]


@pytest.mark.parametrize("ridge", [0.0, 1e-6, 0.1, 1e6])
def test_any_ridge_and_any_number(ridge):
    found = pooled(Measure.of(KERNEL), TARGET, [1, 3, 40, 10**5], ridge, NOISE * (ridge > 0))
    for values in (found.error, found.orders, found.kappa, found.remainder, found.mode_variance):
        assert np.all(np.isfinite(values))
    assert np.all(found.error >= 0)


def test_several_outputs_and_their_modes():
    """Errors of outputs add; modes share the error out, and each is what brute force says of it."""
    both, measure, n = np.stack([TARGET, TARGET[::-1] ** 2], axis=1), Measure.of(KERNEL, MU), 4.0
    found = pooled(measure, both, [n], 0.3, NOISE, ensemble="poisson")
    each = [pooled(measure, g, [n], 0.3, NOISE, ensemble="poisson") for g in both.T]
    assert agree(found.error, each[0].error + each[1].error, asymptotic(1e-6))
    assert agree(found.mode_variance, each[0].mode_variance + each[1].mode_variance, 1e-5)
    total = np.sum(found.mode_bias + found.mode_variance, axis=1)
    assert agree(total, found.error, rounding(1.0))
    assert agree(found.power.sum(), MU @ np.sum(both**2, axis=1), rounding(1.0))
    counts, weights = poisson_counts(MU, n)
    truth = averages(counts, weights, MU, KERNEL, TARGET, 0.3)
    moment = truth["covariance"] + label_noise(counts, weights, KERNEL, 0.3, NOISE)
    root = np.sqrt(MU)
    U = np.linalg.eigh(root[:, None] * KERNEL * root)[1][:, ::-1]
    variance = np.einsum("xi,xy,yi->i", root[:, None] * U, moment, root[:, None] * U)
    bias = (U.T @ (root * truth["mean"])) ** 2
    assert agree(each[0].mode_bias[0], bias, asymptotic(1e-3))
    assert agree(each[0].mode_variance[0], variance, asymptotic(1e-3))
    posterior = MU @ posterior_variance(counts, weights, KERNEL, 0.3)
    assert agree(found.posterior, posterior, asymptotic(1e-3))


def test_what_is_learnt_of_a_mode_is_what_its_target_keeps():
    measure = Measure.of(KERNEL)
    U = measure.modes[1]
    curve = pooled(measure, U[:, 1], [3], 0.2, ensemble="poisson")
    left = np.sqrt(curve.mode_bias[0, 1] * len(U))
    assert agree(curve.learnability[0, 1], 1 - left, asymptotic(1e-5))


def test_points_that_coincide_have_words_of_two_samples():
    twice = Measure.of(
        KERNEL[np.ix_([0, 0, 1, 2, 3], [0, 0, 1, 2, 3])], [0.15, 0.15, 0.3, 0.2, 0.2]
    )
    one = solve(Measure.of(KERNEL, MU), 3.0, RIDGE).second_moment(TARGET)
    found = pooled(twice, TARGET[[0, 0, 1, 2, 3]], [3], RIDGE, ensemble="poisson")
    assert agree(found.error, MU @ np.diag(one), asymptotic(1e-5))


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        (lambda m: pooled(m, np.ones(3), [2], 0.1), InvalidInput, "3 values, the measure 4"),
        (lambda m: pooled(m, TARGET, [0], 0.1), InvalidInput, "at least 1"),
        (lambda m: pooled(m, TARGET, [2], -0.1), InvalidInput, "negative"),
        (lambda m: pooled(m, TARGET, [2], 0.1, ensemble="grand"), InvalidInput, "fixed, poisson"),
        (lambda m: pooled(m, TARGET, [2], 0.1, clusters=5), InvalidInput, "2 or 3"),
        (lambda m: pooled(m, TARGET, [2], 0.0, clusters=3), OutOfRegime, "need a ridge"),
        (lambda m: pooled(m, [np.nan] * 4, [2], 0.1), InvalidInput, "finite"),
    ],
)
def test_bad_questions(wrong, kind, says):
    with pytest.raises(kind, match=says):
        wrong(Measure.of(KERNEL))


def test_too_many_points_are_refused_before_any_work(monkeypatch):
    monkeypatch.setattr(pool, "MEMORY", 1000)
    with pytest.raises(OutOfRegime, match=r"4 points takes .* give at most 1 of them"):
        pooled(Measure.of(KERNEL), TARGET, [2], 0.1)
