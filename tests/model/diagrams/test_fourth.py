"""Four samples: the words against listed ones and against the calculation they were taken from, the
integrals against a plain grid and against points drawn at random."""

from itertools import pairwise, product
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.compiler.program import compile_expression
from fieldtheory.model.diagrams import fourth
from fieldtheory.model.diagrams.cluster import Third
from fieldtheory.model.diagrams.colatitude import colatitudes, measure
from fieldtheory.model.diagrams.fourth import PAIRS, Fourth, four_apart, four_apart_slopes
from fieldtheory.theory.samples import words
from tests.oracles import nilpotent, poisson
from tests.oracles.crossings import blocks_of, components
from tests.oracles.spherical import harmonic
from tests.tolerance import agree, asymptotic, rounding, sampling

STRENGTH = 1e5  # how much larger the parts of the sum are than words of steps below one half


def square(steps, letters=4):
    """(..., letters, letters) from the steps of each pair, (pairs, ...)."""
    found = np.zeros((*np.shape(steps)[1:], letters, letters), np.result_type(steps))
    places = [(i, j) for i in range(letters) for j in range(i + 1, letters)]
    for value, (i, j) in zip(steps, places, strict=True):
        found[..., i, j] = found[..., j, i] = value
    return found


# -- the words ------------------------------------------------------------------------------------


def from_a_to_b(length):
    """Words on four letters, no letter twice in a row, in one crossing-connected component."""
    for turns in product((1, 2, 3), repeat=length - 1):
        text = "".join("abcd"[place] for place in np.cumsum([0, *turns]) % 4)
        twice = text[-1] == "b" and min(map(text.count, "abcd")) > 1
        if twice and len(components(blocks_of(text))) == 1:
            yield text


def test_the_words_are_listed_words():
    """The power series of their sum, on a circle in the complex plane, word by word."""
    draw = np.random.default_rng(0)
    steps = draw.uniform(0.5, 1.5, 6) * [1, -1, 1, 1, 1, -1]
    value = {frozenset("abcd"[i] for i in pair): v for pair, v in zip(PAIRS, steps, strict=True)}
    radius, points = 0.12, 64
    turn = radius * np.exp(2j * np.pi * np.arange(points) / points)
    series = np.fft.fft(four_apart(steps[:, None] * turn)[0]) / points
    counts = []
    for length in (7, 8, 9):
        listed = [np.prod([value[frozenset(p)] for p in pairwise(t)]) for t in from_a_to_b(length)]
        truth = (-1) ** (length - 1) * np.sum(listed) * radius ** (length - 1)
        assert agree(series[length - 1], truth, rounding(1e-3))
        counts.append(len(listed))
        assert not listed or not agree(1.01 * series[length - 1], truth, rounding(1e-3))
    assert counts == [0, 54, 444]


@given(st.lists(st.floats(-0.45, 0.45), min_size=6, max_size=6))
@settings(max_examples=8)
def test_the_words_are_the_nilpotent_ones(steps):
    derived = nilpotent.connected(square(np.array(steps)))
    found = four_apart(np.array(steps)[:, None])[:, 0]
    assert agree(found, [derived[pair] for pair in PAIRS], rounding(STRENGTH))
    home = -np.diag(square(found) @ square(np.array(steps)))  # one more step, and home
    assert agree(np.diag(derived), home, rounding(STRENGTH))


@pytest.mark.parametrize("letters", [2, 3])
def test_the_laws_of_fewer_samples_are_the_nilpotent_ones(letters):
    steps = np.random.default_rng(letters).uniform(-0.6, 0.6, letters * (letters - 1) // 2)
    derived = nilpotent.connected(square(steps, letters))
    if letters == 2:
        apart, together = -(steps[0] ** 3), steps[0] ** 4
        apart, together = (x / (1 - steps[0] ** 2) for x in (apart, together))
    else:
        laws = (words.THREE_APART, words.THREE_TOGETHER)
        names = ("v12", "v13", "v23")
        apart, together = (compile_expression("law", x.statement, names)(*steps) for x in laws)
    assert agree(derived[0, 1], apart, rounding(STRENGTH))
    assert agree(derived[0, 0], together, rounding(STRENGTH))


@pytest.mark.parametrize("part", ["same", "away", "home", "bent", "inverse", "three"])
def test_every_spoilt_part_is_seen(monkeypatch, part):
    steps = np.array([[0.5], [-0.4], [0.3], [0.45], [0.35], [-0.5]])
    right, make = four_apart(steps), fourth.Four.__init__

    def spoil(self, given):
        make(self, given)
        values = getattr(self, part)
        if part == "same":
            values = self.other  # `same` is used in the making of the others alone
        key = next(iter(values))
        values[key] = 1.01 * values[key]

    monkeypatch.setattr(fourth.Four, "__init__", spoil)
    assert not agree(four_apart(steps), right, rounding(STRENGTH))


def test_the_slopes():
    """Symmetric, for the words are derivatives themselves; and differences."""
    steps = np.random.default_rng(1).uniform(-0.5, 0.5, (6, 5))
    slopes = four_apart_slopes(steps)
    scale = np.max(np.abs(slopes))
    assert agree(slopes, slopes.swapaxes(0, 1), rounding(scale, 100))
    size = 1e-4
    for n in range(6):
        there, back = (steps + sign * size * np.eye(6)[:, [n]] for sign in (1, -1))
        truth = (four_apart(there) - four_apart(back)) / (2 * size)
        assert agree(slopes[n], truth, asymptotic(1e-5 * scale))
        assert not agree(1.01 * slopes[n], truth, asymptotic(1e-5 * scale))


# -- the expansion --------------------------------------------------------------------------------


def self_energy(C, eta, s2, most):
    """All words of up to `most` samples on points of equal weight, coinciding ones included."""
    points, t = len(C), 1 / (s2 + np.diag(C))
    step = np.sqrt(t[:, None] * t) * C
    found = np.zeros_like(C)
    for n in range(1, most + 1):
        sites = np.array(list(product(range(points), repeat=n)))
        steps = step[sites[:, :, None], sites[:, None, :]] * (1 - np.eye(n))
        ends = np.sqrt(t[sites])
        each = nilpotent.connected(steps) * ends[:, :, None] * ends[:, None, :]
        rows, columns = np.broadcast_arrays(sites[:, :, None], sites[:, None, :])
        np.add.at(found, (rows, columns), (eta / points) ** n / factorial(n) * each)
    return found


def test_each_class_is_one_order_of_the_average_over_all_datasets():
    """Twice the samples and the ridge: what is left after n samples falls by 2^(n + 1)."""
    K, mu, left = np.array([[0.8, 0.3], [0.3, 0.5]]), np.full(2, 0.5), []
    for scale in (24, 48):
        eta, s2 = 4.0 * scale, 0.5 * scale
        counts, weights = poisson.poisson_counts(mu, eta)
        present = np.linalg.inv(np.linalg.inv(K) + (counts / s2)[:, :, None] * np.eye(2))
        truth = np.einsum("n,nxy->xy", weights, present)
        row = []
        for most in (1, 2, 3, 4):
            C = truth
            for _ in range(10):
                C = np.linalg.inv(np.linalg.inv(K) + self_energy(C, eta, s2, most))
            row.append(np.max(np.abs(C - truth)))
        left.append(row)
    orders = np.log2(np.divide(*left))
    assert agree(orders, [2, 3, 4, 5], asymptotic(0.06))


# -- the integrals --------------------------------------------------------------------------------


def propagator(d, degrees, decay, width=0.85):
    """s(t) of some spectrum as a function of the angle."""
    part = np.array([(1.0 + l) ** -decay for l in range(degrees)])
    part *= width / part.sum()
    return lambda theta: sum(a * harmonic(d, l, np.cos(theta)) for l, a in enumerate(part))


def prepared(d, degrees, s, finer=1.0):
    points = 4 * (32 + degrees)
    gap = 1 - s(colatitudes(points))
    third = Third.of(d, degrees, measure(d, points), gap)
    return Fourth.of(third, d, degrees, gap, finer), gap


def bracket(four, samples, gap, columns):
    """Of four samples alone."""
    density = four.words(samples, gap)
    density[: four.split] = 0
    return four.bracket(density, four.gaps(gap), columns)


def by_points(d, degrees, s, points):
    """(P_l - s) w from the first of four points to the second, (degrees + 1, sets)."""
    cosine = [np.clip(np.sum(points[i] * points[j], axis=-1), -1, 1) for i, j in PAIRS]
    v = [s(np.arccos(c)) for c in cosine]
    P = [harmonic(d, l, cosine[0]) for l in range(degrees)] + [np.zeros_like(cosine[0])]
    return (np.array(P) - v[0]) * four_apart(np.array(v))[0]


def test_the_integral_on_the_circle():
    """An even grid is exact for few harmonics."""
    s, M, degrees = propagator(2, 4, 1.0, 0.6), 40, 4
    turn = 2 * np.pi * np.arange(M) / M
    grid = [0 * turn[:1], *(axis.ravel() for axis in np.meshgrid(turn, turn, turn))]
    points = [np.stack([np.cos(x), np.sin(x)], axis=-1) for x in grid]
    points[0] = np.broadcast_to(points[0], points[1].shape)
    truth = 3.0**3 / 2 * np.mean(by_points(2, degrees, s, points), axis=1)
    scale = np.max(np.abs(truth))
    for finer, off in ((1.0, 1e-3), (2.0, 3e-5)):
        four, gap = prepared(2, degrees, s, finer)
        found = bracket(four, 3.0, gap, degrees + 1)
        assert agree(found, truth, asymptotic(off * scale))
        assert not agree(1.01 * found, truth, asymptotic(off * scale))


@pytest.mark.parametrize("d", [3, 4, 7])
def test_the_integral_on_the_sphere(d):
    s, degrees, sets = propagator(d, 4, 0.5), 4, 60_000
    x = np.random.default_rng(d).standard_normal((4, sets, d))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    each = 3.0**3 / 2 * by_points(d, degrees, s, x)
    truth, error = np.mean(each, axis=1), np.std(each, axis=1) / np.sqrt(sets)
    four, gap = prepared(d, degrees, s)
    found = bracket(four, 3.0, gap, degrees + 1)
    assert agree(found, truth, sampling(error) + asymptotic(0.02 * np.max(np.abs(truth))))
    assert not agree(1.5 * found, truth, sampling(error) + asymptotic(0.02 * np.max(np.abs(truth))))


@pytest.mark.parametrize("d", [2, 3])
def test_the_linear_response(d):
    s = propagator(d, 6, 1.0)
    four, gap = prepared(d, 6, s)
    moved = 0.3 * gap * np.cos(2 * colatitudes(gap.size))
    found = four.linear(5.0, gap).bracket(moved, 7)

    def at(step):
        here = gap + step * moved
        return four.bracket(four.words(5.0, here), four.gaps(here), 7)

    truth = (at(1e-4) - at(-1e-4)) / 2e-4
    scale = np.max(np.abs(truth))
    assert agree(found, truth, asymptotic(1e-5 * scale))
    for factor in (-1, 0, 1.01):
        assert not agree(factor * found, truth, asymptotic(1e-5 * scale))


def test_more_nodes_change_less():
    s, found = propagator(2, 12, 1.0), []
    for finer in (0.5, 1.0, 2.0):
        four, gap = prepared(2, 12, s, finer)
        found.append(bracket(four, 1.0, gap, 12))
    off = [np.max(np.abs(found[i] - found[2])) / np.max(np.abs(found[2])) for i in (0, 1)]
    assert off[1] < 0.02
    assert off[1] < off[0] / 3
