"""Crossing-connected words of any few samples, by samples that are there at most once.

Sample i is there with weight w_i, w_i^2 = 0: a number is a dictionary from sets of samples (bits)
to coefficients. The average propagator over who is there is the given one; what has to be added to
its inverse, at w_1 ... w_n, is the sum of the words. No closed form, any n.
"""

from collections import defaultdict

import numpy as np


def parts(whole):
    """All subsets of a set of bits, the empty one and itself included."""
    part = whole
    while True:
        yield part
        if not part:
            return
        part = (part - 1) & whole


def product(one, between, other):
    """No sample may be used twice."""
    found = defaultdict(lambda: 0)
    for a, left in one.items():
        for b, right in other.items():
            if not a & b:
                found[a | b] = found[a | b] + left @ between @ right
    return found


def plus(*terms):
    found = defaultdict(lambda: 0)
    for term in terms:
        for key, value in term.items():
            found[key] = found[key] + value
    return found


def average(step, line, whole):
    """Of (1 + the steps between those there)^-1, on all the samples, where the line through
    samples that may or may not be there adds `line` to every step."""
    size = step.shape[-1]
    found = defaultdict(lambda: 0)
    for there in parts(whole):
        if not there:
            continue
        on = np.diag([float(there >> i & 1) for i in range(size)])
        # those absent are decoupled; what they leave on the diagonal is taken out again
        once = np.linalg.inv(np.eye(size) + on @ step @ on) - (np.eye(size) - on)
        inverse, last = {0: once}, {0: once}
        while last:
            last = {k: -v for k, v in product(product(last, on, line), on, {0: once}).items()}
            last = {k: v for k, v in last.items() if not k & there and not k & ~whole}
            inverse = plus(inverse, last)
        for nested, value in inverse.items():
            for absent in parts(whole & ~there & ~nested):
                sign = (-1) ** absent.bit_count()
                found[there | nested | absent] = found[there | nested | absent] + sign * value
    return found


def connected(step):
    """The words that use every sample, from row to column: (..., n, n) from the steps between
    samples, (..., n, n) with nothing on the diagonal; T-matrices are one."""
    size = step.shape[-1]
    whole = (1 << size) - 1
    scattered = {}
    for _ in range(size):  # each turn is right to one more sample
        line = {key: step @ value @ step for key, value in scattered.items()}
        inner = average(step, line, whole)
        outer = plus(inner, product(scattered, step, inner))
        scattered = dict(plus(outer, product(outer, step, scattered)))
    sigma = {}
    for _ in range(size):
        again = product(scattered, step, sigma)
        sigma = dict(plus(scattered, {key: -value for key, value in again.items()}))
    return sigma[whole]
