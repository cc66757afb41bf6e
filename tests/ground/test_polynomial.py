"""The ring and its reader: judged by plain arithmetic on Fractions, term by term."""

import pickle
from copy import deepcopy
from dataclasses import FrozenInstanceError
from fractions import Fraction
from operator import add, mul, sub
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground import polynomial as ring
from fieldtheory.ground import reader
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.polynomial import Polynomial

NAMES = ("x0", "x2", "x10", "g", "_phi")
POINT = {name: Fraction(k + 2, 2 * k + 3) for k, name in enumerate(NAMES)}

fractions = st.fractions(min_value=-50, max_value=50, max_denominator=40)
monomials = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3), max_size=3).map(
    lambda powers: tuple(sorted(powers.items()))
)
polynomials = st.dictionaries(monomials, fractions, max_size=6).map(Polynomial)


def value(p):
    """p at POINT: the oracle, a sum of products."""
    total = Fraction(0)
    for monomial, coefficient in p.terms.items():
        for name, exponent in monomial:
            for _ in range(exponent):
                coefficient = coefficient * POINT[name]
        total += coefficient
    return total


def binary(children):
    signs = st.sampled_from([("+", add), ("-", sub), ("*", mul)])
    return st.tuples(children, signs, children).map(
        lambda t: (f"({t[0][0]}) {t[1][0]} ({t[2][0]})", t[1][1](t[0][1], t[2][1]))
    )


def unary(children):
    return st.one_of(
        children.map(lambda c: (f"-({c[0]})", -c[1])),
        children.map(lambda c: (f"({c[0]})^2", c[1] ** 2)),
        children.map(lambda c: (f"({c[0]}) / 4!", c[1] / 24)),
    )


leaves = st.one_of(
    st.sampled_from(NAMES).map(lambda name: (name, POINT[name])),
    st.decimals(0, 100, places=3).map(lambda d: (str(d), Fraction(d))),
    st.integers(0, 99).map(lambda n: (f"{n}e-2", Fraction(n, 100))),
)
texts = st.recursive(leaves, lambda c: st.one_of(binary(c), unary(c)), max_leaves=6)


@given(texts)
def test_a_text_means_what_arithmetic_says(text_and_value):
    text, truth = text_and_value
    assert value(reader.polynomial(text)) == truth


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("x0 + 0.5*x0*x1", "x0 + 1/2*x0*x1"),
        ("phi^2/2 + g*phi^4/4!", "1/2*phi^2 + 1/24*g*phi^4"),
        ("-x0^2", "-x0^2"),
        ("2^3", "8"),
        ("--x0 - -x1", "x0 + x1"),
        ("2*-x0**2/4/2", "-1/4*x0^2"),
        ("x10 + x2", "x2 + x10"),
        (" x0\t-\nx0 ", "0"),
        ("1.5e-1*x0 + .5 + 2.", "5/2 + 3/20*x0"),
        ("(x0 - 1)*(x0 + 1)", "-1 + x0^2"),
        ("x0/3/5", "1/15*x0"),
        ("0!*x0 + 3!", "6 + x0"),
        ("x0^0", "1"),
        ("x0^64", "x0^64"),
        ("((9^9)^9)", str(9**81)),
    ],
)
def test_grammar(text, canonical):
    assert str(reader.polynomial(text)) == canonical


@given(polynomials)
def test_print_and_read_is_the_identity(p):
    assert reader.polynomial(str(p)) == p
    assert hash(reader.polynomial(str(p))) == hash(p)


@given(polynomials, polynomials, polynomials)
def test_ring(a, b, c):
    assert (a + b) * c == a * c + b * c
    assert a * b == b * a
    assert a - a == Polynomial({})
    assert value(a * b - c) == value(a) * value(b) - value(c)
    assert (a + b) ** 2 == a**2 + 2 * a * b + b**2
    assert 1 - a == -(a - 1)
    assert a / Fraction(2, 3) == a * Fraction(3, 2)


@given(polynomials)
def test_homogeneous_parts_add_up_and_scale(p):
    parts = p.homogeneous_parts()
    assert sum(parts.values(), Polynomial({})) == p
    assert max(parts, default=0) == p.degree
    double = {m: c * 2 ** sum(e for _, e in m) for m, c in p.terms.items()}
    assert sum((2**n * part for n, part in parts.items()), Polynomial({})) == Polynomial(double)


@given(polynomials)
def test_a_value_travels_and_cannot_be_changed(p):
    assert pickle.loads(pickle.dumps(p)) == p == deepcopy(p)
    with pytest.raises(FrozenInstanceError):
        p.terms = {}
    with pytest.raises(TypeError):
        p.terms[()] = 1


def test_two_writings_of_one_polynomial_are_one_value():
    p = Polynomial({(("b", 1), ("a", 2)): 2, (): 0})
    assert p == Polynomial({(("a", 2), ("b", 1)): Fraction(2)})
    assert p.variables == ("a", "b")


MALICIOUS = [
    ("__import__('os').system('true')", "functions are not known"),
    ("9**9**9", "power of a power"),
    ("x0^65", "above 64"),
    ("x0^99999999999999999999999", "above 64"),
    ("x0^64*x0", "degree 65 is above 64"),
    ("(x0^2)^33", "degree 66 is above 64"),
    ("((9^64)^64)^64", "4096 binary digits"),
    ("1e999999", "absurdly"),
    ("1e-99999", "absurdly"),
    ("9" * 3000, "absurdly"),
    ("(" + "+".join(f"x{i}" for i in range(10)) + ")^64", "terms, more than 20000"),
    ("(" + "+".join(f"x{i}" for i in range(300)) + ")^2", "terms, more than 20000"),
    ("*".join(["(x+y+z+1)^20"] * 3), "more than 100000"),
    ("+".join(["(x+y+z+1)^18"] * 50), "more than 100000"),
    ("+".join(f"1/{n}" for n in range(1001, 3500)), "4096 binary digits"),
    ("(" * 101 + "x" + ")" * 101, "deeper than 100"),
    ("(" * 9999, "deeper than 100"),
    ("x" * 20_001, "20001 characters"),
    ("x" * 65, "very long"),
    ("65!", "factorial"),
    ("9" * 50 + "!", "factorial"),
]
MALFORMED = [
    ("", "nothing is written"),
    ("   ", "nothing is written"),
    ("x0 +", "stops too early"),
    ("x0 + 2x1", "sign is missing; write \\*"),
    ("x0 x1", "sign is missing"),
    ("2(x0)", "sign is missing"),
    ("x0.real", "'.' is not expected"),
    ("'x0'", "is not expected"),
    ("x0[1]", "is not expected"),
    ("lambda: 0", "':' is not expected"),
    ("(x0", "not closed"),
    ("x0)", "'\\)' is not expected"),
    ("x0 ! ", "is not expected"),
    ("4!!", "is not expected"),
    ("1.5!", "factorial"),
    ("x0^-1", "literal whole number"),
    ("x0^1.5", "literal whole number"),
    ("x0^(2)", "literal whole number"),
    ("x0^x1", "literal whole number"),
    ("1/x0", "division by a variable"),
    ("x0/(1-1)", "division by zero"),
    ("sin(x0)", "functions are not known"),
    ("x0 = 1", "is not expected"),
    ("x\u2080", "is not expected"),
    ("\u0663", "is not expected"),
    ("x0\x00", "is not expected"),
]


@pytest.mark.parametrize(("text", "why"), MALICIOUS + MALFORMED)
def test_refused_in_one_line_with_its_place(text, why):
    with pytest.raises(InvalidInput, match=why) as caught:
        reader.polynomial(text)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 300


def test_the_place_is_the_right_one():
    with pytest.raises(InvalidInput, match=r'character 8, after >>> in "x0 \+ 3\*>>>@1"'):
        reader.polynomial("x0 + 3*@1")


@pytest.mark.parametrize("text", [None, 3, b"x0", ["x0"]])
def test_only_text_is_read(text):
    with pytest.raises(InvalidInput, match="given as text"):
        reader.polynomial(text)


@pytest.mark.parametrize("text", [text for text, _ in MALICIOUS])
def test_refusal_costs_no_more_than_the_budget(text, monkeypatch):
    """Not a clock: the products of terms really formed are counted."""
    formed = 0

    def counted(a, b):
        nonlocal formed
        formed += len(a.terms) * len(b.terms)
        return ring.product(a, b)

    monkeypatch.setattr(reader, "product", counted)
    with pytest.raises(InvalidInput):
        reader.polynomial(text)
    assert formed <= ring.WORK


def test_a_hopeless_power_is_refused_before_any_product(monkeypatch):
    monkeypatch.setattr(reader, "product", None)
    monkeypatch.setattr(ring, "product", None)
    with pytest.raises(InvalidInput, match="terms"):
        reader.polynomial("(" + "+".join(f"x{i}" for i in range(10)) + ")^64")
    with pytest.raises(InvalidInput, match="terms"):
        sum((Polynomial.variable(f"x{i}") for i in range(10)), Polynomial({})) ** 64


@given(st.text(alphabet="x0123456789+-*/^()!. eE_'[]", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        p = reader.polynomial(text)
    except InvalidInput:
        return
    assert reader.polynomial(str(p)) == p


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({(("x 0", 1),): 1}, "variable"),
        ({(("0x", 1),): 1}, "variable"),
        ({(("x", 0),): 1}, "exponent"),
        ({(("x", True),): 1}, "exponent"),
        ({(("x", 1), ("x", 2)): 1}, "twice"),
        ({(("x", 65),): 1}, "degree 65"),
        ({(): 0.5}, "exact"),
        ({(): True}, "exact"),
        ({((f"x{i}", 1),): 1 for i in range(20_001)}, "20001 terms"),
    ],
)
def test_a_wrong_value_is_refused(terms, why):
    with pytest.raises(InvalidInput, match=why):
        Polynomial(terms)


def test_operations_refuse_what_is_not_exact():
    x = Polynomial.variable("x")
    for wrong in (lambda: x + 0.5, lambda: x * 0.5, lambda: x - "y", lambda: x**0.5, lambda: x / x):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(InvalidInput, match="divide by a number other than zero"):
        x / 0
    with pytest.raises(InvalidInput, match="exponent -1"):
        x**-1


# Mutants: the oracle of the first test must see each of them --------------------------------------

MUTANTS = [
    ('part if sign.text == "+" else -part', "part"),
    ("1 / divisor.terms[()]", "divisor.terms[()]"),
    ("return -result if negative", "return result if negative"),
    ("factorial(int(token.text))", "factorial(int(token.text) - 1)"),
    ("for factor in repeated:", "for factor in repeated[1:]:"),
]


def all_right(read):
    cases = {
        "x0 - g": POINT["x0"] - POINT["g"],
        "x0 / 2": POINT["x0"] / 2,
        "-g": -POINT["g"],
        "4!": 24,
        "g^3": POINT["g"] ** 3,
    }
    return all(value(read(text)) == truth for text, truth in cases.items())


@pytest.mark.parametrize(("good", "spoiled"), MUTANTS)
def test_a_spoiled_reader_is_caught(good, spoiled):
    source = Path(reader.__file__).read_text()
    assert source.count(good) == 1
    mutant = ModuleType(reader.__name__)
    exec(source.replace(good, spoiled), mutant.__dict__)
    assert all_right(reader.polynomial)
    assert not all_right(mutant.polynomial)
