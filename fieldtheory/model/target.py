"""What is learnt: a function on the sphere, split into harmonic degrees; or several at once.

The exact split of a polynomial is in `harmonic`, the power of any other function in `function`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import fsum
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.polynomial import Monomial, Polynomial, added
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.measures import harmonic
from fieldtheory.model.measures.sphere import harmonics, multiplicity

ACCURACY = 1e-8  # of a component at a point, relative to the root mean square of the target
UNIT = 1e-8  # how far from one the norm of a row may be


@dataclass(frozen=True, eq=False)
class Target(Pictured, Printed):
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
        return cls.of(harmonic.coordinates(text, d), d, text)

    @classmethod
    def of(cls, whole: Polynomial, dimension: int, text: str = "") -> "Target":
        """The target that is a `Polynomial` in the coordinates; `text` is what it is called."""
        d = checks.count("dimension", dimension, least=2)
        harmonic.only_coordinates(whole, d)
        parts = harmonic.split(whole, d)
        nothing = Polynomial({}), Fraction(0)
        both = [parts.get(l, nothing) for l in range(1 + max(parts, default=0))]
        return cls(
            dimension=d,
            power=frozen([_float(G, l) for l, (_, G) in enumerate(both)]),
            text=text or str(whole),
            exact_power=tuple(G for _, G in both),
            components=tuple(component for component, _ in both),
        )

    @classmethod
    def from_harmonics(cls, harmonics: Mapping[int, Polynomial], dimension: int) -> "Target":
        """The target of given harmonics, degree -> polynomial: the way back of `harmonic`.

        Raises `InvalidInput` for one that is not homogeneous of its degree, or not harmonic.

        >>> cubic = Target.polynomial("x0^3", dimension=3)
        >>> back = Target.from_harmonics({1: cubic.harmonic(1), 3: cubic.harmonic(3)}, 3)
        >>> back.harmonic(3) == cubic.harmonic(3), back.exact_power == cubic.exact_power
        (True, True)
        """
        d = checks.count("dimension", dimension, least=2)
        return cls.of(harmonic.joined(harmonics, d), d)

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
        rows = unit_rows("x", x, self.dimension)
        total = np.zeros((self.degree + 1, len(rows)))
        for monomial, coefficients in self._columns.items():
            values = np.ones(len(rows))
            for name, exponent in monomial:
                values *= rows[:, int(name[1:])] ** exponent
            total += coefficients[:, None] * values
        return total

    def harmonic(self, degree: int) -> Polynomial:
        """g_degree as the homogeneous polynomial that it is in all of space, exact.

        Raises `InvalidInput` if only the power is known, beyond the target's degree, and in
        dimensions so high that |x|^2 has too many terms to write down.

        >>> print(Target.polynomial("x0^2", dimension=2).harmonic(2))
        1/2*x0^2 - 1/2*x1^2
        """
        l = checks.count("degree", degree)
        if l >= len(self.components):
            known = f"degrees 0 .. {self.degree}" if self.components else "its power alone"
            raise InvalidInput(f"harmonic of degree {l}: of this target is known {known}")
        return harmonic.homogeneous(self.components[l], l, self.dimension)

    def as_polynomial(self) -> Polynomial:
        """The sum of the components: a polynomial that equals the target wherever |x| = 1.

        >>> whole = Target.polynomial("x0^3", dimension=3)
        >>> print(whole.as_polynomial())
        x0^3
        """
        if not self.components:
            raise InvalidInput("as_polynomial: only the power of this target is known")
        return added(self.components)

    def realise(self, centres: Any, coefficients: Any) -> "ZonalMixture":
        """One function of exactly this power per degree, made of bumps around given centres.

        centres       (J, d) unit vectors, drawn by the caller
        coefficients  (J,) numbers

        >>> one = Target.from_power([0, 1], dimension=3).realise([[0, 0, 1]], [1.0])
        >>> one.components_at([[0, 0, -1]]).round(6).tolist()
        [[0.0], [-1.732051]]
        """
        return ZonalMixture(self.dimension, self.power, centres, coefficients)

    def to_dict(self) -> dict[str, Any]:
        """The target as plain data; exact powers as text."""
        return {
            "dimension": self.dimension,
            "text": self.text,
            "power": self.power.tolist(),
            "exact_power": [str(G) for G in self.exact_power],
            "version": __version__,
        }

    def picture(self) -> Picture:
        """The power per degree."""
        l = np.arange(self.power.size, dtype=float)
        line = Line("power", l, self.power, points=True)
        return Picture(str(self).split(";")[0], "degree", "power", (line,))

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
class VectorTarget(Pictured, Printed):
    """Several targets learnt at once by one kernel: the outputs of a network, or classes.

    A kernel learns each output by itself, so squared errors add: `total` is the scalar target whose
    learning curve is the sum over outputs, label noise being summed as well.

    >>> both = VectorTarget.polynomials(["x0", "x0*x1 - x2"], dimension=4)
    >>> both.power.round(6).tolist(), both.total.degree
    ([0.0, 0.5, 0.041667], 2)
    """

    outputs: tuple[Target, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "outputs", tuple(self.outputs))
        dimensions = {target.dimension for target in self.outputs}
        if len(dimensions) != 1:
            raise InvalidInput(
                f"outputs in dimensions {sorted(dimensions)}: give at least one target, all in the "
                "same dimension"
            )

    @classmethod
    def polynomials(cls, texts: Sequence[str], dimension: int) -> "VectorTarget":
        """One output for each polynomial in the coordinates."""
        if isinstance(texts, str):
            raise InvalidInput(
                f"{texts!r} is one polynomial: use Target.polynomial, or give a list"
            )
        return cls(tuple(Target.polynomial(text, dimension) for text in texts))

    @property
    def dimension(self) -> int:
        """Dimension d of the inputs."""
        return self.outputs[0].dimension

    @cached_property
    def power(self) -> Array:
        """(degrees,) the power per degree, summed over the outputs."""
        total = np.zeros(1 + max(target.degree for target in self.outputs))
        for target in self.outputs:
            total[: target.power.size] += target.power
        return frozen(total)

    @property
    def total(self) -> Target:
        """The scalar target of the summed power."""
        return Target.from_power(self.power, self.dimension)

    def at(self, x: Any) -> Array:
        """The outputs at unit vectors `x` (points, d): shape (points, outputs)."""
        each = [target.components_at(x).sum(axis=0) for target in self.outputs]
        return np.stack(each, axis=1)

    def to_dict(self) -> dict[str, Any]:
        """The targets as plain data, and the power they have together."""
        return {
            "dimension": self.dimension,
            "power": self.power.tolist(),
            "outputs": [target.to_dict() for target in self.outputs],
            "version": __version__,
        }

    def picture(self) -> Picture:
        """The power per degree, summed over the outputs."""
        line = Line("power", np.arange(self.power.size, dtype=float), self.power, points=True)
        title = f"{len(self.outputs)} outputs on S^{self.dimension - 1}"
        return Picture(title, "degree", "power, summed", (line,))

    def __str__(self) -> str:
        names = ", ".join(target.text or "known by its power" for target in self.outputs)
        shown = ", ".join(f"{G:.6g}" for G in self.power)
        count = len(self.outputs)
        return f"{count} outputs ({names}) on S^{self.dimension - 1}; power per degree [{shown}]"


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
        centres = unit_rows("centres", self.centres, self.dimension)
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
        cosines = unit_rows("x", x, self.dimension) @ self.centres.T
        degrees = zip(self._scale, harmonics(self.dimension, cosines), strict=False)
        return np.array([scale * (p @ self.coefficients) for scale, p in degrees])


# Checks -------------------------------------------------------------------------------------------


def unit_rows(name: str, values: Any, d: int) -> Array:
    """`values` as (points, d) unit vectors, refused with advice if they are none."""
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
