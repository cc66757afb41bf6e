"""The expansion of the integral: spoiled line by line, the judge's own judges must notice."""

import subprocess
import sys

import pytest
import sympy as sp

from fieldtheory.theory import zero
from fieldtheory.theory.action import Action, Vertex
from fieldtheory.theory.field import Field
from fieldtheory.theory.judge import integral, legendre
from fieldtheory.theory.judge.integral import Theory
from tests.oracles.mutation import spoil, survives
from tests.theory import test_zero as judges

g, D, E, M, N = sp.symbols("g D E M N")


def test_the_judge_knows_no_diagrams():
    code = "import sys, fieldtheory.theory.zero; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = {m.rpartition(".")[2] for m in run.stdout.split() if m.startswith("fieldtheory.theory.")}
    assert "zero" in ours
    assert not ours & {"enumeration", "diagram", "contraction", "amplitude", "generating", "table"}


def test_nothing_but_a_free_field():
    free = Action((Field("phi", D),))
    assert zero.moment(free, 4, 1) == (3 * D**2, 0)
    assert zero.cumulant(free, 4, 1) == 0
    assert zero.effective_action(free, 2) == sp.Symbol("phi_c") ** 2 / (2 * D)


def test_nothing_but_a_background():
    r = sp.Symbol("r")
    known = Action((Field("r", background=True),), (Vertex(g, [("r", "r")]),))
    assert zero.moment(known, ("r",), 2) == (r, g * r**3 / 2, g**2 * r**5 / 8)
    assert zero.free_energy(known, 2) == g * r**2 / 2
    assert zero.cumulant(known, ("r", "r"), 1) == 0


def test_names_of_conjugates_sort_either_way():
    for bar in ("psi_bar", "bar_psi"):
        free = Action((Field("psi", D, conjugate=bar),))
        assert zero.correlator(free, ("psi", "psi", bar, bar), 0) == 2 * D**2


def test_two_indices_are_counted_apart():
    """Rule g for [a.a][b.b]/4, even when both indices print alike."""
    for other in (N, sp.Symbol("M", positive=True)):
        fields = (Field("a", D, index=M), Field("b", E, index=other))
        both = Action(fields, (Vertex(g, [("a", "a"), ("b", "b")]),))
        assert zero.free_energy(both, 1) == D * E * M * other * g / 4
        assert zero.irreducible(both, ("a", "a", "b", "b"), 1) == g
        assert sp.expand(zero.correlator(both, ("a", "a"), 1) - D - D**2 * E * g * other / 2) == 0


def test_rules_of_every_kind():
    """A coupling that holds the number of components, a root, a function, a ratio."""
    n, m = sp.symbols("n m")
    plain = zero.vertex_function(Action.o_n(4, "n", "g"), 2, 2)
    for rule in (g / n, sp.sqrt(g), sp.Function("f")(g), g / (g + m), m**2 * sp.I, sp.exp(-n)):
        ours = zero.vertex_function(Action.o_n(4, "n", rule), 2, 2)
        assert sp.simplify(ours - plain.subs(g, rule)) == 0


def test_the_same_question_has_the_same_answer():
    action = Action.phi(3, g)
    first = [zero.cumulant(action, 3, 3), zero.effective_action(action, 3)]
    zero._theory.cache_clear()
    legendre.generating.cache_clear()
    assert [zero.cumulant(action, 3, 3), zero.effective_action(action, 3)] == first


@pytest.fixture
def fresh():
    """Nothing remembered from before, and nothing spoiled remembered afterwards."""
    zero._theory.cache_clear()
    yield
    zero._theory.cache_clear()


def checks():
    for case in judges.CASES[:3] + judges.CASES[4:8]:
        judges.test_moments_and_cumulants_are_sums_over_pairings(*case)
    for case in (judges.REPLICATED[1], judges.REPLICATED[3]):
        judges.test_replicated_ones_too(*case)
    judges.test_the_replica_table_and_its_limit()
    judges.test_powers_of_couplings()
    test_nothing_but_a_background()
    test_two_indices_are_counted_apart()
    test_names_of_conjugates_sort_either_way()


def test_nothing_spoiled_is_not_caught(fresh):
    assert survives(checks)


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        (Theory.expansion.func, "self.ring.domain(factorial(n))", "self.ring.domain(1)"),
        (Theory.expansion.func, "factor *= prod(", "prod("),
        (Theory.expansion.func, "counts[index][kind] += n", "counts[index][kind] += 1"),
        (Theory.expansion.func, "a + n * b", "a + b"),
        (Theory._rule, "self.ring.domain(vertex.symmetry)", "self.ring.domain(len(vertex.legs))"),
        (Theory._rule, " * self.background(vertex.legs)", ""),
        (Theory.covariance, "known[line.second, line.first] = ", ""),
        (Theory.place, "0 if index is None else replica", "0"),
        (Theory._groups, "- len(places)", ""),
        (Theory._groups, "legs.get(at, ())", "()"),
        (Theory.indices.func, "key=sp.srepr", "key=sp.srepr)[:1] + sorted({None}"),
        (integral._multisets, "min(box) >= 0", "min(box) > 0"),
        (zero._integral, ".times(outside)", ""),
        (zero._normalised, "_integral(theory, ())", "_integral(theory, ()).one()"),
        (zero._placed, "number[at]", "0"),
        (zero.cumulant, "(-1) ** (len(blocks) - 1)", "(-1)"),
        (zero.cumulant, "factorial(len(blocks) - 1)", "1"),
        (zero.free_energy_limit, "indices[0], 0)", "indices[0], 1)"),
        (zero._set_partitions, "*rest[n + 1 :]", "*rest[n:]"),
    ],
)
def test_mutants_are_caught(fresh, monkeypatch, function, old, new):
    spoil(monkeypatch, function, old, new)
    assert not survives(checks)
