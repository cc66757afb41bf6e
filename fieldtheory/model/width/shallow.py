r"""The posterior of a network of one hidden layer of n units, through order 1/n^2.

Its prior has a fourth cumulant U / n, with one term per pairing

.. math:: U_{abcd} = \sigma_w^4 \bigl[ 3 \langle \phi_a\phi_b\phi_c\phi_d \rangle
          - \langle \phi_a\phi_b \rangle \langle \phi_c\phi_d \rangle - \text{2 more} \bigr],

and a sixth V / n^2. The diagrams of `theory.width` turn them into the posterior. With
A = (K + s2)^-1, b = A y, and a leg ~* = * - K_*a A_a. at the test point, the first order is

.. math:: f = K_* b + \frac{1}{6n} \tilde U_{*abc} (b_a b_b b_c - 3 A_{ab} b_c)

that is, the average of U~_*hhh / 6n over a Gaussian h of mean b and covariance -A. So is every
diagram without lines between vertices; those with k lines join the averaged k-th derivatives of
two vertices by (-A)^k / k!. Legs are contracted before they are averaged over the hidden unit, so
that the largest array has N^3 entries. Source of the idea: Yaida, arXiv:1910.00019.
"""

from typing import Any, NamedTuple

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.width.hidden import HiddenUnit

BLOCK = 2**21  # numbers in one block of nodes x N^2


class Average(NamedTuple):
    """Averages over h of powers of x = F.h at each node."""

    one: Array
    two: Array
    three: Array
    four: Array
    five: Array


class Expansion:
    """The diagrams at one set of nodes.

    F are the hidden unit's values at the data, T those on the test legs ~*; k = <T F>; x = F.h and
    s = h <F F> h, with h a Gaussian of mean b and covariance B = -A.
    """

    def __init__(self, unit: HiddenUnit, bias: float, labels: Array, ridge: float) -> None:
        N, all_of = labels.size, unit.kernel
        self.w, self.F = unit.weights, unit.values[:, :N]
        self.K = all_of[:N, :N]
        full = all_of + bias
        A = np.linalg.inv(full[:N, :N] + ridge * np.eye(N))
        self.B, self.b = -(A + A.T) / 2, A @ labels
        across = full[N:, :N]
        self.mean = across @ self.b
        self.variance = np.diag(full)[N:] + np.sum((across @ self.B) * across, axis=1)
        self.T = unit.values[:, N:] + self.F @ (across @ self.B).T
        self.k = (self.T * self.w[:, None]).T @ self.F
        self.Kb, self.kb = self.K @ self.b, self.k @ self.b
        self.KB = self.K @ self.B
        self.s = float(self.b @ self.Kb + np.trace(self.KB))
        self.FB = self.F @ self.B
        v, x = np.sum(self.FB * self.F, axis=1), self.F @ self.b  # variance of x is negative
        self.x = Average(
            x, x**2 + v, x**3 + 3 * v * x, x**4 + 6 * v * x**2 + 3 * v**2,
            x**5 + 10 * v * x**3 + 15 * v**2 * x,
        )  # fmt: skip

    def over(self, legs: Array, factor: Array) -> Array:
        """<legs factor> over the hidden unit, for each column of legs."""
        found: Array = legs.T @ (self.w * factor)
        return found

    def _gradient(self, legs: Array, k: Array) -> Array:
        """The average of U_lhhh / 6 for the given legs l, k = <legs F>."""
        rest = (k @ self.b) * self.s + 2 * k @ self.B @ self.Kb
        return (self.over(legs, self.x.three) - rest) / 2

    def first(self) -> Array:
        """U~_*hhh / 6, averaged."""
        return self._gradient(self.T, self.k)

    def variance_first(self) -> Array:
        """U~_**hh / 2, averaged."""
        own = self.w @ self.T**2
        pairs = own * self.s + 2 * (self.kb**2 + np.sum((self.k @ self.B) * self.k, axis=1))
        found: Array = (3 * ((self.w * self.x.two) @ self.T**2) - pairs) / 2
        return found

    def _s_squared(self) -> float:
        return float(self.s**2 + 4 * self.Kb @ self.B @ self.Kb + 2 * np.sum(self.KB * self.KB.T))

    def evidence_first(self) -> float:
        """U_hhhh / 24, averaged."""
        return (float(self.w @ self.x.four) - self._s_squared()) / 8

    def sixth(self) -> Array:
        """V~_*hhhhh / 120, averaged: <6> counts 15, the ways of <4><2> -3, of <2><2><2> 2 each."""
        x, T, Kb, kb = self.x, self.T, self.Kb, self.kb
        six = 15 * self.over(T, x.five)
        kBF = self.over(self.FB, x.three)  # <F.B x^3>
        four = 15 * (kb * (self.w @ x.four) + 4 * self.k @ kBF)
        bent = np.sum((self.FB @ self.K) * self.FB, axis=1)
        along = x.three * self.s + 6 * x.two * (self.FB @ Kb) + 6 * x.one * bent
        two = 30 * self.over(T, along)
        sh = self.b * self.s + 2 * self.B @ Kb
        three = 30 * (kb * self._s_squared() + 4 * self.k @ self.B @ self.K @ sh)
        found: Array = (six - four - two + three) / 120
        return found

    def joined(self) -> Array:
        """Two fourth cumulants joined by one, two or three lines."""
        return self._one_line() + self._two_lines() + self._three_lines()

    def _one_line(self) -> Array:
        """(U~_*ahh / 2) B (U_ahhh / 6)."""
        towards = self.B @ self._gradient(self.F, self.K)
        two = self.over(self.T, self.x.two * (self.F @ towards))
        Kt = self.K @ towards
        rest = (self.k @ towards) * self.s + 2 * (self.kb * (self.b @ Kt) + self.k @ self.B @ Kt)
        return (3 * two - rest) / 2

    def _two_lines(self) -> Array:
        """U~_*abh B B (U_abhh / 2) / 2."""
        weighted = self.F * (self.w * self.x.two)[:, None]
        pairs = np.outer(self.Kb, self.Kb) + self.KB @ self.K
        second = (3 * weighted.T @ self.F - self.K * self.s - 2 * pairs) / 2
        M = self.B @ second @ self.B
        through = self.x.one * np.sum((self.F @ M) * self.F, axis=1)
        rest = 2 * self.k @ M @ self.Kb + self.kb * np.sum(self.K * M)
        found: Array = (3 * self.over(self.T, through) - rest) / 2
        return found

    def _three_lines(self) -> Array:
        """U~_*abc B B B U_abch / 6, the inner tensor with N^3 entries."""
        N = self.b.size
        three = np.zeros((N * N, N))
        for (F, x), w in cut((self.F, self.x.one), self.w, N * N):
            pairs = (F[:, :, None] * F[:, None, :]).reshape(len(F), -1)
            three += pairs.T @ (F * (w * x)[:, None])
        W = 3 * three.reshape(N, N, N)
        for pairing in ("ab,c->abc", "ac,b->abc", "bc,a->abc"):
            W -= np.einsum(pairing, self.K, self.Kb)
        for _ in range(3):  # each turn contracts the first axis and puts it last
            W = np.tensordot(W, self.B, axes=(0, 0))
        total = -np.einsum("ta,bc,abc->t", self.k, self.K, W, optimize=True)
        flat = W.reshape(N * N, N)
        for (F, T), w in cut((self.F, self.T), self.w, N * N):
            pairs = (F[:, :, None] * F[:, None, :]).reshape(len(F), -1)
            total += T.T @ (w * np.sum((pairs @ flat) * F, axis=1))
        return np.asarray(total / 2)


def blocks(unit: HiddenUnit, wide: int) -> Any:
    """Values and weights, block by block; see `cut`."""
    for (values,), weights in cut((unit.values,), unit.weights, wide):
        yield values, weights


def cut(arrays: tuple[Array, ...], weights: Array, wide: int) -> Any:
    """Blocks of nodes: so many that a row of `wide` numbers for each stays small."""
    size = max(1, BLOCK // wide)
    for start in range(0, len(weights), size):
        part = slice(start, start + size)
        yield tuple(array[part] for array in arrays), weights[part]
