"""Spectra: printed digits, closed forms, sum rules, the errors they state, and what they refuse."""

from decimal import Decimal

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import rfft

from fieldtheory.compiler.generated import log_power_eigenvalue
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.kernel import Kernel, standard_kernel
from fieldtheory.model.measures.precise import precise_spectrum
from fieldtheory.model.network import Network
from fieldtheory.model.series.perturbative import _Logarithms
from fieldtheory.model.spectrum import Spectrum, forgetful, spectrum
from tests.model.measures.test_precise import of
from tests.oracles import closed_forms, published
from tests.oracles.quadrature import eigenvalue
from tests.tolerance import agree, asymptotic, rounding

PAPER = Network(published.DEPTH).on_sphere(published.DIMENSION)


RESOLVED = 1e-6  # relative: where a spectrum in float64 stops
DEEP = 1e-9  # relative: correlations within 1e-7 of one have lost that much


def power(n):
    return Kernel(f"t^{n}", lambda t, xp: t**n)


# Printed numbers --------------------------------------------------------------------------------


def test_the_paper_to_every_printed_digit():
    found = spectrum(PAPER, published.DIMENSION).eigenvalues
    for value, printed in zip(found, published.EIGENVALUES, strict=False):
        assert agree(value, float(printed), published.last_place(printed) / 2)
    assert agree(PAPER.trace, float(published.TRACE), rounding(PAPER.trace))
    b = PAPER.power_series(3)
    for value, printed in zip(b, published.SERIES, strict=True):
        assert agree(value, float(printed), published.last_place(printed) / 2)


@pytest.mark.parametrize("entry", published.CURVES["eigenvalues"], ids=lambda e: str(e["spec"]))
def test_the_reference_file_in_float64(entry):
    """Relative rounding at every degree, though eigenvalues fall to 1e-27; 1e-10 was asked."""
    found = spectrum(of(entry["spec"]), entry["spec"]["d"], degrees=30)
    truth = np.array([float(row[2]) for row in entry["rows"]])
    assert truth.size == 31
    assert agree(found.eigenvalues, truth, rounding(truth))
    assert agree(found.eigenvalues, truth, found.errors)
    assert np.all(found.errors <= 1e-10 * truth)
    assert found.multiplicities == tuple(int(row[1]) for row in entry["rows"])
    assert agree(found.trace, float(entry["K_at_1"]), rounding(found.trace))
    left = Decimal(entry["K_at_1"]) - sum(
        Decimal(row[1]) * Decimal(row[2]) for row in entry["rows"]
    )
    assert agree(found.tail, float(left), rounding(found.trace))
    assert not agree(found.eigenvalues, truth * (1 + 1e-10), rounding(truth))


# Closed forms -----------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [2, 3, 10, 50])
@pytest.mark.parametrize("name", ["k1", "t k0", "k1 + t k0", "k0"])
def test_two_layers_of_relu(d, name):
    """Depth 2, no bias, |x|^2 = d: NNGP k1, NTK k1 + t k0."""
    no_bias = {"weight_variance": 1.0, "bias_variance": 0.0}
    nngp, ntk = (
        Network(2, "relu", kernel=kernel, **no_bias).on_sphere(d, "dimension")
        for kernel in ("nngp", "ntk")
    )
    kernels = {
        "k1": nngp,
        "k1 + t k0": ntk,
        "t k0": Kernel("t k0", lambda t, xp: ntk.function(t, xp) - nngp.function(t, xp)),
        "k0": Kernel("k0", lambda t, xp: (xp.pi - xp.arccos(t)) / (2 * xp.pi)),
    }
    with mpmath.workdps(40):
        rising = [closed_forms.times_cosine(closed_forms.step, d, l) for l in range(21)]
        ramps = [closed_forms.ramp(d, l) for l in range(21)]
        truth = {
            "k1": ramps,
            "t k0": rising,
            "k1 + t k0": [a + b for a, b in zip(ramps, rising, strict=True)],
            "k0": [closed_forms.step(d, l) for l in range(21)],
        }[name]
        truth = np.array([float(x) for x in truth])
    found = spectrum(kernels[name], d, degrees=20)
    # 1e-11 relative: on the circle, where the ends carry weight, k0 jumps at them by a square root
    assert agree(found.eigenvalues, truth, rounding(truth, 10) + rounding(1e-3 * (d == 2)))
    assert agree(found.eigenvalues, truth, found.errors)
    zeros = truth == 0
    assert np.all(found.eigenvalues[zeros] == 0)
    assert not agree(found.eigenvalues, 2 * truth, found.errors)


@pytest.mark.parametrize("d", [2, 3, 7, 50])
@pytest.mark.parametrize("n", [0, 1, 2, 5, 8])
def test_powers_of_the_cosine(d, n):
    found = spectrum(power(n), d, degrees=10)
    law = [
        np.exp(log_power_eigenvalue(d, l, (n - l) // 2, xp=_Logarithms))
        if l <= n and (n - l) % 2 == 0
        else 0.0
        for l in range(11)
    ]
    assert agree(found.eigenvalues, law, found.errors)
    assert agree(found.eigenvalues, law, rounding(np.array(law), 2) + found.errors)
    truth = float(eigenvalue(d, n % 4, lambda t: t**n))
    assert agree(law[n % 4], truth, rounding(1e-3))


def test_the_circle_is_a_fourier_transform():
    for network in (Network(3, "erf", 2.0, 0.3), Network(4)):
        kernel, points = network.on_sphere(2), 4096
        values = kernel(np.cos(2 * np.pi * np.arange(points) / points))
        found = spectrum(kernel, 2, degrees=40)
        truth = rfft(values).real[:41] / points
        # what the grid folds back: sum of 2 lam_l over multiples of `points`, lam ~ l^-2 or faster
        aliased = asymptotic(np.pi**2 / 3 * truth[-1] * (40 / points) ** 2)
        assert agree(found.eigenvalues, truth, rounding(truth[0]) + aliased)
        assert not agree(found.eigenvalues[:5], truth[1:6], rounding(truth[0]) + aliased)


# Errors and sum rules ---------------------------------------------------------------------------

NETWORKS = {
    "paper": Network(4),
    "no bias": Network(3, "relu", 2.0, 0.0),
    "deep": Network(10),
    "erf": Network(3, "erf", 2.0, 0.1, "nngp"),
    "steep erf": Network(4, "erf", 50.0, 0.0),
}


def check_stated_errors(name, d, degrees):
    kernel = NETWORKS[name].on_sphere(d)
    found, truth = spectrum(kernel, d, degrees), precise_spectrum(kernel, d, degrees, digits=18)
    assert agree(found.eigenvalues, [float(text) for text in truth.precise], found.errors)


@pytest.mark.parametrize(
    ("name", "d"), [("paper", 2), ("deep", 3), ("deep", 1000), ("erf", 10), ("steep erf", 5)]
)
def test_the_stated_errors_bound_the_true_ones(name, d):
    check_stated_errors(name, d, 6)


@pytest.mark.slow
@pytest.mark.parametrize("d", [2, 3, 5, 10, 50, 1000])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_stated_errors_bound_the_true_ones_everywhere(name, d):
    check_stated_errors(name, d, 12)


@pytest.mark.parametrize("d", [2, 3, 10, 50, 1000, 10_000])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_trace_is_complete(name, d):
    found = spectrum(NETWORKS[name].on_sphere(d), d)
    total = float(found.counts @ found.eigenvalues)
    budget = rounding(found.trace) + float(found.counts @ found.errors)
    assert agree(total + found.tail, found.trace, budget)
    assert 0 <= found.tail < 0.7 * found.trace
    bound = found.trace / found.counts
    assert np.all(found.eigenvalues <= bound * (1 + rounding(1.0)))
    assert np.all(found.eigenvalues >= 0)


@pytest.mark.parametrize("d", [3, 10])
def test_smooth_kernels_have_no_tail(d):
    for kernel in (NETWORKS["erf"].on_sphere(d), standard_kernel("rbf")):
        found = spectrum(kernel, d, degrees=60)
        assert agree(found.counts @ found.eigenvalues, found.trace, rounding(found.trace))
        assert found.tail <= rounding(found.trace)


@given(
    st.integers(1, 5),
    st.sampled_from(["relu", "erf"]),
    st.floats(0.2, 4),
    st.floats(0, 2),
    st.sampled_from([2, 3, 6, 30]),
)
@settings(max_examples=15)
def test_any_network_has_a_positive_spectrum(depth, activation, sw2, sb2, d):
    kernel = Network(depth, activation, sw2, sb2).on_sphere(d)
    found = spectrum(kernel, d, degrees=8)
    assert np.all(found.eigenvalues >= 0)
    assert found.counts @ found.eigenvalues <= found.trace * (1 + rounding(1.0, 10))
    rebuilt = spectrum(found.kernel(), d, degrees=8)
    assert agree(rebuilt.eigenvalues, found.eigenvalues, rounding(found.trace))


def test_the_quick_road_agrees():
    accurate, quick = (spectrum(PAPER, 50, accurate=choice) for choice in (True, False))
    few = quick.eigenvalues.size
    assert 3 <= few <= accurate.eigenvalues.size
    rest = accurate.errors[:few] + quick.errors
    assert agree(quick.eigenvalues, accurate.eigenvalues[:few], rest)
    assert agree(quick.eigenvalues, accurate.eigenvalues[:few], RESOLVED * quick.eigenvalues)


# Limits of reach --------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_deep_networks_and_many_dimensions(depth):
    for d in (2, 1000, 10_000):
        try:
            found = spectrum(Network(depth).on_sphere(d), d)
        except OutOfRegime as refusal:
            assert "precise_spectrum" in str(refusal)  # noqa: PT017
            continue
        assert np.all(np.isfinite(found.eigenvalues))
        assert agree(found.counts @ found.eigenvalues + found.tail, found.trace, DEEP * found.trace)


def test_what_float64_cannot_resolve_is_refused():
    with pytest.raises(OutOfRegime, match=r"up to degree \d+, degree 300 was asked; ask precise_"):
        spectrum(NETWORKS["erf"].on_sphere(3), 3, degrees=300)
    with pytest.raises(OutOfRegime, match=r"forgets its inputs: reduce the depth"):
        spectrum(Network(60).on_sphere(10), 10)


def test_advice_fits_what_was_asked():
    """Lengths for kernels, depths for networks, ReLU's critical point for ReLU."""
    narrow, wide = (standard_kernel("rbf", length=length) for length in (0.0328, 1.0))
    with pytest.raises(OutOfRegime, match=r"steeply.*take a longer length$"):
        spectrum(narrow, 3000)
    assert "take a shorter length" in str(forgetful(wide, 3))
    relu, cos = (forgetful(Network(60, name).on_sphere(10), 10) for name in ("relu", "cos"))
    assert "reduce the depth" in str(relu)
    assert "reduce the depth" in str(cos)
    assert "ReLU" in str(relu)
    assert "ReLU" not in str(cos)


def test_multiplicities_beyond_floats_are_refused():
    with pytest.raises(OutOfRegime, match="multiplicity leaves the range of float64 beyond"):
        spectrum(PAPER, 10_000, degrees=250)


def test_a_kernel_that_is_not_positive_is_refused():
    with pytest.raises(InvalidInput, match=r"not positive: eigenvalue -.* at degree 1"):
        spectrum(Kernel("spoilt", lambda t, xp: 2 - t), 3, degrees=3)
    with pytest.raises(InvalidInput, match="not positive"):
        spectrum(Kernel("spoilt", lambda t, xp: 2 - t), 3)


def test_a_kernel_that_is_not_finite_is_refused():
    holes = Kernel("holes", lambda t, xp: xp.sqrt(t - 0.5))
    with pytest.raises(InvalidInput, match="not finite at every cosine"), np.errstate(all="ignore"):
        spectrum(holes, 3, degrees=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dimension": 1}, "dimension = 1"),
        ({"dimension": 3, "degrees": -1}, "degrees = -1"),
        ({"dimension": 3, "degrees": 2.5}, r"degrees = 2\.5"),
    ],
)
def test_bad_questions(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        spectrum(PAPER, **arguments)


# Given spectra ----------------------------------------------------------------------------------


def test_a_given_spectrum():
    found = Spectrum.of([0.3, 0.05, 0.004], dimension=5)
    assert found.tail == 0.0
    assert agree(found.trace, 0.3 + 5 * 0.05 + 14 * 0.004, rounding(1.0))
    assert agree(found.kernel()(1.0), found.trace, rounding(1.0))
    text = str(found)
    assert "given eigenvalues on S^4" in text
    assert "3.0000000000e-01" in text


def test_a_long_spectrum_is_shortened_in_print():
    text = str(spectrum(PAPER, 50))
    assert "..." in text
    assert len(text.splitlines()) < 30
    assert "7.2757" in text


def test_zeros_are_named_in_print():
    text = str(spectrum(power(3), 5, degrees=3))
    assert "<" in text


@pytest.mark.parametrize(
    ("eigenvalues", "message"),
    [
        ([0.1, -0.2], r"eigenvalues\[1\] = -0\.2 is negative"),
        ([0.0, 0.0], "every eigenvalue is zero"),
        ([], "flat list"),
        ([0.1, np.nan], "finite"),
        ("abc", "list of numbers"),
        ([1e-9] * 400, "leave the range of float64"),
    ],
)
def test_bad_spectra(eigenvalues, message):
    with pytest.raises(InvalidInput, match=message):
        Spectrum.of(eigenvalues, 10_000 if len(eigenvalues) == 400 else 4)


def test_a_spectrum_checks_itself():
    with pytest.raises(InvalidInput, match="2 eigenvalues but 1 errors"):
        Spectrum(3, np.ones(2), np.zeros(1), 10.0)
    with pytest.raises(InvalidInput, match="kernel is not positive"):
        Spectrum(3, np.ones(2), np.zeros(2), 1.0)
    kept = Spectrum.of([1.0], 3)
    with pytest.raises(ValueError, match="read-only"):
        kept.eigenvalues[0] = 2.0
