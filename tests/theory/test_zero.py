"""The judge itself, judged by integrals, by pairings, by tables, and by the same theory
written in other fields."""

import json
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product
from math import factorial
from pathlib import Path

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import zero
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.field import Field, Propagator
from tests.oracles import matchings
from tests.strategies import general_actions

g, M = sp.symbols("g M")
PHI4 = Action.phi(4, coupling="g")
PSI = ("psi", "psi_bar")
REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "diagrams.json").read_text())


def gaussian_integral(power):
    x = sp.Symbol("x", real=True)
    weight = sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
    return sp.integrate(x**power * weight, (x, -sp.oo, sp.oo))


@pytest.mark.parametrize("power", [0, 2, 4, 5])
def test_moments_are_integrals(power):
    quartic = [gaussian_integral(power + 4 * n) / (sp.factorial(n) * 24**n) for n in range(3)]
    assert zero.moment(PHI4, legs=power, order=2) == tuple(
        (-g) ** n * value for n, value in enumerate(quartic)
    )


def test_the_logarithm_of_the_partition_function():
    exact = sp.log(1 - g / 8 + sp.Rational(35, 384) * g**2).series(g, 0, 3).removeO()
    assert sp.expand(zero.cumulant(PHI4, legs=0, order=2) - exact) == 0


def test_a_source_shifts_the_free_field():
    """S = phi^2/2 - j phi: <phi> = j, <phi phi> = 1 + j^2, nothing else is connected."""
    j = sp.Symbol("j")
    action = Action((Field("phi"),), (Vertex(j, [("phi",)]),))
    assert zero.correlator(action, legs=1, order=3) == j
    assert zero.correlator(action, legs=2, order=3) == 1 + j**2
    assert zero.cumulant(action, legs=2, order=3) == 1


@pytest.mark.parametrize(("p", "q"), [(1, 0), (2, 0), (3, 0), (0, 2), (1, 2), (2, 2), (1, 4)])
def test_replica_sums_are_the_vector_average(p, q):
    """E[(phi.phi)^p (u.phi)^q] = (q-1)!! M^(q/2) (M+q)(M+q+2)...(M+q+2p-2), u = (1, ..., 1)."""
    strands = [("phi", "phi")] * p + [("r", "phi")] * q
    fields = (Field("phi", index=M), Field("r", background=True, index=M))
    vertex = Vertex("c", strands)
    _, first = zero.moment(Action(fields, (vertex,)), legs=(), order=1)
    ladder = sp.prod([M + q + 2 * k for k in range(p)])
    value = sp.factorial2(q - 1) * M ** (q // 2) * ladder * sp.Symbol("r") ** q
    assert sp.expand(first - sp.Symbol("c") * value / vertex.symmetry) == 0


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_replica_sums_at_whole_m_are_several_fields(copies):
    """M = 2 replicas with legs in them are two fields, written out."""
    replicated = Action(
        (Field("p", index=M),), (Vertex("a", [("p", "p")] * 2), Vertex("b", [("p",) * 3]))
    )
    names = [f"p{n}" for n in range(copies)]
    pairs = [(one, other) for one in names for other in names]
    quartic = [
        Vertex(sp.Symbol("a") / 8 * _aut(one, other), [(one, one, other, other)])
        for one, other in pairs
    ]
    cubic = [Vertex("b", [(name,) * 3]) for name in names]
    plain = Action(tuple(Field(name) for name in names), tuple(quartic + cubic))
    for legs in [("p0", "p0"), ("p0",)]:
        ours = zero.correlator(replicated, ("p",) * len(legs), 2)
        assert sp.expand(ours.subs(M, copies) - zero.correlator(plain, legs, 2)) == 0


def _aut(one, other):
    return 24 if one == other else 4


# -- against every pairing of numbered legs --------------------------------------------------------

SPIN = (Field("phi", 2, index=M), Field("psi", 3, index=M, conjugate="psi_bar"))
REAL = (Field("phi", 2), Field("chi", -1), Field("r", background=True))
LINKED = (Propagator("phi", "chi", 5),)
CHARGED = (Field("psi", sp.Rational(2, 3), conjugate="psi_bar"),)
ODD = (Propagator("psi", "psi", 4), Propagator("psi_bar", "psi_bar", -1))
CASES = [  # fields, mixed propagators, vertices, their powers, legs
    (REAL, (), [[("phi",) * 3], [("phi", "chi", "chi")]], (1, 1), ("phi", "phi")),
    (REAL, LINKED, [[("phi",) * 3], [("phi", "r", "chi")]], (1, 1), ("phi", "chi", "chi")),
    (REAL, LINKED, [[("phi", "chi", "chi")]], (2,), ("phi", "chi")),
    (REAL, LINKED, [[("phi",)], [("phi", "chi", "chi", "chi")]], (2, 1), ("chi", "chi")),
    (REAL, LINKED, [[("phi",)]], (3,), ("phi", "phi", "chi")),
    ((REAL[0], Field("chi", 0)), LINKED, [[("phi", "phi", "chi")]], (2,), ("phi", "chi")),
    (CHARGED, (), [[PSI * 2]], (2,), PSI),
    (CHARGED, (), [[PSI * 2]], (1,), PSI * 2),
    (CHARGED, (), [[(*PSI, "psi")], [(*PSI, "psi_bar")]], (1, 1), PSI),
    (CHARGED, ODD, [[PSI * 2]], (2,), PSI[:1] * 2),
    (CHARGED, ODD[:1], [[PSI[:1] * 2 + PSI[1:]], [PSI[1:] * 2]], (1, 1), PSI[:1]),
]
REPLICATED = [  # vertices, their powers, legs, replicas
    ([[("phi", "phi")] * 2], (2,), ("phi", "phi"), (0, 0)),
    ([[("phi", "phi")] * 2], (1,), ("phi",) * 4, (0, 0, 1, 1)),
    ([[("phi",) * 3], [("phi",), ("phi",)]], (1, 1), ("phi",), (0,)),
    ([[("phi",), ("phi", "phi")]], (2,), ("phi", "phi"), (0, 1)),
    ([[PSI, PSI]], (2,), PSI, (0, 0)),
    ([[PSI, PSI]], (1,), PSI * 2, (0, 1, 1, 0)),
    ([[PSI, ("phi",)]], (2,), PSI, (0, 0)),
    ([[PSI[:1], PSI[1:]]], (2,), PSI, (0, 1)),
]


def coefficient(value, powers):
    """Of the couplings g0, g1, ... to these powers, background fields being 1."""
    names = sp.symbols([f"g{k}" for k in range(len(powers))])
    monomial = sp.Mul(*(s**k for s, k in zip(names, powers, strict=True)))
    return Fraction(str(sp.Poly(value.subs("r", 1), *names).coeff_monomial(monomial)))


def against_pairings(action, vertices, powers, legs, replicas=None, copies=None):
    truth = partial(
        matchings.weight,
        [tuple(v) for v, k in zip(vertices, powers, strict=True) for _ in range(k)],
        list(zip(legs, replicas or [None] * len(legs), strict=True)),
        matchings.symmetric({(p.first, p.second): Fraction(str(p.value)) for p in action.lines}),
        copies=copies,
    )
    ours = [
        sp.Add(*zero.moment(action, legs, sum(powers), replicas)),
        zero.cumulant(action, legs, sum(powers), replicas),
    ]
    values = [coefficient(x if copies is None else x.subs(M, copies), powers) for x in ours]
    assert values == [truth(keep=matchings.everything), truth(keep=matchings.connected)]
    return values


@pytest.mark.parametrize(("fields", "mixed", "vertices", "powers", "legs"), CASES)
def test_moments_and_cumulants_are_sums_over_pairings(fields, mixed, vertices, powers, legs):
    rules = [Vertex(f"g{k}", strands) for k, strands in enumerate(vertices)]
    assert any(against_pairings(Action(fields, tuple(rules), mixed), vertices, powers, legs))


@pytest.mark.parametrize(("vertices", "powers", "legs", "replicas"), REPLICATED)
def test_replicated_ones_too(vertices, powers, legs, replicas):
    used = {name for v in vertices for strand in v for name in strand}
    rules = [Vertex(f"g{k}", strands) for k, strands in enumerate(vertices)]
    action = Action(tuple(f for f in SPIN if f.name in used), tuple(rules))
    for copies in range(max(replicas) + 1, 4):
        against_pairings(action, vertices, powers, legs, replicas, copies)


@settings(max_examples=25, deadline=None)
@given(general_actions(), st.data())
def test_random_general_actions_are_sums_over_pairings(action, data):
    """With numbers for the propagators, at every product of at most two couplings."""
    number = st.integers(-3, 3).filter(bool)
    values = {line.value: data.draw(number) for line in action.lines}
    fields = [replace(f, propagator=values.get(f.propagator, f.propagator)) for f in action.fields]
    mixed = [replace(p, value=values[p.value]) for p in action.propagators]
    vertices = [v.strands for v in action.vertices]
    rules = [Vertex(f"g{k}", strands) for k, strands in enumerate(vertices)]
    action = Action(tuple(fields), tuple(rules), tuple(mixed))
    powers = tuple(data.draw(st.integers(0, 2 // len(vertices) or 1)) for _ in vertices)
    against_pairings(action, vertices, powers, data.draw(st.sampled_from([("phi",), PSI])))


# -- other ways to write the same theory -----------------------------------------------------------


def same(one, other):
    return sp.expand(one - other) == 0


def test_a_complex_field_is_two_real_ones():
    """psi = (a + i b)/sqrt2, <a a> = <b b> = G: u (psi psi_bar)^2/4 = u (a^2 + b^2)^2/16."""
    u = sp.Symbol("u")
    psi = Action((Field("psi", "G", conjugate="psi_bar"),), (Vertex(u, [PSI * 2]),))
    quartic = [Vertex(u * sp.Rational(24, 16), [(x,) * 4]) for x in "ab"]
    real = Action(
        (Field("a", "G"), Field("b", "G")),
        (*quartic, Vertex(u * sp.Rational(8, 16), [("a", "a", "b", "b")])),
    )
    assert same(zero.free_energy(psi, 3), zero.free_energy(real, 3))
    pair = [zero.correlator(real, (x, x), 3) / 2 for x in "ab"]
    assert same(zero.correlator(psi, PSI, 3), sum(pair))
    powers = {(4, 0): 1, (2, 2): 2, (0, 4): 1}
    four = [n * zero.correlator(real, ("a",) * p + ("b",) * q, 2) for (p, q), n in powers.items()]
    assert same(zero.correlator(psi, PSI * 2, 2), sum(four) / 4)


@pytest.mark.parametrize("legs", [(1, 0), (2, 0), (2, 1), (1, 3), (4, 0)])
def test_charge_is_conserved(legs):
    action = Action(
        (Field("psi", conjugate="psi_bar"), Field("phi")),
        (Vertex("g", [(*PSI, "phi")]), Vertex("h", [PSI * 2])),
    )
    names = PSI[:1] * legs[0] + PSI[1:] * legs[1]
    assert set(zero.moment(action, names, 3)) == {0}
    assert 0 not in zero.moment(action, names + PSI[1:] * legs[0] + PSI[:1] * legs[1], 2)[::2]


def rotated(vertices, fields):
    """The vertices as polynomials in x and y, put back together as vertices of those."""
    found = []
    x, y = sp.symbols("x y")
    for vertex in vertices:
        word = sp.Mul(*(fields[name] for name in vertex.legs)) * vertex.coupling / vertex.symmetry
        for (p, q), c in sp.Poly(sp.expand(word), x, y).terms():
            rule = c * sp.factorial(p) * sp.factorial(q)
            found.append(Vertex(rule, [("x",) * p + ("y",) * q]))
    return tuple(found)


def test_mixed_propagators_are_rotated_fields():
    """phi = x + y, A = x - y: <phi phi> = <A A> = D + E, <phi A> = D - E."""
    D, E, x, y = sp.symbols("D E x y")
    fields = (Field("phi", D + E), Field("A", D + E))
    vertices = (
        Vertex("g", [("phi", "phi", "A")]),
        Vertex("h", [("A",) * 4]),
        Vertex("j", [("A",)]),
    )
    mixed = Action(fields, vertices, (Propagator("phi", "A", D - E),))
    straight = {"phi": x + y, "A": x - y}
    plain = Action((Field("x", D), Field("y", E)), rotated(vertices, straight))
    assert same(zero.free_energy(mixed, 2), zero.free_energy(plain, 2))
    two = {p: zero.correlator(plain, p, 2) for p in [("x", "x"), ("x", "y"), ("y", "y")]}
    assert same(zero.correlator(mixed, ("phi", "A"), 2), two["x", "x"] - two["y", "y"])
    both = two["x", "x"] + 2 * two["x", "y"] + two["y", "y"]
    assert same(zero.correlator(mixed, ("phi", "phi"), 2), both)


def test_a_response_field_enforces_its_equation():
    """phi = eta + h with noise <eta eta> = C and R = <phi phit>, driven by the rule h phit: the
    mean is R h, and the response field has no average of its own."""
    h, R, C = sp.symbols("h R C")
    action = Action(
        (Field("phi", C), Field("phit", 0)),
        (Vertex(h, [("phit",)]),),
        (Propagator("phi", "phit", R),),
    )
    assert zero.correlator(action, ("phi",), 4) == R * h
    assert same(zero.correlator(action, ("phi", "phi"), 4), C + R**2 * h**2)
    assert zero.correlator(action, ("phit", "phit"), 4) == 0
    assert zero.free_energy(action, 4) == 0


def test_powers_of_couplings():
    both = Action.phi(4, "g") + Action.phi(3, "h")
    h = sp.Symbol("h")
    for question in (zero.correlator, zero.cumulant):
        whole = sp.Poly(question(both, 2, 4), g, h)
        part = sp.Poly(question(both, 2, {"g": 2, "h": 2}), g, h)
        assert dict(part.terms()) == {m: c for m, c in whole.terms() if max(m) <= 2}
    whole = sp.Poly(sp.Add(*zero.moment(both, 2, 3)), g, h)
    part = sp.Poly(sp.Add(*zero.moment(both, 2, {"g": 1, "h": 2})), g, h)
    assert dict(part.terms()) == {(a, b): c for (a, b), c in whole.terms() if a <= 1 and b <= 2}
    assert zero.correlator(both, 2, {"g": 3}) == zero.correlator(PHI4, 2, 3)


# -- against tables --------------------------------------------------------------------------------


def test_connected_sums_of_the_reference():
    """The rows of every connected family of one vertex, and of two fields."""
    for family in REFERENCE["families"]:
        if not family["one_particle_irreducible"] and len(family["valences"]) == 1:
            (valence,), legs = family["valences"], family["legs"]
            order = {r[0]: sp.Rational(2 * (r[0] - 1) + legs, valence - 2) for r in family["rows"]}
            found = zero.cumulant(Action.phi(valence, -g), legs, max(order.values()))
            rows = {order[loops]: sp.Rational(value) for loops, _, value in family["rows"]}
            assert {n: found.coeff(g, n) for n in rows} == rows, family["id"]
    action = Action((Field("phi"), Field("A")), (Vertex("g", [("phi", "phi", "A")]),))
    for what, loops, _, value in REFERENCE["two_fields"]["rows"]:
        if what.endswith("connected"):
            legs = tuple(what.strip("<").split(">")[0].split()) if what[0] == "<" else ()
            order = 2 * (loops - 1) + len(legs)
            assert zero.cumulant(action, legs, order).coeff(g, order) == sp.Rational(value)


def disordered():
    """(lam/8) (sum_a (phi_a - r)^2)^2 as vertices: the square of the strands A - 2 B + C."""
    strands = {("phi", "phi"): 1, ("r", "phi"): -2, ("r", "r"): 1}
    vertices = []
    for one, other in product(strands, repeat=2):
        unit = Vertex(1, [one, other])
        weight = sp.Rational(strands[one] * strands[other] * unit.symmetry, 8)
        vertices.append(Vertex(weight * sp.Symbol("lam"), unit.strands))
    fields = (Field("phi", index=M), Field("r", background=True, index=M))
    return Action(fields, tuple(vertices))


def test_the_replica_table_and_its_limit():
    r, lam = sp.symbols("r lam")
    found = zero.free_energy(disordered(), 3)
    for order, table in REFERENCE["replica"]["w"].items():
        truth = sum(
            sp.Rational(value) * M ** int(word[2]) * r ** int(word[-1])
            for word, value in table.items()
        )
        assert same(found.coeff(lam, int(order)), truth)
    limit = zero.free_energy_limit(disordered(), 4)
    assert same(
        limit,
        sum(
            lam**k * sp.factorial2(2 * k - 1) * (sp.Rational(1, 4 * k) + r**2 / 2)
            for k in range(1, 5)
        ),
    )


def test_partition_functions_count_every_pairing():
    """At order n the unnormalised average is (4n-1)!! over the numbering of vertices and legs."""
    for n, value in enumerate(zero.moment(PHI4, legs=0, order=3)):
        assert value == (-g) ** n * sp.factorial2(4 * n - 1) / (factorial(n) * 24**n)


def test_bad_input():
    with pytest.raises(InvalidInput, match="at least 0"):
        zero.moment(PHI4, 2, order=-1)
    with pytest.raises(InvalidInput, match="one number for each"):
        zero.moment(PHI4, 2, 1, replicas=(0,))
    with pytest.raises(InvalidInput, match="unknown field"):
        zero.correlator(PHI4, ("psi",), 1)
    with pytest.raises(InvalidInput, match="one replica index"):
        zero.free_energy_limit(PHI4, 1)
    with pytest.raises(InvalidInput, match="in no vertex"):
        zero.correlator(PHI4, 2, {"h": 1})
