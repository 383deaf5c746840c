"""What linear laws and normal scales say of each spread, with all that it holds integrated out.

Many groups start apart and come together slowly: where a spread lies near zero, the chains of a
warm-up walk towards it side by side, and how far they are from each other says nothing of how
little is known of it. Given the other spreads and the scales its marginal density is a Gaussian
integral, and a few points of it say where the spread lies. A guide to where spreads are proposed:
whatever it says, the exact density accepts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bayescale.inference.joint_gaussian import SMALLEST, JointGaussian
from bayescale.inference.population_moves import PopulationState
from bayescale.laws import Prior
from bayescale.models.discrepancy import Floats

if TYPE_CHECKING:
    from bayescale.inference.pooled_chains import Chains

_POINTS, _PASSES = np.linspace(-1.0, 1.0, 13), 3
_TAIL, _AROUND = 1e-3, 1.0
"""Of the prior outside the first points, and how far from the chains these reach at least."""

_REACH = 5.0
"""Sds that later points reach to either side."""

_LEAST_HELD = 1e-6
"""Precision of a group that says nothing of a scale."""


def guided_spreads(chains: Chains, seen: Floats) -> Floats:
    """Return draws of the log of every spread from its marginal, for those seen in a warm-up.

    Parameters
    ----------
    chains : Chains
        Their laws linear about the warm-up's draws; other spreads are as they are now.
    seen : array, shape (T, p, 1 + F)
        As many draws, in which the spreads of scales stay: no law is linear in those.

    Returns
    -------
    array, shape (T, p, 1 + F)
    """
    population, out = chains.target.population, seen.copy()
    for k in population.differ:
        if k >= len(chains.target.pooled_law):
            continue
        for f in range(seen.shape[2]):
            prior = (population.own, *population.spreads)[f][k]
            log_density = partial(_log_density, chains, k, f)
            log = _drawn(chains, prior, chains.state.log_spreads()[:, k, f], log_density, len(seen))
            out[:, population.equals(k), f] = log[:, None]
    return out


def guided_scale_population(chains: Chains, k: int, size: int) -> Floats:
    """Return draws (size, 1, 2) of the mean and log spread of a pooled scale, as guides have it.

    Parameters
    ----------
    chains : Chains
        With what each group's runs say of its scales; effects of factors are as they are now.
    k : int
        Position of the scale among the pooled coefficients.
    size : int
        Draws, as many of each chain.
    """
    prior, present = chains.target.population.own[k], np.log(chains.state.own[:, k])
    scale = _PooledScale(chains, k)
    log = _drawn(chains, prior, present, scale.log_density, size).reshape(-1, chains.n_chains)
    draws = [np.stack([scale.mean(row, chains.rng), row], axis=1) for row in log]
    return np.concatenate(draws)[:, None]


def _drawn(
    chains: Chains,
    prior: Prior,
    present: Floats,
    log_density: Callable[[Floats], Floats],
    size: int,
) -> Floats:
    """Return draws (size,) of the log of a spread, for its log density (C,) in each chain."""
    middle, reach = _possible(prior, present)
    for _ in range(_PASSES):
        logs = middle + np.multiply.outer(_POINTS, reach)
        mean, sd = _moments(logs, np.stack([log_density(log) for log in logs]))
        middle, reach = mean, np.maximum(_REACH * sd, 1.5 * (logs[1] - logs[0]))
    normal = chains.rng.standard_normal((size // chains.n_chains, chains.n_chains))
    return np.asarray((mean + sd * normal).ravel())


def _possible(prior: Prior, present: Floats) -> tuple[Floats, Floats]:
    """Return middle and reach (C,) of what the prior of a spread allows, and of where chains are.

    Runs of many groups can hold a spread far out in its prior.
    """
    low, high = (np.log(float(prior.quantile(share))) for share in (_TAIL, 1.0 - _TAIL))
    low, high = np.minimum(low, present - _AROUND), np.maximum(high, present + _AROUND)
    return 0.5 * (low + high), 0.5 * (high - low)


def _moments(logs: Floats, log_density: Floats) -> tuple[Floats, Floats]:
    """Return mean and sd (C,) of densities (points, C)."""
    density = np.exp(log_density - log_density.max(axis=0))
    share = density / density.sum(axis=0)
    mean = (share * logs).sum(axis=0)
    return mean, np.sqrt((share * (logs - mean) ** 2).sum(axis=0))


def _log_density(chains: Chains, k: int, f: int, log: Floats) -> Floats:
    """Return the log marginal density (C,) of the log of one spread, given the others."""
    state, equals = chains.state, list(chains.target.population.equals(k))
    own, spreads = state.own.copy(), state.spreads.copy()
    part = spreads[:, f - 1] if f else own
    part[:, equals] = np.exp(log)[:, None]
    moved = replace(state, own=own, spreads=spreads)
    found = log + log_marginal(chains, moved)
    return np.where(np.isfinite(found) & (log > np.log(SMALLEST)), found, -1e300)


class _PooledScale:
    """A pooled scale whose every group says of it what a normal does; its mean is integrated out.

    Parameters
    ----------
    chains : Chains
    k : int
    """

    def __init__(self, chains: Chains, k: int) -> None:
        target, guides = chains.target, chains.scale_guides
        scale = target.pooled[k] - chains.n_law
        self._prior, self._mean = target.population.own[k], target.population.mean[k]
        self._sd = target.population.sd[k]
        self._held = np.maximum(guides.held[:, scale], _LEAST_HELD)
        centres = chains.state.centres(target.population)[..., k]
        # Where each group says that the mean is, but for the effects of its levels.
        self._said = guides.pull[:, scale] / self._held
        self._said = self._said - centres + chains.state.effects[:, k, :1]

    def _of_mean(self, log: Floats) -> tuple[Floats, Floats, Floats]:
        """Return what each group holds the mean by (C, G), and its precision and mean (C,)."""
        held = self._held / (1.0 + self._held * np.exp(2.0 * log)[:, None])
        precision = held.sum(axis=1) + 1.0 / self._sd**2
        pull = (held * self._said).sum(axis=1) + self._mean / self._sd**2
        return held, precision, pull / precision

    def log_density(self, log: Floats) -> Floats:
        """Return the log density (C,) of the log of the spread, but for a constant."""
        held, precision, mean = self._of_mean(log)
        left = (held * (self._said - mean[:, None]) ** 2).sum(axis=1)
        left = left + ((mean - self._mean) / self._sd) ** 2
        of_groups = np.log(held).sum(axis=1) - np.log(precision) - left
        prior = np.array([float(self._prior.logpdf(spread)) for spread in np.exp(log)])
        return np.asarray(log + prior + 0.5 * of_groups)

    def mean(self, log: Floats, rng: np.random.Generator) -> Floats:
        """Return draws (C,) of the mean given the log of the spread."""
        _, precision, mean = self._of_mean(log)
        return np.asarray(mean + rng.standard_normal(len(mean)) / np.sqrt(precision))


def log_marginal(chains: Chains, state: PopulationState) -> Floats:
    """Return the log density (C,) of spreads, slopes and runs, laws linear, but for a constant.

    Effects, shared weights and the groups' laws are integrated out; scales are the present ones.
    """
    gaussian = chains.gaussian(state)
    phi = gaussian.mean
    joint = log_joint(chains, state, phi, gaussian.group_means(phi))
    return joint + log_volume(gaussian)


def log_volume(gaussian: JointGaussian) -> Floats:
    """Return the log (C,) of what one unit of standard normals is in phi and law."""
    return -gaussian.log_diagonal.sum(axis=1) - gaussian.log_dets.sum(axis=1)


def log_joint(chains: Chains, state: PopulationState, phi: Floats, law: Floats) -> Floats:
    """Return the log density (C,) of everything, laws linear, at phi (C, F) and law (C, G, L)."""
    target, x = chains.target, chains.with_law(law)
    state, weights = target.apart(state, phi)
    n_chains, n_groups, _ = law.shape
    shared = np.broadcast_to(weights[:, None], (n_chains, n_groups, weights.shape[1]))
    rest = np.full((n_chains, n_groups, 1), -1.0)
    left = np.concatenate([law - chains.guides.at(chains.chosen), shared, rest], axis=2)
    deviance = np.einsum("cgi,cgij,cgj->c", left, chains.products, left, optimize=True)
    of_groups = target.log_free(x) + target.log_pooled(state, x)
    return of_groups.sum(axis=1) - 0.5 * deviance + target.log_population(state, weights)
