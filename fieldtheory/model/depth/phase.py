r"""The phase diagram of deep networks: lines of equal susceptibility, and the critical point.

.. math:: \chi_\perp = \chi: \qquad \sigma_w^2 = (\chi - s^2) / \langle\phi'^2\rangle_q, \qquad
          \sigma_b^2 = q\,(1 - s^2) - \sigma_w^2 \langle\phi^2\rangle_q

with the variance q of the fixed point as the parameter along the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.activation import Activation
from fieldtheory.model.activation import activation as named
from fieldtheory.model.depth.criticality import MARGINAL, averages, root

GRID = np.geomspace(1e-8, 1e4, 481)  # variances along a line
ZERO = 1e-12  # a bias variance, relative to q, that is none but for rounding
TINY, SMALL = 1e-14, 1e-4  # variances that stand for the limit of none, and for its neighbourhood


@dataclass(frozen=True, eq=False)
class SusceptibilityLine:
    """Points of the phase diagram whose fixed point has chi_perp = `chi`.

    Three arrays of one length: the `variance` of the fixed point, and the `weight_variance` and
    `bias_variance` that make it so.
    """

    chi: float
    variance: Array
    weight_variance: Array
    bias_variance: Array

    def to_dict(self) -> dict[str, Any]:
        """The line as plain data."""
        return {
            "chi": self.chi,
            "weight_variance": self.weight_variance.tolist(),
            "bias_variance": self.bias_variance.tolist(),
            "variance": self.variance.tolist(),
        }


@dataclass(frozen=True, eq=False)
class PhaseDiagram(Pictured, Printed):
    """Lines of equal susceptibility in the plane of the two variances."""

    activation: str
    lines: tuple[SusceptibilityLine, ...]

    def picture(self) -> Picture:
        """Weight variance over bias variance; the critical line is the one with chi = 1."""
        lines = tuple(
            Line(
                "critical" if each.chi == 1 else f"chi = {each.chi:g}",
                each.bias_variance,
                each.weight_variance,
                points=np.ptp(each.bias_variance) == 0,
            )
            for each in self.lines
        )
        title = f"phase diagram of {self.activation}; ordered below the critical line"
        return Picture(title, "bias variance", "weight variance", lines)

    def to_dict(self) -> dict[str, Any]:
        """The lines as plain data."""
        lines = [line.to_dict() for line in self.lines]
        return {"activation": self.activation, "lines": lines, "version": __version__}

    def __str__(self) -> str:
        """Where each line begins and ends."""
        rows = [
            f"{line.chi:>8g}  {line.bias_variance[0]:>9.4g} .. {line.bias_variance[-1]:<9.4g}  "
            f"{line.weight_variance[0]:>9.6g} .. {line.weight_variance[-1]:.6g}"
            for line in self.lines
        ]
        title = f"phase diagram of {self.activation}; chi_perp = 1 is critical, below it is ordered"
        head = f"{'chi_perp':>8s}  {'bias variance':^22s}  weight variance"
        return "\n".join([title, head, *rows])


def susceptibility_line(
    activation: Any,
    chi: float = 1.0,
    *,
    variances: Array = GRID,
    residual: float = 0.0,
) -> SusceptibilityLine:
    """The line chi_perp = `chi`, from fixed points of the given variances; chi = 1 is critical.

    Points that would need a negative bias variance, and fixed points that are not stable, are no
    part of it. For ReLU without bias every variance is a fixed point, and the line is one point.

    Raises `OutOfRegime` if nothing of the line is left.

    >>> line = susceptibility_line("erf")
    >>> bool(abs(line.weight_variance[0] - np.pi / 4) < 1e-6), bool(line.bias_variance[0] < 1e-8)
    (True, True)
    """
    phi, value = named(activation), checks.positive("chi", chi)
    q, skip = np.array(variances, dtype=float), checks.number("residual", residual) ** 2
    weights, biases, parallel = _on_line(phi, q, value, skip)
    near = np.abs(biases) <= ZERO * q
    biases = np.where(near, 0.0, biases)
    there = (weights > 0) & (biases >= 0) & (np.abs(parallel) <= 1 + 1e-9)
    if not np.any(there):
        raise OutOfRegime(
            f"{phi.name}: no stable fixed point of variance {q.min():.3g} to {q.max():.3g} has "
            f"chi_perp = {value:g}"
        )
    arrays = (frozen(each[there]) for each in (q, weights, biases))
    return SusceptibilityLine(value, *arrays)


def critical_weight_variance(
    activation: Any, bias_variance: float = 0.0, *, residual: float = 0.0
) -> float:
    """The weight variance at which a deep network with this bias variance is critical.

    Raises `OutOfRegime` if there is none, as for ReLU with a bias, and `InvalidInput` for an
    activation that jumps.

    >>> round(critical_weight_variance("relu"), 12)
    2.0
    """
    phi, wanted = named(activation), checks.variance("bias_variance", bias_variance)
    skip = checks.number("residual", residual) ** 2
    if wanted == 0 and (weight := _at_zero(phi, skip)) is not None:
        return weight

    def excess(q: float) -> float:
        return float(_on_line(phi, np.array([q]), 1.0, skip)[1][0]) - wanted

    _, biases, parallel = _on_line(phi, GRID, 1.0, skip)
    rest = biases - wanted
    stable = parallel[:-1] <= 1 + MARGINAL
    for place in np.flatnonzero((rest[:-1] * rest[1:] <= 0) & stable):
        q = root(excess, float(GRID[place]), float(GRID[place + 1]))
        return float(_on_line(phi, np.array([q]), 1.0, skip)[0][0])
    raise OutOfRegime(
        f"{phi.name}: with bias variance {wanted:g} no weight variance makes deep networks "
        "critical. Look at susceptibility_line for the bias variances of its critical line, or "
        'take another activation ("tanh" and "erf" have one for every bias variance)'
    )


def critical_point(activation: Any) -> tuple[float, float, float]:
    r"""Where both susceptibilities are one: weight variance, bias variance, and q.

    Signals and their differences pass through deep networks unchanged there. The smallest q above
    zero is returned; zero if only the limit of small variances is critical in this way, as for tanh
    and erf.

    Raises `OutOfRegime` if there is none.

    >>> weight, bias, variance = critical_point("gelu")
    >>> round(weight, 8), round(bias, 8)
    (1.98305826, 0.17292239)
    """
    phi = named(activation)

    def excess(q: float) -> float:
        return float(_on_line(phi, np.array([q]), 1.0, 0.0)[2][0]) - 1

    weights, biases, parallel = _on_line(phi, GRID, 1.0, 0.0)
    rest = parallel - 1
    if np.all(np.abs(rest) <= MARGINAL):  # scale invariant: every variance is as good
        return float(weights[0]), 0.0, 1.0
    there = (rest[:-1] * rest[1:] < 0) & (biases[:-1] >= 0) & (GRID[:-1] > SMALL)
    for place in np.flatnonzero(there):
        q = root(excess, float(GRID[place]), float(GRID[place + 1]))
        weight, bias, _ = _on_line(phi, np.array([q]), 1.0, 0.0)
        return float(weight[0]), float(bias[0]), q
    if (weight_at_zero := _at_zero(phi, 0.0)) is not None:
        return weight_at_zero, 0.0, 0.0
    raise OutOfRegime(
        f"{phi.name}: the two susceptibilities are never one together; susceptibility_line has the "
        "line on which chi_perp is"
    )


def phase_diagram(
    activation: Any,
    chi: Sequence[float] = (0.5, 0.75, 1.0, 1.25, 1.5),
    *,
    bias_variance: float = 1.0,
    residual: float = 0.0,
) -> PhaseDiagram:
    """Lines of equal chi_perp up to a bias variance; those that do not exist there are left out.

    Raises `OutOfRegime` if none exists.

    >>> [line.chi for line in phase_diagram("erf", chi=[0.5, 1.0]).lines]
    [0.5, 1.0]
    """
    phi, most = named(activation), checks.positive("bias_variance", bias_variance)
    lines = []
    for value in checks.vector("chi", chi):
        try:
            line = susceptibility_line(phi, float(value), residual=residual)
        except OutOfRegime:
            continue
        inside = line.bias_variance <= most
        if np.any(inside):
            parts = (line.variance, line.weight_variance, line.bias_variance)
            lines.append(SusceptibilityLine(line.chi, *(frozen(each[inside]) for each in parts)))
    if not lines:
        raise OutOfRegime(
            f"{phi.name}: no stable fixed point with chi_perp in {list(chi)} has a bias variance "
            f"up to {most:g}; ask for other values"
        )
    return PhaseDiagram(phi.name, tuple(lines))


def _on_line(phi: Activation, q: Array, chi: float, skip: float) -> tuple[Array, Array, Array]:
    """Weight variance, bias variance and chi_parallel where q is a fixed point of this chi_perp."""
    square, slopes, growth = averages(phi, q)
    weights = (chi - skip) / slopes
    return weights, q * (1 - skip) - weights * square, weights * growth + skip


def _at_zero(phi: Activation, skip: float) -> float | None:
    """The critical weight variance in the limit q -> 0, if it is reached there without bias."""
    q = np.array([TINY, SMALL])
    square, slopes, _ = averages(phi, q)
    weight = float((1 - skip) / slopes[0])
    change = (weight * square + skip * q) / q - 1
    still = abs(change[0]) <= SMALL and change[1] <= MARGINAL
    return weight if still and weight > 0 else None
