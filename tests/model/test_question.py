"""Models and tasks that fit together, and those that do not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.kernel import standard_kernel
from fieldtheory.model.modes import Modes
from fieldtheory.model.network import Network
from fieldtheory.model.parts import octaves
from fieldtheory.model.predict import predict
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.task import Task
from tests.tolerance import agree, rounding

POINTS = np.random.default_rng(5).standard_normal((12, 4))
POINTS /= np.linalg.norm(POINTS, axis=1, keepdims=True) / 2
LABELS = np.sign(POINTS[:, 0])
DATA = Task.data(POINTS, LABELS, ridge=0.1)
SMOOTH = {"planar": rounding(1.0), "crossing": 1e-3}  # relative: logarithms are interpolated
SPECTRUM = Spectrum.of([0.4, 0.05, 0.01], 6)


@pytest.mark.parametrize("method", ["planar", "crossing"])
def test_several_outputs_add_up(method):
    """A kernel learns each output by itself."""
    whole = predict(SPECTRUM, Task.sphere(6, ["x0", "x0*x1"], 0.1, ridge=0.1), 9, method=method)
    parts = [
        predict(SPECTRUM, Task.sphere(6, text, 0.1, ridge=0.1), 9, method=method)
        for text in ("x0", "x0*x1")
    ]
    total = sum(part.error for part in parts)
    assert agree(whole.error, total, SMOOTH[method] * total)


def test_modes_of_any_measure_are_those_of_the_sphere_to_the_planar_theory():
    task = Task.modes([0, 1.0, 0.5], 0.1, ridge=0.05)
    modes = Modes.of(SPECTRUM.eigenvalues, SPECTRUM.multiplicities)
    sphere = predict(SPECTRUM, Task.sphere(6, [0, 1.0, 0.5], 0.1, ridge=0.05), 9, method="planar")
    anywhere = predict(modes, task, 9, method="planar")
    assert agree(anywhere.error, sphere.error, rounding(1.0))
    assert anywhere.parts == ("mode 0", "mode 1", "mode 2")


def test_a_matrix_a_function_and_a_network_are_one_kernel():
    network = Network(3)
    kernel = standard_kernel("rbf", length=2.0, radius=2.0)
    rbf = kernel(np.clip(POINTS @ POINTS.T / 4, -1, 1))
    given = predict(rbf, DATA, [4, 8], method="planar")
    function = predict(lambda a, b, c: np.exp(-(a + b - 2 * c) / 8), DATA, [4, 8], method="planar")
    cosine = predict(kernel, DATA, [4, 8], method="planar")
    assert agree(given.error, function.error, rounding(1.0, 100))
    assert agree(given.error, cosine.error, rounding(1.0, 100))
    assert predict(network, DATA, 4, method="planar").parts == (
        "mode 1",
        "modes 2-3",
        "modes 4-7",
        "modes 8-12",
    )


def test_labels_in_no_mode_stay_an_error_and_act_as_noise():
    """A kernel of rank one, learnt from labels half of which it cannot represent."""
    flat = np.ones((4, 4))
    task = Task.data(np.eye(4), [2.0, 2.0, 0.0, 0.0], ridge=0.5)
    curve = predict(flat, task, [10], method="planar")
    noisy = predict(Modes.of([1.0]), Task.modes([1.0], noise=1.0, ridge=0.5), [10], method="planar")
    assert curve.parts == ("mode 1", "in no mode")
    assert agree(curve.error, noisy.error + 1.0, rounding(1.0, 10))


@given(st.integers(1, 3000))
def test_octaves_hold_every_mode_once(count):
    parts = octaves(count)
    assert parts.summed(np.ones(count)).sum() == count
    assert len(parts.names) == len(parts.starts)
    assert parts.names[-1].endswith(str(count))
    assert agree(parts.averaged(np.full(count, 3.0), np.zeros(count)), 3.0, rounding(3.0))


@pytest.mark.parametrize(
    ("model", "task", "message"),
    [
        (SPECTRUM, DATA, "eigenvalues alone say nothing about given points"),
        (np.eye(3), DATA, r"shape \(3, 3\) for 12 points"),
        (-np.eye(12), DATA, "not positive"),
        (np.full((12, 12), np.nan), DATA, "must be finite"),
        (Network(2), Task.modes([1.0]), "power in modes needs these modes"),
        (Modes.of([1.0, 0.1]), Task.sphere(3, "x0"), "Modes know nothing of a polynomial"),
        (Modes.of([1.0]), Task.modes([0.5, 0.5]), "the spectrum ends at degree 0"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_what_does_not_fit_together(model, task, message):
    with pytest.raises(InvalidInput, match=message):
        predict(model, task, [3], method="planar")


def test_crossing_needs_more_than_eigenvalues():
    with pytest.raises(OutOfRegime, match=r"draw.*points from the measure.*Task\.data"):
        predict(Modes.of([1.0, 0.1]), Task.modes([0, 1.0], ridge=0.1), 3)
    many = Task.data(np.eye(401), np.ones(401), ridge=0.1)
    with pytest.raises(OutOfRegime, match=r"clusters = 3 on 401 points.*Take clusters = 2"):
        predict(np.eye(401), many, 3, clusters=3)
    with pytest.raises(OutOfRegime, match="needs the sphere"):
        predict(Network(2), DATA, 3, method="renormalised")
