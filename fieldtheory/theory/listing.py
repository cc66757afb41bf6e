"""Theory asked for in words: actions and series by name, and a list of diagrams with its sum."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from fieldtheory.ground.checks import choice
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import gallery, learning, replica
from fieldtheory.theory.action import Action
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.enumeration import diagrams

EXAMPLES = (
    "phi3, phi4, phi3+phi4, on4 (the O(n) model) or the text form, as in phi^2/2 + g*phi^4/4!"
)


def named_action(text: str, fields: Iterable[str] | None = None) -> Action:
    """The action of "phi4" (coupling g), "phi3+phi4" (g3 and g4), "on4" (the O(n) model), ..., or
    of the text form; `fields` then says which further names are fields (see `spelling`).

    Raises `InvalidInput` for anything else.

    >>> named_action("phi3 + phi4")
    S = phi**2/2 + g3*phi**3/6 + g4*phi**4/24
    >>> named_action("phi^2/2 + g*phi^4/4! + j*phi")
    S = phi**2/2 + j*phi + g*phi**4/24
    """
    words = [word.strip() for word in text.split("+")]
    if re.fullmatch(r"on[1-9][0-9]?", text.strip(), re.ASCII):
        return Action.o_n(int(text.strip().removeprefix("on")))
    if not all(re.fullmatch(r"phi[1-9][0-9]?", word, re.ASCII) for word in words):
        if all(re.fullmatch(r"\w*", word) for word in words):
            raise InvalidInput(f"action {_shown(text)}: give {EXAMPLES}")
        return Action.read(text, None if fields is None else tuple(fields))
    if len(set(words)) < len(words):
        raise InvalidInput(f"action {_shown(text)} names a vertex twice: name each once")
    powers = [int(word.removeprefix("phi")) for word in words]
    first, *others = (Action.phi(k, "g" if len(powers) == 1 else f"g{k}") for k in powers)
    return sum(others, start=first)


def listed(
    action: str,
    legs: str = "2",
    order: str | None = None,
    *,
    fields: str | None = None,
    most: int = 40,
    **kinds: Any,
) -> Iterator[Diagram]:
    """The diagrams of an action, legs and orders written in words; `kinds` as in `diagrams`.

    most  the largest number of legs, and the highest order, that may be asked for.

    >>> [diagram.symmetry for diagram in listed("phi4", "phi,phi", "g=1", connected=True)]
    [2]
    """
    names = None if fields is None else [name.strip() for name in fields.split(",")]
    return diagrams(
        named_action(action, names),
        written_legs(legs, most),
        order=None if order is None else written_order(order, most),
        **kinds,
    )


def written_legs(text: str, most: int) -> int | tuple[str, ...]:
    """External legs as people write them: how many, or their names; `most` of them at most.

    >>> written_legs("2", 40), written_legs("psi, psi_bar", 40)
    (2, ('psi', 'psi_bar'))
    """
    names = tuple(word.strip() for word in text.split(","))
    advice = f"give a whole number from 0 to {most}, or names of fields as in phi,phi"
    if len(names) == 1 and not names[0].isidentifier():
        return _whole("legs", text, most, advice)
    if len(names) > most or not all(name.isidentifier() for name in names):
        raise InvalidInput(f"legs {_shown(text)}: {advice}")
    return names


def written_order(text: str, most: int) -> int | dict[str, int]:
    """An order as people write it: a number, or one for each coupling.

    >>> written_order("2", 40), written_order("g=2,h=1", 40)
    (2, {'g': 2, 'h': 1})
    """
    advice = f"give a whole number from 0 to {most}, or one for each coupling as in g=2,h=1"
    if "=" not in text:
        return _whole("order", text, most, advice)
    orders: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = (word.strip() for word in part.partition("="))
        if not name.isidentifier() or name in orders:
            raise InvalidInput(f"order {_shown(text)}: {advice}")
        orders[name] = _whole("order", number, most, advice)
    return orders


def _whole(name: str, text: str, most: int, advice: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text.strip(), re.ASCII) or int(text) > most:
        raise InvalidInput(f"{name} {_shown(text)}: {advice}")
    return int(text)


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:40]!r}... ({len(text)} characters)"


SERIES = {
    "mean": learning.mean,
    "covariance": learning.covariance,
    "error": learning.error,
    "label-noise": learning.label_noise,
    "posterior-variance": learning.posterior_variance,
    "evidence": learning.evidence,
}


def named_series(quantity: str, order: int = 1) -> learning.Series:
    """The term of that order in 1/eta of a quantity of `learning`, by its name in `SERIES`.

    >>> named_series("mean", order=0).expression
    r(x)
    """
    return SERIES[choice("quantity", quantity, SERIES)](order)


@dataclass(frozen=True)
class Listing:
    """Diagrams counted: how many, the sum of 1/symmetry, and the diagrams unless left out."""

    count: int
    weight: Fraction
    diagrams: tuple[Diagram, ...] | None

    @staticmethod
    def of(found: Iterable[Diagram], keep: bool = True) -> Listing:
        """Count diagrams as they come; without `keep` none is held in memory.

        >>> Listing.of(diagrams(Action.phi(4), order=2, connected=True), keep=False)
        Listing(count=3, weight=Fraction(2, 3), diagrams=None)
        """
        count, weight, kept = 0, Fraction(0), []
        for diagram in found:
            count, weight = count + 1, weight + Fraction(1, diagram.symmetry)
            if keep:
                kept.append(diagram)
        return Listing(count, weight, tuple(kept) if keep else None)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; the sum as "p/q", the ends of lines as numbers, legs -1, -2, ...

        `fields` names the lines (of a complex field: its leg at the first end), `couplings` the
        rules of vertices 0, 1, ..., `replica_weight` the polynomial in the number of replicas or
        colours where the fields carry such an index.
        """
        numbers: dict[str, Any] = {
            "count": self.count,
            "sum_inverse_symmetry": f"{self.weight.numerator}/{self.weight.denominator}",
        }
        if self.diagrams is None:
            return numbers
        return {**numbers, "diagrams": [_entry(diagram) for diagram in self.diagrams]}

    def __str__(self) -> str:
        plural = "" if self.count == 1 else "s"
        head = f"{self.count} diagram{plural}, sum of 1/symmetry {self.weight}"
        if not self.diagrams:
            return head
        indices = ["indices", *map(_indices, self.diagrams)]
        width = max(map(len, indices)) if any(indices[1:]) else 0
        column = [f"{entry:>{width}s}  " if width else "" for entry in indices]
        rows = [f"{'symmetry':>8s}  {'loops':>5s}  {column[0]}lines"]
        rows += [
            f"{d.symmetry:>8d}  {d.loops:>5d}  {entry}{_lines(d)}"
            for d, entry in zip(self.diagrams, column[1:], strict=True)
        ]
        return "\n".join([head, *rows])


def drawn(diagrams: Sequence[Diagram]) -> str:
    """The diagrams as one SVG, below each its weight: index sums over symmetry.

    >>> "n^2/4" in drawn(list(listed("on4", order="2", connected=True)))
    True
    """
    weights = [gallery.weight(one.symmetry, _indices(one) or "1") for one in diagrams]
    return gallery.sheet(diagrams, weights)


def _entry(diagram: Diagram) -> dict[str, Any]:
    entry = {
        "symmetry": diagram.symmetry,
        "loops": diagram.loops,
        "edges": [[start, end] for start, end, _ in diagram.vertex_edges],
        "fields": [edge.field for edge in diagram.edges],
        "couplings": [_written(vertex.coupling) for vertex in diagram.vertices],
    }
    indices = _indices(diagram)
    return {**entry, "replica_weight": indices} if indices else entry


def _indices(diagram: Diagram) -> str:
    """The polynomial in the number of replicas or colours; nothing where no field has an index."""
    if all(field.index is None for field in diagram.fields):
        return ""
    return _written(replica.weight(diagram))


@lru_cache(maxsize=1000)
def _written(expression: Any) -> str:
    """Few expressions occur, in very many diagrams."""
    return str(expression)


def _lines(diagram: Diagram) -> str:
    """The lines; those of each kind together where there are several kinds, each from its first
    leg to its second: psi z1-z2 has its psi at z1 and its psi_bar at z2."""
    kinds: dict[str, list[str]] = {}
    for a, b, seen in diagram.edges:
        back = diagram.back(seen)
        a, b, seen = (a, b, seen) if seen <= back else (b, a, back)
        kinds.setdefault(seen, []).append(f"{diagram.place(a)}-{diagram.place(b)}")
    if len(kinds) < 2 and all(field.conjugate is None for field in diagram.fields):
        return str(diagram)
    return "; ".join(f"{name} {' '.join(kinds[name])}" for name in sorted(kinds))
