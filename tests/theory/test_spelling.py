"""The text form, judged by calculus: rules are slopes of S, propagators its inverse Hessian."""

from pathlib import Path
from types import ModuleType

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.theory import spelling
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.field import Field, Propagator

PHI, CHI, PSI, BAR = FIELDS = sp.symbols("phi chi psi psi_bar")
G, H = COUPLINGS = sp.symbols("g h")
numbers = st.fractions(min_value=-4, max_value=4, max_denominator=6).filter(bool)


@st.composite
def spoken(draw):
    """S as SymPy has it: a real field, perhaps a second and a complex one; mixing; vertices."""
    fields = draw(st.sampled_from([(PHI,), (PHI, CHI), (PSI, BAR), (PHI, PSI, BAR)]))
    free = sum(draw(numbers) * field**2 for field in fields if field not in (PSI, BAR))
    free += draw(numbers) * PSI * BAR if PSI in fields else 0
    if len(fields) > 1 and draw(st.booleans()):
        first, second = draw(st.sampled_from([(fields[0], fields[1]), (fields[-1], fields[-1])]))
        free += draw(numbers) * first * second
    powers = st.lists(st.integers(0, 3), min_size=len(fields), max_size=len(fields))
    vertices = sp.S.Zero
    for _ in range(draw(st.integers(0, 4))):
        a, b = draw(st.sampled_from([(0, 0), (1, 0), (0, 1), (1, 1), (2, 1)]))
        exponents = draw(powers.filter(any))
        if sum(exponents) > 2 or (a, b) != (0, 0):
            legs = sp.Mul(*(f**n for f, n in zip(fields, exponents, strict=True)))
            vertices += draw(numbers) * G**a * H**b * legs
    return fields, sp.expand(free), sp.expand(vertices)


def right(read, fields, free, vertices):
    """Whether `read` sees in the text what calculus sees in S."""
    spelled = read(str(free + vertices))
    hessian = sp.hessian(free, fields)
    if hessian.det() == 0:
        return True  # refused, as another test says
    truth = hessian.inv()
    found = {frozenset((f.name, f.conjugate or f.name)): f.propagator for f in spelled.fields}
    found |= {frozenset((p.first, p.second)): p.value for p in spelled.propagators}
    for i, first in enumerate(fields):
        for k, second in enumerate(fields):
            if found.get(frozenset((first.name, second.name)), 0) != truth[i, k]:
                return False
    rules, orders = {}, True
    for rule, strands, order in spelled.vertices:
        (strand,) = strands
        rules[strand] = rules.get(strand, 0) + rule
        degree = sp.Poly(rule, *COUPLINGS).total_degree()
        orders &= order == max(1, degree)
    at_zero = dict.fromkeys(fields, 0)
    for strand, rule in rules.items():
        slope = sp.diff(vertices, *map(sp.Symbol, strand)).subs(at_zero)
        if sp.expand(rule + slope):
            return False
    kinds = len(sp.Poly(vertices, *fields).terms()) if vertices != 0 else 0
    return orders and len(rules) == kinds


@settings(max_examples=60)
@given(spoken())
def test_a_text_says_what_calculus_says(spoken):
    fields, free, vertices = spoken
    if sp.hessian(free, fields).det() == 0:
        with pytest.raises(InvalidInput, match="propagator"):
            spelling.read(str(free + vertices))
        return
    assert right(spelling.read, fields, free, vertices)


MUTANTS = [
    ("number = -coefficient * prod", "number = coefficient * prod"),
    ("factorial(strand.count(name))", "strand.count(name)"),
    ("for name in set(strand)", "for name in strand"),
    ("max(1, sum(power for _, power in couplings))", "max(1, len(couplings))"),
    ("rows[legs.index(second)][legs.index(first)] += coefficient\n", "pass\n"),
    ("a - factor * b", "a + factor * b"),
    ("if value and ends not in own", "if False"),
]


@pytest.mark.parametrize(("good", "spoiled"), MUTANTS)
def test_a_spoiled_reader_is_caught(good, spoiled):
    source = Path(spelling.__file__).read_text()
    assert source.count(good) == 1
    mutant = ModuleType(spelling.__name__)
    exec(source.replace(good, spoiled), mutant.__dict__)
    fields = (PHI, CHI)
    free = PHI**2 / 2 + CHI**2 / 3 + PHI * CHI / 5
    vertices = G * PHI**4 / 24 - G**2 * H * PHI**3 * CHI / 7 + H * PHI
    assert right(spelling.read, fields, free, vertices)
    assert not right(mutant.read, fields, free, vertices)


# What is written is what is meant -----------------------------------------------------------------


@pytest.mark.parametrize(
    "action",
    [
        Action.phi(4),
        Action.phi(3, "g3") + Action.phi(4, "g4"),
        Action.phi(1, "j") + Action.phi(2, "m"),
        Action(
            (Field("phi", sp.Rational(3, 7)), Field("chi", 2)), (Vertex("y", [["chi", "phi"]]),)
        ),
        Action((Field("psi", 3, conjugate="psi_bar"),), (Vertex(-1, [["psi", "psi_bar"] * 2]),)),
        Action((Field("phi"),), (Vertex(G + H / 2, [("phi",) * 3]), Vertex(G**2, [("phi",)], 2))),
    ],
    ids=str,
)
def test_an_action_reads_what_it_prints(action):
    assert Action.read(str(action)) == action


@given(spoken())
def test_every_action_without_mixing_reads_what_it_prints(spoken):
    fields, free, vertices = spoken
    if sp.hessian(free, fields).det() == 0:
        return
    action = Action.read(str(free + vertices))
    if not action.propagators:
        assert Action.read(str(action)) == action


def read_rule(text, **options):
    (vertex,) = Action.read(text, **options).vertices
    return vertex.coupling, vertex.strands, vertex.order


@pytest.mark.parametrize(
    ("text", "rule", "strand", "order"),
    [
        ("phi^2/2 + g*phi^4/4!", -G, ["phi"] * 4, 1),
        ("phi^2/2 - g*phi^4/4!", G, ["phi"] * 4, 1),
        ("phi^2/2 + g*phi^4", -24 * G, ["phi"] * 4, 1),
        ("phi^2/2 + chi^2/2 + g*phi^2*chi^2/4", -G, ["chi", "chi", "phi", "phi"], 1),
        ("phi^2/2 + phi^4/4!", -1, ["phi"] * 4, 1),
        ("phi^2/2 + 3*phi", -3, ["phi"], 1),
        ("phi^2/2 + j*phi", -sp.Symbol("j"), ["phi"], 1),
        ("phi^2/2 + m*phi^2/2", -sp.Symbol("m"), ["phi"] * 2, 1),
        ("phi^2/2 + g^2*phi^6/6!", -(G**2), ["phi"] * 6, 2),
        ("phi^2/2 + g*h*phi^3/3!", -G * H, ["phi"] * 3, 2),
        ("psi*psi_bar + g*(psi*psi_bar)^2/4", -G, ["psi", "psi", "psi_bar", "psi_bar"], 1),
        ("phi^2/2 + lambda*phi^3/3!", -sp.Symbol("lambda"), ["phi"] * 3, 1),
        ("  S = phi**2 / 2\n + g * phi**4 / 24 ", -G, ["phi"] * 4, 1),
    ],
)
def test_a_rule(text, rule, strand, order):
    assert read_rule(text) == (rule, (tuple(strand),), order)


def test_equal_legs_and_orders_add():
    assert read_rule("phi^2/2 + (g + h)*phi^3/3!")[0] == -G - H
    assert len(Action.read("phi^2/2 + (g + g^2)*phi^3/3!").vertices) == 2
    assert Action.read("phi^2/2 + g*phi^3 - g*phi^3").vertices == ()


def test_propagators():
    assert Action.read("3*phi^2").fields == (Field("phi", sp.Rational(1, 6)),)
    assert Action.read("2*psi*psi_bar").fields == (
        Field("psi", sp.Rational(1, 2), conjugate="psi_bar"),
    )
    response = Action.read("phi*phit - T*phit^2 - phit^2", fields=["phi", "phit"])
    assert response.fields == (Field("phi", 2), Field("phit", 0))
    assert response.propagators == (Propagator("phi", "phit", 1),)
    anomalous = Action.read("psi*psi_bar + psi^2/4 + psi_bar^2/4")
    assert [p.value for p in anomalous.propagators] == [sp.Rational(-2, 3)] * 2
    assert anomalous.field("psi").propagator == sp.Rational(4, 3)


def test_a_name_alone_with_a_field_is_a_coupling_unless_it_is_given():
    assert Action.read("phi^2/2 + chi*phi").fields == (Field("phi"),)
    assert Action.read("phi^2/2 + chi*phi", fields=["chi"]).fields == (
        Field("chi", -1),
        Field("phi", 0),
    )


# Misuse -------------------------------------------------------------------------------------------

WRONG = [
    ("", "the action is empty"),
    (" \n", "the action is empty"),
    ("phi^2/2 +", "stops too early"),
    ("phi^2/2 + g phi^4", "sign is missing"),
    ("phi^2/2 + 2g*phi^4", "sign is missing"),
    ("phi^2/2 + g*phi^(4)", "literal whole number"),
    ("phi^2/2 + g*phi^n", "literal whole number"),
    ("phi^2/2 + g*phi^-1", "literal whole number"),
    ("phi^2/2 + g*phi^65", "above 64"),
    ("phi^2/2/D", "division by a variable"),
    ("phi^2/0", "division by zero"),
    ("phi^2/2 + cos(phi)", "functions are not known"),
    ("__import__('os').system('touch owned')", "functions are not known"),
    ("phi.__class__", "'.' is not expected"),
    ("phi^2/2 = g*phi^4", "'=' is not expected"),
    ("S = S = phi^2/2", "'=' is not expected"),
    ("phi^2/2 + g*[phi^2]*[phi^2]/8", "Action.o_n"),
    ("phi^2/2; mixed <A phi> = 1", "quadratic term"),
    ("g*phi^4/4!", "nothing propagates: .* as in phi"),
    ("phi", "nothing propagates"),
    ("phi*chi", "nothing propagates"),
    ("m*phi^2/2 + g*phi^4/4!", "nothing propagates"),
    ("0", "nothing propagates"),
    ("phi^2/2 - phi^2/2", "nothing propagates"),
    ("phi^2/2 + 3", "the term 3 is a constant"),
    ("phi^2/2 + g", "the term g has none of the fields phi"),
    (
        "phi^2/2 + g*chi^4/4!",
        r"the term 1/24\*chi\^4\*g has none of the fields phi: write the free",
    ),
    ("(phi + chi)^2/2", "fields chi, phi have no propagators: .* along -?chi [-+] phi"),
    ("psi*psi_bar + psi_bar*psi_bar_bar", "psi_bar is the conjugate of psi and has"),
    ("+".join(f"x{n}^2" for n in range(21)), "21 kinds of legs: give an action with at most 20"),
    (
        "phi^2 + " + "+".join(f"g{n}^{k}*phi^{k}" for n in range(9) for k in range(1, 32)),
        "vertices",
    ),
    ("phi^2" * 10_000, "50000 characters"),
    ("(phi + chi + g + h)^64", "terms, more than"),
]


@pytest.mark.parametrize(("text", "why"), WRONG, ids=lambda value: value[:40])
def test_a_wrong_text_is_one_line(text, why):
    with pytest.raises(InvalidInput, match=why) as caught:
        spelling.read(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 320
    assert not Path("owned").exists()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("chi", "give a list of names"),
        ([3], "give a list of names"),
        (["chi"], "field 'chi' has no propagator: .* as in chi"),
        (["chi", "xi"], "no propagator"),
    ],
)
def test_wrong_fields(fields, why):
    with pytest.raises(InvalidInput, match=why):
        spelling.read("phi^2/2 + g*phi^4/4!", fields)


@pytest.mark.parametrize("text", [None, 4, b"phi^2/2", ["phi^2/2"]])
def test_only_text_is_read(text):
    with pytest.raises(InvalidInput, match="given as text"):
        spelling.read(text)


@given(st.text(alphabet="phichg_bar0123456789+-*/^()!.= S", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        action = Action.read(text)
    except InvalidInput:
        return
    assert action.fields
