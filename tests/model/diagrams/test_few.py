"""One sample and two, held against explicit features on the circle and against mpmath."""

from functools import cache

import mpmath
import numpy as np
import pytest

from fieldtheory.model.diagrams import few as module
from fieldtheory.model.diagrams.few import few, has_mean
from fieldtheory.model.spectrum import Spectrum
from tests.oracles.mutation import spoil
from tests.oracles.spherical import harmonic
from tests.tolerance import agree, rounding

WAVES = (np.cos, np.sin)
EIGENVALUES, POWER = np.array([0.5, 0.2, 0.05]), np.array([0.3, 1.0, 0.6])


@cache
def circle(samples, ridge, noise, turns=96):
    """Error of regression on features 1, cos, sin, ... over an even grid of all datasets."""
    rng = np.random.default_rng(3)
    lam = np.repeat(EIGENVALUES, [1, 2, 2])
    given = rng.normal(size=5)
    for part, total in zip((slice(0, 1), slice(1, 3), slice(3, 5)), POWER, strict=True):
        given[part] *= np.sqrt(total / np.sum(given[part] ** 2))
    angles = 2 * np.pi * np.arange(turns) / turns
    phi = np.stack([np.ones(turns), *(f(l * angles) * 2**0.5 for l in (1, 2) for f in WAVES)], 1)
    total = 0.0
    for first in range(turns):
        for second in range(turns) if samples == 2 else [None]:
            X = phi[[first] if second is None else [first, second]]
            A = np.linalg.inv(X @ np.diag(lam) @ X.T + ridge * np.eye(len(X)))
            weights = lam[:, None] * X.T @ A
            total += np.sum((weights @ (X @ given) - given) ** 2) + noise * np.sum(weights**2)
    return total / turns**samples


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_all_datasets_on_the_circle(samples, noise):
    found = few(Spectrum.of(EIGENVALUES, 2), POWER, samples, 0.2, noise)
    wanted = circle(samples, 0.2, noise)
    assert agree(sum(found.bias + found.variance), wanted, rounding(wanted, 10))


def quadrature(dimension, ridge, noise):
    """Two samples, the error per degree, by mpmath on the cosine with 2 x 2 matrices."""
    lam, G = EIGENVALUES, POWER
    deg = Spectrum.of(lam, dimension).counts
    density = lambda t: (1 - t * t) ** (mpmath.mpf(dimension - 3) / 2)  # noqa: E731
    whole = mpmath.quad(density, [-1, 0, 1])

    def at(l, t):
        P = [[1.0, float(harmonic(dimension, n, t))] for n in range(3)]
        ones = [np.array([[p[0], p[1]], [p[1], p[0]]]) for p in P]
        K = sum(k * a * p for k, a, p in zip(lam, deg, ones, strict=True))
        A = np.linalg.inv(K + ridge * np.eye(2))
        target = sum(g * p for g, p in zip(G, ones, strict=True)) + noise * np.eye(2)
        learnt = lam[l] * np.trace(A @ ones[l])
        return G[l] * (1 - 2 * learnt) + deg[l] * lam[l] ** 2 * np.trace(A @ ones[l] @ A @ target)

    return [
        float(mpmath.quad(lambda t, l=l: at(l, float(t)) * density(t), [-1, 0, 1]) / whole)
        for l in range(3)
    ]


def test_error_of_each_degree_in_four_dimensions():
    found = few(Spectrum.of(EIGENVALUES, 4), POWER, 2, 0.1, 0.2)
    wanted = quadrature(4, 0.1, 0.2)
    assert agree(found.bias + found.variance, wanted, rounding(1, 100))


@pytest.mark.parametrize(
    ("old", "new"),
    [("(gap, 2 - gap)", "(gap, gap)"), ("side + noise", "side + 2 * noise"), ("lam**2", "lam")],
)
def test_spoilt_formulas_are_seen(old, new, monkeypatch):
    truth = circle(2, 0.2, 0.3)
    spoil(monkeypatch, few, old, new)
    found = module.few(Spectrum.of(EIGENVALUES, 2), POWER, 2, 0.2, 0.3)
    assert not agree(sum(found.bias + found.variance), truth, rounding(truth, 1e6))


def test_noise_between_two_close_samples(monkeypatch):
    assert has_mean(4, 2, 0.0, 1.0)
    assert has_mean(3, 2, 0.1, 1.0)
    assert has_mean(2, 2, 0.0, 0.0)
    assert not has_mean(3, 2, 0.0, 1.0)
    spread = []
    for points in (256, 512, 1024):  # without a mean it grows with the grid for ever
        monkeypatch.setattr(module, "POINTS", points)
        spread.append(np.sum(few(Spectrum.of(EIGENVALUES, 2), POWER, 2, 0.0, 1.0).variance))
    assert spread[2] > 2 * spread[1] > 4 * spread[0]
