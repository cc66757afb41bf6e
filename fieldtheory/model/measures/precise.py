r"""Eigenvalues to any number of digits, by the definition and nothing else.

.. math:: \lambda_l = E_t[K(t) P_l(t)], \qquad t = \cos\theta

The integral over theta in (0, pi) is a sum over the double-exponential nodes

.. math:: \theta(u) = \frac{\pi}{1 + e^{-\pi \sinh u}}, \qquad u = 0, \pm h, \pm 2h, \dots, \pm nh

which converges geometrically whatever happens at the ends. An eigenvalue far below K(1) is left
over when larger terms cancel, so the working precision grows by the digits that cancel. Only the
kernel and the three-term recurrence are shared with the float64 roads of `projection`.
"""

from functools import cache
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.measures.sphere import harmonics, multiplicity
from fieldtheory.model.spectrum import MULTIPLICITY_AT_MOST, Spectrum

GUARD = 12  # digits of working precision beyond those that are asked and those that cancel
FIRST_POINTS = 16  # nodes on either side of u = 0
HALVINGS = 9  # of the step, before giving up


def precise_spectrum(kernel: Kernel, dimension: int, degrees: int, digits: int = 25) -> Spectrum:
    """Eigenvalues of degree 0 .. `degrees`, each to a relative 10^-digits, in `precise`.

    The step is halved and the working precision raised until two successive steps agree. What stays
    below K(1) / multiplicity times 10^-(digits + 10 + 4 degree) is returned as exactly zero, with
    that bound as its error: kernels with a parity, and polynomials, have true zeros. Numbers in the
    kernel (variances, lengths) are taken as the binary floats they are.

    `eigenvalues` and `errors` of the result are the same rounded to float64.

    Raises `OutOfRegime` if it does not settle and for a multiplicity beyond the range of float64,
    `InvalidInput` for a kernel that is not finite or not positive.

    >>> linear = Kernel("linear", lambda t, xp: 1 + t / 3)
    >>> precise_spectrum(linear, dimension=7, degrees=2, digits=20).precise
    ('1.00000000000000000000', '0.0476190476190476190476', '0.0')
    """
    d = checks.count("dimension", dimension, least=2)
    last = checks.count("degrees", degrees)
    wanted = checks.count("digits", digits, least=1)
    if multiplicity(d, last) > MULTIPLICITY_AT_MOST:
        raise OutOfRegime(
            f"dimension {d}, degree {last}: the multiplicity leaves the range of float64; "
            "ask for fewer degrees"
        )
    top = kernel.trace
    counts = [multiplicity(d, l) for l in range(last + 1)]
    before: list[Any] = []
    working = wanted + GUARD + len(str(counts[-1]))
    for halving in range(HALVINGS):
        context = _context(working)
        zero = [context.mpf(10) ** -(wanted + 10 + 4 * l) * top / n for l, n in enumerate(counts)]
        now = _project(kernel, d, last, context, FIRST_POINTS * 2**halving)
        goal = context.mpf(10) ** -wanted / 2
        pairs = zip(before, now, zero, strict=False)
        if before and all(abs(a - b) <= goal * abs(b) + z * (abs(b) < z) for a, b, z in pairs):
            return _spectrum(kernel, d, now, zero, context, wanted)
        before = now
        smallest = min(max(abs(value), z) for value, z in zip(now, zero, strict=True))
        lost = int(context.ceil(context.log10(top / smallest)))
        working = wanted + GUARD + max(lost, 0) + halving
    raise OutOfRegime(
        f"precise_spectrum of {kernel.name}, dimension {d}, degree {last}: {wanted} digits are "
        f"not settled after {HALVINGS} halvings of the step. Ask for fewer degrees or digits"
    )


def _spectrum(
    kernel: Kernel, d: int, values: list[Any], zero: list[Any], context: Any, digits: int
) -> Spectrum:
    """What was found, as a Spectrum; what is below its bound is zero."""
    lost = [abs(value) < bound for value, bound in zip(values, zero, strict=True)]
    for l, value in enumerate(values):
        if value < 0 and not lost[l]:
            raise InvalidInput(
                f"kernel {kernel.name!r} is not positive: "
                f"eigenvalue {context.nstr(value, 5)} at degree {l}"
            )
    lam = np.where(lost, 0.0, np.array([float(v) for v in values]))
    errors = np.where(
        lost, np.array([float(z) for z in zero]), np.spacing(lam) + lam / 10.0**digits
    )
    shown = tuple(
        "0.0" if gone else str(context.nstr(value, digits + 1, strip_zeros=False))
        for value, gone in zip(values, lost, strict=True)
    )
    return Spectrum(d, lam, errors, kernel.trace, kernel.name, shown)


def _context(digits: int) -> Any:
    """mpmath at its own precision: the user's is left alone."""
    import mpmath

    context = mpmath.mp.clone()
    context.dps = digits
    return context


def _world(context: Any) -> SimpleNamespace:
    """The functions a kernel formula needs, on arrays of mpmath numbers."""
    names = {"sqrt": "sqrt", "exp": "exp", "arccos": "acos", "arcsin": "asin"}
    functions = {
        name: np.frompyfunc(getattr(context, theirs), 1, 1) for name, theirs in names.items()
    }
    clip = np.frompyfunc(lambda x, low, high: min(max(x, low), high), 3, 1)
    return SimpleNamespace(**functions, clip=clip, pi=+context.pi, one=context.one)


def _project(kernel: Kernel, d: int, last: int, context: Any, points: int) -> list[Any]:
    """Eigenvalues 0 .. last with 2 `points` + 1 nodes."""
    cosines, weights = _nodes(d, context, points)
    values = weights * kernel.function(cosines, _world(context))
    if not all(map(context.isfinite, values)):
        raise InvalidInput(f"kernel {kernel.name!r} is not finite at every cosine in (-1, 1)")
    return [values @ p for p in islice(harmonics(d, cosines), last + 1)]


def _nodes(d: int, context: Any, points: int) -> tuple[Any, Any]:
    """Cosines and weights of the uniform measure, the weights summing to one."""
    cosines, weights = [], []
    for k in range(-points, points + 1):
        u = context.mpf(k) * _reach(d, context.dps) / points
        grown = context.exp(-context.pi * context.sinh(u))
        theta = context.pi / (1 + grown)
        slope = context.cosh(u) * grown / (1 + grown) ** 2
        cosines.append(context.cos(theta))
        weights.append(slope * context.sin(theta) ** (d - 2))
    total = sum(weights)
    return np.array(cosines), np.array([w / total for w in weights])


@cache
def _reach(d: int, digits: int) -> float:
    """The u beyond which the measure is below 10^-digits of its peak."""
    u = np.geomspace(1e-6, 8, 4000)
    fall = -np.pi * np.sinh(u)  # the logarithm of `grown`; theta = pi * grown far out
    grown = np.exp(np.maximum(fall, -600))
    sine = np.where(fall < -30, np.log(np.pi) + fall, np.log(np.sin(np.pi * grown / (1 + grown))))
    logarithm = (d - 2) * sine + fall + np.log(np.cosh(u)) - 2 * np.log1p(grown)
    inside = logarithm - logarithm[0] > -np.log(10) * (digits + 5)
    return float(u[min(int(np.argmin(inside)), u.size - 1)])
