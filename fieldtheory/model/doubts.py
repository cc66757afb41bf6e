"""How far an answer of `predict` can be trusted: what each theory leaves out, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams import featureless, neglected
from fieldtheory.model.planar import equation as theory
from fieldtheory.model.question import Question
from fieldtheory.model.spectrum import Spectrum

CAREFUL = 0.3  # estimated relative error from which a curve carries a warning
HOPELESS = 10.0  # and from which a percentage says nothing
MARGIN = 1.5  # times the estimate of all higher orders: docs/accuracy.md says what that covers
COLUMNS = 32  # of the points, whose pairs with all points show how heavy the features' tails are
ROUNDING = 1e-9  # relative, what solvers and interpolation leave


@dataclass(frozen=True, eq=False)
class Doubts:
    """The uncertainty of a curve, part by part, each (sizes,).

    What every theory leaves out is added: rounding; and of a Poisson number of samples that there
    may be none, which no power of 1/N knows.
    """

    question: Question
    error: Array
    given: dict[str, Array]

    @cached_property
    def parts(self) -> dict[str, Array]:
        """By name, all of them."""
        found = {**self.given, "rounding": ROUNDING * np.abs(self.error)}
        if self.question.ensemble == "poisson":
            nothing = np.exp(-self.question.samples)
            found["no samples at all"] = nothing * float(np.sum(self.question.power))
        return found

    @property
    def columns(self) -> dict[str, Any]:
        """The uncertainty and what it is made of, for a curve."""
        return {"uncertainty": np.asarray(sum(self.parts.values())), "uncertainties": self.parts}

    @cached_property
    def relative(self) -> Array:
        """(sizes,) in parts of the error."""
        total = np.asarray(sum(self.parts.values()))
        return np.where(self.error > 0, total / np.where(self.error > 0, self.error, 1), 0.0)

    @property
    def careful(self) -> bool:
        """Whether a curve carries a warning."""
        return bool(np.max(self.relative) >= CAREFUL)

    def __str__(self) -> str:
        """The largest, where along the curve it is, and where it comes from if from the list."""
        worst = int(np.argmax(self.relative))
        where = f", at N = {self.question.samples[worst]:.0f}" if self.relative.size > 1 else ""
        text = f"estimated error at most {percent(float(self.relative[worst]))}{where}"
        cut = self.parts.get("truncation")
        if cut is not None and self.careful and 2 * cut[worst] > self.columns["uncertainty"][worst]:
            text += ", most of it from modes that are not listed"
        return text


def percent(fraction: float) -> str:
    """In words."""
    if fraction < 1e-8:
        return "a millionth of a per cent"
    if fraction > HOPELESS:
        return "many times the answer"
    return f"{100 * fraction:.{'2g' if fraction < 1 else '0f'}} %"


def seen_before(question: Question, error: Array) -> dict[str, Array]:
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
        return seen_before(question, error)
    points = question.task.labelled.points
    distinct = -points * np.expm1(question.samples * np.log1p(-1 / points))
    return {"points drawn twice": MARGIN * np.abs(at(distinct) - error)}


def planar_error(question: Question, samples: Array) -> Array:
    """(sizes,) the planar error at any numbers of samples."""
    modes, power = question.modes, question.power
    kappa = theory.effective_ridge(modes, samples, question.ridge)
    parts = theory.mode_errors(modes, power, samples, kappa, question.noise)
    return np.asarray(np.sum(parts[0] + parts[1], axis=-1) + question.unlearnable)


def truncation(question: Question, kappa: Array) -> Array:
    """What the tail does beyond being a ridge, relative: a mode of it counts lam kappa / (lam +
    kappa), not lam, in N kappa."""
    modes = question.modes
    share = np.minimum(modes.tail_eigenvalue / kappa, 1) / (question.samples * kappa)
    return np.asarray(2 * modes.tail * share)


def crossing(question: Question, kappa: Array) -> Array:
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
