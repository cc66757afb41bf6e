r"""Trajectories: a flow integrated with numbers.

.. math::  \frac{dg_i}{d\ell} = \beta_i(g), \qquad g(0) \text{ given}

The betas are compiled to NumPy; scipy's implicit Radau method follows them, stiff or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.integrate import solve_ivp

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed

if TYPE_CHECKING:
    from fieldtheory.compiler.velocity import Velocity
    from fieldtheory.theory.flows.flow import Flow

PRECISION = 1e-10  # relative, of every step
FAR = 1e8  # a coupling that grows beyond it has left


@dataclass(frozen=True, eq=False)
class Trajectory(Pictured, Printed):
    """How couplings ran.

    names      of the couplings
    scale      (points,) the flow's time, from 0
    couplings  (couplings, points)
    time       what the scale is, such as "log mu"
    """

    names: tuple[str, ...]
    scale: Array
    couplings: Array
    time: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", frozen(self.scale))
        object.__setattr__(self, "couplings", frozen(self.couplings))

    def __getitem__(self, coupling: Any) -> Array:
        name = checks.choice("coupling", str(coupling), self.names)
        return np.asarray(self.couplings[self.names.index(name)])

    @property
    def end(self) -> dict[str, float]:
        """The couplings at the last point."""
        return dict(zip(self.names, self.couplings[:, -1].tolist(), strict=True))

    def picture(self) -> Picture:
        """Two couplings against each other; otherwise every coupling against the scale."""
        if len(self.names) == 2:
            line = Line("trajectory", *self.couplings)
            return Picture("running couplings", *self.names, (line,))
        lines = (
            Line(name, self.scale, values)
            for name, values in zip(self.names, self.couplings, strict=True)
        )
        return Picture("running couplings", self.time, "coupling", tuple(lines))

    def __str__(self) -> str:
        shown = np.unique(np.linspace(0, self.scale.size - 1, 9).astype(int))
        head = "".join(f"{name:>14s}" for name in (self.time, *self.names))
        rows = [np.concatenate([[self.scale[n]], self.couplings[:, n]]) for n in shown]
        return "\n".join([head, *("".join(f"{value:14.6g}" for value in row) for row in rows)])


def trajectory(
    flow: "Flow",
    start: Mapping[Any, float],
    until: float,
    *,
    at: Mapping[Any, float] | None = None,
    points: int = 101,
) -> Trajectory:
    """Follow a flow from its couplings at scale 0 to the scale `until`, which may be negative.

    start   every coupling, by name.
    at      every parameter of the flow, by name.

    Raises InvalidInput for a coupling or parameter that is missing or unknown, and OutOfRegime when
    a coupling leaves for infinity, beyond 1e8, or meets a pole of a beta on the way, or starts on
    one; the message says at which scale.

    >>> import sympy as sp
    >>> from fieldtheory.theory.flows.flow import Flow
    >>> eps, g = sp.symbols("eps g")
    >>> found = trajectory(Flow("g", eps * g - g**2), {"g": 0.1}, 20, at={"eps": 0.5})
    >>> round(found.end["g"], 3)
    0.5
    """
    names = tuple(map(str, flow.couplings))
    parameters = tuple(map(str, flow.parameters))
    begin = _numbers("start", start, names)
    fixed = _numbers("at", at or {}, parameters)
    last = checks.number("until", until)
    steps = checks.count("points", points, least=2)
    if last == 0:
        raise InvalidInput("until = 0: give the scale at which the flow shall end")
    found = _solved(flow, begin, fixed, np.linspace(0.0, last, steps))
    if found.status != 0 or not np.all(np.isfinite(found.y)):
        stopped = found.sol.ts[-1]
        raise OutOfRegime(
            f"the flow from {dict(zip(names, begin.tolist(), strict=True))} leaves for infinity "
            f"or meets a pole of its betas at {flow.time} = {stopped:.6g}, before until = {last:g}:"
            " stop earlier, or start elsewhere"
        )
    return Trajectory(names, found.t, found.y, flow.time)


def _solved(flow: "Flow", begin: Array, fixed: Array, scale: Array) -> Any:
    """Scipy's solution at these scales."""
    # SymPy stays out of the numeric floors until a flow, which is made of it, comes along.
    from fieldtheory.compiler.velocity import compile_flow

    velocity = compile_flow(flow)
    inside = _Inside(velocity, fixed, velocity.distances(np.concatenate([begin, fixed])))
    with np.errstate(all="ignore"):  # trial steps may overflow; the result is checked
        return solve_ivp(
            lambda _, couplings: velocity(np.concatenate([couplings, fixed])),
            (0.0, float(scale[-1])),
            begin,
            method="Radau",
            t_eval=scale,
            events=inside,
            dense_output=True,
            rtol=PRECISION,
            atol=PRECISION * max(float(np.max(np.abs(begin))), PRECISION),
        )


class _Inside:
    """Positive until a coupling leaves or a pole of a beta is crossed: an event of scipy's."""

    terminal = True

    def __init__(self, velocity: "Velocity", fixed: Array, origin: Array) -> None:
        if np.any(origin == 0):
            raise OutOfRegime("the flow starts on a pole of its betas: start elsewhere")
        self.velocity, self.fixed, self.origin = velocity, fixed, origin

    def __call__(self, _: float, couplings: Array) -> float:
        values = np.concatenate([couplings, self.fixed])
        crossed = self.velocity.distances(values) / self.origin
        room = 1 - float(np.max(np.abs(couplings))) / FAR
        return float(np.min(crossed, initial=room))


def _numbers(what: str, given: Mapping[Any, float], names: tuple[str, ...]) -> Array:
    """One number for each name."""
    values = {str(name): checks.number(f"{what}[{name}]", v) for name, v in given.items()}
    if set(values) != set(names):
        missing, unknown = sorted(set(names) - set(values)), sorted(set(values) - set(names))
        raise InvalidInput(
            f"{what} = {dict(values)}: missing {missing}, unknown {unknown}; give a number for "
            f"each of {', '.join(names) or 'nothing'}"
        )
    return np.array([values[name] for name in names], dtype=float)
