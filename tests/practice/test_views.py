"""Kernels as curves, what samples teach, and phases: against equations solved elsewhere."""

import numpy as np
import pytest
from scipy.optimize import brentq

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.kernel import Kernel
from fieldtheory.model.measures.data import gram_spectrum
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import Spectrum
from fieldtheory.practice.phases import phases
from fieldtheory.practice.views import KernelCurve, learnable
from tests.tolerance import agree, rounding

LAM = [0.3, 0.05, 0.0, 0.04]
COUNTS = [1, 5, 14, 30]


def test_a_kernel_as_a_curve():
    found = KernelCurve.of(Kernel("square", lambda t, xp: 3 * t**2), 5)
    data = found.to_dict()
    assert (data["t"], data["kernel"]) == ([-1, -0.5, 0, 0.5, 1], [3, 0.75, 0, 0.75, 3])
    assert data["trace"] == 3.0
    assert str(found).splitlines()[0] == "kernel of square, K(1) = 3"
    with pytest.raises(InvalidInput, match="at least 2"):
        KernelCurve.of(found.kernel, 1)


@pytest.mark.parametrize("ridge", [0.0, 0.02])
def test_what_samples_teach_is_the_self_consistent_equation(ridge):
    found = learnable(Spectrum.of(LAM, dimension=5), 20, ridge)

    def missing(kappa):
        return (
            sum(n * x / (x + kappa) for n, x in zip(COUNTS, LAM, strict=True)) + ridge / kappa - 20
        )

    kappa = brentq(missing, 1e-6, 10, xtol=1e-15)
    assert agree(found.kappa, kappa, rounding(kappa, 10))
    assert agree(found.learnability, np.array(LAM) / (np.array(LAM) + kappa), rounding(1, 10))
    spoilt = learnable(Spectrum.of(LAM, dimension=5), 21, ridge)
    assert not agree(spoilt.kappa, kappa, rounding(kappa, 10))


def test_the_learnable_region_is_shaded():
    given = Spectrum.of(LAM, dimension=5)
    all_but_parity = learnable(given, 30)
    assert all_but_parity.learnt == ((0, 1), (3, 3))
    shaded = all_but_parity.picture().shaded
    assert [(one.low, one.high) for one in shaded] == [(-0.5, 1.5), (2.5, 3.5)]
    assert [one.label for one in shaded] == ["learnable from 30 samples", ""]
    assert "degrees 0 to 1, 3" in str(all_but_parity)
    nothing = learnable(given, 1, ridge=10.0)
    assert (nothing.learnt, nothing.picture().shaded) == ((), ())
    assert str(nothing).endswith("nothing yet")
    on_points = learnable(gram_spectrum(np.diag([4.0, 2.0, 0.02])), 2, ridge=0.01)
    assert on_points.to_dict()["points"] == 3
    assert [(one.low, one.high) for one in on_points.picture().shaded] == [(0.5, 2.5)]
    assert "modes 0 to 1" in str(on_points)
    with pytest.raises(OutOfRegime, match="Pass a ridge"):
        learnable(given, 36)


def test_the_phase_of_a_network():
    ordered, chaotic = (phases(Network(4, "erf", w, 0.1)) for w in (1.0, 4.0))
    assert (ordered.fixed_point.phase, chaotic.fixed_point.phase) == ("ordered", "chaotic")
    assert ordered.critical_weight == chaotic.critical_weight
    edge = phases(Network(4, "erf", ordered.critical_weight, 0.1))
    assert edge.fixed_point.phase == "critical"
    assert edge.critical_point[1:] == (0.0, 0.0)
    data = edge.to_dict()
    assert data["correlation_length"] == np.inf
    assert [len(column) for column in data["flow"].values()] == [4, 4, 3, 3]
    assert data["lines"][0].keys() == {"chi", "variance", "weight_variance", "bias_variance"}
    assert edge.picture().lines[-1].label == "this network, critical"
    assert phases(Network(4), draw_flow=True).picture().x == "layer"
    relu = phases(Network(2, "relu", 1.5, 1.0, residual=0.5))
    assert (relu.critical_weight, relu.critical_point) == (None, None)
    assert "no weight variance is critical" in str(relu)
    strong = phases(Network(2, "tanh", residual=2))
    assert (strong.diagram, len(strong.picture().lines)) == (None, 1)
    with pytest.raises(InvalidInput, match="not a list"):
        phases(Network(2, "relu", [1, 2]))
    with pytest.raises(InvalidInput, match="no susceptibility"):
        phases(Network(2, "step", kernel="nngp"))
