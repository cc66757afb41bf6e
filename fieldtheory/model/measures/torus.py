r"""Circles and tori: angles x in [0, 2 pi)^D, uniform, and kernels of the difference alone.

.. math:: K(x, y) = k(x - y), \qquad
          \lambda_n = \int k(\delta) \cos(n \cdot \delta) \, \frac{d^D\delta}{(2\pi)^D}

The modes are waves; n and -n share an eigenvalue, so a wave vector that is not zero stands for two.
A circle (D = 1) is the sphere of d = 2, with k(delta) = K(cos delta). A kernel that is a product
over coordinates has the products of their eigenvalues (`torus_product`), which keep their relative
accuracy; any other is transformed on a grid (`torus_modes`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.picture import Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.measures.gram import MEMORY, affordable
from fieldtheory.model.modes import Modes

EPS = float(np.finfo(float).eps)
POINTS = 256  # of a circle, unless told otherwise
KEPT = 4096  # kinds of modes listed at most, unless told otherwise
EVEN = 1e-9  # how far k(delta) may be from k(-delta), relative
PRODUCT = "write the kernel as a product over circles, for torus_product"
COPIES = 64  # bytes for each point of a grid: the values, complex transforms, wave vectors

Waves = npt.NDArray[np.int64]
Function = Callable[[Array], Any]


@dataclass(frozen=True, eq=False)
class TorusModes(Pictured, Printed):
    """The modes of a kernel on a torus, eigenvalues falling.

    modes  eigenvalues, multiplicities (1 for the constant, 2 for a pair of waves) and tail
    waves  (kinds, D) the wave vector of each kind, the first component that is not zero positive

    >>> found = torus_modes(lambda delta: 1 + np.cos(delta[..., 0]) + np.cos(delta[..., 1]), 2)
    >>> found.modes.eigenvalues.round(12).tolist(), found.modes.multiplicities
    ([1.0, 0.5, 0.5], (1, 2, 2))
    """

    modes: Modes
    waves: Waves

    @property
    def dimension(self) -> int:
        """D."""
        return int(self.waves.shape[1])

    def power(self, function: Function, *, points: int = POINTS) -> tuple[Array, Array]:
        """The power of a function of the angles (..., D) in each kind, and an error of each.

        By a transform on `points`^D points; the error is what half as many would have changed,
        plus rounding.

        Raises `InvalidInput` for a function that is not finite or of the wrong shape, and for fewer
        points than the waves listed need.

        >>> circle = torus_modes(lambda delta: np.exp(np.cos(delta[..., 0])), 1, points=64)
        >>> power, error = circle.power(lambda x: 3 + 2 * np.cos(x[..., 0]), points=64)
        >>> power[:3].round(12).tolist()
        [9.0, 2.0, 0.0]
        """
        size = _grid_points(points, self.dimension, MEMORY)
        if 2 * int(np.max(np.abs(self.waves))) >= size // 2:
            raise InvalidInput(
                f"points = {size}: waves up to {np.max(np.abs(self.waves))} are listed; give more "
                f"than {4 * int(np.max(np.abs(self.waves)))} points"
            )
        values = _values(function, self.dimension, size)
        both = [self._power(values), self._power(values[(slice(None, None, 2),) * self.dimension])]
        rounding = 8 * EPS * np.sqrt(both[0] * float(np.mean(values**2)))
        return both[0], np.abs(both[0] - both[1]) + rounding

    def _power(self, values: Array) -> Array:
        amplitude = np.fft.fftn(values, norm="forward")[tuple(self.waves.T)]
        return np.asarray(self.modes.counts * np.abs(amplitude) ** 2)

    def to_dict(self) -> dict[str, Any]:
        """The modes as plain data, with their wave vectors."""
        return {**self.modes.to_dict(), "waves": self.waves.tolist()}

    def picture(self) -> Picture:
        """Eigenvalue, and multiplicity x eigenvalue, in the order listed."""
        return self.modes.picture()

    def __str__(self) -> str:
        return str(self.modes)


def torus_modes(
    function: Function,
    dimension: int,
    *,
    points: int = POINTS,
    kept: int = KEPT,
    memory: int = MEMORY,
    name: str = "a function of the difference",
) -> TorusModes:
    """The modes of k(x - y), by a Fourier transform on a grid.

    function  of differences of angles, shape (..., D), to values of shape (...)
    points    of the grid in each direction; waves up to a quarter of it are listed
    kept      kinds of modes at most; all others are in the tail

    The error of each eigenvalue is what half as many points would have changed, plus rounding;
    eigenvalues below it are not listed.

    Raises `InvalidInput` for a kernel that is not even, not positive or not finite, and for a grid
    that takes more than `memory` bytes.
    """
    d = checks.count("dimension", dimension, least=1)
    size, most = _grid_points(points, d, memory), checks.count("kept", kept, least=1)
    values = _values(function, d, size)
    trace = float(values[(0,) * d])
    if not trace > 0:
        raise InvalidInput(f"k(0) = {trace:g}: a kernel is positive at its origin")
    mirrored = np.roll(np.flip(values), 1, axis=tuple(range(d)))
    if np.max(np.abs(values - mirrored)) > EVEN * trace:
        raise InvalidInput("k(delta) and k(-delta) differ: a kernel is symmetric in its two inputs")
    waves = _half_space(size // 4, d)
    index = tuple(waves.T)
    lam = np.fft.fftn(values, norm="forward").real[index]
    coarse = np.fft.fftn(values[(slice(None, None, 2),) * d], norm="forward").real[index]
    errors = np.abs(lam - coarse) + 8 * EPS * np.sqrt(np.mean(values**2))
    if np.any(lam < -errors):
        worst = int(np.argmin(lam))
        raise InvalidInput(
            f"the kernel is not positive: eigenvalue {lam[worst]:.3e} at wave "
            f"{_label(waves[worst])}, points = {size}"
        )
    order = np.argsort(-lam, kind="stable")[:most]
    order = order[lam[order] > errors[order]]
    return _listed(lam[order], errors[order], waves[order], trace, name)


def torus_product(circles: Sequence[TorusModes], *, kept: int = KEPT) -> TorusModes:
    """The modes of a product of kernels, each on its own circle or torus.

    Raises `InvalidInput` for nothing to multiply, or for more combinations than memory holds.

    >>> circle = torus_modes(lambda delta: 1 + np.cos(delta[..., 0]), 1)
    >>> torus_product([circle, circle]).modes.eigenvalues.round(12).tolist()
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """
    most = checks.count("kept", kept, least=1)
    if not circles:
        raise InvalidInput("torus_product([]): give the modes of at least one circle")
    first, *rest = (_whole(each) for each in circles)
    for more in rest:
        pairs = len(first[0]) * len(more[0])
        affordable(COPIES * pairs, MEMORY, f"a product of {pairs} waves")
        lam, error = np.outer(first[0], more[0]).ravel(), np.outer(first[0], more[1])
        error = (error + np.outer(first[1], more[0])).ravel() + 2 * EPS * lam
        left = np.repeat(first[2], len(more[0]), axis=0)
        waves = np.hstack([left, np.tile(more[2], (len(first[0]), 1))])
        order = np.argsort(-lam, kind="stable")[: 2 * most]  # both signs are still listed
        first = lam[order], error[order], waves[order]
    lam, error, waves = first
    up = _leads_up(waves)
    trace = float(np.prod([each.modes.trace for each in circles]))
    name = " x ".join(each.modes.name for each in circles)
    return _listed(lam[up][:most], error[up][:most], waves[up][:most], trace, name)


def _whole(circle: TorusModes) -> tuple[Array, Array, Waves]:
    """Eigenvalues, errors and waves, with n and -n both."""
    lam, error, waves = circle.modes.eigenvalues, circle.modes.errors, circle.waves
    twice = np.any(waves != 0, axis=1)
    return (
        np.concatenate([lam, lam[twice]]),
        np.concatenate([error, error[twice]]),
        np.concatenate([waves, -waves[twice]]),
    )


def _listed(lam: Array, errors: Array, waves: Waves, trace: float, name: str) -> TorusModes:
    d = waves.shape[1]
    counts = tuple(2 if np.any(n) else 1 for n in waves)
    labels = tuple(map(_label, waves))
    measure = f"the {'circle' if d == 1 else f'{d}-torus'}"
    waves = waves.copy()
    waves.flags.writeable = False
    return TorusModes(Modes(lam, counts, trace, labels, errors, name, measure), waves)


def _label(wave: Waves) -> str:
    sign = "+-" if np.any(wave) else ""
    return f"{sign}{wave[0]}" if wave.size == 1 else f"{sign}({', '.join(map(str, wave))})"


def _half_space(reach: int, d: int) -> Waves:
    """Wave vectors with |n_i| <= reach, one of each pair n, -n; the constant first."""
    axes = np.meshgrid(*[np.arange(-reach, reach + 1)] * d, indexing="ij")
    waves: Waves = np.stack([axis.ravel() for axis in axes], axis=1).astype(np.int64)
    waves = waves[_leads_up(waves)]
    return waves[np.argsort(np.sum(waves**2, axis=1), kind="stable")]


def _leads_up(waves: Waves) -> npt.NDArray[np.bool_]:
    """Whether the first component that is not zero is positive, or none is."""
    lead = np.zeros(len(waves), dtype=np.int64)
    for column in waves.T:
        lead = np.where(lead == 0, column, lead)
    return np.asarray(lead >= 0)


def _grid_points(points: int, d: int, memory: int) -> int:
    size = checks.count("points", points, least=8)
    if size % 4:
        raise InvalidInput(f"points = {size}: give a multiple of four")
    grid = f"a grid of {size}^{d} points"
    affordable(float(COPIES) * float(size) ** d, memory, grid, PRODUCT)
    return size


def _values(function: Function, d: int, size: int) -> Array:
    line = 2 * np.pi * np.arange(size) / size
    angles = np.stack(np.meshgrid(*[line] * d, indexing="ij"), axis=-1)
    values = np.asarray(function(angles), dtype=float)
    if values.shape != (size,) * d:
        raise InvalidInput(
            f"the function gave shape {values.shape} for angles of shape {angles.shape}: it must "
            "give one value for each row of D angles"
        )
    if not np.all(np.isfinite(values)):
        raise InvalidInput("the function is not finite at every angle")
    return values
