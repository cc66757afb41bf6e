"""A network at infinite width: depth, activation, variances, and which kernel describes it."""

from dataclasses import dataclass
from typing import Any

from fieldtheory.compiler import generated
from fieldtheory.ground import checks
from fieldtheory.model.activation import activation
from fieldtheory.model.kernel import Kernel

KERNELS = ("ntk", "nngp")
INPUT_NORMS = ("unit", "dimension")


@dataclass(frozen=True)
class Network:
    r"""A fully connected network of `depth` dense layers and depth - 1 activations.

    Every weight has variance weight_variance / fan-in and every bias bias_variance; the kernel is
    the neural tangent kernel ("ntk": gradient descent on all weights and biases) or the covariance
    of the outputs at initialisation ("nngp": Bayesian inference). Layer by layer

    .. math:: \Sigma \leftarrow \sigma_w^2 \langle\phi\phi\rangle_\Sigma + \sigma_b^2, \qquad
              \Theta \leftarrow \Sigma + \Theta \, \sigma_w^2 \langle\phi'\phi'\rangle

    Raises `InvalidInput` for a depth below 1, a negative variance, an unknown name.

    >>> network = Network(depth=4, activation="relu", weight_variance=1, bias_variance=1)
    >>> round(network.on_sphere(50).trace, 10)
    3.26
    """

    depth: int
    activation: str = "relu"
    weight_variance: float = 1.0
    bias_variance: float = 1.0
    kernel: str = "ntk"

    def __post_init__(self) -> None:
        clean = {
            "depth": checks.count("depth", self.depth, least=1),
            "activation": activation(self.activation).name,
            "weight_variance": checks.positive("weight_variance", self.weight_variance),
            "bias_variance": checks.variance("bias_variance", self.bias_variance),
            "kernel": checks.choice("kernel", self.kernel, KERNELS),
        }
        for name, value in clean.items():
            object.__setattr__(self, name, value)

    def on_sphere(self, dimension: int, input_norm: str = "unit") -> Kernel:
        """The kernel as a function of the cosine t of two inputs on S^(dimension - 1).

        `input_norm` "unit" means |x| = 1, so the first layer sees weight_variance * t / dimension;
        "dimension" means |x|^2 = dimension, so it sees weight_variance * t. Both add the bias.
        """
        d = checks.count("dimension", dimension, least=2)
        norm = checks.choice("input_norm", input_norm, INPUT_NORMS)
        return Kernel(str(self), _Layers(self, 1 if norm == "dimension" else d))

    def __str__(self) -> str:
        return (
            f"{self.activation} {self.kernel.upper()}, depth {self.depth}, weight variance "
            f"{self.weight_variance:g}, bias variance {self.bias_variance:g}"
        )


@dataclass(frozen=True)
class _Layers:
    """The layer recursion on the cosine t."""

    network: Network
    fan_in: int

    def __call__(self, t: Any, xp: Any) -> Any:
        net = self.network
        phi = activation(net.activation)
        q = self._first(xp.one)
        sigma = theta = self._first(t)
        for _ in range(net.depth - 1):
            p = xp.clip(sigma / q, -1, 1)  # rounding alone may push a correlation past one
            slopes = phi.slope_covariance(q, p, xp=xp)
            sigma = self._next(phi.covariance(q, p, xp=xp))
            q = self._next(phi.covariance(q, xp.one, xp=xp))
            theta = generated.layer_tangent(net.weight_variance, slopes, sigma, theta)
        return theta if net.kernel == "ntk" else sigma

    def _first(self, t: Any) -> Any:
        return self._next(t / self.fan_in)

    def _next(self, average: Any) -> Any:
        net = self.network
        return generated.layer_covariance(net.weight_variance, net.bias_variance, average)
