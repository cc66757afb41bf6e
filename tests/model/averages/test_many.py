"""Many digits by FLINT and by mpmath: the same to the last one that is shown."""

import mpmath
import numpy as np
import pytest

from fieldtheory.model.averages import many
from fieldtheory.model.averages.many import Arithmetic, mpmath_bits
from fieldtheory.model.averages.whole import balls, bits_of, horner, long, whole
from fieldtheory.model.kernel import standard_kernel
from fieldtheory.model.measures.precise import precise_spectrum
from fieldtheory.model.network import Network

KERNELS = {
    "relu": Network(4).on_sphere(5),
    "relu, no bias": Network(3, bias_variance=0.0).on_sphere(5),
    "erf": Network(3, "erf", 2.0, 0.1).on_sphere(5),
    "gelu": Network(2, "gelu").on_sphere(5),
    "tanh": Network(2, "tanh", 1.2, 0.3).on_sphere(5),
    "rbf": standard_kernel("rbf", length=0.5),
    "laplace": standard_kernel("laplace"),
}


def flint():
    if many.flint() is None:
        pytest.skip("python-flint is not installed")
    return many.flint()


@pytest.fixture
def without(monkeypatch):
    """As if python-flint were not installed."""
    return lambda: monkeypatch.setattr(many, "flint", lambda: None)


@pytest.mark.parametrize("name", KERNELS)
def test_both_find_the_same_digits(without, name):
    flint()
    quick = precise_spectrum(KERNELS[name], 5, 6, digits=20)
    without()
    assert precise_spectrum(KERNELS[name], 5, 6, digits=20).precise == quick.precise


def test_the_precision_of_flint_is_left_alone():
    ctx = flint().ctx
    with ctx.workprec(61):
        precise_spectrum(KERNELS["relu"], 3, 2)
        assert ctx.prec == 61


def test_mpmath_serves_without_flint(without):
    without()
    assert not Arithmetic(20).balls
    assert Arithmetic(20).number(2) == 2


@pytest.mark.parametrize("engine", ["mpmath", "flint"])
def test_elementary_functions(engine):
    if engine == "flint":
        flint()
    numbers = Arithmetic(40, balls=engine == "flint")
    bits = bits_of(numbers.context)
    with numbers.working(), mpmath.workdps(60):
        for name in ("exp", "sinh", "cosh", "sin", "cos", "sqrt", "acos", "asin"):
            found = whole(getattr(numbers, name)(numbers.number(0.375)), bits, numbers.context)
            truth = getattr(mpmath, name)(mpmath.mpf(0.375))
            assert abs(mpmath.mpf(found) / mpmath.mpf(2) ** bits - truth) < mpmath.mpf(10) ** -39
        world, half = numbers.world(), numbers.number(0.5)
        assert world.clip(np.array([half * 3, -half * 3, half]), -1, 1).tolist() == [1, -1, half]
        assert world.sqrt(world.clip(half * 3, -1, 1)) == 1
        assert numbers.finite(half)
        assert not numbers.finite(numbers.number(float("nan")))


def test_balls_to_whole_numbers_and_back():
    arb = flint().arb
    context = mpmath_bits(100)
    with flint().ctx.workprec(100):
        x = arb(-2).exp() / 3
        bits = bits_of(context)
        assert abs((balls(whole(x, bits, context), bits, arb) - x).mid()) < arb(2) ** -100
        assert abs(long(x) - mpmath.exp(-2) / 3) < 1e-15
        assert long(x).context.prec == 100
        assert horner([context.mpf(1), context.mpf(2)], arb(0.5), context) == 2
    assert long(context.mpf(3)) == 3
