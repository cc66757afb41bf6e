"""Determinants, traces and fits on given points, against sums over all training sets."""

from itertools import combinations, product

import numpy as np
import pytest

from fieldtheory.ground.errors import InvalidInput, OutOfRegime
from fieldtheory.model.labelled import Labelled
from fieldtheory.model.observed import FIELDS
from fieldtheory.model.points import evidence
from fieldtheory.model.points import observables as module
from fieldtheory.model.points.finite import Measure
from fieldtheory.model.points.observables import observed
from fieldtheory.model.points.placed import often, once
from tests.oracles.mutation import spoil, survives
from tests.oracles.poisson import poisson_counts
from tests.tolerance import agree, asymptotic, rounding

PLACES = np.linspace(-2, 2, 7)
KERNEL = np.exp(-0.5 * (PLACES[:, None] - PLACES) ** 2)
LABELS = np.stack([np.sin(2 * PLACES) + PLACES, np.cos(PLACES)], axis=1)
NAMES = (*FIELDS, "log_evidence")
FAR = {0.06: 1, 0.5: 0}  # correlations of two places, and whether only their first words are taken
COUNTS = 1e-4  # what two nodes leave of all counts above zero


def one(K, g, chosen, ridge, noise=0.0, unseen=False):
    """FIELDS with the residuals summed, and the trace of A, of one training set."""
    chosen = list(chosen)
    A = np.linalg.inv(K[np.ix_(chosen, chosen)] + ridge * np.eye(len(chosen)))
    labels = g[chosen] @ g[chosen].T + noise * g.shape[1] * np.eye(len(chosen))
    left = np.diag(K - K[:, chosen] @ A @ K[chosen])
    left = np.delete(left, chosen) if unseen else left
    return np.array(
        [
            np.mean(left),
            np.sum(A * K[np.ix_(chosen, chosen)]),
            ridge**2 * np.sum(A @ A * labels),
            np.sum(A * labels),
            -np.linalg.slogdet(A)[1],
            np.trace(A),
        ]
    )


def often_there(K, g, eta, ridge):
    """The mean over a Poisson number of samples."""
    counts, weights = poisson_counts(np.full(len(K), 1 / len(K)), eta)
    some = weights > 1e-10
    rows = [one(K, g, np.repeat(np.arange(len(K)), n), ridge) for n in counts[some]]
    return weights[some] @ np.array(rows)


def two_places(correlation=0.5, ridge=0.2):
    """Pairs of places are all there is on two of them: exact, each there once or not."""
    K, g = np.array([[1.0, correlation], [correlation, 0.7]]), np.array([[1.0], [-0.4]])
    found = once(Measure.of(K), 1.2, ridge)
    sets = [([], 0.16), ([0], 0.24), ([1], 0.24), ([0, 1], 0.36)]
    truth = sum(share * one(K, g, some, ridge) for some, share in sets)
    T = found.self_energy @ found.residual(np.eye(2))
    beyond = correlation * FAR[correlation]  # the words after the first between far places
    logs = evidence.log_determinant(found, Measure.of(K))
    assert agree(logs, truth[4], asymptotic(beyond**6) + rounding(1.0, 1000))
    budget = asymptotic(beyond**5) + rounding(1.0, 1000)
    assert agree(evidence.trace_of_product(found), truth[1], budget)
    assert agree(evidence.data_fit(found, g), truth[3], budget)
    assert agree(np.trace(T), truth[5], budget)


def two_places_many_times():
    """A Poisson number of each; the counts above zero are two nodes."""
    K, g, mean = np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([[1.0], [-0.4]]), np.array([1.0, 1.0])
    found, truth = often(Measure.of(K), 2.0, 0.2), often_there(K, g, 2.0, 0.2)
    logs = evidence.log_determinant(found, Measure.of(K)) + evidence.repeated(found, mean, 0.2)
    assert agree(logs, truth[4], asymptotic(COUNTS))
    assert agree(evidence.trace_of_product(found), truth[1], asymptotic(COUNTS))
    assert agree(evidence.data_fit(found, g), truth[3], asymptotic(COUNTS))


@pytest.mark.parametrize("ridge", [1e-6, 0.2, 30.0])
@pytest.mark.parametrize("correlation", [0.06, 0.5])
def test_two_places(correlation, ridge):
    two_places(correlation, ridge)


def test_two_places_many_times():
    two_places_many_times()


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        ("log_determinant", "+ 1 - alone * own", "+ 1"),
        ("log_determinant", "- trace_of_product(found)", ""),
        ("_near", "- 2 * gamma * c", "- gamma * c"),
        ("_near", "u * s * gamma**2", "gamma**2"),
        ("_near", "np.log1p(-(c**2) / (mine * there))", "0"),
        ("_far", "/ 4", "/ 2"),
        ("data_fit", "found.residual(target)", "target"),
        ("repeated", "np.expm1(-one)", "0"),
        ("repeated", "ridge * alone[some]", "alone[some]"),
    ],
)
def test_spoilt_formulas_are_seen(function, old, new, monkeypatch):
    spoil(monkeypatch, getattr(evidence, function), old, new)
    if function == "repeated":
        assert not survives(two_places_many_times)
    else:
        assert not survives(two_places if function != "_far" else lambda: two_places(0.06))


def exact(size, ridge, noise, tested):
    """The mean over all training sets of one size, residuals as a mean, and the log evidence."""
    range_of = range(len(KERNEL))
    pool = tested == "pool"
    sets = product(range_of, repeat=size) if pool else combinations(range_of, size)
    rows = [one(KERNEL, LABELS, some, ridge, noise, not pool)[:5] for some in sets]
    truth = np.mean(rows, axis=0)
    truth[2] /= size
    volume = LABELS.shape[1] * (truth[4] + size * np.log(2 * np.pi))
    return np.append(truth, -(truth[3] + volume) / 2)


def every_training_set(tested="pool", sizes=(2, 4), ridge=0.3, noise=0.05):
    """Seven points in a row; twice what is said, where samples are as few as two."""
    data = Labelled(PLACES[:, None], LABELS, tested=tested)
    found = observed(data, KERNEL, sizes, ridge, noise)
    for i, size in enumerate(sizes):
        truth = exact(size, ridge, noise, tested)
        for name, value in zip(NAMES, truth, strict=True):
            unsure = found.uncertainties[name][i]
            assert unsure < 0.25 * abs(value)
            assert agree(getattr(found, name)[i], value, asymptotic(unsure))


@pytest.mark.parametrize("tested", ["pool", "unseen"])
def test_every_training_set(tested):
    every_training_set(tested)


@pytest.mark.parametrize(
    ("tested", "owner", "old", "new"),
    [
        ("pool", "_Often", "-(s2**2)", "-s2"),
        ("pool", "_Often", "trace + np.sum((C", "trace - np.sum((C"),
        ("pool", "_Often", "+ self.variance * trace", ""),
        ("unseen", "_Once", "self.variance * (W.T @ W)", "0"),
        ("unseen", "_Once", "self.variance * np.sum(W * S)", "0"),
        ("unseen", "_Once", "np.mean(found.sites.empty)", "np.mean(np.diag(C))"),
    ],
)
def test_spoilt_columns_are_seen(tested, owner, old, new, monkeypatch):
    spoil(monkeypatch, getattr(module, owner).columns, old, new)
    assert not survives(lambda: every_training_set(tested, noise=0.3))


def test_a_poisson_number_is_the_solution():
    K, g = KERNEL[::3, ::3], LABELS[::3]
    data = Labelled(PLACES[::3, None], g)
    found, truth = observed(data, K, [3], 0.3, ensemble="poisson"), often_there(K, g, 3.0, 0.3)
    truth[2] /= 3
    for name, value in zip(FIELDS, truth[:5], strict=True):
        assert agree(getattr(found, name)[0], value, found.uncertainties[name] + COUNTS)


def test_without_a_ridge_unseen_points_are_fitted():
    data = Labelled(PLACES[:, None], LABELS, tested="unseen")
    found = observed(data, KERNEL, [3], 0.0)
    assert agree(found.train_error, 0, 0)
    assert agree(found.effective_dimension, 3, asymptotic(1e-4))
    assert np.all(np.isfinite(found.log_evidence))
    near = observed(data, KERNEL, [3], 1e-9)
    assert agree(near.data_fit, found.data_fit, asymptotic(1e-3 * found.data_fit))


def test_more_samples_than_pairs_are_asked_for():
    """Every place is there many times over: one at a time."""
    found = observed(Labelled(PLACES[:, None], LABELS), KERNEL, [300], 0.3, 0.05)
    learnt = np.linalg.eigvalsh(KERNEL) / (np.linalg.eigvalsh(KERNEL) + 0.3 * 7 / 300)
    assert agree(found.effective_dimension, learnt.sum(), found.uncertainties[NAMES[1]])
    assert agree(found.train_error, 2 * 0.05, found.uncertainties["train_error"])


def test_questions_without_an_answer():
    data = Labelled(PLACES[:, None], LABELS)
    others = Labelled(PLACES[:, None], LABELS, tested="unseen")
    with pytest.raises(OutOfRegime, match="a point drawn twice makes"):
        observed(data, KERNEL, [2], 0.0)
    with pytest.raises(OutOfRegime, match="points 0 and 1 are one to the kernel"):
        observed(data, np.ones((7, 7)), [2], 0.1)
    with pytest.raises(OutOfRegime, match="Ask for at most 6"):
        observed(others, KERNEL, [7], 0.1)
    with pytest.raises(InvalidInput, match="unknown ensemble 'poisson'"):
        observed(others, KERNEL, [2], 0.1, ensemble="poisson")
