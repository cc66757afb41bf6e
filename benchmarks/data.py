"""Real data: predictions beside measured kernel regression, on digits and on diabetes.

Kernel: the tangent kernel of a depth-3 ReLU network. Errors of the predictions in per cent of the
measured error, with its standard error: planar as published (from the spectrum alone), planar
diagrams place by place, one place at a time exactly, and pairs of places, which is the method
"crossing". Training sets are drawn from all points, with replacement, and tested on all of them; or
without, and tested on the others ("unseen").

    python benchmarks/data.py [seconds per measured number] [--all]     (3 unless given)

`--all` adds the 1797 digits, all ten classes at once: some minutes.
"""

import sys
from time import perf_counter

import numpy as np
from timing import seconds

import fieldtheory as ft
from fieldtheory.model.labelled import Labelled
from fieldtheory.model.measures.data import gram_spectrum
from fieldtheory.model.measures.gram import gram
from fieldtheory.model.planar import equation as planar
from fieldtheory.model.points.unseen import on_data
from fieldtheory.practice.dataset import dataset
from fieldtheory.practice.resampled import Resampled

NUMBERS = [word for word in sys.argv[1:] if not word.startswith("-")]
TIME = float(NUMBERS[0]) if NUMBERS else 3.0
NETWORK = ft.Network(depth=3, activation="relu", weight_variance=2, bias_variance=0.1)


def digits(points, parity):
    """Some of the images, after a shuffle; labels odd and even, or one class against the rest."""
    data = dataset("digits").centred().on_sphere()
    data = data.take(np.random.default_rng(0).permutation(data.points)[:points])
    even = np.where(np.argmax(data.labels, axis=1) % 2 == 0, 1.0, -1.0)
    return (
        f"digits, {points}, {'parity' if parity else '10 classes'}",
        data.inputs,
        (even if parity else data.labels),
    )


def diabetes():
    """All patients, the label with variance one."""
    data = dataset("diabetes").standardised().on_sphere()
    return "diabetes, 442", data.inputs, data.labels / data.labels.std()


def measured(task, matrix, size):
    """Mean and standard error of as many draws as fit into the time."""
    runner, found, began = Resampled(matrix, task), [], perf_counter()
    while len(found) < 20 or perf_counter() - began < TIME:
        found.append(runner(size, np.random.SeedSequence(1, spawn_key=(size, len(found)))))
    return np.mean(found), np.std(found, ddof=1) / np.sqrt(len(found))


def published(task, matrix, sizes):
    """The planar theory of the eigenvalues alone, all places being alike to it."""
    modes = gram_spectrum(matrix)
    kappa = planar.effective_ridge(modes.modes, sizes, task.ridge + modes.tail)
    power, noise = modes.power(task.labelled.labels), task.noise * task.outputs
    return np.sum(planar.mode_errors(modes.modes, power, sizes, kappa, noise), axis=(0, 2))


def compare(name, inputs, labels, sizes, ridge, noise=0.0):
    """One line for each size and each way of testing."""
    matrix, N = gram(NETWORK, inputs), np.array(sizes, dtype=float)
    worst = {}
    for tested in ("pool", "unseen"):
        task = ft.Task.data(inputs, labels, noise, ridge=ridge, tested=tested, name=name)
        began = perf_counter()
        curve = on_data(task.labelled, matrix, sizes, ridge, noise)
        spent = perf_counter() - began
        eigen = published(task, matrix, N)
        for i, n in enumerate(sizes):
            truth, error = measured(task, matrix, n)
            values = (eigen[i], *curve.orders[:, i])
            cells = "".join(f"{100 * (value / truth - 1):9.1f}" for value in values)
            stated = f"{100 * abs(curve.remainder[i]) / truth:9.1f}{100 * error / truth:9.1f}"
            print(f"{name:26s}{tested:8s}{ridge:6g}{noise:6g}{n:6d}{truth:10.4f}{cells}{stated}")
            off = abs(curve.error[i] / truth - 1)
            worst[tested] = max(worst.get(tested, 0), off - 2 * error / truth)
        print(f"{'':40s}{len(sizes)} sizes in {spent:.1f} s", flush=True)
    return worst


def times(name, inputs, labels):
    """A curve of fifty sizes."""
    sizes, matrix = np.unique(np.geomspace(20, 400, 50).round()), gram(NETWORK, inputs)
    for tested in ("pool", "unseen"):
        data = Labelled(inputs, labels, name, tested)
        spent = seconds(lambda data=data: on_data(data, matrix, sizes, 0.1))
        print(f"{name}, {tested}, {sizes.size} sizes: {spent:.1f} s")


def main():
    head = ("published", "planar", "one", "pairs", "stated", "s.e.")
    print(f"{'data':26s}{'tested':8s}{'ridge':>6s}{'noise':>6s}{'N':>6s}{'error':>10s}", end="")
    print("".join(f"{word:>9s}" for word in head))
    sizes, worst = [50, 100, 200, 400], []
    worst.append(compare(*digits(500, True), sizes, 0.1))
    worst.append(compare(*digits(500, True), sizes, 0.0))
    worst.append(compare(*digits(500, False), sizes, 0.1, 0.1))
    worst.append(compare(*diabetes(), sizes, 0.1))
    worst.append(compare(*diabetes(), sizes, 1.0))
    if "--all" in sys.argv:
        worst.append(compare(*digits(1797, False), [100, 400, 1000], 0.1))
    for tested in ("pool", "unseen"):
        off = max(one[tested] for one in worst)
        print(f"{tested}: off by at most {100 * off:.1f} % beyond two standard errors")
    times(*digits(500, True))


main()
