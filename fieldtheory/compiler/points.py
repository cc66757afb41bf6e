r"""Programs on finitely many points: the diagrams of a learning series in steps of matrices.

On P points of weight mu nothing is like everything else, but the diagrams still come apart in
series and parallel steps. A place that goes away leaves its weight behind:

- series: f and g meet at z,          h_xy = sum_z f_xz w_z g_zy, a product of matrices;
- parallel: two lines between places, h_xy = f_xy g_xy, entry by entry;
- loop: a line from z to itself,      w_z is multiplied by f_zz;
- dangling: z at the end of a line,   the other end x is multiplied by sum_z f_xz w_z.

w_z starts as mu_z. Equal parts of different diagrams are computed once. Where `angular` needs an
angle, this needs P x P arrays, and P^3 operations for each series step.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

import sympy as sp

from fieldtheory.compiler.program import Program
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.theory.amplitude import background_ends, coupling
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.homogeneous import line_name
from fieldtheory.theory.learning import Series

LEG, TARGET = "x", "target"
PAIR = "R"  # the line between two backgrounds: sum over outputs of r_x r_y


@dataclass(frozen=True)
class Matrix:
    """A function of two places.

    how    "given", "series" or "parallel".
    name   of what is given.
    parts  matrices; in a chain, in order.
    place  in a chain, the weights between neighbours: each a sorted tuple of vectors.

    >>> c = Matrix("given", "C")
    >>> chain(chain(c, (), Matrix("given", "r")), (), c).text
    'C@r@C'
    """

    how: str
    name: str = ""
    parts: tuple[Matrix, ...] = ()
    place: tuple[tuple[Vector, ...], ...] = ()
    text: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        between = ["" if not w else f"[{' '.join(v.text for v in w)}]" for w in self.place]
        mark = "@" if self.how == "series" else "*"
        joints = [f"{mark}{w}" for w in between] or [mark] * (len(self.parts) - 1)
        text = "".join(
            f"{joint}({part.text})" if part.parts else f"{joint}{part.text}"
            for joint, part in zip(["", *joints], self.parts, strict=False)
        )
        object.__setattr__(self, "text", self.name or text)

    @property
    def turned(self) -> Matrix:
        """The transpose. What is given between two points of the measure is symmetric."""
        if self.how == "given":
            return self
        parts = [part.turned for part in self.parts]
        if self.how == "series":
            return Matrix("series", "", tuple(parts[::-1]), self.place[::-1])
        return parallel(parts)


@dataclass(frozen=True)
class Vector:
    """A function of one place: the diagonal of a matrix, or its rows summed with weights."""

    matrix: Matrix
    weights: tuple[Vector, ...] | None = None  # None: the diagonal
    text: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        inner = self.matrix.text
        if self.weights is not None:
            inner = "sum " + " ".join([inner, *(w.text for w in self.weights)])
        object.__setattr__(self, "text", f"<{inner}>")


def chain(one: Matrix, weights: tuple[Vector, ...], other: Matrix) -> Matrix:
    """Two in series, as one flat chain."""
    left = (one.parts, one.place) if one.how == "series" else ((one,), ())
    right = (other.parts, other.place) if other.how == "series" else ((other,), ())
    return Matrix("series", "", left[0] + right[0], (*left[1], weights, *right[1]))


def parallel(matrices: Iterable[Matrix]) -> Matrix:
    """Several entry by entry, flat and sorted."""
    flat = [p for m in matrices for p in (m.parts if m.how == "parallel" else (m,))]
    return Matrix("parallel", "", tuple(sorted(flat, key=lambda m: m.text)))


# -- from a diagram to a matrix -------------------------------------------------------------------


@dataclass
class _Work:
    """A diagram on its way; `step` does the first step that can be done."""

    strands: list[tuple[str, str, Matrix]]
    places: set[str]
    weights: dict[str, list[Vector]]

    def step(self) -> bool:
        return self._loop() or self._dangling() or self._parallel() or self._series()

    def _loop(self) -> bool:
        for strand in self.strands:
            start, end, matrix = strand
            if start == end:
                self.strands.remove(strand)
                self.weights[start] += diagonal(matrix)
                return True
        return False

    def _dangling(self) -> bool:
        ends = Counter(end for strand in self.strands for end in strand[:2])
        for place in sorted(self.places):
            if ends[place] == 1:
                strand, _, matrix = self._towards(place)[0]
                far = strand[0] if strand[1] == place else strand[1]
                self._take(place, [strand])
                self.weights[far].append(Vector(matrix, self._weight(place)))
                return True
        return False

    def _parallel(self) -> bool:
        between: dict[frozenset[str], list[tuple[str, str, Matrix]]] = defaultdict(list)
        for strand in self.strands:
            between[frozenset(strand[:2])].append(strand)
        for together in between.values():
            if len(together) > 1:
                start, end, _ = together[0]
                same = [m if a == start else m.turned for a, _, m in together]
                self.strands = [s for s in self.strands if s not in together]
                self.strands.append((start, end, parallel(same)))
                return True
        return False

    def _series(self) -> bool:
        ends = Counter(end for strand in self.strands for end in strand[:2])
        found = [place for place in sorted(self.places) if ends[place] == 2]
        if not found:
            return False
        place = min(found, key=lambda p: sum(m.how == "parallel" for _, _, m in self._towards(p)))
        (one, start, left), (two, end, right) = self._towards(place)
        joined = chain(left, self._weight(place), right.turned)
        self._take(place, [one, two])
        self.strands.append((start, end, joined))
        return True

    def _towards(self, place: str) -> list[tuple[tuple[str, str, Matrix], str, Matrix]]:
        """The strands at a place: (strand, its far end, its matrix from there to the place)."""
        return [
            (s, s[0], s[2]) if s[1] == place else (s, s[1], s[2].turned)
            for s in self.strands
            if place in s[:2]
        ]

    def _weight(self, place: str) -> tuple[Vector, ...]:
        return tuple(sorted(self.weights[place], key=lambda v: v.text))

    def _take(self, place: str, strands: list[tuple[str, str, Matrix]]) -> None:
        self.places.remove(place)
        for strand in strands:
            self.strands.remove(strand)


def diagonal(matrix: Matrix) -> list[Vector]:
    """A matrix at equal places: a product over parallel lines."""
    if matrix.how == "parallel":
        return [vector for part in matrix.parts for vector in diagonal(part)]
    turned = matrix.turned
    return [Vector(min(matrix, turned, key=lambda m: m.text))]


def reduce(diagram: Diagram) -> Matrix:
    """A diagram of the mean (from the leg to the target) or with two legs (from one to the other),
    couplings and symmetry left out.

    Raises OutOfRegime for what does not come apart; through order 3 everything does.

    >>> from fieldtheory.theory import learning
    >>> print(reduce(learning.mean(order=1).diagrams[0]).text)
    C@[<C>]r
    """
    legs, ends = len(diagram.legs), background_ends(diagram)

    def place(end: int) -> str:
        return f"z{end + 1}" if end >= 0 else f"{LEG}{-end}"

    strands = [
        (place(a), place(b), Matrix("given", line_name(diagram, name)[0]))
        for a, b, name in diagram.vertex_edges
    ]
    if len(ends) == 2:
        strands.append((place(ends[0][0]), place(ends[1][0]), Matrix("given", PAIR)))
    elif ends:
        strands.append((place(ends[0][0]), TARGET, Matrix("given", ends[0][1])))
    start, end = place(-1), place(-2) if legs == 2 else TARGET
    places = {place(v) for v in range(len(diagram.vertices))}
    work = _Work(strands, places, defaultdict(list))
    while work.step():
        pass
    if work.places or len(work.strands) != 1 or set(work.strands[0][:2]) != {start, end}:
        raise OutOfRegime(
            f"diagram {diagram!r} does not come apart in series and parallel steps from one end to "
            "the other: evaluate it as a tensor contraction (compiler.plan.evaluate)"
        )
    (found,) = work.strands
    return found[2] if found[0] == start else found[2].turned


# -- from matrices to a program -------------------------------------------------------------------


class _Writer:
    """Lines of source; each part is computed once, just before its first use."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, str] = {}
        self.counts: Counter[str] = Counter()

    def matrix(self, matrix: Matrix) -> str:
        """The name of a matrix; its transpose is not computed again."""
        if matrix.how == "given":
            return matrix.name
        turned = matrix.turned
        if turned.text < matrix.text and self._square(matrix):
            return f"xp.swapaxes({self.matrix(turned)}, -1, -2)"
        if matrix.how == "parallel":
            return self._named(matrix.text, "m", " * ".join(map(self.matrix, matrix.parts)))
        return self._chain(matrix)

    def vector(self, vector: Vector) -> str:
        """The name of a vector."""
        inner = self.matrix(vector.matrix)
        if vector.weights is None:
            return self._named(vector.text, "d", f"xp.diagonal({inner}, axis1=-2, axis2=-1)")
        weighted = f"{inner} * xp.expand_dims({self._weight(vector.weights)}, -2)"
        return self._named(vector.text, "d", f"xp.sum({weighted}, axis=-1)")

    def total(self, numbers: dict[Matrix, Fraction]) -> str:
        """The name of a sum of matrices; one and its transpose are two terms."""
        terms = []
        for matrix, number in numbers.items():
            size = "" if abs(number) == 1 else f"{abs(number)} * "
            terms.append(f"{'-' if number < 0 else '+'} {size}{self.matrix(matrix)}")
        return self._named(" ".join(terms), "sum", " ".join(terms).removeprefix("+ "))

    def _chain(self, matrix: Matrix) -> str:
        """A chain from the right, so that one that ends at the target stays narrow; else from the
        left."""
        *start, last = matrix.parts
        *places, weight = matrix.place
        if self._square(matrix):
            one = start[0] if len(start) == 1 else Matrix("series", "", tuple(start), tuple(places))
            left, right = self.matrix(one), self.matrix(last)
        else:
            rest, weight = matrix.parts[1:], matrix.place[0]
            other = rest[0] if len(rest) == 1 else Matrix("series", "", rest, matrix.place[1:])
            left, right = self.matrix(matrix.parts[0]), self.matrix(other)
        weighted = f"{left} * xp.expand_dims({self._weight(weight)}, -2)"
        return self._named(matrix.text, "m", f"xp.matmul({weighted}, {right})")

    def _weight(self, vectors: tuple[Vector, ...]) -> str:
        if not vectors:
            return "mu"
        text = " ".join(v.text for v in vectors)
        return self._named(f"mu {text}", "w", " * ".join(["mu", *map(self.vector, vectors)]))

    def _square(self, matrix: Matrix) -> bool:
        ends = matrix.parts or (matrix,)
        return all(self._square(part) for part in ends) if matrix.parts else matrix.name != "r"

    def _named(self, key: str, letter: str, value: str) -> str:
        if key not in self.names:
            name = f"{letter}{self.counts[letter]}"
            self.counts[letter] += 1
            self.names[key] = name
            self.lines.append(f"{name} = {value}")
        return self.names[key]


def program(name: str, series: Series) -> tuple[Program, int]:
    """A series of connected diagrams as a program, and how many P x P arrays it holds at once.

    Inputs: C, the propagator; R = sum over outputs of r_x r_y, or r, the background (points,
    outputs), for the mean; mu, the weights; eta; s2; and v, the variance of the labels' noise. Axes
    before the points are batches. The result is (points, outputs) for the mean, else (points,
    points).

    >>> from fieldtheory.theory import learning
    >>> print(program("mean_1", learning.mean(order=1))[0])
    def mean_1(C, r, mu, eta, s2, xp=numpy):
        \"\"\"Derived: mean, order 1 in 1/eta, on points.\"\"\"
        d0 = xp.diagonal(C, axis1=-2, axis2=-1)
        w0 = mu * d0
        m0 = xp.matmul(C * xp.expand_dims(w0, -2), r)
        sum0 = m0
        return xp.expand_dims(xp.expand_dims(eta/s2**2, -1), -1) * sum0
    """
    gathered: dict[sp.Expr, dict[Matrix, Fraction]] = {}
    for term in series.terms:
        value = term.factor * term.weight * coupling(term.diagram) / term.symmetry
        number, front = value.as_coeff_Mul()
        matrix, amount = reduce(term.diagram), Fraction(int(number.p), int(number.q))
        group = gathered.setdefault(front, {})
        group[matrix] = group.get(matrix, Fraction(0)) + amount
    writer = _Writer()
    terms = []
    for front, numbers in gathered.items():
        whole = writer.total(numbers)
        terms.append(f"xp.expand_dims(xp.expand_dims({front}, -1), -1) * {whole}")
    mean = series.quantity == "mean"
    lines = [*writer.lines, f"return {' + '.join(terms)}"]
    text = "\n".join(lines)
    known = ("C", "r" if mean else PAIR, "mu", "eta", "s2", "v")
    inputs = tuple(one for one in known if any(one in _words(line) for line in lines))
    title = f"{series.quantity}, order {series.order} in 1/eta, on points"
    head = f'def {name}({", ".join(inputs)}, xp=numpy):\n    """Derived: {title}."""\n'
    source = head + "\n".join(f"    {line}" for line in text.split("\n")) + "\n"
    held = writer.counts["m"] + writer.counts["sum"]
    return Program(name, inputs, source), held


def _words(line: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in line).split())
