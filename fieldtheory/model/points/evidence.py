r"""The determinant of the kernel matrix, its trace, and the fit of the labels, averaged over
samples of a finite measure, place by place.

With V_x = (times)/s2 and the propagator G = (K^-1 + V)^-1 of `sites`, the T-matrix is

.. math:: \langle V - V G V \rangle = S - S C S = (1 - S C)\, S, \qquad
          \langle y^T A y \rangle = g^T (S - S C S)\, g, \qquad
          \langle tr\, K A \rangle = tr\, S C

for A = (K + s2)^-1 on the training inputs. The self-energy S is the derivative of one functional of
C, the logarithms of determinants at one place and at two, of which each counts what the smaller
ones have not,

.. math:: \Phi_x = E \log(a_x + V_x) + \log C_{xx} + 1 - a_x C_{xx}, \qquad
          \Phi_{xy} = E \log\det(A + V) + \log\det \tilde C + 2 - tr\, A \tilde C
          - \Phi_x - \Phi_y

and stationary in a and A. The determinant is its value, stationary in C as well,

.. math:: \langle \log\det (K + s_2) \rangle = N \log s_2 + \log\det (1 + K S) - tr\, S C
          + \sum_x \Phi_x + \sum_{x < y} \Phi_{xy}

Places that are far from each other have their first word, as in `distant`.
"""

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.points.distant import Visits
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.points.pairs import BLOCK
from fieldtheory.model.points.placed import Placed
from fieldtheory.model.points.sites import Sites

SPREAD = 12.0  # standard deviations of a count that are summed over
FEWEST = 40.0  # and so many more


def trace_of_product(found: Placed) -> float:
    """tr S C: the mean of tr K (K + s2)^-1."""
    return float(np.sum(found.self_energy * found.propagator))


def data_fit(found: Placed, target: Array) -> float:
    """g^T (S - S C S) g summed over the columns of the target: the mean of y^T (K + s2)^-1 y
    without noise."""
    return float(np.sum(target * (found.self_energy @ found.residual(target))))


def log_determinant(found: Placed, measure: Measure) -> float:
    r"""log det (K + s2) but for E[n - 1] log s2 at places that are there n times.

    Of `placed.once` it is the whole of it; of `placed.often`, `repeated` is what else there is.

    >>> from fieldtheory.model.points.placed import once
    >>> points = Measure.of(np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> found = once(points, 1.0, ridge=0.2)  # none, one, the other, or both, with equal chance
    >>> truth = (2 * np.log(1.2) + np.log(1.2**2 - 0.5**2)) / 4
    >>> round(log_determinant(found, points), 6), round(float(truth), 6)
    (0.134649, 0.134649)
    """
    sites, S, F = found.sites, found.self_energy, measure.factor
    whole = np.linalg.slogdet(np.eye(F.shape[1]) + F.T @ S @ F)[1] - trace_of_product(found)
    alone, own = sites.alone, np.diag(sites.propagator)
    states = sites.states
    single = np.sum(states.share * np.log(states.v + states.u * alone), axis=0)
    total = whole + np.sum(single + np.log(own) + 1 - alone * own)
    if sites.clusters > 1:
        total += _far(sites) + sum(
            _near(sites, slice(first, first + BLOCK), single)
            for first in range(0, sites.close[0].size, BLOCK)
        )
    return float(total)


def repeated(found: Placed, mean: Array, ridge: float) -> float:
    r"""What the log determinant has beside `log_determinant`, of `placed.often`: all counts n of a
    place, and their ridges.

    .. math:: \sum_x \Bigl[ (E[n] - P[n > 0]) \log s_2 + E \log(n + s_2 a_x)
              - E_{states} \log(v + u a_x) \Bigr]

    mean  (points,) of the counts
    """
    from scipy.special import gammaln

    sites, total = found.sites, 0.0
    states, alone = sites.states, sites.alone
    for one in np.unique(mean[mean > 0]):
        some = mean == one
        n = np.arange(1.0, one + SPREAD * np.sqrt(one) + FEWEST)
        chance = np.exp(n * np.log(one) - one - gammaln(n + 1))
        counted = np.log(n[:, None] + ridge * alone[some])
        there = np.sum(
            np.log(states.v[1:, some] + states.u[1:, some] * alone[some]) * states.share[1:, some]
        )
        total += float(np.sum(chance @ counted) - there)
        total += float(np.sum(some)) * (one + np.expm1(-one)) * np.log(ridge)
    return total


def _near(sites: Sites, some: slice, single: Array) -> float:
    """The sum of Phi_xy over some of the pairs that are taken exactly."""
    first, second = (at[some] for at in sites.close)
    alpha, beta, gamma = (part[some] for part in sites.pairs.A)
    one, two, own = sites.states.part(first), sites.states.part(second), np.diag(sites.propagator)
    logs = -single[first] - single[second]
    for share, u, v in zip(one.share, one.u, one.v, strict=True):
        for other, s, w in zip(two.share, two.u, two.v, strict=True):
            both = (v + u * alpha) * (w + s * beta) - u * s * gamma**2
            logs = logs + share * other * np.log(both)
    mine, there, c = own[first], own[second], sites.propagator[first, second]
    logs = logs + np.log1p(-(c**2) / (mine * there)) - 2 * gamma * c
    logs = logs - (alpha - sites.alone[first]) * mine - (beta - sites.alone[second]) * there
    return float(np.sum(logs))


def _far(sites: Sites) -> float:
    """The sum of Phi_xy = - phi_x phi_y C_xy^4 / 2 over all others."""
    own, nothing = np.diag(sites.propagator), np.zeros_like(sites.alone)
    phi = Visits.of(own, sites.alone, sites.states, (nothing, nothing)).phi
    far = sites.propagator**4
    far[sites.close] = far[sites.close[::-1]] = 0.0
    np.fill_diagonal(far, 0.0)
    return float(-(phi @ far @ phi) / 4)
