"""Plans on a finite measure: exact partitions at rounding, brute-force Poisson sums at slopes."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings

from fieldtheory.compiler.plan import Plan, contraction, evaluate
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import learning
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field, Propagator
from fieldtheory.theory.homogeneous import G, L, deg, l, lam
from tests.oracles import poisson
from tests.oracles.partitions import Learning
from tests.strategies import learning_problems
from tests.theory.derived import derived
from tests.tolerance import agree, asymptotic, rounding

QUANTITIES = ("mean", "covariance", "error")


def floats(values):
    return np.array(values, dtype=object).astype(float)


def ours(quantity, order, problem, **more):
    mu, kernel, target, eta, s2 = problem
    return evaluate(
        derived(quantity, order, **more),
        mu=floats(mu),
        kernel=floats(kernel),
        target=floats(target),
        eta=float(eta),
        s2=float(s2),
    )


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("order", [0, 1])
@settings(max_examples=15, deadline=None)
@given(problem=learning_problems(points=3))
def test_plans_are_the_partition_sum(quantity, order, problem):
    oracle = floats(getattr(Learning(*problem), quantity)(order))
    scale = 100 * (1 + np.max(np.abs(oracle)))  # sums of terms of either sign, in a solved system
    assert agree(ours(quantity, order, problem), oracle, rounding(scale))


TWO = (
    [Fraction(2, 3), Fraction(1, 3)],
    [[Fraction(1), Fraction(1, 4)], [Fraction(1, 4), Fraction(3, 4)]],
    [Fraction(1), Fraction(-1, 2)],
)
THREE = (
    [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)],
    [
        [Fraction(1), Fraction(1, 4), Fraction(1, 8)],
        [Fraction(1, 4), Fraction(3, 4), Fraction(1, 2)],
        [Fraction(1, 8), Fraction(1, 2), Fraction(2)],
    ],
    [Fraction(1), Fraction(-1, 2), Fraction(2)],
)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_second_order_plans_are_the_partition_sum(quantity):
    problem = (*THREE, Fraction(9), Fraction(3, 2))
    oracle = floats(getattr(Learning(*problem), quantity)(2))
    assert agree(ours(quantity, 2, problem), oracle, rounding(np.max(np.abs(oracle)), 100))


# -- against the average over datasets itself ------------------------------------------------------

RATIO = 4  # eta / s2, held while eta grows: the parameter of the expansion is then 1/eta
LADDER = np.array([80, 160, 320])


def slack(measure, etas):
    """The next order bends a log-log fit by 1/(samples on the rarest point) at the first eta."""
    return asymptotic(1 / (min(etas) * float(min(measure[0]))))


def truth(measure, eta, ensemble="poisson"):
    mu, kernel, target = measure
    return averaged(tuple(mu), tuple(map(tuple, kernel)), tuple(target), int(eta), ensemble)


@cache
def averaged(mu, kernel, target, eta, ensemble):
    """All three quantities; every test of a measure reads the same sums."""
    mu, kernel, target = map(floats, (mu, kernel, target))
    counts = (
        poisson.poisson_counts(mu, float(eta))
        if ensemble == "poisson"
        else poisson.fixed_counts(mu, eta)
    )
    return poisson.averages(*counts, mu, kernel, target, eta / RATIO)


def slope(measure, quantity, through, etas=LADDER, spoil=0.0, **more):
    """The power with which (brute force - orders 0..through) falls, and the sizes themselves."""
    left = []
    for eta in etas:
        exact = truth(measure, eta, more.get("ensemble", "poisson"))[quantity]
        problem = (*measure, Fraction(int(eta)), Fraction(int(eta), RATIO))
        series = [ours(quantity, order, problem, **more) for order in range(through + 1)]
        series[-1] = series[-1] * (1 + spoil)
        left.append(np.max(np.abs(exact - sum(series))))
    return np.polyfit(np.log(etas), np.log(left), 1)[0]


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("through", [0, 1, 2])
def test_what_the_series_leaves_falls_with_the_next_power(quantity, through):
    """Orders 0..k leave a rest of order eta^-(k+1): after the second order it is eta^-3."""
    assert agree(slope(TWO, quantity, through), -through - 1, slack(TWO, LADDER))


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("spoil", [-2, 1, -0.5, 0.1])
def test_poisson_rejects_a_spoiled_order(quantity, spoil):
    assert not agree(slope(TWO, quantity, through=1, spoil=spoil), -2, slack(TWO, LADDER))


@pytest.mark.parametrize("through", [1, 2])
def test_what_the_noise_series_leaves_falls_with_the_next_power(through):
    left = []
    mu, kernel, target = map(floats, TWO)
    for eta in map(float, LADDER):
        counts = poisson.poisson_counts(mu, eta)
        exact = poisson.label_noise(*counts, kernel, eta / RATIO, variance=0.3)
        question = {"mu": mu, "kernel": kernel, "target": target, "label_noise": 0.3}
        orders = [
            evaluate(derived("label_noise", order), eta=eta, s2=eta / RATIO, **question)
            for order in range(through + 1)
        ]
        left.append(np.max(np.abs(exact - sum(orders))))
    found = np.polyfit(np.log(LADDER), np.log(left), 1)[0]
    assert agree(found, -through - 1, slack(TWO, LADDER))


NOISE = 2.0  # at 0.3 the second order of the evidence nearly vanishes


@pytest.mark.parametrize("quantity", ["posterior_variance", "evidence"])
@pytest.mark.parametrize("through", [0, 1, 2])
def test_what_posterior_and_evidence_leave_falls_with_the_next_power(quantity, through):
    mu, kernel, target = map(floats, TWO)
    left = []
    for eta in map(float, LADDER):
        counts, s2 = poisson.poisson_counts(mu, eta), eta / RATIO
        exact = (
            poisson.posterior_variance(*counts, kernel, s2)
            if quantity == "posterior_variance"
            else poisson.evidence(*counts, kernel, target, s2, variance=NOISE)
        )
        question = {"mu": mu, "kernel": kernel, "target": target, "label_noise": NOISE}
        orders = [
            evaluate(derived(quantity, order), eta=eta, s2=s2, **question)
            for order in range(through + 1)
        ]
        left.append(np.max(np.abs(exact - sum(orders))))
    found = np.polyfit(np.log(LADDER), np.log(left), 1)[0]
    assert agree(found, -through - 1, slack(TWO, LADDER))


@pytest.mark.slow
@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("through", [1, 2])
def test_three_points(quantity, through):
    even = ([Fraction(1, 3)] * 3, *THREE[1:])
    etas = np.array([40, 80, 160])
    assert agree(slope(even, quantity, through, etas), -through - 1, slack(even, etas))


@pytest.mark.parametrize("through", [0, 1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_fixed_number_of_samples(through):
    found = slope(TWO, "error", through, ensemble="fixed")
    assert agree(found, -through - 1, slack(TWO, LADDER))


def test_poisson_is_not_fixed():
    """The correction between the ensembles is seen: without it the slope is that of order 1."""
    problem = (*TWO, Fraction(160), Fraction(40))
    exact = truth(TWO, 160, "fixed")["error"]
    start = ours("error", 0, problem)
    fixed = abs(exact - start - ours("error", 1, problem, ensemble="fixed"))
    naive = abs(exact - start - ours("error", 1, problem))
    assert 10 * fixed < naive


# -- against sums over degrees ---------------------------------------------------------------------


def circle(points=7):
    """Equally spaced points on a circle: degrees 0..3 are complete, deg = 1, 2, 2, 2."""
    eigenvalues, wanted = np.array([0.5, 0.2, 0.07, 0.01]), np.array([0.3, 1.0, -0.5, 0.2])
    angle = 2 * np.pi * np.arange(points) / points
    degree = np.arange(4)
    multiplicity = np.where(degree == 0, 1, 2)
    waves = np.cos((angle[:, None] - angle)[..., None] * degree)
    shape = np.sqrt(multiplicity) * np.cos(angle[:, None] * degree)
    measure = {
        "mu": np.full(points, 1 / points),
        "kernel": waves @ (multiplicity * eigenvalues),
        "target": shape @ wanted,
        "eta": 6.0,
        "s2": 0.3,
    }
    bases = {lam: eigenvalues, deg: multiplicity, G: wanted**2}
    values = {base[n]: float(v) for base, vs in bases.items() for n, v in enumerate(vs)}
    values |= {learning.eta: 6.0, learning.s2: 0.3}

    def summed(expression, at=0):
        return float(expression.subs({L: 3, l: at}).doit().subs(values))

    return measure, shape, wanted, summed


@pytest.mark.parametrize("order", [0, 1])
def test_sums_over_degrees_are_sums_over_points(order):
    measure, shape, wanted, summed = circle()
    mean = learning.mean(order)
    by_degree = shape @ [g * summed(mean.on_sphere(), at) for at, g in enumerate(wanted)]
    assert agree(evaluate(mean, **measure), by_degree, rounding(1, 10))
    spread = learning.covariance(order)
    by_point = np.trace(evaluate(spread, **measure)) / 7
    assert agree(by_point, summed(spread.on_sphere()), rounding(1, 10))
    for ensemble in learning.ENSEMBLES:
        error = learning.error(order, ensemble)
        assert agree(evaluate(error, **measure), summed(error.on_sphere()), rounding(1, 10))


# -- plans themselves -----------------------------------------------------------------------------


def test_a_plan_prints_itself():
    (diagram,) = learning.covariance(order=1).diagrams
    plan = contraction(diagram)
    assert str(plan) == "eta/s2**2 * einsum('ac,bc,c,c,c->ab'; C, C, r, r, mu)"
    assert contraction(diagram, closed=True).subscripts == "ab,ab,b,b,b,a->"


def test_a_plan_knows_its_cost():
    (diagram,) = learning.covariance(order=1).diagrams
    operations, entries = contraction(diagram).cost(points=50)
    assert 50**3 <= operations <= 10 * 50**3
    assert entries <= 50**2


def test_symmetry_and_factor_are_in_the_prefactor():
    (tadpole,) = diagrams(Action.phi(4, "g"), legs=2, order=1, connected=True)
    plan = contraction(tadpole, factor=sp.Integer(3))
    assert plan.prefactor == -3 * sp.Symbol("g") / 2
    assert plan.operands == ("G_phi", "G_phi", "G_phi", "mu")


def test_plain_numbers():
    (empty,) = diagrams(Action.phi(4), legs=0, order=0)
    assert contraction(empty).run({}, {}) == 1.0
    assert contraction(empty).cost(10) == (0, 1)


def test_values_are_read_only():
    value = ours("mean", 1, (*TWO, 5, 1))
    assert not value.flags.writeable
    assert value.shape == (2,)
    assert ours("covariance", 1, (*TWO, 5, 1)).shape == (2, 2)
    assert ours("error", 1, (*TWO, 5, 1)).shape == ()


GOOD = {"mu": [0.5, 0.5], "kernel": np.eye(2), "target": [1.0, 2.0], "eta": 3.0, "s2": 1.0}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"mu": [0.5, 0.6]}, "sum to 1"),
        ({"mu": [1.5, -0.5]}, "negative"),
        ({"kernel": np.eye(3)}, "2 x 2"),
        ({"kernel": [[1, 2], [0, 1]]}, "not symmetric"),
        ({"kernel": "rbf"}, "matrix of numbers"),
        ({"kernel": [[1, np.nan], [np.nan, 1]]}, "finite"),
        ({"target": [1.0]}, "one per point"),
        ({"target": [1.0, np.inf]}, "finite"),
        ({"eta": 0}, "above zero"),
        ({"s2": -1}, "above zero"),
        ({"label_noise": -1}, "negative"),
    ],
)
def test_bad_measures_are_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        evaluate(learning.mean(order=1), **(GOOD | wrong))


def test_a_plan_says_what_is_missing():
    plan = Plan("a->a", ("r",), learning.eta)
    with pytest.raises(InvalidInput, match="needs the array 'r'"):
        plan.run({}, {})
    with pytest.raises(InvalidInput, match="no value given for eta"):
        plan.run({"r": np.ones(2)}, {})


def test_memory_is_asked_for():
    """The sunset's three points need one array of points^2; the number of bytes is told."""
    series = learning.mean(order=2)
    with pytest.raises(InvalidInput, match=r"an array of 32 bytes and may take 16"):
        evaluate(series, **GOOD, memory=16)
    assert evaluate(series, **GOOD, memory=64).shape == (2,)


def test_directed_and_mixed_lines_run_the_right_way():
    """<psi(x) psi_bar(y)> = G[x, y], not G[y, x]; a mixed line has a function of its own."""
    psi, phi = Field("psi", conjugate="psi_bar"), Field("phi", propagator=0)
    vertex = Vertex("g", [("psi", "psi_bar", "phi")])
    theory = Action((psi, phi, Field("A")), (vertex,), (Propagator("A", "phi", "D"),))
    (line,) = diagrams(
        theory, legs=("psi", "psi_bar", "A"), order=1, connected=True, tadpoles=False
    )
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=(3, 3)) for name in ("G_psi", "D")} | {"mu": np.full(3, 1 / 3)}
    found = contraction(line).run(arrays, {sp.Symbol("g"): 2.0})
    truth = -2 * np.einsum("xz,zy,az->xya", arrays["G_psi"], arrays["G_psi"], arrays["D"]) / 3
    assert agree(found, truth, rounding(10)) or agree(found, -truth, rounding(10))
