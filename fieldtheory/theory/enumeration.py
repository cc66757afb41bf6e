"""Every diagram of an action, each once, with its exact symmetry factor.

For each choice of vertices whose orders add up, the legs are contracted one after another, as in
Wick's theorem, component by component, depth first: partial graphs that are isomorphic are visited
once, so that diagrams stream out as they are found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import islice
from math import factorial, prod
from typing import Any, NamedTuple

import sympy as sp

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action, multiplicities
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.engine import topology
from fieldtheory.theory.engine.contraction import symmetries
from fieldtheory.theory.engine.labelling import graph_of, labelled
from fieldtheory.theory.engine.table import Rules, Table, half_edges
from fieldtheory.theory.engine.writing import Writer

LARGEST = 42  # half-edges to contract, external legs included
HIGHEST = 1000  # order or loops
CHOICES = 10_000  # of vertices
MOST = 200_000  # diagrams, estimated before starting
PER_SECOND = 1000  # diagrams, roughly: what is said about time when a size is refused
RUN = 32  # diagrams that are sorted before the first of them is handed out


def diagrams(
    action: Action,
    legs: Any = 2,
    *,
    order: int | Mapping[str, int] | None = None,
    loops: int | None = None,
    connected: bool = False,
    one_particle_irreducible: bool = False,
    two_particle_irreducible: bool = False,
    amputated: bool = False,
    tadpoles: bool = True,
    self_loops: bool = True,
    vacuum_bubbles: bool = True,
    unlabelled: bool = False,
) -> Iterator[Diagram]:
    r"""Every Feynman diagram of `action`, each isomorphism class once, as they are found.

    The sum of amplitude / symmetry is the correlator of the legs at that order. The sequence is the
    same every time; runs of up to 32 diagrams are sorted by symmetry.

    legs        a number (of the action's only kind of leg) or a tuple of field names; external
                legs are held fixed in that order unless `unlabelled`.
    order       the orders of the vertices, added; or the power of every coupling, as in
                {"g": 2, "h": 1}, where a coupling that is not named does not occur; or
    loops       the number of independent loops (connected diagrams). Exactly one of the two.
    connected   only diagrams in one piece. When False every class of Wick contractions is listed,
                vacuum bubbles included.
    one_particle_irreducible   only diagrams no single internal line holds together (so connected);
                legs are stubs, self-loops are allowed, a bare propagator does not count.
    two_particle_irreducible   only those that stay in one piece when any two internal lines are
                cut (so 1PI): the skeletons, whose lines carry no correction.
    amputated   only diagrams without self-energies on external legs.
    tadpoles    False leaves out diagrams with a part that hangs on a single line and has no
                external leg.
    self_loops  False leaves out lines from a vertex to itself, as normal ordering does.
    vacuum_bubbles   False leaves out diagrams with a piece that no external leg is tied to: they
                cancel against the normalisation.
    unlabelled  legs of the same field may be exchanged.

    An odd number of legs to pair up gives none. Raises InvalidInput for a negative order, an
    unknown field or coupling, an action without vertices, an infinite family or an absurd size.

    >>> [d.symmetry for d in diagrams(Action.phi(4, coupling="g"), order=2, connected=True)]
    [4, 4, 6]
    """
    rules = Rules(
        connected=connected
        or one_particle_irreducible
        or two_particle_irreducible
        or loops is not None,
        irreducible=one_particle_irreducible or two_particle_irreducible,
        labelled=not unlabelled,
        vacuum=vacuum_bubbles,
    )
    left_out = {
        topology.has_leg_insertion: amputated,
        topology.has_tadpole: not tadpoles,
        topology.has_self_loop: not self_loops,
    }
    unwanted = [has for has, asked in left_out.items() if asked]
    found = _listed(action, _request(action, legs, order, loops), rules)
    if two_particle_irreducible:
        found = (d for d in found if topology.is_two_particle_irreducible(*d.skeleton))
    if unwanted:
        found = (d for d in found if not any(has(*d.skeleton) for has in unwanted))
    return found


class Request(NamedTuple):
    """What is asked: the legs, and the order, or the power of each coupling, or the loops."""

    legs: tuple[str, ...]
    order: int | None
    powers: tuple[tuple[str, int], ...]
    loops: int | None

    def __str__(self) -> str:
        powers = ", ".join(f"{name}: {power}" for name, power in self.powers)
        asked = f"loops = {self.loops}" if self.loops is not None else f"order = {self.order}"
        return f"order = {{{powers}}}" if powers else f"{asked}, {len(self.legs)} legs"


def _request(action: Action, legs: Any, order: Any, loops: Any) -> Request:
    """The question, checked."""
    if (order is None) == (loops is None):
        raise InvalidInput(
            f"order = {order}, loops = {loops}: give exactly one of them, as in order=2"
        )
    names = action.leg_names(legs)
    powers: tuple[tuple[str, int], ...] = ()
    if isinstance(order, Mapping):
        if not order:
            raise InvalidInput('order = {}: give the power of each coupling, as in {"g": 2}')
        powers = tuple((name, count(f"order[{name!r}]", n)) for name, n in sorted(order.items()))
        order = None
    elif order is not None:
        order = count("order", order)
    else:
        loops = count("loops", loops)
    asked = Request(names, order, powers, loops)
    most = max([order or 0, loops or 0, *(power for _, power in powers)])
    if most > HIGHEST:
        raise InvalidInput(
            f"{asked}: more than {HIGHEST}, and far more half-edges to contract than the {LARGEST} "
            "that are allowed"
        )
    if loops is not None:
        few = [v for v in action.vertices if 1 <= action.valence(v) <= 2]
        if few:
            raise InvalidInput(
                f"loops = {loops}: vertex {few[0].strands} has {action.valence(few[0])} legs to "
                "contract and can be inserted without end at a given number of loops; give order="
            )
    if (order or (loops or 0) > 1) and not action.vertices:
        raise InvalidInput(f"the action {action} has no vertex: only order 0 can be asked of it")
    return asked


def _listed(action: Action, request: Request, rules: Rules) -> Iterator[Diagram]:
    contents: list[tuple[int, ...]] = []
    expected = Fraction(0)
    legs = sum(not action.field(name).background for name in request.legs)
    for number, content in enumerate(_contents(action, request, rules)):
        contractions = _contractions(action, request, content)
        if not contractions:  # legs that cannot be paired up
            continue
        contents.append(content)
        expected += Fraction(contractions, _numberings(action, request, rules, content))
        _check_size(request, half_edges(action, content) + legs, expected, number + 1)
    return _generate(action, request, rules, contents)


def _check_size(request: Request, largest: int, expected: Fraction, choices: int) -> None:
    """Refuse at the first sign: there may be more choices of vertices than could be looked at."""
    if largest > LARGEST or expected > MOST or choices > CHOICES:
        raise InvalidInput(
            f"{request}: too large. It needs {largest} half-edges to contract (allowed: {LARGEST}) "
            f"in {choices} choices of vertices (allowed: {CHOICES}). Before any filter the weights "
            f"of its diagrams add up to {float(expected):.3g} or more, so there are at least as "
            f"many (allowed: {MOST}), which take more than {_duration(float(expected))}. Ask for a "
            "lower order or fewer legs"
        )


def _duration(found: float) -> str:
    """How long a list takes, at about a millisecond for every diagram looked at."""
    seconds = found / PER_SECOND
    for unit, size in (("years", 3.15e7), ("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds > 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} seconds"


def _generate(
    action: Action, request: Request, rules: Rules, contents: list[tuple[int, ...]]
) -> Iterator[Diagram]:
    table = Table(action, rules)
    legs = request.legs if rules.labelled else tuple(sorted(request.legs))
    ends = [table.legs.index(name) for name in legs if name in table.legs]
    numbers = tuple(ends.count(f) for f in range(len(table.legs)))
    for content in contents:
        writer = Writer(table, content, legs)
        if rules.labelled:
            graphs = labelled(table, content, ends)
        else:
            graphs = (graph_of(table, *found) for found in symmetries(table, content, numbers))
        found = (writer.diagram(graph) for graph in graphs)
        if not writer.is_plain or len(ends) < len(legs) or not any(content):
            found = (diagram for diagram in found if _kept(diagram, rules))
        while run := list(islice(found, RUN)):
            run.sort(key=lambda diagram: (diagram.symmetry, diagram.edges))
            yield from run


def _numberings(action: Action, request: Request, rules: Rules, content: tuple[int, ...]) -> int:
    """The number of ways to number vertices and their legs (and legs without labels)."""
    total: int = prod(
        factorial(times) * vertex.symmetry**times
        for times, vertex in zip(content, action.vertices, strict=True)
    )
    return total if rules.labelled else total * multiplicities(request.legs)


def _contractions(action: Action, request: Request, content: tuple[int, ...]) -> int:
    """The number of Wick contractions of a vertex content; where kinds of leg mix it is not known
    so simply, and a lower bound is given: 1."""
    legs = Counter(request.legs)
    for times, vertex in zip(content, action.vertices, strict=True):
        for name in vertex.legs:
            legs[name] += times
    if action.propagators:
        return 1 if sum(legs[name] for name in action.leg_types) % 2 == 0 else 0
    pairings = 1
    for one, other in (field.line for field in action.quantum):
        if one == other:
            pairings *= prod(range(legs[one] - 1, 0, -2)) if legs[one] % 2 == 0 else 0
        else:
            pairings *= factorial(legs[one]) if legs[one] == legs[other] else 0
    return pairings


def _kept(diagram: Diagram, rules: Rules) -> bool:
    if rules.irreducible:
        return diagram.is_one_particle_irreducible
    if rules.connected:
        return diagram.is_connected
    return rules.vacuum or not diagram.has_vacuum_bubble


def _contents(action: Action, request: Request, rules: Rules) -> Iterator[tuple[int, ...]]:
    """How many of each vertex, for every multiset of vertices that may be meant."""
    valences = [action.valence(vertex) for vertex in action.vertices]
    if request.powers:
        found = _of_powers(action, request)
    elif request.order is not None:
        found = _partitions([vertex.order for vertex in action.vertices], request.order)
    else:
        # a connected diagram of V vertices obeys  sum (valence - 2) = 2 (loops - 1) + legs
        assert request.loops is not None
        total = 2 * (request.loops - 1) + len(request.legs)
        found = _partitions([v - 2 for v in valences], total)
    alone = rules.connected and not request.legs
    for content in found:
        inert = sum(times for times, v in zip(content, valences, strict=True) if v == 0)
        lonely = alone and sum(content) == 1
        if inert and not lonely and (rules.connected or (not rules.vacuum)):
            continue
        yield content
    if request.loops == 0 and alone:
        yield from (
            tuple(int(w == v) for w in range(len(valences)))
            for v, valence in enumerate(valences)
            if valence == 0
        )


def _of_powers(action: Action, request: Request) -> Iterator[tuple[int, ...]]:
    """Vertex contents whose rules multiply to those powers of the couplings and no others."""
    names = [name for name, _ in request.powers]
    rules = [vertex.coupling for vertex in action.vertices]
    known = {symbol.name: symbol for rule in rules for symbol in rule.free_symbols}
    if unknown := [name for name in names if name not in known]:
        raise InvalidInput(
            f"order: unknown coupling {unknown[0]!r}; the couplings of the action are "
            f"{', '.join(sorted(known)) or '(none)'}"
        )
    steps = []
    for rule in rules:
        powers = rule.as_powers_dict()
        steps.append([powers.get(known[name], 0) for name in names])
        others = rule.free_symbols - {known[name] for name in names}
        if any(rule.has(known[name]) for name in names) and not _is_monomial(steps[-1], rule):
            raise InvalidInput(
                f"order by couplings needs rules that are products of their powers, not {rule}; "
                "give order as a number, or write the vertex as several"
            )
        if others or not any(steps[-1]):
            steps[-1] = [sum(n for _, n in request.powers) + 1] * len(names)  # never fits
    return _vectors(steps, [power for _, power in request.powers])


def _is_monomial(powers: list[Any], rule: sp.Expr) -> bool:
    whole = all(isinstance(n, int) or n.is_Integer for n in powers)
    return whole and all(n >= 0 for n in powers) and not rule.is_Add


def _vectors(steps: list[list[Any]], left: list[int]) -> Iterator[tuple[int, ...]]:
    """Ways to reach `left` with that many of each step; each step has a positive entry.

    >>> list(_vectors([[1, 0], [0, 1], [1, 1]], [1, 1]))
    [(0, 0, 1), (1, 1, 0)]
    """
    if not steps:
        if not any(left):
            yield ()
        return
    rest, times = list(left), 0
    while min(rest) >= 0:
        for others in _vectors(steps[1:], rest):
            yield (times, *others)
        rest = [a - int(b) for a, b in zip(rest, steps[0], strict=True)]
        times += 1


def _partitions(steps: list[int], total: int) -> Iterator[tuple[int, ...]]:
    """Ways to reach `total` with that many of each step; steps below 1 are not taken.

    >>> list(_partitions([1, 2], 2))
    [(0, 1), (2, 0)]
    """
    reach = [{0}]  # what the last steps can add up to: no dead end is entered
    for step in reversed(steps):
        found = set(reach[-1])
        for n in range(step, total + 1) if step > 0 else ():
            if n - step in found:
                found.add(n)
        reach.append(found)
    reach.reverse()

    def rest(place: int, left: int) -> Iterator[tuple[int, ...]]:
        if place == len(steps):
            yield ()
            return
        step = steps[place]
        for times in range((left // step if step > 0 else 0) + 1):
            if left - times * step in reach[place + 1]:
                for others in rest(place + 1, left - times * step):
                    yield (times, *others)

    if total in reach[0]:
        yield from rest(0, total)
