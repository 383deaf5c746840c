"""Likelihood and replicates by run, against the dense covariance that the model states."""

from __future__ import annotations

from dataclasses import replace

import arviz as az
import numpy as np
import pytest
from scipy import stats

import bayescale as bs
from bayescale.inference.conditioned import condition
from bayescale.inference.per_run import per_run
from bayescale.inference.posterior import Posterior
from bayescale.models.density import variances
from bayescale.runs.table import RunsTable

DRAWS = 300


@pytest.fixture(scope="module")
def runs() -> RunsTable:
    return bs.read_runs("cpu_gcide_llama")


@pytest.fixture(scope="module")
def fits(runs: RunsTable) -> dict[str, Posterior]:
    """Fits without a law's error, with one, and with runs beyond the compute it was fitted to."""
    small, _ = runs.split_by_compute(float(np.median(runs.compute_6nd)))
    short = bs.fit(small, "coupled_gp_weak", draws=DRAWS)
    constants = [problem.constants for problem in short.problems]
    return {
        "plain": bs.fit(runs, "chinchilla_plain_weak", draws=DRAWS),
        "gp": bs.fit(runs, "coupled_gp_weak", draws=DRAWS),
        "beyond": bs.fit(runs, "coupled_gp_weak", draws=DRAWS, constants=constants),
    }


def dense(posterior: Posterior, draw: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of the runs' log losses at one draw."""
    problem, values = posterior.problems[0], posterior.coefficients()
    one = {name: draws[[draw], None] for name, draws in values.items()}
    law = problem.law
    mean = np.log(law.evaluate(problem.ratios, one))[0]
    tau = one.get("tau", np.zeros((1, 1)))
    floor = problem.spec.noise.floor
    rotated = variances(problem.whitening.eigenvalues, one["sigma"], tau, floor)[0]
    rotation = problem.whitening.rotation
    back = np.eye(len(mean)) if rotation is None else np.linalg.inv(rotation)
    covariance = back.T @ np.diag(np.broadcast_to(rotated, mean.shape)) @ back
    if problem.reaches_beyond:
        at_edge = np.log(law.evaluate(problem.ratios_at_edge, one))[0]
        covariance += problem.kappa**2 * np.outer(at_edge - mean, at_edge - mean)
    return mean, covariance


@pytest.mark.parametrize("name", ["plain", "gp", "beyond"])
def test_a_run_is_given_all_others(fits: dict[str, Posterior], name: str) -> None:
    posterior = fits[name]
    assert posterior.problems[0].reaches_beyond == (name == "beyond")
    found, _ = per_run(posterior)
    measured = posterior.problems[0].log_loss
    for draw in (0, DRAWS // 2):
        mean, covariance = dense(posterior, draw)
        for k in (0, len(mean) // 2, len(mean) - 1):
            rest = np.arange(len(mean)) != k
            pull = np.linalg.solve(covariance[np.ix_(rest, rest)], covariance[rest, k])
            centre = mean[k] + pull @ (measured[rest] - mean[rest])
            sd = np.sqrt(covariance[k, k] - pull @ covariance[rest, k])
            expected = stats.norm.logpdf(measured[k], centre, sd)
            assert found[draw, k] == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", ["plain", "gp", "beyond"])
def test_replicates_have_the_model_s_covariance(fits: dict[str, Posterior], name: str) -> None:
    """Of one draw, repeated: a false alarm once in some 10^5 runs of the three."""
    posterior = fits[name]
    repeated = replace(
        posterior, draws={k: np.repeat(v[:, :1], 4000, axis=1) for k, v in posterior.draws.items()}
    )
    mean, covariance = dense(posterior, 0)
    _, replicates = per_run(repeated)
    z = np.linalg.solve(np.linalg.cholesky(covariance), (replicates - mean).T)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-6
    assert stats.chi2(z.size).cdf((z**2).sum()) == pytest.approx(0.5, abs=0.5 - 1e-6)


@pytest.mark.filterwarnings("ignore::bayescale.errors.PoolingWarning")
def test_groups_stand_one_after_another(runs: RunsTable) -> None:
    halves = runs.frame.drop(columns="trunk")
    halves["dataset"] = np.where(np.arange(len(runs)) % 2, "odd", "even")
    posterior = bs.fit(halves, "chinchilla_plain_weak", group="dataset", draws=DRAWS)
    found, replicates = per_run(posterior)
    assert found.shape == replicates.shape == (posterior.n_draws, posterior.n_runs)
    given = condition(posterior, 1)
    own = stats.norm.logpdf(given.rotated, 0.0, np.sqrt(given.variance))
    np.testing.assert_allclose(found[:, -len(posterior.problems[1]) :], own)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter:UserWarning")
def test_arviz_leaves_runs_out(fits: dict[str, Posterior]) -> None:
    made = fits["gp"].to_arviz()
    left_out = az.loo(made)
    name = "elpd" if hasattr(left_out, "elpd") else "elpd_loo"
    assert np.isfinite(getattr(left_out, name))
    log_loss = made["posterior_predictive"]["log_loss"].values
    spread = log_loss.std(axis=(0, 1))
    assert np.abs((log_loss.mean(axis=(0, 1)) - fits["gp"].problems[0].log_loss) / spread).max() < 5
