r"""The planar theory on many spectra stacked: errors, how they move, and what to doubt.

With :math:`r = \text{error} + \text{noise}` and :math:`\gamma` the overfitting coefficient, the
root moves by the implicit function theorem and the error follows:

.. math:: d\kappa = \frac{\sum_l \deg_l (1 - L_l)^2 \, d\lambda_l + ds_2}{N (1 - \gamma)}, \qquad
          d\,\text{error} = \frac{2}{1 - \gamma} \sum_l
          \Bigl[ \frac{r}{N} \deg_l L_l - G_l (1 - L_l) \Bigr] dL_l

Source of the planar error: Canatar, Bordelon, Pehlevan 2021; its derivative is worked out here.
"""

from typing import NamedTuple

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.batch import Spectra
from fieldtheory.model.diagrams import neglected
from fieldtheory.model.measures.sphere import multiplicity
from fieldtheory.model.planar import equation as planar
from fieldtheory.model.spectrum import RESOLVED, Spectrum
from fieldtheory.model.task import Task

PARTS = 3  # of a gradient: the two variances and the ridge
UNSURE = 0.3  # relative doubt of first order beyond which it is not to be trusted itself
Refusal = tuple[int, int, str]  # number of the network, samples, reason


class Stack(NamedTuple):
    """Spectra as the planar theory takes them: (networks, degrees), resolved or zero."""

    eigenvalues: Array
    errors: Array
    counts: Array
    trace: Array
    rounding: Array  # of the tail, as a difference
    tail: Array
    tail_eigenvalue: Array
    hidden: Array  # a bound on what an eigenvalue that was not resolved may be
    slopes: Array  # (networks, degrees, 2)
    trace_slopes: Array  # (networks, 2)

    @staticmethod
    def of(found: Spectra) -> "Stack":
        """Keep what is resolved; the rest of the trace is the tail."""
        degrees = found.eigenvalues.shape[1]
        deg = np.array([float(multiplicity(found.dimension, l)) for l in range(degrees)])
        seen = found.errors <= RESOLVED * found.eigenvalues
        lam, errors = np.where(seen, found.eigenvalues, 0.0), np.where(seen, found.errors, 0.0)
        rest = found.traces - lam @ deg
        rounding = 8 * np.finfo(float).eps * found.traces
        tail = np.where(rest > rounding + errors @ deg, rest, 0.0)
        most = np.minimum(found.eigenvalues + found.errors, found.traces[:, None] / deg)
        spare = np.maximum(rest + rounding, 0.0)[:, None]
        hidden = np.where(seen, 0.0, np.minimum(most, spare / deg))
        beyond = tail / float(multiplicity(found.dimension, degrees))
        slopes, top_slopes = np.zeros((*lam.shape, 2)), np.zeros((len(lam), 2))
        if found.gradients is not None and found.trace_gradients is not None:
            slopes = np.where(seen[..., None], found.gradients, 0.0)
            top_slopes = found.trace_gradients
        largest = np.maximum(np.max(hidden, axis=1), beyond)
        variances = found.traces, rounding, tail
        return Stack(lam, errors, deg, *variances, largest, hidden, slopes, top_slopes)

    def part(self, rows: slice) -> "Stack":
        """Some of the networks."""
        return Stack(*(a if a is self.counts else a[rows] for a in self))


def padded(task: Task, degrees: int) -> Array:
    """Power of the target at every degree listed."""
    power = task.function.power
    return np.concatenate([power, np.zeros(degrees - power.size)])


REASONS = (
    "samples = {samples:.0f} with ridge 0 and only {modes:.0f} modes: the data fix every mode and "
    "no effective ridge exists. Pass a ridge > 0 or fewer samples",
    "samples = {samples:.0f}: the effective ridge leaves the range whose squares float64 holds. "
    "Pass a larger ridge",
    "samples = {samples:.0f}: the fast spectrum does not resolve what is learnt here. Ask predict "
    "for this one; a very deep network forgets its inputs: reduce the depth, or move towards "
    "criticality",
)


class Answer(NamedTuple):
    """What is found, networks first, then sizes."""

    bias: Array
    variance: Array
    kappa: Array
    uncertainty: Array
    gradient: Array
    refused: Array  # 0 answered, else 1 + the number of the reason

    @staticmethod
    def none(networks: int, sizes: int) -> "Answer":
        """Nothing answered yet."""
        lost, zero = np.full((3, networks, sizes), np.inf), np.zeros((networks, sizes))
        gradient = np.zeros((networks, sizes, PARTS))
        return Answer(lost[0], lost[1], zero, lost[2], gradient, zero.astype(int))

    def put(self, numbers: range, part: "Answer") -> None:
        """Fill the rows of some networks."""
        for whole, rows in zip(self, part, strict=True):
            whole[numbers.start : numbers.stop] = rows

    def refusals(self, numbers: range, sizes: Array, batch: Stack) -> list[Refusal]:
        """Why some of the networks have no answer at some of the sizes."""
        refused = self.refused[numbers.start : numbers.stop]
        modes, found = planar.modes_of(batch.eigenvalues, batch.counts), []
        for row, s in np.argwhere(refused > 0):
            reason = REASONS[int(refused[row, s]) - 1].format(samples=sizes[s], modes=modes[row])
            found.append((numbers[int(row)], int(sizes[s]), reason))
        return found


def errors(batch: Stack, task: Task, sizes: Array) -> Answer:
    """Planar errors, their gradients and what the spectra leave in doubt, at (sizes,) samples."""
    lam, deg, noise = batch.eigenvalues, batch.counts, task.noise * task.outputs
    power = padded(task, deg.size)
    ridge = task.ridge + batch.tail
    modes = planar.modes_of(lam, deg)[:, None]
    overfull = (ridge[:, None] == 0) & (sizes >= modes)
    N = np.where(overfull, 0.5, sizes)  # any number that has a root: the answer is struck out below
    ridge = np.where(np.all(lam == 0, axis=1) & (ridge == 0), 1.0, ridge)
    kappa = planar.solve(lam, deg, N, ridge)
    outside = planar.beyond_floats(kappa)
    kappa = np.where(outside, 1.0, kappa)
    split = planar.Fractions.of(lam, kappa)
    bias = np.sum(split.bias(power), axis=-1)
    whole = (bias + noise) / planar.unspent(lam, deg, N, kappa)
    variance = whole * np.sum(split.spread(deg, N), axis=-1)
    error = bias + variance
    with np.errstate(all="ignore"):  # what is not finite is refused below
        slope = _slope(batch, power, N, kappa, whole)
        gradient = slope.gradient(batch)
        doubt = _truncation(batch, power, N, kappa, whole)
        doubt += np.sum(np.abs(slope.net) * batch.errors[:, None, :], axis=-1)
        doubt += np.abs(slope.ridge) * batch.rounding[:, None]
    outside = outside | ~np.isfinite(np.sum(gradient, axis=-1) + error + doubt)
    refused = np.where(doubt > UNSURE * error, 3, 0)
    refused = np.where(overfull, np.where(modes > 1, 1, 3), np.where(outside, 2, refused))
    bad = refused > 0
    return Answer(
        np.where(bad, np.inf, bias),
        np.where(bad, np.inf, variance),
        np.where(bad, 0.0, kappa),
        np.where(bad, np.inf, doubt),
        np.where(bad[..., None], 0.0, gradient),
        refused,
    )


class _Slope(NamedTuple):
    """How the error moves, (networks, sizes, degrees) and (networks, sizes)."""

    net: Array  # by an eigenvalue, what it gains taken from the tail
    ridge: Array

    def gradient(self, batch: Stack) -> Array:
        """(networks, sizes, 3) by the two variances and the ridge."""
        moved = np.einsum("nsl,nlp->nsp", self.net, batch.slopes)
        kept = np.where(batch.tail[:, None] > 0, self.ridge, 0.0)  # the tail is part of the trace
        moved += kept[..., None] * batch.trace_slopes[:, None, :]
        return np.concatenate([moved, self.ridge[..., None]], axis=-1)


def _slope(batch: Stack, power: Array, N: Array, kappa: Array, whole: Array) -> _Slope:
    """The derivative at the head of this file, by each eigenvalue and by the ridge."""
    lam, deg, k = batch.eigenvalues[:, None, :], batch.counts, kappa[..., None]
    learnt, missing = planar.Fractions.of(batch.eigenvalues, kappa)
    rest = planar.unspent(batch.eigenvalues, deg, N, kappa)
    pull = whole[..., None] * deg * learnt / np.expand_dims(N, -1) - power * missing
    pull *= 2 / rest[..., None] / (lam + k)  # by L_l, and what L_l moves by
    ridge = -np.sum(pull * learnt, axis=-1) / (N * rest)
    # through kappa; (1 - L)^2 - 1 where the tail loses what the eigenvalue gains
    tailed = (batch.tail > 0)[:, None, None]
    net = np.where(tailed, -learnt * (1 + missing), missing**2)
    return _Slope(pull * missing + ridge[..., None] * deg * net, ridge)


def _truncation(batch: Stack, power: Array, N: Array, kappa: Array, risk: Array) -> Array:
    """What the tail does beyond being a ridge: a mode of it counts lam kappa / (lam + kappa), not
    lam, in N kappa, and fits some noise, lam^2 / (lam + kappa)^2 in N gamma; and what power there
    may be learnt of degrees that are not resolved."""
    share = np.minimum(batch.tail_eigenvalue[:, None] / kappa, 1)
    spent = 2 * batch.tail[:, None] * share / (N * kappa)
    hidden = np.minimum(batch.hidden[:, None, :] / kappa[..., None], 1)
    found: Array = risk * spent + 2 * np.sum(power * hidden, axis=-1)
    return found


def crossing(batch: Stack, found: Answer, numbers: range, task: Task, sizes: Array) -> Array:
    """(networks, sizes) what crossing diagrams would add, one network after the other; infinite
    where their own estimate breaks down."""
    added, power = np.zeros((len(numbers), sizes.size)), padded(task, batch.counts.size)
    for row, n in enumerate(numbers):
        held = np.flatnonzero(found.refused[n] == 0)
        if held.size and np.any(batch.eigenvalues[row] > 0):
            lam, errors = batch.eigenvalues[row], batch.errors[row]
            modes = Spectrum(task.dimension, lam, errors, float(batch.trace[row]))
            with np.errstate(all="ignore"):
                change = neglected.crossing(modes, power, sizes[held], found.kappa[n, held])
                part = 2 * np.abs(change) * (found.bias + found.variance)[n, held]
            added[row, held] = np.where(np.isfinite(change), part, np.inf)
    return added
