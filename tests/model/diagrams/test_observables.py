"""Certainty, dimension, fit and evidence with crossing diagrams on the sphere: identities, limits,
real draws, and what each order says of its own error."""

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.diagrams import evidence
from fieldtheory.model.diagrams import observables as module
from fieldtheory.model.diagrams.crossing import solve
from fieldtheory.model.diagrams.fixed import FORETOLD
from fieldtheory.model.diagrams.observables import crossed, crossed_curve
from fieldtheory.model.observed import FIELDS, NAMES
from fieldtheory.model.planar.observables import observables
from fieldtheory.model.spectrum import Spectrum
from tests.oracles import gram
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, asymptotic, rounding, sampling

LAM = np.array([0.5, 0.1, 0.03, 0.01, 0.003, 0.001, 0.001])
POWER = np.array([0.0, 0.5, 0.5, 0.2, 0.0, 0.1, 0.0])
LINE = Spectrum.of(LAM, 4)
TWENTY = np.array([20.0])


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


def drawn(parts, samples, ridge, noise, draws, poisson=False):
    """Means and standard errors; of a random number of samples, the residuals' sum over the mean
    number."""
    rng, rows = np.random.default_rng(4), []
    for _ in range(draws):
        n = max(rng.poisson(samples), 1) if poisson else samples
        one = gram.Regression(parts(n, rng), LAM, LINE.counts, POWER, noise).observed(ridge)
        one[2] *= n / samples
        rows.append(one)
    return gram.mean(rows)


def crossing_identities(clusters, noise, ridge=0.1):
    N = np.array([8.0, 30.0])

    def at(s2):
        return crossed(solve(LINE, N, s2, clusters=clusters), POWER, s2, noise)

    found = at(ridge)
    trace, off = slope(lambda s2: at(s2).log_determinant, ridge)
    off = off + (clusters == 3) * 1e-6 * trace  # the third samples have their own quadrature
    assert agree(ridge * trace, N - found.effective_dimension, asymptotic(ridge * off))
    fit, off = slope(lambda s2: at(s2).data_fit, ridge)
    off = off + (clusters == 3) * 1e-6 * np.abs(fit)
    assert agree(-(ridge**2) * fit / N, found.train_error, asymptotic(ridge**2 * off / N))


@pytest.mark.parametrize("clusters", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_crossing_identities(clusters):
    crossing_identities(clusters, 0.3)


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        ("trace", "1 - state.gap", "1"),
        ("trace", "bracket = 1 - ", "bracket = 1 + "),
        ("trace_slope", "- state.gap * loop", ""),
        ("trace_slope", "(state.gap - 1)", "state.gap"),
        ("log_determinant", "eta**2 / 2", "eta**2"),
        ("log_determinant", "+ 1 - square", ""),
        ("_parts", "left**2 * moved", "left * moved"),
    ],
)
def test_spoilt_formulas_break_the_crossing_identities(function, old, new, monkeypatch):
    home = module if function == "_parts" else evidence
    spoil(monkeypatch, getattr(home, function), old, new)
    monkeypatch.setattr(module, function, getattr(home, function))
    monkeypatch.setitem(globals(), "crossed", module.crossed)
    assert not survives(lambda: crossing_identities(2, 0.3))


@pytest.mark.slow
def test_the_third_samples_count(monkeypatch):
    spoil(monkeypatch, evidence.log_determinant, "eta[row] * share", "0 * share")
    monkeypatch.setattr(module, "log_determinant", evidence.log_determinant)
    assert not survives(lambda: crossing_identities(3, 0.3))


def test_few_modes_of_many_are_planar():
    """In high dimension, far from the number of modes, there is little to cross."""
    high, power = Spectrum.of(np.array([0.5, 0.3 / 200]), 200), np.array([0.5, 0.5])
    N = np.array([20.0])
    planar = row(observables(high, power, N, 0.2, 0.3))
    found = row(crossed(solve(high, N, 0.2), power, 0.2, 0.3))
    assert agree(found, planar, asymptotic(np.abs(planar) / 20))


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_sphere_in_four_dimensions(noise):
    """A Poisson number of samples: crossing diagrams are right where planar ones are not."""
    mean, error = drawn(
        lambda n, rng: gram.on_sphere(4, LAM.size, n, rng), 20, 0.1, noise, 400, poisson=True
    )
    planar = row(observables(LINE, POWER, TWENTY, 0.1, noise))
    two, three = (
        row(crossed(solve(LINE, TWENTY, 0.1, clusters=k), POWER, 0.1, noise)) for k in (2, 3)
    )
    budget = sampling(error) + asymptotic(np.abs(three - two))
    assert agree(three, mean, budget)
    assert not agree(planar, mean, budget)


@pytest.mark.slow
def test_fixed_numbers_of_samples_in_four_dimensions():
    """Where planar averages are off by 3 to 18 %."""
    N = np.array([8.0, 20.0])
    plain = observables(LINE, POWER, N, 0.1, 0.3)
    two, three = (crossed_curve(LINE, POWER, N, 0.1, 0.3, clusters=k) for k in (2, 3))
    mean, error = drawn(lambda n, rng: gram.on_sphere(4, LAM.size, n, rng), 20, 0.1, 0.3, 800)
    planar, first, second = (
        np.array([*(getattr(found, name)[1] for name in FIELDS), found.log_evidence[1]])
        for found in (plain, two, three)
    )
    assert agree(second, mean, sampling(error) + asymptotic(np.abs(second - first) / 2))
    off = np.abs([planar - mean, first - mean])
    assert np.all(off[1, :4] < off[0, :4] / 3)


def test_a_curve_of_a_poisson_number_is_the_solution():
    N = np.array([8.0, 30.0])
    curve = crossed_curve(LINE, POWER, N, 0.1, 0.3, ensemble="poisson")
    found = crossed(solve(LINE, N, 0.1), POWER, 0.1, 0.3)
    for name in FIELDS:
        truth = getattr(found, name)
        assert agree(getattr(curve, name), truth, asymptotic(FORETOLD * np.abs(truth)))
    assert curve.method == "crossing"


def test_where_nothing_crosses_the_curve_stays_planar():
    """On the circle almost without a ridge there is no solution near the planar one."""
    circle, power = Spectrum.of([0.5, 0.3, 0.1, 0.05], 2), np.array([0, 1.0, 0, 0])
    found = crossed_curve(circle, power, np.array([6.0]), 1e-9, 0.0)
    plain = observables(circle, power, np.array([6.0]), 1e-9, 0.0)
    assert agree(row(found), row(plain), rounding(row(plain)))


@pytest.mark.parametrize("dimension", [4, 8])
def test_each_order_covers_the_next(dimension):
    """What is said to be left out is not less than the next order adds, at any size."""
    line, N = Spectrum.of(LAM[:5], dimension), np.array([10.0, 30.0])
    two, three = (crossed_curve(line, POWER[:5], N, 0.05, 0.3, clusters=k) for k in (2, 3))
    for name in NAMES:
        change = np.abs(getattr(three, name) - getattr(two, name))
        assert np.all(change <= two.uncertainties[name])
        assert np.all(three.uncertainties[name] < two.uncertainties[name])
        assert np.all(three.uncertainties[name] > 0)


def test_questions_without_an_answer():
    with pytest.raises(InvalidInput, match=r"the solution was found for 0\.1"):
        crossed(solve(LINE, TWENTY, 0.1), POWER, 0.2, 0.0)
    with pytest.raises(InvalidInput, match="clusters = 4"):
        crossed_curve(LINE, POWER, TWENTY, 0.1, 0.0, clusters=4)
    flat, four = Spectrum.of(LAM, 3), np.array([4.0])
    with pytest.raises(OutOfRegime, match="without a ridge in dimension 3"):
        crossed(solve(flat, four, 0.0), POWER, 0.0, 0.1)
    with pytest.raises(OutOfRegime, match="without a ridge in dimension 3"):
        crossed_curve(flat, POWER, four, 0.0, 0.1)
