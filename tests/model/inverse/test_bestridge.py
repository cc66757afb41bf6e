"""The best ridge, against a theorem, a fine grid, and what the method itself says nearby."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.inverse import bestridge
from fieldtheory.model.inverse.bestridge import best_ridge
from fieldtheory.model.modes import Modes
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.question import Question
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.task import Task
from tests.tolerance import agree, rounding

OTHERS = ("planar", 1, None, "fixed", 3)


@settings(max_examples=8)
@given(
    st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=5),
    st.floats(0.1, 10.0),
    st.floats(0.01, 3.0),
    st.integers(1, 3000),
)
def test_bayes_for_a_target_from_the_prior(lam, scale, noise, samples):
    """A theorem: G = c deg lam makes noise / c the best ridge, whatever the spectrum and N."""
    modes = Modes.of(lam, multiplicities=[3 * k + 1 for k in range(len(lam))])
    task = Task.modes(scale * modes.counts * modes.eigenvalues, noise)
    found = best_ridge(modes, task, samples)
    truth = noise / scale

    def error(ridge):
        at = Task.modes(task.target.power, noise, ridge=ridge)
        return float(predict(modes, at, samples, method="planar").error[0])

    assert agree(found.error[0], error(truth), rounding(error(truth)))
    for factor in (0.5, 2.0):
        assert error(factor * truth) > found.error[0]
    curvature = (error(2 * truth) + error(truth / 2)) / error(truth) - 2
    flat = np.sqrt(1e-14 / curvature)  # where rounding hides the slope: 1e-7 of a deep valley
    assert agree(np.log(found.ridge[0] / truth), 0.0, 10 * flat + 1e-8)


def test_the_evidence_knows_the_scale_of_the_prior():
    """Gibbs: the mean log evidence is largest at the truth, power deg lam and the noise itself."""
    spectrum, noise = Spectrum.of([0.3, 0.05, 0.004], 5), 0.2
    for scale in (1.0, 3.0):
        prior = scale * spectrum.counts * spectrum.eigenvalues
        task = Task.sphere(5, prior, noise)
        found = best_ridge(spectrum, task, [30], by="evidence")
        right = [agree(r, noise, rounding(1.0, 1e7)) for r in found.ridge]  # flat: half the digits
        assert all(right) if scale == 1 else not any(right)
        lowest = best_ridge(spectrum, task, [30]).error
        assert np.all(found.error >= lowest * (1 - rounding(1.0)))


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_lowest_of_a_fine_grid(noise):
    spectrum, ridges = Spectrum.of([0.3, 0.05, 0.004, 0.001], 5), np.geomspace(1e-5, 1e2, 36)
    task = Task.sphere(5, [0, 0.1, 1.0, 0.2], noise)
    found = best_ridge(spectrum, task, [5, 20, 300])
    for k, n in enumerate([5, 20, 300]):
        errors = [
            predict(spectrum, Task.sphere(5, task.target.power, noise, ridge=r), n, method="planar")
            for r in ridges
        ]
        lowest = min(float(curve.error[0]) for curve in errors)
        assert found.error[k] <= lowest * (1 + rounding(1.0, 10))
        assert np.isfinite(found.ridge[k])


def test_edges_are_named():
    spectrum = Spectrum.of([0.3, 0.05, 0.004], 5)
    clean = best_ridge(spectrum, Task.sphere(5, [0, 1, 0.01]), [100])
    assert clean.edge == ("smallest",)  # 20 modes: ridge zero has no prediction at N = 100
    assert clean.without == (None,)
    series = best_ridge(spectrum, Task.sphere(5, [0, 1, 0.01]), [100], method="equivalent-kernel")
    assert series.edge == ("smallest",)  # the leading order falls with the ridge without end
    aligned = best_ridge(spectrum, Task.sphere(5, [1.0, 0, 0]), [3])
    assert aligned.without[0] >= aligned.error[0]
    network, task = Network(depth=4), Task.sphere(10, [0, 0.5, 0.5])
    tail = best_ridge(network, task, 100)
    assert (tail.ridge[0], tail.edge) == (0.0, ("zero",))
    nothing = Spectrum.of([0.3, 0.05, 0.004], 5), Task.sphere(5, [0, 0, 0, 1.0], noise=1.0)
    with pytest.raises(InvalidInput, match="power at degree 3"):
        best_ridge(*nothing, 10)
    hopeless = Task.sphere(5, [1e-12, 0, 0], noise=1e6)
    assert best_ridge(spectrum, hopeless, 10).edge == ("largest",)


def test_no_ridge_is_best_where_the_error_is_flat_towards_zero(asked):
    """Crossing curves are known to some 1e-5; a ridge that gains less has gained nothing."""
    task = Task.sphere(20, [0, 0.5, 0.5], noise=0.1)
    found = best_ridge(Network(3), task, [66, 67, 68], method="crossing")
    assert (found.ridge.tolist(), found.edge) == ([0.0] * 3, ("zero",) * 3)
    assert found.error.tolist() == list(found.without)
    assert found.method == "crossing, the ridge searched with clusters = 2"
    assert [clusters for _, clusters in asked].count(None) == 1  # of three samples, all sizes
    assert all(len(sizes) == 3 for sizes, _ in asked)


def test_rounding_makes_no_planar_ridge(monkeypatch):
    spectrum, task = Spectrum.of([0.3, 0.05, 0.004], 5), Task.sphere(5, [0, 1, 0.01])
    for room, size in ((0.0, 1e-14), (0.01, 1e-6)):

        def wavy(modes, power, samples, kappa, noise, size=size):
            return 1 + size * np.sin(1e3 * np.log(kappa)), 0 * kappa  # as rounding, or more

        monkeypatch.setattr("fieldtheory.model.inverse.bestridge.planar.mode_errors", wavy)
        found = bestridge._planar_best(Question(spectrum, task, np.array([10.0]), *OTHERS), 10, 0)
        assert (found == (0.0, "zero")) == (room == 0), found


@pytest.mark.slow
def test_three_samples_at_a_time_only_judge_what_two_have_found():
    """The lowest error of three lies elsewhere, and no lower than the answer's uncertainty."""
    spectrum, noise = Spectrum.of([0.3, 0.1, 0.02], 5), 0.3
    found = best_ridge(spectrum, Task.sphere(5, [0, 0.5, 0.5], noise), 30, method="crossing")

    def error(ridge):
        task = Task.sphere(5, [0, 0.5, 0.5], noise, ridge=ridge)
        return float(predict(spectrum, task, 30).error[0])

    lowest = min(error(found.ridge[0] * factor) for factor in (0.8, 0.9, 1.1, 1.25))
    assert found.error[0] - lowest <= found.uncertainty[0] / 10
    assert found.error[0] < min(error(found.ridge[0] / 3), error(found.ridge[0] * 3))


@pytest.mark.slow
def test_another_method_starts_from_the_planar_ridge():
    spectrum, task = Spectrum.of([0.3, 0.05, 0.004], 4), Task.sphere(4, [0, 0.5, 0.5], noise=0.2)
    found = best_ridge(spectrum, task, 20, method="crossing", clusters=2)

    def error(ridge):
        given_ridge = Task.sphere(4, [0, 0.5, 0.5], noise=0.2, ridge=ridge)
        return predict(spectrum, given_ridge, 20, method="crossing", clusters=2).error[0]

    errors = [error(found.ridge[0] * factor) for factor in (0.8, 1.0, 1.25)]
    assert errors[1] == found.error[0] == min(errors)
    own = replace(task, ridge=float(found.ridge[0]) * 2)
    compared = best_ridge(spectrum, own, 20, method="crossing", clusters=2)
    assert compared.method == "crossing"
    assert found.error[0] == compared.error[0] < compared.at_own[0]
