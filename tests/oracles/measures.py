"""Spectra and averages under other measures than the sphere's, by brute force.

Dense grids, loops over pairs of points, mpmath quadrature: no transform, no closed form, and no
line of the library.
"""

import mpmath
import numpy as np

from tests.oracles.quadrature import _normal_grid


def two_variances(f, q, r, p):
    """E[f(u) f(v)], u of variance q, v of variance r, correlation p, f smooth: trapezium."""
    z, w = _normal_grid(601)
    u = np.sqrt(q) * z[:, None]
    v = np.sqrt(r) * (p * z[:, None] + np.sqrt(1 - p**2) * z[None, :])
    return float(w @ (f(u) * f(v)) @ w)


def two_variances_kinked(f, order, q, r, p):
    """The same for f with a kink or jump at 0 and f(s z) = s^order f(z), s > 0: in polar
    coordinates the kinks are rays, and the radius is a moment known by hand."""
    b = mpmath.acos(p)
    kinks = (mpmath.pi / 2, 3 * mpmath.pi / 2, b + mpmath.pi / 2, b + 3 * mpmath.pi / 2)
    cuts = [0, *sorted(a % (2 * mpmath.pi) for a in kinks), 2 * mpmath.pi]

    def ray(a):
        return f(mpmath.sqrt(q) * mpmath.cos(a)) * f(mpmath.sqrt(r) * mpmath.cos(a - b))

    return float(mpmath.quad(ray, cuts) * 2**order * mpmath.factorial(order) / (2 * mpmath.pi))


def sample_eigenvalues(kernel, x):
    """Eigenvalues of K / P, falling, the matrix filled entry by entry."""
    P = len(x)
    K = np.array([[kernel(x[a], x[b]) for b in range(P)] for a in range(P)])
    return np.linalg.eigvalsh(K)[::-1] / P


def gaussian_line(kernel, variance, points=1200, reach=9.0):
    """Modes of a kernel of two numbers under N(0, variance): a dense, equally spaced grid.

    Eigenvalues falling, functions of mean square one (columns), the grid and its weights.
    """
    x = np.sqrt(variance) * np.linspace(-reach, reach, points)
    w = np.exp(-(x**2) / (2 * variance))
    w /= w.sum()
    root = np.sqrt(w)
    values, vectors = np.linalg.eigh(root[:, None] * kernel(x[:, None], x[None, :]) * root)
    with np.errstate(divide="ignore", invalid="ignore"):
        functions = vectors[:, ::-1] / root[:, None]
    return values[::-1], functions, x, w


def fourier(kernel, wave):
    """E[k(delta) cos(wave delta)] over the circle, by mpmath.quad."""
    parts = [k * mpmath.pi / 4 for k in range(9)]
    total = mpmath.quad(lambda a: kernel(a) * mpmath.cos(wave * a), parts)
    return float(total / (2 * mpmath.pi))


def first_order_bias(eigenvalues, counts, points):
    """lam_i sum_j lam_j / (lam_i - lam_j) / P over other kinds j, by an explicit loop."""
    bias = []
    for i, lam in enumerate(eigenvalues):
        total = 0.0
        for j, other in enumerate(eigenvalues):
            if j != i:
                total += counts[j] * other / (lam - other)
        bias.append(lam * total / points)
    return np.array(bias)
