r"""Two places that hardly know of each other: the first words between them.

The equation for a pair (see `sites`) expanded in C_xy. With G the propagator of one place alone, of
mean E[G] = C_xx, the first words are x y x y, and those that lead from x back to x:

.. math:: S_{xy} = - \phi_x \phi_y C_{xy}^3, \qquad S_{xx} \mathrel{+}= \psi_x \phi_y C_{xy}^4

.. math:: \phi = \frac{E[G^2] - C_{xx}^2}{C_{xx}^4}, \qquad
          \psi = \frac{1}{C_{xx}^3} \Bigl( \frac{2 E[G^2]}{C_{xx}^2} - 1
                 - \frac{E[G^3]}{C_{xx} E[G^2]} \Bigr)

each up to the square of the cosine C_xy / sqrt(C_xx C_yy), relative.
"""

from dataclasses import dataclass

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.points.states import States


@dataclass(frozen=True, eq=False)
class Visits:
    """(points,) phi and psi, and their derivatives by C_xx and by the source."""

    phi: Array
    psi: Array
    phi_slopes: tuple[Array, Array]
    psi_slopes: tuple[Array, Array]

    @staticmethod
    def of(own: Array, alone: Array, states: States, slopes: tuple[Array, Array]) -> "Visits":
        """own C_xx; alone, slopes: a_x and its derivatives by C_xx and by the source."""
        below = states.v + states.u * alone
        each, kick = states.u / below, states.kick / below**2
        second, third, fourth = (np.sum(states.share * each**n, axis=0) for n in (2, 3, 4))
        phi, ratio = (second - own**2) / own**4, third / (own * second)
        psi = (2 * second / own**2 - 1 - ratio) / own**3
        found = []
        for slope, moved in zip(slopes, (1.0, 0.0), strict=True):
            # G^n moves by - n G^(n+1) when a does; without a move of C_xx it is the source
            kicked = [
                (1 - moved) * n * np.sum(states.share * kick * each ** (n - 1), axis=0)
                for n in (2, 3)
            ]
            of_second = -2 * third * slope + kicked[0]
            of_third = -3 * fourth * slope + kicked[1]
            of_phi = (of_second - 2 * own * moved) / own**4 - 4 * moved * phi / own
            of_ratio = of_third / (own * second) - ratio * (of_second / second + moved / own)
            of_psi = 2 * of_second / own**2 - 4 * moved * second / own**3 - of_ratio
            found.append((of_phi, of_psi / own**3 - 3 * moved * psi / own))
        (phi_own, psi_own), (phi_source, psi_source) = found
        return Visits(phi, psi, (phi_own, phi_source), (psi_own, psi_source))

    def words(self, far: Array) -> tuple[Array, Array]:
        """S_xy, and the part of S_xx, of the propagator between places that are far."""
        square = far * far
        apart = -self.phi[:, None] * self.phi * (square * far)
        return apart, self.psi * ((square * square) @ self.phi)

    def slopes(self, far: Array) -> tuple[Array, ...]:
        """Of S_xy by C_xy, C_xx and the source; of the part of S_xx by C_xy, C_yy, C_xx and the
        source."""
        phi, psi, square = self.phi, self.psi, far * far
        cube, fourth = square * far, square * square
        by_mine, by_source = (slope[:, None] * phi * -cube for slope in self.phi_slopes)
        loop = fourth @ phi
        return (
            -3 * phi[:, None] * phi * square,
            by_mine,
            by_source + by_source.T,
            4 * psi[:, None] * phi * cube,
            psi[:, None] * self.phi_slopes[0] * fourth,
            self.psi_slopes[0] * loop,
            self.psi_slopes[1] * loop + psi * (fourth @ self.phi_slopes[1]),
        )
