"""Observables: predictions, and what they say of their own error, beside exact regression.

Spheres: kernels lam_l ~ (1 + l)^-2.5 and (1 + l)^-3 of trace one, power one at degrees 1 and 2,
ridges 0.01 and 0.1, noise 0 and 0.1, 10 to 200 samples in three, five and ten dimensions. Every
number is a mean over datasets, targets and noise integrated out. "off" is the root mean square of
relative errors (of the log evidence: of its error per sample), what sampling explains taken away;
"within" counts how often the error is within the stated uncertainty and two standard errors. Early
stopping beside it: errors along gradient flow, at seven times.

    python benchmarks/observables.py           spheres: about two minutes
    python benchmarks/observables.py --data    digits and diabetes instead: as long again
"""

import sys
from itertools import product
from time import perf_counter

import numpy as np

import fieldtheory as ft
from fieldtheory.model.diagrams.observables import crossed_curve
from fieldtheory.model.labelled import Labelled
from fieldtheory.model.measures.gram import gram
from fieldtheory.model.measures.sphere import harmonics, multiplicity
from fieldtheory.model.observed import NAMES
from fieldtheory.model.planar.stopping import stopped
from fieldtheory.model.points.observables import observed
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.practice.dataset import dataset

LAST = {3: 32, 5: 8, 10: 5}  # degrees listed: all others have no eigenvalue
SIZES = (10, 20, 50, 100, 200)
DECAYS, RIDGES, NOISES = (2.5, 3.0), (0.01, 0.1), (0.0, 0.1)
TIMES = np.logspace(-1, 5, 7)
FLOWN = (10, 40, 120)  # samples of which training is followed
DRAWS = 80
NETWORK = ft.Network(depth=3, activation="relu", weight_variance=2, bias_variance=0.1)


def power_law(d, decay):
    """lam_l ~ (1 + l)^-decay with trace one, and power one at degrees 1 and 2."""
    lam = (1.0 + np.arange(LAST[d] + 1)) ** -decay
    lam /= sum(multiplicity(d, l) * lam[l] for l in range(lam.size))
    power = np.zeros(lam.size)
    power[1:3] = 1.0
    return Spectrum.of(lam, d), power


class Draw:
    """One training set and one kernel: its eigenvalues, and traces in its eigenvectors."""

    def __init__(self, spectrum, power, parts):
        lam, each = spectrum.eigenvalues, power / spectrum.counts
        self.values, U = np.linalg.eigh(np.tensordot(lam, parts, 1))
        self.trace, self.power = spectrum.trace, power.sum()
        self.labels = U.T @ np.tensordot(each, parts, 1) @ U
        self.second = U.T @ np.tensordot(lam**2, parts, 1) @ U
        self.cross = np.einsum("ia,ij,ja->a", U, np.tensordot(lam * each, parts, 1), U)

    def observed(self, ridge, noise):
        """As NAMES."""
        a, own = 1 / (self.values + ridge), np.diag(self.labels) + noise
        fit, logs = a @ own, -np.sum(np.log(a))
        variance = self.trace - a @ np.diag(self.second)
        evidence = -(fit + logs + len(a) * np.log(2 * np.pi)) / 2
        return [variance, a @ self.values, np.mean((ridge * a) ** 2 * own), evidence]

    def flown(self, ridge, noise):
        """Test errors at TIMES."""
        z = np.maximum(self.values + ridge, 1e-300)
        found = []
        for t in TIMES:
            q = -np.expm1(-t * z) / z
            spread = q @ ((self.labels + noise * np.eye(len(q))) * self.second) @ q
            found.append(self.power - 2 * q @ self.cross + spread)
        return found


def drawn(d, n, kernels, questions, rng):
    """Means and standard errors over datasets of any `questions` to every kernel."""
    rows = []
    for _ in range(DRAWS):
        x = rng.standard_normal((n, d))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        terms = harmonics(d, np.clip(x @ x.T, -1, 1))
        parts = np.array([multiplicity(d, l) * next(terms) for l in range(LAST[d] + 1)])
        rows.append([questions(Draw(*kernel, parts)) for kernel in kernels])
    rows = np.array(rows)
    return rows.mean(axis=0), rows.std(axis=0, ddof=1) / np.sqrt(DRAWS)


class Score:
    """Errors of one prediction."""

    def __init__(self):
        self.off, self.noise, self.within, self.stated = [], [], [], []

    def add(self, value, unsure, mean, error, scale):
        self.off.append((value - mean) / scale)
        self.noise.append(error / scale)
        self.stated.append(unsure / scale)
        self.within.append(abs(value - mean) <= unsure + 2 * error)

    def __str__(self):
        square = np.mean(np.square(self.off)) - np.mean(np.square(self.noise))
        stated = np.sqrt(np.mean(np.square(self.stated)))
        return (
            f"{100 * np.sqrt(max(square, 0)):9.2f}{100 * stated:9.2f}"
            f"{np.sum(self.within):7d} of {len(self.within)}"
        )


def table(title, scores):
    print(f"\n{title:42s}{'off %':>9s}{'stated %':>9s}{'within':>10s}")
    for name, score in scores.items():
        print(f"{' · '.join(map(str, name)):42s}{score}")
    sys.stdout.flush()


def predictions(spectrum, power, ridge, noise):
    """All three along the sizes."""
    N, task = (
        np.array(SIZES, dtype=float),
        ft.Task.sphere(spectrum.dimension, power.tolist(), noise, ridge=ridge),
    )
    yield "planar", ft.predict_observables(spectrum, task, SIZES, method="planar")
    for clusters in (2, 3):
        found = crossed_curve(spectrum, power, N, ridge, noise, clusters=clusters)
        yield f"{clusters} samples", found


def spheres():
    rng, scores = np.random.default_rng(5), {}
    cases = list(product(RIDGES, NOISES))
    for d in LAST:
        kernels = [power_law(d, decay) for decay in DECAYS]
        truth = [
            drawn(d, n, kernels, lambda one: [one.observed(*case) for case in cases], rng)
            for n in SIZES
        ]
        for k, (j, case) in product(range(len(kernels)), enumerate(cases)):
            for method, found in predictions(*kernels[k], *case):
                for i, name in product(range(len(SIZES)), NAMES):
                    column = NAMES.index(name)
                    mean, error = (part[k, j, column] for part in truth[i])
                    score = scores.setdefault((f"d={d}", method, name.replace("_", " ")), Score())
                    scale = SIZES[i] if name == "log_evidence" else mean
                    value, unsure = getattr(found, name)[i], found.uncertainties[name][i]
                    score.add(value, unsure, mean, error, scale)
    table("spheres", dict(sorted(scores.items(), key=lambda item: item[0][1:])))


def stopping():
    rng, scores = np.random.default_rng(6), {}
    for d in LAST:
        kernels = [power_law(d, decay) for decay in DECAYS]
        for n in FLOWN:
            mean, error = drawn(
                d, n, kernels, lambda one: [one.flown(RIDGES[0], noise) for noise in NOISES], rng
            )
            for (k, kernel), (j, noise) in product(enumerate(kernels), enumerate(NOISES)):
                found = stopped(*kernel, np.array([float(n)]), RIDGES[0], noise, TIMES)
                for i in range(TIMES.size):
                    score = scores.setdefault((f"d={d}", f"noise {noise:g}"), Score())
                    value, unsure = found.error[0, i], found.uncertainty[0, i]
                    score.add(value, unsure, mean[k, j, i], error[k, j, i], mean[k, j, i])
    table("early stopping", scores)


# -- data ------------------------------------------------------------------------------------------


def labelled():
    data = dataset("digits").centred().on_sphere()
    data = data.take(np.random.default_rng(0).permutation(data.points)[:250])
    even = np.where(np.argmax(data.labels, axis=1) % 2 == 0, 1.0, -1.0)
    yield "digits, 250, parity", data.inputs, even[:, None]
    data = dataset("diabetes").standardised().on_sphere()
    yield "diabetes, 442", data.inputs, (data.labels / data.labels.std()).reshape(-1, 1)


def resampled(matrix, g, n, ridge, noise, tested, rng):
    """Means and standard errors over training sets, noise integrated out."""
    rows, points = [], len(matrix)
    for _ in range(DRAWS):
        chosen = rng.integers(points, size=n) if tested == "pool" else rng.permutation(points)[:n]
        own, cross = matrix[np.ix_(chosen, chosen)], matrix[:, chosen]
        A = np.linalg.inv(own + ridge * np.eye(n))
        labels = g[chosen] @ g[chosen].T + g.shape[1] * noise * np.eye(n)
        left = np.diag(matrix) - np.sum((cross @ A) * cross, axis=1)
        variance = left.mean() if tested == "pool" else np.delete(left, chosen).mean()
        fit, logs = np.sum(A * labels), -np.linalg.slogdet(A)[1]
        evidence = -(fit + g.shape[1] * (logs + n * np.log(2 * np.pi))) / 2
        residuals = ridge**2 * np.sum((A @ A) * labels) / n
        rows.append([variance, np.sum(A * own), residuals, evidence])
    rows = np.array(rows)
    return rows.mean(axis=0), rows.std(axis=0, ddof=1) / np.sqrt(DRAWS)


def on_data():
    rng, scores, sizes = np.random.default_rng(7), {}, (20, 50, 100, 200)
    for (name, x, g), tested in product(labelled(), ("pool", "unseen")):
        matrix = gram(NETWORK, x)
        for ridge, noise in ((0.1, 0.0), (1.0, 0.1)):
            task = ft.Task.data(x, g, noise, ridge=ridge, tested=tested)
            began = perf_counter()
            pairs = observed(Labelled(x, g, tested=tested), matrix, sizes, ridge, noise)
            print(f"{name}, {tested}, four sizes: {perf_counter() - began:.1f} s", flush=True)
            rough = ft.predict_observables(matrix, task, sizes, method="planar")
            for i, n in enumerate(sizes):
                mean, error = resampled(matrix, g, n, ridge, noise, tested, rng)
                for (method, found), what in product(
                    {"planar": rough, "pairs": pairs}.items(), NAMES
                ):
                    k = NAMES.index(what)
                    score = scores.setdefault((tested, method, what.replace("_", " ")), Score())
                    value, unsure = getattr(found, what)[i], found.uncertainties[what][i]
                    scale = n if what == "log_evidence" else mean[k]
                    score.add(value, unsure, mean[k], error[k], scale)
    table("data", scores)


if "--data" in sys.argv:
    on_data()
else:
    spheres()
    stopping()
