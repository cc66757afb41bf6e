"""What crossing diagrams are made of: harmonics on a grid of angles, and dressed propagators there.

Harmonics of even degree are the same at t and -t and those of odd degree change sign, so that sums
over degrees are matrix products over half of the angles.
"""

from dataclasses import dataclass

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.diagrams.colatitude import half_rests_on_grid, measure
from fieldtheory.model.spectrum import Spectrum

DEGREES = 512  # degrees that cross; those beyond are planar, and enter through c(1) alone


def grid(spectrum: Spectrum, degrees: int = DEGREES) -> tuple[int, int]:
    """How many degrees are resolved, and at how many angles."""
    resolved = min(degrees, spectrum.eigenvalues.size)
    return resolved, 4 * (48 + resolved + int(2 * np.sqrt(spectrum.dimension)))


@dataclass(frozen=True, eq=False)
class Modes:
    """A spectrum, a ridge, and the quadrature in t: what does not depend on the samples.

    even, odd  1 - P_l of the resolved degrees at the nodes up to t = 0, (degrees, nodes / 2)
    weights    (nodes,) of the measure
    """

    spectrum: Spectrum
    ridge: float
    even: Array
    odd: Array
    weights: Array

    @staticmethod
    def of(spectrum: Spectrum, ridge: float, degrees: int = DEGREES) -> "Modes":
        d, (resolved, points) = spectrum.dimension, grid(spectrum, degrees)
        even, odd = half_rests_on_grid(d, resolved, points)
        return Modes(spectrum, ridge, even, odd, measure(d, points))

    @property
    def resolved(self) -> int:
        return len(self.even) + len(self.odd)

    @property
    def columns(self) -> int:
        """Entries of D: one for each resolved degree, one for all others if there are any."""
        return self.resolved + (self.resolved < self.spectrum.eigenvalues.size)

    def spread(self, D: Array) -> Array:
        """D at every degree of the spectrum."""
        missing = self.spectrum.eigenvalues.size - D.shape[-1]
        if not missing:
            return D
        last = np.repeat(D[..., -1:], missing, axis=-1)
        return np.concatenate([D, last], axis=-1)

    def gathered(self, values: Array) -> Array:
        """The sum over the degrees that share a column."""
        found = values[..., : self.columns].copy()
        if self.columns > self.resolved:
            found[..., -1] = np.sum(values[..., self.resolved :], axis=-1)
        return found

    def gap(self, values: Array) -> Array:
        """sum_l deg_l values_l (1 - P_l(t)) at the nodes; beyond the resolved degrees P_l is 0."""
        weighted = self.spectrum.counts * values
        beyond = np.sum(weighted[..., self.resolved :], axis=-1, keepdims=True)
        turning = weighted[..., 1 : self.resolved : 2]  # of odd degrees: P_l(-t) = -P_l(t)
        even, odd = weighted[..., : self.resolved : 2] @ self.even + beyond, turning @ self.odd
        found = np.empty((*even.shape[:-1], self.weights.size))
        half = even.shape[-1]
        found[..., :half] = even + odd
        found[..., : half - 1 : -1] = even + (2 * np.sum(turning, axis=-1, keepdims=True) - odd)
        return found

    def projected(self, values: Array) -> Array:
        """The sum over the nodes of (1 - P_l) values, one for each column."""
        half = self.even.shape[-1]
        near, far = values[..., :half], values[..., : half - 1 : -1]
        found = np.empty((*values.shape[:-1], self.columns))
        both, back = near + far, 2 * np.sum(far, axis=-1, keepdims=True)
        found[..., : self.resolved : 2] = both @ self.even.T
        found[..., 1 : self.resolved : 2] = (near - far) @ self.odd.T + back
        if self.columns > self.resolved:
            found[..., -1] = np.sum(both, axis=-1)
        return found


@dataclass(frozen=True, eq=False)
class State:
    """The dressed propagator of some rows, and what the words are made of.

    samples (rows, 1) eta, propagator (rows, degrees) C_l, loop (rows, 1) s2 + c(1),
    gap (rows, nodes) 1 - s(t) to relative accuracy
    """

    samples: Array
    propagator: Array
    loop: Array
    gap: Array

    @staticmethod
    def at(modes: Modes, samples: Array, D: Array) -> "State":
        lam = modes.spectrum.eigenvalues
        C = lam / (1 + lam * modes.spread(D))
        loop = modes.ridge + np.sum(modes.spectrum.counts * C, axis=-1, keepdims=True)
        return State(samples[:, None], C, loop, (modes.ridge + modes.gap(C)) / loop)
