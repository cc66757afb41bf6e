"""Arithmetic with many digits: by FLINT where python-flint is installed, by mpmath else.

Both are asked through the names of an mpmath context. FLINT's balls carry bounds on their rounding;
here their midpoints alone are used, so that both ways give the same digits: what is lost to
rounding is told by the working precision of whoever asks (`measures.precise`).
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np


@cache
def mpmath_context(digits: int) -> Any:
    """mpmath at a precision of its own: the user's is left alone."""
    import mpmath

    context = mpmath.mp.clone()
    context.dps = digits
    return context


@cache
def mpmath_bits(bits: int) -> Any:
    """The same, with so many binary digits."""
    context = mpmath_context(15).clone()
    context.prec = bits
    return context


@cache
def flint() -> Any:
    """python-flint, or None."""
    try:
        return import_module("flint")
    except ImportError:
        return None


class Arithmetic:
    """Numbers of some digits and the functions of them that quadratures and kernels need.

    >>> numbers = Arithmetic(30)
    >>> with numbers.working():
    ...     print(str(numbers.sqrt(numbers.number(2)))[:12].strip("["))
    1.414213562...
    """

    def __init__(self, digits: int, balls: bool | None = None) -> None:
        self.context = mpmath_context(digits)
        self.balls = flint() is not None if balls is None else balls

    def working(self) -> AbstractContextManager[Any]:
        """To be entered before any computation: FLINT has one precision for all."""
        return flint().ctx.workprec(self.context.prec) if self.balls else nullcontext()

    def number(self, x: Any) -> Any:
        """A whole number or a float, as it is."""
        return flint().arb(x) if self.balls else self.context.mpf(x)

    @property
    def pi(self) -> Any:
        return flint().arb.pi().mid() if self.balls else +self.context.pi

    def finite(self, x: Any) -> bool:
        return bool(x.is_finite() if hasattr(x, "is_finite") else self.context.isfinite(x))

    def __getattr__(self, name: str) -> Any:
        """An elementary function, by the name it has in mpmath and in FLINT."""
        if not self.balls:
            return getattr(self.context, name)
        return lambda x: getattr(x.mid(), name)()

    def world(self) -> SimpleNamespace:
        """The functions a kernel formula needs, on arrays of such numbers."""
        names = {"sqrt": "sqrt", "exp": "exp", "arccos": "acos", "arcsin": "asin", "sinh": "sinh"}
        functions = {
            name: np.frompyfunc(getattr(self, theirs), 1, 1) for name, theirs in names.items()
        }
        middle: Any = (lambda x: x.mid()) if self.balls else (lambda x: x)
        number = self.number
        clip = np.frompyfunc(lambda x, a, b: min(max(middle(x), number(a)), number(b)), 3, 1)
        return SimpleNamespace(**functions, clip=clip, pi=self.pi, one=self.number(1))
