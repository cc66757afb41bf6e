"""Other questions to the same theory, asked with a model and a task as `predict` is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.answers import doubts_on_points, planar_error
from fieldtheory.model.planar.observables import Observables, crossed_curve, observables
from fieldtheory.model.planar.stopping import StoppedCurve, stopped
from fieldtheory.model.question import Model, Question
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.task import Task
from fieldtheory.model.width.features import RandomFeatures, random_features

METHODS = ("crossing", "planar")
ENSEMBLES = ("fixed", "poisson")
Sizes = Sequence[int] | int


def predict_observables(
    model: Model,
    task: Task,
    samples: Sizes,
    *,
    method: str | None = None,
    clusters: int = 2,
    ensemble: str = "fixed",
) -> Observables:
    """Posterior variance, effective dimension, train error and log evidence of a model on a task.

    method    "crossing", on the sphere alone, see `observables.crossed_curve`; "planar" anywhere;
              left out, crossing on the sphere and planar elsewhere. The answer says which
    clusters  samples in the largest crossing diagrams, 2 or 3

    >>> from fieldtheory.model.network import Network
    >>> task = Task.sphere(5, "x0", 0.1, ridge=0.1)
    >>> predict_observables(Network(2), task, 40).effective_dimension.round(1).tolist()
    [17.2]
    """
    chosen = method or ("crossing" if task.on_sphere else "planar")
    if checks.choice("method", chosen, METHODS) == "crossing" and not task.on_sphere:
        raise OutOfRegime(
            "observables with crossing diagrams are known on the sphere: ask for method 'planar'"
        )
    asked = _question(model, task, samples, ensemble)
    modes, power, N = asked.modes, asked.power, asked.samples
    if chosen == "planar" or not isinstance(modes, Spectrum):
        return observables(modes, power, N, task.ridge, asked.noise, outputs=task.outputs)
    return crossed_curve(
        modes,
        power,
        N,
        task.ridge,
        asked.noise,
        clusters=clusters,
        ensemble=asked.ensemble,
        outputs=task.outputs,
    )


def predict_stopping(
    model: Model, task: Task, samples: Sizes, times: Any, *, step: float = 0.0
) -> StoppedCurve:
    """The test error along training: gradient flow stopped at `times`, or descent with a `step`.

    Times are those of f' = -K (f - y) on the training set: a mode of eigenvalue lam has been learnt
    once lam N t is large. See `stopping.stopped`.

    >>> from fieldtheory.model.network import Network
    >>> task = Task.sphere(5, "x0", 1.0)
    >>> found = predict_stopping(Network(2), task, 40, [0.1, 1, 10, 100])
    >>> found.best_time.tolist()
    [1.0]
    """
    asked = _question(model, task, samples)

    def at(sizes: Array) -> StoppedCurve:
        found = stopped(asked.modes, asked.power, sizes, task.ridge, asked.noise, times, step=step)
        return replace(found, bias=found.bias + asked.unlearnable)

    curve = at(asked.samples)
    more = doubts_on_points(asked, curve.error, lambda n: at(n).error)
    return replace(curve, uncertainty=curve.uncertainty + sum(more.values()))


def predict_features(model: Model, task: Task, samples: Sizes, features: Any) -> RandomFeatures:
    """The test error of a network of which only the last layer is trained, `features` units wide.

    See `features.random_features`; the kernel is the model's, the network's NNGP for instance.

    >>> from fieldtheory.model.network import Network
    >>> task = Task.sphere(5, "x0", ridge=0.1)
    >>> narrow = predict_features(Network(2, kernel="nngp"), task, 40, [10, 100])
    >>> bool(narrow.error[0] > narrow.error[1])
    True
    """
    asked = _question(model, task, samples)
    found = random_features(
        asked.modes,
        asked.power,
        asked.samples.astype(int).tolist(),
        features,
        ridge=task.ridge,
        noise=asked.noise,
    )
    found = replace(found, bias=found.bias + asked.unlearnable)
    # as much as at infinite width: features change what a sample teaches, not how often it comes
    planar = planar_error(asked, asked.samples)
    more = doubts_on_points(asked, planar, lambda n: planar_error(asked, n))
    share = np.asarray(sum(more.values()) / planar)
    return replace(found, uncertainty=found.uncertainty + found.error * share)


def _question(model: Model, task: Task, samples: Sizes, ensemble: str = "fixed") -> Question:
    checks.choice("ensemble", ensemble, ENSEMBLES)
    sizes: Array = np.asarray(checks.sizes("samples", samples))
    return Question(model, task, sizes, "planar", 1, None, ensemble, 3)
