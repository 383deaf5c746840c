"""Where the members of an ensemble move to: proposals made of the other half of the ensemble.

Given that half, each is an ordinary Metropolis-Hastings proposal, so that moving the halves in turn
keeps the target (Goodman and Weare 2010, Ensemble samplers with affine invariance, CAMCoS 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayescale.inference.proposals import student, student_stretch
from bayescale.models.discrepancy import Floats

_BLUR = 1e-5
"""Sd of what is added to differences, so that no member is confined to those of the others."""

_MEMBERS = 5
"""Members that a cell needs for each coordinate, for its covariance to be worth something."""

_LEAST = 1e-300
"""Density of what lies beyond every cell."""

_ROUNDS = 2
_ROUND = 0.3
"""Weight of the whole's covariance in a cell's, in members a coordinate, and its share there."""


def by_difference(others: Floats, scale: float, rng: np.random.Generator) -> Floats:
    """Return moves (I, n, P): scaled differences of pairs of the other half (I, n, P).

    References
    ----------
    ter Braak (2006), A Markov chain Monte Carlo version of the genetic algorithm differential
    evolution, Statistics and Computing 16.
    """
    islands, n, _ = others.shape
    first = rng.integers(n, size=(islands, n))
    second = (first + rng.integers(1, n, size=(islands, n))) % n
    row = np.arange(islands)[:, None]
    blur = _BLUR * rng.standard_normal(others.shape)
    return np.asarray(scale * (others[row, first] - others[row, second]) + blur)


@dataclass(frozen=True)
class Cells:
    """A mixture of Student-t vectors over cells of a cloud of points.

    Parameters
    ----------
    shares : array, shape (K,)
        Of the cells; they sum to 1.
    means : array, shape (K, P)
        Centres.
    factors : array, shape (K, P, P)
        Lower triangular factors L of covariances L L'.
    """

    shares: Floats
    means: Floats
    factors: Floats

    @classmethod
    def of(cls, points: Floats, rng: np.random.Generator) -> Cells:
        """Return cells of points (n, P), about centres drawn from them and twice moved."""
        n, dims = points.shape
        mean, whole = points.mean(axis=0), _factor(points)
        z = np.linalg.solve(whole, (points - mean).T).T
        centres = z[rng.choice(n, max(1, n // (_MEMBERS * dims)), replace=False)]
        for _ in range(_ROUNDS):
            label = _nearest(z, centres)
            centres = np.stack([_mean(z[label == k], c) for k, c in enumerate(centres)])
        label = _nearest(z, centres)
        members = [z[label == k] - centre for k, centre in enumerate(centres)]
        shares = np.array([len(own) + 1.0 for own in members]) / (n + len(members))
        own_factors = np.stack([np.linalg.cholesky(_covariance(own, dims)) for own in members])
        return cls(shares, mean + centres @ whole.T, whole @ own_factors)

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Return n points, shape (n, P)."""
        cell = rng.choice(len(self.shares), n, p=self.shares)
        normal = np.asarray(rng.standard_normal((n, self.means.shape[1])))
        z = student_stretch(normal.shape, rng) * normal
        return np.asarray(self.means[cell] + (self.factors[cell] @ z[..., None])[..., 0])

    def log_density(self, x: Floats) -> Floats:
        """Return the log density at x (n, P), shape (n,), but for a constant."""
        whitened, height = self._whitening
        points = np.concatenate([x, np.ones((len(x), 1))], axis=1).T
        z = (whitened @ points).reshape(*self.means.shape, -1)
        squares = np.einsum("kpn,kpn->kn", z, z)
        top, tails = height.max(), student(squares, x.shape[1])
        return np.asarray(top + np.log(np.maximum(np.exp(height - top) @ tails, _LEAST)))

    @cached_property
    def _whitening(self) -> tuple[Floats, Floats]:
        """Return what takes (x, 1) to all cells' standard vectors, and log densities at centres."""
        inverse = np.linalg.inv(self.factors)
        shifted = np.concatenate([inverse, -inverse @ self.means[:, :, None]], axis=2)
        volumes = np.log(np.einsum("kpp->kp", self.factors)).sum(axis=1)
        return shifted.reshape(-1, shifted.shape[2]), np.log(self.shares) - volumes


def _factor(points: Floats) -> Floats:
    covariance = np.cov(points.T) + 1e-12 * np.eye(points.shape[1])
    return np.asarray(np.linalg.cholesky(covariance))


def _nearest(z: Floats, centres: Floats) -> np.ndarray:
    return np.asarray(((z[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1))


def _mean(members: Floats, otherwise: Floats) -> Floats:
    return np.asarray(members.mean(axis=0)) if len(members) else otherwise


def _covariance(centred: Floats, dims: int) -> Floats:
    """Return a cell's covariance, drawn towards a round one where its members are few."""
    round_one = _ROUND**2 * dims * np.eye(dims)
    return np.asarray((centred.T @ centred + round_one) / (len(centred) + _ROUND * dims))
