"""Complete lists of diagrams with their symmetry factors, against feyngraph where it is installed.

Each list is made in a process of its own: CPU seconds (every thread counted), milliseconds to the
first diagram, megabytes of memory that the list added. Counts and sums of 1/symmetry are checked
against tests/reference/diagrams.json where it lists them.

    python benchmarks/diagrams.py            # lists that take a second or so
    python benchmarks/diagrams.py --all      # the long ones too, several minutes with feyngraph
"""

import json
import resource
import subprocess
import sys
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from time import process_time

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


def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ours(power, legs, loops, irreducible):
    """Ready to run, then [CPU seconds, ms to the first, MB, number, sum of 1/symmetry]."""
    from fieldtheory.theory.action import Action
    from fieldtheory.theory.enumeration import diagrams

    list(diagrams(Action.phi(4), 2, order=1))  # SymPy's own start is not what is timed
    before, began = megabytes(), process_time()
    stream = diagrams(Action.phi(power), legs, loops=loops, one_particle_irreducible=irreducible)
    found = [next(stream)]
    first = process_time() - began
    found += stream
    spent = process_time() - began
    added, total = megabytes() - before, sum(Fraction(1, d.symmetry) for d in found)
    return [spent, 1000 * first, added, len(found), str(total)]


def theirs(power, legs, loops, irreducible):
    """The same by feyngraph, which makes the whole list at once."""
    import feyngraph
    from feyngraph.topology import TopologyGenerator, TopologyModel, TopologySelector

    feyngraph.set_threads(1)
    before, began = megabytes(), process_time()
    selector = TopologySelector()
    if irreducible:
        selector.select_opi_components(1)
    found = TopologyGenerator(legs, loops, TopologyModel([power]), selector).generate()
    spent = process_time() - began
    return [spent, 1000 * spent, megabytes() - before, len(found), ""]


def alone(who, case):
    """In a fresh process."""
    words = [sys.executable, __file__, who, *(str(int(n)) for n in case)]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def published(power, legs, loops, irreducible):
    """The row of the reference table, if there is one."""
    for family in TABLE["families"]:
        has = family["valences"], family["legs"], family["one_particle_irreducible"]
        if has == ([power], legs, irreducible) and family["leg_labels"] != "unlabelled":
            for row in family["rows"]:
                if row[0] == loops:
                    return row[1], Fraction(row[2])
    return None


def main():
    has_feyngraph = find_spec("feyngraph") is not None
    head = f"{'theory':6s} {'legs':>4s} {'loops':>5s} {'1PI':>4s} {'diagrams':>9s}"
    head += f" {'CPU s':>8s} {'first ms':>8s} {'MB':>6s}"
    other = f" {'feyngraph':>10s} {'MB':>6s} {'CPU ratio':>9s} {'MB ratio':>8s}"
    print(head + (other if has_feyngraph else "   (feyngraph is not installed)"))
    for power, legs, loops, irreducible, number, fair in QUICK + LONG * ("--all" in sys.argv):
        case = power, legs, loops, irreducible
        spent, first, added, count, total = alone("ours", case)
        assert count == number, (case, count)
        assert published(*case) in (None, (count, Fraction(total))), (case, count, total)
        line = f"phi^{power}  {legs:4d} {loops:5d} {'yes' if irreducible else '':>4s} {count:9d}"
        line += f" {spent:8.3f} {first:8.1f} {added:6.1f}"
        if has_feyngraph and fair:
            slow, _, memory, found, _ = alone("theirs", case)
            note = "" if found == count else f"  ({found} diagrams)"
            line += f" {slow:10.3f} {memory:6.1f} {slow / spent:9.1f}"
            line += f" {memory / max(added, 1):8.1f}{note}"
        print(line, flush=True)


if sys.argv[1:2] in (["ours"], ["theirs"]):
    asked = [int(word) for word in sys.argv[2:]]
    print(json.dumps({"ours": ours, "theirs": theirs}[sys.argv[1]](*asked)))
else:
    main()
