"""Is the planar prediction's own error estimate to be trusted? Predicted and measured gaps.

A depth-3 ReLU tangent kernel, equal power at degrees 1 and 2, N = 10 to 300, in 3 to 50 dimensions,
with and without ridge and label noise: how far exact regression lies from the prediction, beside
the uncertainty that the prediction stated, all in per cent of the predicted error.

    python benchmarks/calibration.py        (about a minute)
"""

import numpy as np

import fieldtheory as ft

SAMPLES = [10, 30, 100, 300]
NETWORK = ft.Network(depth=3)


def row(numbers):
    """One cell per number of samples."""
    return "".join(f"{100 * x:7.1f}" for x in numbers)


print("per cent of the predicted error at N = 10, 30, 100, 300")
print(f"{'dimension, |x|, ridge, noise':36s}{'gap':>28s}{'stated':>29s}{'std. error':>29s}")
covered = []
for dimension in (3, 5, 10, 50):
    for norm in ("unit", "dimension"):
        for ridge, noise in ((0.0, 0.0), (0.1, 0.0), (0.1, 0.1)):
            task = ft.Task.sphere(dimension, [0, 0.5, 0.5], noise, ridge=ridge, input_norm=norm)
            curve = ft.predict(NETWORK, task, SAMPLES, method="planar")
            measured = ft.measure(NETWORK, task, SAMPLES, draws=60, rng=5, progress=False)
            gap, spread = measured.error - curve.error, measured.standard_error
            covered += (np.abs(gap) <= curve.uncertainty + spread).tolist()
            cells = (row(values / curve.error) for values in (gap, curve.uncertainty, spread))
            print(f"{dimension:9d}  {norm:9s}  {ridge:5.1f}  {noise:5.1f}", *cells)
print(f"within the stated uncertainty plus one standard error: {sum(covered)} of {len(covered)}")
