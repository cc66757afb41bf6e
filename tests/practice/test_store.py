import json

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.practice import remembered
from fieldtheory.practice.store import Parts, Store


def refuse():
    raise AssertionError("stored values must not be computed again")


def test_finished_numbers_are_found_again(tmp_path):
    path = tmp_path / "runs.json"
    with Store(path, {"seed": 1}) as store:
        assert store.get_or("100/0", lambda: 0.1 + 0.2) == 0.1 + 0.2
    with Store(path, {"seed": 1}) as again:
        assert again.get_or("100/0", refuse) == 0.1 + 0.2  # to the last bit


def test_an_interrupt_keeps_what_was_finished(tmp_path):
    path = tmp_path / "runs.json"

    def interrupted():
        raise KeyboardInterrupt

    def work():
        with Store(path, {}) as store:
            store.get_or("a", lambda: 1.0)
            store.get_or("b", interrupted)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert json.loads(path.read_text())["values"] == {"a": 1.0}
    assert list(tmp_path.iterdir()) == [path]  # no half-written file beside it


def test_without_a_path_nothing_is_kept():
    with Store(None, {}) as store:
        assert store.get_or("a", lambda: 2.0) == 2.0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"values": {}}', '{"values": {"a": "x"}, "settings": {}}', "\x00"]
)
def test_a_damaged_file_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "runs.json"
    path.write_text(text)
    with pytest.raises(InvalidInput, match="move it away"):
        Store(path, {})
    assert path.read_text() == text


def test_another_measurement_is_refused(tmp_path):
    path = tmp_path / "runs.json"
    with Store(path, {"seed": 1, "by": "regression"}):
        pass
    with pytest.raises(InvalidInput, match="with another seed: name another"):
        Store(path, {"seed": 2, "by": "regression"})


def test_an_unwritable_path_is_refused_before_the_work(tmp_path):
    with pytest.raises(InvalidInput, match="no such folder"):
        Store(tmp_path / "nowhere" / "runs.json", {})
    with pytest.raises(InvalidInput, match="cannot be"), Store(tmp_path, {}):
        raise AssertionError("must not get here")


# Parts of predictions -----------------------------------------------------------------------------


def test_parts_and_draws_share_a_file(tmp_path):
    path, part = tmp_path / "both.json", np.array([0.1 + 0.2, 1e-300, -np.pi])
    with Parts(path) as parts:
        parts.put("pairs at 3.0", part)
    with Store(path, {"seed": 1}) as store:
        store.get_or("3/0", lambda: 0.5)
    with Parts(path) as parts:
        assert parts.get("pairs at 3.0").tolist() == part.tolist()  # to the last bit
        assert parts.get("pairs at 4.0") is None
        parts.put("pairs at 4.0", part)
    with Store(path, {"seed": 1}) as store:
        assert store.get_or("3/0", refuse) == 0.5
    assert set(json.loads(path.read_text())["parts"]) == {"pairs at 3.0", "pairs at 4.0"}
    with pytest.raises(InvalidInput, match="with another seed: name another"):
        Store(path, {"seed": 2})


@pytest.mark.parametrize("text", ["", '{"parts": [1]}', '{"parts": {"a": ["x"]}}', "{}"])
def test_damaged_parts_are_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "parts.json"
    path.write_text(text)
    with pytest.raises(InvalidInput, match="move it away"):
        Parts(path)
    assert path.read_text() == text


def test_a_bar_says_how_far_a_prediction_is(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(remembered, "PATIENCE", 0.0)
    with remembered.Remembered(tmp_path / "parts.json", progress=True) as memory:
        for done, total in ((0, 4), (1, 4), (2, 9)):
            memory.step(done, total)
    shown = capsys.readouterr().err
    assert "predicting:" in shown
    assert " solutions" in shown
    assert (memory.bar.n, memory.bar.total) == (2, 9)
    with remembered.Remembered(None, progress=False) as memory:
        memory.step(1, 2)
    assert capsys.readouterr().err == ""
