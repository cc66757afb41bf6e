r"""A finite network in NTK parameterisation: forward, tangent kernel, gradient, Jacobian.

.. math::
    z_l = \sqrt{\sigma_w^2 / n_{l-1}}\; W_l h_{l-1} + \sqrt{\sigma_b^2}\; b_l, \qquad
    h_0 = x,\quad h_l = \phi(z_l),\quad f = z_L

with all W and b of order one (standard normal at initialisation) and trained. Everything about
derivatives follows from two tables that one sweep makes: the hidden layers h and the sensitivities
delta_l = df/dz_l. The derivative of f by W_l is the outer product of the two, so products with it
never need the Jacobian itself.

Source of the parameterisation: Jacot, Gabriel, Hongler 2018, https://arxiv.org/abs/1806.07572.
"""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.checks import variance
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.activation import activation

JACOBIAN_NUMBERS = 2**27  # 1 GiB of float64: beyond this an explicit Jacobian is refused
BLOCK_NUMBERS = 2**22  # 32 MiB of float64: the largest hidden layer a forward pass holds at once


@dataclass(frozen=True, eq=False)
class MLP:
    """A network with given parameters: the same question has the same answer.

    `weights[l]` has shape (fan_out, fan_in), `biases[l]` shape (fan_out,); the last layer has one
    output. `weight_variance` is divided by the fan-in, the first of which is the input dimension.
    Rows of inputs are used as they are: pass |x| = 1 for the Gram weight_variance x.x'/d +
    bias_variance with unit inputs, or |x|^2 = d for the other convention.

    Raises `InvalidInput` for an unknown activation, a negative variance, layers that do not fit
    together, or a parameter that is not finite.

    >>> tiny = MLP("relu", 1.0, 1.0, ([[2.0], [-1.0]], [[1.0, 1.0]]), ([0.0, 0.0], [0.5]))
    >>> tiny.forward([[3.0]]).round(4)
    array([4.7426])
    """

    activation: str
    weight_variance: float
    bias_variance: float
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]

    def __post_init__(self) -> None:
        activation(self.activation)
        for name in ("weight_variance", "bias_variance"):
            object.__setattr__(self, name, variance(name, getattr(self, name)))
        for name, axes in (("weights", 2), ("biases", 1)):
            layers = tuple(_layer(name, l, w, axes) for l, w in enumerate(getattr(self, name)))
            object.__setattr__(self, name, layers)
        fan_out = tuple(w.shape[0] for w in self.weights)
        fan_in = tuple(w.shape[1] for w in self.weights)
        if not fan_out or fan_out[-1] != 1 or fan_in[1:] != fan_out[:-1] or 0 in fan_in:
            raise InvalidInput(
                f"weights of shapes {[w.shape for w in self.weights]} do not chain: give a matrix "
                "(fan_out, fan_in) per layer, each fan_in the fan_out before it, the last fan_out 1"
            )
        if tuple(b.size for b in self.biases) != fan_out:
            raise InvalidInput(
                f"biases of sizes {[b.size for b in self.biases]} beside layers of {fan_out} "
                "units: give one bias vector a layer, one entry a unit"
            )

    @property
    def depth(self) -> int:
        """The number of dense layers; activations are one fewer."""
        return len(self.weights)

    @property
    def dimension(self) -> int:
        """The number of entries of one input."""
        return int(self.weights[0].shape[1])

    @property
    def parameters(self) -> int:
        """How many trained numbers the network has."""
        return sum(w.size + b.size for w, b in zip(self.weights, self.biases, strict=True))

    @cached_property
    def vector(self) -> Array:
        """All parameters on one axis: weights of layer 1 row by row, its biases, layer 2, ..."""
        pairs = zip(self.weights, self.biases, strict=True)
        return frozen(np.concatenate([part.ravel() for pair in pairs for part in pair]))

    def with_parameters(self, vector: Any) -> "MLP":
        """The same architecture with other parameters, in the order of `vector`.

        >>> line = MLP("erf", 1.0, 0.0, ([[1.0, 0.0]],), ([0.0],))
        >>> line.with_parameters([0.0, 1.0, 0.0]).weights
        (array([[0., 1.]]),)
        """
        whole = _read_only(vector)
        if whole.shape != (self.parameters,):
            raise InvalidInput(
                f"parameters of shape {whole.shape}: this network takes ({self.parameters},)"
            )
        parts = self.split(whole)
        weights, biases = zip(*parts, strict=True)
        return MLP(self.activation, self.weight_variance, self.bias_variance, weights, biases)

    def split(self, vector: Array) -> tuple[tuple[Array, Array], ...]:
        """Views of a vector of parameters, or of a gradient, as (weights, biases) by layer."""
        parts, at = [], 0
        for w, b in zip(self.weights, self.biases, strict=True):
            middle, end = at + w.size, at + w.size + b.size
            parts.append((vector[at:middle].reshape(w.shape), vector[middle:end]))
            at = end
        return tuple(parts)

    def forward(self, x: Any) -> Array:
        """f(x) for each row of `x`, axis (inputs,); large batches run in blocks of rows."""
        rows = self._rows("x", x)
        block = max(1, BLOCK_NUMBERS // max(w.size // w.shape[1] for w in self.weights))
        sweeps = (self._sweep(rows[i : i + block]) for i in range(0, len(rows), block))
        return np.concatenate([sweep.outputs for sweep in sweeps])

    def sweep(self, x: Any) -> "Sweep":
        """Run the rows of `x` through the network and keep what derivatives need."""
        return self._sweep(self._rows("x", x))

    def tangent_kernel(self, x: Any, x2: Any = None) -> Array:
        r"""The empirical neural tangent kernel, axes (rows of x, rows of x2).

        .. math:: \Theta(x, x') = \sum_\theta \partial_\theta f(x)\, \partial_\theta f(x')

        >>> line = MLP("relu", 2.0, 1.0, ([[1.0, 0.0]],), ([0.0],))
        >>> line.tangent_kernel([[1.0, 1.0]]).round(12)  # weight_variance x.x'/d + bias_variance
        array([[3.]])
        """
        left = self.sweep(x)
        return left.tangent_kernel(left if x2 is None else self.sweep(x2))

    def gradient(self, x: Any, residual: Any) -> Array:
        """sum_i residual_i df(x_i)/dtheta, in the order of `vector`."""
        sweep = self.sweep(x)
        weights = np.asarray(residual, dtype=np.float64)
        if weights.shape != sweep.outputs.shape:
            raise InvalidInput(
                f"residual of shape {weights.shape} for {sweep.outputs.size} inputs: give one "
                "number for each row of x"
            )
        return sweep.pull(weights)

    def jacobian(self, x: Any) -> Array:
        """df(x_i)/dtheta_p written out, axes (inputs, parameters); for small networks.

        Raises `InvalidInput` when it would take more than 1 GiB: `tangent_kernel`, `gradient` and
        the sweep's `push` give its products without it.
        """
        return self.sweep(x).jacobian()

    def _rows(self, name: str, x: Any) -> Array:
        rows = inputs_matrix(name, x)
        if rows.shape[1] != self.dimension:
            raise InvalidInput(
                f"{name} has {rows.shape[1]} columns: this network takes inputs of dimension "
                f"{self.dimension}, one a row"
            )
        return rows

    def _sweep(self, rows: Array) -> "Sweep":
        phi, h = activation(self.activation), rows
        fields, hidden = [], []
        for w, b in zip(self.weights, self.biases, strict=True):
            # The scale goes on the layer, not on the weights: W is large and stays untouched.
            hidden.append(sqrt(self.weight_variance / w.shape[1]) * h)
            z: Array = hidden[-1] @ w.T
            z += sqrt(self.bias_variance) * b
            fields.append(z)
            if len(fields) < self.depth:
                h = phi(z)
        return Sweep(self, tuple(hidden), tuple(fields))


@dataclass(frozen=True, eq=False)
class Sweep:
    """One run of a batch through a network, with everything first derivatives need.

    `hidden[l]` is what layer l+1 receives, h_l sqrt(weight_variance / fan-in), from h_0 = x on;
    `fields[l]` is what it makes of it, z_{l+1}. All have axes (inputs, units).
    """

    network: MLP
    hidden: tuple[Array, ...]
    fields: tuple[Array, ...]

    @property
    def outputs(self) -> Array:
        """f at each input."""
        return self.fields[-1][:, 0]

    @cached_property
    def sensitivities(self) -> tuple[Array, ...]:
        """delta_l = df/dz_l for l = 1 ... L, each with axes (inputs, units)."""
        net, phi = self.network, activation(self.network.activation)
        deltas = [np.ones_like(self.fields[-1])]
        for z, w in zip(reversed(self.fields[:-1]), reversed(net.weights[1:]), strict=True):
            back: Array = deltas[-1] @ w
            back *= phi.derivative(z)
            back *= sqrt(net.weight_variance / w.shape[1])
            deltas.append(back)
        return tuple(reversed(deltas))

    def tangent_kernel(self, other: "Sweep") -> Array:
        """Sum over layers of (delta . delta') (h . h' + bias variance), each dot over units."""
        kernel = np.zeros((self.outputs.size, other.outputs.size))
        mine = zip(self.sensitivities, self.hidden, strict=True)
        theirs = zip(other.sensitivities, other.hidden, strict=True)
        for (delta, h), (delta2, h2) in zip(mine, theirs, strict=True):
            kernel += (delta @ delta2.T) * (h @ h2.T + self.network.bias_variance)
        return kernel

    def pull(self, residual: Array) -> Array:
        """J^T residual: a vector of outputs pulled back to a vector of parameters."""
        gradient = np.empty(self.network.parameters)
        layers = zip(self.network.split(gradient), self.sensitivities, self.hidden, strict=True)
        for (w, b), delta, h in layers:
            weighted = residual[:, None] * delta
            np.matmul(weighted.T, h, out=w)
            np.multiply(weighted.sum(axis=0), sqrt(self.network.bias_variance), out=b)
        return gradient

    def push(self, tangent: Array) -> Array:
        """J tangent: how fast each output moves when the parameters move along `tangent`."""
        speed = np.zeros(self.outputs.size)
        layers = zip(self.network.split(tangent), self.sensitivities, self.hidden, strict=True)
        for (w, b), delta, h in layers:
            speed += np.sum(delta * (h @ w.T + sqrt(self.network.bias_variance) * b), axis=1)
        return speed

    def jacobian(self) -> Array:
        """J written out, axes (inputs, parameters)."""
        rows, columns = self.outputs.size, self.network.parameters
        if rows * columns > JACOBIAN_NUMBERS:
            raise InvalidInput(
                f"a Jacobian of {rows} x {columns} numbers takes {rows * columns * 8 / 2**30:.1f} "
                "GiB, more than the 1 GiB allowed: use tangent_kernel, gradient or push, which "
                "need only its products"
            )
        whole = np.empty((rows, columns))
        at = 0
        for delta, h in zip(self.sensitivities, self.hidden, strict=True):
            outer = (delta[:, :, None] * h[:, None, :]).reshape(rows, -1)
            middle, end = at + outer.shape[1], at + outer.shape[1] + delta.shape[1]
            whole[:, at:middle] = outer
            whole[:, middle:end] = sqrt(self.network.bias_variance) * delta
            at = end
        return whole


def inputs_matrix(name: str, values: Any) -> Array:
    """`values` as a float array with axes (inputs, dimension), finite and not empty."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(f"{name}: give numbers, one input a row of equal length") from None
    if array.ndim != 2 or array.size == 0:
        raise InvalidInput(f"{name} has shape {array.shape}: give (inputs, dimension), one a row")
    if not np.all(np.isfinite(array)):
        row, column = (int(i[0]) for i in np.nonzero(~np.isfinite(array)))
        raise InvalidInput(
            f"{name}[{row}, {column}] = {array[row, column]}: every entry must be finite"
        )
    return array


def _read_only(values: Any) -> Array:
    """A float64 array nobody can write to, copied only when somebody still could.

    Training makes one network a step; copying its parameters each time would cost as much as the
    step's own arithmetic.
    """
    if isinstance(values, np.ndarray) and values.dtype == np.float64 and not values.flags.writeable:
        owner = values.base
        if owner is None or (isinstance(owner, np.ndarray) and not owner.flags.writeable):
            return values
    try:
        return frozen(values)
    except (TypeError, ValueError):
        raise InvalidInput("parameters must be arrays of numbers, rows of equal length") from None


def _layer(name: str, place: int, values: Any, axes: int) -> Array:
    array = _read_only(values)
    if array.ndim != axes:
        raise InvalidInput(f"{name}[{place}] has shape {array.shape}: give {axes} axes")
    if not np.all(np.isfinite(array)):
        raise InvalidInput(f"{name}[{place}] holds a number that is not finite")
    return array
