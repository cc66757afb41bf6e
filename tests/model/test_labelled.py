"""Labelled points: what they are, and what is refused."""

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.labelled import Labelled
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.task import Task

X = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
Y = np.array([1.0, -1.0, 2.0])


def test_labels_become_columns_and_nothing_can_be_changed():
    given = Labelled(X, Y)
    assert given.labels.shape == (3, 1)
    assert given.scale == 2.0
    with pytest.raises(ValueError, match="read-only"):
        given.labels[0, 0] = 5.0


def test_the_fingerprint_knows_inputs_and_labels():
    prints = {Labelled(X, Y).fingerprint, Labelled(2 * X, Y).fingerprint}
    prints |= {Labelled(X, -Y).fingerprint}
    assert len(prints) == 3
    assert Labelled(X, Y, "another name").fingerprint in prints


def test_it_says_what_it_is():
    task = Task.data(X, np.stack([Y, Y], axis=1), 0.1, tested="unseen", name="triangle")
    assert str(task) == (
        "triangle, 3 points, 2 outputs, tested on the unseen ones, label noise 0.1, ridge 0"
    )
    assert (task.on_data, task.on_sphere, task.outputs, task.dimension) == (True, False, 2, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": X[:2]}, "2 inputs but 3 labels"),
        ({"inputs": X[:1], "labels": Y[:1]}, "1 point: give at least two"),
        ({"labels": 0 * Y}, "zero at every point"),
        ({"labels": [1, np.nan, 2]}, "must be finite"),
        ({"inputs": "file"}, "array of numbers"),
        ({"labels": Y[:, None, None]}, r"shape \(3, 1, 1\)"),
        ({"tested": "train"}, "unknown tested 'train'"),
    ],
)
def test_bad_points(change, message):
    with pytest.raises(InvalidInput, match=message):
        Labelled(**{"inputs": X, "labels": Y, **change})


def test_a_constant_is_learnt_like_any_other_target():
    task = Task.data(X, [1.0, 1.0, 1.0], ridge=1e-3)
    error = predict(Network(2), task, [1, 10, 1000], method="planar").error
    assert np.all(np.diff(error) < 0)
    assert error[-1] < 1e-6


def test_other_tasks_have_no_points():
    with pytest.raises(InvalidInput, match=r"build it with Task\.data"):
        _ = Task.sphere(3, "x0").labelled
    with pytest.raises(InvalidInput, match=r"build it with Task\.sphere"):
        _ = Task.data(X, Y).function
