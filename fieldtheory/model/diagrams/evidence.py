r"""Determinant and trace of the kernel matrix, averaged with crossing diagrams over the inputs.

The self-energies of `crossing` are derivatives of one functional, D_l = d Phi / (deg_l dC_l), and

.. math:: \langle \log\det (K + w) \rangle = \Phi + \sum_l \deg_l [\log(1 + \lambda_l D_l)
          - C_l D_l]

is stationary in C. Its words of one sample and of two are logarithms of determinants of one and two
samples, less what the planar diagrams have of them; those of three are summed over their coupling:

.. math:: \Phi = \eta \log(w + c(1)) + \tfrac{\eta^2}{2} E_t[\log(1 - s^2) + s^2]
          + \eta \int_0^1 dg\, E_t[s\, a_3(g s)]

At fixed C the derivative of Phi by the ridge is tr (K + w)^-1, the self-energy of a degree with P_l
= 0:

.. math:: \langle tr (K + w)^{-1} \rangle = \frac{\eta}{w + c(1)} (1 - E_t[s\, a])

Averages are over a Poisson number of samples, of mean eta; w is the ridge, tail included.
"""

import numpy as np

from fieldtheory.ground.arrays import Array
from fieldtheory.model.diagrams.crossing import Solution, two_apart

COUPLINGS = 12  # Gauss nodes in the coupling at which words of three samples are summed


def trace(solution: Solution) -> Array:
    """(sizes,) tr (K + w)^-1."""
    state, weights = solution.state, solution.modes.weights
    words, _ = two_apart(state)
    bracket = 1 - np.sum(weights * (1 - state.gap) * words, axis=-1)
    for row, third in enumerate(solution.thirds):
        gap = state.gap[row]
        more = third.words(float(state.samples[row, 0]), gap)
        bracket[row] -= np.sum(third.masses * more * (1 - third.gaps(gap)))
    return np.asarray(state.samples[:, 0] / state.loop[:, 0] * bracket)


def trace_slope(solution: Solution, moved: Array) -> Array:
    """(sizes,) its derivative by w, from `moved`, that of the self-energies, (sizes, degrees)."""
    modes, state = solution.modes, solution.state
    whole = trace(solution)[:, None]
    # D of every column answers the same but for P_l; the difference is the projection alone
    change = -(solution.propagator**2) * moved
    words, slope = two_apart(state)
    loop = 1.0 + np.sum(modes.spectrum.counts * change, axis=-1, keepdims=True)
    gap = (1.0 + modes.gap(change) - state.gap * loop) / state.loop
    bracket = np.sum(
        modes.weights * ((state.gap - 1) * slope + words) * gap, axis=-1, keepdims=True
    )
    for row, third in enumerate(solution.slopes):
        bracket[row] += third.bracket(gap[row], modes.resolved + 1)[-1]
    return np.asarray((state.samples * bracket - whole * loop) / state.loop)[:, 0]


def log_determinant(solution: Solution) -> Array:
    """(sizes,) log det (K + w)."""
    modes, state, lam = solution.modes, solution.state, solution.modes.spectrum.eigenvalues
    D = modes.spread(solution.self_energy)
    eta, loop = state.samples[:, 0], state.loop[:, 0]
    own = modes.spectrum.counts * (np.log1p(lam * D) - D * state.propagator)
    square = state.gap * (2 - state.gap)  # 1 - s^2
    words = np.sum(modes.weights * (np.log(square) + 1 - square), axis=-1)
    found = np.sum(own, axis=-1) + eta * np.log(loop) + eta**2 / 2 * words
    couplings, shares = np.polynomial.legendre.leggauss(COUPLINGS)
    for row, third in enumerate(solution.thirds):
        gap = state.gap[row]
        step = third.masses * (1 - third.gaps(gap))
        for g, share in zip((1 + couplings) / 2, shares / 2, strict=True):
            more = third.words(float(eta[row]), 1 - g * (1 - gap))
            found[row] += eta[row] * share * np.sum(step * more)
    return np.asarray(found)
