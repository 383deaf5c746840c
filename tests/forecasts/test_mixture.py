"""Mixtures of normals against root finding, integration and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from bayescale.forecasts.forecast import LEVELS
from bayescale.forecasts.mixture import Mixture


def exact_quantile(mixture: Mixture, p: float, column: int) -> float:
    mean, sd = mixture.mean[:, column], np.sqrt(mixture.variance[:, column])
    return brentq(lambda x: norm.cdf(x, mean, sd).mean() - p, mean.min() - 9, mean.max() + 9)


def posterior_like(n_components: int, spread: float, sd: float, seed: int = 0) -> Mixture:
    rng = np.random.default_rng(seed)
    mean = 0.8 + spread * rng.standard_t(6, size=(n_components, 3))
    return Mixture(mean, (sd * np.exp(0.3 * rng.normal(size=mean.shape))) ** 2)


@pytest.mark.parametrize(
    ("n_components", "spread", "sd"), [(1000, 0.03, 0.01), (1000, 0.001, 0.02), (200, 0.05, 0.004)]
)
def test_quantiles_are_the_roots_of_the_distribution_function(n_components, spread, sd):
    mixture = posterior_like(n_components, spread, sd)
    found = mixture.quantile(np.array(LEVELS))
    exact = [[exact_quantile(mixture, p, k) for k in range(3)] for p in LEVELS]
    assert np.abs(found - exact).max() < 1e-4 * np.hypot(spread, sd)


@pytest.mark.parametrize(
    ("n_components", "p"), [(1, 0.975), (1, 0.95), (1000, 0.999), (1000, 0.0005)]
)
def test_quantiles_far_out_and_of_few_components(n_components, p):
    mixture = posterior_like(n_components, 0.001, 0.02)
    found = mixture.quantile(np.array([p]))[0]
    exact = [exact_quantile(mixture, p, k) for k in range(3)]
    assert np.abs(found - exact).max() < 1e-3 * 0.02


def test_quantiles_come_in_the_order_asked():
    mixture = posterior_like(500, 0.03, 0.01)
    p = np.array([0.9, 0.1, 0.5])
    assert np.array_equal(mixture.quantile(p), mixture.quantile(np.sort(p))[[2, 0, 1]])


def test_cdf_and_pdf_are_means_over_components():
    mixture = posterior_like(50, 0.05, 0.02)
    x = np.array([0.7, 0.8, 0.95])
    sd = np.sqrt(mixture.variance)
    assert np.allclose(mixture.cdf(x), norm.cdf(x, mixture.mean, sd).mean(axis=0), rtol=1e-12)
    assert np.allclose(mixture.pdf(x), norm.pdf(x, mixture.mean, sd).mean(axis=0), rtol=1e-12)


def test_moments_are_those_of_the_loss_not_of_its_logarithm():
    mixture = Mixture(np.array([[0.9], [1.1]]), np.array([[0.02], [0.05]]))

    def moment(power: int) -> float:
        density = [norm(0.9, np.sqrt(0.02)).pdf, norm(1.1, np.sqrt(0.05)).pdf]
        return quad(lambda x: np.exp(power * x) * 0.5 * sum(d(x) for d in density), -3, 5)[0]

    mean, sd = mixture.moments()
    assert mean[0] == pytest.approx(moment(1), rel=1e-8)
    assert sd[0] == pytest.approx(np.sqrt(moment(2) - moment(1) ** 2), rel=1e-7)
