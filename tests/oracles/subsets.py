"""Averages over training sets that have each of a few points once or not: every subset, one by one.

Regression by the inverse of the kernel matrix of the points that are there.
"""

from itertools import combinations

import numpy as np


def one(kernel, target, taken, ridge):
    """h at every point, the posterior covariance, and the weights of the labels."""
    points = len(kernel)
    some = list(taken)
    weights = np.zeros((points, points))
    if some:
        inside = kernel[np.ix_(some, some)] + ridge * np.eye(len(some))
        weights[:, some] = kernel[:, some] @ np.linalg.inv(inside)
    return weights @ target - target, kernel - weights @ kernel, weights


def unseen(kernel, target, size, ridge, noise):
    """Of all subsets of one size, means over the points that are not there: error, bias of the mean
    residual where a point is not there, posterior variance."""
    points, outputs = target.shape
    error, posterior, number = 0.0, 0.0, 0
    total, times = np.zeros((points, outputs)), np.zeros(points)
    for taken in combinations(range(points), size):
        left = [x for x in range(points) if x not in taken]
        h, covariance, weights = one(kernel, target, taken, ridge)
        error += np.sum(h[left] ** 2) + noise * outputs * np.sum(weights[left] ** 2)
        posterior += np.sum(np.diag(covariance)[left])
        total[left] += h[left]
        times[left] += 1
        number += points - size
    return error / number, np.sum((total / times[:, None]) ** 2) / points, posterior / number


def independent(kernel, target, chance, ridge, noise):
    """Each point there with one probability: mean propagator, mean residual, and the sum of errors
    over points that are not there."""
    points = len(kernel)
    propagator, mean, error = np.zeros_like(kernel), np.zeros_like(target), 0.0
    for size in range(points + 1):
        share = chance**size * (1 - chance) ** (points - size)
        for taken in combinations(range(points), size):
            left = [x for x in range(points) if x not in taken]
            h, covariance, weights = one(kernel, target, taken, ridge)
            propagator += share * covariance
            mean += share * h
            error += share * np.sum(h[left] ** 2)
            error += share * noise * target[0].size * np.sum(weights[left] ** 2)
    return propagator, mean, error
