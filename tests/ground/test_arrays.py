"""Frozen arrays cannot be changed, neither themselves nor through what they were made of."""

import numpy as np
import pytest

from fieldtheory.ground.arrays import frozen


def test_a_frozen_array_is_a_read_only_copy():
    original = np.array([1, 2])
    kept = frozen(original)
    original[0] = 5
    assert kept.tolist() == [1.0, 2.0]
    assert kept.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 7
