"""What the linear laws say of each spread, with effects, shared weights and groups integrated out.

Many groups start apart and come together slowly: where a spread lies near zero, the chains of a
warm-up walk towards it side by side, and how far they are from each other says nothing of how
little is known of it. Given the other spreads and the scales its marginal density is a Gaussian
integral, and a few points of it say where the spread lies. A guide to where spreads are proposed:
whatever it says, the exact density accepts.
"""

from __future__ import annotations

from dataclasses import replace
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
            normal = chains.rng.standard_normal((len(seen) // chains.n_chains, chains.n_chains))
            mean, sd = _marginal(chains, k, f)
            out[:, population.equals(k), f] = (mean + sd * normal).reshape(-1, 1)
    return out


def _marginal(chains: Chains, k: int, f: int) -> tuple[Floats, Floats]:
    """Return mean and sd (C,) of the log of coefficient k's spread, own if f is 0 or a factor's."""
    population = chains.target.population
    prior = (population.own, *population.spreads)[f][k]
    middle, reach = _possible(prior, chains.state.log_spreads()[:, k, f])
    for _ in range(_PASSES):
        logs = middle + np.multiply.outer(_POINTS, reach)
        mean, sd = _moments(logs, np.stack([_log_density(chains, k, f, log) for log in logs]))
        middle, reach = mean, np.maximum(_REACH * sd, 1.5 * (logs[1] - logs[0]))
    return mean, sd


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
