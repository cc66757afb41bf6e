"""Every diagram of an action, each once, with its exact weight.

For each choice of vertices whose orders add up, the legs are contracted one after another, as in
Wick's theorem, component by component; partial graphs that are isomorphic are merged by their
canonical form and carry the number of contractions that lead to them. Divided by the number of
ways to number vertices and legs, the count of a finished diagram is 1/symmetry.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import factorial, prod
from typing import Any, NamedTuple

from fieldtheory.ground.checks import count
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory.action import Action, multiplicities
from fieldtheory.theory.contraction import symmetries
from fieldtheory.theory.diagram import Diagram
from fieldtheory.theory.labelling import graph_of, labelled
from fieldtheory.theory.table import EVERYTHING, Rules, Table, half_edges
from fieldtheory.theory.writing import Writer

LARGEST = 42  # half-edges to contract, external legs included
HIGHEST = 1000  # order or loops
CHOICES = 10_000  # of vertices
MOST = 200_000  # diagrams, estimated before starting: about an hour's list


def diagrams(
    action: Action,
    legs: Any = 2,
    *,
    order: int | None = None,
    loops: int | None = None,
    connected: bool = False,
    one_particle_irreducible: bool = False,
    unlabelled: bool = False,
    vacuum_bubbles: bool = True,
) -> Iterator[Diagram]:
    r"""Every Feynman diagram of `action`, each isomorphism class once, in a fixed order.

    The sum of amplitude / symmetry is the correlator of the legs at that order.

    legs        a number (of the action's only quantum field) or a tuple of field names; external
                legs are held fixed in that order unless `unlabelled`.
    order       the orders of the vertices, added; or
    loops       the number of independent loops (connected diagrams). Exactly one of the two.
    connected   only diagrams in one piece. When False every class of Wick contractions is listed,
                vacuum bubbles included.
    one_particle_irreducible   only diagrams no single internal line holds together (so connected);
                legs are stubs, self-loops are allowed, a bare propagator does not count.
    unlabelled  legs of the same field may be exchanged.
    vacuum_bubbles   False leaves out diagrams with a piece that no external leg is tied to: they
                cancel against the normalisation.

    An odd number of legs to pair up gives none. Raises InvalidInput for a negative order, an
    unknown field, an action without vertices, an infinite family or an absurd size.

    >>> [d.symmetry for d in diagrams(Action.phi(4, coupling="g"), order=2, connected=True)]
    [4, 4, 6]
    """
    found = classes(
        action,
        _request(action, legs, order, loops),
        Rules(
            connected=connected or one_particle_irreducible or loops is not None,
            irreducible=one_particle_irreducible,
            labelled=not unlabelled,
            vacuum=vacuum_bubbles,
        ),
    )
    return (diagram for diagram, _ in found)


class Request(NamedTuple):
    """What is asked: the legs, and the order or the number of loops."""

    legs: tuple[str, ...]
    order: int | None
    loops: int | None


def _request(action: Action, legs: Any, order: int | None, loops: int | None) -> Request:
    """The question, checked."""
    if (order is None) == (loops is None):
        raise InvalidInput(
            f"order = {order}, loops = {loops}: give exactly one of them, as in order=2"
        )
    names = action.leg_names(legs)
    if order is not None:
        order = count("order", order)
    if loops is not None:
        loops = count("loops", loops)
    if (order or loops or 0) > HIGHEST:
        raise InvalidInput(
            f"order = {order}, loops = {loops}: more than {HIGHEST}, and far more half-edges to "
            f"contract than the {LARGEST} that are allowed"
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
    return Request(names, order, loops)


def classes(
    action: Action, request: Request, rules: Rules = EVERYTHING
) -> Iterator[tuple[Diagram, Fraction]]:
    """Diagrams with the weight the contractions give them: 1/symmetry, found independently."""
    contents: list[tuple[int, ...]] = []
    expected = Fraction(0)
    legs = sum(not action.field(name).background for name in request.legs)
    for number, content in enumerate(_contents(action, request, rules)):
        weight = _sum_rule(action, request, rules, content)
        if not weight:  # legs that cannot be paired up
            continue
        contents.append(content)
        expected += weight
        _check_size(request, half_edges(action, content) + legs, expected, number + 1)
    return _generate(action, request, rules, contents)


def _check_size(request: Request, largest: int, expected: Fraction, choices: int) -> None:
    """Refuse at the first sign: there may be more choices of vertices than could be looked at."""
    asked = f"order = {request.order}, loops = {request.loops}, {len(request.legs)} legs"
    if largest > LARGEST:
        raise InvalidInput(
            f"{asked}: that is at least {largest} half-edges to contract, but at most {LARGEST} "
            "are allowed. Ask for a lower order or fewer legs"
        )
    if expected > MOST or choices > CHOICES:
        raise InvalidInput(
            f"{asked}: before any filter the weights of the diagrams add up to more than "
            f"{float(expected):.3g}, so there are at least as many, in {choices} choices of "
            f"vertices so far; at most {MOST} and {CHOICES} choices are allowed. Ask for a lower "
            "order or fewer legs"
        )


def _generate(
    action: Action, request: Request, rules: Rules, contents: list[tuple[int, ...]]
) -> Iterator[tuple[Diagram, Fraction]]:
    table = Table(action, rules)
    legs = request.legs if rules.labelled else tuple(sorted(request.legs))
    ends = [table.fields.index(name) for name in legs if name in table.fields]
    numbers = tuple(ends.count(f) for f in range(len(table.fields)))
    for content in contents:
        writer = Writer(table, content, legs)
        if rules.labelled:
            graphs = labelled(table, content, ends)
        else:
            graphs = (graph_of(table, *found) for found in symmetries(table, content, numbers))
        # without labels, background legs may be exchanged as well
        others = 1 if rules.labelled else multiplicities(n for n in legs if n not in table.fields)
        found = [(writer.diagram(graph), Fraction(1, graph.symmetry * others)) for graph in graphs]
        if not writer.is_plain or len(ends) < len(legs) or not any(content):
            found = [pair for pair in found if _kept(pair[0], rules)]
        found.sort(key=lambda pair: (pair[0].symmetry, pair[0].edges))
        yield from found


def _numberings(action: Action, request: Request, rules: Rules, content: tuple[int, ...]) -> int:
    """The number of ways to number vertices and their legs (and legs without labels)."""
    total: int = prod(
        factorial(times) * vertex.symmetry**times
        for times, vertex in zip(content, action.vertices, strict=True)
    )
    return total if rules.labelled else total * multiplicities(request.legs)


def _sum_rule(action: Action, request: Request, rules: Rules, content: tuple[int, ...]) -> Fraction:
    """The sum of 1/symmetry over all contractions of a vertex content: (p - 1)!! per field."""
    pairings = 1
    for field in action.quantum:
        legs = request.legs.count(field.name) + sum(
            times * vertex.legs.count(field.name)
            for times, vertex in zip(content, action.vertices, strict=True)
        )
        pairings *= prod(range(legs - 1, 0, -2)) if legs % 2 == 0 else 0
    return Fraction(pairings, _numberings(action, request, rules, content))


def _kept(diagram: Diagram, rules: Rules) -> bool:
    if rules.irreducible:
        return diagram.is_one_particle_irreducible
    if rules.connected:
        return diagram.is_connected
    return rules.vacuum or not diagram.has_vacuum_bubble


def _contents(action: Action, request: Request, rules: Rules) -> Iterator[tuple[int, ...]]:
    """How many of each vertex, for every multiset of vertices that may be meant."""
    valences = [action.valence(vertex) for vertex in action.vertices]
    if request.order is not None:
        steps, total = [vertex.order for vertex in action.vertices], request.order
    else:
        # a connected diagram of V vertices obeys  sum (valence - 2) = 2 (loops - 1) + legs
        assert request.loops is not None
        steps, total = [v - 2 for v in valences], 2 * (request.loops - 1) + len(request.legs)
    alone = rules.connected and not request.legs
    for content in _partitions(steps, total):
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
