"""The effective ridge of regression on random features, with N samples and k features alike."""

from typing import NamedTuple

import numpy as np

from fieldtheory.compiler import generated as law
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.modes import Spectral
from fieldtheory.model.planar import equation as planar

STEPS = 200
CLOSE = 1e-13  # of log(kappa)


class Sums(NamedTuple):
    """z = sum L, q = sum L^2 and z - q; the tail has L = lam / kappa, and no L^2 worth counting."""

    z: Array
    q: Array
    lost: Array


def sums(spectrum: Spectral, kappa: Array) -> Sums:
    lam, deg = spectrum.eigenvalues, spectrum.counts
    return Sums(
        law.planar_samples(lam, deg, spectrum.tail, kappa),
        law.planar_gamma(lam, deg, np.ones_like(kappa), kappa),
        -law.planar_samples_slope(lam, deg, spectrum.tail, kappa),
    )


def feature_ridge(spectrum: Spectral, samples: Array, features: Array, ridge: float) -> Array:
    r"""kappa of s_2 = kappa (N - z)(k - z) / k, for arrays of N and k of one shape.

    The right side grows with kappa wherever z < N and z < k. Newton's method on the logarithm of
    both sides, by log(kappa), inside a bracket that it may not leave.

    >>> from fieldtheory.model.spectrum import Spectrum
    >>> one = Spectrum.of([1.0], dimension=3)       # z = 1 / (1 + kappa): kappa = 1/2 by hand
    >>> feature_ridge(one, np.array([2.0]), np.array([2.0]), ridge=4 / 9).round(12).tolist()
    [0.5]
    """
    N, k = samples, features
    fewer = np.minimum(N, k)
    least = _least(spectrum, N, k, ridge)
    if ridge == 0:
        return least
    low = np.log(np.maximum(least, ridge / N))
    high = np.log(ridge / N + spectrum.trace / N + spectrum.trace / k)
    u = high.copy()
    for _ in range(STEPS):
        z, _, lost = sums(spectrum, np.exp(u))
        beyond = z >= fewer
        room = np.where(beyond, fewer / 2, z)
        excess = u + np.log(N - room) + np.log1p(-room / k) - np.log(ridge)
        slope = 1 + lost * (1 / (N - room) + 1 / (k - room))
        step = np.where(beyond, np.inf, -excess / slope)
        low, high = np.where(step >= 0, u, low), np.where(step <= 0, u, high)
        done = (np.abs(step) <= CLOSE) | (high - low <= CLOSE)
        inside = (u + step > low) & (u + step < high)
        u = np.where(done, u, np.where(inside, u + step, (low + high) / 2))
        if np.all(done):
            return np.asarray(np.exp(u))
    raise OutOfRegime(
        f"feature_ridge did not converge in {STEPS} steps; log kappa still moves by "
        f"{np.max(high - low):.1e}. Raise the ridge"
    )


def _least(spectrum: Spectral, N: Array, k: Array, ridge: float) -> Array:
    """The kappa at which z reaches the smaller of N and k: that of no ridge; 0 if there is none."""
    lam, deg, fewer = spectrum.eigenvalues, spectrum.counts, np.minimum(N, k)
    modes = planar.modes_of(lam, deg) if spectrum.tail == 0 else np.inf
    exists = fewer < modes
    if ridge == 0:
        if np.any(k == N):
            raise OutOfRegime(
                f"{N[k == N][0]:.0f} samples and as many features with ridge 0: the error is "
                "infinite there. Pass a ridge > 0, or more or fewer features"
            )
        if not np.all(exists):
            raise OutOfRegime(
                f"{np.max(fewer):.0f} samples and features at least, ridge 0, and only {modes:.0f} "
                "modes: every mode is fixed. Pass a ridge > 0, fewer samples, or more modes"
            )
    if not np.any(exists):
        return np.zeros(N.size)
    asked = np.where(exists, fewer, np.min(fewer))
    kappa = planar.solve(lam, deg, asked, np.asarray(spectrum.tail))
    return np.where(exists, kappa, 0.0)
