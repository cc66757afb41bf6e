r"""The power per degree of an arbitrary function on the sphere, with an error for each.

By the addition theorem the power of f at degree l is a double average over inputs,

.. math:: G_l = \deg(l) \, E_{x} E_{y} [ f(x) f(y) P_l(x \cdot y) ] .

- `zonal_power`: f(w.x) of one direction needs one integral per degree,
  G_l = deg(l) E_t[f(t) P_l(t)]^2, by Gauss's rule.
- `grid_power`: any f on the circle or the sphere (d = 2, 3), by product rules over the angles.
- `sampled_power`: any f in any dimension at points drawn by the caller. The average over pairs of
  different points has no bias (Hoeffding 1948), and its spread comes from the sample itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.measures.gram import blocks
from fieldtheory.model.measures.gram import points as table
from fieldtheory.model.measures.sphere import legendre, multiplicity
from fieldtheory.model.target import Target, unit_rows

EPS = float(np.finfo(float).eps)
NODES = 200  # of Gauss's rule, at least
GRID = 64  # points in each angle
SIGNIFICANT = 4.0  # standard errors above which a sampled power is not put down to chance
Function = Callable[[Array], Any]


@dataclass(frozen=True, eq=False)
class PowerEstimate(Pictured, Printed):
    """The power of a function per degree 0, 1, ..., found by quadrature or sampling.

    power        (degrees + 1,) G_l; a sampled one may be slightly negative
    errors       (degrees + 1,) quadrature: twice the largest change that five coarser rules make,
                 plus rounding; sampling: the standard error
    mean_square  E[f^2] by the same rule or points; what the listed degrees leave is `remainder`
    sampled      whether `errors` are standard errors

    >>> step = zonal_power(np.sign, dimension=3, degrees=3)
    >>> step.power.round(3).tolist(), round(step.remainder, 3)
    ([0.0, 0.75, 0.0, 0.109], 0.141)
    """

    dimension: int
    power: Array
    errors: Array
    mean_square: float
    sampled: bool

    @property
    def remainder(self) -> float:
        """E[f^2] minus the listed power: it lies in higher degrees, and acts as label noise."""
        return self.mean_square - float(np.sum(self.power))

    def target(self) -> Target:
        """A target of this power; degrees within their errors of zero (four standard errors, if
        sampled) are given none.

        Raises `OutOfRegime` if no degree stands out.
        """
        least = self.errors * (SIGNIFICANT if self.sampled else 1.0)
        power = np.where(self.power > least, self.power, 0.0)
        if not np.any(power):
            raise OutOfRegime(
                "no degree has more power than its error: give more points, or more degrees"
            )
        return Target.from_power(power, self.dimension)

    def to_dict(self) -> dict[str, Any]:
        """The estimate as plain data."""
        return {
            "dimension": self.dimension,
            "power": self.power.tolist(),
            "errors": self.errors.tolist(),
            "mean_square": self.mean_square,
            "remainder": self.remainder,
            "sampled": self.sampled,
            "version": __version__,
        }

    def picture(self) -> Picture:
        """The power per degree, with its errors."""
        l = np.arange(self.power.size, dtype=float)
        line = Line("power", l, self.power, self.errors, points=True)
        title = f"power of a function on S^{self.dimension - 1}"
        return Picture(title, "degree", "power", (line,))

    def __str__(self) -> str:
        rows = [f"{l:>6d}  {G:>12.6g}  {e:>8.1e}" for l, (G, e) in enumerate(self._pairs())]
        head = f"power of a function on S^{self.dimension - 1}, mean square {self.mean_square:.6g}"
        return "\n".join(
            [
                head,
                f"degree  {'power':>12s}  {'error':>8s}",
                *rows,
                f"in higher degrees {self.remainder:.6g}",
            ]
        )

    def _pairs(self) -> list[tuple[float, float]]:
        return list(zip(self.power.tolist(), self.errors.tolist(), strict=True))


def _estimated(
    d: int, last: int, size: int, rule: Callable[[int], tuple[Array, float]]
) -> PowerEstimate:
    """The finest rule, and how far coarser ones are from it: where f jumps the error of a rule is
    as good as random, and a single coarser one might agree by chance."""
    power, mean_square = rule(size)
    coarser = {n for n in (size // 2, 2 * size // 3, size - 1, size - 2, size - 3) if n > last}
    changes = [np.abs(rule(n)[0] - power) for n in sorted(coarser)]
    errors = 2 * np.max(changes, axis=0) + 16 * EPS * (1 + last) * mean_square
    return PowerEstimate(d, frozen(power), frozen(errors), mean_square, sampled=False)


def zonal_power(
    function: Function, dimension: int, degrees: int, *, nodes: int = NODES
) -> PowerEstimate:
    """The power of f(w.x), w a unit vector: `function` takes an array of t = w.x in [-1, 1].

    Gauss's rule in the angle theta, t = cos(theta), on either side of the equator, so that a jump
    or kink at t = 0 costs no accuracy.

    >>> zonal_power(lambda t: t**3, dimension=3, degrees=3).power.round(12).tolist()
    [0.0, 0.12, 0.0, 0.022857142857]
    """
    d, last = checks.count("dimension", dimension, least=2), checks.count("degrees", degrees)
    size = max(checks.count("nodes", nodes, least=8), 2 * last + 8)
    return _estimated(d, last, size, lambda n: _zonal(function, d, last, n))


def _zonal(function: Function, d: int, last: int, nodes: int) -> tuple[Array, float]:
    u, w = np.polynomial.legendre.leggauss(nodes)
    theta = np.concatenate([np.pi / 4 * (1 + u), np.pi / 4 * (3 + u)])
    weights = np.tile(w, 2) * np.sin(theta) ** (d - 2)
    weights /= weights.sum()
    values = _called(function, np.cos(theta), theta.shape)
    overlaps = legendre(d, last, np.cos(theta)) @ (weights * values)
    return _counts(d, last) * overlaps**2, float(weights @ values**2)


def grid_power(
    function: Function, dimension: int, degrees: int, *, grid: int = GRID
) -> PowerEstimate:
    """The power of any f(x), x of shape (points, d), on the circle or the sphere: d = 2 or 3.

    grid  points in each angle; exact for polynomials of degree below half of it

    Raises `OutOfRegime` for other dimensions: use `sampled_power` there.

    >>> grid_power(lambda x: x[:, 0] * x[:, 1], dimension=3, degrees=2).power.round(12).tolist()
    [0.0, 0.0, 0.066666666667]
    """
    d, last = checks.count("dimension", dimension, least=2), checks.count("degrees", degrees)
    if d > 3:
        raise OutOfRegime(
            f"dimension {d}: a grid of angles serves d = 2 and 3; draw unit vectors and use "
            "sampled_power, or zonal_power for a function of one direction"
        )
    size = checks.count("grid", grid, least=8)
    if 2 * last >= size:
        raise InvalidInput(f"grid = {size} for degree {last}: give more than {2 * last} points")
    return _estimated(d, last, size, lambda n: _gridded(function, d, last, n))


def _gridded(function: Function, d: int, last: int, grid: int) -> tuple[Array, float]:
    turns = 2 * grid
    phi = 2 * np.pi * np.arange(turns) / turns
    z, w = np.polynomial.legendre.leggauss(grid) if d == 3 else (np.zeros(1), np.array([2.0]))
    low = np.sqrt(1 - z**2)[:, None]
    columns = [low * np.cos(phi), low * np.sin(phi), np.broadcast_to(z[:, None], low.shape)]
    x = np.stack(np.broadcast_arrays(*columns)[:d], axis=-1).reshape(-1, d)
    values = _called(function, x, (len(x),)).reshape(z.size, turns)
    waves = np.fft.rfft(values, axis=1, norm="forward")[:, : last + 1]
    mean_square = float(w / 2 @ np.mean(values**2, axis=1))
    both = np.where(np.arange(last + 1) == 0, 1.0, 2.0)  # m and -m
    if d == 2:
        return both * np.abs(waves[0]) ** 2, mean_square
    power = np.zeros(last + 1)
    for m in range(last + 1):
        overlaps = _associated(m, last, z) @ (w / 2 * waves[:, m])
        power[m:] += both[m] * np.abs(overlaps) ** 2
    return power, mean_square


def _associated(m: int, last: int, z: Array) -> Array:
    """Associated Legendre functions of order m, degrees m .. last, of mean square one."""
    rows = np.zeros((last - m + 2, z.size))  # the first row, degree m - 1, is zero
    rows[1] = np.prod([np.sqrt((2 * k + 1) / (2 * k)) for k in range(1, m + 1)])
    rows[1] *= np.sqrt(1 - z**2) ** m
    for l in range(m + 1, last + 1):
        a = np.sqrt((4 * l**2 - 1) / (l**2 - m**2))
        b = np.sqrt(((l - 1) ** 2 - m**2) / (4 * (l - 1) ** 2 - 1))
        rows[l - m + 1] = a * (z * rows[l - m] - b * rows[l - m - 1])
    return rows[1:]


def sampled_power(x: Any, values: Any, degrees: int) -> PowerEstimate:
    """The power of a function known at random points of the sphere.

    x       (points, d) unit vectors, drawn independently and uniformly
    values  (points,) or (points, outputs); the power of the outputs is summed

    Label noise of variance v does not enter: only pairs of different points are used. The cost is
    points^2 degrees. The standard error of G_l is about 2 sqrt(G_l E[f^2] / points) and at least
    sqrt(2 deg(l)) E[f^2] / points: with few points high degrees drown.

    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    >>> sampled_power(x, [1.0, 0.0, -1.0, 0.0], degrees=1).power.round(6).tolist()
    [-0.166667, 0.333333]
    """
    last = checks.count("degrees", degrees)
    rows = table("x", x)
    d = rows.shape[1]
    rows, y = unit_rows("x", rows, d), np.asarray(values)
    f = table("values", y[:, None] if y.ndim == 1 else y)
    if len(f) != len(rows) or len(rows) < 4:
        raise InvalidInput(f"{len(f)} values at {len(rows)} points: give one for each, at least 4")
    total, square = np.zeros((last + 1, len(rows))), np.zeros(last + 1)
    for part in blocks(len(rows)):
        for beside in blocks(len(rows)):
            pairs = f[part] @ f[beside].T
            if part == beside:
                np.fill_diagonal(pairs, 0.0)
            kernel = legendre(d, last, np.clip(rows[part] @ rows[beside].T, -1, 1)) * pairs
            total[:, part] += kernel.sum(axis=2)
            square += np.einsum("lab,lab->l", kernel, kernel)
    P, counts = len(rows), _counts(d, last)
    means = counts[:, None] * total / (P - 1)  # of one point with all others
    second = counts**2 * square / (P * (P - 1))
    first = np.maximum(np.var(means, axis=1, ddof=1) - second / P, 0)
    errors = np.sqrt(4 * first / P + 2 * second / P**2)
    mean_square = float(np.mean(np.sum(f**2, axis=1)))
    return PowerEstimate(d, frozen(means.mean(axis=1)), frozen(errors), mean_square, sampled=True)


def _counts(d: int, last: int) -> Array:
    return np.array([float(multiplicity(d, l)) for l in range(last + 1)])


def _called(function: Function, x: Array, shape: tuple[int, ...]) -> Array:
    try:
        with np.errstate(all="ignore"):  # what is not finite is judged below
            values = np.asarray(function(x), dtype=float)
    except (TypeError, ValueError) as problem:
        raise InvalidInput(
            f"the function fails on an array of shape {x.shape} ({problem}): it must give one "
            "value for each input (use np.where, not if; np.exp, not math.exp)"
        ) from None
    if values.shape != shape:
        raise InvalidInput(
            f"the function gave shape {values.shape} for inputs of shape {x.shape}: it must give "
            f"{shape}, one value for each input"
        )
    if not np.all(np.isfinite(values)):
        raise InvalidInput("the function is not finite everywhere on the sphere")
    return values
