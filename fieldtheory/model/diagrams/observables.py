"""Certainty, dimension, fit and evidence with crossing diagrams on the sphere: see
`planar.observables` for what they are, and `evidence` for their determinant.

Each average is known in successive orders, planar and with words of two and of three samples, and
how far the last is off follows from their gaps, as for the error (`continued`): what noise adds on
its own, for it goes the other way.
"""

from dataclasses import dataclass

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.diagrams import continued, neglected
from fieldtheory.model.diagrams.crossing import Solution, solve
from fieldtheory.model.diagrams.evidence import log_determinant, trace, trace_slope
from fieldtheory.model.diagrams.fixed import pieces
from fieldtheory.model.observed import FIELDS, Observables
from fieldtheory.model.planar.equation import effective_ridge
from fieldtheory.model.planar.observables import checked, observables, roughly
from fieldtheory.model.spectrum import Spectrum

SMOOTH = 4  # from this dimension on, two samples that coincide do not make tr A infinite
NEAR = np.log(3.0)  # crossing diagrams may change the posterior variance by
TAMED = 0.3  # the part of it that the second order from Poisson to fixed may be
FAR = 100.0  # gaps to which logarithms are straight lines
PARTS = (0, 1, 2, 2, 3, 3, 4)  # of FIELDS: residuals and fit of the target, and of the noise
ONTO = np.eye(len(FIELDS))[list(PARTS)]


def crossed(
    solution: Solution, power: Array, ridge: float, noise: float, *, outputs: int = 1
) -> Observables:
    """The same averages with crossing diagrams, over a Poisson number of samples of mean eta.

    `train_error` is the sum of all squared residuals over eta.

    solution  of `crossing.solve`, for `ridge` plus the tail of its spectrum
    ridge, power, noise, outputs  as in `observables`

    Raises `OutOfRegime` for noisy labels without any ridge in three dimensions and fewer: there two
    samples that nearly coincide make tr A infinite.

    >>> from fieldtheory.model.diagrams.crossing import solve
    >>> from fieldtheory.model.spectrum import Spectrum
    >>> line, N = Spectrum.of([0.5, 0.1, 0.02], dimension=4), np.array([20.0])
    >>> found = crossed(solve(line, N, ridge=0.1), np.array([0, 1.0, 0]), 0.1, 0.0)
    >>> round(float(found.posterior_variance[0]), 4), round(float(found.train_error[0]), 4)
    (0.1196, 0.0034)
    """
    spectrum, w = solution.modes.spectrum, solution.modes.ridge
    N, G, s2, noise = checked(spectrum, power, solution.samples, ridge, noise)
    if s2 > w:
        raise InvalidInput(f"ridge = {s2:g}: the solution was found for {w:g}, tail included")
    _refuse_singular(spectrum, w, noise)
    sums = _parts(solution, G, s2, noise) @ ONTO
    return Observables.of(N, sums, outputs=outputs, method="crossing")


def _refuse_singular(spectrum: Spectrum, w: float, noise: float) -> None:
    if noise and w == 0 and spectrum.dimension < SMOOTH:
        raise OutOfRegime(
            f"label noise {noise:g} without a ridge in dimension {spectrum.dimension}: samples "
            "that nearly coincide fit it infinitely hard. Pass a ridge > 0"
        )


def _parts(solution: Solution, G: Array, s2: float, noise: float) -> Array:
    """(sizes, PARTS) averages of a Poisson number of samples."""
    spectrum, left = solution.modes.spectrum, solution.residual_share
    lam, deg = spectrum.eigenvalues, spectrum.counts
    D, own = solution.modes.spread(solution.self_energy), trace(solution)
    moved = solution.answer(np.zeros_like(left), ridge=1.0)  # dD/ds2
    columns = (
        solution.posterior_variance + spectrum.tail,
        np.sum(deg * lam * D * left, axis=-1) + spectrum.tail * own,
        -(s2**2) * np.sum(G * left**2 * moved, axis=-1),
        -(s2**2) * noise * trace_slope(solution, moved),
        np.sum(G * D * left, axis=-1),
        noise * own,
        log_determinant(solution),
    )
    return np.stack(columns, axis=1)


def crossed_curve(
    spectrum: Spectrum,
    power: Array,
    samples: Array,
    ridge: float,
    noise: float,
    *,
    clusters: int = 2,
    ensemble: str = "fixed",
    outputs: int = 1,
) -> Observables:
    """The averages with crossing diagrams along a whole curve, at a fixed number of samples.

    Every average is linear in the ensemble, the sum of squared residuals included, so that `fixed`
    takes them from a Poisson to a fixed number. Sizes where the crossing diagrams have no solution,
    or none near the planar one, keep their planar averages.

    Uncertainties: all higher orders, from the gaps of those at hand, and the second order from a
    Poisson to a fixed number.

    clusters  samples in the largest crossing diagrams, 2 or 3
    ensemble  "fixed" number of samples, or "poisson"
    ridge, power, noise, outputs  as in `observables`

    Raises as `observables` and `crossed`.

    >>> from fieldtheory.model.spectrum import Spectrum
    >>> line, N = Spectrum.of([0.5, 0.1, 0.02], dimension=4), np.array([10.0, 20.0])
    >>> crossed_curve(line, np.array([0, 1.0, 0]), N, 0.1, 0.0).posterior_variance.round(4).tolist()
    [0.2544, 0.1109]
    """
    plain = observables(spectrum, power, samples, ridge, noise, outputs=outputs)
    fixed = checks.choice("ensemble", ensemble, ("fixed", "poisson")) == "fixed"
    kappa = effective_ridge(spectrum, plain.samples, ridge + spectrum.tail)
    share = 2 * np.abs(neglected.crossing(spectrum, power, plain.samples, kappa))
    rough = roughly(plain, spectrum, power, ridge, noise, share)
    _refuse_singular(spectrum, ridge + spectrum.tail, noise)
    if checks.count("clusters", clusters) not in (2, 3):
        raise InvalidInput(
            f"clusters = {clusters}: crossing diagrams are summed for 2 or 3 samples"
        )
    asked = _Asked(spectrum, power, ridge, noise, clusters)
    N, found, doubt = plain.samples, plain.sums, rough.doubts
    for curve, inside in pieces(asked.rows, N, asked.most):
        values, second = curve.fixed(N[inside]) if fixed else (curve.poisson(N[inside]), 0.0)
        orders = np.moveaxis(values.reshape(len(values), clusters, len(PARTS)), 0, 1)
        shift = (second + 0 * values)[:, : len(PARTS)]
        tame = np.abs(shift[:, 0]) < TAMED * orders[0, :, 0]
        chosen = np.flatnonzero(inside)[tame]
        found[chosen] = orders[0, tame] @ ONTO
        more = _left(orders[::-1], spectrum.dimension) + np.abs(shift)
        doubt[chosen] = more[tame] @ ONTO
    return Observables.of(N, found, doubt, outputs=outputs, method="crossing")


def _left(orders: Array, dimension: int) -> Array:
    """(sizes, PARTS) size of all higher orders, from (2 or 3, sizes, PARTS) rising ones."""
    gaps = np.max(np.abs(np.diff(orders, axis=0)), axis=0)
    scale = np.where(gaps > 0, gaps, 1) * FAR
    # in units in which gaps are small logarithms it does not matter whether all are positive
    relative = np.exp((orders - orders[0]) / scale)
    more = continued.left(relative, dimension)
    if len(orders) == 3:
        more = more + np.abs(continued.rest(relative))
    return np.asarray(more * scale)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is asked at any mean number of samples."""

    spectrum: Spectrum
    power: Array
    ridge: float
    noise: float
    clusters: int

    @property
    def most(self) -> float:
        """A mean that has no solution."""
        spectrum = self.spectrum
        modes = float(np.sum(spectrum.counts[spectrum.eigenvalues > 0]))
        return modes if self.ridge + spectrum.tail == 0 else np.inf

    def rows(self, eta: Array, start: Array | None) -> tuple[Array, Array]:
        """All orders, the last one first, (sizes, orders PARTS), and their self-energies; NaN where
        there is no solution."""
        try:
            return self._rows(eta, start)
        except OutOfRegime:
            if len(eta) == 1:
                width = self.clusters * len(PARTS)
                return np.full((1, width), np.nan), np.full((1, 1), np.nan)
        found = [self.rows(eta[i : i + 1], None) for i in range(len(eta))]
        values, solutions = (list(part) for part in zip(*found, strict=True))
        size = max(part.shape[1] for part in solutions)
        solutions = [
            part if part.shape[1] == size else np.full((1, size), np.nan) for part in solutions
        ]
        return np.vstack(values), np.vstack(solutions)

    def _rows(self, eta: Array, start: Array | None) -> tuple[Array, Array]:
        starts = [None] * 2 if start is None else np.split(start, self.clusters - 1, axis=1)
        found = [solve(self.spectrum, eta, self.ridge + self.spectrum.tail, start=starts[0])]
        if self.clusters == 3:
            found = [found[0].with_thirds(starts[1]), *found]
        question = self.power, self.ridge, self.noise
        planar = self._planar(eta)
        values = [*(_parts(solution, *question) for solution in found), planar]
        far = np.abs(np.log(values[0][:, 0] / planar[:, 0])) > NEAR
        solutions = np.hstack([solution.self_energy for solution in reversed(found)])
        return np.where(far[:, None], np.nan, np.hstack(values)), solutions

    def _planar(self, eta: Array) -> Array:
        target, noise = (
            observables(self.spectrum, power, eta, self.ridge, variance).sums
            for power, variance in ((self.power, 0.0), (0 * self.power, self.noise))
        )
        columns = [target[:, :3], noise[:, 2:3], target[:, 3:4], noise[:, 3:4], target[:, 4:]]
        return np.hstack(columns)
