"""Polynomials with exact coefficients: a small ring that says what an operation costs first.

Degree, terms, lengths of numbers and the count of products are bounded, and each bound is checked
before the work it bounds, so `(x0 + x1 + ... + x9)^64` is refused at once.
`fieldtheory.ground.reader` turns text into these values.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from numbers import Rational
from types import MappingProxyType
from typing import Any

from fieldtheory.ground.errors import InvalidInput

Monomial = tuple[tuple[str, int], ...]

DEGREE = 64  # of a whole monomial, and of a literal exponent
TERMS = 20_000
BITS = 4096  # of a numerator or a denominator: twelve hundred decimal digits
WORK = 100_000  # products of two terms in one operation or text, long numbers counting more

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True)
class Polynomial:
    """A polynomial in named variables with rational coefficients, in one canonical form.

    `terms` maps a monomial, the sorted tuple of (variable, exponent), to its coefficient; none is
    zero, so two polynomials are equal exactly when they are the same polynomial.

    Raises `InvalidInput` for a bad name, exponent or coefficient, for a degree above 64 and for
    more than 20000 terms.

    >>> g, phi = Polynomial.variable("g"), Polynomial.variable("phi")
    >>> p = phi**2 / 2 + g * phi**4 / 24
    >>> print(p)
    1/2*phi^2 + 1/24*g*phi^4
    >>> p.degree, p.variables
    (5, ('g', 'phi'))
    >>> print(p * p - p**2, "|", (p + 1) * 2)
    0 | 2 + phi^2 + 1/12*g*phi^4
    """

    terms: Mapping[Monomial, Fraction]

    def __post_init__(self) -> None:
        clean: dict[Monomial, Fraction] = {}
        for monomial, coefficient in self.terms.items():
            key = _canonical(monomial)
            if isinstance(coefficient, bool) or not isinstance(coefficient, Rational):
                raise InvalidInput(
                    f"coefficient {coefficient!r}: give an exact number, an int or a Fraction"
                )
            clean[key] = clean.get(key, Fraction(0)) + Fraction(coefficient)
        clean = {key: value for key, value in clean.items() if value}
        _few(len(clean))
        object.__setattr__(self, "terms", MappingProxyType(clean))

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __reduce__(self) -> tuple[Any, ...]:  # a read-only view cannot be pickled, a dict can
        return (Polynomial, (dict(self.terms),))

    @classmethod
    def variable(cls, name: str) -> "Polynomial":
        """The polynomial that is one variable."""
        return cls({((name, 1),): Fraction(1)})

    @classmethod
    def number(cls, value: int | Fraction) -> "Polynomial":
        """The polynomial that is one number."""
        return cls({(): Fraction(value)})

    @property
    def degree(self) -> int:
        """The highest total degree; 0 for a number, zero included."""
        return max((_degree(monomial) for monomial in self.terms), default=0)

    @property
    def variables(self) -> tuple[str, ...]:
        """The names that occur, x2 before x10."""
        return tuple(sorted({name for m in self.terms for name, _ in m}, key=_natural))

    def homogeneous_parts(self) -> dict[int, "Polynomial"]:
        """Total degree -> the terms of that degree, for the degrees that occur."""
        parts: dict[int, dict[Monomial, Fraction]] = {}
        for monomial, coefficient in self.terms.items():
            parts.setdefault(_degree(monomial), {})[monomial] = coefficient
        return {degree: Polynomial(parts[degree]) for degree in sorted(parts)}

    def __add__(self, other: "Polynomial | int | Fraction") -> "Polynomial":
        second = _lifted(other)
        return NotImplemented if second is None else added((self, second))

    def __sub__(self, other: "Polynomial | int | Fraction") -> "Polynomial":
        second = _lifted(other)
        return NotImplemented if second is None else added((self, -second))

    def __neg__(self) -> "Polynomial":
        return Polynomial({monomial: -value for monomial, value in self.terms.items()})

    def __mul__(self, other: "Polynomial | int | Fraction") -> "Polynomial":
        second = _lifted(other)
        if second is None:
            return NotImplemented
        affordable(work(self, second))
        return product(self, second)

    def __truediv__(self, other: int | Fraction) -> "Polynomial":
        if isinstance(other, bool) or not isinstance(other, Rational):
            return NotImplemented
        if not other:
            raise InvalidInput(f"({self}) / 0: divide by a number other than zero")
        return self * (1 / Fraction(other))

    def __pow__(self, exponent: int) -> "Polynomial":
        if isinstance(exponent, bool) or not isinstance(exponent, int):
            return NotImplemented
        result, steps = Polynomial.number(1), 0
        for factor in factors(self, exponent):
            steps += work(result, factor)
            affordable(steps)
            result = product(result, factor)
        return result

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: int | Fraction) -> "Polynomial":
        return -self + other

    def __str__(self) -> str:
        ordered = sorted(self.terms, key=lambda m: (_degree(m), [(_natural(n), -e) for n, e in m]))
        written = "".join(_term(self.terms[monomial], monomial) for monomial in ordered)
        return "-" + written[3:] if written.startswith(" - ") else written[3:] or "0"


# What the operations are made of; the reader uses the public ones, one step at a time -------------


def _canonical(monomial: Monomial) -> Monomial:
    for name, exponent in monomial:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InvalidInput(
                f"variable {name!r}: give a letter or _, then letters, digits or _, 64 at most"
            )
        if isinstance(exponent, bool) or not isinstance(exponent, int) or exponent < 1:
            raise InvalidInput(f"{name}^{exponent!r}: an exponent is a whole number, at least 1")
    if len({name for name, _ in monomial}) != len(monomial):
        raise InvalidInput(f"monomial {monomial!r} names a variable twice: add the exponents")
    _low(_degree(monomial))
    return tuple(sorted(monomial))


def _degree(monomial: Monomial) -> int:
    return sum(exponent for _, exponent in monomial)


def _natural(name: str) -> tuple[str, int, str]:
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or -1), name


def _term(coefficient: Fraction, monomial: Monomial) -> str:
    size = abs(coefficient)
    written = [str(size)] if size != 1 or not monomial else []
    ordered = sorted(monomial, key=lambda factor: _natural(factor[0]))
    written += [name if power == 1 else f"{name}^{power}" for name, power in ordered]
    return (" - " if coefficient < 0 else " + ") + "*".join(written)


def _lifted(value: object) -> Polynomial | None:
    if isinstance(value, Polynomial):
        return value
    if isinstance(value, Rational) and not isinstance(value, bool):
        return Polynomial.number(Fraction(value))
    return None


def _low(degree: int) -> None:
    if degree > DEGREE:
        raise InvalidInput(f"degree {degree} is above {DEGREE}: give a polynomial of lower degree")


def _few(terms: int) -> None:
    if terms > TERMS:
        raise InvalidInput(
            f"up to {_approximately(terms)} terms, more than {TERMS}: "
            "lower the exponents or use fewer variables"
        )


def short(value: Fraction) -> Fraction:
    """`value`, refused if it needs more than 4096 binary digits."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > BITS:
        raise InvalidInput(
            f"a number of more than {BITS} binary digits: give numbers of ordinary length"
        )
    return value


def affordable(steps: int) -> None:
    """Refuse `steps` products of terms if they are more than one operation or text may cost."""
    if steps > WORK:
        raise InvalidInput(
            "multiplying this out takes "
            f"{_approximately(steps)} steps, more than {WORK}: give a smaller polynomial"
        )


def _approximately(number: int) -> str:
    digits = str(number)
    return digits if len(digits) < 7 else f"{digits[0]}e{len(digits) - 1}"


def _length(p: Polynomial) -> int:
    """Binary digits of the longest number in p."""
    return max(
        (v.numerator.bit_length() + v.denominator.bit_length() for v in p.terms.values()), default=0
    )


def work(a: Polynomial, b: Polynomial) -> int:
    """The cost of a b: pairs of terms, weighted by the length of the numbers."""
    return max(1, len(a.terms)) * max(1, len(b.terms)) * (1 + (_length(a) + _length(b)) // 256)


def added(polynomials: Iterable[Polynomial]) -> Polynomial:
    """Their sum, at the cost of one pass."""
    total: dict[Monomial, Fraction] = {}
    for polynomial in polynomials:
        for monomial, value in polynomial.terms.items():
            total[monomial] = short(total.get(monomial, Fraction(0)) + value)
    return Polynomial(total)


def product(a: Polynomial, b: Polynomial) -> Polynomial:
    """a b, refused by its degree and by a bound on its terms before a single product is formed."""
    _low(a.degree + b.degree)
    names = len(set(a.variables) | set(b.variables))
    possible = comb(names + a.degree + b.degree, names)
    _few(min(len(a.terms) * len(b.terms), possible))
    total: dict[Monomial, Fraction] = {}
    for left, x in a.terms.items():
        for right, y in b.terms.items():
            merged = dict(left)
            for name, power in right:
                merged[name] = merged.get(name, 0) + power
            key = tuple(sorted(merged.items()))
            total[key] = short(total.get(key, Fraction(0)) + short(x * y))
    return Polynomial(total)


def factors(base: Polynomial, exponent: int) -> list[Polynomial]:
    """The factors of base^exponent, refused here if the power could not be written down."""
    if not 0 <= exponent <= DEGREE:
        raise InvalidInput(f"exponent {exponent}: give a whole number from 0 to {DEGREE}")
    _low(base.degree * exponent)
    names, terms = len(base.variables), len(base.terms)
    by_terms = comb(terms + exponent - 1, exponent) if terms else 0
    _few(min(by_terms, comb(names + base.degree * exponent, names)))
    return [base] * exponent
