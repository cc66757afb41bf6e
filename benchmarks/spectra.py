"""Spectra of a depth-4 ReLU network against plain scripts of equal accuracy.

The NumPy script is the definition, lam_l = E[K(t) P_l(t)], by Gauss-Legendre quadrature in the
angle, the best rule we know for it: in t itself the kernel is singular. Its rounding is relative to
K(1), so high degrees are lost to it whatever the number of nodes: it is timed on the degrees that
it reaches, with the fewest nodes that reach them, and the same script in 80 digits (mpmath) on all.
Every error is measured against `precise_spectrum`; the script states none. At the end
`precise_spectrum` itself, with python-flint if that is installed and without.

    python benchmarks/spectra.py
"""

import mpmath
import numpy as np
from timing import race, seconds

from fieldtheory.model.averages import many
from fieldtheory.model.averages.digits import _expansion
from fieldtheory.model.measures.precise import precise_spectrum
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum

DEPTH, VARIANCE, GOAL = 4, 1.0, 1e-10
NODES = (24, 32, 40, 48, 56, 64, 72, 80, 96, 112, 128, 160, 192)
LONG_NODES, DIGITS = 200, 80


def kernel(t, d, sqrt=np.sqrt, arccos=np.arccos, pi=np.pi):
    """The tangent kernel, weight and bias variance one, |x| = 1, as one would write it down."""
    top = VARIANCE / d + VARIANCE
    sigma = VARIANCE * t / d + VARIANCE
    theta = sigma
    for _ in range(DEPTH - 1):
        p = np.minimum(sigma / top, 1)
        angle = arccos(p)
        theta = theta * (pi - angle) / (2 * pi)
        sigma = top / (2 * pi) * (sqrt(1 - p * p) + p * (pi - angle)) + VARIANCE
        theta, top = theta + sigma, top / 2 + VARIANCE
    return theta


def gauss(d, nodes):
    """Cosines and weights of the uniform measure on S^(d-1)."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    theta = np.pi / 2 * (1 + x)
    w = w * np.sin(theta) ** (d - 2)
    return np.cos(theta), w / w.sum()


def project(values, t, d, degrees):
    before, now, found = 0 * t + 1, t, [values.sum(), values @ t]
    for l in range(1, degrees):
        before, now = now, ((2 * l + d - 2) * t * now - l * before) / (l + d - 2)
        found.append(values @ now)
    return found


def plain(d, degrees, rule):
    t, w = rule
    return np.array(project(w * kernel(t, d), t, d, degrees))


def long(d, degrees):
    """The same script in mpmath, the nodes made exact by Newton's method."""
    many = mpmath.mp.clone()
    many.dps = DIGITS
    x = np.array([many.mpf(float(x)) for x in np.polynomial.legendre.leggauss(LONG_NODES)[0]])
    for _ in range(3):
        below, last = legendre(x)
        slope = LONG_NODES * (below - x * last) / (1 - x * x)
        x = x - last / slope
    sine, cosine, root, arccos = (
        np.frompyfunc(f, 1, 1) for f in (many.sin, many.cos, many.sqrt, many.acos)
    )
    theta = many.pi / 2 * (1 + x)
    w = sine(theta) ** (d - 2) / ((1 - x * x) * slope**2)
    t = cosine(theta)
    values = w / w.sum() * kernel(t, d, root, arccos, +many.pi)
    return project(values, t, d, degrees)


def legendre(x):
    before, now = 0 * x + 1, x
    for l in range(1, LONG_NODES):
        before, now = now, ((2 * l + 1) * x * now - l * before) / (l + 1)
    return before, now


def relative(found, truth):
    return np.abs(np.asarray(found, dtype=float) / truth - 1)


def reached(errors):
    """The degrees below the first that misses the goal."""
    missed = np.flatnonzero(errors > GOAL)
    return int(missed[0]) if missed.size else errors.size


def told(name, time, errors, baseline=None):
    ratio = "" if baseline is None else f"   ratio {baseline / time:7.1f}"
    print(f"    {name:<46s} {1e3 * time:9.2f} ms   largest error {errors.max():.0e}{ratio}")


def row(d, degrees):
    network = Network(DEPTH, "relu", VARIANCE, VARIANCE).on_sphere(d)
    truth = np.array([float(x) for x in precise_spectrum(network, d, degrees, 18).precise])
    print(f"  d = {d}, degrees 0 .. {degrees}, eigenvalues down to {truth.min():.0e}")
    tried = {n: relative(plain(d, degrees, gauss(d, n)), truth) for n in NODES}
    best = max(reached(errors) for errors in tried.values()) - 1
    nodes = next(n for n, errors in tried.items() if reached(errors) > best)
    print(f"   as far as float64 quadrature has relative errors below {GOAL:.0e}: degree {best}")
    rule = gauss(d, nodes)
    for name, accurate in (("accurate", True), ("accurate=False", False)):

        def ours(accurate=accurate):
            return spectrum(network, d, degrees=best, accurate=accurate)

        library, script = race(ours, lambda: plain(d, best, gauss(d, nodes)), rounds=21)
        _, given = race(ours, lambda: plain(d, best, rule), rounds=21)
        told(f"library, {name}", library, relative(ours().eigenvalues, truth[: best + 1]), script)
    told(f"NumPy script, {nodes} nodes", script, tried[nodes][: best + 1])
    told("NumPy script, nodes given", given, tried[nodes][: best + 1])
    if best == degrees:
        return
    whole = spectrum(network, d, degrees=degrees)
    library, script = race(
        lambda: spectrum(network, d, degrees=degrees),
        lambda: plain(d, degrees, gauss(d, nodes)),
        rounds=21,
    )
    slow = seconds(lambda: long(d, degrees))
    print("   all degrees")
    told("library, accurate", library, relative(whole.eigenvalues, truth), slow)
    told(f"NumPy script, {nodes} nodes, wrong", script, tried[nodes])
    told(f"the same in {DIGITS} digits, mpmath", slow, relative(long(d, degrees), truth))
    bound = np.max(whole.errors / whole.eigenvalues)
    print(f"    the library states {bound:.0e} at worst")


def precise(name, network, d, degrees, digits):
    """By each engine, what was expanded before forgotten."""
    times, installed = {}, many.flint
    for engine, found in (("mpmath", lambda: None), ("python-flint", installed)):
        if engine == "mpmath" or found() is not None:
            many.flint = found
            _expansion.cache_clear()
            kernel = network.on_sphere(d)
            times[engine] = seconds(lambda k=kernel: precise_spectrum(k, d, degrees, digits))
    line = "   ".join(f"{engine} {1e3 * time:6.0f} ms" for engine, time in times.items())
    print(f"  precise_spectrum, {name}, d = {d}, degree {degrees}, {digits} digits: {line}")


print("medians of 21, in one run; ratio = time of the script / time of the library")
row(50, 100)
row(5, 100)
row(3, 40)
precise("ReLU", Network(DEPTH), 50, 100, 25)
precise("GELU", Network(3, "gelu"), 10, 20, 100)
precise("tanh", Network(3, "tanh", bias_variance=0.0), 10, 12, 25)
