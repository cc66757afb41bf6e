"""Loop momenta: conserved, independent, few; and right, as spanning trees and forests say."""

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.momentum import momenta, routed
from tests.oracles import symanzik
from tests.strategies import general_actions, plain_actions

k1, k2, p1, p2, p3 = sp.symbols("k_1 k_2 p_1 p_2 p_3")
SMALL = [
    *diagrams(Action.phi(4), legs=2, order=2),
    *diagrams(Action.phi(4), legs=4, loops=2),
    *diagrams(Action.phi(3), legs=3, loops=2),
    *diagrams(Action.phi(3), legs=1, loops=2),
    *diagrams(Action.phi(4), legs=0, loops=3),
]


def inflows(diagram, found):
    """What comes in at every vertex and leg, lines and entries added up one by one."""
    total = {node: sp.S.Zero for piece in diagram.components for node in piece}
    owner = [v for v, vertex in enumerate(diagram.vertices) for _ in vertex.strands]
    for (a, b, _), momentum in zip(diagram.edges, found.lines, strict=True):
        total[a if a < 0 else owner[a]] -= momentum
        total[b if b < 0 else owner[b]] += momentum
    for n, momentum in enumerate(found.legs):
        total[-n - 1] += momentum
    background = iter(found.background)
    known = {field.name for field in diagram.fields if field.background}
    for v, vertex in enumerate(diagram.vertices):
        for strand in vertex.strands:
            total[v] += sum(next(background) for name in strand if name in known)
    for n, name in enumerate(diagram.legs):
        total[-n - 1] += next(background) if name in known else 0
    return total


def rank(rows):
    return sp.Matrix(rows).rank() if rows else 0


def check(diagram):
    found = momenta(diagram)
    assert set(inflows(diagram, found).values()) <= {0}
    assert len(found.loops) == diagram.loops
    # as many independent ones as lines leave room for
    rows = [[momentum.coeff(k) for k in found.loops] for momentum in found.lines]
    assert rank([row for row in rows if row]) == diagram.loops
    for k in found.loops:
        assert any(momentum in (k, -k) for momentum in found.lines)


STRANDS = list(diagrams(Action.o_n(4, "n"), legs=4, order=2, connected=True))


@pytest.mark.parametrize("diagram", [*SMALL, *STRANDS], ids=str)
def test_momentum_is_conserved_at_every_vertex(diagram):
    check(diagram)


@settings(max_examples=25, deadline=None)
@given(st.one_of(plain_actions(), general_actions()), st.integers(0, 2), st.data())
def test_momentum_is_conserved_in_random_theories(action, legs, data):
    known = [name for field in action.fields for name in field.legs]
    names = tuple(data.draw(st.sampled_from(known)) for _ in range(legs))
    for diagram in list(diagrams(action, names, order=2))[:30]:
        check(diagram)


def test_the_sunset_by_hand():
    *_, sunset = diagrams(Action.phi(4), order=2, connected=True)
    found = momenta(sunset)
    assert found.legs == (p1, -p1)
    assert found.loops == found.free == (k1, k2)
    assert set(found.lines) == {p1, -p1, k1, k2, p1 - k1 - k2}


def test_given_momenta_are_used_except_the_last():
    tree = next(diagrams(Action.phi(3), legs=3, order=1, connected=True))
    a, b, c = sp.symbols("a b c")
    assert momenta(tree, (a, b, c)).legs == (a, b, -a - b)


def test_each_piece_conserves_by_itself():
    for pairs in diagrams(Action.phi(4), legs=4, order=0):
        legs = momenta(pairs).legs
        for a, b, _ in pairs.edges:
            assert legs[-a - 1] == sp.Symbol(f"p_{-a}")
            assert legs[-b - 1] == -legs[-a - 1]


# -- against trees and forests --------------------------------------------------------------------


def gaussian(diagram, a, values):
    """Determinant of the quadratic form in the loop momenta, and what is left at its minimum."""
    found = momenta(diagram)
    inner = [m for (s, _, _), m in zip(diagram.edges, found.lines, strict=True) if s >= 0]
    form = sp.Add(*(weight * sp.expand(m**2) for weight, m in zip(a, inner, strict=True)))
    form = sp.expand(form.subs(values))
    if not found.loops:
        return sp.S.One, form
    half = sp.hessian(form, found.loops) / 2
    at_zero = dict.fromkeys(found.loops, 0)
    linear = sp.Matrix([sp.diff(form, k).subs(at_zero) / 2 for k in found.loops])
    rest = form.subs(at_zero) - (linear.T * half.inv() * linear)[0]
    return half.det(), rest


def drawn(diagram):
    """Nodes, inner lines, weights, external momenta and where they enter."""
    lines = [(a, b) for a, b, _ in diagram.edges if a >= 0]
    weights = [Fraction(2 * n + 3, n + 2) for n in range(len(lines))]
    values = {sp.Symbol(f"p_{n + 1}"): 3**n + n for n in range(len(diagram.legs))}
    values[sp.Symbol(f"p_{len(diagram.legs)}")] = 0
    inflow = dict.fromkeys(range(len(diagram.vertices)), 0)
    at = {-a: b for a, b, _ in diagram.edges if a < 0}
    momenta_in = [3**n + n for n in range(len(diagram.legs) - 1)]
    for n, p in enumerate([*momenta_in, -sum(momenta_in)][: len(diagram.legs)]):
        inflow[at[n + 1]] += p
    return list(inflow), lines, weights, values, inflow


CONNECTED = [d for d in SMALL if d.is_connected]


def symanzik_holds(diagram, determinant, rest):
    nodes, lines, weights, _, inflow = drawn(diagram)
    tree = symanzik.first(nodes, lines, weights)
    pair = symanzik.second(nodes, lines, weights, inflow)
    return determinant == sp.Rational(tree) and determinant * rest == sp.Rational(pair)


@pytest.mark.parametrize("diagram", CONNECTED, ids=str)
def test_gaussian_loops_are_the_symanzik_polynomials(diagram):
    _, _, weights, values, _ = drawn(diagram)
    rationals = [sp.Rational(a.numerator, a.denominator) for a in weights]
    assert symanzik_holds(diagram, *gaussian(diagram, rationals, values))


def test_the_symanzik_polynomials_reject_every_wrong_sign():
    """Reversing one term of one line in a diagram of two loops is seen."""
    diagram = next(
        d
        for d in diagrams(Action.phi(3), legs=3, loops=2, one_particle_irreducible=True)
        if all(a != b for a, b, _ in d.edges)
    )
    found = momenta(diagram)
    _, _, weights, values, _ = drawn(diagram)
    seen = 0
    inner = [m for (s, _, _), m in zip(diagram.edges, found.lines, strict=True) if s >= 0]
    for place, momentum in enumerate(inner):
        terms = momentum.as_ordered_terms()
        for term in terms if len(terms) > 1 else []:
            spoiled = [*inner]
            spoiled[place] = momentum - 2 * term
            form = sum(sp.Rational(str(a)) * m**2 for a, m in zip(weights, spoiled, strict=True))
            form = sp.expand(form.subs(values))
            half = sp.hessian(form, found.loops) / 2
            zero = dict.fromkeys(found.loops, 0)
            linear = sp.Matrix([sp.diff(form, k).subs(zero) / 2 for k in found.loops])
            rest = form.subs(zero) - (linear.T * half.inv() * linear)[0]
            assert not symanzik_holds(diagram, half.det(), rest)
            seen += 1
    assert seen > 3


def test_expressions_are_about_as_short_as_any_tree_makes_them():
    ours = best = 0
    for diagram in diagrams(Action.phi(3), legs=3, loops=2, one_particle_irreducible=True):
        nodes, lines, *_ = drawn(diagram)
        at = {-a: b for a, b, _ in diagram.edges if a < 0}
        legs = [at[n + 1] for n in range(3)]
        least = symanzik.shortest(nodes, lines, legs)
        inner = [
            m for (a, _, _), m in zip(diagram.edges, momenta(diagram).lines, strict=True) if a >= 0
        ]
        terms = sum(len(m.as_ordered_terms()) for m in inner if m != 0)
        assert terms >= least
        ours, best = ours + terms, best + least
    assert 50 * ours <= 51 * best


# -- graphs of any kind ---------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [[(0, 1), (0, 1)], [(0, 1), (1, 0)], [(1, 0), (1, 0)]])
def test_loop_momenta_are_turned_to_save_minus_signs(lines):
    """One loop with momentum coming in: k_1, k_1 + p_1, ..., no minus sign inside a momentum."""
    nodes = sorted({node for line in lines for node in line})
    for momentum in routed(nodes, lines, entries=nodes).lines:
        assert len({sign for sign in momentum if sign}) == 1


def test_a_graph_without_lines():
    found = routed([0, 1], [], entries=[0])
    assert found.loops == 0
    assert found.entries == ((0,),)


@pytest.mark.parametrize(
    ("lines", "entries", "says"),
    [([(0, 5)], [], "line 0 ends at node 5"), ([], [7], "enters at node 7")],
)
def test_bad_input(lines, entries, says):
    with pytest.raises(InvalidInput, match=says):
        routed([0, 1], lines, entries)
