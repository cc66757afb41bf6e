"""Pictures of results, together on one pair of axes, on screen or in a file."""

from functools import reduce
from operator import add
from os import PathLike
from typing import Any, Protocol

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.picture import Picture


class Drawable(Protocol):
    """Any result with a picture: a curve, a measurement, a comparison, a tuning."""

    def picture(self) -> Picture: ...


def draw(*results: Drawable, path: str | PathLike[str] | None = None, axes: Any = None) -> Any:
    """Draw results over each other; returns the matplotlib axes.

    With `path` (.png, .svg, .pdf) the picture is written to that file instead, and the path
    returned. Raises `InvalidInput` for nothing to draw or an unwritable path, and `MissingExtra`
    without matplotlib.
    """
    if not results:
        raise InvalidInput("draw() was given nothing: pass a curve, a measurement, a comparison")
    picture = reduce(add, (result.picture() for result in results))
    if path is None:
        return picture.draw(axes)
    picture.save(path)
    return path
