r"""How often each point is in the training set: one site, and two sites, solved exactly.

A finite measure has P places, and a training set is told by how often it has each. With the random
V_x = (times)/s2 the propagator is G = (K^-1 + V)^-1, its average C = (K^-1 + S)^-1, and the
self-energy S, as a functional of C, is a sum over sets of places. One place at a time gives the
coherent potential approximation (Soven 1967, Phys. Rev. 156, 809),

.. math:: E\Bigl[\frac{1}{a_x + V_x}\Bigr] = C_{xx}, \qquad S_{xx} = \frac{1}{C_{xx}} - a_x

and pairs of places add what the same equation for 2 x 2 matrices has beyond,

.. math:: E\bigl[(A + V)^{-1}\bigr] = \tilde C =
          \begin{pmatrix} C_{xx} & C_{xy} \\ C_{xy} & C_{yy} \end{pmatrix}, \qquad
          s = \tilde C^{-1} - A, \qquad S_{xy} = s_{xy}, \quad
          S_{xx} \mathrel{+}= s_{xx} - \Bigl(\frac{1}{C_{xx}} - a_x\Bigr)

Every diagram whose crossing-connected parts lie on at most two places is in it once, with any
number of samples there: the two-sample words of `finite`, and all others of these places. Nothing
is expanded in 1/s2, so that s2 = 0 is no exception.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.points.pairs import Near, Pairs, Places, Slopes, Three, neighbours
from fieldtheory.model.points.states import States, lonely


@dataclass(frozen=True, eq=False)
class Sites:
    """The self-energy of a propagator.

    clusters  1 one place at a time, 2 pairs as well
    near      the pairs that are taken exactly; those that are close to this propagator unless given
    guess     A of these, of a propagator nearby
    """

    propagator: Array
    states: States
    clusters: int
    near: Near | None = None
    guess: Three | None = None

    @cached_property
    def alone(self) -> Array:
        """(points,) a_x."""
        return lonely(np.diag(self.propagator), self.states)

    @cached_property
    def _slopes(self) -> tuple[Array, Array]:
        """The derivatives of a_x by C_xx and by the source."""
        states = self.states
        below = states.v + states.u * self.alone
        both = np.sum(states.share * (states.u / below) ** 2, axis=0)
        return -1 / both, np.sum(states.share * states.kick / below**2, axis=0) / both

    @property
    def loop_weights(self) -> Array:
        """(points,) what the self-energy of one site answers to C_xx."""
        return np.asarray(1 / np.diag(self.propagator) ** 2 + self._slopes[0])

    @cached_property
    def pairs(self) -> Pairs:
        """What pairs add."""
        return Pairs.of(self._places(self.guess))

    @cached_property
    def slopes(self) -> Slopes:
        """How that moves."""
        return Slopes.of(self._places(self.pairs.A))

    @cached_property
    def close(self) -> Near:
        """The pairs that are taken exactly."""
        if self.near is not None:
            return self.near
        states = self.states
        each = states.u / (states.v + states.u * self.alone) / np.diag(self.propagator)
        return neighbours(self.propagator, np.max(np.abs(1 - each), axis=0))

    def _places(self, guess: Three | None) -> Places:
        return Places(self.propagator, self.states, self.alone, self._slopes, self.close, guess)

    @cached_property
    def self_energy(self) -> Array:
        """(points, points) S."""
        own = 1 / np.diag(self.propagator) - self.alone
        if self.clusters == 1:
            return np.diag(own)
        found = self.pairs.apart.copy()
        found[np.diag_indices_from(found)] = own + self.pairs.own
        return found

    @cached_property
    def empty(self) -> Array:
        """(points,) E[G_xx where x is not there], over the probability of that."""
        found = 1 / self.alone
        if self.clusters > 1:
            found = found + self.slopes.empty / self.states.share[0]
        return np.asarray(found)

    def response(self, moved: Array, source: float) -> Array:
        """The first-order change of S when C moves by `moved`, and under a source."""
        own, C = np.diag(moved), np.diag(self.propagator)
        by, kicked = self._slopes
        local = -own / C**2 - by * own - kicked * source
        if self.clusters == 1:
            return np.diag(local)
        pairs = self.slopes
        found, beside = pairs.straight * moved, pairs.mine * own[:, None]
        found += beside
        found += beside.T
        if source:
            found += source * pairs.apart_source
            local = local + source * pairs.own_source
        local = local + pairs.own_mine * own + pairs.own_other @ own
        local = local + np.einsum("xy,xy->x", pairs.own_straight, moved)
        found[np.diag_indices_from(found)] = local
        return np.asarray(found)
