"""Data as a spec asks for them, against the same steps done by hand."""

import sys

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, MissingExtra
from fieldtheory.practice.prepared import prepared
from fieldtheory.practice.sections import PREPARE, TaskSection
from tests.tolerance import agree, rounding

sets = pytest.importorskip("sklearn.datasets")


def on_sphere(x):
    return x / np.sqrt(np.sum(x**2, axis=1, keepdims=True))


def test_digits_are_centred_and_put_on_the_sphere():
    raw = sets.load_digits()
    x = raw.data[:, raw.data.max(axis=0) > 0]
    expected = on_sphere(x - x.mean(axis=0))
    found = prepared(TaskSection(data="digits"))
    assert agree(found.inputs, np.sqrt(61) * expected, rounding(10))
    assert not agree(found.inputs, np.sqrt(61) * on_sphere(x), rounding(10))
    unit = prepared(TaskSection(data="digits", input_norm="unit"))
    assert agree(unit.inputs, expected, rounding(10))
    assert "centred; |x| = 1" in str(unit)
    classes = np.where(raw.target[:, None] == np.arange(10), 1, -1)
    assert found.labels.tolist() == classes.tolist()


def test_the_parity_of_digits():
    raw = sets.load_digits()
    found = prepared(TaskSection(data="digits", outputs="parity"))
    assert found.labels[:, 0].tolist() == (1 - 2 * (raw.target % 2)).tolist()
    assert str(found).startswith("digits, parity: 1797 points, 61 features, 1 output")


def test_diabetes_is_standardised():
    raw = sets.load_diabetes()
    x = (raw.data - raw.data.mean(axis=0)) / raw.data.std(axis=0)
    found = prepared(TaskSection(data="diabetes"))
    assert agree(found.inputs, np.sqrt(10) * on_sphere(x), rounding(100))
    assert agree(found.labels[:, 0], raw.target - raw.target.mean(), rounding(1000))
    assert "standardised; |x|^2 = 10" in str(found)
    pixels = (prepared(TaskSection(data="digits", prepare=way)) for way in PREPARE)
    first, second = (each.inputs for each in pixels)
    assert not agree(first, second, rounding(100)), "the spec decides"


def test_some_of_the_points():
    few, same, others = (
        prepared(TaskSection(data="digits", points=60, shuffle=seed)) for seed in (1, 1, 2)
    )
    assert few.points == 60
    assert few.inputs.tolist() == same.inputs.tolist()
    assert few.labels.tolist() != others.labels.tolist()
    assert "60 of 1797 points, shuffled with seed 1" in str(few)
    rows = np.random.default_rng(1).permutation(1797)[:60]
    x = sets.load_digits().data[rows]
    x = x[:, np.ptp(x, axis=0) > 0]
    assert agree(few.inputs, np.sqrt(x.shape[1]) * on_sphere(x - x.mean(axis=0)), rounding(10))
    more = prepared(TaskSection(data="digits", points=100, shuffle=1))
    assert more.labels[:60].tolist() == few.labels.tolist(), "the first of one shuffle"
    assert prepared(TaskSection(data="diabetes", points=442)).points == 442


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"data": "digits", "points": 1798}, "points = 1798, but digits has 1797"),
        ({"data": "digits", "points": 5}, "class . of digits is not among them"),
        ({"data": "none.csv"}, r"cannot read none\.csv"),
        ({}, "give the name of a data set"),
    ],
)
def test_what_cannot_be_prepared(asked, why):
    with pytest.raises(InvalidInput, match=why):
        prepared(TaskSection(**asked))


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtra, match=r"pip install 'fieldtheory\[data\]'"):
        prepared(TaskSection(data="digits"))


def test_a_file(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("1,2,3\n2,1,5\n4,4,-1\n", encoding="utf-8")
    found = prepared(TaskSection(data=str(path)))
    x = np.array([[1, 2], [2, 1], [4, 4]])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    assert agree(found.inputs, np.sqrt(2) * on_sphere(x), rounding(10))
    assert str(found) == "own: 3 points, 2 features, 1 output; standardised; |x|^2 = 2"
