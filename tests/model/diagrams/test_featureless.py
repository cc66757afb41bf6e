"""Crossing estimated for Gaussian modes: what the sphere says where its modes become Gaussian."""

import numpy as np
import pytest

from fieldtheory.model.diagrams import featureless, neglected
from fieldtheory.model.planar import equation as planar
from fieldtheory.model.spectrum import Spectrum
from tests.tolerance import agree, asymptotic

POWER = np.array([0.0, 1.0])


def both(d, ridge, **options):
    """A linear kernel: coordinates of points on a sphere of high dimension are Gaussian."""
    spectrum, N = Spectrum.of([0.0, 1 / d], d), d * np.array([0.3, 0.5, 1.0])
    kappa = planar.effective_ridge(spectrum, N, ridge)
    sphere = neglected.crossing(spectrum, POWER, N, kappa)
    return featureless.crossing(spectrum, POWER, N, kappa, **options), sphere


@pytest.mark.parametrize("d", [50, 400])
@pytest.mark.parametrize("ridge", [0.1, 1.0])
def test_a_sphere_of_high_dimension_has_gaussian_modes(d, ridge):
    """Lowest words against all of them: u = (t1 c)^2 is of relative size 1/d; so is the rest."""
    found, truth = both(d, ridge)
    assert agree(found, truth, asymptotic(4 * truth / d))


@pytest.mark.parametrize("spoilt", [{"excess": 2 / 3}, {"excess": 1.2}])
def test_another_fourth_moment_is_seen(spoilt):
    found, truth = both(400, 0.1, **spoilt)
    assert not agree(found, truth, asymptotic(4 * truth / 400))


def test_nothing_to_learn_is_no_change():
    spectrum, N = Spectrum.of([0.0, 0.1], 10), np.array([5.0])
    kappa = planar.effective_ridge(spectrum, N, 0.1)
    assert featureless.crossing(spectrum, np.zeros(2), N, kappa).tolist() == [0.0]
