"""The learning series as programs for the numeric floors: on the sphere, and on points."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import sympy as sp

from fieldtheory.compiler import points
from fieldtheory.compiler.angular import AngularPlan, extent, plan_series
from fieldtheory.compiler.program import Program, compile_expression
from fieldtheory.compiler.space import sphere
from fieldtheory.theory import learning
from fieldtheory.theory.samples import poisson

HIGHEST = 3
SERIES = (
    ("mean", learning.mean),
    ("covariance", learning.covariance),
    ("noise", learning.label_noise),
)


@cache
def plans() -> tuple[tuple[str, AngularPlan], ...]:
    """Mean, covariance and label noise of every order, degree by degree, by name."""
    return tuple(
        (f"{name}_{order}", plan_series(series(order), per_degree=name != "mean"))
        for name, series in SERIES
        for order in range(0 if name == "mean" else 1, HIGHEST + 1)
    )


def on_sphere() -> Iterator[Program]:
    """The plans as programs."""
    for name, plan in plans():
        program = plan.program
        text = program.source.replace("def plan(", f"def {name}(", 1)
        yield Program(name, program.inputs, text)


def reach() -> dict[int, int]:
    """How far the coefficients of each order reach, in units of the kernel's last degree."""
    found: dict[int, int] = {}
    for name, plan in plans():
        order = int(name[-1])
        if order > 1:
            found[order] = max(found.get(order, 0), _extent(plan)[0])
    return found


def total() -> int:
    """The largest sum of degrees under a quadrature, in the same unit."""
    return max(_extent(plan)[1] for _, plan in plans())


def _extent(plan: AngularPlan) -> tuple[int, int]:
    """For a kernel and a target of degrees 0 and 1."""
    return extent(plan, sphere(3), {"lam": 2, "G": 2})


def on_points() -> Iterator[tuple[Program, int]]:
    """The same as steps of matrices, and how many each holds at once."""
    for name, series in SERIES:
        for order in range(1, HIGHEST + 1):
            yield points.program(f"{name}_{order}", series(order))


def fixed() -> Iterator[Program]:
    """What each order adds when a Poisson number of samples becomes a fixed one, in the Taylor
    coefficients f_j = N^j F^(j) / j!."""
    for order in range(1, HIGHEST + 1):
        found = [
            term.number
            * sp.factorial(term.derivatives)
            * poisson.N ** (term.power - term.derivatives)
            * sp.Symbol(f"f{term.derivatives}")
            for term in poisson.terms(order)
        ]
        yield compile_expression(
            f"fixed_samples_{order}",
            sp.factor(sp.Add(*found)),
            ("N", *(f"f{term.derivatives}" for term in poisson.terms(order))),
            doc=f"Derived: from a Poisson to a fixed number of samples, order {order}.",
        )
