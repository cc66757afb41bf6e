"""Spectra of fully connected networks by plain recursion in complex numbers.

Complex variances make every derivative a complex step, exact to rounding. The 2x2 Gaussian
averages are written out for ReLU and erf, and integrated for tanh; the projection is a
Gauss-Legendre rule in the angle with Gegenbauer polynomials from their sum over powers.
"""

import math

import numpy as np

from tests.oracles.gaussians import pair


def relu_pair(q, c):
    p = c / q
    angle = np.arccos(p)
    return q * (np.sqrt(1 - p * p) + p * (np.pi - angle)) / (2 * np.pi), (np.pi - angle) / (
        2 * np.pi
    )


def relu_same(q):
    return q / 2, 0.5


def erf_pair(q, c):
    root = (1 + 2 * q) ** 2 - 4 * c * c
    return 2 / np.pi * np.arcsin(2 * c / (1 + 2 * q)), 4 / np.pi / np.sqrt(root)


def erf_same(q):
    return erf_pair(q, q)


def tanh_pair(q, c):
    def slope(z):
        return 1 / np.cosh(z) ** 2

    c = np.atleast_1d(c)
    values = [pair(np.tanh, q + 0j, each / q) for each in c]
    slopes = [pair(slope, q + 0j, each / q) for each in c]
    return np.array(values), np.array(slopes)


def tanh_same(q):
    values, slopes = tanh_pair(q, q)
    return values[0], slopes[0]


PAIRS = {
    "relu": (relu_pair, relu_same),
    "erf": (erf_pair, erf_same),
    "tanh": (tanh_pair, tanh_same),
}


def kernel(t, *, activation, weights, biases, first, tangent=True):
    """Tangent kernel (or covariance) at cosines t and at one; variances layer by layer."""
    two, one = PAIRS[activation]
    c, q = weights[0] * t * first + biases[0], weights[0] * first + biases[0]
    theta, top = c, q
    for w, b in zip(weights[1:], biases[1:], strict=True):
        value, slope = two(q, c)
        same, same_slope = one(q)
        c, q = w * value + b, w * same + b
        theta, top = c + theta * w * slope, q + top * w * same_slope
    return (theta, top) if tangent else (c, q)


def gegenbauer(d, degree, t):
    a = (d - 2) / 2
    total = 0.0 * t
    for k in range(degree // 2 + 1):
        sign = (-1) ** k / (math.factorial(k) * math.factorial(degree - 2 * k))
        total = total + sign * math.gamma(degree - k + a) / math.gamma(a) * (2 * t) ** (
            degree - 2 * k
        )
    return total


def eigenvalues(d, degrees, function, nodes=200):
    """E[K(t) P_l(t)] for l = 0 .. degrees; d at least 3."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    theta = (x + 1) * np.pi / 2
    w = w * np.sin(theta) ** (d - 2)
    w /= w.sum()
    t = np.cos(theta)
    values = function(t)
    ends = [gegenbauer(d, l, np.array(1.0)) for l in range(degrees + 1)]
    return np.array([w @ (values * gegenbauer(d, l, t)) / ends[l] for l in range(degrees + 1)])
