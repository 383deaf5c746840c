"""Adaptive multiple importance sampling: a posterior in tens of milliseconds, no compilation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln, logsumexp

from bayescale.inference.mode import Modes, find_modes
from bayescale.inference.pareto import pareto_khat
from bayescale.inference.resampling import systematic_picks
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats

_DEGREES = 6.0
MAX_COORDINATES = 12
"""Beyond this many coordinates a group, importance weights degenerate: use NUTS."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How hard to try.

    Parameters
    ----------
    starts : int
        Starts of the search for modes.
    rounds, size : int
        Rounds of proposals and draws in each.
    target_ess : float
        Stop adapting once the effective sample size passes this.
    """

    starts: int = 5
    rounds: int = 8
    size: int = 500
    target_ess: float = 500.0


EFFORTS = (Effort(), Effort(starts=24, rounds=14, size=2000, target_ess=1000.0))
"""The default effort, then the larger one that a bad khat or ESS calls for."""


@dataclass(frozen=True)
class Weighted:
    """Weighted draws of one group's unconstrained coordinates.

    Parameters
    ----------
    x : array, shape (S, P)
        Draws.
    log_weights : array, shape (S,)
        Normalised log importance weights.
    mode : array, shape (P,)
        The best mode found.
    """

    x: Floats
    log_weights: Floats
    mode: Floats

    @property
    def ess(self) -> float:
        """Effective sample size of the weights."""
        weights = np.exp(self.log_weights)
        return float(1.0 / (weights @ weights))

    @property
    def khat(self) -> float:
        """Pareto shape of the weights."""
        return pareto_khat(self.log_weights)

    def resample(self, n_draws: int, rng: np.random.Generator) -> Floats:
        """Return equally weighted draws (n_draws, P) by systematic resampling, shuffled."""
        return self.x[rng.permutation(systematic_picks(np.exp(self.log_weights), n_draws, rng))]


def sample(
    density: Density,
    rng: np.random.Generator,
    effort: Effort = EFFORTS[0],
    starts: Floats | None = None,
) -> Weighted:
    """Draw weighted samples from one group's posterior.

    Parameters
    ----------
    density : Density
        The log posterior.
    rng : Generator
        Source of randomness.
    effort : Effort
        Starts, rounds and draws.
    starts : array, shape (B, P), optional
        Where to look for modes instead of prior draws: the mode of a like problem, say.

    Returns
    -------
    Weighted
        Draws of every round, weighted against the mixture of all proposals.

    References
    ----------
    Cornuet, Marin, Mira and Robert (2012), Adaptive multiple importance sampling,
    arXiv:0907.1254.
    """
    if starts is None:
        starts = starting_points(density, rng, effort.starts)
    modes = find_modes(density, starts)
    mixture = _Mixture(_initial_proposal(density, modes))
    components = mixture.components
    draws, targets = np.empty((0, modes.x.shape[1])), np.empty(0)
    weighted = Weighted(draws, targets, modes.x[0])
    for _ in range(effort.rounds):
        fresh = mixture.draw(components, effort.size, rng)
        draws = np.concatenate([draws, fresh])
        targets = np.concatenate([targets, density(fresh)])
        log_weights = targets - mixture.log_density(draws)
        weighted = Weighted(draws, log_weights - logsumexp(log_weights), modes.x[0])
        if weighted.ess > effort.target_ess:
            break
        components = mixture.add(_adapted_proposal(weighted, modes))
    return weighted


def starting_points(density: Density, rng: np.random.Generator, n_starts: int) -> Floats:
    """Return the prior median and prior draws, scales started at 2 %, shape (n_starts, P)."""
    p = np.concatenate(
        [np.full((1, len(density.symbols)), 0.5), _stratified(density, rng, n_starts)]
    )
    starts = density.prior_quantiles(p)[:n_starts]
    starts[:, density.n_law :] = np.log(0.02)
    return starts


def _stratified(density: Density, rng: np.random.Generator, n_starts: int) -> Floats:
    """Return prior probabilities (n_starts, P), one in each of n_starts strata per coordinate."""
    strata = np.argsort(rng.uniform(size=(n_starts, len(density.symbols))), axis=0)
    return (strata + rng.uniform(size=strata.shape)) / n_starts


@dataclass(frozen=True)
class _Component:
    mean: Floats
    covariance: Floats
    share: float


def _initial_proposal(density: Density, modes: Modes) -> list[_Component]:
    mode, covariance, n_law = modes.x[0], modes.covariance[0], density.n_law
    parts = [_Component(mode, 1.1 * covariance, 0.45), _Component(mode, 3.0 * covariance, 0.30)]
    for k in range(n_law, len(mode)):
        lower = mode.copy()
        lower[k] -= 1.1 * min(1.0, float(np.sqrt(covariance[k, k])))
        parts.append(_Component(lower, 2.0 * covariance, 0.13))
    if len(modes.x) > 1 and modes.log_density[1] > modes.log_density[0] - 4.0:
        parts.append(_Component(modes.x[1], 1.5 * modes.covariance[1], 0.2))
    return parts


def _adapted_proposal(weighted: Weighted, modes: Modes) -> list[_Component]:
    """Match the moments of the draws, weights tempered while the sample is poor."""
    ess = weighted.ess
    power = 0.35 if ess < 15 else 0.6 if ess < 50 else 1.0
    log_weights = power * weighted.log_weights
    weights = np.exp(log_weights - logsumexp(log_weights))
    mean = weights @ weighted.x
    centred = weighted.x - mean
    ridge = 1e-3 * np.diag(np.diag(modes.covariance[0]))
    covariance = (weights[:, None] * centred).T @ centred + ridge
    mode = _Component(modes.x[0], 1.5 * modes.covariance[0], 0.25)
    return [
        _Component(mean, 1.15 * covariance, 0.55),
        _Component(mean, 3.0 * covariance, 0.2),
        mode,
    ]


class _Mixture:
    """Student-t components and how many draws each has had: the deterministic mixture."""

    def __init__(self, components: list[_Component]) -> None:
        self.components: list[_Component] = []
        self._counts: list[int] = []
        self._factors: list[Floats] = []
        self._log_densities = np.empty((0, 0))
        self.add(components)

    def add(self, components: list[_Component]) -> list[_Component]:
        """Add proposals and return those to draw from next."""
        self.components.extend(components)
        self._counts.extend([0] * len(components))
        self._factors.extend(np.asarray(np.linalg.cholesky(c.covariance)) for c in components)
        return components

    def draw(self, components: list[_Component], n_draws: int, rng: np.random.Generator) -> Floats:
        """Return n_draws new points from the last-added components, shape (n_draws, P)."""
        shares = np.array([component.share for component in components])
        counts = np.floor(n_draws * shares / shares.sum()).astype(int)
        counts[0] += n_draws - counts.sum()
        first, parts = len(self.components) - len(components), []
        for k, count in enumerate(counts):
            normal = rng.standard_normal((count, len(components[k].mean)))
            scale = np.sqrt(_DEGREES / rng.chisquare(_DEGREES, count))[:, None]
            parts.append(components[k].mean + scale * (normal @ self._factors[first + k].T))
            self._counts[first + k] += int(count)
        return np.concatenate(parts)

    def log_density(self, x: Floats) -> Floats:
        """Return the log density of the mixture of everything drawn so far, shape (S,)."""
        table = np.full((len(x), len(self.components)), np.nan)
        done = self._log_densities.shape
        table[: done[0], : done[1]] = self._log_densities
        for k in range(len(self.components)):
            rows = slice(done[0] if k < done[1] else 0, None)
            table[rows, k] = self._component_log_density(k, x[rows])
        self._log_densities = table
        shares = np.array(self._counts) / sum(self._counts)
        largest = table.max(axis=1)
        return np.asarray(largest + np.log(np.exp(table - largest[:, None]) @ shares))

    def _component_log_density(self, k: int, x: Floats) -> Floats:
        factor, size = self._factors[k], x.shape[1]
        z = np.linalg.solve(factor, (x - self.components[k].mean).T)
        constant = (
            gammaln(0.5 * (_DEGREES + size))
            - gammaln(0.5 * _DEGREES)
            - 0.5 * size * np.log(_DEGREES * np.pi)
            - np.log(np.diag(factor)).sum()
        )
        squared: Any = (z**2).sum(axis=0)
        return np.asarray(constant - 0.5 * (_DEGREES + size) * np.log1p(squared / _DEGREES))
