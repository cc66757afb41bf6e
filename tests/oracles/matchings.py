"""Wick's theorem for any covariance, by trying everything: every pairing of numbered legs, every
choice of replicas, every cut of a line. Numbers only; nothing here is shared with the package."""

from fractions import Fraction
from itertools import product
from math import factorial

from tests.oracles.wick import leg_permutations


def matchings(items, value=lambda one, other: 1):
    """All ways to pair up a list, with the product of the values of the pairs if that is not 0."""
    if not items:
        yield [], Fraction(1)
        return
    for n in range(1, len(items)):
        if factor := value(items[0], items[n]):
            for rest, product_ in matchings(items[1:n] + items[n + 1 :], value):
                yield [(items[0], items[n]), *rest], factor * product_


def gaussian(names, covariance):
    """The average of a product of centred variables, pairing by pairing."""
    pairs = matchings(names, lambda one, other: covariance.get((one, other), 0))
    return sum((value for _, value in pairs), Fraction(0))


def pieces(nodes, lines):
    """How many connected pieces, by painting."""
    colour = {node: node for node in nodes}
    for a, b in lines:
        old, new = colour[a], colour[b]
        colour = {node: new if c == old else c for node, c in colour.items()}
    return len(set(colour.values()))


def everything(nodes, lines):
    """Keep every pairing."""
    return True


def connected(nodes, lines):
    """Keep pairings that tie vertices and legs together."""
    return pieces(nodes, lines) == 1


def irreducible(nodes, lines):
    """Keep those that no cut of a line between vertices takes apart; legs are stubs."""
    if not connected(nodes, lines) or any(a[0] == b[0] == "leg" for a, b in lines):
        return False
    inner = [n for n, line in enumerate(lines) if not any(end[0] == "leg" for end in line)]
    return all(connected(nodes, lines[:n] + lines[n + 1 :]) for n in inner)


def symmetric(pairs):
    """A covariance given once for each pair, both ways round."""
    return {**pairs, **{(b, a): value for (a, b), value in pairs.items()}}


def weight(vertices, legs, covariance, keep=everything, copies=None, amputated=False):
    """The coefficient of the product of the rules of `vertices` in the expectation of `legs`.

    vertices   each a tuple of strands, a strand a tuple of names; equal ones together.
    legs       (name, replica); replica None for all when `copies` is None.
    covariance two-point functions by pairs of names; other names are backgrounds of value 1.
    copies     None, or the number of replicas each strand is summed over.
    amputated  legs end on vertices' legs of their own name, without a factor.
    """
    vertices = sorted(vertices)
    quantum = {name for pair in covariance for name in pair}

    def value(one, other):
        (a, name, at), (b, its, there) = one, other
        if amputated and "leg" in (a[0], b[0]):
            return int(name == its and at == there)
        return covariance.get((name, its), 0) if at == there else 0

    nodes = [("leg", n) for n in range(len(legs))] + [("vertex", v) for v in range(len(vertices))]
    strands = [(v, strand) for v, strands in enumerate(vertices) for strand in strands]
    total = Fraction(0)
    for chosen in product([None] if copies is None else range(copies), repeat=len(strands)):
        ends = [(("leg", n), name, at) for n, (name, at) in enumerate(legs)]
        ends += [
            (("vertex", v), name, at)
            for (v, strand), at in zip(strands, chosen, strict=True)
            for name in strand
            if name in quantum
        ]
        for pairs, product_ in matchings(ends, value) if len(ends) % 2 == 0 else ():
            if keep(nodes, [(a, b) for (a, *_), (b, *_) in pairs]):
                total += product_
    for vertex in set(vertices):
        times = vertices.count(vertex)
        total /= factorial(times) * leg_permutations(vertex) ** times
    return total
