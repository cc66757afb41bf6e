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


def posterior_variance(counts, weights, kernel, s2):
    """The diagonal of (1 + K D)^-1 K."""
    size = kernel.shape[0]
    system = np.eye(size) + kernel * (counts / s2)[:, None, :]
    posterior = np.linalg.solve(system, np.broadcast_to(kernel, system.shape))
    return weights @ np.diagonal(posterior, axis1=1, axis2=2)


def evidence(counts, weights, kernel, target, s2, variance):
    """log of the integral over f ~ N(0, K) of exp(-sum (f - g - e)^2 / (2 s2)): at each point the
    labels of n samples have the mean m = g + noise of variance v/n, and scatter about it."""
    density = counts / s2
    system = np.eye(len(target)) + kernel * density[:, None, :]
    inner = density[:, :, None] * np.linalg.inv(system)  # D (1 + K D)^-1
    quadratic = np.einsum("x,nxy,y->n", target, inner, target)
    diagonal = np.diagonal(inner, axis1=1, axis2=2)
    drawn = counts > 0
    of_means = np.where(drawn, diagonal / np.maximum(counts, 1), 0).sum(axis=1)
    scatter = np.where(drawn, counts - 1, 0).sum(axis=1) / s2
    energy = quadratic + variance * (of_means + scatter)
    return -weights @ (energy + np.linalg.slogdet(system)[1]) / 2
