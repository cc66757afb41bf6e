"""Sums over truncated series, block by block: against exact fractions, through several blocks."""

from fractions import Fraction

import numpy as np
import pytest

from fieldtheory.model.averages import recurrence
from fieldtheory.model.averages.recurrence import BLOCK, SHORT
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding

TERMS = 3 * BLOCK + 5
ROUNDINGS = TERMS  # a coefficient is the end of as many sums, all of one sign


def times(a, b):
    return [sum(a[k] * b[n - k] for k in range(n + 1)) for n in range(TERMS)]


def over(a, b):
    g = []
    for n in range(TERMS):
        g.append((a[n] - sum(b[k] * g[n - k] for k in range(1, n + 1))) / b[0])
    return g


def falling(seed):
    """Positive coefficients like those of a kernel, as exact fractions and as floats."""
    rng = np.random.default_rng(seed)
    exact = [Fraction(int(n), 64 * (k + 1) ** 2) for k, n in enumerate(rng.integers(1, 64, TERMS))]
    return exact, np.array([[float(x)] * 2 for x in exact])


def sunken(exact, floats):
    """1 - x / 2, whose quotients and roots again have coefficients of one sign."""
    series, array = [-x / 2 for x in exact], -floats / 2
    series[0] += 1
    array[0] += 1
    return series, array


def relative(found, exact):
    truth = np.array([float(x) for x in exact])[:, None]
    return agree(found, truth, rounding(truth, ROUNDINGS))


def check_products():
    (a, x), (b, y) = falling(0), falling(1)
    assert relative(recurrence.multiply(x, y, TERMS), times(a, b))
    for length in (1, 3, SHORT, SHORT + 1, 2 * BLOCK):
        short, kept = a[:length] + [Fraction(0)] * (TERMS - length), x.copy()
        kept[length:] = 0
        assert relative(recurrence.multiply(kept, y, length), times(short, b))


def check_quotients():
    (a, x), (b, y) = falling(2), sunken(*falling(3))
    assert relative(recurrence.divide(x, y, TERMS), over(a, b))
    short, kept = b[:3] + [Fraction(0)] * (TERMS - 3), y.copy()
    kept[3:] = 0
    assert relative(recurrence.divide(x, kept, 3), over(a, short))


def check_roots():
    r, _ = sunken(*falling(4))
    square = np.array([[float(v)] for v in times(r, r)])
    assert relative(recurrence.root(square), r)


def check_powers():
    """v^(-1/2) squared is 1/v; of a polynomial, and of a series without end."""
    for length in (2, 3, TERMS):
        v, x = sunken(*falling(5))
        v[length:], x[length:] = [Fraction(0)] * (TERMS - length), 0
        found = recurrence.power(x, -0.5, length)
        one = [Fraction(1), *[Fraction(0)] * (TERMS - 1)]
        assert relative(recurrence.multiply(found, found, TERMS), over(one, v))


def check_exponentials():
    """f' = p' f, order by order."""
    p, x = falling(6)
    f = [Fraction(1)]
    for n in range(1, TERMS):
        f.append(sum(k * p[k] * f[n - k] for k in range(1, n + 1)) / n)
    found = recurrence.exponential(x, TERMS) / np.exp(float(p[0]))
    assert relative(found, f)


CHECKS = {
    "multiply": (check_products, "count = min(high, length)", "count = min(low + 1, length)"),
    "divide": (check_quotients, "low, high - low, low)", "low, high - low, low - 1)"),
    "root": (check_roots, "rest / 2", "rest / 3"),
    "power": (check_powers, "ku[k] / n - u[k]", "ku[k] / n + u[k]"),
    "exponential": (check_exponentials, "orders(p) * p", "p"),
}


@pytest.mark.parametrize("name", CHECKS)
def test_against_fractions(name):
    CHECKS[name][0]()


@pytest.mark.parametrize("name", CHECKS)
def test_a_spoilt_sum_is_seen(monkeypatch, name):
    check, old, new = CHECKS[name]
    spoil(monkeypatch, getattr(recurrence, name), old, new)
    assert not survives(check)


def test_a_derivative_and_its_integral():
    x = falling(7)[1]
    back = recurrence.integral(recurrence.derivative(x), x[0])
    assert agree(back, x, rounding(x))
