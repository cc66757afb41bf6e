"""The expansion in 1/width: the diagrams of the posterior against the integral they come from."""

import pytest
import sympy as sp

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory import width
from fieldtheory.theory.width import CUMULANTS, A, R, b, correction, cumulant, n, terms

U, V, _ = CUMULANTS
h, t = sp.symbols("h t")


def gaussian(polynomial, mean, variance):
    """The average of a polynomial in h over a Gaussian, by derivatives of exp(t mean + ...)."""
    weight = sp.exp(t * mean + t**2 * variance / 2)
    total = sp.S.Zero
    for (power,), coefficient in sp.Poly(polynomial, h).terms():
        total += coefficient * sp.diff(weight, t, power).subs(t, 0)
    return sp.expand(total)


def by_integral(order):
    """Mean and log evidence of the posterior: a Gaussian average over h, without a diagram.

    The likelihood of f against the prior's generating function makes h Gaussian with mean b and
    variance -A; f follows by R d/dh of what stands beside it.
    """
    e = sp.Symbol("e")
    extra = e * U * h**4 / 24 + e**2 * V * h**6 / 720
    weight = sp.series(sp.exp(extra), e, 0, order + 1).removeO()
    moved = sp.series(sp.diff(extra, h) * sp.exp(extra), e, 0, order + 1).removeO()
    above = gaussian(sp.expand(R * moved), b, -A)
    below = gaussian(sp.expand(weight), b, -A)
    mean = sp.series(above / below, e, 0, order + 1).removeO()
    evidence = sp.series(sp.log(below), e, 0, order + 1).removeO()
    return [sp.expand(value).coeff(e, order) / n**order for value in (mean, evidence)]


@pytest.mark.parametrize("order", [1, 2])
def test_the_diagrams_are_the_integral(order):
    mean, evidence = by_integral(order)
    assert sp.expand(correction("mean", order) - mean) == 0
    assert sp.expand(correction("evidence", order) - evidence) == 0
    assert sp.expand(correction("mean", order) - 2 * mean) != 0


def test_the_first_order_is_the_formula_of_one_vertex():
    """(1 / 6n) U (b^3 - 3 A b): two diagrams, with 3! and 2 as symmetries."""
    assert sp.expand(correction("mean") - R * U * (b**3 - 3 * A * b) / (6 * n)) == 0
    assert sorted(diagram.symmetry for diagram in terms("mean")) == [2, 6]


def test_the_evidence_generates_the_mean():
    """d log Z / dy = -(y - f) / s2, and b = A y: the mean at the data from the evidence."""
    y, s2, K = sp.symbols("y s2 K", positive=True)
    at = {A: 1 / (K + s2), R: 1 - K / (K + s2), b: y / (K + s2)}
    for order in (1, 2):
        evidence = correction("evidence", order).subs({b: A * y}).subs(at)
        assert sp.simplify(s2 * sp.diff(evidence, y) - correction("mean", order).subs(at)) == 0


def test_cumulants_are_those_of_a_sum_of_units():
    """One unit of Gaussian output weight a: moments of a phi are (2k-1)!! w^k m_2k."""
    w, m2, m4, m6 = sp.symbols("w m_2 m_4 m_6")
    moments = [sp.factorial2(2 * k - 1) * w**k * m for k, m in ((1, m2), (2, m4), (3, m6))]
    second, fourth, sixth = moments
    assert sp.expand(cumulant(2) - second) == 0
    assert sp.expand(cumulant(4) - (fourth - 3 * second**2)) == 0
    assert sp.expand(cumulant(6) - (sixth - 15 * fourth * second + 30 * second**3)) == 0
    assert cumulant(5) == 0


def test_questions_out_of_reach():
    with pytest.raises(OutOfRegime, match="derived up to order 3"):
        width.action(4)
    with pytest.raises(InvalidInput, match="unknown quantity 'median'"):
        terms("median")
    with pytest.raises(InvalidInput, match="at least 1"):
        terms("mean", 0)
