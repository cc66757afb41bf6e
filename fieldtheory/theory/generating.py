r"""Generating functions in zero dimensions: sums of diagrams, exact and order by order.

.. math::  W = \log Z = \sum_{\text{connected}} \frac{\text{amplitude}}{\text{symmetry}} , \qquad
           \Gamma(\phi_c) = \tfrac12 \phi_c G^{-1} \phi_c
               - \sum_{\text{1PI, legs on } \phi_c} \frac{\text{amplitude}}{\text{symmetry}}

An `order` is a number, the orders of the vertices added, or the powers of couplings, as in
{"g": 2, "h": 1}. Sums go *through* it: everything of no higher order, or of no higher power in any
coupling that is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import sympy as sp

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import replica
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.amplitude import total
from fieldtheory.theory.enumeration import diagrams
from fieldtheory.theory.field import Field, Propagator

Replicas = tuple[int, ...] | None


def correlator(
    action: Action,
    legs: Any = 2,
    order: Any = 1,
    *,
    connected: bool = False,
    replicas: Replicas = None,
) -> sp.Expr:
    """The normalised expectation of the legs through `order`, in zero dimensions.

    Pieces without external legs have been divided out. `connected` gives the cumulant. In a
    replicated action `replicas` says in which replica each leg lies, as in (0, 1); all in the same
    one unless given. Raises what `diagrams` raises.

    >>> correlator(Action.phi(4, coupling="g"), legs=2, order=2)
    2*g**2/3 - g/2 + 1
    """
    names = action.leg_names(legs)
    where = _places(names, replicas)
    if not names:
        return free_energy(action, order) if connected else sp.S.One
    return total(
        diagram
        for at in _orders(order)
        for diagram in diagrams(action, names, order=at, connected=connected, vacuum_bubbles=False)
        if replica.respects(diagram, where)
    )


def cumulant(
    action: Action, legs: Any = 2, order: Any = 1, *, replicas: Replicas = None
) -> sp.Expr:
    """The connected expectation of the legs through `order`; without legs, log Z.

    >>> cumulant(Action.phi(4, coupling="g"), legs=4, order=2)
    7*g**2/2 - g
    """
    return correlator(action, legs, order, connected=True, replicas=replicas)


def free_energy(action: Action, order: Any = 1) -> sp.Expr:
    """W = log Z through `order`, minus the free energy over the temperature; the free theory has
    W = 0. For a replicated action a polynomial in M: see `replica.derivative`.

    >>> free_energy(Action.phi(4, coupling="g"), order=2)
    g**2/12 - g/8
    """
    return total(
        diagram
        for at in _orders(order)
        for diagram in diagrams(action, 0, order=at, connected=True)
    )


def irreducible(
    action: Action, legs: Any = 2, order: Any = 1, *, replicas: Replicas = None
) -> sp.Expr:
    r"""The sum of the 1PI diagrams with these legs through `order`, external lines left out. With
    two legs it is the self-energy Sigma, <phi phi> = 1/(1/G - Sigma).

    legs      a number (of legs of the only kind) or names: of the legs inside the diagram that the
              external ones end on.
    replicas  in a replicated action the replica of each leg.

    Raises InvalidInput for a background leg, and what `diagrams` raises.

    >>> irreducible(Action.phi(4, coupling="g"), legs=2, order=2)
    5*g**2/12 - g/2
    """
    names = action.leg_names(legs)
    if outside := [name for name in names if name not in action.leg_types]:
        raise InvalidInput(
            f"leg {outside[0]!r} is a background field, which no line joins to a diagram: the "
            f"legs that can be asked for are {', '.join(action.leg_types)}"
        )
    where = _places(names, replicas)
    # every external leg becomes a field of its own, joined by a line of value 1 to that leg only
    ends = {name: f"_{name}" for name in sorted(set(names))}
    fields = [Field(end, 0, index=action.field(name).index) for name, end in ends.items()]
    stubs = [Propagator(end, name, 1) for name, end in ends.items()]
    opened = Action((*action.fields, *fields), action.vertices, (*action.propagators, *stubs))
    outer = tuple(ends[name] for name in names)
    return total(
        diagram
        for at in _orders(order)
        for diagram in diagrams(opened, outer, order=at, one_particle_irreducible=True)
        if replica.respects(diagram, where)
    )


def vertex_function(
    action: Action, legs: Any = 2, order: Any = 1, *, replicas: Replicas = None
) -> sp.Expr:
    r"""The derivative of the effective action at zero classical field, through `order`: minus the
    1PI diagrams, and the inverse propagator where there are two legs.

    .. math::  \Gamma^{(2)} = G^{-1} - \Sigma

    Arguments as in `irreducible`. Raises what it raises, and InvalidInput where the two-point
    functions have no inverse.

    >>> vertex_function(Action.phi(4, coupling="g"), legs=2, order=2)
    -5*g**2/12 + g/2 + 1
    """
    names = action.leg_names(legs)
    where = _places(names, replicas)
    value = -irreducible(action, names, order, replicas=where)
    if len(names) == 2 and (where[0] == where[1] or action.field(names[0]).index is None):
        value += _inverse(action)[names]
    return sp.expand(value)


def effective_action(
    action: Action,
    order: Any = None,
    *,
    loops: int | None = None,
    fields: Mapping[str, str] | None = None,
) -> sp.Expr:
    r"""The generating function of 1PI diagrams, in terms of the classical fields.

    .. math::  \Gamma(\phi_c) = J \phi_c - \log Z(J) , \qquad \phi_c = \frac{d \log Z}{dJ}

    Every leg is split into its classical field and what is integrated over; vacuum diagrams of the
    second that are 1PI are kept. The free theory has Gamma = S(phi_c).

    order   through that order in the couplings, a polynomial in the classical fields; or
    loops   through that many loops, exact in the classical fields: the action, then
            (1/2) log det (G S''), then diagrams whose lines are 1/S''. Exactly one of the two.
    fields  names of the classical fields: {"phi": "phi_c"}, and so on, unless given.

    In a replicated action every replica has the same classical field, and only `order` is defined.
    Raises InvalidInput for names already in use and for propagators without inverse.

    >>> phi3 = Action.phi(3, coupling="h")
    >>> effective_action(phi3, order=2)
    -h**2*phi_c**2/4 - h**2/12 + h*phi_c**3/6 + h*phi_c/2 + phi_c**2/2
    >>> effective_action(phi3, loops=1)
    h*phi_c**3/6 + phi_c**2/2 + log(h*phi_c + 1)/2
    """
    if (order is None) == (loops is None):
        raise InvalidInput(
            f"order = {order}, loops = {loops}: give exactly one of them, as in order=2"
        )
    names = _classical(action, fields)
    if loops is None:
        return _by_order(action, order, names)
    if action.is_replicated:
        raise InvalidInput(
            f"loops = {loops}: in a background the propagators of {action} join different "
            "replicas; give order= instead"
        )
    return _by_loops(action, count("loops", loops), names)


def _by_order(action: Action, order: Any, names: Mapping[str, str]) -> sp.Expr:
    split = shifted(action, names)
    irreducible = total(
        diagram
        for at in _orders(order)
        for diagram in diagrams(split, 0, order=at, one_particle_irreducible=True)
    )
    return sp.expand(_free_part(action, names) - irreducible)


def shifted(action: Action, names: Mapping[str, str]) -> Action:
    """The action in which every leg of a vertex is either itself or its background, by name.
    Vertices with a single quantum leg are left out: they hang on one line, in no 1PI diagram.

    >>> shifted(Action.phi(3, "h"), {"phi": "r"}).vertices[0]
    Vertex(coupling=-h, strands=(('phi', 'phi', 'phi'),), order=1)
    """
    backgrounds = [Field(names[leg], 1, True, action.field(leg).index) for leg in action.leg_types]
    vertices = set()
    for vertex in action.vertices:
        for legs in product(*([leg, names[leg]] if leg in names else [leg] for leg in vertex.legs)):
            # the rule stays: the choices of legs are as many as the symmetry is smaller
            rest = iter(legs)
            strands = [[next(rest) for _ in strand] for strand in vertex.strands]
            if sum(leg in names for leg in legs) != 1:
                vertices.add(Vertex(vertex.coupling, strands, vertex.order))
    return Action((*action.fields, *backgrounds), tuple(vertices), action.propagators)


def _by_loops(action: Action, loops: int, names: Mapping[str, str]) -> sp.Expr:
    legs = action.leg_types
    classical = [sp.Symbol(names[leg]) for leg in legs]
    potential = sp.Add(
        *(
            -vertex.coupling
            * sp.Mul(*(sp.Symbol(names.get(leg, leg)) for leg in vertex.legs))
            / vertex.symmetry
            for vertex in action.vertices
        )
    )
    value = _free_part(action, names) + potential
    if loops == 0:
        return sp.expand(value)
    two_point = _two_point(action)
    curved = sp.eye(len(legs)) + two_point * sp.hessian(potential, classical)
    value = sp.expand(value) + sp.log(sp.expand(curved.det())) / 2
    lines = (curved.inv() * two_point).applyfunc(sp.cancel)
    dressed, values = _in_background(action, potential, names, lines)
    for at in range(2, loops + 1) if dressed.vertices else ():
        found = diagrams(dressed, 0, loops=at, one_particle_irreducible=True)
        value -= total(found).subs(values, simultaneous=True)
    return value


def _in_background(
    action: Action, potential: sp.Expr, names: Mapping[str, str], lines: sp.Matrix
) -> tuple[Action, dict[sp.Symbol, sp.Expr]]:
    """The action of what is integrated over: its lines are symbols, whose values are returned, and
    its vertices the third and higher derivatives of the potential."""
    legs = action.leg_types
    known = {
        (a, b): sp.Dummy(f"{legs[a]}_{legs[b]}")
        for a in range(len(legs))
        for b in range(a, len(legs))
        if lines[a, b] != 0
    }
    fields = [Field(leg, known.get((n, n), 0)) for n, leg in enumerate(legs)]
    mixed = [Propagator(legs[a], legs[b], g) for (a, b), g in known.items() if a != b]
    vertices = []
    derivatives: dict[tuple[int, ...], sp.Expr] = {(): potential}
    while derivatives:
        derivatives = {
            (*taken, n): found
            for taken, value in derivatives.items()
            for n in range(taken[-1] if taken else 0, len(legs))
            if (found := sp.diff(value, sp.Symbol(names[legs[n]]))) != 0
        }
        vertices += [
            Vertex(-sp.expand(value), [[legs[n] for n in taken]])
            for taken, value in derivatives.items()
            if len(taken) > 2
        ]
    values = {symbol: lines[ab] for ab, symbol in known.items()}
    return Action(tuple(fields), tuple(vertices), tuple(mixed)), values


# -- the free theory ------------------------------------------------------------------------------


def _two_point(action: Action) -> sp.Matrix:
    """<a b> for all kinds of leg, in the order of `leg_types`."""
    number = {leg: n for n, leg in enumerate(action.leg_types)}
    matrix = sp.zeros(len(number), len(number))
    for line in action.lines:
        a, b = number[line.first], number[line.second]
        matrix[a, b] = matrix[b, a] = line.value
    return matrix


def _inverse(action: Action) -> dict[tuple[str, ...], sp.Expr]:
    """The kernel of the free action, by pairs of legs."""
    matrix = _two_point(action)
    if sp.cancel(matrix.det()) == 0:
        raise InvalidInput(
            f"the propagators of {action} form a matrix of determinant 0: there is no free action "
            "that has them, so no effective action either"
        )
    inverse, legs = matrix.inv().applyfunc(sp.cancel), action.leg_types
    return {(a, b): inverse[m, n] for m, a in enumerate(legs) for n, b in enumerate(legs)}


def _free_part(action: Action, names: Mapping[str, str]) -> sp.Expr:
    """The free action of the classical fields, the same in every replica."""
    terms = [
        (action.field(a).index or 1) * kernel * sp.Symbol(names[a]) * sp.Symbol(names[b]) / 2
        for (a, b), kernel in _inverse(action).items()
    ]
    return sp.Add(*terms)


# -- what is asked --------------------------------------------------------------------------------


def _orders(order: Any) -> Iterator[int | dict[str, int]]:
    """Everything that is not above `order`."""
    if not isinstance(order, Mapping):
        yield from range(count("order", order) + 1)
        return
    most = {str(name): count(f"order of {name}", power) for name, power in order.items()}
    for powers in product(*(range(power + 1) for power in most.values())):
        yield dict(zip(most, powers, strict=True))


def _places(names: tuple[str, ...], replicas: Replicas) -> tuple[int, ...]:
    where = (0,) * len(names) if replicas is None else tuple(replicas)
    if len(where) != len(names):
        raise InvalidInput(f"replicas = {replicas}: give one number for each of {len(names)} legs")
    return where


def _classical(action: Action, fields: Mapping[str, str] | None) -> dict[str, str]:
    """The name of the classical field of every kind of leg, checked."""
    names = {leg: f"{leg}_c" for leg in action.leg_types}
    if unknown := sorted(set(fields or {}) - set(names)):
        raise InvalidInput(
            f"fields names {unknown[0]!r}: the quantum fields of the action are {', '.join(names)}"
        )
    names.update(fields or {})
    used = {name for field in action.fields for name in field.legs}
    values = [vertex.coupling for vertex in action.vertices] + [line.value for line in action.lines]
    used.update(symbol.name for value in values for symbol in value.free_symbols)
    for leg, name in names.items():
        if name in used or list(names.values()).count(name) > 1:
            raise InvalidInput(
                f"the classical field of {leg!r} cannot be called {name!r}: that name is in use; "
                f"give another, as in fields={{{leg!r}: 'u'}}"
            )
    return names
