"""Random features that cross: limits, a drawn layer, and mutants."""

import numpy as np
import pytest

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams.beyond import beyond
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum
from fieldtheory.model.task import Task
from fieldtheory.model.variants import predict_features
from fieldtheory.model.width import crossed as crossed_module
from fieldtheory.model.width.crossed import crossed, estimated
from fieldtheory.model.width.features import random_features
from fieldtheory.model.width.zonal import Zonal, even, units
from tests.oracles.random_features import of_a_layer
from tests.tolerance import agree, asymptotic, rounding

RELU = Network(2, "relu", weight_variance=1.0, bias_variance=0.0, kernel="nngp")


def modes(d):
    return spectrum(RELU.on_sphere(d, "dimension"), d)


def power(layer):
    found = np.zeros(len(layer.amplitudes))
    found[1:3] = 1.0
    return found


def alike(line):
    """Units of one length: only their direction is drawn."""
    lam = np.asarray(line.eigenvalues[:64])
    return Zonal(line, np.sqrt(lam)[:, None], np.ones(1), 0 * lam)


def test_without_pairs_units_of_one_length_are_the_planar_theory():
    line = modes(5)
    layer = alike(line)
    sizes = np.array([[30.0, 20.0], [30.0, 200.0], [100.0, np.inf]])
    planar, _ = estimated(layer, power(layer), sizes, 0.1, 0.2)
    for (N, k), mine in zip(sizes, planar, strict=True):
        theirs = random_features(line, [0, 1.0, 1.0], int(N), [k], ridge=0.1, noise=0.2).error
        assert agree(mine, theirs, asymptotic(1e-5 * theirs))


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_infinitely_many_features_are_the_crossing_theory(noise):
    """And no others: the planar one is off by a quarter."""
    line = modes(3)
    layer = units(RELU, line, "dimension")
    found = crossed(layer, power(layer), (30.0, np.inf), 0.01, noise)
    G = np.zeros(line.eigenvalues.size)
    G[1:3] = 1.0
    question = (line, G, np.array([30.0]), 0.01 + line.tail, noise)
    truth = beyond(*question, clusters=2, ensemble="poisson").orders[:, 0]
    assert agree(found.orders, truth, asymptotic(3e-4 * truth))
    fixed = beyond(*question, clusters=2, ensemble="fixed").error[0]
    assert agree(found.error, fixed, asymptotic(0.01 * fixed))
    many = crossed(layer, power(layer), (30.0, 1e5), 0.01, noise)
    more = crossed(layer, power(layer), (30.0, 1e6), 0.01, noise)
    assert agree(more.error, found.error, asymptotic((many.error - found.error) / 10))


@pytest.mark.slow
@pytest.mark.parametrize(("N", "k"), [(100, 200), (100, 60), (30, 60)])
def test_a_relu_layer_in_three_dimensions(N, k):
    """Where the planar theory is off by a factor; neither part of the cure does it alone."""
    layer = units(RELU, modes(3), "dimension")
    found = random_features(modes(3), [0, 1.0, 1.0], N, k, ridge=0.01, units=layer)
    planar = random_features(modes(3), [0, 1.0, 1.0], N, k, ridge=0.01)
    draws = 300
    measured = of_a_layer(np.random.default_rng(5), 3, N, k, 0.01, draws, tests=500)
    truth, error = measured.mean(), measured.std(ddof=1) / np.sqrt(draws)
    assert agree(found.error[0], truth, error + found.uncertainty[0])
    assert agree(planar.error[0], truth, error + planar.uncertainty[0])
    only_pairs = crossed(alike(modes(3)), power(layer), (N, k), 0.01, 0.0).error
    only_lengths = crossed(layer, power(layer), (N, k), 0.01, 0.0).orders[0]
    off = abs(found.error[0] - truth) + 2 * error
    for spoilt in (planar.error[0], only_pairs, only_lengths):
        assert abs(spoilt - truth) > off


class Pushed(crossed_module._Problem):
    """A source of strength `push` for h^2 in every degree."""

    push = 0.0

    def self_energy(self, at):
        found = super().self_energy(at)
        return found._replace(h=found.h + self.push, h_rest=found.h_rest + self.push)


class WrongEnds(Pushed):
    """Spoilt: words between a sample and a unit with the wrong sign."""

    def words(self, at, t, tau):
        found = super().words(at, t, tau)
        return found._replace(m=-found.m)


class NoReturns(Pushed):
    """Spoilt: what a unit adds to a sample that it is visited between is forgotten."""

    def words(self, at, t, tau):
        h, h_rest = self.sample_pairs(at, t)
        return super().words(at, t, tau)._replace(h=h, h_rest=h_rest)


@pytest.mark.parametrize(
    ("kind", "right"), [(Pushed, True), (WrongEnds, False), (NoReturns, False)]
)
def test_two_ways_to_the_error(kind, right):
    """The minimum of the loss is sum_l G_l <pp>_l / 2. Its answer to a source for h^2 is the error,
    and so is the answer of <hh> to the target: words are the derivative of one functional. Spoilt
    ones are not."""
    layer, step = alike(modes(3)), 1e-6
    sizes, G = np.array([[12.0, 10.0]]), power(layer)
    start = crossed_module._start(layer, sizes, 1e-3)
    found = []
    for push, source in ((0.0, 0.0), (step, 0.0), (0.0, step)):
        rows = (sizes[:, :1], 1 / sizes[:, 1:], np.full((1, 1), 1e-3), source * (G / layer.counts))
        pushed = type("Row", (kind,), {"push": push})
        problem = pushed(layer, *rows[:3], rows[3][None], True)
        at = crossed_module._solved(problem, start)
        hh, pp, _ = problem.propagators(at)
        found.append((pp[0] @ G, hh[0] @ layer.counts + at.p_rest[0, 0]))
    loss, error = (found[1][0] - found[0][0]) / step, (found[2][1] - found[0][1]) / step
    assert agree(loss, error, asymptotic(1e-3 * error)) == right


def test_units_have_the_kernel_on_average():
    network = Network(2, "relu", [3.0, 1.0], [0.5, 0.2], kernel="nngp")
    line = spectrum(network.on_sphere(4, "unit"), 4)
    layer = units(network, line)
    whole = layer.amplitudes**2 @ layer.shares + layer.sure
    assert agree(whole, layer.eigenvalues, rounding(1.0, 100))
    assert agree(layer.sure[0], 0.2, rounding(1.0))
    assert agree(np.sum(layer.shares), 1.0, rounding(1.0, 100))
    lengths = even(line)
    squares = lengths.amplitudes[0] ** 2 / line.eigenvalues[0]
    assert agree(squares**2 @ lengths.shares, 1 + 2 / 4, rounding(1.0, 1000))  # <r^4>
    with pytest.raises(OutOfRegime, match="one hidden layer"):
        units(Network(3, "relu", kernel="nngp"), line)


def test_the_question_asked_of_a_network():
    task = Task.sphere(4, "x0", 0.1, ridge=0.1)
    best = predict_features(RELU, task, 30, [20, np.inf])
    assert best.crossing.all()
    assert "pairs cross" in str(best)
    assert agree(best.mode_error.sum(axis=1), best.error, rounding(best.error, 1e4))
    plain = predict_features(RELU, task, 30, [20, np.inf], method="planar")
    assert not plain.crossing.any()
    assert np.all(plain.uncertainty > best.uncertainty)
    assert not predict_features(Network(2), task, 30, 20).crossing.any()
    with pytest.raises(OutOfRegime, match="one random direction"):
        predict_features(Network(2), task, 30, 20, method="crossing")
