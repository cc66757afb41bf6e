"""Formulas we quote rather than derive. Law values, nothing else; each is judged by an oracle."""

from typing import Any

from fieldtheory.ground.law import Law, Reference

# `write` functions import SymPy themselves: naming a law must not cost the import.

CHO_SAUL = Reference("Cho and Saul 2009", "https://papers.nips.cc/paper/3628", "degrees 0 and 1")
WILLIAMS = Reference(
    "Williams 1997, Computing with infinite networks", "doi:10.1162/089976698300017412"
)
LEE = Reference("Lee et al. 2018", "https://arxiv.org/abs/1711.00165")
JACOT = Reference("Jacot, Gabriel, Hongler 2018", "https://arxiv.org/abs/1806.07572")
CANATAR = Reference("Canatar, Bordelon, Pehlevan 2021", "https://arxiv.org/abs/2006.13198")
COHEN = Reference("Cohen, Malka, Ringel 2021", "https://arxiv.org/abs/1906.05301")


def symbols(names: str) -> tuple[Any, ...]:
    """Positive symbols, the only kind these laws need."""
    import sympy as sp

    return tuple(sp.symbols(names, positive=True, seq=True))


def mode_sum(summand: Any) -> Any:
    """Sum over degrees l = 0 .. L."""
    import sympy as sp

    return sp.Sum(summand, (sp.Symbol("l", integer=True), 0, sp.Symbol("L", integer=True)))


def mode(name: str) -> Any:
    """One array over degrees, at degree l."""
    import sympy as sp

    return sp.IndexedBase(name, positive=True)[sp.Symbol("l", integer=True)]


# Layers ---------------------------------------------------------------------------------------

GAUSSIAN = {
    "q": "variance of the pre-activations, equal for both inputs",
    "p": "their correlation between the two inputs",
}


def _relu_covariance() -> Any:
    import sympy as sp

    q, p = symbols("q p")
    return q / (2 * sp.pi) * (sp.sqrt(1 - p**2) + p * (sp.pi - sp.acos(p)))


def _relu_slope() -> Any:
    import sympy as sp

    (p,) = symbols("p")
    return (sp.pi - sp.acos(p)) / (2 * sp.pi)


def _erf_covariance() -> Any:
    import sympy as sp

    q, p = symbols("q p")
    return 2 / sp.pi * sp.asin(2 * q * p / (1 + 2 * q))


def _erf_slope() -> Any:
    import sympy as sp

    q, p = symbols("q p")
    return 4 / sp.pi / sp.sqrt((1 + 2 * q) ** 2 - 4 * q**2 * p**2)


RELU_COVARIANCE = Law(
    "ReLU covariance", _relu_covariance, GAUSSIAN, "max(0, z), Gaussian inputs", CHO_SAUL
)
RELU_SLOPE = Law(
    "ReLU slope covariance", _relu_slope, GAUSSIAN, "the step function, Gaussian inputs", CHO_SAUL
)
ERF_COVARIANCE = Law(
    "erf covariance", _erf_covariance, GAUSSIAN, "erf(z), Gaussian inputs", WILLIAMS
)
ERF_SLOPE = Law(
    "erf slope covariance", _erf_slope, GAUSSIAN, "the derivative of erf, Gaussian inputs", WILLIAMS
)


def _layer_covariance() -> Any:
    sw2, sb2, average = symbols("sw2 sb2 average")
    return sw2 * average + sb2


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
        "covariance": "covariance of this layer",
        "tangent": "tangent kernel of the layer below",
    },
    "infinite width, weights and biases of every layer trained",
    JACOT,
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
