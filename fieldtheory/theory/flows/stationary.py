"""Where rational functions vanish together: exactly, or as power series in a small parameter."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory.expression import symbolic

Values = tuple[sp.Expr, ...]
DIGITS = 30


def exact(name: str, value: Any) -> sp.Expr:
    """A number or an expression; Fractions too, floats never.

    >>> exact("eps", Fraction(1, 2))
    1/2
    """
    if isinstance(value, Fraction):
        return sp.Rational(value.numerator, value.denominator)
    return symbolic(name, value)


def points(betas: Values, couplings: Values) -> list[Values]:
    """Every common zero, complex ones too, those with the fewest non-zero couplings first.

    Raises InvalidInput when the zeros have no closed form.
    """
    fractions = [sp.fraction(sp.cancel(sp.together(beta))) for beta in betas]
    numerators = [over for over, _ in fractions]
    found = _roots(numerators, couplings)
    regular = [
        values
        for values in found
        if all(sp.simplify(below.subs(_map(couplings, values))) != 0 for _, below in fractions)
    ]
    return sorted(regular, key=lambda values: (sum(v != 0 for v in values), _key(values)))


def _key(values: Values) -> tuple[object, ...]:
    return tuple(sp.default_sort_key(value) for value in values)


def _map(couplings: Values, values: Values) -> dict[sp.Expr, sp.Expr]:
    return dict(zip(couplings, values, strict=True))


def _roots(numerators: list[sp.Expr], couplings: Values) -> list[Values]:
    if len(couplings) == 1 and numerators[0] != 0:
        polynomial = sp.Poly(numerators[0], *couplings)
        if polynomial.domain.is_QQ or polynomial.domain.is_ZZ:  # any degree, as algebraic numbers
            return [
                (root,) for root in sorted(set(polynomial.all_roots()), key=sp.default_sort_key)
            ]
    try:
        solved = sp.solve(numerators, couplings, dict=True)
    except NotImplementedError:
        solved = None
    wanted = sp.Poly(numerators[0], *couplings).degree() if len(couplings) == 1 else 0
    if solved is None or (wanted > 0 and not solved):
        raise InvalidInput(
            f"the zeros of {', '.join(map(str, numerators))} in {', '.join(map(str, couplings))} "
            "have no closed form: put in numbers for the parameters, or ask for series in a small "
            "one with flow.expanded(parameter, order)"
        )
    return [tuple(sp.simplify(root.get(c, c)) for c in couplings) for root in solved]


def is_real(value: sp.Expr) -> bool:
    """Whether a number is real; where SymPy cannot tell, to 30 digits."""
    known = value.is_extended_real
    if known is None:
        return bool(abs(sp.im(sp.N(value, DIGITS))) < sp.Rational(1, 10 ** (DIGITS // 2)))
    return bool(known)


def taylor(expression: sp.Expr, symbol: sp.Symbol, order: int) -> sp.Expr:
    """The terms of an expression up to symbol^order, each coefficient factored.

    >>> g, n = sp.symbols("g n")
    >>> taylor(1 / (1 - n * g), g, 2)
    g**2*n**2 + g*n + 1
    """
    if expression.is_polynomial(symbol):
        series = sp.expand(expression)
    else:
        series = sp.expand(sp.series(expression, symbol, 0, order + 1).removeO())
    return sp.Add(*(sp.factor(series.coeff(symbol, k)) * symbol**k for k in range(order + 1)))


def expanded(betas: Values, couplings: Values, small: sp.Symbol, order: int) -> list[Values]:
    """Zeros g = small * (h_0 + h_1 small + ...), lifted order by order from the leading equations.

    Raises OutOfRegime where the leading equations have a degenerate zero.
    """
    scaled = {c: small * c for c in couplings}
    equations = []
    for beta in betas:
        numerator = sp.fraction(sp.cancel(sp.together(beta.subs(scaled, simultaneous=True))))[0]
        powers = sp.Poly(numerator, small).monoms()
        lowest = min((power for (power,) in powers), default=0) if numerator != 0 else 0
        equations.append(sp.expand(numerator / small**lowest))
    system = sp.Matrix(equations)
    leading = system.subs(small, 0)
    slopes = leading.jacobian(couplings)
    return [
        _lifted(system, slopes, couplings, (small, order), start)
        for start in points(tuple(leading), couplings)
    ]


def _lifted(
    system: sp.Matrix,
    slopes: sp.Matrix,
    couplings: Values,
    expansion: tuple[sp.Symbol, int],
    start: Values,
) -> Values:
    small, order = expansion
    slope = slopes.subs(_map(couplings, start)).applyfunc(sp.simplify)
    if slope.det() == 0:
        raise OutOfRegime(
            f"the fixed point that begins as {small} * {start} is degenerate: the leading "
            f"equations do not fix its series in {small}. Ask for fixed_points() instead, or keep "
            "further terms of the betas"
        )
    inverse, values = slope.inv(), sp.Matrix(start)
    for power in range(1, order):
        rest = system.subs(_map(couplings, tuple(values)), simultaneous=True)
        rest = rest.applyfunc(lambda row, k=power: sp.expand(row).coeff(small, k))
        values -= (inverse * rest) * small**power
    return tuple(
        sp.Add(*(sp.factor(sp.expand(v).coeff(small, k)) * small ** (k + 1) for k in range(order)))
        for v in values
    )


def eigenvalues(matrix: sp.ImmutableMatrix, small: sp.Symbol, order: int) -> Values:
    """The eigenvalues of a matrix up to small^order, those of a triangular one in its own order.

    Raises OutOfRegime if two of them coincide at small = 0 and the matrix is not triangular.

    >>> x = sp.Symbol("x")
    >>> eigenvalues(sp.ImmutableMatrix([[2, x], [x, x]]), x, 2)
    (x**2/2 + 2, -x**2/2 + x)
    """
    if matrix.is_upper or matrix.is_lower:
        return tuple(taylor(entry, small, order) for entry in matrix.diagonal())
    unknown = sp.Dummy("y")
    characteristic = matrix.applyfunc(lambda entry: taylor(entry, small, order)).charpoly(unknown)
    equation = sp.expand(characteristic.as_expr(unknown))
    leading = matrix.subs(small, 0)
    leads = leading.diagonal() if leading.is_upper or leading.is_lower else leading.eigenvals()
    found = []
    for lead in leads:
        value, slope = sp.simplify(lead), sp.simplify(equation.diff(unknown).subs(small, 0))
        slope = sp.simplify(slope.subs(unknown, value))
        if slope == 0:
            raise OutOfRegime(
                f"two exponents are {value} at {small} = 0: their series is not fixed one by one. "
                "Put in numbers for the other parameters, or ask for exponents(point)"
            )
        for power in range(1, order + 1):
            rest = sp.expand(equation.subs(unknown, value)).coeff(small, power)
            value -= sp.factor(rest / slope) * small**power
        found.append(value)
    return tuple(found)
