"""Topology: every predicate against networkx, which removes the lines one by one."""

from collections import Counter
from itertools import combinations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.theory.action import Action
from fieldtheory.theory.engine import topology
from fieldtheory.theory.enumeration import diagrams

MIXED = Action.phi(3, "h") + Action.phi(4, "g")


def plain(diagram):
    lines = [(a, b) for a, b, _ in diagram.vertex_edges]
    return len(diagram.vertices), len(diagram.legs), lines


@st.composite
def multigraphs(draw):
    """A few vertices, often in one piece, with parallel lines, self-loops and legs: some on
    vertices, some joined, some without line."""
    vertices = draw(st.integers(0, 6))
    lines = []
    for b in range(1, vertices):
        if draw(st.integers(0, 9)):
            lines.append((draw(st.integers(0, b - 1)), b))
    ends = st.integers(0, max(vertices - 1, 0))
    if vertices:
        lines += draw(st.lists(st.tuples(ends, ends), max_size=8))
    legs = draw(st.integers(0, 4))
    free = list(range(-legs, 0))
    if legs > 1 and draw(st.integers(0, 9)) == 0:
        lines.append((free.pop(), free.pop(0)))
    for leg in free:
        if vertices and draw(st.integers(0, 19)):
            lines.append(draw(st.permutations([leg, draw(ends)])))
    return vertices, legs, [tuple(line) for line in draw(st.permutations(lines))]


def drawn(vertices, legs, lines):
    """The whole graph, legs and all, with the position of each line as its key."""
    graph = nx.MultiGraph()
    graph.add_nodes_from([*range(vertices), *range(-legs, 0)])
    for n, (a, b) in enumerate(lines):
        graph.add_edge(a, b, key=n)
    return graph


def internal(lines):
    return [n for n, line in enumerate(lines) if min(line) >= 0]


def parts_without(graph, lines, removed):
    cut = graph.copy()
    cut.remove_edges_from([(*lines[n], n) for n in removed])
    return nx.number_connected_components(cut) if len(cut) else 0


def brute_bridges(vertices, legs, lines):
    """Internal lines whose removal adds a piece, with the legs on the side of either end."""
    graph = drawn(vertices, legs, lines)
    before = parts_without(graph, lines, [])
    for n in internal(lines):
        if parts_without(graph, lines, [n]) > before:
            cut = graph.copy()
            cut.remove_edge(*lines[n], n)
            sides = [nx.node_connected_component(cut, end) for end in lines[n]]
            yield n, sides, tuple(sum(node < 0 for node in side) for side in sides)


def brute(name, vertices, legs, lines):
    """The definitions, word by word."""
    if name == "has_self_loop":
        return any(a == b for a, b in lines)
    graph = drawn(vertices, legs, lines)
    connected = len(graph) > 0 and nx.is_connected(graph)
    if name == "is_connected":
        return connected
    cuts = [legs_of for _, _, legs_of in brute_bridges(vertices, legs, lines)]
    if name == "has_tadpole":
        return any(0 in sides for sides in cuts)
    if name == "has_leg_insertion":
        return any(1 in sides and sum(sides) >= 2 and 0 not in sides for sides in cuts)
    one = connected and vertices > 0 and not cuts
    pairs = combinations(internal(lines), 2 if name == "is_two_particle_irreducible" else 0)
    return one and all(parts_without(graph, lines, pair) == 1 for pair in pairs)


NAMES = (
    "is_connected",
    "is_one_particle_irreducible",
    "is_two_particle_irreducible",
    "has_tadpole",
    "has_leg_insertion",
    "has_self_loop",
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=250, deadline=None)
@given(graph=multigraphs())
def test_predicates_agree_with_their_definitions(name, graph):
    assert getattr(topology, name)(*graph) == brute(name, *graph)


@settings(max_examples=200, deadline=None)
@given(multigraphs())
def test_irreducibility_is_edge_connectivity(graph):
    """Merged parallel lines, a minimum cut: another definition of the same thing."""
    vertices, _, lines = graph
    weights = Counter(tuple(sorted(lines[n])) for n in internal(lines))
    merged = nx.Graph()
    merged.add_nodes_from(range(vertices))
    for (a, b), times in weights.items():
        if a != b:
            merged.add_edge(a, b, weight=times)
    one, two = (
        topology.is_one_particle_irreducible(vertices, 0, [lines[n] for n in internal(lines)]),
        topology.is_two_particle_irreducible(vertices, 0, [lines[n] for n in internal(lines)]),
    )
    if vertices < 2 or not nx.is_connected(merged):
        assert one == two == (vertices == 1)
    else:
        smallest, _ = nx.stoer_wagner(merged)
        assert (one, two) == (smallest >= 2, smallest >= 3)


@settings(max_examples=200, deadline=None)
@given(multigraphs())
def test_bridges_and_their_sides(graph):
    vertices, _, lines = graph
    inner = [lines[n] for n in internal(lines)]
    found = sorted(topology.bridges(vertices, inner))
    expected = [sides for _, sides, _ in brute_bridges(vertices, 0, inner)]
    assert len(found) == len(expected)
    for sides in expected:
        masks = [sum(1 << node for node in side) for side in sides]
        assert sum(mask in masks for mask in found) == 1


def test_simple_bridges_are_those_of_networkx():
    graph = nx.lollipop_graph(4, 3)
    assert len(list(topology.bridges(7, list(graph.edges)))) == len(list(nx.bridges(graph))) == 3


@settings(max_examples=200, deadline=None)
@given(multigraphs())
def test_marks_are_independent_loops(graph):
    vertices, legs, lines = graph
    found = topology.marks(vertices, lines)
    inner = internal(lines)
    whole = drawn(vertices, 0, [lines[n] for n in inner])
    pieces = nx.number_connected_components(whole) if len(whole) else 0
    loops = len(inner) - vertices + pieces
    assert max(found, default=0) < 1 << loops
    for bit in range(loops):  # momentum that goes in comes out
        ends = Counter(end for n in inner if found[n] >> bit & 1 for end in lines[n])
        assert ends
        assert all(times % 2 == 0 for times in ends.values())
    span = {0}
    for bit in range(loops):  # none of them is a sum of others
        loop = sum(1 << n for n, mark in enumerate(found) if mark >> bit & 1)
        assert loop not in span
        span |= {loop ^ other for other in span}
    assert all(found[n] == 0 for n in range(len(lines)) if n not in inner)
    bridges = {n for n, _, _ in brute_bridges(vertices, legs, lines)}
    assert {n for n in inner if not found[n]} == bridges


@given(multigraphs())
def test_separated_legs(graph):
    found = Counter(tuple(sorted(s)) for s in topology.separated_legs(graph[0], graph[2]))
    assert found == Counter(tuple(sorted(sides)) for _, _, sides in brute_bridges(*graph))


@settings(deadline=None)
@given(multigraphs())
def test_pieces_are_those_of_networkx(graph):
    vertices, legs, lines = graph
    found = topology.pieces([*range(vertices), *range(-legs, 0)], lines)
    assert set(found) == set(map(frozenset, nx.connected_components(drawn(*graph))))
    assert len(found) == len(set(found))


# -- by hand ---------------------------------------------------------------------------------------

SUNSET = (2, 2, [(-1, 0), (-2, 1), (0, 1), (0, 1), (0, 1)])
SCOOP = (1, 2, [(-1, 0), (-2, 0), (0, 0)])
CHAIN = (4, 2, [(-1, 0), (0, 1), (0, 1), (1, 2), (2, 3), (2, 3), (3, -2)])
LOLLIPOP = (2, 2, [(-1, 0), (-2, 0), (0, 1), (1, 1)])
ONE_LEG = (1, 1, [(-1, 0), (0, 0)])
DUMBBELL = (2, 0, [(0, 0), (0, 1), (1, 1)])
THETA = (2, 0, [(0, 1), (0, 1), (0, 1)])
EIGHT = (1, 0, [(0, 0), (0, 0)])
EXCHANGE = (2, 4, [(-1, 0), (-2, 0), (0, 1), (1, -3), (1, -4)])
DRESSED = (4, 3, [(-1, 0), (0, 1), (0, 1), (1, 2), (2, -2), (2, -3)])
LINE = (0, 2, [(-1, -2)])
EMPTY = (0, 0, [])
MASS = (2, 2, [(-1, 0), (0, 1), (1, -2)])
TAIL = (3, 2, [(-1, 0), (0, 1), (1, 1), (0, 2), (2, 2), (2, -2)])
BUBBLE = (2, 2, [(-1, 0), (0, 1), (0, 1), (1, -2)])
BACKGROUND = (1, 2, [(-1, 0), (0, 0)])


@pytest.mark.parametrize(
    ("graph", "true"),
    [
        (SUNSET, "CI2"),
        (SCOOP, "CI2S"),
        (BUBBLE, "CI"),
        (CHAIN, "CA"),
        (LOLLIPOP, "CTS"),
        (ONE_LEG, "CI2S"),
        (DUMBBELL, "CTS"),
        (THETA, "CI2"),
        (EIGHT, "CI2S"),
        (EXCHANGE, "C"),
        ((3, *DRESSED[1:]), "CA"),
        (DRESSED, "A"),  # a vertex on its own besides
        (LINE, "C"),
        (EMPTY, ""),
        (MASS, "CA"),
        (TAIL, "CATS"),
        (BACKGROUND, "S"),
        ((1, 0, []), "CI2"),
    ],
)
def test_textbook_diagrams(graph, true):
    letters = dict(zip(NAMES, "CI2TAS", strict=True))
    assert {letters[name] for name in NAMES if getattr(topology, name)(*graph)} == set(true)


def test_counts_of_another_generator():
    """Four legs, one loop, phi^3 + phi^4: 55 diagrams without tadpoles and self-loops, 39 of them
    without insertions on legs, found with FORM and qgraf. Source: github.com/form-dev/form,
    issue 713."""
    graphs = [plain(d) for d in diagrams(MIXED, legs=4, loops=1, connected=True)]
    calm = [g for g in graphs if not topology.has_tadpole(*g) and not topology.has_self_loop(*g)]
    amputated = [g for g in calm if not topology.has_leg_insertion(*g)]
    assert (len(graphs), len(calm), len(amputated)) == (99, 55, 39)


@pytest.mark.parametrize("power", [3, 4])
def test_amputated_two_point_functions(power):
    """What is amputated and has no tadpole is 1PI, and the other way round."""
    for d in diagrams(Action.phi(power), legs=2, loops=3, connected=True):
        graph = plain(d)
        calm = not topology.has_tadpole(*graph) and not topology.has_leg_insertion(*graph)
        assert calm == topology.is_one_particle_irreducible(*graph)
        assert topology.is_one_particle_irreducible(*graph) == d.is_one_particle_irreducible


def test_two_particle_irreducible_vacuum_diagrams():
    """phi^4: the figure of eight, the basketball, the triangle of double lines. phi^3: theta, the
    tetrahedron, then the prism and the graph of the three utilities."""
    for power, counts in ((4, [1, 1, 1]), (3, [1, 1, 2])):
        found = [
            sum(
                topology.is_two_particle_irreducible(*plain(d))
                for d in diagrams(Action.phi(power), legs=0, loops=loops, connected=True)
            )
            for loops in (2, 3, 4)
        ]
        assert found == counts


# -- mutants ---------------------------------------------------------------------------------------


def simple_bridges(vertices, legs, lines):
    """Mutant: parallel lines count once."""
    return topology.is_one_particle_irreducible(vertices, legs, list(dict.fromkeys(lines)))


def cut_legs_too(vertices, legs, lines):
    """Mutant: external legs may be cut."""
    return topology.is_one_particle_irreducible(
        vertices + legs, 0, [(a % (vertices + legs), b % (vertices + legs)) for a, b in lines]
    )


def loops_as_tadpoles(vertices, legs, lines):
    """Mutant: a self-loop is a tadpole."""
    return topology.has_tadpole(vertices, legs, lines) or topology.has_self_loop(
        vertices, legs, lines
    )


def lonely_legs(vertices, legs, lines):
    """Mutant: one leg on a side is enough."""
    return any(1 in sides for sides in topology.separated_legs(vertices, lines))


def without_leg_count(vertices, legs, lines):
    """Mutant: any bridge is a tadpole."""
    return any(True for _ in topology.separated_legs(vertices, lines))


@pytest.mark.parametrize(
    ("name", "mutant"),
    [
        ("is_one_particle_irreducible", simple_bridges),
        ("is_one_particle_irreducible", cut_legs_too),
        ("has_tadpole", loops_as_tadpoles),
        ("has_tadpole", without_leg_count),
        ("has_leg_insertion", lonely_legs),
        ("is_two_particle_irreducible", topology.is_one_particle_irreducible),
        ("is_one_particle_irreducible", topology.is_connected),
    ],
)
def test_mutants_are_rejected(name, mutant):
    graphs = [SUNSET, SCOOP, CHAIN, LOLLIPOP, EXCHANGE, TAIL, BUBBLE, (2, 1, [(-1, 0), (0, 1)])]
    assert any(mutant(*graph) != brute(name, *graph) for graph in graphs)
