"""The learning error of order 2 on the sphere, compiled, against SymPy and against NumPy by hand.

Fifty numbers of samples, a hundred degrees, d = 50. By hand means: the same sums, written by
someone who knows the formula and what its terms share. SymPy evaluates the very expression that was
compiled with subs and evalf; that takes minutes a point, so it is given one number of samples and
two nodes of the average over the angle, and its time is that of the sums plus the nodes' times
their number. Its value is held against NumPy's with the same two nodes.

    python benchmarks/compiled_error.py
"""

import numpy as np
from sympy import Integral, Sum
from timing import race, seconds

from fieldtheory.compiler.angular import plan_series
from fieldtheory.compiler.space import sphere
from fieldtheory.theory import learning
from fieldtheory.theory.homogeneous import G, L, P, deg, lam

DIMENSION, DEGREES, SAMPLES, RIDGE = 50, 100, np.geomspace(50, 5000, 50), 0.1
POWER = np.zeros(DEGREES)
POWER[1:3] = 0.5

series = learning.error(order=2)
plan = plan_series(series)
cost = plan.cost(sphere(DIMENSION), {"lam": DEGREES, "G": DEGREES}, batch=SAMPLES.size)
basis = sphere(DIMENSION).basis(DEGREES, cost.total)
count = basis.multiplicities
spectrum = (1.0 + np.arange(DEGREES)) ** -2 / count
functions, weights = basis.functions, basis.weights
program = plan.program


def ours():
    """The compiled program."""
    return program(lam=spectrum, deg=count, G=POWER, eta=SAMPLES, s2=RIDGE, P=functions, w=weights)


def by_hand(weights=weights):
    """The formula, term by term."""
    eta, s2 = SAMPLES[:, None], RIDGE
    missed = s2 / (eta * spectrum + s2)
    line = spectrum * missed
    residual = POWER * missed**2
    trace = np.sum(count * line, axis=1)
    square = np.sum(count * line**2, axis=1)
    cube = np.sum(count * line**3, axis=1)
    bias = np.sum(residual, axis=1)
    once = np.sum(residual * line, axis=1)
    twice = np.sum(residual * line**2, axis=1)
    c = (count * line) @ functions
    cc = (count * line**2) @ functions
    rr = residual @ functions
    crr = (residual * line) @ functions
    crossed = (c * c * (2 * c * crr + 3 * rr * cc)) @ weights
    eta = SAMPLES
    return (
        eta**2 / s2**4
        * (
            crossed
            + 2 * bias * trace * cube
            + bias * square**2
            + 3 * trace**2 * twice
            + 4 * trace * square * once
        )
        - 2 * eta / s2**3 * trace * (bias * square + trace * once)
    )  # fmt: skip


NODES = (weights.size // 2, weights.size // 2 + 7)
NUMBERS = {learning.eta: float(SAMPLES[0]), learning.s2: RIDGE}
ARRAYS = {lam: spectrum, deg: count, G: POWER}
ENTRIES = {base[n]: float(v) for base, values in ARRAYS.items() for n, v in enumerate(values)}


def by_sympy(nodes):
    """The expression at the first number of samples, averaged over some nodes only."""

    def summed(summand, limits, node=None):
        known = ENTRIES
        if node is not None:
            angle = next(iter(summand.atoms(P))).args[1]
            known = ENTRIES | {P(n, angle): float(functions[n, node]) for n in range(DEGREES)}
        terms = [summand.subs(limits[0], n).subs(NUMBERS) for n in range(DEGREES)]
        return sum(term.xreplace(known).evalf() for term in terms)

    def average(integrand, _):
        def at(node):
            return integrand.replace(Sum, lambda f, over: summed(f, over, node))

        return sum(float(weights[node]) * at(node).evalf() for node in nodes)

    whole = plan.expression.subs(L, DEGREES - 1).replace(Integral, average)
    return float(whole.replace(Sum, summed).subs(NUMBERS).evalf())


fast, hand = race(ours, by_hand, rounds=200)
sums, both = seconds(lambda: by_sympy(())), seconds(lambda: by_sympy(NODES))
slow = (sums + (both - sums) / len(NODES) * weights.size) * SAMPLES.size
some = np.zeros_like(weights)
some[list(NODES)] = weights[list(NODES)]
apart = np.max(np.abs(ours() / by_hand() - 1)), abs(by_sympy(NODES) / by_hand(some)[0] - 1)
print(f"learning error of order 2, d = {DIMENSION}, {SAMPLES.size} numbers of samples")
print(f"  {len(series.terms)} diagrams, {cost}")
print(f"  compiled                         {fast:12.6f} s")
print(f"  NumPy by hand                    {hand:12.6f} s   differs by {apart[0]:.0e}")
print(f"  SymPy subs and evalf (scaled up) {slow:12.0f} s   differs by {apart[1]:.0e}")
print(f"  times faster than SymPy {slow / fast:.1e}; time over NumPy by hand {fast / hand:.2f}")
