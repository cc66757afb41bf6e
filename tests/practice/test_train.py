"""Trained networks against their kernels, two roads to one minimum, and what goes wrong."""

from types import SimpleNamespace

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.network import Network
from fieldtheory.practice.descent import strides
from fieldtheory.practice.train import initialise, train
from tests.tolerance import agree, asymptotic, rounding


def kind(depth=2, activation="erf", kernel="ntk", variances=(1.0, 1.0)):
    return SimpleNamespace(
        depth=depth,
        activation=activation,
        kernel=kernel,
        weight_variance=variances[0],
        bias_variance=variances[1],
    )


def rows(count, dimension=4, seed=5):
    x = np.random.default_rng(seed).standard_normal((count, dimension))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


X, TEST = rows(10), rows(30, seed=6)
Y = X[:, 0] + 2 * X[:, 0] * X[:, 1]


def kernel_answer(start, ridge, x=X, y=Y):
    gram = start.tangent_kernel(x) + ridge * np.eye(len(x))
    return start.tangent_kernel(TEST, x) @ np.linalg.solve(gram, y)


def root_mean_square(values):
    return float(np.sqrt(np.mean(np.square(values))))


# --- the minimum is the kernel's -----------------------------------------------------------------


@pytest.mark.parametrize("momentum", [True, False])
def test_one_layer_is_linear_so_the_formula_is_exact(momentum):
    """No width is needed: the tangent kernel of a linear model never moves."""
    result = train(
        kind(depth=1), X, Y, width=1, rng=0, ridge=0.1, tolerance=1e-13, momentum=momentum
    )
    assert result.converged
    assert agree(result.predict(TEST), kernel_answer(result.start, 0.1), rounding(1, 10))
    assert not agree(result.predict(TEST), kernel_answer(result.start, 0.1 * 10), rounding(1, 10))


# What the formula neglects, as a power of 1/width: one for a smooth activation. For ReLU units flip
# across their kinks, and the gap measured falls more slowly, like the square root.
@pytest.mark.slow
@pytest.mark.parametrize(("activation", "narrow", "power"), [("erf", 256, 1), ("relu", 64, 1 / 2)])
def test_a_wide_network_learns_what_its_kernel_says(activation, narrow, power):
    """Depth 3, ridge 0.1: f - f_0 = Theta (Theta + ridge)^-1 y as the width grows."""
    depth, wide, gaps = 3, 1024, {}
    for width in (narrow, wide):
        runs = [
            train(kind(depth, activation), X, Y, width=width, rng=seed, ridge=0.1)
            for seed in range(3)
        ]
        assert all(run.converged for run in runs)
        gaps[width] = root_mean_square(
            [run.predict(TEST) - kernel_answer(run.start, 0.1) for run in runs]
        )
        spoilt = root_mean_square(
            [run.predict(TEST) - kernel_answer(run.start, 1.0) for run in runs]
        )
    # |theta - theta_0|^2 is about `energy`, to be compared with the width, once a hidden layer.
    energy = float(Y @ np.linalg.solve(runs[0].start.tangent_kernel(X) + 0.1 * np.eye(10), Y))
    budget = asymptotic((depth - 1) * root_mean_square(Y) * (energy / wide) ** power)
    assert gaps[wide] <= budget
    assert spoilt > budget
    assert gaps[wide] <= asymptotic(gaps[narrow] * (narrow / wide) ** power)


def test_a_small_label_scale_is_the_linear_regime():
    gaps = [
        root_mean_square(train_scaled.predict(TEST) - kernel_answer(train_scaled.start, 0.1))
        for train_scaled in (
            train(kind(3), X, Y, width=64, rng=1, ridge=0.1, tolerance=1e-6, label_scale=scale)
            for scale in (0.1, 0.01)
        )
    ]
    assert gaps[1] <= asymptotic(gaps[0] / 10)


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_momentum_and_plain_steps_learn_the_same_function(ridge):
    setting = {"width": 64, "rng": 2, "ridge": ridge, "tolerance": 1e-4, "label_scale": 0.01}
    x, y = X[:5], Y[:5]
    fast = train(kind(2), x, y, **setting)
    slow = train(kind(2), x, y, momentum=False, **setting)
    assert fast.converged
    assert slow.converged
    assert fast.steps < slow.steps / 2
    # Each is within its tolerance of the same minimum; unseen inputs feel it a few times over.
    assert agree(fast.predict(x), slow.predict(x), 2 * 1e-4 * np.linalg.norm(y))
    assert root_mean_square(fast.predict(TEST) - slow.predict(TEST)) <= asymptotic(
        1e-2 * root_mean_square(y)
    )


def test_relu_comes_to_rest_although_its_minimum_sits_on_kinks():
    result = train(kind(3, "relu"), X, Y, width=64, rng=0, ridge=0.1)
    assert result.converged
    assert result.restarts > 0  # only shorter steps stop the rocking


def test_interpolation_and_the_empty_lesson():
    result = train(kind(2), X, Y, width=128, rng=3, tolerance=1e-4)
    assert np.linalg.norm(result.predict(X) - Y) <= 1e-4 * np.linalg.norm(Y)
    nothing = train(kind(2), X, 0 * Y, width=16, rng=3)
    assert (nothing.steps, nothing.converged) == (0, True)
    assert agree(nothing.predict(TEST), 0.0, 0.0)


def test_a_repeated_input_sets_no_pace():
    x, y = np.vstack([X[:4], X[:1]]), np.append(Y[:4], Y[0])
    once, twice = (train(kind(2), x[:n], y[:n], width=64, rng=0) for n in (4, 5))
    assert twice.converged
    assert twice.steps < 2 * once.steps
    torn = train(kind(2), x, y + np.eye(5)[4], width=64, rng=0, max_steps=200)
    assert not torn.converged  # two labels for one input: the loss cannot vanish
    assert "NOT converged" in str(torn)


# --- the steps -----------------------------------------------------------------------------------


def worst_mode(momentum, steps, condition=1e4, stretch=1.0):
    """The largest remainder of any mode of a quadratic form after each step, and the bound."""
    curvature = np.geomspace(1.0, condition, 500) * stretch
    mode, direction, history = np.ones(500), np.zeros(500), []
    for (carry, rate, left), _ in zip(
        strides(1.0, condition, momentum), range(steps), strict=False
    ):
        direction = carry * direction - rate * curvature * mode
        mode = mode + direction
        history.append((np.abs(mode).max(), left))
    return np.array(history)


@pytest.mark.parametrize("momentum", [True, False])
def test_no_mode_ever_exceeds_the_bound(momentum):
    largest, bound = worst_mode(momentum, 1000).T
    # The bound is met with equality, so only rounding, carried through every step, may exceed it.
    assert np.all(largest - bound <= rounding(1, 1000))
    assert (bound[-1] < 1e-8) == momentum
    stretched, _ = worst_mode(momentum, 1000, stretch=1.1).T
    assert stretched.max() > 1  # curvature above the bound it was built for: the loss rises


@pytest.mark.parametrize("momentum", [True, False])
def test_a_step_too_long_is_noticed_and_cured(monkeypatch, momentum):
    monkeypatch.setattr("fieldtheory.practice.descent.MARGIN", 0.3)
    result = train(kind(2), X[:5], Y[:5], width=64, rng=0, ridge=0.1, momentum=momentum)
    assert result.converged
    assert result.restarts >= 2
    assert result.loss_history.max() > result.loss_history[0]


def test_a_hopeless_step_ends_in_advice(monkeypatch):
    monkeypatch.setattr("fieldtheory.practice.descent.MARGIN", 0.3)
    monkeypatch.setattr("fieldtheory.practice.descent.RETRIES", 0)
    with pytest.raises(OutOfRegime, match="Lower label_scale, or raise width or ridge"):
        train(kind(2), X, Y, width=16, rng=0)


# --- the record ----------------------------------------------------------------------------------


def test_the_same_seed_is_the_same_network_and_the_record_is_whole():
    first, again, other = (
        train(kind(2), X, Y, width=32, rng=seed, ridge=0.1) for seed in (7, 7, 8)
    )
    assert agree(first.predict(TEST), again.predict(TEST), 0.0)
    assert not agree(first.predict(TEST), other.predict(TEST), 0.0)
    assert (first.seed, first.width, first.samples) == (7, 32, 10)
    assert train(kind(2), X, Y, width=8, rng=np.random.default_rng(7), ridge=0.1).seed is None
    assert first.loss_history.size == first.steps + 1
    assert first.loss == first.loss_history[-1] < first.loss_history[0]
    assert all(word in str(first) for word in ("width 32", "seed 7", "converged", first.version))


def test_parameters_start_standard_normal():
    whole = initialise(kind(3, "relu"), width=300, dimension=4, rng=0).vector
    for power, moment, spread in ((1, 0.0, 1.0), (2, 1.0, 2.0), (4, 3.0, 96.0)):
        assert agree(np.mean(whole**power), moment, 4 * np.sqrt(spread / whole.size))


def test_an_interrupt_closes_the_bar_and_passes_through(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fieldtheory.practice.descent.strides", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(kind(2), X, Y, width=8, rng=0, progress=True)
    assert capsys.readouterr().out == ""


def test_the_bar_goes_to_standard_error(capsys):
    train(kind(2), X, Y, width=8, rng=0, progress=True, ridge=0.1)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "training" in shown.err


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"inputs": X[0]}, "one a row"),
        ({"inputs": np.full_like(X, np.nan)}, "must be finite"),
        ({"labels": Y[:3]}, "3 labels for 10 inputs"),
        ({"labels": Y[:, None]}, "labels has shape"),
        ({"labels": np.where(Y > 0, np.inf, Y)}, "must be finite"),
        ({"width": 0}, "width"),
        ({"width": 2.5}, "width"),
        ({"width": 10**6}, "take a smaller width"),
        ({"ridge": -1.0}, "negative"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"label_scale": 0.0}, "label_scale"),
        ({"max_steps": 0}, "max_steps"),
        ({"rng": "dice"}, "rng"),
        ({"rng": -1}, "rng"),
        ({"network": kind(kernel="nngp")}, "Ask for kernel='ntk'"),
        ({"network": kind(depth=0)}, "depth"),
        ({"network": kind(activation="tanhh")}, "unknown activation"),
    ],
)
def test_bad_questions_are_refused(change, match):
    asked = {"network": kind(3), "inputs": X, "labels": Y, "width": 8, "rng": 0} | change
    with pytest.raises(InvalidInput, match=match):
        train(**asked)


def test_a_network_that_cannot_learn_says_so():
    with pytest.raises(OutOfRegime, match="tangent kernel at the inputs is zero"):
        train(kind(2, variances=(0.0, 0.0)), X, Y, width=8, rng=0)


def test_options_that_training_does_not_know_are_refused():
    for option in ({"residual": 0.5}, {"trained": "last"}, {"input_bias": False}):
        with pytest.raises(InvalidInput, match="only plain networks"):
            initialise(Network(depth=2, **option), width=8, dimension=3, rng=0)
