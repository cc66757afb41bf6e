"""Learning curves on a finite measure, beyond the planar theory: successive orders, fixed samples.

The pool is what samples are drawn from, with replacement, and what the error is averaged over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.diagrams.dressed import allowed, solve
from fieldtheory.model.diagrams.finite import Measure
from fieldtheory.model.diagrams.fixed import Chosen, pieces

ACCURACY = 1e-3  # of half the nodes; all of them are better by about as much again
ENSEMBLES = ("fixed", "poisson")


@dataclass(frozen=True, eq=False)
class Pooled:
    """Errors of one target on a finite measure, at each number of samples.

    error     (sizes,) mean squared error over the measure; label noise enters by what it does to f*
    bias      (sizes,) the part of it that the mean over datasets has
    planar    (sizes,) the error of the planar diagrams alone
    ensemble  (sizes,) what the second order from Poisson to fixed adds to `error`
    reached   (sizes,) samples in the largest diagrams; 1 where those asked for have no solution,
              or none that is smooth in the number of samples
    """

    error: Array
    bias: Array
    planar: Array
    ensemble: Array
    reached: Array

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            object.__setattr__(self, name, frozen(getattr(self, name)))


def pooled(
    measure: Measure,
    target: Array,
    samples: Sequence[int] | Array,
    ridge: float,
    noise: float = 0.0,
    *,
    clusters: int = 2,
    ensemble: str = "fixed",
    thirds: Sequence[int] | None = None,
) -> Pooled:
    """The learning curve of `target`, its values at the points, on a finite measure.

    clusters, thirds as in `dressed.solve`
    ensemble  "fixed" number of samples, or "poisson"

    Raises `InvalidInput` for a target of another length than the measure, and `OutOfRegime` for
    what `dressed.solve` cannot be asked.

    >>> points = Measure.of(np.exp(-0.5 * np.subtract.outer(np.arange(6), np.arange(6)) ** 2.0))
    >>> curve = pooled(points, np.array([1.0, 1, 1, -1, -1, -1]), [4, 6], ridge=0.3)
    >>> curve.error.round(3).tolist(), curve.planar.round(3).tolist()
    ([0.313, 0.186], [0.214, 0.134])
    """
    N, g = checks.sizes("samples", samples), checks.vector("target", target)
    if g.size != measure.weights.size:
        raise InvalidInput(
            f"target has {g.size} values, the measure {measure.weights.size} points: give one each"
        )
    fixed = checks.choice("ensemble", ensemble, ENSEMBLES) == "fixed"
    most, _ = allowed(measure, checks.variance("ridge", ridge), clusters, thirds)
    question = _Question(measure, g, ridge, checks.variance("noise", noise), thirds)
    planar, shift, inside = question.curve(1, N, fixed)
    values = np.array([question.row(float(n), 1, None)[0] for n in N])
    values[inside] = planar
    lowest, reached, correction = values[:, 0].copy(), np.ones_like(N), np.zeros_like(N)
    correction[inside] = shift[:, 0]
    if most > 1:
        best, shift, inside = question.curve(most, N, fixed)
        values[inside], correction[inside], reached[inside] = best, shift[:, 0], most
    bias = values[:, 1:] ** 2 @ measure.weights
    return Pooled(values[:, 0], bias, lowest, correction, reached)


@dataclass(frozen=True, eq=False)
class _Question:
    """What is asked at any number of samples; NaN where an order has no solution."""

    measure: Measure
    target: Array
    ridge: float
    noise: float
    thirds: Sequence[int] | None

    def curve(self, clusters: int, sizes: Array, fixed: bool) -> tuple[Array, Array, Chosen]:
        """Total error and mean residuals at as many sizes as have a solution, the second order
        from Poisson to fixed, and which sizes these are."""

        def evaluate(eta: Array, start: Array | None) -> tuple[Array, Array]:
            begin = [None] * len(eta) if start is None else list(start)
            rows = [self.row(float(n), clusters, D) for n, D in zip(eta, begin, strict=True)]
            return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])

        values, second = (np.zeros((sizes.size, self.target.size + 1)) for _ in range(2))
        solved: Chosen = np.zeros(sizes.size, dtype=bool)
        for smooth, inside in pieces(evaluate, sizes, accuracy=ACCURACY):
            solved |= inside
            if fixed:
                values[inside], second[inside] = smooth.fixed(sizes[inside])
            else:
                values[inside] = smooth.poisson(sizes[inside])
        return values[solved], second[solved], solved

    def row(self, eta: float, clusters: int, start: Array | None) -> tuple[Array, Array]:
        """Total error and mean residuals, and the self-energy, at one mean number of samples."""
        size, g = self.target.size, self.target
        given = None if start is None else start.reshape(size, size)
        try:
            found = solve(
                self.measure, eta, self.ridge, clusters=clusters, thirds=self.thirds, start=given
            )
            total = float(found.error(g))
            if self.noise:
                total += self.noise * float(self.measure.weights @ np.diag(found.noise))
        except OutOfRegime:
            return np.full(size + 1, np.nan), np.full(size**2, np.nan)
        return np.concatenate([[total], found.residual(g)]), found.self_energy.ravel()
