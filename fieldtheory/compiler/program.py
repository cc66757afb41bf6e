"""A SymPy expression becomes a NumPy function whose source can be read.

Axes: an array over degrees carries them on its last axis, every other input broadcasts over the
axes before it. `Sum(f(l), (l, 0, L))` becomes a sum over that last axis; an expression in which
the degree `l` is left free has the degrees as its last axis.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.printing.numpy import SciPyPrinter
from sympy.printing.precedence import PRECEDENCE

from fieldtheory.ground.errors import InvalidInput


@dataclass(frozen=True)
class Program:
    """A compiled expression: its name, inputs, source and the function itself.

    Call it with the inputs by name or in order. The keyword `xp` replaces NumPy by another
    module with the same function names. Printing shows the source.

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

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The compiled function."""
        space: dict[str, Any] = {"numpy": numpy}
        exec(compile(self.source, f"<program {self.name}>", "exec"), space)  # our own source only
        found: Callable[..., Any] = space[self.name]
        return found

    def __call__(self, *values: Any, **named: Any) -> Any:
        return self.function(*values, **named)

    def __str__(self) -> str:
        return self.source.rstrip()


def compile_expression(
    name: str, expression: Any, inputs: Iterable[str], doc: str = "", degree: str = "l"
) -> Program:
    """Compile a SymPy expression.

    `inputs` orders the arguments; it must name every free symbol and every array of the
    expression, and no other. Raises `InvalidInput` for anything but a SymPy expression of known
    functions, for a name that is no Python identifier, if a symbol is left unbound, if an input is
    not used, or if a sum runs over something that is not one index.
    """
    inputs = tuple(inputs)
    if not isinstance(expression, sp.Expr):  # a text would have to be evaluated: never
        raise InvalidInput(
            f"compile {name!r}: {expression!r} is no SymPy expression; build one from symbols"
        )
    if odd := [word for word in (name, *inputs) if not word.isidentifier()]:
        raise InvalidInput(f"compile {name!r}: {odd} cannot be names in Python source; rename them")
    if unknown := expression.atoms(AppliedUndef):
        raise InvalidInput(f"compile {name!r}: {unknown} have no numerical meaning; replace them")
    emitter = _Emitter(expression, degree)
    body = list(emitter.lines())
    missing = emitter.names - set(inputs)
    unused = set(inputs) - emitter.names
    if missing or unused:
        raise InvalidInput(
            f"compile {name!r}: unbound symbols {sorted(missing)}, unused inputs {sorted(unused)}; "
            f"the expression needs exactly {sorted(emitter.names)}"
        )
    head = [f"def {name}({', '.join(inputs)}, xp=numpy):"]
    if doc:
        head.append(f'    """{doc}"""')
    source = "\n".join(head + [f"    {line}" for line in body]) + "\n"
    return Program(name, inputs, source)


class _Printer(SciPyPrinter):  # type: ignore[misc]
    """Functions are looked up in `xp`, so the same source serves NumPy and mpmath."""

    def _module_format(self, fqn: str, register: bool = True) -> str:
        return "xp." + fqn.rsplit(".", 1)[-1]

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        if expr.exp.is_Integer and expr.exp < -1:  # x**(-2.0) is slow and not exact in mpmath
            return f"(1/{self.parenthesize(1 / expr, PRECEDENCE['Pow'])})"
        return str(super()._print_Pow(expr, rational))


class _Emitter:
    """Turns one expression into statements: sums first, innermost first, common parts shared."""

    def __init__(self, expression: Any, degree: str) -> None:
        self.expression = expression
        self.degree = sp.Symbol(degree, integer=True)
        self.names: set[str] = set()
        self.sums: dict[Any, Any] = {}  # summand (index renamed to the degree) -> its symbol
        self.levels: list[list[Any]] = []
        self.print = _Printer({"fully_qualified_modules": True}).doprint

    def lines(self) -> Iterator[str]:
        rest = self._without_sums(self.expression)
        free = self.degree in rest.free_symbols
        bare = {s.name for e in (*self.sums, rest) for s in self._scalars(e)}
        arrays = {i.base.label.name for e in (*self.sums, rest) for i in e.atoms(sp.Indexed)}
        self.names = (bare | arrays) - {str(s) for s in self.sums.values()}
        lifted = self._lifted(rest if free else sp.S.Zero)
        for scalar in sorted(lifted & self.names):
            yield f"{scalar}_ = xp.expand_dims({scalar}, -1)"
        for level in self.levels:
            yield from self._level(level, lifted)
        if free:
            rest = self._flat(rest)
        yield from self._shared([rest], ["return {}"], "c")

    def _lifted(self, rest: Any) -> set[str]:
        """Scalars that meet an array over degrees, and so need a last axis of length one."""
        return {s.name for e in (*self.sums, rest) for s in self._scalars(e)}

    def _scalars(self, expression: Any) -> set[Any]:
        labels = {i.base.label for i in expression.atoms(sp.Indexed)}
        return {
            s
            for s in expression.free_symbols
            if isinstance(s, sp.Symbol) and s != self.degree and s not in labels
        }

    def _without_sums(self, expression: Any) -> Any:
        """Replace each sum by a fresh symbol, recording it and the level at which it is known."""
        if not isinstance(expression, sp.Sum):
            if not expression.has(sp.Sum):
                return expression
            return expression.func(*map(self._without_sums, expression.args))
        summand, (index, *_) = expression.function, expression.limits[0]
        if len(expression.limits) != 1:
            raise InvalidInput(f"cannot compile {expression}: nest single sums instead")
        inner = self._without_sums(summand)
        outside = {i for e in inner.atoms(sp.Indexed) for i in e.indices} - {index}
        if outside:
            raise InvalidInput(f"cannot compile {expression}: its terms also depend on {outside}")
        inner = inner.xreplace({index: self.degree})
        if inner not in self.sums:
            known = set(self.sums.values())
            needed = inner.free_symbols & known
            below = [n for n, row in enumerate(self.levels) if {self.sums[s] for s in row} & needed]
            depth = max(below, default=-1) + 1
            self.sums[inner] = sp.Symbol(f"sum{len(self.sums)}", positive=True)
            if depth == len(self.levels):
                self.levels.append([])
            self.levels[depth].append(inner)
        return self.sums[inner]

    def _level(self, level: list[Any], lifted: set[str]) -> Iterator[str]:
        names = [self.sums[summand].name for summand in level]
        targets = [f"{name} = xp.sum({{}}, axis=-1)" for name in names]
        yield from self._shared([self._flat(e) for e in level], targets, "m" + names[0][3:] + "_")
        for name in names:
            if name in lifted:
                yield f"{name}_ = xp.expand_dims({name}, -1)"

    def _flat(self, expression: Any) -> Any:
        """Arrays over degrees become plain names, scalars their lifted names."""
        scalars = {s: sp.Symbol(f"{s.name}_", positive=True) for s in self._scalars(expression)}
        arrays = {
            i: sp.Symbol(i.base.label.name, positive=True) for i in expression.atoms(sp.Indexed)
        }
        return expression.xreplace(arrays | scalars)

    def _shared(self, expressions: list[Any], targets: list[str], prefix: str) -> Iterator[str]:
        fresh = sp.numbered_symbols(prefix, positive=True)
        shared, reduced = sp.cse(expressions, symbols=fresh, order="canonical")
        for symbol, value in shared:
            yield f"{symbol} = {self.print(value)}"
        for target, value in zip(targets, reduced, strict=True):
            yield target.format(self.print(value))
