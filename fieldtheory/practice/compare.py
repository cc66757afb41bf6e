"""A prediction beside a measurement."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.picture import Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.curve import LearningCurve
from fieldtheory.practice.regression import Measurement

FALSE_ALARM = 3.2e-5  # on each side: four standard errors of a mean over many draws


@dataclass(frozen=True, eq=False)
class Comparison(Pictured, Printed):
    """A predicted and a measured learning curve at the same numbers of samples.

    `agrees` holds where |measured - predicted| <= 4 standard errors + the prediction's own
    uncertainty. With few draws the standard error is itself uncertain, and Student's t takes the
    place of the 4 (at 20 draws 5.1) so that a false alarm stays as rare, one in sixteen thousand.
    """

    curve: LearningCurve
    measurement: Measurement

    def __post_init__(self) -> None:
        missing = set(self.measurement.samples) - set(self.curve.samples)
        if missing:
            raise InvalidInput(
                f"measured at samples {sorted(int(n) for n in missing)}, which were not predicted: "
                "predict at the same numbers of samples"
            )

    def _at(self, values: Array) -> Array:
        where = {n: i for i, n in enumerate(self.curve.samples)}
        return values[[where[n] for n in self.measurement.samples]]

    @property
    def predicted(self) -> Array:
        """(sizes,) predicted error at the measured sizes."""
        return self._at(self.curve.error)

    @property
    def uncertainty(self) -> Array:
        """(sizes,) the prediction's own estimate of its error."""
        return self._at(self.curve.uncertainty)

    @property
    def z(self) -> Array:
        """(sizes,) measured minus predicted, in standard errors of the measurement."""
        gap: Array = (self.measurement.error - self.predicted) / self.measurement.standard_error
        return gap

    @property
    def agrees(self) -> npt.NDArray[np.bool_]:
        """(sizes,) whether the gap is within what sampling and the uncertainty allow."""
        from scipy.special import stdtrit

        allowed = float(stdtrit(self.measurement.draws - 1, 1 - FALSE_ALARM))
        budget = allowed * self.measurement.standard_error + self.uncertainty
        verdict: npt.NDArray[np.bool_] = np.abs(self.measurement.error - self.predicted) <= budget
        return verdict

    def to_dict(self) -> dict[str, Any]:
        """Both results and z as plain data."""
        return {
            "samples": [int(n) for n in self.measurement.samples],
            "predict": self.curve.to_dict(),
            "measure": self.measurement.to_dict(),
            "predicted": self.predicted.tolist(),
            "uncertainty": self.uncertainty.tolist(),
            "measured": self.measurement.error.tolist(),
            "standard_error": self.measurement.standard_error.tolist(),
            "z": self.z.tolist(),
            "agrees": bool(np.all(self.agrees)),
        }

    def picture(self) -> Picture:
        """The curve with its band, and the measured points."""
        return self.curve.picture() + self.measurement.picture()

    def __str__(self) -> str:
        head = ("samples", "predicted", "+-", "measured", "std. error", "gap", "z", "")
        columns = zip(
            self.measurement.samples,
            self.predicted,
            self.uncertainty,
            self.measurement.error,
            self.measurement.standard_error,
            self.z,
            self.agrees,
            strict=True,
        )
        rows = [
            f"{n:>7.0f}  {p:>9.4g}  {u:>8.1g}  {m:>9.4g}  {s:>10.1g}  {100 * (m / p - 1):>+6.1f} %"
            f"  {z:>+5.1f}  {'agrees' if ok else 'DISAGREES'}"
            for n, p, u, m, s, z, ok in columns
        ]
        titles = (
            f"{head[0]:>7s}  {head[1]:>9s}  {head[2]:>8s}  {head[3]:>9s}  {head[4]:>10s}"
            f"  {head[5]:>8s}  {head[6]:>5s}"
        )
        return "\n".join(
            [
                self.curve.question,
                f"predicted: {self.curve.method} ({self.curve.regime})",
                f"measured: {self.measurement.by}, {self.measurement.draws} draws, seed "
                f"{self.measurement.seed}",
                titles,
                *rows,
            ]
        )


def compare(curve: LearningCurve, measurement: Measurement) -> Comparison:
    """Hold a measurement against a prediction of the same network and task.

    Raises `InvalidInput` if a measured number of samples was not predicted.
    """
    return Comparison(curve, measurement)
