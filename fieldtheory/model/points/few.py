r"""One sample or two of given points: all training sets, one by one.

A handful of samples is the hardest case for diagrams, but two samples are a pair of points, and all
pairs are a matrix. For a training set S, with :math:`A = (K_S + s_2)^{-1}` on it and zero
elsewhere, the predictor is K A y. Everything follows from averages over training sets,

.. math:: m = \langle A y \rangle, \qquad R = \langle A \rangle, \qquad
          B = \langle A y y^T A \rangle + v \langle A^2 \rangle,

with v the noise of all outputs, since for h = f* - y

.. math:: \langle h \rangle = K m - y, \qquad
          \langle h h^T \rangle = K B K - K m\, y^T - y\, m^T K + y y^T.

At the points of S themselves h is :math:`-s_2 A y`, and with label noise :math:`(1 - s_2 A) e`
more; that is taken off where the test is on unseen points.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.labelled import Labelled
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.points.pool import Pooled

MOST = 2  # samples
SAME = 1e-13  # determinant of two samples that are one, over the product of its diagonal


class Few(NamedTuple):
    """Means over training sets, of what is tested: all points, or those not in the set.

    error        summed over outputs
    posterior    variance of the Gaussian process
    residual     (points, outputs) the mean of h; on unseen points, where it is not trained on
    moment       (points, points) the mean of h h^T at all points
    answer       (points, points) R
    """

    error: float
    posterior: float
    residual: Array
    moment: Array
    answer: Array

    def modes(self, measure: Measure) -> tuple[Array, Array, Array]:
        """(modes,) each: of the mean over training sets, of all the error at all points, and what
        the mean of f* has of a target that is the mode."""
        U, root = measure.modes[1], np.sqrt(measure.weights)[:, None]
        mean = U.T @ (root * self.residual)
        total = np.einsum("xi,xi->i", U, (root * self.moment * root.T) @ U)
        shape, there = U / np.where(root > 0, root, 1), measure.kernel @ (root * U)
        learnt = np.einsum("xi,xi->i", there, self.answer @ shape)
        return np.sum(mean**2, axis=1), total, learnt


def exactly(
    curve: Pooled, measure: Measure, data: Labelled, samples: Array, ridge: float, noise: float
) -> Pooled:
    """A curve at fixed numbers of samples, with one and two put right."""
    new = {name: np.array(values) for name, values in vars(curve).items()}
    once = data.tested == "unseen"
    for i, n in enumerate(samples):
        if n > MOST:
            continue
        found = (unseen if once else pool)(measure, data.labels, int(n), ridge, noise)
        bias, total, learnt = found.modes(measure)
        if once:  # shared out, as everywhere on the curve
            total = bias + (found.error - np.sum(bias)) * learnt**2 / np.sum(learnt**2)
        new["error"][i], new["posterior"][i] = found.error, found.posterior
        new["orders"][1:, i] = found.error
        new["bias"][i], new["mode_bias"][i] = np.sum(bias), bias
        new["mode_variance"][i], new["learnability"][i] = total - bias, learnt
        new["remainder"][i] = new["ensemble"][i] = 0.0
        new["reached"][i] = np.max(curve.reached)
    return replace(curve, **new)


def pool(measure: Measure, target: Array, samples: int, ridge: float, noise: float) -> Few:
    """Samples drawn with replacement, tested on all points.

    >>> two = Measure.of(np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> pool(two, np.array([[1.0], [-1.0]]), 2, 0.0, 0.0).error       # (0 + 0 + 2.25 / 2 * 2) / 4
    0.5625
    """
    mu, K = measure.weights, measure.kernel
    sets = mu if samples == 1 else np.outer(mu, mu)
    m, R, B = _averages(K + ridge * np.eye(len(K)), sets, target, noise, ridge)
    residual, moment = _residuals(K, target, m, B)
    posterior = mu @ np.diag(K) - np.sum(R * ((K * mu) @ K))
    return Few(float(mu @ np.diag(moment)), float(posterior), residual, moment, R)


def unseen(measure: Measure, target: Array, samples: int, ridge: float, noise: float) -> Few:
    """Samples drawn without replacement, tested on the points that are left; without a ridge no
    two of the points may coincide.

    >>> three = Measure.of(np.eye(3))
    >>> unseen(three, np.array([[1.0], [1.0], [1.0]]), 2, 0.0, 0.0).error
    1.0
    """
    K, P = measure.kernel, len(measure.kernel)
    sets = np.full(P, 1 / P)
    if samples > 1:
        sets = (1 - np.eye(P)) / (P * (P - 1))
    several, out = target.shape[1], P - samples
    m, R, B = _averages(K + ridge * np.eye(P), sets, target, noise, ridge)
    residual, moment = _residuals(K, target, m, B)
    # what is at the training points: s2^2 a^2, and noise times (1 - s2 A)^2
    inside = ridge**2 * np.trace(B) + noise * several * (samples - 2 * ridge * np.trace(R))
    known = ridge * samples - ridge**2 * np.trace(R)
    posterior = np.trace(K) - np.sum(R * (K @ K)) - known
    return Few(
        float(np.trace(moment) - inside) / out,
        float(posterior) / out,
        (residual + ridge * m) * (P / out),
        moment,
        R,
    )


def _averages(
    ridged: Array, sets: Array, target: Array, noise: float, ridge: float
) -> tuple[Array, Array, Array]:
    """m, R and B over training sets of given probabilities: (points,) of one sample, or (points,
    points) of two. Two samples of one point answer as one, with half the noise."""
    several = target.shape[1]
    own = np.diag(ridged)
    if sets.ndim == 1:
        a = target / own[:, None]
        R = np.diag(sets / own)
        return sets[:, None] * a, R, np.diag(sets * (np.sum(a**2, 1) + noise * several / own**2))
    beside = ridged - ridge * np.eye(len(own))  # K between two samples, which have noise each
    first, second = own[:, None], own[None, :]
    det, both = first * second - beside**2, first * second
    same = det <= SAME * both
    below = np.where(same, 1.0, det)
    one = np.where(same, 0.5 / (first + second), second / below)
    cross = np.where(same, one, -beside / below)
    other = one.T
    R, square = _entered(sets, one, cross), _entered(sets, one**2 + cross**2, cross * (one + other))
    m, B = np.zeros_like(target), noise * several * square
    for k in range(several):
        a = one * target[:, k, None] + cross * target[None, :, k]  # of the first sample
        m[:, k] = 2 * np.sum(sets * a, axis=1)
        B += _entered(sets, a**2, a * a.T)
    return m, R, B


def _entered(sets: Array, own: Array, cross: Array) -> Array:
    """The mean of symmetric 2 x 2 matrices, each in the rows and columns of its two samples."""
    found = 2 * sets * cross
    found[np.diag_indices_from(found)] += 2 * np.sum(sets * own, axis=1)
    return np.asarray(found)


def _residuals(K: Array, target: Array, m: Array, B: Array) -> tuple[Array, Array]:
    """The means of h and of h h^T, summed over outputs."""
    mean = K @ m
    mixed = mean @ target.T
    return mean - target, K @ B @ K - mixed - mixed.T + target @ target.T
