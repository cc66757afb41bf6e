"""Each filter, by the set it leaves out: what is left out is recognised by networkx alone."""

from itertools import combinations

import networkx as nx
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field

PHI4 = Action.phi(4, coupling="g")
MIXED = Action.phi(3, "h") + Action.phi(4, "g")
CHARGED = Action(
    (Field("psi", conjugate="psi_bar"), Field("A")), (Vertex("e", [("psi", "psi_bar", "A")]),)
)
CASES = [
    (MIXED, 2, 3),
    (MIXED, 3, 3),
    (MIXED, 0, 3),
    (PHI4, 4, 3),
    (CHARGED, ("psi", "psi_bar"), 4),
    (CHARGED, ("A", "A"), 4),
]


def inner(graph):
    return [edge for edge in graph.edges(keys=True) if edge[0] >= 0 <= edge[1]]


def without(graph, edges):
    cut = graph.copy()
    cut.remove_edges_from(edges)
    return cut


def is_connected(graph):
    return len(graph) > 0 and nx.is_connected(graph)


def is_1pi(graph):
    vertices = any(node >= 0 for node in graph)
    return vertices and all(
        is_connected(without(graph, e)) for e in [[], *([e] for e in inner(graph))]
    )


def is_2pi(graph):
    cuts = [[], *([e] for e in inner(graph)), *combinations(inner(graph), 2)]
    return any(node >= 0 for node in graph) and all(is_connected(without(graph, e)) for e in cuts)


def sides(graph):
    """The numbers of external legs on either side of every internal line that holds its piece."""
    for edge in inner(graph):
        cut = without(graph, [edge])
        if not nx.has_path(cut, edge[0], edge[1]):
            yield tuple(
                sum(n < 0 for n in nx.node_connected_component(cut, end)) for end in edge[:2]
            )


def has_tadpole(graph):
    return any(0 in side for side in sides(graph))


def has_leg_insertion(graph):
    return any(1 in side and 0 not in side for side in sides(graph))


FILTERS = {
    "connected": ({"connected": True}, is_connected),
    "1PI": ({"one_particle_irreducible": True}, is_1pi),
    "2PI": ({"two_particle_irreducible": True}, is_2pi),
    "amputated": ({"amputated": True}, lambda graph: not has_leg_insertion(graph)),
    "no tadpoles": ({"tadpoles": False}, lambda graph: not has_tadpole(graph)),
    "no self-loops": (
        {"self_loops": False},
        lambda graph: not any(a == b for a, b, _ in graph.edges(keys=True)),
    ),
    "no vacuum bubbles": (
        {"vacuum_bubbles": False},
        lambda graph: all(min(piece) < 0 for piece in nx.connected_components(graph)),
    ),
}


@pytest.mark.parametrize("case", CASES, ids=[f"{c[0].fields[-1].name}{c[1]}" for c in CASES])
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("unlabelled", [False, True], ids=["labelled", "unlabelled"])
def test_a_filter_leaves_out_what_it_says(name, case, unlabelled):
    action, legs, order = case
    asked, wanted = FILTERS[name]
    everything = set(diagrams(action, legs, order=order, unlabelled=unlabelled))
    kept = list(diagrams(action, legs, order=order, unlabelled=unlabelled, **asked))
    assert len(kept) == len(set(kept))
    assert everything >= set(kept)
    assert all(wanted(d.graph) for d in kept)
    assert not any(wanted(d.graph) for d in everything - set(kept))


def test_every_filter_leaves_something_out_and_something_in():
    for name, (asked, _) in FILTERS.items():
        everything = len(list(diagrams(MIXED, 2, order=3)))
        kept = len(list(diagrams(MIXED, 2, order=3, **asked)))
        assert 0 < kept < everything, name


def test_filters_add_up():
    asked = {"amputated": True, "tadpoles": False, "self_loops": False, "connected": True}
    found = set(diagrams(MIXED, 2, order=3, **asked))
    single = [set(diagrams(MIXED, 2, order=3, **{name: value})) for name, value in asked.items()]
    assert found == set.intersection(*single) != set()


# -- the power of every coupling ------------------------------------------------------------------


def powers(diagram):
    rules = [str(-vertex.coupling) for vertex in diagram.vertices]
    return {name: rules.count(name) for name in ("g", "h")}


@pytest.mark.parametrize("asked", [{"g": 1, "h": 2}, {"g": 2, "h": 0}, {"g": 0, "h": 2}])
def test_orders_of_several_couplings(asked):
    total = sum(asked.values())
    everything = list(diagrams(MIXED, 2, order=total))
    found = list(diagrams(MIXED, 2, order=asked))
    assert found
    assert set(found) == {d for d in everything if powers(d) == asked}
    assert len(found) == len(set(found))


def test_a_coupling_that_is_not_named_does_not_occur():
    assert set(diagrams(MIXED, 2, order={"g": 2})) == set(
        diagrams(MIXED, 2, order={"g": 2, "h": 0})
    )


def test_powers_of_a_coupling_count():
    """S = phi^2/2 + h phi^3/3! + h^2 phi^4/4!: the quartic vertex counts twice."""
    action = Action.phi(3, "h") + Action((Field("phi"),), (_square(),))
    found = list(diagrams(action, 2, order={"h": 2}))
    by_number = sorted({tuple(len(v.legs) for v in d.vertices) for d in found})
    assert by_number == [(3, 3), (4,)]


def _square():
    (vertex,) = Action.phi(4, "h").vertices
    return Vertex(-(vertex.coupling**2), vertex.strands, 2)


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({}, "power of each coupling"),
        ({"k": 1}, "unknown coupling 'k'; the couplings of the action are g, h"),
        ({"g": -1}, "order"),
        ({"g": 1.5}, "order"),
        ({"g": 5000}, "more than"),
    ],
)
def test_wrong_powers_are_refused(order, says):
    with pytest.raises(InvalidInput, match=says):
        diagrams(MIXED, 2, order=order)


def test_a_rule_that_is_a_sum_has_no_power():
    action = Action.phi(4, "g") + Action.phi(4, "h")
    with pytest.raises(InvalidInput, match="products of their powers"):
        diagrams(action, 2, order={"g": 1, "h": 1})
