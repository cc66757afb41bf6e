"""How good are the predictions? Exact regression on random spheres, against every order.

Monte Carlo first, kept in `accuracy.json` beside this script: each number is the mean over
datasets of the exactly integrated test error, with its standard error. An interrupt loses at most
the last batch; the next run goes on from there. Then the predictions are scored, and the page
docs/accuracy.md is written.

    python benchmarks/accuracy.py              measure what is missing (about fifteen minutes)
    python benchmarks/accuracy.py --page       score, and write docs/accuracy.md
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from tqdm import tqdm

from fieldtheory.model.measures.sphere import harmonics, multiplicity
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import Spectrum, spectrum

HERE = Path(__file__).parent
RESULTS = HERE / "accuracy.json"
SIZES = (5, 12, 30, 80, 200)
LAST = {2: 256, 3: 32, 5: 8, 10: 5, 50: 3}  # degrees listed: all others have no eigenvalue
DECAYS, RIDGES, NOISE = (2.5, 3.0), (0.05, 0.01, 0.0), 0.1
DEPTHS, WIDE = (2, 3, 4, 5, 6), (3, 5, 10)
WANTED, SECONDS, BATCH = 0.006, 40.0, 16  # relative standard error, or as many seconds
EVERY = 2.0  # seconds between writes
SINGULAR = 3  # dimension up to which two close samples and noise have no mean without a ridge


# -- one column of the experiment: a kernel, a ridge ----------------------------------------------


@dataclass(frozen=True, eq=False)
class Column:
    """A spectrum, the target's power, the ridge beside the tail, and the kernel itself."""

    name: str
    lines: Spectrum
    power: np.ndarray
    ridge: float
    kernel: Callable[[np.ndarray], np.ndarray] | None = None  # None: the listed degrees are all

    @cached_property
    def square(self) -> Any:
        """K2 = sum_l deg_l lam_l^2 P_l as a Chebyshev series in the angle, for kernels in t."""
        weights = self.lines.counts * self.lines.eigenvalues**2

        def at(theta: np.ndarray) -> np.ndarray:
            terms = harmonics(self.lines.dimension, np.cos(theta))
            return sum(w * next(terms) for w in weights)

        return np.polynomial.Chebyshev.interpolate(at, 96, domain=[0, np.pi])


def power_law(d: int, decay: float, last: int, ridge: float) -> Column:
    """lam_l ~ (1 + l)^-decay with K(1) = 1, power 1 at degrees 1 and 2."""
    lam = (1.0 + np.arange(last + 1)) ** -decay
    lam /= sum(multiplicity(d, l) * lam[l] for l in range(last + 1))
    power = np.zeros(last + 1)
    power[1:3] = 1.0
    return Column(f"a={decay:g} s2={ridge:g}", Spectrum.of(lam, d), power, ridge)


def relu(d: int, depth: int, ridge: float) -> Column:
    """The tangent kernel of a ReLU network, all variances 1, power 1/2 at degrees 1 and 2."""
    kernel = Network(depth).on_sphere(d)
    lines = spectrum(kernel, d)
    power = np.zeros(lines.eigenvalues.size)
    power[1:3] = 0.5
    return Column(f"depth={depth} s2={ridge:g}", lines, power, ridge, kernel)


@dataclass(frozen=True, eq=False)
class Job:
    """One number of samples; columns share the datasets."""

    grid: str
    d: int
    n: int
    columns: tuple[Column, ...]
    poisson: bool = False

    @property
    def key(self) -> str:
        return f"{self.grid} d={self.d} N={self.n}{' poisson' if self.poisson else ''}"

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]


def jobs() -> Iterator[Job]:
    for d, last in LAST.items():
        for n in SIZES:
            columns = [power_law(d, a, last, s2) for a in DECAYS for s2 in RIDGES]
            yield Job("A", d, n, tuple(columns))
    for d in WIDE:
        wide = tuple(relu(d, depth, s2) for depth in DEPTHS for s2 in (0.0, 0.01))
        for n in (20, 60, 200):
            yield Job("B", d, n, wide)
    for d, last, s2, poisson, sizes in PRINTED:
        for n in sizes:
            yield Job("C", d, n, (power_law(d, 3.0, last, s2),), poisson)


PRINTED = (  # dimension, last degree, ridge, Poisson number of samples, mean numbers of samples
    (5, 8, 0.01, True, (20, 40, 80)),
    (3, 12, 0.05, True, (5, 20, 80)),
    (4, 8, 0.01, False, (60, 120)),
    (6, 6, 0.01, False, (200,)),
    (8, 5, 0.01, False, (240,)),
    (3, 12, 0.05, False, (50,)),
    (2, 16, 0.05, False, (16, 32)),
)


# -- one dataset ----------------------------------------------------------------------------------


def features(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal harmonics of degrees 1 and 2 at the rows of x."""
    d = x.shape[1]
    i, j = np.triu_indices(d, 1)
    contrast = np.zeros((d - 1, d))
    for k in range(1, d):
        contrast[k - 1, :k], contrast[k - 1, k] = 1 / k, -1
        contrast[k - 1] /= np.linalg.norm(contrast[k - 1])
    squares = np.sqrt(d * (d + 2) / 2) * x**2 @ contrast.T
    return np.sqrt(d) * x, np.hstack([np.sqrt(d * (d + 2)) * x[:, i] * x[:, j], squares])


def waves(x: np.ndarray, degrees: int) -> np.ndarray:
    """cos l theta, then sin l theta, on the circle; sqrt(2) short of orthonormal."""
    turn = np.outer(np.arctan2(x[:, 1], x[:, 0]), np.arange(degrees))
    return np.hstack([np.cos(turn), np.sin(turn)])


def on_the_circle(c: Column, x: np.ndarray) -> float:
    """The error without ridge and noise. The kernel matrix is singular in float64, but what is
    left is the part of the target, over sqrt(lam), that no sample sees: a projection."""
    lam, deg = (np.tile(v, 2) for v in (c.lines.eigenvalues, c.lines.counts))
    seen = np.linalg.qr((waves(x, c.power.size) * np.sqrt(deg * lam)).T)[0]
    target = np.diag(np.sqrt(np.tile(c.power, 2) / deg / lam))
    target = target[:, np.any(target > 0, axis=0)]
    left = target - seen @ (seen.T @ target)
    return float(np.sum(lam[:, None] * left**2))


def grams(job: Job, x: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """K and K2 of every column at the rows of x."""
    if job.d == 2:
        parts = waves(x, job.columns[0].power.size)
        for c in job.columns:
            lam, deg = np.tile(c.lines.eigenvalues, 2), np.tile(c.lines.counts, 2)
            yield (parts * deg * lam) @ parts.T, (parts * deg * lam**2) @ parts.T
        return
    t = np.clip(x @ x.T, -1, 1)
    np.fill_diagonal(t, 1.0)
    if job.columns[0].kernel is not None:
        theta = np.arccos(t)
        for c in job.columns:
            yield c.kernel(t), c.square(theta)
        return
    lam = np.array([c.lines.eigenvalues for c in job.columns])
    distinct, which = np.unique(lam, axis=0, return_inverse=True)
    K, K2 = (np.zeros((len(distinct), *t.shape)) for _ in range(2))
    for l, P in zip(range(lam.shape[1]), harmonics(job.d, t), strict=False):
        deg = multiplicity(job.d, l)
        for k, value in enumerate(distinct[:, l]):
            K[k] += deg * value * P
            K2[k] += deg * value**2 * P
    for k in which:
        yield K[k].copy(), K2[k]


def errors(job: Job, rng: np.random.Generator) -> list[float]:
    """The error without noise of every column, and what noise of variance one adds to it.

    For each harmonic y of the target, with a = (K + s2)^-1 y, the error is
    1 - 2 lam_l a y + a K2 a; noise adds tr (K + s2)^-2 K2.
    """
    n = int(rng.poisson(job.n)) if job.poisson else job.n
    if n == 0:
        return [float(c.power.sum()) for c in job.columns] + [0.0] * len(job.columns)
    x = rng.standard_normal((n, job.d))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    one, two = features(x)
    y = np.hstack([one, two])
    clean, noisy = [], []
    for c, (K, K2) in zip(job.columns, grams(job, x), strict=True):
        if job.d == 2 and c.ridge == 0:
            clean.append(on_the_circle(c, x))
            noisy.append(0.0)
            continue
        K[np.diag_indices(n)] += c.ridge
        factor = cho_factor(K, lower=True, check_finite=False)
        share = np.repeat(c.power[1:3] / c.lines.counts[1:3], [one.shape[1], two.shape[1]])
        lam = np.repeat(c.lines.eigenvalues[1:3], [one.shape[1], two.shape[1]])
        if y.shape[1] < n:
            a = cho_solve(factor, y, check_finite=False)
            inverse = None
        else:
            inverse = cho_solve(factor, np.eye(n), check_finite=False)
            a = inverse @ y
        each = 1 - 2 * lam * np.sum(a * y, axis=0) + np.sum(a * (K2 @ a), axis=0)
        clean.append(float(share @ each))
        if job.grid == "B" or (c.ridge == 0 and job.d <= SINGULAR):
            noisy.append(0.0)
            continue
        if inverse is None:
            inverse = cho_solve(factor, np.eye(n), check_finite=False)
        noisy.append(float(np.sum((inverse @ K2) * inverse)))
    return clean + noisy


# -- many of them, kept ---------------------------------------------------------------------------


def load() -> dict[str, Any]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def save(results: dict[str, Any]) -> None:
    beside = RESULTS.with_suffix(".part")
    beside.write_text(json.dumps(results, indent=0) + "\n")
    os.replace(beside, RESULTS)


def summary(found: dict[str, Any], noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard error of every column at that noise."""
    draws, half = found["draws"], len(found["sum"]) // 2
    mean, square = (np.array(found[key]) / draws for key in ("sum", "square"))
    cross = np.array(found["cross"]) / draws
    value = mean[:half] + noise * mean[half:]
    spread = square[:half] + 2 * noise * cross + noise**2 * square[half:] - value**2
    return value, np.sqrt(np.maximum(spread, 0) / (draws - 1))


def measure(job: Job, found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Batches of datasets until the errors are known well enough; `found` is where it stands."""
    half, began = len(job.columns), perf_counter() - found.get("seconds", 0.0)
    total = np.array([found.get("sum", [0.0] * 2 * half), found.get("square", [0.0] * 2 * half)])
    cross, batch = np.array(found.get("cross", [0.0] * half)), found.get("batches", 0)
    while True:
        key = (ord(job.grid), job.d, job.n, job.poisson, batch)
        rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=key))
        rows = np.array([errors(job, rng) for _ in range(BATCH * max(1, 200 // job.n))])
        total += [rows.sum(axis=0), (rows**2).sum(axis=0)]
        cross += np.sum(rows[:, :half] * rows[:, half:], axis=0)
        batch += 1
        found = {
            "N": job.n,
            "names": job.names,
            "draws": found.get("draws", 0) + len(rows),
            "batches": batch,
            "seconds": perf_counter() - began,
            "sum": total[0].tolist(),
            "square": total[1].tolist(),
            "cross": cross.tolist(),
        }
        yield found
        off = [np.max(np.divide(*summary(found, noise)[::-1])) for noise in (0.0, NOISE)]
        if max(off) < WANTED or found["seconds"] > SECONDS:
            yield found | {"finished": True}
            return


def run() -> None:
    results, todo = load(), list(jobs())
    try:
        with tqdm(todo, file=sys.stderr, unit=" points") as bar:
            for job in bar:
                bar.set_description(job.key)
                begun, saved = results.get(job.key, {}), perf_counter()
                for found in () if begun.get("finished") else measure(job, begun):
                    results[job.key] = found
                    if perf_counter() - saved > EVERY:
                        save(results)
                        saved = perf_counter()
    finally:
        save(results)


if __name__ == "__main__":
    if "--page" in sys.argv[1:]:
        from accuracy_page import write

        write()
    else:
        try:
            run()
        except KeyboardInterrupt:
            sys.exit("stopped; run it again to go on")
