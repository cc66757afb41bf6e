r"""The matrix of a kernel on data: any inputs, in blocks, within a stated memory.

A kernel of two inputs may depend on a = |x|^2, b = |x'|^2 and c = x.x'. Inputs on one sphere need
the cosine alone, and any network serves. Inputs of any length need Gaussian averages at two
different variances q, r. For some activations these are the laws of equal variance, read at another
one: E[phi(u) phi(v)] and E[phi'(u) phi'(v)] depend on q, r and the covariance as if both variances
were

.. math:: \text{ReLU:}\; m = \sqrt{q r}, \qquad
          \text{erf:}\; 1 + 2m = \sqrt{(1 + 2q)(1 + 2r)}, \qquad
          \text{sin, cos:}\; m = (q + r) / 2

(ReLU and its kin are homogeneous; the arcsine of erf holds the variances only as that product, the
averages of waves only as that sum). Always m >= sqrt(q r), so the correlation c / m stays within
[-1, 1]. For any other activation the averages at two variances are summed from its Hermite
expansion (`averages.pair`), which takes a hundred times longer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array
from fieldtheory.ground.errors import FieldTheoryError, InvalidInput, OutOfRegime
from fieldtheory.model.activation import Activation
from fieldtheory.model.averages.mehler import Mehler
from fieldtheory.model.averages.pair import Pair
from fieldtheory.model.depth import layer
from fieldtheory.model.kernel import REAL, Kernel
from fieldtheory.model.network import INPUT_NORMS, SEEN, Network

MEMORY = 4 * 2**30  # bytes that one matrix, or one decomposition, may take unless told otherwise
BLOCK = 112  # rows and columns of a block: temporaries below 128 KiB are taken from the cache
UNIT = 1e-8  # how far lengths may differ and still be one sphere, relative
TERMS = (16, 24, 36, 48)  # of a Chebyshev series in the angle; beyond, the kernel itself is as fast
ROUNDING = 256 * float(np.finfo(float).eps)  # to which it must be the kernel, relative to K(1)
ADVICE = "divide each input by its length (normalised), so that the cosine is all that counts"
PROBES = (-0.9, -0.3, 0.2, 0.7, 1.0)
Function = Callable[[Any, Any, Any], Any]
Model = Network | Kernel | Function


def gram(model: Model, inputs: Any, others: Any = None, *, memory: int = MEMORY) -> Array:
    """K(x, x') for every x of `inputs` (rows) and x' of `others` (columns; the same if left out).

    model    a Network; a Kernel, as a function of the cosine, for inputs on one sphere; or a
             function (a, b, c) of a = |x|^2, b = |x'|^2, c = x.x', which broadcasts
    inputs   (points, d)
    memory   bytes that the result may take; it is filled in blocks that need little more

    With `others` left out the matrix is exactly symmetric, with K(x, x) on its diagonal, and only
    half of it is computed. A kernel of the cosine is summed from its series in the angle where that
    is the same to 256 roundings of K(1), which is most of the time.

    Raises `InvalidInput` for inputs that are not finite numbers or take more than `memory`, for a
    Kernel if the lengths differ; `OutOfRegime` for a network that is known on spheres only.

    >>> x = np.array([[1.0, 0.0], [0.6, 0.8]])
    >>> gram(Kernel("square", lambda t, xp: t**2), x).round(12).tolist()
    [[1.0, 0.36], [0.36, 1.0]]
    >>> rbf = lambda a, b, c: np.exp(-(a + b - 2 * c) / 2)
    >>> gram(rbf, 2 * x, [[0.0, 0.0]]).round(6).tolist()
    [[0.135335], [0.135335]]
    """
    x = points("inputs", inputs)
    y = x if others is None else points("others", others)
    if x.shape[1] != y.shape[1]:
        raise InvalidInput(f"inputs have {x.shape[1]} features, others {y.shape[1]}: give the same")
    affordable(8 * len(x) * len(y), memory, f"a matrix of {len(x)} x {len(y)} numbers")
    pairs = pairs_of(model, x, y)
    out = np.empty((len(x), len(y)))
    for rows in blocks(len(x)):
        for columns in blocks(len(y)):
            if others is not None or columns.start > rows.start:
                block = pairs.block(x[rows], y[columns])
                out[rows, columns] = block
                if others is None:
                    out[columns, rows] = block.T
        if others is None:
            block = np.triu(pairs.block(x[rows], x[rows]), 1)  # x.x' and x'.x may round differently
            out[rows, rows] = block + block.T + np.diag(pairs.diagonal(x[rows]))
    return out


def normalised(inputs: Any, input_norm: str = "dimension") -> Array:
    """The rows divided by their lengths: |x|^2 = d ("dimension") or |x| = 1 ("unit").

    Raises `InvalidInput` for a row of zeros, which has no direction.

    >>> normalised([[3.0, 4.0]], "unit").tolist()
    [[0.6, 0.8]]
    """
    x = points("inputs", inputs)
    norm = checks.choice("input_norm", input_norm, INPUT_NORMS)
    lengths = np.linalg.norm(x, axis=1)
    if np.min(lengths) == 0:
        where = int(np.argmin(lengths))
        raise InvalidInput(
            f"inputs[{where}] is zero and has no direction: leave it out, or add a constant feature"
        )
    unit: Array = x / lengths[:, None]
    return unit if norm == "unit" else unit * np.sqrt(x.shape[1])


def points(name: str, values: Any) -> Array:
    """`values` as a float array (points, features) of finite numbers, not empty."""
    try:
        x = np.array(values, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(
            f"{name}: give an array of numbers of shape (points, features)"
        ) from None
    if x.ndim != 2 or 0 in x.shape:
        raise InvalidInput(f"{name} has shape {x.shape}: give (points, features), neither zero")
    if not np.all(np.isfinite(x)):
        row, column = np.argwhere(~np.isfinite(x))[0]
        raise InvalidInput(
            f"{name}[{row}, {column}] = {x[row, column]}: every entry must be finite; leave such "
            "points out, or fill in the mean of the feature"
        )
    return x


LANDMARKS = "ask empirical_spectrum for `landmarks`, which keeps points x landmarks"


def affordable(needed: float, memory: float, what: str, otherwise: str = LANDMARKS) -> None:
    """Refuse, before any is taken, what needs more bytes than allowed."""
    allowed = checks.positive("memory", memory)
    if needed > allowed:
        raise InvalidInput(
            f"{what} takes {needed:.4g} bytes, allowed are {allowed:.4g}: give fewer points, raise "
            f"memory, or {otherwise}"
        )


def blocks(size: int, block: int = BLOCK) -> list[slice]:
    """0 .. size in consecutive slices."""
    return [slice(start, min(start + block, size)) for start in range(0, size, block)]


# Kernels of two inputs ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Pairs:
    """A kernel of |x|^2, |x'|^2 and x.x'; `sphere` if inputs are divided by their lengths first."""

    function: Function
    sphere: bool

    def block(self, x: Array, y: Array) -> Array:
        """(rows of x, rows of y)"""
        a, b = _squares(x), _squares(y)
        if self.sphere:
            c = (x / np.sqrt(a)[:, None]) @ (y / np.sqrt(b)[:, None]).T
            np.clip(c, -1, 1, out=c)  # rounding of unit vectors
            a, b = np.ones_like(a), np.ones_like(b)
        else:
            c = x @ y.T
        return _values(self.function, a[:, None], b[None, :], c)

    def diagonal(self, x: Array) -> Array:
        """(rows of x,) K(x, x), where the cosine is one exactly."""
        a = np.ones(len(x)) if self.sphere else _squares(x)
        return _values(self.function, a, a, a)


def pairs_of(model: Model, x: Array, y: Array) -> Pairs:
    """The kernel as it serves the inputs `x` and `y`."""
    world, squares = remembering(), np.concatenate([_squares(x), _squares(y)])
    radius = _common_radius(squares)
    if isinstance(model, Network):
        norm = _input_norm(radius, x.shape[1])
        if norm is None:
            layers = _Layers(model, x.shape[1], world)
            _refuse_unknown(layers, squares)
            return Pairs(layers, sphere=False)
        model = model.on_sphere(x.shape[1], norm)
    if isinstance(model, Kernel):
        if radius is None:
            raise InvalidInput(
                f"{model.name} is a function of the cosine, and these inputs have different "
                "lengths: divide each by its length (normalised), or give a function of |x|^2, "
                "|x'|^2, x.x'"
            )
        return Pairs(_of_cosine(model, world), sphere=True)
    if not callable(model):
        raise InvalidInput(
            f"model = {model!r}: give a Network, a Kernel, or a function of |x|^2, |x'|^2, x.x'"
        )
    return Pairs(model, sphere=False)


def _of_cosine(kernel: Kernel, world: SimpleNamespace) -> Function:
    """The kernel, as a Chebyshev series in the angle where that is the same to rounding.

    Kernels of networks are analytic in the angle, ends included, so some twenty terms do, however
    deep the network. The series is made and judged in extended precision: close to t = 1 a deep
    kernel computed in float64 loses digits, which would spread over all angles.
    """

    def direct(a: Any, b: Any, c: Any) -> Any:
        return kernel.function(c, world)

    for terms in TERMS:
        theta = np.longdouble(np.pi) * np.arange(4 * terms + 2) / (4 * terms + 1)
        with np.errstate(all="ignore"):  # what is not finite is judged on the inputs
            try:
                series, true = _series(kernel, terms), _extended(kernel, theta)
            except TypeError:  # a formula that insists on float64 is used as it is
                break
            found = _summed(series, np.cos(theta).astype(float))
            same = np.abs(found - true) <= ROUNDING * np.max(np.abs(true))
        if np.all(same):
            return lambda a, b, c: _summed(series, c) if np.ndim(c) == 2 else direct(a, b, c)
    return direct


def _series(kernel: Kernel, terms: int) -> Array:
    """Its first Chebyshev coefficients in 2 theta / pi - 1, by interpolation."""
    phi = np.longdouble(np.pi) * (np.arange(terms) + 0.5) / terms
    values = _extended(kernel, np.longdouble(np.pi) / 2 * (1 + np.cos(phi)))
    series = 2 * np.cos(np.arange(terms)[:, None] * phi) @ values / terms
    series[0] /= 2
    return np.asarray(series, dtype=float)


def _extended(kernel: Kernel, theta: Any) -> Any:
    """K(cos theta) in the longest floats of this machine."""
    values = kernel.function(np.cos(theta), REAL)
    return np.broadcast_to(np.asarray(values, dtype=np.longdouble), theta.shape)


def _summed(series: Array, t: Array) -> Array:
    """sum_k series_k T_k(2 arccos(t) / pi - 1) by Clenshaw's recurrence, without new arrays."""
    u = np.arccos(t)
    u *= 4 / np.pi
    u -= 2  # twice the argument
    now, before, spare = np.full_like(u, series[-1]), np.zeros_like(u), np.empty_like(u)
    for coefficient in series[-2:0:-1]:
        np.multiply(u, now, out=spare)
        spare -= before
        spare += coefficient
        now, before, spare = spare, now, before
    now *= u
    now /= 2
    now -= before
    now += series[0]
    return now


def remembering() -> SimpleNamespace:
    """Real numbers that take the arccosine of one array once: layers ask for it twice."""
    last: list[Any] = [None, None]

    def arccos(p: Any) -> Any:
        if last[0] is not p:
            last[:] = p, np.arccos(p)
        return last[1]

    return SimpleNamespace(**{**vars(REAL), "arccos": arccos})


def _values(function: Function, a: Array, b: Array, c: Array) -> Array:
    try:
        block = np.broadcast_to(np.asarray(function(a, b, c), dtype=float), c.shape)
    except FieldTheoryError:
        raise
    except (TypeError, ValueError) as problem:
        raise InvalidInput(
            f"the kernel fails on arrays of shape {c.shape} ({problem}): give a function (a, b, c) "
            "of |x|^2, |x'|^2, x.x' that acts on each entry"
        ) from None
    if not np.all(np.isfinite(block)):
        raise InvalidInput("the kernel is not finite on these inputs: rescale them, or change it")
    return block


def _squares(x: Array) -> Array:
    return np.asarray(np.einsum("id,id->i", x, x))


def _common_radius(squares: Array) -> float | None:
    """|x| if all points lie on one sphere, to rounding."""
    low, high = float(np.min(squares)), float(np.max(squares))
    return float(np.sqrt(high)) if low > 0 and np.sqrt(low / high) >= 1 - UNIT else None


def _input_norm(radius: float | None, d: int) -> str | None:
    if radius is not None:
        for norm, length in zip(INPUT_NORMS, (1.0, np.sqrt(d)), strict=True):
            if abs(radius / length - 1) <= UNIT:
                return norm
    return None


# Networks on inputs of any length -----------------------------------------------------------------


def _relu_mean(q: Any, r: Any) -> Any:
    return np.sqrt(q * r)


def _erf_mean(q: Any, r: Any) -> Any:
    # (sqrt((1 + 2q)(1 + 2r)) - 1) / 2, without the cancellation at small variances
    return (q + r + 2 * q * r) / (1 + np.sqrt((1 + 2 * q) * (1 + 2 * r)))


def _wave_mean(q: Any, r: Any) -> Any:
    return (q + r) / 2


EQUAL_VARIANCE: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("relu", "leaky_relu", "identity", "step"), _relu_mean),
    **dict.fromkeys(("sin", "cos"), _wave_mean),
    "erf": _erf_mean,
}


def _family(network: Network) -> str:
    """`leaky_relu(0.1)` -> `leaky_relu`."""
    return network.phi.name.partition("(")[0]


@dataclass(frozen=True)
class _Layers:
    """The network's own layers on |x|^2, |x'|^2 and x.x': two variances in the place of one."""

    network: Network
    fan_in: int
    world: SimpleNamespace

    def __call__(self, a: Any, b: Any, c: Any) -> Any:
        net, xp, mean = self.network, self.world, EQUAL_VARIANCE.get(_family(self.network))
        dense, tangent = net.layers(), net.kernel == "ntk"
        own = tangent and net.trained == "last" and net.depth > 1
        both = layer.first(c, self.fan_in, dense[0], xp, tangent and not own)
        q, r = (layer.first(each, self.fan_in, dense[0], xp, False).sigma for each in (a, b))
        for each in dense[1 : -1 if own else None]:
            phi = net.phi if mean else _at_two(net.phi, q, r)
            both = both._replace(q=(mean or _relu_mean)(q, r))
            both = layer.hidden(both, phi, each, xp)
            q, r = (layer.hidden(layer.State(v, None, v), net.phi, each, xp).sigma for v in (q, r))
        if own:
            phi = net.phi if mean else _at_two(net.phi, q, r)
            return layer.last(both._replace(q=(mean or _relu_mean)(q, r)), phi, dense[-1], xp)
        return both.theta if tangent else both.sigma


def _at_two(phi: Activation, q: Any, r: Any) -> Activation:
    """The activation with its averages at the variances q and r, of whatever correlation."""
    two = Pair(phi.expand or Mehler(phi.name, phi.function, phi.slope), q, r)

    def covariance(mean: Any, p: Any, xp: Any) -> Any:
        # what becomes of one variance is asked of the activation itself, and not used here
        return mean if p is xp.one else two.at(p, xp)[0]

    def slopes(_: Any, p: Any, xp: Any) -> Any:
        return two.at(p, xp)[1]

    return replace(
        phi, covariance=covariance, slope_covariance=slopes if phi.slope_covariance else None
    )


def _refuse_unknown(layers: _Layers, squares: Array) -> None:
    """The recursion above must be the network's own wherever that is known: on the sphere."""
    network, d = layers.network, layers.fan_in
    if _family(network) not in EQUAL_VARIANCE and network.depth > 1:
        q = float(network.weights[0] * np.max(squares) / d + network.biases[0])
        if (rest := network.phi.neglected(q)) > SEEN:
            raise OutOfRegime(
                f"inputs of different lengths: activation {network.phi.name!r} has a kink or a "
                "jump away from zero, or varies too fast. Its expansion leaves out "
                f"{rest:.0e} at variance {q:.4g}, and so would averages at two variances: {ADVICE}"
            )
    t = np.array(PROBES)
    own, ours = network.on_sphere(d, "dimension")(t), layers(d * 1.0, d * 1.0, d * t)
    if not np.all(np.abs(own - ours) <= UNIT * np.max(np.abs(own))):
        raise OutOfRegime(
            f"{network}: an option of this network is known for inputs of one length only: {ADVICE}"
        )
    if network.biases[0] == 0 and np.min(squares) == 0:
        raise InvalidInput(
            "one input is zero and the first layer has no bias: the slope there is undefined; "
            "leave the point out, or give bias_variance > 0"
        )
