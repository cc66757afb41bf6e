"""Kernel ridge regression done the plain way: build, solve, test on many fresh points."""

import numpy as np


def sphere(rng, count, dimension):
    x = rng.normal(size=(count, dimension))
    return x / np.sqrt((x**2).sum(axis=1))[:, None]


def test_error(kernel, ridge, inputs, labels, target, fresh):
    """Mean and standard error of (f* - g)^2 over the fresh points; kernel(cosines), target(x)."""
    gram = kernel(inputs @ inputs.T) + ridge * np.eye(len(inputs))
    weights = np.linalg.inv(gram) @ labels
    gaps = (kernel(fresh @ inputs.T) @ weights - target(fresh)) ** 2
    return gaps.mean(), gaps.std(ddof=1) / np.sqrt(len(gaps))


def two_layer_relu_ntk(cosines, dimension):
    """Depth 2, weight and bias variance 1, |x| = 1, written out by hand."""
    first = cosines / dimension + 1
    q = 1 / dimension + 1
    angle = np.arccos(np.clip(first / q, -1, 1))
    covariance = q * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi) + 1
    return covariance + first * (np.pi - angle) / (2 * np.pi)
