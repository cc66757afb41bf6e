r"""The learning action, and what follows from it: mean, covariance and error of the prediction.

Bayesian regression with kernel K and ridge s2, averaged over a Poisson number (mean eta) of samples
drawn from the input measure, is the field theory of M -> 0 replicas of the prediction f with

.. math::  S = \tfrac12 \sum_a f_a K^{-1} f_a
               - \eta \int d\mu(x) \Bigl\{ e^{-\sum_a (f_a(x)-g(x))^2/(2 s_2)} - 1 \Bigr\}

Shifted to its saddle, f_a = g + r + zeta_a, it has the propagator C = (1/K + eta/s2)^-1, the
classical background r = -(1 + eta K/s2)^-1 g, and for every n >= 2 one vertex, local in x,

.. math::  + \frac{\eta (-1)^n}{n! (2 s_2)^n} \int d\mu(x)
           \Bigl[ \sum_a (r + \zeta_a)^2 \Bigr]^n,

whose rule, once it is resolved into strands (zeta zeta), (r zeta), (r r), is eta (-1/s2)^n. At
fixed eta/s2 it counts for n - 1 orders of 1/eta. A diagram survives M -> 0 only if every index is
tied to an external leg. Source: Cohen, Malka, Ringel, arXiv:1906.05301.

Quantities are those of h = f - g: its mean, its covariance over datasets, its mean square.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement, product
from math import comb, factorial
from typing import Any

import sympy as sp

from fieldtheory.ground.checks import choice, count
from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.theory import replica
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.amplitude import amplitude
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field
from fieldtheory.theory.homogeneous import G, L, deg, lam, reduce
from fieldtheory.theory.samples import poisson

eta = sp.Symbol("eta", positive=True)
s2 = sp.Symbol("s2", positive=True)
M = sp.Symbol("M")

HIGHEST = 4  # orders in 1/eta; each takes some fifteen times as long to list as the one before
ENSEMBLES = ("poisson", "fixed")
v = sp.Symbol("v", positive=True)  # variance of the label noise
_x, _y = sp.symbols("x y")
PLACES = {  # of the legs of each quantity
    "mean": (_x,),
    "covariance": (_x, _y),
    "label noise": (_x, _y),
    "posterior variance": (_x, _x),
    "error": (_x, _x),
    "evidence": (),
}
STRANDS = (("zeta", "zeta"), ("r", "zeta"), ("r", "r"))
NOISY = ("zeta",)  # (e zeta), the label noise e averaged over at its vertex


def action(order: int = 1) -> Action:
    """The replicated learning action with every vertex that counts up to `order`.

    >>> len(action(1).vertices)          # n = 2 resolved into pairs of three kinds of strand
    6
    """
    vertices = [
        Vertex(eta * (-1 / s2) ** n, strands, n - 1)
        for n in range(2, _order(order) + 2)
        for strands in combinations_with_replacement(STRANDS, n)
    ]
    return Action(_fields(), tuple(vertices))


def _noise_action(order: int) -> Action:
    """The vertices with an even number k of noisy strands, averaged: (k - 1)!! v^(k/2)."""
    vertices = [
        Vertex(
            eta * (-1 / s2) ** n * sp.factorial2(k - 1) * v ** (k // 2),
            [*strands, *[NOISY] * k],
            n - 1,
        )
        for n in range(2, order + 2)
        for k in range(2, n + 1, 2)
        for strands in combinations_with_replacement(STRANDS, n - k)
    ]
    return Action(_fields(), tuple(vertices))


def _fields() -> tuple[Field, Field]:
    return Field("zeta", sp.Symbol("C"), index=M), Field("r", background=True, index=M)


def _order(order: Any) -> int:
    clean = count("order", order)
    if clean > HIGHEST:
        raise OutOfRegime(
            f"order = {clean}: the learning series is derived up to order {HIGHEST} in 1/eta; "
            f"ask for 0 to {HIGHEST}, or use the self-consistent (planar) theory, which sums "
            "a class of diagrams to all orders"
        )
    return clean


@dataclass(frozen=True)
class Term:
    """One diagram of a series: factor * weight * amplitude / symmetry.

    factor is 1, or the coefficient that comes with a derivative with respect to eta.
    """

    diagram: Diagram
    symmetry: int
    weight: sp.Expr
    amplitude: sp.Expr
    factor: sp.Expr = sp.S.One

    @property
    def value(self) -> sp.Expr:
        """What the term adds to the series."""
        return self.factor * self.weight * self.amplitude / self.symmetry


@dataclass(frozen=True)
class Series:
    """One order of a quantity of the learning problem, as diagrams.

    quantity   "mean", "covariance", "error", "posterior variance", "evidence", ...
    order      the power of 1/eta, at fixed eta/s2.
    ensemble   "poisson" (eta is the mean number of samples) or "fixed" (eta is the number).
    terms      the diagrams that survive M -> 0.
    classical  what is there without diagrams: the saddle, and the determinant of the free part;
    free       the same on the sphere.

    >>> print(mean(order=1).expression)
    eta*Integral(C(x, z_1)*C(z_1, z_1)*r(z_1), z_1)/s2**2
    """

    quantity: str
    order: int
    ensemble: str
    terms: tuple[Term, ...]
    classical: sp.Expr = sp.S.Zero
    free: sp.Expr = sp.S.Zero

    @property
    def diagrams(self) -> tuple[Diagram, ...]:
        """The diagrams, in the order of the terms."""
        return tuple(term.diagram for term in self.terms)

    @cached_property
    def expression(self) -> sp.Expr:
        """The sum in position space; an integral over z_1 is one over the input measure."""
        return sp.Add(self.classical, *(term.value for term in self.terms))

    def latex(self) -> str:
        """The expression as LaTeX."""
        text: str = sp.latex(self.expression)
        return text

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __str__(self) -> str:
        rows = [
            f"  {term.diagram}   1/{term.symmetry}"
            + ("" if term.factor == 1 else f"   times {term.factor}")
            for term in self.terms
        ]
        head = f"{self.quantity}, order {self.order} in 1/eta, {self.ensemble} ensemble"
        return "\n".join([head, *rows, f"= {self.expression}"])

    def on_sphere(self) -> sp.Expr:
        """Reduced to sums over harmonic degrees, on a homogeneous space such as the sphere.

        With lam[l] the eigenvalue, deg[l] the multiplicity and G[l] the target power of degree
        l = 0, ..., L: the mean is the coefficient of g_l; the covariance is integrated over its
        two points set equal; the error is a number.

        Lines in parallel become an integral over the angle, with t its cosine and P(l, t) the
        normalised Gegenbauer polynomial; `compiler.angular` evaluates it. Raises OutOfRegime,
        naming the diagram, when a term does not reduce by series and parallel steps.

        >>> mean(order=0).on_sphere()
        -s2/(eta*lam[l] + s2)
        """
        terms = (
            term.factor * term.weight * reduce(term.diagram, eta, s2) / term.symmetry
            for term in self.terms
        )
        return sp.Add(self.free, *terms)


def mean(order: int = 1) -> Series:
    """The mean prediction minus the target, <h(x)>: its term of that order in 1/eta.

    Order 0 is the equivalent kernel's residual r itself.

    >>> mean(order=0).expression
    r(x)
    """
    found = _diagrams(("h",), _order(order), connected=True)
    return _series("mean", order, "poisson", [(diagram, sp.S.One) for diagram in found])


def covariance(order: int = 1) -> Series:
    """The covariance over datasets of the mean prediction, at x and y: its term of that order.

    It is the connected average of two different replicas.

    >>> print(covariance(order=1).expression)
    eta*Integral(C(x, z_1)*C(y, z_1)*r(z_1)**2, z_1)/s2**2
    """
    found = _diagrams(("h", "h"), _order(order), connected=True)
    return _series("covariance", order, "poisson", [(diagram, sp.S.One) for diagram in found])


def label_noise(order: int = 1) -> Series:
    r"""What noisy labels y = g + e add to the covariance over datasets; e has variance v.

    At a sample r becomes r - e. Averaged over e, strands (e zeta) come in pairs; strands (e e) and
    (e r) leave a replica sum free and vanish with M.

    >>> print(label_noise(order=1).expression)
    eta*v*Integral(C(x, z_1)*C(y, z_1), z_1)/s2**2
    """
    order = _order(order)
    theory = action(order) + _noise_action(order)
    found = [
        (diagram, sp.S.One)
        for diagram in _diagrams(("h", "h"), order, connected=True, of=theory)
        if any(NOISY in vertex.strands for vertex in diagram.vertices)
    ]
    return _series("label noise", order, "poisson", found)


def error(order: int = 1, ensemble: str = "poisson") -> Series:
    """The squared error, the average over datasets of the integral of h(x)^2: its term of that
    order in 1/eta.

    ensemble  "poisson": the number of samples is Poisson distributed with mean eta;
              "fixed": it is exactly eta. See `fixed`.

    >>> error(order=0).expression
    Integral(r(x)**2, x)
    """
    order = _order(order)
    if choice("ensemble", ensemble, ENSEMBLES) == "poisson":
        found = [(diagram, sp.S.One) for diagram in _diagrams(("h", "h"), order)]
    else:
        found = [
            pair
            for at in range(order + 1)
            for term in poisson.terms(order - at)
            for pair in _derived(term, at)
        ]
    return _series("error", order, ensemble, found)


def posterior_variance(order: int = 1) -> Series:
    r"""The variance of f(x) under the posterior, averaged over datasets: its term of that order.

    It is <f_a f_a> - <f_a f_b>: the diagrams in which one index line joins both legs, so that they
    must lie in the same replica.

    >>> print(posterior_variance(order=1).expression)
    eta*Integral(C(x, z_1)**2*C(z_1, z_1), z_1)/s2**2
    """
    order = _order(order)
    legs = ("zeta", "zeta")
    found = [
        (diagram, sp.S.One)
        for diagram in diagrams(action(order), legs, order=order, connected=True)
        if replica.same_replica(diagram, 1, 2) and replica.limit(diagram) != 0
    ]
    return _series("posterior variance", order, "poisson", found)


def evidence(order: int = 1) -> Series:
    r"""The logarithm of the evidence, averaged over datasets: its term of that order in 1/eta.

    .. math::  \log Z = -\tfrac12 y^T (K + s_2)^{-1} y - \tfrac12 \log\det(1 + K/s_2)

    on the Gram matrix of the samples: log p(y) up to (N/2) log(2 pi s2). It is d/dM at M = 0 of the
    replicated free energy: the connected vacuum diagrams with one free index sum, label noise of
    variance v included. At order 0 it is the saddle and the determinant of the fluctuations,
    C(x, x, u) being C at eta/s2 = u.

    >>> for term in evidence(order=1).terms:
    ...     print(term.value)
    eta*Integral(C(z_1, z_1)**2, z_1)/(4*s2**2)
    eta*v*Integral(C(z_1, z_1), z_1)/(2*s2**2)
    eta*Integral(C(z_1, z_1)*r(z_1)**2, z_1)/(2*s2**2)
    """
    order = _order(order)
    x, u = sp.symbols("x u")
    theory = action(order) + _noise_action(order)
    found = [
        (diagram, sp.S.One)
        for diagram in (diagrams(theory, 0, order=order, connected=True) if order else ())
        if replica.weight(diagram) == M
    ]
    saddle = eta / (2 * s2) * sp.Integral(sp.Function("g")(x) * sp.Function("r")(x), x)
    determinant = sp.Integral(sp.Function("C")(x, x, u), x, (u, 0, eta / s2)) / 2
    found_series = _series("evidence", order, "poisson", found)
    if order:
        return found_series
    noise, degree = eta * v / (2 * s2), sp.Symbol("l", integer=True)
    modes = deg[degree] * sp.log(1 + eta * lam[degree] / s2) + G[degree] / (lam[degree] + s2 / eta)
    free = -sp.Sum(modes, (degree, 0, L)) / 2 - noise
    return replace(found_series, classical=saddle - determinant - noise, free=free)


def _series(
    quantity: str, order: int, ensemble: str, found: list[tuple[Diagram, sp.Expr]]
) -> Series:
    at = PLACES[quantity]
    terms = []
    for diagram, factor in found:
        value = amplitude(diagram, "position", at)
        if quantity == "error":
            value = _integrated(value, at[0])
        weight = sp.S.One if quantity == "evidence" else replica.limit(diagram)
        terms.append(Term(diagram, diagram.symmetry, weight, value, factor))
    return Series(quantity, int(order), ensemble, tuple(terms))


def _integrated(value: sp.Expr, x: sp.Symbol) -> sp.Expr:
    """The integral over x, constants drawn out and nested integrals made one."""
    number, rest = value.as_independent(sp.Function, sp.Integral, as_Add=False)
    if isinstance(rest, sp.Integral):
        return number * sp.Integral(rest.function, *rest.limits, x)
    return number * sp.Integral(rest, x)


def _diagrams(
    legs: tuple[str, ...], order: int, connected: bool = False, of: Action | None = None
) -> Iterator[Diagram]:
    """The diagrams of h = r + zeta on every leg, each leg in its own replica, at M -> 0."""
    theory = of or action(order)
    for names in product(("r", "zeta"), repeat=len(legs)):
        for diagram in diagrams(
            theory, names, order=order, connected=connected, vacuum_bubbles=False
        ):
            apart = replica.respects(diagram, tuple(range(len(legs))))
            if apart and replica.limit(diagram) != 0:
                yield diagram


# -- from a Poisson to a fixed number of samples -----------------------------------------------


def fixed(orders: tuple[sp.Expr, ...], order: int = 1) -> sp.Expr:
    r"""A quantity at exactly eta samples through `order`, from its Poisson orders 0, 1, ...

    .. math::  F_N = e^{N (\log(1 + \partial) - \partial)} F(\eta) |_{\eta = N}
                   = F - \tfrac{N}{2} F'' + \tfrac{N}{3} F''' + \tfrac{N^2}{8} F'''' - \dots

    It inverts F(eta) = sum_N e^-eta eta^N/N! F_N, which reads F_N = (1 + d/deta)^N F at eta = 0,
    moved to eta = N by exp(-N d/deta). Derivatives are at fixed s2: each adds one to the order in
    1/eta, each N takes one away.

    orders  F's terms of order 0, 1, ..., `order`, functions of `eta` and `s2`.

    >>> fixed((1 / eta, 0), order=1)
    1/eta - 1/eta**2
    """
    return sp.Add(*poisson.graded(orders, eta, _order(order)))


def _derived(term: poisson.Term, order: int) -> Iterator[tuple[Diagram, sp.Expr]]:
    """Diagrams of number * eta^power * d^derivatives/deta^derivatives of the Poisson error's term
    of that order.

    A derivative of C or r at fixed s2 inserts the vertex -1/s2 on the line, once per ordering; one
    of the rules, each proportional to eta, takes a factor.
    """
    number, power, derivatives = term
    insertion = [Vertex(-1 / s2, [strand], 1) for strand in STRANDS[:2]]
    theory = action(order) + Action(_fields(), tuple(insertion) if derivatives else ())
    for inserted in range(max(0, derivatives - order), derivatives + 1):
        for diagram in _diagrams(("h", "h"), order + inserted, of=theory):
            plain = [v for v in diagram.vertices if v not in insertion]
            if len(diagram.vertices) - len(plain) != inserted:
                continue
            falling = sp.ff(len(plain), derivatives - inserted)
            factor = (
                number
                * comb(derivatives, inserted)
                * factorial(inserted)
                * falling
                * eta ** (power - derivatives + inserted)
            )
            if factor != 0:
                yield diagram, factor
