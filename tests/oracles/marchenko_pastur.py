"""White features: every answer is an integral over the Marchenko-Pastur density.

P modes of one eigenvalue lam, N samples. The eigenvalues a of lam Phi^T Phi, a P x P matrix, are
spread over lam (sqrt(P) -+ sqrt(N))^2 with density sqrt((a_+ - a)(a - a_-)) / (2 pi lam P a); if
N < P the share 1 - N/P of them vanishes.
"""

import numpy as np
from scipy.integrate import quad


def average(function, lam, modes, samples):
    """The mean of function(a) over the P eigenvalues."""
    low, high = (lam * (np.sqrt(modes) + sign * np.sqrt(samples)) ** 2 for sign in (-1, 1))

    def integrand(angle):  # which tames the square roots
        a = low + (high - low) * np.sin(angle / 2) ** 2
        density = ((high - low) / 2 * np.sin(angle)) ** 2 / (2 * np.pi * lam * modes * a)
        return density * function(a)

    found = quad(integrand, 0, np.pi, epsabs=1e-13, epsrel=1e-11, limit=200)[0]
    return found + max(1 - samples / modes, 0) * function(0.0)


def error(q, lam, modes, samples, power, noise):
    """Test error of f = k^T q(K) y: each mode keeps 1 - a q(a), and noise adds lam a q(a)^2."""
    kept = average(lambda a: (1 - a * q(a)) ** 2, lam, modes, samples)
    return power * kept + noise * modes * lam * average(
        lambda a: a * q(a) ** 2, lam, modes, samples
    )


def bias(q, lam, modes, samples, power):
    """The part of it that the mean predictor has."""
    return power * average(lambda a: 1 - a * q(a), lam, modes, samples) ** 2
