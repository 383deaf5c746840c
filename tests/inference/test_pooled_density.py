"""The joint density of groups in NumPy: parts, force, and the Gaussian about which it moves."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit
from simulated_groups import crossed_problems, prior_draws

from bayescale.decisions.pooled import variance_components
from bayescale.forecasts.newcomer import with_new_group
from bayescale.inference.pooled_chains import Chains
from bayescale.inference.posterior import Posterior
from bayescale.inference.stacked import StackedLikelihood
from bayescale.models.catalog import load_model
from bayescale.models.density import Density


def chains_of(name, sizes=(9, 0, 12)):
    """Return five chains, a state of the population and coordinates near the runs."""
    rng = np.random.default_rng(2)
    chains = Chains(crossed_problems(load_model(name), sizes), 5, rng)
    state, _ = prior_draws(chains, rng)
    chains.weights = 0.3 * rng.standard_normal(chains.weights.shape)
    return chains, state


@pytest.mark.parametrize("name", ["chinchilla_plain_student_t_weak", "chinchilla_plain_weak"])
def test_groups_stacked_have_the_likelihood_that_each_has(name):
    spec = load_model(name)
    problems = crossed_problems(spec, (9, 0, 12))
    if spec.noise.trunk_correlation:
        problems[2] = replace(problems[2], trunks=np.repeat(["a", "b", "c"], 4))
    densities = [Density(problem) for problem in problems]
    rng = np.random.default_rng(0)
    x = np.stack([density.sample_prior(4, rng) for density in densities], axis=1)
    found = StackedLikelihood(problems).log_likelihood(x, np.zeros((4, 0)))
    np.testing.assert_allclose(found[:, 1], 0.0)
    for g in (0, 2):
        np.testing.assert_allclose(found[:, g], densities[g].log_likelihood(x[:, g]), rtol=1e-10)


@pytest.mark.parametrize(
    "name", ["chinchilla_plain_correlated_crossed", "coupled_growing_gp_siblings_partial"]
)
def test_the_force_is_the_gradient_of_the_log_density(name):
    chains, state = chains_of(name)
    target, phi = chains.target, chains.target.phi(state, chains.weights)
    of_phi, of_law = target.force(state, chains.x, chains.weights)

    def density(moved, law):
        other, weights = target.apart(state, moved)
        return target(other, chains.with_law(law), weights)

    step = 1e-5
    for k in (0, 3, phi.shape[1] - 1):
        moved = step * np.eye(phi.shape[1])[k]
        found = density(phi + moved, chains.law) - density(phi - moved, chains.law)
        np.testing.assert_allclose(found / (2 * step), of_phi[:, k], rtol=1e-3, atol=1e-3)
    for g, k in ((0, 0), (0, 2), (1, 1), (2, 3)):
        moved = np.zeros(chains.law.shape)
        moved[:, g, k] = step
        found = density(phi, chains.law + moved) - density(phi, chains.law - moved)
        np.testing.assert_allclose(found / (2 * step), of_law[:, g, k], rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("last", [(), (0,), (4,), (2, 3)])
def test_standard_coordinates_lead_there_and_back(last):
    chains, state = chains_of("chinchilla_plain_correlated_crossed")
    gaussian = chains.gaussian(state, last=last)
    phi = chains.target.phi(state, chains.weights)
    z = gaussian.standard(phi, chains.law)
    np.testing.assert_allclose(gaussian.phi(z.phi), phi, atol=1e-6)
    np.testing.assert_allclose(gaussian.law(phi, z.law), chains.law, atol=1e-6)


def test_the_gaussian_is_the_posterior_of_linear_laws():
    """Near the point where laws are linear, density and Gaussian differ by a constant."""
    chains, _ = chains_of("chinchilla_plain_correlated_crossed")
    chains.chosen = np.zeros_like(chains.chosen)
    chains.products = chains.guides.given(chains.x, chains.chosen)
    at = chains.guides.at(chains.chosen)
    gaussian, phi = chains.gaussian(), chains.phi()
    rng = np.random.default_rng(5)
    left = []
    for _ in range(4):
        there = phi + 1e-3 * rng.standard_normal(phi.shape)
        law = at + 1e-4 * rng.standard_normal(at.shape)
        state, weights = chains.target.apart(chains.state, there)
        value = chains.target(state, chains.with_law(law), weights)
        left.append(value + 0.5 * gaussian.standard(there, law).squares())
    np.testing.assert_allclose(left[1:], np.broadcast_to(left[0], (3, 5)), atol=2e-2)


def posterior_of(name, n_draws, **shared):
    """Return a posterior of two groups, all of its population near zero but what is `shared`."""
    spec = load_model(name)
    draws = {s: np.full((1, n_draws, 2), 0.3) for s in (*spec.priors, *spec.scale_priors)}
    nearly_zero = np.full((1, n_draws), 1e-12)
    names = [f"{kind}_{s}" for s in spec.spreads for kind in ("mu", "spread")]
    names += [f"slope_{s}_on_{on}" for s, slopes in spec.regressions.items() for on in slopes]
    return Posterior(
        spec=spec,
        group_columns=("dataset",),
        labels=(("d0",), ("d1",)),
        problems=tuple(crossed_problems(spec, (9, 12))),
        draws=draws,
        population={name: nearly_zero + shared.get(name, 0.0) for name in names},
        diagnostics=None,
        notes=(),
        provenance={},
    )


def test_a_newcomer_draws_its_noise_from_its_siblings():
    made = posterior_of("chinchilla_plain_siblings_partial", 400, mu_sigma=np.log(0.02))
    newcomer = with_new_group(made, ("new",), seed=1)
    np.testing.assert_allclose(newcomer.draws["sigma"][0, :, 2], 0.02)


def test_a_newcomers_shares_follow_its_exponents():
    known = {"spread_alpha": 0.1, "slope_E_share_on_alpha": 2.0}
    made = posterior_of("chinchilla_plain_correlated_partial", 400, **known)
    drawn = with_new_group(made, ("new",), seed=1).draws
    alpha, share = np.log(drawn["alpha"][0, :, 2]), logit(drawn["E_share"][0, :, 2])
    assert alpha.std() == pytest.approx(0.1, rel=0.15)
    np.testing.assert_allclose(share, 2.0 * alpha)
    spread = variance_components(made).set_index("coefficient")["sd"]
    assert spread["E_share"] == pytest.approx(0.2)
    assert spread["alpha"] == pytest.approx(0.1)


def test_a_newcomers_floor_follows_its_level_and_variance_components_leave_that_out():
    known = {"spread_loss_ref": 0.5, "slope_E_share_on_loss_ref": 1.5, "spread_E_share": 0.01}
    made = posterior_of("coupled_growing_gp_correlated_partial", 400, **known)
    drawn = with_new_group(made, ("new",), seed=1).draws
    level, share = np.log(drawn["loss_ref"][0, :, 2]), logit(drawn["E_share"][0, :, 2])
    assert level.std() == pytest.approx(0.5, rel=0.15)
    assert np.polyfit(level, share, 1)[0] == pytest.approx(1.5, abs=0.01)
    spread = variance_components(made).set_index("coefficient")["sd"]
    assert "loss_ref" not in spread
    assert spread["E_share"] == pytest.approx(0.01)
