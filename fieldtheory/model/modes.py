"""Modes of a kernel under any measure: eigenvalues, how many modes share each, and the tail."""

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any, Protocol

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured
from fieldtheory.ground.version import __version__

EXCESS = 1e-9  # by which the listed modes may exceed the trace, relative: rounding
SHOWN = 12


class Spectral(Protocol):
    """What the planar theory asks of a kernel: eigenvalues, how many modes share each, the trace,
    what the listed modes leave of it, and a bound on the eigenvalues left out."""

    @property
    def eigenvalues(self) -> Array: ...
    @property
    def counts(self) -> Array: ...
    @property
    def trace(self) -> float: ...
    @property
    def tail(self) -> float: ...
    @property
    def tail_eigenvalue(self) -> float: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, eq=False)
class Modes(Pictured):
    r"""Eigenvalues lam_k of a kernel under a probability measure mu.

    .. math:: \int K(x, y) \phi_k(y) \, d\mu(y) = \lambda_k \phi_k(x), \qquad
              \int \phi_j \phi_k \, d\mu = \delta_{jk}

    eigenvalues     (kinds,) zero or positive
    multiplicities  number of modes that share each, exact whole numbers
    trace           E[K(x, x)]; what the listed modes leave of it is `tail`, a ridge to the others
    labels          what tells the kinds apart: a degree, a wave vector, an index
    errors          (kinds,) a bound on the absolute error of each eigenvalue
    name, measure   of the kernel and of the inputs, for print
    sum_error       a bound on the error of their sum, where it is less than that of `errors`

    Raises `InvalidInput` for negative or non-finite eigenvalues, for lists of different length, and
    if the modes add up to more than the trace.

    >>> modes = Modes.of([0.5, 0.1], multiplicities=[1, 3], trace=1.0)
    >>> round(modes.tail, 12), modes.counts.tolist()
    (0.2, [1.0, 3.0])
    """

    eigenvalues: Array
    multiplicities: tuple[int, ...]
    trace: float
    labels: tuple[str, ...]
    errors: Array
    name: str
    measure: str
    sum_error: float | None = None

    def __post_init__(self) -> None:
        lam = checks.powers("eigenvalues", self.eigenvalues)
        errors = checks.powers("errors", self.errors)
        counts = tuple(checks.count("multiplicity", n, least=1) for n in self.multiplicities)
        lengths = {lam.size, errors.size, len(counts), len(self.labels)}
        if len(lengths) != 1:
            raise InvalidInput(
                f"{lam.size} eigenvalues, {len(counts)} multiplicities, {len(self.labels)} labels, "
                f"{errors.size} errors: give as many of each"
            )
        object.__setattr__(self, "eigenvalues", frozen(lam))
        object.__setattr__(self, "errors", frozen(errors))
        object.__setattr__(self, "multiplicities", counts)
        trace, listed = checks.positive("trace", self.trace), float(self.counts @ lam)
        if listed > trace * (1 + EXCESS) + float(self.counts @ errors):
            raise InvalidInput(
                f"the modes add up to {listed:g}, more than the trace {trace:g}: the kernel is not "
                "positive, or a mode is listed twice"
            )

    @staticmethod
    def of(
        eigenvalues: Any,
        multiplicities: Any = None,
        *,
        trace: float | None = None,
        name: str = "given eigenvalues",
    ) -> "Modes":
        """Modes given as numbers; without `trace` there is no tail."""
        lam = checks.powers("eigenvalues", eigenvalues)
        counts = tuple(multiplicities) if multiplicities is not None else (1,) * lam.size
        total = float(np.dot(lam, [float(n) for n in counts])) if trace is None else trace
        labels = tuple(str(k) for k in range(lam.size))
        return Modes(lam, counts, total, labels, np.zeros_like(lam), name, "any measure")

    @cached_property
    def counts(self) -> Array:
        """The multiplicities as floats."""
        return frozen([float(n) for n in self.multiplicities])

    @cached_property
    def tail(self) -> float:
        """The trace minus the listed modes: the variance of everything not listed."""
        rest = self.trace - float(np.sum(self.counts * self.eigenvalues))
        unsure = float(self.counts @ self.errors) if self.sum_error is None else self.sum_error
        return rest if rest > 8 * np.finfo(float).eps * self.trace + unsure else 0.0

    @cached_property
    def tail_eigenvalue(self) -> float:
        """The smallest eigenvalue listed: no mode of the tail has more, if the list is ordered."""
        return min(float(np.min(self.eigenvalues[self.eigenvalues > 0], initial=np.inf)), self.tail)

    def to_dict(self) -> dict[str, Any]:
        """The modes as plain data; multiplicities, exact, as strings."""
        return {
            "name": self.name,
            "measure": self.measure,
            "eigenvalues": self.eigenvalues.tolist(),
            "errors": self.errors.tolist(),
            "multiplicities": [str(n) for n in self.multiplicities],
            "labels": list(self.labels),
            "tail": self.tail,
            "trace": self.trace,
            "version": __version__,
        }

    def picture(self) -> Picture:
        """Eigenvalue, and multiplicity x eigenvalue, of each kind of mode in the order listed."""
        seen = np.flatnonzero(self.eigenvalues > 0)
        lam, index = self.eigenvalues[seen], seen.astype(float)
        lines: tuple[Line, ...] = (Line("eigenvalue", index, lam, points=True),)
        if max(self.multiplicities) > 1:
            mass = self.counts[seen] * lam
            lines = (Line("multiplicity x eigenvalue", index, mass, points=True), *lines)
        title = f"modes of {self.name} on {self.measure}"
        return Picture(title, "mode", "part of the trace", lines, logarithmic=("y",))

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [("mode", "multiplicity", "eigenvalue", "error")]
        for k in range(min(SHOWN, self.eigenvalues.size)):
            numbers = f"{self.eigenvalues[k]:.10e}", f"{self.errors[k]:.0e}"
            rows.append((self.labels[k], str(self.multiplicities[k]), *numbers))
        return rows

    def _foot(self) -> str:
        hidden = self.eigenvalues.size - SHOWN
        more = f"and {hidden} more; " if hidden > 0 else ""
        return f"{more}trace {self.trace:.10g}, of which in no mode listed {self.tail:.4g}"

    def __str__(self) -> str:
        return "\n".join(
            [f"modes of {self.name} on {self.measure}", *aligned(self._rows()), self._foot()]
        )

    def _repr_html_(self) -> str:
        head, *body = self._rows()
        lines = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body
        )
        top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        title = f"modes of {escape(self.name)} on {escape(self.measure)}"
        return f"<p>{title}</p><table><tr>{top}</tr>{lines}</table><p>{escape(self._foot())}</p>"


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows of cells as lines of columns, flush right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
