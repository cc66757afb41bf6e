"""A flow as a NumPy function: the velocity of its couplings, and where it has poles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp

from fieldtheory.compiler.program import Program, compile_expression
from fieldtheory.ground.arrays import Array
from fieldtheory.theory.flows.flow import Flow

Inputs = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Velocity:
    """d couplings / d time of a flow.

    names       the couplings, then the parameters, in the order of the argument
    betas       one program for each coupling, with the positions of its inputs
    poles       the square-free denominators of the betas: one of them vanishes at a pole

    >>> r = sp.Symbol("r")
    >>> velocity = compile_flow(Flow("r", 2 * r + 1 / (1 + r)))
    >>> velocity(np.array([1.0])), velocity.distances(np.array([1.0]))
    (array([2.5]), array([2.]))
    """

    names: tuple[str, ...]
    betas: tuple[tuple[Program, Inputs], ...]
    poles: tuple[tuple[Program, Inputs], ...]

    def __call__(self, values: Array) -> Array:
        return _all(self.betas, values)

    def distances(self, values: Array) -> Array:
        """What changes sign where a trajectory crosses a pole."""
        return _all(self.poles, values)


def _all(programs: tuple[tuple[Program, Inputs], ...], values: Array) -> Array:
    found = [float(program(*values[list(used)])) for program, used in programs]
    return np.array(found, dtype=float)


def compile_flow(flow: Flow) -> Velocity:
    """The velocity of a flow; names of its symbols need not be identifiers."""
    symbols = (*flow.couplings, *flow.parameters)
    plain = {symbol: sp.Symbol(f"x{n}") for n, symbol in enumerate(symbols)}
    betas = [beta.xreplace(plain) for beta in flow.betas]
    below = {sp.fraction(sp.together(beta))[1] for beta in betas}
    free = {sp.sqf_part(denominator) for denominator in below if denominator.free_symbols}
    poles = sorted(free, key=sp.default_sort_key)
    inputs = tuple(plain.values())
    return Velocity(
        tuple(map(str, symbols)),
        tuple(_program(f"beta{n}", beta, inputs) for n, beta in enumerate(betas)),
        tuple(_program(f"pole{n}", pole, inputs) for n, pole in enumerate(poles)),
    )


def _program(
    name: str, expression: sp.Expr, inputs: tuple[sp.Symbol, ...]
) -> tuple[Program, Inputs]:
    used = tuple(k for k, symbol in enumerate(inputs) if symbol in expression.free_symbols)
    names = [str(inputs[k]) for k in used]
    return compile_expression(name, expression, names), used
