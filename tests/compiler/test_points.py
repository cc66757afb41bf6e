"""Programs in steps of matrices: against tensor contractions and, exactly, set partitions."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from fieldtheory.compiler import plan
from fieldtheory.compiler.points import program, reduce
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.theory import learning
from tests.oracles.partitions import Learning
from tests.tolerance import agree, rounding

QUANTITIES = ("mean", "covariance", "label_noise")
ETA, S2, NOISE = 7.0, 2.0, 0.3


def problem(points=5):
    draw = np.random.default_rng(0)
    features = draw.normal(size=(points, 3))
    mu = draw.uniform(0.5, 1, points)
    kernel = features @ features.T + 0.1 * np.eye(points)
    return mu / mu.sum(), kernel, draw.normal(size=points)


def ours(series, mu, kernel, target, eta=ETA, s2=S2):
    system = np.eye(mu.size) + eta / s2 * kernel * mu
    r = -np.linalg.solve(system, target)
    known = {"C": np.linalg.solve(system, kernel), "r": r[:, None], "R": np.outer(r, r), "mu": mu}
    numbers = {"eta": eta, "s2": s2, "v": NOISE}
    found, _ = program("diagrams", series)
    values = {**known, **{name: np.float64(x) for name, x in numbers.items()}}
    value = found(**{name: values[name] for name in found.inputs})
    return value[:, 0] if series.quantity == "mean" else value


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("order", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_program_is_the_sum_of_contractions(quantity, order):
    series = getattr(learning, quantity)(order)
    mu, kernel, target = problem()
    question = {"mu": mu, "kernel": kernel, "target": target, "eta": ETA, "s2": S2}
    truth = plan.evaluate(series, **question, label_noise=NOISE)
    found = ours(series, mu, kernel, target)
    budget = rounding(np.max(np.abs(truth)))
    assert agree(found, truth, budget)
    for n in range(
        0, len(series.terms), 7 if order < 3 else 29
    ):  # any diagram that is miscounted is seen
        spoilt = list(series.terms)
        spoilt[n] = replace(spoilt[n], symmetry=-spoilt[n].symmetry)
        wrong = ours(replace(series, terms=tuple(spoilt)), mu, kernel, target)
        assert not agree(wrong, truth, budget)


@pytest.mark.parametrize("quantity", ["mean", "covariance"])
@pytest.mark.parametrize("order", [1, 2])
def test_a_program_is_the_partition_sum(quantity, order):
    mu = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
    kernel = [[1, Fraction(1, 4), Fraction(1, 8)], [Fraction(1, 4), Fraction(3, 4), Fraction(1, 2)]]
    kernel += [[Fraction(1, 8), Fraction(1, 2), 2]]
    target = [1, Fraction(-1, 2), 2]
    oracle = Learning(mu, kernel, target, Fraction(9), Fraction(3, 2))
    truth = np.array(getattr(oracle, quantity)(order), dtype=float)
    series = getattr(learning, quantity)(order)
    arrays = (np.array(part, dtype=float) for part in (mu, kernel, target))
    found = ours(series, *arrays, eta=9.0, s2=1.5)
    assert agree(found, truth, rounding(np.max(np.abs(truth)), 10))


def test_equal_parts_are_computed_once():
    """Ten diagrams of the covariance hold some thirty products of matrices; seven are made."""
    found, held = program("covariance_2", learning.covariance(2))
    assert found.source.count("xp.matmul") == 7
    assert held == 12


def test_what_has_no_two_ends_is_refused():
    with pytest.raises(OutOfRegime, match="does not come apart in series and parallel steps"):
        reduce(learning.evidence(1).diagrams[0])
