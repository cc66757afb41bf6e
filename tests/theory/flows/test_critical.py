"""The O(n) model against printed beta functions and exponents, and spoilt in every factor."""

from dataclasses import replace

import pytest
import sympy as sp

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.law import Law
from fieldtheory.theory.flows.critical import Renormalised, g, minimal_subtraction, t
from fieldtheory.theory.flows.poles import KLEINERT, Pole, eps
from tests.oracles import published

n = sp.Symbol("n")
KNOWN = {"n": n, "z3": sp.zeta(3)}
MODELS = {loops: minimal_subtraction("n", loops) for loops in (1, 2)}


@pytest.fixture(scope="module")
def three_loops():
    return minimal_subtraction("n", 3)


def printed(terms, lowest=1, of=eps):
    """The series with printed coefficients, from of^lowest up."""
    return sp.Add(*(sp.sympify(c, KNOWN) * of**k for k, c in enumerate(terms, lowest)))


def same(one, other):
    return sp.simplify(one - other) == 0


def check(model, loops):
    """Every function and every exponent as printed, to the order claimed."""
    beta = -eps * g + printed(published.BETA[:loops], 2, g)
    gammas = [printed(x[:loops], 1, g) for x in (published.GAMMA_PHI, published.GAMMA_MASS)]
    return (
        same(model.beta, beta)
        and same(model.gamma_phi, gammas[0])
        and same(model.gamma_mass, gammas[1])
        and same(model.eta, printed(published.ETA[:loops]))
        and same(model.inverse_nu, 2 + printed(published.INVERSE_NU[:loops]))
        and same(model.omega, printed(published.OMEGA[:loops]))
    )


@pytest.mark.parametrize("loops", [1, 2])
def test_printed_series(loops):
    model = MODELS[loops]
    assert check(model, loops)
    assert same(model.nu, sp.Rational(1, 2) + printed(published.NU[:loops]))
    assert same(model.gamma, 1 + printed(published.SUSCEPTIBILITY[:loops]))


@pytest.mark.slow
def test_printed_series_to_three_loops(three_loops):
    assert check(three_loops, 3)


@pytest.mark.parametrize(("components", "values"), [(1, published.ISING), (0, published.WALK)])
def test_ising_and_self_avoiding_walks(components, values):
    model = minimal_subtraction(components)
    assert model.nu == printed(values["nu"], 0)
    assert model.eta == printed(values["eta"][:3], 0)


@pytest.mark.slow
@pytest.mark.parametrize(("components", "values"), [(1, published.ISING), (0, published.WALK)])
def test_their_eta_to_third_order(components, values, three_loops):
    found = three_loops.eta.subs(n, components)
    assert same(found, printed(values["eta"], 0))


def test_the_limits_of_n():
    """Spherical model: 1/nu = d - 2, eta = 0 and omega = 4 - d. At n = -2 loops cancel: free."""
    model = MODELS[2]
    assert sp.limit(model.inverse_nu, n, sp.oo) == 2 - eps
    assert sp.limit(model.eta, n, sp.oo) == 0
    assert sp.limit(model.omega, n, sp.oo) == eps
    free = minimal_subtraction(-2)
    assert (free.eta, free.nu, free.gamma) == (0, sp.Rational(1, 2), 1)


def test_the_flow_says_the_same():
    """One direction is relevant, the temperature with 1/nu; the coupling decays with omega."""
    model = minimal_subtraction(1)
    coupling, mass = model.flow.exponent_series(model.fixed_point, eps, order=2)
    assert same(mass, model.inverse_nu)
    assert same(coupling, -model.omega)
    near = model.flow.at(eps=sp.Rational(1, 10))
    weak = near.fixed_points({"g": (sp.Rational(1, 100), sp.Rational(1, 10))})
    assert len(weak) == 1
    assert len(near.relevant(weak[0])) == 1
    assert len(near.relevant({g: 0, t: 0})) == 2


def spoilt(model, kind, number, **changes):
    terms = list(getattr(model, kind))
    terms[number] = replace(terms[number], **changes)
    return Renormalised(
        model.components,
        model.loops,
        **{
            name: tuple(terms) if name == kind else getattr(model, name)
            for name in ("vertex", "mass", "wave")
        },
    )


def is_rejected(make):
    try:
        return not check(make(), 2)
    except InvalidInput:  # poles are left over
        return True


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vertex", "mass", "wave"])
def test_a_spoilt_symmetry_or_weight_is_seen(kind):
    model = MODELS[2]
    for number, term in enumerate(getattr(model, kind)):
        mutants = [{"symmetry": 2 * term.symmetry}, {"weight": term.weight * (n + 1)}]
        if number % 10 == 0 or kind != "vertex":  # of equal kinds of diagram one is enough
            for changes in mutants:
                assert is_rejected(lambda n=number, c=changes: spoilt(model, kind, n, **c))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vertex", "mass", "wave"])
def test_a_spoilt_pole_is_seen(kind):
    model = MODELS[2]
    for name in {term.pole.law.name for term in getattr(model, kind)}:
        number, term = next(
            (k, term) for k, term in enumerate(getattr(model, kind)) if term.pole.law.name == name
        )
        statement = term.pole.law.statement
        for part in sp.Add.make_args(statement):
            for other in (-part, 2 * part):
                wrong = statement - part + other
                law = Law("spoilt", lambda w=wrong: w, {"eps": "4 - d"}, "nothing", KLEINERT)
                pole = Pole(term.pole.graph, law)
                assert is_rejected(lambda k=number, p=pole: spoilt(model, kind, k, pole=p))


def test_left_over_poles_are_refused():
    with pytest.raises(InvalidInput, match="poles do not cancel in beta"):
        spoilt(MODELS[2], "vertex", 20, symmetry=7)


def test_counterterms_can_be_read():
    model = MODELS[1]
    text = str(model.vertex[0])
    assert "bubble" in text
    assert "z1a-z2a" in text
    assert "1 loops" not in str(MODELS[2])
    assert "nu" in str(model)
    assert r"\beta" in model._repr_latex_()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loops": 4}, "through 3 loops"),
        ({"loops": 0}, "at least 1"),
        ({"components": 0.5}, "floats are not exact"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises((InvalidInput, OutOfRegime), match=message):
        minimal_subtraction(**arguments)


def test_minus_eight_components():
    with pytest.raises(OutOfRegime, match="n = -8"):
        minimal_subtraction(-8, 1).nu  # noqa: B018
