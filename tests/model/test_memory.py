"""A curve on data that is interrupted and goes on: the same numbers, to the last bit."""

import numpy as np
import pytest

from fieldtheory.model.memory import Work, fingerprint
from fieldtheory.model.network import Network
from fieldtheory.model.predict import predict
from fieldtheory.model.task import Task

DRAW = np.random.default_rng(0)
INPUTS = DRAW.standard_normal((16, 3))
LABELS = np.stack([INPUTS[:, 0] + 0.2 * DRAW.standard_normal(16), INPUTS[:, 1] ** 2], axis=1)
NETWORK = Network(depth=2, activation="erf")


class Interrupted:
    """A memory that presses Ctrl-C after so many parts, and knows what it was told."""

    def __init__(self, parts, after=10**6):
        self.parts, self.after, self.found, self.steps = parts, after, 0, []

    def get(self, key):
        self.found += key in self.parts
        return np.array(self.parts[key]) if key in self.parts else None

    def put(self, key, values):
        if self.after == 0:
            raise KeyboardInterrupt
        self.after -= 1
        self.parts[key] = values.tolist()

    def step(self, done, total):
        self.steps.append((done, total))


def asked(memory=None, tested="pool", ridge=0.1, samples=(6, 12), clusters=2, labels=LABELS):
    task = Task.data(INPUTS, labels, 0.1, ridge=ridge, tested=tested)
    return predict(NETWORK, task, samples, clusters=clusters, memory=memory).to_dict()


@pytest.mark.parametrize(
    ("tested", "ridge", "clusters"), [("pool", 0.1, 2), ("unseen", 0.3, 2), ("pool", 0.1, 3)]
)
def test_interrupted_and_resumed_is_uninterrupted(tested, ridge, clusters):
    question = {"tested": tested, "ridge": ridge, "clusters": clusters}
    whole, parts, breaks = asked(**question), {}, 0
    while True:
        memory = Interrupted(parts, after=3)
        try:
            found = asked(memory, **question)
            break
        except KeyboardInterrupt:
            breaks += 1
            assert len(parts) == 3 * breaks
    assert breaks > 1
    assert found == whole
    again = Interrupted(parts, after=0)
    assert asked(again, **question) == whole, "nothing is computed twice"


def test_progress_is_told():
    memory = Interrupted({})
    asked(memory)
    done, total = np.array(memory.steps).T
    assert np.all(np.diff(done) >= 0)
    assert np.all(done <= total)
    assert done[0] == 0 < total[0]
    assert done[-1] == total[-1] == len(memory.parts)


def test_another_question_has_parts_of_its_own():
    memory = Interrupted({})
    asked(memory)
    known = set(memory.parts)
    changes = (
        {"ridge": 0.2},
        {"tested": "unseen"},
        {"samples": (6, 13)},
        {"labels": -LABELS},
    )
    for change in changes:
        before = set(memory.parts)
        asked(memory, **change)
        assert not known & (set(memory.parts) - before)
    assert memory.found == 0


def test_what_tells_questions_apart():
    one = np.arange(4.0)
    others = (np.nextafter(one, 9),), (one.reshape(2, 2),), (one.astype(int),), (one, None), (0.1,)
    assert len({fingerprint(*question) for question in [(one,), ("0.1",), *others]}) == 7
    assert fingerprint(one) == fingerprint(one.copy())


def test_without_a_memory_parts_are_counted():
    work = Work()
    work.expect(3)
    assert [work.part("a", lambda: np.ones(1))[0], work.done, work.total] == [1.0, 1, 3]
    work.end()
    assert work.total == 1
