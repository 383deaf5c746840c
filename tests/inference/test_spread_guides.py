"""What linear laws say of spreads: a Gaussian integral, the prior where no run speaks, and no bias.

Seeds were chosen before any result was seen.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from simulated_groups import crossed_problems, prior_draws

from bayescale.inference.carried_moves import move_spreads
from bayescale.inference.pooled_chains import Chains
from bayescale.inference.proposals import LogScales
from bayescale.inference.spread_guides import (
    _PooledScale,
    guided_scale_population,
    guided_spreads,
    log_joint,
    log_marginal,
    log_volume,
)
from bayescale.inference.stacked import Guides
from bayescale.models.catalog import load_model

MODELS = ("chinchilla_plain_correlated_crossed", "coupled_growing_gp_siblings_partial")
N_CHAINS, ROUNDS, FALSE_ALARM = 1000, 3, 1e-3


def chains_of(name, sizes, n_chains):
    """Return chains of a model over groups of some sizes."""
    problems = crossed_problems(load_model(name), sizes)
    return Chains(problems, n_chains, np.random.default_rng(0))


def drawn_from_the_prior(chains, rng):
    """Put each chain at a draw from the prior, with losses of its own, linear about the mean."""
    chains.n_chains, likelihood = N_CHAINS, chains.target.likelihood
    chains.state, chains.x = prior_draws(chains, rng)
    expected, variance = likelihood.log_loss(chains.x), likelihood.scales(chains.x)[0]
    likelihood._seen = expected + np.sqrt(variance) * rng.standard_normal(expected.shape)
    chains.weights = np.zeros((N_CHAINS, 0))
    middle = np.tile(chains.x.mean(axis=0), (N_CHAINS, 1, 1))
    chains.guides = Guides(likelihood, middle)
    chains._take_guides(np.tile(np.arange(N_CHAINS)[:, None], (1, middle.shape[1])))
    chains._log_likelihood = likelihood.log_likelihood(chains.x, chains.weights)
    chains._log_free = chains.target.log_free(chains.x)


@pytest.mark.parametrize("name", MODELS)
def test_the_marginal_is_the_joint_density_over_its_gaussian_anywhere(name):
    chains = chains_of(name, (9, 0, 12), 4)
    gaussian = chains.gaussian()
    z = gaussian.standard(chains.phi(), chains.law).normal(np.random.default_rng(1))
    phi = gaussian.phi(z.phi)
    joint = log_joint(chains, chains.state, phi, gaussian.law(phi, z.law))
    expected = joint + 0.5 * z.squares() + log_volume(gaussian)
    # The Gaussian has the sds of free priors from two quantiles, a thousandth short.
    np.testing.assert_allclose(log_marginal(chains, chains.state), expected, atol=0.02)


def test_where_runs_say_nothing_it_is_the_prior():
    """Of the log of a half-normal: mean log(sd) - .635, sd pi / 2^1.5."""
    chains = chains_of("chinchilla_plain_crossed", (1, 0, 0, 0), 8)
    population = chains.target.population
    drawn = guided_spreads(chains, np.tile(chains.state.log_spreads(), (500, 1, 1)))
    priors = np.array([population.own, *population.spreads]).T
    widths = np.array([[prior.arguments["sigma"] for prior in row] for row in priors])
    np.testing.assert_allclose(drawn.mean(axis=0), np.log(widths) - 0.635, atol=0.1)
    np.testing.assert_allclose(drawn.std(axis=0), np.pi / 2**1.5, rtol=0.05)


def scales_of(held):
    """Return chains with pooled scales, whose groups hold those by `held` about -5, -4, ..."""
    chains = chains_of("coupled_growing_gp_correlated_partial", (4, 0, 5, 6), 4)
    guides = chains.scale_guides
    about = np.arange(-5.0, -5.0 + len(guides.held))[:, None]
    held = np.broadcast_to(held, guides.held.shape)
    chains.scale_guides = replace(guides, held=held, pull=held * about)
    return chains, about[:, 0]


def test_a_scale_has_the_density_of_groups_as_far_apart_as_its_spread_and_their_runs_say():
    held = np.array([[0.5], [1e-6], [3.0], [20.0]])
    chains, said = scales_of(held)
    population = chains.target.population
    k, logs = chains.target.pooled_scales[-1], np.linspace(-3.0, 1.0, 4)
    own = np.exp(logs)
    mean, sd = population.mean[k], population.sd[k]
    expected = [
        stats.multivariate_normal(
            np.full(len(said), mean), np.diag(1.0 / held[:, 0] + spread**2) + sd**2
        ).logpdf(said)
        + population.own[k].logpdf(spread)
        + np.log(spread)
        for spread in own
    ]
    found = _PooledScale(chains, k).log_density(logs)
    np.testing.assert_allclose(found - found[0], np.array(expected) - expected[0], atol=1e-9)


def test_a_scale_of_which_runs_say_nothing_has_its_prior():
    chains, _ = scales_of(0.0)
    population = chains.target.population
    for k in chains.target.pooled_scales:
        drawn = guided_scale_population(chains, k, 8000)[:, 0]
        assert population.own[k].distribution == "LogNormal"
        of_log = population.own[k].arguments
        np.testing.assert_allclose(drawn[:, 1].mean(), of_log["mu"], atol=0.05)
        np.testing.assert_allclose(drawn[:, 1].std(), of_log["sigma"], rtol=0.05)
        np.testing.assert_allclose(drawn[:, 0].mean(), population.mean[k], atol=0.05)
        np.testing.assert_allclose(drawn[:, 0].std(), population.sd[k], rtol=0.05)


def test_spreads_proposed_by_it_keep_their_prior():
    """Drawn with their runs, and moved given these. With Bonferroni one false alarm in 1000."""
    chains, rng = chains_of("chinchilla_plain_partial", (5, 4, 6), 2), np.random.default_rng(2)
    drawn_from_the_prior(chains, rng)
    population, size = chains.target.population, len(chains.target.pooled)
    chains.spreads = LogScales.of(guided_spreads(chains, chains.state.log_spreads()))
    taken = [move_spreads(chains, k, fresh=True) for k in [*range(size)] * ROUNDS]
    assert np.mean(taken) > 0.1
    own = chains.state.own / [prior.arguments["sigma"] for prior in population.own]
    left = (chains.x[..., chains.target.pooled] - chains.state.centres(population))[:, 0]
    found = [stats.kstest(own[:, k], "halfnorm").pvalue for k in range(size)]
    found += [stats.kstest(left[:, k] / chains.state.own[:, k], "norm").pvalue for k in range(size)]
    assert min(found) > FALSE_ALARM / len(found), found
