"""Whole numbers for many digits, against mpmath's own sums."""

import mpmath
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.model.averages.whole import back, bits_of, horner, whole


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(-1, 1))
def test_sums_of_powers(coefficients, p):
    context = mpmath.mp.clone()
    context.dps = 40
    c, x = [context.mpf(a) for a in coefficients], context.mpf(p)
    truth = context.fsum(a * x**k for k, a in enumerate(c))
    assert abs(horner(c, x, context) - truth) <= context.mpf(10) ** -40
    array = horner(c, np.array([x, -x]), context)
    assert array.shape == (2,)
    assert abs(array[0] - truth) <= context.mpf(10) ** -40


@given(st.floats(-100, 100))
def test_there_and_back(x):
    context = mpmath.mp.clone()
    context.dps = 25
    bits = bits_of(context)
    assert abs(back(whole(context.mpf(x), bits, context), bits, context) - x) <= 2.0**-bits
