"""Two views of what a prediction starts from: the kernel as a curve, and which modes are learnt."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.picture import Picture, Span
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.ground.version import __version__
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.measures.data import DataSpectrum
from fieldtheory.model.planar import equation as planar
from fieldtheory.model.spectrum import Spectrum

LEARNT = 0.5  # a mode counts as learnt where this fraction of it is


@dataclass(frozen=True, eq=False)
class KernelCurve(Pictured, Printed):
    """A kernel of the cosine at some cosines.

    cosines  (points,) t, from -1 to 1
    values   (points,) K(t)
    """

    kernel: Kernel
    cosines: Array
    values: Array

    @staticmethod
    def of(kernel: Kernel, points: int = 21) -> "KernelCurve":
        """K at `points` cosines at equal distances.

        >>> KernelCurve.of(Kernel("linear", lambda t, xp: 1 + t), points=3).values.tolist()
        [0.0, 1.0, 2.0]
        """
        t = np.linspace(-1.0, 1.0, checks.count("points", points, least=2))
        return KernelCurve(kernel, frozen(t), frozen(kernel(t)))

    def to_dict(self) -> dict[str, Any]:
        """The curve as plain data."""
        return {
            "t": self.cosines.tolist(),
            "kernel": self.values.tolist(),
            "trace": self.kernel.trace,
            "name": self.kernel.name,
            "version": __version__,
        }

    def picture(self) -> Picture:
        """K over the cosine, drawn finer than it is listed."""
        return self.kernel.picture()

    def __str__(self) -> str:
        rows = [f"{t:>9.6f}  {K:.10g}" for t, K in zip(self.cosines, self.values, strict=True)]
        head = f"kernel of {self.kernel.name}, K(1) = {self.kernel.trace:.10g}"
        return "\n".join([head, f"{'t':>9s}  K(t)", *rows])


@dataclass(frozen=True, eq=False)
class Learnable(Pictured, Printed):
    r"""A spectrum, and what so many samples teach of it in the planar theory.

    .. math:: L_l = \frac{\lambda_l}{\lambda_l + \kappa}

    samples       N
    kappa         the effective ridge per sample
    learnability  (kinds,) L_l, the fraction of each kind of mode that is learnt
    """

    spectrum: Spectrum | DataSpectrum
    samples: int
    kappa: float
    learnability: Array

    @property
    def learnt(self) -> tuple[tuple[int, int], ...]:
        """First and last of each run of modes that are learnt to one half or more."""
        there = np.flatnonzero(self.learnability >= LEARNT)
        runs = np.split(there, np.flatnonzero(np.diff(there) > 1) + 1) if there.size else []
        return tuple((int(run[0]), int(run[-1])) for run in runs)

    def to_dict(self) -> dict[str, Any]:
        """The spectrum as plain data, with kappa and the learnability."""
        more = {"kappa": self.kappa, "learnability": self.learnability.tolist()}
        return {**self.spectrum.to_dict(), "samples": self.samples, **more}

    def picture(self) -> Picture:
        """The spectrum with the learnable region shaded."""
        first = 1 if isinstance(self.spectrum, DataSpectrum) else 0  # where its picture begins
        spans = [Span("", first + low - 0.5, first + high + 0.5) for low, high in self.learnt]
        if spans:
            label = f"learnable from {self.samples} samples"
            spans[0] = Span(label, spans[0].low, spans[0].high)
        drawn = self.spectrum.picture()
        return drawn + Picture(drawn.title, drawn.x, drawn.y, (), shaded=tuple(spans))

    def __str__(self) -> str:
        runs = [f"{low}" if low == high else f"{low} to {high}" for low, high in self.learnt]
        what = "modes" if isinstance(self.spectrum, DataSpectrum) else "degrees"
        said = f"{what} {', '.join(runs)}" if runs else "nothing yet"
        return (
            f"{self.spectrum}\nlearnt to one half or more by {self.samples} samples (eigenvalue at "
            f"least kappa = {self.kappa:.4g}): {said}"
        )


def learnable(spectrum: Spectrum | DataSpectrum, samples: int, ridge: float = 0.0) -> Learnable:
    """Which modes `samples` samples teach, at a ridge to which the tail is added.

    Raises `OutOfRegime` without a ridge at or beyond the number of modes.

    >>> learnable(Spectrum.of([0.3, 0.05, 0.004], dimension=5), 8, ridge=0.01).learnt
    ((0, 1),)
    """
    modes = spectrum.modes if isinstance(spectrum, DataSpectrum) else spectrum
    size = checks.count("samples", samples, least=1)
    whole = checks.variance("ridge", ridge) + modes.tail
    kappa = float(planar.effective_ridge(modes, np.array([float(size)]), whole)[0])
    lam = modes.eigenvalues
    return Learnable(spectrum, size, kappa, frozen(lam / (lam + kappa)))
