"""Space is a ring of three points, numbers are residues of a prime: amplitudes become finite sums.

Position forms are summed over places and Fourier transformed, momentum forms are summed over
momenta; the two must be equal as whole numbers. With three points k and -k differ, so every sign
counts. f(x) = 1/3 sum of f(q) w^(q x), w a cube root of one.
"""

from itertools import product
from math import prod
from random import Random

import sympy as sp

SIZE = 3
PRIME = 1_000_000_009
assert sp.isprime(PRIME)
assert PRIME % SIZE == 1
ROOT = next(w for n in range(2, 50) if (w := pow(n, (PRIME - 1) // SIZE, PRIME)) != 1)
THIRD = pow(SIZE, -1, PRIME)


def wave(phase):
    return pow(ROOT, phase % SIZE, PRIME)


class Ring:
    """Values for everything an expression may hold; functions in `even` do not change with k."""

    def __init__(self, seed, even):
        self.random, self.even = Random(seed), even
        self.functions, self.symbols = {}, {}

    def of_momentum(self, name):
        if name not in self.functions:
            values = [self.random.randrange(PRIME) for _ in range(SIZE)]
            if name in self.even:
                values = [values[min(k, -k % SIZE)] for k in range(SIZE)]
            self.functions[name] = values
        return self.functions[name]

    def of_place(self, name, x):
        return THIRD * sum(v * wave(k * x) for k, v in enumerate(self.of_momentum(name))) % PRIME

    def symbol(self, name):
        return self.symbols.setdefault(name, self.random.randrange(PRIME))

    def value(self, expression, at, measure=1, forbidden=()):
        """A number for an expression whose places or momenta are `at`; integrals carry `measure`
        for every variable."""
        if expression.is_Rational:
            return expression.p * pow(expression.q, -1, PRIME) % PRIME
        if expression.is_Symbol:
            return self.symbol(expression.name)
        if expression.is_Pow:
            return pow(self.value(expression.base, at, measure), int(expression.exp), PRIME)
        if isinstance(expression, sp.Integral):
            names = expression.variables
            return (
                measure ** len(names)
                * sum(
                    self.value(expression.function, {**at, **dict(zip(names, z, strict=True))})
                    for z in product(range(SIZE), repeat=len(names))
                )
                % PRIME
            )
        if expression.is_Function:
            return self.function(expression, at)
        parts = [self.value(part, at, measure) for part in expression.args]
        return int(sum(parts) if expression.is_Add else prod(parts)) % PRIME

    def function(self, expression, at):
        name = expression.func.__name__
        if name == "delta":
            return int(self.residue(expression.args[0] - expression.args[1], at) == 0)
        if len(expression.args) == 2:
            x, y = (self.residue(place, at) for place in expression.args)
            return self.of_place(name, x - y)
        (argument,) = expression.args
        if self.in_space:
            return self.of_place(name, self.residue(argument, at))
        return self.of_momentum(name)[self.residue(argument, at)]

    @staticmethod
    def residue(expression, at):
        total = sum(
            int(sign) * at[symbol]
            for symbol, sign in expression.as_coefficients_dict().items()
            if sign
        )
        return total % SIZE

    def from_places(self, expression, places, momenta):
        """The Fourier transform of a position form: momenta come in at the places."""
        self.in_space = True
        total = 0
        for x in product(range(SIZE), repeat=len(places)):
            phase = wave(sum(p * y for p, y in zip(momenta, x, strict=True)))
            total += phase * self.value(expression, dict(zip(places, x, strict=True)))
        return total % PRIME

    def from_momenta(self, expression, names, momenta):
        self.in_space = False
        return self.value(expression, dict(zip(names, momenta, strict=True)), THIRD)
