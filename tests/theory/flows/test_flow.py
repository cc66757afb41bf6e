"""Flows: fixed points with chosen places, exponents that no change of coupling can move, faults."""

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory.flows.flow import FixedPoint, Flow
from tests.tolerance import agree, asymptotic

g, h, r = sp.symbols("g h r")
n = sp.Symbol("n")
eps = sp.Symbol("eps", positive=True)  # found by name whatever it is declared
VECTOR = Flow(
    "r g",
    [2 * r + (n + 2) / 6 * g / (1 + r), eps * g - (n + 8) / 6 * g**2 / (1 + r) ** 2],
)
roots = st.lists(st.fractions(-3, 3, max_denominator=4), min_size=1, max_size=4, unique=True)


def product(values):
    return sp.Mul(*(g - sp.Rational(v.numerator, v.denominator) for v in values))


@settings(max_examples=25)
@given(roots)
def test_fixed_points_are_the_roots(values):
    flow = Flow("g", sp.expand(product(values)))
    found = flow.fixed_points()
    assert {point["g"] for point in found} == {sp.Rational(str(v)) for v in values}
    for point in found:
        others = [v for v in values if sp.Rational(str(v)) != point[g]]
        assert flow.exponents(point) == (product(others).subs(g, point[g]),)
        assert Flow("g", flow.betas, infrared=False).exponents(point) == (
            -flow.exponents(point)[0],
        )


@pytest.mark.slow
@settings(max_examples=25)
@given(roots, st.integers(-3, 3))
def test_exponents_do_not_depend_on_the_coupling(values, c):
    """g = f/(1 + c f): the exponents at corresponding points are equal."""
    f = sp.Symbol("f")
    substituted = f / (1 + c * f)
    beta = product(values).subs(g, substituted) * (1 + c * f) ** 2
    flow, other = Flow("g", product(values)), Flow("f", beta)
    places = {point["f"] for point in other.fixed_points()}
    for point in flow.fixed_points():
        if c * point["g"] != 1:  # that one is at infinity in f
            there = point["g"] / (1 - c * point["g"])
            assert there in places
            assert other.exponents({"f": there}) == flow.exponents(point)


@settings(max_examples=25)
@given(st.integers(-4, 4), st.integers(-4, 4), st.integers(1, 3))
def test_two_couplings_mixed(one, two, mixing):
    """A linear mixing of two couplings moves the directions and not the exponents."""
    matrix = sp.Matrix([[1, mixing], [1, mixing + 1]])
    beta = matrix * sp.diag(one, two) * matrix.inv() * sp.Matrix([g, h])
    flow = Flow("g h", tuple(beta))
    origin = {"g": 0, "h": 0}
    assert sorted(flow.exponents(origin)) == sorted([one, two])
    for way in flow.directions(origin):
        image = flow.stability(origin) * sp.Matrix(way.vector)
        assert sp.simplify(image - way.exponent * sp.Matrix(way.vector)) == sp.zeros(2, 1)
    assert len(flow.relevant(origin)) == (one > 0) + (two > 0)


@pytest.mark.slow
@pytest.mark.parametrize("components", [-2, 1])
def test_series_are_those_of_the_exact_points(components):
    flow = VECTOR.at(n=components)
    exact = [point.series(eps, 3) for point in flow.fixed_points()]
    for point in flow.expanded(eps, 3):
        there = next(n for n, p in enumerate(exact) if p["g"] == point["g"])
        assert exact[there] == point
        series = flow.exponent_series(point, eps, 2)
        for small in (Fraction(1, 50), Fraction(1, 100)):
            number = flow.at(eps=small)
            truth = sorted(map(float, number.exponents(number.fixed_points()[there])))
            found = sorted(float(y.subs(eps, sp.Rational(str(small)))) for y in series)
            assert agree(found, truth, asymptotic(float(small) ** 3))


def test_parameters_by_name():
    """What a person types carries no assumptions; the symbol eps is declared positive."""
    flow = VECTOR.at({"eps": Fraction(1, 2)}, n=1)
    assert flow.parameters == ()
    assert VECTOR.parameters == (eps, n)
    assert VECTOR.at(n=1).parameters == (eps,)
    assert flow.beta("r").subs({r: 0, g: 2}) == 1


def test_regions():
    flow = VECTOR.at(eps=1, n=1)
    (found,) = flow.fixed_points({"g": (Fraction(1, 10), 1)})
    assert found["g"] == sp.Rational(24, 49)
    assert found["r"] == -sp.Rational(1, 7)
    with pytest.raises(OutOfRegime, match=r"no fixed point with 1 <= g <= 2.*g = 24/49"):
        flow.fixed_points({"g": (1, 2)})
    with pytest.raises(OutOfRegime, match="complex ones: 2"):
        Flow("g", g**2 + 1).fixed_points({"g": (-1, 1)})


def test_roots_without_radicals():
    flow = Flow("g", g**5 - g - 1)
    (found,) = flow.fixed_points({"g": (0, 2)})
    assert flow.beta("g").subs(g, found["g"]).simplify() == 0
    assert len(flow.fixed_points()) == 5
    assert flow.relevant(found)[0].exponent.is_positive
    with pytest.raises(InvalidInput, match="no closed form"):
        Flow("g", g**5 - n * g - 1).fixed_points()


def test_lines_of_fixed_points_and_poles():
    line = Flow("g h", [g * (1 - h), 0])
    assert {str(point) for point in line.fixed_points()} == {"g = 0, h = h", "g = g, h = 1"}
    assert [str(p) for p in Flow("g", (g**2 - g) / (g - 1) ** 2).fixed_points()] == ["g = 0"]


def test_degenerate_points_are_refused():
    with pytest.raises(OutOfRegime, match="degenerate"):
        Flow("g", g**2 - 2 * eps * g + eps**2 + g**3).expanded()
    with pytest.raises(OutOfRegime, match="two exponents are 0"):
        Flow("g h", [eps * h, eps * g]).exponent_series({"g": 0, "h": 0})


def test_a_point_is_what_it_says():
    point = FixedPoint((g, h), (eps / (1 - eps), sp.S.Zero))
    assert str(point) == "g = eps/(1 - eps), h = 0"
    assert str(point.series("eps", 2)) == "g = eps**2 + eps, h = 0"
    with pytest.raises(InvalidInput, match="unknown coupling 'q': the couplings are g, h"):
        point["q"]
    assert point.series("q", 2) == point


def test_it_prints():
    flow = Flow("g", -eps * g + g**2, "log mu", False)
    assert str(flow) == "dg/d(log mu) = -eps*g + g**2"
    assert flow._repr_latex_() == (
        r"$$\begin{aligned} \frac{dg}{d\log\mu} &= - \varepsilon g + g^{2} \end{aligned}$$"
    )


def test_pictures():
    beta, fixed = Flow("g", g - g**2).picture().lines
    assert fixed.points
    assert fixed.x.tolist() == [0.0, 1.0]
    assert beta.y.max() == 0.25
    flow = VECTOR.at(eps=1, n=1)
    field, fixed = flow.picture({"r": (-1, Fraction(1, 2)), "g": (0, 1)}).lines
    assert sorted(fixed.x.tolist()) == [float(-sp.Rational(1, 7)), 0.0]
    assert field.x.size % 6 == 0
    arrow = field.x[:2], field.y[:2]  # at the pole r = -1 there is none
    assert arrow[0][0] > -1
    assert flow.plot().get_xlabel() == "r"


def test_arrows_lead_to_the_infrared():
    outward = Flow("g h", [g, h]).picture({"g": (1, 2), "h": (1, 2)}).lines[0]
    inward = Flow("g h", [g, h], "log mu", False).picture({"g": (1, 2), "h": (1, 2)}).lines[0]
    assert outward.x[1] > outward.x[0]
    assert inward.x[1] < inward.x[0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Flow("g", sp.sin(g)), "no rational function"),
        (lambda: Flow("g", sp.sqrt(g)), "no rational function"),
        (lambda: Flow("g h", [g]), "1 betas for the 2 couplings"),
        (lambda: Flow("g g", [g, g]), "each may occur once"),
        (lambda: Flow("", []), "give symbols or their names"),
        (lambda: Flow([g**2], [g]), "give symbols or their names"),
        (lambda: Flow("g", 0.5), "floats are not exact"),
        (lambda: VECTOR.at(q=1), "unknown parameter 'q': the parameters are eps, n"),
        (lambda: VECTOR.at(eps=0.1), "floats are not exact"),
        (lambda: VECTOR.beta("q"), "unknown coupling 'q'"),
        (lambda: VECTOR.fixed_points({"g": (0, 1)}), "eps, n are still symbols"),
        (lambda: VECTOR.fixed_points({"q": (0, 1)}), "unknown coupling 'q'"),
        (lambda: VECTOR.at(eps=1, n=1).fixed_points({"g": (1, 0)}), "give low < high"),
        (lambda: VECTOR.at(eps=1, n=1).fixed_points({"g": 1}), r"give \(low, high\)"),
        (lambda: VECTOR.stability({"g": 0}), "no value of r"),
        (lambda: VECTOR.expanded("q"), "unknown parameter 'q'"),
        (lambda: VECTOR.relevant(VECTOR.fixed_points()[1]), "depends on eps, n"),
        (lambda: VECTOR.picture(), "free parameters eps, n"),
        (lambda: Flow("a b c", [0, 0, 0]).picture(), "3 couplings"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()
