"""What may happen at a place: how often a training set has it, in a few states with their shares.

The propagator of a training set is (K^-1 + V)^-1 with V_x = (times)/s2 at the place x. A state has
V = v/u with u and v finite, so that s2 = 0 is no exception.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array, frozen

RARE = 1e-18  # counts of less probability are left out
ABSENT = 1e-12  # probability of not being there, at least
NODES = 2  # that stand for all counts of one or more
NEWTON = 800
SHORTEST = 1e-15  # Newton step that is none, relative


@dataclass(frozen=True, eq=False)
class States:
    """What may happen at each place, (states, points) each; the first state is "not there".

    share  probability; the sum over states is one
    u, v   V = v/u
    kick   what a source does: u moves by `kick` where v is 1, V by - `kick` where u is 1
    """

    share: Array
    u: Array
    v: Array
    kick: Array

    def part(self, some: Any) -> "States":
        """At some of the places."""
        return States(self.share[:, some], self.u[:, some], self.v[:, some], self.kick[:, some])

    @staticmethod
    def once(points: int, taken: float, ridge: float) -> "States":
        """There once, with probability `taken`, or not. The source acts where it is not."""
        row = np.ones(points)
        return States(
            frozen([(1 - taken) * row, taken * row]),
            frozen([row, ridge * row]),
            frozen([0 * row, row]),
            frozen([-row, 0 * row]),
        )

    @staticmethod
    def often(mean: Array, ridge: float, scale: float, nodes: int = NODES) -> "States":
        """There a Poisson number of times, of mean (points,). The source is a change of the ridge.

        Counts k >= 1 are replaced by `nodes` of their Gauss rule in 1/(k + ridge/scale), `scale`
        being the usual size of C_xx: exact for the first 2 nodes - 1 powers of that.
        """
        kinds, which = np.unique(mean, return_inverse=True)
        rules = [_counts(float(one), ridge / scale, nodes) for one in kinds]
        share = np.stack([rule[0] for rule in rules], axis=1)[:, which]
        per = np.stack([rule[1] for rule in rules], axis=1)[:, which]
        row = np.ones((1, mean.size))
        return States(
            frozen(np.concatenate([np.maximum(np.exp(-mean), ABSENT)[None], share])),
            frozen(np.concatenate([row, ridge * per])),
            frozen(np.concatenate([0 * row, np.ones_like(per)])),
            frozen(np.concatenate([0 * row, per])),
        )


def _counts(mean: float, offset: float, nodes: int) -> tuple[Array, Array]:
    """Probabilities and 1/k of the nodes that stand for a Poisson count k of one or more."""
    from scipy.special import gammaln

    k = np.arange(1.0, mean + 15 * np.sqrt(mean) + 40)
    chance = np.exp(k * np.log(mean) - mean - gammaln(k + 1))
    k, chance = k[chance > RARE * chance.max()], chance[chance > RARE * chance.max()]
    if k.size <= nodes:
        missing = nodes - k.size
        return np.append(chance, np.zeros(missing)), np.append(1 / k, np.ones(missing))
    place = 1 / (k + offset)
    # Lanczos: the Jacobi matrix of the discrete measure
    start = np.sqrt(chance / chance.sum())
    basis, before = [start], np.zeros(nodes)
    matrix = np.zeros((nodes, nodes))
    for i in range(nodes):
        image = place * basis[i]
        matrix[i, i] = image @ basis[i]
        for _ in range(2):  # twice, for orthogonality
            for vector in basis:
                image = image - (image @ vector) * vector
        before[i] = np.linalg.norm(image)
        if i + 1 < nodes:
            matrix[i, i + 1] = matrix[i + 1, i] = before[i]
            basis.append(image / before[i])
    found, turn = np.linalg.eigh(matrix)
    return chance.sum() * turn[0] ** 2, 1 / (1 / found - offset)


def held(alone: Array, states: States) -> Array:
    """(points,) 1/S of one place with a, that is E[1/(a + V)] / E[V/(a + V)]."""
    below = states.v + states.u * alone
    away = np.sum(states.share * states.v / below, axis=0)
    return np.asarray(np.sum(states.share * states.u / below, axis=0) / away)


def lonely(own: Array, states: States) -> Array:
    """a with E[u/(v + u a)] = C_xx, from below by Newton's method: the sum is convex."""
    a = states.share[0] / own
    for _ in range(NEWTON):
        each = states.u / (states.v + states.u * a)
        step = (np.sum(states.share * each, axis=0) - own) / np.sum(states.share * each**2, axis=0)
        a = a + step
        if np.max(np.abs(step / a)) < SHORTEST:
            break
    return np.asarray(a)
