"""Members of ensembles on their way from where they started to the posterior, and how they move."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy.optimize import brentq

from bayescale.inference.ensemble_conditional import Conditional
from bayescale.inference.ensemble_moves import Cells, by_difference
from bayescale.inference.resampling import systematic_picks
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats

_ACCEPTED = 0.25
"""Share of moves by differences that their scale is tuned for."""

_JUMPS = 0.1
"""Share of them that are whole differences, which lead from mode to mode."""

_CENTRES, _SLOPES, _TIMES = 256, 3072, 4
"""Most members that narrow cells lie about, most slopes that these may take, and how often their
points are proposed."""

_CARRIED, _CARRIED_SCALE = 2, 0.5
"""Moves that carry linear coordinates along for each of the others, and their scale at first."""

_NEVER = -1e300
"""Log density where the posterior is undefined: finite, so that a power of zero forgives it."""


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
    near : callable
        Returns narrow cells about points (n, P), as `ensemble_starts.about` does.
    rng : Generator
        Source of randomness.
    conditional : Conditional, optional
        Of the linear coordinates, where the law has any.
    """

    def __init__(
        self,
        density: Density,
        starts: Sequence[Cells],
        members: int,
        near: Callable[[Floats], Cells],
        rng: np.random.Generator,
        conditional: Conditional | None = None,
    ) -> None:
        self.density, self.starts, self.rng, self.power = density, starts, rng, 0.0
        self.near, self.conditional = near, conditional
        self.x = np.stack([start.draw(members, rng) for start in starts])
        self.log_start, self.log_posterior = self._from_start(self.x), self._posterior(self.x)
        self._scale = 2.38 / np.sqrt(2.0 * self.x.shape[2])
        self._carried_scale = _CARRIED_SCALE

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

        Then all of it, anew from where members start. At the posterior halves first move with what
        is linear carried along.
        """
        if self.conditional is not None and self.power == 1.0:
            for mine, other in self._halves() * _CARRIED:
                self._by_carrying(self.conditional, mine, other, tune)
        for mine, other in self._halves():
            self._by_difference(mine, other, tune)
        for mine, other in self._halves():
            self._by_cells(mine, other)
        self._anew()

    def _by_difference(self, mine: np.ndarray, other: np.ndarray, tune: bool) -> None:
        jumps = self.rng.uniform() < _JUMPS
        row = np.arange(len(mine))[:, None]
        moved = by_difference(self.x[row, other], 1.0 if jumps else self._scale, self.rng)
        taken = self._accept(mine, self.x[row, mine] + moved, np.zeros(mine.shape))
        if tune and not jumps:
            self._scale = _tuned(self._scale, taken)

    def _by_carrying(
        self, conditional: Conditional, mine: np.ndarray, other: np.ndarray, tune: bool
    ) -> None:
        """Move by differences what is not linear in the law, and carry the rest along."""
        jumps = self.rng.uniform() < _JUMPS
        row, size = np.arange(len(mine))[:, None], self.x.shape[2]
        others = self.x[row, other]
        moved = by_difference(others, 1.0 if jumps else self._carried_scale, self.rng)
        start = np.median(others[..., conditional.linear], axis=1)
        there, log_volume = conditional.carry(
            self.x[row, mine].reshape(-1, size),
            moved.reshape(-1, size),
            start.repeat(mine.shape[1], axis=0),
        )
        shape = mine.shape
        taken = self._accept(mine, there.reshape(*shape, size), log_volume.reshape(shape))
        if tune and not jumps:
            self._carried_scale = _tuned(self._carried_scale, taken)

    def _by_cells(self, mine: np.ndarray, other: np.ndarray) -> None:
        """Propose by cells of the other half, and at the end by narrow ones about its members."""
        others = [x[own] for x, own in zip(self.x, other, strict=True)]
        self._independently(mine, [Cells.of(points, self.rng) for points in others])
        if self.power == 1.0:
            most = min(_CENTRES, _SLOPES // self.x.shape[2])
            self._independently(mine, [self.near(points[:most]) for points in others], _TIMES)

    def _independently(self, mine: np.ndarray, cells: Sequence[Cells], times: int = 1) -> None:
        """Propose points of cells, a mixture an ensemble, a few times: the cells are dear."""
        members = [x[own] for x, own in zip(self.x, mine, strict=True)]
        log_here = _log_densities(cells, members)
        for _ in range(times):
            proposed = np.stack([own.draw(mine.shape[1], self.rng) for own in cells])
            log_there = _log_densities(cells, proposed)
            taken = self._accept(mine, proposed, log_here - log_there)
            log_here = np.where(taken, log_there, log_here)

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
    ) -> np.ndarray:
        """Move the members that may; return which, in the shape of `mine`."""
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
        return np.asarray(taken)

    def _posterior(self, x: Floats) -> Floats:
        """Return the log posterior at x (I, n, P); no chance where it is undefined."""
        flat = self.density(x.reshape(-1, x.shape[2]))
        return np.asarray(np.maximum(flat.reshape(x.shape[:2]), _NEVER))

    def _from_start(self, x: Floats) -> Floats:
        return _log_densities(self.starts, x)


def _tuned(scale: float, taken: np.ndarray) -> float:
    """Return a scale of differences raised where more than enough moves were taken."""
    return min(1.0, scale * float(np.exp(0.3 * (taken.mean() - _ACCEPTED))))


def _log_densities(cells: Iterable[Cells], x: Iterable[Floats]) -> Floats:
    return np.stack([own.log_density(points) for own, points in zip(cells, x, strict=True)])


def _step(gain: Floats, left: float, survive: float) -> float:
    """Return by how much the power may rise for a share of every ensemble to survive."""

    def surviving(log_step: float) -> float:
        weights = np.exp(np.exp(log_step) * gain)
        sizes = weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)
        return float(sizes.min() / gain.shape[1]) - survive

    if surviving(np.log(left)) >= 0.0:
        return left
    return float(np.exp(brentq(surviving, -60.0, np.log(left), xtol=1e-3)))
