"""A learning curve adds up, prints itself, and refuses what does not fit together."""

import json

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.ground.version import __version__
from fieldtheory.model.curve import LearningCurve
from fieldtheory.theory import laws
from tests.tolerance import agree, rounding


def curve(**changes):
    parts = {
        "samples": np.array([10.0, 100.0]),
        "mode_bias": np.array([[0.0, 0.4, 0.2], [0.0, 0.1, 0.1]]),
        "mode_variance": np.array([[0.1, 0.1, 0.1], [0.0, 0.1, 0.1]]),
        "uncertainty": np.array([0.05, 0.01]),
        "learnability": np.full((2, 3), 0.5),
        "kappa": np.array([0.1, 0.01]),
        "method": "planar",
        "regime": "a < b",
        "question": "a <network>; a task",
        "laws": (laws.PLANAR_ERROR,),
    }
    return LearningCurve(**{**parts, **changes})


def test_the_parts_add_up():
    one = curve()
    assert agree(one.bias, [0.6, 0.2], rounding(1.0))
    assert agree(one.variance, [0.3, 0.2], rounding(1.0))
    assert agree(one.error, [0.9, 0.4], rounding(1.0))
    assert agree(one.per_degree.sum(axis=1), one.error, rounding(1.0))


def test_plain_data():
    data = json.loads(json.dumps(curve().to_dict()))
    assert {"samples", "error", "uncertainty", "bias", "variance", "method", "regime"} <= set(data)
    assert data["samples"] == [10, 100]
    assert agree(data["error"], curve().error, 0.0)
    assert data["version"] == __version__
    assert data["laws"] == ["planar error"]


def test_printing_explains_itself():
    text = str(curve())
    assert text.splitlines()[0] == "a <network>; a task"
    assert "method planar: a < b" in text
    assert "planar error (Canatar, Bordelon, Pehlevan 2021)" in text
    row = next(line for line in text.splitlines() if line.split()[0] == "10")
    assert row.split() == ["10", "0.9", "0.05", "0.6", "0.3", "0.1", "0.5", "0.3"]


def test_notebooks_get_escaped_html():
    html = curve()._repr_html_()
    assert "a &lt;network&gt;" in html
    assert "a &lt; b" in html
    assert html.count("<tr>") == 3


def test_many_degrees_are_cut_in_print():
    wide = np.ones((1, 40))
    parts = {"mode_bias": wide, "mode_variance": wide, "learnability": wide}
    one = curve(samples=np.array([1.0]), uncertainty=np.ones(1), kappa=np.ones(1), **parts)
    assert "degree 5" in str(one)
    assert "degree 6" not in str(one)


def test_the_picture():
    picture = curve().picture()
    (line,) = picture.lines
    assert line.label == "planar"
    assert agree(line.y, curve().error, 0.0)
    assert agree(line.spread, curve().uncertainty, 0.0)
    assert picture.logarithmic == ("x", "y")
    assert curve().plot().get_xlabel() == "samples"


def test_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        curve().samples[0] = 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"uncertainty": np.ones(3)}, "uncertainty has shape"),
        ({"mode_variance": np.ones((2, 2))}, "mode_variance has shape"),
        ({"learnability": np.ones((3, 3))}, "learnability has shape"),
        ({"kappa": np.array([0.1, np.nan])}, "kappa is not finite: the method planar broke down"),
    ],
)
def test_parts_must_fit(changes, message):
    with pytest.raises(InvalidInput, match=message):
        curve(**changes)
