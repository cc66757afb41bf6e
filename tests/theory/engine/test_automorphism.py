"""Automorphism groups: every permutation of half-edges is tried, by definition."""

from itertools import pairwise
from math import factorial

import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fieldtheory.theory import learning
from fieldtheory.theory.action import Action, Field, Vertex
from fieldtheory.theory.engine import automorphism
from fieldtheory.theory.engine.automorphism import automorphism_group, generators
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Propagator

LARGEST = 400  # groups up to this order are listed by brute force


def plain(diagram):
    """The arguments that stand for a diagram."""
    lines = []
    for a, b, name in diagram.edges:
        here, there, _ = diagram.line(name)
        lines.append(((a, here), (b, there)))
    dark = {field.name for field in diagram.fields if field.background}
    loose = [(s, name) for s, strand in enumerate(diagram.strands) for name in strand]
    loose += [(-n - 1, name) for n, name in enumerate(diagram.legs)]
    background = [end for end in loose if end[1] in dark]
    kinds = [vertex.sort_key for vertex in diagram.vertices]
    return diagram.owners, kinds, lines, background, diagram.labelled


def all_automorphisms(owners, kinds, lines, background, labelled):
    """Every permutation of half-edges that keeps what must be kept, one half-edge at a time."""
    ends = [end for line in lines for end in line] + list(background)
    paired = 2 * len(lines)

    def matches(n, image, places):
        (place, name), (new, other) = ends[n], ends[image]
        if name != other or (n < paired) != (image < paired) or (place < 0) != (new < 0):
            return False
        if place < 0:
            return new == place or not labelled
        if places.get(place, new) != new or (place not in places and new in places.values()):
            return False
        return kinds[owners[place]] == kinds[owners[new]] and all(
            (owners[place] == owners[old]) == (owners[new] == owners[there])
            for old, there in places.items()
        )

    def extended(images, places):
        n = len(images)
        if n == len(ends):
            yield tuple(images)
            return
        wanted = [images[n - 1] ^ 1] if n < paired and n % 2 else range(len(ends))
        for image in wanted:
            if image not in images and matches(n, image, places):
                more = dict(places)
                if ends[n][0] >= 0:
                    more[ends[n][0]] = ends[image][0]
                yield from extended([*images, image], more)

    return set(extended([], {}))


def agrees(arguments):
    """The group has the right order, and everything in it is an automorphism."""
    found = all_automorphisms(*arguments)
    images = generators(*arguments)
    return all(tuple(image) in found for image in images) and automorphism_group(
        *arguments
    ).order() == len(found)


PAIR = [("phi", "phi"), ("phi", "phi")]
SPIN = Action((Field("phi", index=sp.Symbol("M")),), (Vertex("g", PAIR),))
CUBE = Action((Field("phi", index=sp.Symbol("M")),), (Vertex("g", [("phi", "phi")] * 3),))
SOURCE = Action(
    (Field("phi"), Field("r", background=True)),
    (Vertex("g", [("phi", "phi", "r", "r")]), Vertex("j", [("phi", "r")])),
)
COMPLEX = Action(
    (Field("psi", conjugate="psi_bar"), Field("phi")),
    (Vertex("e", [("psi", "psi_bar", "phi")]), Vertex("g", [("psi", "psi", "psi_bar", "psi_bar")])),
    (Propagator("psi", "psi", "D"),),
)
RESPONSE = Action(
    (Field("phi"), Field("phit", propagator=0)),
    (Vertex("g", [("phit", "phi", "phi")]),),
    (Propagator("phi", "phit", "R"),),
)
MIXED = Action.phi(3, "h") + Action.phi(4, "g")
POOL = [
    *diagrams(Action.phi(3), legs=0, order=2),
    *diagrams(Action.phi(3), legs=0, order=4),
    *diagrams(Action.phi(3), legs=2, order=4, connected=True),
    *diagrams(Action.phi(3), legs=0, order=6, one_particle_irreducible=True),
    *diagrams(Action.phi(4), legs=0, order=3),
    *diagrams(Action.phi(4), legs=4, order=2, unlabelled=True),
    *diagrams(Action.phi(4), legs=2, order=3, unlabelled=True),
    *diagrams(MIXED, legs=2, order=3),
    *diagrams(MIXED, legs=3, order=2, unlabelled=True),
    *diagrams(SPIN, legs=2, order=2),
    *diagrams(SPIN, legs=4, order=1, unlabelled=True),
    *diagrams(SPIN, legs=0, order=3),
    *diagrams(CUBE, legs=0, order=1),
    *diagrams(CUBE, legs=2, order=1),
    *diagrams(SOURCE, legs=("phi", "phi"), order=3),
    *diagrams(SOURCE, legs=("phi", "r", "r"), order=1, unlabelled=True),
    *diagrams(SOURCE, legs=("phi", "phi", "r", "r"), order=0, unlabelled=True),
    *diagrams(COMPLEX, legs=0, order=2),
    *diagrams(COMPLEX, legs=("psi", "psi_bar"), order=2),
    *diagrams(COMPLEX, legs=("psi", "psi", "psi_bar", "psi_bar"), order=1, unlabelled=True),
    *diagrams(RESPONSE, legs=("phi", "phit"), order=2),
    *diagrams(RESPONSE, legs=("phi", "phi"), order=2, unlabelled=True),
    *diagrams(learning.action(2), legs=2, order=2),
]


def test_the_order_is_the_symmetry():
    for diagram in POOL:
        assert automorphism_group(*plain(diagram)).order() == diagram.symmetry, repr(diagram)
        assert diagram.automorphisms.order() == diagram.symmetry


@pytest.mark.parametrize("part", range(8))
def test_the_group_by_its_definition(part):
    small = [diagram for diagram in POOL if diagram.symmetry <= LARGEST]
    assert len(small) > 150
    for diagram in small[part::8]:
        assert agrees(plain(diagram)), repr(diagram)


def test_the_degree_is_the_number_of_half_edges():
    for diagram in POOL:
        owners, kinds, lines, background, labelled = plain(diagram)
        group = automorphism_group(owners, kinds, lines, background, labelled)
        assert group.degree == max(1, 2 * len(lines) + len(background))


# -- complex and mixed lines, written by hand ------------------------------------------------------


def psi(start, end):
    """A directed line, from psi_bar at `start` to psi at `end`."""
    return (start, "psi_bar"), (end, "psi")


def anomalous(start, end):
    return (start, "psi"), (end, "psi")


def real(start, end):
    return (start, "phi"), (end, "phi")


def mixed(start, end):
    return (start, "A"), (end, "phi")


def plain_vertices(number):
    return list(range(number)), ["g"] * number


@pytest.mark.parametrize(
    ("vertices", "lines", "labelled", "order"),
    [
        (1, [psi(0, 0)], True, 1),  # a directed loop cannot be flipped
        (1, [anomalous(0, 0)], True, 2),
        (1, [mixed(0, 0)], True, 1),
        (1, [psi(0, 0), psi(0, 0)], True, 2),
        (1, [real(0, 0), real(0, 0)], True, 8),
        (2, [psi(0, 1), psi(0, 1)], True, 2),
        (2, [psi(0, 1), psi(0, 1), psi(1, 0)], True, 2),
        (2, [psi(0, 1), psi(1, 0)], True, 2),  # a circle: the vertices go round
        (2, [real(0, 1), real(0, 1)], True, 4),
        (2, [mixed(0, 1), mixed(1, 0)], True, 2),
        (2, [mixed(0, 1), mixed(0, 1)], True, 2),
        (2, [psi(0, 1), psi(1, 0), real(0, 1)], True, 2),
        (3, [psi(0, 1), psi(1, 2), psi(2, 0)], True, 3),  # round, but not over
        (3, [real(0, 1), real(1, 2), real(2, 0)], True, 6),
        (4, [psi(0, 1), psi(1, 2), psi(2, 3), psi(3, 0)], True, 4),
        (4, [psi(0, 1), psi(2, 1), psi(2, 3), psi(0, 3)], True, 4),
        (0, [psi(-1, -2)], False, 1),
        (0, [anomalous(-1, -2)], False, 2),
        (0, [psi(-1, -2), psi(-3, -4)], False, 2),
        (0, [real(-1, -2), real(-3, -4)], False, 8),
        (0, [real(-1, -2), real(-3, -4)], True, 1),
        (1, [psi(-1, 0), psi(0, -2)], False, 1),
        (1, [mixed(-1, 0), mixed(-2, 0)], False, 2),
        (1, [mixed(-1, 0), mixed(-2, 0)], True, 1),
        (1, [mixed(-1, 0), real(-2, 0)], False, 1),
        (2, [psi(-1, 0), psi(0, 1), psi(0, 1), psi(1, 0), psi(1, -2)], False, 2),
        (0, [], True, 1),
    ],
)
def test_lines_with_a_direction(vertices, lines, labelled, order):
    arguments = (*plain_vertices(vertices), lines, (), labelled)
    assert automorphism_group(*arguments).order() == order
    assert agrees(arguments)


@pytest.mark.parametrize(
    ("owners", "lines", "order"),
    [
        ([0, 0], [real(0, 0), real(1, 1)], 8),  # two circles of the O(M) vertex
        ([0, 0], [real(0, 1), real(0, 1)], 4),  # one circle
        ([0, 0, 1, 1], [real(0, 2), real(0, 2), real(1, 3), real(1, 3)], 16),
        ([0, 0, 1, 1], [real(0, 2), real(0, 3), real(1, 2), real(1, 3)], 8),
        ([0, 0, 1, 1], [real(0, 0), real(1, 2), real(1, 2), real(3, 3)], 16),
        ([0, 0], [psi(0, 1), psi(1, 0)], 2),
        ([0, 0], [psi(0, 1), psi(0, 1)], 2),
        ([0, 0, 1, 1], [psi(0, 2), psi(2, 0), psi(1, 1), psi(3, 3)], 2),
        ([0, 1, 0, 1], [real(0, 1), real(2, 3)], 4),
        ([0, 0, 1, 1], [real(0, 1), real(2, 3)], 8),
    ],
)
def test_vertices_of_several_strands(owners, lines, order):
    arguments = (owners, ["g"] * (max(owners) + 1), lines, (), True)
    assert automorphism_group(*arguments).order() == order
    assert agrees(arguments)


def test_background_legs_are_exchanged_where_they_are():
    sources = [(0, "r"), (0, "r"), (1, "r"), (1, "r"), (0, "s")]
    lines = [real(0, 1)]
    assert automorphism_group([0, 1], ["g", "g"], lines, sources).order() == 4
    assert automorphism_group([0, 1], ["g", "g"], lines, sources[:4]).order() == 8
    outside = [(-1, "r"), (-2, "r"), (-3, "s")]
    assert automorphism_group([], [], [], outside).order() == 1
    assert automorphism_group([], [], [], outside, labelled=False).order() == 2


def test_vertices_of_different_kind_are_not_exchanged():
    lines = [real(0, 1)] * 3
    assert automorphism_group([0, 1], ["g", "g"], lines).order() == 12
    assert automorphism_group([0, 1], ["g", "h"], lines).order() == 6


@st.composite
def half_edge_graphs(draw):
    """Anything that has vertices with strands, lines of all sorts, and legs."""
    sizes = draw(st.lists(st.integers(1, 2), max_size=3))
    owners = [v for v, size in enumerate(sizes) for _ in range(size)]
    kinds = [draw(st.sampled_from("ggh")) for _ in sizes]
    sort = st.sampled_from([psi, anomalous, real, mixed])
    place = st.sampled_from(range(len(owners))) if owners else st.nothing()
    lines = []
    if owners:
        lines = [
            make(a, b) for make, a, b in draw(st.lists(st.tuples(sort, place, place), max_size=4))
        ]
    legs = draw(st.integers(0, 3))
    for leg in range(-1, -legs - 1, -1):
        if owners:
            ends = draw(st.permutations([leg, draw(place)]))
            lines.append(draw(sort)(*ends))
    if legs < 2 and draw(st.booleans()):
        lines += [draw(sort)(-7, -8), draw(sort)(-9, -10)]
    background = []
    if owners:
        background = draw(st.lists(st.tuples(place, st.sampled_from("rs")), max_size=2))
    held = {place for line in lines for place, _ in line} | {place for place, _ in background}
    background += [(strand, "r") for strand in range(len(owners)) if strand not in held]
    return owners, kinds, lines, background, draw(st.booleans())


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(half_edge_graphs())
def test_any_graph_of_half_edges(arguments):
    assume(automorphism_group(*arguments).order() <= LARGEST)
    assert agrees(arguments)


@settings(max_examples=100, deadline=None)
@given(half_edge_graphs(), st.randoms(use_true_random=False))
def test_names_of_strands_do_not_matter(arguments, random):
    owners, kinds, lines, background, labelled = arguments
    new = list(range(len(owners)))
    random.shuffle(new)
    moved = [0] * len(owners)
    for strand, owner in enumerate(owners):
        moved[new[strand]] = owner

    def there(end):
        return (new[end[0]] if end[0] >= 0 else end[0]), end[1]

    lines_there = [random.sample([there(one), there(other)], 2) for one, other in lines]
    random.shuffle(lines_there)
    again = automorphism_group(moved, kinds, lines_there, list(map(there, background)), labelled)
    assert again.order() == automorphism_group(*arguments).order()


# -- mutants ---------------------------------------------------------------------------------------


def without_flips(cells, half_edges):
    for cell in cells.values():
        for one, other in pairwise(cell):
            yield automorphism._swapped(zip(one, other, strict=True), half_edges)


def without_swaps(cells, half_edges):
    for key, cell in cells.items():
        if len(key) == 2 and key[0] == key[1]:
            yield automorphism._swapped([(cell[0][0], cell[0][1])], half_edges)


def always_flips(cells, half_edges):
    yield from KERNEL(cells, half_edges)
    for key, cell in cells.items():
        if len(key) == 2 and key[0][0] == key[1][0]:
            yield automorphism._swapped([(cell[0][0], cell[0][1])], half_edges)


def no_strands(owners, kinds, cells):
    return []


def no_kinds(owners, kinds, cells):
    return STRANDS(owners, [0] * len(kinds), cells)


def no_owners(owners, kinds, cells):
    return STRANDS(list(range(len(owners))), ["g"] * len(owners), cells)


def no_turns(image, cells, half_edges):
    """Lines go to lines, the ends as they come."""
    lift = list(range(half_edges))
    for key, cell in cells.items():
        moved = sorted((image[place] if place >= 0 else place, name) for place, name in key)
        for old, new in zip(cell, cells[tuple(moved)], strict=True):
            for a, b in zip(old, new, strict=True):
                lift[a] = b
    return lift


KERNEL, STRANDS = automorphism._kernel, automorphism._strand_generators
WITNESSES = [
    ([0, 1], ["g", "h"], [real(0, 1)] * 2, (), True),
    ([0, 0, 1, 1], ["g", "g"], [real(0, 2), real(1, 3), psi(0, 2), psi(1, 3)], (), True),
    ([0, 0, 1], ["g", "g"], [real(0, 0), real(1, 1), real(2, 2)], (), True),
    ([0, 1], ["g", "g"], [real(0, 1), psi(0, 1), psi(1, 0)], (), True),
    ([0], ["g"], [psi(0, 0)], (), True),
]


@pytest.mark.parametrize(
    ("name", "mutant"),
    [
        ("_kernel", without_flips),
        ("_kernel", without_swaps),
        ("_kernel", always_flips),
        ("_strand_generators", no_strands),
        ("_strand_generators", no_kinds),
        ("_strand_generators", no_owners),
        ("_lifted", no_turns),
    ],
)
def test_mutants_are_rejected(name, mutant, monkeypatch):
    assert all(map(agrees, WITNESSES))
    monkeypatch.setattr(automorphism, name, mutant)
    assert not all(map(agrees, WITNESSES))


def test_the_oracle_counts_products_of_small_groups():
    """The brute force itself, on stars: k lines from one vertex to k others give k!."""
    for k in range(1, 5):
        lines = [real(0, n) for n in range(1, k + 1)]
        found = all_automorphisms(range(k + 1), ["g"] * (k + 1), lines, [(0, "r")], True)
        assert len(found) == factorial(k)
