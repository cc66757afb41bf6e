"""What a regression shows besides its test error, with how far each number may be off: the value
that every theory of it answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured
from fieldtheory.ground.version import __version__
from fieldtheory.model.modes import aligned

FIELDS = ("posterior_variance", "effective_dimension", "train_error", "data_fit", "log_determinant")
NAMES = (*FIELDS[:3], "log_evidence")  # what a learning curve shows
RESIDUALS = FIELDS.index("train_error")


@dataclass(frozen=True, eq=False)
class Observables(Pictured):
    r"""Averages over training sets, at each number of samples.

    samples              (sizes,) N
    posterior_variance   (sizes,) mean variance of the Gaussian process at a test point, given data
    effective_dimension  (sizes,) tr K (K + s2)^-1: how many parameters the data have fixed
    train_error          (sizes,) mean squared residual at the noisy labels of the training set
    data_fit             (sizes,) y^T (K + s2)^-1 y
    log_determinant      (sizes,) log det (K + s2)
    outputs              columns of labels, each a Gaussian process of its own; power, noise, fit
                         and train error are sums over them
    method               of the averages: "planar" or "crossing"
    uncertainties        (sizes,) estimate of how far each of them is off, by name, the log evidence
                         included; empty where a theory on its own does not say

    Raises `InvalidInput` for lists of different length, for numbers that are not finite and for an
    uncertainty of something else or below zero.
    """

    samples: Array
    posterior_variance: Array
    effective_dimension: Array
    train_error: Array
    data_fit: Array
    log_determinant: Array
    outputs: int = 1
    method: str = "planar"
    uncertainties: Mapping[str, Array] = field(default_factory=dict)
    version: str = __version__

    def __post_init__(self) -> None:
        checks.count("outputs", self.outputs, least=1)
        for name in ("samples", *FIELDS):
            object.__setattr__(self, name, self._checked(name, getattr(self, name)))
        unsure = {}
        for name, values in self.uncertainties.items():
            checks.choice("uncertainty", name, (*FIELDS, "log_evidence"))
            unsure[name] = self._checked(f"the uncertainty of {name}", values)
            if np.any(unsure[name] < 0):
                raise InvalidInput(f"the uncertainty of {name} is below 0: give its size")
        object.__setattr__(self, "uncertainties", unsure)

    def _checked(self, name: str, values: Array) -> Array:
        array = frozen(values)
        if array.shape != np.shape(self.samples) or not np.all(np.isfinite(array)):
            raise InvalidInput(
                f"{name} has shape {array.shape} or is not finite: give one finite number for "
                f"each of {np.size(self.samples)} sizes"
            )
        return array

    @staticmethod
    def of(
        samples: Array,
        sums: Array,
        doubts: Array | None = None,
        *,
        outputs: int = 1,
        method: str = "planar",
    ) -> "Observables":
        """From what is linear in the ensemble: (sizes, FIELDS) averages, and how far these may be
        off, with the squared residuals of a training set summed, not their mean. The evidence is in
        doubt by half of what its two parts are."""
        per = np.ones((len(samples), len(FIELDS)))
        per[:, RESIDUALS] = samples
        unsure: dict[str, Array] = {}
        if doubts is not None:
            unsure = dict(zip(FIELDS, (doubts / per).T, strict=True))
            parts = unsure["data_fit"], unsure["log_determinant"]
            unsure["log_evidence"] = np.asarray((parts[0] + outputs * parts[1]) / 2)
        variance, dimension, residuals, fit, logs = (sums / per).T
        columns = variance, dimension, residuals, fit, logs
        return Observables(samples, *columns, outputs, method, unsure)

    @property
    def sums(self) -> Array:
        """(sizes, FIELDS) what is linear in the ensemble: the residuals' sum, not their mean."""
        columns = np.array([getattr(self, name) for name in FIELDS]).T
        columns[:, RESIDUALS] *= self.samples
        return columns

    @property
    def doubts(self) -> Array:
        """(sizes, FIELDS) how far these may be off; 0 where nothing is said."""
        nothing = np.zeros_like(self.samples)
        columns = np.array([self.uncertainties.get(name, nothing) for name in FIELDS]).T
        columns[:, RESIDUALS] *= self.samples
        return columns

    @property
    def log_evidence(self) -> Array:
        r"""(sizes,) mean log probability density of a training set's labels.

        .. math:: -\tfrac12 y^T A y - \tfrac12 \log\det(K + s_2) - \tfrac N2 \log 2\pi
        """
        volume = self.log_determinant + self.samples * np.log(2 * np.pi)
        return np.asarray(-(self.data_fit + self.outputs * volume) / 2)

    @property
    def columns(self) -> dict[str, Array]:
        """What a learning curve shows, by name: (sizes,) each."""
        return {name: getattr(self, name) for name in NAMES}

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "samples": self.samples.tolist(),
            **{name: getattr(self, name).tolist() for name in FIELDS},
            "log_evidence": self.log_evidence.tolist(),
            "uncertainties": {name: array.tolist() for name, array in self.uncertainties.items()},
            "outputs": self.outputs,
            "method": self.method,
            "version": self.version,
        }

    def picture(self) -> Picture:
        """Posterior variance, training error and the share of the samples that is used up, each
        with its uncertainty as a band."""
        unsure, N = self.uncertainties, self.samples
        used = unsure.get("effective_dimension")
        lines = (
            Line("posterior variance", N, self.posterior_variance, unsure.get(NAMES[0])),
            Line("train error", N, self.train_error, unsure.get("train_error")),
            Line(
                "effective dimension / samples",
                N,
                np.asarray(self.effective_dimension / N),
                None if used is None else np.asarray(used / N),
            ),
        )
        return Picture(f"observables, {self.method}", "samples", "", lines, logarithmic=("x",))

    def _rows(self) -> list[tuple[str, ...]]:
        head, columns = ["samples"], [[f"{n:.6g}" for n in self.samples]]
        for name, values in self.columns.items():
            head.append(name.replace("_", " "))
            columns.append([f"{value:.5g}" for value in values])
            if name in self.uncertainties:
                head.append("+-")
                columns.append([f"{unsure:.1g}" for unsure in self.uncertainties[name]])
        return [tuple(head), *zip(*columns, strict=True)]

    def __str__(self) -> str:
        return "\n".join([f"observables, {self.method}", *aligned(self._rows())])

    def _repr_html_(self) -> str:
        head, *body = self._rows()
        top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        lines = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body
        )
        title = f"<p>observables, {escape(self.method)}</p>"
        return f"{title}<table><tr>{top}</tr>{lines}</table>"
