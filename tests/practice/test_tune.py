import json

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.network import Network
from fieldtheory.model.planar.many import predict_many
from fieldtheory.model.predict import predict, quick_error
from fieldtheory.model.task import Task
from fieldtheory.practice import tune as module
from fieldtheory.practice.regression import measure
from fieldtheory.practice.tune import Space, tune
from tests.tolerance import agree, asymptotic, sampling

TASK = Task.sphere(5, "x0*x1", ridge=0.01)


def test_one_free_variance_is_minimised_as_by_brute_force():
    space = Space(
        depth=(2, 2), activation=["relu"], weight_variance=(1, 1), bias_variance=(1e-3, 1)
    )
    best = tune(TASK, 60, space, progress=False)
    grid = np.geomspace(1e-3, 1, 30)
    errors = [quick_error(Network(2, "relu", 1.0, b), TASK, 60) for b in grid]
    refined = minimize_scalar(
        lambda u: quick_error(Network(2, "relu", 1.0, float(np.exp(u))), TASK, 60),
        bounds=(np.log(1e-3), 0),
        method="bounded",
    )
    floor = min(*errors, refined.fun)
    found = min(trial.error for trial in best.trials)
    assert {trial.network.weight_variance for trial in best.trials} == {1.0}
    assert agree(found, floor, asymptotic(1e-4 * floor))


def test_every_cell_is_asked_and_the_best_of_the_best_trials_wins():
    space = Space(depth=(2, 4), activation=("relu", "erf"))
    result = tune(TASK, 40, space, progress=False)
    asked = {(t.network.depth, t.network.activation) for t in result.trials}
    assert asked == {(d, a) for d in (2, 3, 4) for a in ("relu", "erf")}
    cells = {}
    for trial in result.trials:
        cell = trial.network.depth, trial.network.activation
        cells[cell] = min(cells.get(cell, trial), trial, key=lambda each: each.error)
        assert 0.1 * (1 - 1e-12) <= trial.network.weight_variance <= 10 * (1 + 1e-12)
        assert 1e-3 * (1 - 1e-12) <= trial.network.bias_variance <= 1 + 1e-12
    leaders = sorted(cells.values(), key=lambda trial: trial.error)[:3]
    assert {each.network for each in result.finalists} == {trial.network for trial in leaders}
    assert result.best == min(result.finalists, key=lambda each: each.error).network
    for each in (*result.finalists, result.against):
        curve = predict(each.network, TASK, [40], clusters=2)
        assert each.method == "crossing"
        assert (each.error, each.uncertainty) == (curve.error[0], curve.uncertainty[0])
        plain = predict(each.network, TASK, [40], method="planar")
        assert agree(each.planar, plain.error[0], asymptotic(1e-6 * each.planar))
        assert agree(each.planar, each.error, asymptotic(each.planar_uncertainty))


def test_the_polish_ends_where_the_gradient_does():
    """An optimum inside the box, in both variances; outside it the space says so."""
    task = Task.sphere(5, "x0 + x0*x1", 0.01, ridge=0.1, input_norm="dimension")
    result = tune(task, 50, Space(depth=(2, 2), activation=["relu"]), progress=False)
    assert result.edges == ()
    best = min(result.trials, key=lambda trial: trial.error)
    found = predict_many([best.network], task, 50, gradients=True)
    variances = np.array([best.network.weight_variance, best.network.bias_variance])
    slope = found.gradient[0, 0, :2] * variances / best.error
    assert agree(slope, 0.0, asymptotic(1e-3))
    assert len(result.trials) < 16 + 40  # the screen, and no more steps than a gradient needs
    narrow = Space((2, 3), (2.0, 9.0), (0.5, 1.0), ["relu"])
    cut = tune(task, 50, narrow, progress=False)
    assert cut.edges == ("depth at its lower end 2", "bias_variance at its lower end 0.5")
    assert "a wider space may hold a better one" in str(cut)
    assert min(trial.error for trial in cut.trials) > best.error


def test_a_tie_is_said():
    """Deep erf networks on a quadratic hardly differ; nor does a winner that is the default."""
    task = Task.sphere(50, "x0*x1")
    result = tune(task, 400, Space(depth=(4, 5), activation=["erf"]), progress=False)
    assert [each.network.depth for each in (result.finalists[0], *result.ties)] == [4, 5]
    assert "tied     within the uncertainty: erf NTK, depth 5" in str(result)
    assert result.gains
    again = tune(
        task, 400, Space(depth=(4, 4), activation=["erf"]), default=result.best, progress=False
    )
    assert not again.gains
    assert "within the uncertainty of both" in str(again)


def test_planar_decides_where_crossing_has_no_answer(monkeypatch):
    def limited(network, task, samples, **how):
        if how.get("method") != "planar":
            raise OutOfRegime("no solution")
        return predict(network, task, samples, **how)

    monkeypatch.setattr(module, "predict", limited)
    result = tune(TASK, 40, Space(depth=(2, 2), activation=["erf"]), progress=False)
    assert result.finalists[0].method == "planar"
    assert "(planar), planar" in str(result)


def test_a_curve_without_a_ridge_ends_where_the_modes_do():
    """Eight samples, eleven modes: the curve would go on to 25."""
    space = Space(depth=(1, 1), activation=["relu"])
    result = tune(Task.sphere(10, "x0"), 8, space, progress=False)
    assert result.curve.samples.max() == 8
    assert result.default_curve.samples.max() == 25


def test_tuning_repeats():
    space = Space(depth=(2, 2), activation=["erf"])
    first, second = (tune(TASK, 40, space, progress=False) for _ in range(2))
    assert first.best == second.best
    assert first.trials == second.trials


def test_the_default_decides_the_kernel():
    space = Space(depth=(2, 2), activation=["erf"])
    result = tune(TASK, 40, space, default=Network(3, kernel="nngp"), progress=False)
    assert result.best.kernel == "nngp"
    assert result.default.depth == 3


def test_networks_out_of_regime_lose_and_a_hopeless_space_is_refused():
    task = Task.sphere(10, "x0")  # no ridge: a linear network has eleven modes
    mixed = tune(task, 20, Space(depth=(1, 2), activation=["relu"]), progress=False)
    assert mixed.best.depth == 2
    with pytest.raises(OutOfRegime, match=r"none of .* ridge"):
        tune(task, 20, Space(depth=(1, 1), activation=["relu"]), progress=False)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ({"depth": (3, 1)}, "reversed"),
        ({"depth": (0, 2)}, "at least 1"),
        ({"depth": 3}, "range"),
        ({"depth": (1, 2, "log")}, "range"),
        ({"weight_variance": (0, 1)}, "above zero"),
        ({"bias_variance": (float("nan"), 1)}, "finite"),
        ({"bias_variance": (1e-3, 1, "linear")}, "range"),
        ({"activation": []}, "empty"),
        ({"activation": ["rleu"]}, "did you mean 'relu'"),
    ],
)
def test_a_malformed_space_is_told_what_is_allowed(words, what):
    with pytest.raises(InvalidInput, match=what):
        Space(**words)


def test_a_tuning_explains_itself():
    result = tune(TASK, 40, Space(depth=(2, 2), activation=["erf"]), progress=False)
    assert "erf NTK, depth 2" in str(result)
    plain = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert plain["evaluations"] == len(result.trials)
    assert plain["finalists"][0]["error"] == result.error == plain["error"]
    assert len(result.picture().lines) == 2


@pytest.mark.slow
def test_the_winner_beats_the_default_by_the_predicted_amount():
    result = tune(TASK, 60, Space(depth=(1, 3)), progress=False)
    gains, budgets = [], []
    for network in (result.default, result.best):
        curve = predict(network, TASK, [60])
        measured = measure(network, TASK, [60], draws=100, progress=False)
        gains.append((curve.error[0], measured.error[0]))
        budgets.append(sampling(measured.standard_error[0]) + curve.uncertainty[0])
    predicted, measured = (gains[0][i] - gains[1][i] for i in (0, 1))
    assert measured > 0
    assert agree(measured, predicted, sum(budgets))
    assert sum(budgets) < 0.7 * predicted  # the test can fail
