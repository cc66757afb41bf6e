"""One-loop flows against the equation of Wegner and Houghton for the whole potential."""

import pytest
import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.field import Field
from fieldtheory.theory.flows.shells import shell_flow

d, n, r, x = sp.symbols("d n r x")
g, h, k = sp.symbols("g h k")


def wegner_houghton(potential, components, dimension):
    """dV/dl = d V - (d-2)/2 x V' + (1/2) [log(1 + V'') + (n - 1) log(1 + V'/x)]."""
    slope = sp.diff(potential, x)
    free = dimension * potential - (dimension - 2) / sp.S(2) * x * slope
    along, across = sp.log(1 + slope.diff(x)), sp.log(1 + sp.cancel(slope / x))
    return free + (along + (components - 1) * across) / 2


def betas(potential, components, dimension, powers):
    flow = wegner_houghton(potential, components, dimension)
    return [sp.diff(flow, x, power).subs(x, 0) for power in powers]


def same(one, other):
    """Of two rational functions, exactly."""
    return sp.expand(sp.numer(sp.together(one - other))) == 0


CASES = [
    (Action.phi(4), r * x**2 / 2 + g * x**4 / 24, 1, (2, 4)),
    (Action.o_n(4), r * x**2 / 2 + g * x**4 / 24, n, (2, 4)),
    (
        Action.o_n(4) + Action.o_n(6, coupling="h"),
        r * x**2 / 2 + g * x**4 / 24 + h * x**6 / 720,
        n,
        (2, 4, 6),
    ),
    (
        Action.phi(3, coupling="h") + Action.phi(4),
        r * x**2 / 2 + h * x**3 / 6 + g * x**4 / 24,
        1,
        (2, 3, 4),
    ),
    pytest.param(
        Action.phi(4) + Action.phi(6, coupling="h") + Action.phi(8, coupling="k"),
        r * x**2 / 2 + g * x**4 / 24 + h * x**6 / 720 + k * x**8 / 40320,
        1,
        (2, 4, 6, 8),
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("action", "potential", "components", "powers"), CASES)
def test_every_beta(action, potential, components, powers):
    flow = shell_flow(action)
    for power, truth in zip(powers, betas(potential, components, d, powers), strict=True):
        name = {2: "r", 3: "h", 4: "g", 6: "h", 8: "k"}[power]
        beta = flow.beta(name)
        assert same(beta, truth)
        for part in sp.Add.make_args(beta):
            assert not same(beta + part, truth)
            assert not same(beta - 2 * part, truth)


def test_exponents_to_first_order():
    """The scheme is another, the exponent 1/nu = 2 - (n + 2)/(n + 8) eps is not."""
    eps = sp.Symbol("eps", positive=True)
    flow = shell_flow(Action.o_n(4), 4 - eps)
    free, interacting = flow.expanded(eps, order=1)
    assert flow.exponent_series(free, eps) == (2, eps)
    thermal, correction = flow.exponent_series(interacting, eps)
    assert sp.simplify(thermal - 2 + eps * (n + 2) / (n + 8)) == 0
    assert correction == -eps


@pytest.mark.parametrize(
    "action",
    [
        Action.phi(2),
        Action.phi(4) + Action((Field("psi"),), (Vertex("h", [("psi",) * 4]),)),
        Action.phi(4, coupling="r"),
        Action.phi(4, coupling="g") + Action.phi(6, coupling="g"),
        Action((Field("phi"),)),
        Action.phi(4, coupling=g + h),
    ],
)
def test_actions_it_does_not_know(action):
    with pytest.raises(InvalidInput, match="shell_flow"):
        shell_flow(action)
