"""Hermite coefficients to many digits: against mpmath's integrals, Parseval, and refusals."""

import mpmath
import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.activation import activation
from fieldtheory.model.averages import digits
from fieldtheory.model.averages.digits import _Rule, precise_expansion
from fieldtheory.model.measures.precise import precise_spectrum
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree


def context(digits):
    made = mpmath.mp.clone()
    made.dps = digits
    return made


def tanh(z, mp):
    return mp.tanh(z)


@pytest.mark.parametrize("q", [0.25, 1.5])
def test_coefficients_of_tanh(q):
    mp = context(30)
    found = precise_expansion(tanh, "tanh", mp.mpf(q))
    with mpmath.workdps(40):
        for degree in (1, 3, 9):

            def integrand(z, k=degree):  # He_k(z) = 2^(-k/2) H_k(z / sqrt 2)
                he = mpmath.hermite(k, z / mpmath.sqrt(2)) / mpmath.sqrt(2) ** k
                return mpmath.tanh(mpmath.sqrt(q) * z) * he * mpmath.npdf(z)

            truth = mpmath.quad(integrand, range(-16, 17, 2)) / mpmath.sqrt(
                mpmath.factorial(degree)
            )
            wrong = abs(mpmath.mpf(str(found.coefficients[0, degree])) - truth)
            assert wrong <= mpmath.mpf(10) ** -28
    assert float(abs(np.sum(found.coefficients**2) - found.square[0])) <= 1e-28


def test_polynomials_have_few_coefficients():
    """z^4 = h_4 sqrt 24 + 6 h_2 sqrt 2 + 3 and z^5 = h_5 sqrt 120 + 10 h_3 sqrt 6 + 15 h_1, at
    variance 2."""
    mp = context(40)
    found = precise_expansion(lambda z, mp: z**4 + z**5, "sum", mp.mpf(2)).coefficients[0]
    assert found.size == 6
    root = mp.sqrt(2)
    truth = [12, 60 * root, 24 * root, 40 * mp.sqrt(12), 4 * mp.sqrt(24), 4 * mp.sqrt(240)]
    assert all(abs(a - b) < mp.mpf(10) ** -37 for a, b in zip(found, truth, strict=True))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("part @ now", "part @ before"),
        ("- k * (k - 1) * before", "- k * before"),
        ("2 * k + 1 << power", "2 * k << power"),
        ("factorial *= (k + 1) *", "factorial *= (k + 3) *"),
        ("-2 * shift", "-shift"),
        ("3 * self.bits", "3 * self.bits - 1"),
    ],
)
def test_the_polynomial_rejects_mutants(monkeypatch, old, new):
    monkeypatch.setattr(digits, "LAST", 4)  # a wrong one never ends by itself
    spoil(monkeypatch, _Rule._chain, old, new)
    digits._expansion.cache_clear()
    assert not survives(test_polynomials_have_few_coefficients)
    assert not survives(lambda: test_coefficients_of_tanh(0.25))


def test_what_is_not_analytic_is_refused():
    mp = context(15)
    with pytest.raises(OutOfRegime, match="Hermite coefficients do not reach 15 digits"):
        precise_expansion(lambda z, mp: abs(z), "absolute", mp.mpf(1))


def test_a_callable_in_floats_alone_has_no_more_digits():
    kernel = Network(2, activation(np.tanh), 1.0, 0.1).on_sphere(5)
    with pytest.raises(InvalidInput, match=r"float64 only.*mp\.tanh"):
        precise_spectrum(kernel, 5, 2, digits=10)


def test_a_spectrum_of_tanh_to_many_digits():
    """Within the errors that float64 states; and the same through a user's own function."""
    network = Network(2, "tanh", 1.2, 0.3)
    kernel = network.on_sphere(4, "dimension")
    found = precise_spectrum(kernel, 4, 5, digits=18)
    quick = spectrum(kernel, 4, degrees=5)
    assert agree(quick.eigenvalues, found.eigenvalues, quick.errors)
    mine = Network(2, activation(np.tanh, precise=tanh), 1.2, 0.3).on_sphere(4, "dimension")
    assert precise_spectrum(mine, 4, 2, digits=18).precise == found.precise[:3]


@pytest.mark.slow
def test_deep_tanh_to_twenty_five_digits():
    """More digits agree with fewer, digit by digit."""
    kernel = Network(3, "tanh", 1.5, 0.3).on_sphere(5, "dimension")
    long, short = (precise_spectrum(kernel, 5, 4, digits=n).precise for n in (25, 12))
    for a, b in zip(long, short, strict=True):
        assert float(abs(mpmath.mpf(a) / mpmath.mpf(b) - 1)) <= 1e-12
