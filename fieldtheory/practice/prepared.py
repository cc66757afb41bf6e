"""Data as a spec asks for them: some of the points, what is learnt of them, all at one length."""

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.practice.dataset import CONSTANT, NAMES, Dataset, dataset
from fieldtheory.practice.sections import TaskSection
from fieldtheory.practice.table import read_table

USUAL = {"digits": "centred"}  # pixels share one unit; everything else is standardised


def prepared(asked: TaskSection) -> Dataset:
    """The data set of `[task]`, each step named in its notes.

    Of all points `points` are taken after a shuffle with the seed `shuffle`; features that are
    constant on these are left out; the rest is centred or standardised, and every input divided by
    its length, |x|^2 = d unless `input_norm` says |x| = 1.

    Raises `InvalidInput` for more points than there are, and as `dataset` and `read_table` do.

    >>> print(prepared(TaskSection(data="digits", points=500, outputs="parity")))
    digits, parity: 500 points, 5... features, 1 output; ...; centred; |x|^2 = 5...
    """
    if asked.data is None:
        raise InvalidInput("task.data: missing, give the name of a data set")
    if asked.data in NAMES:
        found = dataset(asked.data)
    else:
        classes = asked.outputs == "classes"
        found = read_table(asked.data, label_columns=asked.label_columns, classes=classes)
    if asked.outputs == "parity":
        found = _parity(found)
    found = _some(found, asked.points, asked.shuffle)
    ready = asked.prepare or USUAL.get(asked.data, "standardised")
    found = found.centred() if ready == "centred" else found.standardised()
    return found.on_sphere(asked.input_norm or "dimension")


def _parity(digits: Dataset) -> Dataset:
    """+1 for an even digit, -1 for an odd one."""
    which = np.argmax(digits.labels, axis=1)
    even = np.array([int(name) % 2 == 0 for name in digits.classes])
    labels = np.where(even[which], 1.0, -1.0)[:, None]
    name = f"{digits.name}, parity"
    return Dataset(name, digits.inputs, labels, (), digits.features, digits.notes)


def _some(data: Dataset, points: int | None, seed: int) -> Dataset:
    """The first `points` after a shuffle, without the features that are constant on them."""
    if points is None or points == data.points:
        return data
    if points > data.points:
        raise InvalidInput(
            f"points = {points}, but {data.name} has {data.points}: ask for at most that many"
        )
    rows = np.random.default_rng(seed).permutation(data.points)[:points]
    x = data.inputs[rows]
    live = np.ptp(x, axis=0) > CONSTANT * np.max(np.abs(x), axis=0)
    dark = int(np.sum(~live))
    notes = [f"{points} of {data.points} points, shuffled with seed {seed}"]
    notes += [f"{dark} features left out that are constant there"] if dark else []
    names = tuple(name for name, kept in zip(data.features, live, strict=True) if kept)
    labels: Array = data.labels[rows]
    if not np.any(live):
        raise InvalidInput(f"points = {points}: every feature is constant there, ask for more")
    _refuse_missing(data, labels, points)
    return Dataset(data.name, x[:, live], labels, data.classes, names, (*data.notes, *notes))


def _refuse_missing(data: Dataset, labels: Array, points: int) -> None:
    gone = [name for name, y in zip(data.classes, labels.T, strict=False) if np.ptp(y) == 0]
    if gone:
        raise InvalidInput(
            f"points = {points}: class {gone[0]} of {data.name} is not among them, or is alone; "
            "ask for more points, or another shuffle"
        )
