import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.kernel import standard_kernel
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.question import kernel_of
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.task import Task
from fieldtheory.practice import ask, demo
from fieldtheory.practice.draw import draw
from fieldtheory.practice.regression import WAYS, measure
from fieldtheory.practice.sections import MEASUREMENTS
from fieldtheory.practice.spec import structure
from fieldtheory.practice.tune import Space, tune
from tests.tolerance import agree, rounding

NETWORK = {"depth": 2, "activation": "erf", "weight_variance": 2, "bias_variance": 0.5}
TASK = {"dimension": 5, "target": "x0*x1", "label_noise": 0.1, "ridge": 0.2}
HERE = Network(2, "erf", 2.0, 0.5)
THERE = Task.sphere(5, "x0*x1", 0.1, ridge=0.2)


def spec(model=None, task=None, **sections):
    return structure({**(model or {"network": NETWORK}), "task": task or TASK, **sections})


def test_each_way_to_describe_a_model():
    assert ask.model_of(spec()) == HERE
    assert ask.model_of(spec({"network": {"kernel": "nngp"}})).kernel == "nngp"
    found = ask.model_of(spec({"spectrum": {"eigenvalues": [1, 0.5]}}))
    assert isinstance(found, Spectrum)
    assert (found.dimension, found.eigenvalues.tolist()) == (5, [1.0, 0.5])


@pytest.mark.parametrize(
    ("norm", "radius"),
    [("unit", 1.0), ("dimension", 5**0.5)],
)
@pytest.mark.parametrize(
    "given",
    [
        {"name": "rbf", "length": 0.7},
        {"name": "laplace", "length": 2},
        {"name": "matern", "smoothness": 2.5},
        {"name": "polynomial", "degree": 3, "offset": 0.1},
    ],
)
def test_a_standard_kernel_sees_the_radius_of_the_task(given, norm, radius):
    cosines = np.linspace(-1, 1, 9)
    found = ask.model_of(spec({"kernel": given}, {**TASK, "input_norm": norm}))(cosines)
    assert agree(found, standard_kernel(**given, radius=radius)(cosines), 0)
    wrong = standard_kernel(**given, radius=radius + 1)(cosines)
    assert not agree(found, wrong, rounding(1))


def test_the_task():
    assert str(ask.task_of(spec())) == str(THERE)
    power = ask.task_of(spec(task={"dimension": 3, "power": [0, 2], "input_norm": "dimension"}))
    assert (power.target.power.tolist(), power.radius) == ([0.0, 2.0], 3**0.5)
    with pytest.raises(InvalidInput, match=r"give task\.target or task\.power"):
        ask.task_of(spec(task={"dimension": 3}))


def test_several_outputs():
    both = ask.task_of(spec(task={"dimension": 4, "target": ["x0", "x0*x1 - x2"]}))
    assert both.outputs == 2
    with pytest.raises(InvalidInput, match="the target has 2: give one"):
        ask.training(spec(task={"dimension": 4, "target": ["x0", "x1"]}))
    one = [Task.sphere(4, text).target.power for text in ("x0", "x0*x1 - x2")]
    total = sum(power.sum() for power in one)
    assert agree(both.function.power.sum(), total, rounding(total))


def test_a_question_is_the_call_it_stands_for():
    asked = {"samples": [10, 20], "method": "perturbative", "ensemble": "poisson"}
    curve = ask.prediction(spec(predict=asked))
    same = predict(HERE, THERE, [10, 20], method="perturbative", ensemble="poisson")
    assert curve.to_dict() == same.to_dict()
    kept = ask.prediction(spec(predict={"method": "renormalised", "keep": 5}))
    assert kept.mode_bias.shape[1] == 6
    both = ask.comparison(spec(predict={"samples": [10]}, measure={"draws": 3, "seed": 7}))
    assert (
        both.measurement.runs.tolist() == measure(HERE, THERE, [10], draws=3, rng=7).runs.tolist()
    )
    space = {"depth": [2, 2], "activation": ["erf"], "bias_variance": [1, 1], "samples": 30}
    tuned = ask.tuning(spec(tune=space))
    box = Space(depth=(2, 2), activation=["erf"], bias_variance=(1, 1))
    assert tuned.to_dict() == tune(THERE, 30, box, default=HERE).to_dict()


def test_spectra():
    plain = ask.spectrum_of(spec(task={"dimension": 5}), 4)
    precise = ask.spectrum_of(spec(task={"dimension": 5}), 4, 20)
    assert agree(plain.eigenvalues, precise.eigenvalues, plain.errors + rounding(plain.eigenvalues))
    assert len(precise.precise[0].replace(".", "")) >= 20
    assert len(ask.spectrum_of(spec(), None, 15).precise) == ask.DEGREES + 1
    given = spec({"spectrum": {"eigenvalues": [1, 0.5]}})
    assert ask.spectrum_of(given).eigenvalues.tolist() == [1.0, 0.5]
    for more in ((3, None), (None, 10)):
        with pytest.raises(InvalidInput, match="computed"):
            ask.spectrum_of(given, *more)


def test_training_is_the_first_draw_of_the_measurement():
    sections = {
        "predict": {"samples": [6, 12]},
        "train": {"width": 32, "tests": 40},
        "measure": {"by": "gradient-descent", "seed": 3, "draws": 2},
    }
    trained = ask.training(spec(**sections))
    assert trained.converged
    assert trained.error.tolist() == ask.measurement(spec(**sections)).runs[:, 0].tolist()
    assert trained.to_dict()["samples"] == [6, 12]
    assert len(trained.picture().lines) == 3


def test_the_regression_beside_a_trained_network_is_plain_regression():
    task = Task.sphere(5, "x0*x1", 0.1, ridge=0.2)
    seed = np.random.SeedSequence(3, spawn_key=(12, 0))
    sample = draw(task, 12, np.random.default_rng(seed), tests=40)
    kernel = kernel_of(Network(2), task)
    gram = kernel(np.clip(sample.inputs @ sample.inputs.T, -1, 1))
    weights = np.linalg.inv(gram[:12, :12] + 0.2 * np.eye(12)) @ sample.labels
    truth = np.prod(sample.inputs[12:, :2], axis=1)
    mean = np.mean((gram[12:, :12] @ weights - truth) ** 2)
    sections = {
        "predict": {"samples": [12]},
        "train": {"width": 8, "tests": 40, "max_steps": 1},
        "measure": {"seed": 3},
    }
    found = ask.training(spec({"network": {"depth": 2}}, **sections))
    assert agree(found.regression_error, mean, rounding(mean, 100))
    assert not agree(found.regression_error, 1.01 * mean, rounding(mean, 100))
    assert not found.converged
    assert "NOT converged: raise max_steps" in str(found)


def test_only_networks_are_trained_and_tuned():
    rbf = spec({"kernel": {"name": "rbf"}})
    for question in (ask.training, ask.tuning):
        with pytest.raises(InvalidInput, match=r"give \[network\]"):
            question(rbf)


def test_the_words_of_a_spec_are_those_of_the_library():
    assert MEASUREMENTS == WAYS


def test_the_demonstration_says_whether_theory_holds(monkeypatch):
    monkeypatch.setattr(demo, "SIZES", (100, 200))
    found = demo.demonstrate(draws=6)
    assert found.agrees
    assert "agree at every size from 100 to 200 samples" in found.summary
    assert found.to_dict()["samples"] == [100, 200]
    expected = predict(
        Network(4), Task.sphere(50, [0, 0.5, 0.5]), [100, 200], method="renormalised"
    )
    assert found.first_order_error == expected.error.tolist()
    wrong = predict(Network(1), Task.sphere(50, [0, 0.5, 0.5], ridge=1), [100, 200])
    spoiled = demo.Demonstration(
        ask.compare(wrong, found.comparison.measurement), found.first_order
    )
    assert not spoiled.agrees
    assert "DISAGREE at samples 100, 200" in str(spoiled)
