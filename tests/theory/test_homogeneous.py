"""Sums over degrees: the formulas of the page, and a ring of four points where all is rational."""

from fractions import Fraction
from functools import cache
from math import prod

import pytest
import sympy as sp

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory import learning
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field, Propagator
from fieldtheory.theory.homogeneous import (
    G,
    L,
    P,
    deg,
    j,
    l,
    lam,
    line_name,
    reduce,
    reduction,
    written,
)
from fieldtheory.theory.learning import eta, s2
from tests.oracles.partitions import Learning
from tests.theory.derived import derived

k = s2 / eta


def same(one, other):
    """Equal at a small rational spectrum, exactly."""
    values = {lam: ["1/2", "1/5", "3/7"], deg: ["1", "3", "5"], G: ["1/3", "1/7", "2"]}
    point = {base[n]: sp.Rational(t) for base, texts in values.items() for n, t in enumerate(texts)}

    def number(expression):
        done = expression.subs(l, 1).subs(L, 2).doit()
        return sp.nsimplify(done.subs(point).subs({eta: 7, s2: sp.Rational(2, 3)}))

    return number(one) == number(other)


C0 = sp.Sum(deg[j] / (1 / lam[j] + eta / s2), (j, 0, L))
LEARNED = lam[j] / (lam[j] + k)


def test_the_mean_on_the_sphere():
    assert same(learning.mean(0).on_sphere(), -k / (lam[l] + k))
    assert same(learning.mean(1).on_sphere(), -(C0 / eta) * lam[l] / (lam[l] + k) ** 2)
    assert not same(learning.mean(1).on_sphere(), (C0 / eta) * lam[l] / (lam[l] + k) ** 2)


def test_the_integrated_variance_on_the_sphere():
    spread = sp.Sum(deg[j] * LEARNED**2, (j, 0, L))
    missed = sp.Sum((1 - LEARNED) ** 2 * G[j], (j, 0, L))
    assert same(learning.covariance(1).on_sphere(), spread * missed / eta)
    assert not same(learning.covariance(1).on_sphere(), 2 * spread * missed / eta)


def test_the_error_on_the_sphere():
    bias = sp.Sum(2 * k / (lam[j] + k) ** 3 * lam[j] * G[j], (j, 0, L)) * C0 / eta
    total = bias + learning.covariance(1).on_sphere()
    assert same(learning.error(1).on_sphere(), total)
    assert same(learning.error(0).on_sphere(), sp.Sum((1 - LEARNED) ** 2 * G[j], (j, 0, L)))


def test_an_eigenvalue_of_zero_is_allowed():
    value = learning.mean(1).on_sphere().subs(lam[l], 0)
    assert value == 0


# -- on a ring of four points everything is rational: degrees 0, 1, 2, multiplicities 1, 2, 1 ------

RING = {
    "lam": ["1/2", "1/5", "1/7"],
    "deg": ["1", "2", "1"],
    "G": ["1/9", "5/4", "1/16"],  # where no target is asked for
}
COSINES = [[1, 1, 1, 1], [1, 0, -1, 0], [1, -1, 1, -1]]
NUMBERS = {"eta": Fraction(6), "s2": Fraction(3, 2), "v": Fraction(2, 7), "L": Fraction(2)}


@cache
def bound(e):
    """The indices and angles that a value depends on."""
    if isinstance(e, sp.Sum | sp.Integral):
        return bound(e.function) - {str(limit[0]) for limit in e.limits}
    if isinstance(e, sp.Indexed):
        return frozenset(map(str, e.indices))
    if e.func == P:
        return frozenset(map(str, e.args))
    return frozenset().union(*map(bound, e.args))


def on_the_ring(e, at):
    """A value, every sum and every average over the angle written out; `at` binds l, j, t, ..."""
    return counted(e, tuple((name, at[name]) for name in sorted(bound(e))))


@cache
def counted(e, pairs):
    at = dict(pairs)
    if isinstance(e, sp.Sum):
        index = str(e.limits[0][0])
        return sum(on_the_ring(e.function, {**at, index: n}) for n in range(3))
    if isinstance(e, sp.Integral):
        angle = str(e.variables[0])
        return sum(on_the_ring(e.function, {**at, angle: n}) for n in range(4)) / Fraction(4)
    if isinstance(e, sp.Indexed):
        return Fraction(RING[e.base.label.name][at[str(e.indices[0])]])
    if e.func == P:
        return Fraction(COSINES[at[str(e.args[0])]][at[str(e.args[1])]])
    if isinstance(e, sp.Symbol):
        return NUMBERS[e.name]
    if isinstance(e, sp.Rational):
        return Fraction(int(e.p), int(e.q))
    values = [on_the_ring(a, at) for a in e.args]
    if isinstance(e, sp.Pow):
        return values[0] ** int(e.exp)
    return sum(values) if isinstance(e, sp.Add) else prod(values)


def partition_sum():
    """The same kernel and a target with those powers, as four points."""
    lam_, deg_ = ([Fraction(v) for v in RING[name]] for name in ("lam", "deg"))
    kernel = [
        [sum(deg_[l] * lam_[l] * COSINES[l][(x - y) % 4] for l in range(3)) for y in range(4)]
        for x in range(4)
    ]
    target = [Fraction(1), Fraction(-1, 2), Fraction(2, 3), Fraction(3)]
    powers = [  # E[g_l(y)^2] = E[g_l(y) g(y)]
        sum(
            sum(g * COSINES[l][(x - y) % 4] for x, g in enumerate(target)) * target[y]
            for y in range(4)
        )
        * deg_[l]
        / 16
        for l in range(3)
    ]
    problem = Learning([Fraction(1, 4)] * 4, kernel, target, NUMBERS["eta"], NUMBERS["s2"])
    return problem, target, powers


@pytest.fixture
def ring(monkeypatch):
    problem, target, powers = partition_sum()
    monkeypatch.setitem(RING, "G", powers)
    counted.cache_clear()  # it holds values with other powers
    yield problem, target
    counted.cache_clear()


@pytest.mark.parametrize("order", [0, 1, 2])
def test_sums_over_degrees_are_the_partition_sum_exactly(ring, order):
    problem, target = ring
    mean = learning.mean(order).on_sphere()
    shares = [on_the_ring(mean, {"l": l}) for l in range(3)]
    by_degree = [
        sum(
            Fraction(RING["deg"][l]) * shares[l] * COSINES[l][(x - y) % 4] * target[y] / 4
            for l in range(3)
            for y in range(4)
        )
        for x in range(4)
    ]
    assert by_degree == problem.mean(order)
    assert on_the_ring(learning.error(order).on_sphere(), {}) == problem.error(order)
    spread = problem.covariance(order)
    covariance = on_the_ring(learning.covariance(order).on_sphere(), {})
    assert covariance == sum(spread[x][x] for x in range(4)) / 4


@pytest.mark.parametrize("quantity", ["covariance", "error", "label_noise"])
@pytest.mark.parametrize("order", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_degrees_add_up_to_the_whole(quantity, order):
    for term in derived(quantity, order).terms:
        share = reduce(term.diagram, eta, s2, per_degree=True)
        parts = sum(on_the_ring(share, {"l": n}) for n in range(3))
        assert parts == on_the_ring(reduce(term.diagram, eta, s2), {})


# -- what reduces, and what does not ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "count"), [("mean", 26), ("covariance", 110), ("error", 170), ("label_noise", 34)]
)
def test_every_learning_diagram_through_order_three_reduces(quantity, count):
    """Four places joined each with each need four vertices; order three has at most three."""
    diagrams_ = derived(quantity, 3).diagrams
    assert len([reduction(diagram) for diagram in diagrams_]) == count


def test_the_tetrahedron_does_not_reduce():
    """Of the two 1PI vacuum diagrams of phi^3 with four vertices one is the tetrahedron."""
    found = diagrams(Action.phi(3), legs=0, order=4, one_particle_irreducible=True)
    messages = []
    for diagram in found:
        try:
            reduction(diagram)
        except OutOfRegime as error:
            messages.append(str(error))
    assert len(messages) == 1
    assert "z1-z2 z1-z3 z1-z4 z2-z3 z2-z4 z3-z4" in messages[0]
    assert "finite measure" in messages[0]


def test_more_than_two_targets_are_refused():
    cubed = Vertex("g", [("r", "r", "r", "phi")])
    fields = (Field("phi", "C"), Field("r", background=True))
    (diagram,) = diagrams(Action(fields, (cubed,)), legs=("phi",), order=1)
    with pytest.raises(OutOfRegime, match="1 external and 3 background legs"):
        reduction(diagram)


def test_pieces_apart_have_no_value_per_degree():
    (apart,) = (
        d
        for d in diagrams(Action.phi(3), legs=2, order=2, vacuum_bubbles=False)
        if not d.is_connected
    )
    assert str(reduction(apart)) == "loop[G_phi] . loop[G_phi] . mean[G_phi] . mean[G_phi]"
    with pytest.raises(OutOfRegime, match="does not join x1 and x2"):
        reduction(apart, per_degree=True)


def test_a_line_needs_a_rule():
    (tadpole,) = diagrams(Action.phi(4), legs=2, order=1, connected=True)
    found = reduction(tadpole)
    with pytest.raises(InvalidInput, match="no rule for the line 'G_phi': there are rules for C"):
        written(found, {"C": lambda degree: lam[degree]})
    value = written(found, {"G_phi": lambda degree: lam[degree]})
    assert value.doit() != 0


def test_mixed_and_directed_lines_keep_their_names():
    mixed = Action(
        (Field("A"), Field("phi")),
        (Vertex("g", [("A", "A", "phi")]),),
        (Propagator("A", "phi", "D"),),
    )
    names = {line_name(d, edge.field) for d in diagrams(mixed, legs=0, order=2) for edge in d.edges}
    assert {name for name, _ in names} <= {"G_A", "G_phi", "D"}
    assert ("D", True) in names
    psi = Field("psi", conjugate="psi_bar")
    theory = Action((psi,), (Vertex("g", [("psi", "psi", "psi_bar", "psi_bar")]),))
    directed = {
        line_name(d, edge.field)
        for d in diagrams(theory, legs=("psi", "psi_bar"), order=2)
        for edge in d.edges
    }
    assert directed == {("G_psi", True), ("G_psi", False)}


@pytest.mark.parametrize("order", [0, 1])
def test_names_are_the_agreed_ones(order):
    names = {str(symbol) for symbol in learning.error(order).on_sphere().free_symbols}
    bases = {"lam", "deg", "G"} if order else {"lam", "G"}
    indexed = {name for name in names if "[" in name}
    assert names - indexed == bases | {"eta", "s2", "L"}
