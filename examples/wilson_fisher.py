"""The Wilson-Fisher fixed point from diagrams, and the same idea at work on a learning problem."""

from fractions import Fraction

from fieldtheory.model.elimination import eliminate
from fieldtheory.model.running import trajectory
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.theory.action import Action
from fieldtheory.theory.flows.critical import minimal_subtraction
from fieldtheory.theory.flows.powerlaw import NO_RIDGE, PowerLaw
from fieldtheory.theory.flows.shells import shell_flow

# 1. Wilson: integrate out momentum shells at one loop, in three dimensions.
shells = shell_flow(Action.o_n(4), dimension=3)
print(f"1. One loop, shell by shell, for n components:\n{shells}\n")
ising = shells.at(n=1)
for point in ising.fixed_points():
    exponents = [round(float(y), 3) for y in ising.exponents(point)]
    ways = len(ising.relevant(point))
    print(f"   {point}: exponents {exponents}, {ways} relevant")

# 2. Which side of the critical surface? Two neighbours are followed to their phases.
print("\n2. Two starts at g = 0.2, near the critical surface:")
for mass in (-0.05, -0.08):
    path = trajectory(ising, {"r": mass, "g": 0.2}, 1.5)
    print(f"   r = {mass}: after l = 1.5, r = {path.end['r']:.3f}")

# 3. Two loops, minimal subtraction: the engine's diagrams times quoted pole parts.
model = minimal_subtraction("n")
diagrams = len(model.vertex) + len(model.mass) + len(model.wave)
print(f"\n3. {diagrams} diagrams; one of each kind of counterterm:")
for terms in (model.vertex, model.mass, model.wave):
    print(f"   {terms[0]}")
print(model)

# 4. Every n is one formula: n -> 0 are self-avoiding walks, as replicas are.
print("\n4. At eps = 1, to second order:")
for name, n in (("self-avoiding walk", 0), ("Ising", 1), ("Heisenberg", 3)):
    nu, eta = (float(series.subs({"n": n, "eps": 1})) for series in (model.nu, model.eta))
    print(f"   {name:18s} nu = {nu:.3f}, eta = {eta:.3f}")

# 5. Learning: the modes of a kernel take the place of momenta.
spectrum = Spectrum.of([0.3, 0.05, 0.004, 3e-4], dimension=5)
print(f"\n5. {eliminate(spectrum, 50, ridge=0.05, power=[0.2, 0.5, 0.3], noise=0.1)}")

# 6. Its exponents, where spectrum and target are power laws.
print("\n6. Learning curves of power laws:")
for law in (PowerLaw(1), PowerLaw(1, 1, NO_RIDGE), PowerLaw(1, 6), PowerLaw(1, 3, Fraction(1, 2))):
    print(f"   {law}: {law.regime}; error ~ N^-({law.noisy_error_exponent}) with noise")
