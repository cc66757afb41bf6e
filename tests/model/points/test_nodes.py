"""As few nodes as tell the others, and no fewer."""

import numpy as np

from fieldtheory.model.diagrams.fixed import pieces
from fieldtheory.model.points.nodes import Nodes, through
from tests.tolerance import agree, asymptotic, rounding

SIZES = np.array([20.0, 60.0, 180.0])


def followed(function, sizes, counted=(0,)):
    """Values at the sizes, which of them have any, and the means that were asked for."""
    asked = []

    def row(eta):
        asked.append(eta)
        return function(eta)

    found, solved = np.full((sizes.size, 2), np.nan), np.zeros(sizes.size, dtype=bool)

    def answers(smooth):
        return smooth.poisson(sizes[(sizes > np.exp(smooth.low)) & (sizes < np.exp(smooth.high))])

    for smooth, inside in pieces(Nodes(row, answers, counted), sizes, accuracy=1e-3):
        found[inside], solved[inside] = smooth.poisson(sizes[inside]), True
    return found, solved, asked


def curve(eta):
    return np.array([(1 + eta / 50) ** -0.7, 2 + np.cos(2 * np.log(eta))])


def test_a_plain_curve_takes_few():
    """Five for one size, nine for a decade; more where another one that counts bends more."""
    truth = np.array([curve(n) for n in SIZES])
    for some, nodes in ((slice(1, 2), 5), (slice(3), 9)):
        found, solved, asked = followed(curve, SIZES[some])
        assert solved.all()
        assert len(asked) == len(set(asked)) == nodes
        assert agree(found[:, 0], truth[some][:, 0], asymptotic(1e-5))
    found, _, asked = followed(curve, SIZES, (0, 1))
    assert len(asked) > 9
    assert agree(found, truth, asymptotic(1e-3))


def test_a_curve_with_a_bend_takes_many():
    def bent(eta):
        return np.array([1 + (np.log(eta / 60) ** 2 + 0.3) ** 0.5, 1.0])

    found, _, asked = followed(bent, SIZES)
    assert len(asked) > 9
    assert agree(found, np.array([bent(n) for n in SIZES]), asymptotic(2e-3))


def test_a_hole_is_left_to_the_pieces():
    def holed(eta):
        return np.zeros(0) if 30 < eta < 90 else curve(eta)

    found, solved, _ = followed(holed, SIZES)
    assert solved.tolist() == [True, False, True]
    truth = np.array([curve(n) for n in SIZES])
    assert agree(found[[0, 2], 0], truth[[0, 2], 0], asymptotic(1e-4))


def test_a_polynomial_goes_through_all():
    eta = np.array([1.0, 3.0, 4.0, 20.0])
    rows = np.array([[n**2, np.log(n) - 1] for n in eta])
    smooth = through(eta, rows)
    assert smooth.logarithmic.tolist() == [True, False]
    assert agree(smooth.poisson(eta), rows, rounding(400.0))
    assert agree(smooth.poisson(np.array([7.0]))[0], [49.0, np.log(7) - 1], rounding(49.0, 10))
