"""The command as a process: what it loads, how it is interrupted, how it meets a closed pipe."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fieldtheory.cli import DONE, INTERRUPTED, MISUSE, main
from fieldtheory.practice import regression

ROOT = Path(__file__).parents[1]
ASK = [
    "--depth",
    "2",
    "--activation",
    "erf",
    "--dimension",
    "5",
    "--target",
    "x0",
    "--samples",
    "9",
]
HEAVY = ("numpy", "scipy", "sympy", "networkx", "matplotlib")


def process(code, *words):
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)


def loaded_by(*words):
    code = (
        "import sys\nfrom fieldtheory.cli import main\nstatus = main(sys.argv[1:])\n"
        f"print(*(m for m in {HEAVY} if m in sys.modules), file=sys.stderr)\nsys.exit(status)"
    )
    done = process(code, *words)
    return done.returncode, set(done.stderr.split("\n")[-2].split())


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["prdict"], []], ids=str)
def test_help_loads_nothing_heavy(words):
    status, modules = loaded_by(*words)
    assert modules == set()
    assert status == (DONE if words in (["--help"], ["--version"]) else MISUSE)


@pytest.mark.parametrize("verb", ["predict", "compare", "train", "tune", "spectrum", "phase"])
def test_numeric_verbs_load_no_algebra(verb):
    words = {"spectrum": ASK[:6], "phase": ASK[:4]}.get(verb, ASK)
    quick = {"compare": ["--draws", "2"], "train": ["--width", "16"]}
    quick["tune"] = ["--tune-depth", "2,2", "--tune-activation", "erf"]
    status, modules = loaded_by(verb, *words, *quick.get(verb, []))
    assert status == DONE
    assert modules <= {"numpy", "scipy"}


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "fieldtheory", "diagrams", "phi4", "--loops", "1", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (DONE, "")
    assert json.loads(done.stdout)["sum_inverse_symmetry"] == "1/2"


def test_a_malicious_target_is_refused_without_a_traceback():
    target = "__import__('os').system('touch owned')"
    code = "import sys; from fieldtheory.cli import main; sys.exit(main(sys.argv[1:]))"
    done = process(code, "predict", "--depth", "2", "--dimension", "5", "--target", target)
    assert (done.returncode, done.stdout) == (MISUSE, "")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not (ROOT / "owned").exists()


def test_a_closed_pipe_is_quiet():
    code = (
        "import os, sys\nfrom fieldtheory.cli import main, PIPE_CLOSED\n"
        "read, write = os.pipe()\nos.close(read)\nos.dup2(write, 1)\n"
        "assert main(['--help']) == PIPE_CLOSED"
    )
    done = process(code)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_greek_is_no_error():
    code = (
        "import io, sys\nfrom fieldtheory import cli\n"
        "sys.stdout.reconfigure(encoding='ascii')\n"
        "cli._help = lambda: '\\u03bb'\nsys.exit(cli.main(['--help']))"
    )
    done = process(code)
    assert (done.returncode, done.stdout, done.stderr) == (DONE, "\\u03bb\n", "")


# Ctrl-C -------------------------------------------------------------------------------------------


def interrupt_after(draws, monkeypatch):
    """Let `draws` draws finish and press Ctrl-C in the next."""
    error, done = regression._Regression.error, []

    def interrupted(self, sample):
        if len(done) == draws:
            raise KeyboardInterrupt
        done.append(sample)
        return error(self, sample)

    monkeypatch.setattr(regression._Regression, "error", interrupted)
    return done


@pytest.mark.parametrize("verb", ["measure", "compare"])
def test_an_interrupt_keeps_the_store_and_the_rest_follows(verb, capsys, monkeypatch, tmp_path):
    store = tmp_path / "draws.json"
    words = [verb, *ASK, "--ridge", "0.1", "--draws", "6", "--json"]
    assert main(words) == DONE
    whole = json.loads(capsys.readouterr().out)
    with monkeypatch.context() as patch:
        interrupt_after(4, patch)
        assert main([*words, "--store", str(store)]) == INTERRUPTED
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"fieldtheory {verb}: interrupted; what is finished is kept in {store}, the same command "
        "goes on from there\n"
    )
    assert len(json.loads(store.read_text(encoding="utf-8"))["values"]) == 4
    with monkeypatch.context() as patch:
        again = interrupt_after(100, patch)
        assert main([*words, "--store", str(store)]) == DONE
    assert len(again) == 2, "finished draws are not drawn again"
    assert json.loads(capsys.readouterr().out) == whole


def test_an_interrupt_without_a_store_is_one_line(capsys, monkeypatch):
    interrupt_after(1, monkeypatch)
    assert main(["measure", *ASK, "--ridge", "0.1", "--draws", "3"]) == INTERRUPTED
    assert capsys.readouterr() == ("", "fieldtheory measure: interrupted\n")
