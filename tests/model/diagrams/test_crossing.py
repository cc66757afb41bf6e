"""Crossing diagrams on the sphere: measured defects, limits, responses, regression."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.diagrams import crossing
from fieldtheory.model.diagrams.colatitude import colatitudes, rests
from fieldtheory.model.diagrams.crossing import solve
from fieldtheory.model.diagrams.medium import Modes, State
from fieldtheory.model.network import Network
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.points.dressed import solve as solve_on
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.spectrum import spectrum as spectrum_of
from tests.oracles.published import CROSSING
from tests.oracles.spherical import count, harmonic, measured
from tests.tolerance import agree, asymptotic, rounding, sampling

CLUSTERS = (2, 3)


def case(d, last, decay=3.0):
    lam = (1.0 + np.arange(last + 1)) ** -decay
    lam /= sum(count(d, l) * lam[l] for l in range(last + 1))
    power = np.zeros(last + 1)
    power[1] = power[2] = 1.0
    return Spectrum.of(lam, d), power


def planar(spectrum, power, N, ridge, noise=0.0):
    return sum(mode_errors(spectrum, power, N, effective_ridge(spectrum, N, ridge), noise))


@pytest.mark.parametrize(("d", "last", "ridge", "rows"), CROSSING)
def test_the_printed_table(d, last, ridge, rows):
    """Prediction over planar prediction, as printed: half a unit of the last place of each."""
    spectrum, power = case(d, last)
    N = np.array([row[0] for row in rows], dtype=float)
    found = solve(spectrum, N, ridge).error(power).sum(axis=1)
    ratio = found / planar(spectrum, power, N, ridge).sum(axis=1)
    printed = 0.5 * 10.0 ** -(3 if d == 5 else 2)
    for value, (_, defect, rest) in zip(ratio, rows, strict=True):
        truth = (1 + rest) / (1 + defect)
        assert agree(value, truth, truth * printed * (1 / (1 + rest) + 1 / (1 + defect)))


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_without_words_it_is_the_planar_theory(monkeypatch, noise):
    spectrum, power = case(4, 7)
    N = np.array([3.0, 30.0, 300.0])
    monkeypatch.setattr(
        crossing, "two_apart", lambda state: (np.zeros_like(state.gap), np.zeros_like(state.gap))
    )
    found = solve(spectrum, N, 0.02)
    modes = found.error(power) + noise * found.noise
    truth = planar(spectrum, power, N, 0.02, noise)
    assert agree(modes, truth, rounding(truth.sum(axis=1, keepdims=True), 1e3))


@pytest.mark.parametrize("clusters", CLUSTERS)
@pytest.mark.parametrize("d", [3, 7])
def test_no_samples_leave_the_target(clusters, d):
    """To first order in N nothing crosses, to second only two samples do."""
    spectrum, power = case(d, 6)
    for n in (1e-4, 1e-2):
        N = np.array([n])
        found = solve(spectrum, N, 0.05, clusters=clusters).error(power).sum()
        one = planar(spectrum, power, N, 0.05).sum()
        assert agree(found, one, asymptotic(20 * n**2))
        assert agree(found, power.sum(), asymptotic(20 * n))


@pytest.mark.parametrize("clusters", CLUSTERS)
def test_many_dimensions_are_planar(clusters):
    found = []
    for d in (4, 8, 16, 32):
        spectrum, power = case(d, 4)
        N = np.array([20.0])
        error = solve(spectrum, N, 0.05, clusters=clusters).error(power).sum()
        found.append(error / planar(spectrum, power, N, 0.05).sum() - 1)
    assert np.all(np.diff(found) < 0)
    assert 0 < found[-1] < 1e-6


# -- responses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("clusters", CLUSTERS)
@pytest.mark.parametrize("d", [2, 4])
def test_two_ways_to_the_error(clusters, d):
    """The response to J at every degree, and to the target as a source: D has a potential. Exact
    for two samples, and for three to the accuracy of the integral over the third."""
    spectrum, power = case(d, 10)
    found = solve(spectrum, np.array([5.0, 40.0]), 0.05, clusters=clusters)
    forward = np.sum(power * found.residual_share**2 * found.gain, axis=1)
    backward = found.error(power).sum(axis=1)
    assert agree(forward, backward, rounding(backward, 100 if clusters == 2 else 1e6))
    assert not agree(1.001 * forward, backward, rounding(backward, 1e6))


@pytest.mark.parametrize("clusters", CLUSTERS)
def test_the_response_to_a_source_and_to_the_ridge(clusters):
    """Against differences of whole solutions with a kernel and a ridge that were moved."""
    lam, d, ridge, N = np.array([0.4, 0.1, 0.03, 0.01]), 3, 0.05, np.array([12.0])
    step = 1e-5

    def loop(source, s2):
        """C_l where J is added to 1/lam_l and to the target's own equation."""
        spectrum = Spectrum.of(lam / (1 + lam * source), d)
        found = solve(spectrum, N, s2, clusters=clusters)
        return found.propagator[0], found.self_energy[0]

    found = solve(Spectrum.of(lam, d), N, ridge, clusters=clusters)
    slope = (loop(step, ridge)[1] - loop(-step, ridge)[1]) / (2 * step)
    assert agree(found.gain[0] - 1, slope, asymptotic(1e-4 * np.max(np.abs(slope))))
    counts = found.modes.spectrum.counts
    noise = counts * (loop(0, ridge + step)[0] - loop(0, ridge - step)[0]) / (2 * step)
    assert agree(found.noise[0], noise, asymptotic(1e-4 * np.max(noise)))


@pytest.mark.parametrize("clusters", CLUSTERS)
def test_both_errors_at_once(clusters):
    """The target's and the noise's, from anywhere; a start from afar changes the road, not the
    end."""
    spectrum, power = case(3, 10)
    found = solve(spectrum, np.array([5.0, 40.0]), 0.05, clusters=clusters)
    both = found.errors(power)
    scale = both.error.sum(axis=1, keepdims=True)
    assert agree(both.error, found.error(power), rounding(scale, 1e4))
    assert agree(both.noise, found.noise, rounding(1.0, 1e4))
    assert not np.any(found.errors(power, noisy=False).noise)
    for start in (both.answers, 2 - both.answers):
        again = found.errors(power, start=start)
        assert agree(again.error, both.error, rounding(scale, 1e4))
        assert agree(again.noise, both.noise, rounding(1.0, 1e4))
        assert agree(again.answers, both.answers, rounding(1.0, 1e5))


@given(st.floats(0.05, 0.9), st.floats(0.5, 100.0), st.sampled_from([2, 3, 9]))
@settings(max_examples=15)
def test_laws(decay, n, d):
    """Variances are positive, and more samples or less ridge leave less posterior variance."""
    spectrum, power = case(d, 6, 1 + 3 * decay)
    N = np.array([n, 1.5 * n])
    found = solve(spectrum, N, 0.1)
    bias = power * found.residual_share**2
    assert np.all(found.error(power) >= bias * (1 - rounding(1.0)))
    assert np.all(found.noise >= 0)
    assert np.all(found.propagator <= spectrum.eigenvalues)
    assert found.posterior_variance[1] < found.posterior_variance[0]
    more = solve(spectrum, N, 0.2)
    assert np.all(more.posterior_variance > found.posterior_variance)


def test_degrees_that_do_not_cross_are_planar():
    """With few of them resolved the rest is treated as in the planar theory, and is reported."""
    spectrum, power = case(3, 30)
    N = np.array([10.0, 60.0])
    whole = solve(spectrum, N, 0.02)
    assert not np.any(whole.unresolved)
    one = planar(spectrum, power, N, 0.02).sum(axis=1)
    before = np.full(2, np.inf)
    for degrees in (4, 8, 16, 31):
        some = solve(spectrum, N, 0.02, degrees=degrees)
        off = np.abs(some.error(power).sum(axis=1) / whole.error(power).sum(axis=1) - 1)
        assert np.all(off <= before)
        assert np.all(off <= 2 * some.unresolved + rounding(1.0, 100))
        before = off
    few = solve(spectrum, N, 0.02, degrees=2).error(power).sum(axis=1)
    assert np.all(np.abs(few - one) < np.abs(whole.error(power).sum(axis=1) - one))


# -- other routes to the same number --------------------------------------------------------------


def on_points(spectrum, power, t, weights):
    """The kernel matrix, and a target of the given power that is one zonal function."""
    lam, d = spectrum.eigenvalues, spectrum.dimension
    parts = [harmonic(d, l, np.clip(t, -1, 1)) for l in range(lam.size)]
    K = sum(count(d, l) * lam[l] * p for l, p in enumerate(parts))
    g = sum(np.sqrt(power[l] * count(d, l)) * p[0] for l, p in enumerate(parts))
    return Measure.of(K, weights), g


@pytest.mark.parametrize("clusters", CLUSTERS)
def test_the_circle_is_a_finite_measure(clusters):
    """Equidistant points are a quadrature of the circle: matrices and cosines must agree."""
    spectrum = Spectrum.of([0.3, 0.1, 0.05, 0.02], 2)
    power, N, ridge = np.array([0.0, 0.5, 0.5, 0.0]), 6.0, 0.2
    angle = 2 * np.pi * np.arange(48) / 48
    measure, g = on_points(spectrum, power, np.cos(angle[:, None] - angle), None)
    matrix = solve_on(measure, N, ridge, clusters=clusters, tolerance=1e-13)
    found = solve(spectrum, np.array([N]), ridge, clusters=clusters)
    error = found.error(power).sum()
    budget = 1e-11 if clusters == 2 else 1e-7
    assert agree(matrix.error(g), error, asymptotic(budget * error))
    noise = measure.weights @ np.diag(matrix.noise)
    assert agree(noise, found.noise.sum(), asymptotic(budget * noise))
    other = solve(spectrum, np.array([N]), ridge, clusters=5 - clusters).error(power).sum()
    assert not agree(matrix.error(g), other, asymptotic(1e-4 * error))


def test_the_sphere_is_a_finite_measure():
    """Gauss-Legendre latitudes times equidistant longitudes, in three dimensions."""
    spectrum = Spectrum.of([0.3, 0.1, 0.04], 3)
    power, N, ridge = np.array([0.0, 0.5, 0.5]), 8.0, 0.3
    z, w = np.polynomial.legendre.leggauss(12)
    turn = 2 * np.pi * np.arange(24) / 24
    z, turn, w = np.repeat(z, 24), np.tile(turn, 12), np.repeat(w, 24)
    rho = np.sqrt(1 - z**2)
    x = np.stack([rho * np.cos(turn), rho * np.sin(turn), z], axis=1)
    measure, g = on_points(spectrum, power, x @ x.T, w)
    error = solve(spectrum, np.array([N]), ridge).error(power).sum()
    one = planar(spectrum, power, np.array([N]), ridge).sum()
    matrix = solve_on(measure, N, ridge)
    assert agree(matrix.error(g), error, asymptotic(2e-4 * abs(error - one)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("d", "last", "ridge", "noise", "n", "draws"),
    [(5, 8, 0.01, 0.0, 40, 2500), (3, 12, 0.05, 0.1, 20, 6000), (4, 8, 0.01, 0.0, 60, 1500)],
)
def test_regression_with_a_poisson_number_of_samples(d, last, ridge, noise, n, draws):
    """Exact regression: within four standard errors and one third of the last step, the measured
    rate at which steps shrink. The order before lies outside."""
    spectrum, power = case(d, last)
    truth, error = measured(
        d, spectrum.eigenvalues, power, ridge, noise, n, draws, np.random.default_rng(1), "poisson"
    )
    N = np.array([float(n)])
    steps = [planar(spectrum, power, N, ridge, noise).sum()]
    for clusters in CLUSTERS:
        found = solve(spectrum, N, ridge, clusters=clusters)
        steps.append((found.error(power) + noise * found.noise).sum())
    first, second, third = steps
    assert agree(second, truth, sampling(error) + asymptotic((second - first) / 3))
    assert agree(third, truth, sampling(error) + asymptotic((third - second) / 3))
    assert not agree(first, truth, sampling(error))


# -- every term counts, bad questions, far corners ------------------------------------------------


@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.9])
def test_a_spoilt_word_is_seen(monkeypatch, factor):
    """On the circle, against the matrices."""
    spectrum = Spectrum.of([0.3, 0.1, 0.05, 0.02], 2)
    power, right = np.array([0.0, 0.5, 0.5, 0.0]), crossing.two_apart
    angle = 2 * np.pi * np.arange(48) / 48
    measure, g = on_points(spectrum, power, np.cos(angle[:, None] - angle), None)
    truth = solve_on(measure, 6.0, 0.2).error(g)
    monkeypatch.setattr(
        crossing, "two_apart", lambda state: tuple(factor * part for part in right(state))
    )
    found = solve(spectrum, np.array([6.0]), 0.2).error(power).sum()
    assert not agree(found, truth, asymptotic(1e-3 * truth))


@pytest.mark.parametrize("part", ["loop", "gap", "samples"])
def test_a_spoilt_medium_is_seen(monkeypatch, part):
    spectrum = Spectrum.of([0.3, 0.1, 0.05, 0.02], 2)
    power, right = np.array([0.0, 0.5, 0.5, 0.0]), State.at
    truth = solve(spectrum, np.array([6.0]), 0.2).error(power).sum()

    def wrong(modes, samples, D):
        state = right(modes, samples, D)
        parts = {name: getattr(state, name) for name in ("samples", "propagator", "loop", "gap")}
        return State(**(parts | {part: 1.01 * parts[part]}))

    monkeypatch.setattr(State, "at", staticmethod(wrong))
    found = solve(spectrum, np.array([6.0]), 0.2).error(power).sum()
    assert not agree(found, truth, asymptotic(2e-4 * truth))


@pytest.mark.parametrize("d", [2, 3, 10, 1000, 10**4])
@pytest.mark.parametrize("ridge", [0.0, 1e-9, 1.0, 1e6])
def test_far_corners(d, ridge):
    """Ridge 0 to a million, N from one to ten million, two to ten thousand dimensions."""
    degrees = {2: 300, 3: 100}.get(d, 12)
    lam = 1 / np.array([count(d, l) * (1.0 + l) ** 2 for l in range(degrees)])
    spectrum = Spectrum.of(lam, d)
    power = np.zeros(degrees)
    power[1] = 1.0
    modes = spectrum.counts.sum()
    N = np.array([4.0, 30.0, 1e3, 1e5, 1e7])
    if ridge < 1e-6:  # near the number of modes, almost without a ridge, there is no solution
        N = N[: np.searchsorted(N, modes / 3)]
    found = solve(spectrum, N, ridge)
    for values in (found.error(power), found.noise, found.propagator, found.posterior_variance):
        assert np.all(np.isfinite(values))
        assert np.all(values >= 0)


def test_the_circle_without_a_ridge_is_refused_three_samples():
    spectrum, _ = case(2, 40)
    with pytest.raises(OutOfRegime, match=r"on the circle with ridge 0.*clusters = 2"):
        solve(spectrum, np.array([10.0]), 0.0, clusters=3)


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        ({"clusters": 5}, InvalidInput, "2, 3 or 4 samples; 1 is the planar"),
        ({"clusters": 1}, InvalidInput, "2, 3 or 4 samples"),
        ({"degrees": 1}, InvalidInput, "at least 2"),
        (
            {"ridge": 0.0, "samples": np.array([1e9])},
            OutOfRegime,
            "beyond their number the data fix",
        ),
    ],
)
def test_bad_questions(wrong, kind, says):
    spectrum, _ = case(3, 5)
    question = {"samples": np.array([10.0]), "ridge": 0.1} | wrong
    with pytest.raises(kind, match=says):
        solve(spectrum, question.pop("samples"), question.pop("ridge"), **question)


def test_what_has_no_solution_says_so():
    """On the circle, almost without a ridge: there the planar error is off by a factor of five."""
    relu = spectrum_of(Network(2).on_sphere(2), 2)
    with pytest.raises(OutOfRegime, match=r"3 samples, 10 samples: no self-consistent solution"):
        solve(relu, np.array([10.0]), relu.tail, clusters=3)


def test_the_quadrature_is_converged():
    """More nodes in the angle, without change."""
    spectrum, power = case(3, 12)
    modes = Modes.of(spectrum, 0.05)
    assert (modes.resolved, 2 * modes.even.shape[1]) == (13, modes.weights.size)
    found = solve(spectrum, np.array([20.0]), 0.05).error(power)
    longer = Spectrum.of(np.concatenate([spectrum.eigenvalues, np.zeros(80)]), 3)
    finer = solve(longer, np.array([20.0]), 0.05).error(np.concatenate([power, np.zeros(80)]))
    assert agree(finer[:, :13], found, rounding(found.sum(), 100))


@pytest.mark.parametrize("d", [2, 3, 8])
@pytest.mark.parametrize("degrees", [7, 6])
def test_sums_over_half_of_the_angles(d, degrees):
    """Even and odd degrees apart are all degrees at all angles; the gap keeps its digits at both
    ends, also where only even degrees are left."""
    lam = 1 / (1.0 + np.arange(9)) ** 2
    modes = Modes.of(Spectrum.of(lam, d), 0.0, degrees)
    points = modes.weights.size
    rest = np.ones((9, points))
    rest[:degrees] = rests(d, degrees, colatitudes(points))
    draw = np.random.default_rng(d)
    values = draw.random((3, 9))
    values[2, 1::2] = 0
    truth = (modes.spectrum.counts * values) @ rest
    assert agree(modes.gap(values), truth, rounding(truth, 1e3))
    assert not agree(modes.gap(1.001 * values), truth, rounding(truth, 1e3))
    weighted = draw.standard_normal((3, points))
    together = np.concatenate([rest[:degrees], np.ones((1, points))])
    assert agree(modes.projected(weighted), weighted @ together.T, rounding(points, 10))
