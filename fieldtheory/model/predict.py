"""From a network and a task to a learning curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model import planar
from fieldtheory.model.activation import activation
from fieldtheory.model.curve import LearningCurve
from fieldtheory.model.diagrams import neglected
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.network import Network
from fieldtheory.model.perturbative import expand, renormalise
from fieldtheory.model.spectrum import MODES, Spectrum, spectrum
from fieldtheory.model.task import Task
from fieldtheory.theory import laws

METHODS = ("planar", "perturbative", "equivalent-kernel", "renormalised")
ENSEMBLES = ("fixed", "poisson")
ORDERS = 1  # the highest order of the perturbative methods
MODES_PER_SAMPLE = 1e4
CAREFUL = 0.3  # estimated relative error from which a planar curve carries a warning
MODES_QUICK = 100  # per sample, in a search
Model = Network | Kernel | Spectrum


def predict(
    model: Model,
    task: Task,
    samples: Sequence[int] | int,
    *,
    method: str = "planar",
    order: int = 1,
    ensemble: str = "fixed",
    keep: int = 3,
) -> LearningCurve:
    """The learning curve of a network (or a kernel, or a spectrum) on a task.

    method    "planar": all non-crossing diagrams, self-consistent, the published form at N samples;
              "equivalent-kernel": the leading order in 1/N at fixed N / ridge;
              "perturbative": through `order` (0 or 1) in 1/N;
              "renormalised": the same for the kernel trimmed at the power `keep`, the rest of it
              added to the ridge, as in arXiv:1906.05301
    ensemble  "fixed" number of samples or "poisson"; it matters from order 1 on, and to the error
              estimate of "planar"

    The tail of the spectrum beyond the listed degrees is added to the ridge. Raises `InvalidInput`
    for a malformed question and `OutOfRegime` where the method cannot answer.

    >>> network = Network(depth=4, activation="relu", weight_variance=1, bias_variance=1)
    >>> task = Task.sphere(dimension=50, target=[0, 0.5, 0.5])
    >>> predict(network, task, [100, 400, 1600]).error.round(4).tolist()
    [0.7024, 0.4972, 0.3021]
    """
    question = _Question(
        model,
        task,
        checks.sizes("samples", samples),
        checks.choice("method", method, METHODS),
        checks.count("order", order),
        checks.choice("ensemble", ensemble, ENSEMBLES),
        checks.count("keep", keep),
    )
    if question.order > ORDERS:
        raise InvalidInput(f"order = {order}: the compiled series reaches order {ORDERS}")
    return _ANSWERS[method](question)


@dataclass(frozen=True)
class _Question:
    model: Model
    task: Task
    samples: Array
    method: str
    order: int
    ensemble: str
    keep: int

    def modes(self) -> Spectrum:
        """The spectrum, long enough for the samples and for the target."""
        return modes_of(self.model, self.task, float(self.samples.max()))

    def curve(self, **parts: Any) -> LearningCurve:
        return LearningCurve(
            samples=self.samples,
            method=self.method,
            question=f"{_name(self.model)}; {self.task}",
            **parts,
        )


def _name(model: Model) -> str:
    return f"kernel of {model.name}" if isinstance(model, Spectrum) else str(model)


def kernel_of(model: Model, task: Task) -> Kernel:
    """The kernel of a model as a function of the cosine between inputs of the task."""
    if isinstance(model, Network):
        return model.on_sphere(task.dimension, task.input_norm)
    if isinstance(model, Spectrum):
        return model.kernel()
    if isinstance(model, Kernel):
        return model
    raise InvalidInput(f"model = {model!r}: give a Network, a Kernel or a Spectrum")


def quick_error(model: Model, task: Task, samples: int) -> float:
    """The planar error alone, for searches: a faster spectrum and no estimate of its own error."""
    modes = modes_of(model, task, samples, accurate=False)
    power, n = _padded(task.target.power, modes.eigenvalues.size), np.array([float(samples)])
    kappa = planar.effective_ridge(modes, n, task.ridge + modes.tail)
    bias, variance = planar.mode_errors(modes, power, n, kappa, task.noise)
    return float(np.sum(bias + variance))


def modes_of(model: Model, task: Task, samples: float = 1.0, accurate: bool = True) -> Spectrum:
    """The spectrum of a model on the inputs of a task, with many more modes than `samples`."""
    degree = task.target.degree
    if isinstance(model, Spectrum):
        if model.dimension != task.dimension:
            raise InvalidInput(
                f"the spectrum belongs to dimension {model.dimension}, the task to "
                f"{task.dimension}: give both the same"
            )
        if degree >= model.eigenvalues.size:
            raise InvalidInput(
                f"the target has power at degree {degree}, the spectrum ends at degree "
                f"{model.eigenvalues.size - 1}: give more eigenvalues or a simpler target"
            )
        return model
    kernel = kernel_of(model, task)
    enough = max(MODES, MODES_PER_SAMPLE * samples) if accurate else MODES_QUICK * samples
    found = spectrum(kernel, task.dimension, modes=enough, accurate=accurate)
    if found.eigenvalues.size > degree:
        return found
    return spectrum(kernel, task.dimension, degrees=degree)


def _padded(power: Array, degrees: int) -> Array:
    return np.concatenate([power, np.zeros(degrees - power.size)])


def _planar(question: _Question) -> LearningCurve:
    task, modes, N = question.task, question.modes(), question.samples
    power = _padded(task.target.power, modes.eigenvalues.size)
    ridge = task.ridge + modes.tail
    kappa = planar.effective_ridge(modes, N, ridge)
    bias, variance = planar.mode_errors(modes, power, N, kappa, task.noise)
    error = np.sum(bias + variance, axis=-1)
    crossing = neglected.crossing(modes, power, N, kappa)
    # a tail mode of eigenvalue lam counts lam kappa / (lam + kappa), not lam, in N kappa
    truncation = 2 * modes.tail * np.minimum(modes.tail_eigenvalue / kappa, 1) / (N * kappa)
    uncertainty = error * (2 * np.abs(crossing) + truncation)
    if question.ensemble == "fixed":
        uncertainty += np.abs(neglected.poisson(modes, power, N, ridge, task.noise))
    worst = float(np.max(uncertainty / error, where=error > 0, initial=0.0))
    return question.curve(
        mode_bias=bias,
        mode_variance=variance,
        uncertainty=uncertainty,
        learnability=modes.eigenvalues / (modes.eigenvalues + kappa[:, None]),
        kappa=kappa,
        regime=_planar_regime(worst),
        laws=(laws.SELF_CONSISTENT, laws.GAMMA, laws.PLANAR_ERROR, *_kernel_laws(question.model)),
    )


def _planar_regime(worst: float) -> str:
    care = "" if worst < CAREFUL else "; crossing diagrams matter here, so use it with care"
    return f"all non-crossing diagrams; estimated error at most {_percent(worst)}{care}"


def _expanded(
    question: _Question, modes: Spectrum, ridge: float, order: int, extra: tuple[Any, ...] = ()
) -> LearningCurve:
    task, N = question.task, question.samples
    power = _padded(task.target.power, modes.eigenvalues.size)
    both = [
        expand(modes, power, N, ridge, task.noise, order=k, ensemble=question.ensemble)
        for k in (order, 1)
    ]
    (bias, variance, loop), first = both
    leading = expand(modes, power, N, ridge, task.noise, order=0, ensemble="poisson")[0].sum(-1)
    step = np.abs(np.sum(first[0] + first[1], axis=-1) - leading)
    # order 0 misses the first correction, order 1 the second: one more power of c0 / s2
    uncertainty = step if order == 0 else step * loop
    kappa = ridge / N
    return question.curve(
        mode_bias=bias,
        mode_variance=variance,
        uncertainty=uncertainty,
        learnability=modes.eigenvalues / (modes.eigenvalues + kappa[:, None]),
        kappa=kappa,
        regime=_loop_regime(order, float(loop.max())),
        label=f"{question.method}, order {order}",
        laws=(*extra, *_kernel_laws(question.model)),
    )


def _loop_regime(order: int, loop: float) -> str:
    verdict = "holds" if loop < 0.3 else "marginal" if loop < 1 else "OUT OF ITS REGIME"
    return f"order {order} in 1/samples, needs c0/s2 << 1, here at most {loop:.2g}: {verdict}" + (
        "" if loop < 0.3 else "; use 'planar' or a larger ridge"
    )


def _equivalent(question: _Question) -> LearningCurve:
    modes = question.modes()
    return _expanded(question, modes, _bare_ridge(question, modes), 0)


def _perturbative(question: _Question) -> LearningCurve:
    modes = question.modes()
    return _expanded(question, modes, _bare_ridge(question, modes), question.order)


def _bare_ridge(question: _Question, modes: Spectrum) -> float:
    """Ridge plus tail; a tail alone is no ridge, for it depends on where the list was cut."""
    return question.task.ridge + modes.tail if question.task.ridge > 0 else 0.0


def _renormalised(question: _Question) -> LearningCurve:
    task = question.task
    keep = max(question.keep, task.target.degree)
    kernel = kernel_of(question.model, task)
    trimmed, ridge = renormalise(kernel, task.dimension, keep, task.ridge)
    return _expanded(question, trimmed, ridge, question.order, (laws.RENORMALISED_RIDGE,))


def _kernel_laws(model: Model) -> tuple[Any, ...]:
    if not isinstance(model, Network):
        return ()
    tangent = (laws.LAYER_TANGENT,) if model.kernel == "ntk" else ()
    return (*activation(model.activation).laws, laws.LAYER_COVARIANCE, *tangent)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.{'2g' if fraction < 1 else '0f'}} %"


_ANSWERS = {
    "planar": _planar,
    "perturbative": _perturbative,
    "equivalent-kernel": _equivalent,
    "renormalised": _renormalised,
}
