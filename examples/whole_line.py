"""The whole line: action, diagrams, formula, NumPy, curve, tuned network, trained network."""

import numpy as np

import fieldtheory as ft

# 1. The replicated learning action, and the diagrams of the mean prediction at first order.
action = ft.learning.action(1)
correction = ft.learning.mean(order=1)
print(f"1. The learning action has {len(action.vertices)} kinds of vertex at first order.")
print("   Diagrams of the mean that survive the limit of no replicas:")
for diagram in correction.diagrams:
    print(f"      {diagram}   symmetry {diagram.symmetry}")

# 2. Their sum is a formula; on the sphere it is a sum over harmonic degrees.
print(f"\n2. In position space: {correction.expression}")
formula = correction.on_sphere()
print(f"   On the sphere, per unit of the target at degree l:\n      {formula}")

# 3. The formula becomes NumPy.
program = ft.compile_expression("mean_correction", formula, ["lam", "deg", "eta", "s2"])
print(f"\n3. Compiled:\n{program}")
task = ft.Task.sphere(dimension=5, target="x0 + x0*x1", ridge=1.0, input_norm="dimension")
default = ft.Network(depth=2)
modes = ft.spectrum(default.on_sphere(5, "dimension"), 5, degrees=8)
shift = program(modes.eigenvalues, modes.counts, np.array([50.0]), np.float64(10.0))
print(f"   50 samples, ridge 10: degrees 0 to 3 shift by {shift[0, :4].round(5)} of the target")

# 4. All non-crossing diagrams, to every order: a learning curve with its own error estimate.
sizes = [20, 50, 100]
print(f"\n4. Predicted for the default network:\n{ft.predict(default, task, sizes)}")

# 5. Tune: the network with the smallest predicted error at 50 samples.
tuned = ft.tune(task, samples=50, over=ft.Space(depth=(1, 3), weight_variance=(0.3, 3.0)))
print(f"\n5. {tuned}")

# 6. Does it hold? Exact kernel regression on fresh data, for both.
print("\n6. Measured by exact regression, 40 draws:")
for name, network in (("default", default), ("tuned", tuned.best)):
    measured = ft.measure(network, task, [50], draws=40, progress=False)
    predicted = ft.predict(network, task, [50])
    print(
        f"   {name:8s} predicted {predicted.error[0]:.4f} +- {predicted.uncertainty[0]:.4f}, "
        f"measured {measured.error[0]:.4f} +- {measured.standard_error[0]:.4f}"
    )

# 7. Train finite networks of width 512, tuned and default, and hold them against the prediction.
print("\n7. Trained by gradient descent, width 512, 10 draws:")
for network in (default, tuned.best):
    trained = ft.measure(network, task, sizes, draws=10, by="gradient-descent", progress=False)
    print(ft.compare(ft.predict(network, task, sizes), trained), end="\n\n")
