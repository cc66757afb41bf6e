r"""Quadrature and interpolation in the angle between two samples on the sphere.

One fine grid theta in (0, pi), without its ends: at theta = 0 two samples coincide, and without a
ridge the sums over their visits are singular there, term by term. The grid is equidistant in
arccos(1 - 2 theta/pi), so that it is dense near both ends and interpolation is a moving stencil.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from fieldtheory.ground.arrays import Array, frozen

STENCIL = 6  # points of the grid that interpolate at any angle
Indices = np.ndarray[tuple[int, ...], np.dtype[np.intp]]


def colatitudes(points: int) -> Array:
    """Nodes theta of Fejer's first rule in (0, pi), equidistant in arccos(1 - 2 theta / pi)."""
    turn = np.pi * (np.arange(points) + 0.5) / points
    return np.asarray(np.pi / 2 * (1 - np.cos(turn)))


@cache
def measure(dimension: int, points: int) -> Array:
    """Weights of the uniform measure on the sphere at `colatitudes(points)`; their sum is one."""
    from scipy.fft import dct

    moments = np.zeros(points)
    moments[::2] = 2 / (1 - np.arange(0, points, 2) ** 2.0)
    logarithm = np.log(np.sin(colatitudes(points)))
    rule = dct(moments, type=3) * np.exp((dimension - 2) * (logarithm - logarithm.max()))
    return frozen(rule / rule.sum())


def rests(dimension: int, degrees: int, theta: Array) -> Array:
    """1 - P_l(cos theta) for l < `degrees`, (degrees, *theta.shape), each to relative accuracy.

    >>> rests(3, 3, np.array([np.pi / 2])).round(12).tolist()
    [[0.0], [1.0], [1.5]]
    """
    found = np.zeros((degrees, *theta.shape))
    first = 2 * np.sin(theta / 2) ** 2
    if degrees > 1:
        found[1] = first
    for l in range(1, degrees - 1):
        step = (2 * l + dimension - 2) * (first + np.cos(theta) * found[l])
        found[l + 1] = (step - l * found[l - 1]) / (l + dimension - 2)
    return found


@lru_cache(maxsize=4)
def rests_on_grid(dimension: int, degrees: int, points: int) -> Array:
    """`rests` at `colatitudes(points)`; the last few grids are kept, for a curve asks again."""
    return frozen(rests(dimension, degrees, colatitudes(points)))


@lru_cache(maxsize=4)
def half_rests_on_grid(dimension: int, degrees: int, points: int) -> tuple[Array, Array]:
    """`rests` of even and of odd degrees on the first half of `colatitudes(points)`.

    The second half follows from P_l(-t) = (-1)^l P_l(t)."""
    half = rests(dimension, degrees, colatitudes(points)[: points // 2])
    return frozen(half[::2].copy()), frozen(half[1::2].copy())


def gauss(nodes: Array, weights: Array, points: int) -> tuple[Array, Array]:
    """The Gauss rule of `points` nodes for a discrete measure: Lanczos, then Golub and Welsch.

    >>> nodes, weights = gauss(np.linspace(0, 1, 101), np.ones(101), 3)
    >>> nodes.round(4).tolist(), round(float(weights @ nodes**5), 6)
    ([0.1089, 0.5, 0.8911], 17.170833)
    """
    return _rule(*_lanczos(nodes, weights, points))


def interlaced(nodes: Array, weights: Array, points: int) -> list[tuple[Array, Array]]:
    """The Gauss rules of `points` nodes and of one more: the nodes of one lie between those of the
    other."""
    diagonal, beside, mass = _lanczos(nodes, weights, points + 1)
    return [_rule(diagonal[:-1], beside[:-1], mass), _rule(diagonal, beside, mass)]


def _lanczos(nodes: Array, weights: Array, points: int) -> tuple[Array, Array, float]:
    """The recurrence of the measure's orthogonal polynomials, and its mass."""
    inside = np.flatnonzero(weights > 0)
    x, mass = nodes[inside], float(np.sum(weights))
    basis = np.zeros((points + 1, x.size))
    basis[0] = np.sqrt(weights[inside] / mass)
    diagonal, beside = np.zeros(points), np.zeros(points)
    for k in range(points):
        diagonal[k] = basis[k] ** 2 @ x
        rest = x * basis[k]
        for _ in range(2):  # twice is enough
            rest -= basis[: k + 1].T @ (basis[: k + 1] @ rest)
        beside[k] = np.linalg.norm(rest)
        basis[k + 1] = rest / beside[k]
    return diagonal, beside, mass


def _rule(diagonal: Array, beside: Array, mass: float) -> tuple[Array, Array]:
    from scipy.linalg import eigh_tridiagonal

    found, vectors = eigh_tridiagonal(diagonal, beside[:-1])
    return np.asarray(found), np.asarray(mass * vectors[0] ** 2)


@cache
def azimuths(dimension: int, points: int) -> tuple[Array, Array]:
    """Nodes sin^2(psi/2) and weights of an angle on S^(dimension - 2); on the circle, two sides."""
    from scipy.linalg import eigh_tridiagonal

    if dimension == 2:
        return frozen([0.0, 1.0]), frozen([0.5, 0.5])
    k, order = np.arange(1.0, points), (dimension - 3) / 2
    beside = np.full(points - 1, np.sqrt(1 / (2 * (1 + order))))
    k = k[1:]
    beside[1:] = np.sqrt(k * (k + 2 * order - 1) / (4 * (k + order) * (k + order - 1)))
    cosines, vectors = eigh_tridiagonal(np.zeros(points), beside)
    return frozen((1 - cosines) / 2), frozen(vectors[0] ** 2)


@dataclass(frozen=True, eq=False)
class Stencil:
    """Interpolation on the grid of `crossing.colatitudes`, equidistant in arccos(1 - 2 theta/pi)
    and even about both ends: for each target the indices and weights of `STENCIL` grid points."""

    indices: Indices
    weights: Array

    @staticmethod
    def at(theta: Array, points: int) -> "Stencil":
        place = 2 * np.arcsin(np.sqrt(theta / np.pi)) * points / np.pi - 0.5
        first = np.floor(place).astype(np.intp) - (STENCIL // 2 - 1)
        offset = place - first
        steps = np.arange(STENCIL)
        weights = np.ones((STENCIL, *theta.shape))
        for j in steps:
            for k in steps[steps != j]:
                weights[j] *= (offset - k) / (j - k)
        indices = first + steps.reshape(-1, *[1] * theta.ndim)
        indices = np.where(indices < 0, -1 - indices, indices)
        indices = np.where(indices >= points, 2 * points - 1 - indices, indices)
        return Stencil(indices, weights)

    def __call__(self, values: Array) -> Array:
        """Interpolated values, of the shape of the targets."""
        found = self.weights[0] * values[self.indices[0]]
        for j in range(1, STENCIL):
            found += self.weights[j] * values[self.indices[j]]
        return np.asarray(found)

    def collected(self, values: Array, points: int) -> Array:
        """Its transpose, kept apart along the first axis of the targets: (first axis, points)."""
        rows = len(values)
        row = np.arange(rows).reshape(-1, *[1] * (values.ndim - 1)) * points
        found = np.zeros(rows * points)
        for j in range(STENCIL):
            weighted = (self.weights[j] * values).ravel()
            found += np.bincount((row + self.indices[j]).ravel(), weighted, rows * points)
        return found.reshape(rows, points)

    def matrix(self, points: int) -> Array:
        """Itself, of a single axis of targets: (targets, points)."""
        return self.collected(np.ones(self.indices.shape[1]), points)

    def swapped(self) -> "Stencil":
        """The same with the first two axes of the targets exchanged."""
        return Stencil(self.indices.swapaxes(1, 2), self.weights.swapaxes(1, 2))
