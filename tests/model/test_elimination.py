"""The running ridge: its end is the self-consistent kappa, for spectra drawn at random."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.elimination import eliminate, local_ridge, running_kappa
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.spectrum import Spectrum
from tests.oracles import poisson
from tests.tolerance import agree, asymptotic, rounding

eigenvalues = st.lists(st.floats(1e-8, 10), min_size=1, max_size=8)
sizes = st.integers(1, 2000)
ridges = st.floats(1e-6, 10)


def planar(spectrum, power, size, ridge, noise):
    kappa = effective_ridge(spectrum, np.array([size]), ridge)
    bias, variance = mode_errors(spectrum, power, np.array([size]), kappa, noise)
    return kappa[0], np.sum(bias + variance)


@given(eigenvalues, st.integers(2, 6), sizes, ridges, st.floats(0, 2))
def test_the_end_of_the_flow_is_the_planar_theory(lam, dimension, size, ridge, noise):
    spectrum = Spectrum.of(lam, dimension)
    power = np.linspace(1, 2, len(lam))
    found = eliminate(spectrum, size, ridge=ridge, power=power, noise=noise)
    kappa, error = planar(spectrum, power, float(size), ridge, noise)
    slack = 10 / (1 - found.overfit[0, -1])  # how much roundings of N k are amplified in k
    assert agree(found.kappa[0, -1], kappa, rounding(kappa, slack))
    assert agree(found.error[0, [0, -1]], error, rounding(error + noise, slack**2))


@given(eigenvalues, st.integers(3, 6), sizes)
def test_without_a_ridge(lam, dimension, size):
    spectrum = Spectrum.of([1.0, *lam], dimension)
    partial = np.cumsum(spectrum.counts[::-1])
    size = 1 + size % int(partial[-1] - 1)
    assume(size not in partial)
    found = eliminate(spectrum, size)
    kappa = effective_ridge(spectrum, np.array([float(size)]), 0.0)
    slack = 10 / (1 - found.overfit[0, -1])
    assert agree(found.kappa[0, -1], kappa, rounding(kappa, slack))
    fixed = np.concatenate([[0], partial]) <= size  # the data fix the modes that are gone
    assert np.all((found.kappa[0] == 0) == fixed)


@given(eigenvalues, sizes, ridges)
def test_every_cut_by_bisection(lam, size, ridge):
    """N k = s2 + sum lam k/(lam + k) over the modes above the cut, from scratch; k only grows."""
    lam = np.array(lam)
    counts = np.arange(1.0, lam.size + 1)
    (kappa,) = running_kappa(lam, counts, np.array([float(size)]), ridge)
    for cut, k in enumerate(kappa):
        gone, times = lam[lam.size - cut :], counts[lam.size - cut :]
        high = (ridge + np.sum(gone * times)) / size

        def missing(u, g=gone, t=times):  # in log k, so that the bracket's width is relative
            return size * np.exp(u) - ridge - np.sum(t * g * np.exp(u) / (g + np.exp(u)))

        root = np.exp(brentq(missing, np.log(ridge / size / 2), np.log(2 * high)))
        share = np.sum(times * (gone / (gone + k)) ** 2) / size
        assert agree(k, root, rounding(root, 10 / (1 - share)))
    assert np.all(np.diff(kappa) >= -rounding(kappa[1:], 10))


def test_modes_far_below_the_ridge_are_a_ridge():
    """Degrees 2 and up, t times smaller: the error drifts in proportion to t, and it is a ridge."""
    lam = np.array([0.4, 0.06, 0.004, 5e-4])
    drifts = []
    for t in (1.0, 0.1, 0.01):
        spectrum = Spectrum.of(lam * np.where(lam < 0.01, t, 1), 5)
        found = eliminate(spectrum, 30, ridge=0.5, power=[0.2, 0.5, 0.2, 0.1], noise=0.1)
        drifts.append(abs(found.error[0, 2] / found.error[0, 0] - 1))
        plain = 0.5 + np.sum(spectrum.counts[2:] * spectrum.eigenvalues[2:])
        ratio = spectrum.eigenvalues[2] / found.kappa[0, 2]
        assert agree(found.ridge[0, 2], plain, asymptotic((plain - 0.5) * ratio))
        assert agree(found.noise[0, 2], 0.1 + 0.3, asymptotic(2 * 0.3 * ratio))
    assert drifts[1] < drifts[0] / 5
    assert drifts[2] < drifts[1] / 5


def test_the_error_hardly_moves_on_the_way():
    """Linear response of the eliminated modes keeps it; forgetting it does not."""
    spectrum = Spectrum.of([0.3, 0.05, 0.004, 3e-4], 5)
    found = eliminate(spectrum, [10, 50], ridge=0.05, power=[0.2, 0.5, 0.3], noise=0.1)
    drift = np.abs(found.error / found.error[:, :1] - 1)
    assert np.max(drift) < 0.06
    k, gone = found.kappa[1, 3], spectrum.eigenvalues[1:]
    lam, power = spectrum.eigenvalues[:1], np.array([0.2])
    (naive,) = running_kappa(lam, np.ones(1), np.array([50.0]), 50 * k)  # all N samples kept
    share = (lam / (lam + naive[-1])) ** 2 / 50
    error = (found.noise[1, 3] + power * (1 - lam / (lam + naive[-1])) ** 2) / (1 - share) - 0.1
    assert gone.size == 3
    assert abs(float(error[0]) / found.error[1, 0] - 1) > 0.3


def test_a_degree_without_eigenvalue():
    """Its target power is noise from the start and stays so."""
    found = eliminate(Spectrum.of([0.5, 0.1, 0.0], 3), 2, power=[0.1, 0.2, 0.7])
    assert found.noise[0, 1] == 0.7
    assert agree(found.error[0, 0], found.error[0, -1], rounding(1.0, 10))


def test_the_tail_is_eliminated_first():
    spectrum = Spectrum(3, [0.5, 0.1], [0.0, 0.0], 1.0)
    found = eliminate(spectrum, 4, ridge=0.3)
    assert agree(found.ridge[0, 0], 0.3 + 0.2, rounding(1.0))


def test_it_shows_itself():
    found = eliminate(Spectrum.of([0.3, 0.05], 5), [10, 20], ridge=0.1)
    assert "20 samples" in str(found)
    assert len(found.picture().lines) == 2
    assert found.plot().get_ylabel() == "running ridge"
    assert np.all(found.effective_samples <= found.samples[:, None])


# Not uniform: the ridge is a function of the place ------------------------------------------------


def problem(points, seed):
    rng = np.random.default_rng(seed)
    mu = rng.random(points) + 0.2
    places = rng.normal(size=(points, 2))
    kernel = np.exp(-((places[:, None] - places) ** 2).sum(-1) / 2)
    return mu / mu.sum(), kernel, rng.normal(size=points)


def by_iteration(kernel, mu, size, ridge):
    """s <- s2 + (K^-1 + D)^-1_xx, D = N mu/s, until it stands still: a map that contracts."""
    s = ridge + np.diag(kernel)
    for _ in range(3000):
        system = np.eye(mu.size) + kernel * (size * mu / s)
        s = ridge + np.diag(np.linalg.solve(system, kernel))
    return s


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [1, 10, 300])
def test_local_ridge_by_iteration(seed, size):
    mu, kernel, _ = problem(6, seed)
    found = local_ridge(kernel, mu, size, ridge=0.05)
    assert agree(found.ridge, by_iteration(kernel, mu, size, 0.05), rounding(1.0, 100))
    assert agree(found.leading, 0.05 + np.diag(kernel), rounding(1.0, 100))
    assert np.ptp(found.ridge) > 0.01 * found.ridge.max() or size == 1


@given(st.integers(0, 100), st.integers(0, 5))
def test_fewer_modes_gone_less_ridge(seed, keep):
    mu, kernel, _ = problem(5, seed)
    more, less = (local_ridge(kernel, mu, 20, ridge=0.1, keep=k).ridge for k in (0, keep))
    assert np.all(less <= more + rounding(1.0, 100))
    assert np.all(local_ridge(kernel, mu, 20, ridge=0.1, keep=5).ridge == 0.1)


def test_on_a_circle_it_is_one_number():
    points, size = 12, 7
    angles = 2 * np.pi * np.arange(points) / points
    kernel = np.exp(np.cos(angles[:, None] - angles))
    lam = np.linalg.eigvalsh(kernel / points)
    found = local_ridge(kernel, np.full(points, 1 / points), size, ridge=0.3)
    (kappa,) = running_kappa(lam, np.ones(points), np.array([float(size)]), 0.3)
    assert agree(found.ridge, size * kappa[-1], rounding(1.0, 100))
    cut = local_ridge(kernel, np.full(points, 1 / points), size, ridge=0.3, keep=3)
    (kappa,) = running_kappa(lam[:-3], np.ones(points - 3), np.array([float(size)]), 0.3)
    assert agree(cut.ridge, size * kappa[-1], rounding(1.0, 100))


@pytest.mark.slow
def test_local_ridge_against_brute_force():
    """Poisson averages over every data set. In the medium D = N mu/s2(x) the mean prediction lacks
    crossing diagrams, of second order in 1/eta; with any one ridge for all x it is wrong at first.
    """
    mu, kernel, target = problem(3, 1)
    gaps, uniform = [], []
    for scale in (1, 2, 4):
        eta, s2 = 6.0 * scale, 1.5 * scale
        counts, weights = poisson.poisson_counts(mu, eta)
        truth = poisson.averages(counts, weights, mu, kernel, target, s2)["mean"]

        def mean(s, eta=eta):
            return -np.linalg.solve(np.eye(3) + kernel * (eta * mu / s), target)

        s = local_ridge(kernel, mu, int(eta), ridge=s2).ridge
        gaps.append(np.max(np.abs(mean(s) - truth)))
        uniform.append(np.max(np.abs(mean(np.full(3, mu @ s)) - truth)))
    slopes = np.log2(np.array(gaps[:-1]) / gaps[1:])
    assert np.all(np.abs(slopes - 2) < asymptotic(0.2))
    assert np.all(np.log2(np.array(uniform[:-1]) / uniform[1:]) < 1.5)
    assert gaps[-1] < uniform[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"samples": 0}, "at least 1"),
        ({"ridge": -1}, "negative"),
        ({"power": [1, 1, 1]}, "power has 3 degrees, the spectrum 2"),
        ({"noise": float("nan")}, "finite"),
        ({"samples": 4, "ridge": 0}, "fix all modes"),
        ({"samples": 3, "ridge": 0}, "just those of some cut"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises((InvalidInput, OutOfRegime), match=message):
        eliminate(Spectrum.of([0.3, 0.05], 3), **{"samples": 5, "ridge": 0.1, **arguments})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": np.array([[1.0, 2.0], [2.0, 1.0]])}, "not positive: its smallest"),
        ({"kernel": np.array([[1.0, 0.5], [0.4, 1.0]])}, "not symmetric"),
        ({"kernel": np.ones((3, 3))}, "shape"),
        ({"kernel": np.full((2, 2), np.inf)}, "finite"),
        ({"weights": [0.5, 0.6]}, "add up to 1"),
        ({"weights": [0.0, 1.0]}, "positive"),
        ({"ridge": 0.0}, "not positive"),
        ({"keep": 3}, "at most as many"),
        ({"samples": 0}, "at least 1"),
    ],
)
def test_local_ridge_refuses(change, message):
    question = {"kernel": np.eye(2), "weights": [0.5, 0.5], "samples": 3, "ridge": 0.1, **change}
    with pytest.raises(InvalidInput, match=message):
        local_ridge(question.pop("kernel"), question.pop("weights"), **question)
