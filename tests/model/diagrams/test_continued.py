"""The series continued: on series whose sum is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.model.diagrams import continued
from fieldtheory.model.diagrams.continued import FULL, NONE, left, rest
from tests.tolerance import agree, rounding

gap = st.floats(-0.5, 0.5).filter(lambda g: abs(g) > 1e-3)


def orders(first, ratio, count=3):
    """Errors whose logarithms have geometric gaps."""
    gaps = first * ratio ** np.arange(count - 1)
    return np.exp(np.concatenate([[0.0], np.cumsum(gaps)]))[:, None]


@given(gap, st.floats(0, FULL))
def test_a_geometric_series_is_summed(first, ratio):
    truth = orders(first, ratio, 200)[-1]
    short = orders(first, ratio)
    assert agree(short[-1] * np.exp(rest(short)), truth, rounding(truth, 10))
    if ratio > 1e-3:
        assert not agree(short[-1] * np.exp(rest(short) / 2), truth, rounding(truth, 10))


@given(gap, st.one_of(st.floats(NONE, 5), st.floats(-5, -1e-6)))
def test_no_law_nothing_added(first, ratio):
    assert agree(rest(orders(first, ratio)), 0, rounding(1.0))


@given(gap, st.floats(FULL, NONE), st.floats(0, 1e-3))
def test_it_fades_smoothly(first, ratio, step):
    here, there = (rest(orders(first, r)) for r in (ratio, ratio + step))
    assert agree(here, there, 40 * step * abs(first) + rounding(1.0))
    assert abs(here) <= abs(first) * FULL * NONE / (1 - NONE)


@given(gap, st.floats(-1, 1), st.integers(2, 9))
def test_what_is_left(first, ratio, dimension):
    """Never negative, never more than stated, less with a third order that is small."""
    more = left(orders(first, ratio), dimension)
    assert 0 < more <= continued.MOST
    usual = left(orders(first, ratio)[:2], dimension)
    if abs(ratio) < 0.1:
        assert more < usual
    if abs(ratio) <= FULL:
        geometric = abs(first * ratio * ratio / (1 - abs(ratio)))
        assert more >= min(geometric, continued.MOST)


@pytest.mark.parametrize("flat", [[1.0, 1.0, 1.0], [1.0, 1.0, 1.1], [1.0, 1.1, 1.1]])
def test_no_gap(flat):
    column = np.array(flat)[:, None]
    assert rest(column) == 0
    assert np.isfinite(left(column, 3))


def test_the_circle_leaves_more():
    assert left(orders(0.1, 0.2)[:2], 2) > left(orders(0.1, 0.2)[:2], 3)
