"""The learning series without replicas: set partitions of the sites of a line.

h = -(1 + K D)^-1 g, D = sum over samples of delta_x / s2. About its mean D_0 = eta mu / s2,
    h = sum_n (-1)^n (C delta D)^n r,   C = (1 + K D_0)^-1 K,   r = -(1 + K D_0)^-1 g,
and a Poisson process has all joint cumulants local, eta mu_x / s2^n. So an average is a sum over
partitions of the sites without single sites; its order in 1/eta is sites - blocks. Exact.
"""

from fractions import Fraction
from itertools import product


def solve(matrix, right):
    """Gauss-Jordan in Fractions; `right` is a list of rows."""
    n = len(matrix)
    rows = [list(map(Fraction, matrix[i])) + list(map(Fraction, right[i])) for i in range(n)]
    for i in range(n):
        pivot = next(k for k in range(i, n) if rows[k][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(n):
            if k != i:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[n:] for row in rows]


def partitions(sites):
    """Set partitions without blocks of one."""
    if not sites:
        yield []
        return
    first, rest = sites[0], sites[1:]
    for mask in range(1, 2 ** len(rest)):
        block = [first, *(s for n, s in enumerate(rest) if mask >> n & 1)]
        for more in partitions([s for n, s in enumerate(rest) if not mask >> n & 1]):
            yield [block, *more]


class Learning:
    """A finite measure: weights mu, Gram matrix, target; eta and s2 rational."""

    def __init__(self, mu, kernel, target, eta, s2):
        self.mu, self.eta, self.s2 = mu, Fraction(eta), Fraction(s2)
        n, a = len(mu), Fraction(eta) / Fraction(s2)
        system = [[(i == k) + a * kernel[i][k] * mu[k] for k in range(n)] for i in range(n)]
        self.points = range(n)
        self.propagator = solve(system, kernel)
        self.residual = [-row[0] for row in solve(system, [[value] for value in target])]

    def line(self, start, sites, end=None):
        """(-1)^n C(start, x1) C(x1, x2) ... r(xn), or C(xn, end)."""
        value, here = Fraction(1), start
        for site in sites:
            value *= -self.propagator[here][site]
            here = site
        return value * (self.residual[here] if end is None else self.propagator[here][end])

    def average(self, starts, order, shared, end=None):
        """The product of one line per start at that order; `shared`: at least one block on two."""
        total = Fraction(0)
        for lengths in product(range(2 * order + 1), repeat=len(starts)):
            if sum(lengths) > 2 * order:
                continue  # without single sites at most half as many blocks
            owner = [n for n, length in enumerate(lengths) for _ in range(length)]
            for blocks in partitions(list(range(len(owner)))):
                if len(owner) - len(blocks) != order:
                    continue
                if shared and not any(len({owner[s] for s in block}) > 1 for block in blocks):
                    continue
                total += self.placed(starts, owner, blocks, end)
        return total

    def placed(self, starts, owner, blocks, end=None):
        """The sum over the place of each block."""
        total = Fraction(0)
        for places in product(self.points, repeat=len(blocks)):
            at = [0] * len(owner)
            weight = Fraction(1)
            for block, place in zip(blocks, places, strict=True):
                weight *= self.eta * self.mu[place] / self.s2 ** len(block)
                for site in block:
                    at[site] = place
            for n, start in enumerate(starts):
                mine = [x for x, own in zip(at, owner, strict=True) if own == n]
                weight *= self.line(start, mine, end)
            total += weight
        return total

    def mean(self, order):
        return [self.average([x], order, shared=False) for x in self.points]

    def covariance(self, order):
        if order == 0:
            return [[Fraction(0)] * len(self.mu) for _ in self.points]
        return [
            [self.average([x, y], order, shared=True) for y in self.points] for x in self.points
        ]

    def error(self, order):
        return sum(self.mu[x] * self.average([x, x], order, shared=False) for x in self.points)

    def posterior(self, order):
        """(1/K + D)^-1 at x, x: C - C dD C + ..., a line that ends where it began."""
        return [self.average([x], order, shared=False, end=x) for x in self.points]

    def evidence(self, order, v):
        """-1/2 log det(1 + K D) - 1/2 (g + e)^T D (1 + K D)^-1 (g + e) about D_0: cycles of C, and
        lines between two r, or two noises of one sample; order 1 and above."""
        total = Fraction(0)
        for n in range(2, 2 * order + 1):
            sign = Fraction((-1) ** n, 2)
            for blocks in partitions(list(range(n))):
                if n - len(blocks) == order:
                    total += sign * self.closed(blocks, n) / n
                    total += sign * self.between(blocks, n, v)
        return total

    def sites(self, blocks, n):
        """(weight, places of the n sites) for every way to put the blocks somewhere."""
        for places in product(self.points, repeat=len(blocks)):
            at, weight = [0] * n, Fraction(1)
            for block, place in zip(blocks, places, strict=True):
                weight *= self.eta * self.mu[place] / self.s2 ** len(block)
                for site in block:
                    at[site] = place
            yield weight, at

    def closed(self, blocks, n):
        total = Fraction(0)
        for weight, at in self.sites(blocks, n):
            for site in range(n):
                weight *= self.propagator[at[site - 1]][at[site]]
            total += weight
        return total

    def between(self, blocks, n, v):
        together = any(0 in block and n - 1 in block for block in blocks)
        total = Fraction(0)
        for weight, at in self.sites(blocks, n):
            for site in range(1, n):
                weight *= self.propagator[at[site - 1]][at[site]]
            total += weight * (self.residual[at[0]] * self.residual[at[-1]] + v * together)
        return total
