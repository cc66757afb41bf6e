"""Crossing diagrams on a finite measure: brute-force Poisson sums and exact partition sums."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.points import dressed
from fieldtheory.model.points.dressed import planar, solve
from fieldtheory.model.points.finite import Measure, Words
from tests.oracles.crossings import Sorted
from tests.oracles.partitions import partitions
from tests.oracles.poisson import averages, label_noise, poisson_counts
from tests.tolerance import agree, asymptotic, rounding

MU = np.array([0.5, 0.3, 0.2])
KERNEL = np.array([[1.0, 0.4, 0.2], [0.4, 0.8, 0.3], [0.2, 0.3, 0.9]])
TARGET = np.array([1.0, -0.6, 0.3])
CLUSTERS = (1, 2, 3)


def brute(eta, ridge):
    counts, weights = poisson_counts(MU, eta)
    found = averages(counts, weights, MU, KERNEL, TARGET, ridge)
    return found | {"noise": label_noise(counts, weights, KERNEL, ridge, 1.0)}


def gaps(eta, ridge):
    """Prediction minus brute force of error, mean, second moment and noise, by order."""
    truth = brute(eta, ridge)
    moment = truth["covariance"] + np.outer(truth["mean"], truth["mean"])
    rows = []
    for clusters in CLUSTERS:
        found = solve(Measure.of(KERNEL, MU), eta, ridge, clusters=clusters)
        rows.append(
            [
                abs(float(found.error(TARGET)) - truth["error"]),
                np.max(np.abs(-found.residual(TARGET) - truth["mean"])),
                np.max(np.abs(found.second_moment(TARGET) - moment)),
                np.max(np.abs(found.noise - truth["noise"])),
            ]
        )
    return np.array(rows)


@pytest.mark.parametrize("ridge", [0.3, 1.0])
def test_few_samples(ridge):
    """What k samples at a time leave out is of order eta^(k+1): halving eta shows the power."""
    coarse, fine = gaps(0.08, ridge), gaps(0.04, ridge)
    for row, clusters in enumerate(CLUSTERS):
        powers = np.log2(coarse[row] / fine[row])
        assert np.all(powers > clusters + 0.75), (clusters, powers)
    assert np.all(fine[2] < fine[1])
    assert np.all(fine[1] < fine[0])


@pytest.mark.parametrize(("eta", "ridge"), [(0.5, 0.5), (2.0, 2.0), (10.0, 20.0)])
def test_each_order_is_closer(eta, ridge):
    rows = gaps(eta, ridge)
    assert np.all(rows[1] < rows[0])
    assert np.all(rows[2] < rows[1])


# -- in powers of 1/eta, class by class -----------------------------------------------------------


class Short(Sorted):
    """The partition sum of `Sorted`, skipping lines too long for their order: a block has at least
    two sites, so `order` blocks or fewer hold at most twice as many."""

    def average(self, starts, order, shared, end=None):
        total = Fraction(0)
        for lengths in product(range(2 * order + 1), repeat=len(starts)):
            if sum(lengths) > 2 * order:
                continue
            owner = [n for n, length in enumerate(lengths) for _ in range(length)]
            for blocks in partitions(list(range(len(owner)))):
                if len(owner) - len(blocks) == order:
                    total += self.placed(starts, owner, blocks, end)
        return total


RATIONAL = (
    [Fraction(2, 3), Fraction(1, 3)],
    [[Fraction(1), Fraction(1, 2)], [Fraction(1, 2), Fraction(3, 4)]],
    [Fraction(1), Fraction(-1, 2)],
)


def floats(values):
    return np.array(values, dtype=float)


def residuals(clusters, largest, orders, etas):
    """Prediction minus the partition sum through each order, (etas, orders)."""
    mu, kernel, target = RATIONAL
    measure, s2 = Measure.of(floats(kernel), floats(mu)), Fraction(1, 2)
    rows = []
    for eta in etas:
        oracle = Short(mu, kernel, target, eta, s2)
        oracle.largest = largest
        found = float(solve(measure, eta, float(s2), clusters=clusters).error(floats(target)))
        terms = [float(oracle.error(order)) for order in range(orders + 1)]
        rows.append(np.abs(found - np.cumsum(terms)) / found)
    return np.array(rows)


def check_powers(clusters, largest, orders):
    coarse, fine = residuals(clusters, largest, orders, (100, 200))
    powers = np.log2(coarse / fine)
    assert np.all(powers > 0.9 * np.arange(1, orders + 2)), powers


@pytest.mark.parametrize("clusters", CLUSTERS)
def test_the_series_in_one_over_eta(clusters):
    """What is left after order m falls as eta^-(m+1): every partition whose crossing-connected
    components have at most so many blocks is there, with its weight, and no other."""
    check_powers(clusters, clusters, 3)


@pytest.mark.slow
@pytest.mark.parametrize("clusters", CLUSTERS)
def test_the_series_to_fourth_order(clusters):
    check_powers(clusters, clusters, 4)


@pytest.mark.parametrize(("clusters", "largest"), [(1, 2), (2, 1)])
def test_another_class_does_not_agree(clusters, largest):
    """From second order on, where the first two samples cross."""
    coarse, fine = residuals(clusters, largest, 3, (100, 200))
    assert np.log2(coarse / fine)[3] < 2.2


# -- limits, responses, properties ----------------------------------------------------------------


@given(st.integers(2, 6), st.floats(0.01, 1.0), st.floats(0.1, 20.0), st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_the_planar_self_energy_solves_its_equation(points, ridge, eta, seed):
    draw = np.random.default_rng(seed)
    half = draw.standard_normal((points, points))
    measure = Measure.of(half @ half.T / points, draw.random(points) + 0.1)
    D = planar(measure, eta, ridge)
    C = np.linalg.inv(np.linalg.inv(measure.kernel + 1e-13 * np.eye(points)) + D)
    truth = np.diag(eta * measure.weights / (ridge + np.diag(C)))
    assert agree(D, truth, asymptotic(1e-6 * np.max(truth)))


@pytest.mark.parametrize("clusters", CLUSTERS)
def test_the_response_against_differences(clusters):
    measure, ridge, eta, step = Measure.of(KERNEL, MU), 0.4, 3.0, 1e-5
    found = solve(measure, eta, ridge, clusters=clusters)

    def self_energy(J, s2):
        kernel = np.linalg.inv(np.linalg.inv(KERNEL) + J * np.diag(MU))
        return solve(Measure.of(kernel, MU), eta, s2, clusters=clusters)

    ahead, behind = self_energy(step, ridge), self_energy(-step, ridge)
    slope = np.diag(MU) + (ahead.self_energy - behind.self_energy) / (2 * step)
    assert agree(found.gain, slope, asymptotic(1e-5))
    ahead, behind = self_energy(0, ridge + step), self_energy(0, ridge - step)
    assert agree(found.noise, (ahead.propagator - behind.propagator) / (2 * step), asymptotic(1e-5))


@pytest.mark.parametrize("clusters", CLUSTERS)
def test_two_ways_to_the_error(clusters):
    found = solve(Measure.of(KERNEL, MU), 3.0, 0.3, clusters=clusters)
    both = np.stack([TARGET, TARGET[::-1]], axis=1)
    each = [found.second_moment(g, 0.1) for g in both.T]
    assert agree(found.second_moment(both, 0.1), sum(each), rounding(1.0, 1e3))
    noise = found.second_moment(TARGET, 0.1) - found.second_moment(TARGET)
    assert agree(noise, 0.1 * found.noise, rounding(1.0, 1e3))
    total = MU @ np.diag(found.second_moment(TARGET))
    assert agree(found.error(TARGET), total, rounding(total, 1e3))
    assert found.error(np.stack([TARGET, -TARGET], axis=1)).shape == (2,)


def test_a_point_given_twice():
    """Halves of one point, and the point itself: the same measure."""
    twice = np.array([0, 0, 1, 2])
    mu = np.array([0.2, 0.3, 0.3, 0.2])
    for clusters in CLUSTERS:
        one = solve(Measure.of(KERNEL, MU), 3.0, 0.3, clusters=clusters)
        two = solve(Measure.of(KERNEL[np.ix_(twice, twice)], mu), 3.0, 0.3, clusters=clusters)
        assert agree(two.error(TARGET[twice]), one.error(TARGET), rounding(1.0, 1e4))
        assert agree(two.propagator, one.propagator[np.ix_(twice, twice)], rounding(1.0, 1e4))


def test_without_a_ridge():
    """The same place drawn twice teaches nothing new; that limit is smooth."""
    measure = Measure.of(KERNEL, MU)
    bare = float(solve(measure, 1.0, 0.0).error(TARGET))
    for ridge in (1e-4, 1e-6):
        near = float(solve(measure, 1.0, ridge).error(TARGET))
        assert agree(near, bare, asymptotic(20 * ridge))


def test_third_places_drawn_at_random():
    """The error that drawing them leaves is about what is stated; all of them leave none."""
    draw = np.random.default_rng(0)
    x = draw.standard_normal((24, 2))
    kernel = np.exp(-0.5 * np.sum((x[:, None] - x) ** 2, axis=-1))
    measure, target = Measure.of(kernel), np.sign(x[:, 0])
    exact = float(solve(measure, 8.0, 0.3, clusters=3).error(target))
    off = []
    for _ in range(12):
        some = solve(measure, 8.0, 0.3, clusters=3, thirds=draw.integers(0, 24, 16).tolist())
        off.append((float(some.error(target)) - exact, some.third_error(target)))
    measured, stated = np.sqrt(np.mean(np.square(off), axis=0))
    assert 0.4 * measured < stated < 2.5 * measured
    assert measured > 0


@pytest.mark.parametrize("part", ["pairs", "two", "same", "three", "visit"])
def test_a_spoilt_part_is_seen(monkeypatch, part):
    """Two per cent on any part of the words moves the error off the brute-force one."""
    truth = float(solve(Measure.of(KERNEL, MU), 2.0, 0.3, clusters=3).error(TARGET))

    def spoilt(right):
        def wrong(self):
            value = right(self)
            return tuple(1.02 * v for v in value) if isinstance(value, tuple) else 1.02 * value

        return property(wrong)

    for name in ("two", "two_slope") if part == "two" else (part,):
        monkeypatch.setattr(Words, name, spoilt(getattr(Words, name).func))
    found = float(solve(Measure.of(KERNEL, MU), 2.0, 0.3, clusters=3).error(TARGET))
    assert not agree(found, truth, asymptotic(2e-5 * truth))


# -- bad questions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        (lambda m: solve(m, 1.0, 0.1, clusters=4), InvalidInput, r"give 1 \(planar\), 2 or 3"),
        (lambda m: solve(m, 0.0, 0.1), InvalidInput, "not positive"),
        (lambda m: solve(m, 1.0, -0.1), InvalidInput, "negative"),
        (lambda m: solve(m, 1.0, 0.0, clusters=3), OutOfRegime, "need a ridge"),
        (lambda m: solve(m, 1.0, 0.1, clusters=3, thirds=[7]), InvalidInput, "0 to 2"),
        (
            lambda m: solve(m, 1.0, 0.1, clusters=3, thirds=[1]).third_error(TARGET),
            InvalidInput,
            "at least 8",
        ),
        (
            lambda m: solve(Measure.of(np.ones((2, 2))), 1.0, 0.0),
            OutOfRegime,
            "points 0 and 1 are one to the kernel",
        ),
    ],
)
def test_bad_questions(wrong, kind, says):
    with pytest.raises(kind, match=says):
        wrong(Measure.of(KERNEL, MU))


def test_too_large_for_three_samples():
    measure = Measure.of(np.eye(1200))
    with pytest.raises(
        OutOfRegime, match=r"1200 points and 1200 third places take \d+ GB.*at most"
    ):
        solve(measure, 10.0, 0.1, clusters=3)


def test_no_solution_is_said(monkeypatch):
    """Three points, eight samples, hardly a ridge: there is nothing left to expand in."""
    x = np.array([0.0, 0.5, 1.5])
    kernel = np.exp(-0.5 * (x[:, None] - x) ** 2)
    with pytest.raises(OutOfRegime, match="no self-consistent solution"):
        solve(Measure.of(kernel, MU), 8.0, 1e-3, clusters=3)
    assert dressed.CLUSTERS == CLUSTERS
