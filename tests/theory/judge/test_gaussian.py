"""Gaussian moments and sums over replicas, against every pairing and every assignment."""

from fractions import Fraction
from itertools import product
from math import factorial, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import QQ, ring

from fieldtheory.theory.judge import gaussian
from fieldtheory.theory.judge.gaussian import Copies, Gaussian, Groups
from tests.oracles import matchings
from tests.oracles.mutation import spoil, survives

R, M = ring("M", QQ)
small = st.integers(-3, 3)


def variables(rows, means=None):
    """A Gaussian with rational covariances (0 above a short row) and means."""
    size = len(rows)
    full = tuple(tuple(R(rows[max(a, b)][min(a, b)]) for b in range(size)) for a in range(size))
    return Gaussian(tuple(R(m) for m in means or [0] * size), full, R.one)


@st.composite
def covariances(draw):
    size = draw(st.integers(1, 3))
    return [[draw(small) for _ in range(n + 1)] for n in range(size)]


def of_pairings(rows, powers):
    names = [n for n, power in enumerate(powers) for _ in range(power)]
    pairs = {(a, b): rows[a][b] for a in range(len(rows)) for b in range(a + 1)}
    return matchings.gaussian(names, matchings.symmetric(pairs))


def of_shifts(rows, means, powers):
    """Every factor is a mean or a fluctuation."""
    names = [n for n, power in enumerate(powers) for _ in range(power)]
    total = 0
    for shifted in product([True, False], repeat=len(names)):
        rest = [
            sum(n == k and not s for n, s in zip(names, shifted, strict=True)) for k in range(3)
        ]
        factor = prod(means[n] for n, s in zip(names, shifted, strict=True) if s)
        total += factor * of_pairings(rows, rest[: len(rows)])
    return total


def exact(value):
    return Fraction(str(value))


@settings(max_examples=40, deadline=None)
@given(covariances(), st.data())
def test_moments_are_sums_over_pairings(rows, data):
    powers = tuple(data.draw(st.integers(0, 8 // len(rows))) for _ in rows)
    assert exact(variables(rows).moment(powers)) == of_pairings(rows, powers)


@settings(max_examples=30, deadline=None)
@given(covariances(), st.data())
def test_means_shift_the_variables(rows, data):
    powers = tuple(data.draw(st.integers(0, 6 // len(rows))) for _ in rows)
    means = [data.draw(small) for _ in rows]
    assert exact(variables(rows, means).moment(powers)) == of_shifts(rows, means, powers)


def test_complex_and_response_fields():
    """<psi^n psi_bar^m> = delta_nm n! G^n; a response field pairs with another field only."""
    psi = variables([[0], [3, 0]])
    for n, m in product(range(5), range(5)):
        assert psi.moment((n, m)) == (factorial(n) * 3**n if n == m else 0)
    response = variables([[2], [5, 0]])
    assert response.moment((0, 2)) == 0
    assert response.moment((1, 1)) == 5
    assert response.moment((3, 1)) == 3 * 2 * 5
    assert response.moment((2, 2)) == 2 * 5**2


STRANDS = [((2,), (1,)), ((1, 1), (2, 0)), ((1, 0), (0, 1), (0, 0)), ((3,), (1,))]


def of_assignments(gauss, strands, times, places, copies):
    """Every strand in every copy, one after another; `places` are legs in copies 0, 1, ..."""
    each = [strand for strand, n in zip(strands, times, strict=True) for _ in range(n)]
    total = 0
    for chosen in product(range(copies), repeat=len(each)):
        value = 1
        for at in range(copies):
            start = places[at] if at < len(places) else (0,) * len(strands[0])
            here = [start, *(s for s, c in zip(each, chosen, strict=True) if c == at)]
            value *= gauss.moment(tuple(map(sum, zip(*here, strict=True))))
        total += value
    return total


@pytest.mark.parametrize("strands", STRANDS)
@pytest.mark.parametrize("legs", [0, 1, 2])
def test_sums_over_replicas_are_sums_over_assignments(strands, legs):
    """With M symbolic, at M = legs, ..., 3; with a leg in each of the first replicas."""
    size = len(strands[0])
    gauss = variables([[2], [1, 3]][:size])
    start = (1,) + (0,) * (size - 1)
    single = [Copies(gauss, strands, start, R.one)] * legs
    groups = Groups((*single, Copies(gauss, strands, (0,) * size, M - legs)))
    for times in product(range(3), repeat=len(strands)):
        ours = groups.coefficient(times) * prod(map(factorial, times))
        for copies in range(max(legs, 1), 4):
            truth = of_assignments(gauss, strands, times, [start] * legs, copies)
            assert ours.evaluate(M, copies) == truth.coeff(1) if truth else not ours(copies)


def checks():
    rows, means = [[2], [1, 3]], [1, 2]
    assert exact(variables(rows, means).moment((3, 2))) == of_shifts(rows, means, (3, 2))
    test_complex_and_response_fields()
    for legs in (0, 2):
        test_sums_over_replicas_are_sums_over_assignments(STRANDS[2], legs)


def test_nothing_spoiled_is_not_caught():
    assert survives(checks)


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        (Gaussian._reduced, "fewer[j] * covariance", "covariance"),
        (Gaussian._reduced, "fewer[j] * covariance", "powers[j] * covariance"),
        (Gaussian._reduced, "self.means[i] * self", "2 * self.means[i] * self"),
        (Gaussian._reduced, "_lowered(fewer, j)", "fewer"),
        (Copies._power, "size * self.copies -", "size * self.copies +"),
        (Copies._power, "(total - size)", "total"),
        (Copies._power, "(size * self.copies", "(self.copies"),
        (Copies._power, "value.ring.domain(total)", "value.ring.domain(total + 1)"),
        (Copies._one, "p + n * q", "p + q"),
        (Copies._one, "map(factorial, times)", "times"),
        (Groups.coefficient, "first + 1)", "first)"),
        (gaussian.below, "n + 1", "n"),
    ],
)
def test_mutants_are_caught(monkeypatch, function, old, new):
    spoil(monkeypatch, function, old, new)
    assert not survives(checks)
