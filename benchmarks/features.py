"""How good are predictions for random features? Layers of ReLUs, drawn and trained.

The table of docs/width.md: N = 30 and 100 samples, k = 20, 60 and 200 features, ridge 0.01 and 0.3,
a target with unit power at degrees one and two. For each dimension the largest error of two
predictions, in per cent of the measured error, the mean of their own uncertainties, and at how many
of the twelve points these hold the error but for one standard error of the measurement.

    python benchmarks/features.py [draws for each measured number]    (600 unless given: 2 minutes)
"""

import sys
from pathlib import Path

import numpy as np

from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum
from fieldtheory.model.width.features import random_features
from fieldtheory.model.width.zonal import units

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.oracles.random_features import of_a_layer

DRAWS = int(sys.argv[1]) if len(sys.argv) > 1 else 600
POINTS = [(N, k, ridge) for ridge in (0.01, 0.3) for N in (30, 100) for k in (20, 60, 200)]
POWER = [0.0, 1.0, 1.0]
NETWORK = Network(2, "relu", weight_variance=1.0, bias_variance=0.0, kernel="nngp")


def of_dimension(d: int) -> None:
    """Two rows of the table."""
    modes = spectrum(NETWORK.on_sphere(d, "dimension"), d)
    layer = units(NETWORK, modes, "dimension")
    rows = []
    for n, (N, k, ridge) in enumerate(POINTS):
        measured = of_a_layer(np.random.default_rng(n), d, N, k, ridge, DRAWS, tests=1000)
        truth, error = measured.mean(), measured.std(ddof=1) / np.sqrt(DRAWS)
        for drawn in (None, layer):
            found = random_features(modes, POWER, N, k, ridge=ridge, units=drawn)
            off, bar = found.error[0] - truth, found.uncertainty[0]
            rows.append((off / truth, bar / found.error[0], abs(off) <= bar + error, error / truth))
    for name, part in (("planar", rows[::2]), ("crossing", rows[1::2])):
        off, bar, held, error = np.array(part, dtype=float).T
        worst = off[np.argmax(np.abs(off))]
        print(
            f"{d:3d} {name:9s} at worst {100 * worst:+6.1f} %, mean {100 * np.mean(abs(off)):5.1f}"
            f" %; own uncertainty, mean {100 * np.mean(bar):5.1f} %  held {held.sum():.0f} of "
            f"{len(part)}  (sampling {100 * error.min():.1f} to {100 * error.max():.1f} %)",
            flush=True,
        )


for dimension in (20, 10, 5, 3):
    of_dimension(dimension)
