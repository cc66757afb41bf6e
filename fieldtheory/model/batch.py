r"""Spectra of many networks at once, with their derivatives by the variances.

The eigenvalues are projections of the kernel, :math:`\lambda_l = E_t[K(t) P_l(t)]`, and the
projection is linear: with the networks on one axis and the quadrature nodes on the next, a batch is
one layer recursion on arrays and one product of matrices. The recursion carries dual numbers
(`dual`), so the derivatives of every eigenvalue come out of the same pass.

This is the plain road of `projection`: rounding is relative to K(1) / sqrt(multiplicity), so that
eigenvalues far below it are lost, and said to be. `spectrum` with its accurate road is for one
network at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.shown import Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.averages import dual
from fieldtheory.model.averages.dual import Dual
from fieldtheory.model.kernel import REAL
from fieldtheory.model.measures.projection import EPS, NUDGE, POINTS_AT_MOST, UNDERFLOW
from fieldtheory.model.measures.sphere import (
    cosines,
    legendre,
    multiplicity,
    smooth,
    weights,
)
from fieldtheory.model.network import AT_LEAST, AT_MOST, Layers, Network, fan_in
from fieldtheory.model.spectrum import MULTIPLICITY_AT_MOST, Spectrum

BLOCK = 2**16  # numbers in one array of the recursion: what stays in a processor's cache
PARAMETERS = ("weight_variance", "bias_variance")


@dataclass(frozen=True, eq=False)
class Spectra(Printed):
    """Eigenvalues of many networks on S^(dimension - 1), and how they move with the variances.

    eigenvalues  shape (networks, degrees + 1); what float64 cannot tell from zero is zero
    errors       a bound on the error of each, same shape
    traces       K(1), shape (networks,)
    gradients    shape (networks, degrees + 1, 2): derivatives by `PARAMETERS`, the weight variance
                 and the bias variance, those of all layers moved together; None if not asked for
    trace_gradients  shape (networks, 2), or None

    A batch has a length, and batch[i] is the `Spectrum` of network i.
    """

    networks: tuple[Network, ...]
    dimension: int
    eigenvalues: Array
    errors: Array
    traces: Array
    gradients: Array | None = None
    trace_gradients: Array | None = None

    def __len__(self) -> int:
        return len(self.networks)

    def __getitem__(self, number: int) -> Spectrum:
        return Spectrum(
            self.dimension,
            self.eigenvalues[number],
            self.errors[number],
            float(self.traces[number]),
            str(self.networks[number]),
        )

    def to_dict(self) -> dict[str, Any]:
        """The batch as plain data, networks on the first axis."""
        moving = (("gradients", self.gradients), ("trace_gradients", self.trace_gradients))
        return {
            "networks": [str(network) for network in self.networks],
            "dimension": self.dimension,
            "eigenvalues": self.eigenvalues.tolist(),
            "errors": self.errors.tolist(),
            "traces": self.traces.tolist(),
            **{name: each.tolist() for name, each in moving if each is not None},
            "version": __version__,
        }

    def __str__(self) -> str:
        also = "" if self.gradients is None else ", with gradients"
        return (
            f"spectra of {len(self)} networks on S^{self.dimension - 1}, degrees 0 .. "
            f"{self.eigenvalues.shape[1] - 1}{also}"
        )


def family(**axes: Any) -> tuple[Network, ...]:
    """Networks from arrays: each argument of `Network` may be an array, and they broadcast.

    Raises `InvalidInput` like `Network`, and for arrays that do not broadcast.

    >>> len(family(depth=[[2], [4]], weight_variance=np.linspace(1, 2, 10)))
    20
    """
    for name in axes:
        checks.choice("argument of Network", name, Network.__dataclass_fields__)
    try:
        arrays = np.broadcast_arrays(*(np.asarray(value, dtype=object) for value in axes.values()))
    except ValueError:
        shapes = {name: np.shape(value) for name, value in axes.items()}
        raise InvalidInput(f"arrays of shapes {shapes} do not broadcast to one batch") from None
    rows = zip(*(array.ravel() for array in arrays), strict=True)
    return tuple(Network(**dict(zip(axes, row, strict=True))) for row in rows)


def spectra(
    networks: Iterable[Network] | Network,
    dimension: int,
    degrees: int,
    *,
    gradients: bool = True,
    input_norm: str = "unit",
) -> Spectra:
    r"""Eigenvalues 0 .. `degrees` of many networks in one call, and their derivatives.

    .. math:: \lambda_l = E_t[K(t) P_l(t)], \qquad
              \partial_a \lambda_l = E_t[\partial_a K(t) P_l(t)]

    Networks of any mixture (one by itself is a batch of one); those that differ in numbers alone
    are computed together. `gradients` are the derivatives by the weight and the bias variance (of
    all layers at once, where they have one each).

    Raises `InvalidInput` for an empty batch or something that is no network, and `OutOfRegime` for
    degrees whose multiplicity leaves the range of float64.

    >>> batch = spectra(family(weight_variance=[1.0, 1.1], depth=2), dimension=10, degrees=3)
    >>> batch.eigenvalues.shape, batch.gradients.shape
    ((2, 4), (2, 4, 2))
    >>> slope = (batch.eigenvalues[1, 1] - batch.eigenvalues[0, 1]) / 0.1
    >>> bool(batch.gradients[0, 1, 0] < slope < batch.gradients[1, 1, 0])
    True
    """
    given = (networks,) if isinstance(networks, Network) else tuple(networks)
    if not given or not all(isinstance(each, Network) for each in given):
        raise InvalidInput(f"a batch of {len(given)}: give at least one Network, and only networks")
    d, last = checks.count("dimension", dimension, least=2), checks.count("degrees", degrees)
    if multiplicity(d, last) > MULTIPLICITY_AT_MOST:
        raise OutOfRegime(
            f"dimension {d}, degree {last}: the multiplicity leaves the range of float64; ask for "
            "fewer degrees"
        )
    question = _Question(d, last, fan_in(d, input_norm), gradients)
    table = np.empty((len(given), last + 2, 4))
    for numbers in _alike(given).values():
        for part in question.parts(numbers):
            table[part] = question.answer([given[n] for n in part])
    values, errors = table[:, :-1, 0], table[:, :-1, 1]
    lost = np.abs(values) <= errors
    found = Spectra(
        given,
        d,
        frozen(np.where(lost, 0.0, values)),
        frozen(errors),
        frozen(table[:, -1, 0]),
        frozen(np.where(lost[..., None], 0.0, table[:, :-1, 2:])) if gradients else None,
        frozen(table[:, -1, 2:]) if gradients else None,
    )
    _refuse_negative(found)
    return found


def _alike(networks: Sequence[Network]) -> dict[Any, list[int]]:
    """Numbers of the networks that share everything but their variances."""
    groups: dict[Any, list[int]] = defaultdict(list)
    for number, n in enumerate(networks):
        kind = (n.depth, n.activation, n.kernel, n.residual, n.input_bias, n.trained)
        groups[(*kind, n.train_biases)].append(number)
    return groups


def _refuse_negative(found: Spectra) -> None:
    if np.any(found.eigenvalues < 0):
        number, l = (int(i) for i in np.argwhere(found.eigenvalues < 0)[0])
        raise InvalidInput(
            f"network {number} ({found.networks[number]}): eigenvalue "
            f"{found.eigenvalues[number, l]:.3e} at degree {l}; its kernel is not positive"
        )


@dataclass(frozen=True)
class _Question:
    """What is asked of every network; `answer` asks it of those that differ in variances alone."""

    dimension: int
    last: int
    fan_in: int
    gradients: bool

    @property
    def points(self) -> int:
        """Nodes to begin with, as for one network."""
        return 4 * smooth(64 + self.last + int(sqrt(self.dimension)))

    def parts(self, numbers: list[int]) -> Iterable[list[int]]:
        """Groups small enough for the cache."""
        size = max(1, BLOCK // self.points)
        return (numbers[start : start + size] for start in range(0, len(numbers), size))

    def answer(self, networks: list[Network]) -> Array:
        """Rows of degrees, then the trace; columns value, error, and the two derivatives.

        The nodes are doubled until halving them changes nothing beyond rounding (`projection`).
        """
        points, before = self.points, np.inf
        while True:
            table = self._at(networks, points)
            rounding, change = table[:, :-1, 1], table[:, :-1, 4]
            worst = float(np.max(change / (rounding + np.finfo(float).tiny)))
            if worst <= 4 or worst > before / 8 or 2 * points > POINTS_AT_MOST:
                rounding += change
                return table[..., :4]
            before, points = worst, 2 * points

    def _at(self, networks: list[Network], points: int) -> Array:
        """One pass: columns value, rounding, two derivatives, change on halving the nodes."""
        rule = _rule(self.dimension, self.last, points)
        with np.errstate(all="ignore"):  # what is not finite is judged by the caller
            found, top = self._kernel(networks, rule.cosines, self.gradients)
            values = getattr(found, "value", found)
            if self.dimension == 2:  # the ends carry weight, and derivatives are singular there
                ends, _ = self._kernel(networks, np.array([1.0, -1.0]), False)
                values[:, [0, -1]] = ends
            nudged = self._nudged(networks, rule)
            tangents = [each @ rule.fine for each in getattr(found, "tangents", ())]
        half = values[:, ::2]
        trace = np.ravel(getattr(top, "value", top))
        self._refuse_extreme(networks, trace, values, nudged, *tangents)
        scale = trace.reshape(-1, 1)  # in parts of it, squares are floats
        parts, shaken = values / scale, (nudged - half) / scale
        degrees = np.arange(self.last + 1)
        rounding = (4 + self.dimension / 64 + degrees / 4) * EPS * np.sqrt(parts**2 @ rule.square)
        rounding += np.abs(shaken @ rule.coarse) + np.sqrt(shaken**2 @ rule.coarse**2)
        rounding = (rounding + UNDERFLOW) * scale
        table = np.zeros((len(networks), self.last + 2, 5))
        table[:, :-1, 0] = values @ rule.fine
        table[:, :-1, 1] = rounding
        table[:, :-1, 4] = np.abs(half @ rule.coarse - table[:, :-1, 0])
        table[:, -1, 0] = trace
        for column, tangent in enumerate(tangents):
            table[:, :-1, 2 + column] = tangent
            table[:, -1, 2 + column] = np.ravel(top.tangents[column])
        return table

    def _refuse_extreme(self, networks: list[Network], top: Array, *found: Array) -> None:
        """Networks whose kernel leaves the range of floats say themselves where and why."""
        sizes = sum(np.max(np.abs(part), axis=1) for part in found)  # infinite if one of them is
        good = (top >= AT_LEAST) & (top <= AT_MOST) & np.isfinite(sizes)
        if not np.all(good):
            bad = networks[int(np.argmin(np.broadcast_to(good, len(networks))))]
            bad.variances(self.fan_in)
            raise InvalidInput(f"{bad}: its kernel is not finite at every cosine")

    def _kernel(self, networks: list[Network], t: Array, moving: bool) -> tuple[Any, Any]:
        """The kernel at cosines t and at one, networks on the first axis."""
        recursion = self._layers(networks, moving)
        world = dual.world(REAL) if moving else REAL
        return recursion(t, world), recursion.top(world)

    def _nudged(self, networks: list[Network], rule: "_Rule") -> Array:
        """The kernel at half the nodes, every correlation a few roundings lower."""
        lower = {"clip": lambda p, *ends: REAL.clip(p, *ends) * (1 - NUDGE)}
        world = SimpleNamespace(**{**vars(REAL), **lower})
        found: Array = self._layers(networks, False)(rule.cosines[::2] * (1 - NUDGE), world)
        return found

    def _layers(self, networks: list[Network], moving: bool) -> Layers:
        """The recursion with the variances of each layer in columns, or dual numbers of them."""
        one, none = np.ones((1, 1)), np.zeros((1, 1))
        columns: list[list[Any]] = []
        for name, tangents in (("weights", (one, none)), ("biases", (none, one))):
            rows = np.array([getattr(n, name) for n in networks]).T[:, :, None]
            columns.append([Dual(row, tangents) if moving else row for row in rows])
        if not networks[0].input_bias:
            columns[1][0] = 0.0
        return Layers(networks[0], networks[0].layers(*columns), self.fan_in)


class _Rule(NamedTuple):
    """Nodes of the uniform measure, and the matrices (nodes, degrees) that project on harmonics:
    on all nodes, on every second one, and for the mean square of the projected function."""

    cosines: Array
    fine: Array
    coarse: Array
    square: Array


@lru_cache(maxsize=16)
def _rule(dimension: int, last: int, points: int) -> _Rule:
    exact, w = cosines(points), weights(dimension, points)
    p = legendre(dimension, last, exact).T
    fine = w[:, None] * p
    coarse = weights(dimension, points // 2)[:, None] * p[::2]
    inside = np.clip(exact, 4 * EPS - 1, 1 - 4 * EPS)
    return _Rule(inside, fine, coarse, fine * p)
