r"""The posterior of a network of finite width, as a field theory: 1/width counts the vertices.

One hidden layer of n units, f(x) = n^(-1/2) sum_i a_i phi(w_i.x), is a sum of n independent parts.
All its cumulants follow from one unit; at order n^(1-m) there is the one of 2m legs,

.. math:: \log \langle e^{h f} \rangle = \tfrac12 h K h + \frac{U}{4!\, n} h^4
          + \frac{V}{6!\, n^2} h^6 + \dots

With Gaussian noise of variance s2 on the labels y the posterior has the action of f and of the
response field h,

.. math:: S = h f - \tfrac12 h K h + \frac{(f - y)^2}{2 s_2} - \frac{U}{4!\, n} h^4 - \dots

whose saddle is Bayes' rule at infinite width: h = b = (K + s2)^-1 y, f = K b. Around it h has the
propagator -A, A = (K + s2)^-1; f has the covariance C = K - K A K; and <f h> = R = 1 - K A carries
what happens at the data to the place where f is asked for. Every cumulant is a vertex, its legs
either h or the background b.

With many data points the letters are tensors: U_abcd, a leg at a test point stands for
U_*bcd - sum_ae K_*a A_ae U_ebcd (that is R U), and lines join the indices. With one they are
numbers, and these expressions are that case, exactly.

Networks of many hidden layers have the same action, their mean kernel being K + S/n: one vertex
more, S h^2 / 2n, is there on demand.

Source of the idea: Yaida, arXiv:1910.00019; here the engine lists the diagrams.
"""

from __future__ import annotations

from math import factorial
from typing import Any

import sympy as sp

from fieldtheory.ground.checks import choice, count
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.amplitude import amplitude
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field, Propagator

n = sp.Symbol("n", positive=True)
A, b, C, R = sp.symbols("A b C R")
S = sp.Symbol("S")  # what the mean kernel shifts by, times n
CUMULANTS = sp.symbols("U V W")  # of four, six and eight legs, times n, n^2 and n^3
HIGHEST = len(CUMULANTS)
LEGS = {"mean": ("f",), "covariance": ("f", "f"), "evidence": ()}


def action(order: int = 1, shift: bool = False) -> Action:
    """The vertices that count up to `order` in 1/n, around the posterior of infinite width.

    shift  whether the mean kernel has a part in 1/n, as for more than one hidden layer

    >>> len(action(1).vertices)                     # U with 0 to 4 of its legs on the background
    5
    """
    vertices = [
        Vertex(CUMULANTS[k - 1] / n**k, [("h",) * legs + ("b",) * (2 * k + 2 - legs)], k)
        for k in range(1, _order(order) + 1)
        for legs in range(2 * k + 3)
    ]
    if shift:
        vertices += [Vertex(S / n, [("h",) * legs + ("b",) * (2 - legs)], 1) for legs in range(3)]
    fields = (Field("f", C), Field("h", -A), Field("b", background=True))
    return Action(fields, tuple(vertices), (Propagator("f", "h", R),))


def terms(quantity: str, order: int = 1, shift: bool = False) -> tuple[Diagram, ...]:
    """The connected diagrams of one order in 1/n.

    quantity  "mean", "covariance" (of f at one or two points) or "evidence" (its logarithm)

    >>> for diagram in terms("mean"):
    ...     print(diagram.symmetry, amplitude(diagram))
    2 -A*R*U*b/n
    6 R*U*b**3/n
    """
    legs = LEGS[choice("quantity", quantity, LEGS)]
    order = count("order", order, least=1)
    return tuple(diagrams(action(order, shift), legs, order=order, connected=True))


def correction(quantity: str, order: int = 1, shift: bool = False) -> sp.Expr:
    """One order of the posterior mean, covariance or log evidence, for one data point.

    >>> correction("mean")
    R*U*b*(-3*A + b**2)/(6*n)
    >>> correction("covariance")
    R**2*U*(-A + b**2)/(2*n)
    >>> correction("mean", shift=True)
    R*b*(-3*A*U + 6*S + U*b**2)/(6*n)
    """
    found = (amplitude(diagram) / diagram.symmetry for diagram in terms(quantity, order, shift))
    return sp.factor(sp.Add(*found))


def cumulant(legs: int) -> sp.Expr:
    r"""The cumulant of `legs` legs, at one point, by the averages m_k = <phi^k> of one hidden unit.

    .. math:: \log \langle e^{h f} \rangle = n \log \sum_k \frac{w^k h^{2k}}{2^k k!\, n^k} m_{2k}

    since the output weight a is Gaussian, of variance w. Several points: phi^4 is phi_a phi_b phi_c
    phi_d, and a product of averages is summed over the ways to share the legs out.

    >>> cumulant(4)
    -3*m_2**2*w**2 + 3*m_4*w**2
    >>> cumulant(6)
    30*m_2**3*w**3 - 45*m_2*m_4*w**3 + 15*m_6*w**3
    """
    order = count("legs", legs, least=2)
    h2 = sp.Symbol("h2")
    w, *moments = sp.symbols(["w", *(f"m_{2 * k}" for k in range(1, order // 2 + 1))])
    unit: Any = sum(
        (w * h2) ** k * m / (2**k * factorial(k)) for k, m in enumerate(moments, start=1)
    )
    series = sum((-1) ** (k + 1) * unit**k / k for k in range(1, order // 2 + 1))
    power = order // 2 if order % 2 == 0 else -1
    found = sp.expand(series).coeff(h2, power) if power > 0 else sp.S.Zero
    return sp.expand(factorial(order) * found)


def _order(order: Any) -> int:
    clean = count("order", order)
    if clean > HIGHEST:
        raise OutOfRegime(
            f"order = {clean}: the expansion in 1/width is derived up to order {HIGHEST}; ask for "
            f"1 to {HIGHEST}"
        )
    return clean
