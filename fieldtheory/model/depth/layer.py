r"""One layer of infinite width: what it makes of covariance and tangent kernel.

.. math:: \Sigma \leftarrow \sigma_w^2 \langle\phi\phi\rangle_\Sigma + \sigma_b^2 + s^2\Sigma,
          \\ \Theta \leftarrow \Theta\, (\sigma_w^2 \langle\phi'\phi'\rangle_\Sigma + s^2)
                  + \text{what the layer's own trained parameters add}

with s the strength of a residual connection, z <- s z + W phi(z) + b. The numbers may be floats,
arrays over networks, power series, dual numbers or numbers of many digits.
"""

from typing import Any, NamedTuple

from fieldtheory.compiler import generated
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.activation import Activation


class Dense(NamedTuple):
    """The numbers of one dense layer; `residual` is the strength of the connection around it."""

    weight_variance: Any
    bias_variance: Any
    residual: Any = 0.0
    train_weights: bool = True
    train_biases: bool = True


class State(NamedTuple):
    """Between two layers: covariance and tangent kernel at t, and the variance, which is at t = 1.

    `theta` is None where no tangent kernel is asked for. Where the two inputs are one, `sigma` is
    the same object as `q`: the correlation is one then, and no function of it is singular.
    """

    sigma: Any
    theta: Any
    q: Any


def first(t: Any, fan_in: int, dense: Dense, xp: Any, tangent: bool) -> State:
    """The input layer: sees the Gram matrix t / fan_in."""
    overlap = t / fan_in
    sigma = _dense(dense, overlap)
    theta = _own(dense, overlap, sigma) if tangent else None
    return State(sigma, theta, _dense(dense, xp.one / fan_in))


def first_same(fan_in: int, dense: Dense, xp: Any, tangent: bool) -> State:
    """The input layer at t = 1: one input, seen twice."""
    state = first(xp.one, fan_in, dense, xp, tangent)
    return state._replace(sigma=state.q)


def hidden(state: State, phi: Activation, dense: Dense, xp: Any) -> State:
    """Any later layer: an activation, then the dense layer."""
    q, theta, p = state.q, state.theta, _correlation(state, xp)
    average = phi.covariance(q, p, xp=xp)
    branch = _dense(dense, average)
    if theta is not None and phi.slope_covariance is not None:
        slopes = phi.slope_covariance(q, p, xp=xp)
        own = _own(dense, average, branch)
        above = generated.layer_tangent(dense.weight_variance, slopes, own, theta)
        theta = _around(dense, theta, above)
    sigma = _around(dense, state.sigma, branch)
    if state.sigma is q:
        return State(sigma, theta, sigma)
    top = _dense(dense, phi.covariance(q, xp.one, xp=xp))
    return State(sigma, theta, _around(dense, q, top))


def last(state: State, phi: Activation, dense: Dense, xp: Any) -> Any:
    """What the last layer's own parameters add to the tangent kernel: no slope is needed."""
    p = _correlation(state, xp)
    average = phi.covariance(state.q, p, xp=xp)
    return _own(dense, average, _dense(dense, average))


def _correlation(state: State, xp: Any) -> Any:
    if state.sigma is state.q:
        return xp.one
    return xp.clip(state.sigma / state.q, -1, 1)  # rounding alone may push it past one


def refuse_jump(phi: Activation, tangent: bool) -> None:
    """A jump has no slope: its tangent kernel is infinite at t = 1."""
    if tangent and phi.slope_covariance is None:
        raise InvalidInput(
            f"activation {phi.name!r} jumps, so its tangent kernel is infinite: take "
            'kernel="nngp", or train only the last layer'
        )


def _dense(dense: Dense, average: Any) -> Any:
    return generated.layer_covariance(dense.weight_variance, dense.bias_variance, average)


def _around(dense: Dense, below: Any, branch: Any) -> Any:
    """The residual connection, where there is one."""
    if isinstance(dense.residual, float) and dense.residual == 0.0:
        return branch
    return generated.layer_residual(below, branch, dense.residual)


def _own(dense: Dense, average: Any, whole: Any) -> Any:
    """The part of the tangent kernel that the layer's own trained parameters add."""
    if dense.train_weights and dense.train_biases:
        return whole
    weight = dense.weight_variance if dense.train_weights else 0.0
    bias = dense.bias_variance if dense.train_biases else 0.0
    return generated.layer_covariance(weight, bias, average)
