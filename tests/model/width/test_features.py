"""Random features: regression drawn and solved, the limits, and the formula as it was printed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.modes import Modes
from fieldtheory.model.network import Network
from fieldtheory.model.planar import equation as planar
from fieldtheory.model.spectrum import spectrum
from fieldtheory.model.width.features import feature_ridge, random_features
from tests.oracles.random_features import errors, of_a_layer
from tests.tolerance import agree, asymptotic, rounding, sampling

LAM, MULT = np.array([1.0, 0.3, 0.1, 0.03]), np.array([2, 6, 10, 20])
POWER = np.array([1.0, 0.5, 0.2, 0.1])
CASES = [(10, 15, 0.05, 0.1), (15, 10, 0.05, 0.0), (12, 12, 0.05, 0.1), (30, 6, 0.01, 0.2)]

problems = st.tuples(
    st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=5),
    st.integers(1, 500),
    st.integers(1, 500),
    st.floats(1e-5, 1.0),  # ridge
    st.floats(0.0, 1.0),  # label noise
)


def grown(scale):
    """The same problem with `scale` times as many modes, each with its share."""
    return Modes.of(LAM / scale, MULT * scale)


def drawn(case, scale, draws):
    samples, features, ridge, noise = case
    lam = np.repeat(LAM / scale, MULT * scale)
    target = np.repeat(np.sqrt(POWER / (MULT * scale)), MULT * scale)
    rng, sizes = np.random.default_rng(scale), (samples * scale, features * scale)
    found = errors(rng, lam, target, sizes, ridge, noise, draws)
    return found.mean(), found.std(ddof=1) / np.sqrt(draws)


def printed(modes, G, N, k, kappa, noise):
    """Simon et al. 2023, as theory pages quote it: (ridge, error)."""
    lam, deg = modes.eigenvalues, modes.counts
    z = np.sum(deg * lam / (lam + kappa))
    q = np.sum(deg * (lam / (lam + kappa)) ** 2)
    bracket = kappa / (lam + kappa) - kappa * lam / (lam + kappa) ** 2 * (k - z) / (k - q)
    below = 1 - (q * (k - 2 * z) + z**2) / (N * (k - q))
    return kappa * (N - z) * (k - z) / k, (G @ bracket + noise) / below - noise


@pytest.mark.parametrize("case", CASES, ids=str)
def test_drawn_regressions_and_a_deviation_that_shrinks(case):
    """Four standard errors and one part in the smaller of N and k: at twice the size, half of it.

    The deviation times the size is measured at two sizes and must agree: nothing is left over.
    """
    samples, features, ridge, noise = case
    scaled = []
    for scale, draws in ((1, 3000), (3, 600)):
        N, k = samples * scale, features * scale
        found = random_features(grown(scale), POWER, N, k, ridge=ridge, noise=noise)
        mean, error = drawn(case, scale, draws)
        assert agree(found.error[0], mean, sampling(error) + found.uncertainty[0])
        relative = np.array([mean / found.error[0] - 1, error / found.error[0]])
        scaled.append(scale * relative)
    (small, small_error), (large, large_error) = scaled
    assert agree(large, small, sampling(np.hypot(small_error, large_error)) + asymptotic(0.01))


def test_a_spoilt_formula_is_rejected():
    """q and z exchanged, the feature term dropped, N and k exchanged: the draws tell."""
    case = CASES[1]
    samples, features, ridge, noise = case
    scale = 3
    mean, error = drawn(case, scale, 600)
    N, k, modes = samples * scale, features * scale, grown(scale)
    honest = random_features(modes, POWER, N, k, ridge=ridge, noise=noise)
    budget = sampling(error) + honest.uncertainty[0]
    spoilt = (
        random_features(modes, POWER, N, np.inf, ridge=ridge, noise=noise).error,
        random_features(modes, POWER, k, N, ridge=ridge, noise=noise).error,
        honest.bias + honest.data_variance,
        honest.bias + honest.feature_variance,
    )
    assert not any(agree(value, mean, budget) for value in spoilt)


@given(problems)
def test_the_printed_formula(problem):
    lam, N, k, ridge, noise = problem
    modes = Modes.of(lam, [3 * n + 1 for n in range(len(lam))])
    G = np.linspace(1, 2, len(lam))
    found = random_features(modes, G, N, k, ridge=ridge, noise=noise)
    back, error = printed(modes, G, N, k, found.kappa[0], noise)
    z = np.sum(modes.counts * found.learnability[0])
    digits = 1 / (1 - z / N) + 1 / (1 - z / k)  # what two differences lose
    assert agree(back, ridge, rounding(ridge * digits, 100))
    # as it is printed, the bracket is a difference of numbers of the size of 1 - L
    lost = G @ (1 - found.learnability[0]) * digits
    assert agree(found.error[0], error, rounding((error + lost) * digits**2, 100))
    assert agree(found.mode_error.sum(axis=1), found.error, rounding(error * digits, 100))
    parts = (found.bias, found.feature_variance, found.data_variance)
    assert all(np.all(part >= 0) for part in parts)


@given(problems)
def test_many_features_are_the_kernel(problem):
    lam, N, _, ridge, noise = problem
    modes, n = Modes.of(lam, trace=1.5 * sum(lam)), np.array([float(N)])  # with a tail
    G = np.linspace(1, 2, len(lam))
    kappa = planar.effective_ridge(modes, n, ridge + modes.tail)
    truth = sum(planar.mode_errors(modes, G, n, kappa, noise))
    found = random_features(modes, G, N, np.inf, ridge=ridge, noise=noise)
    assert agree(found.mode_error, truth, rounding(np.max(truth), 1e4))
    assert agree(found.feature_variance, 0.0, rounding(np.max(truth), 1e4))
    many = random_features(modes, G, N, [10**8, 10**9], ridge=ridge, noise=noise).error
    first = np.abs(many[0] - found.error[0])  # the 1/k correction: a tenth of it at ten times k
    assert agree(many[1], found.error[0], asymptotic(first / 10) + rounding(np.max(truth), 1e4))


def test_many_samples_leave_what_the_features_cannot_say():
    """Equal eigenvalues: k random directions out of m catch k / m of the target, exactly."""
    modes = Modes.of([0.2], [40])
    found = random_features(modes, [1.0], 10**9, [1, 10, 39], ridge=1e-6)
    assert agree(found.error, [39 / 40, 30 / 40, 1 / 40], asymptotic(1e-5))


def test_many_samples_and_few_features_by_projection():
    """Unequal eigenvalues: the mean residual of the population's best fit, drawn."""
    rng, scale, k = np.random.default_rng(0), 4, 40
    lam = np.repeat(LAM, MULT * scale)
    target = np.repeat(np.sqrt(POWER / (MULT * scale)), MULT * scale)
    rest = []
    for _ in range(300):
        features = np.sqrt(lam)[:, None] * rng.standard_normal((lam.size, k))
        basis = np.linalg.qr(features)[0]
        rest.append(np.sum((target - basis @ (basis.T @ target)) ** 2))
    modes = Modes.of(LAM, MULT * scale)
    found = random_features(modes, POWER, 10**9, k).error[0]
    error = np.std(rest) / np.sqrt(len(rest))
    assert agree(found, np.mean(rest), sampling(error) + asymptotic(found / k))
    assert not agree(random_features(modes, POWER, 10**9, k - 8).error[0], found, 4 * error)


def test_double_descent_peaks_where_samples_equal_features():
    modes, sizes = grown(4), np.arange(20, 81, 2)
    for ridge in (1e-3, 1e-6):
        errors_at = random_features(modes, POWER, 50, sizes, ridge=ridge, noise=0.1).error
        assert sizes[np.argmax(errors_at)] == 50
    with pytest.raises(OutOfRegime, match=r"50 samples and as many features with ridge 0"):
        random_features(modes, POWER, 50, sizes)
    # on either side the error without a ridge is that of a vanishing one
    both = [random_features(modes, POWER, 50, [30, 90], ridge=ridge).error for ridge in (0, 1e-9)]
    assert agree(*both, rounding(1.0, 1e6))


@given(st.integers(1, 400), st.integers(1, 400), st.floats(1e-8, 1e3))
def test_the_solver_and_its_symmetry(N, k, ridge):
    """kappa = (ridge k) / ((N - z)(k - z)): exchanging data and features, ridge k stays."""
    modes = grown(2)
    n, m = np.array([float(N)]), np.array([float(k)])
    kappa = feature_ridge(modes, n, m, ridge)
    mirrored = feature_ridge(modes, m, n, ridge * k / N)
    assert agree(np.log(mirrored), np.log(kappa), rounding(1.0, 100))
    z = np.sum(modes.counts * modes.eigenvalues / (modes.eigenvalues + kappa))
    assert z < min(N, k)


@pytest.mark.slow
@pytest.mark.parametrize("features", [40, 100, 400])
def test_a_relu_layer_whose_last_layer_is_trained(features):
    """Thirty dimensions: the features of a real layer are not Gaussian, but near enough."""
    d, N, ridge = 30, 100, 1e-2
    network = Network(2, "relu", weight_variance=1.0, bias_variance=0.0, kernel="nngp")
    kernel = network.on_sphere(d, "dimension")
    found = random_features(spectrum(kernel, d), [0, 1.0, 1.0], N, features, ridge=ridge)
    rng = np.random.default_rng(features)
    measured = of_a_layer(rng, d, N, features, ridge, 60)
    error = measured.std(ddof=1) / np.sqrt(measured.size)
    assert agree(found.error[0], measured.mean(), sampling(error) + found.uncertainty[0])


def test_questions_without_an_answer():
    modes = grown(1)
    with pytest.raises(OutOfRegime, match="only 38 modes: every mode is fixed"):
        random_features(modes, POWER, 50, 60)
    with pytest.raises(InvalidInput, match="power has 5 entries, the spectrum 4"):
        random_features(modes, [1] * 5, 50, 60, ridge=1)
    for features in (0, 2.5, [], float("nan"), -np.inf):
        with pytest.raises(InvalidInput, match="features"):
            random_features(modes, POWER, 50, features, ridge=1)


def test_it_prints_and_draws():
    found = random_features(grown(1), POWER, 20, [10, 30, np.inf], ridge=0.1)
    assert "inf" in str(found)
    assert found.to_dict()["features"] == [10, 30, None]
    assert found.picture().x == "features"
    assert random_features(grown(1), POWER, [10, 20], 30, ridge=0.1).picture().x == "samples"
    assert not found.error.flags.writeable or not found.kappa.flags.writeable
