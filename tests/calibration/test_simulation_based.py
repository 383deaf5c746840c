"""Simulation-based calibration by AMIS: the truth is a draw of its own posterior.

Coefficients come from the prior and data from the model, on one fixed design; the posterior
probability below the truth is then uniform. 200 replications, Kolmogorov-Smirnov on each
coordinate; with Bonferroni over coordinates a correct sampler fails one time in a thousand. The
seeds were chosen before any result was seen.

References: Talts et al. (2018), arXiv:1804.06788.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from simulated import problem

from bayescale.inference.amis import EFFORTS, sample
from bayescale.models.catalog import load_model
from bayescale.models.density import Density

pytestmark = pytest.mark.calibration

N_REPLICATIONS = 200
FALSE_ALARM = 1e-3


def replicate(design, seed):
    """Return the posterior probability below each true coordinate, and khat."""
    rng = np.random.default_rng([20261122, seed])
    prior = Density(design)
    truth = prior.sample_prior(1, rng)
    independent = np.sqrt(prior.variances(truth)) * rng.standard_normal((1, len(design)))
    # Rotated residuals are independent; without trunks the rotation's inverse is its transpose.
    rotation = design.whitening.rotation
    errors = independent if rotation is None else independent @ rotation.T
    density = Density(replace(design, log_loss=(prior.log_loss(truth) + errors)[0]))
    found = sample(density, rng)
    if not (found.khat <= 0.7 and found.ess >= 300):
        found = sample(density, rng, EFFORTS[1])
    below = np.exp(found.log_weights) @ (found.x < truth)
    return below, found.khat


@pytest.mark.parametrize("name", ["chinchilla_plain_weak", "coupled_gp_weak"])
def test_posterior_probabilities_of_the_truth_are_uniform(name):
    design = problem(load_model(name), 30, 11)
    assert set(design.trunks) == {""}
    results = [replicate(design, seed) for seed in range(N_REPLICATIONS)]
    probabilities = np.array([below for below, _ in results])
    assert np.mean([khat <= 0.7 for _, khat in results]) > 0.9
    p_values = [stats.kstest(column, "uniform").pvalue for column in probabilities.T]
    assert min(p_values) > FALSE_ALARM / len(p_values), np.round(p_values, 4)
