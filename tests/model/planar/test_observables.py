"""Certainty, dimension, fit and evidence: their identities, limits, and real draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.modes import Modes
from fieldtheory.model.observed import FIELDS, Observables
from fieldtheory.model.planar import observables as module
from fieldtheory.model.planar.equation import effective_ridge
from fieldtheory.model.planar.observables import certainty, observables, roughly
from fieldtheory.model.spectrum import Spectrum
from tests.oracles import gram
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, asymptotic, rounding, sampling

LAM = np.array([0.5, 0.1, 0.03, 0.01, 0.003, 0.001, 0.001])
POWER = np.array([0.0, 0.5, 0.5, 0.2, 0.0, 0.1, 0.0])
LINE = Spectrum.of(LAM, 4)
TWENTY = np.array([20.0])

eigenvalues = st.lists(st.floats(-6, 0), min_size=1, max_size=6).map(lambda u: 10 ** np.array(u))
ridges, noises = st.floats(1e-3, 2.0), st.sampled_from([0.0, 0.3])


def slope(function, ridge):
    """d function / d ridge, and how far that may be off: five points, relative step 1e-3."""
    h = 1e-3 * ridge
    ahead = [function(ridge + k * h) for k in (-2, -1, 1, 2)]
    rough = (ahead[2] - ahead[1]) / (2 * h)
    fine = (8 * (ahead[2] - ahead[1]) - (ahead[3] - ahead[0])) / (12 * h)
    off = 1e-5 * np.abs(fine - rough) + 1e-10 * np.abs(ahead[2]) / h
    return fine, off


def row(found):
    """As `gram.Regression.observed`."""
    return np.array([*(getattr(found, name)[0] for name in FIELDS), found.log_evidence[0]])


# -- planar ---------------------------------------------------------------------------------------


def identities(lam, ridge, noise, tail=0.1):
    """tr A, and what it is the derivative of; the training error likewise; the tail is a ridge."""
    modes = Modes.of(lam, [30] * lam.size, trace=30 * lam.sum() + tail)
    power, N = np.linspace(1, 2, lam.size), np.array([3.0, 20.0, 400.0])

    def at(s2):
        return observables(modes, power, N, s2, noise)

    found, kappa = at(ridge), effective_ridge(modes, N, ridge + modes.tail)
    trace, off = slope(lambda s2: at(s2).log_determinant, ridge)
    assert agree(ridge * trace, N - found.effective_dimension, asymptotic(ridge * off))
    fit, off = slope(lambda s2: at(s2).data_fit, ridge)
    assert agree(-(ridge**2) * fit / N, found.train_error, asymptotic(ridge**2 * off / N))
    assert agree(found.posterior_variance, N * kappa - ridge, rounding(N * kappa, 100))
    assert agree(found.effective_dimension, N - ridge / kappa, rounding(N, 100))
    learnt = lam / (lam + kappa[:, None])
    again = certainty(modes, N, learnt, ridge)
    assert agree(again[0], found.posterior_variance, rounding(modes.trace, 100))
    assert agree(again[1], found.effective_dimension, rounding(N, 100))
    assert np.all(found.posterior_variance <= modes.trace * (1 + rounding(1.0)))
    assert np.all(found.train_error <= found.data_fit * ridge / N * (1 + rounding(1.0)))


@given(eigenvalues, ridges, noises)
def test_planar_identities(lam, ridge, noise):
    identities(lam, ridge, noise)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(s2 / (N * kappa)) ** 2", "(s2 / (N * kappa))"),
        ("variance, axis=-1) + noise", "variance, axis=-1)"),
        ("+ noise / kappa", "+ noise / (N * kappa)"),
        ("N * np.log(N * kappa) - dimension", "N * np.log(N * kappa) - N"),
        ("N * np.log(N * kappa) - dimension", "N * np.log(kappa) - dimension + ridge * N"),
        ("dimension + spectrum.tail / kappa", "dimension"),
        ("kappa * dimension + spectrum.tail", "kappa * dimension"),
        ("w = s2 + spectrum.tail", "w = s2"),
    ],
)
def test_spoilt_formulas_break_the_identities(old, new, monkeypatch):
    spoil(monkeypatch, module.observables, old, new)
    monkeypatch.setitem(globals(), "observables", module.observables)
    assert not survives(lambda: identities(np.array([0.3, 0.01]), 0.2, 0.3))


@given(eigenvalues, noises)
def test_limits(lam, noise):
    """No samples; a ridge beyond everything, where K is a small correction."""
    modes = Modes.of(lam, [30] * lam.size)
    power, N = np.ones(lam.size), np.array([1e-7])
    few = observables(modes, power, N, 0.5, noise)
    size = power.sum() + noise
    assert agree(few.posterior_variance, modes.trace, asymptotic(1e-5 * modes.trace**2))
    ready = N / (modes.trace + 0.5)  # tr A of a single sample
    assert agree(few.effective_dimension, modes.trace * ready, asymptotic(1e-5 * ready))
    assert agree(few.data_fit, size * ready, asymptotic(1e-5 * ready * (1 + modes.trace)))
    one = np.log(modes.trace + 0.5)
    assert agree(few.log_determinant / N, one, asymptotic(1e-5 * (1 + modes.trace)))
    s2, N = 1e9 * modes.trace, np.array([7.0])
    stiff = observables(modes, power, N, s2, noise)
    assert agree(stiff.effective_dimension, N * 1e-9, asymptotic(1e-16 * 49))
    assert agree(stiff.train_error, size, asymptotic(1e-8 * size * N))
    assert agree(stiff.log_determinant, N * (np.log(s2) + 1e-9), rounding(N * np.log(s2)))
    assert agree(stiff.data_fit * s2, N * size, asymptotic(1e-8 * N * size))


def test_one_mode_by_hand():
    """2 kappa^2 = 1: N kappa - s2 = sqrt 2 - 1, N - s2/kappa = 2 - sqrt 2."""
    found = observables(Modes.of([1.0]), np.array([1.0]), np.array([2.0]), 1.0, 0.0)
    root = np.sqrt(2)
    logs = np.log1p(root) + np.log(2) - (2 - root)
    truth = [root - 1, 2 - root, (root - 1) / 4, 2 - root, logs]
    assert agree(row(found)[:5], truth, rounding(1.0, 10))
    two = observables(Modes.of([1.0]), np.array([2.0]), np.array([2.0]), 1.0, 0.0, outputs=2)
    assert agree(two.log_evidence, 2 * found.log_evidence, rounding(10.0))


def test_without_a_ridge_the_data_are_fitted():
    found = observables(LINE, POWER, TWENTY, 0.0, 0.3)
    assert agree(found.train_error, 0, 0)
    assert agree(found.effective_dimension, 20, rounding(20, 10))


# -- real draws -----------------------------------------------------------------------------------


def drawn(parts, samples, ridge, noise, draws):
    """Means and standard errors."""
    rng = np.random.default_rng(4)
    some = (
        gram.Regression(parts(samples, rng), LAM, LINE.counts, POWER, noise) for _ in range(draws)
    )
    return gram.mean([one.observed(ridge) for one in some])


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_gaussian_features(noise):
    """There the planar averages are exact up to relative 1/N, log det up to log(1 - gamma)."""
    samples, ridge = 60, 0.02
    mean, error = drawn(
        lambda n, rng: gram.on_features(LINE.counts, n, rng), samples, ridge, noise, 200
    )
    N = np.array([float(samples)])
    kappa = effective_ridge(LINE, N, ridge)
    overfit = 1 - np.sum(LINE.counts * (LAM / (LAM + kappa[:, None])) ** 2) / samples
    neglected = np.abs(mean) / samples
    neglected[2] /= overfit  # the training error is a derivative of the fit
    neglected[4:] += np.abs(np.log(overfit)) / 2
    found = row(observables(LINE, POWER, N, ridge, noise))
    budget = sampling(error) + asymptotic(neglected)
    assert agree(found, mean, budget)
    for k in range(6):  # none of the six would pass at another ridge
        other = row(observables(LINE, POWER, N, 20 * ridge, noise))
        assert not agree(other[k], mean[k], budget[k])


# -- the value, and questions without an answer ---------------------------------------------------


def test_it_shows_itself():
    found = observables(LINE, POWER, np.array([20.0, 60.0]), 0.1, 0.3)
    assert "log evidence" in str(found)
    assert "<td>60</td>" in found._repr_html_()
    assert "+-" not in str(found)  # on its own the planar theory does not say
    sure = roughly(found, LINE, POWER, 0.1, 0.3, np.array([0.1, 0.2]))
    assert str(sure).count("+-") == sure._repr_html_().count("+-") == 4
    assert (
        sure.to_dict()["uncertainties"]["train_error"] == sure.uncertainties["train_error"].tolist()
    )
    assert all(np.all(line.spread > 0) for line in sure.picture().lines)
    assert found.to_dict()["log_evidence"] == found.log_evidence.tolist()
    assert set(found.columns) == {*FIELDS[:3], "log_evidence"}
    assert found.plot().get_xlabel() == "samples"
    with pytest.raises(ValueError, match="read-only"):
        found.data_fit[0] = 0


def test_questions_without_an_answer():
    with pytest.raises(InvalidInput, match="power has 3 entries, the spectrum 7"):
        observables(LINE, POWER[:3], TWENTY, 0.1, 0.0)
    with pytest.raises(InvalidInput, match="noise = -1"):
        observables(LINE, POWER, TWENTY, 0.1, -1)
    with pytest.raises(InvalidInput, match="entry 0"):
        observables(LINE, POWER, np.array([0.0]), 0.1, 0)
    with pytest.raises(OutOfRegime, match="ridge 0 and only"):
        observables(LINE, POWER, np.array([1e6]), 0.0, 0)
    with pytest.raises(InvalidInput, match="one finite number"):
        Observables(TWENTY, TWENTY, TWENTY, TWENTY, TWENTY, np.array([np.inf]))
    with pytest.raises(InvalidInput, match="unknown uncertainty 'error'"):
        Observables(*[TWENTY] * 6, uncertainties={"error": TWENTY})
    with pytest.raises(InvalidInput, match="uncertainty of data_fit is below 0"):
        Observables(*[TWENTY] * 6, uncertainties={"data_fit": -TWENTY})
