"""A compiled flow is the flow."""

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.compiler.velocity import compile_flow
from fieldtheory.theory.flows.flow import Flow
from tests.tolerance import agree, rounding

g, r, n = sp.symbols("g r n")
FLOW = Flow("r g", [2 * r + (n + 2) * g / (1 + r), g - (n + 8) * g**2 / (1 + r) ** 2 / 6])


@given(*[st.integers(0, 9)] * 3)
def test_betas(one, two, three):
    velocity = compile_flow(FLOW)
    values = np.array([one, two, three], dtype=float)
    truth = [float(beta.subs({r: one, g: two, n: three})) for beta in FLOW.betas]
    assert velocity.names == ("r", "g", "n")
    assert agree(velocity(values), truth, rounding(np.max(np.abs(truth)) + 1))
    assert velocity.distances(values).tolist() == [1.0 + one]


def test_a_polynomial_has_no_poles():
    velocity = compile_flow(Flow("g", g - g**2))
    assert velocity.poles == ()
    assert velocity.distances(np.ones(1)).size == 0
