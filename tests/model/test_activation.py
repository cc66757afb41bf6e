"""The non-linearities: values, slopes, averages against quadrature, spellings, bad callables."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf, ndtr

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model import activation as module
from fieldtheory.model.activation import ACTIVATIONS, KNOWN, NAMES, activation
from fieldtheory.model.averages import bend
from fieldtheory.model.averages.jet import JET, Jet
from fieldtheory.model.kernel import REAL
from tests.oracles import gaussians
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding

POINTS = np.linspace(-3.0, 3.0, 61)
HERMITE = np.polynomial.hermite_e.HermiteE
COMPLEX = {  # each function at complex z, from other sources than the library's
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "leaky_relu(0.2)": lambda z: np.where(z.real > 0, z, 0.2 * z),
    "erf": erf,
    "tanh": np.tanh,
    "gelu": lambda z: z * ndtr(z),
    "identity": lambda z: z,
    "sin(1.5)": lambda z: np.sin(1.5 * z),
    "cos(0.5)": lambda z: np.cos(0.5 * z),
    "hermite(0)": lambda z: 1 + 0 * z,
    "hermite(1)": lambda z: z,
    "hermite(4)": lambda z: HERMITE.basis(4)(z) / np.sqrt(24),
}
SMOOTH = [name for name in COMPLEX if "relu" not in name]


@pytest.mark.parametrize("name", COMPLEX)
def test_values_and_slopes(name):
    """The slope by complex step: without subtraction, exact to rounding."""
    phi, truth = activation(name), COMPLEX[name]
    z = POINTS[POINTS != 0] if "relu" in name else POINTS
    assert agree(phi(z), truth(z + 0j).real, rounding(10))
    slopes = truth(z + 1e-30j).imag / 1e-30
    assert agree(phi.derivative(z), slopes, rounding(30))
    assert not agree(phi.derivative(z) * 1.001 + 1e-9, slopes, rounding(30))


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize(("q", "p"), [(0.3, 0.9), (1.0, -0.7), (2.5, 0.4), (0.05, 0.0), (1.3, 1.0)])
def test_averages_are_integrals(name, q, p):
    """The covariance, and the slope covariance by the function's own complex slope."""
    phi, f = activation(name), COMPLEX[name]
    slope = phi.derivative
    truth = gaussians.pair(lambda z: f(z), q, p)
    assert agree(phi.covariance(q, p, xp=REAL), truth, rounding(max(1, abs(truth)), 10))
    real = gaussians.pair(lambda z: slope(z.real), q, min(p, 1.0))
    assert agree(phi.slope_covariance(q, p, xp=REAL), real, rounding(max(1, abs(real)), 10))


@pytest.mark.parametrize(("q", "p"), [(0.3, 0.9), (1.0, -0.7), (2.5, 0.4)])
def test_averages_of_homogeneous_functions(q, p):
    for name, function, power in (
        ("step", lambda z: mpmath.mpf(z > 0), 0),
        ("relu", lambda z: max(z, 0), 1),
        ("leaky_relu(0.2)", lambda z: max(z, z / 5), 1),
    ):
        truth = gaussians.homogeneous_pair(function, q, p, power)
        assert agree(activation(name).covariance(q, p, xp=REAL), truth, rounding(1.0, 10))


@pytest.mark.parametrize("phi", ACTIVATIONS, ids=str)
def test_every_world_gives_the_same(phi):
    """Floats, the constant term of a power series, and many digits."""
    p = np.array([-0.6, 0.0, 0.3, 0.95])
    series = Jet.variable(p, np.ones(4), 5)
    context = mpmath.mp.clone()
    context.dps = 30
    world = {"sqrt": "sqrt", "exp": "exp", "arccos": "acos", "arcsin": "asin"}
    functions = {k: np.frompyfunc(getattr(context, v), 1, 1) for k, v in world.items()}
    many = type(REAL)(**functions, pi=+context.pi, one=context.one, clip=lambda x, *_: x)
    digits = np.array([context.mpf(float(x)) for x in p])
    for average in (phi.covariance, phi.slope_covariance):
        if average is None:
            assert phi.name == "step"
            continue
        values = average(1.25, p, xp=REAL) + 0 * p
        jet = average(1.25, series, xp=JET)
        assert agree(jet.coefficients[0], values, rounding(1.0, 4))
        precise = average(context.mpf(1.25), digits, xp=many) + 0 * digits
        assert agree(np.array([float(x) for x in precise]), values, rounding(1.0, 4))


@pytest.mark.parametrize("phi", ACTIVATIONS, ids=str)
def test_series_are_derivatives_of_the_values(phi):
    """Taylor coefficients against the values a little further on; the neglected term is known."""
    p, step = np.array([0.2]), 0.05
    series = phi.covariance(0.8, Jet.variable(p, np.ones(1), 24), xp=JET).coefficients[:, 0]
    there = phi.covariance(0.8, p + step, xp=REAL)
    assert agree(np.polynomial.polynomial.polyval(step, series), there, rounding(1.0))
    assert not agree(np.polynomial.polynomial.polyval(-step, series), there, rounding(1.0))


@given(st.sampled_from([p for p in ACTIVATIONS if p.slope_covariance]), st.floats(0.05, 4))
def test_slopes_are_the_derivative_by_the_correlation(phi, q):
    """d/dp <phi phi> = q <phi' phi'>: two laws that were written apart."""
    series = phi.covariance(q, Jet.variable(np.array([0.3]), np.ones(1), 1), xp=JET)
    found = q * phi.slope_covariance(q, np.array([0.3]), xp=REAL)
    assert agree(series.coefficients[1], found, rounding(max(1.0, q**2), 20))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("factorial(loops) ** 2", "factorial(loops)"),
        ("n - 2 * loops", "n - loops"),
        ("n // 2 + 1", "n // 2"),
        ("factorial(lines)", "factorial(n - lines)"),
    ],
)
def test_hermite_covariances_reject_mutants(monkeypatch, old, new):
    def check():
        for name in ("hermite(1)", "hermite(4)"):
            test_averages_are_integrals(name, 2.5, 0.4)

    assert survives(check)
    spoil(monkeypatch, module._pairings, old, new)
    assert not survives(check)


def test_names_and_numbers():
    assert set(NAMES) < set(KNOWN)
    assert activation("leaky_relu", slope=0.2) is activation("leaky_relu(0.2)")
    assert activation("hermite", degree=3.0).name == "hermite(3)"
    assert activation("sin").name == "sin(1.0)"
    assert activation(activation("relu")) is activation("relu")
    assert str(activation("gelu")) == "gelu"
    assert activation(np.tanh, name="mine") == activation(np.tanh, name="mine")


def test_a_callable_is_what_its_name_is():
    """The expansion of a function, against the closed forms of the same function."""
    p = np.array([-0.9, 0.0, 0.4, 0.99])
    for name in ("erf", "gelu", "sin(1.5)", "cos(0.5)", "hermite(4)", "identity"):
        ours, closed = activation(activation(name).function), activation(name)
        for q in (0.2, 1.0, 3.0):
            truth = closed.covariance(q, p, xp=REAL)
            assert agree(ours.covariance(q, p, xp=REAL), truth, rounding(max(1, truth.max()), 2))
            slope = closed.slope_covariance(q, p, xp=REAL)
            found = ours.slope_covariance(q, p, xp=REAL)
            assert agree(found, slope, rounding(max(1, slope.max()), 20))
        assert ours.neglected(1.0) == 0.0


def test_a_kink_is_reported_and_the_error_within_the_report(monkeypatch):
    """At zero it costs nothing; were it elsewhere, this is what would be left out."""
    closed, p = activation("relu"), np.linspace(-1, 1, 41)
    exact = closed.covariance(1.0, p, xp=REAL)
    ours = activation(lambda z: np.maximum(z, 0), name="ramp")
    assert ours.neglected(1.0) == 0.0
    assert agree(ours.covariance(1.0, p, xp=REAL), exact, rounding(1.0))
    assert 0 < activation(lambda z: np.maximum(z, 0.5)).neglected(1.0) < 1e-5
    monkeypatch.setattr(bend, "bend", lambda function: 0.0)
    ours = activation(lambda z: np.maximum(z, 0), name="ramp")
    rest = ours.neglected(1.0)
    assert 1e-8 < rest < 1e-5
    wrong = ours.covariance(1.0, p, xp=REAL) - exact
    assert agree(wrong, 0.0, rest + rounding(1.0))
    assert not agree(wrong, 0.0, rest / 2)
    assert agree(wrong[1:-1], 0.0, rounding(1.0))
    assert activation("tanh").neglected(1.0) == activation("relu").neglected(1.0) == 0.0


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (lambda: activation("rulu"), "did you mean 'relu'"),
        (lambda: activation("tanhh"), "did you mean 'tanh'"),
        (lambda: activation(3), "unknown activation 3"),
        (lambda: activation(None), "unknown activation None"),
        (lambda: activation("relu", slope=1), "takes no parameter, not slope"),
        (lambda: activation("relu(2)"), "takes no parameter"),
        (lambda: activation("sin", slope=1), "takes only frequency, not slope"),
        (lambda: activation("sin(x)"), "write one number"),
        (lambda: activation("sin", frequency=-1), "not positive"),
        (lambda: activation("sin", frequency=[1]), r"give one finite number"),
        (lambda: activation("hermite", degree=2.5), "whole number"),
        (lambda: activation("hermite(100)"), "at most 64"),
        (lambda: activation("leaky_relu(nan)"), "finite"),
        (lambda: activation(lambda z: z[:2]), r"returned shape \(2,\).*each entry"),
        (lambda: activation(lambda z: 1.0), r"returned shape \(\)"),
        (lambda: activation(lambda z: z + 1j), "type complex128"),
        (lambda: activation(lambda z: np.array(["a"] * z.size)), "type <U1"),
        (lambda: activation(np.log), "is -inf at z = 0"),
        (lambda: activation(lambda z: 1 / z), "is inf at z = 0"),
        (lambda: activation(np.tanh, slope=lambda z: z[0]), "slope of tanh"),
        (lambda: activation(np.tanh).derivative(POINTS), r"no known slope.*slope=df"),
        (lambda: activation(lambda z: np.exp(z**2)).neglected(1.0), "grows too fast"),
        (lambda: activation(lambda z: z if z > 0 else 0.0), "np.where, not if"),
        (lambda: activation(math.tanh), "np.exp, not math.exp"),
        (lambda: activation(lambda z: np.exp(z**2 / 3)).neglected(1.0), "grows too fast"),
        (lambda: activation(lambda z: 0 * z).neglected(1.0), "is zero at every input"),
        (
            lambda: activation(lambda z: np.where(np.abs(z) > 3, np.nan, z)).neglected(4.0),
            "is nan at z",
        ),
    ],
)
def test_bad_questions(question, message):
    with pytest.raises(InvalidInput, match=message):
        question()


def test_growth_just_below_the_limit_is_averaged():
    """exp(z^2/8) at variance 1: <phi^2> = (1 - 1/2)^(-1/2)."""
    phi = activation(lambda z: np.exp(z**2 / 8))
    assert agree(phi.covariance(1.0, 1.0, xp=REAL), np.sqrt(2), rounding(1.0))
