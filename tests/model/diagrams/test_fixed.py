"""From Poisson to fixed numbers of samples: functions whose both averages are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.model.diagrams import fixed
from fieldtheory.model.diagrams.fixed import Smooth, Unsmooth, interpolate, pieces
from tests.tolerance import agree, asymptotic, rounding

SIZES = np.array([8.0, 20.0, 50.0, 120.0])


def geometric(a):
    """F_N = (1 - a)^N, whose Poisson average is e^(-a eta)."""
    return lambda eta: np.exp(-a * eta)


def whole(evaluate, sizes, **rest):
    """The curve of one piece that holds all sizes."""
    ((curve, inside),) = pieces(evaluate, sizes, **rest)
    assert np.all(inside)
    return curve


def rows(*functions):
    def evaluate(eta, start):
        values = np.stack([f(eta) for f in functions], axis=1)
        assert start is None or start.shape == (eta.size, 1)
        return values, values[:, :1]

    return evaluate


@given(st.floats(0.001, 0.12))
def test_a_geometric_law(a):
    curve = whole(rows(geometric(a)), SIZES)
    found, second = curve.fixed(SIZES)
    truth = (1 - a) ** SIZES
    x = a * SIZES  # the third order: x^3 / N^2 of several kinds
    neglected = truth * (x**4 + x**6) / SIZES**3 + 1e-9 * truth
    assert agree(found[:, 0], truth, asymptotic(neglected))
    shift = truth * (x**4 / 8 - x**3 / 3) / SIZES**2
    assert agree(second[:, 0], shift, asymptotic(np.abs(shift) * x**2 / SIZES + neglected))


def test_every_term_counts():
    """Without any of the three terms the fixed number is missed."""
    a = 0.1
    curve = whole(rows(geometric(a)), SIZES)
    found, truth = curve.fixed(SIZES)[0][:, 0], (1 - a) ** SIZES
    F, x = np.exp(-a * SIZES), a * SIZES
    terms = (-F * x**2 / 2 / SIZES, -F * x**3 / 3 / SIZES**2, F * x**4 / 8 / SIZES**2)
    assert agree(F + sum(terms), found, rounding(1.0, 1e4))
    budget = asymptotic(truth * (x**4 / 4 + x**5 / 6 + x**6 / 48) / SIZES**3)
    assert agree(found, truth, budget)
    for term in terms:
        for spoilt in (found - term, found + term, found - 2 * term):
            assert not agree(spoilt[:2], truth[:2], budget[:2])


def test_powers_of_the_number():
    """N averages to eta, N^2 to eta^2 + eta, N^3 to eta^3 + 3 eta^2 + eta: exact both ways."""
    evaluate = rows(lambda n: n, lambda n: n**2 + n, lambda n: n**3 + 3 * n**2 + n)
    curve = whole(evaluate, SIZES)
    found = curve.fixed(SIZES)[0]
    for power in (1, 2):
        assert agree(found[:, power - 1], SIZES**power, rounding(SIZES**power, 1e5))
    assert agree(found[:, 2], SIZES**3, asymptotic(2 * SIZES))  # the third order is -2 N + ...


def test_functions_that_change_sign():
    curve = whole(rows(lambda n: n, lambda n: n - 30.0, lambda n: 0 * n), SIZES)
    assert curve.logarithmic.tolist() == [True, False, False]
    assert agree(curve.poisson(SIZES)[:, 1], SIZES - 30, rounding(200.0, 1e3))
    found = curve.fixed(SIZES)[0]
    assert agree(found[:, 1], SIZES - 30, rounding(200.0, 1e7))
    assert not np.any(found[:, 2])


def test_what_is_foretold_is_an_error_bound():
    low, high = np.log(5.0), np.log(400.0)
    eta = np.exp(np.linspace(low, high, 77))

    def bump(n):
        return 1 + np.exp(-2 * (np.log(n / 40)) ** 2)

    for accuracy in (1e-2, 1e-4, 1e-6):
        curve = interpolate(rows(bump), low, high, accuracy)
        off = np.max(np.abs(curve.poisson(eta)[:, 0] / bump(eta) - 1))
        assert off <= curve.foretold <= accuracy


def test_a_small_step_is_not_differentiated():
    """Neighbours of a place change with eta, by steps that are small; their slopes are not."""
    low, high = np.log(2.0), np.log(30.0)

    def smooth(n):
        return 1 / (1 + n / 4)

    def stepped(n):
        return smooth(n) + 3e-5 * (n > 7.3)

    N = np.array([3.0, 5.0, 12.0])
    clean, _ = interpolate(rows(smooth), low, high, 1e-3).fixed(N)
    rough, _ = interpolate(rows(stepped), low, high, 1e-3).fixed(N)
    assert agree(rough, clean, asymptotic(2e-3))


def test_two_joined():
    """A product, and a sum that changes sign."""
    low, high = np.log(5.0), np.log(400.0)
    one = interpolate(rows(lambda n: n**2, lambda n: n - 30), low, high)
    other = interpolate(rows(lambda n: 1 + 1 / n, lambda n: np.cos(np.log(n))), low, high)

    def combine(a, b):
        return np.stack([a[:, 0] * b[:, 0], a[:, 1] + b[:, 1]], axis=1)

    joined = one.joined(other, combine)
    assert joined.logarithmic.tolist() == [True, False]
    found = joined.poisson(SIZES)
    assert agree(found[:, 0], SIZES**2 + SIZES, rounding(SIZES**2, 1e6))
    assert agree(found[:, 1], SIZES - 30 + np.cos(np.log(SIZES)), rounding(200.0, 1e6))


def broken(*intervals):
    def evaluate(eta, start):
        lost = np.zeros(eta.size, dtype=bool)
        for a, b in intervals:
            lost |= (eta > a) & (eta < b)
        values = np.where(lost, np.nan, eta)[:, None]
        return values, values

    return evaluate


@pytest.mark.parametrize(
    ("intervals", "kept"),
    [
        ((), [1, 1, 1, 1, 1]),
        (((0.0, 3.0),), [0, 1, 1, 1, 1]),
        (((300.0, 1e9),), [1, 1, 1, 1, 0]),
        (((25.0, 60.0),), [1, 1, 0, 1, 1]),
        (((25.0, 60.0), (300.0, 500.0)), [1, 1, 0, 1, 0]),
        (((0.0, 1e9),), [0, 0, 0, 0, 0]),
    ],
)
def test_sizes_between_holes(intervals, kept):
    """Sizes around means without a value are given up; those left are exact."""
    sizes = np.array([2.0, 10.0, 40.0, 100.0, 400.0])
    seen = np.zeros(5, dtype=int)
    for curve, inside in pieces(broken(*intervals), sizes):
        seen += inside
        assert agree(curve.poisson(sizes[inside])[:, 0], sizes[inside], rounding(400.0, 1e3))
    assert seen.tolist() == kept


def test_it_ends_before_the_most():
    curve = whole(broken((100.0, 1e9)), np.array([10.0, 60.0]), most=100.0)
    assert np.exp(curve.high) < 100


def test_wide_ranges_come_in_pieces():
    sizes = np.geomspace(1, 1e7, 9)
    found = pieces(rows(lambda n: 1 / (1 + np.sqrt(n))), sizes)
    assert len(found) > 1
    assert np.all(sum(1 * inside for _, inside in found) == 1)
    for curve, inside in found:
        truth = 1 / (1 + np.sqrt(sizes[inside]))
        assert agree(curve.poisson(sizes[inside])[:, 0], truth, rounding(truth, 1e5))


def test_a_wild_function_is_not_interpolated():
    wild = rows(lambda n: 2 + np.sin(300 * np.log(n)))
    with pytest.raises(Unsmooth):
        interpolate(wild, 0.0, 9.0)
    assert pieces(rows(lambda n: 2 + np.sin(3000 * np.log(n))), SIZES) == ()


def test_what_is_wild_at_one_end_is_kept_at_the_other():
    def edge(n):
        return 2 + np.sin(1e7 / n**3)

    sizes = np.array([5.0, 10.0, 200.0, 400.0])
    kept = sum(1 * inside for _, inside in pieces(rows(edge), sizes))
    assert kept[2:].tolist() == [1, 1]
    assert not np.all(kept)


def test_the_nodes_are_reused():
    """Each mean is asked once: 9, then 8, then 16 ..."""
    asked = []

    def evaluate(eta, start):
        asked.append(eta)
        return rows(lambda n: 1 / (1 + n))(eta, start)

    interpolate(evaluate, 0.0, 5.0)
    together = np.concatenate(asked)
    assert np.unique(together).size == together.size
    assert [len(some) for some in asked[:2]] == [fixed.FIRST + 1, fixed.FIRST]


def test_any_number_of_batches_interpolates_well():
    """All nodes together are Chebyshev's; the polynomial through some of them is never far larger
    than the values it goes through."""
    batches = fixed._batches()
    whole = np.sort(np.concatenate(batches))
    truth = -np.cos(np.pi * np.arange(fixed.LAST + 1) / fixed.LAST)
    assert agree(whole, truth, rounding(1.0))
    x = np.linspace(-1, 1, 2001)
    for some in range(1, len(batches) + 1):
        nodes = np.concatenate(batches[:some])
        assert nodes.size == 8 * some + 1
        unit = fixed._fitted((-1.0, 1.0), nodes, 1 - 2 * np.eye(nodes.size), 0.0)
        assert not np.any(unit.logarithmic)
        values = (1 - unit.poisson(np.exp(x))) / 2
        assert np.max(np.sum(np.abs(values), axis=1)) < 20


@pytest.mark.parametrize("width", [1.0, 2.0, 4.0])
def test_errors_shrink_to_the_square(width):
    """What the nodes reach together, seen from outside; a wish for less takes fewer of them."""
    eta = np.exp(np.linspace(0, 5, 301))

    def pole(n):
        return 2 + 1 / (1 + ((np.log(n) - 2) / width) ** 2)

    needed = []
    for accuracy in (1e-2, 1e-3, 1e-5):
        curve = interpolate(rows(pole), 0.0, 5.0, accuracy)
        off = np.max(np.abs(curve.poisson(eta)[:, 0] / pole(eta) - 1))
        assert off <= 10 * accuracy**2
        needed.append(len(curve.coefficients))
    assert needed == sorted(needed)
    assert needed[0] < needed[-1]


def test_halves_start_from_what_was_found():
    """A piece that is not smooth enough leaves its solutions to both halves."""
    starts = []

    def evaluate(eta, start):
        starts.append((eta, start))
        values = 2 + np.tanh(12 * np.log(eta / 40))[:, None]
        return values, 1 / eta[:, None]

    assert len(pieces(evaluate, SIZES)) > 1
    assert starts[0][1] is None
    for eta, start in starts[1:]:
        assert agree(start[:, 0] * eta, 1.0, rounding(1.0, 1e3))


def test_no_function_at_all():
    with pytest.raises(Unsmooth):
        interpolate(broken((0.0, 1e9)), 0.0, 1.0)
    assert Smooth.__dataclass_fields__.keys() >= {"low", "high", "coefficients"}


def test_noise_is_given_up_and_roughness_is_not():
    """More nodes do not help against noise: it is left out soon. A sharp bend calls for pieces."""
    calls = []

    def rough(size):
        def evaluate(eta, start):
            calls.append(eta.size)
            noise = 1 + size * np.sin(1e6 * eta)
            return (noise / eta)[:, None], (1 / eta)[:, None]

        return evaluate

    assert not pieces(rough(1e-3), SIZES)
    assert sum(calls) <= 33
    bend = rows(lambda eta: 1 / (1 + np.exp(40 * np.log(eta / 30))))
    found = pieces(bend, SIZES)
    assert len(found) > 1
    assert np.all(np.any([inside for _, inside in found], axis=0))


def test_close_below_a_hole_but_well_above_one():
    """Where an order ends it still holds shortly before; where it begins it is not trusted soon."""

    def evaluate(eta, start):
        inside = (eta > 10) & (eta < 100)
        return np.where(inside, 1 / eta, np.nan)[:, None], (1 / eta)[:, None]

    sizes = np.array([11.0, 40.0, 80.0])
    found = pieces(evaluate, sizes)
    reached = np.any([inside for _, inside in found], axis=0)
    assert reached.tolist() == [False, True, True]
    for curve, inside in found:
        assert agree(curve.poisson(sizes[inside])[:, 0], 1 / sizes[inside], rounding(1.0, 10))


def test_the_number_of_tries_is_bounded():
    count = []

    def evaluate(eta, start):
        count.append(1)
        return np.where(np.floor(7 * np.log(eta)) % 2 == 0, 1.0, np.nan)[:, None], eta[:, None]

    pieces(evaluate, np.geomspace(1, 1e7, 300))
    assert len(count) <= 2 * fixed.TRIES
