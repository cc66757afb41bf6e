r"""The posterior of a deep network to first order in 1/n, from the first moments of its kernel.

Its action is that of `theory.width` with one more vertex: the mean kernel K + S/n adds
S h^2 / 2n to U h^4 / 4! n. Around h = b, with <hh> = -A, the first order is the average of the one
vertex with a leg at the test point,

.. math:: f = K_* b + \frac1n \bigl[ \tilde S_{*a} b_a
          + \tfrac16 \tilde U_{*abc} (b_a b_b b_c - 3 A_{ab} b_c) \bigr].

Two such vertices, joined by one, two or three lines, are a part of the second order; its others are
the sixth cumulant and what S and U have of the next order. `beyond` takes the size of the part that
is known, each number of lines on its own, for all of it.
"""

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.width.deep import RandomKernel


class Tensors:
    """Vertices at N data and T test points, the data first."""

    def __init__(self, kernel: RandomKernel, labels: Array, ridge: float) -> None:
        N, K = labels.size, kernel.mean
        A = np.linalg.inv(K[:N, :N] + ridge * np.eye(N))
        self.B, self.b = -(A + A.T) / 2, A @ labels
        across = K[N:, :N]
        self.mean = across @ self.b
        self.variance = np.diag(K)[N:] + np.sum((across @ self.B) * across, axis=1)
        leg = np.concatenate([across @ self.B, np.eye(len(across))], axis=1)  # ~*
        S, U = kernel.shift, kernel.fourth
        self.S, self.S_leg = S[:N, :N], leg @ S[:, :N]
        self.S_both = np.einsum("ta,ab,tb->t", leg, S, leg)
        data = U[:, :N, :N, :N]
        self.U, self.U_leg = data[:N], np.tensordot(leg, data, axes=1)
        pairs = np.tensordot(leg, U[:, :, :N, :N], axes=1)
        self.U_both = np.einsum("tabc,ta->tbc", pairs, leg)
        self.hh = np.outer(self.b, self.b) + self.B

    def _gradient(self, S: Array, U: Array) -> Array:
        """<S_l h + U_lhhh / 6>."""
        b, B = self.b, self.B
        bent = np.einsum("labc,ab->lc", U, np.outer(b, b) + 3 * B)
        return np.asarray(S @ b + bent @ b / 6)

    def first(self) -> Array:
        """The posterior mean's part in 1/n."""
        return self._gradient(self.S_leg, self.U_leg)

    def variance_first(self) -> Array:
        """The posterior variance's."""
        return np.asarray(self.S_both + np.einsum("tab,ab->t", self.U_both, self.hh) / 2)

    def evidence_first(self) -> float:
        """The log evidence's: <S hh / 2 + U hhhh / 24>."""
        B, bb = self.B, np.outer(self.b, self.b)
        U = np.einsum("abcd,cd->ab", self.U, bb + 6 * B)
        four = np.sum(U * bb) + 3 * np.einsum("abcd,ab,cd->", self.U, B, B)
        return float(np.sum(self.S * self.hh) / 2 + four / 24)

    def beyond(self) -> Array:
        """The size of the second order: two vertices joined by one, two and three lines."""
        found: Array = np.sum(np.abs(self.joined()), axis=0)
        return found

    def joined(self) -> Array:
        """(3, tests) two vertices joined by one, two and three lines."""
        b, B = self.b, self.B
        two = self.S + np.einsum("abcd,cd->ab", self.U, self.hh) / 2
        two_leg = self.S_leg + np.einsum("labc,bc->la", self.U_leg, self.hh) / 2
        one = two_leg @ B @ self._gradient(self.S, self.U)
        three_leg, three = self.U_leg @ b, self.U @ b
        pair = np.einsum("lab,ab->l", three_leg, B @ two @ B) / 2
        for _ in range(3):  # each turn contracts the first axis and puts it last
            three = np.tensordot(three, B, axes=(0, 0))
        triple = np.einsum("labc,abc->l", self.U_leg, three) / 6
        return np.stack([one, pair, triple])
