r"""Crossing-connected histories of one, two and three samples, summed in closed form.

A history visits samples 1, 2, ... in turn, each run of visits to one sample i being its T-matrix
t_i = 1/(s2 + C_ii), each step between two samples the propagator C_ij with a minus sign. All
histories on given samples are a geometric series, a matrix inverse:

.. math::  W = \Bigl(\frac{1}{t} + C_{\mathrm{off}}\Bigr)^{-1}
             = t - t\,C_{\mathrm{off}}\,t + \dots

and inclusion-exclusion over subsets of samples leaves those that visit every one. What is wanted
are the crossing-connected ones, K. All histories are non-crossing nestings of these, so with one
nilpotent marker e_i per sample (each is one block, used once)

.. math::  \Sigma = W + W C \Sigma, \qquad G = C - C W C, \qquad \Sigma[C] = K[G],

the moments-to-free-cumulants inversion with matrices. Reading off the coefficient of e_1 e_2 ...
and subtracting the smaller components on their dressed lines gives K. `connected` does just that.

The two laws are its three-sample result, arranged so that no digits cancel, in the dimensionless
v_ij = sqrt(t_i t_j) C_ij. Words that end on the sample they began on are worth t_1 times the first,
words from 1 to 2 are sqrt(t_1 t_2) times the second. On a homogeneous space t is one number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import combinations, pairwise
from typing import Any

import sympy as sp

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.ground.law import Law, Reference
from fieldtheory.theory.samples.partitions import Word

HIGHEST = 3  # samples in one component; the formula for four would fill pages
Letters = tuple[int, ...]
Sums = dict[frozenset[int], sp.Matrix]  # a coefficient for each product of markers


def visit(sample: int) -> sp.Symbol:
    """t1, t2, ...: the T-matrix of a sample, 1/(s2 + C(x, x))."""
    return sp.Symbol(f"t{sample}", positive=True)


def line(one: int, other: int) -> sp.Symbol:
    """c12, c13, ...: the propagator between two samples; it is symmetric."""
    return sp.Symbol(f"c{min(one, other)}{max(one, other)}", real=True)


def value(
    word: Word,
    visit: Callable[[int], Any] = visit,
    line: Callable[[int, int], Any] = line,
) -> Any:
    """The weight of one word: (-1)^(n - 1) t t ... t c c ... c for n runs.

    visit, line  the T-matrix of letter + 1, the propagator between two; any numbers will do. With
                 1/s2 for every visit and equal letters allowed it is a word of single sites.

    >>> value((0, 1, 0, 1))
    -c12**3*t1**2*t2**2
    """
    total = visit(word[0] + 1)
    for a, b in pairwise(word):
        total = -total * line(a + 1, b + 1) * visit(b + 1)
    return total


@cache
def connected(samples: int) -> sp.ImmutableDenseMatrix:
    """All crossing-connected words that visit each of the samples 1, ..., n: entry (i, j) holds
    those that start on i and end on j, as a function of the `visit` and `line` symbols.

    Raises OutOfRegime above three samples.

    >>> connected(1)
    Matrix([[t1]])
    >>> sp.factor(connected(2)[0, 1])
    c12**3*t1**2*t2**2/(c12**2*t1*t2 - 1)
    """
    samples = count("samples", samples, least=1)
    if samples > HIGHEST:
        raise OutOfRegime(
            f"samples = {samples}: crossing-connected words are summed for 1 to {HIGHEST} samples. "
            f"Ask for at most {HIGHEST}; what is left out is the gap between successive ones"
        )
    return sp.ImmutableDenseMatrix(_connected(tuple(range(1, samples + 1))))


@cache
def _connected(letters: Letters) -> sp.ImmutableDenseMatrix:
    if len(letters) == 1:
        return sp.ImmutableDenseMatrix([[visit(letters[0])]])
    bare = _square(letters, lambda i, j: line(i, j) if i != j else 0)
    words = visiting(letters)
    irreducible = words
    for _ in letters[1:]:
        irreducible = _plus(words, _times(words, bare, irreducible))
    total = sp.Matrix(irreducible[frozenset(letters)])
    for part in _subsets(letters):
        if len(part) < len(letters):
            total -= _on_dressed_lines(part, letters, bare, words)
    return sp.ImmutableDenseMatrix(total)


def visiting(letters: Letters) -> Sums:
    """For each subset of the letters the words that visit exactly these, on all the letters."""
    inverse = {
        part: _square(part, lambda i, j: line(i, j) if i != j else 1 / visit(i)).inv(method="ADJ")
        for part in _subsets(letters)
    }
    found: Sums = {}
    for part in _subsets(letters):
        total = sp.zeros(len(letters))
        for inner in _subsets(part):
            total += (-1) ** (len(part) - len(inner)) * _spread(inverse[inner], inner, letters)
        found[frozenset(part)] = total
    return found


def _on_dressed_lines(part: Letters, letters: Letters, bare: sp.Matrix, words: Sums) -> sp.Matrix:
    """The words whose outer component is `part`, all other letters nested in its lines."""
    others = tuple(i for i in letters if i not in part)
    marker = {i: sp.Symbol(f"e{i}") for i in others}
    nested: sp.Matrix = sp.zeros(len(letters))
    for inner in _subsets(others):
        nested -= sp.Mul(*(marker[i] for i in inner)) * bare * words[frozenset(inner)] * bare
    place = {i: letters.index(i) for i in part}
    dressed = {visit(i): 1 / (1 / visit(i) + nested[place[i], place[i]]) for i in part}
    for i, j in combinations(part, 2):
        dressed[line(i, j)] = line(i, j) + nested[place[i], place[j]]
    result = _connected(part).subs(dressed, simultaneous=True)
    for e in marker.values():  # the coefficient of the product: markers are nilpotent
        result = result.diff(e).subs(e, 0)
    return _spread(result, part, letters)


def _square(letters: Letters, entry: Callable[[int, int], Any]) -> sp.Matrix:
    size = len(letters)
    return sp.Matrix(size, size, lambda a, b: entry(letters[a], letters[b]))


def _spread(matrix: Any, part: Letters, letters: Letters) -> sp.Matrix:
    """A matrix on some of the letters as one on all of them."""
    place = {letter: n for n, letter in enumerate(part)}
    return _square(
        letters, lambda i, j: matrix[place[i], place[j]] if {i, j} <= place.keys() else 0
    )


def _subsets(letters: Letters) -> Iterator[Letters]:
    for size in range(1, len(letters) + 1):
        yield from combinations(letters, size)


def _plus(one: Sums, other: Sums) -> Sums:
    return {
        part: sum((s[part] for s in (one, other) if part in s), sp.zeros(*_shape(one)))
        for part in one.keys() | other.keys()
    }


def _times(one: Sums, between: sp.Matrix, other: Sums) -> Sums:
    """The product; no letter may be used on both sides."""
    found: Sums = {}
    for (a, left), (b, right) in _pairs(one, other):
        if not a & b:
            found[a | b] = found.get(a | b, sp.zeros(*_shape(one))) + left * between * right
    return found


def _pairs(
    one: Sums, other: Sums
) -> Iterable[tuple[tuple[frozenset[int], sp.Matrix], tuple[frozenset[int], sp.Matrix]]]:
    return ((x, y) for x in one.items() for y in other.items())


def _shape(sums: Sums) -> tuple[int, int]:
    shape: tuple[int, int] = next(iter(sums.values())).shape
    return shape


# -- three samples, arranged for floating point -------------------------------------------------

THIS_LIBRARY = Reference("this library", "docs/structure.md", "three-sample words")
STEPS = {
    "v12": "sqrt(t1 t2) C12, the step between the first sample and the second",
    "v13": "sqrt(t1 t3) C13, between the first and the third",
    "v23": "sqrt(t2 t3) C23, between the second and the third",
}


def _returns() -> tuple[sp.Symbol, ...]:
    """v12, v13, v23; for each v^2/(1 - v^2); and 1 minus the determinant of the three steps over
    the product of the (1 - v^2)."""
    v12, v13, v23 = sp.symbols("v12 v13 v23", real=True)
    a, b, c = (v**2 / ((1 - v) * (1 + v)) for v in (v12, v13, v23))
    direct = v23 - v12 * v13
    e = (1 + c) * (v12 * v13 * (v12 * v13 - 2 * v23) + (a + b + a * b) * direct**2)
    return v12, v13, v23, a, b, c, e


def _three_together() -> sp.Expr:
    v12, v13, v23, a, b, c, e = _returns()
    round_trips = e * (a * b + (1 + a + b) * e) / (1 - e)
    pairs = v12**2 * v13**2 * (a * b * (1 + c) + (a + b + 4) * c) * (1 - v23) * (1 + v23)
    mixed = a * b * (a + b + 3) + v23**2 * (a * (a + 2) + b * (b + 2))
    return round_trips + pairs + e * mixed * (1 - v12**2) * (1 - v13**2)


def _three_apart() -> sp.Expr:
    v12, v13, v23, a, b, c, e = _returns()
    both = b + c + b * c
    direct = v12 - v13 * v23
    round_trips = (1 + a) * e * (v13 * v23 - direct * (both + e) / (1 - e))
    along = a**2 * (b + c + 2) * both + a * both * (b + c + 3 - b * c)
    along = along * (1 - v13**2) * (1 - v23**2) - b * c
    aside = 2 * a**2 * both + 3 * a * both + b * c
    return round_trips + v12 * along - direct * aside


THREE_TOGETHER = Law(
    "three-sample words that end where they begin",
    _three_together,
    STEPS,
    "crossing-connected words on samples 1, 2, 3 from 1 to 1, over t1; each |v| < 1",
    THIS_LIBRARY,
)
THREE_APART = Law(
    "three-sample words that end elsewhere",
    _three_apart,
    STEPS,
    "crossing-connected words on samples 1, 2, 3 from 1 to 2, over sqrt(t1 t2); each |v| < 1",
    THIS_LIBRARY,
)
