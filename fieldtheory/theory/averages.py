"""Gaussian averages of activations: what a layer of infinite width does to two inputs.

Law values, nothing else; each is judged by an oracle. `laws` shows them with all the others.
"""

from typing import Any

from fieldtheory.ground.law import Law, Reference

# `write` functions import SymPy themselves: naming a law must not cost the import.

CHO_SAUL = Reference("Cho and Saul 2009", "https://papers.nips.cc/paper/3628", "degrees 0 and 1")
WILLIAMS = Reference(
    "Williams 1997, Computing with infinite networks", "doi:10.1162/089976698300017412"
)
MEHLER_1866 = Reference(
    "Mehler 1866, Ueber die Entwicklung einer Function", "doi:10.1515/crll.1866.66.161"
)
RAHIMI = Reference("Rahimi and Recht 2007", "https://papers.nips.cc/paper/3182")
TSUCHIDA = Reference(
    "Tsuchida, Pearce, van der Heide et al. 2021", "https://arxiv.org/abs/2002.08517"
)
LEE = Reference("Lee et al. 2018", "https://arxiv.org/abs/1711.00165")


def symbols(names: str) -> tuple[Any, ...]:
    """Positive symbols, the only kind these laws need."""
    import sympy as sp

    return tuple(sp.symbols(names, positive=True, seq=True))


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


def _leaky_covariance() -> Any:
    q, p, a = symbols("q p a")
    return a * q * p + (1 - a) ** 2 * _relu_covariance()


def _leaky_slope() -> Any:
    (a,) = symbols("a")
    return a + (1 - a) ** 2 * _relu_slope()


def _gelu_parts() -> tuple[Any, Any, Any]:
    """Averages over u, v of covariance c: Phi(u) Phi(v), Phi'(u) Phi'(v), and the determinant."""
    import sympy as sp

    q, p = symbols("q p")
    determinant = (1 + q) ** 2 - (q * p) ** 2
    both = sp.Rational(1, 4) + sp.asin(q * p / (1 + q)) / (2 * sp.pi)
    return both, 1 / (2 * sp.pi * sp.sqrt(determinant)), determinant


def _gelu_covariance() -> Any:
    q, p = symbols("q p")
    both, density, _ = _gelu_parts()
    return q * p * both + q**2 * density * (1 + p**2 * (1 - q) / (1 + q))


def _gelu_slope() -> Any:
    q, p = symbols("q p")
    both, density, determinant = _gelu_parts()
    return both + q * p * density * (2 / (1 + q) + 1 / determinant)


def _sine_covariance() -> Any:
    import sympy as sp

    q, p, a = symbols("q p a")
    return (sp.exp(-(a**2) * q * (1 - p)) - sp.exp(-(a**2) * q * (1 + p))) / 2


def _cosine_covariance() -> Any:
    import sympy as sp

    q, p, a = symbols("q p a")
    return (sp.exp(-(a**2) * q * (1 - p)) + sp.exp(-(a**2) * q * (1 + p))) / 2


def _identity_covariance() -> Any:
    q, p = symbols("q p")
    return q * p


def _hermite_pairing() -> Any:
    q, p, ways, lines, loops = symbols("q p ways lines loops")
    return ways * (q * p) ** lines * ((q - 1) ** 2 / 4) ** loops


def _mehler() -> Any:
    import sympy as sp

    (p,), k = symbols("p"), sp.Symbol("k", integer=True)
    coefficient = sp.IndexedBase("a", real=True)[k]
    return sp.Sum(coefficient**2 * p**k, (k, 0, sp.Symbol("n", integer=True)))


LEAKY = {**GAUSSIAN, "a": "slope of the activation at negative z"}
WAVE = {**GAUSSIAN, "a": "frequency of the wave"}
LEAKY_COVARIANCE = Law(
    "leaky ReLU covariance",
    _leaky_covariance,
    LEAKY,
    "max(a z, z) for a <= 1: a z and (1 - a) times ReLU, Gaussian inputs",
    CHO_SAUL,
)
LEAKY_SLOPE = Law(
    "leaky ReLU slope covariance", _leaky_slope, LEAKY, "the slope of leaky ReLU", CHO_SAUL
)
GELU_COVARIANCE = Law(
    "GELU covariance",
    _gelu_covariance,
    GAUSSIAN,
    "z Phi(z), Phi the cumulative normal distribution, Gaussian inputs",
    TSUCHIDA,
)
GELU_SLOPE = Law("GELU slope covariance", _gelu_slope, GAUSSIAN, "the derivative of GELU", TSUCHIDA)
SINE_COVARIANCE = Law(
    "sine covariance", _sine_covariance, WAVE, "sin(a z), Gaussian inputs", RAHIMI
)
COSINE_COVARIANCE = Law(
    "cosine covariance", _cosine_covariance, WAVE, "cos(a z), Gaussian inputs", RAHIMI
)
IDENTITY_COVARIANCE = Law(
    "identity covariance", _identity_covariance, GAUSSIAN, "z itself, Gaussian inputs", LEE
)
STEP_COVARIANCE = Law(
    "step covariance", _relu_slope, GAUSSIAN, "1 for z > 0 and else 0, Gaussian inputs", CHO_SAUL
)
HERMITE_PAIRING = Law(
    "Hermite covariance, one pattern of pairings",
    _hermite_pairing,
    {
        **GAUSSIAN,
        "lines": "pairings between the n legs of u and the n legs of v, n - 2 loops",
        "loops": "pairings among the legs of u, and as many among those of v",
        "ways": "n! / (lines! loops!^2): how many pairings look so, 4^loops / n! of them",
    },
    "He_n(z) / sqrt(n!), Gaussian inputs, summed over loops = 0 .. n/2",
    MEHLER_1866,
)
MEHLER = Law(
    "Mehler's expansion",
    _mehler,
    {
        **GAUSSIAN,
        "a": "overlap of the activation with the normalised Hermite polynomials",
        "a[k]": "average of phi(sqrt(q) z) He_k(z) / sqrt(k!), z standard normal",
        "k": "degree of the Hermite polynomial",
        "n": "last degree; what is left out is at most the rest of the average of phi^2",
    },
    "any activation whose square has a Gaussian average",
    MEHLER_1866,
)
