"""Diagrams: a value whose canonical form is its identity.

The strands of all vertices are numbered 0, 1, 2, ... vertex after vertex; external legs are
-1, -2, ... in the order of `legs`. A line is an `Edge(start, end, field)` with start <= end.
A plain vertex has one strand, so there strands and vertices are the same thing. Background legs
end on the background: no line leaves them. Two diagrams are equal exactly when one is a
relabelling of the other, labelled legs held fixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp

from fieldtheory.theory import gallery
from fieldtheory.theory.action import Vertex
from fieldtheory.theory.engine import topology
from fieldtheory.theory.engine.arrangement import Edge, Parts, views_of
from fieldtheory.theory.engine.divergence import (
    Subdiagram,
    divergent_subdiagrams,
    superficial_degree,
)
from fieldtheory.theory.field import Field, Propagator

if TYPE_CHECKING:
    import networkx as nx
    from sympy.combinatorics import PermutationGroup


@dataclass(frozen=True, repr=False)
class Diagram:
    """A Feynman diagram.

    fields    every field that occurs.
    vertices  the vertices; their strands, in order, carry the numbers 0, 1, 2, ...
    legs      the field of each external leg -1, -2, ...; a background field's leg has no line.
    edges     (start, end, field) for each propagator.
    labelled  whether the legs are held fixed (True) or may be permuted among themselves.
    propagators   the mixed propagators that occur.

    Raises InvalidInput when a strand or a leg does not have the lines its fields ask for.

    >>> phi, quartic = Field("phi"), Vertex("g", [("phi",) * 4])
    >>> tadpole = Diagram((phi,), (quartic,), ("phi", "phi"),
    ...                   ((-1, 0, "phi"), (-2, 0, "phi"), (0, 0, "phi")))
    >>> tadpole.symmetry, tadpole.loops
    (2, 1)
    """

    fields: tuple[Field, ...]
    vertices: tuple[Vertex, ...]
    legs: tuple[str, ...]
    edges: tuple[Edge, ...]
    labelled: bool = True
    propagators: tuple[Propagator, ...] = ()

    def __post_init__(self) -> None:
        fields = tuple(sorted(set(self.fields), key=lambda field: field.name))
        mixed = tuple(sorted(set(self.propagators), key=lambda p: (p.first, p.second)))
        views = views_of(fields, mixed)
        found = Parts(views, self.vertices, self.legs, self.edges, self.labelled).arranged()
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "propagators", mixed)
        object.__setattr__(self, "vertices", found.vertices)
        object.__setattr__(self, "legs", found.legs)
        object.__setattr__(self, "edges", found.edges)
        object.__setattr__(self, "_symmetry", found.symmetry)

    @classmethod
    def arranged(cls, parts: Mapping[str, Any], edges: tuple[Edge, ...], symmetry: int) -> Diagram:
        """A diagram whose parts are known to be in canonical form, with its symmetry: nothing is
        checked and nothing computed. `parts` holds everything but edges and symmetry."""
        diagram = object.__new__(cls)
        diagram.__dict__.update(parts, edges=edges, _symmetry=symmetry)
        return diagram

    # -- what it is -------------------------------------------------------------------------------

    @property
    def symmetry(self) -> int:
        """The order of the automorphism group: permutations of half-edges (and, when the legs are
        not labelled, of legs) that leave the diagram as it is. Its weight is 1/symmetry."""
        value: int = self.__dict__["_symmetry"]
        return value

    @property
    def order(self) -> int:
        """The power-counting orders of the vertices, added."""
        return sum(vertex.order for vertex in self.vertices)

    @cached_property
    def owners(self) -> tuple[int, ...]:
        """The vertex each strand belongs to."""
        return tuple(v for v, vertex in enumerate(self.vertices) for _ in vertex.strands)

    @cached_property
    def strands(self) -> tuple[tuple[str, ...], ...]:
        """The fields of each strand."""
        return tuple(strand for vertex in self.vertices for strand in vertex.strands)

    def field(self, name: str) -> Field:
        """The field that has a leg of that name."""
        return next(field for field in self.fields if name in field.legs)

    def back(self, name: str) -> str:
        """The name of a line as its other end sees it."""
        return views_of(self.fields, self.propagators).back(name)

    def line(self, name: str) -> tuple[str, str, sp.Expr]:
        """The legs at the start and the end of an edge of that name, and its two-point function."""
        views = views_of(self.fields, self.propagators)
        return (*views.ends(name), views.lines[name].value)

    @cached_property
    def vertex_edges(self) -> tuple[Edge, ...]:
        """The lines between vertices instead of strands."""
        return tuple(Edge(self.vertex_of(a), self.vertex_of(b), f) for a, b, f in self.edges)

    def vertex_of(self, end: int) -> int:
        """The vertex that owns strand `end`; a leg stays itself."""
        return end if end < 0 else self.owners[end]

    # -- its topology -----------------------------------------------------------------------------

    @property
    def skeleton(self) -> tuple[int, int, list[tuple[int, int]]]:
        """Vertices, external legs and lines, as `topology` takes them."""
        lines = [(a, b) for a, b, _ in self.vertex_edges]
        return len(self.vertices), len(self.legs), lines

    @cached_property
    def components(self) -> tuple[frozenset[int], ...]:
        """The connected pieces, as sets of vertices (0, 1, ...) and legs (-1, -2, ...)."""
        vertices, legs, lines = self.skeleton
        return topology.pieces([*range(vertices), *range(-1, -legs - 1, -1)], lines)

    @property
    def loops(self) -> int:
        """Independent closed loops: lines - nodes + connected pieces."""
        vertices, legs, lines = self.skeleton
        return len(lines) - vertices - legs + len(self.components)

    @property
    def is_connected(self) -> bool:
        """In one piece, legs included; the empty diagram is not."""
        return len(self.components) == 1

    @property
    def has_vacuum_bubble(self) -> bool:
        """Whether some piece has no external leg."""
        return any(min(piece) >= 0 for piece in self.components)

    @property
    def is_one_particle_irreducible(self) -> bool:
        """Connected, at least one vertex, and no single internal line whose cut disconnects it;
        external legs are stubs and are not cut."""
        return topology.is_one_particle_irreducible(*self.skeleton)

    @property
    def is_two_particle_irreducible(self) -> bool:
        """1PI, and no two internal lines whose cut disconnects it."""
        return topology.is_two_particle_irreducible(*self.skeleton)

    @property
    def is_amputated(self) -> bool:
        """Whether no external leg carries a self-energy."""
        return not topology.has_leg_insertion(*self.skeleton)

    @property
    def has_tadpole(self) -> bool:
        """Whether cutting some single internal line splits off a part without external legs."""
        return topology.has_tadpole(*self.skeleton)

    @property
    def has_self_loop(self) -> bool:
        """Whether some line begins and ends on one vertex."""
        return topology.has_self_loop(*self.skeleton)

    def superficial_degree(self, dimension: Any, power: Any = 2) -> Any:
        """dimension * loops - power * internal lines: the superficial degree of divergence, for
        propagators k^-power and vertices without derivatives.

        >>> from fieldtheory.theory.enumeration import diagrams
        >>> from fieldtheory.theory.action import Action
        >>> [d.superficial_degree(4) for d in diagrams(Action.phi(4), legs=4, order=2,
        ...                                            one_particle_irreducible=True)]
        [0, 0, 0]
        """
        inner = sum(a >= 0 for a, _, _ in self.edges)
        return superficial_degree(dimension, self.loops, inner, power)

    def subdiagrams(self, dimension: Any = 4, power: Any = 2) -> tuple[Subdiagram, ...]:
        """Its proper divergent subdiagrams: 1PI sets of `edges`, not all of them, that have a
        superficial degree of 0 or more. `part` makes a diagram of each.

        >>> sunset = Diagram((Field("phi"),), (Vertex("g", [("phi",) * 4]),) * 2, ("phi", "phi"),
        ...     ((-1, 0, "phi"), (-2, 1, "phi"), (0, 1, "phi"), (0, 1, "phi"), (0, 1, "phi")))
        >>> sub = sunset.subdiagrams(dimension=4)
        >>> len(sub), sunset.part(sub[0].lines)
        (3, <Diagram x1-z1 x2-z1 x3-z2 x4-z2 z1-z2 z1-z2; order 2, 1 loop, symmetry 16>)
        """
        vertices, _, lines = self.skeleton
        return divergent_subdiagrams(vertices, lines, dimension, power)

    def part(self, lines: Iterable[int]) -> Diagram:
        """The diagram that those of `edges` and their vertices make; every line that is cut leaves
        an external leg, without label."""
        kept = sorted(set(lines))
        owners = sorted({self.vertex_of(end) for n in kept for end in self.edges[n][:2]})
        inside = [s for s, owner in enumerate(self.owners) if owner in owners]
        new = {strand: n for n, strand in enumerate(inside)}
        edges = [
            Edge(new[self.edges[n].start], new[self.edges[n].end], self.edges[n].field)
            for n in kept
        ]
        legs: list[str] = []
        for n, (a, b, name) in enumerate(self.edges):
            here, there, _ = self.line(name)
            for end, outside, seen in ((a, there, self.back(name)), (b, here, name)):
                if n not in kept and end in new:
                    legs.append(outside)
                    edges.append(Edge(-len(legs), new[end], seen))
        return Diagram(
            self.fields,
            tuple(self.vertices[owner] for owner in owners),
            tuple(legs),
            tuple(edges),
            False,
            self.propagators,
        )

    @cached_property
    def automorphisms(self) -> PermutationGroup:
        """The symmetries as permutations of half-edges: those of edge n are 2n (at its start) and
        2n + 1, those of background legs follow; `.order()` is `symmetry`."""
        from fieldtheory.theory.engine.automorphism import automorphism_group

        lines = []
        for a, b, name in self.edges:
            here, there, _ = self.line(name)
            lines.append(((a, here), (b, there)))
        kinds = [vertex.sort_key for vertex in self.vertices]
        background = list(self.background_legs)
        return automorphism_group(self.owners, kinds, lines, background, self.labelled)

    @property
    def background_legs(self) -> Iterator[tuple[int, str]]:
        """(strand or external leg, field) for each leg that ends on the background."""
        background = {field.name for field in self.fields if field.background}
        for number, strand in enumerate(self.strands):
            yield from ((number, name) for name in strand if name in background)
        for number, name in enumerate(self.legs):
            if name in background:
                yield -number - 1, name

    @property
    def graph(self) -> nx.MultiGraph[int]:
        """A networkx MultiGraph of vertices 0, 1, ... and legs -1, -2, ...; vertices carry
        `coupling` and `strands`, legs `leg`, lines `field` and `strands` (their two ends)."""
        import networkx

        graph: nx.MultiGraph[int] = networkx.MultiGraph()
        for v, vertex in enumerate(self.vertices):
            graph.add_node(v, coupling=vertex.coupling, strands=vertex.strands)
        for n, name in enumerate(self.legs):
            graph.add_node(-n - 1, leg=name)
        for a, b, name in self.edges:
            graph.add_edge(self.vertex_of(a), self.vertex_of(b), field=name, strands=(a, b))
        return graph

    # -- as data and as text ----------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Plain data, fit for JSON; `from_dict` reads it back."""
        return {
            "fields": [field.to_dict() for field in self.fields],
            "vertices": [vertex.to_dict() for vertex in self.vertices],
            "legs": list(self.legs),
            "edges": [list(edge) for edge in self.edges],
            "labelled": self.labelled,
            "propagators": [propagator.to_dict() for propagator in self.propagators],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Diagram:
        """The diagram `to_dict` wrote."""
        return cls(
            fields=tuple(Field.from_dict(field) for field in data["fields"]),
            vertices=tuple(Vertex.from_dict(vertex) for vertex in data["vertices"]),
            legs=tuple(data["legs"]),
            edges=tuple(Edge(*edge) for edge in data["edges"]),
            labelled=data["labelled"],
            propagators=tuple(map(Propagator.from_dict, data.get("propagators", ()))),
        )

    def _repr_svg_(self) -> str:
        return gallery.picture(self)

    def latex(self) -> str:
        """The drawing as a TikZ-Feynman environment."""
        return gallery.latex(self)

    def place(self, end: int) -> str:
        """The name of a line's end: x1, x2, ... legs; z1, z2, ... vertices, with a letter for the
        strand where a vertex has several."""
        if end < 0:
            return f"x{-end}"
        vertex = self.owners[end]
        letter = chr(ord("a") + end - self.owners.index(vertex))
        return f"z{vertex + 1}" + (letter if len(self.vertices[vertex].strands) > 1 else "")

    def __str__(self) -> str:
        lines = [f"{self.place(a)}-{self.place(b)}" for a, b, _ in self.edges]
        lines += [f"{self.place(end)}-{name}" for end, name in self.background_legs]
        return " ".join(lines) or "(empty)"

    def __repr__(self) -> str:
        loops = f"{self.loops} loop" + ("" if self.loops == 1 else "s")
        return f"<Diagram {self}; order {self.order}, {loops}, symmetry {self.symmetry}>"
