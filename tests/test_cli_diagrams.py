"""The verb `diagrams`: numbers as printed elsewhere, files whole, misuse in one line."""

import json
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest
import sympy as sp

from fieldtheory.cli import DONE, INTERRUPTED, MISUSE, main
from fieldtheory.practice import verbs
from fieldtheory.theory import listing, zero
from fieldtheory.theory.action import Action

REFERENCE = json.loads(
    (Path(__file__).parent / "reference" / "diagrams.json").read_text(encoding="utf-8")
)
YUKAWA = "phi^2/2 + A^2/2 - g*phi^2*A/2"


@pytest.fixture
def run(capsys):
    """Run the verb in this process: its status, standard output and standard error."""

    def command(*words):
        status = main(["diagrams", *map(str, words)])
        return status, *capsys.readouterr()

    return command


@pytest.fixture
def answer(run):
    """The JSON object of a command that ends well."""

    def command(*words):
        status, out, err = run(*words, "--json")
        assert (status, err) == (DONE, "")
        assert out.count("\n") == 1
        return json.loads(out)

    return command


def ratio(text):
    return text if "/" in text else f"{text}/1"


@pytest.mark.parametrize("family", REFERENCE["families"], ids=lambda family: family["id"])
def test_the_printed_counts(answer, family):
    flags = {"one_particle_irreducible": "--1pi", "connected": "--connected"}
    words = ["+".join(f"phi{k}" for k in family["valences"]), "--legs", family["legs"]]
    words += [flag for key, flag in flags.items() if family[key]]
    words += ["--unlabelled"] if family["leg_labels"] == "unlabelled" else []
    for loops, count, weight in family["rows"][:2]:
        found = answer(*words, "--loops", loops)
        assert (found["count"], found["sum_inverse_symmetry"]) == (count, ratio(weight))
        assert len(found["diagrams"]) == count
        assert sum(Fraction(1, d["symmetry"]) for d in found["diagrams"]) == Fraction(weight)
        for diagram in found["diagrams"]:
            ends = [end for edge in diagram["edges"] for end in edge]
            nodes = len(set(ends))
            assert diagram["loops"] == loops == len(diagram["edges"]) - nodes + 1
            assert sum(end < 0 for end in ends) == family["legs"]
            assert len(diagram["fields"]) == len(diagram["edges"])
            assert len(diagram["couplings"]) == len({end for end in ends if end >= 0})
        del found["diagrams"]
        assert answer(*words, "--loops", loops, "--count-only") == found


@pytest.mark.parametrize(
    "row",
    [row for row in REFERENCE["two_fields"]["rows"] if row[2] < 25],
    ids=lambda row: f"{row[0]} {row[1]}",
)
def test_the_printed_counts_of_two_fields(answer, row):
    legs, loops, count, weight = row
    names = {"vacuum": "0", "<phi phi>": "phi,phi", "<A A>": "A,A"}
    which, kind = legs.rsplit(" ", 1)
    found = answer(
        YUKAWA,
        "--legs",
        names[which],
        "--loops",
        loops,
        "--1pi" if kind == "1PI" else "--connected",
    )
    assert (found["count"], found["sum_inverse_symmetry"]) == (count, ratio(weight))
    assert {name for d in found["diagrams"] for name in d["fields"]} == {"phi", "A"}


def test_the_text_form_is_the_named_action(answer):
    asked = ["--order", "2", "--connected"]
    assert answer("phi^2/2 + g*phi^4/4!", *asked) == answer("phi4", *asked)
    both = "phi^2/2 + g3*phi^3/3! + g4*phi^4/4!"
    assert answer(both, *asked) == answer("phi3 + phi4", *asked)
    assert answer("phi4", *asked, "--legs", "phi,phi") == answer("phi4", *asked)


def test_orders(answer):
    assert answer("phi4", "--order", "2", "--connected")["count"] == 3
    assert answer("phi4", "--order", "1", "--legs", "3")["diagrams"] == []
    both = answer("phi3+phi4", "--order", "g3=2,g4=1", "--connected")
    assert both["count"] > 0
    for diagram in both["diagrams"]:
        assert sorted(diagram["couplings"]) == ["-g3", "-g3", "-g4"]
    third = answer("phi3+phi4", "--order", "3", "--connected")
    kinds = [f"g3={n},g4={3 - n}" for n in range(4)]
    parts = [answer("phi3+phi4", "--order", kind, "--connected")["count"] for kind in kinds]
    assert sum(parts) == third["count"]


@pytest.mark.parametrize(
    ("flag", "count"),
    [([], 3), (["--1pi"], 2), (["--2pi"], 1), (["--no-tadpoles"], 3), (["--no-self-loops"], 1)],
)
def test_kinds_of_diagrams(answer, flag, count):
    found = answer("phi4", "--order", "2", "--connected", *flag)
    assert found["count"] == count
    if count == 1:
        assert found["diagrams"][0]["symmetry"] == 6


def test_what_the_flags_leave_out(answer):
    """phi^3 at one loop, three legs: a triangle; on each leg a bubble or a tadpole."""
    asked = ["phi3", "--loops", "1", "--legs", "3"]
    assert answer(*asked)["count"] == 7
    assert answer(*asked, "--no-tadpoles")["count"] == 4
    assert answer(*asked, "--no-self-loops")["count"] == 4
    assert answer(*asked, "--amputated")["count"] == 1


def test_complex_fields(answer, run):
    text = "psi*psi_bar + u*psi^2*psi_bar^2/4"
    (loop,) = answer(text, "--order", "1", "--legs", "psi,psi_bar", "--connected")["diagrams"]
    assert loop["symmetry"] == 1
    assert answer(text, "--order", "1", "--legs", "psi,psi")["count"] == 0
    _, out, _ = run(text, "--order", "1", "--legs", "psi,psi_bar", "--connected")
    assert out.splitlines()[-1].endswith("psi x1-z1 z1-x2 z1-z1")


def test_the_colours_of_a_vector_model(answer, run):
    found = answer("on4", "--order", "2", "--connected")
    g, n = sp.symbols("g n")
    assert {d["replica_weight"] for d in found["diagrams"]} == {"1", "n", "n**2"}
    powers = {"1": 0, "n": 1, "n**2": 2}
    total = sum(
        n ** powers[d["replica_weight"]] * (g / 3) ** 2 / d["symmetry"] for d in found["diagrams"]
    )
    truth = zero.cumulant(Action.o_n(4), 2, 2)
    assert sp.expand(total - sp.expand(truth).coeff(g, 2) * g**2) == 0
    _, out, _ = run("on4", "--order", "2", "--connected")
    assert out.splitlines()[1].split() == ["symmetry", "loops", "indices", "lines"]


def test_the_text(run):
    _, out, _ = run("phi4", "--order", "1", "--connected")
    assert out.splitlines()[0] == "1 diagram, sum of 1/symmetry 1/2"
    _, out, _ = run(YUKAWA, "--legs", "phi,phi", "--loops", "1")
    assert "A z1-z2; phi x1-z1 x2-z2 z1-z2" in out
    assert run("phi4", "--order", "1", "--count-only")[1].count("\n") == 1


def test_fields_said_to_be_fields(answer):
    words = ["phi*phit - phit^2/2 + g*phit*phi^3/3!", "--legs", "phi,phit", "--order", "1"]
    found = answer(*words, "--fields", "phi, phit", "--connected")
    assert found["count"] > 0


# Files --------------------------------------------------------------------------------------------


def test_a_drawing(run, tmp_path):
    path = tmp_path / "out.svg"
    status, out, err = run("phi4", "--order", "2", "--connected", "--draw", path, "--json")
    assert (status, err) == (DONE, f"picture in {path}\n")
    assert json.loads(out)["count"] == 3
    assert path.read_text(encoding="utf-8").startswith("<svg")
    assert [one.name for one in tmp_path.iterdir()] == ["out.svg"]


def test_a_long_list_is_drawn_in_part(run, tmp_path, monkeypatch):
    path = tmp_path / "out.svg"
    words = ["phi4", "--order", "2", "--draw", path, "--json"]
    _, whole, _ = run(*words)
    everything = path.read_text(encoding="utf-8")
    monkeypatch.setattr(verbs, "DRAWN_AT_MOST", 2)
    status, out, err = run(*words)
    assert (status, out) == (DONE, whole)
    assert err == f"picture in {path}, of the first 2 diagrams\n"
    assert len(path.read_text(encoding="utf-8")) < len(everything)
    status, out, _ = run(*words, "--count-only")
    assert "diagrams" not in json.loads(out)


def test_an_empty_list_has_no_drawing(run, tmp_path):
    path = tmp_path / "out.svg"
    status, _, err = run("phi4", "--order", "1", "--legs", "3", "--draw", path)
    assert (status, err) == (DONE, f"nothing to draw: {path} is not written\n")
    assert not path.exists()


def never(*args, **options):
    raise AssertionError("worked before checking the path")


@pytest.mark.parametrize("name", ["x.png", "x", "none/x.svg", "folder.svg"])
def test_a_drawing_that_cannot_be_written_is_refused_first(run, tmp_path, monkeypatch, name):
    (tmp_path / "folder.svg").mkdir()
    monkeypatch.setattr(listing, "listed", never)
    status, out, err = run("phi4", "--order", "1", "--draw", tmp_path / name)
    assert (status, out) == (MISUSE, "")
    assert err.count("\n") == 1


def test_an_interrupt_leaves_the_old_picture(run, tmp_path, monkeypatch):
    path = tmp_path / "out.svg"
    path.write_text("old", encoding="utf-8")

    def interrupted(*args, **options):
        yield from list(listing.diagrams(Action.phi(4), order=1))
        raise KeyboardInterrupt

    monkeypatch.setattr(listing, "listed", interrupted)
    found = run("phi4", "--order", "1", "--draw", path)
    assert found == (INTERRUPTED, "", "fieldtheory diagrams: interrupted\n")
    assert path.read_text(encoding="utf-8") == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["out.svg"]


def test_control_c_ends_a_long_list(tmp_path):
    code = (
        "import signal, sys\nfrom fieldtheory.cli import main\n"
        "from fieldtheory.theory import listing\n"
        # a shell's background jobs hand on to their children that Ctrl-C is to be ignored
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "print('ready', flush=True)\nsys.exit(main(sys.argv[1:]))"
    )
    words = ["diagrams", "phi4", "--legs", "4", "--loops", "6", "--draw", str(tmp_path / "x.svg")]
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (INTERRUPTED, "")
    assert err == "fieldtheory diagrams: interrupted\n"
    assert list(tmp_path.iterdir()) == []


# Misuse: status 2, one line, nothing else ---------------------------------------------------------

ONE = ["--order", "1"]
BAD = [
    (["phi4"], "--loops --order is required"),
    (["phi4", "--loops", "1", *ONE], "not allowed with"),
    ([*ONE], "ACTION"),
    (["phi4", "--order", "99"], "from 0 to 40"),
    (["phi4", "--order", "-1"], "from 0 to 40"),
    (["phi4", "--order", ""], "from 0 to 40"),
    (["phi4", "--order", "1.5"], "from 0 to 40"),
    (["phi4", "--order", "9" * 5000], "5000 characters"),
    (["phi4", "--order", "g=x"], "as in g=2,h=1"),
    (["phi4", "--order", "g=1,g=2"], "as in g=2,h=1"),
    (["phi4", "--order", "=1"], "as in g=2,h=1"),
    (["phi4", "--order", "h=1"], "'h'"),
    (["phi4", "--loops", "41"], "from 0 to 40"),
    (["phi4", "--order", "30"], "half-edges"),
    (["phi4", *ONE, "--legs", "41"], "from 0 to 40"),
    (["phi4", *ONE, "--legs", ","], "names of fields as in phi,phi"),
    (["phi4", *ONE, "--legs", "phi,"], "names of fields as in phi,phi"),
    (["phi4", *ONE, "--legs", ",".join(["phi"] * 41)], "names of fields as in phi,phi"),
    (["phi4", *ONE, "--legs", "chi,chi"], "unknown field 'chi'"),
    (["phi^2/2 + chi^2/2 + g*phi*chi^2", *ONE], "does not say which fields"),
    (["phi^4", *ONE], "nothing propagates"),
    (["phi", *ONE], "give phi3, phi4"),
    (["phi4+phi4", *ONE], "twice"),
    (["on3", *ONE], "even power"),
    (["phi^2/2 + g*phi^4/4", "--fields", "xi", *ONE], "field 'xi' has no propagator"),
    (["phi^2/2 + m*phi^2/2", "--loops", "1"], "without end"),
    (["__import__('os').system('touch owned')", *ONE], "functions are not known"),
    (["phi4", *ONE, "--draw", "x.png"], "end the name in .svg"),
    (["phi4", *ONE, "--draw", "/nonexistent/x.svg"], "no folder"),
    (["phi4", *ONE, "--plot", "x.svg"], "--plot: unknown"),
]


@pytest.mark.parametrize(("words", "why"), BAD, ids=lambda value: " ".join(value)[-40:])
def test_misuse(run, words, why):
    status, out, err = run(*words)
    assert (status, out) == (MISUSE, "")
    assert err.count("\n") == 1, "one line"
    assert why in err
    assert len(err) < 400
    assert err.startswith("fieldtheory diagrams: ")
    assert not Path("owned").exists()
