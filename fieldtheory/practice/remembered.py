"""A prediction that takes minutes: how far it is, and what of it is finished, in a file.

>>> import numpy as np
>>> with Remembered(None, progress=False) as memory:
...     memory.put("part", np.array([1.0, 0.1]))
...     memory.get("part").tolist()
[1.0, 0.1]
"""

from typing import Any

from tqdm import tqdm

from fieldtheory.ground.arrays import Array
from fieldtheory.practice.store import Parts, Where

PATIENCE = 1.0  # seconds before a bar is shown


class Remembered:
    """A `Memory` for `predict`, to be used as a context: finished parts are kept in a file and
    found again after an interrupt, and a bar says how many there are.

    path      of the file, which may be that of a measurement; None keeps nothing beyond the context
    progress  shows the bar always, never, or (None) at a terminal

    Every question has parts of its own. Raises `InvalidInput` if the file is damaged or cannot be
    written.
    """

    def __init__(self, path: Where = None, progress: bool | None = None) -> None:
        self.parts = Parts(path)
        self.progress = progress
        self.bar: Any = None

    def get(self, key: str) -> Array | None:
        """The part of that name, or None."""
        return self.parts.get(key)

    def put(self, key: str, values: Array) -> None:
        """Keep a part."""
        self.parts.put(key, values)

    def step(self, done: int, total: int) -> None:
        """So many parts are finished, of as many as seem needed."""
        if self.bar is None:
            hidden = None if self.progress is None else not self.progress
            self.bar = tqdm(
                desc="predicting",
                unit=" solutions",
                total=total,
                disable=hidden,
                leave=False,
                delay=PATIENCE,
            )
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def __enter__(self) -> "Remembered":
        self.parts.__enter__()
        return self

    def __exit__(self, *ended: Any) -> None:
        if self.bar is not None:
            self.bar.close()
        self.parts.__exit__(*ended)
