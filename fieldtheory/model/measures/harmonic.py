r"""Polynomials and harmonics on the sphere, exact in rationals, both ways.

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

R is not written out in its d variables unless `homogeneous` is asked to: few variables cost the
same in any dimension.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import factorial, prod

from fieldtheory.ground import checks
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.polynomial import Monomial, Polynomial, added
from fieldtheory.ground.reader import polynomial as read_polynomial

Terms = dict[Monomial, Fraction]


def coordinates(text: str, dimension: int) -> Polynomial:
    """A polynomial written in the coordinates x0 .. x{dimension-1}.

    Raises `InvalidInput` for a text that is not a polynomial and a name that is not a coordinate.

    >>> print(coordinates("(x0 + x1)^2", dimension=2))
    x0^2 + 2*x0*x1 + x1^2
    """
    whole = read_polynomial(text)
    only_coordinates(whole, dimension)
    return whole


def only_coordinates(whole: Polynomial, dimension: int) -> None:
    """Refuse a polynomial with a variable that is not one of x0 .. x{dimension-1}."""
    allowed = f"x0 .. x{dimension - 1}"
    for name in whole.variables:
        digits = name[1:]
        plain = name[0] == "x" and digits.isdigit() and str(int(digits)) == digits
        if not plain:
            raise InvalidInput(
                f"the target uses {name!r}, which is not a coordinate: "
                f"in dimension {dimension} write {allowed}"
            )
        if int(digits) >= dimension:
            raise InvalidInput(
                f"the target uses {name}, but dimension {dimension} has {allowed}: "
                f"use those, or give a dimension of at least {int(digits) + 1}"
            )


def split(whole: Polynomial, dimension: int) -> dict[int, tuple[Polynomial, Fraction]]:
    """Degree l -> g_l on the sphere R = 1, and E[g_l^2]; without those that are zero there.

    >>> {l: (str(g), str(G)) for l, (g, G) in split(coordinates("x0^3", 3), 3).items()}
    {3: ('-3/5*x0 + x0^3', '4/175'), 1: ('3/5*x0', '3/25')}
    """
    found = {}
    for l, q in _leading(whole, dimension).items():
        component, square = _harmonic(q, l, dimension)
        if square:  # |x|^2 - 1 has no power: it is zero on the sphere, whatever its coefficients
            found[l] = Polynomial(component), square
    return found


def homogeneous(component: Polynomial, degree: int, dimension: int) -> Polynomial:
    """A harmonic as the homogeneous polynomial that it is in all of space.

    component  g_l on the sphere, of degrees l, l-2, ...: each lower one lacks powers of R

    >>> print(homogeneous(coordinates("x0^2 - 1/3", 3), degree=2, dimension=3))
    2/3*x0^2 - 1/3*x1^2 - 1/3*x2^2
    """
    parts = []
    for n, part in component.homogeneous_parts().items():
        if n > degree or (degree - n) % 2:
            raise InvalidInput(f"terms of degree {n} in a harmonic of degree {degree}: give fewer")
        parts.append(part * square_length(dimension) ** ((degree - n) // 2))
    return added(parts)


def square_length(dimension: int) -> Polynomial:
    """R = x0^2 + ... + x{d-1}^2."""
    return Polynomial({((f"x{i}", 2),): Fraction(1) for i in range(dimension)})


def laplacian(terms: Mapping[Monomial, Fraction]) -> Terms:
    """The sum of second derivatives."""
    result: Terms = {}
    for monomial, value in terms.items():
        for k, (name, exponent) in enumerate(monomial):
            if exponent >= 2:
                left = ((name, exponent - 2),) if exponent > 2 else ()
                key = monomial[:k] + left + monomial[k + 1 :]
                result[key] = result.get(key, Fraction(0)) + value * exponent * (exponent - 1)
    return {monomial: value for monomial, value in result.items() if value}


def joined(harmonics: Mapping[int, Polynomial], dimension: int) -> Polynomial:
    """The polynomial whose harmonic of degree l is `harmonics[l]`: their sum.

    Raises `InvalidInput` for one that is not homogeneous of its degree, or not harmonic.

    >>> h = {1: coordinates("x0", 2), 2: coordinates("x0^2 - x1^2", 2)}
    >>> print(joined(h, dimension=2))
    x0 + x0^2 - x1^2
    """
    for degree, h in harmonics.items():
        l = checks.count("degree", degree)
        only_coordinates(h, dimension)
        if set(h.homogeneous_parts()) - {l}:
            raise InvalidInput(
                f"{h} is not homogeneous of degree {l}: every term needs degree {l}; multiply "
                "lower ones by |x|^2 (homogeneous)"
            )
        if left := laplacian(h.terms):
            raise InvalidInput(
                f"{h} is not harmonic: its Laplacian is {Polynomial(left)}; split the polynomial "
                "with Target.polynomial first"
            )
    return added(harmonics.values())


def _leading(whole: Polynomial, d: int) -> dict[int, Terms]:
    """Degree m -> the q of the head of this file, summed over the homogeneous parts."""
    found: dict[int, Terms] = {}
    for n, part in whole.homogeneous_parts().items():
        terms = dict(part.terms)
        for i in range(n // 2 + 1):
            m = n - 2 * i
            multiple = prod(2 * k * (2 * k + 2 * m + d - 2) for k in range(1, i + 1))
            found[m] = _combined(found.get(m, {}), terms, Fraction(1, multiple))
            terms = laplacian(terms)
    return found


def _harmonic(q: Terms, m: int, d: int) -> tuple[Terms, Fraction]:
    """The harmonic part h of q, homogeneous of degree m, on the sphere R = 1; and E[h^2]."""
    component: Terms = {}
    square, b = Fraction(0), Fraction(1)
    for s in range(m // 2 + 1):
        if s:
            q = laplacian(q)
            b /= -2 * s * (d + 2 * m - 2 * s - 2)
        component = _combined(component, q, b)
        square += b * sum(
            value**2 * prod(factorial(exponent) for _, exponent in monomial)
            for monomial, value in q.items()
        )
    return component, square / prod(d + 2 * k for k in range(m))


def _combined(a: Terms, b: Terms, factor: Fraction) -> Terms:
    """a + factor b, without zeros."""
    result = dict(a)
    for monomial, value in b.items():
        result[monomial] = result.get(monomial, Fraction(0)) + factor * value
    return {monomial: value for monomial, value in result.items() if value}
