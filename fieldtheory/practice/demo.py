"""The main job on one page: the experiment of arXiv:1906.05301, predicted and measured."""

from dataclasses import dataclass
from typing import Any

from fieldtheory.ground.picture import Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.curve import LearningCurve
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.task import Task
from fieldtheory.practice.compare import Comparison, compare
from fieldtheory.practice.regression import measure
from fieldtheory.practice.sections import parse_samples

SIZES = (100, 200, 400, 800)
DRAWS = 40  # enough to trust the standard errors themselves


@dataclass(frozen=True, eq=False)
class Demonstration(Pictured, Printed):
    """The prediction beside the measurement, and the first order of the trimmed kernel."""

    comparison: Comparison
    first_order: LearningCurve

    @property
    def agrees(self) -> bool:
        """Whether the prediction agrees with the measurement at every size."""
        return bool(self.comparison.agrees.all())

    @property
    def first_order_error(self) -> list[float]:
        """(sizes,) the first-order prediction at the measured sizes."""
        sizes = self.first_order.samples.tolist()
        measured = self.comparison.measurement.samples.tolist()
        return [float(self.first_order.error[sizes.index(n)]) for n in measured]

    @property
    def summary(self) -> str:
        """The outcome in plain words."""
        result = self.comparison
        sizes = [int(n) for n in result.measurement.samples]
        apart = [str(n) for n, ok in zip(sizes, result.agrees, strict=True) if not ok]
        if apart:
            return f"Theory and experiment DISAGREE at samples {', '.join(apart)}."
        gap = 100 * float(abs(result.measurement.error / result.predicted - 1).max())
        return (
            f"Theory and experiment agree at every size from {sizes[0]} to {sizes[-1]} samples, "
            f"without an adjustable parameter: the largest gap is {gap:.1f} %, and none is beyond "
            "four standard errors and the prediction's own uncertainty."
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            **self.comparison.to_dict(),
            "first_order": self.first_order.to_dict(),
            "summary": self.summary,
        }

    def picture(self) -> Picture:
        """Both predictions and the measured points."""
        curves = self.comparison.curve.picture() + self.first_order.picture()
        return curves + self.comparison.measurement.picture()

    def __str__(self) -> str:
        rows = [
            f"{n:>7.0f}  {e:>9.4g}"
            for n, e in zip(
                self.comparison.measurement.samples, self.first_order_error, strict=True
            )
        ]
        return "\n".join(
            [
                str(self.comparison),
                "",
                f"for contrast, the first order of the {self.first_order.method} kernel",
                f"({self.first_order.regime})",
                f"{'samples':>7s}  {'predicted':>9s}",
                *rows,
                "",
                self.summary,
            ]
        )


def demonstrate(draws: int = DRAWS) -> Demonstration:
    """Predict and measure the learning curve of a deep network, noiseless, without ridge.

    Depth 4, ReLU, all variances 1, inputs on S^49, equal target power at degrees 1 and 2.
    Source: Cohen, Malka, Ringel, https://arxiv.org/abs/1906.05301.
    """
    network = Network(depth=4, activation="relu", weight_variance=1, bias_variance=1)
    task = Task.sphere(dimension=50, target=[0, 0.5, 0.5])
    fine = sorted({*SIZES, *parse_samples("100:800:log:25")})
    curve = predict(network, task, fine)
    first = predict(network, task, fine, method="renormalised")
    result = compare(curve, measure(network, task, SIZES, draws=draws))
    return Demonstration(result, first)
