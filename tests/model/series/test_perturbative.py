"""The series in 1/samples, against SymPy and the planar theory; the paper's trimmed kernel."""

import mpmath
import numpy as np
import pytest
import sympy as sp

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.network import Network
from fieldtheory.model.planar import equation as planar
from fieldtheory.model.predict import predict
from fieldtheory.model.series.perturbative import Expansion, expand, expansion, renormalise
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.task import Task
from fieldtheory.theory import homogeneous, learning
from tests.oracles import published
from tests.oracles.quadrature import gegenbauer, sphere_average
from tests.tolerance import agree, asymptotic, rounding

SPECTRUM = Spectrum.of([0.4, 0.05, 0.01, 0.002], 6)
POWER = np.array([0.1, 0.5, 0.4, 0.2])
SAMPLES = np.array([10.0, 50.0, 300.0])
PAPER = Network(published.DEPTH)
TASK = Task.sphere(dimension=published.DIMENSION, target=[0, 0.5, 0.5])


def by_sympy(expression, samples, ridge, noise=0.0):
    """Sums over degrees written out by SymPy, numbers put in one by one."""
    last = SPECTRUM.eigenvalues.size - 1
    numbers = {learning.eta: samples, learning.s2: ridge, learning.v: noise}
    columns = ((homogeneous.lam, SPECTRUM.eigenvalues), (homogeneous.deg, SPECTRUM.counts))
    for array, values in (*columns, (homogeneous.G, POWER)):
        numbers |= {array[n]: value for n, value in enumerate(values)}
    return float(expression.subs(homogeneous.L, last).doit().subs(numbers))


def error(order, ensemble, ridge, noise=0.0, samples=SAMPLES):
    bias, variance, _ = expand(
        SPECTRUM, POWER, samples, ridge, noise, order=order, ensemble=ensemble
    )
    return (bias + variance).sum(axis=-1)


@pytest.mark.parametrize("ensemble", ["poisson", "fixed"])
@pytest.mark.parametrize("ridge", [0.3, 2.0])
def test_the_error_is_that_of_the_engine(ensemble, ridge):
    """Bias and variance come from diagrams of mean and covariance; the error has its own."""
    series = sum(learning.error(order, ensemble).on_sphere() for order in (0, 1))
    truth = [by_sympy(series, n, ridge) for n in SAMPLES]
    assert agree(error(1, ensemble, ridge), truth, rounding(1.0))
    other = {"poisson": "fixed", "fixed": "poisson"}[ensemble]
    assert not agree(error(1, other, ridge), truth, rounding(1.0))
    leading = [by_sympy(learning.error(0, "poisson").on_sphere(), n, ridge) for n in SAMPLES]
    assert agree(error(0, ensemble, ridge), leading, rounding(1.0))
    assert not agree(leading, truth, rounding(1.0))


def test_label_noise_is_that_of_the_engine():
    """(v/eta) sum deg L^2 on top of the noiseless error."""
    noisy = error(1, "poisson", 0.3, noise=0.7) - error(1, "poisson", 0.3)
    lam, deg = SPECTRUM.eigenvalues, SPECTRUM.counts
    learnt = 1 / (1 + 0.3 / (SAMPLES[:, None] * lam))
    truth = 0.7 * (deg * learnt**2).sum(axis=1) / SAMPLES
    assert agree(noisy, truth, rounding(1.0))


def test_the_printed_formulas():
    """theory: bias and variance of section 2, written with learnt fractions."""
    lam, deg, ridge = SPECTRUM.eigenvalues, SPECTRUM.counts, 0.6
    bias, variance, loop = expand(SPECTRUM, POWER, SAMPLES, ridge, 0.0, order=1, ensemble="poisson")
    k = ridge / SAMPLES[:, None]
    c0 = (deg / (1 / lam + 1 / k)).sum(axis=1, keepdims=True)
    mean = k / (lam + k) + (c0 / SAMPLES[:, None]) * lam / (lam + k) ** 2
    second_order = ((c0 / SAMPLES[:, None]) * lam / (lam + k) ** 2) ** 2
    assert agree(bias, POWER * (mean**2 - second_order), rounding(1.0))
    learnt = lam / (lam + k)
    spread = (deg * learnt**2).sum(axis=1) / SAMPLES
    spread = spread * (POWER * (1 - learnt) ** 2).sum(axis=1)
    assert agree(variance.sum(axis=1), spread, rounding(1.0))
    assert agree(loop, c0[:, 0] / ridge, rounding(1.0))


def test_it_differs_from_the_planar_theory_by_the_square_of_the_loop():
    """Samples and ridge up by four together: the loop falls by four, the difference by sixteen."""
    differences, loops = [], []
    for factor in (4.0, 16.0, 64.0, 256.0):
        N, ridge = factor * SAMPLES, 0.5 * factor
        kappa = planar.effective_ridge(SPECTRUM, N, ridge)
        bias, variance = planar.mode_errors(SPECTRUM, POWER, N, kappa, 0.3)
        bias1, variance1, loop = expand(SPECTRUM, POWER, N, ridge, 0.3, order=1, ensemble="poisson")
        differences.append(np.abs((bias + variance - bias1 - variance1).sum(axis=1)))
        loops.append(loop)
    for n in range(3):
        measured = np.log(differences[n] / differences[n + 1]) / np.log(loops[n] / loops[n + 1])
        assert agree(measured, 2.0, asymptotic(2 * loops[n]))
        assert not agree(measured - 1, 2.0, asymptotic(2 * loops[n]))


def test_no_ridge_no_series():
    with pytest.raises(OutOfRegime, match=r"expands in the kernel over the ridge.*'planar'"):
        error(1, "fixed", 0.0)


# What it says of itself ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("following", "loop", "words"),
    [
        (0.10, 0.47, "up to 22 % of the error at N = 40: holds; c0/s2 is at most 0.47"),
        (
            0.40,
            0.17,
            "up to 130 % of the error at N = 40: OUT OF ITS REGIME; c0/s2 is at most 0.17",
        ),
        (0.10, 1.40, "at N = 40: marginal; c0/s2 is at most 1.4 and should be below 1; use 'cro"),
        (1.20, 9.90, "more than ten times the error at N = 40: OUT OF ITS REGIME; c0/s2"),
        (1e-9, 0.01, "less than 0.001 % of the error at N = 40: holds"),
    ],
)
def test_the_verdict_names_what_it_rests_on(following, loop, words):
    """Next over first order, in plain percentages; the loop where it is the reason."""
    orders = np.array([[1.0, 1.0], [following / 10, following]])[:, :, None]
    sizes, loops = np.array([10.0, 40.0]), np.array([0.001, loop])
    found = Expansion(orders, 0 * orders, sizes, loops, 0)
    assert words in found.regime
    assert "e+" not in found.regime
    assert ("use 'crossing'" in found.regime) == (": holds" not in found.regime)


def test_a_negative_squared_error_is_refused():
    """Small samples, little ridge: the terms stay, their sum is no answer; the rest of the sizes
    is named, and answered."""
    how = {"order": 3, "ensemble": "fixed"}
    sizes = np.array([640.0, 5.0, 20.0])
    found = expansion(SPECTRUM, POWER, sizes, 0.05, 0.0, **how)
    sums = found.terms.sum(axis=0)
    assert sums[1] < 0 < min(sums[0], sums[2])
    for asked in ("error", "regime"):
        with pytest.raises(OutOfRegime, match=r"at N = 5, c0.*negative: -.* positive at N >= 20"):
            getattr(found, asked)
    with pytest.raises(OutOfRegime, match=r"-\d.* alone is .*; ask for order 0 or 1, a larger ri"):
        _ = expansion(SPECTRUM, POWER, sizes[1:2], 0.05, 0.0, **how).error
    assert np.all(expansion(SPECTRUM, POWER, sizes[[0, 2]], 0.05, 0.0, **how).error > 0)
    between = Expansion(
        np.array([[[1.0], [-1.0], [1.0]]]), np.zeros((1, 3, 1)), sizes[[1, 2, 0]], np.ones(3), 0
    )
    with pytest.raises(OutOfRegime, match="positive at N <= 5 and N >= 640"):
        _ = between.error


def test_no_ridge_is_said_of_the_order_asked():
    with pytest.raises(
        OutOfRegime, match=r"^the equivalent kernel, order 0,.*a network or a kernel"
    ):
        error(0, "fixed", 0.0)
    with pytest.raises(OutOfRegime, match=r"^order 2 of the series.*expands in the kernel over"):
        error(2, "fixed", 0.0)


# The renormalised kernel ------------------------------------------------------------------------


def test_the_paper_to_every_printed_digit():
    kernel = PAPER.on_sphere(published.DIMENSION)
    trimmed, ridge = renormalise(kernel, published.DIMENSION, 3, 0.0)
    for value, printed in zip(trimmed.eigenvalues, published.TRIMMED, strict=True):
        assert agree(value, float(printed), published.last_place(printed) / 2)
    assert agree(ridge, float(published.RIDGE), published.last_place(published.RIDGE) / 2)
    more = renormalise(kernel, published.DIMENSION, 3, 0.5)[1]
    assert agree(more, ridge + 0.5, rounding(1.0))


@pytest.mark.parametrize("d", [2, 5])
def test_the_trimmed_spectrum_is_that_of_the_trimmed_kernel(d):
    kernel = Network(3, "erf", 1.5, 0.3).on_sphere(d)
    trimmed, _ = renormalise(kernel, d, 5, 0.0)
    b = [mpmath.mpf(float(x)) for x in kernel.power_series(5)]

    def cut(t):
        return mpmath.polyval(b[::-1], t)

    for l in range(6):
        truth = float(sphere_average(d, lambda t, l=l: cut(t) * gegenbauer(d, l, t)))
        assert agree(trimmed.eigenvalues[l], truth, rounding(kernel.trace))
    assert agree(trimmed.trace, float(cut(1)), rounding(kernel.trace))


@pytest.mark.parametrize("d", [2, 5])
def test_a_kernel_cut_behind_its_last_power_is_itself(d):
    """Coefficients cancel to zeros, and are told from negative eigenvalues."""
    given = np.array([0, 0, 0, 0.5, 0, 0, 0.1, 0, 0, 0, 0.2, 0.1, 0, 0, 0.4, 0, 0.7])
    for size in (4, 17):
        whole = Spectrum.of(given[:size] / Spectrum.of(given, d).counts[:size], d)
        trimmed, ridge = renormalise(whole.kernel(), d, size - 1, 0.0)
        # rounding of what cancels: coefficients of t^q are up to 2^size times the eigenvalues
        assert agree(trimmed.eigenvalues, whole.eigenvalues, rounding(whole.trace, 2**size))
        assert ridge == 0.0


@pytest.mark.parametrize(
    ("kernel", "d", "keep", "message"),
    [
        (
            Spectrum.of([0, 0, 0, 0.5], 5).kernel(),
            5,
            2,
            r"negative.* cutting it at keep = 2 leaves",
        ),
        (Spectrum.of([0.1] * 20, 2).kernel(), 2, 3, r"negative coefficients.*'crossing', or anoth"),
        (Kernel("t^8", lambda t, xp: t**8), 5, 3, "keep = 3 nothing is left.*larger keep"),
        (Kernel("kink", lambda t, xp: 1 + xp.sqrt(t**2)), 5, 3, "kink has no power series"),
        (PAPER.on_sphere(5), 5, 10**6, r"keep = 1000000:.*Give keep <= 1024"),
        (PAPER.on_sphere(1000), 1000, 300, "keep = 300 in dimension 1000: multiplicities leave"),
        (Network(38).on_sphere(10), 10, 3, "relu.*forgets its inputs.*ReLU: weight_variance 2"),
    ],
)
def test_what_cannot_be_trimmed(kernel, d, keep, message):
    with pytest.raises(OutOfRegime, match=message):
        renormalise(kernel, d, keep, 0.1)


def test_a_kernel_that_forgets_its_inputs_is_not_expanded():
    """Its correlations are one to rounding, where series divide by zero: no warning, no NaN."""
    network = Network(30, "leaky_relu(0.1)", 0.5, 5.0417, "nngp")
    task = Task.sphere(2, "x0*x1", ridge=1.0, input_norm="dimension")
    with pytest.raises(OutOfRegime, match=r"forgets its inputs.*see depth_flow\); precise"):
        predict(network, task, [40], method="renormalised", order=0)
    constant = renormalise(Kernel("1", lambda t, xp: 1 + 0 * t), 5, 3, 0.5)
    assert constant[0].eigenvalues.tolist() == [1, 0, 0, 0]
    with pytest.raises(InvalidInput, match="give a Kernel"):
        renormalise(network, 5, 3, 0.0)


def test_the_published_curves():
    samples = list(published.SAMPLES)
    leading = predict(PAPER, TASK, samples, method="renormalised", order=0)
    for value, printed in zip(leading.error, published.EQUIVALENT_KERNEL, strict=True):
        assert agree(value, float(printed), published.last_place(printed) / 2 * (1 + 1e-9))
    full = predict(PAPER, TASK, samples, method="planar")
    for value, printed in zip(full.error, published.PLANAR, strict=True):
        assert agree(value, float(printed), published.last_place(printed) / 2 * (1 + 1e-9))


@pytest.mark.parametrize("method", ["planar", "renormalised"])
def test_exact_regression_lies_within_the_stated_uncertainty(method):
    found = predict(PAPER, TASK, list(published.SAMPLES), method=method)
    for value, spread, (printed, digits) in zip(
        found.error, found.uncertainty, published.REGRESSION, strict=True
    ):
        standard_error = digits * published.last_place(printed)
        # the test set that was drawn has mean g^2 = 1.0075
        drawn = 0.0075 * float(printed)
        assert agree(value, float(printed), spread + 4 * standard_error + drawn)


def test_symbols_are_those_of_the_engine():
    assert sp.Symbol("eta", positive=True) == learning.eta
