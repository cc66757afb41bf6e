"""Single values: nothing is coerced, and each refusal says what was expected and what was got."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.practice.reading import interval, list_of, number, shown, text, whole
from fieldtheory.practice.spec import structure

SMALL = {"network": {}, "task": {"dimension": 5}}

WRONG = [
    ("network", "depth", 0, "at least 1"),
    ("network", "depth", 4.0, "got 4.0"),
    ("network", "depth", True, "got true"),
    ("network", "depth", 10**16, "at most"),
    ("network", "bias_variance", float("nan"), "got nan"),
    ("network", "bias_variance", float("inf"), "got inf"),
    ("network", "bias_variance", 10**400, "at most"),
    ("network", "weight_variance", 0, "above zero"),
    ("network", "kernel", "ntkk", 'did you mean "ntk"'),
    ("network", "activation", 3, "one of relu, erf"),
    ("task", "dimension", 1, "at least 2"),
    ("task", "dimension", "50", 'got "50"'),
    ("task", "label_noise", -0.1, "zero or positive"),
    ("task", "target", 3, "text in quotes"),
    ("task", "power", [0, -1], "entry 1"),
    ("task", "power", [], "at least one number"),
    ("task", "power", 1.0, "a list"),
    ("task", "input_norm", "units", 'did you mean "unit"'),
    ("task", "ridge", date(2026, 1, 1), "got 2026-01-01"),
    ("predict", "samples", [], "at least one"),
    ("predict", "samples", 100, "a list"),
    ("predict", "samples", [0], "at least 1"),
    ("predict", "samples", "100-1600", "start|range"),
    ("predict", "samples", "100:1600:cubic", "range"),
    ("predict", "samples", "1600:100:log", "upwards"),
    ("predict", "samples", "0:100:log", "from 1"),
    ("predict", "samples", "1:100:log:1", "2 to 10000 points"),
    ("predict", "samples", "1:100:log:1000000", "2 to 10000 points"),
    ("predict", "samples", "1:1e9:log", "range"),
    ("predict", "samples", "1:" + "9" * 5000 + ":log", "range"),
    ("predict", "method", "planer", 'did you mean "planar"'),
    ("predict", "ensemble", "possion", 'did you mean "poisson"'),
    ("measure", "draws", 0, "at least 1"),
    ("measure", "seed", -1, "at least 0"),
    ("measure", "by", "descent", "one of regression, gradient-descent"),
    ("train", "tolerance", 0.0, "above zero"),
    ("tune", "depth", [8, 1], "in order"),
    ("tune", "depth", [1, 2, 3], r"\[from, to\]"),
    ("tune", "activation", "relu", "a list"),
    ("tune", "activation", ["relu", "rleu"], "entry 1"),
]


@pytest.mark.parametrize(("section", "name", "value", "why"), WRONG)
def test_one_wrong_value_is_one_fault(section, name, value, why):
    table = {**SMALL, section: {**SMALL.get(section, {}), name: value}}
    with pytest.raises(InvalidInput, match=why) as caught:
        structure(table)
    message = str(caught.value)
    assert message.startswith(f"spec: {section}.{name}: ")
    assert "faults" not in message
    assert len(message) < 250


def test_a_number_too_long_to_print_is_refused_all_the_same():
    with pytest.raises(InvalidInput, match="thousands of digits"):
        number().read(1 << 20_000)
    with pytest.raises(InvalidInput, match="thousands of digits"):
        list_of(whole(1)).read({"a": [1 << 20_000]})


@given(st.recursive(st.none() | st.booleans() | st.text() | st.floats(), st.lists, max_leaves=5))
def test_what_was_got_is_shown_in_one_short_line(value):
    assert len(shown(value)) <= 60
    assert "\n" not in shown(value)


@given(st.one_of(st.booleans(), st.text(), st.floats(), st.none(), st.lists(st.integers())))
def test_only_whole_numbers_are_whole(value):
    with pytest.raises(InvalidInput, match="whole number"):
        whole(0).read(value)


@given(st.integers(0, 10**15))
def test_whole_numbers_and_their_flags(n):
    assert whole(0).read(n) == n
    assert whole(0).read(whole(0).from_flag(f" {n} ")) == n
    assert number().read(n) == float(n)
    assert interval(whole(0)).read([n, n]) == (n, n)


@given(st.lists(st.floats(0, allow_infinity=False), min_size=1))
def test_numbers_and_their_flags(values):
    kind = list_of(number())
    assert kind.read(kind.from_flag(repr(values))) == tuple(values)
    assert kind.read(kind.from_flag(repr(values)[1:-1])) == tuple(values)


def test_text_is_not_read_as_toml():
    assert text().from_flag('"x0"') == '"x0"'
    assert list_of(text()).from_flag("relu, erf") == ["relu", "erf"]
    assert list_of(text()).from_flag('["relu"]') == ["relu"]
