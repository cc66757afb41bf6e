"""The self-energy of phi^4 through two loops: diagrams, symmetry factors, momenta, a picture."""

from fractions import Fraction
from pathlib import Path

import sympy as sp

import fieldtheory as ft
from fieldtheory.theory.gallery import sheet

PICTURE = Path("phi4_self_energy.svg")

phi4 = ft.Action.read("phi^2/2 + g*phi^4/4!")
g = sp.Symbol("g")
print(f"{phi4}\n")


def name(diagram):
    """What textbooks call it."""
    if diagram.order == 1:
        return "tadpole"
    if not diagram.is_one_particle_irreducible:
        return "chain of two tadpoles"
    self_loops = sum(start == end for start, end, _ in diagram.edges)
    return "double scoop" if self_loops else "sunset"


# 1. Every connected diagram of <phi phi> through second order, with its symmetry factor.
found = [d for n in (1, 2) for d in ft.diagrams(phi4, legs=2, order=n, connected=True)]
print("connected, two legs     1/symmetry  lines")
for diagram in found:
    print(f"  {name(diagram):22s}  1/{diagram.symmetry}       {diagram}")
if [diagram.symmetry for diagram in found] != [2, 4, 4, 6]:
    raise SystemExit("textbooks have 1/2; 1/4, 1/4, 1/6")

# 2. The self-energy: those in one piece whatever line is cut, without their external lines.
print("\nSigma(p) = sum of 1/symmetry times")
irreducible = [diagram for diagram in found if diagram.is_one_particle_irreducible]
for diagram in irreducible:
    value = ft.amplitude(diagram, form="momentum", amputated=True)
    print(f"  1/{diagram.symmetry}  {value}")

# 3. In zero dimensions every propagator is 1 and the path integral an integral, whose series has
#    never seen a diagram; Dyson's series of the self-energy must be the same.
weights = {n: Fraction(0) for n in (1, 2)}
for diagram in irreducible:
    weights[diagram.order] += Fraction((-1) ** diagram.order, diagram.symmetry)
sigma = sum(sp.Rational(w.numerator, w.denominator) * g**n for n, w in weights.items())
dyson = sp.series(1 / (1 - sigma), g, 0, 3).removeO()
integral = ft.zero.correlator(phi4, 2, 2)
print(f"\nin zero dimensions   Sigma = {sigma}")
print(f"  1/(1 - Sigma)     = {sp.expand(dyson)}")
print(f"  the integral      = {sp.expand(integral)}")
if sp.expand(dyson - integral) != 0:
    raise SystemExit("the self-energy does not add up to the integral")

# 4. The picture.
PICTURE.write_text(sheet(found), encoding="utf-8")
print(f"\ndrawn: {PICTURE}")
