"""States of a place: shares and moments of the counts they stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from fieldtheory.model.points.states import States, lonely
from tests.tolerance import agree, asymptotic, rounding


@pytest.mark.parametrize("mean", [1e-3, 0.3, 4.0, 60.0])
@pytest.mark.parametrize("nodes", [1, 2, 3])
def test_the_nodes_have_the_moments_of_poisson_counts(mean, nodes):
    ridge, scale = 0.3, 0.5
    states = States.often(np.array([mean]), ridge, scale, nodes)
    k = np.arange(1, 400)
    chance = poisson.pmf(k, mean)
    place = 1 / (k + ridge / scale)
    found = 1 / (ridge / np.maximum(states.u[1:, 0], 1e-300) + ridge / scale)
    for power in range(2 * nodes):
        truth = chance @ place**power
        budget = rounding(chance.sum(), 100)
        assert agree(states.share[1:, 0] @ found**power, truth, budget)
    beyond = states.share[1:, 0] @ found ** (2 * nodes)
    assert mean < 0.1 or not agree(beyond, chance @ place ** (2 * nodes), rounding(1e-4))
    assert agree(states.share.sum(), 1, rounding(1.0, 10))
    assert agree(states.u[1:], ridge * states.kick[1:], rounding(ridge))


@given(st.floats(1e-3, 0.999), st.floats(0, 10), st.floats(1e-3, 10))
def test_one_place_alone(taken, ridge, own):
    """a solves its equation; without a ridge a = (1 - p)/C."""
    states = States.once(1, taken, ridge)
    a = lonely(np.array([own]), states)[0]
    assert agree((1 - taken) / a + taken * ridge / (1 + ridge * a), own, rounding(own, 100))
    if ridge == 0:
        assert agree(a, (1 - taken) / own, rounding(1 / own))


def test_some_of_the_places():
    states = States.often(np.array([0.1, 0.2, 0.3]), 0.1, 1.0)
    assert agree(states.part(slice(1, 3)).share, states.share[:, 1:], asymptotic(0))
