"""Set partitions on a line: one decomposition each, and the counts of every class."""

from collections import Counter
from math import comb

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.samples import partitions as p
from tests.oracles import crossings, published
from tests.oracles.partitions import partitions as blocks_without_singletons

WORDS = st.lists(st.integers(0, 5), max_size=14).map(p.word)


def blocks(word):
    return crossings.blocks_of("".join(chr(97 + letter) for letter in word))


# -- one by one --------------------------------------------------------------------------------


@given(WORDS)
def test_a_partition_is_put_together_from_its_components(word):
    assert p.recompose(p.decompose(word)) == word


def connected_words():
    return st.lists(st.integers(0, 2), min_size=1, max_size=7).map(p.word).filter(p.is_connected)


@st.composite
def nestings(draw, depth=2):
    """Any connected words, nested in any way."""
    found = []
    for _ in range(draw(st.integers(0, 2))):
        word = draw(connected_words())
        inner = nestings(depth - 1) if depth else st.just(())
        found.append(p.Component(word, tuple(draw(inner) for _ in word[1:])))
    return tuple(found)


@given(nestings())
def test_the_decomposition_is_the_only_one(nesting):
    """Whatever nesting of connected components a partition was made of is the one found."""
    assert p.decompose(p.recompose(nesting)) == nesting


def listed(nesting):
    for component in nesting:
        yield component
        for gap in component.gaps:
            yield from listed(gap)


@given(WORDS)
def test_components_are_those_of_the_crossing_graph(word):
    truth = crossings.components(blocks(word))
    found = [(len(set(part.word)), len(part.word)) for part in listed(p.decompose(word))]
    assert Counter(found) == Counter((len(group), sum(map(len, group))) for group in truth)
    assert p.is_connected(word) == (len(truth) == 1)
    assert p.is_planar(word) == all(len(group) == 1 for group in truth)


@given(WORDS)
def test_crossings_are_alternations(word):
    one = blocks(word)
    pairs = [(a, b) for b in range(len(one)) for a in range(b)]
    truth = {pair for pair in pairs if crossings.alternate(one[pair[0]], one[pair[1]])}
    assert set(p.crossings(word)) == truth


@given(WORDS)
def test_reversal_and_renaming_change_nothing(word):
    back = p.word(word[::-1])
    assert p.is_planar(back) == p.is_planar(word)
    assert p.is_connected(back) == p.is_connected(word)
    assert p.word([-letter for letter in word]) == word == p.word(p.spell(word))


# -- all of them -------------------------------------------------------------------------------


@pytest.mark.parametrize("sites", range(8))
def test_counts(sites):
    every = list(p.partitions(sites))
    assert len(every) == len(set(every)) == sp.bell(sites)
    assert all(p.word(one) == one for one in every)
    assert sum(map(p.is_planar, every)) == comb(2 * sites, sites) // (sites + 1)
    assert sum(map(p.is_interval, every)) == 2 ** max(sites - 1, 0)
    lonely = list(p.partitions(sites, singletons=False))
    assert lonely == [one for one in every if 1 not in Counter(one).values()]
    assert len(lonely) == len(list(blocks_without_singletons(list(range(sites)))))


@pytest.mark.parametrize("sites", range(1, 9))
def test_connected_partitions_are_those_printed(sites):
    """By listing, and by inversion from the moments: OEIS A099947 and A324323."""
    found = Counter(max(one) + 1 for one in p.partitions(sites) if p.is_connected(one))
    row = tuple(found[n + 1] for n in range(len(found)))
    assert row == p.connected_counts(sites)
    assert sum(row) == published.CONNECTED_PARTITIONS[sites]
    if sites <= len(published.CONNECTED_BY_BLOCKS):
        assert row == published.CONNECTED_BY_BLOCKS[sites - 1]


def test_free_cumulants_of_bells_numbers_are_printed_far_out():
    size = len(published.CONNECTED_PARTITIONS) - 1
    found = p.free_cumulants(p.moments([1] * size))
    assert found == published.CONNECTED_PARTITIONS[1:]


def test_connected_pairings_are_chord_diagrams():
    """Free cumulants of the Gaussian; connected chord diagrams, OEIS A000699."""
    found = p.free_cumulants(p.moments([0, 1] + [0] * 10))
    assert found[1::2] == (1, 1, 4, 27, 248, 2830)
    assert set(found[::2]) == {0}


def test_free_and_classical_cumulants_agree_below_the_first_crossing():
    k = sp.symbols("k1:6")
    free = p.free_cumulants(p.moments(k))
    assert free[:3] == k[:3]
    assert free[3] - k[3] == k[1] ** 2  # xyxy
    assert sp.expand(free[4] - k[4]) == 5 * k[1] * k[2]


@pytest.mark.parametrize(("samples", "length"), [(1, 1), (2, 4), (2, 7), (3, 6), (3, 8), (4, 8)])
def test_words_are_the_listed_ones(samples, length):
    found = [p.word(text) for text in crossings.connected_words(samples, length)]
    first = {word for word in found if word}
    assert sorted(p.words(samples, length)) == sorted(first)


def test_no_short_words():
    """A block must be met twice to cross, so n samples take 2 n runs."""
    for samples in (2, 3, 4):
        assert not list(p.words(samples, 2 * samples - 1))
        assert list(p.words(samples, 2 * samples))


# -- mutants and bad input ---------------------------------------------------------------------


@pytest.mark.parametrize("runs", [3, 5])
def test_another_idea_of_crossing_is_rejected(monkeypatch, runs):
    def spoilt(word, a, b):
        return len(p.runs([letter for letter in word if letter in (a, b)])) >= runs

    monkeypatch.setattr(p, "_cross", spoilt)
    every = list(p.partitions(6))
    assert sum(map(p.is_planar, every)) != comb(12, 6) // 7
    assert sum(map(p.is_connected, every)) != published.CONNECTED_PARTITIONS[6]


def test_what_a_nesting_says():
    assert [str(part) for part in p.decompose(p.word("xyxy"))] == ["xyxy"]
    assert [str(part) for part in p.decompose(p.word("abccba"))] == ["x(x(xx)x)x"]
    assert p.spell(tuple(range(30))).endswith("28 29")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: p.Component(p.word("xyyx"), ((),) * 3), "not crossing-connected"),
        (lambda: p.Component(p.word("xyxy"), ((),)), "3 gaps"),
        (lambda: p.Component((), ()), "not crossing-connected"),
        (lambda: list(p.partitions(-1)), "sites"),
        (lambda: list(p.words(0, 4)), "at least 1"),
        (lambda: p.connected_counts(2.5), "whole number"),
    ],
)
def test_bad_input(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        wrong()
