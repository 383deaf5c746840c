"""Runs beyond c* share one unknown: the density and the forecast against plain covariances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from simulated import chinchilla_frame, problem

from bayescale.forecasts.predict import predict, predictive_draws
from bayescale.inference.fit import fit
from bayescale.inference.mode import find_modes
from bayescale.models.catalog import load_model
from bayescale.models.delivery import promised
from bayescale.models.density import Density
from bayescale.models.discrepancy import kernel
from bayescale.models.problem import Problem

FAR = {"n_params": np.array([2e9, 2e10, 2e10]), "n_tokens": np.array([1e10, 4e11, 8e11])}


def beyond(name: str = "coupled_gp_weak", *, trunks: bool = False, kappa: float = 0.3) -> Problem:
    """Return a problem whose five largest runs lie beyond c*."""
    spec = load_model(name)
    assert spec.discrepancy is not None
    spec = replace(spec, discrepancy=replace(spec.discrepancy, kappa=kappa))
    made = problem(spec, 30, 1, trunks=trunks)
    edge = float(np.sort(made.positions.sum(axis=1))[-6])
    return replace(made, constants=replace(made.constants, log_compute_max=edge))


def dense(
    made: Problem, values: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the law, the promised improvement and the covariance of log loss for one draw."""
    spec = made.spec
    assert spec.discrepancy is not None
    law = np.log(made.law.evaluate(made.ratios, values))
    promise = promised(made.law, made.ratios, made.ratios_at_edge, values)
    sd = made.amplitude(made.positions)
    surface = np.outer(sd, sd) * kernel(spec.discrepancy, made.positions, made.positions)
    same = (made.trunks[:, None] == made.trunks) & (made.trunks[:, None] != "")
    noise = np.where(same, spec.noise.trunk_correlation, 0.0)
    np.fill_diagonal(noise, 1.0)
    sigma2 = values["sigma"] ** 2 + spec.noise.floor**2
    shared = made.kappa**2 * np.outer(promise, promise)
    return law, promise, values["tau"] ** 2 * surface + sigma2 * noise + shared


@pytest.mark.parametrize("trunks", [False, True])
def test_the_likelihood_is_that_of_the_whole_covariance(trunks: bool) -> None:
    made = beyond(trunks=trunks)
    density = Density(made)
    x = density.sample_prior(20, np.random.default_rng(0))
    assert made.reaches_beyond
    for row, found in zip(x, density.log_likelihood(x), strict=True):
        values = {symbol: v[0] for symbol, v in density.constrain(row[None]).items()}
        law, _, covariance = dense(made, values)
        exact = multivariate_normal(law, covariance, allow_singular=True).logpdf(made.log_loss)
        assert found == pytest.approx(exact, rel=1e-7)


def test_only_runs_beyond_are_promised_anything() -> None:
    made = beyond()
    values = Density(made).constrain(np.zeros((1, 8)))
    promise = promised(made.law, made.ratios, made.ratios_at_edge, values)[0]
    inside = made.excess(made.positions) <= 0
    assert (promise[inside] == 0).all()
    assert (promise[~inside] > 0).all()
    assert inside.sum() == 25


def test_without_a_run_beyond_nothing_changes() -> None:
    """The numbers of every frozen density and committed score are those of before, to the bit."""
    made = problem(load_model("coupled_gp_weak"), 30, 1)
    assert not made.reaches_beyond
    none = replace(made.spec, discrepancy=replace(made.spec.discrepancy, kappa=0.0))  # type: ignore
    x = Density(made).sample_prior(20, np.random.default_rng(0))
    assert (Density(made)(x) == Density(replace(made, spec=none))(x)).all()


def test_the_climb_still_ends_at_a_mode() -> None:
    density = Density(beyond())
    modes = find_modes(density, density.sample_prior(5, np.random.default_rng(2)))
    steps = 0.02 * np.linalg.cholesky(modes.covariance[0]).T
    around = np.concatenate([modes.x[0] + steps, modes.x[0] - steps])
    assert density(around).max() < modes.log_density[0] + 0.02


@pytest.fixture(scope="module")
def pilots_added():
    """A fit of 40 runs at the constants of the 35 smallest, with a large kappa."""
    frame = chinchilla_frame(40, seed=4)
    frame = frame.assign(c=frame.n_params * frame.n_tokens).sort_values("c").drop(columns="c")
    spec = load_model("coupled_gp_weak")
    assert spec.discrepancy is not None
    spec = replace(spec, discrepancy=replace(spec.discrepancy, kappa=0.3))
    small = fit(frame.iloc[:35], spec, draws=50)
    constants = [found.constants for found in small.problems]
    return fit(frame, spec, draws=50, constants=constants)


def test_the_forecast_conditions_what_arrives_on_the_runs(pilots_added) -> None:
    made = pilots_added.problems[0]
    parts = predict(pilots_added, 0, FAR)
    both = {name: np.concatenate([made.inputs[name], FAR[name]]) for name in FAR}
    joined = replace(
        made,
        inputs=both,
        log_loss=np.concatenate([made.log_loss, np.zeros(3)]),
        trunks=np.full(43, ""),
    )
    for draw in (0, 21, 49):
        values = {name: v.reshape(-1)[draw] for name, v in pilots_added.draws.items()}
        law, _, covariance = dense(joined, values)
        gain = covariance[40:, :40] @ np.linalg.inv(covariance[:40, :40])
        mean = law[40:] + gain @ (made.log_loss - law[:40])
        spread = covariance[40:, 40:] - gain @ covariance[:40, 40:]
        np.testing.assert_allclose(parts.mean[draw], mean, atol=1e-8)
        np.testing.assert_allclose(parts.variance[draw], np.diag(spread), rtol=1e-5)


def test_joint_draws_have_the_conditional_covariance(pilots_added) -> None:
    draws = predictive_draws(pilots_added, 0, FAR, 200_000, np.random.default_rng(0))
    parts = predict(pilots_added, 0, FAR)
    which = np.arange(len(draws)) % 50
    centred = (draws - parts.mean[which])[which == 7]
    assert np.corrcoef(centred[:, 1], centred[:, 2])[0, 1] > 0.5
    np.testing.assert_allclose(centred.var(axis=0), parts.variance[7], rtol=0.15)


def test_pilots_beyond_narrow_what_arrives(pilots_added) -> None:
    parts = predict(pilots_added, 0, FAR)
    assert (parts.share < 0.3).all()
