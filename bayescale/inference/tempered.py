"""Tempered ensembles: a thousand chains in NumPy walk to the posterior together.

For posteriors with ridges that bend and with several modes, where importance sampling has no
proposal that covers them and four chains of NUTS each stay in one: a break of a curve that may lie
in several places, terms of a loss that may change theirs. Nothing is compiled. The members of an
ensemble start about the modes that it finds; the posterior over the density that they were drawn
from is raised to a power that grows from 0 to 1, after each step those that it favours are copied
and all move. Several ensembles share nothing, the search for modes included, so that R-hat between
them says whether they agree.

References
----------
Del Moral, Doucet and Jasra (2006), Sequential Monte Carlo samplers, JRSS B 68.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from bayescale.inference.chains import effective_draws, split_rhat
from bayescale.inference.ensemble_moves import Cells, by_difference
from bayescale.inference.ensemble_starts import spread_starts
from bayescale.inference.posterior import Diagnostics
from bayescale.inference.resampling import systematic_picks
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats
from bayescale.models.problem import Problem

_ACCEPTED = 0.25
"""Share of moves by differences that their scale is tuned for."""

_JUMPS = 0.1
"""Share of them that are whole differences, which lead from mode to mode."""

_NEVER = -1e300
"""Log density where the posterior is undefined: finite, so that a power of zero forgives it."""


@dataclass(frozen=True, kw_only=True)
class TemperedEffort:
    """How hard to try.

    Parameters
    ----------
    ensembles, members : int
        Ensembles that share nothing, and members of each.
    climbs : int
        Randomised climbs that the members of one start about.
    survive : float
        Effective share of the members that a step of the power leaves.
    moves : int
        Moves after each step.
    kept : int
        Moves at the end, every other one kept.
    """

    ensembles: int = 4
    members: int = 256
    climbs: int = 128
    survive: float = 0.5
    moves: int = 8
    kept: int = 24


EFFORTS = (
    TemperedEffort(),
    TemperedEffort(members=512, survive=0.7, moves=24, kept=96),
    TemperedEffort(members=1024, climbs=256, survive=0.8, moves=40, kept=400),
)
"""The default effort, then the larger ones that a bad R-hat calls for."""


class Ensembles:
    """Members of several ensembles, between where they started and the posterior.

    Parameters
    ----------
    density : Density
        The log posterior.
    starts : sequence of Cells
        What each ensemble is drawn from.
    members : int
        Members of each.
    rng : Generator
        Source of randomness.
    """

    def __init__(
        self, density: Density, starts: Sequence[Cells], members: int, rng: np.random.Generator
    ) -> None:
        self.density, self.starts, self.rng, self.power = density, starts, rng, 0.0
        self.x = np.stack([start.draw(members, rng) for start in starts])
        self.log_start, self.log_posterior = self._from_start(self.x), self._posterior(self.x)
        self._scale = 2.38 / np.sqrt(2.0 * self.x.shape[2])

    def heat(self, survive: float) -> None:
        """Raise the power until a share of the members survives, and copy those favoured."""
        gain = self.log_posterior - self.log_start
        gain = gain - gain.max(axis=1, keepdims=True)
        step = _step(gain, 1.0 - self.power, survive)
        self.power = min(1.0, self.power + step)
        weights, n = np.exp(step * gain), gain.shape[1]
        picks = np.stack([systematic_picks(own, n, self.rng) for own in weights])
        row = np.arange(len(gain))[:, None]
        self.x, self.log_start, self.log_posterior = (
            values[row, picks] for values in (self.x, self.log_start, self.log_posterior)
        )

    def move(self, *, tune: bool = True) -> None:
        """Move each half of every ensemble by differences of the other, then by cells of it.

        Then all of it, anew from where members start.
        """
        for mine, other in self._halves():
            self._by_difference(mine, other, tune)
        for mine, other in self._halves():
            self._by_cells(mine, other)
        self._anew()

    def _by_difference(self, mine: np.ndarray, other: np.ndarray, tune: bool) -> None:
        jumps = self.rng.uniform() < _JUMPS
        row = np.arange(len(mine))[:, None]
        moved = by_difference(self.x[row, other], 1.0 if jumps else self._scale, self.rng)
        accepted = self._accept(mine, self.x[row, mine] + moved, np.zeros(mine.shape))
        if tune and not jumps:
            self._scale = min(1.0, self._scale * float(np.exp(0.3 * (accepted - _ACCEPTED))))

    def _by_cells(self, mine: np.ndarray, other: np.ndarray) -> None:
        proposals, log_back = [], []
        for x, own, others in zip(self.x, mine, other, strict=True):
            cells = Cells.of(x[others], self.rng)
            proposals.append(cells.draw(len(own), self.rng))
            log_back.append(cells.log_density(x[own]) - cells.log_density(proposals[-1]))
        self._accept(mine, np.stack(proposals), np.stack(log_back))

    def _anew(self) -> None:
        everyone = np.broadcast_to(np.arange(self.x.shape[1]), self.x.shape[:2])
        proposed = np.stack([start.draw(self.x.shape[1], self.rng) for start in self.starts])
        start = self._from_start(proposed)
        if self.power == 1.0:
            # The other moves did not ask for it.
            self.log_start = self._from_start(self.x)
        self._accept(everyone, proposed, self.log_start - start, start)

    def _halves(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        order = np.argsort(self.rng.uniform(size=self.x.shape[:2]), axis=1)
        first, second = np.split(order, 2, axis=1)
        return (first, second), (second, first)

    def _accept(
        self, mine: np.ndarray, proposed: Floats, log_back: Floats, start: Floats | None = None
    ) -> float:
        """Move the members that may; return the share of them."""
        row, posterior = np.arange(len(mine))[:, None], self._posterior(proposed)
        if start is None:
            # At a power of 1 nothing depends on where members started.
            start = self._from_start(proposed) if self.power < 1.0 else np.zeros(mine.shape)
        gain = (1.0 - self.power) * (start - self.log_start[row, mine])
        gain = gain + self.power * (posterior - self.log_posterior[row, mine]) + log_back
        taken = np.log(self.rng.uniform(size=mine.shape)) < gain
        at = (np.broadcast_to(row, mine.shape)[taken], mine[taken])
        self.x[at], self.log_start[at] = proposed[taken], start[taken]
        self.log_posterior[at] = posterior[taken]
        return float(taken.mean())

    def _posterior(self, x: Floats) -> Floats:
        """Return the log posterior at x (I, n, P); no chance where it is undefined."""
        flat = self.density(x.reshape(-1, x.shape[2]))
        return np.asarray(np.maximum(flat.reshape(x.shape[:2]), _NEVER))

    def _from_start(self, x: Floats) -> Floats:
        return np.stack([own.log_density(z) for own, z in zip(self.starts, x, strict=True)])


def _step(gain: Floats, left: float, survive: float) -> float:
    """Return by how much the power may rise for a share of every ensemble to survive."""

    def surviving(log_step: float) -> float:
        weights = np.exp(np.exp(log_step) * gain)
        sizes = weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)
        return float(sizes.min() / gain.shape[1]) - survive

    if surviving(np.log(left)) >= 0.0:
        return left
    return float(np.exp(brentq(surviving, -60.0, np.log(left), xtol=1e-3)))


def tempered_draws(density: Density, effort: TemperedEffort, rng: np.random.Generator) -> Floats:
    """Return draws (member of any ensemble, draw, P) of one group's posterior.

    Parameters
    ----------
    density : Density
        The log posterior.
    effort : TemperedEffort
        How hard to try.
    rng : Generator
        Source of randomness.
    """
    starts = [spread_starts(density, effort.climbs, rng) for _ in range(effort.ensembles)]
    return walked(Ensembles(density, starts, effort.members, rng), effort)


def walked(found: Ensembles, effort: TemperedEffort) -> Floats:
    """Return draws (member of any ensemble, draw, P) where ensembles arrive."""
    while found.power < 1.0:
        found.heat(effort.survive)
        for _ in range(effort.moves):
            found.move()
    kept = []
    for k in range(effort.kept):
        found.move(tune=False)
        if k % 2:
            kept.append(found.x.reshape(-1, found.x.shape[2]).copy())
    return np.stack(kept, axis=1)


@dataclass(frozen=True)
class Agreed:
    """Draws of one group's posterior, and how far the ensembles agree on it.

    Parameters
    ----------
    x : array, shape (members, draw, P)
        Unconstrained coordinates.
    rhat : float
        Largest R-hat between ensembles.
    ess : float
        Fewest effective draws of any coordinate.
    """

    x: Floats
    rhat: float
    ess: float

    def pick(self, draws: int, rng: np.random.Generator) -> Floats:
        """Return some of the draws, (draws, P)."""
        flat = self.x.reshape(-1, self.x.shape[2])
        return flat[rng.choice(len(flat), draws, replace=len(flat) < draws)]


def agreed(
    density: Density,
    rng: np.random.Generator,
    rhat_max: float,
    efforts: Sequence[TemperedEffort] = EFFORTS,
) -> Agreed:
    """Return draws of one group's posterior, tried harder while the ensembles disagree.

    Parameters
    ----------
    density : Density
        The log posterior.
    rng : Generator
        Source of randomness.
    rhat_max : float
        The gate of R-hat between ensembles.
    efforts : sequence of TemperedEffort
        The first, then those that a miss calls for.
    """
    for effort in efforts:
        x = tempered_draws(density, effort, rng)
        rhat = float(split_rhat(x, effort.ensembles).max())
        if rhat <= rhat_max:
            break
    return Agreed(x, rhat, float(effective_draws(x).min()))


def sample_tempered(
    problems: Sequence[Problem],
    *,
    draws: int,
    seed: int,
    rhat_max: float,
    efforts: Sequence[TemperedEffort] = EFFORTS,
) -> tuple[dict[str, Floats], Diagnostics]:
    """Draw from the posterior of each group, harder while the ensembles disagree.

    Parameters
    ----------
    problems : sequence of Problem
        One a group; none is pooled.
    draws : int
        Draws returned a group.
    seed : int
        Seed of the fit.
    rhat_max : float
        The gate of R-hat between ensembles.
    efforts : sequence of TemperedEffort
        The first, then those that a miss calls for.

    Returns
    -------
    draws : dict of str to array, shape (1, draw, group)
        The law's coefficients, ``sigma`` and, where there is a discrepancy, ``tau``.
    diagnostics : Diagnostics
        Largest R-hat between ensembles and fewest effective draws of any coordinate of any group.
    """
    columns: dict[str, list[Floats]] = {}
    rhats, sizes = [], []
    for group, problem in enumerate(problems):
        density, rng = Density(problem), np.random.default_rng([seed, group, 2])
        walked_to = agreed(density, rng, rhat_max, efforts)
        rhats.append(walked_to.rhat)
        sizes.append(walked_to.ess)
        for symbol, value in density.constrain(walked_to.pick(draws, rng)).items():
            columns.setdefault(symbol, []).append(value)
    found = {symbol: np.concatenate(v, axis=1)[None] for symbol, v in columns.items()}
    return found, Diagnostics(
        engine="tempered",
        khat=(),
        ess=min(sizes),
        rhat=max(rhats),
        divergences=0,
        cpu_seconds=0.0,
    )
