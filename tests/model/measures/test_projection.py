"""Two roads to an eigenvalue: each keeps within the error it states, and so do their difference."""

import numpy as np
import pytest

from fieldtheory.model.kernel import Kernel, standard_kernel
from fieldtheory.model.measures.precise import precise_spectrum
from fieldtheory.model.measures.projection import by_harmonics, by_series
from fieldtheory.model.network import Network
from tests.tolerance import agree, rounding

KERNELS = {
    "relu": Network(4).on_sphere(10),
    "relu nngp, no bias": Network(2, bias_variance=0.0, kernel="nngp").on_sphere(10),
    "deep relu": Network(10).on_sphere(10),
    "critical relu": Network(50, weight_variance=2.0, bias_variance=0.0).on_sphere(10),
    "erf": Network(3, "erf", 2.0, 0.1).on_sphere(10),
    "steep erf": Network(3, "erf", 1000.0, 0.0).on_sphere(10),
    "rbf": standard_kernel("rbf", length=0.3),
    "laplace": standard_kernel("laplace"),
}


@pytest.mark.parametrize("d", [3, 5, 10, 50])
@pytest.mark.parametrize("name", KERNELS)
def test_the_roads_agree_within_their_errors(name, d):
    a, error_a = by_series(KERNELS[name], d, 30)
    b, error_b = by_harmonics(KERNELS[name], d, 30)
    assert agree(a, b, error_a + error_b)
    assert np.all(error_b <= 1e-4 * KERNELS[name].trace)  # and the errors say something
    assert not agree(a[:3] * (1 + 1e-5), b[:3], error_a[:3] + error_b[:3])


@pytest.mark.parametrize(
    "d", [3, *(pytest.param(d, marks=pytest.mark.slow) for d in (2, 10, 1000))]
)
@pytest.mark.parametrize("name", ["relu", "relu nngp, no bias", "deep relu", "erf", "steep erf"])
def test_the_stated_errors_bound_the_true_ones(name, d):
    truth = [float(text) for text in precise_spectrum(KERNELS[name], d, 9, digits=18).precise]
    for road in (by_series, by_harmonics):
        found, errors = road(KERNELS[name], d, 9)
        assert agree(found, truth, errors)


def test_series_keep_relative_accuracy_where_harmonics_lose_it():
    kernel = KERNELS["relu"]
    truth = np.array([float(x) for x in precise_spectrum(kernel, 50, 30, digits=18).precise])
    series, harmonics = by_series(kernel, 50, 30)[0], by_harmonics(kernel, 50, 30)[0]
    assert agree(series, truth, rounding(truth))
    assert not agree(harmonics, truth, rounding(truth))
    assert agree(harmonics, truth, rounding(truth[0]))


def test_a_kernel_that_is_not_finite_has_infinite_errors():
    bad = Kernel("bad", lambda t, xp: 1 / (0 * t) if xp.one == 1.0 else t)
    with np.errstate(all="ignore"):
        for road in (by_series, by_harmonics):
            assert np.all(np.isinf(road(bad, 3, 4)[1]))
