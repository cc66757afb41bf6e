"""Numbers of many digits as whole numbers: several times faster than mpmath in long sums.

A number x is kept as the integer nearest to x 2^bits, so that errors are absolute, 2^-bits an
operation: right for sums whose total is of order one.
"""

from typing import Any

import numpy as np

from fieldtheory.model.averages.many import flint, mpmath_bits

GUARD = 24  # bits beyond the precision of the context


def bits_of(context: Any) -> int:
    """Bits after the point for the precision of an mpmath context."""
    return int(context.prec) + GUARD


def whole(x: Any, bits: int, context: Any) -> Any:
    """x 2^bits rounded down: a number of mpmath or FLINT, or an array of them, to integers."""
    if isinstance(x, np.ndarray):
        return np.array([whole(each, bits, context) for each in x.ravel()], object).reshape(x.shape)
    if hasattr(x, "mid"):
        digits, power = (int(n) for n in x.mid().man_exp())
        return digits << power + bits if power + bits >= 0 else digits >> -(power + bits)
    return int(context.floor(context.ldexp(x, bits)))


def back(n: Any, bits: int, context: Any) -> Any:
    """The inverse of `whole`."""
    if isinstance(n, np.ndarray):
        return np.array([back(each, bits, context) for each in n.ravel()], object).reshape(n.shape)
    return context.ldexp(context.mpf(n), -bits)


def horner(coefficients: Any, p: Any, context: Any) -> Any:
    """sum_k c_k p^k for |p| <= 1, to the precision of the context relative to sum |c_k|.

    >>> import mpmath
    >>> half = mpmath.mpf(1) / 2
    >>> print(horner([half, half, half], half, mpmath.mp))
    0.875
    """
    bits = bits_of(context)
    at = whole(p, bits, context)
    total = 0 * at
    for c in reversed(coefficients):
        total = (total * at >> bits) + whole(c, bits, context)
    kind = type(p.flat[0] if isinstance(p, np.ndarray) else p)
    return balls(total, bits, kind) if hasattr(kind, "mid") else back(total, bits, context)


def balls(n: Any, bits: int, kind: Any) -> Any:
    """n / 2^bits as numbers of FLINT; `kind` makes one."""
    if isinstance(n, np.ndarray):
        return np.array([kind((each, -bits)) for each in n.ravel()], object).reshape(n.shape)
    return kind((n, -bits))


def long(x: Any) -> Any:
    """A number of FLINT as one of mpmath with as many digits; one of mpmath as it is."""
    if not hasattr(x, "mid"):
        return x
    context = mpmath_bits(flint().ctx.prec)
    digits, power = (int(n) for n in x.mid().man_exp())
    return context.ldexp(context.mpf(digits), power)
