"""Other questions to the same theory, asked with a model and a task as `predict` is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.answers import planar as planar_curve
from fieldtheory.model.diagrams.observables import crossed_curve
from fieldtheory.model.doubts import MARGIN, doubts_on_points, planar_error
from fieldtheory.model.network import Network
from fieldtheory.model.observed import Observables
from fieldtheory.model.planar.observables import observables, roughly
from fieldtheory.model.planar.stopping import StoppedCurve, stopped
from fieldtheory.model.points.observables import observed, refuse_repeated
from fieldtheory.model.question import Model, Question
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.model.task import Task
from fieldtheory.model.width.features import RandomFeatures, random_features
from fieldtheory.model.width.zonal import one_layer, units

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

    method    "crossing" on the sphere and on given points, "planar" anywhere; left out, crossing
              where it is known. The answer says which
    clusters  samples in the largest crossing diagrams on the sphere, 2 or 3; on points, pairs of
              places are taken exactly, and 2 is all there is

    Every number has an uncertainty: all higher orders and the step to a fixed number of samples, as
    for the error. See `diagrams.observables.crossed_curve` and `points.observables.observed`.

    Raises `OutOfRegime` for crossing diagrams of modes that nobody describes, and on points drawn
    with replacement without a ridge.

    >>> from fieldtheory.model.network import Network
    >>> task = Task.sphere(5, "x0", 0.1, ridge=0.1)
    >>> predict_observables(Network(2), task, 40).effective_dimension.round(1).tolist()
    [17.2]
    """
    known = task.on_sphere or task.on_data
    chosen = checks.choice("method", method or ("crossing" if known else "planar"), METHODS)
    asked = _question(model, task, samples, ensemble)
    if chosen == "planar":
        return _planar_observables(asked)
    if task.on_data:
        if checks.count("clusters", clusters) != 2:
            raise OutOfRegime(
                f"clusters = {clusters}: on given points observables know pairs of places. Pass "
                "clusters = 2"
            )
        return observed(
            task.labelled, asked.matrix, asked.samples, task.ridge, task.noise, ensemble=ensemble
        )
    return _crossed(asked, clusters)


def _crossed(asked: Question, clusters: int) -> Observables:
    """On the sphere."""
    modes, task = asked.modes, asked.task
    if not isinstance(modes, Spectrum):
        raise OutOfRegime(
            "observables with crossing diagrams are known on the sphere and on given points: ask "
            "for method 'planar', or draw points from the measure and give them to Task.data"
        )
    return crossed_curve(
        modes,
        asked.power,
        asked.samples,
        task.ridge,
        asked.noise,
        clusters=clusters,
        ensemble=asked.ensemble,
        outputs=task.outputs,
    )


def _planar_observables(asked: Question) -> Observables:
    """Planar averages; in doubt is, on the sphere, what crossing diagrams do to them and leave to
    do; elsewhere as large a share of them as of the planar test error."""
    modes, power, task = asked.modes, asked.power, asked.task
    question = modes, power, task.ridge, asked.noise
    found = observables(modes, power, asked.samples, *question[2:], outputs=task.outputs)
    if isinstance(modes, Spectrum):
        better = _crossed(asked, 2)
        doubts = np.abs(better.sums - found.sums) + better.doubts
    elif not task.on_data:
        doubts = roughly(found, *question, _share(asked)).doubts
    else:
        doubts = _doubts_on_points(asked, found)
    return Observables.of(found.samples, found.sums, doubts, outputs=task.outputs)


def _doubts_on_points(asked: Question, found: Observables) -> Array:
    """Beside these, what a theory that takes each sample for new leaves out."""
    N, points, task = asked.samples, asked.task.labelled.points, asked.task
    question = asked.modes, asked.power, task.ridge, asked.noise
    if task.labelled.tested == "pool":
        refuse_repeated(task.ridge, points)
        rough = roughly(found, *question, _share(asked, "points drawn twice")).doubts
        # a point drawn again is a point less, but for a determinant of the ridge
        distinct = -points * np.expm1(N * np.log1p(-1 / points))
        fewer = observables(*question[:2], distinct, *question[2:]).sums
        fewer[:, -1] += (N - distinct) * np.log(task.ridge)
        return np.asarray(rough + MARGIN * np.abs(fewer - found.sums))
    # only the test is on the others; the training set is rarer by the share of points it takes
    rough = roughly(found, *question, _share(asked, "points seen before") + N / points).doubts
    rough[:, 0] = roughly(found, *question, _share(asked)).doubts[:, 0]
    return rough


def _share(asked: Question, *without: str) -> Array:
    """(sizes,) of the planar test error that is in doubt, some of the reasons left out."""
    curve = planar_curve(asked)
    doubts = [some for name, some in curve.uncertainties.items() if name not in without]
    return np.asarray(sum(doubts) / np.where(curve.error > 0, curve.error, 1))


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


def predict_features(
    model: Model, task: Task, samples: Sizes, features: Any, *, method: str | None = None
) -> RandomFeatures:
    """The test error of a network of which only the last layer is trained, `features` units wide.

    See `features.random_features`; the kernel is the model's, the network's NNGP for instance.

    method  "planar": Gaussian features, at once; "crossing": the units of a network of one hidden
            layer as they are, on the sphere, with pairs of samples and of units that cross, half a
            second for each size, some seconds with an input bias. Left out, crossing where the
            units are known, and planar elsewhere

    >>> from fieldtheory.model.network import Network
    >>> task = Task.sphere(5, "x0", ridge=0.1)
    >>> narrow = predict_features(Network(2, kernel="nngp"), task, 40, [10, 100])
    >>> bool(narrow.error[0] > narrow.error[1]), narrow.crossing.tolist()
    (True, [True, True])
    """
    asked = _question(model, task, samples)
    known = task.on_sphere and one_layer(model)
    chosen = method or ("crossing" if known else "planar")
    if checks.choice("method", chosen, METHODS) == "crossing" and not known:
        raise OutOfRegime(
            "features are known to be functions of one random direction on the sphere, for "
            "Network(depth=2, kernel='nngp'): give these, or ask for method 'planar'"
        )
    drawn = None
    if chosen == "crossing" and isinstance(model, Network) and isinstance(asked.modes, Spectrum):
        drawn = units(model, asked.modes, task.input_norm)
    found = random_features(
        asked.modes,
        asked.power,
        asked.samples.astype(int).tolist(),
        features,
        ridge=task.ridge,
        noise=asked.noise,
        units=drawn,
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
