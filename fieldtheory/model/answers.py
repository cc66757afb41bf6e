"""The methods of `predict`, from a question to a curve with its own error estimate."""

from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.curve import LearningCurve
from fieldtheory.model.diagrams import neglected
from fieldtheory.model.diagrams.beyond import Beyond, beyond, cost
from fieldtheory.model.doubts import (
    MARGIN,
    Doubts,
    doubts_on_points,
    percent,
    planar_error,
    seen_before,
    truncation,
)
from fieldtheory.model.doubts import crossing as neglected_crossing
from fieldtheory.model.modes import Spectral
from fieldtheory.model.parts import LEFT, kinds, octaves
from fieldtheory.model.planar import equation as theory
from fieldtheory.model.planar.observables import certainty, observables
from fieldtheory.model.points import thirds as third_places
from fieldtheory.model.points.pool import Pooled, affordable
from fieldtheory.model.points.unseen import on_data
from fieldtheory.model.question import Question, kernel_of
from fieldtheory.model.series.perturbative import Expansion, expand_points, expansion, renormalise
from fieldtheory.model.series.points import Points
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.theory import laws

BUDGET = 5e9  # operations a curve may take unless `clusters` says otherwise: about five seconds
FOLLOWED = 600  # points up to which the order after the last is computed, as an error estimate


def planar(question: Question) -> LearningCurve:
    """All non-crossing diagrams."""
    modes, N, power = question.modes, question.samples, question.power
    kappa = theory.effective_ridge(modes, N, question.ridge)
    bias, variance = theory.mode_errors(modes, power, N, kappa, question.noise)
    error = np.sum(bias + variance, axis=-1) + question.unlearnable
    unsure = {
        "crossing diagrams": 2 * np.abs(neglected_crossing(question, kappa)) * error,
        "truncation": (error + question.noise) * truncation(question, kappa),
    }
    if question.ensemble == "fixed":
        curvature = neglected.poisson(modes, power, N, question.ridge, question.noise)
        unsure["fixed samples"] = np.abs(curvature)
    unsure |= doubts_on_points(question, error, lambda n: planar_error(question, n))
    doubts = Doubts(question, error, unsure)
    care = "; crossing diagrams matter here, so use it with care" if doubts.careful else ""
    return question.curve(
        **_columns(question, bias, variance, _learnt(modes.eigenvalues, kappa)),
        **doubts.columns,
        kappa=kappa,
        observables=observables(
            modes, power, N, question.task.ridge, question.noise, outputs=question.task.outputs
        ).columns,
        regime=f"all non-crossing diagrams; {doubts}{care}",
        laws=(laws.SELF_CONSISTENT, laws.GAMMA, laws.PLANAR_ERROR, *question.kernel_laws),
    )


def crossing(question: Question) -> LearningCurve:
    """Planar and crossing diagrams of two, three or four samples at a time."""
    if question.task.on_data:
        return _crossing_on_data(question)
    modes = question.modes
    if not isinstance(modes, Spectrum):
        raise OutOfRegime(
            f"method 'crossing' on {getattr(modes, 'measure', 'given modes')}: it needs more than "
            "eigenvalues, the sphere's harmonics or given points. Use method 'planar', or draw "
            "points from the measure and give them to Task.data"
        )
    found = beyond(
        modes,
        question.power,
        question.samples,
        question.ridge,
        question.noise,
        clusters=question.clusters or _affordable(modes, question.samples),
        ensemble=question.ensemble,
    )
    unsure = {
        "higher orders": MARGIN * np.abs(found.remainder),
        "truncation": (found.error + question.noise) * truncation(question, found.kappa),
    }
    if question.ensemble == "fixed":
        unsure["fixed samples"] = np.abs(found.ensemble)
    doubts = Doubts(question, found.error, unsure)
    return question.curve(
        **_columns(question, found.bias, found.variance, found.learnability),
        **doubts.columns,
        kappa=found.kappa,
        orders=found.orders,
        observables=_certain(question, found.learnability),
        regime=_crossing_regime(found, doubts),
        laws=(
            laws.SELF_CONSISTENT,
            laws.WORDS_APART,
            laws.WORDS_TOGETHER,
            *question.kernel_laws,
        ),
    )


def _affordable(modes: Spectrum, samples: Array) -> int:
    """The most samples at a time that take a few seconds."""
    return 3 if cost(modes, samples, 3) <= BUDGET else 2


def _crossing_on_data(question: Question) -> LearningCurve:
    task, N = question.task, question.samples
    affordable(task.labelled.points)  # before the spectrum, which takes minutes of many points
    data, kept = task.labelled, question.modes.eigenvalues.size
    clusters = question.clusters or 2
    words = clusters == 3 and data.tested == "pool"
    thirds = third_places.affordable(data.points) if words else None
    found = on_data(
        data,
        question.matrix,
        N,
        task.ridge,
        task.noise,
        clusters=clusters,
        ensemble=question.ensemble,
        thirds=thirds,
        memory=question.memory,
    )
    unsure = {"higher orders": MARGIN * np.abs(found.remainder)}
    if thirds is not None:
        asked = float(N.max()), task.ridge
        unsure["choice of third places"] = found.error * third_places.chosen(
            question.matrix, data.labels, asked, thirds, question.memory
        )
    if question.ensemble == "fixed":
        unsure["fixed samples"] = np.abs(found.ensemble)
    columns = _columns(
        question,
        found.mode_bias[:, :kept],
        found.mode_variance[:, :kept],
        found.learnability[:, :kept],
    )
    if question.unlearnable:  # its modes are listed here, unlike in the planar theory
        columns["mode_bias"][:, -1] = found.mode_bias[:, kept:].sum(axis=-1)
        columns["mode_variance"][:, -1] = found.mode_variance[:, kept:].sum(axis=-1)
    doubts = Doubts(question, found.error, unsure)
    return question.curve(
        **columns,
        **doubts.columns,
        kappa=found.kappa,
        orders=found.orders,
        observables={"posterior_variance": found.posterior},
        regime=_crossing_regime(found, doubts, "sample" if clusters == 3 else "place"),
        laws=question.kernel_laws,
    )


def _crossing_regime(found: Beyond | Pooled, doubts: Doubts, what: str = "sample") -> str:
    most = int(np.max(found.reached))
    words = {1: f"one {what}", 2: f"two {what}s", 3: f"three {what}s", 4: f"four {what}s"}
    further = isinstance(found, Beyond) and bool(np.any(found.resummed))
    extrapolated = ", higher ones extrapolated" if further else ""
    parts = [f"diagrams of up to {words[most]} at a time{extrapolated}"]
    short = int(np.sum(found.reached < most))
    if short:
        parts.append(f"at {short} of {found.reached.size} sizes fewer, for want of a solution")
    unresolved = float(np.max(found.unresolved)) if isinstance(found, Beyond) else 0.0
    if unresolved > 0.01:
        parts.append(f"{percent(unresolved)} of the loop in degrees that do not cross")
    parts.append(str(doubts))
    if doubts.careful:
        parts.append("higher orders matter here, so use it with care")
    return "; ".join(parts)


# The series ---------------------------------------------------------------------------------------


def equivalent(question: Question) -> LearningCurve:
    """The leading order in 1 / samples."""
    return _series(question, 0)


def perturbative(question: Question) -> LearningCurve:
    """The series through an order in 1 / samples."""
    return _series(question, question.order)


def renormalised(question: Question) -> LearningCurve:
    """The series of the trimmed kernel, the rest of it on the ridge."""
    task = question.task
    if not task.on_sphere:
        raise OutOfRegime(
            "method 'renormalised' trims a power series in the cosine, so it needs the sphere: "
            "give Task.sphere, or use 'planar'"
        )
    keep = max(question.keep, task.function.degree)
    kernel = kernel_of(question.model, task)
    trimmed, ridge = renormalise(kernel, task.dimension, keep, task.ridge)
    found = _expansion(question, trimmed, ridge, question.order)
    return _expanded(question, found, trimmed.eigenvalues, ridge, (laws.RENORMALISED_RIDGE,))


def _series(question: Question, order: int) -> LearningCurve:
    modes, task = question.modes, question.task
    # a tail alone is no ridge, for it depends on where the list was cut
    ridge = question.ridge if task.ridge > 0 else 0.0
    if not task.on_data:
        found = _expansion(question, modes, ridge, order)
    else:
        noise = task.noise * task.outputs  # what is in no mode is among the labels already
        found = expand_points(
            Points.of(question.found, task.labelled.labels),
            question.samples,
            ridge,
            noise,
            order=order,
            ensemble=question.ensemble,
            following=task.labelled.points <= FOLLOWED,
        )
    return _expanded(question, found, modes.eigenvalues, ridge)


def _expansion(question: Question, modes: Spectral, ridge: float, order: int) -> Expansion:
    size = modes.eigenvalues.size
    power = np.resize(question.power, size) * (np.arange(size) < question.power.size)
    N, noise = question.samples, question.noise
    return expansion(modes, power, N, ridge, noise, order=order, ensemble=question.ensemble)


def _expanded(
    question: Question,
    found: Expansion,
    eigenvalues: Array,
    ridge: float,
    extra: tuple[Any, ...] = (),
) -> LearningCurve:
    kappa, kept = ridge / question.samples, slice(found.order + 1)
    bias, variance = found.bias[kept].sum(axis=0), found.variance[kept].sum(axis=0)
    seen = seen_before(question, found.error)
    more = "".join(
        f"; {name}: at most {percent(float(np.max(part / np.abs(found.error))))} more"
        for name, part in seen.items()
    )
    return question.curve(
        **_columns(question, bias, variance, _learnt(eigenvalues, kappa)),
        **Doubts(question, found.error, {"next order": found.uncertainty, **seen}).columns,
        kappa=kappa,
        regime=found.regime + more,
        label=f"{question.method}, order {found.order}",
        laws=(*extra, *question.kernel_laws),
    )


# What the methods share ---------------------------------------------------------------------------


def _columns(question: Question, bias: Array, variance: Array, learnt: Array) -> dict[str, Any]:
    """Bias, variance and learnability in the parts that are shown."""
    if not question.task.on_data:
        names = () if question.task.on_sphere else kinds(question.modes)
        return {
            "mode_bias": bias,
            "mode_variance": variance,
            "learnability": learnt,
            "parts": names,
        }
    parts = octaves(bias.shape[-1])
    nothing = np.zeros((len(bias), 1 if question.unlearnable else 0))
    return {
        "mode_bias": np.hstack([parts.summed(bias), nothing + question.unlearnable]),
        "mode_variance": np.hstack([parts.summed(variance), nothing]),
        "learnability": np.hstack([parts.averaged(learnt, question.power), nothing]),
        "parts": parts.names + (LEFT,) * nothing.shape[1],
    }


def _learnt(eigenvalues: Array, kappa: Array) -> Array:
    """(sizes, kinds) L."""
    return np.asarray(eigenvalues / (eigenvalues + kappa[:, None]))


def _certain(question: Question, learnt: Array) -> dict[str, Array]:
    """What follows from learnability alone, by whatever method."""
    variance, dimension = certainty(question.modes, question.samples, learnt, question.task.ridge)
    return {"posterior_variance": variance, "effective_dimension": dimension}
