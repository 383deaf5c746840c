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

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bayescale.inference.population_moves import PopulationState
from bayescale.inference.proposals import log_student, student_stretch
from bayescale.models.discrepancy import Floats

if TYPE_CHECKING:
    from bayescale.inference.pooled_chains import Chains

_WIDER = 1.1


def move_scales(chains: Chains, *, fresh: bool) -> np.ndarray:
    """Try new scales in every group, its law carried along; return where they were taken, (C, G).

    Parameters
    ----------
    chains : Chains
        What is moved.
    fresh : bool
        Draw scales anew, about their mean in the warm-up or where they are pooled given their
        population, or step from the present ones.
    """
    present = chains.x[..., chains.n_law :]
    if fresh and chains.target.pools_all_scales:
        places = _places(chains, chains.state, chains.target.pooled_scales)
        return _with_scales(chains, *_anew(present, *places, chains.rng))
    return _with_scales(chains, *chains.scales.propose(present, chains.rng, fresh=fresh))


def mirror_scales(chains: Chains) -> np.ndarray:
    """Try pooled scales on the other side of where they are expected; return where taken, (C, G).

    Where none was drawn anew this makes successive draws differ, not repeat.
    """
    present = chains.x[..., chains.n_law :]
    mean, _ = _places(chains, chains.state, chains.target.pooled_scales)
    return _with_scales(chains, 2.0 * mean - present, np.zeros(present.shape[:2]))


def _with_scales(chains: Chains, moved: Floats, gain: Floats) -> np.ndarray:
    """Try these scales (C, G, S), each law carried along; `gain` is that of the proposal."""
    x = np.concatenate([chains.law, moved], axis=2)
    products = chains.guides.given(x, chains.chosen)
    back, there = chains.present_gaussian(), chains.gaussian(products=products)
    phi = chains.phi()
    z = back.standard(phi, chains.law)
    x[..., : chains.n_law] = there.law(phi, z.law)
    taken = chains.accept_groups(x, gain + back.log_dets - there.log_dets)
    chains.products = np.where(taken[..., None, None], products, chains.products)
    return taken


def move_spreads(chains: Chains, k: int, *, fresh: bool) -> np.ndarray:
    """Try new spreads of coefficient k and of its equals; return where they were taken, (C,).

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
    equals = list(chains.target.population.equals(k))
    present = state.log_spreads()
    proposed, ways = chains.spreads.propose(present, chains.rng, fresh=fresh)
    step = proposed[:, k] - present[:, k]
    own, spreads = state.own.copy(), state.spreads.copy()
    own[:, equals] *= np.exp(step[:, :1])
    spreads[:, :, equals] *= np.exp(step[:, 1:, None])
    moved = replace(state, own=own, spreads=spreads)
    return _carried(chains, moved, equals, ways[:, k] + step.sum(axis=1))


def move_slopes(chains: Chains, k: int, *, fresh: bool) -> np.ndarray:
    """Try new slopes of coefficient k's departures, as `move_spreads` does its spreads."""
    state, slopes = chains.state, chains.state.slopes.copy()
    mine = chains.target.population.ends[0] == k
    proposed, ways = chains.slopes[k].propose(slopes[:, None, mine], chains.rng, fresh=fresh)
    slopes[:, mine] = proposed[:, 0]
    return _carried(chains, replace(state, slopes=slopes), [k], ways[:, 0])


def _carried(
    chains: Chains, moved: PopulationState, which: Sequence[int], gain: Floats
) -> np.ndarray:
    """Try another population of some coefficients; all else keeps its place within the Gaussian.

    `gain` is what the proposal adds to the log acceptance.
    """
    back, there = (chains.gaussian(given, last=which) for given in (chains.state, moved))
    z = back.standard(chains.phi(), chains.law)
    phi = there.phi(z.phi)
    gain = (
        gain
        + (back.log_diagonal - there.log_diagonal).sum(axis=1)
        + (back.log_dets - there.log_dets).sum(axis=1)
    )
    return chains.accept(moved, phi, chains.with_law(there.law(phi, z.law)), gain)


def move_scale_population(chains: Chains, k: int, *, fresh: bool) -> np.ndarray:
    """Try a new mean and spread of a pooled scale; return where they were taken, (C,).

    Every group's own scale keeps its place between its population and what its runs say of it
    (`inference.scale_guides`); laws, effects and shared weights keep theirs within the Gaussian.

    Parameters
    ----------
    chains : Chains
        What is moved.
    k : int
        Position of the scale among the pooled coefficients.
    fresh : bool
        As for `move_spreads`.
    """
    target, present = chains.target, scale_population(chains.state, k)
    proposed, ways = chains.scale_populations[k].propose(present, chains.rng, fresh=fresh)
    moved = _with_scale_population(chains.state, k, proposed)
    (mean, sd), (new_mean, new_sd) = (_places(chains, s, [k]) for s in (chains.state, moved))
    x, at = chains.x.copy(), target.pooled[[k]]
    x[..., at] = new_mean + new_sd * (x[..., at] - mean) / sd
    products = chains.guides.given(x, chains.chosen)
    back, there = chains.gaussian(last=[k]), chains.gaussian(moved, products, last=[k], x=x)
    z = back.standard(chains.phi(), chains.law)
    # The scale's own effects stand last and are moved by hand; the rest keeps its place given them.
    rest = z.phi.shape[1] - moved.effects.shape[2]
    placed = there.standard_phi(target.phi(moved, chains.weights))[:, rest:]
    phi = there.phi(np.concatenate([z.phi[:, :rest], placed], axis=1))
    x[..., : chains.n_law] = there.law(phi, z.law)
    gain = ways[:, 0] + (proposed - present)[:, 0, 1] + np.log(new_sd / sd).sum(axis=(1, 2))
    gain = gain + (back.log_diagonal - there.log_diagonal)[:, :rest].sum(axis=1)
    taken = chains.accept(moved, phi, x, gain + (back.log_dets - there.log_dets).sum(axis=1))
    chains.products = np.where(taken[:, None, None, None], products, chains.products)
    return taken


def scale_population(state: PopulationState, k: int) -> Floats:
    """Return mean and log spread of a pooled scale, shape (C, 1, 2)."""
    return np.stack([state.effects[:, k, 0], np.log(state.own[:, k])], axis=1)[:, None]


def _with_scale_population(state: PopulationState, k: int, given: Floats) -> PopulationState:
    effects, own = state.effects.copy(), state.own.copy()
    effects[:, k, 0], own[:, k] = given[:, 0, 0], np.exp(given[:, 0, 1])
    return replace(state, effects=effects, own=own)


def _places(chains: Chains, state: PopulationState, which: Sequence[int]) -> tuple[Floats, Floats]:
    """Return mean and sd (C, G, .) of pooled scales given their population and the runs."""
    target, pooled = chains.target, list(which)
    centres = state.centres(target.population)[..., pooled]
    scales = target.pooled[pooled] - chains.n_law
    return chains.scale_guides.about(scales, centres, state.own[:, pooled])


def _anew(
    present: Floats, mean: Floats, sd: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return new logs of scales (C, G, S), and the log density (C, G) of the way back over it."""
    sd = _WIDER * sd
    moved = mean + student_stretch(present.shape, rng) * sd * rng.standard_normal(present.shape)
    return moved, log_student((present - mean) / sd) - log_student((moved - mean) / sd)
