r"""Gaussian inputs: x ~ N(0, v) in each of d coordinates, where the modes are known exactly.

**RBF** (Mehler's formula). K = exp(-|x - y|^2 / 2 length^2) is a product over coordinates. With
a = 1/(4v), b = 1/(2 length^2), c = sqrt(a^2 + 2ab), A = a + b + c, the modes of one coordinate are

.. math:: \lambda_k = \sqrt{2a/A}\,(b/A)^k, \qquad
          \phi_k(x) = \frac{(c/a)^{1/4}}{\sqrt{2^k k!}}\, e^{-(c-a)x^2} H_k(\sqrt{2c}\,x),

so in d dimensions binom(n+d-1, n) modes of total degree n share (2a/A)^{d/2} (b/A)^n (Zhu,
Williams, Rohwer, Morciniec 1998; Rasmussen and Williams 2006, section 4.3).

**Radius and angle.** A kernel K = (|x||y|)^k f(t), as of a ReLU network without biases (k = 1),
has modes |x|^k Y_lm / E[|x|^2k]^{1/2} of eigenvalue E[|x|^2k] lam_l[f]. A kernel of x.y alone,
sum_q b_q (x.y)^q, acts at each degree l on powers of the radius: its eigenvalues are those of the
matrix (b_q a_ql b_q' a_q'l)^{1/2} E[|x|^{q+q'}], a_ql the eigenvalue of t^q on the sphere.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import comb, factorial, lgamma
from typing import Any

import numpy as np

from fieldtheory.compiler.generated import log_power_eigenvalue
from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.polynomial import Polynomial
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.measures.harmonic import coordinates
from fieldtheory.model.measures.sphere import multiplicity
from fieldtheory.model.modes import Modes
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum
from fieldtheory.model.target import Target

EPS = float(np.finfo(float).eps)
DEGREES = 40  # of the RBF list, unasked
DEGREES_AT_MOST = 150  # of the RBF list: Gauss-Hermite weights underflow beyond
MULTIPLICITY_AT_MOST = 1e280
POWERS_AT_MOST = 64


class _Logarithms:
    """The functions `log_power_eigenvalue` needs."""

    log, gammaln = staticmethod(np.log), staticmethod(np.vectorize(lgamma))


def radius_moment(dimension: int, order: float, variance: float = 1.0) -> float:
    """E[|x|^order].

    >>> round(radius_moment(3, 4, variance=2.0), 10)
    60.0
    """
    d = checks.count("dimension", dimension, least=1)
    grown = lgamma((d + order) / 2) - lgamma(d / 2) + order / 2 * np.log(2 * variance)
    return float(np.exp(grown))


# RBF ----------------------------------------------------------------------------------------------


def gaussian_rbf(
    dimension: int, length: float = 1.0, variance: float = 1.0, *, degrees: int = DEGREES
) -> Modes:
    """The modes of exp(-|x - y|^2 / 2 length^2), by total degree 0 .. degrees; the rest is tail.

    Raises `InvalidInput` for a length or variance that is not positive, and `OutOfRegime` for
    degrees beyond 150 or multiplicities beyond float64.

    >>> modes = gaussian_rbf(dimension=1, length=1.0, degrees=2)
    >>> modes.eigenvalues.round(6).tolist(), modes.multiplicities
    ([0.618034, 0.236068, 0.09017], (1, 1, 1))
    """
    d, last = checks.count("dimension", dimension, least=1), _degrees(degrees)
    a, b, c = _widths(length, variance)
    counts = tuple(comb(n + d - 1, n) for n in range(last + 1))
    if counts[-1] > MULTIPLICITY_AT_MOST:
        raise OutOfRegime(
            f"degree {last} in dimension {d} has more than {MULTIPLICITY_AT_MOST:g} modes, beyond "
            "float64: ask for fewer degrees"
        )
    n = np.arange(last + 1)
    lam = np.exp(d / 2 * np.log(2 * a / (a + b + c)) + n * np.log(b / (a + b + c)))
    return Modes(
        lam,
        counts,
        1.0,
        tuple(f"degree {k}" for k in n),
        (4 + d + n) * EPS * lam,
        f"rbf, length {length:g}",
        f"Gaussian inputs of variance {variance:g} in {d} dimensions",
    )


def gaussian_rbf_power(
    target: str,
    dimension: int,
    length: float = 1.0,
    variance: float = 1.0,
    *,
    degrees: int = DEGREES,
) -> Array:
    """The power of a polynomial target in the modes of `gaussian_rbf`, by total degree.

    Gauss-Hermite quadrature with enough nodes to be exact for every overlap; the sum over degrees
    tends to E[p^2].

    >>> gaussian_rbf_power("x0", dimension=1, degrees=60).sum().round(9)
    np.float64(1.0)
    """
    d, last = checks.count("dimension", dimension, least=1), _degrees(degrees)
    whole = coordinates(target, d)
    table = _rbf_overlaps(whole.degree, last, _widths(length, variance))

    def pair(m: int, n: int) -> Array:
        return np.asarray(table[m] * table[n])

    return frozen(_by_degree(whole, d, pair, last).astype(float))


def _rbf_overlaps(powers: int, last: int, widths: tuple[float, float, float]) -> Array:
    """E[x^m phi_k(x)], shape (powers + 1, last + 1)."""
    a, _, c = widths
    z, w = np.polynomial.hermite.hermgauss((powers + last) // 2 + 1)
    x = z / np.sqrt(a + c)
    phi = _hermite_functions(np.sqrt(2 * c) * x, last) * (c / a) ** 0.25
    measure = w * np.sqrt(2 * a / (a + c) / np.pi)
    return np.asarray((measure * x ** np.arange(powers + 1)[:, None]) @ phi.T)


def rbf_function(degree: int, x: Any, length: float = 1.0, variance: float = 1.0) -> Array:
    """phi_degree at numbers `x`: a mode of `gaussian_rbf` in one dimension."""
    k, x = _degrees(degree), np.asarray(x, dtype=float)
    a, _, c = _widths(length, variance)
    shape = _hermite_functions(np.sqrt(2 * c) * x.ravel(), k)[k].reshape(x.shape)
    return np.asarray((c / a) ** 0.25 * np.exp(-(c - a) * x**2) * shape)


def _hermite_functions(u: Array, last: int) -> Array:
    """H_k(u) / sqrt(2^k k!) for k = 0 .. last."""
    rows = np.ones((last + 1, u.size))
    if last:
        rows[1] = np.sqrt(2) * u
    for k in range(1, last):
        rows[k + 1] = np.sqrt(2 / (k + 1)) * u * rows[k] - np.sqrt(k / (k + 1)) * rows[k - 1]
    return rows


def _widths(length: float, variance: float) -> tuple[float, float, float]:
    a = 1 / (4 * checks.positive("variance", variance))
    b = 1 / (2 * checks.positive("length", length) ** 2)
    return a, b, float(np.sqrt(a * a + 2 * a * b))


def _degrees(degrees: int) -> int:
    last = checks.count("degrees", degrees)
    if last > DEGREES_AT_MOST:
        raise OutOfRegime(f"degrees = {last}: at most {DEGREES_AT_MOST} are within float64")
    return last


# Hermite power ------------------------------------------------------------------------------------


def hermite_power(
    target: str, dimension: int, variance: int | Fraction = 1
) -> tuple[Fraction, ...]:
    """The power of a polynomial per total Hermite degree, exact; the sum is E[p^2].

    >>> [str(G) for G in hermite_power("x0^3 + x1", dimension=2)]
    ['0', '10', '0', '6']
    """
    d = checks.count("dimension", dimension, least=1)
    checks.positive("variance", variance)
    if not isinstance(variance, int | Fraction):
        raise InvalidInput(f"variance = {variance!r}: an exact power needs an int or a Fraction")
    whole, v = coordinates(target, d), Fraction(variance)

    def pair(m: int, n: int) -> Any:
        if (m + n) % 2:
            return np.array([Fraction(0)])
        low = min(m, n)
        shares = [Fraction(0)] * (low + 1)
        for k in range(low % 2, low + 1, 2):
            # x^m = sum_k m! / (2^j j! k!) v^j He_k, m = k + 2j, and E[He_k^2] = v^k k!
            shares[k] = _hermite(m, k) * _hermite(n, k) * factorial(k) * v ** ((m + n) // 2)
        return np.array(shares)

    return tuple(Fraction(G) for G in _by_degree(whole, d, pair, whole.degree))


def _hermite(m: int, k: int) -> Fraction:
    j = (m - k) // 2
    return Fraction(factorial(m), 2**j * factorial(j) * factorial(k))


def _by_degree(whole: Polynomial, d: int, pair: Callable[[int, int], Any], last: int) -> Any:
    """sum over modes of total degree n of the squared overlap, n = 0 .. last.

    The modes are products over coordinates, so the sum is a coefficient of z^n in a product of one
    series for each coordinate; the coordinates that do not occur share one.
    """
    zero = pair(0, 0)[:1] * 0
    total = np.repeat(zero, last + 1)
    names = whole.variables
    idle = _power(pair(0, 0)[: last + 1], d - len(names), last)
    terms = [(dict(m), c) for m, c in whole.terms.items()]
    for left, c in terms:
        for right, e in terms:
            series = idle * _number(c * e, zero)
            for name in names:
                factor = pair(left.get(name, 0), right.get(name, 0))
                series = np.convolve(series, factor)[: last + 1]
            total[: len(series)] += series
    return total


def _number(value: Fraction, like: Any) -> Any:
    return value if like.dtype == object else float(value)


def _power(series: Any, exponent: int, last: int) -> Any:
    """series^exponent through z^last, by squaring."""
    result = series[:1] * 0 + 1
    while exponent:
        if exponent % 2:
            result = np.convolve(result, series)[: last + 1]
        series, exponent = np.convolve(series, series)[: last + 1], exponent // 2
    return result


# Radius and angle ---------------------------------------------------------------------------------


def gaussian_homogeneous(
    kernel: Kernel,
    dimension: int,
    order: int = 1,
    variance: float = 1.0,
    *,
    degrees: int | None = None,
) -> Modes:
    """The modes of (|x| |y|)^order f(t), f given as a `Kernel`: one radial function per degree.

    >>> linear = Kernel("linear", lambda t, xp: t)
    >>> found = gaussian_homogeneous(linear, dimension=4, variance=3.0, degrees=1)
    >>> found.eigenvalues.round(12).tolist()
    [0.0, 3.0]
    """
    d, k = checks.count("dimension", dimension, least=2), checks.count("order", order)
    scale = radius_moment(d, 2 * k, checks.positive("variance", variance))
    angular = spectrum(kernel, d, degrees)
    return Modes(
        scale * angular.eigenvalues,
        angular.multiplicities,
        scale * angular.trace,
        tuple(f"degree {l}" for l in range(angular.eigenvalues.size)),
        scale * angular.errors,
        kernel.name,
        f"Gaussian inputs of variance {variance:g} in {d} dimensions",
    )


def gaussian_network(
    network: Network, dimension: int, variance: float = 1.0, *, degrees: int | None = None
) -> Modes:
    """The modes of a ReLU network without biases on Gaussian inputs, exact.

    Raises `OutOfRegime` for another activation or a bias, where radius and angle do not part.
    """
    if network.activation != "relu" or network.bias_variance != 0:
        raise OutOfRegime(
            f"{network}: radius and angle part for ReLU without bias alone; in high dimension "
            "|x|^2 is nearly constant: use the sphere, network.on_sphere(d, 'dimension')"
        )
    kernel = network.on_sphere(dimension, "unit")
    return gaussian_homogeneous(kernel, dimension, 1, variance, degrees=degrees)


def homogeneous_power(target: str, dimension: int, order: int = 1, variance: float = 1.0) -> Array:
    r"""The power of a polynomial in the modes of `gaussian_homogeneous`, per degree.

    .. math:: G_l = \sum_{nn'} \rho_n \rho_{n'} \langle p_n, p_{n'} \rangle_l, \qquad
              \rho_n = E[|x|^{k+n}] \,/\, E[|x|^{2k}]^{1/2}

    with p_n the part of p of homogeneous degree n. What is missing from E[p^2] has another
    dependence on the radius, which such a kernel never learns.

    >>> homogeneous_power("x0^3", dimension=3).round(6).tolist()
    [0.0, 9.0, 0.0, 1.714286]
    """
    d, k = checks.count("dimension", dimension, least=2), checks.count("order", order)
    v = checks.positive("variance", variance)
    parts = coordinates(target, d).homogeneous_parts()
    rho = {n: radius_moment(d, k + n, v) / np.sqrt(radius_moment(d, 2 * k, v)) for n in parts}
    power = np.zeros(1 + max(parts, default=0))
    for n, p in parts.items():
        for m, q in parts.items():
            both = _parallel(p, q, d)
            for l, inner in both.items():
                power[l] += rho[n] * rho[m] * float(inner)
    power[np.abs(power) <= 64 * EPS * power.sum()] = 0.0  # a zero, up to rounding
    return frozen(power)


def _parallel(p: Polynomial, q: Polynomial, d: int) -> Mapping[int, Fraction]:
    """<p, q> per degree on the unit sphere, from the powers of p + q and p - q."""
    plus, minus = (Target.of(r, d).exact_power for r in (p + q, p - q))
    long = max(len(plus), len(minus))
    pairs = zip(_longer(plus, long), _longer(minus, long), strict=True)
    return {l: (a - b) / 4 for l, (a, b) in enumerate(pairs)}


def _longer(power: tuple[Fraction, ...], length: int) -> list[Fraction]:
    return [*power, *[Fraction(0)] * (length - len(power))]


def gaussian_dot_product(coefficients: Any, dimension: int, variance: float = 1.0) -> Modes:
    """The modes of sum_q b_q (x.y)^q: several radial functions n = 0, 1, ... at each degree l.

    coefficients  b_0, b_1, ..., none negative, at most 65

    Raises `InvalidInput` for negative coefficients, `OutOfRegime` where moments of the radius leave
    float64.

    >>> modes = gaussian_dot_product([0, 1], dimension=4, variance=3.0)
    >>> modes.labels, modes.eigenvalues.round(12).tolist(), modes.multiplicities
    (('degree 1, radial 0',), [3.0], (4,))
    """
    d, v = checks.count("dimension", dimension, least=2), checks.positive("variance", variance)
    b = checks.powers("coefficients", coefficients)
    top = b.size - 1
    if top > POWERS_AT_MOST:
        raise OutOfRegime(f"powers up to {top}: give at most {POWERS_AT_MOST}")
    moments = np.array([radius_moment(d, n, v) for n in range(2 * top + 1)])
    if not np.all(np.isfinite(moments)):
        raise OutOfRegime(f"E|x|^{2 * top} leaves float64: give fewer powers or less variance")
    found: list[tuple[float, int, str, float]] = []
    for l in range(top + 1):
        q = np.arange(l, top + 1, 2)
        a = np.exp(log_power_eigenvalue(d, l, (q - l) // 2, xp=_Logarithms))
        root = np.sqrt(b[q] * a)
        matrix = root[:, None] * root * moments[q[:, None] + q]
        values = np.linalg.eigvalsh(matrix)[::-1]
        error = 8 * q.size * EPS * values[0] + EPS * (l + 8) * values[0]
        for n, value in enumerate(values):
            if value > error:
                label = f"degree {l}, radial {n}"
                found.append((float(value), multiplicity(d, l), label, float(error)))
    if not found:
        raise InvalidInput("every coefficient is zero: such a kernel learns nothing")
    values_, counts, labels, errors = zip(*found, strict=True)
    return Modes(
        np.array(values_),
        counts,
        float(b @ moments[::2]),
        labels,
        np.array(errors),
        f"power series of x.y, degree {top}",
        f"Gaussian inputs of variance {v:g} in {d} dimensions",
    )
