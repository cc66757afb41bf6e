r"""Crossing diagrams of three samples on the sphere: the integral over the third.

Samples 1 and 2 are at the cosine t12; a word that leads from 1 to 2 may visit a third sample
anywhere. Summed over all crossing-connected words on exactly the three, it adds

.. math:: a_3(t_{12}) = \eta^2 E_3[ w(s_{12}, s_{13}, s_{23}) ]

to the amplitude a(t) of `crossing`; w is the law `theory.samples.words.THREE_APART`, here
`three_apart`.

The integral. The self-energy needs both angles seen from sample 1, theta_12 and theta_13, and the
azimuth psi between them, distributed as an angle on S^(d-2):

.. math:: \sin^2\tfrac{\theta_{23}}{2} = \sin^2\tfrac{\theta_{12} - \theta_{13}}{2}
          + \sin\theta_{12} \sin\theta_{13} \sin^2\tfrac{\psi}{2}

Each angle has the Gauss rule of the measure that the words of two samples leave there,
(s^2 + E[s^2]) dmu(t): half of its weight where samples are correlated, half everywhere. Rules of
n and n + 1 nodes interlace, so that no two samples ever coincide, and samples 2 and 3 are
exchanged: where they come close, the two words nearly cancel, and do so within the sum.

Why the law and its slopes stand here by hand. They take most of the time of a prediction. Compiled
from the law they were as accurate but took longer, the words by a fifth, the slopes by a quarter to
a half: what depends on two of the three samples is a small array, and SymPy does not know to keep
it apart. The tests hold both against the law and its derivatives.
"""

from dataclasses import dataclass

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.diagrams.colatitude import Stencil, azimuths, colatitudes, interlaced, rests

# dimension from which, nodes of the first angle (the second has one more), azimuths
NODES = ((2, 64, 2), (3, 40, 28), (4, 32, 20), (6, 24, 16))


def nodes(dimension: int) -> tuple[int, int]:
    """Nodes of the first angle and azimuths."""
    _, polar, turning = [row for row in NODES if dimension >= row[0]][-1]
    return polar, turning


# -- the law and its slopes -----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Returns:
    """What words on three samples are made of, from the gaps 1 - v between them.

    a, b, c = v^2/(1 - v^2) for v12, v13, v23; e = 1 - det / product of the (1 - v^2).
    """

    v: tuple[Array, Array, Array]
    beside: tuple[Array, Array, Array]  # 1 - v^2
    turns: tuple[Array, Array, Array]  # a, b, c
    direct: tuple[Array, Array, Array]  # v12 - v13 v23 and so on
    e: Array

    @staticmethod
    def of(g12: Array, g13: Array, g23: Array) -> "Returns":
        gaps = (g12, g13, g23)
        x, y, z = (1 - g for g in gaps)
        beside = (g12 * (2 - g12), g13 * (2 - g13), g23 * (2 - g23))
        a, b, c = x**2 / beside[0], y**2 / beside[1], z**2 / beside[2]
        direct = (
            g13 + g23 - g13 * g23 - g12,
            g12 + g23 - g12 * g23 - g13,
            g12 + g13 - g12 * g13 - g23,
        )
        e = (1 + c) * (x * y * (x * y - 2 * z) + (a + b + a * b) * direct[2] ** 2)
        return Returns((x, y, z), beside, (a, b, c), direct, e)

    def exchanged(self) -> "Returns":
        """The same with samples 2 and 3 exchanged."""
        flip = [
            (part[1], part[0], part[2]) for part in (self.v, self.beside, self.turns, self.direct)
        ]
        return Returns(flip[0], flip[1], flip[2], flip[3], self.e)


def three_apart(at: Returns) -> Array:
    """All words from sample 1 to sample 2 that visit also 3, crossing-connected, over t1."""
    (x, y, z), (a, b, c), direct, e = at.v, at.turns, at.direct[0], at.e
    both = b + c + b * c
    rounds = (1 + a) * e * (y * z - direct * (both + e) / (1 - e))
    along = both * a * (a * (b + c + 2) + b + c + 3 - b * c) * at.beside[1] * at.beside[2]
    aside = a * both * (2 * a + 3) + b * c
    return np.asarray(rounds + x * (along - b * c) - direct * aside)


def three_apart_slopes(at: Returns) -> tuple[Array, Array, Array]:
    """The derivatives of `three_apart` by v12, v13 and v23."""
    (x, y, z), (a, b, c), direct, e = at.v, at.turns, at.direct[0], at.e
    both, square = b + c + b * c, at.beside[1] * at.beside[2]
    share = (both + e) / (1 - e)
    rounds = y * z - direct * share
    paths = a * (a * (b + c + 2) + b + c + 3 - b * c)
    by_direct = -(a * both * (2 * a + 3) + b * c) - (1 + a) * e * share
    by_e = (1 + a) * (rounds - e * direct * (1 + both) / (1 - e) ** 2)
    by_a = e * rounds - direct * both * (4 * a + 3)
    by_a = by_a + x * both * square * (2 * a * (b + c + 2) + b + c + 3 - b * c)
    e12, e13, e23, turned = _slopes_of_e(at)

    def by_side(mine: Array, other: Array) -> Array:
        """By b (or c), with the other one fixed."""
        found = -(1 + a) * e * direct * (1 + other) / (1 - e)
        found = found + x * square * ((1 + other) * paths + both * a * (a + 1 - other))
        return np.asarray(found - x * other - direct * ((2 * a + 3) * a * (1 + other) + other))

    def by_step(v: Array, other: Array, beside: Array, turn: Array, of_e: Array) -> Array:
        straight = (1 + a) * e * other - other * by_direct - 2 * v * beside * x * both * paths
        return np.asarray(straight + turn + by_e * of_e)

    whole = both * paths * square - b * c + by_direct + by_a * turned[0] + by_e * e12
    return (
        np.asarray(whole),
        by_step(y, z, at.beside[2], by_side(b, c) * turned[1], e13),
        by_step(z, y, at.beside[1], by_side(c, b) * turned[2], e23),
    )


def _slopes_of_e(at: Returns) -> tuple[Array, Array, Array, tuple[Array, Array, Array]]:
    """The derivatives of e by v12, v13, v23, and those of a, b, c each by its own v."""
    (x, y, z), (a, b, c), q = at.v, at.turns, at.direct[2]
    da, db, dc = (2 * v / beside**2 for v, beside in zip(at.v, at.beside, strict=True))
    pairs, product = a + b + a * b, x * y
    inner = product * (product - 2 * z) + pairs * q**2
    by_product = 2 * (product - z - pairs * q)
    e12 = (1 + c) * (y * by_product + (1 + b) * q**2 * da)
    e13 = (1 + c) * (x * by_product + (1 + a) * q**2 * db)
    e23 = dc * inner + 2 * (1 + c) * (pairs * q - product)
    return e12, e13, e23, (da, db, dc)


# -- the integral ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Third:
    """Where the third sample may be, for one number of samples: nodes, weights, interpolation.

    near, far   the two interlaced rules for an angle: interpolation at their nodes
    between     interpolation at theta_23, (near, far, azimuths)
    masses      weights of the nodes, near then far: half an average over each rule
    turns       weights of the azimuths
    rest        1 - P_l at the nodes, near then far, (degrees, near + far)
    """

    near: Stencil
    far: Stencil
    between: Stencil
    masses: Array
    turns: Array
    rest: Array

    @staticmethod
    def of(dimension: int, degrees: int, weights: Array, gap: Array, finer: float = 1.0) -> "Third":
        """For the propagator of gap 1 - s on the fine grid, whose measure is `weights`; `finer`
        times as many nodes as usual."""
        return Third.each(dimension, degrees, weights, gap[None], finer)[0]

    @staticmethod
    def each(
        dimension: int, degrees: int, weights: Array, gaps: Array, finer: float = 1.0
    ) -> tuple["Third", ...]:
        """The same for many propagators, (rows, points)."""
        points = gaps.shape[1]
        polar, turning = (round(finer * n) for n in nodes(dimension))
        polar = min(polar, points // 2)  # more are not told apart by the grid
        angles, bent = colatitudes(points), azimuths(dimension, turning)
        rules = []
        for gap in gaps:
            square = (1 - gap) ** 2
            share = square + weights @ square
            rules.append((share, interlaced(angles, weights * share, polar)))
        theta = np.array([np.concatenate([near[0], far[0]]) for _, (near, far) in rules])
        rest = rests(dimension, degrees, theta).swapaxes(0, 1)
        return tuple(
            Third._of(both, share, bent, np.ascontiguousarray(one))
            for (share, both), one in zip(rules, rest, strict=True)
        )

    @staticmethod
    def _of(
        rules: list[tuple[Array, Array]], share: Array, azimuths: tuple[Array, Array], rest: Array
    ) -> "Third":
        near, far = (Stencil.at(rule[0], share.size) for rule in rules)
        masses = [rule[1] / at(share) / 2 for rule, at in zip(rules, (near, far), strict=True)]
        one, other = rules[0][0][:, None, None], rules[1][0][None, :, None]
        haversine = np.sin((one - other) / 2) ** 2 + np.sin(one) * np.sin(other) * azimuths[0]
        theta = 2 * np.arcsin(np.sqrt(np.minimum(haversine, 1)))
        between = Stencil.at(theta, share.size)
        return Third(near, far, between, np.concatenate(masses), azimuths[1], rest)

    def gaps(self, gap: Array) -> Array:
        """From the fine grid to the nodes, near then far."""
        return np.concatenate([self.near(gap), self.far(gap)])

    def _returns(self, gap: Array) -> Returns:
        near, far = self.near(gap)[:, None, None], self.far(gap)[None, :, None]
        return Returns.of(near, far, self.between(gap))

    def words(self, samples: float, gap: Array) -> Array:
        """a_3 at the nodes."""
        at, size = self._returns(gap), self.near.indices.shape[1]
        near, far = 2 * self.masses[:size], 2 * self.masses[size:]
        there = (three_apart(at) @ self.turns) @ far
        back = near @ (three_apart(at.exchanged()) @ self.turns)
        return np.asarray(samples**2 * np.concatenate([there, back]))

    def bracket(self, words: Array, gaps: Array, columns: int) -> Array:
        """E[(P_l - s) a_3] for each column of D; beyond the resolved degrees P_l is 0."""
        weighted = self.masses * words
        found = np.full(columns, np.sum(weighted * (gaps - 1)))
        found[: len(self.rest)] = np.sum(weighted * gaps) - self.rest @ weighted
        return found

    def linear(self, samples: float, gap: Array) -> "Slope":
        """How a_3 responds when the propagator changes."""
        at, size, points = self._returns(gap), self.near.indices.shape[1], gap.size
        near, far = 2 * self.masses[:size], 2 * self.masses[size:]
        nodes = np.zeros((self.masses.size, self.masses.size))
        own, other, between = three_apart_slopes(at)
        nodes[:size, :size] = np.diag((own @ self.turns) @ far)
        nodes[:size, size:] = (other @ self.turns) * far
        there = self.between.collected(between * self.turns * far[:, None], points)
        own, other, between = three_apart_slopes(at.exchanged())
        nodes[size:, size:] = np.diag(near @ (own @ self.turns))
        nodes[size:, :size] = (near[:, None] * (other @ self.turns)).T
        weighted = between * self.turns * near[:, None, None]
        back = self.between.swapped().collected(weighted.swapaxes(0, 1), points)
        between = np.concatenate([there, back])
        scale = -(samples**2)
        return Slope(self, self.words(samples, gap), self.gaps(gap), scale * nodes, scale * between)


@dataclass(frozen=True, eq=False)
class Slope:
    """`Third` linearised about one propagator.

    words    a_3 at the nodes · gaps  1 - s there
    nodes    the change of the words when the gap moves at the nodes
    between  their change when it moves between samples 2 and 3, by the gap on the fine grid
    """

    third: Third
    words: Array
    gaps: Array
    nodes: Array
    between: Array

    def bracket(self, moved: Array, columns: int) -> Array:
        """The change of `Third.bracket` when the gap moves by `moved`."""
        third, here = self.third, self.third.gaps(moved)
        found = third.bracket(self.nodes @ here + self.between @ moved, self.gaps, columns)
        return np.asarray(found + third.masses * self.words @ here)
