"""The pointwise non-linearities, by name: the functions, and their Gaussian averages (laws).

A new activation is one entry of `ACTIVATIONS`, with the laws of its two averages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.compiler import generated
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.checks import choice
from fieldtheory.ground.law import Law
from fieldtheory.theory import laws


@dataclass(frozen=True)
class Activation:
    """A non-linearity phi(z), applied to each entry of an array.

    covariance        the average of phi(u) phi(v), u and v Gaussian of variance q, correlation p:
                      a function (q, p, xp), elementary functions taken from `xp`
    slope_covariance  the same for phi'(u) phi'(v)
    laws              where the two averages come from

    >>> activation("relu")(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    name: str
    function: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    covariance: Callable[..., Any]
    slope_covariance: Callable[..., Any]
    laws: tuple[Law, ...]

    def __call__(self, z: Array) -> Array:
        """phi(z), entry by entry."""
        return self.function(z)

    def derivative(self, z: Array) -> Array:
        """phi'(z), entry by entry; at the kink of ReLU it is 0.

        >>> activation("relu").derivative(np.array([-1.0, 0.0, 2.0]))
        array([0., 0., 1.])
        """
        return self.slope(z)

    def __repr__(self) -> str:
        return f"activation({self.name!r})"


def _relu(z: Array) -> Array:
    return np.maximum(z, 0.0)


def _relu_slope(z: Array) -> Array:
    return (z > 0).astype(np.float64)


def _erf(z: Array) -> Array:
    # Imported here: numeric verbs that never touch a finite network should not pay for SciPy.
    from scipy.special import erf

    values: Array = erf(z)
    return values


def _erf_slope(z: Array) -> Array:
    slopes: Array = 2.0 / np.sqrt(np.pi) * np.exp(-np.square(z))
    return slopes


ACTIVATIONS = (
    Activation(
        "relu",
        _relu,
        _relu_slope,
        generated.relu_covariance,
        lambda q, p, xp: generated.relu_slope(p, xp=xp),
        (laws.RELU_COVARIANCE, laws.RELU_SLOPE),
    ),
    Activation(
        "erf",
        _erf,
        _erf_slope,
        generated.erf_covariance,
        generated.erf_slope,
        (laws.ERF_COVARIANCE, laws.ERF_SLOPE),
    ),
)
NAMES = tuple(each.name for each in ACTIVATIONS)


def activation(name: str) -> Activation:
    """The non-linearity called `name`.

    Raises
    ------
    InvalidInput
        If no activation has that name; a near miss is suggested.

    >>> activation("erf")
    activation('erf')
    """
    return ACTIVATIONS[NAMES.index(choice("activation", name, NAMES))]
