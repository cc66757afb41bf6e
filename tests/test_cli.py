import json
import shlex
from time import monotonic

import numpy as np
import pytest

from fieldtheory import cli
from fieldtheory.cli import DONE, FAILED, MISUSE, VERBS, main
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.task import Task
from fieldtheory.practice import ask, demo
from fieldtheory.practice.spec import Spec

NET = ["--depth", "2", "--activation", "erf"]
ASK = [*NET, "--dimension", "5", "--target", "x0*x1", "--ridge", "0.1", "--clusters", "2"]
SPEC = """
[network]
depth = 2
activation = "erf"
[task]
dimension = 5
target = "x0*x1"
ridge = 0.1
[predict]
samples = [10, 30]
clusters = 2
[measure]
draws = 4
seed = 5
[train]
width = 24
tests = 50
[tune]
samples = 30
depth = [1, 2]
activation = ["erf"]
weight_variance = [1, 1]
bias_variance = [1, 1]
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text(SPEC, encoding="utf-8")
    return str(path)


@pytest.fixture
def run(capsys):
    """Run a command in this process: its status, standard output and standard error."""

    def command(*words):
        status = main([str(word) for word in words])
        return status, *capsys.readouterr()

    return command


@pytest.fixture
def answer(run):
    """The JSON object of a command that ends well."""

    def command(*words, status=DONE):
        done, out, err = run(*words, "--json")
        assert (done, err) == (status, "")
        assert out.count("\n") == 1

        def refuse(word):
            raise AssertionError(f"{word} in JSON")

        return json.loads(out, parse_constant=refuse)

    return command


# What each verb answers ---------------------------------------------------------------------------


def test_predict(answer, spec):
    found = answer("predict", spec)
    keys = {"samples", "error", "uncertainty", "bias", "variance", "method", "regime"}
    assert keys <= set(found)
    curve = predict(Network(2, "erf"), Task.sphere(5, "x0*x1", ridge=0.1), [10, 30], clusters=2)
    assert found["error"] == curve.error.tolist(), "full precision"
    assert answer("predict", *ASK, "--samples", "10,30") == found
    assert answer("predict", spec, "--depth", "3", "--samples", "10:30:lin:3")["samples"] == [
        10,
        20,
        30,
    ]


def test_measure(answer, spec):
    found = answer("measure", spec)
    assert {"samples", "error", "standard_error", "draws", "seed"} <= set(found)
    assert (found["samples"], found["draws"], found["seed"]) == ([10, 30], 4, 5)
    assert answer("measure", spec, "--seed", "6")["error"] != found["error"]


def test_compare(answer, spec):
    found = answer("compare", spec)
    assert found["predict"] == answer("predict", spec)
    assert found["measure"] == answer("measure", spec)
    gap = np.subtract(found["measured"], found["predicted"])
    assert found["z"] == (gap / found["standard_error"]).tolist()
    assert found["agrees"] is True


def test_a_comparison_that_fails(answer, run, spec, monkeypatch):
    def noisy(model, task, samples, **options):
        return predict(model, Task(task.target, 5.0, ridge=task.ridge), samples, clusters=2)

    monkeypatch.setattr(ask, "predict", noisy)
    status, out, _ = run("compare", spec)
    assert status == FAILED
    assert "DISAGREES" in out
    assert answer("compare", spec, status=FAILED)["agrees"] is False


def test_spectrum(answer):
    found = answer("spectrum", "--depth", "4", "--dimension", "50", "--degrees", "3")
    assert {"eigenvalues", "multiplicities", "tail", "trace", "errors"} <= set(found)
    assert found["multiplicities"] == ["1", "50", "1274", "22050"]
    assert "precise" not in found
    many = answer("spectrum", *NET, "--dimension", "7", "--degrees", "2", "--digits", "30")
    assert [len(text) >= 30 for text in many["precise"]] == [True] * 3
    assert [float(text) for text in many["precise"]] == many["eigenvalues"]


def test_train(answer, run, spec):
    found = answer("train", spec)
    assert {"samples", "error", "regression_error", "predicted", "converged"} <= set(found)
    assert (found["samples"], found["width"], found["converged"]) == ([10, 30], 24, [True, True])
    status, out, _ = run("train", spec, "--samples", "5", "--max-steps", "1")
    assert status == FAILED
    assert "NOT converged" in out


def test_tune(answer, spec):
    found = answer("tune", spec)
    assert {"best", "default", "error", "evaluations", "curve"} <= set(found)
    assert found["default"]["activation"] == "erf"
    short = ["--tune-depth", "1,2", "--tune-weight-variance", "1,1", "--tune-bias-variance", "1,1"]
    flags = ["tune", "--dimension", "5", "--target", "x0*x1", "--ridge", "0.1", "--samples", "30"]
    without = answer(*flags, *short, "--tune-activation", "erf")
    assert without["best"] == found["best"]
    usual = {"depth": 2, "activation": "relu", "weight_variance": 1.0, "bias_variance": 1.0}
    assert usual.items() <= without["default"].items()
    assert answer(*flags, *short, "--depth", "3")["default"]["depth"] == 3


@pytest.mark.parametrize(
    ("quantity", "count"),
    [("mean", 1), ("covariance", 1), ("error", 2), ("evidence", 3), ("posterior-variance", 1)],
)
def test_series(answer, quantity, count):
    found = answer("series", quantity, "--order", "1")
    assert (found["quantity"], found["order"]) == (quantity.replace("-", " "), 1)
    assert found["diagrams"] >= count
    assert "\\eta" in found["latex"]


def test_demo(run, answer, monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(demo, "SIZES", (100, 200))
    monkeypatch.chdir(tmp_path)
    status, out, err = run("demo", "--draws", "6")
    assert status == DONE
    assert out.splitlines()[-1].startswith("Theory and experiment agree")
    assert err.splitlines()[-1] == f"picture in {cli.PICTURE}"
    assert (tmp_path / cli.PICTURE).read_bytes()[1:4] == b"PNG"
    status, out, _ = run("demo", "--draws", "6", "--json", "--plot", tmp_path / "other.svg")
    assert {"predict", "measure", "z", "first_order", "summary"} <= set(json.loads(out))
    assert (tmp_path / "other.svg").is_file()


@pytest.mark.slow
def test_the_demonstration_as_it_is():
    began = monotonic()
    assert demo.demonstrate().agrees
    assert monotonic() - began < 60


@pytest.mark.parametrize("verb", ["predict", "measure", "compare", "tune", "spectrum", "train"])
def test_plots(run, spec, tmp_path, verb):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"{verb}.svg"
    status, out, err = run(verb, spec, "--plot", path)
    assert (status, err) == (DONE, f"picture in {path}\n")
    assert out
    assert "<svg" in path.read_text(encoding="utf-8")


def test_without_matplotlib(run, spec, monkeypatch):
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    status, out, err = run("predict", spec, "--plot", "x.png")
    assert (status, out) == (MISUSE, "")
    assert "pip install 'fieldtheory[plot]'" in err
    monkeypatch.setattr(demo, "SIZES", (100, 200))
    status, out, err = run("demo", "--draws", "6")
    assert status == DONE
    assert "pip install 'fieldtheory[plot]'" in err


# Misuse: status 2, one line, nothing else ---------------------------------------------------------

BAD = [
    ([], "no verb given"),
    (["prdict"], "did you mean predict"),
    (["--json", "predict"], "unknown verb '--json'"),
    (["predict", *NET, "--target", "x0"], "task.dimension: missing"),
    (["predict", "--dimension", "5", "--target", "x0"], "exactly one of"),
    (["predict", *NET, "--dimension", "5"], "task.target or task.power"),
    (["predict", *ASK, "--weight-variance", "-1"], "number above zero, got -1"),
    (["predict", *ASK, "--label-noise", "-0.1"], "got -0.1"),
    (["predict", *ASK, "--depth", "0"], "at least 1, got 0"),
    (["predict", *ASK, "--dimension", "1"], "at least 2, got 1"),
    (["predict", *ASK, "--ridge", "nan"], "got nan"),
    (["predict", *ASK, "--bias-variance", "inf"], "got inf"),
    (["predict", *ASK, "--samples", "0"], "at least 1, got 0"),
    (["predict", *ASK, "--samples", "10.5"], "got 10.5"),
    (["predict", *ASK, "--activation", "rleu"], "did you mean"),
    (["predict", *ASK, "--method", "plannar"], "did you mean"),
    (["predict", *ASK, "--order", "4", "--method", "perturbative"], "at most 3, got 4"),
    (["predict", *ASK, "--target", "x0*y"], "'y', which is not a coordinate"),
    (["predict", *ASK, "--target", "x5"], "x0 .. x4"),
    (["predict", *ASK, "--target", "x0 +"], "polynomial"),
    (["predict", *ASK, "--target", "__import__('os').system('ls')"], "polynomial"),
    (["predict", *ASK, "--target", "9**9**9"], "polynomial"),
    (["predict", *ASK, "--power", "1"], "both target and power"),
    (["predict", *ASK, "--eigenvalues", "1,2"], "exactly one of"),
    (["predict", *ASK, "--plot", "/nonexistent/x.png"], "no folder"),
    (["predict", *ASK, "--plot", "x.bmp"], ".png, .svg, .pdf"),
    (["predict", *ASK, "--colour", "red"], "--colour: unknown (see fieldtheory predict --help)"),
    (["predict", *ASK, "--dep", "3"], "--dep: unknown, did you mean --depth?"),
    (
        ["predict", *ASK, "--methd=planar", "--label_noise", "1"],
        "predict: --methd: unknown, did you mean --method?; --label_noise: unknown, did you mean "
        "--label-noise? (see",
    ),
    (["series", "--ordr", "1"], "--ordr: unknown, did you mean --order?"),
    (["predict", *ASK, "--samples"], "expected one argument"),
    (["predict", "a.toml", "b.toml"], "unrecognized arguments"),
    (["predict", "none.toml"], "cannot read none.toml"),
    (["measure", *ASK, "--draws", "1"], "draws = 1"),
    (["measure", *ASK, "--store", "/nonexistent/x.json"], "no such folder"),
    (["train", *ASK, "--kernel", "nngp"], "'ntk'"),
    (["tune", *ASK[:-2], "--tune-depth", "3,1"], "in order"),
    (["spectrum", "--eigenvalues", "1", "--dimension", "5", "--digits", "9"], "computed"),
    (["spectrum", *NET, "--dimension", "5", "--degrees", "-1"], "whole number from 0"),
    (["series", "evidense"], "did you mean 'evidence'"),
    (["series", "mean", "--order", "9"], "up to order"),
    (["demo", "--draws", "1"], "from 2 to"),
]
NO_RIDGE = ["--eigenvalues", "1,0.5", "--dimension", "5", "--target", "x0", "--samples", "100"]
BAD += [
    (["predict", *NO_RIDGE], "only 6 modes"),
    (["measure", *NO_RIDGE], "pass a larger ridge"),
    (["predict", *NO_RIDGE[:-3], "x0*x1"], "the spectrum ends at degree 1"),
]


@pytest.mark.parametrize(("words", "why"), BAD, ids=lambda value: " ".join(value)[-40:])
def test_misuse(run, words, why):
    status, out, err = run(*words)
    assert (status, out) == (MISUSE, "")
    assert err.count("\n") == 1, "one line"
    assert why in err
    assert err.startswith(
        f"fieldtheory {words[0]}: " if words and words[0] in VERBS else "fieldtheory: "
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[network\n", "is not TOML"),
        ("[network]\ndepth 4\n", "line 2"),
        (SPEC + "[network]\n", "is not TOML"),
        (SPEC.replace("ridge", "rigde"), "task.rigde: unknown, did you mean task.ridge?"),
        (SPEC + "[taks]\n", "taks: unknown"),
        (SPEC.replace("depth = 2", 'depth = "2"'), 'got "2"'),
        (SPEC.replace("depth = 2", "depth = 0").replace("= 5", "= 1"), "2 faults"),
        (SPEC.replace("dimension = 5", 'data = "digits"'), "task.target: task.data brings its own"),
        ("\x00", "is not TOML"),
    ],
)
def test_bad_specs(run, tmp_path, content, why):
    path = tmp_path / "bad.toml"
    path.write_text(content, encoding="utf-8")
    status, out, err = run("compare", path, "--json")
    assert (status, out) == (MISUSE, "")
    assert err.count("\n") == 1
    assert why in err


def test_a_plot_that_cannot_be_written_is_refused_before_the_work(run, spec, monkeypatch, tmp_path):
    def work(*args, **options):
        raise AssertionError("worked before checking the path")

    monkeypatch.setattr(ask, "predict", work)
    folder = tmp_path / "folder.png"
    folder.mkdir()
    monkeypatch.setattr(cli.os, "access", lambda place, mode: place != tmp_path)
    for path in (folder, tmp_path / "x.png", tmp_path / "none" / "x.png", tmp_path / "x.gif"):
        status, out, err = run("predict", spec, "--plot", path)
        assert (status, out) == (MISUSE, "")
        assert err.count("\n") == 1


def test_out_of_memory_is_one_line(run, spec, monkeypatch):
    def work(*args, **options):
        raise MemoryError("Unable to allocate 7. PiB")

    monkeypatch.setattr(ask, "measure", work)
    status, out, err = run("measure", spec)
    assert (status, out) == (MISUSE, "")
    assert "out of memory (Unable to allocate 7. PiB): ask for fewer samples" in err


# Help ---------------------------------------------------------------------------------------------


def test_help_and_version(run):
    status, out, err = run("--help")
    assert (status, err) == (DONE, "")
    for name, verb in VERBS.items():
        assert f"  {name:<11s} {verb.about}" in out
        assert verb.example in out
    assert run("--version") == (DONE, f"fieldtheory {cli.__version__}\n", "")


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb(run, verb):
    status, out, err = run(verb, "--help")
    assert (status, err) == (DONE, "")
    assert VERBS[verb].example in out
    assert "--json" in out
    for section in VERBS[verb].sections:
        assert f"[{section}]" in out


@pytest.mark.parametrize("verb", ["predict", "diagrams", "spectrum", "train", "tune", "series"])
def test_the_example_of_a_verb_works(run, verb):
    words = shlex.split(VERBS[verb].example)
    assert words[:2] == ["fieldtheory", verb]
    status, out, _ = run(*words[1:])
    assert status == DONE
    assert out


def test_every_key_of_every_section_is_a_flag_somewhere():
    flags = {flag.path for flag in Spec.flags()}
    dests = {action.dest for verb in VERBS for action in cli._parser(verb)._actions}
    assert flags <= dests


def test_a_value_may_start_with_a_minus(answer):
    plus, minus = (answer("predict", *ASK, "--target", text) for text in ("x0", "-x0"))
    assert plus["error"] == minus["error"]
