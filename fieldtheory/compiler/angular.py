r"""Plans on a homogeneous space: diagrams as sums over degrees and averages over one angle.

`reduction` (in `theory.homogeneous`) takes a diagram apart in series and parallel steps; here what
it finds becomes one NumPy program for all diagrams of a series, in which equal parts are computed
once. For B points in a batch (numbers of samples, ridges, spectra), D degrees, T nodes of the angle
and S lines in a plan's program the time is of order B D T for each function of the angle and each
set of coefficients taken back from it, and the memory at most 8 (S B max(D, T) + 2 T^2) bytes.

The average over the angle is exact, up to rounding, for band-limited functions: degrees add where
lines are in parallel, and the number of nodes follows from the largest sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import sympy as sp

from fieldtheory.compiler.program import Program, compile_expression
from fieldtheory.compiler.space import Space
from fieldtheory.compiler.stages import WEIGHTS, Stages
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import learning
from fieldtheory.theory.amplitude import coupling
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.homogeneous import Rule, deg, l, learning_rules, reduction, written
from fieldtheory.theory.learning import Series
from fieldtheory.theory.seriesparallel import GIVEN, PARALLEL, Line, Reduction

MEMORY = 2**31  # bytes a plan may need before it asks for leave
ORDER = ("lam", "deg", "G", "eta", "s2", "v")


@dataclass(frozen=True)
class Cost:
    """What a plan will take. Printing shows it.

    degrees      entries of the arrays over degrees, zeros added where lines in series reach beyond.
    nodes        of the quadrature in the angle; its sum of degrees is `total`.
    functions    sums over degrees that give a function of the angle.
    quadratures  averages over the angle: of one product, or of one with every P_l.
    operations   multiplications and additions in these.
    memory       bytes, at most.
    """

    degrees: int
    nodes: int
    total: int
    functions: int
    quadratures: int
    operations: int
    memory: int

    def __str__(self) -> str:
        return (
            f"{self.functions} functions of the angle and {self.quadratures} quadratures with "
            f"{self.nodes} nodes (exact to degree {self.total}), {self.degrees} degrees: "
            f"{self.operations:.1e} operations, at most {self.memory:.1e} bytes"
        )


@dataclass(frozen=True, eq=False)
class AngularPlan:
    """Several diagrams on a homogeneous space. Make one with `plan_series` or `plan_diagram`.

    title    what it computes.
    terms    (factor, reduction, how many diagrams reduce to it).
    rules    the coefficient of each given line as a function of the degree.
    is_open  whether the result is a value per degree, not a number.
    free     what is added to the diagrams, in SymPy.

    >>> print(plan_series(learning.covariance(order=1)))
    covariance, order 1 in 1/eta, poisson ensemble: 1 diagram, all series-parallel
      1 x  eta/s2**2 . loop[<r r>] . loop[C@C]
    """

    title: str
    terms: tuple[tuple[sp.Expr, Reduction, int], ...]
    rules: Mapping[str, Rule]
    is_open: bool = False
    free: sp.Expr = sp.S.Zero

    def __str__(self) -> str:
        diagrams = sum(times for _, _, times in self.terms)
        plural = "" if diagrams == 1 else "s"
        head = f"{self.title}: {diagrams} diagram{plural}, all series-parallel"
        rows = [f"{times:3} x  {factor} . {found}" for factor, found, times in self.terms]
        rows += [f"      + {self.free}"] if self.free != 0 else []
        return "\n".join([head, *rows])

    @cached_property
    def expression(self) -> sp.Expr:
        """The sum in SymPy."""
        return sp.Add(self.free, *(f * written(found, self.rules) for f, found, _ in self.terms))

    @cached_property
    def program(self) -> Program:
        """The sum in NumPy; its inputs are arrays over degrees, numbers, and P and w of the space.

        >>> plan_series(learning.label_noise(order=1)).program.inputs
        ('lam', 'deg', 'eta', 's2', 'v')
        """
        needed = Stages(self.expression, l).inputs
        known = [name for name in ORDER if name in needed]
        inputs = known + sorted(needed - {*known, "P", "w"}) + sorted(needed & {"P", "w"})
        return compile_expression("plan", self.expression, inputs, doc=f"Derived: {self.title}.")

    def cost(self, space: Space, sizes: Mapping[str, int], batch: int = 1) -> Cost:
        """What it takes on that space.

        sizes  entries of each array over degrees, such as {"lam": 100, "G": 3}.
        batch  points of the leading axes: numbers of samples, ridges, spectra.

        >>> from fieldtheory.compiler.space import sphere
        >>> plan = plan_series(learning.error(order=2))
        >>> print(plan.cost(sphere(50), {"lam": 100, "G": 3}, batch=50))
        4 functions of the angle and 2 quadratures with 150 nodes (exact to degree 299), 100 \
degrees: 6.0e+06 operations, at most 2.5e+06 bytes
        """
        reach, total = extent(self, space, sizes)
        degrees, nodes = space.entries(reach), space.nodes(total)
        functions, taken_back, averages = self._contractions
        rows, longest = len(self.program.source.splitlines()), max(degrees, nodes)
        memory = 8 * (rows * batch * longest + (2 * nodes * longest if functions else 0))
        operations = 2 * batch * degrees * nodes * (functions + taken_back)
        quadratures = taken_back + averages
        return Cost(degrees, nodes, total, functions, quadratures, operations, memory)

    @cached_property
    def _contractions(self) -> tuple[int, int, int]:
        """Functions of the angle, sets of coefficients taken back, single averages."""
        stages = Stages(self.expression, l)
        hows = [row.how for row in stages.rows]
        singles = [row for row in stages.rows if row.how == "sum" and row.body.has(WEIGHTS)]
        return hows.count("function"), hows.count("coefficient"), len(singles)

    def run(
        self,
        space: Space,
        arrays: Mapping[str, Any],
        numbers: Mapping[str, Any],
        memory: float = MEMORY,
    ) -> Array:
        """The sum: one value per point of the batch, or one per degree on a last axis.

        arrays   over degrees on the last axis, batch axes before it; `deg` comes from the space.
        numbers  the other inputs of `program`, of the shape of the batch.
        memory   bytes it may take.

        Raises InvalidInput for what is missing, has the wrong shape, or would take more memory.
        """
        batch = _batch(arrays, numbers)
        sizes = {name: np.shape(value)[-1] for name, value in arrays.items()}
        cost = self.cost(space, sizes, int(np.prod(batch, dtype=float)))
        if cost.memory > memory:
            raise InvalidInput(
                f"the plan would take up to {cost.memory} bytes and may take {memory:.0f}: it has "
                f"{cost.nodes} nodes and {cost.degrees} degrees for each of {batch} points. Split "
                "the batch, cut the spectrum, or pass a larger `memory`"
            )
        basis = space.basis(cost.degrees, cost.total)
        values: dict[str, Any] = {"deg": basis.multiplicities, **numbers}
        values |= {name: _padded(value, cost.degrees) for name, value in arrays.items()}
        values |= {"P": basis.functions, "w": basis.weights}
        if missing := [name for name in self.program.inputs if name not in values]:
            raise InvalidInput(f"{self.title}: no value given for {', '.join(missing)}")
        found = np.asarray(self.program(**{name: values[name] for name in self.program.inputs}))
        if self.is_open:
            kept = space.entries(max(sizes.values()) - 1)
            found = np.broadcast_to(found, (*batch, cost.degrees))[..., :kept]
            return np.array(found)
        return np.array(np.broadcast_to(found, batch))


@lru_cache(maxsize=64)
def plan_series(series: Series, *, per_degree: bool = False) -> AngularPlan:
    """The plan of a learning series: the mean as coefficient of g_l; covariance, label noise and
    error integrated over their two points set equal, or with `per_degree` degree by degree.

    Raises OutOfRegime, naming the diagram, for what is not series-parallel. Up to order 3 nothing
    is: four places joined each with each need four vertices.

    >>> print(plan_series(learning.mean(order=2)))
    mean, order 2 in 1/eta, poisson ensemble: 4 diagrams, all series-parallel
      1 x  -eta/s2**3 . loop[C] . loop[C] . C@r
      1 x  eta**2/s2**4 . loop[C@C] . loop[C] . C@r
      1 x  eta**2/s2**4 . loop[C] . loop[C] . C@C@r
      1 x  eta**2/s2**4 . C@(C*C*C)@r
    """
    mean = series.quantity == "mean"
    front = deg[l] if per_degree and not mean else sp.S.One
    gathered: dict[tuple[Reduction, sp.Expr], int] = {}
    for term in series.terms:
        found = reduction(term.diagram, per_degree=per_degree)
        bare = Reduction(found.numbers, found.line, ())
        factor = front * term.factor * term.weight * coupling(term.diagram) / term.symmetry
        gathered[bare, factor] = gathered.get((bare, factor), 0) + 1
    terms = tuple((times * factor, bare, times) for (bare, factor), times in gathered.items())
    title = f"{series.quantity}, order {series.order} in 1/eta, {series.ensemble} ensemble"
    rules = learning_rules(learning.eta, learning.s2)
    return AngularPlan(title, terms, rules, per_degree or mean, series.free)


def plan_diagram(
    diagram: Diagram, rules: Mapping[str, Rule], *, per_degree: bool = False
) -> AngularPlan:
    """The plan of one diagram, couplings and 1/symmetry included.

    rules  for every propagator, named as in position space, and every background its coefficient
           as a function of the degree, from arrays over degrees and symbols.

    >>> from fieldtheory.theory.action import Action
    >>> from fieldtheory.theory.enumeration import diagrams
    >>> lam = sp.IndexedBase("lam")
    >>> sunset, = diagrams(Action.phi(4), legs=2, order=2, two_particle_irreducible=True)
    >>> print(plan_diagram(sunset, {"G_phi": lambda degree: lam[degree]}, per_degree=True))
    x1-z1 x2-z2 z1-z2 z1-z2 z1-z2: 1 diagram, all series-parallel
      1 x  g**2/6 . G_phi@G_phi@(G_phi*G_phi*G_phi)
    """
    found = reduction(diagram, per_degree=per_degree)
    factor = coupling(diagram) / diagram.symmetry
    return AngularPlan(str(diagram), ((factor, found, 1),), dict(rules), found.line is not None)


def evaluate(
    series: Series,
    space: Space,
    *,
    eigenvalues: Any,
    eta: Any,
    s2: Any,
    power: Any = (),
    label_noise: Any = 0.0,
    per_degree: bool = False,
    memory: float = MEMORY,
) -> Array:
    """A learning series on a homogeneous space.

    eigenvalues  lam_l per degree, on the last axis; zero beyond its end.
    eta          mean number of samples (the number itself in the fixed ensemble).
    s2           the ridge, positive, not divided by the number of samples.
    power        G_l, the target's power per degree, on the last axis.
    label_noise  the variance of the labels' noise.

    All may have batch axes, which broadcast against one another. The mean has a last axis of
    degrees, and so has what is asked for `per_degree`. Raises InvalidInput for wrong shapes and
    signs and for more than `memory` bytes, and what `plan_series` raises.

    >>> from fieldtheory.compiler.space import sphere
    >>> value = evaluate(learning.error(order=2), sphere(3), eigenvalues=[0.5, 0.1], power=[0, 1],
    ...                  eta=[10, 100], s2=0.5)
    >>> value.shape
    (2,)
    """
    arrays = {"lam": _array("eigenvalues", eigenvalues, 0)}
    arrays["G"] = _array("power", power if np.size(power) else [0.0], 0)
    numbers = {
        "eta": _array("eta", eta, 1),
        "s2": _array("s2", s2, 1),
        "v": _array("label_noise", label_noise, 0),
    }
    for name, value in arrays.items():
        if value.ndim == 0 or value.shape[-1] == 0:
            raise InvalidInput(f"{name} needs one number per degree, on the last axis")
    plan = plan_series(series, per_degree=per_degree)
    return plan.run(space, arrays, numbers, memory)


# -- how far degrees reach ------------------------------------------------------------------------


def extent(plan: AngularPlan, space: Space, sizes: Mapping[str, int]) -> tuple[int, int]:
    """The last degree that the plan's sums must reach, and the largest sum of degrees under a
    quadrature, for arrays over degrees with that many entries.

    >>> from fieldtheory.compiler.space import sphere
    >>> extent(plan_series(learning.mean(order=2)), sphere(3), {"lam": 11})
    (10, 40)
    """
    return _extent(plan, space, tuple(sizes.items()))


@lru_cache(maxsize=256)
def _extent(plan: AngularPlan, space: Space, sizes: tuple[tuple[str, int], ...]) -> tuple[int, int]:
    """The last degree that sums must reach, and the largest sum of degrees under a quadrature.

    Lines in series vanish beyond the shortest of them; in parallel, degrees add."""
    lasts = {name: space.shells(size) for name, size in sizes}
    longest = max(lasts.values(), default=0)
    tops = [number.line for _, found, _ in plan.terms for number in found.numbers]
    tops += [found.line for _, found, _ in plan.terms if found.line]
    names = frozenset().union(*(top.given_names for top in tops))
    given = {name: _support(plan.rules, name, lasts, longest) for name in names}

    def last(line: Line) -> int:
        if line.how == GIVEN:
            return given[line.name]
        parts = [last(part) for part in line.parts]
        return sum(parts) if line.how == PARALLEL else min(parts)

    reach, total = longest, 0

    def visit(line: Line, coefficients: int) -> None:
        """The line's coefficients are needed up to that degree; -1 if only its values are."""
        nonlocal reach, total
        reach = max(reach, coefficients)
        if line.how == PARALLEL:
            total = max(total, last(line) + max(coefficients, 0))
        for part in line.parts:
            visit(part, last(part) if line.how == PARALLEL else coefficients)

    for _, found, _ in plan.terms:
        for number in found.numbers:
            mean = number.how == "mean"
            visit(number.line, -1 if mean else last(number.line))
        if found.line:
            visit(found.line, last(found.line))
    return reach, total


def _support(rules: Mapping[str, Rule], name: str, lasts: Mapping[str, int], longest: int) -> int:
    """The last degree at which a given line does not vanish: arrays are zero beyond their end."""
    loop = Reduction((), Line.given(name), ())
    factors = sp.Mul.make_args(written(loop, rules))
    ends = [
        lasts[factor.base.label.name]
        for factor in (f.as_base_exp()[0] for f in factors if f.as_base_exp()[1].is_positive)
        if isinstance(factor, sp.Indexed) and factor.base.label.name in lasts
    ]
    return min(ends, default=longest)


# -- arrays ---------------------------------------------------------------------------------------


def _array(name: str, values: Any, least: int) -> Array:
    """Finite numbers, zero or positive (least = 0) or positive (least = 1)."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(f"{name}: give numbers in a rectangular array") from None
    if not np.all(np.isfinite(array)):
        raise InvalidInput(f"{name}: every entry must be finite")
    if np.any(array < 0) or (least and np.any(array == 0)):
        rule = "above zero" if least else "zero or positive"
        raise InvalidInput(f"{name}: {array.min()} is not allowed, every entry must be {rule}")
    return array


def _batch(arrays: Mapping[str, Any], numbers: Mapping[str, Any]) -> tuple[int, ...]:
    shapes = [np.shape(value)[:-1] for value in arrays.values()]
    shapes += [np.shape(value) for value in numbers.values()]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        named = {**{n: np.shape(v) for n, v in arrays.items()}}
        named |= {n: np.shape(v) for n, v in numbers.items()}
        raise InvalidInput(
            f"shapes {named} do not fit: axes before the last of arrays over degrees, and all axes "
            "of numbers, must be equal or 1"
        ) from None


def _padded(values: Any, degrees: int) -> Array:
    """The array with zeros up to that many degrees."""
    array = np.asarray(values)
    missing = degrees - array.shape[-1]
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, max(missing, 0))])
