"""Importance sampling: against much longer runs of itself, and against exact answers."""

import numpy as np
import pytest
from simulated import problem

from bayescale.inference.amis import Effort, Weighted, sample
from bayescale.models.catalog import load_model
from bayescale.models.density import Density

LONG = Effort(starts=24, rounds=30, size=2000, target_ess=8000.0)


def moments(weighted):
    weights = np.exp(weighted.log_weights)
    mean = weights @ weighted.x
    return mean, np.sqrt(weights @ (weighted.x - mean) ** 2)


@pytest.mark.parametrize("name", ["coupled_gp_weak", "chinchilla_plain_weak", "kaplan_plain_weak"])
def test_short_runs_agree_with_a_long_one(name):
    """Over 25 seeds the short run's sds were 0 to 9 % too small, its means within 0.05 sd."""
    density = Density(problem(load_model(name), 40, 5))
    long = sample(density, np.random.default_rng(2), LONG)
    assert long.khat < 0.7
    assert long.ess > 4000
    short = [sample(density, np.random.default_rng(seed)) for seed in range(10, 15)]
    long_mean, long_sd = moments(long)
    means, sds = (np.mean(part, axis=0) for part in zip(*map(moments, short), strict=True))
    error = 3.0 / np.sqrt(sum(weighted.ess for weighted in short))
    assert (np.abs(means - long_mean) < (0.1 + error) * long_sd).all()
    assert (np.abs(sds / long_sd - 1.0) < 0.10 + error).all()


@pytest.mark.slow
def test_two_long_runs_agree_to_the_rule_of_the_engines():
    density = Density(problem(load_model("coupled_gp_weak"), 40, 5))
    runs = [sample(density, np.random.default_rng(seed), LONG) for seed in (2, 3)]
    (mean, sd), (other_mean, other_sd) = (moments(weighted) for weighted in runs)
    error = 3.0 * np.sqrt(sum(1.0 / weighted.ess for weighted in runs))
    assert (np.abs(mean - other_mean) < (0.1 + error) * sd).all()
    assert (np.abs(other_sd / sd - 1.0) < 0.05 + error).all()


def test_same_seed_same_draws_and_another_seed_others():
    density = Density(problem(load_model("chinchilla_plain_weak"), 30, 5))
    first, again, other = (sample(density, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.x, again.x)
    np.testing.assert_array_equal(first.log_weights, again.log_weights)
    assert first.x.shape != other.x.shape or not np.array_equal(first.x, other.x)


def test_prior_is_recovered_where_runs_say_nothing():
    """Noise of 100 % leaves every coefficient but the level at its prior."""
    spec = load_model("chinchilla_plain_weak").with_priors(
        {"sigma": {"distribution": "LogNormal", "mu": 2.0, "sigma": 0.05}}
    )
    density = Density(problem(spec, 8, 5))
    mean, sd = moments(sample(density, np.random.default_rng(1), LONG))
    np.testing.assert_allclose(mean[1:5], [0.0, 0.0, -1.0498, -1.0498], atol=0.06)
    np.testing.assert_allclose(sd[1:5], [1.0, 1.0, 0.4, 0.4], rtol=0.06)


def test_resampling_keeps_the_weighted_distribution():
    rng = np.random.default_rng(0)
    x = rng.normal(0.0, 2.0, (20_000, 1))
    log_weights = -0.5 * x[:, 0] ** 2 + 0.125 * x[:, 0] ** 2
    weighted = Weighted(x, log_weights - np.log(np.exp(log_weights).sum()), np.zeros(1))
    draws = weighted.resample(4000, rng)
    assert draws.shape == (4000, 1)
    assert draws.mean() == pytest.approx(0.0, abs=0.05)
    assert draws.std() == pytest.approx(1.0, abs=0.04)
    assert 0.4 * 20_000 < weighted.ess < 20_000
