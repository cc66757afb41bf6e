r"""Wilsonian mode elimination for learning, derived from the diagrams of the learning action.

The modes of the kernel are the momenta. Integrated out from the top of the spectrum (the smallest
eigenvalues) down, each does two things to the theory of those that are kept: its loop C(x, x) adds
to the ridge, and its target power, which nothing is left to learn, adds to the label noise.
Both are read off the engine's diagrams (`ridge_shell`, `noise_shell`). With N k the running ridge
and R_c(k) what is left of the bare one after all modes above the cut c,

.. math::  N k_c = R_c(k_c), \qquad
           R_c(k) = s_2 + \sum_{i>c} \frac{\lambda_i k}{\lambda_i + k}, \qquad
           v_c(k) = v + \sum_{i>c} \Bigl(\frac{k}{\lambda_i + k}\Bigr)^2 g_i^2 .

The functions R_c and v_c compose shell by shell, exactly; the number k_c is their running value.
At the end of the flow, with every mode integrated out, k is the self-consistent kappa.

The modes that are gone still respond to those that are kept. To linear order around k_c,
R_c(k) = N k_c + N gamma_c (k - k_c), and what is left for the modes kept is learning again, with

    samples       N_c = N (1 - gamma_c),  gamma_c = R_c'(k_c) / N: the others use up the rest
    ridge         N_c k_c
    noise         v_c / (1 - gamma_c)
    target power  g_i^2 / (1 - gamma_c)

which leaves the error v_0/(1 - gamma_0) - v where it was (`effective_samples`).

Numbers come from `model.elimination`, exponents for power laws from `theory.flows.powerlaw`.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from fieldtheory.theory import learning
from fieldtheory.theory.homogeneous import G, deg, l, lam

N, s2, k, v = sp.symbols("N s2 k v", positive=True)
cut = sp.Symbol("c", positive=True)


def ridge_shell() -> sp.Expr:
    r"""What one degree adds to the ridge when it is integrated out, at running ridge N k.

    To first order in 1/eta the mean is what a shift of the ridge would make of the leading one:
    the tadpole is a mass term. Their ratio is the shift.

    >>> ridge_shell()
    k*deg[l]*lam[l]/(k + lam[l])
    """
    tadpole = learning.mean(1).on_sphere()
    per_ridge = sp.diff(learning.mean(0).on_sphere(), learning.s2)
    return _summand(tadpole / per_ridge)


def noise_shell() -> sp.Expr:
    r"""What the target power of one degree adds to the label noise when it is integrated out.

    To first order in 1/eta the covariance over datasets of the mean prediction is what label noise
    would make; their ratio, times the noise, is its shift.

    >>> noise_shell()
    k**2*G[l]/(k + lam[l])**2
    """
    per_noise = sp.diff(learning.label_noise(1).on_sphere(), learning.v)
    return _summand(learning.covariance(1).on_sphere() / per_noise)


def _summand(ratio: sp.Expr) -> sp.Expr:
    """The one sum of a ratio, per degree, at s2 = eta k."""
    ratio = sp.simplify(ratio)
    (found,) = ratio.atoms(sp.Sum)
    term = found.function.xreplace({found.limits[0][0]: l}) * sp.cancel(ratio / found)
    return sp.factor(sp.cancel(term.subs(learning.s2, learning.eta * k)))


def ridge_function() -> sp.Expr:
    """R_c(k) when the degrees l = c + 1, ..., L are integrated out.

    >>> ridge_function()
    s2 + Sum(k*deg[l]*lam[l]/(k + lam[l]), (l, c + 1, L))
    """
    return s2 + sp.Sum(ridge_shell(), _above())


def noise_function() -> sp.Expr:
    """v_c(k) when the degrees l = c + 1, ..., L are integrated out."""
    return v + sp.Sum(noise_shell(), _above())


def _above() -> tuple[Any, Any, Any]:
    return l, sp.Symbol("c", integer=True) + 1, sp.Symbol("L", integer=True)


def effective_samples() -> sp.Expr:
    """N_c = N - R_c'(k): what the eliminated degrees leave of the samples.

    >>> effective_samples()
    N - Sum(deg[l]*lam[l]**2/(k + lam[l])**2, (l, c + 1, L))
    """
    return N - sp.Sum(sp.factor(sp.diff(ridge_shell(), k)), _above())


def learnability() -> sp.Expr:
    r"""L = lam/(lam + k), the fraction of a mode that is learnt: its relevance at scale k.

    The loop of an irrelevant mode, lam << k, is the plain ridge lam; that of a relevant one,
    lam >> k, saturates at k, a sample's worth, and the mode is no longer small noise.

    >>> learnability()
    lam[l]/(k + lam[l])
    """
    return sp.factor(ridge_shell() / (k * deg[l]))


def ridge_flow() -> sp.Expr:
    r"""d s2_c / d log c, the running ridge s2_c = N k in the continuum: one mode lam(n) per unit of
    n, those beyond the cut c integrated out.

    Derived from N k = R_c(k) by implicit differentiation; the integral in the denominator is the
    response of the modes above, N times their overfitting coefficient.

    >>> print(ridge_flow())
    -N*c*k*lam(c)/((N - Integral(lam(n)**2/(k + lam(n))**2, (n, c, oo)))*(k + lam(c)))
    """
    along, across = _slopes(s2, ridge_shell() / deg[l])
    return N * cut * along / (N - across)


def noise_flow() -> sp.Expr:
    r"""d v_c / d log c, the running noise in the continuum, with the ridge running along: one mode
    of target power G(n) per unit of n."""
    along, across = _slopes(v, noise_shell())
    return cut * along + across * ridge_flow() / N


def _slopes(bare: sp.Symbol, shell: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The derivatives by c and by k of bare + the integral of a shell over the modes n > c."""
    n = sp.Symbol("n", positive=True)
    functions = {lam[l]: sp.Function("lam")(n), G[l]: sp.Function("G")(n)}
    total = bare + sp.Integral(shell.subs(functions), (n, cut, sp.oo))
    return sp.diff(total, cut), sp.diff(total, k).replace(sp.Integral, _factored)


def _factored(summand: sp.Expr, *limits: Any) -> sp.Expr:
    return sp.Integral(sp.factor(summand), *limits)
