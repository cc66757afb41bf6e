"""Pole parts KR'(graph) in d = 4 - eps from massless two-point integrals, by Gamma functions.

A line of momentum k and power a is 1/(k^2)^a. Two lines in series add their powers; two lines in
parallel are one loop, with d = 4 - eps,

    int d^d k / (k^2)^a ((k-p)^2)^b = pi^(d/2) G(a, b) / (p^2)^(a + b - d/2),
    G(a, b) = g(a) g(b) g(d - a - b),   g(a) = Gamma(d/2 - a) / Gamma(a).

Each loop is divided by eps G(1, 1): the unit 1/(8 pi^2) up to what no counterterm of minimal
subtraction can see, in which the bubble is 1/eps exactly. Momentum enters at one vertex and leaves
at another, the other external momenta are zero; every routing that is infrared safe must agree.
R' subtracts divergent subgraphs (Chetyrkin, Kataev, Tkachov, Nucl. Phys. B 174 (1980) 345).
"""

from functools import cache
from itertools import combinations
from math import prod

import sympy as sp

e = sp.Symbol("eps")
z3 = sp.zeta(3)
DEPTH = 4  # powers of eps kept beyond the leading one


class Unsafe(Exception):
    """Momentum led so makes the integral infrared divergent, or needs more than Gamma functions."""


def exponential_of_zetas(slopes):
    """prod Gamma(1 + c eps)^sign; Euler's constant and zeta(2) must cancel in the end."""
    zetas = (*sp.symbols("euler z2"), z3, sp.Symbol("z4"))
    terms = [
        (-1) ** k * zetas[k - 1] / k * sum(s * c**k for s, c in slopes) * e**k
        for k in range(1, DEPTH + 1)
    ]
    total, power = sp.S.One, sp.S.One
    for n in range(1, DEPTH + 1):
        power = truncated(power * sp.Add(*terms), DEPTH)
        total += power / sp.factorial(n)
    return sp.expand(total)


def truncated(expression, highest):
    """Powers of eps up to `highest`, negative ones included."""
    terms = sp.expand(expression).as_ordered_terms()
    return sp.Add(*(t for t in terms if t.as_coeff_exponent(e)[1] <= highest))


@cache
def loop(a, b):
    """G(a, b) / (eps G(1, 1)) as a Laurent polynomial."""
    half = 2 - e / 2
    if any(x.is_Integer and x <= 0 for x in (a, b)):
        return sp.S.Zero  # a line without denominator: no scale is left
    above = [half - a, half - b, a + b - half, 2 * half - 2]
    below = [a, b, 2 * half - a - b, half - 1, half - 1, 2 - half]
    front, slopes = 1 / e, []
    for sign, argument in [(1, x) for x in above] + [(-1, x) for x in below]:
        argument = sp.expand(argument)
        n, c = argument.subs(e, 0), sp.diff(argument, e)
        slopes.append((sign, c))
        front *= prod((j + c * e) ** sign for j in range(1, n))  # Gamma(n + x), n > 1
        front /= prod((j + c * e) ** sign for j in range(n, 1))  # n < 1
    lowest = sp.cancel(front * e**6).as_numer_denom()
    series = sp.series(lowest[0] / lowest[1], e, 0, 7 + DEPTH).removeO()
    return truncated(sp.expand(series / e**6) * exponential_of_zetas(slopes), DEPTH - 1)


def value(lines, enter, leave):
    """The integral at p^2 = 1 of lines (vertex, vertex, power), reduced two lines at a time."""
    lines, factor = [(*sorted(line[:2]), sp.expand(line[2])) for line in lines], sp.S.One
    while enter != leave and all(a != b for a, b, _ in lines):
        if len(lines) == 1:
            return truncated(factor, 0)
        parallel = [pair for pair in combinations(lines, 2) if pair[0][:2] == pair[1][:2]]
        at = {v: [x for x in lines if v in x[:2]] for x in lines for v in x[:2]}
        series = [v for v in sorted(at) if len(at[v]) == 2 and v not in (enter, leave)]
        if parallel:
            pair = parallel[0]
            if max(line[2].subs(e, 0) for line in pair) >= 2:
                raise Unsafe
            factor *= loop(pair[0][2], pair[1][2])
            joined = (*pair[0][:2], sp.expand(pair[0][2] + pair[1][2] - 2 + e / 2))
        elif series:
            pair = at[series[0]]
            ends = [sum(line[:2]) - series[0] for line in pair]
            joined = (*sorted(ends), sp.expand(pair[0][2] + pair[1][2]))
        else:
            raise Unsafe
        for line in pair:
            lines.remove(line)
        lines.append(joined)
    return sp.S.Zero  # no momentum runs through some loop: no scale


def nodes(lines):
    return {v for line in lines for v in line[:2]}


def degree(lines):
    """Of divergence: 4 loops - 2 lines."""
    return 4 * (len(lines) - len(nodes(lines)) + 1) - 2 * len(lines)


def is_irreducible(lines):
    """Connected, and still so without any one line."""

    def whole(some):
        seen = {min(nodes(lines))}
        for _ in lines:
            seen |= {v for line in some for v in line[:2] if seen & set(line[:2])}
        return seen == nodes(lines)

    return all(whole(lines[:n] + lines[n + 1 :]) for n in range(len(lines)))


def divergent(lines):
    """The divergent 1PI proper subgraphs, as sets of line numbers."""
    for size in range(2, len(lines)):
        for chosen in combinations(range(len(lines)), size):
            sub = [lines[n] for n in chosen]
            if degree(sub) >= 0 and is_irreducible(sub):
                yield frozenset(chosen)


def shrunk(lines, families, enter, leave):
    """Each subgraph shrunk to a vertex, or to a line k^2 if it diverges quadratically."""
    rest = [line for n, line in enumerate(lines) if not any(n in sub for sub in families)]
    new = {v: v for v in nodes(lines)}
    for sub in families:
        inside = [lines[n] for n in sub]
        if degree(inside) == 2:
            outer = sorted(nodes(inside) & (nodes(rest) | {enter, leave}))
            rest.append((*outer, -1))
        else:
            new |= dict.fromkeys(nodes(inside), min(nodes(inside)))
    return [(new[a], new[b], power) for a, b, power in rest], new[enter], new[leave]


def subtracted(lines, enter, leave):
    """R' of a graph: minus the counterterms of every set of disjoint divergent subgraphs."""
    families = [()]
    for sub in divergent(lines):
        mine = nodes([lines[n] for n in sub])
        if {enter, leave} <= mine and len(mine) < len(nodes(lines)):
            raise Unsafe  # what is left would have no momentum
        families += [
            (*family, sub)
            for family in families
            if not any(mine & nodes([lines[n] for n in other]) for other in family)
        ]
    total = sp.S.Zero
    for family in families:
        signs = [-counterterm(tuple(lines[n][:2] for n in sorted(sub))) for sub in family]
        total += sp.Mul(*signs) * value(*shrunk(lines, family, enter, leave))
    return sp.expand(total)


def pole_part(expression):
    terms = sp.expand(expression).as_ordered_terms()
    return sp.Add(*(t for t in terms if t.as_coeff_exponent(e)[1] < 0))


@cache
def counterterm(edges):
    """KR' of a graph that diverges logarithmically, or its coefficient of p^2 if quadratically."""
    lines = [(*edge, 1) for edge in edges]
    found = set()
    for enter, leave in combinations(sorted(nodes(edges)), 2):
        try:
            found.add(pole_part(subtracted(lines, enter, leave)))
        except Unsafe:
            continue
    (agreed,) = found
    return agreed


# Two graphs of three loops that Gamma functions of one routing do not reach.

BUBBLE = ((0, 1), (0, 1))
EYE = ((0, 1), (0, 1), (0, 2), (1, 2))


def tetrahedron():
    """No subdivergence: cut a line, and the kite 6 zeta(3)/p^2 closes with a pole 2/(3 eps)."""
    return sp.Rational(2, 3) * 6 * z3 / e / 2**3  # 1/2 a loop: from 1/(4 pi)^2 to 1/(8 pi^2)


def eye_with_two_pupils():
    """A bubble 0=1 beside the paths 0-2-1 and 0-3-1. With momentum led from 2 to 0 the path over 3
    is infrared divergent, 1/k^4: its pole is minus the ultraviolet one, and 1/eps is added (R*).
    """
    bubble, eye = 1 / e, value([(*edge, 1) for edge in EYE], 2, 0)
    whole = loop(sp.S.One, sp.S.One) * loop(e / 2, sp.S(2)) * loop(sp.S.One, 1 + e)
    return pole_part(
        whole
        - counterterm(EYE) / e  # the eye over 2 shrunk: no scale, but for the added pole
        - counterterm(EYE) * bubble  # the eye over 3 shrunk
        + (eye - counterterm(BUBBLE) * bubble) / e  # the added pole times the other path's eye
    )
