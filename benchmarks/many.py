"""A thousand networks predicted (planar) in one call, against a loop over them.

Two loops, each timed on a part of the networks and scaled: `predict(..., method="planar")`, and
`quick_error`, the library's own fastest road for one network, without an error estimate. The call
is held against the first with crossing diagrams in its uncertainty, as the loop has them, and
against the second without. Gradients are held against central differences of `quick_error`, five
networks for one.

    python benchmarks/many.py
"""

import numpy as np
from timing import race

from fieldtheory.model.batch import family
from fieldtheory.model.planar.many import predict_many
from fieldtheory.model.predict import predict, quick_error
from fieldtheory.model.task import Task

NETWORKS, LOOP = 1000, 50
CASES = ((5, 50), (10, 400), (50, 400))  # dimension, samples


def grid():
    rng = np.random.default_rng(0)
    return family(
        depth=rng.integers(2, 7, NETWORKS),
        activation=rng.choice(["relu", "erf"], NETWORKS),
        weight_variance=rng.uniform(0.5, 3, NETWORKS),
        bias_variance=rng.uniform(0.01, 1, NETWORKS),
    )


networks = grid()
few, scale = networks[:: NETWORKS // LOOP], NETWORKS / LOOP
print(f"{NETWORKS} networks, depth 2-6, ReLU and erf, medians of 3; loops timed on {len(few)}")
for d, n in CASES:
    task = Task.sphere(d, "x0 + x0*x1", 0.1, ridge=0.01, input_norm="dimension")
    print(f"d = {d}, {n} samples")
    for title, ours, theirs, times in (
        (
            "predict",
            lambda t=task, n=n: predict_many(networks, t, n, crossing=True),
            lambda t=task, n=n: [predict(one, t, n, method="planar") for one in few],
            1,
        ),
        (
            "quick_error",
            lambda t=task, n=n: predict_many(networks, t, n),
            lambda t=task, n=n: [quick_error(one, t, n) for one in few],
            1,
        ),
        (
            "gradients",
            lambda t=task, n=n: predict_many(networks, t, n, gradients=True),
            lambda t=task, n=n: [quick_error(one, t, n) for one in few],
            5,
        ),
    ):
        fast, slow = race(ours, theirs, rounds=3)
        slow *= scale * times
        print(
            f"  {title:<12s} one call {fast:7.3f} s   loop {slow:8.3f} s   ratio {slow / fast:6.1f}"
        )
    found = predict_many(few, task, n)
    alone = np.array([predict(one, task, n, method="planar").error[0] for one in few])
    worst = np.max(np.abs(found.error[:, 0] / alone - 1))
    claimed = np.max(found.uncertainty / found.error)
    print(f"  largest relative difference to predict {worst:.1e}, claimed {claimed:.1e}")
