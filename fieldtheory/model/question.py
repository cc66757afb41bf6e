"""A question to the theory: a model, a task, sizes, and the modes and powers that follow."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.activation import activation
from fieldtheory.model.curve import LearningCurve
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.measures.data import DataSpectrum, gram_spectrum
from fieldtheory.model.measures.gram import gram, points
from fieldtheory.model.memory import Memory
from fieldtheory.model.modes import Modes, Spectral
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import MODES, Spectrum, spectrum
from fieldtheory.model.task import Task
from fieldtheory.theory import laws

MODES_PER_SAMPLE = 1e4
MODES_QUICK = 100  # per sample, in a search
Model = Network | Kernel | Spectrum | Modes | Array | Callable[[Any, Any, Any], Any]


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked. Modes, powers and matrices are found once, when a method needs them.

    model     a Network, a Kernel, a Spectrum; Modes for a task known by its power in them; for
              given points also a kernel matrix, or a function of |x|^2, |x'|^2, x.x'
    samples   (sizes,) N
    others    as in `predict`
    """

    model: Model
    task: Task
    samples: Array
    method: str
    order: int
    clusters: int | None
    ensemble: str
    keep: int
    memory: Memory | None = None

    @cached_property
    def modes(self) -> Spectral:
        """The spectrum, long enough for the samples and for the target."""
        if self.task.on_data:
            return self.found.modes
        found: Spectral = modes_of(self.model, self.task, float(self.samples.max()))
        return found

    @cached_property
    def matrix(self) -> Array:
        """The kernel matrix of all given points."""
        return matrix_of(self.model, self.task)

    @cached_property
    def found(self) -> DataSpectrum:
        """The modes of the given points, with their functions."""
        return gram_spectrum(self.matrix)

    @cached_property
    def power(self) -> Array:
        """(kinds,) power of the target in each kind of mode."""
        task, kinds = self.task, self.modes.eigenvalues.size
        if task.on_data:
            return self.found.power(task.labelled.labels)
        power = task.function.power if task.on_sphere else task.target.power  # type: ignore[union-attr]
        return np.concatenate([power[:kinds], np.zeros(max(kinds - power.size, 0))])

    @cached_property
    def unlearnable(self) -> float:
        """Power in no mode of the kernel: it stays an error whatever the samples."""
        if not self.task.on_data:
            return 0.0
        labels, rounding = self.task.labelled, 1e-12
        rest = self.found.unexplained(labels.labels)
        return rest if rest > rounding * labels.scale else 0.0

    @property
    def ridge(self) -> float:
        """The task's own plus what lies beyond the listed modes."""
        return self.task.ridge + self.modes.tail

    @property
    def noise(self) -> float:
        """Variance of the label noise, summed over the outputs; power in no mode acts as such."""
        return self.task.noise * self.task.outputs + self.unlearnable

    def curve(self, **parts: Any) -> LearningCurve:
        """The answer, with the question written on it."""
        return LearningCurve(
            samples=self.samples,
            method=self.method,
            question=f"{name_of(self.model)}; {self.task}",
            **parts,
        )

    @property
    def kernel_laws(self) -> tuple[Any, ...]:
        """The laws that made the kernel."""
        model = self.model
        if not isinstance(model, Network):
            return ()
        tangent = (laws.LAYER_TANGENT,) if model.kernel == "ntk" else ()
        return (*activation(model.activation).laws, laws.LAYER_COVARIANCE, *tangent)


def name_of(model: Model) -> str:
    """A model in words."""
    if isinstance(model, Spectrum | Modes):
        return f"kernel of {model.name}"
    if isinstance(model, np.ndarray):
        return "a given kernel matrix"
    named = isinstance(model, Network | Kernel) or hasattr(model, "name")
    return str(model) if named else "a given function"


def matrix_of(model: Model, task: Task) -> Array:
    """The kernel matrix of a model on the points of a task.

    Raises `InvalidInput` for a Spectrum or Modes, which know no points, and for a matrix of another
    size than the points.
    """
    where = task.labelled
    if isinstance(model, Spectrum | Modes):
        raise InvalidInput(
            f"{name_of(model)} on {where.name}: eigenvalues alone say nothing about given points; "
            "give a Network, a Kernel, a function, or the kernel matrix"
        )
    if not isinstance(model, np.ndarray | list):
        return gram(model, where.inputs)
    K = points("kernel matrix", model)
    if K.shape != (where.points, where.points):
        raise InvalidInput(
            f"kernel matrix of shape {K.shape} for {where.points} points: give one row and one "
            "column for each"
        )
    return K


def kernel_of(model: Model, task: Task) -> Kernel:
    """The kernel of a model as a function of the cosine between inputs of the task."""
    if isinstance(model, Network):
        return model.on_sphere(task.dimension, task.input_norm)
    if isinstance(model, Spectrum):
        return model.kernel()
    if isinstance(model, Kernel):
        return model
    raise InvalidInput(f"model = {_shown(model)}: on the sphere give a Network, Kernel or Spectrum")


def modes_of(model: Model, task: Task, samples: float = 1.0, accurate: bool = True) -> Any:
    """The spectrum of a model on the inputs of a task, with many more modes than `samples`.

    Raises `InvalidInput` where model and task do not fit together.
    """
    if task.on_data:
        return gram_spectrum(matrix_of(model, task)).modes
    if isinstance(model, Modes) or not task.on_sphere:
        return _given(model, task)
    degree = task.function.degree
    if isinstance(model, Spectrum):
        if model.dimension != task.dimension:
            raise InvalidInput(
                f"the spectrum belongs to dimension {model.dimension}, the task to "
                f"{task.dimension}: give both the same"
            )
        _refuse_short(degree, model.eigenvalues.size)
        return model
    kernel = kernel_of(model, task)
    enough = max(MODES, MODES_PER_SAMPLE * samples) if accurate else MODES_QUICK * samples
    found = spectrum(kernel, task.dimension, modes=enough, accurate=accurate)
    if found.eigenvalues.size > degree:
        return found
    return spectrum(kernel, task.dimension, degrees=degree)


def _given(model: Model, task: Task) -> Spectrum | Modes:
    """Modes given as they are, for a target known by its power in them."""
    if task.on_sphere:
        raise InvalidInput(
            "Modes know nothing of a polynomial on the sphere: give Task.modes(power=...), the "
            "target's power in each of them, or a Network, a Kernel or a Spectrum"
        )
    if not isinstance(model, Spectrum | Modes):
        raise InvalidInput(
            f"model = {_shown(model)}: a target known by its power in modes needs these modes; "
            "give Modes or a Spectrum, or a task on the sphere or on data"
        )
    _refuse_short(task.target.degree, model.eigenvalues.size)  # type: ignore[union-attr]
    return model


def _refuse_short(degree: int, listed: int) -> None:
    if degree >= listed:
        raise InvalidInput(
            f"the target has power at degree {degree}, the spectrum ends at degree {listed - 1}: "
            "give more eigenvalues or a simpler target"
        )


def _shown(model: Any) -> str:
    if isinstance(model, np.ndarray):
        return f"array of shape {model.shape}"
    text = repr(model)
    return text if len(text) <= 60 else text[:57] + "..."
