"""The effective action, against pairings cut line by line and against Legendre's relations."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
import sympy as sp
from hypothesis import given, settings

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import zero
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.field import Field, Propagator
from fieldtheory.theory.judge import legendre
from tests.oracles import matchings
from tests.oracles.mutation import spoil, survives
from tests.strategies import plain_actions, replicated_actions

g, h, M, n = sp.symbols("g h M n")
REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "diagrams.json").read_text())
PSI = Field("psi", sp.Rational(2, 3), conjugate="psi_bar")


def coefficient(value, powers):
    """Of the couplings g0, g1, ... to these powers."""
    names = sp.symbols([f"g{k}" for k in range(len(powers))])
    monomial = sp.Mul(*(s**k for s, k in zip(names, powers, strict=True)))
    return Fraction(str(sp.Poly(value, *names).coeff_monomial(monomial)))


# -- against every pairing of numbered legs --------------------------------------------------------

REAL = (Field("phi", sp.Rational(1, 2)), Field("chi", 3))
MIXED = (Propagator("phi", "chi", -2),)
RESPONSE = (Field("phi", 2), Field("chi", 0))
ODD = (Propagator("psi", "psi", 3), Propagator("psi_bar", "psi_bar", -1))
C, D, E, B = "phi", "chi", "psi", "psi_bar"

CASES = [  # fields, mixed propagators, vertices, legs, their powers
    ((REAL[0],), (), [[(C,) * 3], [(C,)]], (C, C), (2, 1)),
    ((REAL[0],), (), [[(C,) * 3], [(C,) * 4]], (C, C), (2, 1)),
    ((REAL[0],), (), [[(C,) * 4]], (C,) * 4, (2,)),
    (REAL, (), [[(C, C, D)], [(D,) * 4]], (C, C), (2, 1)),
    (REAL, (), [[(C, C, D)], [(D, C)]], (C, D), (2, 1)),
    (REAL, MIXED, [[(C, C, D)], [(D,)]], (C, D), (2, 1)),
    (REAL, MIXED, [[(C, C, D)], [(D, D)]], (C, D, D), (3, 0)),
    (RESPONSE, MIXED, [[(C, C, D)], [(D, D)]], (C, D), (2, 1)),
    ((PSI,), (), [[(E, E, B, B)]], (E, B), (2,)),
    ((PSI,), (), [[(E, E, B)], [(E, B, B)]], (E, B), (1, 1)),
    ((PSI,), (), [[(E, E, B)], [(E, B, B)]], (E, E, B), (2, 1)),
    ((PSI,), ODD[:1], [[(E, E, B)], [(B, B)]], (E, B), (2, 1)),
    ((PSI,), ODD, [[(E, E, B, B)]], (E, E), (2,)),
    ((PSI, Field("phi", 5)), (), [[(E, B, C)]], (E, B, C), (3,)),
]


def built(fields, mixed, vertices):
    rules = [Vertex(f"g{k}", strands) for k, strands in enumerate(vertices)]
    return Action(fields, tuple(rules), mixed)


def covariance(action):
    pairs = {(p.first, p.second): Fraction(str(p.value)) for p in action.lines}
    return matchings.symmetric(pairs)


def against_pairings(fields, mixed, vertices, legs, powers, amputated):
    action = built(fields, mixed, vertices)
    ours = zero.irreducible(action, legs, sum(powers), amputated=amputated)
    truth = matchings.weight(
        [tuple(v) for v, k in zip(vertices, powers, strict=True) for _ in range(k)],
        [(name, None) for name in legs],
        covariance(action),
        matchings.irreducible,
        amputated=amputated,
    )
    assert coefficient(ours, powers) == truth
    return truth


@pytest.mark.parametrize("amputated", [True, False])
@pytest.mark.parametrize(("fields", "mixed", "vertices", "legs", "powers"), CASES)
def test_irreducible_sums_are_sums_over_pairings(fields, mixed, vertices, legs, powers, amputated):
    against_pairings(fields, mixed, vertices, legs, powers, amputated)


INDEXED = [  # vertices, legs, replicas, powers; phi real, psi complex, both replicated
    ([[(C, C), (C, C)]], (C, C), (0, 0), (2,)),
    ([[(C, C), (C, C)]], (C,) * 4, (0, 0, 1, 1), (2,)),
    ([[(C, C), (C, C)]], (C,) * 4, (0, 1, 1, 0), (1,)),
    ([[(C,) * 3], [(C,), (C,)]], (C, C), (0, 1), (2, 1)),
    ([[(C,) * 3], [(C,), (C, C)]], (C,), (0,), (1, 1)),
    ([[(E, B), (E, B)]], (E, B), (0, 0), (2,)),
    ([[(E, B), (E, B)]], (E, E, B, B), (0, 1, 0, 1), (2,)),
    ([[(E, B), (C,)]], (E, B), (0, 0), (2,)),
]


@pytest.mark.parametrize(("vertices", "legs", "replicas", "powers"), INDEXED)
def test_replicated_ones_too(vertices, legs, replicas, powers):
    used = {name for v in vertices for strand in v for name in strand}
    spin = (Field(C, sp.Rational(1, 2), index=M), Field(E, 3, index=M, conjugate=B))
    action = built(tuple(f for f in spin if f.name in used), (), vertices)
    ours = zero.irreducible(action, legs, sum(powers), replicas)
    for copies in range(max(replicas) + 1, 4):
        truth = matchings.weight(
            [tuple(v) for v, k in zip(vertices, powers, strict=True) for _ in range(k)],
            list(zip(legs, replicas, strict=True)),
            covariance(action),
            matchings.irreducible,
            copies=copies,
            amputated=True,
        )
        assert coefficient(ours.subs(M, copies), powers) == truth


# -- against tables --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "action", "legs", "order"),
    [
        ("phi4_2pt_1PI", Action.phi(4, -g), 2, lambda loops: loops),
        ("phi4_4pt_1PI", Action.phi(4, -g), 4, lambda loops: loops + 1),
        ("phi3_2pt_1PI", Action.phi(3, -g), 2, lambda loops: 2 * loops),
        ("phi3_3pt_1PI", Action.phi(3, -g), 3, lambda loops: 2 * loops + 1),
    ],
)
def test_the_reference_sums(name, action, legs, order):
    family = next(f for f in REFERENCE["families"] if f["id"] == name)
    rows = {order(loops): Fraction(value) for loops, _, value in family["rows"]}
    found = sp.Poly(zero.irreducible(action, legs, max(rows)), g)
    assert {at: Fraction(str(found.coeff_monomial(g**at))) for at in rows} == rows


def test_two_fields_of_the_reference():
    action = Action((Field("phi"), Field("A")), (Vertex("g", [("phi", "phi", "A")]),))
    for what, loops, _, value in REFERENCE["two_fields"]["rows"]:
        if what.endswith("1PI"):
            legs = tuple(what.strip("<>").split(">")[0].split())
            found = sp.Poly(zero.irreducible(action, legs, 2 * loops), g)
            assert Fraction(str(found.coeff_monomial(g ** (2 * loops)))) == Fraction(value)


# -- Legendre's relations --------------------------------------------------------------------------


def truncated(value, order):
    """Through that order of t, the couplings having been multiplied by it."""
    t = sp.Symbol("t")
    return sum(sp.expand(value).coeff(t, k) * t**k for k in range(order + 1))


def scaled(action):
    """The action with t to the order of each vertex in front of its rule."""
    t = sp.Symbol("t")
    rules = [Vertex(t**v.order * v.coupling, v.strands, v.order) for v in action.vertices]
    return Action(action.fields, tuple(rules), action.propagators)


def legendre_relations(action, order=2):
    """At the expectation value: Gamma' = 0, Gamma = -log Z, Gamma'' W'' = 1,
    Gamma''' = -Gamma'' Gamma'' Gamma'' W'''."""
    action, legs = scaled(action), action.leg_types
    fields = [sp.Symbol(f"{leg}_c") for leg in legs]
    means = [zero.correlator(action, (leg,), order) for leg in legs]
    here = dict(zip(fields, means, strict=True))
    gamma = zero.effective_action(action, order)

    def at_mean(value):
        return truncated(value.subs(here, simultaneous=True), order)

    assert sp.expand(at_mean(gamma) + zero.free_energy(action, order)) == 0
    assert [at_mean(sp.diff(gamma, x)) for x in fields] == [0] * len(fields)
    second = sp.Matrix(len(legs), len(legs), lambda a, b: at_mean(gamma.diff(fields[a], fields[b])))
    two = sp.Matrix(
        len(legs), len(legs), lambda a, b: zero.cumulant(action, (legs[a], legs[b]), order)
    )
    assert (second * two).applyfunc(lambda x: truncated(x, order)) == sp.eye(len(legs))
    first, leg = fields[0], legs[0]
    third = sum(
        second[0, a] * second[0, b] * second[0, c] * zero.cumulant(action, (x, y, z), order)
        for a, x in enumerate(legs)
        for b, y in enumerate(legs)
        for c, z in enumerate(legs)
    )
    assert sp.expand(at_mean(gamma.diff(first, 3)) + truncated(third, order)) == 0, leg


def rules(*strands):
    return tuple(Vertex(f"g{k}", [s]) for k, s in enumerate(strands))


@pytest.mark.parametrize(
    ("action", "order"),
    [
        (Action.phi(4), 3),
        (Action.phi(3, "h") + Action.phi(4), 3),
        (Action((Field(C, "D"),), rules((C,) * 3, (C,), (C, C))), 3),
        (Action(REAL, rules((C, C, D), (D,)), MIXED), 3),
        (Action(RESPONSE, rules((C, C, D), (D, D)), MIXED), 3),
        (Action((PSI,), rules((E, E, B, B), (E, E))), 2),
        (Action((PSI,), rules((E, E, B), (B,)), ODD[:1]), 2),
    ],
)
def test_legendre_relations(action, order):
    legendre_relations(action, order)


@settings(max_examples=8, deadline=None)
@given(plain_actions())
def test_legendre_relations_of_random_actions(action):
    legendre_relations(action, 2)


def test_a_source_moves_the_mean_and_nothing_else():
    """S = phi^2/(2 G) - j phi: Gamma = phi_c^2/(2 G) - j phi_c."""
    j, G, x = sp.symbols("j G phi_c")
    action = Action((Field("phi", "G"),), (Vertex(j, [("phi",)]),))
    assert zero.effective_action(action, 3) == x**2 / (2 * G) - j * x


# -- other ways to write the same theory -----------------------------------------------------------


def test_replicas_with_equal_classical_fields():
    """M = 2 written out, with both classical fields equal."""
    spin = Action((Field(C, index=M),), (Vertex("a", [(C, C)] * 2), Vertex("b", [(C,) * 3])))
    pairs = Action(
        (Field("p"), Field("q")),
        (
            *(Vertex(3 * sp.Symbol("a"), [(name,) * 4]) for name in "pq"),
            Vertex("a", [("p", "p", "q", "q")]),
            *(Vertex("b", [(name,) * 3]) for name in "pq"),
        ),
    )
    x = sp.Symbol("phi_c")
    both = zero.effective_action(pairs, 2).subs({"p_c": x, "q_c": x})
    assert sp.expand(zero.effective_action(spin, 2).subs(M, 2) - both) == 0
    for legs, where in [("p", (0,)), ("pp", (0, 0)), ("pq", (0, 1)), ("ppq", (0, 0, 1))]:
        ours = zero.vertex_function(spin, (C,) * len(legs), 3, where).subs(M, 2)
        assert sp.expand(ours - zero.vertex_function(pairs, tuple(legs), 3)) == 0


def test_a_complex_field_is_two_real_ones():
    """psi = (a + i b)/sqrt2: u (psi psi_bar)^2/4 = u (a^2 + b^2)^2/16."""
    u, a, b = sp.symbols("u a_c b_c")
    psi = Action((Field("psi", "G", conjugate="psi_bar"),), (Vertex(u, [(E, E, B, B)]),))
    quartic = [Vertex(u * sp.Rational(24, 16), [(x,) * 4]) for x in "ab"]
    real = Action(
        (Field("a", "G"), Field("b", "G")),
        (*quartic, Vertex(u * sp.Rational(8, 16), [("a", "a", "b", "b")])),
    )
    rotated = {"psi_c": (a + sp.I * b) / sp.sqrt(2), "psi_bar_c": (a - sp.I * b) / sp.sqrt(2)}
    ours = zero.effective_action(psi, 3).subs(rotated)
    assert sp.expand(ours - zero.effective_action(real, 3)) == 0
    assert zero.irreducible(psi, (E, E, B, B), 3) != 0
    assert zero.irreducible(psi, (E, E, E, B), 3) == 0  # charge is conserved


def test_vertex_functions_are_derivatives_of_the_effective_action():
    action = Action(REAL, rules((C, C, D), (D, D, D)), MIXED)
    gamma = zero.effective_action(action, 3)
    x, y = sp.symbols("phi_c chi_c")
    for legs in [(), (C,), (C, D), (D, D), (C, C, D)]:
        slope = gamma.diff(*[{C: x, D: y}[leg] for leg in legs]) if legs else gamma
        assert sp.expand(slope.subs({x: 0, y: 0}) - zero.vertex_function(action, legs, 3)) == 0


@settings(max_examples=15, deadline=None)
@given(replicated_actions())
def test_replicated_vertex_functions_are_polynomials_in_m(action):
    """The division by the number of copies leaves no remainder, whatever the vertices."""
    for replicas in [(0, 0), (0, 1)]:
        assert zero.irreducible(action, ("phi", "phi"), 2, replicas).is_polynomial(M)


def test_powers_of_couplings():
    both = Action.phi(4, "g") + Action.phi(3, "h")
    whole = sp.Poly(zero.effective_action(both, 3), g, h)
    kept = {m: c for m, c in whole.terms() if m[0] <= 1 and m[1] <= 2}
    part = sp.Poly(zero.effective_action(both, {"g": 1, "h": 2}), g, h)
    assert dict(part.terms()) == kept


def test_bad_input():
    flat = Action((Field("a", 1), Field("b", 1)), (), (Propagator("a", "b", 1),))
    with pytest.raises(InvalidInput, match="determinant 0"):
        zero.effective_action(flat, 1)
    with pytest.raises(InvalidInput, match="determinant 0"):
        zero.vertex_function(flat, ("a", "b"), 1)
    assert zero.irreducible(flat, ("a", "b"), 1) == 0
    classical = Action((Field("phi"), Field("r", background=True)), (Vertex("g", [("r", "phi")]),))
    with pytest.raises(InvalidInput, match="background"):
        zero.irreducible(classical, ("phi", "r"), 1)
    with pytest.raises(InvalidInput, match="rename"):
        zero.effective_action(Action.phi(4, "phi_c"), 1)


# -- mutants ---------------------------------------------------------------------------------------


def checks():
    for number in (1, 7, 11):
        assert against_pairings(*CASES[number], amputated=True) != 0
        assert against_pairings(*CASES[number], amputated=False) != 0
    test_vertex_functions_are_derivatives_of_the_effective_action()
    test_a_source_moves_the_mean_and_nothing_else()
    legendre_relations(Action((PSI,), rules((E, E, B), (B,)), ODD[:1]), 1)
    test_replicas_with_equal_classical_fields()


@pytest.fixture
def fresh():
    """Nothing remembered from before, and nothing spoiled remembered afterwards."""
    caches = [zero._theory, legendre.generating]
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_nothing_spoiled_is_not_caught(fresh):
    assert survives(checks)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        (legendre._improved, "force.times(-covariance)", "force.times(covariance)"),
        (legendre._improved, "-copies / 2", "copies / 2"),
        (legendre._improved, "-copies / 2", "-copies"),
        (legendre._improved, "-copies / 2", "-theory.ring.one / 2"),
        (legendre._force, "c.exquo(copies)", "c"),
        (legendre._displaced, "ring.one / times", "ring.one"),
        (legendre._displaced, "_displaced(series, rest)", "series"),
        (legendre._solved, "sum(theory.box) + 1", "sum(theory.box)"),
        (legendre.Irreducible.derivative, "other == name", "True"),
        (
            legendre.Irreducible.derivative,
            "row = theory",
            "row = theory.covariance(None)[0], theory",
        ),
        (legendre.Irreducible.at_zero, "not any(", "any("),
        (legendre.Irreducible.kernel, "matrix.adjugate() / determinant", "matrix.adjugate()"),
        (legendre.Irreducible.free, "value / 2", "value"),
        (legendre.Irreducible.free, "self.theory.copies(place).as_expr() * ", ""),
        (zero.vertex_function, "value = -gamma", "value = gamma"),
    ],
)
def test_mutants_are_caught(fresh, monkeypatch, function, old, new):
    spoil(monkeypatch, function, old, new)
    assert not survives(checks)
