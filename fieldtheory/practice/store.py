"""A file of finished work: written atomically, found again after an interrupt.

One file holds the draws of a measurement and parts of predictions, and each leaves the other alone.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.version import __version__

EVERY = 1.0  # seconds between writes, at least; the last one is written on leaving
DRAWS, PARTS = {"settings", "values"}, {"parts"}
Where = str | PathLike[str] | None


class _File:
    """A file of finished work. Without a path nothing is kept.

    Used as a context: whatever ends the work, an interrupt included, what is finished is written.
    """

    def __init__(self, path: Where) -> None:
        self.path = None if path is None else Path(path)
        self.written = time.monotonic()
        self.content: dict[str, Any] = {}
        if self.path is None:
            return
        if not self.path.parent.is_dir():
            raise InvalidInput(f"store {str(path)!r}: there is no such folder")
        if self.path.exists():
            self.content = self._read(self.path)

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            found = dict(json.loads(path.read_text(encoding="utf-8")))
            if not (found.keys() >= DRAWS or found.keys() >= PARTS):
                raise KeyError("nothing of ours")
            dict(found.get("settings", {}))
            found["values"] = {str(k): float(v) for k, v in found.get("values", {}).items()}
            found["parts"] = {
                str(k): [float(x) for x in v] for k, v in found.get("parts", {}).items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(
                f"store {str(path)!r} cannot be read ({type(error).__name__}): move it away, or "
                "name another file"
            ) from None
        return found

    def _wait(self) -> None:
        """Write, unless that was just done."""
        if time.monotonic() - self.written > EVERY:
            self._write()

    def _write(self) -> None:
        if self.path is None:
            return
        beside = self.path.with_name(self.path.name + ".part")
        try:
            with beside.open("w", encoding="utf-8") as file:
                json.dump({**self.content, "version": __version__}, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path)
        except OSError as error:
            raise InvalidInput(
                f"store {str(self.path)!r} cannot be written: {error.strerror}"
            ) from None
        self.written = time.monotonic()

    def __enter__(self) -> Self:
        self._write()  # refuse an unwritable path before the work, not after it
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write()


class Store(_File):
    """Numbers by key, beside the settings that produced them.

    Raises `InvalidInput` if the file is damaged, cannot be written, or belongs to other settings.
    """

    def __init__(self, path: Where, settings: Mapping[str, Any]) -> None:
        super().__init__(path)
        self.settings = dict(settings)
        before = self.content.get("settings", self.settings)
        differing = sorted(
            key
            for key in self.settings.keys() | before.keys()
            if self.settings.get(key) != before.get(key)
        )
        if differing:
            raise InvalidInput(
                f"store {str(path)!r} belongs to another measurement, with another "
                f"{' and '.join(differing)}: name another file"
            )
        self.values: dict[str, float] = self.content.get("values", {})
        self.content |= {"settings": self.settings, "values": self.values}

    def get_or(self, key: str, work: Callable[[], float]) -> float:
        """The stored number, or the result of `work`, stored."""
        if key not in self.values:
            self.values[key] = work()
            self._wait()
        return self.values[key]


class Parts(_File):
    """Arrays of numbers by a key that says what they belong to.

    Raises `InvalidInput` if the file is damaged or cannot be written.
    """

    def __init__(self, path: Where) -> None:
        super().__init__(path)
        self.parts: dict[str, list[float]] = self.content.get("parts", {})
        self.content["parts"] = self.parts

    def get(self, key: str) -> Array | None:
        """The stored array, to the last bit, or None."""
        return frozen(self.parts[key]) if key in self.parts else None

    def put(self, key: str, values: Array) -> None:
        """Store an array."""
        self.parts[key] = np.asarray(values, dtype=float).tolist()
        self._wait()
