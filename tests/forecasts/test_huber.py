"""The usual practice: the same optimum as L-BFGS-B from the same starts, and its bootstrap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import huber

from bayescale import read_runs
from bayescale.forecasts.baselines import BASELINES
from bayescale.forecasts.baselines.huber import DELTA, Design, minimise, objective, predict, starts
from bayescale.forecasts.baselines.huber_bootstrap import HuberBootstrap, fit_huber
from tests.forecasts.conftest import simulate, true_loss


def design(frame: pd.DataFrame) -> Design:
    log_n, log_d = np.log(frame["n_params"].to_numpy()), np.log(frame["n_tokens"].to_numpy())
    return Design(log_n - log_n.mean(), log_d - log_d.mean(), np.log(frame["loss"].to_numpy()))


def noisy(seed: int) -> pd.DataFrame:
    """Return runs with heavy-tailed noise."""
    frame, rng = simulate(seed), np.random.default_rng(seed)
    frame["loss"] *= np.exp(0.01 * rng.standard_t(2, size=len(frame)))
    return frame


def by_library(given: Design, weights: np.ndarray) -> float:
    """Return the lowest objective that SciPy reaches from every start."""

    def value(theta: np.ndarray) -> float:
        e, a, b, alpha, beta = theta
        law = np.exp(e) + np.exp(a - alpha * given.log_n) + np.exp(b - beta * given.log_d)
        residual = given.log_loss - np.log(law)
        return 1e4 * float((weights * huber(DELTA, residual)).sum())

    bounds = [(None, None)] * 3 + [(0.0, None)] * 2
    tight = {"maxiter": 3000, "maxfun": 20_000, "ftol": 1e-14, "gtol": 1e-9}
    search = {"method": "L-BFGS-B", "bounds": bounds, "options": tight}
    return min(minimize(value, start, **search).fun for start in starts(given)[::6]) / 1e4


@pytest.mark.parametrize("seed", [0, 1])
def test_the_optimum_is_not_above_that_of_l_bfgs(seed):
    given = design(noisy(seed))
    weights = np.ones((1, len(given.log_loss)))
    ours = objective(fit_huber(given)[None], given, weights)[0]
    assert ours <= by_library(given, weights[0]) * (1 + 1e-6)


def test_a_bootstrap_refit_reaches_the_optimum_too():
    given, rng = design(noisy(2)), np.random.default_rng(0)
    n_runs = len(given.log_loss)
    weights = rng.multinomial(n_runs, np.full(n_runs, 1 / n_runs), 3).astype(float)
    begun = np.repeat(fit_huber(given)[None], 3, axis=0)
    _, value = minimise(begun, given, weights, steps=600, tolerance=1e-6)
    exact = [by_library(given, row) for row in weights]
    assert (value <= np.array(exact) * (1 + 1e-4)).all()


def test_the_objective_is_summed_huber_loss_on_log_loss():
    given = design(noisy(3))
    theta = starts(given)[:4]
    weights = np.random.default_rng(1).uniform(size=(4, len(given.log_loss)))
    residual = given.log_loss - predict(theta, given.log_n, given.log_d)
    assert np.allclose(objective(theta, given, weights), (weights * huber(DELTA, residual)).sum(1))


def test_exponents_are_not_negative_and_the_bounded_optimum_is_reached():
    frame = noisy(6)
    frame["loss"] *= (frame["n_params"] / 1e8) ** 0.2  # larger networks do worse
    given = design(frame)
    best = fit_huber(given)
    value = objective(best[None], given, np.ones((1, len(frame))))[0]
    assert best[3] == 0.0
    assert value <= by_library(given, np.ones(len(frame))) * (1 + 1e-5)


def test_noiseless_runs_give_the_law_back():
    frame = simulate()
    frame["loss"] = true_loss(frame["n_params"], frame["n_tokens"])
    at = {"n_params": np.array([1e11]), "n_tokens": np.array([2e12])}
    exact = true_loss(at["n_params"], at["n_tokens"])[0]
    draws = HuberBootstrap(refits=10)(read_runs(frame), at)
    assert np.exp(draws).mean() == pytest.approx(exact, rel=1e-4)


def test_runs_shared_by_a_published_table_give_its_published_optimum(public_data):
    runs = read_runs(public_data / "chinchilla.csv", where="excluded_by_refit=0")
    frame = runs.frame
    given = design(frame)
    best = fit_huber(given)
    value = objective(best[None], given, np.ones((1, len(frame))))[0]
    assert value == pytest.approx(0.00101828, rel=1e-4)
    assert np.exp(best[0]) == pytest.approx(1.8172, rel=1e-3)
    assert best[3:] == pytest.approx([0.3473, 0.3672], rel=2e-3)


def test_residuals_widen_and_repeat_the_refits():
    train, at = read_runs(noisy(4)), {"n_params": np.array([3e9]), "n_tokens": np.array([6e10])}
    bare = HuberBootstrap(residuals=False)(train, at)
    full = HuberBootstrap()(train, at)
    assert bare.shape == (200, 1)
    assert full.shape == (1000, 1)
    assert full.std() > bare.std()


def test_the_seed_fixes_the_draws():
    train, at = read_runs(noisy(5)), {"n_params": np.array([3e9]), "n_tokens": np.array([6e10])}
    first = HuberBootstrap(refits=20, seed=1)(train, at)
    assert np.array_equal(first, HuberBootstrap(refits=20, seed=1)(train, at))
    assert not np.array_equal(first, HuberBootstrap(refits=20, seed=2)(train, at))


def test_baselines_carry_their_name():
    assert {name: make(0).name for name, make in BASELINES.items()} == {k: k for k in BASELINES}
