"""C M C by halves, and of changes by half the digits."""

import numpy as np

from fieldtheory.model.points.product import STRIP, Sandwich, sandwiched
from tests.tolerance import agree, asymptotic, rounding


def symmetric(size, seed):
    matrix = np.random.default_rng(seed).standard_normal((size, size))
    return matrix + matrix.T


def test_one_half_is_the_mirror_image_of_the_other():
    for size in (1, 5, STRIP, 2 * STRIP + 3):
        C, M = symmetric(size, 0), symmetric(size, 1)
        found, truth = sandwiched(C, M), C @ M @ C
        assert agree(found, truth, rounding(np.max(np.abs(truth)), 100))
        off = np.arange(size) // STRIP  # the blocks on the diagonal are products as they come
        apart = off[:, None] != off
        assert np.array_equal(found[apart], found.T[apart])


def test_a_sequence_of_ever_smaller_changes():
    """Over eighty orders of magnitude: what is left of the digits is the same."""
    for scale in (1e-40, 1.0, 1e40):
        C, M, move = (size * symmetric(40, k) for k, size in enumerate((scale, 1.0, 1.0)))
        image, full = Sandwich(C), Sandwich(C, 0.0)
        top = np.max(np.abs(C @ M @ C))
        for k in range(1, 9):
            now = M + 10.0**-k * move
            truth = C @ now @ C
            off = np.max(np.abs(image(now) - truth)) / top
            assert off < asymptotic(1e-8)
            assert agree(full(now), truth, rounding(top, 100))
        assert off > 1e-12, "half the digits are half the digits"
        assert agree(image(10 * now), 10 * truth, rounding(10 * top, 100))  # a large change
    assert not Sandwich(np.zeros((2, 2)))(np.eye(2)).any()
