"""Kernels on the sphere as functions of the cosine t: in floats, power series or many digits."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.activation import activation as named
from fieldtheory.model.averages.jet import JET, Jet
from fieldtheory.model.depth import layer

# The world a formula is evaluated in: floats here, power series in jet.py, many digits in
# precise.py. Each offers these functions; `clip` guards against correlations of 1 + 1e-16.
REAL = SimpleNamespace(
    sqrt=np.sqrt,
    exp=np.exp,
    arccos=np.arccos,
    arcsin=np.arcsin,
    pi=np.pi,
    clip=np.clip,
    one=1.0,
)


@dataclass(frozen=True, eq=False)
class Kernel(Pictured, Printed):
    """A kernel K(t) on the sphere, t = cos(theta) between two inputs.

    `function(t, xp)` computes it, with elementary functions taken from `xp`, so that one formula
    serves floats, power series and multiple precision. `Kernel.of` takes a plain function of t.

    Kernels add and multiply, with each other and with positive numbers, and `through` passes one
    through a layer of a network.

    >>> Kernel("square", lambda t, xp: t**2).power_series(3).round(12).tolist()
    [0.0, 0.0, 1.0, 0.0]
    """

    name: str
    function: Callable[[Any, Any], Any]

    def __call__(self, t: Any) -> Array:
        """K at real cosines -1 <= t <= 1, of the shape of `t`."""
        t = np.asarray(t, dtype=float)
        if t.size and not np.max(np.abs(t)) <= 1:
            raise InvalidInput(
                f"kernel {self.name!r}: cosines must lie in [-1, 1]; normalise the inputs"
            )
        return np.asarray(self.function(t, REAL), dtype=float)

    @cached_property
    def trace(self) -> float:
        """K(1) = sum_l deg(l) lam_l, the total variance."""
        top = float(self(1.0))
        if not (np.isfinite(top) and top > 0):
            raise InvalidInput(
                f"kernel {self.name!r}: K(1) = {top}; it must be a positive finite number"
            )
        return top

    def power_series(self, terms: int) -> Array:
        r"""Coefficients b_0 .. b_terms of :math:`K(t) = \sum_q b_q t^q`."""
        order = checks.count("terms", terms)
        series = self.function(Jet.variable(np.zeros(1), np.ones(1), order), JET)
        return frozen(series.coefficients[:, 0])

    @staticmethod
    def of(function: Callable[[Array], Any], name: str | None = None) -> "Kernel":
        """A kernel from a function of the cosines alone, as an array.

        Written with arithmetic and `np.exp`, `np.sqrt`, `np.arccos` or `np.arcsin` it serves the
        accurate road of `spectrum` too; otherwise the eigenvalues come from its values alone, with
        the larger errors they state. Raises `InvalidInput` if the function does not return one
        finite number for each cosine.

        >>> float(Kernel.of(lambda t: np.exp(t - 1), name="rbf").trace)
        1.0
        """
        label = str(name or getattr(function, "__name__", "kernel"))
        probe = np.linspace(-1, 1, 5)
        try:
            with np.errstate(all="ignore"):  # what is not finite is judged below
                found = np.asarray(function(probe))
        except (TypeError, ValueError) as problem:
            raise InvalidInput(
                f"kernel {label!r} fails on an array of {probe.size} cosines ({problem}): it must "
                "act on each entry of an array (use np.where, not if; np.exp, not math.exp)"
            ) from None
        if found.shape != probe.shape or found.dtype.kind not in "fiu":
            raise InvalidInput(
                f"kernel {label!r} returned shape {found.shape}, type {found.dtype}, for "
                f"{probe.size} cosines: it must act on each entry of an array"
            )
        if not np.all(np.isfinite(found)):
            bad = probe[~np.isfinite(found)][0]
            raise InvalidInput(f"kernel {label!r} is not finite at t = {bad:g}")
        return Kernel(label, _Plain(function, label))

    def through(
        self,
        activation: Any,
        *,
        weight_variance: float = 1.0,
        bias_variance: float = 0.0,
        residual: float = 0.0,
        tangent: "Kernel | None" = None,
    ) -> "Kernel":
        r"""The kernel after one more dense layer of infinite width.

        This kernel is the covariance of the fields that enter the activation,

        .. math:: K \leftarrow \sigma_w^2 \langle\phi\phi\rangle_K + \sigma_b^2 + s^2 K

        with s the `residual` connection. With `tangent`, the tangent kernel below the layer, it is
        the tangent kernel above it, every parameter of the layer trained.

        Raises `InvalidInput` like `activation`, and for variances that are negative.

        >>> first = Kernel("first layer", lambda t, xp: 1 + t / 50)
        >>> second = first.through("relu", bias_variance=1)
        >>> abs(second.trace - ((1 + 1 / 50) / 2 + 1)) < 1e-15
        True
        """
        phi = named(activation)
        dense = layer.Dense(
            checks.positive("weight_variance", weight_variance),
            checks.variance("bias_variance", bias_variance),
            checks.number("residual", residual),
        )
        layer.refuse_jump(phi, tangent is not None)
        return Kernel(f"{phi.name} of {_bracketed(self.name)}", _Through(self, tangent, phi, dense))

    def __add__(self, other: Any) -> "Kernel":
        both = _as_kernel(other)
        name = f"{self.name} + {both.name}"
        return Kernel(name, lambda t, xp: self.function(t, xp) + both.function(t, xp))

    def __mul__(self, other: Any) -> "Kernel":
        both = _as_kernel(other)
        name = f"{_bracketed(self.name)} * {_bracketed(both.name)}"
        return Kernel(name, lambda t, xp: self.function(t, xp) * both.function(t, xp))

    def __radd__(self, other: Any) -> "Kernel":
        # sum(kernels) begins with the number 0
        return self if isinstance(other, int) and other == 0 else self + other

    __rmul__ = __mul__

    def to_dict(self) -> dict[str, Any]:
        """Its name and its values K(t) where `picture` has them, as plain data."""
        (line,) = self.picture().lines
        return {"name": self.name, "t": line.x.tolist(), "kernel": line.y.tolist()}

    def picture(self) -> Picture:
        """K as a curve over the angle cosine t."""
        t = np.cos(np.linspace(np.pi, 0, 201))
        return Picture(f"kernel of {self.name}", "t", "K(t)", (Line(self.name, t, self(t)),))

    def __str__(self) -> str:
        return self.name


def _as_kernel(given: Any) -> Kernel:
    """A kernel, or a number that is one: constant kernels are positive if the number is."""
    if isinstance(given, Kernel):
        return given
    if hasattr(given, "on_sphere"):
        raise InvalidInput(
            f"{given} is a network, not yet a kernel: combine network.on_sphere(dimension)"
        )
    constant = checks.variance("a number combined with a kernel", given)
    return Kernel(f"{constant:g}", lambda t, xp: 0 * t + constant)


def checked(given: Any) -> Kernel:
    """A kernel, or one clear error that says how to make one of what was given.

    >>> checked(np.exp)
    Traceback (most recent call last):
    fieldtheory.ground.errors.InvalidInput: kernel = <ufunc 'exp'>: ... Kernel.of(function of t)...
    """
    if isinstance(given, Kernel):
        return given
    raise InvalidInput(
        f"kernel = {given!r}: give a Kernel; make one by network.on_sphere(dimension), "
        "Kernel.of(function of t), standard_kernel(name) or spectrum.kernel()"
    )


def _bracketed(name: str) -> str:
    """The name in brackets if it is a sum, but for sums that are in brackets already."""
    outside, depth = "", 0
    for letter in name:
        depth += (letter == "(") - (letter == ")")
        outside += letter if depth == 0 else ""
    return f"({name})" if " + " in outside else name


@dataclass(frozen=True)
class _Plain:
    """A function of t alone: asked with series it answers if its operations are known to them."""

    function: Callable[[Any], Any]
    name: str

    def __call__(self, t: Any, xp: Any) -> Any:
        try:
            return self.function(t)
        except TypeError:
            if isinstance(t, Jet):  # no series: `spectrum` turns to the values
                return Jet(np.full_like(t.coefficients, np.nan))
            if isinstance(t, np.ndarray) and t.dtype == object:
                raise InvalidInput(
                    f"kernel {self.name!r} is known in float64 only: for more digits write it as "
                    "Kernel(name, lambda t, xp: ...) with functions of xp"
                ) from None
            raise


@dataclass(frozen=True)
class _Through:
    """A kernel after one more layer."""

    below: Kernel
    tangent: Kernel | None
    phi: Any
    dense: layer.Dense

    def __call__(self, t: Any, xp: Any) -> Any:
        same = self.below.function(xp.one, xp)
        theta = self.tangent.function(t, xp) if self.tangent else None
        state = layer.State(self.below.function(t, xp), theta, same)
        after = layer.hidden(state, self.phi, self.dense, xp)
        return after.sigma if self.tangent is None else after.theta


STANDARD = ("rbf", "laplace", "matern", "polynomial")


def standard_kernel(
    name: str,
    *,
    length: float = 1.0,
    smoothness: float = 1.5,
    degree: int = 2,
    offset: float = 1.0,
    radius: float = 1.0,
) -> Kernel:
    r"""A textbook kernel restricted to the sphere of radius `radius`, for comparison.

    With r^2 = 2 radius^2 (1 - t):  rbf exp(-r^2 / 2 length^2), laplace exp(-r / length), matern of
    smoothness 0.5, 1.5 or 2.5, polynomial (offset + radius^2 t)^degree.

    >>> standard_kernel("rbf").trace
    1.0
    """
    checks.choice("kernel", name, STANDARD)
    scale = checks.positive("length", length) / checks.positive("radius", radius)
    if name == "polynomial":
        power, constant = checks.count("degree", degree), checks.variance("offset", offset)
        return Kernel(
            f"polynomial, degree {power}, offset {constant:g}",
            lambda t, xp: (constant + radius**2 * t) ** power,
        )
    if name == "rbf":
        return Kernel(f"rbf, length {length:g}", lambda t, xp: xp.exp((t - 1) / scale**2))
    if name == "laplace":
        return Kernel(
            f"laplace, length {length:g}", lambda t, xp: xp.exp(-_distance(t, xp) / scale)
        )
    if smoothness not in MATERN:
        raise InvalidInput(f"smoothness = {smoothness!r}: choose 0.5, 1.5 or 2.5")
    polynomial = MATERN[smoothness]

    def matern(t: Any, xp: Any) -> Any:
        z = xp.sqrt(2 * smoothness * xp.one) * _distance(t, xp) / scale
        return polynomial(z) * xp.exp(-z)

    return Kernel(f"matern, smoothness {smoothness:g}, length {length:g}", matern)


MATERN: dict[float, Callable[[Any], Any]] = {
    0.5: lambda z: 1 + 0 * z,
    1.5: lambda z: 1 + z,
    2.5: lambda z: 1 + z + z**2 / 3,
}


def _distance(t: Any, xp: Any) -> Any:
    return xp.sqrt(2 - 2 * t)
