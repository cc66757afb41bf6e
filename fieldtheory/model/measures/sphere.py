"""Harmonics on the sphere S^(d-1): multiplicities, Gegenbauer polynomials, quadrature in the angle.

Conventions: |x| = 1, uniform probability measure, t = x.x' = cos(theta), P_l normalised to
P_l(1) = 1, so that sum_m Y_lm(x) Y_lm(x') = deg(l) P_l(t) and E_t[P_l P_l'] = delta_ll' / deg(l).
"""

from collections.abc import Iterator
from functools import cache
from itertools import count
from math import comb
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen

NEAR_EQUATOR = 0.5  # cosines below this: 1 - t^2 loses nothing


@cache
def multiplicity(dimension: int, degree: int) -> int:
    r"""Number of harmonics of one degree, exact.

    .. math:: \deg(l) = \frac{2l+d-2}{l+d-2} \binom{l+d-2}{l}

    >>> [multiplicity(3, l) for l in range(4)], multiplicity(50, 2)
    ([1, 3, 5, 7], 1274)
    """
    d = checks.count("dimension", dimension, least=2)
    l = checks.count("degree", degree)
    below = comb(l + d - 3, l - 2) if l >= 2 else 0
    return comb(l + d - 1, l) - below


def harmonics(dimension: int, t: Any) -> Iterator[Any]:
    r"""P_0(t), P_1(t), P_2(t), ... one after the other, without end, each of the shape of `t`.

    .. math:: (l+d-2) P_{l+1} = (2l+d-2)\, t P_l - l P_{l-1}

    `t` may hold floats, complex numbers or mpmath numbers: only + - * / are used.

    >>> from itertools import islice
    >>> [float(p) for p in islice(harmonics(3, np.float64(0.5)), 3)]
    [1.0, 0.5, -0.125]
    """
    d = checks.count("dimension", dimension, least=2)
    before, now = t * 0 + 1, t * 1
    yield before
    l = 1
    while True:
        yield now
        before, now = now, ((2 * l + d - 2) * t * now - l * before) / (l + d - 2)
        l += 1


def legendre(dimension: int, degrees: int, t: Any) -> Array:
    """P_0 .. P_degrees at `t`, stacked along a new first axis: shape (degrees + 1, *t.shape).

    >>> legendre(2, 2, np.array([1.0, 0.0])).tolist()
    [[1.0, 1.0], [1.0, 0.0], [1.0, -1.0]]
    """
    t = np.asarray(t, dtype=float)
    stack = np.empty((degrees + 1, *t.shape))
    for l, p in zip(range(degrees + 1), harmonics(dimension, t), strict=False):
        stack[l] = p
    return stack


def zonal(dimension: int, coefficients: Array, t: Any) -> Any:
    """The function sum_l coefficients[l] P_l(t), of the shape and kind of `t` (see `harmonics`)."""
    total = t * 0
    for a, p in zip(coefficients, harmonics(dimension, t), strict=False):
        total += a * p
    return total


@cache
def angles(points: int) -> Array:
    """Clenshaw-Curtis nodes theta in [0, pi]: `points` + 1; every second one is a coarser rule.

    Kernels of networks are analytic in theta up to the ends, even where they are singular in t,
    so the rule converges geometrically.
    """
    return frozen(np.pi / 2 * (1 - np.cos(np.pi * np.arange(points + 1) / points)))


@cache
def cosines(points: int) -> Array:
    """The cosines of `angles(points)`, each to rounding, however close it is to zero: in high
    dimension all that matters is there, and an angle of pi/2 has digits to lose."""
    return frozen(np.sin(np.pi / 2 * np.sin(np.pi / 2 * (1 - 2 * np.arange(points + 1) / points))))


def smooth(least: int) -> int:
    """The smallest whole number from `least` on with no prime factor above 5: Fourier transforms
    of any other length are slower, and lose digits.

    >>> smooth(263)
    270
    """
    for found in count(least):
        rest = found
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            break
    return found


@cache
def weights(dimension: int, points: int) -> Array:
    r"""Weights of the uniform measure at `angles(points)`, summing to one.

    .. math:: E_t[F] = \int_0^\pi F(\cos\theta) \sin^{d-2}\theta \, d\theta \Big/
              \int_0^\pi \sin^{d-2}\theta \, d\theta
    """
    j = np.arange(points + 1)
    moments = np.zeros(points + 1)
    moments[::2] = 2 / (1 - j[::2] ** 2.0)
    around = np.concatenate([moments, moments[-2:0:-1]])  # even: a cosine transform
    rule = np.fft.rfft(around).real / points
    rule[[0, -1]] /= 2
    rule = rule * _density(dimension, np.sin(angles(points)), cosines(points))
    rule[[0, -1]] = rule[[0, -1]] if dimension == 2 else 0.0  # sin(pi) is not exactly zero
    return frozen(rule / rule.sum())


@cache
def equal_angles(dimension: int, points: int) -> tuple[Array, Array]:
    r"""Nodes k pi / `points` inside (0, pi), and their weights: for `dimension` of some twenty on.

    The measure vanishes like :math:`\theta^{d-2}` at the ends, so that by Euler and Maclaurin
    equal steps err by h^(d-1) at most, and by less than any power where Gaussian sums do: half as
    many nodes as `angles` do the same.
    """
    theta = np.pi * np.arange(1, points) / points
    density = _density(dimension, np.sin(theta), np.cos(theta))
    return frozen(theta), frozen(density / density.sum())


def _density(dimension: int, sine: Array, cosine: Array) -> Array:
    """sin(theta)^(d - 2). Around the equator, where high powers live, from the cosine: the power
    would raise the rounding of a sine d times, and the cosine is small there."""
    flat = np.where(np.abs(cosine) < NEAR_EQUATOR, cosine, 0.0)
    near: Array = np.exp((dimension - 2) / 2 * np.log1p(-(flat**2)))
    return np.where(flat != 0, near, sine ** (dimension - 2))
