"""The population of a pooled fit: its design, its names, its shared discrepancy, its density."""

from dataclasses import replace

import numpy as np
import pytest
from pytensor.compile.mode import Mode
from simulated_groups import crossed_problems, prior_draws

from bayescale.errors import BayescaleError, ModelError
from bayescale.inference.pooled_chains import Chains
from bayescale.laws import Prior
from bayescale.models.build import build_model
from bayescale.models.catalog import load_model
from bayescale.models.density import Density
from bayescale.models.discrepancy import kernel
from bayescale.models.population import levels_of, population_names, population_of
from bayescale.models.problem import pooled_constants

NO_COMPILER = Mode(linker="py", optimizer="fast_compile")


def point(chains, model, state, x, weights, row):
    """Return the model's value variables at one draw."""
    population, out = chains.target.population, {"weights": weights[row]}
    rows, centres = state.rows(population)[row], state.centres(population)
    left = (x[row][:, chains.target.pooled] - centres[row]) @ rows.T
    for regression, slope in zip(population.regressions, state.slopes[row], strict=True):
        symbols = population.symbols
        out[f"slope_{symbols[regression.of]}_on_{symbols[regression.on]}"] = slope
    for k, symbol in enumerate(population.symbols):
        own = state.own[row, k]
        out[f"mu_{symbol}"], out[f"spread_{symbol}"] = state.effects[row, k, 0], np.log(own)
        out[f"offset_{symbol}"] = left[:, k] / own
        for f, factor in enumerate(population.factors):
            spread = state.spreads[row, f, k]
            out[f"spread_{factor.column}_{symbol}"] = np.log(spread)
            effects = (rows @ state.effects[row, :, population.blocks[f]])[k]
            out[f"offset_{factor.column}_{symbol}"] = effects / spread
    for k, symbol in enumerate(chains.target.symbols):
        out.setdefault(symbol, x[row][:, k])
    return {model.rvs_to_values[rv].name: np.asarray(out[rv.name]) for rv in model.free_RVs}


@pytest.mark.parametrize(
    "name",
    [
        "chinchilla_plain_crossed",
        pytest.param("chinchilla_plain_partial", marks=pytest.mark.slow),
        pytest.param("chinchilla_plain_correlated_crossed", marks=pytest.mark.slow),
        pytest.param("coupled_gp_partial", marks=pytest.mark.slow),
        pytest.param("coupled_growing_gp_correlated_crossed", marks=pytest.mark.slow),
        pytest.param("coupled_growing_gp_siblings_crossed", marks=pytest.mark.slow),
    ],
)
def test_both_engines_have_one_joint_density(name):
    problems = crossed_problems(load_model(name), (9, 12, 7, 10))
    rng = np.random.default_rng(1)
    chains = Chains(problems, 100, rng)
    state, x = prior_draws(chains, rng)
    weights = rng.standard_normal((100, chains.target.likelihood.n_weights))
    expected = chains.target(state, x, weights)
    # Offsets instead of values, and logs of the spreads that differ, are what PyMC samples.
    own, differ = np.log(state.own), list(chains.target.population.differ)
    expected += len(problems) * own.sum(axis=1) + own[:, differ].sum(axis=1)
    for f, factor in enumerate(chains.target.population.factors):
        of_levels = np.log(state.spreads[:, f])
        expected += len(factor.levels) * of_levels.sum(axis=1) + of_levels[:, differ].sum(axis=1)
    model = build_model(problems)
    log_density = model.compile_logp(mode=NO_COMPILER, sum=False)
    usable = np.flatnonzero(expected > -1e200)
    assert len(usable) >= 95
    found = [
        sum(term.sum() for term in log_density(point(chains, model, state, x, weights, row)))
        for row in usable
    ]
    np.testing.assert_allclose(found, expected[usable], rtol=1e-8)


def test_names_follow_the_design():
    problems = crossed_problems(load_model("chinchilla_plain_crossed"), (9, 9, 9, 9, 9))
    population = population_of(problems)
    assert [factor.levels for factor in population.factors] == [("d0", "d1", "d2"), ("a0", "a1")]
    np.testing.assert_array_equal(population.design[4], [1, 0, 0, 1, 1, 0])
    names = population_names(population, ())
    assert names[:6] == (
        "mu_E_share",
        "spread_E_share",
        "spread_dataset_E_share",
        "effect_dataset_E_share",
        "spread_architecture_E_share",
        "effect_architecture_E_share",
    )
    assert population_names(population, ((0.0, 1.0),))[-1] == "weights"


def test_levels_of_newcomers_follow_those_with_runs():
    problems = crossed_problems(load_model("chinchilla_plain_crossed"), (9, 9, 9))
    empty = crossed_problems(load_model("chinchilla_plain_crossed"), (9, 0))[1]
    new = replace(empty, levels={"dataset": "aaa", "architecture": "a0"})
    assert levels_of([*problems, new], "dataset") == ("d0", "d1", "aaa")


def test_one_group_has_the_kernel_that_it_has_without_siblings():
    spec = load_model("coupled_gp_partial")
    group = crossed_problems(spec, (20, 30, 10))[1]
    at, shape = group.positions, spec.discrepancy
    basis = group.features(at)
    assert basis.shape == (30, len(group.constants.anchors))
    whole = kernel(shape, at, at) * np.outer(group.amplitude(at), group.amplitude(at))
    own = group.own_covariance(at, at)
    np.testing.assert_allclose(own + basis @ basis.T, whole, atol=1e-10)
    assert np.linalg.eigvalsh(own).min() > -1e-9
    np.testing.assert_allclose(np.diag(own), group.own_variance(at), atol=1e-10)
    # Ninety percent is shared, but for what twenty functions leave out.
    shared = (basis**2).sum(axis=1) / np.diag(whole)
    assert shared.max() <= shape.shared
    assert np.median(shared) > 0.8


def test_anchors_are_few_and_apart():
    anchors = np.array(
        crossed_problems(load_model("coupled_gp_partial"), (60, 60))[0].constants.anchors
    )
    assert 5 <= len(anchors) <= 20
    distance = np.linalg.norm(anchors[:, None] - anchors[None], axis=-1)
    assert distance[np.triu_indices(len(anchors), 1)].min() > 0.3


def test_pooled_constants_are_common_but_for_the_level():
    spec = load_model("coupled_gp_partial")
    problems = crossed_problems(spec, (20, 0, 12))
    one, empty, two = (problem.constants for problem in problems)
    assert one.level != two.level
    assert empty.level == pytest.approx((one.level + two.level) / 2)
    assert replace(one, level=0.0) == replace(two, level=0.0) == replace(empty, level=0.0)
    largest = max(problem.excess(problem.positions).max() for problem in (problems[0], problems[2]))
    assert largest == pytest.approx(0.0)
    alone = pooled_constants(spec, [(problems[0].inputs, problems[0].log_loss)])
    assert alone[0].anchors == ()


def test_a_level_that_others_follow_is_centred_alike_in_all_groups():
    spec = load_model("coupled_growing_gp_correlated_partial")
    problems = crossed_problems(spec, (20, 0, 12))
    (level,) = {problem.constants.level for problem in problems}
    apart = crossed_problems(load_model("coupled_growing_gp_partial"), (20, 0, 12))
    assert level == pytest.approx(np.median([apart[g].constants.level for g in (0, 2)]))
    population = population_of(problems)
    assert population.symbols[0] == "loss_ref"
    assert population.mean[0] == level
    assert [(r.of, r.on) for r in population.regressions] == [(1, 0)]


def test_a_level_that_nothing_follows_has_no_spread():
    spec = load_model("coupled_growing_gp_correlated_partial")
    with pytest.raises(BayescaleError, match="unknown spread 'loss_ref'"):
        replace(spec, regressions={})


def test_density_of_a_group_without_runs_is_its_prior():
    spec = load_model("coupled_gp_partial")
    density = Density(crossed_problems(spec, (20, 0))[1])
    x = density.sample_prior(5, np.random.default_rng(0))
    np.testing.assert_allclose(density(x), density.log_prior(x))


def test_crossed_pooling_needs_an_interaction():
    spec = load_model("chinchilla_plain_crossed")
    with pytest.raises(ModelError, match="states no interaction spread of 'E_share'"):
        replace(spec, interaction={})


@pytest.mark.parametrize(
    ("equal", "said"),
    [
        ((("alpha", "bta"),), "coefficient of equal spreads 'bta'. Did you mean 'beta'"),
        ((("alpha", "sigma"),), "unknown coefficient of equal spreads 'sigma'"),
        ((("alpha", "beta"), ("alpha", "N_share")), "names 'alpha' 2 times"),
        ((("alpha",),), r"holds \['alpha'\], but two coefficients or more"),
        ((("alpha", "N_share"),), r"under spreads the prior of one is .*, of the other HalfNormal"),
    ],
)
def test_what_has_equal_spreads_is_checked(equal, said):
    with pytest.raises(BayescaleError, match=said):
        replace(load_model("chinchilla_plain_crossed"), equal_spreads=equal)


@pytest.mark.parametrize(
    ("symbol", "on", "distribution", "said"),
    [
        ("E_share", "alpha", "HalfNormal", "slope of 'E_share' on 'alpha' has a HalfNormal prior"),
        ("E_share", "N_share", "Normal", "regression of 'E_share' on a coefficient 'N_share'"),
        ("sigma", "alpha", "Normal", "regression 'sigma'"),
    ],
)
def test_what_departures_follow_is_checked(symbol, on, distribution, said):
    spec = load_model("chinchilla_plain_correlated_partial")
    arguments = {"sigma": 1.0} if distribution == "HalfNormal" else {"mu": 0.0, "sigma": 1.0}
    slope = {symbol: {on: Prior(distribution, arguments)}}
    with pytest.raises(BayescaleError, match=said):
        replace(spec, regressions={**spec.regressions, **slope})
