r"""The zero-dimensional theory, where a path integral is an integral: the judge of enumeration.

.. math::  Z = \int d\phi \, e^{-S(\phi)} , \qquad
           W = \log Z , \qquad
           \Gamma(\phi_c) = J \phi_c - W(J) , \quad \phi_c = W'(J)

Everything is an exact series, for every action: real and complex fields, mixed propagators,
background fields, and replicated or O(M) fields with M a symbol. Nothing here knows of diagrams.

An `order` is a number, the orders of the vertices added, or the powers of couplings, as in
{"g": 2, "h": 1}: then everything of no higher power in any of them is kept, and vertices without
any of them are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import factorial
from typing import Any

import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action
from fieldtheory.theory.judge.graded import Order, Series, asked_order
from fieldtheory.theory.judge.integral import Place, Theory
from fieldtheory.theory.judge.legendre import Irreducible, generating

Replicas = tuple[int, ...] | None
Legs = tuple[tuple[Place, str], ...]  # where each external leg stands, and its name


def moment(
    action: Action, legs: Any = 2, order: Any = 1, replicas: Replicas = None
) -> tuple[sp.Expr, ...]:
    """The unnormalised expectation: its terms of order 0, 1, 2, ...

    legs      a number (of legs of the only quantum field) or names of legs.
    replicas  in a replicated action, the replica of each leg, as in (0, 1); one for all if None.

    Raises InvalidInput for an unknown leg, an order below 0, or an order in couplings in which a
    vertex is no monomial.

    >>> moment(Action.phi(4, coupling="g"), legs=0, order=2)
    (1, -g/8, 35*g**2/384)
    """
    theory, where = _asked(action, legs, order, replicas)
    return _integral(theory, where).by_order()


def correlator(action: Action, legs: Any = 2, order: Any = 1, replicas: Replicas = None) -> sp.Expr:
    """The normalised expectation of the legs, summed through `order`; arguments as in `moment`.

    >>> correlator(Action.phi(4, coupling="g"), legs=2, order=2)
    2*g**2/3 - g/2 + 1
    """
    return _normalised(*_asked(action, legs, order, replicas)).total()


def cumulant(action: Action, legs: Any = 2, order: Any = 1, replicas: Replicas = None) -> sp.Expr:
    """The connected expectation summed through `order`; arguments as in `moment`. Without legs,
    the logarithm of Z.

    >>> cumulant(Action.phi(4, coupling="g"), legs=0, order=2)
    g**2/12 - g/8
    """
    theory, where = _asked(action, legs, order, replicas)
    if not where:
        return _integral(theory, ()).logarithm().total()
    total = _normalised(theory, where)
    for blocks in _set_partitions(list(where)):
        if len(blocks) > 1:
            term = _normalised(theory, tuple(blocks[0]))
            for block in blocks[1:]:
                term = term * _normalised(theory, tuple(block))
            total = total + term.times((-1) ** (len(blocks) - 1) * factorial(len(blocks) - 1))
    return total.total()


def free_energy(action: Action, order: Any = 1) -> sp.Expr:
    """W = log Z summed through `order` (minus the free energy over the temperature): the connected
    diagrams without legs. For a replicated action a polynomial in the number of replicas.

    >>> free_energy(Action.o_n(4, "n", "g"), order=1)
    -g*n**2/24 - g*n/12
    """
    return cumulant(action, (), order)


def free_energy_limit(action: Action, order: Any = 1) -> sp.Expr:
    """d/dM of W = log Z at M = 0, through `order`: the average of log Z over the disorder, when
    M copies of a system share it.

    Raises InvalidInput unless the action has exactly one replica index.

    >>> from fieldtheory.theory.action import Vertex
    >>> copies = Action.phi(4).replicate("M")
    >>> random_mass = Vertex("w", [("phi", "phi"), ("phi", "phi")])
    >>> free_energy_limit(Action(copies.fields, (*copies.vertices, random_mass)))
    -g/8 + w/4
    """
    indices = [index for index in Theory(action, 0).indices if index is not None]
    if len(indices) != 1:
        raise InvalidInput(
            f"the limit of no replicas needs one replica index; {action} has {len(indices)}: "
            "replicate the action, or take the derivative of free_energy by hand"
        )
    return sp.expand(sp.diff(free_energy(action, order), indices[0]).subs(indices[0], 0))


def irreducible(
    action: Action,
    legs: Any = 2,
    order: Any = 1,
    replicas: Replicas = None,
    *,
    amputated: bool = True,
) -> sp.Expr:
    """The sum of the one-particle irreducible diagrams with these legs, through `order`.

    legs       a number or names, as in `moment`: of the vertices' legs that stick out, if
    amputated  is True, or else of the far ends of external lines, which count as factors.
    replicas   the replica of each leg, as in `moment`.

    Raises InvalidInput for a background leg, and what `moment` raises.

    >>> irreducible(Action.phi(4, coupling="g"), legs=2, order=2)
    5*g**2/12 - g/2
    """
    gamma, where = _about(action, legs, order, replicas)
    return gamma.at_zero(gamma.derivative(where, amputated)).total()


def vertex_function(
    action: Action, legs: Any = 2, order: Any = 1, replicas: Replicas = None
) -> sp.Expr:
    r"""The derivative of the effective action at zero classical field, through `order`.

    .. math::  \Gamma^{(2)} = C^{-1} - \Sigma

    Arguments as in `moment`. Raises what `irreducible` raises, and InvalidInput where the
    two-point functions have no inverse.

    >>> vertex_function(Action.phi(4, coupling="g"), legs=2, order=2)
    -5*g**2/12 + g/2 + 1
    """
    gamma, where = _about(action, legs, order, replicas)
    value = -gamma.at_zero(gamma.derivative(where, True)).total()
    if len(where) == 2 and where[0][0] == where[1][0]:
        place = where[0][0]
        names = gamma.theory.legs_of(gamma.theory.indices[place[0]])
        value += gamma.kernel(place[0])[names.index(where[0][1]), names.index(where[1][1])]
    return sp.expand(value)


def effective_action(action: Action, order: Any = 1) -> sp.Expr:
    r"""Gamma(phi_c), the effective action, through `order`: the Legendre transform of W = log Z.

    .. math::  \Gamma(\phi_c) = \tfrac12 \phi_c C^{-1} \phi_c
               - \sum \text{one-particle irreducible diagrams with legs } \phi_c

    The classical field of a leg phi is the symbol phi_c. In a replicated action all replicas have
    the same one. Sources (vertices with one leg) are part of the action: Gamma is stationary at
    the expectation value of the field that they cause.

    Raises InvalidInput where the two-point functions have no inverse, and for symbols of the
    action that are named like a classical field.

    >>> effective_action(Action.phi(4, coupling="g"), order=1)
    g*phi_c**4/24 + g*phi_c**2/4 + g/8 + phi_c**2/2
    """
    gamma, _ = _about(action, (), order, None)
    names = {symbol: sp.Symbol(f"{leg}_c") for (_, leg), symbol in gamma.symbols.items()}
    if taken := sorted(s.name for s in gamma.theory.symbols & set(names.values())):
        raise InvalidInput(
            f"the classical field {taken[0]!r} would have the name of a symbol of the action: "
            "rename the symbol"
        )
    return sp.expand((gamma.free() - gamma.series.total()).xreplace(names))


# -- the legs -------------------------------------------------------------------------------------


def _about(action: Action, legs: Any, order: Any, replicas: Replicas) -> tuple[Irreducible, Legs]:
    """The generating function about classical fields, its own in each place where a leg stands."""
    theory, where = _asked(action, legs, order, replicas)
    if outside := [name for _, name in where if name not in action.leg_types]:
        raise InvalidInput(
            f"leg {outside[0]!r} is a background field, which no line joins to a diagram: the "
            f"legs that can be asked for are {', '.join(action.leg_types)}"
        )
    singled = tuple(sorted({place for place, _ in where}))
    return generating(action, theory.order, singled), where


@lru_cache(maxsize=64)
def _theory(action: Action, order: Order) -> Theory:
    """One value for the same question asked again: it remembers its moments."""
    return Theory(action, order)


def _asked(action: Action, legs: Any, order: Any, replicas: Replicas) -> tuple[Theory, Legs]:
    names = action.leg_names(legs)
    theory = _theory(action, asked_order(order))
    return theory, _placed(theory, names, replicas)


def _placed(theory: Theory, names: tuple[str, ...], replicas: Replicas) -> Legs:
    """Where each leg stands; replicas are numbered as they occur."""
    where = (0,) * len(names) if replicas is None else tuple(replicas)
    if len(where) != len(names):
        raise InvalidInput(f"replicas = {replicas}: give one number for each of {len(names)} legs")
    number = {at: n for n, at in enumerate(dict.fromkeys(where))}
    return tuple(
        (theory.place(name, number[at]), name) for name, at in zip(names, where, strict=True)
    )


def _integral(theory: Theory, where: Legs) -> Series:
    """The unnormalised expectation; background legs are their values."""
    legs: dict[Place, tuple[str, ...]] = {}
    for place, name in where:
        if name in theory.action.leg_types:
            legs[place] = (*legs.get(place, ()), name)
    outside = theory.background(tuple(name for _, name in where))
    return theory.integral(legs).times(outside)


def _normalised(theory: Theory, where: Legs) -> Series:
    return _integral(theory, where).quotient(_integral(theory, ()))


def _set_partitions(items: list[Any]) -> Iterator[list[list[Any]]]:
    if not items:
        yield []
        return
    for rest in _set_partitions(items[1:]):
        yield [[items[0]], *rest]
        for n, block in enumerate(rest):
            yield [*rest[:n], [items[0], *block], *rest[n + 1 :]]
