"""Planar and crossing diagrams: the sums of each class against the partitions it is made of."""

from collections import Counter
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.compiler import plan
from fieldtheory.compiler.program import compile_expression
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.theory import laws, learning
from fieldtheory.theory.action import Action
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.samples import structure
from fieldtheory.theory.samples.partitions import is_interval, partitions, word
from tests.oracles.crossings import Dual, Series, Sorted
from tests.oracles.partitions import Learning
from tests.strategies import learning_problems
from tests.theory.derived import derived
from tests.tolerance import agree, rounding

GENERIC = (
    [Fraction(1, 3), Fraction(2, 3)],
    [[Fraction(1), Fraction(1, 3)], [Fraction(1, 3), Fraction(3, 4)]],
    [Fraction(1), Fraction(-1, 2)],
    Fraction(5),
    Fraction(1, 2),
)

# -- diagrams are partitions ---------------------------------------------------------------------


def partitions_of(order, sites):
    return (one for one in partitions(sites, singletons=False) if sites - len(set(one)) == order)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_every_partition_is_one_diagram_of_the_mean(order):
    found = derived("mean", order).diagrams
    truth = [one for sites in range(2 * order + 1) for one in partitions_of(order, sites)]
    assert Counter(map(structure.partition, found)) == Counter(truth)
    assert {diagram.symmetry for diagram in found} == {1}


@pytest.mark.parametrize("order", [1, 2])
def test_every_cut_partition_is_one_diagram_of_the_error(order):
    """Two lines: a partition, and the place of the seam, anywhere from its start to its end."""
    found = derived("error", order).diagrams
    truth = Counter()
    for sites in range(2 * order + 1):
        for one in partitions_of(order, sites):
            truth[one] += sites + 1
    assert Counter(map(structure.partition, found)) == truth
    assert {diagram.symmetry for diagram in found} == {1}


@pytest.mark.slow
@pytest.mark.parametrize("order", [1, 2, 3])
def test_partitions_of_the_covariance_join_both_lines(order):
    for diagram in derived("covariance", order).diagrams:
        first, second = structure.lines(diagram)
        assert set(first) & set(second)


def test_posterior_variance_is_one_line_from_leg_to_leg():
    series = learning.posterior_variance(2)
    found = Counter(structure.partition(diagram) for diagram in series.diagrams)
    assert found == Counter(map(word, ("xxx", "xxyy", "xyxy", "xyyx")))


@pytest.mark.slow
def test_noise_and_a_fixed_number_of_samples_are_read_too():
    for diagram in learning.label_noise(2).diagrams:
        first, second = structure.lines(diagram)
        assert first[-1] == second[-1]  # the noise that both lines end on
    series = derived("error", 2, "fixed")
    crossing = structure.part(series, "crossing").terms
    assert len(crossing) + len(structure.part(series).terms) == len(series.terms)
    assert all(term.factor == 1 for term in crossing)  # insertions are single sites: no crossing


@pytest.mark.parametrize("quantity", ["mean", "covariance", "error"])
def test_planar_and_crossing_are_everything(quantity):
    for order in (0, 1, 2):
        series = derived(quantity, order)
        two = [structure.part(series, kind) for kind in structure.CLASSES]
        assert Counter(two[0].terms + two[1].terms) == Counter(series.terms)
        assert sp.expand(two[0].expression + two[1].expression - series.expression) == 0
        assert bool(two[1].terms) == (order == 2)


def test_the_first_crossing_diagram_of_the_mean():
    (crossing,) = structure.part(learning.mean(2), "crossing").terms
    x, one, two = sp.symbols("x z_1 z_2")
    C, r, eta, s2 = sp.Function("C"), sp.Function("r"), learning.eta, learning.s2
    shown = [
        eta**2 / s2**4 * sp.Integral(C(x, y) * C(one, two) ** 3 * r(z), one, two)
        for y, z in ((one, two), (two, one))
    ]
    assert crossing.value in shown


# -- order by order, exactly ---------------------------------------------------------------------

HIGHEST = 4


@cache
def functional(samples):
    """D_11, D_12, D_22 of components of exactly that many blocks, as functions of numbers."""
    names = sp.symbols("g11 g12 g22 m1 m2 eta s2")
    g11, g12, g22, m1, m2, eta, s2 = names
    medium = sp.Matrix([[g11, g12], [g12, g22]])
    total = structure.self_energy(medium, [m1, m2], eta, s2, samples)
    if samples > 1:
        total -= structure.self_energy(medium, [m1, m2], eta, s2, samples - 1)
    half = sp.Symbol("half")  # printed as 1/2 it would be a float
    entries = [total[n].xreplace({sp.S.Half: half}) for n in (0, 1, 3)]
    function = sp.lambdify([*names, half], entries, modules=[{}], cse=True)
    return lambda *values: function(*values, Fraction(1, 2))


@pytest.mark.slow
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_self_energy_is_symmetric(samples):
    medium = sp.Matrix(2, 2, [sp.Rational(n, 9) for n in (4, 1, 1, 3)])
    found = structure.self_energy(medium, [sp.Rational(1, 3), sp.Rational(2, 3)], 5, 2, samples)
    assert found == found.T
    assert found.is_diagonal() == (samples == 1)


def propagator(problem, samples, order, source=False):
    """G = (1/K + J mu + D[G])^-1 in powers of 1/eta at fixed eta/s2, by iteration.

    With eta -> eta/eps, s2 -> s2/eps a component of b blocks is eps^(1 - b) D_b[eps G].
    """
    mu, kernel, _, eta, s2 = problem
    one = Dual([Fraction(1), Fraction(0)])

    def lifted(values, shift=0):
        """The same times eps^shift, with room for what a division by eps takes away."""
        terms = [Fraction(0)] * shift + list(values)
        return Series([one * term for term in (terms + [Fraction(0)] * size)[:size]])

    size = order + samples + 1
    det = kernel[0][0] * kernel[1][1] - kernel[0][1] ** 2
    inverse = [kernel[1][1] / det, -kernel[0][1] / det, kernel[0][0] / det]
    marks = [Dual([Fraction(0), m * source]) for m in (mu[0], Fraction(0), mu[1])]
    self_energy = [lifted([eta * m / s2]) for m in (mu[0], Fraction(0), mu[1])]
    for _ in range(order + 1):
        a, b, c = (
            d + base + mark for d, base, mark in zip(self_energy, inverse, marks, strict=True)
        )
        over = lifted([1]) / (a * c - b * b)
        medium = [c * over, -b * over, a * over]
        shifted = [lifted(entry.terms, shift=1) for entry in medium]
        self_energy = [lifted([0])] * 3
        for blocks in range(1, samples + 1):
            parts = functional(blocks)(*shifted, *mu, eta, s2)
            self_energy = [
                known + lifted((part * lifted([1])).terms[blocks - 1 :])
                for known, part in zip(self_energy, parts, strict=True)
            ]
    return medium


def applied(problem, medium):
    """1/K g, and G 1/K g as rows of coefficients."""
    _, kernel, target, _, _ = problem
    det = kernel[0][0] * kernel[1][1] - kernel[0][1] ** 2
    g = [
        (kernel[1][1] * target[0] - kernel[0][1] * target[1]) / det,
        (kernel[0][0] * target[1] - kernel[0][1] * target[0]) / det,
    ]
    a, b, c = medium
    return g, [a * g[0] + b * g[1], b * g[0] + c * g[1]]


def sorted_oracle(problem, samples):
    oracle = Sorted(*problem)
    oracle.largest = samples
    return oracle


@pytest.mark.slow
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_mean_is_the_sum_over_its_partitions_to_fourth_order(samples):
    check_mean(GENERIC, samples, HIGHEST)


@settings(max_examples=5)
@given(problem=learning_problems(points=2), samples=st.sampled_from([1, 2]))
def test_mean_is_the_sum_over_its_partitions_for_any_measure(problem, samples):
    check_mean(problem, samples, 2)


def check_mean(problem, samples, order):
    _, found = applied(problem, propagator(problem, samples, order))
    oracle = sorted_oracle(problem, samples)
    for n in range(order + 1):
        assert [-row.terms[n].terms[0] for row in found] == oracle.mean(n)


@pytest.mark.slow
def test_components_of_n_samples_make_n_orders_exact():
    """The first neglected component of n + 1 blocks is of order n + 1."""
    whole = Learning(*GENERIC)
    for samples in (1, 2, 3):
        _, found = applied(GENERIC, propagator(GENERIC, samples, samples + 1))
        rows = [[-row.terms[n].terms[0] for row in found] for n in range(samples + 2)]
        assert rows[: samples + 1] == [whole.mean(n) for n in range(samples + 1)]
        if samples < 3:
            assert rows[samples + 1] != whole.mean(samples + 1)


@pytest.mark.parametrize("samples", [1, 2])
def test_error_is_the_response_to_a_source(samples):
    check_error(GENERIC, samples, 2)


@pytest.mark.slow
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_error_is_the_response_to_a_source_at_third_order(samples):
    check_error(GENERIC, samples, 3)


def check_error(problem, samples, order):
    """The average of int h^2 is -d/dJ of g 1/K G 1/K g: lines read through the seam."""
    medium = propagator(problem, samples, order, source=True)
    g, row = applied(problem, medium)
    total = row[0] * g[0] + row[1] * g[1]
    oracle = sorted_oracle(problem, samples)
    assert [-total.terms[n].terms[1] for n in range(order + 1)] == [
        oracle.error(n) for n in range(order + 1)
    ]


@pytest.mark.parametrize("spoilt", ["double", "bare", "sign"])
def test_a_spoilt_self_energy_is_rejected(monkeypatch, spoilt):
    c, s2 = structure.loop, learning.s2
    wrong = {"double": 1 / (s2 + 2 * c), "bare": 1 / s2, "sign": 1 / (s2 - c)}[spoilt]
    monkeypatch.setattr(structure, "t_matrix", lambda: wrong)
    functional.cache_clear()
    _, found = applied(GENERIC, propagator(GENERIC, 1, 1))
    functional.cache_clear()
    oracle = sorted_oracle(GENERIC, 1)
    assert [-row.terms[1].terms[0] for row in found] != oracle.mean(1)


# -- the engine's diagrams, numerically ------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "order"),
    [
        ("mean", 1),
        ("error", 1),
        ("mean", 2),
        ("error", 2),
        pytest.param("mean", 3, marks=pytest.mark.slow),
        pytest.param("error", 3, marks=pytest.mark.slow),
    ],
)
def test_planar_diagrams_are_the_planar_sum(quantity, order):
    """compiler.plan's contraction of the engine's planar diagrams, and of the crossing ones."""
    mu, kernel, target, eta, s2 = GENERIC
    series = derived(quantity, order)
    numbers = {
        "mu": [float(m) for m in mu],
        "kernel": [[float(value) for value in row] for row in kernel],
        "target": [float(value) for value in target],
    }
    planar = np.array(getattr(sorted_oracle(GENERIC, 1), quantity)(order), dtype=float)
    whole = np.array(getattr(Learning(*GENERIC), quantity)(order), dtype=float)
    for kind, truth in (("planar", planar), ("crossing", whole - planar)):
        part = structure.part(series, kind)
        found = plan.evaluate(part, **numbers, eta=float(eta), s2=float(s2))
        assert agree(found, truth, rounding(np.max(np.abs(whole)), operations=100))


@pytest.mark.slow
def test_the_mean_at_fourth_order():
    """Long to list, so both at once: what the diagrams are, and what they add up to."""
    test_every_partition_is_one_diagram_of_the_mean(HIGHEST)
    test_planar_diagrams_are_the_planar_sum("mean", HIGHEST)


# -- the resummed equations ------------------------------------------------------------------------


def test_t_matrix_is_the_sum_of_visits():
    """Every free cumulant of the Poisson process is eta/s2^n."""
    c, s2 = structure.loop, learning.s2
    visits = sum((-c) ** (n - 1) / s2**n for n in range(1, 9))
    assert sp.expand(sp.series(structure.t_matrix(), c, 0, 8).removeO() - visits) == 0
    assert structure.effective_ridge() == s2 + c


def test_tadpoles_are_the_partitions_into_runs():
    """Sum the interval partitions of a one-point line, block of n worth -eta (-1/s2)^n, order by
    order in c: they are G = c - c D c + ... with D = eta/(s2 + c), on the bare c. Runs of one
    are already in it."""
    c, t = sp.symbols("c t", positive=True)
    eta, s2, size = learning.eta, learning.s2, 7
    listed = sum(
        sp.Mul(*(eta * (-t / s2) ** n for n in Counter(one).values())) * c ** (sites + 1)
        for sites in range(size)
        for one in partitions(sites, singletons=False)
        if is_interval(one)
    )
    change = eta * structure.t_matrix().subs(structure.loop, t * c) * t - eta * t / s2
    summed = sp.series(c / (1 + c * change), t, 0, size).removeO()
    assert sp.expand(summed - listed) == 0


def test_the_quoted_planar_laws_are_the_derived_ones():
    assert structure.self_consistent() == laws.SELF_CONSISTENT.statement
    assert sp.simplify(structure.planar_error() - laws.PLANAR_ERROR.statement) == 0
    spoilt = laws.PLANAR_ERROR.statement.subs(structure.gamma, 2 * structure.gamma)
    assert sp.simplify(structure.planar_error() - spoilt) != 0


def test_planar_curves_solve_the_derived_equations():
    spectrum = Spectrum.of([0.5, 0.1, 0.02, 0.003], dimension=4)
    power, samples = np.array([0.1, 0.5, 0.3, 0.1]), np.array([5.0, 20.0, 80.0])
    lam, deg = spectrum.eigenvalues, spectrum.counts
    kappa = effective_ridge(spectrum, samples, ridge=0.05)
    equation = compile_expression("eta", structure.self_consistent(), ["lam", "deg", "s2", "kappa"])
    assert agree(equation(lam, deg, 0.05, kappa), samples, rounding(samples, operations=10))
    error = compile_expression(
        "error", structure.planar_error(), ["lam", "G", "kappa", "gamma", "noise"]
    )
    gamma = np.sum(deg * (lam / (lam + kappa[:, None])) ** 2, axis=-1) / samples
    bias, variance = mode_errors(spectrum, power, samples, kappa, noise=0.2)
    total = np.sum(bias + variance, axis=-1)
    assert agree(error(lam, power, kappa, gamma, 0.2), total, rounding(total, operations=10))


def test_tadpoles_are_planar_at_first_order_only():
    """On one mode at eta -> eta/eps, s2 -> s2/eps: D agrees through first order in eps."""
    eps, lam = sp.Rational(1, 1000), sp.Rational(1, 2)
    l, L = sp.symbols("l L", integer=True)
    kappa = structure.kappa
    one = {L: 0, learning.eta: 3 / eps, learning.s2: 1 / eps}
    value = structure.tadpoles().subs(one).doit()
    value = value.subs({laws.mode("lam").subs(l, 0): lam, laws.mode("deg").subs(l, 0): 1})
    bare = 1 / (1 / lam + 3)
    assert value == 3 / eps / (1 / eps + bare)
    planar = next(
        1 / root
        for root in sp.solve(lam / (lam + kappa) + 1 / eps / kappa - 3 / eps, kappa)
        if root > 0
    )
    assert 0 < abs(planar - value) < 20 * eps**2


# -- bad input -------------------------------------------------------------------------------------


def bubble():
    (one,) = diagrams(Action.phi(4), legs=0, order=1)
    return one


def tadpole():
    (one,) = diagrams(Action.phi(4), legs=2, order=1, connected=True)
    return one


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        (lambda: structure.partition(bubble()), InvalidInput, "no leg leads to"),
        (lambda: structure.partition(tadpole()), InvalidInput, "passes through pairs"),
        (lambda: structure.part(learning.mean(1), "plane"), InvalidInput, "planar"),
        (
            lambda: structure.self_energy(sp.eye(2), [1], 1, 1),
            InvalidInput,
            "1 x 1 matrix",
        ),
        (
            lambda: structure.self_energy(sp.eye(1), [1], 1, 1, samples=4),
            OutOfRegime,
            "1 to 3 samples",
        ),
    ],
)
def test_bad_input(wrong, kind, says):
    with pytest.raises(kind, match=says):
        wrong()
