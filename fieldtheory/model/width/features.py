r"""A finite number of random features: the planar theory, applied to the data and to the features.

k features with random Gaussian coefficients give the random kernel

.. math:: T = \tfrac1k \sum_{a=1}^{k} \psi_a \psi_a, \qquad
          \psi_a = \sum_i \sqrt{\lambda_i}\, G_{ai} \phi_i, \qquad \langle T \rangle = K,

a network of which only the last layer is trained. To regression on N samples T is a kernel as any
other, with the planar effective ridge kappa_1,

.. math:: N = \mathrm{tr}\, T (T + \kappa_1)^{-1} + s_2 / \kappa_1, \qquad
          E + v = \frac{\kappa_1^2\, g (T + \kappa_1)^{-2} g + v}
                       {1 - \tfrac1N \mathrm{tr}\, T^2 (T + \kappa_1)^{-2}},

v the label noise. The features are in the same position as samples: averaged over them,
kappa_1 / (T + kappa_1) is kappa / (K + kappa) where kappa_1 = kappa (1 - z/k), z = sum_i L_i,
L_i = lam_i / (lam_i + kappa). Its derivative by kappa_1 gives the squares. With q = sum_i L_i^2:

.. math:: s_2 = \kappa\, \frac{(N-z)(k-z)}{k}, \qquad E + v =
          \frac{\sum_i g_i^2 \bigl[ (1-L_i)^2 + \sigma\, L_i (1-L_i) \bigr] + v}
               {1 - \tfrac1N [\, q + \sigma\,(z-q) ]}, \qquad \sigma = \frac{z-q}{k-q}

The first bracket is the bias, the second what the choice of the features adds.

The features there are Gaussian. Those of a real layer differ in two ways: they are the same
function of a random direction each, so that pairs of them cross as pairs of samples do; and some
are larger than others, which counts at first order already. On the sphere `crossed` has both.

Source: Simon, Karkada, Ghosh, Belkin, arXiv:2311.14646; proved in another way by Defilippis,
Loureiro, Misiakiewicz, arXiv:2405.15699.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.diagrams.continued import left as left_of
from fieldtheory.model.modes import Spectral
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.width.crossed import crossed, estimated
from fieldtheory.model.width.ridge import feature_ridge, sums
from fieldtheory.model.width.zonal import Zonal, even

MARGIN = 1.5  # times the estimate of all further diagrams, as for `predict`
MOST, TAMED = 1.1, 0.5  # logarithm of what pairs, and fraction that fixed numbers, may change


@dataclass(frozen=True, eq=False)
class RandomFeatures(Pictured, Printed):
    """The mean squared test error of ridge regression on random features, and its three parts.

    samples, features   (sizes,) N and k, beside each other; k may be infinite
    bias                (sizes,) error of the predictor averaged over data and features
    feature_variance    (sizes,) what the choice of the features adds
    data_variance       (sizes,) what the choice of the data and the label noise add
    mode_error          (sizes, kinds) the error in each kind of mode
    learnability        (sizes, kinds) fraction of each that the mean predictor has learnt
    kappa               (sizes,) effective ridge per sample of the infinite kernel
    uncertainty         (sizes,) what is left out. Planar: one part in the smaller of N and k, and
                        on the sphere what a layer of ReLUs and pairs that cross would change.
                        Crossing: all further diagrams, by the size of those that are in
    crossing            (sizes,) whether pairs that cross are in
    """

    samples: Array
    features: Array
    bias: Array
    feature_variance: Array
    data_variance: Array
    mode_error: Array
    learnability: Array
    kappa: Array
    uncertainty: Array
    crossing: Any
    ridge: float
    noise: float
    name: str

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                object.__setattr__(self, name, frozen(value))
        crossing = self.crossing > 0
        crossing.setflags(write=False)
        object.__setattr__(self, "crossing", crossing)

    @property
    def error(self) -> Array:
        """(sizes,) mean squared test error, the noise of the test label not counted."""
        return self.bias + self.feature_variance + self.data_variance

    @property
    def _diagrams(self) -> str:
        some = int(np.sum(self.crossing))
        if some == self.samples.size:
            return "pairs cross"
        return f"pairs cross at {some} of {self.samples.size} sizes" if some else "planar"

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data; an infinite number of features is None."""
        parts = ("error", "uncertainty", "bias", "feature_variance", "data_variance", "kappa")
        return {
            "samples": [int(n) for n in self.samples],
            "features": [int(k) if np.isfinite(k) else None for k in self.features],
            **{part: getattr(self, part).tolist() for part in parts},
            "crossing": self.crossing.tolist(),
            "ridge": self.ridge,
            "noise": self.noise,
            "name": self.name,
        }

    def picture(self) -> Picture:
        """Error and bias against the number of samples, or of features if these vary."""
        varied = np.unique(self.features).size > np.unique(self.samples).size
        seen = np.isfinite(self.features) if varied else np.ones(self.samples.size, bool)
        x = (self.features if varied else self.samples)[seen]
        order = np.argsort(x)
        lines = tuple(
            Line(
                label,
                x[order],
                values[seen][order],
                spread if spread is None else spread[seen][order],
            )
            for label, values, spread in (
                ("error", self.error, self.uncertainty),
                ("bias", self.bias, None),
            )
        )
        axis = "features" if varied else "samples"
        return Picture(str(self).split("\n")[0], axis, "mean squared test error", lines, ("x", "y"))

    def __str__(self) -> str:
        lines = [
            f"random features of {self.name}; ridge {self.ridge:g}, label noise {self.noise:g}; "
            f"{self._diagrams}",
            " samples features       error         +-        bias features add   data add",
        ]
        parts = (self.error, self.uncertainty, self.bias, self.feature_variance, self.data_variance)
        for n, k, e, u, b, f, d in zip(self.samples, self.features, *parts, strict=True):
            lines.append(f"{n:8.0f} {k:8.0f} {e:11.5g} {u:10.2g} {b:11.5g} {f:12.5g} {d:10.5g}")
        return "\n".join(lines)


def random_features(
    spectrum: Spectral,
    power: Any,
    samples: Any,
    features: Any,
    *,
    ridge: float = 0.0,
    noise: float = 0.0,
    units: Zonal | None = None,
) -> RandomFeatures:
    """The error of ridge regression on k random features of a kernel, from N samples.

    spectrum   of the kernel that the features have on average: a `Spectrum` or `Modes`. What lies
               beyond the listed modes is too fine to be learnt, and counts as random to both
    power      power of the target in each kind of mode, the last ones may be left out
    samples    N, and `features` k: one number or a list; a single one goes with every other.
               `numpy.inf` features are the kernel itself: the planar theory
    ridge      added to the diagonal of the kernel matrix of T; not divided by N
    noise      variance of the label noise
    units      of a layer on the sphere, `zonal.units`: pairs that cross are summed too, in
               seconds for each size. Without them the features are Gaussian and the theory planar

    Planar, all non-crossing diagrams, in the data as in the features: exact if both are many, and
    good to about one part in the smaller of them. Layers of ReLUs measured in d = 3, 5, 10 and 20
    are in docs/width.md: with `units` it is several times as accurate, and either `uncertainty`
    held.

    Raises `OutOfRegime` without a ridge where N = k, where the error is infinite, and where there
    are no more modes than samples and features.

    >>> from fieldtheory.model.spectrum import Spectrum
    >>> spectrum = Spectrum.of([0.3, 0.05, 0.004], dimension=10)
    >>> few = random_features(spectrum, [0, 0.5, 0.5], 30, [10, 30, 50, np.inf], ridge=1e-4)
    >>> few.error.round(3).tolist()             # the peak is at N = k
    [1.064, 8.743, 0.998, 0.444]
    """
    N, k = _pairs(checks.sizes("samples", samples), _features(features))
    s2, v = checks.variance("ridge", ridge), checks.variance("noise", noise)
    lam, G = spectrum.eigenvalues, checks.powers("power", power)
    if G.size > lam.size:
        raise InvalidInput(
            f"power has {G.size} entries, the spectrum {lam.size}: give at most as many"
        )
    G = np.concatenate([G, np.zeros(lam.size - G.size)])
    found = _planar(spectrum, G, (N, k), s2, v)
    return found if units is None else _with_pairs(found, units, G)


def _planar(
    spectrum: Spectral, G: Array, sizes: tuple[Array, Array], s2: float, v: float
) -> RandomFeatures:
    (N, k), lam = sizes, spectrum.eigenvalues
    kappa = feature_ridge(spectrum, N, k, s2)
    _, q, lost = sums(spectrum, kappa)
    sigma = lost / (k - q)
    L, rest = (x / (lam + kappa[:, None]) for x in (lam, kappa[:, None]))
    bias = G * rest**2
    spread = G * rest * L * sigma[:, None]
    gamma = (q + sigma * lost) / N
    risk = (np.sum(bias + spread, axis=-1) + v) / (1 - gamma)
    share = spectrum.counts * L * (L + sigma[:, None] * rest)  # what a mode has of N gamma
    error = np.sum(bias + spread, axis=-1) + gamma * risk
    left_out = error / np.minimum(N, k)
    if isinstance(spectrum, Spectrum):
        left_out = left_out + _not_planar(even(spectrum), G, (N, k), s2, v, error)
    return RandomFeatures(
        samples=N,
        features=k,
        bias=np.sum(bias, axis=-1),
        feature_variance=np.sum(spread, axis=-1),
        data_variance=gamma * risk,
        mode_error=bias + spread + share * (risk / N)[:, None],
        learnability=L,
        kappa=kappa,
        uncertainty=left_out,
        crossing=np.zeros(N.size, dtype=bool),
        ridge=s2,
        noise=v,
        name=spectrum.name,
    )


def _not_planar(
    units: Zonal, G: Array, sizes: tuple[Array, Array], s2: float, v: float, error: Array
) -> Array:
    """What a layer of ReLUs would change: the first-order estimate of its crossing pairs, twice, as
    for the planar theory; all of the error where there is no such layer."""
    power = G[: len(units.amplitudes)]
    try:
        planar, once = estimated(units, power, np.stack(sizes, axis=1), s2, v)
    except OutOfRegime:
        return error
    found: Array = np.abs(planar - error) + 2 * np.abs(once - planar)
    return found


def _with_pairs(found: RandomFeatures, units: Zonal, G: Array) -> RandomFeatures:
    """The planar answer with pairs that cross, at every size where they have a solution that is no
    more than a factor; variances are parted as the planar ones are."""
    keys = ("bias", "feature_variance", "data_variance", "mode_error", "learnability")
    new = {key: getattr(found, key).copy() for key in (*keys, "uncertainty", "crossing")}
    power, listed = G[: len(units.amplitudes)], len(units.amplitudes)
    for n, size in enumerate(zip(found.samples, found.features, strict=True)):
        try:
            at = crossed(units, power, (float(size[0]), float(size[1])), found.ridge, found.noise)
        except OutOfRegime:
            continue
        gap = np.log(at.orders[1] / at.orders[0]) if at.orders.min() > 0 else np.inf
        variance, was = at.error - at.bias, found.error[n] - found.bias[n]
        if not (abs(gap) < MOST and np.max(np.abs(at.fixed)) < TAMED and variance > 0 < was):
            continue
        new["bias"][n] = at.bias
        new["feature_variance"][n] *= variance / was
        new["data_variance"][n] *= variance / was
        beyond = found.mode_error[n, listed:]
        new["mode_error"][n, listed:] *= at.error / found.error[n]
        left = at.error - beyond.sum() * at.error / found.error[n]
        new["mode_error"][n, :listed] = at.mode_error * left / at.mode_error.sum()
        new["learnability"][n, :listed] = at.learnability
        further = MARGIN * left_of(np.exp([[0.0], [gap]]), units.spectrum.dimension)[0]
        new["uncertainty"][n] = at.error * (np.expm1(further) + abs(at.fixed[1]))
        new["crossing"][n] = True
    return replace(found, **new)


def _pairs(N: Array, k: Array) -> tuple[Array, ...]:
    """Both of one length."""
    if N.size != k.size and 1 not in (N.size, k.size):
        raise InvalidInput(
            f"{N.size} samples and {k.size} features: samples and features are taken in pairs: "
            "give one number, or lists of one length"
        )
    return np.broadcast_arrays(N, k)


def _features(given: Any) -> Array:
    """Numbers of features, infinite or whole."""
    values = given.tolist() if isinstance(given, np.ndarray) else given
    listed = list(values) if isinstance(values, list | tuple | range) else [values]
    finite = [k for k in listed if not (isinstance(k, float) and np.isposinf(k))]
    if finite or not listed:
        checks.sizes("features", finite)
    return np.array([float(k) for k in listed])
