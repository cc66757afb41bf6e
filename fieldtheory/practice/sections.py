"""The sections of a spec, key by key: how each is read, what it means, what it is when absent."""

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field
from difflib import get_close_matches
from json import dumps
from typing import Any

import numpy as np

from fieldtheory.model.activation import KNOWN, NAMES, activation
from fieldtheory.model.kernel import MATERN, STANDARD
from fieldtheory.model.labelled import TESTED
from fieldtheory.model.network import INPUT_NORMS, KERNELS, TRAINED
from fieldtheory.model.predict import ENSEMBLES, METHODS
from fieldtheory.practice.dataset import NAMES as DATA_SETS
from fieldtheory.practice.reading import (
    Kind,
    as_toml,
    interval,
    list_of,
    number,
    one_or_each,
    refuse,
    switch,
    text,
    whole,
)

MEASUREMENTS = ("regression", "gradient-descent")
POINTS = 10_000  # in one range of samples
FILE = ".csv"
OUTPUTS = ("all", "parity", "classes")
PREPARE = ("standardised", "centred")
KERNEL_KEYS = {
    "rbf": {"length"},
    "laplace": {"length"},
    "matern": {"length", "smoothness"},
    "polynomial": {"degree", "offset"},
}


def parse_samples(value: object) -> tuple[int, ...]:
    """Sample sizes from a list of whole numbers or from "start:stop:log|lin[:points]".

    A range has 20 points unless told otherwise, rounded to whole numbers, each once.

    >>> parse_samples("100:1600:log:5"), parse_samples([100, 400])
    ((100, 200, 400, 800, 1600), (100, 400))
    """
    expected = 'whole numbers like [100, 400], or a range like "100:1600:log:20"'
    if not isinstance(value, str):
        return tuple(list_of(whole(1)).read(value))
    parts = [part.strip() for part in value.split(":")]
    if not 3 <= len(parts) <= 4 or parts[2] not in ("log", "lin"):
        refuse(expected, value)
    digits = [*parts[:2], *(parts[3:] or ["20"])]
    if not all(d.isascii() and d.isdigit() and len(d) <= 15 for d in digits):
        refuse(expected, value)
    start, stop, points = map(int, digits)
    if not 1 <= start <= stop or not 2 <= points <= POINTS:
        refuse(f"a range from 1 or more upwards, in 2 to {POINTS} points", value)
    spread = np.geomspace if parts[2] == "log" else np.linspace
    return tuple(sorted({round(float(n)) for n in spread(start, stop, points)}))


def _raw_samples(given: str) -> object:
    return given if ":" in given else as_toml(given, "list of samples", many=True)


def _activation(value: object) -> str:
    """The name of an activation, with its number in brackets if it takes one."""
    spelled = value.strip() if isinstance(value, str) else value
    text(KNOWN).read(spelled.partition("(")[0] if isinstance(spelled, str) else spelled)
    activation(spelled)
    return str(spelled)


def _kernel(value: object) -> str:
    """Which kernel of a network; a standard one has a section of its own."""
    if value in STANDARD:
        refuse(
            f"one of {', '.join(KERNELS)}",
            value,
            f': that is a kernel without a network, give --name {value}, or name = "{value}" in '
            "[kernel]",
        )
    return text(KERNELS).read(value)  # type: ignore[no-any-return]


def _target(value: object) -> str | tuple[str, ...]:
    """A polynomial, or a list with one for each output."""
    many = isinstance(value, list | tuple)
    return list_of(text()).read(value) if many else text().read(value)  # type: ignore[no-any-return]


def _data(value: object) -> str:
    """The name of a data set, or of a CSV file."""
    if isinstance(value, str) and value.lower().endswith(FILE):
        return value
    if value not in DATA_SETS:
        near = get_close_matches(value, DATA_SETS, n=1) if isinstance(value, str) else []
        hint = f", did you mean {dumps(near[0])}?" if near else ""
        refuse(f"{', '.join(DATA_SETS)} or the name of a file that ends in {FILE}", value, hint)
    return str(value)


SAMPLES = Kind("list of samples", parse_samples, _raw_samples)
ACTIVATION, DATA = Kind("text", _activation, str), Kind("text", _data, str)
KERNEL = Kind("text", _kernel, str)
COUNT, POSITIVE, VARIANCE = whole(1), number(above=True), number()
SEED = whole(0, most=2**128 - 1)


def key(kind: Kind, about: str, default: Any = MISSING) -> Any:
    """One key of a section: how it is read, what it means, and its value where it is absent."""
    return field(default=default, metadata={"kind": kind, "about": about})


def one_of(choices: Sequence[str], about: str, default: Any = MISSING) -> Any:
    """A key whose value is one of a few words."""
    return key(text(choices), f"{about}: {', '.join(choices)}", default)


@dataclass(frozen=True)
class NetworkSection:
    """[network]: the architecture, at infinite width."""

    depth: int = key(COUNT, "dense layers; activations are one fewer", 4)
    activation: str = key(
        ACTIVATION, f"pointwise non-linearity: {', '.join(KNOWN)}, or as in leaky_relu(0.1)", "relu"
    )
    weight_variance: float | tuple[float, ...] = key(
        one_or_each(POSITIVE), "variance of a weight times its fan-in; a list: layer by layer", 1.0
    )
    bias_variance: float | tuple[float, ...] = key(
        one_or_each(VARIANCE), "variance of a bias; a list: layer by layer", 1.0
    )
    kernel: str = key(KERNEL, f"of gradient descent or of Bayes: {', '.join(KERNELS)}", "ntk")
    residual: float = key(
        number(signed=True), "strength of a connection around every hidden layer but the first", 0.0
    )
    input_bias: bool = key(switch(), "whether the first layer has biases", True)
    trained: str = one_of(TRAINED, "layers that the tangent kernel trains", "all")
    train_biases: bool = key(switch(), "whether it trains biases too", True)


@dataclass(frozen=True)
class SpectrumSection:
    """[spectrum]: the eigenvalues themselves."""

    eigenvalues: tuple[float, ...] = key(list_of(VARIANCE), "eigenvalue per harmonic degree")


@dataclass(frozen=True)
class KernelSection:
    """[kernel]: a standard kernel, for comparison."""

    name: str = one_of(STANDARD, "which standard kernel")
    length: float = key(
        POSITIVE,
        "of rbf, laplace and matern: the distance over which the kernel falls off; "
        "inputs have the length |x| of --input-norm",
        1.0,
    )
    smoothness: float = key(
        number(among=tuple(MATERN)),
        f"of a matern kernel: {', '.join(map(str, MATERN))}",
        1.5,
    )
    degree: int = key(COUNT, "of a polynomial kernel", 2)
    offset: float = key(VARIANCE, "of a polynomial kernel", 1.0)


@dataclass(frozen=True)
class TaskSection:
    """[task]: the inputs, what is learnt on them, and how noisily."""

    dimension: int | None = key(whole(2), "inputs lie on the sphere S^(dimension-1)", None)
    input_norm: str | None = one_of(
        INPUT_NORMS, "|x| = 1 (usual on the sphere) or |x|^2 = dimension (usual on data)", None
    )
    target: str | tuple[str, ...] | None = key(
        Kind("text", _target, str), "polynomial in x0, x1, ...; a list: one for each output", None
    )
    power: tuple[float, ...] | None = key(list_of(VARIANCE), "target power per degree", None)
    label_noise: float = key(VARIANCE, "variance of the label noise", 0.0)
    ridge: float = key(VARIANCE, "added to the kernel matrix, not divided by samples", 0.0)
    data: str | None = key(
        DATA,
        f"a data set in place of the sphere: {', '.join(DATA_SETS)}, or a file NAME{FILE}",
        None,
    )
    points: int | None = key(whole(2), "of the data, use only so many, shuffled", None)
    shuffle: int = key(SEED, "seed of that shuffle", 0)
    outputs: str | None = one_of(OUTPUTS, "what is learnt of the data", None)
    label_columns: int = key(COUNT, f"of a {FILE} file, how many columns at its end are labels", 1)
    prepare: str | None = one_of(PREPARE, "features of the data, before |x| is fixed", None)
    tested: str | None = one_of(TESTED, "on all points, or on those not drawn", None)


@dataclass(frozen=True)
class PredictSection:
    """[predict]: the learning curve, from theory."""

    samples: tuple[int, ...] = key(SAMPLES, "sizes, or start:stop:log|lin:points", (100, 400, 1600))
    method: str | None = one_of(
        METHODS, "which theory, crossing unless given (planar in searches)", None
    )
    order: int = key(whole(0, most=3), "of the perturbative series", 1)
    clusters: int | None = key(
        whole(1, most=4),
        "samples (on data: places) at a time that crossing diagrams visit: 2 or 3, on the sphere "
        "4 too; left out, what takes seconds (on data 2)",
        None,
    )
    keep: int = key(whole(0), "powers of t the renormalised kernel keeps", 3)
    ensemble: str = one_of(ENSEMBLES, "of the number of samples", "fixed")


@dataclass(frozen=True)
class MeasureSection:
    """[measure]: the learning curve, from experiment."""

    by: str = one_of(MEASUREMENTS, "how the learner is realised", "regression")
    draws: int = key(COUNT, "independent data sets", 20)
    seed: int = key(SEED, "of the random numbers", 0)


@dataclass(frozen=True)
class TrainSection:
    """[train]: a finite network, by gradient descent."""

    width: int = key(COUNT, "units in each hidden layer", 512)
    max_steps: int = key(COUNT, "where to give up", 20_000)
    tolerance: float = key(POSITIVE, "distance to the minimum, relative to the labels", 1e-3)
    tests: int = key(COUNT, "fresh points the error is taken on", 2000)


@dataclass(frozen=True)
class TuneSection:
    """[tune]: the search for the network of the smallest predicted error."""

    samples: int = key(COUNT, "size at which the error is minimised", 400)
    depth: tuple[int, int] = key(interval(COUNT), "from, to", (1, 8))
    weight_variance: tuple[float, float] = key(interval(POSITIVE), "from, to", (0.1, 10.0))
    bias_variance: tuple[float, float] = key(interval(VARIANCE), "from, to", (1e-3, 1.0))
    activation: tuple[str, ...] = key(list_of(ACTIVATION), "which to try", NAMES)


SECTIONS: dict[str, type[Any]] = {
    "network": NetworkSection,
    "task": TaskSection,
    "predict": PredictSection,
    "measure": MeasureSection,
    "train": TrainSection,
    "spectrum": SpectrumSection,
    "kernel": KernelSection,
    "tune": TuneSection,
}
