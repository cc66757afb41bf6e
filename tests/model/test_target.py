"""Targets: the split into harmonic degrees, judged by exact moments and by random points.

The oracle knows nothing of Laplacians. By the addition theorem the power at degree l is

    G_l = deg(l) E_x E_y [ p(x) p(y) P_l(x.y) ],   and   g_l(x) = deg(l) E_y [ p(y) P_l(x.y) ];

powers of x.y are expanded over all d coordinates and every moment is taken exactly.
"""

from fractions import Fraction
from itertools import product as tuples
from math import comb, factorial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.reader import polynomial
from fieldtheory.model import target as module
from fieldtheory.model.measures import harmonic
from fieldtheory.model.target import Target, ZonalMixture
from tests.tolerance import agree, rounding, sampling

# The oracle ---------------------------------------------------------------------------------------


def moment(exponents, d):
    """E[prod x_i^e_i], exact; the odd ones vanish."""
    if any(e % 2 for e in exponents):
        return Fraction(0)
    above, below, step = 1, 1, d
    for e in exponents:
        for k in range(1, e, 2):
            above *= k
            below *= step
            step += 2
    return Fraction(above, below)


def modes(d, l):
    return Fraction(2 * l + d - 2, l + d - 2) * comb(l + d - 2, l) if l else 1


def legendre_coefficients(d, l):
    """Coefficients of P_l by Gram-Schmidt on t^k, whose moments are those of one coordinate."""
    basis = []
    for k in range(l + 1):
        new = [Fraction(0)] * k + [Fraction(1)]
        for old in basis:

            def inner(a, b):
                pairs = tuples(enumerate(a), enumerate(b))
                return sum((x * y * moment([i + j], d) for (i, x), (j, y) in pairs), Fraction(0))

            share = inner(new, old) / inner(old, old)
            new = [c - share * (old[i] if i < len(old) else 0) for i, c in enumerate(new)]
        basis.append(new)
    return [c / sum(basis[-1]) for c in basis[-1]]


def dense(text, d):
    """[(exponents of x0 .. x{d-1}, coefficient)]."""
    terms = polynomial(text).terms.items()
    return [([dict(m).get(f"x{i}", 0) for i in range(d)], c) for m, c in terms]


def exact_power(text, d, l):
    total, terms = Fraction(0), dense(text, d)
    for k, c in enumerate(legendre_coefficients(d, l)):
        for alpha in tuples(range(k + 1), repeat=d) if c else ():
            if sum(alpha) == k:
                ways = factorial(k)
                for a in alpha:
                    ways //= factorial(a)
                overlap = sum(v * moment(np.add(e, alpha).tolist(), d) for e, v in terms)
                total += c * ways * overlap**2
    return modes(d, l) * total


def mean_square(text, d):
    """E[p^2] over the variables that occur, so that any dimension will do."""
    names = polynomial(text).variables
    terms = [([dict(m).get(n, 0) for n in names], c) for m, c in polynomial(text).terms.items()]
    return sum(
        (a * b * moment(np.add(e, f).tolist(), d) for e, a in terms for f, b in terms), Fraction(0)
    )


def sphere(rng, points, d):
    x = rng.standard_normal((points, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


# The split ----------------------------------------------------------------------------------------

BY_HAND = [
    ("x0^3", 3, [0, Fraction(3, 25), 0, Fraction(4, 175)]),
    ("x0", 50, [0, Fraction(1, 50)]),
    ("x0*x1", 5, [0, 0, Fraction(1, 35)]),
    ("x0^2", 3, [Fraction(1, 9), 0, Fraction(4, 45)]),
    ("x0^2 + x1^2", 2, [1]),
    ("x0*(x0^2 + x1^2 + x2^2)", 3, [0, Fraction(1, 3)]),
    ("3", 7, [9]),
    ("0", 7, [0]),
    ("x0 - x0", 7, [0]),
]


@pytest.mark.parametrize(("text", "d", "power"), BY_HAND)
def test_by_hand(text, d, power):
    assert list(Target.polynomial(text, d).exact_power) == power


CASES = [
    ("x0 + 0.5*x0*x1 - 2", 2),
    ("x0^4 - 3*x0^2*x1 + x1^3", 2),
    ("x0^3 + x1^2*x2 - x0*x1*x2 + 1/3", 3),
    ("(x0 + x1 - 2*x2)^4 + x1^3", 3),
    ("x0^4 + x0^2*x3^2 + x1*x2", 4),
]


@pytest.mark.parametrize(("text", "d"), CASES)
def test_power_is_what_the_addition_theorem_says(text, d):
    target = Target.polynomial(text, d)
    assert target.degree <= polynomial(text).degree
    for l in range(polynomial(text).degree + 1):
        own = target.exact_power[l] if l <= target.degree else 0
        assert own == exact_power(text, d, l)


monomial_texts = st.lists(
    st.tuples(st.integers(-5, 5), st.integers(0, 4), st.integers(0, 3), st.integers(0, 3)),
    min_size=1,
    max_size=5,
).map(lambda terms: " + ".join(f"{c}*x0^{i}*x1^{j}*x2^{k}/7" for c, i, j, k in terms))


@settings(deadline=None)
@given(monomial_texts, st.sampled_from([3, 4, 7, 50, 10**6]))
def test_powers_sum_to_the_mean_square(text, d):
    target = Target.polynomial(text, d)
    assert sum(target.exact_power) == mean_square(text, d)
    assert min(target.exact_power) >= 0


@settings(deadline=None)
@given(monomial_texts, st.integers(0, 2**32 - 1))
def test_components_add_up_to_the_function(text, seed):
    target, x = Target.polynomial(text, 4), sphere(np.random.default_rng(seed), 5, 4)
    terms = dense(text, 4)
    truth = sum((float(c) * np.prod(x**e, axis=1) for e, c in terms), np.zeros(5))
    scale = sum(abs(float(c)) for _, c in terms)
    assert agree(target.components_at(x).sum(axis=0), truth, rounding(scale))


@settings(deadline=None)
@given(monomial_texts)
def test_renaming_coordinates_changes_no_power(text):
    turned = text.replace("x0", "x9").replace("x1", "x0").replace("x9", "x1")
    assert Target.polynomial(text, 5).exact_power == Target.polynomial(turned, 5).exact_power


@pytest.mark.parametrize("l", [1, 2, 3, 7, 12])
def test_the_circle_has_fourier_modes(l):
    """cos(l theta) = Re (x0 + i x1)^l has power one half at degree l and none elsewhere."""
    even = range(0, l + 1, 2)
    text = " + ".join(f"{comb(l, k) * (-1) ** (k // 2)}*x0^{l - k}*x1^{k}" for k in even)
    target = Target.polynomial(text, 2)
    assert list(target.exact_power) == [0] * l + [Fraction(1, 2)]
    theta = np.linspace(0, 6, 9)
    x = np.stack([np.cos(theta), np.sin(theta)], axis=1)
    assert agree(target.components_at(x)[l], np.cos(l * theta), rounding(1, comb(l, l // 2)))


def test_few_variables_in_a_million_dimensions():
    d = 10**6
    target = Target.polynomial("x0 + 0.5*x0*x1 + x999999^6", d)
    assert target.exact_power[1] == Fraction(1, d)
    assert sum(target.exact_power) == mean_square("x0 + 0.5*x0*x1 + x5^6", d)
    assert max(len(c.terms) for c in target.components) <= 5


def test_components_against_random_points():
    """g_l(x) = deg(l) E_y[p(y) P_l(x.y)], by sampling, in a dimension no exact oracle reaches."""
    d, text, rng = 6, "x0^3*x1 + x2^2 - x3 + x0*x4*x5", np.random.default_rng(5)
    target, x, y = Target.polynomial(text, d), sphere(rng, 4, d), sphere(rng, 200_000, d)
    labels = sum(float(c) * np.prod(y ** np.array(e), axis=1) for e, c in dense(text, d))
    for l in range(target.degree + 1):
        kernel = np.polynomial.Polynomial([float(c) for c in legendre_coefficients(d, l)])
        draws = float(modes(d, l)) * labels * kernel(x @ y.T)
        se = draws.std(axis=1, ddof=1) / np.sqrt(len(y))
        assert agree(draws.mean(axis=1), target.components_at(x)[l], sampling(se))
    squares = target.components_at(y) ** 2
    se = squares.std(axis=1, ddof=1) / np.sqrt(len(y))
    assert agree(squares.mean(axis=1), target.power, sampling(se) + rounding(1))


# Functions of given power -------------------------------------------------------------------------


@pytest.mark.parametrize("d", [2, 3, 10, 1000])
def test_a_realised_power_has_that_power(d):
    """One centre: g_l = sqrt(G_l deg) P_l(w.x); several: by sampling."""
    rng, power = np.random.default_rng(d), [0.3, 0.0, 0.5, 0.2]
    target = Target.from_power(power, d)
    many = target.realise(sphere(rng, 5, d), rng.standard_normal(5))
    x = sphere(rng, 4000, d)
    values = many.components_at(x)
    assert values.shape == (4, 4000)
    # orthogonality too: every product of two degrees
    for l in range(4):
        products = values * values[l]
        se = products.std(axis=1, ddof=1) / np.sqrt(len(x))
        truth = [power[l] if k == l else 0.0 for k in range(4)]
        assert agree(products.mean(axis=1), truth, sampling(se) + rounding(1))


@pytest.mark.parametrize("d", [2, 3, 4])
def test_a_realised_power_is_exact(d):
    """Two centres in a plane: the mean square of a1 P_l(x0) + a2 P_l(c x0 + s x1), exactly."""
    w = [[1.0, *[0.0] * (d - 1)], [0.6, 0.8, *[0.0] * (d - 2)]]
    a = [1.0, -0.5]
    for l in (1, 2, 3):
        coefficients = legendre_coefficients(d, l)
        p = sum(
            Fraction(a_j) * c * polynomial(text) ** k
            for a_j, text in zip(a, ["x0", "3/5*x0 + 4/5*x1"], strict=True)
            for k, c in enumerate(coefficients)
        )
        square = mean_square(str(p), d)
        function = Target.from_power([0] * l + [2.0], d).realise(w, a)
        x = sphere(np.random.default_rng(l), 6, d)
        truth = sum(float(c) * np.prod(x**e, axis=1) for e, c in dense(str(p), d))
        truth *= np.sqrt(2.0 / float(square))
        assert agree(function.components_at(x)[l], truth, rounding(np.abs(truth).max(), 10))


def test_power_is_trimmed_and_read_only():
    target = Target.from_power([0, 1, 0, 0], 3)
    assert target.power.tolist() == [0.0, 1.0]
    assert target.degree == 1
    with pytest.raises(ValueError, match="read-only"):
        target.power[0] = 1
    assert Target.from_power([0, 0], 3).power.tolist() == [0.0]


def test_a_target_explains_itself():
    assert str(Target.polynomial("x0", 5)) == "target x0 on S^4; power per degree [0, 0.2]"
    assert "known by its power" in str(Target.from_power([1], 5))


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "d", "why"),
    [
        ("x0 + x7", 5, r"uses x7, but dimension 5 has x0 \.\. x4.*at least 8"),
        ("x5", 5, "uses x5"),
        ("y", 5, "'y', which is not a coordinate"),
        ("x", 5, "not a coordinate"),
        ("x01", 5, "not a coordinate"),
        ("x_1", 5, "not a coordinate"),
        ("__import__('os')", 5, "functions are not known"),
        ("9**9**9", 5, "power of a power"),
        ("", 5, "nothing is written"),
        ("x0", 1, "dimension = 1: give a whole number, at least 2"),
        ("x0", 2.5, "whole number"),
        ("x0", float("nan"), "whole number"),
        ("1e300*x0 + x1", 5, "range of float64"),
        ("1e-300*x0", 5, "range of float64"),
        (3, 5, "given as text"),
    ],
)
def test_a_wrong_polynomial_is_refused(text, d, why):
    with pytest.raises(InvalidInput, match=why):
        Target.polynomial(text, d)


@pytest.mark.parametrize(
    ("power", "d", "why"),
    [
        ([0, -1], 5, r"power\[1\] = -1.0 is negative"),
        ([0, float("nan")], 5, "finite"),
        ([], 5, "shape"),
        ([[1]], 5, "shape"),
        (["a"], 5, "list of numbers"),
        ([1e308] * 2, 5, "sums to inf"),
        ([1], 1, "at least 2"),
        ([1], True, "whole number"),
    ],
)
def test_a_wrong_power_is_refused(power, d, why):
    with pytest.raises(InvalidInput, match=why):
        Target.from_power(power, d)


@pytest.mark.parametrize(
    ("x", "why"),
    [
        ([[1.0, 0.0]], "shape"),
        ([1.0, 0.0, 0.0], "shape"),
        (np.zeros((0, 3)), "shape"),
        ([[1.0, 1.0, 0.0]], r"x\[0\] has length 1.41421: divide"),
        ([[1.0, 0.0, 0.0], [np.nan, 0.0, 1.0]], r"x\[1\] has length nan"),
        ([["a"]], "array of numbers"),
    ],
)
def test_wrong_points_are_refused(x, why):
    with pytest.raises(InvalidInput, match=why):
        Target.polynomial("x0", 3).components_at(x)
    with pytest.raises(InvalidInput, match=why):
        Target.from_power([0, 1], 3).realise([[1, 0, 0]], [1]).components_at(x)


def test_other_refusals():
    known_by_power = Target.from_power([0, 1], 3)
    with pytest.raises(InvalidInput, match=r"use target\.realise"):
        known_by_power.components_at([[1, 0, 0]])
    with pytest.raises(InvalidInput, match="2 coefficients for 1 centres"):
        known_by_power.realise([[1, 0, 0]], [1, 2])
    with pytest.raises(InvalidInput, match="cancel at degree 1"):
        known_by_power.realise([[1, 0, 0], [-1, 0, 0]], [1, 1])
    with pytest.raises(OutOfRegime, match="modes"):
        ZonalMixture(10**7, [0] * 64 + [1], np.eye(1, 10**7), [1])
    with pytest.raises(InvalidInput, match=r"build a target with Target\.polynomial"):
        Target(3, [0, 1], components=(polynomial("x0"),))


def test_cancelling_monomials_are_refused():
    """T_40 on the circle: coefficients of 10^14 that cancel to numbers of order one."""
    even = range(0, 41, 2)
    text = " + ".join(f"{comb(40, k) * (-1) ** (k // 2)}*x0^{40 - k}*x1^{k}" for k in even)
    target = Target.polynomial(text, 2)
    assert target.exact_power[40] == Fraction(1, 2)
    with pytest.raises(OutOfRegime, match="lower degree"):
        target.components_at([[1.0, 0.0]])


# Mutants: the oracle must see each of them --------------------------------------------------------

MUTANTS = [
    ("b /= -2 * s", "b /= 2 * s"),
    ("b /= -2 * s", "b /= -1 * s"),
    ("(d + 2 * m - 2 * s - 2)", "(d + 2 * m - 2 * s)"),
    ("2 * k * (2 * k + 2 * m + d - 2)", "2 * k * (2 * k + 2 * m + d)"),
    ("2 * k * (2 * k + 2 * m + d - 2)", "k * (2 * k + 2 * m + d - 2)"),
    ("value * exponent * (exponent - 1)", "value * exponent * exponent"),
    ("square / prod(d + 2 * k for k in range(m))", "square / prod(d + k for k in range(m))"),
    ("value**2 * prod(factorial", "value**2 * prod((lambda e: e)"),
]
OTHERS = [
    ("np.sqrt(G * modes / square)", "np.sqrt(G / square)"),
    ("a @ gram @ a", "a @ a"),
]


def all_right(Target):
    texts = [("x0^4 + x0^2*x1 - x1", 2), ("x0^3 + x1*x2*x0^2 + x1^4", 3)]
    for text, d in texts:
        try:
            found = Target.polynomial(text, d).exact_power
        except InvalidInput:  # a negative power: the value's own check was faster than the oracle
            return False
        if [exact_power(text, d, l) for l in range(len(found))] != list(found):
            return False
    w = [[1.0, 0.0], [0.6, 0.8]]
    one = Target.from_power([0, 1.0], 2).realise(w, [1.0, 1.0]).components_at([[1.0, 0.0]])
    return agree(one[1], 1.6 * np.sqrt(2 / (1.6**2 + 0.8**2)), rounding(1))


def spoiled_copy(of, good, spoiled):
    source = Path(of.__file__).read_text()
    assert source.count(good) == 1
    mutant = ModuleType(of.__name__)
    exec(source.replace(good, spoiled), mutant.__dict__)
    return mutant


@pytest.mark.parametrize(("good", "spoiled"), MUTANTS)
def test_a_spoiled_split_is_caught(good, spoiled, monkeypatch):
    assert all_right(Target)
    monkeypatch.setattr(module, "harmonic", spoiled_copy(harmonic, good, spoiled))
    assert not all_right(Target)


@pytest.mark.parametrize(("good", "spoiled"), OTHERS)
def test_a_spoiled_mixture_is_caught(good, spoiled):
    assert not all_right(spoiled_copy(module, good, spoiled).Target)
