r"""Crossing diagrams of four samples on the sphere: their words, and the integral over two samples.

**The words.** Let each of n given samples be there with weight w_i, w_i^2 = 0: that is one block of
a partition for each. T-matrices are 1, steps between samples v. With Omega the average of
(1 + v + delta)^{-1} on the samples that are there, the lines of the averaged propagator must be v:

.. math:: K = (1 + K v)\,\Omega\,(1 + v K), \qquad \delta = v K v, \qquad
          \Sigma = K - K v \Sigma

and the coefficient of w_1 ... w_n in Sigma is the sum of all crossing-connected words that use
every letter. It is also the derivative by v, at fixed K, of a functional that is stationary in K.
So K is needed to half the order only, K_1 + K_2 for four letters, and off the diagonal

.. math:: \Sigma = \Omega + K v \Omega + \Omega v K - K v K + 2 K v K v K - 3 K v K v K v K

which `four_apart` writes out. Words that come home follow from these as in `crossing`.

**The integral.** With samples 1 .. 4 anywhere, F any function of all four alike, the bracket of the
self-energy is

.. math:: E_t[(P_l - s) a_4] = \frac{\eta^3}{2} E_{1234}\Bigl[ \frac16 \sum_{i<j}
          (P_l(t_{ij}) - s_{ij})\, w_{ij} \Bigr]

so that each set of four serves six times. On the circle the sites are three neighbouring gaps whose
sum s has the Gauss rule of what is correlated there; all four gaps are treated alike by the weight
4 g_4^4 / sum g_i^4, which is largest where the last one is the wide one outside. From three
dimensions on they are a Kronecker sequence in the angles seen from each of the four in turn.
"""

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.model.diagrams.cluster import Slope, Third
from fieldtheory.model.diagrams.colatitude import (
    Stencil,
    colatitudes,
    gauss,
    measure,
    rests_on_grid,
)

SHARE = 1e-4  # of the ridge in s2 + c(1), below which four samples on the circle diverge
RADIAL, MIDDLE, ASIDE = 40, 6, 4  # nodes on the circle: the sum of three gaps, and its two parts
SITES = 2048  # elsewhere
POWER, FLOOR = 2, 0.1  # nodes of the sum follow s(sum / 3)^POWER, and this much is everywhere
OUTSIDE = 4  # power of the gaps that says which of them is outside
EVEN = 0.1  # part of the angles that are everywhere; the others follow s^2
BLOCK = 1024  # sets of four samples worked on at a time
STEP = 1e-20  # of a derivative by an imaginary step, which subtracts nothing
LETTERS = range(4)
PAIRS = tuple(combinations(LETTERS, 2))
TRIPLES = tuple(combinations(LETTERS, 3))


def sites(dimension: int) -> int:
    """Sets of four samples that the integral takes.

    >>> sites(2), sites(3)
    (960, 2048)
    """
    return RADIAL * MIDDLE * ASIDE if dimension == 2 else SITES


# -- the words ------------------------------------------------------------------------------------


class Four:
    """What words on four samples are made of; letters are 0 .. 3, keys are letters in any order.

    step  v_ij · same, other  the inverse of 1 + v on two samples, on and off the diagonal
    home, away  K of two samples, likewise · bent  (i, j, k): entry i of that inverse times v_.k
    inverse     (i, j, outside): of 1 + v on the three samples that remain
    """

    def __init__(self, steps: Array) -> None:
        self.step = {key: v for pair, v in zip(PAIRS, steps, strict=True) for key in _both(*pair)}
        self.same, self.other, self.home, self.away = {}, {}, {}, {}
        for i, j in PAIRS:
            v = self.step[i, j]
            same, square = 1 / ((1 - v) * (1 + v)), v * v
            for key in _both(i, j):
                self.same[key], self.other[key] = same, -v * same
                self.home[key], self.away[key] = square * square * same, v - square * v * same
        self.bent = {
            (i, j, k): self.same[i, j] * self.step[i, k] + self.other[i, j] * self.step[j, k]
            for i, j in self.step
            for k in LETTERS
            if k not in (i, j)
        }
        self.inverse: dict[tuple[int, int, int], Array] = {}
        for x, y, z in TRIPLES:
            out = 6 - x - y - z
            a, b, c = self.step[x, y], self.step[x, z], self.step[y, z]
            one = 1 / ((1 - a) * (1 + a) - b * b - c * c + 2 * a * b * c)
            for (i, j, k), (p, q, r) in (
                ((x, y, z), (a, b, c)),
                ((y, z, x), (c, a, b)),
                ((z, x, y), (b, c, a)),
            ):
                self.inverse[i, i, out] = (1 - r) * (1 + r) * one
                self.inverse[j, k, out] = self.inverse[k, j, out] = (p * q - r) * one
        self.three = {key: self._three(*key) for key in self.inverse}

    def _three(self, i: int, j: int, out: int) -> Array:
        """Omega of three samples, all but `out`."""
        found = self.inverse[i, j, out]
        if i != j:
            k = 6 - i - j - out
            return np.asarray(found - self.other[i, j] - self.bent[i, j, k] * self.bent[j, i, k])
        j, k = (x for x in LETTERS if x not in (i, out))
        a, b = self.step[i, j] ** 2, self.step[i, k] ** 2
        nested = self.home[j, k] * (a + b)
        nested = nested + 2 * self.away[j, k] * self.step[i, j] * self.step[i, k]
        pairs = (
            self.same[i, j] + self.bent[i, j, k] ** 2 + self.same[i, k] + self.bent[i, k, j] ** 2
        )
        return np.asarray(found - pairs + 1 + a + b + 2 * a * b - nested)

    def omega(self, i: int, j: int) -> Array:
        """Omega of all four samples, i not j."""
        k, l = (x for x in LETTERS if x not in (i, j))
        along = {x: self._along(x, l) for x in (i, j, k)}
        left = 1 - sum(along[x] * self.step[x, l] for x in along)
        found = along[i] * along[j] / left - self._along(i, k) * self._along(j, k)
        found = found - self.inverse[i, j, k] - along[i] * along[j] + self.other[i, j]
        ik, il, jk, jl = (self.bent[key] for key in ((i, j, k), (i, j, l), (j, i, k), (j, i, l)))
        between = self.step[i, k] * il + self.step[j, k] * jl - self.away[k, l]
        found = found + (1 - self.home[k, l]) * (ik * jk + il * jl)
        return np.asarray(found + between * (ik * jl + il * jk))

    def _along(self, i: int, out: int) -> Array:
        """Entry i of the inverse on all but `out`, times the steps to `out`."""
        rest = (x for x in LETTERS if x != out)
        return np.asarray(sum(self.inverse[i, x, out] * self.step[x, out] for x in rest))

    def joined(self, i: int, j: int) -> Array:
        """All terms of Sigma but Omega."""
        v, home, away = self.step, self.home, self.away
        k, l = (x for x in LETTERS if x not in (i, j))
        found = sum(v[i, x] * self.three[x, j, i] for x in (j, k, l))
        found = found + sum(self.three[i, x, j] * v[x, j] for x in (i, k, l))
        for m, n in ((k, l), (l, k)):
            left, right = {i: home[i, m], m: away[i, m]}, {j: home[j, n], n: away[j, n]}
            for x, y in ((i, j), (i, n), (m, j), (m, n)):
                one = left[x] - (2 * v[i, m] if x == m else 0)  # Omega of two samples
                other = right[y] - (2 * v[j, n] if y == n else 0)
                found = found + v[x, y] * (left[x] * other + one * right[y] - left[x] * right[y])
            found = found + 2 * v[i, m] * (v[m, j] * home[j, n] + v[m, n] * away[j, n])
            found = found + 2 * v[m, j] * (v[i, m] * home[i, n] + v[n, m] * away[i, n])
            found = found + 2 * v[i, m] * (home[k, l] * v[m, j] + away[k, l] * v[n, j])
            found = found - 3 * v[i, m] * v[m, n] * v[n, j]
        return np.asarray(found)


def _both(i: int, j: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (i, j), (j, i)


def four_apart(steps: Array) -> Array:
    """All words from one sample to another that visit all four, crossing-connected.

    steps  (6, sites) v12, v13, v14, v23, v24, v34, real or complex; the words come in that order,
           over the square root of the T-matrices at both ends

    >>> [f"{words:.4e}" for words in four_apart(np.full((6, 1), 0.1))[:2, 0]]
    ['-2.4977e-06', '-2.4977e-06']
    """
    found = np.empty_like(steps)
    for first in range(0, steps.shape[1], BLOCK):
        block = slice(first, first + BLOCK)
        at = Four(np.ascontiguousarray(steps[:, block]))
        for n, pair in enumerate(PAIRS):
            found[n, block] = at.omega(*pair) + at.joined(*pair)
    return found


def four_apart_slopes(steps: Array) -> Array:
    """(6, 6, sites) the derivatives of `four_apart`, first by each step."""
    found = []
    for n in range(len(PAIRS)):
        moved = steps.astype(complex)
        moved[n] += 1j * STEP
        found.append(four_apart(moved).imag / STEP)
    return np.array(found)


# -- where the samples are ------------------------------------------------------------------------


def on_circle(gap: Array, finer: float = 1.0) -> tuple[Array, Array]:
    """Angles (6, sites) between four samples on the circle, and the weights of their mean, for the
    propagator of gap 1 - s on the fine grid."""
    radial, middle, aside = (round(finer * n) for n in (RADIAL, MIDDLE, ASIDE))
    fine = 2 * np.pi * (np.arange(30 * radial) + 0.5) / (30 * radial)

    def share(total: Array) -> Array:
        return np.asarray((1 - Stencil.at(total / 3, gap.size)(gap)) ** POWER)

    near, far = (np.mean(fine**2 * x) for x in (share(fine), np.ones_like(fine)))
    density = fine**2 * (share(fine) / near + FLOOR / far)
    nodes, masses = gauss(fine, density / fine.size, radial)
    masses = masses / (share(nodes) / near + FLOOR / far)
    part, of_part = np.polynomial.legendre.leggauss(middle)  # of the sum, in the middle gap
    side, of_side = np.polynomial.legendre.leggauss(aside)  # of the rest, in the smaller one
    part, of_side = (1 + part) / 2, of_side / 2
    weights = np.einsum("i,j,k->ijk", masses, of_part / 2 * (1 - part), of_side).ravel()
    grid = np.meshgrid(nodes, part, (1 + side) / 4, indexing="ij")
    total, part, side = (axis.ravel() for axis in grid)
    one, two, three = total * (1 - part) * side, total * part, total * (1 - part) * (1 - side)
    outside = (2 * np.pi - total) ** OUTSIDE
    outside = outside / (outside + one**OUTSIDE + two**OUTSIDE + three**OUTSIDE)
    apart = np.stack([one, one + two, total, two, two + three, three])
    return np.minimum(apart, 2 * np.pi - apart), weights * outside * 24 / (2 * np.pi) ** 2


def on_sphere(dimension: int, gap: Array, finer: float = 1.0) -> tuple[Array, Array]:
    """The same from three dimensions on: angles seen from a first sample, more often where it is
    correlated; the weights are those of all four taken as the first alike."""
    theta, weights = colatitudes(gap.size), measure(dimension, gap.size)
    share = (1 - gap) ** 2
    share = (1 - EVEN) * share / (weights @ share) + EVEN
    mass = weights * share
    places = sequence(round(finer * SITES))
    angle = np.stack([np.interp(x, np.cumsum(mass) - mass / 2, theta) for x in places[:3]])
    turn, other, twist = (_turned(dimension - 1 - (n == 2), x) for n, x in enumerate(places[3:]))
    zero, one = np.zeros_like(turn), np.ones_like(turn)
    across = np.stack(
        [
            [one, zero, zero],
            [np.cos(turn), np.sin(turn), zero],
            [np.cos(other), np.sin(other) * np.cos(twist), np.sin(other) * np.sin(twist)],
        ]
    )
    points = [
        np.concatenate([[np.cos(a)], np.sin(a) * x]) for a, x in zip(angle, across, strict=True)
    ]
    points = [np.stack([one, zero, zero, zero]), *points]
    apart = np.stack([_angle(points[i], points[j]) for i, j in PAIRS])
    seen = np.interp(apart, theta, share)
    first = [
        np.prod([s for s, pair in zip(seen, PAIRS, strict=True) if k in pair], axis=0)
        for k in LETTERS
    ]
    return apart, 1 / np.mean(first, axis=0) / len(one)


def _turned(dimension: int, places: Array) -> Array:
    """An angle on S^(dimension - 1), from its places (0, 1) in the uniform measure."""
    if dimension == 1:  # two points
        return np.where(places < 0.5, 0.0, np.pi)
    weights = measure(dimension, 512)
    return np.asarray(np.interp(places, np.cumsum(weights) - weights / 2, colatitudes(512)))


def _angle(one: Array, other: Array) -> Array:
    half = np.linalg.norm(one - other, axis=0) / 2
    return np.asarray(2 * np.arcsin(np.minimum(half, 1)))


@cache
def sequence(points: int) -> Array:
    """(6, points) evenly spread in the unit cube: multiples of powers of a root of
    x^7 = x + 1, folded so that both ends meet.

    >>> sequence(3)[:2].round(4).tolist()
    [[0.2027, 0.4054, 0.6081], [0.3848, 0.7697, 0.8455]]
    """
    root = 1.5
    for _ in range(64):
        root = (1 + root) ** (1 / 7)
    steps = root ** -np.arange(1.0, 7.0)
    places = np.outer(steps, np.arange(1, points + 1)) % 1
    return frozen(1 - np.abs(2 * places - 1))


# -- the integral ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Fourth:
    """Diagrams of three and of four samples, for one number of samples.

    third    those of three
    between  interpolation at the angles of the sites, (6, sites)
    masses   (sites,) weights of the sites
    rest     1 - P_l on the fine grid, (degrees, nodes)
    """

    third: Third
    between: Stencil
    masses: Array
    rest: Array

    @staticmethod
    def of(third: Third, dimension: int, degrees: int, gap: Array, finer: float = 1.0) -> "Fourth":
        """For the propagator of gap 1 - s on the fine grid; `finer` times as many nodes as usual,
        of each kind on the circle."""
        if dimension == 2:
            angles, masses = on_circle(gap, finer)
        else:
            angles, masses = on_sphere(dimension, gap, finer)
        rest = rests_on_grid(dimension, degrees, gap.size)
        return Fourth(third, Stencil.at(angles, gap.size), masses, rest)

    @property
    def split(self) -> int:
        """Nodes of the third samples: those of the fourth, the fine grid, come behind."""
        return self.third.masses.size

    def gaps(self, gap: Array) -> Array:
        """1 - s where the words are."""
        return np.concatenate([self.third.gaps(gap), gap])

    def words(self, samples: float, gap: Array) -> Array:
        """a_3 at its nodes; a_4 with its measure, collected on the fine grid."""
        found = four_apart(1 - self.between(gap))
        return np.concatenate([self.third.words(samples, gap), self.collected(samples, found)])

    def collected(self, samples: float, words: Array) -> Array:
        """The words of every site, as a measure on the fine grid."""
        spread = self.between.collected(samples**3 / 12 * self.masses * words, self.rest.shape[1])
        return np.asarray(np.sum(spread, axis=0))

    def bracket(self, words: Array, gaps: Array, columns: int) -> Array:
        """E[(P_l - s) (a_3 + a_4)] for each column of D; beyond the resolved degrees P_l is 0."""
        found = self.third.bracket(words[: self.split], gaps[: self.split], columns)
        found += gaps[self.split :] @ words[self.split :]
        found[: len(self.rest)] -= self.rest @ words[self.split :]
        found[len(self.rest) :] -= np.sum(words[self.split :])
        return found

    def linear(self, samples: float, gap: Array) -> "FourthSlope":
        """How both respond when the propagator changes."""
        slopes = four_apart_slopes(1 - self.between(gap))
        three = self.third.linear(samples, gap)
        return FourthSlope(self, three, samples, self.words(samples, gap), self.gaps(gap), slopes)


@dataclass(frozen=True, eq=False)
class FourthSlope:
    """`Fourth` linearised about one propagator.

    three   the third samples, linearised · words, gaps  as in `Fourth.bracket`
    slopes  (6, 6, sites) of the words of four, first by each step
    """

    fourth: Fourth
    three: Slope
    samples: float
    words: Array
    gaps: Array
    slopes: Array

    def bracket(self, moved: Array, columns: int) -> Array:
        """The change of `Fourth.bracket` when the gap moves by `moved`."""
        fourth = self.fourth
        split = fourth.split
        words = np.einsum("kjs,ks->js", self.slopes, -fourth.between(moved))
        change = np.concatenate([np.zeros(split), fourth.collected(self.samples, words)])
        found = fourth.bracket(change, self.gaps, columns) + self.three.bracket(moved, columns)
        return np.asarray(found + self.words[split:] @ moved)
