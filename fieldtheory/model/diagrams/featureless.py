r"""Crossing diagrams estimated for modes that nobody describes: as if they were Gaussian.

Of a measure without symmetry the planar theory asks eigenvalues alone. What crossing diagrams would
add depends on the functions too. If the dressed propagator c(x, y) between two samples were
Gaussian of variance m = sum_i deg_i C_i^2, the lowest words would shift the self-energy by

.. math:: \delta_i = \eta^2 \bigl[ 3 t^5 m^2 - 3 t^4 m C_i \bigr], \qquad t = \frac{1}{N \kappa}

relative to D = eta t. Real features have heavier tails, so `excess` multiplies it: the mean of
c^4 over 3 m^2 where pairs of inputs are known, else one.
"""

import numpy as np

from fieldtheory.compiler import generated as law
from fieldtheory.ground.arrays import Array
from fieldtheory.model.diagrams.neglected import changed
from fieldtheory.model.modes import Spectral


def crossing(
    modes: Spectral, power: Array, samples: Array, kappa: Array, excess: Array | float = 1.0
) -> Array:
    """Relative change of the planar error by the lowest crossing diagrams, per sample size."""
    lam, deg = modes.eigenvalues, modes.counts
    heavy = np.broadcast_to(np.asarray(excess, dtype=float), samples.shape)[:, None]

    def words(t1: Array, propagator: Array) -> Array:
        m = np.sum(deg * propagator**2, axis=-1, keepdims=True)
        return np.asarray(heavy * 3 * t1**4 * m * (t1 * m - propagator))

    gamma = law.planar_gamma(lam, deg, samples, kappa)
    return changed(words, (lam, deg, power), samples, kappa, gamma)
