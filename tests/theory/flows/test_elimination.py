"""Shells read off the diagrams, and flow equations against closed forms of a power law."""

import mpmath
import pytest
import sympy as sp

from fieldtheory.theory.flows import elimination
from fieldtheory.theory.homogeneous import G, deg, l, lam
from tests.tolerance import agree, rounding

N, k, s2, v, c = (getattr(elimination, name) for name in ("N", "k", "s2", "v", "cut"))


def test_shells_are_those_of_the_planar_theory():
    """N k = s2 + sum deg lam k/(lam + k), and the bias sum (k/(lam + k))^2 G."""
    mode = lam[l]
    assert sp.simplify(elimination.ridge_shell() - deg[l] * mode * k / (mode + k)) == 0
    assert sp.simplify(elimination.noise_shell() - G[l] * (k / (mode + k)) ** 2) == 0
    learnt = mode / (mode + k)
    assert sp.simplify(elimination.learnability() - learnt) == 0
    summand = elimination.effective_samples().atoms(sp.Sum).pop().function
    assert sp.simplify(summand - deg[l] * learnt**2) == 0


def test_limits_of_a_shell():
    """A mode far below the running ridge is its eigenvalue; one far above, k for every mode."""
    shell = elimination.ridge_shell().subs({deg[l]: 1, lam[l]: v})
    assert sp.limit(shell, k, sp.oo) == v
    assert sp.limit(shell, v, sp.oo) == k
    noise = elimination.noise_shell().subs({lam[l]: v, G[l]: 1})
    assert sp.limit(noise, k, sp.oo) == 1
    assert sp.limit(noise, v, sp.oo) == 0


def test_functions_of_the_cut_compose():
    """Two shells one after the other are both at once, at any k."""
    ridge, noise = elimination.ridge_function(), elimination.noise_function()
    cut, last = (sp.Symbol(name, integer=True) for name in ("c", "L"))
    for whole, bare in ((ridge, s2), (noise, v)):
        at_once = whole.subs({cut: 0, last: 3}).doit()
        upper = whole.subs({cut: 1, last: 3}).doit()
        both = whole.subs({cut: 0, last: 1}).doit().subs(bare, upper)
        assert sp.expand(at_once - both) == 0


# A spectrum lam(n) = n^-2 with power n^-2, where every integral has a closed form.


def numbers():
    """N, s2, v, c, and k from the closed condition N k = s2 + sqrt(k) arctan(1/(c sqrt(k)))."""
    mpmath.mp.dps = 30
    size, ridge, noise, cut = map(mpmath.mpf, ("7", "0.3", "0.2", "2.5"))

    def running(at):
        root = mpmath.sqrt
        return mpmath.findroot(
            lambda x: size * x - ridge - root(x) * mpmath.atan(1 / (at * root(x))), 0.1
        )

    def power(at):
        """v + int_c^oo n^-2 (k/(n^-2 + k))^2 dn = v + int k^2 n^2/(1 + k n^2)^2."""
        x = running(at)
        return noise + mpmath.quad(lambda n: x**2 * n**2 / (1 + x * n**2) ** 2, [at, mpmath.inf])

    return {N: size, s2: ridge, v: noise, c: cut, k: running(cut)}, running, power


def evaluated(expression, values):
    """At lam(n) = G(n) = n^-2, integrals by quadrature."""
    n = sp.Symbol("n", positive=True)
    square = sp.Lambda(n, n**-2)
    plain = expression.replace(sp.Function("lam"), square).replace(sp.Function("G"), square)
    known = {symbol: sp.Float(str(number), 30) for symbol, number in values.items()}
    for integral in plain.atoms(sp.Integral):
        summand = sp.lambdify(n, integral.function.subs(known), "mpmath")
        found = mpmath.quad(summand, [values[c], mpmath.inf])
        plain = plain.subs(integral, sp.Float(str(found), 30))
    return float(plain.subs(known))


def test_flow_equations_are_derivatives():
    values, running, power = numbers()
    slope = float(values[N] * values[c] * mpmath.diff(running, values[c]))
    found = evaluated(elimination.ridge_flow(), values)
    assert agree(found, slope, rounding(slope, 10))
    noise = float(values[c] * mpmath.diff(power, values[c]))
    found = evaluated(elimination.noise_flow(), values)
    assert agree(found, noise, rounding(noise, 10))


@pytest.mark.parametrize("flow", [elimination.ridge_flow, elimination.noise_flow])
def test_spoilt_flow_equations_are_seen(flow):
    values, running, power = numbers()
    of_ridge = float(values[N] * values[c] * mpmath.diff(running, values[c]))
    truth = (
        of_ridge
        if flow is elimination.ridge_flow
        else float(values[c] * mpmath.diff(power, values[c]))
    )
    expression = flow()
    for part in {*sp.Add.make_args(expression), *expression.atoms(sp.Integral)}:
        for wrong in (-part, 2 * part):
            spoilt = evaluated(expression.subs(part, wrong), values)
            assert not agree(spoilt, truth, rounding(truth, 10))
