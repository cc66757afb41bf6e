"""Real data: what a network of infinite width can learn of handwritten digits, and how fast.

The modes of the kernel on the data, the share of the labels in each, the learning curve that
follows, and kernel regression to hold it against. Needs scikit-learn: the extra [data].
"""

import numpy as np

import fieldtheory as ft
from fieldtheory.model import planar
from fieldtheory.model.measures.data import empirical_spectrum
from fieldtheory.model.measures.gram import gram
from fieldtheory.practice.dataset import dataset
from fieldtheory.practice.regression import solve

SAMPLES, DRAWS, RIDGE = [50, 100, 200], 8, 0.1

digits = dataset("digits").centred().on_sphere()
network = ft.Network(depth=3, activation="relu", weight_variance=2, bias_variance=0.1)
modes = empirical_spectrum(network, digits.inputs)
power = modes.power(digits.labels)
print(digits)
print(modes)
print("\nlabel power in the first modes (the constant, then nine more)")
for first in (1, 10, 100, 1000):
    print(f"  {first:5d}  {power[:first].sum() / digits.label_power():.3f}")

# the planar theory asks for eigenvalues, how many modes share each, and the power in them
N = np.array(SAMPLES, dtype=float)
kappa = planar.effective_ridge(modes.modes, N, RIDGE)
predicted = np.sum(planar.mode_errors(modes.modes, power, N, kappa, 0.0), axis=(0, 2))

K, rng = gram(network, digits.inputs), np.random.default_rng(0)
print("\nsamples  predicted   measured           right class")
for n, error in zip(SAMPLES, predicted, strict=True):
    found, right = [], []
    for _ in range(DRAWS):
        drawn = rng.integers(0, digits.points, n)  # with replacement: the data are the measure
        a = solve(K[np.ix_(drawn, drawn)], RIDGE, digits.labels[drawn])
        answer = K[:, drawn] @ a
        found.append(np.mean(np.sum((answer - digits.labels) ** 2, axis=1)))
        right.append(np.mean(np.argmax(answer, axis=1) == np.argmax(digits.labels, axis=1)))
    spread = np.std(found, ddof=1) / np.sqrt(DRAWS)
    print(f"{n:7d}  {error:9.4f}   {np.mean(found):.4f} +- {spread:.4f}   {np.mean(right):.3f}")

diabetes = dataset("diabetes").standardised().on_sphere()
rbf = ft.standard_kernel("rbf", length=2.0, radius=float(np.sqrt(diabetes.dimension)))
patients = empirical_spectrum(rbf, diabetes.inputs)
share = patients.power(diabetes.labels)[:11].sum() / diabetes.label_power()
print(f"\n{diabetes}")
print(
    f"the constant and ten nearly linear modes of an RBF hold {share:.2f} of what is to be learnt"
)
