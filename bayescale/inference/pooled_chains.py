"""Many chains over groups and their population: the state, and the sweeps that move it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from bayescale.inference.amis import starting_points
from bayescale.inference.carried_moves import (
    mirror_scales,
    move_scale_population,
    move_scales,
    move_slopes,
    move_spreads,
    scale_population,
)
from bayescale.inference.glide import glide, glide_apart, glide_shared
from bayescale.inference.joint_gaussian import JointGaussian
from bayescale.inference.mode import find_modes
from bayescale.inference.pooled_density import PooledDensity
from bayescale.inference.population_moves import (
    PopulationState,
    draw_effects,
    draw_slopes,
    draw_spreads,
)
from bayescale.inference.proposals import LogScales, log_student, student_stretch
from bayescale.inference.resampling import systematic_picks
from bayescale.inference.scale_guides import ScaleGuides
from bayescale.inference.spread_guides import guided_scale_population, guided_spreads
from bayescale.inference.stacked import Guides
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem

MANY_GROUPS = 20
"""Groups above which each moves apart from what all share: at once they would hardly ever."""

_WIDER = 1.2
_PATH, _MAX_STEPS = 2.0, 16
_ACCEPTED, _ANGLES = 0.8, (0.05, 1.2)
_GUIDES = 6
_ANEW = 0.75
"""Share of the proposals of spreads and slopes that start anew."""

_RUN_OFF = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""Paths may run off to where numbers overflow; such ends are not accepted."""


@dataclass(frozen=True)
class Snapshot:
    """One sweep's draw of every chain.

    Parameters
    ----------
    x : array, shape (C, G, P)
        Coordinates of the groups.
    population : PopulationState
        Effects and spreads.
    weights : array, shape (C, M)
        Of the shared discrepancy.
    """

    x: Floats
    population: PopulationState
    weights: Floats


class Chains:
    """Chains side by side.

    Parameters
    ----------
    problems : sequence of Problem
        One a group.
    n_chains : int
        Chains.
    rng : Generator
        Source of randomness.
    """

    def __init__(
        self, problems: Sequence[Problem], n_chains: int, rng: np.random.Generator
    ) -> None:
        self.target = target = PooledDensity(problems)
        self.rng, self.n_chains = rng, n_chains
        self.n_law, self.many = target.n_law, len(problems) > MANY_GROUPS
        self.x = np.stack([_start(problem, n_chains, rng) for problem in problems], axis=1)
        self.weights = np.zeros((n_chains, target.likelihood.n_weights))
        self.state = PopulationState.start(target.population, self.x[..., target.pooled])
        self.angle, self.angles = 0.4, np.full(len(problems), 0.6)
        present = self.state.log_spreads()
        width = 0.5 * np.eye(present.shape[2])
        self.spreads = LogScales(present[0], np.tile(width, (present.shape[1], 1, 1)))
        self.slopes = {k: self._slopes_about(mine) for k, mine in self._followers().items()}
        self.scale_populations = {
            k: LogScales(scale_population(self.state, k)[0], np.diag([0.3, 0.5])[None])
            for k in target.pooled_scales
        }
        self._present: JointGaussian | None = None
        self._make_linear(self.x)
        self._log_likelihood = target.likelihood.log_likelihood(self.x, self.weights)
        self._log_free = target.log_free(self.x)

    def _followers(self) -> dict[int, np.ndarray]:
        """Return which regressions each coefficient has that has any."""
        of, _ = self.target.population.ends
        return {int(k): np.flatnonzero(of == k) for k in np.unique(of)}

    def _slopes_about(self, mine: np.ndarray) -> LogScales:
        known = [self.target.population.regressions[r] for r in mine]
        mean, sd = np.array([(regression.mean, regression.sd) for regression in known]).T
        return LogScales(mean[None], np.diag(0.3 * sd)[None])

    def _make_linear(self, draws: Floats) -> None:
        """Make the laws linear about the mean and some of draws (T, G, P); learn how scales vary.

        Far along a curved ridge the mean is no guide, but one of the draws is.
        """
        some = draws[self.rng.integers(len(draws), size=0 if self.many else _GUIDES)]
        points = np.concatenate([draws.mean(axis=0)[None], some])
        self.guides = Guides(self.target.likelihood, points)
        self._choose_guides()
        self.scales = LogScales.of(draws[..., self.n_law :])
        if self.target.pooled_scales:
            self.scale_guides = ScaleGuides.of(self.target.likelihood, self.x, self.weights)

    def _choose_guides(self, *, apart: bool = False) -> None:
        """Choose where the laws are linear, whatever the present state: any choice is valid.

        Half choose the mean and half one of the draws, for all groups or `apart` for each.
        """
        shape = (self.n_chains, self.x.shape[1] if apart else 1)
        chosen = self.rng.integers(len(self.guides), size=shape)
        chosen *= self.rng.integers(2, size=shape)
        self._take_guides(np.broadcast_to(chosen, self.x.shape[:2]))

    def _take_guides(self, chosen: np.ndarray) -> None:
        self.chosen = chosen
        self.products = self.guides.given(self.x, self.chosen)

    @property
    def law(self) -> Floats:
        """The groups' law coordinates, shape (C, G, L)."""
        return self.x[..., : self.n_law]

    def phi(self) -> Floats:
        """Return effects and shared weights, shape (C, F)."""
        return self.target.phi(self.state, self.weights)

    def with_law(self, law: Floats) -> Floats:
        """Return the groups' coordinates with another law."""
        return np.concatenate([law, self.x[..., self.n_law :]], axis=2)

    def gaussian(
        self,
        state: PopulationState | None = None,
        products: Floats | None = None,
        last: Sequence[int] = (),
        x: Floats | None = None,
    ) -> JointGaussian:
        """Return the joint Gaussian at the present or other spreads and scales."""
        x = self.x if x is None else x
        state = self.state if state is None else state
        products = self.products if products is None else products
        at, log_scales = self.guides.at(self.chosen), x[..., self.n_law :]
        return JointGaussian(self.target, at, state, products, log_scales, last)

    def present_gaussian(self) -> JointGaussian:
        """Return the joint Gaussian at the present spreads and scales, made once for those.

        Moves of laws leave it as it is.
        """
        if self._present is None or not self._present.holds(self.state, self.products):
            self._present = self.gaussian()
        return self._present

    def force(self, phi: Floats, law: Floats) -> tuple[Floats, Floats]:
        """Return the gradient of the log density in phi and in the groups' law coordinates."""
        state, weights = self.target.apart(self.state, phi)
        return self.target.force(state, self.with_law(law), weights)

    def accept(self, state: PopulationState, phi: Floats, x: Floats, gain: Floats) -> np.ndarray:
        """Move to new spreads, phi and groups where density and `gain` accept; return where."""
        target = self.target
        state, weights = target.apart(state, phi)
        log_likelihood, log_free = target.likelihood.log_likelihood(x, weights), target.log_free(x)
        new = (log_likelihood + log_free + target.log_pooled(state, x)).sum(axis=1)
        old = self._log_density_of_groups().sum(axis=1)
        gain = gain + new - old + target.log_population(state, weights)
        gain = gain - target.log_population(self.state, self.weights)
        taken = np.log(self.rng.uniform(size=len(gain))) < gain
        self.x[taken], self.weights[taken] = x[taken], weights[taken]
        self._log_likelihood[taken], self._log_free[taken] = log_likelihood[taken], log_free[taken]
        self.state = self.state.where(taken, state)
        return taken

    def accept_groups(self, x: Floats, gain: Floats) -> np.ndarray:
        """Move groups to x where their density and `gain` (C, G) accept; return where, (C, G)."""
        target = self.target
        log_likelihood = target.likelihood.log_likelihood(x, self.weights)
        log_free = target.log_free(x)
        new = log_likelihood + log_free + target.log_pooled(self.state, x)
        uniform = self.rng.uniform(size=gain.shape)
        taken = np.log(uniform) < gain + new - self._log_density_of_groups()
        self.x[taken] = x[taken]
        self._log_likelihood[taken], self._log_free[taken] = log_likelihood[taken], log_free[taken]
        return taken

    def _log_density_of_groups(self) -> Floats:
        pooled = self.target.log_pooled(self.state, self.x)
        return self._log_likelihood + self._log_free + pooled

    @_RUN_OFF
    def sweep(self) -> Snapshot:
        """Move everything once and return where the chains are."""
        if self.many:
            self.accept_groups(*self._fresh_laws())
            self.accept_groups(*self._mirrored_laws())
            self._glide(glide_shared)
        else:
            self._glide_apart()
            move_scales(self, fresh=False)
            self._glide(glide)
        move_scales(self, fresh=True)
        if self.many and self.target.pools_all_scales:
            mirror_scales(self)
        for k in self.target.pooled_scales:
            move_scale_population(self, k, fresh=True)
            move_scale_population(self, k, fresh=False)
        self._draw_population()
        for k in self._unsure_spreads():
            move_spreads(self, k, fresh=bool(self.rng.uniform() < _ANEW))
        for k in self.slopes:
            move_slopes(self, k, fresh=bool(self.rng.uniform() < _ANEW))
        self._draw_population()
        return Snapshot(self.x.copy(), self.state, self.weights.copy())

    def _glide(self, way: Callable[[Chains, float, int], np.ndarray]) -> None:
        """Follow a path of a quarter turn or so, in steps that most chains accept."""
        if len(self.guides) > 1:
            self._choose_guides()
        steps = min(int(np.ceil(_PATH / self.angle)), _MAX_STEPS)
        self._glided = float(way(self, self.angle * self.rng.uniform(0.3, 1.2), steps).mean())

    def _glide_apart(self) -> None:
        self._choose_guides(apart=True)
        steps = min(int(np.ceil(_PATH / np.median(self.angles))), _MAX_STEPS)
        angles = self.angles * self.rng.uniform(0.3, 1.2)
        self._glided_apart = glide_apart(self, angles, steps).mean(axis=0)

    def _unsure_spreads(self) -> list[int]:
        """Choose coefficients by how little is known of their spreads: others move exactly.

        Scales without effects have a move of their own.
        """
        sd = np.sqrt((self.spreads.factor**2).sum(axis=2).max(axis=1))
        population, n_law = self.target.population, len(self.target.pooled_law)
        differ = np.array(population.differ)
        if n_law and not population.factors:
            differ = differ[differ < n_law]
        shares = sd[differ] / sd[differ].max() + 0.1
        size = len(differ) if self.many else (len(differ) + 1) // 2
        return differ[systematic_picks(shares / shares.sum(), size, self.rng)].tolist()

    def _draw_population(self) -> None:
        population, values = self.target.population, self.x[..., self.target.pooled]
        state = draw_effects(population, self.state, values, self.rng)
        state = draw_slopes(population, state, values, self.rng)
        self.state = draw_spreads(population, state, values, self.rng)

    def _fresh_laws(self) -> tuple[Floats, Floats]:
        """Return a new law for every group about its Gaussian given phi, and the gain of it."""
        gaussian, phi = self.present_gaussian(), self.phi()
        z = gaussian.standard(phi, self.law).law
        stretch = student_stretch(z.shape, self.rng)
        new = _WIDER * stretch * self.rng.standard_normal(z.shape)
        gain = log_student(z / _WIDER) - log_student(new / _WIDER)
        return self.with_law(gaussian.law(phi, new)), gain

    def _mirrored_laws(self) -> tuple[Floats, Floats]:
        """Return every group's law on the other side of its Gaussian, and no gain.

        Where a fresh one was not taken this makes successive draws differ, not repeat.
        """
        gaussian, phi = self.present_gaussian(), self.phi()
        z = gaussian.standard(phi, self.law).law
        return self.with_law(gaussian.law(phi, -z)), np.zeros(z.shape[:2])

    @_RUN_OFF
    def log_weights(self, size: int) -> Floats:
        """Return log importance weights (size, C, G) of fresh laws, normalised in each chain."""
        self._take_guides(np.zeros(self.x.shape[:2], dtype=int))
        weights = np.stack([self._log_weights() for _ in range(size)])
        return np.asarray(weights - logsumexp(weights, axis=0))

    def _log_weights(self) -> Floats:
        x, gain = self._fresh_laws()
        target = self.target
        new = target.likelihood.log_likelihood(x, self.weights) + target.log_free(x)
        return np.asarray(new + target.log_pooled(self.state, x) + gain)

    def warm_up(self, sweeps: int) -> None:
        """Sweep; then make the laws linear, and learn steps, from the second half of it."""
        snapshots = []
        for _ in range(sweeps):
            snapshots.append(self.sweep())
            self.angle = float(_turned(self.angle, self._glided))
            if not self.many:
                self.angles = _turned(self.angles, self._glided_apart)
        late = snapshots[sweeps // 2 :]
        self._make_linear(np.concatenate([snapshot.x for snapshot in late]))
        spreads = np.concatenate([snapshot.population.log_spreads() for snapshot in late])
        guided = [guided_spreads(self, spreads)] if self.many else []
        self.spreads = LogScales.of(np.concatenate([spreads, *guided]))
        slopes = np.concatenate([snapshot.population.slopes for snapshot in late])
        self.slopes = {k: LogScales.of(slopes[:, None, g]) for k, g in self._followers().items()}
        for k in self.scale_populations:
            seen = np.concatenate([scale_population(s.population, k) for s in late])
            about = [guided_scale_population(self, k, len(seen))] if self.many else []
            self.scale_populations[k] = LogScales.of(np.concatenate([seen, *about]))


def _turned(angle: float | Floats, accepted: float | Floats) -> Floats:
    """Return an angle moved towards the acceptance wanted."""
    return np.clip(angle * np.exp(0.25 * (np.asarray(accepted) - _ACCEPTED)), *_ANGLES)


def _start(problem: Problem, n_chains: int, rng: np.random.Generator) -> Floats:
    """Return starting points (C, P) of one group about its mode under the corpus prior."""
    alone = replace(problem, constants=replace(problem.constants, anchors=()))
    density = Density(alone)
    if not len(problem):
        return density.sample_prior(n_chains, rng)
    modes = find_modes(density, starting_points(density, rng, 5))
    factor = np.linalg.cholesky(modes.covariance[0])
    return np.asarray(modes.x[0] + rng.standard_normal((n_chains, len(factor))) @ factor.T)
