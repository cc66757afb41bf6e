r"""What is learnt: a function on the sphere, split into harmonic degrees.

A homogeneous polynomial p of degree n is a sum of harmonics times powers of R = |x|^2,

.. math:: p = \sum_j R^j h_{n-2j},
          \qquad \Delta (R^j h_m) = 2j (2j + 2m + d - 2) R^{j-1} h_m ,

so i Laplacians leave a multiple of h_m, m = n - 2i, and things divisible by R. Dividing by the
multiple gives q of degree m with h_m as its harmonic part, which is

.. math:: h_m = \sum_s b_s R^s \Delta^s q, \qquad
          b_s = \prod_{k=1}^{s} \frac{-1}{2k (d + 2m - 2k - 2)} .

Harmonics are orthogonal to multiples of R under <p, q> = p(d/dx) q, where R acts as a Laplacian;
and on harmonics this is the measure of the sphere up to a factor:

.. math:: d (d+2) \cdots (d+2m-2) \, E[h_m^2] = <h_m, q> = \sum_s b_s <\Delta^s q, \Delta^s q> .

R is never written out in its d variables: few variables cost the same in any dimension.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import factorial, fsum, prod
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.polynomial import Monomial, Polynomial
from fieldtheory.ground.reader import polynomial as read_polynomial
from fieldtheory.model.sphere import harmonics, multiplicity

Terms = dict[Monomial, Fraction]

ACCURACY = 1e-8  # of a component at a point, relative to the root mean square of the target
UNIT = 1e-8  # how far from one the norm of a row may be


@dataclass(frozen=True, eq=False)
class Target:
    """A function g on the sphere S^(d-1), |x| = 1, under the uniform measure.

    Build it with `Target.polynomial` or `Target.from_power`.

    dimension    d of the space the sphere lies in, at least 2
    power        G_l = E[g_l^2] per degree l = 0, 1, ..., `degree`; their sum is E[g^2]
    text         the polynomial as it was given; empty if only the power is known
    exact_power  `power` as Fractions; empty if only the power is known
    components   g_l per degree, as polynomials restricted to the sphere; empty likewise

    >>> target = Target.polynomial("x0^3", dimension=3)
    >>> target.degree, [str(G) for G in target.exact_power]
    (3, ['0', '3/25', '0', '4/175'])
    >>> print(target.components[1], "and", target.components[3])
    3/5*x0 and -3/5*x0 + x0^3
    """

    dimension: int
    power: Array
    text: str = ""
    exact_power: tuple[Fraction, ...] = ()
    components: tuple[Polynomial, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimension", checks.count("dimension", self.dimension, least=2))
        power = checks.powers("power", self.power)
        with np.errstate(over="ignore"):
            total = power.sum()
        if not np.isfinite(total):
            raise InvalidInput(f"power sums to {total}: give powers of ordinary size")
        degrees = int(max(np.flatnonzero(power), default=0)) + 1
        object.__setattr__(self, "power", frozen(power[:degrees]))
        lengths = {len(self.exact_power), len(self.components)}
        if lengths not in ({0}, {degrees}):
            raise InvalidInput(
                f"{degrees} powers beside {len(self.components)} components and "
                f"{len(self.exact_power)} exact powers: build a target with Target.polynomial"
            )

    @classmethod
    def polynomial(cls, text: str, dimension: int) -> "Target":
        """The target written as a polynomial in the coordinates x0 .. x{dimension-1}.

        The split into harmonic degrees is exact. Raises `InvalidInput` for a text that is not a
        polynomial and for a name that is not a coordinate.

        >>> print(Target.polynomial("x0 + 0.5*x0*x1", dimension=10**6).exact_power[1])
        1/1000000
        """
        d = checks.count("dimension", dimension, least=2)
        whole = read_polynomial(text)
        _only_coordinates(whole, d)
        exact: dict[int, Fraction] = {}
        components: dict[int, Terms] = {}
        for l, q in _leading(whole, d).items():
            components[l], exact[l] = _harmonic(q, l, d)
        degrees = range(1 + max((l for l, G in exact.items() if G), default=0))
        return cls(
            dimension=d,
            power=frozen([_float(exact.get(l, Fraction(0)), l) for l in degrees]),
            text=text,
            exact_power=tuple(exact.get(l, Fraction(0)) for l in degrees),
            # zero on the sphere is zero: |x|^2 - 1 is not a harmonic, whatever its coefficients
            components=tuple(Polynomial(components[l] if exact.get(l) else {}) for l in degrees),
        )

    @classmethod
    def from_power(cls, power: Any, dimension: int) -> "Target":
        """The target of which only the power per degree 0, 1, ... is given; it decides the curve.

        >>> Target.from_power([0, 0.5, 0.5], dimension=50).degree
        2
        """
        return cls(dimension=dimension, power=checks.powers("power", power))

    @property
    def degree(self) -> int:
        """The highest degree with power."""
        return self.power.size - 1

    def components_at(self, x: Any) -> Array:
        """g_l at the unit vectors `x` (points, d): shape (degrees, points); the sum over l is g.

        Raises `InvalidInput` if only the power is known, and `OutOfRegime` if the monomials cancel
        so far that fewer than eight digits would be right.
        """
        if not self.components:
            raise InvalidInput(
                "components_at: only the power of this target is known, not the function; "
                "draw unit vectors and use target.realise(centres, coefficients)"
            )
        rows = _unit_rows("x", x, self.dimension)
        total = np.zeros((self.degree + 1, len(rows)))
        for monomial, coefficients in self._columns.items():
            values = np.ones(len(rows))
            for name, exponent in monomial:
                values *= rows[:, int(name[1:])] ** exponent
            total += coefficients[:, None] * values
        return total

    def realise(self, centres: Any, coefficients: Any) -> "ZonalMixture":
        """One function of exactly this power per degree, made of bumps around given centres.

        centres       (J, d) unit vectors, drawn by the caller
        coefficients  (J,) numbers

        >>> one = Target.from_power([0, 1], dimension=3).realise([[0, 0, 1]], [1.0])
        >>> one.components_at([[0, 0, -1]]).round(6).tolist()
        [[0.0], [-1.732051]]
        """
        return ZonalMixture(self.dimension, self.power, centres, coefficients)

    @cached_property
    def _columns(self) -> dict[Monomial, Array]:
        """Monomial -> its coefficient per degree, once their cancellation is known to be mild."""
        columns: dict[Monomial, Array] = {}
        for l, component in enumerate(self.components):
            for monomial, coefficient in component.terms.items():
                column = columns.setdefault(monomial, np.zeros(self.degree + 1))
                column[l] = _float(coefficient, l)
        largest = max(fsum(abs(c[l]) for c in columns.values()) for l in range(self.degree + 1))
        lost = np.finfo(float).eps * largest / np.sqrt(self.power.sum() or 1.0)
        if lost > ACCURACY:
            raise OutOfRegime(
                f"components_at: at degree {self.degree} in dimension {self.dimension} the "
                f"monomials cancel to a relative error of about {lost:.0e}, more than {ACCURACY}: "
                "give a polynomial of lower degree, or the power per degree and realise it"
            )
        return columns

    def __str__(self) -> str:
        shown = ", ".join(f"{G:.6g}" for G in self.power)
        what = self.text or "known by its power"
        return f"target {what} on S^{self.dimension - 1}; power per degree [{shown}]"


@dataclass(frozen=True, eq=False)
class ZonalMixture:
    r"""A function of given power per degree: zonal harmonics around J centres.

    .. math:: g_l(x) = \sqrt{G_l} \sum_j a_j P_l(w_j \cdot x)
              \Big/ \Bigl[ \tfrac{1}{\deg(l)} \sum_{ij} a_i a_j P_l(w_i \cdot w_j) \Bigr]^{1/2}

    The bracket is the exact integral of the square of the numerator, by the addition theorem.
    Raises `InvalidInput` if the centres cancel at a degree that has power.
    """

    dimension: int
    power: Array
    centres: Array
    coefficients: Array
    _scale: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimension", checks.count("dimension", self.dimension, least=2))
        object.__setattr__(self, "power", frozen(checks.powers("power", self.power)))
        centres = _unit_rows("centres", self.centres, self.dimension)
        object.__setattr__(self, "centres", frozen(centres))
        coefficients = checks.vector("coefficients", self.coefficients)
        if len(coefficients) != len(centres):
            raise InvalidInput(
                f"{len(coefficients)} coefficients for {len(centres)} centres: give one for each"
            )
        object.__setattr__(self, "coefficients", frozen(coefficients))
        object.__setattr__(self, "_scale", frozen(self._scales()))

    def _scales(self) -> list[float]:
        """sqrt(G_l / integral of the square), per degree."""
        a, scales = self.coefficients, []
        overlaps = harmonics(self.dimension, self.centres @ self.centres.T)
        for l, (G, gram) in enumerate(zip(self.power, overlaps, strict=False)):
            square = float(a @ gram @ a)
            if G and square <= 1e-12 * float(np.abs(a).sum()) ** 2:
                raise InvalidInput(
                    f"the centres cancel at degree {l}, which has power {G}: "
                    "give other centres or coefficients"
                )
            modes = multiplicity(self.dimension, l)
            if G and modes.bit_length() > 1000:
                raise OutOfRegime(
                    f"degree {l} in dimension {self.dimension} has more than 2^1000 modes, beyond "
                    "float64: ask for a lower degree"
                )
            scales.append(float(np.sqrt(G * modes / square)) if G else 0.0)
        return scales

    def components_at(self, x: Any) -> Array:
        """g_l at the unit vectors `x` (points, d): shape (degrees, points); the sum over l is g."""
        cosines = _unit_rows("x", x, self.dimension) @ self.centres.T
        degrees = zip(self._scale, harmonics(self.dimension, cosines), strict=False)
        return np.array([scale * (p @ self.coefficients) for scale, p in degrees])


# Harmonic projection, exact -----------------------------------------------------------------------


def _leading(whole: Polynomial, d: int) -> dict[int, Terms]:
    """Degree m -> the q of the head of this file, summed over the homogeneous parts."""
    found: dict[int, Terms] = {}
    for n, part in whole.homogeneous_parts().items():
        terms = dict(part.terms)
        for i in range(n // 2 + 1):
            m = n - 2 * i
            multiple = prod(2 * k * (2 * k + 2 * m + d - 2) for k in range(1, i + 1))
            found[m] = _combined(found.get(m, {}), terms, Fraction(1, multiple))
            terms = _laplacian(terms)
    return found


def _harmonic(q: Terms, m: int, d: int) -> tuple[Terms, Fraction]:
    """The harmonic part h of q, homogeneous of degree m, on the sphere R = 1; and E[h^2]."""
    component: Terms = {}
    square, b = Fraction(0), Fraction(1)
    for s in range(m // 2 + 1):
        if s:
            q = _laplacian(q)
            b /= -2 * s * (d + 2 * m - 2 * s - 2)
        component = _combined(component, q, b)
        square += b * sum(
            value**2 * prod(factorial(exponent) for _, exponent in monomial)
            for monomial, value in q.items()
        )
    return component, square / prod(d + 2 * k for k in range(m))


def _laplacian(terms: Mapping[Monomial, Fraction]) -> Terms:
    result: Terms = {}
    for monomial, value in terms.items():
        for k, (name, exponent) in enumerate(monomial):
            if exponent >= 2:
                left = ((name, exponent - 2),) if exponent > 2 else ()
                key = monomial[:k] + left + monomial[k + 1 :]
                result[key] = result.get(key, Fraction(0)) + value * exponent * (exponent - 1)
    return result


def _combined(a: Terms, b: Terms, factor: Fraction) -> Terms:
    """a + factor b, without zeros."""
    result = dict(a)
    for monomial, value in b.items():
        result[monomial] = result.get(monomial, Fraction(0)) + factor * value
    return {monomial: value for monomial, value in result.items() if value}


# Checks -------------------------------------------------------------------------------------------


def _only_coordinates(whole: Polynomial, d: int) -> None:
    allowed = f"x0 .. x{d - 1}"
    for name in whole.variables:
        digits = name[1:]
        plain = name[0] == "x" and digits.isdigit() and str(int(digits)) == digits
        if not plain:
            raise InvalidInput(
                f"the target uses {name!r}, which is not a coordinate: "
                f"in dimension {d} write {allowed}"
            )
        if int(digits) >= d:
            raise InvalidInput(
                f"the target uses {name}, but dimension {d} has {allowed}: "
                f"use those, or give a dimension of at least {int(digits) + 1}"
            )


def _unit_rows(name: str, values: Any, d: int) -> Array:
    try:
        rows = np.array(values, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"{name}: give an array of numbers of shape (points, {d})") from None
    if rows.ndim != 2 or rows.shape[1] != d or not len(rows):
        raise InvalidInput(f"{name} has shape {rows.shape}: give one row of length {d} per point")
    off = np.abs(np.linalg.norm(rows, axis=1) - 1)
    if not np.all(off <= UNIT):
        where = int(np.flatnonzero(~(off <= UNIT))[0])
        raise InvalidInput(
            f"{name}[{where}] has length {np.linalg.norm(rows[where]):.6g}: "
            "divide each row by its length, |x| = 1"
        )
    return rows


def _float(value: Fraction, degree: int) -> float:
    """`value` in float64, refused where it would become infinite or vanish."""
    try:
        rounded = float(value)
    except OverflowError:
        rounded = float("inf")
    if not np.isfinite(rounded) or (value and not rounded):
        raise InvalidInput(
            f"at degree {degree} the target's numbers leave the range of float64: rescale it"
        )
    return rounded
