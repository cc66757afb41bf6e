"""The first words between two places, where they can be written by hand."""

import numpy as np
import pytest

from fieldtheory.model.points.distant import Visits
from fieldtheory.model.points.states import States, lonely
from tests.tolerance import agree, rounding


@pytest.mark.parametrize("taken", [0.1, 0.5, 0.9])
def test_without_a_ridge(taken):
    """G is C/(1 - p) or nothing: phi = p/((1 - p) C^2), psi = p/((1 - p) C^3); a = (1 - p)/C."""
    own = np.array([0.7, 1.3])
    states, odds = States.once(2, taken, 0.0), taken / (1 - taken)
    alone = lonely(own, states)
    slopes = -(1 - taken) / own**2, np.zeros(2)
    found = Visits.of(own, alone, states, slopes)
    assert agree(found.phi, odds / own**2, rounding(odds / own**2, 10))
    assert agree(found.psi, odds / own**3, rounding(odds / own**3, 10))
    assert agree(found.phi_slopes[0], -2 * odds / own**3, rounding(odds / own**3, 100))
    assert agree(found.psi_slopes[0], -3 * odds / own**4, rounding(odds / own**4, 100))
    far = np.array([[0.0, 0.1], [0.1, 0.0]])
    apart, back = found.words(far)
    assert agree(apart[0, 1], -(odds**2) * 1e-3 / np.prod(own) ** 2, rounding(1.0))
    assert agree(back[0], odds**2 * 1e-4 / own[0] ** 3 / own[1] ** 2, rounding(1.0))
    assert not agree(back[0], 1.02 * odds**2 * 1e-4 / own[0] ** 3 / own[1] ** 2, 1e-3 * back[0])
