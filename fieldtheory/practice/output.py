"""Where results leave for a terminal or a disk: JSON, word of how far a long list is, whole files.

A text file is written beside its place and moved there when it is complete, so that whatever ends
the work, an interrupt included, leaves the old file or the new one and nothing half-written.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.picture import check_path

EVERY = 5.0  # seconds between two words on how far a list is

Item = TypeVar("Item")


def as_json(data: Any) -> str:
    """One line of JSON, which has no infinity: what is not a finite number is null.

    >>> as_json({"z": [1.5, float("inf")]})
    '{"z": [1.5, null]}'
    """
    return json.dumps(_finite(data), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def reported(
    found: Iterable[Item], say: Callable[[str], None], what: str = "diagrams"
) -> Iterator[Item]:
    """The same items; every few seconds `say` hears how many there are so far.

    >>> list(reported("abc", say=print))
    ['a', 'b', 'c']
    """
    told = time.monotonic()
    for number, item in enumerate(found, 1):
        if time.monotonic() - told > EVERY:
            say(f"{number} {what} so far")
            told = time.monotonic()
        yield item


def check_svg(path: str | PathLike[str]) -> Path:
    """The path of an SVG, refused before any work if it cannot be written.

    >>> check_svg("diagrams.gif")
    Traceback (most recent call last):
    fieldtheory.ground.errors.InvalidInput: drawing 'diagrams.gif': end the name in .svg
    """
    if Path(path).suffix.lower() != ".svg":
        raise InvalidInput(f"drawing {str(path)!r}: end the name in .svg")
    return check_path(path)


def write_whole(path: str | PathLike[str], text: str) -> None:
    """Write a text file in one step.

    Raises `InvalidInput` when it cannot be written.
    """
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            with beside.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(f"{str(path)!r} cannot be written: {error.strerror}") from None
