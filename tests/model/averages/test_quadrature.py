"""Adaptive quadrature against mpmath: Hermite coefficients, kinks and jumps anywhere, parity."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.averages import quadrature
from fieldtheory.model.averages.quadrature import nodes
from tests.oracles.gaussians import overlap
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding

FUNCTIONS = {
    "tanh": (np.tanh, mpmath.tanh, ()),
    "kink": (lambda z: np.maximum(z - 0.3, 0), lambda z: max(z - 0.3, 0), (0.3,)),
    "jump": (lambda z: np.where(z > 0.7, 1.0, 0.0), lambda z: mpmath.mpf(z > 0.7), (0.7,)),
    "abs": (np.abs, abs, (0,)),
    "exp": (lambda z: np.exp(2 * z), lambda z: mpmath.exp(2 * z), ()),
}


def check(name, q, degrees):
    ours, theirs, breaks = FUNCTIONS[name]
    rule = nodes(ours, name, np.array([q]), max(degrees))
    a = rule.coefficients(max(degrees))[0]
    scale = np.sqrt(rule.square[0])
    for degree in degrees:
        assert agree(a[degree], overlap(theirs, q, degree, breaks), rounding(scale)), degree


@pytest.mark.parametrize("name", FUNCTIONS)
def test_hermite_coefficients(name):
    check(name, 1.0, (0, 1, 2, 5, 12))
    check(name, 4.0, (1, 4))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("np.sqrt(k) * before", "k * before"),
        ("/ np.sqrt(k + 1)", "/ np.sqrt(k + 2)"),
        ("(self.parity + 1) // 2", "self.parity // 2"),
    ],
)
def test_the_check_rejects_a_spoilt_recurrence(monkeypatch, old, new):
    spoil(monkeypatch, quadrature.Nodes.coefficients, old, new)
    assert not survives(lambda: [check(name, 1.0, (1, 2, 5)) for name in ("tanh", "abs")])


def test_parity_is_exact():
    odd, even = (nodes(f, "f", np.array([0.7]), 40) for f in (np.tanh, np.cos))
    assert (odd.parity, even.parity) == (-1, 1)
    assert np.all(odd.coefficients(40)[:, ::2] == 0)
    assert np.all(even.coefficients(40)[:, 1::2] == 0)
    assert nodes(np.exp, "f", np.array([0.7]), 40).parity == 0


@given(st.floats(-3, 3), st.floats(0.1, 5))
@settings(max_examples=25)
def test_parseval_with_a_jump_anywhere(place, q):
    """<phi^2> of a step is the tail of the normal distribution: no coefficient needed."""
    from scipy.special import ndtr

    rule = nodes(lambda z: np.where(z > place, 1.0, 0.0), "step", np.array([q]), 0)
    assert rule.z.size < 4000
    assert agree(rule.square, ndtr(-place / np.sqrt(q)), rounding(1.0))


@given(st.lists(st.floats(0.05, 20), min_size=1, max_size=4))
@settings(max_examples=20)
def test_many_variances_at_once(variances):
    """The growth d<phi^2>/dq of sin: <sin^2> = (1 - e^(-2q)) / 2 by hand."""
    q = np.array(variances)
    rule = nodes(np.sin, "sin", q, 0)
    assert agree(rule.square, (1 - np.exp(-2 * q)) / 2, rounding(1.0))
    assert agree(rule.growth(q), np.exp(-2 * q), rounding(1 / q.min()))


def test_a_function_without_any_smooth_piece_is_refused():
    with pytest.raises(InvalidInput, match="kinks or jumps without end"):
        nodes(lambda z: np.floor(1e9 * z) % 2, "comb", np.array([1.0]), 0)


def test_noise_does_not_cost_panels():
    """A function that is smooth but for errors of 1e-12 is averaged, not cut into pieces."""
    rule = nodes(lambda z: np.tanh(z) + 1e-12 * np.sin(1e12 * z), "noisy", np.array([1.0]), 0)
    clean = nodes(np.tanh, "tanh", np.array([1.0]), 0)
    assert agree(rule.square, clean.square, rounding(1.0, 10))
