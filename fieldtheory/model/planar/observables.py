r"""What else a regression shows besides its test error: certainty, dimension, fit, evidence.

Everything here is one number for each number of samples, and follows from averages of the one
matrix A = (K + s2)^-1 of the training inputs:

.. math:: \mathrm{tr}\,A, \qquad y^T A y, \qquad \log\det (K + s_2)

In the exact theory the propagator C holds two of them. With D the self-energy, C = lam/(1 + lam D),

.. math:: \langle y^T A y \rangle = \sum_i \frac{G_i D_i}{1 + \lambda_i D_i} + \nu \langle tr A
          \rangle, \qquad s_2 \langle tr A \rangle = N - \sum_i \Bigl(1 - \frac{C_i}{\lambda_i}
          \Bigr), \qquad \langle tr A \rangle = \partial_{s_2} \langle \log\det (K + s_2) \rangle

and the training error is - s2^2 d/ds2 of the first. In the planar theory D = 1/kappa. Crossing
diagrams change D; log det is then the value of the functional whose derivative D is.

Symbols: lam eigenvalue, deg multiplicity, G power of the target, nu variance of the labels' noise,
s2 ridge, w ridge and tail together, t1 = 1/(w + c(1)).
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured
from fieldtheory.ground.version import __version__
from fieldtheory.model.diagrams.crossing import Solution, solve
from fieldtheory.model.diagrams.evidence import log_determinant, trace, trace_slope
from fieldtheory.model.diagrams.fixed import pieces
from fieldtheory.model.modes import Spectral, aligned
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.spectrum import Spectrum

SMOOTH = 4  # from this dimension on, two samples that coincide do not make tr A infinite
NEAR = np.log(3.0)  # crossing diagrams may change the posterior variance by
TAMED = 0.3  # the part of it that the second order from Poisson to fixed may be
FIELDS = ("posterior_variance", "effective_dimension", "train_error", "data_fit", "log_determinant")
RESIDUALS = FIELDS.index("train_error")


@dataclass(frozen=True, eq=False)
class Observables(Pictured):
    r"""Averages over training sets, at each number of samples.

    samples              (sizes,) N
    posterior_variance   (sizes,) mean variance of the Gaussian process at a test point, given data
    effective_dimension  (sizes,) tr K (K + s2)^-1: how many parameters the data have fixed
    train_error          (sizes,) mean squared residual at the noisy labels of the training set
    data_fit             (sizes,) y^T (K + s2)^-1 y
    log_determinant      (sizes,) log det (K + s2)
    outputs              columns of labels, each a Gaussian process of its own; power, noise, fit
                         and train error are sums over them
    method               of the averages: "planar" or "crossing"

    Raises `InvalidInput` for lists of different length and for numbers that are not finite.
    """

    samples: Array
    posterior_variance: Array
    effective_dimension: Array
    train_error: Array
    data_fit: Array
    log_determinant: Array
    outputs: int = 1
    method: str = "planar"
    version: str = __version__

    def __post_init__(self) -> None:
        checks.count("outputs", self.outputs, least=1)
        for name in ("samples", *FIELDS):
            array = frozen(getattr(self, name))
            if array.shape != self.samples.shape or not np.all(np.isfinite(array)):
                raise InvalidInput(
                    f"{name} has shape {array.shape} or is not finite: give one finite number for "
                    f"each of {self.samples.size} sizes"
                )
            object.__setattr__(self, name, array)

    @property
    def log_evidence(self) -> Array:
        r"""(sizes,) mean log probability density of a training set's labels.

        .. math:: -\tfrac12 y^T A y - \tfrac12 \log\det(K + s_2) - \tfrac N2 \log 2\pi
        """
        volume = self.log_determinant + self.samples * np.log(2 * np.pi)
        return np.asarray(-(self.data_fit + self.outputs * volume) / 2)

    @property
    def columns(self) -> dict[str, Array]:
        """What a learning curve shows, by name: (sizes,) each."""
        return {name: getattr(self, name) for name in (*FIELDS[:3], "log_evidence")}

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "samples": self.samples.tolist(),
            **{name: getattr(self, name).tolist() for name in FIELDS},
            "log_evidence": self.log_evidence.tolist(),
            "outputs": self.outputs,
            "method": self.method,
            "version": self.version,
        }

    def picture(self) -> Picture:
        """Posterior variance, training error and the share of the samples that is used up."""
        lines = (
            Line("posterior variance", self.samples, self.posterior_variance),
            Line("train error", self.samples, self.train_error),
            Line("effective dimension / samples", self.samples, self._used),
        )
        return Picture(f"observables, {self.method}", "samples", "", lines, logarithmic=("x",))

    @property
    def _used(self) -> Array:
        return np.asarray(self.effective_dimension / self.samples)

    def _rows(self) -> list[tuple[str, ...]]:
        columns = self.columns
        rows = [("samples", *(name.replace("_", " ") for name in columns))]
        for i, n in enumerate(self.samples):
            rows.append((f"{n:.6g}", *(f"{column[i]:.5g}" for column in columns.values())))
        return rows

    def __str__(self) -> str:
        return "\n".join([f"observables, {self.method}", *aligned(self._rows())])

    def _repr_html_(self) -> str:
        head, *body = self._rows()
        top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        lines = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body
        )
        title = f"<p>observables, {escape(self.method)}</p>"
        return f"{title}<table><tr>{top}</tr>{lines}</table>"


# -- planar ---------------------------------------------------------------------------------------


def observables(
    spectrum: Spectral,
    power: Array,
    samples: Array,
    ridge: float,
    noise: float,
    *,
    outputs: int = 1,
) -> Observables:
    r"""The planar averages, from the effective ridge kappa.

    .. math:: \text{posterior variance} = N\kappa - s_2, \quad
              \text{effective dimension} = N - \frac{s_2}{\kappa}, \quad
              \text{train error} = \Bigl(\frac{s_2}{N\kappa}\Bigr)^2 (E + \nu)

    .. math:: \langle y^T A y \rangle = \sum_i \frac{G_i}{\lambda_i + \kappa} + \frac\nu\kappa,
              \qquad \langle \log\det(K + s_2) \rangle = \sum_i \log\Bigl(1 +
              \frac{\lambda_i}{\kappa}\Bigr) + N \log N\kappa - N + \frac w\kappa

    E is the test error. The last line is the one whose derivative in s2 is tr A = 1/kappa, and
    which is N log s2 for a large ridge.

    power    (kinds,) of the target in each kind of mode, summed over its outputs
    samples  (sizes,) N
    ridge    the task's own, also the noise variance the Gaussian process assumes; the tail of the
             spectrum is added here
    noise    variance of the labels' noise, summed over outputs

    Raises `InvalidInput` for a power of another length than the spectrum and for negative numbers,
    `OutOfRegime` without a ridge at or beyond the number of modes.

    >>> from fieldtheory.model.modes import Modes
    >>> found = observables(Modes.of([1.0]), np.array([1.0]), np.array([2.0]), 1.0, 0.0)
    >>> print(found)
    observables, planar
    samples  posterior variance  effective dimension  train error  log evidence
          2             0.41421              0.58579      0.10355       -2.6251
    """
    N, G, s2, noise = _checked(spectrum, power, samples, ridge, noise)
    w = s2 + spectrum.tail
    lam, deg = spectrum.eigenvalues, spectrum.counts
    kappa = effective_ridge(spectrum, N, w)
    share = lam / (lam + kappa[:, None])
    dimension = np.sum(deg * share, axis=-1)
    bias, variance = mode_errors(spectrum, G, N, kappa, noise)
    risk = np.sum(bias + variance, axis=-1) + noise
    fit = np.sum(G / (lam + kappa[:, None]), axis=-1) + noise / kappa
    logs = np.sum(deg * np.log1p(lam / kappa[:, None]), axis=-1)
    return Observables(
        N,
        # N kappa - s2 and N - s2/kappa, without the difference of two near numbers
        kappa * dimension + spectrum.tail,
        dimension + spectrum.tail / kappa,
        (s2 / (N * kappa)) ** 2 * risk,
        fit,
        logs + N * np.log(N * kappa) - dimension,
        outputs,
    )


def certainty(
    spectrum: Spectral, samples: Array, learnability: Array, ridge: float
) -> tuple[Array, Array]:
    r"""Posterior variance and effective dimension, from what the mean predictor has learnt.

    .. math:: \text{posterior variance} = \sum_i \deg_i \lambda_i (1 - L_i), \qquad
              \text{effective dimension} = \sum_i \deg_i L_i

    Exact for any fixed or random number of samples, so true of any method's L, (sizes, kinds); the
    spectrum's tail is added to both. `ridge` is the task's own.

    >>> from fieldtheory.model.modes import Modes
    >>> half = certainty(Modes.of([1.0, 0.5]), np.array([2.0]), np.array([[0.9, 0.5]]), 0.1)
    >>> [round(float(value[0]), 6) for value in half]
    [0.35, 1.4]
    """
    N, s2 = checks.powers("samples", samples), checks.variance("ridge", ridge)
    lam, deg, tail = spectrum.eigenvalues, spectrum.counts, spectrum.tail
    learnt = learnability @ deg
    beyond = (N - learnt) * (tail / (s2 + tail) if tail else 0.0)
    return np.asarray((1 - learnability) @ (deg * lam) + tail), np.asarray(learnt + beyond)


def _checked(
    spectrum: Spectral, power: Array, samples: Array, ridge: float, noise: float
) -> tuple[Array, Array, float, float]:
    N, G = checks.powers("samples", samples), checks.powers("power", power)
    if np.any(N == 0):
        raise InvalidInput("samples has an entry 0: without samples there is nothing to fit")
    if G.size != spectrum.eigenvalues.size:
        raise InvalidInput(
            f"power has {G.size} entries, the spectrum {spectrum.eigenvalues.size}: give one for "
            "each, zeros included"
        )
    return N, G, checks.variance("ridge", ridge), checks.variance("noise", noise)


# -- crossing -------------------------------------------------------------------------------------


def crossed(
    solution: Solution, power: Array, ridge: float, noise: float, *, outputs: int = 1
) -> Observables:
    """The same averages with crossing diagrams, over a Poisson number of samples of mean eta.

    `train_error` is the sum of all squared residuals over eta.

    solution  of `diagrams.crossing.solve`, for `ridge` plus the tail of its spectrum
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
    N, G, s2, noise = _checked(spectrum, power, solution.samples, ridge, noise)
    if s2 > w:
        raise InvalidInput(f"ridge = {s2:g}: the solution was found for {w:g}, tail included")
    if noise and w == 0 and spectrum.dimension < SMOOTH:
        raise OutOfRegime(
            f"label noise {noise:g} without a ridge in dimension {spectrum.dimension}: samples "
            "that nearly coincide fit it infinitely hard. Pass a ridge > 0"
        )
    lam, deg, left = spectrum.eigenvalues, spectrum.counts, solution.residual_share
    D = solution.modes.spread(solution.self_energy)
    learnt = np.sum(deg * lam * D * left, axis=-1)
    own = trace(solution)
    moved = solution.answer(np.zeros_like(left), ridge=1.0)  # dD/ds2
    slope = np.sum(G * left**2 * moved, axis=-1) + noise * trace_slope(solution, moved)
    return Observables(
        N,
        solution.posterior_variance + spectrum.tail,
        learnt + spectrum.tail * own,
        -(s2**2) * slope / N,
        np.sum(G * D * left, axis=-1) + noise * own,
        log_determinant(solution),
        outputs,
        "crossing",
    )


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
    w, N, found = ridge + spectrum.tail, plain.samples, _sums(plain)
    modes = float(np.sum(spectrum.counts[spectrum.eigenvalues > 0]))

    def rows(eta: Array, start: Array | None) -> tuple[Array, Array]:
        solution = solve(spectrum, eta, w, clusters=clusters, start=start)
        here = _sums(crossed(solution, power, ridge, noise))
        planar = _sums(observables(spectrum, power, eta, ridge, noise))
        far = np.abs(np.log(here[:, 0] / planar[:, 0])) > NEAR
        return np.where(far[:, None], np.nan, here), np.array(solution.self_energy)

    most = modes if w == 0 else np.inf
    for curve, inside in pieces(lambda *asked: _each(rows, *asked), N, most):
        values, second = curve.fixed(N[inside]) if fixed else (curve.poisson(N[inside]), 0.0)
        tame = np.abs(second + 0 * values)[:, 0] < TAMED * values[:, 0]
        found[np.flatnonzero(inside)[tame]] = values[tame]
    found[:, RESIDUALS] /= N
    C, dimension, residuals, fit, logs = found.T
    return Observables(N, C, dimension, residuals, fit, logs, outputs, "crossing")


def _sums(found: Observables) -> Array:
    """(sizes, FIELDS) what is linear in the ensemble: the residuals' sum, not their mean."""
    columns = np.array([getattr(found, name) for name in FIELDS]).T
    columns[:, RESIDUALS] *= found.samples
    return columns


def _each(
    rows: Callable[[Array, Array | None], tuple[Array, Array]], eta: Array, start: Array | None
) -> tuple[Array, Array]:
    """All rows at once; if some have no solution, one by one, with NaN for these."""
    try:
        return rows(eta, start)
    except OutOfRegime:
        if len(eta) == 1:
            return np.full((1, len(FIELDS)), np.nan), np.full((1, 1), np.nan)
    found = [_each(rows, eta[i : i + 1], None) for i in range(len(eta))]
    values, solutions = (list(part) for part in zip(*found, strict=True))
    size = max(part.shape[1] for part in solutions)
    solutions = [
        part if part.shape[1] == size else np.full((1, size), np.nan) for part in solutions
    ]
    return np.vstack(values), np.vstack(solutions)
