"""khat against ArviZ, whichever generation is installed."""

import arviz as az
import numpy as np
import pytest
import xarray as xr

from bayescale.inference.pareto import pareto_khat

RNG = np.random.default_rng(7)
WEIGHTS = {
    "normal": RNG.normal(0.0, 0.3, 2000),
    "light tail": -RNG.exponential(1.0, 4000),
    "heavy tail": RNG.exponential(0.6, 4000),
    "heavier tail": RNG.exponential(1.3, 4000),
    "student": np.log(np.abs(RNG.standard_t(2.0, 3000))),
    "few": RNG.normal(0.0, 1.0, 100),
}


def arviz_khat(log_weights):
    """Return khat and how near it ours must be: ArviZ 1 cuts the tail a little elsewhere."""
    if int(az.__version__.split(".")[0]) < 1:
        return float(az.psislw(log_weights)[1]), 1e-6
    # It takes log likelihoods, whose negatives are the weights.
    draws = xr.DataArray(-log_weights[None], dims=["chain", "draw"])
    return float(draws.azstats.psislw()[1]), 0.06


@pytest.mark.parametrize("name", WEIGHTS)
def test_agrees_with_arviz(name):
    theirs, within = arviz_khat(WEIGHTS[name])
    assert pareto_khat(WEIGHTS[name]) == pytest.approx(theirs, abs=within)


def test_a_constant_does_not_matter():
    weights = WEIGHTS["normal"]
    assert pareto_khat(weights - 900.0) == pytest.approx(pareto_khat(weights))


def test_equal_weights_have_no_tail():
    assert pareto_khat(np.zeros(1000)) == -np.inf


def test_too_few_positive_weights_are_never_trusted():
    weights = np.full(1000, -np.inf)
    weights[:3] = 0.0
    assert pareto_khat(weights) == np.inf
