"""Exact regression on random points of a sphere: the error, by Monte Carlo over datasets alone.

With h = f* - g and targets drawn at random, of power G_l at degree l, so that g(x) g(x') averages
to Gamma(t) = sum_l G_l P_l(t), the integral over test points and the mean over targets are exact:
    error = sum_l G_l - 2 tr(A Gamma_1) + tr(A K_2 A (Gamma + noise)),   A = (K + ridge)^-1,
K_2(t) = sum_l deg_l lam_l^2 P_l(t), Gamma_1(t) = sum_l lam_l G_l P_l(t). Harmonics by SciPy.
"""

import numpy as np
from scipy.special import comb, eval_chebyt, eval_gegenbauer


def harmonic(d, l, t):
    """P_l(t), one at t = 1."""
    if d == 2:
        return eval_chebyt(l, t)
    return eval_gegenbauer(l, d / 2 - 1, t) / eval_gegenbauer(l, d / 2 - 1, 1.0)


def count(d, l):
    """Harmonics of degree l: homogeneous polynomials less those of two degrees fewer."""
    return comb(l + d - 1, l, exact=True) - (comb(l + d - 3, l - 2, exact=True) if l > 1 else 0)


def points(d, samples, rng):
    x = rng.standard_normal((samples, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def one_error(d, lam, power, ridge, noise, samples, rng):
    """The error of one dataset."""
    t = points(d, samples, rng)
    t = np.clip(t @ t.T, -1, 1)
    parts = [harmonic(d, l, t) for l in range(len(lam))]
    rows = (
        [count(d, l) * lam[l] for l in range(len(lam))],
        [count(d, l) * lam[l] ** 2 for l in range(len(lam))],
        list(power),
        [lam[l] * power[l] for l in range(len(lam))],
    )
    K, K2, G, G1 = (sum(a * p for a, p in zip(row, parts, strict=True)) for row in rows)
    A = np.linalg.inv(K + ridge * np.eye(samples))
    total = np.sum(power) - 2 * np.sum(A * G1)
    return total + np.sum((A @ K2 @ A) * (G + noise * np.eye(samples)))


def measured(d, lam, power, ridge, noise, samples, draws, rng, ensemble="fixed"):
    """Mean error over datasets, and its standard error."""
    found = []
    for _ in range(draws):
        number = samples if ensemble == "fixed" else rng.poisson(samples)
        if number:
            found.append(one_error(d, lam, power, ridge, noise, number, rng))
        else:
            found.append(np.sum(power))
    return np.mean(found), np.std(found, ddof=1) / np.sqrt(draws)
