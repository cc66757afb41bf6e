"""Formulas we quote rather than derive. Law values, nothing else; each is judged by an oracle."""

from typing import Any

from fieldtheory.ground.law import Law, Reference
from fieldtheory.theory.averages import COSINE_COVARIANCE as COSINE_COVARIANCE
from fieldtheory.theory.averages import ERF_COVARIANCE as ERF_COVARIANCE
from fieldtheory.theory.averages import ERF_SLOPE as ERF_SLOPE
from fieldtheory.theory.averages import GELU_COVARIANCE as GELU_COVARIANCE
from fieldtheory.theory.averages import GELU_SLOPE as GELU_SLOPE
from fieldtheory.theory.averages import HERMITE_PAIRING as HERMITE_PAIRING
from fieldtheory.theory.averages import IDENTITY_COVARIANCE as IDENTITY_COVARIANCE
from fieldtheory.theory.averages import LEAKY_COVARIANCE as LEAKY_COVARIANCE
from fieldtheory.theory.averages import LEAKY_SLOPE as LEAKY_SLOPE
from fieldtheory.theory.averages import LEE, symbols
from fieldtheory.theory.averages import MEHLER as MEHLER
from fieldtheory.theory.averages import RELU_COVARIANCE as RELU_COVARIANCE
from fieldtheory.theory.averages import RELU_SLOPE as RELU_SLOPE
from fieldtheory.theory.averages import SINE_COVARIANCE as SINE_COVARIANCE
from fieldtheory.theory.averages import STEP_COVARIANCE as STEP_COVARIANCE

# `write` functions import SymPy themselves: naming a law must not cost the import.
JACOT = Reference("Jacot, Gabriel, Hongler 2018", "https://arxiv.org/abs/1806.07572")
YANG = Reference("Yang and Schoenholz 2017", "https://arxiv.org/abs/1712.08969")
CANATAR = Reference("Canatar, Bordelon, Pehlevan 2021", "https://arxiv.org/abs/2006.13198")
COHEN = Reference("Cohen, Malka, Ringel 2021", "https://arxiv.org/abs/1906.05301")


def mode_sum(summand: Any) -> Any:
    """Sum over degrees l = 0 .. L."""
    import sympy as sp

    return sp.Sum(summand, (sp.Symbol("l", integer=True), 0, sp.Symbol("L", integer=True)))


def mode(name: str) -> Any:
    """One array over degrees, at degree l."""
    import sympy as sp

    return sp.IndexedBase(name, positive=True)[sp.Symbol("l", integer=True)]


# Layers ---------------------------------------------------------------------------------------


def _layer_covariance() -> Any:
    sw2, sb2, average = symbols("sw2 sb2 average")
    return sw2 * average + sb2


def _layer_residual() -> Any:
    below, branch, skip = symbols("below branch skip")
    return skip**2 * below + branch


def _layer_tangent() -> Any:
    sw2, slope, covariance, tangent = symbols("sw2 slope covariance tangent")
    return covariance + tangent * sw2 * slope


LAYER_COVARIANCE = Law(
    "covariance of one layer",
    _layer_covariance,
    {
        "sw2": "weight variance (weights have variance sw2 / fan-in)",
        "sb2": "bias variance",
        "average": "Gaussian average of phi(u) phi(v) over the layer below",
    },
    "infinite width",
    LEE,
)
LAYER_TANGENT = Law(
    "tangent kernel of one layer",
    _layer_tangent,
    {
        "sw2": "weight variance",
        "slope": "Gaussian average of phi'(u) phi'(v) over the layer below",
        "covariance": "what this layer's own trained parameters add: its covariance, if all are",
        "tangent": "tangent kernel of the layer below",
    },
    "infinite width, trained parameters in NTK parameterisation",
    JACOT,
)
LAYER_RESIDUAL = Law(
    "residual connection",
    _layer_residual,
    {
        "below": "covariance, or tangent kernel, of the layer below",
        "branch": "what the dense layer makes of it",
        "skip": "weight of the connection: z <- skip z + W phi(z) + b",
    },
    "infinite width, hidden layers of equal width",
    YANG,
)

# Learning -------------------------------------------------------------------------------------

MODES = {
    "lam": "kernel eigenvalue per degree",
    "deg": "multiplicity per degree",
    "G": "target power per degree",
    "l": "degree",
    "L": "last degree",
    "lam[l]": "kernel eigenvalue of degree l",
    "deg[l]": "multiplicity of degree l",
    "G[l]": "target power of degree l",
}
PLANAR = {
    **MODES,
    "kappa": "effective ridge per sample",
    "s2": "ridge, not divided by the number of samples",
    "N": "number of samples",
    "noise": "variance of the label noise",
    "gamma": "sum of squared learnabilities per sample",
    "risk": "clean error plus label noise",
}


def learnability() -> Any:
    """L_l = lam_l / (lam_l + kappa), the fraction of a mode that is learnt."""
    lam, (kappa,) = mode("lam"), symbols("kappa")
    return lam / (lam + kappa)


def residual() -> Any:
    """1 - L_l, written without a difference so that small residuals keep their digits."""
    lam, (kappa,) = mode("lam"), symbols("kappa")
    return kappa / (lam + kappa)


def _planar_samples() -> Any:
    kappa, s2 = symbols("kappa s2")
    return mode_sum(mode("deg") * learnability()) + s2 / kappa


def _planar_gamma() -> Any:
    (N,) = symbols("N")
    return mode_sum(mode("deg") * learnability() ** 2) / N


def _planar_bias() -> Any:
    return mode_sum(residual() ** 2 * mode("G"))


def _planar_error() -> Any:
    gamma, noise = symbols("gamma noise")
    return (_planar_bias() + gamma * noise) / (1 - gamma)


def _planar_mode_error() -> Any:
    N, risk = symbols("N risk")
    return residual() ** 2 * mode("G") + mode("deg") * learnability() ** 2 * risk / N


SELF_CONSISTENT = Law(
    "self-consistent ridge",
    _planar_samples,
    PLANAR,
    "all non-crossing diagrams; equals N at the effective ridge kappa",
    CANATAR,
)
GAMMA = Law("overfitting coefficient", _planar_gamma, PLANAR, "all non-crossing diagrams", CANATAR)
BIAS = Law(
    "error of the mean predictor", _planar_bias, PLANAR, "all non-crossing diagrams", CANATAR
)
PLANAR_ERROR = Law("planar error", _planar_error, PLANAR, "all non-crossing diagrams", CANATAR)
PLANAR_MODE_ERROR = Law(
    "planar error per degree", _planar_mode_error, PLANAR, "all non-crossing diagrams", CANATAR
)


def _power_eigenvalue() -> Any:
    import sympy as sp

    d, l, s = symbols("d l s")  # not declared integer: SymPy would rewrite the gamma functions
    n = 2 * s + l
    return (
        sp.loggamma(n + 1)
        + sp.loggamma(d / 2)
        - n * sp.log(2)
        - sp.loggamma(s + 1)
        - sp.loggamma(s + l + d / 2)
    )


POWER_EIGENVALUE = Law(
    "logarithm of the eigenvalue of one power of the cosine",
    _power_eigenvalue,
    {
        "d": "dimension of the inputs",
        "l": "degree",
        "s": "the power of the cosine is 2 s + l, s = 0, 1, 2, ...",
    },
    "the kernel t^(2 s + l) on the sphere S^(d-1), uniform measure",
    COHEN,
)


def _trimmed_ridge() -> Any:
    s2, top, kept = symbols("s2 K1 kept")
    return s2 + top - kept


RENORMALISED_RIDGE = Law(
    "renormalised ridge of the trimmed kernel",
    _trimmed_ridge,
    {
        "s2": "ridge",
        "K1": "kernel at t = 1",
        "kept": "sum of the kept power-series coefficients b_0 .. b_r",
    },
    "trimmed powers act as white noise: their eigenvalues far below ridge / samples",
    COHEN,
    errata="the stored 2019 text prints lam_l = 0 for l >= r; it must read l > r",
)

# Beyond planar: two samples visited in turn ---------------------------------------------------

THIS_LIBRARY = Reference("this library", "docs/theory.md", "two-sample words")
WORDS = {
    "t1": "single-sample T-matrix, 1 / (s2 + c(1))",
    "c": "propagator between the two samples, c(t)",
    "u": "(t1 c)^2, the weight of one more alternation",
}


def _words_apart() -> Any:
    t1, c, u = symbols("t1 c u")
    return -(t1**2) * c * u / (1 - u)


def _words_together() -> Any:
    t1, u = symbols("t1 u")
    return t1 * u**2 / (1 - u)


WORDS_APART = Law(
    "two-sample words of even length",
    _words_apart,
    WORDS,
    "words x y x y ... of at least four runs that start and end on different samples",
    THIS_LIBRARY,
)
WORDS_TOGETHER = Law(
    "two-sample words of odd length",
    _words_together,
    WORDS,
    "words x y x y x ... of at least five runs that start and end on the same sample",
    THIS_LIBRARY,
)
