r"""Homogeneous spaces, as far as two-point functions see them.

Where a group moves every point to every other, a two-point function depends on how far the points
lie apart, and three arrays say all that a diagram needs: how many modes a degree has, deg(l), its
function P_l(t) with P_l = 1 at equal points, and the weights of a quadrature in t:

.. math::  f(t) = \sum_l \deg(l) f_l P_l(t), \qquad f_l = \int dt\; P_l(t) f(t), \qquad
           \int dt\; P_l P_{l'} = \delta_{ll'} / \deg(l)

The quadratures are exact, up to rounding, for products of band-limited functions: degrees add, and
`basis` is told their sum. No SymPy here: the numeric floors may use it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from math import comb

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput


@dataclass(frozen=True, eq=False)
class Basis:
    """The arrays of a space.

    multiplicities  deg(l), one per degree.
    functions       P_l at the nodes: shape (degrees, nodes).
    weights         of the quadrature: they sum to one.
    """

    multiplicities: Array
    functions: Array
    weights: Array

    def to_angles(self, coefficients: Array) -> Array:
        """Values at the nodes from coefficients, on the last axis."""
        return np.asarray((self.multiplicities * coefficients) @ self.functions)

    def to_degrees(self, values: Array) -> Array:
        """Coefficients from values at the nodes, on the last axis."""
        return np.asarray((self.weights * values) @ self.functions.T)


@dataclass(frozen=True)
class Space:
    """A homogeneous space. Make one with `sphere`, `circle`, `torus` or `hypercube`.

    >>> space = sphere(3)
    >>> print(space, space.basis(degrees=3, total=4).multiplicities)
    the sphere S^2 [1. 3. 5.]
    """

    name: str
    key: tuple[str, int]
    entries: Callable[[int], int] = field(repr=False, compare=False)
    make: Callable[[int, int], Basis] = field(repr=False, compare=False)
    nodes: Callable[[int], int] = field(repr=False, compare=False)
    shells: Callable[[int], int] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return self.name

    def basis(self, degrees: int, total: int) -> Basis:
        """Its arrays for coefficients 0 .. degrees - 1.

        total  the quadrature is exact for products of functions whose degrees add up to at most
               that; the last of the coefficients asked for counts as one of them.
        """
        count = checks.count("degrees", degrees, least=1)
        return _basis(self, count, checks.count("total", total))


@cache
def _basis(space: Space, degrees: int, total: int) -> Basis:
    return space.make(degrees, total)


# -- the sphere -----------------------------------------------------------------------------------


def sphere(dimension: int) -> Space:
    """The unit sphere S^(d-1) in `dimension` d >= 2, with the uniform measure; degree l = 0, 1, ...

    t is the cosine of the angle; P_l the Gegenbauer polynomial with P_l(1) = 1. Gauss' rule with n
    nodes is exact for degrees that add up to 2n - 1. A basis costs degrees * nodes numbers, and
    nodes^2 operations for the nodes.
    """
    d = checks.count("dimension", dimension, least=2)
    return Space(
        f"the sphere S^{d - 1}",
        ("sphere", d),
        entries=lambda last: last + 1,
        make=lambda degrees, total: _sphere(d, degrees, total),
        nodes=lambda total: total // 2 + 1,
        shells=lambda entries: entries - 1,
    )


def circle() -> Space:
    """The circle S^1: degree l has the modes cos(l theta) and sin(l theta)."""
    return sphere(2)


def _sphere(d: int, degrees: int, total: int) -> Basis:
    r"""Golub and Welsch (1969): the nodes are the eigenvalues of the matrix of the recurrence
    b_{l+1} p_{l+1} = t p_l - b_l p_{l-1} of the orthonormal polynomials,
    b_l^2 = l (l+d-3) / ((2l+d-2)(2l+d-4)). Their values at a node give its weight,
    1/sum_l p_l^2, to full relative accuracy, and deg(l) = p_l(1)^2."""
    from scipy.linalg import eigh_tridiagonal

    nodes = total // 2 + 1
    l = np.arange(1, max(nodes, degrees) + 1, dtype=float)
    b = np.sqrt(l * (l + d - 3) / ((2 * l + d - 2) * np.maximum(2 * l + d - 4, 1)))
    b[0] = 1 / np.sqrt(d)
    t = eigh_tridiagonal(np.zeros(nodes), b[: nodes - 1], eigvals_only=True)
    t = (t - t[::-1]) / 2  # the rule is even
    with np.errstate(over="ignore", invalid="ignore"):
        p = _orthonormal(b, np.append(t, 1.0), max(nodes, degrees))
        at_one = p[:degrees, -1]
        multiplicities = np.rint(at_one**2)
    if not np.all(np.isfinite(multiplicities)):
        last = int(np.argmin(np.isfinite(multiplicities))) - 1
        raise InvalidInput(
            f"degrees = {degrees} in dimension {d}: the number of modes exceeds the range of "
            f"floats beyond degree {last}; ask for at most {last + 1} degrees"
        )
    functions = p[:degrees, :-1] / at_one[:, None]
    weights = 1 / np.sum(p[:nodes, :-1] ** 2, axis=0)
    return Basis(frozen(multiplicities), frozen(functions), frozen(weights / weights.sum()))


def _orthonormal(b: Array, t: Array, count: int) -> Array:
    p = np.empty((count, t.size))
    p[0] = 1.0
    for l in range(1, count):
        below = b[l - 2] * p[l - 2] if l > 1 else 0.0
        p[l] = (t * p[l - 1] - below) / b[l - 1]
    return p


# -- tori -----------------------------------------------------------------------------------------


def torus(axes: int) -> Space:
    """The flat torus with that many angles. Its degrees are wave vectors n, one of each pair n, -n,
    ordered by their largest entry and then as in `wave_vectors`; P_n = cos(n . theta).

    A uniform grid of T + 1 points an axis is exact for wave numbers that add up to T, so a basis
    has (T + 1)^axes nodes.
    """
    k = checks.count("axes", axes, least=1)
    return Space(
        f"the torus T^{k}",
        ("torus", k),
        entries=lambda last: ((2 * last + 1) ** k + 1) // 2,
        make=lambda degrees, total: _torus(k, degrees, total),
        nodes=lambda total: (total + 1) ** k,
        shells=lambda entries: _shell(k, entries),
    )


def wave_vectors(axes: int, last: int) -> tuple[tuple[int, ...], ...]:
    """The wave vectors of `torus(axes)` with entries up to `last`, in their order.

    >>> wave_vectors(2, 1)
    ((0, 0), (0, 1), (1, -1), (1, 0), (1, 1))
    """
    found = [
        n
        for n in product(range(-last, last + 1), repeat=axes)
        if next((entry for entry in n if entry), 1) > 0
    ]
    return tuple(sorted(found, key=lambda n: (max(map(abs, n)), n)))


def _shell(axes: int, entries: int) -> int:
    last = 0
    while ((2 * last + 1) ** axes + 1) // 2 < entries:
        last += 1
    return last


def _torus(axes: int, degrees: int, total: int) -> Basis:
    vectors = np.array(wave_vectors(axes, _shell(axes, degrees))[:degrees])
    side = 2 * np.pi * np.arange(total + 1) / (total + 1)
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*[side] * axes)], axis=0)
    functions = np.cos(vectors @ grid)
    multiplicities = np.where(vectors.any(axis=1), 2.0, 1.0)
    weights = np.full(grid.shape[1], 1 / grid.shape[1])
    return Basis(frozen(multiplicities), frozen(functions), frozen(weights))


# -- the hypercube --------------------------------------------------------------------------------


def hypercube(bits: int) -> Space:
    """The corners of a cube, {-1, 1}^n; degree l holds the binom(n, l) products of l signs.

    t is the number of signs in which two corners differ; P_l is Krawtchouk's polynomial over its
    value at t = 0. The sum over t = 0 .. n is exact for every function.
    """
    n = checks.count("bits", bits, least=1)
    return Space(
        f"the hypercube of {n} bits",
        ("hypercube", n),
        entries=lambda last: min(last, n) + 1,
        make=lambda degrees, total: _hypercube(n, degrees),
        nodes=lambda total: n + 1,
        shells=lambda entries: entries - 1,
    )


def _hypercube(n: int, degrees: int) -> Basis:
    if degrees > n + 1:
        raise InvalidInput(f"degrees = {degrees}: {n} bits have degrees 0 to {n}")
    functions = [
        [
            sum((-1) ** k * comb(t, k) * comb(n - t, l - k) for k in range(l + 1)) / comb(n, l)
            for t in range(n + 1)
        ]
        for l in range(degrees)
    ]
    multiplicities = [float(comb(n, l)) for l in range(degrees)]
    weights = [comb(n, t) / 2**n for t in range(n + 1)]
    return Basis(frozen(multiplicities), frozen(functions), frozen(weights))
