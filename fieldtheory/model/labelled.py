"""Labelled points that training sets are drawn from: real data, or any set of points."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.shown import Printed
from fieldtheory.model.measures.gram import points

TESTED = ("pool", "unseen")


@dataclass(frozen=True, eq=False)
class Labelled(Printed):
    """P points with labels, and what a learner is tested on.

    inputs  (points, d)
    labels  (points, outputs) or (points,); the error is summed over the outputs. A constant is
            a target like any other: the error falls to zero as it is learnt
    name    for print
    tested  "pool": the training set is drawn with replacement, and the error is the mean over all
            points; "unseen": it is drawn without, and the error is the mean over the other points

    Raises `InvalidInput` for entries that are not finite, rows that do not match, labels that are
    all zero, and fewer than two points.

    >>> two = Labelled([[1.0, 0.0], [0.0, 1.0]], [1.0, -1.0])
    >>> two.points, two.labels.shape, two.scale
    (2, (2, 1), 1.0)
    """

    inputs: Any
    labels: Any
    name: str = "data"
    tested: str = "pool"

    def __post_init__(self) -> None:
        given = np.asarray(self.labels)
        x, y = points("inputs", self.inputs), given[:, None] if given.ndim == 1 else given
        y = points("labels", y)
        if len(x) != len(y):
            raise InvalidInput(f"{len(x)} inputs but {len(y)} labels: give one label for each")
        if len(x) < 2:
            raise InvalidInput("1 point: give at least two, or there is nothing to draw")
        if not np.any(y):
            raise InvalidInput("the labels are zero at every point: nothing to learn")
        checks.choice("tested", self.tested, TESTED)
        object.__setattr__(self, "inputs", frozen(x))
        object.__setattr__(self, "labels", frozen(y))

    @property
    def points(self) -> int:
        """P."""
        return int(self.inputs.shape[0])

    @property
    def dimension(self) -> int:
        """d, the number of features."""
        return int(self.inputs.shape[1])

    @property
    def scale(self) -> float:
        """The mean square of the labels, summed over outputs: the error of learning nothing."""
        return float(np.sum(self.labels**2) / self.points)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that other data would not have."""
        digest = sha256(np.ascontiguousarray(self.inputs).tobytes())
        digest.update(np.ascontiguousarray(self.labels).tobytes())
        return digest.hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """The points and their labels as plain data."""
        return vars(self) | {"inputs": self.inputs.tolist(), "labels": self.labels.tolist()}

    def __str__(self) -> str:
        outputs = self.labels.shape[1]
        several = f", {outputs} outputs" if outputs > 1 else ""
        how = "drawn with replacement" if self.tested == "pool" else "tested on the unseen ones"
        return f"{self.name}, {self.points} points{several}, {how}"
