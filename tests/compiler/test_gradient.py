"""Gradient programs: against complex steps, finite differences and SymPy itself."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.compiler.angular import plan_series
from fieldtheory.compiler.program import Program, compile_expression, compile_gradient
from fieldtheory.compiler.space import sphere
from fieldtheory.compiler.stages import Stages
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import laws, learning
from fieldtheory.theory.homogeneous import P
from tests.tolerance import agree, asymptotic, rounding

x, y = sp.symbols("x y", positive=True)
l, j, L = sp.symbols("l j L", integer=True)
t = sp.Symbol("t", real=True)
lam, deg = sp.IndexedBase("lam"), sp.IndexedBase("deg")
STEP = 1e-30  # of an analytic function the imaginary part of f(x + i h) is h f'(x), to rounding


def total(summand, index=l):
    return sp.Sum(summand, (index, 0, L))


def values_for(program, batch=(), seed=0):
    """Numbers for every input; arrays have four degrees and the quadrature is that of a sphere."""
    rng, basis = np.random.default_rng(seed), sphere(4).basis(4, 16)
    values = {"P": basis.functions, "w": basis.weights, "deg": basis.multiplicities}
    for name in program.inputs:
        if name in ("lam", "G"):
            values[name] = rng.uniform(0.2, 0.9, (*batch, 4))
        elif name not in values:
            values[name] = rng.uniform(0.5, 1.5, batch)
    return {name: values[name] for name in program.inputs}


def complex_step(program, values, name):
    """The derivative, one entry of the input's last axis at a time."""
    complex_program = program.to("complex128")
    array = np.asarray(values[name], dtype=complex)
    if name not in ("lam", "G", "deg"):
        return complex_program(**{**values, name: array + 1j * STEP}).imag / STEP
    columns = []
    for n in range(array.shape[-1]):
        shaken = array.copy()
        shaken[..., n] += 1j * STEP
        columns.append(complex_program(**{**values, name: shaken}).imag / STEP)
    return np.stack(columns, axis=-1)


EXPRESSIONS = {
    "plain": x**2 / y + sp.sqrt(x) * sp.exp(-y) - x,
    "sum": total(deg[l] * lam[l] / (lam[l] + x)),
    "products": total(lam[l]) * total(deg[l] * lam[l] ** 2) ** 2 + x,
    "nested": total(lam[l] * x / (1 + total(deg[j] * lam[j], j))) + y,
    "thrice nested": total(lam[l] * (total(lam[j] ** total(lam[l] / 3), j) + x)),
    "numbers under a sum": total(x * y + lam[l]) + total(x, j) * y,
    "degree zero": lam[0] * x + total(lam[l]) * lam[0] ** 2,
    "quadrature": sp.Integral(
        total(deg[j] * lam[j] * P(j, t), j) ** 3 * total(lam[j] ** 2 * x * P(j, t), j), t
    ),
    "coefficients": total(
        deg[l] * (lam[l] * sp.Integral(P(l, t) * total(lam[j] * P(j, t), j) ** 2, t) + x) ** 2
    ),
    "planar samples": laws.SELF_CONSISTENT.statement,
    "error, order 2": learning.error(2).on_sphere(),
    "label noise, order 2": learning.label_noise(2).on_sphere(),
}
NAMES = ("lam", "deg", "G", "eta", "s2", "v", "kappa", "x", "y", "P", "w")


def compiled(expression):
    """The program with the inputs it needs, in the order of NAMES."""
    needed = Stages(expression, l).inputs
    return compile_expression("f", expression, [name for name in NAMES if name in needed])


CASES = [
    (case, name)
    for case, expression in EXPRESSIONS.items()
    for name in compiled(expression).inputs
    if name not in ("P", "w")
]


@pytest.mark.parametrize(("case", "name"), CASES)
def test_gradients_are_complex_steps(case, name):
    program = compiled(EXPRESSIONS[case])
    values = values_for(program, batch=(3,))
    found = program.gradient(name)(**values)
    truth = complex_step(program, values, name)
    budget = rounding(1 + np.max(np.abs(truth)), 10)
    assert agree(found, truth, budget)
    assert not agree(1.01 * np.asarray(found), truth, budget)
    if name in ("lam", "G"):
        assert np.shape(found) == (3, 4)


@pytest.mark.parametrize("name", ["lam", "eta", "s2"])
def test_gradients_of_the_error_are_finite_differences(name):
    """Central differences at two steps: what they leave falls with the square of the step."""
    program = plan_series(learning.error(2)).program
    values = values_for(program)
    direction = np.random.default_rng(1).normal(size=np.shape(values[name]))
    found = np.sum(program.gradient(name)(**values) * direction)
    left = []
    for step in (2e-3, 1e-3):
        ends = [
            program(**{**values, name: values[name] + sign * step * direction}) for sign in (1, -1)
        ]
        left.append((ends[0] - ends[1]) / (2 * step) - found)
    assert agree(left[1], 0, asymptotic(left[0] / 4))
    assert agree(left[1] * 4 / left[0], 1, asymptotic(0.02))


@pytest.mark.slow
def test_the_third_order_error_has_gradients():
    program = plan_series(learning.error(3)).program
    values = values_for(program)
    found = program.gradient("lam", "eta")(**values)
    for one, name in zip(found, ("lam", "eta"), strict=True):
        truth = complex_step(program, values, name)
        assert agree(one, truth, rounding(1 + np.max(np.abs(truth)), 100))


def test_several_gradients_are_one_program():
    program = compiled(EXPRESSIONS["error, order 2"])
    values = values_for(program)
    together = program.gradient("lam", "eta", "s2")(**values)
    for one, name in zip(together, ("lam", "eta", "s2"), strict=True):
        assert agree(one, program.gradient(name)(**values), rounding(1, 10))
    assert program.gradient("lam", "eta").name == "f_by_lam_eta"


def test_a_value_per_degree_has_a_slope():
    """Of what is an array over degrees the derivative by a number is an array again."""
    residual = learning.mean(2).on_sphere()
    program = compile_expression("f", residual, ("lam", "deg", "eta", "s2", "P", "w"))
    values = values_for(program, batch=(2,))
    slope = program.gradient("eta")
    found = slope(**values)
    truth = complex_step(program, values, "eta")
    assert found.shape == (2, 4)
    assert agree(found, truth, rounding(1, 10))
    bent = complex_step(slope, values, "eta")
    assert agree(slope.gradient("eta")(**values), bent, rounding(1 + np.abs(bent).max(), 10))


shapes = st.sampled_from([(), (1,), (3,), (2, 1), (2, 3)])


@settings(max_examples=25)
@given(shapes, shapes, shapes)
def test_batches_are_their_points(first, second, spectrum):
    rng = np.random.default_rng(0)
    program = compiled(EXPRESSIONS["nested"])
    values = {
        "lam": rng.uniform(0.1, 1, (*spectrum, 4)),
        "deg": np.array([1.0, 3.0, 5.0, 7.0]),
        "x": rng.uniform(0.5, 1, first),
        "y": rng.uniform(0.5, 1, second),
    }
    batch = np.broadcast_shapes(first, second, spectrum)
    slopes = {name: program.gradient(name)(**values) for name in ("lam", "x")}
    for where in np.ndindex(*batch):
        one = {
            name: np.broadcast_to(value, batch)[where]
            for name, value in values.items()
            if name in "xy"
        }
        one |= {"lam": np.broadcast_to(values["lam"], (*batch, 4))[where], "deg": values["deg"]}
        for name, found in slopes.items():
            shape = (*batch, 4) if name == "lam" else batch
            whole = np.broadcast_to(found, shape)[where]
            assert agree(whole, program.gradient(name)(**one), rounding(10))


def test_a_wrong_gradient_would_be_seen():
    """The mutant that drops the multiplicity, on the derivative by the eigenvalues."""
    right = total(deg[l] * lam[l] / (lam[l] + x))
    wrong = total(lam[l] / (lam[l] + x) * deg[l] ** 2)
    program = compiled(right)
    values = values_for(program)
    truth = complex_step(program, values, "lam")
    assert agree(program.gradient("lam")(**values), truth, rounding(10))
    assert not agree(compiled(wrong).gradient("lam")(**values), truth, rounding(10))


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda f: f.gradient("z"), r"by \['z'\]: its inputs that can vary are \['lam', 'x'\]"),
        (lambda f: f.gradient(), "name each input once"),
        (lambda f: f.gradient("x", "x"), "name each input once"),
        (lambda f: Program(f.name, f.inputs, f.source).gradient("x"), "made from source"),
        (lambda f: f.gradient("lam"), "has a value for every degree"),
        (lambda f: f.gradient("x", "lam"), "has a value for every degree"),
    ],
)
def test_bad_gradients_are_refused(ask, says):
    program = compile_expression("f", lam[l] / (lam[l] + x), ("lam", "x"))
    with pytest.raises(InvalidInput, match=says):
        ask(program)


def test_the_arrays_of_the_space_cannot_vary():
    program = plan_series(learning.error(2)).program
    for name in ("P", "w"):
        with pytest.raises(InvalidInput, match="can vary"):
            program.gradient(name)


def test_unbound_symbols_are_named():
    with pytest.raises(InvalidInput, match=r"unbound symbols \['y'\]"):
        compile_gradient("f", x + y, ("x",), ("x",))
    with pytest.raises(InvalidInput, match="no SymPy expression"):
        compile_gradient("f", "x", ("x",), ("x",))
