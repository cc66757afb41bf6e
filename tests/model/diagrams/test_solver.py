"""Fixed points of many rows at once: known answers, bad maps, and rows that cannot converge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import OutOfRegime
from fieldtheory.model.diagrams import solver
from fieldtheory.model.diagrams.solver import fixed_points
from tests.tolerance import agree, rounding


def contraction(rows, size, largest, seed):
    """x = b + M x, with M symmetric of that largest eigenvalue, another for each row."""
    draw = np.random.default_rng(seed)
    M = draw.standard_normal((rows, size, size))
    M = M + M.swapaxes(1, 2)
    M *= largest / np.linalg.norm(M, ord=2, axis=(1, 2), keepdims=True)
    return M, draw.standard_normal((rows, size))


@given(st.integers(1, 4), st.integers(1, 12), st.floats(-0.99, 0.99), st.integers(0, 2**32 - 1))
def test_linear_maps(rows, size, largest, seed):
    M, b = contraction(rows, size, largest, seed)

    def step(x, some):
        return b[some] + np.einsum("rij,rj->ri", M[some], x)

    found = fixed_points(step, np.zeros((rows, size)), str)
    truth = np.linalg.solve(np.eye(size) - M, b[..., None])[..., 0]
    scale = np.max(np.abs(truth), axis=1, keepdims=True)
    assert agree(found.values, truth, rounding(scale, 1e3))
    assert not agree(found.values, 1.001 * truth, rounding(scale, 1e3))


def test_it_is_faster_than_plain_iteration():
    """Eigenvalue 0.99: iteration alone takes 2700 steps to twelve digits."""
    M, b = contraction(1, 6, 0.99, 0)
    found = fixed_points(lambda x, rows: b + x @ M[0], np.zeros((1, 6)), str)
    assert found.steps < 30


def test_maps_that_repel():
    """x -> -3 x + 4: plain iteration runs away, this does not."""
    found = fixed_points(lambda x, rows: 4 - 3 * x, np.array([[0.5], [17.0]]), str)
    assert agree(found.values, 1.0, rounding(1.0, 10))


def test_rows_do_not_know_of_each_other():
    def step(x, rows):
        return np.cos(x * (1 + rows[:, None]))

    together = fixed_points(step, np.full((3, 2), 0.5), str)
    for row in range(3):
        alone = fixed_points(
            lambda x, rows, row=row: np.cos(x * (1 + row)), np.full((1, 2), 0.5), str
        )
        assert agree(together.values[row], alone.values[0], rounding(1.0, 10))


def test_a_positive_quantity_stays_positive():
    """x -> sqrt(x) - 1/5, undefined below zero, from a start where plain steps go there."""
    seen = []

    def step(x, rows):
        seen.append(float(x.min()))
        return 2 - 1.5 * np.sqrt(x)

    found = fixed_points(step, np.array([[9.0]]), str, positive=True)
    root = ((-1.5 + np.sqrt(1.5**2 + 8)) / 2) ** 2
    assert agree(found.values, root, rounding(1.0, 10))
    assert min(seen) > 0


@pytest.mark.parametrize("map_", [lambda x: x + 1, lambda x: x**2 + 1, lambda x: x * np.nan])
def test_no_fixed_point_is_said(map_):
    with pytest.raises(OutOfRegime, match=r"row 1.*no self-consistent.*last relative change") as e:
        fixed_points(
            lambda x, rows: np.where(rows[:, None] == 1, map_(x), np.cos(x)),
            np.ones((2, 1)),
            lambda row: f"row {row}",
        )
    assert "nan" not in str(e.value)


def test_not_a_number_on_the_way_is_survived():
    """The map is undefined on the far side of the root, where the full first step leads."""

    def step(x, rows):
        return np.where(x > 1.5, np.nan, x + 3 * (1 - x))

    found = fixed_points(step, np.array([[0.2]]), str)
    assert agree(found.values, 1.0, rounding(1.0, 10))


@pytest.mark.parametrize("name", ["_learn", "_retreat"])
def test_without_its_memory_or_safeguard_it_fails(monkeypatch, name):
    """Each part is needed: without memory a slow map, without retreat a wild one is not solved."""
    M, b = contraction(1, 6, 0.99, 0)
    maps = {
        "_learn": lambda x, rows: b + x @ M[0],
        "_retreat": lambda x, rows: np.where(x > 1.5, np.nan, x + 3 * (1 - x)),
    }
    start = {"_learn": np.zeros((1, 6)), "_retreat": np.array([[0.2]])}
    monkeypatch.setattr(solver._Search, name, lambda self, *_: None)
    with pytest.raises((OutOfRegime, AssertionError)):
        fixed_points(maps[name], start[name], str)
