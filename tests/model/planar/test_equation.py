"""The self-consistent theory: its solver, its limits, and exact regression on Gaussian features."""

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from fieldtheory.compiler import generated
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.measures.sphere import multiplicity
from fieldtheory.model.planar import equation as planar
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.spectrum import Spectrum
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, asymptotic, rounding, sampling

eigenvalues = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=8)
dimensions = st.sampled_from([2, 3, 10])
ridges = st.floats(1e-4, 2.0)
sizes = st.lists(st.integers(1, 10_000), min_size=1, max_size=4)


def by_brentq(spectrum, samples, ridge):
    """kappa from an equation written for log(kappa), one number of samples at a time."""
    lam, deg = spectrum.eigenvalues, spectrum.counts

    def excess(u):
        return np.sum(deg / (1 + np.exp(u) / lam)) + ridge * np.exp(-u) - samples

    high = np.log((spectrum.trace + ridge) / samples) + 1e-9
    return np.exp(brentq(excess, high - 60, high, xtol=1e-14))


def errors(spectrum, power, samples, ridge, noise=0.0):
    kappa = effective_ridge(spectrum, samples, ridge)
    return planar.mode_errors(spectrum, power, samples, kappa, noise)


def total(spectrum, power, samples, ridge, noise=0.0):
    bias, variance = errors(spectrum, power, samples, ridge, noise)
    return (bias + variance).sum(axis=-1)


@given(eigenvalues, dimensions, sizes, ridges)
def test_the_solver_against_brentq(lam, d, samples, ridge):
    spectrum, N = Spectrum.of(lam, d), np.array(samples, dtype=float)
    kappa = effective_ridge(spectrum, N, ridge)
    truth = np.array([by_brentq(spectrum, n, ridge) for n in N])
    assert agree(kappa, truth, rounding(truth, 100))
    assert not agree(kappa, 1.001 * truth, rounding(truth, 100))


@given(eigenvalues, dimensions, st.floats(0.01, 0.98))
def test_the_solver_without_a_ridge(lam, d, fraction):
    spectrum = Spectrum.of(lam, d)
    N = np.array([fraction * spectrum.counts.sum()])
    kappa = effective_ridge(spectrum, N, 0.0)
    found = np.sum(spectrum.counts * spectrum.eigenvalues / (spectrum.eigenvalues + kappa))
    assert agree(found, N, rounding(N, 100))


@given(eigenvalues, dimensions, ridges, st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_laws_of_the_error(lam, d, ridge, noise, seed):
    spectrum = Spectrum.of(lam, d)
    power = np.random.default_rng(seed).random(len(lam))
    N = np.array([1.0, 10.0, 100.0, 1000.0])
    kappa = effective_ridge(spectrum, N, ridge)
    assert np.all(kappa >= ridge / N * (1 - rounding(1.0)))
    assert np.all(kappa <= (ridge + spectrum.trace) / N * (1 + rounding(1.0)))
    assert np.all(np.diff(kappa) <= 0)  # more samples never raise it
    more = effective_ridge(spectrum, N, 2 * ridge)
    assert np.all(more >= kappa)  # more ridge never lowers it
    bias, variance = mode_errors(spectrum, power, N, kappa, noise)
    assert np.all(bias >= 0)
    assert np.all(variance >= 0)
    assert agree(
        bias.sum(axis=1),
        generated.planar_bias(spectrum.eigenvalues, power, kappa),
        rounding(power.sum()),
    )
    rest = 1 / (1 + spectrum.eigenvalues / kappa[:, None])
    gamma = (spectrum.counts * (1 - rest) ** 2).sum(axis=1) / N
    law = ((power * rest**2).sum(axis=1) + gamma * noise) / (1 - gamma)
    assert agree((bias + variance).sum(axis=1), law, rounding(law / (1 - gamma), 10))
    assert agree(bias, power * rest**2, rounding(power * rest**2, 10))


def test_no_samples_leave_the_power_of_the_target():
    """N -> 0: nothing is learnt and nothing wrong is learnt; to first order in N."""
    spectrum, power = Spectrum.of([0.5, 0.1, 0.02], 5), np.array([0.2, 1.0, 0.4])
    for N in (1e-3, 1e-6):
        found = total(spectrum, power, np.array([N]), 0.1)
        assert agree(found, power.sum(), asymptotic(N * power.sum() / 0.1))


def test_many_samples_learn_everything():
    """N -> oo at fixed ridge: bias (s2/N)^2 sum G/lam^2, noise times modes over N."""
    spectrum, power = Spectrum.of([0.5, 0.1, 0.02], 5), np.array([0.2, 1.0, 0.4])
    N, ridge, noise = np.array([1e6, 1e8]), 0.1, 0.3
    modes = spectrum.counts.sum()
    truth = noise * modes / N + (ridge / N) ** 2 * np.sum(power / spectrum.eigenvalues**2)
    small = ridge / (N * spectrum.eigenvalues.min()) + modes / N
    assert agree(total(spectrum, power, N, ridge, noise), truth, asymptotic(small * truth))


@given(eigenvalues, dimensions, st.integers(0, 3))
def test_beyond_the_number_of_modes_a_ridge_is_needed(lam, d, beyond):
    spectrum = Spectrum.of(lam, d)
    N = np.array([1.0, spectrum.counts.sum() + beyond])
    with pytest.raises(OutOfRegime, match=r"ridge 0 and only \d+ modes.*Pass a ridge > 0, fewer"):
        effective_ridge(spectrum, N, 0.0)


def test_one_mode_by_hand():
    """N = 1/(1 + kappa) + 1/kappa at N = 2 is 2 kappa^2 = 1."""
    kappa = effective_ridge(Spectrum.of([1.0], 3), np.array([2.0]), 1.0)
    assert agree(kappa, 1 / np.sqrt(2), rounding(1.0))


def gaussian_regression(spectrum, power, samples, ridge, noise, draws=200):
    """Ridge regression on independent Gaussian features, one for each mode; mean and its error."""
    rng = np.random.default_rng(5)
    lam = np.repeat(spectrum.eigenvalues, [int(n) for n in spectrum.multiplicities])
    target = np.repeat(np.sqrt(power / spectrum.counts), [int(n) for n in spectrum.multiplicities])
    runs = []
    for _ in range(draws):
        features = rng.standard_normal((samples, lam.size))
        labels = features @ target + np.sqrt(noise) * rng.standard_normal(samples)
        gram = (features * lam) @ features.T + ridge * np.eye(samples)
        learnt = lam * (features.T @ np.linalg.solve(gram, labels))
        runs.append(np.sum((learnt - target) ** 2))
    return np.mean(runs), np.std(runs, ddof=1) / np.sqrt(draws)


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("samples", [20, 60])
def test_regression_on_gaussian_features(samples, noise):
    """There the planar theory is exact up to relative 1/N."""
    lam = np.array([0.5, 0.1, 0.03, 0.01, 0.003, 0.001, 0.001])
    spectrum, power = Spectrum.of(lam, 4), np.array([0.0, 0.5, 0.5, 0.2, 0.0, 0.1, 0.0])
    measured, error = gaussian_regression(spectrum, power, samples, 0.02, noise)
    found = total(spectrum, power, np.array([float(samples)]), 0.02, noise)
    budget = sampling(error) + asymptotic(measured / samples)
    assert agree(found, measured, budget)
    spoilt = errors(spectrum, power, np.array([float(samples)]), 0.02, noise)[0].sum()
    assert not agree(spoilt, measured, budget)  # the bias alone does not do


# The whole range --------------------------------------------------------------------------------

DIGITS = 800  # more than what cancels between eigenvalues of 1e-280 and a kappa of 1e-140
SLACK = mpmath.mpf("1e-12")


@st.composite
def questions(draw):
    """Spectra of any decay in 2 to 10^4 dimensions, ridges to 10^6, 1 to 10^7 samples; some of them
    exactly as many as there are modes up to a degree."""
    d = draw(st.sampled_from([2, 3, 10, 100, 10_000]))
    degrees = draw(st.integers(1, 30))
    deg = [multiplicity(d, l) for l in range(degrees) if multiplicity(d, l) < 10**280]
    fall = draw(st.sampled_from([0.0, 1.0, 5.0]))
    lam = [
        10 ** (-fall * l) * draw(st.sampled_from([0.0, 0.5, 1.0])) / n for l, n in enumerate(deg)
    ]
    assume(any(lam))
    ridge = draw(st.one_of(st.just(0.0), st.sampled_from([1e-200, 1e-30, 1e6]), st.floats(0, 1e6)))
    filled = np.cumsum([n for n, x in zip(deg, lam, strict=True) if x], dtype=float).tolist()
    sizes = st.one_of(st.integers(1, 10**7), st.sampled_from(filled))
    N = draw(sizes)
    assume(N <= 1e7)
    noise = draw(st.sampled_from([0.0, 1e-3, 10.0]))
    return Spectrum.of(lam, d), float(N), ridge, noise


def exact(spectrum, N, ridge, kappa):
    """Samples that `kappa` answers to, and the error there, in many digits."""
    pairs = list(zip(map(mpmath.mpf, spectrum.eigenvalues), spectrum.multiplicities, strict=True))
    k = mpmath.mpf(kappa)
    found = sum(n * lam / (lam + k) for lam, n in pairs) + mpmath.mpf(ridge) / k
    slope = sum(n * lam / (lam + k) ** 2 for lam, n in pairs) + mpmath.mpf(ridge) / k**2
    return found, k + (found - N) / slope, pairs


def check(spectrum, N, ridge, noise):
    """kappa is bracketed by 1e-12 of itself, and the error follows from it."""
    with mpmath.workdps(DIGITS):
        kappa = effective_ridge(spectrum, np.array([N]), ridge)[0]
        assert exact(spectrum, N, ridge, kappa * (1 - SLACK))[0] > N
        assert exact(spectrum, N, ridge, kappa * (1 + SLACK))[0] < N
        k = mpmath.mpf(kappa)
        for _ in range(8):
            _, k, pairs = exact(spectrum, N, ridge, k)
        gamma = sum(n * (lam / (lam + k)) ** 2 for lam, n in pairs) / N
        bias = sum((k / (lam + k)) ** 2 for lam, _ in pairs)
        truth = float((bias + gamma * noise) / (1 - gamma))
    power = np.ones(spectrum.eigenvalues.size)
    found = total(spectrum, power, np.array([N]), ridge, noise)
    assert agree(found, truth, rounding(truth, 10))


@given(questions())
@settings(max_examples=60)
def test_any_question_is_answered_or_refused(question):
    spectrum, N, ridge, _ = question
    modes = spectrum.counts[spectrum.eigenvalues > 0].sum()
    with mpmath.workdps(DIGITS):
        beyond = exact(spectrum, N, ridge, planar.KAPPA_AT_LEAST)[0] < N
    if beyond:
        no_root = ridge == 0 and modes <= N
        words = f"only {modes:.0f} modes" if no_root else "leaves the range of float64"
        with pytest.raises(OutOfRegime, match=words):
            effective_ridge(spectrum, np.array([N]), ridge)
    else:
        check(*question)


PEAK = (Spectrum.of([0.5, 0.1, 0.0, 1e-30], 5), 6.0, 1e-20, 0.3)  # as many samples as modes learnt


def test_at_a_peak_no_digit_is_lost():
    """Six samples, six modes far above the rest: N and the sum over modes agree in 13 digits."""
    check(*PEAK)
    check(Spectrum.of([0.5, 0.1], 5), 6.0, 1e-60, 0.3)


@pytest.mark.parametrize(
    ("where", "old", "new"),
    [
        (planar._Falling.sides, "np.minimum(lam, k)", "np.maximum(lam, k)"),
        (planar._Falling.sides, "s2 / kappa", "2 * s2 / kappa"),
        (planar._Falling.sides, "learnt.ravel() + 1", "learnt.ravel()"),
        (planar.Fractions.unspent, "+ left)", ")"),
        (planar.mode_errors, "+ noise)", "- noise)"),
    ],
)
def test_the_check_rejects_mutants(monkeypatch, where, old, new):
    spoil(monkeypatch, where, old, new)
    assert not survives(lambda: check(*PEAK))


@given(st.lists(eigenvalues, min_size=1, max_size=4), dimensions, sizes, ridges)
def test_many_spectra_are_one_after_the_other(rows, d, samples, ridge):
    size = min(map(len, rows))
    lam, N = np.array([row[:size] for row in rows]), np.array(samples, dtype=float)
    s2 = ridge * np.arange(1, len(rows) + 1)
    counts = Spectrum.of(lam[0], d).counts
    found = planar.solve(lam, counts, N, s2)
    alone = [effective_ridge(Spectrum.of(row, d), N, s) for row, s in zip(lam, s2, strict=True)]
    assert agree(found, alone, rounding(np.array(alone)))


@given(st.permutations([0.4, 0.1, 0.0, 1e-12, 3e-13]), st.sampled_from([0.0, 1e-25, 1e-3]))
@settings(max_examples=12)
def test_neither_order_nor_company_matters(lam, ridge):
    """A gap in the spectrum, where kappa falls by many orders; degrees in any order; sizes asked
    together, in blocks or one by one."""
    spectrum, power = Spectrum.of(lam, 4), np.ones(5)
    eigenvalues, counts = spectrum.eigenvalues, spectrum.counts
    N = np.arange(1.0, counts[eigenvalues > 0].sum())
    kappa = effective_ridge(spectrum, N, ridge)
    with mpmath.workdps(40):
        for n, k in zip(N, kappa, strict=True):
            few, many = (exact(spectrum, n, ridge, k * side)[0] for side in (1 + SLACK, 1 - SLACK))
            assert few < n < many
    alone = np.array([effective_ridge(spectrum, np.array([n]), ridge)[0] for n in N])
    assert agree(alone, kappa, rounding(kappa))
    rising = np.argsort(eigenvalues)
    turned = planar.solve(eigenvalues[rising], counts[rising], N, np.asarray(ridge))
    assert agree(turned, kappa, rounding(kappa))
    found = mode_errors(spectrum, power, N, kappa, 0.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planar, "BLOCK", 20)
        assert agree(effective_ridge(spectrum, N, ridge), kappa, rounding(kappa))
        apart = mode_errors(spectrum, power, N, kappa, 0.1)
    assert all(agree(*pair, rounding(pair[1])) for pair in zip(apart, found, strict=True))


def test_a_solver_that_does_not_settle_says_how_far_it_came(monkeypatch):
    monkeypatch.setattr(planar, "STEPS", 1)
    with pytest.raises(OutOfRegime, match=r"did not converge in 1 steps; log kappa still moves by"):
        effective_ridge(Spectrum.of([0.5, 0.1, 0.01], 5), np.array([7.0]), 0.1)


def test_a_ridge_below_the_range_of_floats():
    with pytest.raises(OutOfRegime, match="square leaves the range of float64"):
        effective_ridge(Spectrum.of([0.5, 0.1], 5), np.array([9.0]), 1e-300)
