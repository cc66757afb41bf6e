"""Eigenvalues to many digits: closed forms, printed digits, zeros, and what it refuses."""

import mpmath
import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.averages.many import Arithmetic
from fieldtheory.model.kernel import Kernel, standard_kernel
from fieldtheory.model.measures import precise
from fieldtheory.model.measures.precise import precise_spectrum
from fieldtheory.model.network import Network
from fieldtheory.model.spectrum import spectrum
from tests.oracles import closed_forms
from tests.oracles.published import CURVES, last_place
from tests.oracles.quadrature import eigenvalue
from tests.tolerance import agree


def of(spec):
    network = Network(
        spec["depth"], spec["act"], float(spec["sw2"]), float(spec["sb2"]), spec["kernel"]
    )
    return network.on_sphere(spec["d"], "dimension" if spec["input_scale"] == "U" else "unit")


def relative(text, truth):
    return float(abs(mpmath.mpf(text) / truth - 1))


ENTRIES = CURVES["eigenvalues"]
SPREAD = [*ENTRIES[:1], *(pytest.param(entry, marks=pytest.mark.slow) for entry in ENTRIES[1:])]


@pytest.mark.parametrize("entry", SPREAD, ids=lambda e: str(e["spec"]))
def test_every_printed_digit_of_the_reference(entry):
    """The file cuts its digits off after the 21st to 27th: one unit of the last place."""
    found = precise_spectrum(of(entry["spec"]), entry["spec"]["d"], 30, digits=28).precise
    assert len(entry["rows"]) == 31
    with mpmath.workdps(40):
        for degree, _, printed in entry["rows"]:
            rest = mpmath.mpf(found[degree]) - mpmath.mpf(printed)
            assert agree(float(rest), 0.0, last_place(printed)), (degree, printed)
            assert last_place(printed) <= 1e-21 * float(printed)


@pytest.mark.parametrize("d", [2, 3, 10, 50, 10_000])
@pytest.mark.parametrize("digits", [5, 25])
def test_rbf_is_a_bessel_function(d, digits):
    found = precise_spectrum(standard_kernel("rbf", length=0.5), d, 12, digits).precise
    with mpmath.workdps(80):
        for l, text in enumerate(found):
            truth = closed_forms.gaussian(d, l, mpmath.mpf("0.5"))
            assert relative(text, truth) <= 10.0**-digits
    assert all(len(text.split("e")[0].replace(".", "").lstrip("0")) == digits + 1 for text in found)


@pytest.mark.parametrize("d", [3, *(pytest.param(d, marks=pytest.mark.slow) for d in (2, 50))])
def test_two_layers_of_relu(d):
    """K = sb2-free depth 2, |x|^2 = d: covariance k1(t), true zeros at odd degrees from 3 on."""
    found = precise_spectrum(
        Network(2, "relu", 1.0, 0.0, "nngp").on_sphere(d, "dimension"), d, 9, digits=25
    )
    with mpmath.workdps(60):
        for l, text in enumerate(found.precise):
            truth = closed_forms.ramp(d, l)
            assert text == "0.0" if truth == 0 else relative(text, truth) <= 1e-25
    odd = found.eigenvalues[3::2]
    assert np.all(odd == 0)
    assert np.all(found.errors[3::2] > 0)
    assert np.all(found.errors[3::2] < 1e-40)


def test_against_mpmath_quadrature():
    kernel = Network(3, "erf", 2.0, 0.5).on_sphere(4)
    found = precise_spectrum(kernel, 4, 4, digits=20).precise
    world = Arithmetic(30, balls=False).world()
    for l in (0, 3):
        truth = eigenvalue(4, l, lambda t: kernel.function(t, world))
        assert relative(found[l], truth) <= 1e-14  # that of the quadrature


def test_float64_is_the_same_rounded():
    found = precise_spectrum(Network(4).on_sphere(50), 50, 5, digits=20)
    assert [float(text) for text in found.precise] == found.eigenvalues.tolist()
    assert np.all(found.errors <= 2.3e-16 * found.eigenvalues)


def test_the_precision_of_the_user_is_left_alone():
    with mpmath.workdps(11):
        precise_spectrum(Network(2).on_sphere(3), 3, 2)
        assert mpmath.mp.dps == 11


def test_it_says_when_it_does_not_settle(monkeypatch):
    monkeypatch.setattr(precise, "HALVINGS", 2)
    with pytest.raises(OutOfRegime, match=r"25 digits are not settled.*Ask for fewer"):
        precise_spectrum(Network(4).on_sphere(50), 50, 10)


def test_a_kernel_that_is_not_positive():
    with pytest.raises(InvalidInput, match=r"not positive: eigenvalue -0.333.* at degree 1"):
        precise_spectrum(Kernel("bad", lambda t, xp: 2 - t), 3, 2)


def test_a_kernel_that_is_not_finite():
    with pytest.raises(InvalidInput, match="positive finite number"):
        precise_spectrum(Kernel("bad", lambda t, xp: t - xp.one), 3, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 2, 20), "dimension = 1"),
        ((3, -1, 20), "degrees = -1"),
        ((3, 2, 0), "digits = 0"),
        ((3, 2.5, 9), r"degrees = 2\.5"),
    ],
)
def test_bad_questions(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        precise_spectrum(Network(2).on_sphere(3), *arguments)


def test_a_multiplicity_beyond_floats():
    with pytest.raises(OutOfRegime, match="leaves the range of float64"):
        precise_spectrum(Network(2).on_sphere(3), 10_000, 300)


@pytest.mark.parametrize("d", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_float64_keeps_its_word_at_high_degrees(d):
    """Every eigenvalue of the accurate road, as small as 1e-45 of K(1), within its stated error."""
    kernel, degrees = Network(4).on_sphere(d), 100
    found, truth = spectrum(kernel, d, degrees), precise_spectrum(kernel, d, degrees, digits=18)
    assert agree(found.eigenvalues, truth.eigenvalues, found.errors)
    assert np.all(found.errors <= 1e-9 * truth.eigenvalues)


def test_a_formula_written_for_mpmath_alone():
    """It knows neither power series nor other numbers: floats for K(1), and mpmath."""

    def exponential(t, xp):
        if not isinstance(t, np.ndarray):
            raise TypeError
        if t.dtype != object:
            return np.exp(t)
        if not hasattr(t[0], "context"):
            raise TypeError
        return np.frompyfunc(lambda x: x.context.exp(x), 1, 1)(t)

    found = precise_spectrum(Kernel("exp", exponential), 5, 3, digits=20)
    other = precise_spectrum(Kernel("exp", lambda t, xp: xp.exp(t)), 5, 3, digits=20)
    assert found.precise == other.precise


def test_more_digits_than_a_float_has_exponents():
    found = precise_spectrum(Kernel("line", lambda t, xp: 1 + t), 3, 1, digits=320)
    assert found.precise[1].startswith("0." + 300 * "3")
