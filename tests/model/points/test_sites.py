"""One place and pairs of places, in one self-energy."""

import numpy as np

from fieldtheory.model.points.finite import Measure, Thirds, Words
from fieldtheory.model.points.sites import Sites
from fieldtheory.model.points.states import States
from tests.tolerance import agree, asymptotic

C = np.array([[0.8, 0.3, -0.2], [0.3, 0.6, 0.1], [-0.2, 0.1, 0.9]])


def test_few_samples_are_words_of_one_and_two_samples():
    """Per sample, places taken together say at first order what one sample says, at second what two
    say: what is left over falls as the cube of their number."""
    measure, ridge, left = Measure.of(C), 0.3, []
    for eta in (0.02, 0.01):
        words = Words(measure, eta, ridge, C, 2, Thirds.of(measure, 2, None))
        states = States.often(eta * measure.weights, ridge, 0.7, 3)
        left.append(np.max(np.abs(Sites(C, states, 2).self_energy - words.self_energy)))
        one = Sites(C, states, 1).self_energy
        planar = Words(measure, eta, ridge, C, 1, Thirds.of(measure, 1, None)).self_energy
        assert agree(one, planar, asymptotic(eta**2))
    assert np.log2(left[0] / left[1]) > 2.75


def test_what_loops_weigh_is_the_slope_of_one_place():
    states = States.once(3, 0.3, 0.1)
    here, step = Sites(C, states, 1), 1e-6
    more = Sites(C + step * np.eye(3), states, 1)
    slope = np.diag(more.self_energy - here.self_energy) / step
    assert agree(-here.loop_weights, slope, asymptotic(1e-5))
