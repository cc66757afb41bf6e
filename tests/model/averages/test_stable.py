"""Averages at extreme variances: each against its law in many digits, in every world."""

from types import SimpleNamespace

import mpmath
import numpy as np
import pytest

from fieldtheory.compiler import generated
from fieldtheory.model.averages import dual, stable
from fieldtheory.model.averages.dual import Dual
from fieldtheory.model.averages.jet import JET, Jet
from fieldtheory.model.averages.many import Arithmetic
from fieldtheory.model.kernel import REAL
from tests.tolerance import agree, rounding

SINE = 1.3  # its frequency
PAIRS = {
    "erf slope": (stable.erf_slope, generated.erf_slope),
    "gelu": (stable.gelu_covariance, generated.gelu_covariance),
    "gelu slope": (stable.gelu_slope, generated.gelu_slope),
    "sine": (
        lambda q, p, xp: stable.sine_covariance(SINE, q, p, xp),
        lambda q, p, xp: generated.sine_covariance(SINE, q, p, xp=xp),
    ),
}
P = np.array([-0.9, -0.3, 0.1, 0.5, 0.9])


def law(function, q, p, digits=450):
    """The law at one point, with digits to spare for what cancels in it."""
    context = mpmath.mp.clone()
    context.dps = digits
    names = {"arcsin": "asin", "sqrt": "sqrt", "exp": "exp"}
    world = SimpleNamespace(
        pi=context.pi, **{ours: getattr(context, theirs) for ours, theirs in names.items()}
    )
    return float(function(context.mpf(q), context.mpf(p), world))


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("q", [1e-130, 1e-17, 1e-3, 1.0, 40.0])
def test_every_digit_of_the_law(name, q):
    ours, theirs = PAIRS[name]
    truth = np.array([law(theirs, q, p) for p in P])
    assert agree(ours(q, P, REAL), truth, rounding(truth))
    assert agree(ours(q, 1.0, REAL), law(theirs, q, 1.0), rounding(law(theirs, q, 1.0)))


@pytest.mark.parametrize("name", ["erf slope", "gelu", "gelu slope"])
@pytest.mark.parametrize("q", [1e6, 1e20, 1e130])
def test_large_variances(name, q):
    """The printed laws are 0/0 here: 1 + 2 q is lost beside q^2."""
    ours, theirs = PAIRS[name]
    truth = np.array([law(theirs, q, p) for p in P])
    scale = law(theirs, q, 1.0) if name == "gelu" else truth
    assert agree(ours(q, P, REAL), truth, rounding(scale))
    with np.errstate(all="ignore"):
        assert q < 1e20 or not agree(
            theirs(np.float64(q), 1.0, REAL), law(theirs, q, 1.0), rounding(1e-3)
        )


def test_the_printed_sine_loses_what_ours_keeps():
    q, p = 1e-12, 0.3
    truth = law(PAIRS["sine"][1], q, p)
    assert agree(PAIRS["sine"][0](q, p, REAL), truth, rounding(truth))
    assert not agree(PAIRS["sine"][1](q, p, REAL), truth, rounding(truth, 1e6))


@pytest.mark.parametrize("q", [0.4, 30.0])
def test_the_sine_in_other_worlds(q):
    """Series, derivatives, and many digits."""
    ours, theirs = PAIRS["sine"]
    variable = Jet.variable(P, np.ones(P.size), 12)
    for p in (variable, variable**2 * 0.5 + variable * 0.1):
        series, expected = (each(q, p, JET).coefficients for each in (ours, theirs))
        assert agree(series, expected, rounding(np.max(np.abs(expected), axis=0)))
    world = dual.world(REAL)
    moved = Dual(np.array(q), (1.0, 0.0)), Dual(P, (np.zeros(P.size), np.ones(P.size)))
    for pair in (moved, (q, moved[1]), (moved[0], P)):
        found, expected = (each(*pair, world) for each in (ours, theirs))
        assert agree(found.value, expected.value, rounding(1.0))
        assert agree(found.tangents, expected.tangents, rounding(q))
    numbers = Arithmetic(30)
    with numbers.working():
        p = np.array([numbers.number(float(x)) for x in P])
        found = ours(numbers.number(q), p, numbers.world())
    assert agree([float(x) for x in found], ours(q, P, REAL), rounding(1.0))


def test_a_series_of_the_sine_keeps_its_relative_accuracy():
    """At small variance even orders are left over from what cancels between exponentials."""
    q, p = 1e-6, np.array([0.3])
    series = PAIRS["sine"][0](q, Jet.variable(p, np.ones(1), 6), JET).coefficients[:, 0]
    context, c = mpmath.mp.clone(), SINE**2 * q
    context.dps = 60
    truth = context.taylor(lambda x: context.exp(-c) * context.sinh(c * x), p[0], 6)
    assert agree(series, [float(x) for x in truth], rounding([float(abs(x)) for x in truth]))
