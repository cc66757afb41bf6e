"""Theory asked for in words: actions and series by name, and a list of diagrams with its sum."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fieldtheory.ground.checks import choice
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import learning
from fieldtheory.theory.action import Action
from fieldtheory.theory.diagram import Diagram

KINDS = 4  # of vertices in one action; their combinations are counted one by one


def named_action(text: str) -> Action:
    """The action of "phi3", "phi4", "phi3+phi4", ...: its couplings are g, or g3 and g4.

    Raises `InvalidInput` for anything else.

    >>> named_action("phi3 + phi4")
    S = phi**2/2 + g3*phi**3/6 + g4*phi**4/24
    """
    shown = repr(text) if len(text) <= 60 else f"{text[:40]!r}... ({len(text)} characters)"
    words = [word.strip() for word in text.split("+")]
    if not all(re.fullmatch(r"phi[1-9][0-9]?", word, re.ASCII) for word in words):
        raise InvalidInput(
            f"action {shown}: give phi3, phi4, phi3+phi4, ...; the text form of an action, "
            "as in phi^2/2 + g*phi^4/4!, arrives in a later version"
        )
    if len(words) > KINDS:
        raise InvalidInput(f"action {shown} has {len(words)} vertices: give at most {KINDS}")
    if len(set(words)) < len(words):
        raise InvalidInput(f"action {shown} names a vertex twice: name each once")
    powers = [int(word.removeprefix("phi")) for word in words]
    first, *others = (Action.phi(k, "g" if len(powers) == 1 else f"g{k}") for k in powers)
    return sum(others, start=first)


SERIES = {"mean": learning.mean, "covariance": learning.covariance, "error": learning.error}


def named_series(quantity: str, order: int = 1) -> learning.Series:
    """The term of that order in 1/eta of "mean", "covariance" or "error" (see `learning`).

    >>> named_series("mean", order=0).expression
    r(x)
    """
    if quantity == "evidence":
        raise InvalidInput(
            f"the evidence arrives in a later version; this one derives {', '.join(SERIES)}"
        )
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

        >>> from fieldtheory.theory.enumeration import diagrams
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
        """Plain data; the sum as "p/q", the ends of lines as numbers, legs -1, -2, ..."""
        numbers: dict[str, Any] = {
            "count": self.count,
            "sum_inverse_symmetry": f"{self.weight.numerator}/{self.weight.denominator}",
        }
        if self.diagrams is None:
            return numbers
        listed = [
            {
                "symmetry": diagram.symmetry,
                "loops": diagram.loops,
                "edges": [[start, end] for start, end, _ in diagram.vertex_edges],
            }
            for diagram in self.diagrams
        ]
        return {**numbers, "diagrams": listed}

    def __str__(self) -> str:
        plural = "" if self.count == 1 else "s"
        head = f"{self.count} diagram{plural}, sum of 1/symmetry {self.weight}"
        if not self.diagrams:
            return head
        rows = [f"{d.symmetry:>8d}  {d.loops:>5d}  {d}" for d in self.diagrams]
        return "\n".join([head, f"{'symmetry':>8s}  {'loops':>5s}  lines", *rows])
