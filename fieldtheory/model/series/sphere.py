r"""The series in 1/samples on the sphere: degrees, and one angle.

Orders 0 and 1 are sums over degrees. From order 2 on, lines in parallel are products of functions
of the angle,

.. math:: C(t) = \sum_l \deg(l)\, C_l\, P_l(t), \qquad
          C_l = \frac{\lambda_l s_2}{\eta\lambda_l + s_2},

averaged with a quadrature that is exact for all degrees that take part. Those are the first `BAND`.
Of what lies beyond, loops C(x, x) and all else that is a sum over degrees is kept; left out are its
products with other high degrees. They are of the order of `unresolved`, the share of sum_l deg(l)
C_l^2 in them: measured, up to 6 times that share of the term of order 2, 50 times of that of order
3.
"""

from typing import Any

import numpy as np

from fieldtheory.compiler import generated_sphere as source
from fieldtheory.compiler.space import sphere
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.measures.sphere import multiplicity
from fieldtheory.model.modes import Spectral
from fieldtheory.model.series.ensemble import Terms, needed
from fieldtheory.model.series.taylor import FUNCTIONS, Taylor
from fieldtheory.model.spectrum import MULTIPLICITY_AT_MOST, Spectrum

BAND = 512  # degrees that take part in products of functions of the angle


class Angles:
    """Values at the nodes from coefficients, `x @ angles`, and back, `x @ angles.T`, for arrays
    over more degrees than have a function: the others do not take part.

    >>> both = Angles(np.array([[1.0, 1.0], [1.0, -1.0]]), degrees=3)
    >>> (np.array([5.0, 2.0, 9.0]) @ both).tolist(), (np.array([1.0, 2.0]) @ both.T).tolist()
    ([7.0, 3.0], [3.0, -1.0, 0.0])
    """

    __array_ufunc__ = None  # an array on the left asks this class

    def __init__(self, functions: Array, degrees: int, back: bool = False) -> None:
        self.functions, self.degrees, self.back = functions, degrees, back

    @property
    def T(self) -> "Angles":
        """The other way."""
        return Angles(self.functions, self.degrees, not self.back)

    def __rmatmul__(self, values: Array) -> Array:
        known = len(self.functions)
        if not self.back:
            return np.asarray(values[..., :known] @ self.functions)
        found = np.zeros((*values.shape[:-1], self.degrees))
        found[..., :known] = values @ self.functions.T
        return found


def terms(
    spectrum: Spectral, power: Array, samples: Array, ridge: float, noise: float, **how: Any
) -> Terms:
    """The Poisson averages of each degree through an order.

    how  order, and the ensemble they are for

    Raises `OutOfRegime` from order 2 on for modes of another measure than the sphere's.
    """
    order, ensemble = int(how["order"]), str(how["ensemble"])
    size = spectrum.eigenvalues.size
    arrays = {"lam": spectrum.eigenvalues / ridge, "deg": spectrum.counts, "G": power}
    if order > 1:
        arrays |= _angular(_on_sphere(spectrum, order), order, arrays)
    means, shares = [], []
    for k in range(order + 1):
        count = needed(k, order, ensemble)
        values = {
            **arrays,
            "eta": Taylor.samples(samples, count),
            "s2": np.float64(1),
            "v": np.float64(noise),
        }
        mean = _run(f"mean_{k}", values, size)
        means.append(Taylor(mean.coefficients[..., None]))
        if k == 0:
            shares.append(Taylor(np.zeros((count, samples.size, size))))
            continue
        share = _run(f"covariance_{k}", values, size)
        shares.append(share + _run(f"noise_{k}", values, size) if noise else share)
    return Terms(tuple(means), tuple(shares), power[:, None])


def unresolved(spectrum: Spectral, samples: Array, ridge: float) -> Array:
    """(sizes,) the part of E[C(t)^2] in degrees that take no part in products."""
    lam, deg, last = spectrum.eigenvalues, spectrum.counts, _band(spectrum)
    square = deg * (lam / (samples[:, None] * lam / ridge + 1)) ** 2
    return np.asarray(square[:, last + 1 :].sum(axis=1) / square.sum(axis=1))


def _run(name: str, values: dict[str, Any], size: int) -> Taylor:
    """A generated program on the inputs it asks for; the degrees of the spectrum."""
    found = getattr(source, name)
    inputs = source.INPUTS[name]
    value = found(*(values[one] for one in inputs), xp=FUNCTIONS)
    return Taylor(value.coefficients[..., :size])


def _on_sphere(spectrum: Spectral, order: int) -> Spectrum:
    if not isinstance(spectrum, Spectrum):
        measure = getattr(spectrum, "measure", spectrum.name)
        raise OutOfRegime(
            f"order = {order} of the series on {measure}: from order 2 on it takes more than "
            "eigenvalues. Use order 0 or 1, the sphere (Task.sphere), or given points (Task.data)"
        )
    return spectrum


def _band(spectrum: Spectral) -> int:
    """The last degree that takes part in products."""
    return min(spectrum.eigenvalues.size - 1, BAND)


def _angular(spectrum: Spectrum, order: int, arrays: dict[str, Array]) -> dict[str, Any]:
    """Functions of the angle and weights of its nodes; arrays over degrees, as long as the products
    reach."""
    size, band = spectrum.eigenvalues.size, _band(spectrum)
    reaching = source.REACH[order] if size <= BAND + 1 else 1
    reach = max(band, reaching * band)
    while multiplicity(spectrum.dimension, reach) > MULTIPLICITY_AT_MOST:
        reach -= 1
    basis = sphere(spectrum.dimension).basis(reach + 1, source.TOTAL * band)
    degrees = max(size, reach + 1)
    padded = {name: np.pad(value, (0, degrees - size)) for name, value in arrays.items()}
    padded["deg"][: reach + 1] = basis.multiplicities
    return {**padded, "P": Angles(basis.functions, degrees), "w": basis.weights}
