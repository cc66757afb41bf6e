"""Averages over spheres and Gaussians by brute quadrature, in mpmath or on dense grids.

Nothing of the library is used: the density of the cosine, the Gegenbauer polynomials and the
Gaussian averages are written out here by other formulas.
"""

from functools import cache

import mpmath
import numpy as np

DIGITS = 30


def gegenbauer(dimension, degree, t):
    """P_l(t), P_l(1) = 1, from the explicit sum over powers (not a recurrence)."""
    if dimension == 2:
        return mpmath.cos(degree * mpmath.acos(t))
    a = mpmath.mpf(dimension - 2) / 2

    def polynomial(x):
        terms = (
            (-1) ** k
            * mpmath.rf(a, degree - k)
            / (mpmath.factorial(k) * mpmath.factorial(degree - 2 * k))
            * (2 * x) ** (degree - 2 * k)
            for k in range(degree // 2 + 1)
        )
        return mpmath.fsum(terms)

    return polynomial(mpmath.mpf(t)) / polynomial(mpmath.mpf(1))


def sphere_average(dimension, function):
    """E[f(t)] over the cosine t of two random points, by mpmath's quad in the angle."""
    with mpmath.workdps(DIGITS):

        def density(theta):
            return mpmath.sin(theta) ** (dimension - 2)

        pieces = [0, mpmath.pi / 2, mpmath.pi]
        above = mpmath.quad(lambda a: density(a) * function(mpmath.cos(a)), pieces)
        return above / mpmath.quad(density, pieces)


def eigenvalue(dimension, degree, kernel):
    """lam_l = E[K(t) P_l(t)]."""
    return sphere_average(dimension, lambda t: kernel(t) * gegenbauer(dimension, degree, t))


@cache
def _normal_grid(points=4001, reach=9.0):
    z = np.linspace(-reach, reach, points)
    weight = np.exp(-(z**2) / 2)
    return z, weight / weight.sum()


def gaussian_pair(f, q, p):
    """E[f(u) f(v)], u and v of variance q and correlation p, f smooth: trapezium in two angles.

    For smooth f the trapezium rule over the whole line converges beyond every power.
    """
    z, w = _normal_grid(501)
    u = np.sqrt(q) * z[:, None]
    v = np.sqrt(q) * (p * z[:, None] + np.sqrt(1 - p**2) * z[None, :])
    return float(w @ (f(u) * f(v)) @ w)


def ramp_pair(q, p, power):
    """E[(u v)^power; u > 0, v > 0] for power 0 or 1, in polar coordinates by mpmath.

    With u = sqrt(q) r cos(a), v = sqrt(q) r cos(a - b), p = cos(b), the radius is done by hand.
    """
    b = mpmath.acos(p)
    radial = mpmath.mpf(1) if power == 0 else 2 * mpmath.mpf(q)

    def angular(a):
        return (mpmath.cos(a) * mpmath.cos(a - b)) ** power

    # both cosines are positive for b - pi/2 < a < pi/2
    return float(
        radial * mpmath.quad(angular, [b - mpmath.pi / 2, mpmath.pi / 2]) / (2 * mpmath.pi)
    )
