"""Truncated power series ("jets"): the Taylor coefficients of a formula, at many points at once.

A kernel formula evaluated on jets gives all its Taylor coefficients at every quadrature node. For
network kernels they are sums of terms of one sign, so each keeps its relative accuracy: the
sums of `recurrence` are chosen for it.

`JET` holds the elementary functions; NumPy's own (`np.exp`, `np.sqrt`, `np.arcsin`, `np.arccos`)
take jets too, so that a formula written for arrays needs no second spelling.
"""

import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.averages import recurrence
from fieldtheory.model.averages.recurrence import SHORT


class Jet:
    """A power series in h: coefficients of shape (order + 1, points), or with axes for a batch.

    Coefficients from number `length` on are known to be zero: a polynomial of low degree costs
    less.

    >>> x = Jet.variable(np.array([2.0]), np.array([1.0]), order=2)
    >>> (x * x).coefficients[:, 0].tolist()
    [4.0, 4.0, 1.0]
    """

    __slots__ = ("_arcsin", "_complement", "_inverse", "_root", "_square", "coefficients", "length")

    def __init__(self, coefficients: Array, length: int | None = None) -> None:
        self.coefficients = coefficients
        self.length = len(coefficients) if length is None else min(length, len(coefficients))
        # a layer needs each of these several times, of one correlation
        self._square: Jet | None = None
        self._complement: Jet | None = None
        self._root: Jet | None = None
        self._inverse: Jet | None = None
        self._arcsin: Jet | None = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy meets a jet: its functions and operators become those of this file."""
        known = UFUNCS.get(ufunc.__name__) if method == "__call__" and not options else None
        return known(*inputs) if known else NotImplemented

    @property
    def square(self) -> "Jet":
        """self * self, computed once."""
        if self._square is None:
            self._square = self._times(self)
        return self._square

    @property
    def complement(self) -> "Jet":
        """1 - self, computed once."""
        if self._complement is None:
            self._complement = self.__neg__().__add__(1)
        return self._complement

    @property
    def root(self) -> "Jet":
        """sqrt(self), computed once; of a polynomial as the integral of v' / 2 sqrt(v)."""
        if self._root is None:
            v = self.coefficients
            if self.length <= SHORT:
                half = recurrence.derivative(v) / 2
                slope = recurrence.multiply(half, self.inverse_root.coefficients, self.length)
                self._root = Jet(recurrence.integral(slope, np.sqrt(v[0])))
            else:
                self._root = Jet(recurrence.root(v))
        return self._root

    @property
    def inverse_root(self) -> "Jet":
        """1 / sqrt(self), computed once."""
        if self._inverse is None:
            if self.length <= SHORT:
                inverse = recurrence.power(self.coefficients, -0.5, self.length)
                self._inverse = Jet(inverse)
            else:
                self._inverse = quotient(_one(self), self.root)
        return self._inverse

    @property
    def arcsin(self) -> "Jet":
        """arcsin(self), computed once: the integral of p' / sqrt(1 - p^2)."""
        if self._arcsin is None:
            v, p = self.square.complement, self.coefficients
            slope = Jet(recurrence.derivative(p), self.length)
            polynomial = self.length <= SHORT
            slope = slope * v.inverse_root if polynomial else quotient(slope, v.root)
            self._arcsin = Jet(recurrence.integral(slope.coefficients, np.arcsin(p[0])))
        return self._arcsin

    def _times(self, other: "Jet") -> "Jet":
        if self.length > other.length:
            return other._times(self)
        product = recurrence.multiply(self.coefficients, other.coefficients, self.length)
        return Jet(product, self.length + other.length - 1)

    @staticmethod
    def variable(points: Array, scale: Array, order: int) -> "Jet":
        """points + scale * h."""
        series = np.zeros((order + 1, *points.shape))
        series[0] = points
        if order:
            series[1] = scale
        return Jet(series, 2)

    def __add__(self, other: Any) -> "Jet":
        if isinstance(other, Jet):
            return Jet(self.coefficients + other.coefficients, max(self.length, other.length))
        series = self.coefficients.copy()
        series[0] += other
        return Jet(series, max(1, self.length))

    def __neg__(self) -> "Jet":
        return Jet(-self.coefficients, self.length)

    def __sub__(self, other: Any) -> "Jet":
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> "Jet":
        if isinstance(other, int) and other == 1:
            return self.complement
        return self.__neg__().__add__(other)

    def __mul__(self, other: Any) -> "Jet":
        if not isinstance(other, Jet):
            return Jet(self.coefficients * other, self.length)
        return self.square if other is self else self._times(other)

    def __truediv__(self, other: Any) -> "Jet":
        if isinstance(other, Jet):
            return quotient(self, other)
        return Jet(self.coefficients / other, self.length)

    def __rtruediv__(self, other: Any) -> "Jet":
        return power(self, -1).__mul__(other)

    def __pow__(self, exponent: float) -> "Jet":
        """A whole power by squaring; a fraction or a negative one by recurrence."""
        if exponent < 0 or exponent != int(exponent):
            return power(self, exponent)
        if exponent == 0:
            return _one(self)
        if exponent % 2:
            return self if exponent == 1 else self._times(self ** (exponent - 1))
        return (self ** (exponent // 2)).square

    __radd__ = __add__
    __rmul__ = __mul__


def _one(like: Jet) -> Jet:
    series = np.zeros_like(like.coefficients)
    series[0] = 1
    return Jet(series, 1)


def quotient(above: Jet, below: Jet) -> Jet:
    """above / below."""
    return Jet(recurrence.divide(above.coefficients, below.coefficients, below.length))


def power(jet: Jet, exponent: float) -> Jet:
    """jet^exponent, for any exponent."""
    if exponent == -1:
        return quotient(_one(jet), jet)
    if abs(exponent) == 0.5:
        return jet.root if exponent > 0 else jet.inverse_root
    return Jet(recurrence.power(jet.coefficients, exponent, jet.length))


def sqrt(x: Any) -> Any:
    return x.root if isinstance(x, Jet) else np.sqrt(x)


def exp(x: Any) -> Any:
    return (
        Jet(recurrence.exponential(x.coefficients, x.length)) if isinstance(x, Jet) else np.exp(x)
    )


def arcsin(x: Any) -> Any:
    return x.arcsin if isinstance(x, Jet) else np.arcsin(x)


def arccos(x: Any) -> Any:
    return np.pi / 2 - arcsin(x) if isinstance(x, Jet) else np.arccos(x)


JET = SimpleNamespace(
    sqrt=sqrt, exp=exp, arccos=arccos, arcsin=arcsin, pi=np.pi, clip=lambda x, *_: x, one=1.0
)
UFUNCS: dict[str, Callable[..., Any]] = {
    "sqrt": sqrt,
    "exp": exp,
    "arcsin": arcsin,
    "arccos": arccos,
    "negative": operator.neg,
    "square": lambda x: x.square,
    # NumPy asks with the array first: the jet's reflected operator answers
    "add": lambda a, b: b.__radd__(a),
    "subtract": lambda a, b: b.__rsub__(a),
    "multiply": lambda a, b: b.__rmul__(a),
    "divide": lambda a, b: b.__rtruediv__(a),
}
