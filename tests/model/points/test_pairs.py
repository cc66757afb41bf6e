"""Two places at a time: the matrix A against four states written out, and every slope."""

import numpy as np
import pytest

from fieldtheory.model.points import pairs
from fieldtheory.model.points.pairs import Pair, answered
from fieldtheory.model.points.sites import Sites
from fieldtheory.model.points.states import States
from tests.tolerance import agree, asymptotic, rounding

C = np.array([[0.8, 0.3, -0.2], [0.3, 0.6, 0.1], [-0.2, 0.1, 0.9]])
MOVED = np.array([[0.2, -0.1, 0.3], [-0.1, 0.3, 0.2], [0.3, 0.2, -0.1]])


def states(kind, ridge):
    if kind == "once":
        return States.once(3, 0.4, ridge)
    return States.often(np.array([0.5, 0.3, 1.2]), ridge, 0.7)


@pytest.mark.parametrize("kind", ["once", "often"])
@pytest.mark.parametrize("ridge", [0.0, 0.2])
def test_the_average_over_all_states_is_the_propagator(kind, ridge):
    """With A of each pair, E[(A + V)^-1] every 2 x 2 matrix inverted; 1/0 is a large V."""
    given = states(kind, ridge)
    here = Sites(C, given, 2)
    found = here.pairs
    for x, y, alpha, beta, gamma in zip(*here.close, *found.A, strict=True):
        A = np.array([[alpha, gamma], [gamma, beta]])
        total = np.zeros((2, 2))
        for i, p in enumerate(given.share[:, x]):
            for j, q in enumerate(given.share[:, y]):
                V = np.diag([given.v[i, x], given.v[j, y]])
                V /= np.maximum([given.u[i, x], given.u[j, y]], 1e-10)
                total += p * q * np.linalg.inv(A + V)
        assert agree(total, C[np.ix_([x, y], [x, y])], asymptotic(1e-9))
        assert agree(
            np.linalg.inv(C[np.ix_([x, y], [x, y])])[0, 1] - A[0, 1],
            found.apart[x, y],
            rounding(1.0, 10),
        )


@pytest.mark.parametrize("kind", ["once", "often"])
@pytest.mark.parametrize("ridge", [0.0, 0.2])
@pytest.mark.parametrize("clusters", [1, 2])
def test_the_response_is_the_slope_of_the_self_energy(kind, ridge, clusters):
    given, step = states(kind, ridge), 1e-5

    def at(scale, source):
        u = given.u + source * given.kick * given.v
        v = given.v - source * given.kick * (1 - given.v)
        return Sites(C + scale * MOVED, States(given.share, u, v, given.kick), clusters).self_energy

    here = Sites(C, given, clusters)
    truth = (at(step, 0) - at(-step, 0)) / (2 * step)
    assert agree(here.response(MOVED, 0.0), truth, asymptotic(1e-6))
    assert not agree(1.001 * here.response(MOVED, 0.0), truth, asymptotic(1e-6))
    if ridge > 0 or kind == "once":
        truth = (at(0, step) - at(0, -step)) / (2 * step)
        assert agree(here.response(0 * C, 1.0), truth, asymptotic(1e-6))


def test_pairs_that_do_not_touch_add_nothing():
    here = Sites(np.diag(np.diag(C)), states("once", 0.1), 2)
    assert agree(here.pairs.apart, 0, rounding(1.0))
    assert agree(here.pairs.own, 0, rounding(1.0))
    assert agree(here.empty, 1 / here.alone, rounding(1.0, 10))


@pytest.mark.parametrize("kind", ["once", "often"])
def test_places_that_are_far_have_their_first_words(monkeypatch, kind):
    """Taken for far or for near, S differs by the square of the cosine, relative; so do slopes."""
    given, off = states(kind, 0.2), []
    for cosine in (0.04, 0.02):
        weak = np.diag(np.diag(C)) + cosine * (C - np.diag(np.diag(C)))
        parts = []
        for far in (0.0, 1.0):
            monkeypatch.setattr(pairs, "FAR", far)
            here = Sites(weak, given, 2)
            assert here.close[0].size == (0 if far else 3)
            own = here.pairs.own
            apart = here.pairs.apart[0]
            moved = here.response(cosine * MOVED, 0.0) - np.diag(here.response(cosine * MOVED, 0.0))
            kicked = here.response(0 * C, 1.0)[0, 1:]
            parts.append([own, apart[1:], moved[0, 1:], kicked])
        off.append([np.max(np.abs(b / a - 1)) for a, b in zip(*parts, strict=True)])
    assert np.all(np.log2(off[0]) - np.log2(off[1]) > 1.7), off
    assert np.all(np.array(off[1]) < 0.05), off


@pytest.mark.parametrize("far", [0.0, 1.0])
@pytest.mark.parametrize("source", [0.0, 1.0])
def test_the_slopes_of_far_and_near(monkeypatch, far, source):
    """By differences, at a propagator with strong words: both are derivatives of what they say."""
    monkeypatch.setattr(pairs, "FAR", far)
    given, step = states("often", 0.2), 1e-5

    def at(scale):
        u = given.u + source * scale * given.kick
        moved = C + (1 - source) * scale * MOVED
        return Sites(moved, States(given.share, u, given.v, given.kick), 2).self_energy

    truth = (at(step) - at(-step)) / (2 * step)
    found = Sites(C, given, 2).response((1 - source) * MOVED, source)
    assert agree(found, truth, asymptotic(1e-6))


@pytest.mark.parametrize("which", range(9))
def test_a_spoilt_moment_is_seen(monkeypatch, which):
    """Two per cent on any average over the states moves A, or the slopes, off the differences."""
    given, step = states("once", 0.2), 1e-5
    right = Pair.moments

    def wrong(self):
        mean, second = right(self)
        values = [*mean, *second]
        values[which] = 1.02 * values[which]
        return (values[0], values[1], values[2]), tuple(values[3:])

    truth = Sites(C, given, 2).self_energy
    slope = (Sites(C + step * MOVED, given, 2).self_energy - truth) / step
    monkeypatch.setattr(Pair, "moments", wrong)
    here = Sites(C, given, 2)
    same = agree(here.self_energy, truth, asymptotic(1e-6))
    assert not (same and agree(here.response(MOVED, 0.0), slope, asymptotic(1e-4)))


def test_the_answer_of_the_average():
    draw = np.random.default_rng(0)
    G = [np.linalg.inv(np.eye(2) + (half := draw.standard_normal((2, 2))) @ half.T) for _ in "abc"]
    second = tuple(
        np.array([np.mean([g[i] * g[j] for g in G])])
        for i, j in (
            ((0, 0), (0, 0)),
            ((1, 1), (1, 1)),
            ((0, 1), (0, 1)),
            ((0, 0), (0, 1)),
            ((1, 1), (0, 1)),
            ((0, 0), (1, 1)),
        )
    )
    by = tuple(np.array([value]) for value in (0.3, -0.2, 0.5))
    alpha, beta, gamma = (part[0] for part in answered(second, by))
    dA = np.array([[alpha, gamma], [gamma, beta]])
    moved = -np.mean([g @ dA @ g for g in G], axis=0)
    assert agree(moved, [[0.3, 0.5], [0.5, -0.2]], rounding(1.0, 100))
