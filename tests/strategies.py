"""Random small theories and random small learning problems."""

from fractions import Fraction

import sympy as sp
from hypothesis import strategies as st

from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.field import Field, Propagator

M = sp.Symbol("M")


@st.composite
def plain_actions(draw):
    """One or two real fields, one to three vertices of degree 1 to 5, two orders at most."""
    names = draw(st.sampled_from([("phi",), ("phi", "chi")]))
    legs = st.lists(st.sampled_from(names), min_size=1, max_size=5)
    found = draw(st.lists(legs, min_size=1, max_size=3))
    vertices = [
        Vertex(f"g{n}", [strand], draw(st.sampled_from([1, 1, 2])))
        for n, strand in enumerate(found)
    ]
    fields = [Field(name, f"D_{name}") for name in names]
    return Action(tuple(fields), tuple(vertices))


@st.composite
def general_actions(draw):
    """Real, complex and background fields, mixed and anomalous propagators; vertices of one or two
    strands, one to four legs in all."""
    fields = [
        Field("phi", draw(st.sampled_from(["D_phi", 0]))),
        Field("psi", "D_psi", conjugate="psi_bar"),
        Field("r", background=True),
    ]
    pairs = [("phi", "psi"), ("phi", "psi_bar"), ("psi", "psi")]
    mixed = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=2))
    if fields[0].propagator == 0 and not any("phi" in pair for pair in mixed):
        mixed.append(("phi", "psi"))
    propagators = [Propagator(*pair, f"F_{pair[0]}_{pair[1]}") for pair in mixed]
    leg = st.sampled_from(["phi", "phi", "psi", "psi_bar", "r"])
    strands = st.lists(st.lists(leg, min_size=1, max_size=2), min_size=2, max_size=2)
    plain = st.lists(leg, min_size=1, max_size=4).map(lambda legs: [legs])
    found = draw(st.lists(st.one_of(plain, plain, strands), min_size=1, max_size=3))
    vertices = [Vertex(f"g{n}", strands) for n, strands in enumerate(found)]
    return Action(tuple(fields), tuple(vertices), tuple(propagators))


@st.composite
def replicated_actions(draw):
    """An indexed field with a background; strands of one to three legs."""
    strand = st.lists(st.sampled_from(["r", "phi", "phi"]), min_size=1, max_size=3)
    found = draw(st.lists(st.lists(strand, min_size=1, max_size=2), min_size=1, max_size=2))
    vertices = [Vertex(f"g{n}", strands) for n, strands in enumerate(found)]
    fields = (Field("phi", "D", index=M), Field("r", background=True, index=M))
    return Action(fields, tuple(vertices))


@st.composite
def learning_problems(draw, points=3):
    """(mu, kernel, target, eta, s2), all Fractions, the kernel positive definite."""
    small = st.integers(1, 6)
    parts = [draw(small) for _ in range(points)]
    mu = [Fraction(part, sum(parts)) for part in parts]
    entry = st.integers(-3, 3)
    root = [[Fraction(draw(entry), 3) for _ in range(points)] for _ in range(points)]
    kernel = [
        [
            sum(a * b for a, b in zip(p, q, strict=True)) + Fraction(i == k, 2)
            for k, q in enumerate(root)
        ]
        for i, p in enumerate(root)
    ]
    target = [Fraction(draw(st.integers(-4, 4)), 4) for _ in range(points)]
    return mu, kernel, target, Fraction(draw(small) * 4), Fraction(draw(small), 3)
