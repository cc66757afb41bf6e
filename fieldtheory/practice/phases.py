"""Where a network stands among the phases of deep networks: fixed point, flow, diagram."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.depth.criticality import DepthFlow, FixedPoint, RepeatedLayer, depth_flow
from fieldtheory.model.depth.phase import (
    PhaseDiagram,
    critical_point,
    critical_weight_variance,
    phase_diagram,
)
from fieldtheory.model.network import Network

Found = TypeVar("Found")
SEEN_TO = 1.5  # the diagram goes this much further than the network's bias variance


@dataclass(frozen=True, eq=False)
class Phases(Pictured, Printed):
    """The fixed point of a network's hidden layers, and the critical line of its activation.

    fixed_point      where variance and correlation end in a deep network of such layers
    critical_weight  the weight variance that is critical at this bias variance; None without one
    critical_point   weight variance, bias variance and q where both susceptibilities are one, of
                     layers without residual connections; None without one
    diagram          lines of equal susceptibility; None where there are none
    flow             of two inputs through the network itself, |x|^2 = dimension
    draw_flow        whether the picture is of the flow, not the diagram
    """

    network: Network
    layer: RepeatedLayer
    fixed_point: FixedPoint
    critical_weight: float | None
    critical_point: tuple[float, float, float] | None
    diagram: PhaseDiagram | None
    flow: DepthFlow
    draw_flow: bool = False

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data; an infinite length is infinite here, null in JSON."""
        named = ("weight_variance", "bias_variance", "variance")
        point = self.critical_point
        return {
            "activation": self.layer.activation.name,
            "weight_variance": self.layer.weight_variance,
            "bias_variance": self.layer.bias_variance,
            "residual": self.layer.residual,
            **self.fixed_point.to_dict(),
            "critical_weight_variance": self.critical_weight,
            "critical_point": dict(zip(named, point, strict=True)) if point else None,
            "lines": [line.to_dict() for line in (self.diagram.lines if self.diagram else ())],
            "flow": {k: v for k, v in self.flow.to_dict().items() if isinstance(v, list)},
            "version": __version__,
        }

    def picture(self) -> Picture:
        """The phase diagram with this network in it, or the depth flow."""
        if self.draw_flow:
            return self.flow.picture()
        x, y = np.array([self.layer.bias_variance]), np.array([self.layer.weight_variance])
        here = Line(f"this network, {self.fixed_point.phase}", x, y, points=True)
        alone = Picture("no line of equal susceptibility", "bias variance", "weight variance", ())
        drawn = self.diagram.picture() if self.diagram else alone
        return drawn + Picture(drawn.title, drawn.x, drawn.y, (here,))

    def __str__(self) -> str:
        layer, point = self.layer, self.critical_point
        bias = f"bias variance {layer.bias_variance:g}"
        critical = (
            f"critical with {bias} at weight variance {self.critical_weight:.8g}"
            if self.critical_weight is not None
            else f"with {bias} no weight variance is critical"
        )
        both = (
            f"both susceptibilities are one at weight variance {point[0]:.8g}, bias variance "
            f"{point[1]:.8g}, variance {point[2]:.6g}"
            if point is not None
            else "the two susceptibilities are never one together"
        )
        return "\n".join(
            [
                f"layers of {layer.activation.name}, weight variance {layer.weight_variance:g}, "
                f"{bias}, residual {layer.residual:g}",
                str(self.fixed_point),
                critical,
                *([] if layer.residual else [both]),
                str(self.flow),
            ]
        )


def phases(network: Network, cosine: float = 0.0, draw_flow: bool = False) -> Phases:
    """The phase of a network, from one hidden layer of it repeated without end.

    `cosine` is between the two inputs whose flow is listed. Raises `InvalidInput` for variances
    given layer by layer and for an activation that jumps, `OutOfRegime` where the variance of the
    fields leaves the range of floats.

    >>> found = phases(Network(4, "tanh", 2.0, 0.05))
    >>> found.fixed_point.phase, round(found.critical_weight, 4)
    ('chaotic', 1.761)
    """
    weight, bias = network.weight_variance, network.bias_variance
    if isinstance(weight, tuple) or isinstance(bias, tuple):
        raise InvalidInput(
            "a phase belongs to one layer that is repeated: give one weight_variance and one "
            "bias_variance, not a list"
        )
    phi, residual = network.phi, network.residual
    layer, most = RepeatedLayer(phi, weight, bias, residual), max(1.0, SEEN_TO * bias)
    flow = depth_flow(network, 2, cosine, "dimension")
    if not np.all(np.isfinite([flow.variances, flow.correlations])):
        raise OutOfRegime(f"{network}: the variance of its fields leaves the range of floats")
    return Phases(
        network,
        layer,
        layer.fixed_point(),
        _if_any(lambda: critical_weight_variance(phi, bias, residual=residual)),
        None if residual else _if_any(lambda: critical_point(phi)),
        _if_any(lambda: phase_diagram(phi, bias_variance=most, residual=residual)),
        flow,
        draw_flow,
    )


def _if_any(look: Callable[[], Found]) -> Found | None:
    """What is found; None where the law says that there is none."""
    try:
        return look()
    except OutOfRegime:
        return None
