"""Random networks of finite width: covariance of the output and tangent kernel, by hand.

Plain loops over layers, in NTK parameterisation, every derivative written out; nothing of the
library is used. Both kernels scatter by 1/sqrt(width) and are off by 1/width on average.
"""

import numpy as np


def kernels(
    rng, phi, slope, x, *, depth, width, weights, biases, residual=0.0, trained="all", both=True
):
    """One draw: (covariance of the output given the hidden layers, tangent kernel) of two inputs.

    `weights` and `biases` are the variances layer by layer, `x` has shape (dimension, 2); `trained`
    is "all", "first" or "last"; `both` says whether biases are trained as well.
    """
    fields, hidden, matrices = [], [x], []
    for layer in range(depth - 1):
        inside = hidden[-1].shape[0]
        matrix = rng.standard_normal((width, inside)) * np.sqrt(weights[layer] / inside)
        z = matrix @ hidden[-1] + np.sqrt(biases[layer]) * rng.standard_normal((width, 1))
        if layer > 0:
            z = z + residual * fields[-1]
        fields.append(z)
        hidden.append(phi(z))
        matrices.append(matrix)
    size = hidden[-1].shape[0]
    readout = rng.standard_normal(size) * np.sqrt(weights[-1] / size)
    covariance = weights[-1] * np.mean(hidden[-1][:, 0] * hidden[-1][:, 1]) + biases[-1]

    def own(layer, sensitivity):
        if trained != "all" and layer != (0 if trained == "first" else depth - 1):
            return 0.0
        h = hidden[layer]
        gram = weights[layer] * np.mean(h[:, 0] * h[:, 1])
        return (gram + (biases[layer] if both else 0.0)) * sensitivity

    tangent = own(depth - 1, 1.0)
    if depth > 1 and slope is not None:
        back = readout[:, None] * slope(fields[-1])
        for layer in reversed(range(depth - 1)):
            tangent += own(layer, back[:, 0] @ back[:, 1])
            if layer > 0:
                through = slope(fields[layer - 1]) * (matrices[layer].T @ back)
                back = through + residual * back
    return covariance, tangent
