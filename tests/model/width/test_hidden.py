"""Nodes of one hidden unit: moments of Gaussians, ranks, kinks."""

import numpy as np
import pytest

from fieldtheory.model.network import Network
from fieldtheory.model.width.hidden import hidden_unit
from tests.tolerance import agree, asymptotic, rounding


def linear(bias=0.0):
    variances = {"weight_variance": 1.0, "bias_variance": [bias, 0.0]}
    return Network(2, "identity", **variances, kernel="nngp")


def moments(unit):
    """<z_a^2 z_b^2>, for all pairs; by Wick K_aa K_bb + 2 K_ab^2."""
    squares = unit.values**2
    return (squares * unit.weights[:, None]).T @ squares


@pytest.mark.parametrize(
    ("features", "bias", "digits"),
    [
        (1, 0.0, 1e-11),
        (1, 0.4, 1e-11),
        (2, 0.0, 1e-11),
        (3, 0.0, 1e-11),
        (3, 0.4, 5e-3),
        (8, 0, 0.02),
    ],
)
@pytest.mark.parametrize("coarse", [False, True])
def test_moments_of_every_rank(features, bias, digits, coarse):
    x = np.random.default_rng(0).standard_normal((9, features))
    unit = hidden_unit(linear(bias), x, coarse)
    assert unit.rank == features + (bias > 0)
    K = x @ x.T / features + bias
    truth = np.outer(np.diag(K), np.diag(K)) + 2 * K**2
    assert agree(unit.kernel, K, asymptotic(digits * np.max(K)))
    assert agree(moments(unit), truth, asymptotic(digits * np.max(truth)))
    assert not agree(moments(unit), truth - K**2, asymptotic(digits * np.max(truth)))
    assert agree(unit.average(unit.values), 0.0, rounding(1.0, 10))  # z and -z together


def test_fewer_points_than_features_and_inputs_of_zero():
    assert hidden_unit(linear(), np.eye(9)[:2]).rank == 2
    silent = hidden_unit(linear(), np.zeros((3, 2)))
    assert (silent.rank, silent.kernel.tolist()) == (0, [[0.0] * 3] * 3)


def test_a_kink_through_the_origin_does_not_disturb():
    """<relu^2> = q / 2 in one and two dimensions, <relu^4> = 3 q^2 / 2."""
    relu = Network(2, "relu", weight_variance=1.0, bias_variance=0.0, kernel="nngp")
    for x in ([[1.0]], [[1.0, 0.5], [0.3, -2.0]]):
        unit, q = hidden_unit(relu, np.array(x)), np.sum(np.square(x), axis=1) / len(x[0])
        assert agree(np.diag(unit.kernel), q / 2, asymptotic(1e-5 * q))
        assert agree(np.diag(moments(unit)), 1.5 * q**2, asymptotic(1e-5 * q**2))
