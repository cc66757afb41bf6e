"""A file of finished numbers: written atomically, found again after an interrupt."""

import json
import os
import time
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.version import __version__

EVERY = 1.0  # seconds between writes, at least; the last one is written on leaving


class Store:
    """Numbers by key, beside the settings that produced them. Without a path it keeps nothing.

    Used as a context: whatever ends the work, an interrupt included, what is finished is written.
    Raises `InvalidInput` if the file is damaged, cannot be written, or belongs to other settings.
    """

    def __init__(self, path: str | PathLike[str] | None, settings: Mapping[str, Any]) -> None:
        self.path = None if path is None else Path(path)
        self.settings = dict(settings)
        self.values: dict[str, float] = {}
        self.written = time.monotonic()
        if self.path is not None:
            if not self.path.parent.is_dir():
                raise InvalidInput(f"store {str(path)!r}: there is no such folder")
            if self.path.exists():
                self.values = self._read(self.path)

    def get_or(self, key: str, work: Callable[[], float]) -> float:
        """The stored number, or the result of `work`, stored."""
        if key not in self.values:
            self.values[key] = work()
            if time.monotonic() - self.written > EVERY:
                self._write()
        return self.values[key]

    def __enter__(self) -> "Store":
        self._write()  # refuse an unwritable path before the work, not after it
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write()

    def _read(self, path: Path) -> dict[str, float]:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            values = {str(key): float(value) for key, value in found["values"].items()}
            settings = found["settings"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(
                f"store {str(path)!r} cannot be read ({type(error).__name__}): move it away, or "
                "name another file"
            ) from None
        differing = sorted(
            key
            for key in self.settings.keys() | settings.keys()
            if self.settings.get(key) != settings.get(key)
        )
        if differing:
            raise InvalidInput(
                f"store {str(path)!r} belongs to another measurement, with another "
                f"{' and '.join(differing)}: name another file"
            )
        return values

    def _write(self) -> None:
        if self.path is None:
            return
        content = {"version": __version__, "settings": self.settings, "values": self.values}
        beside = self.path.with_name(self.path.name + ".part")
        try:
            with beside.open("w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path)
        except OSError as error:
            raise InvalidInput(
                f"store {str(self.path)!r} cannot be written: {error.strerror}"
            ) from None
        self.written = time.monotonic()
