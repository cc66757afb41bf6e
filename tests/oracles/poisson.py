"""Averages over datasets by brute force: a sum over how often each of a few points was drawn.

h = -(1 + K D)^-1 g with D = counts / s2 on the diagonal, weighted with the exact probability of the
counts: independent Poisson numbers, or a multinomial when the total is fixed.
"""

import numpy as np
from scipy.stats import multinomial, poisson

TAIL = 1e-17  # counts less probable than this are left out


def residuals(counts, kernel, target, s2):
    """h at every point, one row per dataset."""
    system = np.eye(len(target)) + kernel * (counts / s2)[:, None, :]
    return -np.linalg.solve(system, np.broadcast_to(target, counts.shape)[..., None])[..., 0]


def grid(ranges):
    return np.stack([axis.ravel() for axis in np.meshgrid(*ranges, indexing="ij")], axis=1)


def poisson_counts(mu, eta):
    ranges = []
    for mean in eta * mu:
        numbers = np.arange(int(mean + 12 * np.sqrt(mean) + 40))
        ranges.append(numbers[poisson.pmf(numbers, mean) > TAIL])
    counts = grid(ranges)
    return counts, np.prod(poisson.pmf(counts, eta * mu), axis=1)


def fixed_counts(mu, samples):
    counts = grid([np.arange(samples + 1)] * (len(mu) - 1))
    last = samples - counts.sum(axis=1)
    counts = np.column_stack([counts, last])[last >= 0]
    return counts, multinomial.pmf(counts, samples, mu)


def averages(counts, weights, mu, kernel, target, s2):
    """Mean, covariance and error over the weighted datasets."""
    h = residuals(counts, kernel, target, s2)
    mean = weights @ h
    second = np.einsum("n,nx,ny->xy", weights, h, h)
    return {
        "mean": mean,
        "covariance": second - np.outer(mean, mean),
        "error": mu @ np.diag(second),
    }


def label_noise(counts, weights, kernel, s2, variance):
    """Covariance of (1 + K D)^-1 K e / s2, e the sum of independent noises at every point."""
    size = kernel.shape[0]
    system = np.eye(size) + kernel * (counts / s2)[:, None, :]
    response = np.linalg.solve(system, np.broadcast_to(kernel, system.shape)) / s2
    return variance * np.einsum("n,nxz,nz,nyz->xy", weights, response, counts, response)
