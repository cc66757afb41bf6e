r"""Bias and variance, order by order, for a Poisson or a fixed number of samples.

The series gives averages over a Poisson number of samples: m, the mean residual, and v, what the
covariance over data sets adds. At exactly N samples a quantity F is

.. math:: F_N = F - \tfrac{1}{N} f_2 + \tfrac{1}{N^2} (2 f_3 + 3 f_4)
               - \tfrac{1}{N^3} (6 f_4 + 20 f_5 + 15 f_6) + \dots

in the coefficients of `taylor.Taylor`, one order a term (`theory.samples.poisson`). It holds for
averages over data sets, and so for the mean and the second moment m^2 + v. Not for the variance,
which is what is left of the second moment: part of what spreads m in the Poisson ensemble is the
spread of the number itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.compiler import generated
from fieldtheory.ground.arrays import Array
from fieldtheory.model.series.taylor import Taylor

MOVED = (generated.fixed_samples_1, generated.fixed_samples_2, generated.fixed_samples_3)


@dataclass(frozen=True, eq=False)
class Terms:
    """The Poisson averages, one entry for each order.

    means   coefficient of the residual in each mode, (sizes, modes, outputs)
    shares  what its covariance has in each mode, label noise included, (sizes, modes)
    power   (modes, outputs) what multiplies the square of the means
    """

    means: tuple[Taylor, ...]
    shares: tuple[Taylor, ...]
    power: Array

    def second(self, order: int) -> Taylor:
        """The second moment at that order, in each mode."""
        count = len(self.shares[order].coefficients)
        squares = (
            self.means[a].first(count) * self.means[order - a].first(count)
            for a in range(order + 1)
        )
        total = sum(squares, start=Taylor(np.zeros((count, 1, 1, 1))))
        return Taylor(np.sum(total.coefficients * self.power, axis=-1))


def needed(order: int, highest: int, ensemble: str) -> int:
    """How many coefficients the term of that order needs in a series through the highest."""
    return 2 * (highest - order) + 1 if ensemble == "fixed" else 1


def by_order(terms: Terms, samples: Array, ensemble: str) -> tuple[Array, Array]:
    """The terms of order 0, 1, ... of bias and variance: (orders, sizes, modes) each."""
    N, count = samples[:, None], len(terms.means)
    means = _graded(terms.means, N[..., None], ensemble)
    second = _graded([terms.second(k) for k in range(count)], N, ensemble)
    shares = _graded(terms.shares, N, ensemble)
    squares = [
        sum(np.sum(means[a] * means[k - a] * terms.power, axis=-1) for a in range(k + 1))
        for k in range(count)
    ]
    # the spread of the number of samples, taken back from the variance: nothing at order 0
    taken = [s - q if k else 0 * q for k, (s, q) in enumerate(zip(second, squares, strict=True))]
    spread = [v + t for v, t in zip(shares, taken, strict=True)]
    return np.array(squares), np.array(spread)


def _graded(orders: Sequence[Taylor], N: Array, ensemble: str) -> list[Any]:
    """The terms of order 0, 1, ... at fixed N, or as they are."""
    own = [term.coefficients[0] for term in orders]
    if ensemble == "fixed":
        for k in range(len(own)):
            for at in range(1, k + 1):
                f = orders[k - at].coefficients
                own[k] = own[k] + MOVED[at - 1](N, *f[at + 1 : 2 * at + 1])
    return own
