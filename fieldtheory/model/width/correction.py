r"""Bayesian networks of finite width: the posterior mean through order 1/n^2.

One hidden layer of n units. Its prior has a fourth cumulant U / n, with one term per pairing

.. math:: U_{abcd} = \sigma_w^4 \bigl[ 3 \langle \phi_a\phi_b\phi_c\phi_d \rangle
          - \langle \phi_a\phi_b \rangle \langle \phi_c\phi_d \rangle - \text{2 more} \bigr],

and a sixth V / n^2. The diagrams of `theory.width` turn them into the posterior. With
A = (K + s2)^-1, b = A y, and a leg ~* = * - K_*a A_a. at the test point, the first order is

.. math:: f = K_* b + \frac{1}{6n} \tilde U_{*abc} (b_a b_b b_c - 3 A_{ab} b_c)

that is, the average of U~_*hhh / 6n over a Gaussian h of mean b and covariance -A. So is every
diagram without lines between vertices; those with k lines join the averaged k-th derivatives of
two vertices by (-A)^k / k!. Legs are contracted before they are averaged over the hidden unit, so
that the largest array has N^3 entries. Source of the idea: Yaida, arXiv:1910.00019.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from fieldtheory.ground import checks
from fieldtheory.ground.arrays import Array, frozen
from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.ground.picture import Line, Picture
from fieldtheory.ground.shown import Pictured, Printed
from fieldtheory.model.measures.gram import points
from fieldtheory.model.network import Network
from fieldtheory.model.width.hidden import HiddenUnit, afford, hidden_unit

MOST = 150  # training points
BLOCK = 2**21  # numbers in one block of nodes x N^2
HOLDS, MARGINAL = 0.3, 1.0  # size of an order relative to the one before


def fourth_cumulant(network: Network, inputs: Any) -> Array:
    """U_abcd of the outputs of a network with one hidden layer, (P, P, P, P), times the width.

    The fourth cumulant of f at `width` units is U / width. It costs nodes x P^4 / 4 operations,
    with some 10^5 nodes; see `hidden_unit` for their accuracy.

    Raises `InvalidInput` for another network and `OutOfRegime` for more points than memory holds.

    >>> linear = Network(2, "identity", weight_variance=1.0, bias_variance=0.0, kernel="nngp")
    >>> round(float(fourth_cumulant(linear, [[1.0]])[0, 0, 0, 0]), 10)     # 3 <z^4> - 3 <z^2>^2
    6.0
    """
    x = points("inputs", inputs)
    count = len(x)
    afford(24 * count**4, f"the fourth cumulants of {count} points")
    unit = hidden_unit(network, x)
    K = unit.kernel
    four = np.zeros((count**2, count**2))
    for values, weights in _blocks(unit, count**2):
        pairs = (values[:, :, None] * values[:, None, :]).reshape(len(values), -1)
        four += (pairs * weights[:, None]).T @ pairs
    found = 3 * four.reshape(4 * (count,))
    for pairing in ("ab,cd->abcd", "ac,bd->abcd", "ad,bc->abcd"):
        found -= np.einsum(pairing, K, K)
    return found


@dataclass(frozen=True, eq=False)
class WidthCorrection(Pictured, Printed):
    """The posterior of a network of one hidden layer, in powers of 1 / width.

    infinite          (tests,) posterior mean at infinite width, K_* (K + ridge)^-1 y
    first, second     (tests,) what stands with 1/n and 1/n^2
    variance          (tests,) posterior variance at infinite width, and `variance_first` with 1/n
    evidence_first    the log of the evidence changes by this / n
    quadrature        (tests,) error of `first` by the finite number of nodes, estimated
    """

    width: int
    infinite: Array
    first: Array
    second: Array
    variance: Array
    variance_first: Array
    evidence_first: float
    quadrature: Array
    question: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", checks.count("width", self.width, least=1))
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                object.__setattr__(self, name, frozen(value))

    @property
    def mean(self) -> Array:
        """(tests,) posterior mean with the 1/n correction."""
        return self.infinite + self.first / self.width

    @property
    def through_second(self) -> Array:
        """(tests,) posterior mean with both corrections."""
        found: Array = self.mean + self.second / float(self.width) ** 2
        return found

    @property
    def uncertainty(self) -> Array:
        """(tests,) of `mean`: the next order, second / n^2, and the error of the quadrature."""
        n = float(self.width)
        found: Array = np.abs(self.second) / n**2 + self.quadrature / n
        return found

    @property
    def loop(self) -> float:
        """The largest second-order term beside the largest first-order one."""
        largest = float(np.max(np.abs(self.first)))
        return float(np.max(np.abs(self.second))) / (self.width * largest) if largest else 0.0

    @property
    def regime(self) -> str:
        """In words."""
        loop = self.loop
        verdict = "holds" if loop < HOLDS else "marginal" if loop < MARGINAL else "OUT OF REGIME"
        advice = "" if loop < HOLDS else "; give a larger width or ridge"
        return f"second order is {loop:.2g} of the first: {verdict}{advice}"

    def at(self, width: int) -> "WidthCorrection":
        """The same data and another width: nothing has to be computed again."""
        return replace(self, width=width)

    def squared_error(self, truth: Any) -> tuple[float, float]:
        """Mean squared error against the true values (tests,): infinite width, and this width.

        The second is through first order, so it may be compared with the first.
        """
        g = checks.vector("truth", truth)
        if g.size != self.infinite.size:
            raise InvalidInput(f"truth has {g.size} entries for {self.infinite.size} tests")
        missed = self.infinite - g
        plain = float(np.mean(missed**2))
        return plain, plain + float(np.mean(2 * missed * self.first)) / self.width

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data."""
        arrays = ("infinite", "first", "second", "variance", "variance_first", "quadrature")
        both = ("mean", "uncertainty")
        return {
            "width": self.width,
            **{name: getattr(self, name).tolist() for name in (*both, *arrays)},
            "evidence_first": self.evidence_first,
            "regime": self.regime,
            "question": self.question,
        }

    def picture(self) -> Picture:
        """The posterior mean at each test point, for this width and for infinite width."""
        index = np.arange(self.infinite.size, dtype=float)
        finite = Line(f"width {self.width}", index, self.mean, self.uncertainty, points=True)
        infinite = Line("infinite width", index, self.infinite)
        return Picture(self.question, "test point", "posterior mean", (finite, infinite))

    def __str__(self) -> str:
        lines = [self.question, self.regime, "  infinite   first/n         mean        +-"]
        rows = zip(self.infinite, self.first / self.width, self.mean, self.uncertainty, strict=True)
        lines += [f"{f:10.5g}{c:10.2g}{m:13.6g}{u:10.2g}" for f, c, m, u in list(rows)[:12]]
        more = self.infinite.size - 12
        return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])


def width_correction(
    network: Network, inputs: Any, labels: Any, tests: Any, width: int, *, ridge: float
) -> WidthCorrection:
    """The posterior mean of a Bayesian network with one hidden layer of `width` units.

    network  Network(depth=2, kernel="nngp"); its prior variances are those of the weights
    inputs   (N, d) and labels (N,) of the training set, tests (T, d) where the mean is asked for
    ridge    variance of the label noise in the likelihood, above zero

    It costs some 10^5 x N^3 operations. Raises `InvalidInput` for another network or arrays that do
    not match, and `OutOfRegime` if the points span too many dimensions or take too much memory.

    >>> network = Network(2, "erf", weight_variance=2.0, bias_variance=0.0, kernel="nngp")
    >>> found = width_correction(network, [[1.0]], [1.0], [[1.0], [-0.5]], 100, ridge=0.1)
    >>> found.infinite.round(4).tolist(), found.mean.round(4).tolist()
    ([0.9219, -0.6807], [0.9216, -0.6801])
    """
    x, z = points("inputs", inputs), points("tests", tests)
    y, s2 = checks.vector("labels", labels), checks.positive("ridge", ridge)
    n = checks.count("width", width, least=1)
    if len(x) != y.size or x.shape[1] != z.shape[1]:
        raise InvalidInput(
            f"{len(x)} inputs of {x.shape[1]} features, {y.size} labels, tests of {z.shape[1]}: "
            "give one label for each input, and tests with the same features"
        )
    if len(x) > MOST:
        raise OutOfRegime(
            f"{len(x)} training points: the diagrams cost some 10^5 x N^3 operations, and {MOST} "
            "points are allowed, which is minutes. Give fewer"
        )
    every = np.concatenate([x, z])
    fine, coarse = (
        _Expansion(hidden_unit(network, every, rough), network.biases[1], y, s2)
        for rough in (False, True)
    )
    first = fine.first()
    return WidthCorrection(
        width=n,
        infinite=fine.mean,
        first=first,
        second=fine.sixth() + fine.joined(),
        variance=fine.variance,
        variance_first=fine.variance_first(),
        evidence_first=fine.evidence_first(),
        quadrature=np.abs(first - coarse.first()),
        question=f"{network}; {len(x)} samples, ridge {s2:g}, width {n}",
    )


class _Average(NamedTuple):
    """Averages over h of powers of x = F.h at each node."""

    one: Array
    two: Array
    three: Array
    four: Array
    five: Array


class _Expansion:
    """The diagrams at one set of nodes.

    F are the hidden unit's values at the data, T those on the test legs ~*; k = <T F>; x = F.h and
    s = h <F F> h, with h a Gaussian of mean b and covariance B = -A.
    """

    def __init__(self, unit: HiddenUnit, bias: float, labels: Array, ridge: float) -> None:
        N, all_of = labels.size, unit.kernel
        self.w, self.F = unit.weights, unit.values[:, :N]
        self.K = all_of[:N, :N]
        full = all_of + bias
        A = np.linalg.inv(full[:N, :N] + ridge * np.eye(N))
        self.B, self.b = -(A + A.T) / 2, A @ labels
        across = full[N:, :N]
        self.mean = across @ self.b
        self.variance = np.diag(full)[N:] + np.sum((across @ self.B) * across, axis=1)
        self.T = unit.values[:, N:] + self.F @ (across @ self.B).T
        self.k = (self.T * self.w[:, None]).T @ self.F
        self.Kb, self.kb = self.K @ self.b, self.k @ self.b
        self.KB = self.K @ self.B
        self.s = float(self.b @ self.Kb + np.trace(self.KB))
        self.FB = self.F @ self.B
        v, x = np.sum(self.FB * self.F, axis=1), self.F @ self.b  # variance of x is negative
        self.x = _Average(
            x, x**2 + v, x**3 + 3 * v * x, x**4 + 6 * v * x**2 + 3 * v**2,
            x**5 + 10 * v * x**3 + 15 * v**2 * x,
        )  # fmt: skip

    def over(self, legs: Array, factor: Array) -> Array:
        """<legs factor> over the hidden unit, for each column of legs."""
        found: Array = legs.T @ (self.w * factor)
        return found

    def _gradient(self, legs: Array, k: Array) -> Array:
        """The average of U_lhhh / 6 for the given legs l, k = <legs F>."""
        rest = (k @ self.b) * self.s + 2 * k @ self.B @ self.Kb
        return (self.over(legs, self.x.three) - rest) / 2

    def first(self) -> Array:
        """U~_*hhh / 6, averaged."""
        return self._gradient(self.T, self.k)

    def variance_first(self) -> Array:
        """U~_**hh / 2, averaged."""
        own = self.w @ self.T**2
        pairs = own * self.s + 2 * (self.kb**2 + np.sum((self.k @ self.B) * self.k, axis=1))
        found: Array = (3 * ((self.w * self.x.two) @ self.T**2) - pairs) / 2
        return found

    def _s_squared(self) -> float:
        return float(self.s**2 + 4 * self.Kb @ self.B @ self.Kb + 2 * np.sum(self.KB * self.KB.T))

    def evidence_first(self) -> float:
        """U_hhhh / 24, averaged."""
        return (float(self.w @ self.x.four) - self._s_squared()) / 8

    def sixth(self) -> Array:
        """V~_*hhhhh / 120, averaged: <6> counts 15, the ways of <4><2> -3, of <2><2><2> 2 each."""
        x, T, Kb, kb = self.x, self.T, self.Kb, self.kb
        six = 15 * self.over(T, x.five)
        kBF = self.over(self.FB, x.three)  # <F.B x^3>
        four = 15 * (kb * (self.w @ x.four) + 4 * self.k @ kBF)
        bent = np.sum((self.FB @ self.K) * self.FB, axis=1)
        along = x.three * self.s + 6 * x.two * (self.FB @ Kb) + 6 * x.one * bent
        two = 30 * self.over(T, along)
        sh = self.b * self.s + 2 * self.B @ Kb
        three = 30 * (kb * self._s_squared() + 4 * self.k @ self.B @ self.K @ sh)
        found: Array = (six - four - two + three) / 120
        return found

    def joined(self) -> Array:
        """Two fourth cumulants joined by one, two or three lines."""
        return self._one_line() + self._two_lines() + self._three_lines()

    def _one_line(self) -> Array:
        """(U~_*ahh / 2) B (U_ahhh / 6)."""
        towards = self.B @ self._gradient(self.F, self.K)
        two = self.over(self.T, self.x.two * (self.F @ towards))
        Kt = self.K @ towards
        rest = (self.k @ towards) * self.s + 2 * (self.kb * (self.b @ Kt) + self.k @ self.B @ Kt)
        return (3 * two - rest) / 2

    def _two_lines(self) -> Array:
        """U~_*abh B B (U_abhh / 2) / 2."""
        weighted = self.F * (self.w * self.x.two)[:, None]
        pairs = np.outer(self.Kb, self.Kb) + self.KB @ self.K
        second = (3 * weighted.T @ self.F - self.K * self.s - 2 * pairs) / 2
        M = self.B @ second @ self.B
        through = self.x.one * np.sum((self.F @ M) * self.F, axis=1)
        rest = 2 * self.k @ M @ self.Kb + self.kb * np.sum(self.K * M)
        found: Array = (3 * self.over(self.T, through) - rest) / 2
        return found

    def _three_lines(self) -> Array:
        """U~_*abc B B B U_abch / 6, the inner tensor with N^3 entries."""
        N = self.b.size
        three = np.zeros((N * N, N))
        for (F, x), w in _cut((self.F, self.x.one), self.w, N * N):
            pairs = (F[:, :, None] * F[:, None, :]).reshape(len(F), -1)
            three += pairs.T @ (F * (w * x)[:, None])
        W = 3 * three.reshape(N, N, N)
        for pairing in ("ab,c->abc", "ac,b->abc", "bc,a->abc"):
            W -= np.einsum(pairing, self.K, self.Kb)
        for _ in range(3):  # each turn contracts the first axis and puts it last
            W = np.tensordot(W, self.B, axes=(0, 0))
        total = -np.einsum("ta,bc,abc->t", self.k, self.K, W, optimize=True)
        flat = W.reshape(N * N, N)
        for (F, T), w in _cut((self.F, self.T), self.w, N * N):
            pairs = (F[:, :, None] * F[:, None, :]).reshape(len(F), -1)
            total += T.T @ (w * np.sum((pairs @ flat) * F, axis=1))
        return np.asarray(total / 2)


def _blocks(unit: HiddenUnit, wide: int) -> Any:
    for (values,), weights in _cut((unit.values,), unit.weights, wide):
        yield values, weights


def _cut(arrays: tuple[Array, ...], weights: Array, wide: int) -> Any:
    """Blocks of nodes: so many that a row of `wide` numbers for each stays small."""
    size = max(1, BLOCK // wide)
    for start in range(0, len(weights), size):
        part = slice(start, start + size)
        yield tuple(array[part] for array in arrays), weights[part]
