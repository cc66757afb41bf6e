"""The methods of `predict`, from a question to a curve with its own error estimate."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.curve import LearningCurve
from fieldtheory.model.diagrams import featureless, neglected
from fieldtheory.model.diagrams.beyond import Beyond, beyond, cost
from fieldtheory.model.modes import Spectral
from fieldtheory.model.parts import LEFT, kinds, octaves
from fieldtheory.model.planar import equation as theory
from fieldtheory.model.planar.observables import certainty, observables
from fieldtheory.model.points import dressed, finite
from fieldtheory.model.points.pool import Pooled
from fieldtheory.model.points.unseen import on_data
from fieldtheory.model.question import Question, kernel_of
from fieldtheory.model.series.perturbative import Expansion, expand_points, expansion, renormalise
from fieldtheory.model.series.points import Points
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.theory import laws

CAREFUL = 0.3  # estimated relative error from which a curve carries a warning
BUDGET = 5e9  # operations a curve may take unless `clusters` says otherwise: about five seconds
MARGIN = 1.5  # times the estimate of all higher orders: docs/accuracy.md says what that covers
FOLLOWED = 600  # points up to which the order after the last is computed, as an error estimate
TRIPLES = 400  # points up to which words of three samples are summed
COLUMNS = 32  # of the points, whose pairs with all points show how heavy the features' tails are


def planar(question: Question) -> LearningCurve:
    """All non-crossing diagrams."""
    modes, N, power = question.modes, question.samples, question.power
    kappa = theory.effective_ridge(modes, N, question.ridge)
    bias, variance = theory.mode_errors(modes, power, N, kappa, question.noise)
    error = np.sum(bias + variance, axis=-1) + question.unlearnable
    unsure = {
        "crossing diagrams": 2 * np.abs(_neglected(question, kappa)) * error,
        "truncation": (error + question.noise) * _truncation(question, kappa),
    }
    if question.ensemble == "fixed":
        curvature = neglected.poisson(modes, power, N, question.ridge, question.noise)
        unsure["fixed samples"] = np.abs(curvature)
    unsure |= doubts_on_points(question, error, lambda n: planar_error(question, n))
    worst = _worst(unsure, error)
    care = "" if worst < CAREFUL else "; crossing diagrams matter here, so use it with care"
    return question.curve(
        **_columns(question, bias, variance, _learnt(modes.eigenvalues, kappa)),
        **_doubts(unsure),
        kappa=kappa,
        observables=observables(
            modes, power, N, question.task.ridge, question.noise, outputs=question.task.outputs
        ).columns,
        regime=f"all non-crossing diagrams; estimated error at most {_percent(worst)}{care}",
        laws=(laws.SELF_CONSISTENT, laws.GAMMA, laws.PLANAR_ERROR, *question.kernel_laws),
    )


def crossing(question: Question) -> LearningCurve:
    """Planar and crossing diagrams of two or three samples at a time."""
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
        "truncation": (found.error + question.noise) * _truncation(question, found.kappa),
    }
    if question.ensemble == "fixed":
        unsure["fixed samples"] = np.abs(found.ensemble)
    return question.curve(
        **_columns(question, found.bias, found.variance, found.learnability),
        **_doubts(unsure),
        kappa=found.kappa,
        orders=found.orders,
        observables=_certain(question, found.learnability),
        regime=_crossing_regime(found, _worst(unsure, found.error)),
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
    data, kept = task.labelled, question.modes.eigenvalues.size
    clusters = question.clusters or 2
    thirds = _thirds(question) if clusters == 3 and data.tested == "pool" else None
    found = on_data(
        data,
        question.matrix,
        N,
        task.ridge,
        task.noise,
        clusters=clusters,
        ensemble=question.ensemble,
        thirds=thirds,
    )
    unsure = {"higher orders": MARGIN * np.abs(found.remainder)}
    if thirds is not None:
        unsure["choice of third places"] = found.error * _chosen(question, thirds)
    if question.ensemble == "fixed":
        unsure["fixed samples"] = np.abs(found.ensemble)
    columns = _columns(
        question, found.mode_bias[:, :kept], found.mode_variance[:, :kept], found.learnability
    )
    if question.unlearnable:  # its modes are listed here, unlike in the planar theory
        columns["mode_bias"][:, -1] = found.mode_bias[:, kept:].sum(axis=-1)
        columns["mode_variance"][:, -1] = found.mode_variance[:, kept:].sum(axis=-1)
    return question.curve(
        **columns,
        **_doubts(unsure),
        kappa=found.kappa,
        orders=found.orders,
        observables={"posterior_variance": found.posterior},
        regime=_crossing_regime(
            found, _worst(unsure, found.error), "sample" if clusters == 3 else "place"
        ),
        laws=question.kernel_laws,
    )


def _thirds(question: Question) -> list[int] | None:
    """As many third places as memory allows, evenly along the list; None for all of them.

    Raises `OutOfRegime` for more points than have an answer in minutes.
    """
    points = question.task.labelled.points
    if points > TRIPLES:
        raise OutOfRegime(
            f"clusters = 3 on {points} points: words of three samples take minutes at {TRIPLES} "
            "points and grow with the cube. Take clusters = 2, pairs of points at a time, which is "
            "better still, or a random part of the points"
        )
    most = int(finite.MEMORY / (finite.SLOPES * 8.0 * points**2))
    return None if most >= points else list(range(0, points, -(-points // max(most, 1))))


def _chosen(question: Question, thirds: list[int]) -> float:
    """The relative standard error that the choice of third places leaves, at the largest size."""
    task, N = question.task, float(question.samples.max())
    measure, labels = finite.Measure.of(question.matrix), task.labelled.labels
    found = dressed.solve(measure, N, task.ridge, clusters=3, thirds=thirds)
    return found.third_error(labels) / float(np.sum(found.error(labels)))


def _crossing_regime(found: Beyond | Pooled, worst: float, what: str = "sample") -> str:
    most = int(np.max(found.reached))
    words = {1: f"one {what}", 2: f"two {what}s", 3: f"three {what}s"}
    further = isinstance(found, Beyond) and bool(np.any(found.resummed))
    extrapolated = ", higher ones extrapolated" if further else ""
    parts = [f"diagrams of up to {words[most]} at a time{extrapolated}"]
    short = int(np.sum(found.reached < most))
    if short:
        parts.append(f"at {short} of {found.reached.size} sizes fewer, for want of a solution")
    unresolved = float(np.max(found.unresolved)) if isinstance(found, Beyond) else 0.0
    if unresolved > 0.01:
        parts.append(f"{_percent(unresolved)} of the loop in degrees that do not cross")
    parts.append(f"estimated error at most {_percent(worst)}")
    if worst >= CAREFUL:
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
    seen = _seen_before(question, found.error)
    more = "".join(
        f"; {name}: at most {_percent(_worst({name: seen[name]}, found.error))} more"
        for name in seen
    )
    return question.curve(
        **_columns(question, bias, variance, _learnt(eigenvalues, kappa)),
        **_doubts({"next order": found.uncertainty, **seen}),
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


def _seen_before(question: Question, error: Array) -> dict[str, Array]:
    """Where the test is on unseen points and the theory has it on all: those trained on have an
    error too, between none and as much as the others.

    Raises `OutOfRegime` where no point is left.
    """
    if not question.task.on_data or question.task.labelled.tested == "pool":
        return {}
    points, N = question.task.labelled.points, question.samples
    if N.max() >= points:
        raise OutOfRegime(
            f"{N.max():g} samples of {points} points, tested on the others: there are none. Ask "
            f"for at most {points - 1}"
        )
    share = N / (points - N)
    return {"points seen before": error * share.reshape(-1, *[1] * (error.ndim - 1))}


def doubts_on_points(
    question: Question, error: Array, at: Callable[[Array], Array]
) -> dict[str, Array]:
    """What a theory that takes each sample for new leaves out: points seen before, or drawn twice.

    error  (sizes, ...) of the theory, and `at` gives it at other numbers of samples (sizes,)

    A point drawn twice teaches hardly more than once, so that the curve is rather that of the
    distinct points. Raises `OutOfRegime` where no unseen point is left.
    """
    if not question.task.on_data or question.task.labelled.tested != "pool":
        return _seen_before(question, error)
    points = question.task.labelled.points
    distinct = -points * np.expm1(question.samples * np.log1p(-1 / points))
    return {"points drawn twice": MARGIN * np.abs(at(distinct) - error)}


def planar_error(question: Question, samples: Array) -> Array:
    """(sizes,) the planar error at any numbers of samples."""
    modes, power = question.modes, question.power
    kappa = theory.effective_ridge(modes, samples, question.ridge)
    parts = theory.mode_errors(modes, power, samples, kappa, question.noise)
    return np.asarray(np.sum(parts[0] + parts[1], axis=-1) + question.unlearnable)


def _certain(question: Question, learnt: Array) -> dict[str, Array]:
    """What follows from learnability alone, by whatever method."""
    variance, dimension = certainty(question.modes, question.samples, learnt, question.task.ridge)
    return {"posterior_variance": variance, "effective_dimension": dimension}


def _truncation(question: Question, kappa: Array) -> Array:
    """What the tail does beyond being a ridge, relative: a mode of it counts lam kappa / (lam +
    kappa), not lam, in N kappa."""
    modes = question.modes
    share = np.minimum(modes.tail_eigenvalue / kappa, 1) / (question.samples * kappa)
    return np.asarray(2 * modes.tail * share)


def _neglected(question: Question, kappa: Array) -> Array:
    """Relative size of the first crossing diagrams."""
    modes, power, N = question.modes, question.power, question.samples
    if isinstance(modes, Spectrum):
        return neglected.crossing(modes, power, N, kappa)
    excess = _excess(question, kappa) if question.task.on_data else 1.0
    return featureless.crossing(modes, power, N, kappa, excess)


def _excess(question: Question, kappa: Array) -> Array:
    """(sizes,) the mean fourth power of the dressed propagator between points, over a Gaussian's;
    not less than a Gaussian's."""
    found = question.found
    lam, phi = found.eigenvalues, found.functions
    some = phi[:: max(found.points // COLUMNS, 1)]
    heavy = []
    for k in kappa:
        c = (phi * (lam * k / (lam + k))) @ some.T
        c = c[c < np.max(c, axis=0)]  # not a point with itself
        heavy.append(np.mean(c**4) / (3 * np.mean(c**2) ** 2))
    return np.maximum(heavy, 1.0)


def _doubts(unsure: dict[str, Array]) -> dict[str, Any]:
    """The uncertainty and what it is made of."""
    return {"uncertainty": np.asarray(sum(unsure.values())), "uncertainties": unsure}


def _worst(unsure: dict[str, Array], error: Array) -> float:
    total = np.asarray(sum(unsure.values()))
    return float(np.max(total / np.where(error > 0, error, 1), where=error > 0, initial=0.0))


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.{'2g' if fraction < 1 else '0f'}} %"
