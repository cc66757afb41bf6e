"""Averages at two variances from expansions: against quadrature, and against closed forms."""

import numpy as np
import pytest
from scipy.special import ndtr

from fieldtheory.model.averages.pair import Pair
from fieldtheory.model.measures import gram as module
from fieldtheory.model.measures.gram import gram
from fieldtheory.model.network import Network
from tests.oracles.measures import two_variances, two_variances_kinked
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding


def cloud(points, features):
    """Points of all lengths."""
    return np.random.default_rng(points).standard_normal((points, features))


def gelu(z):
    return z * ndtr(z)


SERIES = [
    ("tanh", np.tanh),
    ("gelu", gelu),
    ("hermite(3)", lambda z: (z**3 - 3 * z) / np.sqrt(6)),
    (lambda z: np.exp(-((z - 1) ** 2) / 2), lambda z: np.exp(-((z - 1) ** 2) / 2)),
]


@pytest.mark.parametrize(("name", "function"), SERIES)
def test_expanded_averages_at_two_lengths(name, function):
    net, x = Network(2, name, 1.2, 0.3, "nngp"), cloud(3, 3)
    c = 1.2 * x @ x.T / 3 + 0.3
    q, r = c[0, 0], c[1, 1]
    truth = 1.2 * two_variances(function, q, r, c[0, 1] / np.sqrt(q * r)) + 0.3
    assert agree(gram(net, x)[0, 1], truth, rounding(truth, 100))


def check_series(names=("erf", "leaky_relu(0.3)", "sin", "cos"), depth=3):
    """Closed forms at two variances, and the expansion in their place: slopes too."""
    x = cloud(12, 4)
    for name in names:
        for kernel in ("ntk", "nngp"):
            net = Network(depth, name, 1.2, 0.3, kernel)
            exact = gram(net, x)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(module, "EQUAL_VARIANCE", {})
                found = gram(net, x)
            off = ~np.eye(12, dtype=bool)  # at p = 1 the slope of a kink is as good as sqrt(eps)
            assert agree(found[off], exact[off], rounding(exact[off], 100))
            assert agree(found, exact, 1e-7 * np.max(exact))


def mixed(q, r, p):
    """E[|u| cos v]: cos of what is left of v is known, the rest is an integral over u."""
    z = np.polynomial.legendre.leggauss(200)
    u = 7.5 * (z[0] + 1)
    inner = u * np.cos(p * np.sqrt(r) * u) * np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
    return 2 * np.sqrt(q) * np.exp(-r * (1 - p * p) / 2) * (7.5 * z[1] @ inner)


def check_kink():
    """2 |u| + cos u at two lengths, term by term."""
    net, x = Network(2, lambda z: 2 * np.abs(z) + np.cos(z), 1.2, 0.3, "nngp"), cloud(3, 3)
    c = 1.2 * x @ x.T / 3 + 0.3
    q, r = c[0, 0], c[1, 1]
    p = c[0, 1] / np.sqrt(q * r)
    terms = (
        4 * two_variances_kinked(abs, 1, q, r, p),
        two_variances(np.cos, q, r, p),
        2 * mixed(q, r, p),
        2 * mixed(r, q, p),
    )
    truth = 1.2 * sum(terms) + 0.3
    assert agree(gram(net, x)[0, 1], truth, rounding(truth, 100))


def test_the_expansion_agrees_with_closed_forms():
    check_series()
    check_kink()


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        (Pair._series, "gap * ladder[gap - 1]", "ladder[gap - 1]"),
        (Pair._series, "slope = slope * ladder[gap]", "slope = slope * p"),
        (Pair._terms, "a[k] * kink_b[k] + kink_a[k] * b[k]", "2 * a[k] * kink_b[k]"),
        (Pair.at, "slope / self.mean", "slope"),
        (Pair.at, "bend.average(self.mean, p, xp, 1)", "bend.average(self.mean, p, xp, 0)"),
    ],
)
def test_a_spoilt_expansion_is_seen(monkeypatch, function, old, new):
    spoil(monkeypatch, function, old, new)
    assert not (survives(lambda: check_series(["sin", "leaky_relu(0.3)"])) and survives(check_kink))
