"""Data sets: what is refused at the door, and the two that are shipped."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput, MissingExtra
from fieldtheory.model.measures.data import empirical_spectrum
from fieldtheory.model.network import Network
from fieldtheory.practice import dataset as module
from fieldtheory.practice.dataset import Dataset, dataset, one_against_rest
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding

X = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [2.0, 5.0]]


@pytest.fixture(scope="module")
def shelf():
    """Skips where scikit-learn is not installed."""
    return pytest.importorskip("sklearn.datasets", reason="needs the extra [data]")


# Data of one's own --------------------------------------------------------------------------------


@given(st.lists(st.sampled_from("abc"), min_size=6, max_size=20))
def test_one_against_the_rest(classes):
    if len(set(classes)) < 2:
        return
    y, names = one_against_rest(classes)
    assert names == tuple(sorted(set(classes)))
    for row, given_class in zip(y, classes, strict=True):
        assert [v == 1 for v in row] == [name == given_class for name in names]
        assert sorted(set(row)) == [-1, 1]


def test_numbers_are_a_regression_and_names_are_classes():
    assert Dataset.of(X, [1, 2, 3, 4]).classes == ()
    assert Dataset.of(X, [[1, 0], [2, 5], [3, 1], [4, 2]]).labels.shape == (4, 2)
    assert Dataset.of(X, ["a", "b", "a", "b"]).classes == ("a", "b")
    assert Dataset.of(X, [7, 3, 7, 3], classification=True).classes == ("3", "7")


@given(st.integers(0, 2**31), st.integers(2, 30))
def test_standardised_features(seed, points):
    rng = np.random.default_rng(seed)
    data = Dataset.of(5 + 3 * rng.standard_normal((points, 4)), rng.standard_normal(points))
    ready = data.standardised()
    assert agree(ready.inputs.mean(axis=0), 0, rounding(10, 10))
    assert agree(np.mean(ready.inputs**2, axis=0), 1, rounding(1, 100))
    assert agree(ready.labels.mean(), 0, rounding(10))
    again = ready.standardised()
    assert agree(again.inputs, ready.inputs, rounding(10, 100))
    assert agree(np.sum(ready.on_sphere().inputs ** 2, axis=1), 4, rounding(4))
    assert agree(np.sum(ready.on_sphere("unit").inputs ** 2, axis=1), 1, rounding(1))
    assert agree(data.centred().inputs, data.inputs - data.inputs.mean(axis=0), rounding(10))


def test_data_explain_themselves():
    data = Dataset.of(X, ["a", "b", "a", "b"], name="toy", features=["u", "v"]).standardised()
    assert str(data.on_sphere()) == (
        "toy: 4 points, 2 features, 2 classes; standardised; |x|^2 = 2"
    )
    assert data.take([0, 1]).points == 2
    assert data.label_power() == 2.0
    with pytest.raises(ValueError, match="read-only"):
        data.inputs[0, 0] = 1


# What is shipped ----------------------------------------------------------------------------------


def test_digits(shelf):
    digits = dataset("digits")
    assert (digits.points, digits.dimension, len(digits.classes)) == (1797, 61, 10)
    assert digits.notes == ("3 constant features left out",)
    raw = shelf.load_digits()
    assert digits.inputs.sum() == raw.data.sum()
    assert np.array_equal(np.argmax(digits.labels, axis=1), raw.target)


def test_diabetes(shelf):
    diabetes = dataset("diabetes")
    assert (diabetes.points, diabetes.dimension, diabetes.labels.shape) == (442, 10, (442, 1))
    assert np.array_equal(diabetes.labels[:, 0], shelf.load_diabetes().target)
    assert "bmi" in diabetes.features


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("digits", 0.9), ("diabetes", 0.4)])
def test_a_spectrum_and_overlaps_of_real_data(shelf, name, least):
    """Most of the label power lies in a tenth of the modes; all of it in all of them."""
    data = dataset(name).standardised().on_sphere()
    found = empirical_spectrum(Network(3), data.inputs)
    power = found.power(data.labels)
    assert agree(power.sum() + found.unexplained(data.labels), data.label_power(), rounding(10**5))
    assert power[: data.points // 10].sum() > least * data.label_power()
    assert found.eigenvalues.size == data.points


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "labels", "options", "why"),
    [
        ([[1.0, 2.0], [1.0, 3.0]], [1, 2], {}, r"1 of 2 features are constant \(x0\).*leave them"),
        ([[0.0, np.nan], [1.0, 3.0]], [1, 2], {}, r"inputs\[0, 1\] = nan.*leave such"),
        (X, [1, 2, 3], {}, "4 inputs but 3 labels"),
        (X, [0, 0, 0, 0], {}, "zero at every point"),
        (X, [1, 2, 3, np.inf], {}, r"labels\[3, 0\] = inf"),
        (X, ["a"] * 4, {}, "every point is of class a"),
        (X, list("abcd"), {}, "4 classes for 4 rows.*classification=False"),
        (X, list("abca"), {}, "3 classes for 4 rows"),
        (X, [1.0, np.nan, 1.0, 2.0], {"classification": True}, "point 1 has no class"),
        (X, ["a", None, "a", "b"], {}, "point 1 has no class"),
        (X, [["a"], ["b"]], {}, r"classes of shape \(2, 1\)"),
        (X, [1, 2, 3, 4], {"features": ["u"]}, "1 names for 2 features"),
        ([1.0, 2.0], [1, 2], {}, "shape"),
    ],
)
def test_wrong_data_are_refused(inputs, labels, options, why):
    with pytest.raises(InvalidInput, match=why):
        Dataset.of(inputs, labels, **options)


def test_a_constant_label_is_a_question_until_it_is_centred():
    flat = Dataset.of(X, [2, 2, 2, 2])
    assert flat.task().labelled.scale == 4.0
    with pytest.raises(InvalidInput, match="column 0 of the labels is 2 at every point: centred"):
        flat.standardised()


def test_plain_data():
    data = Dataset.of(X, ["a", "b", "a", "b"], name="toy")
    plain = json.loads(json.dumps(data.to_dict()))
    assert plain["inputs"] == data.inputs.tolist()
    assert (plain["name"], plain["classes"], plain["features"]) == ("toy", ["a", "b"], ["x0", "x1"])


def test_other_refusals(monkeypatch):
    with pytest.raises(InvalidInput, match=r"unknown data set 'digit': .*did you mean 'digits'"):
        dataset("digit")
    with pytest.raises(InvalidInput, match="3 classes for 2 rows: give more rows"):
        Dataset("toy", X[:2], np.eye(3)[:2], ("a", "b", "c"))
    with pytest.raises(InvalidInput, match="2 classes for 1 columns"):
        Dataset("toy", X, [[1], [2], [3], [4]], ("a", "b"))
    with pytest.raises(InvalidInput, match=r"inputs\[0\] is zero"):
        Dataset.of([[0.0, 0.0], [1.0, 2.0]], [1, 2]).on_sphere()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtra, match=r"pip install 'fieldtheory\[data\]'"):
        dataset("digits")


# Mutants ------------------------------------------------------------------------------------------


def all_right():
    y, names = module.one_against_rest(["b", "a", "b", "a"])
    assert y.tolist() == [[-1, 1], [1, -1], [-1, 1], [1, -1]]
    assert names == ("a", "b")
    ready = Dataset.of(X, [1.0, 2, 3, 4]).standardised()
    assert agree(np.mean(ready.inputs**2, axis=0), 1, rounding(1, 10))
    assert agree(ready.inputs.mean(axis=0), 0, rounding(1, 10))
    assert agree(ready.labels.mean(), 0, rounding(1))
    assert module._constant(np.array([[1e9, 1.0], [1e9, 2.0]])).tolist() == [True, False]


@pytest.mark.parametrize(
    ("function", "good", "spoiled"),
    [
        (module.one_against_rest, "-1.0)", "0.0)"),
        (module.one_against_rest, "index.ravel()", "index.ravel()[::-1]"),
        (Dataset.standardised, "self.inputs.std(axis=0)", "self.inputs.std()"),
        (Dataset.standardised, "self.inputs.mean(axis=0)", "self.inputs.mean()"),
        (Dataset.standardised, "- self.labels.mean", "+ self.labels.mean"),
        (module._constant, "<= CONSTANT", "< -CONSTANT"),
    ],
)
def test_mutants(monkeypatch, function, good, spoiled):
    assert survives(all_right)
    spoil(monkeypatch, function, good, spoiled)
    assert not survives(all_right)
