"""Spectra of data: brute force, the analytic spectrum at its rate, the bias and its correction."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.measures import data as module
from fieldtheory.model.measures.data import DataSpectrum, empirical_spectrum, gram_spectrum
from fieldtheory.model.measures.gram import gram, normalised, pairs_of
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum
from tests.oracles.measures import first_order_bias, sample_eigenvalues
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, asymptotic, rounding, sampling


def linear(a, b, c):
    return c


def ball(a, b, c):
    return np.exp(-(a + b - 2 * c) / 2)


def cloud(points, d, seed=0):
    return np.random.default_rng(seed).standard_normal((points, d))


# The sample itself --------------------------------------------------------------------------------


def test_eigenvalues_by_brute_force():
    x = cloud(30, 3)
    found = empirical_spectrum(ball, x)
    truth = sample_eigenvalues(lambda a, b: np.exp(-np.sum((a - b) ** 2) / 2), x)
    assert agree(found.eigenvalues, truth[: found.eigenvalues.size], rounding(1))
    assert agree(found.modes.trace, 1.0, rounding(1))


@given(st.integers(0, 2**31), st.integers(2, 40))
def test_functions_are_orthonormal_and_make_up_the_kernel(seed, points):
    x = normalised(cloud(points, 4, seed))
    found, K = empirical_spectrum(Network(2), x), gram(Network(2), x)
    phi, lam = found.functions, found.eigenvalues
    assert agree(phi.T @ phi / points, np.eye(lam.size), rounding(1, 10))
    assert agree((phi * lam) @ phi.T, K, found.modes.errors[0] * points + rounding(np.max(K), 10))
    assert np.all(np.diff(lam) <= 0)
    assert agree(found.tail + lam.sum(), found.modes.trace, rounding(found.modes.trace))


@given(st.integers(0, 2**31), st.integers(1, 3))
def test_overlaps_make_up_the_labels(seed, outputs):
    x, y = cloud(25, 3, seed), cloud(25, outputs, seed + 1)
    found = empirical_spectrum(ball, x)
    power, g = found.power(y), found.overlaps(y)
    assert g.shape == (found.eigenvalues.size, outputs)
    missing = y - found.functions @ g
    assert agree(np.mean(np.sum(missing**2, axis=1)), found.unexplained(y), rounding(25, 10))
    assert agree(power, np.sum([found.power(column) for column in y.T], axis=0), rounding(25))
    assert found.overlaps(y[:, 0]).shape == (found.eigenvalues.size,)


def test_a_rank_is_seen():
    """(1 + x.y)^2 in three dimensions has ten modes, and nothing is left over."""
    found = empirical_spectrum(lambda a, b, c: (1 + c) ** 2, cloud(60, 3))
    assert found.eigenvalues.size == 10
    assert found.tail == 0.0


def test_a_matrix_will_do():
    x = cloud(20, 3)
    by_matrix, by_kernel = gram_spectrum(gram(ball, x)), empirical_spectrum(ball, x)
    assert agree(by_matrix.eigenvalues, by_kernel.eigenvalues, rounding(1))
    assert gram_spectrum(gram(ball, x), modes=3).eigenvalues.size == 3


# Landmarks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("landmarks", [20, 64, 300])
def test_landmarks_keep_within_their_errors(landmarks):
    x = normalised(cloud(700, 5))
    for net in (Network(3), Network(2, "erf", 1.5, 0.1)):
        truth = empirical_spectrum(net, x).eigenvalues
        found = empirical_spectrum(net, x, landmarks=landmarks)
        lam, errors = found.eigenvalues, found.modes.errors
        nearest = np.min(np.abs(truth[:, None] - lam), axis=0)
        assert np.all(nearest <= errors + rounding(truth[0]))
        assert np.all(lam <= truth[: lam.size] + rounding(truth[0]))  # Cauchy's interlacing
        total = found.tail + lam.sum()
        assert agree(total, net.on_sphere(5, "dimension").trace, rounding(total, 10))


def columns_are_right():
    """What is left of the matrix is positive, and nothing at the landmarks."""
    x = normalised(cloud(120, 4))
    L, trace = module._columns(pairs_of(ball, x, x), x, 50)
    rest = gram(ball, x) - L @ L.T
    assert L.shape == (120, 50)
    assert agree(trace, 120, rounding(120))
    assert np.linalg.eigvalsh(rest)[0] >= -rounding(1, 100)
    assert np.sum(np.diag(rest) <= rounding(1, 100)) >= 50


def test_landmarks_span_their_columns():
    columns_are_right()


def test_more_landmarks_are_better():
    x = normalised(cloud(800, 4))
    worst = []
    for landmarks in (40, 80, 160):
        worst.append(empirical_spectrum(Network(3), x, landmarks=landmarks).modes.errors[5])
    assert worst[2] < worst[1] < worst[0]
    assert worst[2] < worst[0] / 3


def test_a_matrix_too_large_is_refused_in_words_that_fit_predict():
    """It asks here too, and has neither landmarks nor a memory to raise."""
    gram_spectrum(np.eye(20), memory=20 * 20**2)
    with pytest.raises(InvalidInput, match=r"8000 bytes.* 7999: give fewer points; empirical_spec"):
        gram_spectrum(np.eye(20), memory=20 * 20**2 - 1)


def test_a_low_rank_is_found_by_few_landmarks():
    x = cloud(500, 3)
    exact = empirical_spectrum(lambda a, b, c: (1 + c) ** 2, x)
    sketch = empirical_spectrum(lambda a, b, c: (1 + c) ** 2, x, landmarks=40)
    assert agree(sketch.eigenvalues, exact.eigenvalues, rounding(exact.eigenvalues[0], 10))


def test_both_roads_keep_within_their_memory():
    x = normalised(cloud(900, 6))
    for landmarks, needed in ((None, 20 * 900**2), (250, 48 * 900 * 250)):
        tracemalloc.start()
        empirical_spectrum(Network(2), x, landmarks=landmarks, memory=needed)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak <= needed + 32 * 8 * 192**2
        with pytest.raises(InvalidInput, match="bytes, allowed are"):
            empirical_spectrum(Network(2), x, landmarks=landmarks, memory=needed - 1)


# The population -----------------------------------------------------------------------------------

DEGREES = (1, 5, 14)  # multiplicities in five dimensions


def blocks_of(values):
    ends = np.cumsum([0, *DEGREES])
    return np.array([values[a:b].mean() for a, b in pairwise(ends)])


def on_spheres(points, draws, seed=0):
    """Block means, corrected block means, and the relative spread within the first degree."""
    net, rng, rows = Network(3, bias_variance=0.1), np.random.default_rng(seed), []
    for _ in range(draws):
        x = normalised(rng.standard_normal((points, 5)), "unit")
        found = empirical_spectrum(net, x)
        spread = found.eigenvalues[1:6].std() / found.eigenvalues[1:6].mean()
        mended = blocks_of(found.corrected())
        rows.append(np.concatenate([blocks_of(found.eigenvalues), mended, [spread]]))
    table = np.array(rows)
    return table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(draws)


@pytest.fixture(scope="module")
def truth():
    found = spectrum(Network(3, bias_variance=0.1).on_sphere(5), 5)
    lam, counts = found.eigenvalues, list(found.counts)
    zeros = lam == 0
    lam = np.where(zeros, 0.0, lam)
    rest = [*lam, found.tail / 1e6]
    return lam[:3], lambda P: first_order_bias(rest, [*counts, 1e6], P)[:3]


@pytest.mark.slow
def test_the_sample_tends_to_the_sphere_at_the_stated_rate(truth):
    """Means of a degree: a bias of order 1/P, the one stated. Its members: a spread of P^-1/2."""
    lam, bias = truth
    seen = {P: on_spheres(P, draws) for P, draws in ((150, 40), (600, 20))}
    for P, (mean, se) in seen.items():
        second = bias(P) ** 2 / lam * 3 + lam / P**1.5
        assert agree(mean[:3] - lam, bias(P), sampling(se[:3]) + asymptotic(second))
        assert np.all(mean[:3] - lam > 5 * se[:3])  # the bias is there to be seen
        assert agree(mean[3:6], lam, sampling(se[3:6]) + asymptotic(lam / P**1.5))
    ratio = seen[150][0][6] / seen[600][0][6]
    error = ratio * np.hypot(*(se[6] / mean[6] for mean, se in seen.values()))
    assert agree(ratio, 2.0, sampling(error) + asymptotic(0.1))


LEVELS = np.array([4.0, 2.0, 1.0, 0.5, 0.25, *[0.02] * 150])


def gaussian_draws(points, draws, seed=0):
    """Eigenvalues, corrected ones and standard errors with Gaussian features of given variance."""
    rng, rows = np.random.default_rng(seed), []
    for _ in range(draws):
        x = rng.standard_normal((points, LEVELS.size)) * np.sqrt(LEVELS)
        found = empirical_spectrum(linear, x)
        rest = found.corrected()[5:].sum() / 150
        rows.append([found.eigenvalues[:5], found.corrected()[:5], found.standard_errors[:5]])
        rows[-1] = np.concatenate([*rows[-1], [rest]])
    return np.array(rows)


SHORT = "(self.points - 9) * _gaps"


def bias_is_mended(points=100, draws=150):
    rows = gaussian_draws(points, draws)
    mean, se = rows.mean(axis=0), rows.std(axis=0, ddof=1) / np.sqrt(draws)
    lam = LEVELS[:5]
    bias = first_order_bias([*lam, 0.02], [1] * 5 + [150], points)[:5]
    small = asymptotic(lam * (8 / points) ** 2 + bias**2 / lam)
    assert agree(mean[:5] - lam, bias, sampling(se[:5]) + small)
    assert agree(mean[5:10], lam, sampling(se[5:10]) + small)
    assert agree(mean[15], 0.02, sampling(se[15]) + asymptotic(0.02 / points))
    assert abs(mean[4] - lam[4]) > sampling(se[4])  # without the correction it is seen
    spread = rows[:, :5].std(axis=0, ddof=1)
    assert agree(mean[10:15] / spread, 1.0, sampling(1 / np.sqrt(2 * draws)) + asymptotic(0.06))


@pytest.mark.slow
def test_bias_and_standard_error_with_gaussian_features():
    bias_is_mended()


def trace_is_kept(seed=0, points=12):
    found = empirical_spectrum(ball, cloud(points, 3, seed))
    assert found.eigenvalues.size == points or seed
    if found.eigenvalues.size == points:
        estimates = found.corrected()
        assert np.all(estimates > 0)
        assert agree(estimates.sum(), found.eigenvalues.sum(), rounding(1, 10))
        assert agree(found.corrected([points]), found.eigenvalues.mean(), rounding(1, 10))


@given(st.integers(1, 2**31), st.integers(3, 30))
def test_the_correction_is_positive_and_keeps_the_trace(seed, points):
    trace_is_kept(seed, points)


def tail_stands_in():
    """First order: tail / (P l_i). What lumping the tail neglects is smaller by l_k / l_i."""
    x = normalised(cloud(400, 4))
    whole, top = empirical_spectrum(Network(3), x), empirical_spectrum(Network(3), x, modes=30)
    one, other = whole.corrected()[:6], top.corrected()[:6]
    lam = whole.eigenvalues[:6]
    neglected = one * top.tail / (400 * lam) * top.eigenvalues[-1] / lam
    assert agree(one, other, asymptotic(neglected))


def test_the_tail_stands_in_for_modes_that_are_not_listed():
    tail_stands_in()


# What it says -------------------------------------------------------------------------------------


def test_a_spectrum_of_data_explains_itself():
    found = empirical_spectrum(Network(2), normalised(cloud(30, 4)))
    text = str(found)
    assert text.startswith("spectrum of relu NTK, depth 2")
    assert "on 30 points" in text.splitlines()[0]
    assert "corrected" in text
    plain = found.to_dict()
    assert plain["points"] == 30
    assert len(plain["corrected"]) == found.eigenvalues.size
    assert len(found.picture().lines) == 2
    assert [sum(module._widening(size)) for size in (1, 2, 7, 200)] == [1, 2, 7, 200]
    assert "a given function" in str(empirical_spectrum(ball, cloud(5, 2)))


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        ([[1.0, 0.2], [0.3, 1.0]], r"not symmetric: entry \[0, 1\] is 0.2, \[1, 0\] is 0.3"),
        ([[1.0, 2.0], [2.0, 1.0]], r"not positive: eigenvalues from -1.000e\+00"),
        ([[-1.0]], "not positive"),
        ([[0.0, 0.0], [0.0, 0.0]], "is zero: such a kernel learns nothing"),
        ([[1.0, np.nan], [np.nan, 1.0]], "finite"),
        ([[1.0, 0.0]], r"shape \(1, 2\)"),
        ([], "shape"),
        (3.0, "shape"),
    ],
)
def test_wrong_matrices_are_refused(matrix, why):
    with pytest.raises(InvalidInput, match=why):
        gram_spectrum(matrix)


def test_other_refusals():
    x = cloud(10, 2)
    with pytest.raises(InvalidInput, match="not positive"):
        empirical_spectrum(lambda a, b, c: -c, x)
    for landmarks in (None, 3):
        with pytest.raises(InvalidInput, match="is zero: such a kernel learns nothing"):
            empirical_spectrum(lambda a, b, c: 0 * c, x, landmarks=landmarks)
    with pytest.raises(InvalidInput, match="landmarks = 11 of 10 points"):
        empirical_spectrum(ball, x, landmarks=11)
    with pytest.raises(InvalidInput, match="landmarks"):
        empirical_spectrum(ball, np.ones((100_000, 1)))
    with pytest.raises(InvalidInput, match="modes = 0"):
        empirical_spectrum(ball, x, modes=0)
    with pytest.raises(OutOfRegime, match="give more landmarks"):
        empirical_spectrum(lambda a, b, c: 1.0 * (c == a) * (a == b), x, landmarks=1)
    found = empirical_spectrum(ball, x)
    with pytest.raises(InvalidInput, match="3 labels for 10 points"):
        found.power([1.0, 2.0, 3.0])
    with pytest.raises(InvalidInput, match="finite"):
        found.power([np.nan] * 10)
    with pytest.raises(InvalidInput, match="groups of 3 modes"):
        found.corrected([1, 2])
    with pytest.raises(InvalidInput, match="one column for each"):
        DataSpectrum(found.modes, found.functions[:, :2])


# Mutants ------------------------------------------------------------------------------------------


def sketch_is_right():
    x = normalised(cloud(300, 3))
    truth = empirical_spectrum(Network(2), x).eigenvalues
    found = empirical_spectrum(Network(2), x, landmarks=70)
    assert agree(found.eigenvalues[:4], truth[:4], 0.01 * truth[:4])
    assert np.all(np.abs(found.eigenvalues[:4] - truth[:4]) <= found.modes.errors[:4])
    assert np.all(found.modes.errors[:4] <= 0.2 * truth[:4])


@pytest.mark.parametrize(
    ("function", "good", "spoiled", "judge"),
    [
        (module._gaps, "total > P", "total > P + 1", trace_is_kept),
        (module._gaps, "apart + middle", "apart - middle", trace_is_kept),
        (module._gaps, "weights * level / (", "level / (", tail_stands_in),
        (DataSpectrum.corrected, "self.points * _gaps", SHORT, trace_is_kept),
        (module._columns, "new -= L[:, :used] @ L[picked, :used].T", "pass", columns_are_right),
        (module._sketched, "image -= vectors * values", "image -= vectors", sketch_is_right),
        (module._sketched, "block.T @ basis[rows]", "0 * block.T @ basis[rows]", sketch_is_right),
        (module._spectrum, "found.values[:kept] / P,", "found.values[:kept],", sketch_is_right),
    ],
)
@pytest.mark.slow
def test_mutants(monkeypatch, function, good, spoiled, judge):
    spoil(monkeypatch, function, good, spoiled)
    assert not survives(judge)
