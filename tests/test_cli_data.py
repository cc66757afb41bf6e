"""The verbs on data, and those that ask about kernels, phases and curves backwards."""

import json
import shlex

import numpy as np
import pytest

from fieldtheory.cli import DONE, INTERRUPTED, MISUSE, VERBS, main
from fieldtheory.model.inverse.bestridge import best_ridge
from fieldtheory.model.inverse.crossover import crossover
from fieldtheory.model.inverse.samples import samples_for
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.task import Task
from fieldtheory.practice.store import Parts
from tests.tolerance import agree, rounding

NET = ["--depth", "2", "--activation", "erf"]
SPHERE = [*NET, "--dimension", "5", "--target", "x0*x1", "--ridge", "0.1"]
FEW = [*NET, "--data", "digits", "--points", "80", "--outputs", "parity", "--ridge", "0.1"]


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

    def command(*words):
        status, out, err = run(*words, "--json")
        assert (status, err, out.count("\n")) == (DONE, "", 1)
        return json.loads(out)

    return command


@pytest.fixture
def csv(tmp_path):
    """Thirty points with a label, in a file."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 3))
    path = tmp_path / "own.csv"
    np.savetxt(path, np.column_stack([x, x[:, 0] * x[:, 1]]), delimiter=",")
    return path


# Data ---------------------------------------------------------------------------------------------


def test_predict_measure_and_compare_on_a_data_set(answer, run):
    pytest.importorskip("sklearn")
    asked = [*FEW, "--samples", "10,20"]
    found = answer("compare", *asked, "--draws", "12", "--seed", "3")
    assert found["predict"] == answer("predict", *asked)
    assert found["measure"]["samples"] == [10, 20]
    assert "digits, parity, " in found["predict"]["question"]
    assert "80 points, drawn with replacement" in found["predict"]["question"]
    unseen = answer("predict", *asked, "--tested", "unseen")
    assert "digits" in unseen["question"]
    assert "drawn with replacement" not in unseen["question"]
    _, out, _ = run("predict", *asked)
    assert "centred" in out
    assert "|x|^2 = " in out


def test_a_prediction_of_minutes_says_so_first(monkeypatch, run):
    pytest.importorskip("sklearn")
    monkeypatch.setattr("fieldtheory.practice.ask.MINUTES", 50)
    asked = ["predict", *FEW, "--samples", "10"]
    why = "take minutes; --store FILE keeps what is finished; --points 500 or --method planar is"
    assert why in run(*asked)[2]
    assert run(*asked, "--method", "planar")[2] == ""


def test_a_prediction_is_interrupted_and_goes_on(run, answer, csv, tmp_path, monkeypatch):
    """The file then serves a comparison, whose draws it keeps as well."""
    words = [*NET, "--data", csv, "--ridge", "0.1", "--samples", "8"]
    whole, store, put = answer("predict", *words), tmp_path / "store.json", Parts.put

    def interrupted(self, key, values):
        if len(self.parts) == 3:
            raise KeyboardInterrupt
        put(self, key, values)

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "put", interrupted)
        found = run("predict", *words, "--store", store)
    why = f"interrupted; what is finished is kept in {store}, the same command goes on from there"
    assert found == (INTERRUPTED, "", f"fieldtheory predict: {why}\n")
    kept = json.loads(store.read_text(encoding="utf-8"))["parts"]
    assert len(kept) == 3
    assert answer("predict", *words, "--store", store) == whole
    parts = json.loads(store.read_text(encoding="utf-8"))["parts"]
    assert kept.items() <= parts.items()
    both = answer("compare", *words, "--draws", "4", "--store", store)
    assert both["predict"] == whole
    content = json.loads(store.read_text(encoding="utf-8"))
    assert (content["parts"], len(content["values"])) == (parts, 4)
    store.write_text("{", encoding="utf-8")
    assert "move it away" in run("predict", *words, "--store", store)[2]


def test_a_file_of_numbers(answer, run, csv, tmp_path):
    words = [*NET, "--data", csv, "--ridge", "0.1"]
    found = answer("predict", *words, "--samples", "8", "--method", "planar")
    x = np.loadtxt(csv, delimiter=",")
    y, x = x[:, 3], x[:, :3]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    x *= np.sqrt(3 / np.sum(x**2, axis=1, keepdims=True))
    task = Task.data(x, y - y.mean(), ridge=0.1)
    same = predict(Network(2, "erf"), task, [8], method="planar").error
    assert agree(found["error"], same, rounding(same, 100))
    csv.write_text("1,2,3\n1,nan,3\n", encoding="utf-8")
    for content, why in (
        ("1,2,3\n1,nan,3\n", "line 2, column 2: 'nan' is no finite number"),
        ("1,2,3\n1,2\n", "line 2: 2 cells, the rows before have 3"),
        ("1,2,3\n1,3,4\n", "features are constant"),
        ("", "no row of numbers"),
    ):
        csv.write_text(content, encoding="utf-8")
        status, out, err = run("predict", *words)
        assert (status, out, err.count("\n")) == (MISUSE, "", 1)
        assert why in err


def test_spectra_of_data(answer, run):
    pytest.importorskip("sklearn")
    kernels = (NET, ["--name", "polynomial", "--degree", "2"])
    for model in kernels:
        found = answer("spectrum", *model, *FEW[4:])
        assert found["points"] == 80
        assert {"eigenvalues", "multiplicities", "tail", "trace"} <= set(found)
        total = np.dot(found["eigenvalues"], [int(n) for n in found["multiplicities"]])
        rest = found["trace"] - total - found["tail"]
        assert agree(rest, 0, rounding(found["trace"], 100))
    assert len(answer("spectrum", *FEW, "--samples", "9")["learnability"]) == 80
    assert run("spectrum", *FEW, "--degrees", "4")[0] == MISUSE


# Kernels, spectra, phases -------------------------------------------------------------------------


def test_kernel(answer):
    found = answer("kernel", *SPHERE, "--points", "5")
    kernel = Network(2, "erf").on_sphere(5)
    assert found["t"] == [-1, -0.5, 0, 0.5, 1]
    assert found["kernel"] == kernel(np.array(found["t"])).tolist()
    assert found["trace"] == kernel.trace
    given = answer("kernel", "--eigenvalues", "1,0.5", "--dimension", "3", "--points", "3")
    assert agree(given["kernel"], [-0.5, 1.0, 2.5], rounding(1, 10))
    assert len(answer("kernel", *SPHERE)["t"]) == 21


def test_what_samples_teach(answer):
    found = answer("spectrum", *SPHERE, "--samples", "20")
    plain = answer("spectrum", *SPHERE)
    assert {key: found[key] for key in plain} == plain
    lam = np.array(found["eigenvalues"])
    degrees = [int(n) for n in found["multiplicities"]]
    samples = np.dot(degrees, found["learnability"]) + (0.1 + found["tail"]) / found["kappa"]
    assert agree(samples, 20, rounding(20, 100))
    assert agree(found["learnability"], lam / (lam + found["kappa"]), rounding(1))


def test_phase(answer, run, tmp_path):
    words = ["--activation", "tanh", "--weight-variance", "1.5", "--bias-variance", "0.05"]
    found = answer("phase", *words)
    assert found["phase"] == "ordered"
    assert found["correlation_length"] > 1
    critical = str(found["critical_weight_variance"])
    edge = answer("phase", *words, "--weight-variance", critical, "--depth", "9")
    assert (edge["phase"], edge["correlation_length"]) == ("critical", None)
    assert len(edge["flow"]["variance"]) == 9
    assert answer("phase", *words, "--cosine", "-0.5")["flow"]["correlation"][0] < 0
    path = tmp_path / "spec.toml"
    path.write_text('[network]\nactivation = "gelu"\n', encoding="utf-8")
    weight = answer("phase", path)["critical_point"]["weight_variance"]
    assert f"{weight:.6f}" == "1.983058"


@pytest.mark.parametrize(
    "words",
    [
        ["predict", *SPHERE, "--samples", "5,50", "--method", "planar", "--learning"],
        ["kernel", *SPHERE],
        ["phase", "--activation", "erf"],
        ["phase", "--activation", "erf", "--flow"],
        ["spectrum", *SPHERE, "--samples", "9"],
        ["samples-for", *SPHERE, "--error", "0.01"],
    ],
    ids=lambda words: words[0],
)
def test_pictures(run, tmp_path, words):
    pytest.importorskip("matplotlib")
    path = tmp_path / "out.svg"
    status, _, err = run(*words, "--plot", path)
    assert (status, err) == (DONE, f"picture in {path}\n")
    assert "<svg" in path.read_text(encoding="utf-8")


# Curves asked backwards ---------------------------------------------------------------------------


def test_curves_asked_backwards(answer, tmp_path):
    network, task = Network(2, "erf"), Task.sphere(5, "x0*x1", ridge=0.1)
    found = answer("samples-for", *SPHERE, "--error", "0.005")
    assert found == json.loads(json.dumps(samples_for(network, task, 0.005).to_dict()))
    found = answer("best-ridge", *SPHERE, "--samples", "20,40")
    assert found["ridge"] == best_ridge(network, task, [20, 40]).to_dict()["ridge"]
    path = tmp_path / "other.toml"
    path.write_text("[network]\ndepth = 1\n", encoding="utf-8")
    found = answer("crossover", *SPHERE, "--against", path, "--most", "200")
    same = crossover(network, Network(1), task, most=200).to_dict()
    assert found == json.loads(json.dumps(same))


BAD = [
    (["predict", *NET, "--data", "digts", "--samples", "9"], 'did you mean "digits"'),
    (["predict", *FEW, "--points", "5000"], "points = 5000, but digits, parity has 1797"),
    (["predict", *FEW, "--dimension", "5"], "task.dimension: task.data brings its own"),
    (["predict", *FEW, "--tested", "fresh"], "one of pool, unseen"),
    (["predict", *FEW, "--outputs", "classes"], "labels in a file"),
    (["predict", *SPHERE, "--points", "9"], "task.points: it needs task.data"),
    (["predict", *SPHERE, "--clusters", "5"], "at most 4, got 5"),
    (["predict", *SPHERE, "--activation", "sin(x)"], "one number in the brackets"),
    (["predict", *SPHERE, "--weight-variance", "1,2,3"], "3 entries for 2 layers"),
    (["predict", *SPHERE, "--weight-variance", "1,-2"], "entry 1: expected a number above zero"),
    (["predict", *SPHERE, "--input-bias", "no"], 'expected true or false, got "no"'),
    (["predict", *NET, "--data", "none.csv"], "cannot read none.csv"),
    (["predict", "--eigenvalues", "1,2", "--data", "digits"], "belong to a sphere"),
    (["predict", *SPHERE, "--store", "x.json"], "leave --store out"),
    (["train", *FEW], "train draws fresh inputs"),
    (["kernel", *SPHERE, "--points", "1"], "whole number from 2"),
    (["phase", "--activation", "step"], "no susceptibility"),
    (["phase", "--activation", "erf", "--cosine", "1.5"], "a number from -1 to 1"),
    (["phase", "--weight-variance", "1,2,3,4"], "not a list"),
    (["phase"], "got none of them"),
    (["samples-for", *SPHERE], "required: --error"),
    (["samples-for", *SPHERE, "--error", "0"], "a number above zero"),
    (["samples-for", *SPHERE, "--error", "1e-30", "--most", "50"], "is not reached"),
    (["crossover", *SPHERE, "--against", "none.toml"], "cannot read none.toml"),
]


@pytest.mark.parametrize(("words", "why"), BAD, ids=lambda value: " ".join(value)[-40:])
def test_misuse(run, words, why):
    status, out, err = run(*words)
    assert (status, out, err.count("\n")) == (MISUSE, "", 1)
    assert why in err
    assert err.startswith(f"fieldtheory {words[0]}: ")


def test_numbers_out_of_range_are_one_line(run):
    for words, why in (
        (["--activation", "sin(1e300)"], "variance of the fields is beyond any float"),
        (["--weight-variance", "1e308"], "which float64 cannot square"),
    ):
        status, out, err = run("kernel", "--dimension", "5", *words)
        assert (status, out, err.count("\n")) == (MISUSE, "", 1)
        assert why in err


def test_without_scikit_learn(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    status, out, err = run("predict", *FEW)
    assert (status, out, err.count("\n")) == (MISUSE, "", 1)
    assert "pip install 'fieldtheory[data]'" in err


@pytest.mark.parametrize("verb", ["kernel", "phase", "samples-for", "best-ridge"])
def test_the_example_of_a_verb_works(run, verb):
    status, out, _ = run(*shlex.split(VERBS[verb].example)[1:])
    assert status == DONE
    assert out
