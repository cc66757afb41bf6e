"""The stored source is the one the formulas of `theory` give today, and holds nothing else."""

import ast
import inspect

import numpy as np
import pytest
from scipy.special import gammaln

from fieldtheory.compiler import generated, generated_points, generated_sphere, series
from fieldtheory.compiler.generate import programs, source
from tests.tolerance import agree, rounding

PROGRAMS = {program.name: program for program in programs()}
DEGREES, SIZES = 5, 3


class Functions:
    """NumPy and the one function that SciPy adds."""

    gammaln = staticmethod(gammaln)

    def __getattr__(self, name):
        return getattr(np, name)


def inputs(program, seed=0):
    """Numbers in the range of every function: correlations and learnt fractions below one."""
    rng, values = np.random.default_rng(seed), {}
    for name in program.inputs:
        if name in ("lam", "deg", "G"):
            values[name] = rng.uniform(0.1, 0.9, DEGREES)
        elif name == "l" and "d" in program.inputs:
            values[name] = rng.integers(0, 5, SIZES).astype(float)
        else:
            values[name] = rng.uniform(0.1, 0.9, SIZES)
    return values


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_stored_function_is_current(name):
    fresh, stored = PROGRAMS[name], getattr(generated, name)
    signature = tuple(inspect.signature(stored).parameters)
    assert signature == (*fresh.inputs, "xp")
    for seed in range(3):
        values = inputs(fresh, seed)
        truth = fresh(**values, xp=Functions())
        found = stored(**values, xp=Functions())
        assert np.shape(found) == np.shape(truth)
        assert np.all(np.isfinite(truth))
        assert agree(found, truth, rounding(np.abs(truth).max()))
        first = next(iter(values))
        shaken = stored(**{**values, first: 1.01 * values[first]}, xp=Functions())
        assert not agree(shaken, truth, rounding(np.abs(truth).max()))


def test_nothing_else_is_stored():
    tree = ast.parse(inspect.getsource(generated))
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert defined == list(PROGRAMS)
    others = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
    assert [type(node) for node in others] == [ast.Expr, ast.ImportFrom, ast.Import]


def test_every_function_says_where_it_comes_from():
    for name in PROGRAMS:
        doc = getattr(generated, name).__doc__
        assert doc.startswith(("Law: ", "Derived: "))


def test_a_stale_formula_would_be_seen():
    """The comparison above, on a function spoilt by a sign."""
    fresh = PROGRAMS["planar_gamma"]
    values = inputs(fresh)
    assert not agree(-generated.planar_gamma(**values), fresh(**values), rounding(1.0))


def test_the_whole_text_is_valid_python():
    tree = ast.parse(source())
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert names == list(PROGRAMS)


# -- the series on the sphere and on points -------------------------------------------------------

NODES, POINTS, OUTPUTS = 7, 4, 2
SHAPES = {
    "P": (DEGREES, NODES),
    "w": (NODES,),
    "C": (POINTS, POINTS),
    "R": (POINTS, POINTS),
    "r": (POINTS, OUTPUTS),
    "mu": (POINTS,),
    **dict.fromkeys(("lam", "deg", "G"), (DEGREES,)),
}


def numbers(names, shape):
    """Positive numbers below one; matrices symmetric."""
    draw = np.random.default_rng(1)
    values = {name: draw.uniform(0.1, 0.9, SHAPES.get(name, shape)) for name in names}
    return {name: x @ x.T if name in ("C", "R") else x for name, x in values.items()}


def same(stored, fresh, names, shape):
    values = numbers(names, shape)
    found, truth = stored(**values), fresh(**values)
    assert agree(found, truth, rounding(np.abs(truth).max(), 100))
    assert not agree(1.001 * found, truth, rounding(np.abs(truth).max(), 100))


@pytest.mark.slow
def test_the_series_on_the_sphere_is_current():
    found = {program.name: program for program in series.on_sphere()}
    assert {name: program.inputs for name, program in found.items()} == generated_sphere.INPUTS
    assert series.reach() == generated_sphere.REACH
    assert series.total() == generated_sphere.TOTAL
    for name, program in found.items():
        same(getattr(generated_sphere, name), program, program.inputs, (SIZES,))


@pytest.mark.slow
def test_the_series_on_points_is_current():
    found = tuple(series.on_points())
    assert {program.name: program.inputs for program, _ in found} == generated_points.INPUTS
    assert {program.name: number for program, number in found} == generated_points.HELD
    for program, _ in found:
        same(getattr(generated_points, program.name), program, program.inputs, ())


@pytest.mark.parametrize("module", [generated_sphere, generated_points])
def test_a_series_holds_the_functions_of_its_table(module):
    tree = ast.parse(inspect.getsource(module))
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert defined == list(module.INPUTS)
