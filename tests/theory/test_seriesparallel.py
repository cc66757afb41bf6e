"""Series-parallel steps: on rings of points every graph is also a finite sum, in Fractions."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.theory.seriesparallel import Line, Number, Strand, averaged, closed, reduced
from tests.oracles import cyclic

POINTS = 3
ON_THE_RING = {"f": ("2", "1/3", "1/3"), "g": ("-1", "3/2", "3/2"), "h": ("1/2", "3", "3")}
VALUES = {name: [Fraction(v) for v in values] for name, values in ON_THE_RING.items()}


def on_the_ring(line):
    """A line as a function on the ring."""
    if line.how == "given":
        return VALUES[line.name]
    first, *rest = map(on_the_ring, line.parts)
    for other in rest:
        if line.how == "*":
            first = [a * b for a, b in zip(first, other, strict=True)]
        else:
            first = [
                sum(first[y] * other[(x - y) % POINTS] for y in range(POINTS)) / POINTS
                for x in range(POINTS)
            ]
    return first


def number(found):
    values = on_the_ring(found.line)
    return values[0] if found.how == "loop" else sum(values) / POINTS


def product_of(numbers):
    total = Fraction(1)
    for one in numbers:
        total *= number(one)
    return total


def graphs(places):
    names = st.sampled_from([f"z{n}" for n in range(places)])
    return st.lists(st.tuples(names, names, st.sampled_from("fgh")), min_size=1, max_size=8)


def reduce_graph(lines, terminals=()):
    places = {end for line in lines for end in line[:2]} - set(terminals)
    strands = [Strand(a, b, Line.given(name)) for a, b, name in lines]
    return reduced(strands, places, terminals, "the graph"), places


FOUR = [(f"z{a}", f"z{b}", "f") for a in range(4) for b in range(a)]


@given(graphs(places=5), st.sets(st.sampled_from(FOUR), min_size=4))
def test_a_graph_reduces_unless_four_places_are_joined_each_with_each(lines, more):
    lines = [*lines[:5], *sorted(more)]
    if cyclic.has_four_joined(lines):
        with pytest.raises(OutOfRegime, match="the graph does not reduce"):
            reduce_graph(lines)
        return
    found, places = reduce_graph(lines)
    truth = cyclic.average(POINTS, [(a, b, VALUES[n]) for a, b, n in lines], places)
    assert product_of(found.numbers) == truth
    assert found.line is None


@given(graphs(places=4))
def test_two_places_may_stay(lines):
    lines = [*lines, ("z0", "x", "f"), ("z1", "y", "g")]
    try:
        found, places = reduce_graph(lines, ("x", "y"))
    except OutOfRegime:
        assert cyclic.has_four_joined([*lines, ("x", "y", "f")])
        return
    values = on_the_ring(found.line) if found.line else [Fraction(1)] * POINTS
    assert (found.line is not None) == joined(lines)
    for apart in range(POINTS):
        known = [(a, b, VALUES[n]) for a, b, n in lines]
        truth = cyclic.average(POINTS, known, places, {"x": 0, "y": apart}.items())
        assert product_of(found.numbers) * values[apart] == truth


def joined(lines):
    """Whether x and y are in one piece."""
    reached = {"x"}
    for _ in lines:
        for a, b, _ in lines:
            reached |= {a, b} if {a, b} & reached else set()
    return "y" in reached


@given(graphs(places=4), st.integers(0, 100))
def test_the_order_of_lines_and_the_names_of_places_do_not_matter(lines, seed):
    shuffled = list(lines)
    Random(seed).shuffle(shuffled)
    swapped = {"z0": "z3", "z3": "z0"}
    shuffled = [(swapped.get(b, b), swapped.get(a, a), n) for a, b, n in shuffled]
    try:
        found, _ = reduce_graph(lines)
    except OutOfRegime:
        with pytest.raises(OutOfRegime):
            reduce_graph(shuffled)
        return
    assert product_of(reduce_graph(shuffled)[0].numbers) == product_of(found.numbers)


F, GG, H = map(Line.given, "fgh")


def test_series_and_parallel_are_not_the_same():
    """The mutant that swaps the two steps is seen on every pair of functions here."""
    for one, two in ((F, GG), (GG, H), (F, F)):
        both = [Line.joined(how, (one, two)) for how in "@*"]
        assert on_the_ring(both[0]) != on_the_ring(both[1])


@pytest.mark.parametrize(
    "line",
    [
        Line.joined("@", (Line.joined("*", (F, GG)), H)),
        Line.joined("@", (Line.joined("*", (F, GG)), Line.joined("*", (H, GG)), F)),
        Line.joined("*", (Line.joined("@", (F, GG)), H)),
        Line.joined("*", (F, GG, H)),
        F,
    ],
    ids=str,
)
def test_closing_and_averaging_keep_the_value(line):
    assert product_of(closed(line)) == on_the_ring(line)[0]
    assert product_of(averaged(line)) == sum(on_the_ring(line)) / POINTS


def test_equal_functions_are_equal_values():
    one = Line.joined("*", (F, Line.joined("*", (GG, H))))
    two = Line.joined("*", (Line.joined("*", (H, F)), GG))
    assert one == two
    assert hash(Number("loop", one)) == hash(Number("loop", two))
    assert one.given_names == {"f", "g", "h"}
    assert one.height == 1
    assert F.height == 0


def test_steps_are_told_in_order():
    ring = [("z0", "z1", "f"), ("z0", "z1", "g"), ("z1", "z2", "h"), ("z2", "z0", "f")]
    found, _ = reduce_graph(ring)
    assert found.steps == (
        "z0-z1: 2 lines in parallel, f*g",
        "z2: two lines in series, f@h",
        "z0-z1: 2 lines in parallel, f*f@h*g",
        "z0: the number mean[f*f@h*g]",
    )
    assert str(found) == "mean[f*f@h*g]"
    assert str(reduce_graph([("z0", "z1", "f")])[0]) == "mean[f]"


def test_what_is_left_is_told():
    with pytest.raises(OutOfRegime, match="what is left is z1-z0 f, z2-z0 f"):
        reduce_graph(FOUR)
