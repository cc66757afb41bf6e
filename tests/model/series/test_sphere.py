"""The series on the sphere: against the engine, points, linear kernels and every training set."""

from fractions import Fraction

import numpy as np
import pytest

from fieldtheory.compiler.angular import evaluate
from fieldtheory.compiler.space import sphere
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.modes import Modes
from fieldtheory.model.series import sphere as ours
from fieldtheory.model.series.perturbative import expand, expand_points, expansion
from fieldtheory.model.series.points import Points
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.theory import learning
from tests.oracles import dense, poisson, unit_vectors
from tests.tolerance import agree, asymptotic, rounding

NOISE = 0.3
SPECTRUM = Spectrum.of([0.4, 0.05, 0.01, 0.002], 6)
POWER = np.array([0.1, 0.5, 0.4, 0.0])
SAMPLES = np.array([10.0, 40.0, 300.0])


@pytest.mark.parametrize("order", [0, 1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_each_order_is_that_of_the_engine(order):
    """Degree by degree: squared mean, covariance and noise against diagrams of the error."""
    found = expansion(SPECTRUM, POWER, SAMPLES, 3.0, NOISE, order=order, ensemble="poisson")
    question = {"eigenvalues": SPECTRUM.eigenvalues, "eta": SAMPLES, "s2": 3.0, "per_degree": True}
    truth = evaluate(learning.error(order), sphere(6), power=POWER, **question)
    noise = {"label_noise": NOISE, "power": POWER}
    truth = truth + evaluate(learning.label_noise(order), sphere(6), **noise, **question)
    budget = rounding(np.max(np.abs(truth)), 10)
    assert agree((found.bias + found.variance)[order], truth, budget)
    assert not agree((found.bias + 1.01 * found.variance + 1e-3)[order], truth, budget)


@pytest.mark.parametrize("order", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_each_order_at_a_fixed_number_is_that_of_the_engine(order):
    found = expansion(SPECTRUM, POWER, SAMPLES, 3.0, 0.0, order=order, ensemble="fixed")
    question = {"eigenvalues": SPECTRUM.eigenvalues, "eta": SAMPLES, "s2": 3.0}
    truth = evaluate(learning.error(order, "fixed"), sphere(6), power=POWER, **question)
    assert agree(found.terms[order], truth, rounding(truth, 100))


def on_points(points, eigenvalues, components):
    """The same kernel and target as a finite measure, in the modes of the space."""
    padded = np.append(eigenvalues, np.zeros(points.degree.max() + 1))[points.degree]
    target = (components @ points.modes)[:, None]
    return Points(padded, points.modes.T, points.weights, target)


@pytest.mark.parametrize("ensemble", ["poisson", "fixed"])
@pytest.mark.parametrize(
    ("dimension", "points", "eigenvalues"),
    [(2, dense.circle(2, 9), [0.5, 0.2, 0.07]), (3, dense.sphere(1, 4), [0.5, 0.2])],
)
def test_angles_and_matrices_agree(dimension, points, eigenvalues, ensemble):
    """Every order of bias and variance, degree by degree; the points are exact to four times the
    last degree, and nothing of the two ways is shared beyond the diagrams."""
    components = np.random.default_rng(3).normal(size=points.degree.size)
    power = points.power(components)
    how = {"order": 3, "ensemble": ensemble}
    spectrum = Spectrum.of(eigenvalues, dimension)
    found = expansion(spectrum, power, SAMPLES, 2.0, NOISE, **how)
    truth = expand_points(on_points(points, eigenvalues, components), SAMPLES, 2.0, NOISE, **how)
    for name in ("bias", "variance"):
        parts = np.zeros_like(getattr(found, name))
        for mode, degree in enumerate(points.degree):
            parts[:, :, degree] += getattr(truth, name)[:, :, mode]
        budget = rounding(np.max(np.abs(parts), axis=(1, 2), keepdims=True), 100)
        assert agree(getattr(found, name), parts, budget)
    assert agree(found.loop, truth.loop, rounding(truth.loop))


@pytest.mark.parametrize("dimension", [2, 50])
def test_a_linear_kernel_in_any_dimension_exactly(dimension):
    """Degree one alone: all integrals are moments of unit vectors, by pairings in Fractions."""
    spectrum, power = Spectrum.of([0, 1 / 4], dimension), np.array([0, 2 / 3])
    found = expansion(spectrum, power, np.array([7.0]), 0.5, 0.0, order=2, ensemble="poisson")
    at = {"eta": 7, "s2": Fraction(1, 2)}
    for order in range(3):
        truth = float(unit_vectors.error(order, dimension, Fraction(1, 4), Fraction(2, 3), **at))
        assert agree(found.terms[order], truth, rounding(truth, 10))


# -- five points of a circle, on which every training set can be listed ---------------------------

CIRCLE = dense.circle(1, 5)
LADDER = np.array([12, 24, 48])
COMPONENTS = np.array([0.3, 1.0, 0.0])


def every_training_set(samples, ridge):
    problem = CIRCLE.problem([0.4, 0.2], COMPONENTS)
    counts = poisson.fixed_counts(problem["mu"], samples)
    arrays = (problem["mu"], problem["kernel"], problem["target"], ridge)
    return poisson.averages(*counts, *arrays)["error"]


@pytest.mark.slow
def test_what_is_left_falls_with_the_next_power():
    """After order k by 2^(k+1) when samples and ridge are doubled."""
    exact = np.array([every_training_set(int(n), 0.5 * n) for n in LADDER])
    spectrum, power = Spectrum.of([0.4, 0.2], 2), CIRCLE.power(COMPONENTS)
    series = [
        expansion(spectrum, power, np.array([n]), 0.5 * n, 0.0, order=3, ensemble="fixed").terms
        for n in LADDER.astype(float)
    ]
    for through in range(4):
        left = [np.abs(s[: through + 1].sum() - e) for s, e in zip(series, exact, strict=True)]
        fall = np.polyfit(np.log(LADDER), np.log(left), 1)[0]
        assert agree(fall, -through - 1, asymptotic(3 / LADDER[0]))


# -- limits, and what is left out -----------------------------------------------------------------


@pytest.mark.parametrize(("decay", "dimension"), [(2.0, 3), (3.5, 3), (2.0, 2)])
def test_degrees_that_take_no_part_in_products(decay, dimension, monkeypatch):
    """All degrees, and only some: the difference is of the size that is said, and shrinks."""
    lam = 1.0 / (1 + np.arange(41.0)) ** decay
    spectrum, power = Spectrum.of(lam, dimension), np.append([0, 0.5, 0.5], np.zeros(38))
    question = (spectrum, power, np.array([30.0, 300.0]), 20.0, 0.1)
    whole = expansion(*question, order=3, ensemble="fixed")
    sizes = (np.abs(whole.bias) + np.abs(whole.variance)).sum(axis=-1)
    assert agree(ours.unresolved(spectrum, question[2], 20.0), 0, 0.0)
    for band in (10, 20):
        monkeypatch.setattr(ours, "BAND", band)
        part = expansion(*question, order=3, ensemble="fixed")
        missing = ours.unresolved(spectrum, question[2], 20.0)
        assert agree(part.terms[:2], whole.terms[:2], rounding(whole.terms[:2]))
        assert agree(part.terms[2], whole.terms[2], asymptotic(3 * missing * sizes[2]))
        assert agree(part.terms[3], whole.terms[3], asymptotic(25 * missing * sizes[3]))
        assert not agree(part.terms[3], whole.terms[3], asymptotic(0.5 * missing * sizes[3]))


def test_zero_padding_changes_nothing():
    longer = Spectrum.of([*SPECTRUM.eigenvalues, 0, 0, 0], 6)
    power = np.append(POWER, [0, 0, 0])
    for order in range(4):
        how = {"order": order, "ensemble": "fixed"}
        one = expand(SPECTRUM, POWER, SAMPLES, 3.0, NOISE, **how)
        other = expand(longer, power, SAMPLES, 3.0, NOISE, **how)
        for part, same in zip(one[:2], other[:2], strict=True):
            assert agree(same[:, :4], part, rounding(1.0))


@pytest.mark.parametrize("dimension", [2, 3, 1000, 10**6])
def test_numbers_everywhere(dimension):
    """Large and small ridges, few and many samples: numbers, or a word about the ridge."""
    counts = Spectrum.of(np.ones(30), dimension).counts
    spectrum = Spectrum.of((1.0 + np.arange(30)) ** -2 / counts, dimension)
    power = np.append([0, 0.5, 0.5], np.zeros(27))
    for ridge in (1e-3, 1.0, 1e6):
        bias, variance, _ = expand(
            spectrum, power, np.array([1.0, 1e3, 1e7]), ridge, 0.1, order=3, ensemble="fixed"
        )
        assert np.all(np.isfinite(bias + variance))
    with pytest.raises(OutOfRegime, match=r"loop parameter .* leave the range of floats"):
        expand(spectrum, power, np.array([10.0]), 1e-200, 0.1, order=3, ensemble="fixed")


def test_other_measures_have_two_orders():
    modes = Modes.of([0.4, 0.1], multiplicities=[1, 3])
    power = np.array([0.5, 0.5])
    found = expansion(modes, power, SAMPLES, 3.0, 0.0, order=1, ensemble="fixed")
    assert len(found.terms) == 2
    with pytest.raises(OutOfRegime, match=r"order = 2 .* on any measure.*given points"):
        expand(modes, power, SAMPLES, 3.0, 0.0, order=2, ensemble="fixed")
