r"""Gaussian averages of any function of one variable, adaptively, and its Hermite coefficients.

.. math:: a_k(q) = \langle \phi(\sqrt q\, z)\, h_k(z) \rangle_z, \qquad h_k = He_k / \sqrt{k!}

The line is cut into panels, symmetric about zero, with a Gauss-Lobatto rule in each; a panel is
halved until the function is a polynomial on it to rounding, weighted by the root of the Gaussian.
Kinks and jumps anywhere are found that way, and cost panels, not accuracy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import InvalidInput

EPS = float(np.finfo(float).eps)
POINTS = 16  # nodes in a panel, its ends included
HALVINGS = 50  # of a panel: a jump is then known to 1e-15
PANELS_AT_MOST = 4096
NOISE = 1e-10  # relative to the largest value
REACH, REACH_AT_MOST = 13, 37  # in standard deviations: e^(-13^2/4) is 4e-19
CALM = 8  # standard deviations inside which a value that is not finite is the function's own
CHUNK = 64  # Hermite polynomials computed at a time


@dataclass(frozen=True, eq=False)
class Nodes:
    """A quadrature rule for standard normal z, and the function on it.

    `z` and `weights` have shape (nodes,), weights summing to one; `values`, phi(sqrt(q) z), has
    shape (variances, nodes). `parity` is +1 or -1 if the values are exactly even or odd, else 0.
    """

    z: Array
    weights: Array
    values: Array
    parity: int

    @property
    def square(self) -> Array:
        """The average of phi^2, one for each variance."""
        found: Array = self.values**2 @ self.weights
        return found

    def growth(self, variances: Array) -> Array:
        """The derivative of the average of phi^2 by the variance; no slope of phi is needed."""
        found: Array = self.values**2 @ (self.weights * (self.z**2 - 1)) / (2 * variances)
        return found

    def coefficients(self, terms: int) -> Array:
        """a_0 .. a_terms, shape (variances, terms + 1), in order of increasing degree."""
        found = np.empty((len(self.values), terms + 1))
        before, now = np.zeros_like(self.z), self.weights
        for start in range(0, terms + 1, CHUNK):
            rows = []
            for k in range(start, min(start + CHUNK, terms + 1)):
                rows.append(now)
                before, now = now, (self.z * now - np.sqrt(k) * before) / np.sqrt(k + 1)
            found[:, start : start + len(rows)] = self.values @ np.array(rows).T
        if self.parity:
            found[:, (self.parity + 1) // 2 :: 2] = 0.0
        return found


def nodes(function: Callable[[Array], Array], name: str, variances: Array, terms: int) -> Nodes:
    """A rule that resolves phi(sqrt(q) z) for all `variances` and polynomials up to h_terms.

    Raises `InvalidInput` for a function that is not finite, changes the shape of its argument, or
    grows so fast that its square has no Gaussian average.
    """
    sigma = np.sqrt(variances)[:, None]

    def values(z: Array) -> Array:
        """At +z and -z: shape (variances, 2, nodes)."""
        x = sigma * np.concatenate([z, -z])
        return checked_values(function, name, x, sigma).reshape(len(sigma), 2, -1)

    width = min(0.5, 8 / np.sqrt(terms + 1.0))
    reach = _reach(values, name, float(variances.max()))
    edges = np.linspace(0.0, reach, int(np.ceil(reach / width)) + 1)
    low, high = _panels(values, edges, name)
    z, weights = _rule(low, high)
    both = values(z)
    parity = next((s for s in (1, -1) if np.array_equal(both[:, 0], s * both[:, 1])), 0)
    weights = np.tile(weights, 2)
    return Nodes(
        np.concatenate([z, -z]), weights / weights.sum(), both.reshape(len(sigma), -1), parity
    )


def checked_values(
    function: Callable[[Array], Array], name: str, x: Array, sigma: Array | None = None
) -> Array:
    """phi at `x`: of the same shape, real and finite, or one clear error."""
    flat = x.ravel()
    try:
        with np.errstate(all="ignore"):  # what is not finite is judged here
            found = np.asarray(function(flat))
    except (TypeError, ValueError) as problem:
        raise InvalidInput(
            f"activation {name!r} fails on an array of {flat.size} numbers ({problem}): it must be "
            "a function of one array that acts on each entry (use np.where, not if; np.exp, not "
            "math.exp)"
        ) from None
    if found.shape != flat.shape or found.dtype.kind not in "fiub":
        raise InvalidInput(
            f"activation {name!r} returned shape {found.shape}, type {found.dtype}, for real input "
            f"of shape {flat.shape}: it must act on each entry of an array (use np.where, not if)"
        )
    found = found.astype(float).reshape(x.shape)
    if not np.all(np.isfinite(found)):
        bad = x[~np.isfinite(found)]
        where = float(bad[np.argmin(np.abs(bad))])
        if sigma is not None and abs(where) > CALM * float(np.max(sigma)):
            raise _too_fast(name, float(np.max(sigma)) ** 2)
        raise InvalidInput(
            f"activation {name!r} is {found[x == where][0]} at z = {where:.6g}: it must be finite "
            "at every real number"
        )
    return found


def _too_fast(name: str, variance: float) -> InvalidInput:
    return InvalidInput(
        f"activation {name!r} grows too fast: its square has no average over Gaussian inputs of "
        f"variance {variance:.4g}. Use one that grows slower than exp(z^2 / {4 * variance:.4g}), "
        "or smaller variances"
    )


def _reach(values: Callable[[Array], Array], name: str, variance: float) -> float:
    """Where phi times the root of the Gaussian has become negligible."""
    scale = 0.0
    for reach in range(REACH, REACH_AT_MOST + 1, 2):
        z = np.linspace(0, reach, 16 * reach + 1)
        size = np.max(np.abs(values(z)), axis=(0, 1)) * np.exp(-(z**2) / 4)
        scale = max(scale, float(size.max()))
        if size[-16:].max() <= EPS * scale:
            return float(reach)
    raise _too_fast(name, variance)


def _panels(values: Callable[[Array], Array], edges: Array, name: str) -> tuple[Array, Array]:
    """Panels on which phi times the root of the Gaussian is resolved, in increasing order."""
    nodes, _, spectrum = lobatto()
    low, high, done, scale = edges[:-1], edges[1:], [], 0.0
    for _ in range(HALVINGS):
        z = low[:, None] + (high - low)[:, None] * nodes
        found = values(z.ravel()) * np.exp(-(z.ravel() ** 2) / 4)
        found = found.reshape(*found.shape[:2], *z.shape)
        scale = max(scale, float(np.max(np.abs(found))))
        rest = np.max(np.abs(found @ spectrum[:, -3:]), axis=(0, 1, 3))
        local = np.max(np.abs(found), axis=(0, 1, 3))  # the Gaussian itself is rounded by z^2 / 4
        rough = rest > EPS * (4 * scale + high**2 * local)
        done += [(low[~rough], high[~rough])]
        low, high = low[rough], high[rough]
        if not low.size:
            break
        if low.size > PANELS_AT_MOST:
            if rest.max() <= NOISE * scale:
                break  # what is left is the function's own rounding
            raise InvalidInput(
                f"activation {name!r} cannot be averaged: it has kinks or jumps without end. Give "
                "one that is smooth but for a few places"
            )
        middle = (low + high) / 2
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    done += [(low, high)]
    first, last = (np.concatenate(ends) for ends in zip(*done, strict=True))
    order = np.argsort(first)
    return first[order], last[order]


def _rule(low: Array, high: Array) -> tuple[Array, Array]:
    """Nodes and Gaussian weights of a set of panels."""
    nodes, gauss, _ = lobatto()
    z = (low[:, None] + (high - low)[:, None] * nodes).ravel()
    weights = ((high - low)[:, None] * gauss).ravel() * np.exp(-(z**2) / 2)
    return z, weights


@cache
def lobatto() -> tuple[Any, Any, Any]:
    """Lobatto's nodes and weights on [0, 1], and the matrix from values to Legendre coefficients.

    The ends are nodes: a jump between the last inner node and the end would not be seen otherwise.
    """
    legendre = np.polynomial.legendre.Legendre.basis(POINTS - 1)
    x = np.concatenate([[-1.0], np.sort(legendre.deriv().roots().real), [1.0]])
    x = (x - x[::-1]) / 2
    weights = 1 / (POINTS * (POINTS - 1) * legendre(x) ** 2)
    to_coefficients = np.linalg.inv(np.polynomial.legendre.legvander(x, POINTS - 1)).T
    return (x + 1) / 2, weights, to_coefficients
