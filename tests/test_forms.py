"""Values a user looks at have plain data, a picture, and a form in a notebook."""

import json

import numpy as np
import pytest

import fieldtheory as ft

VALUES = (
    ft.Target.polynomial("x0^3", 3),
    ft.VectorTarget.polynomials(["x0", "x0*x1"], 4),
    ft.zonal_power(np.sign, 3, 3),
    ft.torus_modes(lambda delta: np.exp(np.cos(delta[..., 0])), 1, points=64),
    ft.depth_flow(ft.Network(3), 5),
    ft.phase_diagram("erf", chi=[0.5, 1.0]),
    ft.spectrum(ft.standard_kernel("rbf"), 3, degrees=2),
)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_value_has_its_forms(value):
    assert json.loads(json.dumps(value.to_dict(), allow_nan=False))["version"] == ft.__version__
    assert value._repr_html_().startswith("<pre>")
    picture = value.picture()
    assert all(len(line.x) == len(line.y) > 0 for line in picture.lines)


def test_a_batch_and_a_fixed_point_are_plain_data():
    batch = ft.spectra(ft.Network(2), 5, 2).to_dict()
    assert np.shape(batch["eigenvalues"]) == (1, 3)
    assert np.shape(batch["gradients"]) == (1, 3, 2)
    assert json.dumps(ft.RepeatedLayer("erf", 2.0, 0.1).fixed_point().to_dict(), allow_nan=False)
