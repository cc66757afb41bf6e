"""Complete lists of diagrams with their symmetry factors, against feyngraph where it is installed.

CPU seconds of each list, every thread counted, in the same run; counts and sums of 1/symmetry are
checked against tests/reference/diagrams.json where it lists them.

    python benchmarks/diagrams.py            # lists that take a second or so
    python benchmarks/diagrams.py --all      # the long ones too, several minutes with feyngraph
"""

import json
import sys
from fractions import Fraction
from pathlib import Path
from time import process_time

from fieldtheory.theory.action import Action
from fieldtheory.theory.enumeration import diagrams

try:
    import feyngraph
    from feyngraph.topology import TopologyGenerator, TopologyModel, TopologySelector
except ImportError:
    feyngraph = None

TABLE = json.loads(
    (Path(__file__).parents[1] / "tests" / "reference" / "diagrams.json").read_text()
)
# (power, legs, loops, one-particle irreducible, how many, whether feyngraph finishes in minutes)
QUICK = [
    (3, 2, 4, True, 64, True),
    (3, 2, 5, True, 519, True),
    (3, 2, 6, True, 4999, True),
    (3, 3, 4, True, 540, True),
    (3, 3, 5, True, 5905, True),
    (4, 4, 4, True, 477, True),
    (4, 2, 5, False, 174, True),
    (3, 0, 5, False, 71, True),
    (3, 0, 6, False, 388, False),
    (4, 0, 7, False, 97, True),
    (4, 0, 8, False, 359, True),
]
LONG = [
    (3, 3, 6, True, 72326, True),
    (4, 4, 6, True, 25722, True),
    (4, 0, 9, False, 1635, False),
    (4, 0, 10, False, 8296, False),
]


def ours(power, legs, loops, irreducible):
    """CPU seconds, number of diagrams and sum of 1/symmetry."""
    began = process_time()
    action = Action.phi(power)
    found = list(diagrams(action, legs, loops=loops, one_particle_irreducible=irreducible))
    return process_time() - began, len(found), sum(Fraction(1, d.symmetry) for d in found)


def theirs(power, legs, loops, irreducible):
    """The same by feyngraph."""
    began = process_time()
    selector = TopologySelector()
    if irreducible:
        selector.select_opi_components(1)
    found = TopologyGenerator(legs, loops, TopologyModel([power]), selector).generate()
    return process_time() - began, len(found)


def published(power, legs, loops, irreducible):
    """The row of the reference table, if there is one."""
    for family in TABLE["families"]:
        has = family["valences"], family["legs"], family["one_particle_irreducible"]
        if has == ([power], legs, irreducible) and family["leg_labels"] != "unlabelled":
            for row in family["rows"]:
                if row[0] == loops:
                    return row[1], Fraction(row[2])
    return None


if feyngraph:
    feyngraph.set_threads(1)
print(
    f"{'theory':6s} {'legs':>4s} {'loops':>5s} {'1PI':>4s} {'diagrams':>9s} {'CPU s':>8s}", end=""
)
print(f" {'feyngraph':>10s} {'ratio':>7s}" if feyngraph else "   (feyngraph is not installed)")
for power, legs, loops, irreducible, number, fair in QUICK + LONG * ("--all" in sys.argv):
    case = power, legs, loops, irreducible
    spent, count, total = ours(*case)
    assert count == number, (case, count)
    assert published(*case) in (None, (count, total)), (case, count, total)
    mark = "yes" if irreducible else ""
    line = f"phi^{power}  {legs:4d} {loops:5d} {mark:>4s} {count:9d} {spent:8.3f}"
    if feyngraph and fair:
        other, found = theirs(*case)
        note = "" if found == count else f"  ({found} diagrams)"
        line += f" {other:10.3f} {other / spent:7.1f}{note}"
    print(line, flush=True)
