"""Laws: data that checks itself when it is read, and costs nothing before."""

import pytest
import sympy as sp

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.law import Law, Reference

SOURCE = Reference("Somebody 1999", "https://example.org", "(3)")


def test_a_law_names_its_symbols():
    law = Law("x", lambda: sp.Symbol("a") * sp.Symbol("b"), {"a": "a number"}, "always", SOURCE)
    with pytest.raises(InvalidInput, match=r"does not say what b mean"):
        _ = law.statement


def test_the_statement_is_written_once():
    calls = []

    def write():
        calls.append(1)
        return sp.Symbol("a")

    law = Law("x", write, {"a": "a number"}, "always", SOURCE)
    assert not calls
    assert law.statement == law.statement == sp.Symbol("a")
    assert len(calls) == 1


def test_printing():
    law = Law("x", lambda: sp.Symbol("a"), {"a": "a number"}, "small a", SOURCE)
    assert str(law) == "x (Somebody 1999); holds for small a"
    assert str(SOURCE) == "Somebody 1999, (3), https://example.org"
    assert str(Reference("A", "u")) == "A, u"
