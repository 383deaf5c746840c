"""Scores against numerical integration, simulation and a library."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gaussian_kde, norm

from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.scores import (
    COVERAGES,
    MEASURES,
    crps_draws,
    crps_mixture,
    log_density,
    score_points,
    smoothed,
)


def mixture(n_components: int, seed: int = 0, spread: float = 0.04) -> Mixture:
    rng = np.random.default_rng(seed)
    mean = 1.0 + spread * rng.standard_t(5, size=(n_components, 2))
    return Mixture(mean, (0.01 * np.exp(0.4 * rng.normal(size=mean.shape))) ** 2)


def integrated_crps(given: Mixture, actual: float, column: int) -> float:
    mean, sd = given.mean[:, column], np.sqrt(given.variance[:, column])

    def squared(x: float) -> float:
        return float((norm.cdf(x, mean, sd).mean() - (x >= actual)) ** 2)

    ends = mean.min() - 9 * sd.max(), actual, mean.max() + 9 * sd.max()
    parts = [quad(squared, *pair, limit=500)[0] for pair in pairwise(ends)]
    return sum(parts)


@pytest.mark.parametrize("n_components", [1, 2, 7, 33])
def test_crps_of_few_components_is_the_integral(n_components):
    given, actual = mixture(n_components), np.array([0.97, 1.08])
    found = crps_mixture(given, actual)
    exact = [integrated_crps(given, actual[k], k) for k in range(2)]
    assert np.allclose(found, exact, rtol=1e-6)


@pytest.mark.parametrize("n_components", [200, 1000])
@pytest.mark.parametrize("spread", [0.001, 0.04])
def test_crps_of_many_components_is_near_the_integral(n_components, spread):
    given, actual = mixture(n_components, spread=spread), np.array([0.97, 1.02])
    found = crps_mixture(given, actual)
    exact = [integrated_crps(given, actual[k], k) for k in range(2)]
    assert np.allclose(found, exact, rtol=3e-3)


def test_crps_of_one_normal_is_the_textbook_formula():
    given = Mixture(np.array([[0.3]]), np.array([[0.04]]))
    z = (0.7 - 0.3) / 0.2
    textbook = 0.2 * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    assert crps_mixture(given, np.array([0.7]))[0] == pytest.approx(textbook, rel=1e-12)


def test_crps_of_draws_is_the_mean_over_pairs():
    rng = np.random.default_rng(1)
    draws, actual = rng.normal(size=(60, 3)), np.array([0.0, 2.0, -1.0])
    pairs = np.abs(draws[:, None] - draws[None]).mean(axis=(0, 1))
    exact = np.abs(draws - actual).mean(axis=0) - 0.5 * pairs
    assert np.allclose(crps_draws(draws, actual), exact, rtol=1e-12)


@pytest.mark.slow
def test_crps_agrees_with_a_library():
    library = pytest.importorskip("scoringrules", reason="the oracle of the extra `dev`")
    rng, given = np.random.default_rng(2), mixture(20)
    draws, actual = rng.normal(size=(80, 2)), np.array([0.97, 1.08])
    found = library.crps_mixnorm(actual, given.mean.T, np.sqrt(given.variance).T)
    assert np.allclose(crps_mixture(given, actual), found, rtol=1e-9)
    found = library.crps_ensemble(actual, draws.T, estimator="nrg")
    assert np.allclose(crps_draws(draws, actual), found, rtol=1e-9)


def test_crps_is_proper():
    """The distribution that makes the data scores best on average."""
    rng = np.random.default_rng(3)
    actual = rng.normal(0.0, 1.0, 4000)

    def mean_crps(shift: float, sd: float) -> float:
        ones = np.ones((1, len(actual)))
        return float(crps_mixture(Mixture(shift * ones, sd**2 * ones), actual).mean())

    best = mean_crps(0.0, 1.0)
    for shift, sd in [(0.2, 1.0), (-0.2, 1.0), (0.0, 0.7), (0.0, 1.4)]:
        assert mean_crps(shift, sd) > best


def test_log_density_is_that_of_the_mixture():
    given, x = mixture(40), np.array([0.99, 1.05])
    assert np.allclose(log_density(given, x), np.log(given.pdf(x)), rtol=1e-10)
    assert np.isfinite(log_density(given, np.array([99.0, -99.0]))).all()


def test_draws_are_smoothed_by_silvermans_rule():
    draws = np.random.default_rng(4).normal(size=(500, 1))
    x = np.array([0.3])
    library = gaussian_kde(draws[:, 0], bw_method="silverman").logpdf(x)
    assert log_density(smoothed(draws), x) == pytest.approx(library, abs=0.05)
    assert smoothed(np.ones((50, 2))).variance.min() == pytest.approx(4e-4**2)


def test_scores_of_one_point_by_hand():
    given = Mixture(np.array([[1.0]]), np.array([[0.01]]))
    found = score_points(given, np.array([1.15]))  # z = 1.5
    assert tuple(found) == MEASURES
    inside = [bool(found[f"coverage_{100 * level:.0f}"][0]) for level in COVERAGES]
    assert inside == [False, False, True, True]
    assert found["abs_error"][0] == pytest.approx(0.15)
    assert found["bias"][0] == pytest.approx(-0.15)
    assert found["width_90"][0] == pytest.approx(2 * 1.644854 * 0.1, rel=1e-5)
    assert found["log_score"][0] == pytest.approx(norm.logpdf(1.15, 1.0, 0.1))


def test_bias_is_positive_where_the_loss_was_over_predicted():
    draws = np.full((10, 1), 2.0) + 1e-3 * np.arange(10)[:, None]
    assert score_points(draws, np.array([1.0]))["bias"][0] > 0


@pytest.mark.parametrize("as_draws", [False, True])
def test_a_true_model_is_covered_as_often_as_it_says(as_draws):
    rng, given = np.random.default_rng(6), mixture(200)
    wide = Mixture(np.repeat(given.mean, 600, axis=1), np.repeat(given.variance, 600, axis=1))
    pick = rng.integers(0, 200, wide.mean.shape[1])
    column = np.arange(wide.mean.shape[1])
    actual = rng.normal(wide.mean[pick, column], np.sqrt(wide.variance[pick, column]))
    draws = rng.normal(wide.mean, np.sqrt(wide.variance))
    found = score_points(draws if as_draws else wide, actual)
    for level in COVERAGES:
        error = 4 * np.sqrt(level * (1 - level) / len(actual)) + (0.01 if as_draws else 0.0)
        assert abs(found[f"coverage_{100 * level:.0f}"].mean() - level) < error
