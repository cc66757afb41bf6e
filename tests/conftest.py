"""Settings of the whole suite: one BLAS thread per worker, unhurried hypothesis."""

from hypothesis import settings
from threadpoolctl import threadpool_limits

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")
LIMITS = threadpool_limits(1)  # two workers on two cores: more threads only get in their way
