"""Diagram: identity is isomorphism, symmetry is exact, data survives the round trip."""

import json
from itertools import permutations

import networkx as nx
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import learning
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.engine.arrangement import Edge
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field

PHI = Field("phi")
THREE, FOUR = Vertex("h", [("phi",) * 3]), Vertex("g", [("phi",) * 4])
MIXED = Action.phi(3, "h") + Action.phi(4, "g")


def drawn(vertices, legs, pairs, **more):
    edges = tuple(Edge(a, b, "phi") for a, b in pairs)
    return Diagram((PHI,), vertices, ("phi",) * legs, edges, **more)


def relabelled(diagram, random):
    """The same diagram with vertices, strands, edges and their ends shuffled."""
    order = list(range(len(diagram.vertices)))
    random.shuffle(order)
    new = {}
    for v in order:
        mine = [s for s, owner in enumerate(diagram.owners) if owner == v]
        mixed = list(mine)
        random.shuffle(mixed)
        mixed.sort(key=lambda s: diagram.strands[s])
        for s in mixed:
            new[s] = len(new)
    edges = [Edge(new.get(a, a), new.get(b, b), f) for a, b, f in diagram.edges]
    edges = [Edge(b, a, f) if random.random() < 0.5 else Edge(a, b, f) for a, b, f in edges]
    random.shuffle(edges)
    vertices = tuple(diagram.vertices[v] for v in order)
    return Diagram(diagram.fields, vertices, diagram.legs, tuple(edges), diagram.labelled)


POOL = [
    *diagrams(MIXED, legs=2, order=3),
    *diagrams(MIXED, legs=3, loops=1),
    *diagrams(Action.phi(4), legs=4, order=2, unlabelled=True),
    *diagrams(Action.phi(4), legs=0, order=3),
    *diagrams(learning.action(2), legs=2, order=2),
]


@settings(max_examples=300)
@given(st.sampled_from(POOL), st.randoms(use_true_random=False))
def test_relabelling_does_not_change_the_value(diagram, random):
    other = relabelled(diagram, random)
    assert other == diagram
    assert hash(other) == hash(diagram)
    assert other.symmetry == diagram.symmetry


@given(st.sampled_from(POOL))
def test_canonical_form_is_idempotent(diagram):
    again = Diagram(diagram.fields, diagram.vertices, diagram.legs, diagram.edges, diagram.labelled)
    assert (again.vertices, again.edges) == (diagram.vertices, diagram.edges)


@given(st.sampled_from(POOL))
def test_data_round_trip(diagram):
    data = json.loads(json.dumps(diagram.to_dict()))
    assert Diagram.from_dict(data) == diagram


@given(st.sampled_from(POOL))
def test_loops_and_connection_agree_with_networkx(diagram):
    graph = diagram.graph
    pieces_found = nx.number_connected_components(graph) if len(graph) else 0
    assert diagram.is_connected == (pieces_found == 1)
    assert diagram.loops == graph.number_of_edges() - graph.number_of_nodes() + pieces_found
    inner = graph.subgraph([node for node in graph if node >= 0])
    cut = any(
        nx.number_connected_components(_without(inner, edge)) > 1 for edge in inner.edges(keys=True)
    )
    expected = diagram.is_connected and len(diagram.vertices) > 0 and not cut
    assert diagram.is_one_particle_irreducible == expected


def _without(graph, edge):
    copy = nx.MultiGraph(graph)
    copy.remove_edge(*edge)
    return copy


def half_edge_automorphisms(diagram):
    """Count permutations of half-edges, by definition: strands, vertices and lines are kept."""
    background = {field.name for field in diagram.fields if field.background}
    halves, mate = [], {}
    for line, (a, b, name) in enumerate(diagram.edges):
        halves += [(a, name, line, 0), (b, name, line, 1)]
        mate[line, 0], mate[line, 1] = (line, 1), (line, 0)
    for s, strand in enumerate(diagram.strands):
        halves += [
            (s, name, ("end", s, n), 0) for n, name in enumerate(strand) if name in background
        ]
    place = {(line, side): (end, field) for end, field, line, side in halves}
    held = {(line, side) for end, _, line, _ in halves if end < 0 for side in (0, 1)}
    names = [name for name in place if name not in held]  # legs hold their lines fixed
    total = 0
    for image in permutations(names):
        to = dict(zip(names, image, strict=True)) | {name: name for name in held}
        total += keeps(diagram, place, mate, to)
    return total


def keeps(diagram, place, mate, to):
    if any(mate.get(to[name]) != to.get(mate.get(name)) for name in to if name in mate):
        return False
    if any((name in mate) != (to[name] in mate) for name in to):
        return False
    strand_to, vertex_to = {}, {}
    for name, image in to.items():
        (end, field), (new_end, new_field) = place[name], place[image]
        if field != new_field or (end < 0 and end != new_end) or (new_end < 0) != (end < 0):
            return False
        if strand_to.setdefault(end, new_end) != new_end:
            return False
        if end >= 0:
            same = diagram.strands[end] == diagram.strands[new_end]
            v, w = diagram.vertex_of(end), diagram.vertex_of(new_end)
            if not same or vertex_to.setdefault(v, w) != w:
                return False
            if diagram.vertices[v] != diagram.vertices[w]:
                return False
    return len(set(strand_to.values())) == len(strand_to)


def free_halves(diagram):
    tied = sum(2 if a < 0 else 0 for a, _, _ in diagram.edges)
    return 2 * len(diagram.edges) - tied + sum(str(diagram).count(f"-{n}") for n in ("r",))


SMALL = [d for d in POOL if d.labelled and free_halves(d) <= 6]


@pytest.mark.parametrize("diagram", SMALL, ids=str)
def test_symmetry_by_its_definition(diagram):
    assert diagram.symmetry == half_edge_automorphisms(diagram)


@pytest.mark.parametrize(
    ("diagram", "symmetry", "loops", "irreducible"),
    [
        (drawn((FOUR,), 2, [(-1, 0), (-2, 0), (0, 0)]), 2, 1, True),
        (drawn((FOUR, FOUR), 2, [(-1, 0), (-2, 1), *[(0, 1)] * 3]), 6, 2, True),
        (drawn((FOUR, FOUR), 2, [(-1, 0), (-2, 1), (0, 0), (1, 1), (0, 1)]), 4, 2, False),
        (drawn((FOUR,), 0, [(0, 0), (0, 0)]), 8, 2, True),
        (drawn((THREE, THREE), 0, [(0, 1)] * 3), 12, 2, True),
        (drawn((THREE, THREE), 0, [(0, 0), (0, 1), (1, 1)]), 8, 2, False),
        (drawn((), 2, [(-1, -2)]), 1, 0, False),
        (drawn((), 2, [(-1, -2)], labelled=False), 2, 0, False),
        (drawn((FOUR,), 2, [(-1, 0), (-2, 0), (0, 0)], labelled=False), 4, 1, True),
    ],
    ids=["tadpole", "sunset", "chain", "eight", "theta", "dumbbell", "line", "free line", "stub"],
)
def test_textbook_diagrams(diagram, symmetry, loops, irreducible):
    assert diagram.symmetry == symmetry
    assert diagram.loops == loops
    assert diagram.is_one_particle_irreducible == irreducible


def test_labelled_legs_are_held_fixed():
    one = drawn((FOUR, FOUR), 4, [(-1, 0), (-2, 0), (-3, 1), (-4, 1), (0, 1), (0, 1)])
    other = drawn((FOUR, FOUR), 4, [(-1, 0), (-3, 0), (-2, 1), (-4, 1), (0, 1), (0, 1)])
    assert one != other
    free = [Diagram(d.fields, d.vertices, d.legs, d.edges, labelled=False) for d in (one, other)]
    assert free[0] == free[1]
    assert free[0].symmetry == 2 * 2 * 2 * 2


def test_the_empty_diagram():
    empty = Diagram((), (), (), ())
    assert (empty.symmetry, empty.loops, empty.is_connected) == (1, 0, False)
    assert str(empty) == "(empty)"


def test_text_names_places():
    (diagram,) = learning.mean(order=1).diagrams
    assert str(diagram) == "x1-z1b z1a-z1b z1a-r"
    assert "symmetry 1" in repr(diagram)


def test_the_graph_carries_what_was_drawn():
    graph = drawn((FOUR,), 2, [(-1, 0), (-2, 0), (0, 0)]).graph
    assert isinstance(graph, nx.MultiGraph)
    assert graph.nodes[0]["coupling"] == sp.Symbol("g")
    assert {frozenset(edge) for edge in graph.edges()} == {
        frozenset((-1, 0)),
        frozenset((-2, 0)),
        frozenset((0,)),
    }
    assert {name for _, _, name in graph.edges(data="field")} == {"phi"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: drawn((FOUR,), 2, [(-1, 0), (-2, 0)]), "strand 0 has 4 legs"),
        (lambda: drawn((FOUR,), 1, [(-1, 0), (-1, 0), (0, 0)]), "leg -1 has 1 legs"),
        (lambda: Diagram((), (FOUR,), (), ()), "add it to its fields"),
        (lambda: drawn((), 0, [(0, 0)]), "strand 0 has 0 legs"),
    ],
)
def test_lines_that_do_not_fit_are_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        wrong()
