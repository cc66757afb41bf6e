"""Kernels on the sphere as functions of the cosine t: in floats, power series or many digits."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.jet import JET, Jet

# The world a formula is evaluated in: floats here, power series in jet.py, many digits in
# precise.py. Each offers these functions; `clip` guards against correlations of 1 + 1e-16.
REAL = SimpleNamespace(
    sqrt=np.sqrt,
    exp=np.exp,
    arccos=np.arccos,
    arcsin=np.arcsin,
    pi=np.pi,
    clip=np.clip,
    one=1.0,
)


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel K(t) on the sphere, t = cos(theta) between two inputs.

    `function(t, xp)` computes it, with elementary functions taken from `xp`, so that one formula
    serves floats, power series and multiple precision.

    >>> Kernel("square", lambda t, xp: t**2).power_series(3).round(12).tolist()
    [0.0, 0.0, 1.0, 0.0]
    """

    name: str
    function: Callable[[Any, Any], Any]

    def __call__(self, t: Any) -> Array:
        """K at real cosines -1 <= t <= 1, of the shape of `t`."""
        t = np.asarray(t, dtype=float)
        if t.size and not np.max(np.abs(t)) <= 1:
            raise InvalidInput(
                f"kernel {self.name!r}: cosines must lie in [-1, 1]; normalise the inputs"
            )
        return np.asarray(self.function(t, REAL), dtype=float)

    @cached_property
    def trace(self) -> float:
        """K(1) = sum_l deg(l) lam_l, the total variance."""
        top = float(self(1.0))
        if not (np.isfinite(top) and top > 0):
            raise InvalidInput(
                f"kernel {self.name!r}: K(1) = {top}; it must be a positive finite number"
            )
        return top

    def power_series(self, terms: int) -> Array:
        r"""Coefficients b_0 .. b_terms of :math:`K(t) = \sum_q b_q t^q`."""
        order = checks.count("terms", terms)
        series = self.function(Jet.variable(np.zeros(1), np.ones(1), order), JET)
        return frozen(series.coefficients[:, 0])

    def __str__(self) -> str:
        return self.name


STANDARD = ("rbf", "laplace", "matern", "polynomial")


def standard_kernel(
    name: str,
    *,
    length: float = 1.0,
    smoothness: float = 1.5,
    degree: int = 2,
    offset: float = 1.0,
    radius: float = 1.0,
) -> Kernel:
    r"""A textbook kernel restricted to the sphere of radius `radius`, for comparison.

    With r^2 = 2 radius^2 (1 - t):  rbf exp(-r^2 / 2 length^2), laplace exp(-r / length), matern of
    smoothness 0.5, 1.5 or 2.5, polynomial (offset + radius^2 t)^degree.

    >>> standard_kernel("rbf").trace
    1.0
    """
    checks.choice("kernel", name, STANDARD)
    scale = checks.positive("length", length) / checks.positive("radius", radius)
    if name == "polynomial":
        power, constant = checks.count("degree", degree), checks.variance("offset", offset)
        return Kernel(
            f"polynomial, degree {power}, offset {constant:g}",
            lambda t, xp: (constant + radius**2 * t) ** power,
        )
    if name == "rbf":
        return Kernel(f"rbf, length {length:g}", lambda t, xp: xp.exp((t - 1) / scale**2))
    if name == "laplace":
        return Kernel(
            f"laplace, length {length:g}", lambda t, xp: xp.exp(-_distance(t, xp) / scale)
        )
    if smoothness not in MATERN:
        raise InvalidInput(f"smoothness = {smoothness!r}: choose 0.5, 1.5 or 2.5")
    polynomial = MATERN[smoothness]

    def matern(t: Any, xp: Any) -> Any:
        z = xp.sqrt(2 * smoothness * xp.one) * _distance(t, xp) / scale
        return polynomial(z) * xp.exp(-z)

    return Kernel(f"matern, smoothness {smoothness:g}, length {length:g}", matern)


MATERN: dict[float, Callable[[Any], Any]] = {
    0.5: lambda z: 1 + 0 * z,
    1.5: lambda z: 1 + z,
    2.5: lambda z: 1 + z + z**2 / 3,
}


def _distance(t: Any, xp: Any) -> Any:
    return xp.sqrt(2 - 2 * t)
