"""Questions asked backwards, each against every whole number looked at one by one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.inverse.bestridge import best_ridge
from fieldtheory.model.inverse.crossover import Crossing, crossover
from fieldtheory.model.inverse.samples import samples_for
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


def test_the_network_on_the_sphere_and_a_crossing_curve(asked):
    network, task = Network(depth=3), Task.sphere(10, [0, 0.5, 0.5], noise=0.05, ridge=0.01)
    for method, options in (("planar", {}), ("crossing", {"clusters": 2})):
        found = samples_for(network, task, 0.3, method=method, **options)
        near = [found.samples - 1, found.samples, found.highest - 1, found.highest]
        curve = predict(network, task, near, method=method, **options)
        assert curve.error[1] <= 0.3 < curve.error[0]
        below, at = (curve.error + curve.uncertainty)[2:]
        assert at <= 0.3 < below
        assert found.lowest <= found.samples <= found.highest
    assert len(asked) <= 5  # two for the curve, and guesses are nearly always right


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
    curve, level = found.picture().lines
    assert curve.x.tolist() == found.sizes.tolist()
    assert level.x[[0, -1]].tolist() == [1, found.looked]
    assert found.looked == 64
    bare = samples_for(Spectrum.of([1.0], 3), Task.sphere(3, [1.0]), 1.0)  # no curve, ridge 0
    assert (bare.samples, bare.sizes.size, len(bare.picture().lines)) == (0, 0, 1)


def test_one_sample_is_enough():
    spectrum, task = Spectrum.of([1.0, 0.01], 3), Task.sphere(3, [1.0, 0.01], ridge=0.1)
    for most in (MOST, 1):
        found = samples_for(spectrum, task, 0.5, most=most)
        assert (found.samples, found.lowest, found.highest) == (1, 1, 2 if most > 1 else None)
        curve, level, _ = found.picture().lines
        assert curve.x.size >= 1
        assert level.x[1] > level.x[0]


def test_the_picture_is_near_the_answer():
    """At N = 1 the band of a network is wide, and its height would flatten all the rest."""
    found = samples_for(Network(4), Task.sphere(20, [0, 0.5, 0.5]), 0.3)
    curve, level, dot = found.picture().lines
    assert found.lowest / 20 < curve.x[0]
    assert found.lowest // 10 == level.x[0] < dot.x[0] < level.x[-1] <= 10 * found.highest
    assert curve.x.size > 12
    far = replace(found, highest=None).picture().lines[0]
    assert far.x[-1] == found.looked
    again = samples_for(*PEAK, 0.75, most=MOST)
    assert again.picture().lines[0].x[-1] > again.rises


def test_a_band_of_one_number_is_not_told_as_a_band():
    found = samples_for(*PEAK, 0.75, most=MOST)
    exact = replace(found, lowest=found.samples, highest=found.samples)
    assert f"needs {found.samples} samples, decided to the sample" in str(exact)
    assert "samples, between 5 and 6" in str(replace(found, lowest=5))
    crossing = Crossing(7, 0.5, "first", 7, 7)
    both = crossover(PEAK[0], Spectrum.of([0.1, 0.01, 0.001], 20), PEAK[1], most=MOST)
    assert "error 0.5; decided to the sample" in str(replace(both, crossings=(crossing,)))
    wide = replace(crossing, lowest=6)
    assert "undecided between 6 and 7" in str(replace(both, crossings=(wide,)))


SMALL_TASK = Task.sphere(5, [0, 0.5, 0.5])
QUESTIONS = {
    "samples_for": lambda model, **options: samples_for(model, SMALL_TASK, 0.3, **options),
    "crossover": lambda model, **options: crossover(model, model, SMALL_TASK, **options),
    "best_ridge": lambda model, **options: best_ridge(model, SMALL_TASK, 10, **options),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_unknown_option_is_refused_by_the_one_that_was_asked(name):
    with pytest.raises(InvalidInput, match=f"{name} 'mthod'.*did you mean 'method'"):
        QUESTIONS[name](Network(2), mthod="planar")
    with pytest.raises(InvalidInput, match=f"{name} 'foo': choose one of .*, ensemble, keep"):
        QUESTIONS[name](Network(2), foo=3)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_refusal_names_the_model_once(name):
    wild = Network(4000, weight_variance=10)
    with pytest.raises(OutOfRegime, match="float64 cannot square") as refused:
        QUESTIONS[name](wild)
    assert str(refused.value).count(str(wild)) == 1


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
    with pytest.raises(OutOfRegime, match=r"ridge 0: samples = 1 with ridge 0 and only 1 mode"):
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
    sure = np.abs(difference) > curves[0].uncertainty + curves[1].uncertainty
    better = "second" if difference[0] > 0 else "first"
    assert found.at_start == (better if sure[0] else "neither")
    assert {c.samples for c in found.crossings} <= set(change.tolist())
    if np.all(apart > np.log(2)):  # closer ones may be missed, and the page says so
        assert [c.samples for c in found.crossings] == change.tolist()
    for c in found.crossings:
        assert c.better == ("second" if difference[c.samples - 1] > 0 else "first")
        assert (c.lowest or 1) <= c.samples <= (c.highest or MOST)
        assert not np.any(sure[(c.lowest or 1) : (c.highest or MOST) - 1]) or sure[c.samples - 1]
        if c.lowest == c.highest == c.samples:  # decided to the sample
            assert sure[c.samples - 2]


def test_a_model_never_crosses_itself():
    for other in (PEAK[0], Spectrum.of(np.array(PEAK[0].eigenvalues) * (1 + 1e-15), 20)):
        found = crossover(PEAK[0], other, PEAK[1], most=100)
        assert (found.crossings, found.at_start) == ((), "neither")
        assert str(found).endswith("\nthe same at every number of samples")
        assert "better" not in str(found)
    spread = replace(found, errors=found.errors * np.array([[1.0], [1.1]]))
    assert "with one sample neither is surely better" in str(spread)


def test_crossings_of_crossing_curves_take_few_predictions(asked):
    models, task = (Network(2), Network(6)), Task.sphere(10, [0, 0.5, 0.5], noise=0.1)
    options = {"method": "crossing", "clusters": 2}
    found = crossover(*models, task, most=10**4, **options)
    assert len(asked) <= 14  # seven a model: two make the curve
    # of a handful of samples the order that is reached may hang on the sizes asked together
    several = [c for c in found.crossings if c.samples > 20]
    assert len(several) == 2
    for c in several:
        near = sorted({m for n in (c.samples, c.lowest, c.highest) if n for m in (n - 1, n, n + 1)})
        first, second = (predict(model, task, near, **options) for model in models)
        difference = dict(zip(near, first.error - second.error, strict=True))
        doubt = dict(zip(near, first.uncertainty + second.uncertainty, strict=True))
        assert (difference[c.samples] > 0) != (difference[c.samples - 1] > 0)
        for inside, outside in ((c.lowest, -1), (c.highest, 1)):
            if inside not in (None, c.samples):
                assert abs(difference[inside]) <= doubt[inside]
                assert abs(difference[inside + outside]) > doubt[inside + outside]


def test_it_says_which_method_decides():
    """On given points planar is seldom sure."""
    x = np.random.default_rng(0).standard_normal((30, 4))
    task = Task.data(x, x[:, 0] * x[:, 1], ridge=0.1)
    found = crossover(Network(2), Network(5), task, most=30)
    assert any(c.lowest is None for c in found.crossings)
    assert not found.decided
    assert str(found).endswith('method="crossing" takes longer and is surer')
    assert str(replace(found, method="crossing")).endswith("too large to decide")
    surer = replace(found, crossings=(), uncertainties=0 * found.uncertainties)
    assert surer.decided
    assert "decide" not in str(surer)
    assert not replace(surer, uncertainties=found.errors).decided


# Pictures -----------------------------------------------------------------------------------------


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
