"""The learning series: diagrams = set partitions, exactly; formulas as on the page; Poisson."""

from fractions import Fraction
from itertools import product

import pytest
import sympy as sp
from hypothesis import given, settings
from sympy.functions.combinatorial.numbers import stirling

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory import learning
from fieldtheory.theory.amplitude import coupling
from fieldtheory.theory.learning import eta, s2
from tests.oracles.partitions import Learning
from tests.strategies import learning_problems
from tests.theory.derived import derived

# -- the formulas of the paper ------------------------------------------------------------------

x, y, z = sp.symbols("x y z_1")
C, r = sp.Function("C"), sp.Function("r")


def test_the_mean_at_first_order():
    expected = eta / s2**2 * sp.Integral(C(x, z) * C(z, z) * r(z), z)
    assert learning.mean(order=1).expression == expected


def test_the_covariance_at_first_order():
    expected = eta / s2**2 * sp.Integral(C(x, z) * C(y, z) * r(z) ** 2, z)
    assert learning.covariance(order=1).expression == expected


def test_the_error_at_first_order():
    mixed = 2 * eta / s2**2 * sp.Integral(C(x, z) * C(z, z) * r(x) * r(z), z, x)
    spread = eta / s2**2 * sp.Integral(C(x, z) ** 2 * r(z) ** 2, z, x)
    assert learning.error(order=1).expression == mixed + spread


def test_order_zero_is_the_equivalent_kernel():
    assert learning.mean(order=0).expression == r(x)
    assert learning.covariance(order=0).expression == 0
    assert learning.error(order=0).expression == sp.Integral(r(x) ** 2, x)


def test_vertices_come_in_all_strand_resolutions():
    """The resolved vertices add up to eta (-1)^n/(n! (2 s2)^n) (q + 2 c + b)^n, M strands each."""
    a, b, c = sp.symbols("a b c")
    strands = {("zeta", "zeta"): a, ("r", "zeta"): b, ("r", "r"): c}
    for n in (2, 3, 4):
        total = sp.Add(
            *(
                vertex.coupling / vertex.symmetry * sp.Mul(*(strands[s] for s in vertex.strands))
                for vertex in learning.action(3).vertices
                if vertex.order == n - 1
            )
        )
        page = eta * (-1) ** n / (sp.factorial(n) * (2 * s2) ** n) * (a + 2 * b + c) ** n
        assert sp.expand(total - page) == 0


NOISE = sp.Rational(2, 3)  # of the labels, in the evidence

# -- against set partitions, exactly ---------------------------------------------------------------


def evaluated(term, problem, corners):
    """A term on a finite measure, in Fractions: every vertex on every point."""
    mu, _, _, number, ridge = problem[0]
    line, background = problem[1]
    diagram = term.diagram
    symbols = {eta: sp.Rational(str(number)), s2: sp.Rational(str(ridge)), learning.v: NOISE}
    front = sp.Rational((term.factor * term.weight * coupling(diagram)).subs(symbols))
    total = Fraction(0)
    for places in product(range(len(mu)), repeat=len(diagram.vertices)):
        at = dict(enumerate(places)) | {-n - 1: corner for n, corner in enumerate(corners)}
        value = Fraction(1)
        for place in places:
            value *= mu[place]
        for a, b, _ in diagram.vertex_edges:
            value *= line[at[a]][at[b]]
        for vertex, strand in zip(diagram.owners, diagram.strands, strict=True):
            value *= background[at[vertex]] ** strand.count("r")
        for n, name in enumerate(diagram.legs):
            value *= background[corners[n]] if name == "r" else 1
        total += value
    return total * Fraction(int(front.p), int(front.q)) / term.symmetry


def prepared(problem):
    """C and r by SymPy's inverse, in Fractions."""
    mu, kernel, target, number, ridge = problem
    points = range(len(mu))

    def rational(rows):
        return sp.Matrix([[sp.Rational(str(value)) for value in row] for row in rows])

    gram, weights = rational(kernel), sp.diag(*(sp.Rational(str(m)) for m in mu))
    system = sp.eye(len(mu)) + sp.Rational(str(number / ridge)) * gram * weights
    line = system.inv() * gram
    background = -system.inv() * rational([[value] for value in target])

    def back(value):
        return Fraction(int(value.p), int(value.q))

    rows = [[back(line[i, k]) for k in points] for i in points]
    return problem, (rows, [back(background[i]) for i in points])


def summed(terms, ready, quantity):
    mu = ready[0][0]
    points = range(len(mu))
    if quantity == "mean":
        return [sum(evaluated(t, ready, [i]) for t in terms) for i in points]
    if quantity == "posterior variance":
        return [sum(evaluated(t, ready, [i, i]) for t in terms) for i in points]
    if quantity == "evidence":
        return sum(evaluated(t, ready, []) for t in terms)
    if quantity == "covariance":
        return [[sum(evaluated(t, ready, [i, k]) for t in terms) for k in points] for i in points]
    return sum(mu[i] * evaluated(t, ready, [i, i]) for t in terms for i in points)


QUANTITIES = ("mean", "covariance", "error")


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("order", [0, 1])
@settings(max_examples=10, deadline=None)
@given(problem=learning_problems(points=3))
def test_engine_is_the_partition_sum(quantity, order, problem):
    terms = derived(quantity, order).terms
    oracle = getattr(Learning(*problem), quantity)(order)
    assert summed(terms, prepared(problem), quantity) == oracle


@pytest.mark.parametrize("quantity", QUANTITIES)
@settings(max_examples=2, deadline=None)
@given(problem=learning_problems(points=2))
def test_engine_is_the_partition_sum_at_second_order(quantity, problem):
    terms = derived(quantity, 2).terms
    oracle = getattr(Learning(*problem), quantity)(2)
    assert summed(terms, prepared(problem), quantity) == oracle


GENERIC = (
    [Fraction(1, 2), Fraction(1, 2)],
    [[Fraction(1), Fraction(1, 3)], [Fraction(1, 3), Fraction(3, 4)]],
    [Fraction(1), Fraction(-1, 2)],
    Fraction(5),
    Fraction(1, 2),
)


@pytest.mark.slow
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_engine_is_the_partition_sum_at_third_order(quantity):
    terms = derived(quantity, 3).terms
    oracle = getattr(Learning(*GENERIC), quantity)(3)
    assert summed(terms, prepared(GENERIC), quantity) == oracle


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("order", [1, 2])
def test_partitions_reject_every_mutant(quantity, order):
    terms = derived(quantity, order).terms
    truth = getattr(Learning(*GENERIC), quantity)(order)
    ready = prepared(GENERIC)
    for n, term in enumerate(terms):
        rest = (*terms[:n], *terms[n + 1 :])
        assert summed(rest, ready, quantity) != truth, "a dropped diagram went unseen"
        for factor in (-1, 2, sp.Rational(1, 2)):
            spoiled = learning.Term(
                term.diagram, term.symmetry, term.weight, term.amplitude, factor * term.factor
            )
            assert summed((*rest, spoiled), ready, quantity) != truth


@pytest.mark.parametrize("order", [0, 1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_the_posterior_variance_is_the_partition_sum(order):
    terms, ready = derived("posterior_variance", order).terms, prepared(GENERIC)
    truth = Learning(*GENERIC).posterior(order)
    assert summed(terms, ready, "posterior variance") == truth
    for n in range(len(terms)):
        assert summed(terms[:n] + terms[n + 1 :], ready, "posterior variance") != truth


@pytest.mark.parametrize("order", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_the_evidence_is_the_partition_sum(order):
    terms, ready = derived("evidence", order).terms, prepared(GENERIC)
    truth = Learning(*GENERIC).evidence(order, Fraction(2, 3))
    assert summed(terms, ready, "evidence") == truth
    for n in range(len(terms)):
        assert summed(terms[:n] + terms[n + 1 :], ready, "evidence") != truth


def test_the_evidence_without_diagrams():
    """The saddle at the mean density and the determinant, on a finite measure, by inserting one
    point: K = 1, g = 1: -1/2 a/(1 + a) - 1/2 log(1 + a) - a v/2 with a = eta/s2."""
    x, u = sp.symbols("x u")
    a = sp.Symbol("a", positive=True)
    one_point = {sp.Function("g")(x): 1, sp.Function("r")(x): -1 / (1 + a)}
    classical = learning.evidence(order=0).classical.subs(one_point)
    classical = classical.subs(sp.Function("C")(x, x, u), 1 / (1 + u)).subs(eta, a * s2)
    value = sp.simplify(classical.replace(sp.Integral, over_one_point))
    expected = -a / (1 + a) / 2 - sp.log(1 + a) / 2 - a * learning.v / 2
    assert sp.simplify(value - expected) == 0


def over_one_point(function, *limits):
    """An integral over the input measure of one point is the value there; others are done."""
    kept = [limit for limit in limits if len(limit) > 1]
    return sp.integrate(function, *kept) if kept else function


def test_the_number_of_diagrams_is_the_number_of_partitions():
    """One line: partitions of n sites without singletons, n - blocks = order: 1, 4, 26."""
    assert [len(derived("mean", order).terms) for order in (0, 1, 2, 3)] == [1, 1, 4, 26]


# -- from Poisson to fixed ----------------------------------------------------------------------


@pytest.mark.parametrize("power", [0, 1, 2, 3])
def test_fixed_inverts_the_poisson_mixture(power):
    """E[N^k] over Poisson(eta) is sum_j S(k, j) eta^j; from it the operator gives back eta^k."""
    orders = tuple(stirling(power, power - p) * eta ** (power - p) for p in range(power + 1))
    assert sp.expand(learning.fixed(orders, order=power)) == eta**power


def test_the_first_correction_is_minus_half_n_times_the_second_derivative():
    """Exactly: with F the Poisson mixture of f_N = N(N-1), F = eta^2, f_N = F - (N/2) F''."""
    terms = 60
    mixture = sum(sp.Rational(2) ** n / sp.factorial(n) * n * (n - 1) for n in range(terms)) / sum(
        sp.Rational(2) ** n / sp.factorial(n) for n in range(terms + 2)
    )
    assert abs(mixture - 4) < sp.Rational(2) ** terms / sp.factorial(terms - 4)
    assert learning.fixed((eta**2, 0), order=1) == eta**2 - eta
    assert sp.expand(learning.fixed((eta**2, 0), order=1)) != eta**2 + eta


def test_printed_coefficients():
    """F - (N/2) F'' + (N/3) F''' + (N^2/8) F'''' at second order, on F = exp(t eta)."""
    t = sp.Symbol("t")
    value = learning.fixed((sp.exp(t * eta), 0, 0), order=2) * sp.exp(-t * eta)
    page = 1 - eta / 2 * t**2 + eta / 3 * t**3 + eta**2 / 8 * t**4
    assert sp.expand(sp.simplify(value) - page) == 0


def test_the_fixed_error_is_its_sphere_formula_differentiated():
    orders = tuple(learning.error(order).on_sphere().doit() for order in (0, 1))
    here = sum(learning.error(order, ensemble="fixed").on_sphere() for order in (0, 1))
    numbers = sphere_numbers()
    by_formula = numbers(learning.fixed(orders, order=1))
    assert sp.simplify(by_formula - numbers(here)) == 0


def sphere_numbers():
    """Insert a small spectrum of rational numbers."""
    from fieldtheory.theory.homogeneous import G, L, deg, lam

    values = {(lam, 0): "1/2", (lam, 1): "1/5", (deg, 0): "1", (deg, 1): "3"}
    values |= {(G, 0): "1/3", (G, 1): "1/7"}

    def insert(expression):
        done = expression.subs(L, 1).doit()
        done = done.subs(
            {base[degree]: sp.Rational(text) for (base, degree), text in values.items()}
        )
        return done.subs({eta: 7, s2: sp.Rational(2, 3)})

    return insert


# -- what it says about itself -------------------------------------------------------------------


def test_a_series_explains_itself():
    series = learning.covariance(order=1)
    assert "covariance, order 1 in 1/eta" in str(series)
    assert str(series.diagrams[0]) in str(series)
    assert series.latex() in series._repr_latex_()
    assert r"\int" in series.latex()
    assert "times -eta" in str(learning.error(1, ensemble="fixed"))


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        (lambda: learning.mean(order=5), OutOfRegime, "up to order 4"),
        (lambda: learning.covariance(order=-1), InvalidInput, "order"),
        (lambda: learning.error(order=1.5), InvalidInput, "whole number"),
        (lambda: learning.error(1, ensemble="canonical"), InvalidInput, "choose one of"),
        (lambda: learning.fixed((eta,), order=1), InvalidInput, "got 1"),
        (lambda: learning.action(9), OutOfRegime, "up to order 4"),
    ],
)
def test_bad_input(wrong, kind, says):
    with pytest.raises(kind, match=says):
        wrong()
