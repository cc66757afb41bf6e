r"""The structure of the learning series: what is planar, what crosses, and the sums of each class.

A diagram of the learning action that survives M -> 0 is one replica line per external leg, drawn
through samples (its vertices) until it ends on the background or on the other leg. Read along the
lines it is a set partition of the sites: each vertex a block, each visit a site. `partition` reads
it; two legs are read from the end of one line to the end of the other, since the product of two
residuals is one line with a mark in its middle (below). Every partition belongs to one diagram of
symmetry one.

Sum a class of partitions and the average propagator is G = (1/K + D)^-1, with D one sum over the
crossing-connected partitions of that class, in which every inner line is dressed:

    class            D(x, x)                    inner line
    no fluctuation   eta / s2                   -
    tadpoles         eta / (s2 + C(x, x))       the bare C = (1/K + eta/s2)^-1
    planar           eta / (s2 + G(x, x))       dressed: self-consistent
    beyond           + two, three, ... samples  dressed, see `words`

The error needs no second calculation. Put (J/2) int h^2 into the loss: its minimum changes by half
the squared error, so with a source J in the propagator, G = (1/K + J + D)^-1,

.. math::  \text{error} = \sum_l \frac{G_l}{\lambda_l^2} \Bigl(1 + \frac{dD}{dJ}\Bigr) C_l^2 .

Sources: Speicher, Free convolution and the random sum of matrices, 1993, for the non-crossing sum;
Canatar, Bordelon, Pehlevan, arXiv:2006.13198, for the planar result; docs/structure.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from math import factorial
from typing import Any

import sympy as sp

from fieldtheory.ground.checks import choice, count
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import laws
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.learning import Series, eta, s2
from fieldtheory.theory.samples import partitions, words
from fieldtheory.theory.samples.partitions import Word

kappa, gamma, noise = sp.symbols("kappa gamma noise", positive=True)
loop = sp.Symbol("c", positive=True)  # C(x, x)
CLASSES = ("planar", "crossing")

# -- from a diagram to its partition ---------------------------------------------------------------


def lines(diagram: Diagram) -> tuple[Word, ...]:
    """The vertices each replica line visits, in order, starting from external leg 1, 2, ...

    A line that joins two legs is listed once. Raises InvalidInput for a diagram with a part no leg
    leads to, or with a strand that is no passage or end of a line: it is no learning diagram, or it
    vanishes with M.

    >>> from fieldtheory.theory import learning
    >>> [lines(diagram) for diagram in learning.mean(order=1).diagrams]
    [((0, 0),)]
    """
    partners: dict[int, list[int]] = {}
    for start, end, _ in diagram.edges:
        partners.setdefault(start, []).append(end)
        partners.setdefault(end, []).append(start)
    found: list[Word] = []
    seen: set[int] = set()
    for leg in range(-1, -len(diagram.legs) - 1, -1):
        if leg not in seen:
            trail = _followed(leg, partners)
            seen.update(trail)
            found.append(tuple(diagram.owners[strand] for strand in trail if strand >= 0))
    closed = len(diagram.strands) + len(diagram.legs) - len(seen)
    if closed or not diagram.legs:
        raise InvalidInput(
            f"diagram {diagram!r} has {closed} strands that no leg leads to: only diagrams that "
            "survive M -> 0, with at least one leg, are lines through samples"
        )
    return tuple(found)


def _followed(leg: int, partners: dict[int, list[int]]) -> list[int]:
    """The strands and legs met from `leg` to the end of its line."""
    trail = [leg]
    before = None
    while True:
        here = trail[-1]
        onward = list(partners.get(here, []))
        if before is not None:
            onward.remove(before)
        if not onward:
            return trail
        if len(onward) > 1:
            raise InvalidInput(
                f"strand {here} has {len(onward) + 1} lines: a replica line passes through pairs"
            )
        before = here
        if onward[0] in trail:
            raise InvalidInput(f"the line from leg {leg} closes on itself at strand {here}")
        trail.append(onward[0])


def partition(diagram: Diagram) -> Word:
    """The set partition of a diagram's sites, as a word.

    With two lines the first is read backwards, from its end to its leg, then the second forwards.
    Raises what `lines` raises, and InvalidInput for more than two lines.

    >>> from fieldtheory.theory import learning
    >>> from fieldtheory.theory.samples.partitions import spell
    >>> sorted(spell(partition(diagram)) for diagram in learning.mean(order=2).diagrams)
    ['xxx', 'xxyy', 'xyxy', 'xyyx']
    """
    found = lines(diagram)
    if len(found) > 2:
        raise InvalidInput(
            f"diagram {diagram!r} has {len(found)} lines: partitions are read for one or two"
        )
    if len(found) == 1:
        return partitions.word(found[0])
    return partitions.word((*reversed(found[0]), *found[1]))


def is_planar(diagram: Diagram) -> bool:
    """Whether no two samples of the diagram are visited alternately.

    >>> from fieldtheory.theory import learning
    >>> [is_planar(diagram) for diagram in learning.mean(order=2).diagrams].count(False)
    1
    """
    return partitions.is_planar(partition(diagram))


def part(series: Series, kind: str = "planar") -> Series:
    """The diagrams of a learning series of one kind, "planar" or "crossing"; the two add up.

    >>> from fieldtheory.theory import learning
    >>> [len(part(learning.mean(order=3), kind).terms) for kind in CLASSES]
    [11, 15]
    """
    wanted = choice("kind", kind, CLASSES) == "planar"
    return replace(
        series, terms=tuple(term for term in series.terms if is_planar(term.diagram) == wanted)
    )


# -- one sample at a time -------------------------------------------------------------------------


@cache
def t_matrix() -> sp.Expr:
    """All visits to one sample in a row, a function of c = C(x, x) and s2.

    Peel off the first: t = (1 - c t)/s2, the Schwinger-Dyson equation of a single sample. In other
    words every free cumulant of the Poisson process is eta/s2^n, and eta t is their generating
    function, the R-transform.

    >>> t_matrix()
    1/(c + s2)
    """
    t = sp.Symbol("t")
    (found,) = sp.solve(sp.Eq(t, (1 - loop * t) / s2), t)
    return found


def effective_ridge() -> sp.Expr:
    """eta over the self-energy, s2 + c: with the bare c the sum of all tadpoles, with the dressed
    one the sum of all planar diagrams, where it is eta kappa.

    >>> effective_ridge()
    c + s2
    """
    return 1 / t_matrix()


@cache
def tadpoles() -> sp.Expr:
    """The self-energy of all tadpoles on a homogeneous space, with the bare loop c0.

    Tadpoles are the partitions into runs: the sum by Boolean, not by free cumulants.

    >>> tadpoles()
    eta/(s2 + Sum(deg[l]/(eta/s2 + 1/lam[l]), (l, 0, L)))
    """
    lam, deg = laws.mode("lam"), laws.mode("deg")
    return eta * t_matrix().subs(loop, laws.mode_sum(deg / (1 / lam + eta / s2)))


@cache
def self_consistent() -> sp.Expr:
    """The planar equation on a homogeneous space, solved for eta as a function of kappa = 1/D.

    D = eta t with the dressed c = sum_l deg_l / (1/lam_l + D). It comes out as the law we quote:

    >>> self_consistent() == laws.SELF_CONSISTENT.statement
    True
    """
    (mean,) = sp.solve(sp.Eq(1 / kappa, eta * t_matrix()), eta)
    lam, deg = laws.mode("lam"), laws.mode("deg")
    learnt = sp.cancel(1 / kappa / (1 / lam + 1 / kappa))
    return sp.expand(mean).subs(loop / kappa, laws.mode_sum(deg * learnt))


@cache
def planar_error() -> sp.Expr:
    """The squared error of all planar diagrams, label noise included, by the response to J and s2.

    Differentiate D = eta t(c, s2), where c(D + J) has the slope -sum_l deg_l C_l^2, that is
    -eta kappa^2 gamma. The noise adds v dc/ds2. It comes out as the law we quote:

    >>> sp.simplify(planar_error() - laws.PLANAR_ERROR.statement)
    0
    """
    slope = -eta * kappa**2 * gamma
    to_loop, to_ridge = (eta * t_matrix().diff(by) for by in (loop, s2))
    move = sp.Symbol("move")
    (by_source,) = sp.solve(move - to_loop * slope * (move + 1), move)
    (by_ridge,) = sp.solve(move - to_loop * slope * move - to_ridge, move)
    total = laws.BIAS.statement * (1 + by_source) + noise * slope * by_ridge
    return sp.factor(total.subs(loop, eta * kappa - s2))


# -- one, two and three samples on a finite measure ------------------------------------------------


def self_energy(
    propagator: sp.Matrix, mu: Sequence[Any], mean: Any, ridge: Any, samples: int = 1
) -> sp.ImmutableDenseMatrix:
    r"""D(x, y) on a finite measure: all crossing-connected partitions of up to so many blocks.

    .. math:: D_{xy} = \delta_{xy} \eta\mu_x \Bigl[ t_x + \eta \sum_z \mu_z w_{xx}(x, z)
                  + \dots \Bigr] + \eta^2 \mu_x \mu_y w_{xy}(x, y) + \dots

    with w the words that start and end where the index says. The average propagator solves
    G = (1/K + D[G])^-1, exactly so if components of every size are kept.

    propagator  G at the points, a symmetric matrix of numbers or symbols.
    mu          the weights of the points, of sum one.
    mean        eta, the mean number of samples.
    ridge       s2, not divided by the number of samples.
    samples     the largest component: 1 is the planar theory, 3 the highest.

    Raises InvalidInput when shapes do not fit, OutOfRegime above three samples.

    >>> self_energy(sp.Matrix([[loop]]), [1], eta, s2)
    Matrix([[eta/(c + s2)]])
    """
    points = len(mu)
    if propagator.shape != (points, points):
        raise InvalidInput(
            f"propagator has shape {propagator.shape}, mu has {points} weights: give a "
            f"{points} x {points} matrix"
        )
    total = sp.zeros(points)
    for size in range(1, count("samples", samples, least=1) + 1):
        closed = words.connected(size)
        for places in product(range(points), repeat=size):
            weight = sp.Mul(*(mean * mu[place] for place in places))
            here = _placed(places, propagator, ridge)
            for last in range(min(size, 2)):  # the other samples of a component are alike
                sums = closed[0, last].subs(here, simultaneous=True)
                alike = factorial(size - 1 - last)
                total[places[0], places[last]] += weight * sums / alike
    return sp.ImmutableDenseMatrix(total)


def _placed(places: tuple[int, ...], propagator: sp.Matrix, ridge: Any) -> dict[sp.Symbol, sp.Expr]:
    """What the symbols of `words` are worth for samples at these points."""
    here: dict[sp.Symbol, sp.Expr] = {}
    for i, x in enumerate(places, start=1):
        here[words.visit(i)] = t_matrix().subs(
            {loop: propagator[x, x], s2: ridge}, simultaneous=True
        )
        for j, y in enumerate(places[i:], start=i + 1):
            here[words.line(i, j)] = propagator[x, y]
    return here
