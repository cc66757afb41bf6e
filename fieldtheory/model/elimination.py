r"""Mode elimination with numbers: running ridge, noise and samples of a spectrum, shell by shell.

.. math::  N k_c = s_2 + \sum_{l > c} \deg(l) \frac{\lambda_l k_c}{\lambda_l + k_c}, \qquad
           v_c = v + \sum_{l > c} \Bigl(\frac{k_c}{\lambda_l + k_c}\Bigr)^2 G_l, \qquad
           \gamma_c = \frac1N \sum_{l > c} \deg(l) L_l^2

The shells are derived in `theory.flows.elimination` from diagrams and are those of the planar laws,
read for the modes above the cut alone. Each cut is solved by itself, by Newton's method from the
right of a convex function, which descends to the root and never leaves its basin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.compiler import generated as law
from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.spectrum import Spectrum

STEPS = 500
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Elimination(Pictured, Printed):
    """A spectrum integrated out from the top, degree by degree.

    samples   (sizes,) N
    kept      (cuts,) number of degrees that are left: all of them, ..., 1, 0
    kappa     (sizes, cuts) running ridge per sample k_c
    noise     (sizes, cuts) label noise and the target power that acts like it, v_c
    overfit   (sizes, cuts) gamma_c: the share of the samples that the eliminated modes use up
    error     (sizes, cuts) squared error predicted by the degrees kept, as if the eliminated ones
              were gone: N (1 - gamma_c) samples with ridge k_c each, noise v_c / (1 - gamma_c), and
              target power over 1 - gamma_c. The first and the last are the planar error; between
              them it moves by what a linear response of the eliminated modes neglects
    """

    samples: Array
    kept: Array
    kappa: Array
    noise: Array
    overfit: Array
    error: Array
    question: str

    def __post_init__(self) -> None:
        for name in ("samples", "kept", "kappa", "noise", "overfit", "error"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def ridge(self) -> Array:
        """(sizes, cuts) the running ridge s2_c = N k_c."""
        return np.asarray(self.samples[:, None] * self.kappa)

    @property
    def effective_samples(self) -> Array:
        """(sizes, cuts) the samples left for the degrees kept, N (1 - gamma_c)."""
        return np.asarray(self.samples[:, None] * (1 - self.overfit))

    def picture(self) -> Picture:
        """The running ridge against the number of degrees kept."""
        lines = tuple(
            Line(f"{n:.0f} samples", self.kept, ridge)
            for n, ridge in zip(self.samples, self.ridge, strict=True)
        )
        return Picture(self.question, "degrees kept", "running ridge", lines)

    def __str__(self) -> str:
        rows = [self.question]
        for i, n in enumerate(self.samples):
            rows += [f"{n:.0f} samples", "   kept       ridge       noise       error"]
            columns = zip(self.kept, self.ridge[i], self.noise[i], self.error[i], strict=True)
            rows += [f"{c:7.0f} {s:11.5g} {v:11.5g} {e:11.5g}" for c, s, v, e in columns]
        return "\n".join(rows)


def eliminate(
    spectrum: Spectrum,
    samples: Any,
    *,
    ridge: float = 0.0,
    power: Sequence[float] | Array | None = None,
    noise: float = 0.0,
) -> Elimination:
    """Integrate out the degrees of a spectrum from the last one down.

    ridge   the bare one, not divided by the number of samples; the tail of the spectrum, which no
            degree carries, is added to it first.
    power   target power per degree, in all; none unless given.
    noise   variance of the label noise.

    Raises InvalidInput for inputs of the wrong shape or sign, and OutOfRegime when the samples fix
    every mode at ridge 0: the flow then ends at no ridge, and no error is defined.

    >>> found = eliminate(Spectrum.of([1.0], dimension=3), 2, ridge=1.0)
    >>> found.kappa.round(12).tolist()          # kept, then integrated out
    [[0.5, 0.707106781187]]
    """
    sizes = checks.sizes("samples", samples)
    bare = checks.variance("ridge", ridge) + spectrum.tail
    spread = checks.variance("noise", noise)
    lam, deg = spectrum.eigenvalues, spectrum.counts
    target = _padded(power, lam.size)
    kappa = running_kappa(lam, deg, sizes, bare)
    cuts = range(lam.size, -1, -1)
    gone = [_gone(lam[c:], deg[c:], target[c:], sizes, kappa[:, n]) for n, c in enumerate(cuts)]
    running, overfit = (np.stack(columns, axis=-1) for columns in zip(*gone, strict=True))
    if np.any(kappa[:, -1] == 0) or np.any(overfit == 1):
        raise OutOfRegime(
            f"samples {sizes.astype(int).tolist()} at ridge 0 for modes "
            f"{deg.astype(int).tolist()}: the data fix all modes, or just those of some cut, and "
            "no ridge is left to run. Pass a ridge > 0, or other numbers of samples"
        )
    error = np.empty_like(kappa)
    for n, c in enumerate(cuts):
        left = sizes * (1 - overfit[:, n])
        k = _root(lam[:c], deg[:c], left, left * kappa[:, n])
        bias, gamma = _gone(lam[:c], deg[:c], target[:c], left, k)
        error[:, n] = (spread + running[:, n] + bias) / (1 - overfit[:, n]) / (1 - gamma) - spread
    question = (
        f"{spectrum.name} on the sphere, d = {spectrum.dimension}, ridge {bare:g}, eliminated"
    )
    return Elimination(sizes, frozen(list(cuts)), kappa, spread + running, overfit, error, question)


def _padded(power: Any, degrees: int) -> Array:
    """Target power for every degree of the spectrum."""
    given = checks.powers("power", [0.0] if power is None else power)
    if np.any(given[degrees:] > 0):
        raise InvalidInput(
            f"power has {given.size} degrees, the spectrum {degrees}: give at most as many"
        )
    return np.pad(given[:degrees], (0, max(0, degrees - given.size)))


def _gone(
    lam: Array, deg: Array, power: Array, samples: Array, kappa: Array
) -> tuple[Array, Array]:
    """Target power that acts as noise, and gamma, of these modes at every size.

    At kappa 0 a mode is learnt in full, or not at all if its eigenvalue is 0.
    """
    at = np.where(kappa > 0, kappa, 1.0)
    noise, gamma = law.planar_bias(lam, power, at), law.planar_gamma(lam, deg, samples, at)
    unlearnt, modes = np.sum(power[lam == 0]), np.sum(deg[lam > 0])
    return np.where(kappa > 0, noise, unlearnt), np.where(kappa > 0, gamma, modes / samples)


def running_kappa(eigenvalues: Array, counts: Array, samples: Array, ridge: Array | float) -> Array:
    """The running ridge per sample, (sizes, modes + 1): with every eigenvalue kept, all but the
    last, ..., none. `counts` are multiplicities.

    0 where the data fix every mode that is gone: without a ridge, and no more modes than samples.
    """
    cuts = range(eigenvalues.size, -1, -1)
    found = [_root(eigenvalues[c:], counts[c:], samples, ridge) for c in cuts]
    return np.stack(found, axis=-1)


def _root(lam: Array, deg: Array, samples: Array, ridge: Array | float) -> Array:
    """k > 0 with N k = ridge + sum deg lam k/(lam + k), or 0 if there is none.

    N k minus the right side is convex, and its root lies left of (ridge + trace)/N: Newton's steps
    from there only go down.
    """
    ridge = np.broadcast_to(np.asarray(ridge, dtype=float), samples.shape)
    kappa = (ridge + np.sum(deg * lam)) / samples
    empty = (ridge == 0) & (np.sum(deg[lam > 0]) <= samples)
    kappa = np.where(empty, 1.0, kappa)
    for _ in range(STEPS):
        sums = law.planar_samples(lam, deg, ridge, kappa)
        slope = samples - sums - law.planar_samples_slope(lam, deg, ridge, kappa)
        lower = kappa - kappa * (samples - sums) / slope
        moving = (lower < kappa * (1 - EPS)) & ~empty
        kappa = np.where(moving, lower, kappa)
        if not np.any(moving):
            return np.where(empty, 0.0, kappa)
    raise OutOfRegime(
        f"the running ridge did not converge in {STEPS} steps for {lam.size} degrees and samples "
        f"{samples.tolist()}: the number of modes is too close to the number of samples; pass a "
        "ridge > 0"
    )


@dataclass(frozen=True, eq=False)
class LocalRidge:
    """The running ridge where the inputs are not uniform: a function of the place.

    kept     how many modes are left
    ridge    (points,) s2_c(x) = s2 + C(x, x), C the propagator of the eliminated modes in the
             medium of the samples
    leading  (points,) s2 + sum of lam_i phi_i(x)^2 over them: the same to first order in lam/kappa
    """

    kept: int
    ridge: Array
    leading: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "ridge", frozen(self.ridge))
        object.__setattr__(self, "leading", frozen(self.leading))


def local_ridge(
    kernel: Array, weights: Array, samples: int, *, ridge: float, keep: int = 0
) -> LocalRidge:
    r"""The running ridge on a finite input measure, the `keep` largest modes left.

    .. math::  s_c(x) = s_2 + \bigl[ (K_>^{-1} + D)^{-1} \bigr]_{xx}, \qquad
               D_{xy} = \frac{N \mu_x}{s_c(x)} \delta_{xy}

    kernel   (points, points) K, symmetric and positive.
    weights  (points,) mu, the probability of every input; they add up to one.

    With keep = 0 this is the self-consistent medium of the planar theory. Newton's method in s_c.

    Raises InvalidInput for a kernel that is not symmetric or not positive, weights that are no
    probabilities, ridge 0 or keep beyond the number of points; OutOfRegime if it does not converge.

    >>> one = local_ridge(np.ones((1, 1)), np.ones(1), 2, ridge=1.0)
    >>> one.ridge.round(12).tolist(), one.leading.tolist()
    ([1.414213562373], [2.0])
    """
    mu = checks.vector("weights", weights)
    size = checks.count("samples", samples, least=1)
    bare = checks.positive("ridge", ridge)
    kept = checks.count("keep", keep)
    if np.any(mu <= 0) or abs(np.sum(mu) - 1) > mu.size * 8 * EPS or kept > mu.size:
        raise InvalidInput(
            f"{mu.size} weights with sum {np.sum(mu):.17g}, keep = {kept}: weights are positive "
            "and add up to 1, and at most as many modes are kept as there are points"
        )
    lam, root = _modes(np.asarray(kernel, dtype=float), mu)
    modes = root[:, : mu.size - kept] * np.sqrt(np.maximum(lam[: mu.size - kept], 0))
    leading = bare + np.sum(modes**2, axis=1)
    s = leading.copy()
    for _ in range(STEPS):
        density = size * mu / s
        inner = np.eye(modes.shape[1]) + modes.T @ (density[:, None] * modes)
        propagator = modes @ np.linalg.solve(inner, modes.T)
        slope = np.eye(mu.size) - propagator**2 * (density / s)
        step = np.linalg.solve(slope, bare + np.diagonal(propagator) - s)
        s = np.maximum(s + step, bare)
        if np.all(np.abs(step) <= 8 * EPS * s):
            return LocalRidge(kept, s, leading)
    raise OutOfRegime(
        f"the local ridge did not converge in {STEPS} steps; it still moves by "
        f"{np.max(np.abs(step)):.1e}: raise the ridge"
    )


def _modes(kernel: Array, mu: Array) -> tuple[Array, Array]:
    """Eigenvalues, smallest first, and modes (points, modes), orthonormal under the weights."""
    if kernel.shape != (mu.size, mu.size) or not np.all(np.isfinite(kernel)):
        raise InvalidInput(
            f"kernel has shape {kernel.shape}: give finite numbers, one row and one column for "
            f"each of {mu.size} weights"
        )
    scale = np.max(np.abs(kernel))
    if np.max(np.abs(kernel - kernel.T)) > 8 * EPS * scale:
        raise InvalidInput("the kernel is not symmetric: K(x, y) must equal K(y, x)")
    weight = np.sqrt(mu)
    lam, vectors = np.linalg.eigh(weight[:, None] * (kernel + kernel.T) / 2 * weight)
    if lam[0] < -64 * mu.size * EPS * max(lam[-1], 0.0):
        raise InvalidInput(
            f"the kernel is not positive: its smallest eigenvalue is {lam[0]:g}, its largest "
            f"{lam[-1]:g}. A covariance has none below zero"
        )
    return lam, vectors / weight[:, None]
