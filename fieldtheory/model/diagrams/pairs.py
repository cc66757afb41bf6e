r"""Two places at a time, exactly: the matrix A with E[(A + V)^-1] = C, for all pairs of places.

See `sites` for what it is for. With G = (A + V)^-1, a change dA moves E[G] by - E[G dA G]; by this
A is found, by Newton's method, and so is its answer to a change of C.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.diagrams.states import States

BLOCK = 20_000  # pairs taken at a time, which stay in the processor's cache
NEWTON = 30
INSIDE = 0.9  # a first guess this far from the edge of the positive matrices
SHORT = 1e-5  # last Newton step, relative
Three = tuple[Array, Array, Array]  # of a symmetric 2 x 2 matrix: 11, 22, 12


@dataclass(frozen=True, eq=False)
class Pair:
    """Two places with A = [[alpha, gamma], [gamma, beta]]: many pairs, (places, other places)."""

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
            left = one.v[i][:, None] + one.u[i][:, None] * alpha
            beside = one.u[i][:, None] * square
            for j, other in enumerate(right):
                yield i, j, left * other - two.u[j] * beside, left, other

    def moments(self) -> tuple[Three, tuple[Array, ...]]:
        """E[G], and E[G11^2], E[G22^2], E[G12^2], E[G11 G12], E[G22 G12], E[G11 G22]."""
        totals = [np.zeros_like(self.A[0]) for _ in range(9)]
        one, two, gamma = self.states, self.others, self.A[2]
        for i, j, below, left, right in self._each():
            below = 1 / below
            g11 = right * one.u[i][:, None] * below
            g22 = left * two.u[j] * below
            below *= gamma
            g12 = below * (-one.u[i][:, None] * two.u[j])
            share = one.share[i][:, None] * two.share[j]
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
            share = one.share[i][:, None] * two.share[j]
            u, s = one.u[i][:, None], two.u[j]
            if i == 0:
                totals[3] += share * u * right / below
            if j == 0:
                totals[4] += share * s * left / below
            kick, push = one.kick[i][:, None] * share, two.kick[j] * share
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
    guess       alpha and gamma of all pairs, (points, points) each, of a propagator nearby
    """

    propagator: Array
    states: States
    alone: Array
    slopes: tuple[Array, Array]
    guess: tuple[Array, Array] | None = None


@dataclass(frozen=True, eq=False)
class Pairs:
    """What pairs of places add to S.

    apart  (points, points) S_xy
    alpha, gamma  (points, points) of A, for the first place of each pair
    own    (points,) the part of S_xx
    """

    apart: Array
    alpha: Array
    gamma: Array
    own: Array

    @staticmethod
    def of(places: Places) -> "Pairs":
        return Pairs(*_gathered(places, _words, (3, 1)))


@dataclass(frozen=True, eq=False)
class Slopes:
    """How that moves.

    straight, mine, apart_source  (points, points) the derivatives of S_xy by C_xy, by C_xx and by
                                  the source
    own_straight, own_other       (points, points) those of the part of S_xx by C_xy and C_yy
    own_mine, own_source          (points,) by C_xx and by the source
    empty                         (points,) the part of E[G_xx where x is not there]
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
        return Slopes(*_gathered(places, _slopes, (5, 3)))


Side = tuple[Array, ...]


def _gathered(
    places: Places,
    block: Callable[["Block"], tuple[Side, Side]],
    fields: tuple[int, int],
) -> list[Array]:
    """Matrices, and sums over the other place, from blocks of rows; each pair once: the columns
    begin where the rows do. A block gives them for the one place and for the other."""
    points = len(places.alone)
    wide: list[Array] = [np.empty((points, points)) for _ in range(fields[0])]
    sums: list[Array] = [np.zeros(points) for _ in range(fields[1])]
    first = 0
    while first < points:
        end = min(first + max(BLOCK // (points - first), 1), points)
        here, there = block(Block.of(places, slice(first, end), slice(first, points)))
        some, later = slice(first, end), slice(end, points)
        for whole, part, turned in zip(wide, here, there, strict=False):
            whole[some, first:] = part
            whole[later, some] = turned[:, end - first :].T
        for whole, part, turned in zip(sums, here[len(wide) :], there[len(wide) :], strict=True):
            whole[some] += np.sum(part, axis=1)
            whole[later] += np.sum(turned[:, end - first :], axis=0)
        first = end
    return wide + sums


@dataclass(frozen=True, eq=False)
class Block:
    """Some pairs: the propagator C_xx, C_yy, C_xy, and what is known of the places."""

    places: Places
    rows: slice
    columns: slice
    C: Three

    @staticmethod
    def of(places: Places, rows: slice, columns: slice) -> "Block":
        own = np.diag(places.propagator)
        c = places.propagator[rows, columns].copy()
        c[np.diag_indices(len(c))] = 0.0  # a place is no pair with itself
        mine, other = (np.broadcast_to(part, c.shape) for part in (own[rows, None], own[columns]))
        return Block(places, rows, columns, (mine, other, c))

    @property
    def pair(self) -> Pair:
        """Where Newton's method starts."""
        places, rows, columns = self.places, self.rows, self.columns
        states, others = places.states.part(rows), places.states.part(columns)
        if places.guess is not None:
            alpha, gamma = places.guess
            A = (alpha[rows, columns], alpha[columns, rows].T, gamma[rows, columns])
            return Pair(A, states, others)
        mine, other, c = self.C
        first, second = self.sides(places.alone)
        most = INSIDE * np.sqrt(first * second)
        return Pair((first, second, -np.clip(c / (mine * other), -most, most)), states, others)

    def sides(self, values: Array) -> tuple[Array, Array]:
        """Of the one place and of the other."""
        shape = self.C[2].shape
        return (
            np.broadcast_to(values[self.rows, None], shape),
            np.broadcast_to(values[self.columns], shape),
        )


def _words(block: Block) -> tuple[Side, Side]:
    mine, other, c = block.C
    pair = inner(block.C, block.pair)
    alpha, beta, gamma = pair.A
    square = c * c
    det = mine * other - square
    apart, (one, two) = -c / det - gamma, block.sides(block.places.alone)
    return (
        (apart, alpha, gamma, square / (mine * det) - (alpha - one)),
        (apart, beta, gamma, square / (other * det) - (beta - two)),
    )


def _slopes(block: Block) -> tuple[Side, Side]:
    mine, other, c = block.C
    pair, places = block.pair, block.places
    second, (source, *empty) = pair.moments()[1], pair.source()
    zero, one = np.zeros_like(c), np.ones_like(c)
    by = answered(second, (one, zero, zero)), answered(second, (zero, one, zero))
    by_c = answered(second, (zero, zero, one))
    by_source = answered(second, (-source[0], -source[1], -source[2]))
    square = c * c
    det = mine * other - square
    straight = -(mine * other + square) / det**2 - by_c[2]
    slopes, kicks = block.sides(places.slopes[0]), block.sides(places.slopes[1])
    alone, free = block.sides(places.alone), block.sides(places.states.share[0])
    found = []
    for k, (x, y) in enumerate(((mine, other), (other, mine))):
        found.append(
            (
                straight,
                c * y / det**2 - by[k][2],
                -by_source[2],
                2 * c * y / det**2 - by_c[k],
                -square / det**2 - by[1 - k][k],
                1 / x**2 - (y / det) ** 2 - by[k][k] + slopes[k],
                -by_source[k] + kicks[k],
                empty[k] - free[k] / alone[k],
            )
        )
    return found[0], found[1]
