"""A predicted learning curve: the numbers, their error estimate, and the laws they rest on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.law import Law
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured
from fieldtheory.ground.version import __version__


@dataclass(frozen=True, eq=False)
class LearningCurve(Pictured):
    """Mean squared test error against the number of samples.

    samples      (sizes,) N
    bias         (sizes, degrees) error of the mean predictor, per harmonic degree
    variance     (sizes, degrees) variance over datasets (and label noise), per harmonic degree
    uncertainty  (sizes,) estimate of the error of the prediction itself, same unit
    learnability (sizes, degrees) fraction of each degree that is learnt, L_l
    kappa        (sizes,) effective ridge per sample
    label        of the curve in a picture; the method unless given
    regime       in words: where the method holds, and how far this question is from its edge
    parts        what each column of the above is; "degree 0", "degree 1", ... unless given
    uncertainties  what `uncertainty` is made of, by name, (sizes,) each
    orders       (clusters, sizes) error with diagrams of 1, 2, ... samples at a time; of the method
                 "crossing" alone
    observables  what else the theory says, by name, (sizes,) each: posterior variance, effective
                 dimension, train error, log evidence

    The errors are clean: the noise of the test label is not counted. Of several outputs they are
    the sum.
    """

    samples: Array
    mode_bias: Array
    mode_variance: Array
    uncertainty: Array
    learnability: Array
    kappa: Array
    method: str
    regime: str
    question: str
    laws: tuple[Law, ...]
    label: str = ""
    parts: tuple[str, ...] = ()
    uncertainties: Mapping[str, Array] = field(default_factory=dict)
    orders: Array | None = None
    observables: Mapping[str, Array] = field(default_factory=dict)
    version: str = __version__

    def __post_init__(self) -> None:
        shape = (self.samples.size, self.mode_bias.shape[-1])
        arrays = ("samples", "mode_bias", "mode_variance", "uncertainty", "learnability", "kappa")
        for name in arrays:
            array = frozen(getattr(self, name))
            if array.shape != (shape if array.ndim == 2 else shape[:1]):
                raise InvalidInput(f"{name} has shape {array.shape}, expected {shape}")
            if not np.all(np.isfinite(array)):
                raise InvalidInput(f"{name} is not finite: the method {self.method} broke down")
            object.__setattr__(self, name, array)
        for name in ("uncertainties", "observables"):
            given = {key: frozen(values) for key, values in getattr(self, name).items()}
            for key, array in given.items():
                if array.shape != shape[:1] or not np.all(np.isfinite(array)):
                    raise InvalidInput(f"{name}: {key!r} is not one finite number for each size")
            object.__setattr__(self, name, given)
        named = self.parts or tuple(f"degree {l}" for l in range(shape[1]))
        if len(named) != shape[1]:
            raise InvalidInput(f"{len(named)} parts for {shape[1]} columns: name each")
        object.__setattr__(self, "parts", named)
        if self.orders is not None:
            object.__setattr__(self, "orders", frozen(self.orders))

    @property
    def per_degree(self) -> Array:
        """(sizes, degrees) the error that each harmonic degree carries; it sums to `error`."""
        return self.mode_bias + self.mode_variance

    @property
    def bias(self) -> Array:
        """(sizes,) error of the mean predictor."""
        return self._total(self.mode_bias)

    @property
    def variance(self) -> Array:
        """(sizes,) variance over datasets and label noise."""
        return self._total(self.mode_variance)

    @property
    def error(self) -> Array:
        """(sizes,) mean squared test error."""
        return self._total(self.per_degree)

    def _total(self, parts: Array) -> Array:
        total: Array = np.sum(parts, axis=-1)
        return total

    def to_dict(self) -> dict[str, Any]:
        """The curve as plain data."""
        return {
            "samples": [int(n) for n in self.samples],
            "error": self.error.tolist(),
            "uncertainty": self.uncertainty.tolist(),
            "bias": self.bias.tolist(),
            "variance": self.variance.tolist(),
            "method": self.method,
            "regime": self.regime,
            "uncertainties": {name: array.tolist() for name, array in self.uncertainties.items()},
            "orders": None if self.orders is None else self.orders.tolist(),
            "parts": list(self.parts),
            "per_degree": self.per_degree.tolist(),
            "learnability": self.learnability.tolist(),
            **{name: array.tolist() for name, array in self.observables.items()},
            "question": self.question,
            "laws": [law.name for law in self.laws],
            "version": self.version,
        }

    def picture(self) -> Picture:
        """The curve as a picture, with its own uncertainty as a band."""
        line = Line(self.label or self.method, self.samples, self.error, spread=self.uncertainty)
        return Picture(
            title=self.question,
            x="samples",
            y="mean squared test error",
            lines=(line,),
            logarithmic=("x", "y"),
        )

    def learning(self) -> Picture:
        """What has been learnt by N samples: the error that each part carries, over its power."""
        return Picture(
            title=self.question,
            x="samples",
            y="share of each part that is not learnt",
            lines=tuple(
                Line(self.parts[l], self.samples, (1 - self.learnability[:, l]) ** 2)
                for l in self._shown()
            ),
            logarithmic=("x",),
        )

    def _shown(self) -> range:
        """Degrees worth a column: the first six that carry error."""
        carrying = np.flatnonzero(self.per_degree.max(axis=0) > 0)
        return range(min(6, int(carrying[-1]) + 1 if carrying.size else 1))

    def _rows(self) -> tuple[list[str], list[list[str]]]:
        degrees = self._shown()
        head = ["samples", "error", "+-", "bias", "variance", *(self.parts[l] for l in degrees)]
        columns = [self.error, self.uncertainty, self.bias, self.variance]
        columns += [self.per_degree[:, l] for l in degrees]
        rows = [
            [f"{n:.0f}", *(f"{column[i]:.4g}" for column in columns)]
            for i, n in enumerate(self.samples)
        ]
        return head, rows

    def __str__(self) -> str:
        head, rows = self._rows()
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        lines = [
            "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True))
            for row in [head, *rows]
        ]
        laws = ["because", *(f"  {law}" for law in self.laws)] if self.laws else []
        return "\n".join([self.question, f"method {self.method}: {self.regime}", *lines, *laws])

    def _repr_html_(self) -> str:
        head, rows = self._rows()
        cells = "".join(f"<th>{cell}</th>" for cell in head)
        body = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows
        )
        return (
            f"<p>{escape(self.question)}<br>method {self.method}: {escape(self.regime)}</p>"
            f"<table><tr>{cells}</tr>{body}</table>"
        )
