"""Many planar errors in one call: against one at a time, the complex step of the whole chain, and
batches in which some have no answer."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.batch import family
from fieldtheory.model.measures.sphere import multiplicity
from fieldtheory.model.network import Network
from fieldtheory.model.planar import many, stacked
from fieldtheory.model.planar.many import predict_many
from fieldtheory.model.predict import predict
from fieldtheory.model.task import Task
from tests.oracles import layers
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, asymptotic, rounding

LINEAR = Network(1, "erf", 1.5, 0.4)  # two degrees and no tail
STEP = 1e-30
DEGREES = 7
MIXED = (
    Network(2, "relu", 1.7, 0.3),
    Network(4, "erf", 1.1, 0.5, "nngp"),
    Network(3, "relu", 1.2, 0.0),
    Network(3, "erf", (2.0, 1.0, 0.5), (0.1, 0.2, 0.05)),
)


def chain(network, task, N, moved):
    """The planar error with one of the numbers moved into the complex plane: layers, projection,
    kappa by Newton's method, error."""
    weights, biases = (np.array(v, dtype=complex) for v in (network.weights, network.biases))
    ridge = task.ridge + 0j
    if moved == 0:
        weights += 1j * STEP
    elif moved == 1:
        biases += 1j * STEP
    else:
        ridge += 1j * STEP

    def kernel(t):
        return layers.kernel(
            t,
            activation=network.activation,
            weights=weights,
            biases=biases,
            first=1.0 if task.input_norm == "dimension" else 1 / task.dimension,
            tangent=network.kernel == "ntk",
        )

    d = task.dimension
    lam = layers.eigenvalues(d, DEGREES, lambda t: kernel(t)[0])
    deg = np.array([float(multiplicity(d, l)) for l in range(DEGREES + 1)])
    ridge = ridge + np.ravel(kernel(np.array([0.5]))[1])[0] - deg @ lam
    u = np.log((deg @ lam + ridge) / N)
    for _ in range(100):
        k = np.exp(u)
        found = np.sum(deg * lam / (lam + k)) + ridge / k
        u += np.log(found / N) * found / (np.sum(deg * lam * k / (lam + k) ** 2) + ridge / k)
    k, power = np.exp(u), np.zeros(DEGREES + 1)
    power[: task.function.power.size] = task.function.power
    gamma = np.sum(deg * (lam / (lam + k)) ** 2) / N
    error = (np.sum(power * (k / (lam + k)) ** 2) + gamma * task.noise) / (1 - gamma)
    return error.real, error.imag / STEP


@pytest.fixture(name="few")
def _few(monkeypatch):
    """As many degrees as the oracle has; its sums over powers lose digits beyond."""
    monkeypatch.setattr(many, "DEGREES_AT_LEAST", DEGREES)
    monkeypatch.setattr(many, "MODES_PER_SAMPLE", 0)


def check(networks, task, samples):
    found = predict_many(networks, task, samples, gradients=True)
    assert found.refusals == ()
    for n, network in enumerate(networks):
        for s, N in enumerate(samples):
            truths = [chain(network, task, N, moved) for moved in range(3)]
            error, slopes = truths[0][0], np.array([slope for _, slope in truths])
            scale = np.max(np.abs(slopes)) + error
            assert agree(found.error[n, s], error, rounding(error, 100))
            assert agree(found.gradient[n, s], slopes, rounding(scale, 1000))
            assert not agree(found.gradient[n, s] * 1.0001, slopes, rounding(scale, 1000))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("d", [5, 12])
@pytest.mark.parametrize(("noise", "ridge"), [(0.0, 0.0), (0.2, 0.01)])
def test_errors_and_gradients_are_the_complex_step_of_the_whole_chain(d, noise, ridge):
    task = Task.sphere(d, [0.1, 0.5, 0.3], noise, ridge=ridge, input_norm="dimension")
    check(MIXED, task, [2, 12, 50])
    check([*MIXED, LINEAR] if ridge else MIXED, task, [7])


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("where", "old", "new"),
    [
        (stacked._slope, "power * missing", "2 * power * missing"),
        (stacked._slope, "missing**2", "missing"),
        (stacked._slope, "(1 + missing)", "(1 - missing)"),
        (stacked._slope, "-np.sum(pull", "np.sum(pull"),
        (stacked._Slope.gradient, "batch.tail[:, None] > 0", "batch.tail[:, None] > 1e9"),
        (stacked.errors, "task.ridge + batch.tail", "task.ridge + 1.001 * batch.tail"),
    ],
)
def test_the_check_rejects_mutants(monkeypatch, where, old, new):
    task = Task.sphere(5, [0.1, 0.5, 0.3], 0.2, ridge=0.01, input_norm="dimension")
    spoil(monkeypatch, where, old, new)
    assert not survives(lambda: check([*MIXED, LINEAR], task, [40]))


@pytest.mark.parametrize("d", [2, 3, 10, 50])
def test_a_batch_is_its_networks_one_by_one(d):
    task = Task.sphere(d, ["x0 + x0*x1", "x1"], 0.1, ridge=0.01, input_norm="dimension")
    networks = [*MIXED, Network(5, "gelu", 1.5, 0.2)]
    found = predict_many(networks, task, [5, 60], crossing=True)
    for n, network in enumerate(networks):
        curve = predict(network, task, [5, 60], method="planar")
        spectra_alone = predict_many([network], task, [5, 60]).uncertainty[0]
        truncated = np.sum([v for k, v in curve.uncertainties.items() if k == "truncation"], axis=0)
        budget = spectra_alone + truncated + rounding(curve.error, 1000)
        assert agree(found.error[n], curve.error, budget)
        assert agree(found.bias[n], curve.bias, asymptotic(budget))
        assert agree(found.kappa[n], curve.kappa, asymptotic(curve.kappa * budget / curve.error))
        missed = curve.uncertainties["crossing diagrams"]
        assert agree(found.uncertainty[n] - spectra_alone, missed, asymptotic(0.01 * missed))


@given(
    st.integers(2, 10_000),
    st.sampled_from([1, 2, 10, 100]),
    st.sampled_from(["relu", "erf", "identity"]),
    st.floats(0.1, 10.0),
    st.sampled_from([0.0, 1e-3, 1.0]),
    st.one_of(st.just(0.0), st.floats(0, 1e6)),
    st.lists(st.integers(1, 10**7), min_size=1, max_size=3),
)
@settings(max_examples=25)
def test_any_network_is_answered_or_refused(d, depth, activation, weight, bias, ridge, samples):
    task = Task.sphere(d, [0.0, 0.5, 0.5], 0.01, ridge=ridge)
    found = predict_many([Network(depth, activation, weight, bias)], task, samples, gradients=True)
    refused = {size for _, size, _ in found.refusals}
    for s, N in enumerate(samples):
        error, answered = found.error[0, s], not refused & {N, 0}
        assert answered == np.isfinite(error)
        assert answered == np.isfinite(found.uncertainty[0, s])
        assert np.all(np.isfinite(found.gradient[0, s]))
        if answered:
            assert 0 <= found.bias[0, s] <= task.function.power.sum() * (1 + rounding(1.0))
            assert found.variance[0, s] >= 0
            assert found.uncertainty[0, s] <= error


def test_one_without_an_answer_does_not_spoil_the_others():
    task = Task.sphere(3, "x0")  # no ridge
    batch = [
        Network(2, "relu"),
        Network(1, "relu"),  # four modes
        Network(90, "hermite(2)", 9.0),  # its kernel overflows
        Network(100, "erf", 0.1, 1.0),  # forgets its inputs
    ]
    found = predict_many(batch, task, [3, 20], gradients=True)
    alone = predict_many(batch[:1], task, [3, 20])
    assert agree(found.error[0], alone.error[0], rounding(alone.error[0]))
    reasons = {(n, size): reason for n, size, reason in found.refusals}
    assert set(reasons) == {(1, 20), (2, 0), (3, 3), (3, 20)}
    assert "only 4 modes" in reasons[1, 20]
    assert "at layer 8 of 90 the variance" in reasons[2, 0]
    assert "forgets its inputs" in reasons[3, 3]
    assert np.all(np.isinf(found.error) == [[0, 0], [0, 1], [1, 1], [1, 1]])
    assert found.ranked(0)[0] == 1
    assert found.ranked()[0] == 0


def test_more_networks_than_fit_in_one_block(monkeypatch):
    networks = family(depth=2, weight_variance=np.linspace(0.5, 2, 30))
    task = Task.sphere(5, "x0*x1", 0.1, ridge=0.01)
    whole = predict_many(networks, task, [10, 100], gradients=True)
    monkeypatch.setattr(many, "BLOCK", 500)
    parts = predict_many(networks, task, [10, 100], gradients=True)
    assert agree(parts.error, whole.error, rounding(whole.error))
    assert agree(parts.gradient, whole.gradient, rounding(1.0))


def test_predictions_explain_themselves():
    networks = family(depth=[[1], [2], [3]], bias_variance=[0.1, 0.3])
    task = Task.sphere(5, "x0*x1", 0.1, ridge=0.01)
    found = predict_many(networks, task, [20, 10], gradients=True)
    assert len(found) == 6
    assert "the best at 20 samples" in str(found)
    assert "spectra alone" in str(found)
    assert str(networks[found.ranked(0)[0]]) in found._repr_html_()
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["error"] == found.error.tolist()
    assert len(found.picture().lines) == 5
    assert np.all(np.diff(found.picture().lines[0].x) > 0)
    one = predict_many(networks, task, 20).picture().lines
    assert np.all(np.diff(one[0].y) >= 0)
    with pytest.raises(ValueError, match="read-only"):
        found.bias[0] = 1.0


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda t: predict_many([], t, 5), "a batch of 0"),
        (lambda t: predict_many([Network(2), "relu"], t, 5), "only networks"),
        (lambda t: predict_many([Network(2)], t, 0), "at least 1"),
        (lambda t: predict_many([Network(2)], t, []), "samples is empty"),
        (lambda _: predict_many([Network(2)], Task.modes([1.0]), 5), "on the sphere only"),
    ],
)
def test_bad_questions(question, message):
    with pytest.raises(InvalidInput, match=message):
        question(Task.sphere(5, "x0"))


def test_refused_alone_is_refused_as_predict_does():
    linear, task = Network(1), Task.sphere(3, "x0")
    assert predict_many([linear], task, 4).refusals[0][2].startswith("samples = 4 with ridge 0")
    with pytest.raises(OutOfRegime, match="samples = 4 with ridge 0"):
        predict(linear, task, 4, method="planar")
