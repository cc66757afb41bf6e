"""Early stopping: contours, complex ridges, limits, Marchenko-Pastur, and descent on real draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.modes import Modes
from fieldtheory.model.planar import resolvent, stopping
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.planar.resolvent import Contour, complex_ridge, largest_eigenvalue
from fieldtheory.model.planar.stopping import crossed_share, stopped
from fieldtheory.model.spectrum import Spectrum
from tests.oracles import gram, marchenko_pastur
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, asymptotic, rounding, sampling

LAM = np.array([0.5, 0.1, 0.03, 0.01, 0.003, 0.001, 0.001])
POWER = np.array([0.0, 0.5, 0.5, 0.2, 0.0, 0.1, 0.0])
LINE = Spectrum.of(LAM, 4)
TIMES = np.array([0.0, 0.1, 1.0, 10.0, 100.0, 1000.0])
INTEGRAL = 1e-11  # of 16 nodes: 8^-16, and what rounding makes of weights up to 66, squared

eigenvalues = st.lists(st.floats(-8, 0), min_size=1, max_size=6).map(lambda u: 10 ** np.array(u))
counts = st.integers(1, 10**4)


# -- contours -------------------------------------------------------------------------------------


@given(st.floats(-6, 6), st.floats(-6, 6))
def test_the_parabola_makes_the_filter(log_time, log_z):
    """q(z) = (1 - e^{-tz}) / z, at most t."""
    time, z = 10**log_time, 10**log_z
    contour = Contour.flow(np.array([time]), 16)
    found = 2 * np.sum(contour.weight / (z + contour.shift)).real
    truth = float(gram.flow(np.array([z]), time)[0])
    assert agree(found, truth, asymptotic(INTEGRAL * time))


@pytest.mark.parametrize("updates", [1, 2, 7, 128, 129, 1000])
def test_the_circle_makes_descent(updates):
    step, z = 0.3, np.array([1e-6, 0.01, 1.0, 3.0, 5.5])  # up to where 1 - step z = -0.65
    contour = Contour.descent(np.array([float(updates)]), step, 16)
    found = 2 * np.sum(contour.weight / (z[:, None] + contour.shift), axis=1).real
    truth = gram.descent(z, updates, step)
    assert agree(found, truth, asymptotic(INTEGRAL * step * updates))
    assert not agree(found, gram.flow(z, step * updates), asymptotic(INTEGRAL * step * updates))


# -- the complex ridge ----------------------------------------------------------------------------


@given(eigenvalues, st.lists(counts, min_size=6, max_size=6), st.integers(1, 10**5), st.data())
def test_kappa_solves_its_equation_in_the_upper_half_plane(lam, multiplicities, samples, data):
    """There the solution is unique, so this proves it."""
    modes = Modes.of(lam, multiplicities[: lam.size])
    z = 10 ** data.draw(st.floats(-9, 6)) * np.exp(1j * np.array([0.1, 1.0, 2.0, 2.6]))
    kappa = complex_ridge(modes, samples, z)
    learnt = (lam / (lam + kappa[:, None])) @ modes.counts
    assert np.all(kappa.imag > 0)
    assert agree(samples * kappa, z + learnt * kappa, rounding(samples * kappa))
    conditions = kappa.imag / np.abs(z)  # it maps the half plane into itself, strictly
    assert np.all(conditions >= z.imag / np.abs(z) / samples * (1 - rounding(1.0)))


@given(st.integers(1, 500), st.integers(1, 500), st.floats(0, 1))
def test_the_largest_eigenvalue_of_white_features(modes, samples, ridge):
    truth = 0.1 * (np.sqrt(modes) + np.sqrt(samples)) ** 2 + ridge
    found = largest_eigenvalue(Modes.of([0.1], [modes]), samples, ridge)
    assert agree(found, truth, rounding(truth, 10))


# -- limits ---------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(eigenvalues, st.sampled_from([0.0, 1e-3, 0.3]), st.sampled_from([0.0, 0.2]))
def test_from_the_power_to_ridge_regression(lam, ridge, noise):
    modes = Modes.of(lam, [40] * lam.size)
    power, N = np.linspace(1, 2, lam.size), np.array([7.0, 30.0])
    late = 1e4 / effective_ridge(modes, N, ridge).min() + 1e4 / lam.min()
    curve = stopped(modes, power, N, ridge, noise, np.array([0.0, 1e-9 / lam.sum(), late]))
    assert agree(curve.error[:, 0], power.sum(), 0)
    assert agree(curve.variance[:, 0], 0, 0)
    assert agree(curve.error[:, 1], power.sum(), asymptotic(1e-5 * power.sum()))
    kappa = effective_ridge(modes, N, ridge)
    bias, variance = (part.sum(axis=1) for part in mode_errors(modes, power, N, kappa, noise))
    gone = np.exp(-late * ridge) if ridge else lam.size * N.max() / (late * kappa.min())
    budget = asymptotic(gone * (bias + variance)) + asymptotic(INTEGRAL * 1e2 * power.sum())
    assert agree(curve.bias[:, 2], bias, budget)
    assert agree(curve.variance[:, 2], variance, budget)


def test_many_samples_are_the_population():
    """N -> oo at fixed N t: every mode decays as exp(-lam N t)."""
    for N in (1e4, 1e6):
        scaled = np.array([0.1, 1.0, 10.0, 100.0])
        curve = stopped(LINE, POWER, np.array([N]), 0.0, 0.0, scaled / N)
        truth = np.exp(-LAM * scaled[:, None])
        few = LINE.counts.sum() / N
        assert agree(1 - curve.learnt[0], truth, asymptotic(few))
        assert agree(curve.error[0], truth**2 @ POWER, asymptotic(few))


def test_few_samples_learn_in_proportion():
    """N -> 0: one sample at a time, error = power - N (...), to first order."""
    small = stopped(LINE, POWER, np.array([1e-6]), 0.1, 0.3, TIMES)
    assert agree(small.error, POWER.sum(), asymptotic(1e-6 * 20))


def test_small_steps_are_the_flow():
    N, steps = np.array([20.0]), np.array([0.02, 0.01])
    flow = stopped(LINE, POWER, N, 0.02, 0.3, np.array([8.0])).error[0, 0]
    gaps = [
        stopped(LINE, POWER, N, 0.02, 0.3, np.array([8 / h]), step=h).error[0, 0] - flow
        for h in steps
    ]
    assert 1.8 < gaps[0] / gaps[1] < 2.2


# -- oracles --------------------------------------------------------------------------------------


def against_marchenko_pastur(modes=50, samples=20, lam=0.05, ridge=0.02, noise=0.3):
    times = np.array([0.3, 3.0, 30.0, 3e3])
    white = Modes.of([lam], [modes])
    found = stopped(white, np.array([2.0]), np.array([float(samples)]), ridge, noise, times)
    rows = []
    for t in times:

        def q(a, t=t):
            return float(gram.flow(np.array(a), t, ridge))

        whole = marchenko_pastur.error(q, lam, modes, samples, 2.0, noise)
        rows.append((whole, marchenko_pastur.bias(q, lam, modes, samples, 2.0)))
    whole, bias = np.array(rows).T
    assert agree(found.error[0], whole, asymptotic(1e-9 * whole))
    assert agree(found.bias[0], bias, asymptotic(1e-9 * whole))


@pytest.mark.parametrize("samples", [20, 50, 90])
@pytest.mark.parametrize("ridge", [0.0, 0.02])
def test_white_features(samples, ridge):
    against_marchenko_pastur(samples=samples, ridge=ridge)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("signal + noise", "signal + 2 * noise"),
        ("signal + noise", "signal"),
        ("@ others[0] / samples", "@ others[0]"),
        ("z[..., None] / kappa", "ridge / kappa"),
        ("(np.positive, np.conj)", "(np.positive, np.positive)"),
        ("(np.positive, np.conj)", "(np.conj,)"),
        ("left = 2 *", "left ="),
    ],
)
def test_white_features_reject_a_spoilt_covariance(old, new, monkeypatch):
    spoil(monkeypatch, resolvent.filtered, old, new)
    monkeypatch.setattr(stopping, "filtered", resolvent.filtered)
    assert not survives(against_marchenko_pastur)


def drawn(parts, samples, ridge, noise, draws=150):
    """Errors of flow at TIMES and of descent at UPDATES on real draws: means, standard errors."""
    rng, rows = np.random.default_rng(3), []
    step = 1 / largest_eigenvalue(LINE, samples, ridge)
    for _ in range(draws):
        one = gram.Regression(parts(samples, rng), LAM, LINE.counts, POWER, noise)
        flows = [one.error(gram.flow(one.values, t, ridge)) for t in TIMES]
        descents = [one.error(gram.descent(one.values, k, step, ridge)) for k in UPDATES]
        rows.append([*flows, *descents])
    return step, *gram.mean(rows)


UPDATES = (1, 40, 300)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_training_on_gaussian_features(noise):
    """There the planar theory is exact up to relative 1/N."""
    samples, ridge = 60, 0.02
    step, mean, error = drawn(
        lambda n, rng: gram.on_features(LINE.counts, n, rng), samples, ridge, noise
    )
    N = np.array([float(samples)])
    flow = stopped(LINE, POWER, N, ridge, noise, TIMES)
    descent = stopped(LINE, POWER, N, ridge, noise, np.array(UPDATES), step=step)
    found = np.concatenate([flow.error[0], descent.error[0]])
    budget = sampling(error) + asymptotic(mean / samples)
    assert agree(found, mean, budget)
    late = stopped(LINE, POWER, N, ridge, noise, 2 * TIMES).error[0]
    assert not agree(late, mean[: TIMES.size], budget[: TIMES.size])


@pytest.mark.slow
def test_the_uncertainty_covers_the_sphere():
    """Crossing diagrams count here: planar is up to 14 % low."""
    samples, ridge = 60, 0.02
    _, mean, error = drawn(lambda n, rng: gram.on_sphere(4, LAM.size, n, rng), samples, ridge, 0.0)
    curve = stopped(LINE, POWER, np.array([float(samples)]), ridge, 0.0, TIMES)
    mean, error = mean[: TIMES.size], error[: TIMES.size] + rounding(mean[: TIMES.size])
    assert agree(curve.error[0], mean, sampling(error) + asymptotic(curve.uncertainty[0] / 2))
    assert not agree(curve.error[0], mean, sampling(error))


def test_the_end_of_training_doubts_as_ridge_regression_does():
    """Crossing diagrams are summed there: not less is said, and nothing where they have no sum."""
    ball, power, N = Spectrum.of(LAM[:5], 3), POWER[:5], np.array([20.0, 24.0])
    share = crossed_share(ball, power, 0.1, N, 1e-3)
    late = stopped(ball, power, N, 1e-3, 0.1, np.array([1.0, 1e8]))
    assert np.all(late.uncertainty[:, 1] > share * late.error[:, 1] * (1 - 1e-3))
    assert np.all(share > 0.5)
    few = crossed_share(Spectrum.of([0.5, 0.1], 4), POWER[:2], 0.0, np.array([3.0, 6.0]), 0.0)
    assert few[0] > 0  # five modes: nothing is known of six samples without a ridge
    assert few[1] == 0
    clean, noisy = (crossed_share(ball, power * k, 0.1 * (1 - k), N, 0.1) for k in (1, 0))
    assert np.all((clean > 0) & (noisy > 0))


# -- the value, and questions without an answer ---------------------------------------------------


def test_it_shows_itself():
    curve = stopped(LINE, POWER, np.array([20.0, 60.0]), 0.0, 0.3, TIMES)
    assert "estimated error at most" in str(curve)
    assert "N = 60" in curve._repr_html_()
    assert str(curve).count("+-") == 2
    assert curve.to_dict()["uncertainty"] == curve.uncertainty.tolist()
    assert curve.to_dict()["samples"] == [20, 60]
    assert np.shape(curve.to_dict()["error"]) == (2, TIMES.size)
    assert np.all(curve.best_error[:, None] <= curve.error)
    assert curve.plot().get_xlabel() == "time"
    descent = stopped(LINE, POWER, np.array([20.0]), 0.0, 0.0, np.array([1, 2]), step=0.01)
    assert descent.picture().x == "updates of step 0.01"
    with pytest.raises(ValueError, match="read-only"):
        curve.bias[0, 0] = 0


def test_questions_without_an_answer():
    N, t = np.array([20.0]), np.array([1.0])
    with pytest.raises(InvalidInput, match="one power for each of the 7"):
        stopped(LINE, POWER[:3], N, 0.0, 0.0, t)
    with pytest.raises(InvalidInput, match=r"times\[0\] = -1"):
        stopped(LINE, POWER, N, 0.0, 0.0, -t)
    with pytest.raises(InvalidInput, match="whole numbers"):
        stopped(LINE, POWER, N, 0.0, 0.0, 1.5 * t, step=0.01)
    with pytest.raises(OutOfRegime, match=r"diverges.*Pass a step below 0\.12"):
        stopped(LINE, POWER, N, 0.0, 0.0, t, step=1.0)
    with pytest.raises(OutOfRegime, match="still swing after 128 updates"):
        stopped(LINE, POWER, N, 0.0, 0.0, 140 * t, step=0.12)
