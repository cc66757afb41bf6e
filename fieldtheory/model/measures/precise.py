r"""Eigenvalues to any number of digits, by the definition and nothing else.

.. math:: \lambda_l = E_t[K(t) P_l(t)], \qquad t = \cos\theta

The integral over theta in (0, pi) is a sum over the double-exponential nodes

.. math:: \theta(u) = \frac{\pi}{1 + e^{\pi \sinh u}}, \qquad u = 0, \pm h, \pm 2h, \dots, \pm nh

which converges geometrically whatever happens at the ends. An eigenvalue far below K(1) is left
over when larger terms cancel, so the working precision has as many digits more as cancel: float64
tells how many, and the result is asked again. Nodes at u and -u are one another's mirror images,
t and -t, and a halved step keeps the nodes it had. Only the kernel and the three-term recurrence
are shared with the float64 roads of `projection`; the latter runs on whole numbers (`whole`).
"""

from collections.abc import Iterator
from functools import cache
from itertools import count, islice
from typing import Any, NamedTuple

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.averages.many import Arithmetic, mpmath_context
from fieldtheory.model.averages.whole import back, bits_of, whole
from fieldtheory.model.kernel import Kernel, checked
from fieldtheory.model.measures.projection import by_series
from fieldtheory.model.measures.sphere import multiplicity
from fieldtheory.model.spectrum import MULTIPLICITY_AT_MOST, Spectrum

GUARD = 12  # digits of working precision beyond those that are asked and those that cancel
FIRST_POINTS = 16  # nodes on either side of u = 0
HALVINGS = 9  # of the step, before giving up
ESTIMATED = 256  # degrees up to which float64 is asked how many digits cancel


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
    checked(kernel)
    d = checks.count("dimension", dimension, least=2)
    last = checks.count("degrees", degrees)
    wanted = checks.count("digits", digits, least=1)
    if multiplicity(d, last) > MULTIPLICITY_AT_MOST:
        raise OutOfRegime(
            f"dimension {d}, degree {last}: the multiplicity leaves the range of float64; "
            "ask for fewer degrees"
        )
    question = _Question(kernel, d, last, wanted)
    working = wanted + GUARD + question.estimate()
    sums, before = _Sums(question, working, FIRST_POINTS), []
    for _ in range(HALVINGS):
        now = sums.eigenvalues()
        needed = wanted + GUARD + question.cancelled(now, sums.context)
        if needed > working:
            working, before = needed, now
            sums = _Sums(question, working, sums.points)
            now = sums.eigenvalues()
        zero = question.zeros(sums.context)
        goal = sums.context.mpf(10) ** -wanted / 2
        pairs = zip(before, now, zero, strict=False)
        if before and all(abs(a - b) <= goal * abs(b) + z * (abs(b) < z) for a, b, z in pairs):
            return _spectrum(question, now, zero, sums.context)
        before = now
        sums.halve()
    raise OutOfRegime(
        f"precise_spectrum of {kernel.name}, dimension {d}, degree {last}: {wanted} digits are "
        f"not settled after {HALVINGS} halvings of the step. Ask for fewer degrees or digits"
    )


class _Question(NamedTuple):
    """A kernel, the dimension, the last degree and the digits."""

    kernel: Kernel
    dimension: int
    last: int
    digits: int

    def zeros(self, context: Any) -> list[Any]:
        """What each eigenvalue must exceed not to be called zero."""
        top = context.mpf(self.kernel.trace)
        return [
            top / multiplicity(self.dimension, l) / context.mpf(10) ** (self.digits + 10 + 4 * l)
            for l in range(self.last + 1)
        ]

    def cancelled(self, found: Any, context: Any) -> int:
        """Digits of K(1) beyond the smallest of the eigenvalues `found`, or of the bounds.

        What is zero to the last digit is so by symmetry, and nothing was left over.
        """
        pairs = zip(found, self.zeros(context), strict=True)
        smallest = min((max(abs(value), z) for value, z in pairs if value), default=context.one)
        return max(0, int(context.ceil(context.log10(self.kernel.trace / smallest))))

    def estimate(self) -> int:
        """The same from float64, if that knows the eigenvalues."""
        if self.last > ESTIMATED:
            return len(str(multiplicity(self.dimension, self.last)))
        try:
            lam, errors = by_series(self.kernel, self.dimension, self.last)
        except TypeError:  # a formula that knows no power series
            return 0
        context = mpmath_context(15)
        found = [context.mpf(float(x)) for x in np.where(errors <= np.abs(lam) / 2, lam, 0.0)]
        return self.cancelled(found, context)


class _Sums:
    """Sums over the nodes, for each degree, in whole numbers."""

    def __init__(self, question: _Question, digits: int, points: int) -> None:
        self.question, self.points = question, points
        self.numbers = Arithmetic(digits)
        self.context = self.numbers.context
        self.bits = bits_of(self.context)
        self.reach = _reach(question.dimension, digits)
        self.totals, self.mass = [0] * (question.last + 1), 0
        self._add(range(points + 1))

    def halve(self) -> None:
        """Put a node between any two."""
        self.points *= 2
        self._add(range(1, self.points, 2))

    def eigenvalues(self) -> list[Any]:
        """The sums as they stand, divided by that of the weights."""
        mass = back(self.mass, self.bits, self.context)
        return [back(total, self.bits, self.context) / mass for total in self.totals]

    def _add(self, places: range) -> None:
        """The nodes at u = k h for k in `places`, and at -k h."""
        try:
            table = self._table(places)
        except TypeError:  # a formula written for mpmath alone
            if not self.numbers.balls:
                raise
            self.numbers = Arithmetic(self.context.dps, balls=False)
            table = self._table(places)
        t, weights, even, odd = (whole(each, self.bits, self.context) for each in table)
        self.mass += 2 * int(weights.sum())
        harmonics = _harmonics(self.question.dimension, t, self.bits)
        for l, p in enumerate(islice(harmonics, self.question.last + 1)):
            self.totals[l] += int((odd if l % 2 else even) @ p) >> self.bits

    def _table(self, places: range) -> tuple[Any, Any, Any, Any]:
        """Cosines, weights, and the kernel times them, its even and its odd part."""
        kernel = self.question.kernel
        # mpmath spells out, in vain, the arrays it does not know: briefly then
        with self.numbers.working(), np.printoptions(threshold=0):
            t, weights = (np.array(each) for each in zip(*map(self._node, places), strict=True))
            if places[0] == 0:
                weights[0] /= 2  # it is its own image
            values = kernel.function(np.concatenate([t, -t]), self.numbers.world())
            if not all(map(self.numbers.finite, values)):
                raise InvalidInput(
                    f"kernel {kernel.name!r} is not finite at every cosine in (-1, 1)"
                )
            up, down = np.split(values, 2)
            return t, weights, weights * (up + down), weights * (up - down)

    def _node(self, place: int) -> tuple[Any, Any]:
        """The cosine at -u, where theta is small, and the weight, one at u = 0 or so."""
        numbers = self.numbers
        u = numbers.number(place) * numbers.number(self.reach) / self.points
        grown = numbers.exp(-numbers.pi * numbers.sinh(u))
        theta = numbers.pi * grown / (1 + grown)
        slope = numbers.cosh(u) * grown / (1 + grown) ** 2
        return numbers.cos(theta), 4 * slope * numbers.sin(theta) ** (self.question.dimension - 2)


def _harmonics(dimension: int, t: Any, bits: int) -> Iterator[Any]:
    """P_0, P_1, ... times 2^bits, rounded to whole numbers, at t / 2^bits."""
    before, now = 0 * t + (1 << bits), t
    yield before
    for l in count(1):
        yield now
        above = (2 * l + dimension - 2) * (t * now >> bits) - l * before
        before, now = now, above // (l + dimension - 2)


def _spectrum(question: _Question, values: list[Any], zero: list[Any], context: Any) -> Spectrum:
    """What was found, as a Spectrum; what is below its bound is zero."""
    kernel, digits = question.kernel, question.digits
    lost = [abs(value) < bound for value, bound in zip(values, zero, strict=True)]
    for l, value in enumerate(values):
        if value < 0 and not lost[l]:
            raise InvalidInput(
                f"kernel {kernel.name!r} is not positive: "
                f"eigenvalue {context.nstr(value, 5)} at degree {l}"
            )
    lam = np.where(lost, 0.0, np.array([float(v) for v in values]))
    errors = np.where(
        lost, np.array([float(z) for z in zero]), np.spacing(lam) + lam * 10.0**-digits
    )
    shown = tuple(
        "0.0" if gone else str(context.nstr(value, digits + 1, strip_zeros=False))
        for value, gone in zip(values, lost, strict=True)
    )
    return Spectrum(question.dimension, lam, errors, kernel.trace, kernel.name, shown)


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
