"""The kernel matrix of 5000 points, against one X @ X.T followed by one pass of arccos.

Both run in turn, on one BLAS thread, in one process. The matrix is filled in blocks, symmetric half
by half; its memory is that of the result and a few blocks, which is measured too.

    python benchmarks/gram.py
"""

import tracemalloc

import numpy as np
from threadpoolctl import threadpool_limits
from timing import race

import fieldtheory as ft
from fieldtheory.model.measures.gram import BLOCK, gram, normalised

POINTS, FEATURES, ROUNDS, BELOW = 5000, 64, 5, 3.0
NETWORKS = [ft.Network(2), ft.Network(4), ft.Network(4, kernel="nngp"), ft.Network(4, "erf")]

x = normalised(np.random.default_rng(0).standard_normal((POINTS, FEATURES)), "unit")


def bare():
    """One product and one pass, in place."""
    t = x @ x.T
    np.clip(t, -1, 1, out=t)
    return np.arccos(t, out=t)


worst = 0.0
with threadpool_limits(1):
    print(f"{POINTS} x {POINTS} kernel matrix, {FEATURES} features, medians of {ROUNDS}")
    for network in NETWORKS:
        ours, theirs = race(lambda n=network: gram(n, x), bare, ROUNDS)
        worst = max(worst, ours / theirs)
        print(f"  {network!s:<60s} {ours:.3f} s / {theirs:.3f} s = {ours / theirs:.2f}")
    tracemalloc.start()
    matrix = gram(NETWORKS[1], x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
extra = (peak - matrix.nbytes) / (8 * BLOCK**2)
print(f"  memory: {peak / 2**20:.0f} MiB, the result and {extra:.0f} blocks of {BLOCK} x {BLOCK}")
print(f"  worst ratio {worst:.2f}, wanted below {BELOW:g}")
raise SystemExit(worst >= BELOW)
