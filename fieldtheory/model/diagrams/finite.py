r"""Crossing diagrams on a finite measure: real data, or any set of points with weights.

Samples are drawn from P points, with replacement, point x with probability mu_x. The average
propagator is a matrix, C = (K^-1 + D)^-1, and every sample place has its own T-matrix:

.. math:: t_x = \frac{1}{s_2 + C_{xx}}, \qquad v_{xy} = \sqrt{t_x t_y}\, C_{xy}, \qquad
          D_{xy} = \delta_{xy} \Bigl( \eta \mu_x t_x - t_x \sum_z B_{xz} C_{xz} \Bigr) + B_{xy}

B sums the crossing-connected words from a sample at x to another at y,

.. math:: B_{xy} = \eta^2 \mu_x \mu_y \sqrt{t_x t_y} \Bigl[ -\frac{v_{xy}^3}{1 - v_{xy}^2}
          + \eta \sum_z \mu_z w(v_{xy}, v_{xz}, v_{yz}) + \dots \Bigr]

with w of `cluster.three_apart`, and the sum over z, words that come back to x (see `crossing`).
Two samples at one place, x = y, are included; their terms of both sums are taken together, which
is finite without a ridge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.diagrams.cluster import Returns, three_apart, three_apart_slopes
from fieldtheory.model.diagrams.colatitude import Indices

MEMORY = 2e9  # bytes that the third samples may take
SLOPES = 8  # arrays of (points, points, thirds) alive at once


@dataclass(frozen=True, eq=False)
class Measure:
    """Points, their kernel matrix and their weights, which sum to one.

    >>> Measure.of(np.eye(2)).weights.tolist()
    [0.5, 0.5]
    """

    kernel: Array
    weights: Array
    factor: Array  # F F^T = kernel, without its null space

    @staticmethod
    def of(kernel: Array, weights: Array | None = None) -> "Measure":
        """Raises `InvalidInput` unless `kernel` is symmetric and not negative, and the weights are
        one for each point and none negative."""
        K = np.array(kernel, dtype=float)
        if K.ndim != 2 or K.shape[0] != K.shape[1] or not np.all(np.isfinite(K)):
            raise InvalidInput(
                f"kernel has shape {K.shape}: give a finite square matrix, points by points"
            )
        points, size = len(K), float(np.max(np.abs(K)))
        given = np.full(points, 1 / points) if weights is None else checks.powers("mu", weights)
        if given.size != points or not given.sum() > 0:
            raise InvalidInput(
                f"{given.size} weights of sum {given.sum():g} for {points} points: give one for "
                "each, not all zero"
            )
        if np.max(np.abs(K - K.T)) > 1e-10 * size:
            raise InvalidInput("kernel is not symmetric: give k(x, y) for all pairs of points")
        K = (K + K.T) / 2
        values, vectors = np.linalg.eigh(K)
        if values[0] < -1e-10 * points * size or values[-1] <= 0:
            raise InvalidInput(
                f"kernel has eigenvalues from {values[0]:.2e} to {values[-1]:.2e}: none may be "
                "negative, and not all zero"
            )
        kept = values > 1e-15 * points * values[-1]
        factor = vectors[:, kept] * np.sqrt(values[kept])
        return Measure(frozen(K), frozen(given / given.sum()), frozen(factor))

    def propagator(self, D: Array) -> Array:
        """(K^-1 + D)^-1, or NaN everywhere where it is not positive."""
        from scipy.linalg import LinAlgError, cholesky, solve_triangular

        F = self.factor
        try:
            root = cholesky(np.eye(F.shape[1]) + F.T @ D @ F, lower=True)
        except (LinAlgError, ValueError):
            return np.full_like(self.kernel, np.nan)
        half = solve_triangular(root, F.T, lower=True)
        return np.asarray(half.T @ half)


@dataclass(frozen=True, eq=False)
class Thirds:
    """The places of the third samples and the share of each, which sum to one; empty without
    three-sample words."""

    places: Indices
    shares: Array

    @staticmethod
    def of(measure: Measure, clusters: int, chosen: Sequence[int] | None) -> "Thirds":
        """Every point with its weight, or `chosen` ones, drawn with these weights."""
        points = measure.weights.size
        if clusters < 3:
            return Thirds(np.arange(0), frozen([]))
        places = np.arange(points) if chosen is None else np.array(chosen, dtype=np.intp)
        if places.ndim != 1 or not places.size or places.min() < 0 or places.max() >= points:
            raise InvalidInput(
                f"thirds of shape {places.shape}: give indices of points, 0 to {points - 1}"
            )
        needed = SLOPES * 8.0 * points**2 * places.size
        if needed > MEMORY:
            most = int(MEMORY / (SLOPES * 8.0 * points**2))
            raise OutOfRegime(
                f"three-sample diagrams on {points} points and {places.size} third places take "
                f"{needed / 1e9:.0f} GB, allowed are {MEMORY / 1e9:.0f}: give `thirds`, at most "
                f"{most} indices drawn at random, or clusters = 2"
            )
        if chosen is None:
            return Thirds(places, measure.weights)
        return Thirds(places, frozen(np.full(places.size, 1 / places.size)))


@dataclass(frozen=True, eq=False)
class Words:
    """The dressed propagator at one mean number of samples, and the words on it."""

    measure: Measure
    samples: float
    ridge: float
    propagator: Array
    clusters: int
    thirds: Thirds

    @cached_property
    def visit(self) -> Array:
        """(points,) t_x."""
        return np.asarray(1 / (self.ridge + np.diag(self.propagator)))

    @cached_property
    def step(self) -> Array:
        """(points, points) v_xy."""
        root = np.sqrt(self.visit)
        return np.asarray(root[:, None] * self.propagator * root)

    @cached_property
    def pairs(self) -> Array:
        """(points, points) eta^2 mu_x mu_y sqrt(t_x t_y)."""
        one = self.samples * self.measure.weights * np.sqrt(self.visit)
        return np.asarray(one[:, None] * one)

    @cached_property
    def returns(self) -> Returns:
        """Steps between x, y and the third samples: (points, points, thirds)."""
        gap, places = 1 - self.step, self.thirds.places
        return Returns.of(gap[:, :, None], gap[:, None, places], gap[None, :, places])

    @cached_property
    def two(self) -> tuple[Array, Array]:
        """Words of two samples between different places over `pairs`, and their slope in v; zero
        on the diagonal."""
        v = self.step * (self.clusters > 1)
        v = v - np.diag(np.diag(v))
        square = 1 - v**2
        return -(v**3) / square, -(v**2) * (3 * square + 2 * v**2) / square**2

    @cached_property
    def same(self) -> tuple[Array, Array, Array]:
        """The part of D_xx of two samples at one place, its slope in 1/t_x, and what the ridge
        adds to that by leaving C_xx alone."""
        t, v = self.visit, np.diag(self.step)
        weight = (self.clusters > 1) * (self.samples * self.measure.weights) ** 2
        beside = weight * t**2 * v**2 * (3 + 2 * v) / (1 + v) ** 2
        words = -weight * t * v**3 / (1 + v)
        return words, -t * words - (1 - v) * beside, beside

    @cached_property
    def three(self) -> Array:
        """Words of three samples between any two places, over `pairs`."""
        if self.clusters < 3:
            return np.zeros_like(self.step)
        return np.asarray(self.samples * three_apart(self.returns) @ self.thirds.shares)

    @cached_property
    def slopes(self) -> tuple[Array, Array, Array]:
        """The derivatives of `three` by v_xy, by v_xz and by v_yz: (points, points), and two of
        (points, points, thirds)."""
        by = three_apart_slopes(self.returns)
        weight = self.samples * self.thirds.shares
        return by[0] @ weight, by[1] * weight, by[2] * weight

    @cached_property
    def self_energy(self) -> Array:
        """D."""
        C, t = self.propagator, self.visit
        apart = self.pairs * (self.two[0] + self.three)
        local = self.samples * self.measure.weights * t - t * np.sum(apart * C, axis=1)
        return np.asarray(np.diag(local + self.same[0]) + apart)

    def response(self, moved: Array, ridge: float) -> Array:
        """The first-order change of D when C moves by `moved` and s2 by `ridge`."""
        C, t, own = self.propagator, self.visit, np.diag(moved) + ridge
        both = (t * own)[:, None] + t * own  # -2 d log sqrt(t_x t_y)
        root = np.sqrt(t)
        v = root[:, None] * moved * root - self.step * both / 2
        words = self.two[1] * v
        if self.clusters == 3:
            first, second, third = self.slopes
            beside = v[:, self.thirds.places]
            words = words + first * v + np.einsum("xyz,xz->xy", second, beside)
            words = words + np.einsum("xyz,yz->xy", third, beside)
        before = self.pairs * (self.two[0] + self.three)
        apart = self.pairs * words - before * both / 2
        local = -self.samples * self.measure.weights * t**2 * own
        local += t**2 * own * np.sum(before * C, axis=1)
        local -= t * np.sum(apart * C + before * moved, axis=1)
        local += self.same[1] * own + self.same[2] * ridge
        return np.asarray(np.diag(local) + apart)
