"""Moves of scales, spreads, slopes and population that carry the groups along.

What is moved changes the Gaussian of `inference.joint_gaussian`; everything else keeps its place
within it, so that scales and spreads move almost as if all else were integrated out: the
non-centred form, as far as a group's runs leave it open. The exact density accepts.

References
----------
Yu and Meng (2011), To center or not to center, JCGS 20; Filippone, Zhong and Girolami (2013), A
comparative evaluation of stochastic-based inference methods for Gaussian process models, Machine
Learning 93, for whitening.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bayescale.inference.population_moves import PopulationState
from bayescale.models.discrepancy import Floats

if TYPE_CHECKING:
    from bayescale.inference.pooled_chains import Chains

_TOGETHER = (0.4, 1.0)
"""Sizes of shifts and stretches of a scale of all groups, over the root of their number."""


def move_scales(chains: Chains, *, fresh: bool) -> np.ndarray:
    """Try new scales in every group, its law carried along; return where they were taken, (C, G).

    Parameters
    ----------
    chains : Chains
        What is moved.
    fresh : bool
        Draw scales anew about their mean in the warm-up, or step from the present ones.
    """
    moved, gain = chains.scales.propose(chains.x[..., chains.n_law :], chains.rng, fresh=fresh)
    x = np.concatenate([chains.law, moved], axis=2)
    products = chains.guides.given(x, chains.chosen)
    back, there = chains.gaussian(), chains.gaussian(products=products)
    phi = chains.phi()
    z = back.standard(phi, chains.law)
    x[..., : chains.n_law] = there.law(phi, z.law)
    taken = chains.accept_groups(x, gain + back.log_dets - there.log_dets)
    chains.products = np.where(taken[..., None, None], products, chains.products)
    return taken


def move_spreads(chains: Chains, k: int, *, fresh: bool) -> np.ndarray:
    """Try new spreads of coefficient k; return where they were taken, (C,).

    Parameters
    ----------
    chains : Chains
        What is moved.
    k : int
        Position among the pooled coefficients.
    fresh : bool
        As for `move_scales`.
    """
    state = chains.state
    present = state.log_spreads()
    proposed, ways = chains.spreads.propose(present, chains.rng, fresh=fresh)
    step = proposed[:, k] - present[:, k]
    own, spreads = state.own.copy(), state.spreads.copy()
    own[:, k] *= np.exp(step[:, 0])
    spreads[:, :, k] *= np.exp(step[:, 1:])
    moved = replace(state, own=own, spreads=spreads)
    return _carried(chains, moved, k, ways[:, k] + step.sum(axis=1))


def move_slopes(chains: Chains, k: int, *, fresh: bool) -> np.ndarray:
    """Try new slopes of coefficient k's departures, as `move_spreads` does its spreads."""
    state, slopes = chains.state, chains.state.slopes.copy()
    mine = chains.target.population.ends[0] == k
    proposed, ways = chains.slopes[k].propose(slopes[:, None, mine], chains.rng, fresh=fresh)
    slopes[:, mine] = proposed[:, 0]
    return _carried(chains, replace(state, slopes=slopes), k, ways[:, 0])


def _carried(chains: Chains, moved: PopulationState, k: int, gain: Floats) -> np.ndarray:
    """Try another population of coefficient k; all else keeps its place within the Gaussian.

    `gain` is what the proposal adds to the log acceptance.
    """
    back, there = (chains.gaussian(given, last=k) for given in (chains.state, moved))
    z = back.standard(chains.phi(), chains.law)
    phi = there.phi(z.phi)
    gain = gain + back.log_det - there.log_det + (back.log_dets - there.log_dets).sum(axis=1)
    return chains.accept(moved, phi, chains.with_law(there.law(phi, z.law)), gain)


def move_scale_together(chains: Chains, k: int) -> np.ndarray:
    """Try to shift a pooled scale of all groups with its mean, and to stretch it with its spread.

    Departures in units of the spread are held, laws carried along. Shared weights shrink as tau
    grows, so that what groups have in common stays as it is. Returns where taken, (C,).
    """
    state, rng, target = chains.state, chains.rng, chains.target
    n_groups, at = chains.x.shape[1], target.pooled[k]
    shift, stretch = np.array(_TOGETHER)[:, None] * rng.standard_normal((2, chains.n_chains))
    shift, stretch = shift / np.sqrt(n_groups), stretch / np.sqrt(n_groups)
    effects, own, x = state.effects.copy(), state.own.copy(), chains.x.copy()
    effects[:, k, 0] += shift
    own[:, k] *= np.exp(stretch)
    centre = state.centres(target.population)[..., k]
    departure = x[..., at] - centre
    x[..., at] = centre + shift[:, None] + np.exp(stretch)[:, None] * departure
    products = chains.guides.given(x, chains.chosen)
    moved = replace(state, effects=effects, own=own)
    shrunk = shift if at > chains.n_law else np.zeros_like(shift)
    back, there = chains.gaussian(), chains.gaussian(products=products)
    phi = target.phi(moved, np.exp(-shrunk)[:, None] * chains.weights)
    z = back.standard(chains.phi(), chains.law)
    x[..., : chains.n_law] = there.law(phi, z.law)
    gain = (1 + n_groups) * stretch + (back.log_dets - there.log_dets).sum(axis=1)
    taken = chains.accept(moved, phi, x, gain - chains.weights.shape[1] * shrunk)
    chains.products = np.where(taken[:, None, None, None], products, chains.products)
    return taken
