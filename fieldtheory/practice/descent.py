r"""Gradient descent to the minimum of a network's loss, with steps fixed by its tangent kernel.

.. math::
    d_{k+1} = a_k d_k - b_k \nabla L(\theta_k), \qquad \theta_{k+1} = \theta_k + d_{k+1}

While the network is near its linear regime the loss is a quadratic form with curvatures Theta +
ridge, so the extreme eigenvalues of the tangent kernel Theta fix the best step, and, with momentum,
the best sequence of steps: the Chebyshev one. It tends to Polyak's heavy ball, but never lets a
mode grow on the way, where momentum held constant first amplifies the stiffest mode by a third of
the square root of the condition number, and would drive a finite network out of that regime.

Sources: Polyak 1964, https://doi.org/10.1016/0041-5553(64)90137-5 (heavy ball); Golub and Varga
1961, https://doi.org/10.1007/BF01386013 (Chebyshev steps).
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil, log, sqrt
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.mlp import MLP, Sweep

MARGIN = 1.15  # room for the largest curvature to grow while a finite network learns
RISE = 2.0  # the loss may rise by this over the best so far before the step counts as too long
RETRIES = 8  # how often the step may be halved before training gives up
LOOK = 10  # looks at the outputs in one relaxation time; also steps between moves of the bar


@dataclass(frozen=True, eq=False)
class Problem:
    """The loss, as a function of the parameters."""

    start: MLP
    inputs: Array
    labels: Array
    ridge: float

    @cached_property
    def aim(self) -> Array:
        """What f itself, not f - f_0, should become at the inputs."""
        return self.start.forward(self.inputs) + self.labels

    def at(self, theta: Array) -> "Point":
        theta.flags.writeable = False
        return Point(self, theta, self.start.with_parameters(theta))


@dataclass(frozen=True, eq=False)
class Point:
    """The loss and its gradient at one set of parameters."""

    problem: Problem
    theta: Array
    network: MLP

    @cached_property
    def sweep(self) -> Sweep:
        return self.network.sweep(self.problem.inputs)

    @cached_property
    def residual(self) -> Array:
        return self.sweep.outputs - self.problem.aim

    @cached_property
    def moved(self) -> Array:
        return self.theta - self.problem.start.vector

    @cached_property
    def loss(self) -> float:
        square = float(self.residual @ self.residual)
        if self.problem.ridge:
            square += self.problem.ridge * float(self.moved @ self.moved)
        return square / 2

    @cached_property
    def gradient(self) -> Array:
        gradient = self.sweep.pull(self.residual)
        if self.problem.ridge:
            gradient += self.problem.ridge * self.moved
        return gradient


def curvatures(point: Point, reach: float) -> tuple[float, float]:
    """Smallest and largest curvature the steps should serve: tangent kernel plus ridge.

    Eigenvalues that are zero to rounding (a repeated input) cannot be trained and set no pace; nor
    can those below largest / reach, which no affordable number of steps would learn.
    """
    values = np.linalg.eigvalsh(point.sweep.tangent_kernel(point.sweep))
    largest = float(values[-1])
    felt = values[values > values.size * np.finfo(np.float64).eps * largest]
    smallest = float(felt[0]) if felt.size else largest
    highest = largest + point.problem.ridge
    return max(smallest + point.problem.ridge, highest / reach), highest


def strides(lowest: float, highest: float, momentum: bool) -> Iterator[tuple[float, float, float]]:
    """Steps `d <- carry d - rate gradient`, best for curvatures between two bounds.

    The third number bounds what is left of any mode after the step, in the linear theory.
    """
    centre, half = (highest + lowest) / 2, (highest - lowest) / 2
    ratio = half / centre
    left = ratio
    yield 0.0, 1 / centre, left
    fall = ratio
    while True:
        if momentum:
            after = 1 / (2 / ratio - fall)
            left *= after
            yield after * fall, 2 * after / half, left
            fall = after
        else:
            left *= ratio
            yield 0.0, 1 / centre, left


class Descent:
    """The walk to the minimum: strides while the loss obeys, back and shorter when it does not."""

    def __init__(
        self, problem: Problem, tolerance: float, max_steps: int, momentum: bool, bar: Any
    ) -> None:
        self.problem, self.tolerance, self.max_steps = problem, tolerance, max_steps
        self.momentum, self.bar = momentum, bar
        # A condition number above this needs more than max_steps for any accuracy.
        reach = 2 * max_steps / log(2 / min(tolerance, 0.5))
        self.reach = max(4.0, reach) ** (2 if momentum else 1)
        self.shorter, self.rises, self.restarts, self.losses = 1.0, 0, 0, list[float]()
        self.remaining, self.condition = 1.0, 1.0

    def minimise(self) -> Point:
        best = self.problem.at(self.problem.start.vector.copy())
        self.losses.append(best.loss)
        low, high = curvatures(best, self.reach)
        if high <= self.problem.ridge:
            raise OutOfRegime(
                "the tangent kernel at the inputs is zero, so no step changes any output: raise "
                "weight_variance or bias_variance"
            )
        self.condition = high / low
        while True:
            best, end = self._cycle(best, low, high * MARGIN * self.shorter)
            if end == "done":
                return best
            self.restarts += 1
            self.rises += end == "rise"
            self.shorter *= 2 if end == "rise" else 4
            if self.rises > RETRIES:
                raise OutOfRegime(
                    f"the loss keeps rising, even with the step halved {RETRIES} times (best "
                    f"{best.loss:.3g}, at the start {self.losses[0]:.3g}): width "
                    f"{self.problem.start.biases[0].size} is too far from the linear regime for "
                    "these labels. Lower label_scale, or raise width or ridge"
                )
            low, high = curvatures(best, self.reach)

    def _cycle(self, start: Point, low: float, high: float) -> tuple[Point, str]:
        """Strides from `start` until done, or until a shorter step is called for: the best point.

        It is called for when the loss rises, or when the outputs are restless: rocking across the
        kinks of ReLU, by an amount in proportion to the step.
        """
        point = best = start
        window = _Window.of(low, high, self.momentum)
        direction = np.zeros_like(start.theta)
        for carry, rate, left in strides(low, high, self.momentum):
            if self._finished(point, window):
                return point, "done"
            if window.restless:
                return best, "restless"
            direction *= carry
            direction -= rate * point.gradient
            with np.errstate(over="ignore", invalid="ignore"):
                point = self.problem.at(point.theta + direction)
                self.losses.append(point.loss)
            # Written so that a loss that is not a number counts as risen.
            if not point.loss <= RISE * max(best.loss, start.loss * left**2):
                return best, "rise"
            if point.loss < best.loss:
                best = point
        raise AssertionError("strides never end")

    def _finished(self, point: Point, window: "_Window") -> bool:
        steps = len(self.losses) - 1
        labels = float(np.linalg.norm(self.problem.labels))
        if labels == 0.0:
            self.remaining = 0.0  # f = f_0 is the minimum, and the start
            return True
        misfit = float(np.linalg.norm(point.residual)) / labels
        change = window.change(point.sweep.outputs) / labels if self.problem.ridge else misfit
        # Before the window is full nothing bounds the distance better than the misfit.
        self.remaining = min(change, misfit) if self.problem.ridge else misfit
        if steps % LOOK == 0:
            self.bar.update(steps - self.bar.n)
            self.bar.set_postfix_str(f"distance {self.remaining:.1e}", refresh=False)
        return self.remaining <= self.tolerance or steps >= self.max_steps


class _Window:
    """The outputs over the last relaxation time, in which the linear theory forgets a factor e^2.

    With a ridge the gradient of a ReLU network need not vanish at the minimum (it may sit on
    kinks), so the outputs coming to rest is the sign of arrival; what they moved in one relaxation
    time is then more than what is left to go.
    """

    def __init__(self, relaxation: float) -> None:
        self.spacing, self.taken = max(1, ceil(relaxation / LOOK)), 0
        self.past: deque[Array] = deque(maxlen=LOOK)
        self.before, self.restless = np.inf, False

    @classmethod
    def of(cls, low: float, high: float, momentum: bool) -> "_Window":
        condition = sqrt(high / low) if momentum else high / low
        return cls(2 / log((condition + 1) / (condition - 1)))

    def change(self, outputs: Array) -> float:
        """The largest distance of `outputs` from those in the window; infinite until it is full.

        Over two relaxation times it should fall by e^4; outputs it did not even halve for are
        `restless`.
        """
        full = len(self.past) == LOOK
        moved = max(float(np.linalg.norm(outputs - p)) for p in self.past) if full else np.inf
        if full and self.taken % (2 * LOOK * self.spacing) == 0:
            self.restless = moved > self.before / 2
            self.before = moved
        if self.taken % self.spacing == 0:
            self.past.append(outputs)
        self.taken += 1
        return moved
