"""The joint log density of groups that share a population, for many chains, and its force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bayescale.inference.population_moves import PopulationState
from bayescale.inference.stacked import StackedLikelihood
from bayescale.laws import Prior
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.population import population_of
from bayescale.models.problem import Problem

_LOG_2PI = float(np.log(2.0 * np.pi))


class PooledDensity:
    """The log density of population, shared weights and the coordinates of G groups.

    Parameters
    ----------
    problems : sequence of Problem
        One a group.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.population = population_of(problems)
        self.likelihood = StackedLikelihood(problems)
        self.groups = self.likelihood.densities
        first = self.groups[0]
        self.n_law, self.symbols = first.n_law, first.symbols
        self.pooled = np.array([first.symbols.index(s) for s in self.population.symbols], int)
        self.pooled_law = self.pooled[self.pooled < self.n_law]
        normals = [_nearest_normals(density) for density in self.groups]
        self.free_mean, self.free_sd = (np.stack(part) for part in zip(*normals, strict=True))
        self._set_free_priors()

    @property
    def pooled_scales(self) -> tuple[int, ...]:
        """Positions among the pooled symbols of the groups' scales."""
        return tuple(range(len(self.pooled_law), len(self.pooled)))

    @property
    def pools_all_scales(self) -> bool:
        """Whether there is a population of every scale."""
        return len(self.pooled_scales) == len(self.symbols) - self.n_law

    def _set_free_priors(self) -> None:
        """Keep the normal priors that are not pooled as arrays over groups."""
        size = len(self.symbols)
        mean, held = np.zeros((2, len(self.groups), size))
        for g, density in enumerate(self.groups):
            at, mean[g, at], sd = density.normal_coordinates
            held[g, at] = 1.0 / sd**2
        self._only_normal = bool((held > 0.0).all())
        held[:, self.pooled] = 0.0
        logs = np.log(held, where=held > 0.0, out=np.zeros_like(held)) - _LOG_2PI * (held > 0.0)
        self._normals = mean, held, 0.5 * logs.sum(axis=1)

    def log_free(self, x: Floats) -> Floats:
        """Return the log prior (C, G) of the coordinates that are not pooled."""
        mean, held, constant = self._normals
        total = constant - 0.5 * (held * (x - mean) ** 2).sum(axis=2)
        if self._only_normal:
            return np.asarray(total)
        with np.errstate(all="ignore"):
            others = [d.log_prior_of_others(x[:, g]) for g, d in enumerate(self.groups)]
        total = total + np.stack(others, axis=1)
        return np.where(np.isfinite(total), total, -1e300)

    def log_pooled(self, state: PopulationState, x: Floats) -> Floats:
        """Return the log density (C, G) of the pooled coordinates given the population."""
        departures = x[..., self.pooled] - state.centres(self.population)
        left = departures @ state.rows(self.population).swapaxes(1, 2)
        sd = state.own[:, None, :]
        terms = -0.5 * (left / sd) ** 2 - np.log(sd) - 0.5 * _LOG_2PI
        return np.asarray(terms.sum(axis=2))

    def log_population(self, state: PopulationState, weights: Floats) -> Floats:
        """Return the log prior density (C,) of effects, spreads, slopes and shared weights."""
        population, rows = self.population, state.rows(self.population)
        total = _log_normals(state.effects[:, :, 0] - population.mean, population.sd)
        total = total + _log_priors(population.own, state.own, population.differ)
        for f, block in enumerate(population.blocks):
            spread = state.spreads[:, f]
            total = total + _log_normals(rows @ state.effects[:, :, block], spread[:, :, None])
            total = total + _log_priors(population.spreads[f], spread, population.differ)
        for r, regression in enumerate(population.regressions):
            total = total + _log_normals(state.slopes[:, [r]] - regression.mean, regression.sd)
        return np.asarray(total + _log_normals(weights, 1.0))

    def __call__(self, state: PopulationState, x: Floats, weights: Floats) -> Floats:
        """Return the log density (C,) of everything."""
        of_groups = self.likelihood.log_likelihood(x, weights) + self.log_free(x)
        of_groups = of_groups + self.log_pooled(state, x)
        return np.asarray(of_groups.sum(axis=1) + self.log_population(state, weights))

    def phi(self, state: PopulationState, weights: Floats) -> Floats:
        """Return effects and shared weights beside each other, shape (C, F)."""
        return np.concatenate([state.effects.reshape(len(weights), -1), weights], axis=1)

    def apart(self, state: PopulationState, phi: Floats) -> tuple[PopulationState, Floats]:
        """Return the state with the effects of phi, and the weights of phi."""
        shape = state.effects.shape
        size = shape[1] * shape[2]
        return replace(state, effects=phi[:, :size].reshape(shape)), phi[:, size:]

    def force(self, state: PopulationState, x: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Return the gradient of the log density in phi (C, F) and the law coordinates (C, G, L).

        Priors that are not normal count as the normals nearest to them.
        """
        population, law = self.population, x[..., : self.n_law]
        of_law, of_weights = self.likelihood.force(x, weights)
        held = 1.0 / self.free_sd**2
        held[:, self.pooled_law] = 0.0
        of_law -= held * (law - self.free_mean)
        departures = x[..., self.pooled] - state.centres(population)
        pull = departures @ state.precision(population, 1.0 / state.own**2)
        of_law[..., self.pooled_law] -= pull[..., : len(self.pooled_law)]
        of_effects = np.einsum("cgp,gq->cpq", pull, population.design)
        means = state.effects[:, :, 0] - population.mean
        of_effects[:, :, 0] -= means / population.sd**2
        for f, block in enumerate(population.blocks):
            held = state.precision(population, 1.0 / state.spreads[:, f] ** 2)
            of_effects[:, :, block] -= held @ state.effects[..., block]
        parts = [of_effects.reshape(len(x), -1), of_weights - weights]
        return np.nan_to_num(np.concatenate(parts, axis=1)), np.nan_to_num(of_law)


def _nearest_normals(density: Density) -> tuple[Floats, Floats]:
    """Return mean and sd (L,) of the law's coordinates, normal or nearly so, before any run."""
    tails = np.array([0.159, 0.5, 0.841])[:, None] * np.ones(len(density.symbols))
    low, middle, high = density.prior_quantiles(tails)[:, : density.n_law]
    return middle, 0.5 * (high - low)


def _log_normals(x: Floats, sd: Floats | float) -> Floats:
    terms = -0.5 * (x / sd) ** 2 - np.log(sd) - 0.5 * _LOG_2PI
    return np.asarray(terms.reshape(len(x), -1).sum(axis=1))


def _log_priors(priors: tuple[Prior, ...], spreads: Floats, differ: Sequence[int]) -> Floats:
    terms = [priors[k].logpdf(spreads[:, k]) for k in differ]
    return np.asarray(np.sum(terms, axis=0))
