r"""Set partitions of the sites of a line: which cross, and what they are made of.

A history of the learning problem is a line that visits samples one after another. Which sites
belong to the same sample is a set partition of the sites, written as a word: one letter per site,
equal letters for equal blocks. Two blocks cross where the word reads a b a b when all other letters
are left out. Blocks joined by crossings form a crossing-connected component, and

    every partition is, in one way only, a non-crossing nesting of crossing-connected components.

So sums over all partitions are sums over the connected ones with dressed lines: on single moments
this is the inversion from moments to free cumulants. Sources: Lehner, Free cumulants and
enumeration of connected partitions, arXiv:math/0101065; Nica and Speicher, Lectures on the
combinatorics of free probability, 2006; connected partitions are OEIS A099947, by blocks A324323.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb
from typing import Any

import sympy as sp

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput

Word = tuple[int, ...]  # letters 0, 1, 2, ... by first appearance
ALPHABET = "xyzabcdefghijklmnopqrstuvw"


def word(letters: Sequence[Any]) -> Word:
    """The partition of a line's sites in which equal letters share a block, in canonical form:
    the letters 0, 1, 2, ... in the order in which they first appear.

    >>> word("xyxy"), word("baab") == word([7, 3, 3, 7])
    ((0, 1, 0, 1), True)
    """
    names: dict[Any, int] = {}
    return tuple(names.setdefault(letter, len(names)) for letter in letters)


def spell(partition: Word) -> str:
    """The word in letters x, y, z, a, b, ...

    >>> spell((0, 1, 0, 2))
    'xyxz'
    """
    if max(partition, default=0) < len(ALPHABET):
        return "".join(ALPHABET[letter] for letter in partition)
    return " ".join(map(str, partition))


def partitions(sites: int, singletons: bool = True) -> Iterator[Word]:
    """Every partition of that many sites, in lexicographic order: Bell's number of them.

    singletons  whether a block may have a single site.

    >>> [spell(p) for p in partitions(3)]
    ['xxx', 'xxy', 'xyx', 'xyy', 'xyz']
    >>> [spell(p) for p in partitions(4, singletons=False)]
    ['xxxx', 'xxyy', 'xyxy', 'xyyx']
    """
    sites = count("sites", sites)
    letters: list[int] = []
    sizes: list[int] = []

    def grow() -> Iterator[Word]:
        lonely = 0 if singletons else sizes.count(1)
        left = sites - len(letters)
        if lonely > left:
            return
        if left == 0:
            yield tuple(letters)
            return
        for letter in range(len(sizes) + 1):
            sizes.extend([0] * (letter == len(sizes)))
            sizes[letter] += 1
            letters.append(letter)
            yield from grow()
            letters.pop()
            sizes[letter] -= 1
            if sizes[letter] == 0:
                sizes.pop()

    yield from grow()


# -- crossings ------------------------------------------------------------------------------------


def crossings(partition: Word) -> tuple[tuple[int, int], ...]:
    """The edges of the crossing graph: pairs of letters a < b that alternate, a b a b or b a b a.

    >>> crossings(word("xyxzyz"))
    ((0, 1), (1, 2))
    """
    letters = range(max(partition, default=-1) + 1)
    return tuple((a, b) for a, b in combinations(letters, 2) if _cross(partition, a, b))


def _cross(partition: Word, a: int, b: int) -> bool:
    return len(runs([letter for letter in partition if letter in (a, b)])) >= 4


def runs(letters: Sequence[int]) -> Word:
    """One letter for each run of equal letters.

    >>> spell(runs(word("xxyyyx")))
    'xyx'
    """
    return tuple(b for a, b in pairwise((None, *letters)) if a != b and b is not None)


def is_planar(partition: Word) -> bool:
    """Whether no two blocks cross. Catalan's number of the partitions do not.

    >>> is_planar(word("xyzzyx")), is_planar(word("xyxy"))
    (True, False)
    """
    return not crossings(partition)


def is_interval(partition: Word) -> bool:
    """Whether every block is a run of neighbouring sites: no block inside another.

    >>> is_interval(word("xxyzz")), is_interval(word("xyyx"))
    (True, False)
    """
    return len(runs(partition)) == len(set(partition))


def is_connected(partition: Word) -> bool:
    """Whether all blocks hang together by crossings; the empty partition does not count.

    >>> is_connected(word("xyxzyz")), is_connected(word("xyyx")), is_connected(word("xx"))
    (True, False, True)
    """
    return len(set(_owners(partition))) == 1


def _owners(partition: Word) -> list[int]:
    """The component of each site, named by its smallest letter."""
    owner = list(range(max(partition, default=-1) + 1))
    for a, b in crossings(partition):
        low, high = sorted((owner[a], owner[b]))
        owner = [low if name == high else name for name in owner]
    return [owner[letter] for letter in partition]


# -- the decomposition ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Component:
    """A crossing-connected component, and what is nested in it.

    word  its own sites.
    gaps  for each pair of neighbouring sites, the components that lie between them, in order; the
          empty tuple for none.

    Raises InvalidInput when the word is not crossing-connected or the gaps are not one fewer than
    the sites.
    """

    word: Word
    gaps: tuple[tuple[Component, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "word", word(self.word))
        if not is_connected(self.word):
            raise InvalidInput(
                f"the component {spell(self.word)!r} is not crossing-connected: decompose it"
            )
        if len(self.gaps) != len(self.word) - 1:
            raise InvalidInput(
                f"the component {spell(self.word)!r} has {len(self.word) - 1} gaps between its "
                f"sites, {len(self.gaps)} were given: pass one tuple per gap, () for an empty one"
            )

    def __str__(self) -> str:
        inner = ["(" + " ".join(map(str, gap)) + ")" if gap else "" for gap in self.gaps]
        letters = [spell(self.word)[n : n + 1] for n in range(len(self.word))]
        return "".join(a + b for a, b in zip(letters, [*inner, ""], strict=True))


Nesting = tuple[Component, ...]


def decompose(partition: Word) -> Nesting:
    """The partition as a non-crossing nesting of crossing-connected components; each component has
    letters of its own.

    >>> print(*decompose(word("xyxyzaaz")))
    xyxy x(xx)x
    >>> recompose(decompose(word("xyxyzaaz"))) == word("xyxyzaaz")
    True
    """
    return _nested(word(partition), _owners(word(partition)))


def _nested(letters: Sequence[int], owners: Sequence[int]) -> Nesting:
    found: list[Component] = []
    start = 0
    while start < len(letters):
        places = [n for n in range(start, len(letters)) if owners[n] == owners[start]]
        gaps = [_nested(letters[a + 1 : b], owners[a + 1 : b]) for a, b in pairwise(places)]
        found.append(Component(word([letters[n] for n in places]), tuple(gaps)))
        start = places[-1] + 1
    return tuple(found)


def recompose(nesting: Nesting) -> Word:
    """The partition that `decompose` takes apart.

    >>> pair = Component(word("xx"), ((),))
    >>> spell(recompose((Component(word("xx"), ((pair,),)), pair)))
    'xyyxzz'
    """
    return word(list(_letters(nesting, ())))


def _letters(nesting: Nesting, path: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """One name per site: where its component is, and the letter in it."""
    for n, component in enumerate(nesting):
        here = (*path, n)
        for at, letter in enumerate(component.word):
            yield (*here, -1, letter)
            if at < len(component.gaps):
                yield from _letters(component.gaps[at], (*here, at))


# -- words of runs --------------------------------------------------------------------------------


def words(samples: int, length: int) -> Iterator[Word]:
    """The crossing-connected words of runs, no letter twice in a row, with that many letters.

    Visits to one sample in a row are one run: they are summed in its T-matrix.

    >>> [spell(w) for w in words(2, 5)], [spell(w) for w in words(3, 6)]
    (['xyxyx'], ['xyxzyz', 'xyzxyz', 'xyzxzy', 'xyzyxz'])
    """
    samples, length = count("samples", samples, least=1), count("length", length)

    def grow(begun: Word) -> Iterator[Word]:
        used = max(begun, default=-1) + 1
        if samples - used > length - len(begun):
            return
        if len(begun) == length:
            if is_connected(begun):
                yield begun
            return
        for letter in range(min(used + 1, samples)):
            if begun[-1:] != (letter,):
                yield from grow((*begun, letter))

    yield from grow(())


# -- counting: moments, cumulants and free cumulants -----------------------------------------------


def moments(cumulants: Sequence[Any]) -> tuple[sp.Expr, ...]:
    """m_1, m_2, ...: the sums over all partitions, each block worth the cumulant of its size.

    >>> moments([1, 1, 1, 1, 1])                   # Bell's numbers
    (1, 2, 5, 15, 52)
    """
    found = [sp.S.One]
    for n in range(1, len(cumulants) + 1):
        terms = (comb(n - 1, k - 1) * cumulants[k - 1] * found[n - k] for k in range(1, n + 1))
        found.append(sp.expand(sp.Add(*terms)))
    return tuple(found[1:])


def free_cumulants(moments: Sequence[Any]) -> tuple[sp.Expr, ...]:
    r"""k_1, k_2, ...: what connected components are worth if their non-crossing nestings are to add
    up to the moments.

    .. math::  m_n = \sum_{s=1}^n k_s \sum_{i_1 + \dots + i_s = n - s} m_{i_1} \cdots m_{i_s}

    Of the Bell numbers they are the numbers of crossing-connected partitions, A099947; with the
    block weights kept, `connected_counts`.

    >>> free_cumulants(moments([1] * 8))
    (1, 1, 1, 2, 6, 21, 85, 385)
    """
    series = [sp.S.One, *moments]
    powers = [[sp.S.One] + [sp.S.Zero] * len(moments)]  # of the series, term by term
    for _ in moments:
        powers.append(_product(powers[-1], series))
    found: list[sp.Expr] = []
    for n in range(1, len(moments) + 1):
        nested = sp.Add(*(k * powers[s][n - s] for s, k in enumerate(found, start=1)))
        found.append(sp.expand(series[n] - nested))
    return tuple(found)


def _product(one: Sequence[Any], other: Sequence[Any]) -> list[sp.Expr]:
    """Of two power series of the same length."""
    return [
        sp.expand(sp.Add(*(one[i] * other[n - i] for i in range(n + 1)))) for n in range(len(one))
    ]


def connected_counts(sites: int) -> tuple[int, ...]:
    """How many crossing-connected partitions of that many sites have 1, 2, 3, ... blocks.

    >>> connected_counts(4), connected_counts(6)
    ((1, 1), (1, 16, 4))
    """
    sites = count("sites", sites, least=1)
    q = sp.Symbol("q")
    polynomial = sp.Poly(free_cumulants(moments([q] * sites))[-1], q)
    return tuple(int(polynomial.coeff_monomial(q**n)) for n in range(1, polynomial.degree() + 1))
