"""Truncated power series ("jets"): the Taylor coefficients of a formula, at many points at once.

A kernel formula evaluated on jets gives all its Taylor coefficients at every quadrature node. For
network kernels they are sums of terms of one sign, so each keeps its relative accuracy.

`JET` holds the elementary functions; NumPy's own (`np.exp`, `np.sqrt`, `np.arcsin`, `np.arccos`)
take jets too, so that a formula written for arrays needs no second spelling.
"""

import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array


class Jet:
    """A power series in h: coefficients of shape (order + 1, points), or with axes for a batch.

    >>> x = Jet.variable(np.array([2.0]), np.array([1.0]), order=2)
    >>> (x * x).coefficients[:, 0].tolist()
    [4.0, 4.0, 1.0]
    """

    __slots__ = ("_arcsin", "_square", "coefficients")

    def __init__(self, coefficients: Array) -> None:
        self.coefficients = coefficients
        self._square: Jet | None = None  # a layer needs both of these of one correlation twice
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
    def arcsin(self) -> "Jet":
        """arcsin(self), computed once."""
        if self._arcsin is None:
            slope = power(1 - self.square, -0.5).coefficients
            start = np.arcsin(self.coefficients[0])
            self._arcsin = integrate(lambda n, _: slope[:n], self, start)
        return self._arcsin

    def _times(self, other: "Jet") -> "Jet":
        a, b = self.coefficients, other.coefficients
        product = np.empty_like(a)
        for n in range(len(a)):
            np.einsum("k...,k...->...", a[: n + 1], b[n::-1], out=product[n])
        return Jet(product)

    @staticmethod
    def variable(points: Array, scale: Array, order: int) -> "Jet":
        """points + scale * h."""
        series = np.zeros((order + 1, *points.shape))
        series[0] = points
        if order:
            series[1] = scale
        return Jet(series)

    def __add__(self, other: Any) -> "Jet":
        if isinstance(other, Jet):
            return Jet(self.coefficients + other.coefficients)
        series = self.coefficients.copy()
        series[0] += other
        return Jet(series)

    def __neg__(self) -> "Jet":
        return Jet(-self.coefficients)

    def __sub__(self, other: Any) -> "Jet":
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> "Jet":
        return self.__neg__().__add__(other)

    def __mul__(self, other: Any) -> "Jet":
        if not isinstance(other, Jet):
            return Jet(self.coefficients * other)
        return self.square if other is self else self._times(other)

    def __truediv__(self, other: Any) -> "Jet":
        return self * power(other, -1) if isinstance(other, Jet) else Jet(self.coefficients / other)

    def __rtruediv__(self, other: Any) -> "Jet":
        return power(self, -1).__mul__(other)

    def __pow__(self, exponent: float) -> "Jet":
        """A whole power by squaring; a fraction or a negative one by recurrence."""
        if exponent < 0 or exponent != int(exponent):
            return power(self, exponent)
        if exponent == 0:
            return Jet(np.zeros_like(self.coefficients)).__add__(1)
        if exponent % 2:
            return self if exponent == 1 else self._times(self ** (exponent - 1))
        return (self ** (exponent // 2)).square

    __radd__ = __add__
    __rmul__ = __mul__


def power(jet: Jet, exponent: float) -> Jet:
    r"""v^a by Miller's recurrence :math:`n v_0 g_n = \sum_k (k a - (n - k)) v_k g_{n-k}`."""
    v = jet.coefficients
    g = np.empty_like(v)
    g[0] = v[0] ** exponent
    kv = (exponent + 1) * _orders(v) * v
    for n in range(1, len(v)):
        tail = g[n - 1 :: -1]
        total = np.einsum("k...,k...->...", kv[1 : n + 1], tail)
        total -= n * np.einsum("k...,k...->...", v[1 : n + 1], tail)
        g[n] = total / (n * v[0])
    return Jet(g)


def integrate(slope: Callable[[int, Array], Array], jet: Jet, start: Array) -> Jet:
    """f with f(0) = `start` and f' = p' s; slope(n, f) returns s_0 .. s_(n-1), known by then."""
    p = jet.coefficients
    kp = _orders(p) * p
    f = np.empty_like(p)
    f[0] = start
    for n in range(1, len(p)):
        f[n] = np.einsum("k...,k...->...", kp[1 : n + 1], slope(n, f)[::-1]) / n
    return Jet(f)


def _orders(v: Array) -> Array:
    """0, 1, 2, ... along the first axis of the coefficients."""
    return np.arange(float(len(v))).reshape(-1, *(1,) * (v.ndim - 1))


def sqrt(x: Any) -> Any:
    return power(x, 0.5) if isinstance(x, Jet) else np.sqrt(x)


def exp(x: Any) -> Any:
    if not isinstance(x, Jet):
        return np.exp(x)
    return integrate(lambda n, f: f[:n], x, np.exp(x.coefficients[0]))


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
