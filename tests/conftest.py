"""Settings of the whole suite: one BLAS thread per worker, unhurried hypothesis."""

import sys

import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")
LIMITS = threadpool_limits(1)  # two workers on two cores: more threads only get in their way


@pytest.fixture(autouse=True)
def _closed_figures():
    """Pictures that a test has drawn are closed after it."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
