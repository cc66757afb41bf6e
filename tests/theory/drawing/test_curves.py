"""Arcs, hulls and the places of vertices on and in a circle."""

import sys
from itertools import permutations
from math import pi, sin

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.theory.drawing import as_svg, blocks, circle, layout
from fieldtheory.theory.drawing.circle import HUB, crossings, inside, relaxed, ring
from fieldtheory.theory.drawing.curves import Arc, along, beyond, halved, hull
from tests.oracles import geometry
from tests.oracles.mutation import spoil, survives
from tests.theory.drawing import test_layout as shapes
from tests.tolerance import agree, rounding

ARCS = st.builds(
    Arc, st.just(0j), st.complex_numbers(min_magnitude=0.1, max_magnitude=9), st.floats(-1.6, 1.6)
)


@given(ARCS, st.floats(0, 1))
def test_arcs_lie_on_the_circle_their_bend_asks_for(arc, part):
    there = arc.at(part)
    reach = abs(arc.end) / max(abs(sin(arc.bend)), 1e-3)
    if abs(arc.bend) > 1e-3:
        radius = arc.end / (2j * sin(arc.bend))
        centre = arc.start + radius * np.exp(1j * arc.bend)
        assert agree(abs(there - centre), abs(radius), rounding(reach, 100))
        assert agree(arc.length, 2 * abs(radius * arc.bend), rounding(reach, 100))
    assert agree(arc.reversed.at(1 - part), there, rounding(reach, 1000))


@given(st.lists(ARCS, min_size=1, max_size=4))
def test_the_half_of_a_chain_has_half_its_length(arcs):
    chain, here = [], 0j
    for arc in arcs:
        chain.append(Arc(here, here + arc.end, arc.bend))
        here += arc.end
    one, two = halved(tuple(chain))
    whole = sum(arc.length for arc in chain)
    assert agree(sum(arc.length for arc in one), whole / 2, rounding(whole, 1000))
    assert agree(sum(arc.length for arc in two), whole / 2, rounding(whole, 1000))
    assert agree(along(tuple(chain), 0.5)[0], one[-1].end, rounding(whole, 10000))


def test_a_right_angle_is_pi_over_two():
    assert agree(Arc(0j, 2 + 0j, pi / 2).at(0.5), 1 + 1j, rounding(1))


POINTS = st.builds(complex, st.integers(-9, 9), st.integers(-9, 9))


@given(st.lists(POINTS, min_size=3, max_size=12, unique=True), POINTS)
def test_a_point_is_beyond_the_hull_when_a_line_separates_it(points, point):
    corners = hull(points)
    assert set(corners) <= set(points)
    away = [z for z in points if z != point]
    strictly = geometry.is_outside(point, away) and point not in points
    on_line = len(corners) < 3
    if not on_line:
        assert (beyond(point, corners) > 0) == strictly or abs(beyond(point, corners)) < 1e-9
    closest = min(abs(point - z) for z in points)
    assert beyond(point, corners) <= closest + 1e-9


# -- on and in the circle -------------------------------------------------------------------------


@st.composite
def block_lines(draw):
    """The lines of a block: a cycle and chords."""
    count = draw(st.integers(3, 7))
    cycle = {(n, n + 1) for n in range(count - 1)} | {(0, count - 1)}
    pairs = [(a, b) for b in range(count) for a in range(b)]
    return dict.fromkeys(sorted(cycle | set(draw(st.lists(st.sampled_from(pairs))))), 1)


@given(block_lines())
def test_a_ring_holds_every_vertex_once_and_as_many_outside_as_can_be(lines):
    found = ring(lines, [0])
    assert found.outer[0] == 0
    vertices = sorted({v for ab in lines for v in ab})
    assert sorted((*found.outer, *found.inner)) == vertices
    graph = nx.Graph(list(lines))
    planar = nx.check_planarity(graph)[0]
    assert bool(found.faces) == planar
    graph.add_edges_from((HUB, v) for v in found.outer)
    assert nx.check_planarity(graph)[0] == planar
    for v in found.inner:
        graph.add_edge(HUB, v)
        assert not nx.check_planarity(graph)[0]
        graph.remove_edge(HUB, v)


@given(block_lines())
def test_vertices_inside_leave_lines_uncrossed_before_and_after_they_walk(lines):
    found = ring(lines, [0])
    count = len(found.outer)
    fixed = {v: np.exp(2j * pi * n / count) for n, v in enumerate(found.outer)}
    if not found.faces:
        return
    places = {**fixed, **inside(lines, found, fixed)}
    walls = [(fixed[a], fixed[b]) for a, b in lines if not {a, b} & set(found.inner)]
    free = {ab: 1 for ab in lines if set(ab) & set(found.inner)}
    for drawn in (places, relaxed(free, places, found.inner, walls)):
        paths = {ab: np.array([drawn[ab[0]], drawn[ab[1]]]) for ab in lines}
        for one in lines:
            for two in lines:
                shared = [drawn[v] for v in set(one) & set(two)]
                if len(shared) == 0:
                    assert geometry.crossings(paths[one], paths[two], [], 0) == 0


WHEEL = {(0, 1): 1, (1, 2): 1, (0, 2): 1, (0, 3): 1, (1, 3): 1, (2, 3): 1}


def test_the_hub_of_a_wheel_is_the_mean_of_its_rim():
    found = ring(WHEEL, [0, 1, 2])
    rim = {0: 5 + 0j, 1: 6 + 3j, 2: 10 - 9j}
    assert agree(inside(WHEEL, found, rim)[3], 7 - 2j, rounding(10, 100))


def test_a_vertex_does_not_walk_through_a_wall():
    """On the other side there is far more room."""
    wall = [(-4 + 0j, 4 + 0j), (-4 - 0.3j, 4 - 0.3j)]
    found = relaxed({(0, 1): 1}, {0: -4 - 0.15j, 1: 1 - 0.02j}, [1], wall)
    assert -0.3 < found[1].imag < 0


def test_a_vertex_walks_to_the_middle_of_free_space():
    box = [-1 - 1j, 1 - 1j, 1 + 1j, -1 + 1j]
    walls = list(zip(box, box[1:] + box[:1], strict=True))
    lines = {(n, 4): 1 for n in range(4)}
    found = relaxed(lines, {**dict(enumerate(box)), 4: 0.6 + 0.5j}, [4], walls)
    assert abs(found[4]) < 0.1


def test_the_order_with_few_crossings_is_the_best_for_small_blocks():
    utility = {(a, b): 1 for a in range(3) for b in range(3, 6)}
    best = min(crossings(order, utility) for order in permutations(range(6)))
    assert crossings(ring(utility, [0]).outer, utility) == best == 3
    complete = {(a, b): 1 for b in range(5) for a in range(b)}
    assert crossings(ring(complete, [0]).outer, complete) == 5


# -- mutants --------------------------------------------------------------------------------------

MUTANTS = [
    (blocks, "_draw_sides", "0.45 * _beside", "1.2 * _beside"),
    (blocks, "_draw_sides", "low = high = bend", "low = high = -bend"),
    (blocks, "_angles", "angle -= step", "angle -= 0.5 * step"),
    (blocks, "_evenly", "(2 * n + 1) / number - 1", "(2 * n + 1) / number"),
    (blocks, "block_part", ", -min(opening, pi / 2)", ", min(opening, pi / 2)"),
    (circle, "inside", "matrix[row[here]][row[here]] += 1", "matrix[row[here]][row[here]] += 3"),
    (circle, "relaxed", "0.4 * least", "9.0 * least"),
    (circle, "_energy", "force += 2 * share", "force -= 2 * share"),
    (circle, "_energy", "if j != k", "if j == k"),
    (circle, "ring", "(*needed, *first, *busy, *others)", "(*needed,)"),
    (layout, "_end", "< MARGIN", "< -9 * MARGIN"),
    (layout, "_turn", "* want.conjugate()", "* want"),
    (layout, "slot", "return pi - ", "return 0 - "),
    (as_svg, "_label_place", "x + away.real", "x - away.real"),
    (as_svg, "_bounds", "max(x for x, _ in points) + extra", "min(x for x, _ in points)"),
]
FAMILIES = [(4, 2, 3), (4, 4, 2), (3, 2, 3), (3, 3, 2)]


def every_check():
    for case in FAMILIES:
        shapes.test_irreducible_diagrams(*case)
    shapes.test_vacuum_diagrams(4, 4)
    shapes.test_tadpole_is_a_circle_on_the_line()
    shapes.test_sunset_is_a_line_through_two_half_circles()
    shapes.test_triangle_is_a_circle_with_three_spokes()
    shapes.test_double_scoop_stands_upright()
    shapes.test_legs_reach_beyond_arms_that_lean_back()
    for channel in [(1, 2), (1, 3)]:
        shapes.test_fish_has_two_legs_on_either_side(channel, (1, 2), (1, 3))
    for legs in range(2, 9):
        shapes.test_legs_of_one_vertex_are_first_left_then_right(legs)
    test_the_hub_of_a_wheel_is_the_mean_of_its_rim()
    test_a_vertex_does_not_walk_through_a_wall()
    test_a_vertex_walks_to_the_middle_of_free_space()


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name", "old", "new"), MUTANTS)
def test_spoilt_layouts_are_caught(monkeypatch, module, name, old, new):
    assert survives(shapes.test_tadpole_is_a_circle_on_the_line)
    spoil(monkeypatch, getattr(module, name), old, new)
    for user in (blocks, layout, sys.modules[__name__]):  # they hold it under its name
        if hasattr(user, name):
            monkeypatch.setattr(user, name, getattr(module, name))
    assert not survives(every_check)
