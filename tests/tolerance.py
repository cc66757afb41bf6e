"""Four kinds of truth, by name. A bare number in a comparison is a question nobody answered.

exact       ==, on integers, Fractions and SymPy expressions: needs no helper.
rounding    float64 arithmetic on a well-conditioned problem, relative to a stated scale.
sampling    a Monte Carlo mean: four standard errors, one false alarm in sixteen thousand.
asymptotic  a law with a neglected term: the budget is that term, and must shrink.
"""

import numpy as np

ROUNDING = 1e-12


def rounding(scale, operations=1):
    """The budget of `operations` roundings of numbers of size `scale`."""
    return ROUNDING * np.abs(scale) * operations


def sampling(standard_error):
    """Four standard errors."""
    return 4 * np.abs(standard_error)


def asymptotic(neglected):
    """Twice the size of the first neglected term: an order of magnitude is not enough."""
    return 2 * np.abs(neglected)


def agree(value, truth, budget):
    """Whether |value - truth| <= budget everywhere; NaN never agrees."""
    return bool(np.all(np.abs(np.asarray(value) - np.asarray(truth)) <= budget))
