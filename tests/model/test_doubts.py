"""What is said of an answer's accuracy, where a plain theory would say too little or nothing."""

import numpy as np
import pytest

import fieldtheory as ft
from fieldtheory.model.doubts import percent
from tests.tolerance import agree, rounding, sampling

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(40, 5))
LABELS = INPUTS[:, 0]


@pytest.mark.parametrize("tested", ["pool", "unseen"])
def test_fewer_modes_than_points(tested):
    """A linear kernel on 40 points has six modes."""
    task = ft.Task.data(INPUTS, LABELS, ridge=0.1, tested=tested)
    network = ft.Network(2, "identity")
    curve = ft.predict(network, task, [15])
    measured = ft.measure(network, task, [15], draws=100, rng=0)
    assert agree(curve.error, measured.error, curve.uncertainty + sampling(measured.standard_error))
    assert agree(curve.error, curve.bias + curve.variance, rounding(1))


@pytest.mark.parametrize("tested", ["pool", "unseen"])
def test_one_sample_and_two_on_points_need_no_series(tested):
    task = ft.Task.data(INPUTS, LABELS, ridge=0.1, tested=tested)
    curve = ft.predict(ft.Network(3), task, [1, 2, 8])
    measured = ft.measure(ft.Network(3), task, [1, 2, 8], draws=300, rng=1)
    assert np.all(curve.uncertainty[:2] <= 1e-8)
    assert agree(curve.error[:2], measured.error[:2], sampling(measured.standard_error[:2]))


def test_a_poisson_number_of_samples_may_be_none():
    """One mode, learnt by the first sample: what is left is mostly the chance of having none."""
    task = ft.Task.sphere(5, [1.0], ridge=0.01)
    curve = ft.predict(ft.Spectrum.of([1.0], 5), task, [8], ensemble="poisson")
    numbers = np.arange(60)
    chances = np.exp(-8 - np.array([np.sum(np.log(np.arange(1, n + 1))) for n in numbers]))
    exact = np.sum(chances * 8.0**numbers * (0.01 / (0.01 + numbers)) ** 2)
    assert exact > 100 * curve.error[0]
    assert agree(curve.error, exact, curve.uncertainty)


def test_it_says_where_the_doubt_is_largest():
    curve = ft.predict(ft.Network(3), ft.Task.sphere(5, "x0"), [3, 50, 200])
    assert "at N = 3" in curve.regime
    assert "at N" not in ft.predict(ft.Network(3), ft.Task.sphere(5, "x0"), 50).regime


def test_doubts_in_words():
    assert [percent(x) for x in (0.012, 3.0, 50.0, 1e-12)] == [
        "1.2 %",
        "300 %",
        "many times the answer",
        "a millionth of a per cent",
    ]
