"""Deep networks by mpmath: moments by a sum, fixed points and critical points by findroot."""

from functools import cache

import mpmath

DIGITS = 18
STEP, LAST = mpmath.mpf(1) / 16, 10  # of tanh exp(-pi^2/STEP/sqrt(q)) is left, of others less


def _average(f, q):
    """The midpoint rule, exact beyond any power of the step where the integrand is smooth and falls
    off like a Gaussian; with its mirror image a function bent at zero is smooth too."""
    root = mpmath.sqrt(q)
    points = [(n + mpmath.mpf(1) / 2) * STEP for n in range(int(LAST / STEP))]
    return STEP * mpmath.fsum((f(root * z) + f(-root * z)) * mpmath.npdf(z) for z in points)


def erf_slope(z):
    return 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(z**2))


PAIRS = {
    "relu": (lambda z: max(z, 0), lambda z: mpmath.mpf(z > 0)),
    "erf": (mpmath.erf, erf_slope),
    "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2),
    "gelu": (lambda z: z * mpmath.ncdf(z), lambda z: mpmath.ncdf(z) + z * mpmath.npdf(z)),
}


@cache
def square(name, q):
    """<phi^2>"""
    return _average(lambda z: PAIRS[name][0](z) ** 2, q)


@cache
def slope_square(name, q):
    """<phi'^2>"""
    return _average(lambda z: PAIRS[name][1](z) ** 2, q)


@cache
def growth(name, q):
    """d<phi^2>/dq = <phi phi' z> / q, z being the field itself."""
    phi, slope = PAIRS[name]
    return _average(lambda z: phi(z) * slope(z) * z, q) / q


@cache
def fixed_point(name, weight, bias, guess):
    """q with q = weight <phi^2> + bias, by the secant method."""
    with mpmath.workdps(DIGITS):
        q = mpmath.findroot(lambda q: weight * square(name, q) + bias - q, guess)
        return float(q), float(weight * slope_square(name, q)), float(weight * growth(name, q))


@cache
def critical(name, bias, guess):
    """(weight, q) with chi_perp = 1 at the fixed point of this bias, by Newton in two unknowns."""
    with mpmath.workdps(DIGITS):

        def conditions(weight, q):
            rest = weight * square(name, q) + bias - q
            return rest, weight * slope_square(name, q) - 1

        weight, q = mpmath.findroot(conditions, guess)
        return float(weight), float(q)


@cache
def both_critical(name, guess):
    """(weight, bias, q) with both susceptibilities one."""
    with mpmath.workdps(DIGITS):

        def conditions(weight, bias, q):
            return (
                weight * square(name, q) + bias - q,
                weight * slope_square(name, q) - 1,
                weight * growth(name, q) - 1,
            )

        return tuple(float(x) for x in mpmath.findroot(conditions, guess))
