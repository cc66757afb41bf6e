"""The learning series, each derived once in a run, for the tests that only read it."""

from functools import cache

from fieldtheory.theory import learning


@cache
def derived(quantity, order, ensemble="poisson"):
    """`learning.mean(order)` and its kind, by the name of the quantity."""
    more = {} if ensemble == "poisson" else {"ensemble": ensemble}
    return getattr(learning, quantity)(order, **more)
