"""A network at infinite width: depth, activation, variances, and which kernel describes it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.shown import Printed
from fieldtheory.model.activation import KNOWN, Activation
from fieldtheory.model.activation import activation as named
from fieldtheory.model.depth import layer
from fieldtheory.model.kernel import REAL, Kernel

KERNELS = ("ntk", "nngp")
INPUT_NORMS = ("unit", "dimension")
TRAINED = ("all", "first", "last")
AT_LEAST, AT_MOST = 1e-140, 1e140  # of variances and kernels: their squares are floats too
SEEN = 1e-12  # a fraction left out of an expansion that is worth telling


@dataclass(frozen=True)
class Network(Printed):
    r"""A fully connected network of `depth` dense layers and depth - 1 activations.

    Every weight has variance weight_variance / fan-in and every bias bias_variance; the kernel is
    the neural tangent kernel ("ntk": gradient descent) or the covariance of the outputs at
    initialisation ("nngp": Bayesian inference). Layer by layer

    .. math:: \Sigma \leftarrow \sigma_w^2 \langle\phi\phi\rangle_\Sigma + \sigma_b^2, \qquad
              \Theta \leftarrow \Sigma + \Theta \, \sigma_w^2 \langle\phi'\phi'\rangle

    activation       a name, see `activation`, or any function that acts on arrays
    weight_variance  one number, or one for each layer, the input layer first
    bias_variance    the same
    residual         strength s of a connection around every hidden layer but the first:
                     z <- s z + W phi(z) + b
    input_bias       whether the first layer has biases
    trained          which layers the tangent kernel trains: "all", "first" or "last"
    train_biases     whether it trains their biases as well as their weights

    Raises `InvalidInput` for a depth below 1, a negative variance, lists of another length than the
    depth, an unknown name, and a tangent kernel through an activation that jumps.

    >>> network = Network(depth=4, activation="relu", weight_variance=1, bias_variance=1)
    >>> round(network.on_sphere(50).trace, 10)
    3.26
    >>> layers = Network(depth=3, activation="gelu", weight_variance=[2, 1.5, 1], residual=1.0)
    >>> print(layers)
    gelu NTK, depth 3, weight variance 2, 1.5, 1, bias variance 1, residual 1
    """

    depth: int
    activation: Any = "relu"
    weight_variance: Any = 1.0
    bias_variance: Any = 1.0
    kernel: str = "ntk"
    residual: float = 0.0
    input_bias: bool = True
    trained: str = "all"
    train_biases: bool = True

    def __post_init__(self) -> None:
        depth = checks.count("depth", self.depth, least=1)
        phi = named(self.activation)
        clean = {
            "depth": depth,
            "activation": _spelled(self.activation, phi),
            "weight_variance": _by_layer("weight_variance", self.weight_variance, depth),
            "bias_variance": _by_layer("bias_variance", self.bias_variance, depth),
            "kernel": checks.choice("kernel", self.kernel, KERNELS),
            "residual": checks.number("residual", self.residual),
            "trained": checks.choice("trained", self.trained, TRAINED),
        }
        for name, value in clean.items():
            object.__setattr__(self, name, value)
        for name in ("input_bias", "train_biases"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidInput(f"{name} = {getattr(self, name)!r}: give True or False")
        if depth > 1:
            layer.refuse_jump(phi, self.kernel == "ntk" and self.trained != "last")

    @property
    def phi(self) -> Activation:
        """The activation itself."""
        return named(self.activation)

    @property
    def weights(self) -> tuple[float, ...]:
        """The weight variance of each layer."""
        return _spread(self.weight_variance, self.depth)

    @property
    def biases(self) -> tuple[float, ...]:
        """The bias variance of each layer: zero in the first, if that has none."""
        biases = _spread(self.bias_variance, self.depth)
        return biases if self.input_bias else (0.0, *biases[1:])

    @property
    def plain(self) -> bool:
        """Whether it is one that `depth`, `activation`, two numbers and `kernel` describe."""
        return self == Network(
            self.depth, self.activation, self.weights[0], self.biases[0], self.kernel
        )

    def to_dict(self) -> dict[str, Any]:
        """The network as plain data; an activation of one's own by its name.

        >>> network = Network(3, weight_variance=[2, 1.5, 1], residual=1.0)
        >>> Network(**network.to_dict()) == network
        True
        """
        lists = {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}
        return lists | {"activation": self.phi.name}

    def layers(self, weights: Sequence[Any] = (), biases: Sequence[Any] = ()) -> list[layer.Dense]:
        """The dense layers, with other variances in their place if given (arrays, dual numbers)."""
        found = []
        pairs = zip(weights or self.weights, biases or self.biases, strict=True)
        for number, (weight, bias) in enumerate(pairs):
            trained = self.trained == "all" or number == (
                0 if self.trained == "first" else self.depth - 1
            )
            inside = 0 < number < self.depth - 1
            found.append(
                layer.Dense(
                    weight,
                    bias,
                    self.residual if inside else 0.0,
                    trained,
                    trained and self.train_biases,
                )
            )
        return found

    def on_sphere(self, dimension: int, input_norm: str = "unit") -> Kernel:
        """The kernel as a function of the cosine t of two inputs on S^(dimension - 1).

        `input_norm` "unit" means |x| = 1, so the first layer sees weight_variance * t / dimension;
        "dimension" means |x|^2 = dimension, so it sees weight_variance * t. Both add the bias.

        Where an activation had to be expanded and the expansion leaves something out, the name of
        the kernel says how much.
        """
        inputs = fan_in(dimension, input_norm)
        rest = self.neglected(inputs)
        note = f"; the expansion leaves out {rest:.0e} of a layer" if rest > SEEN else ""
        return Kernel(f"{self}{note}", Layers(self, self.layers(), inputs))

    def neglected(self, inputs: int) -> float:
        """The largest fraction of <phi^2> that the expansion leaves out in any layer.

        `inputs` is what the squared length of an input is divided by.
        """
        variances = self.variances(inputs)
        if self.phi.expand is None:
            return 0.0
        return max(map(self.phi.neglected, variances[:-1]), default=0.0)

    def variances(self, inputs: int) -> tuple[float, ...]:
        """The variance of the fields after each dense layer.

        `inputs` is what the squared length of an input is divided by. Raises `OutOfRegime` at the
        first layer where it, or the tangent kernel, leaves the range of what float64 can square.

        >>> [round(q, 3) for q in Network(4, "relu", 1.0, 0.1).variances(10)]
        [0.2, 0.2, 0.2, 0.2]
        """
        found: list[float] = []
        for number, state in enumerate(self._states(inputs), start=1):
            for what, value in (("variance of the fields", state.q), ("kernel", state.theta)):
                if value is not None and not AT_LEAST <= value <= AT_MOST:
                    raise self._extreme(number, what, float(value))
            found.append(float(state.q))
        return tuple(found)

    def _states(self, inputs: int) -> Iterator[layer.State]:
        """The layers at t = 1, one after the other."""
        dense, phi = self.layers(), self.phi
        tangent = self.kernel == "ntk" and self.trained != "last"
        state = layer.first_same(inputs, dense[0], REAL, tangent)
        yield state
        for each in dense[1:]:
            try:
                with np.errstate(all="ignore"):  # what is too large or too small is judged outside
                    state = layer.hidden(state, phi, each, REAL)
            except OverflowError:  # numbers of Python raise where those of NumPy become infinite
                state = layer.State(inf, None, inf)
            yield state

    def _extreme(self, number: int, what: str, value: float) -> OutOfRegime:
        shown = f"{value:.1e}" if isfinite(value) else "beyond any float"
        change = "raise weight_variance or bias_variance, or reduce the depth"
        if not value < 1:
            change = 'reduce weight_variance, residual or the depth (or take input_norm "unit")'
        elif what == "kernel":
            change = "raise weight_variance, reduce the depth, or train all layers"
        return OutOfRegime(
            f"{self}: at layer {number} of {self.depth} the {what} is {shown}, which float64 "
            f"cannot square (allowed: {AT_LEAST:g} to {AT_MOST:g}): {change}; "
            "ReLU keeps its variance at weight_variance 2, bias_variance 0"
        )

    def __str__(self) -> str:
        options = [
            f"residual {self.residual:g}" if self.residual else "",
            "" if self.input_bias else "no input bias",
            "" if self.trained == "all" else f"only the {self.trained} layer trained",
            "" if self.train_biases else "biases not trained",
        ]
        head = (
            f"{self.phi.name} {self.kernel.upper()}, depth {self.depth}, weight variance "
            f"{_shown(self.weight_variance)}, bias variance {_shown(self.bias_variance)}"
        )
        return ", ".join([head, *filter(None, options)])


@dataclass(frozen=True)
class Layers:
    """The layer recursion on the cosine t."""

    network: Network
    dense: Sequence[layer.Dense]
    fan_in: int

    def __call__(self, t: Any, xp: Any) -> Any:
        return self._after(layer.first(t, self.fan_in, self.dense[0], xp, self._tangent), xp)

    def top(self, xp: Any) -> Any:
        """The same at t = 1, where derivatives by the variances stay finite."""
        return self._after(layer.first_same(self.fan_in, self.dense[0], xp, self._tangent), xp)

    @property
    def _only_last(self) -> bool:
        network = self.network
        return network.kernel == "ntk" and network.trained == "last" and network.depth > 1

    @property
    def _tangent(self) -> bool:
        return self.network.kernel == "ntk" and not self._only_last

    def _after(self, state: layer.State, xp: Any) -> Any:
        phi = self.network.phi
        for dense in self.dense[1 : -1 if self._only_last else None]:
            state = layer.hidden(state, phi, dense, xp)
        if self._only_last:
            return layer.last(state, phi, self.dense[-1], xp)
        return state.theta if self._tangent else state.sigma


def fan_in(dimension: int, input_norm: str) -> int:
    """What the squared length of an input is divided by, if that is called one."""
    d = checks.count("dimension", dimension, least=2)
    return 1 if checks.choice("input_norm", input_norm, INPUT_NORMS) == "dimension" else d


def _spelled(given: Any, phi: Activation) -> Any:
    """A name stays a name, so that networks print and compare as they are written."""
    if isinstance(given, str):
        return given if given in KNOWN else phi.name
    return phi


def _by_layer(name: str, given: Any, depth: int) -> Any:
    """One variance, or a tuple with one for each layer."""
    check = checks.positive if name == "weight_variance" else checks.variance
    given = given.tolist() if hasattr(given, "tolist") else given  # an array, or its entry
    if not isinstance(given, (list, tuple)):
        return check(name, given)
    values = tuple(check(f"{name}[{n}]", v) for n, v in enumerate(given))
    if len(values) != depth:
        raise InvalidInput(
            f"{name} has {len(values)} entries for {depth} layers: give one number, or one for "
            "each layer, the input layer first"
        )
    return values


def _spread(value: Any, depth: int) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,) * depth


def _shown(value: Any) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return ", ".join(f"{part:g}" for part in parts)
