"""Real data: what a network of infinite width can learn of handwritten digits, and how fast.

The modes of the kernel on the data, the share of the labels in each, the learning curve that
follows, and kernel regression to hold it against: for training sets drawn with replacement and
tested on all images, and for the question of practice, images that were not trained on. Needs
scikit-learn: the extra [data].
"""

import numpy as np

import fieldtheory as ft
from fieldtheory.model.measures.data import empirical_spectrum
from fieldtheory.model.measures.gram import gram
from fieldtheory.model.points.unseen import on_data
from fieldtheory.practice.dataset import dataset
from fieldtheory.practice.regression import measure

SAMPLES, POINTS, RIDGE = [25, 50, 100], 200, 0.1

digits = dataset("digits").centred().on_sphere()
network = ft.Network(depth=3, activation="relu", weight_variance=2, bias_variance=0.1)
modes = empirical_spectrum(network, digits.inputs)
power = modes.power(digits.labels)
print(digits)
print(modes)
print("\nlabel power in the first modes (the constant, then nine more)")
for first in (1, 10, 100, 1000):
    print(f"  {first:5d}  {power[:first].sum() / digits.label_power():.3f}")

# some of the images, odd against even; the prediction sees their kernel matrix and the labels
some = digits.take(np.random.default_rng(0).permutation(digits.points)[:POINTS])
odd = np.where(np.argmax(some.labels, axis=1) % 2 == 1, 1.0, -1.0)
matrix = gram(network, some.inputs)
for tested in ("pool", "unseen"):
    task = ft.Task.data(some.inputs, odd, ridge=RIDGE, tested=tested, name="odd or even")
    curve = on_data(task.labelled, matrix, SAMPLES, RIDGE)
    found = measure(network, task, SAMPLES, draws=40, rng=0, progress=False)
    print(f"\n{task}\nsamples   lower    crossing            measured\n          order")
    rows = zip(SAMPLES, curve.orders[1], curve.error, curve.remainder, strict=True)
    for i, (n, lower, error, rest) in enumerate(rows):
        beside = f"{found.error[i]:.4f} +- {found.standard_error[i]:.4f}"
        print(f"{n:7d}   {lower:.4f}   {error:.4f} +- {abs(rest):.4f}   {beside}")

print(f"\nwhat the mean answer has of each group of modes, by {SAMPLES} images")
for low, high in ((0, 1), (1, 3), (3, 7), (7, 15), (15, 31), (31, 63)):
    share = curve.learnability[:, low:high].mean(axis=1)
    print(f"  modes {low + 1:3d}-{high:3d}   " + "   ".join(f"{s:.2f}" for s in share))

diabetes = dataset("diabetes").standardised().on_sphere()
rbf = ft.standard_kernel("rbf", length=2.0, radius=float(np.sqrt(diabetes.dimension)))
patients = empirical_spectrum(rbf, diabetes.inputs)
share = patients.power(diabetes.labels)[:11].sum() / diabetes.label_power()
print(f"\n{diabetes}")
print(
    f"the constant and ten nearly linear modes of an RBF hold {share:.2f} of what is to be learnt"
)
