"""Questions asked backwards, each against every whole number looked at one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.inverse.bestridge import best_ridge
from fieldtheory.model.inverse.crossover import crossover
from fieldtheory.model.inverse.samples import samples_for
from fieldtheory.model.modes import Modes
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.task import Task
from tests.tolerance import agree, rounding

MOST = 300
EVERY = list(range(1, MOST + 1))
# twenty-one modes are fitted first: the error falls, rises to a peak near N = 21, and falls
PEAK = Spectrum.of([1e-6, 0.05, 1e-5], 20), Task.sphere(20, [0, 1], noise=0.1, ridge=1e-4)

problems = st.tuples(
    st.lists(st.floats(1e-4, 1.0), min_size=1, max_size=5),
    st.lists(st.floats(0.0, 1.0), min_size=5, max_size=5).filter(any),
    st.floats(1e-4, 0.5),  # ridge
    st.sampled_from([0.0, 0.1, 1.0]),  # label noise
)


def built(problem, dimension=4):
    lam, power, ridge, noise = problem
    power = [G + 1e-3 for G in power[: len(lam)]]
    return Spectrum.of(lam, dimension), Task.sphere(dimension, power, noise, ridge=ridge)


def first(holds):
    """The smallest N in EVERY at which it holds, or None."""
    return int(np.flatnonzero(holds)[0]) + 1 if np.any(holds) else None


def connected(holds, n):
    """The smallest N from which on, up to n, it holds."""
    while n > 1 and holds[n - 2]:
        n -= 1
    return n


# How many samples ---------------------------------------------------------------------------------


@settings(max_examples=20)
@given(problems, st.floats(0.05, 0.9))
def test_samples_for_is_the_first_of_all(problem, fraction):
    spectrum, task = built(problem)
    curve = predict(spectrum, task, EVERY, method="planar")
    asked = fraction * float(task.target.power.sum())
    truth = first(curve.error <= asked)
    if truth is None:
        with pytest.raises(OutOfRegime, match="not reached with up to 300 samples"):
            samples_for(spectrum, task, asked, most=MOST)
        return
    found = samples_for(spectrum, task, asked, most=MOST)
    assert found.samples == truth
    assert found.highest == first(curve.error + curve.uncertainty <= asked)
    assert found.lowest == connected(curve.error - curve.uncertainty <= asked, truth)
    assert agree(found.predicted, curve.error[truth - 1], rounding(curve.error[truth - 1], 10))


def test_after_a_double_descent_the_first_place_is_returned_and_the_second_named():
    spectrum, task = PEAK
    curve = predict(spectrum, task, EVERY, method="planar")
    asked = 0.75
    assert np.any(np.diff((curve.error <= asked).astype(int)) == -1)  # it comes back indeed
    found = samples_for(spectrum, task, asked, most=MOST)
    assert found.samples == first(curve.error <= asked) < 20
    assert found.rises == found.samples + first(curve.error[found.samples :] > asked)
    assert f"not monotonic: above that error again at {found.rises}" in str(found)


def test_a_valley_between_the_sizes_of_the_grid_is_found():
    """The bottom of the dip of the peaked problem, whose N no grid of half octaves has."""
    spectrum, task = PEAK
    curve = predict(spectrum, task, EVERY, method="planar")
    before = slice(0, 20)
    bottom = int(np.argmin(curve.error[before])) + 1
    assert bottom not in np.rint(2 ** np.arange(0, 8, 0.5)).astype(int)
    asked = curve.error[bottom - 1] * (1 + rounding(1.0))
    assert samples_for(spectrum, task, asked, most=MOST).samples == bottom


def test_the_network_on_the_sphere_and_a_crossing_curve():
    network, task = Network(depth=3), Task.sphere(10, [0, 0.5, 0.5], noise=0.05, ridge=0.01)
    for method, options in (("planar", {}), ("crossing", {"clusters": 2})):
        found = samples_for(network, task, 0.3, method=method, **options)
        near = [found.samples - 1, found.samples]
        below, at = predict(network, task, near, method=method, **options).error
        assert at <= 0.3 < below
        assert found.lowest <= found.samples <= found.highest


def test_given_points():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 4))
    for tested in ("pool", "unseen"):
        task = Task.data(x, x[:, 0] * x[:, 1], ridge=0.1, tested=tested)
        errors = predict(Network(depth=3), task, range(1, 60), method="planar").error
        asked = float(errors[35])
        found = samples_for(Network(depth=3), task, asked, most=100)
        assert found.samples == first(errors <= asked)
        assert found.looked <= (59 if tested == "unseen" else 100)


@pytest.mark.parametrize("error", [0.0, -1.0, float("nan"), "small"])
def test_an_error_that_cannot_be_asked_for(error):
    with pytest.raises(InvalidInput, match="error"):
        samples_for(*PEAK, error)


def test_no_data_are_needed_for_more_than_the_power():
    found = samples_for(*PEAK, 1.2)
    assert (found.samples, found.lowest, found.highest) == (0, 0, 0)
    assert "predicting zero is as good" in str(found)
    assert found.picture().lines


def test_it_says_how_low_the_error_gets():
    spectrum = Spectrum.of([0.5, 0.1, 0.0, 0.01], 4)
    task = Task.sphere(4, [0, 0.5, 0.25, 0.1], ridge=0.1)
    with pytest.raises(OutOfRegime, match=r"1000 samples: there it is 0\.25.*; 0\.25 of the"):
        samples_for(spectrum, task, 0.2, most=1000)
    bare = Task.sphere(4, [0, 0.5, 0.5])
    with pytest.raises(OutOfRegime, match=r"up to 13 samples.*ridge 0 and only 14 modes"):
        samples_for(Spectrum.of([0.5, 0.1, 0.01], 4), bare, 1e-6)


def test_a_kernel_of_one_mode_has_no_curve_without_a_ridge():
    flat = Spectrum.of([1.0], 3)
    with pytest.raises(OutOfRegime, match=r"error 0\.1: samples = 1 with ridge 0 and only 1 mode"):
        samples_for(flat, Task.sphere(3, [1.0]), 0.1)


# Two curves ---------------------------------------------------------------------------------------


@settings(max_examples=12)
@given(problems, st.lists(st.floats(1e-4, 1.0), min_size=5, max_size=5))
def test_crossings_against_every_size(problem, other):
    spectrum, task = built(problem)
    second = Spectrum.of(other[: len(problem[0])], 4)
    curves = [predict(model, task, EVERY, method="planar") for model in (spectrum, second)]
    difference = curves[0].error - curves[1].error
    change = np.flatnonzero(np.diff(difference > 0)) + 2
    apart = np.diff(np.log([1, *change, MOST]))
    found = crossover(spectrum, second, task, most=MOST)
    assert found.at_start == ("second" if difference[0] > 0 else "first")
    assert {c.samples for c in found.crossings} <= set(change.tolist())
    if np.all(apart > np.log(2)):  # closer ones may be missed, and the page says so
        assert [c.samples for c in found.crossings] == change.tolist()
    sure = np.abs(difference) > curves[0].uncertainty + curves[1].uncertainty
    for c in found.crossings:
        assert c.better == ("second" if difference[c.samples - 1] > 0 else "first")
        assert (c.lowest or 1) <= c.samples <= (c.highest or MOST)
        assert not np.any(sure[(c.lowest or 1) : (c.highest or MOST) - 1]) or sure[c.samples - 1]


def test_a_model_never_crosses_itself():
    assert crossover(PEAK[0], PEAK[0], PEAK[1], most=100).crossings == ()


# The best ridge -----------------------------------------------------------------------------------


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


@pytest.mark.slow
def test_another_method_starts_from_the_planar_ridge():
    spectrum, task = Spectrum.of([0.3, 0.05, 0.004], 4), Task.sphere(4, [0, 0.5, 0.5], noise=0.2)
    found = best_ridge(spectrum, task, 20, method="crossing", clusters=2)

    def error(ridge):
        given_ridge = Task.sphere(4, [0, 0.5, 0.5], noise=0.2, ridge=ridge)
        return predict(spectrum, given_ridge, 20, method="crossing", clusters=2).error[0]

    errors = [error(found.ridge[0] * factor) for factor in (0.8, 1.0, 1.25)]
    assert errors[1] == found.error[0] == min(errors)


def test_values_print_and_draw():
    spectrum, task = PEAK
    second = Spectrum.of([0.1, 0.01, 0.001], 20)
    values = (
        samples_for(spectrum, task, 0.75, most=MOST),
        crossover(spectrum, second, task, most=MOST),
        best_ridge(spectrum, task, [10, 100]),
    )
    for value in values:
        assert str(value)
        assert str(value.to_dict())
        assert value.picture().lines
        assert value._repr_html_().startswith("<pre>")
