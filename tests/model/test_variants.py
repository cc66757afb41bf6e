"""Questions beside the learning curve, asked with a model and a task."""

from dataclasses import replace

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.modes import Modes
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.task import Task
from fieldtheory.model.variants import predict_features, predict_observables, predict_stopping
from tests.tolerance import agree, asymptotic, rounding

NETWORK, TASK = Network(2), Task.sphere(5, ["x0", "x0*x1"], 0.1, ridge=0.1)
MODES = Modes.of([0.5, 0.02], multiplicities=[1, 20])
FLAT, HALF = np.ones((4, 4)), Task.data(np.eye(4), [2.0, 2.0, 0.0, 0.0], ridge=0.5)


def test_all_features_and_all_time_are_the_planar_curve():
    """Two limits of two theories; both keep what the task says of outputs, noise and ridge."""
    planar = predict(NETWORK, TASK, [30, 60], method="planar").error
    assert agree(predict_features(NETWORK, TASK, [30, 60], np.inf).error, planar, rounding(1, 100))
    late = predict_stopping(NETWORK, TASK, [30, 60], [0.0, 1e9])
    assert agree(late.error[:, 1], planar, late.uncertainty[:, 1] * asymptotic(1e-4))
    assert agree(late.error[:, 0], TASK.target.power.sum(), rounding(1.0, 1000))


def test_power_in_no_mode_is_never_learnt():
    curve = predict(FLAT, HALF, [10], method="planar")
    late = predict_stopping(FLAT, HALF, [10], [1e9])
    many = predict_features(FLAT, HALF, [10], np.inf)
    assert agree(late.error[:, 0], curve.error, late.uncertainty[:, 0])
    assert agree(many.error, curve.error, rounding(1.0, 100))


@pytest.mark.parametrize("tested", ["pool", "unseen"])
def test_points_drawn_twice_or_seen_before_are_doubted(tested):
    """The planar theory takes each sample for new; what that costs is in every uncertainty."""
    x = np.cos(np.outer(np.arange(1, 41), [1.0, 1.7, 2.3]))
    task = Task.data(x, x[:, 0] * x[:, 1], ridge=0.1, noise=0.05, tested=tested)
    best = predict(NETWORK, task, [10, 25])
    late, many = (
        predict_stopping(NETWORK, task, [10, 25], [0.0, 1e9]),
        predict_features(NETWORK, task, [10, 25], np.inf),
    )
    planar = predict(NETWORK, task, [10, 25], method="planar").error
    assert np.all(abs(planar - best.error) > 2 * best.uncertainty)
    assert np.all(abs(late.error[:, 1] - best.error) <= 2 * late.uncertainty[:, 1])
    assert np.all(abs(many.error - best.error) <= 2 * many.uncertainty)
    series = predict(NETWORK, task, [10, 25], method="perturbative")
    assert ("points seen before" in series.regime) == (tested == "unseen")


def test_observables_of_a_curve_are_those_asked_for():
    curve = predict(NETWORK, TASK, [30, 60], clusters=2)
    asked = predict_observables(NETWORK, TASK, [30, 60])
    planar = predict_observables(NETWORK, TASK, [30, 60], method="planar")
    for name, values in curve.observables.items():
        exact, rough = getattr(asked, name), getattr(planar, name)
        assert agree(values, exact, asymptotic((exact - rough) / 10))
    wide = predict(NETWORK, TASK, [30, 60], method="planar").observables
    assert agree(wide["log_evidence"], planar.log_evidence, rounding(100.0))


@pytest.mark.parametrize("tested", ["pool", "unseen"])
def test_planar_observables_say_how_far_they_are_off(tested):
    """On the sphere and on points they cover those of crossing diagrams, which are sure to be
    closer; of bare modes something is said."""
    x = np.cos(np.outer(np.arange(1, 31), [1.0, 1.7, 2.3]))
    points = Task.data(x, x[:, 0] * x[:, 1], ridge=0.3, noise=0.05, tested=tested)
    for task in (points, TASK):
        best = predict_observables(NETWORK, task, [10, 20])
        rough = predict_observables(NETWORK, task, [10, 20], method="planar")
        assert (best.method, rough.method) == ("crossing", "planar")
        for name, unsure in rough.uncertainties.items():
            assert np.all(abs(getattr(rough, name) - getattr(best, name)) <= unsure)
            assert np.all(best.uncertainties[name] < unsure)
    bare = predict_observables(MODES, Task.modes([1.0, 0.5], ridge=0.1), 10)
    assert bare.method == "planar"
    assert all(np.all(unsure > 0) for unsure in bare.uncertainties.values())


def test_unknown_words():
    with pytest.raises(InvalidInput, match="unknown method 'exact'"):
        predict_observables(NETWORK, TASK, 10, method="exact")
    with pytest.raises(OutOfRegime, match="known on the sphere and on given points"):
        predict_observables(MODES, Task.modes([1.0, 0.5]), 10, method="crossing")
    with pytest.raises(OutOfRegime, match="are one to the kernel"):
        predict_observables(FLAT, HALF, 10)
    with pytest.raises(OutOfRegime, match="know pairs of places"):
        predict_observables(FLAT, HALF, 10, clusters=3)
    with pytest.raises(OutOfRegime, match="ridge 0 and 4 points drawn with replacement"):
        predict_observables(np.eye(4), replace(HALF, ridge=0.0), 2, method="planar")
    with pytest.raises(InvalidInput, match="unknown ensemble"):
        predict_observables(NETWORK, TASK, 10, ensemble="all")
    with pytest.raises(InvalidInput, match="samples = 0"):
        predict_stopping(NETWORK, TASK, 0, [1.0])
