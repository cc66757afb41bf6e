"""Bayesian networks of finite width: the posterior mean in powers of 1/n.

One hidden layer of n units to second order (`shallow`), many to first (`deep`, `tensors`).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.measures.gram import points
from fieldtheory.model.network import Network
from fieldtheory.model.width.deep import random_kernel
from fieldtheory.model.width.hidden import afford, hidden_unit
from fieldtheory.model.width.shallow import Expansion, blocks
from fieldtheory.model.width.tensors import Tensors

MOST = 150  # training points
HOLDS, MARGINAL = 0.3, 1.0  # size of an order relative to the one before


def fourth_cumulant(network: Network, inputs: Any) -> Array:
    """U_abcd of the outputs of a network with hidden layers of one width, (P, P, P, P), times it.

    The fourth cumulant of f at `width` units is U / width, to first order, for one hidden layer
    exactly. It costs nodes x P^4 / 4 operations for each hidden layer, with some 10^5 nodes; see
    `hidden_unit` for their accuracy, `deep.random_kernel` for more than one layer.

    Raises `InvalidInput` for a network without hidden layers, a tangent kernel or residual
    connections, and `OutOfRegime` for more points than memory holds.

    >>> linear = Network(2, "identity", weight_variance=1.0, bias_variance=0.0, kernel="nngp")
    >>> round(float(fourth_cumulant(linear, [[1.0]])[0, 0, 0, 0]), 10)     # 3 <z^4> - 3 <z^2>^2
    6.0
    >>> deeper = Network(4, "identity", weight_variance=1.0, bias_variance=0.0, kernel="nngp")
    >>> round(float(fourth_cumulant(deeper, [[1.0]])[0, 0, 0, 0]), 6)
    18.0
    """
    x = points("inputs", inputs)
    count = len(x)
    if network.depth != 2:
        return random_kernel(network, x).fourth
    afford(24 * count**4, f"the fourth cumulants of {count} points")
    unit = hidden_unit(network, x)
    K = unit.kernel
    four = np.zeros((count**2, count**2))
    for values, weights in blocks(unit, count**2):
        pairs = (values[:, :, None] * values[:, None, :]).reshape(len(values), -1)
        four += (pairs * weights[:, None]).T @ pairs
    found = 3 * four.reshape(4 * (count,))
    for pairing in ("ab,cd->abcd", "ac,bd->abcd", "ad,bc->abcd"):
        found -= np.einsum(pairing, K, K)
    return found


@dataclass(frozen=True, eq=False)
class WidthCorrection(Pictured, Printed):
    """The posterior of a network of finite width, in powers of 1 / width.

    infinite          (tests,) posterior mean at infinite width, K_* (K + ridge)^-1 y
    first             (tests,) what stands with 1/n
    second            (tests,) with 1/n^2; None for more than one hidden layer
    beyond            (tests,) its size, known or estimated
    variance          (tests,) posterior variance at infinite width, and `variance_first` with 1/n
    evidence_first    the log of the evidence changes by this / n
    quadrature        (tests,) error of `first` by the finite number of nodes, estimated
    """

    width: int
    infinite: Array
    first: Array
    second: Array | None
    beyond: Array
    variance: Array
    variance_first: Array
    evidence_first: float
    quadrature: Array
    question: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", checks.count("width", self.width, least=1))
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                object.__setattr__(self, name, frozen(value))

    @property
    def mean(self) -> Array:
        """(tests,) posterior mean with the 1/n correction."""
        return self.infinite + self.first / self.width

    @property
    def through_second(self) -> Array:
        """(tests,) posterior mean with both corrections.

        Raises `OutOfRegime` for more than one hidden layer.
        """
        if self.second is None:
            raise OutOfRegime(
                f"{self.question}: the second order is known for one hidden layer; take `mean` and "
                "its `uncertainty`"
            )
        found: Array = self.mean + self.second / float(self.width) ** 2
        return found

    @property
    def uncertainty(self) -> Array:
        """(tests,) of `mean`: the next order, beyond / n^2, and the error of the quadrature."""
        n = float(self.width)
        found: Array = self.beyond / n**2 + self.quadrature / n
        return found

    @property
    def loop(self) -> float:
        """The largest second-order term beside the largest first-order one."""
        largest = float(np.max(np.abs(self.first)))
        return float(np.max(self.beyond)) / (self.width * largest) if largest else 0.0

    @property
    def regime(self) -> str:
        """In words."""
        loop = self.loop
        verdict = "holds" if loop < HOLDS else "marginal" if loop < MARGINAL else "OUT OF REGIME"
        advice = "" if loop < HOLDS else "; give a larger width or ridge"
        about = "" if self.second is not None else "estimated to be "
        return f"second order is {about}{loop:.2g} of the first: {verdict}{advice}"

    def at(self, width: int) -> "WidthCorrection":
        """The same data and another width: nothing has to be computed again."""
        return replace(self, width=width)

    def squared_error(self, truth: Any) -> tuple[float, float]:
        """Mean squared error against the true values (tests,): infinite width, and this width.

        The second is through first order, so it may be compared with the first.
        """
        g = checks.vector("truth", truth)
        if g.size != self.infinite.size:
            raise InvalidInput(f"truth has {g.size} entries for {self.infinite.size} tests")
        missed = self.infinite - g
        plain = float(np.mean(missed**2))
        return plain, plain + float(np.mean(2 * missed * self.first)) / self.width

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data."""
        arrays = ("infinite", "first", "variance", "variance_first", "quadrature")
        both = ("mean", "uncertainty")
        second = None if self.second is None else self.second.tolist()
        return {
            "width": self.width,
            **{name: getattr(self, name).tolist() for name in (*both, *arrays)},
            "second": second,
            "evidence_first": self.evidence_first,
            "regime": self.regime,
            "question": self.question,
        }

    def picture(self) -> Picture:
        """The posterior mean at each test point, for this width and for infinite width."""
        index = np.arange(self.infinite.size, dtype=float)
        finite = Line(f"width {self.width}", index, self.mean, self.uncertainty, points=True)
        infinite = Line("infinite width", index, self.infinite)
        return Picture(self.question, "test point", "posterior mean", (finite, infinite))

    def __str__(self) -> str:
        lines = [self.question, self.regime, "  infinite   first/n         mean        +-"]
        rows = zip(self.infinite, self.first / self.width, self.mean, self.uncertainty, strict=True)
        lines += [f"{f:10.5g}{c:10.2g}{m:13.6g}{u:10.2g}" for f, c, m, u in list(rows)[:12]]
        more = self.infinite.size - 12
        return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])


def width_correction(
    network: Network, inputs: Any, labels: Any, tests: Any, width: Any, *, ridge: float
) -> WidthCorrection:
    """The posterior mean of a Bayesian network whose hidden layers have `width` units.

    network  Network(kernel="nngp") with one hidden layer or more; its prior variances are those of
             the weights
    inputs   (N, d) and labels (N,) of the training set, tests (T, d) where the mean is asked for
    width    n, or a list with one for each hidden layer; the answer's width is then the least
    ridge    variance of the label noise in the likelihood, above zero

    One hidden layer: both orders, in some 10^5 x N^3 operations. More: the first order, in
    10^5 x (N + T)^4 / 2 operations for each; N + T <= 64. Raises `InvalidInput` for another network
    or arrays that do not match, and `OutOfRegime` if the points span too many dimensions or take
    too much memory.

    >>> network = Network(2, "erf", weight_variance=2.0, bias_variance=0.0, kernel="nngp")
    >>> found = width_correction(network, [[1.0]], [1.0], [[1.0], [-0.5]], 100, ridge=0.1)
    >>> found.infinite.round(4).tolist(), found.mean.round(4).tolist()
    ([0.9219, -0.6807], [0.9216, -0.6801])
    >>> deep = Network(4, "erf", weight_variance=2.0, bias_variance=0.0, kernel="nngp")
    >>> found = width_correction(deep, [[1.0]], [1.0], [[1.0], [-0.5]], 100, ridge=0.1)
    >>> found.infinite.round(4).tolist(), found.mean.round(4).tolist()
    ([0.9025, -0.8309], [0.9019, -0.8295])
    """
    x, z = points("inputs", inputs), points("tests", tests)
    y, s2 = checks.vector("labels", labels), checks.positive("ridge", ridge)
    if len(x) != y.size or x.shape[1] != z.shape[1]:
        raise InvalidInput(
            f"{len(x)} inputs of {x.shape[1]} features, {y.size} labels, tests of {z.shape[1]}: "
            "give one label for each input, and tests with the same features"
        )
    widths = _widths(network, width)
    question = f"{network}; {len(x)} samples, ridge {s2:g}, width {_shown(widths)}"
    every = np.concatenate([x, z])
    if network.depth != 2:
        return _deep(network, every, y, widths, s2, question)
    if len(x) > MOST:
        raise OutOfRegime(
            f"{len(x)} training points: the diagrams cost some 10^5 x N^3 operations, and {MOST} "
            "points are allowed, which is minutes. Give fewer"
        )
    fine, coarse = (
        Expansion(hidden_unit(network, every, rough), network.biases[1], y, s2)
        for rough in (False, True)
    )
    first, second = fine.first(), fine.sixth() + fine.joined()
    return WidthCorrection(
        width=widths[0],
        infinite=fine.mean,
        first=first,
        second=second,
        beyond=np.abs(second),
        variance=fine.variance,
        variance_first=fine.variance_first(),
        evidence_first=fine.evidence_first(),
        quadrature=np.abs(first - coarse.first()),
        question=question,
    )


def _deep(
    network: Network, every: Array, y: Array, widths: list[int], s2: float, question: str
) -> WidthCorrection:
    """More than one hidden layer; the data come first in `every`."""
    n = min(widths)
    shares = [each / n for each in widths]
    fine, coarse = (
        Tensors(random_kernel(network, every, rough, shares), y, s2) for rough in (False, True)
    )
    first = fine.first()
    return WidthCorrection(
        width=n,
        infinite=fine.mean,
        first=first,
        second=None,
        beyond=fine.beyond(),
        variance=fine.variance,
        variance_first=fine.variance_first(),
        evidence_first=fine.evidence_first(),
        quadrature=np.abs(first - coarse.first()),
        question=question,
    )


def _widths(network: Network, given: Any) -> list[int]:
    """One for each hidden layer."""
    layers = max(network.depth - 1, 1)
    if not isinstance(given, list | tuple | np.ndarray):
        return [checks.count("width", given, least=1)] * layers
    found = [checks.count(f"width[{k}]", each, least=1) for k, each in enumerate(given)]
    if len(found) != layers:
        raise InvalidInput(
            f"width has {len(found)} entries for {layers} hidden layers: give one number, or one "
            "for each hidden layer"
        )
    return found


def _shown(widths: list[int]) -> str:
    return str(widths[0]) if len(set(widths)) == 1 else ", ".join(map(str, widths))
