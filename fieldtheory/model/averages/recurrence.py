r"""Products, quotients, roots and powers of truncated power series, on arrays of coefficients.

Coefficients have shape (order + 1, ...), the lowest order first; the other axes are points. Where
the coefficients of a kernel's series have one sign, so have all terms of the sums here, and every
coefficient keeps its relative accuracy: no fast transform would do that.

Sums run over blocks of `BLOCK` orders. In a recurrence :math:`\sum_k b_k g_{n-k} = a_n` the orders
below a block are summed at once, and the block itself is what remains, times the first terms
of the series 1/b.
"""

import numpy as np

from fieldtheory.ground.arrays import Array

BLOCK = 16
SHORT = 8  # coefficients of what counts as a polynomial: sums over it are cheap


def multiply(a: Array, b: Array, length: int) -> Array:
    """sum_k a_k b_(n-k), a ending at `length`."""
    if length <= SHORT:
        product: Array = a[0] * b
        for k in range(1, length):
            product[k:] += a[k] * b[:-k]
        return product
    product = np.empty(np.broadcast_shapes(a.shape, b.shape))
    padded = np.concatenate([np.zeros((BLOCK, *b.shape[1:])), b])
    for low in range(0, len(a), BLOCK):
        high = min(low + BLOCK, len(a))
        count = min(high, length)
        shifted = _shifted(padded, BLOCK + low, high - low, count)
        product[low:high] = _sums(a[:count], shifted)
    return product


def divide(a: Array, b: Array, length: int) -> Array:
    """a / b, b ending at `length`."""
    g = np.zeros(np.broadcast_shapes(a.shape, b.shape))
    first = len(g) if length <= SHORT else min(len(g), BLOCK)
    for n in range(first):
        m = min(n, length - 1)
        rest = a[n] - _sum(b[1 : m + 1], g[n - m : n][::-1]) if m else a[n]
        np.divide(rest, b[0], out=g[n])
    if first < len(g):
        inverse = _inverse(b)
        for low in range(first, len(g), BLOCK):
            high = min(low + BLOCK, len(g))
            rest = a[low:high] - _sums(g[:low], _shifted(b, low, high - low, low))
            g[low:high] = _product(inverse, rest)
    return g


def root(v: Array) -> Array:
    """sqrt(v)."""
    r = np.zeros_like(v)
    np.sqrt(v[0], out=r[0])
    for n in range(1, min(len(v), BLOCK)):
        rest = v[n] - _sum(r[1:n], r[1:n][::-1]) if n > 1 else v[n]
        np.divide(rest, 2 * r[0], out=r[n])
    if len(v) > BLOCK:
        inverse = _inverse(r)
        for low in range(BLOCK, len(v), BLOCK):
            high = min(low + BLOCK, len(v))
            # orders of the block itself are still zero: what they add is told by `inverse`
            rest = v[low:high] - _sums(r[1:low], _shifted(r, low - 1, high - low, low - 1))
            r[low:high] = _product(inverse, rest / 2)
    return r


def power(v: Array, exponent: float, length: int) -> Array:
    r"""v^a, v ending at `length`; Miller: :math:`n v_0 g_n = \sum_k (k a - n + k) v_k g_{n-k}`."""
    g = np.empty_like(v)
    g[0] = v[0] ** exponent
    u = v[:length] / v[0]
    ku = (exponent + 1) * orders(u) * u
    for n in range(1, len(v)):
        m = min(n, length - 1)
        if m < SHORT:
            total = (ku[1] / n - u[1]) * g[n - 1] if m else 0 * g[0]
            for k in range(2, m + 1):
                total += (ku[k] / n - u[k]) * g[n - k]
            g[n] = total
        else:
            tail = g[n - m : n][::-1]
            g[n] = _sum(ku[1 : m + 1], tail) / n - _sum(u[1 : m + 1], tail)
    return g


def exponential(p: Array, length: int) -> Array:
    r"""exp(p) by f' = p' f: :math:`n f_n = \sum_k k p_k f_{n-k}`, p ending at `length`."""
    kp, f = orders(p) * p, np.empty_like(p)
    np.exp(p[0], out=f[0])
    for n in range(1, len(p)):
        m = min(n, length - 1)
        np.divide(_sum(kp[1 : m + 1], f[n - m : n][::-1]), n, out=f[n])
    return f


def derivative(p: Array) -> Array:
    """p'; its last coefficient is not known, and left zero."""
    slope = np.zeros_like(p)
    slope[:-1] = (orders(p) * p)[1:]
    return slope


def integral(slope: Array, start: Array) -> Array:
    """f with f(0) = `start` and f' = `slope`; the last coefficient of the slope is not needed."""
    f = np.empty_like(slope)
    f[0] = start
    np.divide(slope[:-1], 1 + orders(slope[:-1]), out=f[1:])
    return f


def orders(v: Array) -> Array:
    """0, 1, 2, ... along the first axis of the coefficients."""
    return np.arange(float(len(v))).reshape(-1, *(1,) * (v.ndim - 1))


def _shifted(b: Array, first: int, rows: int, count: int) -> Array:
    """The array c[j, k] = b[first + j - k], without copying."""
    step, *rest = b.strides
    shape, strides = (rows, count, *b.shape[1:]), (step, -step, *rest)
    return np.ndarray(shape, b.dtype, np.ascontiguousarray(b), first * step, strides)


def _sum(a: Array, b: Array) -> Array:
    total: Array = np.einsum("k...,k...->...", a, b)
    return total


def _sums(a: Array, shifted: Array) -> Array:
    total: Array = np.einsum("k...,nk...->n...", a, shifted)
    return total


def _inverse(b: Array) -> Array:
    """The first orders of 1 / b."""
    one = np.zeros_like(b[:BLOCK])
    one[0] = 1
    return divide(one, b[:BLOCK], BLOCK)


def _product(a: Array, b: Array) -> Array:
    """Of the first orders of two series, as many as b has."""
    padded = np.concatenate([np.zeros_like(b), b])
    return _sums(a[: len(b)], _shifted(padded, len(b), len(b), len(b)))
