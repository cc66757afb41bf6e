"""From diagrams to expressions: milliseconds a diagram, against one plain SymPy product for each.

The baseline writes every diagram as a product of couplings and propagators, adds the products up
and expands, as one would by hand; both start from the same list, and both answers are compared.

    python benchmarks/amplitudes.py
"""

from time import process_time

import sympy as sp

from fieldtheory.theory import replica
from fieldtheory.theory.action import Action
from fieldtheory.theory.amplitude import amplitude, total
from fieldtheory.theory.enumeration import diagrams

CASES = [
    ("phi^4, 2 legs, 5 loops", Action.phi(4), {"legs": 2, "loops": 5}),
    (
        "phi^4, 4 legs, 5 loops, 1PI",
        Action.phi(4),
        {"legs": 4, "loops": 5, "one_particle_irreducible": True},
    ),
    (
        "phi^3, 3 legs, 4 loops, 1PI",
        Action.phi(3),
        {"legs": 3, "loops": 4, "one_particle_irreducible": True},
    ),
    (
        "phi^3 + phi^4, 2 legs, order 4",
        Action.phi(3, "h") + Action.phi(4),
        {"legs": 2, "order": 4, "connected": True},
    ),
    ("O(n), 2 legs, order 3", Action.o_n(4), {"legs": 2, "order": 3, "connected": True}),
]


def plain(found):
    """One product for each diagram."""
    terms = []
    for diagram in found:
        rules = [vertex.coupling for vertex in diagram.vertices]
        lines = [diagram.line(name)[2] for _, _, name in diagram.edges]
        terms.append(sp.Mul(*rules, *lines, replica.weight(diagram)) / diagram.symmetry)
    return sp.expand(sp.Add(*terms))


def plain_position(diagram):
    """The same in space, all functions applied and multiplied anew."""
    legs, inner = (
        sp.symbols(f"x_1:{len(diagram.legs) + 1}"),
        sp.symbols(f"z_1:{len(diagram.vertices) + 1}"),
    )
    place = [*inner, *reversed(legs)]  # vertices 0, 1, ... and legs -1, -2, ...
    lines = [
        sp.Function("G_phi")(*sorted((place[a], place[b]), key=sp.default_sort_key))
        for a, b, _ in diagram.vertex_edges
    ]
    rules = sp.Mul(*(vertex.coupling for vertex in diagram.vertices))
    return rules * sp.Integral(sp.Mul(*lines), *inner)


def spent(work):
    """CPU seconds and the answer, with SymPy's own memory emptied first."""
    sp.core.cache.clear_cache()
    began = process_time()
    answer = work()
    return process_time() - began, answer


HEADS = ("number", "found", "sum", "plain", "ratio", "position", "plain", "ratio", "momentum")
print(f"{'milliseconds a diagram':32s} " + " ".join(f"{head:>8s}" for head in HEADS))
for name, action, asked in CASES:
    search, found = spent(lambda action=action, asked=asked: list(diagrams(action, **asked)))
    to_ms = 1e3 / len(found)
    quick, value = spent(lambda found=found: total(found))
    slow, other = spent(lambda found=found: plain(found))
    assert sp.expand(value - other) == 0
    space, forms = spent(lambda found=found: [amplitude(d, "position") for d in found])
    plainly, others = spent(lambda found=found: [plain_position(d) for d in found])
    assert forms == others
    routed, _ = spent(lambda found=found: [amplitude(d, "momentum") for d in found])
    times = [
        search,
        quick,
        slow,
        slow / quick / to_ms,
        space,
        plainly,
        plainly / space / to_ms,
        routed,
    ]
    shown = " ".join(f"{value * to_ms:8.3f}" for value in times)
    print(f"{name:32s} {len(found):8d} {shown}", flush=True)
