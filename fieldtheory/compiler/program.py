"""A SymPy expression becomes a NumPy function whose source can be read.

Axes: an array over degrees carries them on its last axis, every other input broadcasts over the
axes before it. `Sum(f(l), (l, 0, L))` becomes a sum over that last axis; an expression in which
the degree `l` is left free has the degrees as its last axis. `Integral(f(t), t)` over products of
functions `Sum(deg[j] * f[j] * P(j, t), (j, 0, L))` is a quadrature: it needs the inputs `P`
(degrees by nodes) and `w` (the weights of the nodes), which `compiler.space` supplies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy
import sympy as sp
from sympy.core.function import AppliedUndef

from fieldtheory.compiler.emit import Emitter
from fieldtheory.compiler.stages import NUMBER, Stages, differentiate
from fieldtheory.ground.checks import choice
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.shown import Printed
from fieldtheory.theory.homogeneous import P

DTYPES = ("float64", "complex128")
KEPT = 1024  # programs remembered


@dataclass(frozen=True)
class Program(Printed):
    """A compiled expression: its name, inputs, source and the function itself.

    Call it with the inputs by name or in order; they are made arrays of `dtype`. The keyword `xp`
    replaces NumPy by another module with the same function names, and then nothing is converted.
    Printing shows the source. A program is its source: `Program(name, inputs, source)` makes it
    again, without SymPy's expression, and then has no gradient.

    >>> x, y = sp.symbols("x y")
    >>> program = compile_expression("hypotenuse", sp.sqrt(x**2 + y**2), ("x", "y"))
    >>> float(program(3.0, 4.0))
    5.0
    >>> print(program)
    def hypotenuse(x, y, xp=numpy):
        return xp.sqrt(x**2 + y**2)
    """

    name: str
    inputs: tuple[str, ...]
    source: str
    dtype: str = "float64"
    expression: sp.Expr | None = field(default=None, compare=False, repr=False)
    degree: str = field(default="l", compare=False, repr=False)

    def __post_init__(self) -> None:
        choice("dtype", self.dtype, DTYPES)

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The compiled function."""
        space: dict[str, Any] = {"numpy": numpy}
        exec(compile(self.source, f"<program {self.name}>", "exec"), space)  # our own source only
        found: Callable[..., Any] = space[self.name]
        return found

    def __call__(self, *values: Any, **named: Any) -> Any:
        if "xp" in named:
            return self.function(*values, **named)
        clean = {name: self._array(name, value) for name, value in named.items()}
        pairs = zip(self.inputs, values, strict=False)
        known = [self._array(name, value) for name, value in pairs]
        return self.function(*known, *values[len(known) :], **clean)

    def _array(self, name: str, value: Any) -> Any:
        given = numpy.asarray(value)
        if given.dtype == self.dtype:
            return given
        if given.dtype.kind not in "biufc" or (given.dtype.kind == "c" and self.dtype[0] == "f"):
            raise InvalidInput(
                f"program {self.name!r}: {name} is of type {given.dtype}, the program computes "
                f"with {self.dtype}; pass numbers, or use program.to('complex128')"
            )
        return given.astype(self.dtype)

    def to(self, dtype: str) -> Program:
        """The same program for inputs of another type: "float64" or "complex128"."""
        return replace(self, dtype=dtype)

    def gradient(self, *by: str) -> Program:
        """The program of the derivatives with respect to inputs: see `compile_gradient`.

        >>> x, y = sp.symbols("x y")
        >>> slope = compile_expression("f", x * y**2, ("x", "y")).gradient("y")
        >>> float(slope(3.0, 2.0))
        12.0
        """
        if self.expression is None:
            raise InvalidInput(
                f"program {self.name!r} was made from source, which cannot be differentiated; "
                "compile its expression with compile_expression"
            )
        found = compile_gradient(self.name, self.expression, self.inputs, by, degree=self.degree)
        return found.to(self.dtype)

    def __str__(self) -> str:
        return self.source.rstrip()


def compile_expression(
    name: str, expression: Any, inputs: Iterable[str], doc: str = "", degree: str = "l"
) -> Program:
    """Compile a SymPy expression. The same question gives the same Program, compiled once.

    `inputs` orders the arguments; it must name every free symbol and every array of the
    expression, and no other. Raises `InvalidInput` for anything but a SymPy expression of known
    functions, for a name that is no Python identifier, if a symbol is left unbound, if an input is
    not used, or if a sum runs over something that is not one index.
    """
    _checked(name, expression, names := _names(inputs))
    return _compiled(name, expression, names, doc, degree)


def compile_gradient(
    name: str,
    expression: Any,
    inputs: Iterable[str],
    by: Iterable[str],
    doc: str = "",
    degree: str = "l",
) -> Program:
    r"""The derivatives of an expression with respect to some of its inputs, as one program.

    With one name in `by` it returns one array, with several a tuple. The derivative by an array
    over degrees, such as lam, is an array over degrees; the expression must then be a number
    (free of the degree), as it must for several names. At every point of the batch axes it is the
    derivative of that point's value. The name of the program is NAME_by_INPUT.

    .. math::  \frac{\partial F}{\partial \lambda_m}, \qquad
               F = \sum_l f(\lambda_l, S), \quad S = \sum_l s(\lambda_l)

    needs as many contractions as F itself: formulas are differentiated by SymPy, the contractions
    between them by the chain rule, from the last to the first.

    Raises InvalidInput like `compile_expression`, and for a name in `by` that is no input, or is
    one of the arrays P and w of the space.

    >>> l, L = sp.symbols("l L", integer=True)
    >>> lam = sp.IndexedBase("lam")
    >>> total = sp.Sum(lam[l] ** 2, (l, 0, L))
    >>> compile_gradient("f", total, ["lam"], ["lam"])([1.0, 2.0]).tolist()
    [2.0, 4.0]
    """
    _checked(name, expression, names := _names(inputs))
    wanted = _names(by)
    if odd := [one for one in wanted if one not in names or one in ("P", "w")]:
        raise InvalidInput(
            f"gradient of {name!r} by {odd}: its inputs that can vary are "
            f"{[one for one in names if one not in ('P', 'w')]}"
        )
    if not wanted or len(set(wanted)) < len(wanted):
        raise InvalidInput(f"gradient of {name!r} by {list(wanted)}: name each input once")
    return _gradient(name, expression, names, wanted, doc, degree)


def _names(words: Iterable[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def _checked(name: str, expression: Any, inputs: tuple[str, ...]) -> None:
    if not isinstance(expression, sp.Expr):  # a text would have to be evaluated: never
        raise InvalidInput(
            f"compile {name!r}: {expression!r} is no SymPy expression; build one from symbols"
        )
    if odd := [w for w in (name, *inputs) if not isinstance(w, str) or not w.isidentifier()]:
        raise InvalidInput(f"compile {name!r}: {odd} cannot be names in Python source; rename them")
    if unknown := {f for f in expression.atoms(AppliedUndef) if f.func != P}:
        raise InvalidInput(f"compile {name!r}: {unknown} have no numerical meaning; replace them")


def _staged(name: str, expression: sp.Expr, inputs: tuple[str, ...], degree: str) -> Stages:
    stages = Stages(expression, sp.Symbol(degree, integer=True))
    missing, unused = stages.inputs - set(inputs), set(inputs) - stages.inputs
    if missing or unused:
        raise InvalidInput(
            f"compile {name!r}: unbound symbols {sorted(missing)}, unused inputs {sorted(unused)}; "
            f"the expression needs exactly {sorted(stages.inputs)}"
        )
    return stages


@lru_cache(maxsize=KEPT)
def _compiled(
    name: str, expression: sp.Expr, inputs: tuple[str, ...], doc: str, degree: str
) -> Program:
    stages = _staged(name, expression, inputs, degree)
    source = _source(name, inputs, doc, Emitter(stages, [stages.output]))
    return Program(name, inputs, source, expression=expression, degree=degree)


@lru_cache(maxsize=KEPT)
def _gradient(
    name: str,
    expression: sp.Expr,
    inputs: tuple[str, ...],
    by: tuple[str, ...],
    doc: str,
    degree: str,
) -> Program:
    stages = _staged(name, expression, inputs, degree)
    symbols = [next(s for s in stages.axes if s.name == one) for one in by]
    title = f"{name}_by_{'_'.join(by)}"
    if stages.axis(stages.output) == NUMBER:
        outputs = differentiate(stages, symbols)
        return Program(title, inputs, _source(title, inputs, doc, Emitter(stages, outputs)))
    if len(by) > 1 or stages.axes[symbols[0]] != NUMBER:
        raise InvalidInput(
            f"gradient of {name!r} by {list(by)}: the expression has a value for every degree, and "
            "can be differentiated by one input that is a number; sum it over the degree first"
        )
    slope = expression.diff(symbols[0])
    stages = Stages(slope, sp.Symbol(degree, integer=True))
    source = _source(title, inputs, doc, Emitter(stages, [stages.output]))
    return Program(title, inputs, source, expression=slope, degree=degree)


def _source(name: str, inputs: tuple[str, ...], doc: str, emitter: Emitter) -> str:
    head = [f"def {name}({', '.join((*inputs, 'xp=numpy'))}):"]
    if doc:
        head.append(f'    """{doc}"""')
    return "\n".join(head + [f"    {line}" for line in emitter.lines()]) + "\n"
