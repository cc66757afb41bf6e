r"""The series in 1/samples on finitely many points, in the modes of the kernel there.

With phi_i the modes of K under the weights mu, lam_i their eigenvalues and L_i = eta lam_i /
(eta lam_i + s2), propagator and background are

.. math:: C = \sum_i \phi_i \frac{\lambda_i s_2}{\eta\lambda_i + s_2} \phi_i^T, \qquad
          r = -g + \sum_i \phi_i L_i \, (\phi_i, g)

and so are their derivatives by eta. The generated programs join them to diagrams. They take P x P
arrays, `HELD` of them for each coefficient in eta and each number of samples that is done at once,
and P^3 operations for each product.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.compiler import generated_points as source
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.measures.data import DataSpectrum
from fieldtheory.model.series.ensemble import Terms, needed
from fieldtheory.model.series.taylor import FUNCTIONS, Taylor

MEMORY = 2e9  # bytes
AT_ONCE = 1e8  # bytes up to which several numbers of samples are done at once
ORDERS = (1, 2, 3)


@dataclass(frozen=True, eq=False)
class Points:
    """What is learnt, on P points.

    eigenvalues  (modes,) of K under the weights
    functions    (points, modes) phi_i, orthonormal under the weights
    weights      (points,) mu, of sum one
    target       (points, outputs) g
    """

    eigenvalues: Array
    functions: Array
    weights: Array
    target: Array

    def __post_init__(self) -> None:
        for name in ("eigenvalues", "functions", "weights", "target"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        size, kinds = self.weights.size, self.eigenvalues.size
        if self.functions.shape != (size, kinds) or self.target.shape[:-1] != (size,):
            raise InvalidInput(
                f"functions of shape {self.functions.shape} and target of shape "
                f"{self.target.shape} for {size} weights and {kinds} eigenvalues: give (points, "
                "modes) and (points, outputs)"
            )

    @staticmethod
    def of(spectrum: DataSpectrum, labels: Array) -> "Points":
        """Points that are all equally likely, with their labels, (points,) or (points, outputs)."""
        size = spectrum.points
        target = np.reshape(labels, (size, -1))
        weights = np.full(size, 1 / size)
        return Points(spectrum.eigenvalues, spectrum.functions, weights, target)

    @property
    def overlaps(self) -> Array:
        """(modes, outputs) of the target with each mode."""
        return self.projected(self.target)

    def projected(self, values: Array) -> Array:
        """(..., modes, outputs) from values at the points, (..., points, outputs)."""
        return np.asarray((self.functions.T * self.weights) @ values)

    def diagonal(self, matrix: Array) -> Array:
        """(..., modes) phi_i M phi_i under the weights, of (..., points, points)."""
        weighted = self.functions * self.weights[:, None]
        return np.asarray(np.sum((matrix @ weighted) * weighted, axis=-2))

    def propagator(self, eta: Taylor) -> Taylor:
        """C, (points, points), over s2 = 1."""
        lam = self.eigenvalues[:, None]
        C = lam / (1 + FUNCTIONS.expand_dims(FUNCTIONS.expand_dims(eta, -1), -1) * lam)
        found = (self.functions * C.coefficients[..., 0][..., None, :]) @ self.functions.T
        return Taylor(found)

    def background(self, eta: Taylor) -> Taylor:
        """r, (points, outputs), over s2 = 1."""
        lam, g = self.eigenvalues[:, None], self.overlaps
        grown = FUNCTIONS.expand_dims(FUNCTIONS.expand_dims(eta, -1), -1) * lam
        learnt = grown / (1 + grown) * g
        found: Taylor = learnt.__rmatmul__(self.functions) - self.target
        return found


def terms(points: Points, samples: Array, ridge: float, noise: float, **how: Any) -> Terms:
    """The Poisson averages in each mode through an order.

    how  order, the ensemble they are for, and the memory they may take

    Raises `OutOfRegime` where the memory does not suffice.
    """
    order, ensemble = int(how["order"]), str(how["ensemble"])
    each = _bytes(len(points.target), order, ensemble)
    _affordable(len(points.target), order, each, float(how["memory"]))
    scaled = Points(points.eigenvalues / ridge, points.functions, points.weights, points.target)
    step = max(1, int(min(AT_ONCE, float(how["memory"])) / each))
    rows = [
        _some(scaled, samples[n : n + step], noise, order, ensemble)
        for n in range(0, samples.size, step)
    ]
    means = [np.concatenate([row[0][k] for row in rows], axis=1) for k in range(order + 1)]
    shares = [np.concatenate([row[1][k] for row in rows], axis=1) for k in range(order + 1)]
    ones = np.ones((1, points.target.shape[1]))
    return Terms(tuple(map(Taylor, means)), tuple(map(Taylor, shares)), ones)


def _some(
    points: Points, samples: Array, noise: float, order: int, ensemble: str
) -> tuple[list[Array], list[Array]]:
    """Coefficients of means and shares at some numbers of samples."""
    eta = Taylor.samples(samples, needed(0, order, ensemble))
    whole, background = points.propagator(eta), points.background(eta)
    means = [points.projected(background.coefficients)]
    shares = [np.zeros(means[0].shape[:-1])]
    for k in range(1, order + 1):
        count = needed(k, order, ensemble)
        r = background.first(count)
        values = {
            "C": whole.first(count),
            "r": r,
            "R": r @ FUNCTIONS.swapaxes(r, -1, -2),
            "mu": points.weights,
            "eta": eta.first(count),
            "s2": np.float64(1),
            "v": np.float64(noise),
        }
        means.append(points.projected(_run(f"mean_{k}", values).coefficients))
        share = points.diagonal(_run(f"covariance_{k}", values).coefficients)
        if noise:
            share = share + points.diagonal(_run(f"noise_{k}", values).coefficients)
        shares.append(share)
    return means, shares


def _run(name: str, values: dict[str, Any]) -> Taylor:
    """A generated program on the inputs it asks for."""
    found = getattr(source, name)
    value: Taylor = found(*(values[one] for one in source.INPUTS[name]), xp=FUNCTIONS)
    return value


def _bytes(points: int, order: int, ensemble: str) -> float:
    """What one number of samples takes."""
    held = [source.HELD[f"covariance_{k}"] * needed(k, order, ensemble) for k in ORDERS[:order]]
    return 8.0 * points**2 * (max(held, default=0) + 2 * needed(0, order, ensemble))


def _affordable(points: int, order: int, each: float, memory: float) -> None:
    if each > memory:
        raise OutOfRegime(
            f"order {order} of the series on {points} points takes up to {each / 1e9:.1f} GB and "
            f"may take {memory / 1e9:.1f}: give at most {int(points * np.sqrt(memory / each))} "
            "points or a lower order; expand_points takes a larger memory"
        )
