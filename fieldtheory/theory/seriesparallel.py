r"""Series-parallel reduction: diagrams whose places go away one after the other.

On a homogeneous space a two-point function f(x, y) depends on how far x and y lie apart alone, and
two descriptions of it are complete: a coefficient f_l per degree, and its values f(t) as a function
of the angle. Every step below is a product in one of the two:

- series: a place with two lines joins them, f@g, the coefficients multiply (a convolution);
- parallel: two lines between the same places are one, f*g, the functions multiply;
- loop: a line from a place to itself is the number  loop[f] = sum_l deg(l) f_l = f(1);
- dangling: a place with one line gives the number  mean[f] = f_0, the average over the angle.

What is left when no place can go is not series-parallel: it holds four places joined each with
each (Duffin 1965, J. Math. Anal. Appl. 10, 303).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from fieldtheory.ground.errors import OutOfRegime

GIVEN, SERIES, PARALLEL = "given", "@", "*"


@dataclass(frozen=True)
class Line:
    """A two-point function: given by its name, or several in series ("@") or parallel ("*").

    Parts are flat and sorted, so that equal functions are equal values.

    >>> c, r = Line.given("C"), Line.given("r")
    >>> print(Line.joined("*", [r, Line.joined("@", [c, c])]))
    C@C*r
    """

    how: str
    name: str = ""
    parts: tuple[Line, ...] = ()

    @classmethod
    def given(cls, name: str) -> Line:
        """A function known by its name."""
        return cls(GIVEN, name)

    @classmethod
    def joined(cls, how: str, lines: Iterable[Line]) -> Line:
        """Several lines as one; one line is itself."""
        flat = [p for line in lines for p in (line.parts if line.how == how else (line,))]
        return flat[0] if len(flat) == 1 else cls(how, "", tuple(sorted(flat, key=str)))

    @cached_property
    def text(self) -> str:
        """In the notation of the head of this file; a convolution binds closer."""
        if self.how == GIVEN:
            return self.name
        return self.how.join(
            f"({part})" if self.how == SERIES and part.how == PARALLEL else str(part)
            for part in self.parts
        )

    @cached_property
    def height(self) -> int:
        """How many quadratures lie one within another."""
        below = max((part.height for part in self.parts), default=0)
        return below + (self.how == PARALLEL)

    @property
    def given_names(self) -> frozenset[str]:
        """The names it is made of."""
        if self.how == GIVEN:
            return frozenset({self.name})
        return frozenset().union(*(part.given_names for part in self.parts))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Number:
    """loop[line], its value at equal points, or mean[line], its average over the angle."""

    how: str
    line: Line

    def __str__(self) -> str:
        return f"{self.how}[{self.line}]"


class Strand(NamedTuple):
    """A line of the graph that is being reduced, between two places."""

    start: str
    end: str
    line: Line


@dataclass(frozen=True)
class Reduction:
    """What a diagram reduces to: a product of numbers, times a two-point function between the two
    terminals if there are any.

    steps  what was done, in order, in words.
    """

    numbers: tuple[Number, ...]
    line: Line | None
    steps: tuple[str, ...]

    def __str__(self) -> str:
        factors = [*map(str, self.numbers), *([str(self.line)] if self.line else [])]
        return " . ".join(factors) or "1"


def reduced(
    strands: Iterable[Strand], places: Iterable[str], terminals: tuple[str, ...], subject: str
) -> Reduction:
    """Reduce a graph whose `places` are integrated over; the two `terminals`, if any, stay.

    Raises OutOfRegime, naming the `subject`, when what is left is not series-parallel.
    """
    work = _Work(list(strands), set(places), terminals)
    while work.step():
        pass
    ends = set(terminals)
    done = not work.places and all({s.start, s.end} == ends for s in work.strands)
    if not done:
        left = ", ".join(f"{s.start}-{s.end} {s.line}" for s in work.strands)
        raise OutOfRegime(
            f"{subject} does not reduce by series and parallel steps: what is left is {left}. "
            "Evaluate it on a finite measure (compiler.plan.evaluate), where every diagram is a "
            "tensor contraction, or leave it out and say so"
        )
    line = Line.joined(PARALLEL, (s.line for s in work.strands)) if work.strands else None
    return Reduction(tuple(sorted(work.numbers, key=str)), line, tuple(work.steps))


class _Work:
    """The graph on its way; `step` does the first step that can be done."""

    def __init__(self, strands: list[Strand], places: set[str], terminals: tuple[str, ...]) -> None:
        self.strands, self.places, self.terminals = strands, places, terminals
        self.numbers: list[Number] = []
        self.steps: list[str] = []

    def step(self) -> bool:
        return self._parallel() or self._loop() or self._dangling() or self._series()

    def _parallel(self) -> bool:
        between: dict[frozenset[str], list[Strand]] = {}
        for strand in self.strands:
            if strand.start != strand.end:
                between.setdefault(frozenset(strand[:2]), []).append(strand)
        for together in between.values():
            if len(together) > 1:
                line = Line.joined(PARALLEL, (s.line for s in together))
                start, end, _ = together[0]
                self._replace(together, Strand(start, end, line))
                self.steps.append(f"{start}-{end}: {len(together)} lines in parallel, {line}")
                return True
        return False

    def _loop(self) -> bool:
        for strand in self.strands:
            if strand.start == strand.end:
                self._replace([strand])
                self._count(strand.start, closed(strand.line))
                return True
        return False

    def _dangling(self) -> bool:
        """A place without lines, whose integral is one, or with a single one."""
        ends = self._ends()
        for place in sorted(self.places, key=str):
            if ends[place] <= 1:
                self.places.remove(place)
                for strand in self._at(place):
                    self._replace([strand])
                    self._count(place, averaged(strand.line))
                return True
        return False

    def _series(self) -> bool:
        """The place with two lines where the fewest quadratures meet."""
        ends = self._ends()
        found = [place for place in sorted(self.places, key=str) if ends[place] == 2]
        if not found:
            return False

        def quadratures(place: str) -> int:
            return sum(strand.line.how == PARALLEL for strand in self._at(place))

        place = min(found, key=quadratures)
        one, two = self._at(place)
        start = one.end if one.start == place else one.start
        end = two.end if two.start == place else two.start
        line = Line.joined(SERIES, (one.line, two.line))
        self.places.remove(place)
        self._replace([one, two], Strand(start, end, line))
        self.steps.append(f"{place}: two lines in series, {line}")
        return True

    def _count(self, place: str, numbers: tuple[Number, ...]) -> None:
        self.numbers += numbers
        self.steps.append(f"{place}: the number {' . '.join(map(str, numbers))}")

    def _ends(self) -> Counter[str]:
        return Counter(end for strand in self.strands for end in strand[:2])

    def _at(self, place: str) -> list[Strand]:
        return [strand for strand in self.strands if place in strand[:2]]

    def _replace(self, old: list[Strand], *new: Strand) -> None:
        gone = {id(strand) for strand in old}
        self.strands = [s for s in self.strands if id(s) not in gone] + list(new)


def closed(line: Line) -> tuple[Number, ...]:
    """A line's value at equal points: a product over parallel lines. A convolution that holds a
    product of functions is closed there instead, as an average over the angle: f@g closed is the
    mean of f*g, which saves a quadrature for every degree.

    >>> c = Line.given("C")
    >>> print(*closed(Line.joined("@", [Line.joined("*", [c, c]), c])))
    mean[C*C*C]
    """
    if line.how == PARALLEL:
        return tuple(number for part in line.parts for number in closed(part))
    inner = next((part for part in line.parts if part.how == PARALLEL), None)
    if inner is None:
        return (Number("loop", line),)
    rest = list(line.parts)
    rest.remove(inner)
    return averaged(Line.joined(PARALLEL, [inner, Line.joined(SERIES, rest)]))


def averaged(line: Line) -> tuple[Number, ...]:
    """A line's average over one of its ends: a product over lines in series. The mean of a product
    of two functions is a sum over degrees, which needs no quadrature.

    >>> c = Line.given("C")
    >>> print(*averaged(Line.joined("@", [c, c])), *averaged(Line.joined("*", [c, c])))
    mean[C] mean[C] loop[C@C]
    """
    if line.how == SERIES:
        return tuple(number for part in line.parts for number in averaged(part))
    if line.how == PARALLEL and len(line.parts) == 2:
        return closed(Line.joined(SERIES, line.parts))
    return (Number("mean", line),)
