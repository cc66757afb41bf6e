"""A question written down: the TOML file that every numeric verb of the command line reads.

The sections below are the file format. A spec is plain data, checked strictly: a number written as
text is not a number, an unknown key is a fault, and all faults are reported at once with their
paths. Turning it into networks and tasks is left to whoever asks the question.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from json import dumps
from os import PathLike, fspath
from typing import Any, NamedTuple

import numpy as np

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.activation import NAMES
from fieldtheory.model.kernel import MATERN, STANDARD
from fieldtheory.model.network import INPUT_NORMS, KERNELS
from fieldtheory.model.predict import ENSEMBLES, METHODS
from fieldtheory.practice.reading import (
    Kind,
    interval,
    list_of,
    number,
    refuse,
    shown,
    text,
    whole,
)

MEASUREMENTS = ("regression", "gradient-descent")
POINTS = 10_000  # in one range of samples
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


SAMPLES = Kind("list of samples", parse_samples)
COUNT, POSITIVE, VARIANCE = whole(1), number(above=True), number()


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
    activation: str = one_of(NAMES, "pointwise non-linearity", "relu")
    weight_variance: float = key(POSITIVE, "variance of a weight times its fan-in", 1.0)
    bias_variance: float = key(VARIANCE, "variance of a bias", 1.0)
    kernel: str = one_of(KERNELS, "of gradient descent or of Bayes", "ntk")


@dataclass(frozen=True)
class SpectrumSection:
    """[spectrum]: the eigenvalues themselves."""

    eigenvalues: tuple[float, ...] = key(list_of(VARIANCE), "eigenvalue per harmonic degree")


@dataclass(frozen=True)
class KernelSection:
    """[kernel]: a standard kernel, for comparison."""

    name: str = one_of(STANDARD, "which standard kernel")
    length: float = key(POSITIVE, "its length, for |x| as in input_norm", 1.0)
    smoothness: float = key(number(among=tuple(MATERN)), "of a matern kernel", 1.5)
    degree: int = key(COUNT, "of a polynomial kernel", 2)
    offset: float = key(VARIANCE, "of a polynomial kernel", 1.0)


@dataclass(frozen=True)
class TaskSection:
    """[task]: the inputs, what is learnt on them, and how noisily."""

    dimension: int = key(whole(2), "inputs lie on the sphere S^(dimension-1)")
    input_norm: str = one_of(INPUT_NORMS, "|x| = 1 or |x|^2 = dimension", "unit")
    target: str | None = key(text(), "polynomial in x0, x1, ...", None)
    power: tuple[float, ...] | None = key(list_of(VARIANCE), "target power per degree", None)
    label_noise: float = key(VARIANCE, "variance of the label noise", 0.0)
    ridge: float = key(VARIANCE, "added to the kernel matrix, not divided by samples", 0.0)


@dataclass(frozen=True)
class PredictSection:
    """[predict]: the learning curve, from theory."""

    samples: tuple[int, ...] = key(SAMPLES, "sizes, or start:stop:log|lin:points", (100, 400, 1600))
    method: str = one_of(METHODS, "which theory", "planar")
    order: int = key(COUNT, "of the perturbative series", 1)
    keep: int = key(whole(0), "powers of t the renormalised kernel keeps", 3)
    ensemble: str = one_of(ENSEMBLES, "of the number of samples", "fixed")


@dataclass(frozen=True)
class MeasureSection:
    """[measure]: the learning curve, from experiment."""

    by: str = one_of(MEASUREMENTS, "how the learner is realised", "regression")
    draws: int = key(COUNT, "independent data sets", 20)
    seed: int = key(whole(0, most=2**128 - 1), "of the random numbers", 0)


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
    activation: tuple[str, ...] = key(list_of(text(NAMES)), "which to try", NAMES)


class Flag(NamedTuple):
    """A key as a command-line flag: dotted path, flag, help, and the kind of its value."""

    path: str
    flag: str
    help: str
    type: str


@dataclass(frozen=True)
class Spec:
    """A whole question; a section that was not written is None.

    Exactly one of `network`, `spectrum` and `kernel` is there. Of `task.target` and `task.power`
    at most one is: a spectrum needs neither, so whoever needs one asks with `need`.
    """

    task: TaskSection
    network: NetworkSection | None = None
    spectrum: SpectrumSection | None = None
    kernel: KernelSection | None = None
    predict: PredictSection | None = None
    measure: MeasureSection | None = None
    train: TrainSection | None = None
    tune: TuneSection | None = None

    def need(self, *paths: str) -> None:
        """Raise `InvalidInput` naming all `paths` that are absent; "a.b|a.c" means either.

        >>> structure({"network": {}, "task": {"dimension": 5}}).need("task.target|task.power")
        Traceback (most recent call last):
        fieldtheory.ground.errors.InvalidInput: spec: missing, give task.target or task.power
        """
        missing = [path for path in paths if not any(map(self._has, path.split("|")))]
        if missing:
            wanted = "; give ".join(path.replace("|", " or ") for path in missing)
            raise InvalidInput(f"spec: missing, give {wanted}")

    def _has(self, path: str) -> bool:
        section, _, name = path.partition(".")
        value = getattr(self, section)
        return value is not None and (not name or getattr(value, name) is not None)

    @staticmethod
    def flags() -> list[Flag]:
        """Every key as a flag; a name that is taken gets its section in front.

        >>> [flag.flag for flag in Spec.flags() if flag.path.endswith("samples")]
        ['--samples', '--tune-samples']
        """
        found: dict[str, Flag] = {}
        for section, cls in SECTIONS.items():
            for item in fields(cls):
                long = f"--{section}-{item.name}".replace("_", "-")
                short = f"--{item.name}".replace("_", "-")
                flag = long if short in found else short
                kind: Kind = item.metadata["kind"]
                about = item.metadata["about"]
                if item.default not in (MISSING, None):
                    written = dumps(item.default).strip("[]").replace('"', "")
                    about += f" (default {written})"
                found[flag] = Flag(f"{section}.{item.name}", flag, about, kind.name)
        return list(found.values())


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
MODELS = ("network", "spectrum", "kernel")


def load(path: str | PathLike[str] | None, overrides: Mapping[str, str] | None = None) -> "Spec":
    """The spec in the TOML file `path`, with `overrides`: dotted path -> the text of a flag.

    Without a file the overrides are the whole spec. Raises one `InvalidInput` naming every fault.

    >>> load(None, {"network.depth": "6", "task.dimension": "50"}).network.depth
    6
    """
    table, source = ({}, "flags") if path is None else (_parsed(path), fspath(path))
    faults: list[str] = []
    for dotted, given in (overrides or {}).items():
        section, _, name = dotted.partition(".")
        keys = _keys(section)
        if name not in keys:
            faults.append(_unknown(dotted))
            continue
        inside = table.setdefault(section, {})
        if isinstance(inside, dict):
            try:
                inside[name] = keys[name].from_flag(given)
            except InvalidInput as error:
                faults.append(f"{dotted}: {error}")
                inside.pop(name, None)
    return _structured(table, source, faults)


def structure(table: Mapping[str, Any], source: str = "spec") -> "Spec":
    """The spec in a table of tables, as `tomllib` returns it.

    >>> structure({"spectrum": {"eigenvalues": [1, 0.5]}, "task": {"dimension": 5}}).task.ridge
    0.0
    """
    return _structured(table, source, [])


def _structured(table: Mapping[str, Any], source: str, faults: list[str]) -> "Spec":
    """The spec, or all its faults together with those found before."""
    refused = {fault.partition(":")[0] for fault in faults}
    sections: dict[str, Any] = {}
    for section, inside in table.items():
        if section not in SECTIONS:
            faults.append(_unknown(section))
        elif not isinstance(inside, Mapping):
            faults.append(f"{section}: expected a section [{section}], got {shown(inside)}")
        else:
            sections[section] = _section(section, inside, faults, refused)
    if "task" not in table:
        sections["task"] = _section("task", {}, faults, refused)
    faults += _contradictions(table)
    if faults:
        count = f"{len(faults)} faults: " if len(faults) > 1 else ""
        raise InvalidInput(f"{source}: {count}" + "; ".join(faults))
    return Spec(**sections)


def _section(name: str, given: Mapping[str, Any], faults: list[str], refused: set[str]) -> Any:
    """One section; None if it has faults, which are added to `faults`."""
    cls, before, values = SECTIONS[name], len(faults), {}
    kinds = _keys(name)
    for word, value in given.items():
        path = f"{name}.{word}"
        if path == "task.data":
            faults.append(f"{path}: this version has no data sets, give task.dimension instead")
        elif word not in kinds:
            faults.append(_unknown(path))
        else:
            try:
                values[word] = kinds[word].read(value)
            except InvalidInput as error:
                faults.append(f"{path}: {error}")
    for item in fields(cls):
        path = f"{name}.{item.name}"
        excused = item.name in given or path in refused or "data" in given
        if item.default is MISSING and not excused:
            kind: Kind = item.metadata["kind"]
            faults.append(f"{path}: missing, give {kind.name}, {item.metadata['about']}")
    return None if len(faults) > before or refused else cls(**values)


def _contradictions(table: Mapping[str, Any]) -> list[str]:
    """Faults no single key is to blame for."""
    found = []
    models = [name for name in MODELS if name in table]
    if len(models) != 1:
        got = " and ".join(f"[{name}]" for name in models)
        got = got or "none of them (as a flag: --depth, --eigenvalues or --name)"
        found.append(f"give exactly one of [network], [spectrum] and [kernel], got {got}")
    task, kernel = table.get("task"), table.get("kernel")
    if isinstance(task, Mapping) and {"target", "power"} <= set(task):
        found.append("task: both target and power are given, keep one")
    if isinstance(kernel, Mapping) and kernel.get("name") in STANDARD:
        known = {item.name for item in fields(KernelSection)} - {"name"}
        for word in sorted((set(kernel) & known) - KERNEL_KEYS.get(kernel["name"], known)):
            found.append(f"kernel.{word}: a {kernel['name']} kernel has none, remove it")
    return found


def _keys(section: str) -> dict[str, Kind]:
    cls = SECTIONS.get(section)
    return {item.name: item.metadata["kind"] for item in fields(cls)} if cls else {}


def _unknown(path: str) -> str:
    """The fault of a section or key that does not exist, with the nearest that does."""
    section, dot, word = path.partition(".")
    word = word if dot else section
    places = [section] if dot and section in SECTIONS else []
    for name in (*places, *SECTIONS):
        if near := get_close_matches(word, _keys(name), n=1, cutoff=0.75):
            return f"{_printable(path)}: unknown, did you mean {name}.{near[0]}?"
    if places:
        return f"{_printable(path)}: unknown, the keys are {', '.join(_keys(section))}"
    near = get_close_matches(section, SECTIONS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the sections are {', '.join(SECTIONS)}"
    return f"{_printable(path)}: unknown, {hint}"


def _printable(path: str) -> str:
    """A path as it may be printed: one short line."""
    return path if path.isprintable() and len(path) <= 60 else dumps(path[:60])


def _parsed(path: str | PathLike[str]) -> dict[str, Any]:
    """The tables of a TOML file, as Python values."""
    try:
        with open(path, "rb") as file:
            content = file.read().decode("utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot read {fspath(path)}: {error.strerror}") from None
    except ValueError as error:
        raise InvalidInput(f"cannot read {fspath(path)}: not UTF-8 text ({error})") from None
    try:
        return tomllib.loads(content)
    except RecursionError:
        raise InvalidInput(f"{fspath(path)} is not TOML we read: nested too deeply") from None
    except ValueError as error:
        lines = len(content.splitlines())
        fault = str(error).replace("at end of document", f"at the end, line {lines}")
        raise InvalidInput(f"{fspath(path)} is not TOML: {fault}") from None
