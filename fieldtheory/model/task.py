"""A task: where inputs lie, what is to be learnt, how noisy the labels, how strong the ridge."""

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.shown import Printed
from fieldtheory.model.labelled import Labelled
from fieldtheory.model.network import INPUT_NORMS
from fieldtheory.model.target import Target, VectorTarget


@dataclass(frozen=True, eq=False)
class ModePower:
    """A target known by its power in each kind of mode of some kernel, under any measure."""

    power: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "power", frozen(checks.powers("power", self.power)))

    @property
    def degree(self) -> int:
        """The last mode with power."""
        return int(max(np.flatnonzero(self.power), default=0))

    @property
    def dimension(self) -> int:
        """Asked of a target that has none."""
        raise InvalidInput("a target known by its power in modes lies in no dimension: give Modes")

    def to_dict(self) -> dict[str, Any]:
        """The target as plain data."""
        return {"power": self.power.tolist()}

    def __str__(self) -> str:
        return f"power per mode [{', '.join(f'{G:.4g}' for G in self.power[:8])}]"


@dataclass(frozen=True, eq=False)
class Task(Printed):
    """Regression of a target from labels y = g(x) + noise.

    target      what is learnt, and where: a `Target` or `VectorTarget` on the sphere S^(d-1),
                `Labelled` points, or a `ModePower`
    noise       variance of the label noise, of each output
    ridge       added to the diagonal of the kernel matrix; not divided by the number of samples
    input_norm  on the sphere: "unit" |x| = 1 or "dimension" |x|^2 = d, as the network sees its
                inputs

    Raises `InvalidInput` for a negative or non-finite variance and an unknown norm.

    >>> task = Task.sphere(dimension=50, target="x0 + 0.5*x0*x1", noise=0.01)
    >>> task.target.power.round(6).tolist()
    [0.0, 0.02, 9.6e-05]
    >>> print(Task.data([[1.0, 0.0], [0.0, 1.0]], [1.0, -1.0], ridge=0.1))
    data, 2 points, drawn with replacement, label noise 0, ridge 0.1
    """

    target: Target | VectorTarget | Labelled | ModePower
    noise: float = 0.0
    ridge: float = 0.0
    input_norm: str = "unit"

    def __post_init__(self) -> None:
        object.__setattr__(self, "noise", checks.variance("noise", self.noise))
        object.__setattr__(self, "ridge", checks.variance("ridge", self.ridge))
        checks.choice("input_norm", self.input_norm, INPUT_NORMS)
        if not isinstance(self.target, Labelled) and self.target.power.sum() == 0:
            raise InvalidInput(
                f"the target {getattr(self.target, 'text', '') or 'power'} is zero on the sphere: "
                "nothing to learn"
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
        """A task on S^(dimension-1), |x| = 1: `target` is a polynomial in x0, x1, ..., a list of
        polynomials, or a power per degree 0, 1, 2, ..."""
        built: Target | VectorTarget
        if isinstance(target, str):
            built = Target.polynomial(target, dimension)
        elif not (np.iterable(target) and isinstance(target, Sized)):
            raise InvalidInput(
                f"target = {target!r}: give a polynomial in x0, x1, ... as text ('3' if it is a "
                "constant), a list of polynomials, or a list of powers per degree 0, 1, 2, ..."
            )
        elif len(target) and all(isinstance(text, str) for text in target):
            built = VectorTarget.polynomials(target, dimension)  # type: ignore[arg-type]
        else:
            built = Target.from_power(target, dimension)
        return Task(built, noise, ridge, input_norm)

    @staticmethod
    def data(
        inputs: Any,
        labels: Any,
        noise: float = 0.0,
        *,
        ridge: float = 0.0,
        tested: str = "pool",
        name: str = "data",
    ) -> "Task":
        """A task on given points, see `Labelled`; `noise` is added to the labels in every draw."""
        return Task(Labelled(inputs, labels, name, tested), noise, ridge)

    @staticmethod
    def modes(power: Any, noise: float = 0.0, *, ridge: float = 0.0) -> "Task":
        """A task for given `Modes`: power of the target in each kind of mode, under any measure."""
        return Task(ModePower(power), noise, ridge)

    @property
    def on_data(self) -> bool:
        """Whether the inputs are given points."""
        return isinstance(self.target, Labelled)

    @property
    def on_sphere(self) -> bool:
        """Whether the inputs lie on the sphere, uniformly."""
        return isinstance(self.target, Target | VectorTarget)

    @property
    def labelled(self) -> Labelled:
        """The points. Raises `InvalidInput` where the inputs are not given."""
        if not isinstance(self.target, Labelled):
            raise InvalidInput("this task has no given points: build it with Task.data")
        return self.target

    @property
    def outputs(self) -> int:
        """How many functions are learnt at once."""
        if isinstance(self.target, Labelled):
            return int(self.target.labels.shape[1])
        return len(self.target.outputs) if isinstance(self.target, VectorTarget) else 1

    @property
    def function(self) -> Target:
        """The target on the sphere as one of summed power. Raises `InvalidInput` for others."""
        if isinstance(self.target, VectorTarget):
            return self.target.total
        if isinstance(self.target, Target):
            return self.target
        raise InvalidInput("this task is not on the sphere: build it with Task.sphere")

    @property
    def dimension(self) -> int:
        """Dimension d of the inputs."""
        return self.target.dimension

    @property
    def radius(self) -> float:
        """|x| as the network sees it, on the sphere."""
        return 1.0 if self.input_norm == "unit" else float(self.dimension) ** 0.5

    def to_dict(self) -> dict[str, Any]:
        """The task as plain data."""
        return vars(self) | {"target": self.target.to_dict()}

    def __str__(self) -> str:
        rest = f"label noise {self.noise:g}, ridge {self.ridge:g}"
        if not isinstance(self.target, Target):
            return f"{self.target}, {rest}"
        powers = ", ".join(f"{G:.4g}" for G in self.target.power)
        what = self.target.text or f"power per degree [{powers}]"
        norm = "= 1" if self.input_norm == "unit" else "= sqrt(d)"
        return f"{what} on S^{self.dimension - 1}, |x| {norm}, {rest}"
