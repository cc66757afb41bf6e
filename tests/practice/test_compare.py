import numpy as np
import pytest

from fieldtheory.ground.arrays import frozen
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.task import Task
from fieldtheory.practice.compare import compare
from fieldtheory.practice.regression import Measurement
from tests.tolerance import agree, rounding

CURVE = predict(Network(depth=2), Task.sphere(20, "x0", ridge=0.1), [10, 20, 40])


def measured(runs, samples):
    return Measurement(frozen(samples), frozen(runs), "regression", 0, "a question")


def test_z_counts_standard_errors():
    p = CURVE.error[[0, 2]]
    runs = np.array([[p[0] - 1, p[0] + 1], [p[1] + 2, p[1] + 4]])  # standard errors 1, 1
    result = compare(CURVE, measured(runs, [10, 40]))
    assert agree(result.predicted, p, 0)
    assert agree(result.z, [0, 3], rounding(4))
    assert result.agrees.tolist() == [True, True]


def test_a_disagreement_is_said():
    runs = CURVE.error[:1, None] + np.array([[5.0, 5.1]])
    result = compare(CURVE, measured(runs, [10]))
    assert not result.agrees.any()
    assert "DISAGREES" in str(result)
    assert result.to_dict()["agrees"] is False


def test_the_uncertainty_of_the_prediction_is_part_of_the_budget():
    runs = CURVE.error[:1, None] + CURVE.uncertainty[0] * np.array([[0.99, 0.9901]])
    result = compare(CURVE, measured(runs, [10]))
    assert result.z[0] > 4
    assert result.agrees.all()


def test_sizes_that_were_not_predicted_are_refused():
    with pytest.raises(InvalidInput, match=r"\[15\].*same numbers of samples"):
        compare(CURVE, measured(np.ones((1, 2)), [15]))


def test_the_picture_holds_both():
    result = compare(CURVE, measured(np.array([[0.1, 0.2]]), [10]))
    assert [line.points for line in result.picture().lines] == [False, True]
