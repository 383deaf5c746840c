"""The one likelihood against a multivariate normal whose covariance is written out here."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit
from simulated import problem

from bayescale.models.catalog import list_models, load_model
from bayescale.models.density import Density


def matern(problem, tau):
    """Return tau^2 times the discrepancy's covariance, loop by loop from the design's sentence."""
    shape, n_runs = problem.spec.discrepancy, len(problem)
    n, d = (np.log(problem.inputs[name]) for name in ("n_params", "n_tokens"))
    off = np.minimum(np.abs(d - n - np.median(d - n)), 4.0)
    growth = shape.rho * ((n + d).max() - (n + d)) + shape.rho_tokens * (d.max() - d)
    sd = tau * np.exp(growth + shape.rho_ratio * off)
    covariance = np.empty((n_runs, n_runs))
    for i in range(n_runs):
        for j in range(n_runs):
            r = np.sqrt(3.0) * np.hypot(n[i] - n[j], d[i] - d[j]) / shape.length
            covariance[i, j] = sd[i] * sd[j] * (1.0 + r) * np.exp(-r)
    return covariance


def noise(problem, sigma):
    n_runs, correlation = len(problem), problem.spec.noise.trunk_correlation
    covariance = np.zeros((n_runs, n_runs))
    for i in range(n_runs):
        for j in range(n_runs):
            same = problem.trunks[i] != "" and problem.trunks[i] == problem.trunks[j]
            covariance[i, j] = 1.0 if i == j else correlation * same
    return covariance * (sigma**2 + problem.spec.noise.floor**2)


STUDENT_T = "chinchilla_plain_student_t_weak"


@pytest.mark.parametrize("trunks", [False, True])
@pytest.mark.parametrize("name", [name for name in list_models() if name != STUDENT_T])
def test_likelihood_is_a_multivariate_normal(name, trunks):
    group = problem(load_model(name), 25, 3, trunks=trunks)
    density = Density(group)
    draws = density.sample_prior(10, np.random.default_rng(1))
    values, log_loss = density.constrain(draws), density.log_loss(draws)
    likelihood = density(draws) - density.log_prior(draws)
    for row in range(len(draws)):
        covariance = noise(group, values["sigma"][row, 0])
        if group.spec.discrepancy is not None:
            covariance += matern(group, values["tau"][row, 0])
        normal = stats.multivariate_normal(log_loss[row], covariance, allow_singular=False)
        assert likelihood[row] == pytest.approx(normal.logpdf(group.log_loss), rel=1e-7, abs=1e-6)


def test_student_t_likelihood_is_scipys_product_over_runs():
    group = problem(load_model(STUDENT_T), 25, 3, trunks=True)
    density = Density(group)
    draws = density.sample_prior(10, np.random.default_rng(1))
    scale = np.sqrt(density.constrain(draws)["sigma"] ** 2 + group.spec.noise.floor**2)
    each = stats.t(4.0, density.log_loss(draws), scale).logpdf(group.log_loss)
    likelihood = density(draws) - density.log_prior(draws)
    np.testing.assert_allclose(likelihood, each.sum(axis=1), rtol=1e-9)


def test_prior_is_the_product_of_scipys_densities_on_the_sampling_coordinates():
    group = problem(load_model("chinchilla_gp_weak"))
    density = Density(group)
    x = density.sample_prior(50, np.random.default_rng(2))
    # Log and logit of the coefficients are normal, so the Jacobians cancel.
    means = [group.constants.level, 0.0, 0.0, -1.0498, -1.0498, -5.0, -4.2]
    sds = [0.5, 1.0, 1.0, 0.4, 0.4, 1.0, 0.4]
    np.testing.assert_allclose(density.log_prior(x), stats.norm(means, sds).logpdf(x).sum(axis=1))


def test_prior_on_the_floor_is_a_truncated_normal_of_the_floor():
    spec = load_model("chinchilla_plain_weak").with_priors(
        {"E": {"distribution": "Normal", "mu": 1.7, "sigma": 0.4}}
    )
    density = Density(problem(spec))
    x = density.sample_prior(2000, np.random.default_rng(3))
    values = density.constrain(x)
    floor, whole = values["E_share"] * values["loss_ref"], values["loss_ref"]
    cut = stats.truncnorm((0.0 - 1.7) / 0.4, (whole - 1.7) / 0.4, loc=1.7, scale=0.4)
    # A density on the logit of floor / whole: times whole, times share (1 - share).
    share = floor / whole
    other = stats.norm([density.problem.constants.level, 0.0, -1.0498, -1.0498, -5.0], [0.5, 1.0,
        0.4, 0.4, 1.0])  # fmt: skip
    expected = other.logpdf(np.delete(x, 1, axis=1)).sum(axis=1)
    expected += (cut.logpdf(floor) + np.log(whole * share * (1 - share)))[:, 0]
    np.testing.assert_allclose(density.log_prior(x), expected, rtol=1e-9)
    p = cut.cdf(floor)[:, 0]
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_prior_quantiles_invert_the_prior():
    density = Density(problem(load_model("coupled_gp_weak")))
    p = np.array([[0.1] * 8, [0.5] * 8, [0.9] * 8])
    x = density.prior_quantiles(p)
    assert x[1, 1] == pytest.approx(logit(0.5))
    assert expit(x[2, 2]) == pytest.approx(expit(stats.norm.ppf(0.9)))
    assert x[0, 3] == pytest.approx(-1.0498 + 0.4 * stats.norm.ppf(0.1))


def test_trunks_without_a_second_row_leave_the_runs_independent():
    group = problem(load_model("chinchilla_plain_weak"), 12)
    lonely = replace(group, trunks=np.array([f"t{k}" for k in range(12)]))
    assert lonely.whitening.rotation is None


def test_density_is_minus_infinity_where_it_is_not_defined():
    density = Density(problem(load_model("chinchilla_plain_weak")))
    x = density.prior_quantiles(np.full((1, 6), 0.5))
    x[0, 0] = np.nan
    assert density(x)[0] == -np.inf
