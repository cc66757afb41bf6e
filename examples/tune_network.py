"""Choose depth, activation and variances before anything is trained, and see how sure one can be.

A thousand networks are predicted in one call to look at the landscape; then the tuner descends in
it with gradients, and the best few are predicted with crossing diagrams. Exact kernel regression on
drawn data sets has the last word.

    python examples/tune_network.py
"""

import numpy as np

import fieldtheory as ft
from fieldtheory.model.batch import family
from fieldtheory.model.planar.many import predict_many

SAMPLES = 60
task = ft.Task.sphere(6, "x0 + x0*x1", noise=0.01, ridge=0.05, input_norm="dimension")

weights, biases = np.geomspace(0.2, 5, 25), np.geomspace(1e-3, 1, 20)
networks = family(
    depth=[[[2]], [[4]]], weight_variance=weights[:, None], bias_variance=biases, activation="erf"
)
landscape = predict_many(networks, task, SAMPLES)
print(landscape)
for depth in (2, 4):
    chosen = [n for n, network in enumerate(networks) if network.depth == depth]
    error = landscape.error[chosen, 0]
    print(f"depth {depth}: {error.size} networks, errors {error.min():.4f} to {error.max():.4f}")

tuned = ft.tune(task, SAMPLES, ft.Space(depth=(1, 4)), progress=False)
print(tuned)

for name, network in (("default", tuned.default), ("tuned", tuned.best)):
    measured = ft.measure(network, task, [SAMPLES], draws=60, rng=0, progress=False)
    print(f"{name:8s} measured {measured.error[0]:.5f} +- {measured.standard_error[0]:.5f}")
tuned.picture().save("tune_network.svg")
