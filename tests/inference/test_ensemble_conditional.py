"""What is linear in a law is carried along: there and back, at the volume that it says."""

import numpy as np
import pytest
from simulated import problem

from bayescale.inference.ensemble_conditional import Conditional
from bayescale.inference.mode import find_modes
from bayescale.laws import list_laws, load_law
from bayescale.models.catalog import load_model
from bayescale.models.density import Density
from tests.laws.simulated_tables import empty_problem, replicate

LAW = "broken_once"
LINEAR = [name for name in list_laws() if load_law(name).linear]


@pytest.fixture(scope="module")
def density() -> Density:
    return Density(replicate(empty_problem(load_law(LAW)), np.random.default_rng(0))[0])


@pytest.fixture(scope="module")
def points(density: Density) -> np.ndarray:
    """Points about the mode, (6, P)."""
    rng = np.random.default_rng(1)
    mode = find_modes(density, density.sample_prior(12, rng), keep=1)
    return rng.multivariate_normal(mode.x[0], 0.1 * mode.covariance[0], size=6)


@pytest.fixture(scope="module")
def conditional(density: Density) -> Conditional:
    found = Conditional.of(density, np.random.default_rng(2))
    assert found is not None
    return found


def test_a_law_that_names_nothing_linear_has_none():
    group = Density(problem(load_model("power_law_compute_plain_weak"), 25, 1))
    assert Conditional.of(group, np.random.default_rng(0)) is None


@pytest.mark.parametrize("name", LINEAR)
def test_declared_coefficients_are_linear(name: str):
    """Parts depend on the others alone."""
    law, rng = load_law(name), np.random.default_rng(3)
    inputs = {symbol: np.exp(rng.normal(size=5)) for symbol in law.inputs}
    values = {c.symbol: c.prior.quantile(0.6, 1.1) for c in law.coefficients}
    parts = law.parts(inputs, values)
    assert set(parts) == set(law.linear)
    moved = values | {symbol: values[symbol] + rng.normal() for symbol in law.linear}
    for symbol, part in law.parts(inputs, moved).items():
        np.testing.assert_array_equal(part, parts[symbol])
    combined = sum(moved[symbol] * parts[symbol] for symbol in law.linear)
    np.testing.assert_allclose(law.evaluate(inputs, moved), law.combine(combined, values))


def test_standing_still_is_no_move(conditional, points):
    start = points[:, conditional.linear]
    there, log_volume = conditional.carry(points, np.zeros(points.shape), start)
    np.testing.assert_allclose(there, points, atol=1e-9)
    np.testing.assert_allclose(log_volume, 0.0, atol=1e-9)


def test_the_way_back_leads_back(conditional, points):
    moved = np.random.default_rng(4).normal(scale=0.05, size=points.shape)
    start = np.tile(np.median(points[:, conditional.linear], axis=0), (len(points), 1))
    there, log_volume = conditional.carry(points, moved, start)
    back, log_back = conditional.carry(there, -moved, start)
    np.testing.assert_allclose(back, points, atol=1e-8)
    np.testing.assert_allclose(log_back, -log_volume, atol=1e-8)


def test_the_volume_is_that_of_the_map(conditional, points):
    x, n = points[0], points.shape[1]
    moved = np.random.default_rng(5).normal(scale=0.05, size=n)
    start = points[:1, conditional.linear]
    shifts = np.concatenate([1e-5 * np.eye(n), -1e-5 * np.eye(n)])
    alike = (np.tile(moved, (2 * n, 1)), start.repeat(2 * n, axis=0))
    up, down = np.split(conditional.carry(x + shifts, *alike)[0], 2)
    _, expected = np.linalg.slogdet((up - down).T / 2e-5)
    _, log_volume = conditional.carry(x[None], moved[None], start)
    np.testing.assert_allclose(log_volume, expected, atol=1e-3)


def test_slopes_follow_a_break_as_the_posterior_has_it(conditional, density, points):
    """Carried along, a break may go where alone it loses most of its density."""
    moved = np.zeros(points.shape)
    moved[:, density.symbols.index("break_1")] = 0.3
    start = points[:, conditional.linear]
    there, _ = conditional.carry(points, moved, start)
    assert (density(there) > density(points + moved) + 3.0).mean() > 0.5
