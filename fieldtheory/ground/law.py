"""A law is data: a formula we quote rather than derive, beside its symbols, regime and source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fieldtheory.ground.errors import InvalidInput


@dataclass(frozen=True)
class Reference:
    """Where a formula was printed."""

    text: str
    url: str
    equation: str = ""

    def __str__(self) -> str:
        return ", ".join(part for part in (self.text, self.equation, self.url) if part)


@dataclass(frozen=True, eq=False)
class Law:
    """A quoted formula.

    `write` builds the SymPy statement when it is first asked for, so that naming a law (as every
    result does) costs no import of SymPy. Reading `statement` checks that each of its free symbols
    is named in `symbols`, and raises `InvalidInput` if one is not.
    """

    name: str
    write: Callable[[], Any]
    symbols: Mapping[str, str]
    holds: str
    source: Reference
    errata: str = ""

    @cached_property
    def statement(self) -> Any:
        """The formula as a SymPy expression or equation."""
        formula = self.write()
        unnamed = {str(symbol) for symbol in formula.free_symbols} - set(self.symbols)
        if unnamed:
            raise InvalidInput(
                f"law {self.name!r} does not say what {', '.join(sorted(unnamed))} mean: "
                "add them to its symbols"
            )
        return formula

    def __str__(self) -> str:
        return f"{self.name} ({self.source.text}); holds for {self.holds}"
