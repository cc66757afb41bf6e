"""The linear system of kernel regression, solved or refused."""

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime


def solve(gram: Array, ridge: float | Array, labels: Array) -> Array:
    """(gram + ridge)^-1 labels by Cholesky; a ridge for each sample may be given.

    Raises `OutOfRegime` when the matrix is singular.

    >>> solve(np.eye(2), 1.0, np.array([2.0, 4.0])).round(12).tolist()
    [1.0, 2.0]
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    gram = gram.copy()
    gram[np.diag_indices_from(gram)] += ridge
    try:
        factor = cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError:
        raise OutOfRegime(
            f"the kernel matrix of {len(gram)} samples with ridge {np.min(ridge):g} is singular in "
            "float64: pass a larger ridge, or fewer samples than the kernel has modes"
        ) from None
    solution: Array = cho_solve(factor, labels, check_finite=False)
    return solution
