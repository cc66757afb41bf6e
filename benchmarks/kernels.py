"""A thousand networks to spectra in one call, with and without gradients, against a loop.

The loop is the library's own fastest road for one network, `spectrum(..., accurate=False)`, without
gradients; for gradients it takes central differences, four more networks for each.

    python benchmarks/kernels.py
"""

import numpy as np
from timing import race

from fieldtheory.model.batch import family, spectra
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum

DIMENSION, DEGREES, NETWORKS, LOOP = 10, 5, 1000, 100
FEW = 25  # of the slow ones, and more than are remembered
H, NORM = 1e-4, "dimension"


def grid(activation):
    rng = np.random.default_rng(0)
    return family(
        depth=4,
        activation=activation,
        weight_variance=rng.uniform(0.5, 3, NETWORKS),
        bias_variance=rng.uniform(0.01, 1, NETWORKS),
    )


def one_by_one(networks):
    return [
        spectrum(n.on_sphere(DIMENSION, NORM), DIMENSION, degrees=DEGREES, accurate=False)
        for n in networks
    ]


def with_differences(networks):
    found = one_by_one(networks)
    for n in networks:
        w, b = n.weight_variance, n.bias_variance
        moved = [
            Network(4, n.activation, w + H, b),
            Network(4, n.activation, w - H, b),
            Network(4, n.activation, w, b + H),
            Network(4, n.activation, w, b - H),
        ]
        found += one_by_one(moved)
    return found


print(f"{NETWORKS} networks of depth 4, d = {DIMENSION}, degrees 0..{DEGREES}, medians of 3;")
print(f"the loop is timed on {LOOP} of them (tanh: {FEW}) and scaled")
for activation in ("relu", "erf", "gelu", "tanh"):
    networks = grid(activation)
    few = networks[: FEW if activation == "tanh" else LOOP]
    scale = NETWORKS / len(few)
    for gradients, loop in ((False, one_by_one), (True, with_differences)):
        fast, slow = race(
            lambda n=networks, g=gradients: spectra(
                n, DIMENSION, DEGREES, gradients=g, input_norm=NORM
            ),
            lambda n=few, f=loop: f(n),
            rounds=3,
        )
        title = "with gradients" if gradients else "values"
        print(
            f"  {activation:<5s} {title:<15s} one call {fast:8.3f} s   loop {slow * scale:8.3f} s"
            f"   ratio {slow * scale / fast:6.1f}"
        )

batch = spectra(grid("relu"), DIMENSION, DEGREES, input_norm=NORM)
alone = one_by_one(batch.networks[:LOOP])
worst = max(
    float(np.max(np.abs(one.eigenvalues / batch.eigenvalues[n] - 1))) for n, one in enumerate(alone)
)
print(f"  largest relative difference between the two, ReLU: {worst:.1e}")
