"""The learning error on a sphere of any dimension for a linear kernel, exactly, without harmonics.

K(x, y) = a x.y and g(x) = c u.x with unit vectors. The series is the partition sum of `partitions`;
the integral over each block is one over a random unit vector, by pairings:
    E[ (x.v_1) ... (x.v_2m) ] = sum over pairings of the (v_i.v_j), over d (d+2) ... (d+2m-2).
"""

from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import pairwise

from tests.oracles.partitions import partitions


@cache
def moment(dimension, lines):
    """E of the product of x_i.x_j over the lines (pairs of numbers, sorted); 0 is fixed."""
    rest = [line for line in lines if line[0] != line[1]]  # x.x = 1
    places = {end for line in rest for end in line} - {0}
    if not places:
        return Fraction(1)
    counts = Counter(end for line in rest for end in line)
    here = min(places, key=lambda place: counts[place])
    others = [b if a == here else a for a, b in rest if here in (a, b)]
    kept = [line for line in rest if here not in line]
    if len(others) % 2:
        return Fraction(0)
    norm = 1
    for k in range(len(others) // 2):
        norm *= dimension + 2 * k
    total = Fraction(0)
    for pairing in pairings(others):
        new = [tuple(sorted(pair)) for pair in pairing]
        total += moment(dimension, tuple(sorted([*kept, *new])))
    return total / norm


def pairings(ends):
    if not ends:
        yield []
        return
    first, rest = ends[0], ends[1:]
    for n, other in enumerate(rest):
        for more in pairings(rest[:n] + rest[n + 1 :]):
            yield [(first, other), *more]


def error(order, dimension, eigenvalue, power, eta, s2):
    """The error at that order in 1/eta; eigenvalue a/d and power c^2/d are those of degree one."""
    d, eta, s2 = dimension, Fraction(eta), Fraction(s2)
    slope = d * eigenvalue * s2 / (eta * eigenvalue + s2)  # C(x, y) = slope x.y
    residual = -s2 / (eta * eigenvalue + s2)  # r = residual g
    total = Fraction(0)
    for first in range(2 * order + 1):
        for second in range(2 * order + 1 - first):  # without single sites: at most 2 order sites
            sites = first + second
            for blocks in partitions(list(range(sites))):
                if sites - len(blocks) != order:
                    continue
                place = {site: n + 2 for n, block in enumerate(blocks) for site in block}
                weight = Fraction(1)
                for block in blocks:
                    weight *= eta / s2 ** len(block)
                lines = []
                for run in (range(first), range(first, sites)):
                    path = [1, *(place[site] for site in run), 0]  # x ... u
                    lines += [tuple(sorted(p)) for p in pairwise(path)]
                    weight *= (-slope) ** len(run) * residual
                total += weight * moment(d, tuple(sorted(lines)))
    return total * power * d
