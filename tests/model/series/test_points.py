"""The series on points against the average over every training set there is."""

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.measures.data import gram_spectrum
from fieldtheory.model.series import points
from fieldtheory.model.series.perturbative import expand_points
from fieldtheory.model.series.points import Points
from tests.oracles import poisson
from tests.tolerance import agree, asymptotic, rounding

NOISE, RATIO = 0.3, 0.6  # of the labels; the ridge per sample
LADDER = np.array([40, 80, 160])


def measure(size=3, outputs=2, seed=0):
    draw = np.random.default_rng(seed)
    features = draw.normal(size=(size, 3))
    mu = draw.uniform(0.5, 1, size)
    kernel = features @ features.T + 0.1 * np.eye(size)
    return mu / mu.sum(), kernel, draw.normal(size=(size, outputs))


def modes(mu, kernel, target):
    root = np.sqrt(mu)
    values, vectors = np.linalg.eigh(root[:, None] * kernel * root)
    return Points(values, vectors / root[:, None], mu, target)


def truth(mu, kernel, target, samples, ensemble):
    """Bias and variance, summed over modes and outputs, by brute force."""
    ridge = RATIO * samples
    draws = poisson.poisson_counts if ensemble == "poisson" else poisson.fixed_counts
    counts = draws(mu, samples)
    rows = [poisson.averages(*counts, mu, kernel, g, ridge) for g in target.T]
    noise = mu @ np.diag(poisson.label_noise(*counts, kernel, ridge, NOISE))
    bias = sum(mu @ row["mean"] ** 2 for row in rows)
    return bias, sum(row["error"] for row in rows) - bias + noise


def falls(problem, sizes, ensemble, through, how):
    """The power with which (brute force - series) falls, of bias and of variance."""
    left = []
    for n in map(int, sizes):
        found = expand_points(
            modes(*problem), np.array([float(n)]), RATIO * n, NOISE, order=through, ensemble=how
        )
        parts = [part[: through + 1].sum() for part in (found.bias, found.variance)]
        left.append(np.abs(np.array(parts) - truth(*problem, n, ensemble)))
    return np.polyfit(np.log(sizes), np.log(left), 1)[0]


@pytest.mark.parametrize("through", [0, 1, 2, 3])
def test_at_a_fixed_number_the_rest_falls_with_the_next_power(through):
    """After order k it is of order samples^-(k+1), for bias and variance each."""
    budget = asymptotic(8 / LADDER[0])
    assert agree(falls(measure(), LADDER, "fixed", through, "fixed"), -through - 1, budget)
    if through:
        spoilt = falls(measure(), LADDER, "fixed", through, "poisson")
        assert not agree(spoilt, -through - 1, budget)


@pytest.mark.parametrize("through", [1, 2, 3])
def test_at_a_poisson_number_too(through):
    budget, two = asymptotic(8 / LADDER[0]), measure(size=2, seed=1)
    assert agree(falls(two, LADDER, "poisson", through, "poisson"), -through - 1, budget)
    assert not agree(falls(two, LADDER, "poisson", through, "fixed"), -through - 1, budget)


def test_the_next_order_and_its_like_are_what_is_left():
    """The estimate covers, and is no more than twenty times what it should be."""
    problem = measure()
    for n in (20, 60):
        exact = sum(truth(*problem, n, "fixed"))
        for order in range(4):
            question = np.array([float(n)]), RATIO * n, NOISE
            found = expand_points(modes(*problem), *question, order=order, ensemble="fixed")
            left = np.abs(found.error - exact)
            assert agree(left, 0, found.uncertainty)
            assert agree(found.uncertainty, 0, 20 * left)


@pytest.mark.slow
def test_the_estimate_covers_nine_in_ten():
    """Random kernels, ridges and numbers of samples; the estimate is not a wild one either."""
    draw = np.random.default_rng(7)
    covered, generous = np.zeros((60, 4)), np.zeros((60, 4))
    for trial in range(60):
        problem = measure(size=int(draw.integers(3, 5)), outputs=1, seed=trial)
        samples, ridge = int(draw.choice([4, 8, 12])), float(np.exp(draw.uniform(0, 3)))
        counts = poisson.fixed_counts(problem[0], samples)
        exact = poisson.averages(*counts, *problem[:2], problem[2][:, 0], ridge)["error"]
        for order in range(4):
            how = {"order": order, "ensemble": "fixed"}
            found = expand_points(modes(*problem), np.array([samples * 1.0]), ridge, 0.0, **how)
            left = np.abs(found.error[0] - exact)
            covered[trial, order] = agree(left, 0, found.uncertainty)
            generous[trial, order] = found.uncertainty[0] / left
    assert np.all(covered.mean(axis=0) > 0.9)
    assert np.all(np.median(generous, axis=0)[:3] < 4)


def test_labelled_points_are_equally_likely():
    _, kernel, target = measure(size=4)
    found = Points.of(gram_spectrum(kernel), target)
    even = modes(np.full(4, 1 / 4), kernel, target)
    question = {"samples": np.array([12.0]), "ridge": 4.0, "noise": NOISE, "order": 2}
    one, other = (expand_points(p, **question, ensemble="fixed") for p in (found, even))
    assert agree(one.terms, other.terms, rounding(np.abs(other.terms)))


def test_a_target_outside_the_kernel_stays_an_error():
    """One mode is known; what the others hold of the target is never learnt, and acts as noise."""
    mu, kernel, target = measure()
    whole = modes(mu, kernel, target)
    top = slice(whole.eigenvalues.size - 1, None)
    one = Points(whole.eigenvalues[top], whole.functions[:, top], mu, target)
    rank_one = one.eigenvalues * one.functions @ one.functions.T
    samples = 120
    bias, variance = truth(mu, rank_one, target, samples, "fixed")
    found = expand_points(
        one, np.array([float(samples)]), RATIO * samples, NOISE, order=3, ensemble="fixed"
    )
    rest = mu @ np.sum((target - one.functions @ one.overlaps) ** 2, axis=1)
    assert agree(found.error + rest, bias + variance, found.uncertainty)
    assert not agree(found.error, bias + variance, found.uncertainty)


def test_several_sizes_at_once_or_one_by_one(monkeypatch):
    question = (modes(*measure()), np.array([9.0, 20.0, 40.0]), 6.0, NOISE)
    whole = expand_points(*question, order=2, ensemble="fixed")
    monkeypatch.setattr(points, "AT_ONCE", 1.0)
    each = expand_points(*question, order=2, ensemble="fixed", following=False)
    assert len(whole.terms) == 4
    assert len(each.terms) == 3
    assert agree(each.terms, whole.terms[:3], rounding(np.abs(whole.terms[:3])))
    assert agree(each.uncertainty, 0, 20 * whole.uncertainty)


def test_memory_is_asked_for_first():
    with pytest.raises(OutOfRegime, match=r"order 3 .* on 3 points .* give at most 1 points"):
        expand_points(
            modes(*measure()), np.array([9.0]), 4.0, 0.0, order=2, ensemble="fixed", memory=2e3
        )
    with pytest.raises(InvalidInput, match=r"functions of shape \(3, 3\).* for 2 weights"):
        Points(np.ones(3), np.eye(3), np.ones(2) / 2, np.ones((2, 1)))
