"""A 50-point planar learning curve against the obvious way, and its solver against the usual one.

The obvious way: the spectrum degree by degree with mpmath.quad on the angle, and at every number
of samples scipy.optimize.brentq on the self-consistent equation, in a Python loop. It is given just
the degrees that this curve needs, and folds the rest into the ridge; the library does not know how
many that is and lists forty-nine.

The usual solver: at every number of samples, bisection with the full sums over the degrees, until
kappa is good to 1e-12. It starts from the library's own spectrum, and so does ours.

    python benchmarks/planar_curve.py
"""

import mpmath
import numpy as np
from scipy.optimize import bisect, brentq
from timing import race

import fieldtheory as ft
from fieldtheory.model.planar.equation import effective_ridge, mode_errors

DIMENSION, DEGREES, DEPTH = 50, 12, 4
POWER = np.array([0.0, 0.5, 0.5])
SAMPLES = sorted({round(float(n)) for n in np.geomspace(50, 5000, 50)})


def ours():
    """Kernel, spectrum and curve by the library, error estimate and all."""
    network = ft.Network(DEPTH)
    task = ft.Task.sphere(DIMENSION, POWER)
    return ft.predict(network, task, SAMPLES, method="planar").error


def kernel(t):
    """The ReLU tangent kernel of depth 4, all variances 1, written out in mpmath."""
    sigma, q = t / DIMENSION + 1, mpmath.mpf(1) / DIMENSION + 1
    theta = sigma
    for _ in range(DEPTH - 1):
        p = min(sigma / q, mpmath.mpf(1))
        angle = mpmath.acos(p)
        sigma = q / (2 * mpmath.pi) * (mpmath.sin(angle) + (mpmath.pi - angle) * p) + 1
        theta = sigma + theta * (mpmath.pi - angle) / (2 * mpmath.pi)
        q = q / 2 + 1
    return theta


def obvious():
    """The same curve by mpmath.quad and brentq."""
    d = DIMENSION
    parts = [0, mpmath.pi / 2, mpmath.pi]
    total = mpmath.quad(lambda a: mpmath.sin(a) ** (d - 2), parts)

    def harmonic(l, t):
        before, now = mpmath.mpf(1), t
        for n in range(1, l):
            before, now = now, ((2 * n + d - 2) * t * now - n * before) / (n + d - 2)
        return now if l else before

    def integrand(l):
        return lambda a: (
            kernel(mpmath.cos(a)) * harmonic(l, mpmath.cos(a)) * mpmath.sin(a) ** (d - 2)
        )

    lam = np.array([float(mpmath.quad(integrand(l), parts) / total) for l in range(DEGREES)])
    deg = np.array([float(ft.Spectrum.of(lam, d).multiplicities[l]) for l in range(DEGREES)])
    power = np.zeros(DEGREES)
    power[: POWER.size] = POWER
    ridge = float(kernel(mpmath.mpf(1))) - float(deg @ lam)
    errors = []
    for n in SAMPLES:
        kappa = brentq(
            lambda k, n=n: float(np.sum(deg * lam / (lam + k))) + ridge / k - n,
            1e-12,
            1e3,
            xtol=1e-16,
        )
        learnt = lam / (lam + kappa)
        gamma = np.sum(deg * learnt**2) / n
        errors.append(np.sum((1 - learnt) ** 2 * power) / (1 - gamma))
    return np.array(errors)


reference = ft.predict(
    ft.precise_spectrum(ft.Network(DEPTH).on_sphere(DIMENSION), DIMENSION, 40, digits=20),
    ft.Task.sphere(DIMENSION, POWER),
    SAMPLES,
    method="planar",
).error
fast, slow = race(ours, obvious, rounds=3)
reached = [np.max(np.abs(way() / reference - 1)) for way in (ours, obvious)]
print(f"{len(SAMPLES)}-point planar curve, depth {DEPTH}, d = {DIMENSION}, medians of 3")
print(f"  fieldtheory.predict       {fast:9.4f} s   accuracy {reached[0]:.1e}")
print(f"  mpmath.quad and brentq    {slow:9.4f} s   accuracy {reached[1]:.1e}, {DEGREES} degrees")
print(f"  ratio                     {slow / fast:9.0f}")


def given(d):
    """A spectrum in d dimensions, with the whole ridge and the power on its degrees."""
    spectrum = ft.spectrum(ft.Network(DEPTH).on_sphere(d, "dimension"), d, accurate=False)
    power = np.zeros(spectrum.eigenvalues.size)
    power[: POWER.size] = POWER
    return spectrum, power, spectrum.tail


def at_once(spectrum, power, ridge):
    """All sizes at once, by the library."""
    N = np.array(SAMPLES, dtype=float)
    kappa = effective_ridge(spectrum, N, ridge)
    bias, variance = mode_errors(spectrum, power, N, kappa, 0.0)
    return (bias + variance).sum(axis=1)


def size_by_size(spectrum, power, ridge):
    """Bisection, one size after the other."""
    lam, deg, errors = spectrum.eigenvalues, spectrum.counts, []
    for n in SAMPLES:
        kappa = bisect(
            lambda k, n=n: np.sum(deg * lam / (lam + k)) + ridge / k - n,
            1e-12,
            2 * (spectrum.trace + ridge) / n,
            xtol=1e-24,
            rtol=1e-12,
        )
        learnt = lam / (lam + kappa)
        gamma = np.sum(deg * learnt**2) / n
        errors.append(np.sum((1 - learnt) ** 2 * power) / (1 - gamma))
    return np.array(errors)


print("solver and errors alone, medians of 9; low dimensions have many degrees")
for d in (3, 5, 10, 50):
    question = given(d)
    fast, slow = race(lambda q=question: at_once(*q), lambda q=question: size_by_size(*q), rounds=9)
    apart = np.max(np.abs(at_once(*question) / size_by_size(*question) - 1))
    print(
        f"  d = {d:<3d} {question[1].size:>4d} degrees   at once {1e3 * fast:7.3f} ms   bisection "
        f"{1e3 * slow:7.2f} ms   ratio {slow / fast:5.0f}   apart {apart:.0e}"
    )
