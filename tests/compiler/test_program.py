"""From SymPy to NumPy: values against SymPy itself, axes, printing, and what is refused."""

import re

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.compiler.program import Program, compile_expression
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.homogeneous import P
from tests.tolerance import agree, rounding

x, y, k = sp.symbols("x y k", positive=True)
l, j, L = sp.symbols("l j L", integer=True)
t = sp.Symbol("t", real=True)
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


def test_numbers_of_either_sign():
    """A symbol of unknown sign keeps it: sqrt(x^2) is |x|."""
    z = sp.Symbol("z", real=True)
    program = compile_expression("f", total(lam[l] * sp.sqrt(z**2)), ("lam", "z"))
    assert agree(program(LAM, -2.0), 2 * LAM.sum(), rounding(10))
    squared = compile_expression("f", total(sp.sqrt(lam[l] ** 2)), ("lam",))
    assert agree(squared(-LAM), LAM.sum(), rounding(10))


def test_a_number_under_a_sum_counts_for_every_degree():
    program = compile_expression("f", total(x) + total(lam[l]), ("lam", "x"))
    assert agree(program(LAM, [2.0, 3.0]), 3 * np.array([2, 3]) + LAM.sum(), rounding(10))


def test_degree_zero_may_be_read():
    program = compile_expression("f", lam[0] * x + total(lam[l]), ("lam", "x"))
    truth = np.array([LAM[0] * 2 + LAM.sum(), 4 * LAM[0] + 2 * LAM.sum()])
    assert agree(program([LAM, 2 * LAM], 2.0), truth, rounding(10))


def test_quadratures_over_the_angle():
    """Functions of the angle on three nodes, the sums written out."""
    functions = np.array([[1.0, 1.0, 1.0], [0.8, 0.1, -0.7], [0.3, -0.2, 0.5]])
    weights = np.array([0.2, 0.5, 0.3])
    square = total(deg[j] * lam[j] * P(j, t), j) ** 2
    inputs = ("lam", "deg", "x", "P", "w")
    values = (LAM, DEG, np.array([2.0, 5.0]), functions, weights)
    f = (DEG * LAM) @ functions
    mean = compile_expression("f", x * sp.Integral(square, t), inputs)
    assert agree(mean(*values), np.array([2, 5]) * (weights @ f**2), rounding(10))
    shares = compile_expression("f", x * lam[l] * sp.Integral(P(l, t) * square, t), inputs)
    truth = np.outer([2, 5], LAM * (functions @ (weights * f**2)))
    assert agree(shares(*values), truth, rounding(10))
    back = total(deg[l] * lam[l] * sp.Integral(P(l, t) * square, t))
    assert agree(compile_expression("f", x * back, inputs)(*values), truth @ DEG, rounding(10))
    constant = compile_expression("f", sp.Integral(x, t), ("x",))
    assert constant(3.0) == 3.0


def test_equal_cofactors_share_one_quadrature():
    one, two = (sp.Integral(P(l, t) * total(lam[j] * P(j, t), j) ** n, t) for n in (2, 3))
    text = str(compile_expression("f", lam[l] * one + 2 * lam[l] * two, ("lam", "P", "w")))
    assert text.count("xp.matmul(") == 2
    apart = str(compile_expression("f", lam[l] * one + lam[l] ** 2 * two, ("lam", "P", "w")))
    assert apart.count("xp.matmul(") == 3


@pytest.mark.parametrize("terms", [500, pytest.param(3200, marks=pytest.mark.slow)])
def test_long_sums_are_written_in_pieces(terms):
    """Python's compiler gives up on a few thousand terms in one line."""
    expression = sp.Add(*(x ** (n % 7) * y**n / (n + 1) for n in range(terms)), evaluate=False)
    program = compile_expression("f", expression, ("x", "y"))
    assert max(map(len, program.source.splitlines())) < 20_000
    truth = sum(0.9 ** (n % 7) * 0.99**n / (n + 1) for n in range(terms))
    assert agree(program(0.9, 0.99), truth, rounding(truth, 10))


def test_common_parts_are_computed_once():
    part = lam[l] / (lam[l] + x)
    text = str(compile_expression("f", total(part) * total(part**2) + total(deg[l] * part**3),
                                  ("lam", "deg", "x")))  # fmt: skip
    assert text.count("lam +") + text.count("+ lam") == 1


def test_the_same_question_gives_the_same_program():
    one = compile_expression("f", total(lam[l] * x), ["lam", "x"])
    assert compile_expression("f", total(lam[l] * x), ("lam", "x")) is one
    assert compile_expression("g", total(lam[l] * x), ("lam", "x")) is not one
    assert one.gradient("x") == one.gradient("x")


def test_integers_and_lists_are_floats():
    program = compile_expression("f", x**-2 * total(lam[l]), ("lam", "x"))
    assert agree(program([1, 2, 3], 2), 1.5, rounding(1))
    assert program([1, 2, 3], [1, 2]).dtype == np.float64


def test_complex_numbers_when_asked_for():
    program = compile_expression("f", sp.sqrt(x) * total(lam[l]), ("lam", "x"))
    found = program.to("complex128")(LAM * 1j, -4.0)
    assert agree(found, -2 * LAM.sum(), rounding(10))
    with pytest.raises(InvalidInput, match=r"x is of type complex128, .* program.to"):
        program(LAM, 1j)
    with pytest.raises(InvalidInput, match="pass numbers"):
        program(LAM, "one")
    with pytest.raises(InvalidInput, match="unknown dtype 'float32'"):
        program.to("float32")


@given(
    st.sampled_from([(), (1,), (4,), (2, 1), (2, 4)]),
    st.sampled_from([(), (1,), (4,), (2, 1), (2, 4)]),
)
def test_batches_are_their_points(numbers, arrays):
    rng = np.random.default_rng(0)
    values = rng.uniform(1, 2, numbers), rng.uniform(1, 2, (*arrays, 3))
    program = compile_expression("f", total(lam[l] / (x + lam[l])) * x, ("x", "lam"))
    found, batch = program(*values), np.broadcast_shapes(numbers, arrays)
    assert found.shape == batch
    for where in np.ndindex(*batch):
        a = np.broadcast_to(values[0], batch)[where]
        b = np.broadcast_to(values[1], (*batch, 3))[where]
        assert agree(found[where], a * np.sum(b / (a + b)), rounding(10))


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        (total(l * lam[l]), "uses the degree l as a number"),
        (total(lam[l + 1]), "at the degree l or at 0, not at l"),
        (sp.Sum(lam[l], (l, 1, L)), "run over all degrees, from 0"),
        (sp.Sum(lam[l], (l, 0, 3)), "from 0 to a symbol such as L"),
        (total(x), "no array tells how many degrees there are"),
        (total(lam[j] * P(j, t), j), "the angle ['t'] is not integrated over"),
        (sp.Integral(lam[j] * P(j, t), (t, 0, 1)), "integrals are over one angle, without limits"),
        (sp.Integral(total(lam[j] * P(j, t) ** 2, j), t), "must be one factor"),
        (sp.Integral(sp.exp(P(l, t)), t), "must be one factor"),
        (x + sp.Symbol("x", real=True), "two different symbols are called x"),
        (x + total(sp.IndexedBase("x")[l]), "two different symbols are called x"),
        (sp.Symbol("q") + total(sp.IndexedBase("q")[l]), "both a number and an array"),
        (sp.Integral(total(lam[j] * P(j, t), j) + lam[l], t), "mixes arrays over degrees"),
    ],
)
def test_what_cannot_be_compiled_is_explained(expression, says):
    with pytest.raises(InvalidInput, match=re.escape(says)):
        compile_expression("f", expression, ("lam", "x", "P", "w"))


def test_names_of_our_own_never_meet_those_of_the_user():
    c0, sum0, function0 = sp.symbols("c0 sum0 function0")
    part = sp.sqrt(c0 + sum0)
    expression = part * function0 + 1 / part + total(lam[l] * part)
    program = compile_expression("f", expression, ("c0", "sum0", "function0", "lam"))
    root = np.sqrt(5.0)
    truth = root * 7 + 1 / root + LAM.sum() * root
    assert agree(program(2.0, 3.0, 7.0, LAM), truth, rounding(100))


def test_names_cannot_carry_code():
    """What is compiled becomes source: every name in it must be nothing but a name."""
    evil = "x=__import__('os').getcwd()"
    with pytest.raises(InvalidInput, match="rename"):
        compile_expression("f", sp.Symbol(evil) + 1, (evil,))
    with pytest.raises(InvalidInput, match="rename"):
        compile_expression("f(): pass\nimport os\ndef g", sp.Symbol("x"), ("x",))
    with pytest.raises(InvalidInput, match="no numerical meaning"):
        compile_expression("f", sp.Function(evil)(sp.Symbol("x")), ("x",))
