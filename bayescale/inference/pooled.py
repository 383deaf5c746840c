"""Pooled models without compilation: groups, population and shared discrepancy drawn jointly.

Many chains run side by side in NumPy. A sweep moves effects, shared weights and all groups at once
by a few Hamiltonian steps about the Gaussian that the linearised laws imply (`inference.glide`),
or, where there are many groups, each group afresh and then what they share; then scales, spreads
and slopes with everything carried along (`inference.carried_moves`), and the population exactly
given the groups. The laws are made
linear about the corpus prior's modes first, and twice again about the draws of the warm-up. Every
draw holds one population and all groups, so that contrasts of groups are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayescale.inference.chains import effective_draws, split_rhat
from bayescale.inference.pareto import pareto_khat
from bayescale.inference.pooled_chains import MANY_GROUPS, Chains, Snapshot
from bayescale.inference.posterior import Diagnostics
from bayescale.models.discrepancy import Floats
from bayescale.models.population import effect_name, slope_name, spread_name
from bayescale.models.problem import Problem

_RENEWALS = 3
"""Times the laws are made linear about the draws of the warm-up."""

N_DIAGNOSED = 1000
"""Candidates from which the khat of a group's proposals is read."""


@dataclass(frozen=True, kw_only=True)
class PooledEffort:
    """How hard to try.

    Parameters
    ----------
    chains : int
        Side by side.
    warm_up, kept : int
        Sweeps before each renewal of the linear laws, and sweeps kept at the end.
    target_ess, target_rhat : float
        Effective draws below which, and R-hat above which, as many sweeps again are kept.
    blocks : int
        Times that sweeps are kept, at most.
    """

    chains: int = 48
    warm_up: int = 20
    kept: int = 50
    target_ess: float = 400.0
    target_rhat: float = 1.01
    blocks: int = 8


EFFORT = PooledEffort()
FOR_MANY = PooledEffort(chains=8, warm_up=18, kept=40, blocks=20)
"""Many groups pin their population down, and each costs as much as the next: few chains, longer."""


def sample_pooled(
    problems: Sequence[Problem], *, draws: int, seed: int, effort: PooledEffort | None = None
) -> tuple[dict[str, Floats], dict[str, Floats], Diagnostics]:
    """Draw from the joint posterior of groups that share a population.

    Parameters
    ----------
    problems : sequence of Problem
        One a group; a group may have no runs.
    draws : int
        Draws returned.
    seed : int
        Seed of everything random.
    effort : PooledEffort, optional
        How hard to try; by default according to the number of groups.

    Returns
    -------
    draws : dict of str to array, shape (1, draw, group)
        The law's coefficients, ``sigma`` and, where there is a discrepancy, ``tau``.
    population : dict of str to array, shape (1, draw) or (1, draw, .)
        As `Posterior.population` has it.
    diagnostics : Diagnostics
        khat of each group's proposals, effective draws and R-hat over everything.
    """
    tried = effort or (FOR_MANY if len(problems) > MANY_GROUPS else EFFORT)
    rng = np.random.default_rng([seed, len(problems)])
    chains = Chains(problems, tried.chains, rng)
    for _ in range(_RENEWALS):
        chains.warm_up(tried.warm_up)
    return _kept(chains, tried, draws, tuple(_khats(chains).tolist()))


def _khats(chains: Chains) -> Floats:
    """Return the Pareto shape of each group's weights, over all chains."""
    size = max(1, N_DIAGNOSED // chains.n_chains)
    weights = chains.log_weights(size)
    return np.array([pareto_khat(weights[:, :, g].ravel()) for g in range(weights.shape[2])])


def _kept(
    chains: Chains, effort: PooledEffort, draws: int, khat: tuple[float, ...]
) -> tuple[dict[str, Floats], dict[str, Floats], Diagnostics]:
    """Return draws of groups and population, and how well they were made."""
    kept: list[Snapshot] = []
    for _ in range(effort.blocks):
        kept += [chains.sweep() for _ in range(effort.kept)]
        flat = _quantities(kept)
        ess, rhat = float(effective_draws(flat).min()), float(split_rhat(flat).max())
        if ess > effort.target_ess and rhat <= effort.target_rhat:
            break
    picked = np.linspace(0, len(kept) * chains.n_chains - 1, draws).astype(int)
    found = Diagnostics(
        engine="amis",
        khat=khat,
        ess=ess,
        rhat=rhat,
        divergences=0,
        cpu_seconds=0.0,
    )
    return _groups(chains, kept, picked), _population(chains, kept, picked), found


def _quantities(kept: list[Snapshot]) -> Floats:
    """Return every scalar as (C, T, number)."""
    x = np.stack([snapshot.x for snapshot in kept], axis=1)
    state = [snapshot.population for snapshot in kept]
    parts = [x, *(np.stack([getattr(s, name) for s in state], axis=1) for name in _PARTS)]
    return np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], axis=2)


_PARTS = ("effects", "own", "spreads", "slopes")


def _groups(chains: Chains, kept: list[Snapshot], picked: np.ndarray) -> dict[str, Floats]:
    x = np.concatenate([snapshot.x for snapshot in kept])[picked]
    density = chains.target.groups[0]
    columns = [density.constrain(x[:, g]) for g in range(x.shape[1])]
    return {s: np.concatenate([c[s] for c in columns], axis=1)[None] for s in density.symbols}


def _population(chains: Chains, kept: list[Snapshot], picked: np.ndarray) -> dict[str, Floats]:
    population, out = chains.target.population, {}
    states = [snapshot.population for snapshot in kept]
    effects, own, spreads, slopes = (
        np.concatenate([getattr(state, name) for state in states])[picked] for name in _PARTS
    )
    for k, symbol in enumerate(population.symbols):
        out[f"mu_{symbol}"] = effects[None, :, k, 0]
        out[spread_name(symbol)] = own[None, :, k]
        for f, factor in enumerate(population.factors):
            out[spread_name(symbol, factor.column)] = spreads[None, :, f, k]
            out[effect_name(symbol, factor.column)] = effects[None, :, k, population.blocks[f]]
    for r, regression in enumerate(population.regressions):
        of, on = (population.symbols[k] for k in (regression.of, regression.on))
        out[slope_name(of, on)] = slopes[None, :, r]
    if chains.target.likelihood.n_weights:
        out["weights"] = np.concatenate([snapshot.weights for snapshot in kept])[None, picked]
    return out
