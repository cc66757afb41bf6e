import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.kernel import standard_kernel
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.question import kernel_of, modes_of
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.task import Task
from fieldtheory.practice.draw import Sample, draw
from fieldtheory.practice.regression import _Regression, _square, measure, solve
from tests.oracles import regression as oracle
from tests.tolerance import agree, rounding, sampling

NETWORK = Network(depth=2)


def one_draw(model, task, size, seed=0):
    sample = draw(task, size, np.random.default_rng(seed))
    return sample, _Regression(kernel_of(model, task), modes_of(model, task), task)


@pytest.mark.parametrize("dimension", [2, 3, 5, 40])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_exact_integral_is_the_mean_over_fresh_points(dimension, noise):
    task = Task.sphere(dimension, "x0 + 2*x0*x1", noise=noise, ridge=0.01)
    sample, regression = one_draw(NETWORK, task, 30)
    fresh = oracle.sphere(np.random.default_rng(1), 20_000, dimension)
    mean, spread = oracle.test_error(
        lambda t: oracle.two_layer_relu_ntk(t, dimension),
        0.01,
        sample.inputs,
        sample.labels,
        lambda x: x[:, 0] + 2 * x[:, 0] * x[:, 1],
        fresh,
    )
    assert agree(regression.error(sample), mean, sampling(spread))


def test_a_spoiled_integral_is_rejected():
    task = Task.sphere(5, "x0 + 2*x0*x1", ridge=0.01)
    sample, regression = one_draw(NETWORK, task, 30)
    right = regression.square
    fresh = oracle.sphere(np.random.default_rng(1), 20_000, 5)
    mean, spread = oracle.test_error(
        lambda t: oracle.two_layer_relu_ntk(t, 5),
        0.01,
        sample.inputs,
        sample.labels,
        lambda x: x[:, 0] + 2 * x[:, 0] * x[:, 1],
        fresh,
    )
    for spoiled in (lambda t: 1.1 * right(t), regression.kernel, lambda t: right(-t)):
        regression.square = spoiled
        assert not agree(regression.error(sample), mean, sampling(spread))


@pytest.mark.parametrize("dimension", [2, 3, 8])
def test_the_squared_kernel_is_the_kernel_folded_with_itself(dimension):
    """K2(x.x') = E_z K(x.z) K(z.x'): by Monte Carlo over z."""
    task = Task.sphere(dimension, "x0")
    square = _square(modes_of(NETWORK, task))
    x, y = np.eye(dimension)[:2]
    y = 0.6 * x + 0.8 * y
    z = oracle.sphere(np.random.default_rng(3), 40_000, dimension)
    kernel = kernel_of(NETWORK, task)
    terms = kernel(np.clip(z @ x, -1, 1)) * kernel(np.clip(z @ y, -1, 1))
    assert agree(square(np.array(0.6)), terms.mean(), sampling(terms.std() / 200))


def test_the_squared_kernel_by_either_road_is_the_same():
    modes = modes_of(standard_kernel("laplace"), Task.sphere(3, "x0"))
    weights = modes.eigenvalues**2 * modes.counts
    t = np.linspace(-1, 1, 101)
    direct = np.polynomial.legendre.legval(t, weights)  # d = 3: Legendre polynomials
    assert weights.size > 200
    assert agree(_square(modes)(t), direct, rounding(direct.max(), operations=10))


def test_interpolation_at_no_ridge_and_the_singular_case():
    x = np.eye(3)
    assert agree(solve(2 * x, 0.0, np.array([1.0, 2.0, 4.0])), [0.5, 1, 2], rounding(2))
    with pytest.raises(OutOfRegime, match="larger ridge"):
        solve(np.ones((3, 3)), 0.0, np.ones(3))
    two_modes = Spectrum.of([1.0, 0.5], dimension=3)
    with pytest.raises(OutOfRegime, match="fewer samples"):
        measure(two_modes, Task.sphere(3, "x0"), [10], draws=2, progress=False)


def test_a_measurement_repeats_and_every_size_has_its_own_stream():
    task = Task.sphere(5, "x0", ridge=0.1)
    both = measure(NETWORK, task, [10, 20], draws=3, rng=7, progress=False)
    one = measure(NETWORK, task, [20], draws=3, rng=7, progress=False)
    other = measure(NETWORK, task, [20], draws=3, rng=8, progress=False)
    assert both.runs[1].tolist() == one.runs[0].tolist()
    assert one.runs.tolist() != other.runs.tolist()
    assert np.unique(both.runs).size == 6
    generator = measure(NETWORK, task, [20], draws=3, rng=np.random.default_rng(0), progress=False)
    again = measure(NETWORK, task, [20], draws=3, rng=generator.seed, progress=False)
    assert generator.runs.tolist() == again.runs.tolist()


def test_an_interrupted_measurement_resumes_to_the_same_numbers(tmp_path, monkeypatch):
    task, path = Task.sphere(5, "x0", ridge=0.1), tmp_path / "runs.json"
    whole = measure(NETWORK, task, [10, 20], draws=3, progress=False)
    calls = []

    def stopping(self, sample):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return honest(self, sample)

    honest = _Regression.error
    monkeypatch.setattr(_Regression, "error", stopping)
    with pytest.raises(KeyboardInterrupt):
        measure(NETWORK, task, [10, 20], draws=3, store=path, progress=False)
    resumed = measure(NETWORK, task, [10, 20], draws=3, store=path, progress=False)
    assert resumed.runs.tolist() == whole.runs.tolist()
    assert len(calls) == 7  # three kept, one interrupted, three made after


def test_planar_theory_and_regression_agree_in_many_dimensions():
    """d = 40: the planar error is below a percent, the Monte Carlo error of this test above."""
    task = Task.sphere(40, [0.0, 0.6, 0.4], noise=0.1, ridge=0.01)
    measured = measure(Network(depth=3), task, [40, 160], draws=40, progress=False)
    curve = predict(Network(depth=3), task, [40, 160])
    budget = sampling(measured.standard_error) + curve.uncertainty
    assert agree(measured.error, curve.error, budget)
    assert np.all(sampling(measured.standard_error) < 0.15 * curve.error)  # the test can fail


def test_a_given_sample_of_one_point_by_hand():
    """One point: f = K y / (K(1) + ridge); with K = 1 + t in d = 3 every integral is elementary."""
    modes = Spectrum.of([1.0, 1 / 3], dimension=3)
    task = Task.sphere(3, "x0", ridge=1.0)
    x = np.array([[0.6, 0.8, 0.0]])
    sample = Sample(x, np.array([0.6]), np.array([[0.0], [0.6]]))
    a = 0.6 / 3
    exact = a**2 * (1 + 1 / 3) - 2 * a * 0.6 / 3 + 1 / 3
    error = _Regression(modes.kernel(), modes, task).error(sample)
    assert agree(error, exact, rounding(1))


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ({"samples": []}, "samples"),
        ({"samples": [0]}, "at least 1"),
        ({"samples": [10.5]}, "whole"),
        ({"draws": 1}, "draws"),
        ({"by": "magic"}, "regression, gradient-descent"),
        ({"rng": -1}, "rng"),
        ({"by": "gradient-descent", "width": 0}, "width"),
        ({"by": "gradient-descent", "tests": 0}, "tests"),
        ({"by": "gradient-descent", "label_scale": 0}, "label_scale"),
    ],
)
def test_bad_input_is_told_what_is_allowed(words, what):
    with pytest.raises(InvalidInput, match=what):
        measure(NETWORK, Task.sphere(5, "x0"), **({"samples": [5], "progress": False} | words))


def test_only_networks_can_be_trained():
    with pytest.raises(InvalidInput, match="give a Network"):
        measure(
            standard_kernel("rbf"),
            Task.sphere(5, "x0"),
            [5],
            by="gradient-descent",
            progress=False,
        )


def test_a_measurement_explains_itself():
    task = Task.sphere(5, "x0", ridge=0.1)
    result = measure(NETWORK, task, [10], draws=2, rng=3, progress=False)
    for text in (str(result), result._repr_html_()):
        assert "seed 3" in text
        assert "x0 on S^4" in text
    assert result.to_dict()["draws"] == 2
    assert result.picture().lines[0].points


@pytest.mark.slow
@pytest.mark.parametrize("depth", [2, 3])
def test_trained_networks_follow_the_planar_prediction(depth):
    """d = 5, width 512, 10 draws: within four standard errors plus 5 %."""
    network = Network(depth)
    task = Task.sphere(5, [0.0, 0.5, 0.5], ridge=1.0, input_norm="dimension")
    sizes = [20, 50, 100]
    curve = predict(network, task, sizes)
    trained = measure(
        network, task, sizes, draws=10, by="gradient-descent", width=512, progress=False
    )
    budget = sampling(trained.standard_error) + 0.05 * curve.error
    assert agree(trained.error, curve.error, budget)
    assert budget[-1] < 0.25 * curve.error[-1]  # the test can fail


def test_errors_of_several_outputs_add():
    """On the same points, without noise; finite networks have one output."""
    both = Task.sphere(5, ["x0", "x1*x2"], ridge=0.1)
    whole, regression = one_draw(NETWORK, both, 20)
    total = 0.0
    for k, text in enumerate(("x0", "x1*x2")):
        task = Task.sphere(5, text, ridge=0.1)
        degrees = task.target.power.size
        part = Sample(whole.inputs, whole.labels[:, k], whole.components[:degrees, :, k])
        total += _Regression(kernel_of(NETWORK, task), modes_of(NETWORK, task), task).error(part)
    assert agree(regression.error(whole), total, rounding(1.0, 1e3))
    with pytest.raises(InvalidInput, match="2 outputs"):
        measure(NETWORK, both, [5], by="gradient-descent", progress=False)
