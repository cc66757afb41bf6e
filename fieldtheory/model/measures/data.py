r"""The spectrum of a kernel on a data set, and what a finite sample does to it.

P inputs x_a stand for the measure they were drawn from. The modes of the *sample* solve

.. math:: \frac{1}{P} \sum_b K(x_a, x_b) \phi_i(x_b) = \ell_i \phi_i(x_a), \qquad
          \frac{1}{P} \sum_a \phi_i(x_a) \phi_j(x_a) = \delta_{ij}

If training sets are drawn from these P points themselves, this is the whole truth. As an estimate
of the modes lam_i of the population it errs in two ways, both of which are stated:

- chance: an eigenvalue apart from the others has the standard error
  lam_i sqrt((E[phi_i^4] - 1) / P); k that coincide spread by lam sqrt(k / P), their mean does not;
- bias: large eigenvalues push and are pushed. To first order in 1/P

.. math:: E[\ell_i] = \lambda_i \Bigl(1 + \frac{1}{P} \sum_{j \ne i}
          \frac{\lambda_j}{\lambda_i - \lambda_j}\Bigr)

so that listed eigenvalues are too large at the top and too small at the bottom; of the modes below
about trace / P nothing is left but their sum. `DataSpectrum.corrected` takes the bias away: with
mu_i the zeros of sum_k l_k / (l_k - mu) = P, one below each l_i,

.. math:: \hat\lambda_i = P (\ell_i - \mu_i), \qquad \sum_i \hat\lambda_i = \sum_i \ell_i,

an estimate that is positive, keeps the trace, and tends to the population's (averaged over modes
that coincide there) when P grows together with the number of modes: Mestre 2008, IEEE Trans. Inf.
Theory 54, 5113. It rests on features as independent as Gaussian ones; on a sphere the mean over a
degree needs no such assumption at first order, by the addition theorem.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.measures.gram import (
    MEMORY,
    Model,
    Pairs,
    affordable,
    blocks,
    gram,
    pairs_of,
    points,
)
from fieldtheory.model.modes import SHOWN, Modes, aligned

EPS = float(np.finfo(float).eps)
SYMMETRIC = 1e-10  # how far a matrix may be from its transpose, relative
NEGATIVE = 1e-8  # how far below zero an eigenvalue may be for rounding's sake, relative
ROUND = 32  # landmarks taken at a time
BISECTIONS = 80
WHOLE = 20  # bytes for each pair of points, the matrix and its decomposition
ZERO = "the kernel matrix is zero: such a kernel learns nothing. Check the function or the matrix"


@dataclass(frozen=True, eq=False)
class DataSpectrum(Pictured, Printed):
    """The modes of a kernel on P points.

    modes      eigenvalues l_i of K / P, falling; their errors are numerical, the points being given
    functions  (points, modes) phi_i at every point, of mean square one

    >>> linear = lambda a, b, c: c
    >>> found = empirical_spectrum(linear, [[2.0, 1.0], [2.0, -1.0]])
    >>> found.eigenvalues.round(12).tolist(), found.power([3.0, 1.0]).round(12).tolist()
    ([4.0, 1.0], [4.0, 1.0])
    """

    modes: Modes
    functions: Array

    def __post_init__(self) -> None:
        functions = frozen(self.functions)
        if functions.ndim != 2 or functions.shape[1] != self.eigenvalues.size:
            raise InvalidInput(
                f"functions of shape {functions.shape} for {self.eigenvalues.size} eigenvalues: "
                "give one column for each"
            )
        object.__setattr__(self, "functions", functions)

    @property
    def points(self) -> int:
        """P."""
        return int(self.functions.shape[0])

    @property
    def eigenvalues(self) -> Array:
        """(modes,) l_i, falling."""
        return self.modes.eigenvalues

    @property
    def tail(self) -> float:
        """The mean of K(x, x) minus the listed eigenvalues."""
        return self.modes.tail

    @cached_property
    def standard_errors(self) -> Array:
        """(modes,) of l_i as an estimate of the population's, for a mode apart from the others."""
        fourth = np.mean(self.functions**4, axis=0)
        return frozen(self.eigenvalues * np.sqrt(np.maximum(fourth - 1, 0) / self.points))

    def corrected(self, groups: Sequence[int] | None = None) -> Array:
        """The population's eigenvalues as this sample has them, without the bias of a finite P.

        groups  how many successive modes coincide in the population; each group gets its mean.
                Left out, every mode is its own, which neighbours that nearly coincide make noisy

        Raises `InvalidInput` for groups that are not as many modes as are listed.
        """
        estimates = self.points * _gaps(self.eigenvalues, self.tail, self.points)
        if groups is None:
            return frozen(estimates)
        sizes = [checks.count("group", size, least=1) for size in groups]
        if sum(sizes) != estimates.size:
            raise InvalidInput(
                f"groups of {sum(sizes)} modes, listed are {estimates.size}: the sizes must add up"
            )
        means = [np.mean(part) for part in np.split(estimates, np.cumsum(sizes)[:-1])]
        return frozen(np.repeat(means, sizes))

    def overlaps(self, labels: Any) -> Array:
        """g_i = (1/P) sum_a phi_i(x_a) y_a: (modes,), or (modes, outputs) for vector labels.

        Labels with noise of variance v put v / P into the mean square of each.
        """
        y = _labels(labels, self.points)
        found: Array = self.functions.T @ y / self.points
        return found

    def power(self, labels: Any) -> Array:
        """(modes,) g_i^2, summed over the outputs."""
        g = self.overlaps(labels).reshape(self.eigenvalues.size, -1)
        return np.asarray(np.sum(g**2, axis=1))

    def unexplained(self, labels: Any) -> float:
        """The mean square of the labels minus the power in the listed modes."""
        y = _labels(labels, self.points)
        return float(np.sum(y**2) / self.points - self.power(labels).sum())

    def to_dict(self) -> dict[str, Any]:
        """The spectrum as plain data, without the functions."""
        more = {"points": self.points, "standard_errors": self.standard_errors.tolist()}
        return {**self.modes.to_dict(), **more, "corrected": self.corrected().tolist()}

    def picture(self) -> Picture:
        """Eigenvalue of each mode with its standard error, and corrected for the bias: means over
        ever more modes, since one by one those that nearly coincide are noisy."""
        k = np.arange(1.0, self.eigenvalues.size + 1)
        sizes = _widening(k.size)
        first = np.cumsum([0, *sizes[:-1]])
        middle = np.add.reduceat(k, first) / sizes
        lines = (
            Line("on the sample", k, self.eigenvalues, self.standard_errors, points=True),
            Line("corrected for the population", middle, self.corrected(sizes)[first]),
        )
        title = f"spectrum of {self.modes.name} on {self.modes.measure}"
        return Picture(title, "mode", "eigenvalue", lines, logarithmic=("x", "y"))

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("mode", "on the sample", "+-", "corrected")]
        estimates = self.corrected()
        for i in range(min(SHOWN, self.eigenvalues.size)):
            values = self.eigenvalues[i], self.standard_errors[i], estimates[i]
            rows.append((str(i), f"{values[0]:.6e}", f"{values[1]:.0e}", f"{values[2]:.6e}"))
        more = self.eigenvalues.size - SHOWN
        tail = f"trace {self.modes.trace:.8g}, of which in no mode listed {self.tail:.4g}"
        title = f"spectrum of {self.modes.name} on {self.modes.measure}"
        return "\n".join(
            [title, *aligned(rows), *([f"and {more} more modes"] if more > 0 else []), tail]
        )


def empirical_spectrum(
    model: Model,
    inputs: Any,
    *,
    modes: int | None = None,
    landmarks: int | None = None,
    memory: int = MEMORY,
) -> DataSpectrum:
    """The spectrum of a network, a kernel or a function (see `gram`) on data.

    inputs     (points, d)
    modes      how many to keep; all that float64 resolves if left out
    landmarks  left out, the whole matrix is decomposed: exact, 20 bytes x points^2. Given, the
               span of so many columns is (Nystrom's method; where the kernel is known worst, the
               next column is taken, so nothing is random), followed by one pass over the matrix in
               blocks: 48 bytes x points x landmarks. `modes.errors` then bounds the distance of
               each eigenvalue to a true one, by its residual
    memory     bytes it may take; more is refused before any is taken

    Raises `InvalidInput` for inputs that are not finite, too many for `memory`, and for a kernel
    that is zero or not positive.

    >>> x = np.random.default_rng(0).standard_normal((40, 3))
    >>> exact = empirical_spectrum(lambda a, b, c: (1 + c) ** 2, x)
    >>> sketch = empirical_spectrum(lambda a, b, c: (1 + c) ** 2, x, landmarks=12)
    >>> exact.eigenvalues.size, bool(np.allclose(exact.eigenvalues, sketch.eigenvalues))
    (10, True)
    """
    x = points("inputs", inputs)
    wanted = len(x) if modes is None else checks.count("modes", modes, least=1)
    name = str(model) if not callable(model) or hasattr(model, "name") else "a given function"
    if landmarks is None:
        affordable(WHOLE * len(x) ** 2, memory, f"an exact spectrum of {len(x)} points")
        found = _decomposed(gram(model, x, memory=memory))
    else:
        m = checks.count("landmarks", landmarks, least=1)
        if m > len(x):
            raise InvalidInput(f"landmarks = {m} of {len(x)} points: give at most as many")
        needed = 48 * len(x) * m
        affordable(needed, memory, f"a spectrum of {len(x)} points from {m} landmarks")
        found = _sketched(pairs_of(model, x, x), x, m)
    return _spectrum(found, wanted, name)


def gram_spectrum(matrix: Any, *, modes: int | None = None, memory: int = MEMORY) -> DataSpectrum:
    """The spectrum of a kernel known by its matrix on the data alone.

    Raises `InvalidInput` for a matrix that is not square, finite, symmetric and positive, or takes
    more than `memory`.

    >>> gram_spectrum([[1.0, 0.5], [0.5, 1.0]]).eigenvalues.tolist()
    [0.75, 0.25]
    """
    K = points("matrix", matrix)
    if K.shape[0] != K.shape[1]:
        raise InvalidInput(f"matrix has shape {K.shape}: give one row and one column per point")
    if WHOLE * len(K) ** 2 > checks.positive("memory", memory):  # which `predict` has none of
        raise InvalidInput(
            f"an exact spectrum of {len(K)} points takes {WHOLE * len(K) ** 2:.4g} bytes, allowed "
            f"are {memory:.4g}: give fewer points; empirical_spectrum(..., landmarks=m) has the "
            "leading modes of more"
        )
    size, off = float(np.max(np.abs(K))), np.abs(K - K.T)
    if np.max(off) > SYMMETRIC * size:
        i, j = np.unravel_index(int(np.argmax(off)), K.shape)
        raise InvalidInput(
            f"matrix is not symmetric: entry [{i}, {j}] is {K[i, j]:.6g}, [{j}, {i}] is "
            f"{K[j, i]:.6g}. Give K(x, x') for all pairs; (K + K.T) / 2 if this is rounding"
        )
    wanted = len(K) if modes is None else checks.count("modes", modes, least=1)
    return _spectrum(_decomposed((K + K.T) / 2), wanted, "a given matrix")


# Decompositions -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """Eigenvalues of K, falling, their errors (of rounding alone, and in all), orthonormal vectors,
    and the trace of K."""

    values: Array
    rounding: float
    errors: Array
    vectors: Array
    trace: float


def _decomposed(K: Array) -> _Found:
    from scipy.linalg import eigh

    trace = float(np.trace(K))
    # symmetric, so K.T is K in the order of memory that LAPACK can overwrite
    values, vectors = eigh(K.T, driver="evr", overwrite_a=True, check_finite=False)
    if not np.any(values):
        raise InvalidInput(ZERO)
    if values[-1] <= 0 or values[0] < -NEGATIVE * values[-1]:
        raise InvalidInput(
            f"the kernel matrix is not positive: eigenvalues from {values[0]:.3e} to "
            f"{values[-1]:.3e}. Every kernel of a network is; check the function or the matrix"
        )
    error = max(EPS * (16 + np.sqrt(len(K))) * values[-1], -values[0])
    return _Found(values[::-1], error, np.full(len(K), error), vectors[:, ::-1], trace)


def _sketched(pairs: Pairs, x: Array, landmarks: int) -> _Found:
    """Rayleigh and Ritz in the span of `landmarks` columns."""
    columns, trace = _columns(pairs, x, landmarks)
    if trace == 0 and columns.shape[1] == 0:
        raise InvalidInput(ZERO)
    basis = np.linalg.qr(columns)[0]
    image = np.zeros_like(basis)
    for rows in blocks(len(x)):
        for beside in blocks(len(x)):
            if beside.start >= rows.start:
                block = pairs.block(x[rows], x[beside])
                image[rows] += block @ basis[beside]
                if beside.start > rows.start:
                    image[beside] += block.T @ basis[rows]
    small = basis.T @ image
    values, turn = np.linalg.eigh((small + small.T) / 2)
    values, turn = values[::-1], turn[:, ::-1]
    vectors, image = basis @ turn, image @ turn
    image -= vectors * values
    rounding = EPS * (16 + np.sqrt(len(x))) * values[0]
    errors = np.linalg.norm(image, axis=0) + rounding
    return _Found(values, float(rounding), errors, vectors, trace)


def _columns(pairs: Pairs, x: Array, landmarks: int) -> tuple[Array, float]:
    """L with K = L L^T + rest, the rest zero at the landmarks; and the trace of K.

    Landmarks are the points where the diagonal of the rest is largest, a few at a time.
    """
    rest = np.concatenate([pairs.diagonal(x[rows]) for rows in blocks(len(x))])
    trace, L, used = float(rest.sum()), np.empty((len(x), landmarks)), 0
    while used < landmarks:
        take = min(ROUND, landmarks - used)
        picked = np.argpartition(rest, -take)[-take:]
        new = np.concatenate([pairs.block(x[rows], x[picked]) for rows in blocks(len(x))])
        new -= L[:, :used] @ L[picked, :used].T
        values, turn = np.linalg.eigh(new[picked])
        good = values > EPS * trace
        if not np.any(good):
            break  # the columns span the matrix already
        more = new @ (turn[:, good] / np.sqrt(values[good]))
        L[:, used : used + more.shape[1]] = more
        used += more.shape[1]
        rest -= np.einsum("ij,ij->i", more, more)
        rest[picked] = 0.0
    return L[:, :used], trace


def _spectrum(found: _Found, wanted: int, name: str) -> DataSpectrum:
    P = len(found.vectors)
    kept = int(np.sum(np.cumprod(found.values > found.errors)))  # falling: the first lost ends it
    kept = min(wanted, kept)
    if kept == 0:
        raise OutOfRegime(
            "no eigenvalue is larger than its error: give more landmarks, or none at all"
        )
    modes = Modes(
        found.values[:kept] / P,
        (1,) * kept,
        found.trace / P,
        tuple(str(i) for i in range(kept)),
        found.errors[:kept] / P,
        name,
        f"{P} points",
        sum_error=kept * found.rounding / P,  # Rayleigh quotients, each exact
    )
    functions = found.vectors[:, :kept]
    functions *= np.sqrt(P)  # ours alone, and as large as the matrix
    return DataSpectrum(modes, functions)


# The bias of a finite sample ----------------------------------------------------------------------


def _widening(size: int) -> list[int]:
    """Groups of neighbours: one, and later a quarter as many as stand before them."""
    sizes: list[int] = []
    while (done := sum(sizes)) < size:
        wide = 1 + done // 4
        sizes.append(wide if done + 2 * wide <= size else size - done)
    return sizes


def _gaps(values: Array, tail: float, P: int) -> Array:
    """l_i - mu_i, with sum_k n_k l_k / (l_k - mu) = P; the tail counts as equal eigenvalues.

    Bisection on the gap itself, which keeps its relative accuracy.
    """
    missing = P - values.size
    weights = np.append(np.ones(values.size), missing)
    level = np.append(values, tail / missing if missing else 0.0)
    below = np.append(values[1:], min(level[-1], values[-1]))
    gaps = np.empty_like(values)
    for rows in blocks(values.size):
        apart = level[None, :] - values[rows, None]
        low, high = np.zeros(rows.stop - rows.start), values[rows] - below[rows]
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            with np.errstate(divide="ignore", invalid="ignore"):
                terms = weights * level / (apart + middle[:, None])
            total = np.sum(np.where(weights * level > 0, terms, 0.0), axis=1)
            too_near = total > P  # the sum falls as the gap grows
            low, high = np.where(too_near, middle, low), np.where(too_near, high, middle)
        gaps[rows] = (low + high) / 2
    return gaps


def _labels(labels: Any, P: int) -> Array:
    y = np.asarray(labels)
    column = points("labels", y[:, None] if y.ndim == 1 else y)
    if len(column) != P:
        raise InvalidInput(f"{len(column)} labels for {P} points: give one row for each")
    return column[:, 0] if y.ndim == 1 else column
