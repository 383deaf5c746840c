"""Moves of a population given its groups: effects exactly, spreads by random walks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayescale.laws import Prior
from bayescale.models.discrepancy import Floats
from bayescale.models.population import Population

_STEPS = (0.35, 1.0, 0.35)
"""Of the random walks on a log spread, in turn."""


@dataclass(frozen=True)
class PopulationState:
    """Effects and spreads of C chains, for p pooled coefficients.

    Parameters
    ----------
    effects : array, shape (C, p, Q)
        Mean and effects, in the columns of `Population.design`.
    own : array, shape (C, p)
        Spread of groups about the sum of effects.
    spreads : array, shape (C, F, p)
        Spread of each factor's effects.
    """

    effects: Floats
    own: Floats
    spreads: Floats

    @property
    def n_factors(self) -> int:
        """Number of columns that have effects."""
        return self.spreads.shape[1]

    def log_spreads(self) -> Floats:
        """Return logs of all spreads by coefficient, own first, shape (C, p, 1 + F)."""
        together = np.concatenate([self.own[:, None], self.spreads], axis=1)
        return np.asarray(np.log(together).swapaxes(1, 2))

    @classmethod
    def start(cls, population: Population, values: Floats) -> PopulationState:
        """Return spreads at their prior median and effects at zero about the groups' mean."""
        n_chains, _, p = values.shape
        effects = np.zeros((n_chains, p, population.design.shape[1]))
        effects[:, :, 0] = values.mean(axis=1)
        own = np.array([float(prior.quantile(0.5)) for prior in population.own])
        spreads = np.array([float(q.quantile(0.5)) for f in population.spreads for q in f])
        spreads = spreads.reshape(len(population.factors), p)
        return cls(effects, np.tile(own, (n_chains, 1)), np.tile(spreads, (n_chains, 1, 1)))

    def where(self, taken: np.ndarray, other: PopulationState) -> PopulationState:
        """Return the other's values in the chains where `taken`, and these elsewhere."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        shaped = ((np.reshape(taken, (-1, *[1] * (a.ndim - 1))), a, b) for a, b in pairs)
        return PopulationState(*(np.where(mask, b, a) for mask, a, b in shaped))

    def centres(self, population: Population) -> Floats:
        """Return the sum of effects of each group, shape (C, G, p)."""
        return np.einsum("cpq,gq->cgp", self.effects, population.design)


def draw_effects(
    population: Population, state: PopulationState, values: Floats, rng: np.random.Generator
) -> PopulationState:
    """Draw means and effects given the groups' coordinates (C, G, p): they are Gaussian."""
    design, n_chains = population.design, len(values)
    p, size = len(population.symbols), design.shape[1]
    prior = np.empty((n_chains, p, size))
    prior[:, :, 0] = 1.0 / population.sd**2
    for block, spread in zip(population.blocks, state.spreads.swapaxes(0, 1), strict=True):
        prior[:, :, block] = (1.0 / spread**2)[:, :, None]
    noise = 1.0 / state.own**2
    precision = noise[:, :, None, None] * (design.T @ design) + np.eye(size) * prior[..., None, :]
    linear = noise[:, :, None] * np.einsum("cgp,gq->cpq", values, design)
    linear[:, :, 0] += population.mean / population.sd**2
    mean = np.linalg.solve(precision, linear[..., None])[..., 0]
    factor = np.linalg.cholesky(precision)
    normal = rng.standard_normal(mean.shape)[..., None]
    step = np.linalg.solve(factor.swapaxes(-1, -2), normal)[..., 0]
    return replace(state, effects=mean + step)


def draw_spreads(
    population: Population, state: PopulationState, values: Floats, rng: np.random.Generator
) -> PopulationState:
    """Move every spread given effects and groups."""
    departures = (values - state.centres(population)).swapaxes(1, 2)
    own = _walk(state.own, departures, population.own, rng)
    spreads = state.spreads.copy()
    for f, block in enumerate(population.blocks):
        effects = state.effects[:, :, block]
        spreads[:, f] = _walk(spreads[:, f], effects, population.spreads[f], rng)
    return replace(state, own=own, spreads=spreads)


def _walk(
    spread: Floats, departures: Floats, priors: tuple[Prior, ...], rng: np.random.Generator
) -> Floats:
    """Return spreads (C, p) moved given what departs by them, shape (C, p, number)."""
    number, squares = departures.shape[2], (departures**2).sum(axis=2)

    def log_density(s: Floats) -> Floats:
        prior = np.column_stack([prior.logpdf(s[:, k]) for k, prior in enumerate(priors)])
        return np.asarray(prior + np.log(s) * (1 - number) - 0.5 * squares / s**2)

    current = log_density(spread)
    for step in _STEPS:
        moved = spread * np.exp(step * rng.standard_normal(spread.shape))
        proposed = log_density(moved)
        better = np.log(rng.uniform(size=spread.shape)) < proposed - current
        spread, current = np.where(better, moved, spread), np.where(better, proposed, current)
    return spread
