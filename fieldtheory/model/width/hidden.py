r"""One hidden unit seen at given points: nodes for averages over its random weights.

The values z_a = w.x_a of one unit at P points are Gaussian with covariance Sigma, of rank r: the
number of features at most, and one for a bias. Every average over the unit, of any number of points
at once, is an integral over these r dimensions,

.. math:: \langle \phi(z_a) \phi(z_b) \phi(z_c) \phi(z_d) \rangle = \sum_q w_q\,
          \phi_{qa} \phi_{qb} \phi_{qc} \phi_{qd}

with the same nodes q for all of them. r = 1 and 2: Gauss-Legendre panels along the radius and equal
angles, which kinks through the origin (ReLU) do not disturb; r = 3: a product of Gauss-Hermite
rules; beyond, a lattice in the unit cube, z and -z together. From r = 3 on two or three digits are
right, and the coarser rule says how many.
"""

from dataclasses import dataclass

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.measures.gram import points
from fieldtheory.model.network import Network

PANELS = (0.0, 0.5, 2.0, 5.0, 11.0)  # of the radius: beyond, a Gaussian is below rounding
RADIAL = (24, 16)  # nodes in each panel: fine, coarse
ANGLES = (1024, 768)
PRODUCT = {3: (44, 36)}  # nodes along each axis
LATTICE = (2**16, 2**15)  # pairs of points
RANK = 1e-13  # an eigenvalue of Sigma smaller than this, relative to the largest, is none
RANK_AT_MOST = 64
MEMORY = 2 * 2**30


@dataclass(frozen=True, eq=False)
class HiddenUnit:
    """The output of one hidden unit at each node and point, times the root of its weight variance.

    values   (nodes, points) sqrt(weight variance) phi(z)
    weights  (nodes,) of the average over the unit; they sum to one
    rank     the number of dimensions integrated over
    """

    values: Array
    weights: Array
    rank: int

    def average(self, factor: Array) -> Array:
        """<factor>, the first axis being the nodes."""
        return np.asarray(np.tensordot(self.weights, factor, axes=1))

    @property
    def kernel(self) -> Array:
        """(points, points) <phi phi>: the kernel of infinite width, without the output's bias."""
        found: Array = (self.values * self.weights[:, None]).T @ self.values
        return found


def hidden_unit(network: Network, inputs: Array, coarse: bool = False) -> HiddenUnit:
    """The nodes for a network of one hidden layer at inputs (points, d).

    `coarse` takes fewer nodes: the difference is an estimate of the error of the finer ones.

    Raises `InvalidInput` for a network of another depth, or the tangent kernel: gradient descent is
    not Bayes' rule. Raises `OutOfRegime` for more than 64 dimensions.

    >>> network = Network(2, "relu", weight_variance=2.0, bias_variance=0.0, kernel="nngp")
    >>> unit = hidden_unit(network, np.array([[1.0, 1.0], [0.0, 1.0]]))
    >>> unit.rank, unit.kernel.round(6).tolist()
    (2, [[2.0, 1.068311], [1.068311, 1.0]])
    """
    x = points("inputs", inputs)
    if network.depth != 2 or network.kernel != "nngp":
        raise InvalidInput(
            f"{network}: the correction is known for Bayesian inference with one hidden layer; "
            "give Network(depth=2, kernel='nngp')"
        )
    sigma = network.weights[0] * (x @ x.T) / x.shape[1] + network.biases[0]
    z, weights, rank = at_covariance(sigma, coarse)
    values = np.sqrt(network.weights[1]) * network.phi(z)
    return HiddenUnit(frozen(values), weights, rank)


def at_covariance(sigma: Array, coarse: bool = False) -> tuple[Array, Array, int]:
    """Nodes (nodes, points) of Gaussian fields of covariance `sigma`, their weights, the rank.

    Raises `OutOfRegime` for more than 64 dimensions.
    """
    lam, vectors = np.linalg.eigh(sigma)
    kept = lam > RANK * max(float(lam[-1]), np.finfo(float).tiny)
    rank = int(np.sum(kept))
    if rank > RANK_AT_MOST:
        raise OutOfRegime(
            f"the inputs span {rank} dimensions (a bias is one), at most {RANK_AT_MOST} can be "
            "integrated over: give fewer points or project the inputs"
        )
    g, weights = _nodes(rank, int(coarse))
    afford(32 * len(g) * len(sigma), f"{len(g)} nodes for {len(sigma)} points")
    return g @ (vectors[:, kept] * np.sqrt(lam[kept])).T, frozen(weights), rank


def afford(needed: float, what: str) -> None:
    """Refuse, before any is taken, what needs more memory than a computer is sure to have."""
    if needed > MEMORY:
        raise OutOfRegime(
            f"{what} take {needed:.2g} bytes, allowed are {MEMORY:.2g}: give fewer points"
        )


def _nodes(rank: int, level: int) -> tuple[Array, Array]:
    """Nodes (Q, rank) and weights (Q,) of the standard normal distribution."""
    if rank == 0:
        return np.zeros((1, 0)), np.ones(1)
    if rank <= 2:
        return _polar(rank, level)
    if rank in PRODUCT:
        return _product(rank, PRODUCT[rank][level])
    return _lattice(rank, LATTICE[level])


def _polar(rank: int, level: int) -> tuple[Array, Array]:
    unit, share = np.polynomial.legendre.leggauss(RADIAL[level])
    edges = np.array(PANELS)
    width = np.diff(edges)[:, None]
    radius = (edges[:-1, None] + width * (unit + 1) / 2).ravel()
    weight = (width * share / 2).ravel() * radius ** (rank - 1) * np.exp(-(radius**2) / 2)
    angles = ANGLES[level] if rank == 2 else 2
    turn = 2 * np.pi * (np.arange(angles) + 0.5 * (rank == 2)) / angles
    around = np.stack([np.cos(turn), np.sin(turn)], axis=1)[:, :rank]
    nodes = (radius[:, None, None] * around).reshape(-1, rank)
    weights = np.repeat(weight, angles)
    return nodes, weights / weights.sum()


def _product(rank: int, each: int) -> tuple[Array, Array]:
    node, weight = np.polynomial.hermite_e.hermegauss(each)
    nodes = np.stack(np.meshgrid(*[node] * rank, indexing="ij"), axis=-1).reshape(-1, rank)
    weights = weight
    for _ in range(rank - 1):
        weights = np.multiply.outer(weights, weight)
    return nodes, weights.ravel() / weights.sum()


def _lattice(rank: int, pairs: int) -> tuple[Array, Array]:
    """Steps by the powers of the root of g^(rank+1) = g + 1, as far from fractions as can be."""
    from scipy.special import ndtri

    g = 2.0
    for _ in range(64):
        g = (1 + g) ** (1 / (rank + 1))
    step = g ** -np.arange(1.0, rank + 1)
    nodes = ndtri((0.5 + np.arange(1.0, pairs + 1)[:, None] * step) % 1.0)
    both = np.concatenate([nodes, -nodes])
    return both, np.full(2 * pairs, 1 / (2 * pairs))
