"""The learning series through first order in 1/eta, and the paper's renormalised kernel."""

from math import lgamma

import numpy as np

from fieldtheory.compiler import generated as series
from fieldtheory.compiler.generated import log_power_eigenvalue, renormalised_ridge
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.spectrum import Spectrum


class _Logarithms:
    """The functions `log_power_eigenvalue` needs."""

    log, gammaln = staticmethod(np.log), staticmethod(np.vectorize(lgamma))


def expand(
    spectrum: Spectrum,
    power: Array,
    samples: Array,
    ridge: float,
    noise: float,
    *,
    order: int,
    ensemble: str,
) -> tuple[Array, Array, Array]:
    """Bias and variance per degree, each (sizes, degrees); loop parameter c0 / s2, (sizes,).

    Order 0 is the equivalent kernel; order 1 adds the first diagrams and, for a fixed number of
    samples, what the Poisson average had put in.

    Raises `OutOfRegime` for ridge 0, where the series has no small parameter.
    """
    if ridge <= 0:
        raise OutOfRegime(
            "the perturbative series expands in the kernel over the ridge, and the ridge is 0. "
            "Pass ridge > 0, or use method 'planar', or 'renormalised', whose trimmed kernel makes "
            "its own ridge"
        )
    lam, deg, s2 = spectrum.eigenvalues, spectrum.counts, np.float64(ridge)
    loop = series.loop_parameter(lam, deg, samples, s2)
    bias = series.leading_bias(lam, power, samples, s2)
    variance = np.zeros_like(bias)
    if order >= 1:
        bias = bias + series.bias_correction(lam, deg, power, samples, s2)
        variance = series.variance_correction(lam, deg, power, samples, s2)
        variance = variance + series.noise_correction(lam, deg, samples, s2, np.float64(noise))
        if ensemble == "fixed":
            bias = bias + series.fixed_bias_correction(lam, power, samples, s2)
            variance = variance + series.fixed_variance_correction(lam, power, samples, s2)
    return bias, variance, loop


def renormalise(kernel: Kernel, dimension: int, keep: int, ridge: float) -> tuple[Spectrum, float]:
    """The trimmed kernel: powers t^q with q <= keep, and the ridge that the others become.

    >>> from fieldtheory.model.network import Network
    >>> kernel = Network(depth=4).on_sphere(50)
    >>> trimmed, ridge = renormalise(kernel, dimension=50, keep=3, ridge=0.0)
    >>> round(ridge, 5), round(float(trimmed.eigenvalues[1]), 9)
    (0.01873, 0.000727389)
    """
    b = kernel.power_series(keep)
    lam = np.zeros(keep + 1)
    for l in range(keep + 1):
        s = np.arange((keep - l) // 2 + 1)
        lam[l] = np.sum(b[l::2] * np.exp(log_power_eigenvalue(dimension, l, s, xp=_Logarithms)))
    trimmed = Spectrum.of(lam, dimension)
    return trimmed, float(renormalised_ridge(ridge, kernel.trace, np.sum(b)))
