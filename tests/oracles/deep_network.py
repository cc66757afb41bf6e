"""Random networks of finite width, drawn whole: moments of their outputs, weighted posteriors.

A network of n units in every hidden layer, weights of variance w / fan-in and biases of variance b.
Its outputs are Gaussian given the last hidden layer, so that layer's own kernel is kept, not drawn.
"""

from math import prod

import numpy as np


def kernels(rng, phi, inputs, width, variances, draws):
    """(draws, P, P) of the outputs; `variances` are those of the weights and of the biases."""
    (first, *inner, last), (shift, *shifts, final) = variances
    f = np.sqrt(first / inputs.shape[1]) * rng.standard_normal((draws, width, inputs.shape[1]))
    z = f @ inputs.T + np.sqrt(shift) * rng.standard_normal((draws, width, 1))
    for w, b in zip(inner, shifts, strict=True):
        weights = np.sqrt(w / width) * rng.standard_normal((draws, width, width))
        z = weights @ phi(z) + np.sqrt(b) * rng.standard_normal((draws, width, 1))
    hidden = phi(z)
    return last / width * np.swapaxes(hidden, 1, 2) @ hidden + final


def fourth_moments(kernel, a, b, c, d):
    """E[f_a f_b f_c f_d] for each drawn kernel, by Wick."""
    pairings = (((a, b), (c, d)), ((a, c), (b, d)), ((a, d), (b, c)))
    return sum(prod(kernel[:, i, j] for i, j in pairing) for pairing in pairings)


def posterior_mean(kernel, labels, ridge):
    """Mean and standard error at the points after the first `labels.size`: each drawn network is
    weighted by its evidence."""
    N = labels.size
    noisy = kernel[:, :N, :N] + ridge * np.eye(N)
    h = np.linalg.solve(noisy, np.broadcast_to(labels[:, None], (len(kernel), N, 1)))[:, :, 0]
    log = -h @ labels / 2 - np.linalg.slogdet(noisy)[1] / 2
    share = np.exp(log - log.max())
    share /= share.sum()
    values = np.einsum("rtn,rn->rt", kernel[:, N:, :N], h)
    mean = share @ values
    return mean, np.sqrt(share**2 @ (values - mean) ** 2)


def linear_posterior(width, hidden, label, ridge):
    """The exact posterior mean at one input of unit length on which a deep linear network of unit
    variances is trained: its kernel is a product of chi-square numbers over their mean."""
    from scipy.special import roots_genlaguerre

    node, weight = roots_genlaguerre(60, width / 2 - 1)
    node, weight = 2 * node / width, weight / weight.sum()
    K, share = np.ones(1), np.ones(1)
    for _ in range(hidden):
        K, share = np.outer(K, node).ravel(), np.outer(share, weight).ravel()
    share = share * np.exp(-(label**2) / 2 / (K + ridge)) / np.sqrt(K + ridge)
    return label * np.sum(share * K / (K + ridge)) / share.sum()
