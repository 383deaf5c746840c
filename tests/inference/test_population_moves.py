"""Moves of a population given its groups: what is drawn from the prior stays drawn from it.

The seed was chosen before any result was seen.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from simulated_groups import crossed_problems, prior_draws

from bayescale.inference.pooled_chains import Chains
from bayescale.inference.population_moves import draw_effects, draw_slopes, draw_spreads
from bayescale.models.catalog import load_model

N_CHAINS, ROUNDS, FALSE_ALARM = 2000, 4, 1e-3


EXPONENTS = ("alpha", "beta")


@pytest.fixture(scope="module", params=[(), (EXPONENTS,)], ids=["apart", "equal spreads"])
def moved(request):
    """Return a population and two thousand states of it, moved given groups drawn with them."""
    spec = load_model("chinchilla_plain_correlated_crossed")
    problems = crossed_problems(replace(spec, equal_spreads=request.param), (6, 6, 6, 6))
    chains, rng = Chains(problems, 2, np.random.default_rng(0)), np.random.default_rng(1)
    chains.n_chains = N_CHAINS
    state, x = prior_draws(chains, rng)
    population, values = chains.target.population, x[..., chains.target.pooled]
    for _ in range(ROUNDS):
        state = draw_effects(population, state, values, rng)
        state = draw_slopes(population, state, values, rng)
        state = draw_spreads(population, state, values, rng)
    return population, state


def p_values(population, state):
    """Return by name the Kolmogorov-Smirnov p of every quantity against its prior."""
    found = {}
    for k, symbol in enumerate(population.symbols):
        mean = (state.effects[:, k, 0] - population.mean[k]) / population.sd[k]
        found[f"mu_{symbol}"] = stats.kstest(mean, "norm").pvalue
        own = state.own[:, k] / population.own[k].arguments["sigma"]
        found[f"spread_{symbol}"] = stats.kstest(own, "halfnorm").pvalue
        for f, factor in enumerate(population.factors):
            sd = population.spreads[f][k].arguments["sigma"]
            spread = state.spreads[:, f, k]
            found[f"{factor.column} {symbol}"] = stats.kstest(spread / sd, "halfnorm").pvalue
    for r, regression in enumerate(population.regressions):
        slope = (state.slopes[:, r] - regression.mean) / regression.sd
        found[f"slope {r}"] = stats.kstest(slope, "norm").pvalue
    rows = state.rows(population)
    for f, block in enumerate(population.blocks):
        left = (rows @ state.effects[:, :, block])[..., 0] / state.spreads[:, f]
        for k, symbol in enumerate(population.symbols):
            found[f"effect {f} {symbol}"] = stats.kstest(left[:, k], "norm").pvalue
    return found


def test_moves_of_the_population_keep_its_prior(moved):
    """With Bonferroni one false alarm in a thousand."""
    found = p_values(*moved)
    assert len(found) == 34
    assert min(found.values()) > FALSE_ALARM / len(found), found


def test_equal_spreads_stay_equal(moved):
    population, state = moved
    one, two = (population.symbols.index(symbol) for symbol in EXPONENTS)
    same = [np.array_equal(part[..., one], part[..., two]) for part in (state.own, state.spreads)]
    assert same == [bool(population.equal)] * 2
