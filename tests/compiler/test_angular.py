"""Plans on homogeneous spaces: against sums over points, and against moments of unit vectors."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.compiler import plan as finite
from fieldtheory.compiler.angular import AngularPlan, evaluate, plan_diagram, plan_series
from fieldtheory.compiler.program import Program
from fieldtheory.compiler.space import circle, hypercube, sphere, torus
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory import learning
from fieldtheory.theory.action import Action
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.homogeneous import L, P, deg, j, lam, t
from tests.oracles import dense as points_of
from tests.oracles import unit_vectors
from tests.theory.derived import derived
from tests.tolerance import agree, rounding

QUANTITIES = ("mean", "covariance", "error", "label_noise", "posterior_variance", "evidence")
ETA, S2, NOISE = 6.0, 0.3, 0.4


def dense(points, series, eigenvalues, components):
    """Tensor contraction on the points: the mean as coefficients, the others integrated."""
    problem = points.problem(eigenvalues, components)
    found = finite.evaluate(series, **problem, eta=ETA, s2=S2, label_noise=NOISE)
    if series.quantity == "mean":
        return (points.modes * points.weights) @ found
    found = np.diag(found) if found.ndim == 2 else found
    return float(np.sum(points.weights * found)) if found.ndim else found


def ours(case, series, components, **more):
    space, points, eigenvalues, _ = case
    question = {"eigenvalues": eigenvalues, "power": points.power(components)}
    if series.quantity in ("label noise", "evidence"):
        question["label_noise"] = NOISE
    found = evaluate(series, space, eta=ETA, s2=S2, **question, **more)
    return found[points.degree] * components if series.quantity == "mean" else found


def components(points, last):
    values = np.random.default_rng(3).normal(size=points.degree.size)
    return values * (points.degree <= last)


# An order-n diagram puts up to 2 n + 2 lines on a vertex: the points must be exact to as many
# times the last degree.
CIRCLE = (circle(), points_of.circle(3, 25), [0.5, 0.2, 0.07], 3)
SPHERE = (sphere(3), points_of.sphere(2, 12), [0.5, 0.2, 0.05], 2)
CASES = {
    "circle": CIRCLE,
    "sphere": SPHERE,
    "sphere, target beyond the kernel": (*SPHERE[:2], [0.5, 0.2], 2),
    "torus": (torus(2), points_of.torus(1, 7), [0.5, 0.1, 0.05, 0.2, 0.01], 4),
    "cube": (hypercube(4), points_of.cube(4), [0.5, 0.2, 0.1, 0.05, 0.02], 4),
}


def both(case, series):
    """The plan's numbers and those of the sum over points."""
    _, points, eigenvalues, last = case
    wanted = components(points, last)
    return ours(case, series, wanted), dense(points, series, eigenvalues, wanted)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_plan_is_the_sum_over_points(case, quantity, order):
    found, truth = both(CASES[case], derived(quantity, order))
    budget = rounding(1 + np.max(np.abs(truth)), 10)
    assert agree(found, truth, budget)
    if np.any(truth):
        assert not agree(1.001 * found, truth, budget)


SMALL = {
    "circle": CIRCLE,
    "sphere": (sphere(3), points_of.sphere(1, 8), [0.5, 0.2], 1),
    "cube": CASES["cube"],
}


@pytest.mark.slow
@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("case", SMALL)
def test_third_order_plans_are_the_sum_over_points(case, quantity):
    """All diagrams reduce; some need coefficients beyond the last degree of the kernel."""
    found, truth = both(SMALL[case], derived(quantity, 3))
    assert agree(found, truth, rounding(1 + np.max(np.abs(truth)), 10))


@pytest.mark.parametrize("order", [1, 2])
def test_a_fixed_number_of_samples(order):
    found, truth = both(CIRCLE, derived("error", order, "fixed"))
    assert agree(found, truth, rounding(truth, 10))


@pytest.mark.parametrize("dimension", [2, 5, 50])
@pytest.mark.parametrize("order", [0, 1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_linear_kernel_in_any_dimension_exactly(dimension, order):
    """Degree one alone: all integrals are moments of unit vectors, by pairings in Fractions."""
    at = {"eta": 7, "s2": Fraction(1, 2)}
    truth = float(unit_vectors.error(order, dimension, Fraction(1, 4), Fraction(2, 3), **at))
    question = {"eigenvalues": [0, 1 / 4], "power": [0, 2 / 3], "eta": 7, "s2": 0.5}
    found = evaluate(derived("error", order), sphere(dimension), **question)
    assert agree(found, truth, rounding(truth, 10))


# -- mutants: the sums over points reject each of them --------------------------------------------

C = lam[j] * learning.s2 / (learning.eta * lam[j] + learning.s2)


def total(coefficient):
    return sp.Sum(coefficient, (j, 0, L))


FUNCTION, TWICE = (total(deg[j] * C**n * P(j, t)) for n in (1, 2))
MUTANTS = {
    "a multiplicity is dropped": lambda e: e.xreplace({total(deg[j] * C): total(C)}),
    "a multiplicity is dropped in a function": lambda e: e.xreplace({FUNCTION: total(C * P(j, t))}),
    "parallel for series": lambda e: e.xreplace({TWICE: FUNCTION**2}),
    "series for parallel": lambda e: e.xreplace({FUNCTION**2: TWICE}),
    "a sign": lambda e: e.subs(learning.s2, -learning.s2),
    "a factor two": lambda e: 2 * e,
}


def survives(change):
    """Whether the second-order error with a changed expression still agrees."""
    space, points, eigenvalues, last = CIRCLE
    series, wanted = derived("error", 2), components(points, last)
    plan = plan_series(series)
    mutant = AngularPlan(plan.title, plan.terms, plan.rules)
    vars(mutant)["expression"] = change(plan.expression)
    arrays = {"lam": np.array(eigenvalues), "G": points.power(wanted)}
    found = mutant.run(space, arrays, {"eta": ETA, "s2": S2})
    truth = dense(points, series, eigenvalues, wanted)
    return agree(found, truth, rounding(1 + truth, 10))


def test_what_is_not_spoilt_agrees():
    assert survives(lambda expression: expression)


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_rejected(name):
    right = plan_series(derived("error", 2)).expression
    assert MUTANTS[name](right) != right
    assert not survives(MUTANTS[name])


# -- per degree, in batches -----------------------------------------------------------------------


@pytest.mark.parametrize("quantity", ["covariance", "error", "label_noise"])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_degrees_add_up(quantity, order):
    series, wanted = derived(quantity, order), components(SPHERE[1], 2)
    shares = ours(SPHERE, series, wanted, per_degree=True)
    whole = ours(SPHERE, series, wanted)
    assert shares.shape == (3,)
    assert agree(shares.sum(), whole, rounding(1 + whole, 10))


shapes = st.sampled_from([(), (1,), (3,), (2, 1), (2, 3)])


@pytest.mark.slow
@settings(max_examples=25)
@given(shapes, shapes, shapes, shapes)
def test_batches_are_their_points(eta, s2, spectrum, power):
    rng = np.random.default_rng(0)
    question = {
        "eta": rng.uniform(5, 9, eta),
        "s2": rng.uniform(0.1, 1, s2),
        "eigenvalues": rng.uniform(0.1, 1, (*spectrum, 4)),
        "power": rng.uniform(0, 1, (*power, 3)),
    }
    batch = np.broadcast_shapes(eta, s2, spectrum, power)
    series, space = derived("error", 2), sphere(4)
    found = evaluate(series, space, **question)
    shares = evaluate(series, space, **question, per_degree=True)
    assert found.shape == batch
    assert shares.shape == (*batch, 4)
    for where in np.ndindex(*batch):
        one = {
            "eta": np.broadcast_to(question["eta"], batch)[where],
            "s2": np.broadcast_to(question["s2"], batch)[where],
            "eigenvalues": np.broadcast_to(question["eigenvalues"], (*batch, 4))[where],
            "power": np.broadcast_to(question["power"], (*batch, 3))[where],
        }
        assert agree(found[where], evaluate(series, space, **one), rounding(found[where]))
        assert agree(shares[where].sum(), found[where], rounding(found[where], 10))


@pytest.mark.slow
def test_zeros_at_the_end_change_nothing():
    series, space = derived("error", 3), sphere(5)
    short = evaluate(series, space, eigenvalues=[0.3, 0.1], power=[0, 1], eta=9, s2=0.5)
    long = evaluate(series, space, eigenvalues=[0.3, 0.1, 0, 0], power=[0, 1, 0], eta=9, s2=0.5)
    assert agree(short, long, rounding(short, 10))


# -- plans themselves -----------------------------------------------------------------------------


def test_a_plan_says_what_it_takes():
    plan = plan_series(derived("error", 2))
    cost = plan.cost(sphere(50), {"lam": 100, "G": 3}, batch=50)
    assert (cost.functions, cost.quadratures) == (4, 2)
    assert cost.total == 3 * 99 + 2
    assert cost.nodes == 150
    assert plan.cost(torus(2), {"lam": 13, "G": 5}).nodes == (3 * 2 + 1 + 1) ** 2
    none = plan_series(derived("error", 1)).cost(sphere(50), {"lam": 100, "G": 3})
    assert (none.functions, none.quadratures, none.operations) == (0, 0, 0)


def test_one_node_less_would_not_do():
    """The number of nodes is the least that is exact: one below is seen."""
    plan, space = plan_series(derived("error", 2)), circle()
    arrays = {"lam": np.array([0.5, 0.2, 0.3]), "G": np.array([0.1, 0.2, 0.7])}
    cost = plan.cost(space, {"lam": 3, "G": 3})
    answers = []
    for total in (cost.total + 20, cost.total, cost.total - 2):
        basis = space.basis(3, total)
        values = {"deg": basis.multiplicities, "P": basis.functions, "w": basis.weights}
        answers.append(plan.program(**arrays, **values, eta=ETA, s2=S2))
    assert agree(answers[1], answers[0], rounding(answers[0]))
    assert not agree(answers[2], answers[0], rounding(answers[0]))


def test_sums_reach_beyond_the_last_degree_where_products_are_in_series():
    """phi^4, three vertices in a ring of double lines: sum of deg (C^2)_l^3, to twice the last."""
    ring, *_ = (
        d
        for d in diagrams(Action.phi(4), legs=0, order=3, one_particle_irreducible=True)
        if not d.has_self_loop
    )
    plan = plan_diagram(ring, {"G_phi": lambda degree: lam[degree]})
    assert plan.cost(sphere(3), {"lam": 3}).degrees == 5
    points, values = SPHERE[1], np.array([0.5, 0.2, 0.05])
    gram = points.problem(values, 0 * points.degree)["kernel"]
    problem = {"G_phi": gram, "mu": points.weights}
    truth = finite.contraction(ring).run(problem, {sp.Symbol("g"): 0.7})
    found = plan.run(sphere(3), {"lam": values}, {"g": 0.7})
    assert agree(found, truth, rounding(1))


def test_a_program_is_source_and_inputs():
    plan = plan_series(derived("mean", 2))
    again = Program(plan.program.name, plan.program.inputs, plan.program.source)
    basis = sphere(3).basis(2, 4)
    values = {"deg": basis.multiplicities, "P": basis.functions, "w": basis.weights}
    values |= {"lam": [0.5, 0.2], "eta": [3.0, 4.0], "s2": 0.5}
    assert np.array_equal(again(**values), plan.program(**values))
    assert "sympy" not in plan.program.source
    assert plan_series(derived("mean", 2)) is plan


def test_memory_is_asked_for():
    series, space = derived("error", 2), sphere(5)
    question = {"eigenvalues": np.ones(30), "power": [0, 1], "s2": 0.5}
    need = plan_series(series).cost(space, {"lam": 30, "G": 2}, batch=1000).memory
    with pytest.raises(InvalidInput, match=f"up to {need} bytes and may take 1000000"):
        evaluate(series, space, eta=np.ones(1000), **question, memory=1e6)
    with pytest.raises(InvalidInput, match="Split the batch"):
        evaluate(series, space, eta=np.ones(10**6), **question)
    assert evaluate(series, space, eta=np.ones(10), **question, memory=1e6).shape == (10,)


GOOD = {"eigenvalues": [0.5, 0.1], "power": [0, 1], "eta": 5.0, "s2": 0.5}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"eigenvalues": [0.5, -0.1]}, "eigenvalues: -0.1 is not allowed"),
        ({"eigenvalues": []}, "lam needs one number per degree"),
        ({"eigenvalues": 0.5}, "lam needs one number per degree"),
        ({"eigenvalues": "many"}, "rectangular array"),
        ({"power": [0, np.nan]}, "power: every entry must be finite"),
        ({"eta": 0}, "eta: 0.0 is not allowed, every entry must be above zero"),
        ({"s2": [0.5, -1]}, "s2: -1.0"),
        ({"label_noise": -1}, "label_noise: -1.0"),
        ({"eta": [1, 2], "s2": [1, 2, 3]}, "do not fit"),
    ],
)
def test_bad_questions_are_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        evaluate(derived("error", 2), sphere(3), **(GOOD | wrong))


def test_a_plan_says_what_is_missing():
    plan = plan_series(derived("label_noise", 1))
    with pytest.raises(InvalidInput, match="no value given for v"):
        plan.run(sphere(3), {"lam": np.ones(2)}, {"eta": 1.0, "s2": 1.0})


def test_what_does_not_reduce_is_named():
    (tetrahedron, *_) = (
        d for d in diagrams(Action.phi(3), legs=0, order=4, two_particle_irreducible=True)
    )
    with pytest.raises(OutOfRegime, match="z1-z2 z1-z3 z1-z4"):
        plan_diagram(tetrahedron, {"G_phi": lambda degree: lam[degree]})
