"""Third places of three-sample words on given points: how many, and what their choice costs."""

from collections.abc import Sequence

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.memory import Memory, Work
from fieldtheory.model.points import dressed, finite

TRIPLES = 400  # points up to which words of three samples are summed


def affordable(points: int) -> list[int] | None:
    """As many third places as memory allows, evenly along the list; None for all of them.

    Raises `OutOfRegime` for more points than have an answer in minutes.

    >>> affordable(200) is None, affordable(400)[:3]
    (True, [0, 3, 6])
    """
    if points > TRIPLES:
        raise OutOfRegime(
            f"clusters = 3 on {points} points: words of three samples take minutes at {TRIPLES} "
            "points and grow with the cube. Take clusters = 2, pairs of points at a time, which is "
            "better still, or a random part of the points"
        )
    most = int(finite.MEMORY / (finite.SLOPES * 8.0 * points**2))
    return None if most >= points else list(range(0, points, -(-points // max(most, 1))))


def chosen(
    matrix: Array,
    labels: Array,
    asked: tuple[float, float],
    thirds: Sequence[int],
    memory: Memory | None = None,
) -> float:
    """The relative standard error that the choice of third places leaves; `asked` are the number of
    samples and the ridge."""
    samples, ridge = asked

    def found() -> Array:
        measure = finite.Measure.of(matrix)
        at = dressed.solve(measure, samples, ridge, clusters=3, thirds=thirds)
        return np.array([at.third_error(labels) / float(np.sum(at.error(labels)))])

    work = Work(memory, matrix, labels, samples, ridge, tuple(thirds))
    return float(work.part("choice of third places", found)[0])
