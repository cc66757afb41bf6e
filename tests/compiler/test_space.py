"""Spaces: multiplicities and functions against other definitions, quadratures against exactness."""

import subprocess
import sys
from itertools import islice, product
from math import comb, prod

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtheory.compiler.space import circle, hypercube, sphere, torus, wave_vectors
from fieldtheory.ground.errors import InvalidInput
from fieldtheory.model.measures.sphere import harmonics, multiplicity
from tests.tolerance import agree, rounding

SPACES = [circle(), sphere(3), sphere(5), sphere(50), torus(1), torus(2), torus(3), hypercube(5)]


@pytest.mark.parametrize("space", SPACES, ids=str)
@given(last=st.integers(0, 4), more=st.integers(0, 3))
def test_functions_are_orthogonal_with_norm_one_over_the_multiplicity(space, last, more):
    degrees = space.entries(last)
    basis = space.basis(degrees, 2 * last + more)
    gram = (basis.functions * basis.weights) @ basis.functions.T
    assert agree(gram, np.diag(1 / basis.multiplicities), rounding(1))
    assert agree(basis.weights.sum(), 1, rounding(1))
    assert np.all(basis.weights > 0)
    assert basis.functions.shape == (degrees, space.nodes(2 * last + more))
    assert space.shells(degrees) == last


@pytest.mark.parametrize("dimension", [2, 3, 4, 7, 50, 1000])
def test_the_sphere_has_the_harmonics_of_the_model_floor(dimension):
    """Recurrence of the orthonormal polynomials here, of P_l and exact binomials there."""
    basis = sphere(dimension).basis(12, 40)
    exact = np.array([float(multiplicity(dimension, l)) for l in range(12)])
    assert agree(basis.multiplicities / exact, 1, rounding(1))
    t = basis.functions[1]  # P_1(t) = t
    other = np.array(list(islice(harmonics(dimension, t), 12)))
    assert agree(basis.functions, other, rounding(1))


@pytest.mark.parametrize(("dimension", "power"), [(2, 8), (3, 10), (6, 4), (50, 6), (50, 12)])
def test_moments_of_the_cosine(dimension, power):
    """E[t^2m] = 1 3 5 ... (2m-1) / (d (d+2) ...), for as many nodes as it takes and no fewer."""
    top = prod(range(1, power, 2))
    truth = top / prod(range(dimension, dimension + power, 2))
    enough, few = (sphere(dimension).basis(2, total) for total in (power, power - 2))
    assert agree(enough.weights @ enough.functions[1] ** power, truth, rounding(truth))
    assert not agree(few.weights @ few.functions[1] ** power, truth, rounding(truth))


def test_weights_keep_their_relative_accuracy():
    """In high dimension the outer weights are smaller than the rounding of one, and products of
    functions large there: Gauss' weight by mpmath, from the polynomials at fifty digits."""
    d, nodes = 50, 40
    basis = sphere(d).basis(2, 2 * nodes - 1)
    with mpmath.workdps(50):
        t = mpmath.mpf(float(basis.functions[1].max()))
        a = mpmath.mpf(d) / 2 - 1

        def polynomial(n, x):
            return mpmath.gegenbauer(n, a, x)

        t = mpmath.findroot(lambda x: polynomial(nodes, x), t)
        before, now, total = mpmath.mpf(0), mpmath.mpf(1), mpmath.mpf(1)
        b = [mpmath.sqrt(l * (l + d - 3) / mpmath.mpf((2 * l + d - 2) * (2 * l + d - 4)))
             for l in range(1, nodes)]  # fmt: skip
        for l, step in enumerate(b):
            before, now = now, (t * now - (b[l - 1] * before if l else 0)) / step
            total += now**2
    assert float(1 / total) < np.finfo(float).eps / 10
    assert agree(basis.weights.min() * float(total), 1, rounding(1, 100))


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 6))
def test_what_is_exact_and_what_is_not(one, two, slack):
    """P_a P_b integrates to its value when degrees a + b are asked for."""
    for space in (circle(), sphere(4), torus(1)):
        basis = space.basis(5, one + two + slack)
        found = basis.weights @ (basis.functions[one] * basis.functions[two])
        assert agree(found, (one == two) / basis.multiplicities[one], rounding(1))
    low = torus(1).basis(5, 3)
    assert not agree(low.weights @ low.functions[4], 0, rounding(1))


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=6))
def test_to_the_angle_and_back(coefficients):
    for space in (sphere(3), sphere(20), torus(2)):
        basis = space.basis(len(coefficients), 2 * space.shells(len(coefficients)))
        values = basis.to_angles(np.array(coefficients))
        assert agree(basis.to_degrees(values), coefficients, rounding(10))


def test_the_torus_with_one_angle_is_the_circle():
    ring, round_ = torus(1).basis(5, 8), circle().basis(5, 8)
    assert np.array_equal(ring.multiplicities, round_.multiplicities)
    for power in (2, 4, 8):
        one, two = (b.weights @ b.functions[1] ** power for b in (ring, round_))
        assert agree(one, two, rounding(1))


def test_wave_vectors_come_by_shells_and_one_of_each_pair():
    vectors = wave_vectors(3, 2)
    assert len(vectors) == (5**3 + 1) // 2
    assert not {tuple(-n for n in v) for v in vectors} & set(vectors) - {(0, 0, 0)}
    assert wave_vectors(3, 1) == vectors[: (3**3 + 1) // 2]


def test_the_hypercube_by_its_corners():
    n = 4
    basis = hypercube(n).basis(n + 1, 0)
    corners = np.array(list(product([1, -1], repeat=n)))
    for l in range(n + 1):
        signs = [
            np.prod(corners[:, list(chosen)], axis=1)
            for chosen in product(range(n), repeat=l)
            if list(chosen) == sorted(set(chosen))
        ]
        assert len(signs) == basis.multiplicities[l]
        kernel = sum(np.outer(s, s) for s in signs)[0]
        apart = np.sum(corners != 1, axis=1)
        assert agree(kernel, basis.multiplicities[l] * basis.functions[l][apart], rounding(10))
    assert agree(basis.weights, [comb(n, t) / 2**n for t in range(n + 1)], rounding(1))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sphere(1), "dimension = 1: give a whole number, at least 2"),
        (lambda: torus(0), "axes = 0"),
        (lambda: hypercube(2.5), "bits = 2.5"),
        (lambda: sphere(3).basis(0, 2), "degrees = 0"),
        (lambda: sphere(3).basis(2, -1), "total = -1"),
        (lambda: sphere(10_000).basis(400, 2), "exceeds the range of floats beyond degree"),
        (lambda: hypercube(3).basis(5, 0), "3 bits have degrees 0 to 3"),
    ],
)
def test_bad_spaces_are_refused(make, says):
    with pytest.raises(InvalidInput, match=says):
        make()


def test_arrays_are_read_only_and_kept():
    basis = sphere(3).basis(3, 4)
    assert not basis.functions.flags.writeable
    assert sphere(3).basis(3, 4) is basis
    assert sphere(3) == sphere(3) != sphere(4)


def test_spaces_do_not_load_sympy():
    code = "import sys, fieldtheory.compiler.space; print('sympy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "False", run.stderr
