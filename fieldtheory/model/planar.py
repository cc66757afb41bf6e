r"""All non-crossing diagrams: the self-consistent theory, and how far it can be trusted.

.. math:: N = \sum_l \deg_l L_l + \frac{s_2}{\kappa}, \qquad
          L_l = \frac{\lambda_l}{\lambda_l+\kappa}

The formulas are laws (`theory.laws`); here is the solver and the estimate of what is neglected.
"""

import numpy as np

from fieldtheory.compiler import generated as law
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.spectrum import Spectrum

STEPS = 200
EPS = float(np.finfo(float).eps)


def effective_ridge(spectrum: Spectrum, samples: Array, ridge: float) -> Array:
    """kappa at every number of samples: the root of the self-consistent equation.

    `ridge` is the whole of it: the task's own plus the tail of the spectrum. Newton's method in
    log(kappa), inside a bracket that it may not leave.

    Raises `OutOfRegime` without a ridge at or beyond the number of modes, where the training error
    is zero at any kappa, and if the iteration does not converge.

    >>> one = Spectrum.of([1.0], dimension=3)
    >>> effective_ridge(one, np.array([2.0]), ridge=1.0).round(12).tolist()
    [0.707106781187]
    """
    lam, deg = spectrum.eigenvalues, spectrum.counts
    modes = float(np.sum(deg[lam > 0]))
    if ridge == 0 and np.max(samples) >= modes:
        raise OutOfRegime(
            f"samples = {np.max(samples):.0f} with ridge 0 and only {modes:.0f} modes: beyond the "
            "number of modes the data fix every mode and no effective ridge exists. Pass a ridge "
            "> 0, fewer samples, or a kernel with more modes"
        )
    high = np.log((spectrum.trace + ridge) / samples)
    if ridge > 0:
        low = np.log(ridge / samples)
    else:
        low = np.log(np.min(lam[lam > 0])) + np.log(modes / samples - 1)
    u = high.copy()
    for _ in range(STEPS):
        kappa = np.exp(u)
        found = law.planar_samples(lam, deg, ridge, kappa)
        slope = law.planar_samples_slope(lam, deg, ridge, kappa)
        low, high = np.where(found >= samples, u, low), np.where(found <= samples, u, high)
        step = found * np.log(samples / found) / slope
        still = np.abs(step) > 4 * EPS * np.maximum(np.abs(u), 1)
        still &= np.abs(found / samples - 1) > 8 * EPS  # near the number of modes, steps stay large
        inside = (u + step > low) & (u + step < high)
        u = np.where(still, np.where(inside, u + step, (low + high) / 2), u)
        if not np.any(still):
            return np.asarray(np.exp(u))
    raise OutOfRegime(
        f"effective_ridge did not converge in {STEPS} steps; log kappa still moves by "
        f"{np.max(high - low):.1e}. Raise the ridge"
    )


def mode_errors(
    spectrum: Spectrum, power: Array, samples: Array, kappa: Array, noise: float
) -> tuple[Array, Array]:
    """Bias and variance per degree, each of shape (sizes, degrees)."""
    lam, deg, zeros = spectrum.eigenvalues, spectrum.counts, np.zeros_like(power)
    gamma = law.planar_gamma(lam, deg, samples, kappa)
    error = law.planar_error(lam, power, kappa, gamma, noise)
    nothing = np.zeros_like(error)
    bias = law.planar_mode_error(lam, deg, power, samples, kappa, nothing)
    variance = law.planar_mode_error(lam, deg, zeros, samples, kappa, error + noise)
    return bias, variance
