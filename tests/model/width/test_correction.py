"""Finite width: against the exact posterior of n units, and against the engine's diagrams."""

import numpy as np
import pytest
import sympy as sp
from scipy.special import erf

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.measures.gram import gram
from fieldtheory.model.network import Network
from fieldtheory.model.width.correction import fourth_cumulant, width_correction
from fieldtheory.model.width.hidden import hidden_unit
from fieldtheory.theory.width import CUMULANTS, A, R, b, correction, n
from tests.oracles.finite_posterior import posterior_mean
from tests.tolerance import agree, asymptotic, rounding, sampling

TESTS = [[1.0], [-0.5], [2.0]]
DATA = {1: ([[1.0]], [1.0]), 2: ([[1.0], [-0.3]], [1.0, 0.8])}
SLOW = pytest.param("erf", erf, 2, 0.5, marks=pytest.mark.slow)
CASES = [("erf", erf, 1, 0.0), SLOW, ("tanh", np.tanh, 2, 0.0)]


def network(name="erf", bias=0.0):
    return Network(2, name, weight_variance=[1.5, 2.0], bias_variance=[bias, 0.0], kernel="nngp")


def exact(phi, samples, bias, width):
    inputs, labels = DATA[samples]
    prior = (1.5, bias)
    return posterior_mean(phi, inputs, labels, TESTS, width, ridge=0.2, weight=2.0, prior=prior)


@pytest.mark.parametrize(("name", "phi", "samples", "bias"), CASES)
def test_the_exact_posterior_of_n_units(name, phi, samples, bias):
    """What is left after each order shrinks with that power of 1/n: two orders are right.

    The rest after the second is c / n^3, with c read off at n = 40 and tried at n = 80.
    """
    found = width_correction(network(name, bias), *DATA[samples], TESTS, 40, ridge=0.2)
    truths = {width: exact(phi, samples, bias, width) for width in (40, 80)}
    rest = {}
    for width, truth in truths.items():
        at = found.at(width)
        assert agree(at.mean, truth, 2 * at.uncertainty + asymptotic(1 / width**3))
        rest[width] = width**3 * (truth - at.through_second)
    change = np.max(np.abs(rest[40])) / 40  # the order after the next
    assert agree(rest[80], rest[40], asymptotic(10 * change) + rounding(80**3, 10))
    left = np.max(np.abs(rest[40])) / 80**3
    for spoilt in (found.first / 160, -found.first / 80, found.first * 0):
        assert np.max(np.abs(truths[80] - found.infinite - spoilt)) > 5 * left


def test_the_engine_at_one_data_point():
    """The test point on the data point: R = ridge A exactly, and every letter is a number."""
    s2, point = 0.3, [[0.8]]
    unit = hidden_unit(network(), np.array(point))
    m2, m4, m6 = (float(unit.weights @ unit.values[:, 0] ** k) for k in (2, 4, 6))
    numbers = {
        CUMULANTS[0]: 3 * m4 - 3 * m2**2,
        CUMULANTS[1]: 15 * m6 - 45 * m4 * m2 + 30 * m2**3,
        A: 1 / (m2 + s2),
        R: s2 / (m2 + s2),
        b: 1.4 / (m2 + s2),
        n: 1,
    }
    found = width_correction(network(), point, [1.4], point, 10, ridge=s2)
    pairs = (
        (found.first[0], correction("mean", 1)),
        (found.second[0], correction("mean", 2)),
        (found.variance_first[0], correction("covariance", 1)),
        (found.evidence_first, correction("evidence", 1)),
    )
    for value, formula in pairs:
        truth = float(sp.N(formula.subs(numbers)))
        assert agree(value, truth, rounding(1.0, 10))
        assert not agree(value, 1.01 * truth, rounding(1.0, 10))


def test_the_error_bar_holds():
    """|mean - truth| within the second order, over widths, at places where it is not tiny."""
    found = width_correction(network(), *DATA[2], TESTS, 20, ridge=0.2)
    for width in (20, 40, 80):
        at = found.at(width)
        left = np.abs(at.mean - exact(erf, 2, 0.0, width))
        assert np.max(left) <= 2 * np.max(at.uncertainty)


def test_many_points_against_a_plain_sum_over_tensors():
    """Several data points and a bias: the first order as the tensor formula is printed."""
    rng = np.random.default_rng(1)
    x, y, z, s2 = rng.standard_normal((5, 1)), rng.standard_normal(5), np.array([[0.4]]), 0.1
    net = network("relu", 0.4)
    U = fourth_cumulant(net, np.concatenate([x, z]))
    K = hidden_unit(net, np.concatenate([x, z])).kernel
    inverse = np.linalg.inv(K[:5, :5] + s2 * np.eye(5))
    b_, leg = inverse @ y, inverse @ K[:5, 5]
    moved = U[5, :5, :5, :5] - np.einsum("a,abcd->bcd", leg, U[:5, :5, :5, :5])
    truth = np.einsum("abc,a,b,c->", moved, b_, b_, b_) / 6
    truth -= np.einsum("abc,ab,c->", moved, inverse, b_) / 2
    found = width_correction(net, x, y, z, 50, ridge=s2)
    assert agree(found.first[0], truth, rounding(np.max(np.abs(U)) * np.sum(np.abs(b_)) ** 3, 10))
    assert agree(found.infinite[0], K[5, :5] @ b_, rounding(1.0, 1e3))


@pytest.mark.parametrize("name", ["relu", "erf", "gelu"])
def test_the_fourth_cumulant_of_drawn_networks(name):
    """Symmetric, and the fourth cumulant of the outputs of networks of a few units."""
    x = np.array([[1.0, 0.2], [-0.5, 1.0], [0.3, 0.3]])
    net = network(name, 0.2)
    U = fourth_cumulant(net, x)
    assert agree(U, U.transpose(2, 0, 3, 1), rounding(np.max(U), 10))
    rng, width = np.random.default_rng(0), 3
    pre = rng.standard_normal((400_000, width, 3)) * np.sqrt([0.75, 0.75, 0.2])
    values = net.phi(pre @ np.concatenate([x.T, np.ones((1, 3))]))
    f = np.einsum("si,sip->sp", rng.standard_normal((400_000, width)), values) * np.sqrt(2 / width)
    for a, c in ((0, 1), (0, 2), (1, 1)):
        product = f[:, a] ** 2 * f[:, c] ** 2
        K = np.mean(f[:, :, None] * f[:, None, :], axis=0)
        connected = K[a, a] * K[c, c] + 2 * K[a, c] ** 2
        drawn = width * (product - connected)
        error = drawn.std() / np.sqrt(drawn.size)
        assert agree(U[a, a, c, c], drawn.mean(), sampling(2 * error))


def test_infinite_width_is_the_kernel():
    """One dimension and a bias, where nodes are exact; more dimensions, to the stated error."""
    rng = np.random.default_rng(2)
    for d, digits in ((1, 1e-9), (5, 3e-3)):
        x = np.zeros((6, 2)) if d == 1 else np.zeros((6, d))
        x[:, :d] = rng.standard_normal((6, d))
        net = network("erf", 0.3)
        assert agree(hidden_unit(net, x).kernel, gram(net, x), asymptotic(digits))
        y = x[:, 0]
        found = width_correction(net, x[:4], y[:4], x[4:], 10**9, ridge=0.1)
        K = gram(net, x)
        plain = K[4:, :4] @ np.linalg.solve(K[:4, :4] + 0.1 * np.eye(4), y[:4])
        assert agree(found.mean, plain, asymptotic(10 * digits))


def test_a_linear_network_is_known_exactly():
    """phi(z) = z in one dimension: U = 6 w^2 s^2 z^4, and only products of z."""
    net = Network(2, "identity", weight_variance=[1.0, 2.0], bias_variance=0.0, kernel="nngp")
    z = np.array([1.0, -0.5, 2.0])
    U = fourth_cumulant(net, z[:, None])
    truth = 4 * 6 * np.einsum("a,b,c,d->abcd", z, z, z, z)
    assert agree(U, truth, rounding(np.max(truth), 100))


def test_the_error_on_given_data():
    found = width_correction(network(), *DATA[2], TESTS, 100, ridge=0.2)
    truth = np.array([0.5, 0.1, 0.9])
    plain, corrected = found.squared_error(truth)
    direct = np.mean((found.mean - truth) ** 2)
    assert agree(corrected, direct, asymptotic(np.mean(found.first**2) / 100**2))
    assert agree(plain, np.mean((found.infinite - truth) ** 2), rounding(1.0))
    with pytest.raises(InvalidInput, match="2 entries for 3 tests"):
        found.squared_error([1.0, 2.0])


def test_regime_and_value():
    narrow = width_correction(network(), *DATA[2], TESTS, 1, ridge=1e-3)
    assert "OUT OF REGIME" in narrow.regime or "marginal" in narrow.regime
    wide = narrow.at(10**4)
    assert "holds" in wide.regime
    assert wide.to_dict()["width"] == 10**4
    assert "width 10000" in str(wide.picture().lines[0].label)
    assert "second order" in str(wide)


def test_questions_without_an_answer():
    x, y = DATA[2]
    for wrong in (Network(1, kernel="nngp"), Network(2), Network(3)):
        with pytest.raises(InvalidInput, match="one hidden layer"):
            width_correction(wrong, x, y, TESTS, 10, ridge=0.1)
    with pytest.raises(InvalidInput, match="one label for each input"):
        width_correction(network(), x, [1.0], TESTS, 10, ridge=0.1)
    with pytest.raises(InvalidInput, match="ridge"):
        width_correction(network(), x, y, TESTS, 10, ridge=0)
    with pytest.raises(OutOfRegime, match="151 training points"):
        width_correction(network(), np.ones((151, 1)), np.ones(151), TESTS, 10, ridge=0.1)
    with pytest.raises(OutOfRegime, match="span 65 dimensions"):
        hidden_unit(network(), np.eye(65))
    with pytest.raises(OutOfRegime, match="fourth cumulants of 200 points"):
        fourth_cumulant(network(), np.ones((200, 1)))
