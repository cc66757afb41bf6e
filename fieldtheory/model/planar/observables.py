r"""What else a regression shows besides its test error: certainty, dimension, fit, evidence.

Everything here is one number for each number of samples, and follows from averages of the one
matrix A = (K + s2)^-1 of the training inputs:

.. math:: \mathrm{tr}\,A, \qquad y^T A y, \qquad \log\det (K + s2)

In the exact theory the propagator C holds two of them. With D the self-energy, C = lam/(1 + lam D),

.. math:: \langle y^T A y \rangle = \sum_i \frac{G_i D_i}{1 + \lambda_i D_i} + \nu \langle tr A
          \rangle, \qquad s_2 \langle tr A \rangle = N - \sum_i \Bigl(1 - \frac{C_i}{\lambda_i}
          \Bigr), \qquad \langle tr A \rangle = \partial_{s_2} \langle \log\det (K + s_2) \rangle

and the training error is - s2^2 d/ds2 of the first. In the planar theory D = 1/kappa. Crossing
diagrams change D (`diagrams.observables`); log det is then the value of the functional whose
derivative D is.

Symbols: lam eigenvalue, deg multiplicity, G power of the target, nu variance of the labels' noise,
s2 ridge, w ridge and tail together.
"""

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.modes import Spectral
from fieldtheory.model.observed import Observables
from fieldtheory.model.planar.equation import effective_ridge, mode_errors

STEP = 1e-3  # of log N, in the second derivative


def observables(
    spectrum: Spectral,
    power: Array,
    samples: Array,
    ridge: float,
    noise: float,
    *,
    outputs: int = 1,
) -> Observables:
    r"""The planar averages, from the effective ridge kappa.

    .. math:: \text{posterior variance} = N\kappa - s_2, \quad
              \text{effective dimension} = N - \frac{s_2}{\kappa}, \quad
              \text{train error} = \Bigl(\frac{s_2}{N\kappa}\Bigr)^2 (E + \nu)

    .. math:: \langle y^T A y \rangle = \sum_i \frac{G_i}{\lambda_i + \kappa} + \frac\nu\kappa,
              \qquad \langle \log\det(K + s_2) \rangle = \sum_i \log\Bigl(1 +
              \frac{\lambda_i}{\kappa}\Bigr) + N \log N\kappa - N + \frac w\kappa

    E is the test error. The last line is the one whose derivative in s2 is tr A = 1/kappa, and
    which is N log s2 for a large ridge.

    power    (kinds,) of the target in each kind of mode, summed over its outputs
    samples  (sizes,) N
    ridge    the task's own, also the noise variance the Gaussian process assumes; the tail of the
             spectrum is added here
    noise    variance of the labels' noise, summed over outputs

    Raises `InvalidInput` for a power of another length than the spectrum and for negative numbers,
    `OutOfRegime` without a ridge at or beyond the number of modes.

    >>> from fieldtheory.model.modes import Modes
    >>> found = observables(Modes.of([1.0]), np.array([1.0]), np.array([2.0]), 1.0, 0.0)
    >>> print(found)
    observables, planar
    samples  posterior variance  effective dimension  train error  log evidence
          2             0.41421              0.58579      0.10355       -2.6251
    """
    N, G, s2, noise = checked(spectrum, power, samples, ridge, noise)
    w = s2 + spectrum.tail
    lam, deg = spectrum.eigenvalues, spectrum.counts
    kappa = effective_ridge(spectrum, N, w)
    share = lam / (lam + kappa[:, None])
    dimension = np.sum(deg * share, axis=-1)
    bias, variance = mode_errors(spectrum, G, N, kappa, noise)
    risk = np.sum(bias + variance, axis=-1) + noise
    fit = np.sum(G / (lam + kappa[:, None]), axis=-1) + noise / kappa
    logs = np.sum(deg * np.log1p(lam / kappa[:, None]), axis=-1)
    return Observables(
        N,
        # N kappa - s2 and N - s2/kappa, without the difference of two near numbers
        kappa * dimension + spectrum.tail,
        dimension + spectrum.tail / kappa,
        (s2 / (N * kappa)) ** 2 * risk,
        fit,
        logs + N * np.log(N * kappa) - dimension,
        outputs,
    )


def certainty(
    spectrum: Spectral, samples: Array, learnability: Array, ridge: float
) -> tuple[Array, Array]:
    r"""Posterior variance and effective dimension, from what the mean predictor has learnt.

    .. math:: \text{posterior variance} = \sum_i \deg_i \lambda_i (1 - L_i), \qquad
              \text{effective dimension} = \sum_i \deg_i L_i

    Exact for any fixed or random number of samples, so true of any method's L, (sizes, kinds); the
    spectrum's tail is added to both. `ridge` is the task's own.

    >>> from fieldtheory.model.modes import Modes
    >>> half = certainty(Modes.of([1.0, 0.5]), np.array([2.0]), np.array([[0.9, 0.5]]), 0.1)
    >>> [round(float(value[0]), 6) for value in half]
    [0.35, 1.4]
    """
    N, s2 = checks.powers("samples", samples), checks.variance("ridge", ridge)
    lam, deg, tail = spectrum.eigenvalues, spectrum.counts, spectrum.tail
    learnt = learnability @ deg
    beyond = (N - learnt) * (tail / (s2 + tail) if tail else 0.0)
    return np.asarray((1 - learnability) @ (deg * lam) + tail), np.asarray(learnt + beyond)


def checked(
    spectrum: Spectral, power: Array, samples: Array, ridge: float, noise: float
) -> tuple[Array, Array, float, float]:
    N, G = checks.powers("samples", samples), checks.powers("power", power)
    if np.any(N == 0):
        raise InvalidInput("samples has an entry 0: without samples there is nothing to fit")
    if G.size != spectrum.eigenvalues.size:
        raise InvalidInput(
            f"power has {G.size} entries, the spectrum {spectrum.eigenvalues.size}: give one for "
            "each, zeros included"
        )
    return N, G, checks.variance("ridge", ridge), checks.variance("noise", noise)


def roughly(
    found: Observables, spectrum: Spectral, power: Array, ridge: float, noise: float, share: Array
) -> Observables:
    """Planar averages with how far they may be off, from how far the planar test error is.

    share   (sizes,) of the test error that is in doubt. As much of each average is, and for the
            determinant, which is stationary in kappa, as much of the dimension; with it goes the
            step from a Poisson to a fixed number of samples, to first order
    others  as in `observables`

    >>> from fieldtheory.model.modes import Modes
    >>> modes, power, N = Modes.of([1.0]), np.array([1.0]), np.array([2.0])
    >>> found = observables(modes, power, N, 1.0, 0.0)
    >>> print(roughly(found, modes, power, 1.0, 0.0, np.array([0.1])))
    observables, planar
    samples  posterior variance   +-  effective dimension   +-  train error    +-  log evidence   +-
          2             0.41421  0.1              0.58579  0.1      0.10355  0.03       -2.6251  0.2
    """
    sums = found.sums
    size = np.column_stack([sums[:, :-1], found.effective_dimension])
    unsure = share[:, None] * size + np.abs(_curvature(found, spectrum, power, ridge, noise))
    return Observables.of(found.samples, sums, unsure, outputs=found.outputs)


def _curvature(
    found: Observables, spectrum: Spectral, power: Array, ridge: float, noise: float
) -> Array:
    """(sizes, FIELDS) (N/2) d^2/dN^2 by a central difference in log N."""
    N, h = found.samples, np.full_like(found.samples, STEP)
    if ridge + spectrum.tail == 0:  # there is no theory at the number of modes: half the way to it
        modes = np.sum(spectrum.counts[spectrum.eigenvalues > 0])
        h = np.minimum(h, np.log(modes / N) / 2)
    below, here, above = (
        observables(spectrum, power, N * np.exp(step), ridge, noise).sums for step in (-h, 0, h)
    )
    first, second = (above - below) / (2 * h[:, None]), (above - 2 * here + below) / h[:, None] ** 2
    return np.asarray((second - first) / (2 * N[:, None]))
