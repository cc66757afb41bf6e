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
CONDITION = 1e6  # of a kernel matrix that is inverted as it is
SLOPES = 8  # arrays of (points, points, thirds) alive at once


@dataclass(frozen=True, eq=False)
class Measure:
    """Points, their kernel matrix and their weights, which sum to one.

    values, vectors  eigenvalues of the kernel matrix that are not rounding, rising, and their
                     orthonormal vectors, (points, rank)

    >>> Measure.of(np.eye(2)).weights.tolist()
    [0.5, 0.5]
    """

    kernel: Array
    weights: Array
    values: Array
    vectors: Array

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
        return Measure(
            frozen(K), frozen(given / given.sum()), frozen(values[kept]), frozen(vectors[:, kept])
        )

    @cached_property
    def factor(self) -> Array:
        """(points, rank) F with F F^T = K."""
        return frozen(self.vectors * np.sqrt(self.values))

    @cached_property
    def inverse(self) -> Array | None:
        """K^-1, or None where it would lose too many digits."""
        if len(self.values) < len(self.kernel) or self.values[-1] > CONDITION * self.values[0]:
            return None
        return frozen((self.vectors / self.values) @ self.vectors.T)

    @cached_property
    def modes(self) -> tuple[Array, Array]:
        """Eigenvalues under the measure, falling, and sqrt(mu) phi: (points, points), orthonormal;
        the last ones may have eigenvalue zero."""
        points, mu = self.weights.size, self.weights
        if len(self.values) == points and np.ptp(mu) <= 1e-15:
            return frozen(self.values[::-1] / points), frozen(self.vectors[:, ::-1])
        root = np.sqrt(mu)
        values, vectors = np.linalg.eigh(root[:, None] * self.kernel * root)
        return frozen(np.maximum(values[::-1], 0)), frozen(vectors[:, ::-1])

    def propagator(self, D: Array) -> Array:
        """(K^-1 + D)^-1, or NaN everywhere where it is not positive."""
        from scipy.linalg import LinAlgError, cholesky, solve_triangular

        if self.inverse is not None:
            return inverted(self.inverse + D)
        F = self.factor
        try:
            root = cholesky(np.eye(F.shape[1]) + F.T @ D @ F, lower=True)
        except (LinAlgError, ValueError):
            return np.full_like(self.kernel, np.nan)
        half = solve_triangular(root, F.T, lower=True)
        return np.asarray(half.T @ half)


def inverted(matrix: Array) -> Array:
    """The inverse of a symmetric matrix, which is written over; NaN everywhere unless positive."""
    from scipy.linalg.lapack import dpotrf, dpotri

    if not np.all(np.isfinite(matrix)):
        return np.full_like(matrix, np.nan)
    # symmetric, so the transpose is the matrix in the order of memory that LAPACK can overwrite
    root, failed = dpotrf(matrix.T, lower=1, overwrite_a=1, clean=1)
    if failed:
        return np.full_like(matrix, np.nan)
    half, _ = dpotri(root, lower=1, overwrite_c=1)
    found = half + half.T
    found[np.diag_indices_from(found)] /= 2
    return np.asarray(found)


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

    @property
    def loop_weights(self) -> Array:
        """(points,) eta mu_x t_x^2: what t_x answers to C_xx."""
        return np.asarray(self.samples * self.measure.weights * self.visit**2)

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
    def two(self) -> Array:
        """Words of two samples between different places over `pairs`; zero on the diagonal."""
        return self._two[0]

    @cached_property
    def two_slope(self) -> Array:
        """Its derivative by v."""
        square, gap = self._two[1:]
        return np.asarray(-square * (3 * gap + 2 * square) / (gap * gap))

    @cached_property
    def _two(self) -> tuple[Array, Array, Array]:
        """`two`, v^2 and 1 - v^2 away from the diagonal, where v counts as 0."""
        if self.clusters < 2:
            none = np.zeros_like(self.step)
            return none, none, np.ones_like(none)
        square = self.step * self.step
        np.fill_diagonal(square, 0.0)
        gap = 1 - square
        return -square * self.step / gap, square, gap

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
    def three(self) -> Array | float:
        """Words of three samples between any two places, over `pairs`."""
        if self.clusters < 3:
            return 0.0
        return np.asarray(self.samples * three_apart(self.returns) @ self.thirds.shares)

    @cached_property
    def slopes(self) -> tuple[Array, Array, Array]:
        """The derivatives of `three` by v_xy, by v_xz and by v_yz: (points, points), and two of
        (points, points, thirds)."""
        by = three_apart_slopes(self.returns)
        weight = self.samples * self.thirds.shares
        return by[0] @ weight, by[1] * weight, by[2] * weight

    @cached_property
    def apart(self) -> Array:
        """B, the words between two places."""
        return np.asarray(self.pairs * (self.two + self.three))

    @cached_property
    def back(self) -> Array:
        """(points,) sum_z B_xz C_xz."""
        return np.asarray(np.einsum("xz,xz->x", self.apart, self.propagator))

    @cached_property
    def self_energy(self) -> Array:
        """D."""
        t = self.visit
        local = self.samples * self.measure.weights * t
        if self.clusters == 1:
            return np.diag(local)
        found = self.apart.copy()
        found[np.diag_indices_from(found)] += local - t * self.back + self.same[0]
        return found

    def response(self, moved: Array, ridge: float) -> Array:
        """The first-order change of D when C moves by `moved` and s2 by `ridge`."""
        C, t, own = self.propagator, self.visit, np.diag(moved) + ridge
        local = -self.samples * self.measure.weights * t**2 * own
        if self.clusters == 1:
            return np.diag(local)
        lower = t * own / 2  # -d log sqrt(t)
        both = lower[:, None] + lower
        root = np.sqrt(t)
        v = root[:, None] * moved * root - self.step * both
        words = self.two_slope * v
        if self.clusters == 3:
            first, second, third = self.slopes
            beside = v[:, self.thirds.places]
            words = words + first * v + np.einsum("xyz,xz->xy", second, beside)
            words = words + np.einsum("xyz,yz->xy", third, beside)
        found = self.pairs * words - self.apart * both
        local += t**2 * own * self.back
        local -= t * (np.einsum("xy,xy->x", found, C) + np.einsum("xy,xy->x", self.apart, moved))
        local += self.same[1] * own + self.same[2] * ridge
        found[np.diag_indices_from(found)] += local
        return np.asarray(found)
