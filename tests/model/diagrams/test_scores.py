"""How good predictions are, on a few of the recorded measurements of benchmarks/accuracy.json."""

import json
from pathlib import Path

import numpy as np
import pytest

from fieldtheory.model.diagrams.beyond import beyond
from fieldtheory.model.network import Network
from fieldtheory.model.planar.equation import effective_ridge, mode_errors
from fieldtheory.model.spectrum import Spectrum, spectrum
from tests.oracles.spherical import count
from tests.tolerance import agree, sampling

RECORDED = json.loads((Path(__file__).parents[3] / "benchmarks" / "accuracy.json").read_text())
MARGIN = 1.5  # times the remainder, as `predict` states it


def recorded(grid, d, name, noise):
    """Numbers of samples, mean error and its standard error: sums over datasets of the error
    without noise, of what noise of variance one adds, of their squares and of their product."""
    rows = []
    for key, found in RECORDED.items():
        if key.startswith(f"{grid} d={d} N="):
            i, draws = found["names"].index(name), found["draws"]
            j = i + len(found["names"])
            mean = (found["sum"][i] + noise * found["sum"][j]) / draws
            square = found["square"][i] + noise**2 * found["square"][j]
            square = (square + 2 * noise * found["cross"][i]) / draws
            rows.append((found["N"], mean, np.sqrt(max(square - mean**2, 0) / (draws - 1))))
    return np.array(sorted(rows), dtype=float).T


LAST = {2: 256, 3: 32, 5: 8}


def modes(d, name):
    """The spectrum, and the target's power at degrees 1 and 2."""
    kind, value = name.split()[0].split("=")
    if kind == "depth":
        lines, each = spectrum(Network(int(value)).on_sphere(d), d), 0.5
    else:
        lam = (1.0 + np.arange(LAST[d] + 1)) ** -float(value)
        lam /= sum(count(d, l) * lam[l] for l in range(lam.size))
        lines, each = Spectrum.of(lam, d), 1.0
    power = np.zeros(lines.eigenvalues.size)
    power[1:3] = each
    return lines, power


def root_mean_square(values, truth):
    return np.sqrt(np.mean((values / truth - 1) ** 2))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("grid", "d", "name", "noise", "shares"),
    [
        ("A", 2, "a=3 s2=0.05", 0.0, (0.75, 0.5)),
        ("A", 2, "a=3 s2=0", 0.0, (0.75, 0.5)),
        ("A", 3, "a=3 s2=0.01", 0.1, (0.5, 0.33)),
        ("A", 3, "a=2.5 s2=0", 0.0, (0.5, 0.33)),
        ("A", 5, "a=3 s2=0", 0.1, (0.33, 0.16)),
        ("B", 3, "depth=3 s2=0", 0.0, (0.5, 0.33)),
        ("B", 5, "depth=5 s2=0.01", 0.0, (0.4, 0.16)),
        ("B", 10, "depth=2 s2=0", 0.0, (0.4, 0.2)),
    ],
)
def test_each_order_leaves_a_share_of_the_planar_error(grid, d, name, noise, shares):
    """And the stated uncertainty covers what is left."""
    lines, power = modes(d, name)
    N, truth, error = recorded(grid, d, name, noise)
    ridge = float(name.split("s2=")[1]) + lines.tail
    kappa = effective_ridge(lines, N, ridge)
    planar = np.sum(mode_errors(lines, power, N, kappa, noise), axis=(0, -1))
    before = root_mean_square(planar, truth)
    for clusters, share in zip((2, 3), shares, strict=True):
        found = beyond(lines, power, N, ridge, noise, clusters=clusters)
        assert root_mean_square(found.error, truth) <= share * before
        stated = MARGIN * found.remainder + np.abs(found.ensemble)
        assert agree(found.error, truth, stated + sampling(error))
