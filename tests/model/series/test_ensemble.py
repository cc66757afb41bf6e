"""From Poisson to fixed: exact for what is a polynomial in the number of samples."""

import numpy as np
import pytest

from fieldtheory.model.series.ensemble import Terms, by_order
from fieldtheory.model.series.taylor import Taylor
from tests.tolerance import agree, rounding

N = np.array([7.0, 50.0])


def monomial(number, exponent, count):
    """number eta^exponent about N, with that many coefficients."""
    eta, total = Taylor.samples(N, count), Taylor.samples(N, count) * 0 + number
    for _ in range(exponent):
        total = total * eta
    return total.coefficients


def known(shares=(0, 4, 6, 1)):
    """h = n^2 at n samples, the same for every data set. Its Poisson average is eta^2 + eta, that
    of its square eta^4 + 6 eta^3 + 7 eta^2 + eta; without the square of the mean 4, 6 and 1."""
    counts = (7, 5, 3, 1)
    means = zip((1, 1, 0, 0), (2, 1, 0, 0), counts, strict=True)
    squares = zip(shares, (0, 3, 2, 1), counts, strict=True)
    return Terms(
        tuple(Taylor(monomial(*m)[..., None, None]) for m in means),
        tuple(Taylor(monomial(*s)[..., None]) for s in squares),
        np.ones((1, 1)),
    )


def test_what_depends_on_the_number_alone_has_no_variance_at_a_fixed_one():
    bias, variance = by_order(known(), N, "fixed")
    assert agree(bias.sum(axis=0)[:, 0], N**4, rounding(N**4))
    assert agree(variance.sum(axis=0)[:, 0], 0, rounding(N**4))


@pytest.mark.parametrize("spoilt", [(0, 5, 6, 1), (0, 4, 7, 1), (0, 4, 6, 2)])
def test_a_spoilt_order_is_seen(spoilt):
    _, variance = by_order(known(spoilt), N, "fixed")
    assert not agree(variance.sum(axis=0)[:, 0], 0, rounding(N**4))


def test_at_a_poisson_number_it_has_the_variance_of_the_number():
    bias, variance = by_order(known(), N, "poisson")
    assert agree(bias.sum(axis=0)[:, 0], (N**2 + N) ** 2, rounding(N**4))
    assert agree(variance.sum(axis=0)[:, 0], 4 * N**3 + 6 * N**2 + N, rounding(N**4))
