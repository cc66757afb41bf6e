"""A task: where inputs lie, what is to be learnt, how noisy the labels, how strong the ridge."""

from collections.abc import Sequence
from dataclasses import dataclass

from fieldtheory.ground import checks
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.network import INPUT_NORMS
from fieldtheory.model.target import Target


@dataclass(frozen=True, eq=False)
class Task:
    """Regression of a target on the sphere S^(d-1) from labels y = g(x) + noise.

    target      what is learnt; it knows the dimension d
    noise       variance of the label noise
    ridge       added to the diagonal of the kernel matrix; not divided by the number of samples
    input_norm  "unit" |x| = 1 or "dimension" |x|^2 = d, as the network sees its inputs

    Raises `InvalidInput` for a negative or non-finite variance and an unknown norm.

    >>> task = Task.sphere(dimension=50, target="x0 + 0.5*x0*x1", noise=0.01)
    >>> task.target.power.round(6).tolist()
    [0.0, 0.02, 9.6e-05]
    """

    target: Target
    noise: float = 0.0
    ridge: float = 0.0
    input_norm: str = "unit"

    def __post_init__(self) -> None:
        object.__setattr__(self, "noise", checks.variance("noise", self.noise))
        object.__setattr__(self, "ridge", checks.variance("ridge", self.ridge))
        checks.choice("input_norm", self.input_norm, INPUT_NORMS)
        if self.target.power.sum() == 0:
            raise InvalidInput(
                f"the target {self.target.text or 'power'} is zero on the sphere: nothing to learn"
            )

    @staticmethod
    def sphere(
        dimension: int,
        target: str | Sequence[float],
        noise: float = 0.0,
        *,
        ridge: float = 0.0,
        input_norm: str = "unit",
    ) -> "Task":
        """A task on S^(dimension-1), |x| = 1: `target` is a polynomial in x0, x1, ... or a power
        per degree 0, 1, 2, ..."""
        if isinstance(target, str):
            built = Target.polynomial(target, dimension)
        else:
            built = Target.from_power(target, dimension)
        return Task(built, noise, ridge, input_norm)

    @property
    def dimension(self) -> int:
        """Dimension d of the inputs."""
        return self.target.dimension

    @property
    def radius(self) -> float:
        """|x| as the network sees it."""
        return 1.0 if self.input_norm == "unit" else float(self.dimension) ** 0.5

    def __str__(self) -> str:
        powers = ", ".join(f"{G:.4g}" for G in self.target.power)
        what = self.target.text or f"power per degree [{powers}]"
        return (
            f"{what} on S^{self.dimension - 1}, |x| "
            f"{'= 1' if self.input_norm == 'unit' else '= sqrt(d)'}, label noise {self.noise:g}, "
            f"ridge {self.ridge:g}"
        )
