"""Along a curve: from a random number of points to a fixed one, and interpolation."""

import numpy as np
import pytest

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams.fixed import interpolate
from fieldtheory.model.memory import Work
from fieldtheory.model.points.along import FEW, Known, Rows, filled, local, once, roughly
from fieldtheory.model.points.along import along as answers
from fieldtheory.model.points.along import poisson as at_means
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.points.placed import often
from tests.tolerance import agree, asymptotic, rounding

POINTS = 60


def drawn(function):
    """Of a mean number m: the average over a binomial number, exactly."""
    from scipy.stats import binom

    n = np.arange(POINTS + 1)

    def average(eta, _):
        rows = [binom.pmf(n, POINTS, m / POINTS) @ function(n) for m in eta]
        return np.array(rows), np.zeros((len(rows), 1))

    return average


def test_a_fixed_number_without_replacement():
    """F_N = 1/(3 + N) for all points, and for those that are not there: what is left over is of
    third order, and the second is as small as it says."""
    sizes = np.array([12.0, 20.0, 30.0])

    def function(n):
        plain = 1 / (3 + n)
        return np.stack([plain * (POINTS - n), plain], axis=1)

    def averages(eta, start):
        values, nothing = drawn(function)(eta, start)
        values[:, 0] /= POINTS - eta  # a mean over the points that are not there
        return values, nothing

    smooth = interpolate(averages, np.log(8.0), np.log(45.0), 1e-7)
    found, second = once(POINTS, plain=1)(smooth, sizes)
    truth = 1 / (3 + sizes)
    off = np.abs(found / truth[:, None] - 1)
    assert np.all(off < 0.1 * np.abs(smooth.poisson(sizes) / truth[:, None] - 1))
    assert np.all(off[:, 1] < asymptotic(second[:, 1] / truth))
    spoilt, _ = once(POINTS, plain=0)(smooth, sizes)
    assert not agree(spoilt[:, 0], truth, 3 * off[:, 0] * truth)


class Counted:
    """A theory with one number, that knows how often and from where it was asked."""

    here = propagator = None

    def __init__(self, value):
        self.self_energy = np.array([[1.0, value], [value, 1.0]])


def test_solutions_start_from_those_nearby():
    starts = []

    def solve(eta, start):
        starts.append(start)
        return Counted(np.log(eta) ** 3)

    known = Known(solve)
    for eta in (1.0, 2.0, 8.0, 16.0, 4.0):
        known(eta)
    assert starts[:2] == [None, None]
    assert agree(starts[-1][0, 1], np.log(4.0) ** 3, rounding(10.0, 100))


def test_a_start_that_leads_nowhere_is_left():
    def solve(eta, start):
        if start is not None:
            raise OutOfRegime("lost")
        return Counted(eta)

    known = Known(solve)
    assert [known(eta).self_energy[0, 1] for eta in (1.0, 2.0, 3.0)] == [1.0, 2.0, 3.0]


def test_sizes_without_a_solution_get_another_theory():
    def solve(eta):
        if 20 < eta < 60:
            raise OutOfRegime("nothing here")
        return Counted(1 / eta)

    def columns(found):
        return np.array([found.self_energy[0, 1], 2.0])

    sizes = np.array([4.0, 40.0, 150.0])
    rows, other = (Rows("test", way, columns, Work()) for way in (solve, lambda eta: Counted(7.0)))
    found = answers(sizes, rows, at_means)
    assert found.solved.tolist() == [True, False, True]
    instead = filled(found, sizes, other)
    assert agree(instead.values[:, 0], [1 / 4, 7.0, 1 / 150], asymptotic(1e-4))
    nowhere = answers(np.array([30.0]), rows, at_means)
    whole = filled(nowhere, np.array([30.0]), other)
    assert whole.values.tolist() == [[7.0, 2.0]]
    with pytest.raises(OutOfRegime, match="nothing here"):
        filled(nowhere, np.array([30.0]), rows)


def test_many_sizes_from_a_few():
    sizes = np.geomspace(3, 300, 40)
    asked = []

    def solve(eta, _):
        asked.append(eta)
        return Counted(1 / (1 + eta / 30))

    kept = "test", Work()
    found = roughly(sizes, Known(solve), lambda one: one.self_energy[0, 1], kept)
    assert len(asked) == FEW
    assert agree(found, 1 / (1 + sizes / 30), asymptotic(1e-4))


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_one_place_answers_in_one_step(noise):
    kernel = np.array([[1.0, 0.4], [0.4, 0.8]])
    found = often(Measure.of(kernel), 1.5, 0.2, clusters=1)
    target = np.array([1.0, -0.5])
    whole = np.diag(found.second_moment(target, noise))
    after = local(found.here, found.residual(target) ** 2, -noise)[1]
    assert agree(after, whole, asymptotic(1e-8))
