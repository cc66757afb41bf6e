"""What long work keeps of itself: finished parts by name, and how far it has come.

The theory knows neither files nor clocks. It asks here before it begins a part, hands each finished
one over, and says how many there are. A part depends on the question and its name alone, so that
work that goes on from a memory ends as if it had never stopped.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Protocol

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.version import __version__


class Memory(Protocol):
    """Finished parts of one question."""

    def get(self, key: str) -> Array | None:
        """The part of that name, to the last bit, or None."""

    def put(self, key: str, values: Array) -> None:
        """Keep a part; one-dimensional."""

    def step(self, done: int, total: int) -> None:
        """So many parts are finished, of as many as seem needed now."""


class Forgetful:
    """Keeps nothing, for work of seconds."""

    def get(self, key: str) -> Array | None:
        """None."""

    def put(self, key: str, values: Array) -> None:
        """Nothing happens."""

    def step(self, done: int, total: int) -> None:
        """Nothing happens."""


def fingerprint(*question: Any) -> str:
    """Sixteen hexadecimal digits that no other question has, nor another version of the library:
    of arrays, and of values that are known by their print.

    >>> fingerprint(np.eye(2), 0.1) == fingerprint(np.eye(2), 0.2)
    False
    """
    digest = sha256(__version__.encode())
    for value in question:
        known = isinstance(value, np.ndarray)
        name = f"{value.shape} {value.dtype}" if known else repr(value)
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value).tobytes() if known else b";")
    return digest.hexdigest()[:16]


class Work:
    """Parts one after the other, each found in a memory or else computed and kept there.

    memory    nothing is kept without
    question  all that the parts depend on beside their name, for `fingerprint`

    >>> work = Work()
    >>> work.expect(2)
    >>> work.part("half", lambda: np.array([0.5])).tolist(), work.done, work.total
    ([0.5], 1, 2)
    """

    def __init__(self, memory: Memory | None = None, *question: Any) -> None:
        self.memory = Forgetful() if memory is None else memory
        self.question = "" if memory is None else fingerprint(*question)
        self.done = self.total = 0

    def expect(self, more: int) -> None:
        """At least so many parts are still to come."""
        self.total = max(self.total, self.done + more)
        self.memory.step(self.done, self.total)

    def part(self, key: str, find: Callable[[], Array]) -> Array:
        """The part of that name."""
        name = f"{self.question} {key}"
        found = self.memory.get(name)
        if found is None:
            found = find()
            self.memory.put(name, found)
        self.done += 1
        self.expect(0)
        return found

    def end(self) -> None:
        """There is no more to come."""
        self.total = self.done
        self.expect(0)
