"""PyMC's log density equals the NumPy one, Jacobians and constants included, for every model."""

from dataclasses import replace

import numpy as np
import pytest
from pytensor.compile.mode import Mode
from simulated import problem

from bayescale.laws import load_law
from bayescale.models.build import build_model
from bayescale.models.catalog import list_models, load_model
from bayescale.models.density import Density

# The same everywhere: no C compiler is asked for, and no machine code is waited for.
NO_COMPILER = Mode(linker="py", optimizer="fast_compile")
FLOOR = {"E": {"distribution": "Normal", "mu": 1.7, "sigma": 0.3}}


def assert_agreement(problems, n_draws=100, rtol=1e-8, share_with_density=1.0):
    model = build_model(problems)
    log_density = model.compile_logp(mode=NO_COMPILER)
    densities = [Density(problem) for problem in problems]
    rng = np.random.default_rng(0)
    draws = [density.sample_prior(n_draws, rng) for density in densities]
    expected = sum(density(x) for density, x in zip(densities, draws, strict=True))
    assert np.isfinite(expected).mean() >= share_with_density
    found = [log_density(point(model, densities[0], draws, row)) for row in range(n_draws)]
    # Terms as large as the largest sum cancel in the small ones.
    atol = rtol * np.abs(expected[np.isfinite(expected)]).max()
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def point(model, density, draws, row):
    """Return the model's value variables at one row of each group's unconstrained draws."""
    value = {rv.name: model.rvs_to_values[rv].name for rv in model.free_RVs}
    law = density.problem.law
    quantity = {symbol: name for name, symbol in law.derived.items()}
    return {
        value.get(symbol) or value[quantity[symbol]]: np.array([x[row, k] for x in draws])
        for k, symbol in enumerate(density.symbols)
    }


@pytest.mark.parametrize("trunks", [False, True])
@pytest.mark.parametrize("name", list_models())
def test_every_model_agrees(name, trunks):
    spec = replace(load_model(name), pooling="none")
    assert_agreement([problem(spec, 30, 1, trunks=trunks)])


@pytest.mark.parametrize("name", list_models())
def test_two_groups_agree_when_one_of_them_has_trunks(name):
    spec = replace(load_model(name), pooling="none")
    assert_agreement([problem(spec, 30, 1, trunks=True), problem(spec, 20, 2)])


@pytest.mark.parametrize("name", [n for n in list_models() if load_law(load_model(n).law).derived])
def test_a_prior_on_the_floor_agrees(name):
    spec = replace(load_model(name), pooling="none").with_priors(FLOOR)
    assert_agreement([problem(spec, 30, 1), problem(spec, 20, 2)])


@pytest.mark.parametrize(
    "prior",
    [
        {"distribution": "LogNormal", "mu": 0.5, "sigma": 0.2},
        {"distribution": "HalfNormal", "sigma": 2.0},
        {"distribution": "Gamma", "alpha": 5.0, "beta": 3.0},
        {"distribution": "Beta", "alpha": 5.0, "beta": 3.0},
        # PyMC derives the cumulative distribution of a LogitNormal, which takes it seconds.
        pytest.param(
            {"distribution": "LogitNormal", "mu": 0.5, "sigma": 0.2}, marks=pytest.mark.slow
        ),
    ],
    ids=lambda prior: prior["distribution"],
)
def test_any_distribution_of_the_floor_agrees(prior):
    spec = load_model("chinchilla_plain_weak").with_priors({"E": prior})
    # SciPy's and PyTensor's incomplete gamma functions differ by a few 1e-9.
    assert_agreement([problem(spec, 30, 1)], n_draws=50, rtol=2e-8)


@pytest.mark.parametrize(
    ("symbol", "prior"),
    [
        ("E_share", {"distribution": "Beta", "alpha": 2.0, "beta": 3.0}),
        ("alpha", {"distribution": "Gamma", "alpha": 4.0, "beta": 12.0}),
        ("alpha", {"distribution": "HalfNormal", "sigma": 0.5}),
        ("sigma", {"distribution": "HalfNormal", "sigma": 0.02}),
        ("tau", {"distribution": "Gamma", "alpha": 2.0, "beta": 100.0}),
    ],
    ids=["Beta", "Gamma", "HalfNormal", "sigma", "tau"],
)
def test_a_users_own_prior_agrees(symbol, prior):
    spec = load_model("chinchilla_gp_weak").with_priors({symbol: prior})
    assert_agreement([problem(spec, 30, 1)], n_draws=50)


def test_priors_moved_by_covariates_agree():
    spec = replace(
        load_model("coupled_gp_weak"),
        slopes={"E_share": {"over_training": -0.6, "compute_scale": -0.3}},
    )
    problems = [problem(spec, 30, 1), problem(spec, 20, 2)]
    means = [p.priors["E_share"].arguments["mu"] for p in problems]
    assert means[0] != means[1]
    assert_agreement(problems)


@pytest.mark.parametrize("name", [n for n in list_models() if load_model(n).discrepancy])
def test_runs_beyond_the_edge_agree(name):
    spec = replace(load_model(name), pooling="none")
    made = [problem(spec, 30, 1, trunks=True), problem(spec, 20, 2), problem(spec, 20, 3)]
    lower = [p.constants.log_compute_max - drop for p, drop in zip(made, (2, 3, 0), strict=True)]
    moved = [
        replace(p, constants=replace(p.constants, log_compute_max=edge))
        for p, edge in zip(made, lower, strict=True)
    ]
    assert [p.reaches_beyond for p in moved] == [True, True, False]
    assert_agreement(moved)
