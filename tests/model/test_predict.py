"""From a network and a task to a curve: reference curves, reach, uncertainty, and bad questions."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.kernel import Kernel, standard_kernel
from fieldtheory.model.network import Network
from fieldtheory.model.planar import equation as planar
from fieldtheory.model.predict import METHODS, predict, quick_error
from fieldtheory.model.question import kernel_of, modes_of
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.task import Task
from fieldtheory.model.variants import predict_features
from tests.model.measures.test_precise import of
from tests.oracles.published import CROSSING, CURVES
from tests.tolerance import agree, rounding, sampling

NETWORK = Network(4)
TASK = Task.sphere(50, [0, 0.5, 0.5])
SPECTRUM = Spectrum.of([0.4, 0.05, 0.01], 6)
PRINTED = 0.006  # what the sheet prints of its two-sample theory, and its rounding
MEASURED = 0.006  # relative standard error of the sheet's Monte Carlo
QUICK = 1e-3  # relative, what a search may lose by a shorter list of modes


def network_of(spec):
    return Network(
        spec["depth"], spec["act"], float(spec["sw2"]), float(spec["sb2"]), spec["kernel"]
    )


def task_of(entry, ridge, noise):
    norm = {"U": "dimension", "S": "unit"}[entry["spec"]["input_scale"]]
    return Task.sphere(entry["spec"]["d"], [0, 0.5, 0.5], noise, ridge=ridge, input_norm=norm)


# Reference curves -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry", CURVES["planar"], ids=lambda e: f"{e['spec']} {e['ridge']} {e['noise']}"
)
def test_planar_curves_to_rounding(entry):
    """Samples there are real numbers, so the floor below `predict` is asked; 1e-8 relative.

    The truncation is that of 1e7 modes against all: what the tail adds to N kappa, relative.
    """
    task, rows = task_of(entry, entry["ridge"], entry["noise"]), np.array(entry["rows"])
    modes = modes_of(network_of(entry["spec"]), task, rows[:, 0].max())
    kappa = planar.effective_ridge(modes, rows[:, 0], task.ridge + modes.tail)
    power = np.zeros(modes.eigenvalues.size)
    power[1:3] = 0.5
    bias, variance = planar.mode_errors(modes, power, rows[:, 0], kappa, task.noise)
    truncation = modes.tail * modes.tail_eigenvalue / kappa / (rows[:, 0] * kappa)
    assert np.all(truncation < 5e-9)
    budget = rounding(1.0, 100) + 2 * truncation
    assert agree(kappa / rows[:, 1], 1.0, budget)
    assert agree((bias + variance).sum(axis=1) / rows[:, 2], 1.0, budget)
    without = planar.effective_ridge(modes, rows[:, 0], task.ridge or 1e-300)
    assert not agree(without / rows[:, 1], 1.0, budget)  # the tail matters


@pytest.mark.parametrize("entry", CURVES["measured"], ids=lambda e: str(e["spec"]))
def test_the_uncertainty_covers_exact_regression(entry):
    """Drawn data sets lie within the stated uncertainty of the prediction, to four errors."""
    network, covered = network_of(entry["spec"]), 0
    for ridge, noise in sorted({(row[1], row[2]) for row in entry["rows"]}):
        rows = np.array([row for row in entry["rows"] if (row[1], row[2]) == (ridge, noise)])
        task, sizes = task_of(entry, ridge, noise), rows[:, 0].tolist()
        for method, worth in (("planar", 0.3), ("crossing", 0.03)):
            curve = predict(network, task, sizes, method=method)
            assert agree(curve.error, rows[:, 4], curve.uncertainty + sampling(rows[:, 5]))
            assert np.all(curve.uncertainty < worth * curve.error)  # and it is worth something
        covered += len(rows)
    assert covered == len(entry["rows"]) >= 80


@pytest.mark.parametrize(("d", "last", "ridge", "rows"), CROSSING)
def test_the_uncertainty_covers_the_measured_defect(d, last, ridge, rows):
    from tests.model.diagrams.test_neglected import case

    spectrum, power = case(d, last)
    task = Task.sphere(d, power, ridge=ridge)
    sizes = [row[0] for row in rows]
    curve = predict(spectrum, task, sizes, method="planar", ensemble="poisson")
    measured = curve.error / (1 + np.array([row[1] for row in rows]))
    assert agree(curve.error, measured, curve.uncertainty)
    two = predict(spectrum, task, sizes, clusters=2, ensemble="poisson")
    assert agree(two.error / measured, 1 + np.array([row[2] for row in rows]), PRINTED)
    assert agree(two.error, measured, two.uncertainty + MEASURED * measured)


# Reach ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "d"),
    [
        (NETWORK, 2),
        (Network(10), 50),
        (Network(10), 1000),
        (Network(3, "erf", 2.0, 0.1), 3),
        *(
            pytest.param(network, d, marks=pytest.mark.slow)
            for network in (NETWORK, Network(10), Network(3, "erf", 2.0, 0.1))
            for d in (2, 3, 50, 1000)
        ),
    ],
    ids=str,
)
def test_every_dimension_and_depth(network, d):
    task = Task.sphere(d, [0.1, 0.5, 0.4], ridge=1e-3)
    for method in METHODS:
        curve = predict(network, task, [10, 100, 1000], method=method)
        for array in (curve.error, curve.uncertainty, curve.kappa, curve.learnability):
            assert np.all(np.isfinite(array))
        assert agree(curve.bias + curve.variance, curve.error, rounding(1.0))
        assert agree(curve.per_degree.sum(axis=1), curve.error, rounding(1.0))
        assert curve.method == method
        if method == "planar":
            assert np.all(np.diff(curve.bias) < 0)


@pytest.mark.parametrize(
    "model", [standard_kernel("laplace"), SPECTRUM, Kernel("1+t", lambda t, xp: 1 + t)], ids=str
)
@pytest.mark.parametrize("method", METHODS)
def test_every_kind_of_model(model, method):
    task = Task.sphere(6, [0, 1.0], ridge=0.1)
    assert np.all(np.isfinite(predict(model, task, [5, 50], method=method).error))


def test_a_target_above_the_listed_degrees():
    """A high degree is resolved when the target needs it."""
    power = np.zeros(61)
    power[60] = 1.0
    curve = predict(NETWORK, Task.sphere(50, power), [100])
    assert curve.per_degree.shape[1] >= 61
    assert agree(curve.bias, 1.0, rounding(1.0))  # far too high to be learnt


@given(st.integers(1, 5000), st.floats(1e-4, 1.0))
@settings(max_examples=20)
def test_the_quick_error_is_the_planar_error(samples, ridge):
    task = Task.sphere(20, [0, 0.5, 0.5], noise=0.1, ridge=ridge)
    full = predict(NETWORK, task, samples, method="planar")
    assert agree(quick_error(NETWORK, task, samples), full.error[0], QUICK * full.error[0])


def test_samples_may_be_one_number_or_an_array():
    task = Task.sphere(6, [0, 1.0], ridge=0.1)
    one = predict(SPECTRUM, task, 10, method="planar")
    many = predict(SPECTRUM, task, np.array([10, 20]), method="planar")
    assert one.error[0] == many.error[0]


def test_the_fixed_ensemble_only_widens_the_planar_uncertainty():
    task = Task.sphere(6, [0, 1.0], ridge=0.1)
    fixed, poisson = (
        predict(SPECTRUM, task, [20], method="planar", ensemble=name)
        for name in ("fixed", "poisson")
    )
    assert fixed.error[0] == poisson.error[0]
    assert fixed.uncertainty[0] > poisson.uncertainty[0]


# What it says -----------------------------------------------------------------------------------


def test_a_curve_explains_itself():
    curve = predict(NETWORK, TASK, [100, 400])
    text = str(curve)
    assert "relu NTK, depth 4" in text
    assert "estimated error at most" in text
    assert "Canatar" in text
    assert "Jacot" in text
    assert "<table>" in curve._repr_html_()
    assert curve.to_dict()["error"] == curve.error.tolist()
    assert curve.picture().lines[0].label == "crossing"


@pytest.mark.parametrize(
    ("ridge", "verdict"), [(1000.0, ": holds"), (1.0, "OUT OF ITS REGIME; use 'crossing'")]
)
def test_the_series_says_whether_it_holds(ridge, verdict):
    strong = Spectrum.of([2.0, 2.0, 1.0], 6)
    curve = predict(strong, Task.sphere(6, [0, 1.0], ridge=ridge), [2], method="perturbative")
    assert all(part in curve.regime for part in verdict.split("; "))


def test_the_series_states_its_own_error():
    """Order 0 misses the first correction; at order 1 the error is one more power of c0/s2."""
    task = Task.sphere(6, [0, 1.0], ridge=20.0)
    leading = predict(SPECTRUM, task, [40], method="equivalent-kernel")
    first = predict(SPECTRUM, task, [40], method="perturbative")
    assert agree(leading.error, first.error, leading.uncertainty * (1 + rounding(1.0)))
    assert first.uncertainty[0] < leading.uncertainty[0]


# Bad questions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"samples": 0}, "samples = 0.*whole number, at least 1"),
        ({"samples": [100, 2.5]}, r"samples = 2\.5"),
        ({"samples": []}, "samples is empty"),
        ({"samples": [math.nan]}, "samples = nan"),
        ({"samples": -3}, "samples = -3"),
        ({"samples": "100"}, "samples = '100'"),
        ({"samples": None}, "samples = None"),
        ({"method": "planer"}, "unknown method 'planer'.*did you mean 'planar'"),
        ({"method": None}, "unknown method"),
        ({"order": 4, "method": "perturbative"}, "order = 4: the compiled series reaches order 3"),
        ({"order": -1}, "order = -1"),
        ({"ensemble": "canonical"}, "unknown ensemble"),
        ({"clusters": 5}, r"clusters = 5: give 1 \(planar\), 2, 3 or 4"),
        ({"keep": -1}, "keep = -1"),
        ({"model": "relu"}, "model = 'relu': on the sphere give a Network, Kernel or Spectrum"),
        ({"model": SPECTRUM}, "belongs to dimension 6, the task to 50"),
        (
            {"model": Spectrum.of([1.0, 0.1], 50)},
            "power at degree 2, the spectrum ends at degree 1",
        ),
    ],
)
def test_malformed_questions(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        predict(**{"model": NETWORK, "task": TASK, "samples": [10], **arguments})


@pytest.mark.parametrize("method", ["perturbative", "equivalent-kernel"])
def test_no_ridge_no_series(method):
    with pytest.raises(OutOfRegime, match=r"ridge is 0\. Pass ridge > 0, or use method"):
        predict(NETWORK, TASK, [10], method=method)


def test_beyond_the_number_of_modes():
    with pytest.raises(OutOfRegime, match=r"ridge 0 and only 27 modes.*Pass a ridge > 0, fewer"):
        predict(SPECTRUM, Task.sphere(6, [0, 1.0]), [10, 27])


def test_kernel_of_a_network_knows_the_norm():
    wide = kernel_of(NETWORK, Task.sphere(9, [0, 1.0], input_norm="dimension"))
    assert agree(wide.trace, NETWORK.on_sphere(9, "dimension").trace, rounding(1.0))


def test_the_reference_helper_agrees_with_the_task():
    entry = CURVES["planar"][0]
    kernel = kernel_of(network_of(entry["spec"]), task_of(entry, 0.0, 0.0))
    assert agree(kernel(0.3), of(entry["spec"])(0.3), rounding(1.0))


def test_predicting_loads_no_algebra_and_no_drawing():
    """SymPy, networkx and matplotlib cost seconds; a curve needs none of them, nor mpmath."""
    program = (
        "import sys\n"
        "from fieldtheory.model.network import Network\n"
        "from fieldtheory.model.predict import predict\n"
        "from fieldtheory.model.task import Task\n"
        "curve = predict(Network(4), Task.sphere(50, 'x0'), [100])\n"
        "str(curve), curve.to_dict(), curve.picture()\n"
        "heavy = {'sympy', 'networkx', 'matplotlib', 'mpmath'} & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(heavy)}' if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_task_is_a_task():
    with pytest.raises(InvalidInput, match="task = 'x0': give a Task"):
        predict(Network(2), "x0", [10])


def test_a_curve_without_laws_promises_none():
    task = Task.sphere(3, "x0", ridge=1.0)
    series = predict(Spectrum.of([0.5, 0.1], 3), task, [10], method="perturbative")
    assert not series.laws
    assert "because" not in str(series)


def test_a_given_spectrum_is_trimmed_to_itself():
    """Degree 3 alone: the coefficients of t cancel to rounding, which is no negative eigenvalue."""
    third, task = Spectrum.of([0, 0, 0, 0.5], 5), Task.sphere(5, "x0*x1", ridge=20.0)
    trimmed, whole = (
        predict(third, task, [4, 40], method=name) for name in ("renormalised", "perturbative")
    )
    assert agree(trimmed.error, whole.error, rounding(1.0))


def test_samples_and_features_are_taken_in_pairs():
    task = Task.sphere(5, "x0", ridge=0.1)
    with pytest.raises(InvalidInput, match=r"^3 samples and 2 features: .* lists of one length"):
        predict_features(Network(2), task, [2, 4, 8], [1, 2])
    assert predict_features(Network(2), task, [2, 4], 3).features.tolist() == [3, 3]
