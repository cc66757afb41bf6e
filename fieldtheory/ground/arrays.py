"""Frozen arrays: a value that holds arrays cannot be changed behind its back."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def frozen(values: Any) -> Array:
    """A read-only float64 copy of `values`.

    >>> frozen([1, 2]).flags.writeable
    False
    """
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array
