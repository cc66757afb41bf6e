"""The power of arbitrary functions: polynomials exactly, jumps by hand, samples within errors."""

from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.measures import function as module
from fieldtheory.model.measures.function import (
    PowerEstimate,
    grid_power,
    sampled_power,
    zonal_power,
)
from fieldtheory.model.target import Target
from tests.oracles.mutation import spoil, survives
from tests.oracles.quadrature import gegenbauer, sphere_average
from tests.tolerance import agree, asymptotic, rounding, sampling


def sphere(points, d, seed=0):
    x = np.random.default_rng(seed).standard_normal((points, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def padded(power, length):
    return np.pad(power, (0, length - len(power)))


# One direction ------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [2, 3, 10])
def test_a_smooth_function_of_one_direction(d):
    """exp(t), against mpmath."""
    import mpmath

    found = module.zonal_power(np.exp, d, 5)
    assert np.all(found.errors <= rounding(10))
    for l in range(6):
        overlap = sphere_average(d, lambda t, l=l: mpmath.exp(t) * gegenbauer(d, l, t))
        counts = float(found.power[l] / float(overlap) ** 2)
        assert agree(counts, round(counts), rounding(counts, 100 * 10**l))
    assert agree(
        found.mean_square, float(sphere_average(d, lambda t: mpmath.exp(2 * t))), rounding(10)
    )


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=6), st.sampled_from([2, 3, 7, 1000]))
def test_polynomials_of_one_direction(coefficients, d):
    text = " + ".join(f"{c}*x0^{k}" for k, c in enumerate(coefficients))
    found = module.zonal_power(np.polynomial.Polynomial(coefficients), d, 6)
    exact = padded(Target.polynomial(text, d).power, 7)
    assert agree(found.power, exact, found.errors + rounding(100))
    assert agree(found.remainder, 0, rounding(100, 10))


def test_a_jump_by_hand():
    """sign(x0) in three dimensions: 3/4, 7/64, ... at odd degrees, of a mean square of one."""
    found = zonal_power(np.sign, 3, 3)
    assert agree(found.power, [0, 3 / 4, 0, 7 / 64], rounding(1))
    assert agree(found.remainder, 1 - 3 / 4 - 7 / 64, rounding(1))


def test_a_jump_elsewhere_is_within_its_error():
    """A cap, t > 1/3, in three dimensions: E = 1/3, <f P_1> = (1 - 1/9)/4."""
    found = zonal_power(lambda t: (t > 1 / 3).astype(float), 3, 1)
    assert agree(found.power, [1 / 9, 3 * (2 / 9) ** 2], found.errors)
    assert np.all(found.errors > 1e-6)


# Grids --------------------------------------------------------------------------------------------


def by_text(text):
    def f(x):
        return sum(
            float(c) * np.prod([x[:, int(n[1:])] ** e for n, e in m], axis=0)
            for m, c in module_terms(text)
        ) + np.zeros(len(x))

    return f


def module_terms(text):
    from fieldtheory.ground.reader import polynomial

    return polynomial(text).terms.items()


TEXTS = ["x0^3*x1 - x1 + 1/2", "x0^2 - x0*x1^3 + x1", "3", "x0^5"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("d", [2, 3])
def test_polynomials_on_a_grid(text, d):
    found = module.grid_power(by_text(text), d, 6)
    exact = padded(Target.polynomial(text, d).power, 7)
    assert agree(found.power, exact, rounding(10))
    assert agree(found.errors, 0, rounding(100, 10))
    assert agree(found.mean_square, exact.sum(), rounding(10))


def test_a_function_of_three_coordinates_on_a_grid():
    text = "x0*x1*x2 + x2^2 - x0"
    exact = padded(Target.polynomial(text, 3).power, 5)
    assert agree(module.grid_power(by_text(text), 3, 4).power, exact, rounding(10))


def test_a_kink_on_the_circle_is_within_its_error():
    """|x0|: power (4/pi^2)/(4k^2-1)^2 doubled at degree 2k."""
    found = grid_power(lambda x: np.abs(x[:, 0]), 2, 6, grid=2048)
    truth = np.zeros(7)
    truth[0] = 4 / pi**2
    truth[2::2] = [8 / pi**2 / (4 * k**2 - 1) ** 2 for k in (1, 2, 3)]
    assert agree(found.power, truth, found.errors + rounding(1))
    assert np.all(found.errors < 1e-5)


def test_grid_and_direction_agree():
    one = zonal_power(np.tanh, 3, 7)
    other = grid_power(lambda x: np.tanh(0.6 * x[:, 0] + 0.8 * x[:, 2]), 3, 7)
    assert agree(one.power, other.power, one.errors + other.errors)


# Samples ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "d"), [("x0^3", 3), ("x0 + x0*x1 - 1/2", 6), ("x0^2*x1", 4)])
def test_text_and_sample_agree(text, d):
    """Text -> harmonic powers, against a Monte Carlo projection; summing to the mean square."""
    x, target = sphere(3000, d, 1), Target.polynomial(text, d)
    found = module.sampled_power(x, by_text(text)(x), 4)
    assert agree(found.power, padded(target.power, 5), sampling(found.errors))
    spread = by_text(text)(x) ** 2
    se = spread.std(ddof=1) / np.sqrt(len(x))
    assert agree(found.mean_square, target.power.sum(), sampling(se))
    variance = target.power.sum() - target.power[0]
    values = by_text(text)(x)
    assert agree(values.var(ddof=1), variance, sampling(se) + 10 * abs(values.mean()) * se)


@pytest.mark.slow
def test_sampled_powers_have_no_bias_and_their_stated_error():
    rows, errors = [], []
    exact = padded(Target.polynomial("x0 + x0*x1", 5).power, 4)
    for seed in range(150):
        x = sphere(120, 5, seed)
        noise = np.random.default_rng(1000 + seed).standard_normal(120)
        found = module.sampled_power(x, x[:, 0] + x[:, 0] * x[:, 1] + 0.2 * noise, 3)
        rows.append(found.power)
        errors.append(found.errors)
    mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1)
    assert agree(mean, exact, sampling(spread / np.sqrt(150)))
    stated = np.sqrt(np.mean(np.square(errors), axis=0))
    assert agree(stated / spread, 1.0, sampling(1 / np.sqrt(300)) + asymptotic(0.05))


def test_vector_values_add():
    x = sphere(400, 3)
    y = np.stack([x[:, 0], x[:, 1] * x[:, 2]], axis=1)
    whole = sampled_power(x, y, 3)
    # the cross terms of pairs cancel in the sum over outputs
    parts = [sampled_power(x, column, 3) for column in y.T]
    assert agree(whole.power, sum(p.power for p in parts), rounding(1, 100))


# What becomes of it -------------------------------------------------------------------------------


def test_an_estimate_becomes_a_target():
    found = zonal_power(np.sign, 3, 3)
    assert found.target().power.round(6).tolist() == [0, 0.75, 0, 0.109375]
    assert "in higher degrees 0.140625" in str(found)
    x = sphere(2000, 4)
    assert sampled_power(x, x[:, 0] * x[:, 1], 3).target().degree == 2
    with pytest.raises(OutOfRegime, match="no degree has more power"):
        sampled_power(x, np.random.default_rng(0).standard_normal(2000), 3).target()


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "error", "why"),
    [
        (lambda: zonal_power(np.sign, 1, 3), InvalidInput, "dimension = 1"),
        (lambda: zonal_power(lambda t: t[:3], 3, 3), InvalidInput, "one value for each input"),
        (lambda: zonal_power(lambda t: np.nan * t, 3, 3), InvalidInput, "not finite"),
        (lambda: zonal_power(lambda t: 1.0, 3, 3), InvalidInput, r"shape \(\)"),
        (lambda: grid_power(lambda x: x[:, 0], 4, 2), OutOfRegime, "sampled_power"),
        (lambda: grid_power(lambda x: x[:, 0], 3, 40), InvalidInput, "more than 80 points"),
        (lambda: grid_power(lambda x: x, 3, 4), InvalidInput, "one value for each input"),
        (lambda: sampled_power(np.eye(4), [1.0] * 3, 2), InvalidInput, "3 values at 4 points"),
        (lambda: sampled_power(2 * np.eye(4), [1.0] * 4, 2), InvalidInput, "divide each row"),
        (lambda: sampled_power(np.eye(3), [1.0] * 3, 2), InvalidInput, "at least 4"),
        (lambda: sampled_power(np.eye(4), [np.nan] * 4, 2), InvalidInput, "finite"),
    ],
)
def test_wrong_questions(ask, error, why):
    with pytest.raises(error, match=why):
        ask()


# Mutants ------------------------------------------------------------------------------------------


def all_right():
    test_polynomials_on_a_grid(TEXTS[0], 3)
    test_polynomials_on_a_grid(TEXTS[1], 2)
    test_text_and_sample_agree("x0^3", 3)
    found = module.zonal_power(np.polynomial.Polynomial([0, 0, 1, 1]), 4, 3)
    assert agree(found.power, Target.polynomial("x0^2 + x0^3", 4).power, rounding(1))
    test_sampled_powers_have_no_bias_and_their_stated_error()


@pytest.mark.parametrize(
    ("function", "good", "spoiled"),
    [
        ("_zonal", "(d - 2)", "(d - 1)"),
        ("_zonal", "overlaps**2", "overlaps"),
        ("_associated", "(4 * l**2 - 1)", "(4 * l**2 + 1)"),
        ("_associated", "(2 * k + 1) / (2 * k)", "(2 * k + 2) / (2 * k)"),
        ("_gridded", "1.0, 2.0", "1.0, 1.0"),
        ("sampled_power", "total / (P - 1)", "total / (P + 9)"),
        ("sampled_power", "np.fill_diagonal(pairs, 0.0)", "pass"),
        ("sampled_power", "4 * first / P", "first / P"),
        ("sampled_power", "2 * second / P**2", "second / P"),
    ],
)
@pytest.mark.slow
def test_mutants(monkeypatch, function, good, spoiled):
    spoil(monkeypatch, getattr(module, function), good, spoiled)
    assert not survives(all_right)


def test_estimates_are_values():
    found = PowerEstimate(3, np.array([1.0]), np.array([0.1]), 1.5, sampled=True)
    assert found.remainder == 0.5
