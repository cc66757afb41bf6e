"""Four samples at a time, self-consistently: the response, what is refused, and the measurement."""

import numpy as np
import pytest

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams.beyond import beyond
from fieldtheory.model.diagrams.crossing import solve
from fieldtheory.model.spectrum import Spectrum
from tests.model.diagrams.test_scores import modes, recorded, root_mean_square
from tests.tolerance import agree, asymptotic

LINES = {d: Spectrum.of([0.4, 0.15, 0.06, 0.02], dimension=d) for d in (2, 3)}
N = np.array([6.0])


@pytest.mark.parametrize("d", [2, 3])
def test_label_noise_is_the_response_to_the_ridge(d):
    """d/ds2 of the posterior variance, by solving twice; the sites are those of the first."""
    here, step = solve(LINES[d], N, 0.1, clusters=4), 1e-3
    there, back = (
        solve(LINES[d], N, 0.1 + sign * step, clusters=4).posterior_variance for sign in (1, -1)
    )
    truth = (there - back) / (2 * step)
    three = np.sum(solve(LINES[d], N, 0.1, clusters=3).noise)
    assert agree(np.sum(here.noise), truth, asymptotic(1e-3 * truth))
    assert not agree(three, truth, asymptotic(1e-3 * truth))


def test_a_circle_almost_without_a_ridge_is_refused():
    with pytest.raises(OutOfRegime, match="4 samples on the circle"):
        solve(LINES[2], np.array([4.0]), 1e-6, clusters=4)


def test_an_order_that_is_not_reached_repeats_the_one_before():
    curve = beyond(LINES[2], np.array([0, 1.0, 0, 0]), N, 1e-6, 0.0, clusters=4)
    assert curve.reached < 4
    assert curve.orders[3] == curve.orders[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a=3 s2=0.05", "a=2.5 s2=0.01"])
def test_four_samples_on_the_circle_are_closer_to_the_measurement(name):
    lines, power = modes(2, name)
    sizes, truth, _ = recorded("A", 2, name, 0.0)
    ridge = float(name.split("=")[-1])
    curve = beyond(lines, power, sizes, ridge, 0.0, clusters=4)
    off = [root_mean_square(order, truth) for order in curve.orders]
    assert off[3] < 0.72 * off[2]
    assert off[2] < 0.72 * off[1]
