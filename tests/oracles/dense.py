"""Dense quadratures of homogeneous spaces: points, weights, orthonormal modes.

Nothing here knows of zonal functions or of the angle between two points: a kernel and a target are
sums of modes, and an integral is a sum over points.
"""

from itertools import product

import numpy as np

from tests.tolerance import agree, rounding


class Points:
    """The weights of points, orthonormal modes at them, and the degree of each mode."""

    def __init__(self, weights, modes, degree):
        self.weights, self.modes, self.degree = weights, modes, np.array(degree)
        gram = (modes * weights) @ modes.T
        assert agree(gram, np.eye(len(modes)), rounding(1))

    def problem(self, eigenvalues, components):
        padded = np.append(eigenvalues, np.zeros(self.degree.max() + 1))[self.degree]
        kernel = (self.modes.T * padded) @ self.modes
        target = components @ self.modes
        return {"mu": self.weights, "kernel": kernel, "target": target}

    def power(self, components):
        return np.bincount(self.degree, components**2)


def circle(last, count):
    angle = 2 * np.pi * np.arange(count) / count
    modes = [np.ones(count)]
    for l in range(1, last + 1):
        modes += [np.sqrt(2) * np.cos(l * angle), np.sqrt(2) * np.sin(l * angle)]
    degree = [(n + 1) // 2 for n in range(2 * last + 1)]
    return Points(np.full(count, 1 / count), np.array(modes), degree)


def sphere(last, exact):
    """Gauss-Legendre heights times equally spaced meridians; real harmonics from polynomials in
    x, y, z, made orthonormal degree by degree."""
    height, weight = np.polynomial.legendre.leggauss(exact // 2 + 1)
    meridian = 2 * np.pi * np.arange(exact + 1) / (exact + 1)
    z = np.repeat(height, meridian.size)
    phi = np.tile(meridian, height.size)
    x, y = np.sqrt(1 - z**2) * np.cos(phi), np.sqrt(1 - z**2) * np.sin(phi)
    mu = np.repeat(weight / 2, meridian.size) / meridian.size
    modes, degree = [], []
    for l in range(last + 1):
        for a, b in product(range(l + 1), range(2)):
            if a + b <= l:
                f = x**a * y**b * z ** (l - a - b)
                for other in modes * 2:  # twice, for rounding
                    f = f - np.sum(mu * f * other) * other
                modes.append(f / np.sqrt(np.sum(mu * f**2)))
                degree.append(l)
    return Points(mu, np.array(modes), degree)


def torus(last, count):
    side = 2 * np.pi * np.arange(count) / count
    grid = np.array(list(product(side, repeat=2))).T
    modes, degree = [], []
    half = [v for v in product(range(-last, last + 1), repeat=2) if v >= (0, 0)]
    for n, vector in enumerate(sorted(half, key=lambda v: (max(map(abs, v)), v))):
        waves = [np.cos, np.sin] if any(vector) else [np.cos]
        for wave in waves:
            scale = np.sqrt(len(waves))
            modes.append(scale * wave(np.array(vector) @ grid))
            degree.append(n)
    return Points(np.full(count**2, 1 / count**2), np.array(modes), degree)


def cube(bits):
    corners = np.array(list(product([1, -1], repeat=bits)))
    subsets = sorted(product([0, 1], repeat=bits), key=sum)
    modes = [np.prod(corners ** np.array(subset), axis=1) for subset in subsets]
    return Points(np.full(2**bits, 2.0**-bits), np.array(modes), list(map(sum, subsets)))
