"""Circles and tori: Fourier coefficients by quadrature, products, and the sphere of d = 2."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ive

from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.measures import torus as module
from fieldtheory.model.measures.data import empirical_spectrum
from fieldtheory.model.measures.torus import TorusModes, torus_modes, torus_product
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum
from tests.oracles.measures import fourier
from tests.oracles.mutation import spoil, survives
from tests.tolerance import agree, rounding


def bump(delta):
    return np.exp(2 * (np.cos(delta[..., 0]) - 1))


def kinked(delta):
    return np.exp(-np.abs(np.sin(delta[..., 0] / 2)))


def table(found):
    return {
        tuple(n): (v, e)
        for n, v, e in zip(
            found.waves.tolist(), found.modes.eigenvalues, found.modes.errors, strict=True
        )
    }


# The circle ---------------------------------------------------------------------------------------


def test_coefficients_by_quadrature():
    """A smooth kernel to rounding; one with a kink within the error it states."""
    smooth = table(module.torus_modes(bump, 1))
    rough = table(module.torus_modes(kinked, 1, points=4096))
    for l in range(6):
        truth = fourier(lambda a: mpmath.exp(2 * (mpmath.cos(a) - 1)), l)
        assert agree(smooth[l,][0], truth, rounding(1))
        assert agree(smooth[l,][0], ive(l, 2.0), rounding(1))
        truth = fourier(lambda a: mpmath.exp(-mpmath.fabs(mpmath.sin(a / 2))), l)
        assert agree(rough[l,][0], truth, rough[l,][1])
        assert rough[l,][1] < 1e-2 * truth


def test_the_circle_is_the_sphere_of_two_dimensions():
    on = Network(3).on_sphere(2, "dimension")
    circle = table(module.torus_modes(lambda delta: on(np.cos(delta[..., 0])), 1, points=2**14))
    sphere = spectrum(on, 2, degrees=12)
    for l in range(13):
        lam, error = circle[l,]
        assert agree(lam, sphere.eigenvalues[l], error + sphere.errors[l])
        assert error < 1e-4 * lam


def test_modes_and_tail_make_up_the_trace():
    found = torus_modes(kinked, 1)
    modes = found.modes
    assert agree(modes.counts @ modes.eigenvalues + modes.tail, 1.0, rounding(1))
    assert modes.tail > 0
    assert modes.multiplicities[0] == 1
    assert set(modes.multiplicities[1:]) == {2}
    assert np.all(np.diff(modes.eigenvalues) <= 0)
    assert str(found).startswith("modes of a function of the difference on the circle")


# The torus ----------------------------------------------------------------------------------------


def test_a_product_of_kernels_has_products_of_eigenvalues():
    def both(delta):
        return bump(delta) * np.exp(np.cos(delta[..., 1]) - 1)

    direct = table(torus_modes(both, 2, points=64))
    one = torus_modes(bump, 1)
    other = torus_modes(lambda delta: np.exp(np.cos(delta[..., 0]) - 1), 1)
    parts = table(one), table(other)
    made = module.torus_product([one, other])
    seen = table(made)
    for (n, m), (lam, error) in list(seen.items())[:60]:
        truth = parts[0][abs(n),][0] * parts[1][abs(m),][0]
        assert agree(lam, truth, rounding(truth))
        if (n, m) in direct:
            assert agree(lam, direct[n, m][0], error + direct[n, m][1])
    assert agree(made.modes.counts @ made.modes.eigenvalues, 1.0, rounding(1, 100))
    assert len({*seen, *[(-n, -m) for n, m in seen]}) == sum(made.modes.multiplicities)


def test_three_circles():
    one = torus_modes(bump, 1)
    lam = module.torus_product([one, one, one]).modes
    truth = table(one)
    assert agree(lam.eigenvalues[0], truth[0,][0] ** 3, rounding(1))
    assert agree(lam.eigenvalues[1:4], truth[1,][0] * truth[0,][0] ** 2, rounding(1))
    assert agree(lam.trace, 1.0, rounding(1))


def test_a_kernel_that_is_no_product():
    """exp of the cosine of a sum of angles: waves along the diagonal alone."""
    found = table(torus_modes(lambda x: np.exp(np.cos(x[..., 0] + x[..., 1])), 2, points=64))
    for l in range(4):
        assert agree(found[l, l][0], np.exp(1) * ive(l, 1.0), rounding(3))
    assert all(n == m for n, m in found)


def test_a_sample_of_the_torus_has_these_modes():
    """A regular grid of points is the uniform measure for the waves it resolves."""
    line = 2 * np.pi * np.arange(16) / 16
    x = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    flat = np.concatenate([np.cos(x), np.sin(x)], axis=1)  # |x|^2 = 2: an RBF of the chord
    found = empirical_spectrum(lambda a, b, c: np.exp(c - 2), flat)
    made = torus_product([torus_modes(lambda d: np.exp(np.cos(d[..., 0]) - 1), 1)] * 2)
    every = np.repeat(made.modes.eigenvalues, made.modes.multiplicities)[:40]
    assert agree(found.eigenvalues[:40], every, rounding(1, 100))


# Targets ------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-3, 3), min_size=6, max_size=6))
def test_power_of_a_trigonometric_polynomial(c):
    found = torus_modes(bump, 1)

    def f(x):
        a = x[..., 0]
        return (
            c[0] + c[1] * np.cos(a) + c[2] * np.sin(a) + c[3] * np.cos(5 * a) + c[4] * np.sin(5 * a)
        )

    power, error = found.power(f)
    truth = dict.fromkeys(range(20), 0.0) | {
        0: c[0] ** 2,
        1: (c[1] ** 2 + c[2] ** 2) / 2,
        5: (c[3] ** 2 + c[4] ** 2) / 2,
    }
    for wave, G, e in zip(found.waves[:, 0].tolist(), power, error, strict=True):
        assert agree(G, truth[wave], e + rounding(1, 100))


def test_power_in_the_plane():
    found = torus_modes(lambda d: np.exp(np.cos(d[..., 0]) + np.cos(d[..., 1])), 2, points=32)
    power, _ = found.power(lambda x: np.cos(x[..., 0] - 2 * x[..., 1]) + 3, points=64)
    seen = dict(zip(map(tuple, found.waves.tolist()), power, strict=True))
    assert agree(seen[1, -2], 0.5, rounding(1))
    assert agree(seen[0, 0], 9.0, rounding(9))
    assert agree(seen[1, 2], 0, rounding(1))


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "options", "why"),
    [
        (lambda d: np.sin(d[..., 0]) + 2, {}, "symmetric in its two inputs"),
        (lambda d: 0.5 - np.cos(d[..., 0]) + 0.6, {}, r"not positive: eigenvalue .* wave \+-1"),
        (lambda d: -np.cos(d[..., 0]), {}, r"k\(0\) = -1"),
        (lambda d: 1 / d[..., 0], {}, "not finite"),
        (lambda d: d, {}, "one value for each row"),
        (bump, {"points": 10}, "multiple of four"),
        (bump, {"points": 2}, "at least 8"),
        (bump, {"kept": 0}, "kept = 0"),
        (bump, {"memory": 1000}, r"grid of 256\^1 points takes"),
    ],
)
def test_wrong_questions(function, options, why):
    with np.errstate(all="ignore"), pytest.raises(InvalidInput, match=why):
        torus_modes(function, 1, **options)


def test_other_refusals():
    with pytest.raises(InvalidInput, match=r"a grid of 256\^5 points takes"):
        torus_modes(bump, 5)
    with pytest.raises(InvalidInput, match="at least one circle"):
        torus_product([])
    with pytest.raises(InvalidInput, match="more than"):
        torus_modes(kinked, 1).power(lambda x: x[..., 0], points=64)
    with pytest.raises(ValueError, match="read-only"):
        torus_modes(bump, 1).waves[0] = 1


# Mutants ------------------------------------------------------------------------------------------


def all_right():
    test_coefficients_by_quadrature()
    test_a_product_of_kernels_has_products_of_eigenvalues()
    test_three_circles()
    found = torus_modes(bump, 1)
    power, _ = found.power(lambda x: 2 + np.sin(x[..., 0]))
    assert agree(power[:2], [4.0, 0.5], rounding(4))
    assert agree(found.modes.counts @ found.modes.eigenvalues, 1.0, rounding(1))


@pytest.mark.parametrize(
    ("function", "good", "spoiled"),
    [
        ("torus_modes", '.fftn(values, norm="forward")', ".fftn(values)"),
        ("torus_modes", "np.abs(lam - coarse)", "0 * lam"),
        ("torus_product", "np.outer(first[0], more[0])", "np.add.outer(first[0], more[0])"),
        ("torus_product", "up = _leads_up(waves)", "up = waves[:, 0] >= 0"),
        ("_whole", "-waves[twice]", "waves[twice]"),
        ("_listed", "2 if np.any(n) else 1", "1"),
        ("TorusModes._power", "** 2", "** 1"),
    ],
)
def test_mutants(monkeypatch, function, good, spoiled):
    assert survives(all_right)
    target = TorusModes._power if "." in function else getattr(module, function)
    spoil(monkeypatch, target, good, spoiled)
    assert not survives(all_right)
