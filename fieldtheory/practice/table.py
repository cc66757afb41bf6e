"""Numbers from a CSV file: one row for each point, features first, labels in the last columns.

Commas, semicolons or tabs, whichever the first row has. A first row without a number is a header.
Nothing is guessed: a cell that is no finite number is refused, with its row and column.
"""

import csv
import os
from math import isfinite
from os import PathLike, fspath
from pathlib import Path

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.practice.dataset import Dataset

BYTES = 2**30  # of a file that is read as text
SEPARATORS = (",", ";", "\t")
CELL = 40  # letters of a cell that a message shows

Row = list[str]


def read_table(
    path: str | PathLike[str], *, label_columns: int = 1, classes: bool = False
) -> Dataset:
    """The data set in a CSV file.

    label_columns  how many columns at the end are labels
    classes        whether the last column names classes, which need not be numbers

    Raises `InvalidInput` for a file that cannot be read, rows of different length, a cell that is
    no finite number, and for whatever `Dataset` refuses.
    """
    name = fspath(path)
    if classes and label_columns != 1:
        raise InvalidInput(f"{name}: classes are named in one column, not in {label_columns}")
    header, rows = _rows(name)
    wide = len(rows[0][1])
    if wide <= label_columns:
        raise InvalidInput(
            f"{name} has {wide} columns, {label_columns} of them for labels: give at least one "
            f"more, for the features{_hint(rows[0][1])}"
        )
    numbers = wide - 1 if classes else wide
    values = [[_number(name, row, i, cells[i]) for i in range(numbers)] for row, cells in rows]
    if classes:
        labels: list[object] = [cells[-1].strip() for _, cells in rows]
        return Dataset.of(
            values, labels, name=Path(name).stem, classification=True, features=header[:-1]
        )
    x = [row[:-label_columns] for row in values]
    y = [row[-label_columns:] for row in values]
    return Dataset.of(x, y, name=Path(name).stem, features=header[:-label_columns])


def _lines(name: str) -> list[tuple[int, Row]]:
    """Every row that is not blank, with the number of its line."""
    try:
        size = os.path.getsize(name)
        if size <= BYTES:
            with open(name, encoding="utf-8-sig", newline="") as file:
                first = file.readline()
                file.seek(0)
                reader = csv.reader(file, delimiter=_separator(first), strict=True)
                return [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except OSError as error:
        raise InvalidInput(f"cannot read {name}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"cannot read {name}: not UTF-8 text ({error.reason})") from None
    except (csv.Error, ValueError) as error:
        raise InvalidInput(f"cannot read {name!r}: {error}") from None
    raise InvalidInput(f"{name} takes {size} bytes, more than {BYTES}: load it in Python instead")


def _rows(name: str) -> tuple[Row, list[tuple[int, Row]]]:
    """The header, empty if there is none, and the rows of numbers."""
    rows = _lines(name)
    header = rows.pop(0)[1] if rows and not any(map(_is_number, rows[0][1])) else []
    if not rows:
        raise InvalidInput(f"{name} has no row of numbers: give one row for each point")
    wide = len(header or rows[0][1])
    for line, row in rows:
        if len(row) != wide:
            raise InvalidInput(
                f"{name}, line {line}: {len(row)} cells, the rows before have {wide}: give every "
                "row as many"
            )
    return [cell.strip() for cell in header], rows


def _separator(first: str) -> str:
    return max(SEPARATORS, key=first.count)


def _is_number(cell: str) -> bool:
    """Whether Python reads it as one, without its 1_000."""
    try:
        float(cell.replace("_", "?"))
    except ValueError:
        return False
    return True


def _number(name: str, line: int, column: int, cell: str) -> float:
    value = float(cell) if _is_number(cell) else float("nan")
    if not isfinite(value):
        got = repr(cell.strip()[:CELL]) if cell.strip() else "an empty cell"
        raise InvalidInput(
            f"{name}, line {line}, column {column + 1}: {got} is no finite number; leave such "
            'rows out, or fill in the mean; names of classes need outputs = "classes"'
        )
    return value


def _hint(row: Row) -> str:
    return "" if len(row) > 1 else "; columns are told apart by a comma, semicolon or tab"
