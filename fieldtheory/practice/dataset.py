"""Data sets: inputs and labels of the world, made ready for a kernel.

Two are shipped with scikit-learn and load without a network connection: handwritten digits
(1797 images of 8 x 8 pixels, ten classes) and diabetes (442 patients, ten measurements, one number
to predict). Any other comes in by `Dataset.of`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, MissingExtra
from fieldtheory.ground.shown import Printed
from fieldtheory.model.measures.gram import normalised, points
from fieldtheory.model.task import Task

NAMES = ("digits", "diabetes")
CONSTANT = 1e-12  # spread of a feature, relative to its size, that is no spread
FEW = 5  # columns named in a message


@dataclass(frozen=True, eq=False)
class Dataset(Printed):
    """P inputs with labels.

    inputs    (points, d) finite, no feature constant
    labels    (points, outputs) numbers to learn; of a classification +1 in the column of the class
              and -1 in all others (one against the rest)
    classes   names of the classes, one for each column; empty for a regression
    features  names of the columns of `inputs`
    notes     what was done to the data, in order

    A constant label is a question like any other, how fast a kernel learns a constant, until it is
    centred. Raises `InvalidInput` for entries that are not finite, constant features, labels that
    are all zero, and rows that do not match.

    >>> data = Dataset.of([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["cat", "dog", "cat"])
    >>> data.classes, data.labels.tolist()
    (('cat', 'dog'), [[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]])
    """

    name: str
    inputs: Array
    labels: Array
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        x, y = points("inputs", self.inputs), points("labels", self.labels)
        if len(x) != len(y):
            raise InvalidInput(f"{len(x)} inputs but {len(y)} labels: give one label for each")
        if len(self.classes) > len(x):
            raise InvalidInput(f"{len(self.classes)} classes for {len(x)} rows: give more rows")
        if self.classes and len(self.classes) != y.shape[1]:
            raise InvalidInput(f"{len(self.classes)} classes for {y.shape[1]} columns of labels")
        names = self.features or tuple(f"x{i}" for i in range(x.shape[1]))
        if len(names) != x.shape[1]:
            raise InvalidInput(f"{len(names)} names for {x.shape[1]} features: give one for each")
        _refuse_constant(x, names)
        if not np.any(y):
            raise InvalidInput("the labels are zero at every point: nothing to learn")
        object.__setattr__(self, "inputs", frozen(x))
        object.__setattr__(self, "labels", frozen(y))
        object.__setattr__(self, "features", names)

    @classmethod
    def of(
        cls,
        inputs: Any,
        labels: Any,
        *,
        name: str = "data",
        classification: bool | None = None,
        features: Sequence[str] = (),
    ) -> "Dataset":
        """Data of your own.

        labels          (points,) or (points, outputs) numbers, or (points,) names of classes
        classification  whether `labels` are classes; left out, names are and numbers are not

        Raises `InvalidInput` as above, and for more classes than rows / 2: labels that are nearly
        all different are numbers to predict, not classes.
        """
        given = np.asarray(labels)
        kinds = given.dtype.kind
        if classification is None:
            classification = kinds not in "biuf"
        if not classification:
            columns = given[:, None] if given.ndim == 1 else given
            return cls(
                name, points("inputs", inputs), points("labels", columns), features=tuple(features)
            )
        rows = points("inputs", inputs)
        y, classes = one_against_rest(given)
        return cls(name, rows, y, classes, tuple(features))

    @property
    def points(self) -> int:
        """P."""
        return int(self.inputs.shape[0])

    @property
    def dimension(self) -> int:
        """d."""
        return int(self.inputs.shape[1])

    def standardised(self) -> "Dataset":
        """Every feature with mean zero and variance one; every label of a regression centred.

        Raises `InvalidInput` for a constant label of a regression, of which nothing is left.

        >>> Dataset.of([[1.0], [3.0]], [5.0, 9.0]).standardised().inputs.tolist()
        [[-1.0], [1.0]]
        """
        x = (self.inputs - self.inputs.mean(axis=0)) / self.inputs.std(axis=0)
        y = self.labels if self.classes else self.labels - self.labels.mean(axis=0)
        if not self.classes and (flat := np.flatnonzero(_constant(self.labels))).size:
            raise InvalidInput(
                f"column {flat[0]} of the labels is {self.labels[0, flat[0]]:g} at every point: "
                "centred, nothing is left of it to learn; leave it out, or do not centre it"
            )
        return replace(self, inputs=x, labels=y, notes=(*self.notes, "standardised"))

    def centred(self) -> "Dataset":
        """Every feature with mean zero, in its own unit: right for pixels, which share one."""
        x = self.inputs - self.inputs.mean(axis=0)
        return replace(self, inputs=x, notes=(*self.notes, "centred"))

    def task(self, noise: float = 0.0, *, ridge: float = 0.0, tested: str = "pool") -> Task:
        """Learning these labels from these inputs, see `Task.data`.

        >>> print(Dataset.of([[1.0], [3.0]], [5.0, 9.0], name="two").task(ridge=0.1))
        two, 2 points, drawn with replacement, label noise 0, ridge 0.1
        """
        return Task.data(
            self.inputs, self.labels, noise, ridge=ridge, tested=tested, name=self.name
        )

    def on_sphere(self, input_norm: str = "dimension") -> "Dataset":
        """Every input divided by its length: |x|^2 = d ("dimension") or |x| = 1 ("unit").

        Then a kernel sees the cosine alone, and any network serves.
        """
        x = normalised(self.inputs, input_norm)
        length = "|x| = 1" if input_norm == "unit" else f"|x|^2 = {self.dimension}"
        return replace(self, inputs=x, notes=(*self.notes, length))

    def take(self, rows: Any) -> "Dataset":
        """Some of the points, by their indices."""
        index = np.asarray(rows)
        return replace(self, inputs=self.inputs[index], labels=self.labels[index])

    def label_power(self) -> float:
        """The mean over points of the squared labels, summed over outputs."""
        return float(np.mean(np.sum(self.labels**2, axis=1)))

    def to_dict(self) -> dict[str, Any]:
        """The data as plain data: arrays and tuples as lists.

        >>> Dataset.of([[1.0], [3.0]], [5.0, 9.0]).to_dict()["labels"]
        [[5.0], [9.0]]
        """
        arrays = {"inputs": self.inputs.tolist(), "labels": self.labels.tolist()}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in (vars(self) | arrays).items()}

    def __str__(self) -> str:
        kind = f"{len(self.classes)} classes" if self.classes else f"{self.labels.shape[1]} output"
        what = f"{self.name}: {self.points} points, {self.dimension} features, {kind}"
        return "; ".join([what, *self.notes])


def dataset(name: str) -> Dataset:
    """A data set by name: "digits" or "diabetes", as scikit-learn ships them.

    Pixels that are dark in every image carry nothing and are left out, which `notes` says.

    Raises `InvalidInput` for another name, and `MissingExtra` without scikit-learn.
    """
    which = checks.choice("data set", name, NAMES)
    try:
        shelf = import_module("sklearn.datasets")
    except ImportError:
        raise MissingExtra(
            f"the data set {which!r} comes with scikit-learn: pip install 'fieldtheory[data]', or "
            "bring inputs and labels of your own with Dataset.of"
        ) from None
    found = getattr(shelf, f"load_{which}")()
    x, names = np.asarray(found.data, dtype=float), tuple(map(str, found.feature_names))
    live = ~_constant(x)
    dark = int(np.sum(~live))
    notes = (f"{dark} constant features left out",) if dark else ()
    x, names = x[:, live], tuple(n for n, keep in zip(names, live, strict=True) if keep)
    if which == "digits":
        y, classes = one_against_rest(found.target)
        return Dataset(which, x, y, classes, names, notes)
    return Dataset(which, x, np.asarray(found.target, dtype=float)[:, None], (), names, notes)


def one_against_rest(classes: Any) -> tuple[Array, tuple[str, ...]]:
    """Class names or numbers as vector labels: +1 in the column of the class, -1 elsewhere.

    Raises `InvalidInput` for one class, for a row without a class, for more classes than rows / 2.

    >>> one_against_rest([3, 1, 3, 1])[1]
    ('1', '3')
    """
    given = np.asarray(classes)
    if given.ndim != 1 or given.size == 0:
        raise InvalidInput(f"classes of shape {given.shape}: give one class for each point")
    lost = [i for i, value in enumerate(given.tolist()) if value is None or value != value]
    if lost:
        raise InvalidInput(f"point {lost[0]} has no class: leave such points out")
    names, index = np.unique(given.astype(str), return_inverse=True)
    if names.size < 2:
        raise InvalidInput(
            f"every point is of class {names[0]}: give points of two classes or more"
        )
    if 2 * names.size > given.size and names.size > 2:
        raise InvalidInput(
            f"{names.size} classes for {given.size} rows: each class needs two rows or more on "
            "average; are these numbers to predict? then pass classification=False"
        )
    y = np.full((given.size, names.size), -1.0)
    y[np.arange(given.size), index.ravel()] = 1.0
    return y, tuple(names.tolist())


def _constant(x: Array) -> Any:
    return np.ptp(x, axis=0) <= CONSTANT * np.max(np.abs(x), axis=0)


def _refuse_constant(x: Array, names: tuple[str, ...]) -> None:
    flat = np.flatnonzero(_constant(x))
    if flat.size:
        shown = ", ".join(names[i] for i in flat[:FEW]) + (", ..." if flat.size > FEW else "")
        raise InvalidInput(
            f"{flat.size} of {x.shape[1]} features are constant ({shown}): they carry nothing and "
            "cannot be standardised; leave them out, x[:, np.ptp(x, axis=0) > 0]"
        )
