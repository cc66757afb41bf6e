r"""Critical phenomena: the O(n) model near four dimensions, from the engine's diagrams.

.. math::  S = \int d^dx \Bigl\{ \tfrac12 (\partial\phi)^2 + \tfrac12 m^2 \phi\cdot\phi
               + \tfrac{g}{4!} (\phi\cdot\phi)^2 \Bigr\}, \qquad d = 4 - \varepsilon

*Minimal subtraction.* The counterterm of a one-particle irreducible diagram is -KR'(diagram): the
product of its rules, 1/symmetry and its O(n) factor, which the engine supplies, times a pole part
(`theory.flows.poles`). They make the bare theory, g_0 = mu^eps g Z_g / Z_phi^2 and
m_0^2 = m^2 Z_m / Z_phi, and since bare quantities do not know mu,

.. math::  \beta = \frac{-\varepsilon g}{1 + g\,\partial_g \log (Z_g/Z_\phi^2)}, \qquad
           \gamma_\phi = \beta\,\partial_g \log Z_\phi, \qquad
           \gamma_{m^2} = -\beta\,\partial_g \log (Z_m/Z_\phi)

All poles cancel in these, or the construction raises. The mass is an insertion, a vertex of two
legs; massless tadpoles vanish. The coupling is in units of 8 pi^2: what is called g here is
g/(8 pi^2) of the action above.

Wilson's own way, shell by shell and at one loop, is `theory.flows.shells`.

Sources: K. Wilson and M. Fisher, Phys. Rev. Lett. 28, 240 (1972); J. Zinn-Justin, Quantum Field
Theory and Critical Phenomena; H. Kleinert and V. Schulte-Frohlinde, Critical Properties of
phi^4-Theories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.theory import replica
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.amplitude import coupling as rules
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.flows import stationary
from fieldtheory.theory.flows.flow import FixedPoint, Flow, latex
from fieldtheory.theory.flows.poles import HIGHEST, Pole, eps, pole

g, t = sp.symbols("g t")  # the coupling, and the mass squared in units of mu^2
PAIR = ("phi", "phi")


@dataclass(frozen=True, eq=False)
class CounterTerm:
    """One diagram and what cancels its divergence."""

    diagram: Diagram
    symmetry: int
    weight: sp.Expr
    pole: Pole

    @property
    def value(self) -> sp.Expr:
        """KR' of the diagram: rules * weight * pole / symmetry."""
        statement: sp.Expr = self.pole.law.statement
        return rules(self.diagram) * self.weight * statement / self.symmetry

    def __str__(self) -> str:
        return f"{self.diagram}   1/{self.symmetry}   {self.weight}   {self.pole}"


@dataclass(frozen=True, eq=False)
class Renormalised:
    """The O(n) model in minimal subtraction.

    components  n, a symbol or a number.
    loops       how far its series go: beta through g^(loops + 1), exponents through eps^loops.
    vertex, mass, wave   the counterterms of the coupling, of the mass, and of the field.

    Raises InvalidInput when poles are left in beta or gamma: a symmetry factor or a pole part is
    wrong then.
    """

    components: sp.Expr
    loops: int
    vertex: tuple[CounterTerm, ...]
    mass: tuple[CounterTerm, ...]
    wave: tuple[CounterTerm, ...]

    def __post_init__(self) -> None:
        for name in ("beta", "gamma_phi", "gamma_mass"):
            if (rest := getattr(self, name) + (eps * g if name == "beta" else 0)).has(eps):
                raise InvalidInput(
                    f"poles do not cancel in {name}: {rest.expand()} still contains {eps}; a "
                    "symmetry factor, an O(n) factor or a pole part does not fit the others"
                )

    def _sum(self, terms: Iterable[CounterTerm]) -> sp.Expr:
        return sp.Add(*(term.value for term in terms))

    @cached_property
    def z_vertex(self) -> sp.Expr:
        """Z_g: the bare coupling vertex over g."""
        return self._tidy(1 + self._sum(self.vertex) / g)

    @cached_property
    def z_mass(self) -> sp.Expr:
        """Z_m: the bare mass vertex over m^2."""
        return self._tidy(1 + self._sum(self.mass) / t)

    @cached_property
    def z_wave(self) -> sp.Expr:
        """Z_phi: the factor of (grad phi)^2 / 2."""
        return self._tidy(1 + self._sum(self.wave))

    def _tidy(self, expression: sp.Expr) -> sp.Expr:
        expression = sp.expand(expression)
        return _collected(expression, range(self.loops + 1))

    def _log_slope(self, z: sp.Expr) -> sp.Expr:
        """g d/dg log z, through g^loops."""
        rest, power, total = z - 1, sp.S.One, sp.S.Zero
        for n in range(1, self.loops + 1):
            power = _collected(sp.expand(power * rest), range(self.loops + 1))
            total -= sp.Rational((-1) ** n, n) * power
        return sp.expand(g * sp.diff(total, g))

    @cached_property
    def _running(self) -> sp.Expr:
        """beta / (-eps g) = 1 / (1 + g d/dg log(Z_g / Z_phi^2)), through g^loops."""
        slope = self._log_slope(self.z_vertex) - 2 * self._log_slope(self.z_wave)
        power, total = sp.S.One, sp.S.One
        for _ in range(self.loops):
            power = _collected(sp.expand(-power * slope), range(self.loops + 1))
            total += power
        return total

    @cached_property
    def beta(self) -> sp.Expr:
        """d g / d log mu."""
        return _collected(sp.expand(-eps * g * self._running), range(1, self.loops + 2))

    @cached_property
    def gamma_phi(self) -> sp.Expr:
        """d log Z_phi / d log mu: the exponent eta, at the fixed point."""
        product = -eps * self._running * self._log_slope(self.z_wave)
        return _collected(sp.expand(product), range(self.loops + 1))

    @cached_property
    def gamma_mass(self) -> sp.Expr:
        """d log m^2 / d log mu: 2 - 1/nu, at the fixed point."""
        slope = self._log_slope(self.z_mass) - self._log_slope(self.z_wave)
        return _collected(sp.expand(eps * self._running * slope), range(self.loops + 1))

    @cached_property
    def flow(self) -> Flow:
        """The flow of g and of t = m^2 / mu^2 with log mu."""
        return Flow((g, t), (self.beta, sp.expand(t * (self.gamma_mass - 2))), "log mu", False)

    @cached_property
    def fixed_point(self) -> FixedPoint:
        """The Wilson-Fisher fixed point, through eps^loops.

        Raises OutOfRegime for n = -8, where the leading term of beta vanishes.
        """
        if sp.simplify(self.components + 8) == 0:
            raise OutOfRegime("n = -8: beta has no g^2 term, and the expansion in eps fails")
        found = Flow(g, self.beta).expanded(eps, self.loops)
        (coupling,) = (point[g] for point in found if point[g] != 0)
        return FixedPoint((g, t), (coupling, sp.S.Zero))

    def _at_fixed_point(self, expression: sp.Expr) -> sp.Expr:
        point, power, total = self.fixed_point[g], sp.S.One, expression.coeff(g, 0)
        for k in range(1, self.loops + 1):
            power = stationary.taylor(sp.expand(power * point), eps, self.loops)
            total += expression.coeff(g, k) * power
        return stationary.taylor(total, eps, self.loops)

    @cached_property
    def eta(self) -> sp.Expr:
        """<phi phi> ~ 1/|x|^(d - 2 + eta) at the critical point."""
        return self._at_fixed_point(self.gamma_phi)

    @cached_property
    def inverse_nu(self) -> sp.Expr:
        """1/nu, the exponent of the temperature."""
        return self._at_fixed_point(2 - self.gamma_mass)

    @cached_property
    def nu(self) -> sp.Expr:
        """The correlation length diverges as |T - T_c|^(-nu)."""
        return stationary.taylor(1 / self.inverse_nu, eps, self.loops)

    @cached_property
    def omega(self) -> sp.Expr:
        """The leading correction to scaling, xi^(-omega): the slope of beta."""
        return self._at_fixed_point(sp.diff(self.beta, g))

    @cached_property
    def gamma(self) -> sp.Expr:
        """The susceptibility diverges as |T - T_c|^(-gamma), gamma = nu (2 - eta)."""
        return stationary.taylor(sp.expand(self.nu * (2 - self.eta)), eps, self.loops)

    def __str__(self) -> str:
        rows = {
            "beta": self.beta,
            "gamma_phi": self.gamma_phi,
            "gamma_mass": self.gamma_mass,
            "g*": self.fixed_point[g],
            "eta": self.eta,
            "nu": self.nu,
            "omega": self.omega,
        }
        head = f"O({self.components}) model, minimal subtraction, {self.loops} loops, d = 4 - eps"
        return "\n".join([head, *(f"  {name:10s} = {value}" for name, value in rows.items())])

    def _repr_latex_(self) -> str:
        rows = {r"\beta": self.beta, r"\eta": self.eta, r"\nu": self.nu, r"\omega": self.omega}
        lines = [f"{name} &= {latex(value)}" for name, value in rows.items()]
        return r"$$\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}$$"


def _collected(expression: sp.Expr, powers: Iterable[int]) -> sp.Expr:
    """Those powers of g of an expanded expression, each coefficient factored."""
    return sp.Add(*(sp.factor(expression.coeff(g, power)) * g**power for power in powers))


def minimal_subtraction(components: Any = "n", loops: int = 2) -> Renormalised:
    """The O(n) model in minimal subtraction, from its diagrams.

    components  n: a symbol's name, or an exact number: 1 is the Ising model, 0 the self-avoiding
                walk, -2 a theory with the exponents of a free one.
    loops       1 to 3.

    Raises OutOfRegime beyond three loops, where no pole parts are tabulated.

    >>> model = minimal_subtraction()
    >>> model.beta
    -eps*g - g**3*(3*n + 14)/12 + g**2*(n + 8)/6
    >>> model.nu.subs(model.components, 1)
    7*eps**2/162 + eps/12 + 1/2
    """
    n = stationary.exact("components", components)
    loops = count("loops", loops, least=1)
    if loops > HIGHEST:
        raise OutOfRegime(
            f"loops = {loops}: the pole parts are tabulated through {HIGHEST} loops; ask for 1 to "
            f"{HIGHEST}"
        )
    free = sp.Dummy("n")
    plain = Action.o_n(4, free, g)
    massive = Action(plain.fields, (*plain.vertices, Vertex(-t, [PAIR])))
    orders = range(1, loops + 1)
    vertex = [d for k in orders for d in _divergent(plain, 4, {"g": k + 1})]
    mass = [d for k in orders for d in _divergent(massive, 2, {"g": k, "t": 1})]
    wave = [d for k in orders[1:] for d in _divergent(plain, 2, {"g": k}) if _carries_momentum(d)]
    parts = [tuple(_counterterm(d, {free: n}) for d in found) for found in (vertex, mass, wave)]
    return Renormalised(n, loops, *parts)


def _divergent(action: Action, legs: int, order: Mapping[str, int]) -> Iterable[Diagram]:
    return diagrams(action, legs, order=order, one_particle_irreducible=True, self_loops=False)


def _carries_momentum(diagram: Diagram) -> bool:
    """Whether its two legs end on different vertices; otherwise it is a tadpole without scale."""
    return len({vertex for leg, vertex, _ in diagram.vertex_edges if leg < 0}) == 2


def _counterterm(diagram: Diagram, components: Mapping[sp.Symbol, sp.Expr]) -> CounterTerm:
    inner = [(a, b) for a, b, _ in diagram.vertex_edges if a >= 0]
    weight = replica.weight(diagram).subs(components)
    return CounterTerm(diagram, diagram.symmetry, weight, pole(inner))
