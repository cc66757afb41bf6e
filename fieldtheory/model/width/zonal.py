r"""The random functions that the units of one hidden layer are, on the sphere.

A unit with weights w sees an input only through its cosine t with the direction of w:
psi(x) = phi(r t + b), r the length of w times that of x. By Funk and Hecke it has the same
coefficient at every harmonic of a degree, up to the harmonic at the direction,

.. math:: \psi(x) = \sum_l a_l(r, b) \sum_m Y_{lm}(\hat w)\, Y_{lm}(x), \qquad
          a_l = E_t[P_l(t)\, \phi(r t + b)], \qquad \lambda_l = \langle a_l^2 \rangle .

The direction is even over the sphere, as a sample is; r^2 and b are a chi-square and a Gaussian
number, and stand here as a few kinds of units, the nodes of Gauss's rules.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams.colatitude import colatitudes, gauss, measure, rests_on_grid
from fieldtheory.model.network import Network, fan_in
from fieldtheory.model.spectrum import Spectrum

LENGTHS, WITH_BIAS = 10, 4  # nodes for the length of the weights, without and with a bias
INSIDE, OUTSIDE = 6, 2  # nodes of the bias where the unit's zero lies on the sphere, and beyond
WIDEST, FINE = 5.0, 400  # of a Gaussian, in standard deviations, and steps along each part of it
DEGREES = 64  # that are told apart; all others together are noise
POINTS = 4 * (48 + DEGREES)  # angles
PAIR_POINTS = 100  # where two sites have no pole at t = 1


@dataclass(frozen=True, eq=False)
class Zonal:
    """Kinds of units, and what they make of each degree.

    spectrum    of the kernel they have on average
    amplitudes  (degrees, kinds) a_l; shares (kinds,) how many units are of each, sum one
    sure        (degrees,) the part of the eigenvalues that is not drawn: the output's bias
    """

    spectrum: Spectrum
    amplitudes: Array
    shares: Array
    sure: Array

    @property
    def tails(self) -> Array:
        """(kinds,) the power of a unit in degrees that are not listed: as all of it."""
        lam, deg = self.eigenvalues, self.counts
        listed = deg @ self.amplitudes**2
        rest = max(self.spectrum.trace - float(lam @ deg), 0.0)
        found: Array = rest * listed / (listed @ self.shares)
        return found

    @property
    def eigenvalues(self) -> Array:
        """(degrees,) the listed ones."""
        return np.asarray(self.spectrum.eigenvalues[: len(self.amplitudes)])

    @property
    def counts(self) -> Array:
        """(degrees,) their multiplicities."""
        return np.asarray(self.spectrum.counts[: len(self.amplitudes)], dtype=float)


def even(spectrum: Spectrum) -> Zonal:
    """Units as ReLUs with Gaussian weights have them: r^2 is chi-square, a_l is r sqrt(lam_l).

    The signs of a_l are those of ReLU and of erf, + + + - - + + - - and so on. What is taken where
    only the kernel is known.

    >>> units = even(Spectrum.of([0.5, 0.2], dimension=3))
    >>> (units.amplitudes**2 @ units.shares).round(12).tolist()
    [0.5, 0.2]
    """
    lam = spectrum.eigenvalues[:DEGREES]
    degree = np.arange(lam.size)
    signs = np.where((degree < 3) | ((degree - 1) // 2 % 2 == 0), 1.0, -1.0)
    squares, shares = _lengths(spectrum.dimension, LENGTHS)
    amplitudes = signs[:, None] * np.sqrt(np.outer(lam, squares))
    return Zonal(spectrum, frozen(amplitudes), shares, frozen(0 * lam))


def units(network: Network, spectrum: Spectrum, input_norm: str = "unit") -> Zonal:
    """The units of a network of one hidden layer, of the given `spectrum`.

    Eigenvalues are the spectrum's own: what the few nodes miss of them is given to all kinds in
    proportion. Raises `OutOfRegime` for another network, or the tangent kernel.

    >>> from fieldtheory.model.spectrum import spectrum
    >>> network = Network(2, "relu", kernel="nngp", bias_variance=[0.0, 0.1])
    >>> found = units(network, spectrum(network.on_sphere(3), 3))
    >>> found.amplitudes.shape[1], round(float(found.sure[0]), 12)
    (10, 0.1)
    """
    if not one_layer(network):
        raise OutOfRegime(
            f"{network}: its features are known if they are those of one hidden layer; give "
            "Network(depth=2, kernel='nngp'), or method 'planar'"
        )
    d, lam = spectrum.dimension, np.asarray(spectrum.eigenvalues[:DEGREES])
    spread = float(np.sqrt(network.biases[0]))
    squares, of_length = _lengths(d, WITH_BIAS if spread else LENGTHS)
    r = np.sqrt(network.weights[0] * d / fan_in(d, input_norm) * squares)
    kinds = [(*pair, share) for pair, share in zip(*_with_bias(r, of_length, spread), strict=True)]
    length, shift, shares = np.array(kinds).T
    cosine = np.cos(colatitudes(POINTS))
    values = network.phi(length[:, None] * cosine + shift[:, None])
    weighted = np.sqrt(network.weights[1]) * values * measure(d, POINTS)
    found = (1 - rests_on_grid(d, lam.size, POINTS)) @ weighted.T
    sure = np.zeros(lam.size)
    sure[0] = min(network.biases[1], lam[0])
    have = found**2 @ shares
    # below rounding of the largest a degree has neither sign nor size
    there = have > 1e-24 * np.max(have)
    scale = np.sqrt(np.where(there, lam - sure, 0) / np.where(there, have, 1))
    amplitudes = np.where(there[:, None], found * scale[:, None], 0)
    amplitudes = amplitudes + np.where(there, 0, np.sqrt(lam - sure))[:, None]
    return Zonal(spectrum, frozen(amplitudes), frozen(shares), frozen(sure))


def one_layer(model: Any) -> bool:
    """Whether it is a network whose features are the units of one hidden layer."""
    return isinstance(model, Network) and model.depth == 2 and model.kernel == "nngp"


def _lengths(dimension: int, nodes: int) -> tuple[Array, Array]:
    """Nodes of the chi-square law over its mean, the dimension, and their shares."""
    from scipy.special import roots_genlaguerre

    at, weights = roots_genlaguerre(nodes, dimension / 2 - 1)
    return frozen(at / (dimension / 2)), frozen(weights / np.sum(weights))


def _with_bias(lengths: Array, shares: Array, spread: float) -> tuple[list[Any], list[Any]]:
    """Pairs (r, b) and their shares; the bias has standard deviation `spread`."""
    pairs, found = [], []
    for r, share in zip(lengths.tolist(), shares.tolist(), strict=True):
        shifts, masses = _shifts(r, spread) if spread else (np.zeros(1), np.ones(1))
        pairs += [(r, shift) for shift in shifts]
        found += (share * masses / masses.sum()).tolist()
    return pairs, found


def _shifts(r: float, spread: float) -> tuple[Array, Array]:
    """A unit with a kink has it on the sphere for |b| < r only: the Gaussian law of b has a Gauss
    rule there, and one on either side."""
    end = WIDEST * spread
    edges = [-end, -r, r, end] if r < end else [-end, end]
    nodes = (OUTSIDE, INSIDE, OUTSIDE) if r < end else (INSIDE,)
    rules = []
    for low, high, count in zip(edges[:-1], edges[1:], nodes, strict=True):
        b = low + (high - low) * (np.arange(FINE) + 0.5) / FINE
        rules.append(gauss(b, np.exp(-((b / spread) ** 2) / 2) * (high - low), count))
    at, mass = (np.concatenate(each) for each in zip(*rules, strict=True))
    return at, mass
