"""Many networks at once: against one at a time, the complex step, limits, and bad batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model import batch as module
from fieldtheory.model.batch import family, spectra
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum
from tests.oracles import layers
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding

STEP = 1e-30
ACTIVATIONS = ["relu", "erf", "gelu", "tanh", "leaky_relu(0.2)", "sin(1.2)", "hermite(2)"]


def complex_step(network, d, degrees, which, norm):
    """Values and derivatives from the oracle, all layers moved together."""
    weights, biases = list(network.weights), list(network.biases)
    moved = weights if which == 0 else biases
    for n in range(0 if network.input_bias or which == 0 else 1, network.depth):
        moved[n] = moved[n] + 1j * STEP

    def kernel(t):
        return layers.kernel(
            t,
            activation=network.activation,
            weights=weights,
            biases=biases,
            first=1.0 if norm == "dimension" else 1 / d,
            tangent=network.kernel == "ntk",
        )

    nodes = 200 if network.activation != "tanh" else 32
    lam = layers.eigenvalues(d, degrees, lambda t: kernel(t)[0], nodes)
    top = kernel(np.array([0.5]))[1]
    return lam.real, lam.imag / STEP, np.ravel(top)[0].real, np.ravel(top)[0].imag / STEP


def check(networks, d, degrees, norm="dimension"):
    found = spectra(networks, d, degrees, input_norm=norm)
    for n, network in enumerate(networks):
        for which in (0, 1):
            lam, slope, top, top_slope = complex_step(network, d, degrees, which, norm)
            scale = np.max(np.abs(slope)) + top
            assert agree(found.eigenvalues[n], lam, found.errors[n] + rounding(top, 0.1))
            assert agree(found.gradients[n, :, which], slope, rounding(scale))
            assert agree(found.traces[n], top, rounding(top))
            assert agree(found.trace_gradients[n, which], top_slope, rounding(scale))


MIXED = [
    Network(2, "relu", 1.7, 0.3),
    Network(4, "relu", 1.1, 0.5, "nngp"),
    Network(3, "erf", 2.0, 0.1),
    Network(3, "erf", (2.0, 1.0, 0.5), (0.1, 0.2, 0.0)),
    Network(3, "relu", 1.3, (0.3, 0.2, 0.1), input_bias=False),
    Network(1, "relu", 1.3, 0.7),
]


@pytest.mark.parametrize("d", [3, 7])
def test_values_and_derivatives_are_the_complex_step(d):
    check(MIXED, d, 5)
    check(MIXED, d, 2, "unit")


def test_derivatives_through_an_expansion():
    check([Network(2, "tanh", 0.9, 0.1)], 4, 4)


@pytest.mark.slow
def test_derivatives_through_two_expansions():
    check([Network(3, "tanh", 0.8, 0.05), Network(3, "tanh", 0.6, 0.2, "nngp")], 4, 4)


@pytest.mark.parametrize(
    ("where", "old", "new"),
    [
        (module._Question._layers, "(one, none))", "(one, one))"),
        (module._Question._at, "2 + column] = tangent", "3 - column] = tangent"),
        (module._Question._at, "top.tangents[column]", "top.tangents[0]"),
        (module._rule, "1 - 4 * EPS", "0.9"),
    ],
)
def test_the_check_rejects_mutants(monkeypatch, where, old, new):
    spoil(monkeypatch, where, old, new)
    assert not survives(lambda: check(MIXED, 3, 4))


@given(
    st.lists(
        st.tuples(
            st.integers(1, 5),
            st.sampled_from([name for name in ACTIVATIONS if name != "tanh"]),
            st.floats(0.3, 2.5),
            st.sampled_from([0.0, 0.1, 1.0]),
            st.sampled_from(["ntk", "nngp"]),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([2, 3, 10]),
)
@settings(max_examples=15)
def test_a_batch_is_its_networks_one_by_one(rows, d):
    networks = [Network(*row) for row in rows]
    found = spectra(networks, d, 6, gradients=False)
    assert found.gradients is None
    assert found.trace_gradients is None
    for n, network in enumerate(networks):
        kernel = network.on_sphere(d)
        try:
            alone = spectrum(kernel, d, modes=1.0, accurate=False)
        except OutOfRegime:
            continue  # this network forgets its inputs, and `spectrum` says so
        size = min(7, alone.eigenvalues.size)
        budget = found.errors[n, :size] + alone.errors[:size]
        assert agree(found.eigenvalues[n, :size], alone.eigenvalues[:size], budget)
        assert agree(found.traces[n], kernel.trace, rounding(kernel.trace))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    "options", [{}, {"residual": 0.7}, {"trained": "first"}, {"trained": "last"}]
)
def test_gradients_are_differences(activation, options):
    """Every activation and option; a five-point difference, whose error is a rounding of 1/h."""
    h, network = 1e-3, {"depth": 4, "activation": activation, **options}

    def at(weight, bias):
        one = Network(**network, weight_variance=weight, bias_variance=bias)
        return spectra([one], 5, 3, gradients=False, input_norm="dimension").eigenvalues[0]

    found = spectra(
        family(**network, weight_variance=[0.9], bias_variance=[0.3]), 5, 3, input_norm="dimension"
    )
    for which, (dw, db) in enumerate(((h, 0.0), (0.0, h))):
        ends = [at(0.9 + s * dw, 0.3 + s * db) for s in (1, -1, 2, -2, 3, -3)]
        first, second, third = (ends[n] - ends[n + 1] for n in (0, 2, 4))
        slope = (45 * first - 9 * second + third) / (60 * h)
        scale = max(1.0, float(np.max(np.abs(slope))))
        assert agree(found.gradients[0, :, which], slope, rounding(scale / h))
        assert not agree(found.gradients[0, :, which] * 1.0001 + 1e-7, slope, rounding(scale / h))


def test_on_the_circle():
    """d = 2, where the ends of the interval carry weight and the derivatives are singular there."""
    h, found = 1e-4, spectra(family(depth=3, weight_variance=[1.2]), 2, 6)
    ends = spectra(family(depth=3, weight_variance=[1.2 + h, 1.2 - h]), 2, 6).eigenvalues
    slope = (ends[0] - ends[1]) / (2 * h)
    assert agree(found.gradients[0, :, 0], slope, rounding(1 / h**2, 1e-1))
    exact = spectrum(Network(3, weight_variance=1.2).on_sphere(2), 2, degrees=6)
    assert agree(found.eigenvalues[0], exact.eigenvalues, found.errors[0] + exact.errors)


def test_order_and_items():
    networks = family(
        depth=[2, 3, 2], activation=["relu", "erf", "relu"], weight_variance=[1, 2, 3]
    )
    found = spectra(networks, 10, 4)
    assert len(found) == 3
    assert str(found) == "spectra of 3 networks on S^9, degrees 0 .. 4, with gradients"
    again = spectra(networks[::-1], 10, 4)
    assert agree(again.eigenvalues[::-1], found.eigenvalues, rounding(1.0))
    one = found[1]
    assert one.name == str(networks[1])
    assert one.tail >= 0
    assert one.trace == found.traces[1]
    with pytest.raises(ValueError, match="read-only"):
        found.eigenvalues[0] = 0


def test_a_family_broadcasts():
    grid = family(depth=[[2], [3]], weight_variance=[1.0, 2.0, 3.0], activation="erf")
    assert [(n.depth, n.weight_variance) for n in grid][:4] == [(2, 1), (2, 2), (2, 3), (3, 1)]
    assert len(family(depth=2)) == 1


def test_more_networks_than_fit_in_one_block():
    weights = np.linspace(0.5, 2, 400)
    found = spectra(family(depth=2, weight_variance=weights), 5, 2)
    few = spectra(family(depth=2, weight_variance=weights[[0, 399]]), 5, 2)
    assert agree(found.eigenvalues[[0, 399]], few.eigenvalues, rounding(1.0))
    assert agree(found.gradients[[0, 399]], few.gradients, rounding(1.0))
    assert np.all(np.diff(found.traces) > 0)


@pytest.mark.parametrize(
    ("question", "kind", "message"),
    [
        (lambda: spectra([], 5, 3), InvalidInput, "a batch of 0"),
        (lambda: spectra([Network(2), "relu"], 5, 3), InvalidInput, "only networks"),
        (lambda: spectra([Network(2)], 1, 3), InvalidInput, "dimension = 1"),
        (lambda: spectra([Network(2)], 5, -1), InvalidInput, "degrees = -1"),
        (lambda: spectra([Network(2)], 5, 3, input_norm="x"), InvalidInput, "input_norm"),
        (lambda: spectra([Network(2)], 10_000, 300), OutOfRegime, "leaves the range of float64"),
        (lambda: family(depth=[1, 2], weight_variance=[1, 2, 3]), InvalidInput, "do not broadcast"),
        (lambda: family(depth=[1, 0]), InvalidInput, "depth = 0"),
        (lambda: family(dept=[1, 2]), InvalidInput, "did you mean"),
    ],
)
def test_bad_questions(question, kind, message):
    with pytest.raises(kind, match=message):
        question()
