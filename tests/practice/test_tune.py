import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict, quick_error
from fieldtheory.model.task import Task
from fieldtheory.practice.regression import measure
from fieldtheory.practice.tune import Space, tune
from tests.tolerance import agree, asymptotic, sampling

TASK = Task.sphere(5, "x0*x1", ridge=0.01)


def test_one_free_variance_is_minimised_as_by_brute_force():
    space = Space(
        depth=(2, 2), activation=["relu"], weight_variance=(1, 1), bias_variance=(1e-3, 1)
    )
    best = tune(TASK, 60, space, progress=False)
    grid = np.geomspace(1e-3, 1, 200)
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


def test_every_cell_is_asked_and_the_best_trial_wins():
    space = Space(depth=(2, 4), activation=("relu", "erf"))
    result = tune(TASK, 40, space, progress=False)
    asked = {(t.network.depth, t.network.activation) for t in result.trials}
    assert asked == {(d, a) for d in (2, 3, 4) for a in ("relu", "erf")}
    best = min(result.trials, key=lambda trial: trial.error)
    assert result.best == best.network
    assert agree(result.error, best.error, asymptotic(1e-6 * best.error))
    for trial in result.trials:
        assert 0.1 * (1 - 1e-12) <= trial.network.weight_variance <= 10 * (1 + 1e-12)
        assert 1e-3 * (1 - 1e-12) <= trial.network.bias_variance <= 1 + 1e-12


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
    task = Task.sphere(3, "x0")  # no ridge: a linear network has four modes
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
    assert result.to_dict()["evaluations"] == len(result.trials)
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
