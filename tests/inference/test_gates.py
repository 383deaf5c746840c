"""Diagnostics gate the draws: a hard posterior is tried again, then flagged with the value."""

import numpy as np
import pandas as pd
import pytest

from bayescale.errors import ConvergenceWarning
from bayescale.inference.fit import fit, warn_of_gates
from bayescale.inference.posterior import Diagnostics
from bayescale.laws import Coefficient, Law, Prior
from bayescale.laws.ops import exp, log
from bayescale.models.spec import ModelSpec, Noise

GOOD = {"engine": "amis", "khat": (0.2,), "ess": 900.0, "rhat": np.nan, "divergences": 0}


def diagnostics(**change):
    return Diagnostics(**{**GOOD, **change}, cpu_seconds=0.0)


def test_good_draws_pass_in_silence(recwarn):
    warn_of_gates(diagnostics())
    warn_of_gates(diagnostics(engine="nuts", khat=(), rhat=1.004))
    assert len(recwarn) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"khat": (0.2, 0.91)}, r"khat 0\.91 is above 0\.7.*engine='nuts'"),
        ({"khat": (np.inf,)}, "khat inf is above 0.7"),
        ({"khat": (np.nan,)}, "khat nan is above 0.7"),
        ({"ess": 120.4}, "effective sample size 120 is below 300"),
        ({"engine": "nuts", "khat": (), "rhat": 1.034}, r"R-hat 1\.034 is above 1\.01"),
        ({"engine": "nuts", "khat": (), "rhat": 1.0, "divergences": 7}, "7 divergent transitions"),
    ],
)
def test_missed_gate_is_said_with_its_value(change, message):
    with pytest.warns(ConvergenceWarning, match=message):
        warn_of_gates(diagnostics(**change))


@pytest.fixture
def sphere(_own_laws):
    """A model whose posterior lies on a thin sphere: no mixture of a few ellipses covers it."""

    def evaluate(self, inputs, coefficients):
        slope = sum(coefficients[symbol] ** 2 for symbol in "abc")
        return coefficients["level"] * exp(-0.3 * slope * log(inputs["n_params"]))

    level = Prior("LogNormal", {"mu": "level", "sigma": 0.5}, "weak")
    weak = Prior("Normal", {"mu": 0.0, "sigma": 1.0}, "weak")
    priors, supports = {"level": level, **dict.fromkeys("abc", weak)}, {"level": "positive"}
    type(
        "Sphere",
        (Law,),
        {
            "name": "sphere",
            "inputs": ("n_params",),
            "coefficients": tuple(
                Coefficient(symbol=s, unit="1", support=supports.get(s, "real"), meaning=s, prior=p)
                for s, p in priors.items()
            ),
            "citation": ("nobody2026sphere",),
            "evaluate": evaluate,
        },
    )
    return ModelSpec(
        name="sphere_plain",
        title="A thin sphere",
        law="sphere",
        pooling="none",
        reference={"n_params": 1e8},
        priors=priors,
        noise=Noise(
            sigma=Prior("LogNormal", {"mu": -7.0, "sigma": 0.1}, "small"),
            floor=0.0,
            trunk_correlation=0.0,
        ),
    )


def runs_on_the_sphere():
    x = np.linspace(-3.0, 3.0, 12)
    return pd.DataFrame({"n_params": 1e8 * np.exp(x), "loss": 3.0 * np.exp(-0.3 * x)})


def test_hard_posterior_is_retried_then_flagged(sphere):
    with pytest.warns(ConvergenceWarning, match=r"amis: .*(khat \S+ is above|size \d+ is below)"):
        posterior = fit(runs_on_the_sphere(), sphere, engine="amis", draws=100)
    found = posterior.diagnostics
    assert max(found.khat) > 0.7 or found.ess < 300


@pytest.fixture
def one_ray():
    """Sixty runs at 20 tokens a parameter, all but without noise: a narrow, bent posterior."""
    n_params = np.geomspace(5e7, 1.6e9, 60)
    law = 1.9 + 0.35 * (n_params / 1e9) ** -0.35 + 0.4 * (n_params / 1e9) ** -0.3
    noise = 5e-4 * np.random.default_rng(4).standard_normal(60)
    columns = {"n_params": n_params, "n_tokens": 20 * n_params, "loss": law * np.exp(noise)}
    return pd.DataFrame(columns)


def test_auto_falls_back_to_ensembles_and_says_so(one_ray):
    with pytest.warns(ConvergenceWarning, match=r"size \d\d is below 300"):
        fit(one_ray, engine="amis")
    posterior = fit(one_ray)
    assert posterior.diagnostics.engine == "tempered"
    assert posterior.notes == (
        "importance sampling failed its gates; the draws are from tempered ensembles instead",
    )


@pytest.mark.mcmc
def test_auto_falls_back_to_nuts_where_ensembles_miss_too(sphere):
    with pytest.warns(ConvergenceWarning) as said:
        posterior = fit(runs_on_the_sphere(), sphere, engine="auto", draws=200)
    assert posterior.diagnostics.engine == "nuts"
    assert (
        "importance sampling failed its gates; the draws are from NUTS instead" in posterior.notes
    )
    assert any("failed its gates" in str(warning.message) for warning in said)
