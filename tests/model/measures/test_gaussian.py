"""Gaussian inputs: Mehler's formula against a dense grid, radius and angle against samples."""

from fractions import Fraction
from itertools import product
from math import factorial

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.measures import gaussian as module
from fieldtheory.model.measures.data import empirical_spectrum
from fieldtheory.model.measures.gaussian import (
    gaussian_dot_product,
    gaussian_homogeneous,
    gaussian_network,
    gaussian_rbf,
    gaussian_rbf_power,
    hermite_power,
    homogeneous_power,
    radius_moment,
    rbf_function,
)
from fieldtheory.model.network import Network
from tests.oracles.measures import gaussian_line
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, asymptotic, rounding, sampling

CASES = [(1.0, 1.0), (0.5, 1.0), (2.0, 0.3)]


def rbf(length):
    return lambda x, y: np.exp(-((x - y) ** 2) / (2 * length**2))


# RBF ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "variance"), CASES)
def test_one_coordinate_by_a_dense_grid(length, variance):
    values, functions, x, w = gaussian_line(rbf(length), variance)
    found = module.gaussian_rbf(1, length, variance, degrees=7)
    assert agree(found.eigenvalues, values[:8], rounding(1))
    assert np.all(np.abs(found.eigenvalues - values[:8]) <= found.errors + rounding(1))
    for k in range(8):
        phi = module.rbf_function(k, x, length, variance)
        assert agree(w @ phi**2, 1.0, rounding(1, 10))
        overlap = abs(np.sum(w * phi * np.where(w > 1e-300, functions[:, k], 0)))
        assert agree(overlap, 1.0, rounding(1, 1000))


@pytest.mark.parametrize(("length", "variance"), CASES)
def test_power_of_a_polynomial_by_a_dense_grid(length, variance):
    _, functions, x, w = gaussian_line(rbf(length), variance)
    power = module.gaussian_rbf_power("1 - 2*x0 + x0^3", 1, length, variance, degrees=7)
    overlaps = [np.sum(w * functions[:, k] * (1 - 2 * x + x**3)) for k in range(8)]
    assert agree(power, np.square(overlaps), rounding(1, 1000))


@pytest.mark.parametrize("d", [1, 2, 5, 200])
def test_the_trace_is_one(d):
    """sum_n binom(n+d-1, n) (2a/A)^(d/2) (b/A)^n = 1: listed modes and tail."""
    found = gaussian_rbf(d, length=np.sqrt(2 * d), degrees=60)
    assert agree(found.counts @ found.eigenvalues, 1.0, rounding(1, d) + found.tail)
    assert found.tail < 1e-6


def test_two_coordinates_are_a_product():
    """Modes of total degree n in the plane: all pairs of one-dimensional ones."""
    one, two = gaussian_rbf(1, degrees=5).eigenvalues, gaussian_rbf(2, degrees=5)
    for n in range(6):
        pairs = [one[k] * one[n - k] for k in range(n + 1)]
        assert len(pairs) == two.multiplicities[n]
        assert agree(pairs, two.eigenvalues[n], rounding(1))


def test_power_in_the_plane_by_all_pairs_of_modes():
    text, last = "x0*x1 + x0^2 - 1/2", 6
    z, w = np.polynomial.hermite_e.hermegauss(60)
    w = w / w.sum()
    phi = np.array([rbf_function(k, z) for k in range(last + 1)])
    values = z[:, None] * z[None, :] + z[:, None] ** 2 - 0.5
    overlaps = (phi * w) @ values @ (phi * w).T
    truth = np.zeros(last + 1)
    for j, k in product(range(last + 1), repeat=2):
        if j + k <= last:
            truth[j + k] += overlaps[j, k] ** 2
    assert agree(gaussian_rbf_power(text, 2, degrees=last), truth, rounding(1, 100))


@pytest.mark.parametrize("d", [1, 3, 40])
def test_all_power_is_found(d):
    """E[(x0 + x0^2/2)^2] = 1 + 3/4; the modes are complete."""
    power = gaussian_rbf_power("x0 + 1/2*x0^2", d, length=np.sqrt(4.0 * d), degrees=120)
    assert np.all(power >= 0)
    assert agree(power.sum(), 1.75, rounding(1, 10**4))


@pytest.mark.slow
def test_a_sample_has_these_modes():
    """Eigenvalues of 1500 Gaussian points, the degree's mean corrected for its bias."""
    truth, rows = gaussian_rbf(3, length=2.0), []
    rng = np.random.default_rng(0)
    for _ in range(12):
        x = rng.standard_normal((800, 3))
        found = empirical_spectrum(lambda a, b, c: np.exp(-(a + b - 2 * c) / 8), x, modes=10)
        lam = found.corrected()
        rows.append([lam[0], lam[1:4].mean(), lam[4:10].mean()])
    mean, se = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(len(rows))
    assert agree(
        mean, truth.eigenvalues[:3], sampling(se) + asymptotic(truth.eigenvalues[:3] / 400)
    )


# Hermite power ------------------------------------------------------------------------------------


def gaussian_moment(exponents, v):
    total = Fraction(1)
    for e in exponents:
        if e % 2:
            return Fraction(0)
        total *= Fraction(factorial(e), 2 ** (e // 2) * factorial(e // 2)) * v ** (e // 2)
    return total


BY_HAND = [
    ("x0^3 + x1", 2, 1, [0, 10, 0, 6]),
    ("x0*x1", 7, 2, [0, 0, 4]),
    ("x0^2", 1, 1, [1, 0, 2]),
    ("3", 2, 1, [9]),
    ("x0^2 + x1^2 - 2", 2, 1, [0, 0, 4]),
]


@pytest.mark.parametrize(("text", "d", "v", "power"), BY_HAND)
def test_hermite_power_by_hand(text, d, v, power):
    assert list(module.hermite_power(text, d, v)) == power


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4), st.integers(0, 4)), min_size=1),
    st.fractions(Fraction(1, 5), 5, max_denominator=9),
)
def test_hermite_power_sums_to_the_mean_square(terms, v):
    terms = terms[:5]
    text = " + ".join(f"{c}*x0^{i}*x1^{j}/3" for c, i, j in terms)
    square = sum(
        Fraction(c * e, 9) * gaussian_moment((i + k, j + l), v)
        for (c, i, j), (e, k, l) in product(terms, repeat=2)
    )
    assert sum(hermite_power(text, 9, v)) == square


# Radius and angle ---------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 1, 2, 3.5, 8])
@pytest.mark.parametrize("d", [1, 2, 7])
def test_moments_of_the_radius(d, order):
    v = mpmath.mpf("1.7")

    def density(r):
        return r ** (d - 1) * mpmath.exp(-(r**2) / (2 * v))

    edges = [0, 2, 5, 10, 40]
    truth = mpmath.quad(lambda r: r**order * density(r), edges) / mpmath.quad(density, edges)
    assert agree(radius_moment(d, order, 1.7), float(truth), rounding(float(truth), 10))


def test_a_linear_network_has_one_degree():
    found = gaussian_network(Network(1, bias_variance=0, weight_variance=2.0), 5, 3.0, degrees=1)
    assert agree(found.eigenvalues, [0.0, 2.0 * 3.0 / 5], rounding(1, 10))
    assert agree(found.trace, 6.0, rounding(6))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["ntk", "nngp"])
def test_a_homogeneous_network_by_a_sample(kernel):
    net = Network(3, bias_variance=0, weight_variance=2, kernel=kernel)
    truth, rng, rows = gaussian_network(net, 4, 1.5).eigenvalues, np.random.default_rng(3), []
    for _ in range(12):
        x = np.sqrt(1.5) * rng.standard_normal((700, 4))
        lam = empirical_spectrum(net, x).corrected()
        rows.append([lam[:5].sum(), lam[5:14].mean()])
    expected = np.array([truth[0] + 4 * truth[1], truth[2]])
    mean, se = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(len(rows))
    assert agree(mean, expected, sampling(se) + asymptotic(expected / 100))


RADIAL = [
    ("x0^3 + x0 - x1", 1, lambda x: x[:, 0] ** 3 + x[:, 0] - x[:, 1]),
    ("x0*x1 + x2^4 + 2", 2, lambda x: x[:, 0] * x[:, 1] + x[:, 2] ** 4 + 2),
]


@pytest.mark.parametrize(("text", "order", "function"), RADIAL)
def test_power_with_a_radius_by_sampling(text, order, function):
    """G_l = deg(l) E E [phi(x) phi(y) P_l] with phi = p |x|^k / sqrt(E |x|^2k)."""
    d, v, rng = 3, 0.7, np.random.default_rng(4)
    power = module.homogeneous_power(text, d, order, v)
    x, y = np.sqrt(v) * rng.standard_normal((2, 400_000, d))
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    t = np.einsum("ad,ad->a", x, y) / lengths
    scale = np.mean(np.sum(x**2, axis=1) ** order)
    for l in range(power.size):
        draws = (2 * l + 1) * function(x) * function(y) * lengths**order / scale
        draws = draws * np.polynomial.legendre.legval(t, [0] * l + [1])
        se = draws.std(ddof=1) / np.sqrt(len(draws))
        assert agree(draws.mean(), power[l], sampling(se) + rounding(1))


def monomial_modes(coefficients, v):
    """The same kernel in two dimensions as a matrix on monomials x^i y^j, moments by hand."""
    basis, scale = [], []
    for q, b in enumerate(coefficients):
        for i in range(q + 1):
            basis.append((i, q - i))
            scale.append(np.sqrt(b * factorial(q) / (factorial(i) * factorial(q - i))))
    matrix = [
        [
            s * u * float(gaussian_moment((a[0] + b[0], a[1] + b[1]), Fraction(v)))
            for b, u in zip(basis, scale, strict=True)
        ]
        for a, s in zip(basis, scale, strict=True)
    ]
    return np.linalg.eigvalsh(matrix)[::-1]


@pytest.mark.parametrize("coefficients", [[1, 2, 1], [0.5, 0, 0.3, 0.1], [0, 0, 0, 0, 1]])
def test_a_polynomial_kernel_by_its_monomials(coefficients):
    found = module.gaussian_dot_product(coefficients, 2, 0.5)
    every = np.sort(np.repeat(found.eigenvalues, found.multiplicities))[::-1]
    truth = monomial_modes(coefficients, "1/2")
    assert agree(every, truth[: every.size], rounding(truth[0], 10))
    assert agree(truth[every.size :], 0, rounding(truth[0], 10))
    assert agree(every.sum(), found.trace, rounding(found.trace, 10))
    assert found.tail == 0


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "error", "why"),
    [
        (lambda: gaussian_rbf(0), InvalidInput, "dimension = 0"),
        (lambda: gaussian_rbf(2, length=0), InvalidInput, "length = 0"),
        (lambda: gaussian_rbf(2, variance=-1), InvalidInput, "variance = -1"),
        (lambda: gaussian_rbf(2, degrees=151), OutOfRegime, "at most 150"),
        (lambda: gaussian_rbf(10**6, degrees=100), OutOfRegime, "fewer degrees"),
        (lambda: gaussian_rbf_power("x3", 2), InvalidInput, "dimension 2 has x0"),
        (lambda: hermite_power("x0", 2, 0.5), InvalidInput, "needs an int or a Fraction"),
        (lambda: hermite_power("x0", 2, 0), InvalidInput, "not positive"),
        (lambda: gaussian_network(Network(2), 3), OutOfRegime, "ReLU without bias alone"),
        (lambda: gaussian_network(Network(2, "erf"), 3), OutOfRegime, "use the sphere"),
        (lambda: gaussian_dot_product([0, 0], 3), InvalidInput, "learns nothing"),
        (lambda: gaussian_dot_product([0, -1], 3), InvalidInput, "negative"),
        (lambda: gaussian_dot_product([1] * 66, 3), OutOfRegime, "at most 64"),
        (lambda: gaussian_dot_product([1] * 60, 3, 1e9), OutOfRegime, "leaves float64"),
    ],
)
def test_wrong_questions(ask, error, why):
    with np.errstate(over="ignore"), pytest.raises(error, match=why):
        ask()


# Mutants ------------------------------------------------------------------------------------------


def all_right():
    test_one_coordinate_by_a_dense_grid(0.5, 1.0)
    test_power_of_a_polynomial_by_a_dense_grid(0.5, 1.0)
    test_hermite_power_by_hand(*BY_HAND[0])
    test_hermite_power_by_hand(*BY_HAND[2])
    test_a_polynomial_kernel_by_its_monomials([0.5, 0.1, 0.3, 0.1])
    test_power_with_a_radius_by_sampling(*RADIAL[0])


@pytest.mark.parametrize(
    ("function", "good", "spoiled"),
    [
        ("_widths", "a * a + 2 * a * b", "a * a + a * b"),
        ("_widths", "(4 * ", "(2 * "),
        ("gaussian_rbf", "b / (a + b + c)", "b / (a + b)"),
        ("_hermite_functions", "np.sqrt(k / (k + 1))", "np.sqrt(k / (k + 2))"),
        ("rbf_function", "-(c - a)", "-(c + a)"),
        ("_rbf_overlaps", "2 * a / (a + c)", "a / (a + c)"),
        ("_hermite", "2**j", "3**j"),
        ("hermite_power", "* factorial(k)", "* factorial(k + 1)"),
        ("radius_moment", "np.log(2 * variance)", "np.log(variance)"),
        ("homogeneous_power", "radius_moment(d, k + n, v)", "radius_moment(d, n, v)"),
        ("_parallel", "(a - b) / 4", "(a - b) / 2"),
        ("gaussian_dot_product", "np.sqrt(b[q] * a)", "np.sqrt(b[q]) * a"),
    ],
)
@pytest.mark.slow
def test_mutants(monkeypatch, function, good, spoiled):
    spoil(monkeypatch, getattr(module, function), good, spoiled)
    assert not survives(all_right)


def test_unspoiled_is_right():
    all_right()
    gaussian_homogeneous(Kernel("t", lambda t, xp: t), 3)
    assert homogeneous_power("0", 3).tolist() == [0.0]
