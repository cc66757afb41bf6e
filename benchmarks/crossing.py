"""How good are predictions beyond the planar theory, and what do they cost?

Errors of three predictions, in per cent of the measured error of exact regression: planar (as
published), and with crossing diagrams of two and of three samples. Eigenvalues (1 + l)^-3 of
K(1) = 1, target power 1 at degrees 1 and 2. Below, the same on a finite pool of points, drawn with
replacement, and the CPU time of 50-point curves: of given eigenvalues beside what `cost` foretells,
and of `predict` from network to curve beside the target and the planar curve.

    python benchmarks/crossing.py [seconds per measured number]     (4 unless given: two minutes)
"""

import sys
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

import fieldtheory as ft
from fieldtheory.model.diagrams.beyond import beyond, cost
from fieldtheory.model.network import Network
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.points.pool import pooled
from fieldtheory.model.spectrum import Spectrum, spectrum

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.oracles.spherical import count, one_error

TIME = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
CASES = (  # dimension, last degree, ridge, noise, ensemble, numbers of samples
    (5, 8, 0.01, 0.0, "poisson", (20, 40, 80)),
    (3, 12, 0.05, 0.0, "poisson", (5, 20, 80)),
    (5, 8, 0.01, 0.0, "fixed", (8, 20, 80)),
    (2, 16, 0.05, 0.0, "fixed", (16, 32)),
    (3, 12, 0.05, 0.1, "fixed", (20, 50)),
    (4, 8, 0.01, 0.0, "fixed", (60, 120)),
    (6, 6, 0.01, 0.0, "fixed", (200,)),
    (8, 5, 0.01, 0.0, "fixed", (240,)),
)


def case(d, last):
    """The spectrum and the target power."""
    lam = (1.0 + np.arange(last + 1)) ** -3
    lam /= sum(count(d, l) * lam[l] for l in range(last + 1))
    power = np.zeros(last + 1)
    power[1] = power[2] = 1.0
    return Spectrum.of(lam, d), power


def measured(draw):
    """Mean and standard error of as many draws as fit into the time."""
    found, began = [], perf_counter()
    while len(found) < 20 or perf_counter() - began < TIME:
        found.append(draw())
    return np.mean(found), np.std(found, ddof=1) / np.sqrt(len(found))


def draw(question, n, ensemble, rng):
    """The error of one dataset."""
    return one_error(*question, n if ensemble == "fixed" else rng.poisson(n), rng)


def draw_from_pool(kernel, target, ridge, n, rng):
    """The error of one dataset, drawn with replacement."""
    seen = rng.integers(0, target.size, n)
    gram = kernel[np.ix_(seen, seen)] + ridge * np.eye(n)
    return np.mean((kernel[:, seen] @ np.linalg.solve(gram, target[seen]) - target) ** 2)


def line(label, n, truth, error, values):
    cells = "".join(f"{100 * (value / truth - 1):9.1f}" for value in values)
    print(f"{label:34s}{n:6d}{cells}{100 * error / truth:9.1f}")


def on_spheres():
    for d, last, ridge, noise, ensemble, sizes in CASES:
        lines, power = case(d, last)
        N = np.array(sizes, dtype=float)
        kappa = effective_ridge(lines, N, ridge)
        planar = sum(mode_errors(lines, power, N, kappa, noise)).sum(axis=1)
        two, three = (
            beyond(lines, power, N, ridge, noise, clusters=k, ensemble=ensemble) for k in (2, 3)
        )
        question = (d, lines.eigenvalues, power, ridge, noise)
        for i, n in enumerate(sizes):
            truth, error = measured(partial(draw, question, n, ensemble, np.random.default_rng(n)))
            label = f"d = {d}, ridge {ridge}, noise {noise}, {ensemble}"
            line(label, n, truth, error, (planar[i], two.error[i], three.error[i]))


def in_a_pool(points=120, d=6, ridge=0.1):
    """Points in three clumps, labelled by the side of a plane."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((points, d)) + 1.5 * rng.standard_normal((3, d))[np.arange(points) % 3]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    kernel = Network(3).on_sphere(d)(np.clip(x @ x.T, -1, 1))
    target, sizes = np.sign(x[:, 0]), (20, 40, 80)
    two, three = (
        pooled(
            Measure.of(kernel),
            target,
            sizes,
            ridge,
            clusters=k,
            thirds=rng.integers(0, points, 40).tolist() if k == 3 else None,
        )
        for k in (2, 3)
    )
    for i, n in enumerate(sizes):
        truth, error = measured(partial(draw_from_pool, kernel, target, ridge, n, rng))
        values = (two.planar[i], two.error[i], three.error[i])
        line(f"{points} points, 40 thirds", n, truth, error, values)


TARGETS = {2: 0.5, 3: 5.0}  # seconds for a 50-point curve with so many samples at a time
SIZES = np.unique(np.geomspace(5, 1000, 50).round())


def seconds(work, rounds=3):
    """The least CPU time of one call."""
    found = []
    for _ in range(rounds):
        began = process_time()
        work()
        found.append(process_time() - began)
    return min(found)


def times():
    print(f"\n{SIZES.size}-point curves at fixed samples, all lower orders included: CPU seconds,")
    print("and in brackets billions of operations foretold by `cost`")
    for name, lines, power, ridge in (
        ("d = 3, 13 degrees, ridge 0.05", *case(3, 12), 0.05),
        ("d = 5, 9 degrees, ridge 0.01", *case(5, 8), 0.01),
        *(relu(d) for d in (2, 3, 5, 10, 50)),
    ):
        spent = []
        for clusters in TARGETS:
            work = partial(beyond, lines, power, SIZES, ridge, 0.0, clusters=clusters)
            spent.append(seconds(work, 2))
        foretold = [cost(lines, SIZES, k) / 1e9 for k in TARGETS]
        cells = (f"{a:6.2f} ({b:.2f})" for a, b in zip(spent, foretold, strict=True))
        print(f"{name:44s}two samples {next(cells)}   three {next(cells)}")


def targets():
    """From a depth-3 ReLU network to its curve."""
    print(f"\npredict, {SIZES.size} sizes from 5 to 1000, depth-3 ReLU: CPU seconds, of which the")
    print("spectrum; times the planar curve; and whether the target is met")
    columns = ("d", "spectrum", "planar", *(f"{k} samples" for k in TARGETS), "ratios", "targets")
    print("".join(f"{name:>12s}" for name in columns))
    for d in (2, 3, 5, 10, 50):
        network, task = ft.Network(3), ft.Task.sphere(d, [0, 0.5, 0.5])
        modes = seconds(lambda d=d: spectrum(Network(3).on_sphere(d), d))
        planar = seconds(partial(ft.predict, network, task, SIZES, method="planar"))
        spent = {k: seconds(partial(ft.predict, network, task, SIZES, clusters=k)) for k in TARGETS}
        ratios = " ".join(f"{value / planar:.1f}" for value in spent.values())
        met = " ".join(
            f"{limit:g} {'met' if spent[k] < limit else 'missed'}" for k, limit in TARGETS.items()
        )
        cells = "".join(f"{value:12.3f}" for value in (modes, planar, *spent.values()))
        print(f"{d:12d}{cells}{ratios:>12s}   {met}")


def relu(d):
    """A depth-4 network without a ridge."""
    lines = spectrum(Network(4).on_sphere(d), d)
    power = np.zeros(lines.eigenvalues.size)
    power[1] = power[2] = 0.5
    return f"ReLU, d = {d}, {power.size} degrees, no ridge", lines, power, lines.tail


print(f"{'':34s}{'N':>6s}{'planar':>9s}{'two':>9s}{'three':>9s}{'s.e.':>9s}")
on_spheres()
in_a_pool()
times()
targets()
