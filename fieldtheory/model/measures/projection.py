r"""Projecting a zonal kernel on harmonics, in float64: two roads that share only the kernel.

Both integrate over the angle theta by Clenshaw-Curtis (`sphere.angles`), which converges
geometrically for kernels of networks, ReLU included, and double the nodes until halving them
changes nothing beyond rounding.

`by_series` integrates by parts l times (Rodrigues' formula), which leaves the l-th Taylor
coefficient a_l(t) of the kernel:

.. math:: \lambda_l = \prod_{j=1}^{l} \frac{j}{d - 3 + 2j} \; E_t[a_l(t) (1 - t^2)^l]

For positive kernels nearly all terms have one sign, so every eigenvalue keeps its relative
accuracy, however small. Cost: degrees^2 per node.

`by_harmonics` is the definition, :math:`\lambda_l = E_t[K(t) P_l(t)]`. Its rounding is relative to
K(1) / sqrt(multiplicity), which an eigenvalue of high degree falls far below. Cost: degrees per
node, so it serves the thousands of degrees that low dimensions need.

The rounding of either includes what the kernel's own formula loses where correlations are close to
one (deep networks): it is computed once more with every correlation a few roundings lower.
"""

from collections.abc import Callable
from math import sqrt
from types import SimpleNamespace

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.averages.jet import JET, Jet
from fieldtheory.model.kernel import REAL, Kernel
from fieldtheory.model.measures.sphere import (
    angles,
    cosines,
    equal_angles,
    harmonics,
    smooth,
    weights,
)

EPS = float(np.finfo(float).eps)
UNDERFLOW = 1e-150  # what is smaller than this part of K(1) has no square
NUDGE = 16 * EPS  # the rounding of a correlation, relative
POINTS_AT_MOST = 2**15
ROWS = 16  # degrees at a time, which stay in the processor's cache; even
EQUAL_FROM = 20  # the dimension from which equal steps in the angle are the better rule
Projections = tuple[Array, Array, Array]  # eigenvalues, bound on rounding, change on halving


def by_series(kernel: Kernel, dimension: int, last: int) -> tuple[Array, Array]:
    """Eigenvalues 0 .. last by Rodrigues' formula, and a bound on the error of each."""
    width = sqrt(dimension + 2 * last)  # one over that of the narrowest integrand
    points = 4 * int(2 * width if dimension >= EQUAL_FROM else 16 + 3 * width)
    return _refined(_series, kernel, dimension, last, points)


def by_harmonics(kernel: Kernel, dimension: int, last: int) -> tuple[Array, Array]:
    """Eigenvalues 0 .. last by their definition, and a bound on the error of each."""
    points = 4 * smooth(64 + last + int(sqrt(dimension)))
    return _refined(_harmonics, kernel, dimension, last, points)


def _refined(
    project: Callable[[Kernel, int, int, int], Projections],
    kernel: Kernel,
    dimension: int,
    last: int,
    points: int,
) -> tuple[Array, Array]:
    """Double the nodes until halving changes no more than rounding, or hardly less than before.

    The second stop is for kernels so steep near t = 1 that 1 - p^2 itself has lost digits there:
    more nodes do not help, and the change is then the honest error. Infinite errors mean that the
    kernel was not finite at the nodes.
    """
    lam, error, before = np.zeros(last + 1), np.full(last + 1, np.inf), np.inf
    while points <= POINTS_AT_MOST:
        finer, rounding, change = project(kernel, dimension, last, points)
        if not np.all(np.isfinite(finer)):
            break
        lam, error = finer, rounding + change
        worst = float(np.max(change / (rounding + np.finfo(float).tiny)))
        if worst <= 4 or worst > before / 8:
            break
        before = worst
        points *= 2
    return lam, error


def _nudged(world: SimpleNamespace) -> SimpleNamespace:
    """A world in which correlations come out a few roundings lower."""
    lower = {"clip": lambda p, *ends: world.clip(p, *ends) * (1 - NUDGE)}
    return SimpleNamespace(**{**vars(world), **lower})


def _series(kernel: Kernel, dimension: int, last: int, points: int) -> Projections:
    theta, w = _inside(dimension, points)
    half, quarter = np.zeros_like(w), np.zeros_like(w)
    half[1::2] = _inside(dimension, points // 2)[1]
    quarter[3::4] = _inside(dimension, points // 4)[1]
    with np.errstate(all="ignore"):  # what is not finite is judged by the caller
        t, slope, few = np.cos(theta), np.sin(theta) ** 2, slice(3, None, 4)
        terms = kernel.function(Jet.variable(t, slope, last), JET).coefficients
        lower = Jet.variable(t[few] * (1 - NUDGE), slope[few], last)
        shaken = kernel.function(lower, _nudged(JET)).coefficients - terms[:, few]
    j = np.arange(1, last + 1)
    factor = np.concatenate([[1.0], np.cumprod(j / (dimension - 3 + 2.0 * j))])
    lam = factor * (terms @ w)
    rounding = (64 + dimension / 64 + 4 * np.arange(last + 1)) * EPS * factor * (np.abs(terms) @ w)
    rounding += factor * np.abs(shaken @ quarter[few])
    return lam, rounding, np.abs(lam - factor * (terms @ half))


def _inside(dimension: int, points: int) -> tuple[Array, Array]:
    """Nodes and weights without the ends, which carry no weight and are where kernels are
    singular; every second node is one of half as many."""
    if dimension >= EQUAL_FROM:
        return equal_angles(dimension, points)
    return angles(points)[1:-1], weights(dimension, points)[1:-1]


def _harmonics(kernel: Kernel, dimension: int, last: int, points: int) -> Projections:
    t, w = cosines(points), weights(dimension, points)
    scale = abs(float(kernel(1.0))) or 1.0  # in parts of it, squares are floats
    values = kernel(t) / scale
    fine, square = w * values, w * values**2
    half = weights(dimension, points // 2)
    coarse, shaken = np.zeros_like(w), np.zeros_like(w)  # every second node
    coarse[::2] = half * values[::2]
    shaken[::2] = half * kernel.function(t[::2] * (1 - NUDGE), _nudged(REAL)) / scale - coarse[::2]
    # nodes are even about t = 0, and so is every second harmonic: half of them are enough
    middle = np.where(np.arange(points // 2 + 1) < points // 2, 1.0, 0.5)[:, None]
    straight = np.stack([fine, coarse, shaken], axis=1)
    squared = np.stack([square, shaken**2], axis=1)
    there, back = slice(points // 2 + 1), slice(None, points // 2 - 1, -1)
    sides = [middle * (straight[there] + sign * straight[back]) for sign in (1, -1)]
    both = middle * (squared[there] + squared[back])
    sums, degrees = np.zeros((last + 1, 5)), harmonics(dimension, t[there])
    p = np.empty((ROWS, both.shape[0]))
    for first in range(0, last + 1, ROWS):
        rows = sums[first : first + ROWS]
        for k in range(len(rows)):
            p[k] = next(degrees)
        for parity, side in enumerate(sides):
            rows[parity::2, :3] = p[parity : len(rows) : 2] @ side
        rows[:, 3:] = p[: len(rows)] ** 2 @ both
    value, coarser, shift, spread, random = sums.T * scale
    loss = np.abs(shift) + np.sqrt(random * scale)  # of one sign where it matters, or random
    bound = (4 + dimension / 64 + np.arange(last + 1) / 4) * EPS * np.sqrt(spread * scale)
    return value, bound + loss + UNDERFLOW * scale, np.abs(value - coarser)
