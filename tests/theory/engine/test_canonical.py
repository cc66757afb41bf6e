"""The canonical order: invariant under renaming, and the group has the right order."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.theory.engine.canonical import canonical


def links_of(nodes, pairs):
    links = [{} for _ in range(nodes)]
    for (a, b), kind in pairs.items():
        links[a][b] = links[b][a] = kind
    return links


def certificate(colours, links):
    order = canonical(colours, links).order
    place = {node: n for n, node in enumerate(order)}
    return tuple(
        (colours[node], tuple(sorted((place[o], kind) for o, kind in links[node].items())))
        for node in order
    )


def renamed(colours, links, image):
    new_colours = [0] * len(colours)
    new_links = [{} for _ in colours]
    for node, to in enumerate(image):
        new_colours[to] = colours[node]
        new_links[to] = {image[other]: kind for other, kind in links[node].items()}
    return new_colours, new_links


@st.composite
def graphs(draw, most=6):
    nodes = draw(st.integers(1, most))
    colours = [draw(st.integers(0, 1)) for _ in range(nodes)]
    pairs = {
        (a, b): kind
        for a in range(nodes)
        for b in range(a)
        if (kind := draw(st.sampled_from([0, 0, 1, 1, 2])))
    }
    return colours, links_of(nodes, pairs)


@given(graphs(), st.randoms(use_true_random=False))
def test_renaming_does_not_change_the_form(graph, random):
    colours, links = graph
    image = list(range(len(colours)))
    random.shuffle(image)
    other = renamed(colours, links, image)
    assert certificate(colours, links) == certificate(*other)
    assert canonical(colours, links).automorphisms == canonical(*other).automorphisms


@given(graphs())
def test_the_group_has_the_order_brute_force_finds(graph):
    colours, links = graph
    slow = sum(
        renamed(colours, links, image) == (colours, links)
        for image in permutations(range(len(colours)))
    )
    assert canonical(colours, links).automorphisms == slow


@given(graphs())
def test_the_form_of_the_form_is_itself(graph):
    colours, links = graph
    order = canonical(colours, links).order
    place = {node: n for n, node in enumerate(order)}
    image = [place[node] for node in range(len(order))]
    assert certificate(*renamed(colours, links, image)) == certificate(colours, links)


def cycle(n):
    return {(i, (i + 1) % n): 1 for i in range(n)}


def cube():
    return {(a, a ^ bit): 1 for a in range(8) for bit in (1, 2, 4) if a < a ^ bit}


PETERSEN = (
    {(i, (i + 1) % 5): 1 for i in range(5)}
    | {(i, i + 5): 1 for i in range(5)}
    | {(5 + i, 5 + (i + 2) % 5): 1 for i in range(5)}
)


@pytest.mark.parametrize(
    ("nodes", "pairs", "automorphisms"),
    [
        (8, {}, 40320),
        (8, cycle(8), 16),
        (8, cube(), 48),
        (10, PETERSEN, 120),
        (8, {(a, b): 1 for a in range(8) for b in range(a)}, 40320),
        (8, {(2 * i, 2 * i + 1): 1 for i in range(4)}, 384),
    ],
    ids=["empty", "cycle", "cube", "petersen", "complete", "pairs"],
)
def test_famous_graphs(nodes, pairs, automorphisms):
    assert canonical([0] * nodes, links_of(nodes, pairs)).automorphisms == automorphisms


def test_graphs_refinement_cannot_tell_apart_differ():
    """Two triangles and a hexagon: every node sees two equal neighbours."""
    triangles = {(0, 1): 1, (1, 2): 1, (0, 2): 1, (3, 4): 1, (4, 5): 1, (3, 5): 1}
    two, one = links_of(6, triangles), links_of(6, cycle(6))
    assert certificate([0] * 6, two) != certificate([0] * 6, one)
    assert canonical([0] * 6, two).automorphisms == 72
    assert canonical([0] * 6, one).automorphisms == 12
