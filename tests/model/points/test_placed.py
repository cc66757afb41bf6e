"""Pairs of places against sums over all training sets, with replacement and without."""

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.points.placed import Placed, coincident, often, once
from fieldtheory.model.points.sites import Sites
from tests.oracles.poisson import averages, label_noise, poisson_counts
from tests.oracles.subsets import independent
from tests.tolerance import agree, asymptotic, rounding

MU = np.array([0.5, 0.3, 0.2])
KERNEL = np.array([[1.0, 0.4, 0.2], [0.4, 0.8, 0.3], [0.2, 0.3, 0.9]])
TARGET = np.array([[1.0, 0.2], [-0.6, 0.5], [0.3, -1.0]])
NOISE = 0.2


def gaps_often(mu, kernel, target, eta, ridge, nodes=2):
    """Prediction minus brute force, relative to it: of the second moment's trace and the mean."""
    counts, weights = poisson_counts(mu, eta)
    moment, means = label_noise(counts, weights, kernel, ridge, NOISE * target.shape[1]), []
    for g in target.T:
        truth = averages(counts, weights, mu, kernel, g, ridge)
        moment = moment + truth["covariance"] + np.outer(truth["mean"], truth["mean"])
        means.append(truth["mean"])
    rows = []
    for clusters in (1, 2):
        found = often(Measure.of(kernel, mu), eta, ridge, clusters=clusters, nodes=nodes)
        off = mu @ np.diag(found.second_moment(target, NOISE) - moment) / (mu @ np.diag(moment))
        rows.append([abs(off), np.max(np.abs(found.residual(target) + np.stack(means, axis=1)))])
    return np.array(rows)


def gaps_once(kernel, target, chance, ridge):
    propagator, mean, error = independent(kernel, target, chance, ridge, NOISE)
    rows = []
    for clusters in (1, 2):
        found = once(Measure.of(kernel), chance * len(kernel), ridge, clusters=clusters)
        rows.append(
            [
                abs(found.unseen(target, NOISE) / error - 1),
                np.max(np.abs(found.residual(target) + mean)),
                np.max(np.abs(found.propagator - propagator)),
            ]
        )
    return np.array(rows)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_two_places_are_exact(ridge):
    two, target = KERNEL[:2, :2], TARGET[:2]
    assert np.all(gaps_once(two, target, 0.4, ridge)[1] < asymptotic(1e-8))
    assert np.all(gaps_once(two, target, 0.4, ridge)[0] > 1e-3)
    mu = np.array([0.6, 0.4])
    # all counts of one or more are two nodes: exact without a ridge, and nearly so with one
    assert np.all(gaps_often(mu, two, target, 1.5, max(ridge, 1e-9))[1] < asymptotic(1e-4))
    assert np.all(gaps_often(mu, two, target, 1.5, max(ridge, 1e-9))[0] > 1e-3)


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_few_samples(ridge):
    """One place leaves out what two samples do, a pair what three do."""
    coarse, fine = (gaps_once(KERNEL, TARGET, chance, ridge) for chance in (0.04, 0.02))
    powers = np.log2(coarse / fine)
    assert np.all(powers[0] > 1.75)
    assert np.all(powers[1] > 2.75)
    coarse, fine = (gaps_often(MU, KERNEL, TARGET, eta, ridge + 0.1) for eta in (0.08, 0.04))
    powers = np.log2(coarse / fine)
    assert np.all(powers[0] > 1.75)
    assert np.all(powers[1] > 2.6)


@pytest.mark.parametrize(("eta", "ridge"), [(1.0, 1e-3), (3.0, 0.1), (8.0, 0.1), (8.0, 1.0)])
def test_many_samples_with_replacement(eta, ridge):
    """Up to several at each place, hardly a ridge: within a thousandth, where words of samples are
    off by as much as themselves."""
    one, two = gaps_often(MU, KERNEL, TARGET, eta, ridge, nodes=3)
    assert two[1] < 0.3 * one[1]
    assert two[0] < 1e-3


@pytest.mark.parametrize("chance", [0.3, 0.6, 0.9])
def test_many_places(chance):
    one, two = gaps_once(KERNEL, TARGET, chance, 0.05)
    assert np.all(two < 0.5 * one)


def test_the_response_against_differences():
    """dS/dJ, with J on the places that are not there, by solving again."""
    measure, step, ridge, eta = Measure.of(KERNEL), 1e-4, 0.2, 1.2
    found = once(measure, eta, ridge)
    counts = [
        independent(np.linalg.inv(np.linalg.inv(KERNEL) + J * np.eye(3)), TARGET, 0.4, ridge, 0)
        for J in (0.0, step)
    ]
    assert agree(found.propagator, counts[0][0], asymptotic(2e-3))
    # the same J everywhere moves C by - C (1 + dS) C
    moved = often(Measure.of(np.linalg.inv(np.linalg.inv(KERNEL) + step * np.eye(3))), eta, ridge)
    still = often(measure, eta, ridge)
    C = still.propagator
    answer = np.eye(3) + still.answer(-C @ C, 0.0)
    assert agree((moved.propagator - C) / step, -C @ answer @ C, asymptotic(1e-3))


def test_a_spoilt_part_is_seen(monkeypatch):
    """Two per cent of the words between places, with their slope."""
    right = Sites.self_energy.func

    def wrong(self):
        S = right(self)
        return np.diag(np.diag(S)) + 1.02 * (S - np.diag(np.diag(S)))

    truth = gaps_once(KERNEL[:2, :2], TARGET[:2], 0.4, 0.1)[1, 2]
    monkeypatch.setattr(Sites, "self_energy", property(wrong))
    assert gaps_once(KERNEL[:2, :2], TARGET[:2], 0.4, 0.1)[1, 2] > 1e-5 > 100 * truth


def test_places_that_coincide():
    twice = Measure.of(KERNEL[np.ix_([0, 0, 1], [0, 0, 1])])
    assert coincident(twice) == (0, 1)
    assert coincident(Measure.of(KERNEL)) is None
    assert isinstance(often(twice, 1.0, 0.1, clusters=1), Placed)
    for ask in (often, once):
        with pytest.raises(OutOfRegime, match="points 0 and 1 are one to the kernel"):
            ask(twice, 1.0, 0.1)


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        (lambda m: once(m, 3.0, 0.1), OutOfRegime, "tested on the others: there are none"),
        (lambda m: once(m, 0.0, 0.1), InvalidInput, "not positive"),
        (lambda m: often(m, 1.0, -0.1), InvalidInput, "negative"),
        (lambda m: often(m, 1.0, 0.1, clusters=3), InvalidInput, "clusters"),
    ],
)
def test_bad_questions(wrong, kind, says):
    with pytest.raises(kind, match=says):
        wrong(Measure.of(KERNEL))
    assert agree(np.sum(MU), 1, rounding(1.0))
