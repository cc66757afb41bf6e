"""Power counting: subdiagrams by trying every set of lines, forests by Bogoliubov's recursion."""

from fractions import Fraction
from itertools import combinations
from math import prod

import networkx as nx
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action
from fieldtheory.theory.engine import divergence
from fieldtheory.theory.engine.divergence import (
    Subdiagram,
    divergent_subdiagrams,
    forests,
    subdiagrams,
    superficial_degree,
)
from fieldtheory.theory.enumeration import diagrams


def plain(diagram):
    return len(diagram.vertices), [(a, b) for a, b, _ in diagram.vertex_edges]


def internal(lines):
    return [n for n, line in enumerate(lines) if min(line) >= 0]


def part(lines, chosen):
    graph = nx.MultiGraph()
    graph.add_edges_from((*lines[n], n) for n in chosen)
    return graph


def is_proper(lines, chosen):
    """Connected, also without any one of its lines, its vertices kept."""
    graph = part(lines, chosen)
    if not nx.is_connected(graph):
        return False
    for n in chosen:
        cut = graph.copy()
        cut.remove_edge(*lines[n], n)
        if not nx.is_connected(cut):
            return False
    return True


def every_subdiagram(lines):
    inner = internal(lines)
    return {
        frozenset(chosen)
        for size in range(1, len(inner))
        for chosen in combinations(inner, size)
        if is_proper(lines, chosen)
    }


@st.composite
def multigraphs(draw):
    vertices = draw(st.integers(1, 5))
    ends = st.integers(0, vertices - 1)
    lines = draw(st.lists(st.tuples(ends, ends), max_size=9))
    lines += [(-1, draw(ends)), (draw(ends), -2)]
    return vertices, draw(st.permutations(lines))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(multigraphs())
def test_every_set_of_lines_is_tried(graph):
    vertices, lines = graph
    found = subdiagrams(vertices, lines)
    assert {sub.lines for sub in found} == every_subdiagram(lines)
    assert len({sub.lines for sub in found}) == len(found)
    assert list(found) == sorted(found, key=lambda sub: (sub.loops, sorted(sub.lines)))
    for sub in found:
        graph = part(lines, sub.lines)
        assert sub.loops == graph.number_of_edges() - graph.number_of_nodes() + 1 >= 1


@pytest.mark.parametrize(
    ("power", "legs", "loops", "dimension"),
    [(4, 2, 3, 4), (4, 4, 3, 4), (3, 2, 3, 6), (6, 2, 4, 3)],
)
def test_what_diverges_is_what_has_few_outer_legs(power, legs, loops, dimension):
    """In the dimension where the coupling has none, only the number of legs counts:
    omega = dimension - (dimension - 2) / 2 * legs."""
    total = 0
    for d in diagrams(Action.phi(power), legs=legs, loops=loops, one_particle_irreducible=True):
        vertices, lines = plain(d)
        parts = subdiagrams(vertices, lines)
        assert {sub.lines for sub in parts} == every_subdiagram(lines)
        few = []
        for sub in parts:
            touched = {v for n in sub.lines for v in lines[n]}
            outer = power * len(touched) - 2 * len(sub.lines)
            degree = Fraction(2 * dimension - (dimension - 2) * outer, 2)
            assert sub.superficial_degree(dimension) == degree
            if degree >= 0:
                few.append(sub)
        assert divergent_subdiagrams(vertices, lines, dimension) == tuple(few)
        total += len(few)
    assert total > 0


# -- by hand ---------------------------------------------------------------------------------------

FISH = [(0, 1), (0, 1)]
SUNSET = [(-1, 0), (0, 1), (0, 1), (0, 1), (1, -2)]
CHAIN = [(-1, 0), (-2, 0), *FISH, (1, 2), (1, 2), (2, -3), (2, -4)]
LONG = [*FISH, (1, 2), (1, 2), (2, 3), (2, 3)]
ICE = [(0, 1), (0, 2), (1, 2), (1, 2)]  # the two-loop vertex correction of phi^4
SCOOPS = [(-1, 0), (-2, 0), (0, 1), (0, 1), (1, 1)]
BASKETBALL = [(0, 1)] * 4
KITE = [(-1, 0), (0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (3, -2)]
RAINBOW = [(-1, 0), (0, 1), (1, 2), (1, 2), (2, 3), (0, 3), (3, -2)]
TETRAHEDRON = list(combinations(range(4), 2))
DUMBBELL = [(0, 0), (0, 1), (1, 1)]


@pytest.mark.parametrize(
    ("vertices", "lines", "dimension", "proper", "divergent", "trees"),
    [
        (2, FISH, 4, 0, 0, 1),
        (2, SUNSET, 4, 3, 3, 4),
        (3, CHAIN, 4, 2, 2, 3),  # the fish meet at a vertex: not disjoint
        (4, LONG, 4, 5, 5, 11),
        (3, ICE, 4, 3, 1, 2),
        (2, SCOOPS, 4, 2, 2, 3),
        (2, BASKETBALL, 4, 10, 10, 23),
        (4, KITE, 6, 3, 2, 3),  # two overlapping vertex corrections
        (4, RAINBOW, 6, 3, 1, 2),  # a self-energy in a self-energy
        (4, KITE, 4, 3, 0, 1),
        (4, RAINBOW, 4, 3, 1, 2),
        (4, TETRAHEDRON, 4, 13, 0, 1),  # primitive
        (2, DUMBBELL, 4, 2, 2, 4),
        (2, DUMBBELL, 1, 2, 0, 1),
        (1, [(-1, 0), (-2, 0)], 4, 0, 0, 1),
        (0, [(-1, -2)], 4, 0, 0, 1),
        (0, [], 4, 0, 0, 1),
    ],
)
def test_textbook_subdivergences(vertices, lines, dimension, proper, divergent, trees):
    found = divergent_subdiagrams(vertices, lines, dimension)
    assert len(subdiagrams(vertices, lines)) == proper
    assert len(found) == divergent
    assert len(list(forests(lines, found))) == trees


@pytest.mark.parametrize("lines", range(2, 9))
def test_bananas(lines):
    """Any two or more of n parallel lines, but not all of them."""
    assert len(subdiagrams(2, [(0, 1)] * lines)) == 2**lines - lines - 2


def test_the_lines_are_those_of_the_list():
    assert subdiagrams(2, [(1, 1), (-1, 0), (0, 1), (1, 0), (-2, 0)]) == (
        Subdiagram(frozenset([0]), 1),
        Subdiagram(frozenset([2, 3]), 1),
    )


def test_the_whole_is_left_out_where_it_is_proper():
    assert subdiagrams(2, FISH) == ()
    assert [sub.loops for sub in subdiagrams(3, [*FISH, (1, 2)])] == [1]


# -- forests ---------------------------------------------------------------------------------------


def number_of_forests(lines, inside):
    """Bogoliubov: choose the largest members, no two of which touch; go on inside each."""

    def touch(one, other):
        return {v for n in one.lines for v in lines[n]} & {v for n in other.lines for v in lines[n]}

    total = 0
    for size in range(len(inside) + 1):
        for chosen in combinations(inside, size):
            if not any(touch(one, other) for one, other in combinations(chosen, 2)):
                total += prod(
                    number_of_forests(lines, [sub for sub in inside if sub.lines < top.lines])
                    for top in chosen
                )
    return total


def is_forest(lines, forest):
    for one, other in combinations(forest, 2):
        ends = [{v for n in sub.lines for v in lines[n]} for sub in (one, other)]
        nested = one.lines < other.lines or other.lines < one.lines
        if not nested and ends[0] & ends[1]:
            return False
    return True


@settings(max_examples=100, deadline=None)
@given(multigraphs())
def test_forests_are_counted_by_the_recursion(graph):
    vertices, lines = graph
    parts = subdiagrams(vertices, lines)[:10]
    found = list(forests(lines, parts))
    assert len(found) == number_of_forests(lines, parts)
    assert len(set(map(frozenset, found))) == len(found)
    assert found[0] == ()
    assert all(is_forest(lines, forest) for forest in found)


def test_forests_of_a_theory():
    found = []
    for d in diagrams(Action.phi(4), legs=4, loops=3, one_particle_irreducible=True):
        vertices, lines = plain(d)
        parts = divergent_subdiagrams(vertices, lines, 4)
        found.append(sum(1 for _ in forests(lines, parts)))
        assert found[-1] == number_of_forests(lines, parts)
    assert min(found) == 1
    assert found.count(1) == 1  # only the tetrahedron has no subdivergence


def test_any_order_of_the_parts_will_do():
    parts = subdiagrams(2, BASKETBALL)
    there = {frozenset(forest) for forest in forests(BASKETBALL, parts)}
    assert {frozenset(forest) for forest in forests(BASKETBALL, parts[::-1])} == there


def test_forests_come_one_by_one():
    stream = forests(BASKETBALL, subdiagrams(2, BASKETBALL))
    assert [len(next(stream)) for _ in range(3)] == [0, 1, 2]


# -- degrees ---------------------------------------------------------------------------------------


def test_superficial_degree():
    assert superficial_degree(4, 1, 1) == 2
    assert superficial_degree(Fraction(7, 2), 2, 3, power=Fraction(3, 2)) == Fraction(5, 2)
    assert superficial_degree(sp.Rational(1, 2), 2, 0) == 1
    d = sp.Symbol("d")
    assert superficial_degree(d, 2, 3) == 2 * d - 6
    assert superficial_degree(d, 2, 3, power=d) == -d
    assert superficial_degree(Fraction(1, 2), 1, 1, power=d) == sp.Rational(1, 2) - d


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: superficial_degree(3.9, 1, 1), "floats are not exact"),
        (lambda: superficial_degree(sp.Float(4), 1, 1), "floats are not exact"),
        (lambda: superficial_degree(0.5 * sp.Symbol("d"), 1, 1), "floats are not exact"),
        (lambda: superficial_degree(True, 1, 1), "dimension = True"),
        (lambda: superficial_degree(4, 1, 1, power="2"), "power = '2'"),
        (lambda: superficial_degree(4, -1, 1), "loops = -1"),
        (lambda: superficial_degree(4, 1, 1.5), "lines = 1.5"),
        (lambda: divergent_subdiagrams(2, FISH, sp.Symbol("d")), "for real numbers only"),
        (
            lambda: divergent_subdiagrams(2, FISH, sp.Symbol("d", real=True)),
            "for real numbers only",
        ),
        (lambda: divergent_subdiagrams(2, FISH, sp.oo), "for real numbers only"),
        (lambda: divergent_subdiagrams(2, FISH, 4, power=sp.I), "for real numbers only"),
    ],
)
def test_bad_questions(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        wrong()


# -- mutants ---------------------------------------------------------------------------------------


def only_positive(vertices, lines, dimension):
    """Mutant: logarithmic divergences forgotten."""
    found = subdiagrams(vertices, lines)
    return [sub for sub in found if sub.superficial_degree(dimension) > 0]


def by_vertices(vertices, lines, dimension):
    """Mutant: a set of vertices brings all its lines."""
    found = divergent_subdiagrams(vertices, lines, dimension)
    touched = [{v for n in sub.lines for v in lines[n]} for sub in found]
    full = [{n for n in internal(lines) if {*lines[n]} <= vs} for vs in touched]
    return [sub for sub, every in zip(found, full, strict=True) if sub.lines == every]


def circles_only(vertices, lines, dimension):
    """Mutant: one loop only."""
    return [sub for sub in divergent_subdiagrams(vertices, lines, dimension) if sub.loops == 1]


def vertices_counted(vertices, lines, dimension):
    """Mutant: loops taken for lines - vertices."""
    found = subdiagrams(vertices, lines)
    return [s for s in found if superficial_degree(dimension, s.loops - 1, len(s.lines)) >= 0]


@pytest.mark.parametrize("mutant", [only_positive, by_vertices, circles_only, vertices_counted])
def test_mutants_are_rejected(mutant):
    counts = {"sunset": (2, SUNSET, 3), "basketball": (2, BASKETBALL, 10)}
    found = [len(mutant(vertices, lines, 4)) for vertices, lines, _ in counts.values()]
    assert found != [number for _, _, number in counts.values()]


def test_lines_in_common_are_not_enough():
    """Mutant: subdiagrams that share a vertex taken for disjoint: the chain then has 4 forests."""
    parts = divergent_subdiagrams(3, CHAIN, 4)
    disjoint = [
        forest
        for size in range(3)
        for forest in combinations(parts, size)
        if not frozenset.intersection(frozenset(range(9)), *(sub.lines for sub in forest))
        or size < 2
    ]
    assert len(disjoint) == 4 != len(list(forests(CHAIN, parts)))


def test_parts_that_fall_apart_are_no_subdiagram(monkeypatch):
    """Mutant of the search: they are kept."""
    monkeypatch.setattr(divergence, "_parts", lambda part, lines: [part])
    assert {sub.lines for sub in subdiagrams(4, LONG)} != every_subdiagram(LONG)
