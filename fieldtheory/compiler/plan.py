r"""Plans: a diagram of the learning action on a finite measure is a tensor contraction.

With P points of weight mu_x every integral is a sum, every propagator a P x P matrix:

.. math::  C = (1 + \tfrac{\eta}{s_2} K \mu)^{-1} K, \qquad
           r = -(1 + \tfrac{\eta}{s_2} K \mu)^{-1} g

(mu the diagonal matrix of weights; K is not inverted). opt_einsum orders the contraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import opt_einsum
import sympy as sp

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import learning
from fieldtheory.theory.amplitude import background_ends, coupling
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.homogeneous import line_name
from fieldtheory.theory.learning import Series

MEMORY = 2**31  # bytes a plan may need before it asks for leave
SYMMETRIC = 1e-10  # a Gram matrix may be asymmetric by that much of its largest entry: rounding


@dataclass(frozen=True)
class Plan:
    """One contraction: prefactor * einsum(subscripts, operands).

    subscripts  as for einsum; the letters of external points are on the right.
    operands    the names of the arrays, in order: propagators, backgrounds and "mu".
    prefactor   couplings over symmetry, a SymPy expression.

    >>> diagram, = learning.mean(order=1).diagrams
    >>> print(contraction(diagram))
    eta/s2**2 * einsum('ab,bb,b,b->a'; C, C, r, mu)
    """

    subscripts: str
    operands: tuple[str, ...]
    prefactor: sp.Expr

    def __str__(self) -> str:
        return f"{self.prefactor} * einsum({self.subscripts!r}; {', '.join(self.operands)})"

    def cost(self, points: int) -> tuple[int, int]:
        """(floating point operations, entries of the largest intermediate) for that many points.

        >>> diagram, = learning.mean(order=1).diagrams
        >>> operations, entries = contraction(diagram).cost(points=100)
        >>> operations < 100_000
        True
        """
        shapes = [(points,) * len(term) for term in self._terms()]
        if not shapes:
            return 0, 1
        _, info = opt_einsum.contract_path(self.subscripts, *shapes, shapes=True)
        return int(info.opt_cost), int(info.largest_intermediate)

    def run(
        self,
        arrays: Mapping[str, Array],
        values: Mapping[sp.Symbol, float],
        memory: float = MEMORY,
    ) -> Array:
        """The number or array, one axis per external point.

        arrays  one array for each name in `operands`; values for the symbols of the prefactor.
        memory  bytes the largest intermediate array may have.
        Raises InvalidInput for what is missing, and before anything is computed for more memory.
        """
        if missing := [name for name in self.operands if name not in arrays]:
            raise InvalidInput(f"plan {self} needs the array {missing[0]!r}: pass it in `arrays`")
        number = self.prefactor.subs(dict(values))
        if number.free_symbols:
            left = ", ".join(sorted(map(str, number.free_symbols)))
            raise InvalidInput(f"plan {self}: no value given for {left}")
        operands = [arrays[name] for name in self.operands]
        points = max((max(array.shape) for array in operands), default=0)
        needed = 8 * self.cost(points)[1]
        if needed > memory:
            raise InvalidInput(
                f"plan {self} on {points} points needs an array of {needed} bytes and may take "
                f"{memory:.0f}: take fewer points, pass a larger `memory`, or use the plan for a "
                "homogeneous space (compiler.angular)"
            )
        value = opt_einsum.contract(self.subscripts, *operands) if operands else 1.0
        return np.asarray(float(number) * np.asarray(value), dtype=np.float64)

    def _terms(self) -> list[str]:
        left = self.subscripts.split("->")[0]
        return left.split(",") if left else []


def contraction(
    diagram: Diagram,
    *,
    closed: bool = False,
    together: bool = False,
    factor: sp.Expr = sp.S.One,
) -> Plan:
    """The plan that evaluates a diagram, 1/symmetry included.

    together  put all external legs at one point.
    closed    and integrate over it too.
    factor    multiplies the prefactor.
    """
    legs = [0 if closed or together else n for n in range(len(diagram.legs))]
    outer = max(legs, default=-1) + 1

    def letter(end: int) -> str:
        number = legs[-end - 1] if end < 0 else outer + end
        symbol: str = opt_einsum.get_symbol(number)
        return symbol

    terms = []
    for a, b, edge in diagram.vertex_edges:
        name, forwards = line_name(diagram, edge)
        ends = letter(a) + letter(b)
        terms.append((ends if forwards else ends[::-1], name))
    terms += [(letter(end), name) for end, name in background_ends(diagram)]
    terms += [(letter(v), "mu") for v in range(len(diagram.vertices))]
    terms += [(letter(-1), "mu")] if closed and legs else []
    out = "" if closed else "".join(dict.fromkeys(letter(-n - 1) for n in range(len(legs))))
    prefactor = factor * coupling(diagram) / diagram.symmetry
    subscripts = ",".join(term for term, _ in terms) + "->" + out
    return Plan(subscripts, tuple(name for _, name in terms), prefactor)


AXES = {
    "mean": 1,
    "covariance": 2,
    "label noise": 2,
    "posterior variance": 1,
    "error": 0,
    "evidence": 0,
}


def evaluate(
    series: Series,
    *,
    mu: Any,
    kernel: Any,
    target: Any,
    eta: float,
    s2: float,
    label_noise: float = 0.0,
    memory: float = MEMORY,
) -> Array:
    """A learning series on a finite measure: an array over its external points.

    mu      the P weights of the input points, positive or zero, of sum one.
    kernel  the P x P Gram matrix K.
    target  g at the points.
    eta     the mean number of samples (the number itself in the fixed ensemble).
    s2      the ridge, positive, not divided by the number of samples.
    label_noise   the variance of the labels' noise, for `label_noise` and `evidence`.
    memory  bytes the largest intermediate array may have.

    Mean and posterior variance have shape (P,), covariances (P, P), error and evidence ().
    Raises InvalidInput when shapes or signs do not fit or the memory does not suffice.

    >>> one = evaluate(learning.mean(order=0), mu=[1.0], kernel=[[1.0]], target=[1.0], eta=3, s2=1)
    >>> one.tolist()                     # -s2/(eta + s2)
    [-0.25]
    """
    weights, gram, wanted = _measure(mu, kernel, target)
    mean_samples, ridge = checks.positive("eta", eta), checks.positive("s2", s2)
    system = np.eye(weights.size) + mean_samples / ridge * gram * weights
    arrays: dict[str, Array] = {
        "mu": weights,
        "C": frozen(np.linalg.solve(system, gram)),
        "r": frozen(-np.linalg.solve(system, wanted)),
    }
    noise = checks.variance("label_noise", label_noise)
    values = {learning.eta: mean_samples, learning.s2: ridge, learning.v: noise}
    how = {
        "closed": series.quantity == "error",
        "together": series.quantity == "posterior variance",
    }
    total = np.zeros((weights.size,) * AXES[series.quantity])
    for term in series.terms:
        plan = contraction(term.diagram, **how, factor=term.factor * term.weight)
        total = total + plan.run(arrays, values, memory)
    if series.classical != 0:  # the evidence at order 0: saddle and determinant
        saddle = mean_samples / ridge * (weights * wanted) @ arrays["r"]
        determinant = np.linalg.slogdet(system)[1]
        total = total + (saddle - determinant - mean_samples * noise / ridge) / 2
    return frozen(total)


def _measure(mu: Any, kernel: Any, target: Any) -> tuple[Array, Array, Array]:
    """The measure, checked."""
    weights, wanted = checks.powers("mu", mu), checks.vector("target", target)
    points = weights.size
    if abs(weights.sum() - 1) > SYMMETRIC:
        raise InvalidInput(f"mu sums to {weights.sum()}: the weights of a measure sum to 1")
    if wanted.size != points:
        raise InvalidInput(f"target has {wanted.size} entries, mu {points}: give one per point")
    try:
        gram = np.array(kernel, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(f"kernel: give a {points} x {points} matrix of numbers") from None
    if gram.shape != (points, points) or not np.all(np.isfinite(gram)):
        raise InvalidInput(
            f"kernel has shape {gram.shape}: give a {points} x {points} matrix of finite numbers, "
            "one row per point of mu"
        )
    if np.max(np.abs(gram - gram.T)) > SYMMETRIC * np.max(np.abs(gram)):
        raise InvalidInput("kernel is not symmetric: K(x, y) = K(y, x) is needed")
    return weights, gram, wanted
