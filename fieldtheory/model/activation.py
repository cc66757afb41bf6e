"""The pointwise non-linearities, by name: what a finite network applies to its fields.

Only the function and its slope live here. Gaussian averages of them are formulas, and those come
from the laws.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.checks import choice


@dataclass(frozen=True)
class Activation:
    """A non-linearity phi(z), applied to each entry of an array.

    >>> activation("relu")(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    name: str
    function: Callable[[Array], Array]
    slope: Callable[[Array], Array]

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
    Activation("relu", _relu, _relu_slope),
    Activation("erf", _erf, _erf_slope),
)


def activation(name: str) -> Activation:
    """The non-linearity called `name`.

    Raises
    ------
    InvalidInput
        If no activation has that name; a near miss is suggested.

    >>> activation("erf")
    activation('erf')
    """
    known = {each.name: each for each in ACTIVATIONS}
    return known[choice("activation", name, known)]
