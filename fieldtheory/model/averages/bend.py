r"""A kink at zero, taken out exactly: phi(u) = c |u| + a function with a slope everywhere.

Hermite coefficients of a function with a kink fall like :math:`k^{-5/4}`, too slowly for
covariances at correlations near one. Those of |u| are known, and so are its averages, in closed
form (leaky ReLU of slope -1). What remains of a function whose only kink is at zero falls faster,
and for ReLU and its kin it ends with the first.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from fieldtheory.compiler import generated
from fieldtheory.ground.arrays import Array
from fieldtheory.model.averages.quadrature import EPS, POINTS, lobatto

NARROWER = 12  # times that the neighbourhood of zero is halved until phi is a polynomial there
SEEN = 1e-10  # half the jump of the slope, relative to phi / distance, below which there is none
KEPT = 64


@lru_cache(maxsize=KEPT)
def bend(function: Callable[[Array], Array]) -> float:
    """c: half the jump of the slope at zero; 0 if there is none, or a jump, or a vertical slope.

    >>> [round(bend(f), 12) for f in (np.abs, lambda u: np.maximum(u, 0.3 * u), np.tanh, np.sign)]
    [1.0, 0.35, 0.0, 0.0]
    """
    places, _, to_coefficients = lobatto()
    n = np.arange(POINTS)
    at_start = (-1.0) ** (n + 1) * n * (n + 1)  # slopes of Legendre's polynomials on [0, 1]
    for halving in range(NARROWER):
        x = places / 2**halving
        with np.errstate(all="ignore"):  # what is not finite is judged by the quadrature
            sides = np.array([function(x), function(-x)], dtype=float)
        scale = float(np.max(np.abs(sides)))
        series = sides @ to_coefficients
        if np.max(np.abs(series[:, -3:])) <= 16 * EPS * scale:
            c = float(np.sum(series @ at_start)) / 2
            return c * 2**halving if abs(c) > SEEN * scale else 0.0
    return 0.0


def coefficients(variances: Any, terms: int) -> Any:
    r"""<|u| h_k(z)> for u = sqrt(q) z, shape (variances, terms); odd ones vanish.

    .. math:: \kappa_0 = \sqrt{2 q / \pi}, \qquad
              \kappa_{k+2} = -\frac{k - 1}{\sqrt{(k+1)(k+2)}}\, \kappa_k
    """
    found = np.zeros(terms)
    found[0] = np.sqrt(2 / np.pi)
    for k in range(0, terms - 2, 2):
        found[k + 2] = -found[k] * (k - 1) / np.sqrt((k + 1) * (k + 2))
    return np.sqrt(variances)[:, None] * found


def average(q: Any, p: Any, xp: Any, order: int) -> Any:
    """<|u| |v|>, or its derivative by p: a law in closed form."""
    if order == 0:
        return generated.leaky_covariance(-1.0, q, p, xp=xp)
    return q * generated.leaky_slope(-1.0, p, xp=xp)
