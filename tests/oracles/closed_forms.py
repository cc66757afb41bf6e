"""Spectra known in closed form, written in mpmath from the literature's gamma functions.

Two-layer ReLU (compare Bach 2017, arXiv:1412.8690, appendix D): with u = pi - arccos(t),

    k1(t) = [sqrt(1 - t^2) + t u] / (2 pi),      k0(t) = u / (2 pi).
"""

import mpmath
from mpmath import mpf


def ramp(dimension, degree):
    """lam_l of k1: d a_l^2."""
    d, l = mpf(dimension), degree
    if l == 0:
        a = mpmath.gamma(d / 2) / (2 * mpmath.sqrt(mpmath.pi) * mpmath.gamma((d + 1) / 2))
    elif l == 1:
        a = 1 / (2 * d)
    elif l % 2:
        a = mpf(0)
    else:
        above = mpmath.gamma(d / 2) * mpmath.factorial(l - 2)
        below = mpmath.sqrt(mpmath.pi) * mpf(2) ** l * mpmath.gamma(mpf(l) / 2)
        a = above / (below * mpmath.gamma((l + d + 1) / 2))
    return d * a**2


def step(dimension, degree):
    """lam_l of k0: s_l^2."""
    d, l = mpf(dimension), degree
    if l == 0:
        return mpf(1) / 4
    if l % 2 == 0:
        return mpf(0)
    above = mpmath.gamma(d / 2) * mpmath.factorial(l - 1)
    below = mpmath.sqrt(mpmath.pi) * mpf(2) ** l * mpmath.gamma(mpf(l + 1) / 2)
    return (above / (below * mpmath.gamma((l + d) / 2))) ** 2


def times_cosine(eigenvalue, dimension, degree):
    """lam_l of t k(t) from those of k."""
    d, l = mpf(dimension), degree
    if l == 0:
        return eigenvalue(dimension, 1)
    up = (l + d - 2) * eigenvalue(dimension, l + 1)
    return (l * eigenvalue(dimension, l - 1) + up) / (2 * l + d - 2)


def gaussian(dimension, degree, length):
    """lam_l of exp(-|x - y|^2 / (2 length^2)) = exp((t - 1) / length^2), by a Bessel function."""
    z, nu = 1 / mpf(length) ** 2, mpf(dimension) / 2 - 1
    return mpmath.exp(-z) * mpmath.gamma(nu + 1) * (2 / z) ** nu * mpmath.besseli(nu + degree, z)
