"""Sums over degrees: the formulas of the page. (On a circle of points: tests/compiler.)"""

import pytest
import sympy as sp

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.theory import learning
from fieldtheory.theory.homogeneous import G, L, deg, j, l, lam
from fieldtheory.theory.learning import eta, s2

k = s2 / eta


def same(one, other):
    """Equal at a small rational spectrum, exactly."""
    values = {lam: ["1/2", "1/5", "3/7"], deg: ["1", "3", "5"], G: ["1/3", "1/7", "2"]}
    point = {base[n]: sp.Rational(t) for base, texts in values.items() for n, t in enumerate(texts)}

    def number(expression):
        done = expression.subs(l, 1).subs(L, 2).doit()
        return sp.nsimplify(done.subs(point).subs({eta: 7, s2: sp.Rational(2, 3)}))

    return number(one) == number(other)


C0 = sp.Sum(deg[j] / (1 / lam[j] + eta / s2), (j, 0, L))
LEARNED = lam[j] / (lam[j] + k)


def test_the_mean_on_the_sphere():
    assert same(learning.mean(0).on_sphere(), -k / (lam[l] + k))
    assert same(learning.mean(1).on_sphere(), -(C0 / eta) * lam[l] / (lam[l] + k) ** 2)
    assert not same(learning.mean(1).on_sphere(), (C0 / eta) * lam[l] / (lam[l] + k) ** 2)


def test_the_integrated_variance_on_the_sphere():
    spread = sp.Sum(deg[j] * LEARNED**2, (j, 0, L))
    missed = sp.Sum((1 - LEARNED) ** 2 * G[j], (j, 0, L))
    assert same(learning.covariance(1).on_sphere(), spread * missed / eta)
    assert not same(learning.covariance(1).on_sphere(), 2 * spread * missed / eta)


def test_the_error_on_the_sphere():
    bias = sp.Sum(2 * k / (lam[j] + k) ** 3 * lam[j] * G[j], (j, 0, L)) * C0 / eta
    total = bias + learning.covariance(1).on_sphere()
    assert same(learning.error(1).on_sphere(), total)
    assert same(learning.error(0).on_sphere(), sp.Sum((1 - LEARNED) ** 2 * G[j], (j, 0, L)))


def test_an_eigenvalue_of_zero_is_allowed():
    value = learning.mean(1).on_sphere().subs(lam[l], 0)
    assert value == 0


def test_parallel_lines_are_reported_with_the_diagram():
    with pytest.raises(OutOfRegime, match=r"<Diagram .* lines in parallel"):
        learning.mean(order=2).on_sphere()


@pytest.mark.parametrize("order", [0, 1])
def test_names_are_the_agreed_ones(order):
    names = {str(symbol) for symbol in learning.error(order).on_sphere().free_symbols}
    bases = {"lam", "deg", "G"} if order else {"lam", "G"}
    indexed = {name for name in names if "[" in name}
    assert names - indexed == bases | {"eta", "s2", "L"}
