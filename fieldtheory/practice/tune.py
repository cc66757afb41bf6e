"""Choose hyper-parameters by predicted error, before anything is trained.

The search is planar, many networks in one call, then one at a time with gradients; the best few are
predicted with crossing diagrams, which decide between them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from fieldtheory.ground import checks
from fieldtheory.ground.errors import FieldTheoryError, InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.activation import NAMES, activation
from fieldtheory.model.curve import LearningCurve
from fieldtheory.model.network import Network
from fieldtheory.model.planar.many import predict_many
from fieldtheory.model.predict import predict
from fieldtheory.model.task import Task
from fieldtheory.practice.search import Range, Search, Trial

POLISHED = 6  # best cells that are then minimised
FINALISTS = 3  # best of these that are predicted with crossing diagrams
CLUSTERS = 2  # samples that crossing diagrams visit in turn: three take seconds for each network
SWEEP = 13  # sample sizes of the final curves: a decade and a half around the asked one
EDGE = 1e-6  # of a range: nearer to its end is at its end


@dataclass(frozen=True)
class Space:
    """Where to search: whole depths lo..hi, variances lo..hi on a log scale, activations by name.

    A range whose ends are equal is held fixed. Variances may carry a third entry "log", the only
    scale there is. Raises `InvalidInput` for an empty or reversed range.

    >>> Space(depth=(2, 4), activation=["relu"]).cells()
    ((2, 'relu'), (3, 'relu'), (4, 'relu'))
    """

    depth: Sequence[int] = (1, 8)
    weight_variance: Sequence[Any] = (0.1, 10.0)
    bias_variance: Sequence[Any] = (1e-3, 1.0)
    activation: Sequence[str] = NAMES

    def __post_init__(self) -> None:
        low, high = self._pair("depth")
        depth = (checks.count("depth", low, least=1), checks.count("depth", high, least=1))
        names = (self.activation,) if isinstance(self.activation, str) else tuple(self.activation)
        if not names:
            raise InvalidInput(f"activation is empty: choose from {', '.join(NAMES)}")
        for name in names:
            activation(name)
        object.__setattr__(self, "depth", depth)
        object.__setattr__(self, "activation", names)
        for name in ("weight_variance", "bias_variance"):
            low, high = self._pair(name)
            ends = (checks.positive(name, low), checks.positive(name, high))
            object.__setattr__(self, name, ends)

    def _pair(self, name: str) -> tuple[Any, Any]:
        given = getattr(self, name)
        ends = tuple(given) if isinstance(given, (list, tuple)) else ()
        if len(ends) == 3 and ends[2] == "log" and name != "depth":
            ends = ends[:2]
        if len(ends) != 2:
            raise InvalidInput(f"{name} = {given!r}: give a range (low, high)")
        checks.number(name, ends[0])
        checks.number(name, ends[1])
        if ends[0] > ends[1]:
            raise InvalidInput(f"{name} = {given!r} is reversed: give (low, high)")
        return ends

    def cells(self) -> tuple[tuple[int, str], ...]:
        """Every combination of the discrete choices."""
        low, high = self.depth
        return tuple((depth, name) for name in self.activation for depth in range(low, high + 1))

    def bounds(self) -> tuple[Range, Range]:
        """The logarithms of the two variances."""
        pairs = (self.weight_variance, self.bias_variance)
        first, second = ((float(np.log(a)), float(np.log(b))) for a, b in pairs)
        return first, second


@dataclass(frozen=True)
class Finalist:
    """A network predicted twice at the asked number of samples.

    planar, planar_uncertainty  as the search saw it, the crossing diagrams it leaves out in doubt
    error, uncertainty          by `method`, "crossing" unless that has no answer
    """

    network: Network
    planar: float
    planar_uncertainty: float
    error: float
    uncertainty: float
    method: str

    def __str__(self) -> str:
        return (
            f"{self.network}: error {_spread_of(self.error, self.uncertainty)} ({self.method}), "
            f"planar {_spread_of(self.planar, self.planar_uncertainty)}"
        )


@dataclass(frozen=True, eq=False)
class Tuned(Pictured, Printed):
    """The winner of a search.

    best, default   networks; `default` is what the search was to beat
    curve           predicted learning curve of the winner, around the asked number of samples
    default_curve   the same for the default
    trials          every network asked about, in order
    finalists       the best few at the asked number of samples, the winner first
    against         the default there
    edges           where the winner lies at an end of the space, in words; empty if it lies inside
    """

    best: Network
    default: Network
    samples: int
    curve: LearningCurve
    default_curve: LearningCurve
    trials: tuple[Trial, ...]
    finalists: tuple[Finalist, ...]
    against: Finalist
    edges: tuple[str, ...]
    version: str = __version__

    @property
    def error(self) -> float:
        """Predicted error of the winner at the asked number of samples."""
        return self.finalists[0].error

    @property
    def uncertainty(self) -> float:
        """Of `error`."""
        return self.finalists[0].uncertainty

    @property
    def default_error(self) -> float:
        """Predicted error of the default there."""
        return self.against.error

    @property
    def default_uncertainty(self) -> float:
        """Of `default_error`."""
        return self.against.uncertainty

    @property
    def ties(self) -> tuple[Finalist, ...]:
        """Finalists that the uncertainties do not tell from the winner."""
        first, *others = self.finalists
        return tuple(
            other
            for other in others
            if other.error - first.error <= other.uncertainty + first.uncertainty
        )

    @property
    def gains(self) -> bool:
        """Whether the winner beats the default by more than both uncertainties."""
        both = self.uncertainty + self.default_uncertainty
        return self.default_error - self.error > both

    def to_dict(self) -> dict[str, Any]:
        """The winner, the default and the search as plain data."""
        return {
            "best": _settings(self.best),
            "default": _settings(self.default),
            "samples": self.samples,
            "error": self.error,
            "uncertainty": self.uncertainty,
            "default_error": self.default_error,
            "default_uncertainty": self.default_uncertainty,
            "finalists": [_told(each) for each in self.finalists],
            "against": _told(self.against),
            "ties": len(self.ties),
            "edges": list(self.edges),
            "evaluations": len(self.trials),
            "curve": self.curve.to_dict(),
            "default_curve": self.default_curve.to_dict(),
            "version": self.version,
        }

    def picture(self) -> Picture:
        """Both predicted curves."""
        lines = tuple(
            Line(f"{name}: {network}", curve.samples, curve.error, curve.uncertainty)
            for name, network, curve in (
                ("tuned", self.best, self.curve),
                ("default", self.default, self.default_curve),
            )
        )
        title = f"tuned for {self.samples} samples; {self.curve.question.split('; ', 1)[1]}"
        return Picture(title, "samples", "mean squared test error", lines, ("x", "y"))

    def __str__(self) -> str:
        ratio = self.error / self.default_error if self.default_error > 0 else np.inf
        lines = [
            f"tuned for {self.samples} samples, {len(self.trials)} networks predicted",
            f"  best     {self.finalists[0]}",
            f"  default  {self.against}",
            f"  ratio    {ratio:.3g}" + ("" if self.gains else ", within the uncertainty of both"),
        ]
        lines += [f"  tied     within the uncertainty: {other}" for other in self.ties]
        if self.edges:
            lines.append(f"  edge     {', '.join(self.edges)}: a wider space may hold a better one")
        return "\n".join(lines)


def _spread_of(value: float, uncertainty: float) -> str:
    return f"{value:.4g} +- {uncertainty:.2g}"


def _told(each: Finalist) -> dict[str, Any]:
    plain = {**asdict(each), "network": str(each.network)}
    return {key: None if value in (np.inf, -np.inf) else value for key, value in plain.items()}


def _settings(network: Network) -> dict[str, Any]:
    return {name: getattr(network, name) for name in network.__dataclass_fields__}


def tune(
    task: Task,
    samples: int,
    over: Space | None = None,
    *,
    default: Network | None = None,
    progress: bool | None = None,
) -> Tuned:
    """The network of `over` with the smallest predicted error at `samples` samples.

    A Sobol screen of both variances in every cell of depth and activation, in one call; then
    L-BFGS-B in the log-variances of the best cells, with the gradient of the planar error. The best
    three are predicted with crossing diagrams, and the best of these wins. Deterministic. `default`
    (depth 2, ReLU, variances 1 unless given) is what the winner is held against, and sets the
    kernel, "ntk" or "nngp".

    Raises `InvalidInput` for a malformed space and `OutOfRegime` if no network in it can be
    predicted.

    >>> task = Task.sphere(dimension=5, target="x0*x1", ridge=0.01)
    >>> space = Space(depth=(2, 2), activation=["relu"], weight_variance=(1, 1))
    >>> best = tune(task, samples=50, over=space)
    >>> best.gains, best.edges
    (True, ('bias_variance at its lower end 0.001',))
    """
    space = Space() if over is None else over
    size = checks.count("samples", samples, least=1)
    reference = Network(depth=2) if default is None else default
    search = Search(task, size, reference.kernel, space.bounds())
    hidden = None if progress is None else not progress
    with tqdm(desc="tuning", unit=" networks", disable=hidden, leave=False) as bar:
        search.tick = bar.update
        for cell in search.screen(space.cells())[:POLISHED]:
            search.polish(cell)
    best_few = [trial.network for trial in search.leaders(FINALISTS)]
    finalists = sorted(
        _judged(best_few, task, size), key=lambda each: (each.method == "planar", each.error)
    )
    (against,) = _judged([reference], task, size)
    best = finalists[0].network
    spread = np.geomspace(max(1, size / 10), 10**0.5 * size, SWEEP)
    sizes = sorted({round(float(n)) for n in spread} | {size})
    curve, default_curve = (_curve(network, task, sizes, size) for network in (best, reference))
    return Tuned(
        best,
        reference,
        size,
        curve,
        default_curve,
        tuple(search.trials),
        tuple(finalists),
        against,
        _edges(best, space),
    )


def _curve(network: Network, task: Task, sizes: Sequence[int], size: int) -> LearningCurve:
    """By the default method; planar where that has no answer, as the curve then says; and no
    further than `size` where a network without a ridge has no more modes."""
    try:
        return predict(network, task, sizes, clusters=CLUSTERS)
    except FieldTheoryError:
        pass
    try:
        return predict(network, task, sizes, method="planar")
    except OutOfRegime:
        return predict(network, task, [n for n in sizes if n <= size], method="planar")


def _judged(networks: Sequence[Network], task: Task, size: int) -> list[Finalist]:
    """Networks at one number of samples, planar and with crossing diagrams."""
    seen = predict_many(networks, task, size, crossing=True)
    found = []
    for n, network in enumerate(networks):
        curve = _curve(network, task, [size], size)
        planar = float(seen.error[n, 0]), float(seen.uncertainty[n, 0])
        own = float(curve.error[0]), float(curve.uncertainty[0])
        found.append(Finalist(network, *planar, *own, curve.method))
    return found


def _edges(best: Network, space: Space) -> tuple[str, ...]:
    """Ends of the space that the winner lies at; a depth of one is no end one could widen."""
    found = []
    low, high = space.depth
    if low < high and best.depth in (low, high) and best.depth > 1:
        found.append(f"depth at its {'upper' if best.depth == high else 'lower'} end {best.depth}")
    for name in ("weight_variance", "bias_variance"):
        least, most = getattr(space, name)
        where = np.log(getattr(best, name) / least) / np.log(most / least) if least < most else 0.5
        if min(where, 1 - where) < EDGE:
            end, value = ("upper", most) if where > 0.5 else ("lower", least)
            found.append(f"{name} at its {end} end {value:g}")
    return tuple(found)
