r"""Values with their derivatives by the number of samples.

A `Taylor` holds the coefficients f_0, f_1, ... of

.. math:: f(\eta) = \sum_j f_j \epsilon^j, \qquad \eta = N (1 + \epsilon),

so that f_j = N^j f^{(j)}(N) / j!. `FUNCTIONS` are those the generated programs ask of `xp`: what is
linear acts on every coefficient.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array


class Taylor:
    """Coefficients on the first axis; the others broadcast as in NumPy, and must be as many on both
    sides of an operation between two of them.

    >>> eta = Taylor.samples(np.array([4.0]), 3)
    >>> (1 / eta**2).coefficients[:, 0].tolist()                 # 1/16 (1 - 2 e + 3 e^2)
    [0.0625, -0.125, 0.1875]
    """

    __array_ufunc__ = None  # NumPy leaves the operators to this class
    __slots__ = ("coefficients",)

    def __init__(self, coefficients: Array) -> None:
        self.coefficients = coefficients

    @staticmethod
    def samples(N: Array, count: int) -> "Taylor":
        """eta itself, with that many coefficients."""
        found = np.zeros((count, *np.shape(N)))
        found[:2] = N
        return Taylor(found)

    @staticmethod
    def linear(act: Callable[[Array], Any], value: Any) -> Any:
        """A linear map of the last axes."""
        if not isinstance(value, Taylor):
            return act(value)
        return Taylor(np.asarray(act(value.coefficients)))

    def first(self, count: int) -> "Taylor":
        """Its first coefficients alone."""
        return Taylor(self.coefficients[:count])

    def __add__(self, other: Any) -> "Taylor":
        if isinstance(other, Taylor):
            return Taylor(self.coefficients + other.coefficients)
        shape = np.broadcast_shapes(self.coefficients.shape[1:], np.shape(other))
        found = np.array(np.broadcast_to(self.coefficients, (len(self.coefficients), *shape)))
        found[0] += other
        return Taylor(found)

    def __neg__(self) -> "Taylor":
        return Taylor(-self.coefficients)

    def __sub__(self, other: Any) -> "Taylor":
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> "Taylor":
        return self.__neg__().__add__(other)

    def __mul__(self, other: Any) -> "Taylor":
        if not isinstance(other, Taylor):
            return Taylor(self.coefficients * other)
        return Taylor(_convolved(self.coefficients, other.coefficients, np.multiply))

    def __matmul__(self, other: Any) -> "Taylor":
        if not isinstance(other, Taylor):
            return Taylor(self.coefficients @ other)
        return Taylor(_convolved(self.coefficients, other.coefficients, np.matmul))

    def __rmatmul__(self, other: Any) -> "Taylor":
        return Taylor(other @ self.coefficients)

    def __rtruediv__(self, other: Any) -> "Taylor":
        """other / self, by the recurrence of the reciprocal."""
        own = self.coefficients
        found = np.empty_like(own)
        found[0] = 1 / own[0]
        for n in range(1, len(own)):
            total = sum(own[k] * found[n - k] for k in range(1, n + 1))
            found[n] = -found[0] * total
        return Taylor(found).__mul__(other)

    def __truediv__(self, other: Any) -> "Taylor":
        if isinstance(other, Taylor):
            return self.__mul__(other.__rtruediv__(1.0))
        return Taylor(self.coefficients / other)

    def __pow__(self, exponent: int) -> "Taylor":
        """A whole power, one or more."""
        half = self ** (exponent // 2) if exponent > 1 else self
        if exponent == 1:
            return self
        return half * half * self if exponent % 2 else half * half

    __radd__ = __add__
    __rmul__ = __mul__


def _convolved(a: Array, b: Array, product: Callable[[Array, Array], Array]) -> Array:
    """The coefficients of a product."""
    rows = [sum(product(a[k], b[n - k]) for k in range(n + 1)) for n in range(len(a))]
    return np.array(rows)


FUNCTIONS = SimpleNamespace(
    expand_dims=lambda value, axis: Taylor.linear(lambda x: np.expand_dims(x, axis), value),
    sum=lambda value, axis: Taylor.linear(lambda x: np.sum(x, axis=axis), value),
    diagonal=lambda value, axis1, axis2: Taylor.linear(
        lambda x: np.diagonal(x, axis1=axis1, axis2=axis2), value
    ),
    swapaxes=lambda value, one, other: Taylor.linear(lambda x: np.swapaxes(x, one, other), value),
    matmul=lambda one, other: one @ other,
)
