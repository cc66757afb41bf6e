"""Pictures of diagrams, measured: nothing on top of anything else, and shapes as on paper."""

from functools import cached_property

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.theory.action import Action
from fieldtheory.theory.drawing import Cross, Leg, Line, Sketch, svg
from fieldtheory.theory.drawing.as_svg import UNIT
from fieldtheory.theory.drawing.layout import layout
from fieldtheory.theory.enumeration import diagrams
from tests.oracles import geometry

DIGITS = 0.02  # SVG coordinates have two decimals
NEAR = 0.25 * UNIT  # lines may meet at a vertex: closer to it they are not held apart
CLEAR = 0.035 * UNIT  # between lines that do not cross
FREE = 0.08 * UNIT  # of a vertex from a line that passes it: the dot's radius and half as much


def plain(vertices, legs, pairs):
    return Sketch(
        vertices,
        tuple(Leg(f"x{n + 1}") for n in range(legs)),
        tuple(Line(a, b) for a, b in pairs),
    )


def sketches(power, legs, **asked):
    for diagram in diagrams(Action.phi(power), legs=legs, **asked):
        yield plain(
            len(diagram.vertices), legs, [(edge[0], edge[1]) for edge in diagram.vertex_edges]
        )


class Seen:
    """A sketch and its picture: the path of each line and the place of each end."""

    def __init__(self, sketch, text=None):
        self.sketch = sketch
        self.picture = geometry.Picture(svg(sketch) if text is None else text)
        self.paths = self.picture.paths
        self.ends = dict(enumerate(self.picture.dots))
        for line, path in zip(sketch.lines, self.paths, strict=True):
            for end, place in ((line.start, path[0]), (line.end, path[-1])):
                assert abs(self.ends.setdefault(end, place) - place) < DIGITS, "a line hangs loose"

    def shared(self, m, n):
        both = set(self.sketch.lines[m][:2]) & set(self.sketch.lines[n][:2])
        return [self.ends[end] for end in both]

    @cached_property
    def crossed(self):
        """How often each pair of lines crosses."""
        return {
            (m, n): geometry.crossings(one, two, self.shared(m, n), 0.03 * UNIT)
            for n, one in enumerate(self.paths)
            for m, two in enumerate(self.paths[:n])
        }

    def crossings(self):
        return sum(self.crossed.values())

    def closest_lines(self):
        found = np.inf
        for n, one in enumerate(self.paths):
            for m, two in enumerate(self.paths[:n]):
                if not self.crossed[m, n]:
                    found = min(found, geometry.apart(one, two, self.shared(m, n), NEAR))
        return found

    def closest_vertex(self):
        return min(
            (
                geometry.distance(place, path)
                for end, place in self.ends.items()
                for line, path in zip(self.sketch.lines, self.paths, strict=True)
                if end not in line[:2]
            ),
            default=np.inf,
        )

    def pieces(self):
        """The ends of the legs and all points of each connected piece."""
        graph = nx.MultiGraph([line[:2] for line in self.sketch.lines])
        for piece in nx.connected_components(graph):
            lines = [n for n, line in enumerate(self.sketch.lines) if line.start in piece]
            points = np.concatenate([self.paths[n] for n in lines])
            yield [self.ends[end] for end in piece if end < 0], points

    def is_planar(self):
        """Whether it could be drawn without crossings, legs outside."""
        graph = nx.Graph([line[:2] for line in self.sketch.lines if line.start != line.end])
        graph.add_edges_from(("outside", -n - 1) for n in range(len(self.sketch.legs)))
        return nx.check_planarity(graph)[0]


def judge(seen):
    """No vertex on a foreign line, no line along another, no crossing without need, legs outside
    everything, labels clear of all lines, and all of it inside the box."""
    assert seen.closest_vertex() > FREE
    planar = seen.is_planar()
    if planar:
        assert seen.crossings() == 0
        assert seen.closest_lines() > CLEAR
    else:
        assert 0 < seen.crossings() < len(seen.paths)
    for places, points in seen.pieces():
        for leg in places:
            assert geometry.is_outside(leg, points[abs(points - leg) > DIGITS])
    everything = np.concatenate([*seen.paths, list(seen.ends.values())])
    for _, place in seen.picture.labels:
        assert min(geometry.distance(place - 4j, path) for path in seen.paths) > 6
    left, top, right, bottom = seen.picture.box
    for z in (*everything, *(place for _, place in seen.picture.labels)):
        assert left + 2 < z.real < right - 2
        assert top + 2 < z.imag < bottom - 2


QUICK = [
    *((4, 2, loops) for loops in (1, 2, 3, 4)),
    *((4, 4, loops) for loops in (1, 2)),
    *((3, 2, loops) for loops in (1, 2, 3)),
    *((3, 3, loops) for loops in (1, 2)),
    (4, 6, 1),
    (6, 2, 2),
]
SLOW = [(4, 2, 5), (4, 4, 3), (3, 2, 4), (3, 3, 3)]


@pytest.mark.parametrize(
    ("power", "legs", "loops"),
    [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW)],
)
def test_irreducible_diagrams(power, legs, loops):
    found = list(sketches(power, legs, loops=loops, one_particle_irreducible=True))
    assert found
    for sketch in found:
        judge(Seen(sketch))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_cubic_diagrams_of_five_loops(part):
    found = list(sketches(3, 2, loops=5, one_particle_irreducible=True))
    assert len(found) == 519
    for sketch in found[part::4]:
        judge(Seen(sketch))


@pytest.mark.parametrize(
    ("power", "loops"),
    [(4, 2), (4, 3), (4, 4), (4, 5), (3, 2), (3, 3)]
    + [pytest.param(*case, marks=pytest.mark.slow) for case in [(4, 6), (3, 4), (3, 5)]],
)
def test_vacuum_diagrams(power, loops):
    for sketch in sketches(power, 0, loops=loops):
        judge(Seen(sketch))


@pytest.mark.parametrize(
    ("power", "legs", "order"), [(4, 2, 2), (3, 2, 2), (3, 1, 3), (3, 3, 1), (4, 4, 1)]
)
def test_all_diagrams_with_chains_trees_and_pieces(power, legs, order):
    for sketch in sketches(power, legs, order=order):
        judge(Seen(sketch))


@st.composite
def random_sketches(draw):
    """Any multigraph with vertices of any degree, in pieces, with legs and crosses anywhere."""
    degrees = draw(st.lists(st.integers(0, 5), max_size=5))
    legs = draw(st.integers(0, 4))
    halves = [v for v, degree in enumerate(degrees) for _ in range(degree)]
    crosses = ()
    if (len(halves) + legs) % 2:
        if not halves:
            legs -= 1
        else:
            crosses = (Cross(halves.pop()),)
    halves = draw(st.permutations([*halves, *(-n - 1 for n in range(legs))]))
    pairs = zip(halves[::2], halves[1::2], strict=True)
    return plain(len(degrees), legs, list(pairs)), crosses


@settings(max_examples=60)
@given(random_sketches())
def test_any_graph_is_drawn_without_needless_crossings(drawn):
    sketch, crosses = drawn
    if sketch.lines:
        seen = Seen(sketch)
        assert seen.closest_vertex() > FREE
        assert not (seen.is_planar() and seen.crossings())
    found = layout(Sketch(sketch.vertices, sketch.legs, sketch.lines, crosses))
    assert len(found.crosses) == len(crosses)
    assert len(found.points) == sketch.vertices + len(sketch.legs)


# -- shapes everyone knows ------------------------------------------------------------------------


def mirrored(paths, axis):
    """Whether the drawn points are the same after reflection in a line through the centre."""
    points = np.concatenate(paths)
    centre = (
        points.real.min() + points.real.max() + 1j * (points.imag.min() + points.imag.max())
    ) / 2
    points = points - centre
    image = axis**2 * points.conj()
    return max(abs(z - points).min() for z in image) < 1.5  # points are up to 2 pixels apart


def test_tadpole_is_a_circle_on_the_line():
    seen = Seen(plain(1, 2, [(-1, 0), (-2, 0), (0, 0)]))
    left, vertex, right = seen.ends[-1], seen.ends[0], seen.ends[-2]
    assert left.real < vertex.real < right.real
    assert left.imag == vertex.imag == right.imag
    circle = seen.paths[2]
    radius = abs(circle[len(circle) // 2] - vertex) / 2
    assert max(abs(abs(circle - (vertex - 1j * radius)) - radius)) < DIGITS


def test_sunset_is_a_line_through_two_half_circles():
    seen = Seen(plain(2, 2, [(-1, 0), (-2, 1), (0, 1), (0, 1), (0, 1)]))
    one, two = seen.ends[0], seen.ends[1]
    middle, radius = (one + two) / 2, abs(two - one) / 2
    for bent in (seen.paths[2], seen.paths[4]):
        assert max(abs(abs(bent - middle) - radius)) < DIGITS
    assert max(abs(seen.paths[3].imag - one.imag)) < DIGITS
    assert seen.paths[2].imag.mean() < one.imag < seen.paths[4].imag.mean()


def test_double_scoop_stands_upright():
    seen = Seen(plain(2, 2, [(-1, 0), (-2, 0), (0, 1), (0, 1), (1, 1)]))
    line, waist = seen.ends[0], seen.ends[1]
    assert abs(line.real - waist.real) < DIGITS
    assert waist.imag < line.imag
    assert all(path.imag.max() < line.imag + DIGITS for path in seen.paths)
    assert seen.paths[4].imag.max() < waist.imag + DIGITS


def test_bubbles_form_a_level_chain():
    chain = [(-1, 0), (-2, 0), (0, 1), (0, 1), (1, 2), (1, 2), (2, -3), (2, -4)]
    seen = Seen(plain(3, 4, chain))
    places = [seen.ends[v] for v in (0, 1, 2)]
    assert places[0].real < places[1].real < places[2].real
    assert abs(places[0].imag - places[1].imag) + abs(places[1].imag - places[2].imag) < DIGITS
    assert mirrored(seen.paths, 1)
    assert mirrored(seen.paths, 1j)


@pytest.mark.parametrize(
    ("first", "left", "upper"),
    [((1, 2), (1, 2), (1, 3)), ((1, 3), (1, 2), (1, 3)), ((1, 4), (1, 4), (1, 3))],
)
def test_fish_has_two_legs_on_either_side(first, left, upper):
    """The s and the t channel keep x1, x2 left; in the u channel that would cross."""
    lines = [(-n, 0 if n in first else 1) for n in range(1, 5)]
    seen = Seen(plain(2, 4, [*lines, (0, 1), (0, 1)]))
    middle = (seen.ends[0] + seen.ends[1]) / 2
    assert {n for n in range(1, 5) if seen.ends[-n].real < middle.real} == set(left)
    assert {n for n in range(1, 5) if seen.ends[-n].imag < middle.imag} == set(upper)


def test_triangle_is_a_circle_with_three_spokes():
    seen = Seen(plain(3, 3, [(-1, 0), (-2, 1), (-3, 2), (0, 1), (1, 2), (0, 2)]))
    centre = sum(seen.ends[v] for v in range(3)) / 3
    assert np.ptp(abs(np.concatenate(seen.paths[3:]) - centre)) < DIGITS
    spokes = [(seen.ends[-n] - centre) / abs(seen.ends[-n] - centre) for n in (1, 2, 3)]
    assert abs(sum(spokes)) < DIGITS
    assert abs(spokes[0] + 1) < DIGITS


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6])
def test_parallel_lines_fan_out_evenly(number):
    seen = Seen(plain(2, 0, [(0, 1)] * number))
    assert mirrored(seen.paths, 1)
    assert mirrored(seen.paths, 1j)
    heights = [path[np.argmax(abs(path.imag))].imag for path in seen.paths]
    assert sorted(heights) == heights
    if number % 2:
        assert np.ptp(seen.paths[number // 2].imag) < DIGITS


@pytest.mark.parametrize("loops", [1, 2, 3, 4, 5])
def test_loops_on_one_vertex_spread_like_petals(loops):
    seen = Seen(plain(1, 0, [(0, 0)] * loops))
    tips = [path[np.argmax(abs(path - path[0]))] - path[0] for path in seen.paths]
    assert np.ptp(np.abs(tips)) < 1
    if loops > 1:
        assert abs(sum(tips)) < 1
    assert mirrored(seen.paths, 1j)
    assert seen.closest_lines() > CLEAR


@pytest.mark.parametrize("count", [3, 4, 5, 6])
def test_ring_of_bubbles_is_regular(count):
    ring = [(min(n, (n + 1) % count), max(n, (n + 1) % count)) for n in range(count)] * 2
    seen = Seen(plain(count, 0, ring))
    places = np.array([seen.ends[v] for v in range(count)])
    assert np.ptp(abs(places - places.mean())) < DIGITS
    assert mirrored(seen.paths, 1j)


def test_mercedes_has_its_hub_in_the_middle():
    wheel = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    seen = Seen(plain(4, 0, wheel))
    places = [seen.ends[v] for v in range(4)]
    centre = sum(places) / 4
    assert min(abs(z - centre) for z in places) < 1
    assert mirrored(seen.paths, 1j)


def test_pieces_stand_side_by_side():
    seen = Seen(plain(2, 4, [(-1, -2), (-3, 0), (-4, 0), (0, 0), (1, 1), (1, 1)]))
    spans = [(seen.paths[0],), seen.paths[1:4], seen.paths[4:]]
    edges = [(np.concatenate(s).real.min(), np.concatenate(s).real.max()) for s in spans]
    assert edges[0][1] + 10 < edges[1][0]
    assert edges[1][1] + 10 < edges[2][0]


def test_legs_reach_beyond_arms_that_lean_back():
    ring = [(n, (n + 1) % 6) for n in range(6)]
    arms = [(1, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11)]
    tips = [(8, 8), (11, 11)]
    judge(Seen(plain(12, 2, [(-1, 0), (-2, 3), *ring, *arms, *arms, *tips])))


@pytest.mark.parametrize("legs", range(1, 9))
def test_legs_of_one_vertex_are_first_left_then_right(legs):
    seen = Seen(plain(1, legs, [(-n - 1, 0) for n in range(legs)]))
    sides = [np.sign(round((seen.ends[-n - 1] - seen.ends[0]).real, 1)) for n in range(legs)]
    assert sides == sorted(sides)


# -- the judge is awake ---------------------------------------------------------------------------

SAMPLE = plain(4, 2, [(-1, 0), (-2, 3), (0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (0, 3), (1, 2)])


@pytest.fixture
def spoilt(monkeypatch):
    """The picture of SAMPLE after its layout went through `change`."""
    from fieldtheory.theory.drawing import as_svg as module

    def picture(change):
        monkeypatch.setattr(module, "layout", lambda sketch: change(layout(sketch)))
        return Seen(SAMPLE, svg(SAMPLE))

    return picture


def moved(found, places):
    """A layout with vertices moved and every line straight."""
    from fieldtheory.theory.drawing.curves import Arc

    points = {**found.points, **places}
    lines = tuple((Arc(points[a], points[b]),) for a, b, *_ in SAMPLE.lines)
    return type(found)(points, lines, (), {})


def test_the_sample_passes():
    judge(Seen(SAMPLE))


def test_the_judge_sees_lines_on_top_of_each_other(spoilt):
    seen = spoilt(lambda found: moved(found, {}))
    assert seen.closest_lines() < CLEAR


def test_the_judge_sees_a_vertex_on_a_line(spoilt):
    seen = spoilt(lambda found: moved(found, {1: (found.points[0] + found.points[3]) / 2}))
    assert seen.closest_vertex() < FREE


def test_the_judge_sees_a_crossing(spoilt):
    seen = spoilt(
        lambda found: moved(found, {0: found.points[3] + 0.1j, 3: found.points[0] - 0.2j})
    )
    assert seen.crossings() > 0


def test_the_judge_sees_a_leg_inside():
    square = [0, 10, 10 + 10j, 10j]
    assert not geometry.is_outside(5 + 5j, square)
    assert geometry.is_outside(5 + 11j, square)
