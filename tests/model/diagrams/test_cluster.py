"""The third sample: the words against the derived law, the integral against a plain grid."""

from itertools import pairwise, product

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fieldtheory.compiler.program import compile_expression
from fieldtheory.model.diagrams import cluster
from fieldtheory.model.diagrams.cluster import Returns, Third, three_apart, three_apart_slopes
from fieldtheory.model.diagrams.colatitude import colatitudes, measure, rests
from fieldtheory.theory.samples import words
from tests.oracles.crossings import blocks_of, components
from tests.oracles.spherical import harmonic
from tests.tolerance import agree, asymptotic, rounding

NAMES = ("v12", "v13", "v23")
V = sp.symbols("v12 v13 v23", real=True)
LAW = compile_expression("law", words.THREE_APART.statement, NAMES)
SLOPES = [compile_expression("slope", words.THREE_APART.statement.diff(v), NAMES) for v in V]
steps = st.lists(st.floats(-0.9, 0.9), min_size=3, max_size=3)


def at(v):
    return Returns.of(*(1 - np.asarray(x, dtype=float) for x in v))


@given(steps)
def test_the_words_are_the_law(v):
    assume(abs(1 - at(v).e) > 0.01)  # one: the three samples are linearly dependent
    scale = sum(abs(x) for x in v)
    assert agree(three_apart(at(v)), LAW(*v), rounding(scale * 1e4))


@given(steps)
@settings(max_examples=30)
def test_the_slopes_are_its_derivatives(v):
    assume(abs(1 - at(v).e) > 0.01)
    for found, slope in zip(three_apart_slopes(at(v)), SLOPES, strict=True):
        assert agree(found, slope(*v), rounding(1e6))


def from_a_to_b(length):
    """Words on three letters, no letter twice in a row, in one crossing-connected component."""
    for turns in product((1, 2), repeat=length - 1):
        places = np.cumsum([0, *turns]) % 3
        text = "".join("abc"[place] for place in places)
        if text[-1] == "b" and "c" in text and len(components(blocks_of(text))) == 1:
            yield text


@pytest.mark.parametrize("scale", [0.15, 0.25])
def test_the_words_are_listed_words(scale):
    """From sample 1 to sample 2, up to fifteen runs; the rest is of the size of the last ones."""
    draw = np.random.default_rng(0)
    v = dict(zip(("ab", "ac", "bc"), scale * draw.uniform(0.5, 1.5, 3) * [1, -1, 1], strict=True))
    terms = []
    for length in range(2, 16):
        steps = [
            np.prod([v["".join(sorted(pair))] for pair in pairwise(text)])
            for text in from_a_to_b(length)
        ]
        terms.append((-1) ** (length - 1) * np.sum(steps))
    rest = 2 * np.max(np.abs(terms[-2:]))
    found = three_apart(at(v.values()))
    assert agree(found, np.sum(terms), asymptotic(rest))
    assert rest < 0.01 * abs(found)
    assert not agree(1.05 * found, np.sum(terms), asymptotic(rest))


@pytest.mark.parametrize("which", [0, 1, 2])
def test_words_that_return_are_those_apart_and_one_step(which):
    """-v12 w(1 to 2) - v13 w(1 to 3): the other law, which the self-energy never needs."""
    draw = np.random.default_rng(which)
    v = draw.uniform(-0.9, 0.9, 3)
    together = compile_expression("together", words.THREE_TOGETHER.statement, NAMES)
    found = -v[0] * three_apart(at(v)) - v[1] * three_apart(at(v).exchanged())
    assert agree(found, together(*v), rounding(1e4))


# -- the integral over the third sample -----------------------------------------------------------


def propagator(d, degrees, decay):
    """s(t) of some spectrum, s2 a tenth of s2 + c(1), as a function of the angle."""
    part = np.array([(1.0 + l) ** -decay for l in range(degrees)])
    part *= 0.9 / part.sum()
    return lambda theta: sum(a * harmonic(d, l, np.cos(theta)) for l, a in enumerate(part))


def by_grid(d, s, theta12, points=400):
    """E_3[w] by Legendre nodes in theta_13 and in the azimuth, the law itself."""
    x, w = np.polynomial.legendre.leggauss(points)
    one = (x + 1) * np.pi / 2
    mass = w * np.sin(one) ** (d - 2)
    turn = w * np.sin(one) ** (d - 3)
    a, psi = one[:, None], one[None]
    cosine = np.cos(theta12) * np.cos(a) + np.sin(theta12) * np.sin(a) * np.cos(psi)
    value = LAW(s(np.array(theta12)), s(a), s(np.arccos(np.clip(cosine, -1, 1))))
    return mass @ value @ turn / mass.sum() / turn.sum()


@pytest.mark.parametrize(("d", "degrees", "decay"), [(3, 6, 1.0), (4, 5, 1.5), (7, 4, 0.5)])
def test_the_integral(d, degrees, decay):
    s, points = propagator(d, degrees, decay), 4 * (32 + degrees)
    gap = 1 - s(colatitudes(points))
    third = Third.of(d, degrees, measure(d, points), gap)
    found = third.words(7.0, gap)
    theta = np.concatenate([at(colatitudes(points)) for at in (third.near, third.far)])
    some = np.arange(0, theta.size, 9)
    truth = np.array([49 * by_grid(d, s, theta[i]) for i in some])
    scale = np.max(np.abs(truth))
    assert agree(found[some], truth, asymptotic(2e-4 * scale))
    assert not agree(found[some] * 1.01, truth, asymptotic(2e-4 * scale))


def test_more_nodes_change_less():
    d, points = 3, 4 * 44
    s = propagator(d, 12, 1.0)
    gap, w = 1 - s(colatitudes(points)), measure(d, points)
    found = []
    for finer in (0.5, 1.0, 2.0):
        third = Third.of(d, 12, w, gap, finer)
        found.append(third.bracket(third.words(1.0, gap), third.gaps(gap), 12))
    steps = [np.max(np.abs(found[i] - found[2])) / np.max(np.abs(found[2])) for i in (0, 1)]
    assert steps[1] < 1e-4
    assert steps[1] < steps[0] / 10


@pytest.mark.parametrize("d", [2, 3, 8])
def test_the_linear_response(d):
    """Against differences of the integral itself; second order in the step."""
    s, points = propagator(d, 6, 1.0), 4 * 38
    gap = 1 - s(colatitudes(points))
    moved = 0.3 * gap * np.cos(2 * colatitudes(points))
    third = Third.of(d, 6, measure(d, points), gap, 0.5)
    found = third.linear(5.0, gap).bracket(moved, 7)

    def bracket(step):
        here = gap + step * moved
        return third.bracket(third.words(5.0, here), third.gaps(here), 7)

    truth = (bracket(1e-4) - bracket(-1e-4)) / 2e-4
    scale = np.max(np.abs(truth))
    assert agree(found, truth, asymptotic(1e-6 * scale))
    for factor in (-1, 0, 2):
        assert not agree(factor * found, truth, asymptotic(1e-6 * scale))


def test_many_propagators_at_once():
    points = 4 * 38
    gaps = np.array([1 - propagator(3, 6, decay)(colatitudes(points)) for decay in (0.5, 1.5)])
    for third, gap in zip(Third.each(3, 6, measure(3, points), gaps), gaps, strict=True):
        one = Third.of(3, 6, measure(3, points), gap)
        assert agree(third.words(2.0, gap), one.words(2.0, gap), rounding(1.0))
        assert agree(third.rest, one.rest, rounding(1.0))


def test_coincident_samples_do_no_harm_without_a_ridge():
    """The words diverge where two samples meet; what the self-energy takes of them does not."""
    for d in (3, 4, 6):
        points = 4 * 53
        share = 1 / (1.0 + np.arange(5))
        gap = share @ rests(d, 5, colatitudes(points)) / share.sum()
        third = Third.of(d, 5, measure(d, points), gap)
        found = third.bracket(third.words(1.0, gap), third.gaps(gap), 5)
        assert np.all(np.isfinite(found))
        finer = Third.of(d, 5, measure(d, points), gap, 1.5)
        again = finer.bracket(finer.words(1.0, gap), finer.gaps(gap), 5)
        assert agree(found, again, asymptotic(0.002 * np.max(np.abs(again))))


@pytest.mark.parametrize("name", ["e", "direct", "turns", "beside"])
def test_every_spoilt_part_is_seen(monkeypatch, name):
    """Each ingredient of the words, two per cent off."""
    v = (0.5, -0.4, 0.6)
    right = at(v)
    parts = {key: getattr(right, key) for key in ("v", "beside", "turns", "direct", "e")}
    spoilt = parts[name]
    parts[name] = 1.02 * spoilt if name == "e" else (1.02 * spoilt[0], *spoilt[1:])
    if name == "beside":
        parts[name] = (spoilt[0], 1.02 * spoilt[1], spoilt[2])
    wrong = cluster.Returns(**parts)
    assert not agree(three_apart(wrong), LAW(*v), rounding(1e4))
