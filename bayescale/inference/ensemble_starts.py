"""Where the members of an ensemble start: all over the posterior, at the ends of randomised climbs.

A climb is that to a mode, with data and prior means moved by draws of their own errors: were the
law linear, its end would be a draw of the posterior. Where ridges bend the ends follow them, and
where there are several modes they lie in all that are found. From there the way to the posterior is
short, and leads through no power at which a narrow mode holds too little for a few hundred members
to keep it.

References
----------
Chen and Oliver (2012), Ensemble randomized maximum likelihood method as an iterative ensemble
smoother, Mathematical Geosciences 44.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayescale.inference.amis import starting_points
from bayescale.inference.ensemble_moves import Cells
from bayescale.inference.mode import damped_step, find_modes, law_jacobian, score
from bayescale.inference.resampling import systematic_picks
from bayescale.models.density import Density
from bayescale.models.discrepancy import Floats

_SEARCHES = 12
"""Plain climbs, for the size of the noise."""

_STEPS = 24
_HOT = 40.0
"""Steps of a climb, and how many times its noise's sd is at first: narrow valleys open late."""

_SCALE_STEPS = 4

_NARROWER = 0.5
"""Sds about the end of a climb over those of the normal approximation there."""

_PRIOR = 0.05
"""Share of members that start about the prior, for modes that no climb has found."""

_PRIOR_DRAWS = 1024


@dataclass(frozen=True)
class _Climbs:
    """Least squares problems, one a member: data and prior means moved by their own errors.

    Parameters
    ----------
    density : Density
        The log posterior.
    about : array, shape (B, n_law)
        Draws of the prior, in place of its means.
    precision : array, shape (n_law,)
        Of the prior, by coordinate.
    errors, variance : array, shape (B, n)
        What is added to rotated residuals, and its variance.
    """

    density: Density
    about: Floats
    precision: Floats
    errors: Floats
    variance: Floats

    def value(self, x: Floats, heat: float) -> Floats:
        """Return minus half the sum of squares at x, shape (B,)."""
        pulled = self.precision * (x[:, : self.density.n_law] - self.about) ** 2
        with np.errstate(all="ignore"):
            squares = (self.density.rotated(x) + self.errors) ** 2 / self.variance
            value = -0.5 * (squares.sum(axis=1) / heat**2 + pulled.sum(axis=1))
        return np.where(np.isfinite(value), value, -np.inf)

    def slope(self, x: Floats, heat: float) -> tuple[Floats, Floats]:
        """Return gradient (B, n_law) and information (B, n_law, n_law) at x."""
        with np.errstate(all="ignore"):
            jacobian = law_jacobian(self.density, x)
            residuals = self.density.rotated(x) + self.errors
            weighted = jacobian / (heat**2 * self.variance[:, None, :])
            gradient = (weighted @ residuals[:, :, None])[:, :, 0]
            information = weighted @ jacobian.transpose(0, 2, 1)
        pulled = self.precision * (x[:, : self.density.n_law] - self.about)
        information = np.nan_to_num(information) + np.diag(self.precision)
        return np.nan_to_num(gradient) - pulled, information

    def ends(self, x: Floats) -> Floats:
        """Return where damped Gauss-Newton steps from x lead, the noise cooling on the way."""
        n_law, damping = self.density.n_law, np.full(len(x), 1e-2)
        for step in range(_STEPS):
            heat = max(1.0, _HOT ** (1.0 - step / (0.6 * _STEPS)))
            gradient, information = self.slope(x, heat)
            proposal = x.copy()
            proposal[:, :n_law] += np.clip(damped_step(information, gradient, damping), -2.0, 2.0)
            better = self.value(proposal, heat) > self.value(x, heat)
            x = np.where(better[:, None], proposal, x)
            damping = np.clip(np.where(better, damping / 4.0, damping * 6.0), 1e-8, 1e8)
        return x


def spread_starts(density: Density, climbs: int, rng: np.random.Generator) -> Cells:
    """Return narrow Student-t vectors about the ends of climbs, and wide ones about the prior.

    An end's share is the root of the probability that its normal approximation gives it: less sure
    of a mode's weight than that, and next to nothing for a climb that was caught on the way.

    Parameters
    ----------
    density : Density
        The log posterior.
    climbs : int
        How many; half as many ends are kept, drawn by their shares, as each costs time in a move.
    rng : Generator
        Source of randomness.
    """
    modes = find_modes(density, starting_points(density, rng, _SEARCHES))
    noise = (modes.x[0, density.n_law :], modes.covariance[0][density.n_law :, density.n_law :])
    prior = density.sample_prior(_PRIOR_DRAWS, rng)
    ends = _ends(density, prior, noise, climbs, rng)
    factors = about(density, ends).factors
    held = 0.5 * (density(ends) + np.log(np.einsum("kpp->kp", factors)).sum(axis=1))
    shares = np.exp(held - held.max())
    kept, times = np.unique(systematic_picks(shares, climbs // 2, rng), return_counts=True)
    return Cells(
        np.append((1.0 - _PRIOR) * times / times.sum(), _PRIOR),
        np.concatenate([ends[kept], prior.mean(axis=0)[None]]),
        np.concatenate([factors[kept], np.linalg.cholesky(np.cov(prior.T))[None]]),
    )


def about(density: Density, points: Floats) -> Cells:
    """Return narrow Student-t vectors about points (n, P), all of one share, by curvature."""
    factors = np.linalg.cholesky(_NARROWER**2 * np.linalg.inv(score(density, points)[1]))
    return Cells(np.full(len(points), 1.0 / len(points)), points, factors)


def _ends(
    density: Density,
    prior: Floats,
    noise: tuple[Floats, Floats],
    climbs: int,
    rng: np.random.Generator,
) -> Floats:
    """Return the ends of climbs, shape (climb, P), each with scales of its own."""
    n_law, x = density.n_law, density.sample_prior(climbs, rng)
    about = x[:, :n_law].copy()
    x[:, n_law:] = rng.multivariate_normal(*noise, size=len(x))
    variance = density.variances(x)
    errors = np.sqrt(variance) * rng.standard_normal(variance.shape)
    precision = 1.0 / prior[:, :n_law].var(axis=0)
    x = _Climbs(density, about, precision, errors, variance).ends(x)
    for _ in range(_SCALE_STEPS):
        gradient, information = (part[:, n_law:] for part in score(density, x))
        step = np.linalg.solve(information[:, :, n_law:], gradient[:, :, None])[:, :, 0]
        x[:, n_law:] += np.clip(step, -1.0, 1.0)
    x[:, n_law:] += rng.multivariate_normal(np.zeros(len(noise[0])), noise[1], size=len(x))
    return x
