"""The non-linearities as functions on arrays, and their slopes; nothing about averages.

SciPy is imported where it is used: numeric verbs that never touch a finite network should not pay
for it.
"""

from collections.abc import Callable
from math import sqrt

import numpy as np

from fieldtheory.ground.arrays import Array


def relu(z: Array) -> Array:
    """max(0, z)."""
    return np.maximum(z, 0.0)


def step(z: Array) -> Array:
    """1 for z > 0, else 0."""
    return (z > 0).astype(np.float64)


def erf(z: Array) -> Array:
    """The error function."""
    from scipy.special import erf as function

    values: Array = function(z)
    return values


def erf_slope(z: Array) -> Array:
    """2 exp(-z^2) / sqrt(pi)."""
    slopes: Array = 2.0 / np.sqrt(np.pi) * np.exp(-np.square(z))
    return slopes


def gelu(z: Array) -> Array:
    """z Phi(z), Phi the cumulative normal distribution."""
    from scipy.special import ndtr

    values: Array = z * ndtr(z)
    return values


def gelu_slope(z: Array) -> Array:
    """Phi(z) + z Phi'(z)."""
    from scipy.special import ndtr

    slopes: Array = ndtr(z) + z * np.exp(-np.square(z) / 2) / np.sqrt(2 * np.pi)
    return slopes


def tanh_slope(z: Array) -> Array:
    """1 / cosh(z)^2; 1 - tanh(z)^2 would lose its digits far out."""
    fallen = np.exp(-2 * np.abs(z))
    slopes: Array = 4 * fallen / np.square(1 + fallen)
    return slopes


def hermite(degree: int) -> Callable[[Array], Array]:
    """He_n(z) / sqrt(n!), and 0 for n = -1.

    >>> hermite(2)(np.array([0.0, 1.0, 3.0])).round(6).tolist()
    [-0.707107, 0.0, 5.656854]
    """

    def function(z: Array) -> Array:
        before, now = 0.0 * z, 0.0 * z + (degree >= 0)
        for k in range(degree):
            before, now = now, (z * now - sqrt(k) * before) / sqrt(k + 1)
        return now

    return function
