r"""Two places at a time, exactly: the matrix A with E[(A + V)^-1] = C, for all pairs of places.

See `sites` for what it is for. With G = (A + V)^-1, a change dA moves E[G] by - E[G dA G]; by this
A is found, by Newton's method, and so is its answer to a change of C.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.points.distant import Visits
from fieldtheory.model.points.states import States

FAR = 0.05  # cosine, times the largest visits, below which two places have their first words
BLOCK = 16_000  # pairs taken at a time, which stay in the processor's cache
NEWTON = 30
INSIDE = 0.9  # a first guess this far from the edge of the positive matrices
SHORT = 1e-5  # last Newton step, relative
Indices = np.ndarray[Any, np.dtype[np.intp]]
Near = tuple[Indices, Indices]
Three = tuple[Array, Array, Array]  # of a symmetric 2 x 2 matrix: 11, 22, 12


@dataclass(frozen=True, eq=False)
class Pair:
    """Two places with A = [[alpha, gamma], [gamma, beta]]: many pairs, (pairs,) each."""

    A: Three
    states: States
    others: States

    def _each(self) -> Iterator[tuple[int, int, Array, Array, Array]]:
        """For each two states, the determinant of u A + v, and left = v + u alpha, right alike."""
        alpha, beta, gamma = self.A
        square = gamma * gamma
        one, two = self.states, self.others
        right = [two.v[j] + two.u[j] * beta for j in range(len(two.share))]
        for i in range(len(one.share)):
            left = one.v[i] + one.u[i] * alpha
            beside = one.u[i] * square
            for j, other in enumerate(right):
                yield i, j, left * other - two.u[j] * beside, left, other

    def moments(self) -> tuple[Three, tuple[Array, ...]]:
        """E[G], and E[G11^2], E[G22^2], E[G12^2], E[G11 G12], E[G22 G12], E[G11 G22]."""
        totals = [np.zeros_like(self.A[0]) for _ in range(9)]
        one, two, gamma = self.states, self.others, self.A[2]
        for i, j, below, left, right in self._each():
            below = 1 / below
            g11 = right * one.u[i] * below
            g22 = left * two.u[j] * below
            below *= gamma
            g12 = below * (-one.u[i] * two.u[j])
            share = one.share[i] * two.share[j]
            a, b, c = g11 * share, g22 * share, g12 * share
            totals[0] += a
            totals[1] += b
            totals[2] += c
            totals[5] += c * g12
            totals[8] += a * g22
            a *= g11
            totals[3] += a
            b *= g22
            totals[4] += b
            g12 *= share
            totals[6] += g12 * g11
            totals[7] += g12 * g22
        return (totals[0], totals[1], totals[2]), tuple(totals[3:])

    def source(self) -> tuple[Three, Array, Array]:
        """The derivative of E[G] by the source, and E[G11 or G22 where that place is not there]."""
        totals = [np.zeros_like(self.A[0]) for _ in range(5)]
        one, two, gamma = self.states, self.others, self.A[2]
        for i, j, below, left, right in self._each():
            share = one.share[i] * two.share[j]
            u, s = one.u[i], two.u[j]
            if i == 0:
                totals[3] += share * u * right / below
            if j == 0:
                totals[4] += share * s * left / below
            kick, push = one.kick[i] * share, two.kick[j] * share
            if np.any(kick) or np.any(push):
                # columns of G over u and over s, which stay finite where these vanish
                below = 1 / below
                first, second, cross = right * below, left * below, -gamma * below
                totals[0] += kick * first**2 + push * (u * cross) ** 2
                totals[1] += kick * (s * cross) ** 2 + push * second**2
                totals[2] += cross * (kick * s * first + push * u * second)
        return (totals[0], totals[1], totals[2]), totals[3], totals[4]


def answered(second: tuple[Array, ...], by: Three) -> Three:
    """dA such that E[G] moves by `by`: E[G dA G] = - by."""
    aa, bb, cc, ac, bc, ab = second
    last = (ab + cc) / 2
    # symmetric 3 x 3 in (d alpha, d beta, 2 d gamma)
    m11, m12, m13 = bb * last - bc * bc, ac * bc - cc * last, cc * bc - ac * bb
    m22, m23, m33 = aa * last - ac * ac, ac * cc - aa * bc, aa * bb - cc * cc
    below = -1 / (aa * m11 + cc * m12 + ac * m13)
    x, y, z = by
    return (
        (m11 * x + m12 * y + m13 * z) * below,
        (m12 * x + m22 * y + m23 * z) * below,
        (m13 * x + m23 * y + m33 * z) * below / 2,
    )


def inner(C: Three, pair: Pair) -> Pair:
    """A with E[(A + V)^-1] = C by Newton's method; NaN where it does not converge."""
    for _ in range(NEWTON):
        with np.errstate(all="ignore"):  # what is lost is told by its length
            mean, second = pair.moments()
            step = answered(second, (C[0] - mean[0], C[1] - mean[1], C[2] - mean[2]))
        length = max(float(np.max(np.abs(d / pair.A[0]), initial=0.0)) for d in step)
        if not np.isfinite(length):
            break
        pair = _stepped(pair, step)
        if length < SHORT:  # so that the next one would be its square
            return pair
    lost = np.full_like(C[2], np.nan)
    return replace(pair, A=(lost, lost, lost))


def _stepped(pair: Pair, step: Three) -> Pair:
    """A full step, or less where A would not stay positive."""
    scale, (alpha, beta, gamma) = np.ones_like(step[0]), pair.A
    for _ in range(NEWTON):
        new = (alpha + scale * step[0], beta + scale * step[1], gamma + scale * step[2])
        bad = (new[0] <= 0) | (new[1] <= 0) | (new[0] * new[1] <= new[2] * new[2])
        if not np.any(bad):
            break
        scale = np.where(bad, scale / 2, scale)
    return replace(pair, A=new)


@dataclass(frozen=True, eq=False)
class Places:
    """What is known before pairs are looked at.

    propagator  (points, points) C
    alone       (points,) a_x of each place on its own
    slopes      its derivatives by C_xx and by the source
    near        the pairs that are taken exactly, first and second places; all others by their
                first words, see `distant`
    guess       A of these, of a propagator nearby
    """

    propagator: Array
    states: States
    alone: Array
    slopes: tuple[Array, Array]
    near: Near
    guess: Three | None = None

    @cached_property
    def far(self) -> Array:
        """(points, points) the propagator between other places; zero elsewhere."""
        found = self.propagator.copy()
        found[self.near] = 0.0
        found[self.near[::-1]] = 0.0
        np.fill_diagonal(found, 0.0)
        return found

    @cached_property
    def visits(self) -> Visits:
        """What far places see of each."""
        return Visits.of(np.diag(self.propagator), self.alone, self.states, self.slopes)


def neighbours(propagator: Array, reach: Array) -> Near:
    """The pairs of places that are close; reach is the largest visit of each, t C_xx."""
    size = np.sqrt(np.diag(propagator) / np.maximum(reach, 1))
    close = np.abs(propagator) > FAR * size[:, None] * size
    first, second = np.nonzero(np.triu(close, 1))
    return first, second


@dataclass(frozen=True, eq=False)
class Pairs:
    """What pairs of places add to S.

    apart  (points, points) S_xy
    own    (points,) the part of S_xx
    A      of the near pairs, (pairs,) each
    """

    apart: Array
    own: Array
    A: Three

    @staticmethod
    def of(places: Places) -> "Pairs":
        apart, own = places.visits.words(places.far)
        found: list[Three] = []
        for block in _blocks(places):
            pair = inner(block.C, block.pair)
            mine, other, c = block.C
            square = c * c
            det = mine * other - square
            block.put(apart, *[-c / det - pair.A[2]] * 2)
            one, two = (places.alone[at] for at in block.near)
            block.add(
                own,
                square / (mine * det) - pair.A[0] + one,
                square / (other * det) - pair.A[1] + two,
            )
            found.append(pair.A)
        none = np.zeros(0)
        parts = [np.concatenate([none, *(A[k] for A in found)]) for k in range(3)]
        return Pairs(apart, own, (parts[0], parts[1], parts[2]))


@dataclass(frozen=True, eq=False)
class Slopes:
    """How that moves.

    straight, mine, apart_source  (points, points) the derivatives of S_xy by C_xy, by C_xx and by
                                  the source
    own_straight, own_other       (points, points) those of the part of S_xx by C_xy and C_yy
    own_mine, own_source          (points,) by C_xx and by the source
    empty                         (points,) the part of E[G_xx where x is not there], near places'
    """

    straight: Array
    mine: Array
    apart_source: Array
    own_straight: Array
    own_other: Array
    own_mine: Array
    own_source: Array
    empty: Array

    @staticmethod
    def of(places: Places) -> "Slopes":
        """From places whose guess is the solution."""
        first = [*places.visits.slopes(places.far), np.zeros_like(places.alone)]
        found = Slopes(*first)
        for block in _blocks(places):
            found._enter(block)
        return found

    def _enter(self, block: "Block") -> None:
        mine, other, c = block.C
        pair, places = block.pair, block.places
        second, (source, *empty) = pair.moments()[1], pair.source()
        zero, one = np.zeros_like(c), np.ones_like(c)
        by = answered(second, (one, zero, zero)), answered(second, (zero, one, zero))
        by_c = answered(second, (zero, zero, one))
        by_source = answered(second, (-source[0], -source[1], -source[2]))
        det = mine * other - c * c
        sides = []
        for k, (x, y, at) in enumerate(zip((mine, other), (other, mine), block.near, strict=True)):
            alone, free = places.alone[at], places.states.share[0, at]
            sides.append(
                (
                    c * y / det**2 - by[k][2],
                    2 * c * y / det**2 - by_c[k],
                    -c * c / det**2 - by[1 - k][k],
                    1 / x**2 - (y / det) ** 2 - by[k][k] + places.slopes[0][at],
                    -by_source[k] + places.slopes[1][at],
                    empty[k] - free / alone,
                )
            )
        block.put(self.straight, *[-(mine * other + c * c) / det**2 - by_c[2]] * 2)
        block.put(self.apart_source, *[-by_source[2]] * 2)
        matrices = self.mine, self.own_straight, self.own_other
        for matrix, here, there in zip(matrices, sides[0], sides[1], strict=False):
            block.put(matrix, here, there)
        sums = self.own_mine, self.own_source, self.empty
        for vector, here, there in zip(sums, sides[0][3:], sides[1][3:], strict=True):
            block.add(vector, here, there)


@dataclass(frozen=True, eq=False)
class Block:
    """Some of the near pairs: their places, and the propagator C_xx, C_yy, C_xy."""

    places: Places
    some: slice

    @property
    def near(self) -> Near:
        """The first and the second places."""
        first, second = self.places.near
        return first[self.some], second[self.some]

    @cached_property
    def C(self) -> Three:
        """C_xx, C_yy, C_xy."""
        own, (first, second) = np.diag(self.places.propagator), self.near
        return own[first], own[second], self.places.propagator[first, second]

    @property
    def pair(self) -> Pair:
        """Where Newton's method starts."""
        (first, second), places = self.near, self.places
        states, others = places.states.part(first), places.states.part(second)
        if places.guess is not None:
            alpha, beta, gamma = (part[self.some] for part in places.guess)
            return Pair((alpha, beta, gamma), states, others)
        mine, other, c = self.C
        alpha, beta = places.alone[first], places.alone[second]
        most = INSIDE * np.sqrt(alpha * beta)
        return Pair((alpha, beta, -np.clip(c / (mine * other), -most, most)), states, others)

    def put(self, matrix: Array, here: Array, there: Array) -> None:
        """Into a matrix: for the first place beside the second, and the other way round."""
        matrix[self.near] = here
        matrix[self.near[::-1]] = there

    def add(self, vector: Array, here: Array, there: Array) -> None:
        """To sums over the other place."""
        for at, values in zip(self.near, (here, there), strict=True):
            vector += np.bincount(at, values, vector.size)


def _blocks(places: Places) -> Iterator[Block]:
    for first in range(0, places.near[0].size, BLOCK):
        yield Block(places, slice(first, first + BLOCK))
