r"""Learning curves of power laws: exponents, amplitudes and regimes, from the planar theory.

Modes n = 1, 2, ... with eigenvalues lam_n = n^-(1+a) and target power g_n^2 = n^-(1+b); b = a is
the matched target. In the self-consistent theory everything is a sum over modes of powers of the
learnability L = lam/(lam + kappa). For small kappa sums become Mellin integrals: with
alpha = 1 + a and y = 1/(kappa n^alpha),

.. math::  \sum_n \frac{n^{-(1+b)}}{(1 + y)^2} \simeq
           \frac{\kappa^{b/\alpha}}{\alpha} \int_0^\infty \frac{y^{b/\alpha - 1}}{(1+y)^2}\,dy

as long as it converges, b < 2 alpha. A smoother target saturates: its error is carried by the modes
that are learnt best, kappa^2 sum_n n^(2 alpha - 1 - b).

The ridge grows as N^growth (not divided by N: growth = 0 is a fixed ridge). Where it dominates,
kappa = s2/N; where the loops of the eliminated modes do, kappa ~ N^-(1+a) as if there was none.

Sources: Caponnetto and De Vito, Found. Comput. Math. 7, 331 (2007), for the optimal rate; Cui,
Loureiro, Krzakala, Zdeborova, arXiv:2105.15004, for the crossovers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import sympy as sp

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.shown import Printed
from fieldtheory.theory.flows.stationary import exact

N, s2, kappa, v = sp.symbols("N s2 kappa v", positive=True)
NO_RIDGE = -sp.oo


@cache
def mellin(power: int) -> sp.Lambda:
    r"""s -> int_0^oo y^(s-1) / (1+y)^power dy, for 0 < s < power.

    >>> mellin(1)(sp.Rational(1, 2))
    pi
    """
    y, s = sp.symbols("y s", positive=True)
    transform, _, _ = sp.mellin_transform(1 / (1 + y) ** power, y, s)
    return sp.Lambda(s, transform)


@dataclass(frozen=True)
class PowerLaw(Printed):
    """Eigenvalues n^-(1+a), target power n^-(1+b), and a ridge that grows as N^growth.

    a       above zero: the kernel has a trace.
    b       above zero; the target's own unless it is left out: b = a, the matched target.
    growth  of the ridge: 0 for a fixed one, 1 for one proportional to N, NO_RIDGE for none.

    Exponents are those of 1/N: the error falls as N^-exponent. All are exact; a and b may be
    symbols, declared positive, for the exponents.

    Raises InvalidInput for a or b not positive, and growth >= 1, where nothing is learnt.

    >>> a = sp.Symbol("a", positive=True)
    >>> sp.simplify(PowerLaw(a).error_exponent)
    a/(a + 1)
    """

    a: Any
    b: Any = None
    growth: Any = 0

    def __post_init__(self) -> None:
        a = exact("a", self.a)
        b = a if self.b is None else exact("b", self.b)
        growth = exact("growth", self.growth)
        for name, value in (("a", a), ("b", b)):
            if not value.is_positive:
                raise InvalidInput(
                    f"{name} = {value}: a power law n^-(1+{name}) with a finite sum needs "
                    f"{name} > 0; declare a symbol positive"
                )
        if not (growth < 1) == True:  # noqa: E712  (a symbol is not decided)
            raise InvalidInput(
                f"growth = {growth}: a ridge that grows like N or faster learns nothing; give an "
                "exact number below 1, 0 for a fixed ridge"
            )
        object.__setattr__(self, "a", a)
        object.__setattr__(self, "b", b)
        object.__setattr__(self, "growth", growth)

    # -- exponents --------------------------------------------------------------------------------

    @property
    def kappa_exponent(self) -> sp.Expr:
        """kappa ~ N^-exponent: 1 - growth from the ridge, or 1 + a from the loops if less."""
        return sp.Min(1 - self.growth, 1 + self.a)

    @property
    def effective_b(self) -> sp.Expr:
        """b, or 2 (1 + a) for a target too smooth for the kernel: saturation."""
        return sp.Min(self.b, 2 * (1 + self.a))

    @property
    def bias_exponent(self) -> sp.Expr:
        """Error of noiseless learning: kappa^(b/(1+a)), up to saturation."""
        return self.kappa_exponent * self.effective_b / (1 + self.a)

    @property
    def noise_exponent(self) -> sp.Expr:
        """What label noise adds: kappa^(-1/(1+a)) / N, modes learnt per sample."""
        return 1 - self.kappa_exponent / (1 + self.a)

    error_exponent = bias_exponent

    @property
    def noisy_error_exponent(self) -> sp.Expr:
        """With label noise the slower of the two."""
        return sp.Min(self.bias_exponent, self.noise_exponent)

    @property
    def optimal_growth(self) -> sp.Expr:
        """The growth of the ridge at which bias and noise fall alike, and fastest.

        >>> PowerLaw(1, 3).optimal_growth
        1/2
        """
        q = sp.Symbol("q", positive=True)
        balance = sp.Eq(q * self.effective_b / (1 + self.a), 1 - q / (1 + self.a))
        (found,) = sp.solve(balance, q)
        return sp.simplify(1 - found)

    @property
    def optimal_exponent(self) -> sp.Expr:
        """The exponent of the error with label noise at the optimal ridge, b/(1 + b)."""
        return sp.simplify(self.effective_b / (1 + self.effective_b))

    # -- amplitudes -------------------------------------------------------------------------------

    @cached_property
    def regime(self) -> str:
        """Which term dominates, in words: "ridge" or "data", and whether the target saturates.

        Raises InvalidInput if symbols leave it open.
        """
        by_ridge, smooth = 1 - self.growth < 1 + self.a, self.b < 2 * (1 + self.a)
        if by_ridge not in (True, False) or smooth not in (True, False):
            raise InvalidInput(f"the regime of {self} is open: put in numbers for a and b")
        return ("ridge" if by_ridge else "data") + ("" if smooth else ", saturated")

    @property
    def learnt(self) -> sp.Expr:
        """sum_n L_n for small kappa: how many modes are learnt; corrections are of order one."""
        alpha = 1 + self.a
        return kappa ** (-1 / alpha) / alpha * mellin(1)(1 - 1 / alpha)

    @property
    def learnt_twice(self) -> sp.Expr:
        """sum_n L_n^2 = N gamma for small kappa; corrections are of order one.

        It is (1 + kappa d/dkappa) of the above: L^2 = L + kappa dL/dkappa.
        """
        return sp.simplify(self.learnt + kappa * sp.diff(self.learnt, kappa))

    @property
    def bias(self) -> sp.Expr:
        """sum_n (1 - L_n)^2 g_n^2 for small kappa, its leading term.

        Raises InvalidInput if symbols leave open whether the target saturates.
        """
        alpha, b = 1 + self.a, self.b
        if b == 2 * alpha:
            return kappa**2 * sp.log(1 / kappa) / alpha
        if "saturated" in self.regime:
            return kappa**2 * sp.zeta(1 + b - 2 * alpha)
        return kappa ** (b / alpha) / alpha * sp.simplify(mellin(2)(b / alpha))

    @property
    def running_kappa(self) -> sp.Expr:
        """kappa against N, its leading term, with s2 the ridge at that N.

        Raises OutOfRegime at the border of the regimes, where both terms are alike.
        """
        alpha = 1 + self.a
        if 1 - self.growth == alpha:
            raise OutOfRegime(
                f"growth = {self.growth} = -a: ridge and loops are alike at every N, and kappa has "
                "no closed form; solve N = learnt + s2/kappa with numbers"
            )
        if self.regime.startswith("ridge"):
            return s2 / N
        return (self.learnt.subs(kappa, 1) / N) ** alpha

    @property
    def error(self) -> sp.Expr:
        """The leading learning curve (bias + gamma v)/(1 - gamma) at large N; v the label noise."""
        gamma = self.learnt_twice / N
        risen = gamma if self.regime.startswith("data") else sp.S.Zero
        terms = (self.bias / (1 - risen), gamma * v / (1 - risen))
        return sp.Add(*(sp.simplify(term.subs(kappa, self.running_kappa)) for term in terms))

    def __str__(self) -> str:
        ridge = "no ridge" if self.growth == NO_RIDGE else f"ridge N^({self.growth})"
        return f"eigenvalues n^-(1 + {self.a}), target power n^-(1 + {self.b}), {ridge}"
