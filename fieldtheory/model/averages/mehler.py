"""The Gaussian averages of any function: from its expansion, in floats or in many digits."""

from dataclasses import dataclass
from typing import Any

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.averages.digits import Precise, precise_expansion
from fieldtheory.model.averages.expansion import Expansion, Function, average, expansion, moments
from fieldtheory.model.averages.whole import long


@dataclass(frozen=True)
class Mehler:
    """A function phi, for printing `name`; where they are known its `slope`, and `precise`, the
    same function (z, context) in mpmath.

    >>> import numpy as np
    >>> cube = Mehler("cube", lambda z: z**3)
    >>> (cube(1.0).coefficients ** 2).round(12).tolist()  # z^3 = 3 h_1 + sqrt(6) h_3
    [[0.0, 9.0, 0.0, 6.0]]
    """

    name: str
    function: Function
    slope: Function | None = None
    precise: Precise | None = None

    def __call__(self, q: Any) -> Expansion:
        """The expansion at variance q: floats, dual numbers or one number of many digits."""
        value = long(getattr(q, "value", q))
        if not hasattr(value, "context"):
            return expansion(self.function, self.name, self.slope, value)
        if self.precise is None:
            raise InvalidInput(
                f"activation {self.name!r} is known in float64 only: for more digits give its "
                "formula in mpmath, as in activation(f, precise=lambda z, mp: mp.tanh(z))"
            )
        return precise_expansion(self.precise, self.name, value)

    def covariance(self, q: Any, p: Any, xp: Any) -> Any:
        """<phi(u) phi(v)> for variance q and correlation p."""
        if isinstance(p, float) and p == 1.0:  # one input seen twice: no expansion is needed
            return moments(self.function, self.name, getattr(q, "value", q)).at(q)
        return average(self(q), q, p, xp, 0)

    def slope_covariance(self, q: Any, p: Any, xp: Any) -> Any:
        """<phi'(u) phi'(v)>; the slope of phi need not be known."""
        if isinstance(p, float) and p == 1.0 and self.slope is not None:
            about = f"slope of {self.name}"
            return moments(self.slope, about, getattr(q, "value", q)).at(q)
        return average(self(q), q, p, xp, 1) / q
