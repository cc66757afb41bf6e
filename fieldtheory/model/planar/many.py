r"""The planar error of thousands of networks in one call, and how it moves with their variances.

Spectra come from `batch`, with their derivatives; `stacked` has the planar theory of all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import FieldTheoryError, InvalidInput
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.batch import PARAMETERS, Spectra, spectra
from fieldtheory.model.measures.sphere import multiplicity
from fieldtheory.model.network import Network
from fieldtheory.model.planar import stacked
from fieldtheory.model.planar.stacked import Answer, Refusal, Stack
from fieldtheory.model.task import Task

MODES_PER_SAMPLE = 100
DEGREES_AT_LEAST, DEGREES_AT_MOST = 48, 1024
MULTIPLICITY_AT_MOST = 1e18  # beyond it no eigenvalue stands above the rounding of its projection
BLOCK = 15_000  # numbers in one array, as in `planar`
SHOWN = 5
DOUBTS = ("+- is that of the spectra alone", "+- counts crossing diagrams")
DERIVATIVES = (*PARAMETERS, "ridge")


@dataclass(frozen=True, eq=False)
class Predictions(Pictured, Printed):
    """Planar errors of many networks on one task.

    bias, variance  (networks, sizes) of the mean predictor; over datasets and label noise
    kappa           (networks, sizes) effective ridge per sample
    uncertainty     (networks, sizes) estimate of the error of the prediction: the end and the
                    rounding of the spectrum and, with `crossing`, the diagrams left out
    gradient        (networks, sizes, 3) derivatives of the error by `DERIVATIVES`: the weight and
                    the bias variance, those of all layers moved together, and the ridge; or None
    refusals        number of the network, samples (0 for any) and the reason of what has no answer;
                    there the error is infinite, kappa and the gradient are zero
    """

    networks: tuple[Network, ...]
    samples: Array
    bias: Array
    variance: Array
    kappa: Array
    uncertainty: Array
    gradient: Array | None
    refusals: tuple[Refusal, ...]
    task: str
    crossing: bool
    version: str = __version__

    def __post_init__(self) -> None:
        for name in ("samples", "bias", "variance", "kappa", "uncertainty", "gradient"):
            array = getattr(self, name)
            if array is not None:
                object.__setattr__(self, name, frozen(array))
                if np.any(np.isnan(array)):
                    raise InvalidInput(f"{name} is not a number somewhere: the method broke down")

    def __len__(self) -> int:
        return len(self.networks)

    @property
    def error(self) -> Array:
        """(networks, sizes) mean squared test error; infinite where refused."""
        total: Array = self.bias + self.variance
        return total

    def ranked(self, size: int = -1) -> tuple[int, ...]:
        """Numbers of the networks, the smallest error first, at one of the sizes (the last)."""
        return tuple(int(n) for n in np.argsort(self.error[:, size], kind="stable"))

    def to_dict(self) -> dict[str, Any]:
        """The predictions as plain data; an error without an answer is None."""

        def listed(rows: Array) -> list[list[float | None]]:
            return [[x if np.isfinite(x) else None for x in row] for row in rows.tolist()]

        return {
            "networks": [str(network) for network in self.networks],
            "samples": [int(n) for n in self.samples],
            "error": listed(self.error),
            "uncertainty": listed(self.uncertainty),
            "bias": listed(self.bias),
            "variance": listed(self.variance),
            "gradient": None if self.gradient is None else self.gradient.tolist(),
            "refusals": [list(refusal) for refusal in self.refusals],
            "task": self.task,
            "method": "planar",
            "version": self.version,
        }

    def picture(self) -> Picture:
        """The curves of the best networks at the largest size and of the median one; with one size,
        all errors in order of rank."""
        order, title = self.ranked(int(np.argmax(self.samples))), f"{len(self)} networks"
        answered = [n for n in order if np.all(np.isfinite(self.error[n]))]
        if self.samples.size == 1:
            ranks, error = np.arange(1.0, len(answered) + 1), self.error[answered, 0]
            line = Line("planar", ranks, error, self.uncertainty[answered, 0])
            title += f" at {self.samples[0]:.0f} samples; {self.task}"
            return Picture(title, "rank", "mean squared test error", (line,), ("y",))
        chosen = list(dict.fromkeys([*answered[:SHOWN], *answered[len(answered) // 2 :][:1]]))
        up = np.argsort(self.samples)
        lines = [
            Line(
                str(self.networks[n]), self.samples[up], self.error[n, up], self.uncertainty[n, up]
            )
            for n in chosen
        ]
        title += f", the best and the median one; {self.task}"
        return Picture(title, "samples", "mean squared test error", tuple(lines), ("x", "y"))

    def __str__(self) -> str:
        size = int(np.argmax(self.samples))
        rows = [
            f"{self.error[n, size]:>10.4g}  {self.uncertainty[n, size]:>8.2g}  {self.networks[n]}"
            for n in self.ranked(size)[:SHOWN]
        ]
        return "\n".join(
            [
                f"{len(self)} networks, planar; {self.task}",
                f"the best at {self.samples[size]:.0f} samples",
                f"{'error':>10s}  {'+-':>8s}",
                *rows,
                DOUBTS[self.crossing],
                *([f"{len(self.refusals)} without an answer: see refusals"] * bool(self.refusals)),
            ]
        )


def predict_many(
    networks: Iterable[Network],
    task: Task,
    samples: Any,
    *,
    gradients: bool = False,
    crossing: bool = False,
) -> Predictions:
    """The planar errors of many networks on a task on the sphere, in one call.

    networks   any mixture; `family` makes them from arrays of depths and variances
    samples    one number of samples, or several
    gradients  whether the derivatives by the variances and the ridge are wanted
    crossing   whether the uncertainty counts crossing diagrams, one network after the other;
               without them it is that of the spectra alone, and the call several times faster

    Spectra take the fast road of searches: at least 48 degrees and 100 modes per sample, at most
    1024 degrees; what lies beyond acts as ridge, and the uncertainty says how well. One network
    that cannot be predicted does not spoil the others: see `Predictions.refusals`.

    Raises `InvalidInput` for an empty batch, for something that is no network and for a task that
    is not on the sphere.

    >>> from fieldtheory.model.batch import family
    >>> task = Task.sphere(dimension=10, target="x0*x1", ridge=0.01)
    >>> found = predict_many(family(depth=[2, 3, 4], bias_variance=0.1), task, [50, 200])
    >>> found.error.shape, found.networks[found.ranked()[0]].depth
    ((3, 2), 2)
    """
    sizes, given = checks.sizes("samples", samples), tuple(networks)
    if not given or not all(isinstance(each, Network) for each in given):
        raise InvalidInput(f"a batch of {len(given)}: give at least one Network, and only networks")
    if not task.on_sphere:
        raise InvalidInput(
            f"predict_many on {task}: many networks at once are predicted on the sphere only; call "
            "predict for each"
        )
    ask = _Ask(task, _last_degree(task, float(np.max(sizes))), gradients)
    groups, refusals = _spectra(given, range(len(given)), ask)
    answer = Answer.none(len(given), sizes.size)
    rows = max(1, BLOCK // (sizes.size * (ask.last + 1)))
    for numbers, found in groups:
        batch = Stack.of(found)
        for start in range(0, len(numbers), rows):
            part = slice(start, start + rows)
            answer.put(numbers[part], stacked.errors(batch.part(part), task, sizes))
        if crossing:
            added = stacked.crossing(batch, answer, numbers, task, sizes)
            answer.uncertainty[numbers.start : numbers.stop] += added
        refusals += answer.refusals(numbers, sizes, batch)
    return Predictions(
        given,
        sizes,
        answer.bias,
        answer.variance,
        answer.kappa,
        answer.uncertainty,
        answer.gradient if gradients else None,
        tuple(sorted(refusals)),
        str(task),
        crossing,
    )


class _Ask(NamedTuple):
    """What is asked of `spectra`."""

    task: Task
    last: int
    gradients: bool

    def of(self, networks: Sequence[Network]) -> Spectra:
        """The spectra of some of the networks."""
        d, norm = self.task.dimension, self.task.input_norm
        with np.errstate(over="ignore"):  # a kernel beyond floats is refused by `spectra`
            return spectra(networks, d, self.last, gradients=self.gradients, input_norm=norm)


def _spectra(
    networks: Sequence[Network], numbers: range, ask: _Ask
) -> tuple[list[tuple[range, Spectra]], list[Refusal]]:
    """The spectra of networks of these numbers; halves of a batch in which one has none."""
    try:
        return [(numbers, ask.of([networks[n] for n in numbers]))], []
    except FieldTheoryError as refusal:
        if len(numbers) == 1:
            return [], [(numbers[0], 0, str(refusal))]
    half = len(numbers) // 2
    both = [_spectra(networks, part, ask) for part in (numbers[:half], numbers[half:])]
    return both[0][0] + both[1][0], both[0][1] + both[1][1]


def _last_degree(task: Task, samples: float) -> int:
    d, total, l = task.dimension, 0, 0
    while True:
        total += multiplicity(d, l)
        enough = l >= DEGREES_AT_LEAST and total >= MODES_PER_SAMPLE * samples
        far = l >= DEGREES_AT_MOST or multiplicity(d, l + 1) > MULTIPLICITY_AT_MOST
        if (enough or far) and l >= task.function.degree:
            return l
        l += 1
