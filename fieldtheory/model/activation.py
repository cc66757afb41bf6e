"""The pointwise non-linearities, by name or as a callable, and their Gaussian averages.

Where a closed form exists it is a law; every other function, a user's own included, is expanded in
Hermite polynomials (`expansion`). A new activation with closed averages is one entry of `FAMILIES`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import factorial, sqrt
from typing import Any, NamedTuple

import numpy as np

from fieldtheory.compiler import generated
from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.law import Law
from fieldtheory.ground.shown import Printed
from fieldtheory.model.averages import pointwise, quadrature, stable
from fieldtheory.model.averages.digits import Precise
from fieldtheory.model.averages.expansion import Function
from fieldtheory.model.averages.mehler import Mehler
from fieldtheory.theory import averages

DEGREE_AT_MOST = 64  # of a Hermite polynomial
PROBE = np.linspace(-2.0, 2.0, 9)  # where a callable is tried when it arrives
SPELLED = re.compile(r"(\w+)\((.*)\)")  # leaky_relu(0.1)


@dataclass(frozen=True)
class Activation(Printed):
    """A non-linearity phi(z), applied to each entry of an array.

    covariance        the average of phi(u) phi(v), u and v Gaussian of variance q, correlation p:
                      a function (q, p, xp), elementary functions taken from `xp`
    slope_covariance  the same for phi'(u) phi'(v); None if phi jumps: it is infinite at p = 1 then,
                      and there is no tangent kernel
    slope             phi'(z), where it is known
    laws              where the two averages come from
    expand            q -> the Hermite expansion the averages are summed from, if they are

    >>> activation("relu")(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    name: str
    function: Function
    slope: Function | None
    covariance: Callable[..., Any] = field(compare=False)
    slope_covariance: Callable[..., Any] | None = field(compare=False)
    laws: tuple[Law, ...] = ()
    expand: Mehler | None = field(default=None, compare=False)

    def __call__(self, z: Array) -> Array:
        """phi(z), entry by entry."""
        return self.function(z)

    def derivative(self, z: Array) -> Array:
        """phi'(z), entry by entry; at the kink of ReLU it is 0.

        Raises `InvalidInput` for a callable that came without its slope.

        >>> activation("relu").derivative(np.array([-1.0, 0.0, 2.0]))
        array([0., 0., 1.])
        """
        if self.slope is None:
            raise InvalidInput(
                f"activation {self.name!r} has no known slope: give it as activation(f, slope=df)"
            )
        return self.slope(z)

    def neglected(self, variance: float) -> float:
        """The fraction of <phi^2> that the expansion leaves out, for inputs of one variance.

        Zero for closed forms, smooth functions, and those that are smooth but for a kink at zero. A
        jump, or a kink elsewhere, makes the coefficients fall slowly: covariances at correlations
        near one are then known no better than this.

        >>> clipped = activation(lambda z: np.clip(z, -1, 1))
        >>> activation("tanh").neglected(1.0), 0 < clipped.neglected(1.0) < 1e-5
        (0.0, True)
        """
        return self.expand(variance).neglected if self.expand else 0.0

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"activation({self.name!r})"


def activation(given: Any, **options: Any) -> Activation:
    """The non-linearity of a name, or of any function.

    Names are `KNOWN`: relu, erf, tanh, gelu, identity, step, and with a number leaky_relu(slope),
    sin(frequency), cos(frequency), hermite(degree), normalised to <h^2> = 1 at unit variance. The
    number is written into the name or passed by keyword.

    A callable takes an array and returns one of the same shape. `slope`, its derivative, is needed
    by finite networks and improves tangent kernels of functions with a kink; `precise`, a function
    (z, mpmath context), serves spectra of many digits; `name` is for printing.

    Raises `InvalidInput` for an unknown name (a near miss is suggested), a parameter it does not
    take, and a callable that does not act entry by entry on arrays.

    >>> activation("leaky_relu", slope=0.1), activation("hermite(3)")
    (activation('leaky_relu(0.1)'), activation('hermite(3)'))
    >>> from fieldtheory.model.kernel import REAL
    >>> softplus = activation(lambda z: np.logaddexp(0, z), name="softplus")
    >>> round(float(softplus.covariance(1.0, 0.5, REAL)), 8)  # <phi(u) phi(v)>, correlation 1/2
    0.78007817
    """
    if isinstance(given, Activation) and not options:
        return given
    if callable(given) and not isinstance(given, Activation):
        return _custom(given, **options)
    name, text = given, None
    if isinstance(given, str) and (spelled := SPELLED.fullmatch(given.strip())):
        name, text = spelled.groups()
    family = FAMILIES[checks.choice("activation", name, KNOWN)]
    if text is not None:
        options = {(family.parameter or "a number"): _number(name, text), **options}
    if extra := options.keys() - {family.parameter}:
        takes = f"only {family.parameter}" if family.parameter else "no parameter"
        raise InvalidInput(f"activation {name!r} takes {takes}, not {', '.join(sorted(extra))}")
    value = next(iter(options.values()), family.usual)
    return _made(name, checks.number(f"{family.parameter} of activation {name!r}", value))


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"activation {name}({text}): write one number in the brackets") from None


@lru_cache(maxsize=256)
def _made(name: str, parameter: float) -> Activation:
    """One value for one name: what is remembered about it is then found again."""
    return FAMILIES[name].make(parameter)


def _custom(
    function: Function,
    slope: Function | None = None,
    precise: Precise | None = None,
    name: str | None = None,
) -> Activation:
    label = str(name or getattr(function, "__name__", type(function).__name__))
    for each, about in ((function, label), (slope, f"slope of {label}")):
        if each is not None:
            quadrature.checked_values(each, about, PROBE)
    return expanded(label, function, slope, precise)


def expanded(
    name: str,
    function: Function,
    slope: Function | None = None,
    precise: Precise | None = None,
) -> Activation:
    """An activation whose averages are summed from its Hermite expansion."""
    ours = Mehler(name, function, slope, precise)
    return Activation(
        name,
        function,
        slope,
        ours.covariance,
        ours.slope_covariance,
        (averages.MEHLER,),
        ours,
    )


# Families: from a parameter to an activation -----------------------------------------------------


def _leaky_relu(a: float) -> Activation:
    return Activation(
        f"leaky_relu({a!r})",
        lambda z: np.where(z > 0, z, a * z),
        lambda z: np.where(z > 0, 1.0, a),
        lambda q, p, xp: generated.leaky_covariance(a, q, p, xp=xp),
        lambda q, p, xp: generated.leaky_slope(a, p, xp=xp),
        (averages.LEAKY_COVARIANCE, averages.LEAKY_SLOPE),
    )


def _sin(frequency: float) -> Activation:
    a = checks.positive("frequency of sin", frequency)
    return Activation(
        f"sin({a!r})",
        lambda z: np.sin(a * z),
        lambda z: a * np.cos(a * z),
        lambda q, p, xp: stable.sine_covariance(a, q, p, xp),
        lambda q, p, xp: a**2 * generated.cosine_covariance(a, q, p, xp=xp),
        (averages.SINE_COVARIANCE, averages.COSINE_COVARIANCE),
    )


def _cos(frequency: float) -> Activation:
    a = checks.positive("frequency of cos", frequency)
    return Activation(
        f"cos({a!r})",
        lambda z: np.cos(a * z),
        lambda z: -a * np.sin(a * z),
        lambda q, p, xp: generated.cosine_covariance(a, q, p, xp=xp),
        lambda q, p, xp: a**2 * stable.sine_covariance(a, q, p, xp),
        (averages.COSINE_COVARIANCE, averages.SINE_COVARIANCE),
    )


def _hermite(degree: float) -> Activation:
    n = checks.count("degree of hermite", degree)
    if n > DEGREE_AT_MOST:
        raise InvalidInput(f"degree of hermite = {n}: give at most {DEGREE_AT_MOST}")
    below = pointwise.hermite(n - 1)
    return Activation(
        f"hermite({n})",
        pointwise.hermite(n),
        lambda z: sqrt(n) * below(z),
        lambda q, p, xp: _pairings(n, q, p, xp),
        lambda q, p, xp: n * _pairings(n - 1, q, p, xp),
        (averages.HERMITE_PAIRING,),
    )


def _pairings(n: int, q: Any, p: Any, xp: Any) -> Any:
    """The average of h_n(u) h_n(v), pattern by pattern."""
    total = 0 * p
    for loops in range(n // 2 + 1 if n >= 0 else 0):
        lines = n - 2 * loops
        ways = factorial(n) // (factorial(lines) * factorial(loops) ** 2)
        total = total + generated.hermite_pairing(ways, lines, loops, q, p, xp=xp)
    return total


class Family(NamedTuple):
    """How to make an activation: the name of its parameter, what that usually is, and the maker."""

    make: Callable[[float], Activation]
    parameter: str | None = None
    usual: float = 0.0


RELU = Activation(
    "relu",
    pointwise.relu,
    pointwise.step,
    generated.relu_covariance,
    lambda q, p, xp: generated.relu_slope(p, xp=xp),
    (averages.RELU_COVARIANCE, averages.RELU_SLOPE),
)
ERF = Activation(
    "erf",
    pointwise.erf,
    pointwise.erf_slope,
    stable.erf_covariance,
    stable.erf_slope,
    (averages.ERF_COVARIANCE, averages.ERF_SLOPE),
)
GELU = Activation(
    "gelu",
    pointwise.gelu,
    pointwise.gelu_slope,
    stable.gelu_covariance,
    stable.gelu_slope,
    (averages.GELU_COVARIANCE, averages.GELU_SLOPE),
)
IDENTITY = Activation(
    "identity",
    lambda z: 1.0 * z,
    np.ones_like,
    generated.identity_covariance,
    lambda q, p, xp: 0 * p + xp.one,
    (averages.IDENTITY_COVARIANCE,),
)
STEP = Activation(
    "step",
    pointwise.step,
    None,
    lambda q, p, xp: generated.step_covariance(p, xp=xp),
    None,
    (averages.STEP_COVARIANCE,),
)
TANH = expanded("tanh", np.tanh, pointwise.tanh_slope, lambda z, mp: mp.tanh(z))
FAMILIES: Mapping[str, Family] = {
    **{
        phi.name: Family(lambda _, phi=phi: phi)  # type: ignore[misc]
        for phi in (RELU, ERF, TANH, GELU, IDENTITY, STEP)
    },
    "leaky_relu": Family(_leaky_relu, "slope", 0.01),
    "sin": Family(_sin, "frequency", 1.0),
    "cos": Family(_cos, "frequency", 1.0),
    "hermite": Family(_hermite, "degree", 2),
}
KNOWN = tuple(FAMILIES)
NAMES = ("relu", "erf")  # what a search tries unless told otherwise
ACTIVATIONS = tuple(_made(name, family.usual) for name, family in FAMILIES.items())
