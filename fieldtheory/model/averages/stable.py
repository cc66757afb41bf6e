r"""Averages whose law loses its digits at extreme variances: the same numbers, summed otherwise.

erf and GELU at large variance q, where :math:`(1 + q)^2 - q^2 p^2` cancels at correlations p near
one; with :math:`1 - p^2` written out it does not. The sine at small variance, where two
exponentials cancel:

.. math:: \langle \sin(a u) \sin(a v) \rangle = e^{-c} \sinh(c\, p), \qquad c = a^2 q

Tests hold each against its law in `theory.averages`, in many digits.
"""

from typing import Any

import numpy as np

from fieldtheory.compiler import generated
from fieldtheory.ground.arrays import Array
from fieldtheory.model.averages.dual import Dual
from fieldtheory.model.averages.jet import Jet


def erf_covariance(q: Any, p: Any, xp: Any = np) -> Any:
    """The law `ERF_COVARIANCE`."""
    return 2 * _angle(2 * q, p, xp) / xp.pi


def erf_slope(q: Any, p: Any, xp: Any = np) -> Any:
    r"""The law `ERF_SLOPE`: :math:`4 / \pi \sqrt{1 + 4 q + 4 q^2 (1 - p^2)}`."""
    return 4 / (xp.pi * xp.sqrt(1 + 4 * q + 4 * q * q * (1 - p**2)))


def gelu_covariance(q: Any, p: Any, xp: Any = np) -> Any:
    r"""The law `GELU_COVARIANCE`, with D = 1 + 2 q + q^2 (1 - p^2):

    .. math:: q p\, \Bigl(\frac14 + \frac{1}{2\pi}\arcsin\frac{q p}{1 + q}\Bigr)
              + \frac{q^2}{2\pi\sqrt D} \frac{1 + p^2 + q (1 - p^2)}{1 + q}
    """
    square = p**2
    above = (1 + square + q * (1 - square)) / (1 + q)
    return q * p * _both(q, p, xp) + q * q * above / (2 * xp.pi * xp.sqrt(_determinant(q, square)))


def gelu_slope(q: Any, p: Any, xp: Any = np) -> Any:
    r"""The law `GELU_SLOPE`, with D as above:

    .. math:: \frac14 + \frac{1}{2\pi}\arcsin\frac{q p}{1 + q}
              + \frac{q p}{2\pi\sqrt D} \Bigl(\frac{2}{1 + q} + \frac1D\Bigr)
    """
    determinant = _determinant(q, p**2)
    density = 1 / (2 * xp.pi * xp.sqrt(determinant))
    return _both(q, p, xp) + q * p * density * (2 / (1 + q) + 1 / determinant)


def _both(q: Any, p: Any, xp: Any) -> Any:
    """The average of Phi(u) Phi(v)."""
    return _angle(q, p, xp) / (2 * xp.pi) + 0.25


def _angle(q: Any, p: Any, xp: Any) -> Any:
    """arcsin(q p / (1 + q)). The quotient may round to one, but not beyond; its derivatives do not
    come from it, then."""
    if not isinstance(q, Dual) and not isinstance(p, Dual):
        return xp.arcsin(q * p / (1 + q))
    variance, correlation = getattr(q, "value", q), getattr(p, "value", p)
    root = xp.sqrt(_determinant(variance, correlation**2))
    angle = xp.arcsin(variance * correlation / (1 + variance))
    total: Any = 0.0
    if isinstance(p, Dual):
        total = p.scaled(0 * angle, variance / root)
    if isinstance(q, Dual):
        total = q.scaled(0 * angle, correlation / ((1 + variance) * root)) + total
    return total + angle


def _determinant(q: Any, square: Any) -> Any:
    return 1 + 2 * q + q * q * (1 - square)


def sine_covariance(a: float, q: Any, p: Any, xp: Any) -> Any:
    """The law `SINE_COVARIANCE`, for every world a kernel is computed in."""
    if not isinstance(q, Dual) and not isinstance(p, Dual):
        return _sine(a**2 * q, p, xp)
    variance, correlation = getattr(q, "value", q), getattr(p, "value", p)
    c = a**2 * variance
    sine = _sine(c, correlation, xp)
    cosine = generated.cosine_covariance(a, variance, correlation, xp=xp)
    total: Any = 0.0
    if isinstance(p, Dual):
        total = p.scaled(0 * sine, c * cosine)
    if isinstance(q, Dual):
        total = q.scaled(0 * sine, a**2 * (correlation * cosine - sine)) + total
    return total + sine


def _sine(c: Any, p: Any, xp: Any) -> Any:
    """exp(-c) sinh(c p)."""
    if isinstance(p, Jet):
        return _sine_series(c, p)
    if hasattr(xp, "sinh"):  # many digits: nothing overflows
        return xp.exp(-c) * xp.sinh(c * p)
    if not isinstance(xp.one, float):  # many digits with tangents
        return generated.sine_covariance(1.0, c, p, xp=xp)
    size = c * np.abs(p)
    return -np.sign(p) * np.exp(size - c) * np.expm1(-2 * size) / 2


def _sine_series(c: Any, p: Jet) -> Jet:
    r"""The series of s = exp(-c) sinh(c p) and of the cosine C together, which cancels nothing:

    .. math:: s' = c\, p'\, C, \qquad C' = c\, p'\, s
    """
    x = p.coefficients
    sine, cosine = np.empty_like(x), np.empty_like(x)
    size = c * np.abs(x[0])
    grown, fallen = np.exp(size - c), np.expm1(-2 * size)
    sine[0], cosine[0] = -np.sign(x[0]) * grown * fallen / 2, grown * (2 + fallen) / 2
    slopes: Array = (np.arange(len(x)) * c * x.T).T
    for n in range(1, len(x)):
        m = min(n, p.length - 1)
        for one, other in ((sine, cosine), (cosine, sine)):
            one[n] = np.sum(slopes[1 : m + 1] * other[n - m : n][::-1], axis=0) / n
    return Jet(sine)
