"""A law of a user's own is fitted, saved and read like a shipped one."""

import numpy as np
import pandas as pd
import pytest

from bayescale.inference.fit import fit
from bayescale.inference.posterior import load_posterior
from bayescale.laws import Coefficient, Law, Prior
from bayescale.laws.ops import exp, log
from bayescale.models.spec import ModelSpec, Noise

PRIORS = {
    "start": Prior("LogNormal", {"mu": "level", "sigma": 0.5}, "the table fixes it"),
    "slope": Prior("LogNormal", {"mu": -2.0, "sigma": 1.0}, "weak"),
    "bend": Prior("Normal", {"mu": 0.0, "sigma": 0.1}, "weak"),
}
SUPPORTS = {"start": "positive", "slope": "positive", "bend": "real"}


@pytest.fixture
def spec():
    def evaluate(self, inputs, coefficients):
        x = log(inputs["n_params"])
        return coefficients["start"] * exp(
            -coefficients["slope"] * x + coefficients["bend"] * x * x
        )

    type(
        "Bent",
        (Law,),
        {
            "name": "bent_power",
            "inputs": ("n_params",),
            "coefficients": tuple(
                Coefficient(symbol=s, unit="1", support=SUPPORTS[s], meaning=s, prior=p)
                for s, p in PRIORS.items()
            ),
            "citation": ("nobody2026bent",),
            "evaluate": evaluate,
        },
    )
    return ModelSpec(
        name="bent_plain",
        title="A bent power law",
        law="bent_power",
        pooling="none",
        reference={"n_params": 1e8},
        priors=PRIORS,
        noise=Noise(
            sigma=Prior("LogNormal", {"mu": -5.0, "sigma": 1.0}, ""),
            floor=0.0004,
            trunk_correlation=0.0,
        ),
    )


def test_users_law_recovers_its_coefficients(spec, tmp_path):
    rng = np.random.default_rng(0)
    n_params = np.exp(rng.uniform(np.log(1e6), np.log(1e9), 80))
    x = np.log(n_params / 1e8)
    loss = np.exp(np.log(3.0) - 0.08 * x + 0.004 * x**2 + rng.normal(0, 0.003, 80))
    posterior = fit(pd.DataFrame({"n_params": n_params, "loss": loss}), spec, seed=1)
    assert max(posterior.diagnostics.khat) < 0.7
    truth = {"start": 3.0, "slope": 0.08, "bend": 0.004, "sigma": 0.003}
    for symbol, draws in posterior.coefficients().items():
        assert abs(draws.mean() - truth[symbol]) < 4 * draws.std(), symbol
    loaded = load_posterior(posterior.save(tmp_path / "bent.nc"))
    np.testing.assert_array_equal(loaded.draws["bend"], posterior.draws["bend"])
