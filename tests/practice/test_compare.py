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


DRAWS = 200


def measured(means, errors, samples):
    """A measurement of exactly these means and standard errors."""
    signs = np.resize([1, -1], DRAWS) * np.sqrt(DRAWS - 1)
    runs = np.array(means)[:, None] + np.array(errors)[:, None] * signs
    return Measurement(frozen(samples), frozen(runs), "regression", 0, "a question")


def test_z_counts_standard_errors():
    p = CURVE.error[[0, 2]]
    result = compare(CURVE, measured(p + np.array([0, 3]), [1, 1], [10, 40]))
    assert agree(result.predicted, p, 0)
    assert agree(result.z, [0, 3], rounding(40))
    assert result.agrees.tolist() == [True, True]


def test_a_disagreement_is_said():
    result = compare(CURVE, measured(CURVE.error[:1] + 5, [1.0], [10]))
    assert not result.agrees.any()
    assert "DISAGREES" in str(result)
    assert result.to_dict()["agrees"] is False


def test_few_draws_are_not_trusted_with_four_standard_errors():
    gap = 4.5  # standard errors
    runs = CURVE.error[:1, None] + gap + np.resize([1, -1], (1, 10)) * 3  # standard error 1
    few = Measurement(frozen([10]), frozen(runs), "regression", 0, "a question")
    many = measured(CURVE.error[:1] + gap + CURVE.uncertainty[0], [1.0], [10])
    assert compare(CURVE, few).agrees.all()
    assert not compare(CURVE, many).agrees.any()


def test_the_uncertainty_of_the_prediction_is_part_of_the_budget():
    unit = CURVE.uncertainty[:1]
    result = compare(CURVE, measured(CURVE.error[:1] + unit, unit / 100, [10]))
    assert result.z[0] > 4
    assert result.agrees.all()


def test_sizes_that_were_not_predicted_are_refused():
    with pytest.raises(InvalidInput, match=r"\[15\].*same numbers of samples"):
        compare(CURVE, measured([1.0], [1.0], [15]))


def test_the_picture_holds_both():
    result = compare(CURVE, measured([0.1], [0.1], [10]))
    assert [line.points for line in result.picture().lines] == [False, True]
