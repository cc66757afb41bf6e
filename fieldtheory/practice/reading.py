"""Strict readers of single values: what is expected is said, and nothing is coerced."""

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from json import dumps
from math import isfinite
from typing import Any, NoReturn

from fieldtheory.ground.errors import InvalidInput

MOST = 10**15  # whole numbers up to here are exact in float64


@dataclass(frozen=True)
class Kind:
    """A kind of value: its name, and `read`, which returns it clean or raises `InvalidInput`.

    `raw` turns the text of a flag into what a file would hold; left out, it is read as TOML.

    >>> whole(1).read(4), number().read(2)
    (4, 2.0)
    >>> whole(1).read("4")
    Traceback (most recent call last):
    fieldtheory.ground.errors.InvalidInput: expected a whole number, at least 1, got "4"
    """

    name: str
    read: Callable[[object], Any]
    raw: Callable[[str], object] | None = None

    def from_flag(self, given: str) -> Any:
        """The raw value a flag's text stands for: text as it is, anything else as TOML writes it.

        A list may leave out its brackets, and the quotes of its texts.

        >>> list_of(whole(1)).from_flag("100,400"), text().from_flag("x0 + x1")
        ([100, 400], 'x0 + x1')
        """
        return self.raw(given) if self.raw else as_toml(given, self.name)


def as_toml(given: str, name: str, many: bool = False) -> Any:
    """The value that `given` stands for in a TOML file; `many` adds the brackets of a list."""
    plain = re.sub(
        r"(?<![\w.])\.(?=\d)", "0.", given.strip()
    )  # .5 is no TOML, but what people type
    try:
        table = tomllib.loads(
            f"value = [{plain}]" if many and not plain.startswith("[") else f"value = {plain}"
        )
    except (ValueError, RecursionError):
        table = {}
    if set(table) != {"value"}:
        refuse(f"a {name}", given)
    return table["value"]


def refuse(expected: str, value: object, hint: str = "") -> NoReturn:
    """Raise the one sentence every fault is."""
    raise InvalidInput(f"expected {expected}, got {shown(value)}{hint}")


def shown(value: object) -> str:
    """A value as TOML would write it, cut to sixty characters."""
    try:
        written = dumps(value) if isinstance(value, bool | str) else str(value)
    except ValueError:  # Python writes no number of more than 4300 digits
        return "a number of thousands of digits"
    return written if len(written) <= 60 else written[:57] + "..."


def whole(least: int, most: int = MOST) -> Kind:
    """A whole number between bounds; 4.0 is not one, true is not one."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            refuse(f"a whole number, at least {least}", value)
        if value > most:
            refuse(f"a whole number, at most {most}", value)
        return value

    return Kind("whole number", read)


def number(*, above: bool = False, among: Sequence[float] = (), signed: bool = False) -> Kind:
    """A finite number: zero or positive, above zero, one of a few, or of any sign."""
    expected = "a number above zero" if above else "a number, zero or positive"
    if signed:
        expected = "a finite number"
    if among:
        expected = f"one of {', '.join(map(str, among))}"

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            refuse(expected, value)
        if isinstance(value, int) and abs(value) > MOST:
            refuse(f"{expected}; a whole one at most {MOST}", value)
        clean = float(value)
        if not isfinite(clean) or (clean < 0 and not signed) or (above and clean == 0):
            refuse(expected, value)
        if among and clean not in among:
            refuse(expected, value)
        return clean

    return Kind("number", read)


def text(choices: Sequence[str] = ()) -> Kind:
    """Text; if there are choices, one of them."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            refuse(f"one of {', '.join(choices)}" if choices else "text in quotes", value)
        if choices and value not in choices:
            near = get_close_matches(value, choices, n=1)
            hint = f", did you mean {dumps(near[0])}?" if near else ""
            refuse(f"one of {', '.join(choices)}", value, hint)
        return value

    return Kind("text", read, str)


def switch() -> Kind:
    """True or false, without quotes."""

    def read(value: object) -> bool:
        if not isinstance(value, bool):
            refuse("true or false, without quotes", value)
        return value

    def raw(given: str) -> bool:
        if given.strip() not in ("true", "false"):
            refuse("true or false", given)
        return given.strip() == "true"

    return Kind("boolean", read, raw)


def one_or_each(kind: Kind) -> Kind:
    """One value, or a list with one for each layer.

    >>> layers = one_or_each(number())
    >>> layers.read(layers.from_flag("2")), layers.read(layers.from_flag("2,1.5"))
    (2.0, (2.0, 1.5))
    """
    each, name = list_of(kind), f"{kind.name} or list of {kind.name}s"

    def read(value: object) -> Any:
        return each.read(value) if isinstance(value, list | tuple) else kind.read(value)

    return Kind(name, read, lambda given: as_toml(given, name, many="," in given))


def list_of(kind: Kind) -> Kind:
    """A list of at least one value of a kind."""

    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not value:
            refuse(f"a list of at least one {kind.name}", value)
        clean = []
        for place, entry in enumerate(value):
            try:
                clean.append(kind.read(entry))
            except InvalidInput as error:
                raise InvalidInput(f"entry {place}: {error}") from None
        return tuple(clean)

    name = f"list of {kind.name}s"

    def raw(given: str) -> object:
        if kind.raw is str and not given.strip().startswith("["):
            return [part.strip() for part in given.split(",")]
        return as_toml(given, name, many=True)

    return Kind(name, read, raw)


def interval(kind: Kind) -> Kind:
    """A pair [from, to], in order."""

    def read(value: object) -> tuple[Any, Any]:
        pair = list_of(kind).read(value)
        if len(pair) != 2 or pair[0] > pair[1]:
            refuse(f"two {kind.name}s [from, to] in order", value)
        return pair[0], pair[1]

    name = f"pair of {kind.name}s"
    return Kind(name, read, lambda given: as_toml(given, name, many=True))
