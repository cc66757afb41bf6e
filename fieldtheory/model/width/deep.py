r"""Many hidden layers of n units each: the random kernel of the outputs, to first order in 1/n.

Given the kernel K of the fields of one layer, its units are independent, so the next kernel
K' = b + (w/n) sum_j phi_j phi_j is a random matrix of mean F(K) = b + w <phi phi>_K. Layer by
layer its mean shifts by S/n, and its covariance is V/n,

.. math:: S' &= F_K S + \tfrac12 F_{KK} V, \\
          V'_{ab,cd} &= F_{ab,K} V F_{cd,K}
          + w^2 \bigl[ \langle \phi_a\phi_b\phi_c\phi_d \rangle_K
          - \langle \phi_a\phi_b \rangle_K \langle \phi_c\phi_d \rangle_K \bigr],

with S = V = 0 for the kernel of the first layer. The outputs are Gaussian with the last kernel, so
K + S/n is their covariance and U / n their fourth cumulant,
:math:`U_{abcd} = V_{ab,cd} + V_{ac,bd} + V_{ad,bc}`.

F_ab depends on K_aa, K_bb and K_ab alone. In the variances q, r and the correlation p, which are
those of K_aa, K_bb and their p, it is smooth to the ends, so derivatives are differences with p
fixed; the one by K_ab is w <phi' phi'>. F_KK V is a second difference along the three directions in
which V moves the pair: then two inputs that nearly coincide do so still.

Source: Yaida, arXiv:1910.00019; Roberts, Yaida, Hanin, arXiv:2106.10165, chapter 4. Layers of
different widths: n is the mean one's, and the fresh term of a layer has n over its own width.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.activation import Activation
from fieldtheory.model.averages.mehler import Mehler
from fieldtheory.model.averages.pair import Pair
from fieldtheory.model.kernel import REAL
from fieldtheory.model.measures.gram import EQUAL_VARIANCE
from fieldtheory.model.network import Network
from fieldtheory.model.width.hidden import afford, at_covariance

STEP = 1e-2  # of differences, in the logarithm of a variance, and of the fluctuation of a kernel
ROUNDING = 1e-12  # of an eigenvalue of the fluctuation of one pair
BLOCK = 2**21  # numbers in one block of nodes x pairs
MOST = 64  # points
NODES = 32  # along each of two axes
PATHS = 40  # numbers for each pair of pairs and derivative, in bytes


@dataclass(frozen=True, eq=False)
class RandomKernel:
    """The kernel of the outputs over initialisations, at given points, to first order in 1/n.

    mean        (P, P) at infinite width, the output's bias in it
    shift       (P, P) S: the mean at width n is mean + shift / n
    covariance  (pairs, pairs) V over pairs a <= b in the order of `numpy.triu_indices`
    """

    mean: Array
    shift: Array
    covariance: Array

    @property
    def fourth(self) -> Array:
        """(P, P, P, P) U."""
        points = len(self.mean)
        afford(24 * points**4, f"the fourth cumulants of {points} points")
        place = _places(points)
        V = self.covariance[place.ravel()][:, place.ravel()].reshape(4 * (points,))
        found: Array = V + V.transpose(0, 2, 1, 3) + V.transpose(0, 2, 3, 1)
        return found


def random_kernel(
    network: Network, inputs: Array, coarse: bool = False, widths: Any = None
) -> RandomKernel:
    """The recursion through all hidden layers of a network at inputs (points, d).

    coarse  fewer nodes for the average of four units: the difference estimates its error
    widths  one for each hidden layer, over n; all one if left out

    It costs nodes x points^4 / 4 operations for each hidden layer, with some 10^5 nodes.

    Raises `InvalidInput` for a network without hidden layers, with the tangent kernel or residual
    connections; `OutOfRegime` for a jump, and for more points than memory holds.

    >>> linear = Network(4, "identity", weight_variance=1.0, bias_variance=0.0, kernel="nngp")
    >>> found = random_kernel(linear, np.array([[1.0]]))
    >>> round(float(found.covariance[0, 0]), 9), round(abs(float(found.shift[0, 0])), 9)
    (6.0, 0.0)
    """
    shares = _checked(network, widths)
    x, points = inputs, len(inputs)
    if points > MOST:
        raise OutOfRegime(
            f"{points} points, data and tests together: the average over four units takes some "
            f"10^5 x points^4 / 4 operations for each layer, and {MOST} points are allowed, which "
            "is minutes. Give fewer"
        )
    pairs = points * (points + 1) // 2
    afford(PATHS * pairs**2, f"the covariances of the kernel at {points} points")
    K = network.weights[0] * (x @ x.T) / x.shape[1] + network.biases[0]
    S, V = np.zeros_like(K), np.zeros((pairs, pairs))
    for number, (w, b) in enumerate(zip(network.weights[1:], network.biases[1:], strict=True)):
        layer = _Layer(network.phi, w, b, (K + K.T) / 2)
        nodes, weights, _ = at_covariance(layer.K, coarse)
        F = layer.value()
        if number:
            J = layer.derivatives()
            S, V = _passed(J, S) + _curved(layer, V), _propagated(J, V)
        V = V + w**2 / shares[number] * _fresh(network.phi(nodes), weights)
        K = F
    return RandomKernel(frozen(K), frozen(S), frozen(V))


def _checked(network: Network, widths: Any) -> list[float]:
    if network.kernel != "nngp" or network.depth < 2:
        raise InvalidInput(
            f"{network}: the correction is known for Bayesian inference with one hidden layer or "
            "more; give Network(depth=2 or more, kernel='nngp')"
        )
    if network.residual and network.depth > 2:
        raise InvalidInput(
            f"{network}: residual connections tie the units of two layers to each other; the "
            "recursion is for networks without, residual=0"
        )
    if network.depth > 2 and network.phi.slope_covariance is None:
        raise OutOfRegime(
            f"activation {network.phi.name!r} jumps: the variance of a kernel after two layers is "
            "no longer of order 1/n; take one hidden layer, or a continuous activation"
        )
    return [1.0] * (network.depth - 1) if widths is None else [float(each) for each in widths]


def _places(points: int) -> Any:
    """(points, points) which pair a <= b is."""
    found = np.zeros((points, points), dtype=np.intp)
    a, b = np.triu_indices(points)
    found[a, b] = found[b, a] = np.arange(a.size)
    return found


class _Layer:
    """F and its derivatives at the kernel K."""

    def __init__(self, phi: Activation, weight: float, bias: float, K: Array) -> None:
        self.phi, self.weight, self.bias, self.K = phi, weight, bias, K
        self.q = np.diag(K).copy()
        self.root = np.sqrt(np.outer(self.q, self.q))
        safe = np.where(self.root > 0, self.root, 1)
        self.p = np.clip(K / safe, -1, 1)
        np.fill_diagonal(self.p, 1.0)

    def at(self, q: Array, r: Array, p: Array) -> tuple[Array, Array]:
        """w <phi phi> and w <phi' phi'> at variances q, r (which broadcast) and correlation p."""
        mean = EQUAL_VARIANCE.get(self.phi.name.partition("(")[0])
        if mean is None:
            expand = self.phi.expand or Mehler(self.phi.name, self.phi.function, self.phi.slope)
            both = Pair(expand, q, r).at(p, REAL)
        else:
            m = mean(q, r) * np.ones_like(p)
            there = np.clip(p * np.sqrt(q * r) / np.where(m > 0, m, 1), -1, 1)
            slopes = self.phi.slope_covariance
            both = (
                self.phi.covariance(m, there, xp=REAL),
                slopes(m, there, xp=REAL) if slopes else 0 * m,
            )
        return self.weight * both[0], self.weight * both[1]

    def near(self, q: Array, r: Array, p: Array) -> Array:
        """w <phi phi> of many pairs, each with its own variances: where there is no closed form, by
        a rule of fixed nodes, whose error is smooth and drops out of differences."""
        if self.phi.name.partition("(")[0] in EQUAL_VARIANCE:
            return self.at(q, r, p)[0]
        node, weight = np.polynomial.hermite_e.hermegauss(NODES)
        weight = weight / weight.sum()
        u, found = np.sqrt(q)[:, None] * node, np.zeros_like(q)
        first = self.phi(u) * weight
        for v, share in zip(node, weight, strict=True):
            z = np.sqrt(r)[:, None] * (p[:, None] * node + np.sqrt(1 - p**2)[:, None] * v)
            found += share * np.sum(first * self.phi(z), axis=1)
        return self.weight * found

    def value(self) -> Array:
        """F."""
        return self.bias + self.at(self.q[:, None], self.q[None, :], self.p)[0]

    def derivatives(self) -> tuple[Array, Array, Array]:
        """dF_ab / dK_ab, dF_ab / dK_aa, dF_ab / dK_bb; a pair (a, a) has them all at once,
        and their sum counts."""
        q, r = self.q[:, None], self.q[None, :]
        cross = self.at(q, r, self.p)[1]
        scaled = [self.at(q * np.exp(n * STEP), r, self.p)[0] for n in (-2, -1, 1, 2)]
        along = (scaled[0] - 8 * scaled[1] + 8 * scaled[2] - scaled[3]) / (12 * STEP)
        own = (along - cross * self.K / 2) / q
        return cross, own, own.T


def _propagated(J: tuple[Array, Array, Array], V: Array) -> Array:
    """J V J^T, three entries in each row of J."""

    def once(M: Array) -> Array:
        points = len(J[0])
        place, (a, b) = _places(points), np.triu_indices(points)
        parts = zip(J, (place[a, b], place[a, a], place[b, b]), strict=True)
        return np.asarray(sum(each[a, b][:, None] * M[rows] for each, rows in parts))

    return once(once(V).T)


def _passed(J: tuple[Array, Array, Array], S: Array) -> Array:
    own = np.diag(S)
    return np.asarray(J[0] * S + J[1] * own[:, None] + J[2] * own[None, :])


def _curved(layer: _Layer, V: Array) -> Array:
    """F_KK V / 2: of each pair, along the directions in which V moves (K_aa, K_bb, K_ab)."""
    points = len(layer.K)
    place, (a, b) = _places(points), np.triu_indices(points)
    entries = np.stack([place[a, a], place[b, b], place[a, b]], axis=1)
    values, vectors = np.linalg.eigh(V[entries[:, :, None], entries[:, None, :]])
    kept = values > ROUNDING * values[:, -1:]  # a direction that is rounding may leave p <= 1
    moves = vectors * np.sqrt(np.where(kept, values, 0))[:, None, :]
    start = np.stack([layer.K[a, a], layer.K[b, b], layer.K[a, b]], axis=1)

    def there(step: float, way: int) -> Array:
        q, r, c = (start + step * moves[:, :, way]).T
        p = np.where(a == b, 1.0, np.clip(c / np.sqrt(q * r), -1, 1))
        return layer.near(q, r, p)

    here, found = there(0.0, 0), np.zeros(a.size)
    for way in range(3):
        one, two = (there(n * STEP, way) + there(-n * STEP, way) - 2 * here for n in (1, 2))
        found += (16 * one - two) / (12 * STEP**2) / 2
    whole = found[place]
    return np.asarray(whole)


def _fresh(values: Array, weights: Array) -> Array:
    """The covariance of phi_a phi_b and phi_c phi_d, (pairs, pairs)."""
    a, b = np.triu_indices(values.shape[1])
    mean, total = np.zeros(a.size), np.zeros((a.size, a.size))
    size = max(1, BLOCK // a.size)
    for start in range(0, len(weights), size):
        part = slice(start, start + size)
        products = values[part][:, a] * values[part][:, b]
        weighted = products * weights[part, None]
        total += weighted.T @ products
        mean += weighted.sum(axis=0)
    return np.asarray(total - np.outer(mean, mean))
