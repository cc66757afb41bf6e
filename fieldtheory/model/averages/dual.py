r"""Values with their derivatives (dual numbers): forward mode through any kernel formula.

A `Dual` carries f and df/da for a few parameters a; + - * / and whole powers follow the product
rule, `world` supplies the elementary functions. What it carries may be arrays, power series or
numbers of many digits: any of the worlds a kernel formula can be evaluated in.
"""

from sys import float_info
from types import SimpleNamespace
from typing import Any

EPS = float_info.epsilon


class Dual:
    """f, and its derivative with respect to each parameter.

    >>> x = Dual(3.0, (1.0,))
    >>> (x * x + 1 / x).tangents[0]  # 2 x - 1 / x^2
    5.888888888888889
    """

    __array_ufunc__ = None  # NumPy arrays on the left defer to the operators below
    __slots__ = ("tangents", "value")

    def __init__(self, value: Any, tangents: tuple[Any, ...]) -> None:
        self.value = value
        self.tangents = tangents

    def scaled(self, value: Any, slope: Any) -> "Dual":
        """A function of this number: its value, and its derivative by the chain rule."""
        return Dual(value, tuple(slope * t for t in self.tangents))

    def __add__(self, other: Any) -> "Dual":
        if not isinstance(other, Dual):
            return Dual(self.value + other, self.tangents)
        pairs = zip(self.tangents, other.tangents, strict=True)
        return Dual(self.value + other.value, tuple(a + b for a, b in pairs))

    def __neg__(self) -> "Dual":
        return Dual(-self.value, tuple(-t for t in self.tangents))

    def __sub__(self, other: Any) -> "Dual":
        difference: Dual = self + -other
        return difference

    def __rsub__(self, other: Any) -> "Dual":
        difference: Dual = -self + other
        return difference

    def __mul__(self, other: Any) -> "Dual":
        if not isinstance(other, Dual):
            return self.scaled(self.value * other, other)
        pairs = zip(self.tangents, other.tangents, strict=True)
        tangents = tuple(a * other.value + self.value * b for a, b in pairs)
        return Dual(self.value * other.value, tangents)

    def __truediv__(self, other: Any) -> "Dual":
        quotient: Dual = self * (1 / other)
        return quotient

    def __rtruediv__(self, other: Any) -> "Dual":
        inverse = 1 / self.value
        quotient: Dual = self.scaled(inverse, -inverse * inverse) * other
        return quotient

    def __pow__(self, exponent: Any) -> "Dual":
        if exponent == 0:
            return self * 0 + 1
        if exponent == 1:
            return self
        return self.scaled(self.value**exponent, exponent * self.value ** (exponent - 1))

    __radd__ = __add__
    __rmul__ = __mul__


def world(base: SimpleNamespace) -> SimpleNamespace:
    """The functions of `base` for dual numbers over it; numbers without tangents stay as they are.

    >>> import numpy as np
    >>> REAL = SimpleNamespace(sqrt=np.sqrt, exp=np.exp, arccos=np.arccos, arcsin=np.arcsin,
    ...                        pi=np.pi, clip=np.clip, one=1.0)
    >>> float(world(REAL).sqrt(Dual(4.0, (1.0,))).tangents[0])
    0.25
    """

    def lifted(function: Any, slope: Any) -> Any:
        def apply(x: Any) -> Any:
            if not isinstance(x, Dual):
                return function(x)
            value = function(x.value)
            return x.scaled(value, slope(x.value, value))

        return apply

    def clip(x: Any, low: Any, high: Any) -> Any:
        # At a correlation of one the derivatives of kernels are singular; a rounding lower they are
        # not, and no larger than rounding once they are multiplied.
        if not isinstance(x, Dual):
            return base.clip(x, low, high)
        return Dual(base.clip(x.value, low + EPS, high - EPS), x.tangents)

    return SimpleNamespace(
        sqrt=lifted(base.sqrt, lambda x, f: 1 / (2 * f)),
        exp=lifted(base.exp, lambda x, f: f),
        arcsin=lifted(base.arcsin, lambda x, f: 1 / base.sqrt(1 - x * x)),
        arccos=lifted(base.arccos, lambda x, f: -1 / base.sqrt(1 - x * x)),
        pi=base.pi,
        clip=clip,
        one=base.one,
    )
