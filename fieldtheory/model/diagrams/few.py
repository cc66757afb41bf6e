r"""One sample or two on the sphere: all diagrams at once, for they are one integral.

For samples at x_1 ... x_N with kernel matrix K, and targets averaged over rotations, the error is
a trace of N x N matrices, the values at these points of the functions

.. math:: K(t) = \sum_l \deg_l \lambda_l P_l(t), \quad
          G(t) = \sum_l G_l P_l(t), \quad
          H(t) = \sum_l \deg_l \lambda_l^2 P_l(t).

For two samples at a cosine t their eigenvalues are :math:`K_\pm = K(1) \pm K(t)`, and so on; with
:math:`A_\pm = 1 / (s_2 + K_\pm)` and :math:`P_\pm = 1 \pm P_l(t)` the learnability of a degree and
the error that stays in it are

.. math:: L_l = \lambda_l E_t \sum_\pm A_\pm P_\pm, \qquad
          E_l = (1 - 2 L_l)\, G_l + \deg_l \lambda_l^2 \,
                E_t \sum_\pm A_\pm^2 \, P_\pm \, (G_\pm + v).

One sample is the same without the second: a single eigenvalue, :math:`K(1)`. Where the series of
`crossing` in the number of samples met has hardly begun, this is exact.
"""

from typing import NamedTuple

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.diagrams.colatitude import measure, rests_on_grid
from fieldtheory.model.spectrum import Spectrum

MOST = 2  # samples
POINTS = 1024  # angles, dense where two samples come close


class Few(NamedTuple):
    """(degrees,) each: the error per degree in its two parts, and what is learnt of it."""

    bias: Array
    variance: Array
    learnability: Array


def few(spectrum: Spectrum, power: Array, samples: int, ridge: float, noise: float) -> Few:
    """The error of one sample or two. `ridge` is the whole of it.

    Two noisy samples without a ridge have no mean error in two and three dimensions; ask `has_mean`
    first.

    >>> one = few(Spectrum.of([0.5, 0.1], dimension=5), np.array([0, 1.0]), 1, 0.0, 0.0)
    >>> one.learnability.tolist(), one.bias.tolist(), one.variance.round(12).tolist()
    ([0.5, 0.1], [0.0, 0.81], [0.25, 0.04])
    """
    lam, deg = spectrum.eigenvalues, spectrum.counts
    d = spectrum.dimension
    gap, weights = rests_on_grid(d, lam.size, POINTS), measure(d, POINTS)
    if samples == 1:  # both eigenvalues are those of a point with itself
        gap, weights = np.ones((lam.size, 1)), np.array([0.5])
    learnt, kept = np.zeros(lam.size), np.zeros(lam.size)
    for side in (gap, 2 - gap):  # 1 - P_l(t), and 1 + P_l(t)
        answer = 1 / (ridge + (deg * lam) @ side)
        learnt += side @ (weights * answer)
        kept += side @ (weights * answer**2 * (power @ side + noise))
    learnt *= lam
    bias = power * (1 - learnt) ** 2
    variance = deg * lam**2 * kept - power * learnt**2
    return Few(bias, variance, learnt)


def has_mean(dimension: int, samples: int, ridge: float, noise: float) -> bool:
    """Whether `few` has a finite answer: the noise of two samples close together is amplified by
    the inverse square of their distance."""
    return samples == 1 or ridge > 0 or noise == 0 or dimension > 3
