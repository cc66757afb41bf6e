"""One sample and two of a small pool, held against all training sets listed."""

from itertools import permutations, product

import numpy as np
import pytest

from fieldtheory.model.points import few as module
from fieldtheory.model.points.finite import Measure
from tests.oracles.mutation import spoil
from tests.tolerance import agree, rounding

RNG = np.random.default_rng(1)
FEATURES, TARGET = RNG.normal(size=(5, 7)), RNG.normal(size=(5, 2))
KERNEL, WEIGHTS = FEATURES @ FEATURES.T / 7, RNG.uniform(0.5, 2, 5)
CASES = [(n, s2, v) for n in (1, 2) for s2 in (0.0, 0.3) for v in (0.0, 0.2)]


def listed(kernel, samples, ridge, noise, once):
    """Error, posterior variance and mean residual by listing every training set."""
    points = len(kernel)
    sets = permutations(range(points), samples) if once else product(range(points), repeat=samples)
    error = posterior = total = 0.0
    residual, seen = np.zeros_like(TARGET), np.zeros(points)
    for chosen in map(list, sets):
        share = 1.0 if once else np.prod(WEIGHTS[chosen])
        A = np.linalg.pinv(kernel[np.ix_(chosen, chosen)] + ridge * np.eye(samples), rcond=1e-10)
        weights = kernel[:, chosen] @ A
        h = weights @ TARGET[chosen] - TARGET
        out = np.setdiff1d(range(points), chosen) if once else np.arange(points)
        mu = np.ones(len(out)) if once else WEIGHTS
        squares = np.sum(h**2, axis=1) + 2 * noise * np.sum(weights**2, axis=1)
        left = np.diag(kernel) - np.sum(weights * kernel[:, chosen], axis=1)
        error += share * np.average(squares[out], weights=mu)
        posterior += share * np.average(left[out], weights=mu)
        total += share
        residual[out] += share * h[out]
        seen[out] += share
    return error / total, posterior / total, residual / seen[:, None]


def found(kernel, samples, ridge, noise, once):
    if once:
        return module.unseen(Measure.of(kernel), TARGET, samples, ridge, noise)
    return module.pool(Measure.of(kernel, WEIGHTS), TARGET, samples, ridge, noise)


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_every_training_set(once, case):
    mine, truth = found(KERNEL, *case, once), listed(KERNEL, *case, once)
    for value, wanted in zip((mine.error, mine.posterior, mine.residual), truth, strict=True):
        assert agree(value, wanted, rounding(1, 10))


def test_two_points_that_are_one_without_a_ridge():
    same = FEATURES.copy()
    same[3] = same[1]
    kernel = same @ same.T / 7
    mine, truth = found(kernel, 2, 0.0, 0.1, False), listed(kernel, 2, 0.0, 0.1, False)
    assert agree(mine.error, truth[0], rounding(1, 100))


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        ("_averages", "a * a.T", "a**2"),
        ("_averages", "cross * (one + other)", "cross * one"),
        ("_entered", "2 * np.sum", "np.sum"),
        ("unseen", "+ ridge * m", "- ridge * m"),
        ("unseen", "samples - 2 * ridge", "samples - ridge"),
    ],
)
def test_spoilt_formulas_are_seen(function, old, new, monkeypatch):
    truth = listed(KERNEL, 2, 0.3, 0.2, True)
    spoil(monkeypatch, getattr(module, function), old, new)
    mine = found(KERNEL, 2, 0.3, 0.2, True)
    pairs = zip((mine.error, mine.residual), (truth[0], truth[2]), strict=True)
    assert not all(agree(a, b, rounding(1, 1e6)) for a, b in pairs)
