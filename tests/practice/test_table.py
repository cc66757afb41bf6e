"""CSV files: what is written is what is read, and nothing is guessed."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.practice import table
from fieldtheory.practice.table import read_table

GOOD = "a,b,y\n1,2,3\n2,1,5\n4,4,-1\n"


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "points.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_features_labels_and_names(file):
    found = read_table(file(GOOD))
    assert (found.name, found.features) == ("points", ("a", "b"))
    assert found.inputs.tolist() == [[1, 2], [2, 1], [4, 4]]
    assert found.labels.tolist() == [[3], [5], [-1]]
    assert read_table(file(GOOD), label_columns=2).labels.shape == (3, 2)


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("a,b,y\n", ""),
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD + "\n\n",
        "\n".join(['"a","b","y, in metres"', *GOOD.splitlines()[1:]]),
        GOOD.replace("1,2", " 1.0e0 , +2."),
    ],
)
def test_the_same_numbers_in_other_clothes(file, content):
    found = read_table(file(content))
    assert found.inputs.tolist() == [[1, 2], [2, 1], [4, 4]]
    assert found.labels.tolist() == [[3], [5], [-1]]


def test_classes(file):
    rows = GOOD.splitlines()
    names = ["kind", "cat", "dog", "cat"]
    content = "\n".join(
        f"{row[:-2].rstrip(',')},{name}" for row, name in zip(rows, names, strict=True)
    )
    found = read_table(file(content), classes=True)
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [[1, -1], [-1, 1], [1, -1]]
    assert read_table(file("1,2,7\n2,1,8\n3,3,7\n"), classes=True).classes == ("7", "8")
    with pytest.raises(InvalidInput, match='outputs = "classes"'):
        read_table(file(content))
    with pytest.raises(InvalidInput, match="one column, not in 2"):
        read_table(file(content), classes=True, label_columns=2)


@given(
    st.lists(
        st.tuples(*[st.floats(allow_nan=False, allow_infinity=False, width=32)] * 3),
        min_size=2,
        max_size=8,
    )
)
def test_any_table_comes_back(tmp_path_factory, rows):
    x = np.array(rows, dtype=float)
    if np.any(np.ptp(x, axis=0) <= 1e-3 * np.max(np.abs(x), axis=0)):
        return
    path = Path(tmp_path_factory.mktemp("csv")) / "any.csv"
    with path.open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    found = read_table(path)
    assert np.hstack([found.inputs, found.labels]).tolist() == x.tolist()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "no row of numbers"),
        ("a,b\n", "no row of numbers"),
        ("\n\n", "no row of numbers"),
        ("1\n2\n3\n", "1 columns, .* comma, semicolon or tab"),
        ("1,2\n2\n", "line 2: 1 cells, the rows before have 2"),
        ("a,b,c\n1,2\n", "line 2: 2 cells, the rows before have 3"),
        ("1,2\n3,nan\n", r"line 2, column 2: 'nan' is no finite number"),
        ("1,2\ninf,3\n", r"line 2, column 1: 'inf'"),
        ("1,2\n,3\n", "an empty cell"),
        ("1,2\n1_000,3\n", "'1_000'"),
        ("1,2\nx,3\n", "'x' is no finite number; leave such rows out"),
        ("1,0\n2,0\n1,0\n", "the labels are zero at every point"),
        ("1,2,3\n1,3,4\n", r"1 of 2 features are constant \(x0\)"),
        ("1,2\n\x00,3\n", r"line 2, column 1|line contains NUL"),
        ('1,2\n"3,4\n', "cannot read .*end of data"),
        (b"1,2\n\xff\xfe,3\n", "not UTF-8"),
        ("1,2\n" + "9" * 200_000 + ",3\n", "field larger than field limit"),
    ],
)
def test_bad_files_are_one_line(file, content, why):
    with pytest.raises(InvalidInput, match=why) as caught:
        read_table(file(content))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_files_that_cannot_be_read(tmp_path, file, monkeypatch):
    with pytest.raises(InvalidInput, match="No such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InvalidInput, match="directory"):
        read_table(tmp_path)
    with pytest.raises(InvalidInput, match="cannot read"):
        read_table("a\x00b.csv")
    path = file(GOOD)
    monkeypatch.setattr(table, "BYTES", 5)
    with pytest.raises(InvalidInput, match="more than 5"):
        read_table(path)
