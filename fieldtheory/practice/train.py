r"""Train a finite network by full-batch gradient descent, and compare it with its kernel.

The loss is measured from the initialisation, so that no trace of f_0 is left in the answer:

.. math::
    \tfrac12 \sum_i \big(f(x_i) - f_0(x_i) - s\, y_i\big)^2
    + \tfrac{\mathrm{ridge}}{2}\, |\theta - \theta_0|^2
    \quad\longrightarrow\quad
    \frac{f - f_0}{s} = \Theta_{*D} (\Theta_{DD} + \mathrm{ridge})^{-1} y
    \quad (\text{width} \to \infty)

with Theta the tangent kernel and s the label scale. The limit does not depend on s. At finite width
a small s leaves the parameters nearly where they were, and the network in its linear regime; s = 1
lets it learn features, and the more so the larger y (Theta + ridge)^-1 y is beside the width.

Sources: Jacot, Gabriel, Hongler 2018, https://arxiv.org/abs/1806.07572 (the limit); Chizat,
Oyallon, Bach 2019, https://arxiv.org/abs/1812.07956 (the scale).
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.checks import count, positive, variance, vector
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.shown import Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.mlp import MLP, inputs_matrix
from fieldtheory.practice.descent import Descent, Problem

PARAMETERS = 2**28  # 2 GiB a copy, and training holds several


class Architecture(Protocol):
    """What training asks of a network: `fieldtheory.Network` has all of it."""

    @property
    def depth(self) -> int: ...
    @property
    def activation(self) -> str: ...
    @property
    def weight_variance(self) -> float: ...
    @property
    def bias_variance(self) -> float: ...
    @property
    def kernel(self) -> str: ...


@dataclass(frozen=True, eq=False)
class Trained(Printed):
    """A trained network, beside the one it started from, and how it got there.

    `remaining` estimates how far the outputs at the training inputs are from the minimum of the
    loss, relative to the labels; `converged` says whether it reached `tolerance`. `loss_history`
    has axis (steps + 1,), trial steps that were taken back included.
    """

    start: MLP
    end: MLP
    samples: int
    ridge: float
    label_scale: float
    tolerance: float
    momentum: bool
    steps: int
    restarts: int
    remaining: float
    condition: float
    loss_history: Array
    seed: int | None
    version: str = __version__

    @property
    def width(self) -> int:
        """The number of units of a hidden layer (1 when there is none)."""
        return int(self.start.biases[0].size)

    @property
    def loss(self) -> float:
        """The loss at the end, ridge term included."""
        return float(self.loss_history[-1])

    @property
    def converged(self) -> bool:
        """Whether the minimum was reached to `tolerance`."""
        return self.remaining <= self.tolerance

    def predict(self, x: Any) -> Array:
        """(f(x) - f_0(x)) / label_scale for each row of `x`: what was learnt."""
        return (self.end.forward(x) - self.start.forward(x)) / self.label_scale

    def __str__(self) -> str:
        way = "momentum" if self.momentum else "plain steps"
        verdict = "converged" if self.converged else "NOT converged: raise max_steps"
        seed = "from a generator" if self.seed is None else self.seed
        return "\n".join(
            [
                f"trained network: depth {self.start.depth}, {self.start.activation}, width "
                f"{self.width}, weight variance {self.start.weight_variance:g}, bias variance "
                f"{self.start.bias_variance:g}",
                f"  on {self.samples} samples in dimension {self.start.dimension}, "
                f"ridge {self.ridge:g}, label scale {self.label_scale:g}, seed {seed}",
                f"  {self.steps} steps with {way}, step shortened {self.restarts} times, condition "
                f"number {self.condition:.3g}",
                f"  distance to the minimum {self.remaining:.1e} of the labels, asked "
                f"{self.tolerance:.1e}: {verdict}",
                f"  loss {self.loss_history[0]:.6g} -> {self.loss:.6g}",
                f"  fieldtheory {self.version}",
            ]
        )


def initialise(network: Architecture, *, width: int, dimension: int, rng: Any) -> MLP:
    """A network of `network`'s kind with standard normal parameters.

    `width` units in each hidden layer, inputs of `dimension` entries; `rng` is a seed or a NumPy
    Generator. Raises `InvalidInput` for sizes below 1, or so large that the parameters would
    not fit.

    >>> from types import SimpleNamespace
    >>> kind = SimpleNamespace(
    ...     depth=3, activation="relu", weight_variance=1.0, bias_variance=1.0, kernel="ntk"
    ... )
    >>> [w.shape for w in initialise(kind, width=64, dimension=5, rng=0).weights]
    [(64, 5), (64, 64), (1, 64)]
    """
    if not getattr(network, "plain", True):
        raise InvalidInput(
            f"{network}: only plain networks are trained, those that depth, activation, one weight "
            "and one bias variance and the kernel describe; leave the other options out"
        )
    depth = count("depth", network.depth, least=1)
    width, dimension = count("width", width, least=1), count("dimension", dimension, least=1)
    sizes = (dimension, *(width,) * (depth - 1), 1)
    layers = list(zip(sizes[1:], sizes[:-1], strict=True))
    total = sum(out * (inside + 1) for out, inside in layers)
    if total > PARAMETERS:
        raise InvalidInput(
            f"depth {depth} and width {width} make {total:.2e} parameters, "
            f"{total * 8 / 2**30:.0f} GiB a copy; at most {PARAMETERS:.2e} are allowed: "
            "take a smaller width"
        )
    chance, _ = _chance(rng)
    return MLP(
        network.activation,
        network.weight_variance,
        network.bias_variance,
        tuple(chance.standard_normal(layer) for layer in layers),
        tuple(chance.standard_normal(out) for out, _ in layers),
    )


def train(
    network: Architecture,
    inputs: Any,
    labels: Any,
    *,
    width: int,
    rng: Any,
    ridge: float = 0.0,
    label_scale: float = 1.0,
    tolerance: float = 1e-3,
    max_steps: int = 20_000,
    momentum: bool = True,
    progress: bool | None = None,
) -> Trained:
    """Draw a network and train all its layers until the loss is at its minimum.

    Arguments: `inputs` (samples, dimension), `labels` (samples,); `width` units a hidden layer;
    `rng` a seed or NumPy Generator for the initialisation; `ridge` as in kernel regression, not
    divided by samples; `label_scale` multiplies the labels in training and is divided out of the
    predictions, so a small one compares the network with its kernel. `momentum=False` takes plain
    steps. It stops when the outputs are within `tolerance` of the minimum, relative to the labels,
    or after `max_steps`: look at `converged`. `progress` shows a bar always (True), never (False)
    or only at a terminal (None). An interrupt closes the bar and passes through.

    With a ridge, parameter directions that no training output feels are not waited for.

    Raises `InvalidInput` for wrong shapes, NaN, a negative ridge, a width below 1 or the NNGP
    kernel, and `OutOfRegime` when the loss keeps rising however short the step.

    >>> from types import SimpleNamespace
    >>> kind = SimpleNamespace(
    ...     depth=2, activation="erf", weight_variance=1.0, bias_variance=1.0, kernel="ntk"
    ... )
    >>> result = train(kind, [[0.6, 0.8], [1.0, 0.0]], [1.0, -1.0], width=64, rng=0)
    >>> result.converged, result.predict([[0.6, 0.8]]).round(2)
    (True, array([1.]))
    """
    if network.kernel != "ntk":
        raise InvalidInput(
            f"kernel={network.kernel!r} is not what gradient descent of all layers reaches: that "
            "is 'ntk'. Ask for kernel='ntk', or measure this kernel by regression"
        )
    x, y = inputs_matrix("inputs", inputs), vector("labels", labels)
    if y.size != len(x):
        raise InvalidInput(f"{y.size} labels for {len(x)} inputs: give one label for each row")
    ridge, tolerance = variance("ridge", ridge), positive("tolerance", tolerance)
    label_scale = positive("label_scale", label_scale)
    max_steps = count("max_steps", max_steps, least=1)
    chance, seed = _chance(rng)
    start = initialise(network, width=width, dimension=x.shape[1], rng=chance)
    hidden = None if progress is None else not progress
    with tqdm(desc="training", unit=" steps", disable=hidden, leave=False) as bar:
        run = Descent(
            Problem(start, x, label_scale * y, ridge), tolerance, max_steps, momentum, bar
        )
        found = run.minimise()
    return Trained(
        start=start,
        end=found.network,
        samples=y.size,
        ridge=ridge,
        label_scale=label_scale,
        tolerance=tolerance,
        momentum=bool(momentum),
        steps=len(run.losses) - 1,
        restarts=run.restarts,
        remaining=run.remaining,
        condition=run.condition,
        loss_history=frozen(run.losses),
        seed=seed,
    )


def _chance(rng: Any) -> tuple[np.random.Generator, int | None]:
    """A generator, and the seed it came from if it came from one."""
    if isinstance(rng, np.random.Generator):
        return rng, None
    seed = count("rng", rng, least=0)
    return np.random.default_rng(seed), seed
