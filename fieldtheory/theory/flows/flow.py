r"""Flows: how couplings change with scale, where they stand still, and what grows from there.

.. math::  \frac{dg_i}{d\ell} = \beta_i(g), \qquad \beta(g^*) = 0, \qquad
           M_{ij} = \frac{\partial\beta_i}{\partial g_j}\Big|_{g^*}

An eigenvalue of M, with the sign that makes it positive when the perturbation grows towards the
infrared, is the exponent y of a scaling direction: relevant for y > 0, irrelevant for y < 0.
Everything here is exact; numbers are integrated by `model.running`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import sympy as sp

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Picture
from fieldtheory.ground.shown import Printed
from fieldtheory.theory.expression import symbolic
from fieldtheory.theory.flows import portrait, stationary
from fieldtheory.theory.flows.stationary import exact

Couplings = tuple[sp.Symbol, ...]


@dataclass(frozen=True)
class FixedPoint(Printed):
    """Couplings that do not run.

    >>> FixedPoint((sp.Symbol("g"),), (sp.Rational(1, 3),))["g"]
    1/3
    """

    couplings: Couplings
    values: tuple[sp.Expr, ...]

    def __getitem__(self, coupling: str | sp.Symbol) -> sp.Expr:
        return self.values[_position(self.couplings, coupling)]

    def series(self, parameter: str | sp.Symbol, order: int) -> FixedPoint:
        """Its Taylor polynomial in a parameter."""
        order = count("order", order)
        free = set().union(*(value.free_symbols for value in self.values))
        if str(parameter) not in map(str, free):
            return self
        symbol = _named(parameter, _sorted(free))
        values = tuple(stationary.taylor(value, symbol, order) for value in self.values)
        return FixedPoint(self.couplings, values)

    def __str__(self) -> str:
        pairs = zip(self.couplings, self.values, strict=True)
        return ", ".join(f"{coupling} = {value}" for coupling, value in pairs)


class Direction(NamedTuple):
    """A scaling direction at a fixed point: its exponent, and the vector in coupling space."""

    exponent: sp.Expr
    vector: tuple[sp.Expr, ...]

    @property
    def is_relevant(self) -> bool:
        """Whether it grows towards the infrared; raises InvalidInput if that is not decided."""
        positive = sp.re(self.exponent).is_positive
        if positive is None:
            names = ", ".join(map(str, _sorted(self.exponent.free_symbols)))
            raise InvalidInput(
                f"the sign of the exponent {self.exponent} depends on {names}: put in numbers "
                "first, as in flow.at(eps=1, n=1)"
            )
        return bool(positive)


@dataclass(frozen=True)
class Flow:
    """The renormalisation-group flow of some couplings.

    couplings  their symbols, or names.
    betas      d coupling / d time, one for each: rational functions of the couplings; other
               symbols in them are parameters.
    time       what the derivative is taken with respect to, such as "l" or "log mu".
    infrared   whether growing time leads to larger lengths.

    Raises InvalidInput for a beta that is no rational function of the couplings, repeated
    couplings, or a number of betas that does not match.

    >>> flow = Flow("g", [sp.Symbol("eps") * sp.Symbol("g") - sp.Symbol("g") ** 2])
    >>> print(flow)
    dg/dl = eps*g - g**2
    >>> [str(point) for point in flow.fixed_points()]
    ['g = 0', 'g = eps']
    >>> flow.exponents(flow.fixed_points()[1])
    (-eps,)
    """

    couplings: Any
    betas: Any
    time: str = "l"
    infrared: bool = True

    def __post_init__(self) -> None:
        given = self.couplings.split() if isinstance(self.couplings, str) else self.couplings
        couplings = tuple(symbolic("coupling", coupling) for coupling in _listed(given))
        names = [str(coupling) for coupling in couplings]
        if not couplings or any(not isinstance(c, sp.Symbol) for c in couplings):
            raise InvalidInput(f"couplings = {self.couplings!r}: give symbols or their names")
        if len(set(names)) < len(names):
            raise InvalidInput(f"couplings {', '.join(names)}: each may occur once")
        betas = tuple(symbolic("beta", beta) for beta in _listed(self.betas))
        if len(betas) != len(couplings):
            raise InvalidInput(
                f"{len(betas)} betas for the {len(couplings)} couplings {', '.join(names)}: give "
                "one for each"
            )
        for coupling, beta in zip(couplings, betas, strict=True):
            if not beta.is_rational_function(*couplings):
                raise InvalidInput(
                    f"beta of {coupling} = {beta} is no rational function of {', '.join(names)}: "
                    "only then are the fixed points exact; expand it in the couplings first"
                )
        object.__setattr__(self, "couplings", couplings)
        object.__setattr__(self, "betas", betas)
        object.__setattr__(self, "time", str(self.time))
        object.__setattr__(self, "infrared", bool(self.infrared))

    @cached_property
    def parameters(self) -> Couplings:
        """The symbols of the betas that are not couplings, by name."""
        found = set().union(*(beta.free_symbols for beta in self.betas))
        return _sorted(found - set(self.couplings))

    def beta(self, coupling: str | sp.Symbol) -> sp.Expr:
        """The beta function of one coupling."""
        return self.betas[_position(self.couplings, coupling)]

    def at(self, values: Mapping[Any, Any] | None = None, **named: Any) -> Flow:
        """The flow with some parameters put in: exact numbers or expressions, by name.

        Raises InvalidInput for an unknown parameter and for a float.
        """
        given = {**(values or {}), **named}
        new = {_named(name, self.parameters): exact(str(name), v) for name, v in given.items()}
        return replace(self, betas=tuple(sp.expand(b.subs(new)) for b in self.betas))

    # -- where it stands still --------------------------------------------------------------------

    def fixed_points(self, region: Mapping[Any, Any] | None = None) -> tuple[FixedPoint, ...]:
        """Every point where all betas vanish, exact; complex ones too.

        region  {"g": (low, high), ...}: only real points inside these bounds. Every parameter must
                be a number then, see `at`.

        A coupling that a fixed line leaves free keeps its symbol as its value. Raises InvalidInput
        when the equations have no solution in closed form, or for an unknown coupling, and
        OutOfRegime when there is none in the region; the message says where the others are.

        >>> g, t = sp.symbols("g t")
        >>> flow = Flow("g t", [g - g**2, t * (2 - g)])
        >>> [str(point) for point in flow.fixed_points({"g": (sp.Rational(1, 2), 2)})]
        ['g = 1, t = 0']
        """
        if region is None:
            found = stationary.points(self.betas, self.couplings)
            return tuple(FixedPoint(self.couplings, values) for values in found)
        bounds = [self._bounds(name, pair) for name, pair in region.items()]
        if self.parameters:
            names = ", ".join(map(str, self.parameters))
            raise InvalidInput(
                f"fixed points in a region: {names} are still symbols; put in numbers with "
                "flow.at(...) first"
            )
        everywhere = stationary.points(self.betas, self.couplings)
        real = [values for values in everywhere if all(map(stationary.is_real, values))]
        inside = [v for v in real if all(low <= v[n] <= high for n, low, high in bounds)]
        if not inside:
            others = "; ".join(str(FixedPoint(self.couplings, values)) for values in real)
            asked = ", ".join(f"{low} <= {self.couplings[n]} <= {high}" for n, low, high in bounds)
            raise OutOfRegime(
                f"no fixed point with {asked}. Real fixed points: {others or 'none'}; complex "
                f"ones: {len(everywhere) - len(real)}. Widen the region or change the parameters"
            )
        return tuple(FixedPoint(self.couplings, values) for values in inside)

    def _bounds(self, coupling: Any, pair: Any) -> tuple[int, sp.Expr, sp.Expr]:
        number = _position(self.couplings, coupling)
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise InvalidInput(f"region of {coupling} = {pair!r}: give (low, high)")
        low, high = (exact(f"bound of {coupling}", value) for value in pair)
        if not (low.is_number and high.is_number and low < high):
            raise InvalidInput(f"region of {coupling} = ({low}, {high}): give low < high, numbers")
        return number, low, high

    def expanded(
        self, parameter: str | sp.Symbol = "eps", order: int = 1
    ) -> tuple[FixedPoint, ...]:
        """The fixed points that are power series in a small parameter and vanish with it.

        Each coupling is of the order of the parameter, or smaller. Raises OutOfRegime where the
        leading equations do not fix the series.

        >>> eps, g = sp.symbols("eps g")
        >>> [str(p) for p in Flow("g", eps * g - g**2 + g**3).expanded("eps", order=2)]
        ['g = 0', 'g = eps**2 + eps']
        """
        symbol = _named(parameter, self.parameters)
        order = count("order", order, least=1)
        found = stationary.expanded(self.betas, self.couplings, symbol, order)
        return tuple(FixedPoint(self.couplings, values) for values in found)

    # -- what happens near by ---------------------------------------------------------------------

    def stability(self, point: FixedPoint | Mapping[Any, Any]) -> sp.ImmutableMatrix:
        """The stability matrix d beta_i / d g_j at a point, per unit of `time`."""
        at = self._values(point)
        betas = sp.Matrix([sp.cancel(beta) for beta in self.betas])  # no 0/0 at the point
        matrix = betas.jacobian(self.couplings).subs(at)
        return sp.ImmutableMatrix(matrix.applyfunc(sp.simplify))

    def exponents(self, point: FixedPoint | Mapping[Any, Any]) -> tuple[sp.Expr, ...]:
        """The exponents at a fixed point, each as often as it occurs: positive ones are relevant.

        If the stability matrix is triangular they come in the order of the couplings.
        """
        matrix = self._towards_infrared(point)
        if matrix.is_upper or matrix.is_lower:
            return tuple(sp.factor(entry) for entry in matrix.diagonal())
        found = [(sp.simplify(y), times) for y, times in matrix.eigenvals().items()]
        return tuple(y for y, times in sorted(found, key=_descending) for _ in range(times))

    def exponent_series(
        self,
        point: FixedPoint | Mapping[Any, Any],
        parameter: str | sp.Symbol = "eps",
        order: int = 1,
    ) -> tuple[sp.Expr, ...]:
        """The exponents at a fixed point as Taylor polynomials in a small parameter.

        Raises OutOfRegime where exponents coincide at zero and mix.

        >>> eps, g = sp.symbols("eps g")
        >>> flow = Flow("g", eps * g - g**2 + g**3)
        >>> [flow.exponent_series(p, order=2) for p in flow.expanded("eps", order=2)]
        [(eps,), (eps**2 - eps,)]
        """
        symbol, order = _named(parameter, self.parameters), count("order", order)
        return stationary.eigenvalues(self._towards_infrared(point), symbol, order)

    def directions(self, point: FixedPoint | Mapping[Any, Any]) -> tuple[Direction, ...]:
        """The scaling directions at a fixed point, with their exponents."""
        found = [
            (sp.simplify(y), tuple(sp.simplify(entry) for entry in vector))
            for y, _, vectors in self._towards_infrared(point).eigenvects()
            for vector in vectors
        ]
        return tuple(Direction(*pair) for pair in sorted(found, key=_descending))

    def relevant(self, point: FixedPoint | Mapping[Any, Any]) -> tuple[Direction, ...]:
        """The directions that grow towards the infrared: what must be tuned to reach the point.

        Raises InvalidInput when the sign of an exponent depends on a parameter.
        """
        return tuple(way for way in self.directions(point) if way.is_relevant)

    def _towards_infrared(self, point: FixedPoint | Mapping[Any, Any]) -> sp.ImmutableMatrix:
        return self.stability(point) * (1 if self.infrared else -1)

    def _values(self, point: FixedPoint | Mapping[Any, Any]) -> dict[sp.Symbol, sp.Expr]:
        pairs: Iterator[Any] = (
            zip(point.couplings, point.values, strict=True)
            if isinstance(point, FixedPoint)
            else iter(point.items())
        )
        found = {
            self.couplings[_position(self.couplings, c)]: exact(str(c), value) for c, value in pairs
        }
        if missing := [str(c) for c in self.couplings if c not in found]:
            raise InvalidInput(f"the point gives no value of {', '.join(missing)}: give every one")
        return found

    # -- as a picture and as text -----------------------------------------------------------------

    def picture(self, region: Mapping[Any, Any] | None = None) -> Picture:
        """One coupling: beta against it. Two: the direction of the flow, towards the infrared.

        region  {"g": (low, high), ...}; around the fixed points unless given.

        Raises InvalidInput for more than two couplings, or parameters that are not numbers yet.
        """
        if len(self.couplings) > 2 or self.parameters:
            names = ", ".join(map(str, self.parameters)) or "none"
            raise InvalidInput(
                f"a picture of {len(self.couplings)} couplings with free parameters {names}: one "
                "or two couplings can be drawn, and every parameter must be a number, as in "
                "flow.at(eps=1).plot()"
            )
        found = stationary.points(self.betas, self.couplings)
        real = [values for values in found if all(map(stationary.is_real, values))]
        bounds = [self._bounds(name, pair) for name, pair in (region or {}).items()]
        box = {n: (low, high) for n, low, high in bounds}
        field = portrait.Field(self.couplings, self.betas, self.time, self.infrared)
        return portrait.picture(field, real, box)

    def plot(self, region: Mapping[Any, Any] | None = None, axes: Any = None) -> Any:
        """Draw the picture with matplotlib; returns the axes. Raises MissingExtra without it."""
        return self.picture(region).draw(axes)

    def __str__(self) -> str:
        over = f"d({self.time})" if " " in self.time else f"d{self.time}"
        pairs = zip(self.couplings, self.betas, strict=True)
        return "\n".join(f"d{coupling}/{over} = {beta}" for coupling, beta in pairs)

    def _repr_latex_(self) -> str:
        over = self.time.replace("log mu", r"\log\mu")
        rows = [
            rf"\frac{{d{latex(coupling)}}}{{d{over}}} &= {latex(beta)}"
            for coupling, beta in zip(self.couplings, self.betas, strict=True)
        ]
        return r"$$\begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}$$"


def latex(expression: sp.Expr) -> str:
    r"""LaTeX in which eps is an epsilon.

    >>> print(latex(2 * sp.Symbol("eps")))
    2 \varepsilon
    """
    names = {s: r"\varepsilon" for s in expression.free_symbols if str(s) == "eps"}
    text: str = sp.latex(expression, symbol_names=names)
    return text


def _listed(given: Any) -> tuple[Any, ...]:
    """One expression, or several."""
    return tuple(given) if isinstance(given, (tuple, list)) else (given,)


def _sorted(symbols: set[Any]) -> Couplings:
    return tuple(sorted(symbols, key=str))


def _named(name: Any, among: Couplings) -> sp.Symbol:
    """The symbol of that name: what a person types carries no assumptions."""
    for symbol in among:
        if str(symbol) == str(name):
            return symbol
    known = ", ".join(map(str, among)) or "none"
    raise InvalidInput(f"unknown parameter {str(name)!r}: the parameters are {known}")


def _position(couplings: Couplings, name: Any) -> int:
    names = [str(coupling) for coupling in couplings]
    if str(name) not in names:
        raise InvalidInput(f"unknown coupling {str(name)!r}: the couplings are {', '.join(names)}")
    return names.index(str(name))


def _descending(pair: tuple[sp.Expr, Any]) -> tuple[Any, ...]:
    """Numbers from the most relevant down; expressions in SymPy's own order."""
    y = pair[0]
    number = -float(sp.re(sp.N(y))) if y.is_number else 0.0
    return number, sp.default_sort_key(y), str(pair[1])
