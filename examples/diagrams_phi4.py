"""The phi^4 two-point function to second order: diagrams, symmetry factors, and their judge."""

from fractions import Fraction

import fieldtheory as ft

phi4 = ft.Action.phi(4, coupling="g")
for order in range(3):
    found = list(ft.diagrams(phi4, legs=2, order=order, connected=True))
    print(f"order {order}: {len(found)} connected diagrams of <phi phi>")
    for diagram in found:
        kind = "1PI" if diagram.is_one_particle_irreducible else "reducible"
        print(f"   1/{diagram.symmetry}   {diagram.loops} loops, {kind:9s}   {diagram}")
    print(f"   sum of 1/symmetry: {sum(Fraction(1, d.symmetry) for d in found)}")

# In zero dimensions a path integral is an integral; its series never saw a diagram.
by_diagrams = ft.correlator(phi4, legs=2, order=2)
by_integral = ft.zero.correlator(phi4, 2, 2)
print(f"\nsum of the diagrams in zero dimensions:  {by_diagrams}")
print(f"the integral itself, expanded:           {by_integral}")
if by_diagrams.expand() != by_integral.expand():
    raise SystemExit("the diagrams do not add up to the integral")
