r"""Two places that hardly know of each other: the first words between them.

With G the propagator of one place alone (see `sites`), of mean C_xx, what a place adds to each visit
is t = (C_xx - G)/C_xx^2, of mean zero. A place that is visited once drops out, so that the first
words between two places are x y x y, and x y x y x from a place to itself,

.. math:: S_{xy} = - \phi_x \phi_y C_{xy}^3, \qquad S_{xx} \mathrel{+}= \psi_x \phi_y C_{xy}^4,
          \qquad \phi = E[t^2], \quad \psi = E[t^3]

each up to the square of the cosine C_xy / sqrt(C_xx C_yy), relative.
"""

from dataclasses import dataclass

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.diagrams.states import States


@dataclass(frozen=True, eq=False)
class Visits:
    """(points,) phi and psi, and their derivatives by C_xx and by the source."""

    square: Array
    cube: Array
    square_slopes: tuple[Array, Array]
    cube_slopes: tuple[Array, Array]

    @staticmethod
    def of(own: Array, alone: Array, states: States, slopes: tuple[Array, Array]) -> "Visits":
        """own C_xx; alone, slopes: a_x and its derivatives by C_xx and by the source."""
        below = states.v + states.u * alone
        each = states.u / below
        X = [np.sum(states.share * each**k, axis=0) for k in range(5)]
        kick = states.share * states.kick / below**2
        kicks = [k * np.sum(kick * each ** (k - 1), axis=0) for k in (2, 3)]
        spread = X[2] - own**2
        skew = X[3] - 3 * own * X[2] + 2 * own**3
        square, cube = spread / own**4, -skew / own**6
        found = []
        for k, (slope, moved) in enumerate(zip(slopes, (1.0, 0.0), strict=True)):
            # G^n moves by - n G^(n+1) when a does
            second = -2 * X[3] * slope + k * kicks[0]
            third = -3 * X[4] * slope + k * kicks[1]
            wider = (second - 2 * own * moved) / own**4 - moved * 4 * square / own
            turned = third - 3 * own * second - 3 * moved * X[2] + 6 * own**2 * moved
            found.append((wider, -turned / own**6 - moved * 6 * cube / own))
        (wide, steep), (wide_source, steep_source) = found
        return Visits(square, cube, (wide, wide_source), (steep, steep_source))

    def words(self, far: Array) -> tuple[Array, Array]:
        """S_xy, and the part of S_xx, of the propagator between places that are far."""
        phi, square = self.square, far * far
        apart = -phi[:, None] * phi * (square * far)
        return apart, self.cube * ((square * square) @ phi)

    def slopes(self, far: Array) -> tuple[Array, ...]:
        """Of S_xy by C_xy, C_xx and the source; of the part of S_xx by C_xy, C_yy, C_xx and the
        source."""
        phi, psi, square = self.square, self.cube, far * far
        cube, fourth = square * far, square * square
        by_mine, by_source = (slope[:, None] * phi * -cube for slope in self.square_slopes)
        loop = fourth @ phi
        return (
            -3 * phi[:, None] * phi * square,
            by_mine,
            by_source + by_source.T,
            4 * psi[:, None] * phi * cube,
            psi[:, None] * self.square_slopes[0] * fourth,
            self.cube_slopes[0] * loop,
            self.cube_slopes[1] * loop + psi * (fourth @ self.square_slopes[1]),
        )
