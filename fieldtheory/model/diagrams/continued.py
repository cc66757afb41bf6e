r"""The series of orders continued: what all higher clusters do together, from the ones at hand.

Let E_1, E_2, E_3 be the planar error and those with crossing diagrams of two and three samples. In
their logarithms each gap is smaller than the one before,

.. math:: g_1 = \log\frac{E_2}{E_1}, \quad g_2 = \log\frac{E_3}{E_2}, \quad q = \frac{g_2}{g_1}

and were the decrease geometric, the rest of the series would be g_2 q / (1 - q) (Aitken 1926). It
is added in full where the gaps shrink at least threefold, q < 1/3, and not at all beyond q = 0.4:
there, and where the signs differ, measurement shows no such law. What is left is of the size of
g_2 q / (1 - q)^2, since ratios grow from order to order.

The error without label noise and what noise adds go opposite ways; each is continued on its own.
"""

import numpy as np

from fieldtheory.ground.arrays import Array

FULL, NONE = 1 / 3, 0.4  # ratios of gaps up to which the series is continued, and from which not
SLOWEST = 0.5  # ratio beyond which nothing is said about the sum of all gaps
LEAST = 0.05  # part of the first gap that may be left whatever the second one is
USUAL = {2: 0.6}  # that ratio where only one gap is known: the dimensions that need a larger one,
OTHERWISE = 0.375  # and all others
MOST = 0.7  # logarithm of the factor beyond which an estimate says no more


def rest(orders: Array) -> Array:
    """Logarithm of the factor by which all higher clusters change the last of three orders.

    orders  (3, sizes) positive

    >>> rest(np.exp([[0.0, 0.0], [0.4, 0.4], [0.5, 0.7]])).round(4).tolist()
    [0.0333, 0.0]
    """
    first, second = np.diff(np.log(orders), axis=0)
    ratio = np.clip(second / np.where(first == 0, np.inf, first), 0, NONE)
    fade = (NONE - np.maximum(ratio, FULL)) / (NONE - FULL)
    return np.asarray(fade**2 * (3 - 2 * fade) * second * ratio / (1 - ratio))


def left(orders: Array, dimension: int) -> Array:
    """Size of what is left after `rest`, as the logarithm of a factor, zero or positive.

    orders  (2 or 3, sizes) positive; with two, nothing has been added

    >>> left(np.exp([[0.0], [0.4], [0.5]]), dimension=3).round(4).tolist()
    [0.0644]
    """
    gaps = np.abs(np.diff(np.log(orders), axis=0))
    if len(gaps) == 1:
        ratio = USUAL.get(dimension, OTHERWISE)
        return np.asarray(np.minimum(gaps[0] * ratio / (1 - ratio), MOST))
    ratio = np.minimum(gaps[1] / np.where(gaps[0] == 0, np.inf, gaps[0]), SLOWEST)
    more = gaps[1] * ratio / (1 - ratio) ** 2 + LEAST * gaps[0]
    return np.asarray(np.minimum(more, MOST))
