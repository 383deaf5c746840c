"""The volume that a carried move says it gains or loses is that of its map."""

import numpy as np
import pytest
from simulated_groups import crossed_problems

from bayescale.inference.carried_moves import move_scale_population, move_spreads
from bayescale.inference.joint_gaussian import _factorised
from bayescale.inference.pooled_chains import Chains
from bayescale.inference.population_moves import PopulationState
from bayescale.models.catalog import load_model

STEP = 1e-5
MOVES = {"sigma": move_scale_population, "tau": move_scale_population, "alpha": move_spreads}
MODELS = ("coupled_growing_gp_correlated_partial", "coupled_growing_gp_siblings_partial")


class Shifted:
    """Proposals that lie one fixed step from where the chains are."""

    def propose(self, present, rng, *, fresh):
        """Return the present logs moved, and no gain."""
        return present + 0.3, np.zeros(present.shape[:2])


def placed(chains, flat):
    """Put chains at rows of all coordinates: groups, effects, own spreads, weights."""
    x, effects, own, weights = np.split(flat, np.cumsum(_sizes(chains))[:-1], axis=1)
    own = own @ chains.target.population.belongs.T
    chains.n_chains = len(flat)
    chains.x = x.reshape(-1, *chains.x.shape[1:])
    spreads = np.zeros((len(flat), 0, own.shape[1]))
    slopes = np.full((len(flat), chains.state.slopes.shape[1]), 0.4)
    effects = effects.reshape(len(flat), own.shape[1], -1)
    chains.state = PopulationState(effects, own, spreads, slopes)
    chains.weights = weights
    chains._take_guides(np.zeros(chains.x.shape[:2], dtype=int))


def coordinates(chains, state, x, weights):
    """Return all coordinates, of spreads only those that differ."""
    own = state.own[:, list(chains.target.population.differ)]
    return [x, state.effects, own, weights]


def _sizes(chains):
    parts = coordinates(chains, chains.state, chains.x, chains.weights)
    return [int(np.prod(part.shape[1:])) for part in parts]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("symbol", MOVES)
def test_the_gain_of_a_move_is_the_volume_of_its_map(symbol, name):
    spec = load_model(name)
    chains = Chains(crossed_problems(spec, (9, 0, 12)), 1, np.random.default_rng(3))
    chains.weights = 0.3 * np.random.default_rng(4).standard_normal(chains.weights.shape)
    parts = coordinates(chains, chains.state, chains.x, chains.weights)
    start = np.concatenate([part.ravel() for part in parts])
    step = STEP * np.eye(len(start))
    placed(chains, np.concatenate([start + step, start - step, start[None]]))
    k = chains.target.population.symbols.index(symbol)
    chains.spreads = Shifted()
    chains.scale_populations = {k: Shifted()}
    seen = {}

    def accept(state, phi, x, gain):
        state, weights = chains.target.apart(state, phi)
        ends = coordinates(chains, state, x, weights)
        seen["ends"] = np.concatenate([end.reshape(len(x), -1) for end in ends], axis=1)
        seen["gain"] = gain[-1]
        return np.zeros(len(x), dtype=bool)

    chains.accept = accept
    MOVES[symbol](chains, k, fresh=True)
    up, down = seen["ends"][: len(start)], seen["ends"][len(start) : -1]
    _, volume = np.linalg.slogdet((up - down) / (2.0 * STEP))
    assert seen["gain"] == pytest.approx(volume, abs=1e-3)


def test_a_precision_that_is_none_has_no_factor_and_spares_the_others():
    precision = np.array([[[2.0, 1.0], [1.0, 3.0]], [[1.0, 2.0], [2.0, 1.0]]])
    factor, inverse, logs = _factorised(precision, np.array([0]))
    np.testing.assert_allclose(factor[0] @ factor[0].T, precision[0], rtol=1e-8)
    assert np.isnan(factor[1]).all()
    assert np.isnan(logs[1]).all()
    assert np.isfinite(inverse[0]).all()


def test_a_move_to_no_number_is_refused_and_spares_the_other_chains():
    spec = load_model("chinchilla_plain_crossed")
    chains = Chains(crossed_problems(spec, (9, 6, 12)), 3, np.random.default_rng(3))
    before, phi = chains.x.copy(), chains.phi()
    phi[0] = np.nan
    with np.errstate(all="ignore"):
        taken = chains.accept(chains.state, phi, chains.x.copy(), np.zeros(3))
    assert taken.tolist() == [False, True, True]
    np.testing.assert_array_equal(chains.x, before)
