"""Crossings, connected words and exact power series, by the plainest means."""

from fractions import Fraction
from itertools import pairwise, product
from string import ascii_lowercase

from tests.oracles.partitions import Learning


def alternate(one, other):
    """Whether two blocks, sets of places, cross: a < b < c < d with a, c in one, b, d in other."""
    for first, second in ((one, other), (other, one)):
        here, turns = -1, 0
        while True:
            later = [place for place in (first, second)[turns % 2] if place > here]
            if not later:
                break
            here, turns = min(later), turns + 1
        if turns >= 4:
            return True
    return False


def components(blocks):
    """Lists of blocks that hang together by crossings, by flood fill."""
    left, found = list(blocks), []
    while left:
        group, edge = [], [left.pop()]
        while edge:
            block = edge.pop()
            group.append(block)
            edge += [other for other in left if alternate(block, other)]
            left = [other for other in left if not alternate(block, other)]
        found.append(group)
    return found


def blocks_of(text):
    return [[n for n, one in enumerate(text) if one == letter] for letter in sorted(set(text))]


def connected_words(letters, length):
    """Words on exactly so many letters, no letter twice in a row, in one component."""
    for choice in product(ascii_lowercase[:letters], repeat=length):
        text = "".join(choice)
        twice = any(a == b for a, b in pairwise(text))
        if not twice and len(set(text)) == letters and len(components(blocks_of(text))) == 1:
            yield text


class Series:
    """A power series in one variable through a fixed order; coefficients of any exact kind, a
    `Dual` among them. What is not of its own class is a number to it."""

    def __init__(self, terms):
        self.terms = list(terms)

    def lift(self, other):
        if type(other) is type(self):
            return other.terms
        return [other, *[0] * (len(self.terms) - 1)]

    def __add__(self, other):
        return type(self)(a + b for a, b in zip(self.terms, self.lift(other), strict=True))

    def __neg__(self):
        return type(self)(-a for a in self.terms)

    def __sub__(self, other):
        return self + (-type(self)(self.lift(other)))

    def __rsub__(self, other):
        return -self + other

    def __mul__(self, other):
        right = self.lift(other)
        size = range(len(self.terms))
        return type(self)(
            sum((self.terms[i] * right[n - i] for i in range(n + 1)), Fraction(0)) for n in size
        )

    def inverse(self):
        first = Fraction(1) / self.terms[0]
        found = [first]
        for n in range(1, len(self.terms)):
            rest = sum((self.terms[k] * found[n - k] for k in range(1, n + 1)), Fraction(0))
            found.append(-first * rest)
        return type(self)(found)

    def __truediv__(self, other):
        return self * type(self)(self.lift(other)).inverse()

    def __rtruediv__(self, other):
        return self.inverse() * other

    def __pow__(self, power):
        if power < 0:
            return (self ** (-power)).inverse()
        found = type(self)(self.lift(Fraction(1)))
        for _ in range(power):
            found = found * self
        return found

    __radd__, __rmul__ = __add__, __mul__


class Dual(Series):
    """a + b J with J^2 = 0."""


class Sorted(Learning):
    """The partition sum restricted to components of at most so many blocks."""

    largest = 1

    def placed(self, starts, owner, *rest):
        """Two lines are read as one, the first of them backwards."""
        blocks = rest[0]
        if len(starts) == 2:
            seam = owner.count(0)
            blocks = [[s if s >= seam else seam - 1 - s for s in block] for block in blocks]
        if max(map(len, components(blocks)), default=1) > self.largest:
            return Fraction(0)
        return super().placed(starts, owner, *rest)
