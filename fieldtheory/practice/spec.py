"""A question written down: the TOML file that every numeric verb of the command line reads.

`sections` is the file format. A spec is plain data, checked strictly: a number written as
text is not a number, an unknown key is a fault, and all faults are reported at once with their
paths. Turning it into networks and tasks is left to whoever asks the question.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from json import dumps
from os import PathLike, fspath
from os.path import exists
from typing import Any, NamedTuple

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.reader import polynomial as read_polynomial
from fieldtheory.model.kernel import STANDARD
from fieldtheory.model.measures.harmonic import only_coordinates
from fieldtheory.practice.dataset import NAMES as DATA_SETS
from fieldtheory.practice.reading import Kind, shown
from fieldtheory.practice.sections import (
    FILE,
    KERNEL_KEYS,
    SECTIONS,
    KernelSection,
    MeasureSection,
    NetworkSection,
    PredictSection,
    SpectrumSection,
    TaskSection,
    TrainSection,
    TuneSection,
)

DATA_KEYS = ("points", "shuffle", "outputs", "label_columns", "prepare", "tested")
SPHERE_KEYS = ("dimension", "target", "power")
MODELS = ("network", "spectrum", "kernel")


class Flag(NamedTuple):
    """A key as a command-line flag: dotted path, flag, help, and the kind of its value."""

    path: str
    flag: str
    help: str
    type: str


@dataclass(frozen=True)
class Spec:
    """A whole question; a section that was not written is None.

    Exactly one of `network`, `spectrum` and `kernel` is there. Of `task.target`, `task.power` and
    `task.data` at most one is: a spectrum needs none, so whoever needs one asks with `need`.
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


def load(
    path: str | PathLike[str] | None,
    overrides: Mapping[str, str] | None = None,
    *,
    inputs: bool = True,
) -> "Spec":
    """The spec in the TOML file `path`, with `overrides`: dotted path -> the text of a flag.

    Without a file the overrides are the whole spec; without `inputs` it need not say where inputs
    lie. Raises one `InvalidInput` naming every fault.

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
    return _structured(table, source, faults, inputs)


def structure(table: Mapping[str, Any], source: str = "spec") -> "Spec":
    """The spec in a table of tables, as `tomllib` returns it.

    >>> structure({"spectrum": {"eigenvalues": [1, 0.5]}, "task": {"dimension": 5}}).task.ridge
    0.0
    """
    return _structured(table, source, [])


def _structured(
    table: Mapping[str, Any], source: str, faults: list[str], inputs: bool = True
) -> "Spec":
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
    if inputs:
        faults += _nowhere(table.get("task", {}), refused)
    faults += _contradictions(table)
    if faults:
        faults += _found_later(table.get("task"), refused)
        count = f"{len(faults)} faults: " if len(faults) > 1 else ""
        raise InvalidInput(f"{source}: {count}" + "; ".join(faults))
    return Spec(**sections)


def _section(name: str, given: Mapping[str, Any], faults: list[str], refused: set[str]) -> Any:
    """One section; None if it has faults, which are added to `faults`."""
    cls, before, values = SECTIONS[name], len(faults), {}
    kinds = _keys(name)
    for word, value in given.items():
        path = f"{name}.{word}"
        if word not in kinds:
            faults.append(_unknown(path))
        else:
            try:
                values[word] = kinds[word].read(value)
            except InvalidInput as error:
                faults.append(f"{path}: {error}")
    for item in fields(cls):
        path = f"{name}.{item.name}"
        if item.default is MISSING and item.name not in given and path not in refused:
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
    if isinstance(task, Mapping):
        found += _task_faults(task)
        if "data" in task and "spectrum" in table:
            found.append("spectrum: eigenvalues per degree belong to a sphere, not to task.data")
    if isinstance(kernel, Mapping) and kernel.get("name") in STANDARD:
        known = {item.name for item in fields(KernelSection)} - {"name"}
        for word in sorted((set(kernel) & known) - KERNEL_KEYS.get(kernel["name"], known)):
            found.append(f"kernel.{word}: a {kernel['name']} kernel has none, remove it")
    return found


def _nowhere(task: object, refused: set[str]) -> list[str]:
    """The fault of a task that does not say where its inputs lie."""
    if not isinstance(task, Mapping) or {"dimension", "data"} & set(task):
        return []
    if {"task.dimension", "task.data"} & refused:
        return []
    return [
        "task.dimension: missing, give a whole number, inputs lie on the sphere S^(dimension-1); "
        "or give task.data"
    ]


def _task_faults(task: Mapping[str, Any]) -> list[str]:
    """Keys of [task] that do not go together."""
    found = []
    if {"target", "power"} <= set(task):
        found.append("task: both target and power are given, keep one")
    if "data" not in task:
        stray = [f"task.{word}" for word in DATA_KEYS if word in task]
        return found + [f"{path}: it needs task.data, give that or remove this" for path in stray]
    for word in SPHERE_KEYS:
        if word in task:
            found.append(f"task.{word}: task.data brings its own, keep one")
    named = task["data"] in DATA_SETS
    if task.get("outputs") == "parity" and task["data"] != "digits":
        found.append('task.outputs: only the digits have a parity, give "all" or "classes"')
    if named and task.get("outputs") == "classes":
        found.append('task.outputs: "classes" is for labels in a file, give "all"')
    if named and "label_columns" in task:
        found.append("task.label_columns: it is for a file, remove it")
    return found


def _found_later(task: object, refused: set[str]) -> list[str]:
    """Of a spec with faults, what would come to light once they are cured: a target that is not a
    polynomial in the coordinates, a file that is not there."""
    if not isinstance(task, Mapping):
        return []
    found = []
    target, dimension, data = (task.get(word) for word in ("target", "dimension", "data"))
    for text in target if isinstance(target, list | tuple) else [target]:
        if isinstance(text, str) and data is None:
            try:
                whole = read_polynomial(text)
                if type(dimension) is int and dimension >= 2 and "task.dimension" not in refused:
                    only_coordinates(whole, dimension)
            except InvalidInput as error:
                found.append(f"task.target: {error}")
    if isinstance(data, str) and data.lower().endswith(FILE) and not exists(data):
        found.append(f"task.data: cannot read {_printable(data)}: no such file")
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
