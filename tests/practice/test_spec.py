"""Spec files: what is written is what is read, and every fault is named at once."""

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields
from json import dumps

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.practice.sections import (
    ENSEMBLES,
    MEASUREMENTS,
    METHODS,
    SECTIONS,
    PredictSection,
    parse_samples,
)
from fieldtheory.practice.spec import Spec, load, structure

WHOLE = """
[network]
depth = 4
activation = "relu"
weight_variance = 1.0
bias_variance = 1.0
kernel = "ntk"

[task]
dimension = 50
input_norm = "unit"
target = "x0 + 0.5*x0*x1"
label_noise = 0.0
ridge = 0.0

[predict]
samples = [100, 400, 1600]
method = "planar"
order = 1
ensemble = "fixed"

[measure]
by = "regression"
draws = 20
seed = 0

[train]
width = 512

[tune]
samples = 400
depth = [1, 8]
weight_variance = [0.5, 3]
bias_variance = [0, 1.0]
activation = ["relu", "erf"]
"""
SMALL = {"network": {}, "task": {"dimension": 5}}


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "spec.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def faults(table):
    with pytest.raises(InvalidInput) as caught:
        structure(table)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What is written is what is read ------------------------------------------------------------------


def test_the_whole_file(file):
    spec = load(file(WHOLE))
    assert (spec.network.depth, spec.network.kernel) == (4, "ntk")
    assert spec.task.target == "x0 + 0.5*x0*x1"
    assert spec.predict.samples == (100, 400, 1600)
    assert spec.tune.weight_variance == (0.5, 3.0)
    assert spec.tune.activation == ("relu", "erf")
    assert spec.spectrum is None
    assert spec.kernel is None


def test_absent_keys_have_the_documented_values(file):
    bare = load(file("[network]\n[task]\ndimension = 50\n[predict]\n[measure]\n"))
    full = load(file(WHOLE))
    assert bare.network == full.network
    assert full.predict == PredictSection(method="planar")
    assert bare.predict == PredictSection()
    assert bare.measure == full.measure
    assert bare.train is None
    assert bare.task.target is None


def test_a_spec_cannot_be_changed():
    spec = structure(SMALL)
    with pytest.raises(FrozenInstanceError):
        spec.network.depth = 3
    assert structure(SMALL) == spec


variances = st.floats(0, 1e6) | st.integers(0, 100)


@given(
    st.integers(1, 100),
    variances,
    st.lists(variances, min_size=1, max_size=5),
    st.sampled_from(METHODS),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=5),
)
def test_any_good_table_comes_back(depth, noise, power, method, samples):
    table = {
        "network": {"depth": depth},
        "task": {"dimension": 5, "label_noise": noise, "power": power},
        "predict": {"method": method, "samples": samples},
    }
    spec = structure(table)
    assert spec.network.depth == depth
    assert spec.task.label_noise == noise
    assert spec.task.power == tuple(power)
    assert type(spec.task.label_noise) is float
    assert spec.predict.samples == tuple(samples)
    flags = {
        "network.depth": str(depth),
        "task.dimension": "5",
        "task.label_noise": repr(noise),
        "task.power": ",".join(map(repr, power)),
        "predict.method": method,
        "predict.samples": dumps(samples),
    }
    assert load(None, flags) == spec


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30))
def test_text_is_taken_as_it_is(target):
    table = {"network": {}, "task": {"dimension": 5, "target": target}}
    assert structure(table).task.target == target
    flags = {"network.depth": "4", "task.dimension": "5", "task.target": target}
    assert load(None, flags).task.target == target


def test_a_flag_overrides_the_file(file):
    flags = {
        "network.depth": "6",
        "task.ridge": "1e-3",
        "predict.samples": "10:40:lin:4",
        "tune.activation": "erf",
    }
    spec = load(file(WHOLE), flags)
    assert (spec.network.depth, spec.task.ridge) == (6, 1e-3)
    assert spec.predict.samples == (10, 20, 30, 40)
    assert spec.tune.activation == ("erf",)
    assert spec.network.activation == "relu"


@pytest.mark.parametrize(
    ("given_samples", "sizes"),
    [
        ([100, 400], (100, 400)),
        ("100:1600:log:5", (100, 200, 400, 800, 1600)),
        ("10:100:lin:4", (10, 40, 70, 100)),
        ("1:4:log", (1, 2, 3, 4)),
        ("7:7:lin", (7,)),
        (" 5 : 50 : lin : 2 ", (5, 50)),
    ],
)
def test_samples(given_samples, sizes):
    assert parse_samples(given_samples) == sizes


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.sampled_from(["log", "lin"]))
def test_a_range_of_samples_keeps_its_ends(start, more, spacing):
    sizes = parse_samples(f"{start}:{start + more}:{spacing}")
    assert (sizes[0], sizes[-1]) == (start, start + more)
    assert len(sizes) <= 20
    assert list(sizes) == sorted(set(sizes))


# What is wrong is named ---------------------------------------------------------------------------


def test_all_faults_at_once():
    message = faults(
        {
            "network": {"depth": "64", "activation": "rleu", "weight_variance": -1},
            "task": {"target": "x0", "power": [1], "rigde": 0.1, "ridge": True},
            "predict": {"samples": [100, 0.5]},
            "taks": {},
        }
    )
    for fault in (
        "9 faults",
        'network.depth: expected a whole number, at least 1, got "64"',
        "network.activation: expected one of relu, erf, tanh, gelu, identity, step, leaky_relu, "
        'sin, cos, hermite, got "rleu", did you mean "relu"?',
        "network.weight_variance: expected a number above zero, got -1",
        "task.rigde: unknown, did you mean task.ridge?",
        "task.ridge: expected a number, zero or positive, got true",
        "task.dimension: missing",
        "task: both target and power are given",
        "predict.samples: entry 1: expected a whole number, at least 1, got 0.5",
        "taks: unknown, did you mean task?",
    ):
        assert fault in message


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"task": {"dimension": 5}}, r"exactly one of .*, got none of them"),
        ({**SMALL, "spectrum": {"eigenvalues": [1]}}, r"got \[network\] and \[spectrum\]"),
        ({"network": {}}, r"task\.dimension: missing, give a? ?whole number"),
        ({**SMALL, "spectrum": {}, "kernel": {}}, r"spectrum\.eigenvalues: missing.*kernel\.name"),
        ({**SMALL, "depth": 3}, r"depth: unknown, did you mean network\.depth\?"),
        ({**SMALL, "network": 3}, r"network: expected a section \[network\], got 3"),
        ({**SMALL, "task": [1]}, r"task: expected a section"),
        ({**SMALL, "zzz": {}}, "zzz: unknown, the sections are network, task"),
        ({**SMALL, "measure": {"zzz": 1}}, "the keys are by, draws, seed"),
        ({**SMALL, "measure": {"ridge": 1}}, r"did you mean task\.ridge"),
        ({**SMALL, "a\nb" * 50: {}}, r'^spec: "a\\nb'),
    ],
)
def test_wrong_shapes_are_refused(table, why):
    with pytest.raises(InvalidInput, match=why):
        structure(table)


def test_a_spec_may_leave_out_where_inputs_lie_if_nobody_asks(file):
    path = file("[network]\nactivation = 'tanh'\n")
    assert load(path, inputs=False).network.activation == "tanh"
    with pytest.raises(InvalidInput, match=r"task\.dimension: missing"):
        load(path)


def test_a_kernel_has_its_own_keys_only():
    table = {"task": {"dimension": 5}, "kernel": {"name": "rbf", "smoothness": 1.5}}
    assert "kernel.smoothness: a rbf kernel has none" in faults(table)
    table["kernel"] = {"name": "matern", "smoothness": 2}
    assert "expected one of 0.5, 1.5, 2.5, got 2" in faults(table)
    table["kernel"] = {"name": "matern", "smoothness": 2.5, "length": 2}
    assert structure(table).kernel.length == 2.0
    table["kernel"] = {"name": "polynomial", "degree": 3, "offset": 0}
    assert structure(table).kernel.degree == 3
    table["kernel"] = {"length": 1.0}
    assert "kernel.name: missing" in faults(table)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[network\n", "is not TOML.*line"),
        ("[network]\ndepth 4\n", "is not TOML.*line 2"),
        ("[network]\ndepth = 4\ndepth = 5\n", "line 3"),
        ("[task]\npower = [1,\n\n", "line 3"),
        ("[task]\ntarget = 'x0\n", "line 2"),
        ("[task]\ndimension = " + "9" * 5000, "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
        (b"[network]\n\xff\xfe", "not UTF-8"),
    ],
)
def test_broken_files_are_refused(file, content, why):
    with pytest.raises(InvalidInput, match=why) as caught:
        load(file(content))
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"cannot read .*none\.toml: No such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(InvalidInput, match="directory"):
        load(tmp_path)
    with pytest.raises(InvalidInput, match="cannot read"):
        load("a\x00b")


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        ("network.kernel", "rbf", r'got "rbf": .*give --name rbf, or name = "rbf" in \[kernel\]'),
        ("network.depth", "six", r"network\.depth: expected a whole number, got \"six\""),
        ("network.depth", "6.0", "at least 1, got 6.0"),
        ("network.depth", "'6'", 'got "6"'),
        ("network.depth", "1\n[task]\nridge=3", "expected a whole number"),
        ("network.depth", "1\nridge=3", "expected a whole number"),
        ("network.depth", "", "expected a whole number"),
        ("network.detph", "6", r"did you mean network\.depth"),
        ("depth", "6", r"did you mean network\.depth"),
        ("predict.samples", "100:200", "range"),
        ("predict.samples", "100,x", "expected a list of samples"),
        ("task.ridge", "nan", "got nan"),
        ("task.power", "0.5", "both target and power"),
        ("tune.activation", "relu,rleu", "entry 1"),
    ],
)
def test_wrong_flags_are_refused(file, path, text, why):
    with pytest.raises(InvalidInput, match=why) as caught:
        load(file(WHOLE), {path: text})
    assert "faults" not in str(caught.value)


def test_faults_of_flags_and_file_come_together(file):
    with pytest.raises(InvalidInput, match=r"2 faults: network\.depth: .*; task\.zzz: "):
        load(file("[network]\n[task]\ndimension = 5\nzzz = 1\n"), {"network.depth": "x"})


@pytest.mark.parametrize(
    ("task", "more"),
    [
        ({"dimension": 5, "target": "x0 + x9"}, "task.target: the target uses x9"),
        ({"dimension": 5, "target": ["x0", "x5", "y"]}, "uses 'y', which is not a coordinate"),
        ({"dimension": 1, "target": "x0 +"}, "task.target: polynomial, character 5"),
        ({"data": "nosuch.csv"}, "task.data: cannot read nosuch.csv: no such file"),
    ],
)
def test_beside_other_faults_target_and_file_are_tried_too(task, more):
    """Alone they are left to whoever asks for them, who has more to say."""
    assert more in faults({"task": task, "predict": {"samples": 0}})
    if task.get("dimension") != 1:
        assert structure({"network": {}, "task": task}).task.data == task.get("data")


def test_need():
    spec = structure({**SMALL, "predict": {}})
    spec.need("predict.samples", "network|spectrum|kernel", "task")
    with pytest.raises(InvalidInput, match=r"give task.target or task.power; give measure\.seed"):
        spec.need("task.target|task.power", "predict", "measure.seed")


# Flags --------------------------------------------------------------------------------------------


def test_every_key_is_one_flag():
    flags = Spec.flags()
    assert [f.path for f in flags] == [
        f"{section}.{item.name}" for section, cls in SECTIONS.items() for item in fields(cls)
    ]
    assert len({f.flag for f in flags}) == len(flags)
    assert {f.name for f in fields(Spec)} == set(SECTIONS)
    assert all(f.help and f.type and "%" not in f.help for f in flags)
    by_path = {f.path: f.flag for f in flags}
    assert by_path["task.label_noise"] == "--label-noise"
    assert by_path["predict.samples"] == "--samples"
    assert by_path["tune.samples"] == "--tune-samples"
    assert by_path["network.depth"] == "--depth"


def test_every_choice_can_be_made():
    for section, name, choices in (
        ("predict", "method", METHODS),
        ("predict", "ensemble", ENSEMBLES),
        ("measure", "by", MEASUREMENTS),
    ):
        for choice in choices:
            spec = structure({**SMALL, section: {name: choice}})
            assert getattr(getattr(spec, section), name) == choice


def test_reading_a_spec_loads_no_algebra():
    code = (
        "import sys, fieldtheory.practice.spec\n"
        "print(sorted({'sympy', 'networkx', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
