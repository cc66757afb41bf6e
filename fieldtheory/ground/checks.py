"""Checks at the door: each returns the clean value or raises one clear `InvalidInput`."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from math import isfinite
from numbers import Integral, Real
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput


def number(name: str, value: Any) -> float:
    """`value` as a finite float.

    >>> number("ridge", 1)
    1.0
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not _finite(value):
        raise InvalidInput(f"{name} = {_shown(value)}: give one finite number")
    return float(value)


def _finite(value: Real) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # a whole number beyond the range of floats
        return False


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}... ({len(text)} characters)"


def variance(name: str, value: Any) -> float:
    """`value` as a float that is zero or positive: a variance, a ridge, a power.

    >>> variance("label_noise", 0.1)
    0.1
    """
    clean = number(name, value)
    if clean < 0:
        raise InvalidInput(f"{name} = {_shown(value)} is negative: give zero or a positive number")
    return clean


def positive(name: str, value: Any) -> float:
    """`value` as a float above zero."""
    clean = number(name, value)
    if clean <= 0:
        raise InvalidInput(f"{name} = {_shown(value)} is not positive: give a number above zero")
    return clean


def count(name: str, value: Any, least: int = 0) -> int:
    """`value` as a whole number, at least `least`; 3.0 counts as 3, 3.5 and True are refused.

    >>> count("depth", 4, least=1)
    4
    """
    whole = isinstance(value, Integral) or (
        isinstance(value, Real) and _finite(value) and float(value).is_integer()
    )
    if isinstance(value, bool) or not whole or int(value) < least:
        raise InvalidInput(f"{name} = {_shown(value)}: give a whole number, at least {least}")
    return int(value)


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """`value`, one of `allowed`; a near miss is named.

    >>> choice("activation", "relu", ("relu", "erf"))
    'relu'
    """
    allowed = tuple(allowed)
    if value in allowed and isinstance(value, str):
        return value
    near = get_close_matches(str(value), allowed, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise InvalidInput(f"unknown {name} {_shown(value)}: choose one of {', '.join(allowed)}{hint}")


def sizes(name: str, values: Any) -> Array:
    """Sample sizes as a float array of whole numbers, each at least 1, not empty.

    >>> sizes("samples", [100, 400])
    array([100., 400.])
    """
    given: Sequence[Any] = (
        values.tolist()
        if isinstance(values, np.ndarray) and values.ndim == 1
        else list(values)
        if isinstance(values, (list, tuple, range))
        else [values]
    )
    if not given:
        raise InvalidInput(f"{name} is empty: give at least one whole number, as in [100, 400]")
    return np.array([float(count(name, value, least=1)) for value in given])


def vector(name: str, values: Any) -> Array:
    """`values` as a one-dimensional float array of finite numbers, not empty."""
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"{name} = {_shown(values)}: give a list of numbers") from None
    if array.ndim != 1 or array.size == 0:
        raise InvalidInput(f"{name} has shape {array.shape}: give a flat list of numbers")
    if not np.all(np.isfinite(array)):
        where = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InvalidInput(f"{name}[{where}] = {array[where]}: every entry must be finite")
    return array


def powers(name: str, values: Any) -> Array:
    """A vector of entries that are zero or positive: eigenvalues, target power per degree."""
    array = vector(name, values)
    if np.any(array < 0):
        where = int(np.flatnonzero(array < 0)[0])
        raise InvalidInput(f"{name}[{where}] = {array[where]} is negative: none may be")
    return array
