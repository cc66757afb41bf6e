"""Median times of two ways to the same answer, taken in turn in one run."""

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any


def seconds(work: Callable[[], Any]) -> float:
    """The time one call takes."""
    began = perf_counter()
    work()
    return perf_counter() - began


def race(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median seconds of both, one warm-up each, then turn and turn about."""
    ours(), theirs()
    times = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    first, second = zip(*times, strict=True)
    return median(first), median(second)
