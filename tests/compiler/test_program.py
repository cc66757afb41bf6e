"""From SymPy to NumPy: values against SymPy itself, axes, printing, and what is refused."""

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.compiler.program import Program, compile_expression
from fieldtheory.ground.errors import InvalidInput
from tests.tolerance import agree, rounding

x, y, k = sp.symbols("x y k", positive=True)
l, j, L = sp.symbols("l j L", integer=True)
lam, deg = sp.IndexedBase("lam"), sp.IndexedBase("deg")
LAM, DEG = np.array([0.5, 0.2, 0.1]), np.array([1.0, 3.0, 5.0])


def total(summand, index=l):
    return sp.Sum(summand, (index, 0, L))


def by_sympy(expression, **numbers):
    expression = expression.subs(L, LAM.size - 1).doit()
    arrays = {lam[n]: v for n, v in enumerate(LAM)} | {deg[n]: v for n, v in enumerate(DEG)}
    values = {s: numbers[s.name] for s in expression.free_symbols if s.name in numbers}
    return float(expression.subs(arrays | values))


EXPRESSIONS = {
    "plain": x**2 / y + sp.sqrt(x) * sp.acos(y / 10) - sp.pi,
    "sum": total(deg[l] * lam[l] / (lam[l] + x)),
    "two sums": total(lam[l]) * total(deg[l] * lam[l] ** 2) + x,
    "other index": total(deg[j] * lam[j] ** 3, j) * y,
    "nested": total(lam[l] * x / (1 + total(deg[j] * lam[j], j))) + y,
    "twice nested": total(lam[l] * (total(lam[j] ** total(lam[l] / 3), j) + x)),
    "the same sum twice": total(lam[l]) ** 2 + total(lam[j], j),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_numbers_are_those_of_sympy(name):
    expression = EXPRESSIONS[name]
    names = {str(s) for s in expression.free_symbols} - {"l", "j", "L"}
    inputs = [i for i in ("lam", "deg", "x", "y") if i in names]
    program = compile_expression("f", expression, inputs)
    numbers = {"x": 0.7, "y": 1.3}
    values = {"lam": LAM, "deg": DEG, **numbers}
    found = program(**{i: values[i] for i in inputs})
    truth = by_sympy(expression, **numbers)
    assert agree(found, truth, rounding(10.0))
    assert not agree(program(**{i: 1.01 * values[i] for i in inputs}), truth, rounding(10.0))


def test_a_free_degree_is_the_last_axis():
    program = compile_expression(
        "f", lam[l] / (lam[l] + x) * total(deg[j] * x, j), ("lam", "deg", "x")
    )
    found = program(LAM, DEG, np.array([0.5, 2.0]))
    assert found.shape == (2, 3)
    for row, value in zip(found, (0.5, 2.0), strict=True):
        assert agree(row, LAM / (LAM + value) * DEG.sum() * value, rounding(10.0))


def test_sums_run_over_the_last_axis_and_broadcast_before_it():
    program = compile_expression("f", total(deg[l] * lam[l] * x) + y, ("lam", "deg", "x", "y"))
    stack = np.stack([LAM, 2 * LAM])
    found = program(stack, DEG, np.array([1.0, 3.0]), np.float64(0.5))
    assert agree(found, [(DEG @ LAM) + 0.5, 6 * (DEG @ LAM) + 0.5], rounding(10.0))


@given(st.floats(0.1, 5), st.floats(0.1, 5))
def test_shared_parts_do_not_change_the_value(a, b):
    expression = sp.sqrt(x**2 + y**2) / (1 + sp.sqrt(x**2 + y**2)) + (x**2 + y**2) ** -3
    found = compile_expression("f", expression, ("x", "y"))(a, b)
    r = np.hypot(a, b)
    assert agree(found, r / (1 + r) + r**-6.0, rounding(1 + r**-6.0, 3))


def test_another_module_may_supply_the_functions():
    program = compile_expression("f", sp.sqrt(x) / x**3 + sp.pi, ("x",))
    with mpmath.workdps(50):
        found = program(mpmath.mpf(2), xp=mpmath)
        truth = mpmath.sqrt(2) / 8 + mpmath.pi
        assert abs(found - truth) < mpmath.mpf(10) ** -48


def test_printing_shows_the_source():
    program = compile_expression("area", sp.pi * x**2, ("x",), doc="The area of a disc.")
    assert str(program) == (
        'def area(x, xp=numpy):\n    """The area of a disc."""\n    return xp.pi*x**2'
    )
    assert Program("area", ("x",), program.source)(2.0) == program(x=2.0)


def test_sums_show_in_the_source():
    text = str(compile_expression("f", total(deg[l] * lam[l] / (lam[l] + x)), ("lam", "deg", "x")))
    assert "axis=-1" in text
    assert "for " not in text


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (("x",), r"unbound symbols \['y'\], unused inputs \[\]"),
        (("x", "y", "z"), r"unbound symbols \[\], unused inputs \['z'\]"),
        ((), r"exactly \['x', 'y'\]"),
    ],
)
def test_inputs_must_be_those_of_the_expression(inputs, message):
    with pytest.raises(InvalidInput, match=message):
        compile_expression("f", x + y, inputs)


def test_an_array_must_be_an_input():
    with pytest.raises(InvalidInput, match=r"unbound symbols \['lam'\]"):
        compile_expression("f", total(lam[l]), ())


def test_a_sum_over_two_indices_is_refused():
    both = sp.Sum(lam[l] * lam[j], (l, 0, L), (j, 0, L))
    with pytest.raises(InvalidInput, match="nest single sums instead"):
        compile_expression("f", both, ("lam",))


def test_a_sum_that_depends_on_an_outer_index_is_refused():
    tangled = total(lam[l] * total(lam[j] * lam[l], j))
    with pytest.raises(InvalidInput, match="its terms also depend on"):
        compile_expression("f", tangled, ("lam",))


def test_texts_are_not_evaluated():
    with pytest.raises(InvalidInput, match="no SymPy expression"):
        compile_expression("evil", "__import__('os').getcwd()", ())


def test_names_cannot_carry_code():
    """What is compiled becomes source: every name in it must be nothing but a name."""
    evil = "x=__import__('os').getcwd()"
    with pytest.raises(InvalidInput, match="rename"):
        compile_expression("f", sp.Symbol(evil) + 1, (evil,))
    with pytest.raises(InvalidInput, match="rename"):
        compile_expression("f(): pass\nimport os\ndef g", sp.Symbol("x"), ("x",))
    with pytest.raises(InvalidInput, match="no numerical meaning"):
        compile_expression("f", sp.Function(evil)(sp.Symbol("x")), ("x",))
