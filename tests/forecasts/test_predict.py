"""Predictive means, variances and joint draws against formulas written out with matrix inverses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayescale import fit, forecast, load_model
from bayescale.forecasts.mixture import Mixture
from bayescale.forecasts.predict import predict, predictive_draws

REFERENCE_DRAWS = (0, 57, 199)


def matern(a: np.ndarray, b: np.ndarray, length: float) -> np.ndarray:
    distance = np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))
    return (1 + np.sqrt(3) * distance / length) * np.exp(-np.sqrt(3) * distance / length)


def textbook(posterior, inputs, draw: int, correlation: np.ndarray | None = None):
    """Return law, mean and covariance of the discrepancy, and improvement, by plain inverses."""
    problem, spec = posterior.problems[0], posterior.spec.discrepancy
    value = {name: v.reshape(-1)[draw] for name, v in posterior.draws.items()}
    edge = max(np.log(problem.inputs["n_params"] * problem.inputs["n_tokens"]))

    def law(n, d):
        scaled = {"n_params": n, "n_tokens": d}
        at = {k: v / problem.constants.reference[k] for k, v in scaled.items()}
        return np.log(problem.law.evaluate(at, value))

    def place(at):
        return np.log(np.column_stack([at["n_params"], at["n_tokens"]]))

    fitted = place(problem.inputs)
    most, median = fitted[:, 1].max(), np.median(fitted[:, 1] - fitted[:, 0])

    def growth(x):
        rate = spec.rho * np.maximum(edge - x.sum(axis=1), 0.0)
        rate = rate + spec.rho_tokens * np.maximum(most - x[:, 1], 0.0)
        off = np.minimum(np.abs(x[:, 1] - x[:, 0] - median), 4.0)
        return np.exp(rate + spec.rho_ratio * off)

    def covariance(a, b):
        grow = [growth(x) for x in (a, b)]
        return value["tau"] ** 2 * matern(a, b, spec.length) * grow[0][:, None] * grow[1]

    new = place(inputs)
    noise = value["sigma"] ** 2 + posterior.spec.noise.floor**2
    own = np.eye(len(fitted)) if correlation is None else correlation
    inverse = np.linalg.inv(covariance(fitted, fitted) + noise * own)
    gain = covariance(new, fitted) @ inverse
    residual = problem.log_loss - law(problem.inputs["n_params"], problem.inputs["n_tokens"])
    at = law(inputs["n_params"], inputs["n_tokens"])
    back = np.exp(np.maximum(new.sum(axis=1) - edge, 0.0) / 2)
    improvement = law(inputs["n_params"] / back, inputs["n_tokens"] / back) - at
    surface = covariance(new, new) - gain @ covariance(fitted, new)
    return at, at + gain @ residual, surface, improvement, noise


@pytest.mark.parametrize("draw", REFERENCE_DRAWS)
def test_gaussian_process_is_conditioned_as_in_the_textbook(posterior, targets, draw):
    inputs = {name: targets[name].to_numpy() for name in targets}
    parts = predict(posterior, 0, inputs)
    law, mean, surface, improvement, noise = textbook(posterior, inputs, draw)
    assert np.allclose(parts.law[draw], law, rtol=0, atol=1e-12)
    assert np.allclose(parts.mean[draw], mean, rtol=0, atol=1e-9)
    assert np.allclose(parts.discrepancy[draw], np.diag(surface), rtol=1e-7, atol=1e-12)
    assert np.allclose(parts.improvement[draw], improvement, rtol=0, atol=1e-12)
    assert parts.noise[draw, 0] == pytest.approx(noise, rel=1e-12)
    total = np.diag(surface) + (posterior.spec.discrepancy.kappa * improvement) ** 2 + noise
    assert np.allclose(parts.variance[draw], total, rtol=1e-7)


def test_shared_trunks_correlate_the_noise(runs, targets):
    trunks = [f"trunk{k // 3}" if k < 18 else "" for k in range(len(runs))]
    posterior = fit(runs.assign(trunk=trunks), "chinchilla_gp_weak", draws=20)
    inputs = {name: targets[name].to_numpy() for name in targets}
    same = np.array([[a == b and a != "" for b in trunks] for a in trunks])
    correlation = np.where(same, posterior.spec.noise.trunk_correlation, 0.0)
    np.fill_diagonal(correlation, 1.0)
    parts = predict(posterior, 0, inputs)
    _, mean, surface, *_ = textbook(posterior, inputs, 7, correlation)
    assert np.allclose(parts.mean[7], mean, rtol=0, atol=1e-9)
    assert np.allclose(parts.discrepancy[7], np.diag(surface), rtol=1e-6, atol=1e-12)


def test_without_a_discrepancy_the_law_and_the_noise_are_all(runs, targets):
    posterior = fit(runs, "chinchilla_plain_weak", draws=50)
    inputs = {name: targets[name].to_numpy() for name in targets}
    parts = predict(posterior, 0, inputs)
    assert np.array_equal(parts.mean, parts.law)
    assert np.array_equal(parts.variance, np.broadcast_to(parts.noise, parts.law.shape))


def test_all_improvement_arrives_inside_the_fitted_compute(posterior):
    inside = {"n_params": np.array([1e8, 1e9]), "n_tokens": np.array([1e10, 4e10])}
    assert np.abs(predict(posterior, 0, inside).improvement).max() < 1e-12


def test_a_surface_known_at_a_run_is_almost_certain_there(runs):
    spec = load_model("chinchilla_gp_weak")
    posterior = fit(runs, spec, draws=50)
    at = {name: runs[name].to_numpy()[:1] for name in ("n_params", "n_tokens")}
    parts = predict(posterior, 0, at)
    assert (parts.discrepancy <= parts.noise * (1 + 1e-6)).all()


def test_joint_draws_have_the_marginals_of_the_mixture(posterior, targets):
    made = forecast(posterior, targets, warn=False)
    draws = np.log(made.draws(40_000, seed=3))
    for p in (0.05, 0.25, 0.5, 0.75, 0.95):
        share = (draws <= made.mixture.quantile(np.array([p]))).mean(axis=0)
        # Posterior draws are taken in turn, so the binomial error is an upper bound.
        assert np.abs(share - p).max() < 4.5 * np.sqrt(p * (1 - p) / len(draws))


def test_joint_draws_have_the_covariance_of_law_surface_and_delivery(posterior, targets):
    inputs = {name: targets[name].to_numpy() for name in targets}
    kappa, n_draws = posterior.spec.discrepancy.kappa, posterior.n_draws
    draws = predictive_draws(posterior, 0, inputs, 400 * n_draws, np.random.default_rng(5))
    means, within = [], np.zeros((len(targets), len(targets)))
    for draw in range(n_draws):
        _, mean, surface, improvement, noise = textbook(posterior, inputs, draw)
        means.append(mean)
        delivered = kappa**2 * np.outer(improvement, improvement)
        within += (surface + delivered + noise * np.eye(len(targets))) / n_draws
    exact = within + np.cov(np.array(means).T, bias=True)
    found = np.cov(draws.T)
    scale = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    assert np.abs(found - exact).max() < 0.03 * scale.max()
    assert np.abs((found - exact) / scale).max() < 0.025


def test_points_of_one_group_share_one_delivery(posterior):
    """Two runs at the same far point differ by their noise alone."""
    far = {"n_params": np.full(2, 1e11), "n_tokens": np.full(2, 2e12)}
    draws = predictive_draws(posterior, 0, far, 4000, np.random.default_rng(1))
    noise = predict(posterior, 0, far).noise.mean()
    assert np.var(draws[:, 0] - draws[:, 1]) == pytest.approx(2 * noise, rel=0.15)
    assert np.var(draws[:, 0]) > 20 * noise


def test_kappa_widens_only_beyond_the_fitted_compute(posterior, targets):
    spec = posterior.spec
    wider = replace(spec, discrepancy=replace(spec.discrepancy, kappa=0.5))
    changed = replace(posterior, spec=wider)
    inputs = {name: targets[name].to_numpy() for name in targets}
    before = predict(posterior, 0, inputs).variance
    after = predict(changed, 0, inputs).variance
    beyond = (inputs["n_params"] * inputs["n_tokens"]) > 4.0001e19
    assert np.allclose(before[:, ~beyond], after[:, ~beyond], rtol=1e-9)
    assert (after[:, beyond] > before[:, beyond]).all()


def test_student_t_noise_gives_a_student_t_predictive(runs_file) -> None:
    """With the law held fixed, quantiles are those of a Student-t variable to a hundredth of sd."""
    posterior = fit(runs_file, "chinchilla_plain_student_t_weak", draws=2000)
    one = {name: np.broadcast_to(v[:, :1], v.shape) for name, v in posterior.draws.items()}
    fixed = replace(posterior, draws=one)
    inputs = {"n_params": np.array([1e9, 5e9]), "n_tokens": np.array([2e10, 1e11])}
    parts = predict(fixed, 0, inputs)
    scale = np.hypot(one["sigma"][0, 0, 0], posterior.spec.noise.floor)
    probability = np.array([0.005, 0.05, 0.25, 0.75, 0.95, 0.995])
    found = Mixture(parts.mean, parts.variance).quantile(probability)
    expected = parts.law[0] + scale * stats.t(4.0).ppf(probability)[:, None]
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.02 * scale)
