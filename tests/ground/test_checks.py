"""The checks at the door: what passes comes out clean, what does not says why."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground import checks
from fieldtheory.ground.errors import InvalidInput

NOT_NUMBERS = [True, False, None, "1", [1], math.nan, math.inf, -math.inf, 1j, np.array([1.0, 2.0])]


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9))
def test_a_finite_number_passes_as_a_float(value):
    clean = checks.number("ridge", value)
    assert clean == value
    assert type(clean) is float


@pytest.mark.parametrize("value", [Fraction(1, 2), np.float32(0.5), np.int64(3)])
def test_numbers_of_other_kinds_pass(value):
    assert checks.number("ridge", value) == float(value)


@pytest.mark.parametrize("check", [checks.number, checks.variance, checks.positive])
@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
def test_what_is_not_a_finite_number_is_refused(check, value):
    with pytest.raises(InvalidInput, match="ridge"):
        check("ridge", value)


def test_signs():
    assert checks.variance("ridge", 0) == 0.0
    with pytest.raises(InvalidInput, match=r"ridge = -0\.1 is negative"):
        checks.variance("ridge", -0.1)
    with pytest.raises(InvalidInput, match="length = 0 is not positive"):
        checks.positive("length", 0)


@given(st.integers(1, 10**6))
def test_whole_numbers_pass_however_they_are_held(n):
    for held in (n, float(n), np.int64(n), np.float64(n)):
        clean = checks.count("depth", held, least=1)
        assert clean == n
        assert type(clean) is int


@pytest.mark.parametrize("value", [*NOT_NUMBERS, 3.5, 0, -1], ids=repr)
def test_what_is_not_a_count_is_refused(value):
    with pytest.raises(InvalidInput, match=r"depth = .*whole number, at least 1"):
        checks.count("depth", value, least=1)


def test_choice_names_the_near_miss():
    assert checks.choice("activation", "erf", ["relu", "erf"]) == "erf"
    with pytest.raises(InvalidInput, match="choose one of relu, erf; did you mean 'relu'"):
        checks.choice("activation", "rleu", ["relu", "erf"])
    for wrong in (None, 3, ["relu"], "zzz"):
        with pytest.raises(InvalidInput, match="unknown activation"):
            checks.choice("activation", wrong, ("relu", "erf"))


@pytest.mark.parametrize("given_sizes", [[1, 10], (1, 10), np.array([1, 10]), [1.0, 10.0]])
def test_sizes_pass(given_sizes):
    clean = checks.sizes("samples", given_sizes)
    assert clean.tolist() == [1.0, 10.0]
    assert clean.dtype == np.float64


def test_one_size_is_a_list_of_one():
    assert checks.sizes("samples", 7).tolist() == [7.0]
    assert checks.sizes("samples", range(1, 4)).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("wrong", [[], [0], [1.5], [math.nan], ["1"], "10", None, [[1, 2]]])
def test_other_sizes_are_refused(wrong):
    with pytest.raises(InvalidInput, match="samples"):
        checks.sizes("samples", wrong)


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=9))
def test_vectors_of_powers_pass(values):
    assert checks.powers("power", values).tolist() == values
    assert checks.vector("power", tuple(values)).tolist() == values


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ([], "shape"),
        (3.0, "shape"),
        ([[1.0]], "shape"),
        ([1, math.nan], r"power\[1\] = nan"),
        ([math.inf], r"power\[0\] = inf"),
        (["a"], "list of numbers"),
        ([[1], [1, 2]], "list of numbers"),
        (None, "shape"),
    ],
)
def test_other_vectors_are_refused(wrong, why):
    with pytest.raises(InvalidInput, match=why):
        checks.vector("power", wrong)


def test_a_negative_power_is_named():
    with pytest.raises(InvalidInput, match=r"power\[2\] = -1.0 is negative"):
        checks.powers("power", [0, 1, -1])
    assert checks.vector("power", [0, 1, -1]).tolist() == [0.0, 1.0, -1.0]


def test_a_check_copies_what_it_is_given():
    mine = np.array([1.0, 2.0])
    checks.vector("power", mine)[0] = 5.0
    assert mine[0] == 1.0
