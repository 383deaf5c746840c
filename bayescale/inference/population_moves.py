"""Moves of a population given its groups: effects and slopes exactly, spreads by random walks."""

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
    slopes : array, shape (C, R)
        Of the population's regressions.
    """

    effects: Floats
    own: Floats
    spreads: Floats
    slopes: Floats

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
        slopes = np.array([regression.mean for regression in population.regressions])
        alike = [np.tile(part, (n_chains, *[1] * part.ndim)) for part in (own, spreads, slopes)]
        return cls(effects, *alike)

    def where(self, taken: np.ndarray, other: PopulationState) -> PopulationState:
        """Return the other's values in the chains where `taken`, and these elsewhere."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        shaped = ((np.reshape(taken, (-1, *[1] * (a.ndim - 1))), a, b) for a, b in pairs)
        return PopulationState(*(np.where(mask, b, a) for mask, a, b in shaped))

    def centres(self, population: Population) -> Floats:
        """Return the sum of effects of each group, shape (C, G, p)."""
        return np.einsum("cpq,gq->cgp", self.effects, population.design)

    def rows(self, population: Population) -> Floats:
        """Return what takes departures to what is left of them by the regressions, (C, p, p)."""
        n_chains, p = self.own.shape
        rows = np.tile(np.eye(p), (n_chains, 1, 1))
        of, on = population.ends
        rows[:, of, on] = -self.slopes
        return rows

    def precision(self, population: Population, held: Floats) -> Floats:
        """Return the precision (C, p, p) of departures, for that of what is left, (C, p)."""
        rows = self.rows(population)
        return np.asarray(rows.swapaxes(1, 2) @ (held[:, :, None] * rows))


def draw_effects(
    population: Population, state: PopulationState, values: Floats, rng: np.random.Generator
) -> PopulationState:
    """Draw means and effects given the groups' coordinates (C, G, p): they are Gaussian.

    One coefficient after another, given those whose departures it follows or leads.
    """
    held = state.precision(population, 1.0 / state.own**2)
    of_levels = [
        state.precision(population, 1.0 / spread**2) for spread in state.spreads.swapaxes(0, 1)
    ]
    effects = state.effects.copy()
    for k in range(len(population.symbols)):
        effects[:, k] = _drawn(population, k, effects, values, held, of_levels, rng)
    return replace(state, effects=effects)


def _drawn(
    population: Population,
    k: int,
    effects: Floats,
    values: Floats,
    held: Floats,
    of_levels: list[Floats],
    rng: np.random.Generator,
) -> Floats:
    """Return the mean and effects (C, Q) of one coefficient given those of all others."""
    design, others = population.design, [j for i, j in population.linked if i == k and j != k]
    centre = np.einsum("cpq,gq->cgp", effects[:, others], design)
    pull = held[:, [k], k][:, :, None] * values[:, :, [k]]
    pull += (values[:, :, others] - centre) @ held[:, others, k][:, :, None]
    linear = pull[..., 0] @ design
    linear[:, 0] += population.mean[k] / population.sd[k] ** 2
    prior = np.empty(linear.shape)
    prior[:, 0] = 1.0 / population.sd[k] ** 2
    for block, of_level in zip(population.blocks, of_levels, strict=True):
        prior[:, block] = of_level[:, [k], k]
        linear[:, block] -= (of_level[:, [k]][:, :, others] @ effects[:, others, block])[:, 0]
    precision = held[:, k, k][:, None, None] * (design.T @ design)
    precision = precision + np.eye(design.shape[1]) * prior[:, None]
    return gaussian(precision, linear, rng)


def gaussian(precision: Floats, linear: Floats, rng: np.random.Generator) -> Floats:
    """Return draws (C, d) of a Gaussian, for its precision and the precision times its mean."""
    mean = np.linalg.solve(precision, linear[..., None])[..., 0]
    factor = np.linalg.cholesky(precision)
    normal = rng.standard_normal(mean.shape)[..., None]
    return np.asarray(mean + np.linalg.solve(factor.swapaxes(-1, -2), normal)[..., 0])


def draw_slopes(
    population: Population, state: PopulationState, values: Floats, rng: np.random.Generator
) -> PopulationState:
    """Draw the slopes of every regression given all departures: they are Gaussian."""
    if not population.regressions:
        return state
    of, on = population.ends
    departures = (values - state.centres(population)).swapaxes(1, 2)
    parts = [(departures, state.own)]
    for f, block in enumerate(population.blocks):
        parts.append((state.effects[:, :, block], state.spreads[:, f]))
    slopes = state.slopes.copy()
    for k in np.unique(of):
        mine = np.flatnonzero(of == k)
        prior = [population.regressions[r] for r in mine]
        held = np.array([1.0 / regression.sd**2 for regression in prior])
        precision = np.tile(np.diag(held), (len(slopes), 1, 1))
        linear = np.tile(held * [regression.mean for regression in prior], (len(slopes), 1))
        for departs, spread in parts:
            leads = departs[:, on[mine]] / spread[:, [k], None]
            precision += leads @ leads.swapaxes(1, 2)
            linear += (leads @ (departs[:, k] / spread[:, [k]])[..., None])[..., 0]
        slopes[:, mine] = gaussian(precision, linear, rng)
    return replace(state, slopes=slopes)


def draw_spreads(
    population: Population, state: PopulationState, values: Floats, rng: np.random.Generator
) -> PopulationState:
    """Move every spread given effects, slopes and groups."""
    rows = state.rows(population)
    departures = rows @ (values - state.centres(population)).swapaxes(1, 2)
    own = _walk(population, state.own, departures, population.own, rng)
    spreads = state.spreads.copy()
    for f, block in enumerate(population.blocks):
        effects = rows @ state.effects[:, :, block]
        spreads[:, f] = _walk(population, spreads[:, f], effects, population.spreads[f], rng)
    return replace(state, own=own, spreads=spreads)


def _walk(
    population: Population,
    spreads: Floats,
    departures: Floats,
    priors: tuple[Prior, ...],
    rng: np.random.Generator,
) -> Floats:
    """Return spreads (C, p) moved given what departs by them, shape (C, p, number)."""
    belongs, differ = population.belongs, list(population.differ)
    number = departures.shape[2] * belongs.sum(axis=0)
    squares, spread = (departures**2).sum(axis=2) @ belongs, spreads[:, differ]

    def log_density(s: Floats) -> Floats:
        prior = np.column_stack([priors[k].logpdf(s[:, m]) for m, k in enumerate(differ)])
        return np.asarray(prior + np.log(s) * (1 - number) - 0.5 * squares / s**2)

    current = log_density(spread)
    for step in _STEPS:
        moved = spread * np.exp(step * rng.standard_normal(spread.shape))
        proposed = log_density(moved)
        better = np.log(rng.uniform(size=spread.shape)) < proposed - current
        spread, current = np.where(better, moved, spread), np.where(better, proposed, current)
    return spread @ belongs.T
