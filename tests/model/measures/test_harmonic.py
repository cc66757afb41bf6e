"""Harmonics and polynomials, both ways, exactly; vector targets."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.polynomial import Polynomial
from fieldtheory.model.measures import harmonic as module
from fieldtheory.model.measures.harmonic import coordinates, square_length
from fieldtheory.model.target import Target, VectorTarget
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding


def texts(d):
    term = st.tuples(st.integers(-5, 5), *[st.integers(0, 3)] * d)
    return st.lists(term, min_size=1, max_size=5).map(
        lambda terms: " + ".join(
            f"{c}" + "".join(f"*x{i}^{e}" for i, e in enumerate(es)) + "/7" for c, *es in terms
        )
    )


def derivative(p, name):
    terms = {}
    for monomial, value in p.terms.items():
        left = dict(monomial)
        if name in left:
            power = left.pop(name)
            if power > 1:
                left[name] = power - 1
            terms[tuple(sorted(left.items()))] = value * power
    return Polynomial(terms)


def is_harmonic(p, d):
    """The sum of second derivatives, one after the other, is nothing."""
    total = Polynomial({})
    for i in range(d):
        total = total + derivative(derivative(p, f"x{i}"), f"x{i}")
    return total == Polynomial({})


def reduced(p, d):
    """p with x_{d-1}^2 replaced by 1 minus the other squares, again and again: one form for each
    function on the sphere."""
    rest = Polynomial.number(1)
    for i in range(d - 1):
        rest = rest - Polynomial.variable(f"x{i}") ** 2
    total, last = Polynomial({}), f"x{d - 1}"
    for monomial, value in p.terms.items():
        left = dict(monomial)
        power = left.pop(last, 0)
        term = Polynomial({tuple(left.items()): value}) * rest ** (power // 2)
        total = total + (term * Polynomial.variable(last) if power % 2 else term)
    return total


# Round trips --------------------------------------------------------------------------------------


def trip(text, d):
    """Polynomial -> homogeneous harmonics -> polynomial: the same function, exactly."""
    whole, target = coordinates(text, d), Target.polynomial(text, d)
    parts = {l: target.harmonic(l) for l in range(target.degree + 1)}
    for l, h in parts.items():
        assert is_harmonic(h, d)
        assert set(h.homogeneous_parts()) <= {l}
        assert reduced(h, d) == reduced(target.components[l], d)
    back = Target.from_harmonics(parts, d)
    assert back.exact_power == target.exact_power
    assert [back.harmonic(l) for l in parts] == list(parts.values())
    assert reduced(back.as_polynomial(), d) == reduced(whole, d)
    assert reduced(target.as_polynomial(), d) == reduced(whole, d)


@given(texts(2))
def test_round_trip_on_the_circle(text):
    trip(text, 2)


@given(texts(3))
def test_round_trip_on_the_sphere(text):
    trip(text, 3)


@given(texts(2))
def test_round_trip_with_idle_coordinates(text):
    trip(text, 5)


def test_by_hand():
    """x0^3 = 3/5 x0 |x|^2 + (x0^3 - 3/5 x0 |x|^2) in three dimensions."""
    target = Target.polynomial("x0^3", 3)
    assert target.harmonic(1) == coordinates("3/5*x0", 3)
    assert target.harmonic(3) == coordinates("2/5*x0^3 - 3/5*x0*x1^2 - 3/5*x0*x2^2", 3)
    assert list(target.exact_power) == [0, Fraction(3, 25), 0, Fraction(4, 175)]
    assert target.harmonic(0) == Polynomial({})


def test_squares_of_the_length_vanish():
    for text in ("x0^2 + x1^2 - 1", "(x0^2 + x1^2)^3 - x0^2 - x1^2"):
        assert Target.polynomial(text, 2).exact_power == (0,)
    assert square_length(2) == coordinates("x0^2 + x1^2", 2)


# Vector targets -----------------------------------------------------------------------------------


def test_powers_of_outputs_add():
    both = VectorTarget.polynomials(["x0", "x0*x1 - x2", "2"], 4)
    assert both.power.tolist() == [4.0, 0.5, 1 / 24]
    assert both.total.power.tolist() == both.power.tolist()
    assert both.dimension == 4
    assert str(both).startswith("3 outputs (x0, x0*x1 - x2, 2) on S^3")
    x = np.eye(4)
    assert agree(both.at(x), [[1, 0, 2], [0, 0, 2], [0, -1, 2], [0, 0, 2]], rounding(2))


def test_a_target_draws_its_power():
    (line,) = Target.polynomial("x0^3", 3).picture().lines
    assert line.y.tolist() == [0, 0.12, 0, 4 / 175]


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("harmonics", "d", "why"),
    [
        ({2: "x0^2"}, 3, "not harmonic: its Laplacian is 2"),
        ({2: "x0"}, 3, "not homogeneous of degree 2"),
        ({1: "x0 + 1"}, 3, "not homogeneous of degree 1"),
        ({1: "x3"}, 3, None),
        ({-1: "x0"}, 3, "degree = -1"),
    ],
)
def test_wrong_harmonics_are_refused(harmonics, d, why):
    given_ = {l: coordinates(text, 9) for l, text in harmonics.items()}
    with pytest.raises(InvalidInput, match=why or "dimension 3 has x0"):
        Target.from_harmonics(given_, d)


def test_other_refusals():
    known_by_power = Target.from_power([0, 1], 3)
    with pytest.raises(InvalidInput, match="is known its power alone"):
        known_by_power.harmonic(1)
    with pytest.raises(InvalidInput, match="only the power"):
        known_by_power.as_polynomial()
    with pytest.raises(InvalidInput, match=r"is known degrees 0 \.\. 1"):
        Target.polynomial("x0", 3).harmonic(2)
    with pytest.raises(InvalidInput, match="more than 20000"):
        Target.polynomial("x0^2", 10**5).harmonic(2)
    with pytest.raises(InvalidInput, match="terms of degree 2 in a harmonic of degree 1"):
        module.homogeneous(coordinates("x0^2", 2), 1, 2)
    with pytest.raises(InvalidInput, match="all in the same dimension"):
        VectorTarget((Target.polynomial("x0", 3), Target.polynomial("x0", 4)))
    with pytest.raises(InvalidInput, match="at least one target"):
        VectorTarget(())
    with pytest.raises(InvalidInput, match="is one polynomial"):
        VectorTarget.polynomials("x0", 3)


# Mutants (those of the split itself are in test_target) -------------------------------------------


def round_trips():
    trip("x0^4 + x0^2*x1 - x1", 2)
    trip("x0^3 + x1*x2*x0^2 + x1^4", 3)


@pytest.mark.parametrize(
    ("function", "good", "spoiled"),
    [
        ("homogeneous", "(degree - n) // 2", "(degree - n)"),
        ("square_length", "Fraction(1)", "Fraction(2)"),
        ("square_length", "range(dimension)", "range(dimension - 1)"),
        ("joined", "added(harmonics.values())", "added(list(harmonics.values())[1:])"),
        ("_leading", "multiple = prod(2 *", "multiple = prod("),
    ],
)
def test_mutants(monkeypatch, function, good, spoiled):
    assert survives(round_trips)
    spoil(monkeypatch, getattr(module, function), good, spoiled)
    assert not survives(round_trips)
