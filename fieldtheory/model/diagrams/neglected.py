r"""What the planar theory leaves out: an estimate of the error of its prediction.

Two contributions of relative order one sample:

- crossing diagrams. Those of two samples visited in turn, x y x y ..., sum in closed form. With the
  planar propagator C they shift the inverse propagator of degree l by

  .. math:: \delta_l = \eta^2 E_t[ w_{odd}(t) + P_l(t) w_{even}(t) ]

  and, by lowering c(1) and so raising the single-sample T-matrix 1 / (s2 + c(1)), every degree
  alike by gamma / (1 - gamma) times the mean of delta_l over deg_l C_l^2. The whole squared error
  follows from the response to a source J,
  error = sum_l G_l / lam_l^2 (1 + dD_l/dJ) / (1/lam_l + D_l)^2.

- the spread of a Poisson number of samples, (N/2) d^2 error / dN^2.

It is evaluated once on planar propagators, not self-consistently: an estimate, not a correction.
Measured, the planar defect is between one and two times the first contribution; twice is taken.
"""

from collections.abc import Callable

import numpy as np

from fieldtheory.compiler import generated as law
from fieldtheory.ground.arrays import Array
from fieldtheory.model.measures.sphere import angles, legendre, weights
from fieldtheory.model.modes import Spectral
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.spectrum import Spectrum

DEGREES = 96  # degrees resolved in c(t); the rest of the spectrum enters through c(1) alone
STEP = 1e-4  # of the response to the source, relative
CROWDED = 1e-9  # a spare share of the samples, 1 - gamma, that rounding may take for none


def crossing(spectrum: Spectrum, power: Array, samples: Array, kappa: Array) -> Array:
    """Relative change of the planar error by the two-sample crossing diagrams, per sample size."""
    few = slice(0, min(DEGREES, spectrum.eigenvalues.size))
    lam, deg = spectrum.eigenvalues[few], spectrum.counts[few]
    points = 4 * (64 + lam.size + int(np.sqrt(spectrum.dimension)))
    P = legendre(spectrum.dimension, lam.size - 1, np.cos(angles(points)))
    w = weights(spectrum.dimension, points)

    def words(t1: Array, propagator: Array) -> Array:
        c = (deg * propagator) @ P
        u = np.minimum((t1 * c) ** 2, 1 - 1e-12)  # u = 1 only at t = 1, on a node of no weight
        together = law.words_together(t1, u) @ w
        return np.asarray(together[:, None] + (law.words_apart(t1, c, u) * w) @ P.T)

    gamma = law.planar_gamma(spectrum.eigenvalues, spectrum.counts, samples, kappa)
    return changed(words, (lam, deg, power[few]), samples, kappa, gamma)


def changed(
    words: Callable[[Array, Array], Array],
    modes: tuple[Array, Array, Array],
    samples: Array,
    kappa: Array,
    gamma: Array,
) -> Array:
    """Relative change of the planar error by `words`, and by what they do to c(1).

    words  of a T-matrix (sizes, 1) and a propagator (sizes, kinds): the shift of D over N^2
    modes  eigenvalues, counts and power of the kinds that cross
    """
    (lam, deg, G), N, gamma = modes, samples[:, None], gamma[:, None]
    lam = lam / kappa[:, None]  # kappa is the unit from here on: higher powers stay floats
    C = lam / (lam + 1)

    def shift(propagator: Array) -> Array:
        # s2 + c(1) = N kappa in the planar theory; what changes in c(1) changes with C
        t1 = 1 / (N + np.sum(deg * (propagator - C), axis=-1, keepdims=True))
        found = N**2 * words(t1, propagator)
        # the crossing diagrams lower c(1), so that t1 rises: D = N t1(c(1)) + found, to first order
        share = N * t1**2 * deg * propagator**2
        heavy = gamma + np.sum(share - deg * C**2 / N, axis=-1, keepdims=True)
        spare = np.maximum(1 - heavy, CROWDED)
        total: Array = found + np.sum(share * found, axis=-1, keepdims=True) / spare
        return total

    response = 1 / np.maximum(1 - gamma, CROWDED)  # 1 + dD/dJ in the planar theory
    there, back = (shift(C - sign * STEP * C**2 * response) for sign in (1, -1))
    D, slope = 1 + shift(C), response + (there - back) / (2 * STEP)
    residual = 1 / (1 + lam * D)
    crossed = np.sum(G * slope * residual**2, axis=-1)
    planar = np.sum(G * response / (1 + lam) ** 2, axis=-1)
    change: Array = crossed / np.where(planar > 0, planar, 1) - 1
    return np.where(planar > 0, change, 0.0)


def poisson(spectrum: Spectral, power: Array, samples: Array, ridge: float, noise: float) -> Array:
    """(N/2) d^2 error / dN^2 by a central difference in log N, per sample size."""
    h = np.full_like(samples, 1e-3)
    if ridge == 0:  # there is no theory at the number of modes: half the way to it, at most
        modes = np.sum(spectrum.counts[spectrum.eigenvalues > 0])
        h = np.minimum(h, np.log(modes / samples) / 2)

    def error(n: Array) -> Array:
        kappa = effective_ridge(spectrum, n, ridge)
        bias, variance = mode_errors(spectrum, power, n, kappa, noise)
        total: Array = np.sum(bias + variance, axis=-1)
        return total

    below, here, above = (error(samples * np.exp(step)) for step in (-h, 0, h))
    first, second = (above - below) / (2 * h), (above - 2 * here + below) / h**2
    curvature: Array = (second - first) / (2 * samples)
    return curvature
