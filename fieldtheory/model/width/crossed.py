r"""Random features beyond the planar theory, on the sphere: samples and features that cross.

Let h = f - g be the residual and p conjugate to f. N samples act on h as (1/2 s2) h(x)^2 each. The
k features, integrated over the weights that are trained, act on p in just the same way: one unit
adds (1/2k) Q^2, Q = sum_l a_l p_l Y_l at the direction of its weights. So features are samples in
the mirror. Degree l has the inverse propagator

.. math:: \begin{pmatrix} D^h_l & i\,(1 + M_l) \\ i\,(1 + M_l) & D^p_l \end{pmatrix}

and with :math:`\Delta = D^h D^p + (1 + M)^2` propagators <hh> = D^p / Delta, <pp> = D^h / Delta,
<hp> = -i (1 + M) / Delta. A sample is visited with t = 1 / (s2 + <hh>), a unit with
tau / k = 1 / (k + <QQ>), both at one point. That alone is the planar theory, but for units of
different size. Two sites visited in turn, of visits t, t' and steps v = sqrt(t t') c, add

.. math:: t\, \frac{v^4}{1 - v^2} \;\text{ (come back)}, \qquad
          -\sqrt{t t'}\, \frac{v^3}{1 - v^2} \;\text{ (end at the other)},

whatever the two are: samples, units, or one of each, for which c is imaginary and v^2 = -u. As k
goes to infinity units do nothing, and `diagrams.crossing` is left.

The error is the response of <hh> to power G_l of the target, added to D^p as G_l / deg_l, and to
label noise, added to s2: both are the minimum of the loss, answered by a source for h^2.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.diagrams.colatitude import measure, rests_on_grid
from fieldtheory.model.diagrams.solver import Rows, fixed_points
from fieldtheory.model.width.ridge import feature_ridge
from fieldtheory.model.width.zonal import PAIR_POINTS, POINTS, Zonal

STEP = 1e-3  # of the response, relative to what it changes
APART = 0.15  # of log N and log k between neighbours in a second difference
TOLERANCE = 1e-11
NONE, ONCE, ALL = range(3)  # crossing pairs: none, on planar propagators, self-consistently


class Crossed(NamedTuple):
    """The errors at one N and k.

    orders       (2,) planar with units as they are, and with crossing pairs, Poisson numbers
    fixed        (2,) what fixed numbers of samples and features change, relative, in two orders
    mode_error   (degrees,), at fixed numbers
    bias         of the mean predictor, at Poisson numbers
    learnability (degrees,) what it has learnt
    """

    orders: Array
    fixed: Array
    mode_error: Array
    bias: float
    learnability: Array

    @property
    def error(self) -> float:
        """The mean squared test error."""
        return float(self.orders[-1] * (1 + self.fixed.sum()))


class _Fields(NamedTuple):
    """D^h and D^p and 1 + M: (rows, degrees), and D^h, D^p of all that is not listed: (rows, 1)."""

    h: Array
    p: Array
    m: Array
    h_rest: Array
    p_rest: Array

    def moved(self, by: "_Fields") -> "_Fields":
        return _Fields(*(a + b for a, b in zip(self, by, strict=True)))


class _Grid(NamedTuple):
    """1 - P_l at the angles, (degrees, angles), their weights, and the multiplicities."""

    rest: Array
    weights: Array
    counts: Array

    @staticmethod
    def of(units: Zonal, points: int) -> "_Grid":
        d, degrees = units.spectrum.dimension, len(units.amplitudes)
        return _Grid(rests_on_grid(d, degrees, points), measure(d, points), units.counts)

    def projected(self, values: Array) -> Array:
        """E_t[P_l values] for values (..., angles)."""
        weighted = values * self.weights
        found: Array = np.sum(weighted, axis=-1, keepdims=True) - weighted @ self.rest.T
        return found

    def along(self, values: Array) -> Array:
        """sum_l deg_l values_l P_l(t) for values (..., degrees)."""
        each = values * self.counts
        found: Array = np.sum(each, axis=-1, keepdims=True) - each @ self.rest
        return found


@dataclass(frozen=True, eq=False)
class _Problem:
    """Rows that differ in N, k and the strength of a source.

    N, inverse  (rows, 1) samples, and one over features
    ridge       (rows, 1); source (rows, degrees) what is added to D^p
    """

    units: Zonal
    N: Array
    inverse: Array
    ridge: Array
    source: Array
    crossing: bool

    @cached_property
    def fine(self) -> "_Grid":
        return _Grid.of(self.units, POINTS)

    @cached_property
    def grid(self) -> "_Grid":
        return _Grid.of(self.units, PAIR_POINTS)

    def chosen(self, rows: Rows) -> "_Problem":
        parts = ("N", "inverse", "ridge", "source")
        return replace(self, **{name: getattr(self, name)[rows] for name in parts})

    def propagators(self, at: _Fields) -> tuple[Array, Array, Array]:
        """<hh>, <pp> and i <hp>."""
        p = at.p + self.source
        below = at.h * p + at.m**2
        return p / below, at.h / below, at.m / below

    def loops(self, at: _Fields) -> tuple[Array, Array]:
        """<hh> at one point (rows, 1), <QQ> for each kind of unit (rows, kinds)."""
        units, (hh, pp, _) = self.units, self.propagators(at)
        own = hh @ units.counts
        kinds = (pp * units.counts) @ units.amplitudes**2
        return own[:, None] + at.p_rest, kinds + at.h_rest * units.tails

    def visits(self, at: _Fields) -> tuple[Array, Array]:
        """t of a sample (rows, 1), tau of the kinds of units (rows, kinds)."""
        own, kinds = self.loops(at)
        return 1 / (self.ridge + own), 1 / (1 + self.inverse * kinds)

    def self_energy(self, at: _Fields) -> _Fields:
        """All D of the words on the propagators of `at`."""
        units, (t, tau) = self.units, self.visits(at)
        p = units.sure + (tau * units.shares) @ (units.amplitudes**2).T
        one = np.ones_like(at.h)
        rest = (tau * units.shares) @ units.tails
        found = _Fields(self.N * t * one, p, one, self.N * t, rest[:, None])
        return found.moved(self.words(at, t, tau)) if self.crossing else found

    def words(self, at: _Fields, t: Array, tau: Array) -> _Fields:
        """What pairs add: of samples, of one each, of units."""
        a, shares = self.units.amplitudes, self.units.shares
        h, h_rest = self.sample_pairs(at, t)
        _, pp, hp = self.propagators(at)
        # one sample and one unit: u = t tau <hQ>^2 / k at every angle, (rows, kinds, angles)
        across = self.grid.along(hp[:, None, :] * a.T)
        k, visit = self.inverse[:, :, None], t[:, :, None] * tau[:, :, None]
        u = k * visit * across**2
        back = (u**2 / (1 + u)) @ self.grid.weights  # (rows, kinds)
        # k times it is finite as k goes to infinity, where u is of order 1/k
        strong = (k * (visit * across**2) ** 2 / (1 + u)) @ self.grid.weights
        h_back = self.N * t * (strong @ shares)[:, None]
        ends = self.grid.projected(k * visit**2 * across**3 / (1 + u))  # (rows, kinds, degrees)
        m = -self.N * np.einsum("rjl,j,lj->rl", ends, shares, a)
        returns, ends_p = self.unit_pairs(pp, tau)
        come_back = shares * tau * (self.N * back + returns)
        p = come_back @ (a**2).T - ends_p
        return _Fields(h + h_back, p, m, h_rest + h_back, (come_back @ self.units.tails)[:, None])

    def sample_pairs(self, at: _Fields, t: Array) -> tuple[Array, Array]:
        """Both sorts of words together, as near t = 1 they nearly cancel; see `crossing`."""
        hh = self.propagators(at)[0]
        gap = (self.ridge + (hh * self.units.counts) @ self.fine.rest + at.p_rest) * t
        words = -self.N * (1 - gap) ** 3 / (gap * (2 - gap))
        both = (gap * words) @ self.fine.weights
        whole = both - words @ self.fine.weights  # of a degree whose P_l counts nowhere
        found = whole[:, None] + self.fine.projected(words)
        return self.N * t * found, self.N * t * whole[:, None]

    def unit_pairs(self, pp: Array, tau: Array) -> tuple[Array, Array]:
        """k E[v^4 / (1 - v^2)] summed over the other kind, (rows, kinds), and what is taken from
        D^p, (rows, degrees)."""
        a, shares = self.units.amplitudes, self.units.shares
        kinds = len(shares)
        returns, ends = np.zeros_like(tau), np.zeros_like(pp)
        for i in range(kinds):  # v is symmetric: half of the pairs
            j = slice(i, kinds)
            root = np.sqrt(tau[:, i : i + 1] * tau[:, j])[:, :, None]
            step = root * self.grid.along(pp[:, None, :] * a[:, i] * a[:, j].T)
            k = self.inverse[:, :, None]
            below = 1 - (k * step) ** 2
            turned = (k**3 * step**4 / below) @ self.grid.weights
            returns[:, i] += turned @ shares[j]
            returns[:, i + 1 :] += turned[:, 1:] * shares[i]
            twice = np.where(np.arange(i, kinds) == i, 1, 2) * shares[i] * shares[j]
            led = self.grid.projected(k**2 * root * step**3 / below)
            ends += np.einsum("rjl,j,lj->rl", led, twice, a[:, i : i + 1] * a[:, j])
        return returns, ends

    def answered(self, at: _Fields, by: _Fields) -> _Fields:
        """`by`, and what the loops make of it again and again: Newton's step of the planar part."""
        units, (hh, pp, hp) = self.units, self.propagators(at)
        (t, tau), n = self.visits(at), units.counts
        squares = units.amplitudes**2
        own = (by.p * hp**2 - by.h * hh**2) @ n + by.p_rest[:, 0]
        kinds = ((by.h * hp**2 - by.p * pp**2) * n) @ squares + by.h_rest * units.tails
        moved = np.concatenate([own[:, None], kinds], axis=1)
        # what the loops do to each other: dh = -N t^2 dloop, dp = -share tau^2 a^2 dloop / k
        h, weight = self.N * t**2, units.shares * tau**2 * self.inverse
        size = 1 + len(units.shares)
        again = np.zeros((len(h), size, size))
        again[:, 0, 0] = (h * hh**2) @ n
        again[:, 0, 1:] = -((hp**2 * n) @ squares + units.tails) * weight
        again[:, 1:, 0] = -h * ((hp**2 * n) @ squares + units.tails)
        again[:, 1:, 1:] = np.einsum("rl,li,lj->rij", pp**2 * n, squares, squares)
        again[:, 1:, 1:] *= weight[:, None, :]
        total = np.linalg.solve(np.eye(size) - again, moved[:, :, None])[:, :, 0]
        dh, drawn = -h * total[:, :1], -weight * total[:, 1:]
        return by.moved(
            _Fields(dh, drawn @ squares.T, 0 * by.m, dh, (drawn @ units.tails)[:, None])
        )


def crossed(
    units: Zonal, power: Array, sizes: tuple[float, float], ridge: float, noise: float
) -> Crossed:
    """The error at one number of samples and of features, the latter may be infinite.

    power  (degrees,) of the target in the degrees of `units`
    ridge  the one that is given; the tail of the spectrum is kept apart from it

    Raises `OutOfRegime` where there is no self-consistent solution.
    """
    N, k = sizes
    both = np.isfinite(k)
    along = np.concatenate([_LADDER * [1, 0], _LADDER[_LADDER[:, 0] != 0] * [0, 1]][: 1 + both])
    near = np.array(sizes) * np.exp(APART * along)
    question = _Asked(units, power, ridge, noise)
    crossings, planar = question.error(near, ALL), question.error(near[:1], NONE)
    total = crossings.total
    shifts = _drawn(total[:5], N)
    if both:
        shifts = shifts + _drawn(total[[0, *range(5, 9)]], k)
    return Crossed(
        np.array([planar.total[0], total[0]]),
        shifts / total[0],
        crossings.mode_error[0],
        float(crossings.bias[0]),
        1 - crossings.missing[0],
    )


_LADDER = np.array([[0, 0], [-2, -2], [-1, -1], [1, 1], [2, 2]])


def _drawn(total: Array, size: float) -> Array:
    """From a Poisson number to a fixed one: its first and its second order; see `fixed`."""
    here, a, b, c, d = total
    h = APART
    one = (a - 8 * b + 8 * c - d) / (12 * h)
    two = (-a + 16 * b - 30 * here + 16 * c - d) / (12 * h**2)
    three = (-a + 2 * b - 2 * c + d) / (2 * h**3)
    four = (a - 4 * b + 6 * here - 4 * c + d) / h**4
    third = three - 3 * two + 2 * one
    fourth = four - 6 * three + 11 * two - 6 * one
    return np.array([-(two - one) / (2 * size), third / (3 * size**2) + fourth / (8 * size**2)])


def estimated(
    units: Zonal, power: Array, sizes: Array, ridge: float, noise: float
) -> tuple[Array, Array]:
    """(rows,) the planar error with units as they are, and the same with the pairs that cross,
    found once on planar propagators: an estimate that takes milliseconds. `sizes` is (rows, 2)."""
    question = _Asked(units, power, ridge, noise)
    return question.error(sizes, NONE).total, question.error(sizes, ONCE).total


class _Found(NamedTuple):
    total: Array
    mode_error: Array
    bias: Array
    missing: Array


class _Asked(NamedTuple):
    units: Zonal
    power: Array
    ridge: float
    noise: float

    def error(self, sizes: Array, crossing: int) -> _Found:
        """Total error, that of each degree, and bias at (rows, 2) sizes: a one-sided difference in
        the strength of the source, so that no ridge and no power is ever below zero."""
        units, rows = self.units, len(sizes)
        source = self.power / units.counts
        start = _start(units, sizes, self.ridge)
        pair, loop = start.h * start.p + 1, _loop(units, start, self.ridge)
        push = np.max(source * start.h / pair, axis=1) + (source / pair**2) @ units.counts / loop
        step = STEP / (push + self.noise / loop)
        strength = np.outer([0.0, 1.0, 2.0], step).ravel()[:, None]
        problem = _Problem(
            units,
            np.tile(sizes[:, :1], (3, 1)),
            np.tile(1 / sizes[:, 1:], (3, 1)),
            self.ridge + self.noise * strength,
            strength * source,
            crossing == ALL,
        )
        found = _solved(problem, _Fields(*(np.tile(part, (3, 1)) for part in start)))
        if crossing == ONCE:
            words = problem.words(found, *problem.visits(found))
            found = found.moved(problem.answered(found, words))
        hh, _, hp = problem.propagators(found)
        parts = (units.counts * hh).reshape(3, rows, -1)
        rest = found.p_rest.reshape(3, rows)
        slope, more = ((-3 * x[0] + 4 * x[1] - x[2]).T / (2 * step) for x in (parts, rest))
        missing = hp[:rows]  # the mean residual of a degree, over the target there
        return _Found(slope.sum(axis=0) + more, slope.T, missing**2 @ self.power, missing)


def _loop(units: Zonal, at: _Fields, ridge: float) -> Array:
    hh = at.p / (at.h * at.p + 1)
    return np.asarray(ridge + hh @ units.counts + at.p_rest[:, 0])


def _start(units: Zonal, sizes: Array, ridge: float) -> _Fields:
    """The planar solution with units of one size."""
    N, k = sizes.T
    kappa = feature_ridge(units.spectrum, N, k, ridge)[:, None]
    lam, rest = units.eigenvalues, float(units.tails @ units.shares)
    z = np.sum(units.counts * lam / (lam + kappa), axis=1, keepdims=True) + rest / kappa
    p = 1 - z / k[:, None]
    h = 1 / (kappa * p)
    one = np.ones((len(N), lam.size))
    return _Fields(h * one, p * lam, one, h, rest * p)


def _solved(problem: _Problem, start: _Fields) -> _Fields:
    """The fixed point, every field in units of where it starts."""
    widths = np.cumsum([part.shape[1] for part in start])[:-1]
    unit = np.concatenate([np.where(part == 0, 1, part) for part in start], axis=1)

    def fields(x: Array) -> _Fields:
        return _Fields(*np.split(x, widths, axis=1))

    def step(x: Array, rows: Rows) -> Array:
        some, at = problem.chosen(rows), fields(x * unit[rows])
        by = fields(np.concatenate(some.self_energy(at), axis=1) - x * unit[rows])
        moved: Array = np.concatenate(at.moved(some.answered(at, by)), axis=1) / unit[rows]
        return moved

    def name(row: int) -> str:
        N, inverse = problem.N[row, 0], problem.inverse[row, 0]
        k = 1 / inverse if inverse else np.inf
        return f"crossing diagrams of {N:.4g} samples and {k:.4g} features"

    found = fixed_points(
        step, np.concatenate(start, axis=1) / unit, name, tolerance=TOLERANCE, positive=True
    )
    return fields(found.values * unit)
