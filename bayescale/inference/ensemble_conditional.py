"""Moves that carry along the coordinates in which a law is linear, given the others.

Where a curve bends and what it falls by from bend to bend are told together: a break that moves
alone leaves a narrow valley. But given the breaks the slopes are nearly Gaussian, so that a move of
the breaks takes them along, each member keeping its place within that Gaussian: the breaks then
move almost as if slopes were integrated out. The exact density accepts.

References
----------
Yu and Meng (2011), To center or not to center, JCGS 20.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats

_PRIOR_DRAWS = 4096
"""Draws that give the prior's means and sds of the linear coordinates."""

_STEPS = 2
"""Gauss-Newton steps to the middle of the Gaussian; after two it is off by less than .001 sds."""

_LONGEST, _FAR, _SHIFT = 1.5, 50.0, 1e-4
"""Longest step of a coordinate; the largest linear combination, and by how much it is moved for a
slope."""


@dataclass(frozen=True)
class Conditional:
    """The Gaussian of a law's linear coordinates given the others.

    Parameters
    ----------
    density : Density
        The log posterior, of a law with `linear` coefficients.
    linear : list of int
        Positions of the level and of the linear coordinates.
    mean, precision : array, shape (k,)
        Of the prior, of the level and of the linear coordinates in turn.
    """

    density: Density
    linear: list[int]
    mean: Floats
    precision: Floats

    @classmethod
    def of(cls, density: Density, rng: np.random.Generator) -> Conditional | None:
        """Return that of a density; None where its law is linear in nothing."""
        law = density.problem.law
        if not law.linear:
            return None
        linear = [0, *map(density.symbols.index, law.linear)]
        prior = density.sample_prior(_PRIOR_DRAWS, rng)[:, linear]
        return cls(density, linear, prior.mean(axis=0), 1.0 / prior.var(axis=0))

    @cached_property
    def others(self) -> list[int]:
        """Positions of all other coordinates, scales included."""
        return [k for k in range(len(self.density.symbols)) if k not in self.linear]

    def carry(self, x: Floats, moved: Floats, start: Floats) -> tuple[Floats, Floats]:
        """Return points moved in the other coordinates, the linear ones carried along.

        Parameters
        ----------
        x : array, shape (n, P)
            Points.
        moved : array, shape (n, P)
            By how much; what it says of linear coordinates is left.
        start : array, shape (n, k)
            Where to look for the middle of the Gaussian; it must not depend on `x`.

        Returns
        -------
        there : array, shape (n, P)
            Where they go.
        log_volume : array, shape (n,)
            Log of how much a volume of points grows.
        """
        there = x.copy()
        there[:, self.others] += moved[:, self.others]
        mean, factor = self._given(x, start)
        new_mean, new_factor = self._given(there, start)
        z = factor.swapaxes(1, 2) @ (x[:, self.linear] - mean)[:, :, None]
        there[:, self.linear] = new_mean + np.linalg.solve(new_factor.swapaxes(1, 2), z)[:, :, 0]
        return there, _log_diagonal(factor) - _log_diagonal(new_factor)

    def _given(self, x: Floats, start: Floats) -> tuple[Floats, Floats]:
        """Return the Gaussian's mean (n, k) and the factor (n, k, k) of its precision."""
        parts, variance, place = self._parts(x), self.density.variances(x), start
        rotate, observed = self.density.problem.whitening.rotate, self.density.problem.log_loss
        for _ in range(_STEPS):
            linked, jacobian = self._linearised(x, place, parts)
            jacobian, residuals = rotate(jacobian), rotate(observed - linked)
            weighted = jacobian / variance[:, None, :]
            precision = weighted @ jacobian.swapaxes(1, 2) + np.diag(self.precision)
            pull = (weighted @ residuals[:, :, None])[:, :, 0] - self.precision * (
                place - self.mean
            )
            step = np.linalg.solve(precision, pull[:, :, None])[:, :, 0]
            place = place + np.clip(step, -_LONGEST, _LONGEST)
        return place, np.linalg.cholesky(precision)

    def _parts(self, x: Floats) -> Floats:
        """Return what each linear coefficient is multiplied by, shape (n, k - 1, runs)."""
        problem = self.density.problem
        with np.errstate(all="ignore"):
            values = problem.coefficients(self.density.constrain(x), problem.ratios)
            parts = problem.law.parts(problem.ratios, values)
        stacked = np.stack([parts[symbol] for symbol in problem.law.linear], axis=1)
        return np.nan_to_num(stacked, posinf=0.0, neginf=0.0)

    def _linearised(self, x: Floats, place: Floats, parts: Floats) -> tuple[Floats, Floats]:
        """Return the linked output (n, runs) and its slopes (n, k, runs) at linear coordinates."""
        problem, x = self.density.problem, x.copy()
        x[:, self.linear] = place
        values = problem.coefficients(self.density.constrain(x), problem.ratios)
        combined = np.clip((place[:, None, 1:] @ parts)[:, 0], -_FAR, _FAR)
        down, up = (
            problem.law.link(problem.law.combine(combined + shift, values))
            for shift in (-_SHIFT, _SHIFT)
        )
        slope = (up - down) / (2.0 * _SHIFT)
        ones = np.ones((len(x), 1, parts.shape[2]))
        return 0.5 * (up + down), np.concatenate([ones, slope[:, None] * parts], axis=1)


def _log_diagonal(factor: Floats) -> Floats:
    return np.asarray(np.log(np.einsum("nkk->nk", factor)).sum(axis=1))
