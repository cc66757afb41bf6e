"""Gaussian loop integrals by trees and forests: every subset of lines is tried.

With propagators exp(-a k^2) the exponent of a diagram is a quadratic form in its loop momenta. Its
determinant is the first Symanzik polynomial, the sum over spanning trees of the product of a over
the lines outside; what is left at the minimum is the second one over the first, the sum over
spanning pairs of trees, each with the square of the momentum that passes between the two.
"""

from fractions import Fraction
from itertools import combinations
from math import prod


def _parts(nodes, lines):
    """The connected parts, or None if the lines close a loop."""
    parts = [{node} for node in nodes]
    for a, b in lines:
        one = next(part for part in parts if a in part)
        other = next(part for part in parts if b in part)
        if one is other:
            return None
        parts.remove(other)
        one |= other
    return parts


def _forests(nodes, lines, trees):
    """Sets of lines without loops that leave so many parts, with these parts."""
    for chosen in combinations(range(len(lines)), len(nodes) - trees):
        parts = _parts(nodes, [lines[n] for n in chosen])
        if parts is not None:
            yield set(chosen), parts


def first(nodes, lines, a):
    return sum(
        prod((a[n] for n in range(len(lines)) if n not in tree), start=Fraction(1))
        for tree, _ in _forests(nodes, lines, 1)
    )


def second(nodes, lines, a, inflow):
    """`inflow` is the external momentum, a number, that enters each node."""
    return sum(
        prod((a[n] for n in range(len(lines)) if n not in forest), start=Fraction(1))
        * sum(inflow[node] for node in parts[0]) ** 2
        for forest, parts in _forests(nodes, lines, 2)
    )


def shortest(nodes, lines, legs):
    """The fewest terms that line momenta can have, over all spanning trees. `legs` are the nodes
    where external momenta enter, the last of them eliminated."""
    best = None
    for tree, _ in _forests(nodes, lines, 1):
        terms = len(lines) - len(tree)
        for line in tree:
            rest = [lines[n] for n in tree if n != line]
            side = next(part for part in _parts(nodes, rest) if lines[line][0] in part)
            terms += sum(
                (a in side) != (b in side) for n, (a, b) in enumerate(lines) if n not in tree
            )
            terms += sum((node in side) != (legs[-1] in side) for node in legs)
        best = terms if best is None else min(best, terms)
    return best
