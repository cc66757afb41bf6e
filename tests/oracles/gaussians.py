"""Averages over pairs of Gaussians, each in a way of its own: nothing of the library is used."""

import mpmath
import numpy as np

SPACING, REACH = 0.05, 10.0


def pair(f, q, p):
    """E[f(u) f(v)] for entire or nearly entire f; q and p may be complex, by the trapezium rule.

    u = sqrt(q) z, v = sqrt(q) (p z + sqrt(1 - p^2) w) with z, w independent and standard normal.
    """
    z = np.arange(-REACH, REACH + SPACING, SPACING)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    u = np.sqrt(q) * z[:, None]
    v = np.sqrt(q) * (p * z[:, None] + np.sqrt(1 - p**2 + 0j) * z[None, :])
    found = weight @ (f(u + 0j) * f(v)) @ weight
    return found if np.iscomplexobj(q) or np.iscomplexobj(p) else float(found.real)


def homogeneous_pair(f, q, p, power):
    """E[f(u) f(v)] for f(r z) = r^power f(z), power 0 or 1: radius by hand, angle by quad."""
    b = mpmath.acos(p)
    breaks = {-mpmath.pi / 2, mpmath.pi / 2, b - mpmath.pi / 2, b + mpmath.pi / 2}
    start = -mpmath.pi / 2
    edges = sorted({start + mpmath.fmod(x - start + 4 * mpmath.pi, 2 * mpmath.pi) for x in breaks})
    edges = [*edges, start + 2 * mpmath.pi]

    def angular(a):
        return f(mpmath.cos(a)) * f(mpmath.cos(a - b))

    radial = 2 * mpmath.mpf(q) if power else mpmath.mpf(1)  # E[r^2] = 2
    return float(radial * mpmath.quad(angular, edges) / (2 * mpmath.pi))


def overlap(f, q, degree, breaks=(), digits=20):
    """E[f(sqrt(q) z) He_k(z)] / sqrt(k!), by mpmath's quad; `breaks` are kinks or jumps in x."""
    with mpmath.workdps(digits):
        root = mpmath.sqrt(q)

        def hermite(z):
            terms = (
                (-1) ** m
                * z ** (degree - 2 * m)
                / mpmath.factorial(m)
                / mpmath.factorial(degree - 2 * m)
                / 2**m
                for m in range(degree // 2 + 1)
            )
            return mpmath.factorial(degree) * mpmath.fsum(terms)

        inside = {mpmath.mpf(x) / root for x in breaks} | {mpmath.mpf(k) for k in range(-18, 19, 2)}
        average = mpmath.quad(lambda z: f(root * z) * hermite(z) * mpmath.npdf(z), sorted(inside))
        return float(average / mpmath.sqrt(mpmath.factorial(degree)))
