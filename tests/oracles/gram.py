"""Averages over random training sets, from the kernel matrix itself and its eigenvectors.

Targets are random, of power G_l at degree l, labels have independent noise, and test points are
integrated out: given the inputs, every answer is a trace. With K = sum_l lam_l M_l on the inputs,
where M_l sums phi phi^T over the modes of degree l:

    K_2 = sum lam_l^2 M_l,  Gamma = sum G_l/deg_l M_l,  Gamma_1 = sum lam_l G_l/deg_l M_l.
"""

import numpy as np

from tests.oracles import spherical


def on_sphere(d, kinds, samples, rng):
    """M_l on random points of a sphere."""
    t = spherical.points(d, samples, rng)
    t = np.clip(t @ t.T, -1, 1)
    return [spherical.count(d, l) * spherical.harmonic(d, l, t) for l in range(kinds)]


def on_features(counts, samples, rng):
    """M_l of independent Gaussian features, `counts` of each degree."""
    features = [rng.standard_normal((samples, int(n))) for n in counts]
    return [phi @ phi.T for phi in features]


class Regression:
    """One training set: eigenvalues of K and the traces of any function of it."""

    def __init__(self, parts, lam, counts, power, noise):
        def matrix(coefficients):
            return sum(c * part for c, part in zip(coefficients, parts, strict=True))

        lam, counts, power = np.asarray(lam), np.asarray(counts), np.asarray(power)
        self.values, U = np.linalg.eigh(matrix(lam))
        self.prior, self.power = np.sum(lam * counts), np.sum(power)
        labels = matrix(power / counts) + noise * np.eye(len(U))
        self.labels = np.einsum("ia,ij,ja->a", U, labels, U)
        self.cross = np.einsum("ia,ij,ja->a", U, matrix(lam * power / counts), U)
        self.square = (U.T @ labels @ U) * (U.T @ matrix(lam**2) @ U)
        self.second = np.einsum("ia,ij,ja->a", U, matrix(lam**2), U)

    def error(self, q):
        """Test error of f = k^T q(K) y, q by its values at the eigenvalues."""
        return self.power - 2 * np.sum(q * self.cross) + q @ self.square @ q

    def observed(self, ridge):
        """Posterior variance, effective dimension, train error, y^T A y, log det, log evidence."""
        a = 1 / (self.values + ridge)
        fit, logs = np.sum(a * self.labels), -np.sum(np.log(a))
        return np.array(
            [
                self.prior - np.sum(a * self.second),
                np.sum(a * self.values),
                np.mean((1 - a * self.values) ** 2 * self.labels),
                fit,
                logs,
                -fit / 2 - logs / 2 - len(a) / 2 * np.log(2 * np.pi),
            ]
        )


def flow(values, time, ridge=0.0):
    """(1 - e^{-tz})/z at z = values + ridge."""
    z = np.maximum(values + ridge, 1e-300)
    return -np.expm1(-time * z) / z


def descent(values, updates, step, ridge=0.0):
    """The same for gradient descent, update by update."""
    q = np.zeros_like(values)
    for _ in range(updates):
        q = q + step * (1 - (values + ridge) * q)
    return q


def mean(rows):
    """Mean and standard error of rows."""
    rows = np.array(rows)
    return rows.mean(axis=0), rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
