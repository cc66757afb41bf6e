import numpy as np
import pytest

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.practice.solving import solve
from tests.tolerance import agree, rounding

MATRIX = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 1.5]])


@pytest.mark.parametrize("ridge", [0.0, 0.3, np.array([0.1, 0.2, 0.3])])
def test_it_solves(ridge):
    before, labels = MATRIX.copy(), np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]])
    found = solve(MATRIX, ridge, labels)
    exact = np.linalg.solve(MATRIX + np.diag(ridge * np.ones(3)), labels)
    assert agree(found, exact, rounding(10))
    assert agree(MATRIX, before, 0)


def test_a_singular_matrix_is_refused():
    with pytest.raises(OutOfRegime, match="2 samples with ridge 0 is singular"):
        solve(np.ones((2, 2)), 0.0, np.ones(2))
