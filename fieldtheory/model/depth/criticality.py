r"""Layers as a flow: where variance and correlation go with depth, and where they stand still.

.. math:: q \leftarrow \sigma_w^2 \langle\phi(z)^2\rangle + \sigma_b^2 + s^2 q, \\
          p \leftarrow (\sigma_w^2 \langle\phi(u)\phi(v)\rangle + \sigma_b^2 + s^2 q p) / q

A small difference between two inputs grows or shrinks by chi_perp at every layer, a small change of
the variance by chi_parallel:

.. math:: \chi_\perp = \sigma_w^2 \langle\phi'(z)^2\rangle + s^2, \qquad
          \chi_\parallel = \sigma_w^2\, \partial_q \langle\phi(z)^2\rangle + s^2

The network is ordered (it forgets its inputs) for chi_perp < 1, chaotic for chi_perp > 1. Along the
line chi_perp = c both variances follow from q: `phase` draws the diagram without a search.

Sources: Poole et al. 2016, https://arxiv.org/abs/1606.05340; Schoenholz et al. 2017,
https://arxiv.org/abs/1611.01232; Roberts, Yaida, Hanin 2022, https://arxiv.org/abs/2106.10165.
"""

from dataclasses import dataclass
from functools import partial
from math import inf, log
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.activation import Activation
from fieldtheory.model.activation import activation as named
from fieldtheory.model.averages import dual
from fieldtheory.model.averages.dual import Dual
from fieldtheory.model.depth import layer
from fieldtheory.model.kernel import REAL
from fieldtheory.model.network import Network, fan_in

SMALLEST, LARGEST = 1e-12, 1e12  # variances between which fixed points are looked for
STILL = 1e-13  # a relative change of the variance that is none
NOISE = 1e-10  # a relative change of the variance that rounding makes, next to LARGEST
MARGINAL = 1e-9  # how far from one a susceptibility still counts as one
EDGE = 1e-6  # the same where the variance is infinite, and LARGEST, 1 / EDGE^2, stands for it


@dataclass(frozen=True)
class Susceptibilities:
    """chi_perp (of a difference between inputs, also called chi_1) and chi_parallel (of the
    variance), at one variance or an array of them."""

    perp: Any
    parallel: Any


@dataclass(frozen=True)
class FixedPoint(Printed):
    """Where the flow of a deep network ends.

    variance      q*, zero or infinite if that is where it goes
    chi           the susceptibilities there
    correlation   p* between any two different inputs
    slope         the factor by which a distance of p from p* shrinks at every layer
    """

    variance: float
    chi: Susceptibilities
    correlation: float
    slope: float

    @property
    def phase(self) -> str:
        """ "ordered", "chaotic" or "critical"."""
        if abs(self.chi.perp - 1) <= _marginal(self.variance):
            return "critical"
        return "chaotic" if self.chi.perp > 1 else "ordered"

    @property
    def correlation_length(self) -> float:
        """Layers over which correlations approach p*: -1/log(slope), infinite if critical."""
        return _length(self.slope)

    @property
    def variance_length(self) -> float:
        """Layers over which the variance approaches q*: -1/log chi_parallel."""
        return _length(abs(self.chi.parallel))

    def to_dict(self) -> dict[str, Any]:
        """The fixed point as plain data; an infinite length is infinite here, null in JSON."""
        return {
            "phase": self.phase,
            "variance": float(self.variance),
            "correlation": float(self.correlation),
            "chi_perp": float(self.chi.perp),
            "chi_parallel": float(self.chi.parallel),
            "correlation_length": self.correlation_length,
            "variance_length": self.variance_length,
            "version": __version__,
        }

    def __str__(self) -> str:
        return (
            f"{self.phase}: variance {self.variance:.6g}, correlation {self.correlation:.6g}, "
            f"chi_perp {self.chi.perp:.6g}, chi_parallel {self.chi.parallel:.6g}, correlation "
            f"length {self.correlation_length:.4g} layers"
        )


def _marginal(variance: float) -> float:
    return MARGINAL if variance < inf else EDGE


def _length(factor: float) -> float:
    if factor >= 1 - MARGINAL:
        return inf
    return -1 / log(factor) if factor > 0 else 0.0


@dataclass(frozen=True)
class RepeatedLayer:
    """A hidden layer that is repeated without end: the map of the flow.

    `activation` is a name or a function, the variances those of `Network`, `residual` the strength
    of a connection around the layer. Raises `InvalidInput` for negative variances.

    >>> float(RepeatedLayer("relu", 2.0, 0.0).variance(3.0))
    3.0
    """

    activation: Any
    weight_variance: float = 1.0
    bias_variance: float = 0.0
    residual: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", named(self.activation))
        for name, check in (
            ("weight_variance", checks.positive),
            ("bias_variance", checks.variance),
            ("residual", checks.number),
        ):
            object.__setattr__(self, name, check(name, getattr(self, name)))

    @property
    def dense(self) -> layer.Dense:
        """The numbers of the layer."""
        return layer.Dense(self.weight_variance, self.bias_variance, self.residual)

    def variance(self, q: Any) -> Any:
        """The variance after the layer, of one input; `q` may be an array or a dual number."""
        state = layer.State(q, None, q)
        return layer.hidden(state, self.activation, self.dense, REAL).q

    def covariance(self, q: Any, p: Any) -> Any:
        """The covariance after the layer, of two inputs of variance q and correlation p."""
        state = layer.State(q * p, None, q)
        return layer.hidden(state, self.activation, self.dense, REAL).sigma

    def correlation(self, q: float, p: Any) -> Any:
        """The correlation after the layer."""
        return self.covariance(q, p) / self.variance(q)

    def chi(self, q: Any) -> Susceptibilities:
        """The susceptibilities at variance q: a number, or an array of them.

        Raises `InvalidInput` for an activation that jumps: its slope has no average.
        """
        _, slopes, growth = averages(self.activation, q)
        skip = self.residual**2
        return Susceptibilities(
            self.weight_variance * slopes + skip, self.weight_variance * growth + skip
        )

    def fixed_point(self, start: float = 1.0) -> FixedPoint:
        """The fixed point that the variance flows to from `start`, and that of the correlation.

        It is always reached: <phi^2> falls no faster than 1 / sqrt(q), so that chi_parallel is
        above -1/2 and the variance cannot oscillate.

        >>> print(RepeatedLayer("erf", 2.0, 0.1).fixed_point())
        chaotic: variance 1.04626, correlation 0.647229, ... correlation length 11.39 layers
        """
        q = self._still(checks.positive("start", start))
        at = min(max(q, SMALLEST), LARGEST)
        chi = self.chi(at)
        ratio = float(self.variance(at)) / at
        if chi.perp / ratio <= 1 + _marginal(q):
            return FixedPoint(q, chi, 1.0, chi.perp / ratio)
        # The map is a power series in p without negative coefficients, hence convex: besides p = 1
        # one fixed point, from 0 on (0 itself for odd functions without bias, where -1, which
        # nothing flows to, would be another)
        excess = partial(self._excess, at)
        if excess(1 - MARGINAL) >= 0:
            return FixedPoint(q, chi, 1.0, 1.0)
        p = root(excess, 0.0, 1 - MARGINAL) if excess(0.0) > 0 else 0.0
        (slope,) = self._moved(at, p).tangents
        return FixedPoint(q, chi, p, float(slope) / (at * ratio))

    def _excess(self, q: float, p: float) -> float:
        """What the layer adds to the correlation."""
        return float(self.correlation(q, np.array(p))) - p

    def _moved(self, q: float, p: float) -> Any:
        """The covariance with its derivative by the correlation."""
        state = layer.State(q * Dual(np.array(p), (np.array(1.0),)), None, q)
        return layer.hidden(state, self.activation, self.dense, dual.world(REAL)).sigma

    def _still(self, start: float) -> float:
        """The first variance, in the direction of the flow, where it stands still."""
        change = float(self.variance(start)) / start - 1
        if abs(change) <= STILL:
            return start
        q, after, factor = start, start, 1.25 if change > 0 else 0.8
        while SMALLEST < after < LARGEST:
            after *= factor
            now = float(self.variance(after)) / after - 1
            if abs(now) <= NOISE:
                continue  # of no certain sign
            if (now > 0) != (change > 0):
                return root(lambda x: float(self.variance(x)) / x - 1, *sorted((q, after)))
            q = after
        return 0.0 if change < 0 else inf


@dataclass(frozen=True, eq=False)
class DepthFlow(Pictured, Printed):
    """Variance, correlation and susceptibilities of a network, layer by layer.

    `variances` and `correlations` have one entry for the fields after each dense layer; `chi` those
    of the step from each layer to the next, one fewer.
    """

    name: str
    variances: Array
    correlations: Array
    chi: Susceptibilities

    def to_dict(self) -> dict[str, Any]:
        """The flow as plain data, layer by layer."""
        return {
            "name": self.name,
            "variance": self.variances.tolist(),
            "correlation": self.correlations.tolist(),
            "chi_perp": self.chi.perp.tolist(),
            "chi_parallel": self.chi.parallel.tolist(),
            "version": __version__,
        }

    def picture(self) -> Picture:
        """Variance and correlation over depth."""
        layers = np.arange(1.0, self.variances.size + 1)
        lines = (
            Line("variance", layers, self.variances),
            Line("correlation of two inputs", layers, self.correlations),
        )
        return Picture(f"depth flow of {self.name}", "layer", "", lines)

    def __str__(self) -> str:
        rows = [
            f"{n + 1:>6d}  {q:<12.6g}  {p:.6g}"
            for n, (q, p) in enumerate(zip(self.variances, self.correlations, strict=True))
        ]
        shown = rows if len(rows) <= 16 else [*rows[:12], f"{'...':>6s}", *rows[-3:]]
        head = f"{'layer':>6s}  {'variance':<12s}  correlation"
        return "\n".join([f"depth flow of {self.name}", head, *shown])


def depth_flow(
    network: Network, dimension: int, cosine: float = 0.0, input_norm: str = "unit"
) -> DepthFlow:
    """What becomes of two inputs on the sphere, `cosine` apart, on their way through a network.

    Raises `InvalidInput` for a cosine outside [-1, 1] and an activation that jumps, `OutOfRegime`
    for a variance that leaves the range of floats.

    >>> flow = depth_flow(Network(3, "relu", 2.0, 0.0), dimension=10, input_norm="dimension")
    >>> flow.variances.tolist(), flow.correlations.round(6).tolist()
    ([2.0, 2.0, 2.0], [0.0, 0.31831, 0.493731])
    """
    if not isinstance(network, Network):
        raise InvalidInput(f"network = {network!r}: give a Network, whose layers are followed")
    if not abs(checks.number("cosine", cosine)) <= 1:
        raise InvalidInput(f"cosine = {cosine!r}: give a number from -1 to 1")
    dense, phi, inputs = network.layers(), network.phi, fan_in(dimension, input_norm)
    network.variances(inputs)
    state = layer.first(np.array(cosine), inputs, dense[0], REAL, False)
    states = [state]
    for each in dense[1:]:
        states.append(layer.hidden(states[-1], phi, each, REAL))
    q = np.array([float(each.q) for each in states])
    _, slopes, growth = averages(phi, q[:-1]) if len(q) > 1 else (0, np.ones(0), np.ones(0))
    weights = np.array([each.weight_variance for each in dense[1:]])
    skips = np.array([each.residual for each in dense[1:]]) ** 2
    chi = Susceptibilities(frozen(weights * slopes + skips), frozen(weights * growth + skips))
    p = np.array([float(each.sigma) for each in states]) / q
    return DepthFlow(str(network), frozen(q), frozen(p), chi)


def averages(phi: Activation, q: Any) -> tuple[Any, Any, Any]:
    """<phi^2>, <phi'^2> and d<phi^2>/dq at variance q."""
    if phi.slope_covariance is None:
        raise InvalidInput(
            f"activation {phi.name!r} jumps: its slope has no Gaussian average, and no "
            "susceptibility; take one without a jump"
        )
    one = np.ones_like(np.asarray(q, dtype=float))
    square = phi.covariance(Dual(q, (one,)), 1.0, xp=dual.world(REAL))
    slopes = phi.slope_covariance(q, 1.0, xp=REAL) * one
    growth = square.tangents[0] if isinstance(square, Dual) else 0.0 * one
    return getattr(square, "value", square) * one, slopes, growth


def root(function: Any, low: float, high: float) -> float:
    """Where a continuous function that changes sign between `low` and `high` does so."""
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=1e-15 * max(abs(low), abs(high)), rtol=1e-15))
