"""Ridge regression on random features, drawn and solved: the plainest way there is."""

import numpy as np


def errors(rng, modes, target, sizes, ridge, noise, draws):
    """Squared errors of `draws` regressions on Gaussian inputs and Gaussian features.

    modes, target  eigenvalue and coefficient of every single mode
    sizes          (samples, features)
    """
    samples, features = sizes
    found = []
    for _ in range(draws):
        inputs = rng.standard_normal((samples, modes.size))
        weights = rng.standard_normal((modes.size, features))
        design = inputs @ (np.sqrt(modes)[:, None] * weights) / np.sqrt(features)
        labels = inputs @ target + np.sqrt(noise) * rng.standard_normal(samples)
        normal = design.T @ design + ridge * np.eye(features)
        last = np.linalg.solve(normal, design.T @ labels)
        learnt = np.sqrt(modes) * (weights @ last) / np.sqrt(features)
        found.append(np.sum((learnt - target) ** 2))
    return np.array(found)


def of_a_layer(rng, dimension, samples, features, ridge, draws, tests=4000):
    """The same with a layer of ReLUs, phi(w.x), |x|^2 = d, w of variance 1/d, and a target with
    unit power at degrees one and two; tested on other points."""
    d, found = dimension, []

    def sphere(points):
        x = rng.standard_normal((points, d))
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def target(x):  # E[x0^2] = 1/d, E[x0^2 x1^2] = 1/(d(d+2))
        return np.sqrt(d) * x[:, 0] + np.sqrt(d * (d + 2)) * x[:, 0] * x[:, 1]

    for _ in range(draws):
        x, fresh = sphere(samples), sphere(tests)
        weights = rng.standard_normal((d, features))
        seen, new = (np.maximum(p @ weights, 0) / np.sqrt(features) for p in (x, fresh))
        normal = seen.T @ seen + ridge * np.eye(features)
        last = np.linalg.solve(normal, seen.T @ target(x))
        found.append(np.mean((new @ last - target(fresh)) ** 2))
    return np.array(found)
