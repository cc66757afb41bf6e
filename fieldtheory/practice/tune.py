"""Choose hyper-parameters by predicted error, before anything is trained."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from tqdm import tqdm

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.version import __version__
from fieldtheory.model.activation import NAMES, activation
from fieldtheory.model.curve import LearningCurve
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict, quick_error
from fieldtheory.model.task import Task

SCREEN = 8  # Sobol points in each cell
POLISHED = 6  # best cells that are then minimised
STEP = 1e-4  # of the gradient, in the logarithm of a variance
SWEEP = 13  # sample sizes of the final curves: a decade and a half around the asked one

Range = tuple[float, float]


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
class Trial:
    """One network that was asked about, and its predicted error (infinite out of regime)."""

    network: Network
    error: float


@dataclass(frozen=True, eq=False)
class Tuned:
    """The winner of a search.

    best, default   networks; `default` is what the search was to beat
    curve           predicted learning curve of the winner, around the asked number of samples
    default_curve   the same for the default
    trials          every network asked about, in order
    """

    best: Network
    default: Network
    samples: int
    curve: LearningCurve
    default_curve: LearningCurve
    trials: tuple[Trial, ...]
    version: str = __version__

    def _at_samples(self, curve: LearningCurve) -> float:
        return float(curve.error[int(np.flatnonzero(curve.samples == self.samples)[0])])

    @property
    def error(self) -> float:
        """Predicted error of the winner at the asked number of samples."""
        return self._at_samples(self.curve)

    @property
    def default_error(self) -> float:
        """Predicted error of the default there."""
        return self._at_samples(self.default_curve)

    def to_dict(self) -> dict[str, Any]:
        """The winner, the default and the search as plain data."""
        return {
            "best": _settings(self.best),
            "default": _settings(self.default),
            "samples": self.samples,
            "error": self.error,
            "default_error": self.default_error,
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

    def plot(self, axes: Any = None) -> Any:
        """Draw both curves with matplotlib; returns the axes."""
        return self.picture().draw(axes)

    def __str__(self) -> str:
        return "\n".join(
            [
                f"tuned for {self.samples} samples, {len(self.trials)} networks predicted",
                f"  best     {self.best}: error {self.error:.4g}",
                f"  default  {self.default}: error {self.default_error:.4g}",
                f"  ratio    {self.error / self.default_error:.3g}",
            ]
        )

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


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
    """The network of `over` with the smallest predicted (planar) error at `samples` samples.

    A Sobol screen of both variances in every cell of depth and activation, then L-BFGS-B in the
    log-variances of the best cells. Deterministic. `default` (depth 2, ReLU, variances 1 unless
    given) is what the winner is held against, and sets the kernel, "ntk" or "nngp".

    Raises `InvalidInput` for a malformed space and `OutOfRegime` if no network in it can be
    predicted.

    >>> task = Task.sphere(dimension=5, target="x0*x1", ridge=0.01)
    >>> space = Space(depth=(2, 2), activation=["relu"], weight_variance=(1, 1))
    >>> best = tune(task, samples=50, over=space)
    >>> best.error < best.default_error
    True
    """
    space = Space() if over is None else over
    size = checks.count("samples", samples, least=1)
    reference = Network(depth=2) if default is None else default
    search = _Search(task, size, reference.kernel)
    hidden = None if progress is None else not progress
    with tqdm(desc="tuning", unit=" networks", disable=hidden, leave=False) as bar:
        search.tick = bar.update
        ranked = sorted(
            (search.screen(cell, space.bounds()) for cell in space.cells()), key=lambda r: r[0]
        )
        for _, cell, start in ranked[:POLISHED]:
            search.polish(cell, start, space.bounds())
    best = min(search.trials, key=lambda trial: trial.error)
    if not np.isfinite(best.error):
        raise OutOfRegime(
            f"none of {len(search.trials)} networks can be predicted at {size} samples; the last "
            f"refusal was: {search.refusal}"
        )
    spread = np.geomspace(max(1, size / 10), 10**0.5 * size, SWEEP)
    sizes = sorted({round(float(n)) for n in spread} | {size})
    curve, default_curve = (predict(network, task, sizes) for network in (best.network, reference))
    return Tuned(best.network, reference, size, curve, default_curve, tuple(search.trials))


Cell = tuple[int, str]


class _Search:
    """The trials so far, and the two steps that add to them."""

    def __init__(self, task: Task, samples: int, kernel: str) -> None:
        self.task, self.samples, self.kernel = task, samples, kernel
        self.trials: list[Trial] = []
        self.refusal = ""
        self.tick: Callable[[], Any] = lambda: None

    def log_error(self, cell: Cell, point: Array) -> float:
        """The logarithm of the predicted error, remembered; infinite where there is none."""
        depth, activation = cell
        weight, bias = (float(v) for v in np.exp(point))
        network = Network(depth, activation, weight, bias, self.kernel)
        try:
            error = quick_error(network, self.task, self.samples)
        except OutOfRegime as refusal:
            error, self.refusal = np.inf, str(refusal)
        self.trials.append(Trial(network, error))
        self.tick()
        return float(np.log(error)) if error > 0 else -np.inf

    def screen(self, cell: Cell, bounds: tuple[Range, Range]) -> tuple[float, Cell, Array]:
        """The best of a few well-spread points."""
        scored = [(self.log_error(cell, point), tuple(point)) for point in _spread(bounds)]
        value, point = min(scored)
        return value, cell, np.array(point)

    def polish(self, cell: Cell, start: Array, bounds: tuple[Range, Range]) -> None:
        """Descend from the best screened point; the trials remember what is found."""
        from scipy.optimize import minimize

        if not np.isfinite(self.log_error(cell, start)):
            return
        minimize(  # type: ignore[call-overload]
            lambda point: min(self.log_error(cell, point), 1e3),
            start,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 30, "ftol": 1e-7, "eps": STEP},
        )


def _spread(bounds: tuple[Range, Range]) -> Iterator[Array]:
    """Sobol points in the box; one point if it has no size."""
    from scipy.stats import qmc

    low, high = (np.array(ends) for ends in zip(*bounds, strict=True))
    unit = qmc.Sobol(d=2, scramble=False).random(SCREEN) if np.any(high > low) else [[0.0, 0.0]]
    for row in unit:
        yield low + (high - low) * np.asarray(row)
