"""What leaves the library: whole files, plain JSON, a word now and then."""

import json

import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.practice import output


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch, error):
    path = tmp_path / "out.svg"
    path.write_text("old", encoding="utf-8")

    def fails(number):
        raise error

    monkeypatch.setattr(output.os, "fsync", fails)
    with pytest.raises((KeyboardInterrupt, InvalidInput)):
        output.write_whole(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["out.svg"]


def test_a_long_list_says_how_far_it_is(monkeypatch):
    monkeypatch.setattr(output, "EVERY", -1.0)
    told = []
    assert list(output.reported("abc", told.append)) == ["a", "b", "c"]
    assert told == [f"{n} diagrams so far" for n in (1, 2, 3)]


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be written: No such file"):
        output.write_whole(tmp_path / "none" / "out.svg", "new")
    output.write_whole(tmp_path / "out.svg", "\u03c6")
    assert (tmp_path / "out.svg").read_text(encoding="utf-8") == "\u03c6"


@pytest.mark.parametrize(
    ("name", "why"),
    [("x.png", "end the name in .svg"), ("x", "end the name in .svg"), ("no/x.svg", "no folder")],
)
def test_a_place_is_refused(tmp_path, name, why):
    with pytest.raises(InvalidInput, match=why):
        output.check_svg(tmp_path / name)
    assert output.check_svg(tmp_path / "x.SVG") == tmp_path / "x.SVG"


def test_json_has_no_infinity():
    found = output.as_json({"z": [1.5, float("inf")], "e": (float("nan"), 1, "nan")})
    assert json.loads(found) == {"z": [1.5, None], "e": [None, 1, "nan"]}
    assert "\n" not in found
